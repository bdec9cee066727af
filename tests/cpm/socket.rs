//! [DR-3] A host that has only a socket: the transaction layer around the node.

use ims_procedures::{
    cpm::{Answer, Command, Cpm, CpmNode},
    drive::{Identifiers, Millis, Node, Outbox, Output, Source, Token, TransactionRef, Verdict},
    txn::{self, Transactions},
};

use crate::{
    messages::Session,
    support::{SEED, START, STORED, STREAMS, Terms, UNSTORED, config, establish},
};

struct Socket {
    node: Transactions<CpmNode>,
    out: Outbox<Cpm>,
    now: Millis,
    session: Session,
}

/// What was sent: a status, or a method.
#[derive(Debug, PartialEq)]
enum Sent {
    Response(u16),
    Request(String, Vec<u8>),
    Question(Token),
    Event,
}

impl Socket {
    fn new(session: Session, terms: Terms) -> Self {
        let node = CpmNode::new(config(), Identifiers::new(SEED, 1, 3)).unwrap();
        let node = Transactions::new(node, txn::Config::default(), Identifiers::new(SEED, 2, 3));
        let mut socket = Self {
            out: node.outbox(1),
            node,
            now: START,
            session: session.clone(),
        };
        let (now, node, out) = (socket.now, &mut socket.node, &mut socket.out);
        let established = establish(&session, terms, |shown| {
            node.command(now, Command::Establish(shown), out)
        });
        assert_eq!(established, Ok(Verdict::Handled));
        socket
    }

    fn sent(&mut self) -> Vec<Sent> {
        let method = |bytes: &[u8]| {
            let end = bytes.iter().position(|byte| *byte == b' ').unwrap();
            String::from_utf8(bytes[..end].to_vec()).unwrap()
        };
        let sent = self.out.iter().map(|output| match output {
            Output::Respond { status, .. } => Sent::Response(status),
            Output::Request { bytes, .. } | Output::Acknowledge { bytes, .. } => {
                Sent::Request(method(bytes), bytes.to_vec())
            }
            Output::Ask { token, .. } => Sent::Question(token),
            Output::Event(_) => Sent::Event,
            other => panic!("{other:?}"),
        });
        let sent = sent.collect();
        self.out.clear();
        sent
    }

    /// The node in another life, from its blob.
    fn restart(&mut self) {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        let node = CpmNode::restore(config(), Identifiers::new(SEED, 3, 3), self.now, &blob);
        let identifiers = Identifiers::new(SEED, 4, 3);
        self.node = Transactions::new(node.unwrap(), txn::Config::default(), identifiers);
    }

    fn answer(&mut self, token: Token, answer: Answer<'_>) -> Vec<Sent> {
        let (now, out) = (self.now, &mut self.out);
        self.node.answer(now, token, answer.into(), out).unwrap();
        self.sent()
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<Sent> {
        let (from, to) = (Source::TrustedCore, TransactionRef(7));
        let verdict = self.node.receive(self.now, from, to, bytes, &mut self.out);
        assert_eq!(verdict, Ok(Verdict::Handled));
        self.sent()
    }

    fn advance(&mut self, milliseconds: u64) -> Vec<Sent> {
        let end = self.now.after(milliseconds);
        let mut sent = Vec::new();
        while let Some((at, _)) = self.node.deadline().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.node.tick(self.now, &mut self.out).unwrap();
            sent.extend(self.sent());
        }
        self.now = end;
        sent
    }
}

/// [DR-3, CP-3, CP-5] A far side that is silent: our BYE is sent again and again, theirs is answered 100 once when RFC
/// 4320 4.1 wants it and 200 at 16 s, and at its end ours has had no response.
#[test]
fn silent_far_side() {
    let mut socket = Socket::new(Session::originating(0), UNSTORED);
    let bye = socket.session.message("bye_from_client");
    let sent = socket.receive(&bye);
    let [Sent::Question(release), Sent::Request(method, first)] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(method, "BYE");
    let released = Answer::MediaReleased.into();
    socket
        .node
        .answer(socket.now, *release, released, &mut socket.out)
        .unwrap();
    let sent = socket.advance(16_000);
    let responses = sent.iter().filter_map(|sent| match sent {
        Sent::Response(status) => Some(*status),
        _ => None,
    });
    assert_eq!(responses.collect::<Vec<_>>(), [100, 200]);
    let again = Sent::Request("BYE".to_owned(), first.clone());
    assert!(sent.iter().filter(|sent| **sent == again).count() > 3);
    assert_eq!(socket.receive(&bye), [Sent::Response(200)]);
    let sent = socket.advance(16_000);
    assert_eq!(sent.last(), Some(&Sent::Event), "Timer F");
}

