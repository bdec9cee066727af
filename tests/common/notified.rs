//! A node with one subscription, and the NOTIFYs that come to it: each full, with three registrations, one CSeq
//! and one version after the other, a second apart.

use std::path::Path;

use ims_procedures::{
    drive::{
        Answer, Identifiers, Limits, Millis, Node, Outbox, Output, Role, Source, TransactionRef,
    },
    pcscf::{self, PcscfNode},
    regevent::{
        node::{self, Registration, SubscriberNode},
        subscriber,
    },
    wire::{Element, HeaderName, Message},
};

const IDENTITY: &str = "sip:001010100000000@ims.mnc001.mcc001.3gppnetwork.org";
pub const PRIVATE_IDENTITY: &str = "001010100000000@ims.mnc001.mcc001.3gppnetwork.org";
const CONTACT: &str = "sip:001010100000000@[2001:db8::1:0]:1357;comp=sigcomp";
const ELEMENT: &str = "sip:pcscf1.visited1.net:5060";
/// CSeq and version of the NOTIFY before the first: all that follow have as many digits.
const BEFORE: u32 = 1_000_000_000;
const DIGITS: usize = 10;

/// A node that is subscribed, and the next NOTIFY to it.
pub struct Notified<N: Node> {
    pub node: N,
    out: Outbox<N::Role>,
    now: Millis,
    pub notify: Vec<u8>,
    number: u32,
    /// Where CSeq and version stand.
    places: [usize; 2],
}

pub fn watcher_config() -> node::Config {
    let mut subscription = subscriber::Config::new(element());
    subscription.support_reg_event = true;
    let mut config = node::Config::new(subscription);
    config.limits = limits();
    config
}

/// Nothing but a watcher.
pub fn watcher() -> Notified<SubscriberNode> {
    let node = SubscriberNode::new(watcher_config(), Identifiers::new([7; 32], 1, 3)).unwrap();
    let registered = node::Command::LearnRegistered(Registration {
        private_identity: PRIVATE_IDENTITY.as_bytes(),
        public_identity: IDENTITY.as_bytes(),
        flow: CONTACT.as_bytes(),
        expires: 600_000,
        trunk_group: b"",
        service_route: b"",
        emergency: false,
        implicit: false,
    });
    Notified::new(node, registered)
}

/// A P-CSCF.
pub fn pcscf() -> Notified<PcscfNode> {
    let mut config = pcscf::Config::new(element(), b"visited1.net");
    config.subscription.support_reg_event = true;
    config.limits = limits();
    let node = PcscfNode::new(config, Identifiers::new([7; 32], 1, 3)).unwrap();
    let (request, response) = (registering("REGISTER"), registering("200"));
    let learn = pcscf::Command::Learn {
        request: &request,
        response: &response,
        trunk_group: b"",
    };
    Notified::new(node, learn)
}

fn element() -> Element {
    Element::new(ELEMENT.as_bytes(), b"visited1.net").unwrap()
}

fn limits() -> Limits {
    Limits::default()
}

impl<N: Node> Notified<N> {
    fn new(mut node: N, registered: <N::Role as Role>::Command<'_>) -> Self {
        let now = Millis(1_000);
        let mut out = Outbox::for_steps(1);
        node.command(now, registered, &mut out).unwrap();
        let (token, subscribe) = match out.iter().next() {
            Some(Output::Request { token, bytes, .. }) => (token, bytes.to_vec()),
            other => panic!("{other:?}"),
        };
        out.clear();
        let answer = Answer::Response(&accepted(&subscribe));
        node.answer(now, token, answer, &mut out).unwrap();
        out.clear();
        let notify = notify(&subscribe);
        let digits = BEFORE.to_string();
        let text = std::str::from_utf8(&notify).unwrap();
        let at = |before: &str| text.find(&format!("{before}{digits}")).unwrap() + before.len();
        let mut notified = Self {
            node,
            out,
            now,
            number: BEFORE,
            places: [at("CSeq: "), at("version=\"")],
            notify,
        };
        notified.advance();
        assert!(notified.receive() > 0);
        notified
    }

