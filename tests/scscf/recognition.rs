//! [SD-1] Whose REGISTER it is.

use super::support::*;
use ims_procedures::{
    drive::{Identifiers, Limits, Node, Outbox, Output, Source},
    mscics,
    scscf::{Answer, AssignmentKind, Border, Config, Elements, Reasons, Recognition, recognise},
    wire::{Element, Message},
};

const PAI: &str = "P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>";
const VIA: &str = "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKr-branch-1\r\n";

/// A REGISTER that is not beyond doubt: it is reported with exactly these reasons, the user is asked for, and
/// whatever the host then says but `Authenticated`, nothing has changed.
fn suspicious(host: &mut Host, from: Source, register: &str, reasons: &[Reasons]) {
    let expected = reasons.iter().fold(0, |bits, reason| bits | reason.bits());
    for verdict in [Some(Answer::Denied), None] {
        let (_, outs) = host.receive_from(from, register.as_bytes());
        let [event, ask] = outs.try_into().unwrap();
        let Out::Event(Ev::Suspicious {
            reasons, public, ..
        }) = &event
        else {
            panic!("{event:?}");
        };
        assert_eq!(reasons.bits(), expected, "{reasons:?}");
        assert_eq!(public, PUBLIC);
        let Out::Ask {
            ask:
                Ask::Authentication {
                    reasons,
                    transaction,
                    ..
                },
            ..
        } = &ask
        else {
            panic!("{ask:?}");
        };
        assert_eq!(reasons.bits(), expected);
        assert_eq!(*transaction, host.transactions);
        let (outs, status) = match verdict {
            Some(verdict) => (host.answer(&ask, verdict), 403),
            None => (host.wait(10_000), 500),
        };
        assert_eq!(outs.len(), 1, "{outs:?}");
        assert_eq!(outs[0].status(), status);
        assert!(host.node.is_registered(PUBLIC.as_bytes()));
        assert!(host.ticks().is_empty());
    }
}

fn one(register: &str, from: Source, reasons: &[Reasons]) {
    suspicious(&mut Host::registered(), from, register, reasons);
}

/// [SD-1, T53] A UE that asserts the P-CSCF's identity.
#[test]
fn from_a_ue() {
    one(&register(), Source::Ue, &[Reasons::UNTRUSTED_SOURCE]);
    one(&register(), Source::Unknown, &[Reasons::UNTRUSTED_SOURCE]);
}

/// [SD-1, T53] A trusted P-CSCF that is not the one of the Path.
#[test]
fn foreign_pcscf() {
    let asserted = register().replace(
        PAI,
        "P-Asserted-Identity: <sip:pcscf2.visited1.example.net:5070>",
    );
    one(&asserted, Source::TrustedCore, &[Reasons::PATH_MISMATCH]);
    let whole = register().replace("pcscf1.visited1", "pcscf2.visited1");
    one(
        &whole,
        Source::TrustedCore,
        &[Reasons::PATH_MISMATCH, Reasons::FOREIGN_VIA],
    );
}

/// [SD-1, T53] Hosts that contain the P-CSCF's, other ports, other schemes.
#[test]
fn nearly_the_same_host() {
    for asserted in [
        "sip:pcscf1.visited1.example.net.evil.example:5070",
        "sip:xpcscf1.visited1.example.net:5070",
        "sip:pcscf1.visited1.example.net:5071",
        "sip:pcscf1.visited1.example.net",
        "sips:pcscf1.visited1.example.net:5070",
        "sip:pcscf1.visited1.example.net:5070@evil.example",
        "tel:+12125550000",
    ] {
        let register = register().replace(PAI, &format!("P-Asserted-Identity: <{asserted}>"));
        one(&register, Source::TrustedCore, &[Reasons::PATH_MISMATCH]);
    }
    let two = register().replace(
        PAI,
        &format!("{PAI}\r\nP-Asserted-Identity: <sip:other.example>"),
    );
    one(&two, Source::TrustedCore, &[Reasons::PATH_MISMATCH]);
}

