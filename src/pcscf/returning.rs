//! [PD-9] The UE comes back: its own REGISTER against ours, and whatever else is heard of it.
//!
//! The two never cross. Ours waits while the UE's is under way; the UE's is held while ours is out, for a few
//! seconds at most; and ours is not sent again before it is known what became of the UE's. A REGISTER of a UE that
//! comes to nothing therefore puts the deregistration off, and does not end it.

use super::{
    Conclusion, Config, Event, Pcscf,
    aside::{Aside, Association, Held, Marks},
    deregistration::{Cause, Change, Outcome, Registration, State, before, is_worth_another},
    evidence::{Evidence, LossPolicy, Reports, Weight},
};
use crate::{
    drive::{Context, Millis, Outbox, Token, TransactionRef},
    wire::register::same_uri,
};

/// Milliseconds that security associations outlast the registration (TS 24.229 7.8).
const ASSOCIATION_BEYOND: u64 = 30_000;

impl Registration {
    /// [PD-3] Whether the UE is reported lost and not heard since, so that terminating requests are to be refused
    /// with 500 (TS 24.229 5.2.6.4.3).
    #[must_use]
    pub fn is_access_lost(&self) -> bool {
        self.cause == Cause::AccessLost && !self.is_registered() && !self.aside().heard
    }

    /// Whether something heard of the UE would change anything.
    pub(super) fn is_doubted(&self) -> bool {
        self.aside().reports != Reports::NONE || self.is_access_lost()
    }

    /// [PD-3] A report of loss.
    pub(super) fn doubt(&mut self, now: Millis, evidence: Evidence, policy: &LossPolicy) -> Weight {
        let mut aside = self.aside();
        let weight = aside.reports.note(now, evidence, policy);
        self.set_aside(aside);
        weight
    }

    /// [PD-9] A REGISTER of the UE for this contact has come.
    pub(super) fn asked(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        (transaction, removes): (TransactionRef, bool),
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        let until = cx.now.after(cx.config.renewal_bound());
        match self.state() {
            State::Registered => self.marks.set(Marks::ASKED, true),
            State::Sent { .. } if !removes => return self.hold(cx, who, transaction, out),
            State::Queued | State::Waiting { .. } if removes || self.has_run_out() => {
                self.marks.set(Marks::ASKED, true);
                self.call(cx);
                self.set_state(State::Waiting { until });
            }
            State::Queued | State::Waiting { .. } => {
                self.cancel(cx, who, out);
                self.marks.set(Marks::ASKED, true);
            }
            State::Confirmed { .. } if !removes => self.set_state(State::Returning {
                token: None,
                outcome: Outcome::Unconfirmed,
                until,
            }),
            State::Returning { token, outcome, .. } => self.set_state(State::Returning {
                token,
                outcome,
                until,
            }),
            State::Cleaning { .. } => {
                self.marks.set(Marks::ASKED, true);
                self.put_off(until);
            }
            State::Sent { .. } => {
                self.marks.set(Marks::ASKED, true);
                self.let_go_held(false, out);
            }
            State::Confirmed { .. } => self.marks.set(Marks::ASKED, true),
        }
        self.note_heard(&cx.config.loss);
        Change::Goes
    }

    /// No step of the cleanup is begun before.
    fn put_off(&mut self, until: Millis) {
        let aside = self.aside();
        self.set_aside(Aside {
            not_before: aside.not_before.max(until),
            ..aside
        });
    }

    /// Whether it waits because of a timer, with nothing sent yet: a REGISTER of the UE makes it wait on, for without
    /// a 2xx to that it has still run out.
    const fn has_run_out(&self) -> bool {
        self.registers == 0
            && matches!(
                self.cause,
                Cause::RegistrationTimer | Cause::SecurityAssociationTimer
            )
    }

