//! What becomes of a subscription whose SUBSCRIBE is refused, not answered, or answered by what cannot be read.

use super::bed::{
    ANEW, Bed, EXPIRY, Ev, NOTIFIER, Out, PROFILES, REFRESH, Subscribe, TIMER_N, active,
    active_for, config, ended, registered,
};
use ims_procedures::{
    drive,
    regevent::{
        node::Config,
        subscriber::{End, Profile, Standing},
    },
};

/// What an answer to a SUBSCRIBE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Ends,
    /// It lasts until its granted time is over, and is not refreshed.
    RunsOut,
    /// It lasts, and is refreshed again after so many milliseconds.
    Again(u64),
    /// It is subscribed anew, in another dialog.
    Anew,
}

/// RFC 6665 4.1.2.2: the codes that a refresh does not survive, 481 among them.
const KILLING: [u16; 13] = [
    404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
];

/// TS 24.229 5.2.3 and RFC 6665 4.1.2.2.
fn of_refresh_by_rfc(status: u16) -> Fate {
    match status {
        481 => Fate::Anew,
        status if KILLING.contains(&status) => Fate::Ends,
        _ => Fate::Again(32_000),
    }
}

fn keeping(keep: bool) -> Config {
    let mut config = config(Profile::Sbc);
    config.subscription.keep_on_refresh_error = keep;
    config
}

/// Checks what the node did and waits for.
fn assert_fate(bed: &mut Bed, out: &[Out], why: End, fate: Fate, left: u64) {
    match fate {
        Fate::Ends => {
            assert_eq!(out, ended(why));
            assert_eq!(bed.next(), None);
            assert_eq!(bed.standing(), Standing::None);
        }
        Fate::RunsOut => {
            assert_eq!(out, []);
            assert_eq!(bed.next(), Some((left, EXPIRY)), "{why:?}");
            assert_eq!(bed.standing(), Standing::Active);
        }
        Fate::Again(milliseconds) => {
            assert_eq!(out, []);
            assert_eq!(bed.next(), Some((milliseconds, REFRESH)), "{why:?}");
            assert_eq!(bed.standing(), Standing::Active);
        }
        Fate::Anew => {
            assert_eq!(out, [Out::Event(Ev::Lost(why, 0))]);
            assert_eq!(bed.next(), Some((0, ANEW)));
            assert_eq!(bed.standing(), Standing::Waiting);
        }
    }
}

/// [RE-8] Every status of refusal to the initial SUBSCRIBE ends the subscription, in both profiles, with and
/// without the options of S2 (S2 L45; TS 24.229 5.2.3), whatever Retry-After says.
#[test]
fn initial_refused() {
    let mut optional = keeping(true);
    optional.subscription.retry_too_brief = true;
    for config in [keeping(false), optional, config(Profile::Rfc6665)] {
        for status in 300..=699 {
            for extra in ["", "Retry-After: 5\r\n"] {
                let (mut bed, first) = registered(config.clone(), 3_600);
                let out = bed.respond(&first, status, extra);
                assert_fate(&mut bed, &out, End::Refused { status }, Fate::Ends, 0);
            }
        }
    }
}

/// [RE-8] Every status of refusal to a refresh: by S2 it ends, or by option runs out; by RFC 6665 only the codes
/// of 4.1.2.2 end it, 481 has it subscribed anew, and any other leaves it (T28).
#[test]
fn refresh_refused() {
    for status in 300..=699 {
        let by_rfc = of_refresh_by_rfc(status);
        for (config, fate) in [
            (keeping(false), Fate::Ends),
            (keeping(true), Fate::RunsOut),
            (config(Profile::Rfc6665), by_rfc),
        ] {
            let (mut bed, _) = active_for(config, 3_660);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            let out = bed.respond(&refresh, status, "");
            let why = End::Refused { status };
            assert_fate(&mut bed, &out, why, fate, 600_000);
        }
    }
}

