//! P-CSCF, S-CSCF and application server on a lossy network in virtual time.
#![cfg(feature = "txn")]

mod common;
#[path = "common/world.rs"]
mod world;

use common::network::{Dice, Faults};
use ims_procedures::{
    drive::Limits,
    wire::{Affinity, Message, Method, affinity},
};
use proptest::prelude::*;
use std::collections::HashMap;
use world::{PCSCF, SCSCF, Trouble, World};

/// Registers six users, loses three of them, and lets it all come to rest.
fn lossy(seed: u64, faults: Faults, crash: u64) -> World {
    troubled(seed, faults, crash, Trouble::Nothing)
}

/// The same with trouble from the first loss on.
fn troubled(seed: u64, faults: Faults, crash: u64, trouble: Trouble) -> World {
    let mut world = World::new(seed, faults, 6);
    let users = world.users.clone();
    for user in &users {
        world.register(user);
        world.run_for(50, crash);
    }
    world.run_for(40_000, crash);
    world.make(trouble);
    for number in [0, 2, 4] {
        world.lose(&users[number]);
        world.run_for(20, crash);
    }
    world.run_for(400_000, crash);
    world
}

/// [PD-3, PD-7, SD-3, SD-4] On a network without faults: the outcome is the NOTIFY's for everyone, with one
/// REGISTER each; the shared set goes on with its other user; the application server is told of the others.
#[test]
fn without_faults() {
    let world = lossy(1, Faults::default(), 0);
    world.check(&[0, 2, 4]);
    assert!(
        world
            .pcscf
            .log
            .iter()
            .all(|line| line.ends_with("AccessLost Notified")),
        "{:?}",
        world.pcscf.log
    );
    assert!(
        world.scscf.log.iter().all(|line| line.ends_with("Pcscf")),
        "{:?}",
        world.scscf.log
    );
    let registers = world
        .network
        .sent
        .iter()
        .filter(|sent| sent.from == PCSCF && sent.bytes.starts_with(b"REGISTER"));
    assert_eq!(registers.count(), 3);
}

/// [PD-7, PD-8, SD-3, SD-4] 200 seeds with 30 % loss, 10 % duplication and 10 % reordering: nobody who was
/// lost is registered at either end, nobody else is harmed, there is one outcome each at each end, and the
/// application server is told of the sets without users and of no other.
#[test]
fn two_hundred_seeds_of_loss() {
    let faults = Faults {
        loss: 30,
        duplication: 10,
        reordering: 10,
        delay: 80,
    };
    let mut notified = 0;
    for seed in 0..200 {
        let world = lossy(seed, faults, 0);
        world.check(&[0, 2, 4]);
        for user in [1, 3, 5] {
            let identity = &world.users[user].public_identity;
            let subscribers = world.scscf.node.node().subscribers(identity.as_bytes());
            assert_eq!(subscribers, 1, "seed {seed}, user {user}");
        }
        notified += world
            .pcscf
            .log
            .iter()
            .filter(|line| line.ends_with("AccessLost Notified"))
            .count();
    }
    assert_eq!(notified, 600, "retransmission brings every NOTIFY through");
}

const SOME_LOSS: Faults = Faults {
    loss: 10,
    duplication: 5,
    reordering: 10,
    delay: 80,
};

/// [PD-6] An S-CSCF that is out of reach for longer than a transaction lasts, or that answers 503 at first:
/// the REGISTER is sent again, as often and as soon as the policy has it, and goes through.
#[test]
fn attempts_until_it_goes_through() {
    for (trouble, expected) in [
        (Trouble::Outage(40_000), 2),
        (Trouble::Refusals(1, None), 2),
        (Trouble::Refusals(2, None), 3),
        (Trouble::Refusals(2, Some(20)), 3),
        (Trouble::Refusals(1, Some(120)), 2),
    ] {
        for faults in [Faults::default(), SOME_LOSS] {
            for seed in 0..20 {
                let world = troubled(seed, faults, 0, trouble);
                world.check(&[0, 2, 4]);
                let attempts = world.check_retry_policy();
                assert_eq!(attempts, [expected; 3], "{trouble:?}, seed {seed}");
            }
        }
    }
}

