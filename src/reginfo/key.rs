//! The attributes that mean something, told by name.

use super::word::{bytes_below, each, equal, first_word, keep_below, word_of};

/// An attribute by its name. What it means depends on the element; most mean nothing on most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Aor,
    CallId,
    Cseq,
    Domain,
    DurationRegistered,
    Event,
    Expires,
    FirstCseq,
    Id,
    Insert,
    Lang,
    Name,
    Ns,
    Q,
    RetryAfter,
    State,
    Uri,
    Val,
    Version,
    /// Any other name, the ones that declare namespaces among them.
    Other,
}

const AOR: u64 = word_of(b"aor");
const CALLID: u64 = word_of(b"callid");
const CSEQ: u64 = word_of(b"cseq");
const DOMAIN: u64 = word_of(b"domain");
const EVENT: u64 = word_of(b"event");
const EXPIRES: u64 = word_of(b"expires");
const ID: u64 = word_of(b"id");
const INSERT: u64 = word_of(b"insert");
const NAME: u64 = word_of(b"name");
const NS: u64 = word_of(b"ns");
const Q: u64 = word_of(b"q");
const STATE: u64 = word_of(b"state");
const URI: u64 = word_of(b"uri");
const VAL: u64 = word_of(b"val");
const VERSION: u64 = word_of(b"version");

/// Those of eight bytes and more.
const LONG: [(&[u8], Key); 4] = [
    (b"duration-registered", Key::DurationRegistered),
    (b"first-cseq", Key::FirstCseq),
    (b"retry-after", Key::RetryAfter),
    (b"xml:lang", Key::Lang),
];

impl Key {
    pub(super) fn of(name: &[u8]) -> Self {
        if name.len() < 8 {
            return Self::short(word_of(name));
        }
        LONG.iter()
            .find(|(long, _)| *long == name)
            .map_or(Self::Other, |(_, key)| *key)
    }

    /// The known name that comes first, with the equals sign right after it, and how long it is. `None` says
    /// nothing: the name must then be read byte by byte.
    #[inline]
    pub(super) fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let word = first_word(bytes)?;
        let equals = equal(word, each(b'='));
        if equals == 0 {
            return Self::first_long(bytes);
        }
        match Self::short(keep_below(word, equals)) {
            Self::Other => None,
            key => Some((key, bytes_below(equals))),
        }
    }

    fn first_long(bytes: &[u8]) -> Option<(Self, usize)> {
        LONG.iter()
            .find(|(long, _)| matches!(bytes.strip_prefix(*long), Some([b'=', ..])))
            .map(|(long, key)| (*key, long.len()))
    }

    #[inline]
    const fn short(word: u64) -> Self {
        match word {
            AOR => Self::Aor,
            CALLID => Self::CallId,
            CSEQ => Self::Cseq,
            DOMAIN => Self::Domain,
            EVENT => Self::Event,
            EXPIRES => Self::Expires,
            ID => Self::Id,
            INSERT => Self::Insert,
            NAME => Self::Name,
            NS => Self::Ns,
            Q => Self::Q,
            STATE => Self::State,
            URI => Self::Uri,
            VAL => Self::Val,
            VERSION => Self::Version,
            _ => Self::Other,
        }
    }
}
