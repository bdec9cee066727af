//! The P-CSCF: the library's node for deregistration and its subscriptions, and a proxy beside it.
//!
//! What belongs to a request that was passed on is the proxy's alone: the node has judged that request, and does not judge it
//! again. It sees every other message, and says what is to become of it. The proxy passes on what the node lets through; and
//! of a REGISTER that was answered, the node is shown both.
//!
//! ```text
//!   UE                                                                        core
//!    |     way_back.rs: the Via of a request is stamped                         |
//!    |     gate.rs, passing.rs, passage.rs: does it belong to one that was      |
//!    |       passed on? Then its server or client transaction takes it          |
//!    |     host.rs: txn::Transactions, and the node in it, which                |
//!    |       deregisters UEs, subscribes, and is notified                       |
//!    |     proxy.rs, ues.rs: what it lets through is changed, and has its way   |
//! ```
//!
//! A REGISTER is stamped, belongs to nothing, and is let through by the node, unless it is held (`Verdict::Hold`);
//! `Proxy::register` writes Path and the like; `Passage::begin` sends it. Its 200 is let through too; the passage takes it,
//! `Element::learn` shows both to the node and to `Ues`, and then it goes to the UE. An INVITE for the UE goes the same way to
//! `Proxy::terminating`, which finds the flow in the token of the Path; the passage says 100, and from then on it is the
//! passage that takes the INVITE that comes again, its CANCEL and the ACK of its refusal. The ACK of its 200 belongs to nothing,
//! and is passed on without a passage.

use std::error::Error;

use ims_procedures::{
    drive::{Identifier, Limits, Millis, Misuse, Outbox, Source, Token, TransactionRef, Verdict},
    pcscf::{
        Affected, Answer, Command, Config, Event, Evidence, LossRule, Pcscf, PcscfNode, Question,
        Shutdown, Ue,
    },
    regevent::subscriber::{self, Profile},
    wire::Message,
};
use serde_json::{Value, json};

use crate::{
    arguments::{self, Arguments},
    audit,
    console::{self, counters, text, word},
    element::{NetworkElement, Refused},
    gate::Gate,
    hop,
    host::{Duties, Host},
    outside::Outside,
    passage::Times,
    passing::{Answered, Passing},
    peer::Peer,
    proxy::Proxy,
    site::Site,
    subscribing,
    ues::{Name, Registered, Ues},
    way_back::Stamped,
};

pub struct Element {
    host: Host<PcscfNode>,
    edge: Edge,
    gate: Gate,
    /// REGISTERs that the node has held back.
    held: Vec<(Token, Peer, Stamped)>,
    /// Of every response from here.
    tag: Identifier,
}

/// What the node asks of the access network and tells of it.
struct Edge {
    ues: Ues,
    /// With what REGISTERs were held that are not held any more, and whether each goes on.
    released: Vec<(Token, TransactionRef, bool)>,
}

impl Element {
    pub fn new(
        site: &mut Site,
        arguments: &mut Arguments,
        now: Millis,
    ) -> Result<Self, Box<dyn Error>> {
        let core = arguments::address("next-hop", &arguments.needed("next-hop")?)?;
        site.names.lead_elsewhere(core);
        site.trust.add(*core.ip());
        let visited_network = match arguments.text("visited-network")? {
            Some(name) => name,
            None => format!("\"{}\"", site.domain),
        };
        let config = config(site, arguments, &visited_network)?;
        let element = config.element.clone();
        let node = PcscfNode::new(config, site.birth.identifiers())?;
        let host = Host::new(node, site, now)?;
        let node: &PcscfNode = host.node();
        let is_registered = |contact: &[u8]| node.is_registered(contact);
        let tag = site.birth.identifiers().constant();
        let ues = Ues::restore(site.open_store("ues")?, is_registered)?;
        Ok(Self {
            host,
            edge: Edge {
                ues,
                released: Vec::new(),
            },
            gate: Gate {
                proxy: Proxy::new(element, site.birth.identifiers(), site.birth.secret()),
                passing: Passing::new(Times::read(arguments)?, tag),
                visited_network,
                trust: site.trust.clone(),
                own: site.listen,
                core,
            },
            held: Vec::new(),
            tag,
        })
    }