/// [DR-8] Every answer to a node, and every request in a dialog of its own, leads to its shard; what begins
/// something with a user leads where everything of that user begins, though Call-ID and From of the one node
/// name its shard also towards the other.
#[test]
fn messages_find_their_shard() {
    let faults = Faults {
        loss: 20,
        duplication: 10,
        reordering: 10,
        delay: 50,
    };
    let world = lossy(7, faults, 0);
    let mut users: HashMap<Vec<u8>, Affinity> = HashMap::new();
    let [mut answers, mut within, mut beginning] = [0; 3];
    for sent in &world.network.sent {
        if sent.to != PCSCF && sent.to != SCSCF {
            continue;
        }
        let message = Message::parse(&sent.bytes, &Limits::default()).unwrap();
        let found = affinity(&sent.bytes).unwrap();
        let to = message.to().unwrap();
        let begins = match message.method() {
            None => {
                answers += 1;
                false
            }
            Some(Method::Register) => true,
            Some(_) => to.tag().is_none(),
        };
        if begins {
            beginning += 1;
            let user = users.entry(to.uri_bytes().to_vec()).or_insert(found);
            assert!(matches!(found, Affinity::Identity(_)));
            assert_eq!(found, *user);
        } else {
            within += usize::from(message.is_request());
            assert_eq!(found, Affinity::Shard(world::shard(&sent.to)));
        }
    }
    let known = |to: &Vec<u8>| {
        world
            .users
            .iter()
            .any(|user| user.public_identity.as_bytes() == to)
    };
    assert!(users.len() > 1 && users.keys().all(known));
    assert!(
        answers > 20 && within > 20 && beginning > 12,
        "{answers} {within} {beginning}"
    );
}

/// [PD-6] When the attempts are used up, or the S-CSCF asks for more time than there is, it ends at the
/// P-CSCF with one outcome that says so; the S-CSCF keeps what it has.
#[test]
fn attempts_used_up() {
    let unavailable = "Failed { status: 503 }";
    for (trouble, expected, outcome) in [
        (Trouble::Outage(200_000), 3, "NoResponse"),
        (Trouble::Refusals(usize::MAX, None), 3, unavailable),
        (Trouble::Refusals(usize::MAX, Some(20)), 3, unavailable),
        (Trouble::Refusals(usize::MAX, Some(121)), 1, unavailable),
    ] {
        for faults in [Faults::default(), SOME_LOSS] {
            for seed in 0..10 {
                let world = troubled(seed, faults, 0, trouble);
                let attempts = world.check_retry_policy();
                assert_eq!(attempts, [expected; 3], "{trouble:?}, seed {seed}");
                for (number, user) in world.users.iter().enumerate() {
                    let gone = [0, 2, 4].contains(&number);
                    assert_eq!(world.is_registered_at_pcscf(user), !gone);
                    assert!(world.is_bound_at_scscf(user));
                    let outcomes = World::outcomes(&world.pcscf.log, user);
                    assert_eq!(outcomes.len(), usize::from(gone), "{outcomes:?}");
                    let end = format!("AccessLost {outcome}");
                    assert!(outcomes.iter().all(|line| line.ends_with(&end)));
                }
            }
        }
    }
}

/// [DR-7] Loss with either end starting again from its blob, at one datagram in ten.
#[test]
fn restarts_in_the_middle() {
    let mut restarts = 0;
    for seed in 0..60 {
        let world = lossy(seed, SOME_LOSS, 10);
        restarts += world.pcscf.incarnation - 1 + world.scscf.incarnation - 1;
        world.check(&[0, 2, 4]);
    }
    assert!(restarts > 120, "{restarts} restarts");
}

/// What happens to a user.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// It registers, or registers anew.
    Register,
    /// The access network loses it.
    Lose,
    /// It deregisters itself.
    Deregister,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => Just(Operation::Register),
        2 => Just(Operation::Lose),
        1 => Just(Operation::Deregister),
    ]
}

/// What became of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Registered,
    Gone,
    /// It registered anew while its deregistration was under way. Which of the two wins is not settled yet:
    /// the host cannot be told so far to hold such a REGISTER (PD-9), and a NOTIFY of the old end may meet
    /// the new registration.
    Crossed,
}

/// Does all this to users, with a pause after each, and lets it come to rest. Unless it is `impatient`, a
/// user waits with its REGISTER until its deregistration is over at the P-CSCF.
fn turbulent(
    seed: u64,
    faults: Faults,
    crash: u64,
    steps: &[(usize, Operation, u64)],
    impatient: bool,
) -> (World, Vec<Fate>) {
    let mut world = World::new(seed, faults, 5);
    let users = world.users.clone();
    let mut fates = vec![Fate::Gone; users.len()];
    for (number, operation, pause) in steps {
        let user = &users[*number];
        let crosses = world.is_ending_at_pcscf(user);
        let fate = match operation {
            Operation::Register if crosses && !impatient => Fate::Gone,
            Operation::Register => {
                world.register(user);
                if crosses {
                    Fate::Crossed
                } else {
                    Fate::Registered
                }
            }
            Operation::Lose => {
                world.lose(user);
                Fate::Gone
            }
            Operation::Deregister => {
                world.deregister(user);
                Fate::Gone
            }
        };
        if fates[*number] != Fate::Crossed {
            fates[*number] = fate;
        }
        world.run_for(*pause, crash);
    }
    world.run_for(600_000, crash);
    (world, fates)
}

