//! Valid messages, spelled in every way that RFC 3261 allows, with the truth about each kept beside it.

use ims_procedures::wire::HeaderName;
use std::ops::Range;

use super::choices::Choices;

/// Names with a compact form (RFC 3261 7.3.3 and the documents that added to it).
const COMPACT: [(HeaderName, u8); 19] = [
    (HeaderName::AcceptContact, b'a'),
    (HeaderName::ReferredBy, b'b'),
    (HeaderName::ContentType, b'c'),
    (HeaderName::RequestDisposition, b'd'),
    (HeaderName::ContentEncoding, b'e'),
    (HeaderName::From, b'f'),
    (HeaderName::CallId, b'i'),
    (HeaderName::RejectContact, b'j'),
    (HeaderName::Supported, b'k'),
    (HeaderName::ContentLength, b'l'),
    (HeaderName::Contact, b'm'),
    (HeaderName::Event, b'o'),
    (HeaderName::ReferTo, b'r'),
    (HeaderName::Subject, b's'),
    (HeaderName::To, b't'),
    (HeaderName::AllowEvents, b'u'),
    (HeaderName::Via, b'v'),
    (HeaderName::SessionExpires, b'x'),
    (HeaderName::Identity, b'y'),
];
const METHODS: [&str; 8] = [
    "REGISTER",
    "SUBSCRIBE",
    "NOTIFY",
    "BYE",
    "OPTIONS",
    "MESSAGE",
    "INVITE",
    "x-Any.1",
];
const TOKEN: &[u8] = b"abcXYZ019-.!%*_+`'~";
/// Any text that a header field without grammar of its own may hold.
const TEXT: &[u8] = b"abc XYZ09;,:=<>@\"\\()/?\xc3\xa9\xff\x01\x7f";

/// One header field as it was made.
#[derive(Clone, Debug)]
pub struct MadeField {
    pub name: HeaderName,
    pub raw_name: Vec<u8>,
    /// Without white space around it.
    pub value: Vec<u8>,
    /// Where its line stands.
    pub line: Range<usize>,
    /// How many bytes of the line the name with its colon takes.
    pub name_length: usize,
}

/// What the values of the message say.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub branches: Vec<Vec<u8>>,
    pub from_tag: Vec<u8>,
    pub from_user: Vec<u8>,
    pub to_tag: Option<Vec<u8>>,
    pub call_id: Vec<u8>,
    pub cseq: u32,
    pub contacts: usize,
    pub routes: Vec<Vec<u8>>,
    pub options: Vec<Vec<u8>>,
    pub expires: Option<u32>,
    pub realm: Option<Vec<u8>>,
}

/// A message, and what is true of it.
#[derive(Clone, Debug)]
pub struct Made {
    pub bytes: Vec<u8>,
    /// The method of a request; none in a response.
    pub method: Option<Vec<u8>>,
    pub uri: Vec<u8>,
    pub fields: Vec<MadeField>,
    pub body: Vec<u8>,
    /// Where the message ends; more may follow in the datagram.
    pub end: usize,
    pub truth: Truth,
}

/// [RFC 3261 7] A valid message: compact names, any case, white space before colons, folding by spaces and
/// tabs, empty values, unknown fields, repeated fields, any bytes as body, line ends before the start line.
pub fn made(choices: &mut Choices<'_>) -> Made {
    let is_request = !choices.once_in(4);
    let method = choices.pick(&METHODS);
    let mut truth = Truth::default();
    let mut values = mandatory(choices, method, &mut truth);
    optional(choices, &mut values, &mut truth);
    let body = body(choices);
    let left_over = choices.once_in(6);
    if left_over || !choices.once_in(3) {
        values.push((
            HeaderName::ContentLength,
            body.len().to_string().into_bytes(),
        ));
    }
    scatter(choices, &mut values);
    repeat_some(choices, &mut values);

    let mut bytes = b"\r\n".repeat(choices.below(3).saturating_sub(1));
    let uri = request_uri(choices);
    if is_request {
        let version = choices.any_case(b"SIP/2.0");
        bytes.extend([method.as_bytes(), b" ", &uri, b" ", &version].concat());
    } else {
        bytes.extend(choices.any_case(b"SIP/2.0"));
        bytes.extend_from_slice(choices.pick(&[
            &b" 200 OK"[..],
            b" 699 ",
            b" 100",
            b" 404 \xc3\xa9 <,\"",
        ]));
    }
    bytes.extend_from_slice(b"\r\n");
    let fields = values
        .into_iter()
        .map(|(name, value)| write_field(choices, name, value, &mut bytes))
        .collect();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    let end = bytes.len();
    if left_over {
        bytes.extend(choices.text(TEXT, 1, 9));
    }
    Made {
        bytes,
        method: is_request.then(|| method.as_bytes().to_vec()),
        uri,
        fields,
        body,
        end,
        truth,
    }
}

