//! The IBCF between two networks that the test plays.

use std::{io::Write, net::TcpStream};

use serde_json::json;

use crate::{
    call::{Caller, description, response},
    peer::{Peer, refuses_what_is_forged, status, values},
    process::Process,
};

struct Border {
    inside: Peer,
    outside: Peer,
    ibcf: Process,
}

impl Border {
    fn new(options: &[&str]) -> Self {
        let (inside, outside) = (Peer::of_core(), Peer::of_core());
        let fixed = [
            "--listen",
            "127.0.0.1:0",
            "--domain",
            "ims.test",
            "--inside",
            &inside.address,
            "--outside",
            &outside.address,
        ];
        let ibcf = Process::start("relay", &[&fixed[..], options].concat());
        Self {
            inside,
            outside,
            ibcf,
        }
    }

    fn out(&self, message: &str) -> String {
        self.inside.send(&self.ibcf.listen, message);
        self.outside.receive()
    }

    fn in_(&self, message: &str) -> String {
        self.outside.send(&self.ibcf.listen, message);
        self.inside.receive()
    }

    fn statistics(&mut self) -> serde_json::Value {
        self.ibcf.command(&json!({"command": "statistics"}));
        self.ibcf.event("statistics")["messages"].clone()
    }
}

fn subscribe(from: &Peer) -> String {
    let address = &from.address;
    format!(
        "SUBSCRIBE sip:alice@home1.test SIP/2.0\r\n\
         Via: SIP/2.0/UDP {address};branch=z9hG4bK-subscribe\r\n\
         Max-Forwards: 70\r\nFrom: <sip:pcscf@visited.test>;tag=1\r\nTo: <sip:alice@home1.test>\r\n\
         Call-ID: subscription\r\nCSeq: 1 SUBSCRIBE\r\nEvent: reg\r\nX-Other:   kept\r\n\
         Contact: <sip:7@{address}>;x=1\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
    )
}

/// [IB-1] A subscription passes with its contacts translated, both ways; the NOTIFY is mapped back, its document too; no
/// subscription is made here.
#[test]
fn a_subscription_passes() {
    let outside_name = "sip:7@ibcf.visited.test";
    let inside = Peer::of_core();
    let pair = format!("sip:7@{},{outside_name}", inside.address);
    let mut border = Border::new(&[
        "--translate-contact",
        &pair,
        "--translate-aor",
        "sip:alice@inside.test,sip:alice@home1.test",
        "--trust",
        "127.0.0.3",
        "--documents",
        "translated",
    ]);
    let request = border.out(&subscribe(&inside));
    assert_eq!(
        values(&request, "Contact"),
        [format!("<{outside_name}>;x=1")]
    );
    assert_eq!(values(&request, "Via").len(), 2);
    assert_eq!(values(&request, "Max-Forwards"), ["69"]);
    assert!(request.contains("\r\nX-Other:   kept\r\n"));
    let record = format!("<sip:{};lr>", border.ibcf.listen);
    assert_eq!(values(&request, "Record-Route"), [record.as_str()]);

    let contact = format!(
        "Contact: <sip:notifier@{}>\r\nExpires: 600\r\n",
        border.outside.address
    );
    let accepted = response(&request, "200 OK", &contact, "");
    border.outside.send(&border.ibcf.listen, &accepted);
    let accepted = inside.receive();
    assert_eq!(status(&accepted), "200");
    assert_eq!(values(&accepted, "Via").len(), 1);

    let document = "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" \
        version=\"0\" state=\"full\"><registration aor=\"sip:alice@home1.test\" id=\"a\" \
        state=\"terminated\"/></reginfo>";
    let length = document.len();
    let notify = format!(
        "NOTIFY {outside_name} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {};branch=z9hG4bK-notify\r\n\
         Max-Forwards: 70\r\nRoute: {record}\r\n\
         From: <sip:alice@home1.test>;tag=callee\r\nTo: <sip:pcscf@visited.test>;tag=1\r\n\
         Call-ID: subscription\r\nCSeq: 1 NOTIFY\r\nEvent: reg\r\n\
         Subscription-State: active;expires=600\r\nContent-Type: application/reginfo+xml\r\n\
         Content-Length: {length}\r\n\r\n{document}",
        border.outside.address
    );
    border.outside.send(&border.ibcf.listen, &notify);
    let notify = inside.receive();
    assert!(
        notify.starts_with(&format!("NOTIFY sip:7@{} SIP", inside.address)),
        "{notify}"
    );
    assert!(notify.contains("aor=\"sip:alice@inside.test\""), "{notify}");
    assert!(values(&notify, "Route").is_empty());
    // Its answer goes out, although its port is not that of the next element inside.
    let contact = format!("Contact: <sip:7@{}>\r\n", inside.address);
    inside.send(
        &border.ibcf.listen,
        &response(&notify, "200 OK", &contact, ""),
    );
    let taken = border.outside.receive();
    assert_eq!(status(&taken), "200");
    assert_eq!(values(&taken, "Contact"), [format!("<{outside_name}>")]);
    let counted = border.statistics();
    assert_eq!(
        (&counted["relayed"], &counted["translated"]),
        (&json!(4), &json!(3))
    );
}

