//! [RFC 3261 20] Typed values of header fields: refused at a byte of their field, or read to the end; and what
//! is written of a value that was read is the same value, in a field that ends where it must.

use ims_procedures::{
    drive::{Buffer, Limits, Reject, Unwritable},
    wire::{Field, HeaderName, Message, Value, WriteValue, Writer, defect},
};
use std::mem::discriminant;

use super::{reference, shown};

/// Every name that has a typed value.
const NAMES: [HeaderName; 46] = [
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::Contact,
    HeaderName::Expires,
    HeaderName::Route,
    HeaderName::PAssertedIdentity,
    HeaderName::PVisitedNetworkId,
    HeaderName::PAccessNetworkInfo,
    HeaderName::PChargingFunctionAddresses,
    HeaderName::PChargingVector,
    HeaderName::PServedUser,
    HeaderName::PProfileKey,
    HeaderName::Authorization,
    HeaderName::ProxyAuthorization,
    HeaderName::WwwAuthenticate,
    HeaderName::AuthenticationInfo,
    HeaderName::Supported,
    HeaderName::Require,
    HeaderName::Event,
    HeaderName::SubscriptionState,
    HeaderName::Accept,
    HeaderName::AcceptContact,
    HeaderName::RequestDisposition,
    HeaderName::ContentType,
    HeaderName::ContentEncoding,
    HeaderName::ContentDisposition,
    HeaderName::MimeVersion,
    HeaderName::MinExpires,
    HeaderName::RetryAfter,
    HeaderName::Reason,
    HeaderName::Subject,
    HeaderName::Date,
    HeaderName::Timestamp,
    HeaderName::Warning,
    HeaderName::Priority,
    HeaderName::SecurityClient,
    HeaderName::MessageUid,
    HeaderName::Privacy,
    HeaderName::HistoryInfo,
    HeaderName::SessionExpires,
    HeaderName::FeatureCaps,
    HeaderName::RestorationInfo,
];

/// [RFC 3261 20] [RFC 3261 25.1] Every header field of a message, if the bytes are one; and the bytes after the
/// first, as the value of the header field that the first one chooses.
pub fn headers(bytes: &[u8]) {
    let limits = Limits::default();
    if let Ok(message) = Message::parse(bytes, &limits) {
        message.fields().for_each(|field| one(&field));
    }
    let Some((choice, value)) = bytes.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*choice) % NAMES.len()];
    let line = [name.canonical_name(), b": ", value].concat();
    let alone = [b"BYE sip:a SIP/2.0\r\n", &line[..], b"\r\n\r\n"].concat();
    if let Ok(message) = Message::parse(&alone, &limits) {
        message.fields().for_each(|field| one(&field));
    }
}

fn one(field: &Field<'_>) {
    let value = match field.read() {
        Ok(value) => value,
        Err(reject) => return lies_in_its_field(reject, field),
    };
    let raw = field.value.raw();
    assert!(elements(&value) <= raw.len().max(1));
    let Some(written) = written(field.name, &value, raw.len()) else {
        return;
    };
    let limits = Limits::default();
    let again = match Message::parse(&written, &limits) {
        Ok(again) => again,
        Err(reject) if reject.defect == &defect::HEADER_TOO_LARGE => return,
        Err(reject) if reject.defect == &defect::MESSAGE_TOO_LARGE => return,
        Err(reject) => panic!("{reject}: {}", shown(&written)),
    };
    let both = || format!("{} became {}", shown(raw), shown(&written));
    assert_eq!(again.header_count(), 2, "it broke out: {}", both());
    let rewritten = again.fields().next().expect("the field");
    let same = rewritten
        .read()
        .unwrap_or_else(|reject| panic!("{reject}: {}", both()));
    assert_eq!(discriminant(&value), discriminant(&same));
    assert_eq!(elements(&value), elements(&same), "{}", both());
    let twice = self::written(field.name, &same, written.len()).expect("it was written once");
    assert_eq!(shown(&twice), shown(&written), "of {}", shown(raw));
    says_the_same(&value, &same, &both);
}