type Values = Vec<(HeaderName, Vec<u8>)>;

fn mandatory(choices: &mut Choices<'_>, method: &str, truth: &mut Truth) -> Values {
    let mut values = Vec::new();
    for _ in 0..=choices.below(2) {
        values.push((HeaderName::Via, vias(choices, truth)));
    }
    let (from, user, tag) = party(choices, true);
    (truth.from_user, truth.from_tag) = (user, tag.unwrap_or_default());
    values.push((HeaderName::From, from));
    let with_tag = choices.once_in(2);
    let (to, _, tag) = party(choices, with_tag);
    truth.to_tag = tag;
    values.push((HeaderName::To, to));
    truth.call_id = choices.text(b"abc019-.!%*_+`'~()<>:\\\"/[]?{}@", 1, 20);
    values.push((HeaderName::CallId, truth.call_id.clone()));
    truth.cseq = choices.number() >> 1;
    let cseq = [
        truth.cseq.to_string().into_bytes(),
        required_space(choices),
        method.as_bytes().to_vec(),
    ];
    values.push((HeaderName::CSeq, cseq.concat()));
    values
}

fn optional(choices: &mut Choices<'_>, values: &mut Values, truth: &mut Truth) {
    for _ in 0..choices.below(3) {
        let (list, count) = contacts(choices);
        truth.contacts += count;
        values.push((HeaderName::Contact, list));
    }
    for _ in 0..choices.below(3) {
        values.push((HeaderName::Route, routes(choices, truth)));
    }
    for _ in 0..choices.below(3) {
        values.push((HeaderName::Supported, options(choices, truth)));
    }
    if choices.once_in(2) {
        truth.expires = Some(choices.number());
        let digits = choices.pick(&[1, 12]);
        let text = format!("{:0digits$}", truth.expires.unwrap_or(0));
        values.push((HeaderName::Expires, text.into_bytes()));
    }
    if choices.once_in(3) {
        let (value, realm) = credentials(choices);
        truth.realm = Some(realm);
        values.push((HeaderName::Authorization, value));
    }
    if choices.once_in(3) {
        values.push((HeaderName::MaxForwards, b"70".to_vec()));
    }
    for _ in 0..choices.below(5) {
        let name = choices.pick(&[
            HeaderName::Other,
            HeaderName::Subject,
            HeaderName::UserAgent,
            HeaderName::Warning,
            HeaderName::PChargingVector,
        ]);
        values.push((name, free_text(choices)));
    }
}

fn request_uri(choices: &mut Choices<'_>) -> Vec<u8> {
    let uris: [&[u8]; 6] = [
        b"sip:home1.example.net",
        b"sips:a%20b@[2001:db8::1]:5061;lr?x=y",
        b"tel:+1-201-555-0123",
        b"urn:service:sos",
        b"sip:\xc3\xa9@a",
        b"x:,\\[]{}",
    ];
    choices.pick(&uris).to_vec()
}

/// White space that may stand between two parts of a value, or not.
fn space(choices: &mut Choices<'_>) -> Vec<u8> {
    let spaces: [&[u8]; 6] = [b"", b" ", b"\t", b"\r\n ", b"  \r\n\t ", b" \r\n \r\n\t"];
    choices.pick(&spaces).to_vec()
}

fn required_space(choices: &mut Choices<'_>) -> Vec<u8> {
    let spaces: [&[u8]; 4] = [b" ", b"\t ", b"\r\n ", b" \r\n\t\t"];
    choices.pick(&spaces).to_vec()
}

/// `before`, then `mark` with white space that may stand around it.
fn put_spaced(choices: &mut Choices<'_>, into: &mut Vec<u8>, mark: &[u8]) {
    into.extend(space(choices));
    into.extend_from_slice(mark);
    into.extend(space(choices));
}

fn put_param(choices: &mut Choices<'_>, into: &mut Vec<u8>, name: &[u8], value: Option<&[u8]>) {
    put_spaced(choices, into, b";");
    into.extend(choices.any_case(name));
    if let Some(value) = value {
        put_spaced(choices, into, b"=");
        into.extend_from_slice(value);
    }
}

