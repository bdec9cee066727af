//! What holds whatever happens, in whatever order.

use super::bed::{
    Asked, Bed, Out, Subscribe, config, identifiers, is_gone, is_registered, learn, registered,
    registration,
};
use ims_procedures::{
    drive::{self, Role, Source},
    regevent::{
        node::{Command, Config, RegEvent, Registration, SubscriberNode},
        subscriber::{Answer, Party, Profile, Routing, Standing},
    },
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const USERS: [&str; 3] = ["private0", "private1", "private2"];
const FLOWS: [&str; 3] = ["", "flow1", "flow2"];
const TIMER_N: u64 = 32_000;

#[derive(Clone, Debug)]
enum Act {
    Register {
        user: usize,
        flow: usize,
        expires: u32,
    },
    Deregistering {
        user: usize,
        flow: usize,
    },
    Deregistered {
        user: usize,
        flow: usize,
    },
    /// What is out is answered.
    Answer {
        which: usize,
        how: u8,
        expires: u32,
    },
    /// A NOTIFY in one of the dialogs that there were.
    Notify {
        which: usize,
        how: u8,
        expires: u32,
        cseq: u32,
    },
    Wait(u64),
    /// The next deadline is waited for.
    Fire,
    Restore,
}

fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![0..80u32, Just(1_200), Just(3_660), any::<u32>()]
}

fn act() -> impl Strategy<Value = Act> {
    let user = 0..USERS.len();
    let flow = 0..FLOWS.len();
    prop_oneof![
        3 => (user.clone(), flow.clone(), seconds())
            .prop_map(|(user, flow, expires)| Act::Register { user, flow, expires }),
        1 => (user.clone(), flow.clone()).prop_map(|(user, flow)| Act::Deregistering { user, flow }),
        1 => (user, flow).prop_map(|(user, flow)| Act::Deregistered { user, flow }),
        6 => (any::<usize>(), 0..12u8, seconds())
            .prop_map(|(which, how, expires)| Act::Answer { which, how, expires }),
        6 => (any::<usize>(), 0..14u8, seconds(), 0..3u32)
            .prop_map(|(which, how, expires, cseq)| Act::Notify { which, how, expires, cseq }),
        2 => (0..70_000u64).prop_map(Act::Wait),
        3 => Just(Act::Fire),
        1 => Just(Act::Restore),
    ]
}

/// Every profile and option that changes how a subscription goes.
fn any_config() -> impl Strategy<Value = Config> {
    (any::<[bool; 7]>(), prop_oneof![Just(0), Just(32)]).prop_map(|(options, floor)| {
        let [by_rfc, asks, retries, keeps, silent, again, strict] = options;
        let mut config = config(if by_rfc {
            Profile::Rfc6665
        } else {
            Profile::Sbc
        });
        let own = &mut config.subscription;
        own.routing = if asks {
            Routing::Question
        } else {
            Routing::EntryPoints
        };
        own.retry_too_brief = retries;
        own.keep_on_refresh_error = keeps;
        own.tolerate_silent_refresh = silent;
        own.subscribe_at_reregistration = again;
        own.strict_dialog_uris = strict;
        own.resubscribe_attempts = 3;
        own.floor = floor;
        config
    })
}

/// A node, and what a host would know of it.
struct World {
    bed: Bed,
    config: Config,
    incarnation: u64,
    /// What waits for an answer.
    requests: Vec<Subscribe>,
    questions: Vec<Asked>,
    /// The Via of the SUBSCRIBE that is out, for each Call-ID, and until when at most.
    in_flight: BTreeMap<String, (String, u64)>,
    /// The first SUBSCRIBE of each dialog, and the CSeq of its notifier.
    dialogs: Vec<(Subscribe, u32)>,
    /// When the latest NOTIFY, 2xx or tick was.
    heard: u64,
    /// Whether the counts still tell a whole story.
    counts: bool,
}

