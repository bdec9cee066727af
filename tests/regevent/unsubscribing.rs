//! How we end a subscription, and what crosses that.

use super::bed::{
    Bed, CONTACT, Ev, FLOOR, NOTIFIER, Out, PROFILES, PUBLIC, REFRESH, Subscribe, TIMER_N, active,
    config, document, ended, is_gone, is_registered, registered, registration,
};
use ims_procedures::{
    drive,
    regevent::{
        node::SubscriberNode,
        subscriber::{End, Profile, Standing},
    },
};

/// The user goes, by request and answer; what that puts out.
fn leave(bed: &mut Bed) -> Vec<Out> {
    let mut out = bed.deregistering(CONTACT);
    out.extend(bed.deregistered(CONTACT));
    out
}

/// [RE-9] By S2 the request of the user is the moment, by RFC 6665 (TS 24.229 5.2.5.1) its 2xx; if that never
/// comes, the subscription goes on there.
#[test]
fn the_moment() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let at_request = bed.deregistering(CONTACT);
        let at_answer = bed.deregistered(CONTACT);
        let (sent, nothing) = match profile {
            Profile::Sbc => (at_request, at_answer),
            _ => (at_answer, at_request),
        };
        assert_eq!(nothing, []);
        let leave = Subscribe::only(&sent);
        assert_eq!(leave.expires(), 0);
        assert_eq!(leave.line("To:"), format!("To: <{PUBLIC}>;tag=n1"));
        assert_eq!((leave.call_id(), leave.cseq()), (first.call_id(), 2));
        assert_eq!(leave.hops, ["sip:n@scscf1.home1.example.net:5080"]);
        assert_eq!(bed.next(), Some((32_000, TIMER_N)));
    }
    let (mut bed, _) = active(Profile::Rfc6665);
    bed.deregistering(CONTACT);
    Subscribe::only(&bed.fire(REFRESH));
}

/// [RE-2, RE-9] By S2 the request of the user ends the subscription, but the registrar refuses that request, and the
/// user stays: the next registration is subscribed to again, whether the old subscription is over or not, after a
/// restore too (T31). It is once: what the notifier then refuses is not sent again.
#[test]
fn the_registrar_refuses() {
    for (over, restored) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut bed, _) = active(Profile::Sbc);
        let leave = Subscribe::only(&bed.deregistering(CONTACT));
        if over {
            bed.respond(&leave, 200, "Expires: 0\r\n");
            bed.notified(&leave.notify(2, "terminated;reason=timeout", ""));
            assert_eq!((bed.next(), bed.node.users()), (None, 1));
        }
        if restored {
            let blob = bed.blob();
            let again = SubscriberNode::restore(
                config(Profile::Sbc),
                super::bed::identifiers(2),
                bed.now,
                &blob,
            );
            bed.node = again.unwrap();
        }
        let out = bed.learn(registration(3_600));
        let ended = ended(End::Replaced);
        let of_the_old = if over { &[][..] } else { &ended[..] };
        assert_eq!(out[..out.len() - 1], *of_the_old);
        let second = Subscribe::only(&out[out.len() - 1..]);
        assert_ne!(second.call_id(), leave.call_id());
        bed.respond(&second, 403, "");
        assert_eq!(bed.learn(registration(3_600)), [], "as S2 says");
    }
    let (mut bed, first) = registered(config(Profile::Sbc), 3_600);
    bed.respond(&first, 403, "");
    assert_eq!(bed.deregistering(CONTACT), []);
    assert_eq!(bed.learn(registration(3_600)), [], "not ended by us");
}

