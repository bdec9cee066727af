//! How a deregistration ends, and for whom.

use ims_procedures::{drive::Verdict, regevent::subscriber::Profile};

use crate::{
    chain::{CHALLENGE, Chain, contact, ue, ue_side, watch},
    common::pcscf as edge,
    scscf::{self as home, PRIVATE, Registration, header},
};

const STEPS: [&str; 3] = [
    "P-CSCF1 asks delivery",
    "P-CSCF1 asks security association",
    "P-CSCF1 asks bearer",
];

/// Milliseconds that a registration lasts here.
const LIFETIME: u64 = 3_600_000;

/// [PD-6, T40] A P-CSCF's REGISTER is challenged by an S-CSCF that asks for credentials (401) or by a proxy before it
/// (407), or the user is said to be unavailable (480). Clients were seen to answer for ever, or to leave the user at
/// their side: here it is over after one REGISTER, or after three, and what is left at the S-CSCF ends by its time.
#[test]
fn challenged() {
    for (border, outcome, attempts) in [
        (None, "Unsupported { status: 401 }", 1),
        (Some(401), "Unsupported { status: 401 }", 1),
        (Some(407), "Unsupported { status: 407 }", 1),
        (Some(480), "Failed { status: 480 }", 3),
    ] {
        let mut observing = home::config();
        observing.observe_only = border.is_none();
        let mut chain = Chain::registered_with(edge::config(), observing);
        chain.border = border;
        chain.verdict = CHALLENGE;
        chain.access_lost(0, &ue());
        chain.wait(60_000);
        assert_eq!(chain.count("P-CSCF1 sends REGISTER"), attempts);
        let ended = format!("P-CSCF1 tells AccessLost {outcome} {attempts}: {PRIVATE}");
        chain.saw(&[&STEPS[..], &[&ended]].concat());
        assert_eq!(chain.is_registered(0, &ue()), [false, true]);
        assert_eq!(chain.count("S-CSCF asks dialogs"), 0, "nothing ended there");
        chain.wait(LIFETIME);
        chain.nothing_is_left();
        assert_eq!(chain.count("P-CSCF1 tells"), 1);
        assert_eq!(chain.count("S-CSCF tells Expired"), 1);
    }
}

/// [PD-6, T40] Nobody answers until the P-CSCF has given up; then all three answers come. A client crashed on the
/// answer to what it had forgotten: here it is one stale answer each, and no second outcome.
#[test]
fn answered_after_the_end() {
    let mut chain = Chain::registered();
    chain.hold("S-CSCF sends");
    chain.access_lost(0, &ue());
    chain.wait(200_000);
    chain.saw(&["P-CSCF1 tells AccessLost NoResponse 3"]);
    assert_eq!(chain.is_registered(0, &ue()), [false, false]);
    chain.release();
    chain.nothing_is_left();
    let answers = ["200 to REGISTER", "200 to REGISTER", "481 to REGISTER"];
    chain.saw(
        &answers
            .map(|answer| format!("S-CSCF sends {answer}"))
            .each_ref()
            .map(String::as_str),
    );
    assert_eq!(chain.count("P-CSCF1 tells"), 1);
    let stale = chain.pcscfs[0].node.counters().stale_answers;
    assert_eq!(stale, 4, "and the answer to the end of the subscription");
}

/// [SD-3, SD-4, PD-10, T41] One device goes, another of the same identity stays, as does another contact of the same
/// user: a registrar was seen to take them for gone. The 200 and the NOTIFYs say who is left, neither end touches
/// him, and no application server is told before the last has gone.
#[test]
fn registered_elsewhere() {
    let mut chain = Chain::registered();
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20:5060", "")
    };
    chain.register(0, &second);
    chain.register(0, &watch());
    chain.forget();
    chain.access_lost(0, &ue());
    assert_eq!(chain.is_registered(0, &ue()), [false, false]);
    for other in [&second, &watch()] {
        assert_eq!(chain.is_registered(0, other), [true, true]);
    }
    let accepted = chain.last("S-CSCF sends 200 to REGISTER");
    let left = |line: &str| accepted.contains(&format!("\r\nContact: {line}"));
    assert!(
        left(&format!("<{}>;expires=3600\r\n", contact(&second))),
        "{accepted}"
    );
    assert!(left(&format!(
        "<{}>;{};reg-id=1;expires=0\r\n",
        home::CONTACT,
        home::INSTANCE
    )));
    let notify = chain.last("S-CSCF sends NOTIFY");
    assert_eq!(
        notify
            .matches("state=\"terminated\" event=\"unregistered\"")
            .count(),
        1
    );
    assert_eq!(notify.matches("<contact ").count(), 3);
    assert_eq!(
        notify
            .matches("state=\"active\" event=\"registered\"")
            .count(),
        2
    );
    assert_eq!(
        chain.count("S-CSCF asks assignment"),
        0,
        "the user has a contact left"
    );

    chain.access_lost(0, &second);
    chain.saw(&[&format!("S-CSCF asks assignment 5: {PRIVATE}")]);
    assert_eq!(chain.is_registered(0, &watch()), [true, true]);
    assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 0);
    assert_eq!(chain.count("P-CSCF1 asks bearer"), 2);

    chain.access_lost(0, &watch());
    assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 1);
    chain.nothing_is_left();
}

