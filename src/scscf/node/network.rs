//! [SD-5, SD-6] What operator and HSS do to registrations, one set a command.

use super::{Id, Millis, Misuse, Outbox, Scscf, ScscfNode, Verdict, increment};
use crate::{
    drive::Reject,
    scscf::{Cause, TerminationReason, defect, third_party::check_servers},
};

impl ScscfNode {
    /// [SD-5] The operator ends the registrations of a set, or those of one of its private identities.
    pub(super) fn deregister(
        &mut self,
        now: Millis,
        public_identity: &[u8],
        private_identity: Option<&[u8]>,
        cause: Cause,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        let Some(id) = self.find_identity(public_identity) else {
            return Ok(Verdict::NotMine);
        };
        self.end_registrations(now, id, cause, private_identity.as_slice(), b"", out)
    }

    /// [SD-5] The HSS ends the registrations of a set, or those of some of its private identities.
    pub(super) fn terminate(
        &mut self,
        now: Millis,
        public_identity: &[u8],
        private_identities: &[&[u8]],
        reason: TerminationReason,
        application_servers: &[u8],
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        check_servers(application_servers)?;
        if private_identities.len() > self.config.limits.contacts {
            return Err(Misuse::TooLarge { limit: "contacts" });
        }
        let Some(id) = self.find_identity(public_identity) else {
            return Ok(Verdict::NotMine);
        };
        if reason == TerminationReason::RemoveScscf {
            return Ok(Verdict::NotMine);
        }
        let cause = Cause::Hss(reason);
        self.end_registrations(now, id, cause, private_identities, application_servers, out)
    }

    pub(super) fn end_registrations(
        &mut self,
        now: Millis,
        id: Id,
        cause: Cause,
        private_identities: &[&[u8]],
        application_servers: &[u8],
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        let ended = self.with_set(now, id, |set, cx| {
            let ended = set.deregister(cx, cause, private_identities, application_servers, out)?;
            let spared = set.report_emergencies(private_identities, out);
            Ok((ended, spared))
        })?;
        let (ended, spared) = ended.unwrap_or_default();
        if spared {
            increment(&mut self.counters.emergencies_spared);
        }
        self.settle(now, id, out);
        Ok(match ended || spared {
            true => Verdict::Handled,
            false => Verdict::NotMine,
        })
    }

    /// [SD-6] Cuts the time that is left to the bindings of a set, or to those of one of its private identities.
    pub(super) fn reauthenticate(
        &mut self,
        now: Millis,
        public_identity: &[u8],
        private_identity: Option<&[u8]>,
        expires: u32,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        if expires == 0 {
            return Err(Misuse::BadCommand(Reject::new(&defect::NO_TIME, 0)));
        }
        let whose = private_identity.as_slice();
        let found = self.find_identity(public_identity);
        let found = found.filter(|id| {
            let set = self.wake(*id);
            set.is_some_and(|set| !set.table.departing(whose).is_empty())
        });
        let Some(id) = found else {
            return Ok(Verdict::NotMine);
        };
        self.with_set(now, id, |set, cx| {
            if set.table.shorten(whose, now.after_seconds(expires), now) {
                set.tell_subscribers(cx, out);
            }
            Ok(())
        })?;
        increment(&mut self.counters.reauthentications);
        self.settle(now, id, out);
        Ok(Verdict::Handled)
    }
}
