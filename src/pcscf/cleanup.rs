//! [PD-7] The cleanup of a registration: its steps in order, each a question that the host answers.
//!
//! What is still owed to the UE is delivered first, for what is torn down before loses it (T43). Security
//! associations are released at once, but shortened first where the network has deregistered a UE that is still
//! there: long enough for its own NOTIFY to reach it (TS 24.229 5.2.5.2). Then the bearer, then the registration is
//! forgotten. What another registration stays on is not touched (T48).

use super::{
    Affected, Audit, Conclusion, Config, Event, Pcscf, Question,
    aside::{Aside, Marks},
    deregistration::{Cause, Change, Outcome, Registration, State, Step},
};
use crate::drive::{Context, Identifier, Millis, Outbox};

/// DIAMETER_LOGOUT (RFC 6733 8.15).
const LOGOUT: u32 = 1;

impl Registration {
    pub(super) fn clean(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        outcome: Outcome,
        out: &mut Outbox<Pcscf>,
    ) {
        self.let_go_held(true, out);
        // What a REGISTER of the UE that is under way needs is not torn down under it.
        let not_before = if self.marks.has(Marks::ASKED) {
            cx.now.after(cx.config.renewal_bound())
        } else {
            Millis(0)
        };
        self.clean_by(cx, outcome, Step::Delivery, not_before);
        self.ask(cx, who, out);
    }

    /// [PD-8] The same, whatever the UE itself has begun.
    pub(super) fn end_now(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        outcome: Outcome,
        out: &mut Outbox<Pcscf>,
    ) {
        self.marks.set(Marks::ASKED, false);
        self.clean(cx, who, outcome, out);
    }

    /// [PD-7] Whether its next step is waited with.
    pub(super) fn is_put_off(&self, now: Millis) -> bool {
        let is_unasked = matches!(self.state(), State::Cleaning { token: None, .. });
        is_unasked && now < self.aside().not_before
    }

    /// [PD-7, PD-9] Nothing that the UE has begun is waited for any more; what was to be shortened, as long as before.
    pub(super) fn go_on_cleaning(&mut self) {
        self.marks.set(Marks::ASKED, false);
        let has_shortened = self.cause == Cause::Network
            && matches!(
                self.state(),
                State::Cleaning {
                    step: Step::SecurityAssociation | Step::Bearer,
                    ..
                }
            );
        if !has_shortened {
            let aside = self.aside();
            self.set_aside(Aside {
                not_before: Millis(0),
                ..aside
            });
        }
    }

    /// [PD-7] The step after this one; after the last, the outcome.
    pub(super) fn clean_on(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        done: bool,
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        let State::Cleaning {
            outcome, step, key, ..
        } = self.state()
        else {
            return Change::Goes;
        };
        let Some(next) = self.step_after(step) else {
            return self.report(cx, who, (outcome, key), out);
        };
        let not_before = match step {
            Step::Shortening if done => cx.now.after(cx.config.shortened_association()),
            _ => Millis(0),
        };
        self.clean_by(cx, outcome, next, not_before);
        if cx.now >= self.aside().not_before {
            self.ask(cx, who, out);
        }
        Change::Goes
    }

    /// When the question of the present step is asked: again, at once.
    pub(super) const fn asked_from(&self, until: Millis) -> Millis {
        match until {
            Millis(0) => self.aside().not_before,
            _ => Millis(0),
        }
    }

    fn step_after(&self, step: Step) -> Option<Step> {
        let next = match step {
            Step::Delivery if self.cause == Cause::Network => Step::Shortening,
            Step::Delivery | Step::Shortening => Step::SecurityAssociation,
            Step::SecurityAssociation => Step::Bearer,
            Step::Bearer => return None,
        };
        let mark = match next {
            Step::Bearer => Marks::BEARER_SHARED,
            _ => Marks::CONTACT_SHARED,
        };
        (!self.marks.has(mark)).then_some(next)
    }

    /// The step is asked for when nothing is waited for any more.
    fn clean_by(
        &mut self,
        cx: &mut Context<'_, Config>,
        outcome: Outcome,
        step: Step,
        not_before: Millis,
    ) {
        let aside = self.aside();
        self.set_aside(Aside {
            not_before: aside.not_before.max(not_before),
            ..aside
        });
        self.set_state(State::Cleaning {
            outcome,
            step,
            key: cx.identifier(),
            token: None,
            until: Millis(0),
        });
    }

    /// Asks the question of the present step: at first, or the same again after a restore.
    pub(super) fn ask(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        out: &mut Outbox<Pcscf>,
    ) {
        let State::Cleaning {
            outcome,
            step,
            key,
            until,
            ..
        } = self.state()
        else {
            return;
        };
        let affected = self.affected(who, out);
        let token = cx.token();
        let is_there = outcome == Outcome::ByUser || self.cause == Cause::Network;
        let bound = match step {
            Step::Delivery if is_there => cx.config.delivery_bound(),
            _ => cx.config.cleanup_bound,
        };
        self.set_state(State::Cleaning {
            outcome,
            step,
            key,
            token: Some(token),
            // Asked again, it has what is left of its time.
            until: if until > cx.now {
                until
            } else {
                cx.now.after(bound)
            },
        });
        let question = match step {
            Step::Delivery => Question::OwedDelivery { key, affected },
            Step::Shortening => Question::SecurityAssociationShortening {
                key,
                affected,
                milliseconds: cx.config.shortened_association(),
            },
            Step::SecurityAssociation => Question::SecurityAssociationRelease { key, affected },
            Step::Bearer => Question::BearerRelease {
                key,
                affected,
                termination_cause: LOGOUT,
            },
        };
        out.ask(token, question);
    }

    pub(super) fn report(
        &self,
        cx: &Context<'_, Config>,
        who: &[u8],
        (outcome, id): (Outcome, Identifier),
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        let affected = self.affected(who, out);
        out.event(Event::Deregistered {
            id,
            affected,
            cause: self.cause,
            outcome,
            registers: self.registers,
        });
        let registers = self.registers;
        let conclusion = Conclusion::Ended { outcome, registers };
        self.audit(cx, (id, affected), conclusion, out);
        Change::Gone(outcome)
    }

    /// [DR-9] The record of what has just been reported.
    pub(super) fn audit(
        &self,
        cx: &Context<'_, Config>,
        (id, affected): (Identifier, Affected),
        outcome: Conclusion<Outcome>,
        out: &mut Outbox<Pcscf>,
    ) {
        if cx.config.audit {
            out.event(Event::Audited(Audit {
                id,
                affected,
                initiator: self.cause.initiator(),
                cause: self.cause,
                outcome,
                began: self.begun.instant(),
                resumed: self.begun.is_resumed(),
                ended: cx.now,
            }));
        }
    }
}
