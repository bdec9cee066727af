//! What the command line says.

use std::path::PathBuf;

use crate::{
    causes::{CAUSES, Cause},
    values::{number, probability},
};

pub const HELP: &str = "\
What ends a registration in the home network, cause by cause, on a small IMS network on real UDP sockets and in
virtual time: a user registers, the P-CSCF subscribes, and then operator or HSS ends it. The ladder shows what the HSS
is told, what the P-CSCF, and what the application server; the table at the end, who has the user after that.

usage: cargo run --release --example network_deregistration -- [OPTIONS]

  --cause NAME     only this one: maintenance, refused, wait, authentication-failed, authentication-timeout,
                   too-much-data, permanent-termination, new-server-assigned, server-change, remove-scscf,
                   reauthentication                                                     [default: all of them]
  --loss P         probability, 0 to 0.5, that a datagram is lost on its way                [default: 0]
  --seed N         of the faults and of every identifier; the same seed gives the same run  [default: 1]
  --quiet          print only what went wrong
  --help           print this

Exit status: 0 if the user is gone where the cause says so, and nowhere else; 1 if not; 2 if the command line is not
understood.
";

/// The command line, read.
#[derive(Debug)]
pub struct Options {
    pub causes: Vec<(&'static str, &'static str, Cause)>,
    pub users: usize,
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
            causes: CAUSES.to_vec(),
            users: 1,
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
                "--cause" => options.causes = vec![cause(&value()?)?],
                "--loss" => options.loss = probability(&name, &value()?, 0.5)?,
                "--seed" => options.seed = number(&name, &value()?)?,
                "--quiet" => options.quiet = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }
}

fn cause(name: &str) -> Result<(&'static str, &'static str, Cause), String> {
    let known = CAUSES.into_iter().find(|(known, ..)| *known == name);
    known.ok_or_else(|| format!("--cause: there is no {name}"))
}
