//! [RN-1] SUBSCRIBEs: the first, those in the dialog, and those that come again.

use super::support::*;
use ims_procedures::{drive::Limits, regevent::notifier::Subscribe, wire::Message};

/// [RN-1, RN-2] SUBSCRIBE: 200, event, and NOTIFY at once; its dialog is the SUBSCRIBE's.
#[test]
fn accepted() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(3_600), ""));
    let [
        Done::Respond(200, ok),
        Done::Subscribed(3_600),
        Done::Notify(_, notify),
    ] = &outs[..]
    else {
        panic!("{outs:?}");
    };
    assert!(ok.contains("\r\nExpires: 3600\r\n"));
    assert_eq!(
        ok.matches("Record-Route: ").count(),
        2,
        "copied (RFC 3261 12.1.1)"
    );
    assert!(notify.starts_with("NOTIFY sip:one@pcscf.example SIP/2.0\r\n"));
    let routes = "<sip:proxy1.example;lr>, <sip:proxy2.example;lr>, <sip:proxy3.example;lr>";
    assert_eq!(
        header(notify, "Route"),
        routes,
        "in order (RFC 3261 12.1.1)"
    );
    assert_eq!(header(notify, "To"), "<sip:pcscf.example>;tag=theirs");
    assert_eq!(header(notify, "Call-ID"), "call");
    assert_eq!(header(notify, "CSeq"), "1 NOTIFY");
    assert_eq!(header(notify, "Contact"), header(ok, "Contact"));
    assert!(header(ok, "To").ends_with(&host.tag(notify)));
    assert_eq!(state(&outs), "active;expires=3600");
    assert!(header(notify, "P-Charging-Vector").contains(";orig-ioi=home.example"));
    assert!(notify.ends_with("\r\n\r\nfull version 0 since 0"));
}

/// [RN-2] Towards a strict router the request line names that, and the last Route is the target (RFC 3261 12.2.1.1).
#[test]
fn strict_router() {
    let mut host = Host::new();
    let strict = text(1, &expires(3_600), "").replace("proxy1.example;lr", "proxy1.example");
    let outs = host.subscribe(&strict);
    let notify = bytes(&outs);
    assert!(notify.starts_with("NOTIFY sip:proxy1.example SIP/2.0\r\n"));
    assert_eq!(
        header(notify, "Route"),
        "<sip:proxy2.example;lr>, <sip:proxy3.example;lr>, <sip:one@pcscf.example>"
    );
}

/// [RN-1] Never more than was asked, never more than the most; without Expires the package's default.
#[test]
fn granted() {
    for (asked, granted) in [
        (expires(1), 1),
        (expires(600_000), 600_000),
        (expires(600_001), 600_000),
        (String::new(), 3_761),
    ] {
        let mut host = Host::new();
        let outs = host.subscribe(&text(1, &asked, ""));
        assert_eq!(outs[1], Done::Subscribed(granted));
    }
}

/// [RN-1] 423 only from one second to below an hour, and below the minimum.
#[test]
fn too_brief() {
    for (least, asked, refused) in [
        (0, 1, false),
        (60, 59, true),
        (60, 60, false),
        (60, 0, false),
        (3_600, 3_599, true),
        (3_600, 3_600, false),
    ] {
        let mut host = Host::new();
        host.config.min_expires = least;
        let outs = host.subscribe(&text(1, &expires(asked), ""));
        match &outs[..] {
            [Done::Respond(423, bytes)] => {
                assert_eq!(header(bytes, "Min-Expires"), least.to_string());
                assert!(refused && host.is_over(), "{least} {asked}");
            }
            _ => assert!(!refused, "{least} {asked}: {outs:?}"),
        }
    }
}

