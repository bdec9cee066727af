//! Many users whose registration state is subscribed to, behind one set of doors: for a P-CSCF or SBC that does
//! nothing else of the P-CSCF's procedures, an MSC server, an application server or a UE.
//!
//! The host tells which registrations succeeded and ended; the node subscribes, refreshes, takes the NOTIFYs and
//! keeps the table of every user's registration state, which the host reads when it is told of a change.
//!
//! NOTIFYs are taken from the trusted core alone ([`Source::TrustedCore`]); all others are refused with 403. At a UE
//! ([`Party::Ue`](subscriber::Party::Ue)) the core is what came over its security association with the P-CSCF, and is
//! to be labelled so.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | RE-1 | which registrations are subscribed to | [`trunk_group`](super::trunk_group) | `tests/regevent/trunk_groups.rs` |
//! | RE-2 | one subscription for all flows of a user | [`SubscriberNode`] | `tests/regevent/trunk_groups.rs` |
//! | RE-4 | the routing question | [`Question::Routing`](subscriber::Question::Routing) | `tests/regevent/routing.rs` |
//! | RE-11 | the statistics | [`statistics`](super::statistics) | `tests/regevent/statistics.rs` |

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use super::{
    notification::{Denied, Notification},
    statistics::{GeneratedSubscriptionStatus, SubscriptionCountStatistics},
    subscriber::{self, Config as SubscriberConfig, Input, Profile, Purpose},
    subscriptions::{Finding, Order, Reply, Stepped, Subscriptions, accept, deny, is_for},
    watcher::{Applied, Taking, Watcher},
};
use crate::{
    drive::{
        self, Changes, Clock, ConfigError, Context, Identifiers, Limits, Millis, Misuse, Node,
        Outbox, Persist, Reject, Release, RestoreError, Role, Source, Text, Texts, Timer, Token,
        TransactionRef, Verdict, increment, snapshot::Kind,
    },
    fleet::{Fleet, Id, Room, push_exact},
    reginfo::DocumentState,
    wire::{Message, Method, salvage::respond_to_refused},
};

mod snapshot;

use snapshot::{Part, Restoring, Stored};

/// Under what users are filed.
const PRIVATE_IDENTITY: u8 = 1;

/// How many keys a user has.
const KEYS: usize = 1;

/// The vocabulary of an element that watches registration state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegEvent;

impl Role for RegEvent {
    type Command<'a> = Command<'a>;
    type Question = subscriber::Question;
    type Answer<'a> = subscriber::Answer<'a>;
    type Event = Event;
    // A NOTIFY: two steps of the subscription, the change, the response.
    const STEP_OUTPUTS: usize = 8;
    const STEP_BYTES: usize = 192 * 1024;
}

/// A registration that succeeded.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The private identity.
    pub private_identity: &'a [u8],
    /// The default public identity: the first P-Associated-URI of the 2xx, else To.
    pub public_identity: &'a [u8],
    /// Which of the user's contacts or flows: any bytes that tell them apart.
    pub flow: &'a [u8],
    /// Seconds it was granted.
    pub expires: u32,
    /// [RE-1] The trunk group that it came over; empty for none.
    pub trunk_group: &'a [u8],
    /// [RE-4] The Service-Route of the 2xx: addresses separated by commas; empty for none.
    pub service_route: &'a [u8],
    /// Whether it is an emergency registration: those are not subscribed to.
    pub emergency: bool,
    /// Whether no REGISTER of its own made it.
    pub implicit: bool,
}

/// What a host tells such a node.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// [RE-2] Learn of a registration, or re-registration, that succeeded.
    LearnRegistered(Registration<'a>),
    /// [RE-9] Learn that the user asked to deregister: a REGISTER with Expires 0 was received.
    LearnDeregistering {
        /// The private identity.
        private_identity: &'a [u8],
        /// The contact or flow; empty for all of the user's.
        flow: &'a [u8],
    },
    /// [RE-9] Learn that a registration is gone: by the 2xx to such a REGISTER, or in any other way.
    LearnDeregistered {
        /// The private identity.
        private_identity: &'a [u8],
        /// The contact or flow; empty for all of the user's.
        flow: &'a [u8],
    },
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LearnRegistered(_) => "LearnRegistered",
            Self::LearnDeregistering { .. } => "LearnDeregistering",
            Self::LearnDeregistered { .. } => "LearnDeregistered",
        })
    }
}

