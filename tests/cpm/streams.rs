//! CO-3, CT-3: what becomes of the re-INVITE that deletes streams.

use ims_procedures::{
    cpm::{Answer, Cause, Command, Description, End, Event, IwfPolicy, Question, Scope},
    drive::{self, Misuse, Node},
    wire::sdp::StreamSet,
};

use crate::{
    messages::Session,
    support::{Host, Out, SESSION, STORED, STREAMS, Terms, outcome},
};

fn sessions() -> [Session; 2] {
    [Session::originating(3), Session::terminating(3)]
}

/// The leg that is told of deleted streams.
fn told(session: &Session) -> &'static str {
    match session.function {
        "originating" => "client",
        _ => "other",
    }
}

fn shrunk(iwf: u8) -> Out {
    Out::Event(Event::SessionShrunk {
        session: SESSION,
        iwf,
    })
}

fn failed(iwf: u8, status: u16) -> Out {
    Out::Event(Event::StreamDeletionFailed {
        session: SESSION,
        iwf,
        status,
    })
}

/// The session after the BYE of the second IWF, and its re-INVITE.
fn leaving(session: Session, terms: Terms) -> (Host, Out) {
    let mut host = Host::with(session, terms);
    let [_, _, invite] = host.receive("bye_from_iwf2").try_into().unwrap();
    host.expect("reinvite_1", &invite);
    (host, invite)
}

/// [CO-3, CT-3, T89] 491: it is sent again with the next number, not before 2.1 s where the Call-ID is ours, within 2 s
/// where it is not (RFC 3261 14.1); the same streams go.
#[test]
fn glare() {
    for session in sessions() {
        let (mut host, invite) = leaving(session, STREAMS);
        assert!(
            host.respond(&invite, "reinvite_1_refused", "491 Request Pending")
                .is_empty()
        );
        let (at, timer) = host.node.deadline().unwrap();
        assert_eq!(timer.0, "re-INVITE again");
        let wait = at.since(host.now);
        assert!(wait <= 2_000 && wait % 10 == 0, "{wait}");
        let [again] = host.advance(2_000).try_into().unwrap();
        host.expect("reinvite_1_again", &again);
        let outs = host.respond(&again, "reinvite_1_again_200", "200 OK");
        host.expect("reinvite_1_again_ack", &outs[0]);
        assert_eq!(outs[1..], [shrunk(1)]);
    }
}

/// [CO-3, CT-3] 491 again and again: a bounded number of times, then the session stays as it is.
#[test]
fn glare_without_end() {
    for session in sessions() {
        let (mut host, mut invite) = leaving(session, STREAMS);
        for _ in 1..5 {
            let outs = answer_with(&mut host, &invite, 491);
            assert!(outs.is_empty());
            [invite] = host.advance(4_000).try_into().unwrap();
        }
        assert_eq!(answer_with(&mut host, &invite, 491), [failed(1, 491)]);
        assert!(host.node.is_open(SESSION));
        assert_eq!(host.node.deadline(), None);
    }
}

/// [CO-3, CT-3] 500 and 503 that say when to try again, as where ours comes before the other end has answered another
/// (RFC 3261 14.2): not before that time, and as often as after 491. A longer time, none, or another status: the session
/// stays as it is at once.
#[test]
fn later() {
    for session in sessions() {
        for status in [500, 503] {
            let (mut host, mut invite) = leaving(session.clone(), STREAMS);
            for _ in 1..5 {
                let outs = answer_saying(&mut host, &invite, status, "Retry-After: 10 (busy)\r\n");
                assert_eq!(outs, []);
                assert_eq!(host.advance(9_999), []);
                [invite] = host.advance(1).try_into().unwrap();
                assert!(invite.is_request("INVITE "));
            }
            let outs = answer_saying(&mut host, &invite, status, "Retry-After: 10\r\n");
            assert_eq!(outs, [failed(1, status)]);
            assert!(host.node.is_open(SESSION));
        }
        let at_once = "Retry-After: 0\r\n";
        let (mut host, invite) = leaving(session.clone(), STREAMS);
        assert_eq!(answer_saying(&mut host, &invite, 500, at_once), []);
        assert_eq!(host.advance(4_000).len(), 1, "as after 491");
        for (status, says) in [(500, "Retry-After: 11\r\n"), (503, ""), (480, at_once)] {
            let (mut host, invite) = leaving(session.clone(), STREAMS);
            let outs = answer_saying(&mut host, &invite, status, says);
            assert_eq!(outs, [failed(1, status)]);
        }
    }
}

