//! What a P-CSCF is told of the access of its UEs: what counts as loss, what is done meanwhile, security associations,
//! and the cleanup in order.

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, Out, PRIVATE, PUBLIC, ask, clean_up, config, contact, document,
    identifiers, outcome, register, register_200, request, response, subscribed, subscribed_at,
    terminated,
};
use ims_procedures::{
    drive::{ConfigError, Millis, Node, Source, Verdict},
    pcscf::{
        Answer, Cause, Command, Config, Event, Evidence, LossPolicy, LossRule, Outcome, PcscfNode,
        Ue,
    },
};

const REFUSED: Verdict = Verdict::Refuse {
    status: 500,
    retry_after: 0,
};

fn unsubscribed(mut config: Config) -> Bed {
    config.subscription.support_reg_event = false;
    let mut bed = Bed::new(config);
    bed.register();
    bed
}

fn with_rules(rules: &[LossRule]) -> Config {
    let mut config = config();
    config.loss.rules = rules.to_vec();
    config
}

/// A request as it reaches the P-CSCF: from the core for the UE, or from the UE.
fn sip(method: &str, uri: &str, to_tag: &str, contact: &str) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKx\r\n\
         Max-Forwards: 68\r\n\
         From: <sip:other@home2.example.net>;tag=o\r\n\
         To: <{PUBLIC}>{to_tag}\r\n\
         Call-ID: c-1\r\n\
         CSeq: 1 {method}\r\n\
         {contact}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn from_ue(method: &str) -> Vec<u8> {
    let contact = format!("Contact: <{CONTACT}>\r\n");
    sip(method, "sip:other@home2.example.net", "", &contact)
}

fn is_lost(out: &[Out]) -> bool {
    let lost = out.iter().any(|out| {
        matches!(out, Out::Event(whom, Event::AccessLost { .. })
            if *whom == format!("{PRIVATE} {PUBLIC} {CONTACT}"))
    });
    let sent = out
        .iter()
        .any(|out| matches!(out, Out::Request { bytes, .. } if bytes.starts_with(b"REGISTER ")));
    assert_eq!(lost, sent, "{out:?}");
    lost
}

fn is_doubted(out: &[Out], by: Evidence) -> bool {
    matches!(out, [Out::Event(_, Event::AccessDoubted { evidence, .. })] if *evidence == by)
}

/// [PD-3] The default: one report that the bearer is lost is enough; a closed flow (T51), missed probes (T52) and an
/// idle security association never are, and leave nothing behind.
#[test]
fn the_default_policy() {
    let policy = LossPolicy::default();
    assert_eq!(policy.rules, [LossRule::bearer_lost()]);
    assert!(policy.heard_clears);
    let mut bed = unsubscribed(config());
    let mut before = Vec::new();
    bed.node.snapshot(bed.now, &mut before);
    for evidence in [
        Evidence::FlowClosed,
        Evidence::ProbeMissed,
        Evidence::SecurityAssociationIdle,
    ] {
        for _ in 0..100 {
            assert_eq!(bed.report(evidence), []);
        }
    }
    let mut after = Vec::new();
    bed.node.snapshot(bed.now, &mut after);
    assert!(before == after, "nothing is kept of what no rule asks for");
    let counters = bed.node.counters();
    assert_eq!((counters.evidence_ignored, counters.access_lost), (300, 0));
    assert!(is_lost(&bed.report(Evidence::BearerLost)));
    assert_eq!(bed.node.counters().access_lost, 1);
}

