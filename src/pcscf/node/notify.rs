//! NOTIFYs to the subscriptions of a P-CSCF.

use super::PcscfNode;
use crate::{
    drive::{Context, Millis, Misuse, Outbox, Reject, Source, TransactionRef, Verdict, increment},
    fleet::{Few, Id},
    pcscf::{
        Input, Pcscf, Registration,
        standing::{self, Standing, State, Watched},
    },
    regevent::{
        notification::{Denied, Notification},
        subscriptions::{Finding, accept, deny},
        watcher::Taking,
    },
    wire::Message,
};

impl PcscfNode {
    /// [RE-10] A NOTIFY to one of our subscriptions.
    pub(super) fn notify(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        match self.take_notify(now, from, message, out) {
            Ok(()) => {
                increment(&mut self.counters.notifies);
                Ok(accept(txn, message, out))
            }
            Err(Denied::Refused(refusal)) => {
                increment(&mut self.counters.notifies_refused);
                let tag = self.identifiers.constant();
                Ok(deny(txn, message, refusal, tag, out))
            }
            Err(Denied::Misuse(misuse)) => Err(misuse),
        }
    }

    fn take_notify(
        &mut self,
        now: Millis,
        from: Source,
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Denied> {
        let config = &self.config;
        let admitted =
            self.subscriptions
                .admit(&config.subscription, &config.limits, from, message)?;
        let Some((id, notification)) = admitted else {
            return Ok(());
        };
        let Some(owner) = self.subscriptions.owner(id) else {
            return Ok(());
        };
        match self.read_document(id, owner, message, &notification) {
            Ok(read) => {
                let standings = read.as_ref().map_or(&[][..], |(state, _)| &state.standings);
                let mut finding = read
                    .as_ref()
                    .map_or(Finding::default(), |(_, finding)| *finding);
                // The user has registered anew since.
                finding.all_terminated &= !self.expects_the_replaced(now, owner);
                if finding.all_terminated {
                    self.note_left(owner);
                }
                self.step_notified(now, id, &notification, finding, out)?;
                Ok(self.apply_standings(now, owner, standings, out)?)
            }
            Err(reject) => {
                let finding = Finding {
                    unread: true,
                    ..Finding::default()
                };
                self.step_notified(now, id, &notification, finding, out)?;
                Err(reject.into())
            }
        }
    }

    /// [RI-3, PD-10] What the document says of the registrations of the user, if it has one that is taken.
    fn read_document(
        &mut self,
        id: Id,
        owner: Id,
        message: &Message<'_>,
        notification: &Notification<'_>,
    ) -> Result<Option<(State, Finding)>, Reject> {
        let body = message.body();
        let user = self.users.get(owner);
        let Some(user) = user.filter(|_| !body.is_empty()) else {
            return Ok(None);
        };
        let watched: Few<Watched<'_>> = user
            .registrations
            .iter()
            .map(Registration::watched)
            .collect();
        let start = message.end().saturating_sub(body.len());
        let state = standing::read(body, &self.config.limits, &watched)
            .map_err(|reject| reject.shifted(start))?;
        let cseq = notification.cseq;
        let quirks = self.config.subscription.quirks;
        let taking = self
            .subscriptions
            .judge(id, state.version, state.document, cseq, quirks);
        let Taking::Process { gap } = taking else {
            return Ok(None);
        };
        self.subscriptions.take(id, state.version, cseq);
        let finding = Finding {
            gap,
            unread: false,
            all_terminated: state.all_terminated,
        };
        Ok(Some((state, finding)))
    }

    fn step_notified(
        &mut self,
        now: Millis,
        id: Id,
        notification: &Notification<'_>,
        finding: Finding,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let stepped = self
            .subscriptions
            .notify(&mut cx, id, notification, finding, out)?;
        self.take_leave(stepped, out);
        Ok(())
    }

    /// [PD-10] The registrations, the last first, as one that is gone changes the places of those after it.
    fn apply_standings(
        &mut self,
        now: Millis,
        owner: Id,
        standings: &[Standing],
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        let mut stepped = false;
        for (place, standing) in standings.iter().enumerate().rev() {
            if let Standing::Active | Standing::Shortened(_) = standing {
                self.note_seen(owner, place);
            }
            let input = match *standing {
                Standing::Unmentioned | Standing::Active | Standing::Past => continue,
                Standing::Shortened(expires) => Input::Shortened { expires },
                Standing::Terminated => Input::Terminated,
            };
            let _ = self.step(now, owner, place, input, out)?;
            stepped = true;
        }
        if stepped {
            self.settle(owner, out);
        }
        Ok(())
    }

    /// [PD-9] Whether a document may still tell of a binding that has been replaced.
    fn expects_the_replaced(&self, now: Millis, owner: Id) -> bool {
        let user = self.users.get(owner);
        user.is_some_and(|user| {
            let mut all = user.registrations.iter();
            all.any(|registration| registration.is_of_the_replaced(now))
        })
    }

    fn note_seen(&mut self, owner: Id, place: usize) {
        let user = self.users.get_mut(owner);
        if let Some(registration) = user.and_then(|user| user.registrations.get_mut(place)) {
            registration.note_seen();
        }
    }
}
