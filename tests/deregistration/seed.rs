//! Every sentence of S0 from "It is therefore proposed" on has its test; the lines are those of its file.
//!
//! | line | sentence in short | test |
//! |---|---|---|
//! | S0 L13 | P-CSCF-initiated deregistration functions as follows | `as_follows` |
//! | S0 L15 | it follows a trigger | `only_after_a_trigger` |
//! | S0 L17 | the P-CSCF is instructed to shut down | `instructed_to_shut_down` |
//! | S0 L19 | the IP-CAN says that a UE is lost which has not cancelled its registration | `lost_by_the_ip_can` |
//! | S0 L21 | a timer of the P-CSCF expires | `a_timer_expires`, `security_associations_run_out` |
//! | S0 L23 | a REGISTER with Expires 0 goes towards the S-CSCF | `a_register_with_expires_0` |
//! | S0 L25 | the S-CSCF knows it by asserted identity and Via, and applies no security functions | `no_security_functions` |
//! | S0 L25 | it performs normal deregistration | `normal_deregistration` |
//! | S0 L27 | a NOTIFY reaches the P-CSCF, which cleans up | `a_notify_and_the_cleanup` |
//! | S0 L29 | in line with the current functionality | `in_line_with_the_users_own` |
//! | S0 L29 | the CR has the signalling details | `the_signalling_details` |

use std::collections::BTreeSet;

use ims_procedures::{
    drive::{Node, Verdict},
    pcscf::{self, Command, Evidence, Shutdown, Ue},
    regevent::subscriber::Profile,
};

use crate::{
    chain::{Chain, contact, ue, ue_side, watch},
    common::pcscf as edge,
    fixture,
    scscf::{self as home, PRIVATE, PUBLIC, header},
};

/// [PD-3, PD-5, SD-1, SD-3, PD-7] S0 L13: the whole procedure, from the trigger to the last outcome, in order.
#[test]
fn as_follows() {
    let mut chain = Chain::registered();
    chain.access_lost(0, &ue());
    let whose = format!("{PRIVATE} {PUBLIC} {}", home::CONTACT);
    chain.saw(&[
        "P-CSCF1 sends REGISTER",
        &format!("S-CSCF asks dialogs: <{}>", home::CONTACT),
        &format!("S-CSCF asks assignment 5: {PRIVATE}"),
        "S-CSCF sends 200 to REGISTER",
        "S-CSCF sends NOTIFY to P-CSCF1",
        &format!("P-CSCF1 asks delivery: {whose}"),
        &format!("P-CSCF1 asks security association: {whose}"),
        &format!("P-CSCF1 asks bearer: {whose}"),
        &format!("P-CSCF1 tells AccessLost Notified 1: {whose}"),
    ]);
    chain.saw(&[
        "S-CSCF sends REGISTER to the server",
        "Server sends 200",
        &format!("S-CSCF tells Pcscf: <{}>", home::CONTACT),
    ]);
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 1);
    chain.nothing_is_left();
}

/// [PD-3, PD-4] S0 L15: without a trigger nothing is sent, however long the UE refreshes; after each there is one
/// REGISTER.
#[test]
fn only_after_a_trigger() {
    let mut chain = Chain::registered();
    for round in 0..20 {
        chain.wait(3_500_000);
        let refresh = home::Registration {
            cseq: 11 + round,
            ..ue()
        };
        chain.register(0, &refresh);
    }
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 0);
    assert_eq!(chain.is_registered(0, &ue()), [true, true]);
    chain.access_lost(0, &ue());
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 1);
    chain.register(0, &home::Registration { cseq: 40, ..ue() });
    chain.wait(3_600_000);
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 2);
    chain.nothing_is_left();
}