/// Answers a request with what it says itself, and that status.
fn answer_with(host: &mut Host, request: &Out, status: u16) -> Vec<Out> {
    answer_saying(host, request, status, "")
}

/// And with these header fields.
fn answer_saying(host: &mut Host, request: &Out, status: u16, says: &str) -> Vec<Out> {
    let text = request.text();
    let lines = text.split("\r\n").skip(1);
    let copied = lines.filter(|line| {
        ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
            .iter()
            .any(|name| line.starts_with(name))
    });
    let copied: Vec<_> = copied.collect();
    let response = format!(
        "SIP/2.0 {status} x\r\n{}\r\n{says}Content-Length: 0\r\n\r\n",
        copied.join("\r\n")
    );
    host.answer(request, drive::Answer::Response(response.as_bytes()))
}

/// [CO-3, CT-3] 481, 408 and silence: that dialog is gone, and the session is closed: stored, a BYE to every leg that
/// is left.
#[test]
fn dialog_gone() {
    for session in sessions() {
        for status in [Some("481 x"), Some("408 x"), None] {
            let (mut host, invite) = leaving(session.clone(), STREAMS);
            host.session.values.set("uid", "19");
            let outs = match status {
                Some(status) => host.respond(&invite, "reinvite_1_refused", status),
                None => host.answer(&invite, drive::Answer::Timeout),
            };
            let [release, storage] = outs.try_into().unwrap();
            assert!(release.is_release_of(Scope::Session));
            let outs = host.stored(&storage);
            let told = told(&host.session);
            let names = [
                format!("bye_to_{told}_after_reinvite"),
                "bye_to_iwf1".to_owned(),
                "bye_to_iwf3".to_owned(),
            ];
            assert_eq!(outs.len(), 3);
            let mut last = Vec::new();
            for (name, bye) in names.iter().zip(&outs) {
                host.expect(name, bye);
                last = host.respond(bye, &format!("{name}_answer"), "200 OK");
            }
            let closed = outcome(&last);
            assert_eq!(closed.cause, Cause::DialogGone);
            assert_eq!(closed.ends.iwfs[1], Some(End::ByItself));
        }
    }
}

/// [CO-3, CT-3] A re-INVITE is shown to a user: 180, and an answer after minutes, which is for the transaction layer to
/// bound. The session stays.
#[test]
fn ringing() {
    for session in sessions() {
        let (mut host, invite) = leaving(session, STREAMS);
        assert_eq!(answer_with(&mut host, &invite, 180), []);
        assert_eq!(host.advance(212_000), []);
        let outs = host.respond(&invite, "reinvite_1_200", "200 OK");
        host.expect("reinvite_1_ack", &outs[0]);
        assert_eq!(outs[1..], [shrunk(1)]);
        assert!(host.node.is_open(SESSION));
    }
}

/// [CO-3, CT-3] The host says nothing of the re-INVITE: in 220 s it counts as unanswered.
#[test]
fn silence() {
    let (mut host, _) = leaving(Session::originating(3), STREAMS);
    assert!(host.advance(219_999).is_empty());
    let [release, _] = host.advance(1).try_into().unwrap();
    assert!(release.is_release_of(Scope::Session));
}

