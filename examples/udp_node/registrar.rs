//! What an S-CSCF does with a REGISTER beside the procedures of the library: it accepts registrations (RFC 3261 10.3,
//! RFC 3327 5.3, RFC 5626 6, TS 24.229 5.4.1.2.2F). What removes bindings, and nothing else, is the library's.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers, Limits, Millis},
    wire::{
        Accepts, Contact, ContactAddr, HeaderName, Message, Owed, Required, Uri, Writer, validate,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, Proof},
    subscribers::{Subscriber, Subscribers},
};

/// What a REGISTER may demand.
pub const EXTENSIONS: [&[u8]; 3] = [b"path", b"outbound", b"pref"];

/// Milliseconds for which it is remembered that a binding has gone: twice 64·T1, as the node does.
const MEMORY: u64 = 64_000;

/// How long registrations last, in seconds.
#[derive(Clone, Copy)]
pub struct Expiry {
    pub least: u32,
    pub most: u32,
    /// Of a REGISTER that says nothing.
    pub default: u32,
}

type Flow = (Option<Vec<u8>>, Option<Vec<u8>>);

/// A contact, or a flow, of a user.
#[derive(Clone, Deserialize, Serialize)]
pub struct Binding {
    pub private_identity: String,
    pub uri: Vec<u8>,
    /// What a 2xx lists: the address and its parameters, without the expiry.
    address: Vec<u8>,
    /// Instance and number of the flow: it is one if both are there (RFC 5626).
    flow: Flow,
    call_id: Vec<u8>,
    cseq: u32,
    /// The branch of the REGISTER that was here last: one that comes again is told by it.
    branch: Vec<u8>,
    pub expires_at: Millis,
}

/// The bindings of one implicit registration set.
pub type Bindings = Vec<Binding>;

pub struct Registrar {
    subscribers: Subscribers,
    /// `None`: whoever may register is believed.
    digest: Option<Digest>,
    expiry: Expiry,
    service_route: String,
    /// By the default identity of the set.
    pub sets: BTreeMap<String, Bindings>,
    /// One for all responses: they begin no dialog, and one that is written again must have the same.
    tag: Identifier,
    gone: Gone,
    limits: Limits,
}

/// Calls whose bindings have gone. A REGISTER that was long on its way, or is sent again, must not bring one back: the
/// binding that would say that it comes too late is there no more.
#[derive(Default)]
struct Gone {
    /// The last CSeq of each Call-ID.
    latest: HashMap<Vec<u8>, u32>,
    until: VecDeque<(Millis, Vec<u8>)>,
}

/// What is to be answered.
pub enum Answer {
    /// Not a REGISTER that is granted.
    Refusal(Vec<u8>),
    /// Nothing changes: it asks what is bound, or comes again.
    Listing(Vec<u8>),
    Grant(Grant),
}

/// A REGISTER that can be granted: it counts when it has been [kept](Registrar::keep).
pub struct Grant {
    pub subscriber: Subscriber,
    bindings: Bindings,
    pub response: Vec<u8>,
}

/// Status, and what stands beside it.
type Refusal = (u16, Option<(HeaderName, String)>);

/// More contacts than a user may have.
const TOO_MANY: Refusal = (403, None);

impl Registrar {
    pub fn new(
        subscribers: Subscribers,
        digest: Option<Digest>,
        expiry: Expiry,
        service_route: String,
        mut identifiers: Identifiers,
    ) -> Self {
        Self {
            subscribers,
            digest,
            expiry,
            service_route,
            sets: BTreeMap::new(),
            tag: identifiers.next(),
            gone: Gone::default(),
            limits: Limits::default(),
        }
    }