impl World {
    fn new(config: Config) -> Self {
        Self {
            bed: Bed::new(config.clone()),
            config,
            incarnation: 1,
            requests: vec![],
            questions: vec![],
            in_flight: BTreeMap::new(),
            dialogs: vec![],
            heard: 0,
            counts: true,
        }
    }

    fn take(&mut self, outs: Vec<Out>) {
        assert!(outs.len() <= RegEvent::STEP_OUTPUTS);
        let now = self.bed.now.0;
        for out in outs {
            match out {
                Out::Request(own) => {
                    let out = self.in_flight.get(own.call_id());
                    let is_same = out.is_some_and(|(via, _)| *via == own.line("Via:"));
                    let is_out = out.is_some_and(|(_, until)| *until > now);
                    assert!(
                        is_same || !is_out,
                        "two of one dialog: {out:?} {}",
                        own.text
                    );
                    if !is_same {
                        let flight = (own.line("Via:").to_owned(), now + TIMER_N);
                        self.in_flight.insert(own.call_id().to_owned(), flight);
                    }
                    if !self
                        .dialogs
                        .iter()
                        .any(|(first, _)| first.call_id() == own.call_id())
                    {
                        self.dialogs.push((own.clone(), 0));
                    }
                    self.requests.push(own);
                }
                Out::Ask(own) => self.questions.push(own),
                Out::Respond(..) | Out::Event(_) => {}
            }
        }
    }

    fn act(&mut self, act: &Act) {
        let outs = match *act {
            Act::Register {
                user,
                flow,
                expires,
            } => self.register(user, flow, expires),
            Act::Deregistering { user, flow } => {
                let command = Command::LearnDeregistering {
                    private_identity: USERS[user].as_bytes(),
                    flow: FLOWS[flow].as_bytes(),
                };
                self.bed.command(command).unwrap().1
            }
            Act::Deregistered { user, flow } => {
                let command = Command::LearnDeregistered {
                    private_identity: USERS[user].as_bytes(),
                    flow: FLOWS[flow].as_bytes(),
                };
                self.bed.command(command).unwrap().1
            }
            Act::Answer {
                which,
                how,
                expires,
            } => self.answer(which, how, expires),
            Act::Notify {
                which,
                how,
                expires,
                cseq,
            } => self.notify(which, how, expires, cseq),
            Act::Wait(milliseconds) => {
                self.bed.now = self.bed.now.after(milliseconds);
                self.bed.tick()
            }
            Act::Fire => self.fire(),
            Act::Restore => {
                self.restore();
                vec![]
            }
        };
        self.take(outs);
        self.check();
    }

    fn register(&mut self, user: usize, flow: usize, expires: u32) -> Vec<Out> {
        let registration = Registration {
            private_identity: USERS[user].as_bytes(),
            flow: FLOWS[flow].as_bytes(),
            ..registration(expires)
        };
        self.bed.command(learn(registration)).unwrap().1
    }

    fn answer(&mut self, which: usize, how: u8, expires: u32) -> Vec<Out> {
        let asked = self.questions.len();
        let all = asked + self.requests.len();
        if all == 0 {
            return vec![];
        }
        let which = which % all;
        if which < asked {
            let asked = self.questions.swap_remove(which);
            return match how {
                0 => self.bed.answer(asked.token, Answer::NoRoute.into()),
                1 => self.bed.answer(asked.token, drive::Answer::Timeout),
                _ => self.bed.route(&asked, "<sip:h.example.net>", ""),
            };
        }
        let own = self.requests.swap_remove(which - asked);
        self.heard = self.bed.now.0;
        let same = |flight: &(String, u64)| flight.0 == own.line("Via:");
        if self.in_flight.get(own.call_id()).is_some_and(same) {
            self.in_flight.remove(own.call_id());
        }
        let extra =
            format!("Expires: {expires}\r\nMin-Expires: {expires}\r\nRetry-After: {expires}\r\n");
        let status = match how {
            0 => return self.bed.answer(own.token, drive::Answer::Timeout),
            1 => return self.bed.answer(own.token, drive::Answer::Response(b"?")),
            2 => 481,
            3 => 423,
            4 => 503,
            5 => 404,
            6 => 204,
            7 => return self.bed.respond(&own, 200, ""),
            _ => 200,
        };
        self.bed.respond(&own, status, &extra)
    }

