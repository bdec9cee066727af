//! What `first_light.c` does, in Rust.

use std::fmt::{self, Write};

use ims_procedures::{
    drive::{
        self, Identifiers, Millis, Node, Outbox, Output, Source, Text, TransactionRef, Verdict,
    },
    pcscf::{
        Affected, Answer, Cause, Command, Event, Evidence, Outcome, Pcscf, PcscfNode, Question, Ue,
    },
    regevent::{
        notification::Termination,
        subscriber::{self, End},
    },
};

use crate::common::pcscf::{
    CONTACT, Dialog, config, contact, document, register, register_200, response,
};

/// The node, and what has been printed.
struct Play {
    node: PcscfNode,
    out: Outbox<Pcscf>,
    printed: String,
    /// The latest request of the node, and its token.
    request: Option<(drive::Token, Vec<u8>)>,
    /// The latest question of the node.
    question: Option<drive::Token>,
}

/// Plays the scenario and gives what the program in C prints.
pub fn play() -> String {
    let node = PcscfNode::new(config(), Identifiers::new([7; 32], 1, 3)).unwrap();
    let mut play = Play {
        node,
        out: Outbox::for_steps(1),
        printed: String::new(),
        request: None,
        question: None,
    };
    play.scenario();
    play.printed
}

impl Play {
    fn scenario(&mut self) {
        self.say(format_args!("== a registration is learnt"));
        let asked = register(&contact(Some(600_000)), 1);
        let given = register_200(&contact(Some(3_600)), 1);
        let learn = Command::Learn {
            request: asked.as_bytes(),
            response: given.as_bytes(),
            trunk_group: b"",
        };
        self.command(1000, learn);
        let (_, subscribe) = self.request.clone().unwrap();
        let dialog = Dialog::of(&subscribe);

        self.say(format_args!("== it is subscribed to"));
        let more = "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n";
        self.respond(1010, more);
        let body = document("active", &[(CONTACT, "active", "registered", "")]);
        self.receive(1020, 77, &dialog.notify(1, "active;expires=3660", &body));
        self.deadline();
        self.snapshot(1020);

        self.say(format_args!(
            "== before the deadline a tick changes nothing"
        ));
        self.node.tick(Millis(1500), &mut self.out).unwrap();
        self.outputs();
        self.deadline();

        self.say(format_args!(
            "== something that is no SIP message, and something for others"
        ));
        let broken = b"NOTIFY sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\nno\r\n\r\n";
        self.receive(1600, 78, broken);
        self.receive(1700, 79, asked.as_bytes());

        self.say(format_args!("== the access network loses the user"));
        let lost = Command::AccessLost {
            ue: Ue::at(CONTACT.as_bytes()),
            evidence: Evidence::BearerLost,
        };
        self.command(2000, lost);
        self.deadline();

        self.say(format_args!("== the S-CSCF lets go"));
        self.respond(2005, "");
        self.snapshot(2005);
        let body = document("terminated", &[(CONTACT, "terminated", "unregistered", "")]);
        let notify = dialog.notify(2, "terminated;reason=noresource", &body);
        self.receive(2010, 80, &notify);

        self.say(format_args!("== what is left is cleaned up"));
        let mut now = 2020;
        while let Some(token) = self.question.take() {
            let done = Answer::Done.into();
            self.node
                .answer(Millis(now), token, done, &mut self.out)
                .unwrap();
            self.outputs();
            now += 10;
        }
        self.deadline();
        self.snapshot(3000);
        self.counts();
    }

    fn command(&mut self, now: u64, command: Command<'_>) {
        let verdict = self.node.command(Millis(now), command, &mut self.out);
        self.verdict(verdict.unwrap());
        self.outputs();
    }

    fn receive(&mut self, now: u64, transaction: u64, bytes: &[u8]) {
        let (from, to) = (Source::TrustedCore, TransactionRef(transaction));
        let verdict = self
            .node
            .receive(Millis(now), from, to, bytes, &mut self.out);
        self.verdict(verdict.unwrap());
        self.outputs();
    }

    fn respond(&mut self, now: u64, more: &str) {
        let (token, request) = self.request.clone().unwrap();
        let response = response(200, &request, more);
        let answer = drive::Answer::Response(&response);
        self.node
            .answer(Millis(now), token, answer, &mut self.out)
            .unwrap();
        self.outputs();
    }

