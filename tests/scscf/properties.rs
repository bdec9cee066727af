//! What holds whatever happens, in whatever order.

use std::collections::BTreeMap;

use super::support::*;
use ims_procedures::{
    drive::{self, Identifiers, Misuse, Node, Outbox, Source, TransactionRef, Verdict},
    scscf::{
        Answer, Command, Config, DeregistrationReason, Dialogs, Scscf, ScscfNode, TerminationReason,
    },
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Learn {
        contact: u8,
        cseq: u32,
        expires: u32,
    },
    Own {
        contact: u8,
        call: u8,
        cseq: u32,
    },
    Star {
        call: u8,
        cseq: u32,
    },
    Pcscf {
        contact: u8,
        cseq: u32,
    },
    Subscribe {
        name: u8,
        cseq: u32,
        expires: u32,
        dialog: bool,
    },
    Answer {
        which: usize,
        how: u8,
    },
    /// What the network does: by operator or HSS.
    Network(u8),
    Wait(u64),
    Restore,
}

fn act() -> impl Strategy<Value = Act> {
    let contact = 0..3u8;
    prop_oneof![
        3 => (contact.clone(), 1..9u32, 1..100u32)
            .prop_map(|(contact, cseq, expires)| Act::Learn { contact, cseq, expires }),
        2 => (contact.clone(), 0..3u8, 1..9u32)
            .prop_map(|(contact, call, cseq)| Act::Own { contact, call, cseq }),
        1 => (0..3u8, 1..9u32).prop_map(|(call, cseq)| Act::Star { call, cseq }),
        2 => (contact, 1..9u32).prop_map(|(contact, cseq)| Act::Pcscf { contact, cseq }),
        2 => (0..3u8, 1..9u32, 0..100u32, any::<bool>())
            .prop_map(|(name, cseq, expires, dialog)| Act::Subscribe { name, cseq, expires, dialog }),
        9 => (any::<usize>(), any::<u8>()).prop_map(|(which, how)| Act::Answer { which, how }),
        2 => (0..7u8).prop_map(Act::Network),
        4 => (0..20_000u64).prop_map(Act::Wait),
        1 => Just(Act::Restore),
    ]
}

/// What the host of a random run keeps.
struct Run {
    host: Host,
    waiting: Vec<Out>,
    /// Responses by transaction.
    responses: BTreeMap<u64, u32>,
    /// Which server transactions must have had one.
    owed: Vec<u64>,
    /// Accepted deregistrations: questions about dialogs, by key.
    accepted: Vec<String>,
    outcomes: usize,
    subscribed: usize,
    ended: usize,
    tags: BTreeMap<u8, String>,
    /// Lives of the node.
    incarnation: u64,
}

fn contact(number: u8) -> Registration {
    let (uri, params) = match number {
        0 => (CONTACT.to_string(), format!(";{INSTANCE};reg-id=1")),
        1 => (CONTACT.to_string(), format!(";{INSTANCE};reg-id=2")),
        _ => ("sip:192.0.2.20".to_string(), String::new()),
    };
    Registration::of(&uri, &params)
}

const CALLS: [&str; 3] = ["ue-call-0", "ue-call-1", "ue-call-2"];

impl Run {
    fn new() -> Self {
        Self {
            host: Host::new(config()),
            waiting: Vec::new(),
            responses: BTreeMap::new(),
            owed: Vec::new(),
            accepted: Vec::new(),
            outcomes: 0,
            subscribed: 0,
            ended: 0,
            tags: BTreeMap::new(),
            incarnation: 1,
        }
    }

    fn note(&mut self, outs: Vec<Out>) {
        for out in outs {
            match &out {
                Out::Respond { to, .. } => *self.responses.entry(*to).or_default() += 1,
                // Nothing was asked about one that another S-CSCF has taken.
                Out::Event(Ev::Deregistered { outcome, .. })
                    if outcome.dialogs == Dialogs::NotNeeded => {}
                Out::Event(Ev::Deregistered { .. }) => self.outcomes += 1,
                Out::Event(Ev::Subscribed { .. }) => self.subscribed += 1,
                Out::Event(Ev::Ended(_)) => self.ended += 1,
                Out::Event(_) => {}
                Out::Ask {
                    ask: Ask::DialogRelease { key, .. },
                    ..
                } => {
                    if !self.accepted.contains(key) {
                        self.accepted.push(key.clone());
                    }
                    self.waiting.push(out);
                }
                Out::Ask { .. } | Out::Request { .. } => self.waiting.push(out),
            }
        }
    }

