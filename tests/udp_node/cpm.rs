//! The CPM Participating Function between a client, another CPM entity and IWFs that the test plays.

use std::{io::Write, net::TcpStream};

use serde_json::json;

use crate::{
    call::{Caller, description, of_callee, ports, response},
    peer::{Peer, refuses_what_is_forged, status, values},
    process::{Process, folder, records},
};

struct Party {
    peer: Peer,
    /// The INVITE that it has got, and the 200 that it has given.
    invite: String,
}

impl Party {
    fn new() -> Self {
        Self {
            peer: Peer::of_core(),
            invite: String::new(),
        }
    }

    fn contact(&self) -> String {
        format!("Contact: <sip:callee@{}>\r\n", self.peer.address)
    }

    /// Gets the INVITE, and accepts it with these streams.
    fn accept(&mut self, function: &Process, streams: &[u16]) {
        self.invite = self.peer.receive();
        assert!(self.invite.starts_with("INVITE "), "{}", self.invite);
        let body = description(&self.peer, streams);
        let accepted = response(&self.invite, "200 OK", &self.contact(), &body);
        self.peer.send(&function.listen, &accepted);
    }

    /// Gets a request of that method.
    fn get(&self, method: &str) -> String {
        let request = self.peer.receive();
        assert!(request.starts_with(&format!("{method} ")), "{request}");
        request
    }

    fn answer(&self, function: &Process, request: &str, status: &str) {
        let answer = response(request, status, "", "");
        self.peer.send(&function.listen, &answer);
    }
}

fn start(options: &[&str], far: &[(&str, &Party)]) -> Process {
    let mut all = vec!["--listen", "127.0.0.1:0", "--domain", "home1.test"];
    all.extend(options);
    let far: Vec<(String, &str)> = far
        .iter()
        .map(|(name, party)| (format!("--{name}"), party.peer.address.as_str()))
        .collect();
    for (name, address) in &far {
        all.extend([name.as_str(), address]);
    }
    Process::start("cpm", &all)
}

/// A session with two IWFs, the first with the first stream, the second with two.
struct Interworked {
    function: Process,
    client: Peer,
    iwfs: [Party; 2],
}

impl Interworked {
    fn new(options: &[&str]) -> Self {
        let iwfs = [Party::new(), Party::new()];
        let function = start(options, &[("iwf", &iwfs[0]), ("iwf", &iwfs[1])]);
        Self {
            function,
            client: Peer::of_core(),
            iwfs,
        }
    }

    /// Sets the session up: the 200 that the client got, acknowledged.
    fn set_up(&mut self) -> (Caller<'_>, String, &mut Process, &[Party; 2]) {
        let Self {
            function,
            client,
            iwfs,
        } = self;
        let offer = description(client, &[1000, 1002, 1004]);
        let lines = "P-Asserted-Identity: <sip:alice@home1.test>\r\n\
                     Supported: timer, 100rel\r\nConversation-ID: f81d4fae\r\n";
        let mut caller = Caller::call(client, &function.listen, lines, &offer);
        assert_eq!(status(&client.receive()), "100");
        iwfs[0].accept(function, &[2000, 0, 0]);
        assert_eq!(ports(&iwfs[0].invite), [1000, 0, 0]);
        iwfs[0].get("ACK");
        iwfs[1].accept(function, &[0, 3002, 3004]);
        assert_eq!(ports(&iwfs[1].invite), [0, 1002, 1004]);
        iwfs[1].get("ACK");
        let accepted = client.receive();
        assert_eq!(status(&accepted), "200", "{accepted}");
        let ack = caller.within("ACK", &accepted, "");
        caller.send(&ack);
        function.event("session_established");
        (caller, accepted, function, iwfs)
    }
}

