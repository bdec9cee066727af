//! What crosses a deregistration: the UE itself, the end of its time, another P-CSCF.

use ims_procedures::{drive::Verdict, pcscf, scscf::Answer, wire::Element};

use crate::{
    chain::{Chain, contact, ue, ue_side},
    scscf::{self as home, Registration},
};

/// The UE registers anew.
fn anew() -> Registration {
    Registration { cseq: 20, ..ue() }
}

/// The end of what is told.
fn told(chain: &Chain, who: &str) -> Vec<String> {
    let about = format!("{who} tells ");
    let lines = chain
        .log
        .iter()
        .filter_map(|line| line.strip_prefix(&about));
    lines
        .map(|line| line.split(": ").next().unwrap().to_owned())
        .collect()
}

/// [PD-9, SD-3, T42] The UE registers anew before the REGISTER is sent again, or while it is on its way or the S-CSCF
/// is busy with it: a server crashed, or the old request took the new binding. The UE stays registered at both ends,
/// and the P-CSCF lets go of it; its REGISTER is held until ours is answered, or for four seconds.
#[test]
fn registered_anew_meanwhile() {
    let mut chain = Chain::registered();
    chain.border = Some(503);
    chain.access_lost(0, &ue());
    chain.border = None;
    chain.register(0, &anew());
    chain.wait(200_000);
    assert_eq!(told(&chain, "P-CSCF1"), ["cancelled AccessLost"]);
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 1);
    assert_eq!(chain.is_registered(0, &ue()), [true, true]);

    for held in [
        "P-CSCF1 sends REGISTER",
        "S-CSCF asks dialogs",
        "S-CSCF asks assignment",
        "S-CSCF sends",
    ] {
        let mut chain = Chain::registered();
        chain.hold(held);
        chain.access_lost(0, &ue());
        assert!(!chain.is_registered(0, &ue())[0], "{held}");
        chain.register(0, &anew());
        chain.wait(3_999);
        assert_eq!(chain.count("P-CSCF1 holds REGISTER"), 1);
        assert_eq!(chain.count("P-CSCF1 forwards REGISTER"), 0);
        chain.release();
        chain.saw(&[
            "S-CSCF sends 200 to REGISTER",
            "P-CSCF1 forwards REGISTER",
            "UE gets 200 to REGISTER",
        ]);
        chain.wait(200_000);
        assert_eq!(
            chain.is_registered(0, &ue()),
            [true, true],
            "{held}: {:#?}",
            chain.log
        );
        assert_eq!(chain.scscf.node.subscribers(home::PUBLIC.as_bytes()), 1);
        assert_eq!(told(&chain, "P-CSCF1").len(), 1);
        assert_eq!(told(&chain, "S-CSCF"), ["Pcscf"]);
    }

    let mut chain = Chain::registered();
    chain.hold("P-CSCF1 sends REGISTER");
    chain.access_lost(0, &ue());
    for number in [20, 21] {
        chain.register(
            0,
            &Registration {
                cseq: number,
                ..ue()
            },
        );
    }
    chain.saw(&[
        "P-CSCF1 holds REGISTER",
        "UE gets 500 to REGISTER",
        "P-CSCF1 holds REGISTER",
    ]);
    chain.wait(4_000);
    chain.saw(&["P-CSCF1 forwards REGISTER", "UE gets 200 to REGISTER"]);
    chain.wait(200_000);
    assert_eq!(
        chain.count("P-CSCF1 sends REGISTER"),
        1,
        "it is lost, and not sent again"
    );
    assert_eq!(told(&chain, "P-CSCF1"), ["cancelled AccessLost"]);
    assert_eq!(chain.is_registered(0, &ue()), [true, true]);
}

/// [PD-4, SD-3, T42] The time of the registration runs out at both ends while the P-CSCF's REGISTER is on its way, or
/// the UE deregisters itself meanwhile: each end has one outcome, whoever is first, and nothing is left.
#[test]
fn expiry_and_user_cross_it() {
    let mut chain = Chain::registered();
    chain.hold("P-CSCF1 sends REGISTER");
    chain.wait(3_599_000);
    chain.access_lost(0, &ue());
    chain.wait(1_000);
    chain.saw(&["S-CSCF tells Expired"]);
    chain.release();
    assert_eq!(told(&chain, "P-CSCF1"), ["AccessLost Notified 1"]);
    assert_eq!(
        told(&chain, "S-CSCF")
            .iter()
            .filter(|line| *line == "Expired")
            .count(),
        1
    );
    chain.nothing_is_left();
    assert_eq!(told(&chain, "P-CSCF1").len(), 1);

    for held in [
        "P-CSCF1 sends REGISTER",
        "S-CSCF asks dialogs",
        "S-CSCF sends 200 to REGISTER",
    ] {
        let mut chain = Chain::registered();
        chain.hold(held);
        chain.access_lost(0, &ue());
        chain.deregister(0, &ue());
        chain.release();
        chain.nothing_is_left();
        assert_eq!(told(&chain, "P-CSCF1").len(), 1, "{held}: {:#?}", chain.log);
        assert_eq!(chain.count("P-CSCF1 asks bearer"), 1);
        assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 1);
    }
}

