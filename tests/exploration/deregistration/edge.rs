//! A P-CSCF with its host, which forwards the user's REGISTERs.

use ims_procedures::{
    drive::{Answer, Node, Outbox, Output, Source, Token, Verdict},
    pcscf::{self, Command, Event, Evidence, Pcscf, Question},
};

use super::{
    outside::{Asked, Asking, Held, Relayed, Side, Step},
    user::{self, Which},
    world::{Reply, TRANSACTION, TXN, World, is_of_pcscf, text},
};
use crate::shared::wire::{branch, status};

impl World {
    /// The user sends a REGISTER, which its P-CSCF forwards.
    pub fn register_at_edge(&mut self, at: Side, which: Which, expires: u32) {
        self.outside.cseq += 1;
        let text = user::request(which, at, expires, self.outside.cseq);
        self.asks_to_register(which);
        self.forward(at, which, expires, text);
    }

    fn forward(&mut self, at: Side, which: Which, expires: u32, text: String) {
        match self.show_at_edge(at, Source::Ue, &text) {
            Verdict::Forward => self.pass_on(at, which, expires, text),
            Verdict::Hold(token) => {
                self.outside.held_with.push(token);
                self.note(|| "    held".to_owned());
                self.outside.held = Some(Held {
                    at,
                    which,
                    expires,
                    text,
                });
            }
            // The user is turned away.
            Verdict::Refuse { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn pass_on(&mut self, at: Side, which: Which, expires: u32, text: String) {
        self.send(Side::Home, &text);
        self.outside.relayed = Some(Relayed {
            at,
            which,
            expires,
            text,
            until: self.outside.now.after(TRANSACTION),
            bound_until: self.outside.now,
            crossed: false,
            triggered: false,
        });
    }

    /// A REGISTER that was held is not held any more.
    fn release(&mut self, at: Side, forward: bool) {
        let held = self.outside.held.take_if(|held| held.at == at);
        if let Some(held) = held.filter(|_| forward) {
            self.pass_on(held.at, held.which, held.expires, held.text);
        }
    }

    fn show_at_edge(&mut self, at: Side, from: Source, text: &str) -> Verdict {
        let out = self.edge_out.as_mut().expect("a free outbox");
        let node = &mut self.edges[at.place()];
        let verdict = node.receive(self.outside.now, from, TXN, text.as_bytes(), out);
        self.drain_edge(at);
        verdict.unwrap()
    }

    /// A NOTIFY comes in.
    pub fn receive_at_edge(&mut self, at: Side, text: &str) {
        self.show_at_edge(at, Source::TrustedCore, text);
    }

    /// A response comes back to what the P-CSCF has forwarded. It is shown to the node, and goes on to the user.
    pub fn relay_back(&mut self, at: Side, response: &str) {
        let is_it =
            |relayed: &mut Relayed| relayed.at == at && branch(&relayed.text) == branch(response);
        let Some(relayed) = self.outside.relayed.take_if(is_it) else {
            return;
        };
        if !(200..300).contains(&status(response)) {
            return;
        }
        let learning = (relayed.expires > 0).then_some(relayed.which);
        self.outside.ghosts.learning = learning;
        let command = Command::Learn {
            request: relayed.text.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        self.command_edge(at, command);
        self.outside.ghosts.learning = None;
        self.has_registered(&relayed);
    }

    /// The access network reports a contact as lost.
    pub fn lose_access(&mut self, at: Side, which: Which) {
        self.is_triggered(at, which);
        let command = Command::AccessLost {
            contact: which.uri().as_bytes(),
            evidence: Evidence::BearerLost,
        };
        self.command_edge(at, command);
    }

    fn command_edge(&mut self, at: Side, command: Command<'_>) {
        let out = self.edge_out.as_mut().expect("a free outbox");
        let node = &mut self.edges[at.place()];
        let verdict = node.command(self.outside.now, command, out);
        assert_eq!(verdict.unwrap(), Verdict::Handled);
        self.drain_edge(at);
    }

    pub fn answer_edge(&mut self, at: Side, token: Token, answer: Answer<'_, Pcscf>) {
        let out = self.edge_out.as_mut().expect("a free outbox");
        let node = &mut self.edges[at.place()];
        node.answer(self.outside.now, token, answer, out).unwrap();
        self.drain_edge(at);
    }

    pub fn reply_to_edge(&mut self, at: Side, token: Token, reply: Reply) {
        let answer = match reply {
            Reply::Well => pcscf::Answer::Done,
            Reply::Failed => pcscf::Answer::Failed,
            Reply::Nothing => return,
        };
        self.answer_edge(at, token, answer.into());
    }

    pub fn tick_edge(&mut self, at: Side) {
        let out = self.edge_out.as_mut().expect("a free outbox");
        let node = &mut self.edges[at.place()];
        node.tick(self.outside.now, out).unwrap();
        self.drain_edge(at);
    }

    /// What a P-CSCF wants done.
    fn drain_edge(&mut self, at: Side) {
        let mut out = self.edge_out.take().expect("one at a time");
        for output in out.iter() {
            match output {
                Output::Request { token, bytes, .. } => {
                    let text = text(bytes);
                    if is_of_pcscf(text).is_some() {
                        self.deregisters(at, text);
                    }
                    self.request(at, Side::Home, token, text);
                }
                Output::Respond { bytes, .. } => self.send(Side::Home, text(bytes)),
                Output::Ask { token, question } => {
                    self.ask_of_edge(at, question, &out);
                    self.outside.asked.push(Asked {
                        side: at,
                        token,
                        what: Asking::Done,
                    });
                }
                Output::Event(event) => self.hear_of_edge(at, event, &out),
                other => panic!("{other:?}"),
            }
        }
        out.clear();
        self.edge_out = Some(out);
    }

    fn ask_of_edge(&mut self, at: Side, question: &Question, out: &Outbox<Pcscf>) {
        self.note(|| format!("    {at:?} asks {question:?}"));
        let (step, key, affected) = match question {
            Question::OwedDelivery { key, affected } => (Step::Delivery, key, affected),
            Question::SecurityAssociationShortening { key, affected, .. } => {
                (Step::Shortening, key, affected)
            }
            Question::SecurityAssociationRelease { key, affected } => {
                (Step::Release, key, affected)
            }
            Question::BearerRelease { key, affected, .. } => (Step::Bearer, key, affected),
            _ => return,
        };
        for which in Which::named_in(text(out.text(affected.contact))) {
            self.cleans(at, which, step, *key);
        }
    }

    fn hear_of_edge(&mut self, at: Side, event: &Event, out: &Outbox<Pcscf>) {
        self.note(|| format!("    {at:?}: {event:?}"));
        match event {
            Event::Deregistered { affected, .. } => {
                for which in Which::named_in(text(out.text(affected.contact))) {
                    self.is_deregistered(at, which);
                }
            }
            Event::Cancelled { affected, .. } => {
                for which in Which::named_in(text(out.text(affected.contact))) {
                    self.is_cancelled(at, which);
                }
            }
            Event::HeldRegisterReleased { forward, .. } => self.release(at, *forward),
            _ => {}
        }
    }
}
