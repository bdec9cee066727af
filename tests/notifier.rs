//! The notifier's end of one subscription, as a machine that a host can hold itself.
#![allow(unreachable_pub)]

#[path = "notifier/answers.rs"]
mod answers;
#[path = "notifier/bounds.rs"]
mod bounds;
#[path = "notifier/changes.rs"]
mod changes;
#[path = "notifier/ends.rs"]
mod ends;
#[path = "notifier/subscribing.rs"]
mod subscribing;
#[path = "notifier/support.rs"]
mod support;
