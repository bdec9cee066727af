//! A P-CSCF that is shut down while its users are there.

use ims_procedures::{
    drive::Verdict,
    pcscf::{self, Command, Shutdown, Ue},
};

use crate::{
    chain::{Chain, contact, ue, ue_side, watch},
    common::pcscf as edge,
    scscf::{self as home, Registration, header},
};

/// A user with an identity of his own; `params` are those of his contact's URI.
fn numbered(number: usize, params: &str) -> Registration {
    let leak = |text: String| -> &'static str { text.leak() };
    Registration {
        to: leak(format!("sip:number{number}@home1.example.net")),
        private: leak(format!("number{number}_private@home1.example.net")),
        call_id: leak(format!("number-call-{number}")),
        ..Registration::of(&format!("sip:[2001:db8::{number:x}]:1357{params}"), "")
    }
}

/// An emergency registration.
fn emergency(number: usize) -> Registration {
    numbered(number, ";sos")
}

fn in_dialog<'c>(contact: &'c str) -> Command<'c> {
    Command::DialogsChanged {
        ue: Ue::at(contact.as_bytes()),
        present: true,
    }
}

/// The contacts of the REGISTERs of a P-CSCF, in the order in which they went.
fn asked(chain: &Chain) -> Vec<&str> {
    let registers = chain
        .sent
        .iter()
        .filter(|sent| sent.line == "P-CSCF1 sends REGISTER");
    let contacts = registers.map(|sent| header(&sent.bytes, "Contact").unwrap());
    contacts
        .map(|contact| &contact[1..contact.find('>').unwrap()])
        .collect()
}

/// [PD-2, PD-7, PD-8, T49] Clients that left without a word kept users registered for an hour, or never came to an end
/// because one answer was missing. Here the order is: who is in no dialog, who is in one; for each the REGISTER, the
/// dialogs, the subscription, the cleanup; and then one event says that it is over. Who registers meanwhile is
/// refused, who leaves is not, and an emergency goes on. If nobody answers it is over all the same, at the deadline.
#[test]
fn in_order_and_in_time() {
    let mut chain = Chain::registered();
    let (other, sos) = (watch(), emergency(1));
    chain.register(0, &other);
    chain.register(0, &sos);
    chain.command(0, in_dialog(contact(&ue())));
    chain.forget();
    let mut order = Shutdown::until(chain.now().after(60_000));
    order.dry_run = true;
    assert_eq!(chain.command(0, Command::Shutdown(order)), Verdict::Handled);
    assert_eq!(
        chain.log,
        ["P-CSCF1 tells planned 3 1 1: "],
        "and nothing is done"
    );

    order.dry_run = false;
    chain.hold("S-CSCF asks dialogs");
    chain.command(0, Command::Shutdown(order));
    let anew = Registration { cseq: 20, ..ue() };
    let refused = chain.ue_sends(0, &ue_side(&anew.request()));
    assert_eq!(
        refused,
        Verdict::Refuse {
            status: 503,
            retry_after: 60
        }
    );
    let sos_anew = Registration {
        cseq: 20,
        ..emergency(1)
    };
    assert_eq!(
        chain.ue_sends(0, &ue_side(&sos_anew.request())),
        Verdict::Forward
    );
    let leaving = chain.ue_sends(0, &ue_side(&ue().removal("ue-call-1", 11)));
    assert_eq!(leaving, Verdict::Forward);
    chain.release();
    chain.wait(10_000);
    assert_eq!(asked(&chain), [contact(&other), contact(&ue())]);
    for user in [&other, &ue()] {
        assert_eq!(chain.is_registered(0, user), [false, false]);
        let uri = contact(user);
        chain.saw(&[
            "P-CSCF1 sends REGISTER",
            &format!("S-CSCF asks dialogs: <{uri}>"),
            &format!("P-CSCF1 asks delivery: {} {} {uri}", user.private, user.to),
            &format!(
                "P-CSCF1 asks security association: {} {} {uri}",
                user.private, user.to
            ),
            &format!("P-CSCF1 asks bearer: {} {} {uri}", user.private, user.to),
            "P-CSCF1 tells Shutdown",
            "P-CSCF1 tells end",
        ]);
    }
    assert_eq!(chain.is_registered(0, &sos), [true, true]);
    assert_eq!(chain.count("P-CSCF1 tells end"), 1);
    let told = chain.log.iter().rfind(|line| line.starts_with("P-CSCF1 "));
    assert!(told.unwrap().starts_with("P-CSCF1 tells end"), "{told:?}");
    assert_eq!(chain.scscf.node.subscribers(home::PUBLIC.as_bytes()), 0);

    let mut chain = Chain::registered();
    chain.register(0, &other);
    chain.hold("S-CSCF sends");
    chain.hold("P-CSCF1 asks");
    let order = Shutdown::until(chain.now().after(20_000));
    chain.command(0, Command::Shutdown(order));
    chain.wait(20_000 + 15_000);
    chain.saw(&[
        "P-CSCF1 tells Shutdown NoResponse 1",
        "P-CSCF1 tells Shutdown NoResponse 1",
    ]);
    chain.saw(&["P-CSCF1 tells end 0 2"]);
    assert_eq!(chain.pcscfs[0].node.registrations(), 0);
}

