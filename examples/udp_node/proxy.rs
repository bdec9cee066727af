//! What a P-CSCF does with messages beside the procedures of the library: it passes them on (TS 24.229 5.2.2, 5.2.6).
//!
//! What was passed on it need not remember; `passing.rs` does. A branch of ours is made of the one before it, so that a request
//! that comes again, an ACK of a refusal and a CANCEL have that of the first (RFC 3261 16.11); and a request for a UE finds its
//! way in the token of the Path, or of Record-Route.
//!
//! What it has not: strict routers (RFC 3261 16.4, 16.6 step 6); the transport that a URI in Route or Service-Route names, as
//! the size of a request alone chooses it; a route that is compared with that of the dialog entry by entry (TS 24.229 5.2.6.3),
//! as it keeps no dialogs; UEs at one address that are told apart by more than what they say.

use std::net::SocketAddrV4;

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    pcscf::strip_trust_marks,
    wire::{
        Contact, Edit, Element, HeaderName, MAGIC_COOKIE, Message, Method, NameAddr, Uri, Via,
        rewrite,
    },
};

use crate::{
    hop::{content_length, whole, with_lines},
    passage::{Going, Hop},
    peer::{Peer, Transport},
    seal::Seal,
    ues::{Speaker, Ues},
};

/// The Max-Forwards that a request is given that has none.
const MAX_FORWARDS: u8 = 70;

pub struct Proxy {
    element: Element,
    identifiers: Identifiers,
    seal: Seal,
    limits: Limits,
}

/// What a token of a flow is good for. A UE sees those of other UEs, in the dialogs that it has with them: in the place of
/// another each is worth nothing.
enum Use<'m> {
    /// It stands in Path.
    Registration,
    /// It stands in Record-Route; the Call-ID.
    Dialog(&'m [u8]),
}

/// Why a request is not passed on: the status that is owed.
pub type Refusal = u16;

/// A request that is to be sent on.
pub struct Onward {
    pub bytes: Vec<u8>,
    /// The next entry in Route, where there is one.
    pub route: Option<Vec<u8>>,
    pub over_tcp: bool,
}

impl Onward {
    /// It goes on to the element there, over the transport that its Via names.
    pub fn towards(self, address: SocketAddrV4) -> Going {
        let peer = match self.over_tcp {
            true => Peer::tcp(address),
            false => Peer::udp(address),
        };
        Going {
            bytes: self.bytes,
            hop: Hop::Element(peer),
        }
    }
}

/// A response that is to be sent on.
pub struct Back {
    pub bytes: Vec<u8>,
    /// The branch of ours that it came with.
    pub branch: Vec<u8>,
}

impl Proxy {
    /// By the seal it knows its branches and tokens again, even those of an earlier start.
    pub fn new(element: Element, identifiers: Identifiers, seal: Seal) -> Self {
        Self {
            element,
            seal,
            identifiers,
            limits: Limits::default(),
        }
    }

    /// The branch of ours for a request: another one for each transaction (RFC 3261 17.2.3).
    pub fn branch(&self, request: &Message<'_>) -> Option<String> {
        self.branch_after(&request.via().ok()?, request)
    }

    /// The branch of ours above that Via. ACK and CANCEL have that of their INVITE; and what a client of RFC 2543 sends, whose
    /// branch says nothing, is told apart by what its response has too.
    fn branch_after(&self, via: &Via<'_>, message: &Message<'_>) -> Option<String> {
        let cseq = message.cseq().ok()?;
        let method = match cseq.method {
            Method::Ack | Method::Cancel => Method::Invite,
            method => method,
        };
        let branch = via.branch().filter(|it| it.starts_with(MAGIC_COOKIE));
        let (call_id, number) = match branch {
            Some(_) => (&b""[..], 0),
            None => (message.call_id().ok()?, cseq.number),
        };
        let sealed = self.seal.of(&[
            b"branch",
            via.sent_by_raw(),
            via.received().unwrap_or_default(),
            &via.rport().flatten().unwrap_or_default().to_be_bytes(),
            branch.unwrap_or_default(),
            call_id,
            &number.to_be_bytes(),
            method.as_bytes(),
        ]);
        Some(format!("z9hG4bK{sealed}"))
    }

