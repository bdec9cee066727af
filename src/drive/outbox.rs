//! What a node wants done, in order, in memory of the host.

use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

use super::{
    Buffer, Misuse, Role, Texts, Token, Towards, TransactionRef, Unwritable, WithheldRole,
};

/// The size in bytes past which a request needs a congestion-controlled transport (RFC 3261 18.1.1,
/// path MTU unknown).
pub const UDP_LIMIT: usize = 1_300;

/// Bytes inside an outbox, as events and questions carry them: read with [`Outbox::text`] until the outbox
/// is cleared. In its `Debug` no personal data shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    start: u32,
    len: u32,
}

impl Text {
    /// Number of bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    fn within(self, bytes: &Buffer) -> &[u8] {
        self.of(bytes.as_slice())
    }

    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        let start = self.start as usize;
        let end = start.saturating_add(self.len());
        bytes.get(start..end).unwrap_or_default()
    }

    /// Those from `start` to `end`; none if they are beyond what 32 bits say.
    pub(super) fn between(start: usize, end: usize) -> Self {
        let len = u32::try_from(end.saturating_sub(start));
        match (u32::try_from(start), len) {
            (Ok(start), Ok(len)) => Self { start, len },
            _ => Self::default(),
        }
    }
}

/// What a request is sent with.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Under which the response, or its absence, is to be given.
    pub token: Token,
    /// Which SIP timers apply.
    pub towards: Towards,
    /// SIP URIs of the next hops, the best first. The next one is for when the one before is unreachable.
    pub next_hops: &'a [&'a [u8]],
    /// The size in bytes past which it needs a congestion-controlled transport; [`UDP_LIMIT`] unless the
    /// path is known to bear more.
    pub udp_limit: usize,
}

/// The next hops of a request in order: SIP URIs to resolve (RFC 3263).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NextHops<'a>(&'a [u8]);

impl<'a> Iterator for NextHops<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0).unwrap_or(self.0.len());
        let (hop, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..).unwrap_or_default();
        Some(hop)
    }
}

impl fmt::Debug for NextHops<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NextHops({})", (*self).count())
    }
}

/// [DR-2, DR-9] One thing a node wants done. Its `Debug` shows how long messages are, not what they say.
#[non_exhaustive]
pub enum Output<'a, R: Role> {
    /// Send this request, in a client transaction, to the first next hop that can be reached. Of an INVITE, the
    /// final responses other than 2xx are acknowledged by that transaction (RFC 3261 17.1.1.3).
    Request {
        /// To be given back with the final response, or with its absence.
        token: Token,
        /// Which SIP timers apply.
        towards: Towards,
        /// Where to, in order.
        next_hops: NextHops<'a>,
        /// It is larger than UDP may carry on its path (RFC 3261 18.1.1), and its Via says TCP.
        congestion_controlled: bool,
        /// The message.
        bytes: &'a [u8],
    },
    /// Send this ACK, in no transaction, for nothing answers it, to the first next hop that can be reached. It is that
    /// of a 2xx (RFC 3261 13.2.2.4): send it again whenever that 2xx comes again, for 64·T1 from its first coming
    /// (RFC 6026 7.2).
    Acknowledge {
        /// That of the INVITE, or a new one where the ACK is offered again after a restore. Nothing is to be given
        /// back, not even that no next hop can be reached.
        token: Token,
        /// Where to, in order.
        next_hops: NextHops<'a>,
        /// It is larger than UDP may carry on its path (RFC 3261 18.1.1), and its Via says TCP.
        congestion_controlled: bool,
        /// The message.
        bytes: &'a [u8],
    },
    /// Answer a request.
    Respond {
        /// The transaction it came with.
        to: TransactionRef,
        /// The status code, which also stands in the bytes.
        status: u16,
        /// The message.
        bytes: &'a [u8],
    },
    /// Answer a question, or do something and report it done.
    Ask {
        /// To be given back with the answer.
        token: Token,
        /// The question.
        question: &'a R::Question,
    },
    /// Keep this blob under that key. What depends on it is withheld until the answer.
    Store {
        /// To be given back with `Stored`, `Conflict` or `Failed`.
        token: Token,
        /// The key.
        key: &'a [u8],
        /// The version that must stand there now; 0 for none. Another one is a `Conflict`.
        expected: u64,
        /// The version to put there. No other write ever has the same: if it stands there already, this one has
        /// been done before, and is `Stored`.
        version: u64,
        /// The blob.
        bytes: &'a [u8],
    },
    /// Forget what is kept under that key.
    Erase {
        /// To be given back with `Stored`, `Conflict` or `Failed`.
        token: Token,
        /// The key.
        key: &'a [u8],
        /// The version that must stand there now. Another one is a `Conflict`; nothing there is `Stored`.
        expected: u64,
    },
    /// Something happened.
    Event(&'a R::Event),
}

