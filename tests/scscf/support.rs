//! A host of an S-CSCF node, for tests: it makes messages, and reads what the node wants done.

use ims_procedures::{
    drive::{
        Answer, Identifiers, Millis, Misuse, Node, Outbox, Output, Source, Token, TransactionRef,
        Verdict,
    },
    regevent::notifier,
    scscf::{
        self, Audit, Cause, Command, Config, DeregistrationReason, DrainProgress, Event, Outcome,
        Question, Reasons, Scscf, ScscfNode, TerminationReason,
    },
    wire::Element,
};

use crate::fixture::{self, Values};

pub const SEED: [u8; 32] = [7; 32];
pub const PUBLIC: &str = "sip:user1_public1@home1.example.net";
pub const TEL: &str = "tel:+12125551111";
pub const PRIVATE: &str = "user1_private@home1.example.net";
pub const CONTACT: &str = "sip:[2001:db8::aaa:bbb]:1357;comp=sigcomp";
pub const INSTANCE: &str = "+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\"";
pub const PATH: &str = "<sip:term@pcscf1.visited1.example.net:5070;lr>";
pub const SERVER: &[u8] = b"<sip:as1.home1.example.net:5090>";

pub fn config() -> Config {
    let uri = b"sip:scscf1.home1.example.net:5080";
    Config::new(Element::new(uri, b"home1.example.net").unwrap())
}

/// An output, owned, its texts resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    Request {
        token: Token,
        hops: Vec<String>,
        bytes: String,
    },
    Respond {
        to: u64,
        status: u16,
        bytes: String,
    },
    Ask {
        token: Token,
        ask: Ask,
    },
    Event(Ev),
}

/// A question, owned. The key stands first.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Authentication {
        key: String,
        transaction: u64,
        private: String,
        public: String,
        reasons: Reasons,
    },
    DialogRelease {
        key: String,
        private: String,
        contacts: String,
        status: u16,
    },
    ServerAssignment {
        key: String,
        code: u32,
        private: String,
        public: String,
    },
}

/// An event, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Ev {
    Deregistered {
        private: String,
        public: String,
        contacts: String,
        cause: Cause,
        outcome: Outcome,
    },
    Suspicious {
        private: String,
        public: String,
        reasons: Reasons,
    },
    Audited {
        private: String,
        public: String,
        contacts: String,
        audit: Audit,
    },
    Observed,
    Spared {
        private: String,
        public: String,
    },
    Progressed(DrainProgress),
    Drained(DrainProgress),
    Subscribed {
        resource: String,
        subscriber: String,
        expires: u32,
    },
    Ended(notifier::End),
}

impl Out {
    pub fn token(&self) -> Token {
        match self {
            Self::Request { token, .. } | Self::Ask { token, .. } => *token,
            other => panic!("no token: {other:?}"),
        }
    }

    pub fn bytes(&self) -> &str {
        match self {
            Self::Request { bytes, .. } | Self::Respond { bytes, .. } => bytes,
            other => panic!("no bytes: {other:?}"),
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            Self::Respond { status, .. } => *status,
            other => panic!("no response: {other:?}"),
        }
    }

    pub fn is_notify(&self) -> bool {
        matches!(self, Self::Request { bytes, .. } if bytes.starts_with("NOTIFY "))
    }

    pub fn is_register(&self) -> bool {
        matches!(self, Self::Request { bytes, .. } if bytes.starts_with("REGISTER "))
    }
}

pub struct Host {
    pub node: ScscfNode,
    pub out: Outbox<Scscf>,
    pub now: Millis,
    pub transactions: u64,
}

impl Host {
    pub fn new(config: Config) -> Self {
        Self {
            node: ScscfNode::new(config, Identifiers::new(SEED, 1, 3)).unwrap(),
            out: Outbox::for_steps(1),
            now: Millis(1_000_000),
            transactions: 0,
        }
    }

    /// A host whose node serves the user of the fixtures.
    pub fn registered() -> Self {
        Self::registered_with(config())
    }

    pub fn registered_with(config: Config) -> Self {
        let mut host = Self::new(config);
        assert_eq!(host.learn(&Registration::default()), Verdict::Handled);
        host
    }

    /// The node in another life, from its blob, with the same configuration as [`registered`](Self::registered).
    pub fn restart(&mut self, incarnation: u64) {
        self.restart_with(config(), incarnation);
    }

    pub fn restart_with(&mut self, config: Config, incarnation: u64) {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        let identifiers = Identifiers::new(SEED, incarnation, 3);
        self.node = ScscfNode::restore(config, identifiers, self.now, &blob).unwrap();
    }