/// [CO-3, CT-3] Another failure: the session stays, the host is told, and an IWF that has left meanwhile has its turn,
/// with the streams of both.
#[test]
fn other_failure() {
    for session in sessions() {
        let (mut host, invite) = leaving(session, STREAMS);
        let [_, answer] = host.receive("bye_from_iwf1").try_into().unwrap();
        host.expect("bye_from_iwf1_200", &answer);
        let [event, second] = host
            .respond(&invite, "reinvite_1_refused", "488 x")
            .try_into()
            .unwrap();
        assert_eq!(event, failed(1, 488));
        let text = second.text();
        assert!(text.starts_with("INVITE ") && text.contains("\r\nCSeq: 2 INVITE\r\n"));
        assert_eq!(text.matches("\r\nm=message 0 ").count(), 3, "{text}");
        assert!(host.node.is_open(SESSION));
        let unreachable = host.answer(&second, drive::Answer::Unreachable);
        assert_eq!(unreachable, [failed(0, 503)]);
    }
}

/// [CO-3, CT-3] Two IWFs leave while a re-INVITE is out: the next one is for the second, after the first is done; then
/// the third is a single IWF.
#[test]
fn queued() {
    for session in sessions() {
        let (mut host, invite) = leaving(session, STREAMS);
        let [_, _] = host.receive("bye_from_iwf1").try_into().unwrap();
        let [ack, event, second] = host
            .respond(&invite, "reinvite_1_200", "200 OK")
            .try_into()
            .unwrap();
        host.expect("reinvite_1_ack", &ack);
        assert_eq!(event, shrunk(1));
        host.expect("reinvite_2", &second);
        let outs = host.respond(&second, "reinvite_2_200", "200 OK");
        host.expect("reinvite_2_ack", &outs[0]);
        assert_eq!(outs[1..], [shrunk(0)]);
        let [release, _] = host.receive("bye_from_iwf3").try_into().unwrap();
        assert!(release.is_release_of(Scope::Session));
    }
}

/// [CO-3, T88] A BYE of the session while the re-INVITE is out: the BYE wins, a 2xx that comes later is acknowledged,
/// and no IWF that has left is sent anything.
#[test]
fn bye_wins() {
    for is_after in [false, true] {
        let (mut host, invite) = leaving(
            Session::originating(3),
            Terms {
                stores: false,
                ..STREAMS
            },
        );
        let outs = host.receive("bye_from_client");
        assert!(outs[0].is_release_of(Scope::Session));
        assert_eq!(outs.len(), 3);
        host.expect("bye_to_iwf1", &outs[1]);
        host.expect("bye_to_iwf3", &outs[2]);
        if is_after {
            host.respond(&outs[1], "bye_to_iwf1_answer", "200 OK");
            host.respond(&outs[2], "bye_to_iwf3_answer", "200 OK");
        }
        let [ack] = host
            .respond(&invite, "reinvite_1_200", "200 OK")
            .try_into()
            .unwrap();
        host.expect("reinvite_1_ack", &ack);
        // [RFC 3261 13.2.2.4] The same again if it comes again.
        let again = host.respond(&invite, "reinvite_1_200", "200 OK");
        assert_eq!(again, [ack]);
    }
}

/// The description of a session with the ports of these streams at 0.
fn without(session: &Session, gone: &[&str]) -> Vec<u8> {
    let mut text = String::from_utf8(session.description.clone()).unwrap();
    for port in gone {
        let line = format!("\r\nm=message {port} ");
        assert!(text.contains(&line), "{text}");
        text = text.replace(&line, "\r\nm=message 0 ");
    }
    text.into_bytes()
}