impl<R: Role> fmt::Debug for Output<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request {
                token,
                towards,
                next_hops,
                congestion_controlled,
                bytes,
            } => f
                .debug_struct("Request")
                .field("token", token)
                .field("towards", towards)
                .field("next_hops", next_hops)
                .field("congestion_controlled", congestion_controlled)
                .field("bytes", &bytes.len())
                .finish(),
            Self::Acknowledge {
                token,
                next_hops,
                congestion_controlled,
                bytes,
            } => f
                .debug_struct("Acknowledge")
                .field("token", token)
                .field("next_hops", next_hops)
                .field("congestion_controlled", congestion_controlled)
                .field("bytes", &bytes.len())
                .finish(),
            Self::Respond { to, status, bytes } => f
                .debug_struct("Respond")
                .field("to", to)
                .field("status", status)
                .field("bytes", &bytes.len())
                .finish(),
            Self::Ask { token, question } => f
                .debug_struct("Ask")
                .field("token", token)
                .field("question", question)
                .finish(),
            Self::Store {
                token,
                key,
                expected,
                version,
                bytes,
            } => f
                .debug_struct("Store")
                .field("token", token)
                .field("key", &key.len())
                .field("expected", expected)
                .field("version", version)
                .field("bytes", &bytes.len())
                .finish(),
            Self::Erase {
                token,
                key,
                expected,
            } => f
                .debug_struct("Erase")
                .field("token", token)
                .field("key", &key.len())
                .field("expected", expected)
                .finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}

pub(super) enum Entry<R: Role> {
    Request {
        token: Token,
        towards: Towards,
        next_hops: Text,
        congestion_controlled: bool,
        bytes: Text,
    },
    Acknowledge {
        token: Token,
        next_hops: Text,
        congestion_controlled: bool,
        bytes: Text,
    },
    Respond {
        to: TransactionRef,
        status: u16,
        bytes: Text,
    },
    Ask {
        token: Token,
        question: R::Question,
    },
    Store {
        token: Token,
        key: Text,
        expected: u64,
        version: u64,
        bytes: Text,
    },
    Erase {
        token: Token,
        key: Text,
        expected: u64,
    },
    Event(R::Event),
}

impl<R: Role> Clone for Entry<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Request {
                token,
                towards,
                next_hops,
                congestion_controlled,
                bytes,
            } => Self::Request {
                token: *token,
                towards: *towards,
                next_hops: *next_hops,
                congestion_controlled: *congestion_controlled,
                bytes: *bytes,
            },
            Self::Acknowledge {
                token,
                next_hops,
                congestion_controlled,
                bytes,
            } => Self::Acknowledge {
                token: *token,
                next_hops: *next_hops,
                congestion_controlled: *congestion_controlled,
                bytes: *bytes,
            },
            Self::Respond { to, status, bytes } => Self::Respond {
                to: *to,
                status: *status,
                bytes: *bytes,
            },
            Self::Ask { token, question } => Self::Ask {
                token: *token,
                question: question.clone(),
            },
            Self::Store {
                token,
                key,
                expected,
                version,
                bytes,
            } => Self::Store {
                token: *token,
                key: *key,
                expected: *expected,
                version: *version,
                bytes: *bytes,
            },
            Self::Erase {
                token,
                key,
                expected,
            } => Self::Erase {
                token: *token,
                key: *key,
                expected: *expected,
            },
            Self::Event(event) => Self::Event(event.clone()),
        }
    }
}