    pub fn drain(&mut self) -> Vec<Out> {
        let drained = self
            .out
            .iter()
            .map(|output| own(&self.out, output))
            .collect();
        self.out.clear();
        drained
    }

    pub fn receive_from(&mut self, from: Source, bytes: &[u8]) -> (Verdict, Vec<Out>) {
        self.transactions += 1;
        let txn = TransactionRef(self.transactions);
        let verdict = self
            .node
            .receive(self.now, from, txn, bytes, &mut self.out)
            .unwrap();
        let drained = self.drain();
        for out in &drained {
            if let Out::Respond { bytes, status, .. } = out {
                assert!(bytes.starts_with(&format!("SIP/2.0 {status} ")), "{bytes}");
            }
        }
        (verdict, drained)
    }

    pub fn receive(&mut self, bytes: impl AsRef<[u8]>) -> Vec<Out> {
        self.receive_from(Source::TrustedCore, bytes.as_ref()).1
    }

    pub fn learn(&mut self, registration: &Registration) -> Verdict {
        let (request, response) = (registration.request(), registration.response());
        self.learn_bytes(request.as_bytes(), response.as_bytes())
            .unwrap()
    }

    pub fn learn_bytes(&mut self, request: &[u8], response: &[u8]) -> Result<Verdict, Misuse> {
        let command = Command::Learn {
            request,
            response,
            private_identity: None,
        };
        let verdict = self.node.command(self.now, command, &mut self.out);
        assert!(
            self.out.is_empty(),
            "a registration asks for nothing at once"
        );
        verdict
    }

    /// A command that is taken, and what comes of it at once.
    pub fn command(&mut self, command: Command<'_>) -> (Verdict, Vec<Out>) {
        let verdict = self.node.command(self.now, command, &mut self.out).unwrap();
        (verdict, self.drain())
    }

    /// The operator ends the registrations of the user of the fixtures.
    pub fn end(&mut self, reason: DeregistrationReason) -> (Verdict, Vec<Out>) {
        self.command(Command::Deregister {
            public_identity: PUBLIC.as_bytes(),
            private_identity: None,
            reason,
        })
    }

    /// The HSS ends them.
    pub fn terminate(&mut self, reason: TerminationReason) -> (Verdict, Vec<Out>) {
        self.command(Command::RegistrationTermination {
            public_identity: PUBLIC.as_bytes(),
            private_identities: &[],
            reason,
            application_servers: SERVER,
        })
    }

    pub fn try_answer(
        &mut self,
        token: Token,
        answer: Answer<'_, Scscf>,
    ) -> Result<Vec<Out>, Misuse> {
        self.node.answer(self.now, token, answer, &mut self.out)?;
        Ok(self.drain())
    }

    pub fn answer(&mut self, out: &Out, answer: scscf::Answer<'_>) -> Vec<Out> {
        self.try_answer(out.token(), Answer::Role(answer)).unwrap()
    }

    pub fn respond(&mut self, out: &Out, status: u16) -> Vec<Out> {
        let response = response_to(out.bytes(), status);
        self.try_answer(out.token(), Answer::Response(response.as_bytes()))
            .unwrap()
    }

    /// One tick.
    pub fn tick(&mut self) -> Vec<Out> {
        self.node.tick(self.now, &mut self.out).unwrap();
        self.drain()
    }

    /// As many ticks as are due at `now`.
    pub fn ticks(&mut self) -> Vec<Out> {
        let mut all = Vec::new();
        for _ in 0..1000 {
            match self.node.deadline() {
                Some((at, _)) if at <= self.now => all.extend(self.tick()),
                _ => return all,
            }
        }
        panic!("ticks without end: {:?}", self.node.deadline());
    }

    /// Lets time pass; what was due on the way fires at its end.
    pub fn wait(&mut self, milliseconds: u64) -> Vec<Out> {
        self.now = self.now.after(milliseconds);
        self.ticks()
    }