/// [SD-1] A Via below the Path owner's own: the REGISTER did not begin there.
#[test]
fn via_below() {
    let below = format!("{VIA}Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKu\r\n");
    let below = register().replace(VIA, &below);
    one(&below, Source::TrustedCore, &[Reasons::FOREIGN_VIA]);
    let port = register().replace(VIA, &VIA.replace(":5070", ":5071"));
    one(&port, Source::TrustedCore, &[Reasons::FOREIGN_VIA]);
    let no_port = register().replace(VIA, &VIA.replace(":5070", ""));
    one(&no_port, Source::TrustedCore, &[Reasons::FOREIGN_VIA]);
}

/// [SD-1] The owner's own Via is the last one: a second one of the same name below it is not.
#[test]
fn via_below_of_the_same_name() {
    let evil = "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKevil";
    let ue = "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKu\r\n";
    let icscf = "Via: SIP/2.0/UDP icscf.home1.example.net;branch=z9hG4bKi\r\n";
    for vias in [
        format!("{VIA}{evil};received=192.0.2.66\r\n"),
        format!("{VIA}{ue}{evil}\r\n"),
        format!("{icscf}{VIA}{evil}\r\n"),
        VIA.replace(
            "\r\n",
            ", SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKevil\r\n",
        ),
    ] {
        let register = register().replace(VIA, &vias);
        one(&register, Source::TrustedCore, &[Reasons::FOREIGN_VIA]);
        // With the mark of an element that authenticates too.
        let anonymous = register.replace(&format!("{PAI}\r\n"), "");
        let reasons = [Reasons::NO_ASSERTED_IDENTITY, Reasons::FOREIGN_VIA];
        one(&anonymous, Source::TrustedCore, &reasons);
    }
}

/// [SD-1, RFC 3325 9.1] Two asserted identities are as many as there can be; with a third it is refused.
#[test]
fn too_many_asserted_identities() {
    let twice = register().replace(
        PAI,
        &format!("{PAI}, <sip:x@pcscf1.visited1.example.net:5070>"),
    );
    assert!(matches!(
        Host::registered().receive(&twice)[..],
        [Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }]
    ));
    let third = twice.replace(PAI, &format!("{PAI}\r\n{PAI}"));
    let mut host = Host::registered();
    let [refused] = host.receive(&third).try_into().unwrap();
    assert_eq!(refused.status(), 400);
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    let subscribe = subscribe();
    let many = subscribe.replace(PAI, &[PAI; 3].join("\r\n"));
    assert_eq!(host.receive(many)[0].status(), 400);
    let two = subscribe.replace(PAI, &[PAI; 2].join("\r\n"));
    assert_eq!(host.receive(two)[0].status(), 200);
}

/// [SD-1, T53] No UE in Via alone is never enough.
#[test]
fn no_asserted_identity() {
    let register = register().replace(&format!("{PAI}\r\n"), "");
    let unmarked = register.replace(",integrity-protected=\"auth-done\"", "");
    one(
        &unmarked,
        Source::TrustedCore,
        &[Reasons::NO_ASSERTED_IDENTITY],
    );
    one(
        &register,
        Source::Ue,
        &[Reasons::UNTRUSTED_SOURCE, Reasons::NO_ASSERTED_IDENTITY],
    );
}

/// [SD-1] `integrity-protected="no"`.
#[test]
fn not_protected() {
    let register = register().replace("\"auth-done\"", "\"no\"");
    one(&register, Source::TrustedCore, &[Reasons::NOT_PROTECTED]);
    let register = register.replace("\"no\"", "No");
    one(&register, Source::TrustedCore, &[Reasons::NOT_PROTECTED]);
}

/// [SD-1] A P-CSCF never means all contacts.
#[test]
fn wildcard() {
    let text = register();
    let contact = text
        .lines()
        .find(|line| line.starts_with("Contact: "))
        .unwrap();
    let register = text.replace(contact, "Contact: *");
    one(&register, Source::TrustedCore, &[Reasons::WILDCARD]);
}

/// A P-CSCF's REGISTER for what is not known here.
fn of_unknown_contact() -> String {
    register()
        .replace("2001:db8::aaa:bbb", "2001:db8::ccc")
        .replace("reg-id=1", "reg-id=2")
}

