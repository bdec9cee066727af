//! A host of a CPM Participating Function, for tests.

use ims_procedures::{
    cpm::{
        Answer, Cause, Command, Config, Cpm, CpmNode, Description, End, Ends, Establish, Event,
        Function, Iwf, IwfPolicy, Leg, Mode, Question, Recording, Scope, SessionRef, Side,
    },
    drive::{
        self, Identifiers, Millis, Misuse, Node, Outbox, Output, Source, Token, TransactionRef,
        Verdict,
    },
    wire::{Element, sdp::StreamSet},
};

use crate::messages::{self, Session};

pub const SEED: [u8; 32] = [7; 32];
pub const SESSION: SessionRef = SessionRef(4_711);
pub const START: Millis = Millis(1_000_000);

pub fn config() -> Config {
    let uri = b"sip:cpm-pf1.home1.example.net:5062";
    Config::new(Element::new(uri, b"home1.example.net").unwrap())
}

/// An output, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    Request {
        token: Token,
        hops: Vec<String>,
        bytes: Vec<u8>,
    },
    Acknowledge {
        token: Token,
        hops: Vec<String>,
        bytes: Vec<u8>,
    },
    Respond {
        to: u64,
        status: u16,
        bytes: Vec<u8>,
    },
    Ask {
        token: Token,
        question: Question,
    },
    Event(Event),
}

impl Out {
    #[track_caller]
    pub fn token(&self) -> Token {
        match self {
            Self::Request { token, .. } | Self::Ask { token, .. } => *token,
            other => panic!("no token: {other:?}"),
        }
    }

    #[track_caller]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Request { bytes, .. }
            | Self::Acknowledge { bytes, .. }
            | Self::Respond { bytes, .. } => bytes,
            other => panic!("no bytes: {other:?}"),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }

    /// Whether it is a response with that status to that transaction.
    pub fn is_response(&self, transaction: u64, code: u16) -> bool {
        matches!(self, Self::Respond { to, status, .. } if (*to, *status) == (transaction, code))
    }

    pub fn is_release_of(&self, whose: Scope) -> bool {
        matches!(
            self,
            Self::Ask {
                question: Question::MediaRelease { session: SESSION, scope, .. },
                ..
            } if *scope == whose
        )
    }

    pub fn is_storage(&self) -> bool {
        matches!(
            self,
            Self::Ask {
                question: Question::SessionStorage {
                    session: SESSION,
                    ..
                },
                ..
            }
        )
    }

    pub fn is_request(&self, method: &str) -> bool {
        matches!(self, Self::Request { bytes, .. } if bytes.starts_with(method.as_bytes()))
    }
}

/// What the outcome of a session says, but for its id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closed {
    pub cause: Cause,
    pub ends: Ends,
    pub recording: Recording,
}

pub struct Host {
    pub node: CpmNode,
    pub out: Outbox<Cpm>,
    pub now: Millis,
    pub transactions: u64,
    pub config: Config,
    /// Its messages.
    pub session: Session,
}

/// What a session is established with, beside its legs.
#[derive(Clone, Copy)]
pub struct Terms {
    pub stores: bool,
    pub policy: IwfPolicy,
    pub is_kept: bool,
}

pub const STORED: Terms = Terms {
    stores: true,
    policy: IwfPolicy::WholeSession,
    is_kept: true,
};
pub const UNSTORED: Terms = Terms {
    stores: false,
    ..STORED
};
pub const STREAMS: Terms = Terms {
    policy: IwfPolicy::StreamsOnly,
    ..STORED
};

impl Host {
    pub fn new(config: Config, session: Session) -> Self {
        Self {
            node: CpmNode::new(config.clone(), Identifiers::new(SEED, 1, 3)).unwrap(),
            out: Outbox::for_steps(1),
            now: START,
            transactions: 0,
            config,
            session,
        }
    }

    /// With a session that is established.
    pub fn with(session: Session, terms: Terms) -> Self {
        let mut host = Self::new(config(), session);
        assert_eq!(host.establish(terms), Ok(Verdict::Handled));
        host
    }

    pub fn establish(&mut self, terms: Terms) -> Result<Verdict, Misuse> {
        let session = self.session.clone();
        establish(&session, terms, |shown| {
            self.command(Command::Establish(shown))
        })
    }

    pub fn command(&mut self, command: Command<'_>) -> Result<Verdict, Misuse> {
        self.node.command(self.now, command, &mut self.out)
    }

    pub fn drain(&mut self) -> Vec<Out> {
        let drained = self.out.iter().map(own).collect();
        self.out.clear();
        drained
    }

    /// Hands in a message, in a transaction of the next number.
    #[track_caller]
    pub fn receive_bytes(&mut self, bytes: &[u8]) -> (Verdict, Vec<Out>) {
        self.transactions += 1;
        let txn = TransactionRef(self.transactions);
        let verdict = self
            .node
            .receive(self.now, Source::TrustedCore, txn, bytes, &mut self.out)
            .unwrap();
        (verdict, self.drain())
    }

