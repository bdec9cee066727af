//! Triggers, the UE's own REGISTERs, answers, NOTIFYs, time and restarts in any order at a P-CSCF.

use std::collections::BTreeSet;

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, Out, config, contact, document, identifiers, register, register_200,
    response,
};
use ims_procedures::{
    drive::{self, Millis, Node, Outbox, Source, Timer, Token, TransactionRef, Verdict},
    pcscf::{Answer, Command, Config, Event, Evidence, PcscfNode},
};
use proptest::prelude::*;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    Lose,
    Heard,
    /// The UE sends a REGISTER, for so many seconds.
    Ask(u32),
    /// The UE's REGISTER, if one is at the registrar, is answered: with a 2xx, or not.
    Learn(bool),
    /// Our REGISTER, if it is out, is answered; 0: not in time.
    Answer(u16),
    /// The question that is out is answered.
    Done(bool),
    /// A NOTIFY says that the contact is registered, or not any more.
    Notify(bool),
    Wait(u64),
    /// Time passes until the next deadline.
    Fire,
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => Just(Act::Lose),
        1 => Just(Act::Heard),
        4 => prop_oneof![4 => Just(3_600), 1 => Just(0)].prop_map(Act::Ask),
        4 => prop_oneof![4 => Just(true), 1 => Just(false)].prop_map(Act::Learn),
        4 => prop_oneof![Just(200), Just(404), Just(403), Just(503), Just(0)].prop_map(Act::Answer),
        4 => any::<bool>().prop_map(Act::Done),
        2 => any::<bool>().prop_map(Act::Notify),
        2 => prop_oneof![Just(500), Just(5_000), Just(40_000), Just(3_600_000)].prop_map(Act::Wait),
        4 => Just(Act::Fire),
        2 => Just(Act::Restart),
    ];
    proptest::collection::vec(act, 1..60)
}

/// A REGISTER of the UE on its way.
#[derive(Clone, Copy, Debug)]
struct Own {
    expires: u32,
    /// Since when it is at the registrar.
    since: Millis,
    /// The UE was reported lost after it.
    lost_since: bool,
}

/// A REGISTER of ours that has not been answered.
struct Ours {
    /// None after a restart, until it is offered again: an answer is then lost.
    token: Option<Token>,
    bytes: Vec<u8>,
    since: Millis,
    /// It does not keep the UE's from passing any more.
    passed: bool,
}

/// The world around the node, and what was seen of it.
struct World {
    bed: Bed,
    dialog: Option<Dialog>,
    notifies: u32,
    incarnation: u64,
    transactions: u64,
    cseq: u32,
    ours: Option<Ours>,
    question: Option<Token>,
    own: Option<Own>,
    held: Option<(TransactionRef, Millis, u32)>,
    /// Call-IDs of ours: those under way, and those that are over.
    calls: BTreeSet<String>,
    over: BTreeSet<String>,
    outcomes: usize,
    unsent_outcomes: usize,
    /// In this act a NOTIFY has said that the contact is gone.
    notified: bool,
}

