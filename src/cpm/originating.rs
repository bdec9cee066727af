//! [S3 8.2.2.3] What the originating Participating Function does when a BYE comes: each step of the text, in its order.
//!
//! The served client may be interworked with: then the far side is one or more IWFs, else the other CPM entity.

use super::{
    Cause, LegId,
    session::{Fact, Phase, Session, Turn},
};

impl Session {
    /// [CO-1, CO-2, CO-3, CO-4] Every transition of 8.2.2.3 as a B2BUA.
    pub(super) fn proceed_originating(&mut self, turn: &mut Turn<'_>, fact: Fact<'_>) {
        match (self.phase(), self.cause(), fact) {
            // 4 [CO-1] (S3 L48): the BYE of the CPM client served.
            (Phase::Open, _, Fact::Bye(bye)) if bye.leg == LegId::Client => {
                self.begin_with(turn, Cause::Client, &bye);
                if self.is_interworked() {
                    // 4.a [S3 L49 to L53]
                    self.end_iwfs(turn);
                } else {
                    // 4.b [S3 L54 to L57]
                    self.end_leg(turn, LegId::Other);
                }
                self.await_far_side(turn);
            }
            // 4.c.ii [CO-1] (S3 L58 to L63): all of them have answered.
            (Phase::Ending { .. }, Some(Cause::Client), Fact::FarSideEnded) => {
                self.store_after(turn);
            }
            // 4.c.iii [CO-1] (S3 L64, L65)
            (Phase::Recording { .. }, Some(Cause::Client), Fact::Recorded) => self.answer(turn),

            // 5.b [CO-2] (S3 L67, L70, L71): the BYE of the other CPM entity; stored first.
            (Phase::Open, _, Fact::Bye(bye)) if bye.leg == LegId::Other => {
                self.begin_with(turn, Cause::Other, &bye);
                self.store_before(turn);
            }
            // 5.a, 5.c [CO-2] (S3 L69, L72, L73)
            (Phase::Storing { .. }, Some(Cause::Other), Fact::Recorded) => {
                self.end_leg(turn, LegId::Client);
                self.await_far_side(turn);
            }
            // 5.d [CO-2] (S3 L74)
            (Phase::Ending { .. }, Some(Cause::Other), Fact::FarSideEnded) => self.answer(turn),

            // 6.a [CO-3] (S3 L76, L77): the BYE of one of several IWFs, and only its streams go; the client hears of
            // it.
            (Phase::Open, _, Fact::Bye(bye)) if self.goes_on_without(bye.leg) => {
                self.take_out(turn, &bye);
            }
            // 6.b.ii [CO-4] (S3 L79, L82, L83): the whole session goes; stored first.
            (Phase::Open, _, Fact::Bye(bye)) => {
                if let LegId::Iwf(number) = bye.leg {
                    self.begin_with(turn, Cause::Iwf(number), &bye);
                    self.store_before(turn);
                }
            }
            // 6.b.i, 6.b.iii [CO-4] (S3 L81, L84, L85); the IWFs that remain as well, which the text forgets.
            (Phase::Storing { .. }, Some(Cause::Iwf(_)), Fact::Recorded) => {
                self.end_leg(turn, LegId::Client);
                self.end_iwfs(turn);
                self.await_far_side(turn);
            }
            // 6.b.iv [CO-4] (S3 L86)
            (Phase::Ending { .. }, Some(Cause::Iwf(_)), Fact::FarSideEnded) => self.answer(turn),

            // Not in the text: an IWF has left whose BYE is answered, and no stream would be left.
            (Phase::Open, _, Fact::Emptied(iwf)) => {
                self.begin_without(turn, Cause::Iwf(iwf), b"");
                self.store_before(turn);
            }
            // Not in the text: the host ends it, or the dialog of the client is gone. Nobody waits for an answer.
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
