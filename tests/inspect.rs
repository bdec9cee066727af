//! The example `inspect`: what it prints, and how it ends.

#[path = "../examples/inspect/run.rs"]
mod inspect;

use ims_procedures::wire::HeaderName;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

struct Run {
    status: u8,
    stdout: String,
    stderr: String,
}

impl Run {
    /// Every line as JSON.
    fn lines(&self) -> Vec<Value> {
        let parsed = self.stdout.lines().map(serde_json::from_str);
        parsed.map(|line| line.expect("a line of JSON")).collect()
    }

    fn only_line(&self) -> Value {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "{}", self.stdout);
        lines.remove(0)
    }
}

fn run(args: &[&str], stdin: &[u8]) -> Run {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = inspect::run(
        args.iter().map(OsString::from),
        &mut &stdin[..],
        &mut stdout,
        &mut stderr,
    );
    Run {
        status,
        stdout: String::from_utf8(stdout).expect("the output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
    }
}

fn json_of(bytes: &[u8]) -> Value {
    run(&["--json", "--datagram"], bytes).only_line()
}

fn fixtures(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|own| own == extension));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(path.join(name)).unwrap()
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn request(lines: &str) -> Vec<u8> {
    format!(
        "MESSAGE sip:b@h SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>\r\n\
         Call-ID: c\r\n\
         CSeq: 1 MESSAGE\r\n\
         Max-Forwards: 70\r\n\
         {lines}\r\n"
    )
    .into_bytes()
}

/// Every line has the same keys in the same order, a fault says where and why, and the status of the process
/// is that of its lines.
fn check_line(path: &Path, kind: &str, ok: bool) -> Value {
    let name = path.to_str().unwrap();
    let run = run(&["--json", name], b"");
    let line = run.only_line();
    let at = |key: &str| run.stdout.find(&format!("\"{key}\":"));
    let keys = [
        "file",
        "kind",
        "at",
        "left_over",
        "ok",
        "status_owed",
        "error",
        "fields",
    ];
    assert!(keys.map(at).is_sorted() && at("file") == Some(1), "{name}");
    assert_eq!(line.as_object().unwrap().len(), keys.len());
    assert_eq!(line["file"], name);
    assert_eq!(line["kind"], kind, "{name}");
    assert_eq!(line["ok"], ok, "{name}: {}", line["error"]);
    assert_eq!(run.status, u8::from(!ok), "{name}");
    assert_eq!(run.stderr, "");
    if ok {
        assert!(line["error"].is_null() && line["status_owed"].is_null());
    } else {
        let length = fs::metadata(path).unwrap().len();
        assert!(line["error"]["at"].as_u64().unwrap() <= length, "{name}");
        assert!(!line["error"]["what"].as_str().unwrap().is_empty());
        assert!(!line["error"]["clause"].as_str().unwrap().is_empty());
    }
    line
}

/// Messages of the field are read to the last header field; the document that is cut short is told of.
#[test]
fn every_message_of_the_fixtures() {
    let mut read = 0;
    for folder in [
        "sip",
        "captures/A_basic",
        "captures/D_rtr",
        "captures/O_presreg",
    ] {
        for path in fixtures(folder, "sip") {
            let ok = stem(&path) != "notify_content_length_too_short";
            let line = check_line(&path, "sip", ok);
            let fields = &line["fields"];
            assert_ne!(fields["method"].is_string(), fields["status"].is_u64());
            for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
                let field = &fields["headers"][name][0];
                assert!(!field["value"].is_null(), "{}: {name}", path.display());
            }
            for (name, fields) in fields["headers"].as_object().unwrap() {
                for field in fields.as_array().unwrap() {
                    let own = field["name"].as_str().unwrap();
                    let known = HeaderName::lookup(own.as_bytes());
                    assert!(
                        known == HeaderName::Other || known.canonical_name() == name.as_bytes()
                    );
                    assert!(field["error"].is_null(), "{}: {field}", path.display());
                }
            }
            read += 1;
        }
    }
    assert!(read > 150, "{read}");
}