    /// A REGISTER of a UE (TS 24.229 5.2.2.1): what a UE may not say is removed, what the P-CSCF vouches for is added.
    pub fn register(
        &mut self,
        flow: Peer,
        visited_network: &str,
        bytes: &[u8],
    ) -> Result<Onward, Refusal> {
        let clean = self.without_trust_marks(bytes)?;
        let request = self.read(&clean)?;
        let branch = self.branch(&request).ok_or(400u16)?;
        let passed = self.edited(&request, self.without_own_route(&request))?;
        let sent_by = text(self.element.sent_by());
        let vector = self.charging_vector();
        let outbound = if has_flow(&request) { ";ob" } else { "" };
        let token = self.token(flow, &Use::Registration);
        let added = format!(
            "Path: <sip:{token}@{sent_by};lr{outbound}>\r\n\
             Require: path\r\n\
             P-Visited-Network-ID: {visited_network}\r\n\
             {vector}"
        );
        Ok(self.onward(passed, &branch, &added, None))
    }

    /// The flow over which a REGISTER came that was passed on: it stands in our Path. `None` of another request.
    pub fn flow_of_register(&self, bytes: &[u8]) -> Option<Peer> {
        let request = Message::parse(bytes, &self.limits).ok()?;
        if request.method() != Some(Method::Register) {
            return None;
        }
        let path = request.name_addrs(HeaderName::Path).next()?.ok()?;
        self.flow_of(path.uri().user()?, &Use::Registration)
    }

    /// Any other request of a UE that is registered (TS 24.229 5.2.6.3). It takes the Service-Route of the registration,
    /// whatever route the UE has chosen, but within a dialog whose route begins here.
    pub fn originating(&mut self, speaker: &Speaker<'_>, bytes: &[u8]) -> Result<Onward, Refusal> {
        let clean = self.without_trust_marks(bytes)?;
        let request = self.read(&clean)?;
        let branch = self.branch(&request).ok_or(400u16)?;
        let is_within_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        let is_of_dialog = self.has_route_of_dialog(speaker.flow, &request);
        let service_route = speaker.service_route.filter(|_| !is_of_dialog);
        let mut added = String::new();
        let (passed, route) = match service_route {
            Some(service_route) => {
                added.push_str(&format!("Route: {service_route}\r\n"));
                let routes = NameAddr::parse_list(service_route.as_bytes()).flatten();
                (self.edited(&request, without_routes)?, next_uri(routes))
            }
            None => {
                let passed = self.edited(&request, self.without_own_route(&request))?;
                (passed, next_uri(self.routes_after_own(&request)))
            }
        };
        added.push_str(&self.record_route(speaker.flow, &request));
        if !is_within_dialog {
            added.push_str(&self.charging_vector());
        }
        if request.method() != Some(Method::Ack) {
            added.push_str(&format!("P-Asserted-Identity: <{}>\r\n", speaker.identity));
        }
        Ok(self.onward(passed, &branch, &added, route))
    }

    /// A request of the core for a UE (TS 24.229 5.2.6.4).
    pub fn terminating(&self, ues: &Ues, bytes: &[u8]) -> Result<Going, Refusal> {
        let request = self.read(bytes)?;
        let branch = self.branch(&request).ok_or(400u16)?;
        let flow = self.flow_for(&request, ues)?;
        let kept = is_for_ue(&request);
        let mut routed = self.without_own_route(&request);
        let passed = self.edited(&request, |name| match kept(name) {
            true => routed(name),
            false => Edit::Drop,
        })?;
        let added = self.record_route(flow, &request);
        let via = self.via(flow.transport, &branch);
        let bytes = with_lines(&passed, &format!("{via}{added}"));
        let hop = Hop::Flow(flow);
        Ok(Going { bytes, hop })
    }

