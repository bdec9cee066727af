//! A set at rest, which most sets are most of the time: every contact is bound, every subscriber has been told, nothing
//! runs. It stands in one [`Record`], of which the blob of a node is a copy; something happens to it only when it is
//! awake. What is looked up often is read from the record.

use alloc::vec::Vec;

use super::{
    Config, MAX_CONTACTS,
    bindings::{Binding, Bindings, Bound, FIELDS, Field, Identity, Status, Strings},
    entry::Key,
    registration::canonical,
    set::{self, Load, Set},
    snapshot::{event_code, event_of},
};
use crate::{
    drive::{Millis, RestoreError, Timer},
    fleet::{Reader, Record, Recorder, Seldom},
    regevent::notifier::{self, Subscription},
    reginfo::ContactEvent,
};

/// What a set that rests takes of the bounds of its node.
pub(super) const LOAD: Load = Load {
    waiting: 0,
    served: 1,
};

/// A set at rest.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Resting(Record);

impl Set {
    /// Whether nothing is to be done but to wait.
    pub(super) fn is_at_rest(&self) -> bool {
        self.procedures.is_empty()
            && !self.table.bindings.is_empty()
            && self.table.bindings.iter().all(Binding::is_active)
            && self.subscriptions.iter().all(Subscription::is_at_rest)
    }

    /// The set at rest; `None` if it is not, or is too large for it.
    pub(super) fn rest(&self, recorder: &mut Recorder) -> Option<Resting> {
        if !self.is_at_rest() {
            return None;
        }
        let table = &self.table;
        recorder.number(table.identities.len() as u64);
        recorder.number(table.bindings.len() as u64);
        recorder.number(self.subscriptions.len() as u64);
        recorder.number(table.identities_ever);
        recorder.number(table.bindings_ever);
        recorder.number(table.changes);
        recorder.number(table.terminations);
        recorder.number(table.forgotten);
        for identity in &table.identities {
            identity.record(recorder);
        }
        for binding in &table.bindings {
            binding.record(recorder);
        }
        for subscription in &self.subscriptions {
            subscription.record(recorder);
        }
        recorder.finish().map(Resting)
    }
}

impl Resting {
    /// Of a record out of a blob, which is to be [looked through](Self::look_through).
    pub(super) const fn of(record: Record) -> Self {
        Self(record)
    }

    /// [DR-7] Looks through a record out of a blob, which names what the set is filed under; when it must be given a
    /// tick.
    ///
    /// # Errors
    /// [`RestoreError`] if it is none of a set, or exceeds a limit.
    pub(super) fn look_through<'s>(
        &'s self,
        config: &Config,
        mut name: impl FnMut(Key<'s>),
    ) -> Result<Millis, RestoreError> {
        let mut walk = Walk::of(&self.0).ok_or(RestoreError::Damaged)?;
        let most = [
            config.limits.identities.saturating_mul(2),
            MAX_CONTACTS,
            set::most_subscriptions(&config.limits),
        ];
        let exceeds = |(left, most): (&usize, usize)| *left > most;
        if walk.left.iter().zip(most).any(exceeds) {
            return Err(RestoreError::TooLarge);
        }
        let mut bytes = 0usize;
        while let Some(identity) = walk.identity() {
            bytes = bytes.saturating_add(identity.uri.len());
            name(Key::Identity(identity.uri));
        }
        let mut first: Option<Millis> = None;
        while let Some(binding) = walk.binding() {
            first = first.into_iter().chain([binding.expires_at]).min();
        }
        // A set has a binding.
        let mut first = first.ok_or(RestoreError::Damaged)?;
        while let Some(subscription) = walk.subscription() {
            first = first.min(subscription.expires_at());
            name(Key::CallId(subscription.name().call_id));
        }
        match walk.is_whole() && bytes <= usize::from(u16::MAX) {
            true => Ok(first),
            false => Err(RestoreError::Damaged),
        }
    }

    /// What it is in a blob.
    pub(super) const fn record(&self) -> &Record {
        &self.0
    }

    /// The set. `None` never comes: the record was written here, or looked through when it was taken in from a blob.
    pub(super) fn wake(&self) -> Option<Set> {
        let mut walk = Walk::of(&self.0)?;
        let [identities, ..] = walk.left;
        let mut set = Set::new(Bindings {
            identities: Vec::with_capacity(identities),
            identities_ever: walk.numbers.identities_ever,
            bindings_ever: walk.numbers.bindings_ever,
            changes: walk.numbers.changes,
            terminations: walk.numbers.terminations,
            forgotten: walk.numbers.forgotten,
            ..Bindings::default()
        });
        set.counted = LOAD;
        while let Some(identity) = walk.identity() {
            set.table.identities.push(identity.wake());
        }
        while let Some(binding) = walk.binding() {
            set.table.bindings.push(binding.wake()?);
        }
        while let Some(subscription) = walk.subscription() {
            set.subscriptions.push(subscription.wake()?);
        }
        Some(set)
    }

