//! An MSC server enhanced for ICS on real sockets, in virtual time: `cargo run --release --example msc_ics`.
//!
//! It has registered a subscriber at the S-CSCF, watches the registration, and carries two calls. When the subscriber is
//! not active there any more, the calls are released and the registration is ended. What a reader may want to copy is in
//! `msc.rs`. Around it:
//!
//! | file | what |
//! |---|---|
//! | `msc.rs` | the MSC server: the node, and what its host does for it |
//! | `registering.rs`, `register.rs`, `calls.rs`, `subscriber.rs` | the REGISTERs of the host itself; its calls; identities from IMSI and IMEI |
//! | `home.rs` | S-CSCF, SCC AS and HSS, and how the S-CSCF fails |
//! | `story.rs` | one subscriber: trigger, return, what must hold at the end |
//! | `down.rs` | many subscribers: the MSC server is shut down |
//! | `world.rs`, `columns.rs`, `options.rs` | both networks, and the clock; the ladder's columns; the command line |
//!
//! The other files are those of the example `ims_network`: `host.rs` is the run loop around a node.

#[path = "../ims_network/aligned.rs"]
mod aligned;
#[path = "../ims_network/application_server.rs"]
mod application_server;
mod calls;
#[path = "../ims_network/capture.rs"]
mod capture;
mod columns;
mod down;
#[path = "../ims_network/faults.rs"]
mod faults;
mod home;
#[path = "../ims_network/host.rs"]
mod host;
#[path = "../ims_network/hss.rs"]
mod hss;
#[path = "../ims_network/ladder_text.rs"]
mod ladder_text;
mod msc;
#[path = "../ims_network/network.rs"]
#[allow(dead_code)] // Nobody counts here what the network does.
mod network;
mod options;
#[path = "../ims_network/provisioning.rs"]
#[allow(dead_code)] // No UE and no P-CSCF takes part here.
mod provisioning;
mod register;
mod registering;
#[path = "../ims_network/registrar.rs"]
mod registrar;
#[path = "../ims_network/replies.rs"]
mod replies;
#[path = "../ims_network/resend.rs"]
#[allow(dead_code)] // Here only elements of the core wait for answers.
mod resend;
#[path = "../ims_network/scscf.rs"]
#[allow(dead_code)] // Who is bound is asked of the HSS here.
mod scscf;
mod story;
#[path = "../ims_network/streams.rs"]
mod streams;
mod subscriber;
#[path = "../ims_network/summary.rs"]
mod summary;
#[path = "../ims_network/tape.rs"]
#[allow(dead_code)] // Here it all is about one user.
mod tape;
#[path = "../ims_network/third_party.rs"]
mod third_party;
#[path = "../ims_network/values.rs"]
mod values;
mod world;

use std::{error::Error, process::ExitCode};

use capture::Capture;
use options::{HELP, Options};
use story::HEADINGS;
use subscriber::Subscriber;
use world::World;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("msc_ics: {fault}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    if options.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("msc_ics: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("msc_ics: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line says. Returns what is not as it must be.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let capture = match &options.pcap {
        Some(path) => {
            let named = |fault| format!("{}: {fault}", path.display());
            Some(Capture::create(path).map_err(named)?)
        }
        None => None,
    };
    match options.down {
        true => down::run(options, capture),
        false => tell(options, capture),
    }
}

/// Tells one story, or several, each in a world of its own.
fn tell(options: &Options, mut capture: Option<Capture>) -> Result<Vec<String>, Box<dyn Error>> {
    let stories = match options.all {
        true => options.story.all(),
        false => vec![options.story],
    };
    let mut complaints = Vec::new();
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for story in stories {
        let subscriber = Subscriber::new(999_999_999)?;
        let subscribers = std::slice::from_ref(&subscriber);
        let mut world = World::new(options, story.conduct.1, subscribers, capture.take())?;
        story.play(&mut world, &subscriber)?;
        if !options.quiet {
            println!("{}", ladder_text::draw(world.network.tape.entries()));
        }
        complaints.extend(story.complaints(&world, &subscriber, options.has_faults()));
        rows.push(story.row(&world, &subscriber));
        capture = world.network.capture.take();
    }
    if let Some(capture) = capture {
        capture.finish()?;
    }
    if !options.quiet {
        print!("{}", aligned::aligned(&rows, |_| false));
    }
    Ok(complaints)
}
