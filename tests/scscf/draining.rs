//! [SD-5] Everybody is deregistered, each in its turn.

use std::collections::VecDeque;

use super::support::*;
use ims_procedures::{
    drive::{self, Identifiers, Millis, Node, Release, Source, TransactionRef, Verdict},
    scscf::{Answer, Cause, Command, Config, DeregistrationReason, DrainProgress, ScscfNode},
};
use proptest::prelude::*;

/// Whoever is told or asked answers after so many milliseconds.
const LATENCY: u64 = 20;

/// How the neighbours behave.
#[derive(Clone, Copy, Default)]
struct World {
    /// This P-CSCF answers nothing; the host says so after 64·T1.
    dead_pcscf: Option<usize>,
    hss_silent: bool,
    /// The node is restarted after each so many steps, some times.
    restarts: Option<u64>,
}

struct Run {
    host: Host,
    config: Config,
    world: World,
    waiting: VecDeque<(Millis, Out)>,
    /// When each user's turn was.
    turns: Vec<(Millis, String)>,
    outcomes: u64,
    reports: Vec<DrainProgress>,
    drained: Option<DrainProgress>,
    steps: u64,
}

fn user(number: usize) -> &'static str {
    format!("sip:user{number}@home1.example.net").leak()
}

fn paced(rate: u32, burst: u32) -> Config {
    let mut config = config();
    config.drain.rate = rate;
    config.drain.burst = burst;
    config.drain.hop_start_rate = rate;
    config.drain.hop_max_rate = rate;
    config.drain.canaries = 0;
    config
}

fn registration(number: usize, pcscfs: usize) -> Registration {
    let contact = format!("<sip:user{number}@192.0.2.1>");
    Registration {
        to: user(number),
        private: format!("user{number}@home1.example.net").leak(),
        call_id: format!("ue-call-{number}").leak(),
        granted: vec![format!("{contact};expires=3600")],
        contacts: vec![contact],
        path: format!("<sip:term{number}@pcscf{}.example.net;lr>", number % pcscfs).leak(),
        associated: vec![user(number)],
        ..Registration::default()
    }
}

impl Run {
    /// A node with so many users behind so many P-CSCFs, each of which watches its own.
    fn new(config: Config, users: usize, pcscfs: usize, world: World) -> Self {
        let mut host = Host::new(config.clone());
        for number in 0..users {
            host.learn(&registration(number, pcscfs));
            let pcscf = format!("pcscf{}.example.net", number % pcscfs);
            let text = subscribe()
                .replace(PUBLIC, user(number))
                .replace("s-call-1", &format!("s-call-{number}"))
                .replace("pcscf1.visited1.example.net:5070", &pcscf);
            let txn = TransactionRef(number as u64);
            let verdict = host.node.receive(
                host.now,
                Source::TrustedCore,
                txn,
                text.as_bytes(),
                &mut host.out,
            );
            assert_eq!(verdict, Ok(Verdict::Handled), "{text}");
            let outs = host.drain();
            let notify = outs.iter().find(|out| out.is_notify()).unwrap();
            host.respond(notify, 200);
        }
        Self {
            host,
            config,
            world,
            waiting: VecDeque::new(),
            turns: Vec::new(),
            outcomes: 0,
            reports: Vec::new(),
            drained: None,
            steps: 0,
        }
    }

    fn begin(&mut self, within: Option<u64>) {
        let reason = DeregistrationReason::Maintenance;
        let begun = self.host.command(Command::DeregisterAll { reason, within });
        assert_eq!(begun, (Verdict::Handled, Vec::new()));
    }

    fn note(&mut self, outs: Vec<Out>) {
        for out in outs {
            match &out {
                Out::Event(Ev::Deregistered { cause, .. }) => {
                    let reason = DeregistrationReason::Maintenance;
                    assert_eq!(*cause, Cause::Operator(reason));
                    self.outcomes += 1;
                }
                Out::Event(Ev::Progressed(progress)) => self.reports.push(*progress),
                Out::Event(Ev::Drained(progress)) => {
                    assert_eq!(self.drained, None, "once");
                    self.drained = Some(*progress);
                }
                Out::Event(_) => {}
                Out::Ask {
                    ask: Ask::DialogRelease { private, .. },
                    ..
                } => {
                    if !self.turns.iter().any(|(_, who)| who == private) {
                        self.turns.push((self.host.now, private.clone()));
                    }
                    self.wait(LATENCY, out);
                }
                Out::Ask {
                    ask: Ask::ServerAssignment { .. },
                    ..
                } if self.world.hss_silent => {}
                Out::Request { hops, .. } => {
                    let dead = self.world.dead_pcscf;
                    let name = dead.map(|number| format!("pcscf{number}."));
                    let is_dead = name.is_some_and(|name| hops[0].contains(&name));
                    self.wait(if is_dead { 32_000 } else { LATENCY }, out);
                }
                _ => self.wait(LATENCY, out),
            }
        }
    }

