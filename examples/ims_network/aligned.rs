//! Rows of text in columns.

use std::fmt::Write;

/// The rows below each other, three spaces between the columns. Those of which `is_number` are set to the right.
pub fn aligned<const N: usize>(rows: &[[String; N]], is_number: impl Fn(usize) -> bool) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ = if is_number(column) {
                write!(text, "{cell:>width$}   ")
            } else {
                write!(text, "{cell:<width$}   ")
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}
