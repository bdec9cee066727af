//! What the host tells the node.

use super::{
    Bindings, Cause, Command, HeaderName, Id, Message, Method, Millis, Misuse, Outbox, Reject,
    Resource, Scscf, ScscfNode, Set, Verdict, defect, increment, notifier,
};
use crate::{
    scscf::{PublicIdentity, registration::Learned},
    wire::{Scheme, Uri},
};

impl ScscfNode {
    /// Whatever the host tells it.
    pub(super) fn obey(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        match command {
            Command::Learn {
                request,
                response,
                private_identity,
            } => self.learn(now, request, response, private_identity, out),
            Command::ChangeProfile {
                public_identity,
                identities,
            } => self.change_profile(now, public_identity, identities, out),
            Command::EndSubscriptions {
                public_identity,
                contact,
                reason,
            } => self.end_subscriptions(now, public_identity, contact, reason, out),
            Command::Deregister {
                public_identity,
                private_identity,
                reason,
            } => {
                let cause = Cause::Operator(reason);
                self.deregister(now, public_identity, private_identity, cause, out)
            }
            Command::RegistrationTermination {
                public_identity,
                private_identities,
                reason,
                application_servers,
            } => self.terminate(
                now,
                public_identity,
                private_identities,
                reason,
                application_servers,
                out,
            ),
            Command::Reauthenticate {
                public_identity,
                private_identity,
                expires,
            } => self.reauthenticate(now, public_identity, private_identity, expires, out),
            Command::DeregisterAll { reason, within } => self.deregister_all(now, reason, within),
            Command::PcscfFailed { pcscf } => self.pcscf_failed(pcscf),
            Command::PcscfRestored { pcscf } => self.pcscf_restored(pcscf),
        }
    }

    /// [SD-7] Learns a registration, or a change of it.
    pub(super) fn learn(
        &mut self,
        now: Millis,
        request: &[u8],
        response: &[u8],
        private_identity: Option<&[u8]>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        let limits = self.config.limits;
        let request = Message::parse(request, &limits).map_err(Misuse::BadCommand)?;
        let response = Message::parse(response, &limits).map_err(Misuse::BadCommand)?;
        if request.method() != Some(Method::Register) {
            let not_register = Reject::new(&defect::NOT_A_REGISTER, 0);
            return Err(Misuse::BadCommand(not_register));
        }
        if !response
            .status()
            .is_some_and(|status| (200..300).contains(&status))
        {
            return Ok(Verdict::NotMine);
        }
        for message in [&request, &response] {
            if message.contacts().nth(limits.contacts).is_some() {
                return Err(Misuse::TooLarge { limit: "contacts" });
            }
        }
        let associated = response.name_addrs(HeaderName::PAssociatedUri);
        if associated.take(limits.identities.saturating_add(1)).count() > limits.identities {
            return Err(Misuse::TooLarge {
                limit: "identities",
            });
        }
        let mut learned =
            Learned::read(&request, &response, private_identity).map_err(Misuse::BadCommand)?;
        learned.failure = self.failures.latest;
        let default = learned.associated_identities.first().copied();
        let known = self
            .find_identity(learned.registered_identity)
            .or_else(|| self.find_identity(default?));
        // One that is only of a deregistration has no room of a user's yet.
        let binds = learned.contacts.iter().any(|contact| contact.expires > 0);
        let is_full = binds && self.load.served >= limits.users;
        let (id, changed) = match known.and_then(|id| Some((id, self.wake(id)?))) {
            Some((_, set)) if is_full && set.counted.served == 0 => return Err(Misuse::NodeFull),
            Some((id, set)) => (id, set.table.learn(&learned, now, &limits)?),
            None => {
                let mut table = Bindings::default();
                table.learn(&learned, now, &limits)?;
                if table.is_terminated() {
                    return Ok(Verdict::Handled);
                }
                if is_full {
                    return Err(Misuse::NodeFull);
                }
                (self.admit(table)?, false)
            }
        };
        increment(&mut self.counters.learned);
        self.file(id);
        if changed {
            self.with_set(now, id, |set, cx| {
                set.tell_subscribers(cx, out);
                Ok(())
            })?;
        }
        self.settle(now, id, out);
        Ok(Verdict::Handled)
    }

    /// [SD-7] Takes over the identities of a profile that the HSS has changed (T36).
    pub(super) fn change_profile(
        &mut self,
        now: Millis,
        public_identity: &[u8],
        identities: &[PublicIdentity<'_>],
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        let limits = self.config.limits;
        if identities.len() > limits.identities {
            return Err(Misuse::TooLarge {
                limit: "identities",
            });
        }
        check_identities(identities).map_err(Misuse::BadCommand)?;
        let Some(id) = self.find_registered(public_identity) else {
            return Ok(Verdict::NotMine);
        };
        let change = |set: &mut Set| set.table.change_profile(identities, &limits);
        let changed = self.wake(id).map(change).transpose()?;
        increment(&mut self.counters.profiles_changed);
        self.file(id);
        if changed == Some(true) {
            self.with_set(now, id, |set, cx| {
                set.tell_subscribers(cx, out);
                Ok(())
            })?;
        }
        self.settle(now, id, out);
        Ok(Verdict::Handled)
    }

    /// [RN-4] Ends the subscriptions to a set, or those with that Contact.
    pub(super) fn end_subscriptions(
        &mut self,
        now: Millis,
        public_identity: &[u8],
        contact: Option<&[u8]>,
        reason: notifier::Reason,
        out: &mut Outbox<Scscf>,
    ) -> Result<Verdict, Misuse> {
        let Some(id) = self.find_identity(public_identity) else {
            return Ok(Verdict::NotMine);
        };
        let ended = self.with_set(now, id, |set, cx| {
            Ok(set.end_subscriptions(cx, contact, reason, out))
        })?;
        self.settle(now, id, out);
        Ok(match ended {
            Some(true) => Verdict::Handled,
            _ => Verdict::NotMine,
        })
    }

    /// The set of an identity, if anything is bound to it.
    fn find_registered(&self, public_identity: &[u8]) -> Option<Id> {
        let id = self.find_identity(public_identity)?;
        self.sets.get(id)?.is_registered().then_some(id)
    }
}

/// Whether these can be the public identities of a set: SIP or tel URIs (TS 23.003 13.4), one of them not barred.
fn check_identities(identities: &[PublicIdentity<'_>]) -> Result<(), Reject> {
    for identity in identities {
        match Uri::parse(identity.uri)?.scheme() {
            Scheme::Sip | Scheme::Sips | Scheme::Tel => {}
            _ => return Err(Reject::new(&defect::NOT_AN_IDENTITY, 0)),
        }
    }
    match identities.iter().any(|identity| !identity.barred) {
        true => Ok(()),
        false => Err(Reject::new(&defect::NO_IDENTITY, 0)),
    }
}
