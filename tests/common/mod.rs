//! What several test files share.
#![allow(dead_code)]

pub mod cpm;
pub mod fixture;
pub mod network;
pub mod pcscf;