/// What such a node reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Of a subscription.
    Subscription(subscriber::Event),
    /// A document was taken. What it changed is marked in the table of the user
    /// ([`SubscriberNode::table`]) until the next one is.
    StateNotified {
        /// The private identity.
        private_identity: Text,
        /// The version of the document.
        version: u32,
        /// Whether it said everything.
        full: bool,
        /// Number of rows that it changed, registrations and contacts.
        changed: u32,
        /// Every registration of the user is terminated.
        all_terminated: bool,
    },
    /// [DR-7] Another node has the user, as the store says: nothing of it is done here any more, and nothing was
    /// said to anybody.
    TakenOver {
        /// The private identity.
        private_identity: Text,
    },
}

impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Subscription(event) => event.each_text(show),
            Self::StateNotified {
                private_identity, ..
            }
            | Self::TakenOver { private_identity } => show(private_identity),
        }
    }
}

impl From<subscriber::Event> for Event {
    fn from(event: subscriber::Event) -> Self {
        Self::Subscription(event)
    }
}

/// The configuration of a node. It may be replaced while the node runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The subscriptions.
    pub subscription: SubscriberConfig,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults, for the subscriptions given.
    #[must_use]
    pub fn new(subscription: SubscriberConfig) -> Self {
        Self {
            subscription,
            limits: Limits::default(),
        }
    }

    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, what| Err(ConfigError { field, what });
        self.subscription.check()?;
        if self.limits.users > 0xff_ffff {
            return refuse("limits.users", "more than 16,777,215");
        }
        if self.limits.message_bytes > 65_535 {
            return refuse("limits.message_bytes", "more than 65,535");
        }
        if self.limits.registration_bytes > 16_384 {
            return refuse("limits.registration_bytes", "more than 16,384");
        }
        Ok(())
    }
}

/// What a node has counted since it was made. A restore begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// NOTIFYs accepted.
    pub notifies: u64,
    /// NOTIFYs refused.
    pub notifies_refused: u64,
    /// [RI-3] Documents taken.
    pub documents: u64,
    /// [RI-3] Documents discarded for their version.
    pub documents_discarded: u64,
    /// [RI-3] Documents before which others were missed.
    pub gaps: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Answers that came when nothing waited for them any more.
    pub stale_answers: u64,
}

/// One private identity: its flows, and the one subscription they share.
struct User {
    private_identity: Box<[u8]>,
    flows: Vec<Box<[u8]>>,
    subscription: Option<Id>,
    /// [RE-9] We have ended it, or are about to, although there are flows still: the next registration makes
    /// another.
    left: bool,
}

/// [RE-2] Every user whose registration state is watched, behind one set of doors.
pub struct SubscriberNode {
    config: Config,
    identifiers: Identifiers,
    clock: Clock,
    users: Fleet<User>,
    subscriptions: Subscriptions,
    /// Private identity and table of the subscription that the latest call ended.
    ended: Option<(Box<[u8]>, Box<Watcher>)>,
    counters: Counters,
    changes: Changes,
}

impl SubscriberNode {
    /// A node without users.
    ///
    /// # Errors
    /// [`ConfigError`] if the configuration cannot work.
    pub fn new(config: Config, identifiers: Identifiers) -> Result<Self, ConfigError> {
        config.check()?;
        let key = identifiers.table_key();
        Ok(Self {
            users: Fleet::new(&key, Room::of(&config.limits, KEYS)),
            subscriptions: Subscriptions::new(&key, &config.limits),
            config,
            identifiers,
            clock: Clock::default(),
            ended: None,
            counters: Counters::default(),
            changes: Changes::default(),
        })
    }