/// The first of two IWFs leaves, and before the re-INVITE can go the streams of these ports have gone: those of another
/// re-INVITE which it has met, or what the host says when it is asked.
fn gone_meanwhile(session: &Session, is_kept: bool, gone: &[&str]) -> (Host, Vec<Out>) {
    let mut host = Host::with(session.clone(), Terms { is_kept, ..STREAMS });
    let [_, _, out] = host.receive("bye_from_iwf1").try_into().unwrap();
    let description = without(session, gone);
    let description = &description[..];
    if !is_kept {
        let outs = host.answer(&out, Answer::Described { description }.into());
        return (host, outs);
    }
    assert_eq!(answer_with(&mut host, &out, 491), []);
    let set = |lines: &[usize]| lines.iter().copied().collect::<StreamSet>();
    host.command(Command::Renegotiated {
        session: SESSION,
        description: Description::Kept(description),
        streams: &[set(&[0]), set(&[1, 2])],
    })
    .unwrap();
    let outs = host.advance(4_000);
    (host, outs)
}

/// [CO-3, CT-3] The streams of those who stay have gone before the re-INVITE could go: it would leave none, and the
/// session is closed, as if its IWF were the last.
#[test]
fn nothing_left() {
    for (session, is_kept) in [
        (Session::originating(2), true),
        (Session::originating(2), false),
        (Session::terminating(2), true),
        (Session::terminating(2), false),
    ] {
        let (mut host, outs) = gone_meanwhile(&session, is_kept, &["20402", "20404"]);
        let [release, storage] = outs.try_into().unwrap();
        assert!(release.is_release_of(Scope::Session));
        let byes = host.stored(&storage);
        assert_eq!(byes.len(), 2);
        let mut last = Vec::new();
        for bye in &byes {
            assert!(bye.is_request("BYE "));
            last = answer_with(&mut host, bye, 200);
        }
        let closed = outcome(&last);
        assert_eq!(closed.cause, Cause::Iwf(0));
        assert_eq!(closed.ends.iwfs[0], Some(End::ByItself));
    }
}

/// [CO-3, CT-3] The streams of the IWF that has left have gone before the re-INVITE could go: there is nothing to
/// delete, and it has left.
#[test]
fn deleted_already() {
    for session in [Session::originating(2), Session::terminating(2)] {
        for is_kept in [true, false] {
            let (host, outs) = gone_meanwhile(&session, is_kept, &["20400"]);
            assert_eq!(outs, [shrunk(0)]);
            assert!(host.node.is_open(SESSION));
            assert_eq!(host.node.deadline(), None);
        }
    }
}

/// [CO-3, CT-3] A description that is not kept here is asked for when it is first needed, and kept from then on.
#[test]
fn description_at_host() {
    for session in sessions() {
        let terms = Terms {
            is_kept: false,
            ..STREAMS
        };
        let mut host = Host::with(session, terms);
        let [_, _, question] = host.receive("bye_from_iwf2").try_into().unwrap();
        assert!(matches!(
            question,
            Out::Ask {
                question: Question::SessionDescription {
                    session: SESSION,
                    ..
                },
                ..
            }
        ));
        let none = Answer::Described {
            description: b"Hello",
        };
        let taken = host
            .node
            .answer(host.now, question.token(), none.into(), &mut host.out);
        assert!(matches!(taken, Err(Misuse::BadCommand(_))));
        let description = host.session.description.clone();
        let described = Answer::Described {
            description: &description,
        };
        let [invite] = host.answer(&question, described.into()).try_into().unwrap();
        host.expect("reinvite_1", &invite);
        host.respond(&invite, "reinvite_1_200", "200 OK");
        let [_, _, invite] = host.receive("bye_from_iwf1").try_into().unwrap();
        host.expect("reinvite_2", &invite);
    }
}

/// [CO-3, CT-3] A host that does not say what was agreed: the session stays.
#[test]
fn description_unknown() {
    let terms = Terms {
        is_kept: false,
        ..STREAMS
    };
    let mut host = Host::with(Session::originating(3), terms);
    host.receive("bye_from_iwf2");
    assert_eq!(host.advance(5_000), [failed(1, 0)]);
    assert!(host.node.is_open(SESSION));
}