fn quoted(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut text = b"\"".to_vec();
    for _ in 0..choices.below(6) {
        let pieces: [&[u8]; 9] = [
            b"a",
            b" ",
            b",",
            b";",
            b"<",
            b">",
            b"\\\"",
            b"\\\\",
            b"\xc3\xa9",
        ];
        text.extend_from_slice(choices.pick(&pieces));
    }
    text.push(b'"');
    text
}

fn vias(choices: &mut Choices<'_>, truth: &mut Truth) -> Vec<u8> {
    let mut value = Vec::new();
    for place in 0..=choices.below(3) {
        if place > 0 {
            put_spaced(choices, &mut value, b",");
        }
        value.extend(choices.any_case(b"SIP"));
        put_spaced(choices, &mut value, b"/");
        value.extend_from_slice(b"2.0");
        put_spaced(choices, &mut value, b"/");
        value.extend_from_slice(choices.pick(&[&b"UDP"[..], b"tls", b"TLS-SCTP", b"x"]));
        value.extend(required_space(choices));
        value.extend_from_slice(choices.pick(&[&b"192.0.2.1"[..], b"[2001:db8::1]", b"a.example"]));
        if choices.once_in(2) {
            put_spaced(choices, &mut value, b":");
            value.extend_from_slice(b"5060");
        }
        let branch = [b"z9hG4bK".to_vec(), choices.text(TOKEN, 1, 9)].concat();
        if choices.once_in(4) {
            put_param(choices, &mut value, b"rport", None);
        }
        if choices.once_in(4) {
            let text = quoted(choices);
            put_param(choices, &mut value, b"x-text", Some(&text));
        }
        put_param(choices, &mut value, b"branch", Some(&branch));
        truth.branches.push(branch);
    }
    value
}

/// Display name and URI in angle brackets.
fn named(choices: &mut Choices<'_>, uri: &[u8]) -> Vec<u8> {
    let mut value = match choices.below(4) {
        0 => Vec::new(),
        1 => {
            let mut words = choices.text(TOKEN, 1, 6);
            words.extend(required_space(choices));
            words
        }
        2 => [quoted(choices), space(choices)].concat(),
        _ => b"A\r\n\tB ".to_vec(),
    };
    value.extend([b"<", uri, b">"].concat());
    value
}

fn party(choices: &mut Choices<'_>, with_tag: bool) -> (Vec<u8>, Vec<u8>, Option<Vec<u8>>) {
    let user = choices.text(b"abc019-_.!~*'()&=+$,;?/", 1, 8);
    let uri = [b"sip:", user.as_slice(), b"@home1.example.net"].concat();
    let bare = choices.once_in(4) && !uri.iter().any(|b| matches!(b, b',' | b';' | b'?'));
    let mut value = if bare { uri } else { named(choices, &uri) };
    if choices.once_in(4) {
        let text = quoted(choices);
        put_param(choices, &mut value, b"x", Some(&text));
    }
    let tag = with_tag.then(|| choices.text(TOKEN, 1, 8));
    if let Some(tag) = &tag {
        put_param(choices, &mut value, b"tag", Some(tag));
    }
    (value, user, tag)
}

fn contacts(choices: &mut Choices<'_>) -> (Vec<u8>, usize) {
    let count = 1 + choices.below(3);
    let mut value = Vec::new();
    for place in 0..count {
        if place > 0 {
            put_spaced(choices, &mut value, b",");
        }
        value.extend(named(choices, b"sip:a,b;c@[2001:db8::1]:5060;x=y,z"));
        if choices.once_in(2) {
            let instance = b"\"<urn:gsma:imei:90420156-025763-0>\"";
            put_param(choices, &mut value, b"+sip.instance", Some(instance));
        }
        if choices.once_in(2) {
            put_param(choices, &mut value, b"expires", Some(b"600000"));
        }
    }
    (value, count)
}

fn routes(choices: &mut Choices<'_>, truth: &mut Truth) -> Vec<u8> {
    let mut value = Vec::new();
    for place in 0..=choices.below(2) {
        if place > 0 {
            put_spaced(choices, &mut value, b",");
        }
        let user = choices.text(b"abc019", 1, 4);
        let uri = [b"sip:", user.as_slice(), b"@pcscf1.visited1.net;lr"].concat();
        value.extend(named(choices, &uri));
        truth.routes.push(uri);
    }
    value
}

