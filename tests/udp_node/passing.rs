//! The P-CSCF's proxy is stateful: what is lost on the one side is no trouble of the other's (RFC 3261 16, 17).

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use serde_json::json;

use crate::{
    pcscf::{Between, over_tcp, request, response},
    peer::{Peer, Register, status, values},
    process::BOUND,
};

/// A UE that is registered over TCP.
struct OverTcp {
    between: Between,
    stream: TcpStream,
    token: String,
}

impl OverTcp {
    fn new(options: &[&str]) -> Self {
        let mut between = Between::with(options);
        let (mut stream, token) = over_tcp(&mut between);
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let mut ue = Self {
            between,
            stream: stream.try_clone().unwrap(),
            token,
        };
        assert_eq!(status(&ue.receive()), "200");
        stream.flush().unwrap();
        ue
    }

    fn send(&mut self, message: &str) {
        self.stream.write_all(message.as_bytes()).unwrap();
    }

    /// The next message without a body.
    fn receive(&mut self) -> String {
        let mut message = Vec::new();
        while !message.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a message");
            message.extend(byte);
        }
        String::from_utf8(message).unwrap()
    }

    fn request(&self, method: &str) -> String {
        let from = self.between.ue.address.clone();
        let request = request(method, &self.between.ue, "");
        let own = self.stream.local_addr().unwrap().to_string();
        request.replace(&format!("UDP {from}"), &format!("TCP {own}"))
    }

    /// A request of the core for the UE.
    fn of_core(&self, method: &str) -> String {
        let route = format!("Route: <sip:{}@{};lr>\r\n", self.token, self.listen());
        request(method, &self.between.core, &route)
    }

    fn listen(&self) -> &str {
        &self.between.pcscf.listen
    }

    fn send_from_core(&self, message: &str) {
        self.between.core.send(self.listen(), message);
    }
}

/// A request that goes the way of an INVITE, in its transaction.
fn beside(method: &str, invite: &str) -> String {
    let request = invite.replacen("INVITE ", &format!("{method} "), 1);
    request.replace("CSeq: 1 INVITE", &format!("CSeq: 1 {method}"))
}

/// An INVITE that is refused: a 100 for it, whatever comes again is answered here, and the ACKs are of one hop each.
#[test]
fn a_call_that_is_refused() {
    let mut between = Between::new();
    between.register();
    let (ue, core, listen) = (&between.ue, &between.core, &between.pcscf.listen);
    let invite = request("INVITE", ue, "");
    assert_eq!(status(&ue.ask(listen, &invite)), "100");
    let passed = core.receive();
    assert_eq!(values(&passed, "Record-Route").len(), 1);
    assert_eq!(status(&ue.ask(listen, &invite)), "100");
    let busy = response(&passed, "486 Busy Here", "");
    core.send(listen, &busy);
    let ack = loop {
        // The INVITE may have gone again.
        match core.receive() {
            again if again == passed => {}
            other => break other,
        }
    };
    assert!(ack.starts_with("ACK "), "{ack}");
    assert_eq!(values(&ack, "Via"), [values(&passed, "Via")[0]]);
    assert_eq!(status(&ue.receive()), "486");
    assert_eq!(status(&ue.ask(listen, &invite)), "486");
    for _ in 0..2 {
        ue.send(listen, &beside("ACK", &invite));
    }
    assert!(core.is_quiet_for(100));
    assert_eq!(core.ask(listen, &busy), ack);
    assert!(ue.is_quiet_for(100));
}

/// The P-CSCF refuses an INVITE itself: the ACK of that goes no further.
#[test]
fn a_call_that_is_refused_here() {
    let mut between = Between::new();
    between.register();
    let (ue, core, listen) = (&between.ue, &between.core, &between.pcscf.listen);
    let invite = request("INVITE", ue, "").replace("Max-Forwards: 70", "Max-Forwards: 0");
    let refused = ue.ask(listen, &invite);
    assert_eq!(status(&refused), "483");
    let ack = beside("ACK", &invite).replace("Forwards: 0", "Forwards: 70");
    ue.send(
        listen,
        &ack.replace(values(&invite, "To")[0], values(&refused, "To")[0]),
    );
    assert!(core.is_quiet_for(100));
}

/// A request that was answered is answered again from here; another one with the same branch is another transaction.
#[test]
fn a_request_that_comes_again() {
    let mut between = Between::new();
    between.register();
    let (ue, core, listen) = (&between.ue, &between.core, &between.pcscf.listen);
    let message = request("MESSAGE", ue, "");
    let passed = between.up(&message);
    core.send(listen, &response(&passed, "202 Accepted", ""));
    let accepted = ue.receive();
    assert_eq!(ue.ask(listen, &message), accepted);
    assert!(core.is_quiet_for(100));
    let other = message.replace("MESSAGE", "OPTIONS");
    assert!(between.up(&other).starts_with("OPTIONS "));
}