/// Documents are known by what they begin with, and read as far as they can be.
#[test]
fn every_document_of_the_fixtures() {
    for path in fixtures("reginfo", "xml") {
        let line = check_line(&path, "reginfo", true);
        assert!(line["fields"]["version"].is_u64());
        assert!(line["fields"]["registrations"].is_array());
    }
    let readable = [
        "aor_empty",
        "cdata_uri",
        "comment_inside_uri",
        "expires_huge",
        "state_terminated_typo",
        "version_plus_ws",
    ];
    for path in fixtures("malformed", "xml") {
        let kind = match stem(&path) {
            "empty" | "json_instead" => "sip",
            _ => "reginfo",
        };
        check_line(&path, kind, readable.contains(&stem(&path)));
    }
    let twice = json_of(&fixture("malformed/two_roots.xml"));
    let registrations = &twice["fields"]["registrations"];
    assert_eq!(
        registrations.as_array().unwrap().len(),
        1,
        "what stood before the fault"
    );
}

/// Typed values of a REGISTER of the field.
#[test]
fn values_of_a_register() {
    let line = json_of(&fixture("captures/A_basic/003_5091-6060_REGISTER.sip"));
    let fields = &line["fields"];
    assert_eq!(fields["method"], "REGISTER");
    assert_eq!(
        fields["request_uri"],
        json!({"raw": "sip:ims.test", "scheme": "sip", "host": "ims.test"})
    );
    let headers = &fields["headers"];
    let value = |name: &str| &headers[name][0]["value"];
    assert_eq!(
        *value("Via"),
        json!([{"transport": "UDP", "host": "127.0.0.1", "port": 5091,
            "params": {"branch": "z9hG4bK-30403-1-4"}}])
    );
    assert_eq!(*value("CSeq"), json!({"number": 2, "method": "REGISTER"}));
    let contact = &value("Contact")[0];
    assert_eq!(contact["uri"]["port"], 5091);
    assert_eq!(
        contact["params"],
        json!({"q": "0.9", "+sip.instance": "<urn:gsma:imei:90420156-025763-0>",
            "+g.3gpp.smsip": null, "expires": "600"})
    );
    assert_eq!(
        (&contact["expires"], &contact["q"]),
        (&json!(600), &json!(0.9))
    );
    assert_eq!(contact["instance"], "<urn:gsma:imei:90420156-025763-0>");
    assert_eq!(contact["features"]["+g.3gpp.smsip"], json!(null));
    let path = &value("Path")[0]["uri"];
    assert_eq!(
        (&path["user"], &path["params"]),
        (&json!("term"), &json!({"lr": null}))
    );
    assert_eq!(value("Authorization")["scheme"], "Digest");
    assert_eq!(
        value("Authorization")["params"]["username"],
        "alice@ims.test"
    );
    assert_eq!(*value("Require"), json!(["path"]));
    assert_eq!(*value("Expires"), 600);
    assert_eq!(value("P-Charging-Vector")["icid"], "reg-alice-2");
    assert!(fields["body"].is_null());
}

