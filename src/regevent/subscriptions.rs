//! Many subscriptions of one element: found by the Call-ID of a NOTIFY, driven by their timers, counted. The
//! nodes that subscribe hold one of these; what a subscription is for, they know by its owner.

use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

use super::{
    defect,
    notification::{Acceptance, Denied, Notification, Refusal},
    statistics::{Counted, GeneratedSubscriptionStatus, Statistics, SubscriptionCountStatistics},
    subscriber::{
        self, Admission, Answer, Config, End, Event, Input, Purpose, Question, Subscription,
    },
    watcher::{self, Taking, Versions, Watcher},
};
use crate::{
    drive::{
        Context, Identifier, Limits, Millis, Misuse, Outbox, RestoreError, Role, Source, Timer,
        Token, TransactionRef, Verdict, snapshot::Raw,
    },
    fleet::{Fleet, Gathered, Id, Room, Shared},
    reginfo,
    wire::{Accepts, Element, Header, HeaderName, Message, Owed, Uri, Writer},
};

/// What is taken in a NOTIFY: no extension can be demanded.
const TAKEN: Accepts<'_> = Accepts::server().content_types(&[reginfo::CONTENT_TYPE]);

/// Under what subscriptions are filed.
const CALL_ID: u8 = 1;

/// How many keys a subscription has.
const KEYS: usize = 1;

/// What is to be subscribed to.
pub(crate) struct Order<'a> {
    /// Its owner.
    pub(crate) owner: Id,
    pub(crate) purpose: Purpose<'a>,
    pub(crate) address_context: &'a [u8],
    pub(crate) registration_expires: u32,
    /// Whether the registration state is kept in a table, or only the count of its documents.
    pub(crate) keeps_table: bool,
}

/// What comes back for a token.
#[derive(Clone, Copy)]
pub(crate) enum Reply<'a> {
    Response(&'a [u8]),
    Silence,
    Answer(Answer<'a>),
}

/// What a document says of the subscription it came in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Finding {
    /// Documents before it were missed.
    pub(crate) gap: bool,
    /// It cannot be read, and says nothing else.
    pub(crate) unread: bool,
    /// Every registration is terminated.
    pub(crate) all_terminated: bool,
}

/// A subscription that took a step.
#[derive(Clone, Copy)]
pub(crate) struct Stepped {
    pub(crate) owner: Id,
    /// It is over, and no longer here.
    pub(crate) over: bool,
}

struct Entry {
    owner: Id,
    context: u16,
    machine: Subscription,
    versions: Versions,
    table: Option<Box<Watcher>>,
}

/// The subscriptions.
pub(crate) struct Subscriptions {
    entries: Fleet<Entry>,
    statistics: Statistics,
    shared: Shared,
    /// Of the latest subscription that is over, until it is fetched.
    ended: Option<Box<Watcher>>,
}

impl Subscriptions {
    pub(crate) fn new(table_key: &[u8; 16], limits: &Limits) -> Self {
        Self {
            entries: Fleet::new(table_key, Room::of(limits, KEYS)),
            statistics: Statistics::default(),
            shared: Shared::new(),
            ended: None,
        }
    }

