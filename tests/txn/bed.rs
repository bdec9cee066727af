//! A small node of its own role, and a host that has only a socket.

use ims_procedures::{
    drive::{
        Answer, Defect, Identifiers, Limits, Millis, Misuse, NextHops, Node, Outbox, Output,
        Reject, Release, Request, Role, Source, Timer, Token, Towards, TransactionRef, UDP_LIMIT,
        Verdict,
    },
    txn::{Config, Transactions},
    wire::{Message, Writer},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo;

#[derive(Clone)]
pub enum Command<'a> {
    Send(Send<'a>),
    /// Sends a request that is given.
    SendText {
        text: &'a str,
        towards: Towards,
        hops: &'a [&'a str],
    },
    /// Acknowledges a 2xx, at another time than when it comes.
    Acknowledge {
        token: Token,
        ack: Ack,
    },
    Reply {
        to: TransactionRef,
        status: u16,
    },
    WakeAt(Millis),
    Ask,
}

/// The ACK of a 2xx.
#[derive(Clone, Debug)]
pub struct Ack {
    pub text: String,
    pub hops: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub struct Send<'a> {
    pub method: &'a str,
    pub towards: Towards,
    pub hops: &'a [&'a str],
    pub branch: Option<&'a str>,
    pub padding: usize,
}

impl Default for Send<'_> {
    fn default() -> Self {
        Self {
            method: "OPTIONS",
            towards: Towards::Core,
            hops: &["sip:a.example.net"],
            branch: None,
            padding: 0,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Woken,
    Answered(String),
}

impl Role for Echo {
    type Command<'a> = Command<'a>;
    type Question = u8;
    type Answer<'a> = u8;
    type Event = Event;
    const STEP_OUTPUTS: usize = 3;
    const STEP_BYTES: usize = 8_192;
}

/// What the node was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Request(TransactionRef, String),
    Answer(Token, String),
}

/// Does with a request what the user part of its Request-URI says, and remembers everything.
pub struct EchoNode {
    pub identifiers: Identifiers,
    pub got: Vec<Got>,
    pub wake_at: Option<Millis>,
    pub sent: u32,
    pub snapshots: u8,
    pub now: Millis,
    /// What it acknowledges a 2xx to an INVITE with, when it comes.
    pub ack: Option<Ack>,
}

const DEFECT: Defect = Defect {
    code: 9_999,
    what: "a test",
    clause: "none",
};

fn as_bytes<'a>(hops: &[&'a str]) -> Vec<&'a [u8]> {
    hops.iter().map(|hop| hop.as_bytes()).collect()
}

impl EchoNode {
    fn acknowledge(token: Token, ack: &Ack, out: &mut Outbox<Echo>) {
        out.acknowledge(token, &as_bytes(ack.hops), UDP_LIMIT, |buffer| {
            buffer.put(ack.text.as_bytes());
        })
        .unwrap();
    }

    fn reply(&self, to: TransactionRef, status: u16, out: &mut Outbox<Echo>) {
        let bytes = self.got.iter().find_map(|got| match got {
            Got::Request(at, bytes) if *at == to => Some(bytes.clone()),
            _ => None,
        });
        let bytes = bytes.unwrap();
        let request = Message::parse(bytes.as_bytes(), &Limits::default()).unwrap();
        out.respond(to, status, |buffer| {
            Writer::respond_to(buffer, &request, status, None).finish();
        })
        .unwrap();
    }
}

impl Node for EchoNode {
    type Role = Echo;

