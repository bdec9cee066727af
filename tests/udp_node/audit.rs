//! Records for an audit, of the S-CSCF and of the P-CSCF; those of the other roles are in `msc.rs` and `cpm.rs`.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::{
    pcscf::{Between, response},
    peer::{Peer, Register, status, values},
    process::{Process, folder, records},
};

fn scscf(file: &str, options: &[&str]) -> Process {
    let common = ["--listen", "127.0.0.1:0", "--domain", "ims.test"];
    Process::start(
        "scscf",
        &[&common[..], &["--audit", file], options].concat(),
    )
}

/// A user registers, and is deregistered by the operator.
fn refuse(scscf: &mut Process, user: &str) {
    let ue = Peer::ue();
    let answer = ue.ask(&scscf.listen, &Register::new(user, &ue).write(&ue));
    assert_eq!(status(&answer), "200");
    scscf.command(&json!({
        "command": "network_deregister", "reason": "refused",
        "public_identity": format!("sip:{user}@ims.test"),
    }));
}

/// [DR-9] With `--audit` a line stands in that file about each that was deregistered, and nothing of it among the events.
/// Nobody else may read it.
#[test]
fn of_an_scscf() {
    let file = folder("udp_node_audit_scscf").join("audit.jsonl");
    let mut scscf = scscf(file.to_str().unwrap(), &[]);
    refuse(&mut scscf, "alice");
    scscf.event("deregistered");
    assert!(scscf.quit());
    let [record] = &records(&file)[..] else {
        panic!("one record");
    };
    assert_eq!(record["initiator"], "operator");
    assert_eq!(record["cause"], "operator:refused");
    assert_eq!(record["public_identity"], "sip:alice@ims.test");
    assert_eq!(record["outcome"], "deregistered");
    assert_eq!(
        (&record["dialogs"], &record["resumed"]),
        (&json!("released"), &json!(false))
    );
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// [DR-9] There is no room for a record: it is told with the event, also to who wants no events, and the element goes on.
#[test]
fn of_which_there_is_no_room() {
    let mut scscf = scscf("/dev/full", &["--quiet"]);
    for user in ["alice", "bob"] {
        refuse(&mut scscf, user);
        let failed = scscf.event("audit_failed");
        let identity = format!("sip:{user}@ims.test");
        assert_eq!(failed["record"]["public_identity"], identity, "{failed}");
    }
    assert!(scscf.contacts().is_empty());
    assert!(scscf.quit());
}

/// A P-CSCF with records in this file, and a UE whose access is lost; the REGISTER that says so.
fn lost(between: &mut Between) -> String {
    between.register();
    let contact = format!("sip:alice@{}", between.ue.address);
    let lost = json!({"command": "access_lost", "contact": contact});
    between.pcscf.command(&lost);
    let gone = between.core.receive();
    assert_eq!(values(&gone, "Expires"), ["0"]);
    gone
}

fn answer(between: &Between, request: &str, status: &str) {
    let answer = response(request, status, "");
    between.core.send(&between.pcscf.listen, &answer);
}

fn expect(record: &Value, expected: Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&record[field], value, "{field}: {record}");
    }
}

/// [DR-9, PD-3] At a P-CSCF: one that was given up, as the UE was heard, and one that was carried out.
#[test]
fn of_a_pcscf() {
    let file = folder("udp_node_audit_pcscf").join("audit.jsonl");
    let mut between = Between::with(&["--audit", file.to_str().unwrap()]);
    let gone = lost(&mut between);
    let contact = format!("sip:alice@{}", between.ue.address);
    between
        .pcscf
        .command(&json!({"command": "heard", "contact": contact}));
    answer(&between, &gone, "503 Service Unavailable");
    between.pcscf.event("cancelled");
    let lost = json!({"command": "access_lost", "contact": contact});
    between.pcscf.command(&lost);
    answer(&between, &between.core.receive(), "200 OK");
    between.pcscf.event("deregistered");
    let [given_up, ended] = &records(&file)[..] else {
        panic!("two records");
    };
    let common = json!({
        "initiator": "access_network", "cause": "access_lost", "contact": contact,
        "public_identity": "sip:alice@ims.test", "resumed": false, "registers": 1,
    });
    for record in [given_up, ended] {
        expect(record, common.clone());
    }
    expect(given_up, json!({"outcome": "given_up", "reached": null}));
    expect(ended, json!({"outcome": "unconfirmed"}));
    assert_ne!(given_up["id"], ended["id"]);
}

/// [DR-7, DR-9] Killed while it deregisters a UE: the record says that this went on after the start, and when it began.
#[test]
fn of_what_goes_on_after_a_start() {
    let store = folder("udp_node_audit_resumed");
    let file = store.join("audit.jsonl");
    let options = [
        "--persist",
        store.to_str().unwrap(),
        "--audit",
        file.to_str().unwrap(),
    ];
    let mut between = Between::with(&options);
    lost(&mut between);
    between.pcscf.event("access_lost");
    between.pcscf.kill();
    assert_eq!(records(&file), [json!(null); 0]);
    let mut between = Between::with(&options);
    answer(&between, &between.core.receive(), "200 OK");
    between.pcscf.event("deregistered");
    let [record] = &records(&file)[..] else {
        panic!("one record");
    };
    expect(
        record,
        json!({"resumed": true, "cause": "access_lost", "outcome": "unconfirmed"}),
    );
}
