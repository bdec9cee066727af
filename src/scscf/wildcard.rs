//! [SD-7] Wildcarded public identities (TS 23.003 13.4B): a SIP URI of which a part between two `!` is an
//! extended regular expression (POSIX 1003.2), as in `sip:chat!.*!@home.example`.
//!
//! A document names such an identity, and some identity that it covers (TS 24.229 7.10.2). [`instance`] is one:
//! the shortest that each part of the expression allows, from left to right.

use alloc::vec::Vec;

/// Bytes of the longest instance; of an expression that asks for more, what fits is taken.
pub(super) const LONGEST: usize = 255;

/// Groups inside groups; what stands deeper is passed over.
const DEEPEST: u8 = 8;

/// Whether an identity is a wildcarded one.
pub(super) fn is_wildcarded(uri: &[u8]) -> bool {
    parts(uri).is_some()
}

/// [SD-7] A public identity that a wildcarded one covers; `None` for one that is not wildcarded.
pub(super) fn instance(uri: &[u8]) -> Option<Vec<u8>> {
    let (before, expression, after) = parts(uri)?;
    let expression = unescaped(expression);
    let mut sample = Sample {
        rest: &expression,
        out: before.to_vec(),
    };
    sample.alternatives(0);
    let mut instance = sample.out;
    instance.truncate(LONGEST.max(before.len()));
    instance.extend_from_slice(after);
    Some(instance)
}

/// What stands before, between and after the two `!` in the user part.
fn parts(uri: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let user = uri.get(..memchr::memchr(b'@', uri)?)?;
    let first = memchr::memchr(b'!', user)?;
    let last = memchr::memrchr(b'!', user).filter(|last| *last > first)?;
    let between = uri.get(first.saturating_add(1)..last)?;
    Some((
        uri.get(..first)?,
        between,
        uri.get(last.saturating_add(1)..)?,
    ))
}

/// A part of a URI, its escapes resolved.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = match *rest {
            [b'%', high, low, ..] => digit(high).zip(digit(low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                plain.push((high << 4 | low) as u8);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                plain.push(byte);
                rest = tail;
            }
        }
    }
    plain
}

/// The reader of an expression, which writes as it goes what the expression allows.
struct Sample<'e> {
    rest: &'e [u8],
    out: Vec<u8>,
}

