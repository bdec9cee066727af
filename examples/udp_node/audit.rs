//! The records for an audit, apart from what is reported: a file that is only ever added to, a JSON line for each.

use std::{
    fmt::Debug,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use ims_procedures::drive::Audit;
use serde_json::{Value, json};

use crate::console::word;

pub struct Audits(File);

impl Audits {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(file))
    }

    /// Adds a line, which is with the system when it returns.
    pub fn add(&mut self, line: &Value) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())
    }
}

/// A record as such a line; whom it is about is told in the words of the role. Times are those of [`Clock`], so that they
/// mean the same after a restart.
///
/// [`Clock`]: crate::clock::Clock
pub fn line<A, C: Debug, O: Debug>(audit: &Audit<A, C, O>, mut whom: Value) -> Value {
    whom["id"] = audit.id.to_string().into();
    whom["initiator"] = word(&audit.initiator).into();
    whom["cause"] = word(&audit.cause).into();
    whom["outcome"] = word(&audit.outcome).into();
    whom["began_ms"] = json!(audit.began.map(|began| began.0));
    whom["ended_ms"] = audit.ended.0.into();
    whom["resumed"] = audit.resumed.into();
    whom
}
