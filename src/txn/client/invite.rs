//! INVITE client transactions (RFC 3261 17.1.1, as RFC 6026 corrects it), for INVITEs within a dialog.

use alloc::boxed::Box;

use super::{Action, Input, Situation};
use crate::{
    drive::Buffer,
    wire::{Header, HeaderName, Message, Method, Writer, put_unfolded},
};

/// How far such a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing has come from this next hop.
    Calling,
    /// A provisional response has come.
    Proceeding,
    /// The node has not waited for the final response any longer. One other than 2xx is still acknowledged, and a 2xx
    /// shown to it.
    Abandoned,
    /// The node has its answer, which was not a 2xx; the ACK is sent again when the response is.
    Completed,
    /// The node has its answer, which was a 2xx; its ACK is sent again when the response is.
    Accepted,
}

impl State {
    /// [RFC 3261 17.1.1.2, 13.2.2.4] [RFC 6026 8.4] [RFC 3263 4.3] Every transition. When a next hop has failed is as for other
    /// methods.
    pub(super) fn decide(self, input: Input, situation: Situation) -> Action {
        match (self, input) {
            (Self::Calling, Input::Response(100..=199)) => Action::Proceed,
            (Self::Proceeding, Input::Response(100..=199)) => Action::Wait,
            (Self::Calling | Self::Proceeding, Input::Response(200..=299)) => Action::Accept,
            (Self::Calling | Self::Proceeding, Input::Response(503)) => {
                situation.choose(Action::AcknowledgeAndNextHop, Action::Acknowledge)
            }
            (Self::Calling | Self::Proceeding, Input::Response(_)) => Action::Acknowledge,
            (Self::Calling | Self::Proceeding, Input::Unreachable) => {
                situation.next_hop_or(Action::GiveUp)
            }
            (Self::Calling, Input::Tick) if situation.is_to_be_resent => Action::Retransmit,
            (Self::Calling, Input::Unanswered | Input::Tick) => {
                situation.next_hop_or(Action::TimeOut)
            }
            (Self::Proceeding, Input::Unanswered | Input::Tick) => Action::Abandon,

            (Self::Abandoned, Input::Response(300..)) => Action::AcknowledgeLate,
            (Self::Abandoned, Input::Response(200..=299)) => Action::Show,
            (Self::Completed, Input::Response(300..))
            | (Self::Accepted, Input::Response(200..=299)) => Action::AcknowledgeAgain,
            (Self::Abandoned | Self::Completed | Self::Accepted, Input::Response(_)) => {
                Action::Absorb
            }
            (
                Self::Abandoned | Self::Completed | Self::Accepted,
                Input::Unreachable | Input::Unanswered,
            ) => Action::Ignore,
            (Self::Abandoned | Self::Completed | Self::Accepted, Input::Tick) => Action::Forget,
        }
    }

    /// The timer that ends it.
    pub(super) const fn last_timer(self) -> &'static str {
        match self {
            Self::Calling => "transaction timer B",
            Self::Proceeding => "INVITE without final response",
            Self::Abandoned => "INVITE abandoned",
            Self::Completed => "transaction timer D",
            Self::Accepted => "transaction timer M",
        }
    }
}

/// [RFC 3261 17.1.1.3] The ACK of a final response other than 2xx, on the branch of the request; empty if the request
/// does not allow for one. A response without To is acknowledged with the To of the request.
pub(super) fn write_ack(request: &Message<'_>, response: &Message<'_>) -> Box<[u8]> {
    let (Some(uri), Ok(via), Ok(cseq)) = (request.request_uri(), request.via(), request.cseq())
    else {
        return Box::default();
    };
    let to = [response, request].map(|message| message.header(HeaderName::To));
    let to = to.into_iter().flatten().next().map_or(&[][..], Header::raw);
    // Header fields are copied under their long names; what is added has less than 64 bytes.
    let names = request.header_count().saturating_mul(8);
    let room = request.head_end().saturating_add(names);
    let room = room.saturating_add(to.len()).saturating_add(64);
    let mut buffer = Buffer::new(room);
    let mut ack = Writer::request(&mut buffer, Method::Ack.as_bytes(), uri);
    ack.value(HeaderName::Via, |buffer| put_unfolded(buffer, via.raw()))
        .number(HeaderName::MaxForwards, 70)
        .copy(request, HeaderName::Route)
        .copy(request, HeaderName::From)
        .value(HeaderName::To, |buffer| put_unfolded(buffer, to))
        .copy(request, HeaderName::CallId)
        .cseq(cseq.number, Method::Ack.as_bytes());
    ack.finish();
    match buffer.fault() {
        None => buffer.as_slice().into(),
        Some(_) => Box::default(),
    }
}
