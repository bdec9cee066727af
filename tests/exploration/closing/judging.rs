//! What the model thinks of what the node does.

use ims_procedures::{
    cpm::{Cause, End, Ends, Event, IwfPolicy, Recording, Scope},
    drive::{Identifier, Millis, TransactionRef},
};

use super::{
    door::{ATTEMPTS, FAR_SIDE},
    outside::{Accepted, Bye, Open, TRANSACTION, WHOLE},
    properties::Property,
    scenario::{CLIENT, FIRST_IWF, OTHER, Storage, UID, cause, number},
    world::{World, far_of, place_of},
};
use crate::shared::wire::{branch, header, method, status};

/// The most client transactions at a time.
const MOST_OPEN: usize = 5;

impl World {
    /// A leg says that it ends the session.
    pub fn has_ended(&mut self, place: usize) {
        if self.is_proxy() {
            return;
        }
        let scenario = self.setting.scenario;
        let uid = self.uid();
        let told = &mut self.outside.ghosts.told;
        if place == CLIENT && told.cause.is_some_and(|cause| cause != Cause::Client) {
            told.crossed_with.get_or_insert(uid);
        }
        if told.ends[place].is_some() {
            return;
        }
        let is_sent = self.outside.ghosts.sent[place].is_some();
        told.ends[place] = Some(match is_sent {
            true => End::Crossed,
            false => End::ByItself,
        });
        if told.cause.is_some() {
            return;
        }
        let others = scenario.places().filter(|other| *other >= FIRST_IWF);
        let goes_on = scenario.policy == IwfPolicy::StreamsOnly
            && place >= FIRST_IWF
            && others.into_iter().any(|other| told.ends[other].is_none());
        match goes_on {
            true => told.left.push(place),
            false => told.cause = Some(cause(place)),
        }
    }

    /// A request of the node is answered.
    pub fn hears(&mut self, open: &Open, status: u16) {
        let now = self.outside.now;
        let told = &mut self.outside.ghosts.told;
        match method(&open.text) {
            "INVITE" if status == 200 => owes_ack(&mut told.accepted, &open.text, now),
            "INVITE" if matches!(status, 481 | 408) => {
                told.cause.get_or_insert(Cause::DialogGone);
            }
            "INVITE" => {}
            _ => {
                told.far[open.place] = status;
                told.ends[open.place].get_or_insert(End::Answered(status));
            }
        }
    }

    /// A request of the node is not answered.
    pub fn hears_nothing(&mut self, open: &Open) {
        let told = &mut self.outside.ghosts.told;
        match method(&open.text) {
            "INVITE" => _ = told.cause.get_or_insert(Cause::DialogGone),
            _ => _ = told.ends[open.place].get_or_insert(End::NoResponse),
        }
    }

    /// The message store answers.
    pub fn store_is_heard(&mut self, is_stored: bool) {
        let is_over = self.is_store_over();
        let told = &mut self.outside.ghosts.told;
        told.stored.get_or_insert((!is_over, is_stored));
    }

    /// Whether the time for the message store is over.
    fn is_store_over(&self) -> bool {
        let asked = self.outside.asked.as_ref();
        asked.is_some_and(|asked| self.outside.now >= asked.until)
    }

