//! What the program does, apart from the process it runs in.

mod document;
mod item;
mod node;
mod options;
mod refused;
mod sip;
mod tree;
mod values;

use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Write},
};

use ims_procedures::drive::Limits;

use item::Item;
use options::{Framing, HELP, Input, Options};

/// Everything was readable.
pub const ALL_READABLE: u8 = 0;
/// Something was not as it must be.
pub const NOT_READABLE: u8 = 1;
/// A file could not be read, or the arguments not understood.
pub const TROUBLE: u8 = 2;

/// Runs with these arguments (without the name of the program); gives the exit status.
pub fn run(
    args: impl Iterator<Item = OsString>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let options = match Options::read(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            let written = stdout.write_all(HELP.as_bytes());
            return if written.is_ok() {
                ALL_READABLE
            } else {
                TROUBLE
            };
        }
        Err(fault) => {
            let _ = writeln!(stderr, "inspect: {fault}\nTry `inspect --help`.");
            return TROUBLE;
        }
    };
    let mut status = ALL_READABLE;
    for input in &options.inputs {
        let found = match inspect(input, &options, stdin, stdout) {
            Ok(true) => ALL_READABLE,
            Ok(false) => NOT_READABLE,
            Err(Trouble::Reading(fault)) => {
                let _ = writeln!(stderr, "inspect: {}: {fault}", input.name());
                TROUBLE
            }
            // Whoever read the output has gone.
            Err(Trouble::Writing) => return TROUBLE,
        };
        status = status.max(found);
    }
    status
}

enum Trouble {
    Reading(io::Error),
    Writing,
}

/// Prints all that one input holds; whether all of it was readable.
fn inspect(
    input: &Input,
    options: &Options,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
) -> Result<bool, Trouble> {
    let bytes = match input {
        Input::File(path) => fs::read(path),
        Input::Stdin => {
            let mut bytes = Vec::new();
            stdin.read_to_end(&mut bytes).map(|_| bytes)
        }
    }
    .map_err(Trouble::Reading)?;
    let framing = options.framing.unwrap_or(match input {
        Input::File(_) => Framing::Datagram,
        Input::Stdin => Framing::Stream,
    });
    let mut all_readable = true;
    for item in items(&bytes, framing) {
        all_readable &= item.is_ok();
        let printed = if options.json {
            item.write_json(&input.name(), stdout)
        } else {
            tree::write(&item, &input.name(), options.offsets, stdout)
        };
        printed.map_err(|_| Trouble::Writing)?;
    }
    Ok(all_readable)
}

/// What stands in the bytes of one input.
fn items(bytes: &[u8], framing: Framing) -> Vec<Item> {
    let limits = Limits::default();
    if document::looks_like_one(bytes) {
        return vec![document::item(bytes, &limits)];
    }
    match framing {
        Framing::Datagram => vec![sip::datagram(bytes, &limits)],
        Framing::Stream => sip::stream(bytes, &limits),
    }
}
