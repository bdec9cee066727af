//! What must hold of the wire layer for any bytes whatever, said once: a fuzz target is one of these
//! functions, and `tests/replay.rs` runs them all over files and mutations of them. Each compares the library
//! with something slower and plainer, or with the truth from which the input was made, and panics where they
//! differ.

mod choices;
mod headers;
mod lists;
mod made;
mod owed;
mod reference;
mod round_trip;
mod sdp;
mod spelling;
mod streams;
mod uris;
mod wire;

/// Panics where something does not hold of the bytes.
pub type Oracle = fn(&[u8]);

/// Every oracle, by the name of its fuzz target.
pub const ALL: [(&str, Oracle); 7] = [
    ("wire", wire::wire),
    ("streams", streams::streams),
    ("uris", uris::uris),
    ("lists", lists::lists),
    ("headers", headers::headers),
    ("round_trip", round_trip::round_trip),
    ("sdp", sdp::sdp),
];

/// The oracle of that name.
pub fn check(name: &str, bytes: &[u8]) {
    let found = ALL.iter().find(|(own, _)| *own == name);
    let (_, oracle) = found.expect("an oracle of that name");
    oracle(bytes);
}

/// Bytes for a failed assertion: readable, and nothing lost.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