/// [PD-1, PD-7, T43] The user deregisters himself. His 200 was lost where bearer or security associations went first,
/// so that he kept asking: here it is delivered before either is released, also when the NOTIFY is there before it,
/// and a host that never says so is waited for no longer than the bound.
#[test]
fn delivered_before_the_bearer_goes() {
    let mut chain = Chain::registered();
    chain.deregister(0, &ue());
    chain.saw(&[
        "P-CSCF1 forwards REGISTER",
        "S-CSCF asks authentication",
        "S-CSCF sends 200 to REGISTER of the UE",
        STEPS[0],
        "UE gets 200 to REGISTER",
        STEPS[1],
        STEPS[2],
        "P-CSCF1 tells User ByUser 0",
    ]);
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 0);
    chain.nothing_is_left();

    let mut subscribed_to_the_end = edge::config();
    subscribed_to_the_end.subscription.profile = Profile::Rfc6665;
    let mut chain = Chain::registered_with(subscribed_to_the_end, home::config());
    chain.hold("S-CSCF sends 200 to REGISTER of the UE");
    chain.hold(STEPS[0]);
    chain.deregister(0, &ue());
    chain.wait(4_999);
    assert_eq!(chain.count(STEPS[0]), 1, "the NOTIFY has overtaken the 200");
    assert_eq!(chain.count(STEPS[1]), 0);
    chain.release();
    // What the UE's own REGISTER may still need is left alone for 64·T1 of the core, then shortened to 64·T1 of the UE.
    chain.wait(32_000 + 128_000);
    chain.saw(&[
        "UE gets 200 to REGISTER",
        "P-CSCF1 asks shortening",
        STEPS[1],
        STEPS[2],
    ]);
    assert_eq!(chain.count("P-CSCF1 tells"), 1);
    chain.nothing_is_left();

    let mut chain = Chain::registered();
    chain.hold("P-CSCF1 asks");
    chain.deregister(0, &ue());
    // 64·T1 towards the UE, and five seconds for each of the others.
    for (expected, bound) in [([1, 0, 0], 128_000), ([1, 1, 0], 5_000), ([1, 1, 1], 5_000)] {
        assert_eq!(STEPS.map(|step| chain.count(step)), expected);
        chain.wait(bound - 1);
        assert_eq!(STEPS.map(|step| chain.count(step)), expected);
        chain.wait(1);
    }
    assert_eq!(chain.count("P-CSCF1 tells User ByUser 0"), 1);
    chain.release();
    chain.nothing_is_left();
}

/// [PD-1, SD-3, T44] `*`, the header and the parameter in every combination: a P-CSCF that counted otherwise than its
/// S-CSCF kept a ghost, or dropped a user who was there. Both ends come to the same.
#[test]
fn what_an_expiry_means() {
    const STAR: &str = "*";
    let named = ue().contacts.remove(0);
    let with = |expires: &str| format!("{named};expires={expires}");
    for (contact, header, status, stays) in [
        (STAR.to_owned(), Some("0"), 200, false),
        (STAR.to_owned(), Some("3600"), 400, true),
        (STAR.to_owned(), None, 400, true),
        (format!("*, {}", with("0")), Some("0"), 400, true),
        (named.clone(), Some("0"), 200, false),
        (with("0"), Some("3600"), 200, false),
        (with("0"), Some("0"), 200, false),
        (with("0"), None, 200, false),
        (with("3600"), Some("0"), 200, true),
        (with("3600"), None, 200, true),
        (named.clone(), None, 200, true),
    ] {
        let mut chain = Chain::registered();
        let header = header.map_or(String::new(), |value| format!("Expires: {value}\r\n"));
        let request = ue_side(&ue().removal("ue-call-1", 11))
            .replace("Expires: 0\r\n", &header)
            .replace(&format!("Contact: {named}"), &format!("Contact: {contact}"));
        assert_eq!(chain.ue_sends(0, &request), Verdict::Forward);
        chain.saw(&[&format!("UE gets {status} to REGISTER")]);
        assert_eq!(
            chain.is_registered(0, &ue()),
            [stays; 2],
            "{contact} {header}"
        );
        assert_eq!(chain.count("P-CSCF1 asks bearer"), usize::from(!stays));
        assert_eq!(
            chain.count("S-CSCF sends REGISTER to the server"),
            usize::from(!stays)
        );
        if !stays {
            chain.nothing_is_left();
        }
    }
}

