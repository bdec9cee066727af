//! NOTIFYs to the subscriptions of a P-CSCF.

use alloc::vec::Vec;

use super::{CALL_ID, PcscfNode};
use crate::{
    drive::{Identifier, Millis, Misuse, Outbox, Source, TransactionRef, Verdict, increment},
    pcscf::{
        Input, MAX_CONTACTS, Pcscf,
        standing::{self, Standing, Watched},
    },
    regevent::{
        defect,
        notification::{Denied, Notification, Refusal},
        subscriber::Admission,
    },
    reginfo,
    wire::{Accepts, Header, HeaderName, Message, Owed, Uri, Writer},
};

/// What is taken in a NOTIFY: no extension can be demanded.
const TAKEN: Accepts<'_> = Accepts::server().content_types(&[reginfo::CONTENT_TYPE]);

impl PcscfNode {
    /// Whether a request is for a subscription of ours: its Request-URI is a Contact that we made.
    pub(super) fn is_for_us(&self, message: &Message<'_>) -> bool {
        let Some(Ok(target)) = message.request_uri().map(Uri::parse) else {
            return false;
        };
        let ours = Uri::parse(self.config.element.uri());
        target.user().and_then(Identifier::parse).is_some()
            && ours.is_ok_and(|ours| target.same_host_port(&ours))
    }

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
                // What a response copies of its request fits the room of a step.
                let _ = out.respond(txn, 200, |buffer| {
                    Writer::respond_to(buffer, message, 200, None).finish();
                });
                Ok(Verdict::Handled)
            }
            Err(Denied::Refused(refusal)) => {
                increment(&mut self.counters.notifies_refused);
                Ok(self.deny(txn, message, refusal, out))
            }
            Err(Denied::Misuse(misuse)) => Err(misuse),
        }
    }

    fn deny(
        &self,
        txn: TransactionRef,
        message: &Message<'_>,
        refusal: Refusal,
        out: &mut Outbox<Pcscf>,
    ) -> Verdict {
        let owed = Owed::with_status(message, refusal.status, refusal.reject, &TAKEN);
        let tag = self.identifiers.constant();
        if let Some(status) = owed.status() {
            let _ = out.respond(txn, status, |buffer| {
                owed.write(buffer, message, Some(tag));
            });
        }
        Verdict::Rejected(refusal.reject)
    }

    fn take_notify(
        &mut self,
        now: Millis,
        from: Source,
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Denied> {
        if from != Source::TrustedCore {
            return Err(Refusal::new(403, &defect::UNTRUSTED, 0).into());
        }
        let notification = Notification::read(message, &self.config.limits)?;
        TAKEN.check(message, &notification.required)?;
        let call_id = notification.required.call_id;
        let id = self.index.find(CALL_ID, call_id, |id| {
            let user = self.users.get(id as usize);
            let subscription = user.and_then(|user| user.subscription.as_ref());
            subscription.is_some_and(|s| s.call_id().text() == *call_id)
        });
        let Some(user) = id.and_then(|id| self.users.get(id as usize)) else {
            return Err(unknown_dialog(message));
        };
        let (Some(id), Some(subscription)) = (id, user.subscription.as_ref()) else {
            return Err(unknown_dialog(message));
        };
        let admission = subscription.admit(
            notification.local_tag,
            notification.remote_tag,
            notification.cseq,
        );
        match admission {
            Admission::New => {}
            Admission::Repeated => return Ok(()),
            Admission::Refuse(500) => {
                let at = message.header(HeaderName::CSeq).map_or(0, Header::at);
                return Err(Refusal::new(500, &defect::OUT_OF_ORDER, at).into());
            }
            Admission::Refuse(_) => return Err(unknown_dialog(message)),
        }
        let watched: Vec<Watched<'_>> = user
            .registrations
            .iter()
            .map(|r| Watched::new(&r.strings, r.is_emergency()))
            .collect();
        let standings = match message.body() {
            [] => [Standing::Unmentioned; MAX_CONTACTS],
            body => {
                let start = message.bytes().len().saturating_sub(body.len());
                standing::read(body, &self.config.limits, &watched)
                    .map_err(|reject| reject.shifted(start))?
            }
        };
        let count = watched.len();
        self.step_subscription(now, id, notification.input(), out)?;
        for (place, standing) in standings.iter().enumerate().take(count).rev() {
            let input = match *standing {
                Standing::Unmentioned | Standing::Active => continue,
                Standing::Shortened(expires) => Input::Shortened { expires },
                Standing::Terminated => Input::Terminated,
            };
            self.step(now, id, place, input, out)?;
        }
        self.settle(id);
        Ok(())
    }
}

fn unknown_dialog(message: &Message<'_>) -> Denied {
    let at = message.header(HeaderName::CallId).map_or(0, Header::at);
    Refusal::new(481, &defect::UNKNOWN_DIALOG, at).into()
}
