//! What becomes of a subscription that a NOTIFY says is terminated.

use super::bed::{
    ANEW, Asked, Bed, Ev, NOTIFIER, Out, PROFILES, REFRESH, Subscribe, TIMER_N, active, config,
    ended, is_gone, is_registered, registered, registration,
};
use ims_procedures::{
    drive,
    regevent::{
        node::Config,
        notification::Termination::{self, *},
        subscriber::{End, Profile, Routing, Standing},
    },
};

/// When it is subscribed anew, where that is allowed.
#[derive(Clone, Copy, Debug)]
enum Then {
    Never,
    AtOnce,
    /// After retry-after; without one, after so many seconds.
    Later(u64),
}
use Then::{AtOnce, Later, Never};

/// RFC 6665 4.1.3 and RFC 4660 4.1: each reason, in odd case too, what it is, and what the subscriber does. One
/// that is not registered, or none, is one that says nothing.
const REASONS: [(&str, Termination, Then); 13] = [
    (";reason=deactivated", Deactivated, AtOnce),
    (";reason=DeactIvated", Deactivated, AtOnce),
    (";reason=probation", Probation, Later(60)),
    (";REASON=Probation", Probation, Later(60)),
    (";reason=rejected", Rejected, Never),
    (";reason=timeout", Timeout, AtOnce),
    (";reason=giveup", GiveUp, Later(0)),
    (";reason=noresource", NoResource, Never),
    (";reason=invariant", Invariant, Never),
    (";reason=badfilter", BadFilter, Never),
    (";reason=expired", Other, Later(0)),
    (";reason=novel-1", Other, Later(0)),
    ("", Other, Later(0)),
];

const RETRY_AFTER: [Option<u64>; 6] = [None, Some(0), Some(1), Some(120), Some(3_600), Some(3_601)];

/// What the subscription waits, in seconds; `None` if it is over.
fn expected(profile: Profile, then: Then, retry_after: Option<u64>) -> Option<u64> {
    if profile == Profile::Sbc {
        return None;
    }
    match (then, retry_after) {
        (Never, _) => None,
        (AtOnce, _) => Some(0),
        (Later(seconds), None) => Some(seconds),
        (Later(_), Some(seconds)) => (seconds <= 3_600).then_some(seconds),
    }
}

/// Every reason with every retry-after, as Subscription-State, and what is expected of it.
fn all(profile: Profile, mut check: impl FnMut(&str, Termination, Option<u64>)) {
    for (reason, is, then) in REASONS {
        for retry_after in RETRY_AFTER {
            let parameter = retry_after.map_or(String::new(), |s| format!(";retry-after={s}"));
            let state = format!("terminated{reason}{parameter};expires=3000");
            check(&state, is, expected(profile, then, retry_after));
        }
    }
}

fn assert_lost(bed: &Bed, out: &[Out], is: Termination, wait: Option<u64>, state: &str) {
    let why = End::Terminated(is);
    match wait {
        None => {
            assert_eq!(out, ended(why), "{state}");
            assert_eq!(bed.next(), None);
        }
        Some(seconds) => {
            let lost = Out::Event(Ev::Lost(why, seconds * 1_000));
            assert_eq!(out, [lost], "{state}");
            assert_eq!(bed.standing(), Standing::Waiting);
        }
    }
}

/// [RE-8] While nothing is out: by S2 it ends, by RFC 6665 it ends or is made anew, by reason and retry-after.
#[test]
fn while_idle() {
    for profile in PROFILES {
        all(profile, |state, is, wait| {
            let (mut bed, first) = active(profile);
            let out = bed.notified(&first.notify(2, state, ""));
            assert_lost(&bed, &out, is, wait, state);
            if let Some(seconds) = wait {
                assert_eq!(bed.next(), Some((seconds * 1_000, ANEW)));
                let anew = Subscribe::only(&bed.fire(ANEW));
                assert_ne!(anew.call_id(), first.call_id());
            }
        });
    }
}

/// [RE-8] As the first NOTIFY of all, before or after the 2xx; a new SUBSCRIBE waits for the end of the old one.
#[test]
fn first_of_all() {
    for profile in PROFILES {
        for accepted in [false, true] {
            all(profile, |state, is, wait| {
                let (mut bed, first) = registered(config(profile), 3_600);
                if accepted {
                    bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 3660\r\n"));
                }
                let out = bed.notified(&first.notify(1, state, ""));
                assert_lost(&bed, &out, is, wait, state);
                let Some(seconds) = wait else { return };
                if !accepted {
                    assert_eq!(bed.next(), Some((32_000, TIMER_N)));
                    assert_eq!(bed.respond(&first, 200, "Expires: 3660\r\n"), []);
                }
                assert_eq!(bed.next(), Some((seconds * 1_000, ANEW)));
            });
        }
    }
}