    fn wait(&mut self, milliseconds: u64, out: Out) {
        self.waiting
            .push_back((self.host.now.after(milliseconds), out));
    }

    /// One thing that is due, of the node or of a neighbour; `false` if nothing ever is.
    fn step(&mut self) -> bool {
        let answered = self.waiting.iter().map(|(at, _)| *at).min();
        let due = self.host.node.deadline().map(|(at, _)| at);
        let Some(at) = answered.into_iter().chain(due).min() else {
            return false;
        };
        self.host.now = self.host.now.max(at);
        let now = self.host.now;
        let place = self.waiting.iter().position(|(at, _)| *at <= now);
        let outs = match place.and_then(|place| self.waiting.remove(place)) {
            Some((_, out @ Out::Ask { .. })) => {
                let answer = match &out {
                    Out::Ask {
                        ask: Ask::DialogRelease { .. },
                        ..
                    } => Answer::Released,
                    _ => Answer::Assigned {
                        application_servers: b"",
                    },
                };
                self.host.answer(&out, answer)
            }
            Some((_, out @ Out::Request { .. })) => {
                let is_dead = self.world.dead_pcscf.is_some_and(|number| {
                    matches!(&out, Out::Request { hops, .. } if hops[0].contains(&format!("pcscf{number}.")))
                });
                match is_dead {
                    true => self
                        .host
                        .try_answer(out.token(), drive::Answer::Timeout)
                        .unwrap(),
                    false => self.host.respond(&out, 200),
                }
            }
            Some(_) => Vec::new(),
            None => self.host.tick(),
        };
        self.note(outs);
        self.steps += 1;
        if self
            .world
            .restarts
            .is_some_and(|every| self.steps % every == 0 && self.steps / every <= 8)
        {
            self.restart();
        }
        true
    }

    fn restart(&mut self) {
        let mut blob = Vec::new();
        self.host.node.snapshot(self.host.now, &mut blob);
        let identifiers = Identifiers::new(SEED, 10 + self.steps, 3);
        let config = self.config.clone();
        self.host.node = ScscfNode::restore(config, identifiers, self.host.now, &blob).unwrap();
        self.waiting.clear();
    }

    /// Until all is over; what is looked at meanwhile adds up.
    fn finish(&mut self) -> DrainProgress {
        for _ in 0..10_000 {
            if let Some(drained) = self.drained {
                assert_eq!(self.host.node.drain_progress(), None);
                return drained;
            }
            if let Some(p) = self.host.node.drain_progress() {
                let sum = p.waiting + p.running + p.deregistered + p.passed_over + p.not_asked;
                assert_eq!(p.found, sum, "{p:?}");
            }
            assert!(self.step(), "nothing is due, and it is not over");
        }
        panic!("no end: {:?}", self.host.node.drain_progress());
    }

    /// The most turns in any 100 ms.
    fn most_turns(&self) -> usize {
        let in_window = |from: Millis| {
            let within = |at: Millis| at >= from && at < from.after(100);
            self.turns.iter().filter(|(at, _)| within(*at)).count()
        };
        self.turns
            .iter()
            .map(|(at, _)| in_window(*at))
            .max()
            .unwrap_or(0)
    }

    fn registered(&self, users: usize) -> usize {
        let is_registered = |number: &usize| self.host.node.is_registered(user(*number).as_bytes());
        (0..users).filter(is_registered).count()
    }
}

/// [SD-5, PD-12] Everybody goes, with an outcome each, never more than the rate and the burst allow in any 100 ms;
/// reports on the way, one tally at the end, and nothing left of it.
#[test]
fn everybody() {
    let mut run = Run::new(paced(50, 3), 120, 3, World::default());
    run.begin(None);
    let done = run.finish();
    assert_eq!(
        (done.found, done.deregistered, run.outcomes),
        (120, 120, 120)
    );
    assert_eq!(
        (done.disturbed, done.not_asked, done.passed_over),
        (0, 0, 0)
    );
    assert!(done.all_found);
    assert_eq!(run.turns.len(), 120);
    assert!(run.most_turns() <= 5 + 2, "{}", run.most_turns());
    assert!(run.reports.len() >= 2, "{:?}", run.reports.len());
    let steady = run
        .reports
        .windows(2)
        .all(|two| two[0].deregistered <= two[1].deregistered);
    assert!(steady);
    assert!(run.reports[0].least_time > 0);
    assert_eq!(run.registered(120), 0);
    run.host.run(64_000);
    assert_eq!((run.host.node.sets(), run.host.node.deadline()), (0, None));
}

