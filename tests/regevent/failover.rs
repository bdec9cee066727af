//! Next hops that say nothing, through the transactions of [`ims_procedures::txn`].

use super::bed::{
    Bed, Ev, NOTIFIER, Out, PROFILES, Subscribe, TIMER_N, config, ended, registration,
};
use ims_procedures::{
    drive::{Identifiers, Millis, Node, Outbox, Source, TransactionRef},
    regevent::{
        node::{Command, Config, SubscriberNode},
        subscriber::{End, Profile},
    },
    txn::{self, Transactions},
};

const DEAD: &str = "sip:dead.example.net";
const ALIVE: &str = "sip:alive.example.net";

/// A subscriber's node with transactions around it; the node of the bed is not used.
struct Host {
    transactions: Transactions<SubscriberNode>,
    bed: Bed,
}

impl Host {
    fn new(config: Config) -> Self {
        let mut bed = Bed::new(config.clone());
        bed.out = Outbox::for_steps(2);
        let node = SubscriberNode::new(config, super::bed::identifiers(2)).unwrap();
        let identifiers = Identifiers::new([8; 32], 1, 3);
        Self {
            transactions: Transactions::new(node, txn::Config::default(), identifiers),
            bed,
        }
    }

    fn learn(&mut self) -> Vec<Out> {
        let learn = Command::LearnRegistered(registration(3_600));
        self.transactions
            .command(self.bed.now, learn, &mut self.bed.out)
            .unwrap();
        self.bed.take()
    }

    fn receive(&mut self, message: &str) -> Vec<Out> {
        let (now, out) = (self.bed.now, &mut self.bed.out);
        let (from, peer) = (Source::TrustedCore, TransactionRef(77));
        self.transactions
            .receive(now, from, peer, message.as_bytes(), out)
            .unwrap();
        self.bed.take()
    }

    /// So many milliseconds pass, in which nothing comes out but the same request again.
    fn pass(&mut self, milliseconds: u64, hop: &str) {
        let until = self.bed.now.after(milliseconds);
        while let Some((at, _)) = self.transactions.deadline().filter(|due| due.0 <= until) {
            assert_eq!(self.tick(at, hop), None);
        }
        self.bed.now = until;
    }

    /// What comes out at a tick, if it is something else than the same request again.
    fn tick(&mut self, at: Millis, hop: &str) -> Option<Vec<Out>> {
        self.bed.now = self.bed.now.max(at);
        let (now, out) = (self.bed.now, &mut self.bed.out);
        self.transactions.tick(now, out).unwrap();
        let out = self.bed.take();
        let is_again = |out: &Out| matches!(out, Out::Request(again) if again.hops[0] == hop);
        (!out.iter().all(is_again)).then_some(out)
    }

    /// Ticks until something else than the same request again comes out, and gives how long that took.
    fn silent(&mut self, hop: &str) -> (u64, Vec<Out>) {
        let began = self.bed.now;
        loop {
            let (at, _) = self.transactions.deadline().expect("something to wait for");
            if let Some(out) = self.tick(at, hop) {
                return (self.bed.now.since(began), out);
            }
        }
    }
}

fn two_hops(profile: Profile) -> Config {
    let mut config = config(profile);
    config.subscription.entry_points = [DEAD, ALIVE].map(|hop| hop.as_bytes().to_vec()).into();
    config
}

/// [RE-4] A first next hop that says nothing costs its Timer F, and no more: the next one is tried, answers, and
/// notifies (T26).
#[test]
fn a_silent_first_hop() {
    for profile in PROFILES {
        let mut host = Host::new(two_hops(profile));
        assert_eq!(Subscribe::only(&host.learn()).hops, [DEAD, ALIVE]);
        let (took, out) = host.silent(DEAD);
        assert_eq!(took, 32_000);
        let second = Subscribe::only(&out);
        assert_eq!(second.hops, [ALIVE]);
        host.pass(20_000, ALIVE);
        let accepted = second.response(200, &format!("{NOTIFIER}Expires: 3660\r\n"));
        assert_eq!(host.receive(&accepted), []);
        let out = host.receive(&second.notify(1, "active;expires=3660", ""));
        assert_eq!(out[0], Out::Event(Ev::Subscribed(3_660)), "{profile:?}");
        assert!(matches!(out[1..], [Out::Respond(200, _)]));
    }
}

/// [RE-8] When every next hop is silent, the last one's Timer F ends it, and nothing is left; after a 2xx without a
/// NOTIFY, Timer N does, from the 2xx on at most.
#[test]
fn nothing_from_anyone() {
    for profile in PROFILES {
        let mut host = Host::new(two_hops(profile));
        host.learn();
        let (_, out) = host.silent(DEAD);
        Subscribe::only(&out);
        assert_eq!(
            host.silent(ALIVE),
            (32_000, ended(End::NoResponse).to_vec())
        );
        while let Some((at, _)) = host.transactions.deadline() {
            host.bed.now = at;
            host.transactions.tick(at, &mut host.bed.out).unwrap();
            assert_eq!(host.bed.take(), []);
        }

        for (silent, left) in [(1_000, 32_000), (63_000, 1_000)] {
            let mut bed = Bed::new(two_hops(profile));
            let first = Subscribe::only(&bed.learn(registration(3_600)));
            assert_eq!(bed.next(), Some((64_000, TIMER_N)));
            bed.now = bed.now.after(silent);
            bed.respond(&first, 200, NOTIFIER);
            assert_eq!(bed.next(), Some((left, TIMER_N)));
            assert_eq!(bed.fire(TIMER_N), ended(End::NoResponse));
            assert_eq!(bed.next(), None);
        }
    }
}
