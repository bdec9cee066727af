//! What the command line says.

use std::str::FromStr;

pub const HELP: &str = "\
A P-CSCF is shut down: every user is deregistered, at a rate that the home network bears, and nobody is forgotten.

usage: cargo run --release --example pcscf_drain -- [OPTIONS]

  --users N       how many users: 1 to 1000000               [default: 100000]
  --deadline S    seconds until it is over: 1 to 86400       [default: 60]
  --rate N        REGISTERs a second: 1 to 1000000           [default: 4000]
  --in-flight N   REGISTERs out at once: 1 to 1048576        [default: 20000]
  --loss P        share of messages that are lost: 0 to 0.9  [default: 0.05]
  --storm S       seconds, from a quarter of the deadline on,
                  in which all are answered 503: 0 to 3600   [default: 5]
  --crash-at P    share of the users that has ended when the
                  node is lost: 0 to 1                       [default: never]
  --seed N        another number, other losses               [default: 1]
  --quiet         no line of progress
  --help          print this

Exit status: 0 if every user ended, once, and the rate and the number out at once were kept; 1 if not; 2 if the command
line is not understood.
";

/// The command line, read.
pub struct Options {
    pub users: u32,
    /// In milliseconds.
    pub deadline: u64,
    pub rate: u32,
    pub in_flight: u32,
    pub loss: f64,
    /// In milliseconds.
    pub storm: u64,
    pub crash_at: Option<f64>,
    pub seed: u64,
    pub quiet: bool,
    pub help: bool,
}

impl Options {
    /// Reads the arguments, the program's name left out. The error is for the person who typed them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            users: 100_000,
            deadline: 60_000,
            rate: 4_000,
            in_flight: 20_000,
            loss: 0.05,
            storm: 5_000,
            crash_at: None,
            seed: 1,
            quiet: false,
            help: false,
        };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--users" => options.users = within(&option, &value()?, 1, 1_000_000)?,
                "--deadline" => {
                    options.deadline = within(&option, &value()?, 1, 86_400)? * 1_000;
                }
                "--rate" => options.rate = within(&option, &value()?, 1, 1_000_000)?,
                "--in-flight" => options.in_flight = within(&option, &value()?, 1, 1 << 20)?,
                "--loss" => options.loss = within(&option, &value()?, 0.0, 0.9)?,
                "--storm" => options.storm = within(&option, &value()?, 0, 3_600)? * 1_000,
                "--crash-at" => {
                    options.crash_at = Some(within(&option, &value()?, 0.0, 1.0)?);
                }
                "--seed" => options.seed = within(&option, &value()?, 0, u64::MAX)?,
                "--quiet" => options.quiet = true,
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
