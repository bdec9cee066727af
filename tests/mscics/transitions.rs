//! Every state of a registration at the MSC server with everything that can happen in it, as the table in
//! `tests/fixtures/mscics/transitions.txt` has it.

use std::{fmt::Write, fs, path::Path};

use ims_procedures::{
    drive::{Context, Identifiers, Limits, Millis, Outbox, Output, Token},
    mscics::{
        Cause, Change, Config, Details, DialogRef, Event, Input, Learned, Mscics, NewDialog,
        NotAsked, Registration,
    },
    wire::Message,
};

use crate::bed::{PARAMS, config, identifiers, register, register_200};

/// A registration, and what it has asked for last.
struct Machine {
    registration: Registration,
    config: Config,
    identifiers: Identifiers,
    out: Outbox<Mscics>,
    now: Millis,
    /// Of the REGISTER, and of the releases of dialogs.
    register: Option<Token>,
    releases: Vec<Token>,
    gone: bool,
}

/// What happens, with the machine's own token where one is needed.
#[derive(Clone, Copy, Debug)]
enum Act {
    Trigger,
    Returned,
    /// The host has registered the subscriber anew, or ended the registration.
    Registered,
    Removed,
    Turn,
    /// Its turn does not come: because of its home, or of the deadline.
    TurnLost,
    TurnOver,
    OutOfTime,
    Resumed,
    Dialog,
    DialogEnded,
    /// The release that was asked for last, but those answered, has come to its end.
    Released,
    /// A final response to the REGISTER; 0 for none.
    Answer(u16),
    /// Something with the token of another.
    Stray,
    Terminated,
    Shortened,
    /// A tick before its time, and at it.
    Early,
    Due,
}

use Act::{
    Answer, Dialog, DialogEnded, Due, Early, OutOfTime, Registered, Released, Removed, Resumed,
    Returned, Shortened, Stray, Terminated, Trigger, Turn, TurnLost, TurnOver,
};

const ACTS: [Act; 22] = [
    Trigger,
    Returned,
    Registered,
    Removed,
    Turn,
    TurnLost,
    TurnOver,
    OutOfTime,
    Resumed,
    Dialog,
    DialogEnded,
    Released,
    Answer(200),
    Answer(404),
    Answer(423),
    Answer(503),
    Answer(0),
    Stray,
    Terminated,
    Shortened,
    Early,
    Due,
];

/// The states, and what leads to each.
const STATES: [(&str, &[Act]); 19] = [
    ("registered", &[]),
    ("registered, with a dialog", &[Dialog]),
    (
        "registered, a dialog being released",
        &[Dialog, Trigger, Turn, Returned],
    ),
    ("waiting for its turn", &[Trigger]),
    ("waiting for its turn, with a dialog", &[Dialog, Trigger]),
    ("releasing", &[Dialog, Trigger, Turn]),
    ("releasing one more", &[Dialog, Trigger, Turn, Dialog]),
    ("released", &[Dialog, Trigger, Turn, Released]),
    ("not released in time", &[Dialog, Trigger, Turn, Due]),
    ("releasing, not to be asked", &[Dialog, Trigger, TurnLost]),
    ("releasing, ended by the network", &[Dialog, Terminated]),
    ("sent", &[Trigger, Turn]),
    ("sent, a dialog left", &[Dialog, Trigger, Turn, Due, Turn]),
    ("sent, the subscriber back", &[Trigger, Turn, Returned]),
    ("sent, renewed by the host", &[Trigger, Turn, Registered]),
    ("waiting", &[Trigger, Turn, Answer(503)]),
    (
        "waiting for its turn again",
        &[Trigger, Turn, Answer(503), Due],
    ),
    (
        "releasing between attempts",
        &[Trigger, Turn, Answer(503), Dialog, Due, Turn],
    ),
    ("sent again", &[Trigger, Turn, Answer(503), Due, Turn]),
];

impl Machine {
    fn new() -> Self {
        let limits = Limits::default();
        let registration = with_details(3_600, |details| {
            Registration::new(&details, &limits, Millis(0)).unwrap()
        });
        Self {
            registration,
            config: config(),
            identifiers: identifiers(1),
            out: Outbox::for_steps(1),
            now: Millis(10_000),
            register: None,
            releases: Vec::new(),
            gone: false,
        }
    }

