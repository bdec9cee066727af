//! [SD-9] P-CSCFs that have failed, and who is behind them.

use super::support::*;
use ims_procedures::{
    drive::{Identifiers, Misuse, Node, Persist, Release, Verdict},
    scscf::{Command, MAX_FAILED_PCSCFS, ScscfNode, Standing},
};

const PCSCF1: &[u8] = b"sip:pcscf1.visited1.example.net:5070";
const PATH2: &str = "<sip:term@pcscf2.visited1.example.net:5070;lr>";
const SECOND: &str = "sip:192.0.2.20";

fn second() -> Registration {
    Registration {
        call_id: "ue-call-2",
        path: PATH2,
        ..Registration::of(SECOND, "")
    }
}

fn fail(host: &mut Host, pcscf: &[u8]) {
    let told = host.command(Command::PcscfFailed { pcscf });
    assert_eq!(told, (Verdict::Handled, Vec::new()));
}

fn lift(host: &mut Host, pcscf: &[u8]) -> Verdict {
    let (verdict, outs) = host.command(Command::PcscfRestored { pcscf });
    assert!(outs.is_empty());
    verdict
}

fn standing(host: &Host) -> (Standing, Vec<String>) {
    let reachable = host.node.reachable_contacts(PUBLIC.as_bytes());
    let reachable = reachable.map(|uri| String::from_utf8(uri.to_vec()).unwrap());
    (host.node.standing(TEL.as_bytes()), reachable.collect())
}

/// [SD-9] Of two contacts, the one behind the failed P-CSCF is not reached; with both failed, nobody is; a
/// re-registration clears the mark of its own contact, by whichever P-CSCF.
#[test]
fn marked_and_cleared() {
    let both = || vec![CONTACT.to_string(), SECOND.to_string()];
    let mut host = Host::registered();
    host.learn(&second());
    assert_eq!(standing(&host), (Standing::Reachable, both()));
    // Spelled otherwise, user part and parameters apart.
    fail(&mut host, b"sip:any@PCSCF1.visited1.example.net:5070;lr;ob");
    assert_eq!(
        standing(&host),
        (Standing::Reachable, vec![SECOND.to_string()])
    );
    fail(&mut host, b"sip:pcscf2.visited1.example.net:5070");
    assert_eq!(standing(&host), (Standing::PcscfFailed, Vec::new()));
    assert!(
        host.node.is_registered(PUBLIC.as_bytes()),
        "nobody is deregistered"
    );
    assert!(host.ticks().is_empty());
    // The UE registers by another P-CSCF.
    let moved = Registration {
        cseq: 11,
        path: "<sip:term@pcscf3.visited1.example.net;lr>",
        ..Registration::default()
    };
    host.learn(&moved);
    assert_eq!(
        standing(&host),
        (Standing::Reachable, vec![CONTACT.to_string()])
    );
    // The other by the same, which is there again.
    let again = Registration {
        cseq: 11,
        ..second()
    };
    host.learn(&again);
    assert_eq!(standing(&host), (Standing::Reachable, both()));
    // It fails once more.
    fail(&mut host, b"sip:pcscf2.visited1.example.net:5070");
    assert_eq!(
        standing(&host),
        (Standing::Reachable, vec![CONTACT.to_string()])
    );
    // Whoever has registered since a failure is not marked by another P-CSCF's.
    fail(&mut host, b"sip:pcscf3.visited1.example.net");
    host.learn(&Registration { cseq: 12, ..moved });
    fail(&mut host, b"sip:pcscf4.visited1.example.net");
    assert_eq!(
        standing(&host),
        (Standing::Reachable, vec![CONTACT.to_string()])
    );
    host.end(ims_procedures::scscf::DeregistrationReason::Refused);
    assert_eq!(standing(&host), (Standing::NotRegistered, Vec::new()));
    assert_eq!(
        host.node.standing(b"sip:nobody@home1.example.net"),
        Standing::NotRegistered
    );
    assert_eq!(host.node.counters().pcscf_failures, 5);
}

