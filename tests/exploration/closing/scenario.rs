//! How a session is closed: by whom, as what, with whom, and how each of them answers. All there are.

use std::{fmt, iter, sync::OnceLock};

use ims_procedures::{
    cpm::{
        Cause, Description, Establish, Function, Iwf, IwfPolicy, Leg, LegId, Mode, SessionRef, Side,
    },
    wire::sdp::StreamSet,
};

use crate::{
    common::cpm::{Session, Values, message},
    shared::wire::header,
};

/// The places of legs: the client, the other entity, and up to three IWFs.
pub const LEGS: usize = 5;
pub const CLIENT: usize = 0;
pub const OTHER: usize = 1;
pub const FIRST_IWF: usize = 2;

pub const SESSION: SessionRef = SessionRef(4_711);

/// The UID that the message store gives, and one that no other has any business to give.
pub const UID: &str = "4711";
const FOREIGN_UID: &str = "99";

/// How a leg behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// It answers 200.
    Accepts,
    /// 481.
    Unknown,
    /// 408.
    TimesOut,
    /// 503.
    Unavailable,
    /// Nothing.
    Silent,
    /// It ends the session itself as well.
    Crosses,
    /// It answers a re-INVITE with 491 at first.
    Glares,
}

const MANNERS: [Manner; 6] = [
    Manner::Accepts,
    Manner::Unknown,
    Manner::TimesOut,
    Manner::Unavailable,
    Manner::Silent,
    Manner::Crosses,
];

/// Whether the session may be stored, and how the message store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Off,
    Well,
    /// In time, but not at once.
    Slow,
    Fails,
    /// After the time for it.
    Late,
}

const STORAGES: [Storage; 5] = [
    Storage::Off,
    Storage::Well,
    Storage::Slow,
    Storage::Fails,
    Storage::Late,
];

#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub function: Function,
    pub mode: Mode,
    pub iwfs: usize,
    pub policy: IwfPolicy,
    pub storage: Storage,
    /// The leg whose BYE comes first.
    pub source: usize,
    /// How each leg behaves; the source, and those that there are not, accept.
    pub manners: [Manner; LEGS],
}

impl Scenario {
    /// All of them. IWFs that behave alike are the same in any order: the manners of those that have not begun it stand in
    /// theirs, and the last of them is the one that begins it.
    pub fn all() -> Vec<Self> {
        let functions = [Function::Originating, Function::Terminating];
        let of_function = |function| [Self::proxied(function), Self::of_b2bua(function)].concat();
        functions.map(of_function).concat()
    }

    fn proxied(function: Function) -> Vec<Self> {
        let mut all = Vec::new();
        for (source, far) in [(CLIENT, OTHER), (OTHER, CLIENT)] {
            let plain = Self {
                function,
                mode: Mode::Proxy,
                iwfs: 0,
                policy: IwfPolicy::WholeSession,
                storage: Storage::Well,
                source,
                manners: [Manner::Accepts; LEGS],
            };
            all.extend(MANNERS.map(|manner| plain.with(far, manner)));
        }
        all
    }

    fn of_b2bua(function: Function) -> Vec<Self> {
        let near = match function {
            Function::Originating => CLIENT,
            Function::Terminating => OTHER,
        };
        let mut all = Vec::new();
        for iwfs in 0..=3 {
            for policy in [IwfPolicy::WholeSession, IwfPolicy::StreamsOnly] {
                // It says nothing where there is no IWF.
                if iwfs == 0 && policy == IwfPolicy::StreamsOnly {
                    continue;
                }
                for storage in STORAGES {
                    let plain = Self {
                        function,
                        mode: Mode::B2bua,
                        iwfs,
                        policy,
                        storage,
                        source: near,
                        manners: [Manner::Accepts; LEGS],
                    };
                    all.extend(plain.begun_by_near());
                    all.extend(plain.begun_by_far(near));
                }
            }
        }
        all
    }

    /// Begun by the leg that cannot be interworked.
    fn begun_by_near(self) -> Vec<Self> {
        match self.iwfs {
            0 => {
                let far = CLIENT + OTHER - self.source;
                MANNERS.map(|manner| self.with(far, manner)).to_vec()
            }
            iwfs => self.with_iwfs(iwfs),
        }
    }