    /// The UID, if it was retrieved in time.
    fn uid(&self) -> &'static str {
        match self.outside.ghosts.told.stored {
            Some((true, true)) => UID,
            _ => "",
        }
    }

    /// Media plane resources are released.
    pub fn releases(&mut self, key: Identifier, scope: Scope) {
        let scope = match scope {
            Scope::Session => WHOLE,
            Scope::Iwf(number) => number,
        };
        let life = self.outside.lives;
        let before = self.outside.ghosts.released.insert(scope, (key, life));
        let is_again = before.is_none_or(|(own, then)| own == key && then != life);
        let left = &self.outside.ghosts.told.left;
        let is_due = match scope {
            WHOLE => self.outside.ghosts.told.cause.is_some(),
            iwf => left.contains(&(FIRST_IWF + usize::from(iwf))),
        };
        if !is_again || !is_due || self.is_proxy() {
            self.breaks(Property::MediaReleased);
        }
    }

    /// What needs the release of these resources comes now.
    fn needs_released(&mut self, scope: u8) {
        if !self.outside.ghosts.released.contains_key(&scope) {
            self.breaks(Property::MediaReleased);
        }
    }

    /// The message store is asked.
    pub fn stores(&mut self, key: Identifier) {
        self.needs_released(WHOLE);
        let asked = self.outside.asked.as_ref();
        let is_one = asked.is_none_or(|own| own.key == key && own.life != self.outside.lives);
        let is_off = self.setting.scenario.storage == Storage::Off;
        if !is_one || is_off || self.is_proxy() {
            self.breaks(Property::OneKey);
        }
        // S3 stores what the client ends when the far side has ended, and everything else before it is told.
        let is_clients = self.outside.ghosts.told.cause == Some(Cause::Client);
        if is_clients && !self.has_far_side_ended() {
            self.breaks(Property::InOrder);
        }
    }

    /// Whether every leg has ended, or the time for them is over.
    fn has_far_side_ended(&self) -> bool {
        let ghosts = &self.outside.ghosts;
        let mut places = self.setting.scenario.places();
        let until = ghosts
            .sent
            .iter()
            .flatten()
            .map(|(_, until, _)| *until)
            .min();
        places.all(|place| ghosts.told.ends[place].is_some())
            || until.is_some_and(|until| self.outside.now >= until)
    }

    /// Whether a leg has neither sent nor been sent a BYE.
    fn has_leg_alone(&self) -> bool {
        let (byes, sent) = (&self.outside.byes, &self.outside.ghosts.sent);
        let is_alone = |place: usize| byes[place].is_none() && sent[place].is_none();
        self.setting.scenario.places().any(is_alone)
    }

    /// Whether nothing of the message store is waited for.
    fn has_been_stored(&self) -> bool {
        let is_off = self.setting.scenario.storage == Storage::Off;
        is_off || self.outside.ghosts.told.stored.is_some() || self.is_store_over()
    }

    /// A request of the node; whose it is.
    pub fn requests(&mut self, text: &str) -> usize {
        self.note(|| format!("    sends {} ({})", first_line(text), header(text, "CSeq")));
        if self.outside.open.len() > MOST_OPEN {
            self.breaks(Property::ComesToAnEnd);
        }
        if self.is_proxy() {
            return self.passes_on(text);
        }
        let place = self.setting.scenario.script().place_of(text);
        match method(text) {
            "INVITE" => self.reinvites(place, text),
            _ => self.ends_leg(place, text),
        }
        place
    }

    /// A leg is sent a BYE: once, or the same again after a restart.
    fn ends_leg(&mut self, place: usize, text: &str) {
        self.needs_released(WHOLE);
        let (now, life) = (self.outside.now, self.outside.lives);
        let is_open = self.outside.ghosts.told.ends[place].is_none();
        let sent = self.outside.ghosts.sent[place].clone();
        let is_one = match &sent {
            Some((own, _, then)) => own == text && *then != life,
            None => self.is_next(place, text),
        };
        if !is_open || !is_one || self.outside.ghosts.told.cause.is_none() {
            self.breaks(Property::LegsEnded);
        }
        if sent.is_none() {
            let uid = if place == CLIENT { self.uid() } else { "" };
            if header(text, "Message-UID") != uid {
                self.breaks(Property::MessageUid);
            }
            let is_clients = self.outside.ghosts.told.cause == Some(Cause::Client);
            if !is_clients && !self.has_been_stored() {
                self.breaks(Property::InOrder);
            }
        }
        let until = sent.map_or(now.after(FAR_SIDE), |(_, until, _)| until);
        self.outside.ghosts.sent[place] = Some((text.to_owned(), until, life));
    }

    /// Whether a request has the next number of its dialog.
    fn is_next(&mut self, place: usize, text: &str) -> bool {
        let number = header(text, "CSeq").split(' ').next();
        let number: Option<u32> = number.and_then(|number| number.parse().ok());
        let before = std::mem::replace(&mut self.outside.ghosts.cseqs[place], number);
        number.is_some() && before.is_none_or(|before| number == before.checked_add(1))
    }

    /// [CO-3, CT-3] A re-INVITE: to the leg that is to hear of it, with the ports of whoever has left at 0 and no
    /// others.
    fn reinvites(&mut self, place: usize, text: &str) {
        let scenario = self.setting.scenario;
        let left = self.outside.ghosts.told.left.clone();
        for iwf in &left {
            self.needs_released(number(*iwf));
        }
        let life = self.outside.lives;
        let before = self.outside.ghosts.invite.clone();
        let is_again = before.is_some_and(|(own, then)| own == text && then != life);
        if is_again {
            // As it was, although another may have left since.
            self.outside.ghosts.invite = Some((text.to_owned(), life));
            if self.outside.ghosts.told.cause.is_some() {
                self.breaks(Property::Streams);
            }
            return;
        }
        let is_next = self.is_next(place, text);
        self.outside.ghosts.invites += 1;
        let ghosts = &self.outside.ghosts;
        let streams = &scenario.script().streams;
        let gone = |line: &usize| {
            let mut left = left.iter();
            left.any(|iwf| streams[usize::from(number(*iwf))].contains(line))
        };
        let live = |line: &usize| streams.iter().any(|own| own.contains(line)) && !gone(line);
        let ports = text
            .split("\r\n")
            .filter_map(|line| line.strip_prefix("m=message "));
        let ports: Vec<bool> = ports.map(|port| !port.starts_with("0 ")).collect();
        let expected: Vec<bool> = (0..ports.len()).map(|line| live(&line)).collect();
        let is_owed = left.iter().any(|iwf| ghosts.reported[*iwf].is_none());
        let is_bounded = usize::from(ghosts.invites) <= left.len() * usize::from(ATTEMPTS);
        let is_closing = ghosts.told.cause.is_some();
        let is_out = self.outside.is_out(place, "INVITE");
        let is_right = place == scenario.told()
            && (ports.len() == 4 && ports == expected)
            && header(text, "Message-UID").is_empty();
        if !is_right || !is_next || !is_owed || !is_bounded || is_closing || is_out {
            self.breaks(Property::Streams);
        }
        self.outside.ghosts.invite = Some((text.to_owned(), life));
    }

    /// The ACK of a 2xx that has come.
    pub fn acknowledges(&mut self, text: &str) {
        self.note(|| "    sends ACK".to_owned());
        let told = self.setting.scenario.told();
        let place = self.setting.scenario.script().place_of(text);
        let accepted = &mut self.outside.ghosts.told.accepted;
        let own = accepted.iter_mut().find(|own| own.number == cseq(text));
        let is_right = own.is_some_and(|own| {
            let is_owed = own.owed > 0;
            own.owed = own.owed.saturating_sub(1);
            let is_same = own.ack.get_or_insert_with(|| text.to_owned()) == text;
            is_owed && is_same && branch(text) != own.branch
        });
        if !is_right || place != told {
            self.breaks(Property::Streams);
        }
    }

    /// After a restart each ACK is owed again whose 2xx may still come again, of a session that is there.
    pub fn owes_acks_again(&mut self, more: u64) {
        let now = self.outside.now;
        let is_there = self.node().sessions() == 1;
        let accepted = &mut self.outside.ghosts.told.accepted;
        for own in accepted.iter_mut() {
            own.until = own.until.after(more);
            own.owed = 1;
        }
        accepted.retain(|own| is_there && now < own.until);
    }

    /// The BYE of a leg is answered, unless its transaction is of an earlier life: then nobody hears it.
    pub fn responds(&mut self, to: TransactionRef, text: String) {
        let Some(place) = place_of(to, self.outside.lives) else {
            return self.note(|| format!("    answers to nobody: {}", first_line(&text)));
        };
        self.note(|| format!("    answers {place}: {}", first_line(&text)));
        let Some(bye) = self.outside.byes[place].as_mut() else {
            return self.breaks(Property::ByeAnswered);
        };
        if let Some(before) = &bye.answer {
            let is_same = *before == text && bye.copied;
            bye.copied = false;
            if !is_same {
                self.breaks(Property::ByeAnswered);
            }
            return;
        }
        bye.answer = Some(text.clone());
        match self.is_proxy() {
            true => self.passes_back(place, &text),
            false => self.answers_bye(place, &text),
        }
    }

    fn answers_bye(&mut self, place: usize, text: &str) {
        let told = &self.outside.ghosts.told;
        let (is_cause, left) = (told.cause == Some(cause(place)), told.left.contains(&place));
        match status(text) {
            200 => {}
            481 if self.node().sessions() == 0 => return,
            _ => return self.breaks(Property::ByeAnswered),
        }
        self.needs_released(if left { number(place) } else { WHOLE });
        if is_cause && self.has_leg_alone() {
            self.breaks(Property::LegsEnded);
        }
        if is_cause && !(self.has_far_side_ended() && self.has_been_stored()) {
            self.breaks(Property::InOrder);
        }
        let uid = match place {
            CLIENT => self.outside.ghosts.told.crossed_with.unwrap_or(self.uid()),
            _ => "",
        };
        if header(text, "Message-UID") != uid {
            self.breaks(Property::MessageUid);
        }
    }

    /// A proxy passes a BYE on.
    fn passes_on(&mut self, text: &str) -> usize {
        let script = self.setting.scenario.script();
        let from = [CLIENT, OTHER]
            .into_iter()
            .find(|place| header(&script.byes[*place], "From") == header(text, "From"));
        let Some(from) = from else {
            self.breaks(Property::Proxied);
            return OTHER;
        };
        if !header(text, "Message-UID").is_empty() {
            self.breaks(Property::MessageUid);
        }
        let life = self.outside.lives;
        let before =
            self.outside.ghosts.sent[from].replace((text.to_owned(), self.outside.now, life));
        let is_one = before.is_none_or(|(own, _, then)| own == text && then != life);
        let (came, goes) = (lines(&script.byes[from]), lines(text));
        let is_same = goes[0] == came[0] && goes[2..] == came[1..];
        if !is_one || !is_same || !goes[1].starts_with("Via: SIP/2.0/UDP cpm-pf1.") {
            self.breaks(Property::Proxied);
        }
        far_of(from)
    }

    /// A proxy passes an answer back.
    fn passes_back(&mut self, place: usize, text: &str) {
        if !header(text, "Message-UID").is_empty() {
            self.breaks(Property::MessageUid);
        }
        let far = match self.outside.ghosts.told.far[far_of(place)] {
            503 => 500,
            other => other,
        };
        let bye = &self.setting.scenario.script().byes[place];
        let is_forgotten = status(text) == 481 && self.node().sessions() == 0;
        if is_forgotten && self.outside.ghosts.outcome.is_some() {
            return;
        }
        if status(text) != far || header(text, "Via") != header(bye, "Via") {
            self.breaks(Property::Proxied);
        }
    }

    /// Time has gone on.
    pub fn time_passes(&mut self) {
        let now = self.outside.now;
        let byes = self.outside.byes.iter().flatten();
        let mut waiting = byes.filter(|bye| bye.answer.is_none() && !bye.again && !bye.given_up);
        let is_late = waiting.any(|bye| now >= bye.until);
        if is_late && !self.is_proxy() {
            self.breaks(Property::ByeAnswered);
        }
    }

    /// The node reports something.
    pub fn reports(&mut self, event: &Event) {
        self.note(|| format!("    {event:?}"));
        match *event {
            Event::SessionClosed {
                id,
                cause,
                ends,
                recording,
                ..
            } => self.reports_end(id, (cause, ends, recording)),
            Event::SessionShrunk { iwf, .. } | Event::StreamDeletionFailed { iwf, .. } => {
                let place = FIRST_IWF + usize::from(iwf);
                let life = self.outside.lives;
                let before = self.outside.ghosts.reported[place].replace(life);
                let has_left = self.outside.ghosts.told.left.contains(&place);
                if !has_left || before == Some(life) {
                    self.breaks(Property::Streams);
                }
            }
            Event::StoredLate { .. } => {
                if self
                    .outside
                    .ghosts
                    .told
                    .stored
                    .is_none_or(|(in_time, _)| in_time)
                {
                    self.breaks(Property::Outcome);
                }
            }
            _ => self.breaks(Property::Outcome),
        }
    }

    fn reports_end(&mut self, id: Identifier, outcome: (Cause, Ends, Recording)) {
        let life = self.outside.lives;
        if let Some((own, then)) = self.outside.ghosts.outcome.replace((id, life)) {
            if own != id || then == life {
                self.breaks(Property::Outcome);
            }
            return;
        }
        if self.is_proxy() {
            return self.reports_proxied_end(outcome);
        }
        let told = &self.outside.ghosts.told;
        let mut ends = Ends {
            client: told.ends[CLIENT],
            other: told.ends[OTHER],
            ..Ends::default()
        };
        ends.iwfs[..3].copy_from_slice(&told.ends[FIRST_IWF..]);
        let recording = match (self.setting.scenario.storage, told.stored) {
            (Storage::Off, _) => Recording::NotAllowed,
            (_, Some((true, true))) => Recording::Stored,
            (_, Some((false, true))) => Recording::StoredLate,
            (_, Some((_, false))) => Recording::Failed,
            (_, None) => Recording::NoAnswer,
        };
        let expected = told.cause.map(|cause| (cause, ends, recording));
        if expected != Some(outcome) {
            self.note(|| format!("    expected {expected:?}"));
            self.breaks(Property::Outcome);
        }
    }

    /// Of a proxied session: whoever it names has sent a BYE, and the other end has answered or is not known to have.
    fn reports_proxied_end(&mut self, (cause, ends, recording): (Cause, Ends, Recording)) {
        let (from, by, far) = match cause {
            Cause::Client => (CLIENT, ends.client, ends.other),
            _ => (OTHER, ends.other, ends.client),
        };
        let is_known = match far {
            Some(End::Answered(status)) => self.outside.ghosts.told.far[far_of(from)] == status,
            far => far == Some(End::NoResponse),
        };
        let has_begun = self.outside.byes[from].is_some() && by == Some(End::ByItself);
        if !has_begun || !is_known || recording != Recording::NotAllowed {
            self.breaks(Property::Outcome);
        }
    }

    /// After each action, and at the end.
    pub fn look(&mut self) {
        use crate::shared::model::World as _;
        let mut accepted = self.outside.ghosts.told.accepted.iter();
        if self.outside.writes.is_empty() && accepted.any(|own| own.owed > 0) {
            self.breaks(Property::Streams);
        }
        if !self.enabled().is_empty() {
            return;
        }
        match self.is_proxy() {
            true => self.look_at_proxied_end(),
            false => self.look_at_end(),
        }
    }

    fn look_at_end(&mut self) {
        let unanswered = |bye: &Bye| bye.answer.is_none() && !bye.given_up;
        if self.outside.byes.iter().flatten().any(unanswered) {
            self.breaks(Property::ByeAnswered);
        }
        let told = &self.outside.ghosts.told;
        let is_closed = told.cause.is_some();
        let is_unreported = |iwf: &usize| self.outside.ghosts.reported[*iwf].is_none();
        if !is_closed && told.left.iter().any(is_unreported) {
            self.breaks(Property::Streams);
        }
        if is_closed {
            self.look_at_closed();
        }
        let is_quiet = self.deadline().is_none() && self.outside.media.is_empty();
        let is_there = self.node().sessions() == 1 || !self.outside.blobs.is_empty();
        if !is_quiet || is_there == is_closed {
            self.breaks(Property::Quiescent);
        }
    }

    fn look_at_closed(&mut self) {
        self.needs_released(WHOLE);
        if self.has_leg_alone() {
            self.breaks(Property::LegsEnded);
        }
        if self.outside.ghosts.outcome.is_none() {
            self.breaks(Property::Outcome);
        }
    }

    /// A BYE is answered exactly if the far side has answered it.
    fn look_at_proxied_end(&mut self) {
        let far = self.outside.ghosts.told.far;
        for place in [CLIENT, OTHER] {
            let Some(bye) = &self.outside.byes[place] else {
                continue;
            };
            let is_due = far[far_of(place)] != 0;
            let is_right = match bye.answer.as_deref() {
                None => !is_due || bye.given_up,
                // It came when the session was forgotten.
                Some(answer) => is_due || status(answer) == 481,
            };
            if !is_right {
                self.breaks(Property::Proxied);
            }
        }
        let has_begun = self.outside.byes.iter().any(Option::is_some);
        let is_there = self.node().sessions() == 1 || !self.outside.blobs.is_empty();
        if self.deadline().is_some() || is_there == has_begun {
            self.breaks(Property::Quiescent);
        }
        if self.outside.ghosts.outcome.is_some() != has_begun {
            self.breaks(Property::Outcome);
        }
    }
}

/// Every line but those that a proxy changes.
fn lines(text: &str) -> Vec<&str> {
    let changed = ["Max-Forwards:", "Route:", "Message-UID:"];
    let is_kept = |line: &&str| !changed.iter().any(|name| line.starts_with(name));
    text.split("\r\n").filter(is_kept).collect()
}

/// The 2xx of a re-INVITE has come, for the first time or again.
fn owes_ack(accepted: &mut Vec<Accepted>, invite: &str, now: Millis) {
    let number = cseq(invite);
    if let Some(own) = accepted.iter_mut().find(|own| own.number == number) {
        own.owed += 1;
        return;
    }
    accepted.push(Accepted {
        number: number.to_owned(),
        branch: branch(invite).to_owned(),
        ack: None,
        owed: 1,
        until: now.after(TRANSACTION),
    });
}

/// The number in CSeq.
fn cseq(text: &str) -> &str {
    header(text, "CSeq").split(' ').next().unwrap_or_default()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
