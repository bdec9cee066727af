//! The closing of a session with three legs, as a role of its own: a served client and two interworking
//! functions (IWF). It proves that the driving shape fits a role which has nothing in common with a
//! subscription: requests of peers that are answered much later, two requests outstanding at once, and an
//! answer that waits for storage.
//!
//! A BYE of the client ⇒ the media is released ⇒ a BYE to each other leg ⇒ when both have ended, the session
//! record is stored ⇒ the client's 200. Each phase is bounded, so that the client is answered within 64·T1.

use ims_procedures::{
    drive::{
        self, Buffer, Clock, Context, Defect, Identifier, Identifiers, Limits, Millis, Misuse,
        Node, Outbox, Reject, Release, Request, RestoreError, Role, Source, Text, Timer, Token,
        Towards, TransactionRef, UDP_LIMIT, Verdict,
        snapshot::{self, Kind},
    },
    wire::{Element, HeaderName, Message, Method, Writer},
};
use serde::{Deserialize, Serialize};

const MEDIA_BOUND: u64 = 2_000;
const FAR_SIDE_BOUND: u64 = 16_000;
const STORE_BOUND: u64 = 8_000;
/// How long an ended session still answers retransmissions.
const LINGER: u64 = 32_000;
/// The most bytes of all strings of one dialog.
const DIALOG_BYTES: usize = 2_048;
/// The most bytes of one message that is written.
const MESSAGE_BYTES: usize = 3 * DIALOG_BYTES;
const NOTHING_ASKED: Token = Token::from_u64(0);
const KIND: Kind = Kind(0xfff0);
const RECORD: Kind = Kind(0xfff1);
const FORMAT: u16 = 1;
const DIALOG_TOO_LARGE: Defect = Defect {
    code: 65_000,
    what: "the strings of a dialog are longer than is kept",
    clause: "DR-5",
};

/// The vocabulary.
#[derive(Debug)]
pub struct Closing;

impl Role for Closing {
    type Command<'a> = Command<'a>;
    type Question = Question;
    type Answer<'a> = Answer;
    type Event = Event;
    const STEP_OUTPUTS: usize = 2;
    const STEP_BYTES: usize = 2 * (MESSAGE_BYTES + DIALOG_BYTES);
}

#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// A session stands: the dialog with the client, and those with the IWFs.
    Take {
        client: &'a Dialog,
        iwfs: &'a [Dialog; 2],
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Question {
    /// Release the media plane of the session (its client's Call-ID). `key` is the same if it is asked again.
    MediaRelease { session: Text, key: Identifier },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    Done,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Once for each session.
    SessionClosed {
        session: Text,
        ends: [End; 2],
        stored: bool,
    },
}

/// How a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    Answered(u16),
    NoResponse,
    Unreachable,
    /// Its own BYE came.
    Itself,
    /// Its answer was not waited for any longer.
    GivenUp,
}

/// A dialog, as this side sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dialog {
    pub call_id: String,
    pub local: String,
    pub local_tag: String,
    pub remote: String,
    pub remote_tag: String,
    pub target: String,
    pub cseq: u32,
}

impl Dialog {
    fn is_of(&self, message: &Message<'_>) -> bool {
        let tags = (
            message.from().ok().and_then(|f| f.tag()),
            message.to().ok().and_then(|t| t.tag()),
        );
        message.call_id() == Ok(self.call_id.as_bytes())
            && tags
                == (
                    Some(self.remote_tag.as_bytes()),
                    Some(self.local_tag.as_bytes()),
                )
    }

    fn size(&self) -> usize {
        [
            &self.call_id,
            &self.local,
            &self.local_tag,
            &self.remote,
            &self.remote_tag,
            &self.target,
        ]
        .map(String::len)
        .iter()
        .sum()
    }

