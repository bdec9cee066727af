//! The pace of every trigger, and what home domains do to it.

use std::cell::Cell;
use std::rc::Rc;

use ims_procedures::pcscf::{Cause, MAX_DOMAINS, NotAsked, Outcome};

use crate::world::{Reply, User, World, config, slow, user};

fn users(count: u32) -> Vec<User> {
    (0..count).map(|number| user(number, 0)).collect()
}

/// [PD-12] With nothing to wait for, a report of loss has its REGISTER in the same call; a thousand of one gateway
/// are a drain.
#[test]
fn a_gateway_and_its_users() {
    let users = users(1_000);
    let mut config = slow();
    (config.pacing.rate, config.pacing.burst) = (100, 2);
    let mut world = World::with(config, &users);
    world.lose(users[0]);
    assert_eq!(world.books.asked.len(), 1, "at once");
    users[1..].iter().for_each(|user| world.lose(*user));
    assert!(world.books.asked.len() <= 2);
    world.run();
    assert_eq!(world.books.count(Outcome::Unconfirmed), 1_000);
    assert_eq!(world.books.asked.len(), 1_000);
    assert!(
        world.books.densest(100) <= 11,
        "{}",
        world.books.densest(100)
    );
    let order: Vec<String> = users.iter().map(|user| user.contact()).collect();
    let asked: Vec<String> = world.books.asked.iter().map(|(_, c)| c.clone()).collect();
    assert_eq!(asked, order, "the first lost is the first asked");
}

/// [PD-12] Lifetimes that all end in one moment are a drain too.
#[test]
fn lifetimes_that_end_together() {
    let users = users(300);
    let mut config = slow();
    config.pacing.rate = 100;
    let mut world = World::with(config, &users);
    world.run();
    let causes = world.books.ended.values();
    assert!(
        causes
            .into_iter()
            .all(|(cause, _, _)| *cause == Cause::RegistrationTimer)
    );
    assert_eq!(world.books.ended.len(), 300);
    assert!(world.books.densest(100) <= 10);
    assert!(world.books.asked[299].0 >= 3_600_000 + 2_990);
}

/// [PD-12] Another attempt is a REGISTER like any other: it counts against the rate, and goes before those that have
/// not been asked.
#[test]
fn retries_are_paced() {
    let users = users(100);
    let mut config = slow();
    (config.pacing.rate, config.pacing.canaries) = (20, 0);
    config.pacing.bad_streak = 0;
    let mut world = World::with(config, &users).network(|asked| match asked.cseq {
        1 => (Reply::Status(500), 5),
        _ => (Reply::Status(200), 5),
    });
    users.iter().for_each(|user| world.lose(*user));
    world.run();
    assert_eq!(world.books.asked.len(), 200);
    assert!(world.books.densest(100) <= 2);
    assert_eq!(world.books.count(Outcome::Unconfirmed), 100);
    let second = |(at, contact): &&(u64, String)| *at > 1_000 && *contact == users[0].contact();
    let again = world.books.asked.iter().find(second).unwrap().0;
    let waited = again - world.books.asked[0].0;
    assert!(
        (4_005..=4_100).contains(&waited),
        "{waited}: not behind all others"
    );
    let order = world.books.asked.iter().map(|(_, contact)| contact);
    let mut seen = std::collections::BTreeSet::new();
    let again: Vec<&String> = order.filter(|contact| !seen.insert(*contact)).collect();
    let in_order: Vec<String> = users.iter().map(|user| user.contact()).collect();
    assert!(
        again.iter().copied().eq(&in_order),
        "in the order of the first attempts"
    );
}

