//! [RN-1, RN-3, RN-5] Who may subscribe, and who is told.

use super::support::*;
use ims_procedures::{
    drive::{Answer, Identifiers, Node, Source, Verdict},
    regevent::notifier::End,
    scscf::{self, Border, ScscfNode},
};

const PAI: &str = "P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>";

fn status(outs: &[Out]) -> u16 {
    let [response] = outs else { panic!("{outs:?}") };
    response.status()
}

/// A SUBSCRIBE of another subscriber.
fn another(name: &str) -> String {
    subscribe()
        .replace("subscriber-1", &format!("subscriber-{name}"))
        .replace("s-call-1", &format!("s-call-{name}"))
        .replace("s-branch-1", &format!("s-branch-{name}"))
}

/// A SUBSCRIBE in the dialog that the 200 made.
fn in_dialog(accepted: &Out, cseq: u32, expires: u32) -> String {
    let to = header(accepted.bytes(), "To").unwrap();
    let contact = header(accepted.bytes(), "Contact").unwrap();
    let contact = &contact[1..contact.len() - 1];
    subscribe()
        .replace(
            &format!("SUBSCRIBE {PUBLIC}"),
            &format!("SUBSCRIBE {contact}"),
        )
        .replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"))
        .replace("CSeq: 1 ", &format!("CSeq: {cseq} "))
        .replace("Expires: 3660", &format!("Expires: {expires}"))
}

/// [RN-1] Nobody registered: 480; also when the last binding has just gone.
#[test]
fn no_binding() {
    let mut host = Host::new(config());
    let (verdict, outs) = host.receive_from(Source::TrustedCore, subscribe().as_bytes());
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(status(&outs), 480);
    assert!(header(outs[0].bytes(), "To").unwrap().contains(";tag="));
    let mut host = Host::registered();
    host.receive(register());
    assert_eq!(status(&host.receive(subscribe())), 480);
    assert_eq!(host.node.counters().subscribes_refused, 1);
}

/// [RN-1] By P-Asserted-Identity, from the trusted core: the user's own identities, the P-CSCF of a stored
/// Path, trusted application servers; nobody else.
#[test]
fn authorisation() {
    let asserting = |uri: &str| subscribe().replace(PAI, &format!("P-Asserted-Identity: {uri}"));
    for (register, expected) in [
        (subscribe(), 200),
        (asserting(&format!("<{PUBLIC}>")), 200),
        (asserting(&format!("<{TEL}>")), 200),
        (asserting(&format!("<sip:x@y>, <{TEL}>")), 200),
        (
            asserting("<sip:term@PCSCF1.visited1.example.net:5070;lr>"),
            200,
        ),
        (asserting("<sip:as9.home1.example.net>"), 200),
        (asserting("<sip:as9.home1.example.net:5061>"), 403),
        (asserting("<sip:pcscf2.visited1.example.net:5070>"), 403),
        (asserting("<sip:pcscf1.visited1.example.net>"), 403),
        (
            asserting("<sip:pcscf1.visited1.example.net.evil.example:5070>"),
            403,
        ),
        (asserting("<sip:user2@home1.example.net>"), 403),
        (asserting("nonsense"), 403),
        (subscribe().replace(&format!("{PAI}\r\n"), ""), 403),
    ] {
        let mut config = config();
        config
            .trusted_servers
            .push(b"sip:as9.home1.example.net".to_vec());
        let mut host = Host::registered_with(config);
        assert_eq!(host.receive(&register)[0].status(), expected, "{register}");
        assert_eq!(
            host.node.subscribers(PUBLIC.as_bytes()),
            usize::from(expected == 200)
        );
    }
    for from in [Source::Ue, Source::Unknown] {
        let mut host = Host::registered();
        assert_eq!(
            status(&host.receive_from(from, subscribe().as_bytes()).1),
            403
        );
    }
}

/// [RN-1, SD-1] A P-CSCF behind a border is matched as for a deregistration.
#[test]
fn border() {
    let mut config = config();
    config.borders.push(Border {
        path_owner: b"sip:ibcf.visited1.example.net".to_vec(),
        asserted: b"sip:pcscf1.visited1.example.net:5070".to_vec(),
    });
    let mut host = Host::new(config);
    host.learn(&Registration {
        path: "<sip:t@ibcf.visited1.example.net;lr>",
        ..Registration::default()
    });
    host.subscribe();
}

