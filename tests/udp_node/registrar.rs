//! The S-CSCF alone: what its registrar grants and refuses.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use md5::{Digest, Md5};
use serde_json::json;

use crate::{
    peer::{Peer, Register, status, values},
    process::{BOUND, Process, folder},
};

/// Bytes of a message, with its mark in Via nearly as many as may be: one packet has no room for it and a TCP header.
const LARGEST: usize = 65_500;

fn scscf(options: &[&str]) -> Process {
    let common = ["--listen", "127.0.0.1:0", "--domain", "ims.test"];
    Process::start("scscf", &[&common, options].concat())
}

/// Contacts of a 200, sorted.
fn granted(response: &str) -> Vec<&str> {
    assert_eq!(status(response), "200", "{response}");
    let mut contacts = values(response, "Contact");
    contacts.sort_unstable();
    contacts
}

/// [SD-7] Registered, refreshed, joined by a second contact and by two flows; asked, and left contact by contact.
#[test]
fn contacts_and_flows() {
    let mut scscf = scscf(&[]);
    let ue = Peer::ue();
    let address = &ue.address;
    let mut register = Register::new("alice", &ue);
    let mut ask = |cseq: u32, contact: &str, expires: u32| {
        (register.cseq, register.expires) = (cseq, expires);
        register.contact = contact.to_owned();
        ue.ask(&scscf.listen, &register.write(&ue))
    };
    let one = format!("<sip:alice@{address}>");
    let two = format!("<sip:alice2@{address};ob>;q=0.5");
    let flow =
        |id: u32| format!("<sip:alice3@{address};ob>;+sip.instance=\"<urn:uuid:1>\";reg-id={id}");
    let with = |contact: &str, expires: u32| format!("{contact};expires={expires}");
    assert_eq!(granted(&ask(1, &one, 600)), [with(&one, 600)]);
    assert_eq!(granted(&ask(2, &one, 700)), [with(&one, 700)]);
    let both = ask(3, &two, 700);
    assert_eq!(granted(&both), [with(&two, 700), with(&one, 700)]);
    assert_eq!(values(&both, "P-Associated-URI"), ["<sip:alice@ims.test>"]);
    assert_eq!(values(&both, "Service-Route").len(), 1);
    ask(4, &flow(1), 600);
    assert_eq!(granted(&ask(5, &flow(2), 600)).len(), 4);
    assert_eq!(granted(&ask(6, "", 600)).len(), 4);
    // One is removed and another renewed at once.
    let mixed = format!("{}, {}", with(&two, 0), with(&one, 800));
    assert_eq!(granted(&ask(7, &mixed, 600)).len(), 3);
    assert_eq!(granted(&ask(8, &flow(1), 0)).len(), 2);
    // What has gone is named once more, with an expiry of zero.
    let gone = ask(9, "*", 0);
    assert!(
        granted(&gone)
            .iter()
            .all(|contact| contact.ends_with(";expires=0"))
    );
    assert!(scscf.contacts().is_empty());
}

/// Bounds of the expiry: of the contact before that of the header, none, too short, too long.
#[test]
fn expiry() {
    let scscf = scscf(&[
        "--min-expires",
        "100",
        "--max-expires",
        "1000",
        "--default-expires",
        "500",
    ]);
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    let plain = register.contact.clone();
    for (cseq, own, general, expected) in [
        (1, Some(300), 200, Some(300)),
        (2, None, 200, Some(200)),
        (3, None, 2_000, Some(1_000)),
        (4, None, 99, None),
        (5, Some(1), 200, None),
        (6, None, 100, Some(100)),
    ] {
        (register.cseq, register.expires) = (cseq, general);
        register.contact = match own {
            Some(seconds) => format!("{plain};expires={seconds}"),
            None => plain.clone(),
        };
        let response = ue.ask(&scscf.listen, &register.write(&ue));
        match expected {
            Some(seconds) => {
                assert_eq!(granted(&response), [format!("{plain};expires={seconds}")]);
            }
            None => {
                assert_eq!(status(&response), "423");
                assert_eq!(values(&response, "Min-Expires"), ["100"]);
            }
        }
    }
    let silent = register.write(&ue).replace("Expires: 100\r\n", "");
    let silent = silent.replace("CSeq: 6", "CSeq: 7").replace("-6;", "-7;");
    let response = ue.ask(&scscf.listen, &silent);
    assert_eq!(granted(&response), [format!("{plain};expires=500")]);
}

