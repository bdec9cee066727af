//! A stateful proxy (RFC 3261 16): requests go on, responses come back, each is sent again where it has to be. Which way they
//! go, and what is changed in them, whoever calls it says.
//!
//! A branch of ours is made of the one before it: so whatever belongs to a request that came before is found by it.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use ims_procedures::{
    drive::{Identifier, Millis, Source},
    wire::{Accepts, Message, Method},
};

use crate::{
    agenda::Agenda,
    hop,
    outside::Outside,
    passage::{Came, Going, Heard, Passage, Sender, Times},
    peer::Peer,
    proxy::Back,
    room::{Room, Whose},
};

/// One for each request, wherever it is noted.
type Branch = Rc<[u8]>;

pub struct Passing {
    times: Times,
    /// Of every response from here. One for all: none begins a dialog.
    tag: Identifier,
    /// By the branch of ours.
    passages: HashMap<Branch, Box<Passage>>,
    /// Those that have gone over a stream, by that.
    by_stream: BTreeSet<(Peer, Branch)>,
    room: Room,
    agenda: Agenda<Branch>,
}

/// A response that is to be sent back.
pub struct Returned {
    pub to: Sender,
    pub bytes: Vec<u8>,
    pub answered: Option<Answered>,
}

/// A request that was answered for the first time.
pub struct Answered {
    /// As it went on.
    pub request: Vec<u8>,
    pub status: u16,
}

