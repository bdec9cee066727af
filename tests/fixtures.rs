//! The byte fixtures: every line of every message cites the clause it was written from. Those of CPM sessions were
//! written before there was code that sends them; that they agree with one another is proved here.

#[path = "common/cpm.rs"]
#[allow(dead_code)]
mod cpm;

use cpm::{Session, Values};
use ims_procedures::{
    drive::Limits,
    wire::{HeaderName, Message, NameAddr, Reply, Required, sdp::Description},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// The names of all fixtures of CPM sessions.
fn cpm_names() -> Vec<String> {
    let folders = ["originating", "terminating", "proxy", "refused"];
    let name = |folder: &str, file: PathBuf| {
        format!("{folder}/{}", file.file_stem().unwrap().to_str().unwrap())
    };
    let all = folders.into_iter().flat_map(|folder| {
        let files = files(&format!("cpm/{folder}")).into_iter();
        files.map(move |file| name(folder, file))
    });
    all.collect()
}

fn cites_a_clause(clause: &str, sources: &[&str]) -> bool {
    sources.iter().any(|source| clause.starts_with(source))
}

#[test]
fn every_fixture_line_cites_a_clause() {
    let folders = ["first_light", "txn", "mscics"];
    let all = folders.into_iter().flat_map(files);
    let is_fixture = |file: &PathBuf| file.extension().is_some_and(|own| own == "fixture");
    let files: Vec<_> = all.filter(is_fixture).collect();
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, l)| !l.starts_with('#'))
        {
            let at = line
                .find([' '])
                .map(|_| line.find(" | ").or_else(|| line.find(" + ")));
            let Some(Some(at)) = at else {
                panic!("{}:{}: no clause", path.display(), number + 1);
            };
            let clause = line[..at].trim();
            let sources = [
                "RFC ", "TS ", "S0 ", "S1 ", "PD-", "SD-", "RE-", "RN-", "MS-",
            ];
            assert!(
                cites_a_clause(clause, &sources),
                "{}:{}: {clause:?} names no clause",
                path.display(),
                number + 1
            );
        }
    }
    assert_eq!(files.len(), 13);
}

/// [CP-1 to CP-8, CO-1 to CO-4, CT-1 to CT-4] The same of the messages of CPM sessions, whose clauses have a number.
#[test]
fn every_line_of_a_cpm_fixture_cites_a_clause() {
    let names = cpm_names();
    for name in &names {
        for line in cpm::lines(name) {
            let sources = ["RFC ", "TS ", "S3 ", "CP-", "CO-", "CT-", "OMA CPM "];
            let is_clause = cites_a_clause(&line.clause, &sources)
                && line.clause.bytes().any(|byte| byte.is_ascii_digit())
                || line.clause.starts_with("OMA CPM Appendix");
            assert!(is_clause, "{name}: {line:?}");
        }
    }
    assert_eq!(names.len(), 127);
}

/// A fixture as a message: with a Reason and a UID, and values for the rest.
fn sample(name: &str) -> Vec<u8> {
    sample_with(
        name,
        "SIP;cause=200;text=\"Call completed elsewhere\"",
        "4711",
    )
}

fn sample_with(name: &str, reason: &str, uid: &str) -> Vec<u8> {
    let mut values = Values::of_session(3);
    values.set("reason", reason).set("uid", uid);
    cpm::message(name, values.set("status", "200 OK").draw(name))
}

fn parse(bytes: &[u8]) -> Message<'_> {
    Message::parse(bytes, &Limits::default()).unwrap()
}

fn value(message: &Message<'_>, name: HeaderName) -> String {
    let values = message
        .headers(name)
        .map(|value| String::from_utf8(value.raw().to_vec()).unwrap());
    values.collect::<Vec<_>>().join(", ")
}

