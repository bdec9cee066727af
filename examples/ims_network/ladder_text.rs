//! The ladder as text, 120 columns wide.

use std::fmt::Write;

use ims_procedures::drive::Millis;

use crate::{
    columns::{NAMES, place},
    faults::Fate,
    provisioning::Actor,
    tape::{Entry, What},
};

const WIDTH: usize = 120;

/// Draws the ladder.
pub fn draw(entries: &[Entry]) -> String {
    let mut drawing = String::new();
    for (number, entry) in entries.iter().enumerate() {
        if let What::Part(title) = &entry.what {
            draw_part(&mut drawing, title);
            continue;
        }
        let before = number.checked_sub(1).and_then(|before| entries.get(before));
        let repeated = before
            .is_some_and(|before| before.at == entry.at && !matches!(before.what, What::Part(_)));
        let time = if repeated {
            String::new()
        } else {
            seconds(entry.at)
        };
        draw_entry(&mut drawing, &time, &entry.what);
    }
    drawing
}

/// Seconds with three decimals.
pub fn seconds(at: Millis) -> String {
    format!("{}.{:03}", at.0 / 1_000, at.0 % 1_000)
}

fn draw_part(drawing: &mut String, title: &str) {
    let _ = writeln!(drawing, "\n{title}");
    let mut line = Line::blank();
    line.put(1, "seconds");
    for (name, place) in NAMES {
        let start = place.saturating_sub(name.len() / 2).min(WIDTH - name.len());
        line.put(start, name);
    }
    line.write(drawing);
}

fn draw_entry(drawing: &mut String, time: &str, what: &What) {
    let mut line = Line::lifelines();
    line.put(10usize.saturating_sub(time.len()), time);
    match what {
        What::Message {
            from,
            to,
            label,
            fate,
            ..
        } => {
            let label = match fate {
                Fate::Arrives | Fate::Lost => label.clone(),
                Fate::Copy => format!("{label} (copy)"),
                Fate::Late(by) => format!("{label} (late by {by} ms)"),
            };
            let arrow = Arrow::new(*from, *to, '─', *fate == Fate::Lost);
            line = arrow.draw(line, &label, drawing);
        }
        What::Exchange { from, to, label } => {
            let arrow = Arrow::new(*from, *to, '┄', false);
            line = arrow.draw(line, label, drawing);
        }
        What::Note { by, label } => {
            let text = format!("● {label}");
            let start = place(*by).min(WIDTH.saturating_sub(text.chars().count()));
            line.put(start, &text);
        }
        What::Part(_) => {}
    }
    line.write(drawing);
}

struct Arrow {
    left: usize,
    right: usize,
    to_the_right: bool,
    dash: char,
    lost: bool,
}

impl Arrow {
    fn new(from: Actor, to: Actor, dash: char, lost: bool) -> Self {
        let (from, to) = (place(from), place(to));
        let (left, right) = (from.min(to), from.max(to));
        Self {
            left,
            right,
            to_the_right: from < to,
            dash,
            lost,
        }
    }

    /// Draws the arrow, with its label in the shaft, or on a line above where it is too long for that.
    fn draw(&self, mut line: Line, label: &str, above: &mut String) -> Line {
        let shaft = self.right - self.left - 1;
        let length = label.chars().count();
        // A dash and a space on either side, and the head or the cut.
        let fits = length + 6 <= shaft;
        if !fits {
            line.put((self.left + 2).min(WIDTH.saturating_sub(length)), label);
            line.write(above);
            line = Line::lifelines();
        }
        for at in self.left + 1..self.right {
            line.set(at, self.dash);
        }
        match self.to_the_right {
            true => line.set(self.right - 1, '▶'),
            false => line.set(self.left + 1, '◀'),
        }
        if self.lost {
            self.cut(&mut line);
        }
        if fits {
            line.put(self.left + 1 + (shaft - length) / 2, &format!(" {label} "));
        }
        line
    }

    /// The datagram gets no further than most of the way.
    fn cut(&self, line: &mut Line) {
        match self.to_the_right {
            true => {
                line.put(self.right - 3, "✗ ");
                line.set(self.right - 1, ' ');
            }
            false => {
                line.put(self.left + 1, "  ");
                line.set(self.left + 3, '✗');
            }
        }
    }
}

/// One line of the drawing, character by character.
struct Line(Vec<char>);

impl Line {
    fn blank() -> Self {
        Self(vec![' '; WIDTH])
    }

    fn lifelines() -> Self {
        let mut line = Self::blank();
        for (_, place) in NAMES {
            line.set(place, '│');
        }
        line
    }

    fn set(&mut self, at: usize, character: char) {
        if let Some(place) = self.0.get_mut(at) {
            *place = character;
        }
    }

    /// Puts a text, cut at the edge.
    fn put(&mut self, start: usize, text: &str) {
        for (offset, character) in text.chars().enumerate() {
            self.set(start + offset, character);
        }
    }

    fn write(&self, drawing: &mut String) {
        let text: String = self.0.iter().collect();
        drawing.push_str(text.trim_end());
        drawing.push('\n');
    }
}
