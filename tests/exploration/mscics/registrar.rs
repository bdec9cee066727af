//! The home network: the registrar, which is a notifier of the registration state too. It answers as it is told.

use ims_procedures::drive::Millis;

use super::{
    outside::{At, Flight, Open, Side, Whose},
    world::{TRANSACTION, World},
};
use crate::{
    bed::{CALL_ID, PARAMS, Subscription, document_by, register_200, response},
    shared::{
        canonical::Canonical,
        wire::{branch, expires, header, method, status},
    },
};

/// Seconds for which the subscriber is registered.
const REGISTERED: u64 = 3_600;

const CONTACT: &str = "Contact: <sip:n@scscf1.home1.example.net:5080>\r\n";

/// The subscription of the MSC server.
#[derive(Clone, Debug)]
struct Subscribed {
    /// The SUBSCRIBE that made it.
    subscribe: String,
    version: u32,
}

/// What it has of the subscriber.
#[derive(Clone, Debug, Default)]
pub struct Registrar {
    /// Until when the contact is bound.
    bound_until: Option<Millis>,
    /// The contact. A REGISTER of the host takes the place of the one before: the instance is the same.
    contact: At,
    /// The highest CSeq of the MSC server's own REGISTERs (RFC 3261 10.3).
    highest: u32,
    subscribed: Option<Subscribed>,
    /// The CSeq of the latest NOTIFY.
    cseq: u32,
    /// The requests of which a copy is in flight, by their branches, and what they were answered.
    answered: Vec<(String, String)>,
}

impl Registrar {
    /// Whether the contact is bound, or would be if its time were not up.
    pub const fn has_bound(&self) -> bool {
        self.bound_until.is_some()
    }

    pub fn is_bound(&self, now: Millis) -> bool {
        self.bound_until.is_some_and(|until| until > now)
    }

    pub const fn is_subscribed(&self) -> bool {
        self.subscribed.is_some()
    }

    pub fn write(&self, now: Millis, canonical: &mut Canonical) {
        let left = self.bound_until.map(|until| until.since(now));
        canonical.number(left.unwrap_or(u64::MAX));
        canonical.number(self.contact as u64);
        canonical.number(self.highest.into());
        canonical.number(self.cseq.into());
        if let Some(Subscribed { subscribe, version }) = &self.subscribed {
            canonical.text(subscribe.as_bytes());
            canonical.number((*version).into());
        }
        for (_, response) in &self.answered {
            canonical.text(response.as_bytes());
        }
    }
}

/// Whether it is a REGISTER by which the node deregisters.
pub fn deregisters(text: &str) -> bool {
    method(text) == "REGISTER" && status(text) == 0 && expires(text) == Some(0)
}

impl World {
    /// A request comes in, and is answered with that status. The transaction absorbs a copy.
    pub fn receive_at_home(&mut self, text: &str, code: u16) {
        let answered = self.outside.registrar.answered.iter();
        let mut again = answered.filter(|(known, _)| known == branch(text));
        if let Some((_, response)) = again.next().cloned() {
            return self.send(Side::Msc, &response);
        }
        let response = match method(text) {
            "SUBSCRIBE" => self.subscribe_at_home(text),
            _ if deregisters(text) => self.deregister_at_home(text, code),
            _ => self.register_at_home(text),
        };
        self.outside
            .registrar
            .answered
            .push((branch(text).to_owned(), response.clone()));
        self.send(Side::Msc, &response);
    }

    /// Of what it has answered, it need not know any more than of what comes again.
    pub fn forget_at_home(&mut self) {
        let outside = &mut self.outside;
        let flights = &outside.flights;
        outside.registrar.answered.retain(|(known, _)| {
            let again =
                |flight: &Flight| status(&flight.text) == 0 && branch(&flight.text) == known;
            flights.iter().any(again)
        });
    }

    /// The MSC server registers the subscriber.
    fn register_at_home(&mut self, text: &str) -> String {
        let cseq = sequence_number(text);
        let registrar = &mut self.outside.registrar;
        if cseq <= registrar.highest {
            return answer(500, text, "");
        }
        registrar.highest = cseq;
        registrar.bound_until = Some(self.outside.now.after(REGISTERED * 1_000));
        registrar.contact = At::of(text);
        self.outside.ghosts.removed = false;
        self.outside.ghosts.crossed = self.is_on_its_way();
        At::of(text).place(&register_200(PARAMS, cseq))
    }

