//! [CO-3, CT-3] An IWF leaves, and only its streams go: a re-INVITE to the leg that hears of it, with their ports at 0.
//!
//! One re-INVITE is out at a time; an IWF that leaves meanwhile has the next one. What of the streams is there is seen
//! when it goes: if it would leave none, the session is closed instead, as by an IWF that is the last. A session that
//! begins to be closed does not wait for it: the BYE goes, and a 2xx that comes later is acknowledged. For 64·T1 after a
//! 2xx its ACK is owed: whenever the 2xx comes again, and after a restore.
//!
//! ```text
//!       the description is kept here               2xx
//! ─┬────────────────────────────────▶ Inviting ──────────▶ deleted, or the next one
//!  └─▶ Describing ───────────────────▶ │   ▲
//!        the host has it           491 │   │ time (RFC 3261 14.1, 14.2)
//!             500, 503 with a short    ▼   │
//!                      Retry-After    Waiting
//! ```

use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

use super::{
    Event, Function, IwfPolicy, LegId, Question, Scope, Side,
    messages::Reinvite,
    session::{Bye, Fact, Phase, Reinvited, Session, Turn},
};
use crate::{
    drive::{Buffer, Identifier, Millis, Request, Timer, Token, Towards, increment},
    wire::{
        Message,
        register::retry_after,
        sdp::{Description, StreamSet},
    },
};

/// [RFC 3261 14.2] The longest Retry-After, in seconds, of a 500 to an INVITE that comes before another is answered.
const LONGEST_RETRY: u32 = 10;

/// How far the deletion of streams has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The host is asked for the description. Without a token it is to be asked again, after a restore.
    Describing {
        key: Identifier,
        token: Option<Token>,
        until: Millis,
    },
    /// The re-INVITE is out.
    Inviting,
    /// It has met another one, or comes too early, and is to be sent again then.
    Waiting { until: Millis },
}

/// Streams that are being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shrinking {
    pub(super) stage: Stage,
    /// The IWFs of the re-INVITE that is out, or to be sent: a bit each.
    pub(super) current: u8,
    /// Those of the next one.
    pub(super) queued: u8,
    /// How often the re-INVITE was sent.
    pub(super) attempts: u8,
}

/// A re-INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Invite {
    /// Without one it, or the ACK of its 2xx, is to be handed out again, after a restore.
    pub(super) token: Option<Token>,
    pub(super) branch: Identifier,
    /// The branch of the ACK for its 2xx, which is the same however often that comes.
    pub(super) ack: Identifier,
    pub(super) cseq: u32,
    /// The streams that it deletes.
    pub(super) deleted: StreamSet,
    pub(super) reply: Reply,
    /// Of one that is out, when it counts as unanswered; of one that was accepted, until when its ACK is owed.
    pub(super) until: Millis,
}

/// What a re-INVITE was answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// Nothing final: it is out.
    Awaited,
    /// A 2xx.
    Accepted,
    /// Another final answer, or none in time.
    Refused,
}

impl Invite {
    fn is_out(&self) -> bool {
        self.reply == Reply::Awaited
    }

    /// Whether the ACK of its 2xx is owed.
    fn owes_ack(&self) -> bool {
        self.reply == Reply::Accepted
    }
}

const fn bit(iwf: u8) -> u8 {
    match 1u8.checked_shl(iwf as u32) {
        Some(bit) => bit,
        None => 0,
    }
}

impl Session {
    /// The leg that hears of deleted streams.
    pub(super) const fn told(&self) -> LegId {
        match self.function {
            Function::Originating => LegId::Client,
            Function::Terminating => LegId::Other,
        }
    }

    /// The streams of IWFs that have left, and of this one, but for those that an IWF has which stays.
    fn streams_gone(&self, leaving: Option<LegId>) -> StreamSet {
        let (mut gone, mut staying) = (StreamSet::EMPTY, StreamSet::EMPTY);
        for leg in &self.legs {
            let of = match leg.is_open() && Some(leg.id) != leaving {
                true => &mut staying,
                false => &mut gone,
            };
            *of = of.union(leg.streams);
        }
        gone.without(staying)
    }