    /// Ours is out: the UE's waits for the answer. Of several the last is held, no longer than the first would be.
    fn hold(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        transaction: TransactionRef,
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        if let State::Sent { token: None, .. } = self.state() {
            self.offer(cx, who, out);
        }
        self.note_heard(&cx.config.loss);
        let State::Sent {
            token: Some(token), ..
        } = self.state()
        else {
            return Change::Goes;
        };
        let mut aside = self.aside();
        let until = match aside.held {
            Some(before) => {
                if before.transaction != transaction {
                    out.event(held_ended(before, false));
                }
                before.until
            }
            None => cx.now.after(cx.config.hold_bound),
        };
        aside.held = Some(Held {
            transaction,
            token,
            until,
        });
        self.set_aside(aside);
        Change::Holds(token)
    }

    /// The host passes on what it holds, or refuses it for a later one.
    pub(super) fn let_go_held(&mut self, forward: bool, out: &mut Outbox<Pcscf>) {
        let mut aside = self.aside();
        if let Some(held) = aside.held.take() {
            out.event(held_ended(held, forward));
            self.set_aside(aside);
        }
    }

    /// The UE's REGISTER goes on, and ours is not retried before it has come to something.
    pub(super) fn give_way(
        &mut self,
        cx: &Context<'_, Config>,
        token: Option<Token>,
        outcome: Outcome,
        out: &mut Outbox<Pcscf>,
    ) {
        self.let_go_held(true, out);
        self.set_state(State::Returning {
            token,
            outcome,
            until: cx.now.after(cx.config.renewal_bound()),
        });
    }

    /// Nothing came of the UE's REGISTER.
    pub(super) fn go_on(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        outcome: Outcome,
        out: &mut Outbox<Pcscf>,
    ) {
        if !is_worth_another(outcome) || self.registers >= cx.config.attempts {
            self.clean(cx, who, outcome, out);
        } else if self.aside().heard {
            self.cancel(cx, who, out);
        } else {
            self.set_state(State::Waiting { until: cx.now });
        }
    }

    /// [PD-3] Something else was heard from the UE: it is not lost.
    pub(super) fn heard(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        out: &mut Outbox<Pcscf>,
    ) {
        self.note_heard(&cx.config.loss);
        if self.cause == Cause::AccessLost
            && matches!(self.state(), State::Queued | State::Waiting { .. })
        {
            self.cancel(cx, who, out);
        }
    }

    fn note_heard(&mut self, policy: &LossPolicy) {
        let mut aside = self.aside();
        if policy.heard_clears {
            aside.reports = Reports::NONE;
        }
        aside.heard = self.cause == Cause::AccessLost && !self.is_registered();
        self.set_aside(aside);
    }

    /// It is given up; the registration goes on.
    pub(super) fn cancel(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        out: &mut Outbox<Pcscf>,
    ) {
        self.let_go_held(true, out);
        let affected = self.affected(who, out);
        let id = cx.identifiers.event();
        out.event(Event::Cancelled {
            id,
            affected,
            cause: self.cause,
            registers: self.registers,
        });
        let (reached, registers) = (self.reached(), self.registers);
        let conclusion = Conclusion::GivenUp { reached, registers };
        self.audit(cx, (id, affected), conclusion, out);
        self.rest(self.aside().of_the_registration());
        self.registers = 0;
    }

