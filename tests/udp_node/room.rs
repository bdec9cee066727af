//! What a P-CSCF remembers is bounded, and one stranger does not take the room of others.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
};

use serde_json::json;

use crate::{
    pcscf::{Between, request, response},
    peer::{Peer, Register, status, values},
    process::BOUND,
};

/// What a Via, a datagram and the rest of a message leave.
fn long() -> String {
    format!("X-Long: {}\r\n", "y".repeat(15_000)).repeat(4)
}

/// REGISTERs of one stranger that nobody answers take so much room and no more: then it is refused, and others are not.
#[test]
fn too_many_registers() {
    let mut between = Between::with(&["--udp-limit", "65535", "--t1-ms", "20000"]);
    between.register();
    let (listen, core) = (&between.pcscf.listen, &between.core);
    let stranger = Peer::another_ue();
    let mut register = Register::new("mallory", &stranger);
    let long = long();
    register.lines = &long;
    let refused = (1..500).find(|cseq| {
        register.cseq = *cseq;
        stranger.send(listen, &register.write(&stranger));
        let is_refused = !stranger.is_quiet_for(5);
        if !is_refused {
            core.receive();
        }
        is_refused
    });
    // Each has 60,000 bytes as it comes, and as it goes.
    assert!(refused.is_some_and(|cseq| cseq > 100), "{refused:?}");
    register.cseq = 500;
    let refused = stranger.ask(listen, &register.write(&stranger));
    assert_eq!(status(&refused), "503");
    assert_eq!(values(&refused, "Retry-After"), ["10"]);
    assert!(
        between
            .up(&request("MESSAGE", &between.ue, ""))
            .starts_with("MESSAGE ")
    );
    let other = Peer::ue();
    other.send(listen, &Register::new("bob", &other).write(&other));
    assert!(core.receive().starts_with("REGISTER "));
}

/// What the core has answered well is no stranger's any more, however many UEs come from one address.
#[test]
fn registers_that_are_accepted() {
    let between = Between::with(&["--udp-limit", "65535", "--t1-ms", "20000"]);
    let (listen, core) = (&between.pcscf.listen, &between.core);
    let ue = Peer::another_ue();
    let mut register = Register::new("carol", &ue);
    let long = long();
    // Each has 60,000 bytes to be said again.
    for cseq in 1..400 {
        register.cseq = cseq;
        ue.send(listen, &register.write(&ue));
        let passed = core.receive();
        // Nobody is registered there in between.
        let gone = response(&passed, "200 OK", &long).replace(";expires=600", ";expires=0");
        core.send(listen, &gone);
        assert_eq!(status(&ue.receive()), "200", "{cseq}");
    }
}

/// Answers are kept, to be given again, for as long as there is room: then they pass all the same, and are not kept.
#[test]
fn large_answers() {
    const ALL: u64 = 256 << 20;
    let mut between = Between::with(&["--t1-ms", "20000"]);
    between.register();
    let long = long();
    let up = |_| between.up(&request("MESSAGE", &between.ue, ""));
    let all_passed: Vec<String> = (0..4_600).map(up).collect();
    for passed in &all_passed {
        let answer = response(passed, "200 OK", &long);
        between.core.send(&between.pcscf.listen, &answer);
        let answer = between.ue.receive();
        assert!(status(&answer) == "200" && answer.len() > 60_000);
    }
    between.pcscf.command(&json!({"command": "statistics"}));
    let statistics = between.pcscf.event("statistics");
    let bytes = statistics["passing_bytes"].as_u64().unwrap();
    assert!(bytes > ALL / 16 * 15 && bytes <= ALL, "{statistics}");
}

/// One host connects as often as it can. Connections to the core are made all the same.
#[test]
fn too_many_streams() {
    let mut between = Between::new();
    between.register();
    let listen = &between.pcscf.listen;
    let connect = |_| TcpStream::connect(listen).unwrap();
    let mut streams: Vec<TcpStream> = (0..520).map(connect).collect();
    let last = streams.last_mut().unwrap();
    last.set_read_timeout(Some(BOUND)).unwrap();
    assert_eq!(last.read(&mut [0]).unwrap(), 0, "it is hung up on");
    let core = TcpListener::bind(&between.core.address).unwrap();
    let message = request("MESSAGE", &between.ue, &long());
    between.ue.send(listen, &message);
    core.set_nonblocking(true).unwrap();
    while let Err(fault) = core.accept() {
        assert_eq!(fault.kind(), ErrorKind::WouldBlock);
        assert!(between.ue.is_quiet_for(10));
    }
    drop(streams);
}