    /// Does with a message what the node has said.
    fn obey(
        &mut self,
        now: Millis,
        (from, trust): (Peer, Source),
        message: &Stamped,
        verdict: Verdict,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        match verdict {
            Verdict::Forward | Verdict::NotMine => {
                return self.pass_on(now, (from, trust), message, outside);
            }
            Verdict::Hold(token) => {
                // Of the same contact, the last.
                self.held.retain(|(other, ..)| *other != token);
                self.held.push((token, from, message.clone()));
            }
            // Of an INVITE: no node has a transaction for that.
            Verdict::Refuse { status, .. } => hop::refuse(now, message, status, self.tag, outside),
            Verdict::Rejected(reject) => {
                let why = reject.to_string();
                outside.report(now, &json!({"event": "rejected", "why": why}));
            }
            _ => {}
        }
        Ok(())
    }

    fn pass_on(
        &mut self,
        now: Millis,
        (from, trust): (Peer, Source),
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let limits = Limits::default();
        let Ok(read) = Message::parse(&message.bytes, &limits) else {
            return Ok(());
        };
        let Some(method) = read.method() else {
            return self.pass_back(now, (from, trust), &read, outside);
        };
        let (of, came) = ((from, trust), (message, &read, method));
        self.gate.request(now, of, came, &self.edge.ues, outside);
        Ok(())
    }

    /// A response goes back. Of a REGISTER, the node learns both before the UE hears of it: what that believes must outlive
    /// the program.
    fn pass_back(
        &mut self,
        now: Millis,
        (from, trust): (Peer, Source),
        response: &Message<'_>,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let of = (from, trust);
        let Some(returned) = self.gate.response(now, of, response, outside) else {
            return Ok(());
        };
        if let (Source::TrustedCore, Some(Answered { request, .. })) = (trust, &returned.answered) {
            if let Some(flow) = self.gate.proxy.flow_of_register(request) {
                self.learn(now, (flow, request), response.bytes(), outside)?;
            }
        }
        returned.to.send(now, &returned.bytes, outside);
        Ok(())
    }

    fn learn(
        &mut self,
        now: Millis,
        (flow, request): (Peer, &[u8]),
        response: &[u8],
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let learn = Command::Learn {
            request,
            response,
            trunk_group: b"",
        };
        let learned = self.host.command(now, learn, &mut self.edge, outside);
        match learned {
            Ok(_) => {
                let shown = (request, response);
                self.edge.learn(now, flow, shown, self.host.node(), outside);
            }
            Err(Misuse::NodeFull | Misuse::TooLarge { .. } | Misuse::BadCommand(_)) => {
                outside.report(now, &json!({"event": "not_learnt"}));
            }
            Err(mistake) => return Err(mistake),
        }
        Ok(())
    }

    /// What is not to be held any more goes on, or is refused.
    fn release(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        for (token, transaction, forward) in std::mem::take(&mut self.edge.released) {
            let is_waiting = self.host.take_over(transaction).is_some();
            let place = self.held.iter().position(|(held, ..)| *held == token);
            let Some((_, from, message)) = place.map(|place| self.held.remove(place)) else {
                continue;
            };
            match (is_waiting, forward) {
                (true, true) => {
                    self.pass_on(now, (from, Source::Ue), &message, outside)?;
                }
                (true, false) => hop::refuse(now, &message, 500, self.tag, outside),
                // Its sender has given up.
                (false, _) => {}
            }
        }
        Ok(())
    }

    fn shut_down(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["rate", "in_flight", "deadline_ms", "emergency", "dry_run"])?;
        let deadline = command.number("deadline_ms")?.unwrap_or(60_000);
        let number = |field| {
            command
                .number(field)
                .map(|number| number.map(u32::try_from))
        };
        let mut order = Shutdown::until(now.after(deadline));
        order.rate = number("rate")?.transpose()?;
        order.in_flight = number("in_flight")?.transpose()?;
        order.emergency = command.flag("emergency")?;
        order.dry_run = command.flag("dry_run")?;
        self.order(now, Command::Shutdown(order), outside)
    }

    fn order(
        &mut self,
        now: Millis,
        order: Command<'_>,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        let verdict = self.host.command(now, order, &mut self.edge, outside)?;
        self.release(now, outside)?;
        Ok(verdict)
    }

    fn list(&self) -> Value {
        let listed = self.edge.ues.iter().map(|(name, ue)| {
            json!({
                "contact": text(&name.contact),
                "private_identity": text(&name.private_identity),
                "public_identity": ue.identity(),
                "flow": ue.flow().map(|flow| flow.to_string()),
                "registered": self.host.node().is_registered(&name.contact),
            })
        });
        json!({"event": "list", "registrations": listed.collect::<Vec<_>>()})
    }

    fn statistics(&self) -> Value {
        let (transactions, transaction_layer) = self.host.transactions();
        let node = self.host.node();
        json!({
            "event": "statistics",
            "registrations": node.registrations(),
            "passing": self.gate.passing.len(),
            "passing_bytes": self.gate.passing.bytes(),
            "held": self.held.len(),
            "transactions": transactions,
            "node": counters(&node.counters()),
            "transaction_layer": counters(&transaction_layer),
        })
    }
}

