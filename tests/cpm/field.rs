//! What hurt users of other systems: each case has a test that carries its id.

use ims_procedures::{
    cpm::{Answer, Command, End, IwfPolicy, Recording, Scope},
    drive::{Misuse, Verdict},
};

use crate::{
    messages::Session,
    support::{Host, Out, SESSION, STORED, STREAMS, UNSTORED, ends, outcome},
    text::tests_in,
};

/// The cases, and the files of their tests.
const CASES: [(&str, &str, &str); 20] = [
    ("T80", "glare: both ends send a BYE", "crossing.rs"),
    (
        "T81",
        "the client's BYE while an IWF's is worked off",
        "crossing.rs",
    ),
    ("T82", "one of three IWFs answers 408", "field.rs"),
    ("T83", "one of three IWFs answers 481", "field.rs"),
    ("T84", "the message store is slow", "time.rs"),
    ("T85", "the message store fails", "time.rs"),
    ("T86", "the message store answers twice", "field.rs"),
    ("T87", "a BYE comes again after the end", "crossing.rs"),
    (
        "T88",
        "a BYE meets the re-INVITE that deletes streams",
        "streams.rs",
    ),
    ("T89", "another re-INVITE meets it: 491", "streams.rs"),
    (
        "T90",
        "what the host says changes while the session is closed",
        "field.rs",
    ),
    ("T91", "the other leg answers 481", "time.rs"),
    ("T92", "proxy: the BYE passes, and its 200", "proxy.rs"),
    ("T93", "proxy: another final answer passes", "proxy.rs"),
    ("T94", "proxy: BYEs that cross", "proxy.rs"),
    (
        "T95",
        "proxy: a restart while the BYE is on its way",
        "proxy.rs",
    ),
    ("T96", "one of three IWFs is silent", "field.rs"),
    (
        "T97",
        "the answer to ours overtakes a BYE that crosses",
        "crossing.rs",
    ),
    ("T98", "a leg answers twice", "crossing.rs"),
    (
        "T99",
        "a restart before the ACK of the re-INVITE has left",
        "restoring.rs",
    ),
];

/// [CP-6] Each case has its test.
#[test]
fn every_case() {
    for (case, what, file) in CASES {
        let tests = tests_in(file);
        let carries = |doc: &str| {
            let ids = doc.split(['[', ']']).nth(1).unwrap_or_default();
            ids.split(", ").any(|id| id == case)
        };
        let is_there = tests.iter().any(|(_, doc)| carries(doc));
        assert!(is_there, "{case} ({what}): no test in {file}");
    }
}

/// The client's BYE to a session of three IWFs, the second of which answers with that status.
fn second_answers(status: &str) {
    let mut host = Host::with(Session::originating(3).with("", "7"), STORED);
    let outs = host.receive("bye_from_client");
    let mut last = Vec::new();
    for (name, bye, status) in [
        ("bye_to_iwf1", &outs[1], "200 OK"),
        ("bye_to_iwf2", &outs[2], status),
        ("bye_to_iwf3", &outs[3], "200 OK"),
    ] {
        assert!(last.is_empty());
        host.expect(name, bye);
        last = host.respond(bye, &format!("{name}_answer"), status);
    }
    let [storage] = last.try_into().unwrap();
    let outs = host.stored(&storage);
    host.expect("bye_from_client_200", &outs[0]);
    let (ok, code) = (End::Answered(200), status[..3].parse().unwrap());
    let iwfs = [ok, End::Answered(code), ok];
    let closed = outcome(&outs[1..]);
    assert_eq!(closed.ends, ends(Some(End::ByItself), None, &iwfs));
}

/// [CP-5, CO-1, T82] It has ended as well: the client gets its 200, with the UID.
#[test]
fn one_times_out() {
    second_answers("408 Request Timeout");
}

/// [CP-5, CO-1, T83] It has ended as well, for it did not know of the session any more.
#[test]
fn one_knows_nothing() {
    second_answers("481 Call/Transaction Does Not Exist");
}

/// [CP-5, CO-4, CT-2, T96] It is waited for in the time for the far side, and the BYE answered without it.
#[test]
fn one_is_silent() {
    for (session, bye) in [
        (Session::originating(3), "bye_from_client"),
        (Session::terminating(3), "bye_from_other"),
    ] {
        let mut host = Host::with(session, UNSTORED);
        let outs = host.receive(bye);
        host.expect("bye_to_iwf1", &outs[1]);
        host.expect("bye_to_iwf3", &outs[3]);
        host.respond(&outs[1], "bye_to_iwf1_answer", "200 OK");
        host.respond(&outs[3], "bye_to_iwf3_answer", "200 OK");
        assert_eq!(host.advance(15_999), []);
        let [answer] = host.advance(1).try_into().unwrap();
        host.expect(&format!("{bye}_200"), &answer);
        let [closed] = host.advance(24_000).try_into().unwrap();
        let iwfs = outcome(&[closed]).ends.iwfs;
        assert_eq!(iwfs[1], Some(End::NoResponse));
    }
}

/// [CP-3, CP-4, T86] The first answer counts; another UID afterwards goes nowhere.
#[test]
fn stored_twice() {
    let mut host = Host::with(Session::originating(0).with("", "7"), STORED);
    let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
    let [bye] = host.stored(&storage).try_into().unwrap();
    for uid in [b"7", b"8"] {
        let again = Answer::Stored { uid };
        assert_eq!(host.answer(&storage, again.into()), []);
    }
    assert_eq!(host.node.counters().stale_answers, 2);
    host.expect("bye_to_client", &bye);
    let outs = host.respond(&bye, "bye_to_client_answer", "200 OK");
    assert_eq!(outcome(&outs[1..]).recording, Recording::Stored);
}

/// [CP-3, CO-3, CO-4, T90] Once the session is being closed, policy and storage are what they were; it cannot be shown
/// again, interworked to others, under the same handle.
#[test]
fn changed_while_closing() {
    let mut host = Host::with(Session::originating(2), UNSTORED);
    let outs = host.receive("bye_from_iwf2");
    assert!(outs[0].is_release_of(Scope::Session));
    host.command(Command::SetPolicy {
        session: SESSION,
        policy: IwfPolicy::StreamsOnly,
    })
    .unwrap();
    host.command(Command::SetOfflineStorage {
        session: SESSION,
        allowed: true,
    })
    .unwrap();
    let whole = std::mem::replace(&mut host.session, Session::originating(0));
    assert!(matches!(
        host.establish(STREAMS),
        Err(Misuse::BadCommand(_))
    ));
    host.session = whole;
    host.expect("bye_to_client", &outs[1]);
    host.expect("bye_to_iwf1", &outs[2]);
    let (verdict, crossed) = host.receive_bytes(&host.session.message("bye_from_iwf1"));
    assert_eq!(verdict, Verdict::Handled);
    host.expect("bye_from_iwf1_200", &crossed[0]);
    let outs = host.respond(&outs[1], "bye_to_client_answer", "200 OK");
    assert!(!outs.iter().any(Out::is_storage));
    host.expect("bye_from_iwf2_200", &outs[0]);
    assert_eq!(outcome(&outs[1..]).recording, Recording::NotAllowed);
}
