//! SIPp on both sides of the P-CSCF: as the UEs, and as the S-CSCF.

use serde_json::json;

use crate::{
    process::Process,
    sipp::{SCSCF, Sipp, UE},
    table::Table,
};

const UES: u32 = 20;

struct Between {
    pcscf: Process,
    scscf: Sipp,
    ue: String,
}

impl Between {
    /// A P-CSCF before an S-CSCF that is called so often for each UE.
    fn new(capture: &str, scscf: &str, calls: u32, options: &[&str]) -> Self {
        let ue = Sipp::free_port(UE);
        let scscf = Sipp::wait(scscf, SCSCF, &ue, UES * calls);
        let common = [
            "--listen",
            "127.0.0.1:0",
            "--domain",
            "visited.test",
            "--pcap",
            capture,
            "--next-hop",
            &scscf.address,
        ];
        let pcscf = Process::start("pcscf", &[&common, options].concat());
        Self { pcscf, scscf, ue }
    }

    fn ues(&self, scenario: &str, options: &[&str]) -> Sipp {
        let options = [&["-at", &self.ue, "-r", "50"], options].concat();
        Sipp::call(scenario, UE, &self.pcscf.listen, UES, &options)
    }

    /// The outcome of every UE's deregistration.
    fn outcomes(&mut self) -> Vec<String> {
        let outcome = |_| {
            let gone = self.pcscf.event("deregistered");
            format!("{} {}", gone["cause"], gone["outcome"]).replace('"', "")
        };
        (0..UES).map(outcome).collect()
    }

    fn end(mut self) -> String {
        self.scscf.finish();
        assert_eq!(self.pcscf.contacts(), [""; 0]);
        assert!(self.pcscf.quit());
        format!("{UES} of {UES}")
    }
}

/// Where all have the same.
fn all_are(outcomes: &[String], expected: &str) {
    assert!(outcomes.iter().all(|one| one == expected), "{outcomes:?}");
}

pub fn all(table: &mut Table) {
    let unwatched = ["--reg-event", "off"];
    for (what, [ue, scscf], calls, ue_options, options) in [
        (
            "registers, is subscribed to, renews, deregisters, is unsubscribed from",
            ["ue", "scscf"],
            4,
            &[][..],
            &[][..],
        ),
        (
            "the same over TCP, on the UE's side",
            ["ue", "scscf"],
            4,
            &["-t", "t1"],
            &[],
        ),
        (
            "the same, one message in ten lost between UE and P-CSCF",
            ["ue", "scscf"],
            4,
            &["-lost", "10"],
            &[],
        ),
        (
            "a call with Record-Route and Route, and an identity that is asserted",
            ["ue_calls", "scscf"],
            4,
            &[],
            &[],
        ),
        (
            "a call to the UE, which is told who calls, and nothing of charging",
            ["ue_is_called", "scscf_calls"],
            2,
            &[],
            &unwatched,
        ),
        (
            "a call that is cancelled while it rings",
            ["ue_cancels", "scscf_is_cancelled"],
            3,
            &[],
            &unwatched,
        ),
        (
            "a call that is refused",
            ["ue_calls_in_vain", "scscf_refuses"],
            3,
            &[],
            &unwatched,
        ),
    ] {
        table.play("pcscf", "UE and S-CSCF", what, |capture| {
            let mut between = Between::new(capture, scscf, calls, options);
            between.ues(ue, ue_options).finish();
            all_are(&between.outcomes(), "user by_user");
            between.end()
        });
    }
    table.play(
        "pcscf",
        "S-CSCF",
        "the home network ends the registration",
        |capture| {
            let mut between = Between::new(capture, "scscf_ends", 2, &[]);
            between.ues("ue_stays", &[]).finish();
            all_are(&between.outcomes(), "network notified");
            between.end()
        },
    );
    lost(
        table,
        "the access is lost, the S-CSCF confirms and notifies",
        "scscf_confirms",
        3,
        &[],
        "notified",
    );
    lost(
        table,
        "the same without a subscription",
        "scscf_confirms",
        2,
        &unwatched,
        "unconfirmed",
    );
    lost(
        table,
        "the same with 503 and Retry-After at first",
        "scscf_busy",
        2,
        &unwatched,
        "unconfirmed",
    );
    let what = "everybody is deregistered when it is shut down";
    table.play("pcscf", "S-CSCF", what, |capture| {
        let mut between = Between::new(capture, "scscf_confirms", 2, &unwatched);
        between.ues("ue_stays", &[]).finish();
        let order =
            json!({"command": "shutdown", "rate": 100, "in_flight": 10, "deadline_ms": 30000});
        between.pcscf.command(&order);
        let ended = between.pcscf.event("shutdown_ended");
        assert_eq!(ended["tally"]["unconfirmed"], UES, "{ended}");
        between.end()
    });
}

/// Each UE registers, and is lost as soon as it is subscribed to, if it is.
fn lost(
    table: &mut Table,
    what: &'static str,
    scscf: &str,
    calls: u32,
    options: &[&str],
    expected: &str,
) {
    table.play("pcscf", "S-CSCF", what, |capture| {
        let mut between = Between::new(capture, scscf, calls, options);
        let ready = if options.is_empty() {
            "subscribed"
        } else {
            "registered"
        };
        between.ues("ue_stays", &[]).finish();
        for _ in 0..UES {
            between.pcscf.event(ready);
        }
        for contact in between.pcscf.contacts() {
            let lost = json!({"command": "access_lost", "contact": contact});
            between.pcscf.command(&lost);
        }
        all_are(&between.outcomes(), &format!("access_lost {expected}"));
        between.end()
    });
}