    /// [RE-2] Makes a subscription and sends its SUBSCRIBE, or asks for its route.
    pub(crate) fn subscribe<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        order: &Order<'_>,
        limits: &Limits,
        out: &mut Outbox<R>,
    ) -> Result<Id, Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        R::Question: From<Question>,
    {
        let machine = Subscription::new(cx, order.purpose, limits)?;
        let call_id = machine.call_id();
        let id = self.entries.insert(Entry {
            owner: order.owner,
            context: self.statistics.context(order.address_context),
            machine,
            versions: Versions::new(),
            table: order.keeps_table.then(Box::default),
        });
        self.entries.file(id, CALL_ID, &call_id.text());
        let subscribe = Input::Subscribe {
            registration_expires: order.registration_expires,
        };
        self.step(cx, id, subscribe, out)?;
        Ok(id)
    }

    /// Something happens to one of them. `None` if it is not there.
    pub(crate) fn step<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        id: Id,
        input: Input<'_>,
        out: &mut Outbox<R>,
    ) -> Result<Option<Stepped>, Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        R::Question: From<Question>,
    {
        let Some((entry, mut keys)) = self.entries.get_with_keys(id) else {
            return Ok(None);
        };
        let (counted, call_id) = (Counted::of(&entry.machine), entry.machine.call_id());
        cx.id = id.place();
        entry.machine.step(cx, input, out)?;
        entry.machine.share(&mut self.shared);
        self.statistics
            .note(entry.context, counted, Counted::of(&entry.machine));
        if entry.machine.call_id() != call_id {
            entry.versions.restart();
            if let Some(table) = &mut entry.table {
                table.restart();
            }
            keys.unfile(CALL_ID, &call_id.text());
            keys.file(CALL_ID, &entry.machine.call_id().text());
        }
        let (owner, over) = (entry.owner, entry.machine.is_over());
        if over {
            keys.unfile(CALL_ID, &entry.machine.call_id().text());
            self.ended = self.entries.remove(id).and_then(|entry| entry.table);
        } else {
            let deadline = entry.machine.deadline().map(|(at, _)| at);
            self.entries.arm(id, deadline);
        }
        Ok(Some(Stepped { owner, over }))
    }

    /// [RE-2] Drops one without a word to its notifier: another takes its place.
    pub(crate) fn replace<R>(&mut self, id: Id, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        let resource = out.put_text(entry.machine.resource());
        let why = End::Replaced;
        out.event(Event::SubscriptionEnded { resource, why }.into());
        self.forget(id);
    }

    /// Drops one without a word to anybody.
    pub(crate) fn forget(&mut self, id: Id) {
        let Some((entry, mut keys)) = self.entries.get_with_keys(id) else {
            return;
        };
        let before = Counted::of(&entry.machine);
        self.statistics
            .note(entry.context, before, Counted::NOTHING);
        keys.unfile(CALL_ID, &entry.machine.call_id().text());
        self.entries.remove(id);
    }

    /// The subscription that a token is for.
    pub(crate) fn awaiting(&self, token: Token) -> Option<Id> {
        let id = self.entries.at(token.machine())?;
        let entry = self.entries.get(id)?;
        entry.machine.awaits(token).then_some(id)
    }

    /// What came back for a token that [`awaiting`](Self::awaiting) knows.
    pub(crate) fn answer<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        (id, token): (Id, Token),
        reply: Reply<'_>,
        limits: &Limits,
        out: &mut Outbox<R>,
    ) -> Result<Answered, Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        R::Question: From<Question>,
    {
        let Some(entry) = self.entries.get(id) else {
            return Ok(Answered::default());
        };
        let mut malformed = false;
        let routing = entry.machine.is_routing();
        let stepped = match (routing, reply) {
            (true, Reply::Answer(answer)) => {
                self.step(cx, id, Input::Answered { token, answer }, out)?
            }
            (_, Reply::Silence) => self.step(cx, id, Input::NoResponse { token }, out)?,
            (false, Reply::Response(bytes)) => match Message::parse(bytes, limits) {
                Ok(response) if response.status().is_some_and(|status| status < 200) => None,
                Ok(response) => match Acceptance::read(&response, limits) {
                    Ok(acceptance) => self.step(cx, id, acceptance.input(token), out)?,
                    Err(_) => {
                        malformed = true;
                        self.step(cx, id, Input::NoResponse { token }, out)?
                    }
                },
                Err(_) => {
                    malformed = true;
                    self.step(cx, id, Input::NoResponse { token }, out)?
                }
            },
            (true, Reply::Response(_)) | (false, Reply::Answer(_)) => {
                return Err(Misuse::WrongAnswer);
            }
        };
        Ok(Answered { stepped, malformed })
    }

    /// [RE-10] Reads a NOTIFY and finds its subscription. `None` for one that came before: it is answered again,
    /// and that is all.
    pub(crate) fn admit<'m>(
        &self,
        config: &Config,
        limits: &Limits,
        from: Source,
        message: &Message<'m>,
    ) -> Result<Option<(Id, Notification<'m>)>, Denied> {
        if from != Source::TrustedCore {
            return Err(Refusal::new(403, &defect::UNTRUSTED, 0).into());
        }
        let notification = Notification::read(message, limits)?;
        TAKEN.check(message, &notification.required)?;
        let call_id = notification.call_id();
        let found = self
            .entries
            .under(CALL_ID, call_id)
            .find(|(_, entry)| entry.machine.call_id().text() == *call_id);
        let Some((id, entry)) = found else {
            return Err(unknown_dialog(message));
        };
        match entry.machine.admit(config, &notification) {
            Admission::New => Ok(Some((id, notification))),
            Admission::Repeated => Ok(None),
            Admission::Refuse(500) => {
                let at = message.header(HeaderName::CSeq).map_or(0, Header::at);
                Err(Refusal::new(500, &defect::OUT_OF_ORDER, at).into())
            }
            Admission::Refuse(_) => Err(unknown_dialog(message)),
        }
    }

    /// The owner of a subscription.
    pub(crate) fn owner(&self, id: Id) -> Option<Id> {
        self.entries.get(id).map(|entry| entry.owner)
    }

    /// [RI-3] Whether the document of that version is taken, for a subscription without a table.
    pub(crate) fn judge(
        &self,
        id: Id,
        version: u32,
        state: reginfo::DocumentState,
        cseq: u32,
        quirks: watcher::Quirks,
    ) -> Taking {
        let versions = self.entries.get(id).map(|entry| entry.versions);
        versions
            .unwrap_or_default()
            .judge(version, state, cseq, quirks)
    }

    /// [RI-3] Takes note of a document that was taken.
    pub(crate) fn take(&mut self, id: Id, version: u32, cseq: u32) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.versions.take(version, cseq);
        }
    }

    /// [RI-3] The table of a subscription, if it keeps one.
    pub(crate) fn table(&self, id: Id) -> Option<&Watcher> {
        self.entries.get(id)?.table.as_deref()
    }

    /// [RI-3] The table of a subscription, if it keeps one.
    pub(crate) fn table_mut(&mut self, id: Id) -> Option<&mut Watcher> {
        self.entries.get_mut(id)?.table.as_deref_mut()
    }

    /// [RI-3] The table of the subscription that the latest step ended.
    pub(crate) fn take_ended_table(&mut self) -> Option<Box<Watcher>> {
        self.ended.take()
    }

    /// [RE-9] A NOTIFY that was admitted, its document read or found unreadable: its header holds in any case.
    /// Registrations that are all terminated end a subscription that goes on. A gap has it refreshed, and so has
    /// a document that cannot be read (RE-10), but for the one that a refresh has brought.
    pub(crate) fn notify<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        id: Id,
        notification: &Notification<'_>,
        finding: Finding,
        out: &mut Outbox<R>,
    ) -> Result<Option<Stepped>, Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        R::Question: From<Question>,
    {
        let mut input = notification.input();
        if let Input::Notify(notified) = &mut input {
            notified.nothing_left = finding.all_terminated;
        }
        let is_answer = self
            .machine(id)
            .is_some_and(Subscription::is_to_be_informed);
        let stepped = self.step(cx, id, input, out)?;
        if notification.is_terminated() || stepped.is_none_or(|stepped| stepped.over) {
            return Ok(stepped);
        }
        if finding.all_terminated {
            return self.step(cx, id, Input::Unsubscribe, out);
        }
        if finding.gap || (finding.unread && !is_answer) {
            return self.step(cx, id, Input::Resynchronise, out);
        }
        Ok(stepped)
    }

    /// The most overdue one acts.
    pub(crate) fn tick<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        out: &mut Outbox<R>,
    ) -> Result<Option<Stepped>, Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        R::Question: From<Question>,
    {
        match self.entries.due(cx.now) {
            Some(id) => self.step(cx, id, Input::Tick, out),
            None => Ok(None),
        }
    }

    /// The earliest deadline, and the timer that fires.
    pub(crate) fn deadline(&self) -> Option<(Millis, Timer)> {
        let (at, id) = self.entries.next()?;
        let machine = self.entries.get(id).map(|entry| &entry.machine);
        let named = machine.and_then(Subscription::deadline);
        Some((at, named.map_or(Timer("subscription"), |(_, timer)| timer)))
    }

    /// The machine of a subscription.
    pub(crate) fn machine(&self, id: Id) -> Option<&Subscription> {
        self.entries.get(id).map(|entry| &entry.machine)
    }

    /// [RE-11] The counts of an address context.
    pub(crate) fn counts(&self, address_context: &[u8]) -> SubscriptionCountStatistics {
        self.statistics.of(address_context)
    }

    /// [RE-11] The rows of an address context.
    pub(crate) fn rows<'s>(
        &'s self,
        address_context: &'s [u8],
    ) -> impl Iterator<Item = GeneratedSubscriptionStatus<'s>> {
        self.entries
            .iter()
            .filter(move |(_, entry)| self.statistics.name(entry.context) == address_context)
            .filter_map(|(id, entry)| GeneratedSubscriptionStatus::of(id.place(), &entry.machine))
    }

    /// [DR-7] What one of them is in a blob.
    pub(crate) fn snapshot<'s>(
        &'s self,
        id: Id,
        written: &mut subscriber::Written<'s>,
        now: Millis,
    ) -> Option<CurrentSnapshot<'s>> {
        let entry = self.entries.get(id)?;
        let machine = entry.machine.snapshot(written, now);
        Some(self.snapshot_with(entry, machine, now))
    }

    /// [DR-7] What one of them is in a blob for the release before.
    pub(crate) fn snapshot_for_previous(
        &self,
        id: Id,
        now: Millis,
    ) -> Option<PreviousSnapshot<'_>> {
        let entry = self.entries.get(id)?;
        let machine = entry.machine.snapshot_for_previous(now);
        Some(self.snapshot_with(entry, machine, now))
    }

    fn snapshot_with<'s, M>(&'s self, entry: &Entry, machine: M, now: Millis) -> Snapshot<'s, M> {
        Snapshot {
            address_context: Raw(self.statistics.name(entry.context)),
            machine,
            versions: entry.versions,
            table: entry.table.as_ref().map(|table| table.snapshot(now)),
        }
    }

    /// [DR-7] Takes room for so many more at once.
    pub(crate) fn reserve(&mut self, subscriptions: usize) {
        self.entries.reserve(Room {
            machines: subscriptions,
            keys: KEYS,
        });
    }

    /// [DR-7] Takes one in from a blob. It is found once [all are filed](Self::file_all).
    pub(crate) fn restore(
        &mut self,
        owner: Id,
        stored: Stored<'_>,
        restoring: &mut Restoring,
        now: Millis,
    ) -> Result<Id, RestoreError> {
        let shared = &mut self.shared;
        match stored {
            Stored::Current(snapshot) => {
                let sharing = (&mut restoring.alike, shared);
                let machine = Subscription::restore(&snapshot.machine, sharing, now)?;
                self.take_in(owner, snapshot, machine, restoring, now)
            }
            Stored::Previous(snapshot) => {
                let machine = Subscription::restore_previous(&snapshot.machine, shared, now)?;
                self.take_in(owner, snapshot, machine, restoring, now)
            }
        }
    }

    /// [DR-7] Files all that were taken in.
    pub(crate) fn file_all(&mut self, restoring: Restoring) {
        self.entries.file_all(restoring.keys);
    }

    fn take_in<M>(
        &mut self,
        owner: Id,
        snapshot: &Snapshot<'_, M>,
        machine: Subscription,
        restoring: &mut Restoring,
        now: Millis,
    ) -> Result<Id, RestoreError> {
        let table = match &snapshot.table {
            Some(table) => Some(Box::new(Watcher::restore(table, now)?)),
            None => None,
        };
        let context = self.statistics.context(snapshot.address_context.0);
        self.statistics
            .note_restored(context, Counted::of(&machine));
        let call_id = machine.call_id();
        let deadline = machine.deadline().map(|(at, _)| at);
        let id = self.entries.insert(Entry {
            owner,
            context,
            machine,
            versions: snapshot.versions,
            table,
        });
        self.entries
            .gather(&mut restoring.keys, id, CALL_ID, &call_id.text());
        self.entries.arm(id, deadline);
        Ok(id)
    }
}

