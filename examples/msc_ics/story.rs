//! What happens to one subscriber, and what must hold at the end.

use std::error::Error;

use ims_procedures::{
    drive::Millis,
    mscics::{Cause, Outcome},
};

use crate::{
    home::Conduct, msc::Ending, provisioning::REGISTRATION, subscriber::Subscriber, world::World,
};

/// Milliseconds after which all that was started is over, an S-CSCF that says nothing included.
const QUIET: u64 = 300_000;

/// What says that a subscriber is not active at the MSC server any more.
#[derive(Clone, Copy, Debug)]
pub struct Trigger {
    pub name: &'static str,
    /// As the MSC server comes to know it.
    label: &'static str,
    cause: Cause,
}

pub const TRIGGERS: [Trigger; 5] = [
    Trigger {
        name: "cancel-location",
        label: "HLR: Cancel Location, the subscriber is at another MSC",
        cause: Cause::CancelLocation,
    },
    Trigger {
        name: "implicit-detach",
        label: "timer: nothing was heard of the subscriber, implicit detach",
        cause: Cause::ImplicitDetach,
    },
    Trigger {
        name: "purge",
        label: "VLR: the subscriber's record is purged",
        cause: Cause::Purge,
    },
    Trigger {
        name: "imsi-detach",
        label: "UE: IMSI DETACH INDICATION, it is switched off",
        cause: Cause::ExplicitDetach,
    },
    Trigger {
        name: "administrative",
        label: "operator: the subscriber is to be deregistered",
        cause: Cause::Administrative,
    },
];

pub const CONDUCTS: [(&str, Conduct); 6] = [
    ("well", Conduct::Well),
    ("silent", Conduct::Silent),
    ("403", Conduct::Forbidden),
    ("503", Conduct::Unavailable),
    ("challenge", Conduct::Challenge),
    ("404", Conduct::NotFound),
];

/// When the subscriber is active here again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    Never,
    /// Before the REGISTER has left: while the calls are released.
    Before,
    /// Between the REGISTER and its answer.
    Between,
    /// After the end.
    After,
}