/// [PD-3, T52] Missed probes: so many within the window, and not one less, nor one too old.
#[test]
fn probes_within_a_window() {
    let rule = LossRule::probes_missed(3, 60_000);
    for (times, lost) in [
        (&[0, 30_000, 60_000][..], true),
        (&[0, 30_000, 60_001], false),
        (&[0, 1], false),
        (&[0, 60_001, 90_000, 120_001], true),
        (&[0, 0, 0], true),
    ] {
        let mut bed = unsubscribed(with_rules(&[rule]));
        let start = bed.now;
        let (last, before) = times.split_last().unwrap();
        for time in before {
            bed.now = start.after(*time);
            let out = bed.report(Evidence::ProbeMissed);
            assert!(is_doubted(&out, Evidence::ProbeMissed), "{times:?}");
        }
        bed.now = start.after(*last);
        let out = bed.report(Evidence::ProbeMissed);
        assert_eq!(is_lost(&out), lost, "{times:?}");
        let kept = before.len() as u64 + u64::from(!lost);
        assert_eq!(bed.node.counters().evidence_kept, kept);
        // By default a lost bearer is enough; here no rule asks for it.
        assert_eq!(bed.node.is_access_lost(CONTACT.as_bytes()), lost);
    }
}

/// [PD-3, T51, T52] Several kinds together: the flow closed and probes missed; one without the other is not enough.
#[test]
fn rules_of_several_kinds() {
    let rules = [
        LossRule::flow_closed_and_probes_missed(2, 10_000),
        LossRule::bearer_lost(),
    ];
    let run = |reports: &[Evidence]| {
        let mut bed = unsubscribed(with_rules(&rules));
        reports.iter().any(|report| is_lost(&bed.report(*report)))
    };
    use Evidence::{BearerLost, FlowClosed, ProbeMissed};
    assert!(!run(&[FlowClosed, FlowClosed, FlowClosed, ProbeMissed]));
    assert!(!run(&[ProbeMissed, ProbeMissed, ProbeMissed]));
    assert!(run(&[ProbeMissed, FlowClosed, ProbeMissed]));
    assert!(run(&[ProbeMissed, ProbeMissed, FlowClosed]));
    assert!(run(&[FlowClosed, BearerLost]));
}

/// [PD-3, T52] Whatever is heard from the UE makes the reports before it void, unless the policy says otherwise: a
/// request that the node is shown, the command, a REGISTER, its 2xx.
#[test]
fn sip_clears_reports() {
    type Hear = fn(&mut Bed);
    let heard: [(&str, Hear); 4] = [
        ("INVITE", |bed| {
            let (verdict, _) = bed.receive(Source::Ue, &from_ue("INVITE"));
            assert_eq!(verdict, Verdict::NotMine);
        }),
        ("command", |bed| {
            let contact = CONTACT.as_bytes();
            assert_eq!(
                bed.command(Command::Heard {
                    ue: Ue::at(contact)
                }),
                Verdict::Handled
            );
        }),
        ("REGISTER", |bed| {
            let again = register(&contact(Some(3_600)), 2);
            let (verdict, _) = bed.receive(Source::Ue, again.as_bytes());
            assert_eq!(verdict, Verdict::Forward);
        }),
        ("2xx", |bed| {
            bed.register();
        }),
    ];
    for heard_clears in [true, false] {
        for (name, hear) in heard {
            let mut config = with_rules(&[LossRule::probes_missed(2, 60_000)]);
            config.loss.heard_clears = heard_clears;
            let mut bed = unsubscribed(config);
            bed.report(Evidence::ProbeMissed);
            hear(&mut bed);
            let lost = is_lost_or_waits(&bed.report(Evidence::ProbeMissed));
            assert_eq!(lost, !heard_clears, "{name}");
        }
    }
    // What claims to come from the UE, and does not, clears nothing.
    let mut bed = unsubscribed(with_rules(&[LossRule::probes_missed(2, 60_000)]));
    bed.report(Evidence::ProbeMissed);
    bed.receive(Source::Unknown, &from_ue("INVITE"));
    assert!(is_lost(&bed.report(Evidence::ProbeMissed)));
}

/// After a REGISTER of the UE that is under way, ours waits.
fn is_lost_or_waits(out: &[Out]) -> bool {
    out.iter()
        .any(|out| matches!(out, Out::Event(_, Event::AccessLost { .. })))
}

