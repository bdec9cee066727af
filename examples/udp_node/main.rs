//! One program for every role of the library, on real sockets in real time: what other programs can be tested against,
//! and a model of how to embed the library. `cargo run --release --example udp_node -- --help`.
//!
//! It is to be read in this order:
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | the event loop |
//! | `element.rs` | what the loop asks of a role |
//! | `host.rs`, `kept.rs` | a node, the layers around it, and what it wants done: the same for every role |
//! | `scscf.rs` | the S-CSCF: its node, what the host does for it, its commands and events |
//! | `registrar.rs`, `subscribers.rs`, `digest.rs` | the registrar beside it |
//! | `pcscf.rs` | the P-CSCF: the same for it |
//! | `gate.rs`, `proxy.rs`, `ues.rs` | the proxy beside it: which way messages go; what is changed in them; who is behind it |
//! | `passing.rs`, `passage.rs`, `timer.rs`, `room.rs` | the transactions of a proxy: of all requests, of one; when it sends again; how many there may be |
//! | `relay.rs`, `way.rs` | the IBCF, which has no node and that proxy; which way messages go there |
//! | `cpm.rs`, `parties.rs`, `records.rs`, `message_store.rs` | the CPM Participating Function; between whom its sessions are; what it keeps; the message store |
//! | `b2bua.rs`, `setup.rs`, `called.rs`, `pen.rs`, `offers.rs` | the B2BUA beside it: all sessions, one of them, one leg; what it writes; whose streams are whose |
//! | `msc.rs`, `served.rs` | the MSC server; its subscribers, and the REGISTERs of its host |
//! | `subscribing.rs`, `hop.rs`, `agenda.rs` | what roles share: events of subscriptions; what goes from hop to hop; what is due when |
//! | `sockets.rs`, `peer.rs`, `names.rs`, `way_back.rs` | where messages come from, and where they go |
//! | `store.rs`, `birth.rs`, `seal.rs`, `clock.rs` | what outlives the program, and what only it can have written |
//! | `console.rs`, `record.rs`, `audit.rs`, `outside.rs` | commands and events; what was sent; records for an audit; all that is outside of a node |
//! | `arguments.rs`, `site.rs`, `help.rs` | the command line |
//!
//! Some files are those of the examples `ims_network` and `msc_ics`.
//!
//! **A role is added** so: a file that implements [`NetworkElement`] for it, around a [`Host`](host::Host) with its node,
//! and `Duties` for its vocabulary; a line in [`element`], where it takes the options that are its own; a paragraph in
//! `help.rs`. Nothing else changes.

mod agenda;
mod arguments;
mod audit;
mod b2bua;
mod birth;
mod called;
#[path = "../ims_network/capture.rs"]
mod capture;
mod clock;
mod console;
mod cpm;
mod digest;
mod element;
mod gate;
mod help;
mod hop;
mod host;
mod kept;
#[path = "../ims_network/ladder_html.rs"]
#[allow(dead_code)] // A network that nobody made loses no messages that one knows of.
mod ladder_html;
mod message_store;
mod msc;
mod names;
mod offers;
mod outside;
mod parties;
mod passage;
mod passing;
mod pcscf;
mod peer;
mod pen;
mod proxy;
mod record;
mod records;
#[path = "../msc_ics/register.rs"]
mod register;
mod registrar;
mod relay;
#[path = "../ims_network/resend.rs"]
mod resend;
mod room;
mod scscf;
mod seal;
mod served;
mod setup;
mod site;
mod sockets;
mod store;
mod subscribers;
mod subscribing;
#[path = "../ims_network/summary.rs"]
mod summary;
mod timer;
mod ues;
mod way;
mod way_back;

use std::{error::Error, process::ExitCode, sync::mpsc::Receiver};

use serde_json::json;

use arguments::Arguments;
use audit::Audits;
use clock::Clock;
use console::{Command, Line};
use element::NetworkElement;
use help::HELP;
use ims_procedures::drive::{Identifier, Millis};
use outside::Outside;
use record::Record;
use site::Site;
use sockets::Arrival;

