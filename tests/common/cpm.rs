//! The messages of CPM sessions, from `tests/fixtures/cpm`, and sessions that are ready to be closed.
//!
//! A fixture has a line of clauses for each line of the message: `clause | line`; `clause ? line` may be there or not.
//! `{name}` stands for a value: one that is given (a Reason, a UID, a status) or one that the sender draws (a branch, an
//! ICID). A header field that would consist of a value alone is left out where that value is empty: `Reason: {reason}`,
//! `Message-UID: {uid}`.

use std::{collections::BTreeMap, fs, path::Path};

/// What placeholders stand for.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// What is the same in every scenario of a session with so many IWFs: the ports that its streams have in the
    /// description; what is no stream of it is at port 0. No Reason, no UID.
    pub fn of_session(iwfs: usize) -> Self {
        let mut values = Self::default();
        values.set("reason", "").set("uid", "");
        for (name, iwf, port) in [
            ("iwf1-port", 1, "20400"),
            ("iwf2-port", 2, "20402"),
            ("iwf2-port-too", 2, "20404"),
            ("iwf3-port", 3, "20406"),
            ("iwf3-far-port", 3, "9"),
        ] {
            values.set(name, if iwf <= iwfs { port } else { "0" });
        }
        values
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        let value = self.0.get(name);
        value.unwrap_or_else(|| panic!("{{{name}}} has no value"))
    }

    /// Gives what has no value yet in that fixture one that is as good as another.
    pub fn draw(&mut self, name: &str) -> &mut Self {
        for line in lines(name) {
            for piece in line.text.split('{').skip(1) {
                let (placeholder, _) = piece.split_once('}').expect("a closed placeholder");
                if placeholder != "body-length" && !self.0.contains_key(placeholder) {
                    self.set(placeholder, "1");
                }
            }
        }
        self
    }
}

/// One line of a fixture.
#[derive(Clone, Debug)]
pub struct Line {
    pub clause: String,
    /// Whether a message without it is as good.
    pub is_optional: bool,
    pub text: String,
}

/// The lines of a fixture: `originating/bye_to_client`.
pub fn lines(name: &str) -> Vec<Line> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/cpm")
        .join(format!("{name}.fixture"));
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let must = line.find(" | ").unwrap_or(line.len());
            let may = line.find(" ? ").unwrap_or(line.len());
            let at = must.min(may);
            assert!(at < line.len(), "{name}: no clause in {line:?}");
            Line {
                clause: line[..at].trim().to_owned(),
                is_optional: may < must,
                text: line[at + 3..].to_owned(),
            }
        })
        .collect()
}

/// The message of a fixture, without what is optional.
///
/// # Panics
/// Where a placeholder has no value.
#[track_caller]
pub fn message(name: &str, values: &Values) -> Vec<u8> {
    let (head, body) = filled(name, values);
    let head = head.iter().filter(|line| !line.is_optional);
    let head: String = head.map(|line| format!("{}\r\n", line.text)).collect();
    let whole = format!("{head}\r\n{body}").replace("{body-length}", &body.len().to_string());
    assert!(
        !whole.contains('{'),
        "{name}: a value is missing in\n{whole}"
    );
    whole.into_bytes()
}

/// Checks that `bytes` are the message of the fixture, its header fields of different names in any order
/// (RFC 3261 7.3.1), and takes over what stands for placeholders that had no value.
#[track_caller]
pub fn matches(name: &str, bytes: &[u8], values: &mut Values) {
    let (head, body) = filled(name, values);
    let actual = std::str::from_utf8(bytes).expect("a message in UTF-8");
    let (actual_head, actual_body) = actual.split_once("\r\n\r\n").expect("an empty line");
    let mut left: Vec<&str> = actual_head.split("\r\n").collect();
    let length = actual_body.len().to_string();
    for (number, line) in head.iter().enumerate() {
        let text = line.text.replace("{body-length}", &length);
        let same_name = |other: &&str| number == 0 || field_name(other) == field_name(&text);
        match left.iter().position(same_name) {
            Some(place) => {
                assert!(
                    take(&text, left.remove(place), values),
                    "{name}: {}: expected\n  {text}\nin\n{actual}",
                    line.clause
                );
            }
            _ => assert!(
                line.is_optional,
                "{name}: {}: nothing is\n  {text}\nin\n{actual}",
                line.clause
            ),
        }
    }
    assert!(
        left.is_empty(),
        "{name}: {left:?} has no clause in\n{actual}"
    );
    assert!(
        take(&body, actual_body, values),
        "{name}: expected the body\n{body}\nin\n{actual}"
    );
}

/// As [`matches`], every byte in its place.
#[track_caller]
pub fn matches_exactly(name: &str, bytes: &[u8], values: &mut Values) {
    let mut template = String::new();
    for line in lines(name) {
        template += &line.text;
        template += "\r\n";
    }
    let actual = std::str::from_utf8(bytes).expect("a message in UTF-8");
    for (line, expected) in actual.split("\r\n").zip(template.split("\r\n")) {
        take(&fill(expected, values), line, values);
    }
    assert_eq!(actual, fill(&template, values), "{name}");
}