/// [RE-9] However it goes, it ends, and leaves nothing (T33): the final NOTIFY in any order, a refusal, no response,
/// a 200 that is lost, or no NOTIFY until Timer N.
#[test]
fn it_ends() {
    for profile in PROFILES {
        for how in 0..7 {
            let (mut bed, _) = active(profile);
            let leave = Subscribe::only(&leave(&mut bed));
            let last = leave.notify(2, "terminated;reason=timeout", "");
            let out = match how {
                0 => {
                    assert_eq!(bed.respond(&leave, 200, "Expires: 0\r\n"), []);
                    bed.notified(&last)
                }
                1 => {
                    let out = bed.notified(&last);
                    assert_eq!(bed.respond(&leave, 200, "Expires: 0\r\n"), []);
                    assert_eq!(bed.node.counters().stale_answers, 1);
                    out
                }
                2 => bed.respond(&leave, 481, ""),
                3 => bed.respond(&leave, 423, "Min-Expires: 60\r\n"),
                4 => bed.answer(leave.token, drive::Answer::Timeout),
                5 => bed.fire(TIMER_N),
                _ => {
                    bed.respond(&leave, 200, "Expires: 0\r\n");
                    assert_eq!(bed.notified(&leave.notify(2, "active", "")), []);
                    bed.fire(TIMER_N)
                }
            };
            assert_eq!(out, ended(End::Unsubscribed), "{profile:?} {how}");
            assert_eq!((bed.next(), bed.node.users()), (None, 0));
            let late = leave.notify(9, "terminated;reason=timeout", "");
            assert_eq!(bed.notify(&late), (481, vec![]), "over is over");
        }
    }
}

/// [RE-9] The document of the final NOTIFY is still taken.
#[test]
fn the_last_document() {
    for profile in PROFILES {
        let (mut bed, _) = active(profile);
        let leave = Subscribe::only(&leave(&mut bed));
        let out = bed.notified(&leave.notify(2, "terminated;reason=noresource", &is_gone(0)));
        assert!(matches!(
            out[..],
            [
                Out::Event(Ev::State {
                    all_terminated: true,
                    ..
                }),
                Out::Event(Ev::Ended(End::Unsubscribed))
            ]
        ));
    }
}

/// [RE-9] All registrations terminated while the subscription goes on (T14): unsubscribed at once, also while a
/// SUBSCRIBE is out, once that is settled.
#[test]
fn terminated_by_the_network() {
    for profile in PROFILES {
        for refreshing in [false, true] {
            let (mut bed, first) = active(profile);
            let refresh = refreshing.then(|| Subscribe::only(&bed.fire(REFRESH)));
            let out = bed.notified(&first.notify(2, "active;expires=3000", &is_gone(0)));
            assert!(matches!(
                out[0],
                Out::Event(Ev::State {
                    all_terminated: true,
                    ..
                })
            ));
            let leave = match &refresh {
                None => Subscribe::only(&out[1..]),
                Some(refresh) => {
                    assert_eq!(out.len(), 1, "never two at once");
                    Subscribe::only(&bed.respond(refresh, 200, "Expires: 3000\r\n"))
                }
            };
            assert_eq!(leave.expires(), 0);
            let again = leave.notify(3, "active", &is_gone(1));
            assert_eq!(bed.notified(&again).len(), 1, "not unsubscribed twice");
            assert_eq!(bed.deregistered(""), []);
            bed.respond(&leave, 200, "Expires: 0\r\n");
            let out = bed.notified(&leave.notify(4, "terminated", ""));
            assert_eq!(out, ended(End::Unsubscribed));
            assert_eq!(bed.node.users(), 0);
        }
    }
}

