//! The example `udp_node` against SIPp, which knows nothing of this library: scenarios of our own, in `sipp/`.
//! `tests/interop/run.sh` installs what it needs, runs it and prints the table.
//!
//! Everybody is on loopback: the elements at 127.0.0.1, a P-CSCF that SIPp plays at 127.0.0.2, its S-CSCF at 127.0.0.3,
//! its UEs at 127.0.0.9, which nobody trusts.
#![cfg(target_os = "linux")]

mod cpm;
mod load;
mod msc;
mod pcscf;
#[path = "../udp_node/process.rs"]
#[allow(dead_code)] // Some of it is for the other tests of the example.
mod process;
mod relay;
mod scscf;
mod sipp;
mod table;
mod tshark;

use table::Table;

/// Every scenario, one after the other: what one leaves behind is no trouble to the next.
#[test]
fn sipp_is_the_other_side() {
    let (Some(sipp), Some(tshark)) = (sipp::version(), tshark::version()) else {
        assert!(
            std::env::var("IMS_INTEROP").is_ok_and(|word| word == "optional"),
            "SIPp or tshark is not installed: nothing can be shown. IMS_INTEROP=optional passes over it."
        );
        println!(
            "interop: SIPp or tshark is NOT INSTALLED, nothing was shown (IMS_INTEROP=optional)"
        );
        return;
    };
    let mut table = Table::new(sipp, tshark);
    scscf::all(&mut table);
    pcscf::all(&mut table);
    cpm::all(&mut table);
    msc::all(&mut table);
    relay::all(&mut table);
    load::all(&mut table);
    print!("{table}");
    assert!(table.is_good(), "see the table");
}