const USERS: usize = 150;
const IN_DIALOG: usize = 5;

/// Fifty a second, one after the other.
fn paced() -> pcscf::Config {
    let mut config = edge::config();
    config.pacing.burst = 1;
    config
}

/// A P-CSCF with ordinary users, some of them in dialogs, and an emergency.
fn crowd() -> Chain {
    let mut chain = Chain::with(paced(), home::config());
    for number in 0..USERS {
        chain.register(0, &numbered(number, ""));
    }
    for number in 0..IN_DIALOG {
        chain.command(0, in_dialog(contact(&numbered(number, ""))));
    }
    chain.register(0, &emergency(USERS));
    chain.forget();
    chain
}

fn fifty_a_second(chain: &Chain) -> Shutdown {
    let mut order = Shutdown::until(chain.now().after(60_000));
    order.rate = Some(50);
    order
}

/// [PD-2, PD-12, DR-7, T50] A P-CSCF with many users is told to go twice, and crashes on the way. No window of 100 ms
/// has more REGISTERs than the rate allows; who is in a call comes after who is not, and an emergency last, and only
/// if it is ordered; the second order begins nothing anew; after a crash, at whatever point, it goes on, nobody is
/// left, and the tally counts everybody once.
#[test]
fn many_users() {
    for crash_at in [None, Some(20), Some(1_010), Some(1_790)] {
        let mut chain = crowd();
        let mut order = fifty_a_second(&chain);
        chain.command(0, Command::Shutdown(order));
        if let Some(at) = crash_at {
            chain.wait(at - 10);
            chain.hold("S-CSCF asks assignment");
            chain.hold("P-CSCF1 asks bearer");
            chain.wait(10);
            chain.restart(0, paced(), 2);
            chain.release();
        }
        chain.wait(1_000);
        assert!(chain.pcscfs[0].node.registrations() < USERS);
        order.emergency = true;
        chain.command(0, Command::Shutdown(order));
        chain.wait(30_000);

        let asked = asked(&chain);
        let distinct: std::collections::BTreeSet<_> = asked.iter().collect();
        assert_eq!(distinct.len(), USERS + 1, "{crash_at:?}");
        if crash_at.is_none() {
            assert_eq!(asked.len(), USERS + 1, "nobody twice");
        }
        let place =
            |user: &Registration| asked.iter().position(|uri| *uri == contact(user)).unwrap();
        let last_ordinary = (IN_DIALOG..USERS)
            .map(|n| place(&numbered(n, "")))
            .max()
            .unwrap();
        let in_dialog: Vec<_> = (0..IN_DIALOG).map(|n| place(&numbered(n, ""))).collect();
        assert!(
            in_dialog.iter().all(|&place| place > last_ordinary),
            "{in_dialog:?}"
        );
        assert_eq!(*asked.last().unwrap(), contact(&emergency(USERS)));

        at_most_five_in_100_ms(&chain);
        for number in 0..USERS {
            assert_eq!(
                chain.is_registered(0, &numbered(number, "")),
                [false, false]
            );
        }
        assert_eq!(chain.is_registered(0, &emergency(USERS)), [false, false]);
        // Emergency registrations are not subscribed to: no NOTIFY comes of that one.
        let tally = format!("P-CSCF1 tells end {USERS} {}: ", USERS + 1);
        assert_eq!(chain.count(&tally), 1, "{crash_at:?}");
        assert_eq!(chain.count("P-CSCF1 tells end"), 1);
        assert_eq!(chain.count("P-CSCF1 tells Shutdown Notified"), USERS);
        assert_eq!(chain.count("P-CSCF1 tells Shutdown Unconfirmed"), 1);
        chain.nothing_is_left();
    }
}

/// New REGISTERs: one that is offered again after a crash is known by its branch.
fn at_most_five_in_100_ms(chain: &Chain) {
    let mut branches = std::collections::BTreeSet::new();
    let registers = chain.sent.iter().filter(|sent| {
        sent.line == "P-CSCF1 sends REGISTER"
            && branches.insert(header(&sent.bytes, "Via").unwrap())
    });
    let times: Vec<_> = registers.map(|sent| sent.at.0).collect();
    for window in times.windows(6) {
        assert!(window[5] - window[0] >= 100, "{window:?}");
    }
}
