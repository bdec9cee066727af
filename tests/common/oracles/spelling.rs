//! URIs by what they name, and the many ways to spell each.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::choices::Choices;

const UNRESERVED: &[u8] = b"abcdefgABCXYZ019-_.!~*'()";
/// What may stand in a user part as it is, and means something else when it is escaped.
const RESERVED_IN_USER: &[u8] = b"&=+$,;?/";
const LABEL: &[u8] = b"abcxyz019";
const HEX: &[u8] = b"0123456789abcdef";
/// Parameters that count even where only one of the two URIs has them (RFC 3261 19.1.4).
const DECISIVE: [&str; 5] = ["transport", "user", "method", "ttl", "maddr"];
/// Parameters that count only where both have them.
const PASSING: [&str; 4] = ["lr", "newparam", "comp", "x-1"];

/// What was changed between two models that are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Scheme,
    Host,
    Port,
    Rest,
}

/// A byte of the user part: which one, and whether it must be escaped, being a reserved one.
type Unit = (u8, bool);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Name(Vec<u8>),
    V4([u8; 4]),
    V6([u16; 8]),
}

/// A URI by what it names.
#[derive(Clone, Debug)]
pub struct Model {
    secure: bool,
    /// The host of a SIP URI; without one it is a telephone number.
    pub host: Option<Named>,
    user: Option<Vec<Unit>>,
    password: Option<Vec<Unit>>,
    port: Option<u16>,
    params: Vec<(String, Option<Vec<u8>>)>,
    headers: Vec<(String, Vec<Unit>)>,
}

/// A model that names something else.
pub struct Changed {
    pub model: Model,
    pub place: Place,
}

impl Model {
    pub fn any(choices: &mut Choices<'_>) -> Self {
        if choices.once_in(6) {
            return Self::number(choices);
        }
        let mut model = Self {
            secure: choices.once_in(4),
            host: Some(host(choices)),
            user: None,
            password: None,
            port: None,
            params: Vec::new(),
            headers: Vec::new(),
        };
        if choices.once_in(2) {
            model.user = Some(units(choices, 1, 8));
            if choices.once_in(4) {
                model.password = Some(units(choices, 0, 4));
            }
        }
        if choices.once_in(3) {
            model.port = Some(choices.pick(&[5060, 5061, 0, 80, 65_535]));
        }
        for name in DECISIVE.into_iter().chain(PASSING) {
            if choices.once_in(5) {
                let value = choices.once_in(2).then(|| choices.text(UNRESERVED, 1, 5));
                model.params.push((name.to_owned(), value));
            }
        }
        for name in ["subject", "to", "x"] {
            if choices.once_in(6) {
                model.headers.push((name.to_owned(), units(choices, 0, 5)));
            }
        }
        model
    }

    fn number(choices: &mut Choices<'_>) -> Self {
        let mut number = vec![(b'+', false)];
        for digit in choices.text(b"0123456789", 1, 12) {
            number.push((digit, false));
        }
        let mut params = Vec::new();
        for name in ["ext", "isub", "phone-context", "x"] {
            if choices.once_in(4) {
                params.push((name.to_owned(), Some(choices.text(b"0123456789", 1, 5))));
            }
        }
        Self {
            secure: false,
            host: None,
            user: Some(number),
            password: None,
            port: None,
            params,
            headers: Vec::new(),
        }
    }

    /// The same with exactly one thing changed that counts.
    pub fn changed(&self, choices: &mut Choices<'_>) -> Changed {
        let mut model = self.clone();
        let place = match choices.below(9) {
            0 if self.host.is_some() => {
                model.secure = !self.secure;
                Place::Scheme
            }
            1 | 2 if self.host.is_some() => {
                model.host = self.host.as_ref().map(|host| another_host(host, choices));
                Place::Host
            }
            3 if self.host.is_some() => {
                model.port = match self.port {
                    None => Some(choices.pick(&[5060, 5061, 7])),
                    Some(_) if choices.once_in(2) => None,
                    Some(port) => Some(port ^ 1),
                };
                Place::Port
            }
            4 if !self.params.is_empty() => {
                let one = choices.below(model.params.len());
                let (_, value) = &mut model.params[one];
                *value = match value.take() {
                    Some(mut value) => {
                        value.push(b'1');
                        Some(value)
                    }
                    None => Some(b"1".to_vec()),
                };
                Place::Rest
            }
            5 if self.host.is_some() => {
                match model.headers.pop() {
                    Some(_) => {}
                    None => model.headers.push(("to".to_owned(), vec![(b'a', false)])),
                }
                Place::Rest
            }
            6 if self.host.is_some() => {
                let name = choices.pick(&DECISIVE);
                let had = model.params.len();
                model.params.retain(|(other, _)| other != name);
                if model.params.len() == had {
                    model.params.push((name.to_owned(), Some(b"1".to_vec())));
                }
                Place::Rest
            }
            _ => {
                let user = model.user.get_or_insert_default();
                change_user(user, self.host.is_some(), choices);
                Place::Rest
            }
        };
        Changed { model, place }
    }