/// A client of RFC 2543, whose branch says nothing: its requests are told apart by their sequence numbers.
#[test]
fn a_client_without_branches() {
    let mut between = Between::new();
    between.register();
    let message = request("MESSAGE", &between.ue, "").replace(";branch=z9hG4bK-", ";branch=1;x=");
    let first = between.up(&message);
    let second = between.up(&message.replace("CSeq: 1 ", "CSeq: 2 "));
    assert_ne!(values(&first, "Via")[0], values(&second, "Via")[0]);
}

/// The UE is on TCP and sends once. What the core has not got goes to it again from here.
#[test]
fn the_core_loses_a_request() {
    let mut ue = OverTcp::new(&["--t1-ms", "50"]);
    let message = ue.request("MESSAGE");
    ue.send(&message);
    let lost = ue.between.core.receive();
    for _ in 0..2 {
        assert_eq!(ue.between.core.receive(), lost);
    }
    for _ in 0..2 {
        ue.send_from_core(&response(&lost, "202 Accepted", ""));
    }
    assert_eq!(status(&ue.receive()), "202");
    // The second 202 is absorbed: what comes next is of another request.
    ue.send(&message.replace("MESSAGE", "OPTIONS"));
    loop {
        let next = ue.between.core.receive();
        if next.starts_with("OPTIONS ") {
            ue.send_from_core(&response(&next, "200 OK", ""));
            break;
        }
    }
    assert_eq!(status(&ue.receive()), "200");
}

/// A CANCEL, and the ACK of the refusal that comes of it, go over the flow of their INVITE: to a UE on TCP.
#[test]
fn a_call_to_a_flow_is_cancelled() {
    let mut ue = OverTcp::new(&[]);
    let invite = ue.of_core("INVITE");
    ue.send_from_core(&invite);
    assert_eq!(status(&ue.between.core.receive()), "100");
    let rung = ue.receive();
    assert!(rung.starts_with("INVITE "));
    ue.send_from_core(&beside("CANCEL", &invite));
    assert_eq!(status(&ue.between.core.receive()), "200");
    let rings = |ue: &mut OverTcp| {
        ue.send(&response(&rung, "180 Ringing", ""));
        assert_eq!(status(&ue.between.core.receive()), "180");
    };
    rings(&mut ue);
    let cancel = ue.receive();
    assert!(cancel.starts_with("CANCEL "), "{cancel}");
    assert_eq!(values(&cancel, "Via"), [values(&rung, "Via")[0]]);
    ue.send(&response(&cancel, "200 OK", ""));
    rings(&mut ue);
    ue.send(&response(&rung, "487 Request Terminated", ""));
    // One CANCEL, however often it rings.
    let ack = ue.receive();
    assert!(ack.starts_with("ACK "), "{ack}");
    assert_eq!(values(&ack, "Via"), values(&cancel, "Via"));
    assert_eq!(status(&ue.between.core.receive()), "487");
    ue.send_from_core(&beside("ACK", &invite));
    assert!(ue.between.core.is_quiet_for(1_000));
    let nothing = beside("CANCEL", &ue.of_core("INVITE"));
    ue.send_from_core(&nothing);
    assert_eq!(status(&ue.between.core.receive()), "481");
}

/// A call that is answered: the 2xx may come again, and its ACK has a way of its own, by the dialog's route.
#[test]
fn a_call_that_is_answered() {
    let mut ue = OverTcp::new(&[]);
    let invite = ue.of_core("INVITE");
    ue.send_from_core(&invite);
    ue.between.core.receive();
    let passed = ue.receive();
    assert_eq!(values(&passed, "Record-Route").len(), 1);
    for _ in 0..2 {
        ue.send(&response(&passed, "200 OK", ""));
        assert_eq!(status(&ue.between.core.receive()), "200");
    }
    ue.send_from_core(&invite);
    assert!(ue.between.core.is_quiet_for(100));
    ue.send_from_core(&ue.of_core("ACK"));
    let ack = ue.receive();
    assert!(
        ack.starts_with("ACK ") && values(&ack, "Via").len() == 2,
        "{ack}"
    );
    ue.send_from_core(&ue.of_core("BYE"));
    assert!(ue.receive().starts_with("BYE "));
}