fn options(choices: &mut Choices<'_>, truth: &mut Truth) -> Vec<u8> {
    let mut value = Vec::new();
    for place in 0..choices.below(4) {
        if place > 0 {
            put_spaced(choices, &mut value, b",");
        }
        let option = choices.text(b"abcXYZ019-.", 1, 5);
        value.extend_from_slice(&option);
        truth.options.push(option);
    }
    value
}

fn credentials(choices: &mut Choices<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut value = choices.any_case(b"Digest");
    value.extend(required_space(choices));
    let realm = quoted(choices);
    let params: [(&[u8], &[u8]); 4] = [
        (b"realm", &realm),
        (b"username", b"\"a@home1.example.net\""),
        (b"algorithm", b"AKAv1-MD5"),
        (b"nonce", b"\"\""),
    ];
    for (place, (name, text)) in params.into_iter().enumerate() {
        if place > 0 {
            put_spaced(choices, &mut value, b",");
        }
        value.extend(choices.any_case(name));
        put_spaced(choices, &mut value, b"=");
        value.extend_from_slice(text);
    }
    (value, realm[1..realm.len() - 1].to_vec())
}

/// Any text, folded where it pleases; also none at all.
fn free_text(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut value = Vec::new();
    for place in 0..choices.below(4) {
        if place > 0 {
            value.extend(required_space(choices));
        }
        value.extend(choices.text(TEXT, 0, 6));
    }
    let first = value.iter().position(|b| !b.is_ascii_whitespace());
    let last = value.iter().rposition(|b| !b.is_ascii_whitespace());
    match (first, last) {
        (Some(first), Some(last)) => value[first..=last].to_vec(),
        _ => Vec::new(),
    }
}

/// Any bytes.
fn body(choices: &mut Choices<'_>) -> Vec<u8> {
    match choices.below(4) {
        0 => Vec::new(),
        1 => b"\r\n\r\nBYE sip:a SIP/2.0\r\n\r\n".to_vec(),
        2 => (0..choices.below(40)).map(|_| choices.byte()).collect(),
        _ => (0..=255).collect(),
    }
}

/// Fields of different names in any order; those of one name stay in theirs.
fn scatter(choices: &mut Choices<'_>, values: &mut Values) {
    if choices.once_in(2) {
        let mut names: Vec<HeaderName> = values.iter().map(|(name, _)| *name).collect();
        choices.shuffle(&mut names);
        let mut rest = std::mem::take(values);
        for name in names {
            let at = rest.iter().position(|(n, _)| *n == name);
            values.push(rest.remove(at.expect("it was counted")));
        }
    }
}

/// What must not differ may stand twice with one value.
fn repeat_some(choices: &mut Choices<'_>, values: &mut Values) {
    for name in [
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::ContentLength,
    ] {
        if choices.once_in(8) {
            let again = values.iter().find(|(other, _)| *other == name).cloned();
            let at = choices.below(values.len() + 1);
            if let Some(again) = again {
                values.insert(at, again);
            }
        }
    }
}

fn write_field(
    choices: &mut Choices<'_>,
    name: HeaderName,
    value: Vec<u8>,
    bytes: &mut Vec<u8>,
) -> MadeField {
    let start = bytes.len();
    let compact = COMPACT.iter().find(|(known, _)| *known == name);
    let raw_name = match (name, compact) {
        (HeaderName::Other, _) => [b"X-".to_vec(), choices.text(TOKEN, 0, 12)].concat(),
        (_, Some((_, letter))) if choices.once_in(3) => choices.any_case(&[*letter]),
        _ => choices.any_case(name.canonical_name()),
    };
    bytes.extend_from_slice(&raw_name);
    let gaps: [&[u8]; 4] = [b"", b" ", b"\t", b" \t "];
    bytes.extend_from_slice(choices.pick(&gaps));
    bytes.push(b':');
    let name_length = bytes.len() - start;
    bytes.extend(match choices.below(3) {
        0 => b" ".to_vec(),
        _ => space(choices),
    });
    bytes.extend_from_slice(&value);
    bytes.extend(match choices.below(4) {
        3 => space(choices),
        _ => Vec::new(),
    });
    bytes.extend_from_slice(b"\r\n");
    MadeField {
        name,
        raw_name,
        value,
        line: start..bytes.len(),
        name_length,
    }
}
