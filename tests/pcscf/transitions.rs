//! Every state of a registration at the P-CSCF with everything that can happen in it, as the table in
//! `tests/fixtures/pcscf/transitions.txt` has it.

use std::{fmt::Write, fs, path::Path};

use crate::common::pcscf::{CONTACT, config, contact, identifiers, register, register_200};
use ims_procedures::{
    drive::{Context, Identifiers, Limits, Millis, Outbox, Output, Token, TransactionRef},
    pcscf::{
        Cause, Change, Config, Event, Input, NotAsked, Pcscf, Question, Registration,
        registration::Learned,
    },
    wire::Message,
};

/// A registration, and what it has asked for last.
struct Machine {
    registration: Registration,
    config: Config,
    identifiers: Identifiers,
    out: Outbox<Pcscf>,
    now: Millis,
    token: Option<Token>,
    gone: bool,
}

/// What happens, with the machine's own token where one is needed.
#[derive(Clone, Copy, Debug)]
enum Act {
    Trigger,
    TriggerDue,
    /// Its turn, and that it does not come.
    Turn,
    TurnLost,
    /// The time before another attempt is over.
    RetryDue,
    /// The deadline of a shutdown has passed, and that it is called off.
    OutOfTime,
    Resumed,
    /// A final response to what it has asked for; 0 for none.
    Answer(u16),
    /// The answer to a question.
    Done(bool),
    /// Something with the token of another.
    Stray,
    Terminated,
    Shortened,
    Refreshed,
    Removed,
    Asked,
    AskedToGo,
    Heard,
    Protected,
    Superseded,
    /// A tick before its time, and at it.
    Early,
    Due,
}

use Act::{
    Answer, Asked, AskedToGo, Done, Due, Early, Heard, OutOfTime, Protected, Refreshed, Removed,
    Resumed, RetryDue, Shortened, Stray, Superseded, Terminated, Trigger, TriggerDue, Turn,
    TurnLost,
};

const ACTS: [Act; 24] = [
    Trigger,
    TriggerDue,
    Turn,
    TurnLost,
    RetryDue,
    OutOfTime,
    Resumed,
    Answer(200),
    Answer(404),
    Answer(403),
    Answer(503),
    Answer(0),
    Done(true),
    Stray,
    Terminated,
    Shortened,
    Refreshed,
    Removed,
    Asked,
    AskedToGo,
    Heard,
    Protected,
    Superseded,
    Early,
];

/// The states, and what leads to each.
const STATES: [(&str, &[Act]); 21] = [
    ("registered", &[]),
    ("registered, the UE's REGISTER under way", &[Asked]),
    ("waiting for its turn", &[TriggerDue]),
    (
        "waiting for its turn again",
        &[Trigger, Answer(503), RetryDue],
    ),
    ("due after the UE's", &[Asked, Trigger]),
    ("due after the UE's, in turn", &[Asked, TriggerDue]),
    ("ran out, the UE's under way", &[Asked, Due]),
    ("sent", &[Trigger]),
    ("sent, the UE heard", &[Trigger, Heard]),
    ("sent, the UE's held", &[Trigger, Asked]),
    ("waiting", &[Trigger, Answer(503)]),
    ("confirmed", &[Trigger, Answer(200)]),
    ("returning, ours removed", &[Trigger, Asked, Answer(200)]),
    ("returning, ours failed", &[Due, Asked, Answer(503)]),
    ("returning, ours unanswered", &[Trigger, Asked, Due]),
    ("delivering", &[Trigger, Answer(404)]),
    (
        "delivering, the UE's under way",
        &[Trigger, Answer(404), Asked],
    ),
    ("shortening", &[Terminated, Done(true)]),
    ("shortened", &[Terminated, Done(true), Done(true)]),
    (
        "releasing associations",
        &[Trigger, Answer(404), Done(true)],
    ),
    (
        "releasing the bearer",
        &[Trigger, Answer(404), Done(true), Done(true)],
    ),
];

impl Machine {
    fn new(contact: &str) -> Self {
        let limits = Limits::default();
        let (request, response) = (register(contact, 1), register_200(contact, 1));
        let parse = |text: &str| Message::parse(text.to_owned().leak().as_bytes(), &limits);
        let (request, response) = (parse(&request).unwrap(), parse(&response).unwrap());
        let learned = Learned::read(&request, &response, &limits).unwrap();
        let registration = learned.registration(&learned.contacts[0], Millis(0), &limits);
        Self {
            registration: registration.unwrap(),
            config: config(),
            identifiers: identifiers(1),
            out: Outbox::for_steps(1),
            now: Millis(10_000),
            token: None,
            gone: false,
        }
    }

