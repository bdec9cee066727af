//! The CPM Participating Function: it sets sessions up itself, as a B2BUA or as a proxy, and the library closes them.
//!
//! The node is shown each session by the INVITE and the 2xx of every leg. From then on it sees every message first: it takes
//! the BYEs, and says what is to be refused; what it leaves to the host goes to the B2BUA or the proxy.

use std::{error::Error, net::SocketAddrV4};

use ims_procedures::{
    cpm::{
        Answer, Command, Config, CpmNode, Description, Establish, Function, Leg, LegId, Mode,
        SessionRef, Side,
    },
    drive::{Identifier, Limits, Millis, Misuse, Source, Verdict},
    wire::{Message, Method},
};
use serde_json::{Value, json};

use crate::{
    arguments::Arguments,
    b2bua::{B2bua, Step},
    console::{self, counters},
    element::{NetworkElement, Refused},
    hop,
    host::Host,
    message_store::MessageStore,
    outside::Outside,
    parties::{Parties, Terms},
    passage::Times,
    passing::{Answered, Passing},
    peer::Peer,
    pen::Pen,
    proxy::Proxy,
    records::Records,
    setup::Standing,
    site::Site,
    way::Way,
    way_back::Stamped,
};

pub struct Element {
    host: Host<CpmNode>,
    records: Records,
    middle: Middle,
    terms: Terms,
    /// Who may begin a session, if that is said; where its INVITE goes is for the middle to know.
    caller: Option<SocketAddrV4>,
    /// Of every refusal.
    tag: Identifier,
    /// The handle of the next session. It begins with the time, so that what an earlier start has given, and its node may
    /// still have, is not given again.
    next: u64,
}

/// As what it stands between the ends of a session.
enum Middle {
    B2bua(B2bua),
    Proxy {
        proxy: Proxy,
        passing: Box<Passing>,
        far: SocketAddrV4,
    },
}

impl Middle {
    fn new(
        terms: &Terms,
        called: Vec<(LegId, SocketAddrV4)>,
        config: &Config,
        (site, tag): (&mut Site, Identifier),
    ) -> Result<Self, Box<dyn Error>> {
        let (element, identifiers) = (config.element.clone(), site.birth.identifiers());
        match (terms.mode, called.as_slice()) {
            (Mode::B2bua, _) => {
                let pen = Pen::new(element, identifiers);
                Ok(Self::B2bua(B2bua::new(pen, called)))
            }
            (Mode::Proxy, &[(LegId::Client | LegId::Other, far)]) => {
                let proxy = Proxy::new(element, identifiers, site.birth.secret());
                Ok(Self::Proxy {
                    proxy,
                    passing: Box::new(Passing::new(Times::default(), tag)),
                    far,
                })
            }
            (Mode::Proxy, _) => Err("--iwf: a proxy has none".into()),
        }
    }

    fn deadline(&self) -> Option<Millis> {
        match self {
            Self::B2bua(b2bua) => b2bua.deadline(),
            Self::Proxy { passing, .. } => passing.deadline(),
        }
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Option<Step> {
        match self {
            Self::B2bua(b2bua) => b2bua.tick(now, outside),
            Self::Proxy { passing, .. } => {
                passing.tick(now, outside);
                None
            }
        }
    }
}

impl Element {
    pub fn new(
        site: &mut Site,
        arguments: &mut Arguments,
        now: Millis,
    ) -> Result<Self, Box<dyn Error>> {
        let terms = Terms::read(arguments)?;
        let Parties { caller, called } = Parties::read(arguments, &terms)?;
        let config = config(site, arguments, &terms)?;
        let tag = site.birth.identifiers().constant();
        let mut middle = Middle::new(&terms, called, &config, (site, tag))?;
        let node = CpmNode::new(config, site.birth.identifiers())?;
        let host = Host::new(node, site, now)?;
        let store = arguments.text("store")?;
        let store = MessageStore::read(store.as_deref().unwrap_or("uid=1"))?;
        let opened = site.open_store("sessions")?;
        let node: &CpmNode = host.node();
        let records = Records::restore(store, opened, |session, call_ids| {
            let is_open = node.is_open(session);
            if let (Middle::B2bua(b2bua), true) = (&mut middle, is_open) {
                b2bua.adopt(session, call_ids);
            }
            is_open
        })?;
        Ok(Self {
            host,
            records,
            middle,
            terms,
            caller,
            tag,
            next: now.0,
        })
    }

