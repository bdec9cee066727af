//! Ours against another reader, aspect by aspect. Shared by `tests/differential.rs` and the fuzz target.

#[path = "causes.rs"]
pub mod causes;
#[path = "classes.rs"]
pub mod classes;
#[path = "readers.rs"]
pub mod readers;

use classes::{CLASSES, Class};
use ims_procedures::{
    drive::Defect,
    wire::{Header, HeaderName, Message},
};
use readers::{Aspect, Reading, Value};

/// Who else reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    Rsip,
    Ezk,
}

/// One aspect that two readers do not see alike.
pub struct Disagreement<'a> {
    pub reader: Reader,
    pub aspect: Aspect,
    pub ours: Value,
    pub theirs: Value,
    /// Why we refuse, where we do.
    pub defect: Option<&'static Defect>,
    /// What is read: the values of the header field one after the other, the Request-URI, or all bytes.
    pub text: Vec<u8>,
    /// Whether the header field stands under its compact name.
    pub compact: bool,
    pub message: Option<&'a Message<'a>>,
    pub bytes: &'a [u8],
}

/// Every disagreement over these bytes, each with the class that explains it.
pub fn compare(bytes: &[u8], mut each: impl FnMut(&Disagreement<'_>, Option<&'static Class>)) {
    let (ours, message) = readers::ours(bytes);
    for (reader, theirs) in [
        (Reader::Rsip, readers::rsip(bytes)),
        (Reader::Ezk, readers::ezk(bytes)),
    ] {
        for (aspect, ours_value, theirs_value) in differences(&ours, &theirs) {
            let disagreement = Disagreement {
                reader,
                aspect,
                ours: ours_value,
                theirs: theirs_value,
                defect: ours.defects.get(&aspect).copied(),
                text: text_of(bytes, message.as_ref(), aspect),
                compact: is_compact(message.as_ref(), aspect),
                message: message.as_ref(),
                bytes,
            };
            let class = CLASSES.iter().find(|class| class.explains(&disagreement));
            each(&disagreement, class);
        }
    }
}

fn differences(ours: &Reading, theirs: &Reading) -> Vec<(Aspect, Value, Value)> {
    let aspects = ours.values.keys().chain(theirs.values.keys());
    let mut aspects: Vec<Aspect> = aspects.copied().collect();
    aspects.sort();
    aspects.dedup();
    let value = |reading: &Reading, aspect| match reading.values.get(&aspect) {
        Some(value) => value.clone(),
        None => Value::Absent,
    };
    let alike = |aspect| {
        let value = value(ours, aspect);
        matches!(value, Value::Read(_)) && Some(&value) == theirs.values.get(&aspect)
    };
    aspects
        .into_iter()
        .filter(|aspect| parent(*aspect).is_none_or(alike))
        .map(|aspect| (aspect, value(ours, aspect), value(theirs, aspect)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect()
}

/// What must be the same to both before an aspect of it is compared.
fn parent(aspect: Aspect) -> Option<Aspect> {
    match aspect {
        Aspect::Whole => None,
        Aspect::FromTag => Some(Aspect::From),
        Aspect::ToTag => Some(Aspect::To),
        Aspect::Branch => Some(Aspect::Via),
        Aspect::ContactParams => Some(Aspect::Contact),
        _ => Some(Aspect::Whole),
    }
}

pub fn name_of(aspect: Aspect) -> Option<HeaderName> {
    Some(match aspect {
        Aspect::CallId => HeaderName::CallId,
        Aspect::CSeq => HeaderName::CSeq,
        Aspect::From | Aspect::FromTag => HeaderName::From,
        Aspect::To | Aspect::ToTag => HeaderName::To,
        Aspect::Via | Aspect::Branch => HeaderName::Via,
        Aspect::Contact | Aspect::ContactParams => HeaderName::Contact,
        Aspect::Expires => HeaderName::Expires,
        Aspect::Body => HeaderName::ContentLength,
        _ => return None,
    })
}

fn text_of(bytes: &[u8], message: Option<&Message<'_>>, aspect: Aspect) -> Vec<u8> {
    match (message, name_of(aspect)) {
        (Some(message), Some(name)) => {
            let values: Vec<_> = message.headers(name).map(Header::raw).collect();
            values.join(&b'\n')
        }
        (Some(message), None) if aspect == Aspect::RequestUri => {
            message.request_uri().unwrap_or_default().to_vec()
        }
        (Some(message), None) => bytes[..message.head_end()].to_vec(),
        (None, _) => bytes.to_vec(),
    }
}

fn is_compact(message: Option<&Message<'_>>, aspect: Aspect) -> bool {
    let (Some(message), Some(name)) = (message, name_of(aspect)) else {
        return false;
    };
    message
        .fields()
        .any(|field| field.name == name && field.raw_name.len() == 1)
}
