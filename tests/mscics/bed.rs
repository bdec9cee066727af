//! An MSC server and what goes in and out of it.

use ims_procedures::{
    dialog::{Dialog, Sequence},
    drive::{
        self, Identifier, Identifiers, Millis, Node, Outbox, Output, Source, Token, TransactionRef,
        Verdict,
    },
    mscics::{
        Answer, Audit, Cause, Command, Config, DialogRef, Event, MscNode, Mscics, NewDialog,
        Outcome, Question,
    },
    regevent::subscriber,
    wire::Element,
};

pub const DOMAIN: &str = "ics.mnc015.mcc234.3gppnetwork.org";
pub const PRIVATE: &str = "234150999999999@ics.mnc015.mcc234.3gppnetwork.org";
/// The temporary public identity, by which the subscriber is registered.
pub const TEMPORARY: &str = "sip:234150999999999@ics.mnc015.mcc234.3gppnetwork.org";
/// The default public identity of the set.
pub const DEFAULT: &str = "sip:+12125551111@home1.example.net;user=phone";
/// Another one of the set.
pub const OTHER: &str = "tel:+12125551111";
pub const CONTACT: &str = "sip:msc1.visited1.example.net:5060";
pub const PARAMS: &str = ";+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\";+g.3gpp.ics=\"server\";+g.3gpp.accesstype=\"cellular1\"";

pub fn element() -> Element {
    Element::new(
        b"sip:msc1.visited1.example.net:5060",
        b"visited1.example.net",
    )
    .unwrap()
}

pub fn config() -> Config {
    Config::new(element())
}

/// Without subscriptions.
pub fn plain() -> Config {
    let mut config = config();
    config.subscription.support_reg_event = false;
    config
}

pub fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

/// Of each REGISTER of the MSC server's host.
pub const CALL_ID: &str = "apb03a0s09dkjdfglkj49111";

/// A REGISTER as the MSC server sent it.
pub fn register(params: &str, cseq: u32) -> String {
    format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\n\
         Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKr{cseq}\r\n\
         Max-Forwards: 70\r\n\
         From: <{TEMPORARY}>;tag=4fa3\r\n\
         To: <{TEMPORARY}>\r\n\
         Call-ID: {CALL_ID}\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Contact: <{CONTACT}>{params}\r\n\
         Expires: 600000\r\n\
         Authorization: Digest username=\"{PRIVATE}\",realm=\"{DOMAIN}\",nonce=\"\",\
         uri=\"sip:{DOMAIN}\",response=\"\",integrity-protected=\"auth-done\"\r\n\
         Path: <sip:term@msc1.visited1.example.net:5060;lr>\r\n\
         Supported: path\r\n\
         P-Visited-Network-ID: \"Visited Network Number 1\"\r\n\
         P-Access-Network-Info: 3GPP-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11;network-provided\r\n\
         P-Charging-Vector: icid-value=1;icid-generated-at=msc1.visited1.example.net;orig-ioi=visited1.example.net\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Its 200.
pub fn register_200(params: &str, cseq: u32) -> String {
    format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKr{cseq}\r\n\
         From: <{TEMPORARY}>;tag=4fa3\r\n\
         To: <{TEMPORARY}>;tag=409sp3\r\n\
         Call-ID: {CALL_ID}\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Contact: <{CONTACT}>{params};expires=3600\r\n\
         P-Associated-URI: <{DEFAULT}>, <{OTHER}>\r\n\
         Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n\
         Content-Length: 0\r\n\r\n"
    )
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
    },
    Ask {
        token: Token,
        key: Identifier,
        about: String,
        dialog: u64,
    },
    Event(String, Event),
}

