//! Many subscribers behind one set of doors.

mod due;
mod notify;
mod persist;
mod shutdown;

use alloc::vec::Vec;

use super::{
    Answer, Cause, Change, Command, Config, Counters, Details, Input, Learned, Mscics, Outcome,
    Registration, Tally, defect,
    registration::Field,
    shutdown::Survey,
    snapshot::{self, NodeRecord, Part, Restoring},
};
use crate::{
    deregister::{Drain, Pacing},
    drive::{
        self, Changes, Clock, ConfigError, Context, Identifiers, Millis, Misuse, Node, Outbox,
        Reject, Release, RestoreError, Source, Timer, Token, TransactionRef, Verdict, increment,
    },
    fleet::{Fleet, Id, Room, Shared, pacer},
    regevent::{
        statistics::{GeneratedSubscriptionStatus, SubscriptionCountStatistics},
        subscriber::{self, Purpose},
        subscriptions::{self, Order, Reply, Stepped, Subscriptions, is_for},
    },
    wire::{Message, Method, register::retry_after, salvage::respond_to_refused},
};

/// Under what subscribers are filed.
const PRIVATE_IDENTITY: u8 = 1;

/// How many keys a subscriber has.
const KEYS: usize = 1;

/// One subscriber: the registration, with its dialogs, and the subscription to its state.
struct Subscriber {
    registration: Registration,
    subscription: Option<Id>,
}

/// [MS-1] An MSC server: every subscriber it has registered, behind one set of doors.
pub struct MscNode {
    config: Config,
    identifiers: Identifiers,
    clock: Clock,
    subscribers: Fleet<Subscriber>,
    subscriptions: Subscriptions,
    shared: Shared,
    counters: Counters,
    changes: Changes,
    /// [PD-12] When each may be deregistered.
    pacing: Pacing,
    /// [MS-1] The shutdown that runs, or has ended.
    drain: Option<Drain<Tally>>,
    /// The dry run of one.
    survey: Option<Survey>,
    /// Where the unwinding of one that was called off goes on.
    releasing: Option<u32>,
}

impl MscNode {
    /// A node without subscribers.
    ///
    /// # Errors
    /// [`ConfigError`] if the configuration cannot work.
    pub fn new(config: Config, identifiers: Identifiers) -> Result<Self, ConfigError> {
        config.check()?;
        let key = identifiers.table_key();
        Ok(Self {
            subscribers: Fleet::new(&key, Room::of(&config.limits, KEYS)),
            subscriptions: Subscriptions::new(&key, &config.limits),
            shared: Shared::new(),
            pacing: Pacing::new(config.terms()),
            drain: None,
            survey: None,
            releasing: None,
            config,
            identifiers,
            clock: Clock::default(),
            counters: Counters::default(),
            changes: Changes::default(),
        })
    }