    fn receive(&mut self, bytes: String) {
        let (verdict, outs) = self
            .host
            .receive_from(Source::TrustedCore, bytes.as_bytes());
        assert!(
            matches!(verdict, Verdict::Handled | Verdict::Rejected(_)),
            "{verdict:?}"
        );
        self.owed.push(self.host.transactions);
        self.note(outs);
    }

    fn answer(&mut self, which: usize, how: u8) {
        if self.waiting.is_empty() {
            return;
        }
        let asked = self.waiting.remove(which % self.waiting.len());
        let role = match (&asked, how % 4) {
            (Out::Request { bytes, .. }, how) => {
                let status = [200, 481, 500, 200][usize::from(how)];
                let response = response_to(bytes, status);
                let answer = match how {
                    3 => drive::Answer::Timeout,
                    _ => drive::Answer::Response(response.as_bytes()),
                };
                let outs = self.host.try_answer(asked.token(), answer).unwrap();
                return self.note(outs);
            }
            (
                Out::Ask {
                    ask: Ask::Authentication { .. },
                    ..
                },
                0,
            ) => Answer::Denied,
            (
                Out::Ask {
                    ask: Ask::Authentication { .. },
                    ..
                },
                1,
            ) => Answer::Challenge {
                header: b"Digest x=y",
            },
            (
                Out::Ask {
                    ask: Ask::Authentication { .. },
                    ..
                },
                _,
            ) => Answer::Authenticated,
            (
                Out::Ask {
                    ask: Ask::ServerAssignment { .. },
                    ..
                },
                0,
            ) => Answer::NotAssigned {
                application_servers: SERVER,
            },
            (_, 0) => Answer::Failed,
            (
                Out::Ask {
                    ask: Ask::DialogRelease { .. },
                    ..
                },
                _,
            ) => Answer::Released,
            _ => Answer::Assigned {
                application_servers: SERVER,
            },
        };
        let outs = self.host.answer(&asked, role);
        self.note(outs);
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Learn {
                contact: number,
                cseq,
                expires,
            } => {
                let mut registration = contact(number);
                registration.call_id = CALLS[usize::from(number)];
                registration.cseq = cseq;
                for granted in &mut registration.granted {
                    *granted = granted.replace("expires=3600", &format!("expires={expires}"));
                }
                self.host.learn(&registration);
            }
            Act::Own {
                contact: number,
                call,
                cseq,
            } => {
                self.receive(contact(number).removal(CALLS[usize::from(call)], cseq));
            }
            Act::Star { call, cseq } => {
                let star = Registration {
                    contacts: vec!["*".into()],
                    ..Registration::default()
                };
                self.receive(star.removal(CALLS[usize::from(call)], cseq));
            }
            Act::Pcscf {
                contact: number,
                cseq,
            } => {
                let contact = format!("Contact: {};expires=0", contact(number).contacts[0]);
                let text = register();
                let old = text
                    .lines()
                    .find(|line| line.starts_with("Contact: "))
                    .unwrap()
                    .to_string();
                let register = text.replace(&old, &contact);
                self.receive(register.replace("CSeq: 1 ", &format!("CSeq: {cseq} ")));
            }
            Act::Subscribe {
                name,
                cseq,
                expires,
                dialog,
            } => {
                let mut text = subscribe()
                    .replace("subscriber-1", &format!("subscriber-{name}"))
                    .replace("s-call-1", &format!("s-call-{name}"))
                    .replace("CSeq: 1 ", &format!("CSeq: {cseq} "))
                    .replace("Expires: 3660", &format!("Expires: {expires}"));
                if let (true, Some(to)) = (dialog, self.tags.get(&name)) {
                    text = text.replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"));
                }
                let (verdict, outs) = self.host.receive_from(Source::TrustedCore, text.as_bytes());
                assert!(matches!(verdict, Verdict::Handled | Verdict::Rejected(_)));
                self.owed.push(self.host.transactions);
                if let Some(accepted) = outs
                    .iter()
                    .find(|out| matches!(out, Out::Respond { status: 200, .. }))
                {
                    let to = header(accepted.bytes(), "To").unwrap();
                    self.tags.insert(name, to.to_string());
                }
                self.note(outs);
            }
            Act::Answer { which, how } => self.answer(which, how),
            Act::Network(which) => {
                let retry_after = 30;
                let outs = match which {
                    0 => self.host.end(DeregistrationReason::Maintenance).1,
                    1 => self.host.end(DeregistrationReason::Refused).1,
                    2 => {
                        let reason = DeregistrationReason::WaitAndRetry { retry_after };
                        self.host.end(reason).1
                    }
                    3 => {
                        self.host
                            .terminate(TerminationReason::PermanentTermination)
                            .1
                    }
                    4 => self.host.terminate(TerminationReason::ServerChange).1,
                    5 => self.host.terminate(TerminationReason::NewServerAssigned).1,
                    _ => {
                        super::network::reauthenticate(&mut self.host, 10);
                        Vec::new()
                    }
                };
                self.note(outs);
                // What it begins has its first question offered, and is counted by that.
                let outs = self.host.ticks();
                self.note(outs);
            }
            Act::Wait(milliseconds) => {
                let outs = self.host.run(milliseconds);
                self.note(outs);
            }
            Act::Restore => {
                let mut blob = Vec::new();
                self.host.node.snapshot(self.host.now, &mut blob);
                self.incarnation += 1;
                let identifiers = Identifiers::new(SEED, self.incarnation, 3);
                self.host.node =
                    ScscfNode::restore(config(), identifiers, self.host.now, &blob).unwrap();
                self.waiting.clear();
                let outs = self.host.ticks();
                self.note(outs);
            }
        }
    }

    /// Nobody answers any more: everything ends.
    fn finish(mut self) {
        let outs = self.host.run(1_000_000);
        self.note(outs);
        assert_eq!(self.host.node.sets(), 0);
        assert_eq!(self.host.node.deadline(), None);
        for transaction in &self.owed {
            assert_eq!(
                self.responses.get(transaction),
                Some(&1),
                "one final response each"
            );
        }
        assert_eq!(self.responses.len(), self.owed.len());
        assert_eq!(
            self.outcomes,
            self.accepted.len(),
            "one outcome for each accepted"
        );
        assert_eq!(self.ended, self.subscribed, "every subscription ends once");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// [DR-1, DR-4, DR-7, SD-4] Whatever crosses: every request is answered exactly once, every accepted
    /// deregistration has exactly one outcome, everything ends, and nothing is left; restored or not.
    #[test]
    fn whatever_crosses(acts in proptest::collection::vec(act(), 0..40)) {
        let mut run = Run::new();
        for act in &acts {
            run.act(act);
        }
        run.finish();
    }

    /// [DR-4] A REGISTER or SUBSCRIBE with any bytes changed, cut or doubled is answered or not, and the node
    /// still works.
    #[test]
    fn any_bytes(
        which in 0..3usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..8),
        from in 0..2u8,
    ) {
        let own = Registration::default().removal("x", 1);
        let mut bytes = [register(), subscribe(), own][which].clone().into_bytes();
        for (place, byte, how) in edits {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => { bytes.remove(place); }
                _ => bytes.insert(place, byte),
            }
        }
        let mut host = Host::registered();
        let from = if from == 0 { Source::TrustedCore } else { Source::Ue };
        let mut out = Outbox::<Scscf>::for_steps(1);
        let verdict = host.node.receive(host.now, from, TransactionRef(1), &bytes, &mut out).unwrap();
        if verdict == Verdict::NotMine {
            prop_assert!(out.is_empty());
        }
        host.run(1_000_000);
        host.run(10_000_000);
        prop_assert_eq!(host.node.sets(), 0);
    }

    /// [SD-7] Whatever the host shows: learnt or refused, and what is learnt can be notified.
    #[test]
    fn any_registration(
        edits in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let good = Registration::default();
        let (mut request, mut response) = (good.request().into_bytes(), good.response().into_bytes());
        for (in_request, place, byte) in edits {
            let bytes = if in_request { &mut request } else { &mut response };
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let mut host = Host::new(config());
        let learned = host.learn_bytes(&request, &response);
        let is_expected = matches!(
            learned,
            Ok(Verdict::Handled | Verdict::NotMine)
                | Err(Misuse::BadCommand(_) | Misuse::TooLarge { .. })
        );
        prop_assert!(is_expected, "{learned:?}");
        if host.node.is_registered(PUBLIC.as_bytes()) {
            let outs = host.receive(subscribe());
            if let Some(Out::Respond { status: 200, .. }) = outs.first() {
                prop_assert!(outs[2].is_notify(), "{outs:?}");
            }
        }
    }
}