/// On another host, whose clock says something else.
fn restart(bed: &mut Bed, config: &Config) {
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    bed.now = Millis(7);
    bed.node = PcscfNode::restore(config.clone(), identifiers(2), bed.now, &blob).unwrap();
}

/// [PD-3, DR-7] Reports survive a restart, each as old as it was.
#[test]
fn reports_survive_a_restart() {
    let config = with_rules(&[LossRule::probes_missed(3, 60_000)]);
    for (pause, lost) in [(30_000, true), (30_001, false)] {
        let mut bed = unsubscribed(config.clone());
        bed.report(Evidence::ProbeMissed);
        bed.now = bed.now.after(30_000);
        bed.report(Evidence::ProbeMissed);
        restart(&mut bed, &config);
        bed.now = bed.now.after(pause);
        assert_eq!(is_lost(&bed.report(Evidence::ProbeMissed)), lost, "{pause}");
    }
}

/// [PD-3] Rules that nothing or everything meets are refused.
#[test]
fn rules_that_cannot_work() {
    let refused = |rules: &[LossRule]| {
        let checked = with_rules(rules).check();
        assert!(
            matches!(
                checked,
                Err(ConfigError {
                    field: "loss.rules",
                    ..
                })
            ),
            "{rules:?}: {checked:?}"
        );
    };
    refused(&[LossRule::default()]);
    refused(&[LossRule::probes_missed(0, 1_000)]);
    refused(&[LossRule::probes_missed(9, 1_000)]);
    refused(&[LossRule::probes_missed(1, 0)]);
    refused(&[LossRule::probes_missed(1, 86_400_001)]);
    refused(&[LossRule::bearer_lost(); 9]);
    with_rules(&[LossRule::probes_missed(8, 86_400_000); 8])
        .check()
        .unwrap();
    with_rules(&[]).check().unwrap();
}

/// [PD-3] While the access is lost, what opens a dialog or stands alone towards the contact is refused with 500 (TS
/// 24.229 5.2.6.4.3); requests within dialogs, ACK, CANCEL, those of the UE and those to others are the host's.
#[test]
fn terminating_requests_meanwhile() {
    let (mut bed, _) = subscribed();
    let invite = sip("INVITE", CONTACT, "", "");
    let judge = |bed: &mut Bed, bytes: &[u8]| bed.receive(Source::TrustedCore, bytes).0;
    assert_eq!(judge(&mut bed, &invite), Verdict::NotMine);
    bed.lose(CONTACT);
    assert!(bed.node.is_access_lost(CONTACT.as_bytes()));
    for method in ["INVITE", "MESSAGE", "OPTIONS", "NOTIFY", "SUBSCRIBE"] {
        let bytes = sip(method, CONTACT, "", "");
        assert_eq!(judge(&mut bed, &bytes), REFUSED, "{method}");
    }
    for method in ["ACK", "CANCEL"] {
        let bytes = sip(method, CONTACT, "", "");
        assert_eq!(judge(&mut bed, &bytes), Verdict::NotMine, "{method}");
    }
    let within = sip("BYE", CONTACT, ";tag=ue", "");
    assert_eq!(judge(&mut bed, &within), Verdict::NotMine);
    let other = CONTACT.replace(":1357", ":2468");
    let bytes = sip("INVITE", &other, "", "");
    assert_eq!(judge(&mut bed, &bytes), Verdict::NotMine);
    assert_eq!(bed.node.counters().terminating_refused, 5);

    // Heard again, the UE gets its calls, although its registration still ends.
    bed.receive(Source::Ue, &from_ue("MESSAGE"));
    assert!(!bed.node.is_access_lost(CONTACT.as_bytes()));
    assert_eq!(judge(&mut bed, &invite), Verdict::NotMine);
}

