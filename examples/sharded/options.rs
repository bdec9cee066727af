//! What the command line says.

use std::{num::NonZeroU16, str::FromStr};

pub const HELP: &str = "\
A P-CSCF of several nodes, a thread each, behind one UDP socket: users register, some again under another of their
identities, and all are lost. Each message finds the node that it belongs to by what stands in it.

usage: cargo run --release --example sharded -- [OPTIONS]

  --users N    how many users: 1 to 1000000         [default: 10000]
  --shards N   how many nodes: 1 to 256             [default: 4]
  --help       print this

Exit status: 0 if every user was deregistered, told so by a NOTIFY, and no message went to another node than the
one that it belongs to; 1 if not, or if a socket failed; 2 if the command line is not understood.
";

/// The command line, read.
pub struct Options {
    pub users: u32,
    pub shards: NonZeroU16,
    pub help: bool,
}

impl Options {
    /// Reads the arguments, the program's name left out. The error is for the person who typed them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            users: 10_000,
            shards: NonZeroU16::MIN.saturating_add(3),
            help: false,
        };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--users" => options.users = within(&option, &value()?, 1, 1_000_000)?,
                "--shards" => {
                    let most = NonZeroU16::MIN.saturating_add(255);
                    options.shards = within(&option, &value()?, NonZeroU16::MIN, most)?;
                }
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {option}")),
            }
        }
        Ok(options)
    }
}

fn within<N: FromStr + PartialOrd>(
    option: &str,
    text: &str,
    least: N,
    most: N,
) -> Result<N, String> {
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    number.ok_or(format!("{option}: {text} is not a number it can take"))
}