/// RFC 3261 10.3 step 7: out of order within a Call-ID fails; the same request again is answered again.
#[test]
fn order_of_requests() {
    let mut scscf = scscf(&[]);
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    register.cseq = 5;
    let first = ue.ask(&scscf.listen, &register.write(&ue));
    granted(&first);
    let again = ue.ask(&scscf.listen, &register.write(&ue));
    assert_eq!(again, first);
    register.cseq = 4;
    let late = ue.ask(&scscf.listen, &register.write(&ue));
    assert_eq!(status(&late), "500");
    let other_branch = register.write(&ue).replace("CSeq: 4", "CSeq: 5");
    assert_eq!(status(&ue.ask(&scscf.listen, &other_branch)), "500");
    (register.cseq, register.expires) = (7, 0);
    granted(&ue.ask(&scscf.listen, &register.write(&ue)));
    // The first once more, long on its way: it does not bring back what has gone.
    (register.cseq, register.expires) = (5, 600);
    let late = ue.ask(&scscf.listen, &register.write(&ue));
    assert_eq!(status(&late), "500");
    assert!(scscf.contacts().is_empty());
    register.cseq = 8;
    granted(&ue.ask(&scscf.listen, &register.write(&ue)));
    let other_call = register.write(&ue).replace("call-of", "another-of");
    granted(&ue.ask(&scscf.listen, &other_call));
}

/// As many contacts as a set may have, in one REGISTER or in two, and no more; thousands are refused as one is.
#[test]
fn too_many_contacts() {
    let mut scscf = scscf(&[]);
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    let mut ask = |cseq: u32, first: usize, count: usize| {
        register.cseq = cseq;
        let contacts = (first..first + count).map(|one| format!("<sip:{one}@{}>", ue.address));
        let fields = contacts.collect::<Vec<_>>();
        let fields = fields.chunks(200).map(|some| some.join(","));
        register.contact = fields.collect::<Vec<_>>().join("\r\nContact: ");
        status(&ue.ask(&scscf.listen, &register.write(&ue))).to_owned()
    };
    assert_eq!(ask(1, 0, 17), "403");
    assert_eq!(ask(2, 0, 2_000), "403");
    assert_eq!(ask(3, 0, 16), "200");
    assert_eq!(ask(4, 16, 1), "403");
    assert_eq!(ask(5, 15, 1), "200");
    assert_eq!(scscf.contacts().len(), 16);
}

/// What is refused: a stranger, what is demanded and not known, a contact that is none, calls.
#[test]
fn refusals() {
    let scscf = scscf(&[]);
    let ue = Peer::ue();
    let register = Register::new("alice", &ue).write(&ue);
    let requires = register.replace("Supported: path", "Require: path, time-travel");
    let star = register.replace(&format!("<sip:alice@{}>", ue.address), "*");
    let call = register.replace("REGISTER", "INVITE");
    for (request, expected) in [
        (register.replace("ims.test", "other.test"), "403"),
        (requires.clone(), "420"),
        (star, "400"),
        (call, "405"),
        (register.replace("REGISTER", "OPTIONS"), "200"),
    ] {
        let response = ue.ask(&scscf.listen, &request);
        assert_eq!(status(&response), expected, "{request}{response}");
        assert!(values(&response, "To")[0].contains(";tag="), "{response}");
    }
    let response = ue.ask(&scscf.listen, &requires.replace("alice-1", "alice-2"));
    assert_eq!(values(&response, "Unsupported"), ["time-travel"]);
}