/// [RFC 3261 7] [RFC 8866 5] Every message of a CPM session is one: what must stand in it does, each value can be read,
/// its body is as long as it says, and a session description. Those that are to be refused have the one fault that they
/// are named after.
#[test]
fn cpm_fixtures_are_messages() {
    for name in cpm_names() {
        let bytes = sample(&name);
        let message = parse(&bytes);
        let mandatory = match message.is_request() {
            true => Required::read(&message).err(),
            false => Reply::read(&message).err(),
        };
        let is_bad_cseq = name.starts_with("refused/wrong_cseq_method") && message.is_request();
        assert_eq!(mandatory.is_some(), is_bad_cseq, "{name}: {mandatory:?}");
        for field in message.fields() {
            assert!(field.read().is_ok(), "{name}: {field:?}");
        }
        assert!(
            message.header(HeaderName::ContentLength).is_some(),
            "{name}"
        );
        assert_eq!(message.end(), bytes.len(), "{name}");
        if !message.body().is_empty() {
            let description = Description::parse(message.body(), &Limits::default());
            assert_eq!(
                description.is_err(),
                name.contains("no_sdp"),
                "{name}: {description:?}"
            );
        }
    }
}

/// [RFC 3261 8.2.6.2] Every answer copies its request.
#[test]
fn cpm_answers_copy_their_requests() {
    let names = cpm_names();
    let mut pairs = 0;
    for name in &names {
        let Some(request) = request_of(name, &names) else {
            continue;
        };
        pairs += 1;
        let (request_bytes, bytes) = (sample(request), sample(name));
        let (request, answer) = (parse(&request_bytes), parse(&bytes));
        for header in [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::CallId,
            HeaderName::CSeq,
        ] {
            if !(name.contains("proxy") && header == HeaderName::Via) {
                assert_eq!(
                    value(&request, header),
                    value(&answer, header),
                    "{name}: {header:?}"
                );
            }
        }
        let (asked, answered) = (
            value(&request, HeaderName::To),
            value(&answer, HeaderName::To),
        );
        assert!(answered.starts_with(&asked), "{name}: {asked} {answered}");
        assert!(answer.to().unwrap().tag().is_some(), "{name}");
        assert_eq!(
            asked == answered,
            request.to().unwrap().tag().is_some(),
            "{name}"
        );
    }
    assert_eq!(pairs, 56);
}

/// [RFC 3261 17.1.1.3] [RFC 3261 13.2.2.4] The ACK of a refusal is of the transaction of its INVITE, that of a 200 of its
/// own; both have its number.
#[test]
fn cpm_acks_are_of_their_invites() {
    let names = cpm_names();
    let acks: Vec<_> = names.iter().filter(|name| name.ends_with("_ack")).collect();
    for name in &acks {
        let own = name.strip_suffix("_ack").unwrap();
        let is_refused = own.ends_with("_refused");
        let invite = own.strip_suffix("_refused").unwrap_or(own);
        let mut values = Values::of_session(3);
        values
            .draw(invite)
            .set("ack-1-branch", "ack")
            .set("ack-2-branch", "ack");
        let (invite_bytes, bytes) = (cpm::message(invite, &values), cpm::message(name, &values));
        let (invite, ack) = (parse(&invite_bytes), parse(&bytes));
        assert_eq!(
            ack.cseq().unwrap().number,
            invite.cseq().unwrap().number,
            "{name}"
        );
        let is_same = value(&ack, HeaderName::Via) == value(&invite, HeaderName::Via);
        assert_eq!(is_same, is_refused, "{name}");
        assert_eq!(says(&bytes), says(&invite_bytes), "{name}");
    }
    assert_eq!(acks.len(), 12);
}

/// The request that a fixture answers.
fn request_of<'n>(name: &str, names: &'n [String]) -> Option<&'n String> {
    let (request, kind) = name.rsplit_once('_')?;
    let is_answer = matches!(kind, "200" | "answer" | "refused") || kind.parse::<u16>().is_ok();
    names.iter().find(|other| is_answer && *other == request)
}

/// What a request in a dialog says of it, as (Request-URI, Route, From, To, Call-ID).
type Said = [String; 5];

