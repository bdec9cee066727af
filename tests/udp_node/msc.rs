//! The MSC server: before a registrar that the test plays, and before `udp_node scscf`.

use serde_json::{Value, json};

use crate::{
    peer::{Peer, status, values},
    process::{Process, folder, records, text},
};

const IMSI: &str = "234150999999999";
const IMEI: &str = "490154203237518";
const HOME: &str = "ics.mnc015.mcc234.3gppnetwork.org";

fn start(registrar: &str, options: &[&str]) -> Process {
    start_at("127.0.0.1:0", registrar, options)
}

fn start_at(listen: &str, registrar: &str, options: &[&str]) -> Process {
    let fixed = ["--listen", listen, "--domain", "visited.test"];
    let mut all = [&fixed[..], &["--registrar", registrar]].concat();
    all.extend(options);
    Process::start("msc", &all)
}

/// An S-CSCF, and where the MSC server is to listen that it knows.
fn scscf() -> (Process, String) {
    // Nobody else has this address by the time that it is wanted: the system gives others first.
    let msc = Peer::of_element().address;
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--domain",
        HOME,
        "--trust",
        "127.0.0.1",
        "--authenticates",
        &msc,
    ];
    (Process::start("scscf", &options), msc)
}

fn registers(imsi: &str) -> Value {
    json!({"command": "register", "imsi": imsi, "imei": IMEI})
}

fn inactive(trigger: &str) -> Value {
    json!({"command": "no_longer_active", "imsi": IMSI, "trigger": trigger})
}