/// What an answer did.
#[derive(Clone, Copy, Default)]
pub(crate) struct Answered {
    pub(crate) stepped: Option<Stepped>,
    /// The response could not be read, and counted as none.
    pub(crate) malformed: bool,
}

/// A subscription with its documents in a blob.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot<'b, M> {
    #[serde(borrow)]
    address_context: Raw<'b>,
    machine: M,
    versions: Versions,
    table: Option<watcher::Snapshot>,
}

/// As it stands now.
pub(crate) type CurrentSnapshot<'b> = Snapshot<'b, subscriber::CurrentSnapshot<'b>>;
/// As it stands in the format before.
pub(crate) type PreviousSnapshot<'b> = Snapshot<'b, subscriber::PreviousSnapshot<'b>>;

/// Subscriptions that are taken in from a blob: what they have in common, and their keys.
pub(crate) struct Restoring {
    alike: subscriber::Read,
    keys: Gathered,
}

impl Restoring {
    /// Of a blob that begins.
    pub(crate) fn new() -> Self {
        Self {
            alike: subscriber::Read::new(),
            keys: Gathered::default(),
        }
    }
}

/// A subscription out of a blob.
#[derive(Clone, Copy)]
pub(crate) enum Stored<'b> {
    Current(&'b CurrentSnapshot<'b>),
    /// Of the release before.
    Previous(&'b PreviousSnapshot<'b>),
}

