//! `measure fleet`: many users at one node. They arrive, wait, come again in no order, and go; each phase tells what
//! one call through the doors took, and the last line what one user takes. With `--persist` each user is stored when it changes, by a store that answers at once. `measure snapshot`: what it takes to
//! write the state of all of them, and to read it.

mod histogram;
mod memory;
mod meter;

use std::{hint::black_box, time::Instant};

use ims_procedures::{
    mscics::MscNode, pcscf::PcscfNode, persistence::Persistent, scscf::ScscfNode,
};

use crate::{
    options::Options,
    users::{Fleet, Peer, Unmeasured, mscics, pcscf, peers, scscf},
};
use memory::Memory;
use meter::Phase;

/// Ticks with nothing due.
const IDLE_TICKS: u64 = 1_000_000;

pub(crate) fn run(options: &Options) -> Result<(), String> {
    match (options.role.as_str(), options.persist) {
        ("pcscf", false) => of::<pcscf::Users>(options),
        ("pcscf", true) => of::<pcscf::Users<Persistent<PcscfNode>>>(options),
        ("scscf", false) => of::<scscf::Users>(options),
        ("scscf", true) => of::<scscf::Users<Persistent<ScscfNode>>>(options),
        ("mscics", false) => of::<mscics::Users>(options),
        ("mscics", true) => of::<mscics::Users<Persistent<MscNode>>>(options),
        (other, _) => return Err(format!("no role {other}: pcscf, scscf or mscics")),
    }
    Ok(())
}

pub(crate) fn snapshot(options: &Options) -> Result<(), String> {
    match options.role.as_str() {
        "pcscf" => snapshot_of::<pcscf::Users>(options),
        "scscf" => snapshot_of::<scscf::Users>(options),
        "mscics" => snapshot_of::<mscics::Users>(options),
        other => return Err(format!("no role {other}: pcscf, scscf or mscics")),
    }
    Ok(())
}

fn of<F: Fleet>(options: &Options) {
    let users = options.users;
    // The first line takes what writing lines takes.
    println!(
        "role={} users={users} reserved={}",
        options.role, options.reserve
    );
    let peers = peers(users);
    let before = Memory::now();
    let mut fleet: F = warm(peers, options);
    let start = Memory::now();
    let cycles = options.cycles.max(1);
    for cycle in 1..=cycles {
        let is_last = cycle == cycles;
        let mut phase = Phase::new("build-up", options);
        (0..users).for_each(|user| fleet.arrive(user, &mut phase));
        phase.print(is_last);
        drop(phase);
        let full = Memory::now();
        if is_last {
            idle(&mut fleet, options);
            steady(&mut fleet, options);
        }
        let mut phase = Phase::new("teardown", options);
        (0..users).for_each(|user| fleet.leave(user, &mut phase));
        fleet.forget(&mut phase);
        phase.print(is_last);
        drop(phase);
        let empty = Memory::now();
        assert_eq!(fleet.len(), 0);
        println!(
            "cycle={cycle} live_full={} live_empty={} rss_full={} rss_empty={}",
            full.live, empty.live, full.resident, empty.resident
        );
        if is_last {
            let (live, resident) = full.of_each_since(&before, users);
            println!(
                "live_at_start={} users={users} strings={} live_per_user={live} rss_per_user={resident}",
                start.live,
                F::STRINGS,
            );
            let resident = if resident > 0 { resident } else { live };
            println!("bytes_per_user={resident}");
        }
    }
}

/// A node that has seen a user, so that what all users share is there.
fn warm<F: Fleet>(peers: Vec<Peer>, options: &Options) -> F {
    let mut fleet = F::new(peers, options.reserve);
    for user in 0..2.min(options.users) {
        fleet.arrive(user, &mut Unmeasured);
        fleet.leave(user, &mut Unmeasured);
        fleet.forget(&mut Unmeasured);
    }
    fleet
}

fn idle<F: Fleet>(fleet: &mut F, options: &Options) {
    let began = Instant::now();
    for _ in 0..IDLE_TICKS {
        fleet.idle(&mut Unmeasured);
    }
    let each = began.elapsed().as_nanos() as f64 / IDLE_TICKS as f64;
    let mut phase = Phase::new("idle", options);
    for _ in 0..IDLE_TICKS {
        fleet.idle(&mut phase);
    }
    phase.print_with(each);
}

/// Everything that can happen, to users taken at random.
fn steady<F: Fleet>(fleet: &mut F, options: &Options) {
    let mut chance = Chance(options.seed | 1);
    let mut phase = Phase::new("steady", options);
    for turn in 0..options.n {
        let traffic = (turn % F::TRAFFIC.len() as u64) as usize;
        let user = chance.below(options.users);
        fleet.happen(traffic, user, &mut phase);
    }
    phase.print(true);
}

fn snapshot_of<F: Fleet>(options: &Options) {
    let users = options.users;
    let mut fleet: F = warm(peers(users), options);
    (0..users).for_each(|user| fleet.arrive(user, &mut Unmeasured));
    let (mut blob, mut snapshots, mut restores) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.repetitions.clamp(1, 3) {
        blob.clear();
        let began = Instant::now();
        fleet.snapshot(&mut blob);
        snapshots.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        assert_eq!(black_box(fleet.restore(&blob)), fleet.len());
        restores.push(began.elapsed().as_secs_f64());
    }
    let rate = |mut seconds: Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        f64::from(users) / seconds[seconds.len() / 2]
    };
    println!(
        "users={users} snapshot_users_per_s={:.0} restore_users_per_s={:.0} blob_bytes_per_user={:.1}",
        rate(snapshots),
        rate(restores),
        blob.len() as f64 / f64::from(users),
    );
}

/// Numbers that look like chance, and come again with the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32 % bound.max(1)
    }
}
