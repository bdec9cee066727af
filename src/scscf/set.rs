//! One implicit registration set: its table, who subscribes to it, and the deregistrations that run.

use alloc::vec::Vec;

use super::{
    Cause, Config, Scscf,
    bindings::{Bindings, Field},
    deregistration::{Change, Deregistration, Input},
    recognition::{is_owner, owner},
    registration::canonical,
};
use crate::{
    drive::{Context, Limits, Millis, Misuse, Outbox, Timer, Token},
    fleet::{Few, push_exact},
    regevent::notifier::{self, Resource, Subscribe, Subscription},
    wire::{HeaderName, Message, Uri},
};

/// What a set takes of the bounds of its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Deregistrations that wait for the verdict on the user.
    pub(super) waiting: usize,
    /// 1 if it has bindings, or remembers them; 0 if it is only of deregistrations.
    pub(super) served: usize,
}

/// One set.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) table: Bindings,
    pub(super) subscriptions: Few<Subscription>,
    pub(super) procedures: Vec<Deregistration>,
    /// Its load as the node has counted it.
    pub(super) counted: Load,
}

/// Which machine of a set is due.
#[derive(Clone, Copy)]
enum Due {
    Subscription(usize),
    Procedure(usize),
    Expiry,
    Purge,
    /// A subscription that is left behind, another S-CSCF having the user.
    Leaving(usize),
}

/// For whom an answer is.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    Subscription(usize),
    Procedure { place: usize, request: bool },
}

/// Who subscribes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subscriber {
    /// An identity of the set.
    User,
    /// A P-CSCF or application server.
    Element,
}

/// What subscriptions are counted by.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    who: Subscriber,
    is_fetch: bool,
}

impl Kind {
    const fn of(subscription: &Subscription) -> Self {
        Self {
            who: match subscription.is_own() {
                true => Subscriber::User,
                false => Subscriber::Element,
            },
            is_fetch: subscription.is_fetch(),
        }
    }

    fn asked(request: &Subscribe<'_>, who: Subscriber) -> Self {
        Self {
            who,
            is_fetch: request.is_fetch(),
        }
    }
}

/// [DR-5] The places for subscriptions, or for fetches, and how many of them the user may take.
const fn places(limits: &Limits, are_fetches: bool) -> (usize, usize) {
    let quarter = limits.subscribers.div_ceil(4);
    if are_fetches {
        (quarter.saturating_mul(2), quarter)
    } else {
        (
            limits.subscribers,
            limits.subscribers.saturating_sub(quarter),
        )
    }
}

/// [DR-5] The most subscriptions and fetches of one set.
pub(super) const fn most_subscriptions(limits: &Limits) -> usize {
    let (subscriptions, fetches) = (places(limits, false).0, places(limits, true).0);
    subscriptions.saturating_add(fetches)
}

impl Set {
    pub(super) const fn new(table: Bindings) -> Self {
        Self {
            table,
            subscriptions: Few::new(),
            procedures: Vec::new(),
            counted: Load {
                waiting: 0,
                served: 0,
            },
        }
    }

    /// What it takes of the bounds of its node.
    pub(super) fn load(&self) -> Load {
        Load {
            waiting: self.waiting(),
            served: usize::from(!self.table.bindings.is_empty()),
        }
    }

    fn waiting(&self) -> usize {
        let waiting = self
            .procedures
            .iter()
            .filter(|machine| machine.is_authenticating());
        waiting.count()
    }

    /// Number of the latest change that every subscriber knows of.
    fn told(&self) -> u64 {
        let told = self.subscriptions.iter().map(Subscription::told).min();
        told.unwrap_or(self.table.changes())
    }

    fn uses(&self) -> impl Fn(u32) -> bool {
        let procedures = &self.procedures;
        |number| {
            procedures
                .iter()
                .any(|procedure| procedure.removed.contains(&number))
        }
    }

    /// [DR-6] Everything that can be due, the earliest first; at one instant a NOTIFY before an application
    /// server (SD-4), and both before the end of a binding's time.
    fn next(&self) -> Option<(Millis, Timer, Due)> {
        let subscriptions = self
            .subscriptions
            .iter()
            .enumerate()
            .filter_map(|(place, machine)| {
                let (at, timer) = machine.deadline()?;
                Some((at, timer, Due::Subscription(place)))
            });
        let procedures = self
            .procedures
            .iter()
            .enumerate()
            .filter_map(|(place, machine)| {
                let (at, timer) = machine.deadline()?;
                Some((at, timer, Due::Procedure(place)))
            });
        let expiry = self.table.next_expiry();
        let expiry = expiry.map(|at| (at, Timer("binding expiry"), Due::Expiry));
        let purge = self.next_purge();
        let purge = purge.map(|at| (at, Timer("removed binding forgotten"), Due::Purge));
        let leaving = self.leaves_subscription();
        let leaving = leaving.map(|place| {
            let timer = Timer("subscription left behind");
            (Millis(0), timer, Due::Leaving(place))
        });
        leaving
            .into_iter()
            .chain(subscriptions)
            .chain(procedures)
            .chain(expiry)
            .chain(purge)
            .min_by_key(|&(at, ..)| at)
    }