    /// Whether a REGISTER that deregisters has not come yet.
    fn is_on_its_way(&self) -> bool {
        let answered = &self.outside.registrar.answered;
        self.outside.flights.iter().any(|Flight { text, .. }| {
            deregisters(text) && answered.iter().all(|(known, _)| known != branch(text))
        })
    }

    fn deregister_at_home(&mut self, text: &str, code: u16) -> String {
        match code {
            // Of a contact that is not bound, there is nothing to do (RFC 3261 10.3).
            200 if At::of(text) != self.outside.registrar.contact => {}
            200 => self.remove_by(&changed_by(header(text, "Call-ID"), sequence_number(text))),
            404 => self.outside.registrar.bound_until = None,
            _ => self.outside.ghosts.disturbed = true,
        }
        answer(code, text, "")
    }

    /// The home network removes the contact.
    pub fn remove_at_home(&mut self) {
        self.remove_by(&self.changed_by_host());
    }

    /// The contact is removed, and the subscription tells of it, and which REGISTER changed it last.
    fn remove_by(&mut self, changed_by: &str) {
        self.outside.registrar.bound_until = None;
        let state = "terminated;reason=noresource";
        self.notify(state, "terminated", "unregistered", changed_by);
        self.outside.registrar.subscribed = None;
    }

    /// That the host's latest REGISTER that was taken is the one that changed the contact last.
    fn changed_by_host(&self) -> String {
        changed_by(CALL_ID, self.outside.registrar.highest)
    }

    fn subscribe_at_home(&mut self, text: &str) -> String {
        let is_bound = self.outside.is_bound();
        let registrar = &mut self.outside.registrar;
        if !is_bound {
            registrar.subscribed = None;
            self.outside.ghosts.disturbed = true;
            return answer(404, text, "");
        }
        let call_id = header(text, "Call-ID");
        let known = registrar.subscribed.take();
        let known = known.filter(|known| header(&known.subscribe, "Call-ID") == call_id);
        registrar.subscribed = Some(known.unwrap_or_else(|| Subscribed {
            subscribe: text.to_owned(),
            version: 0,
        }));
        self.tell_at_home();
        let granted = expires(text).unwrap_or(0).min(3_660);
        answer(200, text, &format!("{CONTACT}Expires: {granted}\r\n"))
    }

    /// A NOTIFY that nothing has changed.
    pub fn tell_at_home(&mut self) {
        let changed_by = self.changed_by_host();
        self.notify("active;expires=3660", "active", "registered", &changed_by);
    }

    fn notify(&mut self, state: &str, registration: &str, event: &str, changed_by: &str) {
        let registrar = &mut self.outside.registrar;
        let Some(subscribed) = &mut registrar.subscribed else {
            return;
        };
        registrar.cseq += 1;
        let version = subscribed.version;
        let body = document_by(version, registration, registration, event, changed_by);
        let body = registrar.contact.place(&body);
        subscribed.version += 1;
        let subscription = Subscription::of(subscribed.subscribe.as_bytes());
        let notify = subscription.notify(registrar.cseq, state, &body);
        let request = String::from_utf8(notify).expect("text");
        self.send(Side::Msc, &request);
        self.outside.open.push(Open {
            whose: Whose::Home,
            request,
            until: self.outside.now.after(TRANSACTION),
        });
    }

    /// A NOTIFY is answered, or is not.
    pub fn notified(&mut self, request: &str, code: u16) {
        let subscribed = &mut self.outside.registrar.subscribed;
        let is_it = |subscribed: &mut Subscribed| {
            header(&subscribed.subscribe, "Call-ID") == header(request, "Call-ID")
        };
        if code != 200 {
            subscribed.take_if(is_it);
        }
    }
}

/// The attributes of a contact that a REGISTER has changed (RFC 3680 5.1.2).
fn changed_by(call_id: &str, cseq: u32) -> String {
    format!(" callid=\"{call_id}\" cseq=\"{cseq}\"")
}

fn answer(code: u16, request: &str, extra: &str) -> String {
    String::from_utf8(response(code, request.as_bytes(), extra)).expect("text")
}

pub fn sequence_number(text: &str) -> u32 {
    let cseq = header(text, "CSeq").split(' ').next();
    cseq.and_then(|number| number.parse().ok()).unwrap_or(0)
}
