//! What happens, and when; and what must hold after each part.

use std::error::Error;

use ims_procedures::regevent::node::SubscriberNode;

use crate::{
    provisioning::{Actor, REGISTRATION},
    statistics,
    world::World,
};

/// Plays it. Returns what is not as it must be.
pub fn play(world: &mut World) -> Result<Vec<String>, Box<dyn Error>> {
    let mut complaints = Vec::new();

    world.part(0, "The phone registers, and the P-CSCF subscribes")?;
    world.register(|world| &mut world.phone, REGISTRATION)?;

    world.part(600, "The tablet registers too")?;
    complaints.extend(disagreement(world, "the first registration"));
    world.register(|world| &mut world.tablet, REGISTRATION)?;

    world.part(1_800, "The phone registers again")?;
    complaints.extend(disagreement(world, "the second contact"));
    world.register(|world| &mut world.phone, REGISTRATION)?;

    world.part(2_400, "The tablet leaves")?;
    complaints.extend(disagreement(world, "the re-registration"));
    world.deregister(|world| &mut world.tablet)?;

    world.part(3_000, "The subscription is refreshed")?;
    complaints.extend(disagreement(world, "the tablet left"));

    world.part(4_000, "The phone registers again, for a shorter time")?;
    complaints.extend(disagreement(world, "the refresh"));
    world.register(|world| &mut world.phone, 1_000)?;
    world.run_until_second(4_500)?;
    show(world, statistics::status);

    world.part(4_500, "Nothing is heard of the phone: its time runs out")?;
    complaints.extend(disagreement(world, "the shorter time"));
    // The P-CSCF waits a little longer than the S-CSCF.
    world.run_until_second(5_064)?;
    let note = "the time of the registration is over here too".to_owned();
    world.network.tape.note(world.now, Actor::Pcscf, note);
    let flow = world.phone.contact.clone();
    world
        .watcher
        .deregistered(world.now, &flow, &mut world.network)?;

    world.part(6_000, "The phone registers anew")?;
    complaints.extend(disagreement(world, "the end of the time"));
    world.register(|world| &mut world.phone, REGISTRATION)?;

    world.part(6_600, "The phone leaves, and with it the last contact")?;
    complaints.extend(disagreement(world, "the new registration"));
    world.deregister(|world| &mut world.phone)?;
    world.run_until(None)?;
    complaints.extend(left_over(world));

    show(world, statistics::status);
    show(world, statistics::counts);
    Ok(complaints)
}

fn show(world: &mut World, statistic: fn(&SubscriberNode) -> String) {
    let text = statistic(world.watcher.node());
    world.show(format!("\n{text}"));
}

/// As long as both ends hold the subscription, the table has the bindings of the S-CSCF. Without faults both hold
/// it while anything is bound.
fn disagreement(world: &World, after: &str) -> Option<String> {
    let bound = world.scscf.bound();
    let held = world.watcher.is_subscribed() && world.scscf.has_subscriber();
    if held && world.watcher.bound != bound {
        return Some(format!(
            "after {after} the table is not as the S-CSCF has it"
        ));
    }
    let lost = !held && !bound.is_empty() && !world.has_faults;
    lost.then(|| format!("after {after} there is no subscription"))
}

/// What is left at the end. A subscriber that ends its subscription need not hear of the last contact any more: its
/// SUBSCRIBE may be refused, for there is nothing to subscribe to, before the NOTIFY that says so gets through.
fn left_over(world: &World) -> Vec<String> {
    let watcher = world.watcher.node();
    let counts = watcher.sip_subscription_count_statistics(b"");
    let heard_all = world.has_faults || world.watcher.bound.is_empty();
    let left = [
        (!heard_all, "the last table has a contact"),
        (watcher.users() > 0, "the P-CSCF has a user"),
        (counts.active + counts.pending > 0, "a subscription counts"),
        (!world.scscf.bound().is_empty(), "the S-CSCF has a binding"),
        (world.scscf.node().sets() > 0, "the S-CSCF has a set"),
    ];
    let left = left.into_iter().filter(|(is_left, _)| *is_left);
    left.map(|(_, what)| format!("at the end {what}")).collect()
}
