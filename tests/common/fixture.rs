//! Byte fixtures with placeholders: `{name}` stands for a value the sender draws, and the same name is the
//! same value wherever it stands.

use std::{collections::HashMap, fs, path::Path};

/// The values that placeholders have taken.
pub type Values = HashMap<String, String>;

/// The message of a fixture, placeholders and all. A name without a folder is one of `first_light`.
pub fn template(name: &str) -> String {
    let folder = if name.contains('/') {
        ""
    } else {
        "first_light"
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder)
        .join(format!("{name}.fixture"));
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut message = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((_, text)) = line.split_once(" | ") {
            message.push_str(text);
            message.push_str("\r\n");
        } else if let Some((_, piece)) = line.split_once(" + ") {
            message.push_str(piece);
        } else {
            panic!("{name}: no clause in {line:?}");
        }
    }
    message
}

/// Checks that `bytes` are the message of the fixture, and takes over the values that stand for its
/// placeholders. `{body-length}` must be the true length of the body.
pub fn matches(name: &str, bytes: &[u8], values: &mut Values) {
    let template = template(name);
    let actual = String::from_utf8(bytes.to_vec()).expect("a message in UTF-8");
    let body = actual.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    values.insert("body-length".to_owned(), body.len().to_string());
    let mut rest = actual.as_str();
    let mut pieces = template.split('{');
    let fail = |expected: &str, rest: &str| -> ! {
        panic!(
            "{name}: expected\n  {expected:?}\nfound\n  {:?}\nin\n{actual}",
            &rest[..rest.len().min(expected.len() + 60)]
        )
    };
    let first = pieces.next().unwrap();
    rest = rest
        .strip_prefix(first)
        .unwrap_or_else(|| fail(first, rest));
    for piece in pieces {
        let (placeholder, literal) = piece.split_once('}').expect("a closed placeholder");
        let is_value = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let end = rest.find(|c| !is_value(c)).unwrap_or(rest.len());
        // A literal that itself begins like a value ends the value where it begins.
        let end = (1..=end)
            .rev()
            .find(|&end| rest[end..].starts_with(literal))
            .unwrap_or(end);
        let (value, after) = rest.split_at(end);
        let known = values
            .entry(placeholder.to_owned())
            .or_insert_with(|| value.to_owned());
        assert_eq!(known, value, "{name}: {{{placeholder}}}");
        rest = after
            .strip_prefix(literal)
            .unwrap_or_else(|| fail(literal, after));
    }
    assert_eq!(rest, "", "{name}: more than expected");
}

/// The message of a fixture with its placeholders replaced by the values known.
pub fn fill(name: &str, values: &Values) -> Vec<u8> {
    let mut filled = template(name);
    for (placeholder, value) in values {
        if placeholder != "body-length" {
            filled = filled.replace(&format!("{{{placeholder}}}"), value);
        }
    }
    let body = filled.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let length = body.len().to_string();
    filled.replace("{body-length}", &length).into_bytes()
}
