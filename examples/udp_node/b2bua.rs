//! The B2BUA of a Participating Function: every session that is being set up, and whose dialogs are whose.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddrV4,
};

use ims_procedures::{
    cpm::{Establish, LegId, SessionRef},
    drive::{Identifier, Limits, Millis},
    wire::{Accepts, Message, Method},
};

use crate::{
    agenda::Agenda,
    hop,
    outside::Outside,
    parties::Terms,
    pen::Pen,
    setup::{Setup, Standing},
    way_back::Stamped,
};

/// Sessions that are set up at once; then INVITEs are refused with 503.
const MOST: usize = 10_000;

const METHODS: [Method<'_>; 4] = [Method::Invite, Method::Ack, Method::Cancel, Method::Options];

pub struct B2bua {
    pen: Pen,
    /// Of every response that begins no dialog.
    tag: Identifier,
    called: Vec<(LegId, SocketAddrV4)>,
    setups: BTreeMap<SessionRef, Setup>,
    agenda: Agenda<SessionRef>,
    /// Whose dialogs are whose, by Call-ID, from the INVITE until the session is closed.
    dialogs: HashMap<Vec<u8>, SessionRef>,
    call_ids: HashMap<SessionRef, Vec<Vec<u8>>>,
}

/// What has become of a session.
pub type Step = (SessionRef, Standing);

impl B2bua {
    pub fn new(pen: Pen, called: Vec<(LegId, SocketAddrV4)>) -> Self {
        Self {
            tag: pen.identifiers.constant(),
            pen,
            called,
            setups: BTreeMap::new(),
            agenda: Agenda::new(),
            dialogs: HashMap::new(),
            call_ids: HashMap::new(),
        }
    }

    /// Takes over the dialogs of a session that an earlier start has set up.
    pub fn adopt(&mut self, session: SessionRef, call_ids: Vec<Vec<u8>>) {
        for call_id in &call_ids {
            self.dialogs.insert(call_id.clone(), session);
        }
        self.call_ids.insert(session, call_ids);
    }

    pub fn call_ids(&self, session: SessionRef) -> &[Vec<u8>] {
        self.call_ids.get(&session).map_or(&[], Vec::as_slice)
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.agenda.deadline()
    }

    /// The sessions that are being set up.
    pub fn setting_up(&self) -> impl Iterator<Item = SessionRef> {
        let open = self.setups.iter().filter(|(_, it)| it.status().is_none());
        open.map(|(session, _)| *session)
    }

    /// What the node has left to the host. `next` is the handle of a session that this begins.
    pub fn receive(
        &mut self,
        now: Millis,
        message: &Stamped,
        next: SessionRef,
        outside: &mut Outside,
    ) -> Option<Step> {
        let limits = Limits::default();
        let read = Message::parse(&message.bytes, &limits).ok()?;
        let known = self.dialogs.get(read.call_id().ok()?).copied();
        let Some(session) = known else {
            return self.receive_unknown(now, (message, &read), next, outside);
        };
        match self.proceed(now, session, (message, &read), outside) {
            Some(standing) => {
                self.settle(session);
                Some((session, standing))
            }
            None => {
                self.receive_later(now, (message, &read), outside);
                None
            }
        }
    }

    /// What belongs to the setting up of a session. `None` if it does not.
    fn proceed(
        &mut self,
        now: Millis,
        session: SessionRef,
        (message, read): (&Stamped, &Message<'_>),
        outside: &mut Outside,
    ) -> Option<Standing> {
        let pen = &mut self.pen;
        let setup = self.setups.get_mut(&session)?;
        match read.method() {
            None => return Some(setup.hear(now, read, pen, outside)),
            Some(Method::Ack) => setup.acknowledge(read),
            // Of another transaction (RFC 3261 9.2, 17.2.3).
            Some(Method::Invite | Method::Cancel) if !setup.is_of(read) => return None,
            Some(Method::Invite) if !is_in_dialog(read) => setup.repeat(now, outside),
            Some(Method::Cancel) => {
                hop::refuse(now, message, 200, self.tag, outside);
                return Some(setup.cancel(now, pen, outside));
            }
            Some(_) => return None,
        }
        Some(Standing::Nothing)
    }

    /// What comes when a session has been set up. This host changes none.
    fn receive_later(
        &self,
        now: Millis,
        (message, read): (&Stamped, &Message<'_>),
        outside: &mut Outside,
    ) {
        let status = match read.method() {
            None | Some(Method::Ack) => return,
            Some(Method::Invite) if is_in_dialog(read) => 488,
            // RFC 3261 8.2.2.2: it has come here before, by another way.
            Some(Method::Invite) => 482,
            Some(Method::Cancel) => 481,
            Some(_) => return self.receive_other(now, message, read, outside),
        };
        hop::refuse(now, message, status, self.tag, outside);
    }

    /// What is of no session here.
    fn receive_unknown(
        &mut self,
        now: Millis,
        (message, read): (&Stamped, &Message<'_>),
        next: SessionRef,
        outside: &mut Outside,
    ) -> Option<Step> {
        match read.method() {
            None | Some(Method::Ack) => {}
            Some(Method::Invite) if !is_in_dialog(read) => {
                return self.begin(now, message, read, next, outside);
            }
            Some(Method::Options) if !is_in_dialog(read) => {
                self.receive_other(now, message, read, outside);
            }
            Some(_) => hop::refuse(now, message, 481, self.tag, outside),
        }
        None
    }

    /// A session begins.
    fn begin(
        &mut self,
        now: Millis,
        message: &Stamped,
        invite: &Message<'_>,
        session: SessionRef,
        outside: &mut Outside,
    ) -> Option<Step> {
        let accepts = Accepts::server().methods(&METHODS);
        if let Err(owed) = hop::check(invite, &accepts, self.tag) {
            if let Some(response) = owed {
                outside.send(now, message.back, &response);
            }
            return None;
        }
        let begun = match self.setups.len() < MOST {
            true => Setup::begin(now, message, &self.called, &mut self.pen, outside),
            false => Err(503),
        };
        let setup = match begun {
            Ok(setup) => setup,
            Err(status) => {
                hop::refuse(now, message, status, self.tag, outside);
                return None;
            }
        };
        let caller = invite.call_id().ok()?.to_vec();
        let call_ids: Vec<Vec<u8>> = setup.call_ids().chain([caller]).collect();
        self.adopt(session, call_ids);
        let standing = match setup.status() {
            Some(status) => Standing::Refused(status),
            None => Standing::Nothing,
        };
        self.setups.insert(session, setup);
        self.settle(session);
        Some((session, standing))
    }

    fn receive_other(
        &self,
        now: Millis,
        message: &Stamped,
        request: &Message<'_>,
        outside: &mut Outside,
    ) {
        if let Some(response) = hop::other(request, &METHODS, self.tag) {
            outside.send(now, message.back, &response);
        }
    }

    /// Everybody has accepted: our 200, and the session as it is shown to a node. `None` if it cannot be written.
    pub fn acceptance(&self, session: SessionRef) -> Option<Vec<u8>> {
        self.setups.get(&session)?.acceptance(&self.pen)
    }

    pub fn shown<T>(
        &self,
        session: SessionRef,
        terms: &Terms,
        response: &[u8],
        give: impl FnOnce(Establish<'_>) -> T,
    ) -> Option<T> {
        let setup = self.setups.get(&session)?;
        Some(setup.shown(session, terms, response, give))
    }

    pub fn accept(
        &mut self,
        now: Millis,
        session: SessionRef,
        response: Vec<u8>,
        outside: &mut Outside,
    ) {
        if let Some(setup) = self.setups.get_mut(&session) {
            setup.answer(now, 200, response, outside);
        }
        self.settle(session);
    }

    pub fn refuse(&mut self, now: Millis, session: SessionRef, status: u16, outside: &mut Outside) {
        if let Some(setup) = self.setups.get_mut(&session) {
            setup.refuse(now, (status, None), &mut self.pen, outside);
        }
        self.settle(session);
    }

    pub fn tick(&mut self, now: Millis, outside: &mut Outside) -> Option<Step> {
        let session = self.agenda.due(now)?;
        let setup = self.setups.get_mut(&session)?;
        let standing = setup.tick(now, &mut self.pen, outside);
        self.settle(session);
        Some((session, standing))
    }

    /// Its timer follows; what is over is forgotten, but for the dialogs of a session that was accepted.
    fn settle(&mut self, session: SessionRef) {
        let setup = self.setups.get(&session);
        let deadline = setup.and_then(Setup::deadline);
        self.agenda.set(&session, deadline);
        if deadline.is_some() {
            return;
        }
        let over = self.setups.remove(&session);
        if over.is_some_and(|setup| setup.status() != Some(200)) {
            self.forget(session);
        }
    }

    /// The session is closed.
    pub fn forget(&mut self, session: SessionRef) {
        for call_id in self.call_ids.remove(&session).unwrap_or_default() {
            self.dialogs.remove(&call_id);
        }
    }
}

fn is_in_dialog(request: &Message<'_>) -> bool {
    request.to().is_ok_and(|to| to.tag().is_some())
}
