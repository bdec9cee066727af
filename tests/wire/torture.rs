//! The cases of RFC 4475: messages of our own for each, and its own files where they are at hand.
//! `tests/fixtures/torture/README.md` tells what each message exercises and why it ends as it does here.

use std::{collections::BTreeSet, fs, path::PathBuf};

use ims_procedures::{
    drive::{Defect, Identifiers, Limits},
    wire::{Accepts, HeaderName, Owed, Required, Salvage, Value, Writer, defect, validate},
};

use crate::support::{
    faults, fixture, fixture_files, frame, parse, place, read, read_all, written,
};

/// What RFC 4475 says of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// Syntactically valid, however odd: it must be accepted.
    Valid,
    /// No element may accept it.
    Invalid,
    /// An element may refuse it or make the best of it: the choice is ours.
    Chosen,
}

/// How a case ends here.
#[derive(Clone, Copy)]
enum End {
    /// Every value of every header field is read.
    Read,
    /// Read, but for the one value that has this defect at this place, on which nothing depends.
    But(&'static Defect, Place),
    /// Refused for this defect at this place of our own message, and answered with this status.
    Refused(&'static Defect, Place, Option<u16>),
}

#[derive(Clone, Copy)]
enum Place {
    /// Where this text stands first.
    Of(&'static str),
    /// Where the header fields end.
    HeadEnd,
    /// Where the datagram ends.
    End,
}

use Class::{Chosen, Invalid, Valid};
use End::{But, Read, Refused};
use Place::Of;

const BAD_REQUEST: Option<u16> = Some(400);
/// Not answered: a response, or a request of which it is not certain where and to what the answer belongs.
const NOTHING: Option<u16> = None;

#[rustfmt::skip] // one row a case
const CASES: [(&str, Class, End); 49] = [
    ("wsinv", Valid, Read),
    ("intmeth", Valid, Read),
    ("esc01", Valid, Read),
    ("escnull", Valid, Read),
    ("esc02", Valid, Read),
    ("lwsdisp", Valid, Read),
    ("longreq", Valid, Read),
    ("dblreq", Valid, Read),
    ("semiuri", Valid, Read),
    ("transports", Valid, Read),
    ("mpart01", Valid, Read),
    ("unreason", Valid, Read),
    ("noreason", Valid, Read),
    ("badinv01", Invalid, Refused(&defect::VIA_PROTOCOL, Of(";,,"), BAD_REQUEST)),
    ("clerr", Invalid, Refused(&defect::BODY_TOO_SHORT, Place::End, BAD_REQUEST)),
    ("ncl", Invalid, Refused(&defect::CONTENT_LENGTH, Of("-42"), BAD_REQUEST)),
    ("scalar02", Chosen, Refused(&defect::CSEQ_NUMBER, Of("73786976294838206464"), BAD_REQUEST)),
    ("scalarlg", Invalid, Refused(&defect::CSEQ_NUMBER, Of("8111222333444555666777"), NOTHING)),
    ("quotbal", Chosen, Refused(&defect::UNCLOSED_QUOTE, Of("\"Ms. J."), BAD_REQUEST)),
    ("ltgtruri", Chosen, Refused(&defect::REQUEST_URI, Of("<sip:"), BAD_REQUEST)),
    ("lwsruri", Chosen, Refused(&defect::REQUEST_URI, Of(" lr SIP/2.0"), BAD_REQUEST)),
    ("lwsstart", Chosen, Refused(&defect::REQUEST_URI, Of(" sip:jade"), BAD_REQUEST)),
    ("trws", Chosen, Refused(&defect::REQUEST_URI, Of(" SIP/2.0  "), BAD_REQUEST)),
    ("escruri", Chosen, Read),
    ("baddate", Chosen, But(&defect::DATE, Of("CET"))),
    ("regbadct", Chosen, Refused(&defect::BARE_URI, Of("?Route"), BAD_REQUEST)),
    ("badaspec", Chosen, Refused(&defect::SCHEME, Of(" sip:e.gray@slate.example.org >"), BAD_REQUEST)),
    ("baddn", Chosen, Refused(&defect::SCHEME, Of("Morse, Sam"), BAD_REQUEST)),
    ("badvers", Invalid, Refused(&defect::VERSION, Of("SIP/8.0"), Some(505))),
    ("mismatch01", Invalid, Refused(&defect::CSEQ_METHOD, Of("7 INVITE"), BAD_REQUEST)),
    ("mismatch02", Invalid, Refused(&defect::CSEQ_METHOD, Of("7 INVITE"), Some(501))),
    ("bigcode", Invalid, Refused(&defect::STATUS, Of("4294967596"), NOTHING)),
    ("badbranch", Valid, Read),
    ("insuf", Chosen, Refused(&defect::NO_FROM, Place::HeadEnd, BAD_REQUEST)),
    ("unkscm", Valid, Read),
    ("novelsc", Valid, Read),
    ("unksm2", Valid, Read),
    ("bext01", Valid, Read),
    ("invut", Valid, Read),
    ("regaut01", Valid, Read),
    ("multi01", Chosen, Refused(&defect::CONFLICT, Of("88 INVITE"), NOTHING)),
    ("mcl01", Chosen, Refused(&defect::CONFLICT, Of("6\r\nContent-Type"), BAD_REQUEST)),
    ("bcast", Valid, Read),
    ("zeromf", Valid, Read),
    ("cparam01", Valid, Read),
    ("cparam02", Valid, Read),
    ("regescrt", Valid, Read),
    ("sdp01", Valid, Read),
    ("inv2543", Valid, Read),
];

fn own(name: &str) -> Vec<u8> {
    fixture(&format!("torture/{name}.sip"))
}

/// The messages of RFC 4475 themselves, by the same names; nothing where they are not at hand.
fn external() -> Vec<(&'static str, Class, End, Vec<u8>)> {
    let Some(folder) = std::env::var_os("IMS_CORPUS_DIR") else {
        return Vec::new();
    };
    let folder = PathBuf::from(folder).join("external/torture-rfc4475");
    let read = |(name, class, end): (&'static str, Class, End)| {
        let mut bytes = fs::read(folder.join(format!("{name}.dat"))).unwrap();
        if name == "baddn" {
            // The archive of the RFC left out the empty line of this one.
            bytes.extend_from_slice(b"\r\n");
        }
        (name, class, end, bytes)
    };
    CASES.into_iter().map(read).collect()
}

/// [RFC 4475 2] Each of the 49 cases has a message of ours, a place in the table of reasons that says the
/// same as this one, and RFC 4475 has no other.
#[test]
fn every_case_is_there() {
    let of = |class| CASES.iter().filter(|case| case.1 == class).count();
    assert_eq!((of(Valid), of(Invalid), of(Chosen)), (27, 8, 14));
    let names: BTreeSet<String> = CASES.iter().map(|case| case.0.to_owned()).collect();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files: BTreeSet<String> = fixture_files("torture").into_iter().map(stem).collect();
    assert_eq!(files, names);
    let reasons = String::from_utf8(fixture("torture/README.md")).unwrap();
    let rows = reasons.lines().filter(|line| line.contains(" | 3."));
    let mut decided = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [name, _, _, decision, reason] = cells[..] else {
            panic!("{row}");
        };
        let name = name.trim_start_matches("| ");
        let case = CASES.iter().find(|case| case.0 == name).unwrap();
        let expected = match case.2 {
            Read | But(..) => "accepted".to_owned(),
            Refused(_, _, Some(status)) => format!("refused {status}"),
            Refused(_, _, None) => "refused, unanswered".to_owned(),
        };
        assert_eq!(decision, expected, "{name}");
        assert_eq!(reason.starts_with("valid"), case.1 == Valid, "{name}");
        decided.insert(name.to_owned());
    }
    assert_eq!(decided, names);
}

/// [RFC 4475 3] Every case ends as the table says: read to the last value, or refused for its defect.
#[test]
fn every_case_ends_as_decided() {
    for (name, _, end) in CASES {
        let bytes = own(name);
        let (what, at, reject) = match (end, read(&bytes)) {
            (Read, Ok(())) => continue,
            (But(what, at) | Refused(what, at, _), Err(reject)) => (what, at, reject),
            (_, outcome) => panic!("{name}: {outcome:?}"),
        };
        let at = match at {
            Of(text) => place(&bytes, text),
            Place::HeadEnd => place(&bytes, "\r\n\r\n") + 2,
            Place::End => bytes.len(),
        };
        assert_eq!((reject.defect, reject.at as usize), (what, at), "{name}");
        if matches!(end, But(..)) {
            assert_eq!(faults(&parse(&bytes).unwrap()), [reject], "{name}");
        }
    }
}

/// [RFC 4475 3] The messages of the RFC end as ours do.
#[test]
fn every_message_of_the_rfc_ends_as_decided() {
    let mut valid = 0;
    for (name, class, end, bytes) in external() {
        match (end, read(&bytes)) {
            (Read, Ok(())) => valid += usize::from(class == Valid),
            (But(what, _) | Refused(what, ..), Err(reject)) => {
                assert_eq!(reject.defect, what, "{name}");
            }
            (_, outcome) => panic!("{name}: {outcome:?}"),
        }
    }
    assert!(valid == 27 || std::env::var_os("IMS_CORPUS_DIR").is_none());
}

/// [RFC 3261 7.1] The archive of the RFC holds one file more, of no section: a request line without a version.
#[test]
fn the_stray_message_of_the_rfc() {
    let Some(folder) = std::env::var_os("IMS_CORPUS_DIR") else {
        return;
    };
    let path = PathBuf::from(folder).join("external/torture-rfc4475/test.dat");
    let reject = parse(&fs::read(path).unwrap()).unwrap_err();
    assert_eq!((reject.defect, reject.at), (&defect::START_LINE, 7));
}

/// [RFC 4475 3.1.1] Of the valid ones, every header field of a known name has a value of its own kind, and
/// only a field of unknown name stays bytes.
#[test]
fn every_value_of_the_valid_is_typed() {
    let own = CASES.map(|(name, class, end)| (name, class, end, own(name)));
    let valid = own.into_iter().chain(external());
    let mut with_unknown = BTreeSet::new();
    for (name, _, _, bytes) in valid.filter(|case| case.1 == Valid) {
        for field in parse(&bytes).unwrap().fields() {
            let value = field.read().unwrap_or_else(|e| panic!("{name}: {e}"));
            let is_other = matches!(value, Value::Other(_));
            assert_eq!(is_other, field.name == HeaderName::Other, "{name}");
            if is_other {
                with_unknown.insert(name);
            }
        }
    }
    let expected = ["esc02", "intmeth", "longreq", "mpart01", "wsinv"];
    assert_eq!(with_unknown, BTreeSet::from(expected));
}

/// The answer that is given to a message that is refused for its first fault, and the status it has.
fn answer(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let reject = read(bytes).err()?;
    let tag = Identifiers::new([7; 32], 1, 3).next();
    let Ok(message) = parse(bytes) else {
        let salvage = Salvage::read(bytes, &Limits::default(), reject)?;
        let answer = written(|b| salvage.write(b, Some(tag))).unwrap();
        return Some((salvage.status(), answer));
    };
    let owed = Owed::new(&message, reject, &Accepts::server());
    let answer = written(|b| owed.write(b, &message, Some(tag))).unwrap();
    Some((owed.status()?, answer))
}

/// [RFC 3261 21.4.1] [RFC 3261 21.5.6] [RFC 4475 3] A request that is refused is answered with the status
/// owed, a response never; the answer is a message, and goes the way the request came.
#[test]
fn what_is_refused_is_answered() {
    let own = CASES.map(|(name, class, end)| (name, class, end, own(name)));
    for (name, _, end, bytes) in own.into_iter().chain(external()) {
        let Refused(_, _, expected) = end else {
            continue;
        };
        let answer = answer(&bytes);
        assert_eq!(
            answer.as_ref().map(|(status, _)| *status),
            expected,
            "{name}"
        );
        let Some((status, bytes)) = answer else {
            continue;
        };
        let message = parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(message.status(), Some(status), "{name}");
        assert!(message.header(HeaderName::Via).is_some(), "{name}");
    }
}

/// [RFC 3261 18.3] On a stream each message ends where it ends in a datagram, and no part of it passes for the
/// whole; without Content-Length it has no end there.
#[test]
fn what_is_read_is_framed() {
    let limits = Limits::default();
    let read = CASES.iter().filter(|case| matches!(case.2, Read));
    for (name, _, _) in read {
        let bytes = own(name);
        let end = parse(&bytes).unwrap().end();
        if *name == "inv2543" {
            let reject = frame(&bytes, &limits).unwrap_err();
            assert_eq!(reject.defect, &defect::NO_CONTENT_LENGTH);
            continue;
        }
        assert_eq!(frame(&bytes, &limits), Ok(Some(end)), "{name}");
        for cut in (0..end).step_by(1 + end / 1_000) {
            let part = frame(&bytes[..cut], &limits);
            assert_eq!(part, Ok(None), "{name} {cut}");
        }
    }
}

/// [DR-4] [IB-1] Every message is read as far as it can be and passed on byte for byte; every fault lies within.
#[test]
fn what_is_read_is_passed_on() {
    let own = CASES.map(|(name, class, end)| (name, class, end, own(name)));
    for (name, _, end, bytes) in own.into_iter().chain(external()) {
        read_all(&bytes);
        assert!(
            parse(&bytes).is_ok() || matches!(end, Refused(..)),
            "{name}"
        );
    }
}

/// [RFC 3261 8.2.6.2] Every request that is framed can be answered, and the answer is read.
#[test]
fn what_is_framed_is_answered() {
    let mut answered = 0;
    for (name, _, _) in CASES {
        let bytes = own(name);
        let Ok(message) = parse(&bytes) else { continue };
        if !message.is_request() {
            continue;
        }
        let answer = written(|b| Writer::respond_to(b, &message, 400, None).finish());
        let answer = answer.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(parse(&answer).unwrap().status(), Some(400), "{name}");
        answered += 1;
    }
    assert!(answered > 30, "{answered}");
}

/// [RFC 4475 3.3] What is valid and still not to be taken is the element's to say: it is read, and owes the
/// status that the RFC names.
#[test]
fn what_is_read_may_still_owe() {
    let sdp_only = Accepts::server().content_types(&[b"application/sdp"]);
    let owing = [
        ("unkscm", Accepts::server(), 416),
        ("novelsc", Accepts::server(), 416),
        ("bext01", Accepts::server(), 420),
        ("bext01", Accepts::proxy(), 420),
        ("zeromf", Accepts::proxy(), 483),
        ("invut", sdp_only, 415),
    ];
    let own = CASES.map(|(name, class, end)| (name, class, end, own(name)));
    for (name, _, _, bytes) in own.into_iter().chain(external()) {
        for (_, accepts, status) in owing.iter().filter(|case| case.0 == name) {
            let message = parse(&bytes).unwrap();
            assert!(Required::read(&message).is_ok(), "{name}");
            let owed = validate(&message, accepts).unwrap_err();
            assert_eq!(owed.status(), Some(*status), "{name}");
        }
        if name == "zeromf" {
            let message = parse(&bytes).unwrap();
            assert!(validate(&message, &Accepts::server()).is_ok());
        }
    }
}