    /// Whether a public identity is one of the set; `key` is its canonical form.
    pub(super) fn has_identity(&self, uri: &[u8], key: &[u8]) -> bool {
        let is_it = |own: &[u8]| *own == *uri || *canonical(own) == *key;
        self.identities()
            .any(|own| own.termination.is_none() && is_it(own.uri))
    }

    /// What it is filed under.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        let mut walk = Walk::of(&self.0);
        core::iter::from_fn(move || {
            let walk = walk.as_mut()?;
            match walk.identity() {
                Some(identity) => Some(Key::Identity(identity.uri)),
                None => Some(Key::CallId(walk.subscription()?.name().call_id)),
            }
        })
    }

    fn identities(&self) -> impl Iterator<Item = RestingIdentity<'_>> {
        let mut walk = Walk::of(&self.0);
        core::iter::from_fn(move || walk.as_mut()?.identity())
    }

    /// Its contacts.
    pub(super) fn bound(&self) -> impl Iterator<Item = Bound<'_>> {
        let mut walk = Walk::of(&self.0);
        core::iter::from_fn(move || walk.as_mut()?.binding()).map(|binding| binding.bound())
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = notifier::Resting<'_>> {
        let mut walk = Walk::of(&self.0);
        core::iter::from_fn(move || walk.as_mut()?.subscription())
    }

    /// When it must be given a tick, and the timer that fires: as for the set, the end of a subscription before that
    /// of a binding.
    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        let mut walk = Walk::of(&self.0)?;
        let bindings = core::iter::from_fn(|| walk.binding());
        let binding = bindings.map(|binding| binding.expires_at).min();
        let subscriptions = core::iter::from_fn(|| walk.subscription());
        let subscription = subscriptions.map(|own| own.expires_at()).min();
        let subscription = subscription.map(|at| (at, Timer("subscription expiry")));
        let binding = binding.map(|at| (at, Timer("binding expiry")));
        subscription
            .into_iter()
            .chain(binding)
            .min_by_key(|&(at, _)| at)
    }
}

/// An identity as it stands in a record.
pub(super) struct RestingIdentity<'r> {
    number: u32,
    barred: bool,
    changed: u64,
    termination: Option<u64>,
    pub(super) uri: &'r [u8],
}

const BARRED: u8 = 1;
const LEFT: u8 = 2;

impl Identity {
    fn record(&self, into: &mut Recorder) {
        let termination = self.termination.get();
        let left = if termination.is_some() { LEFT } else { 0 };
        into.byte(u8::from(self.barred) | left);
        into.number(self.number);
        into.number(self.changed);
        if let Some(termination) = termination {
            into.number(termination);
        }
        into.string(&self.uri);
    }
}

impl<'r> RestingIdentity<'r> {
    fn read(from: &mut Reader<'r>) -> Option<Self> {
        let flags = from.byte().filter(|flags| *flags <= (BARRED | LEFT))?;
        Some(Self {
            number: from.small()?,
            barred: flags & BARRED != 0,
            changed: from.number()?,
            termination: match flags & LEFT {
                0 => None,
                _ => Some(from.number()?),
            },
            uri: from.string()?,
        })
    }

    fn wake(&self) -> Identity {
        Identity {
            number: self.number,
            uri: self.uri.into(),
            barred: self.barred,
            changed: self.changed,
            termination: Seldom::new(self.termination),
        }
    }
}

/// A binding as it stands in a record.
struct RestingBinding<'r> {
    number: u32,
    cseq: u32,
    expires_at: Millis,
    explicit: u32,
    first_cseq: u32,
    failure: u32,
    event: ContactEvent,
    changed: u64,
    /// All but the parameters of the contact.
    strings: [&'r [u8]; FIELDS],
    /// These parameters, in three.
    params: [&'r [u8]; 3],
}

/// The strings that follow the parameters, in the order in which they stand.
const OTHERS: [Field; 6] = [
    Field::Path,
    Field::CallId,
    Field::DisplayName,
    Field::Q,
    Field::PublicGruu,
    Field::TemporaryGruu,
];

impl Binding {
    fn record(&self, into: &mut Recorder) {
        into.instant(self.expires_at);
        into.number(self.number);
        into.number(self.cseq);
        into.number(self.explicit);
        into.number(self.first_cseq);
        into.number(self.failure);
        into.byte(event_code(self.event));
        into.number(self.changed);
        // As a rule it is the user part and the domain of an identity.
        into.repeated(self.field(Field::PrivateIdentity));
        into.string(self.field(Field::Uri));
        let [before, instance, after] = around_instance(self.field(Field::Params));
        into.common(before);
        into.string(instance);
        into.common(after);
        for field in OTHERS {
            let string = self.field(field);
            match field {
                Field::Path => into.common(string),
                Field::CallId => into.repeated(string),
                _ => into.string(string),
            }
        }
    }
}

/// The parameters of a contact, parted so that what only this device has is apart from what others of its make have
/// too: the URN in angle brackets, of its instance.
fn around_instance(params: &[u8]) -> [&[u8]; 3] {
    let start = memchr::memchr(b'<', params).unwrap_or(params.len());
    let (before, rest) = params.split_at_checked(start).unwrap_or_default();
    let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
    let (instance, after) = rest.split_at_checked(end).unwrap_or_default();
    [before, instance, after]
}

fn put<'s>(strings: &mut [&'s [u8]; FIELDS], field: Field, string: &'s [u8]) {
    if let Some(own) = strings.get_mut(field as usize) {
        *own = string;
    }
}

