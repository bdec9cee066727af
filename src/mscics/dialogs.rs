//! [MS-2] The dialogs of a subscriber, and their release.

use alloc::boxed::Box;

use super::{Affected, Config, Mscics, Question};
use crate::{
    dialog::{Dialog, PARTS, Sequence},
    drive::{Context, Identifier, Limits, Misuse, Outbox, Request, Token, Towards},
    fleet::Packed,
};

/// The host's own number of a dialog: any that no other dialog of the subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogRef(pub u64);

/// [MS-2] A dialog that a subscriber has from now on.
#[derive(Clone, Copy, Debug)]
pub struct NewDialog<'a> {
    /// Its number.
    pub dialog: DialogRef,
    /// What the library needs to write its BYE, and the numbers as they are now: given anew whenever the host sends
    /// another request in it. `None`: the host releases it itself ([`Question::DialogRelease`]).
    pub held: Option<(Dialog<'a>, Sequence)>,
}

impl NewDialog<'_> {
    /// [MS-2] Checks that a BYE can be written.
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] for what a dialog has not ([`Dialog::check`]); [`Misuse::TooLarge`] for more bytes than
    /// [`Limits::registration_bytes`].
    pub fn check(&self, limits: &Limits) -> Result<(), Misuse> {
        let Some((dialog, _)) = self.held else {
            return Ok(());
        };
        dialog.check().map_err(Misuse::BadCommand)?;
        match Packed::<PARTS>::new(dialog.parts(), limits.registration_bytes) {
            Some(_) => Ok(()),
            None => Err(Misuse::TooLarge {
                limit: "registration_bytes",
            }),
        }
    }
}

/// A dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) reference: DialogRef,
    pub(super) held: Option<Box<Held>>,
    /// While it is being released.
    pub(super) release: Option<Release>,
}

/// One whose BYE the library writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(super) strings: Packed<PARTS>,
    pub(super) is_secure: bool,
    pub(super) sequence: Sequence,
}

/// The release of one that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// None while it is to be handed out again after a restore.
    pub(super) token: Option<Token>,
    /// The branch of the BYE, or the key of the question.
    pub(super) id: Identifier,
}

impl Entry {
    pub(super) fn new(dialog: &NewDialog<'_>, limits: &Limits) -> Result<Self, Misuse> {
        dialog.check(limits)?;
        let held = dialog.held.and_then(|(dialog, sequence)| {
            Some(Box::new(Held {
                strings: Packed::new(dialog.parts(), limits.registration_bytes)?,
                is_secure: dialog.is_secure,
                sequence,
            }))
        });
        Ok(Self {
            reference: dialog.dialog,
            held,
            release: None,
        })
    }

    /// Whether an answer with this token is for its release.
    pub(super) fn awaits(&self, token: Token) -> bool {
        self.release.and_then(|release| release.token) == Some(token)
    }

    /// Whether its release is to be handed out again.
    pub(super) const fn is_unoffered(&self) -> bool {
        matches!(self.release, Some(Release { token: None, .. }))
    }

    /// [MS-2] Has it released: at first, or the same again after a restore.
    pub(super) fn offer(
        &mut self,
        cx: &mut Context<'_, Config>,
        affected: Affected,
        out: &mut Outbox<Mscics>,
    ) {
        let token = cx.token();
        let id = match self.release {
            Some(release) => release.id,
            None => {
                if let Some(held) = &mut self.held {
                    held.sequence.take_next();
                }
                cx.identifier()
            }
        };
        self.release = Some(Release {
            token: Some(token),
            id,
        });
        match &self.held {
            Some(held) => held.bye(cx.config, token, id, out),
            None => out.ask(
                token,
                Question::DialogRelease {
                    key: id,
                    affected,
                    dialog: self.reference,
                },
            ),
        }
    }
}

impl Held {
    /// [MS-2] The BYE (RFC 3261 15.1.1). One that finds no room is not answered: the bound ends its release.
    fn bye(&self, config: &Config, token: Token, branch: Identifier, out: &mut Outbox<Mscics>) {
        let element = &config.element;
        let dialog = Dialog::of_parts(self.strings.parts(), self.is_secure);
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &[dialog.next_hop()],
            udp_limit: element.udp_limit(),
        };
        let _ = out.request(request, |buffer| {
            let bye = dialog.bye(buffer, element, self.sequence.local, branch, b"");
            bye.finish();
        });
    }
}