    /// What a REGISTER is answered with that has proved so much. `None` if it cannot be answered at all.
    pub fn register(&self, now: Millis, request: &Message<'_>, proof: Proof) -> Option<Answer> {
        let accepts = Accepts::server().options(&EXTENSIONS);
        let required = match validate(request, &accepts) {
            Ok(required) => required,
            Err(owed) => return self.owed(&owed, request).map(Answer::Refusal),
        };
        match self.decide(now, request, &required, proof) {
            Ok(answer) => Some(answer),
            Err(refusal) => self.refuse(request, refusal).map(Answer::Refusal),
        }
    }

    /// Takes over what was granted.
    pub fn keep(&mut self, grant: Grant) -> (String, &Bindings) {
        let set = grant.subscriber.default_identity().to_owned();
        let bindings = self.sets.entry(set.clone()).or_default();
        *bindings = grant.bindings;
        (set, bindings)
    }

    /// These contacts are not bound any more. What is left of the set.
    pub fn remove(
        &mut self,
        now: Millis,
        (set, private_identity): (&str, &str),
        contacts: &[&[u8]],
    ) -> &[Binding] {
        let Some(bindings) = self.sets.get_mut(set) else {
            return &[];
        };
        for contact in contacts {
            // Of flows with the same address, the one with the least time has gone.
            let is_it = |(_, binding): &(usize, &Binding)| {
                binding.private_identity == private_identity && binding.uri == *contact
            };
            let found = bindings.iter().enumerate().filter(is_it);
            let gone = found.min_by_key(|(_, binding)| binding.expires_at);
            if let Some(place) = gone.map(|(place, _)| place) {
                let gone = bindings.remove(place);
                self.gone.note(now, gone);
            }
        }
        if bindings.is_empty() {
            self.sets.remove(set);
        }
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }

    /// The contacts that are bound have no more time than until then.
    pub fn shorten(&mut self, contacts: &HashSet<&[u8]>, private: Option<&str>, until: Millis) {
        let bindings = self.sets.values_mut().flatten();
        let meant = bindings.filter(|binding| {
            contacts.contains(&*binding.uri)
                && private.is_none_or(|private| private == binding.private_identity)
        });
        meant.for_each(|binding| binding.expires_at = binding.expires_at.min(until));
    }

    /// What the credentials of a REGISTER prove.
    pub fn verify(&self, now: Millis, request: &Message<'_>) -> Proof {
        match (&self.digest, self.subscribers.find(request)) {
            (_, None) => Proof::Wrong,
            (None, Some(_)) => Proof::NotAsked,
            (Some(digest), Some(who)) => digest.verify(now, request, &who.password),
        }
    }

    pub fn challenge(&self, now: Millis, stale: bool) -> Option<String> {
        Some(self.digest.as_ref()?.challenge(now, stale))
    }

    fn decide(
        &self,
        now: Millis,
        request: &Message<'_>,
        required: &Required<'_>,
        proof: Proof,
    ) -> Result<Answer, Refusal> {
        let subscriber = self.subscribers.find(request).ok_or((403, None))?;
        match proof {
            Proof::Given | Proof::NotAsked => {}
            Proof::Wrong => return Err((403, None)),
            Proof::Missing { stale } => {
                let challenge = self.challenge(now, stale).unwrap_or_default();
                return Err((401, Some((HeaderName::WwwAuthenticate, challenge))));
            }
        }
        if self.gone.has(required.call_id, required.cseq) {
            return Err((500, None));
        }
        let empty = Vec::new();
        let known = self.sets.get(subscriber.default_identity());
        let known = known.unwrap_or(&empty);
        let bounds = (self.expiry, self.limits.contacts);
        let change = Change::new(now, request, required, &subscriber, bounds)?;
        let Some(bindings) = change.apply(known)? else {
            let response = self.grant(now, request, &subscriber, known);
            return response.map(Answer::Listing).ok_or((500, None));
        };
        if bindings.len() > self.limits.contacts {
            return Err(TOO_MANY);
        }
        let response = self.grant(now, request, &subscriber, &bindings);
        Ok(Answer::Grant(Grant {
            response: response.ok_or((513, None))?,
            subscriber,
            bindings,
        }))
    }