/// [RN-1] Another package is not this node's; Event is compared case by case; Accept must list the type.
#[test]
fn package_and_accept() {
    let mut host = Host::registered();
    for event in ["Event: presence", "Event: Reg", "Event: reg.winfo", "X: y"] {
        let other = subscribe().replace("Event: reg", event);
        let (verdict, outs) = host.receive_from(Source::TrustedCore, other.as_bytes());
        assert_eq!((verdict, outs.len()), (Verdict::NotMine, 0), "{event}");
    }
    for (accept, expected) in [
        ("Accept: text/plain", 406),
        ("Accept: ", 406),
        ("Accept: text/plain, application/REGINFO+xml;q=0.5", 200),
        ("Accept: application/*", 200),
        ("Accept: */*", 200),
        ("Accept: application/reginfo+xml;q=0", 406),
        ("Accept: application/reginfo+xml;q=0.000, */*", 406),
        (
            "Accept: */*;q=0, application/reginfo+xml ;charset=utf-8;q=0.001",
            200,
        ),
        ("Accept: text/plain\r\nAccept: application/*", 200),
        ("X: y", 200),
    ] {
        let mut host = Host::registered();
        let outs = host.receive(subscribe().replace("Accept: application/reginfo+xml", accept));
        assert_eq!(outs[0].status(), expected, "{accept}");
        if expected == 406 {
            assert_eq!(
                header(outs[0].bytes(), "Accept"),
                Some("application/reginfo+xml")
            );
        }
    }
    let mut host = Host::registered();
    let outs = host.receive(subscribe().replace("Event: reg", "Event: reg;id=7"));
    assert_eq!(header(outs[2].bytes(), "Event"), Some("reg;id=7"));
    let (verdict, outs) = host.receive_from(
        Source::TrustedCore,
        subscribe().replace("Contact", "X").as_bytes(),
    );
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(status(&outs), 400);
}

/// [RN-1] In a dialog of ours, or where the host has no other package, a SUBSCRIBE to another one is refused
/// with 489, which says which one there is (RFC 6665 8.2.2).
#[test]
fn other_packages() {
    for refuses in [false, true] {
        let mut config = config();
        config.refuse_other_packages = refuses;
        let mut host = Host::registered_with(config);
        let (accepted, _) = host.subscribe();
        let inside = in_dialog(&accepted, 2, 3000);
        for (text, is_refused) in [
            (inside.clone(), true),
            (inside.replace("s-call-1", "x"), refuses),
            (inside.replace(";tag=s-tag", ";tag=x"), refuses),
            (another("2"), refuses),
        ] {
            for event in ["Event: presence", "Event: REG", "X: y"] {
                let text = text.replace("Event: reg", event);
                let (verdict, outs) = host.receive_from(Source::TrustedCore, text.as_bytes());
                match is_refused {
                    true => {
                        assert_eq!(status(&outs), 489, "{text}");
                        assert_eq!(header(outs[0].bytes(), "Allow-Events"), Some("reg"));
                    }
                    false => assert_eq!((verdict, outs.len()), (Verdict::NotMine, 0)),
                }
            }
        }
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
    }
}

/// [RN-1] The event id belongs to the subscription: with another one in the dialog it is unknown (RFC 6665
/// 8.2.1), and a SUBSCRIBE that differs by it alone makes another subscription.
#[test]
fn event_id() {
    let mut host = Host::registered();
    let with = |text: String, id: &str| text.replace("Event: reg", &format!("Event: reg{id}"));
    let outs = host.receive(with(subscribe(), ";id=7"));
    let accepted = outs[0].clone();
    host.respond(&outs[2], 200);
    for id in ["", ";id=8"] {
        let other = with(in_dialog(&accepted, 2, 3000), id);
        assert_eq!(status(&host.receive(other)), 481, "{id}");
    }
    let outs = host.receive(with(in_dialog(&accepted, 2, 3000), ";id=7"));
    assert_eq!(outs[0].status(), 200);
    assert_eq!(header(outs[1].bytes(), "Event"), Some("reg;id=7"));
    let other = with(another("2"), ";id=8").replace("s-call-2", "s-call-1");
    let outs = host.receive(other);
    assert_eq!(header(outs[2].bytes(), "Event"), Some("reg;id=8"));
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 2);
}