/// [RE-9] One identity of the set terminated, a barred one say, ends nothing (T16); nor does a registration that
/// was never active, nor a document with none.
#[test]
fn not_all_are_terminated() {
    let (gone, there) = (
        ("terminated", "terminated", "rejected"),
        ("active", "active", "created"),
    );
    let other = "sip:user1_public2@home1.example.net";
    let of = |aor, (state, contact, event)| (aor, state, contact, event);
    for profile in PROFILES {
        for body in [
            document(0, &[of(PUBLIC, there), of(other, gone)]),
            document(0, &[of(PUBLIC, gone), of(other, there)]),
            document(0, &[(PUBLIC, "active", "terminated", "deactivated")]),
            document(0, &[(PUBLIC, "init", "terminated", "expired")]),
            document(0, &[]),
        ] {
            let (mut bed, first) = active(profile);
            let out = bed.notified(&first.notify(2, "active;expires=3660", &body));
            assert!(
                matches!(
                    out[..],
                    [Out::Event(Ev::State {
                        all_terminated: false,
                        ..
                    })]
                ),
                "{body}"
            );
            assert_eq!(bed.standing(), Standing::Active);
        }
        let (mut bed, first) = active(profile);
        let both = [of(PUBLIC, gone), of("tel:+12125551111", gone)];
        let out = bed.notified(&first.notify(2, "active", &document(0, &both)));
        assert_eq!(Subscribe::only(&out[1..]).expires(), 0);
    }
}

/// [RE-9] The full document is overtaken by a partial one, or lost, and that says that one identity is barred: the
/// user is registered, and stays watched (T16). A refresh at the floor asks for the full document (T07).
#[test]
fn overtaken_by_a_partial_document() {
    let barred = |version| {
        let gone = (PUBLIC, "terminated", "terminated", "rejected");
        document(version, &[gone]).replace("state=\"full\"", "state=\"partial\"")
    };
    for profile in PROFILES {
        for notify_first in [false, true] {
            let (mut bed, first) = registered(config(profile), 3_600);
            let overtaking = first.notify(2, "active;expires=3660", &barred(1));
            if notify_first {
                bed.notified(&overtaking);
                bed.respond(&first, 200, NOTIFIER);
            } else {
                bed.respond(&first, 200, NOTIFIER);
                bed.notified(&overtaking);
            }
            assert_eq!(bed.standing(), Standing::Active);
            assert_eq!(bed.node.users(), 1);
            assert_eq!(bed.next(), Some((FLOOR, REFRESH)), "{profile:?}");
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            bed.respond(&refresh, 200, "Expires: 3660\r\n");
            let full = refresh.notify(3, "active;expires=3660", &is_registered(2));
            assert_eq!(bed.notified(&full).len(), 1, "the document");
            let out = bed.notified(&refresh.notify(4, "active", &barred(3)));
            assert_eq!(Subscribe::only(&out[1..]).expires(), 0, "now it is all");
        }
    }
}

/// [RE-9] Asked to leave while the initial SUBSCRIBE is out: not before it is settled, and only if there is
/// something to end.
#[test]
fn while_subscribing() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 3_600);
        assert_eq!(leave(&mut bed), []);
        let gone = Subscribe::only(&bed.respond(&first, 200, NOTIFIER));
        assert_eq!((gone.expires(), gone.cseq()), (0, 2));

        let (mut bed, first) = registered(config(profile), 3_600);
        bed.notified(&first.notify(1, "active", ""));
        assert_eq!(leave(&mut bed), []);
        let out = bed.respond(&first, 200, NOTIFIER);
        assert_eq!(out[0], Out::Event(Ev::Subscribed(3_660)));
        assert_eq!(Subscribe::only(&out[1..]).expires(), 0);

        let (mut bed, first) = registered(config(profile), 3_600);
        bed.respond(&first, 200, NOTIFIER);
        assert_eq!(Subscribe::only(&leave(&mut bed)).expires(), 0);

        for how in 0..4 {
            let (mut bed, first) = registered(config(profile), 3_600);
            leave(&mut bed);
            let out = match how {
                0 => bed.respond(&first, 404, ""),
                1 => bed.respond(&first, 423, "Min-Expires: 9000\r\n"),
                2 => bed.fire(TIMER_N),
                _ => bed.notified(&first.notify(1, "terminated;reason=deactivated", "")),
            };
            assert_eq!(out.len(), 1);
            assert!(matches!(out[0], Out::Event(Ev::Ended(_))), "{how} {out:?}");
            assert_eq!((bed.next(), bed.node.users()), (None, 0), "{how}");
        }
    }
}