/// The report of a binding that is not known, and nothing else against it.
fn is_unknown_binding(event: &Out) -> bool {
    matches!(event, Out::Event(Ev::Suspicious { reasons, .. }) if *reasons == Reasons::UNKNOWN_BINDING)
}

/// [SD-1, SD-3] A contact that is not bound here, of a user who is: 481 without a question, since a binding
/// of his is left here; nothing has changed.
#[test]
fn unknown_binding() {
    let mut host = Host::registered();
    let [event, gone] = host.receive(of_unknown_contact()).try_into().unwrap();
    assert!(is_unknown_binding(&event), "{event:?}");
    assert_eq!(gone.status(), 481);
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    assert!(host.ticks().is_empty());
    // One that is bound here beside it: the user is asked for.
    let both = register().replace("Contact: ", "Contact: <sip:192.0.2.99>;expires=0, ");
    one(&both, Source::TrustedCore, &[Reasons::UNKNOWN_BINDING]);
}

/// [SD-2, SD-3] A P-CSCF beyond doubt but for the binding, which a restarted S-CSCF has lost: nobody is asked
/// to prove himself, the HSS hears of the end, and then it is 481.
#[test]
fn unknown_binding_without_state() {
    let text = register();
    let path = text
        .lines()
        .find(|line| line.starts_with("Path: "))
        .unwrap();
    let icscf = "Via: SIP/2.0/UDP icscf.home1.example.net;branch=z9hG4bKi\r\n";
    for register in [
        text.clone(),
        text.replace(VIA, &format!("{icscf}{VIA}")),
        text.replace(&format!("{path}\r\n"), ""),
    ] {
        for answer in [
            Some(Answer::Assigned {
                application_servers: SERVER,
            }),
            Some(Answer::Failed),
            None,
        ] {
            let mut host = Host::new(config());
            let [event, ask] = host.receive(&register).try_into().unwrap();
            assert!(is_unknown_binding(&event), "{event:?}");
            let Out::Ask {
                ask:
                    Ask::ServerAssignment {
                        code,
                        private,
                        public,
                        ..
                    },
                ..
            } = &ask
            else {
                panic!("{ask:?}");
            };
            assert_eq!((*code, private.as_str()), (5, PRIVATE));
            assert_eq!(*public, format!("<{PUBLIC}>"));
            let outs = match answer {
                Some(answer) => host.answer(&ask, answer),
                None => host.wait(5_000),
            };
            assert_eq!(outs.len(), 1, "{outs:?}");
            assert_eq!(outs[0].status(), 481);
            assert!(host.ticks().is_empty());
            assert_eq!(host.node.sets(), 0);
            let counters = host.node.counters();
            assert_eq!((counters.suspicious, counters.unknown), (1, 1));
        }
    }
}

/// [SD-1, SD-2] … and one with the least doubt beside that goes the authenticated way.
#[test]
fn unknown_binding_in_doubt() {
    let text = register();
    let path = text
        .lines()
        .find(|line| line.starts_with("Path: "))
        .unwrap();
    let without_path = text.replace(&format!("{path}\r\n"), "");
    let below = format!("{VIA}Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKu\r\n");
    let star = text
        .lines()
        .find(|line| line.starts_with("Contact: "))
        .unwrap();
    let mut watching = config();
    watching.observe_only = true;
    for (from, register, config) in [
        (Source::Ue, text.clone(), config()),
        (Source::Unknown, text.clone(), config()),
        (
            Source::TrustedCore,
            text.replace(
                "pcscf1.visited1.example.net:5070>",
                "pcscf2.visited1.example.net:5070>",
            ),
            config(),
        ),
        (
            Source::TrustedCore,
            text.replace(&format!("{PAI}\r\n"), "")
                .replace("auth-done", "yes"),
            config(),
        ),
        (Source::TrustedCore, text.replace(VIA, &below), config()),
        (
            Source::TrustedCore,
            without_path.replace(VIA, &below),
            config(),
        ),
        (
            Source::TrustedCore,
            without_path.replace(VIA, &VIA.replace(":5070", ":5071")),
            config(),
        ),
        (
            Source::TrustedCore,
            text.replace("Path: <sip:term@pcscf1", "Path: <sip:term@pcscf7"),
            config(),
        ),
        (
            Source::TrustedCore,
            text.replace("\"auth-done\"", "\"no\""),
            config(),
        ),
        (
            Source::TrustedCore,
            text.replace(star, "Contact: *"),
            config(),
        ),
        (Source::TrustedCore, text.clone(), watching),
    ] {
        let mut host = Host::new(config);
        let (_, outs) = host.receive_from(from, register.as_bytes());
        let ask = outs.last().unwrap();
        assert!(
            matches!(
                ask,
                Out::Ask {
                    ask: Ask::Authentication { .. },
                    ..
                }
            ),
            "{register}\n{outs:?}"
        );
        assert_eq!(host.answer(ask, Answer::Denied)[0].status(), 403);
        assert_eq!(host.node.sets(), 0);
    }
}

