//! The CPM Participating Function, through its doors, on bytes.
#![allow(unreachable_pub)]

#[path = "common/cpm.rs"]
#[allow(dead_code)]
mod messages;
#[path = "cpm/originating.rs"]
mod originating;
#[path = "cpm/support.rs"]
mod support;
