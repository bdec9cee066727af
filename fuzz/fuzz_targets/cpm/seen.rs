//! What a host has seen of its sessions, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};

use ims_procedures::{
    cpm::{Cause, Event, Question, Scope},
    drive::Limits,
    wire::{HeaderName, Message, Method},
};

use crate::bytes::CLIENT;

/// A BYE, by what tells it from another: Call-ID, the tag of its sender, CSeq, branch.
type Key = (Vec<u8>, Vec<u8>, u32, Vec<u8>);

/// A session since it was established.
#[derive(Clone, Default)]
pub struct Session {
    pub is_proxied: bool,
    /// Whether resources of the session, or of an IWF, have been released.
    is_released: bool,
    is_iwf_released: bool,
    store_keys: BTreeSet<String>,
    pub uid: Option<Vec<u8>>,
    pub outcome: Option<String>,
}

/// All of them, by the host's handle, and transactions.
#[derive(Clone, Default)]
pub struct Seen {
    pub sessions: BTreeMap<u64, Session>,
    /// BYEs that have come, and in which transaction at last.
    heard: BTreeMap<Key, u64>,
    /// BYEs of sessions of a B2BUA that have no answer yet.
    owed: BTreeMap<u64, u64>,
    answered: BTreeSet<u64>,
    /// Re-INVITEs: Call-ID and CSeq.
    invites: BTreeSet<(Vec<u8>, u32)>,
}

pub fn parse(bytes: &[u8]) -> Message<'_> {
    let wide = Limits::default();
    match Message::parse(bytes, &wide) {
        Ok(message) => message,
        Err(reject) => panic!("{reject} in our own\n{}", String::from_utf8_lossy(bytes)),
    }
}

/// The session of a dialog: its Call-ID begins with the number.
fn session_of(call_id: &[u8]) -> u64 {
    call_id
        .first()
        .map_or(0, |digit| u64::from(digit.wrapping_sub(b'0')))
}

impl Seen {
    pub fn established(&mut self, session: u64, is_proxied: bool) {
        let fresh = Session {
            is_proxied,
            ..Session::default()
        };
        self.sessions.insert(session, fresh);
        self.heard
            .retain(|(call_id, ..), _| session_of(call_id) != session);
        self.invites
            .retain(|(call_id, _)| session_of(call_id) != session);
    }

    pub fn forgotten(&mut self, session: u64) {
        self.sessions.remove(&session);
        self.owed.retain(|_, own| *own != session);
    }

    /// [CP-6] A BYE was taken in that transaction: an answer is owed in it, and no longer in the one before.
    pub fn taken(&mut self, transaction: u64, bytes: &[u8]) {
        let Ok(bye) = Message::parse(bytes, &Limits::default()) else {
            return;
        };
        if bye.method() != Some(Method::Bye) {
            return;
        }
        let (Ok(call_id), Ok(from), Ok(cseq)) = (bye.call_id(), bye.from(), bye.cseq()) else {
            return;
        };
        let branch = bye
            .via()
            .ok()
            .and_then(|via| via.branch())
            .unwrap_or_default();
        let tag = from.tag().unwrap_or_default();
        let key = (call_id.to_vec(), tag.to_vec(), cseq.number, branch.to_vec());
        let session = session_of(call_id);
        let is_proxied = self.sessions.get(&session).is_none_or(|own| own.is_proxied);
        if let Some(before) = self.heard.insert(key, transaction) {
            self.owed.remove(&before);
        }
        if !is_proxied && !self.answered.contains(&transaction) {
            self.owed.insert(transaction, session);
        }
    }

    /// [CP-4, CP-6] A response of ours: the only one of its transaction.
    pub fn response(&mut self, transaction: u64, status: u16, bytes: &[u8]) {
        let response = parse(bytes);
        assert_eq!(response.status(), Some(status));
        assert!(status >= 200, "a provisional response");
        assert!(self.answered.insert(transaction), "answered twice");
        self.owed.remove(&transaction);
        // What the sender of a BYE is called stands in From.
        let is_clients = response
            .from()
            .is_ok_and(|from| from.uri_bytes() == CLIENT.as_bytes());
        self.check_uid(&response, is_clients);
    }