/// [SD-1] A binding made without a Path.
#[test]
fn no_path() {
    let mut host = Host::new(config());
    host.learn(&Registration {
        path: "",
        ..Registration::default()
    });
    suspicious(
        &mut host,
        Source::TrustedCore,
        &register(),
        &[Reasons::NO_PATH],
    );
}

/// [SD-1, SD-3, T54] A contact that moved to another P-CSCF is not the old one's to remove.
#[test]
fn moved_contact() {
    let mut host = Host::registered();
    let path = "<sip:term@pcscf9.visited1.example.net:5070;lr>";
    host.learn(&Registration {
        path,
        cseq: 11,
        ..Registration::default()
    });
    let reasons = [Reasons::PATH_MISMATCH, Reasons::FOREIGN_VIA];
    suspicious(&mut host, Source::TrustedCore, &register(), &reasons);
}

/// [SD-1] Vias above the Path owner's own are those of I-CSCFs; user part, parameters and case do not matter;
/// nor does an absent integrity-protected.
#[test]
fn recognised() {
    let above = format!("Via: SIP/2.0/TCP icscf.home1.example.net;branch=z9hG4bKi\r\n{VIA}");
    for register in [
        register(),
        register().replace(VIA, &above),
        register().replace(
            PAI,
            "P-Asserted-Identity: <sip:any@PCSCF1.visited1.EXAMPLE.net:5070;x=y>",
        ),
        register().replace(",integrity-protected=\"auth-done\"", ""),
        register().replace("auth-done", "yes"),
        register().replace("UDP pcscf1", "TCP pcscf1"),
        // The Path of the REGISTER itself proves nothing.
        register().replace("Path: <sip:term@pcscf1", "Path: <sip:term@pcscf7"),
    ] {
        let mut host = Host::registered();
        let [release] = host.receive(register).try_into().unwrap();
        assert!(
            matches!(
                release,
                Out::Ask {
                    ask: Ask::DialogRelease { .. },
                    ..
                }
            ),
            "{release:?}"
        );
        assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    }
}

/// [SD-1] With several Path entries the one nearest the UE decides: the last.
#[test]
fn nearest_path_entry() {
    let path = "<sip:ibcf.home1.example.net;lr>, <sip:term@pcscf1.visited1.example.net:5070;lr>";
    let mut host = Host::new(config());
    host.learn(&Registration {
        path,
        ..Registration::default()
    });
    let [release] = host.receive(register()).try_into().unwrap();
    assert!(matches!(
        release,
        Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }
    ));

    let path = "<sip:term@pcscf1.visited1.example.net:5070;lr>, <sip:ibcf.home1.example.net;lr>";
    let mut host = Host::new(config());
    host.learn(&Registration {
        path,
        ..Registration::default()
    });
    let reasons = [Reasons::PATH_MISMATCH, Reasons::FOREIGN_VIA];
    suspicious(&mut host, Source::TrustedCore, &register(), &reasons);
}