pub const RETURNS: [(&str, Return); 4] = [
    ("never", Return::Never),
    ("before", Return::Before),
    ("between", Return::Between),
    ("after", Return::After),
];

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    pub trigger: Trigger,
    pub conduct: (&'static str, Conduct),
    pub returns: (&'static str, Return),
}

impl Default for Story {
    fn default() -> Self {
        Self {
            trigger: TRIGGERS[0],
            conduct: CONDUCTS[0],
            returns: RETURNS[0],
        }
    }
}

/// The columns of the table of several stories.
pub const HEADINGS: [&str; 8] = [
    "trigger",
    "S-CSCF",
    "return",
    "outcome",
    "MSC server",
    "S-CSCF has",
    "HSS",
    "SCC AS",
];

impl Story {
    /// This one, and all that differ from it in one thing.
    pub fn all(self) -> Vec<Self> {
        let mut all = Vec::new();
        all.extend(TRIGGERS.map(|trigger| Self { trigger, ..self }));
        let others = CONDUCTS
            .into_iter()
            .filter(|&(_, other)| other != self.conduct.1);
        all.extend(others.map(|conduct| Self { conduct, ..self }));
        let others = RETURNS
            .into_iter()
            .filter(|&(_, other)| other != self.returns.1);
        all.extend(others.map(|returns| Self { returns, ..self }));
        all
    }

    /// Plays it.
    pub fn play(&self, world: &mut World, subscriber: &Subscriber) -> Result<(), Box<dyn Error>> {
        begin(world, subscriber)?;
        self.end(world, subscriber)?;
        world.run_until(Some(world.now.after(QUIET)))?;
        if self.returns.1 == Return::After {
            world.part("The subscriber returns");
            self.come_back(world, subscriber)?;
            world.run_until(Some(world.now.after(QUIET)))?;
        }
        if self.returns.1 != Return::Never {
            return Ok(());
        }
        if world.home.scscf.is_registered(identity(subscriber)) {
            world.part("An hour later, the registration runs out at the S-CSCF");
            let hour = u64::from(REGISTRATION) * 1_000;
            world.run_until(Some(Millis(hour + QUIET)))?;
        }
        world.run_until(None)
    }

    /// The trigger, and the subscriber's return before the end.
    fn end(&self, world: &mut World, subscriber: &Subscriber) -> Result<(), Box<dyn Error>> {
        world.part("The subscriber is not active here any more");
        world.note(self.trigger.label);
        let (now, cause) = (world.now, self.trigger.cause);
        world
            .msc
            .inactive(now, subscriber, cause, &mut world.network)?;
        let private_identity = subscriber.private_identity.as_bytes();
        let by = now.after(QUIET);
        match self.returns.1 {
            Return::Before => world.run_until(Some(now.after(50)))?,
            // With the last dialog the REGISTER leaves, there being nobody else whose turn it might be.
            Return::Between => {
                world.run_while(by, |world| world.msc.node().dialogs(private_identity) > 0)?;
            }
            Return::Never | Return::After => return Ok(()),
        }
        self.come_back(world, subscriber)
    }

    fn come_back(&self, world: &mut World, subscriber: &Subscriber) -> Result<(), Box<dyn Error>> {
        world.note("UE: the subscriber is here again");
        let now = world.now;
        world.msc.returned(now, subscriber, &mut world.network)?;
        Ok(())
    }

    /// What is not as it must be. Where messages are lost, the outcome may be another; and what the SCC AS hears of the
    /// end, being sent again, may come after what it hears of the new beginning.
    pub fn complaints(
        &self,
        world: &World,
        subscriber: &Subscriber,
        has_faults: bool,
    ) -> Vec<String> {
        let node = world.msc.node();
        let stays = self.returns.1 != Return::Never;
        let ending = ending(world, subscriber);
        let other = ending.is_none_or(|ending| ending.outcome != self.outcome());
        let [msc, scscf, hss, scc_as] = who_has(world, subscriber);
        let left = [
            (ending.is_none(), "there is not exactly one outcome"),
            (other && !has_faults, "the outcome is another"),
            (
                ending.is_some_and(|ending| ending.dialogs_left > 0),
                "a dialog was not released",
            ),
            (msc != stays, "the MSC server has it wrong"),
            (scscf != stays, "the S-CSCF has it wrong"),
            (hss != stays, "the HSS has it wrong"),
            (scc_as != stays && !has_faults, "the SCC AS has it wrong"),
            (
                !stays && (node.registrations() > 0 || world.msc.deadline().is_some()),
                "something is left at the MSC server",
            ),
        ];
        let left = left.into_iter().filter(|(is_left, _)| *is_left);
        left.map(|(_, what)| format!("{}: {what}", self.name()))
            .collect()
    }

    fn name(&self) -> String {
        let Self {
            trigger,
            conduct: (conduct, _),
            returns: (returns, _),
        } = self;
        format!(
            "--trigger {} --s-cscf {conduct} --return {returns}",
            trigger.name
        )
    }

    /// How it ends: `None` if it is given up.
    fn outcome(&self) -> Option<Outcome> {
        if self.returns.1 == Return::Before {
            return None;
        }
        Some(match self.conduct.1 {
            Conduct::Well => Outcome::Confirmed,
            Conduct::Silent => Outcome::NoResponse,
            Conduct::Forbidden => Outcome::Refused { status: 403 },
            Conduct::Unavailable => Outcome::Failed { status: 503 },
            Conduct::Challenge => Outcome::Challenged { status: 401 },
            Conduct::NotFound => Outcome::NothingThere { status: 404 },
        })
    }

    /// Its row of the table.
    pub fn row(&self, world: &World, subscriber: &Subscriber) -> [String; 8] {
        let outcome = match ending(world, subscriber) {
            None => "not one".to_owned(),
            Some(Ending { outcome: None, .. }) => "given up".to_owned(),
            Some(Ending {
                outcome: Some(outcome),
                registers,
                ..
            }) => format!("{outcome:?}, {registers} sent"),
        };
        let [msc, scscf, hss, scc_as] =
            who_has(world, subscriber).map(|has| if has { "registered" } else { "-" }.to_owned());
        let (conduct, returns) = (self.conduct.0.to_owned(), self.returns.0.to_owned());
        let trigger = self.trigger.name.to_owned();
        [trigger, conduct, returns, outcome, msc, scscf, hss, scc_as]
    }
}

/// The subscriber is registered, and gets two calls.
fn begin(world: &mut World, subscriber: &Subscriber) -> Result<(), Box<dyn Error>> {
    world.part("The MSC server registers the subscriber, and subscribes to the registration");
    world
        .msc
        .register(world.now, subscriber, &mut world.network);
    world.run_until(Some(Millis(60_000)))?;
    let private_identity = subscriber.private_identity.as_bytes();
    if !world.msc.node().is_registered(private_identity) {
        return Err("the subscriber could not be registered".into());
    }
    world.note("two calls: dialog 1 is the library's to end, dialog 2 the host's");
    world.msc.call(world.now, subscriber, &mut world.network)?;
    world.run_until(Some(Millis(600_000)))
}

fn identity(subscriber: &Subscriber) -> &str {
    let [default, _] = &subscriber.public_identities;
    default
}

/// How the one deregistration ended.
fn ending(world: &World, subscriber: &Subscriber) -> Option<Ending> {
    match world
        .msc
        .journal
        .endings
        .get(&subscriber.number)?
        .as_slice()
    {
        &[ending] => Some(ending),
        _ => None,
    }
}

/// Who has the subscriber: MSC server, S-CSCF, HSS, SCC AS.
fn who_has(world: &World, subscriber: &Subscriber) -> [bool; 4] {
    let private_identity = subscriber.private_identity.as_bytes();
    let home = &world.home;
    [
        world.msc.node().is_registered(private_identity),
        home.scscf.is_registered(identity(subscriber)),
        home.scscf.journal.hss.is_assigned(private_identity),
        home.scc_as.is_registered(identity(subscriber)),
    ]
}