    /// Does it, and tells what was put out.
    fn act(&mut self, act: Act) -> String {
        let token = self.token.unwrap_or(Token::from_u64(77));
        let input = match act {
            Trigger => Input::Trigger(Cause::AccessLost),
            TriggerDue => Input::TriggerDue(Cause::AccessLost),
            Turn => Input::Turn,
            TurnLost => Input::NotAsked(NotAsked::Domain),
            RetryDue => Input::RetryDue,
            OutOfTime => Input::OutOfTime,
            Resumed => Input::Resumed,
            Answer(0) => Input::NoResponse { token },
            Answer(status) => Input::Response {
                token,
                status,
                retry_after: None,
                notify_expected: true,
            },
            Done(done) => Input::Cleaned { token, done },
            Stray => Input::NoResponse {
                token: Token::from_u64(99),
            },
            Terminated => Input::Terminated,
            Shortened => Input::Shortened { expires: 60 },
            Refreshed => Input::Refreshed { expires: 3_600 },
            Removed => Input::Removed,
            Asked | AskedToGo => Input::Asked {
                transaction: TransactionRef(5),
                removes: matches!(act, AskedToGo),
            },
            Heard => Input::Heard,
            Protected => Input::Protected { lifetime: None },
            Superseded => Input::Superseded,
            Early => Input::Tick,
            Due => {
                let (at, _) = self.registration.deadline(&self.config);
                self.now = self.now.max(at);
                Input::Tick
            }
        };
        let mut cx = Context {
            now: self.now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: 1,
        };
        let step = self
            .registration
            .step(&mut cx, b"user", input, &mut self.out);
        let mut told = self.outputs();
        match step.unwrap() {
            Change::Goes => {}
            Change::Holds(token) => {
                assert_eq!(Some(token), self.token);
                told.push("hold".into());
            }
            Change::Gone(outcome) => {
                self.gone = true;
                told.push(format!("gone {outcome:?}"));
            }
        }
        self.out.clear();
        told.join(", ")
    }

    fn outputs(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        for output in self.out.iter() {
            told.push(match output {
                Output::Request { token, .. } => {
                    self.token = Some(token);
                    "REGISTER".to_owned()
                }
                Output::Ask { token, question } => {
                    self.token = Some(token);
                    let what = match question {
                        Question::OwedDelivery { .. } => "deliver",
                        Question::SecurityAssociationShortening { .. } => "shorten",
                        Question::SecurityAssociationRelease { .. } => "release associations",
                        Question::BearerRelease { .. } => "release bearer",
                        other => panic!("{other:?}"),
                    };
                    format!("{what}?")
                }
                Output::Event(event) => match event {
                    Event::Deregistered { cause, .. } => format!("Deregistered {cause:?}"),
                    Event::Cancelled { registers, .. } => format!("Cancelled after {registers}"),
                    Event::AccessLost { .. } => "AccessLost".to_owned(),
                    Event::HeldRegisterReleased { forward: true, .. } => "forward".to_owned(),
                    Event::HeldRegisterReleased { .. } => "refuse".to_owned(),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            });
        }
        told
    }

    /// What it waits for, how long, and whether terminating requests are refused.
    fn state(&self) -> String {
        if self.gone {
            return "gone".to_owned();
        }
        let (at, timer) = self.registration.deadline(&self.config);
        let left = at.since(self.now) / 1_000;
        let lost = if self.registration.is_access_lost() {
            ", refusing"
        } else {
            ""
        };
        format!("{timer} in {left} s{lost}")
    }
}

fn reached(contact: &str, way: &[Act]) -> Machine {
    let mut machine = Machine::new(contact);
    for act in way {
        machine.act(*act);
    }
    assert!(!machine.gone);
    machine
}

fn table() -> String {
    let mut table = String::new();
    let ordinary = contact(Some(3_600));
    let emergency = format!("<{CONTACT};sos>;expires=3600");
    let states = STATES.map(|(name, way)| (name, way, &ordinary));
    let emergencies = [
        ("emergency", &[][..], &emergency),
        ("emergency, over", &[Due], &emergency),
    ];
    for (name, way, contact) in states.into_iter().chain(emergencies) {
        writeln!(table, "{name}: {}", reached(contact, way).state()).unwrap();
        for act in ACTS.into_iter().chain([Due]) {
            let mut machine = reached(contact, way);
            let before = machine.state();
            let told = machine.act(act);
            let after = machine.state();
            let nothing = told.is_empty() && before == after;
            let row = if nothing {
                "-".to_owned()
            } else {
                format!("{told} => {after}")
            };
            writeln!(table, "  {act:?}: {}", row.trim()).unwrap();
        }
    }
    table
}

/// [PD-2, PD-3, PD-4, PD-6, PD-7, PD-8, PD-9, PD-10, PD-12] Every state with every input: what is put out, and what is waited for
/// then. `-` stands for nothing.
#[test]
fn every_state_and_input() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pcscf/transitions.txt");
    let expected = fs::read_to_string(path).unwrap();
    let found = table();
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(expected, found);
    }
    assert_eq!(expected, found);
}
