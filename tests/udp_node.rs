//! The example `udp_node`: its processes on loopback, with a UE and a core that this test plays.

#[path = "udp_node/options.rs"]
mod options;
#[path = "udp_node/pcscf.rs"]
mod pcscf;
#[path = "udp_node/peer.rs"]
mod peer;
#[path = "udp_node/process.rs"]
#[allow(dead_code)] // Some of it is for the tests against other programs.
mod process;
#[path = "udp_node/registrar.rs"]
mod registrar;
#[path = "udp_node/together.rs"]
mod together;
