//! [DR-4, DR-5] What does not fit, what cannot work, and what is not shown.

use super::support::*;
use ims_procedures::{
    drive::{Context, Limits, Misuse, Outbox},
    regevent::notifier::{Config, End, Input, Subscribe, Subscription},
    wire::Message,
};

/// [DR-4] A document that does not fit ends the subscription instead of being lost.
#[test]
fn too_large() {
    let mut host = Host::active(100);
    host.state.too_large = true;
    host.step(Input::Changed);
    assert_eq!(host.tick(), [Done::Ended(End::TooLarge)]);
}

/// [DR-4] Without room for a step nothing happens.
#[test]
fn no_room() {
    let mut host = Host::active(100);
    let before = host.subscription.clone();
    let mut small = Outbox::<Only>::with_room(2, 64 * 1024);
    let mut cx = Context {
        now: host.now,
        config: &host.config,
        identifiers: &mut host.identifiers,
        id: 4,
    };
    let subscription = host.subscription.as_mut().unwrap();
    let refused = subscription.step(&mut cx, &host.state, Input::Changed, &mut small);
    assert!(matches!(refused, Err(Misuse::OutboxFull { .. })));
    assert_eq!(host.subscription, before);
}

/// [DR-5] The strings of a dialog, at the limit and one past it.
#[test]
fn dialog_bytes() {
    let text = text(1, "", "");
    let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
    let request = Subscribe::read(&message).unwrap().unwrap();
    let routes = "<sip:proxy1.example;lr>, <sip:proxy2.example;lr>, <sip:proxy3.example;lr>".len();
    let exact = "call".len()
        + "sip:alice@home.example".len()
        + "sip:pcscf.example".len()
        + "theirs".len()
        + "sip:one@pcscf.example".len()
        + routes;
    let mut host = Host::new();
    for (limit, fits) in [(exact, true), (exact - 1, false)] {
        let mut limits = Limits::default();
        limits.registration_bytes = limit;
        let mut cx = Context {
            now: host.now,
            config: &host.config,
            identifiers: &mut host.identifiers,
            id: 4,
        };
        let too_large = Misuse::TooLarge {
            limit: "registration_bytes",
        };
        let made = Subscription::new(&mut cx, &request, &limits);
        assert_eq!(made.err(), (!fits).then_some(too_large));
    }
}

/// [DR-10] What cannot work is said.
#[test]
fn config() {
    let good = Host::new().config;
    assert_eq!(good.check(), Ok(()));
    let refused = |field: &str, spoil: &dyn Fn(&mut Config)| {
        let mut config = good.clone();
        spoil(&mut config);
        assert_eq!(config.check().unwrap_err().field, field);
    };
    refused("max_expires", &|config| config.max_expires = 0);
    refused("min_expires", &|config| config.min_expires = 3_601);
    refused("min_expires", &|config| {
        config.min_expires = 600;
        config.max_expires = 599;
    });
    refused("default_expires", &|config| config.default_expires = 0);
    refused("answer_bound", &|config| config.answer_bound = 0);
    refused("attempts", &|config| config.attempts = 0);
    refused("retry", &|config| config.retry = 0);
}

/// [DR-9] Nobody can be told from what a machine or message shows of itself.
#[test]
fn debug_shows_nobody() {
    let text = text(1, &expires(60), "");
    let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
    let request = Subscribe::read(&message).unwrap().unwrap();
    let host = Host::active(100);
    let shown = format!("{request:?} {:?}", host.subscription);
    for part in ["alice", "97, 108, 105, 99, 101"] {
        assert!(!shown.contains(part), "{shown}");
    }
}