/// [SD-5] A P-CSCF that does not answer holds up its own users and nobody else: theirs are told last, and counted as
/// disturbed.
#[test]
fn dead_pcscf() {
    let world = World {
        dead_pcscf: Some(1),
        ..World::default()
    };
    let mut config = paced(100, 1);
    config.drain.hop_in_flight = 4;
    let mut run = Run::new(config, 90, 3, world);
    let begun = run.host.now;
    run.begin(None);
    let done = run.finish();
    assert_eq!(
        (done.found, done.deregistered, done.disturbed),
        (90, 90, 30)
    );
    let of_others = run.turns.iter().filter(|(_, who)| {
        let number: usize = who[4..who.find('@').unwrap()].parse().unwrap();
        number % 3 != 1
    });
    let last = of_others.map(|(at, _)| *at).max().unwrap();
    assert!(last.since(begun) < 2_000, "{} ms", last.since(begun));
}

/// [SD-5, SD-8] An HSS that does not answer slows all down; everybody has an outcome.
#[test]
fn silent_hss() {
    let world = World {
        hss_silent: true,
        ..World::default()
    };
    let mut run = Run::new(paced(100, 1), 40, 2, world);
    run.begin(None);
    let done = run.finish();
    assert_eq!(
        (done.deregistered, done.disturbed, run.outcomes),
        (40, 40, 40)
    );
    assert_eq!(run.host.node.counters().assignments_unanswered, 40);
}

/// [SD-5] Past the deadline nobody is begun with; they stay registered, and are counted. Told again, it goes on with
/// those who are left; with no time at all it stops.
#[test]
fn deadline() {
    let mut run = Run::new(paced(50, 1), 100, 2, World::default());
    run.begin(Some(1_000));
    let done = run.finish();
    assert!((50..=52).contains(&done.deregistered), "{done:?}");
    assert_eq!(done.deregistered + done.not_asked, 100);
    assert_eq!(run.registered(100) as u64, done.not_asked);
    run.drained = None;
    run.begin(None);
    let rest = run.finish();
    assert_eq!(rest.deregistered, done.not_asked);
    assert_eq!(run.registered(100), 0);

    let mut run = Run::new(paced(50, 1), 100, 2, World::default());
    run.begin(None);
    while run.turns.len() < 20 {
        run.step();
    }
    run.begin(Some(0));
    let done = run.finish();
    assert!(done.deregistered < 25, "{done:?}");
    assert_eq!(done.deregistered + done.not_asked, done.found);
}

/// [SD-5] The second command while it runs begins nothing anew; a node without users is done at once; who has gone
/// when the turn comes is passed over; who has only an emergency registration is not found.
#[test]
fn again_and_nobody() {
    let mut run = Run::new(paced(10, 1), 10, 1, World::default());
    let emergency = "<sip:user9@192.0.2.1;sos>";
    run.host.learn(&Registration {
        contacts: vec![emergency.into()],
        granted: vec![format!("{emergency};expires=3600")],
        ..registration(10, 1)
    });
    run.begin(None);
    while run.turns.is_empty() {
        run.step();
    }
    run.begin(None);
    let leaves = registration(5, 1);
    let gone = Command::RegistrationTermination {
        public_identity: leaves.to.as_bytes(),
        private_identities: &[],
        reason: ims_procedures::scscf::TerminationReason::NewServerAssigned,
        application_servers: b"",
    };
    assert_eq!(run.host.command(gone).0, Verdict::Handled);
    let outs: Vec<_> = run.host.ticks();
    let others = outs.into_iter().filter(|out| {
        !matches!(
            out,
            Out::Event(Ev::Deregistered {
                cause: Cause::Hss(_),
                ..
            })
        )
    });
    let others: Vec<_> = others.collect();
    run.note(others);
    let done = run.finish();
    assert_eq!(
        (done.found, done.deregistered, done.passed_over),
        (10, 9, 1)
    );
    assert_eq!(run.host.node.contacts(user(10).as_bytes()).count(), 1);

    let mut run = Run::new(config(), 0, 1, World::default());
    run.begin(None);
    let now = Some(run.host.now);
    assert_eq!(run.host.node.deadline().map(|(at, _)| at), now);
    let done = run.finish();
    assert_eq!((done.found, done.all_found), (0, true));
    assert_eq!(run.steps, 1);
}