fn identities() -> String {
    let file = folder("udp_node_identities").join("identities.json");
    let identities = json!([{
        "private_identity": "alice_private@ims.test",
        "public_identities": ["sip:alice@ims.test", "tel:+12125550101", "sip:hidden@ims.test"],
        "barred": ["sip:hidden@ims.test"],
        "password": "secret",
    }]);
    fs::write(&file, identities.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn hash(text: &str) -> String {
    let mut md5 = Md5::new();
    md5.update(text);
    let bytes = md5.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The credentials of RFC 7616 3.4, written here anew.
fn authorization(challenge: &str, password: &str) -> String {
    let (_, nonce) = challenge.split_once("nonce=\"").unwrap();
    let (nonce, _) = nonce.split_once('"').unwrap();
    let user = "alice_private@ims.test";
    let secret = hash(&format!("{user}:ims.test:{password}"));
    let asked = hash("REGISTER:sip:ims.test");
    let response = hash(&format!("{secret}:{nonce}:00000001:c0ffee:auth:{asked}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"ims.test\", nonce=\"{nonce}\", \
         uri=\"sip:ims.test\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, \
         cnonce=\"c0ffee\"\r\n"
    )
}

/// [SD-2] With Digest: challenged, let in with the password, and neither in nor out without it. All identities of the
/// set that are not barred come with it.
#[test]
fn digest() {
    let file = identities();
    let mut scscf = scscf(&["--identities", &file, "--authentication", "digest"]);
    let ue = Peer::ue();
    let first = "Authorization: Digest username=\"alice_private@ims.test\", realm=\"ims.test\", \
                 uri=\"sip:ims.test\", nonce=\"\", response=\"\"\r\n";
    let ask = |cseq: u32, expires: u32, lines: &str| {
        let mut register = Register::new("alice", &ue);
        (register.cseq, register.expires, register.lines) = (cseq, expires, lines);
        ue.ask(&scscf.listen, &register.write(&ue))
    };
    let challenged = ask(1, 600, first);
    assert_eq!(status(&challenged), "401");
    let challenge = values(&challenged, "WWW-Authenticate")[0];
    let wrong = ask(2, 600, &authorization(challenge, "guessed"));
    assert_eq!(status(&wrong), "403");
    let right = authorization(challenge, "secret");
    let response = ask(3, 600, &right);
    assert_eq!(granted(&response).len(), 1);
    let associated = "<sip:alice@ims.test>, <tel:+12125550101>";
    assert_eq!(values(&response, "P-Associated-URI"), [associated]);
    assert_eq!(
        status(&ask(4, 600, &right.replace(challenge, "other"))),
        "200"
    );
    let stale = right.replace("nonce=\"", "nonce=\"0");
    assert_eq!(status(&ask(5, 600, &stale)), "403");
    // Nobody goes without the password either.
    assert_eq!(status(&ask(6, 0, first)), "401");
    let guessed = authorization(challenge, "guessed");
    assert_eq!(status(&ask(7, 0, &guessed)), "403");
    assert_eq!(status(&ask(8, 0, &right)), "200");
    assert_eq!(scscf.event("deregistered")["cause"], "user");
}

/// [SD-2] With Digest, an element of the core that the configuration names ends the registration of a user whom it has
/// authenticated, and without credentials; one that is not named, and says the same, is challenged.
#[test]
fn an_element_that_authenticates() {
    let file = identities();
    let [named, other] = [Peer::of_core(), Peer::of_core()];
    let options = ["--identities", &file, "--authentication", "digest"];
    let trusts = ["--trust", "127.0.0.3", "--authenticates", &named.address];
    let mut scscf = scscf(&[options, trusts].concat());
    let listen = scscf.listen.clone();
    let mark = "Authorization: Digest username=\"alice_private@ims.test\", realm=\"ims.test\", \
                uri=\"sip:ims.test\", nonce=\"\", response=\"\", integrity-protected=\"auth-done\"\r\n";
    let unmarked = mark.replace(", integrity-protected=\"auth-done\"", "");
    for (element, is_named, cseq) in [(&other, false, 1), (&named, true, 5)] {
        let path = format!("Path: <sip:term@{};lr>\r\n", element.address);
        let ask = |cseq: u32, expires: u32, authorization: &str| {
            let lines = [path.as_str(), authorization].concat();
            let mut register = Register::new("alice", element);
            register.lines = &lines;
            (register.cseq, register.expires) = (cseq, expires);
            element.ask(&listen, &register.write(element))
        };
        let challenged = ask(cseq, 600, &unmarked);
        let right = authorization(values(&challenged, "WWW-Authenticate")[0], "secret");
        assert_eq!(granted(&ask(cseq + 1, 600, &right)).len(), 1);
        let response = ask(cseq + 2, 0, mark);
        let (expected, left) = if is_named { ("200", 0) } else { ("401", 1) };
        assert_eq!(status(&response), expected, "{response}");
        assert_eq!(scscf.contacts().len(), left);
        if !is_named {
            assert_eq!(status(&ask(cseq + 3, 0, &right)), "200");
        }
        assert_eq!(scscf.event("deregistered")["cause"], "user");
        // What the other one sent is suspicious, both times; of the one that is named, nothing is.
        scscf.command(&json!({"command": "statistics"}));
        let counted = &scscf.event("statistics")["node"];
        assert_eq!(
            (&counted["suspicious"], &counted["denied"]),
            (&json!(2), &json!(0))
        );
    }
}

/// A stranger to the file, and an identity that is another's, may not register.
#[test]
fn whom_the_file_does_not_know() {
    let file = identities();
    let scscf = scscf(&["--identities", &file]);
    let ue = Peer::ue();
    let alice = "Authorization: Digest username=\"alice_private@ims.test\", realm=\"ims.test\", \
                 uri=\"sip:ims.test\", nonce=\"\", response=\"\"\r\n";
    for (user, lines, expected) in [
        ("alice", "", "403"),
        ("alice", alice, "200"),
        ("hidden", alice, "200"),
        ("bob", alice, "403"),
    ] {
        let mut register = Register::new(user, &ue);
        register.lines = lines;
        let response = ue.ask(&scscf.listen, &register.write(&ue));
        assert_eq!(status(&response), expected, "{user}: {response}");
    }
}

/// Over TCP, in pieces, with keep-alives between: each message is found and answered on its connection.
#[test]
fn a_stream_in_pieces() {
    let scscf = scscf(&[]);
    let mut stream = TcpStream::connect(&scscf.listen).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.set_nodelay(true).unwrap();
    let address = stream.local_addr().unwrap().to_string();
    let ue = Peer::ue();
    let requests: Vec<String> = (1..=3)
        .map(|cseq| {
            let mut register = Register::new("alice", &ue);
            register.cseq = cseq;
            register.write_over("TCP", &address)
        })
        .collect();
    let all = format!("{}\r\n\r\n{}{}", requests[0], requests[1], requests[2]);
    for piece in all.as_bytes().chunks(97) {
        stream.write_all(piece).unwrap();
    }
    let mut received = String::new();
    let mut buffer = [0; 4_096];
    while received.matches("\r\n\r\n").count() < 3 {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "closed after {received}");
        received.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert_eq!(received.matches("SIP/2.0 200 OK").count(), 3);
    // The keep-alive is answered between any two of them.
    let pongs = received.matches("\r\n\r\n\r\nSIP").count();
    assert_eq!(
        pongs + usize::from(received.starts_with("\r\n")),
        1,
        "{received}"
    );
}

/// A message as large as it may be, over TCP, is answered, and stands in the capture in segments as they go over Ethernet.
#[test]
fn a_message_of_the_largest_size() {
    let capture = folder("udp_node_largest").join("capture.pcap");
    let scscf = scscf(&["--pcap", capture.to_str().unwrap()]);
    let mut stream = TcpStream::connect(&scscf.listen).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let address = stream.local_addr().unwrap().to_string();
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    let long = format!("X-Long: {}\r\n", "y".repeat(16_000)).repeat(4);
    let padding = |length: usize| format!("{long}X-Rest: {}\r\n", "z".repeat(length));
    let shortest = padding(0);
    register.lines = &shortest;
    let missing = LARGEST - register.write_over("TCP", &address).len();
    let filled = padding(missing);
    register.lines = &filled;
    let request = register.write_over("TCP", &address);
    assert_eq!(request.len(), LARGEST);
    stream.write_all(request.as_bytes()).unwrap();
    let mut buffer = [0; 4_096];
    let length = stream.read(&mut buffer).unwrap();
    assert!(buffer[..length].starts_with(b"SIP/2.0 200 OK\r\n"));
    assert!(scscf.quit());
    let file = fs::read(capture).unwrap();
    let (mut packets, mut longest, mut sum) = (&file[24..], 0, 0);
    while let Some((head, rest)) = packets.split_at_checked(16) {
        let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        longest = longest.max(length);
        // IP and TCP have headers of 20 bytes each.
        sum += length - 40;
        packets = &rest[length..];
    }
    assert_eq!(longest, 1_500);
    assert!(sum >= LARGEST, "{sum}");
}

/// [SD-1] Whoever pretends to be a P-CSCF, from an address that is not trusted, removes nobody, and is reported.
#[test]
fn a_pretended_pcscf() {
    let mut scscf = scscf(&[]);
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    register.lines = "Path: <sip:term@127.0.0.2:5070;lr>\r\n";
    granted(&ue.ask(&scscf.listen, &register.write(&ue)));
    register.lines = "P-Asserted-Identity: <sip:127.0.0.2:5070>\r\n";
    (register.cseq, register.expires) = (2, 0);
    let response = ue.ask(&scscf.listen, &register.write(&ue));
    assert_eq!(status(&response), "403");
    scscf.event("suspicious_deregistration");
    assert_eq!(scscf.contacts().len(), 1);
}

/// RFC 3261 18.2.1 and 18.2.2: the answer goes where the request came from, to the port that its Via names, and says so.
#[test]
fn where_the_answer_goes() {
    let scscf = scscf(&[]);
    let ue = Peer::ue();
    let (ip, port) = ue.address.split_once(':').unwrap();
    let register = Register::new("alice", &ue).write(&ue);
    let start = register.find("UDP").unwrap();
    let end = start + register[start..].find("\r\n").unwrap();
    for (host, mark) in [
        ("phone.example", format!(";received={ip}")),
        (ip, String::new()),
    ] {
        let via = format!("UDP {host}:{port};branch=z9hG4bK-{host}");
        let forged = format!("{via};received=192.0.2.9");
        let register = [&register[..start], &forged, &register[end..]].concat();
        // Over another socket: not the port that the request came from counts, but that of the Via.
        Peer::ue().send(&scscf.listen, &register);
        let response = ue.receive();
        assert_eq!(values(&response, "Via"), [format!("SIP/2.0/{via}{mark}")]);
    }
}

/// [DR-7] Time goes on while nobody runs: what ran out meanwhile is over at the start.
#[test]
fn a_registration_that_runs_out_meanwhile() {
    let store = folder("udp_node_meanwhile");
    let options = ["--min-expires", "1", "--persist", store.to_str().unwrap()];
    let first = scscf(&options);
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    register.expires = 1;
    granted(&ue.ask(&first.listen, &register.write(&ue)));
    first.kill();
    thread::sleep(Duration::from_millis(1_200));
    let mut second = scscf(&options);
    assert!(second.contacts().is_empty());
    assert_eq!(second.event("deregistered")["cause"], "expired");
}

/// A command that is not quite right does not become another one: it is refused, and nobody is deregistered.
#[test]
fn what_is_no_command() {
    let mut scscf = scscf(&[]);
    let ue = Peer::ue();
    granted(&ue.ask(&scscf.listen, &Register::new("alice", &ue).write(&ue)));
    for (field, value, why) in [
        (
            "public_identity",
            json!(5),
            "\"public_identity\" is not a text",
        ),
        (
            "public_identity",
            json!(null),
            "\"public_identity\" is not a text",
        ),
        (
            "publicidentity",
            json!("sip:alice@ims.test"),
            "network_deregister takes no \"publicidentity\"",
        ),
        ("everybody", json!("true"), "\"everybody\" is not a boolean"),
        (
            "everybody",
            json!(false),
            "network_deregister needs a \"public_identity\"",
        ),
    ] {
        scscf.command(&json!({
            "command": "network_deregister", "reason": "maintenance", field: value,
        }));
        assert_eq!(scscf.event("refused")["why"], why);
    }
    let everybody = json!({
        "command": "network_deregister", "reason": "maintenance", "everybody": true,
        "public_identity": "sip:alice@ims.test",
    });
    scscf.command(&everybody);
    scscf.event("refused");
    assert_eq!(scscf.contacts().len(), 1);
    scscf.command(&json!({
        "command": "network_deregister", "reason": "maintenance", "everybody": true,
    }));
    scscf.event("deregistered");
    assert!(scscf.contacts().is_empty());
}

/// A line that is no text, and one that has no end, are refused; the commands after them are carried out.
#[test]
fn a_line_that_is_none() {
    let mut scscf = scscf(&[]);
    for (line, why) in [
        (b"{\"command\":\"\xff\"}\n".to_vec(), "not UTF-8"),
        ([&vec![b' '; 200_000][..], b"\n"].concat(), "too long"),
    ] {
        scscf.raw(&line);
        assert_eq!(scscf.event("refused")["why"], why);
        assert!(scscf.contacts().is_empty());
    }
}

/// [DR-7] Killed after a contact has gone at the node, and before the registrar's file says so: it has gone.
#[test]
fn a_binding_that_the_node_has_not() {
    let store = folder("udp_node_bindings");
    let options = ["--persist", store.to_str().unwrap()];
    let mut first = scscf(&options);
    let ue = Peer::ue();
    let mut register = Register::new("alice", &ue);
    let (one, two) = (
        register.contact.clone(),
        format!("<sip:other@{}>", ue.address),
    );
    register.contact = format!("{one}, {two}");
    granted(&ue.ask(&first.listen, &register.write(&ue)));
    let file = fs::read_dir(store.join("registrar"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let before = fs::read(&file).unwrap();
    (register.cseq, register.expires, register.contact) = (2, 0, two);
    granted(&ue.ask(&first.listen, &register.write(&ue)));
    first.event("deregistered");
    // By the time of the next REGISTER, the node has told that it has gone, and does not tell it again.
    (register.cseq, register.expires, register.contact) = (3, 600, one.clone());
    granted(&ue.ask(&first.listen, &register.write(&ue)));
    first.kill();
    fs::write(&file, before).unwrap();
    let mut second = scscf(&options);
    assert_eq!(second.contacts(), [one.trim_matches(['<', '>'])]);
}

/// A connection over which nothing comes is closed; keep-alives keep it open.
#[test]
fn an_idle_connection() {
    let scscf = scscf(&["--idle-timeout", "1"]);
    let connect = || {
        let stream = TcpStream::connect(&scscf.listen).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream
    };
    let (mut idle, mut alive) = (connect(), connect());
    let mut pong = [0; 2];
    for _ in 0..4 {
        alive.write_all(b"\r\n\r\n").unwrap();
        alive.read_exact(&mut pong).unwrap();
        thread::sleep(Duration::from_millis(400));
    }
    assert_eq!(idle.read(&mut pong).unwrap(), 0);
    alive.write_all(b"\r\n\r\n").unwrap();
    alive.read_exact(&mut pong).unwrap();
}

/// [DR-7] What is damaged in a store is set aside, and everybody else is there after a start.
#[test]
fn a_damaged_store() {
    let store = folder("udp_node_damaged_store");
    let options = ["--persist", store.to_str().unwrap()];
    let first = scscf(&options);
    let ue = Peer::ue();
    for user in ["alice", "bob", "carol"] {
        granted(&ue.ask(&first.listen, &Register::new(user, &ue).write(&ue)));
    }
    first.kill();
    let files = |part: &str| {
        let files = fs::read_dir(store.join(part)).unwrap();
        files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    let machine = files("machines").pop().unwrap();
    let mut bytes = fs::read(&machine).unwrap();
    // Of the blob, which stands at the end.
    bytes.last_mut().into_iter().for_each(|byte| *byte ^= 0xff);
    fs::write(&machine, bytes).unwrap();
    fs::write(files("registrar").pop().unwrap(), "\u{ff}").unwrap();
    let mut second = scscf(&options);
    let left = second.contacts().len();
    assert!((1..=2).contains(&left), "{left}");
    for part in ["machines", "registrar"] {
        let aside = files(part);
        assert!(
            aside
                .iter()
                .any(|path| path.extension().is_some_and(|it| it == "damaged")),
            "{part}"
        );
    }
    for user in ["alice", "bob", "carol"] {
        let mut again = Register::new(user, &ue);
        again.cseq = 2;
        granted(&ue.ask(&second.listen, &again.write(&ue)));
    }
    assert_eq!(second.contacts().len(), 3);
}

/// [SD-6] A user who is to authenticate anew and does not is gone, and its time says so before.
#[test]
fn reauthentication() {
    let mut scscf = scscf(&[]);
    let ue = Peer::ue();
    granted(&ue.ask(&scscf.listen, &Register::new("alice", &ue).write(&ue)));
    let order = json!({
        "command": "reauthenticate", "public_identity": "sip:alice@ims.test", "expires": 1,
    });
    scscf.command(&order);
    scscf.command(&json!({"command": "list"}));
    let left = &scscf.event("list")["registrations"][0]["expires"];
    assert!(left.as_u64().unwrap_or(0) <= 1, "{left}");
    assert_eq!(scscf.event("deregistered")["cause"], "not_reauthenticated");
    scscf.command(&json!({"command": "reauthenticate", "public_identity": "sip:bob@ims.test"}));
    assert_eq!(scscf.event("refused")["command"], "reauthenticate");
}