    /// What is bound now, the way to it, the way from it, and all identities that came with it.
    fn grant(
        &self,
        now: Millis,
        request: &Message<'_>,
        subscriber: &Subscriber,
        bindings: &Bindings,
    ) -> Option<Vec<u8>> {
        let mut buffer = Buffer::new(self.limits.message_bytes);
        let mut answer = Writer::respond_to(&mut buffer, request, 200, Some(self.tag));
        for binding in bindings {
            let left = binding.expires_at.since(now).div_ceil(1_000).to_string();
            let parts = [&*binding.address, b";expires=", left.as_bytes()];
            answer.parts(HeaderName::Contact, &parts);
        }
        answer
            .copy(request, HeaderName::Path)
            .header(HeaderName::Supported, b"path, outbound")
            .header(HeaderName::ServiceRoute, self.service_route.as_bytes());
        let associated: Vec<String> = subscriber.shown().map(|uri| format!("<{uri}>")).collect();
        answer.header(HeaderName::PAssociatedUri, associated.join(", ").as_bytes());
        answer.finish();
        finished(buffer)
    }

    fn refuse(&self, request: &Message<'_>, (status, beside): Refusal) -> Option<Vec<u8>> {
        let mut buffer = Buffer::new(self.limits.message_bytes);
        let mut answer = Writer::respond_to(&mut buffer, request, status, Some(self.tag));
        if let Some((name, value)) = beside {
            answer.header(name, value.as_bytes());
        }
        answer.finish();
        finished(buffer)
    }

    fn owed(&self, owed: &Owed<'_>, request: &Message<'_>) -> Option<Vec<u8>> {
        owed.status()?;
        let mut buffer = Buffer::new(self.limits.message_bytes);
        owed.write(&mut buffer, request, Some(self.tag));
        finished(buffer)
    }
}

impl Gone {
    fn note(&mut self, now: Millis, binding: Binding) {
        while self.until.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, call_id)) = self.until.pop_front() {
                self.latest.remove(&call_id);
            }
        }
        let until = now.after(MEMORY);
        self.until.push_back((until, binding.call_id.clone()));
        self.latest.insert(binding.call_id, binding.cseq);
    }

    fn has(&self, call_id: &[u8], cseq: u32) -> bool {
        let latest = self.latest.get(call_id);
        latest.is_some_and(|latest| cseq <= *latest)
    }
}

/// What a REGISTER wants changed.
struct Change<'m> {
    call_id: &'m [u8],
    cseq: u32,
    branch: &'m [u8],
    private_identity: &'m str,
    /// Each contact with the seconds granted to it, 0 to be removed.
    contacts: Vec<(ContactAddr<'m>, u32)>,
    now: Millis,
}

impl<'m> Change<'m> {
    fn new(
        now: Millis,
        request: &Message<'m>,
        required: &Required<'m>,
        subscriber: &'m Subscriber,
        (expiry, most): (Expiry, usize),
    ) -> Result<Self, Refusal> {
        // Each is compared with each that is bound.
        if request.contacts().nth(most).is_some() {
            return Err(TOO_MANY);
        }
        let general = request.expires().ok().flatten().unwrap_or(expiry.default);
        let mut contacts = Vec::new();
        for contact in request.contacts() {
            // `*` beside others, or without an expiry of zero.
            let Ok(Contact::Addr(contact)) = contact else {
                return Err((400, None));
            };
            let asked = contact.expires().unwrap_or(general);
            if asked > 0 && asked < expiry.least {
                let least = expiry.least.to_string();
                return Err((423, Some((HeaderName::MinExpires, least))));
            }
            contacts.push((contact, asked.min(expiry.most)));
        }
        Ok(Self {
            call_id: required.call_id,
            cseq: required.cseq,
            branch: required.via.branch().unwrap_or_default(),
            private_identity: &subscriber.private_identity,
            contacts,
            now,
        })
    }

