//! The subscriber of the registration event package, through the node that holds many, on bytes: one file for
//! each topic, and `seed` for each sentence of the source (S2).

#[path = "regevent/bed.rs"]
mod bed;
mod common;
#[path = "regevent/contact_events.rs"]
mod contact_events;
#[path = "regevent/dialog.rs"]
mod dialog;
#[path = "regevent/failover.rs"]
mod failover;
#[path = "regevent/final_notify.rs"]
mod final_notify;
#[path = "regevent/fixtures.rs"]
mod fixtures;
#[path = "regevent/kamailio.rs"]
mod kamailio;
#[path = "common/notified.rs"]
#[allow(dead_code)] // The benches need more of it.
mod notified;
#[path = "regevent/properties.rs"]
mod properties;
#[path = "regevent/reentering.rs"]
mod reentering;
#[path = "regevent/refresh.rs"]
mod refresh;
#[path = "regevent/refusals.rs"]
mod refusals;
#[path = "regevent/restoring.rs"]
mod restoring;
#[path = "regevent/routing.rs"]
mod routing;
#[path = "scscf/support.rs"]
#[allow(dead_code, unreachable_pub)]
mod scscf;
#[path = "regevent/seed.rs"]
mod seed;
#[path = "regevent/statistics.rs"]
mod statistics;
#[path = "regevent/subscriber.rs"]
mod subscriber;
#[path = "regevent/terminations.rs"]
mod terminations;
#[path = "regevent/trunk_groups.rs"]
mod trunk_groups;
#[path = "regevent/unsubscribing.rs"]
mod unsubscribing;

// As the S-CSCF's tests have it.
use common::fixture;