impl<R: WithheldRole> Entry<R> {
    /// Shows each text, to be changed for one that says the same elsewhere.
    pub(super) fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Request {
                next_hops, bytes, ..
            }
            | Self::Acknowledge {
                next_hops, bytes, ..
            } => {
                show(next_hops);
                show(bytes);
            }
            Self::Respond { bytes, .. } => show(bytes),
            Self::Ask { question, .. } => question.each_text(show),
            Self::Store { key, bytes, .. } => {
                show(key);
                show(bytes);
            }
            Self::Erase { key, .. } => show(key),
            Self::Event(event) => event.each_text(show),
        }
    }

    /// Bytes of its texts.
    pub(super) fn length(&self) -> usize {
        let mut length = 0usize;
        self.clone()
            .each_text(&mut |text| length = length.saturating_add(text.len()));
        length
    }

    pub(super) const fn is_event(&self) -> bool {
        matches!(self, Self::Event(_))
    }

    pub(super) const fn is_message(&self) -> bool {
        matches!(
            self,
            Self::Request { .. } | Self::Acknowledge { .. } | Self::Respond { .. }
        )
    }
}

impl<R: Role> Entry<R> {
    fn view<'a>(&'a self, texts: &'a Buffer) -> Output<'a, R> {
        match self {
            Self::Request {
                token,
                towards,
                next_hops,
                congestion_controlled,
                bytes,
            } => Output::Request {
                token: *token,
                towards: *towards,
                next_hops: NextHops(next_hops.within(texts)),
                congestion_controlled: *congestion_controlled,
                bytes: bytes.within(texts),
            },
            Self::Acknowledge {
                token,
                next_hops,
                congestion_controlled,
                bytes,
            } => Output::Acknowledge {
                token: *token,
                next_hops: NextHops(next_hops.within(texts)),
                congestion_controlled: *congestion_controlled,
                bytes: bytes.within(texts),
            },
            Self::Respond { to, status, bytes } => Output::Respond {
                to: *to,
                status: *status,
                bytes: bytes.within(texts),
            },
            Self::Ask { token, question } => Output::Ask {
                token: *token,
                question,
            },
            Self::Store {
                token,
                key,
                expected,
                version,
                bytes,
            } => Output::Store {
                token: *token,
                key: key.within(texts),
                expected: *expected,
                version: *version,
                bytes: bytes.within(texts),
            },
            Self::Erase {
                token,
                key,
                expected,
            } => Output::Erase {
                token: *token,
                key: key.within(texts),
                expected: *expected,
            },
            Self::Event(event) => Output::Event(event),
        }
    }
}

/// What a node appends its outputs to. It belongs to the host, which reads it, acts, and clears it.
///
/// All its memory is allocated when it is made. Bytes never grow past it, nor do requests, responses and
/// blobs; questions and events do only if a node appends more than its role declares.
pub struct Outbox<R: Role> {
    entries: Vec<Entry<R>>,
    capacity: usize,
    bytes: Buffer,
}

impl<R: Role> Outbox<R> {
    /// Room for `steps` calls of this role, at least one.
    #[must_use]
    pub fn for_steps(steps: usize) -> Self {
        let steps = steps.max(1);
        Self::with_room(
            R::STEP_OUTPUTS.saturating_mul(steps),
            R::STEP_BYTES.saturating_mul(steps),
        )
    }

    /// Room for so many outputs and bytes. With less than one step's, every call is refused.
    #[must_use]
    pub fn with_room(outputs: usize, bytes: usize) -> Self {
        Self {
            entries: Vec::with_capacity(outputs),
            capacity: outputs,
            bytes: Buffer::new(bytes),
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of outputs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets everything. Texts, and bytes handed out, end here.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
    }

    /// The outputs in the order in which they are to be done.
    pub fn iter(&self) -> impl Iterator<Item = Output<'_, R>> {
        self.since(0)
    }