    /// The next NOTIFY: its digits are written over those of the one before, and a second passes.
    pub fn advance(&mut self) {
        self.now = self.now.after(1_000);
        self.number += 1;
        let mut digits = [b'0'; DIGITS];
        let mut rest = self.number;
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        for place in self.places {
            self.notify[place..place + DIGITS].copy_from_slice(&digits);
        }
    }

    /// The NOTIFY is received. Length of the 200 in the outbox, 0 without one.
    pub fn receive(&mut self) -> usize {
        self.out.clear();
        let (from, back) = (Source::TrustedCore, TransactionRef(1));
        let received = self
            .node
            .receive(self.now, from, back, &self.notify, &mut self.out);
        received.unwrap();
        let answers = self.out.iter().filter_map(|output| match output {
            Output::Respond {
                status: 200, bytes, ..
            } => Some(bytes.len()),
            _ => None,
        });
        answers.sum()
    }
}

/// The 200 to a SUBSCRIBE.
fn accepted(subscribe: &[u8]) -> Vec<u8> {
    let message = Message::parse(subscribe, &Limits::default()).unwrap();
    let line = |name| {
        let value = message.header(name).unwrap().raw();
        String::from_utf8_lossy(value).into_owned()
    };
    format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=31415\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:scscf1.home1.net>\r\nExpires: 600000\r\nContent-Length: 0\r\n\r\n",
        line(HeaderName::Via),
        line(HeaderName::From),
        line(HeaderName::To),
        line(HeaderName::CallId),
        line(HeaderName::CSeq),
    )
    .into_bytes()
}

/// The NOTIFY of the fixtures, in the dialog of a SUBSCRIBE.
fn notify(subscribe: &[u8]) -> Vec<u8> {
    let subscribe = Message::parse(subscribe, &Limits::default()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let contact = subscribe.name_addrs(HeaderName::Contact).next();
    let target = text(contact.unwrap().unwrap().uri_bytes());
    let tag = text(subscribe.from().unwrap().tag().unwrap());
    let call_id = text(subscribe.call_id().unwrap());
    let fixture = text(&fixture("sip/ims_notify.sip"));
    let (head, body) = fixture.split_once("\r\n\r\n").unwrap();
    let version = format!("version=\"{BEFORE}\"");
    let body = body.replacen("version=\"3\"", &version, 1);
    let head = [
        (
            "NOTIFY sip:pcscf1.visited1.net:5060",
            format!("NOTIFY {target}"),
        ),
        ("tag=151170", format!("tag={tag}")),
        ("b89rjhnedlrfjflslj40a222", call_id),
        ("CSeq: 42", format!("CSeq: {BEFORE}")),
        ("2771", body.len().to_string()),
    ]
    .iter()
    .fold(head.to_owned(), |head, (from, to)| {
        head.replacen(from, to, 1)
    });
    [head.as_str(), "\r\n\r\n", body.as_str()]
        .concat()
        .into_bytes()
}

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// The REGISTER of the user, or its 200.
fn registering(which: &str) -> Vec<u8> {
    let (start, expires, rest) = match which {
        "200" => (
            "SIP/2.0 200 OK",
            ";expires=600000",
            format!(
                "P-Associated-URI: <{IDENTITY}>, <tel:+15550000001>,\r\n \
                 <sip:001010100000002@ims.mnc001.mcc001.3gppnetwork.org>\r\nService-Route: <sip:scscf1.home1.net;lr>\r\n"
            ),
        ),
        _ => (
            "REGISTER sip:ims.mnc001.mcc001.3gppnetwork.org SIP/2.0",
            "",
            format!(
                "Authorization: Digest username=\"{PRIVATE_IDENTITY}\",realm=\"ims\",nonce=\"x\",\
                 uri=\"sip:ims.mnc001.mcc001.3gppnetwork.org\",response=\"\"\r\n"
            ),
        ),
    };
    format!(
        "{start}\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.net:5060;branch=z9hG4bKp1\r\n\
         From: <{IDENTITY}>;tag=4fa3\r\n\
         To: <{IDENTITY}>;tag=409sp3\r\n\
         Call-ID: apb03a0s09dkjdfglkj49111\r\nCSeq: 1 REGISTER\r\n\
         Contact: <{CONTACT}>;+sip.instance=\"<urn:gsma:imei:90420156-000000-0>\"{expires}\r\n\
         Path: <{ELEMENT};lr>\r\n\
         {rest}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