/// [RN-1] Without Expires the package's default, 3,761 s (RFC 3680 4.4); never more than was asked.
#[test]
fn granted() {
    for (asked, expected) in [
        ("X: y", "3761"),
        ("Expires: 1", "1"),
        ("Expires: 4000000", "600000"),
    ] {
        let mut host = Host::registered();
        let outs = host.receive(subscribe().replace("Expires: 3660", asked));
        assert_eq!(header(outs[0].bytes(), "Expires"), Some(expected));
        let state = format!("active;expires={expected}");
        assert_eq!(
            header(outs[2].bytes(), "Subscription-State"),
            Some(state.as_str())
        );
    }
}

/// [RN-3, T25] A re-REGISTER gives each subscriber one NOTIFY, whatever its contacts; a refresh of one
/// subscription gives the others none.
#[test]
fn no_storm() {
    let mut host = Host::registered();
    let mut accepted = Vec::new();
    for name in ["1", "2", "3"] {
        let outs = host.receive(another(name));
        host.respond(&outs[2], 200);
        accepted.push(outs[0].clone());
    }
    for cseq in [11, 12] {
        let contact = format!("<{CONTACT}>;{INSTANCE};reg-id=1");
        host.learn(&Registration {
            cseq,
            contacts: vec![contact.clone(), "<sip:192.0.2.9>".into()],
            granted: vec![contact, "<sip:192.0.2.9>".into()],
            ..Registration::default()
        });
        let notifies = host.ticks();
        assert_eq!(notifies.len(), 3);
        for notify in &notifies {
            assert!(host.respond(notify, 200).is_empty());
        }
        assert!(host.run(60_000).is_empty());
    }
    let refresh = in_dialog(&accepted[0], 2, 3000);
    let outs = host.receive(refresh);
    assert_eq!(outs.len(), 2, "the 200 and its own NOTIFY");
    host.respond(&outs[1], 200);
    assert!(host.run(60_000).is_empty());
}

/// [RN-1] 423 only below an hour and the minimum; the old subscription stays.
#[test]
fn too_brief() {
    let mut config = config();
    config.notifier.min_expires = 600;
    let mut host = Host::registered_with(config);
    let (accepted, _) = host.subscribe();
    for subscribe in [
        in_dialog(&accepted, 2, 599),
        another("2").replace("3660", "1"),
    ] {
        let outs = host.receive(subscribe);
        assert_eq!(status(&outs), 423);
        assert_eq!(header(outs[0].bytes(), "Min-Expires"), Some("600"));
    }
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
    let outs = host.receive(in_dialog(&accepted, 3, 600));
    assert_eq!(outs[0].status(), 200);
    assert_eq!(header(outs[0].bytes(), "Expires"), Some("600"));
}

/// [RN-1, RN-4, T31] The same Contact in a new dialog takes the place of the old one, without a word to it; that
/// the old one is over is reported.
#[test]
fn replaced() {
    let mut host = Host::registered();
    let (old, _) = host.subscribe();
    let outs = host.receive(subscribe().replace("s-call-1", "s-call-2"));
    let [_, Out::Event(Ev::Subscribed { .. }), notify, ended] = outs.as_slice() else {
        panic!("{outs:?}");
    };
    assert_eq!(*ended, Out::Event(Ev::Ended(End::Replaced)));
    host.respond(notify, 200);
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
    assert_eq!(status(&host.receive(in_dialog(&old, 2, 0))), 481);
    host.learn(&Registration {
        cseq: 11,
        ..Registration::default()
    });
    let [notify] = host.ticks().try_into().unwrap();
    assert_eq!(header(notify.bytes(), "Call-ID"), Some("s-call-2"));
}

/// [RN-1] When one is replaced, another subscription with the same Call-ID is still found, and the Call-ID of
/// the last one is not.
#[test]
fn replaced_beside_its_call_id() {
    let mut host = Host::registered();
    let (first, _) = host.subscribe();
    let other = another("2")
        .replace("s-call-2", "s-call-1")
        .replace("s-tag", "s-tag-2");
    let [accepted, _, _] = host.receive(&other).try_into().unwrap();
    host.receive(
        subscribe()
            .replace("s-call-1", "s-call-2")
            .replace("s-tag", "s-tag-3"),
    );
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 2);
    let to = header(accepted.bytes(), "To").unwrap();
    let refresh = other
        .replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"))
        .replace("CSeq: 1 ", "CSeq: 2 ");
    assert_eq!(host.receive(refresh)[0].status(), 200);
    assert_eq!(status(&host.receive(in_dialog(&first, 2, 60))), 481);
}

