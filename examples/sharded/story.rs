//! What happens: every user registers, every tenth again under a telephone number, and all are lost at once.

use std::{
    error::Error,
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Config, Outcome, Pacer, Turn},
};

use crate::{
    dispatcher::{Aliases, Inboxes},
    shard::{Input, Report},
    users,
};

/// How it went.
pub struct Story {
    pub registers: u64,
    pub by_alias: u64,
    unsubscribed: u32,
    undone: u32,
}

impl Story {
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.unsubscribed > 0 {
            faults.push(format!("{} never subscribed to", self.unsubscribed));
        }
        if self.undone > 0 {
            faults.push(format!("{} never deregistered", self.undone));
        }
        faults
    }
}

pub fn run(
    users: u32,
    inboxes: &Inboxes,
    reported: &Receiver<Report>,
) -> Result<Story, Box<dyn Error>> {
    let mut aliases = Aliases::new(inboxes);
    let mut shard_of = Vec::new();
    let mut registers = 0;
    let mut register = |user: u32, identity: &str, cseq: u32| {
        let (request, response) = (
            users::register(user, identity, cseq),
            users::register_200(user, identity, cseq),
        );
        let shard = aliases.shard_of(request.as_bytes()).unwrap_or(0);
        aliases.learn(&users::identities(user), shard);
        inboxes.send(shard, Input::Registered { request, response });
        registers += 1;
        shard
    };
    let unsubscribed = pace(users, reported, |user| {
        let [public, _] = users::identities(user);
        shard_of.push(register(user, &public, 1));
    })?;
    for user in (0..users).step_by(10) {
        let [_, number] = users::identities(user);
        register(user, &number, 2);
    }
    let undone = pace(users, reported, |user| {
        let contact = users::contact(user);
        inboxes.send(shard_of[user as usize], Input::Lost { contact });
    })?;
    Ok(Story {
        registers,
        by_alias: aliases.used,
        unsubscribed,
        undone,
    })
}

/// Does something for each user, in order, at a pace that the sockets bear; each is done when it is reported.
/// How many never were.
fn pace(
    users: u32,
    reported: &Receiver<Report>,
    mut begin: impl FnMut(u32),
) -> Result<u32, Box<dyn Error>> {
    let mut config = Config::default();
    (config.rate, config.burst, config.canaries) = (100_000, 100, 0);
    (config.hop_start_rate, config.hop_max_rate) = (50_000, 100_000);
    // Of messages of a kilobyte or two, so many fit into the buffer of a socket.
    (config.in_flight, config.hop_in_flight) = (32, 32);
    let mut pacer = Pacer::new(config, users, 1)?;
    for user in 0..users {
        pacer.enqueue(Millis(0), user, 0)?;
    }
    let started = Instant::now();
    let now = || Millis(started.elapsed().as_millis() as u64);
    loop {
        while let Some(Turn::Ask { machine }) = pacer.next(now()) {
            begin(machine);
        }
        let progress = pacer.progress();
        if progress.queued + progress.out == 0 {
            return Ok(0);
        }
        // Without a deadline, an outcome is awaited: longer than any retransmission takes.
        let pause = match pacer.deadline() {
            Some(at) => Duration::from_millis(at.since(now())),
            None => Duration::from_secs(40),
        };
        match reported.recv_timeout(pause) {
            Ok(Report::Subscribed(user) | Report::Deregistered(user)) => {
                pacer.outcome(now(), user, Outcome::Answered);
            }
            Err(_) if pacer.deadline().is_none() => return Ok(progress.queued + progress.out),
            Err(_) => {}
        }
    }
}
