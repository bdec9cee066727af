//! Whatever happens in whatever order, with restarts in between: the REGISTER never leaves before the last dialog has
//! ended or the bound has run out, there is one outcome, and nothing after it.

use std::collections::{BTreeMap, BTreeSet};

use ims_procedures::{
    dialog::{Dialog, Sequence},
    drive::{Answer, Millis, Node, Outbox, Token},
    mscics::{self, Cause, Event, MscNode},
};
use proptest::prelude::*;

use crate::bed::{
    Bed, OTHER, Out, PARAMS, PRIVATE, branch, identifiers, plain, register, register_200, response,
};

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Act {
    Trigger,
    Returned,
    Dialog(bool),
    DialogEnded(u64),
    /// The answer to what is out: which, and how.
    Answer(usize, u16),
    /// So many milliseconds pass, and all that is due is done.
    Wait(u64),
    Restart,
    Registered,
    Shutdown,
    Resume,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => Just(Act::Trigger),
        1 => Just(Act::Returned),
        4 => any::<bool>().prop_map(Act::Dialog),
        1 => (0u64..8).prop_map(Act::DialogEnded),
        6 => (any::<usize>(), prop_oneof![Just(200u16), Just(481), Just(503), Just(408), Just(0), Just(403), Just(100)])
            .prop_map(|(which, status)| Act::Answer(which, status)),
        3 => prop_oneof![Just(0u64), Just(1_000), Just(5_000), Just(40_000), Just(130_000)].prop_map(Act::Wait),
        1 => Just(Act::Restart),
        1 => Just(Act::Registered),
        1 => Just(Act::Shutdown),
        1 => Just(Act::Resume),
    ];
    proptest::collection::vec(act, 1..40)
}

/// What is out.
#[derive(Clone, Debug)]
enum Pending {
    Register(Vec<u8>),
    Bye(u64, Vec<u8>),
    Question(u64),
}