/// [RE-8] While a refresh is out: never two SUBSCRIBEs at once. The new one waits for the answer to the old one,
/// its absence, or Timer N, and for its own time.
#[test]
fn while_a_refresh_is_out() {
    for profile in PROFILES {
        for end in 0..4 {
            all(profile, |state, is, wait| {
                let (mut bed, _) = active(profile);
                let refresh = Subscribe::only(&bed.fire(REFRESH));
                let out = bed.notified(&refresh.notify(2, state, ""));
                assert_lost(&bed, &out, is, wait, state);
                let Some(seconds) = wait else { return };
                let until = bed.now.after(seconds * 1_000);
                assert_eq!(bed.next(), Some((32_000, TIMER_N)), "{state}");
                bed.now = bed.now.after(5_000);
                assert_eq!(bed.tick(), []);
                let out = match end {
                    0 => bed.respond(&refresh, 200, "Expires: 3660\r\n"),
                    1 => bed.respond(&refresh, 481, ""),
                    2 => bed.answer(refresh.token, drive::Answer::Timeout),
                    _ => bed.fire(TIMER_N),
                };
                assert_eq!(out, []);
                assert_eq!(bed.next(), Some((until.since(bed.now), ANEW)));
                assert_eq!(Subscribe::only(&bed.fire(ANEW)).cseq(), 1);
            });
        }
    }
}

/// [RE-8] The new subscription has another Call-ID, tag and dialog, is an initial one, and is notified and
/// refreshed like the first; a NOTIFY of the old dialog gets 481.
#[test]
fn another_dialog() {
    let (mut bed, first) = active(Profile::Rfc6665);
    let state = "active;expires=3660";
    bed.notified(&first.notify(2, state, &is_registered(5)));
    bed.notified(&first.notify(3, "terminated;reason=timeout", ""));
    assert_eq!(bed.notify(&first.notify(4, state, "")), (481, vec![]));
    let anew = Subscribe::only(&bed.fire(ANEW));
    assert_ne!(anew.call_id(), first.call_id());
    assert_ne!(anew.tag(), first.tag());
    assert_ne!(anew.target(), first.target());
    assert_eq!(anew.line("To:"), first.line("To:"));
    assert_eq!((anew.cseq(), anew.expires()), (1, first.expires()));
    assert_eq!(anew.has("Route:"), None);
    assert_eq!(bed.notify(&first.notify(5, state, "")), (481, vec![]));
    bed.respond(&anew, 200, &format!("{NOTIFIER}Expires: 3660\r\n"));
    let out = bed.notified(&anew.notify(1, state, &is_registered(0)));
    assert!(
        matches!(
            out[..],
            [
                Out::Event(Ev::State { version: 0, .. }),
                Out::Event(Ev::Subscribed(3_660))
            ]
        ),
        "versions are counted anew: {out:?}"
    );
    assert_eq!(bed.next(), Some((3_060_000, REFRESH)));
}

/// [RE-4, RE-8] The route is asked for again, with another key.
#[test]
fn the_route_is_asked_again() {
    let mut config = config(Profile::Rfc6665);
    config.subscription.routing = Routing::Question;
    let mut bed = Bed::new(config);
    let question = |out: Vec<Out>| -> Asked {
        match &out[..] {
            [Out::Ask(asked)] => asked.clone(),
            other => panic!("{other:?}"),
        }
    };
    let asked = question(bed.learn(registration(3_600)));
    let first =
        Subscribe::only(&bed.route(&asked, "<sip:a.example.net>", "<sip:r.example.net;lr>"));
    bed.respond(&first, 200, "Expires: 3660\r\n");
    bed.notified(&first.notify(1, "terminated;reason=deactivated", ""));
    let again = question(bed.fire(ANEW));
    assert_ne!(again.key, asked.key);
    assert_eq!(again.resource, asked.resource);
    assert_eq!(again.route_uri, asked.route_uri);
    let anew = Subscribe::only(&bed.route(&again, "<sip:b.example.net>", ""));
    assert_eq!(anew.hops, ["sip:b.example.net"]);
    assert_eq!(anew.has("Route:"), None);
}

/// Loses each new subscription at once, and gives the milliseconds waited each time, until it is over.
fn waits(config: Config, state: &str) -> Vec<u64> {
    let (mut bed, mut first) = registered(config, 3_600);
    let mut waits = vec![];
    loop {
        bed.respond(&first, 200, "Expires: 3660\r\n");
        let out = bed.notified(&first.notify(1, state, ""));
        match out[..] {
            [Out::Event(Ev::Lost(_, wait))] => waits.push(wait),
            [Out::Event(Ev::Ended(End::Terminated(_)))] => return waits,
            _ => panic!("{out:?}"),
        }
        first = Subscribe::only(&bed.fire(ANEW));
    }
}

