//! The MSC server is shut down with all its subscribers.

use std::{collections::BTreeMap, error::Error, time::Instant};

use ims_procedures::drive::Millis;

use crate::{
    capture::Capture, ladder_text::seconds, options::Options, subscriber::Subscriber, world::World,
};

/// So many subscribers are registered each millisecond.
const REGISTERED_AT_ONCE: usize = 5;
/// One of so many is in two calls.
const IN_CALLS: u32 = 4;
/// Milliseconds in which whatever is still out comes to its end.
const REST: u64 = 60_000;

/// Registers everybody, and shuts the MSC server down. Returns what is not as it must be.
pub fn run(options: &Options, capture: Option<Capture>) -> Result<Vec<String>, Box<dyn Error>> {
    let subscribers: Result<Vec<_>, _> = (0..options.subscribers).map(Subscriber::new).collect();
    let subscribers = subscribers?;
    let conduct = options.story.conduct.1;
    let mut world = World::new(options, conduct, &subscribers, capture)?;
    world.network.tape.is_off = true;
    let real = Instant::now();
    register(&mut world, &subscribers, options)?;
    let registered = world.msc.node().registrations();
    let began = world.now;
    shut_down(&mut world, options)?;
    if let Some(capture) = world.network.capture.take() {
        capture.finish()?;
    }
    if !options.quiet {
        println!("{registered} subscribers registered");
        print_tally(&world);
        println!(
            "over after {} s of virtual time, {:.1} s of real time with the registering",
            seconds(Millis(world.now.since(began) - REST)),
            real.elapsed().as_secs_f64()
        );
    }
    Ok(complaints(&world, registered))
}

/// Registers everybody, and gives some their calls.
fn register(
    world: &mut World,
    subscribers: &[Subscriber],
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    for (part, some) in subscribers.chunks(REGISTERED_AT_ONCE).enumerate() {
        for subscriber in some {
            world
                .msc
                .register(world.now, subscriber, &mut world.network);
        }
        world.run_until(Some(world.now.after(1)))?;
        if !options.quiet && part % 64 == 0 {
            let registered = world.msc.node().registrations();
            eprint!("\r{registered:>8} registered ");
        }
    }
    world.run_until(Some(world.now.after(REST)))?;
    for subscriber in subscribers {
        if subscriber.number % IN_CALLS == 0 {
            world.msc.call(world.now, subscriber, &mut world.network)?;
        }
    }
    Ok(())
}

/// Shuts it down, and shows how far it has come.
fn shut_down(world: &mut World, options: &Options) -> Result<(), Box<dyn Error>> {
    let began = world.now;
    let deadline = began.after(options.deadline);
    world.msc.shut_down(began, deadline, &mut world.network)?;
    while world.msc.journal.tally.is_none() && world.now < deadline {
        let next = world.now.after(1_000).min(deadline);
        world.run_while(next, |world| world.msc.journal.tally.is_none())?;
        if world.msc.journal.tally.is_none() {
            world.now = next;
        }
        let progress = world.msc.journal.progress.take();
        if let Some(progress) = progress.filter(|_| !options.quiet) {
            eprint!(
                "\r{:>9} s: {:>8} left, {:>8} in the queue, {:>5} out ",
                seconds(Millis(world.now.since(began))),
                progress.left,
                progress.queued,
                progress.in_flight
            );
        }
    }
    if !options.quiet {
        eprintln!();
    }
    world.run_until(Some(world.now.after(REST)))
}

/// How many ended how.
fn print_tally(world: &World) {
    let mut tally: BTreeMap<String, u32> = BTreeMap::new();
    for ending in world.msc.journal.endings.values().flatten() {
        let outcome = match ending.outcome {
            Some(outcome) => format!("{outcome:?}"),
            None => "given up".to_owned(),
        };
        *tally.entry(outcome).or_default() += 1;
    }
    for (outcome, subscribers) in tally {
        println!("{subscribers:>9} {outcome}");
    }
}

fn complaints(world: &World, registered: usize) -> Vec<String> {
    let node = world.msc.node();
    let endings = &world.msc.journal.endings;
    let once = endings
        .values()
        .filter(|endings| endings.len() == 1)
        .count();
    let told = world.msc.journal.tally.map(|tally| tally.total());
    let mut complaints = Vec::new();
    if once != registered || endings.len() != registered {
        complaints.push(format!("{once} of {registered} have one outcome"));
    }
    match told {
        None => complaints.push("the shutdown has not ended".to_owned()),
        Some(told) if usize::try_from(told) != Ok(registered) => {
            complaints.push(format!("the tally counts {told} of {registered}"));
        }
        Some(_) => {}
    }
    if node.registrations() > 0 {
        complaints.push(format!("{} are left", node.registrations()));
    }
    complaints
}