/// Everything else passes as it is; a refusal of an INVITE is acknowledged on either side.
#[test]
fn a_call_passes() {
    let mut border = Border::new(&[]);
    let offer = description(&border.inside, &[1000]);
    let caller = Caller::call(&border.inside, &border.ibcf.listen, "", &offer);
    assert_eq!(status(&border.inside.receive()), "100");
    let invite = border.outside.receive();
    assert!(invite.ends_with(&offer));
    assert_eq!(
        values(&invite, "Contact"),
        values(&caller.invite, "Contact")
    );
    // It comes again: that is between the caller and the IBCF.
    caller.send(&caller.invite);
    assert_eq!(status(&border.inside.receive()), "100");
    let busy = response(&invite, "486 Busy Here", "", "");
    border.outside.send(&border.ibcf.listen, &busy);
    let ack = border.outside.receive();
    assert!(
        ack.starts_with("ACK ") && values(&ack, "Via").len() == 1,
        "{ack}"
    );
    assert_eq!(values(&ack, "Via")[0], values(&invite, "Via")[0]);
    let refused = border.inside.receive();
    assert_eq!(status(&refused), "486");
    caller.send(&caller.beside("ACK", values(&refused, "To")[0]));
    assert!(border.statistics()["others"].as_u64().unwrap() >= 3);

    let message = subscribe(&border.outside).replace("SUBSCRIBE", "MESSAGE");
    let passed = border.in_(&message);
    assert!(passed.starts_with("MESSAGE "));
}

/// A response that it has not asked for goes nowhere.
#[test]
fn a_forged_response() {
    let border = Border::new(&[]);
    let passed = border.out(&subscribe(&border.inside));
    let (listen, outside) = (&border.ibcf.listen, &border.outside);
    assert!(refuses_what_is_forged(listen, outside, &passed));
}

/// The inside over TCP, on a connection that it has made: what it sends goes out. Where both sides are on one machine, who
/// connects is of the outside, whatever its Via says.
#[test]
fn who_connects() {
    let inside = Peer::of_element();
    for (outside, is_passed_out) in [(Peer::ue(), true), (Peer::of_element(), false)] {
        let options = [
            "--listen",
            "127.0.0.1:0",
            "--domain",
            "ims.test",
            "--inside",
            &inside.address,
            "--outside",
            &outside.address,
        ];
        let ibcf = Process::start("relay", &options);
        let mut stream = TcpStream::connect(&ibcf.listen).unwrap();
        let request = subscribe(&inside).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        stream.write_all(request.as_bytes()).unwrap();
        let receiver = if is_passed_out { &outside } else { &inside };
        assert!(receiver.receive().starts_with("SUBSCRIBE "));
    }
}