/// [RE-8] Losses in a row are waited for longer and longer, an hour at most, and given up after so many attempts;
/// a retry-after counts where it is longer.
#[test]
fn losses_in_a_row() {
    let with = |interval, attempts| {
        let mut config = config(Profile::Rfc6665);
        config.subscription.resubscribe_interval = interval;
        config.subscription.resubscribe_attempts = attempts;
        config
    };
    let state = "terminated;reason=deactivated";
    let seconds = [0, 4, 8, 16, 32, 64, 128, 256, 512, 1_024].map(|s| s * 1_000);
    assert_eq!(waits(with(4_000, 10), state), seconds);
    assert_eq!(waits(with(4_000, 0), state), []);
    assert_eq!(waits(with(4_000, 1), state), [0]);
    assert_eq!(
        waits(with(1_500_000, 5), state),
        [0, 1_500_000, 3_000_000, 3_600_000, 3_600_000]
    );
    assert_eq!(waits(with(u64::MAX, 3), state), [0, 3_600_000, 3_600_000]);
    let later = "terminated;reason=giveup;retry-after=10";
    assert_eq!(
        waits(with(4_000, 5), later),
        [10_000, 10_000, 10_000, 16_000, 32_000]
    );
    assert_eq!(waits(with(1, 255), state).len(), 255);
}

/// How the notifier, back from a restart, fails to take a subscription that is made anew.
#[derive(Clone, Copy, Debug)]
enum Failing {
    Refusing(u16, Option<u64>),
    Silent,
    /// It sends a 2xx, and no NOTIFY.
    Mute,
}

impl Failing {
    fn meet(self, bed: &mut Bed, anew: &Subscribe) -> (End, Vec<Out>) {
        match self {
            Self::Refusing(status, after) => {
                let extra = after.map_or(String::new(), |s| format!("Retry-After: {s}\r\n"));
                (End::Refused { status }, bed.respond(anew, status, &extra))
            }
            Self::Silent => {
                bed.now = bed.now.after(32_000);
                let out = bed.answer(anew.token, drive::Answer::Timeout);
                (End::NoResponse, out)
            }
            Self::Mute => {
                assert_eq!(bed.respond(anew, 200, "Expires: 3660\r\n"), []);
                (End::NoResponse, bed.fire(TIMER_N))
            }
        }
    }
}

/// [RE-8] An S-CSCF that restarts terminates its subscriptions, and is not ready for the next ones at once: what
/// it refuses with 408 or 5xx, or does not answer, is tried again, each time later, so often in a row as the
/// configuration says; Retry-After counts where it is longer (T28).
#[test]
fn not_ready_yet() {
    use Failing::{Mute, Refusing, Silent};
    let waits = [4_000, 8_000, 16_000, 32_000];
    for failing in [408, 500, 502, 503, 504, 505, 513, 580, 599]
        .map(|status| Refusing(status, None))
        .into_iter()
        .chain([Refusing(503, Some(5)), Silent, Mute])
    {
        let mut config = config(Profile::Rfc6665);
        config.subscription.resubscribe_attempts = 5;
        let (mut bed, first) = super::bed::active_for(config, 3_660);
        bed.notified(&first.notify(2, "terminated;reason=deactivated", ""));
        for wait in waits {
            let anew = Subscribe::only(&bed.fire(ANEW));
            let (why, out) = failing.meet(&mut bed, &anew);
            let wait = match failing {
                Refusing(_, Some(after)) => wait.max(after * 1_000),
                _ => wait,
            };
            assert_eq!(out, [Out::Event(Ev::Lost(why, wait))], "{failing:?}");
            assert_eq!(bed.next(), Some((wait, ANEW)));
            assert_eq!(bed.standing(), Standing::Waiting);
        }
        let anew = Subscribe::only(&bed.fire(ANEW));
        let (why, out) = failing.meet(&mut bed, &anew);
        assert_eq!(out, ended(why), "{failing:?}: that was often enough");
        assert_eq!((bed.next(), bed.node.users()), (None, 1));
    }
}

