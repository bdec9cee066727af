//! When a subscription is refreshed, to the millisecond, and when its time is over.

use super::bed::{
    ANEW, Bed, EXPIRY, Ev, FLOOR, NOTIFIER, Out, PROFILES, REFRESH, Subscribe, active, active_for,
    config, ended, registered,
};
use ims_procedures::{
    drive::Millis,
    regevent::{
        node::Config,
        subscriber::{End, Profile, Standing, refresh_delay},
    },
};

/// Seconds granted, and milliseconds from the grant to the refresh; `None` where there is no time for one. By S2
/// L38–41.
const TIMES: [(u32, Option<u64>); 12] = [
    (0, None),
    (1, Some(500)),
    (2, Some(1_000)),
    (3, Some(1_500)),
    (599, Some(299_500)),
    (1_198, Some(599_000)),
    (1_199, Some(599_500)),
    (1_200, Some(600_000)),
    (1_201, Some(601_000)),
    (1_203, Some(603_000)),
    (3_600, Some(3_000_000)),
    (600_000, Some(599_400_000)),
];

/// How a grant is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Response,
    ResponseAfterNotify,
    Notify,
    NotifyFirst,
    LaterNotify,
    Refresh,
    RefreshsNotify,
}

const WAYS: [By; 7] = [
    By::Response,
    By::ResponseAfterNotify,
    By::Notify,
    By::NotifyFirst,
    By::LaterNotify,
    By::Refresh,
    By::RefreshsNotify,
];

fn without_floor(profile: Profile) -> Config {
    let mut config = config(profile);
    config.subscription.floor = 0;
    config
}

