//! SIPp on every side of the CPM Participating Function: as the client, as the other CPM entity, as IWFs.

use serde_json::Value;

use crate::{
    process::Process,
    sipp::{PCSCF, SCSCF, Sipp, UE},
    table::Table,
};

const CALLS: u32 = 5;

/// A branch of the procedures.
struct Branch {
    what: &'static str,
    /// Options of the function, separated by spaces.
    options: &'static str,
    /// The scenario of who calls.
    caller: &'static str,
    /// Who is called: as what, and by which scenario.
    called: &'static [(&'static str, &'static str)],
    /// Cause and recording of each session's end.
    closed: (&'static str, &'static str),
    /// How the others ended who are called, in their order.
    ends: &'static [&'static str],
}

const STORED: &str = "--offline-storage on --store uid=7";
const TERMINATING: &str = "--role terminating --offline-storage on --store uid=7";

const CLIENT_ENDS: &str = "session_client_calls_and_ends";
const CLIENT_LOSES: &str = "session_client_calls_and_loses";
const CLIENT_WAITS: &str = "session_client_calls_and_waits";
const ENDS: &str = "session_caller_ends";
const WAITS: &str = "session_caller_waits";
const SHRINKS: &str = "session_caller_shrinks";

const BRANCHES: &[Branch] = &[
    Branch {
        what: "CO-1: the client ends it",
        options: STORED,
        caller: CLIENT_ENDS,
        called: &[("peer", "session_callee_waits")],
        closed: ("client", "stored"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CO-1: the client ends it, one IWF",
        options: STORED,
        caller: CLIENT_ENDS,
        called: &[("iwf", "session_callee_waits")],
        closed: ("client", "stored"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CO-1: the client ends it, two IWFs",
        options: STORED,
        caller: CLIENT_ENDS,
        called: &[
            ("iwf", "session_callee_waits"),
            ("iwf", "session_callee_waits"),
        ],
        closed: ("client", "stored"),
        ends: &["answered:200", "answered:200"],
    },
    Branch {
        what: "CO-2: the other entity ends it",
        options: STORED,
        caller: CLIENT_WAITS,
        called: &[("peer", "session_callee_ends")],
        closed: ("other", "stored"),
        ends: &["by_itself"],
    },
    Branch {
        what: "CO-3: an IWF of two leaves, and its stream goes; then the client ends it",
        options: "--offline-storage off --iwf-policy streams",
        caller: SHRINKS,
        called: &[
            ("iwf", "session_callee_ends"),
            ("iwf", "session_callee_waits"),
        ],
        closed: ("client", "not_allowed"),
        ends: &["by_itself", "answered:200"],
    },
    Branch {
        what: "CO-4: the one IWF ends it",
        options: STORED,
        caller: CLIENT_WAITS,
        called: &[("iwf", "session_callee_ends")],
        closed: ("iwf:0", "stored"),
        ends: &["by_itself"],
    },
    Branch {
        what: "CO-4: an IWF of two ends it",
        options: STORED,
        caller: CLIENT_WAITS,
        called: &[
            ("iwf", "session_callee_ends"),
            ("iwf", "session_callee_waits"),
        ],
        closed: ("iwf:0", "stored"),
        ends: &["by_itself", "answered:200"],
    },
    Branch {
        what: "CT-1: the client ends it",
        options: TERMINATING,
        caller: WAITS,
        called: &[("client", "session_client_ends")],
        closed: ("client", "stored"),
        ends: &["by_itself"],
    },
    Branch {
        what: "CT-2: the other entity ends it",
        options: TERMINATING,
        caller: ENDS,
        called: &[("client", "session_client_waits")],
        closed: ("other", "stored"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CT-2: the other entity ends it, one IWF",
        options: TERMINATING,
        caller: ENDS,
        called: &[("iwf", "session_callee_waits")],
        closed: ("other", "stored"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CT-2: the other entity ends it, two IWFs",
        options: TERMINATING,
        caller: ENDS,
        called: &[
            ("iwf", "session_callee_waits"),
            ("iwf", "session_callee_waits"),
        ],
        closed: ("other", "stored"),
        ends: &["answered:200", "answered:200"],
    },
    Branch {
        what: "CT-3: an IWF of two leaves, and its stream goes; then the other entity ends it",
        options: "--role terminating --iwf-policy streams",
        caller: SHRINKS,
        called: &[
            ("iwf", "session_callee_ends"),
            ("iwf", "session_callee_waits"),
        ],
        closed: ("other", "not_allowed"),
        ends: &["by_itself", "answered:200"],
    },
    Branch {
        what: "CT-4: the one IWF ends it",
        options: TERMINATING,
        caller: WAITS,
        called: &[("iwf", "session_callee_ends")],
        closed: ("iwf:0", "stored"),
        ends: &["by_itself"],
    },
    Branch {
        what: "CT-4: an IWF of two ends it",
        options: TERMINATING,
        caller: WAITS,
        called: &[
            ("iwf", "session_callee_ends"),
            ("iwf", "session_callee_waits"),
        ],
        closed: ("iwf:0", "stored"),
        ends: &["by_itself", "answered:200"],
    },
    Branch {
        what: "CP-1: a proxy for the client who calls, who ends it",
        options: "--mode proxy",
        caller: ENDS,
        called: &[("peer", "session_callee_waits")],
        closed: ("client", "not_allowed"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CP-1: a proxy for the client who calls; the other entity ends it",
        options: "--mode proxy",
        caller: WAITS,
        called: &[("peer", "session_callee_ends")],
        closed: ("other", "not_allowed"),
        ends: &["by_itself"],
    },
    Branch {
        what: "CP-1: a proxy for the client who is called, who ends it",
        options: "--mode proxy --role terminating",
        caller: WAITS,
        called: &[("client", "session_callee_ends")],
        closed: ("client", "not_allowed"),
        ends: &["by_itself"],
    },
    Branch {
        what: "CP-1: a proxy for the client who is called; the other entity ends it",
        options: "--mode proxy --role terminating",
        caller: ENDS,
        called: &[("client", "session_callee_waits")],
        closed: ("other", "not_allowed"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CP-3: the store fails",
        options: "--offline-storage on --store fail",
        caller: ENDS,
        called: &[("peer", "session_callee_waits")],
        closed: ("client", "failed"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CP-3: the store is too late",
        options: "--offline-storage on --store slow=2000 --store-ms 500",
        caller: ENDS,
        called: &[("peer", "session_callee_waits")],
        closed: ("client", "no_answer"),
        ends: &["answered:200"],
    },
    Branch {
        what: "CP-5: an IWF of two answers 481",
        options: STORED,
        caller: CLIENT_ENDS,
        called: &[
            ("iwf", "session_callee_waits"),
            ("iwf", "session_callee_481"),
        ],
        closed: ("client", "stored"),
        ends: &["answered:200", "answered:481"],
    },
    Branch {
        what: "CP-5: the other entity answers 503",
        options: STORED,
        caller: CLIENT_ENDS,
        called: &[("peer", "session_callee_503")],
        closed: ("client", "stored"),
        ends: &["answered:503"],
    },
    Branch {
        what: "CP-3, CP-5: the other entity is silent",
        options: "--offline-storage on --far-side-ms 1000 --answer-ms 2000",
        caller: CLIENT_ENDS,
        called: &[("peer", "session_callee_silent")],
        closed: ("client", "stored"),
        ends: &["no_response"],
    },
    Branch {
        what: "CP-6: the BYEs cross",
        options: STORED,
        caller: CLIENT_ENDS,
        called: &[("peer", "session_callee_crosses")],
        closed: ("client", "stored"),
        ends: &["crossed"],
    },
    Branch {
        what: "CP-6: every second BYE from here is lost, and every second 200 to the client",
        options: STORED,
        caller: CLIENT_LOSES,
        called: &[("peer", "session_callee_loses")],
        closed: ("client", "stored"),
        ends: &["answered:200"],
    },
];

/// Who is called, before the function is started: his options name them.
fn called(branch: &Branch) -> Vec<(String, Sipp)> {
    let is_shared = branch.called.len() > 1;
    let streams = |number: usize| match (is_shared, number) {
        (false, _) => ["20000", "20002", "20004"],
        (true, 0) => ["20000", "0", "0"],
        (true, _) => ["0", "20002", "20004"],
    };
    let callees = branch.called.iter().enumerate();
    let started = callees.map(|(number, (party, scenario))| {
        let [first, second, third] = streams(number);
        let keys = [
            "-key", "p0", first, "-key", "p1", second, "-key", "p2", third,
        ];
        let ip = match *party {
            "client" => UE,
            "peer" => SCSCF,
            _ => PCSCF,
        };
        let sipp = Sipp::wait_with(scenario, ip, CALLS, &keys);
        (format!("--{party}"), sipp)
    });
    started.collect()
}

fn function(capture: &str, options: &str, called: &[(String, Sipp)]) -> Process {
    let mut all = vec![
        "--listen",
        "127.0.0.1:0",
        "--domain",
        "home1.test",
        "--pcap",
        capture,
    ];
    all.extend(options.split_whitespace());
    for (party, sipp) in called {
        all.extend([party.as_str(), &sipp.address]);
    }
    Process::start("cpm", &all)
}

impl Branch {
    fn play(&self, capture: &str) -> String {
        let called = called(self);
        let mut function = function(capture, self.options, &called);
        Sipp::call(self.caller, UE, &function.listen, CALLS, &[]).finish();
        for _ in 0..CALLS {
            self.check(&function.event("session_closed"));
        }
        for (_, sipp) in called {
            sipp.finish();
        }
        assert!(function.quit());
        format!("{CALLS} of {CALLS}")
    }

    fn check(&self, closed: &Value) {
        let (cause, recording) = self.closed;
        assert_eq!(closed["cause"], cause, "{closed}");
        assert_eq!(closed["recording"], recording, "{closed}");
        let ends = &closed["ends"];
        let iwfs = ends["iwfs"].as_array().unwrap();
        let far = match self.options.contains("terminating") {
            true => &ends["client"],
            false => &ends["other"],
        };
        let found: Vec<&str> = match iwfs.as_slice() {
            [] => far.as_str().into_iter().collect(),
            iwfs => iwfs.iter().filter_map(Value::as_str).collect(),
        };
        assert_eq!(found, self.ends, "{closed}");
    }
}

pub fn all(table: &mut Table) {
    for branch in BRANCHES {
        table.play("cpm", peers(branch), branch.what, |capture| {
            branch.play(capture)
        });
    }
    let what = "the other entity has no time: the client hears of it";
    table.play("cpm", "client and other", what, |capture| {
        let callee = Sipp::wait_with("session_callee_refuses", SCSCF, CALLS, &[]);
        let called = [("--peer".to_owned(), callee)];
        let mut function = function(capture, "", &called);
        Sipp::call("session_caller_refused", UE, &function.listen, CALLS, &[]).finish();
        for _ in 0..CALLS {
            assert_eq!(function.event("session_refused")["status"], 486);
        }
        assert!(function.quit());
        format!("{CALLS} of {CALLS}")
    });
}

fn peers(branch: &Branch) -> &'static str {
    let is_terminating = branch.options.contains("terminating");
    match (is_terminating, branch.called) {
        (_, [("client", ..)] | [("peer", ..)]) => "client and other",
        (false, [_]) => "client and IWF",
        (false, _) => "client and IWFs",
        (true, [_]) => "other and IWF",
        (true, _) => "other and IWFs",
    }
}
