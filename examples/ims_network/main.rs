//! A small IMS network on real sockets, in virtual time: `cargo run --release --example ims_network`.
//!
//! What a reader may want to copy is in `host.rs`: how a program embeds a node of the library. Around it:
//!
//! | file | what |
//! |---|---|
//! | `host.rs` | the run loop around a node: outputs done, questions answered |
//! | `pcscf.rs`, `proxy.rs` | the P-CSCF: the node, and the proxy for REGISTERs beside it |
//! | `scscf.rs`, `registrar.rs`, `third_party.rs` | the S-CSCF: the node, and the registrar beside it |
//! | `ue.rs`, `application_server.rs`, `hss.rs` | the others |
//! | `resend.rs`, `replies.rs` | retransmission, for those that are not made of the library |
//! | `provisioning.rs` | names, users and identities |
//! | `network.rs`, `streams.rs`, `faults.rs` | sockets, and what happens to messages on their way |
//! | `world.rs` | everybody together, and the clock |
//! | `tape.rs`, `summary.rs` | what happened |
//! | `ladder_text.rs`, `columns.rs`, `rows.rs`, `ladder_html.rs`, `capture.rs` | the ways to show it |
//! | `report.rs`, `aligned.rs` | what came of it, and the table at the end |
//! | `options.rs`, `values.rs` | the command line |
//!
//! Other examples are made of some of these files too.

mod aligned;
mod application_server;
mod capture;
mod columns;
mod faults;
mod host;
mod hss;
mod ladder_html;
mod ladder_text;
mod network;
mod options;
mod pcscf;
mod provisioning;
mod proxy;
mod registrar;
mod replies;
mod report;
mod resend;
mod rows;
mod scscf;
mod streams;
mod summary;
mod tape;
mod third_party;
mod ue;
mod values;
mod world;

use std::{error::Error, fs, process::ExitCode};

use options::{HELP, Options};
use tape::Entry;
use world::World;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("ims_network: {fault}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    if options.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("ims_network: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("ims_network: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the whole story. Returns what is not as it must be.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let mut world = World::new(options)?;
    world.register_all()?;
    for &user in &options.lost {
        world.lose(user)?;
    }
    let complaints = report::complaints(&world, options);
    if let Some(capture) = world.network.capture.take() {
        capture.finish()?;
    }
    let entries = ladder(&world, options);
    if let Some(path) = &options.ladder {
        let outcome = report::html(&world, options, &complaints);
        let page = rows::html(&entries, &parameters(&world, options), &outcome);
        fs::write(path, page).map_err(|fault| world::at(path, &fault))?;
    }
    if !options.quiet {
        println!("{}", parameters(&world, options));
        print!("{}", ladder_text::draw(&entries));
        println!("\n{}", report::table(&world, options));
    }
    Ok(complaints)
}

/// What the ladder is to show.
fn ladder(world: &World, options: &Options) -> Vec<Entry> {
    match options.lost.first() {
        Some(&user) if !options.shows_everything() => world.network.tape.about(user),
        _ => world.network.tape.entries().to_vec(),
    }
}

fn parameters(world: &World, options: &Options) -> String {
    let Options {
        users,
        loss,
        duplicate,
        reorder,
        seed,
        ..
    } = options;
    let counters = world.network.counters;
    let journal = &world.pcscf.journal;
    format!(
        "{users} users, {} subscriptions. Loss {loss}, duplicates {duplicate}, reordering {reorder}, seed {seed}: \
         of {} messages sent {} were lost, {} came twice, {} late; {} went over TCP.",
        journal.subscribed,
        counters.sent,
        counters.lost,
        counters.copies,
        counters.late,
        counters.over_tcp,
    )
}
