//! A session of a B2BUA: what it is while nobody closes it, and what the procedures of both functions share.
//!
//! ```text
//!       a BYE                    stored, or not in time         every far leg has ended, or not in time
//! Open ──────▶ (released) ─┬─▶ Storing ─────────────────▶ Ending ──────┬──────────────────────▶ (answered) Draining
//!                          │                                ▲          │ stored afterwards         ▲       │ every leg
//!                          └────────────────────────────────┘          └─▶ Recording ──────────────┘       ▼
//!                                                                                                        Over
//! ```
//!
//! Which way a session goes, and which legs are ended where, is in `originating.rs` and `terminating.rs`.

use alloc::{boxed::Box, vec::Vec};

use super::{
    Affected, Audit, Cause, Config, Counters, Cpm, End, Ends, Event, Function, IwfPolicy, LegId,
    Mode, Outcome, Question, Recording, Scope, SessionRef, SessionTimer,
    leg::{Answered, Leg, State},
    messages::Final,
    proxy::Relaying,
    streams::{Invite, Shrinking},
};
use crate::{
    drive::{Begun, Context, Identifier, Millis, Outbox, Timer, Token, TransactionRef, increment},
    fleet::Shared,
    wire::{Message, sdp::StreamSet},
};

/// What a session has at hand while it takes a step.
pub(super) struct Turn<'t> {
    pub(super) cx: Context<'t, Config>,
    pub(super) counters: &'t mut Counters,
    pub(super) out: &'t mut Outbox<Cpm>,
}

/// A BYE that is the next one of its dialog.
#[derive(Clone, Copy)]
pub(super) struct Bye<'a> {
    /// Whose it is.
    pub(super) leg: LegId,
    /// The host's handle of its transaction.
    pub(super) to: TransactionRef,
    /// What every response to it copies.
    pub(super) kept: &'a [u8],
    /// P-Charging-Vector; empty for none.
    pub(super) charging: &'a [u8],
    /// Reason, all values; empty for none.
    pub(super) reason: &'a [u8],
    /// What its branch is told by.
    pub(super) branch: u64,
}

/// What can happen to a session.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// A BYE has come.
    Bye(Bye<'a>),
    /// A final response to a BYE of ours.
    Response { token: Token, status: u16 },
    /// A final response to a re-INVITE.
    Reinvited {
        invite: Reinvited,
        response: &'a Message<'a>,
    },
    /// No response to a request of ours: `end` says why.
    NoResponse { token: Token, end: End },
    /// The session is stored.
    Stored { token: Token, uid: &'a [u8] },
    /// It could not be stored.
    StoreFailed { token: Token },
    /// The media plane resources are released.
    MediaReleased { token: Token },
    /// The host says what was agreed.
    Described {
        token: Token,
        description: &'a [u8],
        /// The streams of it that there are.
        live: StreamSet,
    },
    /// The host ends the session.
    Close { reason: &'a [u8] },
    /// Time has passed.
    Tick,
}

/// Which re-INVITE is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reinvited {
    /// The one with this token.
    Token(Token),
    /// [RFC 3261 13.2.2.4] The one with this number: the 2xx is in no transaction that there is.
    Number(u32),
}

/// What the procedures of the two functions go by.
#[derive(Clone, Copy)]
pub(super) enum Fact<'a> {
    /// A BYE begins to close the session, or takes an IWF out of it.
    Bye(Bye<'a>),
    /// The host ends the session.
    Closed { reason: &'a [u8] },
    /// [CO-3, CT-3] The dialog in which streams were to be deleted is gone.
    DialogGone,
    /// [CO-3, CT-3] This IWF has left, and no stream would be left without its own.
    Emptied(u8),
    /// [CP-3] The session has been stored, or will not be in time.
    Recorded,
    /// [CP-5] Every leg but the sender's has ended, or the time for them is over.
    FarSideEnded,
}

/// How far the closing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not begun.
    Open,
    /// The session is being stored; nobody has been sent a BYE.
    Storing { until: Millis },
    /// The legs are sent their BYEs.
    Ending { until: Millis },
    /// The legs have ended; the session is being stored.
    Recording { until: Millis },
    /// The BYE that began it is answered; a leg may have a BYE out still.
    Draining,
    /// Nothing is left but the memory of what was answered.
    Over { until: Millis },
}

/// A BYE that waits for its answer.
pub(super) struct Held {
    pub(super) leg: LegId,
    pub(super) to: TransactionRef,
    pub(super) kept: Box<[u8]>,
    pub(super) charging: Box<[u8]>,
    pub(super) branch: u64,
}

/// Whether the store has been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// No, or it has answered.
    Quiet,
    /// Its answer is out. Without a token it is to be asked again, after a restore.
    Asked(Option<Token>),
}