/// [PD-3, PD-9] What has passed is the proxy's: the node does not judge it again when it comes again, after its UE's access was
/// lost, nor when it is shut down.
#[test]
fn what_has_passed_is_not_judged_again() {
    let mut between = Between::with(&["--t1-ms", "20000"]);
    let token = Between::token(&between.register()).to_owned();
    let listen = between.pcscf.listen.clone();
    let route = format!("Route: <sip:{token}@{listen};lr>\r\n");
    let (ue, core) = (&between.ue, &between.core);
    let contact = format!("sip:alice@{}", ue.address);
    let for_ue = |method: &str| {
        let request = request(method, core, &route);
        request.replace("sip:bob@ims.test SIP", &format!("{contact} SIP"))
    };
    let message = for_ue("MESSAGE");
    core.send(&listen, &message);
    ue.send(&listen, &response(&ue.receive(), "200 OK", ""));
    let answered = core.receive();
    let invite = for_ue("INVITE");
    assert_eq!(status(&core.ask(&listen, &invite)), "100");
    ue.send(&listen, &response(&ue.receive(), "180 Ringing", ""));
    let rings = core.receive();
    let register = Register::new("late", ue).write(ue);
    ue.send(&listen, &register);
    assert!(core.receive().starts_with("REGISTER "));

    let lost = json!({"command": "access_lost", "contact": contact});
    between.pcscf.command(&lost);
    assert_eq!(values(&core.receive(), "Expires"), ["0"]);
    assert_eq!(core.ask(&listen, &invite), rings);
    assert_eq!(core.ask(&listen, &message), answered);
    assert_eq!(status(&core.ask(&listen, &for_ue("INVITE"))), "500");
    between.pcscf.command(&json!({"command": "shutdown"}));
    between.pcscf.event("accepted");
    ue.send(&listen, &register);
    assert!(ue.is_quiet_for(100));
}

/// Timer B: nobody answers an INVITE, and whoever sent it hears of that. Of another request there is nothing to hear
/// (RFC 4320 4.2).
#[test]
fn nobody_answers() {
    let mut ue = OverTcp::new(&["--t1-ms", "10"]);
    for method in ["MESSAGE", "INVITE"] {
        let request = ue.request(method);
        ue.send(&request);
    }
    assert_eq!(status(&ue.receive()), "100");
    let timeout = ue.receive();
    assert_eq!(status(&timeout), "408");
    assert!(values(&timeout, "CSeq")[0].ends_with("INVITE"));
}

/// Timer C: an INVITE rings for too long. It is called off, and if that has no answer, it has timed out.
#[test]
fn it_rings_for_too_long() {
    let mut between = Between::with(&["--t1-ms", "10", "--timer-c-ms", "300"]);
    between.register();
    let (ue, core, listen) = (&between.ue, &between.core, &between.pcscf.listen);
    assert_eq!(status(&ue.ask(listen, &request("INVITE", ue, ""))), "100");
    let passed = core.receive();
    core.send(listen, &response(&passed, "180 Ringing", ""));
    assert_eq!(status(&ue.receive()), "180");
    let next = |core: &Peer, method: &str| {
        let is_it = |message: &String| message.starts_with(method);
        std::iter::repeat_with(|| core.receive())
            .find(is_it)
            .unwrap()
    };
    let cancel = next(core, "CANCEL ");
    assert_eq!(values(&cancel, "Via"), [values(&passed, "Via")[0]]);
    assert_eq!(status(&ue.receive()), "408");
    // The refusal that comes too late is acknowledged, and goes no further.
    core.send(listen, &response(&passed, "487 Request Terminated", ""));
    next(core, "ACK ");
}

/// An INVITE of the core that the UE has refused over UDP, and the refusal as it has come back once.
fn refused_by_the_ue(between: &mut Between) -> (String, String) {
    let register = between.register();
    let (ue, core, listen) = (&between.ue, &between.core, &between.pcscf.listen);
    let route = format!("Route: <sip:{}@{listen};lr>\r\n", Between::token(&register));
    let invite = request("INVITE", core, &route);
    assert_eq!(status(&core.ask(listen, &invite)), "100");
    let busy = response(&ue.receive(), "486 Busy Here", "");
    assert!(ue.ask(listen, &busy).starts_with("ACK "));
    let refusal = core.receive();
    assert_eq!(status(&refusal), "486");
    (invite, refusal)
}

/// Timer G: over UDP the refusal of an INVITE is said again until its ACK comes.
#[test]
fn a_refusal_is_said_again() {
    let mut between = Between::with(&["--t1-ms", "200"]);
    let (invite, refusal) = refused_by_the_ue(&mut between);
    let (core, listen) = (&between.core, &between.pcscf.listen);
    assert_eq!(core.receive(), refusal);
    core.send(listen, &beside("ACK", &invite));
    // It would come after 400 ms.
    assert!(core.is_quiet_for(800));
}