/// [RN-1, DR-7] The first SUBSCRIBE again, which no transaction absorbs after a restart: the same dialog, the
/// same Contact, what is left of the same time; no other NOTIFY, and the subscription goes on.
#[test]
fn repeated() {
    for restart in [false, true] {
        let mut host = Host::registered();
        let (accepted, _) = host.subscribe();
        if restart {
            host.restart(2);
        }
        let again = host.receive(subscribe());
        assert_eq!(status(&again), 200);
        for name in ["To", "Contact", "Expires"] {
            let again = header(again[0].bytes(), name);
            assert_eq!(again, header(accepted.bytes(), name), "{name}");
        }
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
        host.wait(60_000);
        let later = host.receive(subscribe());
        assert_eq!(header(later[0].bytes(), "Expires"), Some("3600"));
        let outs = host.receive(in_dialog(&accepted, 2, 3000));
        assert_eq!(outs[0].status(), 200);
        // A late copy, now that the dialog has gone on.
        assert_eq!(status(&host.receive(subscribe())), 200);
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
    }
}

/// [RN-1] While its NOTIFY is out, too, and of a fetch; another tag, Call-ID or a higher CSeq is not the same.
#[test]
fn repeated_or_not() {
    for (expires, other, same) in [
        ("Expires: 3660", subscribe(), true),
        ("Expires: 0", subscribe(), true),
        (
            "Expires: 3660",
            subscribe().replace("s-tag", "x-tag"),
            false,
        ),
        ("Expires: 3660", subscribe().replace("s-call-1", "x"), false),
        (
            "Expires: 3660",
            subscribe().replace("CSeq: 1 ", "CSeq: 2 "),
            false,
        ),
    ] {
        let mut host = Host::registered();
        let expiring = |text: String| text.replace("Expires: 3660", expires);
        let first = host.receive(expiring(subscribe()));
        let again = host.receive(expiring(other));
        let is_same = header(again[0].bytes(), "To") == header(first[0].bytes(), "To");
        assert_eq!((is_same, again.len() == 1), (same, same), "{again:?}");
    }
}

/// A SUBSCRIBE of the user itself.
fn own(name: &str, expires: &str) -> String {
    another(name)
        .replace(PAI, &format!("P-Asserted-Identity: <{PUBLIC}>"))
        .replace("3660", expires)
}

/// [DR-5] The user's own subscriptions leave a quarter to its P-CSCF and to servers; its fetches, which it
/// never answers, leave all of them, and half of the fetches.
#[test]
fn places_of_the_user() {
    for (subscribers, own_most, fetches) in [(4, 3, 2), (5, 3, 4), (16, 12, 8)] {
        let mut config = config();
        config.limits.subscribers = subscribers;
        let mut host = Host::registered_with(config);
        let mut refused = |text: String| host.receive(text)[0].status() == 500;
        for number in 0..20 {
            let fetch = own(&format!("f{number}"), "0");
            assert_eq!(refused(fetch), number >= fetches / 2, "{number}");
        }
        for number in 0..20 {
            let subscribe = own(&format!("s{number}"), "3660");
            assert_eq!(refused(subscribe), number >= own_most, "{number}");
        }
        for number in 0..20 {
            let element = another(&number.to_string());
            assert_eq!(refused(element), number >= subscribers - own_most);
            let fetch = another(&format!("e{number}")).replace("3660", "0");
            assert_eq!(refused(fetch), number >= fetches / 2);
        }
        let mut blob = Vec::new();
        host.node.snapshot(host.now, &mut blob);
        for (subscribers, fits) in [(subscribers, true), (subscribers - 1, false)] {
            let mut config = super::support::config();
            config.limits.subscribers = subscribers;
            let identifiers = Identifiers::new(SEED, 2, 3);
            let restored = ScscfNode::restore(config, identifiers, host.now, &blob);
            assert_eq!(restored.is_ok(), fits);
        }
        // A fetch that nobody answers is over with the bound on the answer.
        host.run(40_000);
        assert_eq!(host.receive(own("later", "0"))[0].status(), 200);
    }
}

