//! What a B2BUA writes to set a session up: the INVITE to each leg, and what the caller is answered with. What follows in
//! the dialogs, the library's `dialog` writes.

use ims_procedures::{
    dialog::Established,
    drive::{Buffer, Identifier, Identifiers, Limits},
    wire::{Contact, Edit, Element, HeaderName, MAGIC_COOKIE, Message, Writer, rewrite},
};

use crate::hop::{content_length, whole, with_lines};

/// What a response to the caller may say of why.
const REASONS: [HeaderName; 6] = [
    HeaderName::Reason,
    HeaderName::Warning,
    HeaderName::RetryAfter,
    HeaderName::WwwAuthenticate,
    HeaderName::ProxyAuthenticate,
    HeaderName::Unsupported,
];

pub struct Pen {
    element: Element,
    pub identifiers: Identifiers,
}

/// A request, the branch in its Via, and whether it goes over TCP.
pub struct Written {
    pub bytes: Vec<u8>,
    pub branch: Vec<u8>,
    pub over_tcp: bool,
}

impl Pen {
    pub const fn new(element: Element, identifiers: Identifiers) -> Self {
        Self {
            element,
            identifiers,
        }
    }

    /// An INVITE of our own, with another offer: what is end to end stays; Call-ID, From tag, Via, Contact and routes are
    /// ours; no extension is offered, since this end has none. An IWF is told nothing that is for the core alone.
    pub fn invite(&mut self, invite: &Message<'_>, offer: &[u8], is_iwf: bool) -> Option<Written> {
        let (branch, call_id, tag) = (
            self.identifiers.next(),
            self.identifiers.next(),
            self.identifiers.next(),
        );
        let from = invite.from().ok()?;
        let from = [b"<", from.uri_bytes(), b">;tag=", &tag.text()].concat();
        let call_id = call_id.text();
        let hops = invite.max_forwards().ok()?;
        let hops = hops.map_or(Some(70), |hops| hops.checked_sub(1))?;
        let (hops, length) = (hops.to_string(), offer.len().to_string());
        let contact = self.contact(invite);
        let branch = [MAGIC_COOKIE, &branch.text()].concat();
        let write = |transport: &[u8]| {
            let sent_by = self.element.sent_by();
            let via = [b"SIP/2.0/", transport, b" ", sent_by, b";branch=", &branch].concat();
            let mut is_top = true;
            let mut buffer = Buffer::new(Limits::default().message_bytes);
            rewrite(invite, &mut buffer, |field| match field.name {
                HeaderName::Via if std::mem::take(&mut is_top) => Edit::ReplaceOwned(via.clone()),
                HeaderName::MaxForwards => Edit::Replace(hops.as_bytes()),
                HeaderName::From => Edit::Replace(&from),
                HeaderName::CallId => Edit::Replace(&call_id),
                HeaderName::CSeq => Edit::Replace(b"1 INVITE"),
                HeaderName::Contact => Edit::Replace(&contact),
                HeaderName::ContentLength => Edit::Replace(length.as_bytes()),
                name if ends_here(name) || is_iwf && is_of_core(name) => Edit::Drop,
                _ => Edit::Keep,
            });
            buffer.truncate(buffer.len() - invite.body().len());
            buffer.put(offer);
            let mut missing = String::new();
            if invite.header(HeaderName::MaxForwards).is_none() {
                missing.push_str(&format!("Max-Forwards: {hops}\r\n"));
            }
            if invite.header(HeaderName::ContentLength).is_none() {
                missing.push_str(&content_length(offer));
            }
            Some(with_lines(&whole(buffer)?, &missing))
        };
        let bytes = write(b"UDP")?;
        let over_tcp = bytes.len() > self.element.udp_limit();
        let bytes = match over_tcp {
            true => write(b"TCP")?,
            false => bytes,
        };
        Some(Written {
            bytes,
            branch,
            over_tcp,
        })
    }

