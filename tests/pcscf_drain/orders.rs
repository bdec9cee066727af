//! A shutdown, order by order.

use ims_procedures::{
    drive::{Millis, Verdict},
    pcscf::{Cause, Command, Event, NotAsked, Outcome, Shutdown, Tally},
};

use crate::world::{Reply, User, World, config, emergency, slow, user};

const DEADLINE: Outcome = Outcome::NotAsked {
    why: NotAsked::Deadline,
};

fn contacts(users: &[User]) -> Vec<String> {
    users.iter().map(|user| user.contact()).collect()
}

fn asked(world: &World) -> Vec<String> {
    let asked = world.books.asked.iter();
    asked.map(|(_, contact)| contact.clone()).collect()
}

/// Six ordinary users of two homes, two in dialogs, two of emergencies.
fn ten() -> Vec<User> {
    let ordinary = (0..6).map(|number| user(number, number % 2));
    let others = [user(6, 0), user(7, 1), emergency(8, 0), emergency(9, 1)];
    ordinary.chain(others).collect()
}

fn ten_at(mut config: ims_procedures::pcscf::Config) -> World {
    config.notify_bound = 1_000;
    let users = ten();
    // Those in dialogs come first here, so that their places do not explain the order.
    let mut world = World::with(config, &users[6..]);
    users[..6].iter().for_each(|user| world.register(*user));
    for user in &users[6..8] {
        assert_eq!(world.dialogs(*user, true), Verdict::Handled);
    }
    world
}

/// [PD-2] T49, T50: ten users, ordinary ones first, those in dialogs last; those of emergencies are left alone. Each
/// REGISTER is that of its user, evenly spaced; progress, and one tally.
#[test]
fn ten_users_in_order() {
    let users = ten();
    let mut world = ten_at(slow());
    world.books.requests = Some(Vec::new());
    world.shut_down_within(60_000);
    let tally = world.run_down();
    let mut expected = Tally::default();
    expected.unconfirmed = 8;
    assert_eq!(tally, expected);
    assert_eq!(asked(&world), contacts(&users[..8]));
    let times: Vec<u64> = world.books.asked.iter().map(|(at, _)| *at).collect();
    assert!(
        times.windows(2).all(|two| two[1] - two[0] == 100),
        "{times:?}"
    );
    for (user, request) in users.iter().zip(world.books.requests.iter().flatten()) {
        let (home, public) = (user.home(), user.public_identity());
        assert!(request.starts_with(&format!("REGISTER sip:{home} SIP/2.0\r\n")));
        for line in [
            format!("\r\nTo: <{public}>\r\n"),
            format!("\r\nContact: <{}>;expires=0\r\n", user.contact()),
            "\r\nExpires: 0\r\n".into(),
            "\r\nCSeq: 1 REGISTER\r\n".into(),
            format!("username=\"{}\"", user.private_identity()),
        ] {
            assert!(request.contains(&line), "{line} in {request}");
        }
        let ended = world.books.ended[&user.contact()];
        assert_eq!(ended, (Cause::Shutdown, Outcome::Unconfirmed, 1));
    }
    assert_eq!(world.node.registrations(), 2, "those of emergencies");
    assert_eq!(world.books.reports.len(), 1, "it took less than a second");
}

/// [PD-2] T50: emergency registrations that are included come last, and their contacts stay those of emergencies.
#[test]
fn emergencies_last_when_included() {
    let users = ten();
    let mut world = ten_at(slow());
    let mut order = Shutdown::until(Millis(world.now + 60_000));
    order.emergency = true;
    world.shut_down(order);
    let tally = world.run_down();
    assert_eq!((tally.unconfirmed, tally.total()), (10, 10));
    assert_eq!(asked(&world), contacts(&users));
    assert_eq!(world.node.registrations(), 0);
    world.run();
    assert_eq!(world.node.deadline_of_nothing(), None);
}

trait Rest {
    fn deadline_of_nothing(&self) -> Option<(Millis, ims_procedures::drive::Timer)>;
}

impl Rest for ims_procedures::pcscf::PcscfNode {
    fn deadline_of_nothing(&self) -> Option<(Millis, ims_procedures::drive::Timer)> {
        ims_procedures::drive::Node::deadline(self)
    }
}

/// [PD-2] A dialog that has ended makes its UE an ordinary one again; one of a contact that nobody has is not ours.
#[test]
fn dialogs_come_and_go() {
    let users = ten();
    let mut world = ten_at(slow());
    assert_eq!(world.dialogs(users[6], false), Verdict::Handled);
    assert_eq!(world.dialogs(user(99, 0), true), Verdict::NotMine);
    world.crash();
    world.shut_down_within(60_000);
    world.run_down();
    let order = asked(&world);
    assert_eq!(order[7], users[7].contact());
    assert!(order[..7].contains(&users[6].contact()));
}

