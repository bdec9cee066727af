//! [DR-4, DR-5] Strangers who make a node wait: what they cost, and whom they do not keep out.

use super::support::*;
use ims_procedures::{
    drive::{ConfigError, Identifiers, Millis, Misuse, Node, RestoreError, Source, Verdict},
    scscf::{Answer, Config, ScscfNode},
};

/// A REGISTER with Expires 0 of someone who is not known here.
fn stranger(number: usize) -> String {
    let own = Registration::default().removal("x", 1);
    own.replace("user1_public1", &format!("stranger{number}"))
}

/// A user who is.
fn user(number: usize) -> (String, String) {
    let registration = Registration {
        associated: vec![],
        ..Registration::default()
    };
    let name = format!("user{number}_public1");
    let named = |text: String| text.replace("user1_public1", &name);
    (
        named(registration.request()),
        named(registration.response()),
    )
}

/// Shows the node one more user.
fn learn(host: &mut Host, number: usize) -> Result<Verdict, Misuse> {
    let (request, response) = user(number);
    host.learn_bytes(request.as_bytes(), response.as_bytes())
}

fn blob(host: &Host, now: Millis) -> Vec<u8> {
    let mut blob = Vec::new();
    host.node.snapshot(now, &mut blob);
    blob
}

fn from_anyone(host: &mut Host, register: &str) -> Vec<Out> {
    host.receive_from(Source::Unknown, register.as_bytes()).1
}

fn is_authentication(outs: &[Out]) -> bool {
    matches!(
        outs,
        [
            ..,
            Out::Ask {
                ask: Ask::Authentication { .. },
                ..
            }
        ]
    )
}

fn is_release(outs: &[Out]) -> bool {
    matches!(
        outs,
        [Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }]
    )
}

fn narrow() -> Config {
    let mut config = config();
    config.waiting_deregistrations = 3;
    config.limits.users = 2;
    config
}

/// [DR-5] As many as may wait, and one more: 503 with Retry-After, counted, nothing kept. One who is settled makes
/// room.
#[test]
fn bounded() {
    let mut host = Host::new(narrow());
    let first = from_anyone(&mut host, &stranger(0));
    for number in 1..3 {
        assert!(is_authentication(&from_anyone(
            &mut host,
            &stranger(number)
        )));
    }
    let before = blob(&host, host.now);
    let [refused] = from_anyone(&mut host, &stranger(3)).try_into().unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(header(refused.bytes(), "Retry-After"), Some("10"));
    assert_eq!(blob(&host, host.now), before);
    assert_eq!(host.node.counters().turned_away, 1);
    assert_eq!(host.node.counters().refused, 0);
    assert_eq!(host.answer(&first[0], Answer::Denied)[0].status(), 403);
    assert!(is_authentication(&from_anyone(&mut host, &stranger(3))));
    assert_eq!(from_anyone(&mut host, &stranger(4))[0].status(), 503);
    // They run out, and leave nothing.
    assert_eq!(host.wait(10_000).len(), 3);
    assert_eq!(host.node.sets(), 0);
    assert!(is_authentication(&from_anyone(&mut host, &stranger(5))));
}

/// [DR-5] They take no room of users, and no P-CSCF is kept out by them.
#[test]
fn apart_from_users() {
    let mut host = Host::new(narrow());
    for number in 0..3 {
        from_anyone(&mut host, &stranger(number));
    }
    assert_eq!(host.learn(&Registration::default()), Verdict::Handled);
    assert_eq!(learn(&mut host, 2), Ok(Verdict::Handled));
    assert_eq!(learn(&mut host, 3), Err(Misuse::NodeFull));
    assert_eq!(host.node.sets(), 5);
    // Nor does one who waits get room by it.
    let (request, response) = user(0);
    let named = |text: String| text.replace("user0_public1", "stranger0");
    let (request, response) = (named(request), named(response));
    let learned = host.learn_bytes(request.as_bytes(), response.as_bytes());
    assert_eq!(learned, Err(Misuse::NodeFull));
    assert!(is_release(&host.receive(register())));
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
}

/// [DR-5] One who waits and whom the host registers meanwhile is a user from then on.
#[test]
fn registered_while_waiting() {
    let mut host = Host::new(narrow());
    let own = Registration::default().removal("x", 1);
    assert!(is_authentication(&from_anyone(&mut host, &own)));
    assert_eq!(host.learn(&Registration::default()), Verdict::Handled);
    assert_eq!(learn(&mut host, 2), Ok(Verdict::Handled));
    assert_eq!(learn(&mut host, 3), Err(Misuse::NodeFull));
    assert_eq!(host.node.sets(), 2);
}