    /// The same with a parameter more that does not count, where there is such a thing.
    pub fn with_what_is_ignored(&self, choices: &mut Choices<'_>) -> Self {
        let mut model = self.clone();
        if self.host.is_some() {
            let value = choices.text(UNRESERVED, 1, 4);
            model.params.push(("ignored".to_owned(), Some(value)));
        }
        model
    }

    /// One of its spellings.
    pub fn spelled(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        let Some(host) = &self.host else {
            return self.spelled_as_number(choices);
        };
        let mut text = choices.any_case(if self.secure { b"sips" } else { b"sip" });
        text.push(b':');
        if let Some(user) = &self.user {
            spell_units(user, choices, &mut text);
            if let Some(password) = &self.password {
                text.push(b':');
                spell_units(password, choices, &mut text);
            }
            text.push(b'@');
        }
        text.extend(spelled_host(host, choices));
        if let Some(port) = self.port {
            let width = choices.pick(&[1, 5, 4]);
            text.extend(format!(":{port:0width$}").into_bytes());
        }
        self.spell_params(choices, &mut text);
        let mut headers = self.headers.clone();
        choices.shuffle(&mut headers);
        for (place, (name, value)) in headers.iter().enumerate() {
            text.push(if place == 0 { b'?' } else { b'&' });
            text.extend(choices.any_case(name.as_bytes()));
            text.push(b'=');
            spell_header(value, choices, &mut text);
        }
        text
    }

    fn spelled_as_number(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        let mut text = choices.any_case(b"tel");
        text.push(b':');
        for (digit, _) in self.user.iter().flatten() {
            text.push(*digit);
            if choices.once_in(4) {
                text.push(choices.pick(b"-.()"));
            }
        }
        self.spell_params(choices, &mut text);
        text
    }

    fn spell_params(&self, choices: &mut Choices<'_>, text: &mut Vec<u8>) {
        let mut params = self.params.clone();
        choices.shuffle(&mut params);
        for (name, value) in params {
            text.push(b';');
            text.extend(choices.any_case(name.as_bytes()));
            if let Some(value) = value {
                text.push(b'=');
                text.extend(choices.any_case(&value));
            }
        }
    }
}

fn units(choices: &mut Choices<'_>, least: usize, most: usize) -> Vec<Unit> {
    let length = least + choices.below(most - least + 1);
    (0..length)
        .map(|_| match choices.below(6) {
            5 => (choices.pick(b"&=+$,;?/:@"), true),
            4 => (choices.pick(RESERVED_IN_USER), false),
            3 => (choices.pick(b"\xc3\"<> %#[]\\"), false),
            _ => (choices.pick(UNRESERVED), false),
        })
        .collect()
}

/// [RFC 3261 19.1.4] An escape and its byte are the same, but for reserved bytes.
fn spell_units(units: &[Unit], choices: &mut Choices<'_>, text: &mut Vec<u8>) {
    for (byte, reserved) in units {
        let plain = UNRESERVED.contains(byte) || RESERVED_IN_USER.contains(byte);
        let may_escape = !RESERVED_IN_USER.contains(byte);
        if *reserved || !plain || (may_escape && choices.once_in(4)) {
            spell_escape(*byte, choices, text);
        } else {
            text.push(*byte);
        }
    }
}

/// In a header component `=`, `&` and `;` are not themselves either.
fn spell_header(units: &[Unit], choices: &mut Choices<'_>, text: &mut Vec<u8>) {
    for (byte, _) in units {
        if UNRESERVED.contains(byte) && !choices.once_in(4) {
            text.push(*byte);
        } else {
            spell_escape(*byte, choices, text);
        }
    }
}

fn spell_escape(byte: u8, choices: &mut Choices<'_>, text: &mut Vec<u8>) {
    text.push(b'%');
    for digit in [byte >> 4, byte & 15] {
        let digit = HEX[usize::from(digit)];
        text.extend(choices.any_case(&[digit]));
    }
}