/// [PD-2] While it is shut down, REGISTERs are refused with 503 and Retry-After, never those of emergencies; a UE may
/// go. Before, and once it is resumed, all pass.
#[test]
fn registers_of_ues_meanwhile() {
    let refused = |retry_after| Verdict::Refuse {
        status: 503,
        retry_after,
    };
    let known = user(0, 0);
    let mut world = World::with(slow(), &[known]);
    let no_contact = known
        .register(60)
        .0
        .lines()
        .filter(|line| !line.starts_with("Contact"))
        .map(|line| format!("{line}\r\n"))
        .collect::<String>();
    let star = known.register(0).0.replace(
        &format!("<{}>;expires=0", known.contact()),
        "*\r\nExpires: 0",
    );
    let both = known
        .register(0)
        .0
        .replace("\r\nPath", ", <sip:other@192.0.2.7>;expires=60\r\nPath")
        .replace(
            ";expires=0\r\n",
            ";expires=0, <sip:other@192.0.2.7>;expires=60\r\n",
        );
    let header = known
        .register(60)
        .0
        .replace(";expires=60\r\n", "\r\nExpires: 0\r\n");
    let rows = [
        ("a refresh", known.register(60).0, refused(60)),
        ("another UE", user(5, 0).register(60).0, refused(60)),
        (
            "an emergency",
            emergency(6, 0).register(60).0,
            Verdict::Forward,
        ),
        ("its own going", known.register(0).0, Verdict::Forward),
        ("all of its own going", star, Verdict::Forward),
        ("by the header", header, Verdict::Forward),
        ("one goes, one stays", both, refused(60)),
        ("a question", no_contact, Verdict::Forward),
    ];
    for (name, bytes, _) in &rows {
        assert_eq!(world.receive(bytes), Verdict::Forward, "{name}");
    }
    world.shut_down_within(60_000);
    for (name, bytes, verdict) in &rows {
        assert_eq!(world.receive(bytes), *verdict, "{name}");
    }
    assert_eq!(world.node.counters().registers_refused, 3);
    world.run_down();
    world.run_until(200_000);
    assert_eq!(world.receive(&rows[0].1), refused(10), "it is over");
    world.crash();
    assert_eq!(world.receive(&rows[0].1), refused(10), "after a restart");
    assert_eq!(world.command(Command::Resume), Ok(Verdict::Handled));
    assert_eq!(world.command(Command::Resume), Ok(Verdict::NotMine));
    for (name, bytes, _) in &rows {
        assert_eq!(world.receive(bytes), Verdict::Forward, "{name}");
    }
}

/// [PD-2] T50: a second order, and a third, change nothing of what runs; each is asked once.
#[test]
fn a_second_order() {
    let users = ten();
    let mut world = ten_at(slow());
    world.shut_down_within(60_000);
    world.run_until(world.now + 350);
    let before = asked(&world).len();
    assert!((1..8).contains(&before));
    world.shut_down_within(60_000);
    world.run_until(world.now + 100);
    world.shut_down_within(30_000);
    let tally = world.run_down();
    assert_eq!(tally.total(), 8);
    assert_eq!(asked(&world), contacts(&users[..8]));
    world.shut_down_within(30_000);
    world.run_until(world.now + 100_000);
    assert_eq!(world.books.ended().len(), 1, "nor is there another end");
    assert_eq!(asked(&world).len(), 8);
}

/// [PD-2] A second order may be faster, have less time, and take emergencies along.
#[test]
fn a_second_order_replaces_the_first() {
    let users = ten();
    let mut world = ten_at(slow());
    world.shut_down_within(600_000);
    world.run_until(world.now + 250);
    let mut order = Shutdown::until(Millis(world.now + 5_000));
    (order.rate, order.emergency) = (Some(100), true);
    world.shut_down(order);
    let tally = world.run_down();
    assert_eq!((tally.total(), world.node.registrations()), (10, 0));
    assert_eq!(asked(&world), contacts(&users));
    let last = world.books.asked.windows(2).last().unwrap();
    assert_eq!(last[1].0 - last[0].0, 10, "a hundred a second");
    let mut world = ten_at(slow()).network(|_| (Reply::Silence, 32_000));
    world.shut_down_within(600_000);
    world.run_until(world.now + 250);
    let end = world.now + 3_000;
    world.shut_down(Shutdown::until(Millis(end)));
    let tally = world.run_down();
    assert_eq!(
        (tally.no_response, tally.not_asked),
        (2, 6),
        "a canary each"
    );
    assert!(world.books.reports.iter().all(|(at, _)| *at <= end + 500));
}