/// Timer H: without an ACK it is said for 64·T1 and no longer, and then the INVITE is forgotten.
#[test]
fn a_refusal_that_nobody_acknowledges() {
    let mut between = Between::with(&["--t1-ms", "10"]);
    let (invite, refusal) = refused_by_the_ue(&mut between);
    let (core, listen) = (&between.core, &between.pcscf.listen);
    let mut again = 0;
    while !core.is_quiet_for(1_000) {
        again += 1;
    }
    // 10, 30, 70, 150, 310 and 630 ms after it.
    assert!((1..=6).contains(&again), "{again}: {refusal}");
    assert_eq!(status(&core.ask(listen, &invite)), "100");
    assert!(between.ue.receive().starts_with("INVITE "));
}

/// RFC 3261 9.1: nothing has come of an INVITE when it is called off. The CANCEL waits for a first sign, and goes again over
/// UDP until it is answered.
#[test]
fn a_call_is_cancelled_too_soon() {
    let mut between = Between::with(&["--t1-ms", "100"]);
    between.register();
    let (ue, core, listen) = (&between.ue, &between.core, &between.pcscf.listen);
    let invite = request("INVITE", ue, "");
    assert_eq!(status(&ue.ask(listen, &invite)), "100");
    let passed = core.receive();
    assert_eq!(status(&ue.ask(listen, &beside("CANCEL", &invite))), "200");
    for _ in 0..2 {
        assert_eq!(core.receive(), passed);
    }
    core.send(listen, &response(&passed, "100 Trying", ""));
    let cancel = std::iter::repeat_with(|| core.receive()).find(|message| *message != passed);
    let cancel = cancel.unwrap();
    assert!(cancel.starts_with("CANCEL "), "{cancel}");
    assert_eq!(values(&cancel, "Via"), [values(&passed, "Via")[0]]);
    assert_eq!(core.receive(), cancel);
    core.send(listen, &response(&cancel, "200 OK", ""));
    let ended = response(&passed, "487 Request Terminated", "");
    core.send(listen, &ended);
    let ack = std::iter::repeat_with(|| core.receive()).find(|message| *message != cancel);
    assert!(ack.unwrap().starts_with("ACK "));
    assert_eq!(status(&ue.receive()), "487");
    assert!(core.is_quiet_for(500));
}

/// RFC 3261 16.9: the core takes a request over TCP and hangs up, and its sender hears at once. One that is for a UE whose
/// connection is closed has failed too, and only the UE can help that (RFC 5626 5.3).
#[test]
fn a_connection_that_fails() {
    let mut between = Between::new();
    between.register();
    let (ue, listen) = (&between.ue, &between.pcscf.listen);
    let long = format!("X-Long: {}\r\n", "y".repeat(1_300));
    let core = TcpListener::bind(&between.core.address).unwrap();
    for method in ["MESSAGE", "INVITE"] {
        ue.send(listen, &request(method, ue, &long));
        let (mut stream, _) = core.accept().unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        assert_ne!(stream.read(&mut [0; 1_000]).unwrap(), 0);
        drop(stream);
        if method == "INVITE" {
            assert_eq!(status(&ue.receive()), "100");
        }
        assert_eq!(status(&ue.receive()), "503");
    }

    let mut ue = OverTcp::new(&[]);
    ue.send_from_core(&ue.of_core("INVITE"));
    assert_eq!(status(&ue.between.core.receive()), "100");
    let invite = ue.receive();
    ue.send(&response(&invite, "180 Ringing", ""));
    assert_eq!(status(&ue.between.core.receive()), "180");
    ue.stream.shutdown(Shutdown::Both).unwrap();
    assert_eq!(status(&ue.between.core.receive()), "430");
}

/// RFC 3261 18.2.2: an element that has closed its connection is connected for the response, where its Via says.
#[test]
fn a_response_after_the_connection() {
    let mut between = Between::with(&["--trust", "127.0.0.1"]);
    let register = between.register();
    let token = Between::token(&register);
    let core = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = core.local_addr().unwrap();
    let route = format!("Route: <sip:{token}@{};lr>\r\n", between.pcscf.listen);
    let message = request("MESSAGE", &between.core, &route);
    let via = format!("UDP {}", between.core.address);
    let message = message.replace(&via, &format!("TCP {address}"));
    let mut stream = TcpStream::connect(&between.pcscf.listen).unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    let passed = between.ue.receive();
    drop(stream);
    // It has seen that, once it answers on another.
    let mut other = TcpStream::connect(&between.pcscf.listen).unwrap();
    other.write_all(b"\r\n\r\n").unwrap();
    other.read_exact(&mut [0; 2]).unwrap();
    let answer = response(&passed, "200 OK", "");
    between.ue.send(&between.pcscf.listen, &answer);
    let (mut stream, _) = core.accept().unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"SIP/2.0 200 ");
}
