//! [CP-6] A BYE that comes: whose it is, and whether it is to be taken.

use xxhash_rust::xxh3::xxh3_64;

use super::CpmNode;
use crate::{
    cpm::{
        Config, Cpm, LegId, Mode, defect,
        leg::{Answered, Leg},
        messages::Final,
        proxy::{Passed, Passing},
        session::{Bye, Input},
    },
    dialog::{Admission, Incoming, reason},
    drive::{Buffer, Defect, Millis, Outbox, TransactionRef, Verdict, holds_break, increment},
    fleet::Id,
    regevent::notification::Refusal,
    wire::{Accepts, Header, HeaderName, Message, Required, Uri, Writer, register::first_uri},
};

impl CpmNode {
    /// [CP-6] A BYE.
    pub(super) fn bye(
        &mut self,
        now: Millis,
        txn: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Refusal> {
        let required = Required::read(message)?;
        let route = message.name_addrs(HeaderName::Route).next().transpose()?;
        let request = Incoming::of(&required, route);
        let Some((id, leg)) = self.find_leg(&request) else {
            if !self.config.answers_unknown {
                return Ok(Verdict::NotMine);
            }
            increment(&mut self.counters.unknown);
            return Err(refusal(
                message,
                481,
                &defect::NO_SESSION,
                HeaderName::CallId,
            ));
        };
        let mode = self.sessions.get(id).map(|session| session.mode);
        let accepts = match mode {
            Some(Mode::Proxy) => Accepts::proxy(),
            _ => Accepts::server(),
        };
        accepts.check(message, &required)?;
        let mut kept = core::mem::replace(&mut self.kept, Buffer::new(0));
        kept.clear();
        Writer::keep(&mut kept, message);
        let taken = match kept.fault() {
            Some(_) => Err(Refusal::new(513, &defect::BYE_TOO_LARGE, 0)),
            None if mode == Some(Mode::Proxy) => {
                let passing = Passing {
                    message,
                    from: leg,
                    to: txn,
                    key: key_of(&request),
                    kept: kept.as_slice(),
                    max_forwards: required.max_forwards,
                };
                self.pass(now, id, &passing, out)
            }
            None => self.take(
                now,
                (id, leg),
                &request,
                (txn, message, kept.as_slice()),
                out,
            ),
        };
        self.kept = kept;
        taken
    }

    /// [CP-1] A BYE of a proxied session.
    fn pass(
        &mut self,
        now: Millis,
        id: Id,
        bye: &Passing<'_, '_>,
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Refusal> {
        match self.with(now, id, out, |session, turn| session.pass(turn, bye)) {
            Some(Passed::Taken) | None => Ok(Verdict::Handled),
            Some(Passed::Host) => Ok(Verdict::Forward),
            Some(Passed::Refused(status, reject)) => Err(Refusal { status, reject }),
        }
    }

    /// [CP-6] A BYE of a leg.
    fn take(
        &mut self,
        now: Millis,
        (id, leg): (Id, LegId),
        request: &Incoming<'_>,
        (to, message, kept): (TransactionRef, &Message<'_>, &[u8]),
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Refusal> {
        let Some(session) = self.sessions.get_mut(id) else {
            return Ok(Verdict::NotMine);
        };
        let Some(own) = session.leg_mut(leg) else {
            return Ok(Verdict::NotMine);
        };
        if !leads_here(request, own, &self.config) {
            increment(&mut self.counters.misrouted);
            return Err(refusal(
                message,
                400,
                &defect::WRONG_ROUTE,
                HeaderName::Route,
            ));
        }
        let charging = match leg {
            LegId::Iwf(_) => None,
            LegId::Client | LegId::Other => message.header(HeaderName::PChargingVector),
        };
        let bye = Bye {
            leg,
            to,
            kept,
            charging: charging
                .map(Header::raw)
                .filter(|charging| !holds_break(charging))
                .unwrap_or_default(),
            reason: b"",
            branch: key_of(request),
        };
        match Admission::after(own.sequence.remote, request.cseq) {
            Admission::Repeated => return self.repeat(id, &bye, message, out),
            Admission::Refuse(status) => {
                increment(&mut self.counters.out_of_order);
                return Err(refusal(
                    message,
                    status,
                    &defect::OUT_OF_ORDER,
                    HeaderName::CSeq,
                ));
            }
            Admission::New if own.has_left() => {
                increment(&mut self.counters.unknown);
                return Err(refusal(
                    message,
                    481,
                    &defect::NO_SESSION,
                    HeaderName::CallId,
                ));
            }
            Admission::New => own.sequence.remote = Some(request.cseq),
        }
        increment(&mut self.counters.byes);
        let carried = reason(message, self.config.reason_bytes);
        let carried = carried.filter(|reason| !holds_break(reason));
        if carried.is_none() {
            increment(&mut self.counters.reasons_dropped);
        }
        let bye = Bye {
            reason: carried.as_deref().unwrap_or_default(),
            ..bye
        };
        self.step(now, id, Input::Bye(bye), out);
        Ok(Verdict::Handled)
    }

    /// [CP-6] A BYE that has come before gets the same answer, once there is one; the same number on another branch is
    /// out of order.
    fn repeat(
        &mut self,
        id: Id,
        bye: &Bye<'_>,
        message: &Message<'_>,
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Refusal> {
        let Some(session) = self.sessions.get_mut(id) else {
            return Ok(Verdict::NotMine);
        };
        if session.hold_again(bye) {
            increment(&mut self.counters.repeated);
            self.changes.note(id.place(), false, out);
            return Ok(Verdict::Handled);
        }
        let closing = session.closing.as_deref();
        let leg = session.leg(bye.leg);
        match leg.and_then(Leg::answered) {
            Some(Answered { branch, has_uid }) if branch == bye.branch => {
                let uid = closing.filter(|_| has_uid).map(|closing| &*closing.uid);
                let answer = Final {
                    leg: bye.leg,
                    kept: bye.kept,
                    charging: bye.charging,
                    uid: uid.unwrap_or_default(),
                };
                let config = &self.config;
                let _ = out.respond(bye.to, 200, |buffer| answer.write(config, buffer));
                // It depends on what is stored as the first one does.
                self.changes.note(id.place(), false, out);
            }
            _ => {
                increment(&mut self.counters.out_of_order);
                return Err(refusal(
                    message,
                    500,
                    &defect::OUT_OF_ORDER,
                    HeaderName::CSeq,
                ));
            }
        }
        increment(&mut self.counters.repeated);
        Ok(Verdict::Handled)
    }
}

/// [RFC 3261 16.4] Whether a request has no Route, or begins with one of this element's: by its URI, or the Contact of
/// the leg.
fn leads_here(request: &Incoming<'_>, leg: &Leg, config: &Config) -> bool {
    let Some(route) = request.route else {
        return true;
    };
    let contact = first_uri(leg.dialog().local_contact);
    let names = [Some(config.element.uri()), contact];
    let mut names = names.into_iter().flatten();
    names.any(|name| Uri::parse(name).is_ok_and(|name| name.same_host_port(&route.uri())))
}

/// What the branch of a request is told by.
fn key_of(request: &Incoming<'_>) -> u64 {
    xxh3_64(request.branch.unwrap_or_default())
}

/// A refusal for what stands, or is missing, in that header.
fn refusal(message: &Message<'_>, status: u16, what: &'static Defect, name: HeaderName) -> Refusal {
    let at = message.header(name).map_or(0, Header::at);
    Refusal::new(status, what, at)
}