/// [PD-2] The dry run tells what there is and how long it takes at least, and does nothing.
#[test]
fn a_dry_run() {
    let mut world = ten_at(slow());
    let mut order = Shutdown::until(Millis(world.now));
    order.dry_run = true;
    let mut plan = |emergency, rate, time| {
        (order.emergency, order.rate) = (emergency, rate);
        world.shut_down(order);
        world.run_until(world.now + 10_000);
        let planned = Event::ShutdownPlanned {
            registrations: 10,
            in_dialog: 2,
            emergency: 2,
            least_time: time,
        };
        assert_eq!(
            world.books.reports.last().map(|(_, event)| *event),
            Some(planned)
        );
    };
    plan(false, None, 800);
    plan(true, None, 1_000);
    plan(false, Some(1), 8_000);
    plan(false, Some(1_000_000), 4);
    assert_eq!(asked(&world), [""; 0]);
    assert_eq!(world.books.reports.len(), 4);
    assert_eq!(world.node.registrations(), 10);
    assert_eq!(world.receive(&user(50, 0).register(60).0), Verdict::Forward);
    world.shut_down_within(60_000);
    assert_eq!(
        world.run_down().total(),
        8,
        "at the pace of the configuration"
    );
    let first = world.books.asked[0].0;
    assert_eq!(world.books.asked[7].0 - first, 700);
}

/// [PD-2] A shutdown that is called off leaves alone who has not been asked, and ends what it has begun.
#[test]
fn called_off() {
    let users: Vec<User> = (0..200).map(|number| user(number, 0)).collect();
    let mut world = World::with(slow(), &users);
    world.shut_down_within(60_000);
    world.run_until(world.now + 350);
    let begun = asked(&world);
    assert_eq!(begun.len(), 4);
    assert!(!world.node.is_registered(users[100].contact().as_bytes()));
    assert_eq!(world.command(Command::Resume), Ok(Verdict::Handled));
    world.run_until(world.now + 100_000);
    assert_eq!(asked(&world), begun);
    assert_eq!(world.books.ended.len(), 4);
    let registered = |user: &&User| world.node.is_registered(user.contact().as_bytes());
    assert_eq!(users.iter().filter(registered).count(), 196);
    assert_eq!(world.books.ended(), []);
    world.shut_down_within(100_000);
    assert_eq!(
        world.run_down().total(),
        196,
        "a new shutdown has a tally of its own"
    );
}

/// [PD-2] [PD-3] [DR-7] A UE that waits for a turn of the shutdown, and whose access is lost meanwhile, is reported, and
/// goes when the shutdown has been called off, or forgotten in a restart.
#[test]
fn lost_while_it_waits() {
    let users: Vec<User> = (0..10).map(|number| user(number, 0)).collect();
    let (lost, contact) = (users[9], users[9].contact());
    for restarts in [false, true] {
        let mut world = World::with(slow(), &users);
        world.shut_down_within(60_000);
        world.run_until(world.now + 150);
        assert!(!world.node.is_registered(contact.as_bytes()));
        let before = world.node.counters().access_lost;
        world.lose(lost);
        assert_eq!(world.books.lost, 1);
        assert!(world.node.is_access_lost(contact.as_bytes()));
        assert_eq!(world.node.counters().access_lost, before + 1);
        assert_eq!(world.command(Command::Resume), Ok(Verdict::Handled));
        if restarts {
            world.crash();
        }
        world.run_until(world.now + 100_000);
        assert_eq!(world.books.ended[&contact].0, Cause::AccessLost);
        let registered = |user: &&User| world.node.is_registered(user.contact().as_bytes());
        assert_eq!(users.iter().filter(registered).count(), 7);
    }
}

/// [PD-2, DR-7] A restart before a shutdown that is called off has been taken back everywhere: nobody else is asked; who
/// was asked is dealt with.
#[test]
fn called_off_and_restarted() {
    let users: Vec<User> = (0..200).map(|number| user(number, 0)).collect();
    for ticks in 0..4 {
        let mut world = World::with(slow(), &users);
        world.shut_down_within(60_000);
        world.run_until(world.now + 350);
        let mut begun = asked(&world);
        assert_eq!(world.command(Command::Resume), Ok(Verdict::Handled));
        for _ in 0..ticks {
            world.tick();
        }
        world.crash();
        let registered = |world: &World| {
            let is_registered = |user: &&User| world.node.is_registered(user.contact().as_bytes());
            users.iter().filter(is_registered).count()
        };
        assert_eq!(registered(&world), 196, "{ticks}");
        world.run_until(world.now + 100_000);
        assert_eq!(registered(&world), 196, "{ticks}");
        // Those that were out are asked again, and no others.
        let mut again = asked(&world);
        again.sort_unstable();
        again.dedup();
        begun.sort_unstable();
        assert_eq!(again, begun, "{ticks}");
    }
}