    /// A request in the dialog that an INVITE from here and its 2xx have made, and its next hop: its ACK, or a BYE.
    pub fn within(
        &mut self,
        invite: &Message<'_>,
        response: &Message<'_>,
        method: &[u8],
    ) -> Option<(Written, Vec<u8>)> {
        let made = Established::of_uac(invite, response).ok()?;
        let dialog = made.dialog();
        let mut sequence = made.sequence();
        let cseq = match method {
            b"ACK" => sequence.local,
            _ => sequence.take_next(),
        };
        let branch = self.identifiers.next();
        let mut buffer = Buffer::new(Limits::default().message_bytes);
        dialog
            .request(&mut buffer, &self.element, method, cseq, branch)
            .finish();
        let bytes = whole(buffer)?;
        let written = Written {
            over_tcp: bytes.len() > self.element.udp_limit(),
            branch: [MAGIC_COOKIE, &branch.text()].concat(),
            bytes,
        };
        Some((written, dialog.next_hop().to_vec()))
    }

    /// A provisional response, or a refusal, after one that came on a leg.
    pub fn pass_back(
        &self,
        invite: &Message<'_>,
        status: u16,
        tag: Identifier,
        after: Option<&Message<'_>>,
    ) -> Option<Vec<u8>> {
        let mut buffer = Buffer::new(Limits::default().message_bytes);
        let tag = (status > 100).then_some(tag);
        let mut response = Writer::respond_to(&mut buffer, invite, status, tag);
        if (101..300).contains(&status) {
            self.element
                .write_address(&mut response, HeaderName::Contact);
            response.copy(invite, HeaderName::RecordRoute);
        }
        for name in REASONS {
            if let Some(after) = after {
                response.copy(after, name);
            }
        }
        response.finish();
        whole(buffer)
    }

    /// The 200, with the answer to the caller's offer. The features of the callee's Contact are those of ours.
    pub fn accept(
        &self,
        invite: &Message<'_>,
        tag: Identifier,
        (callee, answer): (&Message<'_>, &[u8]),
    ) -> Option<Vec<u8>> {
        let mut buffer = Buffer::new(Limits::default().message_bytes);
        let mut response = Writer::respond_to(&mut buffer, invite, 200, Some(tag));
        response
            .copy(invite, HeaderName::RecordRoute)
            .header(HeaderName::Contact, &self.contact(callee))
            .header(HeaderName::Allow, b"INVITE, ACK, CANCEL, BYE");
        response.body(b"application/sdp", |buffer| buffer.put(answer));
        whole(buffer)
    }

    /// Our Contact in the place of another's, with its features.
    fn contact(&self, message: &Message<'_>) -> Vec<u8> {
        let theirs = message.contacts().next();
        let params = match &theirs {
            Some(Ok(Contact::Addr(address))) => address.params_raw(),
            _ => b"",
        };
        [b"<", self.element.uri(), b">", params].concat()
    }
}

/// What of an INVITE does not pass a B2BUA.
fn ends_here(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::Via
            | HeaderName::Route
            | HeaderName::RecordRoute
            | HeaderName::Supported
            | HeaderName::Require
            | HeaderName::Allow
            | HeaderName::SessionExpires
            | HeaderName::MinSe
            | HeaderName::Authorization
            | HeaderName::ProxyAuthorization
            | HeaderName::MessageUid
    )
}

/// What stands in messages of the SIP/IP core, and means nothing to an IWF.
fn is_of_core(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::PAssertedIdentity
            | HeaderName::PServedUser
            | HeaderName::PCalledPartyId
            | HeaderName::PProfileKey
            | HeaderName::PVisitedNetworkId
            | HeaderName::PAccessNetworkInfo
            | HeaderName::PChargingFunctionAddresses
            | HeaderName::PChargingVector
            | HeaderName::AcceptContact
            | HeaderName::RejectContact
    )
}
