//! The P-CSCF alone, between a UE and a core that the test plays: what it passes on, and what it changes in it.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::json;

use crate::{
    peer::{Peer, Register, refuses_what_is_forged, status, values},
    process::{BOUND, Process, folder},
};

pub struct Between {
    pub ue: Peer,
    pub core: Peer,
    pub pcscf: Process,
}

impl Between {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(more: &[&str]) -> Self {
        Self::at("127.0.0.1:0", more)
    }

    pub fn at(listen: &str, more: &[&str]) -> Self {
        Self::of(listen, Peer::ue(), Peer::of_core(), more)
    }

    fn of(listen: &str, ue: Peer, core: Peer, more: &[&str]) -> Self {
        let options = [
            "--listen",
            listen,
            "--domain",
            "visited.test",
            "--next-hop",
            &core.address,
            "--reg-event",
            "off",
        ];
        let pcscf = Process::start("pcscf", &[&options, more].concat());
        Self { ue, core, pcscf }
    }

    /// A request of the UE, as it arrives at the core.
    pub fn up(&self, request: &str) -> String {
        self.ue.send(&self.pcscf.listen, request);
        self.core.receive()
    }

    /// A request of the core, as it arrives at the UE.
    pub fn down(&self, request: &str) -> String {
        self.core.send(&self.pcscf.listen, request);
        self.ue.receive()
    }

    /// The UE registers. The REGISTER as it arrives at the core.
    pub fn register(&mut self) -> String {
        self.register_with(1, "")
    }

    /// The same, with that sequence number and these lines in its 200.
    pub fn register_with(&mut self, cseq: u32, lines: &str) -> String {
        let mut register = Register::new("alice", &self.ue);
        register.cseq = cseq;
        let request = self.up(&register.write(&self.ue));
        let granted = format!(
            "P-Associated-URI: <sip:alice@ims.test>\r\n\
             P-Charging-Vector: icid-value=1\r\n{lines}"
        );
        self.core
            .send(&self.pcscf.listen, &response(&request, "200 OK", &granted));
        let back = self.ue.receive();
        assert_eq!(status(&back), "200");
        assert!(values(&back, "P-Charging-Vector").is_empty());
        assert_eq!(values(&back, "Via").len(), 1);
        self.pcscf.event("registered");
        self.core.pass_over(&request);
        request
    }

    /// The user part of its Path.
    pub fn token(register: &str) -> &str {
        let path = values(register, "Path")[0];
        path.strip_prefix("<sip:")
            .unwrap()
            .split_once('@')
            .unwrap()
            .0
    }
}

/// A response to a request, with more lines.
pub fn response(request: &str, status: &str, lines: &str) -> String {
    let copied = ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Path"];
    let mut response = format!("SIP/2.0 {status}\r\n");
    for name in copied {
        for value in values(request, name) {
            let expires = if name == "Contact" {
                ";expires=600"
            } else {
                ""
            };
            response.push_str(&format!("{name}: {value}{expires}\r\n"));
        }
    }
    format!("{response}{lines}Content-Length: 0\r\n\r\n")
}

/// Another request, of a UE or for one, in a transaction of its own.
pub fn request(method: &str, from: &Peer, lines: &str) -> String {
    static TRANSACTIONS: AtomicU32 = AtomicU32::new(0);
    let number = TRANSACTIONS.fetch_add(1, Ordering::Relaxed);
    format!(
        "{method} sip:bob@ims.test SIP/2.0\r\n\
         Via: SIP/2.0/UDP {};branch=z9hG4bK-other{number}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@ims.test>;tag=1\r\n\
         To: <sip:bob@ims.test>\r\n\
         Call-ID: other\r\n\
         CSeq: 1 {method}\r\n\
         {lines}Content-Length: 0\r\n\r\n",
        from.address
    )
}