    /// Any request, between elements of the core: it is changed as little as RFC 3261 16.6 has it, and the next ones of
    /// a dialog that it begins come this way too.
    pub fn through(&self, bytes: &[u8]) -> Result<Onward, Refusal> {
        let request = self.read(bytes)?;
        let branch = self.branch(&request).ok_or(400u16)?;
        let passed = self.edited(&request, self.without_own_route(&request))?;
        let route = next_uri(self.routes_after_own(&request));
        let added = match begins_dialog(&request) {
            true => format!("Record-Route: <{};lr>\r\n", text(self.element.uri())),
            false => String::new(),
        };
        Ok(self.onward(passed, &branch, &added, route))
    }

    /// A response to a request that went [through](Self::through). `None` for any other.
    pub fn back_through(&self, bytes: &[u8]) -> Option<Back> {
        self.returned(bytes, |_| true)
    }

    /// A response to a request that was passed on. `None` for any other. What of it is nothing of a UE's, a UE may not have
    /// said either: it is kept from both.
    pub fn back(&self, bytes: &[u8]) -> Option<Back> {
        let response = Message::parse(bytes, &self.limits).ok()?;
        self.returned(bytes, is_for_ue(&response))
    }

    /// A response without our Via, and with 500 in the place of 503 (RFC 3261 16.7 step 6): another next hop may do better.
    /// It has those fields alone that stay. Our branch is of the Via below it, and of no other.
    fn returned(&self, bytes: &[u8], stays: impl Fn(HeaderName) -> bool) -> Option<Back> {
        let response = Message::parse(bytes, &self.limits).ok()?;
        let mut vias = response.vias();
        let own = vias.next()?.ok()?;
        if own.sent_by_raw() != self.element.sent_by() {
            return None;
        }
        let next = vias.next()?.ok()?;
        let branch = own.branch()?.to_vec();
        if self.branch_after(&next, &response)?.into_bytes() != branch {
            return None;
        }
        let others = response.header(HeaderName::Via)?.raw();
        let others = others.get(own.raw().len()..)?.trim_ascii_start();
        let others = others.strip_prefix(b",").map(<[u8]>::trim_ascii_start);
        let mut is_top = true;
        let passed = self.rewritten(&response, |name| match name {
            HeaderName::Via if std::mem::take(&mut is_top) => {
                others.map_or(Edit::Drop, Edit::Replace)
            }
            name if stays(name) => Edit::Keep,
            _ => Edit::Drop,
        });
        let bytes = match response.status() {
            Some(503) => with_status(&passed?, b"SIP/2.0 500 Server Internal Error"),
            _ => passed?,
        };
        Some(Back { bytes, branch })
    }

    /// A message of a UE, without what only the network may say.
    pub fn without_trust_marks(&self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut clean = Buffer::new(self.limits.message_bytes);
        strip_trust_marks(bytes, &self.limits, &mut clean).map_err(|_| 400u16)?;
        Ok(clean.as_slice().to_vec())
    }