impl Out {
    /// What it is, in short: a method, the number of a dialog, or the event.
    pub fn brief(&self) -> String {
        match self {
            Self::Request { bytes, .. } => {
                let text = String::from_utf8_lossy(bytes);
                text.split(' ').next().unwrap().to_owned()
            }
            Self::Respond { status, .. } => status.to_string(),
            Self::Ask { dialog, .. } => format!("release {dialog}"),
            Self::Event(_, Event::Deregistered { .. }) => "Deregistered".to_owned(),
            Self::Event(_, Event::Cancelled { .. }) => "Cancelled".to_owned(),
            Self::Event(_, Event::Audited(_)) => "Audited".to_owned(),
            Self::Event(_, Event::Subscription(event)) => match event {
                subscriber::Event::Subscribed { .. } => "Subscribed".to_owned(),
                subscriber::Event::SubscriptionEnded { .. } => "SubscriptionEnded".to_owned(),
                other => format!("{other:?}"),
            },
            Self::Event(_, other) => format!("{other:?}"),
        }
    }
}

pub fn briefs(out: &[Out]) -> Vec<String> {
    out.iter().map(Out::brief).collect()
}

/// A node with its outbox.
pub struct Bed {
    pub node: MscNode,
    pub out: Outbox<Mscics>,
    pub now: Millis,
}

impl Bed {
    pub fn new(config: Config) -> Self {
        Self {
            node: MscNode::new(config, identifiers(1)).unwrap(),
            out: Outbox::for_steps(1),
            now: Millis(1_000),
        }
    }

    /// A node with the subscriber of the fixtures registered.
    pub fn registered(config: Config) -> Self {
        let mut bed = Self::new(config);
        bed.register();
        bed
    }