/// [PD-3] Refused until it is gone: also while our REGISTER waits for its next attempt, for the NOTIFY, and in the
/// cleanup; and by a node restored in between.
#[test]
fn refused_until_gone() {
    let (mut bed, dialog) = subscribed();
    let invite = sip("INVITE", CONTACT, "", "");
    let refused = |bed: &mut Bed| {
        let mut blob = Vec::new();
        bed.node.snapshot(bed.now, &mut blob);
        let mut twin = Bed::new(config());
        twin.node = PcscfNode::restore(config(), identifiers(9), bed.now, &blob).unwrap();
        twin.now = bed.now;
        assert_eq!(twin.receive(Source::TrustedCore, &invite).0, REFUSED);
        assert_eq!(bed.receive(Source::TrustedCore, &invite).0, REFUSED);
    };
    let (token, bytes) = request(&bed.lose(CONTACT));
    refused(&mut bed);
    bed.respond(token, &response(503, &bytes, ""));
    refused(&mut bed);
    let (token, bytes) = request(&bed.fire("retry of REGISTER"));
    bed.respond(token, &response(200, &bytes, ""));
    refused(&mut bed);
    let notify = dialog.notify(2, "terminated;reason=noresource", &terminated());
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    refused(&mut bed);
    clean_up(&mut bed, &out[1..2]);
    let (verdict, _) = bed.receive(Source::TrustedCore, &invite);
    assert_eq!(verdict, Verdict::NotMine, "nobody is here");
}

/// [PD-3] Heard while our REGISTER is out: what removed it stays removed, and nothing else is held against a UE that is
/// there.
#[test]
fn heard_while_the_register_is_out() {
    for (status, cancelled) in [
        (200, false),
        (404, false),
        (481, false),
        (403, true),
        (401, true),
        (423, true),
        (503, true),
        (0, true),
    ] {
        let mut bed = unsubscribed(config());
        let (token, bytes) = request(&bed.lose(CONTACT));
        let contact = CONTACT.as_bytes();
        bed.command(Command::Heard {
            ue: Ue::at(contact),
        });
        assert_eq!(bed.take(), [], "it cannot be called back");
        let out = match status {
            0 => bed.answer(token, ims_procedures::drive::Answer::Timeout),
            _ => bed.respond(token, &response(status, &bytes, "")),
        };
        let is_cancelled = matches!(
            out[..],
            [Out::Event(
                _,
                Event::Cancelled {
                    cause: Cause::AccessLost,
                    registers: 1,
                    ..
                }
            )]
        );
        assert_eq!(is_cancelled, cancelled, "{status}: {out:?}");
        assert_eq!(bed.node.is_registered(contact), cancelled, "{status}");
    }
    // Waiting for the next attempt, it is given up at once.
    let mut bed = unsubscribed(config());
    let (token, bytes) = request(&bed.lose(CONTACT));
    bed.respond(token, &response(503, &bytes, ""));
    let (_, out) = bed.receive(Source::Ue, &from_ue("INVITE"));
    assert!(matches!(
        out[..],
        [Out::Event(_, Event::Cancelled { registers: 1, .. })]
    ));
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
}

/// [PD-4] The lifetime of security associations: a trigger of its own, with its own threshold.
#[test]
fn the_association_timer() {
    let mut config = config();
    config.association_threshold = 20_000;
    let mut bed = unsubscribed(config);
    let contact = CONTACT.as_bytes();
    let protect = |bed: &mut Bed, lifetime| {
        let verdict = bed.command(Command::Protected {
            ue: Ue::at(contact),
            lifetime,
        });
        assert_eq!((verdict, bed.take()), (Verdict::Handled, vec![]));
    };
    let registered = bed.now;
    assert_eq!(
        bed.node.deadline().unwrap().0,
        registered.after_seconds(3_600),
        "without associations only the registration runs out"
    );
    // TS 24.229 7.8: 30 s after the registration.
    protect(&mut bed, None);
    assert_eq!(
        bed.node.deadline().unwrap().0,
        registered.after_seconds(3_600)
    );
    protect(&mut bed, Some(600));
    assert_eq!(bed.node.deadline().unwrap().0, registered.after(580_000));
    // Renewed.
    bed.now = bed.now.after_seconds(100);
    protect(&mut bed, Some(600));
    assert_eq!(bed.node.deadline().unwrap().0, registered.after(680_000));
    let (token, bytes) = request(&bed.fire("security association lifetime"));
    assert_eq!(bed.now, registered.after(680_000));
    let out = bed.respond(token, &response(200, &bytes, ""));
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::SecurityAssociationTimer, Outcome::Unconfirmed, 1)
    );
}