/// [PD-2] S0 L17: instructed to shut down, the P-CSCF deregisters everybody, and says when it is done; a user who
/// registers meanwhile is refused.
#[test]
fn instructed_to_shut_down() {
    let mut chain = Chain::registered();
    chain.register(0, &watch());
    chain.forget();
    chain.hold("S-CSCF asks dialogs");
    let deadline = chain.now().after(60_000);
    let order = Command::Shutdown(Shutdown::until(deadline));
    assert_eq!(chain.command(0, order), Verdict::Handled);
    let refused = chain.ue_sends(0, &ue_side(&ue().request()));
    assert!(
        matches!(refused, Verdict::Refuse { status: 503, .. }),
        "{refused:?}"
    );
    chain.release();
    chain.wait(10_000);
    for user in [ue(), watch()] {
        assert_eq!(chain.is_registered(0, &user), [false, false]);
        chain.saw(&[&format!(
            "P-CSCF1 tells Shutdown Notified 1: {}",
            user.private
        )]);
    }
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 2);
    assert_eq!(chain.count("P-CSCF1 tells end 2 2"), 1);
    chain.nothing_is_left();
}

/// [PD-3] S0 L19: a UE that the IP-CAN reports as lost is deregistered. One that has cancelled its registration
/// already, or has none, is not.
#[test]
fn lost_by_the_ip_can() {
    let mut chain = Chain::registered();
    chain.access_lost(0, &ue());
    chain.saw(&[
        "P-CSCF1 sends REGISTER",
        "P-CSCF1 tells AccessLost Notified 1",
    ]);
    assert_eq!(chain.is_registered(0, &ue()), [false, false]);

    let mut chain = Chain::registered();
    chain.hold("P-CSCF1 asks bearer");
    chain.deregister(0, &ue());
    assert_eq!(report(&mut chain), Verdict::NotMine);
    chain.release();
    chain.wait(100_000);
    assert_eq!(report(&mut chain), Verdict::NotMine);
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 0);
    chain.saw(&["P-CSCF1 tells User ByUser 0"]);
    chain.nothing_is_left();
}

/// The access network reports a loss.
fn report(chain: &mut Chain) -> Verdict {
    let evidence = Evidence::BearerLost;
    let contact = home::CONTACT.as_bytes();
    chain.command(
        0,
        Command::AccessLost {
            ue: Ue::at(contact),
            evidence,
        },
    )
}

/// [PD-4] S0 L21: the timer that keeps the registration expires without a refresh: at its end, or so long before as
/// the operator says. Not a millisecond sooner.
#[test]
fn a_timer_expires() {
    for threshold in [0, 5_000] {
        let mut config = edge::config();
        config.registration_threshold = threshold;
        let mut chain = Chain::registered_with(config, home::config());
        chain.wait(3_599_999 - threshold);
        assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 0);
        let timer = chain.pcscfs[0].node.deadline().unwrap().1;
        assert_eq!(timer.0, "registration lifetime");
        chain.wait(1);
        assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 1);
        chain.saw(&["P-CSCF1 tells RegistrationTimer Notified 1"]);
        let cause = if threshold == 0 { "Expired" } else { "Pcscf" };
        chain.saw(&[&format!("S-CSCF tells {cause}")]);
        assert_eq!(chain.is_registered(0, &ue()), [false, false]);
        chain.nothing_is_left();
    }
}

/// [PD-4] S0 L21: so does the timer of the security associations, at their end, or so long before as the operator says;
/// not if they are renewed, and not before 30 s after the registration if they follow it (TS 24.229 7.8).
#[test]
fn security_associations_run_out() {
    for threshold in [0, 5_000] {
        let mut config = edge::config();
        config.association_threshold = threshold;
        let mut chain = Chain::registered_with(config, home::config());
        let protected = |lifetime| Command::Protected {
            ue: Ue::at(home::CONTACT.as_bytes()),
            lifetime,
        };
        chain.command(0, protected(Some(600)));
        chain.wait(500_000);
        chain.command(0, protected(Some(600)));
        chain.wait(599_999 - threshold);
        assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 0);
        assert_eq!(chain.is_registered(0, &ue()), [true, true]);
        chain.wait(1);
        chain.saw(&[
            "P-CSCF1 sends REGISTER",
            "S-CSCF tells Pcscf",
            "P-CSCF1 tells SecurityAssociationTimer Notified 1",
        ]);
        chain.nothing_is_left();

        let mut chain = Chain::registered();
        chain.command(0, protected(None));
        chain.wait(3_600_000);
        chain.saw(&["P-CSCF1 tells RegistrationTimer Notified 1"]);
    }
}

