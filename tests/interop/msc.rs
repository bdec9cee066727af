//! SIPp as the registrar of the MSC server's subscribers.

use serde_json::json;

use crate::{
    process::Process,
    sipp::{SCSCF, Sipp},
    table::Table,
};

const SUBSCRIBERS: u32 = 20;

fn msc(capture: &str, registrar: &Sipp, options: &[&str]) -> Process {
    let common = [
        "--listen",
        "127.0.0.1:0",
        "--domain",
        "visited.test",
        "--pcap",
        capture,
        "--registrar",
        &registrar.address,
        "--retry-ms",
        "100",
    ];
    Process::start("msc", &[&common[..], options].concat())
}

fn imsi(number: u32) -> String {
    format!("2341509{number:08}")
}

/// So many are registered.
fn register(msc: &mut Process, subscribers: u32) {
    for number in 0..subscribers {
        let imei = format!("49015420{number:06}");
        msc.command(&json!({"command": "register", "imsi": imsi(number), "imei": imei}));
    }
    for _ in 0..subscribers {
        msc.event("registered");
    }
}

fn end(mut msc: Process, registrar: Sipp, subscribers: u32) -> String {
    registrar.finish();
    msc.command(&json!({"command": "list"}));
    assert_eq!(msc.event("list")["registrations"], json!([]));
    assert!(msc.quit());
    format!("{subscribers} of {subscribers}")
}

/// So many are no longer active; the registrar answers what ends each of them, so often.
fn answered(
    table: &mut Table,
    what: &'static str,
    registrar: &str,
    (subscribers, attempts): (u32, u32),
    outcome: &str,
) {
    table.play("msc", "registrar", what, |capture| {
        let calls = subscribers * (1 + attempts);
        // A Call-ID comes again: it is that of all attempts.
        let again = ["-deadcall_wait", "0"];
        let registrar = Sipp::wait_with(registrar, SCSCF, calls, &again);
        let mut msc = msc(capture, &registrar, &["--reg-event", "off"]);
        register(&mut msc, subscribers);
        for number in 0..subscribers {
            msc.command(&json!({
                "command": "no_longer_active", "imsi": imsi(number), "trigger": "cancel_location",
            }));
        }
        for _ in 0..subscribers {
            let gone = msc.event("deregistered");
            assert_eq!(gone["cause"], "cancel_location", "{gone}");
            assert_eq!(gone["outcome"], outcome, "{gone}");
            assert_eq!(gone["registers"], attempts, "{gone}");
        }
        end(msc, registrar, subscribers)
    });
}

pub fn all(table: &mut Table) {
    answered(
        table,
        "MS-3, MS-4: registers, and deregisters who is no longer active",
        "msc_registrar",
        (SUBSCRIBERS, 1),
        "confirmed",
    );
    // Before one that refuses the node slows down: a few show it.
    for (what, registrar, counts, outcome) in [
        (
            "MS-5: 404",
            "msc_registrar_404",
            (3, 1),
            "nothing_there:404",
        ),
        ("MS-5: 403", "msc_registrar_403", (3, 1), "refused:403"),
        (
            "MS-5: 503 three times",
            "msc_registrar_503",
            (1, 3),
            "failed:503",
        ),
    ] {
        answered(table, what, registrar, counts, outcome);
    }
    let what = "the network ends each registration: the NOTIFY says so, no REGISTER is sent";
    table.play("msc", "registrar", what, |capture| {
        let registrar = Sipp::wait_with("msc_registrar_ends", SCSCF, SUBSCRIBERS * 2, &[]);
        let mut msc = msc(capture, &registrar, &[]);
        register(&mut msc, SUBSCRIBERS);
        for _ in 0..SUBSCRIBERS {
            let gone = msc.event("deregistered");
            assert_eq!(gone["outcome"], "notified", "{gone}");
            assert_eq!(gone["registers"], 0, "{gone}");
        }
        end(msc, registrar, SUBSCRIBERS)
    });
    let what = "MS-1: everybody is deregistered when it is shut down";
    table.play("msc", "registrar", what, |capture| {
        let registrar = Sipp::wait_with("msc_registrar", SCSCF, SUBSCRIBERS * 2, &[]);
        let mut msc = msc(capture, &registrar, &["--reg-event", "off"]);
        register(&mut msc, SUBSCRIBERS);
        msc.command(&json!({"command": "shutdown", "rate": 100, "deadline_ms": 30000}));
        assert_eq!(
            msc.event("shutdown_ended")["tally"]["confirmed"],
            SUBSCRIBERS
        );
        end(msc, registrar, SUBSCRIBERS)
    });
}
