//! [CP-1] A session whose dialog passes through: BYEs and their answers go on as they came.
//!
//! A BYE goes on along its Route with a Via of ours, one hop less and without our own Route; its final answer goes back
//! without that Via. Every other byte stays, but for Message-UID, which is never another's to give (CP-4). No answer is
//! made up: a BYE that is not answered stays so (RFC 4320 4.2), and one that cannot be sent on, or is answered 503, is
//! answered 500 (RFC 3261 16.7).
//!
//! One deviation is decided (CP-1): a 408 of the far end goes back as every final answer does, which RFC 4320 4.2 does not
//! want of a 408 to what is no INVITE. Behind the transaction layer it goes no further: `txn` withholds it. The session
//! is over either way.
//!
//! The session ends with the first answer of 2xx, 481 or 408, or none in time. After another one whoever wants to end it
//! may try again, as with credentials; if for 64·T1 nobody does, it has ended too: its sender has stopped its media
//! (15.1.1).
//!
//! [DR-7] After a restore nothing goes out by itself: the sender of a BYE that is not answered sends it again, and it
//! goes on as before, in the same transaction to whoever gets it. If it does not come within the time for its answer, its
//! sender has given up, and the session has ended.

use alloc::{boxed::Box, vec::Vec};

use super::{
    Cause, Config, End, Ends, LegId, Outcome, Recording, defect,
    session::{Session, Turn},
};
use crate::{
    drive::{
        Begun, Buffer, Identifier, Millis, Reject, Request, Timer, Token, Towards, TransactionRef,
        increment,
    },
    wire::{
        Edit, Header, HeaderName, MAGIC_COOKIE, Message, NameAddr, Uri, Via, Writer,
        register::unfolded, rewrite,
    },
};

/// The most BYEs of a session that are on their way, or remembered, at once.
pub(super) const MOST_WAYS: usize = 4;

/// A BYE on its way.
pub(super) struct Way {
    /// Whose it is.
    pub(super) from: LegId,
    pub(super) to: TransactionRef,
    /// What every response to it copies.
    pub(super) kept: Box<[u8]>,
    /// What its branch is told by.
    pub(super) key: u64,
    /// Of our Via.
    pub(super) branch: Identifier,
    /// None before it is passed on, after a restore until it comes again, and once it is over.
    pub(super) token: Option<Token>,
    /// When it counts as unanswered.
    pub(super) until: Millis,
    /// What it was answered with.
    pub(super) answer: Option<(u16, Box<[u8]>)>,
}

/// What a proxied session has once a BYE has come.
pub(super) struct Relaying {
    pub(super) ways: Vec<Way>,
    pub(super) refused: Option<Refused>,
    /// Once the session has ended: until when answered BYEs are remembered.
    pub(super) over: Option<Millis>,
    /// Of the outcome.
    pub(super) event: Identifier,
    /// [DR-9] When the BYE came that may end it.
    pub(super) begun: Begun,
}

/// A BYE that was answered, and did not end the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Whose it was.
    pub(super) from: LegId,
    /// How the other end has taken it.
    pub(super) end: End,
    /// How long another one is waited for.
    pub(super) until: Millis,
}

impl Relaying {
    pub(super) fn awaits(&self, token: Token) -> bool {
        self.ways.iter().any(|way| way.token == Some(token))
    }

    pub(super) fn is_gone(&self, now: Millis) -> bool {
        self.over.is_some_and(|until| now >= until)
    }

    /// BYEs that have no answer: they are on their way or, after a restore, may come again.
    fn unanswered(&self) -> impl Iterator<Item = &Way> {
        let is_over = self.over.is_some();
        let is_unanswered =
            move |way: &&Way| way.answer.is_none() && (way.token.is_some() || !is_over);
        self.ways.iter().filter(is_unanswered)
    }

    /// What is waited for once a BYE was refused, if none is on its way.
    fn left(&self) -> Option<Refused> {
        let is_waiting = self.over.is_none() && self.unanswered().next().is_none();
        self.refused.filter(|_| is_waiting)
    }