    /// Begun by the other one, or by an IWF in its place.
    fn begun_by_far(self, near: usize) -> Vec<Self> {
        let (source, others) = match self.iwfs {
            0 => (CLIENT + OTHER - near, 0),
            iwfs => (FIRST_IWF + iwfs - 1, iwfs - 1),
        };
        let plain = Self { source, ..self };
        let only_streams = self.policy == IwfPolicy::StreamsOnly && others > 0;
        let glares = only_streams.then_some(Manner::Glares);
        MANNERS
            .into_iter()
            .chain(glares)
            .flat_map(|manner| plain.with(near, manner).with_iwfs(others))
            .collect()
    }

    /// With each choice of manners for the first so many IWFs.
    fn with_iwfs(self, iwfs: usize) -> Vec<Self> {
        let mut chosen = vec![(self, 0)];
        for place in (FIRST_IWF..).take(iwfs) {
            chosen = chosen
                .into_iter()
                .flat_map(|(scenario, least)| {
                    let manners = MANNERS.into_iter().enumerate().skip(least);
                    manners.map(move |(number, manner)| (scenario.with(place, manner), number))
                })
                .collect();
        }
        chosen.into_iter().map(|(scenario, _)| scenario).collect()
    }

    fn with(mut self, place: usize, manner: Manner) -> Self {
        self.manners[place] = manner;
        self
    }

    /// The places of the legs that there are.
    pub fn places(self) -> impl Iterator<Item = usize> {
        let iwfs = FIRST_IWF..FIRST_IWF + self.iwfs;
        let is_interworked = self.iwfs > 0;
        let client = !(is_interworked && self.function == Function::Terminating);
        let other = !(is_interworked && self.function == Function::Originating);
        let near = client.then_some(CLIENT).into_iter();
        near.chain(other.then_some(OTHER)).chain(iwfs)
    }

    /// The leg that hears of deleted streams.
    pub const fn told(self) -> usize {
        match self.function {
            Function::Originating => CLIENT,
            Function::Terminating => OTHER,
        }
    }

    pub fn script(self) -> &'static Script {
        static SCRIPTS: OnceLock<Vec<Script>> = OnceLock::new();
        let scripts = SCRIPTS.get_or_init(|| {
            let b2bua = |iwfs| [Session::originating(iwfs), Session::terminating(iwfs)];
            let sessions = (0..=3).flat_map(b2bua);
            let all = sessions.map(|session| Script::of_b2bua(&session));
            all.chain(iter::once_with(Script::proxied)).collect()
        });
        match (self.mode, self.function) {
            (Mode::Proxy, _) => &scripts[8],
            (Mode::B2bua, Function::Originating) => &scripts[self.iwfs * 2],
            (Mode::B2bua, Function::Terminating) => &scripts[self.iwfs * 2 + 1],
        }
    }

    /// Shows the session.
    pub fn establish<T>(self, give: impl FnOnce(Establish<'_>) -> T) -> T {
        let script = self.script();
        let learnt = |place: usize| {
            let made = script.made[place].as_ref()?;
            Some(Leg::Learnt {
                invite: &made.invite,
                response: &made.response,
                side: made.side,
            })
        };
        let iwfs: Vec<Iwf<'_>> = script
            .streams
            .iter()
            .enumerate()
            .map(|(number, streams)| Iwf {
                leg: learnt(FIRST_IWF + number).expect("an IWF"),
                streams: streams.iter().copied().collect::<StreamSet>(),
            })
            .collect();
        give(Establish {
            session: SESSION,
            function: self.function,
            mode: self.mode,
            allow_offline_storage: self.storage != Storage::Off,
            policy: self.policy,
            client: learnt(CLIENT),
            other: learnt(OTHER),
            iwfs: &iwfs,
            description: match iwfs.is_empty() {
                true => Description::AtHost,
                false => Description::Learnt,
            },
        })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            function,
            mode,
            iwfs,
            policy,
            storage,
            source,
            ..
        } = self;
        let manners: Vec<_> = self
            .places()
            .map(|place| (id(place), self.manners[place]))
            .collect();
        write!(
            f,
            "{function:?} {mode:?}, {iwfs} IWFs, {policy:?}, storage {storage:?}, begun by {:?}: {manners:?}",
            id(*source)
        )
    }
}

