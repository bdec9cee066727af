//! The node as its host keeps it, and what it puts out.

use ims_procedures::{
    cpm::{Config, Cpm, CpmNode, Event, Question},
    drive::{Identifiers, Millis, Node, Output, Timer, Token, TransactionRef},
    persistence::{self, Persistent},
    wire::Element,
};

use super::outside::Write;

/// Milliseconds for the far side, and for the message store (CP-3).
pub const FAR_SIDE: u64 = 16_000;
pub const STORE: u64 = 8_000;

/// How often the re-INVITE for one deletion is sent at most.
pub const ATTEMPTS: u8 = 2;

/// How the node is kept, and comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In one blob, which is always up to date.
    Whole,
    /// Each session in a store: nothing is said before it is written.
    Stored,
}

/// The node, as it is kept.
pub enum Door {
    Whole(Box<CpmNode>),
    Stored(Box<Persistent<CpmNode>>),
}

impl Door {
    pub fn node(&self) -> &CpmNode {
        match self {
            Self::Whole(node) => node,
            Self::Stored(node) => node.node(),
        }
    }

    pub fn open(&mut self) -> &mut dyn Node<Role = Cpm> {
        match self {
            Self::Whole(node) => &mut **node,
            Self::Stored(node) => &mut **node,
        }
    }

    pub fn deadline(&self) -> Option<(Millis, Timer)> {
        match self {
            Self::Whole(node) => node.deadline(),
            Self::Stored(node) => node.deadline(),
        }
    }
}

pub fn identifiers(life: u64) -> Identifiers {
    Identifiers::new([7; 32], life, 1)
}

pub fn config() -> Config {
    let uri = b"sip:cpm-pf1.home1.example.net:5062";
    let mut config = Config::new(Element::new(uri, b"home1.example.net").expect("an element"));
    (config.far_side_bound, config.store_bound) = (FAR_SIDE, STORE);
    config.reinvite_attempts = ATTEMPTS;
    config
}

pub fn fresh(kept: Kept, life: u64) -> Door {
    let node = CpmNode::new(config(), identifiers(life)).expect("a node");
    match kept {
        Kept::Whole => Door::Whole(Box::new(node)),
        Kept::Stored => {
            let node = Persistent::new(node, persistence::Config::default());
            Door::Stored(Box::new(node.expect("a node")))
        }
    }
}

/// What the node puts out.
pub enum Put {
    Request(Token, String),
    Acknowledge(String),
    Respond(TransactionRef, String),
    Ask(Token, Question),
    Event(Event),
    Write(Write),
}

/// An output, owned.
pub fn own(output: Output<'_, Cpm>) -> Put {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    match output {
        Output::Request { token, bytes, .. } => Put::Request(token, text(bytes)),
        Output::Acknowledge { bytes, .. } => Put::Acknowledge(text(bytes)),
        Output::Respond { to, bytes, .. } => Put::Respond(to, text(bytes)),
        Output::Ask { token, question } => Put::Ask(token, *question),
        Output::Event(event) => Put::Event(*event),
        Output::Store {
            token,
            key,
            expected,
            version,
            bytes,
        } => Put::Write(Write {
            token,
            key: key.to_vec(),
            expected,
            blob: Some((version, bytes.to_vec())),
        }),
        Output::Erase {
            token,
            key,
            expected,
        } => Put::Write(Write {
            token,
            key: key.to_vec(),
            expected,
            blob: None,
        }),
        other => panic!("{other:?}"),
    }
}