/// [RE-8] Ready in the end, it is watched as before, and its next loss is the first in a row again. What will not
/// pass ends it, and so does a Retry-After longer than the limit, or to be asked to leave meanwhile.
#[test]
fn ready_in_the_end() {
    let lost = || {
        let (mut bed, first) = active(Profile::Rfc6665);
        bed.notified(&first.notify(2, "terminated;reason=deactivated", ""));
        let anew = Subscribe::only(&bed.fire(ANEW));
        (bed, anew)
    };
    let (mut bed, anew) = lost();
    bed.respond(&anew, 503, "");
    let anew = Subscribe::only(&bed.fire(ANEW));
    bed.respond(&anew, 200, "Expires: 3660\r\n");
    bed.notified(&anew.notify(1, "active;expires=3660", &is_registered(0)));
    bed.now = bed.now.after(60_000);
    let out = bed.notified(&anew.notify(2, "terminated;reason=deactivated", ""));
    assert_eq!(out, [Out::Event(Ev::Lost(End::Terminated(Deactivated), 0))]);

    for status in [300, 400, 403, 404, 423, 480, 481, 489, 501, 600, 603] {
        let (mut bed, anew) = lost();
        assert_eq!(
            bed.respond(&anew, status, ""),
            ended(End::Refused { status })
        );
        assert_eq!(bed.next(), None);
    }
    let (mut bed, anew) = lost();
    let out = bed.respond(&anew, 503, "Retry-After: 3601\r\n");
    assert_eq!(out, ended(End::Refused { status: 503 }));
    let (mut bed, anew) = lost();
    bed.deregistered("");
    assert_eq!(
        bed.respond(&anew, 503, ""),
        ended(End::Refused { status: 503 })
    );
    assert_eq!((bed.next(), bed.node.users()), (None, 0));
}

/// [RE-4, RE-8] A routing question of a subscription that is made anew is asked again too, if it was not answered.
#[test]
fn no_answer_about_the_route() {
    let mut config = config(Profile::Rfc6665);
    config.subscription.routing = Routing::Question;
    let mut bed = Bed::new(config);
    let asked = |out: Vec<Out>| match &out[..] {
        [Out::Ask(asked)] => asked.clone(),
        other => panic!("{other:?}"),
    };
    let first = asked(bed.learn(registration(3_600)));
    let first = Subscribe::only(&bed.route(&first, "<sip:a.example.net>", ""));
    bed.respond(&first, 200, "Expires: 3660\r\n");
    bed.notified(&first.notify(1, "terminated;reason=deactivated", ""));
    asked(bed.fire(ANEW));
    let out = bed.fire(super::bed::ROUTING_BOUND);
    assert_eq!(out, [Out::Event(Ev::Lost(End::NoResponse, 4_000))]);
    let again = asked(bed.fire(ANEW));
    Subscribe::only(&bed.route(&again, "<sip:a.example.net>", ""));
}

/// [RE-8] A subscription that stood as long as the next wait would be is not one lost in a row.
#[test]
fn losses_far_apart() {
    for (stood, wait) in [(7_999, 4_000), (8_000, 0)] {
        let (mut bed, first) = active(Profile::Rfc6665);
        bed.notified(&first.notify(2, "terminated", ""));
        let anew = Subscribe::only(&bed.fire(ANEW));
        bed.respond(&anew, 200, "Expires: 3660\r\n");
        bed.now = bed.now.after(stood);
        let out = bed.notified(&anew.notify(1, "terminated", ""));
        assert_eq!(out, [Out::Event(Ev::Lost(End::Terminated(Other), wait))]);
    }
}

/// [RE-12] The subscription is terminated and the registration is not: the user stays, and at a re-registration is
/// subscribed to again if the configuration says so (T15).
#[test]
fn the_registration_stays() {
    for profile in PROFILES {
        for option in [false, true] {
            let mut config = config(profile);
            config.subscription.subscribe_at_reregistration = option;
            let (mut bed, first) = registered(config, 3_600);
            bed.respond(&first, 200, "Expires: 3660\r\n");
            let state = "terminated;reason=noresource";
            let out = bed.notified(&first.notify(1, state, &is_registered(0)));
            assert!(out.contains(&Out::Event(Ev::Ended(End::Terminated(NoResource)))));
            assert_eq!(bed.node.users(), 1);
            let out = bed.learn(registration(3_600));
            assert_eq!(out.len(), usize::from(option));
        }
    }
}

/// [RE-9] Terminated together with every registration, it is not made anew, whatever the reason: there is nothing
/// to subscribe to; nothing of the user stays.
#[test]
fn nothing_is_left() {
    for profile in PROFILES {
        for refreshing in [false, true] {
            all(profile, |state, is, _| {
                let (mut bed, first) = active(profile);
                if refreshing {
                    bed.fire(REFRESH);
                }
                let out = bed.notified(&first.notify(2, state, &is_gone(0)));
                assert!(
                    matches!(out[..], [Out::Event(Ev::State { all_terminated: true, .. }), Out::Event(Ev::Ended(End::Terminated(why)))] if why == is),
                    "{out:?}"
                );
                assert_eq!(bed.next(), None);
                assert_eq!(bed.node.users(), 0);
                Subscribe::only(&bed.learn(registration(3_600)));
            });
        }
    }
}
