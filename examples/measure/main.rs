//! What the library's own work costs: run it, or count its instructions.
//!
//! ```sh
//! cargo run --release --example measure -- parse --input tests/fixtures/sip/ims_register.sip
//! ```

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

mod build;
mod close;
mod counting;
mod fleet;
#[path = "../../tests/common/pathological.rs"]
mod generated;
#[path = "../../tests/common/many_sessions.rs"]
mod many;
#[path = "../../tests/common/notified.rs"]
mod notified;
mod notify;
mod options;
mod parse;
mod pathological;
mod receive;
mod reginfo;
mod sink;
mod timing;
#[path = "../../tests/common/fleet/mod.rs"]
mod users;

use std::process::ExitCode;

use options::{HELP, Options};

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help" || argument == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let done = Options::read().and_then(|options| match options.work.as_str() {
        "parse" => parse::run(&options),
        "build" => build::run(&options),
        "notify" => notify::run(&options),
        "reginfo" => reginfo::run(&options),
        "fleet" => fleet::run(&options),
        "snapshot" => fleet::snapshot(&options),
        "receive" => receive::run(&options),
        "close" => {
            close::run(&options);
            Ok(())
        }
        "pathological" => pathological::run(&options),
        other => Err(format!("unknown subcommand {other}")),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("measure: {fault}\n\n{HELP}");
            ExitCode::FAILURE
        }
    }
}