/// [SD-9] A P-CSCF at another port or of another scheme is another; without the port, that of the scheme. What has no
/// Path is behind nobody.
#[test]
fn whose_path() {
    let mut host = Host::registered();
    for other in [
        &b"sip:pcscf1.visited1.example.net"[..],
        b"sips:pcscf1.visited1.example.net:5070",
        b"sip:pcscf1.visited1.example.com:5070",
    ] {
        fail(&mut host, other);
        assert_eq!(standing(&host).0, Standing::Reachable);
    }
    let mut host = Host::new(config());
    host.learn(&Registration {
        path: "",
        ..Registration::default()
    });
    fail(&mut host, PCSCF1);
    assert_eq!(standing(&host).0, Standing::Reachable);
}

/// [SD-9] One that serves again as before has nobody behind it that is not reached.
#[test]
fn restored() {
    let mut host = Host::registered();
    assert_eq!(lift(&mut host, PCSCF1), Verdict::NotMine);
    fail(&mut host, PCSCF1);
    assert_eq!(standing(&host).0, Standing::PcscfFailed);
    assert_eq!(lift(&mut host, PCSCF1), Verdict::Handled);
    assert_eq!(standing(&host).0, Standing::Reachable);
}

/// [SD-9, DR-5] So many fail at once; one more, or what names no host, is the host's mistake. One that has failed
/// already finds room.
#[test]
fn bounded() {
    let mut host = Host::registered();
    let name = |number: usize| format!("sip:pcscf{number}.visited2.example.net");
    for number in 0..MAX_FAILED_PCSCFS {
        fail(&mut host, name(number).as_bytes());
    }
    fail(&mut host, name(0).as_bytes());
    let mut refused = |pcscf: &[u8]| {
        let command = Command::PcscfFailed { pcscf };
        host.node
            .command(host.now, command, &mut host.out)
            .unwrap_err()
    };
    let limit = "failed P-CSCFs";
    assert_eq!(refused(PCSCF1), Misuse::TooLarge { limit });
    assert!(matches!(refused(b"tel:+1"), Misuse::BadCommand(_)));
    assert!(matches!(refused(b"?"), Misuse::BadCommand(_)));
    assert_eq!(lift(&mut host, name(3).as_bytes()), Verdict::Handled);
    fail(&mut host, PCSCF1);
    assert_eq!(standing(&host).0, Standing::PcscfFailed);
}

/// [SD-9, DR-7] Marks outlive a restart; the release before knows of none.
#[test]
fn restarted() {
    let mut host = Host::registered();
    fail(&mut host, PCSCF1);
    host.learn(&second());
    host.restart(2);
    assert_eq!(
        standing(&host),
        (Standing::Reachable, vec![SECOND.to_string()])
    );
    host.learn(&Registration {
        cseq: 11,
        ..Registration::default()
    });
    host.restart(3);
    assert_eq!(
        standing(&host).1.len(),
        2,
        "cleared, and so after a restart"
    );
    fail(&mut host, PCSCF1);
    let mut blob = Vec::new();
    host.node
        .snapshot_for(Release::Previous, host.now, &mut blob);
    let identifiers = Identifiers::new(SEED, 4, 3);
    host.node = ScscfNode::restore(config(), identifiers, host.now, &blob).unwrap();
    assert_eq!(standing(&host).1.len(), 2);
}

/// [SD-9, DR-7] A set that another node takes over: there a P-CSCF has failed for it if that node was told so, until
/// the next REGISTER.
#[test]
fn taken_over() {
    for told in [false, true] {
        let mut host = Host::registered();
        let mut blob = Vec::new();
        host.node.write_machine(0, host.now, &mut blob);
        let mut other = Host::new(config());
        if told {
            fail(&mut other, PCSCF1);
        }
        let place = other.node.read_machine(other.now, &blob);
        assert_eq!(place, Ok(0));
        let expected = if told {
            Standing::PcscfFailed
        } else {
            Standing::Reachable
        };
        assert_eq!(standing(&other).0, expected);
        other.learn(&Registration {
            cseq: 11,
            ..Registration::default()
        });
        assert_eq!(standing(&other).0, Standing::Reachable);
        host.node.let_go(0, &mut host.out);
        assert_eq!(standing(&host).0, Standing::NotRegistered);
    }
}
