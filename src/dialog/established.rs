//! [RFC 3261 12.1] Reading a dialog from the messages that make it.

use alloc::vec::Vec;
use core::fmt;

use super::{Dialog, Sequence, defect};
use crate::{
    drive::{Defect, Reject},
    wire::{
        Contact, ContactAddr, Header, HeaderName, Message, Method, NameAddr, Scheme, Uri,
        register::unfolded,
    },
};

/// A dialog that an INVITE and its 2xx have made, as one of its ends sees it.
#[derive(Clone)]
pub struct Established<'m> {
    /// But for what [`dialog`](Self::dialog) adds.
    dialog: Dialog<'m>,
    route_set: Vec<u8>,
    local_contact: Vec<u8>,
    sequence: Sequence,
}

impl fmt::Debug for Established<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Established")
            .field("dialog", &self.dialog())
            .field("sequence", &self.sequence)
            .finish()
    }
}

impl<'m> Established<'m> {
    /// [RFC 3261 12.1.2] The dialog as it is to the UAC: whoever sent the INVITE. Its route set is the Record-Route of
    /// the 2xx in reverse order.
    ///
    /// # Errors
    /// [`Reject`], at the byte of the message at fault: what cannot be read, and the [`defect`]s.
    pub fn of_uac(request: &Message<'m>, response: &Message<'m>) -> Result<Self, Reject> {
        let made = Made::read(request, response)?;
        Ok(Self {
            dialog: Dialog {
                call_id: made.call_id,
                local_uri: made.from.uri_bytes(),
                local_tag: made.from_tag,
                remote_uri: made.to.uri_bytes(),
                remote_tag: made.to_tag,
                remote_target: made.answered.uri_bytes(),
                is_secure: made.is_secure,
                ..Dialog::default()
            },
            route_set: route_set(response, true)?,
            local_contact: unfolded(made.offered.raw()),
            sequence: Sequence {
                local: made.cseq,
                remote: None,
            },
        })
    }

    /// [RFC 3261 12.1.1] The dialog as it is to the UAS: whoever sent the 2xx. Its route set is the Record-Route of
    /// the INVITE in order.
    ///
    /// # Errors
    /// [`Reject`], at the byte of the message at fault: what cannot be read, and the [`defect`]s.
    pub fn of_uas(request: &Message<'m>, response: &Message<'m>) -> Result<Self, Reject> {
        let made = Made::read(request, response)?;
        Ok(Self {
            dialog: Dialog {
                call_id: made.call_id,
                local_uri: made.to.uri_bytes(),
                local_tag: made.to_tag,
                remote_uri: made.from.uri_bytes(),
                remote_tag: made.from_tag,
                remote_target: made.offered.uri_bytes(),
                is_secure: made.is_secure,
                ..Dialog::default()
            },
            route_set: route_set(request, false)?,
            local_contact: unfolded(made.answered.raw()),
            sequence: Sequence {
                local: 0,
                remote: Some(made.cseq),
            },
        })
    }

    /// The dialog.
    #[must_use]
    pub fn dialog(&self) -> Dialog<'_> {
        Dialog {
            route_set: &self.route_set,
            local_contact: &self.local_contact,
            ..self.dialog
        }
    }

    /// Its sequence numbers.
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }
}

/// What an INVITE and its 2xx say to both ends alike.
struct Made<'m> {
    call_id: &'m [u8],
    from: NameAddr<'m>,
    from_tag: &'m [u8],
    to: NameAddr<'m>,
    to_tag: &'m [u8],
    cseq: u32,
    /// The Contact of the INVITE.
    offered: ContactAddr<'m>,
    /// The Contact of the 2xx.
    answered: ContactAddr<'m>,
    is_secure: bool,
}

