// The host of the run loop in the documentation of the crate, which includes this file: a UE that registers
// and is lost, the home network around it, and a clock that jumps from one thing to the next.

use std::collections::VecDeque;

use ims_procedures::{
    drive::{Buffer, Limits, Millis, NextHops, Source, Timer, Token, TransactionRef, Verdict},
    pcscf::{Command, Event, Evidence, Outcome, Question, Ue},
    reginfo::{
        CONTENT_TYPE, ContactEvent, ContactOut, DocumentState, DocumentWriter, Id, RegistrationState,
    },
    wire::{HeaderName, Message, Method, Writer},
};

const CONTACT: &[u8] = b"sip:[2001:db8::aaa:bbb]:1357";

/// What can happen to a host.
enum Happened {
    Command(Command<'static>),
    Request(Source, TransactionRef, Vec<u8>),
    Response(Token, Vec<u8>),
    #[allow(dead_code)]
    Silence(Token),
    Done(Token),
    Time,
    Shutdown,
}

struct Host {
    now: Millis,
    happens: VecDeque<Happened>,
    /// The SUBSCRIBE of the node.
    subscribe: Vec<u8>,
    notifies: u32,
    log: Vec<&'static str>,
}

impl Default for Host {
    fn default() -> Self {
        let message = |start: &str, contact_params: &str| {
            format!(
                "{start}\r\n\
                 Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp1\r\n\
                 From: <sip:user1@home1.example.net>;tag=4fa3\r\n\
                 To: <sip:user1@home1.example.net>;tag=409sp3\r\n\
                 Call-ID: apb03a0s09dkjdfglkj49111\r\nCSeq: 1 REGISTER\r\n\
                 Contact: <sip:[2001:db8::aaa:bbb]:1357>{contact_params}\r\n\
                 Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n\
                 Content-Length: 0\r\n\r\n"
            )
            .into_bytes()
            .leak()
        };
        let request = message("REGISTER sip:home1.example.net SIP/2.0", "");
        let response = message("SIP/2.0 200 OK", ";expires=3600");
        let lost = Command::AccessLost {
            ue: Ue::at(CONTACT),
            evidence: Evidence::BearerLost,
        };
        Self {
            now: Millis(0),
            happens: VecDeque::from([
                Happened::Command(Command::Learn { request, response, trunk_group: b"" }),
                Happened::Command(lost),
            ]),
            subscribe: Vec::new(),
            notifies: 0,
            log: Vec::new(),
        }
    }
}

impl Host {
    /// The home network answers 200 to everything, and notifies as a notifier does.
    fn send(&mut self, token: Token, mut next_hops: NextHops<'_>, bytes: &[u8]) {
        assert!(next_hops.next().is_some());
        let request = Message::parse(bytes, &Limits::default()).unwrap();
        let mut response = Buffer::new(4_096);
        let mut writer = Writer::response(&mut response, 200);
        writer.copy(&request, HeaderName::Via);
        writer.copy(&request, HeaderName::From);
        let to = request.header(HeaderName::To).unwrap().raw();
        writer.parts(HeaderName::To, &[to, b";tag=home1"]);
        writer.copy(&request, HeaderName::CallId);
        writer.copy(&request, HeaderName::CSeq);
        writer.finish();
        let response = response.as_slice().to_vec();
        match request.method() {
            Some(Method::Subscribe) => {
                self.log.push("SUBSCRIBE");
                self.subscribe = bytes.to_vec();
                self.happens.push_front(Happened::Response(token, response));
                let notify = self.notify(b"active", RegistrationState::Active);
                self.happens.insert(1, notify);
            }
            Some(Method::Register) => {
                self.log.push("REGISTER");
                self.happens.push_back(Happened::Response(token, response));
                let notify = self.notify(b"terminated", RegistrationState::Terminated);
                self.happens.push_back(notify);
            }
            other => panic!("{other:?}"),
        }
    }

    fn notify(&mut self, subscription: &[u8], registration: RegistrationState) -> Happened {
        let subscribe = Message::parse(&self.subscribe, &Limits::default()).unwrap();
        let target = subscribe.name_addrs(HeaderName::Contact).next().unwrap().unwrap();
        let raw = |name| subscribe.header(name).unwrap().raw();
        let event = match registration {
            RegistrationState::Terminated => ContactEvent::Unregistered,
            _ => ContactEvent::Registered,
        };
        self.notifies += 1;
        let version = self.notifies - 1;
        let mut notify = Buffer::new(4_096);
        let mut writer = Writer::request(&mut notify, b"NOTIFY", target.uri_bytes());
        writer
            .header(HeaderName::Via, b"SIP/2.0/UDP scscf1.home1.example.net;branch=z9hG4bKn1")
            .parts(HeaderName::From, &[raw(HeaderName::To), b";tag=home1"])
            .header(HeaderName::To, raw(HeaderName::From))
            .header(HeaderName::CallId, raw(HeaderName::CallId))
            .cseq(self.notifies, b"NOTIFY")
            .header(HeaderName::Event, b"reg")
            .header(HeaderName::SubscriptionState, subscription);
        writer.body(CONTENT_TYPE, |body| {
            let mut document = DocumentWriter::new(body, version, DocumentState::Full);
            let id = Id::Numbered('r', 0);
            document.registration(b"sip:user1@home1.example.net", id, registration);
            let id = Id::Numbered('c', 0);
            document.contact(&ContactOut::new(id, event.state(), event, CONTACT));
            document.finish();
        });
        let bytes = notify.as_slice().to_vec();
        Happened::Request(Source::TrustedCore, TransactionRef(self.notifies.into()), bytes)
    }

    fn respond(&mut self, to: TransactionRef, bytes: &[u8]) {
        assert_eq!(to, TransactionRef(self.notifies.into()));
        assert!(bytes.starts_with(b"SIP/2.0 200 "));
        self.log.push("200 to NOTIFY");
    }

    fn begin(&mut self, token: Token, question: &Question) {
        self.log.push(match question {
            Question::OwedDelivery { .. } => "owed delivery",
            Question::SecurityAssociationRelease { .. } => "security association release",
            Question::BearerRelease { .. } => "bearer release",
            other => panic!("{other:?}"),
        });
        self.happens.push_back(Happened::Done(token));
    }

    fn report(&mut self, event: &Event) {
        match event {
            Event::AccessLost { .. } => self.log.push("dialogs of the UE released"),
            Event::Deregistered { outcome, .. } => {
                assert_eq!(*outcome, Outcome::Notified);
                self.log.push("deregistered");
                self.happens.push_back(Happened::Shutdown);
            }
            _ => self.log.push("subscription"),
        }
    }

    fn go_on(&mut self, _: TransactionRef, verdict: Verdict) {
        assert_eq!(verdict, Verdict::Handled);
    }

    fn wait_until(&mut self, deadline: Option<(Millis, Timer)>) -> (Millis, Happened) {
        if let Some(happened) = self.happens.pop_front() {
            return (self.now, happened);
        }
        let (at, _) = deadline.expect("a deadline, while anything is left to do");
        self.now = self.now.max(at);
        (self.now, Happened::Time)
    }

    /// The order in which it all was.
    fn check(&self) {
        let expected = [
            "SUBSCRIBE",
            "subscription",
            "200 to NOTIFY",
            "dialogs of the UE released",
            "REGISTER",
            "subscription",
            "owed delivery",
            "200 to NOTIFY",
            "security association release",
            "bearer release",
            "deregistered",
        ];
        assert_eq!(self.log, expected);
    }
}
