//! A P-CSCF restored from its blob at any moment goes on as if nothing had been.

use std::collections::BTreeMap;

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, Out, config, contact, document, identifiers, register, register_200,
    response, terminated,
};
use ims_procedures::{
    drive::{Identifier, Millis, Node, Outbox, Source, Token},
    pcscf::{Event, PcscfNode},
};

/// What happens, one after the other.
#[derive(Clone, Copy, Debug)]
enum Act {
    Register,
    /// The request that is out is answered with this status.
    Answer(u16),
    /// The question that is out is answered.
    Done,
    /// A NOTIFY, with what it says of subscription and registration.
    Notify(&'static str, bool),
    /// Time passes until the next deadline.
    Fire(&'static str),
    Lose,
}

const ACTS: [Act; 15] = [
    Act::Register,
    Act::Answer(200),
    Act::Notify("active;expires=3660", true),
    Act::Fire("subscription refresh"),
    Act::Answer(200),
    Act::Lose,
    Act::Answer(503),
    Act::Fire("retry of REGISTER"),
    Act::Answer(200),
    Act::Notify("active;expires=3000", false),
    Act::Done,
    Act::Done,
    Act::Done,
    Act::Answer(200),
    Act::Notify("terminated;reason=timeout", false),
];

/// An output as text, its token apart.
fn text(out: &Out) -> (String, Option<Token>) {
    match out {
        Out::Request { token, hops, bytes } => {
            let message = String::from_utf8(bytes.clone()).unwrap();
            (format!("{hops:?} {message}"), Some(*token))
        }
        Out::Respond { status, bytes, .. } => {
            (format!("{status} {}", String::from_utf8_lossy(bytes)), None)
        }
        Out::Ask {
            token,
            what,
            key,
            about,
        } => (format!("{what} {key} {about}"), Some(*token)),
        Out::Event(
            about,
            Event::Deregistered {
                id,
                cause,
                outcome,
                registers,
                ..
            },
        ) => (
            format!("{id} {about} {cause:?} {outcome:?} {registers}"),
            None,
        ),
        Out::Event(about, Event::AccessLost { id, .. }) => {
            (format!("{id} {about} access lost"), None)
        }
        Out::Event(_, event) => (format!("{event:?}"), None),
    }
}

/// The scenario, and the texts it has given so far.
struct Scenario {
    bed: Bed,
    seen: Vec<String>,
    /// What waits for an answer.
    outstanding: Vec<(String, Token)>,
    subscribe: Vec<u8>,
    notifies: u32,
    again: usize,
}

impl Scenario {
    fn take(&mut self, outs: Vec<Out>) {
        for out in outs {
            if let Out::Request { bytes, .. } = &out {
                if bytes.starts_with(b"SUBSCRIBE") {
                    self.subscribe.clone_from(bytes);
                }
            }
            let (text, token) = text(&out);
            let is_new = !self.seen.contains(&text);
            if let Some(token) = token {
                let waiting = self.outstanding.iter_mut().find(|(own, _)| *own == text);
                match waiting {
                    Some((_, old)) => *old = token,
                    None => {
                        assert!(is_new, "offered again after its answer: {text}");
                        self.outstanding.push((text.clone(), token));
                    }
                }
            }
            if is_new {
                self.seen.push(text);
            } else {
                self.again += 1;
            }
        }
    }

    /// What is answered next: the request, or the question, that is out.
    fn answered(&mut self, request: bool) -> (String, Token) {
        let found = self
            .outstanding
            .iter()
            .position(|(text, _)| text.starts_with('[') == request);
        self.outstanding.remove(found.expect("something to answer"))
    }

    fn act(&mut self, act: Act) {
        let outs = match act {
            Act::Register => {
                let contact = contact(Some(100_000));
                self.bed
                    .learn(&register(&contact, 1), &register_200(&contact, 1))
            }
            Act::Lose => self.bed.lose(CONTACT),
            Act::Fire(timer) => self.bed.fire(timer),
            Act::Notify(state, registered) => {
                self.notifies += 1;
                let active = document("active", &[(CONTACT, "active", "registered", "")]);
                let body = if registered { active } else { terminated() };
                let notify = Dialog::of(&self.subscribe).notify(self.notifies, state, &body);
                self.bed.receive(Source::TrustedCore, &notify).1
            }
            Act::Answer(status) => {
                let (request, token) = self.answered(true);
                let (_, request) = request.split_once("] ").unwrap();
                let extra = "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n";
                self.bed
                    .respond(token, &response(status, request.as_bytes(), extra))
            }
            Act::Done => {
                let (_, token) = self.answered(false);
                self.bed.done(token)
            }
        };
        self.take(outs);
    }

    /// The node is replaced by one restored from its blob, on a host whose clock shows another time.
    fn cut(&mut self, incarnation: u64) {
        let mut blob = Vec::new();
        self.bed.node.snapshot(self.bed.now, &mut blob);
        let now = Millis(self.bed.now.0 + 77_777_777);
        let node = PcscfNode::restore(config(), identifiers(incarnation), now, &blob).unwrap();
        let mut same = Vec::new();
        node.snapshot(now, &mut same);
        assert_eq!(blob, same, "what is kept is what remains");
        self.bed = Bed {
            node,
            out: Outbox::for_steps(1),
            now,
        };
        while self.bed.node.deadline().is_some_and(|(at, _)| at <= now) {
            let offered = self.bed.tick();
            assert_eq!(offered.len(), 1, "one machine a tick");
            self.take(offered);
        }
    }
}

/// Runs the scenario, cut before this act; gives the texts with identifiers replaced by their order, and how
/// many came again.
fn run(cut: Option<usize>) -> (Vec<String>, usize) {
    let mut scenario = Scenario {
        bed: Bed::new(config()),
        seen: Vec::new(),
        outstanding: Vec::new(),
        subscribe: Vec::new(),
        notifies: 0,
        again: 0,
    };
    for (place, act) in ACTS.into_iter().enumerate() {
        if cut == Some(place) {
            scenario.cut(2 + place as u64);
        }
        scenario.act(act);
    }
    assert_eq!(scenario.outstanding, []);
    assert_eq!(scenario.bed.node.deadline(), None, "nothing is left");
    let mut names = BTreeMap::new();
    let texts = scenario
        .seen
        .iter()
        .map(|text| numbered(text, &mut names))
        .collect();
    (texts, scenario.again)
}

/// Replaces every identifier of ours by the order in which it first came.
fn numbered(text: &str, names: &mut BTreeMap<Identifier, usize>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("s0003-") {
        let (before, tail) = rest.split_at(at);
        let (name, after) = tail.split_at(Identifier::TEXT_LEN);
        let next = names.len();
        let name = Identifier::parse(name.as_bytes()).expect("an identifier");
        let number = *names.entry(name).or_insert(next);
        result += &format!("{before}#{number}");
        rest = after;
    }
    result + rest
}

/// [DR-7] Restored before each act of the scenario, on another clock, the outputs are the same bytes in the
/// same order; what was outstanding comes once more, with the same branch, CSeq and key, and nothing else.
#[test]
fn at_every_step() {
    let (straight, again) = run(None);
    assert_eq!(again, 0);
    let whole = straight.concat();
    for part in [
        "CSeq: 2 REGISTER",
        "CSeq: 3 SUBSCRIBE",
        "AccessLost Notified 2",
        "Unsubscribed",
    ] {
        assert!(whole.contains(part), "{part} in {straight:#?}");
    }
    let outstanding_before = [0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 2, 2, 2, 1, 0];
    for (cut, before) in outstanding_before.into_iter().enumerate() {
        let (texts, again) = run(Some(cut));
        assert_eq!(texts, straight, "cut before {cut}");
        assert_eq!(again, before, "cut before {cut}");
    }
}
