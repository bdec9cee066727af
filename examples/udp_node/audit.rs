//! The records for an audit, apart from what is reported: a file that is only ever added to, a JSON line for each. What
//! stands in a line, `--help` says.

#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::{
    fmt::Debug,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use ims_procedures::{cpm, drive::Audit, pcscf, scscf};
use serde_json::{Value, json};

use crate::{console::word, records::ends_of};

pub struct Audits {
    file: File,
    /// Whether the last line may stand there in part.
    is_torn: bool,
}

impl Audits {
    /// One that is not there yet, only its owner may read: it names users.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path)?;
        let is_torn = false;
        Ok(Self { file, is_torn })
    }

    /// Adds a line, which is with the system when it returns.
    pub fn add(&mut self, line: &Value) -> io::Result<()> {
        let before = if self.is_torn { "\n" } else { "" };
        let added = self.file.write_all(format!("{before}{line}\n").as_bytes());
        self.is_torn = added.is_err();
        added
    }
}

/// How something has ended, as fields of its record: in the words of the event that reported it.
pub trait Ended {
    fn tell(&self, line: &mut Value);
}

/// At a P-CSCF, and at an MSC server.
impl<O: Debug> Ended for pcscf::Conclusion<O> {
    fn tell(&self, line: &mut Value) {
        let registers = match self {
            Self::Ended { outcome, registers } => {
                line["outcome"] = word(outcome).into();
                registers
            }
            Self::GivenUp { reached, registers } => {
                line["outcome"] = "given_up".into();
                line["reached"] = json!(reached.as_ref().map(word));
                registers
            }
        };
        line["registers"] = (*registers).into();
    }
}

impl Ended for scscf::Conclusion {
    fn tell(&self, line: &mut Value) {
        match self {
            Self::Deregistered(outcome) => {
                line["outcome"] = "deregistered".into();
                line["dialogs"] = word(&outcome.dialogs).into();
                line["assignment"] = word(&outcome.assignment).into();
                line["servers_told"] = outcome.servers_told.into();
                line["servers_failed"] = outcome.servers_failed.into();
            }
            Self::Refused {
                status,
                reasons,
                assignment,
            } => {
                let reasons = reasons.iter().map(|reason| reason.what);
                line["outcome"] = "refused".into();
                line["status"] = (*status).into();
                line["reasons"] = reasons.collect();
                line["assignment"] = word(assignment).into();
            }
            other => line["outcome"] = word(other).into(),
        }
    }
}

impl Ended for cpm::Outcome {
    fn tell(&self, line: &mut Value) {
        line["ends"] = ends_of(&self.ends);
        line["recording"] = word(&self.recording).into();
    }
}

/// A record as such a line; whom it is about is told in the words of the role. Times are those of [`Clock`], so that they
/// mean the same after a restart.
///
/// [`Clock`]: crate::clock::Clock
pub fn line<A, C: Debug, O: Ended>(audit: &Audit<A, C, O>, mut whom: Value) -> Value {
    whom["id"] = audit.id.to_string().into();
    whom["initiator"] = word(&audit.initiator).into();
    whom["cause"] = word(&audit.cause).into();
    audit.outcome.tell(&mut whom);
    whom["began_ms"] = json!(audit.began.map(|began| began.0));
    whom["ended_ms"] = audit.ended.0.into();
    whom["resumed"] = audit.resumed.into();
    whom
}