/// [IB-1] Another element of the inside, to which a Route has led: what comes from there has its contact translated, and
/// goes out.
#[test]
fn another_element_inside() {
    let (inside, other, outside) = (Peer::of_element(), Peer::of_core(), Peer::ue());
    let name = "sip:notifier@ibcf.ims.test";
    let notifier = format!("sip:notifier@{}", other.address);
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--domain",
        "ims.test",
        "--inside",
        &inside.address,
        "--outside",
        &outside.address,
        "--trust",
        "127.0.0.3",
        "--translate-contact",
        &format!("{notifier},{name}"),
    ];
    let ibcf = Process::start("relay", &options);
    let route = format!("Route: <sip:{};lr>", other.address);
    outside.send(
        &ibcf.listen,
        &subscribe(&outside).replace("X-Other:   kept", &route),
    );
    let request = other.receive();
    let contact = format!("Contact: <{notifier}>\r\nExpires: 600\r\n");
    other.send(&ibcf.listen, &response(&request, "200 OK", &contact, ""));
    let accepted = outside.receive();
    assert_eq!(status(&accepted), "200");
    assert_eq!(values(&accepted, "Contact"), [format!("<{name}>")]);

    let record = values(&request, "Record-Route")[0];
    let notify = subscribe(&other)
        .replace("SUBSCRIBE", "NOTIFY")
        .replace("z9hG4bK-subscribe", "z9hG4bK-notify")
        .replace(
            "sip:alice@home1.test SIP",
            &format!("sip:7@{} SIP", outside.address),
        )
        .replace(
            "To: <sip:alice@home1.test>",
            "To: <sip:alice@home1.test>;tag=callee",
        )
        .replace("X-Other:   kept", &format!("Route: {record}"))
        .replace(
            &format!("sip:7@{}>;x=1", other.address),
            &format!("{notifier}>"),
        );
    other.send(&ibcf.listen, &notify);
    let notified = outside.receive();
    assert!(notified.starts_with("NOTIFY "), "{notified}");
    assert_eq!(values(&notified, "Contact"), [format!("<{name}>")]);
    outside.send(&ibcf.listen, &response(&notified, "200 OK", "", ""));
    assert_eq!(status(&other.receive()), "200");
    assert!(inside.is_quiet_for(100));
}

/// No stranger chooses whom the IBCF talks to: from outside, a Route and a Request-URI lead to the inside and no further.
#[test]
fn no_proxy_for_strangers() {
    let border = Border::new(&[]);
    let stranger = Peer::ue();
    let route = format!("Route: <sip:{};lr>", stranger.address);
    let message = subscribe(&border.outside).replace("SUBSCRIBE", "MESSAGE");
    let routed = message.replace("X-Other:   kept", &route);
    assert_eq!(values(&border.in_(&routed), "Route").len(), 1);
    let target = format!("sip:{} SIP/2.0", stranger.address);
    let within = message
        .replace("sip:alice@home1.test SIP/2.0", &target)
        .replace(
            "To: <sip:alice@home1.test>",
            "To: <sip:alice@home1.test>;tag=2",
        )
        .replace("z9hG4bK-subscribe", "z9hG4bK-within");
    assert!(border.in_(&within).starts_with("MESSAGE "));
    assert!(stranger.is_quiet_for(100));
    border.inside.send(
        &border.ibcf.listen,
        &routed.replace("z9hG4bK-subscribe", "z9hG4bK-out"),
    );
    assert!(stranger.receive().starts_with("MESSAGE "));
}

/// Requests that nobody answers take so much room and no more: then others are refused.
#[test]
fn too_many_requests() {
    let border = Border::new(&["--udp-limit", "65535"]);
    let message = subscribe(&border.inside).replace("SUBSCRIBE", "MESSAGE");
    let long = format!("X-Long: {}\r\n", "y".repeat(15_000)).repeat(4);
    let message = message.replace("X-Other:   kept\r\n", &long);
    let send = |number: u32| {
        let branch = format!("z9hG4bK-{number}");
        let message = message.replace("z9hG4bK-subscribe", &branch);
        border.inside.send(&border.ibcf.listen, &message);
    };
    let refused = (1..3_000).find(|number| {
        send(*number);
        !border.inside.is_quiet_for(2)
    });
    // Each has 60,000 bytes as it comes, and as it goes.
    assert!(refused.is_some_and(|number| number > 1_500), "{refused:?}");
    send(3_000);
    let refused = border.inside.receive();
    assert_eq!(status(&refused), "503");
    assert_eq!(values(&refused, "Retry-After"), ["10"]);
}

