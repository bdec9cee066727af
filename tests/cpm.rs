//! The CPM Participating Function, through its doors, on bytes.
#![allow(unreachable_pub)]

#[path = "cpm/audit.rs"]
mod audit;
#[path = "cpm/crossing.rs"]
mod crossing;
#[path = "cpm/driving.rs"]
mod driving;
#[path = "cpm/field.rs"]
mod field;
#[path = "common/cpm.rs"]
#[allow(dead_code)]
mod messages;
#[path = "cpm/originating.rs"]
mod originating;
#[path = "cpm/properties.rs"]
mod properties;
#[path = "cpm/proxy.rs"]
mod proxy;
#[path = "cpm/refused.rs"]
mod refused;
#[path = "cpm/restoring.rs"]
mod restoring;
#[cfg(feature = "txn")]
#[path = "cpm/socket.rs"]
mod socket;
#[path = "cpm/stored.rs"]
mod stored;
#[path = "cpm/streams.rs"]
mod streams;
#[path = "cpm/support.rs"]
mod support;
#[path = "cpm/terminating.rs"]
mod terminating;
#[path = "cpm/text/mod.rs"]
mod text;
#[path = "cpm/time.rs"]
mod time;
#[path = "cpm/timer.rs"]
mod timer;