/// [SD-1] A border that hides the P-CSCF stands for it, when the configuration says so.
#[test]
fn border() {
    let hidden = Registration {
        path: "<sip:token@ibcf.visited1.example.net;lr>",
        ..Registration::default()
    };
    let register = register().replace(
        VIA,
        "Via: SIP/2.0/UDP ibcf.visited1.example.net:5060;branch=z9hG4bKb\r\n",
    );
    let mut host = Host::new(config());
    host.learn(&hidden);
    suspicious(
        &mut host,
        Source::TrustedCore,
        &register,
        &[Reasons::PATH_MISMATCH],
    );

    let mut config = config();
    config.borders.push(Border {
        path_owner: b"sip:ibcf.visited1.example.net".to_vec(),
        asserted: b"sip:pcscf1.visited1.example.net:5070".to_vec(),
    });
    let mut host = Host::new(config);
    host.learn(&hidden);
    let [release] = host.receive(&register).try_into().unwrap();
    assert!(matches!(
        release,
        Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }
    ));
}

/// [SD-1] A user's own: no report, but the verdict is asked.
#[test]
fn user() {
    let mut host = Host::registered();
    let own = Registration::default().removal("ue-call-1", 11);
    for register in [
        own.clone(),
        own.replace(
            "Require",
            &format!("P-Asserted-Identity: <{PUBLIC}>\r\nRequire"),
        ),
        own.replace(
            "Require",
            &format!("P-Asserted-Identity: <{TEL}>\r\nRequire"),
        ),
    ] {
        let [ask] = host.receive(register).try_into().unwrap();
        let Out::Ask {
            ask:
                Ask::Authentication {
                    reasons,
                    private,
                    public,
                    ..
                },
            ..
        } = &ask
        else {
            panic!("{ask:?}");
        };
        assert!(reasons.is_empty());
        assert_eq!((private.as_str(), public.as_str()), (PRIVATE, PUBLIC));
        host.answer(&ask, Answer::Denied);
    }
}

/// The registration of a subscriber by an MSC server enhanced for ICS, which is the user's element and its P-CSCF.
fn by_an_msc_server() -> Registration {
    Registration {
        path: "<sip:term@msc1.visited1.example.net:5060;lr>",
        ..Registration::of(
            "sip:msc1.visited1.example.net:5060",
            &format!(";{INSTANCE}"),
        )
    }
}

/// The REGISTER with which the node of an MSC server ends it.
fn of_an_msc_server() -> Vec<u8> {
    let element = Element::new(
        b"sip:msc1.visited1.example.net:5060",
        b"visited1.example.net",
    );
    let mut config = mscics::Config::new(element.unwrap());
    config.subscription.support_reg_event = false;
    let mut node = mscics::MscNode::new(config, Identifiers::new(SEED, 9, 3)).unwrap();
    let (registration, now) = (by_an_msc_server(), ims_procedures::drive::Millis(1));
    let (request, response) = (registration.request(), registration.response());
    let mut out = Outbox::for_steps(2);
    for command in [
        mscics::Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
        },
        mscics::Command::Inactive {
            private_identity: PRIVATE.as_bytes(),
            cause: mscics::Cause::CancelLocation,
        },
    ] {
        node.command(now, command, &mut out).unwrap();
    }
    let mut requests = out.iter().filter_map(|output| match output {
        Output::Request { bytes, .. } => Some(bytes.to_vec()),
        _ => None,
    });
    requests.next().unwrap()
}

/// Of an S-CSCF that knows the MSC server as one that authenticates its users.
fn knowing_it() -> Config {
    let mut config = config();
    let element = b"sip:MSC1.visited1.example.net:5060;lr";
    config.authenticating.push(element.to_vec());
    config
}

