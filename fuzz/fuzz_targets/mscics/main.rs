//! [DR-4] [DR-6] [DR-7] [MS-5] An MSC server under everything that a host, its peers and its clock may do.

#![no_main]

mod bytes;
mod host;
mod operations;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: operations::Script| host::Host::run(&script));
