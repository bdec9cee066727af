//! Reads SIP messages and registration information documents and prints what they say, as a tree or as JSON.
//! `inspect --help` tells the rest.

// By its path, so that the test of this program can take it in the same way.
#[path = "run.rs"]
mod inspect;

use std::{
    env,
    io::{stderr, stdin, stdout},
    process::ExitCode,
};

fn main() -> ExitCode {
    let status = inspect::run(
        env::args_os().skip(1),
        &mut stdin().lock(),
        &mut stdout().lock(),
        &mut stderr().lock(),
    );
    ExitCode::from(status)
}