    fn receive(
        &mut self,
        now: Millis,
        _: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Echo>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        self.now = now;
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let uri = text.split(' ').nth(1).unwrap();
        let user = uri[4..].split('@').next().unwrap().to_owned();
        self.got.push(Got::Request(txn, text));
        match user.as_str() {
            "later" => return Ok(Verdict::Handled),
            "notmine" => return Ok(Verdict::NotMine),
            "forward" => return Ok(Verdict::Forward),
            "hold" => return Ok(Verdict::Hold(Token::from_u64(7))),
            "rejected" => return Ok(Verdict::Rejected(Reject::new(&DEFECT, 3))),
            "bad" => {
                self.reply(txn, 400, out);
                return Ok(Verdict::Rejected(Reject::new(&DEFECT, 3)));
            }
            // All that one step may append, and a response to come on top.
            "full" => {
                let text = "x".repeat(Echo::STEP_BYTES);
                assert_eq!(out.put_text(text.as_bytes()).len(), Echo::STEP_BYTES);
                for _ in 0..Echo::STEP_OUTPUTS {
                    out.event(Event::Woken);
                }
                return Ok(Verdict::Refuse {
                    status: 503,
                    retry_after: 7,
                });
            }
            "twice" => {
                self.reply(txn, 200, out);
                self.reply(txn, 500, out);
                return Ok(Verdict::Handled);
            }
            _ => {}
        }
        if let Some(status) = user.strip_prefix("refuse") {
            return Ok(Verdict::Refuse {
                status: status.parse().unwrap(),
                retry_after: 7,
            });
        }
        self.reply(txn, user.parse().unwrap(), out);
        Ok(Verdict::Handled)
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: Answer<'_, Echo>,
        out: &mut Outbox<Echo>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        self.now = now;
        let what = match answer {
            Answer::Response(bytes) => {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let is_to_be_acknowledged =
                    text.starts_with("SIP/2.0 2") && text.contains(" INVITE");
                if let Some(ack) = self.ack.as_ref().filter(|_| is_to_be_acknowledged) {
                    Self::acknowledge(token, ack, out);
                }
                text.lines().next().unwrap().to_owned()
            }
            Answer::Timeout => "timeout".to_owned(),
            Answer::Unreachable => "unreachable".to_owned(),
            Answer::Role(number) => format!("role {number}"),
            _ => "other".to_owned(),
        };
        self.got.push(Got::Answer(token, what.clone()));
        out.event(Event::Answered(what));
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<Echo>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        self.now = now;
        match command {
            Command::Reply { to, status } => self.reply(to, status, out),
            Command::WakeAt(at) => self.wake_at = Some(at),
            Command::Acknowledge { token, ack } => Self::acknowledge(token, &ack, out),
            Command::SendText {
                text,
                towards,
                hops,
            } => {
                let request = Request {
                    token: self.identifiers.token(0),
                    towards,
                    next_hops: &as_bytes(hops),
                    udp_limit: UDP_LIMIT,
                };
                out.request(request, |buffer| buffer.put(text.as_bytes()))
                    .unwrap();
            }
            Command::Ask => out.ask(self.identifiers.token(0), 42),
            Command::Send(send) => {
                self.sent += 1;
                let token = self.identifiers.token(0);
                let branch = match send.branch {
                    Some(branch) => branch.to_owned(),
                    None => format!("z9hG4bK{}", self.identifiers.next()),
                };
                let hops = as_bytes(send.hops);
                let request = Request {
                    token,
                    towards: send.towards,
                    next_hops: &hops,
                    udp_limit: UDP_LIMIT,
                };
                let text = request_text(send.method, "200", &branch, "a.example.net", self.sent);
                let padding = format!("Subject: {}\r\n\r\n", "x".repeat(send.padding));
                let text = text.replace("\r\n\r\n", &format!("\r\n{padding}"));
                out.request(request, |buffer| buffer.put(text.as_bytes()))
                    .unwrap();
            }
        }
        Ok(Verdict::Handled)
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Echo>) -> Result<(), Misuse> {
        out.check_room()?;
        self.now = now;
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
            out.event(Event::Woken);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        self.wake_at.map(|at| (at, Timer("wake")))
    }

    fn snapshot_for(&self, _: Release, _: Millis, into: &mut Vec<u8>) {
        into.push(self.snapshots);
    }
}

/// A request of a peer.
pub fn request_text(method: &str, user: &str, branch: &str, sent_by: &str, cseq: u32) -> String {
    let branch = if branch.is_empty() {
        String::new()
    } else {
        format!(";branch={branch}")
    };
    format!(
        "{method} sip:{user}@b.example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP {sent_by}{branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{sent_by}>;tag=one\r\n\
         To: <sip:b.example.net>\r\n\
         Call-ID: call@{sent_by}\r\n\
         CSeq: {cseq} {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// The response of a peer to a request of ours.
pub fn response_text(request: &str, status: u16) -> String {
    let message = Message::parse(request.as_bytes(), &Limits::default()).unwrap();
    let mut buffer = ims_procedures::drive::Buffer::new(4_096);
    Writer::respond_to(&mut buffer, &message, status, None).finish();
    String::from_utf8(buffer.as_slice().to_vec()).unwrap()
}

/// An output, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Request {
        token: Token,
        hops: Vec<String>,
        bytes: String,
    },
    Acknowledge {
        token: Token,
        hops: Vec<String>,
        bytes: String,
    },
    Respond {
        to: u64,
        status: u16,
        bytes: String,
    },
    Ask(Token, u8),
    Event(Event),
}

impl Out {
    pub fn bytes(&self) -> &str {
        match self {
            Self::Request { bytes, .. }
            | Self::Acknowledge { bytes, .. }
            | Self::Respond { bytes, .. } => bytes,
            _ => "",
        }
    }

    pub fn token(&self) -> Token {
        match self {
            Self::Request { token, .. } | Self::Acknowledge { token, .. } | Self::Ask(token, _) => {
                *token
            }
            other => panic!("{other:?} has no token"),
        }
    }
}

