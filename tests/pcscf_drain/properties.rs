//! What holds whatever the network does.

use ims_procedures::{
    drive::Millis,
    pcscf::{Command, Shutdown},
};
use proptest::prelude::*;

use crate::world::{Reply, User, World, chance, config, user};

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    rate: u32,
    burst: u32,
    in_flight: u32,
    canaries: u16,
    deadline: u64,
    loss: u64,
    busy: u64,
    refused: u64,
    latency: u64,
    lost: u32,
    crash: Option<u64>,
    resumed: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let pace = (10..400_u32, 1..12_u32, 1..40_u32, 0..4_u16);
    let chances = (0..40_u64, 0..60_u64, 0..30_u64, 1..3_000_u64);
    let others = (
        any::<u64>(),
        100..60_000_u64,
        0..40_u32,
        proptest::option::of(1..400_u64),
        proptest::bool::weighted(0.2),
    );
    (pace, chances, others).prop_map(|(pace, chances, others)| {
        let (rate, burst, in_flight, canaries) = pace;
        let (loss, busy, refused, latency) = chances;
        let (seed, deadline, lost, crash, resumed) = others;
        Case {
            seed,
            rate,
            burst,
            in_flight,
            canaries,
            deadline,
            loss,
            busy,
            refused,
            latency,
            lost,
            crash,
            resumed,
        }
    })
}

const USERS: u32 = 60;

fn world(case: &Case) -> World {
    let users: Vec<User> = (0..USERS).map(|number| user(number, number % 3)).collect();
    let mut config = config();
    // The node waits as long as its host does, after a restart too.
    config.answer_bound = 100_000;
    let pacing = &mut config.pacing;
    (pacing.rate, pacing.burst, pacing.canaries) = (case.rate, case.burst, case.canaries);
    pacing.good_canaries = 1;
    let case = case.clone();
    World::with(config, &users).network(move |asked| {
        let luck = chance(case.seed, &[asked.number, asked.cseq, asked.domain]);
        let latency = 1 + luck / 1_000 % case.latency;
        let luck = luck % 100;
        let (busy, refused) = (case.loss + case.busy, case.loss + case.busy + case.refused);
        match () {
            () if luck < case.loss => (Reply::Silence, 32_000),
            () if luck < busy => (Reply::Busy(1), latency),
            () if luck < refused => (Reply::Status(403), latency),
            () => (Reply::Status(200), latency),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    /// [PD-2] [PD-8] [PD-12] Whatever is lost, refused, late, crashed or called off: no stretch of 100 ms has more
    /// REGISTERs than the rate allows, retries included; no more are out than allowed; everybody ends once, in time, and
    /// the tally says how.
    #[test]
    fn promises(case in case()) {
        let mut world = world(&case);
        let begun = world.now;
        for number in 0..case.lost {
            world.lose(user(number, number % 3));
        }
        let mut order = Shutdown::until(Millis(begun + case.deadline));
        order.in_flight = Some(case.in_flight);
        let out_before = world.books.most_out;
        world.shut_down(order);
        world.crash_at = case.crash.map(|calls| world.calls + calls);
        if case.resumed {
            world.run_until(world.now + 50);
            world.command(Command::Resume).unwrap();
            world.run_until(world.now + 50);
            world.shut_down(order);
        }
        let ended = world.books.ended.len() as u32;
        let tally = world.run_down();
        prop_assert_eq!(world.books.ended.len(), USERS as usize);
        if !case.resumed {
            prop_assert_eq!(tally.total(), USERS);
        } else {
            prop_assert!(tally.total() <= USERS && tally.total() >= USERS - ended);
        }
        let allowed = (100 * case.rate).div_ceil(1_000) + case.burst - 1;
        prop_assert!(world.books.densest(100) <= allowed as usize);
        let most = (case.in_flight as usize).max(out_before);
        prop_assert!(world.books.most_out <= most + case.lost as usize);
        prop_assert!(world.now <= begun + case.deadline + 1_000);
        prop_assert!(world.books.reports.len() <= 80);
    }
}