/// [PD-4] TS 24.229 7.8: a 2xx makes the associations last until 30 s after the registration, and never less than
/// they did; a threshold for them that is longer is reached before the registration ends.
#[test]
fn associations_follow_the_registration() {
    let mut config = config();
    config.association_threshold = 90_000;
    let contact_uri = CONTACT.as_bytes();
    let granted = |bed: &mut Bed, seconds| {
        bed.learn(
            &register(&contact(Some(seconds)), 2),
            &register_200(&contact(Some(seconds)), 2),
        );
        bed.node.deadline().unwrap().0.since(bed.now)
    };
    let mut bed = unsubscribed(config.clone());
    let lifetime = None;
    let contact = contact_uri;
    bed.command(Command::Protected {
        ue: Ue::at(contact),
        lifetime,
    });
    assert_eq!(granted(&mut bed, 3_600), 3_600_000 + 30_000 - 90_000);
    // Granted less: the registration ends first, as the associations last as long as before.
    assert_eq!(granted(&mut bed, 600), 600_000);
    // Shorter than the registration, until the next 2xx.
    let mut bed = unsubscribed(config);
    let lifetime = Some(300);
    bed.command(Command::Protected {
        ue: Ue::at(contact),
        lifetime,
    });
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 210_000);
    assert_eq!(granted(&mut bed, 3_600), 3_600_000 + 30_000 - 90_000);
}

/// [PD-4] The two thresholds are each their own; one that is longer than half of what was granted is that half; a
/// new one holds for registrations there are already; an association that is gone ends the registration.
#[test]
fn thresholds() {
    let left = |registration: u64, association: u64, lifetime: Option<u32>| {
        let mut bed = unsubscribed(config());
        let contact = CONTACT.as_bytes();
        bed.command(Command::Protected {
            ue: Ue::at(contact),
            lifetime,
        });
        let mut config = config();
        config.subscription.support_reg_event = false;
        config.registration_threshold = registration;
        config.association_threshold = association;
        bed.node.reconfigure(config).unwrap();
        bed.node.deadline().unwrap().0.since(bed.now)
    };
    assert_eq!(left(0, 0, None), 3_600_000);
    assert_eq!(left(5_000, 0, None), 3_595_000);
    assert_eq!(left(0, 5_000, None), 3_600_000);
    assert_eq!(left(0, 40_000, None), 3_590_000);
    assert_eq!(left(5_000, 40_000, None), 3_590_000);
    assert_eq!(left(15_000, 40_000, None), 3_585_000);
    assert_eq!(left(0, 9_000_000, None), 1_830_000);
    assert_eq!(left(0, 0, Some(0)), 0);
    // Of an emergency registration nothing but its end counts.
    let mut bed = unsubscribed(config());
    let sos = "<sip:[2001:db8::aaa:bbb]:9999;sos>;expires=600";
    bed.learn(&register(sos, 2), &register_200(sos, 2));
    let contact = b"sip:[2001:db8::aaa:bbb]:9999;sos";
    let lifetime = Some(10);
    bed.command(Command::Protected {
        ue: Ue::at(contact),
        lifetime,
    });
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 600_000);
    let unknown = b"sip:[2001:db8::aaa:bbb]:1";
    let contact = unknown;
    let verdict = bed.command(Command::Protected {
        ue: Ue::at(contact),
        lifetime,
    });
    assert_eq!(verdict, Verdict::NotMine);
}

