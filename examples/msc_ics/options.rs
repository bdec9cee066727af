//! What the command line says.

use std::path::PathBuf;

use crate::{
    home::Conduct,
    story::{CONDUCTS, RETURNS, Return, Story, TRIGGERS, Trigger},
    values::{number, probability},
};

pub const HELP: &str = "\
An MSC server enhanced for ICS, made of the library, on real UDP sockets: it has registered a subscriber at an S-CSCF
made of the library, watches the registration, and carries two calls. Then something says that the subscriber is not
active there any more: the calls are released, and the registration is ended (TS 24.292 6.3.6.2). The ladder shows it
all. Time is virtual, so that an hour takes none.

usage: cargo run --release --example msc_ics -- [OPTIONS]

  --trigger NAME   what says so: cancel-location, implicit-detach, purge, imsi-detach, administrative
                                                                               [default: cancel-location]
  --s-cscf NAME    what the S-CSCF does with the REGISTER: well, silent, 403, 503, challenge, 404  [default: well]
  --return NAME    when the subscriber returns: never; before the REGISTER has left, between it and its answer, after
                   the end                                                     [default: never]
  --all            every trigger, every conduct of the S-CSCF, every return, and a table of how each ended

  --down           the MSC server is shut down with all its subscribers, at a rate that the home network bears
  --subscribers N  how many these are: 1 to 1000000; each fourth in two calls  [default: 1000]
  --deadline S     seconds until it is over: 1 to 86400                        [default: 600]

  --loss P         probability, 0 to 0.5, that a datagram is lost on its way                [default: 0]
  --duplicate P    probability, 0 to 1, that it arrives twice                               [default: 0]
  --reorder P      probability, 0 to 1, that it is held back and overtaken                  [default: 0]
  --seed N         of the faults and of every identifier; the same seed gives the same run  [default: 1]

  --pcap FILE      write what went over the sockets as a capture, with the true ports and virtual time
  --quiet          print only what went wrong
  --help           print this

To open the capture, which uses ports chosen by the system, let Wireshark recognise SIP by its content:
  wireshark -o udp.try_heuristic_first:TRUE FILE

Exit status: 0 if everybody has one outcome, the right one, and nothing is left over; 1 if not, or if a file or socket
failed; 2 if the command line is not understood.
";

/// The command line, read.
#[derive(Debug)]
pub struct Options {
    pub story: Story,
    pub all: bool,
    pub down: bool,
    pub subscribers: u32,
    /// In milliseconds.
    pub deadline: u64,
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
            story: Story::default(),
            all: false,
            down: false,
            subscribers: 1_000,
            deadline: 600_000,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            seed: 1,
            pcap: None,
            quiet: false,
            help: false,
        };
        while let Some(name) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("{name} needs a value"))
            };
            match name.as_str() {
                "--trigger" => options.story.trigger = trigger(&value()?)?,
                "--s-cscf" => options.story.conduct = conduct(&value()?)?,
                "--return" => options.story.returns = returns(&value()?)?,
                "--all" => options.all = true,
                "--down" => options.down = true,
                "--subscribers" => options.subscribers = within(&name, &value()?, 1_000_000)?,
                "--deadline" => {
                    options.deadline = u64::from(within(&name, &value()?, 86_400)?) * 1_000;
                }
                "--loss" => options.loss = probability(&name, &value()?, 0.5)?,
                "--duplicate" => options.duplicate = probability(&name, &value()?, 1.0)?,
                "--reorder" => options.reorder = probability(&name, &value()?, 1.0)?,
                "--seed" => options.seed = number(&name, &value()?)?,
                "--pcap" => options.pcap = Some(value()?.into()),
                "--quiet" => options.quiet = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }

    /// Whether the path loses, doubles or delays messages.
    pub fn has_faults(&self) -> bool {
        self.loss + self.duplicate + self.reorder > 0.0
    }
}

fn trigger(name: &str) -> Result<Trigger, String> {
    let known = TRIGGERS.into_iter().find(|known| known.name == name);
    known.ok_or_else(|| format!("--trigger: there is no {name}"))
}

fn conduct(name: &str) -> Result<(&'static str, Conduct), String> {
    let known = CONDUCTS.into_iter().find(|known| known.0 == name);
    known.ok_or_else(|| format!("--s-cscf: there is no {name}"))
}

fn returns(name: &str) -> Result<(&'static str, Return), String> {
    let known = RETURNS.into_iter().find(|known| known.0 == name);
    known.ok_or_else(|| format!("--return: there is no {name}"))
}

fn within(name: &str, text: &str, most: u32) -> Result<u32, String> {
    match number(name, text)? {
        value if (1..=most).contains(&value) => Ok(value),
        _ => Err(format!("{name} is not between 1 and {most}")),
    }
}
