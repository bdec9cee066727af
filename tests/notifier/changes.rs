//! [RN-2, RN-3] What is told of changes, and when.

use super::support::*;
use ims_procedures::regevent::notifier::Input;

/// [RN-2, RN-3] A change is told once, the version goes up by one, CSeq too.
#[test]
fn change() {
    let mut host = Host::active(3_600);
    assert!(host.tick().is_empty(), "nothing is due");
    assert!(host.step(Input::Changed).is_empty());
    assert!(host.step(Input::Changed).is_empty());
    assert_eq!(host.deadline(), Some(0));
    host.now = host.now.after(1_500);
    let outs = host.tick();
    assert_eq!(header(bytes(&outs), "CSeq"), "2 NOTIFY");
    assert_eq!(state(&outs), "active;expires=3598");
    assert!(bytes(&outs).ends_with("version 1 since 0"));
    assert!(host.tick().is_empty(), "at most one outstanding");
}

/// [RN-3] A change while one is outstanding is told when that one is answered, whatever came together.
#[test]
fn change_while_outstanding() {
    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(3_600), "")));
    for _ in 0..3 {
        host.state.terminate();
        assert!(host.step(Input::Changed).is_empty());
        assert!(host.tick().is_empty());
    }
    assert!(host.step(answer(token, 180)).is_empty(), "provisional");
    let outs = host.step(answer(token, 200));
    assert!(bytes(&outs).ends_with("version 1 since 0"));
    let token = notify(&outs);
    assert!(host.step(answer(token, 200)).is_empty());
    host.state.terminate();
    host.step(Input::Changed);
    assert!(
        bytes(&host.tick()).ends_with("version 2 since 3"),
        "told before"
    );
}

/// [RN-2, RN-3] With `partial_state`: only changes, if the subscriber is known to know the rest; everything in
/// the answer to a SUBSCRIBE, after a refusal, where changes were forgotten, and at the end.
#[test]
fn partial_state() {
    let document = |outs: &[Done]| bytes(outs).split("\r\n\r\n").nth(1).unwrap().to_string();
    let mut host = Host::new();
    host.config.partial_state = true;
    let outs = host.subscribe(&text(1, &expires(3_600), ""));
    let tag = host.tag(bytes(&outs));
    assert_eq!(document(&outs), "full version 0 since 0");
    host.step(answer(notify(&outs), 200));
    let change = |host: &mut Host| {
        host.state.changes += 1;
        host.step(Input::Changed);
        host.tick()
    };
    let outs = change(&mut host);
    assert_eq!(document(&outs), "partial version 1 since 0");
    host.step(answer(notify(&outs), 200));
    let outs = change(&mut host);
    assert_eq!(document(&outs), "partial version 2 since 1");
    host.step(answer(notify(&outs), 503));
    host.now = host.now.after(4_000);
    let outs = host.tick();
    assert_eq!(document(&outs), "full version 3 since 1");
    host.step(answer(notify(&outs), 200));
    let outs = change(&mut host);
    assert_eq!(document(&outs), "partial version 4 since 2");
    host.step(answer(notify(&outs), 200));

    host.state.forgotten = 4;
    let outs = change(&mut host);
    assert_eq!(document(&outs), "full version 5 since 3");
    host.step(answer(notify(&outs), 200));
    let outs = change(&mut host);
    assert_eq!(
        document(&outs),
        "partial version 6 since 4",
        "forgotten is known"
    );

    // A refresh while it is out.
    host.subscribe(&text(2, &expires(3_600), &tag));
    let outs = host.step(answer(notify(&outs), 200));
    assert_eq!(document(&outs), "full version 7 since 5");
    host.step(answer(notify(&outs), 200));
    host.now = host.now.after(3_600_000);
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=timeout");
    assert_eq!(document(&outs), "full version 8 since 5");

    let mut host = Host::new();
    host.config.partial_state = true;
    let outs = host.subscribe(&text(1, &expires(0), ""));
    assert_eq!(document(&outs), "full version 0 since 0", "a fetch");
}

/// [RN-3] Pacing brings changes together and never delays a termination.
#[test]
fn pacing() {
    let mut host = Host::active(3_600);
    host.config.pace = 5_000;
    host.now = host.now.after(2_000);
    host.step(Input::Changed);
    assert_eq!(host.deadline(), Some(3_000));
    host.now = host.now.after(2_999);
    host.step(Input::Changed);
    assert!(host.tick().is_empty());
    host.now = host.now.after(1);
    let token = notify(&host.tick());
    // Again while it is out; the answer comes before the pace allows.
    host.step(Input::Changed);
    assert!(host.step(answer(token, 200)).is_empty());
    assert_eq!(host.deadline(), Some(5_000));
    host.state.terminate();
    host.step(Input::Changed);
    assert_eq!(host.deadline(), Some(0));
    let token = notify(&host.tick());
    // What comes while a termination is being told is no termination.
    host.step(Input::Changed);
    assert!(host.step(answer(token, 200)).is_empty());
    assert_eq!(host.deadline(), Some(5_000));
}
