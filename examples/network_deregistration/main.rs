//! What ends a registration in the home network, cause by cause: `cargo run --release --example
//! network_deregistration`.
//!
//! | file | what |
//! |---|---|
//! | `causes.rs` | the causes, and the command that the S-CSCF is given for each |
//! | `options.rs` | the command line |
//!
//! The other files are those of the example `ims_network`: `host.rs` is the run loop around a node.

#[path = "../ims_network/aligned.rs"]
mod aligned;
#[path = "../ims_network/application_server.rs"]
mod application_server;
#[path = "../ims_network/capture.rs"]
#[allow(dead_code)] // Nothing is captured here.
mod capture;
mod causes;
#[path = "../ims_network/columns.rs"]
mod columns;
#[path = "../ims_network/faults.rs"]
mod faults;
#[path = "../ims_network/host.rs"]
mod host;
#[path = "../ims_network/hss.rs"]
mod hss;
#[path = "../ims_network/ladder_text.rs"]
mod ladder_text;
#[path = "../ims_network/network.rs"]
#[allow(dead_code)] // Nobody counts here what the network does.
mod network;
mod options;
#[path = "../ims_network/pcscf.rs"]
#[allow(dead_code)] // Here the P-CSCF starts nothing.
mod pcscf;
#[path = "../ims_network/provisioning.rs"]
mod provisioning;
#[path = "../ims_network/proxy.rs"]
mod proxy;
#[path = "../ims_network/registrar.rs"]
mod registrar;
#[path = "../ims_network/replies.rs"]
mod replies;
#[path = "../ims_network/resend.rs"]
mod resend;
#[path = "../ims_network/scscf.rs"]
#[allow(dead_code)] // Who is bound is asked of the HSS here.
mod scscf;
#[path = "../ims_network/streams.rs"]
mod streams;
#[path = "../ims_network/summary.rs"]
mod summary;
#[path = "../ims_network/tape.rs"]
#[allow(dead_code)] // Here it all is about one user.
mod tape;
#[path = "../ims_network/third_party.rs"]
mod third_party;
#[path = "../ims_network/ue.rs"]
#[allow(dead_code)] // Nobody asks the UE how it is.
mod ue;
#[path = "../ims_network/values.rs"]
mod values;
#[path = "../ims_network/world.rs"]
#[allow(dead_code)] // Here nobody is lost.
mod world;

use std::{error::Error, process::ExitCode};

use causes::Cause;
use options::{HELP, Options};
use provisioning::{Actor, User};
use world::World;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("network_deregistration: {fault}\nTry --help.");
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
                eprintln!("network_deregistration: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("network_deregistration: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// One world for each cause. Returns what is not as it must be.
fn run(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let mut complaints = Vec::new();
    let mut rows = vec![["cause", "S-CSCF", "P-CSCF", "HSS", "AS"].map(str::to_owned)];
    for &(name, title, cause) in &options.causes {
        let mut world = World::new(options)?;
        world.register_all()?;
        let before = world.network.tape.entries().len();
        world.network.tape.part(world.now, title);
        end(&mut world, name, cause)?;
        if !options.quiet {
            let entries = world.network.tape.entries();
            println!(
                "{}",
                ladder_text::draw(entries.get(before..).unwrap_or_default())
            );
        }
        let has = who_has(&world);
        let (scscf, pcscf) = cause.ends();
        if (has[0], has[1]) != (!scscf, !pcscf) {
            complaints.push(format!("{name}: not as the cause says"));
        }
        let [scscf, pcscf, hss, server] =
            has.map(|has| if has { "registered" } else { "-" }.to_owned());
        rows.push([name.to_owned(), scscf, pcscf, hss, server]);
    }
    if !options.quiet {
        print!("{}", aligned::aligned(&rows, |_| false));
    }
    Ok(complaints)
}

/// Operator or HSS ends the registration of the user. What the HSS says stands in the ladder as it is called on Cx.
fn end(world: &mut World, name: &str, cause: Cause) -> Result<(), Box<dyn Error>> {
    let user = User::new(1);
    let identity = user.public_identities.first().ok_or("the user has none")?;
    let now = world.now;
    let tape = &mut world.network.tape;
    match cause {
        Cause::Hss(_) => {
            let request = format!("RTR {}", name.to_uppercase().replace('-', "_"));
            tape.exchange(now, Actor::Hss, Actor::Scscf, request);
            tape.exchange(now, Actor::Scscf, Actor::Hss, "RTA success".to_owned());
            let stays = matches!(cause.ends(), (false, _));
            let who = user.private_identity.as_bytes();
            world.scscf.journal.hss.assign(who, stays);
        }
        Cause::Operator(_) | Cause::Reauthentication => {
            tape.note(now, Actor::Scscf, format!("operator: {name}"));
        }
    }
    world.command(cause.command(identity.as_bytes()))
}

/// Who has the user: S-CSCF, P-CSCF, HSS, application server.
fn who_has(world: &World) -> [bool; 4] {
    let user = User::new(1);
    let identity = user.public_identities.first().map_or("", String::as_str);
    [
        world.scscf.is_registered(identity),
        world.pcscf.is_registered(&user.contact),
        world
            .scscf
            .journal
            .hss
            .is_assigned(user.private_identity.as_bytes()),
        world.application_server.is_registered(identity),
    ]
}