/// What a session has while it is closed.
pub(super) struct Closing {
    pub(super) phase: Phase,
    pub(super) cause: Cause,
    pub(super) held: Option<Held>,
    pub(super) reason: Box<[u8]>,
    /// [CP-3] The idempotency key.
    pub(super) key: Identifier,
    pub(super) store: Store,
    pub(super) recording: Recording,
    /// Empty unless it was retrieved in time.
    pub(super) uid: Box<[u8]>,
    /// Of the outcome.
    pub(super) event: Identifier,
    /// [DR-9] When it began.
    pub(super) begun: Begun,
}

/// What the BYEs of a session say.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    /// Reason; empty for none.
    pub(super) reason: &'a [u8],
    /// Message-UID for the client; empty for none.
    pub(super) uid: &'a [u8],
}

/// Media plane resources that are being released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Release {
    pub(super) key: Identifier,
    pub(super) scope: Scope,
    /// Without one it is to be asked again, after a restore.
    pub(super) token: Option<Token>,
}

/// A session.
pub(super) struct Session {
    pub(super) session: SessionRef,
    pub(super) function: Function,
    pub(super) mode: Mode,
    pub(super) policy: IwfPolicy,
    pub(super) may_be_stored: bool,
    /// The client and the other entity, as far as it has them, and the IWFs by number.
    pub(super) legs: Box<[Leg]>,
    /// What was agreed towards the leg that hears of deleted streams; empty where the host has it.
    pub(super) description: Box<[u8]>,
    /// The streams of it that there are.
    pub(super) live: StreamSet,
    /// Questions that are not answered yet.
    pub(super) releases: Vec<Release>,
    pub(super) shrinking: Option<Box<Shrinking>>,
    /// The last re-INVITE, and those before it whose ACK is owed: one for each IWF but the last at most.
    pub(super) invites: Vec<Invite>,
    /// Of the leg that hears of deleted streams.
    pub(super) timer: Option<SessionTimer>,
    pub(super) closing: Option<Box<Closing>>,
    /// Of a proxy.
    pub(super) relaying: Option<Box<Relaying>>,
}

impl Session {
    /// Has in common with others what can be.
    pub(super) fn share(&mut self, shared: &mut Shared) {
        self.legs
            .iter_mut()
            .for_each(|leg| shared.share(&mut leg.strings));
    }

    pub(super) fn phase(&self) -> Phase {
        self.closing
            .as_ref()
            .map_or(Phase::Open, |closing| closing.phase)
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        if let Some(closing) = &mut self.closing {
            closing.phase = phase;
        }
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        self.closing.as_ref().map(|closing| closing.cause)
    }