/// [PD-11] A REGISTER: what a UE may not say is not passed on, what the P-CSCF vouches for is.
#[test]
fn a_register_is_passed_on() {
    let mut between = Between::new();
    let mut register = Register::new("alice", &between.ue);
    let lines = format!(
        "Route: <sip:{};lr>\r\n\
                      P-Asserted-Identity: <sip:boss@ims.test>\r\n\
                      P-Visited-Network-ID: forged\r\n\
                      P-Charging-Vector: icid-value=forged\r\n\
                      Path: <sip:forged@elsewhere.test;lr>\r\n\
                      X-Other: kept\r\n",
        between.pcscf.listen
    );
    register.lines = &lines;
    let sent = register.write(&between.ue);
    let request = between.up(&sent);
    let listen = &between.pcscf.listen;
    assert!(values(&request, "P-Asserted-Identity").is_empty());
    assert!(values(&request, "Route").is_empty());
    assert_eq!(
        values(&request, "P-Visited-Network-ID"),
        ["\"visited.test\""]
    );
    assert_eq!(values(&request, "X-Other"), ["kept"]);
    assert_eq!(values(&request, "Max-Forwards"), ["69"]);
    assert_eq!(values(&request, "Require"), ["path"]);
    let path = values(&request, "Path");
    assert_eq!(path.len(), 1);
    assert!(path[0].ends_with(&format!("@{listen};lr>")), "{path:?}");
    let charging = values(&request, "P-Charging-Vector");
    assert!(charging.len() == 1 && charging[0].ends_with("orig-ioi=visited.test"));
    let vias = values(&request, "Via");
    assert!(vias[0].starts_with(&format!("SIP/2.0/UDP {listen};branch=z9hG4bK")));
    let (ip, port) = between.ue.address.split_once(':').unwrap();
    assert!(
        vias[1].ends_with(&format!(";received={ip};rport={port}")),
        "{vias:?}"
    );
    // It comes again: that is between the UE and the P-CSCF. What goes again to the core is the same.
    between.ue.send(listen, &sent);
    assert_eq!(between.core.receive(), request);
    // A refusal goes back, and nobody is registered.
    let refusal = response(&request, "403 Forbidden", "");
    between.core.send(listen, &refusal);
    assert_eq!(status(&between.ue.receive()), "403");
    assert!(between.pcscf.contacts().is_empty());
}

/// A UE that is registered speaks under its identity, and no other; one that is not does not speak at all.
#[test]
fn a_request_of_a_ue() {
    let mut between = Between::new();
    let forged = "P-Asserted-Identity: <sip:boss@ims.test>\r\n";
    let message = request("MESSAGE", &between.ue, forged);
    let refused = between.ue.ask(&between.pcscf.listen, &message);
    assert_eq!(status(&refused), "403");
    assert!(values(&refused, "To")[0].contains(";tag="), "{refused}");
    assert_eq!(between.ue.ask(&between.pcscf.listen, &message), refused);
    between.register();
    let listen = between.pcscf.listen.clone();
    let routes = format!(
        "Route: <sip:{listen};lr>, <sip:orig@{};lr>\r\n",
        between.core.address
    );
    let passed = between.up(&request(
        "MESSAGE",
        &between.ue,
        &format!("{forged}{routes}"),
    ));
    assert_eq!(
        values(&passed, "P-Asserted-Identity"),
        ["<sip:alice@ims.test>"]
    );
    assert_eq!(
        values(&passed, "Route"),
        [format!("<sip:orig@{};lr>", between.core.address)]
    );
    assert!(values(&passed, "Record-Route").is_empty());
    between
        .core
        .send(&listen, &response(&passed, "202 Accepted", ""));
    assert_eq!(status(&between.ue.receive()), "202");
}

/// TS 24.229 4.4, RFC 3325 7: what the core says to itself goes to no UE, in a request as in a response, and the identity of
/// whoever wants to be unknown neither.
#[test]
fn what_a_ue_is_not_told() {
    let mut between = Between::new();
    let register = between.register();
    let token = Between::token(&register).to_owned();
    let listen = between.pcscf.listen.clone();
    let of_core = "P-Charging-Vector: icid-value=1;orig-ioi=ims.test\r\n\
                   P-Charging-Function-Addresses: ccf=192.0.2.7\r\n\
                   P-Served-User: <sip:alice@ims.test>;sescase=term\r\n\
                   P-Profile-Key: <sip:!.*!@ims.test>\r\n\
                   P-User-Database: <aaa://hss.ims.test>\r\n";
    let identity = "<sip:carol@ims.test>";
    for (privacy, is_told) in [
        ("", true),
        ("Privacy: none\r\n", true),
        ("Privacy: id\r\n", false),
        ("Privacy: header; ID; critical\r\n", false),
        ("Privacy: @id\r\n", false),
    ] {
        let lines = format!(
            "{of_core}{privacy}P-Asserted-Identity: {identity}\r\nP-Called-Party-ID: <sip:a@b>\r\n"
        );
        let route = format!("Route: <sip:{token}@{listen};lr>\r\n{lines}");
        let request_told = between.down(&request("MESSAGE", &between.core, &route));
        between
            .ue
            .send(&listen, &response(&request_told, "200 OK", ""));
        between.core.receive();
        let passed = between.up(&request("MESSAGE", &between.ue, ""));
        let answer = response(&passed, "202 Accepted", &lines);
        between.core.send(&listen, &answer);
        for told in [request_told, between.ue.receive()] {
            for name in [
                "P-Charging-Vector",
                "P-Charging-Function-Addresses",
                "P-Served-User",
                "P-Profile-Key",
                "P-User-Database",
                "Route",
            ] {
                assert!(values(&told, name).is_empty(), "{told}");
            }
            let expected = [identity];
            let expected = if is_told { &expected[..] } else { &[] };
            assert_eq!(values(&told, "P-Asserted-Identity"), expected, "{told}");
            assert_eq!(values(&told, "P-Called-Party-ID").len(), 1);
        }
    }
}