    /// When something of it is of no more use: at once, if nothing is left.
    fn next_purge(&self) -> Option<Millis> {
        match self.is_empty() {
            true => Some(Millis(0)),
            false => self.table.next_purge(self.told(), self.uses()),
        }
    }

    fn is_empty(&self) -> bool {
        self.table.bindings.is_empty()
            && self.procedures.is_empty()
            && self.subscriptions.is_empty()
    }

    /// When it must be given a tick, and the timer that fires.
    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        self.next().map(|(at, timer, _)| (at, timer))
    }

    /// What is most overdue acts.
    pub(super) fn tick(
        &mut self,
        cx: &mut Context<'_, Config>,
        out: &mut Outbox<Scscf>,
    ) -> Result<(), Misuse> {
        match self.next() {
            Some((at, _, due)) if at <= cx.now => match due {
                Due::Subscription(place) => {
                    self.step_subscription(cx, place, notifier::Input::Tick, out);
                }
                Due::Procedure(place) => self.step_procedure(cx, place, Input::Tick, out)?,
                Due::Expiry => self.expire(cx, out)?,
                Due::Purge => {}
                Due::Leaving(place) => {
                    if let Some(subscription) = self.subscriptions.get_mut(place) {
                        subscription.leave(out);
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn expire(
        &mut self,
        cx: &mut Context<'_, Config>,
        out: &mut Outbox<Scscf>,
    ) -> Result<(), Misuse> {
        let Some((who, numbers, is_cut)) = self.table.expired(cx.now) else {
            return Ok(());
        };
        let expired = Deregistration::new(match is_cut {
            true => Cause::NotReauthenticated,
            false => Cause::Expired,
        });
        push_exact(&mut self.procedures, expired);
        let place = self.procedures.len().saturating_sub(1);
        let expired = Input::Expired {
            private_identity: &who,
            numbers: &numbers,
        };
        self.step_procedure(cx, place, expired, out)
    }

    pub(super) fn step_procedure(
        &mut self,
        cx: &mut Context<'_, Config>,
        place: usize,
        input: Input<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<(), Misuse> {
        let Some(procedure) = self.procedures.get_mut(place) else {
            return Ok(());
        };
        match procedure.step(cx, &mut self.table, input, out)? {
            Change::None => {}
            Change::Removed => self.tell_subscribers(cx, out),
        }
        Ok(())
    }

    pub(super) fn step_subscription(
        &mut self,
        cx: &mut Context<'_, Config>,
        place: usize,
        input: notifier::Input<'_>,
        out: &mut Outbox<Scscf>,
    ) {
        if let Some(subscription) = self.subscriptions.get_mut(place) {
            subscription.advance(&mut for_notifier(cx), &self.table, input, out);
        }
    }

    /// [RN-3, RN-5] A NOTIFY to every subscriber becomes due; each goes out by a step of its own.
    pub(super) fn tell_subscribers(
        &mut self,
        cx: &mut Context<'_, Config>,
        out: &mut Outbox<Scscf>,
    ) {
        for place in 0..self.subscriptions.len() {
            self.step_subscription(cx, place, notifier::Input::Changed, out);
        }
    }

    /// [RN-4] Ends every subscription, or those with that Contact; whether there was one. Each NOTIFY goes out by a
    /// step of its own. A fetch ends of itself.
    pub(super) fn end_subscriptions(
        &mut self,
        cx: &mut Context<'_, Config>,
        contact: Option<&[u8]>,
        reason: notifier::Reason,
        out: &mut Outbox<Scscf>,
    ) -> bool {
        let is_meant = |own: &Subscription| {
            !own.is_fetch() && contact.is_none_or(|contact| own.target() == contact)
        };
        let mut any = false;
        for place in 0..self.subscriptions.len() {
            if self.subscriptions.get(place).is_some_and(is_meant) {
                any = true;
                self.step_subscription(cx, place, notifier::Input::Terminate(reason), out);
            }
        }
        any
    }

    /// For which machine an answer with this token is.
    pub(super) fn asker(&self, token: Token) -> Option<Asker> {
        let subscription = self
            .subscriptions
            .iter()
            .position(|machine| machine.awaits(token));
        if let Some(place) = subscription {
            return Some(Asker::Subscription(place));
        }
        let place = self
            .procedures
            .iter()
            .position(|machine| machine.awaits(token))?;
        let request = self.procedures.get(place)?.has_request_out(token);
        Some(Asker::Procedure { place, request })
    }

    /// The subscription whose dialog a SUBSCRIBE is of.
    pub(super) fn dialog(&self, request: &Subscribe<'_>) -> Option<usize> {
        self.subscriptions
            .iter()
            .position(|subscription| subscription.is_of(request))
    }

    /// Whether a subscription has that dialog.
    pub(super) fn has_dialog(&self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> bool {
        self.subscriptions
            .iter()
            .any(|subscription| subscription.name().is(call_id, local_tag, remote_tag))
    }

    /// [RN-1] The subscription that this SUBSCRIBE has made already.
    pub(super) fn made_by(&self, request: &Subscribe<'_>) -> Option<usize> {
        self.subscriptions
            .iter()
            .position(|subscription| subscription.is_made_by(request))
    }

    /// [RN-1] Who may subscribe, by P-Asserted-Identity: an identity of the set that is not barred, the P-CSCF
    /// of a stored Path, or an application server that the operator trusts. `None` for others.
    pub(super) fn authorises(&self, message: &Message<'_>, config: &Config) -> Option<Subscriber> {
        let own = |asserted: &Uri<'_>| {
            let key = canonical(asserted.raw());
            self.table
                .shown()
                .any(|identity| canonical(&identity.uri) == key)
        };
        let pcscf = |asserted: &Uri<'_>| {
            self.table
                .active()
                .filter_map(|binding| owner(binding.field(Field::Path)))
                .any(|owner| is_owner(asserted, &owner, &config.borders))
        };
        let server = |asserted: &Uri<'_>| {
            config
                .trusted_servers
                .iter()
                .filter_map(|server| Uri::parse(server).ok())
                .any(|server| server.same_host_port(asserted))
        };
        let asserted = || {
            message
                .name_addrs(HeaderName::PAssertedIdentity)
                .filter_map(Result::ok)
                .map(|asserted| asserted.uri())
        };
        if asserted().any(|asserted| pcscf(&asserted) || server(&asserted)) {
            return Some(Subscriber::Element);
        }
        asserted()
            .any(|asserted| own(&asserted))
            .then_some(Subscriber::User)
    }

    /// [RN-1] The subscription that one of the same kind replaces: it has the same Contact. A fetch replaces
    /// only a fetch, and the user never what an element of the network has.
    pub(super) fn replaced_by(&self, request: &Subscribe<'_>, who: Subscriber) -> Option<usize> {
        self.subscriptions.iter().position(|old| {
            old.target() == request.target && Kind::of(old) == Kind::asked(request, who)
        })
    }

    /// [DR-5] Whether there is a place for another subscription, or fetch that waits for the answer to its
    /// NOTIFY. All identities of the set count as the one user they are.
    pub(super) fn has_place(
        &self,
        request: &Subscribe<'_>,
        who: Subscriber,
        limits: &Limits,
    ) -> bool {
        let asked = Kind::asked(request, who);
        let taken = |who| {
            let kind = Kind { who, ..asked };
            let same = |old: &&Subscription| Kind::of(old) == kind;
            self.subscriptions.iter().filter(same).count()
        };
        let (by_user, by_elements) = (taken(Subscriber::User), taken(Subscriber::Element));
        let (most, users) = places(limits, asked.is_fetch);
        by_user.saturating_add(by_elements) < most
            && (who == Subscriber::Element || by_user < users)
    }

    /// [DR-5] Whether another REGISTER that removes bindings can be taken up. Those that wait for the verdict on
    /// the user take no room of a P-CSCF's.
    pub(super) fn has_room(&self, config: &Config, asks_user: bool) -> bool {
        let most = config.limits.contacts;
        let waiting = self.waiting();
        if asks_user {
            waiting < most && self.procedures.len() < most.saturating_mul(3)
        } else {
            self.procedures.len().saturating_sub(waiting) < most.saturating_mul(2)
        }
    }

    /// Gives back the room of what is over.
    pub(super) fn shrink(&mut self) {
        self.table.identities.shrink_to_fit();
        self.procedures.shrink_to_fit();
    }

    /// Forgets what is of no more use; whether nothing is left.
    pub(super) fn purge(&mut self, now: Millis) -> bool {
        let told = self.told();
        let procedures = &self.procedures;
        let uses = |number| {
            procedures
                .iter()
                .any(|p: &Deregistration| p.removed.contains(&number))
        };
        self.table.purge(told, now, uses);
        self.is_empty()
    }
}

/// The same context, for a subscription.
pub(super) fn for_notifier<'c>(cx: &'c mut Context<'_, Config>) -> Context<'c, notifier::Config> {
    Context {
        now: cx.now,
        config: &cx.config.notifier,
        identifiers: cx.identifiers,
        id: cx.id,
    }
}