    /// [DR-7] A node from the blob of another. `identifiers` must be of an incarnation never used before.
    /// What was outstanding is offered again by ticks at the same `now`, one request or question each.
    ///
    /// # Errors
    /// [`RestoreError`] if the blob cannot be used, or exceeds the limits given.
    pub fn restore(
        config: Config,
        identifiers: Identifiers,
        now: Millis,
        blob: &[u8],
    ) -> Result<Self, RestoreError> {
        let mut node = Self::new(config, identifiers).map_err(RestoreError::Config)?;
        let (most, mut restoring) = (node.config.limits.users, Restoring::new());
        node.clock.observe(now);
        snapshot::open(blob, most, |part| match part {
            Part::Users(users) => {
                node.make_room(users);
                Ok(())
            }
            Part::User(stored) => node.adopt(now, stored, &mut restoring).map(|_| ()),
        })?;
        node.file_all(restoring);
        Ok(node)
    }

    /// [DR-7] Takes room for the users of a blob at once, so that no table grows.
    fn make_room(&mut self, users: usize) {
        self.users.reserve(Room {
            machines: users,
            keys: KEYS,
        });
        self.subscriptions.reserve(users);
    }

    /// [DR-7] Takes a user in from a blob. It is found once [all are filed](Self::file_all).
    fn adopt(
        &mut self,
        now: Millis,
        stored: Stored<'_>,
        restoring: &mut Restoring,
    ) -> Result<Id, RestoreError> {
        let (user, subscription) = stored.restore(&self.config.limits)?;
        let id = self.users.insert(user);
        let restored = match subscription {
            Some(subscription) => {
                let restoring = &mut restoring.subscriptions;
                let restored = self.subscriptions.restore(id, subscription, restoring, now);
                Some(restored.inspect_err(|_| _ = self.users.remove(id))?)
            }
            None => None,
        };
        if let Some(user) = self.users.get_mut(id) {
            user.subscription = restored;
        }
        if let Some(user) = self.users.get(id) {
            let identity = &user.private_identity;
            self.users
                .gather(&mut restoring.keys, id, PRIVATE_IDENTITY, identity);
        }
        Ok(id)
    }

    /// [DR-7] Files all users that were taken in.
    fn file_all(&mut self, restoring: Restoring) {
        self.users.file_all(restoring.keys);
        self.subscriptions.file_all(restoring.subscriptions);
    }

    /// [DR-10] Replaces the configuration; nothing that runs is lost.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        self.config = config;
        Ok(())
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How often the host's time went backwards.
    #[must_use]
    pub const fn time_backwards(&self) -> u64 {
        self.clock.backwards()
    }

    /// Number of users held.
    #[must_use]
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// [RI-3] The registration state of a user, as the documents told it; `None` without a subscription. The table
    /// of a subscription that a call ended, with what the last NOTIFY changed, can be read until the next call.
    #[must_use]
    pub fn table(&self, private_identity: &[u8]) -> Option<&Watcher> {
        match (self.subscription_of(private_identity), &self.ended) {
            (Some(id), _) => self.subscriptions.table(id),
            (None, Some((own, table))) if **own == *private_identity => Some(table),
            (None, _) => None,
        }
    }

    /// [RE-11] How the subscription of a user stands.
    #[must_use]
    pub fn standing(&self, private_identity: &[u8]) -> subscriber::Standing {
        self.subscription_of(private_identity)
            .and_then(|id| self.subscriptions.machine(id))
            .map_or(
                subscriber::Standing::None,
                subscriber::Subscription::standing,
            )
    }

    /// [RE-11] `sipSubscriptionCountStatistics` of an address context; that of registrations over no named trunk
    /// group has the empty name.
    #[must_use]
    pub fn sip_subscription_count_statistics(
        &self,
        address_context: &[u8],
    ) -> SubscriptionCountStatistics {
        self.subscriptions.counts(address_context)
    }