/// [PD-6] T40: a home that refuses everybody, with whatever it says, is asked by some and then only now and then; its
/// users end with what is known. Another home notices nothing.
#[test]
fn a_home_that_refuses() {
    for (status, outcome) in [
        (401, Outcome::Unsupported { status: 401 }),
        (407, Outcome::Unsupported { status: 407 }),
        (403, Outcome::Refused),
    ] {
        let users: Vec<User> = (0..400).map(|number| user(number, number % 2)).collect();
        let mut world = World::with(config(), &users).network(move |asked| match asked.domain {
            0 => (Reply::Status(status), 20),
            _ => (Reply::Status(200), 20),
        });
        world.shut_down_within(60_000);
        let tally = world.run_down();
        assert_eq!((tally.total(), tally.unconfirmed), (400, 200));
        let refused = world.books.count(outcome);
        assert!((3..=21).contains(&refused), "{status}: {refused}");
        assert_eq!(tally.not_asked as usize, 200 - refused);
        assert_eq!(world.books.asked.len(), 200 + refused);
        let other = |(_, contact): &&(u64, String)| {
            users
                .iter()
                .any(|u| u.domain == 1 && u.contact() == *contact)
        };
        let last = world.books.asked.iter().rfind(other).unwrap().0;
        assert!(last < 1_000 + 2_500, "{last}");
    }
}

/// [PD-6] One that is refused, or two, poison nothing: the home is open as soon as one is answered well.
#[test]
fn one_refusal_poisons_nothing() {
    let users = users(200);
    let mut world = World::with(config(), &users).network(|asked| match asked.number {
        0 | 1 => (Reply::Status(401), 5),
        _ => (Reply::Status(200), 5),
    });
    world.shut_down_within(60_000);
    let tally = world.run_down();
    assert_eq!((tally.unsupported, tally.unconfirmed), (2, 198));
    assert!(world.now < 10_000, "{}", world.now);
}

/// [PD-12] Who has waited for its turn until long after its lifetime is cleaned up, and says why.
#[test]
fn the_turn_bound() {
    let users = users(100);
    let mut config = config();
    config.turn_bound = 25_000;
    let mut world = World::with(config, &users).network(|_| (Reply::Status(403), 5));
    world.run();
    let why = NotAsked::TurnBound;
    assert_eq!(world.books.count(Outcome::Refused), 9);
    assert_eq!(world.books.count(Outcome::NotAsked { why }), 91);
    assert_eq!(world.node.counters().not_asked, 91);
}

/// [PD-6] A home that refuses for long is not asked at all for a while; then it is asked anew.
#[test]
fn enough_refusals() {
    let users = users(100);
    let mut config = config();
    config.pacing.bad_rounds = 4;
    let mut world = World::with(config, &users).network(|asked| match asked.now {
        ..200_000 => (Reply::Status(403), 5),
        _ => (Reply::Status(200), 5),
    });
    users[..50].iter().for_each(|user| world.lose(*user));
    world.run_until(60_000);
    let why = NotAsked::Domain;
    assert_eq!(world.books.count(Outcome::Refused), 12);
    assert_eq!(world.books.count(Outcome::NotAsked { why }), 38);
    world.lose(users[50]);
    world.run_until(61_000);
    assert_eq!(world.books.count(Outcome::NotAsked { why }), 39);
    world.run_until(210_000);
    users[51..].iter().for_each(|user| world.lose(*user));
    world.run_until(220_000);
    assert_eq!(world.books.count(Outcome::Unconfirmed), 49);
}

/// [PD-6] Told to stop at once, it does not wait: who was not asked is told why.
#[test]
fn stopped_at_once() {
    let users = users(100);
    let mut config = config();
    config.pacing.bad_canaries = ims_procedures::fleet::pacer::BadCanaries::Stop;
    let mut world = World::with(config, &users).network(|_| (Reply::Status(403), 5));
    world.shut_down_within(600_000);
    let tally = world.run_down();
    assert_eq!((tally.refused, tally.not_asked), (3, 97));
    assert!(world.now < 5_000);
    let why = NotAsked::Domain;
    assert_eq!(world.books.count(Outcome::NotAsked { why }), 97);
}

/// [PD-12] Retry-After holds that home off, and no other.
#[test]
fn retry_after_of_one_home() {
    let users: Vec<User> = (0..20).map(|number| user(number, number % 2)).collect();
    let mut world = World::with(config(), &users).network(|asked| match asked.domain {
        0 if asked.now < 5_000 => (Reply::Busy(30), 5),
        _ => (Reply::Status(200), 5),
    });
    world.shut_down_within(300_000);
    let tally = world.run_down();
    assert_eq!(tally.unconfirmed, 20);
    let of_first = |(_, contact): &&(u64, String)| {
        users
            .iter()
            .any(|u| u.domain == 0 && u.contact() == *contact)
    };
    let (first, other): (Vec<_>, Vec<_>) = world.books.asked.iter().partition(|a| of_first(a));
    assert!(other.iter().all(|(at, _)| *at < 2_000));
    let early = first.iter().filter(|(at, _)| *at < 31_000).count();
    assert_eq!(early, 3, "its canaries alone");
}

