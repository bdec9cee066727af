//! One end of a session that the test plays: its INVITE or its 200, and what it sends in the dialog.

use crate::peer::{Peer, values};

/// What is offered and answered: so many streams from that port on.
pub fn description(peer: &Peer, streams: &[u16]) -> String {
    let (ip, _) = peer.address.split_once(':').unwrap();
    let mut text = format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n");
    for port in streams {
        text.push_str(&format!(
            "m=message {port} TCP/MSRP *\r\na=accept-types:*\r\n"
        ));
    }
    text
}

/// The ports of the streams of a message.
pub fn ports(message: &str) -> Vec<u16> {
    let lines = message
        .lines()
        .filter_map(|line| line.strip_prefix("m=message "));
    lines
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect()
}

pub fn with_body(head: &str, body: &str) -> String {
    let length = body.len();
    match body {
        "" => format!("{head}Content-Length: 0\r\n\r\n"),
        body => {
            format!("{head}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}")
        }
    }
}

/// A response to a request, with a tag of its own where To has none.
pub fn response(request: &str, status: &str, lines: &str, body: &str) -> String {
    let mut head = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
        for value in values(request, name) {
            let tag = match name == "To" && !value.contains(";tag=") {
                true => ";tag=callee",
                false => "",
            };
            head.push_str(&format!("{name}: {value}{tag}\r\n"));
        }
    }
    with_body(&format!("{head}{lines}"), body)
}

/// The end that calls.
pub struct Caller<'p> {
    pub peer: &'p Peer,
    to: String,
    pub invite: String,
    cseq: u32,
}

impl<'p> Caller<'p> {
    /// Sends an INVITE to the element at that address, with more lines.
    pub fn call(peer: &'p Peer, to: &str, lines: &str, body: &str) -> Self {
        let invite = Self::write(peer, lines, body);
        peer.send(to, &invite);
        Self {
            peer,
            to: to.to_owned(),
            invite,
            cseq: 1,
        }
    }

    /// The INVITE.
    pub fn write(peer: &Peer, lines: &str, body: &str) -> String {
        let address = &peer.address;
        let head = format!(
            "INVITE sip:bob@home2.test SIP/2.0\r\n\
             Via: SIP/2.0/UDP {address};branch=z9hG4bK-invite\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:alice@home1.test>;tag=caller\r\n\
             To: <sip:bob@home2.test>\r\n\
             Call-ID: call@{address}\r\n\
             CSeq: 1 INVITE\r\n\
             Contact: <sip:alice@{address}>;+g.oma.sip-im\r\n{lines}"
        );
        with_body(&head, body)
    }

    /// A request within the dialog that this response of the INVITE has made.
    pub fn within(&mut self, method: &str, response: &str, lines: &str) -> String {
        let cseq = match method {
            "ACK" => 1,
            _ => {
                self.cseq += 1;
                self.cseq
            }
        };
        let contact = values(response, "Contact")[0];
        let target = contact.trim_start_matches('<').split('>').next().unwrap();
        let mut routes = values(response, "Record-Route");
        routes.reverse();
        let routes: String = routes
            .iter()
            .map(|route| format!("Route: {route}\r\n"))
            .collect();
        let one = |name: &str| values(response, name)[0].to_owned();
        format!(
            "{method} {target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {};branch=z9hG4bK-{method}{cseq}\r\n\
             Max-Forwards: 70\r\n\
             {routes}From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
             {lines}Content-Length: 0\r\n\r\n",
            self.peer.address,
            one("From"),
            one("To"),
            one("Call-ID"),
        )
    }

    pub fn send(&self, request: &str) {
        self.peer.send(&self.to, request);
    }

    /// CANCEL, or the ACK of a refusal: what goes the way of the INVITE.
    pub fn beside(&self, method: &str, to: &str) -> String {
        let one = |name: &str| values(&self.invite, name)[0];
        format!(
            "{method} sip:bob@home2.test SIP/2.0\r\n\
             Via: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\n\
             CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n",
            one("Via"),
            one("From"),
            one("Call-ID"),
        )
    }
}

/// A request of the end that was called, in the dialog of the INVITE that it has got.
pub fn of_callee(peer: &Peer, invite: &str, method: &str, lines: &str) -> String {
    let one = |name: &str| values(invite, name)[0];
    let target = one("Contact")
        .trim_start_matches('<')
        .split('>')
        .next()
        .unwrap();
    let routes: String = values(invite, "Record-Route")
        .iter()
        .map(|route| format!("Route: {route}\r\n"))
        .collect();
    format!(
        "{method} {target} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {};branch=z9hG4bK-callee\r\n\
         Max-Forwards: 70\r\n\
         {routes}From: {};tag=callee\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 {method}\r\n\
         {lines}Content-Length: 0\r\n\r\n",
        peer.address,
        one("To"),
        one("From"),
        one("Call-ID"),
    )
}