    /// What the node leaves to the host.
    fn serve(
        &mut self,
        now: Millis,
        from: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let limits = Limits::default();
        let Ok(read) = Message::parse(&message.bytes, &limits) else {
            return Ok(());
        };
        if begins_session(&read) && self.caller.is_some_and(|caller| !from.is_at(caller)) {
            hop::refuse(now, message, 403, self.tag, outside);
            return Ok(());
        }
        match &mut self.middle {
            Middle::B2bua(b2bua) => {
                let next = SessionRef(self.next);
                let step = b2bua.receive(now, message, next, outside);
                if step.is_some_and(|(session, _)| session == next) {
                    self.next += 1;
                }
                self.follow(now, step, outside)
            }
            Middle::Proxy {
                proxy,
                passing,
                far,
            } => {
                let way = Way {
                    far: *far,
                    within: None,
                };
                match way.pass_on(now, message, (proxy, passing), outside) {
                    Some(answered) => self.learn(now, &answered, &message.bytes, outside),
                    None => Ok(()),
                }
            }
        }
    }

    /// A session of the B2BUA has come a step further.
    fn follow(
        &mut self,
        now: Millis,
        step: Option<Step>,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let Some((session, standing)) = step else {
            return Ok(());
        };
        match standing {
            Standing::Nothing => Ok(()),
            Standing::Accepted => self.establish(now, session, outside),
            Standing::Refused(status) => {
                outside.report(
                    now,
                    &json!({"event": "session_refused", "session": session.0, "status": status}),
                );
                Ok(())
            }
            Standing::Unacknowledged => {
                let reason = b"SIP;cause=408;text=\"No ACK\"";
                self.close(now, session, reason, outside).map(|_| ())
            }
        }
    }

    /// Everybody has accepted. The node is shown the session before the caller hears of it: from then on it may be closed.
    fn establish(
        &mut self,
        now: Millis,
        session: SessionRef,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let Middle::B2bua(b2bua) = &mut self.middle else {
            return Ok(());
        };
        let response = b2bua.acceptance(session).unwrap_or_default();
        let (host, records) = (&mut self.host, &mut self.records);
        let established = b2bua.shown(session, &self.terms, &response, |shown| {
            host.command(now, Command::Establish(shown), records, outside)
        });
        match established {
            Some(Ok(_)) => {
                b2bua.accept(now, session, response, outside);
                self.note_established(now, session, outside);
                Ok(())
            }
            None
            | Some(Err(Misuse::NodeFull | Misuse::TooLarge { .. } | Misuse::BadCommand(_))) => {
                b2bua.refuse(now, session, 500, outside);
                self.follow(now, Some((session, Standing::Refused(500))), outside)
            }
            Some(Err(mistake)) => Err(mistake),
        }
    }

    /// A request was answered through the proxy. The INVITE and the 2xx of a new session the node is shown: one dialog,
    /// whose local end is the other CPM entity.
    fn learn(
        &mut self,
        now: Millis,
        answered: &Answered,
        response: &[u8],
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let request = Message::parse(&answered.request, &Limits::default());
        let is_session = request.is_ok_and(|request| begins_session(&request));
        if !is_session || !(200..300).contains(&answered.status) {
            return Ok(());
        }
        let session = SessionRef(self.next);
        self.next += 1;
        let client = Leg::Learnt {
            invite: &answered.request,
            response,
            side: match self.terms.function {
                Function::Originating => Side::Uas,
                Function::Terminating => Side::Uac,
            },
        };
        let shown = Command::Establish(Establish {
            session,
            function: self.terms.function,
            mode: Mode::Proxy,
            allow_offline_storage: self.terms.allow_offline_storage,
            policy: self.terms.policy,
            client: Some(client),
            other: None,
            iwfs: &[],
            description: Description::AtHost,
        });
        match self.host.command(now, shown, &mut self.records, outside) {
            Ok(_) => self.note_established(now, session, outside),
            // It passes all the same, without the node.
            Err(Misuse::NodeFull | Misuse::TooLarge { .. } | Misuse::BadCommand(_)) => {
                outside.report(now, &json!({"event": "not_learnt"}));
            }
            Err(mistake) => return Err(mistake),
        }
        Ok(())
    }

    fn note_established(&mut self, now: Millis, session: SessionRef, outside: &mut Outside) {
        let call_ids = match &self.middle {
            Middle::B2bua(b2bua) => b2bua.call_ids(session),
            Middle::Proxy { .. } => &[],
        };
        self.records.keep(now, session, call_ids);
        outside.report(
            now,
            &json!({"event": "session_established", "session": session.0}),
        );
    }

    fn close(
        &mut self,
        now: Millis,
        session: SessionRef,
        reason: &[u8],
        outside: &mut Outside,
    ) -> Result<Verdict, Misuse> {
        let close = Command::Close { session, reason };
        let closed = self.host.command(now, close, &mut self.records, outside);
        self.forget_closed();
        match closed {
            Err(Misuse::NoSuchThing) => Ok(Verdict::NotMine),
            other => other,
        }
    }

