//! Many UEs: `IMS_INTEROP_LOAD=SECONDS` has them register, renew and deregister for so long, at the highest rate that the
//! machine bears.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    process::Process,
    sipp::{Sipp, UE},
    table::Table,
};

/// Requests of a UE.
const REQUESTS: u64 = 3;
/// Seconds: a NOTIFY is waited for 32 s, and may be sent again for as long.
const SETTLED_WITHIN: u32 = 70;
/// Seconds after which memory does not grow any more: of what is over, something is kept for 64 s.
const STEADY: u32 = 120;
/// Seconds of each try for a rate.
const TRY: u32 = 4;

pub fn all(table: &mut Table) {
    let seconds = std::env::var("IMS_INTEROP_LOAD").ok();
    let Some(seconds) = seconds.and_then(|seconds| seconds.parse().ok()) else {
        println!("interop: no load, for IMS_INTEROP_LOAD does not say how many seconds");
        return;
    };
    table.measure("scscf", "UE", "as many as the machine bears", || {
        let scscf = scscf();
        let listen = scscf.listen.clone();
        bear(vec![scscf], &listen, seconds)
    });
    let what = "as many as the machine bears, before our S-CSCF";
    table.measure("pcscf", "UE", what, || {
        let scscf = scscf();
        let options = [
            "--listen",
            "127.0.0.1:0",
            "--domain",
            "visited.test",
            "--quiet",
        ];
        let next = ["--next-hop", &scscf.listen];
        let pcscf = Process::start("pcscf", &[&options[..], &next].concat());
        let listen = pcscf.listen.clone();
        bear(vec![pcscf, scscf], &listen, seconds)
    });
}

fn scscf() -> Process {
    let options = ["--listen", "127.0.0.1:0", "--domain", "ims.test", "--quiet"];
    Process::start("scscf", &[&options[..], &["--trust", "127.0.0.1"]].concat())
}

/// Finds the rate, keeps it up, and looks at what is left.
fn bear(mut elements: Vec<Process>, listen: &str, seconds: u32) -> String {
    let rate = highest(listen);
    let begin = memory(&elements);
    let mut ues = calls(listen, rate, seconds);
    let mut middle = Vec::new();
    let mut elapsed = 0;
    while !ues.is_over() {
        thread::sleep(Duration::from_secs(1));
        elapsed += 1;
        if elapsed * 3 >= seconds * 2 && middle.is_empty() {
            middle = memory(&elements);
        }
    }
    let (failed, again) = (
        ues.statistic("FailedCall(C)"),
        ues.statistic("Retransmissions(C)"),
    );
    let ended = memory(&elements);
    ues.finish();
    assert_eq!(
        failed,
        0,
        "{failed} registrations of {} failed",
        rate * seconds
    );
    for element in &mut elements {
        settle(element);
    }
    if seconds >= STEADY {
        for (middle, ended) in middle.iter().zip(&ended) {
            assert!(
                ended * 9 <= middle * 10,
                "memory grows: {middle} bytes, {ended} at the end"
            );
        }
    }
    let times: Vec<String> = elements.iter().map(times).collect();
    let left: Vec<u64> = elements.iter_mut().map(left).collect();
    for element in elements {
        assert!(element.quit());
    }
    assert!(left.iter().all(|left| *left == 0), "{left:?} are left");
    println!(
        "interop: {again} requests sent again; memory {} at the start, {} at two thirds, {} at the end; {}",
        mebibytes(&begin),
        mebibytes(&middle),
        mebibytes(&ended),
        times.join(", "),
    );
    // Of the element that the UEs have to do with.
    let first = |memory: &[u64]| mebibytes(memory.get(..1).unwrap_or_default());
    format!(
        "{rate} UEs a second for {seconds} s: {} requests, all answered; {} after {} s, {} after {seconds} s; nobody left",
        u64::from(rate * seconds) * REQUESTS,
        first(&middle),
        seconds * 2 / 3,
        first(&ended),
    )
}

/// Waits until what a lost NOTIFY leaves behind is over too (PD-8): nothing may stay for good.
fn settle(element: &mut Process) {
    for _ in 0..SETTLED_WITHIN {
        if element.contacts().is_empty() {
            return;
        }
        thread::sleep(Duration::from_secs(1));
    }
    let adrift = element.contacts().len();
    panic!("{adrift} registrations are adrift");
}

fn calls(listen: &str, rate: u32, seconds: u32) -> Sipp {
    let bound = (seconds * 2 + 60).to_string();
    let rate_text = rate.to_string();
    let options = ["-r", &rate_text, "-timeout", &bound, "-l", "15000"];
    Sipp::call("ue", UE, listen, rate * seconds, &options)
}

/// The highest rate at which next to nothing has to be sent again, less a fifth.
fn highest(listen: &str) -> u32 {
    let mut good = 50;
    for rate in [100, 200, 400, 800, 1_200, 1_600, 2_400, 3_200, 4_800, 6_400] {
        let mut ues = calls(listen, rate, TRY);
        while !ues.is_over() {
            thread::sleep(Duration::from_millis(100));
        }
        let requests = u64::from(rate * TRY) * REQUESTS;
        let again = ues.statistic("Retransmissions(C)") + ues.statistic("FailedCall(C)");
        println!("interop: {rate} a second: {again} of {requests} sent again");
        if again * 200 > requests {
            break;
        }
        good = rate;
    }
    good * 4 / 5
}

/// Bytes that each process has in memory.
fn memory(elements: &[Process]) -> Vec<u64> {
    let own = |element: &Process| {
        let status = fs::read_to_string(format!("/proc/{}/status", element.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
        kibibytes
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
            * 1_024
    };
    elements.iter().map(own).collect()
}

fn mebibytes(memory: &[u64]) -> String {
    let each = memory.iter().map(|bytes| format!("{} MiB", bytes >> 20));
    each.collect::<Vec<_>>().join(" and ")
}

/// Seconds of a core, in the program and in the system.
fn times(element: &Process) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", element.id())).unwrap();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let seconds = |place: usize| fields[place].parse::<u64>().unwrap() / 100;
    format!(
        "{} s of a core in the program, {} s in the system",
        seconds(13),
        seconds(14)
    )
}

fn left(element: &mut Process) -> u64 {
    element.command(&json!({"command": "statistics"}));
    let statistics = element.event("statistics");
    let own = |field: &str| statistics.get(field).and_then(Value::as_u64);
    own("bindings").or(own("registrations")).unwrap()
}