    /// Lets time pass, deadline by deadline.
    pub fn run(&mut self, milliseconds: u64) -> Vec<Out> {
        let end = self.now.after(milliseconds);
        let mut all = Vec::new();
        while let Some((at, _)) = self.node.deadline().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            all.extend(self.tick());
        }
        self.now = end;
        all
    }

    /// Subscribes as the P-CSCF of the fixtures; its NOTIFY is answered. Gives the 200.
    pub fn subscribe(&mut self) -> (Out, Out) {
        let outs = self.receive(fixture::fill("subscribe", &values()));
        let [accepted, _, notify] = outs.try_into().unwrap();
        assert_eq!(accepted.status(), 200);
        assert!(self.respond(&notify, 200).is_empty());
        (accepted, notify)
    }

    /// Deregisters as the P-CSCF of the fixtures, up to the 200.
    pub fn deregister(&mut self) -> Vec<Out> {
        let outs = self.receive(fixture::fill("register", &values()));
        self.run_procedure(outs)
    }

    /// Answers whatever is asked, until nothing is.
    pub fn run_procedure(&mut self, mut outs: Vec<Out>) -> Vec<Out> {
        let mut all = Vec::new();
        while !outs.is_empty() {
            let (asked, others): (Vec<_>, Vec<_>) = outs
                .into_iter()
                .partition(|out| matches!(out, Out::Ask { .. }));
            all.extend(others);
            outs = self.run_procedure_once(asked);
        }
        all
    }

    /// Answers these questions.
    pub fn run_procedure_once(&mut self, asked: Vec<Out>) -> Vec<Out> {
        let mut next = Vec::new();
        for out in &asked {
            let Out::Ask { ask, .. } = out else {
                continue;
            };
            let answer = match ask {
                Ask::Authentication { .. } => scscf::Answer::Authenticated,
                Ask::DialogRelease { .. } => scscf::Answer::Released,
                Ask::ServerAssignment { .. } => scscf::Answer::Assigned {
                    application_servers: SERVER,
                },
            };
            next.extend(self.answer(out, answer));
        }
        next
    }
}

fn own(outbox: &Outbox<Scscf>, output: Output<'_, Scscf>) -> Out {
    let text = |text| String::from_utf8(outbox.text(text).to_vec()).unwrap();
    let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output {
        Output::Request {
            token,
            next_hops,
            bytes,
            congestion_controlled,
            ..
        } => {
            let over_tcp = string(bytes).contains("\r\nVia: SIP/2.0/TCP ");
            assert_eq!(congestion_controlled, over_tcp);
            Out::Request {
                token,
                hops: next_hops.map(string).collect(),
                bytes: string(bytes),
            }
        }
        Output::Respond { to, status, bytes } => Out::Respond {
            to: to.0,
            status,
            bytes: string(bytes),
        },
        Output::Ask { token, question } => Out::Ask {
            token,
            ask: match *question {
                Question::Authentication {
                    key,
                    transaction,
                    private_identity,
                    public_identity,
                    reasons,
                } => Ask::Authentication {
                    key: key.to_string(),
                    transaction: transaction.0,
                    private: text(private_identity),
                    public: text(public_identity),
                    reasons,
                },
                Question::DialogRelease {
                    key,
                    affected,
                    status,
                } => Ask::DialogRelease {
                    key: key.to_string(),
                    private: text(affected.private_identity),
                    contacts: text(affected.contacts),
                    status,
                },
                Question::ServerAssignment {
                    key,
                    kind,
                    private_identity,
                    public_identities,
                } => Ask::ServerAssignment {
                    key: key.to_string(),
                    code: kind.code(),
                    private: text(private_identity),
                    public: text(public_identities),
                },
                _ => panic!("{question:?}"),
            },
        },
        Output::Event(event) => Out::Event(match *event {
            Event::Deregistered {
                affected,
                cause,
                outcome,
                ..
            } => Ev::Deregistered {
                private: text(affected.private_identity),
                public: text(affected.public_identity),
                contacts: text(affected.contacts),
                cause,
                outcome,
            },
            Event::SuspiciousDeregistration { affected, reasons } => Ev::Suspicious {
                private: text(affected.private_identity),
                public: text(affected.public_identity),
                reasons,
            },
            Event::Audited(audit) => Ev::Audited {
                private: text(audit.affected.private_identity),
                public: text(audit.affected.public_identity),
                contacts: text(audit.affected.contacts),
                audit,
            },
            Event::Observed { .. } => Ev::Observed,
            Event::DrainProgressed { progress } => Ev::Progressed(progress),
            Event::Drained { progress } => Ev::Drained(progress),
            Event::EmergencySpared {
                private_identities,
                public_identities,
            } => Ev::Spared {
                private: text(private_identities),
                public: text(public_identities),
            },
            Event::Subscription(notifier::Event::Subscribed {
                resource,
                subscriber,
                expires,
            }) => Ev::Subscribed {
                resource: text(resource),
                subscriber: text(subscriber),
                expires,
            },
            Event::Subscription(notifier::Event::SubscriptionEnded { why, .. }) => Ev::Ended(why),
            _ => panic!("{event:?}"),
        }),
        other => panic!("{other:?}"),
    }
}