    /// [DR-7] A node from the blob of another. `identifiers` must be of an incarnation never used before.
    /// What was outstanding is offered again by ticks at the same `now`: the releases of one subscriber's dialogs, or
    /// one REGISTER or SUBSCRIBE, each.
    ///
    /// # Errors
    /// [`RestoreError`] if the blob cannot be used, or exceeds the limits or configuration given.
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
            Part::Node(record, subscribers) => node.restore_own(now, *record, subscribers),
            Part::Subscriber(stored) => {
                let sharing = (&mut restoring, &mut node.shared);
                let registration = stored.restore(sharing, now, &node.config)?;
                let subscribed = (registration, stored.subscription());
                node.adopt(now, subscribed, &mut restoring).map(|_| ())
            }
        })?;
        node.file_all(restoring);
        Ok(node)
    }

    /// [DR-7] What is the node's own, before its subscribers; room for these is taken at once.
    fn restore_own(
        &mut self,
        now: Millis,
        record: NodeRecord,
        subscribers: usize,
    ) -> Result<(), RestoreError> {
        self.subscribers.reserve(Room {
            machines: subscribers,
            keys: KEYS,
        });
        self.subscriptions.reserve(subscribers);
        let pace = record.shutdown.map(|shutdown| shutdown.pace);
        let pace = (pace.unwrap_or_default(), subscribers);
        self.drain = record.shutdown.map(|shutdown| shutdown.restore(now));
        self.pacing
            .restore(record.pacing, now, self.config.terms(), pace)
    }

    /// [DR-7] Takes a subscriber in from a blob. It is found once [all are filed](Self::file_all).
    fn adopt(
        &mut self,
        now: Millis,
        (registration, subscription): (Registration, Option<subscriptions::Stored<'_>>),
        restoring: &mut Restoring,
    ) -> Result<Id, RestoreError> {
        let id = self.subscribers.insert(Subscriber {
            registration,
            subscription: None,
        });
        if let Some(subscription) = subscription {
            let restoring = &mut restoring.subscriptions;
            let restored = self.subscriptions.restore(id, subscription, restoring, now);
            let restored = restored.inspect_err(|_| _ = self.subscribers.remove(id))?;
            if let Some(subscriber) = self.subscribers.get_mut(id) {
                subscriber.subscription = Some(restored);
            }
        }
        if let Some(subscriber) = self.subscribers.get(id) {
            let key = subscriber.registration.private_identity();
            self.subscribers
                .gather(&mut restoring.keys, id, PRIVATE_IDENTITY, key);
        }
        self.rearm(id);
        Ok(id)
    }

    /// [DR-7] Files all subscribers that were taken in.
    fn file_all(&mut self, restoring: Restoring) {
        self.subscribers.file_all(restoring.keys);
        self.subscriptions.file_all(restoring.subscriptions);
    }

    /// [DR-10] Replaces the configuration; nothing that runs is lost. Another bound for a turn (PD-12) sets the timer of
    /// every subscriber anew.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let rearm = config.turn_bound != self.config.turn_bound;
        self.config = config;
        self.pacing
            .reconfigure(self.clock.latest(), self.config.terms());
        if rearm {
            let config = &self.config;
            self.subscribers
                .arm_all(|subscriber| Some(subscriber.registration.deadline(config).0));
        }
        Ok(())
    }

    /// [DR-10] What it has counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How often the host's time went backwards.
    #[must_use]
    pub const fn time_backwards(&self) -> u64 {
        self.clock.backwards()
    }

    /// Number of registrations, those being ended among them.
    #[must_use]
    pub const fn registrations(&self) -> usize {
        self.subscribers.len()
    }

    /// Whether a subscriber is registered here and nothing has been started to end it.
    #[must_use]
    pub fn is_registered(&self, private_identity: &[u8]) -> bool {
        self.registration(private_identity)
            .is_some_and(Registration::is_registered)
    }

    /// Whether a subscriber is here, registered or being deregistered.
    #[must_use]
    pub fn knows(&self, private_identity: &[u8]) -> bool {
        self.find(private_identity).is_some()
    }

    /// [MS-2] Dialogs of a subscriber, those being released among them.
    #[must_use]
    pub fn dialogs(&self, private_identity: &[u8]) -> usize {
        self.registration(private_identity)
            .map_or(0, Registration::dialogs)
    }

    /// [RE-11] `sipSubscriptionCountStatistics` of all subscriptions.
    #[must_use]
    pub fn sip_subscription_count_statistics(&self) -> SubscriptionCountStatistics {
        self.subscriptions.counts(b"")
    }

    /// [RE-11] `sipGeneratedSubscriptionStatus`: a row for each subscription present.
    pub fn sip_generated_subscription_status(
        &self,
    ) -> impl Iterator<Item = GeneratedSubscriptionStatus<'_>> {
        self.subscriptions.rows(b"")
    }

    fn registration(&self, private_identity: &[u8]) -> Option<&Registration> {
        let subscriber = self.subscribers.get(self.find(private_identity)?)?;
        Some(&subscriber.registration)
    }

    fn find(&self, private_identity: &[u8]) -> Option<Id> {
        let is_it = |subscriber: &Subscriber| {
            subscriber.registration.private_identity() == private_identity
        };
        self.subscribers
            .find(PRIVATE_IDENTITY, private_identity, is_it)
    }

    /// [MS-3] A REGISTER of the host, and its 2xx.
    fn learn(
        &mut self,
        now: Millis,
        (request, response): (&[u8], &[u8]),
        out: &mut Outbox<Mscics>,
    ) -> Result<Verdict, Misuse> {
        let limits = self.config.limits;
        let request = Message::parse(request, &limits).map_err(Misuse::BadCommand)?;
        let response = Message::parse(response, &limits).map_err(Misuse::BadCommand)?;
        if request.method() != Some(Method::Register) {
            let not_register = Reject::new(&defect::NOT_A_REGISTER, 0);
            return Err(Misuse::BadCommand(not_register));
        }
        if !matches!(response.status(), Some(200..=299)) {
            return Ok(Verdict::NotMine);
        }
        let learned = Learned::read(&request, &response).map_err(Misuse::BadCommand)?;
        self.learn_details(now, &learned.details(), out)
    }

    /// [MS-3] What a subscriber is registered with.
    fn learn_details(
        &mut self,
        now: Millis,
        details: &Details<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Verdict, Misuse> {
        let (id, is_new) = match self.find(details.private_identity) {
            Some(id) => {
                let was_registered = self.is_registered(details.private_identity);
                self.step(now, id, Input::Registered(*details), out)?;
                (id, !was_registered)
            }
            None if details.expires == 0 => return Ok(Verdict::Handled),
            None => (self.admit(now, details)?, true),
        };
        increment(&mut self.counters.learned);
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            subscriber.registration.share(&mut self.shared);
        }
        self.subscribe(now, (id, is_new), details.expires, out)?;
        self.queue_new(now, id, out)?;
        self.settle(id, out);
        Ok(Verdict::Handled)
    }

    /// A new subscriber.
    fn admit(&mut self, now: Millis, details: &Details<'_>) -> Result<Id, Misuse> {
        if self.subscribers.len() >= self.config.limits.users {
            return Err(Misuse::NodeFull);
        }
        let registration = Registration::new(details, &self.config.limits, now)?;
        let id = self.subscribers.insert(Subscriber {
            registration,
            subscription: None,
        });
        self.subscribers
            .file(id, PRIVATE_IDENTITY, details.private_identity);
        Ok(id)
    }

    /// [MS-6] The subscription to the state of a registration: with the first REGISTER, or when its end was given up and none
    /// is left; later only if it was considered cancelled, or the configuration says so.
    pub(super) fn subscribe(
        &mut self,
        now: Millis,
        (id, is_new): (Id, bool),
        registration_expires: u32,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let config = &self.config.subscription;
        let subscriber = self.subscribers.get_mut(id);
        let Some(subscriber) = subscriber.filter(|_| config.support_reg_event) else {
            return Ok(());
        };
        let machine = subscriber
            .subscription
            .and_then(|id| self.subscriptions.machine(id));
        let is_wanted = match machine {
            Some(machine) => machine.is_ending(),
            None => is_new || config.subscribe_at_reregistration,
        };
        if !is_wanted || !subscriber.registration.is_registered() {
            return Ok(());
        }
        let strings = &subscriber.registration.strings;
        let order = Order {
            owner: id,
            purpose: Purpose {
                resource: strings.field(Field::PublicIdentity),
                destination: b"",
                service_route: strings.field(Field::ServiceRoute),
                network: config.network,
            },
            address_context: b"",
            registration_expires,
            keeps_table: false,
        };
        if let Some(ending) = subscriber.subscription.take() {
            self.subscriptions.replace(ending, out);
        }
        let mut cx = Context {
            now,
            config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let limits = &self.config.limits;
        let made = self.subscriptions.subscribe(&mut cx, &order, limits, out)?;
        subscriber.subscription = Some(made);
        subscriber.registration.told_since = true;
        Ok(())
    }

    /// One step of a subscriber; one who is gone leaves. With the REGISTER, or when the network has ended the registration,
    /// the subscription is considered cancelled (S1 L48).
    fn step(
        &mut self,
        now: Millis,
        id: Id,
        input: Input<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let Some(subscriber) = self.subscribers.get_mut(id) else {
            return Ok(());
        };
        let registration = &mut subscriber.registration;
        let (was_out, had_sent) = (registration.has_request_out(), registration.has_sent());
        let was_running = !registration.is_registered();
        let mut cx = Context {
            now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let change = registration.step(&mut cx, input, out)?;
        let (is_out, has_sent) = (registration.has_request_out(), registration.has_sent());
        let is_over = matches!(change, Change::Gone(_));
        let is_back = was_running && registration.is_registered();
        let seconds_left = registration.seconds_left(now);
        if is_back {
            increment(&mut self.counters.cancelled);
        }
        if was_out && (is_over || !is_out) {
            if let Some(outcome) = paced_outcome(&input) {
                self.pacing.tell(now, id.place(), outcome);
            }
        }
        let is_ended = matches!(input, Input::Terminated) && !had_sent;
        if is_ended || (has_sent && !had_sent) {
            self.step_subscription(now, id, subscriber::Input::ConsiderCancelled, out)?;
        }
        if is_back {
            self.subscribe(now, (id, true), seconds_left, out)?;
        }
        if let Change::Gone(outcome) = change {
            self.forget(id, outcome);
        }
        Ok(())
    }

    /// [MS-4, MS-6] Removes all details of a registration, and the subscription without a word: what is still notified
    /// gets 481.
    fn forget(&mut self, id: Id, outcome: Outcome) {
        self.counters.count(outcome);
        let Some((subscriber, mut keys)) = self.subscribers.get_with_keys(id) else {
            return;
        };
        keys.unfile(PRIVATE_IDENTITY, subscriber.registration.private_identity());
        if let Some(subscription) = subscriber.subscription {
            self.subscriptions.forget(subscription);
        }
        self.subscribers.remove(id);
    }

    /// One step of a subscription, if there is one.
    fn step_subscription(
        &mut self,
        now: Millis,
        id: Id,
        input: subscriber::Input<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let subscriber = self.subscribers.get(id);
        let Some(subscription) = subscriber.and_then(|subscriber| subscriber.subscription) else {
            return Ok(());
        };
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: subscription.place(),
        };
        let stepped = self.subscriptions.step(&mut cx, subscription, input, out)?;
        self.take_leave(stepped, out);
        Ok(())
    }

    /// After every step of a subscription: one that is over leaves its subscriber.
    fn take_leave(&mut self, stepped: Option<Stepped>, out: &Outbox<Mscics>) {
        let Some(Stepped { owner, over }) = stepped else {
            return;
        };
        if let Some(subscriber) = self.subscribers.get_mut(owner) {
            if over {
                subscriber.subscription = None;
            }
            self.changes.note(owner.place(), false, out);
        }
    }

    /// After every step of a subscriber: one who has changed is noted, and what is armed follows.
    fn settle(&mut self, id: Id, out: &Outbox<Mscics>) {
        let gone = self.subscribers.get(id).is_none();
        self.changes.note(id.place(), gone, out);
        self.rearm(id);
    }

    /// The timer follows a subscriber, and so does the place at the pacer.
    fn rearm(&mut self, id: Id) {
        let subscriber = self.subscribers.get(id);
        let deadline =
            subscriber.map(|subscriber| subscriber.registration.deadline(&self.config).0);
        self.subscribers.arm(id, deadline);
        self.repace(id);
        if self.subscribers.len() == 0 && self.drain.is_none() {
            self.pacing.give_back(self.config.terms());
        }
    }

    /// Something happens to a subscriber, if there is one; and whose turn it is, has it.
    fn tell(
        &mut self,
        now: Millis,
        private_identity: &[u8],
        input: Input<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Verdict, Misuse> {
        let Some(id) = self.find(private_identity) else {
            return Ok(Verdict::NotMine);
        };
        self.step(now, id, input, out)?;
        self.settle(id, out);
        self.queue_new(now, id, out)?;
        self.take_turn(now, out)?;
        Ok(Verdict::Handled)
    }

    /// [MS-1] An indication that a subscriber is no longer active here.
    fn inactive(
        &mut self,
        now: Millis,
        private_identity: &[u8],
        cause: Cause,
        out: &mut Outbox<Mscics>,
    ) -> Result<Verdict, Misuse> {
        let registration = self.registration(private_identity);
        if registration.is_some_and(|registration| registration.heeds(cause)) {
            increment(&mut self.counters.triggered);
        }
        self.tell(now, private_identity, Input::Trigger(cause), out)
    }

    /// The answer to something a machine asked for.
    fn answer_any(
        &mut self,
        now: Millis,
        token: Token,
        answer: &drive::Answer<'_, Mscics>,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        if let Some(subscription) = self.subscriptions.awaiting(token) {
            return self.answer_subscription(now, (subscription, token), answer, out);
        }
        let id = self.subscribers.at(token.machine());
        let found = id.and_then(|id| Some((id, &self.subscribers.get(id)?.registration)));
        let Some((id, registration)) = found.filter(|(_, found)| found.awaits(token)) else {
            increment(&mut self.counters.stale_answers);
            return Ok(());
        };
        let is_register = registration.awaits_register(token);
        let is_request = is_register || registration.awaits_bye(token);
        let input = match answer {
            drive::Answer::Role(Answer::Done | Answer::Failed) if !is_request => {
                Input::Released { token }
            }
            drive::Answer::Timeout if is_register => Input::NoResponse { token },
            drive::Answer::Unreachable if is_register => {
                let outcome = pacer::Outcome::Unreachable;
                self.pacing.tell(now, id.place(), outcome);
                Input::NoResponse { token }
            }
            // [MS-2] A dialog whose BYE has gone out is over, whatever comes back (RFC 3261 15.1.1).
            drive::Answer::Timeout | drive::Answer::Unreachable if is_request => {
                Input::Released { token }
            }
            drive::Answer::Response(bytes) if is_request => match self.read(bytes) {
                Some((100..=199, _)) => return Ok(()),
                Some((status, retry_after)) if is_register => Input::Response {
                    token,
                    status,
                    retry_after,
                },
                None if is_register => Input::NoResponse { token },
                _ => Input::Released { token },
            },
            _ => return Err(Misuse::WrongAnswer),
        };
        self.step(now, id, input, out)?;
        self.settle(id, out);
        self.take_turn(now, out)
    }

    /// Status and Retry-After of a response; `None` if it cannot be read.
    fn read(&mut self, bytes: &[u8]) -> Option<(u16, Option<u32>)> {
        let response = Message::parse(bytes, &self.config.limits);
        if response.is_err() {
            increment(&mut self.counters.malformed);
        }
        let response = response.ok()?;
        Some((response.status()?, retry_after(&response)))
    }

    fn answer_subscription(
        &mut self,
        now: Millis,
        (id, token): (Id, Token),
        answer: &drive::Answer<'_, Mscics>,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let reply = match answer {
            drive::Answer::Response(bytes) => Reply::Response(bytes),
            drive::Answer::Timeout | drive::Answer::Unreachable => Reply::Silence,
            drive::Answer::Role(Answer::Subscription(answer)) => Reply::Answer(*answer),
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
        self.take_leave(answered.stepped, out);
        Ok(())
    }
}