    fn notify(&mut self, which: usize, how: u8, expires: u32, more: u32) -> Vec<Out> {
        let count = self.dialogs.len();
        if count == 0 {
            return vec![];
        }
        let (dialog, cseq) = &mut self.dialogs[which % count];
        *cseq += more;
        let gone = is_gone(*cseq);
        let registered = is_registered(*cseq);
        let (state, body) = match how {
            0 => ("terminated;reason=deactivated".to_owned(), ""),
            1 => (
                format!("terminated;reason=probation;retry-after={expires}"),
                "",
            ),
            2 => (
                "terminated;reason=noresource".to_owned(),
                registered.as_str(),
            ),
            3 => ("terminated".to_owned(), gone.as_str()),
            4 => ("pending".to_owned(), ""),
            5 => ("active".to_owned(), gone.as_str()),
            6 => ("active".to_owned(), "bad"),
            7 => ("active".to_owned(), ""),
            _ => (format!("active;expires={expires}"), registered.as_str()),
        };
        self.counts &= how != 4;
        self.heard = self.bed.now.0;
        let notify = dialog.notify(*cseq, &state, body);
        let notify = match how {
            13 => notify.replace("tag=n1", "tag=n2"),
            _ => notify,
        };
        let (_, out) = self.bed.receive(Source::TrustedCore, &notify);
        assert!(
            matches!(out.last(), Some(Out::Respond(..))),
            "always answered"
        );
        out
    }

    fn fire(&mut self) -> Vec<Out> {
        if let Some((left, _)) = self.bed.next() {
            self.bed.now = self.bed.now.after(left);
        }
        self.bed.tick()
    }

    fn restore(&mut self) {
        self.incarnation += 1;
        let node = SubscriberNode::restore(
            self.config.clone(),
            identifiers(self.incarnation),
            self.bed.now,
            &self.bed.blob(),
        );
        self.bed.node = node.unwrap();
        self.requests.clear();
        self.questions.clear();
        self.counts = false;
    }

    /// What must hold after every act.
    fn check(&self) {
        let bed = &self.bed;
        let rows: Vec<_> = bed.node.sip_generated_subscription_status(b"").collect();
        assert!(rows.len() <= bed.node.users() && bed.node.users() <= USERS.len());
        let counts = bed.node.sip_subscription_count_statistics(b"");
        let of = |standing| {
            rows.iter()
                .filter(|row| row.subscription_state == standing)
                .count()
        };
        let pending = of(Standing::Pending) + of(Standing::Waiting);
        assert_eq!(counts.active, of(Standing::Active) as u64);
        assert_eq!(counts.pending, pending as u64);
        if self.counts {
            let attempting = of(Standing::Pending) as u64;
            assert_eq!(
                counts.attempts,
                counts.successful + counts.failed + attempting
            );
        }
        let overdue = bed.next().is_some_and(|(left, _)| left == 0);
        for row in rows.iter().filter(|_| !overdue) {
            let granted = u64::from(row.ext_expiration_time) * 1_000;
            if row.subscription_state == Standing::Active {
                assert!(bed.now.0 < self.heard + granted, "active past its time");
            }
        }
        for user in USERS {
            let is_there = bed.node.table(user.as_bytes()).is_some();
            let stands = bed.node.standing(user.as_bytes()) != Standing::None;
            // The table of one that has just ended is there until the next call.
            assert!(is_there || !stands);
        }
    }

