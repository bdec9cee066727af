//! Many users, a network that loses, and a storm in the middle.

use ims_procedures::{drive::Millis, pcscf::Shutdown};

use crate::world::{Reply, User, World, chance, config, user};

const USERS: u32 = 2_000;

/// [PD-2] [PD-8] [PD-12] T50: two thousand users of three homes, 5 % loss, 503 from everybody in the middle, a deadline:
/// everyone has an outcome, in flight and rate stay within their bounds, and the tally is that of the events.
#[test]
fn two_thousand_users() {
    for (deadline, all_asked) in [(60_000, true), (4_000, false)] {
        let users: Vec<User> = (0..USERS).map(|number| user(number, number % 3)).collect();
        let mut config = config();
        (config.pacing.hop_start_rate, config.pacing.burst) = (200, 1);
        let mut world = World::with(config, &users).network(|asked| {
            let luck = chance(7, &[asked.number, asked.cseq]);
            let latency = 20 + luck / 128 % 200;
            match () {
                () if luck % 100 < 5 => (Reply::Silence, 32_000),
                () if (3_000..6_000).contains(&asked.now) => (Reply::Busy(2), latency),
                () => (Reply::Status(200), latency),
            }
        });
        let begun = world.now;
        let mut order = Shutdown::until(Millis(begun + deadline));
        (order.rate, order.in_flight) = (Some(400), Some(150));
        world.shut_down(order);
        let tally = world.run_down();
        assert_eq!(tally.total(), USERS);
        assert_eq!(world.books.ended.len(), USERS as usize);
        assert_eq!(world.node.registrations(), 0);
        assert!(world.books.most_out <= 150, "{}", world.books.most_out);
        assert!(
            world.books.densest(100) <= 40,
            "{}",
            world.books.densest(100)
        );
        assert!(world.books.densest(1_000) <= 400);
        assert!(world.now <= begun + deadline + 1_000, "{}", world.now);
        let last = world.books.asked.iter().map(|(at, _)| *at).max();
        assert!(last.is_some_and(|last| last <= begun + deadline));
        assert!(tally.unconfirmed > 500, "{tally:?}");
        assert_eq!(tally.not_asked == 0, all_asked, "{tally:?}");
    }
}
