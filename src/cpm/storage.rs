//! [CP-3] The storing of a session: once at most, in its time, and never in the way of a BYE.

use super::{
    Event, Question, Recording,
    session::{Phase, Session, Store, Turn},
};
use crate::drive::{Token, increment};

impl Session {
    /// Before the legs are told: the client's BYE is to carry the UID.
    pub(super) fn store_before(&mut self, turn: &mut Turn<'_>) {
        let until = turn.cx.now.after(turn.cx.config.store_bound);
        self.store(turn, Phase::Storing { until });
    }

    /// After the far side has ended: the client's 200 is to carry the UID.
    pub(super) fn store_after(&mut self, turn: &mut Turn<'_>) {
        let until = turn.cx.now.after(turn.cx.config.store_bound);
        self.store(turn, Phase::Recording { until });
    }

    /// [CP-3] (S3 L62, L70, L82, L107, L114, L134) Where it is not allowed, it is over at once.
    fn store(&mut self, turn: &mut Turn<'_>, phase: Phase) {
        self.set_phase(phase);
        if !self.may_be_stored {
            return;
        }
        if let Some(closing) = &mut self.closing {
            closing.recording = Recording::NoAnswer;
        }
        self.ask_store(turn);
    }

    /// Asks the store: at first, or again after a restore, with the same key.
    pub(super) fn ask_store(&mut self, turn: &mut Turn<'_>) {
        let Some(closing) = &mut self.closing else {
            return;
        };
        let token = turn.cx.token();
        closing.store = Store::Asked(Some(token));
        let (key, session) = (closing.key, self.session);
        turn.out
            .ask(token, Question::SessionStorage { key, session });
    }

    /// Whether it is not asked, or has answered.
    pub(super) fn is_store_quiet(&self) -> bool {
        let closing = self.closing.as_ref();
        closing.is_none_or(|closing| closing.store == Store::Quiet)
    }

    /// Whether it is to be asked again.
    pub(super) fn is_store_unasked(&self) -> bool {
        let closing = self.closing.as_ref();
        closing.is_some_and(|closing| closing.store == Store::Asked(None))
    }

    /// Whether an answer with this token is the store's.
    pub(super) fn asked_store(&self, token: Token) -> bool {
        let closing = self.closing.as_ref();
        closing.is_some_and(|closing| closing.store == Store::Asked(Some(token)))
    }

    /// It is stored: in time, or too late for any message to carry the UID.
    pub(super) fn stored(&mut self, turn: &mut Turn<'_>, uid: &[u8]) {
        let session = self.session;
        let Some(closing) = &mut self.closing else {
            return;
        };
        closing.store = Store::Quiet;
        match closing.phase {
            Phase::Storing { .. } | Phase::Recording { .. } => {
                increment(&mut turn.counters.stored);
                closing.uid = uid.into();
                closing.recording = match uid {
                    [] => Recording::StoredWithoutUid,
                    _ => Recording::Stored,
                };
            }
            _ => {
                increment(&mut turn.counters.stored_late);
                closing.recording = Recording::StoredLate;
                let stored = true;
                turn.out.event(Event::StoredLate { session, stored });
            }
        }
    }

    /// It could not be stored.
    pub(super) fn store_failed(&mut self, turn: &mut Turn<'_>) {
        let session = self.session;
        let Some(closing) = &mut self.closing else {
            return;
        };
        closing.store = Store::Quiet;
        closing.recording = Recording::Failed;
        increment(&mut turn.counters.store_failed);
        if !matches!(
            closing.phase,
            Phase::Storing { .. } | Phase::Recording { .. }
        ) {
            let stored = false;
            turn.out.event(Event::StoredLate { session, stored });
        }
    }
}
