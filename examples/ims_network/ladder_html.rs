//! The ladder as a web page: one file, no scripts. An arrow opens to the message it stands for.

use std::fmt::{self, Write};

use crate::{
    faults::Fate,
    ladder_text::seconds,
    provisioning::Actor,
    tape::{Entry, What},
};

/// Where the line of an element stands, in per cent of the drawing.
const NAMES: [(&str, u32); 5] = [
    ("UE", 6),
    ("P-CSCF", 32),
    ("S-CSCF", 64),
    ("AS", 81),
    ("HSS", 95),
];

const fn place(actor: Actor) -> u32 {
    let column = match actor {
        Actor::Ue(_) => 0,
        Actor::Pcscf | Actor::Msc => 1,
        Actor::Scscf => 2,
        Actor::As => 3,
        Actor::Hss => 4,
    };
    NAMES[column].1
}

const STYLE: &str = "
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2733;--faint:#8a96a3;--line:#c9d1d9;--sip:#0b63b5;
--lost:#c62828;--late:#b26a00;--copy:#7a6f9b;--ask:#2e7d32;--note:#eef3f8}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e3e8ee;--faint:#8592a0;--line:#39424c;
--sip:#6cb2f5;--lost:#ff7b72;--late:#f0b35b;--copy:#b3a7da;--ask:#7bd184;--note:#232b33}}
body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:14px/1.4 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.05rem;margin:1.6rem 0 .2rem}p{margin:.3rem 0;max-width:60rem}
table{border-collapse:collapse;margin:.6rem 0}th,td{text-align:left;padding:.25rem .9rem .25rem 0;
border-bottom:1px solid var(--line)}td.n,th.n{text-align:right}
.names,.row,summary{display:grid;grid-template-columns:5.5rem 1fr}
.names{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--line);
font-weight:600;padding:.4rem 0}
.names div{position:relative;height:1.4rem}.names b{position:absolute;transform:translateX(-50%)}
summary{cursor:pointer;list-style:none}summary::-webkit-details-marker{display:none}
summary:hover{background:var(--note)}
time{color:var(--faint);text-align:right;padding:.75rem .8rem 0 0;font-variant-numeric:tabular-nums;
font-size:.85em}
.lane{position:relative;height:2.5rem;background-repeat:no-repeat;background-size:1px 100%;LIFELINES}
.arrow{position:absolute;bottom:.45rem;height:0;border-bottom:2px solid var(--c);--c:var(--sip)}
.arrow b{position:absolute;bottom:.2rem;left:50%;transform:translateX(-50%);white-space:nowrap;font-weight:500;
color:var(--c);background:var(--paper);padding:0 .3rem;line-height:1.3}
.arrow::after{content:'';position:absolute;top:-4px;border:5px solid transparent}
.right::after{right:-1px;border-left:9px solid var(--c);border-right:0}
.left::after{left:-1px;border-right:9px solid var(--c);border-left:0}
.lost{--c:var(--lost);border-bottom-style:dashed}.late{--c:var(--late)}.copy{--c:var(--copy)}
.lost::after{content:'\\2717';border:0;top:-.62em;font-weight:700;color:var(--c)}
.lost.right::after{right:-.75em}.lost.left::after{left:-.75em}
.ask{--c:var(--ask);border-bottom-style:dotted}
.note{position:absolute;bottom:.35rem;transform:translateX(-.9rem);white-space:nowrap;background:var(--note);
border:1px solid var(--line);border-radius:1rem;padding:.05rem .7rem;font-size:.92em}
.note.end{transform:translateX(calc(-100% + .9rem))}
pre{margin:.2rem 0 .8rem 5.5rem;padding:.7rem 1rem;background:var(--note);border-left:3px solid var(--sip);
overflow-x:auto;font-size:12.5px;line-height:1.45}
";

