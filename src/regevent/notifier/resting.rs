//! A subscription at rest: no NOTIFY is out, and none is due.

use super::{
    CALL_ID, EVENT_ID, LOCAL_URI, REMOTE_TAG, REMOTE_URI, ROUTES, STRINGS, State, Strings,
    Subscribe, Subscription, TARGET,
};
use crate::{
    drive::{Identifier, Millis},
    fleet::{Reader, Recorder},
};

/// What a subscription is known by.
#[derive(Clone, Copy)]
pub(crate) struct Name<'s> {
    pub(crate) call_id: &'s [u8],
    pub(super) local_tag: Identifier,
    pub(super) remote_tag: &'s [u8],
    pub(super) event_id: &'s [u8],
}

impl Name<'_> {
    /// Whether a SUBSCRIBE is of the subscription.
    pub(crate) fn has(&self, request: &Subscribe<'_>) -> bool {
        request
            .local_tag
            .is_some_and(|tag| self.is(request.call_id, tag, request.remote_tag))
            && request.event_id == self.event_id
    }

    /// Whether it is the dialog with this Call-ID, and these tags of ours and of the subscriber.
    pub(crate) fn is(&self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> bool {
        local_tag == self.local_tag.text()
            && remote_tag == self.remote_tag
            && call_id == self.call_id
    }
}

const FULL_DUE: u8 = 1;
const IS_OWN: u8 = 2;

/// A subscription as it stands in a record.
pub(crate) struct Resting<'r> {
    strings: [&'r [u8]; STRINGS],
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: u32,
    version: u32,
    told: u64,
    flags: u8,
    expires_at: Millis,
    notified_at: Millis,
}

impl Subscription {
    /// Whether nothing is to be done but to wait for its end, or for a change.
    pub(crate) const fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Active { due: None })
            && self.outstanding.is_none()
            && self.ending.is_none()
            && self.notified_at.is_some()
            && self.refusals == 0
            && self.not_before.0 == 0
            && !self.is_fetch
    }

    /// Writes one that is at rest.
    pub(crate) fn record(&self, into: &mut Recorder) {
        into.instant(self.expires_at);
        into.instant(self.notified_at.unwrap_or_default());
        into.identifier(self.local_tag);
        into.number(self.local_cseq);
        into.number(self.remote_cseq);
        into.number(self.version);
        into.number(self.told);
        let flags = [(self.full_due, FULL_DUE), (self.is_own, IS_OWN)];
        let flags = flags.into_iter().filter(|(is, _)| *is);
        into.byte(flags.fold(0, |all, (_, flag)| all | flag));
        let string = |number| self.strings.get(number);
        // As a rule the Contact of a subscriber holds the Call-ID, and its resource is an identity before.
        into.repeated(string(TARGET));
        into.repeated(string(CALL_ID));
        into.repeated(string(LOCAL_URI));
        into.common(string(REMOTE_URI));
        into.string(string(REMOTE_TAG));
        into.common(string(ROUTES));
        into.string(string(EVENT_ID));
    }
}

impl<'r> Resting<'r> {
    /// The next part of a record; `None` if that is no subscription.
    pub(crate) fn read(from: &mut Reader<'r>) -> Option<Self> {
        let (expires_at, notified_at) = (from.instant()?, from.instant()?);
        let local_tag = from.identifier()?;
        let (local_cseq, remote_cseq, version) = (from.small()?, from.small()?, from.small()?);
        let (told, flags) = (from.number()?, from.byte()?);
        let mut strings = [[].as_slice(); STRINGS];
        for number in [
            TARGET, CALL_ID, LOCAL_URI, REMOTE_URI, REMOTE_TAG, ROUTES, EVENT_ID,
        ] {
            let string = from.string()?;
            if let Some(own) = strings.get_mut(number) {
                *own = string;
            }
        }
        let length = strings.iter().map(|string| string.len());
        let length = length.fold(0, usize::saturating_add);
        let is_one = length <= usize::from(u16::MAX) && flags <= (FULL_DUE | IS_OWN);
        is_one.then_some(Self {
            strings,
            local_tag,
            local_cseq,
            remote_cseq,
            version,
            told,
            flags,
            expires_at,
            notified_at,
        })
    }

    /// What it is known by.
    pub(crate) const fn name(&self) -> Name<'r> {
        let [call_id, _, _, remote_tag, _, _, event_id] = self.strings;
        Name {
            call_id,
            local_tag: self.local_tag,
            remote_tag,
            event_id,
        }
    }

    /// When it ends.
    pub(crate) const fn expires_at(&self) -> Millis {
        self.expires_at
    }

    /// The subscription.
    pub(crate) fn wake(&self) -> Option<Subscription> {
        Some(Subscription {
            state: State::Active { due: None },
            outstanding: None,
            ending: None,
            strings: Strings::plain(self.strings, usize::from(u16::MAX))?,
            local_tag: self.local_tag,
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            version: self.version,
            told: self.told,
            full_due: self.flags & FULL_DUE != 0,
            refusals: 0,
            not_before: Millis(0),
            expires_at: self.expires_at,
            notified_at: Some(self.notified_at),
            is_fetch: false,
            is_own: self.flags & IS_OWN != 0,
        })
    }
}
