//! [RFC 3261 12.2.1.1] Requests within a dialog.

use super::Dialog;
use crate::{
    drive::{Buffer, Identifier},
    wire::{Element, HeaderName, NameAddr, Writer, register::first_uri},
};

impl<'a> Dialog<'a> {
    /// [RFC 3261 12.2.1.1] Begins a request within the dialog: request line, Via of the element, Max-Forwards (70),
    /// Route, From, To, Call-ID and CSeq. The rest is the caller's: Contact in what refreshes the target, and the
    /// end of the message.
    ///
    /// Where the first of the route set is a strict router, its URI stands in the request line, and the remote
    /// target is the last Route (RFC 3261 16.12). A request that makes a dialog is begun in the same way, without a
    /// remote tag, its Request-URI for the remote target, and the routes it is given for the route set (8.1.1.1).
    pub fn request<'b>(
        &self,
        buffer: &'b mut Buffer,
        element: &Element,
        method: &[u8],
        cseq: u32,
        branch: Identifier,
    ) -> Writer<'b> {
        let strict = self.strict_router();
        let mut message = match strict {
            Some((router, _)) => Writer::request(buffer, method, &router.uri().for_request_line()),
            None => Writer::request(buffer, method, self.remote_target),
        };
        element
            .write_via(&mut message, branch)
            .number(HeaderName::MaxForwards, 70);
        match strict {
            Some((_, [])) => {
                message.parts(HeaderName::Route, &[b"<", self.remote_target, b">"]);
            }
            Some((_, rest)) => {
                message.parts(HeaderName::Route, &[rest, b", <", self.remote_target, b">"]);
            }
            None if !self.route_set.is_empty() => {
                message.header(HeaderName::Route, self.route_set);
            }
            None => {}
        }
        write_party(
            &mut message,
            HeaderName::From,
            self.local_uri,
            self.local_tag,
        );
        write_party(
            &mut message,
            HeaderName::To,
            self.remote_uri,
            self.remote_tag,
        );
        message
            .header(HeaderName::CallId, self.call_id)
            .cseq(cseq, method);
        message
    }

    /// [RFC 3261 15.1.1] Begins the BYE. `reason` is the whole value of its Reason (RFC 3326), commas between several;
    /// empty for none.
    pub fn bye<'b>(
        &self,
        buffer: &'b mut Buffer,
        element: &Element,
        cseq: u32,
        branch: Identifier,
        reason: &[u8],
    ) -> Writer<'b> {
        let mut message = self.request(buffer, element, b"BYE", cseq, branch);
        if !reason.is_empty() {
            message.header(HeaderName::Reason, reason);
        }
        message
    }

    /// [RFC 3261 8.1.2] The URI of the next hop of a request within the dialog: the first of the route set, be it a
    /// loose router or a strict one, else the remote target.
    #[must_use]
    pub fn next_hop(&self) -> &'a [u8] {
        first_uri(self.route_set).unwrap_or(self.remote_target)
    }

    /// The first of the route set, if it is a strict router, and the addresses after it.
    fn strict_router(&self) -> Option<(NameAddr<'a>, &'a [u8])> {
        let mut routes = NameAddr::parse_list(self.route_set);
        let router = routes.next()?.ok()?;
        let rest = routes.rest();
        (!router.uri().is_loose_router()).then_some((router, rest))
    }
}

fn write_party(message: &mut Writer<'_>, name: HeaderName, uri: &[u8], tag: &[u8]) {
    match tag {
        [] => message.parts(name, &[b"<", uri, b">"]),
        tag => message.parts(name, &[b"<", uri, b">;tag=", tag]),
    };
}
