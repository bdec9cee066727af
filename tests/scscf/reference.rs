//! The binding table beside another one: a list, and rules written from the clauses.
//!
//! - RFC 3261 10.3 steps 6 to 8: `*`, the order of CSeq within a Call-ID, all or nothing, what a 200 lists.
//! - RFC 5626 6: instance and reg-id, where a contact has both, name a binding; its URI does not.
//! - TS 24.229 5.4.1.2.2 and 5.4.1.4: a private identity's bindings are its own; a contact of the same instance
//!   without flows takes the place of the other; 481 for what is not bound; the 200 lists what went with `expires=0`.
//! - For 64 seconds (twice 64·T1) a REGISTER is remembered with what it removed or what has gone since it: it may
//!   come again, and one older than it in its Call-ID is out of order. No clause says so, and none forbids it.
//! - TS 24.229 5.4.1.5 and 5.4.8: what the network ends, and that emergency registrations stay.

use std::collections::BTreeMap;

use super::{
    network::{outcomes, settle},
    support::*,
};
use ims_procedures::{
    drive::Verdict,
    scscf::{Command, DeregistrationReason, PublicIdentity},
};
use proptest::prelude::*;

/// A contact as a UE names it: its text, and what the clauses see of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Named {
    uri: &'static str,
    params: &'static str,
    /// Equal URIs (RFC 3261 19.1.4) have the same number.
    address: u8,
    instance: Option<u8>,
    reg_id: Option<u8>,
    emergency: bool,
}

const fn named(
    uri: &'static str,
    params: &'static str,
    address: u8,
    instance: Option<u8>,
    reg_id: Option<u8>,
) -> Named {
    Named {
        uri,
        params,
        address,
        instance,
        reg_id,
        emergency: false,
    }
}

/// Two flows at one address, one of them elsewhere too; a plain contact in two spellings; an instance without flows
/// at two addresses; an emergency contact. The last two are only ever removed: an address that has flows, and one
/// that nobody ever has.
const CONTACTS: [Named; 10] = [
    named(
        "sip:a@192.0.2.1",
        ";+sip.instance=\"<urn:x:1>\";reg-id=1",
        1,
        Some(1),
        Some(1),
    ),
    named(
        "sip:a@192.0.2.1",
        ";+sip.instance=\"<urn:x:1>\";reg-id=2",
        1,
        Some(1),
        Some(2),
    ),
    named(
        "sip:a@192.0.2.2",
        ";+sip.instance=\"<urn:x:1>\";reg-id=1",
        2,
        Some(1),
        Some(1),
    ),
    named("sip:b@host.example;transport=udp;x=1", "", 3, None, None),
    named("sip:%62@HOST.example;x=1;transport=UDP", "", 3, None, None),
    named(
        "sip:c@192.0.2.4",
        ";+sip.instance=\"<urn:x:2>\"",
        4,
        Some(2),
        None,
    ),
    named(
        "sip:c@192.0.2.5",
        ";+sip.instance=\"<urn:x:2>\"",
        5,
        Some(2),
        None,
    ),
    Named {
        emergency: true,
        ..named(
            "sip:b@host.example;transport=udp;x=1;sos",
            "",
            6,
            None,
            None,
        )
    },
    named("sip:a@192.0.2.1", "", 1, None, None),
    named("sip:nobody@192.0.2.9", "", 9, None, None),
];

const USERS: [&str; 2] = [PRIVATE, "user1_other@home1.example.net"];
const CALLS: [&str; 3] = ["call-0", "call-1", "call-2"];

#[derive(Clone, Debug)]
struct Bound {
    user: usize,
    contact: Named,
    call: usize,
    cseq: u32,
    /// Seconds of the model's clock.
    expires_at: u64,
}

/// What went, for a REGISTER that comes again.
#[derive(Clone, Debug)]
struct Went {
    bound: Bound,
    until: u64,
}

#[derive(Default)]
struct Model {
    bound: Vec<Bound>,
    went: Vec<Went>,
    now: u64,
}

