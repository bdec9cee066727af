//! Embeddable, I/O-free state machines for IMS: deregistration that a P-CSCF or the network starts
//! (TS 24.229), or an MSC server on behalf of its subscribers (TS 24.292), the registration event package on both sides
//! (RFC 3680, RFC 6665), the documents it carries, the closing of CPM sessions (OMA CPM), and the SIP messages under them.
//!
//! The library has no socket, no clock, no thread, no storage and no source of chance. The *host*, the program
//! that links it, owns all of these: it tells a [`Node`](drive::Node) what happened and when, and does what
//! the node has put into the [`Outbox`](drive::Outbox). The same calls give the same bytes.
//!
//! ```text
//!    bytes · results · commands · clock ticks                     bytes · questions · events
//!         │                                                              ▲
//!    ┌────┴──────────────────────────────────────────────────────────────┴────┐
//!    │ capi   the same doors for C   persistence   machine by machine         │
//!    │                               txn   for hosts with only a socket       │
//!    ├────────────────────────────────────────────────────────────────────────┤
//!    │ roles    pcscf · scscf · mscics · cpm                                  │
//!    │          each a node: many machines behind one set of doors            │
//!    │          a machine: one registration, one session: every transition of │
//!    │          a procedure in one match, no bytes parsed                     │
//!    ├────────────────────────────────────────────────────────────────────────┤
//!    │ deregister  the REGISTER that ends a registration, attempts and turns  │
//!    ├────────────────────────────────────────────────────────────────────────┤
//!    │ regevent  subscriber, notifier, watcher, relay   fleet  index, pacer   │
//!    ├────────────────────────────────────────────────────────────────────────┤
//!    │ dialog   of a user agent: read, kept as slices, written into requests  │
//!    ├────────────────────────────────────────────────────────────────────────┤
//!    │ reginfo  documents       wire  messages          drive  time, tokens,  │
//!    │                                                  outbox, faults        │
//!    └────────────────────────────────────────────────────────────────────────┘
//!    arrows of dependency point down only
//! ```
//!
//! # Where a clause is
//!
//! Requirement ids such as PD-5 stand on the functions that fulfil them and on the tests that prove them;
//! each module's page has the table of its own.
//!
//! | module | what | clauses | ids |
//! |---|---|---|---|
//! | [`drive`] | how every node is driven: time, tokens, outbox, limits, faults, snapshots | | DR |
//! | [`wire`] | SIP messages, read without copying and written; what is owed for one; streams; byte-true passing on | RFC 3261, 3325, 3327, 3329, 3966, 4475, 5118, 5626, 7315 | DR-8, IB |
//! | [`reginfo`] | registration information documents | RFC 3680, RFC 5628, TS 24.229 7.10 | RI |
//! | [`dialog`] | the dialog of a user agent: route set, remote target, tags, sequence numbers; requests within it | RFC 3261 12, 15.1.1, 16.12 | |
//! | [`regevent`] | a subscription, from the subscriber's and from the notifier's end; the watcher's table; many subscribers; the relay of a border | RFC 6665, RFC 3680, TS 24.229 5.2.3, 5.4.2.1 | RE, RN, RI, IB |
//! | [`fleet`] | the pacer: when each of many machines may send | RFC 3261 21.5.4 | PD, DR |
//! | [`pcscf`] | the P-CSCF: deregistration it starts itself; cleanup when the network says so | TS 24.229 5.2 | PD, RE |
//! | [`scscf`] | the S-CSCF: deregistration as the home network sees it; who may subscribe | TS 24.229 5.4.1, 5.4.2.1; TS 29.228 6.1.3; TS 23.380 | SD, RN |
//! | [`mscics`] | the MSC server enhanced for ICS: deregistration on behalf of a subscriber; identities from IMSI and IMEI | TS 24.292 6.3.6.2; TS 23.003 20.3; RFC 7254, RFC 7255 | MS |
//! | [`cpm`] | the CPM Participating Function: a BYE closes a session, or takes one IWF out of it | OMA CPM 8.2.2.3, 8.3.2.3; RFC 3261 14.1, 15; RFC 3264 8.2 | CP, CO, CT |
//! | `capi` (feature) | the same doors for C | | CA |
//! | [`persistence`] | a node whose machines are stored one by one, before what depends on them leaves | | DR-7 |
//! | `txn` (feature, default) | transactions for hosts that have only a socket | RFC 3261 17, RFC 6026, RFC 4320, RFC 3263 4.3 | DR |
//!
//! # The run loop
//!
//! `Host` stands for the program's own sockets, clock and neighbours. Its commands are
//! [`Learn`](pcscf::Command::Learn), for a REGISTER that went through, and
//! [`AccessLost`](pcscf::Command::AccessLost).
//!
//! ```
//! use ims_procedures::drive::{Answer, Identifiers, Node, Outbox, Output};
//! use ims_procedures::pcscf::{self, Config, PcscfNode};
//! # use ims_procedures::wire::Element;
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/pretend_host.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut host = Host::default();
//! # let us = Element::new(b"sip:pcscf1.visited1.example.net:5070", b"visited1.example.net")?;
//! # let mut config = Config::new(us, b"visited1.example.net");
//! # config.subscription.support_reg_event = true;
//! # let identifiers = Identifiers::new([7; 32], 1, 0);
//! let mut node = PcscfNode::new(config, identifiers)?;
//! let mut out = Outbox::for_steps(1);
//! loop {
//!     for output in out.iter() {
//!         match output {
//!             Output::Request { token, next_hops, bytes, .. } => host.send(token, next_hops, bytes),
//!             Output::Respond { to, bytes, .. } => host.respond(to, bytes),
//!             Output::Ask { token, question } => host.begin(token, question),
//!             Output::Event(event) => host.report(event),
//!             _ => {}
//!         }
//!     }
//!     out.clear();
//!     let (now, happened) = host.wait_until(node.deadline());
//!     match happened {
//!         Happened::Command(command) => _ = node.command(now, command, &mut out)?,
//!         Happened::Request(from, transaction, bytes) => {
//!             let verdict = node.receive(now, from, transaction, &bytes, &mut out)?;
//!             host.go_on(transaction, verdict);
//!         }
//!         Happened::Response(token, bytes) => node.answer(now, token, Answer::Response(&bytes), &mut out)?,
//!         Happened::Silence(token) => node.answer(now, token, Answer::Timeout, &mut out)?,
//!         Happened::Done(token) => node.answer(now, token, pcscf::Answer::Done.into(), &mut out)?,
//!         Happened::Time => node.tick(now, &mut out)?,
//!         Happened::Shutdown => break,
//!     }
//! }
//! # host.check();
//! # Ok(())
//! # }
//! ```
#![no_std]
#![deny(missing_docs)]
#![warn(unreachable_pub)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

#[cfg(feature = "capi")]
pub mod capi;
pub mod cpm;
pub(crate) mod deregister;
pub mod dialog;
pub mod drive;
pub mod fleet;
pub mod mscics;
pub mod pcscf;
pub mod persistence;
pub mod regevent;
pub mod reginfo;
pub mod scscf;
#[cfg(feature = "txn")]
pub mod txn;
pub mod wire;