    /// What was put out, which is thereby taken.
    pub fn take(&mut self) -> Vec<Out> {
        let text = |text| String::from_utf8_lossy(self.out.text(text)).into_owned();
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
                Output::Respond { to, status, .. } => Out::Respond { to, status },
                Output::Ask {
                    token,
                    question:
                        Question::DialogRelease {
                            key,
                            affected,
                            dialog,
                        },
                } => Out::Ask {
                    token,
                    key: *key,
                    about: format!(
                        "{} {}",
                        text(affected.private_identity),
                        text(affected.public_identity)
                    ),
                    dialog: dialog.0,
                },
                Output::Event(event) => {
                    let whom = match event {
                        Event::Deregistered { affected, .. }
                        | Event::Cancelled { affected, .. }
                        | Event::Audited(Audit { affected, .. }) => {
                            format!(
                                "{} {}",
                                text(affected.private_identity),
                                text(affected.public_identity)
                            )
                        }
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
        };
        assert_eq!(self.command(command), Verdict::Handled);
        self.take()
    }

    /// Registers the subscriber of the fixtures.
    pub fn register(&mut self) -> Vec<Out> {
        self.learn(&register(PARAMS, 1), &register_200(PARAMS, 1))
    }

    pub fn inactive(&mut self, cause: Cause) -> Vec<Out> {
        let private_identity = PRIVATE.as_bytes();
        let command = Command::Inactive {
            private_identity,
            cause,
        };
        assert_eq!(self.command(command), Verdict::Handled);
        self.take()
    }

    pub fn returned(&mut self) -> Vec<Out> {
        let private_identity = PRIVATE.as_bytes();
        let command = Command::Returned { private_identity };
        assert_eq!(self.command(command), Verdict::Handled);
        self.take()
    }

    /// Gives the node dialogs of the host's own.
    pub fn add_dialogs(&mut self, numbers: &[u64]) {
        for number in numbers {
            assert_eq!(self.add(OTHER, *number, None), Verdict::Handled);
            assert_eq!(self.take(), []);
        }
    }

    pub fn add(
        &mut self,
        public_identity: &str,
        number: u64,
        held: Option<(Dialog<'_>, Sequence)>,
    ) -> Verdict {
        self.command(Command::DialogAdded {
            private_identity: PRIVATE.as_bytes(),
            public_identity: public_identity.as_bytes(),
            dialog: NewDialog {
                dialog: DialogRef(number),
                held,
            },
        })
    }

    pub fn dialog_ended(&mut self, number: u64) -> Vec<Out> {
        let command = Command::DialogEnded {
            private_identity: PRIVATE.as_bytes(),
            dialog: DialogRef(number),
        };
        assert_eq!(self.command(command), Verdict::Handled);
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
        self.answer(token, drive::Answer::Response(bytes))
    }

    pub fn answer(&mut self, token: Token, answer: drive::Answer<'_, Mscics>) -> Vec<Out> {
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

/// The one request among outputs.
pub fn request(out: &[Out]) -> (Token, Vec<u8>) {
    let mut requests = out.iter().filter_map(|out| match out {
        Out::Request { token, bytes, .. } => Some((*token, bytes.clone())),
        _ => None,
    });
    let first = requests.next().expect("a request");
    assert!(requests.next().is_none(), "one request only");
    first
}

/// The branch of a request.
pub fn branch(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let (_, rest) = text.split_once("branch=").unwrap();
    rest.split(['\r', ';']).next().unwrap().to_owned()
}

/// The questions among outputs: token and dialog.
pub fn asked(out: &[Out]) -> Vec<(Token, u64)> {
    let asked = out.iter().filter_map(|out| match out {
        Out::Ask {
            token,
            dialog,
            about,
            ..
        } => {
            assert_eq!(about, &format!("{PRIVATE} {TEMPORARY}"));
            Some((*token, *dialog))
        }
        _ => None,
    });
    asked.collect()
}

/// What the one outcome says: cause, outcome, REGISTERs, dialogs left, whether to register anew.
pub fn outcome(out: &[Out]) -> (Cause, Outcome, u8, u8, bool) {
    let mut outcomes = out.iter().filter_map(|out| match out {
        Out::Event(
            whom,
            Event::Deregistered {
                cause,
                outcome,
                registers,
                dialogs_left,
                register_anew,
                ..
            },
        ) => {
            assert_eq!(whom, &format!("{PRIVATE} {TEMPORARY}"));
            Some((*cause, *outcome, *registers, *dialogs_left, *register_anew))
        }
        _ => None,
    });
    let first = outcomes
        .next()
        .unwrap_or_else(|| panic!("an outcome in {out:?}"));
    assert!(outcomes.next().is_none(), "one outcome only");
    first
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
pub struct Subscription {
    target: String,
    call_id: String,
    tag: String,
}

impl Subscription {
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
             From: <{DEFAULT}>;tag=scscf1\r\n\
             To: <{DEFAULT}>;tag={}\r\n\
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

/// A document of the whole set.
pub fn document(version: u32, registration: &str, contact: &str, event: &str) -> String {
    document_by(version, registration, contact, event, "")
}

/// The same; the contacts have more attributes: `callid` and `cseq` of the REGISTER that changed them last.
pub fn document_by(
    version: u32,
    registration: &str,
    contact: &str,
    event: &str,
    changed_by: &str,
) -> String {
    let registrations: String = [DEFAULT, OTHER, TEMPORARY]
        .iter()
        .enumerate()
        .map(|(number, aor)| {
            format!(
                "<registration aor=\"{aor}\" id=\"r{number}\" state=\"{registration}\">\
                 <contact id=\"c{number}\" state=\"{contact}\" event=\"{event}\"{changed_by}><uri>{CONTACT}</uri>\
                 <unknown-param name=\"+sip.instance\">\"&lt;urn:gsma:imei:90420156-025763-0&gt;\"</unknown-param>\
                 </contact></registration>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"{version}\" \
         state=\"full\">{registrations}</reginfo>"
    )
}

/// A node with the subscriber registered and its subscription active.
pub fn subscribed(config: Config) -> (Bed, Subscription) {
    let mut bed = Bed::new(config);
    let (token, subscribe) = request(&bed.register());
    let subscription = Subscription::of(&subscribe);
    let accepted = response(
        200,
        &subscribe,
        "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n",
    );
    assert_eq!(bed.respond(token, &accepted), []);
    let active = document(0, "active", "active", "registered");
    let notify = subscription.notify(1, "active;expires=3660", &active);
    let (verdict, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(verdict, Verdict::Handled);
    assert_eq!(briefs(&out), ["Subscribed", "200"]);
    (bed, subscription)
}
