//! What the command line says.

use std::path::PathBuf;

use crate::{cases::Case, values::number};

pub const HELP: &str = "\
CPM sessions that are closed, on real UDP sockets: a Participating Function made of the library, with a CPM client,
another CPM entity, two interworking functions and a message store around it. Each branch of OMA CPM 8.2.2.3 and 8.3.2.3
is a case with a name, drawn as a ladder. Time is virtual, so that half a minute of silence takes no half minute.

usage: cargo run --release --example cpm_close -- [OPTIONS]

  --case NAME      play this case; may stand several times          [default: originating.client]
  --all            play all of them
  --list           print their names, and how each begins and must end

  --seed N         of every identifier; the same seed gives the same run                          [default: 1]

  --pcap FILE      write what went over the sockets as a capture, with the true ports and virtual time
  --quiet          print only what went wrong
  --help           print this

Names say for whom (originating, terminating), or that the session is proxied (proxy); whose BYE begins it (client, other,
iwf); whether it is interworked and what goes (interworked, streams, session, single); and what goes wrong on the way.

To open the capture, which uses ports chosen by the system, let Wireshark recognise SIP by its content:
  wireshark -o udp.try_heuristic_first:TRUE FILE
Message-UID it does not know: that is a note, and no fault. What goes to the message store and back is plain text.

Exit status: 0 if every case has ended as it must; 1 if not, or if a file or socket failed; 2 if the command line is not
understood.
";

/// The command line, read.
#[derive(Debug)]
pub struct Options {
    cases: Vec<String>,
    all: bool,
    pub list: bool,
    pub seed: u64,
    pub pcap: Option<PathBuf>,
    pub quiet: bool,
    pub help: bool,
    /// The path of this example has no faults: what a peer does is what goes wrong.
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
}

impl Options {
    /// Reads the arguments, the program's name left out. The error is for the person who typed them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            cases: Vec::new(),
            all: false,
            list: false,
            seed: 1,
            pcap: None,
            quiet: false,
            help: false,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
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
                "--case" => options.cases.push(case(value()?)?),
                "--seed" => options.seed = number(&name, &value()?)?,
                "--pcap" => options.pcap = Some(value()?.into()),
                "--all" => options.all = true,
                "--list" => options.list = true,
                "--quiet" => options.quiet = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {name}")),
            }
            if attached.is_some() {
                return Err(format!("{name} takes no value"));
            }
        }
        if options.cases.is_empty() {
            options.cases.push("originating.client".to_owned());
        }
        Ok(options)
    }

    /// The cases that are wanted, in their order.
    pub fn chosen<'c>(&self, cases: &'c [Case]) -> impl Iterator<Item = &'c Case> {
        let is_chosen = |case: &&Case| self.all || self.cases.contains(&case.name);
        cases.iter().filter(is_chosen)
    }
}

/// A name that there is.
fn case(name: String) -> Result<String, String> {
    let cases = Case::all()?;
    match cases.iter().any(|case| case.name == name) {
        true => Ok(name),
        false => Err(format!("--case: there is no {name}; --list has them")),
    }
}