    /// [DR-9] What it has come to in the network so far.
    const fn reached(&self) -> Option<Outcome> {
        match self.state() {
            State::Confirmed { .. } => Some(Outcome::Unconfirmed),
            State::Returning { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    /// Whether the 2xx is that to a REGISTER from before the report of loss, which has waited for it.
    pub(super) fn goes_on_after_it(&self) -> bool {
        self.cause == Cause::AccessLost && self.registers == 0 && self.marks.has(Marks::ASKED)
    }

    /// [PD-10] It lasts only so many seconds more.
    pub(super) fn shorten(&mut self, now: Millis, expires: u32) {
        let end = now.after_seconds(expires);
        if end < self.expires_at {
            self.expires_at = end;
            self.granted = self.granted.min(expires);
        }
    }

    /// [PD-1] Registered anew, for so many seconds. Whatever was heard before is past.
    pub(super) fn refresh(&mut self, cx: &Context<'_, Config>, expires: u32) {
        let association = self.association();
        self.granted = expires;
        self.expires_at = cx.now.after_seconds(expires);
        self.marks.set(Marks::ASKED, false);
        let mut aside = self.aside();
        if cx.config.loss.heard_clears {
            aside.reports = Reports::NONE;
        }
        let follows = self.expires_at.after(ASSOCIATION_BEYOND);
        aside.association = association.filter(|own| own.ends > follows);
        self.set_aside(aside);
    }

    /// [PD-4] Security associations are set up, or renewed.
    pub(super) fn protect(&mut self, cx: &Context<'_, Config>, lifetime: Option<u32>) {
        let before = self.association();
        self.marks.set(Marks::PROTECTED, true);
        let follows = self.expires_at.after(ASSOCIATION_BEYOND);
        let association = match lifetime {
            Some(seconds) => Some(Association {
                ends: cx.now.after_seconds(seconds),
                lasts: seconds,
            }),
            None => before.filter(|own| own.ends > follows),
        };
        self.set_aside(Aside {
            association,
            ..self.aside()
        });
    }

    /// [PD-4] Its security associations, if it has any.
    fn association(&self) -> Option<Association> {
        let follows = || Association {
            ends: self.expires_at.after(ASSOCIATION_BEYOND),
            lasts: self.granted,
        };
        let is_protected = self.marks.has(Marks::PROTECTED);
        is_protected.then(|| self.aside().association.unwrap_or_else(follows))
    }

    /// [PD-4] When their lifetime falls below the threshold.
    pub(super) fn association_lost_at(&self, config: &Config) -> Option<Millis> {
        let Association { ends, lasts } = self.association().filter(|_| !self.is_emergency())?;
        Some(before(ends, config.association_threshold, lasts))
    }

    /// [PD-4] The timer that has fired.
    pub(super) fn ran_out(&self, now: Millis, config: &Config) -> Option<Cause> {
        if self.is_emergency() {
            return None;
        }
        let association = self.association_lost_at(config);
        if now >= self.lost_at(config) {
            Some(Cause::RegistrationTimer)
        } else if association.is_some_and(|at| now >= at) {
            Some(Cause::SecurityAssociationTimer)
        } else {
            None
        }
    }

    /// Until when a NOTIFY may tell of the binding that our REGISTER has removed, now that there is a new one.
    pub(super) fn notify_is_owed(&self, cx: &Context<'_, Config>) -> Option<Millis> {
        match self.state() {
            State::Confirmed { .. }
            | State::Returning {
                outcome: Outcome::Unconfirmed,
                ..
            } => Some(cx.now.after(cx.config.notify_bound)),
            _ => None,
        }
    }

    pub(super) fn expect_the_replaced(&mut self, replaced_until: Option<Millis>) {
        self.set_aside(Aside {
            replaced_until,
            ..self.aside()
        });
    }

    /// Whether a NOTIFY that says that the contact is terminated means the binding before this one.
    pub(super) fn is_of_the_replaced(&self, now: Millis) -> bool {
        self.aside().replaced_until.is_some_and(|until| now < until)
    }

    /// [PD-9] Its contact was another before: no document has shown this one yet.
    pub(super) fn note_moved(&mut self, before: &[u8]) {
        if !same_uri(self.contact(), before) {
            self.marks.set(Marks::SEEN, false);
        }
    }

    /// [PD-10] A document has shown the contact as active: what comes after it is about this binding.
    pub(super) fn note_seen(&mut self) {
        self.marks.set(Marks::SEEN, true);
        self.expect_the_replaced(None);
    }
}

const fn held_ended(held: Held, forward: bool) -> Event {
    Event::HeldRegisterReleased {
        token: held.token,
        transaction: held.transaction,
        forward,
    }
}