/// The values that the P-CSCF of the fixtures draws.
pub fn values() -> Values {
    [
        ("register-branch", "r-branch-1"),
        ("register-tag", "r-tag"),
        ("register-call-id", "r-call-1"),
        ("register-icid", "r-icid"),
        ("subscribe-branch", "s-branch-1"),
        ("subscribe-tag", "s-tag"),
        ("subscribe-call-id", "s-call-1"),
        ("subscribe-icid", "s-icid"),
        ("subscriber-user", "subscriber-1"),
    ]
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .into()
}

/// The de-REGISTER of the fixtures.
pub fn register() -> String {
    String::from_utf8(fixture::fill("register", &values())).unwrap()
}

/// The SUBSCRIBE of the fixtures.
pub fn subscribe() -> String {
    String::from_utf8(fixture::fill("subscribe", &values())).unwrap()
}

/// The value of the first header of that name.
pub fn header<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    let head = message.split("\r\n\r\n").next().unwrap();
    head.split("\r\n")
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// A response to a request of ours.
pub fn response_to(request: &str, status: u16) -> String {
    let copied = ["Via", "From", "To", "Call-ID", "CSeq"]
        .map(|name| format!("{name}: {}\r\n", header(request, name).unwrap()));
    format!(
        "SIP/2.0 {status} Any\r\n{}Content-Length: 0\r\n\r\n",
        copied.concat()
    )
}

/// A REGISTER of a UE and the 2xx that the host sent, as the S-CSCF saw them.
#[derive(Clone)]
pub struct Registration {
    pub to: &'static str,
    pub private: &'static str,
    pub call_id: &'static str,
    pub cseq: u32,
    /// Contacts with their parameters.
    pub contacts: Vec<String>,
    pub path: &'static str,
    /// Contacts of the 2xx.
    pub granted: Vec<String>,
    pub associated: Vec<&'static str>,
}

impl Default for Registration {
    fn default() -> Self {
        let contact = format!("<{CONTACT}>;{INSTANCE};reg-id=1");
        Self {
            to: PUBLIC,
            private: PRIVATE,
            call_id: "ue-call-1",
            cseq: 10,
            granted: vec![format!("{contact};expires=3600")],
            contacts: vec![contact],
            path: PATH,
            associated: vec![PUBLIC, TEL],
        }
    }
}

impl Registration {
    /// The registration of another contact.
    pub fn of(contact: &str, params: &str) -> Self {
        let contact = format!("<{contact}>{params}");
        Self {
            granted: vec![format!("{contact};expires=3600")],
            contacts: vec![contact],
            ..Self::default()
        }
    }

    pub fn request(&self) -> String {
        let Self {
            to,
            private,
            call_id,
            cseq,
            path,
            ..
        } = self;
        let contacts = self
            .contacts
            .iter()
            .map(|c| format!("Contact: {c}\r\n"))
            .collect::<String>();
        let path = match *path {
            "" => String::new(),
            path => format!("Path: {path}\r\n"),
        };
        format!(
            "REGISTER sip:home1.example.net SIP/2.0\r\n\
             Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp{call_id}{cseq}\r\n\
             Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKu{call_id}{cseq}\r\n\
             Max-Forwards: 69\r\n\
             From: <{to}>;tag=ue-tag\r\n\
             To: <{to}>\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} REGISTER\r\n\
             {contacts}Expires: 3600\r\n\
             Authorization: Digest username=\"{private}\",realm=\"home1.example.net\",nonce=\"n\",\
             uri=\"sip:home1.example.net\",response=\"r\",integrity-protected=\"yes\"\r\n\
             {path}Require: path\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    pub fn response(&self) -> String {
        let granted = self
            .granted
            .iter()
            .map(|c| format!("Contact: {c}\r\n"))
            .collect::<String>();
        let associated = match self.associated.as_slice() {
            [] => String::new(),
            uris => {
                let list = uris
                    .iter()
                    .map(|uri| format!("<{uri}>"))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("P-Associated-URI: {list}\r\n")
            }
        };
        let answer = response_to(&self.request(), 200);
        answer.replace(
            "Content-Length",
            &format!("{granted}{associated}Content-Length"),
        )
    }

    /// The REGISTER by which the UE itself removes these contacts.
    pub fn removal(&self, call_id: &str, cseq: u32) -> String {
        let text = self.request();
        text.replace(
            &format!("Call-ID: {}", self.call_id),
            &format!("Call-ID: {call_id}"),
        )
        .replace(&format!("CSeq: {} ", self.cseq), &format!("CSeq: {cseq} "))
        .replace("Expires: 3600", "Expires: 0")
    }
}
