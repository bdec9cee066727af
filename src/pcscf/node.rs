//! Many users behind one set of doors.

mod access;
mod notify;

use alloc::vec::Vec;

use super::{
    Answer, Cause, Change, Command, Config, Counters, Event, Evidence, Input, Pcscf, Registration,
    evidence::Weight,
    registration::{Field, Learned, LearnedContact, Strings},
    snapshot,
    user::User,
};
use crate::{
    drive::{
        self, Changes, Clock, ConfigError, Context, Identifiers, Millis, Misuse, Node, Outbox,
        Persist, Reject, Release, RestoreError, Source, Timer, Token, TransactionRef, Verdict,
        increment, snapshot::Kind,
    },
    fleet::{Few, Fleet, Id, Keys, Room, Shared},
    regevent::{
        statistics::{GeneratedSubscriptionStatus, SubscriptionCountStatistics},
        subscriber::{self, Profile, Purpose},
        subscriptions::{Order, Reply, Stepped, Subscriptions, is_for},
        trunk_group::TrunkGroup,
    },
    wire::{
        Contact, Message, Method,
        register::{
            asked_expires, contact_key, is_emergency, private_identity, retry_after, same_uri,
        },
        salvage::respond_to_refused,
    },
};

/// Under what users are filed.
const PRIVATE_IDENTITY: u8 = 1;
const CONTACT: u8 = 2;

/// How many keys a user has, as a rule.
const KEYS: usize = 2;

const TOO_MANY_CONTACTS: Misuse = Misuse::TooLarge { limit: "contacts" };
/// [RE-2] A P-CSCF: every user it serves, behind one set of doors.
pub struct PcscfNode {
    config: Config,
    identifiers: Identifiers,
    clock: Clock,
    users: Fleet<User>,
    subscriptions: Subscriptions,
    shared: Shared,
    counters: Counters,
    changes: Changes,
}

