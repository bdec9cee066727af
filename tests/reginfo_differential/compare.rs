//! Our reader against another, place by place. Shared by `tests/reginfo_differential.rs`,
//! `tests/reginfo_differential/libxml2.rs` and the fuzz target.

#[path = "causes.rs"]
pub mod causes;
#[path = "classes.rs"]
pub mod classes;
#[path = "readers.rs"]
pub mod readers;

use classes::{CLASSES, Class};
use ims_procedures::drive::{Limits, Reject};
use readers::{Refusal, Values};

/// Who else reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// Compared in acceptance and in every value.
    Roxmltree,
    /// Asked only whether the document is well-formed.
    Libxml2,
}

/// What a reader has at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Absent,
    Refused,
    Read(String),
}

/// One place that two readers do not see alike; `document` where one of them refuses it.
pub struct Disagreement<'a> {
    pub reader: Reader,
    pub place: &'a str,
    pub ours: Value,
    pub theirs: Value,
    /// Why we refuse the document, where we do.
    pub reject: Option<Reject>,
    /// Why roxmltree refuses it, where it does.
    pub refusal: Option<&'a Refusal>,
    /// What roxmltree reads.
    pub values: Option<&'a Values>,
    pub bytes: &'a [u8],
}

impl Disagreement<'_> {
    pub fn class(&self) -> Option<&'static Class> {
        CLASSES.iter().find(|class| class.explains(self))
    }
}

impl std::fmt::Display for Disagreement<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            reader,
            place,
            ours,
            theirs,
            refusal,
            ..
        } = self;
        let reject = self.reject.map(|reject| reject.to_string());
        let bytes = self.bytes.escape_ascii();
        write!(
            f,
            "{reader:?}, {place}: ours {ours:?} ({reject:?}), theirs {theirs:?} ({refusal:?})\n  in {bytes}"
        )
    }
}

/// Every disagreement with roxmltree over these bytes.
pub fn compare(bytes: &[u8], mut each: impl FnMut(&Disagreement<'_>)) {
    let ours = readers::ours(bytes);
    let theirs = readers::theirs(bytes);
    let mut tell = |place: &str, our_value: Value, their_value: Value| {
        each(&Disagreement {
            reader: Reader::Roxmltree,
            place,
            ours: our_value,
            theirs: their_value,
            reject: ours.as_ref().err().copied(),
            refusal: theirs.as_ref().err(),
            values: theirs.as_ref().ok(),
            bytes,
        });
    };
    match (&ours, &theirs) {
        (Err(_), Err(_)) => {}
        (Err(_), Ok(_)) => tell("document", Value::Refused, Value::Read(String::new())),
        (Ok(_), Err(_)) => tell("document", Value::Read(String::new()), Value::Refused),
        (Ok(ours), Ok(theirs)) => {
            for place in ours
                .keys()
                .chain(theirs.keys().filter(|place| !ours.contains_key(*place)))
            {
                let value = |values: &Values| {
                    values
                        .get(place)
                        .cloned()
                        .map_or(Value::Absent, Value::Read)
                };
                let (our_value, their_value) = (value(ours), value(theirs));
                // [RI-2] A control character is never handed out, whatever another makes of it.
                let unsafe_in_sip =
                    matches!(&our_value, Value::Read(text) if text.contains(|c| c < ' '));
                if our_value != their_value || unsafe_in_sip {
                    tell(place, our_value, their_value);
                }
            }
        }
    }
}

/// A disagreement with libxml2, which says whether these bytes are a well-formed document. Where we refuse a
/// document for what it says, what comes after that is not known to us.
pub fn with_libxml2<'a>(bytes: &'a [u8], well_formed: bool) -> Option<Disagreement<'a>> {
    let reject = ims_procedures::reginfo::check(bytes, &Limits::default()).err();
    if reject.is_none() == well_formed {
        return None;
    }
    let value = |read: bool| {
        if read {
            Value::Read(String::new())
        } else {
            Value::Refused
        }
    };
    Some(Disagreement {
        reader: Reader::Libxml2,
        place: "document",
        ours: value(reject.is_none()),
        theirs: value(well_formed),
        reject,
        refusal: None,
        values: None,
        bytes,
    })
}
