//! What a message of a notifier says, read for the [`Subscription`](super::subscriber::Subscription).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    defect,
    subscriber::{Dialog, Input, Notified, Response},
};
use crate::{
    dialog::route_set,
    drive::{Defect, Limits, Misuse, Reject, Token},
    reginfo,
    wire::{
        Header, HeaderName, Message, NameAddr, Required, SubState, register::retry_after,
        status_owed,
    },
};

/// Why a NOTIFY says that a subscription is terminated (RFC 6665 4.1.3, RFC 4660 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Termination {
    /// `deactivated`: to be subscribed anew at once.
    Deactivated,
    /// `probation`: to be subscribed anew later.
    Probation,
    /// `rejected`: by a change of policy; not to be subscribed anew.
    Rejected,
    /// `timeout`: its time ran out.
    Timeout,
    /// `giveup`: the notifier could not find out whether it is allowed.
    GiveUp,
    /// `noresource`: there is nothing to subscribe to any more.
    NoResource,
    /// `invariant`: the state will not change any more.
    Invariant,
    /// `badfilter`: the filter cannot be used.
    BadFilter,
    /// None, or one that is not registered.
    #[default]
    Other,
}

impl Termination {
    /// Reads the `reason` of Subscription-State, in any case.
    #[must_use]
    pub fn parse(reason: &[u8]) -> Self {
        const NAMES: [(&[u8], Termination); 8] = [
            (b"deactivated", Termination::Deactivated),
            (b"probation", Termination::Probation),
            (b"rejected", Termination::Rejected),
            (b"timeout", Termination::Timeout),
            (b"giveup", Termination::GiveUp),
            (b"noresource", Termination::NoResource),
            (b"invariant", Termination::Invariant),
            (b"badfilter", Termination::BadFilter),
        ];
        let named = |(name, _): &&(&[u8], Self)| reason.eq_ignore_ascii_case(name);
        NAMES.iter().find(named).map_or(Self::Other, |(_, is)| *is)
    }
}

/// A NOTIFY, read as far as its dialog goes.
pub struct Notification<'m> {
    pub(crate) required: Required<'m>,
    /// Its To tag: ours.
    pub local_tag: &'m [u8],
    /// Its From tag: the notifier's.
    pub remote_tag: &'m [u8],
    /// Its CSeq number.
    pub cseq: u32,
    state: SubState,
    expires: Option<u32>,
    reason: Termination,
    retry_after: Option<u32>,
    target: Option<&'m [u8]>,
    routes: Vec<u8>,
}

/// Why a NOTIFY is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status code owed.
    pub status: u16,
    /// What was wrong.
    pub reject: Reject,
}

impl Refusal {
    /// A refusal for a defect at byte `at`.
    #[must_use]
    pub fn new(status: u16, defect: &'static Defect, at: usize) -> Self {
        Self {
            status,
            reject: Reject::new(defect, at),
        }
    }
}

impl From<Reject> for Refusal {
    /// The status that the wire layer says; 400 for what a document does wrong.
    fn from(reject: Reject) -> Self {
        Self {
            status: status_owed(reject.defect).unwrap_or(400),
            reject,
        }
    }
}

/// Why a request is not taken: a refusal of the peer, or a mistake of the host.
pub(crate) enum Denied {
    Refused(Refusal),
    Misuse(Misuse),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Reject> for Denied {
    fn from(reject: Reject) -> Self {
        Self::Refused(reject.into())
    }
}

impl From<Misuse> for Denied {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl<'m> Notification<'m> {
    /// [RE-10] Reads a NOTIFY of the `reg` package. A missing Subscription-State counts as active.
    ///
    /// # Errors
    /// The status owed: 489 for another or no package (compared case-sensitively, RFC 6665 8.2.1), 481 for
    /// an event id we never gave, 415 for a body of another type, else what
    /// [`status_owed`] says: 400 for what is missing or cannot be read, or a dialog
    /// larger than the limits.
    pub fn read(message: &Message<'m>, limits: &Limits) -> Result<Self, Refusal> {
        let at = |name| message.header(name).map_or(0, Header::at);
        let event = message.event()?;
        let id = match event {
            Some(event) if event.package == b"reg" => event.id,
            _ => return Err(Refusal::new(489, &defect::BAD_EVENT, at(HeaderName::Event))),
        };
        if id.is_some() {
            let at = at(HeaderName::Event);
            return Err(Refusal::new(481, &defect::UNKNOWN_EVENT_ID, at));
        }
        if !message.body().is_empty() && !message.content_type_is(reginfo::CONTENT_TYPE) {
            let at = at(HeaderName::ContentType);
            return Err(Refusal::new(415, &defect::BODY_TYPE, at));
        }
        let stated = message.subscription_state()?;
        let reason = stated.and_then(|stated| stated.reason);
        let required = Required::read(message)?;
        let (from, to) = (required.from, required.to);
        let (target, routes) = dialog(message, [from, to], false, limits)?;
        Ok(Self {
            local_tag: to.tag().unwrap_or_default(),
            remote_tag: from.tag().unwrap_or_default(),
            cseq: required.cseq,
            required,
            state: stated.map_or(SubState::Active, |stated| stated.state),
            expires: stated.and_then(|stated| stated.expires),
            reason: reason.map_or(Termination::Other, Termination::parse),
            retry_after: stated.and_then(|stated| stated.retry_after),
            target,
            routes,
        })
    }