impl PcscfNode {
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
            shared: Shared::new(),
            config,
            identifiers,
            clock: Clock::default(),
            counters: Counters::default(),
            changes: Changes::default(),
        })
    }

    /// [DR-7] A node from the blob of another. `identifiers` must be of an incarnation never used before.
    /// What was outstanding is offered again by ticks at the same `now`, one request or question each.
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
        let config = node.config.clone();
        node.clock.observe(now);
        snapshot::open(blob, now, &config, |restored| {
            node.adopt(now, restored).map(|_| ())
        })?;
        Ok(node)
    }

    /// [DR-7] Takes a user in from a blob.
    fn adopt(
        &mut self,
        now: Millis,
        (mut user, subscription): snapshot::Restored<'_>,
    ) -> Result<Id, RestoreError> {
        for registration in &mut user.registrations {
            self.shared.share(&mut registration.strings);
        }
        let id = self.users.insert(user);
        if let Some(subscription) = &subscription {
            let restored = self.subscriptions.restore(id, subscription, now);
            let restored = restored.inspect_err(|_| _ = self.users.remove(id))?;
            if let Some(user) = self.users.get_mut(id) {
                user.subscription = Some(restored);
            }
        }
        self.file(id);
        self.rearm(id);
        Ok(id)
    }

    /// [DR-10] Replaces the configuration; nothing that runs is lost. Another threshold of lifetimes (PD-4) sets
    /// the timer of every user anew.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let thresholds =
            |config: &Config| (config.registration_threshold, config.association_threshold);
        let rearm = thresholds(&config) != thresholds(&self.config);
        self.config = config;
        if rearm {
            let config = &self.config;
            self.users
                .arm_all(|user| user.deadline(config).map(|(at, _)| at));
        }
        Ok(())
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
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

    /// How often the host's time went backwards.
    #[must_use]
    pub const fn time_backwards(&self) -> u64 {
        self.clock.backwards()
    }

    /// Number of registrations, those being cleaned up among them.
    #[must_use]
    pub fn registrations(&self) -> usize {
        self.users
            .iter()
            .map(|(_, user)| user.registrations.len())
            .sum()
    }

    /// Whether this contact is registered here and nothing has been started to end it.
    #[must_use]
    pub fn is_registered(&self, contact: &[u8]) -> bool {
        !self.find_contact(contact).is_empty()
    }

    /// The registered contacts equal to this one: users and places.
    fn find_contact(&self, contact: &[u8]) -> Vec<(Id, usize)> {
        let emergency = is_emergency(contact);
        let is_it = |registration: &Registration| {
            registration.is_registered()
                && registration.is_emergency() == emergency
                && same_uri(registration.contact(), contact)
        };
        let mut found = Vec::new();
        for (id, user) in self.users.under(CONTACT, &contact_key(contact)) {
            for (place, registration) in user.registrations.iter().enumerate() {
                if is_it(registration) {
                    found.push((id, place));
                }
            }
        }
        found
    }

    fn find_user(&self, private_identity: &[u8]) -> Option<Id> {
        let is_it = |user: &User| *user.private_identity == *private_identity;
        self.users.find(PRIVATE_IDENTITY, private_identity, is_it)
    }

    /// [PD-1] Learns a registration, or its end.
    fn learn(
        &mut self,
        now: Millis,
        (request, response): (&[u8], &[u8]),
        trunk_group: &[u8],
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        if !trunk_group.is_empty() && self.trunk_group(trunk_group).is_none() {
            return Err(Misuse::NoSuchThing);
        }
        let limits = self.config.limits;
        let request = Message::parse(request, &limits).map_err(Misuse::BadCommand)?;
        let response = Message::parse(response, &limits).map_err(Misuse::BadCommand)?;
        if request.method() != Some(Method::Register) {
            let not_register = Reject::new(&super::defect::NOT_A_REGISTER, 0);
            return Err(Misuse::BadCommand(not_register));
        }
        if !response.status().is_some_and(|s| (200..300).contains(&s)) {
            return Ok(Verdict::NotMine);
        }
        let learned = Learned::read(&request, &response, &limits)?;
        let packed = self.pack(&learned)?;
        let id = match self.find_user(&learned.private_identity) {
            Some(id) => id,
            None if !packed.iter().any(|(contact, _)| contact.expires > 0) => {
                return Ok(Verdict::Handled);
            }
            None => self.admit(&learned.private_identity)?,
        };
        increment(&mut self.counters.learned);
        let unsubscribed = self.apply(now, id, &learned, packed, out)?;
        if let Some(registration_expires) = unsubscribed {
            self.subscribe(now, id, trunk_group, registration_expires, out)?;
        }
        self.settle(id, out);
        Ok(Verdict::Handled)
    }

    fn trunk_group(&self, name: &[u8]) -> Option<&TrunkGroup> {
        self.config.subscription.trunk_groups.find(name)
    }

    /// [RE-1, RE-2] The subscription of a user who has none that goes on, if the trunk group wants one.
    fn subscribe(
        &mut self,
        now: Millis,
        id: Id,
        trunk_group: &[u8],
        registration_expires: u32,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        let config = &self.config.subscription;
        let group = config.trunk_groups.find(trunk_group);
        let is_supported = group.map_or(config.support_reg_event, |group| {
            config.trunk_groups.supports_reg_event(group)
        });
        let Some(user) = self.users.get_mut(id).filter(|_| is_supported) else {
            return Ok(());
        };
        let is_served = |r: &&Registration| !r.is_cleaning() && !r.is_emergency();
        let Some(registration) = user.registrations.iter().rev().find(is_served) else {
            return Ok(());
        };
        let order = Order {
            owner: id,
            purpose: Purpose {
                resource: registration.public_identity(),
                destination: group.map_or(b"", |group| &group.destination),
                service_route: registration.strings.field(Field::ServiceRoute),
                network: group.map_or(config.network, |group| group.network),
            },
            address_context: group.map_or(b"", |group| &group.address_context),
            registration_expires,
            keeps_table: false,
        };
        if let Some(ending) = user.subscription.take() {
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
        user.subscription = Some(made);
        user.left = false;
        Ok(())
    }

    /// The strings of every contact, before anything is changed: all fit, or none is taken.
    fn pack<'l, 'm>(
        &mut self,
        learned: &'l Learned<'m>,
    ) -> Result<Vec<(&'l LearnedContact<'m>, Strings)>, Misuse> {
        let (limits, shared) = (&self.config.limits, &mut self.shared);
        learned
            .contacts
            .iter()
            .map(|contact| {
                let mut strings = learned.strings(&contact.contact, limits)?;
                shared.share(&mut strings);
                Ok((contact, strings))
            })
            .collect()
    }

    /// A new user.
    fn admit(&mut self, private_identity: &[u8]) -> Result<Id, Misuse> {
        if self.users.len() >= self.config.limits.users {
            return Err(Misuse::NodeFull);
        }
        let id = self.users.insert(User {
            private_identity: private_identity.into(),
            registrations: Few::new(),
            subscription: None,
            left: false,
        });
        self.users.file(id, PRIVATE_IDENTITY, private_identity);
        Ok(id)
    }

    /// [RE-2] What a REGISTER and its 2xx make of a user's registrations. Tells how long the registration lasts
    /// if the user is now to be subscribed to: at the initial registration, later only if we ended the
    /// subscription ourselves, or the configuration says so.
    fn apply(
        &mut self,
        now: Millis,
        id: Id,
        learned: &Learned<'_>,
        packed: Vec<(&LearnedContact<'_>, Strings)>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Option<u32>, Misuse> {
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return Ok(None);
        };
        let User {
            private_identity,
            registrations,
            subscription,
            left,
        } = user;
        let known_before = registrations
            .iter()
            .any(|r| !r.is_cleaning() && !r.is_emergency());
        let of = |contact: &LearnedContact<'_>, strings: &Strings, r: &Registration| {
            r.is_binding_of(strings, contact.emergency)
                || (contact.expires > 0
                    && r.is_left_for(strings, contact.emergency)
                    && !learned.lists(r.contact()))
        };
        let fresh = packed
            .iter()
            .filter(|(contact, strings)| {
                contact.expires > 0 && !registrations.iter().any(|r| of(contact, strings, r))
            })
            .count();
        if registrations.len().saturating_add(fresh) > self.config.limits.contacts {
            return Err(TOO_MANY_CONTACTS);
        }
        let mut cx = Context {
            now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let who = &**private_identity;
        if learned.all_removed {
            for registration in registrations.iter_mut() {
                if learned.is_of_set(&registration.strings) {
                    let _ = registration.step(&mut cx, who, Input::Removed, out)?;
                }
            }
        }
        let mut granted = None;
        for (contact, strings) in packed {
            let known = registrations.iter_mut().find(|r| of(contact, &strings, r));
            if contact.expires > 0 && !contact.emergency {
                granted.get_or_insert(contact.expires);
            }
            match known {
                Some(known) if contact.expires == 0 => {
                    let _ = known.step(&mut cx, who, Input::Removed, out)?;
                }
                Some(known) => {
                    let old = core::mem::replace(&mut known.strings, strings);
                    let expires = contact.expires;
                    let _ = known.step(&mut cx, who, Input::Refreshed { expires }, out)?;
                    known.note_moved(old.field(Field::Contact));
                    unfile(&mut keys, registrations, old.field(Field::Contact));
                }
                None if contact.expires == 0 => continue,
                None => registrations.push(Registration::new(strings, contact, now)),
            }
            if contact.expires > 0 {
                let key = contact_key(contact.contact.uri_bytes());
                keys.file(CONTACT, &key);
            }
        }
        supersede(&mut cx, who, registrations, &mut self.counters, out)?;
        let running = subscription
            .and_then(|id| self.subscriptions.machine(id))
            .is_some_and(|machine| !machine.is_ending());
        let is_time =
            !known_before || *left || self.config.subscription.subscribe_at_reregistration;
        Ok(granted.filter(|_| is_time && !running))
    }

    /// [PD-3] A report that the access of a UE is lost.
    fn access_lost(
        &mut self,
        now: Millis,
        contact: &[u8],
        evidence: Evidence,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        let mut trigger = Input::Trigger(Cause::AccessLost);
        let mut verdict = Verdict::NotMine;
        for (id, place) in self.find_contact(contact) {
            let user = self.users.get_mut(id);
            let registration = user.and_then(|user| user.registrations.get_mut(place));
            let Some(registration) = registration.filter(|r| !r.is_emergency()) else {
                continue;
            };
            verdict = Verdict::Handled;
            match registration.doubt(now, evidence, &self.config.loss) {
                Weight::Enough => increment(&mut self.counters.access_lost),
                Weight::Some => {
                    increment(&mut self.counters.evidence_kept);
                    self.note_doubted((id, place), evidence, out);
                    self.settle(id, out);
                    continue;
                }
                Weight::None => {
                    increment(&mut self.counters.evidence_ignored);
                    continue;
                }
            }
            let _ = self.step(now, id, place, trigger, out)?;
            self.settle(id, out);
            trigger = Input::TriggerDue(Cause::AccessLost);
        }
        Ok(verdict)
    }

    /// One step of one registration; one that is gone leaves its place.
    fn step(
        &mut self,
        now: Millis,
        id: Id,
        place: usize,
        input: Input,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Change, Misuse> {
        self.note_shared(id, place);
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return Ok(Change::Goes);
        };
        let Some(registration) = user.registrations.get_mut(place) else {
            return Ok(Change::Goes);
        };
        let mut cx = Context {
            now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let change = registration.step(&mut cx, &user.private_identity, input, out)?;
        if let Change::Gone(outcome) = change {
            self.counters.count(outcome);
            if let Some(gone) = user.registrations.swap_remove(place) {
                unfile(&mut keys, &user.registrations, gone.contact());
            }
            self.leave(now, id, out)?;
        }
        Ok(change)
    }

    /// [RE-9, PD-8] With the last registration the subscription ends, if it has not.
    fn leave(&mut self, now: Millis, id: Id, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        match self.users.get(id) {
            Some(user) if user.registrations.is_empty() => {
                self.step_subscription(now, id, subscriber::Input::Unsubscribe, out)
            }
            _ => Ok(()),
        }
    }

    /// [RE-9] We are about to end the subscription of a user who may stay registered.
    fn note_left(&mut self, id: Id) {
        if let Some(user) = self.users.get_mut(id) {
            user.left |= user.subscription.is_some();
        }
    }

    /// One step of a user's subscription, if there is one.
    fn step_subscription(
        &mut self,
        now: Millis,
        id: Id,
        input: subscriber::Input<'_>,
        out: &mut Outbox<Pcscf>,
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
        self.take_leave(stepped, out);
        Ok(())
    }

    /// After every step of a subscription: one that is over leaves its user.
    fn take_leave(&mut self, stepped: Option<Stepped>, out: &Outbox<Pcscf>) {
        let Some(Stepped { owner, over }) = stepped else {
            return;
        };
        if let Some(user) = self.users.get_mut(owner).filter(|_| over) {
            user.subscription = None;
        }
        self.settle(owner, out);
    }

    /// After every step of a user: one with nothing left goes, the timer follows.
    fn settle(&mut self, id: Id, out: &Outbox<Pcscf>) {
        if let Some(gone) = self.rearm(id) {
            self.changes.note(id.place(), gone, out);
        }
    }

    /// Whether the user has gone, if it was there.
    fn rearm(&mut self, id: Id) -> Option<bool> {
        let (user, mut keys) = self.users.get_with_keys(id)?;
        if user.registrations.is_empty() && user.subscription.is_none() {
            keys.unfile(PRIVATE_IDENTITY, &user.private_identity);
            self.users.remove(id);
            return Some(true);
        }
        let deadline = user.deadline(&self.config).map(|(at, _)| at);
        self.users.arm(id, deadline);
        Some(false)
    }

    /// [RE-9] A UE asks to go: literal to S2, its subscription ends now if no other registration of the user
    /// stays. The registrar may refuse; then the next registration of the user is subscribed to again.
    fn deregistering(
        &mut self,
        now: Millis,
        from: Source,
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        if self.config.subscription.profile != Profile::Sbc || from == Source::Unknown {
            return Ok(());
        }
        let Ok(private_identity) = private_identity(message) else {
            return Ok(());
        };
        let found = self.find_user(&private_identity);
        let Some((id, user)) = found.and_then(|id| Some((id, self.users.get(id)?))) else {
            return Ok(());
        };
        let leaves = |registration: &Registration| {
            registration.is_emergency()
                || registration.is_cleaning()
                || is_removed_by(message, registration.contact())
        };
        if user.registrations.iter().all(leaves) {
            self.note_left(id);
            self.step_subscription(now, id, subscriber::Input::Unsubscribe, out)?;
        }
        Ok(())
    }

    /// Files a restored user under its keys.
    fn file(&mut self, id: Id) {
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return;
        };
        keys.file(PRIVATE_IDENTITY, &user.private_identity);
        for registration in &user.registrations {
            keys.file(CONTACT, &contact_key(registration.contact()));
        }
    }

    /// The answer to something a user's machines asked for.
    fn answer_user(
        &mut self,
        now: Millis,
        token: Token,
        answer: &drive::Answer<'_, Pcscf>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        if let Some(subscription) = self.subscriptions.awaiting(token) {
            return self.answer_subscription(now, (subscription, token), answer, out);
        }
        let id = self.users.at(token.machine());
        let Some((id, user)) = id.and_then(|id| Some((id, self.users.get(id)?))) else {
            increment(&mut self.counters.stale_answers);
            return Ok(());
        };
        let Some(place) = user.registrations.iter().position(|r| r.awaits(token)) else {
            increment(&mut self.counters.stale_answers);
            return Ok(());
        };
        let asked_the_network = user
            .registrations
            .get(place)
            .is_some_and(Registration::has_request_out);
        let notify_expected = user.subscription.is_some();
        let input = match (asked_the_network, answer) {
            (false, drive::Answer::Role(answer @ (Answer::Done | Answer::Failed))) => {
                Input::Cleaned {
                    token,
                    done: *answer == Answer::Done,
                }
            }
            (true, drive::Answer::Timeout | drive::Answer::Unreachable) => {
                Input::NoResponse { token }
            }
            (true, drive::Answer::Response(bytes)) => {
                match Message::parse(bytes, &self.config.limits) {
                    Ok(response) => match response.status() {
                        Some(100..=199) => return Ok(()),
                        Some(status) => Input::Response {
                            token,
                            status,
                            retry_after: retry_after(&response),
                            notify_expected,
                        },
                        None => Input::NoResponse { token },
                    },
                    Err(_) => {
                        increment(&mut self.counters.malformed);
                        Input::NoResponse { token }
                    }
                }
            }
            _ => return Err(Misuse::WrongAnswer),
        };
        let _ = self.step(now, id, place, input, out)?;
        self.settle(id, out);
        Ok(())
    }

    fn answer_subscription(
        &mut self,
        now: Millis,
        (id, token): (Id, Token),
        answer: &drive::Answer<'_, Pcscf>,
        out: &mut Outbox<Pcscf>,
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

    /// [DR-6] Whether a subscription is due before the registration that is due at `at`.
    fn is_subscription_first(&self, at: Millis) -> bool {
        let deadline = self.subscriptions.deadline();
        deadline.is_some_and(|(theirs, _)| theirs < at)
    }

    /// The most overdue registration of a user acts.
    fn tick_user(&mut self, now: Millis, id: Id, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        let Some(user) = self.users.get(id) else {
            return Ok(());
        };
        let due = user
            .registrations
            .iter()
            .enumerate()
            .map(|(place, r)| (r.deadline(&self.config).0, place))
            .min();
        match due {
            Some((_, place)) => self.step(now, id, place, Input::Tick, out).map(|_| ()),
            None => Ok(()),
        }
    }

    fn tick_subscription(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: 0,
        };
        let stepped = self.subscriptions.tick(&mut cx, out)?;
        self.take_leave(stepped, out);
        Ok(())
    }
}