    /// [RE-11] `sipGeneratedSubscriptionStatus` of an address context: a row for each subscription present.
    pub fn sip_generated_subscription_status<'s>(
        &'s self,
        address_context: &'s [u8],
    ) -> impl Iterator<Item = GeneratedSubscriptionStatus<'s>> {
        self.subscriptions.rows(address_context)
    }

    /// Whether something is still waited for under this token. An answer to one that is not is stale.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        self.subscriptions.awaiting(token).is_some()
    }

    /// What every call begins with.
    fn begin(&mut self, now: Millis, out: &Outbox<RegEvent>) -> Result<Millis, Misuse> {
        out.check_room()?;
        self.ended = None;
        Ok(self.clock.observe(now))
    }

    fn subscription_of(&self, private_identity: &[u8]) -> Option<Id> {
        let id = find(&self.users, private_identity)?;
        self.users.get(id)?.subscription
    }

    /// [RE-1, RE-2] A registration that succeeded.
    fn learn(
        &mut self,
        now: Millis,
        registration: &Registration<'_>,
        out: &mut Outbox<RegEvent>,
    ) -> Result<Verdict, Misuse> {
        let config = &self.config.subscription;
        let group = match registration.trunk_group {
            [] => None,
            name => Some(config.trunk_groups.find(name).ok_or(Misuse::NoSuchThing)?),
        };
        let is_supported = group.map_or(config.support_reg_event, |group| {
            config.trunk_groups.supports_reg_event(group)
        });
        if !is_supported
            || registration.emergency
            || (registration.implicit && !config.subscribe_for_implicit)
        {
            return Ok(Verdict::NotMine);
        }
        let purpose = Purpose {
            resource: registration.public_identity,
            destination: group.map_or(b"", |group| &group.destination),
            service_route: registration.service_route,
            network: group.map_or(config.network, |group| group.network),
        };
        let limits = self.config.limits;
        purpose.check(&limits)?;
        let (id, is_initial) = enter(&mut self.users, registration, &limits)?;
        let Some(user) = self.users.get_mut(id) else {
            return Ok(Verdict::Handled);
        };
        let running = user
            .subscription
            .and_then(|id| self.subscriptions.machine(id))
            .is_some_and(|machine| !machine.is_ending());
        let is_time = is_initial || user.left || config.subscribe_at_reregistration;
        if running || !is_time {
            return Ok(Verdict::Handled);
        }
        if let Some(ending) = user.subscription.take() {
            self.subscriptions.replace(ending, out);
        }
        let mut cx = Context {
            now,
            config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let order = Order {
            owner: id,
            purpose,
            address_context: group.map_or(b"", |group| &group.address_context),
            registration_expires: registration.expires,
            keeps_table: true,
        };
        let made = self
            .subscriptions
            .subscribe(&mut cx, &order, &limits, out)?;
        user.subscription = Some(made);
        user.left = false;
        Ok(Verdict::Handled)
    }

    /// [RE-9] A user who asks to go: literal to S2, the subscription ends now if nothing of the user stays. The
    /// registrar may refuse; then the user's next registration is subscribed to again.
    fn deregistering(
        &mut self,
        now: Millis,
        private_identity: &[u8],
        flow: &[u8],
        out: &mut Outbox<RegEvent>,
    ) -> Result<Verdict, Misuse> {
        let found = find(&self.users, private_identity);
        let Some((id, user)) = found.and_then(|id| Some((id, self.users.get(id)?))) else {
            return Ok(Verdict::NotMine);
        };
        let stays = |own: &[u8]| !flow.is_empty() && own != flow;
        if self.config.subscription.profile == Profile::Sbc
            && !user.flows.iter().any(|own| stays(own))
        {
            if let Some(user) = self.users.get_mut(id) {
                user.left |= user.subscription.is_some();
            }
            self.step(now, id, Input::Unsubscribe, out)?;
        }
        Ok(Verdict::Handled)
    }

    /// [RE-9] What is gone of a user; with the last of it the subscription ends.
    fn deregistered(
        &mut self,
        now: Millis,
        private_identity: &[u8],
        flow: &[u8],
        out: &mut Outbox<RegEvent>,
    ) -> Result<Verdict, Misuse> {
        let Some(id) = find(&self.users, private_identity) else {
            return Ok(Verdict::NotMine);
        };
        let Some(user) = self.users.get_mut(id) else {
            return Ok(Verdict::NotMine);
        };
        user.flows.retain(|own| !flow.is_empty() && **own != *flow);
        if user.flows.is_empty() {
            self.step(now, id, Input::Unsubscribe, out)?;
        }
        self.settle(id, out);
        Ok(Verdict::Handled)
    }

    /// One step of a user's subscription.
    fn step(
        &mut self,
        now: Millis,
        id: Id,
        input: Input<'_>,
        out: &mut Outbox<RegEvent>,
    ) -> Result<(), Misuse> {
        let user = self.users.get(id);
        let Some(subscription) = user.and_then(|user| user.subscription) else {
            return Ok(());
        };
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: subscription.place(),
        };
        let stepped = self.subscriptions.step(&mut cx, subscription, input, out)?;
        self.after(stepped, out);
        Ok(())
    }

    /// A subscription that is over leaves its user, and a user with nothing left goes.
    fn after(&mut self, stepped: Option<Stepped>, out: &Outbox<RegEvent>) {
        let Some(Stepped { owner, over }) = stepped else {
            return;
        };
        if over {
            let table = self.subscriptions.take_ended_table();
            if let Some(user) = self.users.get_mut(owner) {
                user.subscription = None;
                self.ended = table.map(|table| (user.private_identity.clone(), table));
            }
        }
        self.settle(owner, out);
    }

    fn settle(&mut self, id: Id, out: &Outbox<RegEvent>) {
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return;
        };
        let gone = user.flows.is_empty() && user.subscription.is_none();
        if gone {
            keys.unfile(PRIVATE_IDENTITY, &user.private_identity);
            self.users.remove(id);
        }
        self.changes.note(id.place(), gone, out);
    }

    /// [RE-10] A NOTIFY to one of the subscriptions.
    fn notify(
        &mut self,
        now: Millis,
        from: Source,
        message: &Message<'_>,
        out: &mut Outbox<RegEvent>,
    ) -> Result<(), Denied> {
        let config = &self.config;
        let admitted =
            self.subscriptions
                .admit(&config.subscription, &config.limits, from, message)?;
        let Some((id, notification)) = admitted else {
            return Ok(());
        };
        match self.take_document(now, id, message, &notification) {
            Ok(applied) => Ok(self.apply(now, id, &notification, applied.as_ref(), out)?),
            Err(reject) => {
                let finding = Finding {
                    unread: true,
                    ..Finding::default()
                };
                self.step_notified(now, id, &notification, finding, out)?;
                Err(reject.into())
            }
        }
    }

    /// [RI-3] Merges the document of a NOTIFY, if it has one, into the user's table.
    fn take_document(
        &mut self,
        now: Millis,
        id: Id,
        message: &Message<'_>,
        notification: &Notification<'_>,
    ) -> Result<Option<Applied>, Reject> {
        let body = message.body();
        let Some(table) = self.subscriptions.table_mut(id) else {
            return Ok(None);
        };
        if body.is_empty() {
            return Ok(None);
        }
        let start = message.end().saturating_sub(body.len());
        let quirks = self.config.subscription.quirks;
        let applied = table
            .apply(now, body, notification.cseq, &self.config.limits, quirks)
            .map_err(|reject| reject.shifted(start))?;
        match applied.taking {
            Taking::Process { gap } => {
                increment(&mut self.counters.documents);
                if gap {
                    increment(&mut self.counters.gaps);
                }
            }
            Taking::Discard(_) => increment(&mut self.counters.documents_discarded),
        }
        Ok(Some(applied))
    }

    fn apply(
        &mut self,
        now: Millis,
        id: Id,
        notification: &Notification<'_>,
        applied: Option<&Applied>,
        out: &mut Outbox<RegEvent>,
    ) -> Result<(), Misuse> {
        let taken = applied.filter(|applied| matches!(applied.taking, Taking::Process { .. }));
        let finding = Finding {
            gap: taken.is_some_and(|applied| applied.taking == Taking::Process { gap: true }),
            unread: false,
            all_terminated: taken.is_some_and(|applied| applied.all_terminated),
        };
        if let (Some(applied), Some(owner)) = (taken, self.subscriptions.owner(id)) {
            self.report(owner, applied, out);
            if let (true, Some(user)) = (finding.all_terminated, self.users.get_mut(owner)) {
                user.flows.clear();
            }
        }
        self.step_notified(now, id, notification, finding, out)
    }

    fn step_notified(
        &mut self,
        now: Millis,
        id: Id,
        notification: &Notification<'_>,
        finding: Finding,
        out: &mut Outbox<RegEvent>,
    ) -> Result<(), Misuse> {
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let stepped = self
            .subscriptions
            .notify(&mut cx, id, notification, finding, out)?;
        self.after(stepped, out);
        Ok(())
    }

    fn report(&self, owner: Id, applied: &Applied, out: &mut Outbox<RegEvent>) {
        let Some(user) = self.users.get(owner) else {
            return;
        };
        let private_identity = out.put_text(&user.private_identity);
        out.event(Event::StateNotified {
            private_identity,
            version: applied.version,
            full: applied.state == DocumentState::Full,
            changed: u32::try_from(applied.changed).unwrap_or(u32::MAX),
            all_terminated: applied.all_terminated,
        });
    }
}