/// [PD-2] [PD-9] While a UE's own REGISTER is under way the shutdown waits for it. When it is called off nothing is left
/// of it; at its deadline nothing is waited for.
#[test]
fn while_a_ue_registers() {
    let user = user(0, 0);
    let begin = || {
        let mut world = World::with(slow(), &[user]);
        assert_eq!(world.receive(&user.register(60).0), Verdict::Forward);
        world.shut_down_within(10_000);
        world.run_until(world.now + 2_000);
        assert_eq!(asked(&world), [""; 0]);
        assert!(!world.node.is_registered(user.contact().as_bytes()));
        world
    };
    let mut world = begin();
    assert_eq!(world.command(Command::Resume), Ok(Verdict::Handled));
    world.run_until(world.now + 100_000);
    assert_eq!(asked(&world), [""; 0]);
    assert!(world.node.is_registered(user.contact().as_bytes()));

    let mut world = begin();
    world.run_until(world.now + 9_000);
    assert_eq!(world.books.ended.len(), 1);
    let ended = world.books.ended[&user.contact()];
    assert_eq!(ended, (Cause::Shutdown, DEADLINE, 0));
}

/// [PD-2] [PD-9] A UE that registers anew all the same is cancelled, and then shut down like one that has just come.
#[test]
fn who_registers_meanwhile() {
    let users = ten();
    let mut world = ten_at(slow()).network(|_| (Reply::Status(200), 2_000));
    world.shut_down_within(60_000);
    world.run_until(world.now + 150);
    assert_eq!(asked(&world), contacts(&users[..2]));
    world.register(users[0]);
    world.register(users[4]);
    world.register(user(20, 0));
    assert_eq!(world.books.cancelled, contacts(&[users[0], users[4]]));
    let tally = world.run_down();
    assert_eq!(tally.total(), 9);
    assert_eq!(world.node.registrations(), 2);
    let order = asked(&world);
    let first = users[0].contact();
    assert_eq!(order.iter().filter(|contact| **contact == first).count(), 2);
    world.register(user(21, 0));
    world.run_until(world.now + 10_000);
    assert_eq!(world.books.ended.len(), 10, "after the end as well");
    world.run_until(world.now + 60_000);
    world.register(user(22, 0));
    world.run_until(world.now + 10_000);
    let late = world.books.ended[&user(22, 0).contact()];
    assert_eq!(
        late,
        (Cause::Shutdown, DEADLINE, 0),
        "and after the deadline"
    );
    assert_eq!(world.books.ended().len(), 1);
}

/// [PD-8] At the deadline everybody is cleaned up, wherever it is: not asked, asked, waiting to be asked again, done
/// without a NOTIFY, or waiting for the turn of another trigger.
#[test]
fn the_deadline() {
    let mut config = slow();
    config.pacing.canaries = 0;
    config.subscription.support_reg_event = false;
    let users: Vec<User> = (0..10).map(|number| user(number, number)).collect();
    let mut world = World::with(config, &users).network(|asked| match asked.number {
        0 => (Reply::Silence, 32_000),
        1 => (Reply::Busy(100), 5),
        _ => (Reply::Status(200), 5),
    });
    world.lose(users[0]);
    world.lose(users[1]);
    world.lose(users[9]);
    world.shut_down_within(450);
    let tally = world.run_down();
    let mut expected = Tally::default();
    (expected.no_response, expected.unconfirmed) = (1, 3);
    expected.not_asked = 6;
    assert_eq!(tally, expected);
    let ended = |number: usize| world.books.ended[&users[number].contact()];
    assert_eq!(ended(0), (Cause::AccessLost, Outcome::NoResponse, 1));
    assert_eq!(ended(1), (Cause::AccessLost, DEADLINE, 1));
    assert_eq!(ended(9), (Cause::AccessLost, Outcome::Unconfirmed, 1));
    assert_eq!(ended(8), (Cause::Shutdown, DEADLINE, 0));
}

/// [PD-8] A deadline that has passed when the order comes: everybody is cleaned up, nobody is asked.
#[test]
fn no_time_at_all() {
    let mut world = ten_at(slow());
    world.shut_down_within(0);
    let tally = world.run_down();
    assert_eq!((tally.not_asked, tally.total()), (8, 8));
    assert_eq!(asked(&world), [""; 0]);
    let mut world = World::new(config());
    world.shut_down_within(0);
    assert_eq!(world.run_down(), Tally::default(), "nobody is there");
}

/// [PD-2] Reports are few, however long it takes.
#[test]
fn reports_are_few() {
    let users: Vec<User> = (0..50).map(|number| user(number, 0)).collect();
    let mut world = World::with(config(), &users).network(|_| (Reply::Busy(120), 100));
    world.shut_down_within(3_600_000);
    world.run_down();
    let reports = world.books.reports.len();
    assert!((2..=70).contains(&reports), "{reports}");
}