/// TS 24.229 5.2.6.3: what a UE begins goes on with a charging vector of ours, another one each time, and never the UE's.
#[test]
fn a_charging_vector() {
    let mut between = Between::new();
    let register = between.register();
    let mut vectors = vec![values(&register, "P-Charging-Vector")[0].to_owned()];
    let forged = "P-Charging-Vector: icid-value=forged\r\n";
    for _ in 0..2 {
        let passed = between.up(&request("MESSAGE", &between.ue, forged));
        let [vector] = values(&passed, "P-Charging-Vector")[..] else {
            panic!("{passed}");
        };
        assert!(vector.ends_with(";orig-ioi=visited.test"), "{vector}");
        assert!(!vectors.iter().any(|one| one == vector), "{vector}");
        vectors.push(vector.to_owned());
    }
    let within = request("MESSAGE", &between.ue, forged);
    let within = within.replace("To: <sip:bob@ims.test>", "To: <sip:bob@ims.test>;tag=2");
    assert!(values(&between.up(&within), "P-Charging-Vector").is_empty());
}

/// The same request, within a dialog.
pub fn within(request: &str) -> String {
    request.replace("To: <sip:bob@ims.test>", "To: <sip:bob@ims.test>;tag=2")
}

/// RFC 3608, TS 24.229 5.2.6.3: what a UE begins takes the Service-Route of its last registration, whatever route it has
/// chosen; what it sends within a dialog takes that of the dialog.
#[test]
fn a_service_route() {
    let store = folder("udp_node_service_route");
    let options = ["--persist", store.to_str().unwrap()];
    let mut between = Between::with(&options);
    let scscf = Peer::of_core();
    let first = format!("<sip:orig@{};lr>", scscf.address);
    let line = format!("Service-Route: {first}\r\nService-Route: <sip:second@ims.test;lr>\r\n");
    between.register_with(1, &line);
    let expected = format!("{first}, <sip:second@ims.test;lr>");
    let stranger = Peer::ue();
    let chosen = format!(
        "Route: <sip:{};lr>, <sip:{};lr>\r\nRoute: <sip:third@{};lr>\r\n",
        between.pcscf.listen, stranger.address, between.core.address
    );
    for routes in ["", chosen.as_str()] {
        let begun = request("INVITE", &between.ue, routes);
        between.ue.send(&between.pcscf.listen, &begun);
        assert_eq!(status(&between.ue.receive()), "100");
        let passed = scscf.receive();
        assert_eq!(values(&passed, "Route"), [expected.as_str()]);
        let busy = response(&passed, "486 Busy Here", "");
        assert!(scscf.ask(&between.pcscf.listen, &busy).starts_with("ACK "));
        assert_eq!(status(&between.ue.receive()), "486");
        let ack = begun.replace("INVITE", "ACK");
        between.ue.send(&between.pcscf.listen, &ack);
    }
    let begun = request("SUBSCRIBE", &between.ue, "");
    between.ue.send(&between.pcscf.listen, &begun);
    let own = values(&scscf.receive(), "Record-Route")[0].to_owned();
    let dialog = format!("<sip:dialog@{};lr>", between.core.address);
    let bye = format!("Route: {own}, {dialog}\r\n");
    let bye = within(&request("BYE", &between.ue, &bye));
    assert_eq!(values(&between.up(&bye), "Route"), [dialog]);

    // It outlives the program, and lasts until the next registration says something else, or too much.
    between.pcscf.kill();
    let started = Between::with(&options);
    let mut between = Between {
        ue: between.ue,
        ..started
    };
    let message = |between: &Between| request("MESSAGE", &between.ue, "");
    between.ue.send(&between.pcscf.listen, &message(&between));
    assert_eq!(values(&scscf.receive(), "Route"), [expected.as_str()]);
    let long = format!("Service-Route: <sip:{}@ims.test;lr>\r\n", "x".repeat(1_024));
    between.register_with(2, "");
    let passed = between.up(&message(&between));
    assert!(values(&passed, "Route").is_empty());
    // A 503 of the core may be none of whoever is before it (RFC 3261 16.7 step 6).
    let busy = response(&passed, "503 Service Unavailable", "");
    between.core.send(&between.pcscf.listen, &busy);
    assert!(
        between
            .ue
            .receive()
            .starts_with("SIP/2.0 500 Server Internal Error\r\nVia: ")
    );
    between.register_with(3, &line);
    // Without the way that it was given it has none.
    let mut register = Register::new("alice", &between.ue);
    register.cseq = 4;
    let passed = between.up(&register.write(&between.ue));
    let granted = response(&passed, "200 OK", &long);
    between.core.send(&between.pcscf.listen, &granted);
    assert_eq!(status(&between.ue.receive()), "200");
    between.pcscf.event("service_route_too_long");
    let refused = between.ue.ask(&between.pcscf.listen, &message(&between));
    assert_eq!(status(&refused), "403");
}