/// A CANCEL is answered here, and follows the INVITE when that has shown a sign.
#[test]
fn a_call_is_cancelled() {
    let border = Border::new(&[]);
    let offer = description(&border.inside, &[1000]);
    let caller = Caller::call(&border.inside, &border.ibcf.listen, "", &offer);
    assert_eq!(status(&border.inside.receive()), "100");
    let invite = border.outside.receive();
    let cancel = caller.beside("CANCEL", "<sip:bob@home2.test>");
    assert_eq!(
        status(&border.inside.ask(&border.ibcf.listen, &cancel)),
        "200"
    );
    border.outside.send(
        &border.ibcf.listen,
        &response(&invite, "180 Ringing", "", ""),
    );
    assert_eq!(status(&border.inside.receive()), "180");
    let cancel = border.outside.receive();
    assert!(cancel.starts_with("CANCEL "), "{cancel}");
    assert_eq!(values(&cancel, "Via"), [values(&invite, "Via")[0]]);
    border
        .outside
        .send(&border.ibcf.listen, &response(&cancel, "200 OK", "", ""));
    assert!(border.outside.is_quiet_for(700));
    border.outside.send(
        &border.ibcf.listen,
        &response(&invite, "487 Request Terminated", "", ""),
    );
    assert!(border.outside.receive().starts_with("ACK "));
    let ended = border.inside.receive();
    assert_eq!(status(&ended), "487");
    caller.send(&caller.beside("ACK", values(&ended, "To")[0]));
    let nothing = caller.beside("CANCEL", "<sip:bob@home2.test>");
    let nothing = nothing.replace("z9hG4bK-invite", "z9hG4bK-nothing");
    let answer = border.inside.ask(&border.ibcf.listen, &nothing);
    assert_eq!(status(&answer), "481");
}

/// What a proxy owes: 420 to what it is to support and does not, 483 to what has come too far.
#[test]
fn what_does_not_pass() {
    let border = Border::new(&[]);
    let message = subscribe(&border.inside).replace("SUBSCRIBE", "MESSAGE");
    let extension = message.replace("X-Other:   kept", "Proxy-Require: x");
    let refused = border.inside.ask(&border.ibcf.listen, &extension);
    assert_eq!(status(&refused), "420");
    assert_eq!(values(&refused, "Unsupported"), ["x"]);
    let far = message.replace("Max-Forwards: 70", "Max-Forwards: 0");
    let refused = border.inside.ask(&border.ibcf.listen, &far);
    assert_eq!(status(&refused), "483");
    assert!(border.outside.is_quiet_for(50));
    let uncounted = message.replace("Max-Forwards: 70\r\n", "");
    let uncounted = uncounted.replace("z9hG4bK-subscribe", "z9hG4bK-uncounted");
    assert_eq!(values(&border.out(&uncounted), "Max-Forwards"), ["70"]);
}

/// [IB-1] A document that cannot be read passes as it came and is told; or it is refused, if that is wanted.
#[test]
fn what_cannot_be_read() {
    let notify = |from: &Peer| {
        subscribe(from).replace("SUBSCRIBE", "NOTIFY").replace(
            "Content-Length: 0\r\n\r\n",
            "Content-Type: application/reginfo+xml\r\n\r\n<no",
        )
    };
    let options = ["--documents", "translated", "--unread"];
    let mut border = Border::new(&[&options[..], &["passed"]].concat());
    let passed = border.in_(&notify(&border.outside));
    assert!(passed.ends_with("\r\n\r\n<no"));
    border.ibcf.event("unread");
    let mut border = Border::new(&[&options[..], &["refused"]].concat());
    let refused = border
        .outside
        .ask(&border.ibcf.listen, &notify(&border.outside));
    assert_eq!(status(&refused), "400");
    border.ibcf.event("rejected");
    assert_eq!(border.statistics()["refused"], 1);
}