/// [DR-3, CO-3] The re-INVITE and its ACK, which is sent again when the 2xx comes again.
#[test]
fn reinvite() {
    let mut socket = Socket::new(Session::originating(3), STREAMS);
    let bye = socket.session.message("bye_from_iwf2");
    let sent = socket.receive(&bye);
    let [
        Sent::Question(_),
        Sent::Response(200),
        Sent::Request(method, invite),
    ] = &sent[..]
    else {
        panic!("{sent:?}");
    };
    assert_eq!(method, "INVITE");
    socket.session.expect("reinvite_1", invite);
    let ok = socket.session.answer("reinvite_1_200", "200 OK");
    let sent = socket.receive(&ok);
    let [Sent::Request(method, ack), Sent::Event] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(method, "ACK");
    socket.session.expect("reinvite_1_ack", ack);
    let acknowledged = [Sent::Request("ACK".to_owned(), ack.clone())];
    assert_eq!(socket.receive(&ok), acknowledged);

    // [DR-7] After a restart too, when there is no transaction any more: by itself, and when the 2xx comes again.
    socket.restart();
    let offered = socket.advance(0);
    assert_eq!(offered[1..], acknowledged);
    assert_eq!(socket.receive(&ok), acknowledged);
}

/// [DR-3, DR-7, CP-3] The BYE is held while the node restarts, and sent again: the transaction of now is answered.
#[test]
fn held_across_a_restart() {
    let mut socket = Socket::new(Session::originating(0).with("", "4711"), STORED);
    let bye = socket.session.message("bye_from_other");
    assert!(matches!(
        socket.receive(&bye)[..],
        [Sent::Question(_), Sent::Question(_)]
    ));
    socket.advance(1_000);
    socket.restart();
    let offered = socket.advance(0);
    let [Sent::Question(_), Sent::Question(storage)] = offered[..] else {
        panic!("{offered:?}");
    };
    socket.advance(500);
    assert_eq!(socket.receive(&bye), []);
    socket.advance(3_000);
    let sent = socket.answer(storage, Answer::Stored { uid: b"4711" });
    let [Sent::Request(method, ours)] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(method, "BYE");
    socket.session.expect("bye_to_client", ours);
    let ok = socket.session.answer("bye_to_client_answer", "200 OK");
    assert_eq!(socket.receive(&ok), [Sent::Response(200), Sent::Event]);
    assert_eq!(socket.receive(&bye), [Sent::Response(200)]);
}

/// [DR-3, CO-3] The re-INVITE is shown to a user for longer than the transaction layer has patience: the session is
/// closed. A 2xx that comes then is acknowledged, each time (RFC 3261 13.2.2.4).
#[test]
fn accepted_after_all() {
    let terms = Terms {
        stores: false,
        ..STREAMS
    };
    let mut socket = Socket::new(Session::originating(3), terms);
    let bye = socket.session.message("bye_from_iwf2");
    let sent = socket.receive(&bye);
    let Some(Sent::Request(_, invite)) = sent.last() else {
        panic!("{sent:?}");
    };
    socket.session.expect("reinvite_1", invite);
    let ringing = socket.session.answer("reinvite_1_refused", "180 Ringing");
    assert_eq!(socket.receive(&ringing), []);
    assert_eq!(socket.advance(179_999), []);
    let sent = socket.advance(1);
    assert!(matches!(
        sent[..],
        [
            Sent::Question(_),
            Sent::Request(..),
            Sent::Request(..),
            Sent::Request(..)
        ]
    ));
    let ok = socket.session.answer("reinvite_1_200", "200 OK");
    for _ in 0..2 {
        let sent = socket.receive(&ok);
        let [Sent::Request(_, ack)] = &sent[..] else {
            panic!("{sent:?}");
        };
        socket.session.expect("reinvite_1_ack", ack);
    }
}