/// [PD-9, T45] The UE registers again while the P-CSCF still cleans up after it. Its REGISTER was refused 500 for
/// twenty seconds: here it passes at every step, and what is left of the cleanup is not asked any more.
#[test]
fn registers_during_the_cleanup() {
    for (place, step) in ["delivery", "security association", "bearer"]
        .into_iter()
        .enumerate()
    {
        let mut chain = Chain::registered();
        chain.hold(&format!("P-CSCF1 asks {step}"));
        chain.access_lost(0, &ue());
        assert_eq!(chain.count("P-CSCF1 asks"), place + 1);
        let verdict = chain.ue_sends(0, &ue_side(&anew().request()));
        assert_eq!(verdict, Verdict::Forward, "{step}");
        chain.saw(&[
            "P-CSCF1 tells AccessLost Notified 1",
            "UE gets 200 to REGISTER",
        ]);
        chain.release();
        chain.wait(100_000);
        assert_eq!(chain.count("P-CSCF1 asks"), place + 1, "{step}");
        assert_eq!(chain.is_registered(0, &ue()), [true, true]);
        assert_eq!(chain.scscf.node.subscribers(home::PUBLIC.as_bytes()), 1);
        chain.access_lost(0, &ue());
        chain.nothing_is_left();
        assert_eq!(told(&chain, "P-CSCF1").len(), 2);
    }
}

/// Two P-CSCFs, and the UE moves from the first to the second with this contact.
fn moved(to: &Registration) -> Chain {
    let mut chain = Chain::registered();
    let uri = b"sip:pcscf2.visited1.example.net:5070";
    let element = Element::new(uri, b"visited1.example.net").unwrap();
    let mut config = pcscf::Config::new(element, b"\"Visited Network Number 1\"");
    config.subscription.support_reg_event = true;
    chain.add_pcscf(config);
    chain.register(1, to);
    assert_eq!(chain.is_registered(1, to), [true, true]);
    chain.forget();
    chain
}

/// [PD-10, SD-1, SD-3, T54] The UE has moved to another P-CSCF with its contact, and the old one then loses it, or its
/// time there runs out: the REGISTER of the old one is not recognised for a binding with the Path of the new one,
/// and removes nothing. With a contact of its own there, the old P-CSCF hears of it in a NOTIFY and sends none.
#[test]
fn moved_to_another_pcscf() {
    for by_time in [false, true] {
        let mut chain = moved(&anew());
        chain.verdict = Answer::Denied;
        if by_time {
            chain.wait(1_800_000);
            chain.register(1, &Registration { cseq: 30, ..ue() });
            chain.forget();
            chain.wait(1_800_000);
        } else {
            chain.access_lost(0, &ue());
        }
        let suspicious = chain.count("S-CSCF tells suspicious");
        assert_eq!((suspicious, chain.count("S-CSCF sends 403")), (1, 1));
        assert_eq!(told(&chain, "P-CSCF1").len(), 1);
        assert!(told(&chain, "P-CSCF1")[0].ends_with("Refused 1"));
        assert_eq!(chain.is_registered(0, &ue()), [false, true]);
        assert_eq!(chain.is_registered(1, &ue()), [true, true]);
        assert_eq!(chain.count("S-CSCF asks dialogs"), 0);
        assert_eq!(chain.count("P-CSCF2 asks"), 0);
        chain.verdict = Answer::Authenticated;
        chain.deregister(1, &Registration { cseq: 40, ..ue() });
        chain.nothing_is_left();
    }

    let other = Registration {
        contacts: vec![ue().contacts[0].replace("aaa:bbb", "ddd:eee")],
        ..anew()
    };
    let chain = moved(&other);
    assert_eq!(
        chain.is_registered(0, &ue()),
        [false, false],
        "{}",
        contact(&other)
    );
    assert_eq!(chain.is_registered(1, &other), [true, true]);
}