/// [SD-2, SD-3, SD-4] An MSC server deregisters its subscriber, whom it has authenticated by other means (TS 24.229
/// 7.2A.2): nothing is asked of the user, nothing looks suspicious, and the HSS hears of a user's deregistration.
#[test]
fn by_an_msc() {
    let mut host = Host::new(knowing_it());
    host.learn(&by_an_msc_server());
    let [release] = host.receive(of_an_msc_server()).try_into().unwrap();
    let Out::Ask {
        ask: Ask::DialogRelease { .. },
        ..
    } = &release
    else {
        panic!("{release:?}");
    };
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    let [assign] = host.answer(&release, Answer::Released).try_into().unwrap();
    let Out::Ask {
        ask: Ask::ServerAssignment { code, .. },
        ..
    } = &assign
    else {
        panic!("{assign:?}");
    };
    assert_eq!(*code, AssignmentKind::UserDeregistration.code());
    let assigned = Answer::Assigned {
        application_servers: b"",
    };
    assert_eq!(host.answer(&assign, assigned)[0].status(), 200);
    let counters = host.node.counters();
    assert_eq!((counters.user_initiated, counters.suspicious), (1, 0));
    assert_eq!(counters.removed_by_user, 1);
}

/// [SD-2, SD-3] At an S-CSCF that has lost its state it is a user's like any other, with a Path of its own and without:
/// who wrote that Path, nothing here can tell. Once the user is authenticated, the HSS hears of it before the 481.
#[test]
fn by_an_msc_unknown_here() {
    let register = String::from_utf8(of_an_msc_server()).unwrap();
    let mut host = Host::new(knowing_it());
    let path = register.lines().find(|line| line.starts_with("Path: "));
    let without = register.replace(&format!("{}\r\n", path.unwrap()), "");
    for register in [register, without] {
        let [ask] = host.receive(&register).try_into().unwrap();
        assert!(
            matches!(&ask, Out::Ask { ask: Ask::Authentication { reasons, .. }, .. } if reasons.is_empty())
        );
        let [assign] = host.answer(&ask, Answer::Authenticated).try_into().unwrap();
        assert!(matches!(
            assign,
            Out::Ask {
                ask: Ask::ServerAssignment { .. },
                ..
            }
        ));
        let assigned = Answer::Assigned {
            application_servers: b"",
        };
        assert_eq!(host.answer(&assign, assigned)[0].status(), 481);
    }
}

/// [SD-1, SD-2] The mark counts for nothing where the trusted core has not set it, nor for what came by another element than
/// the one that the binding's Path leads to; and with observing only, the host is asked all the same.
#[test]
fn mark_of_others() {
    let register = String::from_utf8(of_an_msc_server()).unwrap();
    let mut host = Host::new(knowing_it());
    host.learn(&by_an_msc_server());
    let reasons = [Reasons::UNTRUSTED_SOURCE, Reasons::NO_ASSERTED_IDENTITY];
    for from in [Source::Ue, Source::Unknown] {
        suspicious(&mut host, from, &register, &reasons);
    }
    for other in ["yes", "ip-assoc-yes", "done"] {
        let register = register.replace("auth-done", other);
        let reasons = [Reasons::NO_ASSERTED_IDENTITY];
        suspicious(&mut host, Source::TrustedCore, &register, &reasons);
    }
    let mut watching = knowing_it();
    watching.observe_only = true;
    let mut watching = Host::new(watching);
    watching.learn(&by_an_msc_server());
    let moved = register.replace("UDP msc1.", "UDP msc2.");
    for (host, register) in [(&mut host, &moved), (&mut watching, &register)] {
        let [ask] = host.receive(register).try_into().unwrap();
        assert!(
            matches!(&ask, Out::Ask { ask: Ask::Authentication { reasons, .. }, .. } if reasons.is_empty())
        );
        assert!(host.node.is_registered(PUBLIC.as_bytes()));
        assert_eq!(host.answer(&ask, Answer::Denied)[0].status(), 403);
    }
}