    /// The dialogs of closed sessions are nobody's any more, but the node's, for as long as their BYEs may come again.
    fn forget_closed(&mut self) {
        for session in self.records.take_closed() {
            if let Middle::B2bua(b2bua) = &mut self.middle {
                b2bua.forget(session);
            }
        }
    }

    /// Gives the node the answer of the message store that is due.
    fn answer_storage(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        let Some((token, uid)) = self.records.store.answer(now) else {
            return Ok(());
        };
        let uid = uid.map(|uid| uid.to_string());
        let answer = match &uid {
            Some(uid) => Answer::Stored {
                uid: uid.as_bytes(),
            },
            None => Answer::StoreFailed,
        };
        self.host
            .answer(now, token, answer, &mut self.records, outside)
    }

    fn list(&self) -> Value {
        let state = |session: &SessionRef| match self.host.node().is_open(*session) {
            true => "established",
            false => "closing",
        };
        let of = |session: SessionRef, state: &str| json!({"session": session.0, "state": state});
        let established = self.records.sessions();
        let mut listed: Vec<Value> = established.map(|own| of(*own, state(own))).collect();
        if let Middle::B2bua(b2bua) = &self.middle {
            listed.extend(b2bua.setting_up().map(|own| of(own, "setting_up")));
        }
        json!({"event": "list", "sessions": listed})
    }

    fn statistics(&self) -> Value {
        let (transactions, transaction_layer) = self.host.transactions();
        let node = self.host.node();
        let passing = match &self.middle {
            Middle::B2bua(_) => 0,
            Middle::Proxy { passing, .. } => passing.len(),
        };
        json!({
            "event": "statistics",
            "sessions": node.sessions(),
            "established": self.records.sessions().count(),
            "passing": passing,
            "transactions": transactions,
            "node": counters(&node.counters()),
            "transaction_layer": counters(&transaction_layer),
        })
    }
}

impl NetworkElement for Element {
    fn receive(
        &mut self,
        now: Millis,
        from: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        // All of them are reached through the core, or are part of it.
        let (back, bytes) = (
            (message.back, Source::TrustedCore),
            message.bytes.as_slice(),
        );
        let verdict = self
            .host
            .receive(now, back, bytes, &mut self.records, outside)?;
        self.forget_closed();
        match verdict {
            Verdict::NotMine | Verdict::Forward => self.serve(now, from, message, outside)?,
            // Of an INVITE, which has no transaction there.
            Verdict::Refuse { status, .. } => {
                hop::refuse(now, message, status, self.tag, outside);
            }
            Verdict::Rejected(reject) => {
                let why = reject.to_string();
                outside.report(now, &json!({"event": "rejected", "why": why}));
            }
            _ => {}
        }
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<(), Refused> {
        match command.name() {
            "close" => {
                command.takes(&["session", "reason"])?;
                let number = command.number("session")?.ok_or("close needs a session")?;
                let reason = command.find("reason")?.unwrap_or_default().as_bytes();
                let verdict = self.close(now, SessionRef(number), reason, outside)?;
                if verdict == Verdict::NotMine {
                    return Err("there is no such session".into());
                }
                outside.reply(&json!({"event": "accepted", "command": command.name()}));
            }
            "list" => outside.reply(&self.list()),
            "statistics" => outside.reply(&self.statistics()),
            other => return Err(format!("there is no command {other:?}").into()),
        }
        Ok(())
    }

    fn closed(&mut self, now: Millis, stream: Peer, outside: &mut Outside) -> Result<(), Misuse> {
        if let Middle::Proxy { passing, .. } = &mut self.middle {
            passing.closed(now, stream, outside);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Millis> {
        let store = self.records.store.deadline();
        [self.host.deadline(), self.middle.deadline(), store]
            .into_iter()
            .flatten()
            .min()
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        self.answer_storage(now, outside)?;
        self.host.tick(now, &mut self.records, outside)?;
        self.forget_closed();
        let step = self.middle.tick(now, outside);
        self.follow(now, step, outside)
    }
}

fn config(site: &Site, arguments: &mut Arguments, terms: &Terms) -> Result<Config, Box<dyn Error>> {
    let mut config = Config::new(site.element()?);
    config.audit = site.audit.is_some();
    // A proxy passes on the BYEs of what the node has not learnt too: whoever gets them knows whose they are.
    config.answers_unknown = matches!(terms.mode, Mode::B2bua);
    config.far_side_bound = arguments.number("far-side-ms", config.far_side_bound)?;
    config.store_bound = arguments.number("store-ms", config.store_bound)?;
    config.answer_bound = arguments.number("answer-ms", config.answer_bound)?;
    Ok(config)
}

fn begins_session(message: &Message<'_>) -> bool {
    message.method() == Some(Method::Invite) && message.to().is_ok_and(|to| to.tag().is_none())
}
