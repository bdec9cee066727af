//! SIPp on both sides of the IBCF: who subscribes or calls outside, and the S-CSCF, or who is called, inside.

use serde_json::json;

use crate::{
    process::Process,
    sipp::{PCSCF, SCSCF, Sipp},
    table::Table,
};

const CALLS: u32 = 20;

/// The domain of users and the host of their contacts: as the inside has them, and as the border shows them.
const INSIDE: [&str; 2] = ["inside.test", "192.0.2.9:5060"];
const OUTSIDE: [&str; 2] = ["ims.test", "ibcf.ims.test"];

fn ibcf(capture: &str, sides: [&str; 2], options: &[&str]) -> Process {
    let [inside, outside] = sides;
    let mut all: Vec<String> = [
        "--listen",
        "127.0.0.1:0",
        "--domain",
        "ims.test",
        "--pcap",
        capture,
        "--inside",
        inside,
        "--outside",
        outside,
        "--trust",
        SCSCF,
        "--documents",
        "translated",
    ]
    .map(str::to_owned)
    .into();
    let mut translate = |what: &str, inside: String, outside: String| {
        all.extend([format!("--translate-{what}"), format!("{inside},{outside}")]);
    };
    let notifier = format!("sip:notifier@{inside}");
    translate("contact", notifier, format!("sip:notifier@{}", OUTSIDE[1]));
    let [inside, outside] = [INSIDE[1], OUTSIDE[1]].map(|host| format!("sip:ue@{host}"));
    translate("contact", inside, outside);
    for number in 1..=CALLS {
        let [inside, outside] =
            [INSIDE[0], OUTSIDE[0]].map(|domain| format!("sip:user{number}@{domain}"));
        translate("aor", inside, outside);
    }
    let own = all.iter().map(String::as_str);
    let all: Vec<&str> = own.chain(options.iter().copied()).collect();
    Process::start("relay", &all)
}

/// Plays a scenario on either side. `refused`: how many messages the border refuses.
fn passes(
    table: &mut Table,
    (peer, what): (&'static str, &'static str),
    [outside, inside]: [&str; 2],
    (options, refused): (&[&str], u32),
) {
    table.play("relay", peer, what, |capture| {
        // The ports of streams, for who is called.
        let ports = [
            "-key", "p0", "2000", "-key", "p1", "2002", "-key", "p2", "2004",
        ];
        let within = Sipp::wait_with(inside, SCSCF, CALLS, &ports);
        let address = Sipp::free_port(PCSCF);
        let mut ibcf = ibcf(capture, [&within.address, &address], options);
        let at = ["-at", &address, "-r", "50"];
        Sipp::call(outside, PCSCF, &ibcf.listen, CALLS, &at).finish();
        within.finish();
        ibcf.command(&json!({"command": "statistics"}));
        let messages = ibcf.event("statistics")["messages"].clone();
        assert_eq!(messages["refused"], refused, "{messages}");
        assert!(ibcf.quit());
        format!("{CALLS} of {CALLS}")
    });
}

pub fn all(table: &mut Table) {
    let what = "IB-1: subscribes, is notified, unsubscribes; contacts and documents are translated";
    let sides = ["relay_subscriber", "relay_notifier"];
    passes(table, ("subscriber and S-CSCF", what), sides, (&[], 0));
    let what = "IB-1: the same with a document at first that cannot be read, and is refused";
    let sides = ["relay_subscriber", "relay_notifier_garbled"];
    let refuses = (&["--unread", "refused"][..], CALLS);
    passes(table, ("subscriber and S-CSCF", what), sides, refuses);
    for (what, outside, inside) in [
        (
            "a call passes, and its end",
            "session_caller_ends",
            "session_callee_waits",
        ),
        (
            "a call passes, and is refused",
            "session_caller_refused",
            "session_callee_refuses",
        ),
    ] {
        let peer = "caller and called";
        passes(table, (peer, what), [outside, inside], (&[], 0));
    }
}
