//! One P-CSCF of several nodes, a thread each, behind one UDP socket:
//! `cargo run --release --example sharded`.
//!
//! A node is one user of one core. A host with more cores makes more nodes, gives each a number (its shard), and
//! hands every message to the node that it belongs to. What a reader may want to copy is in `dispatcher.rs` and
//! `shard.rs`:
//!
//! | file | what |
//! |---|---|
//! | `dispatcher.rs` | which shard: of a datagram, from its bytes alone; of a REGISTER, with the table of aliases |
//! | `shard.rs` | one thread: a node, the transactions around it, their run loop |
//! | `story.rs` | users register, some of them again under their telephone number, and all are lost; paced |
//! | `home.rs` | the home network: answers and notifies |
//! | `users.rs`, `options.rs` | what a user's messages are; the command line |

mod dispatcher;
mod home;
mod options;
mod shard;
mod story;
mod users;

use std::{
    error::Error,
    net::UdpSocket,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering::Relaxed, mpsc},
    thread,
    time::Duration,
};

use dispatcher::Inboxes;
use options::{HELP, Options};
use shard::{Input, Shard, Tally};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) if !options.help => options,
        Ok(_) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("sharded: {fault}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(faults) if faults.is_empty() => {
            println!("all as it should be");
            ExitCode::SUCCESS
        }
        Ok(faults) => {
            faults.iter().for_each(|fault| println!("WRONG: {fault}"));
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("sharded: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it all. What was not as it should be, a line each.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let home = UdpSocket::bind("127.0.0.1:0")?;
    for socket in [&socket, &home] {
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    }
    let home_at = home.local_addr()?;
    let is_over = Arc::new(AtomicBool::new(false));

    let home = thread::spawn({
        let is_over = is_over.clone();
        move || home::run(&home, &is_over)
    });
    let (reports, reported) = mpsc::channel();
    let (mut inboxes, mut shards) = (Vec::new(), Vec::new());
    for number in 0..options.shards.get() {
        let (inbox, arrived) = mpsc::channel();
        let mut shard = Shard::new(number, socket.try_clone()?, home_at, reports.clone())?;
        inboxes.push(inbox);
        shards.push(thread::spawn(move || shard.run(&arrived)));
    }
    let inboxes = Inboxes::new(inboxes, options.shards);
    let dispatcher = thread::spawn({
        let (inboxes, is_over) = (inboxes.clone(), is_over.clone());
        move || dispatcher::run(&socket, home_at, &inboxes, &is_over)
    });

    let story = story::run(options.users, &inboxes, &reported)?;
    let mut faults = story.faults();
    is_over.store(true, Relaxed);
    let dispatched = dispatcher.join().map_err(|_| "the dispatcher panicked")?;
    inboxes.all().for_each(|inbox| _ = inbox.send(Input::Stop));
    home.join().map_err(|_| "the home network panicked")?;

    println!("shard  users  NOTIFYs  responses");
    let mut sum = Tally::default();
    for (number, shard) in shards.into_iter().enumerate() {
        let tally = shard.join().map_err(|_| "a shard panicked")?;
        println!(
            "{number:>5} {:>6} {:>8} {:>10}",
            tally.deregistered, tally.notifies, tally.responses
        );
        faults.extend(tally.faults(number));
        sum.add(&tally);
    }
    println!(
        "{} datagrams, {} led by an identifier of ours; {} REGISTERs, {} led by an alias",
        dispatched.datagrams, dispatched.by_identifier, story.registers, story.by_alias
    );
    if dispatched.by_identifier != dispatched.datagrams {
        faults.push("a datagram did not name its shard".to_owned());
    }
    if sum.deregistered != u64::from(options.users) {
        faults.push(format!(
            "{} of {} deregistered",
            sum.deregistered, options.users
        ));
    }
    Ok(faults)
}