    /// The bindings as it leaves them; `None` if it leaves them as they are.
    fn apply(&self, known: &Bindings) -> Result<Option<Bindings>, Refusal> {
        let mut bindings = known.clone();
        let mut repeated = 0;
        for (contact, granted) in &self.contacts {
            let named = bindings.iter().filter(|known| self.names(contact, known));
            let in_order = named.map(|known| self.is_in_order(known));
            if !in_order
                .collect::<Result<Vec<_>, _>>()?
                .iter()
                .all(|new| *new)
            {
                repeated += 1;
                continue;
            }
            if *granted == 0 {
                bindings.retain(|known| !self.names(contact, known));
                continue;
            }
            let fresh = self.binding(contact, *granted);
            match self.place_among(contact, &bindings) {
                Some(place) => bindings[place] = fresh,
                None => bindings.push(fresh),
            }
        }
        let is_a_change = repeated < self.contacts.len();
        Ok(is_a_change.then_some(bindings))
    }

    /// RFC 3261 10.3 step 7: whether it comes after what was here last. The same one again is not refused, and changes
    /// nothing.
    fn is_in_order(&self, known: &Binding) -> Result<bool, Refusal> {
        let is_new = known.call_id != self.call_id || known.cseq < self.cseq;
        match is_new || known.branch == self.branch {
            true => Ok(is_new),
            false => Err((500, None)),
        }
    }

    /// The binding of its own flow, or else the first that it names.
    fn place_among(&self, contact: &ContactAddr<'_>, bindings: &Bindings) -> Option<usize> {
        let is_named = |known: &Binding| self.names(contact, known);
        let own = flow(contact);
        let same = bindings
            .iter()
            .position(|known| known.flow == own && is_named(known));
        same.or_else(|| bindings.iter().position(is_named))
    }

    /// Whether it names this binding: as the same flow, or by an equal URI (RFC 3261 19.1.4, where an unknown parameter
    /// that only one of them has makes no difference) with nothing that contradicts.
    fn names(&self, contact: &ContactAddr<'_>, known: &Binding) -> bool {
        fn agree<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        let (own, theirs) = (&known.flow, &flow(contact));
        let is_flow = |flow: &Flow| flow.0.is_some() && flow.1.is_some();
        let has_equal_uri =
            || Uri::parse(&known.uri).is_ok_and(|uri| uri.equivalent(&contact.uri()));
        known.private_identity == self.private_identity
            && agree(&own.0, &theirs.0)
            && agree(&own.1, &theirs.1)
            && (is_flow(own) && is_flow(theirs) || has_equal_uri())
    }

    fn binding(&self, contact: &ContactAddr<'_>, granted: u32) -> Binding {
        Binding {
            private_identity: self.private_identity.to_owned(),
            uri: contact.uri_bytes().to_vec(),
            address: address(contact),
            flow: flow(contact),
            call_id: self.call_id.to_vec(),
            cseq: self.cseq,
            branch: self.branch.to_vec(),
            expires_at: self.now.after_seconds(granted),
        }
    }
}

fn flow(contact: &ContactAddr<'_>) -> Flow {
    let own = |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
    (own(contact.instance()), own(contact.reg_id()))
}

/// The address with its parameters as they stood, but for the expiry.
fn address(contact: &ContactAddr<'_>) -> Vec<u8> {
    let mut address = [b"<", contact.uri_bytes(), b">"].concat();
    for (name, value) in contact.params().iter() {
        if name.eq_ignore_ascii_case(b"expires") {
            continue;
        }
        address.extend([b";", name].concat());
        if let Some(value) = value {
            address.extend([b"=", value].concat());
        }
    }
    address
}

fn finished(mut buffer: Buffer) -> Option<Vec<u8>> {
    let is_whole = buffer.take_fault().is_none();
    is_whole.then(|| buffer.as_slice().to_vec())
}