    /// The outputs from number `first` on.
    pub fn since(&self, first: usize) -> impl Iterator<Item = Output<'_, R>> {
        self.entries
            .iter()
            .skip(first)
            .map(|entry| entry.view(&self.bytes))
    }

    /// The bytes of a text. Empty if the outbox was cleared since.
    #[must_use]
    pub fn text(&self, text: Text) -> &[u8] {
        text.within(&self.bytes)
    }

    /// The bytes of a text, copied for a host that keeps them.
    #[must_use]
    pub fn to_bytes(&self, text: Text) -> Bytes {
        Bytes::copy_from_slice(self.text(text))
    }

    /// [DR-4] Whether one step fits.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`], with what is needed.
    pub fn check_room(&self) -> Result<(), Misuse> {
        self.check_room_for(R::STEP_OUTPUTS, R::STEP_BYTES)
    }

    /// Whether so many outputs and bytes fit: for a layer that adds to what one step needs.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`], with what is needed.
    pub fn check_room_for(&self, outputs: usize, bytes: usize) -> Result<(), Misuse> {
        let free = self.capacity.saturating_sub(self.entries.len());
        if free < outputs || self.bytes.room() < bytes {
            return Err(Misuse::OutboxFull { outputs, bytes });
        }
        Ok(())
    }

    /// [DR-3] Appends a request, written by `write`.
    ///
    /// # Errors
    /// [`Unwritable`]; nothing is appended then. An outbox with no output free is [`Unwritable::TooLarge`] too.
    pub fn request(
        &mut self,
        request: Request<'_>,
        write: impl FnOnce(&mut Buffer),
    ) -> Result<(), Unwritable> {
        let (next_hops, bytes) = self.write_for_hops(request.next_hops, write)?;
        self.push(Entry::Request {
            token: request.token,
            towards: request.towards,
            next_hops,
            congestion_controlled: bytes.len() > request.udp_limit,
            bytes,
        });
        Ok(())
    }

    /// Appends the ACK of a 2xx, written by `write`: `token` is that of the INVITE, the rest as for
    /// a [request](Self::request).
    ///
    /// # Errors
    /// [`Unwritable`]; nothing is appended then.
    pub fn acknowledge(
        &mut self,
        token: Token,
        next_hops: &[&[u8]],
        udp_limit: usize,
        write: impl FnOnce(&mut Buffer),
    ) -> Result<(), Unwritable> {
        let (next_hops, bytes) = self.write_for_hops(next_hops, write)?;
        self.push(Entry::Acknowledge {
            token,
            next_hops,
            congestion_controlled: bytes.len() > udp_limit,
            bytes,
        });
        Ok(())
    }

    /// Appends a response, written by `write`.
    ///
    /// # Errors
    /// [`Unwritable`]; nothing is appended then.
    pub fn respond(
        &mut self,
        to: TransactionRef,
        status: u16,
        write: impl FnOnce(&mut Buffer),
    ) -> Result<(), Unwritable> {
        self.check_free()?;
        let bytes = self.write_text(write)?;
        self.push(Entry::Respond { to, status, bytes });
        Ok(())
    }

    /// Appends a question. Its texts come from [`put_text`](Outbox::put_text).
    pub fn ask(&mut self, token: Token, question: R::Question) {
        self.push(Entry::Ask { token, question });
    }

    /// Appends an event. Its texts come from [`put_text`](Outbox::put_text).
    pub fn event(&mut self, event: R::Event) {
        self.push(Entry::Event(event));
    }

    /// Appends a blob to be stored under a key.
    ///
    /// # Errors
    /// [`Unwritable::TooLarge`]; nothing is appended then.
    pub fn store(
        &mut self,
        token: Token,
        key: &[u8],
        expected: u64,
        version: u64,
        blob: &[u8],
    ) -> Result<(), Unwritable> {
        self.check_free()?;
        let before = self.bytes.len();
        let key = self.write_text(|bytes| bytes.put(key))?;
        let bytes = self
            .write_text(|bytes| bytes.put(blob))
            .inspect_err(|_| self.bytes.truncate(before))?;
        self.push(Entry::Store {
            token,
            key,
            expected,
            version,
            bytes,
        });
        Ok(())
    }

    /// Appends the order to forget what is kept under a key.
    ///
    /// # Errors
    /// [`Unwritable::TooLarge`]; nothing is appended then.
    pub fn erase(&mut self, token: Token, key: &[u8], expected: u64) -> Result<(), Unwritable> {
        self.check_free()?;
        let key = self.write_text(|bytes| bytes.put(key))?;
        self.push(Entry::Erase {
            token,
            key,
            expected,
        });
        Ok(())
    }

    /// Copies bytes in, for an event or question to point at. Bytes that no longer fit become empty; within
    /// the room that was checked at entry they fit.
    pub fn put_text(&mut self, text: &[u8]) -> Text {
        self.write_text(|bytes| bytes.put(text)).unwrap_or_default()
    }

    /// Writes a text, for an event or question to point at.
    ///
    /// # Errors
    /// [`Unwritable`]; nothing is left then.
    pub fn write_text(&mut self, write: impl FnOnce(&mut Buffer)) -> Result<Text, Unwritable> {
        let start = self.bytes.len();
        self.bytes.attempt(write)?;
        let len = self.bytes.len().saturating_sub(start);
        match (u32::try_from(start), u32::try_from(len)) {
            (Ok(start), Ok(len)) => Ok(Text { start, len }),
            _ => Err(Unwritable::TooLarge),
        }
    }

    /// Takes back the outputs appended from number `first` on that `keep` does not want; the order of the
    /// others stays. Their bytes stay used until the outbox is cleared. For a layer that stands between a
    /// host and a node.
    pub fn retain(&mut self, first: usize, mut keep: impl FnMut(Output<'_, R>) -> bool) {
        let Self { entries, bytes, .. } = self;
        let mut number = 0usize;
        entries.retain(|entry| {
            let before = number < first;
            number = number.saturating_add(1);
            before || keep(entry.view(bytes))
        });
    }

    /// Gives each response appended from number `first` on to the transaction that `map` names: for a layer
    /// that stands between a host and a node.
    pub fn redirect(
        &mut self,
        first: usize,
        mut map: impl FnMut(TransactionRef) -> TransactionRef,
    ) {
        for entry in self.entries.iter_mut().skip(first) {
            if let Entry::Respond { to, .. } = entry {
                *to = map(*to);
            }
        }
    }

    /// Writes next hops, and the message that goes to them.
    fn write_for_hops(
        &mut self,
        next_hops: &[&[u8]],
        write: impl FnOnce(&mut Buffer),
    ) -> Result<(Text, Text), Unwritable> {
        self.check_free()?;
        let before = self.bytes.len();
        let next_hops = self.write_text(|bytes| {
            for (number, hop) in next_hops.iter().enumerate() {
                if number > 0 {
                    bytes.put(b"\n");
                }
                bytes.put_value(hop);
            }
        })?;
        let bytes = self
            .write_text(write)
            .inspect_err(|_| self.bytes.truncate(before))?;
        Ok((next_hops, bytes))
    }

    fn check_free(&self) -> Result<(), Unwritable> {
        if self.entries.len() < self.capacity {
            Ok(())
        } else {
            Err(Unwritable::TooLarge)
        }
    }

    fn push(&mut self, entry: Entry<R>) {
        self.entries.push(entry);
    }

    /// The event that is output number `number`, if it is one.
    pub(crate) fn event_at(&self, number: usize) -> Option<&R::Event> {
        match self.entries.get(number) {
            Some(Entry::Event(event)) => Some(event),
            _ => None,
        }
    }

    pub(super) fn entry(&self, number: usize) -> Option<&Entry<R>> {
        self.entries.get(number)
    }

    /// Appends an output whose texts are here.
    pub(super) fn adopt(&mut self, entry: Entry<R>) {
        self.push(entry);
    }
}

impl<R: WithheldRole> Outbox<R> {
    /// Appends what another outbox has.
    pub(crate) fn copy(&mut self, from: &Self, number: usize) {
        if let Some(mut entry) = from.entries.get(number).cloned() {
            entry.each_text(&mut |text| *text = self.put_text(from.text(*text)));
            self.push(entry);
        }
    }
}

impl<R: Role> fmt::Debug for Outbox<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