/// [RN-1] A fetch takes no subscription's place, and the user not that of its P-CSCF, whatever Contact it says.
#[test]
fn not_replaced() {
    let mut host = Host::registered();
    host.subscribe();
    for (text, most) in [(subscribe().replace("3660", "0"), 2), (own("1", "3660"), 3)] {
        let text = text.replace("s-call-1", &format!("other-{most}"));
        let outs = host.receive(text);
        assert_eq!(outs[0].status(), 200);
        assert!(!outs.contains(&Out::Event(Ev::Ended(End::Replaced))));
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), most);
    }
}

/// [DR-5] As many subscribers as are allowed, and one more; one who is there already may come again.
#[test]
fn many_subscribers() {
    let mut config = config();
    config.limits.subscribers = 2;
    let mut host = Host::registered_with(config);
    for (name, expected) in [("1", 200), ("2", 200), ("3", 500), ("2", 200)] {
        let outs = host.receive(another(name));
        assert_eq!(outs[0].status(), expected, "{name}");
    }
    let mut config = super::support::config();
    config.limits.registration_bytes = 500;
    let mut host = Host::registered_with(config);
    let long = format!(
        "Record-Route: <sip:{}.example;lr>\r\nEvent",
        "a".repeat(500)
    );
    assert_eq!(
        status(&host.receive(subscribe().replace("Event", &long))),
        513
    );
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 0);
}

/// [RN-1] The dialog: unknown 481, order of CSeq 500, refresh, end.
#[test]
fn dialog() {
    let mut host = Host::registered();
    let (accepted, _) = host.subscribe();
    let good = in_dialog(&accepted, 2, 3000);
    for wrong in [
        good.replace("s-call-1", "s-call-9"),
        good.replace(";tag=s-tag", ";tag=x-tag"),
        good.replace(";tag=s0003-", ";tag=s0004-"),
    ] {
        assert_eq!(status(&host.receive(wrong)), 481);
    }
    assert_eq!(
        status(&host.receive_from(Source::Ue, good.as_bytes()).1),
        403
    );
    let outs = host.receive(&good);
    let [ok, notify] = outs.try_into().unwrap();
    assert_eq!(
        (ok.status(), header(ok.bytes(), "Expires")),
        (200, Some("3000"))
    );
    assert_eq!(header(notify.bytes(), "CSeq"), Some("2 NOTIFY"));
    assert!(notify.bytes().contains("version=\"1\""));
    host.respond(&notify, 200);
    assert_eq!(status(&host.receive(&good)), 200, "again");
    let earlier = in_dialog(&accepted, 1, 3000);
    assert_eq!(status(&host.receive(earlier)), 500);

    let [ok, last] = host.receive(in_dialog(&accepted, 3, 0)).try_into().unwrap();
    assert_eq!(
        (ok.status(), header(ok.bytes(), "Expires")),
        (200, Some("0"))
    );
    assert_eq!(
        header(last.bytes(), "Subscription-State"),
        Some("terminated;reason=timeout")
    );
    assert_eq!(
        host.respond(&last, 200),
        [Out::Event(Ev::Ended(End::Unsubscribed))]
    );
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 0);
    assert!(
        host.node.is_registered(PUBLIC.as_bytes()),
        "RE-12: the registration is another matter"
    );
}

/// [RN-2] What was terminated is told once to each subscriber, and never to one who comes later.
#[test]
fn told_once() {
    let mut host = Host::registered();
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20", "")
    };
    host.learn(&second);
    let first = host.receive(another("1"));
    host.deregister();
    // The first NOTIFY of this one is not answered yet: the change waits for it (RN-3).
    assert!(host.ticks().is_empty());
    let late = host.receive(another("2"));
    assert!(
        !late[2].bytes().contains("terminated"),
        "{}",
        late[2].bytes()
    );
    let [told] = host.respond(&first[2], 200).try_into().unwrap();
    assert_eq!(
        told.bytes()
            .matches("event=\"unregistered\" expires=\"0\"")
            .count(),
        2
    );
    assert!(told.bytes().contains("Subscription-State: active"));
    host.respond(&told, 200);
    host.respond(&late[2], 200);
    host.learn(&Registration {
        cseq: 12,
        call_id: "ue-call-2",
        ..second
    });
    for notify in host.ticks() {
        assert!(!notify.bytes().contains("terminated"), "{}", notify.bytes());
    }
}