/// [PD-7, PD-10, T43] The network deregisters a UE that is there: what is owed to it is waited for as long as its
/// transport may take (64·T1 of 2 s), its security associations are shortened to that, and released only then.
#[test]
fn deregistered_by_the_network() {
    let (mut bed, dialog) = subscribed();
    let notify = dialog.notify(2, "terminated;reason=noresource", &terminated());
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    let delivery = ask(&out[..2], "delivery");
    assert_eq!(bed.node.deadline().unwrap().0, bed.now.after(128_000));
    let out = bed.done(delivery);
    let out = bed.done(ask(&out, "shortening"));
    assert_eq!(out, [], "the UE's own NOTIFY is on its way");
    let before = bed.now;
    let out = bed.fire("question to be asked");
    assert_eq!(bed.now.since(before), 128_000);
    let out = bed.done(ask(&out, "security association"));
    let out = bed.done(ask(&out, "bearer"));
    let Out::Event(_, event) = out[0] else {
        panic!("{out:?}")
    };
    assert_eq!(outcome(event), (Cause::Network, Outcome::Notified, 0));
}

/// [PD-7, T43] The UE deregisters itself: its 200 is waited for, and there is nothing to shorten. A UE that is lost is
/// waited for no longer than any other step.
#[test]
fn how_long_what_is_owed_is_waited_for() {
    let mut config = config();
    config.t1_ue = 3_000;
    config.t1_core = 1_000;
    let mut bed = unsubscribed(config.clone());
    let gone = contact(Some(0));
    let out = bed.learn(
        &register(&gone, 2),
        &register_200("", 2).replace("Contact: \r\n", ""),
    );
    ask(&out, "delivery");
    let before = bed.now;
    let out = bed.fire("cleanup step");
    assert_eq!(bed.now.since(before), 192_000);
    ask(&out, "security association");

    let mut bed = unsubscribed(config);
    let (token, bytes) = request(&bed.lose(CONTACT));
    let out = bed.respond(token, &response(404, &bytes, ""));
    ask(&out, "delivery");
    let before = bed.now;
    ask(&bed.fire("cleanup step"), "security association");
    assert_eq!(bed.now.since(before), 5_000);
}

/// [PD-7] Associations that could not be shortened, or of which nothing is said in time, are released at once.
#[test]
fn not_shortened() {
    for answered in [true, false] {
        let (mut bed, dialog) = subscribed();
        let notify = dialog.notify(2, "terminated;reason=noresource", &terminated());
        let (_, out) = bed.receive(Source::TrustedCore, &notify);
        let out = bed.done(ask(&out[..2], "delivery"));
        let shortening = ask(&out, "shortening");
        let out = if answered {
            bed.answer(shortening, Answer::Failed.into())
        } else {
            bed.fire("cleanup step")
        };
        ask(&out, "security association");
    }
}

/// [PD-7, T48] What another registration stays on is not touched: the same contact, associations and bearer; another
/// contact of the user at the same address, the bearer. Another user at the same address has nothing to do with it.
#[test]
fn what_others_stay_on() {
    let steps = |others: &[(&str, &str, &str)]| {
        let mut bed = unsubscribed(config());
        for (private, public, uri) in others {
            let own = format!("<{uri}>;expires=3600");
            let as_other = |text: String| text.replace(PRIVATE, private).replace(PUBLIC, public);
            bed.learn(
                &as_other(register(&own, 7)),
                &as_other(register_200(&own, 7)),
            );
        }
        let gone = contact(Some(0));
        let rest = register_200("", 8).replace("Contact: \r\n", "");
        let mut out = bed.learn(&register(&gone, 8), &rest);
        let mut asked = Vec::new();
        while let Some(Out::Ask { token, what, .. }) = out.last() {
            asked.push(*what);
            out = bed.done(*token);
        }
        assert!(
            matches!(out[..], [Out::Event(_, Event::Deregistered { .. })]),
            "{others:?} {out:?}"
        );
        assert_eq!(bed.node.registrations(), others.len());
        asked
    };
    let all = ["delivery", "security association", "bearer"];
    let second = "sip:user1_business@home1.example.net";
    let stranger = (
        "user9_private@home1.example.net",
        "sip:user9@home1.example.net",
    );
    let port = "sip:[2001:db8::aaa:bbb]:2468";
    assert_eq!(steps(&[]), all);
    assert_eq!(steps(&[(PRIVATE, second, CONTACT)]), ["delivery"]);
    assert_eq!(steps(&[(stranger.0, stranger.1, CONTACT)]), ["delivery"]);
    assert_eq!(steps(&[(PRIVATE, second, port)]), all[..2]);
    assert_eq!(steps(&[(stranger.0, stranger.1, port)]), all);
    let elsewhere = "sip:[2001:db8::ccc]:2468";
    assert_eq!(steps(&[(PRIVATE, second, elsewhere)]), all);
}