/// A subscription granted so many seconds now, however it was told; before, it was granted others.
fn granted(config: Config, seconds: u32, by: By) -> (Bed, Vec<Out>) {
    let state = format!("active;expires={seconds}");
    let expires = format!("{NOTIFIER}Expires: {seconds}\r\n");
    let (mut bed, first) = registered(config.clone(), 600_000);
    let mut out = match by {
        By::Response => {
            let mut out = bed.respond(&first, 200, &expires);
            out.extend(bed.notified(&first.notify(1, "active", "")));
            out
        }
        By::ResponseAfterNotify => {
            let mut out = bed.notified(&first.notify(1, "active", ""));
            out.extend(bed.respond(&first, 200, &expires));
            out
        }
        By::Notify => {
            bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 7777\r\n"));
            bed.notified(&first.notify(1, &state, ""))
        }
        By::NotifyFirst => {
            let mut out = bed.notified(&first.notify(1, &state, ""));
            out.extend(bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 7777\r\n")));
            out
        }
        By::LaterNotify | By::Refresh | By::RefreshsNotify => {
            (bed, _) = active_for(config, 3_660);
            vec![]
        }
    };
    match by {
        By::LaterNotify => {
            bed.now = bed.now.after(1_000_000);
            let first = first.notify(2, &state, "");
            out.extend(bed.notified(&first));
        }
        By::Refresh | By::RefreshsNotify => {
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            let (in_response, in_notify) = match by {
                By::Refresh => (seconds, "active"),
                _ => (7_777, &state[..]),
            };
            out.extend(bed.respond(&refresh, 200, &format!("Expires: {in_response}\r\n")));
            out.extend(bed.notified(&refresh.notify(2, in_notify, "")));
        }
        _ => {}
    }
    (bed, out)
}

/// [RE-7] The instants, for every grant in every way that it is told (T29, T32), in both profiles: the 2xx's
/// where no NOTIFY says, else the NOTIFY's.
#[test]
fn instants() {
    for profile in PROFILES {
        for by in WAYS {
            for (seconds, delay) in TIMES {
                if let Some(delay) = delay {
                    assert_eq!(refresh_delay(seconds), delay);
                }
                let (bed, _) = granted(without_floor(profile), seconds, by);
                let expected = match delay {
                    Some(delay) => (delay, REFRESH),
                    None => (0, EXPIRY),
                };
                assert_eq!(bed.next(), Some(expected), "{profile:?} {by:?} {seconds}");
            }
        }
    }
}

/// [RE-7] A NOTIFY that does not say how long leaves the 2xx its say, whichever came first, at the beginning and
/// at a refresh; the old time is not refreshed again at once (T29).
#[test]
fn a_notify_that_does_not_say() {
    for profile in PROFILES {
        let (bed, out) = granted(config(profile), 1_000, By::ResponseAfterNotify);
        assert_eq!(out, [Out::Event(Ev::Subscribed(1_000))]);
        assert_eq!(bed.next(), Some((500_000, REFRESH)));

        let (mut bed, _) = active(profile);
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(bed.notified(&refresh.notify(2, "active", "")), []);
        assert_eq!(bed.respond(&refresh, 200, "Expires: 3000\r\n"), []);
        assert_eq!(bed.next(), Some((2_400_000, REFRESH)), "{profile:?}");
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        bed.notified(&refresh.notify(3, "active;expires=2000", ""));
        bed.respond(&refresh, 200, "Expires: 3000\r\n");
        assert_eq!(bed.next(), Some((1_400_000, REFRESH)), "the NOTIFY said");
    }
}

/// [RE-7] No 2xx of another notifier than the NOTIFY's says how long.
#[test]
fn a_2xx_of_another_notifier_does_not_say() {
    let (mut bed, first) = registered(config(Profile::Rfc6665), 3_600);
    bed.notified(&first.notify(1, "active", "").replace("tag=n1", "tag=n2"));
    let out = bed.respond(&first, 200, "Expires: 100\r\n");
    assert_eq!(out, [Out::Event(Ev::Subscribed(3_660))]);
}

/// [RE-7] A refresh comes no sooner than the floor after the SUBSCRIBE before it, whatever was granted; if that is
/// too late, none comes. A grant below the floor is told (T30).
#[test]
fn the_floor() {
    for profile in PROFILES {
        for (floor, seconds) in [
            (20, 0),
            (20, 1),
            (20, 19),
            (20, 20),
            (20, 21),
            (20, 30),
            (20, 39),
            (20, 40),
            (20, 41),
            (32, 30),
            (32, 40),
            (1_300, 1_299),
            (1_300, 1_300),
            (1_300, 1_900),
            (1_300, 1_901),
            (1, 0),
            (1, 1),
            (0, 1),
        ] {
            let mut config = config(profile);
            config.subscription.floor = floor;
            for by in WAYS {
                let (bed, out) = granted(config.clone(), seconds, by);
                let told = Out::Event(Ev::TooLittle(seconds));
                let times = out.iter().filter(|out| **out == told).count();
                assert_eq!(times, usize::from(seconds < floor), "{by:?} {seconds}");
                // The SUBSCRIBE of a later NOTIFY is 1,000 s old.
                let left = match by {
                    By::LaterNotify => (u64::from(floor) * 1_000).saturating_sub(1_000_000),
                    _ => u64::from(floor) * 1_000,
                };
                let refresh = refresh_delay(seconds).max(left);
                let end = u64::from(seconds) * 1_000;
                let expected = match refresh < end {
                    true => (refresh, REFRESH),
                    false => (end, EXPIRY),
                };
                assert_eq!(
                    bed.next(),
                    Some(expected),
                    "{profile:?} {by:?} {floor} {seconds}"
                );
            }
        }
    }
}

/// [RE-7] The notifier of T30 grants 30 s: by default it is asked every 20 s, not every 15, nothing runs out, and
/// nothing is told; one that grants 40 s is not asked sooner than that either.
#[test]
fn a_grant_of_30_seconds() {
    for profile in PROFILES {
        for (seconds, after) in [(30, 20_000), (38, 20_000), (42, 21_000)] {
            let (mut bed, out) = granted(config(profile), seconds, By::Notify);
            assert!(!out.contains(&Out::Event(Ev::TooLittle(seconds))));
            for cseq in 2..6 {
                assert_eq!(bed.next(), Some((after, REFRESH)), "{profile:?} {seconds}");
                let refresh = Subscribe::only(&bed.fire(REFRESH));
                let state = format!("active;expires={seconds}");
                assert_eq!(bed.notified(&refresh.notify(cseq, &state, "")), []);
                assert_eq!(
                    bed.respond(&refresh, 200, &format!("Expires: {seconds}\r\n")),
                    []
                );
            }
            assert_eq!(bed.standing(), Standing::Active);
        }
    }
}

/// [RE-7, RE-8] Granted less than the floor, a subscription runs out. Literal to S2 that is its end; else it is
/// made anew, and no SUBSCRIBE follows another within the floor (T30).
#[test]
fn no_load_loop() {
    let (mut bed, _) = granted(config(Profile::Sbc), 5, By::Notify);
    assert_eq!(bed.fire(EXPIRY), ended(End::Expired));
    assert_eq!(bed.next(), None);

    let (mut bed, mut first) = registered(config(Profile::Rfc6665), 3_600);
    let mut sent = bed.now;
    for _ in 0..5 {
        bed.notified(&first.notify(1, "active;expires=5", ""));
        bed.respond(&first, 200, "Expires: 5\r\n");
        let out = bed.fire(EXPIRY);
        assert!(matches!(out[..], [Out::Event(Ev::Lost(End::Expired, _))]));
        first = Subscribe::only(&bed.fire(ANEW));
        assert!(bed.now.since(sent) >= FLOOR, "{}", bed.now.since(sent));
        sent = bed.now;
    }
}

/// [RE-7] A grant of more than was asked is not believed (T29).
#[test]
fn a_grant_longer_than_asked() {
    for profile in PROFILES {
        for by in WAYS {
            for seconds in [600_061, 4_294_967_295] {
                let (bed, _) = granted(config(profile), seconds, by);
                let delay = (600_060 - 600) * 1_000;
                assert_eq!(bed.next(), Some((delay, REFRESH)), "{by:?} {seconds}");
            }
        }
    }
}

/// [RE-7] A refresh asks for what the first SUBSCRIBE asked for, in its dialog, however often.
#[test]
fn what_a_refresh_asks_for() {
    for profile in PROFILES {
        let (mut bed, first) = active_for(config(profile), 1_200);
        for cseq in 2..6 {
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            assert_eq!(refresh.expires(), first.expires());
            assert_eq!(refresh.cseq(), cseq);
            assert_eq!(refresh.call_id(), first.call_id());
            bed.respond(&refresh, 202, "Expires: 1200\r\n");
            let notify = refresh.notify(cseq, "active;expires=1200", "");
            assert_eq!(bed.notified(&notify), []);
            assert_eq!(bed.next(), Some((600_000, REFRESH)));
        }
    }
}

/// [RE-7] While a refresh is out the subscription is active until its granted time is over, and not longer. By
/// S2 it then ends; else the answer decides.
#[test]
fn never_past_the_expiry() {
    for profile in PROFILES {
        let (mut bed, _) = active_for(config(profile), 40);
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(bed.standing(), Standing::Active);
        let out = bed.fire(EXPIRY);
        if profile == Profile::Sbc {
            assert_eq!(out, ended(End::Expired));
            assert_eq!(bed.standing(), Standing::None);
            continue;
        }
        assert_eq!(out, [Out::Event(Ev::Lost(End::Expired, 0))]);
        assert_eq!(bed.standing(), Standing::Waiting);
        bed.respond(&refresh, 200, "Expires: 100\r\n");
        let out = bed.notified(&refresh.notify(2, "active;expires=100", ""));
        assert_eq!(out, [Out::Event(Ev::Subscribed(100))]);
        assert_eq!(bed.standing(), Standing::Active);
        assert_eq!(bed.next(), Some((50_000, REFRESH)));
    }
}

/// [RE-7] The host that ticks late, by any time, finds the refresh sent once, or the subscription expired (T26).
#[test]
fn late_ticks() {
    for profile in PROFILES {
        let (mut bed, _) = active_for(config(profile), 3_660);
        bed.now = bed.now.after(3_659_999);
        Subscribe::only(&bed.tick());
        assert_eq!(bed.tick(), []);
        let (mut bed, _) = active_for(config(profile), 3_660);
        bed.now = bed.now.after(3_660_000);
        let out = bed.tick();
        match profile {
            Profile::Sbc => assert_eq!(out, ended(End::Expired)),
            _ => assert_eq!(out, [Out::Event(Ev::Lost(End::Expired, 0))]),
        }
    }
}

/// [RE-7] A clock that goes backwards, or comes near the end of time, moves no refresh and loses no message
/// (T32).
#[test]
fn clock_steps() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let before = bed.now;
        bed.now = Millis(0);
        assert_eq!(bed.tick(), []);
        bed.notified(&first.notify(2, "active;expires=3660", ""));
        assert_eq!(bed.node.time_backwards(), 2);
        bed.now = before;
        assert_eq!(
            bed.next(),
            Some((3_060_000, REFRESH)),
            "from the latest instant"
        );
        bed.now = Millis(u64::MAX - 1);
        assert_eq!(bed.tick().len(), 1);
        while bed.next().is_some_and(|(left, _)| left == 0) {
            bed.tick();
        }
    }
}

/// [RE-7] Documents that were missed are asked for by a refresh, at most one each floor, and the next one is
/// reckoned from its grant.
#[test]
fn a_gap_is_refreshed() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let document = super::bed::is_registered;
        bed.notified(&first.notify(2, "active;expires=3660", &document(0)));
        bed.notified(&first.notify(3, "active;expires=3660", &document(7)));
        assert_eq!(bed.next(), Some((FLOOR, REFRESH)), "{profile:?}");
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        bed.respond(&refresh, 200, "Expires: 3660\r\n");
        bed.notified(&first.notify(4, "active;expires=3660", &document(8)));
        assert_eq!(bed.next(), Some((3_060_000, REFRESH)));
    }
}