fn change_user(user: &mut Vec<Unit>, of_sip: bool, choices: &mut Choices<'_>) {
    match choices.below(3) {
        // A letter in the other case is another user (RFC 3261 19.1.4).
        1 if of_sip => {
            if let Some((byte, false)) = user.iter_mut().find(|(b, _)| b.is_ascii_alphabetic()) {
                *byte ^= 0x20;
                return;
            }
            user.push((b'a', false));
        }
        // A reserved byte and its escape are not the same.
        2 if of_sip => {
            if let Some(unit) = user.iter_mut().find(|(b, _)| RESERVED_IN_USER.contains(b)) {
                unit.1 = !unit.1;
                return;
            }
            user.push((b'+', true));
        }
        _ => user.push((b'1', false)),
    }
}

fn host(choices: &mut Choices<'_>) -> Named {
    match choices.below(4) {
        2 => Named::V4([
            choices.byte(),
            choices.byte(),
            choices.byte(),
            choices.byte(),
        ]),
        3 => {
            let mut groups = [0u16; 8];
            for group in &mut groups {
                *group = match choices.below(3) {
                    0 => 0,
                    1 => u16::from(choices.byte()),
                    _ => choices.number() as u16,
                };
            }
            Named::V6(groups)
        }
        _ => {
            let mut name = choices.text(b"abcxyz", 1, 1);
            for _ in 0..choices.below(3) {
                name.extend(choices.text(LABEL, 0, 4));
                name.push(b'.');
                name.extend(choices.text(b"abcxyz", 1, 1));
            }
            Named::Name(name)
        }
    }
}

fn another_host(host: &Named, choices: &mut Choices<'_>) -> Named {
    match host {
        Named::Name(name) => {
            let mut name = name.clone();
            match choices.below(3) {
                0 => name.push(b'x'),
                1 => name.insert(0, b'x'),
                _ => name.extend_from_slice(b".example"),
            }
            Named::Name(name)
        }
        Named::V4(octets) if choices.once_in(3) => {
            // The IPv6 address that holds it is another host.
            let [a, b, c, d] = octets.map(u16::from);
            Named::V6([0, 0, 0, 0, 0, 0xffff, a << 8 | b, c << 8 | d])
        }
        Named::V4(octets) => {
            let mut octets = *octets;
            octets[choices.below(4)] ^= 1;
            Named::V4(octets)
        }
        Named::V6(groups) => {
            let mut groups = *groups;
            groups[choices.below(8)] ^= 1 << choices.below(16);
            Named::V6(groups)
        }
    }
}

fn spelled_host(host: &Named, choices: &mut Choices<'_>) -> Vec<u8> {
    match host {
        Named::Name(name) => {
            let mut text = choices.any_case(name);
            if choices.once_in(4) {
                text.push(b'.');
            }
            text
        }
        Named::V4(octets) => Ipv4Addr::from(*octets).to_string().into_bytes(),
        Named::V6(groups) => {
            let text = match choices.below(4) {
                0 => Ipv6Addr::from(*groups).to_string(),
                1 => spelled_groups(groups, choices),
                2 => with_gap(groups, choices),
                _ => with_tail(groups),
            };
            let text = choices.any_case(text.as_bytes());
            [b"[", text.as_slice(), b"]"].concat()
        }
    }
}

/// All groups, with any number of leading zeros.
fn spelled_groups(groups: &[u16], choices: &mut Choices<'_>) -> String {
    let spelled: Vec<String> = groups
        .iter()
        .map(|group| {
            let width = 1 + choices.below(4);
            format!("{group:0width$x}")
        })
        .collect();
    spelled.join(":")
}

/// A gap in place of the first group of zeros, and of those that follow it as far as chance will have it.
fn with_gap(groups: &[u16; 8], choices: &mut Choices<'_>) -> String {
    let Some(from) = groups.iter().position(|group| *group == 0) else {
        return spelled_groups(groups, choices);
    };
    let zeros = groups[from..]
        .iter()
        .take_while(|group| **group == 0)
        .count();
    let to = from + 1 + choices.below(zeros);
    let front = spelled_groups(&groups[..from], choices);
    let back = spelled_groups(&groups[to..], choices);
    format!("{front}::{back}")
}

/// The last two groups as an IPv4 address.
fn with_tail(groups: &[u16; 8]) -> String {
    let front: Vec<String> = groups[..6]
        .iter()
        .map(|group| format!("{group:x}"))
        .collect();
    let tail = Ipv4Addr::from(u32::from(groups[6]) << 16 | u32::from(groups[7]));
    format!("{}:{tail}", front.join(":"))
}