/// What a B2BUA tells a leg: its own Call-ID, tag and Contact, and nothing that ends with it.
#[test]
fn a_session_is_set_up() {
    let mut session = Interworked::new(&[]);
    let (caller, accepted, function, iwfs) = session.set_up();
    assert_eq!(ports(&accepted), [2000, 3002, 3004]);
    let invite = &iwfs[1].invite;
    assert_ne!(values(invite, "Call-ID"), values(&caller.invite, "Call-ID"));
    assert_ne!(values(invite, "From"), values(&caller.invite, "From"));
    assert_eq!(values(invite, "Via").len(), 1);
    assert_eq!(values(invite, "Max-Forwards"), ["69"]);
    assert_eq!(values(invite, "Conversation-ID"), ["f81d4fae"]);
    let contact = format!("<sip:{}>;+g.oma.sip-im", function.listen);
    assert_eq!(values(invite, "Contact"), [contact]);
    for name in ["Supported", "P-Asserted-Identity", "Record-Route"] {
        assert!(values(invite, name).is_empty(), "{name}");
    }
    // What comes again is answered again.
    iwfs[0].answer_again(function);
    iwfs[0].get("ACK");
    function.command(&json!({"command": "list"}));
    let list = function.event("list");
    assert_eq!(list["sessions"][0]["state"], "established");
}

impl Party {
    fn answer_again(&self, function: &Process) {
        let body = description(&self.peer, &[2000, 0, 0]);
        let accepted = response(&self.invite, "200 OK", &self.contact(), &body);
        self.peer.send(&function.listen, &accepted);
    }
}

/// [CO-1, CP-3, CP-4, CP-8] The client ends it: both IWFs are told, then it is stored, and the client gets the UID.
#[test]
fn the_client_ends_an_interworked_session() {
    let mut session = Interworked::new(&["--offline-storage", "on", "--store", "uid=7"]);
    let (mut caller, accepted, function, iwfs) = session.set_up();
    let bye = caller.within("BYE", &accepted, "Reason: SIP;cause=200\r\n");
    caller.send(&bye);
    assert_eq!(function.event("media_release")["of"], "session");
    for iwf in iwfs {
        let bye = iwf.get("BYE");
        assert_eq!(values(&bye, "Reason"), ["SIP;cause=200"]);
        assert!(values(&bye, "Message-UID").is_empty());
        assert!(values(&bye, "P-Asserted-Identity").is_empty());
        iwf.answer(function, &bye, "200 OK");
    }
    let ended = caller.peer.receive();
    assert_eq!(status(&ended), "200");
    assert_eq!(values(&ended, "Message-UID"), ["7"]);
    function.event("session_storage");
    let closed = function.event("session_closed");
    assert_eq!(
        (&closed["cause"], &closed["recording"]),
        (&json!("client"), &json!("stored"))
    );
    let ends = json!({
        "client": "by_itself", "other": null, "iwfs": ["answered:200", "answered:200"],
    });
    assert_eq!(closed["ends"], ends);
    function.command(&json!({"command": "list"}));
    assert_eq!(function.event("list")["sessions"], json!([]));
    function.command(&json!({"command": "statistics"}));
    assert_eq!(function.event("statistics")["node"]["stored"], 1);
}

/// [DR-9] With `--audit`: who ended the session, how each leg ended, and what became of its record in the store.
#[test]
fn records_for_an_audit() {
    let file = folder("udp_node_audit_cpm").join("audit.jsonl");
    let mut session = Interworked::new(&["--audit", file.to_str().unwrap()]);
    let (mut caller, accepted, function, iwfs) = session.set_up();
    let bye = caller.within("BYE", &accepted, "");
    caller.send(&bye);
    for iwf in iwfs {
        iwf.answer(function, &iwf.get("BYE"), "200 OK");
    }
    let closed = function.event("session_closed");
    let [record] = &records(&file)[..] else {
        panic!("one record");
    };
    for field in ["session", "cause", "ends", "recording"] {
        assert_eq!(record[field], closed[field], "{record}");
    }
    assert_eq!(record["initiator"], "user");
    assert_eq!(record["call_id"], values(&caller.invite, "Call-ID")[0]);
}