/// What the pacer has learnt of a home network that does not answer is not kept where nobody waits: here it learns
/// nothing.
fn unpaced() -> Config {
    let mut config = config();
    let pacing = &mut config.pacing;
    (pacing.burst, pacing.canaries, pacing.bad_streak) = (10_000, 0, 0);
    pacing.retry_after_limit = 0;
    (pacing.hop_start_rate, pacing.hop_min_rate) = (pacing.hop_max_rate, pacing.hop_max_rate);
    config
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            bed: Bed::new(unpaced()),
            dialog: None,
            notifies: 0,
            incarnation: 1,
            transactions: 0,
            cseq: 1,
            ours: None,
            question: None,
            own: None,
            held: None,
            calls: BTreeSet::new(),
            over: BTreeSet::new(),
            outcomes: 0,
            unsent_outcomes: 0,
            notified: false,
        };
        world.ask(3_600);
        world.learn(true);
        world
    }

    fn is_registered(&self) -> bool {
        self.bed.node.is_registered(CONTACT.as_bytes())
    }

    fn take(&mut self, outs: Vec<Out>) {
        for out in outs {
            match out {
                Out::Request { token, bytes, .. } if bytes.starts_with(b"SUBSCRIBE") => {
                    self.dialog = Some(Dialog::of(&bytes));
                    self.notifies = 0;
                    let extra =
                        "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 600000\r\n";
                    let answered = self.bed.respond(token, &response(200, &bytes, extra));
                    self.take(answered);
                }
                Out::Request { token, bytes, .. } => self.take_register(token, bytes),
                Out::Ask { token, .. } => self.question = Some(token),
                Out::Respond { .. } => {}
                Out::Event(_, event) => self.take_event(event),
            }
        }
    }

    /// [PD-9] Ours never goes out while the UE's is at the registrar, nor under a Call-ID whose deregistration is
    /// over; after a restart it is the same again.
    fn take_register(&mut self, token: Token, bytes: Vec<u8>) {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let (_, rest) = text.split_once("Call-ID: ").unwrap();
        let call_id = rest.split('\r').next().unwrap().to_owned();
        assert!(!self.over.contains(&call_id), "after its outcome");
        let before = self.ours.as_ref().filter(|ours| ours.bytes == bytes);
        let is_again = before.is_some();
        let since = before.map_or(self.bed.now, |ours| ours.since);
        // One that asks for the same may cross it.
        let own = self.own.filter(|own| own.expires > 0 && !is_again);
        if let Some(own) = own {
            let passed = self.bed.now.since(own.since);
            assert!(passed >= 32_000, "ours crosses the UE's after {passed} ms");
        }
        self.calls.insert(call_id);
        self.ours = Some(Ours {
            token: Some(token),
            bytes,
            since,
            passed: false,
        });
    }

    /// Ours does not matter any more.
    fn let_pass(&mut self) {
        if let Some(ours) = &mut self.ours {
            ours.passed = true;
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Deregistered { registers, .. } | Event::Cancelled { registers, .. } => {
                self.outcomes += 1;
                if registers == 0 {
                    self.unsent_outcomes += 1;
                } else {
                    assert_eq!(self.calls.len(), 1, "one is under way");
                }
                let mut calls = std::mem::take(&mut self.calls);
                self.over.append(&mut calls);
                self.let_pass();
                if matches!(event, Event::Deregistered { .. }) {
                    self.question = None;
                }
            }
            Event::HeldRegisterReleased {
                transaction,
                forward,
                ..
            } => {
                let (held, since, expires) = self.held.expect("one is held");
                assert_eq!(held, transaction);
                self.held = None;
                if forward {
                    let now = self.bed.now;
                    let passed = now.since(since);
                    let is_out = |ours: &Ours| now.since(ours.since) < 40_000;
                    let answered = !self.ours.as_ref().is_some_and(is_out) || self.notified;
                    assert!(answered || passed >= 4_000, "after {passed} ms");
                    self.let_pass();
                    self.passed_on(expires);
                }
            }
            Event::AccessLost { .. } => {
                if let Some(own) = &mut self.own {
                    own.lost_since = true;
                }
            }
            _ => {}
        }
    }

    fn passed_on(&mut self, expires: u32) {
        self.own = Some(Own {
            expires,
            since: self.bed.now,
            lost_since: false,
        });
    }

    fn ask(&mut self, expires: u32) {
        self.transactions += 1;
        self.cseq += 1;
        let transaction = TransactionRef(self.transactions);
        let message = register(&contact(Some(expires)), self.cseq);
        let before = self.held;
        let (node, out) = (&mut self.bed.node, &mut self.bed.out);
        let verdict = node
            .receive(
                self.bed.now,
                Source::Ue,
                transaction,
                message.as_bytes(),
                out,
            )
            .unwrap();
        let outs = self.bed.take();
        self.take(outs);
        match verdict {
            Verdict::Forward => {
                let now = self.bed.now;
                let is_out = |ours: &Ours| !ours.passed && now.since(ours.since) < 40_000;
                let crosses = self.ours.as_ref().is_some_and(is_out);
                assert!(expires == 0 || !crosses, "it crosses ours");
                self.passed_on(expires);
            }
            Verdict::Hold(token) => {
                let ours = self.ours.as_ref().and_then(|ours| ours.token);
                assert_eq!(ours, Some(token));
                let since = before.map_or(self.bed.now, |(_, since, _)| since);
                self.held = Some((transaction, since, expires));
            }
            other => panic!("{other:?}"),
        }
    }

    fn learn(&mut self, succeeds: bool) {
        let Some(own) = self.own.take() else {
            return;
        };
        if !succeeds {
            return;
        }
        let rest = register_200("", self.cseq).replace("Contact: \r\n", "");
        let granted = match own.expires {
            0 => rest,
            expires => register_200(&contact(Some(expires)), self.cseq),
        };
        let outs = self
            .bed
            .learn(&register(&contact(Some(own.expires)), self.cseq), &granted);
        self.take(outs);
        if own.expires > 0 && !own.lost_since && self.held.is_none() {
            assert!(self.is_registered(), "the UE registered last");
        }
        if own.expires == 0 {
            self.let_pass();
        }
    }

    fn notify(&mut self, registered: bool) {
        let Some(dialog) = &self.dialog else {
            return;
        };
        self.notifies += 1;
        let state = if registered { "active" } else { "terminated" };
        let body = document("active", &[(CONTACT, state, "registered", "")])
            .replace("version=\"1\"", &format!("version=\"{}\"", self.notifies));
        let notify = dialog.notify(self.notifies, "active;expires=600000", &body);
        self.notified = !registered;
        let (_, outs) = self.bed.receive(Source::TrustedCore, &notify);
        self.take(outs);
        self.notified = false;
        if !registered {
            self.let_pass();
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Lose => {
                let contact = CONTACT.as_bytes();
                let evidence = Evidence::BearerLost;
                self.bed.command(Command::AccessLost { contact, evidence });
                let outs = self.bed.take();
                self.take(outs);
            }
            Act::Heard => {
                let contact = CONTACT.as_bytes();
                self.bed.command(Command::Heard { contact });
                let outs = self.bed.take();
                self.take(outs);
            }
            Act::Ask(expires) => self.ask(expires),
            Act::Learn(succeeds) => self.learn(succeeds),
            Act::Answer(status) => {
                if let Some(token) = self.ours.as_ref().and_then(|ours| ours.token) {
                    let bytes = self.ours.take().map(|ours| ours.bytes).unwrap();
                    let outs = match status {
                        0 => self.bed.answer(token, drive::Answer::Timeout),
                        _ => self.bed.respond(token, &response(status, &bytes, "")),
                    };
                    self.take(outs);
                }
            }
            Act::Done(done) => {
                if let Some(token) = self.question.take() {
                    let answer = if done { Answer::Done } else { Answer::Failed };
                    let outs = self.bed.answer(token, answer.into());
                    self.take(outs);
                }
            }
            Act::Notify(registered) => self.notify(registered),
            Act::Wait(time) => self.bed.now = self.bed.now.after(time),
            Act::Fire => {
                if let Some((at, _)) = self.bed.node.deadline() {
                    self.bed.now = self.bed.now.max(at);
                    self.tick();
                }
            }
            Act::Restart => self.restart(),
        }
    }

    fn tick(&mut self) {
        let outs = self.bed.tick();
        self.take(outs);
    }

    /// The node is replaced by one from its blob, which writes the same blob.
    fn restart(&mut self) {
        let blob = |node: &PcscfNode, now| {
            let mut blob = Vec::new();
            node.snapshot(now, &mut blob);
            blob
        };
        let before = blob(&self.bed.node, self.bed.now);
        self.incarnation += 1;
        let node = PcscfNode::restore(
            unpaced(),
            identifiers(self.incarnation),
            self.bed.now,
            &before,
        )
        .unwrap();
        assert!(
            blob(&node, self.bed.now) == before,
            "what is kept is what remains"
        );
        self.bed = Bed {
            node,
            out: Outbox::for_steps(1),
            now: self.bed.now,
        };
        self.question = None;
        if let Some(ours) = &mut self.ours {
            ours.token = None;
        }
    }

    /// What shows of the node. What is overdue is due now.
    fn state(&self) -> (bool, bool, usize, Option<(Millis, Timer)>) {
        let node = &self.bed.node;
        let is_lost = node.is_access_lost(CONTACT.as_bytes());
        let due = node.deadline();
        (
            self.is_registered(),
            is_lost,
            node.registrations(),
            due.map(|(at, timer)| (at.max(self.bed.now), timer)),
        )
    }

    /// What is due is done.
    fn catch_up(&mut self) {
        for _ in 0..100 {
            match self.bed.node.deadline() {
                Some((at, _)) if at <= self.bed.now => self.tick(),
                _ => return,
            }
        }
        panic!("{:?}", self.bed.node.deadline());
    }

    /// Whether it has something to give the answer for.
    fn can(&self, act: Act) -> bool {
        match act {
            Act::Answer(_) => self.ours.as_ref().is_some_and(|ours| ours.token.is_some()),
            Act::Done(_) => self.question.is_some(),
            _ => true,
        }
    }

    /// Time passes, everything is answered, until there is nothing to do but to wait for the lifetime.
    fn settle(&mut self) {
        for _ in 0..200 {
            self.act(Act::Answer(404));
            self.act(Act::Done(true));
            let Some((_, timer)) = self.bed.node.deadline() else {
                return;
            };
            if self.is_registered() && timer.0 == "registration lifetime" {
                return;
            }
            self.own = None;
            self.act(Act::Fire);
        }
        panic!("{:?}", self.bed.node.deadline());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// [PD-6, PD-7, PD-9, DR-7] Whatever the order: ours and the UE's never cross; what is held is let go, once; each
    /// deregistration has one outcome and sends nothing after it; a UE that registered last is registered; and a
    /// restart at any moment changes none of it.
    #[test]
    fn in_any_order(acts in acts()) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.settle();
        prop_assert!(world.held.is_none(), "held for ever");
        prop_assert!(world.calls.is_empty(), "without an outcome");
        prop_assert_eq!(world.outcomes, world.over.len() + world.unsent_outcomes);
        prop_assert_eq!(world.bed.node.registrations(), usize::from(world.is_registered()));
    }

    /// [DR-7, PD-3, PD-7, PD-9] A node restored from its blob, at any moment and again and again, goes on as the one
    /// that was not: the same state, waiting for the same, for as long. What was outstanding is offered again first.
    #[test]
    fn restored_at_any_moment(acts in acts()) {
        let (mut straight, mut restored) = (World::new(), World::new());
        for act in acts {
            if matches!(act, Act::Restart) {
                straight.catch_up();
                restored.catch_up();
                restored.restart();
                restored.catch_up();
            } else if straight.can(act) && restored.can(act) {
                straight.act(act);
                restored.act(act);
            }
            prop_assert_eq!(straight.state(), restored.state(), "after {:?}", act);
        }
    }
}