pub struct Host {
    pub txn: Transactions<EchoNode>,
    pub now: u64,
    pub out: Outbox<Echo>,
    pub from: Source,
    /// The question that a test has put aside.
    pub asked: Option<Token>,
}

fn owned(hops: NextHops<'_>) -> Vec<String> {
    hops.map(|hop| String::from_utf8(hop.to_vec()).unwrap())
        .collect()
}

/// Where the datagrams of a peer come from.
pub const PEER: u64 = 77;

impl Host {
    pub fn new(config: Config) -> Self {
        let node = EchoNode {
            identifiers: Identifiers::new([1; 32], 1, 5),
            got: Vec::new(),
            wake_at: None,
            sent: 0,
            snapshots: 9,
            now: Millis(0),
            ack: None,
        };
        let txn = Transactions::new(node, config, Identifiers::new([2; 32], 1, 5));
        Self {
            out: txn.outbox(4),
            txn,
            now: 0,
            from: Source::TrustedCore,
            asked: None,
        }
    }

    /// What is in the outbox, which is cleared.
    pub fn take(&mut self) -> Vec<Out> {
        let taken = self.out.iter().map(|output| match output {
            Output::Request {
                token,
                next_hops,
                bytes,
                ..
            } => Out::Request {
                token,
                hops: owned(next_hops),
                bytes: String::from_utf8(bytes.to_vec()).unwrap(),
            },
            Output::Acknowledge {
                token,
                next_hops,
                bytes,
                ..
            } => Out::Acknowledge {
                token,
                hops: owned(next_hops),
                bytes: String::from_utf8(bytes.to_vec()).unwrap(),
            },
            Output::Respond { to, status, bytes } => Out::Respond {
                to: to.0,
                status,
                bytes: String::from_utf8(bytes.to_vec()).unwrap(),
            },
            Output::Ask { token, question } => Out::Ask(token, *question),
            Output::Event(event) => Out::Event(event.clone()),
            other => panic!("{other:?}"),
        });
        let taken = taken.collect();
        self.out.clear();
        taken
    }

    pub fn receive(&mut self, text: &str) -> (Verdict, Vec<Out>) {
        self.receive_from(PEER, text)
    }

    pub fn receive_from(&mut self, peer: u64, text: &str) -> (Verdict, Vec<Out>) {
        let verdict = self
            .txn
            .receive(
                Millis(self.now),
                self.from,
                TransactionRef(peer),
                text.as_bytes(),
                &mut self.out,
            )
            .unwrap();
        (verdict, self.take())
    }

    pub fn command(&mut self, command: Command<'_>) -> Vec<Out> {
        self.txn
            .command(Millis(self.now), command, &mut self.out)
            .unwrap();
        self.take()
    }

    /// Has the node send a request, of which the outbox must hold nothing but the first transmission.
    pub fn send(&mut self, send: Send<'_>) -> Out {
        self.only(Command::Send(send))
    }

    /// The one output of a command.
    pub fn only(&mut self, command: Command<'_>) -> Out {
        let mut outs = self.command(command);
        assert_eq!(outs.len(), 1, "{outs:?}");
        outs.remove(0)
    }

    pub fn answer(&mut self, token: Token, answer: Answer<'_, Echo>) -> Vec<Out> {
        self.txn
            .answer(Millis(self.now), token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    pub fn tick(&mut self) -> Vec<Out> {
        self.txn.tick(Millis(self.now), &mut self.out).unwrap();
        self.take()
    }

    pub fn deadline(&self) -> Option<(u64, &'static str)> {
        self.txn.deadline().map(|(at, timer)| (at.0, timer.0))
    }

    /// Ticks at every deadline up to `until`; what came when.
    pub fn run(&mut self, until: u64) -> Vec<(u64, Out)> {
        let mut all = Vec::new();
        while let Some((at, _)) = self.deadline().filter(|&(at, _)| at <= until) {
            self.now = self.now.max(at);
            let outs = self.tick();
            all.extend(outs.into_iter().map(|out| (self.now, out)));
        }
        self.now = until;
        all
    }

    /// The answers that the node was given.
    pub fn answers(&self) -> Vec<(Token, String)> {
        let answers = self.txn.node().got.iter().filter_map(|got| match got {
            Got::Answer(token, what) => Some((*token, what.clone())),
            Got::Request(..) => None,
        });
        answers.collect()
    }

    /// The requests that the node was given.
    pub fn requests(&self) -> Vec<(TransactionRef, String)> {
        let requests = self.txn.node().got.iter().filter_map(|got| match got {
            Got::Request(to, text) => Some((*to, text.clone())),
            Got::Answer(..) => None,
        });
        requests.collect()
    }
}
