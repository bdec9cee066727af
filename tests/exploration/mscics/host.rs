//! The MSC server with its host, which registers the subscriber and owns some of the dialogs.

use ims_procedures::{
    dialog::{Dialog, Sequence},
    drive::{self, Node, Output, Source, Token, TransactionRef, Verdict},
    mscics::{Answer, Cause, Command, DialogRef, Event, Mscics, NewDialog, Question},
    regevent::subscriber::Event as OfSubscription,
};

use super::{
    outside::{Asked, Open, Side, Whose},
    world::{TRANSACTION, World},
};
use crate::{
    bed::{OTHER, PARAMS, PRIVATE, register},
    shared::wire::{branch, header, method, status},
};

/// The host's handle of every server transaction: it needs none to find the way back.
const TXN: TransactionRef = TransactionRef(1);

const WHOM: &[u8] = PRIVATE.as_bytes();

/// What the subscriber does, or the home network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The subscriber is said to be no longer active here.
    Inactive,
    /// The subscriber is active here.
    Return,
    /// The host registers the subscriber again, at the same contact or at the other one.
    Renew,
    Move,
    /// There is another dialog, which the library holds, or the host.
    Dialog(bool),
    /// A dialog ends.
    DialogEnds(u64),
    /// The home network removes the contact.
    Remove,
    /// The home network notifies.
    Tell,
}

/// How the release of a dialog comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Release {
    Done,
    Failed,
    TimedOut,
}

impl World {
    pub fn change(&mut self, change: Change) {
        if change == Change::Inactive {
            self.is_inactive();
        }
        match change {
            Change::Inactive => self.command(Command::Inactive {
                private_identity: WHOM,
                cause: Cause::ImplicitDetach,
            }),
            Change::Return => self.returns(),
            Change::Renew => self.register(),
            Change::Move => {
                self.outside.contact = self.outside.contact.other();
                self.outside.ghosts.moving = true;
                self.register();
            }
            Change::Dialog(held) => self.add_dialog(held),
            Change::DialogEnds(number) => self.dialog_ends(number),
            Change::Remove => {
                self.is_removed();
                self.remove_at_home();
            }
            Change::Tell => self.tell_at_home(),
        }
    }

    /// The host tells its node of the subscriber's return, and registers the subscriber if none is registered.
    fn returns(&mut self) {
        if !self.is_here() {
            return self.register();
        }
        self.is_returning();
        self.command(Command::Returned {
            private_identity: WHOM,
        });
        self.has_returned();
    }

    /// A REGISTER of the host. It waits for the answer before it sends another one.
    pub fn register(&mut self) {
        let outside = &mut self.outside;
        outside.cseq += 1;
        let text = outside.contact.place(&register(PARAMS, outside.cseq));
        self.asks_to_register();
        self.request(Whose::Host, &text);
    }

    /// Whether a REGISTER of the host is not answered yet.
    pub fn registers(&self) -> bool {
        let mut open = self.outside.open.iter();
        open.any(|open| open.whose == Whose::Host)
    }

    pub fn add_dialog(&mut self, held: bool) {
        self.outside.dialog += 1;
        let number = self.outside.dialog;
        let call_id = number.to_string();
        let dialog = Dialog {
            call_id: call_id.as_bytes(),
            local_uri: OTHER.as_bytes(),
            local_tag: b"1",
            remote_uri: b"sip:bob@biloxi.example",
            remote_tag: b"2",
            remote_target: b"sip:bob@192.0.2.4",
            ..Dialog::default()
        };
        self.outside.ghosts.dialogs.push((number, held));
        self.command(Command::DialogAdded {
            private_identity: WHOM,
            public_identity: OTHER.as_bytes(),
            dialog: NewDialog {
                dialog: DialogRef(number),
                held: held.then(|| (dialog, Sequence::default())),
            },
        });
    }

    fn dialog_ends(&mut self, number: u64) {
        self.is_over(number);
        self.command(Command::DialogEnded {
            private_identity: WHOM,
            dialog: DialogRef(number),
        });
    }

    fn command(&mut self, command: Command<'_>) {
        let out = self.out.as_mut().expect("a free outbox");
        let verdict = self.node.command(self.outside.now, command, out);
        assert_eq!(verdict.unwrap(), Verdict::Handled);
        self.drain();
    }

    /// A message comes in.
    pub fn receive_at_msc(&mut self, text: &str) {
        if status(text) > 0 {
            return self.respond(text);
        }
        let expected = self.owes(text);
        let out = self.out.as_mut().expect("a free outbox");
        let now = self.outside.now;
        self.answered = None;
        let verdict = self
            .node
            .receive(now, Source::TrustedCore, TXN, text.as_bytes(), out);
        verdict.unwrap();
        self.drain();
        self.has_notified(text, expected);
    }

    /// A response comes in at its transaction, or there is none any more.
    pub fn respond(&mut self, text: &str) {
        let mut open = self.outside.open.iter();
        let own = |open: &Open| branch(&open.request) == branch(text);
        if let Some(place) = open.position(own) {
            let open = self.outside.open.remove(place);
            self.settle_transaction(&open, Some(text));
        }
    }