/// The node, and what a host would know.
struct World {
    bed: Bed,
    pending: BTreeMap<Token, Pending>,
    dialogs: BTreeSet<u64>,
    next: u64,
    /// When the first release of this procedure began.
    released_at: Option<Millis>,
    /// REGISTERs of this procedure.
    sent: BTreeSet<Vec<u8>>,
    /// How often the host has registered the subscriber, and for how many registrations.
    registered: u32,
    learned: u32,
    outcomes: u32,
    incarnation: u64,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            bed: Bed::new(plain()),
            pending: BTreeMap::new(),
            dialogs: BTreeSet::new(),
            next: 0,
            released_at: None,
            sent: BTreeSet::new(),
            registered: 0,
            learned: 0,
            outcomes: 0,
            incarnation: 1,
        };
        world.register();
        world
    }

    fn is_here(&self) -> bool {
        self.learned > self.outcomes
    }

    /// The host registers the subscriber, at another contact than the last time.
    fn register(&mut self) {
        let is_new = !self.is_here();
        self.registered += 1;
        let contact = format!("net:{}>;+sip", 5060 + self.registered % 2);
        let at = |text: String| text.replace("net:5060>;+sip", &contact);
        let (request, response) = (register(PARAMS, 1), register_200(PARAMS, 1));
        let out = self.bed.learn(&at(request), &at(response));
        self.learned += u32::from(is_new);
        self.take(out);
    }

    fn act(&mut self, act: Act) {
        let private_identity = PRIVATE.as_bytes();
        let cause = Cause::ImplicitDetach;
        match act {
            Act::Trigger => {
                let command = mscics::Command::Inactive {
                    private_identity,
                    cause,
                };
                self.bed.command(command);
            }
            Act::Returned => {
                self.bed
                    .command(mscics::Command::Returned { private_identity });
            }
            Act::Dialog(held) if self.is_here() && self.bed.node.dialogs(private_identity) < 8 => {
                self.next += 1;
                self.dialogs.insert(self.next);
                let call_id = self.next.to_string();
                let dialog = Dialog {
                    call_id: call_id.as_bytes(),
                    local_uri: b"tel:+12125551111",
                    local_tag: b"1",
                    remote_uri: b"sip:bob@biloxi.example",
                    remote_tag: b"2",
                    remote_target: b"sip:bob@192.0.2.4",
                    ..Dialog::default()
                };
                let held = held.then(|| (dialog, Sequence::default()));
                self.bed.add(OTHER, self.next, held);
            }
            Act::Dialog(_) => {}
            Act::DialogEnded(number) => {
                self.dialogs.remove(&number);
                let dialog = mscics::DialogRef(number);
                self.bed.command(mscics::Command::DialogEnded {
                    private_identity,
                    dialog,
                });
            }
            Act::Answer(which, status) => return self.answer(which, status),
            Act::Wait(milliseconds) => {
                self.bed.now = self.bed.now.after(milliseconds);
                return self.run();
            }
            Act::Restart => self.restart(),
            Act::Registered => return self.register(),
            Act::Shutdown => {
                let order = mscics::Shutdown::until(self.bed.now.after(20_000));
                self.bed.command(mscics::Command::Shutdown(order));
            }
            Act::Resume => {
                self.bed.command(mscics::Command::Resume);
            }
        }
        let out = self.bed.take();
        self.take(out);
    }

    fn answer(&mut self, which: usize, status: u16) {
        if self.pending.is_empty() {
            return;
        }
        let place = which % self.pending.len();
        let (token, pending) = self.pending.iter().nth(place).unwrap();
        let (token, pending) = (*token, pending.clone());
        let (dialog, bytes) = match &pending {
            Pending::Register(bytes) => (None, Some(bytes)),
            Pending::Bye(dialog, bytes) => (Some(*dialog), Some(bytes)),
            Pending::Question(dialog) => (Some(*dialog), None),
        };
        if status >= 200 || status == 0 || bytes.is_none() {
            self.pending.remove(&token);
            if let Some(dialog) = dialog {
                self.dialogs.remove(&dialog);
            }
        }
        let answered;
        let answer = match (bytes, status) {
            (None, 0) => mscics::Answer::Failed.into(),
            (None, _) => mscics::Answer::Done.into(),
            (Some(_), 0) => Answer::Timeout,
            (Some(bytes), status) => {
                answered = response(status, bytes, "");
                Answer::Response(&answered)
            }
        };
        let out = self.bed.answer(token, answer);
        self.take(out);
    }

    /// Does all that is due.
    fn run(&mut self) {
        for _ in 0..10_000 {
            match self.bed.node.deadline() {
                Some((at, _)) if at <= self.bed.now => {
                    let out = self.bed.tick();
                    self.take(out);
                }
                _ => return,
            }
        }
        panic!("it does not come to rest");
    }

    /// A restart from the blob. What was out is offered again, and no more than that.
    fn restart(&mut self) {
        let mut blob = Vec::new();
        self.bed.node.snapshot(self.bed.now, &mut blob);
        self.incarnation += 1;
        let identifiers = identifiers(self.incarnation);
        self.bed.now = Millis(self.bed.now.0 + 1_000_000);
        self.released_at = self.released_at.map(|at| Millis(at.0 + 1_000_000));
        self.bed.node = MscNode::restore(plain(), identifiers, self.bed.now, &blob).unwrap();
        self.bed.out = Outbox::for_steps(1);
        self.pending.clear();
        let mut again = Vec::new();
        self.bed.node.snapshot(self.bed.now, &mut again);
        assert_eq!(blob, again, "what is restored is what was stored");
        self.run();
    }

    fn take(&mut self, out: Vec<Out>) {
        for output in out {
            match output {
                Out::Request { token, bytes, .. } if bytes.starts_with(b"REGISTER") => {
                    let over = self.released_at.map(|at| at.after(40_000));
                    let is_over = over.is_some_and(|over| self.bed.now >= over);
                    // After a restart the same one goes out again.
                    let is_branch = |sent: &&Vec<u8>| branch(sent) == branch(&bytes);
                    let again = self.sent.iter().find(is_branch);
                    assert!(
                        again.is_none_or(|again| *again == bytes),
                        "one branch, one REGISTER"
                    );
                    if self.sent.insert(bytes.clone()) {
                        let left = &self.dialogs;
                        assert!(left.is_empty() || is_over, "dialogs {left:?} are left");
                    }
                    self.pending.insert(token, Pending::Register(bytes));
                }
                Out::Request { token, bytes, .. } => {
                    assert!(bytes.starts_with(b"BYE "));
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    let (_, rest) = text.split_once("Call-ID: ").unwrap();
                    let dialog = rest.lines().next().unwrap().parse().unwrap();
                    self.pending.insert(token, Pending::Bye(dialog, bytes));
                }
                Out::Ask { token, dialog, .. } => {
                    self.pending.insert(token, Pending::Question(dialog));
                }
                Out::Event(_, Event::Deregistered { dialogs_left, .. }) => {
                    self.outcomes += 1;
                    assert_eq!(self.outcomes, self.learned, "one outcome for each");
                    assert_eq!(usize::from(dialogs_left), self.dialogs.len());
                    self.over();
                    self.pending.clear();
                    self.dialogs.clear();
                }
                Out::Event(_, Event::Cancelled { .. }) => {
                    assert!(self.sent.is_empty(), "after the REGISTER it is finished");
                    self.over();
                }
                Out::Event(..) => {}
                Out::Respond { .. } => panic!("nobody has asked"),
            }
        }
        let is_release = |pending: &Pending| !matches!(pending, Pending::Register(_));
        let is_running = !self.bed.node.is_registered(PRIVATE.as_bytes());
        if is_running && self.pending.values().any(is_release) {
            self.released_at.get_or_insert(self.bed.now);
        }
        let here = usize::from(self.is_here());
        assert_eq!(self.bed.node.registrations(), here);
        if here == 1 {
            assert_eq!(
                self.bed.node.dialogs(PRIVATE.as_bytes()),
                self.dialogs.len()
            );
        }
    }

    fn over(&mut self) {
        self.released_at = None;
        self.sent.clear();
    }

    /// Time alone brings it to an end.
    fn end(mut self) {
        self.act(Act::Resume);
        self.run();
        self.act(Act::Trigger);
        for _ in 0..200 {
            match self.bed.node.deadline() {
                Some((at, _)) if self.is_here() => {
                    self.bed.now = self.bed.now.max(at);
                    self.run();
                }
                _ => break,
            }
        }
        assert!(!self.is_here(), "it ends");
        self.run();
        assert_eq!(self.bed.node.deadline(), None, "nothing is left");
    }
}

proptest! {
    /// [MS-1, MS-2, MS-4, MS-5] [DR-7] Any order.
    #[test]
    fn any_order(acts in acts()) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.end();
    }
}