/// [CO-1, CP-3, CP-4] The session cannot be stored: the BYE is answered all the same, without a UID.
#[test]
fn the_store_fails() {
    let mut session = Interworked::new(&["--offline-storage", "on", "--store", "fail"]);
    let (mut caller, accepted, function, iwfs) = session.set_up();
    let bye = caller.within("BYE", &accepted, "");
    caller.send(&bye);
    for iwf in iwfs {
        iwf.answer(function, &iwf.get("BYE"), "481 Gone");
    }
    let ended = caller.peer.receive();
    assert_eq!(status(&ended), "200");
    assert!(values(&ended, "Message-UID").is_empty());
    let closed = function.event("session_closed");
    assert_eq!(closed["recording"], "failed");
    assert_eq!(
        closed["ends"]["iwfs"],
        json!(["answered:481", "answered:481"])
    );
}

/// [CO-3] An IWF leaves, and only its streams go: the client hears of them by a re-INVITE.
#[test]
fn the_streams_of_an_iwf_go() {
    let mut session = Interworked::new(&["--iwf-policy", "streams"]);
    let (caller, accepted, function, iwfs) = session.set_up();
    let bye = of_callee(&iwfs[1].peer, &iwfs[1].invite, "BYE", "");
    iwfs[1].peer.send(&function.listen, &bye);
    assert_eq!(status(&iwfs[1].peer.receive()), "200");
    assert_eq!(function.event("media_release")["of"], "iwf:1");
    let reinvite = caller.peer.receive();
    assert!(reinvite.starts_with("INVITE sip:alice@"), "{reinvite}");
    assert_eq!(ports(&reinvite), [2000, 0, 0]);
    assert_eq!(values(&reinvite, "Contact"), values(&accepted, "Contact"));
    let contact = format!("Contact: <sip:alice@{}>\r\n", caller.peer.address);
    let body = description(caller.peer, &[1000, 0, 0]);
    caller.send(&response(&reinvite, "200 OK", &contact, &body));
    assert!(caller.peer.receive().starts_with("ACK "));
    assert_eq!(function.event("session_shrunk")["iwf"], 1);
}

/// [CT-2, CP-1] As a terminating proxy it passes the other entity's BYE on, and its answer back.
#[test]
fn the_other_entity_ends_a_proxied_session() {
    let mut client = Party::new();
    let other = Peer::of_core();
    let options = ["--role", "terminating", "--mode", "proxy"];
    let mut function = start(&options, &[("client", &client)]);
    let offer = description(&other, &[1000]);
    let mut caller = Caller::call(&other, &function.listen, "", &offer);
    assert_eq!(status(&other.receive()), "100");
    client.accept(&function, &[2000]);
    let record = [format!("<sip:{};lr>", function.listen)];
    assert_eq!(values(&client.invite, "Record-Route"), record);
    assert_eq!(values(&client.invite, "Via").len(), 2);
    assert_eq!(
        values(&client.invite, "Call-ID"),
        values(&caller.invite, "Call-ID")
    );
    let accepted = other.receive();
    assert_eq!(status(&accepted), "200");
    assert_eq!(values(&accepted, "Via").len(), 1);
    function.event("session_established");
    let ack = caller.within("ACK", &accepted, "");
    caller.send(&ack);
    let ack = client.get("ACK");
    assert!(values(&ack, "Route").is_empty());

    let bye = caller.within("BYE", &accepted, "X-Other: kept\r\n");
    caller.send(&bye);
    let bye = client.get("BYE");
    assert_eq!(values(&bye, "X-Other"), ["kept"]);
    assert_eq!(values(&bye, "Max-Forwards"), ["69"]);
    client.answer(&function, &bye, "200 OK");
    assert_eq!(status(&other.receive()), "200");
    let closed = function.event("session_closed");
    assert_eq!(closed["cause"], "other");
    let ends = json!({"client": "answered:200", "other": "by_itself", "iwfs": []});
    assert_eq!(closed["ends"], ends);
}