/// The 200 of a REGISTER, for so many seconds.
fn grant(register: &str, expires: u32) -> String {
    let mut response = "SIP/2.0 200 OK\r\n".to_owned();
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        for value in values(register, name) {
            response.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let contact = values(register, "Contact")[0].replace(";expires=0", "");
    if expires > 0 {
        response.push_str(&format!("Contact: {contact};expires={expires}\r\n"));
    }
    response.push_str(&format!("P-Associated-URI: <sip:+441632960@{HOME}>\r\n"));
    response + "Content-Length: 0\r\n\r\n"
}

/// [MS-3, MS-7] Both REGISTERs on the wire: the one of the host, and the one of the library that ends what it began, with
/// the same instance and a Call-ID of its own.
#[test]
fn both_registers() {
    let registrar = Peer::of_core();
    let mut msc = start(&registrar.address, &["--reg-event", "off"]);
    msc.command(&registers(IMSI));
    let first = registrar.receive();
    assert!(
        first.starts_with(&format!("REGISTER sip:{HOME} SIP/2.0\r\n")),
        "{first}"
    );
    let identity = format!("<sip:{IMSI}@{HOME}>");
    assert_eq!(values(&first, "To"), [identity.as_str()]);
    let contact = values(&first, "Contact")[0];
    let instance = ";+sip.instance=\"<urn:gsma:imei:49015420-323751-0>\"";
    assert!(
        contact.starts_with(&format!("<sip:{}>{instance}", msc.listen)),
        "{contact}"
    );
    registrar.send(&msc.listen, &grant(&first, 3_600));
    msc.event("registered");
    msc.command(&json!({"command": "list"}));
    let list = msc.event("list");
    assert_eq!(list["registrations"][0]["renewed_in"], 3_000, "{list}");

    msc.command(&inactive("cancel_location"));
    let last = registrar.receive();
    assert_eq!(values(&last, "Expires"), ["0"]);
    assert_eq!(values(&last, "To"), [identity]);
    assert!(values(&last, "Contact")[0].contains(instance));
    assert_ne!(values(&last, "Call-ID"), values(&first, "Call-ID"));
    let authorization = values(&last, "Authorization")[0];
    assert!(authorization.contains("integrity-protected=\"auth-done\""));
    registrar.send(&msc.listen, &grant(&last, 0));
    let gone = msc.event("deregistered");
    assert_eq!(
        (&gone["cause"], &gone["outcome"]),
        (&json!("cancel_location"), &json!("confirmed"))
    );
    msc.command(&json!({"command": "list"}));
    assert_eq!(msc.event("list")["registrations"], json!([]));
}

/// A registration is renewed before it runs out; the registrar's least time is taken; a refusal is told.
#[test]
fn renewed_and_refused() {
    let registrar = Peer::of_core();
    let mut msc = start(
        &registrar.address,
        &["--reg-event", "off", "--expires", "1"],
    );
    msc.command(&registers(IMSI));
    let first = registrar.receive();
    let brief = grant(&first, 0).replace("200 OK", "423 Interval Too Brief\r\nMin-Expires: 2");
    registrar.send(&msc.listen, &brief);
    let second = registrar.receive();
    assert_eq!(values(&second, "Expires"), ["2"]);
    assert_eq!(values(&second, "CSeq"), ["2 REGISTER"]);
    registrar.send(&msc.listen, &grant(&second, 2));
    msc.event("registered");
    let third = registrar.receive();
    assert_eq!(values(&third, "CSeq"), ["3 REGISTER"]);
    assert_eq!(values(&third, "Call-ID"), values(&second, "Call-ID"));
    registrar.send(&msc.listen, &grant(&third, 3_600));
    msc.event("registered");

    msc.command(&registers("234150999999998"));
    let other = registrar.receive();
    let refusal = grant(&other, 0).replace("200 OK", "403 Forbidden");
    registrar.send(&msc.listen, &refusal);
    assert_eq!(msc.event("registration_failed")["why"], "403");
    msc.command(&json!({"command": "list"}));
    assert_eq!(
        msc.event("list")["registrations"].as_array().unwrap().len(),
        1
    );
}

/// [MS-1] The subscriber returns while the REGISTER is out: that ends first, and another registration follows.
#[test]
fn the_subscriber_returns() {
    let registrar = Peer::of_core();
    let mut msc = start(&registrar.address, &["--reg-event", "off"]);
    msc.command(&registers(IMSI));
    let first = registrar.receive();
    registrar.send(&msc.listen, &grant(&first, 3_600));
    msc.event("registered");
    msc.command(&inactive("implicit_detach"));
    let last = registrar.receive();
    msc.command(&json!({"command": "return", "imsi": IMSI}));
    while msc.event("accepted")["command"] != "return" {}
    registrar.send(&msc.listen, &grant(&last, 0));
    assert_eq!(msc.event("deregistered")["register_anew"], true);
    let anew = registrar.receive();
    assert_eq!(values(&anew, "CSeq"), ["1 REGISTER"]);
    assert_ne!(values(&anew, "Call-ID"), values(&first, "Call-ID"));
    registrar.send(&msc.listen, &grant(&anew, 3_600));
    msc.event("registered");
}

/// [MS-2, MS-4, MS-6, RN-4] Before a registrar made of the library: registered, watched, a dialog released, and gone at
/// both.
#[test]
fn gone_at_both() {
    let (mut scscf, listen) = scscf();
    let mut msc = start_at(&listen, &scscf.listen, &[]);
    msc.command(&registers(IMSI));
    msc.event("registered");
    assert_eq!(
        text(&scscf.event("registered"), "private_identity"),
        format!("{IMSI}@{HOME}")
    );
    msc.event("subscribed");
    scscf.event("subscribed");
    let identity = format!("sip:{IMSI}@{HOME}");
    msc.command(&json!({
        "command": "dialog_added", "imsi": IMSI, "dialog": 5, "public_identity": identity,
    }));
    msc.command(&inactive("purge"));
    assert_eq!(msc.event("dialog_release")["dialog"], 5);
    assert_eq!(msc.event("deregistered")["outcome"], "confirmed");
    scscf.event("deregistered");
    scscf.event("subscription_ended");
    assert!(scscf.contacts().is_empty());
    msc.command(&json!({"command": "statistics"}));
    let statistics = msc.event("statistics");
    assert_eq!(statistics["registrations"], 0);
    assert_eq!(statistics["node"]["ended"]["confirmed"], 1);
    assert!(msc.quit());
}

/// [DR-9] With `--audit`: who ended the registration, and how that went.
#[test]
fn records_for_an_audit() {
    let file = folder("udp_node_audit_msc").join("audit.jsonl");
    let registrar = Peer::of_core();
    let options = ["--reg-event", "off", "--audit", file.to_str().unwrap()];
    let mut msc = start(&registrar.address, &options);
    msc.command(&registers(IMSI));
    registrar.send(&msc.listen, &grant(&registrar.receive(), 3_600));
    msc.event("registered");
    msc.command(&inactive("purge"));
    registrar.send(&msc.listen, &grant(&registrar.receive(), 0));
    msc.event("deregistered");
    let [record] = &records(&file)[..] else {
        panic!("one record");
    };
    for (field, value) in [
        ("initiator", json!("element")),
        ("cause", json!("purge")),
        ("outcome", json!("confirmed")),
        ("registers", json!(1)),
        ("private_identity", json!(format!("{IMSI}@{HOME}"))),
    ] {
        assert_eq!(record[field], value, "{record}");
    }
}

/// [MS-1] The network ends the registration: the MSC server hears of it by its subscription, and sends no REGISTER.
#[test]
fn the_network_ends_it() {
    let (mut scscf, listen) = scscf();
    let mut msc = start_at(&listen, &scscf.listen, &[]);
    msc.command(&registers(IMSI));
    msc.event("subscribed");
    scscf.event("subscribed");
    scscf.command(&json!({
        "command": "network_deregister",
        "public_identity": format!("sip:{IMSI}@{HOME}"),
        "reason": "permanent_termination",
    }));
    let gone = msc.event("deregistered");
    assert_eq!(
        (&gone["outcome"], &gone["registers"]),
        (&json!("notified"), &json!(0))
    );
}

/// [DR-7] Killed and started again, it has its subscribers, and ends their registrations when it is shut down.
#[test]
fn shut_down_after_a_crash() {
    let store = folder("udp_node_msc");
    let (mut scscf, listen) = scscf();
    let persist = ["--persist", store.to_str().unwrap()];
    let mut msc = start_at(&listen, &scscf.listen, &persist);
    for number in 0..3 {
        msc.command(&registers(&format!("23415000000000{number}")));
        msc.event("registered");
        scscf.event("subscribed");
    }
    msc.kill();
    let mut msc = start_at(&listen, &scscf.listen, &persist);
    msc.command(&json!({"command": "list"}));
    let list = msc.event("list");
    let listed = list["registrations"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert!(
        listed
            .iter()
            .all(|one| one["registered"] == true && !one["renewed_in"].is_null())
    );
    msc.command(&json!({"command": "shutdown", "rate": 1000, "deadline_ms": 60000}));
    assert_eq!(msc.event("shutdown_ended")["tally"]["confirmed"], 3);
    assert!(scscf.contacts().is_empty());
}

/// [MS-1] [DR-7] Killed while it deregisters a subscriber, it goes on; who returns then is registered anew when that is over,
/// and not before.
#[test]
fn returned_after_a_crash() {
    let store = folder("udp_node_msc_returned");
    let registrar = Peer::of_core();
    let options = ["--reg-event", "off", "--persist", store.to_str().unwrap()];
    let mut msc = start(&registrar.address, &options);
    msc.command(&registers(IMSI));
    registrar.send(&msc.listen, &grant(&registrar.receive(), 3_600));
    msc.event("registered");
    msc.command(&inactive("purge"));
    let ours = registrar.receive();
    msc.command(&registers(IMSI));
    let why = "the subscriber is being deregistered here, and may return";
    assert_eq!(msc.event("refused")["why"], why);
    let listen = msc.listen.clone();
    msc.kill();
    let mut msc = start_at(&listen, &registrar.address, &options);
    assert_eq!(registrar.receive(), ours, "it goes on");
    msc.command(&json!({"command": "return", "imsi": IMSI, "imei": IMEI}));
    assert_eq!(msc.event("accepted")["command"], "return");
    registrar.send(&msc.listen, &grant(&ours, 0));
    assert_eq!(msc.event("deregistered")["register_anew"], true);
    let anew = registrar.receive();
    assert_ne!(values(&anew, "Call-ID"), values(&ours, "Call-ID"));
    assert!(!anew.contains("Expires: 0\r\n"), "{anew}");
}

/// [MS-1] Whom a shutdown has queued, and who is said to be no longer active, goes for that cause, also when the shutdown is
/// called off; nobody registers that one again.
#[test]
fn taken_over_from_a_shutdown() {
    let registrar = Peer::of_core();
    for is_called_off in [false, true] {
        let mut msc = start(&registrar.address, &["--reg-event", "off"]);
        for imsi in ["234150999999998", IMSI] {
            msc.command(&registers(imsi));
            registrar.send(&msc.listen, &grant(&registrar.receive(), 3_600));
            msc.event("registered");
        }
        // The other one has the only turn there is.
        msc.command(&json!({"command": "shutdown", "in_flight": 1, "deadline_ms": 60000}));
        let other = registrar.receive();
        assert!(!values(&other, "To")[0].contains(IMSI), "{other}");
        msc.command(&inactive("purge"));
        while msc.event("accepted")["command"] != "no_longer_active" {}
        if is_called_off {
            msc.command(&json!({"command": "resume"}));
            while msc.event("accepted")["command"] != "resume" {}
        }
        registrar.send(&msc.listen, &grant(&other, 0));
        let last = loop {
            let next = registrar.receive();
            if values(&next, "To")[0].contains(IMSI) {
                break next;
            }
            let expires = match values(&next, "Expires")[0] {
                "0" => 0,
                _ => 3_600,
            };
            registrar.send(&msc.listen, &grant(&next, expires));
        };
        assert_eq!(values(&last, "Expires"), ["0"]);
        registrar.send(&msc.listen, &grant(&last, 0));
        let gone = loop {
            let gone = msc.event("deregistered");
            if text(&gone, "private_identity").contains(IMSI) {
                break gone;
            }
        };
        assert_eq!(gone["cause"], "purge", "{gone}");
    }
}

/// What is not known, or not understood, is refused.
#[test]
fn what_is_refused() {
    let registrar = Peer::of_core();
    let mut msc = start(&registrar.address, &[]);
    for (command, why) in [
        (inactive("purge"), "no such subscriber is registered here"),
        (inactive("handover"), "there is no trigger \"handover\""),
        (registers("12"), ""),
        (
            json!({"command": "return", "imsi": IMSI}),
            "needs an \"imei\"",
        ),
        (
            json!({"command": "register", "imsi": IMSI}),
            "register needs a \"imei\"",
        ),
    ] {
        msc.command(&command);
        let refused = msc.event("refused");
        assert!(text(&refused, "why").contains(why), "{refused}");
    }
    let request = format!(
        "MESSAGE sip:msc@{0} SIP/2.0\r\nVia: SIP/2.0/UDP {1};branch=z9hG4bK1\r\nMax-Forwards: 9\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n\r\n",
        msc.listen, registrar.address
    );
    assert_eq!(status(&registrar.ask(&msc.listen, &request)), "405");
}