/// [PD-12] What an input says of the next hop of a REGISTER that is no longer waited for.
const fn paced_outcome(input: &Input<'_>) -> Option<pacer::Outcome> {
    Some(match *input {
        Input::Response {
            status,
            retry_after,
            ..
        } => pacer::Outcome::of_response(status, retry_after),
        Input::NoResponse { .. } | Input::Tick => pacer::Outcome::Timeout,
        _ => return None,
    })
}

impl Node for MscNode {
    type Role = Mscics;

    /// NOTIFYs of its own subscriptions are taken; all else is not this node's.
    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Mscics>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        let message = match Message::parse(bytes, &self.config.limits) {
            Ok(message) => message,
            Err(reject) => {
                increment(&mut self.counters.malformed);
                let tag = self.identifiers.constant();
                respond_to_refused(txn, bytes, &self.config.limits, reject, tag, out);
                return Ok(Verdict::Rejected(reject));
            }
        };
        match message.method() {
            Some(Method::Notify) if is_for(&self.config.element, &message) => {
                self.notify(now, from, txn, &message, out)
            }
            _ => Ok(Verdict::NotMine),
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: drive::Answer<'_, Mscics>,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        if !self.identifiers.has_given(token) {
            return Err(Misuse::UnknownToken);
        }
        let now = self.clock.observe(now);
        self.answer_any(now, token, &answer, out)
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        match command {
            Command::Learn { request, response } => self.learn(now, (request, response), out),
            Command::LearnDetails(details) => self.learn_details(now, &details, out),
            Command::Inactive {
                private_identity,
                cause,
            } => self.inactive(now, private_identity, cause, out),
            Command::Returned { private_identity } => {
                self.tell(now, private_identity, Input::Returned, out)
            }
            Command::DialogAdded {
                private_identity,
                public_identity,
                dialog,
            } => match self.registration(private_identity) {
                Some(registration) if registration.has_identity(public_identity) => {
                    self.tell(now, private_identity, Input::DialogAdded(dialog), out)
                }
                _ => Ok(Verdict::NotMine),
            },
            Command::DialogEnded {
                private_identity,
                dialog,
            } => self.tell(now, private_identity, Input::DialogEnded(dialog), out),
            Command::Shutdown(order) => Ok(self.shut_down(now, order)),
            Command::Resume => Ok(self.resume(now)),
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Mscics>) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        match self.first_due() {
            Some((at, due)) if at <= now => self.act(now, due, out),
            _ => Ok(()),
        }
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        let (at, due) = self.first_due()?;
        Some((at, self.timer_of(due)))
    }

    /// There is no release before that knows it: the format is the same for each.
    fn snapshot_for(&self, _: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        let subscribers = self.subscribers.iter().map(|(_, subscriber)| {
            let Subscriber {
                registration,
                subscription,
            } = subscriber;
            (registration, *subscription)
        });
        let node = self.node_record(now);
        snapshot::seal(&node, subscribers, &self.subscriptions, now, into);
    }
}

/// The answers a host gives to the questions of an MSC server.
impl<'a> From<Answer<'a>> for drive::Answer<'a, Mscics> {
    fn from(answer: Answer<'a>) -> Self {
        Self::Role(answer)
    }
}
