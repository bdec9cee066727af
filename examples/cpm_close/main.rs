//! CPM sessions that are closed, on real sockets in virtual time: `cargo run --release --example cpm_close`.
//!
//! The Participating Function is made of the library. Around it are the CPM client that it serves, the other CPM entity,
//! two interworking functions and a message store, each on a socket of its own. Every branch of OMA CPM 8.2.2.3 and
//! 8.3.2.3 is a case with a name, and a line of `cases.txt` says how it must end. What a reader may want to copy is in
//! `function.rs`; what a session is shown with, in `session.rs`. Around them:
//!
//! | file | what |
//! |---|---|
//! | `function.rs` | the Participating Function: the node, and what its host does for it |
//! | `session.rs` | the dialogs of a session, and how the node is shown it |
//! | `peer.rs`, `store.rs` | who sends and answers BYEs, and the message store |
//! | `cases.txt`, `cases.rs` | the cases, and what must come of each |
//! | `outcome.rs` | what came of it, and the table at the end |
//! | `world.rs`, `provisioning.rs` | everybody together, and the clock; who takes part |
//! | `summary.rs`, `columns.rs`, `options.rs` | a message in a few words; the ladder's columns; the command line |
//!
//! The other files are those of the example `ims_network`: `host.rs` is the run loop around a node.

#[path = "../ims_network/aligned.rs"]
mod aligned;
#[path = "../ims_network/capture.rs"]
mod capture;
mod cases;
mod columns;
#[path = "../ims_network/faults.rs"]
mod faults;
mod function;
#[path = "../ims_network/host.rs"]
mod host;
#[path = "../ims_network/ladder_text.rs"]
mod ladder_text;
#[path = "../ims_network/network.rs"]
mod network;
mod options;
mod outcome;
mod peer;
mod provisioning;
#[path = "../ims_network/replies.rs"]
mod replies;
#[path = "../ims_network/resend.rs"]
#[allow(dead_code)] // Everybody here is reached through the core.
mod resend;
mod session;
mod store;
#[path = "../ims_network/streams.rs"]
mod streams;
mod summary;
#[path = "../ims_network/tape.rs"]
#[allow(dead_code)] // Here it all is about one user.
mod tape;
#[path = "../ims_network/values.rs"]
#[allow(dead_code)] // The path here loses nothing.
mod values;
mod world;

use std::{error::Error, process::ExitCode};

use cases::Case;
use options::{HELP, Options};
use world::World;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("cpm_close: {fault}\nTry --help.");
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
                eprintln!("cpm_close: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("cpm_close: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the cases that are wanted. Returns what is not as it must be.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let cases = Case::all()?;
    if options.list {
        print!("{}", cases::list(&cases));
        return Ok(Vec::new());
    }
    let mut world = World::new(options)?;
    let (mut outcomes, mut complaints) = (Vec::new(), Vec::new());
    for case in options.chosen(&cases) {
        let (outcome, drawing) = world.play(case)?;
        complaints.extend(outcome.complaints(case));
        if !options.quiet {
            println!("{drawing}");
        }
        outcomes.push((case, outcome));
    }
    if let Some(capture) = world.network.capture.take() {
        capture.finish()?;
    }
    if !options.quiet {
        print!("{}", outcome::table(&outcomes));
    }
    Ok(complaints)
}