    /// A transaction has ended, with a response or without one.
    pub fn settle_transaction(&mut self, open: &Open, response: Option<&str>) {
        match open.whose {
            Whose::Node(token) => {
                let answer = response.map_or(drive::Answer::Timeout, |text| {
                    drive::Answer::Response(text.as_bytes())
                });
                self.answer(token, answer);
            }
            Whose::Host => self.learn(&open.request, response),
            Whose::Home => self.notified(&open.request, response.map_or(408, status)),
        }
    }

    /// The REGISTER of the host has been answered, or has not. Of a subscriber who has left since it was sent, the host
    /// says so again if the node takes it for a new registration.
    fn learn(&mut self, request: &str, response: Option<&str>) {
        let accepted = response.filter(|text| status(text) == 200);
        let Some(response) = accepted else {
            return;
        };
        let is_new = !self.is_here();
        self.learns();
        self.command(Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
        });
        self.has_learnt();
        if is_new && self.outside.ghosts.left {
            self.change(Change::Inactive);
        }
    }

    pub fn answer(&mut self, token: Token, answer: drive::Answer<'_, Mscics>) {
        let out = self.out.as_mut().expect("a free outbox");
        self.node
            .answer(self.outside.now, token, answer, out)
            .unwrap();
        self.drain();
    }

    /// The release of a dialog has come to its end. A BYE that fails is answered all the same (RFC 3261 15.1.1).
    pub fn release(&mut self, asked: &Asked, release: Release) {
        self.is_over(asked.dialog);
        let answer = match (release, asked.held) {
            (Release::Done, false) => Answer::Done.into(),
            (_, false) => Answer::Failed.into(),
            (Release::TimedOut, true) => drive::Answer::Timeout,
            (Release::Done, true) => drive::Answer::Response(BYE_200),
            (Release::Failed, true) => drive::Answer::Response(BYE_481),
        };
        self.answer(asked.token, answer);
    }

    pub fn tick(&mut self) {
        let out = self.out.as_mut().expect("a free outbox");
        self.node.tick(self.outside.now, out).unwrap();
        self.drain();
    }

    /// What the node wants done.
    fn drain(&mut self) {
        let mut out = self.out.take().expect("one at a time");
        for output in out.iter() {
            match output {
                Output::Request { token, bytes, .. } => {
                    let text = std::str::from_utf8(bytes).expect("the node writes text");
                    self.send_for_node(token, text);
                }
                Output::Respond { status, bytes, .. } => {
                    self.answered = Some(status);
                    let text = std::str::from_utf8(bytes).expect("the node writes text");
                    self.send(Side::Home, text);
                }
                Output::Ask {
                    token,
                    question: Question::DialogRelease { dialog, .. },
                } => self.ask(token, dialog.0, false),
                Output::Event(event) => self.hear(event),
                other => panic!("{other:?}"),
            }
        }
        out.clear();
        self.out = Some(out);
    }

    fn send_for_node(&mut self, token: Token, text: &str) {
        match method(text) {
            "BYE" => {
                let number = header(text, "Call-ID").parse().expect("a number");
                return self.ask(token, number, true);
            }
            "REGISTER" => self.deregisters(text),
            _ => self.subscribes(text),
        }
        self.request(Whose::Node(token), text);
    }

    fn ask(&mut self, token: Token, dialog: u64, held: bool) {
        self.note(|| format!("    release of dialog {dialog}"));
        self.releases(dialog);
        self.outside.asked.push(Asked {
            token,
            dialog,
            held,
            until: None,
        });
    }

    fn hear(&mut self, event: &Event) {
        self.note(|| format!("    {event:?}"));
        match event {
            Event::Deregistered {
                cause,
                registers,
                dialogs_left,
                register_anew,
                ..
            } => {
                self.is_ended_by(*cause);
                self.is_deregistered(*registers, *dialogs_left, *register_anew);
                if *register_anew && !self.registers() {
                    self.register();
                }
            }
            Event::Cancelled { .. } => self.is_cancelled(),
            Event::Subscription(OfSubscription::SubscriptionEnded { why, .. }) => {
                self.is_unsubscribed(*why);
            }
            Event::Subscription(OfSubscription::SubscriptionLost { .. }) => self.has_lost(),
            _ => {}
        }
    }

    /// A request goes out in a transaction. After a restart it is the one that was out before.
    fn request(&mut self, whose: Whose, text: &str) {
        let again = |open: &Open| branch(&open.request) == branch(text);
        self.outside.open.retain(|open| !again(open));
        self.outside.open.push(Open {
            whose,
            request: text.to_owned(),
            until: self.outside.now.after(TRANSACTION),
        });
        self.send(Side::Home, text);
    }
}

const BYE_200: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
const BYE_481: &[u8] = b"SIP/2.0 481 Gone\r\nContent-Length: 0\r\n\r\n";
