//! The console: commands as JSON lines on stdin, events as JSON lines on stdout.

use std::{
    fmt::Debug,
    io::{self, BufRead, BufWriter, Read, Stdout, Write},
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use serde_json::{Map, Value};

/// Commands that are read ahead; then whoever writes them waits.
const AHEAD: usize = 64;
/// Bytes of a line.
const LONGEST: u64 = 65_536;

/// A line of stdin, or why it cannot be one.
pub type Line = Result<String, &'static str>;

/// Lines of stdin, read by a thread of its own: a read of stdin cannot be left half-way.
pub fn lines() -> Receiver<Line> {
    let (sender, receiver) = sync_channel(AHEAD);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut lines = std::iter::from_fn(|| next_line(&mut input).ok().flatten());
        // The other end is gone only when the program ends.
        lines.try_for_each(|line| match line {
            Ok(line) if line.trim().is_empty() => Ok(()),
            line => sender.send(line),
        })
    });
    receiver
}

/// The next line. `None` if there are no more.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut read = |line: &mut Vec<u8>| input.take(LONGEST).read_until(b'\n', line);
    let mut line = Vec::new();
    if read(&mut line)? == 0 {
        return Ok(None);
    }
    if line.len() < LONGEST as usize || line.ends_with(b"\n") {
        return Ok(Some(String::from_utf8(line).map_err(|_| "not UTF-8")));
    }
    while !line.ends_with(b"\n") {
        line.clear();
        if read(&mut line)? == 0 {
            break;
        }
    }
    Ok(Some(Err("too long")))
}

/// A command: its name, and what else the line says.
pub struct Command(Map<String, Value>);

impl Command {
    pub fn parse(line: Line) -> Result<Self, String> {
        match serde_json::from_str(&line?) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err("not a JSON object".to_owned()),
            Err(fault) => Err(fault.to_string()),
        }
    }

    pub fn name(&self) -> &str {
        let name = self.0.get("command").and_then(Value::as_str);
        name.unwrap_or_default()
    }

    /// Checks that it says nothing but its name and these fields: a field that is misspelt must not be taken for one that
    /// was left out.
    pub fn takes(&self, fields: &[&str]) -> Result<(), String> {
        let is_known = |field: &str| field == "command" || fields.contains(&field);
        match self.0.keys().find(|field| !is_known(field)) {
            None => Ok(()),
            Some(field) => Err(format!("{} takes no {field:?}", self.name())),
        }
    }

    /// A text that may be left out.
    pub fn find(&self, field: &str) -> Result<Option<&str>, String> {
        self.read(field, Value::as_str, "text")
    }

    pub fn text(&self, field: &str) -> Result<&str, String> {
        self.find(field)?
            .ok_or_else(|| format!("{} needs a {field:?}", self.name()))
    }

    /// A number that may be left out.
    pub fn number(&self, field: &str) -> Result<Option<u64>, String> {
        self.read(field, Value::as_u64, "number")
    }

    /// Whether it says so; what is left out is false.
    pub fn flag(&self, field: &str) -> Result<bool, String> {
        let flag = self.read(field, Value::as_bool, "boolean")?;
        Ok(flag.unwrap_or(false))
    }

    /// A field that may be left out, and must not be of another type.
    fn read<'c, T>(
        &'c self,
        field: &str,
        read: impl FnOnce(&'c Value) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, String> {
        let value = self.0.get(field);
        value
            .map(|value| read(value).ok_or_else(|| format!("{field:?} is not a {what}")))
            .transpose()
    }
}

/// Where events are written.
pub struct Console {
    out: BufWriter<Stdout>,
}

impl Console {
    pub fn new() -> Self {
        let out = BufWriter::new(io::stdout());
        Self { out }
    }

    /// Writes an event. It is to be seen at the next [`flush`](Self::flush) at the latest.
    pub fn report(&mut self, event: &Value) {
        // Whoever read the events has gone: the element goes on without.
        let _ = writeln!(self.out, "{event}");
    }

    pub fn flush(&mut self) {
        let _ = self.out.flush();
    }
}

/// Bytes of a message as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A variant as a word: `NothingThere { status: 404 }` is `nothing_there:404`.
pub fn word(variant: &impl Debug) -> String {
    let debug = format!("{variant:?}");
    let parts = debug.split(|c: char| !c.is_alphanumeric());
    // Names of fields, which begin with a small letter, say nothing that the variant does not.
    let told = parts.filter(|part| part.starts_with(|c: char| !c.is_lowercase()));
    told.map(snake).collect::<Vec<_>>().join(":")
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Counters as an object. They are structs of numbers, which their `Debug` names.
pub fn counters(counters: &impl Debug) -> Value {
    let debug = format!("{counters:?}");
    let fields = debug.split(['{', '}', ',']).filter_map(|field| {
        let (name, value) = field.split_once(':')?;
        let value: u64 = value.trim().parse().ok()?;
        Some((name.trim().to_owned(), Value::from(value)))
    });
    Value::Object(fields.collect())
}