/// Ticks in a row; then messages have their turn.
const TICKS: usize = 64;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let role = match arguments.next() {
        Some(first) if first != "--help" && first != "-h" => first,
        _ => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
    };
    match run(role, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("udp_node: {fault}\nTry --help.");
            ExitCode::FAILURE
        }
    }
}

/// The element of a role, with the options that are its own.
fn element(
    site: &mut Site,
    arguments: &mut Arguments,
    now: Millis,
) -> Result<Box<dyn NetworkElement>, Box<dyn Error>> {
    Ok(match site.role.as_str() {
        "scscf" => Box::new(scscf::Element::new(site, arguments, now)?),
        "pcscf" => Box::new(pcscf::Element::new(site, arguments, now)?),
        "cpm" => Box::new(cpm::Element::new(site, arguments, now)?),
        "msc" => Box::new(msc::Element::new(site, arguments, now)?),
        "relay" => Box::new(relay::Element::new(site, arguments)?),
        other => return Err(format!("there is no role {other}").into()),
    })
}

fn run(role: String, arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut arguments = Arguments::parse(arguments)?;
    if arguments.flag("help")? {
        print!("{HELP}");
        return Ok(());
    }
    let clock = Clock::new();
    let now = clock.now();
    let mut site = Site::take(role, &mut arguments)?;
    let mut element = element(&mut site, &mut arguments, now)?;
    arguments.finish()?;
    let (capture, ladder) = (site.capture.as_deref(), site.ladder.take());
    let record = Record::new(site.listen, &site.role, now, capture, ladder)?;
    let mut outside = Outside::new(site.sockets, site.names, record, site.is_quiet);
    if let Some(path) = &site.audit {
        outside.keep_audits(Audits::open(path)?);
    }
    let listen = site.listen.to_string();
    outside.reply(&json!({"event": "ready", "role": site.role, "listen": listen}));
    let tag = site.birth.identifiers().constant();
    serve(
        &clock,
        (&console::lines(), tag),
        &mut *element,
        &mut outside,
    )?;
    outside.finish()?;
    Ok(())
}

/// The event loop: what is due, what has come, what was commanded. The tag is that of whatever no role is shown.
fn serve(
    clock: &Clock,
    (commands, tag): (&Receiver<Line>, Identifier),
    element: &mut dyn NetworkElement,
    outside: &mut Outside,
) -> Result<(), Box<dyn Error>> {
    loop {
        let now = clock.now();
        for _ in 0..TICKS {
            if element.deadline().is_none_or(|at| at > now) {
                break;
            }
            element.tick(now, outside)?;
        }
        match outside.receive(now)? {
            Some(Arrival::Message { from, bytes }) => match way_back::stamp(from, bytes) {
                Ok(message) => element.receive(clock.now(), from, &message, outside)?,
                Err(message) => hop::refuse(now, &message, 400, tag, outside),
            },
            Some(Arrival::Closed(peer)) => element.closed(clock.now(), peer, outside)?,
            None => {}
        }
        while let Ok(line) = commands.try_recv() {
            if !obey(clock.now(), line, element, outside) {
                return Ok(());
            }
        }
    }
}

/// Carries a command out. Whether to go on.
fn obey(now: Millis, line: Line, element: &mut dyn NetworkElement, outside: &mut Outside) -> bool {
    let command = match Command::parse(line) {
        Ok(command) => command,
        Err(why) => {
            outside.reply(&json!({"event": "refused", "why": why}));
            return true;
        }
    };
    // What every role can be asked for, and takes nothing.
    let is_plain = matches!(command.name(), "list" | "statistics" | "quit");
    let understood = if is_plain { command.takes(&[]) } else { Ok(()) };
    let done = match understood {
        Ok(()) if command.name() == "quit" => {
            outside.reply(&json!({"event": "ended"}));
            return false;
        }
        Ok(()) => element.command(now, &command, outside),
        Err(why) => Err(why.into()),
    };
    if let Err(why) = done {
        let why = why.to_string();
        outside.reply(&json!({"event": "refused", "command": command.name(), "why": why}));
    }
    true
}