/// [RE-8] After 481 the SUBSCRIBE is an initial one, in another dialog (RFC 6665 4.1.2.2).
#[test]
fn anew_after_481() {
    let (mut bed, first) = active(Profile::Rfc6665);
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    bed.respond(&refresh, 481, "");
    let anew = Subscribe::only(&bed.fire(ANEW));
    assert_ne!(anew.call_id(), first.call_id());
    assert_ne!(anew.tag(), first.tag());
    assert!(!anew.line("To:").contains("tag="));
    assert_eq!((anew.cseq(), anew.expires()), (1, first.expires()));
    let out = bed.respond(&anew, 404, "");
    assert_eq!(out, ended(End::Refused { status: 404 }));
}

/// [RE-8] A refresh that fails without ending it is tried again until its time is over, and not past it.
#[test]
fn tried_again_until_the_expiry() {
    let (mut bed, _) = active_for(config(Profile::Rfc6665), 100);
    let granted = bed.now;
    let mut refreshes = 0;
    let lost = loop {
        let (_, timer) = bed.next().unwrap();
        let mut out = bed.fire(timer);
        if timer == REFRESH {
            refreshes += 1;
            out = bed.respond(&Subscribe::only(&out), 500, "");
        }
        if !out.is_empty() {
            break out;
        }
    };
    assert_eq!(refreshes, 2, "after 50 s and 82 s");
    assert_eq!(lost, [Out::Event(Ev::Lost(End::Expired, 0))]);
    assert_eq!(bed.now.since(granted), 100_000);
}

/// [RE-8] Retry-After says when a refresh is tried again, if that is later; a comment and parameters in it do
/// not matter (T28).
#[test]
fn retry_after() {
    for (value, fate) in [
        ("120", Fate::Again(120_000)),
        ("120 (overloaded);duration=60", Fate::Again(120_000)),
        ("33", Fate::Again(33_000)),
        ("31", Fate::Again(32_000)),
        ("0", Fate::Again(32_000)),
        ("soon", Fate::Again(32_000)),
        ("599", Fate::Again(599_000)),
        ("600", Fate::RunsOut),
        ("4294967295", Fate::RunsOut),
    ] {
        for status in [480, 500, 503] {
            let (mut bed, _) = active(Profile::Rfc6665);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            let out = bed.respond(&refresh, status, &format!("Retry-After: {value}\r\n"));
            let fate = if status == 480 { Fate::Ends } else { fate };
            assert_fate(&mut bed, &out, End::Refused { status }, fate, 600_000);
        }
    }
}

/// [RE-8] A 423 is followed once by a SUBSCRIBE with its Min-Expires, in the same dialog or with the same
/// Call-ID, by RFC 6665 and by the option of S2; a second in a row is a refusal, and so is one without a
/// Min-Expires that is more than was asked (T28).
#[test]
fn too_brief() {
    let why = End::Refused { status: 423 };
    let mut retrying = config(Profile::Sbc);
    retrying.subscription.retry_too_brief = true;
    for (config, follows) in [
        (config(Profile::Sbc), false),
        (retrying, true),
        (config(Profile::Rfc6665), true),
    ] {
        let kept = config.subscription.profile == Profile::Rfc6665;
        for (extra, usable) in [
            ("Min-Expires: 700000\r\n", true),
            ("Min-Expires: 600061\r\n", true),
            ("Min-Expires: 600060\r\n", false),
            ("Min-Expires: 0\r\n", false),
            ("Min-Expires: x\r\n", false),
            ("", false),
        ] {
            let (mut bed, first) = registered(config.clone(), 600_000);
            let out = bed.respond(&first, 423, extra);
            if !(follows && usable) {
                assert_eq!(out, ended(why), "{extra}");
            } else {
                let second = Subscribe::only(&out);
                let least = extra.split([' ', '\r']).nth(1).unwrap();
                assert_eq!(second.line("Expires:"), format!("Expires: {least}"));
                assert_eq!(second.call_id(), first.call_id());
                assert_eq!(second.cseq(), 2);
                assert_ne!(second.line("Via:"), first.line("Via:"));
                let out = bed.respond(&second, 423, "Min-Expires: 800000\r\n");
                assert_eq!(out, ended(why));
            }

            let (mut bed, _) = active_for(config.clone(), 3_660);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            let out = bed.respond(&refresh, 423, extra);
            let fate = if kept {
                Fate::Again(32_000)
            } else {
                Fate::Ends
            };
            if follows && usable {
                let second = Subscribe::only(&out);
                assert_eq!((second.call_id(), second.cseq()), (refresh.call_id(), 3));
                assert_eq!(second.line("To:"), refresh.line("To:"));
                let out = bed.respond(&second, 423, "Min-Expires: 800000\r\n");
                assert_fate(&mut bed, &out, why, fate, 600_000);
            } else {
                assert_fate(&mut bed, &out, why, fate, 600_000);
            }
        }
    }
}

