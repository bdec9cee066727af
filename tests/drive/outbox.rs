//! What a node wants done.

use ims_procedures::drive::{
    Buffer, Identifiers, Misuse, Outbox, Output, Request, Role, Text, Token, Towards,
    TransactionRef, UDP_LIMIT, Unwritable,
};

/// A role that says next to nothing.
#[derive(Debug, PartialEq)]
struct Probe;

impl Role for Probe {
    type Command<'a> = ();
    type Question = Text;
    type Answer<'a> = ();
    type Event = (u8, Text);
    const STEP_OUTPUTS: usize = 3;
    const STEP_BYTES: usize = 100;
}

const FULL: Misuse = Misuse::OutboxFull {
    outputs: Probe::STEP_OUTPUTS,
    bytes: Probe::STEP_BYTES,
};

fn token(machine: u32) -> Token {
    Identifiers::new([7; 32], 1, 0).token(machine)
}

fn request<'a>(next_hops: &'a [&'a [u8]]) -> Request<'a> {
    Request {
        token: token(1),
        towards: Towards::Core,
        next_hops,
        udp_limit: UDP_LIMIT,
    }
}

fn hops(output: &Output<'_, Probe>) -> Vec<Vec<u8>> {
    let (Output::Request { next_hops, .. } | Output::Acknowledge { next_hops, .. }) = output else {
        panic!("{output:?}");
    };
    next_hops.map(<[u8]>::to_vec).collect()
}

/// [DR-4] [DR-5] One step fits at its limit, and does not with one output or one byte less.
#[test]
fn room_at_the_limit_and_one_less() {
    assert_eq!(Outbox::<Probe>::with_room(3, 100).check_room(), Ok(()));
    assert_eq!(Outbox::<Probe>::with_room(2, 100).check_room(), Err(FULL));
    assert_eq!(Outbox::<Probe>::with_room(3, 99).check_room(), Err(FULL));
    assert_eq!(Outbox::<Probe>::for_steps(1).check_room(), Ok(()));
    assert_eq!(
        Outbox::<Probe>::for_steps(0).check_room(),
        Ok(()),
        "at least one step"
    );

    let mut out = Outbox::<Probe>::for_steps(1);
    out.event((0, Text::default()));
    assert_eq!(out.check_room(), Err(FULL));
    out.clear();
    out.put_text(b"x");
    assert_eq!(out.check_room(), Err(FULL));
    out.clear();
    assert_eq!(out.check_room(), Ok(()));

    let mut out = Outbox::<Probe>::for_steps(2);
    for number in 0..3 {
        out.event((number, Text::default()));
    }
    out.put_text(&[b'x'; 100]);
    assert_eq!(out.check_room(), Ok(()));
    out.put_text(b"x");
    assert_eq!(out.check_room(), Err(FULL));
    assert_eq!(out.check_room_for(3, 99), Ok(()));
    assert_eq!(
        out.check_room_for(4, 99),
        Err(Misuse::OutboxFull {
            outputs: 4,
            bytes: 99
        })
    );
    assert_eq!(
        out.check_room_for(3, 100),
        Err(Misuse::OutboxFull {
            outputs: 3,
            bytes: 100
        })
    );
}

/// [DR-2] [DR-3] Everything that can be wanted comes out as it went in, in the order in which it is to be done.
#[test]
fn outputs_in_order() {
    let mut out = Outbox::<Probe>::with_room(9, 999);
    assert!(out.is_empty());
    let about = out.put_text(b"alice");
    out.ask(token(1), about);
    let two_hops = [&b"sip:hop1.example.net;lr"[..], b"sip:hop2.example.net;lr"];
    out.request(request(&two_hops), |b| b.put(b"BYE")).unwrap();
    out.store(token(2), b"key", 4, 5, b"blob").unwrap();
    out.respond(TransactionRef(77), 200, |b| b.put(b"OK"))
        .unwrap();
    out.event((9, about));
    out.acknowledge(token(3), &two_hops, UDP_LIMIT, |b| b.put(b"ACK"))
        .unwrap();
    assert_eq!(out.len(), 6);

    let outputs: Vec<_> = out.iter().collect();
    let Output::Ask {
        token: asked,
        question,
    } = &outputs[0]
    else {
        panic!()
    };
    assert_eq!((*asked, out.text(**question)), (token(1), &b"alice"[..]));
    let Output::Request {
        token: of,
        towards,
        bytes,
        congestion_controlled,
        ..
    } = &outputs[1]
    else {
        panic!()
    };
    assert_eq!(
        (*of, *towards, *bytes),
        (token(1), Towards::Core, &b"BYE"[..])
    );
    assert!(!congestion_controlled);
    assert_eq!(hops(&outputs[1]), two_hops, "in order");
    let Output::Store {
        token: of,
        key,
        expected,
        version,
        bytes,
    } = &outputs[2]
    else {
        panic!()
    };
    assert_eq!(
        (*of, *key, *expected, *version, *bytes),
        (token(2), &b"key"[..], 4, 5, &b"blob"[..])
    );
    let Output::Respond { to, status, bytes } = &outputs[3] else {
        panic!()
    };
    assert_eq!(
        (*to, *status, *bytes),
        (TransactionRef(77), 200, &b"OK"[..])
    );
    let Output::Event((9, text)) = &outputs[4] else {
        panic!()
    };
    assert_eq!(out.text(*text), b"alice");
    assert_eq!(out.to_bytes(*text).as_ref(), b"alice");
    let Output::Acknowledge {
        token: of,
        bytes,
        congestion_controlled,
        ..
    } = &outputs[5]
    else {
        panic!()
    };
    assert_eq!((*of, *bytes), (token(3), &b"ACK"[..]));
    assert!(!congestion_controlled);
    assert_eq!(hops(&outputs[5]), two_hops);
    assert_eq!(out.since(3).count(), 3);
    assert_eq!(out.since(6).count(), 0);
    assert_eq!(out.since(99).count(), 0);
}

/// [DR-3] A request may have one next hop or none; more keep their order.
#[test]
fn next_hops() {
    for wanted in [&[][..], &[&b"sip:a"[..]], &[b"sip:c", b"sip:a", b"sip:b"]] {
        let mut out = Outbox::<Probe>::for_steps(1);
        out.request(request(wanted), |b| b.put(b"BYE")).unwrap();
        assert_eq!(hops(&out.iter().next().unwrap()), wanted);
    }
}

/// [DR-3] [RFC 3261 18.1.1] A request or ACK of 1,300 bytes may go by UDP; one of 1,301 says that it may not.
#[test]
fn congestion_control_past_1300_bytes() {
    assert_eq!(UDP_LIMIT, 1_300);
    for (length, expected) in [(0, false), (1_300, false), (1_301, true)] {
        let mut out = Outbox::<Probe>::with_room(1, 2_000);
        let hop = [b'h'; 600];
        out.request(request(&[&hop]), |b| b.put(&vec![b'x'; length]))
            .unwrap();
        let Some(Output::Request {
            congestion_controlled,
            bytes,
            ..
        }) = out.iter().next()
        else {
            panic!()
        };
        assert_eq!((bytes.len(), congestion_controlled), (length, expected));
        out.clear();
        out.acknowledge(token(1), &[&hop], UDP_LIMIT, |b| b.put(&vec![b'x'; length]))
            .unwrap();
        let Some(Output::Acknowledge {
            congestion_controlled,
            bytes,
            ..
        }) = out.iter().next()
        else {
            panic!()
        };
        assert_eq!((bytes.len(), congestion_controlled), (length, expected));
    }
}

/// [DR-4] What cannot be written is not appended, and takes no room: not the message, its hops or its key.
#[test]
fn nothing_is_left_of_what_cannot_be_written() {
    type Try = fn(&mut Outbox<Probe>) -> Result<(), Unwritable>;
    let attempts: [(Try, Unwritable); 11] = [
        (
            |out| out.acknowledge(token(1), &[b"sip:hop"], 9, |b| b.put(&[0; 94])),
            Unwritable::TooLarge,
        ),
        (
            |out| out.acknowledge(token(1), &[b"a", b"b\nc"], 9, |b| b.put(b"ACK")),
            Unwritable::UnsafeValue,
        ),
        (
            |out| out.request(request(&[b"sip:hop"]), |b| b.put(&[0; 94])),
            Unwritable::TooLarge,
        ),
        (
            |out| out.request(request(&[b"sip:hop"]), |b| b.put_value(b"a\r")),
            Unwritable::UnsafeValue,
        ),
        (
            |out| out.request(request(&[b"a", b"b\nc"]), |b| b.put(b"BYE")),
            Unwritable::UnsafeValue,
        ),
        (
            |out| out.request(request(&[&[b'h'; 101]]), |b| b.put(b"BYE")),
            Unwritable::TooLarge,
        ),
        (
            |out| out.respond(TransactionRef(1), 200, |b| b.put(&[0; 101])),
            Unwritable::TooLarge,
        ),
        (
            |out| out.respond(TransactionRef(1), 200, |b| b.fail(Unwritable::UnsafeValue)),
            Unwritable::UnsafeValue,
        ),
        (
            |out| out.store(token(1), b"key", 0, 1, &[0; 98]),
            Unwritable::TooLarge,
        ),
        (
            |out| out.store(token(1), &[0; 101], 0, 1, b"blob"),
            Unwritable::TooLarge,
        ),
        (
            |out| {
                out.write_text(|b| {
                    b.put(b"abc");
                    b.put_value(b"\0");
                })
                .map(|_| ())
            },
            Unwritable::UnsafeValue,
        ),
    ];
    for (number, (attempt, fault)) in attempts.into_iter().enumerate() {
        let mut out = Outbox::<Probe>::for_steps(1);
        assert_eq!(attempt(&mut out), Err(fault), "attempt {number}");
        assert!(out.is_empty(), "attempt {number}");
        assert_eq!(
            out.check_room(),
            Ok(()),
            "attempt {number}: all of the room is there"
        );
        out.respond(TransactionRef(1), 200, |b| b.put(&[b'x'; 100]))
            .unwrap();
    }
}

/// [DR-4] What fails leaves what stood there before as it was, and what follows is written as ever.
#[test]
fn failure_between_two_outputs() {
    let mut out = Outbox::<Probe>::for_steps(1);
    out.respond(TransactionRef(1), 200, |b| b.put(b"first"))
        .unwrap();
    let failed = out.request(request(&[b"sip:hop"]), |b: &mut Buffer| b.put(&[0; 100]));
    assert_eq!(failed, Err(Unwritable::TooLarge));
    out.respond(TransactionRef(2), 200, |b| b.put(b"second"))
        .unwrap();
    let written: Vec<_> = out
        .iter()
        .map(|output| match output {
            Output::Respond { to, bytes, .. } => (to.0, bytes.to_vec()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(written, [(1, b"first".to_vec()), (2, b"second".to_vec())]);
}

/// [DR-5] A message may fill the outbox to its last byte.
#[test]
fn bytes_at_the_limit() {
    let mut out = Outbox::<Probe>::with_room(1, 10);
    assert!(
        out.respond(TransactionRef(1), 200, |b| b.put(&[b'x'; 11]))
            .is_err()
    );
    out.respond(TransactionRef(1), 200, |b| b.put(&[b'x'; 10]))
        .unwrap();
    let mut out = Outbox::<Probe>::with_room(1, 10);
    assert!(out.store(token(1), b"key", 0, 1, &[b'x'; 8]).is_err());
    out.store(token(1), b"key", 0, 1, &[b'x'; 7]).unwrap();
}

/// [DR-2] Texts are read until the outbox is cleared; what does not fit becomes empty.
#[test]
fn texts() {
    let mut out = Outbox::<Probe>::for_steps(1);
    let (alice, empty) = (out.put_text(b"alice"), out.put_text(b""));
    let written = out
        .write_text(|b| {
            b.put(b"<");
            b.put(b"sip:bob");
            b.put(b">");
        })
        .unwrap();
    assert_eq!(out.text(alice), b"alice");
    assert_eq!((alice.len(), alice.is_empty()), (5, false));
    assert_eq!((out.text(empty), empty.is_empty()), (&b""[..], true));
    assert_eq!(out.text(written), b"<sip:bob>");
    let too_long = out.put_text(&[b'x'; 100]);
    assert!(too_long.is_empty());
    assert_eq!(out.text(alice), b"alice");
    assert_eq!(out.text(Text::default()), b"");
    out.clear();
    assert_eq!(out.text(alice), b"");
    assert_eq!(out.to_bytes(written).len(), 0);
}

/// [DR-3] A layer between host and node gives responses to other transactions, and nothing else changes.
#[test]
fn redirected_responses() {
    let mut out = Outbox::<Probe>::with_room(9, 99);
    out.respond(TransactionRef(1), 200, |b| b.put(b"a"))
        .unwrap();
    out.event((1, Text::default()));
    out.respond(TransactionRef(2), 481, |b| b.put(b"b"))
        .unwrap();
    out.redirect(1, |TransactionRef(number)| TransactionRef(number + 100));
    let to: Vec<_> = out
        .iter()
        .filter_map(|output| match output {
            Output::Respond { to, status, bytes } => Some((to.0, status, bytes.to_vec())),
            _ => None,
        })
        .collect();
    assert_eq!(to, [(1, 200, b"a".to_vec()), (102, 481, b"b".to_vec())]);
}

/// [DR-9] Next hops and texts, which may name a user, do not show.
#[test]
fn debug_hides_hops_and_texts() {
    let mut out = Outbox::<Probe>::for_steps(1);
    let alice = out.put_text(b"sip:alice@home1.example.net");
    out.event((1, alice));
    out.request(request(&[b"sip:alice@192.0.2.1", b"sip:b"]), |b| {
        b.put(b"BYE");
    })
    .unwrap();
    let shown = format!("{out:?}");
    assert!(shown.contains("NextHops(2)"), "{shown}");
    assert!(!shown.contains("alice"), "{shown}");
}