/// [PD-5] S0 L23: what the P-CSCF sends is a REGISTER with Expires 0, and it reaches the S-CSCF as it is.
#[test]
fn a_register_with_expires_0() {
    let mut chain = Chain::registered();
    chain.access_lost(0, &ue());
    let register = chain.last("P-CSCF1 sends REGISTER");
    assert!(register.starts_with("REGISTER sip:home1.example.net SIP/2.0\r\n"));
    assert_eq!(header(register, "Expires"), Some("0"));
    let named = header(register, "Contact").unwrap();
    assert!(
        named.starts_with(&format!("<{}>", contact(&ue()))),
        "{named}"
    );
    assert!(named.ends_with(";expires=0"), "{named}");
    let accepted = chain.last("S-CSCF sends 200 to REGISTER");
    for copied in ["Via", "From", "Call-ID", "CSeq"] {
        assert_eq!(header(accepted, copied), header(register, copied));
    }
}

/// [SD-1, SD-2] S0 L25, its first sentence: P-Asserted-Identity is the URI of the P-CSCF, no Via has the address of
/// the UE, and the S-CSCF neither challenges nor asks for a verdict. A user's own has neither mark, and is asked for.
#[test]
fn no_security_functions() {
    let mut chain = Chain::registered();
    chain.access_lost(0, &ue());
    let register = chain.last("P-CSCF1 sends REGISTER");
    let asserted = header(register, "P-Asserted-Identity");
    assert_eq!(asserted, Some("<sip:pcscf1.visited1.example.net:5070>"));
    let vias: Vec<_> = register
        .lines()
        .filter(|line| line.starts_with("Via: "))
        .collect();
    assert_eq!(vias.len(), 1);
    assert!(
        vias[0].contains(" pcscf1.visited1.example.net:5070;"),
        "{vias:?}"
    );
    assert_eq!(chain.count("S-CSCF asks authentication"), 0);
    assert_eq!(chain.count("S-CSCF sends 401"), 0);
    assert_eq!(chain.scscf.node.counters().pcscf_initiated, 1);

    let mut chain = Chain::registered();
    chain.deregister(0, &ue());
    assert_eq!(chain.count("S-CSCF asks authentication: []"), 1);
    assert_eq!(chain.scscf.node.counters().user_initiated, 1);
}

/// [SD-3, SD-4] S0 L25, its second sentence: what the S-CSCF does for a user's own deregistration it does for this
/// one: dialogs, HSS, 200, NOTIFY, application server, in the same order; only the authentication is left out.
#[test]
fn normal_deregistration() {
    let [own, theirs] = [Chain::deregister, Chain::access_lost].map(|end| {
        let mut chain = Chain::registered_with(subscribed_to_the_end(), home::config());
        end(&mut chain, 0, &ue());
        assert!(!chain.scscf.node.is_registered(PUBLIC.as_bytes()));
        let at_home = chain.log.iter().filter(|line| line.starts_with("S-CSCF "));
        let lines = at_home.map(|line| line.replace(" of the UE", ""));
        lines.collect::<Vec<_>>()
    });
    let without: Vec<_> = own
        .into_iter()
        .filter(|line| !line.contains("authentication"))
        .map(|line| line.replace("tells User", "tells Pcscf"))
        .collect();
    assert_eq!(without, theirs);
    assert_eq!(theirs.len(), 6);
}

/// A P-CSCF that keeps its subscription until the network ends it.
fn subscribed_to_the_end() -> pcscf::Config {
    let mut config = edge::config();
    config.subscription.profile = Profile::Rfc6665;
    config
}

