//! The P-CSCF: the library's node for deregistration and its subscriptions, and a proxy beside it.
//!
//! The node sees every message first, and says what is to become of it. The proxy passes on what the node lets through;
//! and of a REGISTER that was answered, the node is shown both.

use std::{collections::HashMap, error::Error, net::SocketAddrV4};

use ims_procedures::{
    drive::{Identifier, Limits, Millis, Misuse, Outbox, Source, Token, TransactionRef, Verdict},
    pcscf::{
        Affected, Answer, Command, Config, Event, Evidence, LossRule, Pcscf, PcscfNode, Question,
        Shutdown, Ue,
    },
    regevent::subscriber::{self, Profile},
    wire::{Accepts, Message, Method},
};
use serde_json::{Value, json};

use crate::{
    agenda::Agenda,
    arguments::{self, Arguments},
    console::{self, counters, text, word},
    element::{NetworkElement, Refused},
    hop,
    host::{Duties, Host},
    outside::Outside,
    peer::Peer,
    proxy::{Onward, Proxy},
    site::{Site, Trust},
    subscribing,
    ues::{Name, Ues},
    way_back::Stamped,
};

/// Milliseconds for which a REGISTER waits for its response (64·T1 towards the core).
const PATIENCE: u64 = 32_000;
/// REGISTERs that wait at once, and bytes of all of them; then others are refused with 503.
const MOST_PASSED: usize = 10_000;
const MOST_PASSED_BYTES: usize = 16 << 20;
/// The status of a request for a UE whose connection is gone (RFC 5626 5.3): only the UE can make another.
const FLOW_FAILED: u16 = 430;

pub struct Element {
    host: Host<PcscfNode>,
    edge: Edge,
    proxy: Proxy,
    visited_network: String,
    trust: Trust,
    core: SocketAddrV4,
    passed: Passed,
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

/// A REGISTER that was passed on, as it went to the core.
struct Register {
    flow: Peer,
    bytes: Vec<u8>,
}

/// REGISTERs that wait for their response, by the branch of ours.
struct Passed {
    waiting: HashMap<Vec<u8>, Register>,
    agenda: Agenda<Vec<u8>>,
    /// Of all that wait.
    bytes: usize,
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
        let ues = Ues::restore(site.open_store("ues")?, is_registered)?;
        Ok(Self {
            host,
            edge: Edge {
                ues,
                released: Vec::new(),
            },
            proxy: Proxy::new(element, site.birth.identifiers(), site.birth.secret()),
            visited_network,
            trust: site.trust.clone(),
            core,
            passed: Passed::new(),
            held: Vec::new(),
            tag: site.birth.identifiers().constant(),
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
            // Of an INVITE, which has no transaction here.
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
            return self.pass_back(now, trust, &message.bytes, outside);
        };
        // RFC 3261 16.3: what it is to support and does not, and the like.
        let checked = hop::check(&read, &Accepts::proxy(), self.tag);
        if let (Err(owed), true) = (checked, method != Method::Ack) {
            if let Some(response) = owed {
                outside.send(now, message.back, &response);
            }
            return Ok(());
        }
        let passed = match (trust, method) {
            (Source::TrustedCore, _) => self.terminating(now, message, outside),
            (_, Method::Register) => self.register(now, from, message, outside),
            _ => self.originating(now, from, message, outside),
        };
        if let Err(status) = passed {
            hop::refuse(now, message, status, self.tag, outside);
        }
        Ok(())
    }

    fn register(
        &mut self,
        now: Millis,
        flow: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), u16> {
        let network = &self.visited_network;
        let onward = self.proxy.register(flow, network, &message.bytes)?;
        let bytes = onward.bytes.clone();
        self.passed.add(now, Register { flow, bytes })?;
        self.to_core(now, &onward, outside)
    }

    fn originating(
        &mut self,
        now: Millis,
        flow: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), u16> {
        let speaker = self.edge.ues.speaker(flow, &message.bytes);
        let identity = speaker.ok_or(403u16)?;
        let onward = self.proxy.originating(flow, identity, &message.bytes)?;
        self.to_core(now, &onward, outside)
    }

    /// To the next element in Route, if the core has it: no UE chooses whom we talk to. What is left out here: a P-CSCF keeps
    /// the Service-Route of each registration, and puts it in the place of the routes that the UE gives (TS 24.229 5.2.6.3).
    fn to_core(&self, now: Millis, onward: &Onward, outside: &mut Outside) -> Result<(), u16> {
        let route = onward.route.as_deref().and_then(|uri| outside.resolve(uri));
        let own = route.filter(|hop| self.trust.holds(*hop.ip()));
        let address = own.unwrap_or(self.core);
        let hop = match onward.over_tcp {
            true => Peer::tcp(address),
            false => Peer::udp(address),
        };
        match outside.send_on(now, hop, &onward.bytes) {
            true => Ok(()),
            false => Err(503),
        }
    }