impl Passing {
    /// With the tag of every other response of the element, which is always the same.
    pub fn new(times: Times, tag: Identifier) -> Self {
        Self {
            times,
            tag,
            passages: HashMap::new(),
            by_stream: BTreeSet::new(),
            room: Room::default(),
            agenda: Agenda::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Bytes of all that is kept of them.
    pub const fn bytes(&self) -> usize {
        self.room.taken()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.agenda.deadline()
    }

    /// A request comes, whose branch of ours is that. Whether it belongs to one that came before, and is taken: that one again,
    /// its CANCEL, the ACK of its refusal.
    pub fn takes(
        &mut self,
        now: Millis,
        branch: &str,
        came: &Came<'_>,
        outside: &mut Outside,
    ) -> bool {
        let tag = self.tag;
        self.touch(branch.as_bytes(), |it| it.takes(now, came, tag, outside)) == Some(true)
    }

    /// One that was [not taken](Self::takes) goes on as `route` says, or is refused with that status.
    pub fn request(
        &mut self,
        now: Millis,
        branch: String,
        came: &Came<'_>,
        route: impl FnOnce(&Outside) -> Result<Going, u16>,
        outside: &mut Outside,
    ) {
        let (branch, tag) = (Branch::from(branch.into_bytes()), self.tag);
        let done = match came.method {
            // Of a refusal from here, of which nothing was kept (RFC 3261 8.2.7).
            Method::Ack if is_tagged(came.request, tag) => Ok(()),
            // That of a 2xx has a way of its own, and nothing answers it.
            Method::Ack => {
                if let Ok(going) = route(outside) {
                    going.hop.send(now, &going.bytes, outside);
                }
                Ok(())
            }
            Method::Cancel => Err(481),
            _ => self.begin(now, branch, came, route, outside),
        };
        if let Err(status) = done {
            hop::refuse(now, came.message, status, tag, outside);
        }
    }

    /// One that was not here before.
    fn begin(
        &mut self,
        now: Millis,
        branch: Branch,
        came: &Came<'_>,
        route: impl FnOnce(&Outside) -> Result<Going, u16>,
        outside: &mut Outside,
    ) -> Result<(), u16> {
        // RFC 3261 16.3: what it is to support and does not, and the like.
        let owed = match hop::check(came.request, &Accepts::proxy(), self.tag) {
            Err(owed) => owed,
            Ok(()) if !self.room.has_for(came.whose, 2 * came.message.bytes.len()) => {
                hop::busy(came.request, self.tag)
            }
            Ok(()) => {
                let going = route(outside)?;
                let failed = going.hop.failed();
                let passage =
                    Passage::begin(now, self.times, came, going, outside).ok_or(failed)?;
                self.room.add(passage.whose(), passage.bytes());
                self.agenda.set(&branch, Some(passage.deadline()));
                if let Some(stream) = passage.stream() {
                    self.by_stream.insert((stream, Rc::clone(&branch)));
                }
                self.passages.insert(branch, Box::new(passage));
                return Ok(());
            }
        };
        if let Some(response) = owed {
            outside.send(now, came.message.back, &response);
        }
        Ok(())
    }

    /// A response comes; `back` is how it goes back, if it is one to a request that was passed on. What is to be sent, once
    /// the element has learnt of it what it has to. One to nothing that is remembered goes nowhere, of an INVITE neither
    /// (RFC 6026 7.3): to a REGISTER it would tell a UE of a registration that was not learnt.
    pub fn response(
        &mut self,
        now: Millis,
        (from, trust): (Peer, Source),
        response: &Message<'_>,
        back: Option<Back>,
        outside: &mut Outside,
    ) -> Option<Returned> {
        let (status, cseq) = (response.status()?, response.cseq().ok()?);
        let passage = self.passages.get(response.via().ok()?.branch()?)?;
        if !passage.is_answered_from(from, trust) {
            return None;
        }
        if cseq.method == Method::Cancel {
            // The CANCEL was from here, and its answer goes no further.
            self.touch(response.via().ok()?.branch()?, Passage::hear_of_cancel);
            return None;
        }
        let Back { bytes, branch } = back?;
        let room = self.room.left();
        let heard = self.touch(&branch, |it| {
            let heard = it.hear(now, response, (&bytes, room), outside);
            (heard, it.sender())
        });
        let (heard, to) = heard?;
        let answered = match heard {
            Heard::Nothing => return None,
            Heard::Progress => None,
            Heard::Answer(request) => Some(Answered { request, status }),
        };
        Some(Returned {
            to,
            bytes,
            answered,
        })
    }

    pub fn tick(&mut self, now: Millis, outside: &mut Outside) {
        let Some(branch) = self.agenda.due(now) else {
            return;
        };
        let tag = self.tag;
        if self.touch(&branch, |it| it.tick(now, tag, outside)) == Some(false) {
            if let Some(over) = self.passages.remove(&branch) {
                self.room.remove(over.whose(), over.bytes());
                if let Some(stream) = over.stream() {
                    self.by_stream.remove(&(stream, Rc::clone(&branch)));
                }
            }
            self.agenda.set(&branch, None);
        }
    }

    /// A stream was closed: whatever waits for something to come over it has failed.
    pub fn closed(&mut self, now: Millis, stream: Peer, outside: &mut Outside) {
        let from = (stream, Branch::from(&b""[..]));
        let over = self.by_stream.range(from..);
        let over = over.take_while(|(other, _)| *other == stream);
        let branches: Vec<Branch> = over.map(|(_, branch)| Rc::clone(branch)).collect();
        let tag = self.tag;
        for branch in branches {
            self.touch(&branch, |it| it.lose(now, tag, outside));
        }
    }

    /// Whatever is done with a passage changes what it takes and when it is due.
    fn touch<T>(&mut self, branch: &[u8], touch: impl FnOnce(&mut Passage) -> T) -> Option<T> {
        let (key, _) = self.passages.get_key_value(branch)?;
        let key = Rc::clone(key);
        let passage = self.passages.get_mut(branch)?;
        self.room.remove(passage.whose(), passage.bytes());
        let touched = touch(passage);
        self.room.add(passage.whose(), passage.bytes());
        self.agenda.set(&key, Some(passage.deadline()));
        Some(touched)
    }
}

/// Whose a request is that is of no stranger.
pub fn whose(request: &Message<'_>) -> Whose {
    match request.to().is_ok_and(|to| to.tag().is_some()) {
        true => Whose::InDialog,
        false => Whose::First,
    }
}

fn is_tagged(request: &Message<'_>, tag: Identifier) -> bool {
    let to = request.to().ok();
    to.and_then(|to| to.tag()) == Some(tag.text().as_ref())
}