/// What a REGISTER that removes comes to.
#[derive(Debug, PartialEq)]
enum Removed {
    /// 200, with these contacts listed, by expiry.
    Listed(Vec<(&'static str, u64)>),
    Status(u16),
}

fn is_named(bound: &Bound, user: usize, by: &Named) -> bool {
    let own = &bound.contact;
    if bound.user != user {
        return false;
    }
    let differ = |one: Option<u8>, two: Option<u8>| one.is_some() && two.is_some() && one != two;
    let both_flows = own.instance.is_some()
        && own.reg_id.is_some()
        && by.instance.is_some()
        && by.reg_id.is_some();
    if both_flows {
        return (own.instance, own.reg_id) == (by.instance, by.reg_id);
    }
    own.address == by.address
        && !differ(own.instance, by.instance)
        && !differ(own.reg_id, by.reg_id)
}

impl Model {
    /// A REGISTER that the registrar accepted.
    fn register(&mut self, user: usize, contact: Named, call: usize, cseq: u32, expires: u64) {
        let replaces = |own: &Bound| {
            let same_instance = own.contact.reg_id.is_none()
                && contact.reg_id.is_none()
                && contact.instance.is_some()
                && own.contact.instance == contact.instance
                && own.contact.emergency == contact.emergency;
            own.user == user && same_instance
        };
        let leaves = |own: &Bound| is_named(own, user, &contact) || replaces(own);
        let (left, rest): (Vec<_>, Vec<_>) = self.bound.drain(..).partition(leaves);
        self.bound = rest;
        for own in left {
            // One at the same address is the same contact, renewed.
            if own.contact.address != contact.address {
                self.goes(own);
            }
        }
        self.bound.push(Bound {
            user,
            contact,
            call,
            cseq,
            expires_at: self.now + expires,
        });
    }

    /// A REGISTER with Expires 0 for these contacts, or `*`: everything or nothing.
    fn remove(
        &mut self,
        user: usize,
        contacts: Option<&[Named]>,
        call: usize,
        cseq: u32,
    ) -> Removed {
        let (mut going, mut gone) = (Vec::new(), Vec::new());
        let star = [None];
        let each: Vec<Option<Named>> = match contacts {
            Some(contacts) => contacts.iter().copied().map(Some).collect(),
            None => star.to_vec(),
        };
        for contact in each {
            let names = |own: &Bound| match contact {
                Some(contact) => is_named(own, user, &contact),
                None => own.user == user,
            };
            let now: Vec<usize> = (0..self.bound.len())
                .filter(|i| names(&self.bound[*i]))
                .collect();
            let before: Vec<usize> = (0..self.went.len())
                .filter(|i| names(&self.went[*i].bound) && self.went[*i].bound.call == call)
                .collect();
            for &place in &now {
                let own = &self.bound[place];
                if own.call == call && cseq <= own.cseq {
                    return Removed::Status(500);
                }
            }
            if before
                .iter()
                .any(|place| cseq < self.went[*place].bound.cseq)
            {
                return Removed::Status(500);
            }
            let any_bound = contact.is_none() && !self.bound.is_empty();
            if now.is_empty() && before.is_empty() && !any_bound {
                return Removed::Status(481);
            }
            going.extend(now);
            gone.extend(before);
        }
        if going.is_empty() && gone.is_empty() {
            return Removed::Status(481);
        }
        let mut listed = Vec::new();
        if going.is_empty() {
            listed.extend(gone.iter().map(|place| self.went[*place].bound.contact.uri));
        } else {
            going.sort_unstable();
            going.dedup();
            for place in going.iter().rev() {
                let mut own = self.bound.remove(*place);
                (own.call, own.cseq) = (call, cseq);
                listed.push(own.contact.uri);
                self.goes(own);
            }
        }
        let is_bound = |uri: &str| self.bound.iter().any(|own| own.contact.uri == uri);
        listed.retain(|uri| !is_bound(uri));
        let mut all: Vec<_> = listed.into_iter().map(|uri| (uri, 0)).collect();
        all.extend(
            self.bound
                .iter()
                .map(|own| (own.contact.uri, own.expires_at - self.now)),
        );
        all.sort_unstable();
        all.dedup();
        Removed::Listed(all)
    }

    fn goes(&mut self, bound: Bound) {
        let until = self.now + 64;
        self.went.push(Went { bound, until });
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        let now = self.now;
        let (over, rest): (Vec<_>, Vec<_>) =
            self.bound.drain(..).partition(|own| own.expires_at <= now);
        self.bound = rest;
        for own in over {
            let until = own.expires_at + 64;
            self.went.push(Went { bound: own, until });
        }
        self.went.retain(|went| went.until > now);
    }

    /// Who loses something by it.
    fn end(&mut self, user: Option<usize>) -> usize {
        let goes = |own: &Bound| user.is_none_or(|user| own.user == user) && !own.contact.emergency;
        let (over, rest): (Vec<_>, Vec<_>) = self.bound.drain(..).partition(goes);
        self.bound = rest;
        let users = over.iter().map(|own| (own.user, ()));
        let users: BTreeMap<usize, ()> = users.collect();
        for own in over {
            self.goes(own);
        }
        users.len()
    }

    fn cut(&mut self, seconds: u64) {
        for own in self.bound.iter_mut().filter(|own| !own.contact.emergency) {
            own.expires_at = own.expires_at.min(self.now + seconds);
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Register {
        user: usize,
        contact: usize,
        call: usize,
        expires: u64,
    },
    Remove {
        user: usize,
        contacts: Vec<usize>,
        call: usize,
        ahead: u32,
    },
    Star {
        user: usize,
        call: usize,
        ahead: u32,
    },
    Wait(u64),
    End(Option<usize>),
    Cut(u64),
    Profile(bool),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let (user, call) = (0..2usize, 0..3usize);
    let removed = proptest::collection::vec(0..10usize, 1..3);
    prop_oneof![
        6 => (user.clone(), 0..8usize, call.clone(), 1..200u64)
            .prop_map(|(user, contact, call, expires)| Act::Register { user, contact, call, expires }),
        4 => (user.clone(), removed, call.clone(), 0..3u32)
            .prop_map(|(user, contacts, call, ahead)| Act::Remove { user, contacts, call, ahead }),
        1 => (user.clone(), call, 0..3u32)
            .prop_map(|(user, call, ahead)| Act::Star { user, call, ahead }),
        2 => (1..80u64).prop_map(Act::Wait),
        1 => proptest::option::of(user).prop_map(Act::End),
        1 => (1..60u64).prop_map(Act::Cut),
        1 => any::<bool>().prop_map(Act::Profile),
        1 => Just(Act::Restart),
    ]
}

struct Both {
    host: Host,
    model: Model,
    cseq: u32,
    lives: u64,
}

impl Both {
    fn new() -> Self {
        Self {
            host: Host::new(config()),
            model: Model::default(),
            cseq: 10,
            lives: 1,
        }
    }

    fn registration(&self, user: usize, contacts: &[&str], call: usize, cseq: u32) -> Registration {
        Registration {
            private: USERS[user],
            call_id: CALLS[call],
            cseq,
            contacts: contacts.iter().map(|text| (*text).to_string()).collect(),
            ..Registration::default()
        }
    }

    fn act(&mut self, act: &Act) {
        self.cseq += 3;
        match act {
            Act::Register {
                user,
                contact,
                call,
                expires,
            } => {
                let contact = CONTACTS[*contact];
                let text = format!("<{}>{}", contact.uri, contact.params);
                let registration = Registration {
                    granted: vec![format!("{text};expires={expires}")],
                    ..self.registration(*user, &[&text], *call, self.cseq)
                };
                self.host.learn(&registration);
                self.model
                    .register(*user, contact, *call, self.cseq, *expires);
            }
            Act::Remove {
                user,
                contacts,
                call,
                ahead,
            } => {
                let named: Vec<Named> = contacts.iter().map(|place| CONTACTS[*place]).collect();
                let texts: Vec<String> = named
                    .iter()
                    .map(|contact| format!("<{}>{}", contact.uri, contact.params))
                    .collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                self.remove(*user, &texts, Some(&named), *call, *ahead);
            }
            Act::Star { user, call, ahead } => self.remove(*user, &["*"], None, *call, *ahead),
            Act::Wait(seconds) => {
                let outs = self.host.run(seconds * 1_000);
                settle(&mut self.host, outs);
                self.model.wait(*seconds);
            }
            Act::End(user) => {
                let (verdict, outs) = self.host.command(Command::Deregister {
                    public_identity: PUBLIC.as_bytes(),
                    private_identity: user.map(|user| USERS[user].as_bytes()),
                    reason: DeregistrationReason::Refused,
                });
                let outs = settle(&mut self.host, outs);
                let ended = self.model.end(*user);
                assert_eq!(outcomes(&outs).len(), ended, "{verdict:?}");
            }
            Act::Cut(seconds) => {
                super::network::reauthenticate(&mut self.host, *seconds as u32);
                self.model.cut(*seconds);
            }
            Act::Profile(with_tel) => {
                let identities = [PUBLIC, TEL].map(|uri| PublicIdentity {
                    uri: uri.as_bytes(),
                    barred: false,
                });
                let identities = &identities[..if *with_tel { 2 } else { 1 }];
                self.host.command(Command::ChangeProfile {
                    public_identity: PUBLIC.as_bytes(),
                    identities,
                });
            }
            Act::Restart => {
                self.lives += 1;
                self.host.restart(self.lives);
            }
        }
        self.compare(act);
    }

    fn remove(
        &mut self,
        user: usize,
        texts: &[&str],
        named: Option<&[Named]>,
        call: usize,
        ahead: u32,
    ) {
        // In order, the same as the latest one, or before it.
        let cseq = (self.cseq + ahead).saturating_sub(if ahead == 0 { 9 } else { 0 });
        let registration = self.registration(user, texts, call, cseq);
        let (verdict, outs) = self.host.receive_from(
            ims_procedures::drive::Source::TrustedCore,
            registration.removal(CALLS[call], cseq).as_bytes(),
        );
        assert_eq!(verdict, Verdict::Handled);
        let outs = settle(&mut self.host, outs);
        let response = outs
            .iter()
            .find(|out| matches!(out, Out::Respond { .. }))
            .unwrap();
        let expected = self.model.remove(user, named, call, cseq);
        let got = match response.status() {
            200 => Removed::Listed(listed(response.bytes())),
            status => Removed::Status(status),
        };
        assert_eq!(got, expected, "{texts:?} {cseq} of {user} in {call}");
    }

    fn compare(&self, act: &Act) {
        let node = self.host.node.contacts(PUBLIC.as_bytes());
        let mut node: Vec<_> = node
            .map(|uri| String::from_utf8(uri.to_vec()).unwrap())
            .collect();
        let mut model: Vec<_> = self.model.bound.iter().map(|own| own.contact.uri).collect();
        node.sort_unstable();
        model.sort_unstable();
        assert_eq!(node, model, "after {act:?}");
        assert_eq!(
            self.host.node.is_registered(PUBLIC.as_bytes()),
            !model.is_empty()
        );
    }
}

/// The contacts of a 200 and their expiry.
fn listed(response: &str) -> Vec<(&'static str, u64)> {
    let mut all = Vec::new();
    for line in response
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("Contact: <"))
    {
        let (uri, params) = line.split_once('>').unwrap();
        let uri = CONTACTS.iter().find(|known| known.uri == uri).unwrap().uri;
        let (_, expires) = params.rsplit_once(";expires=").unwrap();
        all.push((uri, expires.parse().unwrap()));
    }
    all.sort_unstable();
    all.dedup();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// [SD-3, SD-4, SD-5, SD-6, SD-7, T41, T44] Whatever comes one after the other, the table has what the clauses
    /// say, refuses what they refuse, and lists what they list.
    #[test]
    fn as_the_clauses_say(acts in proptest::collection::vec(act(), 1..25)) {
        let mut both = Both::new();
        for act in &acts {
            both.act(act);
        }
    }
}
