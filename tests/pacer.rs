//! The pacer of mass procedures (PD-2, PD-6, PD-12): rates, requests in flight, fairness, overload, canaries,
//! deadlines, blobs.
#![allow(unreachable_pub)]

#[path = "pacer/again.rs"]
mod again;
#[path = "pacer/bounds.rs"]
mod bounds;
#[path = "pacer/canaries.rs"]
mod canaries;
#[path = "pacer/counting.rs"]
mod counting;
#[path = "pacer/exploring.rs"]
mod exploring;
#[path = "pacer/fairness.rs"]
mod fairness;
#[path = "pacer/overload.rs"]
mod overload;
#[path = "pacer/properties.rs"]
mod properties;
#[path = "pacer/rates.rs"]
mod rates;
#[path = "pacer/restoring.rs"]
mod restoring;
#[path = "pacer/support.rs"]
mod support;