impl NetworkElement for Element {
    fn receive(
        &mut self,
        now: Millis,
        from: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let trust = self.gate.trust.source(from, Source::Ue);
        let of = (from, trust);
        if self.gate.takes(now, of, message, &self.edge.ues, outside) {
            return Ok(());
        }
        let (back, bytes) = ((message.back, trust), message.bytes.as_slice());
        let verdict = self
            .host
            .receive(now, back, bytes, &mut self.edge, outside)?;
        self.obey(now, (from, trust), message, verdict, outside)?;
        self.release(now, outside)
    }

    fn command(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<(), Refused> {
        let verdict = match command.name() {
            "access_lost" => {
                command.takes(&["contact", "private_identity", "evidence"])?;
                let order = Command::AccessLost {
                    ue: ue(command)?,
                    evidence: evidence(command.find("evidence")?.unwrap_or("bearer_lost"))?,
                };
                self.order(now, order, outside)?
            }
            "heard" => {
                command.takes(&["contact", "private_identity"])?;
                self.order(now, Command::Heard { ue: ue(command)? }, outside)?
            }
            "shutdown" => self.shut_down(now, command, outside)?,
            "resume" => {
                command.takes(&[])?;
                self.order(now, Command::Resume, outside)?
            }
            "list" => {
                outside.reply(&self.list());
                return Ok(());
            }
            "statistics" => {
                outside.reply(&self.statistics());
                return Ok(());
            }
            other => return Err(format!("there is no command {other:?}").into()),
        };
        if verdict == Verdict::NotMine {
            return Err("no such contact is registered here".into());
        }
        outside.reply(&json!({"event": "accepted", "command": command.name()}));
        Ok(())
    }

    fn deadline(&self) -> Option<Millis> {
        let deadlines = [self.host.deadline(), self.gate.passing.deadline()];
        deadlines.into_iter().flatten().min()
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        self.gate.passing.tick(now, outside);
        self.host.tick(now, &mut self.edge, outside)?;
        self.release(now, outside)
    }

    /// Whether that means that the UE is lost, the policy says.
    fn closed(&mut self, now: Millis, flow: Peer, outside: &mut Outside) -> Result<(), Misuse> {
        self.gate.passing.closed(now, flow, outside);
        for name in self.edge.ues.close(flow) {
            let report = Command::AccessLost {
                ue: Ue::at(&name.contact).of(&name.private_identity),
                evidence: Evidence::FlowClosed,
            };
            self.host.command(now, report, &mut self.edge, outside)?;
        }
        self.release(now, outside)
    }
}

impl Edge {
    /// Takes note of the flow of whatever the node has learnt.
    fn learn(
        &mut self,
        now: Millis,
        flow: Peer,
        shown: (&[u8], &[u8]),
        node: &PcscfNode,
        outside: &mut Outside,
    ) {
        let is_registered = |contact: &[u8]| node.is_registered(contact);
        let report = match self.ues.learn(now, flow, shown, is_registered) {
            Registered::Nobody => return,
            Registered::At(identity, contacts) => {
                json!({"event": "registered", "public_identity": identity, "contacts": contacts})
            }
            Registered::RouteTooLong(identity) => {
                json!({"event": "service_route_too_long", "public_identity": identity})
            }
        };
        outside.report(now, &report);
    }
}

impl Duties<Pcscf> for Edge {
    type Reply = Answer<'static>;

    /// The steps of the cleanup. This host has no bearers, and no security associations: there is none to keep for the
    /// NOTIFY that the UE itself is owed, and each step is done at once.
    fn reply(
        &mut self,
        _: Millis,
        (_, question): (Token, &Question),
        _: &Outbox<Pcscf>,
        _: &mut Outside,
    ) -> Option<Answer<'static>> {
        Some(match question {
            Question::SecurityAssociationShortening { .. } => Answer::Failed,
            Question::OwedDelivery { .. }
            | Question::SecurityAssociationRelease { .. }
            | Question::BearerRelease { .. } => Answer::Done,
            // `Routing::EntryPoints` is the default: nothing is asked.
            Question::Subscription(_) => Answer::Subscription(subscriber::Answer::NoRoute),
            _ => Answer::Failed,
        })
    }

