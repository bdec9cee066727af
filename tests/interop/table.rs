//! What came of each scenario.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use crate::{process::folder, tshark};

struct Row {
    element: &'static str,
    peer: &'static str,
    scenario: &'static str,
    result: Result<String, String>,
}

pub struct Table {
    sipp: String,
    tshark: String,
    rows: Vec<Row>,
    messages: usize,
}

impl Table {
    pub const fn new(sipp: String, tshark: String) -> Self {
        Self {
            sipp,
            tshark,
            rows: Vec::new(),
            messages: 0,
        }
    }

    /// Plays a scenario, which is given the name of a capture to write. Its result is in the table, whatever it is; so is
    /// what tshark says of the capture.
    pub fn play(
        &mut self,
        element: &'static str,
        peer: &'static str,
        scenario: &'static str,
        play: impl FnOnce(&str) -> String,
    ) {
        self.add((element, peer, scenario), |table| {
            let capture = capture();
            let remark = played(|| play(capture.to_str().unwrap()))?;
            let messages = tshark::read(&capture)?;
            table.messages += messages;
            match messages {
                0 => Err(format!("{remark}, but no message was captured")),
                messages => Ok(format!("{remark}, {messages} messages read clean")),
            }
        });
    }

    /// Plays a scenario of more messages than anybody captures.
    pub fn measure(
        &mut self,
        element: &'static str,
        peer: &'static str,
        scenario: &'static str,
        play: impl FnOnce() -> String,
    ) {
        self.add((element, peer, scenario), |_| played(play));
    }

    fn add(
        &mut self,
        (element, peer, scenario): (&'static str, &'static str, &'static str),
        result: impl FnOnce(&mut Self) -> Result<String, String>,
    ) {
        let only = std::env::var("IMS_INTEROP_ONLY");
        if only.is_ok_and(|only| !only.split(',').any(|one| one == element)) {
            return;
        }
        println!("interop: {element}, {peer}: {scenario}");
        let result = result(self);
        self.rows.push(Row {
            element,
            peer,
            scenario,
            result,
        });
    }

    /// Whether there was something to play, and all of it has gone well.
    pub fn is_good(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.result.is_ok())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| element | peer | version | scenario | result |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            let result = match &row.result {
                Ok(remark) => remark.clone(),
                Err(why) => format!("FAILED: {why}"),
            };
            let (element, peer, scenario) = (row.element, row.peer, row.scenario);
            let sipp = &self.sipp;
            writeln!(
                f,
                "| `{element}` | {peer} | {sipp} | {scenario} | {result} |"
            )?;
        }
        let (messages, tshark) = (self.messages, &self.tshark);
        writeln!(
            f,
            "\n{tshark} read {messages} messages, none of them faulty in a good row."
        )
    }
}

fn capture() -> PathBuf {
    folder("interop").join("capture.pcap")
}

/// What a scenario says of itself, or why it has not gone well.
fn played(play: impl FnOnce() -> String) -> Result<String, String> {
    catch_unwind(AssertUnwindSafe(play)).map_err(|panic| what(&*panic))
}

fn what(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    let text = text.unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
