//! [DR-9] The record of a session, for an audit.

use ims_procedures::{
    cpm::{
        Affected, Audit, Cause, Command, Config, CpmNode, End, Event, Function, Outcome, Recording,
    },
    drive::{Answer, Identifiers, Initiator, Millis, Node, Output},
};

use crate::{
    messages::{Session, Values, matches_exactly, message},
    proxy::host_of,
    support::{Host, Out, SEED, SESSION, STORED, Terms, UNSTORED, config, ends},
};

const OK: End = End::Answered(200);

fn audited() -> Config {
    let mut config = config();
    config.audit = true;
    config
}

fn host(session: Session, terms: Terms, config: Config) -> Host {
    let mut host = Host::new(config, session);
    host.establish(terms).unwrap();
    host
}

/// Whom a record is about, and the record: it comes right after its outcome.
#[track_caller]
fn take(host: &mut Host) -> ([String; 3], Audit) {
    let outs: Vec<Event> = host
        .out
        .iter()
        .filter_map(|output| match output {
            Output::Event(event) => Some(*event),
            _ => None,
        })
        .collect();
    let [
        Event::SessionClosed {
            id,
            session,
            cause,
            ends,
            recording,
        },
        Event::Audited(audit),
    ] = outs[..]
    else {
        panic!("{outs:?}");
    };
    let Affected {
        session: of,
        served,
        other,
        call_id,
    } = audit.affected;
    assert_eq!((id, session, cause), (audit.id, of, audit.cause));
    assert_eq!(audit.outcome, Outcome { ends, recording });
    let names = [served, other, call_id].map(|text| {
        let name = host.out.text(text);
        String::from_utf8(name.to_vec()).unwrap()
    });
    host.out.clear();
    (names, audit)
}

/// Answers what is out, and keeps what comes of the last answer in the outbox.
fn conclude(host: &mut Host, to: &Out, name: &str) -> ([String; 3], Audit) {
    host.expect(name, to);
    let bytes = host.session.answer(&format!("{name}_answer"), "200 OK");
    concluded(host, to, &bytes)
}

fn concluded(host: &mut Host, to: &Out, response: &[u8]) -> ([String; 3], Audit) {
    host.node
        .answer(
            host.now,
            to.token(),
            Answer::Response(response),
            &mut host.out,
        )
        .unwrap();
    take(host)
}

/// The addresses between which the message that made the client's dialog went, and its Call-ID.
fn named(invite: &[u8]) -> [String; 3] {
    let text = String::from_utf8(invite.to_vec()).unwrap();
    let line = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap().trim().to_owned()
    };
    let uri = |value: String| {
        let (_, rest) = value.split_once('<').unwrap();
        rest.split('>').next().unwrap().to_owned()
    };
    [uri(line("From:")), uri(line("To:")), line("Call-ID:")]
}

/// [DR-9] Who began it, why, whom it concerns, how it ended and when: from the BYE of the CPM client to the end of the last
/// leg.
#[test]
fn by_the_client() {
    let mut host = host(Session::originating(0).with("", ""), UNSTORED, audited());
    host.now = Millis(2_000_000);
    let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
    host.now = Millis(2_001_500);
    let (names, audit) = conclude(&mut host, &bye, "bye_to_other");
    let client = host.session.client.as_ref().unwrap();
    assert_eq!(names, named(&client.invite));
    assert_eq!(
        (audit.initiator, audit.cause),
        (Initiator::User, Cause::Client)
    );
    let outcome = Outcome {
        ends: ends(Some(End::ByItself), Some(OK), &[]),
        recording: Recording::NotAllowed,
    };
    assert_eq!(audit.outcome, outcome);
    assert_eq!(
        (audit.began, audit.resumed),
        (Some(Millis(2_000_000)), false)
    );
    assert_eq!(audit.ended, Millis(2_001_500));
}

/// [DR-9] Of the terminating function the served user is whoever the session was begun to.
#[test]
fn by_the_other_entity() {
    let mut host = host(Session::terminating(0).with("", ""), UNSTORED, audited());
    host.now = Millis(2_000_000);
    let [_, bye] = host.receive("bye_from_other").try_into().unwrap();
    let (names, audit) = conclude(&mut host, &bye, "bye_to_client");
    let client = host.session.client.as_ref().unwrap();
    let [from, to, call_id] = named(&client.invite);
    assert_eq!(names, [to, from, call_id]);
    assert_eq!(audit.initiator, Initiator::OtherEntity);
}

/// [DR-9] Interworked for the user that is served: there is no dialog of a CPM client.
#[test]
fn without_a_client() {
    let mut host = host(Session::terminating(1).with("", ""), UNSTORED, audited());
    assert!(host.session.client.is_none());
    let [_, bye] = host.receive("bye_from_other").try_into().unwrap();
    let (names, _) = conclude(&mut host, &bye, "bye_to_iwf1");
    let other = host.session.other.as_ref().unwrap();
    let [from, to, call_id] = named(&other.invite);
    assert_eq!(names, [to, from, call_id]);
}