/// A 180 is overtaken by its 200: that counts, and the session is set up when the others have accepted too.
#[test]
fn a_provisional_response_that_comes_late() {
    let mut session = Interworked::new(&[]);
    let Interworked {
        function,
        client,
        iwfs,
    } = &mut session;
    let offer = description(client, &[1000, 1002]);
    Caller::call(client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    iwfs[0].accept(function, &[2000, 0]);
    iwfs[0].get("ACK");
    iwfs[0].answer(function, &iwfs[0].invite, "180 Ringing");
    assert!(iwfs[0].peer.is_quiet_for(200));
    iwfs[1].accept(function, &[0, 3002]);
    assert_eq!(status(&client.receive()), "200");
}

/// What an INVITE leaves out, the INVITE of the leg says: how long it is, and how far it may go.
#[test]
fn an_invite_that_says_little() {
    let other = Party::new();
    let client = Peer::of_core();
    let function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let head = format!(
        "INVITE sip:bob@home2.test SIP/2.0\r\nVia: SIP/2.0/UDP {0};branch=z9hG4bK-little\r\n\
         From: <sip:alice@home1.test>;tag=caller\r\nTo: <sip:bob@home2.test>\r\nCall-ID: little\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:alice@{0}>\r\nContent-Type: application/sdp\r\n\r\n",
        client.address
    );
    client.send(&function.listen, &(head + &offer));
    let invite = other.get("INVITE");
    let body = invite.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(values(&invite, "Content-Length"), [body.len().to_string()]);
    assert_eq!(values(&invite, "Max-Forwards"), ["70"]);
}

/// A BYE of a session that the proxy has not learnt passes all the same, and so does its answer.
#[test]
fn a_bye_of_what_was_not_learnt() {
    let (client, other) = (Party::new(), Peer::of_core());
    let options = ["--role", "terminating", "--mode", "proxy"];
    let function = start(&options, &[("client", &client)]);
    let invite = Caller::write(&client.peer, "", "");
    let bye = of_callee(&other, &invite, "BYE", "");
    other.send(&function.listen, &bye);
    let bye = client.get("BYE");
    client.answer(&function, &bye, "200 OK");
    assert_eq!(status(&other.receive()), "200");
}

/// A response that the proxy has not asked for goes nowhere.
#[test]
fn a_forged_response() {
    let mut client = Party::new();
    let other = Peer::of_core();
    let options = ["--role", "terminating", "--mode", "proxy"];
    let function = start(&options, &[("client", &client)]);
    Caller::call(&other, &function.listen, "", &description(&other, &[1000]));
    client.accept(&function, &[2000]);
    let (listen, invite) = (&function.listen, &client.invite);
    assert!(refuses_what_is_forged(listen, &client.peer, invite));
}

/// A leg refuses: the caller hears of it, and whoever has accepted is hung up on.
#[test]
fn a_leg_refuses() {
    let mut session = Interworked::new(&[]);
    let Interworked {
        function,
        client,
        iwfs,
    } = &mut session;
    let offer = description(client, &[1000, 1002]);
    let caller = Caller::call(client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    iwfs[0].accept(function, &[2000, 0]);
    iwfs[0].get("ACK");
    let invite = iwfs[1].get("INVITE");
    let busy = response(&invite, "486 Busy Here", "Retry-After: 9\r\n", "");
    iwfs[1].peer.send(&function.listen, &busy);
    iwfs[1].get("ACK");
    let refused = client.receive();
    assert_eq!(status(&refused), "486");
    assert_eq!(values(&refused, "Retry-After"), ["9"]);
    caller.send(&caller.beside("ACK", values(&refused, "To")[0]));
    let bye = iwfs[0].get("BYE");
    iwfs[0].answer(function, &bye, "200 OK");
    assert_eq!(function.event("session_refused")["status"], 486);
}

/// An INVITE that was refused comes once more, long on its way: it is refused as it was, and nobody is called again.
#[test]
fn a_refused_invite_comes_again() {
    let other = Party::new();
    let client = Peer::of_core();
    let mut function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let caller = Caller::call(&client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    let invite = other.get("INVITE");
    other.answer(&function, &invite, "486 Busy Here");
    other.get("ACK");
    let refused = client.receive();
    assert_eq!(status(&refused), "486");
    caller.send(&caller.beside("ACK", values(&refused, "To")[0]));
    function.event("session_refused");
    assert_eq!(client.ask(&function.listen, &caller.invite), refused);
    assert!(other.peer.is_quiet_for(200));
}

/// The caller does not want it any more while it rings: it is called off as soon as that may be.
#[test]
fn the_caller_cancels() {
    let other = Party::new();
    let client = Peer::of_core();
    let mut function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let caller = Caller::call(&client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    let invite = other.get("INVITE");
    caller.send(&caller.beside("CANCEL", "<sip:bob@home2.test>"));
    let mut answers = [client.receive(), client.receive()].map(|answer| status(&answer).to_owned());
    answers.sort();
    assert_eq!(answers, ["200", "487"]);
    other.answer(&function, &invite, "180 Ringing");
    let cancel = other.get("CANCEL");
    assert_eq!(values(&cancel, "Via"), values(&invite, "Via"));
    other.answer(&function, &cancel, "200 OK");
    other.answer(&function, &invite, "487 Request Terminated");
    other.get("ACK");
    assert_eq!(function.event("session_refused")["status"], 487);
}

/// The callee has accepted when the CANCEL comes: the caller is told that there is no session, the callee is hung up on.
#[test]
fn an_acceptance_crosses_a_cancel() {
    let mut other = Party::new();
    let client = Peer::of_core();
    let function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let caller = Caller::call(&client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    caller.send(&caller.beside("CANCEL", "<sip:bob@home2.test>"));
    client.receive();
    client.receive();
    other.accept(&function, &[2000]);
    other.get("ACK");
    let bye = other.get("BYE");
    assert_eq!(values(&bye, "CSeq"), ["2 BYE"]);
    other.answer(&function, &bye, "200 OK");
    assert!(other.peer.is_quiet_for(700));
}

/// The 200 is said again until its ACK comes; then only to an INVITE that comes again.
#[test]
fn an_acceptance_is_repeated() {
    let mut other = Party::new();
    let client = Peer::of_core();
    let function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let mut caller = Caller::call(&client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    other.accept(&function, &[2000]);
    let accepted = client.receive();
    assert_eq!(client.receive(), accepted);
    let ack = caller.within("ACK", &accepted, "");
    caller.send(&ack);
    assert!(client.is_quiet_for(1_500));
    assert_eq!(client.ask(&function.listen, &caller.invite), accepted);
}

/// RFC 3261 9.2, 13.3.1.4: an ACK of another request or with another tag does not end the 200, a CANCEL with another branch
/// calls nobody off, and the INVITE by another way is no second call.
#[test]
fn what_is_of_another_transaction() {
    let mut other = Party::new();
    let client = Peer::of_core();
    let function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let mut caller = Caller::call(&client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    let another = |request: &str| request.replace("z9hG4bK-invite", "z9hG4bK-another");
    let cancel = another(&caller.beside("CANCEL", "<sip:bob@home2.test>"));
    assert_eq!(status(&client.ask(&function.listen, &cancel)), "481");
    let merged = client.ask(&function.listen, &another(&caller.invite));
    assert_eq!(status(&merged), "482");
    other.accept(&function, &[2000]);
    let accepted = client.receive();
    assert_eq!(status(&accepted), "200");
    let ack = caller.within("ACK", &accepted, "");
    for (right, wrong) in [("CSeq: 1 ", "CSeq: 2 "), (";tag=", ";tag=x")] {
        let at = ack.rfind(right).unwrap();
        caller.send(&[&ack[..at], wrong, &ack[at + right.len()..]].concat());
        assert_eq!(client.receive(), accepted);
    }
    caller.send(&ack);
    assert!(client.is_quiet_for(2_500));
}

/// RFC 3261 17.2.1: an INVITE that comes again while it rings is answered as it was last.
#[test]
fn an_invite_is_repeated_while_it_rings() {
    let other = Party::new();
    let client = Peer::of_core();
    let function = start(&[], &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let caller = Caller::call(&client, &function.listen, "", &offer);
    let trying = client.receive();
    assert_eq!(status(&trying), "100");
    assert_eq!(client.ask(&function.listen, &caller.invite), trying);
    other.answer(&function, &other.get("INVITE"), "180 Ringing");
    let ringing = client.receive();
    assert_eq!(status(&ringing), "180");
    assert_eq!(client.ask(&function.listen, &caller.invite), ringing);
}

/// A caller who connects has another port then: it is known by its address.
#[test]
fn a_caller_over_tcp() {
    let other = Party::new();
    let client = Party {
        peer: Peer::of_element(),
        invite: String::new(),
    };
    let function = start(&[], &[("client", &client), ("peer", &other)]);
    let offer = description(&client.peer, &[1000]);
    let invite = Caller::write(&client.peer, "", &offer).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let mut stream = TcpStream::connect(&function.listen).unwrap();
    stream.write_all(invite.as_bytes()).unwrap();
    other.get("INVITE");
}

/// The host ends a session: every leg gets a BYE with the reason.
#[test]
fn the_host_closes_it() {
    let mut session = Interworked::new(&[]);
    let (caller, _, function, iwfs) = session.set_up();
    function.command(&json!({"command": "list"}));
    let number = function.event("list")["sessions"][0]["session"].clone();
    let reason = "SIP;cause=503";
    function.command(&json!({"command": "close", "session": number, "reason": reason}));
    function.event("accepted");
    let bye = caller.peer.receive();
    assert!(bye.starts_with("BYE sip:alice@") && values(&bye, "Reason") == [reason]);
    caller.send(&response(&bye, "200 OK", "", ""));
    for iwf in iwfs {
        let bye = iwf.get("BYE");
        assert_eq!(values(&bye, "Reason"), [reason]);
        iwf.answer(function, &bye, "200 OK");
    }
    assert_eq!(function.event("session_closed")["cause"], "host");
    function.command(&json!({"command": "close", "session": 1}));
    assert_eq!(function.event("refused")["why"], "there is no such session");
}

/// [DR-7] Killed and started again, it knows the session, refuses to change it, and closes it.
#[test]
fn closed_after_a_crash() {
    let store = folder("udp_node_cpm");
    let mut other = Party::new();
    let client = Peer::of_core();
    let options = ["--persist", store.to_str().unwrap()];
    let mut function = start(&options, &[("peer", &other)]);
    let offer = description(&client, &[1000]);
    let mut caller = Caller::call(&client, &function.listen, "", &offer);
    assert_eq!(status(&client.receive()), "100");
    other.accept(&function, &[2000]);
    other.get("ACK");
    let accepted = client.receive();
    let ack = caller.within("ACK", &accepted, "");
    caller.send(&ack);
    let session = function.event("session_established")["session"].clone();
    let listen = function.listen.clone();
    function.kill();

    let fixed = ["--domain", "home1.test", "--peer", &other.peer.address];
    let again = [&["--listen", &listen][..], &fixed, &options].concat();
    let mut function = Process::start("cpm", &again);
    function.command(&json!({"command": "list"}));
    let listed = json!([{"session": session, "state": "established"}]);
    assert_eq!(function.event("list")["sessions"], listed);
    let reinvite = caller.within("INVITE", &accepted, "");
    assert_eq!(status(&client.ask(&listen, &reinvite)), "488");
    let bye = caller.within("BYE", &accepted, "");
    caller.send(&bye);
    other.answer(&function, &other.get("BYE"), "200 OK");
    assert_eq!(status(&client.receive()), "200");
    assert_eq!(function.event("session_closed")["session"], session);
    function.command(&json!({"command": "list"}));
    assert_eq!(function.event("list")["sessions"], json!([]));
}

/// [CP-6] What is of no session: a BYE, an INVITE without an offer, one of a stranger.
#[test]
fn what_is_no_session() {
    let (client, other, stranger) = (Party::new(), Party::new(), Peer::of_core());
    let function = start(&[], &[("client", &client), ("peer", &other)]);
    let invite = |peer: &Peer, body: &str| {
        Caller::call(peer, &function.listen, "", body);
        status(&peer.receive()).to_owned()
    };
    assert_eq!(invite(&client.peer, ""), "488");
    assert_eq!(invite(&stranger, &description(&stranger, &[1])), "403");
    let pretended = format!(
        "INVITE sip:b@c SIP/2.0\r\nRecord-Route: <sip:{}>\r\nContact: <sip:{}>\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: nobody\r\n\r\n",
        function.listen, function.listen
    );
    let bye = of_callee(&client.peer, &pretended, "BYE", "");
    assert_eq!(status(&client.peer.ask(&function.listen, &bye)), "481");
}
