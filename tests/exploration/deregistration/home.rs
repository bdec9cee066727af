//! The S-CSCF with its host, which is the registrar, and asks the HSS.

use ims_procedures::{
    drive::{Answer, Node, Outbox, Output, Source, Token, Verdict},
    scscf::{self, Command, Event, Question, Reasons, Scscf},
};

use super::{
    outside::{Asked, Asking, Open, Side},
    user::{self, Which},
    world::{Reply, TRANSACTION, TXN, World, is_of_pcscf, text},
};
use crate::shared::wire::{self, branch, header, method, status};

const SERVERS: &[u8] = b"<sip:as1.home1.example.net:5090;lr>";

impl World {
    /// A REGISTER or SUBSCRIBE comes in.
    pub fn receive_at_home(&mut self, text: &str) {
        let is_register = method(text) == "REGISTER";
        let by_user = is_register && is_of_pcscf(text).is_none();
        let before = self.bound();
        let out = self.home_out.as_mut().expect("a free outbox");
        let (node, now) = (&mut self.home, self.outside.now);
        let verdict = node.receive(now, Source::TrustedCore, TXN, text.as_bytes(), out);
        if is_register && verdict != Ok(Verdict::NotMine) {
            let branch = branch(text).to_owned();
            self.outside.ghosts.unanswered.push(branch);
        }
        self.drain_home();
        self.has_removed(before, text);
        match verdict.unwrap() {
            Verdict::NotMine => self.register_at_home(text),
            _ if by_user => {
                let cseq = sequence_number(text);
                self.outside.highest = self.outside.highest.max(cseq);
            }
            _ => {}
        }
    }

    /// The host registers the user. What comes a second time is answered as before, what comes too late is refused
    /// (RFC 3261 10.3).
    fn register_at_home(&mut self, request: &str) {
        let (cseq, from) = (
            sequence_number(request),
            Side::named_in(header(request, "Path")),
        );
        let which = Which::named_in(header(request, "Contact")).next();
        let which = which.expect("a contact of the user");
        let response = user::accepted(which, self.bound(), from, cseq);
        let highest = self.outside.highest;
        if cseq < highest {
            return self.send(from, &wire::response(500, request));
        }
        if cseq > highest {
            self.outside.highest = cseq;
            let command = Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                private_identity: None,
            };
            let out = self.home_out.as_mut().expect("a free outbox");
            let verdict = self.home.command(self.outside.now, command, out);
            assert_eq!(verdict.unwrap(), Verdict::Handled);
            self.drain_home();
            self.has_bound(which, from);
        }
        self.send(from, &response);
    }

    pub fn answer_home(&mut self, token: Token, answer: Answer<'_, Scscf>) {
        let before = self.bound();
        let out = self.home_out.as_mut().expect("a free outbox");
        let node = &mut self.home;
        node.answer(self.outside.now, token, answer, out).unwrap();
        self.drain_home();
        self.has_removed(before, "");
    }

    pub fn tick_home(&mut self) {
        let before = self.bound();
        let out = self.home_out.as_mut().expect("a free outbox");
        self.home.tick(self.outside.now, out).unwrap();
        self.drain_home();
        self.has_removed(before, "");
    }

    pub fn reply_to_home(&mut self, asked: Asked, reply: Reply) {
        let Asked { side, token, what } = asked;
        match (what, reply) {
            (Asking::Server(request), Reply::Nothing) => self.outside.open.push(Open {
                side,
                token,
                branch: branch(&request).to_owned(),
                until: self.outside.now.after(TRANSACTION),
            }),
            (_, Reply::Nothing) => {}
            (Asking::Server(request), reply) => {
                let status = if reply == Reply::Well { 200 } else { 500 };
                let response = wire::response(status, &request);
                self.answer_home(token, Answer::Response(response.as_bytes()));
            }
            (_, Reply::Failed) => self.answer_home(token, Answer::Role(scscf::Answer::Failed)),
            (what, Reply::Well) => self.answer_home(token, Answer::Role(good_answer(&what))),
        }
    }

    /// What the S-CSCF wants done.
    fn drain_home(&mut self) {
        let mut out = self.home_out.take().expect("one at a time");
        for output in out.iter() {
            match output {
                Output::Request { token, bytes, .. } if method(text(bytes)) == "REGISTER" => {
                    self.outside.asked.push(Asked {
                        side: Side::Home,
                        token,
                        what: Asking::Server(text(bytes).to_owned()),
                    });
                }
                Output::Request { token, bytes, .. } => {
                    let text = text(bytes);
                    let to = Side::named_in(text.lines().next().unwrap_or_default());
                    self.request(Side::Home, to, token, text);
                }
                Output::Respond { bytes, .. } => {
                    let text = text(bytes);
                    self.answers_register(text);
                    self.send(Side::named_in(header(text, "Via")), text);
                }
                Output::Ask { token, question } => {
                    let what = self.ask_of_home(question, &out);
                    self.outside.asked.push(Asked {
                        side: Side::Home,
                        token,
                        what,
                    });
                }
                Output::Event(event) => self.hear_of_home(event, &out),
                other => panic!("{other:?}"),
            }
        }
        out.clear();
        self.home_out = Some(out);
    }

    fn ask_of_home(&mut self, question: &Question, out: &Outbox<Scscf>) -> Asking {
        self.note(|| format!("    asks {question:?}"));
        match question {
            Question::Authentication { reasons, .. } => Asking::Authentication {
                suspicious: *reasons != Reasons::NONE,
            },
            Question::DialogRelease { key, affected, .. } => {
                for which in Which::named_in(text(out.text(affected.contacts))) {
                    self.releases_dialogs(which, *key);
                }
                Asking::DialogRelease
            }
            Question::ServerAssignment { .. } => Asking::ServerAssignment,
            _ => Asking::Done,
        }
    }

    fn hear_of_home(&mut self, event: &Event, out: &Outbox<Scscf>) {
        self.note(|| format!("    {event:?}"));
        if let Event::Deregistered { affected, .. } = event {
            for which in Which::named_in(text(out.text(affected.contacts))) {
                self.is_reported(which);
            }
        }
    }

    /// A REGISTER that the node has taken is answered.
    fn answers_register(&mut self, response: &str) {
        if method(response) != "REGISTER" || status(response) < 200 {
            return;
        }
        self.is_answered(branch(response));
    }
}

fn good_answer(what: &Asking) -> scscf::Answer<'static> {
    match what {
        Asking::Authentication { suspicious: true } => scscf::Answer::Denied,
        Asking::Authentication { suspicious: false } => scscf::Answer::Authenticated,
        Asking::ServerAssignment => scscf::Answer::Assigned {
            application_servers: SERVERS,
        },
        _ => scscf::Answer::Released,
    }
}

fn sequence_number(text: &str) -> u32 {
    let cseq = header(text, "CSeq").split(' ').next();
    cseq.and_then(|number| number.parse().ok()).unwrap_or(0)
}