    /// [CO-3, CT-3] Whether only the streams of this IWF are to go: the policy says so, another IWF remains, and some
    /// stream does.
    pub(super) fn goes_on_without(&self, id: LegId) -> bool {
        let others = self
            .legs
            .iter()
            .filter(|leg| leg.is_iwf() && leg.is_open() && leg.id != id);
        matches!(id, LegId::Iwf(_))
            && self.policy == IwfPolicy::StreamsOnly
            && others.count() > 0
            && !self.live_without(id).is_empty()
    }

    /// The streams that there would be without this leg.
    fn live_without(&self, id: LegId) -> StreamSet {
        self.live.without(self.streams_gone(Some(id)))
    }

    /// [CO-3] (S3 L77, CT-3 S3 L130) Its resources are released, its BYE is answered at once, its streams are to be
    /// deleted.
    pub(super) fn take_out(&mut self, turn: &mut Turn<'_>, bye: &Bye<'_>) {
        let LegId::Iwf(iwf) = bye.leg else {
            return;
        };
        self.release(turn, Scope::Iwf(iwf));
        self.accept(turn, bye);
        let Some(leg) = self.leg_mut(bye.leg) else {
            return;
        };
        leg.note_bye();
        let streams = leg.streams;
        let shared = streams.without(self.streams_gone(None));
        let own = streams.without(shared);
        if own.without(self.live) == own {
            return self.report_shrunk(turn, bit(iwf));
        }
        match &mut self.shrinking {
            Some(shrinking) => shrinking.queued |= bit(iwf),
            None => self.shrink(turn, bit(iwf)),
        }
    }

    /// Begins to delete the streams of these IWFs.
    fn shrink(&mut self, turn: &mut Turn<'_>, iwfs: u8) {
        self.shrinking = Some(Box::new(Shrinking {
            stage: Stage::Inviting,
            current: iwfs,
            queued: 0,
            attempts: 0,
        }));
        if self.description.is_empty() {
            let key = turn.cx.identifier();
            self.describe(turn, key);
        } else {
            self.reinvite(turn);
        }
    }

    /// Asks for the description: at first, or again after a restore, with the same key.
    fn describe(&mut self, turn: &mut Turn<'_>, key: Identifier) {
        let token = turn.cx.token();
        let until = turn.cx.now.after(turn.cx.config.description_bound);
        if let Some(shrinking) = &mut self.shrinking {
            shrinking.stage = Stage::Describing {
                key,
                token: Some(token),
                until,
            };
        }
        let (session, leg) = (self.session, self.told());
        turn.out
            .ask(token, Question::SessionDescription { key, session, leg });
    }

    /// Whether the question for the description has this token.
    pub(super) fn asked_description(&self, token: Token) -> bool {
        let stage = self.shrinking.as_ref().map(|shrinking| shrinking.stage);
        matches!(stage, Some(Stage::Describing { token: own, .. }) if own == Some(token))
    }

    /// The host says what was agreed.
    pub(super) fn described(
        &mut self,
        turn: &mut Turn<'_>,
        token: Token,
        (description, live): (&[u8], StreamSet),
    ) {
        if self.asked_description(token) {
            self.description = description.into();
            self.live = live;
            self.reinvite(turn);
        }
    }

    /// Whether the re-INVITE that is due would leave no stream, and the IWF with which the session goes: other streams
    /// may have gone since its BYE came.
    pub(super) fn emptied_by(&self) -> Option<u8> {
        let shrinking = self.shrinking.as_deref()?;
        let is_out = self.invites.last().is_some_and(Invite::is_out);
        let is_due = shrinking.stage == Stage::Inviting && !is_out;
        iwfs(shrinking.current).next().filter(|_| is_due)
    }

    /// [RFC 3264 8.2] Sends the re-INVITE that deletes the streams of whoever has left, if any of them is there still.
    /// If no other is, it is not sent: the session [goes](Self::emptied_by).
    fn reinvite(&mut self, turn: &mut Turn<'_>) {
        let deleted = self.streams_gone(None);
        if let Some(shrinking) = &mut self.shrinking {
            shrinking.stage = Stage::Inviting;
            shrinking.current |= core::mem::take(&mut shrinking.queued);
        }
        let left = self.live.without(deleted);
        if left.is_empty() {
            return;
        }
        match left == self.live {
            true => self.shrunk(turn),
            false => self.invite(turn, deleted),
        }
    }

