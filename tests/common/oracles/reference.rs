//! The slow readings that the library is compared with: byte by byte, with a copy of everything, and no
//! thought for speed.

/// One header field of a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Where its line begins and ends, continuation lines and line ends included.
    pub start: usize,
    pub end: usize,
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

/// What stands before the body.
#[derive(Debug)]
pub struct Head {
    pub start_line: Vec<u8>,
    pub lines: Vec<Line>,
    /// Where the empty line begins.
    pub end: usize,
}

pub fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub fn trimmed(bytes: &[u8]) -> &[u8] {
    let Some(first) = bytes.iter().position(|byte| !is_lws(*byte)) else {
        return &[];
    };
    let last = bytes.iter().rposition(|byte| !is_lws(*byte)).unwrap_or(0);
    &bytes[first..=last]
}

/// [RFC 3261 7] The head of a message that is known to be well formed.
pub fn head(bytes: &[u8]) -> Head {
    let mut at = 0;
    while bytes[at..].starts_with(b"\r\n") {
        at += 2;
    }
    let start_end = line_end(bytes, at);
    let start_line = bytes[at..start_end].to_vec();
    let mut lines = Vec::new();
    let mut start = start_end + 2;
    while !bytes[start..].starts_with(b"\r\n") {
        let mut end = line_end(bytes, start);
        while matches!(bytes[end + 2], b' ' | b'\t') {
            end = line_end(bytes, end + 2);
        }
        let text = &bytes[start..end];
        let colon = text.iter().position(|byte| *byte == b':').expect("a colon");
        lines.push(Line {
            start,
            end: end + 2,
            name: trimmed(&text[..colon]).to_vec(),
            value: trimmed(&text[colon + 1..]).to_vec(),
        });
        start = end + 2;
    }
    Head {
        start_line,
        lines,
        end: start,
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let found = bytes[from..].windows(2).position(|two| two == b"\r\n");
    from + found.expect("a line end")
}

/// [RFC 3261 7.3.1] [RFC 3261 25.1] The elements of a list: cut at each `separator` outside quoted strings
/// and, with `angles`, outside `<` and `>`; without white space around them and without the empty ones. What
/// is not closed reaches to the end.
pub fn split(value: &[u8], separator: u8, angles: bool) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    let (mut quoted, mut escaped, mut angled) = (false, false, false);
    let mut from = 0;
    for (at, byte) in value.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            match byte {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if angled {
            angled = *byte != b'>';
        } else if *byte == b'"' {
            quoted = true;
        } else if *byte == b'<' && angles {
            angled = true;
        } else if *byte == separator {
            elements.push(&value[from..at]);
            from = at + 1;
        }
    }
    elements.push(&value[from..]);
    elements
        .into_iter()
        .map(trimmed)
        .filter(|element| !element.is_empty())
        .collect()
}

/// [RFC 3261 7.3.1] Parameters, and their values with their quotes. Only a value can be quoted.
pub fn params(raw: &[u8]) -> Vec<(&[u8], Option<&[u8]>)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut equals = None;
    let mut at = 0;
    while at < raw.len() {
        match (raw[at], equals) {
            (b';', _) => {
                pieces.push((from, equals, at));
                (from, equals) = (at + 1, None);
            }
            (b'=', None) => equals = Some(at),
            (b'"', Some(equals)) if trimmed(&raw[equals + 1..at]).is_empty() => {
                at += 1;
                while at < raw.len() && raw[at] != b'"' {
                    at += if raw[at] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    pieces.push((from, equals, raw.len()));
    let read = |(from, equals, to): (usize, Option<usize>, usize)| match equals {
        None => (trimmed(&raw[from..to]), None),
        Some(at) => (trimmed(&raw[from..at]), Some(trimmed(&raw[at + 1..to]))),
    };
    pieces
        .into_iter()
        .map(read)
        .filter(|(name, value)| !name.is_empty() || value.is_some())
        .collect()
}