/// [DR-5] [PD-6] As many homes as there are places have a pace each; those past them share one, until one has nothing
/// to do any more.
#[test]
fn homes_at_the_limit() {
    let most = u32::try_from(MAX_DOMAINS).unwrap();
    let users: Vec<User> = (0..most + 3).map(|number| user(number, number)).collect();
    let mut config = config();
    (config.pacing.canaries, config.pacing.burst) = (1, 10_000);
    config.pacing.rate = 100_000;
    let silent = Rc::new(Cell::new(true));
    let is_silent = Rc::clone(&silent);
    let mut world = World::with(config, &users).network(move |_| match is_silent.get() {
        true => (Reply::Status(200), 1_000),
        false => (Reply::Status(200), 5),
    });
    users.iter().for_each(|user| world.lose(*user));
    world.run_until(1_500);
    assert_eq!(world.books.asked.len(), MAX_DOMAINS + 1, "a canary each");
    silent.set(false);
    world.run();
    assert_eq!(world.books.count(Outcome::Unconfirmed), MAX_DOMAINS + 3);
    let more: Vec<User> = (0..most).map(|n| user(n + 1_000, n + 1_000)).collect();
    more.iter().for_each(|user| world.register(*user));
    silent.set(true);
    more.iter().for_each(|user| world.lose(*user));
    world.run_until(world.now + 500);
    let asked = world.books.asked.len();
    assert_eq!(
        asked,
        MAX_DOMAINS + 3 + MAX_DOMAINS,
        "places that are free again"
    );
    world.run();
    assert_eq!(world.books.ended.len(), 2 * MAX_DOMAINS + 3);
}

/// [PD-12] A home is one, in whatever letters its name is written.
#[test]
fn a_home_in_other_letters() {
    let mut config = config();
    config.pacing.canaries = 1;
    let mut world = World::new(config).network(|_| (Reply::Status(200), 1_000));
    let users = users(4);
    for user in &users[..2] {
        world.register(*user);
    }
    for user in &users[2..] {
        let (request, response) = user.register(3_600);
        let request = request.replace("REGISTER sip:home0.example", "REGISTER sip:home0.EXAMPLE");
        let learn = ims_procedures::pcscf::Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        world.command(learn).unwrap();
    }
    users.iter().for_each(|user| world.lose(*user));
    world.run_until(1_500);
    assert_eq!(world.books.asked.len(), 1, "one canary");
}

/// [PD-9] Who comes back before its turn is not asked, and one that is removed neither; the places in the queue are
/// those of others then.
#[test]
fn who_comes_back_is_not_asked() {
    let users = users(30);
    let mut world = World::with(slow(), &users);
    users.iter().for_each(|user| world.lose(*user));
    users[10..20].iter().for_each(|user| world.register(*user));
    users[20..].iter().for_each(|user| world.learn(*user, 0));
    world.run_until(20_000);
    assert_eq!(world.books.asked.len(), 10);
    assert_eq!(world.books.cancelled.len(), 10);
    assert_eq!(world.books.count(Outcome::ByUser), 10);
    assert_eq!(world.node.registrations(), 10);
}

/// [DR-10] Another pace holds at once, and an impossible one is refused.
#[test]
fn another_pace() {
    let users = users(100);
    let mut world = World::with(slow(), &users);
    users.iter().for_each(|user| world.lose(*user));
    world.run_until(world.now + 1_000);
    let before = world.books.asked.len();
    assert!((10..=11).contains(&before), "{before}");
    let mut config = slow();
    config.pacing.rate = 0;
    let refused = world.node.reconfigure(config.clone()).unwrap_err();
    assert_eq!(refused.field, "rate");
    config.pacing.rate = 1_000;
    world.node.reconfigure(config).unwrap();
    world.run_until(world.now + 200);
    assert_eq!(world.books.asked.len(), 100);
}
