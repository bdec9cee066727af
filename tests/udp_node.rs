//! The example `udp_node`: its processes on loopback, with a UE and a core that this test plays.
//! Only Linux has all of 127.0.0.0/8 for loopback.
#![cfg(target_os = "linux")]

#[path = "udp_node/audit.rs"]
mod audit;
#[path = "udp_node/options.rs"]
mod options;
#[path = "udp_node/passing.rs"]
mod passing;
#[path = "udp_node/pcscf.rs"]
mod pcscf;
#[path = "udp_node/peer.rs"]
mod peer;
#[path = "udp_node/process.rs"]
#[allow(dead_code)] // Some of it is for the tests against other programs.
mod process;
#[path = "udp_node/registrar.rs"]
mod registrar;
#[path = "udp_node/room.rs"]
mod room;
#[path = "udp_node/strangers.rs"]
mod strangers;
#[path = "udp_node/together.rs"]
mod together;
