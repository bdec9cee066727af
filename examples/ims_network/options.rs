//! What the command line says.

use std::path::PathBuf;

use crate::values::{number, probability};

/// The most users: each has a socket of its own.
const MOST_USERS: usize = 500;
/// With more users than this, only what concerns a lost user is shown.
const MOST_SHOWN: usize = 5;

pub const HELP: &str = "\
A small IMS network on real UDP sockets: a P-CSCF and an S-CSCF made of the library, with UEs, an application
server and an HSS around them. Users register, the P-CSCF subscribes to their registration state, the access
network reports some of them lost, and the P-CSCF deregisters them. Time is virtual, so that half a minute of
retransmissions takes no half minute.

usage: cargo run --release --example ims_network -- [OPTIONS]

  --users N        users to register, 1 to 500; users 1 and 2 share one set of identities   [default: 3]
  --lost LIST      users that the access network reports lost, such as 1,3           [default: the last]
                   When nobody is left of a set of identities, as with 3, the application server is told too

  --loss P         probability, 0 to 0.5, that a datagram is lost on its way                [default: 0]
                   (above 0.4 a request now and then stays unanswered for the whole 32 seconds of Timer F)
  --duplicate P    probability, 0 to 1, that it arrives twice                               [default: 0]
  --reorder P      probability, 0 to 1, that it is held back and overtaken                  [default: 0]
  --seed N         of the faults and of every identifier; the same seed gives the same run  [default: 1]
                   Requests over 1,300 bytes go over TCP (RFC 3261 18.1.1), which knows no such faults

  --ladder FILE    write the ladder diagram as a web page; each arrow opens to its message
  --pcap FILE      write what went over the sockets as a capture, with the true ports and virtual time
  --verbose        show everything also with more than five users, and not only what concerns the lost ones
  --quiet          print only what went wrong
  --help           print this

To open the capture, which uses ports chosen by the system, let Wireshark recognise SIP by its content:
  wireshark -o udp.try_heuristic_first:TRUE -o tcp.try_heuristic_first:TRUE FILE
  tshark    -o udp.try_heuristic_first:TRUE -o tcp.try_heuristic_first:TRUE -r FILE -Y sip

Exit status: 0 if every lost user is gone from P-CSCF and S-CSCF and every other user is still registered at
both; 1 if not, or if a file or socket failed; 2 if the command line is not understood.
";

/// The command line, read.
#[derive(Debug)]
pub struct Options {
    pub users: usize,
    /// Numbers of the users to lose, from 1.
    pub lost: Vec<usize>,
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
    pub seed: u64,
    pub ladder: Option<PathBuf>,
    pub pcap: Option<PathBuf>,
    pub verbose: bool,
    pub quiet: bool,
    pub help: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: 3,
            lost: Vec::new(),
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            seed: 1,
            ladder: None,
            pcap: None,
            verbose: false,
            quiet: false,
            help: false,
        }
    }
}

impl Options {
    /// Reads the arguments, the program's name left out. The error is for the person who typed them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
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
                "--users" => options.users = number(&name, &value()?)?,
                "--lost" => options.lost = list(&name, &value()?)?,
                "--loss" => options.loss = probability(&name, &value()?, 0.5)?,
                "--duplicate" => options.duplicate = probability(&name, &value()?, 1.0)?,
                "--reorder" => options.reorder = probability(&name, &value()?, 1.0)?,
                "--seed" => options.seed = number(&name, &value()?)?,
                "--ladder" => options.ladder = Some(value()?.into()),
                "--pcap" => options.pcap = Some(value()?.into()),
                "--verbose" => options.verbose = true,
                "--quiet" => options.quiet = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {name}")),
            }
            if attached.is_some() {
                return Err(format!("{name} takes no value"));
            }
        }
        if options.lost.is_empty() {
            options.lost.push(options.users);
        }
        options.check()?;
        Ok(options)
    }

    /// Whether everything is shown, and not only what concerns the lost users.
    pub const fn shows_everything(&self) -> bool {
        self.verbose || self.users <= MOST_SHOWN
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=MOST_USERS).contains(&self.users) {
            return Err(format!("--users is not between 1 and {MOST_USERS}"));
        }
        let unknown = self
            .lost
            .iter()
            .find(|&&user| user < 1 || user > self.users);
        match unknown {
            Some(user) => Err(format!("--lost: there is no user {user}")),
            None => Ok(()),
        }
    }
}

fn list(name: &str, text: &str) -> Result<Vec<usize>, String> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let one = number(name, part)?;
        if numbers.contains(&one) {
            return Err(format!("{name}: {one} stands twice"));
        }
        numbers.push(one);
    }
    Ok(numbers)
}