/// [PD-7, DR-5] Of a crowd at one contact that all goes at once, 64 are looked at for one who stays; as long as there are
/// more, somebody is taken to, and the last of them release what was theirs.
#[test]
fn a_crowd_at_one_contact() {
    for (users, spared) in [(64, 0), (65, 1), (70, 6)] {
        let mut alone = config();
        alone.subscription.support_reg_event = false;
        let mut bed = Bed::new(alone);
        let as_user = |number: usize, text: String| {
            let private = format!("user{number}_private@home1.example.net");
            let public = format!("sip:user{number}@home1.example.net");
            text.replace(PRIVATE, &private).replace(PUBLIC, &public)
        };
        let own = contact(Some(3_600));
        let (gone, left) = (contact(Some(0)), register_200("", 8));
        let left = left.replace("Contact: \r\n", "");
        for number in 0..users {
            let (request, response) = (register(&own, 7), register_200(&own, 7));
            bed.learn(&as_user(number, request), &as_user(number, response));
        }
        let delivery: Vec<_> = (0..users)
            .map(|number| {
                let request = as_user(number, register(&gone, 8));
                match bed.learn(&request, &as_user(number, left.clone()))[..] {
                    [
                        Out::Ask {
                            token,
                            what: "delivery",
                            ..
                        },
                    ] => token,
                    ref other => panic!("{other:?}"),
                }
            })
            .collect();
        let mut released = Vec::new();
        for token in delivery {
            let mut out = bed.done(token);
            let mut bearer = false;
            while let Some(Out::Ask { token, what, .. }) = out.last() {
                bearer |= *what == "bearer";
                out = bed.done(*token);
            }
            released.push(bearer);
        }
        assert_eq!(bed.node.registrations(), 0);
        let first = released.iter().position(|released| *released);
        assert_eq!(first, Some(spared), "{users}");
        assert!(released[spared..].iter().all(|released| *released));
    }
}

/// [PD-7, PD-9, T41, T54] Other contacts of the user stay, with the subscription; and a registrar that says that the
/// contact is not ours any more (it has moved to another P-CSCF) is not asked again: what is here is cleaned up.
#[test]
fn registered_elsewhere() {
    for (status, ended) in [
        (403, Outcome::Refused),
        (404, Outcome::NothingThere { status: 404 }),
        (481, Outcome::NothingThere { status: 481 }),
    ] {
        let (mut bed, dialog) = subscribed();
        let other = contact(Some(3_600))
            .replace("aaa:bbb", "ccc")
            .replace("reg-id=1", "reg-id=2");
        bed.learn(&register(&other, 2), &register_200(&other, 2));
        let (token, bytes) = request(&bed.lose(CONTACT));
        let out = bed.respond(token, &response(status, &bytes, ""));
        let (cause, outcome, registers) = outcome(clean_up(&mut bed, &out));
        assert_eq!((cause, outcome), (Cause::AccessLost, ended));
        assert_eq!(registers, 1);
        let other = "sip:[2001:db8::ccc]:1357;comp=sigcomp";
        assert!(bed.node.is_registered(other.as_bytes()));
        let active = document("active", &[(other, "active", "refreshed", "")]);
        let notify = dialog.notify(2, "active;expires=3000", &active);
        let (verdict, out) = bed.receive(Source::TrustedCore, &notify);
        assert_eq!(verdict, Verdict::Handled);
        assert!(matches!(out[..], [Out::Respond { status: 200, .. }]));
        assert!(bed.node.is_registered(other.as_bytes()));
    }
}