    /// Makes room for one more. False: as many as may be are on their way.
    fn make_room(&mut self) -> bool {
        if self.ways.len() < MOST_WAYS {
            return true;
        }
        let answered = self.ways.iter().position(|way| way.token.is_none());
        answered.is_some_and(|place| {
            self.ways.remove(place);
            true
        })
    }

    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        let ways = self.unanswered();
        let ways = ways.map(|way| (way.until, Timer("answer to BYE")));
        let left = self.left().map(|left| (left.until, Timer("another BYE")));
        let over = self.over.map(|at| (at, Timer("answered BYE remembered")));
        ways.chain(left).chain(over).min_by_key(|&(at, _)| at)
    }
}

/// A BYE that came to a proxy.
pub(super) struct Passing<'a, 'm> {
    pub(super) message: &'a Message<'m>,
    /// Whose it is.
    pub(super) from: LegId,
    pub(super) to: TransactionRef,
    /// What its branch is told by.
    pub(super) key: u64,
    /// What every response to it copies.
    pub(super) kept: &'a [u8],
    pub(super) max_forwards: Option<u8>,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Passed {
    /// It goes on, is answered again, or is on its way already.
    Taken,
    /// Its next hop is a strict router, or this element itself: the host passes it on.
    Host,
    /// It cannot go on.
    Refused(u16, Reject),
}

impl Session {
    /// [CP-1] (S3 L43, L95) Passes a BYE on.
    pub(super) fn pass(&mut self, turn: &mut Turn<'_>, bye: &Passing<'_, '_>) -> Passed {
        if bye.max_forwards == Some(0) {
            return Passed::Refused(483, Reject::new(&defect::TOO_MANY_HOPS, 0));
        }
        let Some(route) = Onward::read(bye.message, turn.cx.config) else {
            return Passed::Host;
        };
        let event = turn.cx.identifier();
        let begun = Begun::at(turn.cx.now, turn.cx.config.audit);
        let relaying = self.relaying.get_or_insert_with(|| {
            Box::new(Relaying {
                ways: Vec::new(),
                refused: None,
                over: None,
                event,
                begun,
            })
        });
        let mut ways = relaying.ways.iter();
        match ways.position(|way| way.from == bye.from && way.key == bye.key) {
            Some(place) => self.pass_again(turn, place, bye, &route),
            None => {
                if relaying.left().is_some() {
                    relaying.begun = begun;
                }
                self.pass_first(turn, bye, &route)
            }
        }
    }

    /// One that has come before: it is on its way, was answered, or goes on again after a restore.
    fn pass_again(
        &mut self,
        turn: &mut Turn<'_>,
        place: usize,
        bye: &Passing<'_, '_>,
        route: &Onward<'_>,
    ) -> Passed {
        let relaying = self.relaying.as_deref_mut();
        match relaying.and_then(|relaying| relaying.ways.get_mut(place)) {
            Some(Way {
                answer: Some((status, bytes)),
                ..
            }) => {
                increment(&mut turn.counters.repeated);
                let _ = turn
                    .out
                    .respond(bye.to, *status, |buffer| buffer.put(bytes));
            }
            Some(way) if way.token.is_none() => {
                way.to = bye.to;
                if !way.send(turn, bye, route) {
                    self.note_refused(turn, bye.from, End::Unsendable);
                }
            }
            _ => increment(&mut turn.counters.repeated),
        }
        Passed::Taken
    }

    /// One that comes for the first time.
    fn pass_first(
        &mut self,
        turn: &mut Turn<'_>,
        bye: &Passing<'_, '_>,
        route: &Onward<'_>,
    ) -> Passed {
        let Some(relaying) = self.relaying.as_deref_mut() else {
            return Passed::Host;
        };
        if !relaying.make_room() {
            return Passed::Refused(500, Reject::new(&defect::BYES_UNANSWERED, 0));
        }
        let mut way = Way {
            from: bye.from,
            to: bye.to,
            kept: bye.kept.into(),
            key: bye.key,
            branch: turn.cx.identifier(),
            token: None,
            until: Millis(0),
            answer: None,
        };
        let is_sent = way.send(turn, bye, route);
        relaying.ways.push(way);
        if !is_sent {
            self.note_refused(turn, bye.from, End::Unsendable);
        }
        Passed::Taken
    }