/// The leg of a place.
pub fn id(place: usize) -> LegId {
    match place {
        CLIENT => LegId::Client,
        OTHER => LegId::Other,
        iwf => LegId::Iwf(number(iwf)),
    }
}

/// The number of an IWF.
pub fn number(place: usize) -> u8 {
    (place - FIRST_IWF) as u8
}

/// What a session is closed for, if that leg begins it.
pub fn cause(place: usize) -> Cause {
    match place {
        CLIENT => Cause::Client,
        OTHER => Cause::Other,
        iwf => Cause::Iwf(number(iwf)),
    }
}

/// The messages that made the dialog of a leg.
pub struct Made {
    invite: Vec<u8>,
    response: Vec<u8>,
    side: Side,
}

/// The messages of the legs of a session.
#[derive(Default)]
pub struct Script {
    made: [Option<Made>; LEGS],
    /// The m-lines of each IWF.
    pub streams: Vec<Vec<usize>>,
    /// The BYE of each leg; it has a Message-UID, which nobody may give but the message store.
    pub byes: [String; LEGS],
}

impl Script {
    fn of_b2bua(session: &Session) -> Self {
        let mut script = Self {
            streams: session.streams.clone(),
            ..Self::default()
        };
        let iwfs = session.iwfs.iter().enumerate();
        let iwfs = iwfs.map(|(number, leg)| {
            let name = format!("bye_from_iwf{}", number + 1);
            (FIRST_IWF + number, name, Some(leg))
        });
        let client = (
            CLIENT,
            "bye_from_client".to_owned(),
            session.client.as_ref(),
        );
        let other = (OTHER, "bye_from_other".to_owned(), session.other.as_ref());
        for (place, name, leg) in [client, other].into_iter().chain(iwfs) {
            let Some(leg) = leg else {
                continue;
            };
            script.made[place] = Some(Made {
                invite: leg.invite.clone(),
                response: leg.response.clone(),
                side: match leg.is_uac {
                    true => Side::Uac,
                    false => Side::Uas,
                },
            });
            script.byes[place] = with_foreign_uid(session.message(&name));
        }
        script
    }

    fn proxied() -> Self {
        let mut values = Values::default();
        values.set("reason", "").set("uid", "");
        let mut script = Self::default();
        script.made[CLIENT] = Some(Made {
            invite: message("proxy/invite", &values),
            response: message("proxy/invite_200", &values),
            side: Side::Uas,
        });
        for (place, name) in [
            (CLIENT, "proxy/bye_from_client"),
            (OTHER, "proxy/bye_from_other"),
        ] {
            script.byes[place] = with_foreign_uid(message(name, &values));
        }
        script
    }

    /// The leg in whose dialog a request of ours is.
    pub fn place_of(&self, request: &str) -> usize {
        let call_id = header(request, "Call-ID");
        let of = |bye: &String| !bye.is_empty() && header(bye, "Call-ID") == call_id;
        self.byes.iter().position(of).expect("a leg")
    }
}

/// A message with a Message-UID, its fields under the names that the model reads.
fn with_foreign_uid(message: Vec<u8>) -> String {
    let mut text = String::from_utf8(message).expect("text");
    for (short, long) in [
        ("\r\nv:", "\r\nVia:"),
        ("\r\nf:", "\r\nFrom:"),
        ("\r\nt:", "\r\nTo:"),
        ("\r\nTo :", "\r\nTo:"),
        ("\r\ni:", "\r\nCall-ID:"),
        ("\r\nl:", "\r\nContent-Length:"),
        ("\r\nVia:  ", "\r\nVia: "),
    ] {
        text = text.replace(short, long);
    }
    add_uid(&text)
}

/// The same with a Message-UID that is not the message store's.
pub fn add_uid(text: &str) -> String {
    if text.contains("\r\nMessage-UID:") {
        return text.to_owned();
    }
    let named = format!("\r\nMessage-UID: {FOREIGN_UID}\r\nCSeq:");
    text.replacen("\r\nCSeq:", &named, 1)
}
