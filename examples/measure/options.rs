//! What the command line says.

use std::{env, fs, path::PathBuf};

pub(crate) const HELP: &str = "\
measure: what the library's own work costs, one line a measurement

usage: measure parse --input FILE [--validate] [--n N] [--repetitions R] [--dump]
       measure build [--n N] [--repetitions R] [--dump]
       measure notify [--others N] [--changes M] [--repetitions R]
       measure reginfo --input FILE [--owned | --bare] [--n N] [--repetitions R] [--dump]
       measure receive [--kind NODE] [--n N] [--repetitions R] [--dump]
       measure fleet --role pcscf|scscf|mscics [--users N] [--reserve] [--cycles C] [--n M] [--seed S]
                     [--count CALL] [--persist]
       measure snapshot --role pcscf|scscf|mscics [--users N] [--reserve]
       measure close [--users N] [--n N] [--repetitions R] [--dump]
       measure pathological [--kind KIND] [--bytes B] [--n N] [--repetitions R]

  parse   reads a SIP message and the twelve fields a registrar needs of it
  build   writes a REGISTER into a buffer that is used again
  notify  tells three subscribers of a change of one user, who registered again, while others are served too
  reginfo reads a registration information document and every field of it
  receive receives a NOTIFY with three registrations, and answers it: by a watcher, or with --kind pcscf by a P-CSCF
  fleet   users arrive at a node, wait, come again in no order, and go: what a call takes, and what a user
  snapshot
          writes the state of as many users, and reads it again
  close   receives the BYE of a client, of one of as many CPM sessions, and sends the one to the other CPM entity
  pathological
          reads a message filled with one thing over and over; without --kind, lists the kinds

  --n N             messages a repetition (default 20000)
  --repetitions R   repetitions, of which the median is told (default 9)
  --input FILE      the message or document
  --validate        reads all that every message must have as well: each Via, Max-Forwards
  --owned           keeps the document first
  --bare            quick-xml's events alone, none of them looked at
  --kind KIND       what the message is filled with
  --others N        other users, each with a subscriber (default 1000)
  --changes M       the same as --n
  --role ROLE       whose node it is: each user is subscribed to
  --users N         how many (default 10000)
  --reserve         has room for all of them from the beginning
  --cycles C        how often all of them arrive and go (default 1)
  --seed S          what chance begins with
  --count CALL      the calls, such as steady/notify, that run inside a function named `counted`
  --persist         each user is stored when it changes, before anything is put out; the store answers at once
  --bytes B         how long it is (default 65535)
  --dump            prints what was read or written, and measures nothing
";

/// A subcommand and its options.
pub(crate) struct Options {
    pub(crate) work: String,
    pub(crate) n: u64,
    pub(crate) repetitions: usize,
    pub(crate) dump: bool,
    pub(crate) validate: bool,
    pub(crate) owned: bool,
    pub(crate) bare: bool,
    pub(crate) kind: Option<String>,
    pub(crate) bytes: usize,
    pub(crate) others: u64,
    pub(crate) role: String,
    pub(crate) users: u32,
    pub(crate) reserve: bool,
    pub(crate) cycles: u32,
    pub(crate) seed: u64,
    pub(crate) count: Option<String>,
    pub(crate) persist: bool,
    input: Option<PathBuf>,
}

impl Options {
    pub(crate) fn read() -> Result<Self, String> {
        let mut arguments = env::args().skip(1);
        let mut options = Self {
            work: arguments.next().ok_or("no subcommand")?,
            n: 20_000,
            repetitions: 9,
            dump: false,
            validate: false,
            owned: false,
            bare: false,
            kind: None,
            bytes: 65_535,
            others: 1_000,
            role: String::new(),
            users: 10_000,
            reserve: false,
            cycles: 1,
            seed: 7,
            count: None,
            persist: false,
            input: None,
        };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--n" | "--changes" => options.n = number(&value()?)?.max(1),
                "--repetitions" | "--reps" => options.repetitions = number(&value()?)? as usize,
                "--input" => options.input = Some(value()?.into()),
                "--kind" => options.kind = Some(value()?),
                "--bytes" => options.bytes = number(&value()?)? as usize,
                "--others" => options.others = number(&value()?)?,
                "--role" => options.role = value()?,
                "--users" => options.users = number(&value()?)?.clamp(1, 0xff_ffff) as u32,
                "--cycles" => options.cycles = number(&value()?)? as u32,
                "--seed" => options.seed = number(&value()?)?,
                "--count" => options.count = Some(value()?),
                "--reserve" => options.reserve = true,
                "--persist" => options.persist = true,
                "--dump" => options.dump = true,
                "--validate" => options.validate = true,
                "--owned" => options.owned = true,
                "--bare" => options.bare = true,
                _ => return Err(format!("unknown option {option}")),
            }
        }
        Ok(options)
    }

    /// The bytes of the input file.
    pub(crate) fn input(&self) -> Result<Vec<u8>, String> {
        let path = self.input.as_ref().ok_or("--input FILE is missing")?;
        fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()))
    }

    /// The name of the input file, without its folder.
    pub(crate) fn input_name(&self) -> String {
        let name = self.input.as_ref().and_then(|path| path.file_name());
        name.map_or("-".into(), |name| name.to_string_lossy().into_owned())
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{text} is not a number from 0 on"))
}