fn find(users: &Fleet<User>, private_identity: &[u8]) -> Option<Id> {
    let is_it = |user: &User| *user.private_identity == *private_identity;
    users.find(PRIVATE_IDENTITY, private_identity, is_it)
}

/// [RE-2] The user of a registration, with this flow; and whether nothing of the user was registered before.
fn enter(
    users: &mut Fleet<User>,
    registration: &Registration<'_>,
    limits: &Limits,
) -> Result<(Id, bool), Misuse> {
    let identity = registration.private_identity;
    let bytes = identity.len().saturating_add(registration.flow.len());
    if bytes > limits.registration_bytes {
        return Err(Misuse::TooLarge {
            limit: "registration_bytes",
        });
    }
    let known = find(users, identity);
    if let Some((id, user)) = known.and_then(|id| Some((id, users.get_mut(id)?))) {
        let is_initial = user.flows.is_empty();
        if !user.flows.iter().any(|own| **own == *registration.flow) {
            if user.flows.len() >= limits.contacts {
                return Err(Misuse::TooLarge { limit: "contacts" });
            }
            push_exact(&mut user.flows, registration.flow.into());
        }
        return Ok((id, is_initial));
    }
    if users.len() >= limits.users {
        return Err(Misuse::NodeFull);
    }
    let id = users.insert(User {
        private_identity: identity.into(),
        flows: Vec::from([registration.flow.into()]),
        subscription: None,
        left: false,
    });
    users.file(id, PRIVATE_IDENTITY, identity);
    Ok((id, true))
}