/// The NOTIFY by which the network shortens the registration to so many seconds.
fn shorten(bed: &mut Bed, dialog: &Dialog, seconds: u32) {
    let body = document("active", &[(CONTACT, "active", "shortened", "")])
        .replace("expires=\"0\"", &format!("expires=\"{seconds}\""));
    let notify = dialog.notify(2, "active;expires=3000", &body);
    bed.receive(Source::TrustedCore, &notify);
}

/// [PD-10] `shortened` shortens the timers of the associations that follow the registration, too.
#[test]
fn shortened_by_the_network() {
    let mut config = config();
    config.association_threshold = 50_000;
    let (mut bed, dialog) = subscribed_at(config);
    let contact = CONTACT.as_bytes();
    let lifetime = None;
    bed.command(Command::Protected {
        ue: Ue::at(contact),
        lifetime,
    });
    shorten(&mut bed, &dialog, 600);
    let (at, timer) = bed.node.deadline().unwrap();
    assert_eq!(at, bed.now.after(580_000));
    assert_eq!(timer.0, "security association lifetime");
}

/// [PD-4, PD-10, SD-6] A UE whose registration is shortened has half of that time at least to authenticate anew,
/// however long the thresholds are; the same with associations that last less than their threshold, after a restart
/// too.
#[test]
fn thresholds_above_what_is_left() {
    let mut config = config();
    config.registration_threshold = 600_000;
    let (mut bed, dialog) = subscribed_at(config.clone());
    shorten(&mut bed, &dialog, 60);
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 30_000);
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    restart(&mut bed, &config);
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 30_000);

    config.registration_threshold = 0;
    config.association_threshold = 600_000;
    let mut bed = unsubscribed(config.clone());
    let (contact, lifetime) = (CONTACT.as_bytes(), Some(300));
    bed.command(Command::Protected {
        ue: Ue::at(contact),
        lifetime,
    });
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 150_000);
    restart(&mut bed, &config);
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 150_000);
}

/// [PD-3, PD-10] Shortened while its deregistration waits for what becomes of the UE's own REGISTER: a UE that is there
/// after all has no more time than it was told.
#[test]
fn shortened_while_it_waits() {
    let (mut bed, dialog) = subscribed_at(config());
    bed.receive(Source::Ue, register(&contact(Some(600_000)), 2).as_bytes());
    assert!(is_lost_or_waits(&bed.lose(CONTACT)));
    shorten(&mut bed, &dialog, 60);
    assert!(!bed.node.is_registered(CONTACT.as_bytes()));
    let contact = CONTACT.as_bytes();
    bed.command(Command::Heard {
        ue: Ue::at(contact),
    });
    assert!(bed.node.is_registered(contact));
    assert_eq!(bed.node.deadline().unwrap().0.since(bed.now), 60_000);
}

/// [DR-4, PD-3] More registrations at one contact than a step has room for: those that there is room for are
/// concerned, and the step is whole.
#[test]
fn too_many_at_one_contact() {
    let mut bed = unsubscribed(config());
    let most = config().limits.contacts;
    for number in 0..most + 5 {
        let own = contact(Some(3_600));
        let as_other =
            |text: String| text.replace(PRIVATE, &format!("user{number}_other@home1.example.net"));
        bed.learn(
            &as_other(register(&own, 2)),
            &as_other(register_200(&own, 2)),
        );
    }
    let out = bed.lose(CONTACT);
    let lost = out
        .iter()
        .filter(|out| matches!(out, Out::Event(_, Event::AccessLost { .. })));
    assert_eq!(lost.count(), most);
}