    fn invite(&mut self, turn: &mut Turn<'_>, deleted: StreamSet) {
        let told = self.told();
        if let Some(shrinking) = &mut self.shrinking {
            shrinking.attempts = shrinking.attempts.saturating_add(1);
        }
        let Some(leg) = self.leg_mut(told) else {
            return;
        };
        let invite = Invite {
            token: None,
            cseq: leg.sequence.take_next(),
            branch: turn.cx.identifier(),
            ack: turn.cx.identifier(),
            deleted,
            reply: Reply::Awaited,
            until: Millis(0),
        };
        self.invites.retain(Invite::owes_ack);
        self.invites.push(invite);
        self.offer_invite(turn);
    }

    /// [DR-7] Hands out the re-INVITE: at first, or the same again after a restore.
    fn offer_invite(&mut self, turn: &mut Turn<'_>) {
        let token = turn.cx.token();
        let config = turn.cx.config;
        let told = self.told();
        let leg = self.legs.iter().find(|leg| leg.id == told);
        let (Some(leg), Some(invite)) = (leg, self.invites.last_mut()) else {
            return;
        };
        let message = Reinvite {
            dialog: leg.dialog(),
            cseq: invite.cseq,
            branch: invite.branch,
            timer: self.timer,
        };
        let deleted = invite.deleted;
        invite.token = Some(token);
        invite.until = turn.cx.now.after(config.reinvite_bound);
        let agreed = Description::parse(&self.description, &config.limits);
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &[message.dialog.next_hop()],
            udp_limit: config.element.udp_limit(),
        };
        let sent = agreed.is_ok_and(|agreed| {
            let write = |buffer: &mut Buffer| message.write(config, (&agreed, deleted), buffer);
            turn.out.request(request, write).is_ok()
        });
        if !sent {
            invite.reply = Reply::Refused;
            self.give_up(turn, 0);
        }
    }

    /// The place of a re-INVITE.
    pub(super) fn place_of(&self, invite: Reinvited) -> Option<usize> {
        let mut invites = self.invites.iter();
        invites.position(|own| match invite {
            Reinvited::Token(token) => own.token == Some(token),
            Reinvited::Number(cseq) => own.cseq == cseq,
        })
    }

    /// [RFC 3261 14.2] Whether a re-INVITE of ours is out in the dialog of this leg.
    pub(super) fn is_inviting(&self, id: LegId) -> bool {
        id == self.told() && self.invites.last().is_some_and(Invite::is_out)
    }

    /// [RFC 3261 13.2.2.4, 14.1] A re-INVITE is answered, for the first time or again. Once the session is being closed
    /// nothing follows but the ACK.
    pub(super) fn reinvited(
        &mut self,
        turn: &mut Turn<'_>,
        place: usize,
        response: &Message<'_>,
    ) -> Option<Fact<'static>> {
        let status = response.status()?;
        if !(200..300).contains(&status) {
            return self.refused(turn, place, (status, Some(response)));
        }
        let invite = self.invites.get_mut(place)?;
        let was_out = invite.is_out();
        if was_out {
            // [RFC 6026 7.2]
            invite.reply = Reply::Accepted;
            invite.until = turn.cx.now.after(turn.cx.config.memory());
            self.retarget(self.told(), response, &turn.cx.config.limits);
        }
        self.acknowledge(turn, place);
        if was_out && self.is_open() {
            self.note_refresh(turn, response);
            self.deleted(turn);
        }
        None
    }

    /// [RFC 3261 14.1, 14.2, 12.2.1.2, RFC 4028 7.3] A re-INVITE is refused, or not answered, which is as if with that status
    /// (RFC 3261 8.1.3.1). It is sent again where that is of use.
    pub(super) fn refused(
        &mut self,
        turn: &mut Turn<'_>,
        place: usize,
        (status, response): (u16, Option<&Message<'_>>),
    ) -> Option<Fact<'static>> {
        let invite = self.invites.get_mut(place)?;
        if !invite.is_out() {
            return None;
        }
        invite.reply = Reply::Refused;
        let attempts = self.shrinking.as_ref().map(|shrinking| shrinking.attempts);
        let attempts = attempts.filter(|_| self.is_open())?;
        let may_go_again = attempts < turn.cx.config.reinvite_attempts;
        let is_too_small = response.is_some_and(|response| self.note_too_small(response));
        let retry = response.filter(|_| may_go_again).and_then(retry_soon);
        match (status, retry) {
            (500 | 503, Some(retry)) => self.wait(turn, retry),
            (491, _) if may_go_again => self.wait(turn, 0),
            (422, _) if may_go_again && is_too_small => self.reinvite(turn),
            (481 | 408, _) => return Some(Fact::DialogGone),
            _ => self.give_up(turn, status),
        }
        None
    }

    /// [DR-7] The ACK of a 2xx: at first, or the same again whenever that comes again, and after a restore.
    fn acknowledge(&mut self, turn: &mut Turn<'_>, place: usize) {
        let told = self.told();
        let leg = self.legs.iter().find(|leg| leg.id == told);
        let (Some(leg), Some(invite)) = (leg, self.invites.get_mut(place)) else {
            return;
        };
        let token = *invite.token.get_or_insert_with(|| turn.cx.token());
        let config = turn.cx.config;
        let ack = Reinvite {
            dialog: leg.dialog(),
            cseq: invite.cseq,
            branch: invite.ack,
            timer: None,
        };
        let (hop, limit) = (ack.dialog.next_hop(), config.element.udp_limit());
        let write = |buffer: &mut Buffer| ack.write_ack(config, buffer);
        // What could stand in the re-INVITE can stand here.
        let _ = turn.out.acknowledge(token, &[hop], limit, write);
    }

    /// [DR-7] After a restore: the ACK of a 2xx, if one is to be handed out again. Whether there was one.
    pub(super) fn offer_ack_again(&mut self, turn: &mut Turn<'_>) -> bool {
        let mut invites = self.invites.iter();
        let place = invites.position(|invite| invite.owes_ack() && invite.token.is_none());
        if let Some(place) = place {
            self.acknowledge(turn, place);
        }
        place.is_some()
    }

    /// [RFC 6026 7.2] Once its ACK is owed no longer, nothing is left of a re-INVITE.
    pub(super) fn forget_invites(&mut self, now: Millis) {
        self.invites
            .retain(|invite| !invite.owes_ack() || now < invite.until);
    }

    /// The streams are deleted: the offer is what was agreed.
    fn deleted(&mut self, turn: &mut Turn<'_>) {
        let invite = self.invites.last();
        let gone = invite.map_or(StreamSet::EMPTY, |invite| invite.deleted);
        let limits = &turn.cx.config.limits;
        if let Ok(agreed) = Description::parse(&self.description, limits) {
            let mut buffer = Buffer::new(self.description.len().saturating_add(1));
            agreed.put_without(gone, &mut buffer);
            self.description = buffer.as_slice().into();
        }
        self.live = self.live.without(gone);
        self.shrunk(turn);
    }

    /// Nothing is left of the streams of those who have left.
    fn shrunk(&mut self, turn: &mut Turn<'_>) {
        let current = self.shrinking.as_ref().map_or(0, |own| own.current);
        self.report_shrunk(turn, current);
        self.next_deletion(turn);
    }

    /// [RFC 3261 14.1] It has met a re-INVITE, and goes again after a time, of so many milliseconds at least.
    fn wait(&mut self, turn: &mut Turn<'_>, at_least: u64) {
        let told = self.told();
        let side = self.leg(told).map_or(Side::Uas, |leg| leg.side);
        let chance = turn.cx.identifier().number();
        let until = turn.cx.now.after(backoff(side, chance).max(at_least));
        if let Some(shrinking) = &mut self.shrinking {
            shrinking.stage = Stage::Waiting { until };
        }
    }

    /// The streams could not be deleted; the session stays.
    fn give_up(&mut self, turn: &mut Turn<'_>, status: u16) {
        let current = self.shrinking.as_ref().map_or(0, |own| own.current);
        let session = self.session;
        for iwf in iwfs(current) {
            increment(&mut turn.counters.deletions_failed);
            turn.out.event(Event::StreamDeletionFailed {
                session,
                iwf,
                status,
            });
        }
        self.next_deletion(turn);
    }

    fn next_deletion(&mut self, turn: &mut Turn<'_>) {
        let queued = self.shrinking.take().map_or(0, |own| own.queued);
        if queued != 0 {
            self.shrink(turn, queued);
        }
    }

    fn report_shrunk(&self, turn: &mut Turn<'_>, left: u8) {
        let session = self.session;
        for iwf in iwfs(left) {
            increment(&mut turn.counters.streams_deleted);
            turn.out.event(Event::SessionShrunk { session, iwf });
        }
    }

    /// What time brings while the session is open.
    pub(super) fn tick_shrinking(&mut self, turn: &mut Turn<'_>) -> Option<Fact<'static>> {
        let now = turn.cx.now;
        let stage = self.shrinking.as_ref()?.stage;
        match stage {
            Stage::Waiting { until } if now >= until => self.reinvite(turn),
            Stage::Describing { until, .. } if now >= until => self.give_up(turn, 0),
            Stage::Inviting => {
                let is_silent = |invite: &Invite| invite.is_out() && now >= invite.until;
                let place = self.invites.iter().position(is_silent)?;
                return self.refused(turn, place, (408, None));
            }
            Stage::Waiting { .. } | Stage::Describing { .. } => {}
        }
        None
    }

    /// [DR-7] After a restore: what was asked, or sent.
    pub(super) fn offer_shrinking_again(&mut self, turn: &mut Turn<'_>) {
        let Some(shrinking) = self.shrinking.as_deref().filter(|_| self.is_open()) else {
            return;
        };
        match shrinking.stage {
            Stage::Describing {
                key, token: None, ..
            } => self.describe(turn, key),
            Stage::Inviting if self.has_invite_unsent() => self.offer_invite(turn),
            _ => {}
        }
    }

    fn is_open(&self) -> bool {
        self.phase() == Phase::Open
    }

    fn has_invite_unsent(&self) -> bool {
        let invite = self.invites.last();
        invite.is_some_and(|invite| invite.is_out() && invite.token.is_none())
    }

    /// When the ACK of a 2xx is to be handed out again, or is owed no longer.
    pub(super) fn ack_deadline(&self) -> Option<(Millis, Timer)> {
        let owed = self.invites.iter().filter(|invite| invite.owes_ack());
        let owed = owed.map(|invite| match invite.token {
            None => (Millis(0), Timer("ACK to be sent")),
            Some(_) => (invite.until, Timer("ACK of re-INVITE owed")),
        });
        owed.min_by_key(|&(at, _)| at)
    }

    pub(super) fn shrinking_deadline(&self) -> Option<(Millis, Timer)> {
        let shrinking = self.shrinking.as_deref().filter(|_| self.is_open())?;
        match shrinking.stage {
            Stage::Describing { token: None, .. } => {
                Some((Millis(0), Timer("question offered again")))
            }
            Stage::Describing { until, .. } => Some((until, Timer("session description"))),
            Stage::Inviting if self.has_invite_unsent() => {
                Some((Millis(0), Timer("re-INVITE to be sent")))
            }
            Stage::Inviting => {
                let invite = self.invites.last()?;
                Some((invite.until, Timer("answer to re-INVITE")))
            }
            Stage::Waiting { until } => Some((until, Timer("re-INVITE again"))),
        }
    }
}

/// The IWFs of these bits.
fn iwfs(bits: u8) -> impl Iterator<Item = u8> {
    (0..8u8).filter(move |iwf| bits & bit(*iwf) != 0)
}

/// [RFC 3261 14.2, 20.33] Milliseconds after which a request may be tried again, if a response says so and they are no
/// more than whoever has not answered an INVITE yet may ask for.
fn retry_soon(response: &Message<'_>) -> Option<u64> {
    let seconds = retry_after(response).filter(|seconds| *seconds <= LONGEST_RETRY)?;
    Some(u64::from(seconds).saturating_mul(1_000))
}

/// [RFC 3261 14.1] Milliseconds to wait after a 491, in steps of 10: 2.1 to 4 s for whoever has made the Call-ID, else
/// 0 to 2 s.
const fn backoff(side: Side, chance: u64) -> u64 {
    match side {
        Side::Uac => 2_100u64.saturating_add((chance % 191).saturating_mul(10)),
        Side::Uas => (chance % 201).saturating_mul(10),
    }
}
