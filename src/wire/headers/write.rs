//! Writing of values that are read elsewhere, and of whatever was read.

use super::{
    List, Text, Value, WriteValue,
    cursor::Read,
    text::{put_number_param, put_param, put_token, put_token_param},
};
use crate::{
    drive::{Buffer, Reject, Unwritable},
    wire::{CSeq, EventPackage, Header, SubState, SubscriptionState, Via, put_unfolded},
};

/// A method that is no token, or a number of 2^31 or more, is unsafe.
impl WriteValue for CSeq<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        if self.number >= 1 << 31 {
            buffer.fail(Unwritable::UnsafeValue);
        }
        buffer.put_number(u64::from(self.number));
        buffer.put(b" ");
        put_token(buffer, self.method.as_bytes());
    }
}

impl WriteValue for EventPackage<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.package);
        put_param(buffer, b"id", self.id.map(Text::new));
    }
}

/// An extension, whose name is not kept, is unsafe.
impl WriteValue for SubscriptionState<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        match self.state {
            SubState::Active => buffer.put(b"active"),
            SubState::Pending => buffer.put(b"pending"),
            SubState::Terminated => buffer.put(b"terminated"),
            SubState::Other => buffer.fail(Unwritable::UnsafeValue),
        }
        put_token_param(buffer, b"reason", self.reason);
        put_number_param(buffer, b"expires", self.expires);
        put_number_param(buffer, b"retry-after", self.retry_after);
    }
}

/// A Via as it was read, foldings as spaces.
impl WriteValue for Via<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_unfolded(buffer, self.raw());
    }
}

/// A value as it stood, foldings as spaces.
impl WriteValue for Header<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_unfolded(buffer, self.raw());
    }
}

/// The elements with the separator they were read with; a list that cannot be read is unsafe.
impl<'a, T: Read<'a> + WriteValue> WriteValue for List<'a, T> {
    fn write_value(&self, buffer: &mut Buffer) {
        let separator: &[u8] = match self.separator() {
            b',' => b", ",
            _ => b";",
        };
        put_list(buffer, self.clone(), separator);
    }
}

/// The elements with that separator between them.
pub(in crate::wire) fn put_list<T: WriteValue>(
    buffer: &mut Buffer,
    list: impl Iterator<Item = Result<T, Reject>>,
    separator: &[u8],
) {
    for (place, element) in list.enumerate() {
        if place > 0 {
            buffer.put(separator);
        }
        match element {
            Ok(element) => element.write_value(buffer),
            Err(_) => buffer.fail(Unwritable::UnsafeValue),
        }
    }
}

/// What was read, in the form that this crate gives it: quotes where they must be, one space for a folding,
/// one comma and a space between elements.
impl WriteValue for Value<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        match self {
            Self::Vias(list) => put_list(buffer, list.clone(), b", "),
            Self::Address(address) => address.write_value(buffer),
            Self::Addresses(list) => put_list(buffer, list.clone(), b", "),
            Self::Contacts(list) => put_list(buffer, list.clone(), b", "),
            Self::CallId(text) | Self::Phrase(text) => text.write_value(buffer),
            Self::CSeq(cseq) => cseq.write_value(buffer),
            Self::Number(number) => number.write_value(buffer),
            Self::Tokens(list) => list.write_value(buffer),
            Self::Token(token) => token.write_value(buffer),
            Self::Event(event) => event.write_value(buffer),
            Self::SubscriptionState(state) => state.write_value(buffer),
            Self::Credentials(credentials) => credentials.write_value(buffer),
            Self::Challenge(challenge) => challenge.write_value(buffer),
            Self::AuthenticationInfo(info) => info.write_value(buffer),
            Self::Security(list) => list.write_value(buffer),
            Self::ChargingVector(vector) => vector.write_value(buffer),
            Self::ChargingAddresses(addresses) => addresses.write_value(buffer),
            Self::AccessNetworks(list) => list.write_value(buffer),
            Self::VisitedNetworks(list) => list.write_value(buffer),
            Self::ServedUser(user) => user.write_value(buffer),
            Self::Reasons(list) => list.write_value(buffer),
            Self::RetryAfter(wait) => wait.write_value(buffer),
            Self::Warnings(list) => list.write_value(buffer),
            Self::MediaType(media) => media.write_value(buffer),
            Self::MediaRanges(list) => list.write_value(buffer),
            Self::Disposition(disposition) => disposition.write_value(buffer),
            Self::MimeVersion(version) => version.write_value(buffer),
            Self::Date(date) => date.write_value(buffer),
            Self::Timestamp(time) => time.write_value(buffer),
            Self::SessionExpires(session) => session.write_value(buffer),
            Self::Features(list) => list.write_value(buffer),
            Self::CpmId(id) => id.write_value(buffer),
            Self::RestorationInfo(info) => info.write_value(buffer),
            Self::Other(header) => header.write_value(buffer),
        }
    }
}