/// [SD-1, SD-2] The mark of an element that the configuration does not name counts for nothing: neither by default, nor that
/// of the same host at another port, nor that of a P-CSCF whose own REGISTER merely lacks its identity, nor what a UE has
/// written in the name of such a P-CSCF.
#[test]
fn mark_of_an_element_that_is_not_configured() {
    let register = String::from_utf8(of_an_msc_server()).unwrap();
    let mut beside = config();
    beside
        .authenticating
        .push(b"sip:msc1.visited1.example.net:5070".to_vec());
    let reasons = [Reasons::NO_ASSERTED_IDENTITY];
    for config in [config(), beside] {
        let mut host = Host::new(config);
        host.learn(&by_an_msc_server());
        suspicious(&mut host, Source::TrustedCore, &register, &reasons);
    }
    let asserted = "P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>\r\n";
    let of_pcscf = super::support::register();
    assert!(of_pcscf.contains(asserted));
    let lacking = of_pcscf.replace(asserted, "");
    let forged = lacking.replace(
        VIA,
        &format!("Via: SIP/2.0/UDP 192.0.2.33:5070;branch=z9hG4bKp\r\n{VIA}"),
    );
    for register in [lacking, forged] {
        let mut host = Host::registered_with(knowing_it());
        suspicious(&mut host, Source::TrustedCore, &register, &reasons);
    }
}

/// [SD-1, SD-2] Nor does the mark of a configured element count where not every contact is bound, or `*` names them.
#[test]
fn mark_beside_a_doubt() {
    let register = String::from_utf8(of_an_msc_server()).unwrap();
    let contact = register
        .lines()
        .find(|line| line.starts_with("Contact: "))
        .unwrap();
    let mixed = format!("{contact}\r\nContact: <sip:other.example>;expires=0");
    for (contacts, reason) in [
        (mixed.as_str(), Reasons::UNKNOWN_BINDING),
        ("Contact: *", Reasons::WILDCARD),
    ] {
        let mut host = Host::new(knowing_it());
        host.learn(&by_an_msc_server());
        let reasons = [Reasons::NO_ASSERTED_IDENTITY, reason];
        let register = register.replace(contact, contacts);
        suspicious(&mut host, Source::TrustedCore, &register, &reasons);
    }
    let mut host = Host::new(knowing_it());
    host.learn(&Registration {
        path: "",
        ..by_an_msc_server()
    });
    let [ask] = host.receive(&register).try_into().unwrap();
    assert!(
        matches!(&ask, Out::Ask { ask: Ask::Authentication { reasons, .. }, .. } if reasons.is_empty())
    );
}

/// [SD-1] Observing only: a recognised one is reported and authenticated like a user's.
#[test]
fn observe_only() {
    let mut config = config();
    config.observe_only = true;
    let mut host = Host::registered_with(config);
    let [event, ask] = host.receive(register()).try_into().unwrap();
    assert_eq!(event, Out::Event(Ev::Observed));
    assert!(
        matches!(&ask, Out::Ask { ask: Ask::Authentication { reasons, .. }, .. } if reasons.is_empty())
    );
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-1] Each reason has a name, a text and a clause of its own, and no personal data (DR-9).
#[test]
fn reasons() {
    let mut bits = 0u8;
    for reason in Reasons::ALL {
        assert_eq!(bits & reason.reason.bits(), 0);
        bits |= reason.reason.bits();
        assert!(!reason.what.is_empty() && !reason.clause.is_empty());
        assert_eq!(reason.reason.iter().count(), 1);
    }
    assert_eq!(bits, u8::MAX);
}

/// [SD-1] The function itself, for hosts that hold their own bindings.
#[test]
fn function() {
    let text = register();
    let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
    let ask = |paths: &[Option<&[u8]>]| {
        let paths = paths.iter().copied();
        let elements = Elements::default();
        recognise(
            Source::TrustedCore,
            &message,
            paths,
            [].into_iter(),
            elements,
        )
        .unwrap()
    };
    let (own, other) = (PATH.as_bytes(), b"<sip:other.example;lr>".as_slice());
    assert_eq!(ask(&[Some(own)]), Recognition::PcscfInitiated);
    assert_eq!(ask(&[Some(own), Some(own)]), Recognition::PcscfInitiated);
    assert_eq!(ask(&[None]), Recognition::NotBoundHere);
    assert_eq!(ask(&[None, None]), Recognition::NotBoundHere);
    for paths in [
        &[Some(own), Some(other)][..],
        &[Some(own), None],
        &[],
        &[Some(b"")],
    ] {
        assert!(
            matches!(ask(paths), Recognition::Suspicious(_)),
            "{paths:?}"
        );
    }
}