/// [RN-3] A termination in a NOTIFY that was refused has not been told: before long it comes again, whether
/// nothing else happens, another change comes, or the node is restarted.
#[test]
fn told_again() {
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20", "")
    };
    for (changes, restarts) in [(false, false), (true, false), (false, true)] {
        let mut host = Host::registered();
        host.learn(&second);
        host.subscribe();
        host.deregister();
        let outs = host.ticks();
        let notify = outs.iter().find(|out| out.is_notify()).unwrap();
        assert!(notify.bytes().contains("event=\"unregistered\""));
        let refused = response_to(notify.bytes(), 503)
            .replace("Content-Length", "Retry-After: 30\r\nContent-Length");
        host.try_answer(notify.token(), Answer::Response(refused.as_bytes()))
            .unwrap();
        if changes {
            host.learn(&Registration {
                cseq: 11,
                ..second.clone()
            });
        }
        if restarts {
            host.restart(2);
        }
        let is_notify = |outs: &[Out]| outs.iter().any(Out::is_notify);
        assert!(!is_notify(&host.run(29_999)));
        let outs = host.run(1);
        let [again] = outs.as_slice() else {
            panic!("{outs:?}");
        };
        assert!(again.bytes().contains("event=\"unregistered\""));
        assert!(again.bytes().contains("version=\"2\""));
        host.respond(again, 200);
        host.learn(&Registration {
            cseq: 12,
            ..second.clone()
        });
        let [next] = host.ticks().try_into().unwrap();
        assert!(!next.bytes().contains("event=\"unregistered\""));
    }
}

/// [RN-3, DR-7] A termination whose NOTIFY is out over a restart is told with the answer to the NOTIFY that is
/// offered again, and not a second time.
#[test]
fn told_over_a_restart() {
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20", "")
    };
    let mut host = Host::registered();
    host.learn(&second);
    host.subscribe();
    host.deregister();
    let outs = host.ticks();
    let notify = outs.iter().find(|out| out.is_notify()).unwrap();
    host.restart(2);
    let outs = host.ticks();
    let again = outs.iter().find(|out| out.is_notify()).unwrap();
    assert_eq!(again.bytes(), notify.bytes());
    host.respond(again, 200);
    host.learn(&Registration { cseq: 11, ..second });
    let outs = host.ticks();
    let next = outs.iter().find(|out| out.is_notify()).unwrap();
    assert!(!next.bytes().contains("event=\"unregistered\""));
}

/// [RN-5, RN-3] A change goes to every subscriber of the set, one a tick, and to nobody else.
#[test]
fn everyone_is_told() {
    let mut host = Host::registered();
    let other = "sip:other@home1.example.net";
    host.learn(&Registration {
        to: other,
        private: "other@home1.example.net",
        associated: vec![],
        ..Registration::of("sip:192.0.2.77", "")
    });
    for outs in [
        another("1"),
        another("2"),
        another("3"),
        another("4").replace(PUBLIC, other),
    ] {
        let outs = host.receive(outs);
        host.respond(&outs[2], 200);
    }
    host.deregister();
    let mut calls = Vec::new();
    for _ in 0..3 {
        let [notify] = host.tick().try_into().unwrap();
        calls.push(header(notify.bytes(), "Call-ID").unwrap().to_string());
        assert!(host.node.subscribers(other.as_bytes()) == 1);
    }
    calls.sort();
    assert_eq!(calls, ["s-call-1", "s-call-2", "s-call-3"]);
    let [third_party] = host.ticks().try_into().unwrap();
    assert!(third_party.is_register());
}

/// [SD-4] The NOTIFY is not sent before the 200.
#[test]
fn order() {
    let mut host = Host::registered();
    host.subscribe();
    let [release] = host.receive(register()).try_into().unwrap();
    assert!(host.ticks().is_empty());
    let [assignment] = host
        .answer(&release, scscf::Answer::Released)
        .try_into()
        .unwrap();
    assert!(host.ticks().is_empty());
    let assigned = scscf::Answer::Assigned {
        application_servers: SERVER,
    };
    let [ok] = host.answer(&assignment, assigned).try_into().unwrap();
    assert_eq!(ok.status(), 200);
    let outs = host.ticks();
    assert!(outs[0].is_notify() && outs[1].is_register());
}