/// [SD-5, DR-7] For the release before, a drain is over; those in the middle of theirs go on.
#[test]
fn for_the_release_before() {
    let mut run = Run::new(paced(50, 5), 20, 2, World::default());
    run.begin(None);
    while run.turns.len() < 5 {
        run.step();
    }
    let mut blob = Vec::new();
    run.host
        .node
        .snapshot_for(Release::Previous, run.host.now, &mut blob);
    let identifiers = Identifiers::new(SEED, 5, 3);
    let node = ScscfNode::restore(config(), identifiers, run.host.now, &blob).unwrap();
    assert_eq!(node.drain_progress(), None);
    run.host.node = node;
    let outs = run.host.ticks();
    assert!(outs.iter().any(|out| matches!(out, Out::Ask { .. })));
    assert_eq!(run.registered(20), 15);
}

/// [SD-5, DR-7] A drain of more than 64 seconds, killed while those that were deregistered first are to be forgotten:
/// everybody else has a turn, once, and it ends.
#[test]
fn restarted_before_a_purge() {
    for late in [0, 1, 3_000] {
        let mut run = Run::new(paced(1, 1), 80, 2, World::default());
        let begun = run.host.now;
        run.begin(None);
        while run.host.now.since(begun) < 65_500 {
            assert!(run.step());
        }
        let sets = run.host.node.sets();
        assert!(sets < 80, "some are forgotten already");
        run.host.now = run.host.now.after(late);
        run.restart();
        assert_eq!(run.host.node.sets(), sets, "forgotten by ticks alone");
        let done = run.finish();
        assert_eq!((done.found, done.deregistered, run.outcomes), (80, 80, 80));
        assert_eq!((done.passed_over, done.disturbed), (0, 0));
        assert_eq!(run.turns.len(), 80);
        run.host.run(64_000);
        assert_eq!((run.host.node.sets(), run.host.node.deadline()), (0, None));
    }
}

/// [SD-5, DR-6] What is due of a set while all are looked through for users has its time: it waits for no more than those
/// that are looked at in one step, and not for all.
#[test]
fn looking_holds_nobody_up() {
    let mut run = Run::new(paced(1, 1), 200, 2, World::default());
    let early = Command::Reauthenticate {
        public_identity: user(150).as_bytes(),
        private_identity: None,
        expires: 600,
    };
    run.begin(None);
    run.host.tick();
    let outs = run.host.command(early).1;
    assert!(outs.is_empty(), "{outs:?}");
    let first = run.host.tick();
    assert!(first.iter().any(Out::is_notify), "{first:?}");
}

/// [SD-5, DR-10] Another rate while it runs.
#[test]
fn reconfigured() {
    let mut run = Run::new(paced(1, 1), 100, 2, World::default());
    run.begin(None);
    while run.turns.len() < 3 {
        run.step();
    }
    let from = run.host.now;
    run.host.node.reconfigure(paced(1_000, 1)).unwrap();
    run.config = paced(1_000, 1);
    assert_eq!(run.finish().deregistered, 100);
    assert!(run.turns.last().unwrap().0.since(from) < 2_000);
    let mut bad = config();
    bad.drain_report = 0;
    assert_eq!(bad.check().unwrap_err().field, "drain_report");
    bad.drain_report = 1;
    bad.drain.rate = 0;
    assert_eq!(bad.check().unwrap_err().field, "rate");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    /// [SD-5, DR-7] Killed and restored after each so many steps, with a dead neighbour or none: the tally is that of
    /// a run that was left alone, and every user is asked for once.
    #[test]
    fn restarted_at_any_step(every in 3..60u64, dead in proptest::option::of(0..3usize)) {
        let world = World { dead_pcscf: dead, ..World::default() };
        let mut alone = Run::new(paced(200, 4), 40, 3, world);
        alone.begin(None);
        let expected = alone.finish();
        let world = World { restarts: Some(every), ..world };
        let mut run = Run::new(paced(200, 4), 40, 3, world);
        run.begin(None);
        let done = run.finish();
        prop_assert_eq!(done.found, expected.found);
        prop_assert_eq!(done.deregistered, expected.deregistered);
        prop_assert_eq!((done.passed_over, done.not_asked), (0, 0));
        prop_assert_eq!(run.outcomes, 40);
        prop_assert!(run.most_turns() <= 20 + 3);
    }
}