/// A response that it has not asked for goes nowhere, whoever sends it (RFC 3261 16.11: the branch is checked).
#[test]
fn a_forged_response() {
    let mut between = Between::new();
    let passed = between.register();
    for peer in [&between.core, &between.ue] {
        assert!(refuses_what_is_forged(&between.pcscf.listen, peer, &passed));
    }
}

/// What came over UDP may leave out how long it is. Over TCP it says so, as it may go that way next.
#[test]
fn a_request_that_does_not_say_its_length() {
    let mut between = Between::new();
    between.register();
    let body = "y".repeat(1_300);
    let message = request("MESSAGE", &between.ue, "");
    let message = message.replace("Content-Length: 0\r\n\r\n", &format!("\r\n{body}"));
    let core = TcpListener::bind(&between.core.address).unwrap();
    between.ue.send(&between.pcscf.listen, &message);
    let (mut stream, _) = core.accept().unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut passed = String::new();
    while !passed.ends_with(&body) {
        let mut buffer = [0; 4_096];
        let length = stream.read(&mut buffer).unwrap();
        passed.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert_eq!(values(&passed, "Content-Length"), ["1300"]);
}

/// RFC 3261 16.3 step 5: what it is to support and does not is refused, to the UE and to the core.
#[test]
fn what_a_proxy_is_to_support() {
    let mut between = Between::new();
    between.register();
    let listen = &between.pcscf.listen;
    for peer in [&between.ue, &between.core] {
        let refused = peer.ask(listen, &request("MESSAGE", peer, "Proxy-Require: x\r\n"));
        assert_eq!(status(&refused), "420");
        assert_eq!(values(&refused, "Unsupported"), ["x"]);
    }
}

/// Two UEs behind one address: each speaks under its own identity.
#[test]
fn two_ues_over_one_flow() {
    let mut between = Between::new();
    between.register();
    let other = Register::new("bob", &between.ue).write(&between.ue);
    let passed = between.up(&other);
    let granted = "P-Associated-URI: <sip:bob@ims.test>\r\n";
    between
        .core
        .send(&between.pcscf.listen, &response(&passed, "200 OK", granted));
    between.ue.receive();
    for user in ["alice", "bob", "alice"] {
        let contact = format!("Contact: <sip:{user}@{}>\r\n", between.ue.address);
        let passed = between.up(&request("SUBSCRIBE", &between.ue, &contact));
        let expected = format!("<sip:{user}@ims.test>");
        assert_eq!(values(&passed, "P-Asserted-Identity"), [expected]);
    }
}

/// Several UEs behind one address, and a request that does not say in its Contact whose it is: its P-Preferred-Identity or
/// its From tells, and if they do not, nobody is vouched for.
#[test]
fn who_speaks_over_a_flow() {
    let mut between = Between::new();
    between.register();
    let granted = "P-Associated-URI: <sip:bob@ims.test>, <tel:+12125550102>\r\n";
    let passed = between.up(&Register::new("bob", &between.ue).write(&between.ue));
    let granted = response(&passed, "200 OK", granted);
    between.core.send(&between.pcscf.listen, &granted);
    between.ue.receive();
    let from = |uri: &str| {
        let message = request("MESSAGE", &between.ue, "");
        message.replace("From: <sip:alice@ims.test>", &format!("From: <{uri}>"))
    };
    let prefers = |uri: &str| {
        let line = format!("P-Preferred-Identity: <{uri}>\r\nContent-Length");
        from("sip:anonymous@anonymous.invalid").replace("Content-Length", &line)
    };
    for (request, expected) in [
        (from("sip:alice@ims.test"), "<sip:alice@ims.test>"),
        (from("sip:bob@ims.test"), "<sip:bob@ims.test>"),
        (prefers("tel:+12125550102"), "<tel:+12125550102>"),
    ] {
        let passed = between.up(&request);
        assert_eq!(values(&passed, "P-Asserted-Identity"), [expected]);
    }
    for nobodys in [from("sip:carol@ims.test"), prefers("sip:carol@ims.test")] {
        let refused = between.ue.ask(&between.pcscf.listen, &nobodys);
        assert_eq!(status(&refused), "403");
    }
}

/// RFC 3261 18.1.1: a UE that has registered over UDP sends what is large over TCP. It is known by its address and by what its
/// request says, and is reached where it has registered.
#[test]
fn a_ue_over_udp_and_tcp() {
    let options = ["--t1-ms", "20000"];
    let mut between = Between::of("127.0.0.1:0", Peer::of_element(), Peer::of_core(), &options);
    between.register();
    let listen = between.pcscf.listen.clone();
    let mut stream = TcpStream::connect(&listen).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let via = format!("UDP {}", between.ue.address);
    let own = format!("TCP {}", stream.local_addr().unwrap());
    let mut send = |request: &str| {
        let request = request.replace(&via, &own);
        stream.write_all(request.as_bytes()).unwrap();
    };
    send(&request("SUBSCRIBE", &between.ue, ""));
    let passed = between.core.receive();
    assert_eq!(
        values(&passed, "P-Asserted-Identity"),
        ["<sip:alice@ims.test>"]
    );
    let route = format!("Route: {}\r\n", values(&passed, "Record-Route")[0]);
    let back = between.down(&request("NOTIFY", &between.core, &route));
    assert!(back.starts_with("NOTIFY "));
    let nobodys = request("MESSAGE", &between.ue, "").replace("From: <sip:alice@", "From: <sip:x@");
    send(&nobodys);
    let mut refused = [0; 12];
    stream.read_exact(&mut refused).unwrap();
    assert_eq!(&refused, b"SIP/2.0 403 ");
}

/// Somebody else registers the contact of a UE: neither takes the place of the other.
#[test]
fn a_contact_that_is_anothers() {
    let mut between = Between::new();
    let listen = between.pcscf.listen.clone();
    between.register();
    let other = Peer::ue();
    let mut register = Register::new("mallory", &other);
    register.contact = format!("<sip:alice@{}>", between.ue.address);
    other.send(&listen, &register.write(&other));
    let passed = between.core.receive();
    between.core.send(&listen, &response(&passed, "200 OK", ""));
    other.receive();
    between.pcscf.event("registered");
    assert_eq!(between.pcscf.contacts().len(), 2);
    for (ue, user) in [(&between.ue, "alice"), (&other, "mallory")] {
        ue.send(&listen, &request("MESSAGE", ue, ""));
        let passed = between.core.receive();
        let expected = format!("<sip:{user}@ims.test>");
        assert_eq!(values(&passed, "P-Asserted-Identity"), [expected]);
    }
    // Which of them is meant, the contact alone does not say.
    let contact = format!("sip:alice@{} SIP", between.ue.address);
    let to_contact =
        request("MESSAGE", &between.core, "").replace("sip:bob@ims.test SIP", &contact);
    assert_eq!(status(&between.core.ask(&listen, &to_contact)), "480");
}

/// No UE chooses whom the P-CSCF talks to: what its Route says besides goes to the next hop.
#[test]
fn a_route_to_elsewhere() {
    let mut between = Between::new();
    between.register();
    let stranger = Peer::ue();
    let (listen, elsewhere) = (&between.pcscf.listen, &stranger.address);
    let routes = format!("Route: <sip:{listen};lr>, <sip:{elsewhere};lr>\r\n");
    let passed = between.up(&request("MESSAGE", &between.ue, &routes));
    assert!(passed.starts_with("MESSAGE"));
}

/// A request for the UE finds it by the token of its Path, or by its contact; one for nobody is answered.
#[test]
fn a_request_for_a_ue() {
    let mut between = Between::new();
    let register = between.register();
    let token = Between::token(&register).to_owned();
    let listen = between.pcscf.listen.clone();
    let route = format!("Route: <sip:{token}@{listen};lr>\r\n");
    let passed = between.down(&request("MESSAGE", &between.core, &route));
    assert!(values(&passed, "Route").is_empty());
    between.ue.send(
        &listen,
        &response(&passed, "200 OK", "P-Asserted-Identity: <sip:x@y>\r\n"),
    );
    let back = between.core.receive();
    assert_eq!(status(&back), "200");
    assert!(values(&back, "P-Asserted-Identity").is_empty());
    let contact = format!("sip:alice@{}", between.ue.address);
    let direct = request("MESSAGE", &between.core, "")
        .replace("sip:bob@ims.test SIP", &format!("{contact} SIP"));
    between.down(&direct);
    let nobody = request("MESSAGE", &between.core, "");
    assert_eq!(status(&between.core.ask(&listen, &nobody)), "480");
    // Its token is no good to a UE.
    let own = between.up(&request("MESSAGE", &between.ue, &route));
    assert!(values(&own, "Route").is_empty());
}

/// [PD-3] While its access is lost, what is for the UE is refused, until its deregistration is over.
#[test]
fn a_request_for_a_lost_ue() {
    let mut between = Between::new();
    let register = between.register();
    let contact = format!("sip:alice@{}", between.ue.address);
    between
        .pcscf
        .command(&json!({"command": "access_lost", "contact": contact}));
    let gone = between.core.receive();
    assert_eq!(values(&gone, "Expires"), ["0"]);
    let token = Between::token(&register);
    let route = format!("Route: <sip:{token}@{};lr>\r\n", between.pcscf.listen);
    let invite = request("INVITE", &between.core, &route)
        .replace("sip:bob@ims.test SIP", &format!("{contact} SIP"));
    let refused = between.core.ask(&between.pcscf.listen, &invite);
    assert_eq!(status(&refused), "500", "{refused}");
    between
        .core
        .send(&between.pcscf.listen, &response(&gone, "200 OK", ""));
    let event = between.pcscf.event("deregistered");
    assert_eq!(event["outcome"], "unconfirmed");
}

pub fn over_tcp(between: &mut Between) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(&between.pcscf.listen).unwrap();
    let address = stream.local_addr().unwrap().to_string();
    let register = Register::new("alice", &between.ue).write_over("TCP", &address);
    stream.write_all(register.as_bytes()).unwrap();
    let request = between.core.receive();
    let granted = response(&request, "200 OK", "");
    between.core.send(&between.pcscf.listen, &granted);
    between.pcscf.event("registered");
    (stream, Between::token(&request).to_owned())
}