/// [DR-7, RN-1, RN-4] Either end starts again while the subscriptions are made: everyone who is registered is
/// subscribed to.
#[test]
fn subscriptions_outlive_restarts() {
    let faults = Faults {
        loss: 20,
        duplication: 5,
        reordering: 10,
        delay: 80,
    };
    for seed in 0..100 {
        let mut world = World::new(seed, faults, 5);
        let users = world.users.clone();
        for user in &users[1..] {
            world.register(user);
            world.run_for(50, 10);
        }
        world.run_for(100_000, 10);
        world.run_for(300_000, 0);
        for user in &users[1..] {
            let identity = user.public_identity.as_bytes();
            let subscribers = world.scscf.node.node().subscribers(identity);
            assert_eq!(subscribers, 1, "seed {seed}, {}", user.public_identity);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// [DR-4, PD-9] Whatever the network does, and whoever is lost when, it converges.
    #[test]
    fn any_order_of_arrival_converges(
        seed in any::<u64>(),
        loss in 0u64..40,
        duplication in 0u64..40,
        reordering in 0u64..80,
        delay in 1u64..3_000,
        crash in 0u64..4,
        pauses in proptest::collection::vec(0u64..5_000, 5),
        lost in proptest::collection::btree_set(0usize..5, 0..5),
    ) {
        let faults = Faults { loss, duplication, reordering, delay };
        let mut world = World::new(seed, faults, 5);
        let users = world.users.clone();
        for (user, pause) in users.iter().zip(&pauses) {
            world.register(user);
            world.run_for(*pause, crash);
        }
        let lost: Vec<usize> = lost.into_iter().collect();
        for (number, pause) in lost.iter().zip(&pauses) {
            world.lose(&users[*number]);
            world.run_for(*pause, crash);
        }
        world.run_for(600_000, crash);
        world.check(&lost);
    }

    /// [PD-1, PD-6, PD-7, SD-2, DR-7] Users register, register anew, are lost and deregister themselves at any
    /// time. It comes to rest; no registration has more than one outcome, and every
    /// loss that is acted on has one, or is cancelled, and not both; and both ends agree
    /// with what happened to the user last.
    #[test]
    fn both_ends_agree_in_the_end(
        seed in any::<u64>(),
        loss in 0u64..40,
        duplication in 0u64..40,
        reordering in 0u64..80,
        delay in 1u64..3_000,
        crash in 0u64..4,
        steps in proptest::collection::vec((0usize..5, operation(), 0u64..12_000), 1..40),
        impatient in any::<bool>(),
    ) {
        let faults = Faults { loss, duplication, reordering, delay };
        let (world, fates) = turbulent(seed, faults, crash, &steps, impatient);
        let quiet_since = world.network.now.0 - 100_000;
        let late = world.network.sent.iter().filter(|sent| sent.at.0 > quiet_since).count();
        prop_assert_eq!(late, 0, "it does not come to rest");
        world.check_retry_policy();
        for (number, (user, fate)) in world.users.iter().zip(fates).enumerate() {
            let contact = user.contact.as_bytes();
            let outcomes = World::outcomes(&world.pcscf.log, user);
            prop_assert!(outcomes.len() <= world.begun.get(contact).copied().unwrap_or(0));
            let lost = outcomes.iter().filter(|line| line.contains("AccessLost")).count();
            let ended = lost + world.cancelled(user);
            prop_assert!(ended <= world.started.get(contact).map_or(0, Vec::len));
            if fate != Fate::Crossed {
                let is_there = [world.is_registered_at_pcscf(user), world.is_bound_at_scscf(user)];
                prop_assert_eq!(is_there, [fate == Fate::Registered; 2], "user {}", number);
            }
        }
    }

    /// [DR-1] The same calls give the same bytes.
    #[test]
    fn the_same_calls_give_the_same_bytes(seed in any::<u64>()) {
        let faults = Faults { loss: 20, duplication: 20, reordering: 20, delay: 100 };
        let [one, other] = [0, 1].map(|_| lossy(seed, faults, 2));
        prop_assert_eq!(one.network.sent.len(), other.network.sent.len());
        for (one, other) in one.network.sent.iter().zip(&other.network.sent) {
            prop_assert_eq!((one.at, &one.to, &one.bytes), (other.at, &other.to, &other.bytes));
        }
    }
}

/// [DR-1] The dice of the harness are what the seed says.
#[test]
fn the_dice_are_seeded() {
    let rolls = |seed| {
        let mut dice = Dice::new(seed);
        [dice.roll(), dice.roll(), dice.roll()]
    };
    assert_eq!(rolls(7), rolls(7));
    assert_ne!(rolls(7), rolls(8));
}
