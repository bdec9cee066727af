//! A message or document as a tree for a person.

use std::io::{self, Write};

use super::{
    item::{Fault, Item},
    node::{Node, Object, escaped},
};

const STEP: usize = 2;
/// Bytes of a body that is no text which are shown.
const BINARY_BYTES: usize = 256;

pub fn write(item: &Item, file: &str, offsets: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut head = format!("{file}: {}", item.kind.name());
    if item.at > 0 {
        head.push_str(&format!(" at byte {}", item.at));
    }
    match item.error {
        None => head.push_str(", ok"),
        Some(fault) => head.push_str(&format!(", {}", sentence(&fault))),
    }
    if let Some(status) = item.status_owed {
        head.push_str(&format!("; owes {status}"));
    }
    if item.left_over > 0 {
        head.push_str(&format!("; {} bytes left over", item.left_over));
    }
    writeln!(out, "{head}")?;
    let shown = Printer { offsets };
    for (key, value) in &item.fields.entries {
        match (key.as_str(), value) {
            ("headers", Node::Object(headers)) => {
                writeln!(out, "{:STEP$}headers", "")?;
                shown.object(&shown.flattened(headers), 2 * STEP, out)?;
            }
            _ => shown.object(&Object::new().with(key, value.clone()), STEP, out)?,
        }
    }
    writeln!(out)
}

fn sentence(fault: &Fault) -> String {
    let Fault { at, what, clause } = fault;
    format!("not ok: {what} at byte {at} ({clause})")
}

struct Printer {
    offsets: bool,
}

impl Printer {
    /// The header fields in lines of their own: name, place if asked for, value.
    fn flattened(&self, headers: &Object) -> Object {
        let mut lines = Object::new();
        for (name, fields) in &headers.entries {
            let Node::List(fields) = fields else {
                continue;
            };
            for field in fields {
                if let Node::Object(field) = field {
                    let (key, value) = self.line(name, field);
                    lines.entries.push((key, value));
                }
            }
        }
        lines
    }

    fn line(&self, name: &str, field: &Object) -> (String, Node) {
        let find = |key: &str| {
            let entry = field.entries.iter().find(|(own, _)| own == key);
            entry.map(|(_, value)| value)
        };
        let key = match (self.offsets, find("at")) {
            (true, Some(Node::Number(at))) => format!("{name} @{at}"),
            _ => name.to_owned(),
        };
        let value = match (find("error"), find("value")) {
            (None, Some(value)) => value.clone(),
            (None, None) => Node::Null,
            (Some(_), _) => {
                let rest = field
                    .entries
                    .iter()
                    .filter(|(own, _)| own != "name" && own != "at");
                Node::Object(Object {
                    entries: rest.cloned().collect(),
                })
            }
        };
        (key, value)
    }

    /// Each key with its value; values of one line stand under each other.
    fn object(&self, object: &Object, indent: usize, out: &mut dyn Write) -> io::Result<()> {
        let shown: Vec<(&str, &Node, Option<String>)> = object
            .entries
            .iter()
            .filter(|(key, value)| (self.offsets || key != "at") && !is_empty(value))
            .map(|(key, value)| (key.as_str(), value, in_one_line(value)))
            .collect();
        let widths = shown
            .iter()
            .filter(|(_, _, line)| line.is_some())
            .map(|(key, _, _)| key.chars().count());
        let width = widths.max().unwrap_or(0);
        for (key, value, line) in shown {
            match line {
                Some(line) => {
                    let text = format!("{:indent$}{key:width$}  {line}", "");
                    writeln!(out, "{}", text.trim_end())?;
                }
                None => {
                    writeln!(out, "{:indent$}{key}", "")?;
                    self.below(value, indent + STEP, out)?;
                }
            }
        }
        Ok(())
    }

    fn below(&self, value: &Node, indent: usize, out: &mut dyn Write) -> io::Result<()> {
        if let Some(line) = in_one_line(value) {
            return writeln!(out, "{:indent$}{line}", "");
        }
        match value {
            Node::Object(object) => self.object(object, indent, out),
            Node::List(list) if list.len() == 1 => self.below(&list[0], indent, out),
            Node::List(list) => {
                let mut numbered = Object::new();
                for (place, value) in list.iter().enumerate() {
                    numbered = numbered.with(&format!("{}", place + 1), value.clone());
                }
                self.object(&numbered, indent, out)
            }
            Node::Body(bytes) => {
                for line in text(bytes).unwrap_or_default().lines() {
                    let indent = if line.is_empty() { 0 } else { indent };
                    writeln!(out, "{:indent$}{}", "", escaped(line.as_bytes()))?;
                }
                Ok(())
            }
            // The others take one line.
            _ => Ok(()),
        }
    }
}

fn is_empty(value: &Node) -> bool {
    matches!(value, Node::Object(object) if object.entries.is_empty())
}

/// A body that a person can read: characters, tabs and line ends.
fn text(body: &[u8]) -> Option<&str> {
    let is_text = |character: char| !character.is_control() || "\r\n\t".contains(character);
    let text = std::str::from_utf8(body).ok()?;
    text.chars().all(is_text).then_some(text)
}

/// What a body that is no text begins with.
fn beginning(body: &[u8]) -> String {
    match body.split_at_checked(BINARY_BYTES) {
        Some((shown, rest)) if !rest.is_empty() => {
            format!("{} ... and {} bytes more", escaped(shown), rest.len())
        }
        _ => escaped(body),
    }
}

/// What fits into the line of its key: single values, lists of them, faults, URIs (as they stood).
fn in_one_line(value: &Node) -> Option<String> {
    match value {
        Node::Null => Some("-".to_owned()),
        Node::Bool(true) => Some("yes".to_owned()),
        Node::Bool(false) => Some("no".to_owned()),
        Node::Number(number) => Some(number.to_string()),
        Node::Thousandths(number) => Some((f64::from(*number) / 1_000.0).to_string()),
        Node::Text(text) => Some(text.clone()),
        Node::Body(bytes) => match text(bytes) {
            Some(text) if text.contains('\n') => None,
            Some(_) => Some(escaped(bytes)),
            None => Some(beginning(bytes)),
        },
        Node::List(list) => {
            let is_scalar = |node: &Node| !matches!(node, Node::List(_) | Node::Object(_));
            if !list.iter().all(is_scalar) {
                return None;
            }
            let texts: Vec<String> = list.iter().filter_map(in_one_line).collect();
            Some(texts.join(", "))
        }
        Node::Object(object) => match object.entries.as_slice() {
            [
                (at, Node::Number(place)),
                (what, Node::Text(fault)),
                (clause, Node::Text(says)),
            ] if at == "at" && what == "what" && clause == "clause" => {
                Some(format!("{fault} at byte {place} ({says})"))
            }
            [(name, Node::Text(only))] if name == "raw" => Some(only.clone()),
            _ => None,
        },
    }
}
