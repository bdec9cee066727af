//! The MSC server enhanced for ICS by requirement, on bytes.
#![allow(unreachable_pub)]

#[path = "mscics/audit.rs"]
mod audit;
#[path = "mscics/bed.rs"]
mod bed;
#[path = "mscics/details.rs"]
mod details;
#[path = "mscics/dialogs.rs"]
mod dialogs;
#[path = "mscics/draining.rs"]
mod draining;
#[path = "mscics/failures.rs"]
mod failures;
#[path = "common/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "mscics/identities.rs"]
mod identities;
#[path = "mscics/interleavings.rs"]
mod interleavings;
#[path = "mscics/past.rs"]
mod past;
#[path = "mscics/procedure.rs"]
mod procedure;
#[path = "mscics/renewing.rs"]
mod renewing;
#[path = "mscics/restoring.rs"]
mod restoring;
#[path = "mscics/returning.rs"]
mod returning;
#[path = "mscics/stored.rs"]
mod stored;
#[path = "mscics/transitions.rs"]
mod transitions;