    fn answer(reply: &Answer<'static>) -> Answer<'static> {
        *reply
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        texts: &Outbox<Pcscf>,
        outside: &mut Outside,
    ) {
        let about = |name: &str, affected: &Affected| {
            json!({
                "event": name,
                "public_identity": text(texts.text(affected.public_identity)),
                "private_identity": text(texts.text(affected.private_identity)),
                "contact": text(texts.text(affected.contact)),
            })
        };
        let mut report = match event {
            Event::Deregistered { affected, .. } => {
                self.ues.remove(&Name {
                    contact: texts.text(affected.contact).to_vec(),
                    private_identity: texts.text(affected.private_identity).to_vec(),
                });
                about("deregistered", affected)
            }
            Event::Cancelled { affected, .. } => about("cancelled", affected),
            Event::AccessLost { affected, .. } => about("access_lost", affected),
            Event::AccessDoubted { affected, .. } => about("access_doubted", affected),
            Event::HeldRegisterReleased {
                token,
                transaction,
                forward,
            } => {
                self.released.push((*token, *transaction, *forward));
                json!({"event": "held_register_released", "forward": forward})
            }
            Event::Audited(record) => {
                return outside.audit(&audit::line(record, about("audited", &record.affected)));
            }
            Event::Subscription(event) => subscribing::report(event, texts),
            Event::ShutdownPlanned {
                registrations,
                in_dialog,
                emergency,
                least_time,
            } => json!({
                "event": "shutdown_planned",
                "registrations": registrations,
                "in_dialog": in_dialog,
                "emergency": emergency,
                "least_ms": least_time,
            }),
            Event::ShutdownProgressed {
                left,
                queued,
                in_flight,
                tally,
            } => json!({
                "event": "shutdown_progressed",
                "left": left,
                "queued": queued,
                "in_flight": in_flight,
                "tally": counters(tally),
            }),
            Event::ShutdownEnded { tally } => {
                json!({"event": "shutdown_ended", "tally": counters(tally)})
            }
            other => json!({"event": word(other)}),
        };
        match event {
            Event::Deregistered {
                cause,
                outcome,
                registers,
                ..
            } => {
                report["cause"] = word(cause).into();
                report["outcome"] = word(outcome).into();
                report["registers"] = (*registers).into();
            }
            Event::Cancelled { cause, .. } => report["cause"] = word(cause).into(),
            Event::AccessDoubted { evidence, .. } => report["evidence"] = word(evidence).into(),
            _ => {}
        }
        outside.report(now, &report);
    }
}

fn config(
    site: &Site,
    arguments: &mut Arguments,
    visited_network: &str,
) -> Result<Config, Box<dyn Error>> {
    let mut config = Config::new(site.element()?, visited_network.as_bytes());
    config.audit = site.audit.is_some();
    config.subscription.support_reg_event = arguments.either("reg-event", ["on", "off"])?;
    if !arguments.either("profile", ["sbc", "rfc6665"])? {
        config.subscription.profile = Profile::Rfc6665;
    }
    config.attempts = arguments.number("attempts", config.attempts)?;
    config.retry_interval = arguments.number("retry-ms", config.retry_interval)?;
    config.notify_bound = arguments.number("notify-ms", config.notify_bound)?;
    config.hold_bound = arguments.number("hold-ms", config.hold_bound)?;
    let probes = arguments.number("lost-after-probes", 0)?;
    let window = arguments.number("probe-window-ms", 60_000)?;
    if probes > 0 {
        let rule = LossRule::probes_missed(probes, window);
        config.loss.rules.push(rule);
    }
    if let Some(probes) = arguments.text("lost-after-flow-and-probes")? {
        let probes = arguments::read("lost-after-flow-and-probes", &probes)?;
        let rule = LossRule::flow_closed_and_probes_missed(probes, window);
        config.loss.rules.push(rule);
    }
    Ok(config)
}

fn evidence(name: &str) -> Result<Evidence, Refused> {
    Ok(match name {
        "bearer_lost" => Evidence::BearerLost,
        "flow_closed" => Evidence::FlowClosed,
        "probe_missed" => Evidence::ProbeMissed,
        "security_association_idle" => Evidence::SecurityAssociationIdle,
        other => return Err(format!("there is no evidence {other:?}").into()),
    })
}

/// Whom a command is about: whoever has the contact, or the user of that private identity.
fn ue(command: &console::Command) -> Result<Ue<'_>, String> {
    let ue = Ue::at(command.text("contact")?.as_bytes());
    let user = command.find("private_identity")?.map(str::as_bytes);
    Ok(user.map_or(ue, |user| ue.of(user)))
}