impl Node for SubscriberNode {
    type Role = RegEvent;

    /// NOTIFYs of its own subscriptions are taken; all else is not this node's.
    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<RegEvent>,
    ) -> Result<Verdict, Misuse> {
        let now = self.begin(now, out)?;
        let message = match Message::parse(bytes, &self.config.limits) {
            Ok(message) => message,
            Err(reject) => {
                increment(&mut self.counters.malformed);
                let tag = self.identifiers.constant();
                respond_to_refused(txn, bytes, &self.config.limits, reject, tag, out);
                return Ok(Verdict::Rejected(reject));
            }
        };
        let element = &self.config.subscription.element;
        if message.method() != Some(Method::Notify) || !is_for(element, &message) {
            return Ok(Verdict::NotMine);
        }
        match self.notify(now, from, &message, out) {
            Ok(()) => {
                increment(&mut self.counters.notifies);
                Ok(accept(txn, &message, out))
            }
            Err(Denied::Refused(refusal)) => {
                increment(&mut self.counters.notifies_refused);
                let tag = self.identifiers.constant();
                Ok(deny(txn, &message, refusal, tag, out))
            }
            Err(Denied::Misuse(misuse)) => Err(misuse),
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: drive::Answer<'_, RegEvent>,
        out: &mut Outbox<RegEvent>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        if !self.identifiers.has_given(token) {
            return Err(Misuse::UnknownToken);
        }
        let now = self.begin(now, out)?;
        let Some(id) = self.subscriptions.awaiting(token) else {
            increment(&mut self.counters.stale_answers);
            return Ok(());
        };
        let reply = match answer {
            drive::Answer::Response(bytes) => Reply::Response(bytes),
            drive::Answer::Timeout | drive::Answer::Unreachable => Reply::Silence,
            drive::Answer::Role(answer) => Reply::Answer(answer),
            _ => return Err(Misuse::WrongAnswer),
        };
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let limits = &self.config.limits;
        let answered = self
            .subscriptions
            .answer(&mut cx, (id, token), reply, limits, out)?;
        if answered.malformed {
            increment(&mut self.counters.malformed);
        }
        self.after(answered.stepped, out);
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<RegEvent>,
    ) -> Result<Verdict, Misuse> {
        let now = self.begin(now, out)?;
        match command {
            Command::LearnRegistered(registration) => self.learn(now, &registration, out),
            Command::LearnDeregistering {
                private_identity,
                flow,
            } => self.deregistering(now, private_identity, flow, out),
            Command::LearnDeregistered {
                private_identity,
                flow,
            } => self.deregistered(now, private_identity, flow, out),
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<RegEvent>) -> Result<(), Misuse> {
        let now = self.begin(now, out)?;
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: 0,
        };
        let stepped = self.subscriptions.tick(&mut cx, out)?;
        self.after(stepped, out);
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        self.subscriptions.deadline()
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        let users = self.users.iter().map(|(_, user)| user);
        snapshot::seal(release, users, &self.subscriptions, now, into);
    }
}