    fn write_bye(&self, element: &Element, branch: Identifier, buffer: &mut Buffer) {
        let mut bye = Writer::request(buffer, b"BYE", self.target.as_bytes());
        bye.via(element.sent_by(), branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(
                HeaderName::From,
                &[
                    b"<",
                    self.local.as_bytes(),
                    b">;tag=",
                    self.local_tag.as_bytes(),
                ],
            )
            .parts(
                HeaderName::To,
                &[
                    b"<",
                    self.remote.as_bytes(),
                    b">;tag=",
                    self.remote_tag.as_bytes(),
                ],
            )
            .header(HeaderName::CallId, self.call_id.as_bytes())
            .cseq(self.cseq + 1, b"BYE");
        bye.finish();
    }
}

pub struct Config {
    pub element: Element,
    pub limits: Limits,
    pub sessions: usize,
}

/// The 200 that the client will get, written when its BYE came, and the transaction it belongs to.
#[derive(Clone, Serialize, Deserialize)]
struct Owed {
    to: u64,
    bytes: Vec<u8>,
}

struct Leg {
    dialog: Dialog,
    branch: Option<Identifier>,
    end: Option<End>,
    token: Token,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Phase {
    Standing,
    ReleasingMedia {
        key: Identifier,
    },
    EndingLegs,
    Storing,
    /// It answers retransmissions for a while.
    Closed,
    /// Nothing more is to come of it.
    Gone,
}

/// One session.
struct Session {
    client: Dialog,
    legs: [Leg; 2],
    owed: Option<Owed>,
    phase: Phase,
    /// Of the question or the store that is outstanding.
    token: Token,
    until: Option<Millis>,
    resume: bool,
}

/// What a blob holds of one session: the timer as remaining time, no tokens.
#[derive(Serialize, Deserialize)]
struct SessionSnapshot {
    client: Dialog,
    legs: [(Dialog, Option<Identifier>, Option<End>); 2],
    owed: Option<Owed>,
    phase: Phase,
    left: Option<u64>,
}

enum Input {
    ClientBye(Owed),
    LegBye(usize),
    MediaReleased,
    LegEnded(usize, End),
    Provisional,
    Kept { safe: bool },
    TakenOver,
    Tick,
}

type Cx<'a> = Context<'a, Config>;

impl Session {
    /// Every transition.
    fn step(&mut self, cx: &mut Cx<'_>, input: Input, out: &mut Outbox<Closing>) {
        use Phase::{Closed, EndingLegs, Gone, ReleasingMedia, Standing, Storing};
        match (self.phase, input) {
            (Standing, Input::ClientBye(owed)) => {
                self.owed = Some(owed);
                let key = cx.identifier();
                self.enter(cx, ReleasingMedia { key }, MEDIA_BOUND, out);
            }
            // A retransmission: the same answer, now or when it is due.
            (Closed, Input::ClientBye(owed)) => self.answer_client(TransactionRef(owed.to), out),
            (_, Input::ClientBye(owed)) => self.owed = Some(owed),
            (ReleasingMedia { .. }, Input::MediaReleased | Input::Tick) => {
                self.enter(cx, EndingLegs, FAR_SIDE_BOUND, out);
                self.store_if_ended(cx, out);
            }
            (_, Input::LegBye(leg)) => {
                self.legs[leg].end.get_or_insert(End::Itself);
                self.store_if_ended(cx, out);
            }
            (EndingLegs, Input::LegEnded(leg, end)) => {
                self.legs[leg].end.get_or_insert(end);
                self.store_if_ended(cx, out);
            }
            (EndingLegs, Input::Tick) => {
                self.legs
                    .iter_mut()
                    .for_each(|leg| _ = leg.end.get_or_insert(End::GivenUp));
                self.store_if_ended(cx, out);
            }
            (Storing, Input::Kept { safe }) => self.close(cx, safe, out),
            (Storing, Input::Tick) => self.close(cx, false, out),
            (Storing, Input::TakenOver) | (Closed, Input::Tick) => self.phase = Gone,
            _ => {}
        }
    }

