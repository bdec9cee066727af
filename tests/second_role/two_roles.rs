//! One host loop, two roles.

use ims_procedures::{
    drive::{
        Answer, Identifiers, Limits, Millis, Misuse, Node, Outbox, Output, Role, Source, Token,
        TransactionRef, Verdict,
    },
    pcscf::{self, Evidence, Pcscf, PcscfNode},
    wire::{HeaderName, Message, Method, Writer},
};

use crate::{
    closing::{self, Closing, ClosingNode},
    common::pcscf as bed,
    host::{Done, Incoming, run},
    session,
};

/// How the world answers requests.
#[derive(Clone, Copy, Debug)]
enum Peers {
    Answer,
    Silent,
    Away,
}

const PEERS: [Peers; 3] = [Peers::Answer, Peers::Silent, Peers::Away];

fn to_request<R: Role>(peers: Peers, token: Token, bytes: &[u8]) -> Vec<(u64, Incoming<R>)> {
    match peers {
        Peers::Answer => vec![
            (20, Incoming::Response(token, response(bytes, 100))),
            (900, Incoming::Response(token, response(bytes, 200))),
        ],
        Peers::Silent => vec![(32_000, Incoming::Answer(token, Answer::Timeout))],
        Peers::Away => vec![(1, Incoming::Answer(token, Answer::Unreachable))],
    }
}

/// A response as any peer would write it.
fn response(request: &[u8], status: u16) -> Vec<u8> {
    let request = Message::parse(request, &Limits::default()).unwrap();
    let tag = Identifiers::new([1; 32], 1, 9).next();
    let mut buffer = ims_procedures::drive::Buffer::new(65_535);
    let mut writer = Writer::respond_to(&mut buffer, &request, status, Some(tag));
    if request.method() == Some(Method::Subscribe) && status == 200 {
        writer
            .header(HeaderName::Contact, b"<sip:scscf1.home1.example.net>")
            .number(
                HeaderName::Expires,
                request.expires().unwrap().unwrap().into(),
            );
    }
    writer.finish();
    buffer.as_slice().to_vec()
}

fn to_closing(peers: Peers, output: &Output<'_, Closing>) -> Vec<(u64, Incoming<Closing>)> {
    match output {
        Output::Request { token, bytes, .. } => to_request(peers, *token, bytes),
        Output::Ask { token, .. } => {
            vec![(
                50,
                Incoming::Answer(*token, Answer::Role(closing::Answer::Done)),
            )]
        }
        Output::Store { token, .. } => vec![(50, Incoming::Answer(*token, Answer::Stored))],
        _ => Vec::new(),
    }
}

fn to_pcscf(peers: Peers, output: &Output<'_, Pcscf>) -> Vec<(u64, Incoming<Pcscf>)> {
    match output {
        Output::Request { token, bytes, .. } => to_request(peers, *token, bytes),
        Output::Ask { token, .. } => {
            vec![(
                50,
                Incoming::Answer(*token, Answer::Role(pcscf::Answer::Done)),
            )]
        }
        _ => Vec::new(),
    }
}

fn close_a_session(peers: Peers, crash_before: Option<usize>) -> (Vec<(Millis, Done)>, Millis) {
    let mut node = ClosingNode::new(session::config(), session::identifiers(1));
    let mut out = Outbox::for_steps(1);
    let mut now = Millis(1_000);
    let (client, iwfs) = session::dialogs();
    let take = closing::Command::Take {
        client: &client,
        iwfs: &iwfs,
    };
    assert_eq!(node.command(now, take, &mut out), Ok(Verdict::Handled));
    let bye = session::CLIENT_BYE.to_vec();
    let first = vec![(500, Incoming::Message(Source::Ue, TransactionRef(77), bye))];
    let world = |output: &Output<'_, Closing>| to_closing(peers, output);
    let done = run(
        &mut node,
        &mut now,
        &mut out,
        first,
        world,
        |node, now, call| {
            if crash_before == Some(call) {
                let mut blob = Vec::new();
                node.snapshot(now, &mut blob);
                let identifiers = session::identifiers(2);
                *node = ClosingNode::restore(session::config(), identifiers, now, &blob).unwrap();
            }
            crash_before == Some(call)
        },
    );
    assert_eq!(node.sessions(), 0);
    (done, now)
}

fn lose_a_user(peers: Peers, crash_before: Option<usize>) -> (Vec<(Millis, Done)>, Millis) {
    let mut node = PcscfNode::new(bed::config(), bed::identifiers(1)).unwrap();
    let mut out = Outbox::for_steps(2);
    let mut now = Millis(1_000);
    let (request, response) = (
        bed::register(&bed::contact(Some(600_000)), 1),
        bed::register_200(&bed::contact(Some(3_600)), 1),
    );
    let learn = pcscf::Command::Learn {
        request: request.as_bytes(),
        response: response.as_bytes(),
        trunk_group: b"",
    };
    assert_eq!(node.command(now, learn, &mut out), Ok(Verdict::Handled));
    let lost = pcscf::Command::AccessLost {
        ue: pcscf::Ue::at(bed::CONTACT.as_bytes()),
        evidence: Evidence::BearerLost,
    };
    assert_eq!(node.command(now, lost, &mut out), Ok(Verdict::Handled));
    let world = |output: &Output<'_, Pcscf>| to_pcscf(peers, output);
    let done = run(
        &mut node,
        &mut now,
        &mut out,
        Vec::new(),
        world,
        |node, now, call| {
            if crash_before == Some(call) {
                let mut blob = Vec::new();
                node.snapshot(now, &mut blob);
                *node = PcscfNode::restore(bed::config(), bed::identifiers(2), now, &blob).unwrap();
            }
            crash_before == Some(call)
        },
    );
    assert_eq!(node.registrations(), 0);
    (done, now)
}