/// [DR-10] The configuration is replaced at run time; one that cannot work is refused and the old one stays.
#[test]
fn reconfigured() {
    let mut host = Host::registered();
    host.subscribe();
    let refused = |spoil: &dyn Fn(&mut Config)| {
        let mut config = config();
        spoil(&mut config);
        config.check().unwrap_err().field
    };
    assert_eq!(
        refused(&|c| c.assignment_bound = 17_000),
        "authentication_bound, dialog_bound, assignment_bound"
    );
    assert_eq!(
        refused(&|c| c.waiting_deregistrations = 0),
        "waiting_deregistrations"
    );
    assert_eq!(refused(&|c| c.server_bound = 0), "server_bound");
    assert_eq!(
        refused(&|c| c.trusted_servers.push(b"as".to_vec())),
        "trusted_servers"
    );
    assert_eq!(refused(&|c| c.limits.users = 1 << 24), "limits.users");
    assert_eq!(
        refused(&|c| c.limits.message_bytes = 65_536),
        "limits.message_bytes"
    );
    assert_eq!(
        refused(&|c| c.limits.xml_bytes = 65_536),
        "limits.xml_bytes"
    );
    assert_eq!(
        refused(&|c| c.limits.registration_bytes = 16_385),
        "limits.registration_bytes"
    );
    assert_eq!(refused(&|c| c.limits.contacts = 0), "limits.contacts");
    assert_eq!(refused(&|c| c.limits.contacts = 65), "limits.contacts");
    assert_eq!(refused(&|c| c.notifier.max_expires = 0), "max_expires");
    assert_eq!(
        refused(&|c| c.borders.push(ims_procedures::scscf::Border {
            path_owner: b"tel:+1".to_vec(),
            asserted: b"sip:a".to_vec(),
        })),
        "borders"
    );
    assert_eq!(
        refused(&|c| c.authenticating.push(b"tel:+1".to_vec())),
        "authenticating"
    );
    let mut bad = config();
    bad.server_bound = 0;
    assert!(host.node.reconfigure(bad).is_err());
    let mut observing = config();
    observing.assignment_bound = 16_999;
    observing.observe_only = true;
    host.node.reconfigure(observing).unwrap();
    let [event, _] = host.receive(register()).try_into().unwrap();
    assert_eq!(event, Out::Event(Ev::Observed));
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
}