    fn enter(&mut self, cx: &mut Cx<'_>, phase: Phase, bound: u64, out: &mut Outbox<Closing>) {
        self.phase = phase;
        self.until = Some(cx.now.after(bound));
        self.offer(cx, out);
    }

    /// Puts out what the phase is waiting for; again after a restore, with the same branch, CSeq and key.
    fn offer(&mut self, cx: &mut Cx<'_>, out: &mut Outbox<Closing>) {
        self.token = NOTHING_ASKED;
        match self.phase {
            Phase::ReleasingMedia { key } => {
                self.token = cx.token();
                let session = out.put_text(self.client.call_id.as_bytes());
                out.ask(self.token, Question::MediaRelease { session, key });
            }
            Phase::EndingLegs => {
                for leg in self.legs.iter_mut().filter(|leg| leg.end.is_none()) {
                    let branch = *leg.branch.get_or_insert_with(|| cx.identifier());
                    leg.token = cx.token();
                    let next_hops = [leg.dialog.target.as_bytes()];
                    let request = Request {
                        token: leg.token,
                        towards: Towards::Core,
                        next_hops: &next_hops,
                        udp_limit: UDP_LIMIT,
                    };
                    let bye = |b: &mut Buffer| leg.dialog.write_bye(&cx.config.element, branch, b);
                    if out.request(request, bye).is_err() {
                        leg.end = Some(End::Unreachable);
                    }
                }
            }
            Phase::Storing => {
                self.token = cx.token();
                let mut record = Vec::new();
                snapshot::seal(
                    RECORD,
                    FORMAT,
                    &self.legs.each_ref().map(|leg| leg.end),
                    &mut record,
                );
                // It fits: the record is a few bytes, the key at most a dialog's.
                let _ = out.store(self.token, self.client.call_id.as_bytes(), 0, 1, &record);
            }
            Phase::Standing | Phase::Closed | Phase::Gone => {}
        }
    }

    fn store_if_ended(&mut self, cx: &mut Cx<'_>, out: &mut Outbox<Closing>) {
        if self.phase == Phase::EndingLegs && self.legs.iter().all(|leg| leg.end.is_some()) {
            self.enter(cx, Phase::Storing, STORE_BOUND, out);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, stored: bool, out: &mut Outbox<Closing>) {
        self.enter(cx, Phase::Closed, LINGER, out);
        if let Some(to) = self.owed.as_ref().map(|owed| TransactionRef(owed.to)) {
            self.answer_client(to, out);
        }
        let session = out.put_text(self.client.call_id.as_bytes());
        let ends = self
            .legs
            .each_ref()
            .map(|leg| leg.end.unwrap_or(End::GivenUp));
        out.event(Event::SessionClosed {
            session,
            ends,
            stored,
        });
    }

    fn answer_client(&self, to: TransactionRef, out: &mut Outbox<Closing>) {
        if let Some(owed) = &self.owed {
            let _ = out.respond(to, 200, |b| b.put(&owed.bytes));
        }
    }

    /// What an answer with this token means here; `None` if nothing waits for it any more.
    fn read_answer(
        &self,
        token: Token,
        answer: &drive::Answer<'_, Closing>,
        limits: &Limits,
    ) -> Option<Result<Input, Misuse>> {
        use drive::Answer::{Conflict, Failed, Response, Role, Stored, Timeout, Unreachable};
        if let Some(leg) = self
            .legs
            .iter()
            .position(|leg| leg.end.is_none() && leg.token == token)
        {
            let end = match answer {
                Response(bytes) => {
                    match Message::parse(bytes, limits).ok().and_then(|m| m.status()) {
                        Some(..200) => return Some(Ok(Input::Provisional)),
                        Some(status) => End::Answered(status),
                        None => End::NoResponse,
                    }
                }
                Timeout => End::NoResponse,
                Unreachable => End::Unreachable,
                _ => return Some(Err(Misuse::WrongAnswer)),
            };
            return Some(Ok(Input::LegEnded(leg, end)));
        }
        if self.token != token {
            return None;
        }
        Some(match (self.phase, answer) {
            (Phase::ReleasingMedia { .. }, Role(Answer::Done | Answer::Failed)) => {
                Ok(Input::MediaReleased)
            }
            (Phase::Storing, Stored) => Ok(Input::Kept { safe: true }),
            (Phase::Storing, Failed) => Ok(Input::Kept { safe: false }),
            (Phase::Storing, Conflict) => Ok(Input::TakenOver),
            _ => Err(Misuse::WrongAnswer),
        })
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        let timer = match self.phase {
            _ if self.resume => return Some((Millis(0), Timer("resume after restore"))),
            Phase::Standing | Phase::Gone => return None,
            Phase::ReleasingMedia { .. } => "media release",
            Phase::EndingLegs => "far side",
            Phase::Storing => "store",
            Phase::Closed => "linger",
        };
        Some((self.until?, Timer(timer)))
    }
}

/// Many sessions behind one set of doors.
pub struct ClosingNode {
    config: Config,
    identifiers: Identifiers,
    clock: Clock,
    sessions: Vec<Option<Session>>,
    pub stale_answers: u64,
}

impl ClosingNode {
    pub fn new(config: Config, identifiers: Identifiers) -> Self {
        Self {
            config,
            identifiers,
            clock: Clock::default(),
            sessions: Vec::new(),
            stale_answers: 0,
        }
    }

