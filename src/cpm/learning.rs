//! A session as the host shows it: by its dialogs, or by the messages that made them.

use alloc::{boxed::Box, vec::Vec};

use super::{
    Config, Description, Establish, Function, Leg as Shown, LegId, MAX_IWFS, Mode, SessionTimer,
    Side, defect,
    leg::{Leg, Running, Strings},
    session::Session,
};
use crate::{
    dialog::{Dialog, Established, Sequence, remote_target},
    drive::{Defect, Limits, Misuse, Reject},
    fleet::{Rest, Seldom},
    wire::{
        Message,
        sdp::{self, StreamSet},
    },
};

const fn bad(what: &'static Defect) -> Misuse {
    Misuse::BadCommand(Reject {
        defect: what,
        at: 0,
    })
}

impl Session {
    /// A session that is established.
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] for legs that such a session does not have, or what of them cannot be used;
    /// [`Misuse::TooLarge`] for what is longer than the limits allow.
    pub(super) fn new(shown: &Establish<'_>, config: &Config) -> Result<Self, Misuse> {
        check_legs(shown, &config.limits)?;
        let mut learning = Learning {
            limits: &config.limits,
            legs: Vec::with_capacity(shown.iwfs.len().saturating_add(2)),
            told: told(shown),
            body: None,
            timer: None,
        };
        for (id, leg) in [(LegId::Client, &shown.client), (LegId::Other, &shown.other)] {
            if let Some(leg) = leg {
                learning.read(id, leg, StreamSet::EMPTY)?;
            }
        }
        for (number, iwf) in (0u8..).zip(shown.iwfs) {
            learning.read(LegId::Iwf(number), &iwf.leg, iwf.streams)?;
        }
        let Learning {
            legs, body, timer, ..
        } = learning;
        let streams = legs.iter().map(|leg| leg.streams);
        let streams = streams.fold(StreamSet::EMPTY, StreamSet::union);
        let mut session = Self {
            session: shown.session,
            function: shown.function,
            mode: shown.mode,
            policy: shown.policy,
            may_be_stored: shown.allow_offline_storage,
            legs: legs.into(),
            description: Box::default(),
            live: streams,
            releases: Vec::new(),
            shrinking: None,
            invites: Vec::new(),
            timer,
            closing: None,
            relaying: None,
        };
        if session.is_interworked() {
            session.keep(shown.description, body.as_deref(), &config.limits)?;
        }
        Ok(session)
    }

    /// [CO-3, CT-3] Keeps what was agreed.
    fn keep(
        &mut self,
        description: Description<'_>,
        learnt: Option<&[u8]>,
        limits: &Limits,
    ) -> Result<(), Misuse> {
        let bytes = match description {
            Description::AtHost => {
                self.description = Box::default();
                return Ok(());
            }
            Description::Kept(bytes) => bytes,
            Description::Learnt => learnt.ok_or(bad(&defect::NO_DESCRIPTION))?,
        };
        self.live = live(bytes, limits)?;
        self.description = bytes.into();
        Ok(())
    }

    /// [CO-3, CT-3] Another description was agreed.
    pub(super) fn renegotiate(
        &mut self,
        (description, streams): (Description<'_>, &[StreamSet]),
        limits: &Limits,
    ) -> Result<(), Misuse> {
        if streams.len() != self.legs.iter().filter(|leg| leg.is_iwf()).count() {
            return Err(bad(&defect::WRONG_LEGS));
        }
        let all = streams
            .iter()
            .copied()
            .fold(StreamSet::EMPTY, StreamSet::union);
        let before = core::mem::replace(&mut self.live, all);
        self.keep(description, None, limits)
            .inspect_err(|_| self.live = before)?;
        let iwfs = self.legs.iter_mut().filter(|leg| leg.is_iwf());
        iwfs.zip(streams)
            .for_each(|(leg, streams)| leg.streams = *streams);
        Ok(())
    }

    /// [RFC 3261 12.2.1.2] The other end of a leg names another target in its 2xx. One that cannot be used changes
    /// nothing.
    pub(super) fn retarget(&mut self, id: LegId, response: &Message<'_>, limits: &Limits) {
        let Some(leg) = self.leg_mut(id) else {
            return;
        };
        let dialog = leg.dialog();
        if let Ok(Some(remote_target)) = remote_target(response, leg.is_secure) {
            if remote_target != dialog.remote_target {
                let dialog = Dialog {
                    remote_target,
                    ..dialog
                };
                if let Ok(strings) = pack(&dialog, limits) {
                    leg.strings = strings;
                }
            }
        }
    }

    /// [RFC 3261 12.2.1.1, 12.2.2] A leg's dialog has gone on. Its numbers never go back: the node may have taken some
    /// since the host looked.
    pub(super) fn refresh(
        &mut self,
        id: LegId,
        (dialog, sequence): (&Dialog<'_>, Sequence),
        limits: &Limits,
    ) -> Result<(), Misuse> {
        let leg = self.leg_mut(id).ok_or(Misuse::NoSuchThing)?;
        if !leg.is_of(dialog) {
            return Err(bad(&defect::OTHER_DIALOG));
        }
        leg.strings = pack(dialog, limits)?;
        leg.is_secure = dialog.is_secure;
        leg.sequence = Sequence {
            local: leg.sequence.local.max(sequence.local),
            remote: leg.sequence.remote.max(sequence.remote),
        };
        Ok(())
    }
}

/// The streams that there are in a description.
///
/// # Errors
/// [`Misuse::BadCommand`] if it is none.
pub(super) fn live(description: &[u8], limits: &Limits) -> Result<StreamSet, Misuse> {
    let description = sdp::Description::parse(description, limits);
    description
        .map(|description| description.live())
        .map_err(Misuse::BadCommand)
}

/// The leg that hears of deleted streams.
const fn told(shown: &Establish<'_>) -> LegId {
    match shown.function {
        Function::Originating => LegId::Client,
        Function::Terminating => LegId::Other,
    }
}

/// [CP-7] Which legs a session has.
fn check_legs(shown: &Establish<'_>, limits: &Limits) -> Result<(), Misuse> {
    if shown.iwfs.len() > limits.iwfs.min(MAX_IWFS) {
        return Err(Misuse::TooLarge { limit: "iwfs" });
    }
    let (client, other) = (shown.client.is_some(), shown.other.is_some());
    let is_interworked = !shown.iwfs.is_empty();
    let is_right = match (shown.mode, shown.function) {
        (Mode::Proxy, _) => client && !other && !is_interworked,
        (Mode::B2bua, Function::Originating) => client && other != is_interworked,
        (Mode::B2bua, Function::Terminating) => other && client != is_interworked,
    };
    match is_right {
        true => Ok(()),
        false => Err(bad(&defect::WRONG_LEGS)),
    }
}

/// Legs that are being read.
struct Learning<'l> {
    limits: &'l Limits,
    legs: Vec<Leg>,
    told: LegId,
    /// What was sent to the leg that is told.
    body: Option<Vec<u8>>,
    /// Of that leg.
    timer: Option<SessionTimer>,
}

