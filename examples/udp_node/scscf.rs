//! The S-CSCF: the library's node for deregistration and subscriptions, and a registrar beside it.
//!
//! The node sees every message first. What it does not take is the registrar's; and what the registrar grants, the node is
//! shown.

use std::{collections::HashSet, error::Error};

use ims_procedures::{
    drive::{Identifier, Limits, Millis, Misuse, Outbox, Source, Text, Token, Verdict},
    regevent::notifier,
    scscf::{
        Affected, Answer, Command, Config, DeregistrationReason, Event, Question, Reasons, Scscf,
        ScscfNode, TerminationReason,
    },
    wire::{IntegrityProtected, Message, Method, NameAddr},
};
use serde_json::{Value, json};

use crate::{
    arguments::Arguments,
    audit,
    console::{self, counters, text, word},
    digest::{Digest, Proof},
    element::{NetworkElement, Refused},
    hop,
    host::{Duties, Host},
    outside::Outside,
    peer::Peer,
    registrar::{self, Binding, Bindings, EXTENSIONS, Expiry, Grant, Registrar},
    site::{Site, Trust},
    store::Store,
    subscribers::Subscribers,
    way_back::Stamped,
};

/// What it answers itself. Calls are another program's.
const METHODS: [Method<'_>; 3] = [Method::Register, Method::Subscribe, Method::Options];

pub struct Element {
    host: Host<ScscfNode>,
    home: Home,
    trust: Trust,
    /// Of every response that is neither the node's nor the registrar's.
    tag: Identifier,
}

/// What the node asks of the home network.
struct Home {
    registrar: Registrar,
    /// The elements that authenticate users themselves, by host and port.
    authenticates: Vec<String>,
    /// The registrar's bindings, beside the machines of the node.
    store: Option<Store>,
    /// What the REGISTER at hand proves. The node asks whether it is from its user, if at all, while it is at hand.
    proof: Proof,
}

/// A reply to the node.
enum Reply {
    Plain(Answer<'static>),
    Challenge(String),
}

impl Element {
    pub fn new(
        site: &mut Site,
        arguments: &mut Arguments,
        now: Millis,
    ) -> Result<Self, Box<dyn Error>> {
        let registrar = registrar(site, arguments)?;
        let mut config = Config::new(site.element()?);
        config.audit = site.audit.is_some();
        let authenticates = arguments.all("authenticates")?;
        config.authenticating = authenticates
            .iter()
            .map(|element| format!("sip:{element}").into_bytes())
            .collect();
        // Whoever could register can deregister.
        config.register_extensions = EXTENSIONS.map(<[u8]>::to_vec).to_vec();
        config.refuse_other_packages = true;
        let node = ScscfNode::new(config, site.birth.identifiers())?;
        let host = Host::new(node, site, now)?;
        let mut home = Home {
            registrar,
            authenticates,
            store: None,
            proof: Proof::Wrong,
        };
        home.restore(site, host.node())?;
        Ok(Self {
            host,
            home,
            trust: site.trust.clone(),
            tag: site.birth.identifiers().constant(),
        })
    }

    /// What the node leaves to others.
    fn serve(
        &mut self,
        now: Millis,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let Ok(request) = Message::parse(&message.bytes, &Limits::default()) else {
            return Ok(());
        };
        match request.method() {
            Some(Method::Register) => self.register(now, message, &request, outside),
            // A response that nobody waits for, or what nothing answers.
            None | Some(Method::Ack) => Ok(()),
            Some(_) => {
                if let Some(response) = hop::other(&request, &METHODS, self.tag) {
                    outside.send(now, message.back, &response);
                }
                Ok(())
            }
        }
    }

    /// A REGISTER that removes nothing, or not only.
    fn register(
        &mut self,
        now: Millis,
        message: &Stamped,
        request: &Message<'_>,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let response = match self.home.registrar.register(now, request, self.home.proof) {
            None => return Ok(()),
            Some(registrar::Answer::Refusal(response) | registrar::Answer::Listing(response)) => {
                response
            }
            Some(registrar::Answer::Grant(grant)) => self.grant(now, request, grant, outside)?,
        };
        outside.send(now, message.back, &response);
        Ok(())
    }

    /// Shows the node what is to be granted, before it is: what the node cannot hold is not granted.
    fn grant(
        &mut self,
        now: Millis,
        request: &Message<'_>,
        grant: Grant,
        outside: &mut Outside,
    ) -> Result<Vec<u8>, Misuse> {
        let learn = Command::Learn {
            request: request.bytes(),
            response: &grant.response,
            private_identity: Some(grant.subscriber.private_identity.as_bytes()),
        };
        match self.host.command(now, learn, &mut self.home, outside) {
            Ok(_) => Ok(self.home.granted(now, grant, outside)),
            Err(Misuse::NodeFull | Misuse::TooLarge { .. } | Misuse::BadCommand(_)) => {
                Ok(hop::response(request, 503, Some(self.tag)).unwrap_or_default())
            }
            Err(mistake) => Err(mistake),
        }
    }

    fn deregister(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&[
            "public_identity",
            "private_identity",
            "everybody",
            "reason",
            "retry_after",
            "within_ms",
        ])?;
        let reason = command.text("reason")?;
        let private_identity = command.find("private_identity")?.map(str::as_bytes);
        let order = match (command.flag("everybody")?, operators(reason, command)?) {
            (true, Some(reason)) => {
                let named = [
                    command.find("public_identity")?,
                    command.find("private_identity")?,
                ];
                if named != [None, None] {
                    return Err("either everybody, or who is named".into());
                }
                Command::DeregisterAll {
                    reason,
                    within: command.number("within_ms")?,
                }
            }
            (true, None) => return Err("the HSS names whom it ends".into()),
            (false, Some(reason)) => Command::Deregister {
                public_identity: command.text("public_identity")?.as_bytes(),
                private_identity,
                reason,
            },
            (false, None) => Command::RegistrationTermination {
                public_identity: command.text("public_identity")?.as_bytes(),
                private_identities: private_identity.as_slice(),
                reason: hss(reason)?,
                application_servers: b"",
            },
        };
        Ok(self.host.command(now, order, &mut self.home, outside)?)
    }

    fn reauthenticate(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<Verdict, Refused> {
        command.takes(&["public_identity", "private_identity", "expires"])?;
        let public_identity = command.text("public_identity")?.as_bytes();
        let private_identity = command.find("private_identity")?;
        let expires = u32::try_from(command.number("expires")?.unwrap_or(60))?;
        let order = Command::Reauthenticate {
            public_identity,
            private_identity: private_identity.map(str::as_bytes),
            expires,
        };
        let verdict = self.host.command(now, order, &mut self.home, outside)?;
        let contacts = self.host.node().contacts(public_identity).collect();
        let (registrar, until) = (&mut self.home.registrar, now.after_seconds(expires));
        registrar.shorten(&contacts, private_identity, until);
        Ok(verdict)
    }

    fn list(&self, now: Millis) -> Value {
        let sets = self.home.registrar.sets.iter();
        let bindings = sets.flat_map(|(set, bindings)| bindings.iter().map(move |one| (set, one)));
        let listed = bindings.map(|(set, binding)| {
            let subscribers = self.host.node().subscribers(set.as_bytes());
            json!({
                "public_identity": set,
                "private_identity": binding.private_identity,
                "contact": text(&binding.uri),
                "expires": binding.expires_at.since(now).div_ceil(1_000),
                "subscribers": subscribers,
            })
        });
        json!({"event": "list", "registrations": listed.collect::<Vec<_>>()})
    }

    fn statistics(&self) -> Value {
        let (transactions, transaction_layer) = self.host.transactions();
        let sets = &self.home.registrar.sets;
        json!({
            "event": "statistics",
            "sets": self.host.node().sets(),
            "registered_sets": sets.len(),
            "bindings": sets.values().map(Vec::len).sum::<usize>(),
            "transactions": transactions,
            "node": counters(&self.host.node().counters()),
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
        self.home.look_at(now, trust, &message.bytes);
        let (from, bytes) = ((message.back, trust), message.bytes.as_slice());
        let verdict = self
            .host
            .receive(now, from, bytes, &mut self.home, outside)?;
        match verdict {
            Verdict::NotMine | Verdict::Forward => self.serve(now, message, outside),
            Verdict::Rejected(reject) => {
                let why = reject.to_string();
                outside.report(now, &json!({"event": "rejected", "why": why}));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn command(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<(), Refused> {
        let verdict = match command.name() {
            "network_deregister" => self.deregister(now, command, outside)?,
            "reauthenticate" => self.reauthenticate(now, command, outside)?,
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
            return Err("nothing of it is registered here".into());
        }
        outside.reply(&json!({"event": "accepted", "command": command.name()}));
        Ok(())
    }

    fn deadline(&self) -> Option<Millis> {
        self.host.deadline()
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        self.host.tick(now, &mut self.home, outside)
    }
}

impl Home {
    /// Takes over the registrar's bindings. Those that the node has not have gone: its machines are what counts.
    fn restore(&mut self, site: &Site, node: &ScscfNode) -> Result<(), Box<dyn Error>> {
        let Some(opened) = site.open_store("registrar")? else {
            return Ok(());
        };
        let (mut store, kept) = opened.read::<Bindings>()?;
        for (set, mut bindings) in kept {
            let contacts: HashSet<&[u8]> = node.contacts(&set).collect();
            bindings.retain(|binding| contacts.contains(&*binding.uri));
            if bindings.is_empty() {
                store.forget(&set)?;
            } else {
                self.registrar.sets.insert(text(&set), bindings);
            }
        }
        self.store = Some(store);
        Ok(())
    }

    /// Looks at credentials before the node asks for them.
    fn look_at(&mut self, now: Millis, trust: Source, bytes: &[u8]) {
        let request = Message::parse(bytes, &Limits::default());
        let Some(request) = request
            .ok()
            .filter(|r| r.method() == Some(Method::Register))
        else {
            return;
        };
        self.proof = match trust {
            Source::TrustedCore if self.is_protected(&request) => Proof::Given,
            _ => self.registrar.verify(now, &request),
        };
    }

    /// Whether an element vouches for the user: a P-CSCF, over a security association or TLS, or one that authenticates
    /// users itself, where the REGISTER began there (TS 24.229 7.2A.2).
    fn is_protected(&self, request: &Message<'_>) -> bool {
        let authorization = request.authorization().ok().flatten();
        match authorization.and_then(|authorization| authorization.integrity()) {
            Some(
                IntegrityProtected::Yes
                | IntegrityProtected::TlsYes
                | IntegrityProtected::IpAssocYes,
            ) => true,
            Some(IntegrityProtected::AuthDone) => {
                let first = request.vias().last().and_then(Result::ok);
                let began_at = first.map_or(&b""[..], |via| via.sent_by_raw());
                let mut named = self.authenticates.iter();
                named.any(|element| element.as_bytes() == began_at)
            }
            _ => false,
        }
    }

    /// Whether the REGISTER at hand is from its user.
    fn judge(&self, now: Millis, reasons: Reasons) -> Reply {
        Reply::Plain(match self.proof {
            Proof::Given => Answer::Authenticated,
            // Where nobody is asked, what looks like a P-CSCF's and is none is not believed all the same.
            Proof::NotAsked if reasons.is_empty() => Answer::Authenticated,
            Proof::NotAsked | Proof::Wrong => Answer::Denied,
            Proof::Missing { stale } => match self.registrar.challenge(now, stale) {
                Some(challenge) => return Reply::Challenge(challenge),
                None => Answer::Denied,
            },
        })
    }

    fn granted(&mut self, now: Millis, grant: Grant, outside: &mut Outside) -> Vec<u8> {
        let response = grant.response.clone();
        let private_identity = grant.subscriber.private_identity.clone();
        let (set, bindings) = self.registrar.keep(grant);
        let own = bindings
            .iter()
            .filter(|binding| binding.private_identity == private_identity);
        let contacts: Vec<String> = own.map(|binding| text(&binding.uri)).collect();
        note(&mut self.store, now, &set, bindings);
        outside.report(
            now,
            &json!({
                "event": "registered",
                "public_identity": set,
                "private_identity": private_identity,
                "contacts": contacts,
            }),
        );
        response
    }

    fn deregistered(&mut self, now: Millis, affected: &Affected, texts: &Outbox<Scscf>) {
        let set = text(texts.text(affected.public_identity));
        let private_identity = text(texts.text(affected.private_identity));
        let contacts = NameAddr::parse_list(texts.text(affected.contacts)).flatten();
        let contacts: Vec<&[u8]> = contacts.map(|contact| contact.uri_bytes()).collect();
        let left = self
            .registrar
            .remove(now, (&set, &private_identity), &contacts);
        note(&mut self.store, now, &set, left);
    }
}

impl Duties<Scscf> for Home {
    type Reply = Reply;

    fn reply(
        &mut self,
        now: Millis,
        (_, question): (Token, &Question),
        _: &Outbox<Scscf>,
        _: &mut Outside,
    ) -> Option<Reply> {
        Some(match question {
            Question::Authentication { reasons, .. } => self.judge(now, *reasons),
            // This host has no calls, no HSS and no application servers.
            Question::DialogRelease { .. } => Reply::Plain(Answer::Released),
            Question::ServerAssignment { .. } => Reply::Plain(Answer::Assigned {
                application_servers: b"",
            }),
            _ => Reply::Plain(Answer::Failed),
        })
    }

    fn answer(reply: &Reply) -> Answer<'_> {
        match reply {
            Reply::Plain(answer) => *answer,
            Reply::Challenge(challenge) => Answer::Challenge {
                header: challenge.as_bytes(),
            },
        }
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        texts: &Outbox<Scscf>,
        outside: &mut Outside,
    ) {
        let say = |of: Text| text(texts.text(of));
        let report = match event {
            Event::Deregistered {
                affected,
                cause,
                outcome,
                ..
            } => {
                self.deregistered(now, affected, texts);
                json!({
                    "event": "deregistered",
                    "public_identity": say(affected.public_identity),
                    "private_identity": say(affected.private_identity),
                    "contacts": say(affected.contacts),
                    "cause": word(cause),
                    "dialogs": word(&outcome.dialogs),
                    "assignment": word(&outcome.assignment),
                })
            }
            Event::Audited(record) => {
                let whom = json!({
                    "event": "audited",
                    "public_identity": say(record.affected.public_identity),
                    "private_identity": say(record.affected.private_identity),
                    "contacts": say(record.affected.contacts),
                });
                return outside.audit(&audit::line(record, whom));
            }
            Event::SuspiciousDeregistration { affected, reasons } => json!({
                "event": "suspicious_deregistration",
                "public_identity": say(affected.public_identity),
                "reasons": reasons.iter().map(|reason| reason.what).collect::<Vec<_>>(),
            }),
            Event::Subscription(notifier::Event::Subscribed {
                resource,
                subscriber,
                expires,
            }) => json!({
                "event": "subscribed",
                "public_identity": say(*resource),
                "subscriber": say(*subscriber),
                "expires": expires,
            }),
            Event::Subscription(notifier::Event::SubscriptionEnded {
                resource,
                subscriber,
                why,
            }) => json!({
                "event": "subscription_ended",
                "public_identity": say(*resource),
                "subscriber": say(*subscriber),
                "why": word(why),
            }),
            Event::Drained { progress } => {
                json!({"event": "drained", "progress": counters(progress)})
            }
            Event::DrainProgressed { progress } => {
                json!({"event": "drain_progressed", "progress": counters(progress)})
            }
            other => json!({"event": word(other)}),
        };
        outside.report(now, &report);
    }
}

fn registrar(site: &mut Site, arguments: &mut Arguments) -> Result<Registrar, Box<dyn Error>> {
    let subscribers = match arguments.text("identities")? {
        Some(path) => Subscribers::read(path.as_ref())?,
        None => Subscribers::OfDomain(site.domain.clone()),
    };
    let expiry = Expiry {
        least: arguments.number("min-expires", 60)?,
        most: arguments.number("max-expires", 600_000)?,
        default: arguments.number("default-expires", 3_600)?,
    };
    let is_open = arguments.either("authentication", ["off", "digest"])?;
    if !is_open && !subscribers.have_passwords() {
        return Err("--authentication digest needs --identities, with a password for each".into());
    }
    let digest = match is_open {
        true => None,
        false => Some(Digest::new(&site.domain, site.birth.identifiers())),
    };
    let address = site.uri.trim_start_matches("sip:");
    let service_route = format!("<sip:orig@{address};lr>");
    let identifiers = site.birth.identifiers();
    Ok(Registrar::new(
        subscribers,
        digest,
        expiry,
        service_route,
        identifiers,
    ))
}

/// Keeps the bindings of a set. If that fails, a start finds the set at the node alone, which is what counts.
fn note(store: &mut Option<Store>, now: Millis, set: &str, bindings: &[Binding]) {
    let Some(store) = store else {
        return;
    };
    let _ = match postcard::to_allocvec(bindings) {
        Ok(blob) if !bindings.is_empty() => store.note(now, set.as_bytes(), blob),
        _ => store.forget(set.as_bytes()),
    };
}

/// A reason of the operator; `None` if it is none of those.
fn operators(
    reason: &str,
    command: &console::Command,
) -> Result<Option<DeregistrationReason>, Refused> {
    Ok(Some(match reason {
        "maintenance" => DeregistrationReason::Maintenance,
        "refused" => DeregistrationReason::Refused,
        "wait_and_retry" => DeregistrationReason::WaitAndRetry {
            retry_after: u32::try_from(command.number("retry_after")?.unwrap_or(60))?,
        },
        "authentication_failed" => DeregistrationReason::AuthenticationFailed,
        "authentication_timeout" => DeregistrationReason::AuthenticationTimeout,
        "too_much_data" => DeregistrationReason::TooMuchData,
        _ => return Ok(None),
    }))
}

/// A reason of the HSS.
fn hss(reason: &str) -> Result<TerminationReason, Refused> {
    Ok(match reason {
        "permanent_termination" => TerminationReason::PermanentTermination,
        "new_server_assigned" => TerminationReason::NewServerAssigned,
        "server_change" => TerminationReason::ServerChange,
        "remove_scscf" => TerminationReason::RemoveScscf,
        other => return Err(format!("there is no reason {other:?}").into()),
    })
}