/// The body of a NOTIFY is read with it, below it.
#[test]
fn the_document_in_a_notify() {
    let bytes = fixture("captures/A_basic/007_6060-5092_NOTIFY.sip");
    let line = json_of(&bytes);
    let headers = &line["fields"]["headers"];
    assert_eq!(headers["Event"][0]["value"], json!({"package": "reg"}));
    assert_eq!(
        headers["Subscription-State"][0]["value"],
        json!({"state": "active", "expires": 3600})
    );
    let body = &line["fields"]["body"];
    assert_eq!(
        (&body["kind"], &body["ok"]),
        (&json!("reginfo"), &json!(true))
    );
    let at = body["at"].as_u64().unwrap() as usize;
    assert!(bytes[at..].starts_with(b"<?xml"));
    assert_eq!(body["length"], bytes.len() - at);
    let contact = &body["fields"]["registrations"][0]["contacts"][0];
    assert_eq!(contact["uri"], "sip:alice@127.0.0.1:5091");
    assert_eq!(
        (&contact["event"], &contact["expires"]),
        (&json!("registered"), &json!(600))
    );
    assert!(contact["params"]["+g.3gpp.smsip"].is_string());

    let damaged = String::from_utf8(bytes)
        .unwrap()
        .replace("version=\"2\"", "version=\"x\"");
    let line = json_of(damaged.as_bytes());
    assert_eq!(
        (&line["ok"], &line["fields"]["body"]["ok"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(line["error"], line["fields"]["body"]["error"]);
    assert!(line["error"]["at"].as_u64().unwrap() as usize > at);
}

/// A malformed field has its fault and its bytes; the others are read as ever, and the first fault is the
/// message's.
#[test]
fn a_message_with_malformed_fields() {
    let bytes =
        request("Contact: <sip:a@h>;expires=1, <sip:a@[::1>\r\nEvent: ;x\r\nSubject: hello\r\n");
    let line = json_of(&bytes);
    assert_eq!(
        (&line["ok"], &line["status_owed"]),
        (&json!(false), &json!(400))
    );
    let headers = &line["fields"]["headers"];
    let contact = &headers["Contact"][0];
    assert_eq!(contact["value"][0]["params"], json!({"expires": "1"}));
    assert_eq!(contact["value"][0]["expires"], 1);
    assert_eq!(contact["raw"], "<sip:a@h>;expires=1, <sip:a@[::1>");
    assert_eq!(contact["error"], line["error"], "the first fault");
    let at = contact["error"]["at"].as_u64().unwrap() as usize;
    assert!(bytes[at..].starts_with(b"[::1>"));
    assert!(headers["Event"][0]["error"]["at"].as_u64().unwrap() as usize > at);
    assert!(headers["Event"][0]["value"].is_null());
    assert_eq!(headers["Subject"][0]["value"], "hello");
    assert!(line["fields"]["errors"].is_null(), "each fault once");
}

/// What no single field shows: missing, repeated, contradictory; and what is owed for each.
#[test]
fn faults_of_the_whole_message_and_what_is_owed() {
    let whole = String::from_utf8(request("")).unwrap();
    let edited = |from: &str, to: &str| json_of(whole.replace(from, to).as_bytes());
    let cases = [
        (edited("Call-ID: c\r\n", ""), json!(400)),
        (edited("1 MESSAGE", "1 INVITE"), json!(400)),
        (edited("Max-", "Event: a\r\nEvent: b\r\nMax-"), json!(400)),
        (edited("MESSAGE", "ACK"), json!(null)),
        (
            edited("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n", ""),
            json!(null),
        ),
        (
            edited("MESSAGE sip:b@h SIP/2.0", "SIP/2.0 200 OK"),
            json!(null),
        ),
    ];
    for (place, (line, owed)) in cases.into_iter().enumerate() {
        assert_eq!(line["status_owed"], owed, "{place}: {}", line["error"]);
        let ok = place == 3 || place == 5;
        assert_eq!(line["ok"], ok, "{place}: {}", line["error"]);
        if !ok {
            assert_eq!(line["fields"]["errors"][0], line["error"], "{place}");
        }
    }
    let unknown = edited("MESSAGE sip:", "X-NEW sip:");
    assert_eq!(unknown["status_owed"], 501);
    assert_eq!(unknown["error"]["what"], "method is not implemented");
    assert_eq!(
        edited("SIP/2.0\r\nVia", "SIP/3.0\r\nVia")["status_owed"],
        505
    );
    assert_eq!(edited("\r\nTo: ", "\nTo: ")["status_owed"], json!(null));
    assert_eq!(
        edited("MESSAGE sip:b@h", "MESSAGE sip:b@[h")["fields"]["request_uri"]["raw"],
        "sip:b@[h"
    );
}

/// Typed values of Contact; what is absent or malformed is left out, and stands in the parameters all the same.
#[test]
fn what_a_contact_says() {
    let bytes = request(
        "Contact: <sip:a@h>;expires=600000;q=0.85;reg-id=2;+sip.instance=\"<urn:x>\"\
         ;pub-gruu=\"sip:a@h;gr=1\";temp-gruu=\"sip:t@h;gr\";audio;+g.x=\"a,b\"\r\n\
         Contact: <sip:b@h>;expires=soon;q=2\r\n",
    );
    let line = json_of(&bytes);
    let contact = |place: usize| &line["fields"]["headers"]["Contact"][place]["value"][0];
    let full = contact(0);
    assert_eq!(full["expires"], 600_000);
    assert_eq!(full["q"], 0.85);
    assert_eq!(full["instance"], "<urn:x>");
    assert_eq!(full["reg_id"], "2");
    assert_eq!(full["pub_gruu"], "sip:a@h;gr=1");
    assert_eq!(full["temp_gruu"], "sip:t@h;gr");
    assert_eq!(
        full["features"],
        json!({"+sip.instance": "<urn:x>", "audio": null, "+g.x": "a,b"})
    );
    assert_eq!(full["params"].as_object().unwrap().len(), 8, "complete");
    let keys: Vec<&String> = contact(1).as_object().unwrap().keys().collect();
    assert_eq!(keys, ["params", "uri"]);
    assert_eq!(contact(1)["params"], json!({"expires": "soon", "q": "2"}));
    let tree = run(&["--datagram"], &bytes).stdout;
    for said in [
        "\n      expires    600000\n",
        "\n      q          0.85\n",
        "\n      features\n        +sip.instance  <urn:x>\n",
    ] {
        assert!(tree.contains(said), "{said}: {tree}");
    }
}

/// Header fields that contradict each other: the message is refused, and each of them is shown as it stands.
#[test]
fn a_message_that_contradicts_itself() {
    let bytes = request(
        "Contact: <sip:a@[::1>\r\nf: <sip:other@h>;tag=2\r\nCSeq: 2 MESSAGE\r\n\
         Content-Length: 2\r\nSubject: hello\r\n",
    );
    let bytes = [&bytes[..], b"hi, and more"].concat();
    let line = json_of(&bytes);
    let at = line["error"]["at"].as_u64().unwrap() as usize;
    assert!(bytes[at..].starts_with(b"<sip:other@h>"));
    assert_eq!(
        line["error"]["what"],
        "header field repeated with another value"
    );
    assert_eq!(
        (&line["ok"], &line["status_owed"]),
        (&json!(false), &json!(null)),
        "there is no telling which From an answer would have"
    );
    let fields = &line["fields"];
    assert_eq!(fields["errors"], json!([line["error"]]));
    assert_eq!(fields["method"], "MESSAGE");
    assert_eq!(fields["request_uri"]["user"], "b");
    let headers = &fields["headers"];
    let value = |name: &str, place: usize| &headers[name][place]["value"];
    assert_eq!(value("From", 0)["uri"]["user"], "a");
    assert_eq!(value("From", 1)["uri"]["user"], "other");
    assert_eq!(headers["From"][1]["name"], "f");
    assert_eq!(headers["From"][1]["at"], at);
    assert_eq!(
        (&value("CSeq", 0)["number"], &value("CSeq", 1)["number"]),
        (&json!(1), &json!(2))
    );
    let contact = &headers["Contact"][0]["error"];
    assert!(bytes[contact["at"].as_u64().unwrap() as usize..].starts_with(b"[::1>"));
    assert_eq!(*value("Content-Length", 0), 2);
    assert_eq!(*value("Subject", 0), "hello", "after the fault");
    assert_eq!(fields["body"]["text"], "hi");
    for (name, fields) in headers.as_object().unwrap() {
        for field in fields.as_array().unwrap() {
            let at = field["at"].as_u64().unwrap() as usize;
            let line = bytes[..at].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
            let own = field["name"].as_str().unwrap();
            assert!(bytes[line..].starts_with(own.as_bytes()), "{name} at {at}");
        }
    }

    let tree = run(&["--datagram"], &bytes).stdout;
    let errors = format!("  errors\n    header field repeated with another value at byte {at} (");
    assert!(tree.contains(&errors), "{tree}");

    let line = json_of(&fixture("torture/multi01.sip"));
    let headers = &line["fields"]["headers"];
    let twice = headers.as_object().unwrap().values();
    assert!(
        twice
            .clone()
            .any(|fields| fields.as_array().unwrap().len() > 1)
    );
    assert!(headers["From"].as_array().unwrap().len() > 1);
    assert!(!headers["Max-Forwards"][0]["value"].is_null());
}

/// [RFC 3261 18.3] What Content-Length says of the body, where it cannot be so: no body is shown whose end would
/// be a choice between two.
#[test]
fn bodies_that_are_not_as_long_as_they_say() {
    let with = |lines: &str| json_of(&[&request(lines)[..], b"hi, you"].concat());
    let short = with("Content-Length: 9\r\n");
    assert_eq!(
        short["error"]["what"],
        "body is shorter than Content-Length"
    );
    assert_eq!(short["fields"]["headers"]["Content-Length"][0]["value"], 9);
    assert_eq!(short["fields"]["headers"]["Call-ID"][0]["value"], "c");
    assert_eq!(short["fields"]["body"]["text"], "hi, you");
    assert_eq!(short["fields"]["errors"], json!([short["error"]]));

    let twice = with("l: 3\r\nContent-Length : 2\r\n");
    let lengths = &twice["fields"]["headers"]["Content-Length"];
    assert_eq!(
        (&lengths[0]["value"], &lengths[1]["value"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(lengths[0]["name"], "l");
    assert_eq!(lengths[1]["at"], twice["error"]["at"]);
    assert!(twice["fields"].get("body").is_none());

    let malformed = with("Content-Length: two\r\nSubject: s\r\n");
    let field = &malformed["fields"]["headers"]["Content-Length"][0];
    assert_eq!(field["error"], malformed["error"]);
    assert_eq!(field["raw"], "two");
    assert_eq!(malformed["fields"]["headers"]["Subject"][0]["value"], "s");
    assert!(malformed["fields"].get("body").is_none());
    assert!(
        malformed["fields"].get("errors").is_none(),
        "each fault once"
    );

    let notify = String::from_utf8(fixture("captures/A_basic/007_6060-5092_NOTIFY.sip")).unwrap();
    let cut = json_of(&notify.as_bytes()[..notify.len() - 20]);
    assert_eq!(cut["fields"]["body"]["kind"], "reginfo");
    assert_eq!(cut["fields"]["body"]["ok"], false);
    assert!(cut["fields"]["body"]["fields"]["registrations"].is_array());

    let lines = |types: [&str; 2]| types.map(|own| format!("c: {own}\r\n")).concat();
    let (reg, text) = ("application/reginfo+xml", "text/plain");
    for (types, is_document) in [
        ([reg, reg], true),
        ([reg, text], false),
        ([text, reg], false),
    ] {
        let body = with(&format!("l: 9\r\n{}", lines(types)))["fields"]["body"].clone();
        assert_eq!(body["kind"] == "reginfo", is_document, "{types:?}");
        assert_eq!(body["text"].is_string(), !is_document, "{types:?}");
    }

    let endless = run(&["--json"], &request("")).only_line();
    assert_eq!(endless["fields"]["headers"]["Call-ID"][0]["value"], "c");
    assert!(endless["fields"].get("body").is_none());
}

/// Lines that cannot be read end what is shown of a message.
#[test]
fn a_message_up_to_its_fault() {
    let whole = request("Subject: a\r\n b\r\nno colon here\r\nEvent: reg\r\n");
    let line = json_of(&whole);
    let at = line["error"]["at"].as_u64().unwrap() as usize;
    assert!(whole[at..].starts_with(b" colon here"));
    let headers = &line["fields"]["headers"];
    assert_eq!(headers["Max-Forwards"][0]["value"], 70);
    assert!(
        headers["Subject"][0]["value"]
            .as_str()
            .unwrap()
            .starts_with('a')
    );
    assert!(headers.get("Event").is_none());
    assert!(line["fields"].get("body").is_none());
    assert_eq!(line["fields"]["errors"], json!([line["error"]]));

    let whole = String::from_utf8(request("")).unwrap();
    let edited = |from: &str, to: &str| json_of(whole.replace(from, to).as_bytes());
    let bare = edited("\r\nTo: ", "\nTo: ");
    assert_eq!(bare["fields"]["method"], "MESSAGE");
    let names: Vec<&String> = bare["fields"]["headers"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(names, ["Via"]);
    let many = edited("Max-", &format!("{}Max-", "X-Any: y\r\n".repeat(300)));
    assert_eq!(
        many["fields"]["headers"]["X-Any"].as_array().unwrap().len(),
        256 - 5
    );

    let later = json_of(&[b"\r\n\r\n", &request("no colon\r\n")[..]].concat());
    let via = |line: &Value| line["fields"]["headers"]["Via"][0]["at"].as_u64();
    assert_eq!(via(&later), via(&line).map(|at| at + 4));

    let version = edited("SIP/2.0\r\n", "SIP/3.0\r\n");
    assert_eq!(
        version["fields"]["start_line"],
        json!({"raw": "MESSAGE sip:b@h SIP/3.0", "error": version["error"]})
    );
    assert_eq!(version["fields"]["headers"]["Call-ID"][0]["value"], "c");
    assert_eq!(json_of(b"BYE")["fields"], json!({}));
    assert_eq!(
        json_of(b"BYE sip:a SIP/2.0\nTo: a\r\n\r\n")["fields"],
        json!({})
    );
}

/// [RFC 3261 18.3] A datagram has one message, and says how much follows it; a stream has all of them.
#[test]
fn datagrams_and_streams() {
    let one = request("Content-Length: 2\r\n");
    let two = [&one[..], b"hi\r\n\r\n", &one, b"ho"].concat();
    let datagram = run(&["--json", "--datagram"], &two);
    assert_eq!(datagram.status, inspect::ALL_READABLE);
    let line = datagram.only_line();
    assert_eq!(
        (&line["at"], &line["left_over"]),
        (&json!(0), &json!(one.len() + 6))
    );

    for args in [
        &["--json"][..],
        &["--json", "-"],
        &["--json", "--stream", "-"],
    ] {
        let stream = run(args, &two);
        assert_eq!(stream.status, inspect::ALL_READABLE);
        let lines = stream.lines();
        let places: Vec<&Value> = lines.iter().map(|line| &line["at"]).collect();
        assert_eq!(places, [&json!(0), &json!(one.len() + 6)]);
        let texts: Vec<&Value> = lines.iter().map(|l| &l["fields"]["body"]["text"]).collect();
        assert_eq!(texts, [&json!("hi"), &json!("ho")]);
        assert!(
            lines
                .iter()
                .all(|line| line["left_over"] == 0 && line["file"] == "-")
        );
    }

    let cut = run(&["--json"], &two[..two.len() - 1]);
    assert_eq!(cut.status, inspect::NOT_READABLE);
    let lines = cut.lines();
    assert_eq!(
        (lines.len(), &lines[0]["ok"], &lines[1]["ok"]),
        (2, &json!(true), &json!(false))
    );
    let endless = run(&["--json"], &request(""));
    assert_eq!(
        endless.only_line()["error"]["what"],
        "no Content-Length on a stream"
    );
    assert_eq!(run(&["--json"], b"").only_line()["ok"], false);
    assert_eq!(run(&["--json"], b"\r\n\r\n").only_line()["ok"], false);
}

/// Every byte can be had again from the text, and none of it can move a terminal.
#[test]
fn text_loses_nothing() {
    let mut all: Vec<u8> = (1..=255).filter(|byte| !b"\r\n".contains(byte)).collect();
    all.extend("é\u{85}\u{fffd}x".as_bytes());
    let bytes = [
        &request("")[..request("").len() - 2],
        b"X-Any: x",
        &all,
        b"\r\n\r\n",
    ]
    .concat();
    let line = json_of(&bytes);
    let text = line["fields"]["headers"]["X-Any"][0]["value"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(unescaped(&text), [b"x", &all[..]].concat());
    assert!(
        text.contains("é\\xc2\\x85\u{fffd}x") && text.contains("[\\\\]"),
        "{text}"
    );
    let tree = run(&["--datagram"], &bytes).stdout;
    assert!(tree.contains(&text));
    assert!(tree.chars().all(|c| c == '\n' || !c.is_control()));
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = String::from_utf8(vec![*high, *low]).unwrap();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                tail
            }
            (other, tail) => {
                bytes.push(*other);
                tail
            }
        };
    }
    bytes
}

/// Fields of one name stand together, under the canonical name or, of an unknown one, the first spelling.
#[test]
fn fields_of_one_name() {
    let bytes =
        request("k: a, b\r\nx-one: 1\r\nSUPPORTED: c\r\nX-One: 2\r\nv: SIP/2.0/TCP [::1]:1\r\n");
    let headers = json_of(&bytes)["fields"]["headers"].clone();
    let values = |name: &str| -> Vec<Value> {
        let fields = headers[name].as_array().unwrap();
        fields.iter().map(|field| field["value"].clone()).collect()
    };
    assert_eq!(values("Supported"), [json!(["a", "b"]), json!(["c"])]);
    assert_eq!(values("x-one"), [json!("1"), json!("2")]);
    assert_eq!(headers["Supported"][1]["name"], "SUPPORTED");
    assert_eq!(headers["Via"][1]["value"][0]["host"], "::1");
    let params = request("Contact: \"A \\\"B\\\"\" <sip:a@h;x=1;X=2;x=3;y>;q=\"\\\\,;\"\r\n");
    let contact = json_of(&params)["fields"]["headers"]["Contact"][0]["value"][0].clone();
    assert_eq!(contact["display"], "A \"B\"");
    assert_eq!(
        contact["uri"]["params"],
        json!({"x": ["1", "2", "3"], "y": null})
    );
    assert_eq!(
        contact["params"],
        json!({"q": "\\\\,;"}),
        "a backslash as two"
    );
}

/// The tree: one line for each value, keys of one width, places on demand.
#[test]
fn the_tree() {
    let bytes = request("Supported: path, gruu\r\nContact: <sip:a@[::1]>;lr\r\n");
    let tree = run(&["--datagram", "--offsets"], &bytes).stdout;
    let expected = "\
-: sip, ok
  method  MESSAGE
  request_uri
    raw     sip:b@h
    scheme  sip
    user    b
    host    h
  headers
    Via @30
      transport  UDP
      host       192.0.2.1
      params
        branch  z9hG4bK1
    From @75
      uri
        raw     sip:a@h
        scheme  sip
        user    a
        host    h
      params
        tag  1
    To @96
      uri
        raw     sip:b@h
        scheme  sip
        user    b
        host    h
    Call-ID @116       c
    CSeq @125
      number  1
      method  MESSAGE
    Max-Forwards @150  70
    Supported @165     path, gruu
    Contact @186
      uri
        raw     sip:a@[::1]
        scheme  sip
        user    a
        host    ::1
      params
        lr  -
  body  -

";
    assert_eq!(tree, expected);
    let plain = run(&["--datagram"], &bytes).stdout;
    assert!(!plain.contains('@') || !plain.contains("Via @"));
    assert!(plain.contains("\n    Max-Forwards  70\n"));
    let refused = run(&["--datagram"], b"BYE\r\n\r\n").stdout;
    assert!(
        refused.starts_with("-: sip, not ok: neither a request line nor a status line at byte")
    );
}

/// In the tree, text stands line by line; of what is no text, the beginning.
#[test]
fn bodies_in_the_tree() {
    let tree_of = |body: &[u8]| run(&["--datagram"], &[&request("")[..], body].concat()).stdout;
    let sdp = tree_of(b"v=0\r\n\r\n  s=\\\r\na=\tb\r");
    let expected = "
  body
    length  19
    text
      v=0

        s=\\\\
      a=\\x09b\\x0d

";
    assert!(sdp.ends_with(expected), "{sdp}");
    assert!(tree_of(b"one line").ends_with("    text    one line\n\n"));
    let binary = |length: usize| tree_of(&[&[0, 255][..], &vec![b'x'; length - 2]].concat());
    let whole = format!("    text    \\x00\\xff{}\n\n", "x".repeat(254));
    assert!(binary(256).ends_with(&whole));
    let cut = format!(
        "    text    \\x00\\xff{} ... and 44 bytes more\n\n",
        "x".repeat(254)
    );
    assert!(binary(300).ends_with(&cut));
    let json = json_of(&[&request("")[..], &[0; 300]].concat());
    assert_eq!(
        json["fields"]["body"]["text"],
        "\\x00".repeat(300),
        "all of it"
    );
}

/// Exit status 2 is for trouble with files or arguments, whatever else was read.
#[test]
fn trouble() {
    let good = fixtures("sip", "sip");
    let good = good[0].to_str().unwrap();
    let missing = run(&["--json", "/no/such/file", good], b"");
    assert_eq!(missing.status, inspect::TROUBLE);
    assert!(missing.stderr.contains("/no/such/file"));
    let escape = run(&["/no/such\u{1b}[2J"], b"").stderr;
    assert!(escape.contains("/no/such\\x1b[2J"), "{escape}");
    assert_eq!(
        missing.lines().len(),
        1,
        "the other file is read all the same"
    );
    for args in [&["--jsn"][..], &["-x"], &["--stream", "--datagram"]] {
        let run = run(args, b"");
        assert_eq!((run.status, run.stdout.as_str()), (inspect::TROUBLE, ""));
        assert!(run.stderr.contains("--help"));
    }
    assert_eq!(
        run(&["--", "--json"], b"").status,
        inspect::TROUBLE,
        "a file of that name"
    );
}

/// The help names every option and key.
#[test]
fn help() {
    let help = run(&["--help"], b"");
    assert_eq!(
        (help.status, help.stderr.as_str()),
        (inspect::ALL_READABLE, "")
    );
    for word in [
        "--json",
        "--offsets",
        "--datagram",
        "--stream",
        "--help",
        "status_owed",
        "left_over",
        "fields",
        "\\xNN",
        "Exit status",
    ] {
        assert!(help.stdout.contains(word), "{word}");
    }
    assert!(help.stdout.lines().all(|line| line.len() <= 100));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [DR-4] Whatever is given, in either framing: lines of JSON, a tree without control characters, and the
    /// exit status of what is in them.
    #[test]
    fn any_bytes(
        which in 0usize..1_000,
        edits in prop::collection::vec((0usize..4_000, any::<u8>(), 0u8..4), 0..6),
        framing in prop::sample::select(vec!["--datagram", "--stream"]),
    ) {
        let mut files = fixtures("captures/A_basic", "sip");
        files.extend(fixtures("malformed", "xml"));
        files.extend(fixtures("sip", "sip"));
        let mut bytes = fs::read(&files[which % files.len()]).unwrap();
        for (place, byte, kind) in edits {
            let place = place % bytes.len().max(1);
            match kind {
                0 if !bytes.is_empty() => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => bytes.truncate(place),
                _ => bytes.extend_from_within(place..),
            }
        }
        let json = run(&["--json", framing], &bytes);
        let lines = json.lines();
        prop_assert!(!lines.is_empty());
        let all_ok = lines.iter().all(|line| line["ok"] == true);
        prop_assert_eq!(json.status, u8::from(!all_ok));
        for line in &lines {
            prop_assert_eq!(line["ok"] == true, line["error"].is_null());
            let at = line["at"].as_u64().unwrap() + line["error"]["at"].as_u64().unwrap_or(0);
            prop_assert!(at as usize <= bytes.len().max(65_535));
        }
        let tree = run(&["--offsets", framing], &bytes);
        prop_assert_eq!(tree.status, json.status);
        prop_assert!(tree.stdout.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