/// [RE-8] After a 423 that was followed with success, another one is followed again.
#[test]
fn too_brief_once_in_a_row() {
    let (mut bed, first) = registered(config(Profile::Rfc6665), 600_000);
    let second = Subscribe::only(&bed.respond(&first, 423, "Min-Expires: 700000\r\n"));
    bed.respond(&second, 200, &format!("{NOTIFIER}Expires: 700000\r\n"));
    let out = bed.notified(&second.notify(1, "active;expires=700000", ""));
    assert_eq!(out, [Out::Event(Ev::Subscribed(700_000))]);
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    assert_eq!(refresh.expires(), 700_000);
    let third = Subscribe::only(&bed.respond(&refresh, 423, "Min-Expires: 700001\r\n"));
    assert_eq!(third.expires(), 700_001);
}

/// [RE-8] No response to the initial SUBSCRIBE ends it: told by the host, or by Timer N (S2 L49).
#[test]
fn initial_unanswered() {
    for profile in PROFILES {
        for told in [
            Some(drive::Answer::Timeout),
            Some(drive::Answer::Unreachable),
            None,
        ] {
            let (mut bed, first) = registered(config(profile), 3_600);
            let out = match told {
                Some(answer) => bed.answer(first.token, answer),
                None => {
                    assert_eq!(bed.next(), Some((32_000, TIMER_N)));
                    bed.fire(TIMER_N)
                }
            };
            assert_fate(&mut bed, &out, End::NoResponse, Fate::Ends, 0);
        }
    }
}

/// [RE-8] No response to a refresh is 408 to it (RFC 3261 8.1.3.1): by S2 it ends, or by option runs out; by RFC
/// 6665 it is tried again.
#[test]
fn refresh_unanswered() {
    for told in [true, false] {
        for (config, fate) in [
            (keeping(false), Fate::Ends),
            (keeping(true), Fate::RunsOut),
            (config(Profile::Rfc6665), Fate::Again(32_000)),
        ] {
            let (mut bed, _) = active_for(config, 3_660);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            let (out, left) = match told {
                true => (
                    bed.answer(refresh.token, drive::Answer::Unreachable),
                    600_000,
                ),
                false => (bed.fire(TIMER_N), 568_000),
            };
            assert_fate(&mut bed, &out, End::NoResponse, fate, left);
        }
    }
}

/// [RE-8] The initial SUBSCRIBE answered 2xx, and no NOTIFY within Timer N: it ends (RFC 6665 4.1.2.4), in both
/// profiles, tolerated silence or not; Timer N is configured.
#[test]
fn no_notify() {
    for profile in PROFILES {
        for tolerates in [false, true] {
            let mut config = config(profile);
            config.subscription.timer_n = 128_000;
            config.subscription.tolerate_silent_refresh = tolerates;
            let (mut bed, first) = registered(config, 3_600);
            assert_eq!(bed.respond(&first, 200, "Expires: 3660\r\n"), []);
            assert_eq!(bed.next(), Some((128_000, TIMER_N)));
            let out = bed.fire(TIMER_N);
            assert_fate(&mut bed, &out, End::NoResponse, Fate::Ends, 0);
        }
    }
}

/// [RE-8] A refresh answered 2xx, and no NOTIFY: by S2, or where that is tolerated, it goes on from the 2xx; by
/// RFC 6665 it counts as terminated at Timer N, and is made anew (4.1.2.2).
#[test]
fn no_notify_after_a_refresh() {
    let mut tolerating = config(Profile::Rfc6665);
    tolerating.subscription.tolerate_silent_refresh = true;
    for (config, goes_on) in [
        (config(Profile::Sbc), true),
        (tolerating, true),
        (config(Profile::Rfc6665), false),
    ] {
        let (mut bed, _) = active_for(config, 3_660);
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(bed.respond(&refresh, 200, "Expires: 2000\r\n"), []);
        if goes_on {
            assert_eq!(bed.next(), Some((1_400_000, REFRESH)));
            continue;
        }
        assert_eq!(bed.next(), Some((32_000, TIMER_N)));
        let out = bed.fire(TIMER_N);
        assert_fate(&mut bed, &out, End::NoResponse, Fate::Anew, 0);
    }
}