/// Whether a REGISTER asks for this contact to be removed, alone or with all.
fn is_removed_by(message: &Message<'_>, contact: &[u8]) -> bool {
    message.contacts().any(|named| match named {
        Ok(Contact::Star) => message.expires() == Ok(Some(0)),
        Ok(Contact::Addr(named)) => {
            asked_expires(&named, message) == 0 && same_uri(named.uri_bytes(), contact)
        }
        Err(_) => false,
    })
}

/// Takes a user out from under a contact that none of its registrations has any more.
fn unfile(keys: &mut Keys<'_>, registrations: &[Registration], contact: &[u8]) {
    let key = contact_key(contact);
    if !registrations
        .iter()
        .any(|r| contact_key(r.contact()) == key)
    {
        keys.unfile(CONTACT, &key);
    }
}

/// [PD-7] What is being cleaned up of a set on a contact that is registered anew is over: the steps that are left
/// would release what belongs to the new registration (T48).
fn supersede(
    cx: &mut Context<'_, Config>,
    who: &[u8],
    registrations: &mut Few<Registration>,
    counters: &mut Counters,
    out: &mut Outbox<Pcscf>,
) -> Result<(), Misuse> {
    for place in (0..registrations.len()).rev() {
        let Some(old) = registrations.get(place) else {
            continue;
        };
        let is_new = |r: &Registration| {
            !r.is_cleaning()
                && r.public_identity() == old.public_identity()
                && same_uri(r.contact(), old.contact())
        };
        if !old.is_cleaning() || !registrations.iter().any(is_new) {
            continue;
        }
        let Some(mut old) = registrations.swap_remove(place) else {
            continue;
        };
        if let Change::Gone(outcome) = old.step(cx, who, Input::Superseded, out)? {
            counters.count(outcome);
        }
    }
    Ok(())
}