    fn read<'m>(&self, bytes: &'m [u8]) -> Result<Message<'m>, Refusal> {
        Message::parse(bytes, &self.limits).map_err(|_| 400)
    }

    /// The request with one hop less, or with a first count of them (RFC 3261 16.3, 16.6 step 3), and edited besides.
    fn edited<'e>(
        &self,
        request: &Message<'_>,
        mut edit: impl FnMut(HeaderName) -> Edit<'e>,
    ) -> Result<Vec<u8>, Refusal> {
        let hops = request.max_forwards().map_err(|_| 400u16)?;
        let left = hops.unwrap_or(MAX_FORWARDS).checked_sub(1).ok_or(483u16)?;
        let passed = self.rewritten(request, |name| match name {
            HeaderName::MaxForwards => Edit::ReplaceOwned(left.to_string().into_bytes()),
            name => edit(name),
        });
        let passed = passed.ok_or(500u16)?;
        Ok(match hops {
            Some(_) => passed,
            None => with_lines(&passed, &format!("Max-Forwards: {MAX_FORWARDS}\r\n")),
        })
    }

    fn rewritten<'e>(
        &self,
        message: &Message<'_>,
        mut edit: impl FnMut(HeaderName) -> Edit<'e>,
    ) -> Option<Vec<u8>> {
        let mut buffer = Buffer::new(self.limits.message_bytes);
        rewrite(message, &mut buffer, |field| edit(field.name));
        let bytes = whole(buffer)?;
        Some(match message.header(HeaderName::ContentLength) {
            Some(_) => bytes,
            // Over TCP nothing else says where it ends (RFC 3261 18.3).
            None => with_lines(&bytes, &content_length(message.body())),
        })
    }

    /// The request with our Via on top of what is added; over TCP if it is too large for UDP (RFC 3261 18.1.1).
    fn onward(&self, passed: Vec<u8>, branch: &str, added: &str, route: Option<Vec<u8>>) -> Onward {
        let via = self.via(Transport::Udp, branch);
        let over_tcp = passed.len() + via.len() + added.len() > self.element.udp_limit();
        let via = match over_tcp {
            true => self.via(Transport::Tcp, branch),
            false => via,
        };
        Onward {
            bytes: with_lines(&passed, &format!("{via}{added}")),
            route,
            over_tcp,
        }
    }

    fn via(&self, transport: Transport, branch: &str) -> String {
        let transport = match transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        let sent_by = text(self.element.sent_by());
        format!("Via: SIP/2.0/{transport} {sent_by};branch={branch}\r\n")
    }

    /// What charging knows it by (RFC 7315 4.6; TS 24.229 5.2.2.1, 5.2.6.3). What goes within a dialog had the one of that,
    /// which is not remembered here.
    fn charging_vector(&mut self) -> String {
        let [host, ioi] = [self.element.host(), self.element.ioi()].map(text);
        let icid = self.identifiers.next();
        format!("P-Charging-Vector: icid-value={icid};icid-generated-at={host};orig-ioi={ioi}\r\n")
    }

    /// RFC 3261 16.6 step 4: what begins a dialog has its other requests come this way too, with the UE's token.
    fn record_route(&self, flow: Peer, request: &Message<'_>) -> String {
        if !begins_dialog(request) {
            return String::new();
        }
        let sent_by = text(self.element.sent_by());
        let call_id = request.call_id().unwrap_or_default();
        let token = self.token(flow, &Use::Dialog(call_id));
        format!("Record-Route: <sip:{token}@{sent_by};lr>\r\n")
    }

    /// What stands for a UE's flow. It is sealed, for whoever sends it chooses whom we send to (RFC 5626 5.2).
    fn token(&self, flow: Peer, of: &Use<'_>) -> String {
        let flow = format!("{:x}", flow.number());
        let (kind, call_id) = match *of {
            Use::Registration => (&b"registration"[..], &b""[..]),
            Use::Dialog(call_id) => (&b"dialog"[..], call_id),
        };
        let sealed = self.seal.of(&[kind, flow.as_bytes(), call_id]);
        format!("ue{flow}-{sealed}")
    }

    fn flow_of(&self, token: &[u8], of: &Use<'_>) -> Option<Peer> {
        let text = std::str::from_utf8(token).ok()?;
        let (flow, _) = text.strip_prefix("ue")?.split_once('-')?;
        let flow = Peer::of_number(u64::from_str_radix(flow, 16).ok()?)?;
        (self.token(flow, of) == text).then_some(flow)
    }

    /// The flow of whom a request is for, as the token on top of Route says: one of its dialog, or of a registration that
    /// there is. Without a token it is that of the contact.
    fn flow_for(&self, request: &Message<'_>, ues: &Ues) -> Result<Peer, Refusal> {
        let Some(token) = self.own_token(request) else {
            let contact = request.request_uri().unwrap_or_default();
            return ues.find(contact).ok_or(480u16)?.flow().ok_or(430);
        };
        let of_dialog = Use::Dialog(request.call_id().unwrap_or_default());
        if let Some(flow) = self.flow_of(&token, &of_dialog) {
            return Ok(flow);
        }
        let flow = self.flow_of(&token, &Use::Registration).ok_or(403u16)?;
        match ues.are_over(flow) {
            true => Ok(flow),
            false => Err(430),
        }
    }

    /// Whether a request has the route of its dialog: it begins where we have put ourselves into it, for the UE's address.
    fn has_route_of_dialog(&self, of: Peer, request: &Message<'_>) -> bool {
        let of_dialog = Use::Dialog(request.call_id().unwrap_or_default());
        let token = self.own_token(request);
        let flow = token.and_then(|token| self.flow_of(&token, &of_dialog));
        request.to().is_ok_and(|to| to.tag().is_some())
            && flow.is_some_and(|flow| flow.address.ip() == of.address.ip())
    }

    /// The token on top of Route, if the entry there is ours.
    fn own_token(&self, request: &Message<'_>) -> Option<Vec<u8>> {
        let route = request.name_addrs(HeaderName::Route).next()?.ok()?;
        let uri = route.uri();
        let token = uri.user().filter(|_| self.is_own(&route))?;
        Some(token.to_vec())
    }

    fn is_own(&self, route: &NameAddr<'_>) -> bool {
        Uri::parse(self.element.uri()).is_ok_and(|own| route.uri().same_host_port(&own))
    }

    /// The entries in Route below ours. All of ours that are on top go, however often the sender has put us there.
    fn routes_after_own<'m>(&self, request: &Message<'m>) -> impl Iterator<Item = NameAddr<'m>> {
        let routes = request.name_addrs(HeaderName::Route).flatten();
        routes.skip_while(|route| self.is_own(route))
    }

    /// Takes our entries off the top of Route (RFC 3261 16.4).
    fn without_own_route(
        &self,
        request: &Message<'_>,
    ) -> impl FnMut(HeaderName) -> Edit<'static> + use<> {
        let top = request.name_addrs(HeaderName::Route).flatten().next();
        let is_on_top = top.is_some_and(|top| self.is_own(&top));
        let others = self.routes_after_own(request).map(|it| it.raw().to_vec());
        let mut others = others.collect::<Vec<_>>().join(&b", "[..]);
        move |name| match name {
            HeaderName::Route if is_on_top => match std::mem::take(&mut others) {
                others if others.is_empty() => Edit::Drop,
                others => Edit::ReplaceOwned(others),
            },
            _ => Edit::Keep,
        }
    }
}