/// [DR-9] Nothing personal in what commands, outputs and counters show of themselves.
#[test]
fn debug_shows_nobody() {
    let mut host = Host::registered();
    let registration = Registration::default();
    let (request, response) = (registration.request(), registration.response());
    let command = Command::Learn {
        request: request.as_bytes(),
        response: response.as_bytes(),
        private_identity: Some(PRIVATE.as_bytes()),
    };
    let mut shown = format!("{command:?}");
    let mut out = Outbox::<Scscf>::for_steps(4);
    for bytes in [
        register(),
        subscribe(),
        registration.removal("ue-call-1", 99),
    ] {
        let txn = TransactionRef(1);
        let verdict = host.node.receive(
            host.now,
            Source::TrustedCore,
            txn,
            bytes.as_bytes(),
            &mut out,
        );
        shown += &format!("{verdict:?}");
    }
    shown += &format!("{out:?} {:?}", host.node.counters());
    for answer in [
        Answer::Challenge {
            header: b"Digest nonce=\"user1-nonce\"",
        },
        Answer::Assigned {
            application_servers: b"<sip:user1@2001.example>",
        },
        Answer::Authenticated,
    ] {
        shown += &format!("{answer:?}");
        shown += &format!("{:?}", ims_procedures::drive::Answer::<Scscf>::Role(answer));
    }
    assert!(shown.contains("Role(Challenge") && shown.contains("Role(Authenticated)"));
    for part in ["user1", "2001", "117, 115, 101, 114, 49", "imei", "nonce"] {
        assert!(!shown.contains(part), "{part} in {shown}");
    }
}