/// Header fields and body with the values that are known; what is thereby without a value is left out.
fn filled(name: &str, values: &Values) -> (Vec<Line>, String) {
    let mut head = lines(name);
    let end = head.iter().position(|line| line.text.is_empty());
    let body = head.split_off(end.unwrap_or_else(|| panic!("{name}: no empty line")));
    let is_left_out = |line: &Line| {
        let value = line.text.split_once(": ").map_or("", |(_, value)| value);
        value.starts_with('{') && fill(value, values).is_empty()
    };
    head.retain(|line| !is_left_out(line));
    for line in &mut head {
        line.text = fill(&line.text, values);
    }
    let body = body.into_iter().skip(1);
    let body = body.map(|line| fill(&line.text, values) + "\r\n").collect();
    (head, body)
}

fn fill(text: &str, values: &Values) -> String {
    let mut text = text.to_owned();
    for (name, value) in &values.0 {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// Whether `actual` is `template`, whose placeholders stand for anything that is not empty; what they stand for is
/// taken over.
fn take(template: &str, actual: &str, values: &mut Values) -> bool {
    let mut pieces = template.split('{');
    let Some(mut rest) = actual.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    for piece in pieces {
        let (name, literal) = piece.split_once('}').expect("a closed placeholder");
        let end = if literal.is_empty() {
            Some(rest.len())
        } else {
            rest.find(literal)
        };
        let Some(end) = end.filter(|end| *end != 0) else {
            return false;
        };
        values.set(name, &rest[..end]);
        rest = &rest[end + literal.len()..];
    }
    rest.is_empty()
}

fn field_name(line: &str) -> String {
    let name = line.split_once(':').map_or(line, |(name, _)| name);
    name.trim().to_ascii_lowercase()
}

/// The messages that made the dialog of a leg.
#[derive(Clone, Debug)]
pub struct Leg {
    pub invite: Vec<u8>,
    pub response: Vec<u8>,
    /// Whether the INVITE was sent from here.
    pub is_uac: bool,
}

/// A session of a B2BUA.
#[derive(Clone, Debug)]
pub struct Session {
    /// `originating` or `terminating`: where its messages are.
    pub function: &'static str,
    pub client: Option<Leg>,
    pub other: Option<Leg>,
    pub iwfs: Vec<Leg>,
    /// The m-lines of each IWF in the description.
    pub streams: Vec<Vec<usize>>,
    /// What was sent last to the leg that hears of deleted streams.
    pub description: Vec<u8>,
    pub values: Values,
}

impl Session {
    /// One of the originating function, interworked to so many IWFs (none, to three) in the place of the other entity.
    pub fn originating(iwfs: usize) -> Self {
        Self::new("originating", ["client", "other"], iwfs)
    }

    /// One of the terminating function, interworked to so many IWFs (none, to three) in the place of the CPM client.
    pub fn terminating(iwfs: usize) -> Self {
        Self::new("terminating", ["other", "client"], iwfs)
    }

    /// `near` is the leg whose INVITE came, `far` the one that can be interworked.
    fn new(function: &'static str, [near, far]: [&str; 2], iwfs: usize) -> Self {
        let values = Values::of_session(iwfs);
        let leg = |name: &str, is_uac| Leg {
            invite: message(&format!("{function}/{name}"), &values),
            response: message(&format!("{function}/{name}_200"), &values),
            is_uac,
        };
        let suffix = if iwfs == 0 { "" } else { "_iwfs" };
        let near = leg(&format!("{near}_invite{suffix}"), false);
        let far = (iwfs == 0).then(|| leg(&format!("{far}_invite"), true));
        let iwf = |number| leg(&format!("iwf{number}_invite"), true);
        let description = body(&near.response).to_vec();
        let [client, other] = match function {
            "originating" => [Some(near), far],
            _ => [far, Some(near)],
        };
        Self {
            function,
            client,
            other,
            iwfs: (1..=iwfs).map(iwf).collect(),
            streams: [vec![0], vec![1, 2], vec![3]]
                .into_iter()
                .take(iwfs)
                .collect(),
            description,
            values,
        }
    }

    /// Sets the Reason that BYEs have and carry across, and the UID that the message store gives; both may be empty.
    #[must_use]
    pub fn with(mut self, reason: &str, uid: &str) -> Self {
        self.values.set("reason", reason).set("uid", uid);
        self
    }

    /// A message of the session: `bye_from_client`.
    #[track_caller]
    pub fn message(&self, name: &str) -> Vec<u8> {
        message(&format!("{}/{name}", self.function), &self.values)
    }

    /// The final answer of that status, with its phrase, to a request of ours: `bye_to_client_answer`,
    /// `reinvite_1_refused`.
    #[track_caller]
    pub fn answer(&self, name: &str, status: &str) -> Vec<u8> {
        let mut values = self.values.clone();
        values.set("status", status);
        message(&format!("{}/{name}", self.function), &values)
    }

    /// Checks that bytes are a message of the session, and takes over what was drawn for it.
    #[track_caller]
    pub fn expect(&mut self, name: &str, bytes: &[u8]) {
        matches(
            &format!("{}/{name}", self.function),
            bytes,
            &mut self.values,
        );
    }
}

/// The body of a message.
pub fn body(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    &message[end.expect("an empty line") + 4..]
}

/// UIDs that cannot stand in Message-UID (T69, CP-4): line ends, controls, nothing, too long.
pub fn bad_uids() -> Vec<Vec<u8>> {
    let mut uids: Vec<Vec<u8>> = [
        "",
        " 4711",
        "4711\r\nReason: x",
        "47\n11",
        "47\r11",
        "47\t11",
        "47\u{7f}11",
        "\0",
    ]
    .map(|uid| uid.as_bytes().to_vec())
    .into();
    uids.push(vec![b'7'; 256]);
    uids.push(vec![0xff, b'7']);
    uids
}
