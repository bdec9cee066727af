//! What a Participating Function does for its node beside SIP, and takes note of: the message store, and which sessions
//! there are.

use std::{collections::BTreeSet, error::Error};

use ims_procedures::{
    cpm::{Answer, Cpm, Ends, Event, Question, SessionRef},
    drive::{Millis, Outbox, Token},
};
use serde_json::{Value, json};

use crate::{
    audit,
    console::{text, word},
    host::Duties,
    message_store::MessageStore,
    outside::Outside,
    store::{Opened, Store},
};

pub struct Records {
    pub store: MessageStore,
    /// The sessions that are established.
    sessions: BTreeSet<SessionRef>,
    /// Those that are closed, and not yet forgotten.
    closed: Vec<SessionRef>,
    /// The Call-IDs of their legs, beside the machines of the node.
    kept: Option<Store>,
}

impl Records {
    /// Takes over the sessions of an earlier start that are open still.
    pub fn restore(
        store: MessageStore,
        opened: Option<Opened>,
        mut adopt: impl FnMut(SessionRef, Vec<Vec<u8>>) -> bool,
    ) -> Result<Self, Box<dyn Error>> {
        let mut records = Self {
            store,
            sessions: BTreeSet::new(),
            closed: Vec::new(),
            kept: None,
        };
        let Some(opened) = opened else {
            return Ok(records);
        };
        let (mut store, kept) = opened.read()?;
        for (key, (number, call_ids)) in kept {
            let session = SessionRef(number);
            match adopt(session, call_ids) {
                true => _ = records.sessions.insert(session),
                false => store.forget(&key)?,
            }
        }
        records.kept = Some(store);
        Ok(records)
    }

    pub fn sessions(&self) -> impl Iterator<Item = &SessionRef> {
        self.sessions.iter()
    }

    /// A session is established.
    pub fn keep(&mut self, now: Millis, session: SessionRef, call_ids: &[Vec<u8>]) {
        self.sessions.insert(session);
        let blob = postcard::to_allocvec(&(session.0, call_ids));
        if let (Some(kept), Ok(blob)) = (&mut self.kept, blob) {
            // Without it a start finds the session at the node alone, which is what counts.
            let _ = kept.note(now, &session.0.to_le_bytes(), blob);
        }
    }

    fn close(&mut self, session: SessionRef) {
        self.sessions.remove(&session);
        self.closed.push(session);
        if let Some(kept) = &mut self.kept {
            let _ = kept.forget(&session.0.to_le_bytes());
        }
    }

    /// The sessions that have been closed since this was asked last.
    pub fn take_closed(&mut self) -> Vec<SessionRef> {
        std::mem::take(&mut self.closed)
    }
}

impl Duties<Cpm> for Records {
    type Reply = Answer<'static>;

    /// The message store takes its time; the node waits no longer than it may. This host has no media plane. Descriptions are
    /// kept by the node, which has learnt them.
    fn reply(
        &mut self,
        now: Millis,
        (token, question): (Token, &Question),
        _: &Outbox<Cpm>,
        outside: &mut Outside,
    ) -> Option<Answer<'static>> {
        match question {
            Question::SessionStorage { key, session } => {
                self.store.ask(now, token, key.to_string());
                let report = json!({"event": "session_storage", "session": session.0});
                outside.report(now, &report);
                None
            }
            Question::MediaRelease { session, scope, .. } => {
                let scope = word(scope);
                let report = json!({"event": "media_release", "session": session.0, "of": scope});
                outside.report(now, &report);
                Some(Answer::MediaReleased)
            }
            _ => Some(Answer::StoreFailed),
        }
    }

    fn answer(reply: &Answer<'static>) -> Answer<'static> {
        *reply
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        texts: &Outbox<Cpm>,
        outside: &mut Outside,
    ) {
        let report = match event {
            Event::SessionClosed {
                session,
                cause,
                ends,
                recording,
                ..
            } => {
                self.close(*session);
                json!({
                    "event": "session_closed",
                    "session": session.0,
                    "cause": word(cause),
                    "ends": ends_of(ends),
                    "recording": word(recording),
                })
            }
            Event::SessionShrunk { session, iwf } => {
                json!({"event": "session_shrunk", "session": session.0, "iwf": iwf})
            }
            Event::StreamDeletionFailed {
                session,
                iwf,
                status,
            } => json!({
                "event": "stream_deletion_failed",
                "session": session.0,
                "iwf": iwf,
                "status": status,
            }),
            Event::Audited(record) => {
                let say = |of| text(texts.text(of));
                let of = record.affected;
                let whom = json!({
                    "event": "audited",
                    "session": of.session.0,
                    "served": say(of.served),
                    "other": say(of.other),
                    "call_id": say(of.call_id),
                });
                return outside.audit(&audit::line(record, whom));
            }
            Event::StoredLate { session, stored } => {
                json!({"event": "stored_late", "session": session.0, "stored": stored})
            }
            other => json!({"event": word(other)}),
        };
        outside.report(now, &report);
    }
}

/// How each leg ended that the session had.
pub fn ends_of(ends: &Ends) -> Value {
    let iwfs = ends.iwfs.iter().flatten().map(word);
    json!({
        "client": ends.client.as_ref().map(word),
        "other": ends.other.as_ref().map(word),
        "iwfs": iwfs.collect::<Vec<_>>(),
    })
}
