//! A set as a node holds it: at rest, or awake.

use alloc::boxed::Box;

use super::{
    bindings::{Binding, Bound},
    resting::{self, Resting},
    set::{Load, Set},
};
use crate::{
    drive::{Millis, Timer},
    fleet::Recorder,
    regevent::notifier::{Resource, Subscribe},
};

/// One set.
pub(super) enum Entry {
    Awake(Box<Set>),
    Resting(Resting),
}

/// What a set is filed under.
#[derive(Clone, Copy)]
pub(super) enum Key<'s> {
    /// A public identity, in its canonical form.
    Identity(&'s [u8]),
    CallId(&'s [u8]),
}

impl Entry {
    pub(super) fn awake(set: Set) -> Self {
        Self::Awake(Box::new(set))
    }

    /// The set, awake from now on.
    pub(super) fn wake(&mut self) -> Option<&mut Set> {
        if let Self::Resting(resting) = self {
            *self = Self::awake(resting.wake()?);
        }
        match self {
            Self::Awake(set) => Some(set),
            Self::Resting(_) => None,
        }
    }

    /// The set, if it is awake.
    pub(super) fn set(&self) -> Option<&Set> {
        match self {
            Self::Awake(set) => Some(set),
            Self::Resting(_) => None,
        }
    }

    /// It rests, if it can.
    pub(super) fn rest(&mut self, recorder: &mut Recorder) {
        let resting = self.set().and_then(|set| set.rest(recorder));
        if let Some(resting) = resting {
            *self = Self::Resting(resting);
        }
    }

    /// The set, if it is at rest.
    pub(super) fn resting(&self) -> Option<&Resting> {
        match self {
            Self::Awake(_) => None,
            Self::Resting(resting) => Some(resting),
        }
    }

    /// What it takes of the bounds of its node.
    pub(super) fn load(&self) -> Load {
        match self {
            Self::Awake(set) => set.load(),
            Self::Resting(_) => resting::LOAD,
        }
    }

    /// Whether a public identity is one of the set; `key` is its canonical form.
    pub(super) fn has_identity(&self, uri: &[u8], key: &[u8]) -> bool {
        match self {
            Self::Awake(set) => set.table.has_identity(uri, key),
            Self::Resting(resting) => resting.has_identity(uri, key),
        }
    }

    /// Whether anything is bound.
    pub(super) fn is_registered(&self) -> bool {
        self.set().is_none_or(|set| !set.table.is_terminated())
    }

    /// The contacts bound.
    pub(super) fn bound(&self) -> impl Iterator<Item = Bound<'_>> {
        let awake = self.set().into_iter().flat_map(|set| set.table.active());
        let resting = self.resting().into_iter().flat_map(Resting::bound);
        awake.map(Binding::bound).chain(resting)
    }

    /// The first contact that the network may end.
    pub(super) fn departing(&self) -> Option<Bound<'_>> {
        self.bound().find(Bound::can_depart)
    }

    /// Number of subscriptions.
    pub(super) fn subscribers(&self) -> usize {
        match self {
            Self::Awake(set) => set.subscriptions.len(),
            Self::Resting(resting) => resting.subscriptions().count(),
        }
    }

    /// The subscription whose dialog a SUBSCRIBE is of.
    pub(super) fn dialog(&self, request: &Subscribe<'_>) -> Option<usize> {
        match self {
            Self::Awake(set) => set.dialog(request),
            Self::Resting(resting) => resting
                .subscriptions()
                .position(|subscription| subscription.name().has(request)),
        }
    }

    /// Whether a subscription has that dialog.
    pub(super) fn has_dialog(&self, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> bool {
        match self {
            Self::Awake(set) => set.has_dialog(call_id, local_tag, remote_tag),
            Self::Resting(resting) => resting
                .subscriptions()
                .any(|own| own.name().is(call_id, local_tag, remote_tag)),
        }
    }

    /// What it is filed under: its identities, and the Call-ID of each subscription.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        let awake = self.set().into_iter().flat_map(|set| {
            let identities = set.table.identities.iter();
            let subscriptions = set.subscriptions.iter();
            identities
                .map(|identity| Key::Identity(&identity.uri))
                .chain(subscriptions.map(|own| Key::CallId(own.call_id())))
        });
        let resting = self.resting().into_iter().flat_map(Resting::keys);
        awake.chain(resting)
    }

    /// The URI of each identity of the set.
    pub(super) fn identities(&self) -> impl Iterator<Item = &[u8]> {
        self.keys().filter_map(|key| match key {
            Key::Identity(uri) => Some(uri),
            Key::CallId(_) => None,
        })
    }

    /// When it must be given a tick, and the timer that fires.
    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        match self {
            Self::Awake(set) => set.deadline(),
            Self::Resting(resting) => resting.deadline(),
        }
    }
}