impl Sample<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// As far as the end, or the `)` of this group: the first alternative counts.
    fn alternatives(&mut self, depth: u8) {
        let mut kept = None;
        while let Some(byte) = self.next() {
            let start = self.out.len();
            match byte {
                b')' if depth > 0 => break,
                b'|' => {
                    kept.get_or_insert(start);
                }
                b'(' => self.group(depth),
                b'[' => self.class(),
                b'\\' => {
                    let byte = self.next().unwrap_or(b'x');
                    self.put(byte);
                }
                b'.' => self.put(b'x'),
                b'^' | b'$' | b'*' | b'+' | b'?' => {}
                byte => self.put(byte),
            }
            self.repeat(start);
        }
        if let Some(kept) = kept {
            self.out.truncate(kept);
        }
    }

    fn group(&mut self, depth: u8) {
        if depth < DEEPEST {
            self.alternatives(depth.saturating_add(1));
        } else {
            self.rest = &[];
        }
    }

    /// A bracket expression: its first member, or a digit or letter that is none of those excluded.
    fn class(&mut self) {
        let is_excluding = self.rest.first() == Some(&b'^');
        if is_excluding {
            self.next();
        }
        // A `]` that stands first is a member.
        let length = match self.rest {
            [_, tail @ ..] => {
                memchr::memchr(b']', tail).map_or(self.rest.len(), |at| at.saturating_add(1))
            }
            [] => 0,
        };
        let (members, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest.get(1..).unwrap_or_default();
        let named = match members {
            [b'[', b':', name @ ..] => Some(if name.starts_with(b"digit") {
                b'0'
            } else {
                b'a'
            }),
            _ => None,
        };
        if named.is_some() {
            // The class name ended at its own `]`.
            self.rest = self.rest.strip_prefix(b"]").unwrap_or(self.rest);
        }
        let covers = |byte: &u8| {
            members.contains(byte)
                || members
                    .windows(3)
                    .any(|range| matches!(range, [low, b'-', high] if (low..=high).contains(&byte)))
        };
        let member = match is_excluding {
            true => (b'0'..=b'9').chain(b'a'..=b'z').find(|byte| !covers(byte)),
            false => named.or(members.first().copied()),
        };
        if let Some(member) = member {
            self.put(member);
        }
    }

    /// The least that a repetition of what was written from `start` on allows.
    fn repeat(&mut self, start: usize) {
        match self.rest.first() {
            Some(b'*' | b'?') => {
                self.next();
                self.out.truncate(start);
            }
            Some(b'+') => {
                self.next();
            }
            Some(b'{') => {
                let end = memchr::memchr(b'}', self.rest).unwrap_or(self.rest.len());
                let (bounds, rest) = self.rest.split_at_checked(end).unwrap_or_default();
                self.rest = rest.get(1..).unwrap_or_default();
                let digits = bounds
                    .iter()
                    .skip(1)
                    .take_while(|byte| byte.is_ascii_digit());
                let least = digits.fold(0usize, |sum, digit| {
                    let digit = usize::from(digit.wrapping_sub(b'0'));
                    sum.saturating_mul(10).saturating_add(digit).min(LONGEST)
                });
                let once = self.out.split_off(start.min(self.out.len()));
                let length = once.len().saturating_mul(least).min(LONGEST);
                for byte in once.iter().cycle().take(length) {
                    self.put(*byte);
                }
            }
            _ => {}
        }
    }

    fn put(&mut self, byte: u8) {
        if self.out.len() < LONGEST {
            self.out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, instance, is_wildcarded};
    use alloc::{format, string::String};

    fn of(expression: &str) -> String {
        let uri = format!("sip:a!{expression}!z@home.example");
        assert!(is_wildcarded(uri.as_bytes()));
        String::from_utf8(instance(uri.as_bytes()).unwrap()).unwrap()
    }

    /// [SD-7] What each part of an expression gives.
    #[test]
    fn instances() {
        for (expression, expected) in [
            ("", ""),
            (".*", ""),
            (".+", "x"),
            (".", "x"),
            ("b?c", "c"),
            ("%5b0-9%5d%7b3%7d", "000"),
            ("[0-9]{2,4}", "00"),
            ("[0-9]{,4}", ""),
            ("[^0-9]", "a"),
            ("[^a]", "0"),
            ("[]x]", "]"),
            ("[[:digit:]]", "0"),
            ("[[:alpha:]]b", "ab"),
            ("(foo|bar)+", "foo"),
            ("(foo|bar)*q", "q"),
            ("foo|bar", "foo"),
            ("(a(b|c)){2}", "abab"),
            ("\\.", "."),
            ("^b$", "b"),
            (")", ")"),
            ("(((((((((((b)))))))))))c", ""),
            ("[", ""),
            ("\\", "x"),
            ("b{", ""),
            ("*+?", ""),
            ("%zz", "%zz"),
        ] {
            assert_eq!(
                of(expression),
                format!("sip:a{expected}z@home.example"),
                "{expression}"
            );
        }
    }

    /// [SD-7] What is not wildcarded.
    #[test]
    fn others() {
        for uri in [
            "sip:a@b",
            "sip:a!b@c",
            "sip:a@b!.*!c",
            "tel:+1",
            "",
            "!!",
            "sip:!",
        ] {
            assert!(
                !is_wildcarded(uri.as_bytes()) && instance(uri.as_bytes()).is_none(),
                "{uri}"
            );
        }
    }

    /// [DR-5] An expression that asks for more than is written, again and again, is cut.
    #[test]
    fn bounded() {
        for expression in [
            "b{254}{254}{254}{254}",
            "b{999999999999999999999}",
            "(b{200}){200}",
        ] {
            assert!(
                of(expression).len() <= LONGEST + "z@home.example".len(),
                "{expression}"
            );
        }
    }
}
