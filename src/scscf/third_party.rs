//! [SD-4] The third-party REGISTERs of a deregistration: the application servers that are told, one a step.
//!
//! The host sends those of a registration. Each side has Call-IDs of its own, so that no CSeq orders what both send to one
//! application server (RFC 3261 10.2): the end of a registration, late, would undo the one that has come after it.
//!
//! - What is not sent when the user is registered anew is not sent at all.
//! - What is out by then is the host's to wait for: it sends those of the new registration after
//!   [`Event::Deregistered`], which comes when all are answered or have been out for
//!   [`server_bound`](Config::server_bound), longer than a transaction.
//!
//! Decision: one Call-ID for each user and application server, with a CSeq that rises, would order them without waiting.
//! But host and node would draw the number together, and it would have to outlast the set, which is forgotten with its last
//! contact; an application server that has lost its state takes any number all the same.

use alloc::boxed::Box;

use super::{
    Conclusion, Config, Event, MAX_SERVERS, Scscf,
    bindings::Bindings,
    defect,
    deregistration::{Deregistration, State},
    messages,
};
use crate::{
    drive::{Context, Identifier, Millis, Misuse, Outbox, Reject, Request, Token, Towards},
    regevent::notifier::Resource,
    wire::NameAddr,
};

/// An application server to be told.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) uri: Box<[u8]>,
    pub(crate) call_id: Identifier,
    pub(crate) tag: Identifier,
    pub(crate) branch: Identifier,
    pub(crate) sent: Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Due(Millis),
    Out { token: Option<Token>, until: Millis },
    Done,
}

impl Deregistration {
    pub(super) fn server_of(&self, token: Token) -> Option<usize> {
        self.servers.iter().position(
            |server| matches!(server.sent, Sent::Out { token: own, .. } if own == Some(token)),
        )
    }

    /// [SD-4] The application servers are told when nobody is registered in the set any more.
    pub(super) fn take_servers(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        list: &[u8],
    ) {
        if !table.is_terminated() {
            return;
        }
        for server in NameAddr::parse_list(list).flatten() {
            self.servers.push(Server {
                uri: server.uri_bytes().into(),
                call_id: cx.identifier(),
                tag: cx.identifier(),
                branch: cx.identifier(),
                sent: Sent::Due(cx.now),
            });
        }
    }

    pub(super) fn server_answered(&mut self, token: Token, told: bool) {
        let Some(place) = self.server_of(token) else {
            return;
        };
        if let Some(server) = self.servers.get_mut(place) {
            server.sent = Sent::Done;
            self.outcome.count(told);
        }
    }

    /// The next application server: one that is due, to be offered again, or has not answered in time. A user
    /// who is registered again is not taken from them.
    pub(super) fn tell(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) {
        let overdue = |server: &Server| match server.sent {
            Sent::Out { token: None, .. } => true,
            Sent::Due(at) | Sent::Out { until: at, .. } => cx.now >= at,
            Sent::Done => false,
        };
        let Some(server) = self.servers.iter_mut().find(|server| overdue(server)) else {
            return;
        };
        let until = match server.sent {
            Sent::Due(_) if table.is_terminated() => cx.now.after(cx.config.server_bound),
            Sent::Out { token: None, until } => until,
            Sent::Due(_) | Sent::Out { .. } | Sent::Done => {
                server.sent = Sent::Done;
                self.outcome.count(false);
                return;
            }
        };
        let token = cx.token();
        server.sent = Sent::Out {
            token: Some(token),
            until,
        };
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &[&server.uri],
            udp_limit: cx.config.element.udp_limit(),
        };
        let register = messages::ThirdParty {
            server: &server.uri,
            identity: table.default_identity(),
            call_id: server.call_id,
            tag: server.tag,
            branch: server.branch,
        };
        // Within the limits it fits; were it not so, the bound on the answer would end it.
        let _ = out.request(request, |buffer| register.write(cx.config, buffer));
    }

    /// The one outcome event, when every application server is done with.
    pub(super) fn close_if_told(
        &mut self,
        cx: &Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) {
        if self.servers.iter().all(|server| server.sent == Sent::Done) {
            self.report(cx, table, out);
        }
    }

    /// The one outcome event, and its record.
    pub(super) fn report(
        &mut self,
        cx: &Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) {
        let affected = self.affected(table, out);
        out.event(Event::Deregistered {
            id: self.id,
            affected,
            cause: self.cause,
            outcome: self.outcome,
        });
        self.audit(
            cx,
            (self.id, affected),
            Conclusion::Deregistered(self.outcome),
            out,
        );
        self.state = State::Over;
    }

    /// [SD-5] Application servers are told nothing any more: they are another S-CSCF's.
    pub(super) fn give_up_servers(&mut self) {
        for server in &mut self.servers {
            if server.sent != Sent::Done {
                server.sent = Sent::Done;
                self.outcome.count(false);
            }
        }
    }
}

/// [SD-4] Whether a list of application servers can be used.
///
/// # Errors
/// [`Misuse::BadCommand`] if it is too long or cannot be read.
pub(super) fn check_servers(list: &[u8]) -> Result<(), Misuse> {
    let refuse = |defect| Err(Misuse::BadCommand(Reject::new(defect, 0)));
    if list.len() > usize::from(u16::MAX) {
        return refuse(&defect::HEADER_VALUE);
    }
    let mut count = 0usize;
    for server in NameAddr::parse_list(list) {
        server.map_err(Misuse::BadCommand)?;
        count = count.saturating_add(1);
    }
    match count > MAX_SERVERS {
        true => refuse(&defect::TOO_MANY_SERVERS),
        false => Ok(()),
    }
}
