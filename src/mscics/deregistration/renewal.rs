//! [MS-1] The host registers the subscriber again while that one is deregistered.
//!
//! - What is registered is from then on what the host has registered last: a REGISTER that has not gone out is made of
//!   that, and so is what is compared, reported and released.
//! - [DR-7] A REGISTER of ours that is out stays what it was made of, for after a restart the same goes out again.
//! - Where that is another binding than the new one, each attempt that follows a failure is made of it too, for it has not
//!   been removed yet; one more REGISTER removes the new one then, whatever the others have come to. Where it is the same
//!   binding, a new attempt, made of the new details, removes both.
//! - The host may remove either of them itself: then the other one is what there is to remove.

use alloc::boxed::Box;
use core::mem;

use super::{Outcome, Registration, is_removed};
use crate::{
    drive::{Context, Misuse, Outbox},
    mscics::{
        Cause, Change, Config, Mscics,
        registration::{Details, Strings},
    },
};

/// [DR-7] What a REGISTER of ours was made of, where the host has registered the subscriber with other details since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) strings: Strings,
    pub(crate) requires_path: bool,
}

impl Registration {
    /// What the REGISTER that is out, or the next one, is made of, and whether it demands `path`.
    pub(in crate::mscics) fn made_of(&self) -> (&Strings, bool) {
        match self.former() {
            Some(former) => (&former.strings, former.requires_path),
            None => (&self.strings, self.requires_path),
        }
    }

    pub(in crate::mscics) fn former(&self) -> Option<&Former> {
        self.running.beside()?.as_deref()
    }

    /// Of a deregistration that is at rest, there is none.
    pub(in crate::mscics) fn set_former(&mut self, former: Option<Box<Former>>) {
        if let Some(beside) = self.running.beside_mut() {
            *beside = former;
        }
    }

    /// [MS-1] A 2xx to a REGISTER of the host, which may have been sent before the trigger: it says what is registered, and
    /// not that the subscriber has returned. What had only run out, or was ended by the network, is registered still.
    pub(super) fn learn(
        &mut self,
        cx: &mut Context<'_, Config>,
        details: &Details<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Change, Misuse> {
        let renewed = Self::new(details, &cx.config.limits, cx.now)?;
        let is_out = self.has_request_out();
        let is_wrong = matches!(self.cause, Cause::Expiry | Cause::Network);
        let is_refuted = is_wrong && !self.is_registered();
        if is_refuted && !self.has_sent() {
            let _ = self.cancel(cx, out);
        }
        self.renew(renewed);
        if is_out {
            self.change(|running| running.renewed = true);
        }
        let mut is_back = false;
        if self.running.get().ends == Some(Outcome::Notified) {
            self.change(|running| running.ends = None);
            is_back = self.running.get().returned && self.can_stop();
        }
        Ok(match is_refuted && self.has_sent() {
            true => self.note_returned(cx, out),
            false if is_back => self.cancel(cx, out),
            false => Change::Goes,
        })
    }

    /// [MS-1] The host's own REGISTER has removed a contact: the present one, or the one that a REGISTER of ours is made
    /// of. Of another one it says nothing.
    pub(super) fn learn_removal(
        &mut self,
        cx: &mut Context<'_, Config>,
        details: &Details<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Change, Misuse> {
        let removed = match details.contact {
            // All of them.
            b"" => None,
            _ => Some(Self::new(details, &cx.config.limits, cx.now)?.strings),
        };
        let is_gone = |own: &Strings| removed.as_ref().is_none_or(|it| own.is_at_contact_of(it));
        let (is_former_gone, is_present_gone) = (
            self.former().is_none_or(|former| is_gone(&former.strings)),
            is_gone(&self.strings),
        );
        match (is_present_gone, is_former_gone) {
            (true, true) => Ok(self.end_by_host(cx, out)),
            (true, false) => {
                self.go_back_to_former();
                Ok(Change::Goes)
            }
            (false, true) => {
                self.set_former(None);
                Ok(Change::Goes)
            }
            (false, false) => Ok(Change::Goes),
        }
    }

    fn end_by_host(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        if self.is_registered() {
            self.cause = Cause::Host;
        }
        self.take_from_shutdown(cx, Cause::Host);
        self.offer_releases(cx, |dialog| dialog.release.is_none(), out);
        self.end(cx, Outcome::ByHost, out)
    }

    /// What is left to be removed is what the REGISTER that is out, or the next one, is made of.
    fn go_back_to_former(&mut self) {
        let beside = self.running.beside_mut();
        if let Some(former) = beside.and_then(Option::take) {
            self.strings = former.strings;
            self.requires_path = former.requires_path;
            self.change(|running| running.renewed = false);
        }
    }

    /// [MS-1] The end; but where the host's own REGISTER may have been taken after ours, or is of another binding than ours
    /// was, and the subscriber has not returned, one more removes what that may have bound. It is one more than the attempts
    /// at most. What may remain of the other is the outcome then.
    pub(super) fn end_or_repeat(
        &mut self,
        cx: &mut Context<'_, Config>,
        outcome: Outcome,
        out: &mut Outbox<Mscics>,
    ) -> Change {
        let running = self.running.get();
        let may_remain = !is_removed(outcome);
        let is_to_repeat = match may_remain {
            true => self
                .former()
                .is_some_and(|own| !own.strings.is_binding_of(&self.strings)),
            false => running.renewed,
        };
        if !is_to_repeat || running.returned || self.registers > cx.config.attempts {
            return self.end(cx, outcome, out);
        }
        self.change(|running| {
            running.last = Some(outcome);
            running.left = running.left.or(may_remain.then_some(outcome));
        });
        self.set_former(None);
        self.queued = true;
        Change::Goes
    }

    /// What it is registered with from now on. No document has shown another contact than before.
    fn renew(&mut self, renewed: Self) {
        self.seen &= self.strings.is_at_contact_of(&renewed.strings);
        let former = Former {
            strings: mem::replace(&mut self.strings, renewed.strings),
            requires_path: mem::replace(&mut self.requires_path, renewed.requires_path),
        };
        let is_other =
            (&former.strings, former.requires_path) != (&self.strings, self.requires_path);
        if is_other && self.former().is_none() && self.is_under_way() {
            self.set_former(Some(Box::new(former)));
        }
        self.cseq = renewed.cseq;
        self.told_since = false;
        self.expires_at = renewed.expires_at;
    }

    /// Whether a REGISTER has gone out by which nothing has been removed yet.
    fn is_under_way(&self) -> bool {
        let last = self.running.get().last;
        self.has_request_out() || last.is_some_and(|last| !is_removed(last))
    }

    /// A new attempt is made of what the host has registered last, if that removes as well what the one before was to
    /// remove. Else another one is to follow it.
    pub(super) fn begin_attempt(&mut self) {
        let removes_both = |former: &Former| former.strings.is_binding_of(&self.strings);
        if self.former().is_some_and(removes_both) {
            self.set_former(None);
        }
        let is_of_former = self.former().is_some();
        self.change(|running| running.renewed = is_of_former);
    }
}
