//! Many sets behind one set of doors.

use alloc::{boxed::Box, vec::Vec};

use super::{
    Cause, Command, Config, Counters, Event, Recognition, Scscf,
    bindings::Bindings,
    defect,
    deregistration::{Deregistration, Held, Input},
    drain::Drain,
    entry::{Entry, Key},
    messages,
    recognition::{Shown, check_asserted},
    registration::{Removing, canonical, removed_contacts},
    restoration::Failures,
    set::{Asker, Load, Set, Subscriber, for_notifier},
    snapshot,
};
use crate::{
    drive::{
        self, Changes, Clock, ConfigError, Context, Defect, Identifiers, Millis, Misuse, Node,
        Outbox, Reject, Release, RestoreError, Source, Timer, Token, TransactionRef, Verdict,
        increment,
    },
    fleet::{Fleet, Gathered, Id, Recorder, Room, pacer, push_exact},
    regevent::{
        self,
        notification::{Denied, Refusal},
        notifier::{self, Resource, Subscribe, Subscription},
    },
    wire::{
        Accepts, Header, HeaderName, Message, Method, Owed, Required, register,
        salvage::respond_to_refused,
    },
};

mod commands;
mod draining;
mod network;
mod persist;
mod restoring;

/// Under what sets are filed.
const IDENTITY: u8 = 1;
const CALL_ID: u8 = 2;

/// How many keys a set has, as a rule: three identities, a subscription, and one more.
const KEYS: usize = 5;

/// Seconds after which one who met a limit may come again.
const RETRY_AFTER: &[u8] = b"10";

/// [RN-5] An S-CSCF: every set it serves, behind one set of doors.
pub struct ScscfNode {
    config: Config,
    identifiers: Identifiers,
    clock: Clock,
    sets: Fleet<Entry>,
    /// The set that this call has woken, or made.
    woken: Option<Id>,
    recorder: Recorder,
    counters: Counters,
    /// What all sets together take of the bounds.
    load: Load,
    failures: Failures,
    /// While everybody is deregistered.
    drain: Option<Box<Drain>>,
    changes: Changes,
}