impl Learning<'_> {
    fn read(&mut self, id: LegId, shown: &Shown<'_>, streams: StreamSet) -> Result<(), Misuse> {
        match shown {
            Shown::Given {
                dialog,
                sequence,
                side,
            } => self.add(id, dialog, (*sequence, *side), streams),
            Shown::Learnt {
                invite,
                response,
                side,
            } => {
                let parse = |bytes| Message::parse(bytes, self.limits).map_err(Misuse::BadCommand);
                let (invite, response) = (parse(invite)?, parse(response)?);
                let (made, sent) = match side {
                    Side::Uac => (Established::of_uac(&invite, &response), &invite),
                    Side::Uas => (Established::of_uas(&invite, &response), &response),
                };
                let made = made.map_err(Misuse::BadCommand)?;
                if id == self.told {
                    let is_description = sent.content_type_is(b"application/sdp");
                    self.body = is_description.then(|| sent.body().to_vec());
                    self.timer = SessionTimer::of(&invite, &response, *side);
                }
                self.add(id, &made.dialog(), (made.sequence(), *side), streams)
            }
        }
    }

    fn add(
        &mut self,
        id: LegId,
        dialog: &Dialog<'_>,
        (sequence, side): (Sequence, Side),
        streams: StreamSet,
    ) -> Result<(), Misuse> {
        if self.legs.iter().any(|leg| leg.is_of(dialog)) {
            return Err(bad(&defect::WRONG_LEGS));
        }
        self.legs.push(Leg {
            id,
            strings: pack(dialog, self.limits)?,
            sequence,
            side,
            is_secure: dialog.is_secure,
            streams,
            running: Seldom::new(Running::AT_REST),
        });
        Ok(())
    }
}

/// The strings of a dialog, if requests can be written with them.
fn pack(dialog: &Dialog<'_>, limits: &Limits) -> Result<Strings, Misuse> {
    dialog.check().map_err(Misuse::BadCommand)?;
    let limit = "registration_bytes";
    Strings::new(dialog.parts(), limits.registration_bytes).ok_or(Misuse::TooLarge { limit })
}
