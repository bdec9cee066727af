//! The registration event package on two real sockets, in virtual time:
//! `cargo run --release --example reg_event`.
//!
//! A P-CSCF or SBC subscribes to the registration state of a user at the S-CSCF, and keeps the table of it while
//! registrations come and go. What a reader may want to copy is in `watcher.rs`. Around it:
//!
//! | file | what |
//! |---|---|
//! | `watcher.rs` | the P-CSCF: the node that subscribes, and what its host does for it |
//! | `table.rs`, `statistics.rs` | its table and its statistics as text |
//! | `scscf.rs`, `device.rs` | the S-CSCF with its registrar, and the devices that register there |
//! | `story.rs` | what happens, and when |
//! | `world.rs`, `columns.rs`, `options.rs` | both together, and the clock; the ladder's columns; the command line |
//!
//! The other files are those of the example `ims_network`: `host.rs` is the run loop around a node.

#[path = "../ims_network/aligned.rs"]
mod aligned;
#[path = "../ims_network/capture.rs"]
mod capture;
mod columns;
mod device;
#[path = "../ims_network/faults.rs"]
mod faults;
#[path = "../ims_network/host.rs"]
mod host;
#[path = "../ims_network/hss.rs"]
#[allow(dead_code)] // The registrar of this example asks the HSS only who there is.
mod hss;
#[path = "../ims_network/ladder_text.rs"]
mod ladder_text;
#[path = "../ims_network/network.rs"]
mod network;
mod options;
#[path = "../ims_network/provisioning.rs"]
#[allow(dead_code)] // Of those who take part there, two do here.
mod provisioning;
#[path = "../ims_network/registrar.rs"]
mod registrar;
#[path = "../ims_network/replies.rs"]
mod replies;
mod scscf;
mod statistics;
mod story;
#[path = "../ims_network/streams.rs"]
mod streams;
#[path = "../ims_network/summary.rs"]
mod summary;
mod table;
#[path = "../ims_network/tape.rs"]
#[allow(dead_code)] // Here it all is about one user.
mod tape;
#[path = "../ims_network/values.rs"]
mod values;
mod watcher;
mod world;

use std::{error::Error, process::ExitCode};

use options::{HELP, Options};
use world::World;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("reg_event: {fault}\nTry --help.");
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
                eprintln!("reg_event: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("reg_event: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the whole story. Returns what is not as it must be.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let mut world = World::new(options)?;
    let complaints = story::play(&mut world)?;
    if let Some(capture) = world.network.capture.take() {
        capture.finish()?;
    }
    if !options.quiet {
        print!("{}", world.drawing());
    }
    Ok(complaints)
}