    /// A node from the blob of another; ticks at the same `now` offer again what was outstanding.
    pub fn restore(
        config: Config,
        identifiers: Identifiers,
        now: Millis,
        blob: &[u8],
    ) -> Result<Self, RestoreError> {
        let kept: Vec<SessionSnapshot> = snapshot::open(KIND, FORMAT, blob)?;
        if kept.len() > config.sessions {
            return Err(RestoreError::TooLarge);
        }
        let mut node = Self::new(config, identifiers);
        node.clock.observe(now);
        node.sessions.extend(kept.into_iter().map(|kept| {
            Some(Session {
                client: kept.client,
                legs: kept.legs.map(|(dialog, branch, end)| Leg {
                    dialog,
                    branch,
                    end,
                    token: NOTHING_ASKED,
                }),
                owed: kept.owed,
                phase: kept.phase,
                token: NOTHING_ASKED,
                until: kept.left.map(|left| now.after(left)),
                resume: true,
            })
        }));
        Ok(node)
    }

    pub fn sessions(&self) -> usize {
        self.sessions.iter().flatten().count()
    }

    fn step(&mut self, now: Millis, place: usize, input: Input, out: &mut Outbox<Closing>) {
        let Some(session) = &mut self.sessions[place] else {
            return;
        };
        let (config, identifiers) = (&self.config, &mut self.identifiers);
        session.step(
            &mut Context {
                now,
                config,
                identifiers,
                id: place as u32,
            },
            input,
            out,
        );
        if session.phase == Phase::Gone {
            self.sessions[place] = None;
        }
    }

    /// The most overdue session, and since when it is due.
    fn next(&self) -> Option<(Millis, Timer, usize)> {
        let due = |(place, session): (usize, &Option<Session>)| {
            session
                .as_ref()?
                .deadline()
                .map(|(at, timer)| (at, timer, place))
        };
        self.sessions
            .iter()
            .enumerate()
            .filter_map(due)
            .min_by_key(|&(at, _, place)| (at, place))
    }