impl<'m> Made<'m> {
    fn read(request: &Message<'m>, response: &Message<'m>) -> Result<Self, Reject> {
        if request.method() != Some(Method::Invite) {
            return Err(Reject::new(&defect::NOT_AN_INVITE, 0));
        }
        if !matches!(response.status(), Some(200..=299)) {
            return Err(Reject::new(&defect::NOT_A_2XX, 0));
        }
        let (from, to) = (request.from()?, request.to()?);
        let (call_id, cseq) = (request.call_id()?, request.cseq()?);
        if to.tag().is_some() {
            return Err(at(request, HeaderName::To, &defect::WITHIN_DIALOG));
        }
        let from_tag = from.tag();
        let is_answer = response.call_id()? == call_id
            && response.from()?.tag() == from_tag
            && response.cseq()? == cseq;
        if !is_answer {
            return Err(Reject::new(&defect::OTHER_REQUEST, 0));
        }
        let is_secure = request.request_uri().is_some_and(is_sips);
        let no_from_tag = || at(request, HeaderName::From, &defect::NO_FROM_TAG);
        let no_to_tag = || at(response, HeaderName::To, &defect::NO_TO_TAG);
        Ok(Self {
            call_id,
            from,
            from_tag: from_tag.ok_or_else(no_from_tag)?,
            to,
            to_tag: response.to()?.tag().ok_or_else(no_to_tag)?,
            cseq: cseq.number,
            offered: required_contact(request, is_secure)?,
            answered: required_contact(response, is_secure)?,
            is_secure,
        })
    }
}

fn is_sips(uri: &[u8]) -> bool {
    Uri::parse(uri).is_ok_and(|uri| uri.scheme() == Scheme::Sips)
}

/// [RFC 3261 12.2.1.2, 12.2.2] The remote target that a message within the dialog names: a re-INVITE, UPDATE or the
/// 2xx to one. `None` where it has no Contact, which leaves the target as it is.
///
/// # Errors
/// [`Reject`] for a Contact that cannot be read, is not the only one, or is of another scheme than it must be.
pub fn remote_target<'m>(
    message: &Message<'m>,
    is_secure: bool,
) -> Result<Option<&'m [u8]>, Reject> {
    Ok(contact(message, is_secure)?.map(|contact| contact.uri_bytes()))
}

fn required_contact<'m>(message: &Message<'m>, is_secure: bool) -> Result<ContactAddr<'m>, Reject> {
    let missing = || Reject::new(&defect::NO_CONTACT, message.head_end());
    contact(message, is_secure)?.ok_or_else(missing)
}

fn contact<'m>(message: &Message<'m>, is_secure: bool) -> Result<Option<ContactAddr<'m>>, Reject> {
    let wrong = |what| Err(at(message, HeaderName::Contact, what));
    let mut contacts = message.contacts();
    let contact = match contacts.next().transpose()? {
        Some(Contact::Addr(contact)) => contact,
        Some(Contact::Star) => return wrong(&defect::ONE_CONTACT),
        None => return Ok(None),
    };
    if contacts.next().is_some() {
        return wrong(&defect::ONE_CONTACT);
    }
    match check_scheme(&contact.uri(), is_secure) {
        Ok(()) => Ok(Some(contact)),
        Err(reject) => wrong(reject.defect),
    }
}

/// Whether a Contact may name such a URI.
pub(super) fn check_scheme(uri: &Uri<'_>, is_secure: bool) -> Result<(), Reject> {
    match uri.scheme() {
        Scheme::Sips => Ok(()),
        Scheme::Sip if is_secure => Err(Reject::new(&defect::CONTACT_NOT_SIPS, 0)),
        Scheme::Sip => Ok(()),
        _ => Err(Reject::new(&defect::CONTACT_SCHEME, 0)),
    }
}

/// A refusal for what is wrong with a field of a message.
fn at(message: &Message<'_>, name: HeaderName, what: &'static Defect) -> Reject {
    let at = message.header(name).map_or(message.head_end(), Header::at);
    Reject::new(what, at)
}

/// The route set that the Record-Routes of a message make, joined as one Route value: in their order
/// for the receiver of a request, reversed for the receiver of a response (RFC 3261 12.1.1, 12.1.2).
pub(crate) fn route_set(message: &Message<'_>, reversed: bool) -> Result<Vec<u8>, Reject> {
    let mut routes = message
        .name_addrs(HeaderName::RecordRoute)
        .map(|route| route.map(|route| route.raw()))
        .collect::<Result<Vec<_>, _>>()?;
    if reversed {
        routes.reverse();
    }
    Ok(unfolded(&routes.join(b", ".as_slice())))
}