/// [DR-9] Off by default: not one record.
#[test]
fn off_by_default() {
    assert!(!config().audit);
    let mut host = host(Session::originating(0).with("", ""), UNSTORED, config());
    let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
    host.expect("bye_to_other", &bye);
    let outs = host.respond(&bye, "bye_to_other_answer", "200 OK");
    assert!(matches!(
        outs[..],
        [
            Out::Respond { status: 200, .. },
            Out::Event(Event::SessionClosed { .. })
        ]
    ));
}

/// [CP-1, DR-9] A proxied session has its record too, from the first BYE on.
#[test]
fn proxied() {
    for from in ["client", "other"] {
        let mut host = host_of(Function::Originating, audited());
        host.now = Millis(3_000_000);
        let mut values = Values::default();
        let bye = message(&format!("proxy/bye_from_{from}"), &values);
        let [forwarded] = host.receive_bytes(&bye).1.try_into().unwrap();
        matches_exactly(
            &format!("proxy/bye_from_{from}_forwarded"),
            forwarded.bytes(),
            &mut values,
        );
        host.now = Millis(3_000_200);
        values.set("status", "200 OK");
        let bytes = message(&format!("proxy/bye_from_{from}_answer"), &values);
        let (names, audit) = concluded(&mut host, &forwarded, &bytes);
        assert_eq!(names, named(&message("proxy/invite", &values)));
        assert_eq!(
            audit.initiator,
            match from {
                "client" => Initiator::User,
                _ => Initiator::OtherEntity,
            }
        );
        assert_eq!(audit.began, Some(Millis(3_000_000)));
        assert_eq!(audit.ended, Millis(3_000_200));
    }
}

/// [CP-1, DR-9] The BYE that ends it is the one that it begins with: not one that was refused before.
#[test]
fn proxied_after_a_refusal() {
    let mut host = host_of(Function::Originating, audited());
    host.now = Millis(3_000_000);
    let mut values = Values::default();
    let bye = message("proxy/bye_from_client", &values);
    let [forwarded] = host.receive_bytes(&bye).1.try_into().unwrap();
    let name = "proxy/bye_from_client_forwarded";
    matches_exactly(name, forwarded.bytes(), &mut values);
    values.set("status", "407 Proxy Authentication Required");
    let refusal = message("proxy/bye_from_client_answer", &values);
    assert_eq!(
        host.answer(&forwarded, Answer::Response(&refusal)).len(),
        1,
        "it goes back"
    );
    host.now = Millis(3_005_000);
    let mut values = Values::default();
    let bye = message("proxy/bye_from_other", &values);
    let [forwarded] = host.receive_bytes(&bye).1.try_into().unwrap();
    let name = "proxy/bye_from_other_forwarded";
    matches_exactly(name, forwarded.bytes(), &mut values);
    values.set("status", "200 OK");
    let bytes = message("proxy/bye_from_other_answer", &values);
    let (_, audit) = concluded(&mut host, &forwarded, &bytes);
    assert_eq!(audit.cause, Cause::Other);
    assert_eq!(audit.began, Some(Millis(3_005_000)));
}

/// [DR-9] Each cause has one who began it.
#[test]
fn each_cause() {
    for (cause, initiator) in [
        (Cause::Client, Initiator::User),
        (Cause::Other, Initiator::OtherEntity),
        (Cause::Iwf(1), Initiator::Iwf),
        (Cause::Host, Initiator::Operator),
        (Cause::DialogGone, Initiator::Element),
    ] {
        assert_eq!(cause.initiator(), initiator, "{cause:?}");
    }
}

/// [DR-7, DR-9] After a restart the record is that of the same session: the clock stood still meanwhile. One that began
/// before records were asked for does not say when.
#[test]
fn over_a_restart() {
    for (before, began) in [(audited(), Some(Millis(8_999_000))), (config(), None)] {
        let session = Session::originating(0).with("", "4711");
        let mut host = host(session, STORED, before);
        let close = Command::Close {
            session: SESSION,
            reason: b"",
        };
        host.command(close).unwrap();
        host.drain();
        host.now = host.now.after(1_000);
        let mut blob = Vec::new();
        host.node.snapshot(host.now, &mut blob);
        host.now = Millis(9_000_000);
        let identifiers = Identifiers::new(SEED, 2, 3);
        host.node = CpmNode::restore(audited(), identifiers, host.now, &blob).unwrap();
        let mut found = Vec::new();
        for out in host.advance(200_000) {
            if let Out::Event(Event::Audited(audit)) = out {
                found.push(audit);
            }
        }
        let [audit] = found.try_into().unwrap();
        assert_eq!(audit.initiator, Initiator::Operator);
        assert_eq!((audit.began, audit.resumed), (began, began.is_some()));
    }
}