    fn bye(
        &mut self,
        now: Millis,
        txn: TransactionRef,
        bye: &Message<'_>,
        out: &mut Outbox<Closing>,
    ) -> Verdict {
        let found = self
            .sessions
            .iter()
            .enumerate()
            .find_map(|(place, session)| {
                let session = session.as_ref()?;
                let leg = session.legs.iter().position(|leg| leg.dialog.is_of(bye));
                (leg.is_some() || session.client.is_of(bye)).then_some((place, leg))
            });
        let mut response = Buffer::new(MESSAGE_BYTES);
        let status = if found.is_some() { 200 } else { 481 };
        let written = response.attempt(|b| Writer::respond_to(b, bye, status, None).finish());
        if written.is_err() {
            return Verdict::Refuse {
                status: 513,
                retry_after: 0,
            };
        }
        match found {
            Some((place, None)) => {
                let owed = Owed {
                    to: txn.0,
                    bytes: response.as_slice().to_vec(),
                };
                self.step(now, place, Input::ClientBye(owed), out);
            }
            found => {
                let _ = out.respond(txn, status, |b| b.put(response.as_slice()));
                if let Some((place, Some(leg))) = found {
                    self.step(now, place, Input::LegBye(leg), out);
                }
            }
        }
        Verdict::Handled
    }
}

impl Node for ClosingNode {
    type Role = Closing;

    fn receive(
        &mut self,
        now: Millis,
        _from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Closing>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        Ok(match Message::parse(bytes, &self.config.limits) {
            Ok(message) if message.method() == Some(Method::Bye) => {
                self.bye(now, txn, &message, out)
            }
            Ok(_) => Verdict::NotMine,
            Err(reject) => Verdict::Rejected(reject),
        })
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: drive::Answer<'_, Closing>,
        out: &mut Outbox<Closing>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        if !self.identifiers.has_given(token) {
            return Err(Misuse::UnknownToken);
        }
        let now = self.clock.observe(now);
        let place = token.machine() as usize;
        let session = self.sessions.get(place).and_then(Option::as_ref);
        match session.and_then(|session| session.read_answer(token, &answer, &self.config.limits)) {
            Some(input) => self.step(now, place, input?, out),
            None => self.stale_answers += 1,
        }
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        Command::Take { client, iwfs }: Command<'_>,
        out: &mut Outbox<Closing>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let too_large = [client, &iwfs[0], &iwfs[1]]
            .iter()
            .any(|d| d.size() > DIALOG_BYTES);
        if too_large {
            return Err(Misuse::BadCommand(Reject::new(
                &DIALOG_TOO_LARGE,
                DIALOG_BYTES,
            )));
        }
        if self.sessions() >= self.config.sessions {
            return Err(Misuse::NodeFull);
        }
        self.clock.observe(now);
        let leg = |dialog| Leg {
            dialog,
            branch: None,
            end: None,
            token: NOTHING_ASKED,
        };
        let session = Session {
            client: client.clone(),
            legs: iwfs.clone().map(leg),
            owed: None,
            phase: Phase::Standing,
            token: NOTHING_ASKED,
            until: None,
            resume: false,
        };
        match self.sessions.iter_mut().find(|place| place.is_none()) {
            Some(free) => *free = Some(session),
            None => self.sessions.push(Some(session)),
        }
        Ok(Verdict::Handled)
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Closing>) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        let Some((_, _, place)) = self.next().filter(|&(at, ..)| at <= now) else {
            return Ok(());
        };
        match &mut self.sessions[place] {
            Some(session) if session.resume => {
                session.resume = false;
                let (config, identifiers) = (&self.config, &mut self.identifiers);
                session.offer(
                    &mut Context {
                        now,
                        config,
                        identifiers,
                        id: place as u32,
                    },
                    out,
                );
            }
            _ => self.step(now, place, Input::Tick, out),
        }
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        self.next().map(|(at, timer, _)| (at, timer))
    }

    fn snapshot_for(&self, _: Release, now: Millis, into: &mut Vec<u8>) {
        let sessions = self
            .sessions
            .iter()
            .flatten()
            .map(|session| SessionSnapshot {
                client: session.client.clone(),
                legs: session
                    .legs
                    .each_ref()
                    .map(|leg| (leg.dialog.clone(), leg.branch, leg.end)),
                owed: session.owed.clone(),
                phase: session.phase,
                left: session.until.map(|until| until.since(now)),
            });
        snapshot::seal(KIND, FORMAT, &sessions.collect::<Vec<_>>(), into);
    }
}