/// [RE-8] A refresh whose NOTIFY came and whose response was lost: by RFC 6665 it was refreshed; by S2 there was
/// no response.
#[test]
fn notify_and_no_response() {
    for profile in PROFILES {
        let (mut bed, _) = active(profile);
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        bed.notified(&refresh.notify(2, "active;expires=2000", ""));
        let out = bed.answer(refresh.token, drive::Answer::Timeout);
        if profile == Profile::Sbc {
            assert_fate(&mut bed, &out, End::NoResponse, Fate::Ends, 0);
        } else {
            assert_eq!(out, []);
            assert_eq!(bed.next(), Some((1_400_000, REFRESH)));
        }
    }
}

/// [RE-8] A 202 is as good as a 200 (RFC 6665 8.3.1), to the first SUBSCRIBE and to a refresh; after a 204 to a
/// refresh no NOTIFY is waited for (RFC 5839 7.1).
#[test]
fn other_2xx() {
    for profile in PROFILES {
        for status in [200, 202, 204, 299] {
            let (mut bed, first) = registered(config(profile), 3_600);
            bed.respond(&first, status, &format!("{NOTIFIER}Expires: 3000\r\n"));
            let out = bed.notified(&first.notify(1, "active", ""));
            assert_eq!(out, [Out::Event(Ev::Subscribed(3_000))]);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            bed.respond(&refresh, status, "Expires: 2000\r\n");
            let waits = profile == Profile::Rfc6665 && status != 204;
            let next = if waits {
                (32_000, TIMER_N)
            } else {
                (1_400_000, REFRESH)
            };
            assert_eq!(bed.next(), Some(next), "{profile:?} {status}");
        }
    }
}

/// [RE-8] A response that cannot be read, whose dialog cannot be kept, or that is no response counts as none, and
/// is counted; a provisional one changes nothing (T67).
#[test]
fn malformed_responses() {
    for profile in PROFILES {
        let garbled: [fn(&str) -> String; 7] = [
            |_| String::new(),
            |_| "garbage".to_owned(),
            |text| text.replace("SIP/2.0 200", "SIP/3.0 200"),
            |text| text.replace("Content-Length: 0", "Content-Length: 5"),
            |text| text.replace("Content-Length", "Contact: <\r\nContent-Length"),
            |text| text.replace("Content-Length", "Record-Route: <sip:a\r\nContent-Length"),
            |text| {
                let long = "a".repeat(9_000);
                text.replace(
                    "Content-Length",
                    &format!("Contact: <sip:{long}@h>\r\nContent-Length"),
                )
            },
        ];
        for (n, garble) in garbled.into_iter().enumerate() {
            let (mut bed, first) = registered(config(profile), 3_600);
            let text = garble(&first.response(200, ""));
            let answer = drive::Answer::Response(text.as_bytes());
            let out = bed.answer(first.token, answer);
            assert_eq!(out, ended(End::NoResponse), "{n}");
            assert_eq!(bed.node.counters().malformed, 1);
        }
        let (mut bed, first) = registered(config(profile), 3_600);
        for status in [100, 180, 199] {
            assert_eq!(bed.respond(&first, status, ""), []);
            assert_eq!(bed.next(), Some((32_000, TIMER_N)));
        }
        assert_eq!(
            bed.respond(&first, 404, ""),
            ended(End::Refused { status: 404 })
        );
    }
}

/// [RE-8] An answer that comes when it is over is stale, and does nothing.
#[test]
fn stale_answers() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 3_600);
        bed.fire(TIMER_N);
        assert_eq!(bed.respond(&first, 200, "Expires: 3660\r\n"), []);
        assert_eq!(bed.node.counters().stale_answers, 1);
        assert_eq!(bed.next(), None);
    }
}
