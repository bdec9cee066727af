//! Many users behind one set of doors.

mod access;
mod due;
mod learning;
mod notify;
mod persist;
mod shutdown;

use alloc::vec::Vec;

use shutdown::Census;

use super::{
    Answer, Cause, Change, Command, Config, Counters, Evidence, Input, Pcscf, Registration, Ue,
    aside::Marks,
    evidence::Weight,
    registration::{Field, Learned, LearnedContact, Strings},
    shutdown::{Survey, Tally},
    snapshot::{self, Part, Restoring},
    user::User,
};
use crate::{
    deregister::{Drain, Pacing},
    drive::{
        self, Changes, Clock, ConfigError, Context, Identifiers, Millis, Misuse, Node, Outbox,
        Release, RestoreError, Source, Timer, Token, TransactionRef, Verdict, increment,
    },
    fleet::{Few, Fleet, Gathered, Id, Keys, Room, Shared, pacer},
    regevent::{
        statistics::{GeneratedSubscriptionStatus, SubscriptionCountStatistics},
        subscriber::{self, Profile},
        subscriptions::{Reply, Stepped, Subscriptions, is_for},
    },
    wire::{
        Message, Method,
        register::{contact_key, private_identity, retry_after, same_uri},
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
    /// [PD-12] When each REGISTER may go.
    pacing: Pacing,
    census: Census,
    /// [PD-2] The shutdown that runs, or has ended.
    drain: Option<Drain<Tally>>,
    /// The dry run of one.
    survey: Option<Survey>,
    /// Where the unwinding of one that was called off goes on.
    releasing: Option<u32>,
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
            pacing: Pacing::new(config.terms()),
            census: Census::default(),
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
        let (most, mut restoring) = (node.config.limits.users, Restoring::new());
        node.clock.observe(now);
        snapshot::open(blob, most, |part| match part {
            Part::Users(users) => {
                node.make_room(users);
                Ok(())
            }
            Part::Node(record, users) => node.restore_shutdown(now, (*record, users)),
            Part::User(stored) => {
                let sharing = (&mut restoring, &mut node.shared);
                let restored = stored.restore(sharing, now, &node.config)?;
                node.adopt(now, restored, &mut restoring).map(|_| ())
            }
        })?;
        node.file_all(restoring);
        Ok(node)
    }

    /// [DR-7] What is the node's own, before its users.
    fn restore_shutdown(
        &mut self,
        now: Millis,
        (node, users): (snapshot::NodeRecord, usize),
    ) -> Result<(), RestoreError> {
        let pace = node.shutdown.map(|shutdown| shutdown.pace);
        let pace = (pace.unwrap_or_default(), users);
        self.drain = node.shutdown.map(|shutdown| shutdown.restore(now));
        self.pacing
            .restore(node.pacing, now, self.config.terms(), pace)
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
        (user, subscription): snapshot::Restored<'_>,
        restoring: &mut Restoring,
    ) -> Result<Id, RestoreError> {
        let id = self.users.insert(user);
        if let Some(subscription) = subscription {
            let restoring = &mut restoring.subscriptions;
            let restored = self.subscriptions.restore(id, subscription, restoring, now);
            let restored = restored.inspect_err(|_| _ = self.users.remove(id))?;
            if let Some(user) = self.users.get_mut(id) {
                user.subscription = Some(restored);
            }
        }
        let is_shut_down = self.drain.is_some();
        if let Some(user) = self.users.get_mut(id) {
            for registration in &mut user.registrations {
                self.census.add(registration);
                if !is_shut_down {
                    // Queued by a shutdown that is called off, or that of another node.
                    registration.leave_alone();
                }
            }
        }
        self.rearm(id);
        self.gather(id, &mut restoring.keys);
        self.repace(id);
        Ok(id)
    }

    /// [DR-7] Files all users that were taken in.
    fn file_all(&mut self, restoring: Restoring) {
        self.users.file_all(restoring.keys);
        self.subscriptions.file_all(restoring.subscriptions);
    }

    /// [DR-10] Replaces the configuration; nothing that runs is lost. Another threshold of lifetimes (PD-4), or bound for
    /// a turn (PD-12), sets the timer of every user anew.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let bounds = |config: &Config| {
            (
                config.registration_threshold,
                config.association_threshold,
                config.turn_bound,
            )
        };
        let rearm = bounds(&config) != bounds(&self.config);
        self.config = config;
        self.pacing
            .reconfigure(self.clock.latest(), self.config.terms());
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
    pub const fn registrations(&self) -> usize {
        self.census.registrations
    }

    /// Whether this contact is registered here and nothing has been started to end it.
    #[must_use]
    pub fn is_registered(&self, contact: &[u8]) -> bool {
        let is_it = Registration::is_registered;
        !self.at_contact(Ue::at(contact), is_it).is_empty()
    }

    fn find_user(&self, private_identity: &[u8]) -> Option<Id> {
        let is_it = |user: &User| *user.private_identity == *private_identity;
        self.users.find(PRIVATE_IDENTITY, private_identity, is_it)
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
            notify_owed_until,
        } = user;
        let known_before = registrations
            .iter()
            .any(|r| !r.is_cleaning() && !r.is_emergency());
        let known = claims(registrations, &packed, learned);
        let fresh = packed
            .iter()
            .zip(&known)
            .filter(|((contact, _), known)| contact.expires > 0 && known.is_none())
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
        let running = subscription
            .and_then(|id| self.subscriptions.machine(id))
            .is_some_and(|machine| !machine.is_ending());
        // Without a subscription none is owed.
        let owed_for = if running { self.config.notify_bound } else { 0 };
        let owed_until = now.after(owed_for);
        if learned.all_removed {
            for registration in registrations.iter_mut() {
                if learned.is_of_set(&registration.strings) {
                    let _ = registration.step(&mut cx, who, Input::Removed, out)?;
                    *notify_owed_until = owed_until;
                }
            }
        }
        let mut granted = None;
        for ((contact, strings), place) in packed.into_iter().zip(known) {
            let known = place.and_then(|place| registrations.get_mut(place));
            if contact.expires > 0 && !contact.emergency {
                granted.get_or_insert(contact.expires);
            }
            match known {
                Some(known) if contact.expires == 0 => {
                    let _ = known.step(&mut cx, who, Input::Removed, out)?;
                    *notify_owed_until = owed_until;
                }
                Some(known) => {
                    let expires = contact.expires;
                    let _ = known.step(&mut cx, who, Input::Refreshed { expires }, out)?;
                    let old = core::mem::replace(&mut known.strings, strings);
                    known.note_moved(old.field(Field::Contact));
                    unfile(&mut keys, registrations, old.field(Field::Contact));
                }
                None if contact.expires == 0 => continue,
                None => {
                    let mut registration = Registration::new(strings, contact, now);
                    if now < *notify_owed_until {
                        registration.expect_the_replaced(Some(*notify_owed_until));
                    }
                    self.census.add(&registration);
                    registrations.push(registration);
                }
            }
            if contact.expires > 0 {
                let key = contact_key(contact.contact.uri_bytes());
                keys.file(CONTACT, &key);
            }
        }
        let counts = (&mut self.counters, &mut self.census);
        supersede(&mut cx, who, registrations, counts, out)?;
        let is_time =
            !known_before || *left || self.config.subscription.subscribe_at_reregistration;
        Ok(granted.filter(|_| is_time && !running))
    }

    /// [PD-3] A report that the access of a UE is lost.
    fn access_lost(
        &mut self,
        now: Millis,
        ue: Ue<'_>,
        evidence: Evidence,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        let trigger = Input::TriggerDue(Cause::AccessLost);
        let mut verdict = Verdict::NotMine;
        for (id, place) in self.at_contact(ue, Registration::may_be_lost) {
            let user = self.users.get_mut(id);
            let Some(registration) = user.and_then(|user| user.registrations.get_mut(place)) else {
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
        }
        self.take_turn(now, out)?;
        Ok(verdict)
    }

    /// [PD-2] A UE has a dialog, or has none any more.
    fn dialogs_changed(&mut self, ue: Ue<'_>, present: bool, out: &Outbox<Pcscf>) -> Verdict {
        let mut verdict = Verdict::NotMine;
        for (id, place) in self.at_contact(ue, |_| true) {
            verdict = Verdict::Handled;
            let user = self.users.get_mut(id);
            let registration = user.and_then(|user| user.registrations.get_mut(place));
            let changed = registration.filter(|r| r.is_in_dialog() != present);
            if let Some(registration) = changed {
                registration.marks.set(Marks::IN_DIALOG, present);
                self.settle(id, out);
            }
        }
        verdict
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
        let was_out = registration.has_request_out();
        let change = registration.step(&mut cx, &user.private_identity, input, out)?;
        if was_out && !registration.has_request_out() {
            if let Some(outcome) = paced_outcome(&input) {
                self.pacing.tell(now, id.place(), outcome);
            }
        }
        if let Change::Gone(outcome) = change {
            self.counters.count(outcome);
            if let Some(gone) = user.registrations.swap_remove(place) {
                self.census.remove(&gone);
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
        let Some(user) = self.users.get_mut(owner) else {
            return;
        };
        if over {
            user.subscription = None;
            self.settle(owner, out);
        } else {
            // What is due of a user is due of its registrations: there is no timer to look for.
            self.changes.note(owner.place(), false, out);
        }
    }

    /// After every step of a user: one with nothing left goes, the timer follows.
    fn settle(&mut self, id: Id, out: &Outbox<Pcscf>) {
        if let Some(gone) = self.rearm(id) {
            self.changes.note(id.place(), gone, out);
            self.repace(id);
        }
        if self.users.len() == 0 && self.drain.is_none() {
            self.pacing.give_back(self.config.terms());
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
        (id, from): (Id, Source),
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        if self.config.subscription.profile != Profile::Sbc || from == Source::Unknown {
            return Ok(());
        }
        let Some(user) = self.users.get(id) else {
            return Ok(());
        };
        let named = self.named(id, message);
        let leaves = |(place, registration): (usize, &Registration)| {
            registration.is_emergency()
                || registration.is_cleaning()
                || named.contains(&(place, true))
        };
        if user.registrations.iter().enumerate().all(leaves) {
            self.note_left(id);
            self.step_subscription(now, id, subscriber::Input::Unsubscribe, out)?;
        }
        Ok(())
    }

    /// [DR-7] Has a restored user filed under its keys.
    fn gather(&self, id: Id, keys: &mut Gathered) {
        let Some(user) = self.users.get(id) else {
            return;
        };
        let users = &self.users;
        users.gather(keys, id, PRIVATE_IDENTITY, &user.private_identity);
        for registration in &user.registrations {
            users.gather(keys, id, CONTACT, &contact_key(registration.contact()));
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
            (true, drive::Answer::Timeout) => Input::NoResponse { token },
            (true, drive::Answer::Unreachable) => {
                let outcome = pacer::Outcome::Unreachable;
                self.pacing.tell(now, id.place(), outcome);
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
}

/// [PD-1] For each contact of a REGISTER the place of the registration that it is about, if there is one: its binding, else
/// one that its UE has left for it and that the registrar lists no more, whose place no other contact takes.
fn claims(
    registrations: &[Registration],
    packed: &[(&LearnedContact<'_>, Strings)],
    learned: &Learned<'_>,
) -> Vec<Option<usize>> {
    let mut claimed: Vec<Option<usize>> = packed
        .iter()
        .map(|(contact, strings)| {
            let is_it = |r: &Registration| r.is_binding_of(strings, contact.emergency);
            registrations.iter().position(is_it)
        })
        .collect();
    for (at, (contact, strings)) in packed.iter().enumerate() {
        let is_claimed = claimed.get(at).is_none_or(Option::is_some);
        if is_claimed || contact.expires == 0 {
            continue;
        }
        let place = registrations.iter().enumerate().find(|(place, r)| {
            r.is_left_for(strings, contact.emergency)
                && !learned.lists(r.contact())
                && !claimed.contains(&Some(*place))
        });
        if let (Some(claim), Some((place, _))) = (claimed.get_mut(at), place) {
            *claim = Some(place);
        }
    }
    claimed
}

/// [PD-12] What an input says of the next hop of a REGISTER that is no longer waited for.
const fn paced_outcome(input: &Input) -> Option<pacer::Outcome> {
    Some(match *input {
        Input::Response {
            status,
            retry_after,
            ..
        } => pacer::Outcome::of_response(status, retry_after),
        Input::NoResponse { .. } | Input::Tick => pacer::Outcome::Timeout,
        // The NOTIFY came before the response: it was done.
        Input::Terminated => pacer::Outcome::Answered,
        _ => return None,
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
    (counters, census): (&mut Counters, &mut Census),
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
            census.remove(&old);
        }
    }
    Ok(())
}

impl Node for PcscfNode {
    type Role = Pcscf;

    /// NOTIFYs of its own subscriptions are taken; a REGISTER is for the host to forward, once
    /// [`strip_trust_marks`](super::strip_trust_marks) has cleaned it, to refuse while the node is shut down (PD-2), or
    /// to hold until [`HeldRegisterReleased`](super::Event::HeldRegisterReleased) (PD-9); a request that opens a dialog
    /// to a UE whose access is lost, with the registered contact as its Request-URI, is to be refused (PD-3); all else
    /// is not this node's.
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
                if let Some(refused) = self.refused(now, &message) {
                    increment(&mut self.counters.registers_refused);
                    return Ok(refused);
                }
                let who = private_identity(&message).ok();
                let Some(id) = who.and_then(|who| self.find_user(&who)) else {
                    return Ok(Verdict::Forward);
                };
                self.deregistering(now, (id, from), &message, out)?;
                match from {
                    Source::Ue => self.ask(now, id, txn, &message, out),
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
            Command::AccessLost { ue, evidence } => self.access_lost(now, ue, evidence, out),
            Command::Heard { ue } => self.tell_contact(now, ue, Input::Heard, out),
            Command::Protected { ue, lifetime } => {
                self.tell_contact(now, ue, Input::Protected { lifetime }, out)
            }
            Command::DialogsChanged { ue, present } => Ok(self.dialogs_changed(ue, present, out)),
            Command::Shutdown(order) => Ok(self.shut_down(now, order)),
            Command::Resume => Ok(self.resume(now)),
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
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

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        let users = self.users.iter().map(|(_, user)| user);
        let node = || self.node_record(now);
        snapshot::seal(release, (node, users), &self.subscriptions, now, into);
    }
}

/// The answers a host gives to the questions of a P-CSCF.
impl<'a> From<Answer<'a>> for drive::Answer<'a, Pcscf> {
    fn from(answer: Answer<'a>) -> Self {
        Self::Role(answer)
    }
}