/// [RFC 3261 12.1.1] [RFC 3261 12.1.2] [RFC 3261 12.2.1.1] What the INVITE and the 2xx of a leg make of each request that
/// is sent in it.
fn sent_in(leg: &cpm::Leg) -> Said {
    let (invite, response) = (parse(&leg.invite), parse(&leg.response));
    let (recorded, target) = match leg.is_uac {
        true => (&response, &response),
        false => (&invite, &invite),
    };
    let mut routes: Vec<_> = recorded
        .name_addrs(HeaderName::RecordRoute)
        .map(Result::unwrap)
        .collect();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if leg.is_uac {
        routes.reverse();
    }
    let target = value(target, HeaderName::Contact);
    let target = text(NameAddr::parse(target.as_bytes()).unwrap().uri_bytes());
    let is_loose = routes
        .first()
        .is_none_or(|route| route.uri().is_loose_router());
    let mut route: Vec<_> = routes.iter().map(|route| text(route.raw())).collect();
    let mut uri = target.clone();
    if !is_loose {
        uri = text(routes[0].uri_bytes());
        route.remove(0);
        route.push(format!("<{target}>"));
    }
    let (from, to) = (
        value(&invite, HeaderName::From),
        value(&response, HeaderName::To),
    );
    let (own, far) = if leg.is_uac { (from, to) } else { (to, from) };
    [
        uri,
        route.join(", "),
        own,
        far,
        value(&invite, HeaderName::CallId),
    ]
}

#[track_caller]
fn says(bytes: &[u8]) -> Said {
    let message = parse(bytes);
    let names = [
        HeaderName::Route,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
    ];
    let [route, from, to, call_id] = names.map(|name| value(&message, name));
    let uri = String::from_utf8(message.request_uri().unwrap().to_vec()).unwrap();
    [uri, route, from, to, call_id]
}

/// The legs of a session by the names that fixtures have for them.
fn legs(session: &Session) -> Vec<(String, &cpm::Leg)> {
    let mut legs = Vec::new();
    legs.extend(
        session
            .client
            .as_ref()
            .map(|leg| ("client".to_owned(), leg)),
    );
    legs.extend(session.other.as_ref().map(|leg| ("other".to_owned(), leg)));
    let iwfs = session.iwfs.iter().enumerate();
    legs.extend(iwfs.map(|(at, leg)| (format!("iwf{}", at + 1), leg)));
    legs
}