    /// [CP-1] (S3 L43, L95) The final answer goes back.
    pub(super) fn pass_back(&mut self, turn: &mut Turn<'_>, token: Token, response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        let Some(way) = self.way(token) else {
            return;
        };
        way.token = None;
        let from = way.from;
        if status == 503 {
            way.refuse(turn);
            return self.note_refused(turn, from, End::Answered(status));
        }
        let mut buffer = Buffer::new(turn.cx.config.limits.message_bytes);
        write_response(response, &mut buffer);
        if buffer.fault().is_some() {
            return;
        }
        let bytes: Box<[u8]> = buffer.as_slice().into();
        let _ = turn
            .out
            .respond(way.to, status, |buffer| buffer.put(&bytes));
        way.answer = Some((status, bytes));
        match status {
            200..=299 | 408 | 481 => self.pass_away(turn, from, End::Answered(status)),
            _ => self.note_refused(turn, from, End::Answered(status)),
        }
    }

    /// No answer came. It is not answered in its place, unless it could not be sent on.
    pub(super) fn pass_nothing_back(&mut self, turn: &mut Turn<'_>, token: Token, end: End) {
        let Some(way) = self.way(token) else {
            return;
        };
        way.token = None;
        let from = way.from;
        if end == End::Unreachable {
            way.refuse(turn);
            return self.note_refused(turn, from, end);
        }
        self.pass_away(turn, from, end);
    }

    /// A BYE was answered, and the session may go on.
    fn note_refused(&mut self, turn: &Turn<'_>, from: LegId, end: End) {
        let until = turn.cx.now.after(turn.cx.config.memory());
        if let Some(relaying) = &mut self.relaying {
            relaying.refused = Some(Refused { from, end, until });
        }
    }

    fn way(&mut self, token: Token) -> Option<&mut Way> {
        let relaying = self.relaying.as_deref_mut()?;
        let mut ways = relaying.ways.iter_mut();
        ways.find(|way| way.token == Some(token))
    }

    /// The session has ended: the outcome, once.
    fn pass_away(&mut self, turn: &mut Turn<'_>, from: LegId, end: End) {
        let until = turn.cx.now.after(turn.cx.config.memory());
        let Some(relaying) = self.relaying.as_deref_mut() else {
            return;
        };
        if relaying.over.is_some() {
            return;
        }
        relaying.over = Some(until);
        let (cause, client, other) = match from {
            LegId::Client => (Cause::Client, End::ByItself, end),
            _ => (Cause::Other, end, End::ByItself),
        };
        let began_as = (relaying.event, cause, relaying.begun);
        let ends = Ends {
            client: Some(client),
            other: Some(other),
            ..Ends::default()
        };
        let recording = Recording::NotAllowed;
        self.report(turn, began_as, Outcome { ends, recording });
    }

    /// A BYE that was not answered although the host said nothing, or that has not come again; or a session that nobody
    /// has ended since a BYE was refused.
    pub(super) fn tick_relaying(&mut self, turn: &mut Turn<'_>) {
        let now = turn.cx.now;
        let Some(relaying) = self.relaying.as_deref_mut() else {
            return;
        };
        let silent = relaying.unanswered().find(|way| now >= way.until);
        let left = relaying.left().filter(|left| now >= left.until);
        if let Some((from, key)) = silent.map(|way| (way.from, way.key)) {
            let mut ways = relaying.ways.iter_mut();
            if let Some(way) = ways.find(|way| way.from == from && way.key == key) {
                way.token = None;
            }
            self.pass_away(turn, from, End::NoResponse);
        } else if let Some(left) = left {
            self.pass_away(turn, left.from, left.end);
        }
    }
}

impl Way {
    /// Sends it on: at first, or after a restore when it comes again, with the same branch. False: it could not be
    /// written, and is answered.
    fn send(&mut self, turn: &mut Turn<'_>, bye: &Passing<'_, '_>, route: &Onward<'_>) -> bool {
        let token = turn.cx.token();
        let config = turn.cx.config;
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &[route.next_hop],
            udp_limit: config.element.udp_limit(),
        };
        let sent = turn.out.request(request, |buffer| {
            let hops = (bye.max_forwards, route);
            write_request(bye.message, (config, self.branch), hops, buffer);
        });
        match sent {
            Ok(()) => {
                increment(&mut turn.counters.relayed);
                self.token = Some(token);
                self.until = turn.cx.now.after(config.answer_bound);
            }
            Err(_) => self.refuse(turn),
        }
        sent.is_ok()
    }

    /// [RFC 3261 16.7, 16.9] It is answered 500.
    fn refuse(&mut self, turn: &mut Turn<'_>) {
        let mut buffer = Buffer::new(turn.cx.config.limits.message_bytes);
        Writer::respond_later(&mut buffer, 500, &self.kept).finish();
        let bytes: Box<[u8]> = buffer.as_slice().into();
        let _ = turn.out.respond(self.to, 500, |buffer| buffer.put(&bytes));
        self.answer = Some((500, bytes));
    }
}