impl<'r> RestingBinding<'r> {
    const fn bound(&self) -> Bound<'r> {
        let [_, uri, _, path, ..] = self.strings;
        Bound {
            uri,
            path,
            failure: self.failure,
        }
    }

    fn read(from: &mut Reader<'r>) -> Option<Self> {
        let mut binding = Self {
            expires_at: from.instant()?,
            number: from.small()?,
            cseq: from.small()?,
            explicit: from.small()?,
            first_cseq: from.small()?,
            failure: from.small()?,
            event: event_of(from.byte()?)?,
            changed: from.number()?,
            strings: [[].as_slice(); FIELDS],
            params: [[].as_slice(); 3],
        };
        for field in [Field::PrivateIdentity, Field::Uri] {
            put(&mut binding.strings, field, from.string()?);
        }
        for part in &mut binding.params {
            *part = from.string()?;
        }
        for field in OTHERS {
            put(&mut binding.strings, field, from.string()?);
        }
        let strings = binding.strings.iter().chain(&binding.params);
        let length = strings.fold(0usize, |sum, string| sum.saturating_add(string.len()));
        (length <= usize::from(u16::MAX)).then_some(binding)
    }

    fn wake(&self) -> Option<Binding> {
        let params = self.params.concat();
        let mut strings = self.strings;
        put(&mut strings, Field::Params, &params);
        Some(Binding {
            number: self.number,
            strings: Strings::plain(strings, usize::from(u16::MAX))?,
            cseq: self.cseq,
            expires_at: self.expires_at,
            explicit: self.explicit,
            first_cseq: self.first_cseq,
            failure: self.failure,
            event: self.event,
            changed: self.changed,
            status: Seldom::new(Status::Active),
        })
    }
}

/// What the table of a set counts.
struct Numbers {
    identities_ever: u32,
    bindings_ever: u32,
    changes: u64,
    terminations: u64,
    forgotten: u64,
}

/// A way through a record, from the first identity to the last subscription.
struct Walk<'r> {
    reader: Reader<'r>,
    numbers: Numbers,
    /// How many identities, bindings and subscriptions are still to come.
    left: [usize; 3],
    is_damaged: bool,
}

const IDENTITIES: usize = 0;
const BINDINGS: usize = 1;
const SUBSCRIPTIONS: usize = 2;

impl<'r> Walk<'r> {
    fn of(record: &'r Record) -> Option<Self> {
        let mut reader = record.read();
        let mut left = [0; 3];
        for left in &mut left {
            *left = usize::try_from(reader.number()?).ok()?;
        }
        let numbers = Numbers {
            identities_ever: reader.small()?,
            bindings_ever: reader.small()?,
            changes: reader.number()?,
            terminations: reader.number()?,
            forgotten: reader.number()?,
        };
        Some(Self {
            reader,
            numbers,
            left,
            is_damaged: false,
        })
    }

    /// The next part of that kind, if there is one.
    fn next<T>(
        &mut self,
        kind: usize,
        read: impl FnOnce(&mut Reader<'r>) -> Option<T>,
    ) -> Option<T> {
        let left = self.left.get_mut(kind)?;
        *left = left.checked_sub(1)?;
        let part = read(&mut self.reader);
        self.is_damaged |= part.is_none();
        part
    }

    fn identity(&mut self) -> Option<RestingIdentity<'r>> {
        self.next(IDENTITIES, RestingIdentity::read)
    }

    /// The next binding; identities before it are passed over.
    fn binding(&mut self) -> Option<RestingBinding<'r>> {
        while self.identity().is_some() {}
        self.next(BINDINGS, RestingBinding::read)
    }

    /// The next subscription; what stands before it is passed over.
    fn subscription(&mut self) -> Option<notifier::Resting<'r>> {
        while self.binding().is_some() {}
        self.next(SUBSCRIPTIONS, notifier::Resting::read)
    }

    /// Whether all was read, and nothing is left.
    fn is_whole(&self) -> bool {
        !self.is_damaged && self.left == [0; 3] && self.reader.is_done()
    }
}
