//! A P-CSCF with many users is shut down, on a clock of its own:
//! `cargo run --release --example pcscf_drain -- --users 100000`.
//!
//! The home network loses messages, and for some seconds has too much to do. The host stores what its node has it
//! store; with `--crash-at` it loses the node in the middle, makes another from the store, and orders the shutdown again.
//! What a reader may want to copy is in `host.rs` and `store.rs`:
//!
//! | file | what |
//! |---|---|
//! | `host.rs` | a node that is stored, its run loop, its shutdown, and going on after a crash |
//! | `store.rs` | a store that compares and exchanges |
//! | `home.rs` | the home network: what it answers, and when |
//! | `books.rs` | how each user ended, and how dense the REGISTERs were |
//! | `users.rs`, `options.rs` | what a user's messages are; the command line |

mod books;
mod home;
mod host;
mod options;
mod store;
mod users;

use std::{error::Error, process::ExitCode};

use host::Host;
use options::{HELP, Options};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) if !options.help => options,
        Ok(_) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("pcscf_drain: {fault}\n\n{HELP}");
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
            eprintln!("pcscf_drain: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it all. What was not as it should be, a line each.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let mut host = Host::new(options)?;
    for user in 0..options.users {
        host.register(user)?;
    }
    host.plan()?;
    host.shut_down()?;
    let crash_at = options
        .crash_at
        .map(|share| f64::from(options.users) * share);
    while !host.is_over() {
        let ended = f64::from(host.books.users());
        if crash_at.is_some_and(|crash_at| ended >= crash_at) && host.crashes() == 0 {
            host.crash()?;
        }
        host.step()?;
    }
    host.books.print();
    Ok(host.books.faults(options))
}