/// RFC 5626 5.3: the connection of a UE is closed. What is for it is refused with 430, and nobody is connected.
#[test]
fn a_flow_that_is_gone() {
    let mut between = Between::new();
    let (stream, token) = over_tcp(&mut between);
    let (address, listen) = (stream.local_addr().unwrap(), between.pcscf.listen.clone());
    drop(stream);
    let route = format!("Route: <sip:{token}@{listen};lr>\r\n");
    let to_contact = request("MESSAGE", &between.core, "").replace(
        "sip:bob@ims.test SIP",
        &format!("sip:alice@{} SIP", between.ue.address),
    );
    // It is for the UE until its end is known.
    while status(&between.core.ask(&listen, &to_contact)) != "430" {}
    let by_token = request("MESSAGE", &between.core, &route);
    let elsewhere = TcpListener::bind(address).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    assert_eq!(status(&between.core.ask(&listen, &by_token)), "430");
    assert_eq!(
        elsewhere.accept().unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

/// [DR-7] What the UE was told is kept: the program is killed as soon as the 200 is there.
#[test]
fn killed_after_the_200() {
    let store = folder("udp_node_told");
    let options = ["--persist", store.to_str().unwrap()];
    let before = Between::with(&options);
    let request = before.up(&Register::new("alice", &before.ue).write(&before.ue));
    let granted = response(&request, "200 OK", "");
    before.core.send(&before.pcscf.listen, &granted);
    before.ue.receive();
    before.pcscf.kill();
    assert_eq!(Between::with(&options).pcscf.contacts().len(), 1);
}

/// [DR-7] The program is killed while the REGISTER is out: its 200 goes nowhere. What the UE sends again passes again, and is
/// learnt.
#[test]
fn killed_before_the_200() {
    let store = folder("udp_node_not_told");
    let options = ["--persist", store.to_str().unwrap()];
    let before = Between::with(&options);
    let register = Register::new("alice", &before.ue).write(&before.ue);
    let passed = before.up(&register);
    let Between { ue, core, pcscf } = before;
    let listen = pcscf.listen.clone();
    pcscf.kill();
    let mut between = Between::of(&listen, ue, core, &options);
    let granted = response(&passed, "200 OK", "");
    between.core.send(&listen, &granted);
    assert!(between.ue.is_quiet_for(200));
    let passed = between.up(&register);
    between.core.send(&listen, &response(&passed, "200 OK", ""));
    assert_eq!(status(&between.ue.receive()), "200");
    assert_eq!(between.pcscf.contacts().len(), 1);
}

/// A connection does not outlive the program.
#[test]
fn a_flow_after_a_start() {
    let store = folder("udp_node_flow");
    let options = ["--persist", store.to_str().unwrap()];
    let mut before = Between::with(&options);
    let (_stream, _) = over_tcp(&mut before);
    before.pcscf.kill();
    let mut between = Between::with(&options);
    let registered = format!("sip:alice@{}", before.ue.address);
    assert_eq!(between.pcscf.contacts(), [registered.as_str()]);
    let to_contact = request("MESSAGE", &between.core, "")
        .replace("sip:bob@ims.test SIP", &format!("{registered} SIP"));
    let refused = between.core.ask(&between.pcscf.listen, &to_contact);
    assert_eq!(status(&refused), "430");
}

/// A Via that names another transport than that over which it came is refused, and its answer goes nowhere else.
#[test]
fn a_via_of_another_transport() {
    let between = Between::new();
    let options = request("OPTIONS", &between.ue, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let refused = between.ue.ask(&between.pcscf.listen, &options);
    assert_eq!(status(&refused), "400");
    assert!(values(&refused, "To")[0].contains(";tag="));
}

/// A trial that is asked for with the wrong word is no shutdown.
#[test]
fn a_trial_that_is_misspelt() {
    let mut between = Between::new();
    between.register();
    for (field, value) in [("dry_run", json!("true")), ("dryrun", json!(true))] {
        between
            .pcscf
            .command(&json!({"command": "shutdown", field: value}));
        between.pcscf.event("refused");
    }
    assert!(between.core.is_quiet_for(200));
    assert_eq!(between.pcscf.contacts().len(), 1);
}

/// [PD-3] A UE over TCP hangs up: by the policy given, that and a missed probe mean that it is lost.
#[test]
fn a_flow_that_is_closed() {
    let mut between = Between::with(&["--lost-after-flow-and-probes", "1"]);
    let mut stream = TcpStream::connect(&between.pcscf.listen).unwrap();
    let address = stream.local_addr().unwrap().to_string();
    let register = Register::new("alice", &between.ue).write_over("TCP", &address);
    stream.write_all(register.as_bytes()).unwrap();
    let request = between.core.receive();
    between
        .core
        .send(&between.pcscf.listen, &response(&request, "200 OK", ""));
    between.pcscf.event("registered");
    drop(stream);
    assert_eq!(
        between.pcscf.event("access_doubted")["evidence"],
        "flow_closed"
    );
    let contact = format!("sip:alice@{}", between.ue.address);
    let report = json!({"command": "access_lost", "contact": contact, "evidence": "probe_missed"});
    between.pcscf.command(&report);
    assert_eq!(between.pcscf.event("access_lost")["contact"], contact);
}