/// [RN-2, PD-7] S0 L27: the NOTIFY says that the public identity is deregistered; until it is there the P-CSCF only
/// waits, and then cleans up, in order and once.
#[test]
fn a_notify_and_the_cleanup() {
    let mut chain = Chain::registered();
    chain.hold("S-CSCF sends NOTIFY");
    chain.access_lost(0, &ue());
    chain.wait(20_000);
    assert_eq!(chain.count("P-CSCF1 asks"), 0);
    let (_, timer) = chain.pcscfs[0].node.deadline().unwrap();
    assert_eq!(timer.0, "NOTIFY after deregistration");
    let notify = chain.last("S-CSCF sends NOTIFY");
    assert_eq!(header(notify, "Event"), Some("reg"));
    assert_eq!(
        header(notify, "Subscription-State"),
        Some("terminated;reason=noresource")
    );
    assert!(
        notify.contains(&format!("<registration aor=\"{PUBLIC}\" ")),
        "{notify}"
    );
    assert!(notify.contains("state=\"terminated\""));
    assert!(notify.contains(&format!("<uri>{}</uri>", home::CONTACT)));
    chain.release();
    chain.saw(&[
        "P-CSCF1 asks delivery",
        "P-CSCF1 asks security association",
        "P-CSCF1 asks bearer",
        "P-CSCF1 tells AccessLost Notified 1",
    ]);
    assert_eq!(chain.count("P-CSCF1 sends 200 to NOTIFY"), 1);
    assert_eq!(chain.count("P-CSCF1 asks"), 3);
    chain.nothing_is_left();
}

/// [SD-4, PD-7] S0 L29, its first sentence: a user's own deregistration and this one have the same 200 and NOTIFY,
/// identifiers apart, and the same cleanup.
#[test]
fn in_line_with_the_users_own() {
    let [own, theirs] = [Chain::deregister, Chain::access_lost].map(|end| {
        let mut chain = Chain::registered_with(subscribed_to_the_end(), home::config());
        end(&mut chain, 0, &ue());
        let notify = chain.last("S-CSCF sends NOTIFY");
        let (_, document) = notify.split_once("\r\n\r\n").unwrap();
        let accepted = chain.last("S-CSCF sends 200 to REGISTER");
        let cleanup = chain
            .log
            .iter()
            .filter(|line| line.starts_with("P-CSCF1 asks"));
        let names = |message: &str| {
            let lines = message.lines().filter_map(|line| line.split_once(": "));
            lines
                .map(|(name, _)| name.to_owned())
                .collect::<BTreeSet<_>>()
        };
        (
            shape(document),
            header(accepted, "Contact").unwrap().to_owned(),
            names(accepted),
            names(notify.split("\r\n\r\n").next().unwrap()),
            cleanup.cloned().collect::<Vec<_>>(),
        )
    });
    assert_eq!(own, theirs);
    assert_eq!(own.4.len(), 3);
}

/// A document without what names a registration, and the REGISTER that changed it.
fn shape(document: &str) -> String {
    let mut shape = document.to_owned();
    for attribute in [" id=\"", " callid=\"", " cseq=\""] {
        let mut pieces = shape.split(attribute);
        let mut without = pieces.next().unwrap().to_owned();
        for piece in pieces {
            without.push_str(piece.split_once('"').unwrap().1);
        }
        shape = without;
    }
    shape
}

/// [PD-5] S0 L29, its second sentence: every header of the REGISTER is as the clauses have it, byte for byte, and the
/// S-CSCF takes it.
#[test]
fn the_signalling_details() {
    let mut chain = Chain::registered();
    chain.access_lost(0, &ue());
    let register = chain.last("P-CSCF1 sends REGISTER");
    fixture::matches("register", register.as_bytes(), &mut fixture::Values::new());
    chain.saw(&["P-CSCF1 sends REGISTER", "S-CSCF sends 200 to REGISTER"]);
}