fn happened<'d>(done: &'d [(Millis, Done)], what: &str) -> Vec<&'d str> {
    done.iter()
        .filter_map(|(_, done)| match done {
            Done::Happened(event) if event.starts_with(what) => Some(event.as_str()),
            _ => None,
        })
        .collect()
}

fn sent<'d>(done: &'d [(Millis, Done)], method: &str) -> Vec<&'d [u8]> {
    done.iter()
        .filter_map(|(_, done)| match done {
            Done::Sent(bytes) if bytes.starts_with(method.as_bytes()) => Some(bytes.as_slice()),
            _ => None,
        })
        .collect()
}

/// [DR-2] [DR-3] The same loop closes a session, however its peers behave: one answer, one event, then rest.
#[test]
fn the_loop_closes_a_session() {
    for peers in PEERS {
        let (done, _) = close_a_session(peers, None);
        let asked = done
            .iter()
            .filter(|(_, done)| matches!(done, Done::Asked(_)))
            .count();
        assert_eq!((asked, sent(&done, "BYE").len()), (1, 2), "{peers:?}");
        assert_eq!(happened(&done, "SessionClosed").len(), 1, "{peers:?}");
        let responded = |(at, done): &(Millis, Done)| match done {
            Done::Responded(to, status) => Some((*at, *to, *status)),
            _ => None,
        };
        let responses: Vec<_> = done.iter().filter_map(responded).collect();
        let [(at, TransactionRef(77), 200)] = responses[..] else {
            panic!("{responses:?}")
        };
        assert!(at.since(Millis(1_500)) < 32_000, "{peers:?}: {at}");
    }
}

/// [DR-2] [DR-3] The same loop deregisters a user, however its peers behave: one event, then rest.
#[test]
fn the_loop_deregisters_a_user() {
    for peers in PEERS {
        let (done, _) = lose_a_user(peers, None);
        assert_eq!(
            happened(&done, "Deregistered").len(),
            1,
            "{peers:?}: {done:?}"
        );
        assert!(!sent(&done, "REGISTER").is_empty(), "{peers:?}");
        assert!(!sent(&done, "SUBSCRIBE").is_empty(), "{peers:?}");
    }
}

/// [DR-1] The loop gives the same again, to the byte and the millisecond.
#[test]
fn the_loop_is_deterministic() {
    for peers in PEERS {
        assert_eq!(close_a_session(peers, None), close_a_session(peers, None));
        assert_eq!(lose_a_user(peers, None), lose_a_user(peers, None));
    }
}

/// [DR-7] Wherever a host crashes, its successor brings the session to the same end. The event comes once: no
/// blob is older than what left.
#[test]
fn a_crash_before_any_call_of_a_session() {
    for peers in PEERS {
        let (whole, _) = close_a_session(peers, None);
        let mut repeated = 0;
        for call in 0..30 {
            let (done, _) = close_a_session(peers, Some(call));
            let closed = happened(&done, "SessionClosed");
            assert_eq!(closed.len(), 1, "{peers:?} {call}: {closed:?}");
            let as_ever = happened(&whole, "SessionClosed");
            assert_eq!(ends_of(closed[0]), ends_of(as_ever[0]), "{peers:?} {call}");
            for leg in ["BYE sip:iwf1", "BYE sip:iwf2"] {
                let byes = sent(&done, leg);
                assert!(byes.iter().all(|bye| *bye == byes[0]), "{peers:?} {call}");
                repeated += byes.len() - 1;
            }
        }
        assert!(repeated > 1, "some crash came while BYEs were outstanding");
    }
}

/// How a session ended, without where in the outbox its name stood.
fn ends_of(event: &str) -> &str {
    event.split_once("ends:").unwrap().1
}

/// [DR-7] Wherever a host crashes, its successor brings the deregistration to an end, with one event.
#[test]
fn a_crash_before_any_call_of_a_deregistration() {
    for peers in PEERS {
        for call in 0..30 {
            let (done, _) = lose_a_user(peers, Some(call));
            let events = happened(&done, "Deregistered");
            assert_eq!(events.len(), 1, "{peers:?} {call}: {events:?}");
        }
    }
}

/// [DR-6] What any host can get wrong with tokens and time is the same for either role.
#[test]
fn mistakes_of_a_host() {
    fn mistakes<N: Node>(mut node: N) {
        let mut out = Outbox::for_steps(1);
        let mut before = Vec::new();
        node.snapshot(Millis(9), &mut before);
        for number in [0, 1, u64::MAX] {
            let unknown = node.answer(
                Millis(9),
                Token::from_u64(number),
                Answer::Timeout,
                &mut out,
            );
            assert_eq!(unknown, Err(Misuse::UnknownToken));
        }
        node.tick(Millis(9), &mut out).unwrap();
        node.tick(Millis(3), &mut out).unwrap();
        assert_eq!(node.deadline(), None);
        let mut after = Vec::new();
        node.snapshot(Millis(9), &mut after);
        assert_eq!(after, before);
        assert!(out.is_empty());
    }
    mistakes(ClosingNode::new(session::config(), session::identifiers(1)));
    mistakes(PcscfNode::new(bed::config(), bed::identifiers(1)).unwrap());
}
