//! What follows without a 200 (S1 L46 leaves it open).

use ims_procedures::{
    drive::{Answer, Node},
    mscics::{Cause, Config, Outcome},
};

use crate::bed::{Bed, Out, briefs, outcome, plain, request, response};

fn config(attempts: u8) -> Config {
    let mut config = plain();
    config.attempts = attempts;
    // Nobody is held off by what the pacer makes of refusals.
    config.pacing.slowed_by.overloaded = false;
    config.pacing.slowed_by.timeout = false;
    config.pacing.slowed_by.unreachable = false;
    config
}

/// The node right after its first REGISTER was answered so.
fn answered(config: Config, status: u16, extra: &str) -> (Bed, Vec<Out>) {
    let mut bed = Bed::registered(config);
    let (token, register) = request(&bed.inactive(Cause::CancelLocation));
    let out = bed.respond(token, &response(status, &register, extra));
    (bed, out)
}

/// [MS-4] [MS-5] Each final status: what ends it at once, and how it is reported; one report each, and nothing is left.
#[test]
fn every_status() {
    for status in 200..700 {
        let (bed, out) = answered(config(3), status, "");
        let expected = match status {
            200..=299 => Some(Outcome::Confirmed),
            404 | 481 => Some(Outcome::NothingThere { status }),
            401 | 407 => Some(Outcome::Challenged { status }),
            403 | 423 => Some(Outcome::Refused { status }),
            408 | 480 | 500..=599 => None,
            _ => Some(Outcome::Failed { status }),
        };
        match expected {
            Some(expected) => {
                assert_eq!(
                    outcome(&out),
                    (Cause::CancelLocation, expected, 1, 0, false)
                );
                assert_eq!(bed.node.registrations(), 0);
                assert_eq!(bed.node.deadline(), None, "{status}");
            }
            None => {
                assert_eq!(out, [], "{status}");
                let (at, timer) = bed.node.deadline().unwrap();
                assert_eq!((at, timer.0), (bed.now.after(4_000), "retry of REGISTER"));
            }
        }
    }
}

/// [MS-5] A provisional response ends nothing.
#[test]
fn provisional() {
    let (bed, out) = answered(config(3), 100, "");
    assert_eq!(out, []);
    assert_eq!(bed.node.deadline().unwrap().1.0, "answer to REGISTER");
}

/// [MS-5] Server errors, 408 and silence are tried again, so often, each time after twice the time; the attempts have one
/// Call-ID and rising numbers. Then it ends, and is reported.
#[test]
fn bounded_attempts() {
    for attempts in [1, 2, 5, 16] {
        for kind in 0..5 {
            let mut bed = Bed::registered(config(attempts));
            let mut out = bed.inactive(Cause::Purge);
            let mut call_id = None;
            let mut wait = 4_000;
            for attempt in 1..=attempts {
                let (token, register) = request(&out);
                let text = String::from_utf8(register.clone()).unwrap();
                assert!(text.contains(&format!("\r\nCSeq: {attempt} REGISTER\r\n")));
                let (_, rest) = text.split_once("\r\nCall-ID: ").unwrap();
                let own = rest.lines().next().unwrap().to_owned();
                assert_eq!(call_id.get_or_insert(own.clone()), &own);
                out = match kind {
                    0 => bed.respond(token, &response(503, &register, "")),
                    1 => bed.respond(token, &response(408, &register, "")),
                    2 => bed.answer(token, Answer::Timeout),
                    3 => bed.answer(token, Answer::Unreachable),
                    _ => bed.fire("answer to REGISTER"),
                };
                if attempt < attempts {
                    assert_eq!(out, []);
                    let (at, _) = bed.node.deadline().unwrap();
                    assert_eq!(at, bed.now.after(wait));
                    out = bed.fire("retry of REGISTER");
                    wait *= 2;
                }
            }
            let expected = match kind {
                0 => Outcome::Failed { status: 503 },
                1 => Outcome::Failed { status: 408 },
                _ => Outcome::NoResponse,
            };
            assert_eq!(outcome(&out), (Cause::Purge, expected, attempts, 0, false));
            assert_eq!(bed.node.deadline(), None);
        }
    }
}

/// [MS-5] Retry-After is waited for, where it is longer than the interval and no longer than the limit; past that, the
/// attempts end.
#[test]
fn retry_after() {
    for (seconds, wait) in [
        (0, Some(4_000)),
        (3, Some(4_000)),
        (60, Some(60_000)),
        (120, Some(120_000)),
        (121, None),
    ] {
        let (bed, out) = answered(
            config(3),
            500,
            &format!("Retry-After: {seconds} (busy)\r\n"),
        );
        match wait {
            Some(wait) => {
                assert_eq!(out, []);
                assert_eq!(bed.node.deadline().unwrap().0, bed.now.after(wait));
            }
            None => {
                let failed = Outcome::Failed { status: 500 };
                assert_eq!(outcome(&out), (Cause::CancelLocation, failed, 1, 0, false));
            }
        }
    }
}

/// [MS-5] Later attempts may succeed.
#[test]
fn second_attempt() {
    let (mut bed, out) = answered(config(3), 500, "");
    assert_eq!(out, []);
    let (token, register) = request(&bed.fire("retry of REGISTER"));
    let out = bed.respond(token, &response(200, &register, ""));
    let expected = (Cause::CancelLocation, Outcome::Confirmed, 2, 0, false);
    assert_eq!(outcome(&out), expected);
}

/// [MS-5] What comes too late, or is no response at all: the first is counted, the second is as good as silence.
#[test]
fn late_and_unreadable() {
    let mut bed = Bed::registered(config(1));
    let (token, register) = request(&bed.inactive(Cause::Purge));
    let out = bed.respond(token, b"SIP/2.0 200");
    assert_eq!(outcome(&out).1, Outcome::NoResponse);
    assert_eq!(bed.respond(token, &response(200, &register, "")), []);
    let counters = bed.node.counters();
    assert_eq!((counters.malformed, counters.stale_answers), (1, 1));
    assert_eq!(counters.ended.no_response, 1);
}

/// [DR-10] What has been counted.
#[test]
fn counted() {
    let (bed, out) = answered(config(1), 403, "");
    assert_eq!(briefs(&out), ["Deregistered"]);
    let counters = bed.node.counters();
    assert_eq!((counters.learned, counters.triggered), (1, 1));
    assert_eq!((counters.ended.refused, counters.ended.total()), (1, 1));
}