/// [RE-10] Whether a request is for a subscription of this element: its Request-URI is a Contact that we made.
pub(crate) fn is_for(element: &Element, message: &Message<'_>) -> bool {
    let Some(uri) = message.request_uri() else {
        return false;
    };
    if is_as_written(element, uri) {
        return true;
    }
    let (Ok(target), ours) = (Uri::parse(uri), Uri::parse(element.uri())) else {
        return false;
    };
    target.user().and_then(Identifier::parse).is_some()
        && ours.is_ok_and(|ours| target.same_host_port(&ours))
}

/// Whether a URI is a Contact that we made, byte for byte, which spares reading it and our own.
fn is_as_written(element: &Element, uri: &[u8]) -> bool {
    let user = uri
        .strip_prefix(b"sip:")
        .and_then(|rest| rest.strip_suffix(element.sent_by()))
        .and_then(|rest| rest.strip_suffix(b"@"));
    element.uri().starts_with(b"sip:") && user.and_then(Identifier::parse).is_some()
}

/// The 200 to a NOTIFY.
pub(crate) fn accept<R: Role>(
    txn: TransactionRef,
    message: &Message<'_>,
    out: &mut Outbox<R>,
) -> Verdict {
    // What a response copies of its request fits the room of a step.
    let _ = out.respond(txn, 200, |buffer| {
        Writer::respond_to(buffer, message, 200, None).finish();
    });
    Verdict::Handled
}

/// The answer to a NOTIFY that is refused.
pub(crate) fn deny<R: Role>(
    txn: TransactionRef,
    message: &Message<'_>,
    refusal: Refusal,
    tag: Identifier,
    out: &mut Outbox<R>,
) -> Verdict {
    let owed = Owed::with_status(message, refusal.status, refusal.reject, &TAKEN);
    if let Some(status) = owed.status() {
        let _ = out.respond(txn, status, |buffer| {
            owed.write(buffer, message, Some(tag));
        });
    }
    Verdict::Rejected(refusal.reject)
}

fn unknown_dialog(message: &Message<'_>) -> Denied {
    let at = message.header(HeaderName::CallId).map_or(0, Header::at);
    Refusal::new(481, &defect::UNKNOWN_DIALOG, at).into()
}
