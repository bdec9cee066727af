//! A host's loop, for any node: it carries outputs out, brings answers and messages in, and ticks. It knows
//! nothing of the role; what the world answers is given to it.
//!
//! On its way it holds the node to what every node owes its host.

use ims_procedures::drive::{
    Answer, Millis, Misuse, Node, Outbox, Output, Role, Source, Token, TransactionRef,
};
use std::collections::BTreeMap;

/// What comes in.
pub enum Incoming<R: Role> {
    Message(Source, TransactionRef, Vec<u8>),
    Response(Token, Vec<u8>),
    /// Everything else that a token can be answered with.
    Answer(Token, Answer<'static, R>),
}

/// What went out, as far as a host can tell that knows no role.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    Sent(Vec<u8>),
    Responded(TransactionRef, u16),
    Asked(String),
    Stored { key: Vec<u8>, version: u64 },
    Happened(String),
}

/// The world: what comes back for an output, and after how many milliseconds.
pub trait World<R: Role> {
    fn react(&mut self, output: &Output<'_, R>) -> Vec<(u64, Incoming<R>)>;
}

impl<R: Role, F: FnMut(&Output<'_, R>) -> Vec<(u64, Incoming<R>)>> World<R> for F {
    fn react(&mut self, output: &Output<'_, R>) -> Vec<(u64, Incoming<R>)> {
        self(output)
    }
}

/// Runs until nothing is to come any more. `before` may exchange the node before each call, which is when a
/// host may crash: it says whether it did, and answers on their way are then lost.
pub fn run<N: Node>(
    node: &mut N,
    now: &mut Millis,
    out: &mut Outbox<N::Role>,
    first: Vec<(u64, Incoming<N::Role>)>,
    mut world: impl World<N::Role>,
    mut before: impl FnMut(&mut N, Millis, usize) -> bool,
) -> Vec<(Millis, Done)> {
    let mut done = Vec::new();
    let mut coming: BTreeMap<(Millis, usize), Incoming<N::Role>> = BTreeMap::new();
    let mut number = 0;
    let mut queue = |coming: &mut BTreeMap<_, _>, now: Millis, more: Vec<(u64, _)>| {
        for (delay, incoming) in more {
            coming.insert((now.after(delay), number), incoming);
            number += 1;
        }
    };
    queue(&mut coming, *now, first);
    for calls in 0..10_000 {
        for output in out.iter() {
            done.push((*now, owned(&output)));
            let more = world.react(&output);
            queue(&mut coming, *now, more);
        }
        out.clear();
        if before(node, *now, calls) {
            coming.retain(|_, incoming| matches!(incoming, Incoming::Message(..)));
        }
        let arrival = coming.first_key_value().map(|(&(at, _), _)| at);
        match (arrival, node.deadline()) {
            (None, None) => return done,
            (Some(at), deadline) if deadline.is_none_or(|(due, _)| at <= due) => {
                *now = (*now).max(at);
                refuses_a_full_outbox(node, *now, out, |node, out| {
                    node.receive(*now, Source::Unknown, TransactionRef(0), b"", out)
                        .map(|_| ())
                });
                let (_, incoming) = coming.pop_first().unwrap();
                deliver(node, *now, incoming, out);
            }
            (_, Some((due, timer))) => {
                if due > *now {
                    early_ticks_change_nothing(node, *now, due, out);
                }
                assert!(!timer.0.is_empty());
                *now = (*now).max(due);
                refuses_a_full_outbox(node, *now, out, |node, out| node.tick(*now, out));
                node.tick(*now, out).unwrap();
            }
            (Some(_), None) => unreachable!(),
        }
        assert!(
            out.len() <= <N::Role as Role>::STEP_OUTPUTS,
            "more than one step may"
        );
    }
    panic!("it never comes to rest: {done:?}");
}

fn deliver<N: Node>(
    node: &mut N,
    now: Millis,
    incoming: Incoming<N::Role>,
    out: &mut Outbox<N::Role>,
) {
    match incoming {
        Incoming::Message(from, txn, bytes) => {
            node.receive(now, from, txn, &bytes, out).unwrap();
        }
        Incoming::Response(token, bytes) => {
            node.answer(now, token, Answer::Response(&bytes), out)
                .unwrap();
        }
        Incoming::Answer(token, answer) => node.answer(now, token, answer, out).unwrap(),
    }
}

fn state<N: Node>(node: &N, now: Millis) -> Vec<u8> {
    let mut blob = Vec::new();
    node.snapshot(now, &mut blob);
    blob
}

/// [DR-6] One millisecond before its time a tick does nothing.
fn early_ticks_change_nothing<N: Node>(
    node: &mut N,
    now: Millis,
    due: Millis,
    out: &mut Outbox<N::Role>,
) {
    for early in [now, Millis(due.0 - 1)] {
        let before = state(node, early);
        node.tick(early, out).unwrap();
        assert!(out.is_empty(), "a tick at {early}, due at {due}");
        assert_eq!(state(node, early), before);
    }
}

/// [DR-4] Without room for one step a call is refused and changes nothing.
fn refuses_a_full_outbox<N: Node>(
    node: &mut N,
    now: Millis,
    out: &Outbox<N::Role>,
    call: impl Fn(&mut N, &mut Outbox<N::Role>) -> Result<(), Misuse>,
) {
    assert!(out.is_empty());
    let (outputs, bytes) = (
        <N::Role as Role>::STEP_OUTPUTS,
        <N::Role as Role>::STEP_BYTES,
    );
    for mut small in [
        Outbox::with_room(outputs - 1, bytes),
        Outbox::with_room(outputs, bytes - 1),
    ] {
        let before = (state(node, now), node.deadline());
        assert_eq!(
            call(node, &mut small),
            Err(Misuse::OutboxFull { outputs, bytes })
        );
        assert!(small.is_empty());
        assert_eq!((state(node, now), node.deadline()), before);
    }
}

fn owned<R: Role>(output: &Output<'_, R>) -> Done {
    match output {
        Output::Request { bytes, .. } | Output::Acknowledge { bytes, .. } => {
            Done::Sent(bytes.to_vec())
        }
        Output::Respond { to, status, .. } => Done::Responded(*to, *status),
        Output::Ask { question, .. } => Done::Asked(format!("{question:?}")),
        Output::Store { key, version, .. } => Done::Stored {
            key: key.to_vec(),
            version: *version,
        },
        Output::Event(event) => Done::Happened(format!("{event:?}")),
        other => panic!("{other:?}"),
    }
}