    fn terminating(
        &mut self,
        now: Millis,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), u16> {
        let ues = &self.edge.ues;
        let flow = |contact: &[u8]| match ues.find(contact) {
            None => Err(480),
            Some(ue) => ue.flow().ok_or(FLOW_FAILED),
        };
        let passed = self.proxy.terminating(&message.bytes, flow)?;
        match outside.send(now, passed.flow, &passed.bytes) {
            true => Ok(()),
            false => Err(FLOW_FAILED),
        }
    }

    /// A response goes back. Of a REGISTER, the node learns both.
    fn pass_back(
        &mut self,
        now: Millis,
        trust: Source,
        bytes: &[u8],
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let Some(back) = self.proxy.back(bytes) else {
            return Ok(());
        };
        if trust != Source::TrustedCore {
            if let Ok(clean) = self.proxy.without_trust_marks(&back.bytes) {
                outside.send(now, back.to, &clean);
            }
            return Ok(());
        }
        let status = Message::parse(bytes, &Limits::default()).map(|response| response.status());
        let register = match status {
            Ok(Some(200..)) => self.passed.take(&back.branch),
            _ => None,
        };
        // Before the UE hears of it: what it believes must outlive the program.
        if let Some(register) = register {
            self.learn(now, &register, bytes, outside)?;
        }
        outside.send(now, back.to, &back.bytes);
        Ok(())
    }

    fn learn(
        &mut self,
        now: Millis,
        register: &Register,
        response: &[u8],
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let learn = Command::Learn {
            request: &register.bytes,
            response,
            trunk_group: b"",
        };
        let learned = self.host.command(now, learn, &mut self.edge, outside);
        match learned {
            Ok(_) => self
                .edge
                .learn(now, register, response, self.host.node(), outside),
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
            "waiting": self.passed.waiting.len(),
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
        let trust = self.trust.source(from, Source::Ue);
        let (back, bytes) = ((message.back, trust), message.bytes.as_slice());
        let verdict = self
            .host
            .receive(now, back, bytes, &mut self.edge, outside)?;
        self.obey(now, (from, trust), message, verdict, outside)?;
        self.release(now, outside)?;
        self.passed.forget_until(now);
        Ok(())
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
        self.host.deadline()
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        self.host.tick(now, &mut self.edge, outside)?;
        self.release(now, outside)
    }

    /// Whether that means that the UE is lost, the policy says.
    fn closed(&mut self, now: Millis, flow: Peer, outside: &mut Outside) -> Result<(), Misuse> {
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

impl Passed {
    fn new() -> Self {
        Self {
            waiting: HashMap::new(),
            agenda: Agenda::new(),
            bytes: 0,
        }
    }

    /// Adds one, for which there may be no room.
    fn add(&mut self, now: Millis, register: Register) -> Result<(), u16> {
        let request = Message::parse(&register.bytes, &Limits::default()).map_err(|_| 400u16)?;
        let via = request.via().map_err(|_| 400u16)?;
        let branch = via.branch().unwrap_or_default().to_vec();
        // The same one may have come again.
        self.take(&branch);
        let bytes = self.bytes + register.bytes.len();
        if self.waiting.len() >= MOST_PASSED || bytes > MOST_PASSED_BYTES {
            return Err(503);
        }
        self.bytes = bytes;
        self.agenda.set(&branch, Some(now.after(PATIENCE)));
        self.waiting.insert(branch, register);
        Ok(())
    }

    fn take(&mut self, branch: &Vec<u8>) -> Option<Register> {
        let register = self.waiting.remove(branch)?;
        self.agenda.set(branch, None);
        self.bytes -= register.bytes.len();
        Some(register)
    }

    /// Forgets those that nobody has answered.
    fn forget_until(&mut self, now: Millis) {
        while let Some(branch) = self.agenda.due(now) {
            self.take(&branch);
        }
    }
}

impl Edge {
    /// Takes note of the flow of whatever the node has learnt.
    fn learn(
        &mut self,
        now: Millis,
        register: &Register,
        response: &[u8],
        node: &PcscfNode,
        outside: &mut Outside,
    ) {
        let (request, flow) = (&register.bytes, register.flow);
        let is_registered = |contact: &[u8]| node.is_registered(contact);
        let shown = (request.as_slice(), response);
        let Some((identity, contacts)) = self.ues.learn(now, flow, shown, is_registered) else {
            return;
        };
        outside.report(
            now,
            &json!({"event": "registered", "public_identity": identity, "contacts": contacts}),
        );
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