/// [CO-3, CT-3] A stream of several IWFs goes when the last of them leaves, and until then the session goes on for those
/// who have no other.
#[test]
fn shared_streams() {
    let ports = |out: &Out| {
        let text = out.text();
        let lines = text.split("\r\n");
        let ports = lines.filter_map(|line| line.strip_prefix("m=message "));
        let live: Vec<_> = ports.map(|port| !port.starts_with("0 ")).collect();
        live
    };
    for mut session in sessions() {
        session.streams = vec![vec![0, 1], vec![1, 2], vec![3]];
        let mut host = Host::with(session, STREAMS);
        let [_, _, invite] = host.receive("bye_from_iwf1").try_into().unwrap();
        assert_eq!(ports(&invite), [false, true, true, true]);
        answer_with(&mut host, &invite, 200);
        let [_, _, invite] = host.receive("bye_from_iwf2").try_into().unwrap();
        assert_eq!(ports(&invite), [false, false, false, true]);
    }
    for mut session in [Session::originating(2), Session::terminating(2)] {
        session.streams = vec![vec![0], vec![0]];
        let mut host = Host::with(session, STREAMS);
        let [_, _, event] = host.receive("bye_from_iwf1").try_into().unwrap();
        assert_eq!(event, shrunk(0));
        assert!(host.node.is_open(SESSION));
        let [release, _] = host.receive("bye_from_iwf2").try_into().unwrap();
        assert!(release.is_release_of(Scope::Session));
    }
}

/// [CO-3, CT-3] An IWF without streams: there is nothing to delete, and it has left.
#[test]
fn no_streams() {
    let mut session = Session::originating(3);
    session.streams[1] = Vec::new();
    let mut host = Host::with(session, STREAMS);
    let [_, answer, event] = host.receive("bye_from_iwf2").try_into().unwrap();
    host.expect("bye_from_iwf2_200", &answer);
    assert_eq!(event, shrunk(1));
}

/// [CO-3, CO-4] The policy is what it was when the IWF's BYE came.
#[test]
fn policy_changed() {
    let mut host = Host::with(Session::originating(3), STORED);
    host.command(Command::SetPolicy {
        session: SESSION,
        policy: IwfPolicy::StreamsOnly,
    })
    .unwrap();
    let outs = host.receive("bye_from_iwf2");
    assert!(outs[0].is_release_of(Scope::Iwf(1)));
    host.command(Command::SetPolicy {
        session: SESSION,
        policy: IwfPolicy::WholeSession,
    })
    .unwrap();
    let outs = host.receive("bye_from_iwf1");
    assert!(outs[0].is_release_of(Scope::Session));
}

/// [CO-3] What was agreed anew is what the streams are deleted from; what is none, or not of these IWFs, is refused,
/// and everything is as it was.
#[test]
fn renegotiated() {
    let mut host = Host::with(Session::originating(3), STREAMS);
    let set = |lines: &[usize]| lines.iter().copied().collect::<StreamSet>();
    let agreed = host.session.description.clone();
    let agreed = String::from_utf8(agreed)
        .unwrap()
        .replace(" 8100217 ", " 8100299 ");
    let renegotiate = |host: &mut Host, description: &str, streams: &[StreamSet]| {
        host.command(Command::Renegotiated {
            session: SESSION,
            description: Description::Kept(description.as_bytes()),
            streams,
        })
    };
    let all = [set(&[0]), set(&[3]), set(&[1, 2])];
    let refused = renegotiate(&mut host, "v=1\r\n", &all);
    assert!(matches!(refused, Err(Misuse::BadCommand(_))));
    let refused = renegotiate(&mut host, &agreed, &all[..2]);
    assert!(matches!(refused, Err(Misuse::BadCommand(_))));
    renegotiate(&mut host, &agreed, &all).unwrap();
    let [_, _, invite] = host.receive("bye_from_iwf2").try_into().unwrap();
    let text = invite.text();
    assert!(text.contains(" 8100300 "), "{text}");
    assert!(text.contains("m=message 0 TCP/MSRP *\r\na=accept-types:message/cpim application"));
}