/// [RE-9] Asked to leave while a refresh is out (T33): SUBSCRIBE with zero follows its answer, or nothing its
/// refusal; nothing is made anew.
#[test]
fn while_refreshing() {
    for profile in PROFILES {
        for how in 0..6 {
            let (mut bed, _) = active(profile);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            assert_eq!(leave(&mut bed), []);
            assert_eq!(bed.tick(), []);
            let out = match how {
                0 => bed.respond(&refresh, 200, "Expires: 3660\r\n"),
                1 => {
                    bed.notified(&refresh.notify(2, "active;expires=3660", ""));
                    bed.respond(&refresh, 200, "Expires: 3660\r\n")
                }
                2 => bed.respond(&refresh, 481, ""),
                3 => bed.respond(&refresh, 500, ""),
                4 => bed.answer(refresh.token, drive::Answer::Timeout),
                _ => bed.notified(&refresh.notify(2, "terminated;reason=timeout", "")),
            };
            let by_rfc = profile == Profile::Rfc6665;
            // By RFC 6665 a refresh is complete with its NOTIFY.
            let out = match how {
                0 if by_rfc => {
                    assert_eq!(out, []);
                    bed.notified(&refresh.notify(2, "active;expires=3660", ""))
                }
                _ => out,
            };
            match how {
                0 | 1 => assert_eq!(Subscribe::only(&out).expires(), 0),
                3 | 4 if by_rfc => assert_eq!(Subscribe::only(&out).expires(), 0),
                _ => {
                    assert!(
                        matches!(out[..], [Out::Event(Ev::Ended(_))]),
                        "{how} {out:?}"
                    );
                    assert_eq!((bed.next(), bed.node.users()), (None, 0));
                }
            }
        }
    }
}

/// [RE-9] Asked to leave while it waits to be made anew: nothing is there to end.
#[test]
fn while_waiting() {
    for refreshing in [false, true] {
        let (mut bed, first) = active(Profile::Rfc6665);
        if refreshing {
            bed.fire(REFRESH);
        }
        bed.notified(&first.notify(2, "terminated;reason=probation", ""));
        assert_eq!(leave(&mut bed), ended(End::Unsubscribed));
        assert_eq!((bed.next(), bed.node.users()), (None, 0));
    }
}

/// [RE-12] The loss of a subscription leaves the registration: its flows are known, and a re-registration is one
/// (T15).
#[test]
fn loss_is_not_deregistration() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let notify = first.notify(2, "terminated;reason=noresource", &is_registered(0));
        bed.notified(&notify);
        assert_eq!((bed.node.users(), bed.next()), (1, None));
        assert_eq!(bed.learn(registration(3_600)), []);
        assert_eq!(leave(&mut bed), [], "nothing to unsubscribe from");
        assert_eq!(bed.node.users(), 0);
    }
}

/// [RE-12] And through the P-CSCF: its registration stays when the subscription is lost, and the subscription when
/// another registration of the user goes.
#[test]
fn loss_at_a_pcscf() {
    use crate::common::pcscf::{CONTACT, contact, register, register_200, subscribed};
    use ims_procedures::drive::Source;
    let (mut bed, dialog) = subscribed();
    let notify = dialog.notify(2, "terminated;reason=noresource", "");
    bed.receive(Source::TrustedCore, &notify);
    assert!(bed.node.is_registered(CONTACT.as_bytes()));

    let (mut bed, _) = subscribed();
    let other = contact(Some(3_600))
        .replace("aaa:bbb", "aaa:ccc")
        .replace("reg-id=1", "reg-id=2");
    bed.learn(&register(&other, 2), &register_200(&other, 2));
    let gone = other.replace("expires=3600", "expires=0");
    bed.learn(&register(&gone, 3), &register_200(&contact(Some(3_600)), 3));
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    let counts = bed.node.sip_subscription_count_statistics(b"");
    assert_eq!((counts.attempts, counts.active), (1, 1));
}