/// [DR-5] As many as may wait of one user at once do not keep out his P-CSCF.
#[test]
fn victim() {
    let mut host = Host::registered();
    for call in 0..16 {
        let own = Registration::default().removal(&format!("evil-{call}"), 1);
        assert!(is_authentication(&from_anyone(&mut host, &own)));
    }
    let own = Registration::default().removal("evil-16", 1);
    assert_eq!(from_anyone(&mut host, &own)[0].status(), 500);
    assert!(is_release(&host.receive(register())));
    // Not even with as many of its own running as have room beside them.
    for call in 1..32 {
        let other = register().replace("r-call-1", &format!("r-call-{}", call + 1));
        let outs = host.receive(other);
        assert!(matches!(outs[1], Out::Ask { .. }), "{call}: {outs:?}");
    }
    let one_more = register().replace("r-call-1", "r-call-99");
    assert_eq!(host.receive(one_more)[0].status(), 500);
}

/// [DR-5] Only what is needed of a REGISTER is kept, however long it is.
#[test]
fn little_is_kept() {
    let mut host = Host::new(config());
    let long = format!("X-Long: {}\r\n", "x".repeat(16_000)).repeat(3);
    let mut asked = Vec::new();
    for number in 0..200 {
        let padded = stranger(number).replace("Max-Forwards", &format!("{long}Max-Forwards"));
        assert!(padded.len() > 48_000);
        asked = from_anyone(&mut host, &padded);
        assert!(is_authentication(&asked));
    }
    let length = blob(&host, host.now).len();
    assert!(length < 200 * 1_024, "{length}");
    // Its answer is the one that the whole of it would have had.
    let answer = host.answer(&asked[0], Answer::Denied);
    let answer = answer[0].bytes().to_string();
    let request = stranger(199);
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        assert_eq!(header(&answer, name), header(&request, name), "{name}");
    }
    assert_eq!(answer.matches("\r\nVia: ").count(), 2);
}

/// [DR-5] What is kept of a REGISTER may be as long as the strings of a registration; one byte more is 513, from a
/// P-CSCF too.
#[test]
fn longest_kept() {
    for (text, recognised) in [(register(), true), (stranger(0), false)] {
        let text = text.replace(
            "Max-Forwards",
            &format!("Path: <sip:{}.example;lr>\r\nMax-Forwards", "p".repeat(900)),
        );
        let names = [
            "REGISTER ",
            "Via: ",
            "From: ",
            "To: ",
            "Call-ID: ",
            "CSeq: ",
            "Contact: ",
            "Expires: ",
            "Path: ",
        ];
        let kept = text
            .split_inclusive("\r\n")
            .filter(|line| names.iter().any(|name| line.starts_with(name)));
        let kept = kept.map(str::len).sum::<usize>()
            + format!("Authorization: Digest username=\"{PRIVATE}\"\r\n").len()
            + "Content-Length: 0\r\n\r\n".len();
        for (limit, fits) in [(kept, true), (kept - 1, false)] {
            let mut tight = config();
            tight.limits.registration_bytes = limit;
            let mut host = Host::registered_with(tight);
            let outs = host.receive(&text);
            if !fits {
                assert_eq!(outs[0].status(), 513);
                assert!(host.node.is_registered(PUBLIC.as_bytes()));
            } else if recognised {
                assert!(is_release(&outs), "{outs:?}");
            } else {
                assert!(is_authentication(&outs), "{outs:?}");
            }
        }
    }
}

/// [DR-7] A restored node knows how many wait; one with room for fewer does not take them over.
#[test]
fn restored() {
    let mut host = Host::new(narrow());
    for number in 0..3 {
        from_anyone(&mut host, &stranger(number));
    }
    host.learn(&Registration::default());
    learn(&mut host, 2).unwrap();
    let blob = blob(&host, host.now);
    let open = |config| ScscfNode::restore(config, Identifiers::new(SEED, 2, 3), host.now, &blob);
    let mut fewer = narrow();
    fewer.waiting_deregistrations = 2;
    assert_eq!(open(fewer).err(), Some(RestoreError::TooLarge));
    let mut fewer = narrow();
    fewer.limits.users = 1;
    fewer.waiting_deregistrations = 10;
    assert_eq!(open(fewer).err(), Some(RestoreError::TooLarge));
    let node = open(narrow()).unwrap();
    host.node = node;
    assert_eq!(from_anyone(&mut host, &stranger(3))[0].status(), 503);
    assert_eq!(learn(&mut host, 3), Err(Misuse::NodeFull));
}

/// [DR-7] A configuration that cannot work is said to be that, whatever the blob is.
#[test]
fn bad_configuration() {
    let host = Host::registered();
    let blob = blob(&host, host.now);
    for blob in [&blob[..], b"?"] {
        let mut bad = config();
        bad.waiting_deregistrations = 0;
        let opened = ScscfNode::restore(bad, Identifiers::new(SEED, 2, 3), host.now, blob);
        let why = ConfigError {
            field: "waiting_deregistrations",
            what: "0",
        };
        assert_eq!(opened.err(), Some(RestoreError::Config(why)));
    }
}

/// [DR-6, DR-7] A snapshot at a time that has passed is one of the latest time known.
#[test]
fn snapshot_in_the_past() {
    let mut host = Host::registered();
    host.receive(register());
    let latest = blob(&host, host.now);
    assert_eq!(blob(&host, Millis(0)), latest);
    assert_ne!(blob(&host, host.now.after(1)), latest);
}