impl ScscfNode {
    /// A node without users.
    ///
    /// # Errors
    /// [`ConfigError`] if the configuration cannot work.
    pub fn new(config: Config, identifiers: Identifiers) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            sets: Fleet::new(
                &identifiers.table_key(),
                Room::of(&config.limits, KEYS).and(config.sets_of_nobody()),
            ),
            config,
            identifiers,
            clock: Clock::default(),
            woken: None,
            recorder: Recorder::new(),
            counters: Counters::default(),
            load: Load::default(),
            failures: Failures::default(),
            drain: None,
            changes: Changes::default(),
        })
    }

    /// [DR-7] A node from the blob of another. `identifiers` must be of an incarnation never used before.
    /// What was outstanding is offered again by ticks at the same `now`, one machine each.
    ///
    /// # Errors
    /// [`RestoreError`] if the configuration cannot work, or the blob cannot be used or exceeds the limits given.
    pub fn restore(
        config: Config,
        identifiers: Identifiers,
        now: Millis,
        blob: &[u8],
    ) -> Result<Self, RestoreError> {
        let mut node = Self::new(config, identifiers).map_err(RestoreError::Config)?;
        let config = node.config.clone();
        node.clock.observe(now);
        // Its own recorder shall share with what comes later.
        let mut recorder = core::mem::replace(&mut node.recorder, Recorder::new());
        let sets = snapshot::Sets::open(blob)?;
        node.sets.reserve(Room {
            machines: sets.count().min(config.most_sets()),
            keys: KEYS,
        });
        let mut keys = Gathered::default();
        let adopt = |entry| node.adopt(entry, &mut keys).map(|_| ());
        let rest = sets.restore(now, &config, recorder.shared(), adopt)?;
        node.sets.file_all(keys);
        node.recorder = recorder;
        (node.failures, node.drain) = (rest.failures, rest.drain);
        Ok(node)
    }

    /// [DR-7] Takes a set in from a blob, where it stays until a tick: what comes of the blob besides names sets by
    /// their places. One at rest is found once all are filed.
    fn adopt(&mut self, entry: Entry, keys: &mut Gathered) -> Result<Id, RestoreError> {
        let load = entry.load();
        let id = self.sets.insert(entry);
        let Some(resting) = self.sets.get(id).and_then(Entry::resting) else {
            self.file(id);
            self.woken = Some(id);
            self.tidy(id);
            self.arm(id);
            self.lull();
            return Ok(id);
        };
        let name = |key: Key<'_>| match key {
            Key::Identity(uri) => self.sets.gather(keys, id, IDENTITY, &canonical(uri)),
            Key::CallId(call_id) => self.sets.gather(keys, id, CALL_ID, call_id),
        };
        match resting.look_through(&self.config, name) {
            Ok(deadline) => {
                self.load.served = self.load.served.saturating_add(load.served);
                self.sets.arm(id, Some(deadline));
                Ok(id)
            }
            Err(error) => {
                self.sets.remove(id);
                Err(error)
            }
        }
    }

    /// [DR-10] Replaces the configuration; nothing that runs is lost.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        if let Some(drain) = &mut self.drain {
            drain.reconfigure(self.clock.latest(), &config.drain)?;
        }
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

    /// Number of sets held, those of which only memory is left among them.
    #[must_use]
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    /// Whether a public identity has a binding here.
    #[must_use]
    pub fn is_registered(&self, public_identity: &[u8]) -> bool {
        self.find_identity(public_identity)
            .and_then(|id| self.sets.get(id))
            .is_some_and(Entry::is_registered)
    }

    /// The URIs of the contacts bound to the set of a public identity.
    pub fn contacts(&self, public_identity: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.find_identity(public_identity)
            .and_then(|id| self.sets.get(id))
            .into_iter()
            .flat_map(Entry::bound)
            .map(|contact| contact.uri)
    }

    /// Number of subscriptions to the set of a public identity.
    #[must_use]
    pub fn subscribers(&self, public_identity: &[u8]) -> usize {
        self.find_identity(public_identity)
            .and_then(|id| self.sets.get(id))
            .map_or(0, Entry::subscribers)
    }

    fn find_identity(&self, uri: &[u8]) -> Option<Id> {
        let key = canonical(uri);
        let is_it = |entry: &Entry| entry.has_identity(uri, &key);
        self.sets.find(IDENTITY, &key, is_it)
    }

    /// A set, awake until the end of the call at least.
    fn wake(&mut self, id: Id) -> Option<&mut Set> {
        if self.woken != Some(id) {
            self.lull();
            self.woken = Some(id);
        }
        self.sets.get_mut(id)?.wake()
    }

    /// What the call has woken rests again, if it can.
    fn lull(&mut self) {
        let woken = self.woken.take();
        if let Some(entry) = woken.and_then(|id| self.sets.get_mut(id)) {
            entry.rest(&mut self.recorder);
        }
    }

    fn find_dialog(&self, request: &Subscribe<'_>) -> Option<(Id, usize)> {
        let mut sets = self.sets.under(CALL_ID, request.call_id);
        sets.find_map(|(id, entry)| Some((id, entry.dialog(request)?)))
    }

    /// A new set.
    fn admit(&mut self, table: Bindings) -> Result<Id, Misuse> {
        if self.sets.len() >= self.config.most_sets() {
            return Err(Misuse::NodeFull);
        }
        self.lull();
        let id = self.sets.insert(Entry::awake(Set::new(table)));
        self.woken = Some(id);
        self.file(id);
        Ok(id)
    }

    /// Files a set under its keys.
    fn file(&mut self, id: Id) {
        let Some((entry, mut keys)) = self.sets.get_with_keys(id) else {
            return;
        };
        for key in entry.keys() {
            match key {
                Key::Identity(uri) => keys.file(IDENTITY, &canonical(uri)),
                Key::CallId(call_id) => keys.file(CALL_ID, call_id),
            }
        }
    }

    fn with_set<T>(
        &mut self,
        now: Millis,
        id: Id,
        act: impl FnOnce(&mut Set, &mut Context<'_, Config>) -> Result<T, Misuse>,
    ) -> Result<Option<T>, Misuse> {
        if self.wake(id).is_none() {
            return Ok(None);
        }
        let mut cx = Context {
            now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let set = self.sets.get_mut(id).and_then(Entry::wake);
        set.map(|set| act(set, &mut cx)).transpose()
    }

    /// [SD-1 to SD-3] A REGISTER; one that does not remove bindings is the host's.
    fn register(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Denied> {
        let Some(contacts) = removed_contacts(message, self.config.limits.contacts)? else {
            return Ok(Verdict::NotMine);
        };
        // What is needed later can be read, or it is refused now.
        let required = Required::read(message)?;
        let extensions: Vec<&[u8]> = self.config.extensions().collect();
        Accepts::server()
            .options(&extensions)
            .check(message, &required)?;
        let request = Removing::read(message, &required, contacts)?;
        let most = self.config.limits.registration_bytes;
        let kept = messages::kept(message, request.username.as_deref(), most)
            .ok_or_else(|| Refusal::new(513, &defect::REGISTER_TOO_LARGE, 0))?;
        let to = request.public_identity();
        let known = self.find_identity(to);
        if let Some(id) = known {
            self.wake(id);
        }
        let set = known.and_then(|id| self.sets.get(id)?.set());
        let unknown = Bindings::unknown(to);
        let table = set.map_or(&unknown, |set| &set.table);
        check_asserted(message)?;
        let shown = Shown {
            request: message,
            users: request.parties.map(|party| party.uri()),
            protected: request.protected,
            has_star: request.has_star(),
        };
        let paths = table.named_paths(&request);
        let own = table.shown().map(|identity| &*identity.uri);
        let elements = self.config.elements();
        let recognition = shown.recognise(from, paths.iter().copied(), own, elements)?;
        let asks_user = self.config.observe_only
            || matches!(
                recognition,
                Recognition::UserInitiated | Recognition::Suspicious(_)
            );
        if set.is_some_and(|set| !set.has_room(&self.config, asks_user)) {
            return Err(Refusal::new(500, &defect::BUSY, 0).into());
        }
        if asks_user && self.load.waiting >= self.config.waiting_deregistrations {
            return Err(Refusal::new(503, &defect::WAITING, 0).into());
        }
        let id = match known {
            Some(id) => id,
            None => self
                .admit(unknown)
                .map_err(|_| Refusal::new(500, &defect::BUSY, 0))?,
        };
        increment(match recognition {
            Recognition::PcscfInitiated => &mut self.counters.pcscf_initiated,
            Recognition::UserInitiated | Recognition::UserAuthenticated => {
                &mut self.counters.user_initiated
            }
            Recognition::Suspicious(_) | Recognition::NotBoundHere => &mut self.counters.suspicious,
        });
        self.with_set(now, id, |set, cx| {
            let held = Held {
                to: txn,
                bytes: kept,
            };
            push_exact(&mut set.procedures, Deregistration::holding(held));
            let place = set.procedures.len().saturating_sub(1);
            let register = Input::Register {
                request: &request,
                recognition,
            };
            set.step_procedure(cx, place, register, out)
        })?;
        self.settle(now, id, out);
        Ok(Verdict::Handled)
    }

    /// [RN-1] A SUBSCRIBE to another package than `reg`, which is the host's, or refused with 489.
    fn other_package(&self, message: &Message<'_>) -> Result<Verdict, Denied> {
        let required = Required::read(message).ok();
        let dialog = required.as_ref().and_then(|required| {
            let (local, remote) = (required.to.tag()?, required.from.tag()?);
            self.sets.find(CALL_ID, required.call_id, |set| {
                set.has_dialog(required.call_id, local, remote)
            })
        });
        if dialog.is_none() && !self.config.refuse_other_packages {
            return Ok(Verdict::NotMine);
        }
        let other = &regevent::defect::BAD_EVENT;
        Err(refusal(message, 489, other, HeaderName::Event))
    }

    /// [RN-1] A SUBSCRIBE.
    fn subscribe(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Denied> {
        let Some(request) = Subscribe::read(message)? else {
            return self.other_package(message);
        };
        if from != Source::TrustedCore {
            return Err(refusal(
                message,
                403,
                &regevent::defect::UNTRUSTED,
                HeaderName::Via,
            ));
        }
        Accepts::server().check(message, &request.required)?;
        let id = match request.local_tag {
            Some(_) => {
                let unknown = &regevent::defect::UNKNOWN_DIALOG;
                let (id, place) = self
                    .find_dialog(&request)
                    .ok_or_else(|| refusal(message, 481, unknown, HeaderName::CallId))?;
                self.with_set(now, id, |set, cx| {
                    let subscribe = notifier::Input::Subscribe {
                        to: txn,
                        request: &request,
                    };
                    set.step_subscription(cx, place, subscribe, out);
                    Ok(())
                })?;
                id
            }
            None => self.subscribe_anew(now, txn, message, &request, out)?,
        };
        increment(&mut self.counters.subscribes);
        self.settle(now, id, out);
        Ok(Verdict::Handled)
    }

    fn subscribe_anew(
        &mut self,
        now: Millis,
        txn: TransactionRef,
        message: &Message<'_>,
        request: &Subscribe<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Id, Denied> {
        check_asserted(message)?;
        let resource = message.request_uri().unwrap_or_default();
        let found = self.find_identity(resource);
        if let Some(id) = found {
            self.wake(id);
        }
        let found = found.and_then(|id| Some((id, self.sets.get(id)?.set()?)));
        let (id, set) = found
            .filter(|(_, set)| !set.table.is_terminated())
            .ok_or_else(|| refusal(message, 480, &defect::NOT_REGISTERED, HeaderName::Other))?;
        let Some(who) = set.authorises(message, &self.config) else {
            let place = HeaderName::PAssertedIdentity;
            return Err(refusal(message, 403, &defect::NOT_AUTHORISED, place));
        };
        if !request.accepts_reginfo() {
            return Err(refusal(
                message,
                406,
                &defect::NOT_ACCEPTED,
                HeaderName::Accept,
            ));
        }
        if let Some(place) = set.made_by(request) {
            self.with_set(now, id, |set, cx| {
                let subscribe = notifier::Input::Subscribe { to: txn, request };
                set.step_subscription(cx, place, subscribe, out);
                Ok(())
            })?;
            return Ok(id);
        }
        let limits = self.config.limits;
        let same = set.replaced_by(request, who);
        if same.is_none() && !set.has_place(request, who, &limits) {
            return Err(refusal(message, 500, &defect::BUSY, HeaderName::Other));
        }
        let made = self.with_set(now, id, |set, cx| {
            let mut fresh = Subscription::new(cx, request, &limits)?;
            fresh.set_own(who == Subscriber::User);
            let subscribe = notifier::Input::Subscribe { to: txn, request };
            fresh.advance(&mut for_notifier(cx), &set.table, subscribe, out);
            if fresh.is_over() {
                return Ok(false);
            }
            // The one replaced goes with the others that are over.
            if let Some(replaced) = same.and_then(|place| set.subscriptions.get_mut(place)) {
                replaced.replace(out);
            }
            set.subscriptions.push(fresh);
            Ok(true)
        });
        match made {
            Ok(Some(true)) => self.sets.file(id, CALL_ID, request.call_id),
            Ok(_) => {}
            Err(Misuse::TooLarge { .. }) => {
                let large = &defect::DIALOG_TOO_LARGE;
                return Err(refusal(message, 513, large, HeaderName::RecordRoute));
            }
            Err(misuse) => return Err(misuse.into()),
        }
        Ok(id)
    }

    /// Answers a request that is refused.
    fn deny(
        &mut self,
        txn: TransactionRef,
        message: &Message<'_>,
        refusal: Refusal,
        out: &mut Outbox<Scscf>,
    ) -> Verdict {
        let tag = self.identifiers.next();
        let header = match refusal.reject.defect {
            busy if [defect::BUSY, defect::WAITING].contains(busy) => {
                Some((HeaderName::RetryAfter, RETRY_AFTER))
            }
            accept if *accept == defect::NOT_ACCEPTED => {
                Some((HeaderName::Accept, crate::reginfo::CONTENT_TYPE))
            }
            // RFC 6665 8.2.2: which packages there are.
            event if *event == regevent::defect::BAD_EVENT => {
                Some((HeaderName::AllowEvents, &b"reg"[..]))
            }
            _ => None,
        };
        let extensions: Vec<&[u8]> = match message.method() {
            Some(Method::Register) => self.config.extensions().collect(),
            _ => Vec::new(),
        };
        let accepts = Accepts::server().options(&extensions);
        let owed = Owed::with_status(message, refusal.status, refusal.reject, &accepts);
        if let Some(status) = owed.status() {
            // A response is longer than the parts it copies by less than a step has room for.
            let _ = out.respond(txn, status, |buffer| {
                if let Some(mut response) = owed.begin(buffer, message, Some(tag)) {
                    if let Some((name, value)) = header {
                        response.header(name, value);
                    }
                    response.finish();
                }
            });
        }
        Verdict::Rejected(refusal.reject)
    }

    /// After every step of a set: machines that are over go, a set with nothing left goes, the timer follows.
    fn settle(&mut self, now: Millis, id: Id, out: &Outbox<Scscf>) {
        if let Some(gone) = self.rearm(now, id) {
            self.changes.note(id.place(), gone, out);
        }
        self.end_turn(now, id);
    }

    /// Whether the set has gone, if it was there.
    fn rearm(&mut self, now: Millis, id: Id) -> Option<bool> {
        self.tidy(id)?;
        let is_empty = self.sets.get_mut(id)?.wake()?.purge(now);
        self.arm(id);
        if is_empty {
            let (entry, mut keys) = self.sets.get_with_keys(id)?;
            for identity in entry.identities() {
                keys.unfile(IDENTITY, &canonical(identity));
            }
            self.sets.remove(id);
        }
        Some(is_empty)
    }

    /// The machines of a set that are over go, and the keys of what has gone.
    fn tidy(&mut self, id: Id) -> Option<()> {
        let (entry, mut keys) = self.sets.get_with_keys(id)?;
        let set = entry.wake()?;
        let mut ended = Vec::new();
        set.subscriptions.retain(|subscription| {
            if subscription.is_over() {
                ended.push(subscription.call_id().to_vec());
            }
            !subscription.is_over()
        });
        for call_id in &ended {
            let remains = |other: &Subscription| other.call_id() == call_id;
            if !set.subscriptions.iter().any(remains) {
                keys.unfile(CALL_ID, call_id);
            }
        }
        set.procedures.retain(|procedure| {
            if procedure.is_over() {
                self.counters.count_end(procedure);
                if let Some(drain) = &mut self.drain {
                    drain.note_assignment(id.place(), procedure.outcome.assignment);
                }
            }
            !procedure.is_over()
        });
        set.shrink();
        for identity in set
            .table
            .identities
            .iter()
            .filter(|own| own.termination.get().is_some())
        {
            let key = canonical(&identity.uri);
            if !set.table.has_identity(&identity.uri, &key) {
                keys.unfile(IDENTITY, &key);
            }
        }
        Some(())
    }

    /// Counts what a set takes of the bounds, and sets its timer.
    fn arm(&mut self, id: Id) -> Option<()> {
        let set = self.sets.get_mut(id)?.wake()?;
        let (before, load) = (set.counted, set.load());
        set.counted = load;
        self.load = Load {
            waiting: exchange(self.load.waiting, before.waiting, load.waiting),
            served: exchange(self.load.served, before.served, load.served),
        };
        let deadline = set.deadline().map(|(at, _)| at);
        self.sets.arm(id, deadline);
        Some(())
    }

    fn answer_set(
        &mut self,
        now: Millis,
        token: Token,
        answer: &drive::Answer<'_, Scscf>,
        out: &mut Outbox<Scscf>,
    ) -> Result<bool, Misuse> {
        let found = self
            .sets
            .at(token.machine())
            .and_then(|id| Some((id, self.sets.get(id)?.set()?.asker(token)?)));
        let Some((id, asker)) = found else {
            return Ok(false);
        };
        let is_request = !matches!(asker, Asker::Procedure { request: false, .. });
        let mut retry_after = None;
        let status = match (is_request, answer) {
            (true, drive::Answer::Response(bytes)) => {
                let response = Message::parse(bytes, &self.config.limits).ok();
                let status = response.as_ref().and_then(Message::status);
                retry_after = response.as_ref().and_then(register::retry_after);
                if status.is_none() {
                    increment(&mut self.counters.malformed);
                }
                status
            }
            (true, drive::Answer::Timeout | drive::Answer::Unreachable) => None,
            (false, drive::Answer::Role(_)) => None,
            _ => return Err(Misuse::WrongAnswer),
        };
        if matches!(asker, Asker::Subscription(_)) {
            self.note_neighbour(id, answer, status, retry_after);
        }
        self.with_set(now, id, |set, cx| {
            match (asker, answer, status) {
                (Asker::Subscription(place), _, Some(status)) => {
                    let response = notifier::Input::Response {
                        token,
                        status,
                        retry_after,
                    };
                    set.step_subscription(cx, place, response, out);
                }
                (Asker::Subscription(place), _, None) => {
                    let silence = notifier::Input::NoResponse { token };
                    set.step_subscription(cx, place, silence, out);
                }
                (Asker::Procedure { place, .. }, drive::Answer::Role(answer), _) => {
                    let answered = Input::Answered {
                        token,
                        answer: *answer,
                    };
                    set.step_procedure(cx, place, answered, out)?;
                }
                (Asker::Procedure { place, .. }, _, Some(status)) => {
                    set.step_procedure(cx, place, Input::Response { token, status }, out)?;
                }
                (Asker::Procedure { place, .. }, _, None) => {
                    set.step_procedure(cx, place, Input::NoResponse { token }, out)?;
                }
            }
            Ok(())
        })?;
        self.settle(now, id, out);
        Ok(true)
    }
}

/// A sum with one of its parts exchanged.
const fn exchange(sum: usize, old: usize, new: usize) -> usize {
    sum.saturating_sub(old).saturating_add(new)
}

/// A refusal for what stands, or is missing, in that header.
fn refusal(message: &Message<'_>, status: u16, what: &'static Defect, name: HeaderName) -> Denied {
    let at = message.header(name).map_or(0, Header::at);
    Refusal::new(status, what, at).into()
}

impl Node for ScscfNode {
    type Role = Scscf;

    /// A REGISTER that removes bindings and a SUBSCRIBE to registration state are taken; all else is the
    /// host's: it registers, and then says so ([`Command::Learn`]).
    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Scscf>,
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
        let taken = match message.method() {
            Some(Method::Register) => self.register(now, from, txn, &message, out),
            Some(Method::Subscribe) => self.subscribe(now, from, txn, &message, out),
            _ => return Ok(Verdict::NotMine),
        };
        self.lull();
        match taken {
            Ok(verdict) => Ok(verdict),
            Err(Denied::Misuse(misuse)) => Err(misuse),
            Err(Denied::Refused(refusal)) => {
                increment(match message.method() {
                    _ if refusal.status == 400 => &mut self.counters.malformed,
                    _ if refusal.status == 503 => &mut self.counters.turned_away,
                    Some(Method::Subscribe) => &mut self.counters.subscribes_refused,
                    _ => &mut self.counters.refused,
                });
                Ok(self.deny(txn, &message, refusal, out))
            }
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: drive::Answer<'_, Scscf>,
        out: &mut Outbox<Scscf>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        let is_taken = self.answer_set(now, token, &answer, out);
        self.lull();
        if is_taken? {
            return Ok(());
        }
        if !self.identifiers.has_given(token) {
            return Err(Misuse::UnknownToken);
        }
        increment(&mut self.counters.stale_answers);
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        let taken = self.obey(now, command, out);
        self.lull();
        taken
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Scscf>) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        let ticked = self.step_due(now, out);
        self.lull();
        ticked
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        let next = self.sets.next();
        let set = next.and_then(|(_, id)| self.sets.get(id)?.deadline());
        let due = set.into_iter().chain(self.drain_deadline());
        due.min_by_key(|&(at, _)| at)
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        let sets = self.sets.iter().map(|(id, entry)| (id.place(), entry));
        let drain = self.drain.as_deref();
        snapshot::seal(release, sets, &self.failures, drain, now, into);
    }
}
