//! The example `udp_node` in the roles `cpm`, `msc` and `relay`: its processes on loopback, with everybody else played by
//! this test.

#[path = "udp_node/call.rs"]
mod call;
#[path = "udp_node/cpm.rs"]
mod cpm;
#[path = "udp_node/msc.rs"]
mod msc;
#[path = "udp_node/peer.rs"]
#[allow(dead_code)]
mod peer;
#[path = "udp_node/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "udp_node/relay.rs"]
mod relay;
