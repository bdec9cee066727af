//! SIPp around the S-CSCF: as a UE, as a P-CSCF, as a subscriber.

use std::fs;

use serde_json::json;

use crate::{
    process::{Process, folder},
    sipp::{PCSCF, Sipp, UE},
    table::Table,
};

const CALLS: u32 = 20;

fn scscf(capture: &str, options: &[&str]) -> Process {
    let common = [
        "--listen",
        "127.0.0.1:0",
        "--domain",
        "ims.test",
        "--pcap",
        capture,
    ];
    Process::start(
        "scscf",
        &[&common[..], &["--trust", PCSCF], options].concat(),
    )
}

/// Nobody is left, and the element ends as it should.
fn end(mut scscf: Process) {
    assert_eq!(scscf.contacts(), [""; 0]);
    assert!(scscf.quit());
}

/// One of the scenarios after which nobody is registered.
fn plain(
    table: &mut Table,
    peer: &'static str,
    what: &'static str,
    scenario: &str,
    at: &str,
    options: &[&str],
) {
    table.play("scscf", peer, what, |capture| {
        let scscf = scscf(capture, &[]);
        Sipp::call(scenario, at, &scscf.listen, CALLS, options).finish();
        end(scscf);
        format!("{CALLS} of {CALLS}")
    });
}

pub fn all(table: &mut Table) {
    plain(table, "UE", "registers, renews, deregisters", "ue", UE, &[]);
    plain(table, "UE", "the same over TCP", "ue", UE, &["-t", "t1"]);
    plain(
        table,
        "UE",
        "the same, one message in ten lost",
        "ue",
        UE,
        &["-lost", "10"],
    );
    plain(
        table,
        "UE",
        "423, 420, 403; out of order",
        "ue_refused",
        UE,
        &[],
    );
    digest(table);
    plain(
        table,
        "P-CSCF",
        "registers with Path, subscribes, deregisters in its own name, is notified",
        "pcscf_deregisters",
        PCSCF,
        &[],
    );
    ended_by_the_network(table);
}

fn digest(table: &mut Table) {
    let file = folder("interop_identities").join("identities.json");
    let identities = json!([{
        "private_identity": "user_private@ims.test",
        "public_identities": ["sip:user@ims.test", "tel:+12125550101"],
        "password": "secret",
    }]);
    fs::write(&file, identities.to_string()).unwrap();
    let options = [
        "--authentication",
        "digest",
        "--identities",
        file.to_str().unwrap(),
    ];
    table.play("scscf", "UE", "Digest, with the password", |capture| {
        let mut scscf = scscf(capture, &options);
        Sipp::call("ue_digest", UE, &scscf.listen, 1, &[]).finish();
        assert_eq!(scscf.contacts().len(), 1);
        assert!(scscf.quit());
        "1 of 1".to_owned()
    });
    table.play("scscf", "UE", "Digest, with another password", |capture| {
        let scscf = scscf(capture, &options);
        Sipp::call("ue_wrong_password", UE, &scscf.listen, 1, &[]).finish();
        end(scscf);
        "1 of 1".to_owned()
    });
}

fn ended_by_the_network(table: &mut Table) {
    let what = "subscribes, and is notified when the home network ends it";
    table.play("scscf", "subscriber", what, |capture| {
        let mut scscf = scscf(capture, &[]);
        let subscriber = Sipp::call("subscriber", PCSCF, &scscf.listen, CALLS, &[]);
        for _ in 0..CALLS {
            let subscribed = scscf.event("subscribed");
            scscf.command(&json!({
                "command": "network_deregister",
                "public_identity": subscribed["public_identity"],
                "reason": "permanent_termination",
            }));
        }
        subscriber.finish();
        end(scscf);
        format!("{CALLS} of {CALLS}")
    });
}
