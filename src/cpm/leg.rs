//! One leg of a session: its dialog, and how it ends.

use super::{
    End, LegId, Side, messages,
    session::{Turn, Words},
};
use crate::{
    dialog::{self, Dialog, Sequence},
    drive::{Identifier, Millis, Request, Timer, Token, Towards},
    fleet::{Divided, Rest, Seldom},
    wire::sdp::StreamSet,
};

/// How many strings of a dialog are its own, from Call-ID to remote target.
const OWN: usize = 6;

/// The strings of a dialog. Route set and Contact of this end many have alike.
pub(super) type Strings = Divided<{ dialog::PARTS }, 0, OWN, { dialog::PARTS - OWN }>;

/// How it is with the end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// Our BYE is out. Without a token it is to be handed out again, after a restore.
    Ending {
        token: Option<Token>,
        branch: Identifier,
        until: Millis,
    },
    Ended(End),
}

/// [CP-6] The answer to the latest BYE of a leg, to be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// What the branch of the BYE is told by.
    pub(super) branch: u64,
    pub(super) has_uid: bool,
}

/// What a leg has while its session is closed, or it is taken out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) state: State,
    pub(super) answered: Option<Answered>,
}

impl Rest for Running {
    const AT_REST: Self = Self {
        state: State::Open,
        answered: None,
    };
}

/// A leg.
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) strings: Strings,
    pub(super) sequence: Sequence,
    pub(super) side: Side,
    pub(super) is_secure: bool,
    /// Of an IWF: its media lines.
    pub(super) streams: StreamSet,
    pub(super) running: Seldom<Running>,
}

impl Leg {
    /// Its dialog.
    pub(super) fn dialog(&self) -> Dialog<'_> {
        Dialog::of_parts(self.strings.parts(), self.is_secure)
    }

    /// [RFC 3261 12] Whether this is its dialog: by Call-ID and tags.
    pub(super) fn is_of(&self, dialog: &Dialog<'_>) -> bool {
        let own = self.dialog();
        own.call_id == dialog.call_id
            && own.local_tag == dialog.local_tag
            && own.remote_tag == dialog.remote_tag
    }

    /// The Call-ID.
    pub(super) fn call_id(&self) -> &[u8] {
        self.strings.get(0)
    }

    pub(super) const fn state(&self) -> State {
        self.running.get().state
    }

    pub(super) fn set_state(&mut self, state: State) {
        let running = self.running.get();
        self.running.set(Running { state, ..running });
    }

    pub(super) fn answered(&self) -> Option<Answered> {
        self.running.get().answered
    }

    pub(super) fn set_answered(&mut self, answered: Answered) {
        let running = self.running.get();
        self.running.set(Running {
            answered: Some(answered),
            ..running
        });
    }

    pub(super) const fn is_iwf(&self) -> bool {
        matches!(self.id, LegId::Iwf(_))
    }

    /// Whether neither side has begun to end it.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state(), State::Open)
    }

    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.state(), State::Ended(_))
    }

    /// Whether it has sent a BYE.
    pub(super) fn has_left(&self) -> bool {
        self.answered().is_some()
            || matches!(self.state(), State::Ended(End::ByItself | End::Crossed))
    }

    /// How it ended.
    pub(super) const fn end(&self) -> Option<End> {
        match self.state() {
            State::Ended(end) => Some(end),
            State::Open | State::Ending { .. } => None,
        }
    }

    /// Whether an answer with this token is to its BYE.
    pub(super) fn awaits(&self, token: Token) -> bool {
        matches!(self.state(), State::Ending { token: own, .. } if own == Some(token))
    }

    /// Whether its BYE is to be handed out again.
    pub(super) const fn has_bye_unsent(&self) -> bool {
        matches!(self.state(), State::Ending { token: None, .. })
    }

    pub(super) const fn deadline(&self) -> Option<(Millis, Timer)> {
        match self.state() {
            State::Ending { token: None, .. } => Some((Millis(0), Timer("BYE to be sent"))),
            State::Ending { until, .. } => Some((until, Timer("answer to BYE"))),
            State::Open | State::Ended(_) => None,
        }
    }

    /// Its own BYE has come.
    pub(super) fn note_bye(&mut self) {
        let end = match self.state() {
            State::Open => End::ByItself,
            State::Ending { .. } => End::Crossed,
            State::Ended(_) => return,
        };
        self.set_state(State::Ended(end));
    }

    /// Sends it a BYE, unless it is ending already.
    pub(super) fn send_bye(&mut self, turn: &mut Turn<'_>, words: &Words<'_>) {
        if !self.is_open() {
            return;
        }
        self.sequence.take_next();
        self.set_state(State::Ending {
            token: None,
            branch: turn.cx.identifier(),
            until: Millis(0),
        });
        self.offer_bye(turn, words);
    }

    /// [DR-7] Hands out its BYE: at first, or the same again after a restore, which is another transaction.
    pub(super) fn offer_bye(&mut self, turn: &mut Turn<'_>, words: &Words<'_>) {
        let State::Ending { branch, .. } = self.state() else {
            return;
        };
        let token = turn.cx.token();
        let dialog = self.dialog();
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &[dialog.next_hop()],
            udp_limit: turn.cx.config.element.udp_limit(),
        };
        let bye = messages::Bye {
            leg: self.id,
            dialog,
            cseq: self.sequence.local,
            branch,
            words: *words,
        };
        let config = turn.cx.config;
        let sent = turn
            .out
            .request(request, |buffer| bye.write(config, buffer));
        self.set_state(match sent {
            Ok(()) => State::Ending {
                token: Some(token),
                branch,
                until: turn.cx.now.after(config.answer_bound),
            },
            Err(_) => State::Ended(End::Unsendable),
        });
    }
}
