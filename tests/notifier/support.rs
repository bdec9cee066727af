//! A host of one subscription, for tests: it makes SUBSCRIBEs, and reads what the machine did.

use ims_procedures::{
    drive::{
        Buffer, Context, Identifiers, Limits, Millis, Outbox, Output, Role, Token, TransactionRef,
    },
    regevent::notifier::{Config, Document, End, Event, Input, Resource, Subscribe, Subscription},
    wire::{Element, Message},
};

/// A role of nothing but a notifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Only;

impl Role for Only {
    type Command<'a> = ();
    type Question = ();
    type Answer<'a> = ();
    type Event = Event;
    const STEP_OUTPUTS: usize = 3;
    const STEP_BYTES: usize = 64 * 1024;
}

/// Registration state of which only the version and what is new show.
#[derive(Default)]
pub struct State {
    pub changes: u64,
    pub terminations: u64,
    pub forgotten: u64,
    pub terminated: bool,
    pub too_large: bool,
}

impl State {
    /// A change that ends something.
    pub fn terminate(&mut self) {
        self.changes += 1;
        self.terminations = self.changes;
    }

    /// The end of everything.
    pub fn end() -> Self {
        Self {
            changes: 1,
            terminations: 1,
            terminated: true,
            ..Self::default()
        }
    }
}

impl Resource for State {
    fn changes(&self) -> u64 {
        self.changes
    }

    fn terminations(&self) -> u64 {
        self.terminations
    }

    fn is_terminated(&self) -> bool {
        self.terminated
    }

    fn remembers(&self, since: u64) -> bool {
        self.forgotten <= since
    }

    fn write_document(&self, buffer: &mut Buffer, document: &Document) {
        assert!(!document.to_user);
        buffer.put(document.state.as_str().as_bytes());
        buffer.put(b" version ");
        buffer.put_number(document.version.into());
        buffer.put(b" since ");
        buffer.put_number(document.since);
        if self.too_large {
            buffer.put(&[b'x'; 64 * 1024]);
        }
    }
}

/// What a step did.
#[derive(Debug, PartialEq)]
pub enum Done {
    Respond(u16, String),
    Notify(Token, String),
    Subscribed(u32),
    Ended(End),
}

pub struct Host {
    pub config: Config,
    pub identifiers: Identifiers,
    pub state: State,
    pub subscription: Option<Subscription>,
    pub now: Millis,
    pub out: Outbox<Only>,
}

pub fn text(cseq: u32, expires: &str, to_tag: &str) -> String {
    format!(
        "SUBSCRIBE sip:alice@home.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf.example;branch=z9hG4bK{cseq}\r\n\
         Record-Route: <sip:proxy1.example;lr>, <sip:proxy2.example;lr>\r\n\
         Record-Route: <sip:proxy3.example;lr>\r\n\
         From: \"P\" <sip:pcscf.example>;tag=theirs\r\n\
         To: <sip:alice@home.example>{to_tag}\r\n\
         Call-ID: call\r\n\
         CSeq: {cseq} SUBSCRIBE\r\n\
         Contact: <sip:one@pcscf.example>\r\n\
         {expires}Event: reg\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

pub fn expires(seconds: u32) -> String {
    format!("Expires: {seconds}\r\n")
}

impl Host {
    pub fn new() -> Self {
        let element = Element::new(b"sip:scscf.home.example", b"home.example").unwrap();
        Self {
            config: Config::new(element),
            identifiers: Identifiers::new([9; 32], 1, 0),
            state: State::default(),
            subscription: None,
            now: Millis(5_000),
            out: Outbox::for_steps(1),
        }
    }

    /// A host with a subscription whose first NOTIFY is answered.
    pub fn active(seconds: u32) -> Self {
        let mut host = Self::new();
        let outs = host.subscribe(&text(1, &expires(seconds), ""));
        let token = notify(&outs);
        assert!(host.step(answer(token, 200)).is_empty());
        host
    }

    pub fn subscribe(&mut self, text: &str) -> Vec<Done> {
        let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
        let request = Subscribe::read(&message).unwrap().unwrap();
        if self.subscription.is_none() {
            let mut cx = Context {
                now: self.now,
                config: &self.config,
                identifiers: &mut self.identifiers,
                id: 4,
            };
            let fresh = Subscription::new(&mut cx, &request, &Limits::default()).unwrap();
            assert_eq!(fresh.deadline(), None, "idle");
            self.subscription = Some(fresh);
        }
        self.step(Input::Subscribe {
            to: TransactionRef(8),
            request: &request,
        })
    }

    pub fn step(&mut self, input: Input<'_>) -> Vec<Done> {
        let mut cx = Context {
            now: self.now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: 4,
        };
        let subscription = self.subscription.as_mut().unwrap();
        subscription
            .step(&mut cx, &self.state, input, &mut self.out)
            .unwrap();
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let done = self.out.iter().map(|output| match output {
            Output::Respond { to, status, bytes } => {
                assert_eq!(to, TransactionRef(8));
                Done::Respond(status, string(bytes))
            }
            Output::Request {
                token,
                bytes,
                mut next_hops,
                ..
            } => {
                assert_eq!(token.machine(), 4);
                let hop = next_hops.next().unwrap();
                assert!([&b"sip:proxy1.example;lr"[..], b"sip:proxy1.example"].contains(&hop));
                Done::Notify(token, string(bytes))
            }
            Output::Event(Event::Subscribed {
                expires,
                resource,
                subscriber,
            }) => {
                assert_eq!(self.out.text(*resource), b"sip:alice@home.example");
                assert_eq!(self.out.text(*subscriber), b"sip:pcscf.example");
                Done::Subscribed(*expires)
            }
            Output::Event(Event::SubscriptionEnded { why, .. }) => Done::Ended(*why),
            other => panic!("{other:?}"),
        });
        let done = done.collect();
        self.out.clear();
        done
    }

    pub fn tick(&mut self) -> Vec<Done> {
        self.step(Input::Tick)
    }

    pub fn deadline(&self) -> Option<u64> {
        let (at, _) = self.subscription.as_ref().unwrap().deadline()?;
        Some(at.since(self.now))
    }

    pub fn is_over(&self) -> bool {
        self.subscription.as_ref().unwrap().is_over()
    }

    /// The tag that the notifier gave.
    pub fn tag(&self, notify: &str) -> String {
        let from = header(notify, "From");
        from[from.find(";tag=").unwrap()..].to_string()
    }
}

pub fn answer(token: Token, status: u16) -> Input<'static> {
    Input::Response {
        token,
        status,
        retry_after: None,
    }
}

pub fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let line = message
        .split("\r\n")
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {message}"))
}

pub fn notify(outs: &[Done]) -> Token {
    match outs.last() {
        Some(Done::Notify(token, _)) => *token,
        _ => panic!("no NOTIFY: {outs:?}"),
    }
}

pub fn bytes(outs: &[Done]) -> &str {
    match outs.last() {
        Some(Done::Notify(_, bytes)) => bytes,
        _ => panic!("no NOTIFY: {outs:?}"),
    }
}

pub fn state(outs: &[Done]) -> &str {
    header(bytes(outs), "Subscription-State")
}
