//! The lines of the tape as those of the web page.

use crate::{
    faults::Fate,
    ladder_html::{Heading, Mark, Row, Shown, page},
    ladder_text::seconds,
    provisioning::Actor,
    tape::{Entry, What},
};

/// Where the line of an element stands, in per cent of the drawing.
const COLUMNS: [(&str, u32); 5] = [
    ("UE", 6),
    ("P-CSCF", 32),
    ("S-CSCF", 64),
    ("AS", 81),
    ("HSS", 95),
];

const LEGEND: &str = "Time is virtual, in seconds. #1, #2… number the Call-IDs. Open an arrow to read its message. \
     Dashed red: lost on its way. Orange: held back and overtaken. Violet: a second copy. \
     Dotted green: a question to the HSS.";

/// The ladder as a web page. `outcome` is HTML already.
pub fn html(entries: &[Entry], parameters: &str, outcome: &str) -> String {
    let heading = Heading {
        title: "Deregistration started by the P-CSCF",
        text: parameters,
        legend: LEGEND,
        columns: &COLUMNS.map(|(name, place)| (name.to_owned(), place)),
    };
    let rows: Vec<Row> = entries.iter().map(row).collect();
    page(&heading, &rows, outcome)
}

const fn column(actor: Actor) -> usize {
    match actor {
        Actor::Ue(_) => 0,
        Actor::Pcscf | Actor::Msc => 1,
        Actor::Scscf => 2,
        Actor::As => 3,
        Actor::Hss => 4,
    }
}

fn row(entry: &Entry) -> Row {
    let what = match &entry.what {
        What::Part(title) => Shown::Part(title.clone()),
        What::Message {
            from,
            to,
            label,
            fate,
            bytes,
        } => {
            let (mark, remark) = match fate {
                Fate::Arrives => (Mark::Plain, String::new()),
                Fate::Lost => (Mark::Lost, " — lost".to_owned()),
                Fate::Copy => (Mark::Copy, " — a second copy".to_owned()),
                Fate::Late(by) => (Mark::Late, format!(" — late by {by} ms")),
            };
            Shown::Arrow {
                from: column(*from),
                to: column(*to),
                mark,
                label: format!("{label}{remark}"),
                bytes: Some(bytes.clone()),
            }
        }
        What::Exchange { from, to, label } => Shown::Arrow {
            from: column(*from),
            to: column(*to),
            mark: Mark::Question,
            label: label.clone(),
            bytes: None,
        },
        What::Note { by, label } => Shown::Note {
            at: column(*by),
            label: label.clone(),
        },
    };
    Row {
        time: seconds(entry.at),
        what,
    }
}
