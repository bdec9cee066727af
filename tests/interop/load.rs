//! Many UEs: `IMS_INTEROP_LOAD=SECONDS` has them register, renew and deregister for so long, at the highest rate that the
//! machine bears. That is found in a few seconds each; where it is not borne for so long, less is tried.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
    time::Duration,
};

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
/// Seconds from which on a run is to tell whether memory grows.
const TELLING: u32 = 60;
/// Seconds of a run in whose last third memory does not grow any more: of what is over, something is kept for 64 s.
const STEADY: u32 = 96;
/// Runs that may be made again, each with two thirds of the rate.
const AGAIN: u32 = 3;
/// Seconds of each try for a rate.
const TRY: u32 = 4;

pub fn all(table: &mut Table) {
    let seconds = std::env::var("IMS_INTEROP_LOAD").ok();
    let Some(seconds) = seconds.and_then(|seconds| seconds.parse().ok()) else {
        println!("interop: no load, for IMS_INTEROP_LOAD does not say how many seconds");
        return;
    };
    table.measure("scscf", "UE", "as many as the machine bears", || {
        bear(&|| vec![scscf()], seconds)
    });
    let what = "as many as the machine bears, before our S-CSCF";
    table.measure("pcscf", "UE", what, || bear(&both, seconds));
}

/// A P-CSCF before an S-CSCF.
fn both() -> Vec<Process> {
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
    vec![pcscf, scscf]
}

fn scscf() -> Process {
    let options = ["--listen", "127.0.0.1:0", "--domain", "ims.test", "--quiet"];
    Process::start("scscf", &[&options[..], &["--trust", "127.0.0.1"]].concat())
}

/// Finds the rate, and keeps it up. The UEs have to do with the first of the elements.
fn bear(start: &dyn Fn() -> Vec<Process>, seconds: u32) -> String {
    let rate = {
        let elements = start();
        highest(&elements[0].listen)
    };
    borne(rate, |rate| keep_up(start(), rate, length(seconds)))
}

/// What the first run says that goes well: if one at that rate does not, one at two thirds of it follows, a few times.
fn borne(highest: u32, mut run: impl FnMut(u32) -> String) -> String {
    let mut rate = highest;
    for _ in 0..AGAIN {
        if let Ok(told) = catch_unwind(AssertUnwindSafe(|| run(rate))) {
            return told;
        }
        let lower = rate * 2 / 3;
        println!("interop: {rate} UEs a second are not borne; again with {lower}");
        rate = lower;
    }
    run(rate)
}

/// Keeps a rate up, and looks at what is left.
fn keep_up(mut elements: Vec<Process>, rate: u32, seconds: u32) -> String {
    let begin = memory(&elements);
    let mut ues = calls(&elements[0].listen, rate, seconds);
    let mut middle = Vec::new();
    let mut elapsed = 0;
    while !ues.is_over() {
        thread::sleep(Duration::from_secs(1));
        elapsed += 1;
        if elapsed * 3 >= seconds * 2 && middle.is_empty() {
            middle = memory(&elements);
        }
    }
    let failed = ues.statistic("FailedCall(C)");
    let again = ues.statistic("Retransmissions(C)");
    let ended = memory(&elements);
    let times: Vec<Times> = elements.iter().map(Times::of).collect();
    ues.finish();
    let calls = rate * seconds;
    assert_eq!(failed, 0, "{failed} registrations of {calls} failed");
    for element in &mut elements {
        settle(element);
    }
    assert!(
        seconds < STEADY || !grows(&middle, &ended),
        "memory grows: {middle:?} bytes, {ended:?} at the end"
    );
    let left: Vec<u64> = elements.iter_mut().map(left).collect();
    for element in elements {
        assert!(element.quit());
    }
    assert!(left.iter().all(|left| *left == 0), "{left:?} are left");
    let requests = u64::from(calls) * REQUESTS;
    let times = times.iter().map(|times| times.of_each(requests));
    let times = times.collect::<Vec<_>>().join(" and ");
    println!(
        "interop: {again} requests sent again; memory {} at the start, {} at two thirds, {} at the end",
        mebibytes(&begin),
        mebibytes(&middle),
        mebibytes(&ended),
    );
    format!(
        "{rate} UEs a second for {seconds} s: {requests} requests, all answered, with {times} for each; {} after {} s, {} after {seconds} s; nobody left",
        mebibytes(&middle),
        seconds * 2 / 3,
        mebibytes(&ended),
    )
}

/// Seconds of a run for which so many are asked: one that is to tell whether memory grows is long enough for that.
fn length(asked: u32) -> u32 {
    match asked < TELLING {
        true => asked,
        false => asked.max(STEADY),
    }
}

/// Whether an element has got larger in the last third of a run.
fn grows(middle: &[u64], ended: &[u64]) -> bool {
    let mut both = middle.iter().zip(ended);
    both.any(|(middle, ended)| ended * 9 > middle * 10)
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

/// Hundredths of a second of a core.
struct Times {
    program: u64,
    system: u64,
}

impl Times {
    fn of(element: &Process) -> Self {
        let stat = fs::read_to_string(format!("/proc/{}/stat", element.id())).unwrap();
        let fields: Vec<&str> = stat.split_whitespace().collect();
        let time = |place: usize| fields[place].parse().unwrap();
        let (program, system) = (time(13), time(14));
        Self { program, system }
    }

    fn of_each(&self, requests: u64) -> String {
        let microseconds = |time: u64| time * 10_000 / requests;
        let [program, system] = [self.program, self.system].map(microseconds);
        format!("{program} µs of a core in the program, {system} µs in the system")
    }
}

fn left(element: &mut Process) -> u64 {
    element.command(&json!({"command": "statistics"}));
    let statistics = element.event("statistics");
    let own = |field: &str| statistics.get(field).and_then(Value::as_u64);
    own("bindings").or(own("registrations")).unwrap()
}

/// A rate that is not borne is taken down until one is, and no further.
#[test]
fn a_rate_that_is_not_borne() {
    for (most, expected) in [(400, &[900, 600, 400][..]), (0, &[900, 600, 400, 266])] {
        let mut tried = Vec::new();
        let run = |rate: u32| {
            tried.push(rate);
            if rate > most {
                // Nothing is to be printed of what is expected.
                resume_unwind(Box::new("too much"));
            }
            format!("{rate} a second")
        };
        let told = catch_unwind(AssertUnwindSafe(|| borne(900, run)));
        assert_eq!(told.ok().as_deref(), (most > 0).then_some("400 a second"));
        assert_eq!(tried, expected);
    }
}

/// From a minute on a run is long enough to tell whether memory grows.
#[test]
fn memory_that_grows() {
    assert_eq!([20, 59, 60, 90, 120].map(length), [20, 59, 96, 96, 120]);
    assert!(!grows(&[900, 90], &[1_000, 100]));
    assert!(grows(&[900, 90], &[900, 101]));
}
