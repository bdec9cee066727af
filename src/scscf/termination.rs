//! [SD-5, SD-6] What the network ends, or has authenticated anew: the operator, the registrar beside the node, the
//! HSS.
//!
//! Each private identity's bindings are a deregistration of their own, from here to its outcome; its transitions
//! are those of every other one, `Deregistration::step`. Emergency registrations stay (TS 24.229 5.4.8).

use super::{
    Cause, Config, Event, Scscf, TerminationReason,
    deregistration::{Deregistration, Input, put_list},
    set::Set,
};
use crate::{
    drive::{Context, Misuse, Outbox},
    fleet::push_exact,
    regevent::notifier::{Resource, Subscription},
};

/// Deregistrations of one set for each contact that it may have, past which the network begins no other.
const MOST: usize = 4;

impl Set {
    /// [SD-5] Ends the bindings of these private identities, of all if none is given; whether there was anything to
    /// end. Each deregistration goes on by steps of its own. Where another S-CSCF has the whole set, all that still
    /// runs ends too.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if too many deregistrations run already; nothing is changed then.
    pub(super) fn deregister(
        &mut self,
        cx: &mut Context<'_, Config>,
        cause: Cause,
        private_identities: &[&[u8]],
        application_servers: &[u8],
        out: &mut Outbox<Scscf>,
    ) -> Result<bool, Misuse> {
        let parts = self.table.departing(private_identities);
        let most = cx.config.limits.contacts.saturating_mul(MOST);
        if self.procedures.len().saturating_add(parts.len()) > most {
            return Err(Misuse::TooLarge { limit: "contacts" });
        }
        for (private_identity, numbers) in &parts {
            push_exact(&mut self.procedures, Deregistration::new(cause));
            // The last of them tells the application servers: nobody is registered any more then.
            let ended = Input::Ended {
                private_identity,
                numbers,
                application_servers,
            };
            let place = self.procedures.len().saturating_sub(1);
            self.step_procedure(cx, place, ended, out)?;
        }
        let moved = cause == Cause::Hss(TerminationReason::NewServerAssigned)
            && self.table.is_terminated()
            && !self.procedures.is_empty();
        if moved {
            for place in 0..self.procedures.len() {
                self.step_procedure(cx, place, Input::Elsewhere, out)?;
            }
        }
        Ok(moved || !parts.is_empty())
    }

    /// [SD-5] Reports the emergency registrations that stay; whether there are any.
    pub(super) fn report_emergencies(
        &self,
        private_identities: &[&[u8]],
        out: &mut Outbox<Scscf>,
    ) -> bool {
        let pairs = self.table.emergencies(private_identities);
        if !pairs.is_empty() {
            let private = put_list(out, pairs.iter().map(|(private, _)| *private));
            let public = put_list(out, pairs.iter().map(|(_, public)| *public));
            out.event(Event::EmergencySpared {
                private_identities: private,
                public_identities: public,
            });
        }
        !pairs.is_empty()
    }

    /// [SD-5] Where another S-CSCF serves the user, a subscription that is left is ended here without a NOTIFY.
    pub(super) fn leaves_subscription(&self) -> Option<usize> {
        let leaves =
            self.table.is_terminated() && self.procedures.iter().any(Deregistration::is_leaving);
        let is_left = |own: &Subscription| !own.is_over();
        leaves.then(|| self.subscriptions.iter().position(is_left))?
    }
}