/// [PD-1, SD-2, T46] A REGISTER that is challenged and never completed. A P-CSCF kept each as pending, and its table
/// filled: here nothing is kept of it at either end, a registration that is there stays as it was, and a
/// deregistration without a verdict is refused in time.
#[test]
fn never_confirmed() {
    let mut chain = Chain::new();
    chain.registrar = 401;
    for number in 0..200 {
        let request = ue_side(&ue().request())
            .replace("user1", &format!("user{number}"))
            .replace("aaa:bbb", &format!("aaa:{number:x}"));
        chain.ue_sends(0, &request);
    }
    assert_eq!(chain.count("UE gets 401 to REGISTER"), 200);
    assert_eq!(chain.count("P-CSCF1 sends"), 0, "no subscription either");
    chain.nothing_is_left();

    let mut chain = Chain::registered();
    chain.wait(LIFETIME - 10_000);
    chain.registrar = 401;
    chain.register(0, &ue());
    assert_eq!(chain.is_registered(0, &ue()), [true, true]);
    chain.hold("S-CSCF asks authentication");
    chain.deregister(0, &ue());
    chain.wait(9_999);
    assert_eq!(chain.count("UE gets"), 1, "{:#?}", chain.log);
    assert_eq!(chain.is_registered(0, &ue()), [true, true]);
    chain.wait(1);
    chain.saw(&["UE gets 401 to REGISTER", "UE gets 500 to REGISTER"]);
    chain.saw(&["S-CSCF tells Expired"]);
    chain.nothing_is_left();
}

/// [PD-4, SD-4, T47] Nobody refreshes: the time of the registration is over at both ends at once. Application servers
/// were told twice, or never: here each is told once, of the end, and not while another device is registered.
#[test]
fn servers_hear_of_an_expiry() {
    let mut chain = Chain::registered();
    chain.wait(10_000);
    chain.register(0, &watch());
    chain.wait(LIFETIME - 10_000);
    assert_eq!(chain.is_registered(0, &ue()), [false, false]);
    assert_eq!(chain.is_registered(0, &watch()), [true, true]);
    chain.saw(&["S-CSCF asks assignment 4", "S-CSCF tells Expired"]);
    assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 0);
    chain.wait(10_000);
    assert_eq!(chain.is_registered(0, &watch()), [false, false]);
    assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 1);
    let told = chain.last("S-CSCF sends REGISTER to the server");
    assert_eq!(header(told, "Expires"), Some("0"));
    assert_eq!(header(told, "To"), Some(&*format!("<{}>", home::PUBLIC)));
    assert_eq!(
        header(told, "Contact"),
        Some("<sip:scscf1.home1.example.net:5080>;expires=0")
    );
    chain.nothing_is_left();
    assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 1);
    assert_eq!(chain.count("S-CSCF tells Expired"), 2);
    assert_eq!(chain.count("P-CSCF1 tells"), 2);
}

/// A user of another identity.
fn neighbour(contact: &str) -> Registration {
    Registration {
        to: "sip:user9@home1.example.net",
        private: "user9_private@home1.example.net",
        call_id: "neighbour-call-1",
        ..Registration::of(contact, "")
    }
}

/// [PD-7, PD-10, T48] Two users behind one address, each with a port of his own. The security associations of the
/// wrong one were destroyed: here every question names private identity, public identity and contact of the one who
/// goes, and the other stays at both ends.
#[test]
fn one_address_for_two() {
    let mut chain = Chain::registered();
    let other = neighbour("sip:[2001:db8::aaa:bbb]:1358;comp=sigcomp");
    chain.register(0, &other);
    chain.access_lost(0, &ue());
    let whose = format!("{PRIVATE} {} {}", home::PUBLIC, home::CONTACT);
    let steps = STEPS.map(|step| format!("{step}: {whose}"));
    chain.saw(&steps.each_ref().map(String::as_str));
    assert_eq!(chain.count("P-CSCF1 asks"), 3);
    assert_eq!(chain.is_registered(0, &other), [true, true]);
    chain.wait(100_000);
    assert_eq!(chain.is_registered(0, &other), [true, true]);

    // The address of one who has gone unnoticed is given to another.
    let mut chain = Chain::registered();
    let other = neighbour(home::CONTACT);
    chain.register(0, &other);
    chain.deregister(0, &ue());
    chain.wait(100_000);
    chain.saw(&[&format!("{}: {PRIVATE}", STEPS[0]), "P-CSCF1 tells User"]);
    assert_eq!(
        chain.count("P-CSCF1 asks"),
        1,
        "the other needs what is there"
    );
    assert_eq!(chain.is_registered(0, &other), [true, true]);
    chain.deregister(0, &other);
    assert_eq!(chain.count("P-CSCF1 asks"), 4);
    chain.nothing_is_left();
}