impl Persist for SubscriberNode {
    const MACHINE: Kind = snapshot::USER;
    const FORMAT: u16 = snapshot::USER_FORMAT;

    fn identifiers(&mut self) -> &mut Identifiers {
        &mut self.identifiers
    }

    fn reserved(&self) -> usize {
        self.users.reserved()
    }

    fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The private identity.
    fn write_key(&self, machine: u32, into: &mut Vec<u8>) {
        let user = self.users.at(machine).and_then(|id| self.users.get(id));
        into.extend_from_slice(user.map_or(b"", |user| &user.private_identity));
    }

    fn write_machine(&self, machine: u32, now: Millis, into: &mut Vec<u8>) {
        if let Some(user) = self.users.at(machine).and_then(|id| self.users.get(id)) {
            snapshot::write(user, &self.subscriptions, now, into);
        }
    }

    fn read_machine(&mut self, now: Millis, bytes: &[u8]) -> Result<u32, RestoreError> {
        let user = snapshot::read(bytes)?;
        let stored = Stored::Current(&user);
        if self.users.len() >= self.config.limits.users {
            return Err(RestoreError::TooLarge);
        }
        if find(&self.users, stored.private_identity()).is_some() {
            return Err(RestoreError::AlreadyHere);
        }
        let mut restoring = Restoring::new();
        let id = self.adopt(now, stored, &mut restoring)?;
        self.file_all(restoring);
        Ok(id.place())
    }

    fn let_go(&mut self, machine: u32, out: &mut Outbox<RegEvent>) {
        let Some(id) = self.users.at(machine) else {
            return;
        };
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return;
        };
        Self::report_taken_over(&user.private_identity, out);
        keys.unfile(PRIVATE_IDENTITY, &user.private_identity);
        if let Some(subscription) = user.subscription {
            self.subscriptions.forget(subscription);
        }
        self.users.remove(id);
    }

    fn report_taken_over(key: &[u8], out: &mut Outbox<RegEvent>) {
        let private_identity = out.put_text(key);
        out.event(Event::TakenOver { private_identity });
    }

    /// None: what is reported here, a document says again.
    fn write_outcome(_: &Event, _: &Outbox<RegEvent>) -> Option<Vec<u8>> {
        None
    }

    fn read_outcome(_: &[u8], _: &mut Outbox<RegEvent>) -> Result<(), RestoreError> {
        Err(RestoreError::Damaged)
    }
}

/// The answers a host gives to the questions of such a node.
impl<'a> From<subscriber::Answer<'a>> for drive::Answer<'a, RegEvent> {
    fn from(answer: subscriber::Answer<'a>) -> Self {
        Self::Role(answer)
    }
}
