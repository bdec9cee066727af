//! [S3 8.3.2.3] What the terminating Participating Function does when a BYE comes: each step of the text, in its order.
//!
//! The session may be interworked on the side of the served user: then IWFs stand in the place of the client, and the
//! other CPM entity is told of what they do.

use super::{
    Cause, LegId,
    session::{Fact, Phase, Session, Turn},
};

impl Session {
    /// [CT-1, CT-2, CT-3, CT-4] Every transition of 8.3.2.3 as a B2BUA.
    pub(super) fn proceed_terminating(&mut self, turn: &mut Turn<'_>, fact: Fact<'_>) {
        match (self.phase(), self.cause(), fact) {
            // 2.a, 2.b [CT-1] (S3 L100 to L102): the BYE of the CPM client served.
            (Phase::Open, _, Fact::Bye(bye)) if bye.leg == LegId::Client => {
                self.begin_with(turn, Cause::Client, &bye);
                self.end_leg(turn, LegId::Other);
                self.await_far_side(turn);
            }
            // 2.c.ii [CT-1] (S3 L103 to L108)
            (Phase::Ending { .. }, Some(Cause::Client), Fact::FarSideEnded) => {
                self.store_after(turn);
            }
            // 2.c.iii [CT-1] (S3 L109, L110)
            (Phase::Recording { .. }, Some(Cause::Client), Fact::Recorded) => self.answer(turn),

            // 3.a [CT-2] (S3 L112, L114): the BYE of the other CPM entity; stored first.
            (Phase::Open, _, Fact::Bye(bye)) if bye.leg == LegId::Other => {
                self.begin_with(turn, Cause::Other, &bye);
                self.store_before(turn);
            }
            (Phase::Storing { .. }, Some(Cause::Other), Fact::Recorded) => {
                if self.is_interworked() {
                    // 3.b [CT-2] (S3 L115 to L119)
                    self.end_iwfs(turn);
                } else {
                    // 3.c [CT-2] (S3 L121 to L125)
                    self.end_leg(turn, LegId::Client);
                }
                self.await_far_side(turn);
            }
            // 3.d [CT-2] (S3 L126)
            (Phase::Ending { .. }, Some(Cause::Other), Fact::FarSideEnded) => self.answer(turn),

            // 4.a [CT-3] (S3 L128, L130): the BYE of one of several IWFs, and only its streams go; the other CPM entity
            // hears of it.
            (Phase::Open, _, Fact::Bye(bye)) if self.goes_on_without(bye.leg) => {
                self.take_out(turn, &bye);
            }
            // 4.b.i [CT-4] (S3 L132, L134): the whole session goes; stored first.
            (Phase::Open, _, Fact::Bye(bye)) => {
                if let LegId::Iwf(number) = bye.leg {
                    self.begin_with(turn, Cause::Iwf(number), &bye);
                    self.store_before(turn);
                }
            }
            // 4.b.ii, 4.b.iii [CT-4] (S3 L135, L136); the IWFs that remain as well, which the text forgets.
            (Phase::Storing { .. }, Some(Cause::Iwf(_)), Fact::Recorded) => {
                self.end_leg(turn, LegId::Other);
                self.end_iwfs(turn);
                self.await_far_side(turn);
            }
            // 4.b.iv [CT-4] (S3 L137): the 200 is the other CPM entity's, where the text names the client, which has
            // been sent nothing.
            (Phase::Ending { .. }, Some(Cause::Iwf(_)), Fact::FarSideEnded) => self.answer(turn),

            // Not in the text: an IWF has left whose BYE is answered, and no stream would be left.
            (Phase::Open, _, Fact::Emptied(iwf)) => {
                self.begin_without(turn, Cause::Iwf(iwf), b"");
                self.store_before(turn);
            }
            // Not in the text: the host ends it, or the dialog of the other entity is gone. Nobody waits for an answer.
            (Phase::Open, _, Fact::Closed { reason }) => {
                self.begin_without(turn, Cause::Host, reason);
                self.store_before(turn);
            }
            (Phase::Open, _, Fact::DialogGone) => {
                self.begin_without(turn, Cause::DialogGone, b"");
                self.store_before(turn);
            }
            (Phase::Storing { .. }, Some(Cause::Host | Cause::DialogGone), Fact::Recorded) => {
                self.end_leg(turn, LegId::Client);
                self.end_leg(turn, LegId::Other);
                self.end_iwfs(turn);
                self.await_far_side(turn);
            }
            (Phase::Ending { .. }, Some(Cause::Host | Cause::DialogGone), Fact::FarSideEnded) => {
                self.answer(turn);
            }

            // Nothing of this comes in another phase.
            (_, _, Fact::Bye(_) | Fact::Closed { .. } | Fact::DialogGone | Fact::Emptied(_))
            | (_, _, Fact::Recorded | Fact::FarSideEnded) => {}
        }
    }
}
