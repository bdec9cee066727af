//! [RN-4] How a subscription ends.

use super::support::*;
use ims_procedures::regevent::notifier::{End, Input, Reason, ends_subscription};

/// [RN-4] Expires 0 in the dialog; then no SUBSCRIBE has a dialog any more.
#[test]
fn unsubscribe() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(100), ""));
    let (tag, first) = (host.tag(bytes(&outs)), notify(&outs));
    // While the first NOTIFY is out.
    let outs = host.subscribe(&text(2, &expires(0), &tag));
    assert!(matches!(&outs[..], [Done::Respond(200, ok)] if ok.contains("\r\nExpires: 0\r\n")));
    let outs = host.subscribe(&text(3, &expires(100), &tag));
    assert!(matches!(&outs[..], [Done::Respond(481, _)]));
    let outs = host.step(answer(first, 200));
    assert_eq!(state(&outs), "terminated;reason=timeout");
    let outs_while_closing = host.subscribe(&text(4, &expires(100), &tag));
    assert!(matches!(&outs_while_closing[..], [Done::Respond(481, _)]));
    host.state.terminate();
    assert!(
        host.step(Input::Changed).is_empty(),
        "nothing after the last"
    );
    let token = notify(&outs);
    assert_eq!(
        host.step(answer(token, 481)),
        [Done::Ended(End::Unsubscribed)]
    );
    let outs = host.subscribe(&text(5, &expires(100), &tag));
    assert!(matches!(&outs[..], [Done::Respond(481, _)]));
    assert_eq!(host.deadline(), None);
}

/// [RN-4] An unsubscription that crosses the last NOTIFY is granted, whatever that NOTIFY waits for: it is on its
/// way or due already, it says what it said, and none follows. Refused with 481, it would end the dialog at the
/// subscriber before the last NOTIFY comes, which then would be refused in turn.
#[test]
fn unsubscribed_across_the_end() {
    for is_out in [true, false] {
        let mut host = Host::new();
        let outs = host.subscribe(&text(1, &expires(100), ""));
        let (tag, first) = (host.tag(bytes(&outs)), notify(&outs));
        if is_out {
            host.step(answer(first, 200));
        }
        host.state.terminate();
        let outs = host.step(Input::Terminate(Reason::Deactivated));
        assert!(outs.is_empty());
        let mut last = host.tick();
        let unsubscribe = text(2, &expires(0), &tag);
        let granted = host.subscribe(&unsubscribe);
        assert!(
            matches!(&granted[..], [Done::Respond(200, ok)] if ok.contains("\r\nExpires: 0\r\n"))
        );
        host.now = host.now.after(10);
        assert_eq!(host.subscribe(&unsubscribe), granted);
        if !is_out {
            assert!(last.is_empty());
            last = host.step(answer(first, 200));
        }
        assert_eq!(state(&last), "terminated;reason=deactivated");
        let token = notify(&last);
        let ended = host.step(answer(token, 200));
        assert_eq!(ended, [Done::Ended(End::Terminated(Reason::Deactivated))]);
    }
}

/// [RN-4] Its time runs out: at the millisecond, also while a NOTIFY is out.
#[test]
fn expiry() {
    let mut host = Host::active(100);
    assert_eq!(host.deadline(), Some(100_000));
    host.now = host.now.after(99_999);
    assert!(host.tick().is_empty());
    host.now = host.now.after(1);
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=timeout");
    let token = notify(&outs);
    assert_eq!(
        host.step(Input::NoResponse { token }),
        [Done::Ended(End::Expired)]
    );

    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(10), ""));
    assert_eq!(
        host.deadline(),
        Some(10_000),
        "before the answer is overdue"
    );
    host.now = host.now.after(10_000);
    assert!(host.tick().is_empty());
    assert_eq!(host.deadline(), Some(30_000));
    let token = notify(&outs);
    let last = host.step(answer(token, 500));
    assert_eq!(state(&last), "terminated;reason=timeout");
}

/// [RN-4, T14] The last registration is gone, and so is the subscription: `noresource`, or what the operator says.
#[test]
fn last_registration() {
    for (reason, expected) in [
        (Reason::NoResource, "terminated;reason=noresource"),
        (Reason::Deactivated, "terminated;reason=deactivated"),
        (Reason::Rejected, "terminated;reason=rejected"),
    ] {
        let mut host = Host::active(100);
        host.config.last_registration_gone = reason;
        host.state = State::end();
        host.step(Input::Changed);
        let outs = host.tick();
        assert_eq!(state(&outs), expected);
        let token = notify(&outs);
        assert_eq!(
            host.step(answer(token, 200)),
            [Done::Ended(End::NoResource)]
        );
    }
}

/// [RN-4] A user who is back before the last NOTIFY went out keeps the subscription.
#[test]
fn back_in_time() {
    let mut host = Host::active(100);
    host.state = State::end();
    host.step(Input::Changed);
    host.state.terminated = false;
    host.step(Input::Changed);
    let outs = host.tick();
    assert!(state(&outs).starts_with("active;"));
    assert!(bytes(&outs).ends_with("version 1 since 0"));
}

/// [RN-4] The owner ends it, with or without a NOTIFY out.
#[test]
fn terminate() {
    let mut host = Host::active(100);
    assert!(host.step(Input::Terminate(Reason::Rejected)).is_empty());
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=rejected");
    let token = notify(&outs);
    assert!(
        host.step(Input::Terminate(Reason::Timeout)).is_empty(),
        "too late"
    );
    let ended = host.step(answer(token, 200));
    assert_eq!(ended, [Done::Ended(End::Terminated(Reason::Rejected))]);

    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(100), "")));
    assert!(host.step(Input::Terminate(Reason::Deactivated)).is_empty());
    let outs = host.step(answer(token, 200));
    assert_eq!(state(&outs), "terminated;reason=deactivated");
}

/// [RN-4] Which answers end a subscription: exactly those of RFC 6665 4.2.2.
#[test]
fn killing_codes() {
    for status in 100..=699 {
        let kills = matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604);
        assert_eq!(ends_subscription(status), kills, "{status}");
        let mut host = Host::new();
        let token = notify(&host.subscribe(&text(1, &expires(100), "")));
        let outs = host.step(answer(token, status));
        assert_eq!(host.is_over(), kills, "{status}");
        if kills {
            assert_eq!(outs, [Done::Ended(End::Refused { status })]);
        } else {
            assert!(outs.is_empty());
        }
    }
}
