//! [CO-3, CT-3] The session timer (RFC 4028) in the dialog of the leg that hears of deleted streams. It runs at the host;
//! a re-INVITE refreshes the session, and one that said nothing of the timer would end it (7.2).

use super::{
    Event, SessionTimer, Side,
    session::{Session, Turn},
};
use crate::wire::{HeaderName, Message, Refresher, SessionExpires, WriteValue, Writer};

/// [RFC 4028 5] Min-SE where there is none.
const SMALLEST: u32 = 90;

impl SessionTimer {
    /// [RFC 4028 7.2, 9] What an INVITE and its 2xx have agreed, at that side of them; `None`: nothing.
    pub(super) fn of(invite: &Message<'_>, response: &Message<'_>, side: Side) -> Option<Self> {
        let asked = invite.min_se().ok().flatten();
        let smallest = asked.map_or(SMALLEST, |asked| asked.seconds.max(SMALLEST));
        Self::agreed(response, smallest, side)
    }

    /// What a 2xx says, at that side of its request. Who refreshes stands in it; else it is who has asked.
    fn agreed(response: &Message<'_>, smallest: u32, side: Side) -> Option<Self> {
        let agreed = response.session_expires().ok().flatten()?;
        let is_uacs = agreed.refresher != Some(Refresher::Uas);
        Some(Self {
            interval: agreed.seconds,
            smallest,
            is_ours: is_uacs == (side == Side::Uac),
        })
    }

    /// [RFC 4028 7.4] As a re-INVITE keeps it: the interval, no smaller than may be, and who refreshes.
    pub(super) fn write(self, message: &mut Writer<'_>) {
        let refresher = match self.is_ours {
            true => Refresher::Uac,
            false => Refresher::Uas,
        };
        let kept = SessionExpires {
            seconds: self.interval.max(self.smallest),
            refresher: Some(refresher),
            ..SessionExpires::default()
        };
        message.header(HeaderName::Supported, b"timer").value(
            HeaderName::SessionExpires,
            |buffer| {
                kept.write_value(buffer);
            },
        );
        if self.smallest > SMALLEST {
            message.number(HeaderName::MinSe, self.smallest.into());
        }
    }
}

impl Session {
    /// [RFC 4028 7.2] A re-INVITE of ours is accepted: what is agreed now.
    pub(super) fn note_refresh(&mut self, turn: &mut Turn<'_>, response: &Message<'_>) {
        let smallest = self.timer.map_or(SMALLEST, |timer| timer.smallest);
        let timer = SessionTimer::agreed(response, smallest, Side::Uac);
        if self.timer.is_some() || timer.is_some() {
            self.timer = timer;
            let session = self.session;
            turn.out.event(Event::SessionRefreshed { session, timer });
        }
    }

    /// [RFC 4028 7.3] A re-INVITE of ours is refused: whether that is for an interval that is too small, and a larger one
    /// is to be asked for.
    pub(super) fn note_too_small(&mut self, response: &Message<'_>) -> bool {
        let wanted = response.min_se().ok().flatten();
        let wanted = wanted.filter(|_| response.status() == Some(422));
        let (Some(timer), Some(wanted)) = (&mut self.timer, wanted) else {
            return false;
        };
        let is_larger = wanted.seconds > timer.interval.max(timer.smallest);
        timer.smallest = timer.smallest.max(wanted.seconds);
        is_larger
    }
}