    /// A message of the session that is taken.
    #[track_caller]
    pub fn receive(&mut self, name: &str) -> Vec<Out> {
        let (verdict, outs) = self.receive_bytes(&self.session.message(name));
        assert_eq!(verdict, Verdict::Handled);
        outs
    }

    #[track_caller]
    pub fn answer(&mut self, to: &Out, answer: drive::Answer<'_, Cpm>) -> Vec<Out> {
        self.node
            .answer(self.now, to.token(), answer, &mut self.out)
            .unwrap();
        self.drain()
    }

    /// A request of ours is answered.
    #[track_caller]
    pub fn respond(&mut self, to: &Out, name: &str, status: &str) -> Vec<Out> {
        let bytes = self.session.answer(name, status);
        self.answer(to, drive::Answer::Response(&bytes))
    }

    /// The store answers.
    #[track_caller]
    pub fn stored(&mut self, question: &Out) -> Vec<Out> {
        let uid = self.session.values.get("uid").to_owned();
        let uid = uid.as_bytes();
        self.answer(question, Answer::Stored { uid }.into())
    }

    /// Lets the node act as often as it is due until then.
    pub fn advance(&mut self, milliseconds: u64) -> Vec<Out> {
        let end = self.now.after(milliseconds);
        let mut outs = Vec::new();
        while let Some((at, _)) = self.node.deadline().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.node.tick(self.now, &mut self.out).unwrap();
            outs.extend(self.drain());
        }
        self.now = end;
        outs
    }

    /// The node in another life, from its blob.
    pub fn restart(&mut self, incarnation: u64) {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        let identifiers = Identifiers::new(SEED, incarnation, 3);
        self.node = CpmNode::restore(self.config.clone(), identifiers, self.now, &blob).unwrap();
    }

    /// What it offers again.
    pub fn offered_again(&mut self) -> Vec<Out> {
        self.advance(0)
    }

    /// Checks the bytes of an output.
    #[track_caller]
    pub fn expect(&mut self, name: &str, out: &Out) {
        self.session.expect(name, out.bytes());
    }
}

/// Shows a session.
pub fn establish<T>(session: &Session, terms: Terms, give: impl FnOnce(Establish<'_>) -> T) -> T {
    let iwfs: Vec<Iwf<'_>> = session
        .iwfs
        .iter()
        .zip(&session.streams)
        .map(|(leg, streams)| Iwf {
            leg: learnt(leg),
            streams: streams.iter().copied().collect::<StreamSet>(),
        })
        .collect();
    give(Establish {
        session: SESSION,
        function: match session.function {
            "originating" => Function::Originating,
            _ => Function::Terminating,
        },
        mode: Mode::B2bua,
        allow_offline_storage: terms.stores,
        policy: terms.policy,
        client: session.client.as_ref().map(learnt),
        other: session.other.as_ref().map(learnt),
        iwfs: &iwfs,
        description: match terms.is_kept {
            true => Description::Learnt,
            false => Description::AtHost,
        },
    })
}

/// A leg by the messages that made it.
pub fn learnt(leg: &messages::Leg) -> Leg<'_> {
    Leg::Learnt {
        invite: &leg.invite,
        response: &leg.response,
        side: match leg.is_uac {
            true => Side::Uac,
            false => Side::Uas,
        },
    }
}

/// The one outcome among outputs.
#[track_caller]
pub fn outcome(outs: &[Out]) -> Closed {
    let closed = outs.iter().filter_map(|out| match out {
        Out::Event(Event::SessionClosed {
            session: SESSION,
            cause,
            ends,
            recording,
            ..
        }) => Some(Closed {
            cause: *cause,
            ends: *ends,
            recording: *recording,
        }),
        _ => None,
    });
    let closed: Vec<_> = closed.collect();
    let [closed] = closed.try_into().unwrap_or_else(|all| panic!("{all:?}"));
    closed
}

/// How the legs of a session ended: client, other, IWFs.
pub fn ends(client: Option<End>, other: Option<End>, iwfs: &[End]) -> Ends {
    let mut ends = Ends {
        client,
        other,
        ..Ends::default()
    };
    for (place, end) in ends.iwfs.iter_mut().zip(iwfs) {
        *place = Some(*end);
    }
    ends
}

fn own(output: Output<'_, Cpm>) -> Out {
    let hops = |hops: drive::NextHops<'_>| {
        hops.map(|hop| String::from_utf8(hop.to_vec()).unwrap())
            .collect()
    };
    match output {
        Output::Request {
            token,
            next_hops,
            bytes,
            ..
        } => Out::Request {
            token,
            hops: hops(next_hops),
            bytes: bytes.to_vec(),
        },
        Output::Acknowledge {
            token,
            next_hops,
            bytes,
            ..
        } => Out::Acknowledge {
            token,
            hops: hops(next_hops),
            bytes: bytes.to_vec(),
        },
        Output::Respond { to, status, bytes } => Out::Respond {
            to: to.0,
            status,
            bytes: bytes.to_vec(),
        },
        Output::Ask { token, question } => Out::Ask {
            token,
            question: *question,
        },
        Output::Event(event) => Out::Event(*event),
        other => panic!("{other:?}"),
    }
}
