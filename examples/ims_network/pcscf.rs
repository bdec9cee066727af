//! The P-CSCF: a proxy for REGISTERs, with the library's node beside it.

use std::time::Instant;

use ims_procedures::{
    drive::{Identifiers, Millis, Misuse, Outbox, Source, Token, TransactionRef, Verdict},
    pcscf::{
        Affected, Answer, Cause, Command, Config, Event, Evidence, Outcome, Pcscf, PcscfNode,
        Question, Ue,
    },
    regevent::subscriber,
    wire::Element,
};

use crate::{
    host::{Duties, Host},
    network::{Arrived, Network},
    provisioning::{Actor, PCSCF_URI, VISITED_DOMAIN, VISITED_NETWORK, user_of},
    proxy::{Onward, Proxy},
};

/// The P-CSCF.
pub struct PcscfHost {
    host: Host<PcscfNode>,
    proxy: Proxy,
    pub journal: Journal,
    /// REGISTERs of UEs that are held: with what, whose.
    held: Vec<(Token, Actor, Vec<u8>)>,
}

impl PcscfHost {
    pub fn new(
        mut identifiers: impl FnMut() -> Identifiers,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let element = Element::new(PCSCF_URI.as_bytes(), VISITED_DOMAIN.as_bytes())?;
        let mut config = Config::new(element, VISITED_NETWORK.as_bytes());
        config.subscription.support_reg_event = true;
        let node = PcscfNode::new(config, identifiers())?;
        Ok(Self {
            host: Host::new(Actor::Pcscf, node, identifiers()),
            proxy: Proxy::new(identifiers()),
            journal: Journal::default(),
            held: Vec::new(),
        })
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.host.deadline()
    }

    pub fn tick(&mut self, now: Millis, network: &mut Network) -> Result<(), Misuse> {
        self.host.tick(now, &mut self.journal, network)?;
        self.go_on(now, network);
        Ok(())
    }

    /// What is not to be held any more goes on.
    fn go_on(&mut self, now: Millis, network: &mut Network) {
        for (released, transaction) in core::mem::take(&mut self.journal.released) {
            self.host.take_over(transaction);
            let place = self.held.iter().position(|(token, ..)| *token == released);
            if let Some((_, ue, bytes)) = place.map(|place| self.held.remove(place)) {
                self.forward(now, ue, &bytes, network);
            }
        }
    }

    pub fn is_registered(&self, contact: &str) -> bool {
        self.host.node().is_registered(contact.as_bytes())
    }

    /// A message has arrived: the node is shown it first.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        // From what the sockets tell, never from what the message says.
        let trust = match arrived.from {
            Actor::Ue(_) => Source::Ue,
            Actor::Scscf => Source::TrustedCore,
            Actor::Pcscf | Actor::Msc | Actor::As | Actor::Hss => Source::Unknown,
        };
        let (from, bytes) = (arrived.from, arrived.bytes.as_slice());
        let verdict = self
            .host
            .receive(now, (from, trust), bytes, &mut self.journal, network)?;
        match verdict {
            Verdict::Forward => self.forward(now, from, bytes, network),
            Verdict::NotMine => return self.return_answer(now, bytes, network),
            Verdict::Rejected(reject) => {
                network
                    .tape
                    .note(now, Actor::Pcscf, format!("refused: {reject}"));
            }
            Verdict::Hold(token) => {
                // Of the same contact, the last.
                self.held.retain(|(other, ..)| *other != token);
                self.held.push((token, from, bytes.to_vec()));
            }
            _ => {}
        }
        self.go_on(now, network);
        Ok(())
    }

    /// A REGISTER of a UE goes to the core.
    fn forward(&mut self, now: Millis, ue: Actor, bytes: &[u8], network: &mut Network) {
        match self.proxy.request(ue, bytes) {
            Some(Onward::ToCore(bytes)) => network.send(now, Actor::Pcscf, Actor::Scscf, &bytes),
            Some(Onward::BackToUe(bytes)) => network.send(now, Actor::Pcscf, ue, &bytes),
            None => {}
        }
    }

    /// The answer goes back, and the node learns the registration from both.
    fn return_answer(
        &mut self,
        now: Millis,
        bytes: &[u8],
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let Some(back) = self.proxy.response(bytes) else {
            return Ok(());
        };
        network.send(now, Actor::Pcscf, back.ue, &back.bytes);
        if let Some((request, response)) = back.learn {
            let learn = Command::Learn {
                request: &request,
                response: &response,
                trunk_group: b"",
            };
            self.host.command(now, learn, &mut self.journal, network)?;
        }
        Ok(())
    }

    /// The policy server reports that the signalling bearer of a UE is lost.
    pub fn bearer_lost(
        &mut self,
        now: Millis,
        contact: &str,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        network.tape.note(
            now,
            Actor::Pcscf,
            "policy server: signalling bearer lost".into(),
        );
        let report = Command::AccessLost {
            ue: Ue::at(contact.as_bytes()),
            evidence: Evidence::BearerLost,
        };
        self.host
            .command(now, report, &mut self.journal, network)
            .map(|_| ())
    }
}