/// Which fields of a message go on to a UE: not what the core says to itself (TS 24.229 4.4, 4.5.2, 5.2.2.1), nor the
/// identity of whoever wants to be unknown (RFC 3325 7, 9.3).
fn is_for_ue(message: &Message<'_>) -> impl Fn(HeaderName) -> bool + use<> {
    // What cannot be read may say so.
    let hides_identity = message
        .privacy()
        .any(|value| value.map_or(true, |value| value.is(b"id")));
    move |name| match name {
        HeaderName::PChargingVector
        | HeaderName::PChargingFunctionAddresses
        | HeaderName::PServedUser
        | HeaderName::PProfileKey
        | HeaderName::PUserDatabase => false,
        HeaderName::PAssertedIdentity => !hides_identity,
        _ => true,
    }
}

fn with_status(response: &[u8], line: &[u8]) -> Vec<u8> {
    let end = response.windows(2).position(|pair| pair == b"\r\n");
    let rest = response.get(end.unwrap_or_default()..).unwrap_or_default();
    [line, rest].concat()
}

fn next_uri<'m>(mut routes: impl Iterator<Item = NameAddr<'m>>) -> Option<Vec<u8>> {
    Some(routes.next()?.uri_bytes().to_vec())
}

fn without_routes(name: HeaderName) -> Edit<'static> {
    match name {
        HeaderName::Route => Edit::Drop,
        _ => Edit::Keep,
    }
}

fn begins_dialog(request: &Message<'_>) -> bool {
    matches!(
        request.method(),
        Some(Method::Invite | Method::Subscribe | Method::Refer)
    )
}

/// Whether a contact is a flow (RFC 5626 4.2).
fn has_flow(register: &Message<'_>) -> bool {
    register
        .contacts()
        .any(|contact| matches!(contact, Ok(Contact::Addr(contact)) if contact.reg_id().is_some()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