/// [CO-1 to CO-4, CT-1 to CT-4] [RFC 3261 12] Each BYE to a leg is of the dialog that the INVITE of that leg made, and each
/// BYE from it; so are re-INVITE and ACK.
#[test]
fn cpm_requests_are_of_their_dialogs() {
    let mut checked = 0;
    for session in [0, 3]
        .map(|iwfs| [Session::originating(iwfs), Session::terminating(iwfs)])
        .iter()
        .flatten()
    {
        let names = cpm_names();
        for (leg_name, leg) in legs(session) {
            let expected = sent_in(leg);
            let reinvited = if session.function == "originating" {
                "client"
            } else {
                "other"
            };
            for name in &names {
                let Some(message) = name.strip_prefix(&format!("{}/", session.function)) else {
                    continue;
                };
                let bytes = sample(name);
                if !parse(&bytes).is_request() {
                    continue;
                }
                if message.starts_with(&format!("bye_to_{leg_name}"))
                    || message.starts_with("reinvite") && leg_name == reinvited
                {
                    assert_eq!(says(&bytes), expected, "{name}");
                    checked += 1;
                } else if message == format!("bye_from_{leg_name}") {
                    let [_, _, own, far, call_id] = &expected;
                    let [_, _, from, to, same] = &says(&bytes);
                    assert_eq!([far, own, call_id], [from, to, same], "{name}");
                    let invite = parse(&leg.invite).cseq().unwrap().number;
                    let bye = parse(&bytes).cseq().unwrap().number;
                    assert_eq!(bye, if leg.is_uac { 1 } else { invite + 1 }, "{name}");
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 64);
}

/// [CO-3, CT-3] [RFC 3264 8.2] The description of each re-INVITE is the one before it without the streams of the IWF that
/// has left, for three IWFs and for two.
#[test]
fn cpm_reinvites_delete_the_streams_of_one_iwf() {
    let limits = Limits::default();
    for (make, iwfs) in [
        Session::originating as fn(usize) -> Session,
        Session::terminating,
    ]
    .into_iter()
    .flat_map(|make| [(make, 2), (make, 3)])
    {
        let session = make(iwfs);
        let mut description = session.description.clone();
        let live = Description::parse(&description, &limits).unwrap().live();
        assert_eq!(live, session.streams.iter().flatten().copied().collect());
        for (name, gone) in [("reinvite_1", 1), ("reinvite_2", 0)] {
            let mut values = session.values.clone();
            let name = format!("{}/{name}", session.function);
            let offer = cpm::message(&name, values.draw(&name));
            let mut buffer = ims_procedures::drive::Buffer::new(description.len() + 1);
            let gone = session.streams[gone].iter().copied().collect();
            Description::parse(&description, &limits)
                .unwrap()
                .put_without(gone, &mut buffer);
            description = buffer.as_slice().to_vec();
            assert_eq!(cpm::body(&offer), description, "{name}");
        }
    }
}

/// [CP-4] Message-UID stands in what goes to the CPM client that is served, and in nothing else that goes; without a
/// UID in nothing at all.
#[test]
fn cpm_message_uid_is_for_the_served_client() {
    for name in cpm_names() {
        let goes = name.contains("bye_to_") && !name.ends_with("answer")
            || name.contains("bye_from_") && name.ends_with("200")
            || name.ends_with("forwarded");
        if !goes {
            continue;
        }
        let to_client = name.contains("bye_to_client") || name.ends_with("bye_from_client_200");
        let has = |bytes: &[u8]| parse(bytes).header(HeaderName::MessageUid).is_some();
        assert_eq!(has(&sample(&name)), to_client, "{name}");
        assert!(!has(&sample_with(&name, "", "")), "{name}");
    }
}

/// What stands in a fixture is found, in any order of fields, and nothing else.
#[test]
fn cpm_matching() {
    let mut session = Session::originating(0).with("SIP;cause=200", "4711");
    let name = "bye_to_client";
    let mut drawn = session.values.clone();
    drawn
        .set("client-bye-branch", "b7")
        .set("client-bye-icid", "i7");
    let bytes = cpm::message("originating/bye_to_client", &drawn);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains("Message-UID: 4711\r\n") && text.contains("Reason: SIP;cause=200\r\n"));
    session.expect(name, &bytes);
    assert_eq!(session.values.get("client-bye-branch"), "b7");
    let moved = text
        .replace("Max-Forwards: 70\r\n", "")
        .replace("\r\n\r\n", "\r\nMax-Forwards: 70\r\n\r\n");
    session.expect(name, moved.as_bytes());
    let answer = String::from_utf8(session.answer("bye_to_client_answer", "481 Gone")).unwrap();
    assert!(answer.starts_with("SIP/2.0 481 Gone\r\n") && answer.contains("branch=z9hG4bKb7\r\n"));
    for wrong in [
        text.replace("Message-UID: 4711\r\n", ""),
        text.replace("Reason:", "Message-UID: 4711\r\nReason:"),
        text.replace("CSeq: 1", "CSeq: 2"),
        text.replace("z9hG4bKb7", "z9hG4bKb8"),
        text.replace("\r\n\r\n", "\r\n\r\nx"),
        text.replacen("BYE", "BYF", 1),
    ] {
        assert_ne!(wrong, text);
        let expected = || session.clone().expect(name, wrong.as_bytes());
        assert!(std::panic::catch_unwind(expected).is_err(), "{wrong}");
    }
    assert_eq!(cpm::bad_uids().len(), 10);
}