/// How the registration of a user ended.
#[derive(Clone, Debug)]
pub struct Ending {
    pub user: usize,
    pub at: Millis,
    pub real: Instant,
    pub cause: Cause,
    pub outcome: Outcome,
}

/// What the P-CSCF has reported.
#[derive(Debug, Default)]
pub struct Journal {
    pub endings: Vec<Ending>,
    /// With what REGISTERs were held that are to go on.
    released: Vec<(Token, TransactionRef)>,
    /// Subscriptions that were accepted, and those of them that are over.
    pub subscribed: usize,
    pub unsubscribed: usize,
}

impl Duties<Pcscf> for Journal {
    /// The steps of the cleanup. Here there is no radio and no policy server, so each is done at once.
    fn answer(
        &mut self,
        now: Millis,
        question: &Question,
        texts: &Outbox<Pcscf>,
        network: &mut Network,
    ) -> Answer<'static> {
        let (affected, what) = match question {
            Question::OwedDelivery { affected, .. } => (affected, "delivered what was owed to"),
            Question::SecurityAssociationRelease { affected, .. } => {
                (affected, "security associations released of")
            }
            Question::SecurityAssociationShortening { affected, .. } => {
                (affected, "security associations shortened of")
            }
            Question::BearerRelease { affected, .. } => (affected, "bearer released of"),
            _ => return Answer::Failed,
        };
        let note = format!("{what} {}", name(affected, texts));
        network.tape.note(now, Actor::Pcscf, note);
        Answer::Done
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        texts: &Outbox<Pcscf>,
        network: &mut Network,
    ) {
        let note = match event {
            Event::Deregistered {
                affected,
                cause,
                outcome,
                ..
            } => {
                if let Some(user) = user_of(texts.text(affected.private_identity)) {
                    let (cause, outcome) = (*cause, *outcome);
                    self.endings.push(Ending {
                        user,
                        at: now,
                        real: Instant::now(),
                        cause,
                        outcome,
                    });
                }
                format!("event: {} deregistered, {outcome:?}", name(affected, texts))
            }
            Event::Cancelled { affected, .. } => {
                format!(
                    "event: deregistration of {} cancelled",
                    name(affected, texts)
                )
            }
            Event::AccessLost { affected, .. } => {
                format!("event: dialogs of {} released", name(affected, texts))
            }
            Event::HeldRegisterReleased {
                token,
                transaction,
                forward: true,
            } => {
                self.released.push((*token, *transaction));
                "event: a REGISTER that was held goes on".to_owned()
            }
            Event::Subscription(subscriber::Event::Subscribed { expires, .. }) => {
                self.subscribed += 1;
                format!("event: subscribed for {expires} s")
            }
            Event::Subscription(subscriber::Event::SubscriptionEnded { why, .. }) => {
                self.unsubscribed += 1;
                format!("event: subscription ended, {why:?}")
            }
            Event::Subscription(other) => format!("event: {other:?}"),
            _ => return,
        };
        network.tape.note(now, Actor::Pcscf, note);
    }
}

fn name(affected: &Affected, texts: &Outbox<Pcscf>) -> String {
    match user_of(texts.text(affected.private_identity)) {
        Some(user) => format!("user {user}"),
        None => "an unknown user".to_owned(),
    }
}
