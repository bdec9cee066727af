//! NOTIFYs to the subscriptions of an MSC server.

use super::MscNode;
use crate::{
    deregister::standing::{self, Standing, State, Watched},
    drive::{Context, Millis, Misuse, Outbox, Reject, Source, TransactionRef, Verdict, increment},
    fleet::Id,
    mscics::{Input, Mscics},
    regevent::{
        notification::{Denied, Notification},
        subscriptions::{Finding, accept, deny},
        watcher::Taking,
    },
    wire::Message,
};

impl MscNode {
    /// [RE-10, MS-6] A NOTIFY to one of our subscriptions. Once the REGISTER is out, what it says is not looked at.
    pub(super) fn notify(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<Mscics>,
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
        out: &mut Outbox<Mscics>,
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
                let finding = read
                    .as_ref()
                    .map_or(Finding::default(), |(_, finding)| *finding);
                self.step_notified(now, id, &notification, finding, out)?;
                match read.and_then(|(state, _)| state.standings.first().copied()) {
                    Some(standing) => Ok(self.apply(now, owner, standing, out)?),
                    None => Ok(()),
                }
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

    /// [RI-3] What the document says of the registration, if it has one that is taken.
    fn read_document(
        &mut self,
        id: Id,
        owner: Id,
        message: &Message<'_>,
        notification: &Notification<'_>,
    ) -> Result<Option<(State, Finding)>, Reject> {
        let body = message.body();
        let registration = self.subscribers.get(owner).map(|owner| &owner.registration);
        let is_looked_at = !body.is_empty();
        let Some(registration) = registration.filter(|it| is_looked_at && !it.has_sent()) else {
            return Ok(None);
        };
        let watched: [Watched<'_>; 1] = [registration.watched()];
        let start = message.end().saturating_sub(body.len());
        let state = standing::read(body, &self.config.limits, &watched)
            .map_err(|reject| reject.shifted(start))?;
        let (cseq, quirks) = (notification.cseq, self.config.subscription.quirks);
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
            // There is nothing to subscribe to anew, and nothing to end by a message.
            all_terminated: state.all_terminated && notification.is_terminated(),
        };
        Ok(Some((state, finding)))
    }

    fn step_notified(
        &mut self,
        now: Millis,
        id: Id,
        notification: &Notification<'_>,
        finding: Finding,
        out: &mut Outbox<Mscics>,
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

    /// What was told. Of what is past, or of another contact before the present one, nothing follows, but that there is
    /// something to subscribe to anew where the subscription has ended with it.
    fn apply(
        &mut self,
        now: Millis,
        owner: Id,
        standing: Standing,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        if let Standing::Active | Standing::Shortened(_) = standing {
            if let Some(subscriber) = self.subscribers.get_mut(owner) {
                subscriber.registration.seen = true;
            }
        }
        let input = match standing {
            Standing::Past => return self.subscribe_anew(now, owner, out),
            Standing::Unmentioned if self.is_subscribed_before(owner) => {
                return self.subscribe_anew(now, owner, out);
            }
            Standing::Unmentioned | Standing::Active => return Ok(()),
            Standing::Shortened(expires) => Input::Shortened { expires },
            Standing::Terminated => Input::Terminated,
        };
        self.step(now, owner, input, out)?;
        self.settle(owner, out);
        Ok(())
    }

    /// Whether the subscription is older than the REGISTER by which the subscriber is registered.
    fn is_subscribed_before(&self, owner: Id) -> bool {
        let subscriber = self.subscribers.get(owner);
        subscriber.is_some_and(|subscriber| !subscriber.registration.told_since)
    }

    fn subscribe_anew(
        &mut self,
        now: Millis,
        owner: Id,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let registration = self.subscribers.get(owner).map(|owner| &owner.registration);
        let left = registration.map_or(0, |registration| registration.seconds_left(now));
        self.subscribe(now, (owner, true), left, out)?;
        self.settle(owner, out);
        Ok(())
    }
}