    /// Its Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &'m [u8] {
        self.required.call_id
    }

    /// The URI of From.
    #[must_use]
    pub fn notifier(&self) -> &'m [u8] {
        self.required.from.uri_bytes()
    }

    /// The URI of To.
    #[must_use]
    pub fn subscriber(&self) -> &'m [u8] {
        self.required.to.uri_bytes()
    }

    /// Whether it says that the subscription is terminated.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.state == SubState::Terminated
    }

    /// As the machine takes it, before its document is read.
    #[must_use]
    pub fn input(&self) -> Input<'_> {
        Input::Notify(Notified {
            cseq: self.cseq,
            state: self.state,
            expires: self.expires,
            reason: self.reason,
            retry_after: self.retry_after,
            dialog: Dialog {
                remote_tag: self.remote_tag,
                target: self.target,
                routes: &self.routes,
            },
            nothing_left: false,
        })
    }
}

/// A response to a SUBSCRIBE of ours.
pub struct Acceptance<'m> {
    status: u16,
    expires: Option<u32>,
    min_expires: Option<u32>,
    retry_after: Option<u32>,
    remote_tag: &'m [u8],
    target: Option<&'m [u8]>,
    routes: Vec<u8>,
}

impl<'m> Acceptance<'m> {
    /// Reads a final response to a SUBSCRIBE. A 202 is as good as a 200 (RFC 6665 8.3.1).
    ///
    /// # Errors
    /// [`Reject`] if the dialog of a 2xx cannot be read or exceeds the limits.
    pub fn read(message: &Message<'m>, limits: &Limits) -> Result<Self, Reject> {
        let status = message.status().unwrap_or_default();
        if !(200..300).contains(&status) {
            return Ok(Self {
                status,
                expires: None,
                min_expires: message.min_expires().ok().flatten(),
                retry_after: retry_after(message),
                remote_tag: b"",
                target: None,
                routes: Vec::new(),
            });
        }
        let (from, to) = (message.from()?, message.to()?);
        let (target, routes) = dialog(message, [from, to], true, limits)?;
        Ok(Self {
            status,
            expires: message.expires().ok().flatten(),
            min_expires: None,
            retry_after: None,
            remote_tag: to.tag().unwrap_or_default(),
            target,
            routes,
        })
    }

    /// As the machine takes it.
    #[must_use]
    pub fn input(&self, token: Token) -> Input<'_> {
        Input::Response(Response {
            token,
            status: self.status,
            expires: self.expires,
            min_expires: self.min_expires,
            retry_after: self.retry_after,
            dialog: Dialog {
                remote_tag: self.remote_tag,
                target: self.target,
                routes: &self.routes,
            },
        })
    }
}

/// [RE-5] Target and route set, if the dialog with them is one that can be kept.
fn dialog<'m>(
    message: &Message<'m>,
    parties: [NameAddr<'m>; 2],
    reversed: bool,
    limits: &Limits,
) -> Result<(Option<&'m [u8]>, Vec<u8>), Reject> {
    let target = target(message)?;
    let routes = route_set(message, reversed)?;
    let size = parties
        .iter()
        .map(|party| party.raw().len())
        .chain([target.map_or(0, <[u8]>::len), routes.len()])
        .fold(0, usize::saturating_add);
    if size > limits.registration_bytes {
        return Err(Reject::new(&defect::DIALOG_TOO_LARGE, 0));
    }
    Ok((target, routes))
}

/// The URI of the first Contact.
pub(crate) fn target<'m>(message: &Message<'m>) -> Result<Option<&'m [u8]>, Reject> {
    match message.name_addrs(HeaderName::Contact).next() {
        Some(contact) => Ok(Some(contact?.uri_bytes())),
        None => Ok(None),
    }
}
