//! A node that is killed in the middle.

use ims_procedures::{
    drive::{Millis, Verdict},
    pcscf::{Shutdown, Tally},
};

use crate::world::{Reply, User, World, chance, config, emergency, user};

/// Twelve users, one in a dialog, one of an emergency, one lost before; every answer there is.
fn world() -> World {
    let users: Vec<User> = (0..11).map(|number| user(number, number % 2)).collect();
    let mut config = config();
    (config.pacing.rate, config.pacing.burst) = (50, 1);
    (config.notify_bound, config.retry_interval) = (1_000, 500);
    let mut world = World::with(config, &users).network(|asked| {
        let luck = chance(3, &[asked.number, asked.cseq]);
        match (asked.number, luck % 4) {
            (3, _) => (Reply::Silence, 2_000),
            (4, _) => (Reply::Status(403), 7),
            (5, _) => (Reply::Status(404), 7),
            (_, 0) => (Reply::Status(503), 11),
            (_, 1) => (Reply::Unreachable, 13),
            _ => (Reply::Status(200), 17),
        }
    });
    world.cleanup = 3;
    world.register(emergency(11, 0));
    world.dialogs(users[2], true);
    world.lose(users[1]);
    world
}

fn shut_down(world: &mut World) -> Tally {
    let mut order = Shutdown::until(Millis(world.now + 120_000));
    order.emergency = true;
    world.shut_down(order);
    world.run_down()
}

/// [DR-7] [PD-2] T50: killed after any call, and made anew from its blob: the tally is the same, everybody ends once, as
/// without it.
#[test]
fn killed_after_any_call() {
    let mut whole = world();
    let first = whole.calls + 1;
    let tally = shut_down(&mut whole);
    assert_eq!(tally.total(), 12);
    assert!(tally.unconfirmed > 0 && tally.refused > 0 && tally.nothing_there > 0);
    assert!(tally.no_response > 0 && whole.books.asked.len() > 15);
    for crash_at in first..whole.calls {
        let mut world = world();
        world.crash_at = Some(crash_at);
        assert_eq!(shut_down(&mut world), tally, "after call {crash_at}");
        assert_eq!(
            world.books.ended, whole.books.ended,
            "after call {crash_at}"
        );
        assert!(world.books.densest(100) <= 5);
    }
}

/// [DR-7] [PD-8] The deadline holds after a restart, at whatever call.
#[test]
fn the_deadline_after_a_restart() {
    for crash_at in (0..120).step_by(7) {
        let mut world = world().network(|_| (Reply::Silence, 32_000));
        world.crash_at = Some(world.calls + crash_at);
        let begun = world.now;
        world.shut_down_within(3_000);
        let tally = world.run_down();
        assert_eq!(tally.total(), 11);
        assert!((begun + 3_000..begun + 4_000).contains(&world.now));
    }
}

/// [DR-7] A blob for the release before this one: who waits for its turn is not lost, though that release knows no turns.
#[test]
fn the_way_back() {
    let mut world = world();
    world.lose(user(6, 0));
    world.lose(user(7, 1));
    world.lose(user(8, 1));
    let asked = world.books.asked.len();
    assert!(asked < 4);
    let mut blob = Vec::new();
    let previous = ims_procedures::drive::Release::Previous;
    let node = &world.node;
    ims_procedures::drive::Node::snapshot_for(node, previous, Millis(world.now), &mut blob);
    world.restart(&blob);
    world.run_until(world.now + 60_000);
    for number in [6, 7, 8] {
        let contact = user(number, number % 2).contact();
        assert!(world.books.ended.contains_key(&contact), "{number}");
    }
}

/// [DR-7] [PD-2] … and whom a shutdown has not asked yet is registered there, whatever it waited for.
#[test]
fn the_way_back_of_a_shutdown() {
    let users = [user(0, 0), user(1, 0)];
    let mut config = config();
    config.pacing.canaries = 0;
    (config.pacing.rate, config.pacing.burst) = (1, 1);
    let mut world = World::with(config, &users);
    assert_eq!(world.receive(&users[0].register(60).0), Verdict::Forward);
    world.shut_down_within(600_000);
    world.run_until(world.now + 10);
    let mut blob = Vec::new();
    let previous = ims_procedures::drive::Release::Previous;
    let node = &world.node;
    ims_procedures::drive::Node::snapshot_for(node, previous, Millis(world.now), &mut blob);
    world.restart(&blob);
    world.run_until(world.now + 100_000);
    let asked: Vec<&String> = world.books.asked.iter().map(|(_, who)| who).collect();
    assert_eq!(asked, [&users[1].contact()], "the one it had asked already");
    assert!(world.node.is_registered(users[0].contact().as_bytes()));
}
