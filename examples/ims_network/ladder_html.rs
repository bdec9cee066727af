//! The ladder as a web page: one file, no scripts. An arrow opens to the message it stands for.

use std::fmt::{self, Write};

/// What stands above the ladder.
pub struct Heading<'a> {
    pub title: &'a str,
    /// Whose ladder it is.
    pub text: &'a str,
    /// What its colours and signs mean.
    pub legend: &'a str,
    /// The columns: names, and where the line of each stands, in per cent of the drawing.
    pub columns: &'a [(String, u32)],
}

/// One line of the ladder.
pub struct Row {
    /// When, as it is to be read.
    pub time: String,
    pub what: Shown,
}

/// What a line shows. Columns are numbers from 0.
pub enum Shown {
    /// A new part of the story begins.
    Part(String),
    Arrow {
        from: usize,
        to: usize,
        mark: Mark,
        label: String,
        /// The message, which the arrow opens to; `None` for what is no message.
        bytes: Option<Vec<u8>>,
    },
    /// Something that happens inside one element.
    Note { at: usize, label: String },
}

/// What kind of arrow it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // Not every network loses messages.
pub enum Mark {
    Plain,
    Lost,
    Copy,
    Late,
    Question,
}

impl Mark {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Lost => " lost",
            Self::Copy => " copy",
            Self::Late => " late",
            Self::Question => " ask",
        }
    }
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
pub fn page(heading: &Heading<'_>, rows: &[Row], outcome: &str) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, heading, rows, outcome);
    page
}

fn write_page(
    page: &mut String,
    heading: &Heading<'_>,
    rows: &[Row],
    outcome: &str,
) -> fmt::Result {
    let columns = heading.columns;
    let lines = vec!["linear-gradient(var(--line),var(--line))"; columns.len()].join(",");
    let places: Vec<String> = columns
        .iter()
        .map(|(_, place)| format!("{place}% 0"))
        .collect();
    let lifelines = format!(
        "background-image:{lines};background-position:{}",
        places.join(",")
    );
    let title = escaped(heading.title);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p>{}</p>\n<p>{}</p>\n",
        STYLE.replace("LIFELINES", &lifelines),
        escaped(heading.text),
        escaped(heading.legend),
    )?;
    page.push_str("<div class=\"names\"><span></span><div>");
    for (name, place) in columns {
        write!(page, "<b style=\"left:{place}%\">{}</b>", escaped(name))?;
    }
    page.push_str("</div></div>\n");
    for row in rows {
        write_row(page, columns, row)?;
    }
    write!(page, "<h2>Outcome</h2>\n{outcome}\n</body>\n</html>\n")
}

fn write_row(page: &mut String, columns: &[(String, u32)], row: &Row) -> fmt::Result {
    let time = &row.time;
    let place = |column: usize| columns.get(column).map_or(0, |(_, place)| *place);
    match &row.what {
        Shown::Part(title) => writeln!(page, "<h2>{}</h2>", escaped(title)),
        Shown::Arrow {
            from,
            to,
            mark,
            label,
            bytes,
        } => {
            let arrow = arrow(place(*from), place(*to), *mark, label);
            let Some(bytes) = bytes else {
                return write_line(page, time, &arrow);
            };
            let text = String::from_utf8_lossy(bytes);
            writeln!(
                page,
                "<details><summary><time>{time}</time><span class=\"lane\">{arrow}</span></summary>\
                 <pre>{}</pre></details>",
                escaped(&text),
            )
        }
        Shown::Note { at, label } => {
            let place = place(*at);
            let end = if place > 50 { " end" } else { "" };
            let label = escaped(label);
            let note = format!("<span class=\"note{end}\" style=\"left:{place}%\">{label}</span>");
            write_line(page, time, &note)
        }
    }
}

fn write_line(page: &mut String, time: &str, content: &str) -> fmt::Result {
    writeln!(
        page,
        "<div class=\"row\"><time>{time}</time><span class=\"lane\">{content}</span></div>"
    )
}

/// An arrow with its label; one of a lost datagram is cut short.
fn arrow(from: u32, to: u32, mark: Mark, label: &str) -> String {
    let direction = if from < to { "right" } else { "left" };
    let class = mark.class();
    let whole = from.abs_diff(to);
    let width = if mark == Mark::Lost {
        whole * 4 / 5
    } else {
        whole
    };
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