    pub(super) fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.id == id)
    }

    pub(super) fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == id)
    }

    /// Whether it has IWFs.
    pub(super) fn is_interworked(&self) -> bool {
        self.legs.iter().any(Leg::is_iwf)
    }

    /// [CO-3, CT-3] The policy, until the session is being closed.
    pub(super) const fn set_policy(&mut self, policy: IwfPolicy) {
        if self.closing.is_none() {
            self.policy = policy;
        }
    }

    /// [CP-3] What may be stored, until the session is being closed.
    pub(super) const fn set_offline_storage(&mut self, allowed: bool) {
        if self.closing.is_none() {
            self.may_be_stored = allowed;
        }
    }

    /// Whether nothing is left of it, and it may be forgotten.
    pub(super) fn is_gone(&self, now: Millis) -> bool {
        let relayed = self.relaying.as_ref();
        matches!(self.phase(), Phase::Over { until } if now >= until)
            || relayed.is_some_and(|relaying| relaying.is_gone(now))
    }

    /// Every transition of a session. Whoever owns it has checked the room of the outbox.
    pub(super) fn step(&mut self, turn: &mut Turn<'_>, input: Input<'_>) {
        if let Some(fact) = self.take(turn, input) {
            self.proceed(turn, fact);
        }
        while let Some(fact) = self.next_fact(turn) {
            self.proceed(turn, fact);
        }
        self.conclude(turn);
    }

    /// [CP-7] The procedures of the two functions are apart.
    fn proceed(&mut self, turn: &mut Turn<'_>, fact: Fact<'_>) {
        match self.function {
            Function::Originating => self.proceed_originating(turn, fact),
            Function::Terminating => self.proceed_terminating(turn, fact),
        }
    }

    /// The bookkeeping of what has happened; what of it the procedures are to hear.
    fn take<'a>(&mut self, turn: &mut Turn<'_>, input: Input<'a>) -> Option<Fact<'a>> {
        match (self.phase(), input) {
            (Phase::Open, Input::Bye(bye)) => return Some(Fact::Bye(bye)),
            (_, Input::Bye(bye)) => self.cross(turn, &bye),
            (Phase::Open, Input::Close { reason }) => return Some(Fact::Closed { reason }),
            (_, Input::Close { .. }) => {}
            (_, Input::Response { token, status }) => {
                self.note_end(token, End::Answered(status));
            }
            (_, Input::Reinvited { invite, response }) => {
                let place = self.place_of(invite)?;
                return self.reinvited(turn, place, response);
            }
            (_, Input::NoResponse { token, end }) => match self.place_of(Reinvited::Token(token)) {
                Some(place) => return self.refused(turn, place, (silence(end), None)),
                None => self.note_end(token, end),
            },
            (_, Input::Stored { token, uid }) if self.asked_store(token) => self.stored(turn, uid),
            (_, Input::StoreFailed { token }) if self.asked_store(token) => self.store_failed(turn),
            (_, Input::MediaReleased { token }) => {
                self.releases.retain(|release| release.token != Some(token));
            }
            (
                _,
                Input::Described {
                    token,
                    description,
                    live,
                },
            ) => self.described(turn, token, (description, live)),
            (_, Input::Stored { .. } | Input::StoreFailed { .. }) => {}
            (phase, Input::Tick) => {
                self.forget_invites(turn.cx.now);
                self.offer_again(turn);
                self.end_silent_legs(turn.cx.now);
                self.tick_relaying(turn);
                if phase == Phase::Open {
                    return self.tick_shrinking(turn);
                }
            }
        }
        None
    }

    /// What is due by itself.
    fn next_fact(&self, turn: &mut Turn<'_>) -> Option<Fact<'static>> {
        let now = turn.cx.now;
        match self.phase() {
            Phase::Open => self.emptied_by().map(Fact::Emptied),
            Phase::Storing { .. } | Phase::Recording { .. } if self.is_store_quiet() => {
                Some(Fact::Recorded)
            }
            Phase::Storing { until } | Phase::Recording { until } if now >= until => {
                increment(&mut turn.counters.store_timeouts);
                Some(Fact::Recorded)
            }
            Phase::Ending { .. } if self.legs.iter().all(Leg::has_ended) => {
                Some(Fact::FarSideEnded)
            }
            Phase::Ending { until } if now >= until => {
                increment(&mut turn.counters.far_side_timeouts);
                Some(Fact::FarSideEnded)
            }
            _ => None,
        }
    }

    /// [CP-2] (S3 L46, L98) Closing begins: the record is frozen, then the media plane resources are released.
    fn begin(&mut self, turn: &mut Turn<'_>, cause: Cause, (held, reason): (Option<Held>, &[u8])) {
        let cx = &mut turn.cx;
        self.closing = Some(Box::new(Closing {
            phase: Phase::Draining,
            cause,
            held,
            reason: reason.into(),
            key: cx.identifier(),
            store: Store::Quiet,
            recording: Recording::NotAllowed,
            uid: Box::default(),
            event: cx.identifier(),
            begun: Begun::at(cx.now, cx.config.audit),
        }));
        self.shrinking = None;
        self.release(turn, Scope::Session);
    }

    /// A BYE begins it.
    pub(super) fn begin_with(&mut self, turn: &mut Turn<'_>, cause: Cause, bye: &Bye<'_>) {
        if let Some(leg) = self.leg_mut(bye.leg) {
            leg.note_bye();
        }
        self.begin(turn, cause, (Some(Held::of(bye)), bye.reason));
    }

    /// Nobody waits for an answer.
    pub(super) fn begin_without(&mut self, turn: &mut Turn<'_>, cause: Cause, reason: &[u8]) {
        self.begin(turn, cause, (None, reason));
    }

    /// [CP-2] Has media plane resources released: the first that a step puts out.
    pub(super) fn release(&mut self, turn: &mut Turn<'_>, scope: Scope) {
        let (key, token) = (turn.cx.identifier(), turn.cx.token());
        self.releases.push(Release {
            key,
            scope,
            token: Some(token),
        });
        let session = self.session;
        turn.out.ask(
            token,
            Question::MediaRelease {
                key,
                session,
                scope,
            },
        );
    }

    /// Sends a leg its BYE.
    pub(super) fn end_leg(&mut self, turn: &mut Turn<'_>, id: LegId) {
        let words = words(self.closing.as_deref());
        if let Some(leg) = self.legs.iter_mut().find(|leg| leg.id == id) {
            leg.send_bye(turn, &words);
        }
    }

    /// Sends the IWFs their BYEs.
    pub(super) fn end_iwfs(&mut self, turn: &mut Turn<'_>) {
        let words = words(self.closing.as_deref());
        for leg in self.legs.iter_mut().filter(|leg| leg.is_iwf()) {
            leg.send_bye(turn, &words);
        }
    }

    /// [CP-3] The far side has so long.
    pub(super) fn await_far_side(&mut self, turn: &Turn<'_>) {
        let until = turn.cx.now.after(turn.cx.config.far_side_bound);
        self.set_phase(Phase::Ending { until });
    }

    /// The BYE that began it is answered; of the legs that have not ended, the transactions go on.
    pub(super) fn answer(&mut self, turn: &mut Turn<'_>) {
        let held = self
            .closing
            .as_mut()
            .and_then(|closing| closing.held.take());
        if let Some(held) = held {
            self.accept(turn, &held.bye());
        }
        self.set_phase(Phase::Draining);
    }

    /// [CP-6, DR-7] The BYE that waits for its answer has come again: in a transaction of now, if the node has restarted,
    /// and that is the one to be answered. False: no such BYE waits.
    pub(super) fn hold_again(&mut self, bye: &Bye<'_>) -> bool {
        let held = self
            .closing
            .as_mut()
            .and_then(|closing| closing.held.as_mut())
            .filter(|held| held.leg == bye.leg && held.branch == bye.branch);
        let is_held = held.is_some();
        if let Some(held) = held {
            *held = Held::of(bye);
        }
        is_held
    }

    /// [CP-5] A BYE is answered 200, whatever else happens (RFC 3261 15.1.2).
    pub(super) fn accept(&mut self, turn: &mut Turn<'_>, bye: &Bye<'_>) {
        let uid = words(self.closing.as_deref()).uid;
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.id == bye.leg) else {
            return;
        };
        let answer = Final {
            leg: bye.leg,
            kept: bye.kept,
            charging: bye.charging,
            uid,
        };
        // It copies parts of a message within the limits, so that it fits a step.
        let config = turn.cx.config;
        let _ = turn
            .out
            .respond(bye.to, 200, |buffer| answer.write(config, buffer));
        leg.set_answered(Answered {
            branch: bye.branch,
            has_uid: bye.leg == LegId::Client && !uid.is_empty(),
        });
    }

    /// [CP-6] The first BYE of a leg that is being closed, or has answered ours, which it has crossed on the way: it is
    /// answered at once, with the UID if it is the client's and one has been retrieved by now, and the leg has ended.
    fn cross(&mut self, turn: &mut Turn<'_>, bye: &Bye<'_>) {
        increment(&mut turn.counters.crossed);
        if let Some(leg) = self.leg_mut(bye.leg) {
            leg.note_bye();
        }
        self.accept(turn, bye);
    }

    /// [CP-5] Our BYE to a leg is answered, or will not be. Another answer later changes nothing.
    fn note_end(&mut self, token: Token, end: End) {
        if let Some(leg) = self.legs.iter_mut().find(|leg| leg.awaits(token)) {
            leg.set_state(State::Ended(end));
        }
    }

    /// [CP-5] BYEs that were not answered although the host said nothing.
    fn end_silent_legs(&mut self, now: Millis) {
        for leg in &mut self.legs {
            if matches!(leg.state(), State::Ending { token: Some(_), until, .. } if now >= until) {
                leg.set_state(State::Ended(End::NoResponse));
            }
        }
    }

    /// Every leg has ended and the BYE is answered: the outcome.
    fn conclude(&mut self, turn: &mut Turn<'_>) {
        let is_over = self.phase() == Phase::Draining && self.legs.iter().all(Leg::has_ended);
        let Some(closing) = self.closing.as_deref_mut().filter(|_| is_over) else {
            return;
        };
        closing.phase = Phase::Over {
            until: turn.cx.now.after(turn.cx.config.memory()),
        };
        let began_as = (closing.event, closing.cause, closing.begun);
        let recording = closing.recording;
        self.description = Box::default();
        let ends = self.ends();
        self.report(turn, began_as, Outcome { ends, recording });
    }

    /// The one outcome, and its record.
    pub(super) fn report(
        &self,
        turn: &mut Turn<'_>,
        (id, cause, begun): (Identifier, Cause, Begun),
        outcome: Outcome,
    ) {
        turn.counters.count(cause);
        turn.out.event(Event::SessionClosed {
            id,
            session: self.session,
            cause,
            ends: outcome.ends,
            recording: outcome.recording,
        });
        if turn.cx.config.audit {
            let affected = self.affected(turn.out);
            turn.out.event(Event::Audited(Audit {
                id,
                affected,
                initiator: cause.initiator(),
                cause,
                outcome,
                began: begun.instant(),
                resumed: begun.is_resumed(),
                ended: turn.cx.now,
            }));
        }
    }

    /// [DR-9] Whom it concerns: as the dialog of the client says, or that of the other CPM entity where there is no client.
    fn affected(&self, out: &mut Outbox<Cpm>) -> Affected {
        let client = self.legs.iter().find(|leg| leg.id == LegId::Client);
        let other = self.legs.iter().find(|leg| leg.id == LegId::Other);
        let (served, other, call_id) = match (client.map(Leg::dialog), other.map(Leg::dialog)) {
            (Some(own), _) => (own.remote_uri, own.local_uri, own.call_id),
            (None, Some(own)) => (own.local_uri, own.remote_uri, own.call_id),
            (None, None) => Default::default(),
        };
        Affected {
            session: self.session,
            served: out.put_text(served),
            other: out.put_text(other),
            call_id: out.put_text(call_id),
        }
    }

    /// How each leg ended.
    fn ends(&self) -> Ends {
        let mut ends = Ends::default();
        for leg in &self.legs {
            let place = match leg.id {
                LegId::Client => Some(&mut ends.client),
                LegId::Other => Some(&mut ends.other),
                LegId::Iwf(number) => ends.iwfs.get_mut(usize::from(number)),
            };
            if let Some(place) = place {
                *place = leg.end();
            }
        }
        ends
    }

    /// [DR-7] After a restore what was outstanding is offered again, one thing a step: the release of resources first.
    fn offer_again(&mut self, turn: &mut Turn<'_>) {
        let session = self.session;
        if let Some(release) = self.releases.iter_mut().find(|own| own.token.is_none()) {
            let token = turn.cx.token();
            release.token = Some(token);
            let question = Question::MediaRelease {
                key: release.key,
                session,
                scope: release.scope,
            };
            return turn.out.ask(token, question);
        }
        if self.offer_ack_again(turn) {
            return;
        }
        if self.is_store_unasked() {
            return self.ask_store(turn);
        }
        let words = words(self.closing.as_deref());
        if let Some(leg) = self.legs.iter_mut().find(|leg| leg.has_bye_unsent()) {
            return leg.offer_bye(turn, &words);
        }
        self.offer_shrinking_again(turn);
    }

    /// What was asked, or sent, with this token.
    pub(super) fn asked(&self, token: Token) -> Option<Asked> {
        if self.legs.iter().any(|leg| leg.awaits(token)) {
            return Some(Asked::Bye);
        }
        if self.place_of(Reinvited::Token(token)).is_some() {
            return Some(Asked::Reinvite);
        }
        if self.releases.iter().any(|own| own.token == Some(token)) {
            return Some(Asked::MediaRelease);
        }
        if self.asked_store(token) {
            return Some(Asked::Storage);
        }
        if self.asked_description(token) {
            return Some(Asked::Description);
        }
        let relaying = self.relaying.as_ref();
        let relays = relaying.is_some_and(|relaying| relaying.awaits(token));
        relays.then_some(Asked::Relay)
    }

    /// When it must be given a [`Input::Tick`], and the timer that fires.
    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        let unasked = self.releases.iter().any(|own| own.token.is_none());
        if unasked || self.is_store_unasked() {
            return Some((Millis(0), Timer("question offered again")));
        }
        let phase = match self.phase() {
            Phase::Open | Phase::Draining => None,
            Phase::Storing { until } | Phase::Recording { until } => {
                Some((until, Timer("session storage")))
            }
            Phase::Ending { until } => Some((until, Timer("far side"))),
            Phase::Over { until } => Some((until, Timer("answered BYE remembered"))),
        };
        let legs = self.legs.iter().filter_map(Leg::deadline);
        let relaying = self.relaying.as_ref();
        let relaying = relaying.and_then(|relaying| relaying.deadline());
        let due = legs.chain(phase).chain(relaying);
        due.chain(self.shrinking_deadline())
            .chain(self.ack_deadline())
            .min_by_key(|&(at, _)| at)
    }
}

/// What a token is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Bye,
    Reinvite,
    /// A BYE that a proxy passed on.
    Relay,
    MediaRelease,
    Storage,
    Description,
}

impl Held {
    fn of(bye: &Bye<'_>) -> Self {
        Self {
            leg: bye.leg,
            to: bye.to,
            kept: bye.kept.into(),
            charging: bye.charging.into(),
            branch: bye.branch,
        }
    }

    fn bye(&self) -> Bye<'_> {
        Bye {
            leg: self.leg,
            to: self.to,
            kept: &self.kept,
            charging: &self.charging,
            reason: b"",
            branch: self.branch,
        }
    }
}

/// What is said in the BYEs of a session that is closed.
fn words(closing: Option<&Closing>) -> Words<'_> {
    closing.map_or(
        Words {
            reason: b"",
            uid: b"",
        },
        |closing| Words {
            reason: &closing.reason,
            uid: &closing.uid,
        },
    )
}

/// [RFC 3261 8.1.3.1] The status that stands for no answer.
const fn silence(end: End) -> u16 {
    match end {
        End::Unreachable => 503,
        _ => 408,
    }
}
