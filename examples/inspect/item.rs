//! One message or document, and what was found of it.

use ims_procedures::drive::Reject;
use std::io::{self, Write};

use super::node::{Node, Object};

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub what: &'static str,
    pub clause: &'static str,
}

impl From<Reject> for Fault {
    fn from(reject: Reject) -> Self {
        Self {
            at: reject.at as usize,
            what: reject.defect.what,
            clause: reject.defect.clause,
        }
    }
}

impl From<Fault> for Node {
    fn from(fault: Fault) -> Self {
        Object::new()
            .with("at", fault.at)
            .with("what", fault.what)
            .with("clause", fault.clause)
            .into()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sip,
    Reginfo,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sip => "sip",
            Self::Reginfo => "reginfo",
        }
    }
}

/// What is printed at once.
#[derive(Clone, Debug)]
pub struct Item {
    pub kind: Kind,
    /// Where it begins in its input.
    pub at: usize,
    /// Bytes of the datagram that follow it.
    pub left_over: usize,
    pub status_owed: Option<u16>,
    pub error: Option<Fault>,
    pub fields: Object,
}

impl Item {
    pub const fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    pub fn write_json(&self, file: &str, out: &mut dyn Write) -> io::Result<()> {
        let line = Object::new()
            .with("file", file.to_owned())
            .with("kind", self.kind.name())
            .with("at", self.at)
            .with("left_over", self.left_over)
            .with("ok", self.is_ok())
            .with("status_owed", or_null(self.status_owed))
            .with("error", or_null(self.error))
            .with("fields", self.fields.clone());
        serde_json::to_writer(&mut *out, &Node::from(line))?;
        out.write_all(b"\n")
    }
}

pub fn or_null(value: Option<impl Into<Node>>) -> Node {
    value.map_or(Node::Null, Into::into)
}
