//! [RN-3, RN-4] What the answer to a NOTIFY does, or its absence.

use super::support::*;
use ims_procedures::{
    drive::Token,
    regevent::notifier::{End, Input},
};

/// [RN-3] A termination counts as told with the 2xx to its NOTIFY; refused otherwise, it is told again, with
/// what has come since.
#[test]
fn told_with_the_answer() {
    for (status, since) in [(200, 1), (202, 1), (299, 1), (300, 0), (500, 0), (603, 0)] {
        let mut host = Host::active(3_600);
        host.state.terminate();
        host.step(Input::Changed);
        let token = notify(&host.tick());
        assert_eq!(host.subscription.as_ref().unwrap().told(), 0, "not yet");
        assert!(host.step(answer(token, status)).is_empty());
        assert_eq!(host.subscription.as_ref().unwrap().told(), since);
        host.state.terminate();
        host.step(Input::Changed);
        host.now = host.now.after(4_000);
        let outs = host.tick();
        let document = format!("version 2 since {since}");
        assert!(bytes(&outs).ends_with(&document), "{status}");
        assert_eq!(header(bytes(&outs), "CSeq"), "3 NOTIFY");
    }
}

/// [RN-3] Refused, a NOTIFY goes out again after 4, 8 and 16 s; the fourth refusal ends the subscription. A 2xx
/// begins anew.
#[test]
fn refused_again_and_again() {
    let mut host = Host::active(3_600);
    host.state.terminate();
    host.step(Input::Changed);
    for ended in [false, true] {
        let mut token = notify(&host.tick());
        for wait in [4_000, 8_000, 16_000] {
            assert!(host.step(answer(token, 503)).is_empty());
            assert_eq!(host.deadline(), Some(wait));
            host.now = host.now.after(wait - 1);
            assert!(host.tick().is_empty());
            // A change does not make it come earlier.
            host.step(Input::Changed);
            assert_eq!(host.deadline(), Some(1));
            host.now = host.now.after(1);
            token = notify(&host.tick());
        }
        if ended {
            let outs = host.step(answer(token, 503));
            assert_eq!(outs, [Done::Ended(End::NoResponse)]);
            assert!(host.is_over());
        } else {
            host.step(answer(token, 200));
            assert_eq!(host.deadline().map(|left| left > 3_000_000), Some(true));
            host.step(Input::Changed);
        }
    }
}

/// [RN-3] Retry-After is waited for, as long as is allowed; it never shortens the wait.
#[test]
fn retry_after() {
    for (says, waits) in [
        (1, 4),
        (4, 4),
        (5, 5),
        (120, 120),
        (121, 120),
        (u32::MAX, 120),
    ] {
        let mut host = Host::new();
        let token = notify(&host.subscribe(&text(1, &expires(3_600), "")));
        host.step(Input::Response {
            token,
            status: 503,
            retry_after: Some(says),
        });
        assert_eq!(host.deadline(), Some(waits * 1_000), "{says}");
    }
    let mut host = Host::new();
    (host.config.attempts, host.config.retry) = (u8::MAX, u64::MAX);
    let mut token = notify(&host.subscribe(&text(1, &expires(600_000), "")));
    for _ in 1..255 {
        host.step(answer(token, 500));
        assert_eq!(host.deadline(), Some(120_000));
        host.now = host.now.after(120_000);
        token = notify(&host.tick());
    }
    assert_eq!(
        host.step(answer(token, 500)),
        [Done::Ended(End::NoResponse)]
    );
}

/// [RN-4] The last NOTIFY is repeated likewise; not to one who has unsubscribed, and not after a status that
/// ends the subscription. While it waits, expiry, refresh and the owner change nothing that it says of its end.
#[test]
fn last_refused() {
    let mut host = Host::active(100);
    host.state = State::end();
    host.step(Input::Changed);
    for wait in [4_000, 8_000, 16_000] {
        let outs = host.tick();
        assert_eq!(state(&outs), "terminated;reason=noresource");
        assert!(bytes(&outs).ends_with("since 0"));
        assert!(host.step(answer(notify(&outs), 500)).is_empty());
        assert_eq!(host.deadline(), Some(wait));
        host.now = host.now.after(wait);
    }
    let token = notify(&host.tick());
    assert_eq!(
        host.step(answer(token, 500)),
        [Done::Ended(End::NoResource)]
    );

    let mut host = Host::active(10);
    host.now = host.now.after(10_000);
    let token = notify(&host.tick());
    host.step(answer(token, 500));
    host.now = host.now.after(4_000);
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=timeout");
    assert_eq!(
        host.step(answer(notify(&outs), 481)),
        [Done::Ended(End::Expired)]
    );

    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(0), "")));
    assert!(host.step(answer(token, 500)).is_empty());
    assert!(host.is_over(), "a fetch");
}

/// [RN-3] A refresh while a refused NOTIFY waits is answered with a NOTIFY at once (RFC 6665 4.2.1.2).
#[test]
fn refreshed_while_refused() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(100), ""));
    let tag = host.tag(bytes(&outs));
    host.step(answer(notify(&outs), 503));
    let outs = host.subscribe(&text(2, &expires(100), &tag));
    assert_eq!(state(&outs), "active;expires=100");
}

/// [RN-4] No answer: told by the host, or by the bound.
#[test]
fn unanswered() {
    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(100), "")));
    assert_eq!(
        host.step(Input::NoResponse { token }),
        [Done::Ended(End::NoResponse)]
    );

    let mut host = Host::new();
    host.subscribe(&text(1, &expires(100), ""));
    assert_eq!(host.deadline(), Some(40_000));
    host.now = host.now.after(39_999);
    assert!(host.tick().is_empty());
    host.now = host.now.after(1);
    assert_eq!(host.tick(), [Done::Ended(End::NoResponse)]);

    let mut host = Host::new();
    host.subscribe(&text(1, &expires(0), ""));
    host.now = host.now.after(40_000);
    assert!(host.tick().is_empty(), "the end of a fetch is no event");
    assert!(host.is_over());
}

/// [DR-6] Answers of other NOTIFYs, twice, or after the end, do nothing.
#[test]
fn stale() {
    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(100), "")));
    let other = Token::from_u64(token.to_u64() + 1);
    for input in [answer(other, 481), Input::NoResponse { token: other }] {
        assert!(host.step(input).is_empty());
        assert!(host.subscription.as_ref().unwrap().awaits(token));
    }
    host.step(answer(token, 200));
    assert!(host.step(answer(token, 481)).is_empty());
    assert!(host.step(Input::NoResponse { token }).is_empty());
    assert!(!host.is_over());
}