    fn verdict(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Handled => self.say(format_args!("verdict handled")),
            Verdict::NotMine => self.say(format_args!("verdict not mine")),
            Verdict::Forward => self.say(format_args!("verdict forward")),
            Verdict::Rejected(reject) => {
                self.say(format_args!(
                    "verdict rejected: {reject}, defect {}",
                    reject.defect.code
                ));
            }
            other => panic!("{other:?}"),
        }
    }

    fn outputs(&mut self) {
        let out = std::mem::replace(&mut self.out, Outbox::for_steps(1));
        for output in out.iter() {
            match output {
                Output::Request {
                    token,
                    towards,
                    next_hops,
                    congestion_controlled,
                    bytes,
                } => {
                    let towards = match towards {
                        drive::Towards::Core => "core",
                        other => panic!("{other:?}"),
                    };
                    let token_number = token.to_u64();
                    let congestion_controlled = u8::from(congestion_controlled);
                    self.say(format_args!(
                        "request token={token_number} towards={towards} \
                         congestion_controlled={congestion_controlled}"
                    ));
                    for hop in next_hops {
                        self.say(format_args!("hop {}", text(hop)));
                    }
                    self.bytes(bytes);
                    self.request = Some((token, bytes.to_vec()));
                }
                Output::Respond { to, status, bytes } => {
                    self.say(format_args!("respond to={} status={status}", to.0));
                    self.bytes(bytes);
                }
                Output::Ask { token, question } => self.ask(&out, token, question),
                Output::Event(event) => self.event(&out, event),
                other => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, out: &Outbox<Pcscf>, token: drive::Token, question: &Question) {
        let (what, key, affected) = match question {
            Question::OwedDelivery { key, affected } => ("owed delivery", key, affected),
            Question::SecurityAssociationRelease { key, affected } => {
                ("security association release", key, affected)
            }
            Question::BearerRelease { key, affected, .. } => ("bearer release", key, affected),
            other => panic!("{other:?}"),
        };
        self.say(format_args!("ask {what} token={}", token.to_u64()));
        self.say(format_args!("key {key}"));
        self.affected(out, affected);
        self.question = Some(token);
    }

    fn event(&mut self, out: &Outbox<Pcscf>, event: &Event) {
        match event {
            Event::Deregistered {
                id,
                affected,
                cause: Cause::AccessLost,
                outcome: Outcome::Notified,
                registers,
            } => {
                self.say(format_args!(
                    "event deregistered cause=1 outcome=notified status=0 registers={registers}"
                ));
                self.say(format_args!("key {id}"));
                self.affected(out, affected);
            }
            Event::AccessLost { affected, .. } => {
                self.say(format_args!("event access lost"));
                self.affected(out, affected);
            }
            Event::Subscription(subscriber::Event::Subscribed { resource, expires }) => {
                self.say(format_args!("event subscribed expires={expires}"));
                self.say(format_args!("resource {}", text(out.text(*resource))));
            }
            Event::Subscription(subscriber::Event::SubscriptionEnded {
                resource,
                why: End::Terminated(Termination::NoResource),
            }) => {
                self.say(format_args!(
                    "event subscription ended end=terminated reason=noresource"
                ));
                self.say(format_args!("resource {}", text(out.text(*resource))));
            }
            other => panic!("{other:?}"),
        }
    }

    fn affected(&mut self, out: &Outbox<Pcscf>, affected: &Affected) {
        let of = |of: Text| text(out.text(of));
        self.say(format_args!("private {}", of(affected.private_identity)));
        self.say(format_args!("public {}", of(affected.public_identity)));
        self.say(format_args!("contact {}", of(affected.contact)));
    }

    fn say(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.printed, "{line}").unwrap();
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.say(format_args!("bytes {}", bytes.len()));
        self.printed += &text(bytes);
    }

    fn deadline(&mut self) {
        match self.node.deadline() {
            Some((at, timer)) => self.say(format_args!("deadline {} {timer}", at.0)),
            None => self.say(format_args!("deadline none")),
        }
    }

    fn snapshot(&mut self, now: u64) {
        let mut blob = Vec::new();
        self.node.snapshot(Millis(now), &mut blob);
        self.printed += "snapshot ";
        for byte in blob {
            write!(self.printed, "{byte:02x}").unwrap();
        }
        self.printed += "\n";
    }

    fn counts(&mut self) {
        let counts = self.node.counters();
        self.say(format_args!("counts learned={} access_lost={} notifies={} notifies_refused={} malformed={} stale_answers={} notified={}",
            counts.learned,
            counts.access_lost,
            counts.notifies,
            counts.notifies_refused,
            counts.malformed,
            counts.stale_answers,
            counts.notified));
        let counts = self.node.sip_subscription_count_statistics(b"");
        self.say(format_args!(
            "subscriptions attempts={} successful={} active={} pending={} failed={}",
            counts.attempts, counts.successful, counts.active, counts.pending, counts.failed
        ));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