fn lies_in_its_field(reject: Reject, field: &Field<'_>) {
    let at = reject.at as usize;
    assert!(
        at >= field.value.at() && at <= field.line.end,
        "{reject} of {:?}, whose value begins at {}",
        field.name,
        field.value.at()
    );
}

/// A message with the value as it is written; none where it is unsafe, where the name is not kept, or where the
/// writer puts the field itself.
fn written(name: HeaderName, value: &Value<'_>, length: usize) -> Option<Vec<u8>> {
    if matches!(name, HeaderName::Other | HeaderName::ContentLength) {
        return None;
    }
    // A quote or an escape more for each byte.
    let mut buffer = Buffer::new(length * 3 + 1_024);
    let outcome = buffer.attempt(|buffer| {
        let mut writer = Writer::request(buffer, b"BYE", b"sip:a");
        writer.value(name, |buffer| value.write_value(buffer));
        writer.finish();
    });
    match outcome {
        Ok(()) => Some(buffer.as_slice().to_vec()),
        Err(fault) => {
            assert_eq!(fault, Unwritable::UnsafeValue);
            None
        }
    }
}

/// How many elements a list has; 1 of what is no list.
fn elements(value: &Value<'_>) -> usize {
    match value {
        Value::Vias(list) => all(list.clone()),
        Value::Addresses(list) => all(list.clone()),
        Value::Contacts(list) => all(list.clone()),
        Value::Tokens(list) => all(list.clone()),
        Value::Security(list) => all(list.clone()),
        Value::AccessNetworks(list) => all(list.clone()),
        Value::VisitedNetworks(list) => all(list.clone()),
        Value::Reasons(list) => all(list.clone()),
        Value::Warnings(list) => all(list.clone()),
        Value::MediaRanges(list) => all(list.clone()),
        Value::Features(list) => all(list.clone()),
        _ => 1,
    }
}

/// Counts a list that has been read to its end before.
fn all<T>(list: impl Iterator<Item = Result<T, Reject>>) -> usize {
    let read = list.map(|element| element.map(drop));
    let outcome: Result<Vec<()>, Reject> = read.collect();
    outcome.expect("it was read before").len()
}

/// What decides something is the same before and after.
fn says_the_same(value: &Value<'_>, same: &Value<'_>, both: &dyn Fn() -> String) {
    let agree = match (value, same) {
        (Value::Address(a), Value::Address(b)) => {
            a.uri_bytes() == b.uri_bytes() && a.tag().is_some() == b.tag().is_some()
        }
        (Value::CSeq(a), Value::CSeq(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a.0 == b.0,
        (Value::Event(a), Value::Event(b)) => a.package == b.package,
        (Value::SubscriptionState(a), Value::SubscriptionState(b)) => {
            (a.state, a.expires, a.retry_after) == (b.state, b.expires, b.retry_after)
        }
        (Value::Credentials(a), Value::Credentials(b)) => {
            a.digest().map(|digest| digest.username) == b.digest().map(|digest| digest.username)
                && a.params().count() == b.params().count()
        }
        (Value::ChargingVector(a), Value::ChargingVector(b)) => {
            (a.icid, a.orig_ioi, a.term_ioi) == (b.icid, b.orig_ioi, b.term_ioi)
        }
        (Value::ServedUser(a), Value::ServedUser(b)) => {
            a.user.uri_bytes() == b.user.uri_bytes()
                && (a.registered, a.orig_cdiv) == (b.registered, b.orig_cdiv)
        }
        (Value::RetryAfter(a), Value::RetryAfter(b)) => {
            (a.seconds, a.duration) == (b.seconds, b.duration)
        }
        (Value::Date(a), Value::Date(b)) => a.unix() == b.unix(),
        (Value::Phrase(a), Value::Phrase(b)) => words(a.0) == words(b.0),
        _ => true,
    };
    assert!(agree, "{}", both());
}

/// Without regard to white space.
fn words(text: &[u8]) -> Vec<u8> {
    let black = text
        .iter()
        .copied()
        .filter(|byte| !reference::is_lws(*byte));
    black.collect()
}