/// [RN-1] A fetch: 200 with Expires 0 and one NOTIFY, without an event.
#[test]
fn fetch() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(0), ""));
    assert_eq!(outs.len(), 2);
    assert_eq!(state(&outs), "terminated;reason=timeout");
    let token = notify(&outs);
    assert!(host.step(answer(token, 200)).is_empty());
    assert!(host.is_over());
}

/// [RN-1] A refresh in the dialog: 200, NOTIFY, new time, new target; its order is that of CSeq.
#[test]
fn refresh() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(5, &expires(100), ""));
    let tag = host.tag(bytes(&outs));
    let token = notify(&outs);
    host.step(answer(token, 200));
    for (cseq, expected) in [(4, 500), (5, 200)] {
        let outs = host.subscribe(&text(cseq, &expires(100), &tag));
        assert!(
            matches!(&outs[..], [Done::Respond(status, _)] if *status == expected),
            "{outs:?}"
        );
    }
    host.now = host.now.after(90_000);
    let moved = text(6, &expires(100), &tag).replace("sip:one@", "sip:two@");
    let outs = host.subscribe(&moved);
    assert!(matches!(outs[0], Done::Respond(200, _)));
    assert!(bytes(&outs).starts_with("NOTIFY sip:two@pcscf.example SIP/2.0\r\n"));
    assert_eq!(state(&outs), "active;expires=100");
    // While that NOTIFY is out: answered at once, the NOTIFY for it after the answer.
    let again = host.subscribe(&text(7, &expires(200), &tag));
    assert!(matches!(&again[..], [Done::Respond(200, _)]));
    let token = notify(&outs);
    let next = host.step(answer(token, 200));
    assert_eq!(state(&next), "active;expires=200");
    host.config.min_expires = 60;
    let brief = host.subscribe(&text(8, &expires(59), &tag));
    assert!(matches!(&brief[..], [Done::Respond(423, _)]));
    assert!(!host.is_over());
}

/// [RN-1, RFC 3261 12.2.2] A SUBSCRIBE of the dialog that comes again (its transaction was lost with a restart)
/// is answered as before, and nothing else happens: refresh, one too brief, and the end.
#[test]
fn repeated_in_dialog() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(100), ""));
    let tag = host.tag(bytes(&outs));
    host.step(answer(notify(&outs), 200));
    host.config.min_expires = 60;
    for (cseq, seconds, status) in [(2, 200, 200), (3, 59, 423), (4, 0, 200)] {
        let request = text(cseq, &expires(seconds), &tag);
        let first = host.subscribe(&request);
        let again = host.subscribe(&request);
        let (Done::Respond(one, first_bytes), [Done::Respond(two, bytes)]) =
            (&first[0], &again[..])
        else {
            panic!("{first:?} {again:?}");
        };
        assert_eq!((*one, *two), (status, status));
        if status == 200 {
            assert_eq!(first_bytes, bytes);
            if let Some(Done::Notify(token, _)) = first.last() {
                let token = *token;
                host.step(answer(token, 200));
            }
        }
    }
    assert!(host.is_over());
}

/// [RN-1] A folded Record-Route is kept on one line; a SUBSCRIBE without Contact makes no dialog.
#[test]
fn folded_and_missing() {
    let folded = text(1, &expires(60), "")
        .replace(";lr>, <sip:proxy2", ";lr>;x=\"a\r\n b\",\r\n <sip:proxy2");
    let mut host = Host::new();
    let outs = host.subscribe(&folded);
    assert!(
        header(bytes(&outs), "Route").starts_with("<sip:proxy1.example;lr>;x=\"a b\", <sip:proxy2")
    );
    let without = text(1, "", "").replace("Contact", "X-Contact");
    let message = Message::parse(without.as_bytes(), &Limits::default()).unwrap();
    assert!(Subscribe::read(&message).is_err());
    for other in ["Event: presence", "Event: REG", "X: reg"] {
        let text = text(1, "", "").replace("Event: reg", other);
        let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert!(Subscribe::read(&message).unwrap().is_none(), "{other}");
    }
}