    /// [CP-4] A UID stands in what goes to the client, if the store has given it.
    fn check_uid(&self, message: &Message<'_>, is_clients: bool) {
        let Some(uid) = message.header(HeaderName::MessageUid) else {
            return;
        };
        let call_id = message.call_id().expect("our own Call-ID");
        let session = &self.sessions[&session_of(call_id)];
        assert!(
            is_clients && call_id.ends_with(b"Client"),
            "a UID for another"
        );
        assert!(!session.is_proxied, "a UID of a proxy");
        assert_eq!(Some(uid.raw()), session.uid.as_deref(), "a UID of another");
    }

    /// [CP-1, CP-2, CP-8] A request of ours: one that a Participating Function may send, and not before resources are
    /// released.
    pub fn request(&mut self, bytes: &[u8]) {
        let request = parse(bytes);
        let call_id = request.call_id().expect("our own Call-ID").to_vec();
        let via = request.via().expect("our own Via");
        assert!(
            via.branch()
                .is_some_and(|branch| branch.starts_with(b"z9hG4bK"))
        );
        let session = session_of(&call_id);
        let Some(own) = self.sessions.get(&session) else {
            panic!("a request of no session");
        };
        if own.is_proxied {
            assert_eq!(request.method(), Some(Method::Bye));
            return self.check_uid(&request, false);
        }
        assert_eq!(request.vias().count(), 1);
        assert!(request.from().is_ok_and(|from| from.tag().is_some()));
        let to = request.to().expect("our own To");
        assert!(to.tag().is_some());
        let is_core = !call_id.windows(3).any(|three| three == b"Iwf");
        let is_asserted = request.header(HeaderName::PAssertedIdentity).is_some();
        assert_eq!(is_asserted, is_core);
        self.check_uid(&request, to.uri_bytes() == CLIENT.as_bytes());
        match request.method() {
            Some(Method::Bye) => assert!(own.is_released, "before the release"),
            Some(Method::Invite) => {
                assert!(own.is_iwf_released, "before the release");
                assert!(own.outcome.is_none(), "after the end");
                let cseq = request.cseq().expect("our own CSeq").number;
                self.invites.insert((call_id, cseq));
            }
            other => panic!("{other:?}"),
        }
    }

    /// [CO-3, CT-3] The ACK of a re-INVITE.
    pub fn acknowledge(&self, bytes: &[u8]) {
        let ack = parse(bytes);
        assert_eq!(ack.method(), Some(Method::Ack));
        let call_id = ack.call_id().expect("our own Call-ID").to_vec();
        let cseq = ack.cseq().expect("our own CSeq").number;
        assert!(self.invites.contains(&(call_id, cseq)), "an ACK of nothing");
    }

    /// [CP-2, CP-3] A question: one key for the store.
    pub fn question(&mut self, question: &Question) {
        match question {
            Question::MediaRelease { session, scope, .. } => {
                let own = self.sessions.get_mut(&session.0).expect("a session");
                match scope {
                    Scope::Session => own.is_released = true,
                    Scope::Iwf(_) => own.is_iwf_released = true,
                }
            }
            Question::SessionStorage { key, session } => {
                let own = self.sessions.get_mut(&session.0).expect("a session");
                assert!(own.is_released, "before the release");
                own.store_keys.insert(key.to_string());
                assert_eq!(own.store_keys.len(), 1, "stored as another");
            }
            _ => {}
        }
    }

    /// One outcome for each session.
    pub fn event(&mut self, event: &Event) {
        if let Event::SessionClosed {
            id, session, cause, ..
        } = event
        {
            let own = self.sessions.get_mut(&session.0).expect("a session");
            assert!(own.outcome.replace(id.to_string()).is_none(), "twice");
            assert!(!own.is_proxied || matches!(cause, Cause::Client | Cause::Other));
            assert!(own.is_proxied || own.is_released, "before the release");
        }
    }

    /// Nothing is owed to anybody.
    pub fn check_end(&self) {
        assert!(
            self.owed.is_empty(),
            "{} BYEs without an answer",
            self.owed.len()
        );
    }
}
