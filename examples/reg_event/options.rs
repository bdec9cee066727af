//! What the command line says.

use std::path::PathBuf;

use ims_procedures::regevent::subscriber::Profile;

use crate::values::{number, probability};

pub const HELP: &str = "\
A subscription to registration state on two real UDP sockets: a P-CSCF or SBC made of the library watches at an
S-CSCF made of the library how a user's devices register, register again and leave, and keeps the table of it.
Time is virtual, so that two hours take no hours.

usage: cargo run --release --example reg_event -- [OPTIONS]

  --profile NAME   sbc: literal to the rules of an SBC; rfc6665: to RFC 6665 and TS 24.229   [default: sbc]
  --partial        the S-CSCF says only what changed (RFC 3680 4.3), not everything each time

  --loss P         probability, 0 to 0.5, that a datagram is lost on its way                [default: 0]
  --duplicate P    probability, 0 to 1, that it arrives twice                               [default: 0]
  --reorder P      probability, 0 to 1, that it is held back and overtaken                  [default: 0]
  --seed N         of the faults and of every identifier; the same seed gives the same run  [default: 1]

  --pcap FILE      write what went over the sockets as a capture, with the true ports and virtual time
  --quiet          print only what went wrong
  --help           print this

To open the capture, which uses ports chosen by the system, let Wireshark recognise SIP by its content:
  wireshark -o udp.try_heuristic_first:TRUE FILE

Exit status: 0 if the table agreed with the bindings of the S-CSCF as long as there was a subscription, and nothing
is left over at the end; 1 if not, or if a file or socket failed; 2 if the command line is not understood.
";

/// The command line, read.
#[derive(Debug)]
pub struct Options {
    pub profile: Profile,
    pub partial: bool,
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
    pub seed: u64,
    pub pcap: Option<PathBuf>,
    pub quiet: bool,
    pub help: bool,
}

impl Options {
    /// Reads the arguments, the program's name left out. The error is for the person who typed them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            profile: Profile::Sbc,
            partial: false,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            seed: 1,
            pcap: None,
            quiet: false,
            help: false,
        };
        while let Some(argument) = arguments.next() {
            let (name, mut attached) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || {
                let value = attached.take().or_else(|| arguments.next());
                value.ok_or_else(|| format!("{name} needs a value"))
            };
            match name.as_str() {
                "--profile" => options.profile = profile(&value()?)?,
                "--loss" => options.loss = probability(&name, &value()?, 0.5)?,
                "--duplicate" => options.duplicate = probability(&name, &value()?, 1.0)?,
                "--reorder" => options.reorder = probability(&name, &value()?, 1.0)?,
                "--seed" => options.seed = number(&name, &value()?)?,
                "--pcap" => options.pcap = Some(value()?.into()),
                "--partial" => options.partial = true,
                "--quiet" => options.quiet = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {name}")),
            }
            if attached.is_some() {
                return Err(format!("{name} takes no value"));
            }
        }
        Ok(options)
    }
}

fn profile(name: &str) -> Result<Profile, String> {
    match name {
        "sbc" => Ok(Profile::Sbc),
        "rfc6665" => Ok(Profile::Rfc6665),
        _ => Err(format!("--profile: {name} is neither sbc nor rfc6665")),
    }
}
