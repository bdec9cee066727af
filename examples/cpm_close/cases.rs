//! The cases: how each begins, what goes wrong on the way, and how it must end. They stand in `cases.txt`, a line each.

use ims_procedures::{
    cpm::{Function, IwfPolicy, Mode},
    drive::Millis,
};

use crate::{aligned::aligned, outcome::Outcome, provisioning::Actor};

const TABLE: &str = include_str!("cases.txt");
const COLUMNS: usize = 11;

/// How the message store does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// Sessions are not to be stored: it is not asked.
    #[default]
    Off,
    Ok,
    /// It takes three seconds.
    Slow,
    /// It takes nine, which is more than there is.
    Late,
    Fails,
    /// It never answers.
    Silent,
}

impl Storage {
    /// Milliseconds until it answers. `None` if it does not.
    pub const fn takes(self) -> Option<u64> {
        match self {
            Self::Off | Self::Silent => None,
            Self::Ok | Self::Fails => Some(0),
            Self::Slow => Some(3_000),
            Self::Late => Some(9_000),
        }
    }

    /// What `<allow-offline-storage>` says.
    pub fn is_allowed(self) -> bool {
        self != Self::Off
    }

    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "off" => Self::Off,
            "ok" => Self::Ok,
            "slow" => Self::Slow,
            "late" => Self::Late,
            "fails" => Self::Fails,
            "silent" => Self::Silent,
            _ => return None,
        })
    }
}

/// How somebody does in a case.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// What he answers requests with: one after the other, and then always the last; 200 if there is none.
    pub statuses: Vec<u16>,
    /// He does not answer.
    pub is_silent: bool,
    /// He ends the session himself, so many milliseconds after it was begun to be closed.
    hangs_up: Option<u64>,
}

/// A case.
pub struct Case {
    pub name: String,
    /// The requirement that it shows.
    requirement: String,
    pub function: Function,
    pub mode: Mode,
    pub policy: IwfPolicy,
    pub storage: Storage,
    iwfs: usize,
    /// Whose BYE begins it.
    begins: Actor,
    manners: Vec<(Actor, Manner)>,
    /// The columns as they were read.
    columns: [String; COLUMNS],
    pub expected: Outcome,
}

impl Case {
    /// All that there are. The error is for whoever has changed the table.
    pub fn all() -> Result<Vec<Self>, String> {
        let lines = TABLE.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| Self::read(line).ok_or_else(|| format!("cases.txt: {line}")))
            .collect()
    }

    fn read(line: &str) -> Option<Self> {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        let columns: [String; COLUMNS] = cells.try_into().ok()?;
        let [
            name,
            requirement,
            iwfs,
            storage,
            wrong,
            answers,
            sent,
            uid,
            ends,
            media,
            record,
        ] = columns.each_ref().map(String::as_str);
        let mut words = name.split('.');
        let (role, begins) = (words.next()?, words.next()?);
        let (iwfs, policy) = match iwfs {
            "-" => (0, IwfPolicy::WholeSession),
            "1" => (1, IwfPolicy::WholeSession),
            "2" => (2, IwfPolicy::WholeSession),
            "2 streams" => (2, IwfPolicy::StreamsOnly),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            requirement: requirement.to_owned(),
            function: match role {
                "terminating" => Function::Terminating,
                "originating" | "proxy" => Function::Originating,
                _ => return None,
            },
            mode: match role {
                "proxy" => Mode::Proxy,
                _ => Mode::B2bua,
            },
            policy,
            storage: Storage::read(storage)?,
            iwfs,
            begins: match (begins, iwfs) {
                ("iwf", 1) => Actor::Iwf1,
                ("iwf", _) => Actor::Iwf2,
                (name, _) => Actor::called(name)?,
            },
            manners: manners(wrong)?,
            expected: Outcome {
                answers: answers.to_owned(),
                sent: sent.to_owned(),
                uid: uid.to_owned(),
                ends: ends.to_owned(),
                media: media.to_owned(),
                record: record.to_owned(),
                faults: Vec::new(),
            },
            columns,
        })
    }

    pub fn title(&self) -> String {
        format!("{} ({})", self.name, self.requirement)
    }

    /// The legs that the session has.
    pub fn legs(&self) -> impl Iterator<Item = Actor> {
        let (near, far) = match self.function {
            Function::Originating => (Actor::Client, Actor::Other),
            Function::Terminating => (Actor::Other, Actor::Client),
        };
        let iwfs = [Actor::Iwf1, Actor::Iwf2].into_iter().take(self.iwfs);
        let has_far = self.iwfs == 0 && self.mode == Mode::B2bua;
        [near].into_iter().chain(has_far.then_some(far)).chain(iwfs)
    }

    pub fn manner(&self, peer: Actor) -> Manner {
        let found = self.manners.iter().find(|(who, _)| *who == peer);
        found.map(|(_, manner)| manner.clone()).unwrap_or_default()
    }

    /// Who sends a BYE when, if it begins at `now`.
    pub fn ends(&self, now: Millis) -> Vec<(Millis, Actor)> {
        let others = self.manners.iter();
        let others = others.filter_map(|(who, manner)| Some((now.after(manner.hangs_up?), *who)));
        [(now, self.begins)].into_iter().chain(others).collect()
    }
}

/// What goes wrong: `other 481, client BYE 25`.
fn manners(text: &str) -> Option<Vec<(Actor, Manner)>> {
    if text == "-" {
        return Some(Vec::new());
    }
    text.split(", ").map(manner).collect()
}

fn manner(text: &str) -> Option<(Actor, Manner)> {
    let mut words = text.split(' ');
    let who = Actor::called(words.next()?)?;
    let mut manner = Manner::default();
    match words.next()? {
        "silent" => manner.is_silent = true,
        "BYE" => manner.hangs_up = Some(words.next()?.parse().ok()?),
        first => {
            for status in [first].into_iter().chain(words) {
                manner.statuses.push(status.parse().ok()?);
            }
        }
    }
    Some((who, manner))
}

/// All cases, and how each must end.
pub fn list(cases: &[Case]) -> String {
    let headings = [
        "case",
        "shows",
        "IWFs",
        "store",
        "what goes wrong",
        "answers, after ms",
        "requests",
        "Message-UID",
        "how the legs ended",
        "media released",
        "record",
    ];
    let mut rows = vec![headings.map(str::to_owned)];
    rows.extend(cases.iter().map(|case| case.columns.clone()));
    aligned(&rows, |_| false)
}