    /// Does it, and tells what was put out.
    fn act(&mut self, act: Act) -> String {
        let stray = Token::from_u64(99);
        let register = self.register.unwrap_or(stray);
        match act {
            Registered => {
                return with_details(3_600, |details| self.step(Input::Registered(details)));
            }
            Removed => return with_details(0, |details| self.step(Input::Registered(details))),
            _ => {}
        }
        let input = match act {
            Trigger => Input::Trigger(Cause::CancelLocation),
            Returned => Input::Returned,
            Turn => Input::Turn,
            TurnLost => Input::NotAsked(NotAsked::Domain),
            TurnOver => Input::NotAsked(NotAsked::Deadline),
            OutOfTime => Input::OutOfTime,
            Resumed => Input::Resumed,
            Dialog => Input::DialogAdded(NewDialog {
                dialog: DialogRef(self.registration.dialogs() as u64 + 1),
                held: None,
            }),
            DialogEnded => Input::DialogEnded(DialogRef(1)),
            Released => Input::Released {
                token: self.releases.pop().unwrap_or(stray),
            },
            Answer(0) => Input::NoResponse { token: register },
            Answer(status) => Input::Response {
                token: register,
                status,
                retry_after: None,
            },
            Stray => Input::NoResponse { token: stray },
            Terminated => Input::Terminated,
            Shortened => Input::Shortened { expires: 60 },
            Due => {
                let (at, _) = self.registration.deadline(&self.config);
                self.now = self.now.max(at);
                Input::Tick
            }
            Early | Registered | Removed => Input::Tick,
        };
        self.step(input)
    }

    fn step(&mut self, input: Input<'_>) -> String {
        let mut cx = Context {
            now: self.now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: 1,
        };
        let change = self.registration.step(&mut cx, input, &mut self.out);
        let mut told = self.outputs();
        if let Change::Gone(outcome) = change.unwrap() {
            self.gone = true;
            told.push(format!("gone {outcome:?}"));
        }
        self.out.clear();
        told.join(", ")
    }

    fn outputs(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        for output in self.out.iter() {
            told.push(match output {
                Output::Request { token, .. } => {
                    self.register = Some(token);
                    "REGISTER".to_owned()
                }
                Output::Ask { token, .. } => {
                    self.releases.push(token);
                    "release?".to_owned()
                }
                Output::Event(Event::Deregistered {
                    cause,
                    dialogs_left,
                    register_anew,
                    ..
                }) => {
                    let left = match dialogs_left {
                        0 => String::new(),
                        left => format!(", {left} left"),
                    };
                    let anew = if *register_anew { ", anew" } else { "" };
                    format!("Deregistered ({cause:?}{left}{anew})")
                }
                Output::Event(Event::Cancelled {
                    dialogs_released, ..
                }) => format!("Cancelled after {dialogs_released}"),
                other => panic!("{other:?}"),
            });
        }
        told
    }

    /// What it waits for, and how long.
    fn state(&self) -> String {
        if self.gone {
            return "gone".to_owned();
        }
        let (at, timer) = self.registration.deadline(&self.config);
        let left = at.since(self.now) / 1_000;
        let dialogs = match self.registration.dialogs() {
            0 => String::new(),
            dialogs => format!(", {dialogs} of dialogs"),
        };
        format!("{timer} in {left} s{dialogs}")
    }
}

/// The details of the fixtures, granted for so many seconds.
fn with_details<R>(expires: u32, act: impl FnOnce(Details<'_>) -> R) -> R {
    let limits = Limits::default();
    let (request, response) = (register(PARAMS, 1), register_200(PARAMS, 1));
    let request = Message::parse(request.as_bytes(), &limits).unwrap();
    let response = Message::parse(response.as_bytes(), &limits).unwrap();
    let learned = Learned::read(&request, &response).unwrap();
    act(Details {
        expires,
        ..learned.details()
    })
}

fn reached(way: &[Act]) -> Machine {
    let mut machine = Machine::new();
    for act in way {
        machine.act(*act);
    }
    assert!(!machine.gone);
    machine
}

fn table() -> String {
    let mut table = String::new();
    for (name, way) in STATES {
        writeln!(table, "{name}: {}", reached(way).state()).unwrap();
        for act in ACTS {
            let mut machine = reached(way);
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

/// [MS-1, MS-2, MS-4, MS-5] Every state with every input: what is put out, and what is waited for then. `-` stands for
/// nothing.
#[test]
fn every_state_and_input() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mscics/transitions.txt");
    let found = table();
    let expected = fs::read_to_string(path).unwrap();
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(expected, found);
    }
    assert_eq!(expected, found);
}
