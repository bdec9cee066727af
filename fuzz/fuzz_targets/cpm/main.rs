//! [DR-4] [DR-6] [DR-7] A CPM Participating Function under everything that a host, its peers and its clock may do.

#![no_main]

mod bytes;
mod host;
mod operations;
mod seen;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: operations::Script| host::Host::run(&script));