/// Writes the page: a heading, the ladder, and what `outcome` says (already HTML).
pub fn page(entries: &[Entry], parameters: &str, outcome: &str) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, entries, parameters, outcome);
    page
}

fn write_page(
    page: &mut String,
    entries: &[Entry],
    parameters: &str,
    outcome: &str,
) -> fmt::Result {
    let lines = vec!["linear-gradient(var(--line),var(--line))"; NAMES.len()].join(",");
    let places: Vec<String> = NAMES
        .iter()
        .map(|(_, place)| format!("{place}% 0"))
        .collect();
    let lifelines = format!(
        "background-image:{lines};background-position:{}",
        places.join(",")
    );
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>Deregistration started by the P-CSCF</title>\n<style>{}</style>\n</head>\n<body>\n\
         <h1>Deregistration started by the P-CSCF</h1>\n<p>{}</p>\n\
         <p>Time is virtual, in seconds. #1, #2… number the Call-IDs. Open an arrow to read its message. \
         Dashed red: lost on its way. Orange: held back and overtaken. Violet: a second copy. \
         Dotted green: a question to the HSS.</p>\n",
        STYLE.replace("LIFELINES", &lifelines),
        escaped(parameters),
    )?;
    page.push_str("<div class=\"names\"><span></span><div>");
    for (name, place) in NAMES {
        write!(page, "<b style=\"left:{place}%\">{name}</b>")?;
    }
    page.push_str("</div></div>\n");
    for entry in entries {
        write_entry(page, entry)?;
    }
    write!(page, "<h2>Outcome</h2>\n{outcome}\n</body>\n</html>\n")
}

fn write_entry(page: &mut String, entry: &Entry) -> fmt::Result {
    let time = seconds(entry.at);
    match &entry.what {
        What::Part(title) => writeln!(page, "<h2>{}</h2>", escaped(title)),
        What::Message {
            from,
            to,
            label,
            fate,
            bytes,
        } => {
            let (class, remark) = match fate {
                Fate::Arrives => ("", String::new()),
                Fate::Lost => (" lost", " — lost".to_owned()),
                Fate::Copy => (" copy", " — a second copy".to_owned()),
                Fate::Late(by) => (" late", format!(" — late by {by} ms")),
            };
            let arrow = arrow(
                *from,
                *to,
                class,
                &format!("{label}{remark}"),
                *fate == Fate::Lost,
            );
            let text = String::from_utf8_lossy(bytes);
            writeln!(
                page,
                "<details><summary><time>{time}</time><span class=\"lane\">{arrow}</span></summary>\
                 <pre>{}</pre></details>",
                escaped(&text),
            )
        }
        What::Exchange { from, to, label } => {
            row(page, &time, &arrow(*from, *to, " ask", label, false))
        }
        What::Note { by, label } => {
            let place = place(*by);
            let end = if place > 50 { " end" } else { "" };
            let label = escaped(label);
            let note = format!("<span class=\"note{end}\" style=\"left:{place}%\">{label}</span>");
            row(page, &time, &note)
        }
    }
}

fn row(page: &mut String, time: &str, content: &str) -> fmt::Result {
    writeln!(
        page,
        "<div class=\"row\"><time>{time}</time><span class=\"lane\">{content}</span></div>"
    )
}

/// An arrow with its label; one of a lost datagram is cut short.
fn arrow(from: Actor, to: Actor, class: &str, label: &str, lost: bool) -> String {
    let (from, to) = (place(from), place(to));
    let direction = if from < to { "right" } else { "left" };
    let whole = from.abs_diff(to);
    let width = if lost { whole * 4 / 5 } else { whole };
    let left = if from < to { from } else { from - width };
    format!(
        "<span class=\"arrow {direction}{class}\" style=\"left:{left}%;width:{width}%\"><b>{}</b></span>",
        escaped(label),
    )
}

/// Text as it may stand in HTML. Control characters other than line ends and tabs become visible.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\r' => {}
            '\n' | '\t' => safe.push(character),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