impl Node for PcscfNode {
    type Role = Pcscf;

    /// NOTIFYs of its own subscriptions are taken; a REGISTER is for the host to forward, once
    /// [`strip_trust_marks`](super::strip_trust_marks) has cleaned it, or to hold until
    /// [`Event::HeldRegisterReleased`] (PD-9); a request that opens a dialog to a UE whose access is lost, with the
    /// registered contact as its Request-URI, is to be refused (PD-3); all else is not this node's.
    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Pcscf>,
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
            Some(Method::Register) => {
                self.deregistering(now, from, &message, out)?;
                match from {
                    Source::Ue => self.ask(now, txn, &message, out),
                    _ => Ok(Verdict::Forward),
                }
            }
            _ => {
                self.note_request(now, from, &message, out)?;
                Ok(self.terminating(from, &message))
            }
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: drive::Answer<'_, Pcscf>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        if !self.identifiers.has_given(token) {
            return Err(Misuse::UnknownToken);
        }
        let now = self.clock.observe(now);
        self.answer_user(now, token, &answer, out)
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        match command {
            Command::Learn {
                request,
                response,
                trunk_group,
            } => self.learn(now, (request, response), trunk_group, out),
            Command::AccessLost { contact, evidence } => {
                self.access_lost(now, contact, evidence, out)
            }
            Command::Heard { contact } => self.tell_contact(now, contact, Input::Heard, out),
            Command::Protected { contact, lifetime } => {
                self.tell_contact(now, contact, Input::Protected { lifetime }, out)
            }
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        match self.users.next() {
            Some((at, id)) if at <= now && !self.is_subscription_first(at) => {
                self.tick_user(now, id, out)?;
                self.settle(id, out);
            }
            _ => self.tick_subscription(now, out)?,
        }
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        let Some((at, id)) = self.users.next() else {
            return self.subscriptions.deadline();
        };
        if self.is_subscription_first(at) {
            return self.subscriptions.deadline();
        }
        let named = self
            .users
            .get(id)
            .and_then(|user| user.deadline(&self.config));
        Some((at, named.map_or(Timer("settled"), |(_, timer)| timer)))
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        let users = self.users.iter().map(|(_, user)| user);
        snapshot::seal(release, users, &self.subscriptions, now, into);
    }
}

