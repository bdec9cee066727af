//! A P-CSCF and what goes in and out of it.

use ims_procedures::{
    drive::{
        self, Identifier, Identifiers, Millis, Node, Outbox, Output, Source, Token, TransactionRef,
        Verdict,
    },
    pcscf::{
        Affected, Answer, Cause, Command, Config, Event, Evidence, Outcome, Pcscf, PcscfNode,
        Question, Ue,
    },
    regevent::subscriber,
    wire::Element,
};

pub const CONTACT: &str = "sip:[2001:db8::aaa:bbb]:1357;comp=sigcomp";
pub const INSTANCE: &str = "<urn:gsma:imei:90420156-025763-0>";
pub const PRIVATE: &str = "user1_private@home1.example.net";
pub const PUBLIC: &str = "sip:user1_public1@home1.example.net";

pub fn element() -> Element {
    Element::new(
        b"sip:pcscf1.visited1.example.net:5070",
        b"visited1.example.net",
    )
    .unwrap()
}

pub fn config() -> Config {
    let mut config = Config::new(element(), b"\"Visited Network Number 1\"");
    config.subscription.support_reg_event = true;
    config
}

pub fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

/// A REGISTER as the P-CSCF sent it to the core.
pub fn register(contact: &str, cseq: u32) -> String {
    format!(
        "REGISTER sip:home1.example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp{cseq}\r\n\
         Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKu{cseq}\r\n\
         Max-Forwards: 69\r\n\
         From: <{PUBLIC}>;tag=4fa3\r\n\
         To: <{PUBLIC}>\r\n\
         Call-ID: apb03a0s09dkjdfglkj49111\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Contact: {contact}\r\n\
         Authorization: Digest username=\"{PRIVATE}\",realm=\"home1.example.net\",nonce=\"x\",\
         uri=\"sip:home1.example.net\",response=\"6629fae49393a05397450978507c4ef1\",\
         integrity-protected=\"yes\"\r\n\
         Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n\
         Require: path\r\n\
         Supported: path\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Its 200.
pub fn register_200(contact: &str, cseq: u32) -> String {
    format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp{cseq}\r\n\
         Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKu{cseq}\r\n\
         From: <{PUBLIC}>;tag=4fa3\r\n\
         To: <{PUBLIC}>;tag=409sp3\r\n\
         Call-ID: apb03a0s09dkjdfglkj49111\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Contact: {contact}\r\n\
         P-Associated-URI: <{PUBLIC}>, <tel:+12125551111>\r\n\
         Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n\
         Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// The contact of the fixtures, as the UE registers it.
pub fn contact(expires: Option<u32>) -> String {
    let expires = expires.map_or(String::new(), |e| format!(";expires={e}"));
    format!("<{CONTACT}>;+sip.instance=\"{INSTANCE}\";reg-id=1{expires}")
}

/// What a node put out, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Request {
        token: Token,
        hops: Vec<String>,
        bytes: Vec<u8>,
    },
    Respond {
        to: TransactionRef,
        status: u16,
        bytes: Vec<u8>,
    },
    Ask {
        token: Token,
        what: &'static str,
        key: Identifier,
        about: String,
    },
    Event(String, Event),
}

/// A node with its outbox.
pub struct Bed {
    pub node: PcscfNode,
    pub out: Outbox<Pcscf>,
    pub now: Millis,
}

impl Bed {
    pub fn new(config: Config) -> Self {
        Self {
            node: PcscfNode::new(config, identifiers(1)).unwrap(),
            out: Outbox::for_steps(1),
            now: Millis(1_000),
        }
    }

    /// What was put out, which is thereby taken.
    pub fn take(&mut self) -> Vec<Out> {
        let text = |text| String::from_utf8_lossy(self.out.text(text)).into_owned();
        let about = |affected: &Affected| {
            format!(
                "{} {} {}",
                text(affected.private_identity),
                text(affected.public_identity),
                text(affected.contact)
            )
        };
        let taken = self
            .out
            .iter()
            .map(|output| match output {
                Output::Request {
                    token,
                    next_hops,
                    bytes,
                    ..
                } => Out::Request {
                    token,
                    hops: next_hops
                        .map(|h| String::from_utf8_lossy(h).into_owned())
                        .collect(),
                    bytes: bytes.to_vec(),
                },
                Output::Respond { to, status, bytes } => Out::Respond {
                    to,
                    status,
                    bytes: bytes.to_vec(),
                },
                Output::Ask { token, question } => {
                    let (what, key, affected) = match question {
                        Question::OwedDelivery { key, affected } => ("delivery", key, affected),
                        Question::SecurityAssociationRelease { key, affected } => {
                            ("security association", key, affected)
                        }
                        Question::SecurityAssociationShortening {
                            key,
                            affected,
                            milliseconds: 128_000,
                        } => ("shortening", key, affected),
                        Question::BearerRelease {
                            key,
                            affected,
                            termination_cause: 1,
                        } => ("bearer", key, affected),
                        other => panic!("{other:?}"),
                    };
                    Out::Ask {
                        token,
                        what,
                        key: *key,
                        about: about(affected),
                    }
                }
                Output::Event(event) => {
                    let whom = match event {
                        Event::Deregistered { affected, .. }
                        | Event::Cancelled { affected, .. }
                        | Event::AccessLost { affected, .. }
                        | Event::AccessDoubted { affected, .. } => about(affected),
                        Event::Audited(audit) => about(&audit.affected),
                        _ => String::new(),
                    };
                    Out::Event(whom, *event)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        self.out.clear();
        taken
    }

    pub fn learn(&mut self, request: &str, response: &str) -> Vec<Out> {
        let command = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        let verdict = self.node.command(self.now, command, &mut self.out).unwrap();
        assert_eq!(verdict, Verdict::Handled);
        self.take()
    }

    /// Registers the user of the fixtures.
    pub fn register(&mut self) -> Vec<Out> {
        let (request, response) = (
            register(&contact(Some(600_000)), 1),
            register_200(&contact(Some(3_600)), 1),
        );
        self.learn(&request, &response)
    }

    pub fn lose(&mut self, contact: &str) -> Vec<Out> {
        let command = Command::AccessLost {
            ue: Ue::at(contact.as_bytes()),
            evidence: Evidence::BearerLost,
        };
        let verdict = self.node.command(self.now, command, &mut self.out).unwrap();
        assert_eq!(verdict, Verdict::Handled);
        self.take()
    }

    pub fn report(&mut self, evidence: Evidence) -> Vec<Out> {
        let contact = CONTACT.as_bytes();
        let verdict = self.command(Command::AccessLost {
            ue: Ue::at(contact),
            evidence,
        });
        assert_eq!(verdict, Verdict::Handled);
        self.take()
    }

    pub fn command(&mut self, command: Command<'_>) -> Verdict {
        self.node.command(self.now, command, &mut self.out).unwrap()
    }

    pub fn receive(&mut self, from: Source, bytes: &[u8]) -> (Verdict, Vec<Out>) {
        let txn = TransactionRef(77);
        let verdict = self
            .node
            .receive(self.now, from, txn, bytes, &mut self.out)
            .unwrap();
        (verdict, self.take())
    }

    pub fn respond(&mut self, token: Token, bytes: &[u8]) -> Vec<Out> {
        let answer = drive::Answer::Response(bytes);
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    pub fn answer(&mut self, token: Token, answer: drive::Answer<'_, Pcscf>) -> Vec<Out> {
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    pub fn done(&mut self, token: Token) -> Vec<Out> {
        self.answer(token, Answer::Done.into())
    }

    /// Advances to the next deadline, which must bear this name, and ticks once.
    pub fn fire(&mut self, timer: &str) -> Vec<Out> {
        let (at, named) = self.node.deadline().expect("a deadline");
        assert_eq!(named.0, timer);
        self.now = self.now.max(at);
        self.tick()
    }

    pub fn tick(&mut self) -> Vec<Out> {
        self.node.tick(self.now, &mut self.out).unwrap();
        self.take()
    }
}

/// What several tests take out of outputs and put in.
pub fn request(out: &[Out]) -> (Token, Vec<u8>) {
    let mut requests = out.iter().filter_map(|out| match out {
        Out::Request { token, bytes, .. } => Some((*token, bytes.clone())),
        _ => None,
    });
    let first = requests.next().expect("a request");
    assert!(requests.next().is_none(), "one request only");
    first
}

pub fn ask(out: &[Out], what: &str) -> Token {
    match out {
        [
            ..,
            Out::Ask {
                token,
                what: asked,
                about,
                ..
            },
        ] => {
            assert_eq!(*asked, what);
            assert_eq!(about, &format!("{PRIVATE} {PUBLIC} {CONTACT}"));
            *token
        }
        other => panic!("expected {what}, found {other:?}"),
    }
}

pub fn response(status: u16, request: &[u8], extra: &str) -> Vec<u8> {
    let text = String::from_utf8(request.to_vec()).unwrap();
    let line = |name: &str| {
        let found = text.lines().find(|l| l.starts_with(name)).unwrap();
        found.to_owned()
    };
    format!(
        "SIP/2.0 {status} Whatever\r\n{}\r\n{}\r\n{};tag=scscf1\r\n{}\r\n{}\r\n{extra}Content-Length: 0\r\n\r\n",
        line("Via:"),
        line("From:"),
        line("To:").split(";tag").next().unwrap(),
        line("Call-ID:"),
        line("CSeq:"),
    )
    .into_bytes()
}

/// The header values of a subscription, from its SUBSCRIBE.
pub struct Dialog {
    pub target: String,
    pub call_id: String,
    pub tag: String,
}

impl Dialog {
    pub fn of(subscribe: &[u8]) -> Self {
        let text = String::from_utf8(subscribe.to_vec()).unwrap();
        let after = |mark: &str| {
            let (_, rest) = text.split_once(mark).unwrap();
            rest.split(['\r', '>']).next().unwrap().to_owned()
        };
        Self {
            target: after("Contact: <"),
            call_id: after("Call-ID: "),
            tag: after(";tag="),
        }
    }

    pub fn notify(&self, cseq: u32, state: &str, body: &str) -> Vec<u8> {
        format!(
            "NOTIFY {} SIP/2.0\r\n\
             Via: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKn{cseq}\r\n\
             Max-Forwards: 70\r\n\
             From: <{PUBLIC}>;tag=scscf1\r\n\
             To: <sip:pcscf1.visited1.example.net:5070>;tag={}\r\n\
             Call-ID: {}\r\n\
             CSeq: {cseq} NOTIFY\r\n\
             Contact: <sip:n@scscf1.home1.example.net:5080>\r\n\
             Event: reg\r\n\
             Subscription-State: {state}\r\n\
             Content-Type: application/reginfo+xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.target,
            self.tag,
            self.call_id,
            body.len()
        )
        .into_bytes()
    }
}

/// A document with one registration and these contacts: (uri, state, event, more attributes, children).
pub fn document(registration: &str, contacts: &[(&str, &str, &str, &str)]) -> String {
    let contacts: String = contacts
        .iter()
        .enumerate()
        .map(|(n, (uri, state, event, params))| {
            format!(
                "<contact id=\"c{n}\" state=\"{state}\" event=\"{event}\" expires=\"0\"><uri>{uri}</uri>{params}</contact>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" state=\"full\">\
         <registration aor=\"{PUBLIC}\" id=\"r0\" state=\"{registration}\">{contacts}</registration></reginfo>"
    )
}

/// A node with the user registered and its subscription active.
pub fn subscribed() -> (Bed, Dialog) {
    subscribed_at(config())
}

pub fn subscribed_at(config: Config) -> (Bed, Dialog) {
    let mut bed = Bed::new(config);
    let (token, subscribe) = request(&bed.register());
    let dialog = Dialog::of(&subscribe);
    let accepted = response(
        200,
        &subscribe,
        "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n",
    );
    assert_eq!(bed.respond(token, &accepted), []);
    let active = document("active", &[(CONTACT, "active", "registered", "")]);
    let (verdict, out) = bed.receive(
        Source::TrustedCore,
        &dialog.notify(1, "active;expires=3660", &active),
    );
    assert_eq!(verdict, Verdict::Handled);
    assert!(matches!(
        out[..],
        [
            Out::Event(
                _,
                Event::Subscription(subscriber::Event::Subscribed { expires: 3660, .. })
            ),
            Out::Respond { status: 200, .. }
        ]
    ));
    (bed, dialog)
}

pub fn terminated() -> String {
    document("terminated", &[(CONTACT, "terminated", "unregistered", "")])
}

/// Answers the cleanup step by step and gives the outcome.
pub fn clean_up(bed: &mut Bed, out: &[Out]) -> Event {
    let out = bed.done(ask(out, "delivery"));
    let out = bed.done(ask(&out, "security association"));
    let out = bed.done(ask(&out, "bearer"));
    match &out[..] {
        [Out::Event(whom, event), ..] => {
            assert_eq!(whom, &format!("{PRIVATE} {PUBLIC} {CONTACT}"));
            *event
        }
        other => panic!("{other:?}"),
    }
}

pub fn outcome(event: Event) -> (Cause, Outcome, u8) {
    match event {
        Event::Deregistered {
            cause,
            outcome,
            registers,
            ..
        } => (cause, outcome, registers),
        other => panic!("{other:?}"),
    }
}