/// Where a request goes on to, and what becomes of its first Route.
struct Onward<'m> {
    next_hop: &'m [u8],
    /// What is left of the field with our own Route; `None` if it does not begin with it.
    rest: Option<&'m [u8]>,
}

impl<'m> Onward<'m> {
    /// [RFC 3261 16.4, 16.6] `None`: it is for the host to pass on, after a strict router or to one, or as it is for this
    /// element itself.
    fn read(message: &Message<'m>, config: &Config) -> Option<Self> {
        let ours = Uri::parse(config.element.uri()).ok()?;
        let target = message.request_uri()?;
        let target_uri = Uri::parse(target).ok();
        if target_uri.is_some_and(|target| target.same_host_port(&ours)) {
            return None;
        }
        let mut rest = None;
        let mut routes = message.name_addrs(HeaderName::Route);
        let mut next = routes.next().transpose().ok()?;
        if next.is_some_and(|route| route.uri().same_host_port(&ours)) {
            let field = message.header(HeaderName::Route).map(Header::raw)?;
            let mut addresses = NameAddr::parse_list(field);
            addresses.next()?.ok()?;
            rest = Some(addresses.rest());
            next = routes.next().transpose().ok()?;
        }
        let next_hop = match next {
            Some(route) if !route.uri().is_loose_router() => return None,
            Some(route) => route.uri_bytes(),
            None => target_uri.map(|_| target)?,
        };
        Some(Self { next_hop, rest })
    }
}

/// [CP-1, CP-4] The request as it goes on.
fn write_request(
    message: &Message<'_>,
    (config, branch): (&Config, Identifier),
    (max_forwards, route): (Option<u8>, &Onward<'_>),
    buffer: &mut Buffer,
) {
    let element = &config.element;
    let start = buffer.len();
    let via = |transport: &[u8]| {
        [
            b"SIP/2.0/",
            transport,
            b" ",
            element.sent_by(),
            b";branch=",
            MAGIC_COOKIE,
            &branch.text(),
        ]
        .concat()
    };
    let mut hops = Buffer::new(3);
    hops.put_number(max_forwards.unwrap_or(71).saturating_sub(1).into());
    let (udp, tcp) = (via(b"UDP"), via(b"TCP"));
    let write = |via: &[u8], buffer: &mut Buffer| {
        let (mut has_via, mut has_route) = (false, false);
        rewrite(message, buffer, |field| match field.name {
            HeaderName::Via if !core::mem::replace(&mut has_via, true) => {
                Edit::Before(HeaderName::Via, via)
            }
            HeaderName::MaxForwards => Edit::Replace(hops.as_slice()),
            HeaderName::CSeq if max_forwards.is_none() => {
                Edit::After(HeaderName::MaxForwards, hops.as_slice())
            }
            HeaderName::Route if !core::mem::replace(&mut has_route, true) => match route.rest {
                None => Edit::Keep,
                Some([]) => Edit::Drop,
                Some(rest) => Edit::ReplaceOwned(unfolded(rest)),
            },
            HeaderName::MessageUid => Edit::Drop,
            _ => Edit::Keep,
        });
    };
    write(&udp, buffer);
    if buffer.len().saturating_sub(start) > element.udp_limit() {
        buffer.truncate(start);
        write(&tcp, buffer);
    }
}

/// [CP-1, CP-4] The response as it goes back.
fn write_response(response: &Message<'_>, buffer: &mut Buffer) {
    let mut has_via = false;
    rewrite(response, buffer, |field| match field.name {
        HeaderName::Via if !core::mem::replace(&mut has_via, true) => {
            let mut vias = Via::parse_list(field.value.raw());
            let _ = vias.next();
            match vias.rest() {
                [] => Edit::Drop,
                rest => Edit::ReplaceOwned(unfolded(rest)),
            }
        }
        HeaderName::MessageUid => Edit::Drop,
        _ => Edit::Keep,
    });
}