impl Persist for PcscfNode {
    const MACHINE: Kind = snapshot::USER;
    const FORMAT: u16 = snapshot::USER_FORMAT;

    fn identifiers(&mut self) -> &mut Identifiers {
        &mut self.identifiers
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
        let restored = snapshot::read(bytes, now, &self.config)?;
        if self.users.len() >= self.config.limits.users {
            return Err(RestoreError::TooLarge);
        }
        if self.find_user(&restored.0.private_identity).is_some() {
            return Err(RestoreError::AlreadyHere);
        }
        self.adopt(now, restored).map(Id::place)
    }

    fn let_go(&mut self, machine: u32, out: &mut Outbox<Pcscf>) {
        let Some(id) = self.users.at(machine) else {
            return;
        };
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return;
        };
        let private_identity = out.put_text(&user.private_identity);
        out.event(Event::TakenOver { private_identity });
        keys.unfile(PRIVATE_IDENTITY, &user.private_identity);
        for registration in &user.registrations {
            keys.unfile(CONTACT, &contact_key(registration.contact()));
        }
        if let Some(subscription) = user.subscription {
            self.subscriptions.forget(subscription);
        }
        self.users.remove(id);
    }

    fn write_outcome(event: &Event, out: &Outbox<Pcscf>) -> Option<Vec<u8>> {
        snapshot::write_outcome(event, out)
    }

    fn read_outcome(bytes: &[u8], out: &mut Outbox<Pcscf>) -> Result<(), RestoreError> {
        snapshot::read_outcome(bytes, out)
    }
}

/// The answers a host gives to the questions of a P-CSCF.
impl<'a> From<Answer<'a>> for drive::Answer<'a, Pcscf> {
    fn from(answer: Answer<'a>) -> Self {
        Self::Role(answer)
    }
}
