//! The MSC server enhanced for ICS: its host registers subscribers and renews their registrations, the library ends them.
//!
//! The node is shown each REGISTER of the host with its 2xx. From then on it is told who is no longer active here, and who
//! is again; it releases the dialogs, sends the REGISTER that ends the registration, and watches the registration state.

use std::error::Error;

use ims_procedures::{
    drive::{Identifier, Limits, Millis, Misuse, Outbox, Source, Token, Verdict},
    mscics::{
        Affected, Answer, Cause, Command, Config, DialogRef, Event, MscNode, Mscics, NewDialog,
        Question, Shutdown, identities::MncLength,
    },
    regevent::subscriber,
    wire::{Message, Method},
};
use serde_json::{Value, json};

use crate::{
    arguments::{Arguments, address},
    audit,
    console::{self, counters, text, word},
    element::{NetworkElement, Refused},
    hop,
    host::{Duties, Host},
    outside::Outside,
    peer::Peer,
    served::{Manner, Served},
    site::{Site, Trust},
    subscribing,
    way_back::Stamped,
};

/// What it answers itself, or its node does. Calls are another program's.
const METHODS: [Method<'_>; 2] = [Method::Notify, Method::Options];

pub struct Element {
    host: Host<MscNode>,
    served: Served,
    journal: Journal,
    trust: Trust,
    /// Of every response from here.
    tag: Identifier,
}

/// What the node has told, and the host has not followed yet.
#[derive(Default)]
struct Journal {
    /// Whose registration is gone, and whether it is to be made anew.
    gone: Vec<(String, bool)>,
    /// Whose registration stays.
    stays: Vec<String>,
}

impl Element {
    pub fn new(
        site: &mut Site,
        arguments: &mut Arguments,
        now: Millis,
    ) -> Result<Self, Box<dyn Error>> {
        let registrar = address("registrar", &arguments.needed("registrar")?)?;
        site.names.lead_elsewhere(registrar);
        site.trust.add(*registrar.ip());
        let config = config(site, arguments, &format!("sip:{registrar}"))?;
        let manner = Manner {
            element: config.element.clone(),
            registrar,
            visited_network: format!("\"{}\"", site.domain),
            expires: arguments.number("expires", 600_000)?,
            mnc: match arguments.number("mnc-digits", 2)? {
                2 => MncLength::Two,
                3 => MncLength::Three,
                other => return Err(format!("--mnc-digits {other}: neither 2 nor 3").into()),
            },
        };
        let node = MscNode::new(config, site.birth.identifiers())?;
        let host = Host::new(node, site, now)?;
        let node: &MscNode = host.node();
        // Who is being deregistered may return.
        let is_known = |private_identity: &[u8]| node.knows(private_identity);
        let kept = site.open_store("subscribers")?;
        let served = Served::restore(manner, site.birth.identifiers(), kept, is_known)?;
        Ok(Self {
            host,
            served,
            journal: Journal::default(),
            trust: site.trust.clone(),
            tag: site.birth.identifiers().constant(),
        })
    }

    /// What the node leaves to the host: other requests, and the answers to its REGISTERs.
    fn serve(
        &mut self,
        now: Millis,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let limits = Limits::default();
        let Ok(read) = Message::parse(&message.bytes, &limits) else {
            return Ok(());
        };
        if !read.is_request() {
            return self.learn(now, &read, outside);
        }
        if let Some(response) = hop::other(&read, &METHODS, self.tag) {
            outside.send(now, message.back, &response);
        }
        Ok(())
    }

    /// Shows the node a REGISTER of the host, with its answer.
    fn learn(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let Some(answered) = self.served.hear(now, response, outside) else {
            return Ok(());
        };
        let learn = Command::Learn {
            request: &answered.request,
            response: response.bytes(),
        };
        let (name, status) = (&answered.private_identity, answered.status);
        match self.host.command(now, learn, &mut self.journal, outside) {
            Ok(_) if (200..300).contains(&status) => {
                outside.report(
                    now,
                    &json!({"event": "registered", "private_identity": name}),
                );
            }
            Ok(_) => self.fail(now, name, &status.to_string(), outside),
            Err(Misuse::NodeFull | Misuse::TooLarge { .. } | Misuse::BadCommand(_)) => {
                self.fail(now, name, "not_learnt", outside);
            }
            Err(mistake) => return Err(mistake),
        }
        Ok(())
    }

    /// A REGISTER has failed. A registration that is there runs out, unless the subscriber returns before.
    fn fail(&mut self, now: Millis, private_identity: &str, why: &str, outside: &mut Outside) {
        if !self.host.node().is_registered(private_identity.as_bytes()) {
            self.served.forget(private_identity);
        }
        let report = json!({
            "event": "registration_failed",
            "private_identity": private_identity,
            "why": why,
        });
        outside.report(now, &report);
    }

    fn order(
        &mut self,
        now: Millis,
        order: Command<'_>,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        let verdict = self.host.command(now, order, &mut self.journal, outside)?;
        self.follow(now, outside);
        Ok(verdict)
    }

    /// Does what the node's events mean to the host.
    fn follow(&mut self, now: Millis, outside: &mut Outside) {
        for (name, is_to_be_made_anew) in std::mem::take(&mut self.journal.gone) {
            match is_to_be_made_anew {
                true => self.served.register_anew(now, &name, outside),
                false => self.served.forget(&name),
            }
        }
        for name in std::mem::take(&mut self.journal.stays) {
            self.served.renew(now, &name, outside);
        }
    }

    fn register(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["imsi", "imei"])?;
        let (imsi, imei) = (command.text("imsi")?, command.text("imei")?);
        let name = self.served.private_identity(imsi)?;
        if self.host.node().is_registered(name.as_bytes()) {
            return Err("the subscriber is registered here".into());
        }
        if self.host.node().knows(name.as_bytes()) {
            return Err("the subscriber is being deregistered here, and may return".into());
        }
        self.served.register(now, (imsi, imei), outside)?;
        Ok(Verdict::Handled)
    }

    fn no_longer_active(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["imsi", "trigger"])?;
        let name = self.served.private_identity(command.text("imsi")?)?;
        let cause = cause(command.text("trigger")?)?;
        let inactive = Command::Inactive {
            private_identity: name.as_bytes(),
            cause,
        };
        // What a shutdown has queued is taken over.
        let verdict = self.order(now, inactive, outside)?;
        if verdict == Verdict::Handled {
            self.served.leave(&name);
        }
        Ok(verdict)
    }

    /// A subscriber is active here again. One whom the node does not know any more is registered anew at once; of one
    /// whose REGISTER is out, the outcome will say so.
    fn return_subscriber(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["imsi", "imei"])?;
        let imsi = command.text("imsi")?;
        let name = self.served.private_identity(imsi)?;
        let known = self.served.imei(&name);
        let returned = Command::Returned {
            private_identity: name.as_bytes(),
        };
        self.served.come_back(&name);
        if self.order(now, returned, outside)? == Verdict::NotMine {
            let imei = command.find("imei")?.or(known.as_deref());
            let imei = imei.ok_or("the subscriber is not known here: return needs an \"imei\"")?;
            self.served.register(now, (imsi, imei), outside)?;
        }
        Ok(Verdict::Handled)
    }

    fn dialog(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["imsi", "dialog", "public_identity"])?;
        let name = self.served.private_identity(command.text("imsi")?)?;
        let number = command.number("dialog")?;
        let dialog = DialogRef(number.ok_or("it needs a \"dialog\", a number")?);
        let order = match command.name() {
            "dialog_added" => Command::DialogAdded {
                private_identity: name.as_bytes(),
                public_identity: command.text("public_identity")?.as_bytes(),
                // It is the host's to end.
                dialog: NewDialog { dialog, held: None },
            },
            _ => Command::DialogEnded {
                private_identity: name.as_bytes(),
                dialog,
            },
        };
        self.order(now, order, outside)
    }

    fn shut_down(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["rate", "in_flight", "deadline_ms"])?;
        let deadline = command.number("deadline_ms")?.unwrap_or(60_000);
        let number = |field| {
            command
                .number(field)
                .map(|number| number.map(u32::try_from))
        };
        let mut order = Shutdown::until(now.after(deadline));
        order.rate = number("rate")?.transpose()?;
        order.in_flight = number("in_flight")?.transpose()?;
        self.served.hold_all();
        self.order(now, Command::Shutdown(order), outside)
    }

    fn list(&self, now: Millis) -> Value {
        let node = self.host.node();
        let listed = self.served.iter().map(|subscriber| {
            let name = subscriber.private_identity.as_bytes();
            json!({
                "private_identity": subscriber.private_identity,
                "public_identity": subscriber.public_identity,
                "instance": subscriber.instance,
                "registered": node.is_registered(name),
                "renewed_in": subscriber.renewed_at.map(|at| at.since(now).div_ceil(1_000)),
                "dialogs": node.dialogs(name),
            })
        });
        json!({"event": "list", "registrations": listed.collect::<Vec<_>>()})
    }

    fn statistics(&self) -> Value {
        let (transactions, transaction_layer) = self.host.transactions();
        let node = self.host.node();
        let counted = node.counters();
        let mut all = counters(&counted);
        all["ended"] = counters(&counted.ended);
        json!({
            "event": "statistics",
            "registrations": node.registrations(),
            "subscribers": self.served.iter().count(),
            "transactions": transactions,
            "node": all,
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
        let trust = self.trust.source(from, Source::Unknown);
        let (back, bytes) = ((message.back, trust), message.bytes.as_slice());
        let verdict = self
            .host
            .receive(now, back, bytes, &mut self.journal, outside)?;
        match verdict {
            Verdict::NotMine | Verdict::Forward => self.serve(now, message, outside)?,
            Verdict::Rejected(reject) => {
                let why = reject.to_string();
                outside.report(now, &json!({"event": "rejected", "why": why}));
            }
            _ => {}
        }
        self.follow(now, outside);
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<(), Refused> {
        let verdict = match command.name() {
            "register" => self.register(now, command, outside)?,
            "no_longer_active" => self.no_longer_active(now, command, outside)?,
            "return" => self.return_subscriber(now, command, outside)?,
            "dialog_added" => self.dialog(now, command, outside)?,
            "dialog_ended" => self.dialog(now, command, outside)?,
            "shutdown" => self.shut_down(now, command, outside)?,
            "resume" => {
                command.takes(&[])?;
                let verdict = self.order(now, Command::Resume, outside)?;
                self.served.renew_all(now, outside);
                verdict
            }
            "list" => {
                outside.reply(&self.list(now));
                return Ok(());
            }
            "statistics" => {
                outside.reply(&self.statistics());
                return Ok(());
            }
            other => return Err(format!("there is no command {other:?}").into()),
        };
        if verdict == Verdict::NotMine {
            return Err("no such subscriber is registered here".into());
        }
        outside.reply(&json!({"event": "accepted", "command": command.name()}));
        Ok(())
    }

    fn deadline(&self) -> Option<Millis> {
        let both = [self.host.deadline(), self.served.deadline()];
        both.into_iter().flatten().min()
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        self.host.tick(now, &mut self.journal, outside)?;
        self.follow(now, outside);
        if let Some(name) = self.served.tick(now, outside) {
            self.fail(now, &name, "no_response", outside);
        }
        Ok(())
    }
}

impl Duties<Mscics> for Journal {
    type Reply = Answer<'static>;

    /// This host has no calls of its own: a dialog that it was told of is released at once.
    fn reply(
        &mut self,
        now: Millis,
        (_, question): (Token, &Question),
        _: &Outbox<Mscics>,
        outside: &mut Outside,
    ) -> Option<Answer<'static>> {
        Some(match question {
            Question::DialogRelease { dialog, .. } => {
                outside.report(now, &json!({"event": "dialog_release", "dialog": dialog.0}));
                Answer::Done
            }
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
        texts: &Outbox<Mscics>,
        outside: &mut Outside,
    ) {
        let about = |name: &str, affected: &Affected| {
            json!({
                "event": name,
                "private_identity": text(texts.text(affected.private_identity)),
                "public_identity": text(texts.text(affected.public_identity)),
            })
        };
        let report = match event {
            Event::Deregistered {
                affected,
                cause,
                outcome,
                registers,
                dialogs_left,
                register_anew,
                ..
            } => {
                let name = text(texts.text(affected.private_identity));
                self.gone.push((name, *register_anew));
                let mut report = about("deregistered", affected);
                report["cause"] = word(cause).into();
                report["outcome"] = word(outcome).into();
                report["registers"] = (*registers).into();
                report["dialogs_left"] = (*dialogs_left).into();
                report["register_anew"] = (*register_anew).into();
                report
            }
            Event::Cancelled {
                affected, cause, ..
            } => {
                self.stays.push(text(texts.text(affected.private_identity)));
                let mut report = about("cancelled", affected);
                report["cause"] = word(cause).into();
                report
            }
            Event::Audited(record) => {
                return outside.audit(&audit::line(record, about("audited", &record.affected)));
            }
            Event::Subscription(event) => subscribing::report(event, texts),
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
        outside.report(now, &report);
    }
}

fn config(
    site: &Site,
    arguments: &mut Arguments,
    registrar: &str,
) -> Result<Config, Box<dyn Error>> {
    let mut config = Config::new(site.element()?);
    config.audit = site.audit.is_some();
    config.entry_points = vec![registrar.into()];
    config.subscription.entry_points = vec![registrar.into()];
    config.subscription.support_reg_event = arguments.either("reg-event", ["on", "off"])?;
    config.attempts = arguments.number("attempts", config.attempts)?;
    config.retry_interval = arguments.number("retry-ms", config.retry_interval)?;
    config.release_bound = arguments.number("release-ms", config.release_bound)?;
    Ok(config)
}

/// What an MSC hears that says so.
fn cause(trigger: &str) -> Result<Cause, Refused> {
    Ok(match trigger {
        "cancel_location" => Cause::CancelLocation,
        "implicit_detach" => Cause::ImplicitDetach,
        "purge" => Cause::Purge,
        "explicit_detach" => Cause::ExplicitDetach,
        "administrative" => Cause::Administrative,
        other => return Err(format!("there is no trigger {other:?}").into()),
    })
}
