//! [MS-1] The host registers the subscriber again while that one is deregistered.
//!
//! - What is registered is from then on what the host has registered last: a REGISTER that has not gone out is made of
//!   that, and so is what is compared, reported and released.
//! - [DR-7] A REGISTER of ours that is out stays what it was made of, for after a restart the same goes out again.
//! - Where that is another binding than the new one, each attempt that follows a failure is made of it too, for it has not
//!   been removed yet; one more REGISTER removes the new one then. Where it is the same binding, a new attempt, made of the
//!   new details, removes both.

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
        if self.running.get().ends == Some(Outcome::Notified) {
            self.change(|running| running.ends = None);
        }
        Ok(match is_refuted && self.has_sent() {
            true => self.note_returned(cx, out),
            false => Change::Goes,
        })
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
