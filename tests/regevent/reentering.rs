//! A host calls a node when it likes (T66): there is no callback in which it must not, and no lock that is held while
//! it acts.

use std::thread;

use ims_procedures::{
    drive::{Answer, Millis, Node, Outbox, Output, Source, TransactionRef, Verdict},
    pcscf::{Pcscf, PcscfNode},
    regevent::{
        node::{Command, RegEvent, Registration, SubscriberNode},
        subscriber::{Profile, Standing},
    },
    scscf::{Scscf, ScscfNode},
};

use super::bed::{NOTIFIER, Subscribe, config, identifiers, is_gone, is_registered, registration};

fn node() -> SubscriberNode {
    SubscriberNode::new(config(Profile::Rfc6665), identifiers(1)).unwrap()
}

fn private(user: usize) -> String {
    format!("user{user}_private@home1.example.net")
}

const NOW: Millis = Millis(1_000);

/// Calls the node for a user; while the host goes through what that wants done, it calls it for the next one; only
/// then is what was wanted done.
fn nested(node: &mut SubscriberNode, users: std::ops::Range<usize>) {
    let Some((user, rest)) = users.clone().next().map(|user| (user, user + 1..users.end)) else {
        return;
    };
    let private = private(user);
    let learn = Command::LearnRegistered(Registration {
        private_identity: private.as_bytes(),
        ..registration(600_000)
    });
    let mut wanted = Outbox::<RegEvent>::for_steps(1);
    node.command(NOW, learn, &mut wanted).unwrap();
    let mut requests = 0;
    for output in wanted.iter() {
        let Output::Request { token, bytes, .. } = output else {
            continue;
        };
        requests += 1;
        let subscribe = Subscribe {
            token,
            hops: Vec::new(),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        };
        nested(node, rest.clone());
        let mut inner = Outbox::for_steps(2);
        let ok = subscribe.response(200, &format!("{NOTIFIER}Expires: 3660\r\n"));
        node.answer(NOW, token, Answer::Response(ok.as_bytes()), &mut inner)
            .unwrap();
        let notify = subscribe.notify(1, "active;expires=3660", &is_registered(0));
        let taken = node.receive(
            NOW,
            Source::TrustedCore,
            TransactionRef(1),
            notify.as_bytes(),
            &mut inner,
        );
        assert_eq!(taken, Ok(Verdict::Handled));
        // Odd ones go again, while the outputs of both calls are still there.
        if user % 2 == 1 {
            let gone = subscribe.notify(2, "terminated;reason=noresource", &is_gone(1));
            let mut innermost = Outbox::for_steps(1);
            let taken = node.receive(
                NOW,
                Source::TrustedCore,
                TransactionRef(2),
                gone.as_bytes(),
                &mut innermost,
            );
            assert_eq!(taken, Ok(Verdict::Handled));
        }
        assert!(!inner.is_empty());
    }
    assert_eq!(requests, 1);
}

/// [DR-1, DR-2] (T66) Calls inside the handling of outputs, as deep as a host likes, of one user and of others: each
/// comes to what it does on its own.
#[test]
fn calls_within_calls() {
    let mut node = node();
    nested(&mut node, 0..32);
    for user in 0..32 {
        let standing = node.standing(private(user).as_bytes());
        let is_active = matches!(standing, Standing::Active);
        assert_eq!(is_active, user % 2 == 0, "{user}: {standing:?}");
    }
}

/// [DR-1] (T66) A node and its outbox are of whichever thread has them; there is nothing to lock, and in no order.
#[test]
fn of_any_thread() {
    fn moves<T: Send + Sync + 'static>() {}
    moves::<SubscriberNode>();
    moves::<PcscfNode>();
    moves::<ScscfNode>();
    moves::<Outbox<RegEvent>>();
    moves::<Outbox<Pcscf>>();
    moves::<Outbox<Scscf>>();
    let here = {
        let mut node = node();
        nested(&mut node, 0..8);
        node
    };
    // The same calls, each by a thread of its own.
    let mut there = node();
    for users in [0..3, 3..5, 5..8] {
        there = thread::spawn(move || {
            nested(&mut there, users);
            there
        })
        .join()
        .unwrap();
    }
    let standings = |node: &SubscriberNode| -> Vec<bool> {
        let standings = (0..8).map(|user| node.standing(private(user).as_bytes()));
        standings
            .map(|standing| matches!(standing, Standing::Active))
            .collect()
    };
    assert_eq!(standings(&here), standings(&there));
}