    /// Everybody goes, nothing is answered any more: it ends, and nothing is left (T65).
    fn end(&mut self) {
        for user in 0..USERS.len() {
            self.act(&Act::Deregistering { user, flow: 0 });
            self.act(&Act::Deregistered { user, flow: 0 });
        }
        for _ in 0..30 {
            if self.bed.next().is_none() {
                break;
            }
            self.act(&Act::Fire);
        }
        assert_eq!(self.bed.next(), None);
        assert_eq!(self.bed.node.users(), 0);
        let counts = self.bed.node.sip_subscription_count_statistics(b"");
        assert_eq!((counts.active, counts.pending), (0, 0));
        assert_eq!(self.bed.blob(), Bed::new(self.config.clone()).blob());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// [RE-2, RE-7, RE-8, RE-9, RE-11] Never two SUBSCRIBEs of one dialog at once; active only within the time
    /// granted; attempts are those that succeeded, failed or go on; a NOTIFY is always answered; and when all users
    /// have gone, everything ends and nothing is left (T65).
    #[test]
    fn whatever_happens(config in any_config(), acts in prop::collection::vec(act(), 1..80)) {
        let mut world = World::new(config);
        acts.iter().for_each(|act| world.act(act));
        world.end();
    }
}

/// [RE-8] Without the user's doing anything, and with a notifier that ends every subscription at once, it ends too.
#[test]
fn no_endless_loop() {
    for profile in [Profile::Sbc, Profile::Rfc6665] {
        let (mut bed, mut first) = registered(config(profile), 3_600);
        let mut subscribes = 1;
        loop {
            bed.notified(&first.notify(1, "terminated;reason=timeout", ""));
            bed.respond(&first, 200, "Expires: 3660\r\n");
            let Some((_, timer)) = bed.next() else { break };
            first = Subscribe::only(&bed.fire(timer));
            subscribes += 1;
        }
        let expected = if profile == Profile::Sbc { 1 } else { 11 };
        assert_eq!(subscribes, expected);
    }
}

/// [DR-4, DR-5] The largest that the limits allow still fits a step: what is longest in a registration, a routing
/// answer and a dialog, with an outbox for one step.
#[test]
fn the_largest_step() {
    let mut config = config(Profile::Rfc6665);
    config.limits.registration_bytes = 16_384;
    config.limits.header_bytes = 65_535;
    config.subscription.routing = Routing::Question;
    config.subscription.party = Party::ServedUser;
    let mut bed = Bed::new(config);
    let resource = format!("sip:{}@h", "u".repeat(12_000));
    let mut large = registration(3_600);
    large.public_identity = resource.as_bytes();
    large.service_route = b"<sip:r;lr>";
    let out = bed.learn(large);
    let [Out::Ask(asked)] = &out[..] else {
        panic!("{out:?}");
    };
    let route = format!("<sip:{}@h;lr>", "r".repeat(16_384 - 11));
    let first = Subscribe::only(&bed.route(asked, "", &route));
    assert_eq!(first.line("Route:").len(), "Route: ".len() + route.len());
    let _ = bed.respond(&first, 200, "Expires: 3660\r\n");
}

/// [DR-5] Many users come and go, and the blob of the node is that of one without users (T65).
#[test]
fn many_come_and_go() {
    let empty = Bed::new(config(Profile::Rfc6665)).blob();
    let mut bed = Bed::new(config(Profile::Rfc6665));
    for _ in 0..3 {
        let names: Vec<String> = (0..500).map(|n| format!("private{n}")).collect();
        for name in &names {
            let mut own = registration(3_600);
            own.private_identity = name.as_bytes();
            let first = Subscribe::only(&bed.learn(own));
            bed.respond(&first, 200, "Expires: 3660\r\n");
            bed.notified(&first.notify(1, "active", &is_registered(0)));
        }
        assert_eq!(bed.node.users(), 500);
        assert_eq!(bed.node.sip_generated_subscription_status(b"").count(), 500);
        for name in &names {
            let gone = Command::LearnDeregistered {
                private_identity: name.as_bytes(),
                flow: b"",
            };
            let leave = Subscribe::only(&bed.command(gone).unwrap().1);
            bed.notified(&leave.notify(2, "terminated;reason=timeout", ""));
        }
        assert_eq!((bed.node.users(), bed.next()), (0, None));
        assert_eq!(bed.blob(), empty);
    }
}
