//! What a UE, or somebody who is none, may not have the P-CSCF do.

use crate::{
    pcscf::{Between, request, response, within},
    peer::{Peer, Register, status, values},
};

/// What the core leaves unanswered does not come again.
const PATIENT: [&str; 2] = ["--t1-ms", "20000"];

/// RFC 5626 5.2: no token leads anywhere but one that was given, to a flow that there is or in the dialog that it is of.
#[test]
fn a_token_that_was_not_given() {
    let mut between = Between::with(&PATIENT);
    let register = between.register();
    let own = Between::token(&register).to_owned();
    let listen = between.pcscf.listen.clone();
    let (core, stranger) = (&between.core, Peer::ue());
    let by = |token: &str| {
        let route = format!("Route: <sip:{token}@{listen};lr>\r\n");
        within(&request("MESSAGE", core, &route))
    };
    let (port, address) = (stranger.address.rsplit_once(':').unwrap().1, 0x7f00_0009u64);
    let number = address << 17 | port.parse::<u64>().unwrap() << 1;
    let seal = own.split_once('-').unwrap().1;
    for token in [format!("ue{number:x}"), format!("ue{number:x}-{seal}")] {
        assert_eq!(status(&core.ask(&listen, &by(&token))), "403");
    }
    assert!(stranger.is_quiet_for(100));

    // That of a dialog is good in the dialog, and in no other.
    let begun = between.up(&request("SUBSCRIBE", &between.ue, ""));
    let (_, of_dialog) = values(&begun, "Record-Route")[0].split_once(':').unwrap();
    let of_dialog = of_dialog.split_once('@').unwrap().0;
    assert!(between.down(&by(of_dialog)).starts_with("MESSAGE "));
    let other = by(of_dialog).replace("Call-ID: other", "Call-ID: another");
    assert_eq!(status(&between.core.ask(&listen, &other)), "403");

    // That of a registration lasts as long as it does.
    assert!(between.down(&by(&own)).starts_with("MESSAGE "));
    let mut ends = Register::new("alice", &between.ue);
    (ends.cseq, ends.expires) = (2, 0);
    let passed = between.up(&ends.write(&between.ue));
    let ended = response(&passed, "200 OK", "").replace("Contact: ", "X-Contact: ");
    between.core.send(&listen, &ended);
    assert_eq!(status(&between.ue.receive()), "200");
    between.pcscf.event("deregistered");
    assert_eq!(status(&between.core.ask(&listen, &by(&own))), "430");
}

/// A UE that says that it is in a dialog takes the Service-Route all the same, unless its Route is that of the dialog; and
/// nobody is led back to the P-CSCF, however often it stands in Route.
#[test]
fn a_route_to_the_pcscf_itself() {
    let mut between = Between::with(&PATIENT);
    let listen = between.pcscf.listen.clone();
    let other = Peer::ue();
    let token = Between::token(&between.register()).to_owned();
    let own = format!("<sip:{listen};lr>");
    let twice = format!("Route: {own}, <sip:{token}@{listen};lr>\r\nRoute: {own}\r\n");
    let begins = |lines: &str| within(&request("MESSAGE", &between.ue, lines));
    assert!(values(&between.up(&begins(&twice)), "Route").is_empty());

    let scscf = format!("<sip:orig@{};lr>", between.core.address);
    between.register_with(2, &format!("Service-Route: {scscf}\r\n"));
    let chosen = format!("Route: <sip:elsewhere@{};lr>\r\n", between.core.address);
    let begins = |lines: &str| within(&request("MESSAGE", &between.ue, lines));
    for lines in [twice.as_str(), chosen.as_str()] {
        assert_eq!(values(&between.up(&begins(lines)), "Route"), [&scscf]);
    }
    // Nor does the route of another dialog help, or that of one's registration.
    let begun = between.up(&request("SUBSCRIBE", &between.ue, ""));
    let dialog = values(&begun, "Record-Route")[0];
    let next = format!("<sip:next@{};lr>", between.core.address);
    let of_dialog = begins(&format!("Route: {dialog}\r\nRoute: {next}\r\n"));
    assert_eq!(values(&between.up(&of_dialog), "Route"), [&next]);
    let of_another = of_dialog
        .replace("Call-ID: other", "Call-ID: another")
        .replace(";branch=z9hG4bK", ";branch=z9hG4bK-another");
    assert_eq!(values(&between.up(&of_another), "Route"), [&scscf]);
    let of_registration = begins(&format!("Route: <sip:{token}@{listen};lr>, {next}\r\n"));
    assert_eq!(values(&between.up(&of_registration), "Route"), [&scscf]);
    assert!(other.is_quiet_for(50));
}

/// The P-CSCF is at an address that it trusts: a name that leads there leads a UE nowhere.
#[test]
fn a_name_of_the_pcscf_itself() {
    let free = Peer::of_element().address;
    let name = format!("own.test={free}");
    let mut between = Between::at(&free, &["--trust", "127.0.0.1", "--resolve", &name]);
    between.register();
    let route = "Route: <sip:own.test;lr>\r\n";
    let passed = between.up(&request("MESSAGE", &between.ue, route));
    assert_eq!(values(&passed, "Via").len(), 2);
}

/// Two UEs behind one P-CSCF: who is called sees in the Vias what it would take to answer the caller itself, past the S-CSCF, and
/// cannot.
#[test]
fn an_answer_in_the_place_of_the_core() {
    let mut between = Between::with(&PATIENT);
    let listen = between.pcscf.listen.clone();
    between.register();
    let callee = Peer::ue();
    let register = Register::new("bob", &callee).write(&callee);
    callee.send(&listen, &register);
    let passed = between.core.receive();
    let token = Between::token(&passed).to_owned();
    between.core.send(&listen, &response(&passed, "200 OK", ""));
    assert_eq!(status(&callee.receive()), "200");

    let (ue, core) = (&between.ue, &between.core);
    assert_eq!(status(&ue.ask(&listen, &request("INVITE", ue, ""))), "100");
    let by_core = core.receive();
    let via = format!("Via: SIP/2.0/UDP {};branch=z9hG4bK-core\r\n", core.address);
    let route = format!("Route: <sip:{token}@{listen};lr>\r\n");
    let (line, rest) = by_core.split_once("\r\n").unwrap();
    let to_callee = format!("{line}\r\n{via}{route}{rest}");
    assert_eq!(status(&core.ask(&listen, &to_callee)), "100");
    let by_callee = callee.receive();
    assert_eq!(values(&by_callee, "Via").len(), 4);
    for (answered, reaches) in [(&by_core, false), (&by_callee, true)] {
        callee.send(&listen, &response(answered, "180 Ringing", ""));
        assert_eq!(!core.is_quiet_for(100), reaches);
        assert!(ue.is_quiet_for(50));
    }
    core.send(&listen, &response(&by_core, "180 Ringing", ""));
    assert_eq!(status(&ue.receive()), "180");
}
