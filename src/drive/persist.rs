//! [DR-7] What a node shows of its machines, one by one, so that each can be stored before what depends on it leaves.

use alloc::vec::Vec;

use super::{Identifiers, Millis, Node, Outbox, RestoreError, Role, Text, snapshot::Kind};

/// The texts of a question or event, which point into an outbox.
pub trait Texts {
    /// Shows each text, to be changed for one that says the same elsewhere.
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text));
}

/// A role whose outputs can be withheld.
pub trait WithheldRole: Role<Question: Texts, Event: Texts> {}

impl<R> WithheldRole for R
where
    R: Role,
    R::Question: Texts,
    R::Event: Texts,
{
}

/// A machine that a call has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in the node. One that has gone may leave it to another.
    pub machine: u32,
    /// Whether it has gone.
    pub gone: bool,
    /// How many outputs the outbox held then: those since the change before are of this one.
    pub outputs: usize,
    /// Whether a pacer gave it a turn: what it asks next, here or later, counts when it leaves.
    pub is_turn: bool,
}

/// The machines that calls have changed, in order. A node notes nothing until it is told to.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    noted: Option<Vec<Change>>,
    /// What is asked in a turn counts at once.
    counts_at_once: bool,
}

impl Changes {
    /// Has the changes noted from now on.
    pub fn record(&mut self) {
        self.noted.get_or_insert_default();
    }

    /// Whether what a machine asks in its turn is withheld, and counts when it leaves
    /// ([`Pacer::next_withheld`](crate::fleet::pacer::Pacer::next_withheld)).
    #[must_use]
    pub const fn withhold_turns(&self) -> bool {
        self.noted.is_some() && !self.counts_at_once
    }

    /// Whether it counts at once, as long as the store fails: nobody is to wait for it then.
    pub const fn count_at_once(&mut self, at_once: bool) {
        self.counts_at_once = at_once;
    }

    /// What was noted last of a machine, if it is of that one, was done in its turn.
    pub fn note_turn(&mut self, machine: u32) {
        let last = self.noted.as_mut().and_then(|noted| noted.last_mut());
        if let Some(last) = last.filter(|last| last.machine == machine) {
            last.is_turn = true;
        }
    }

    /// Notes a machine.
    pub fn note<R: Role>(&mut self, machine: u32, gone: bool, out: &Outbox<R>) {
        let Some(noted) = &mut self.noted else {
            return;
        };
        let outputs = out.len();
        match noted.last_mut() {
            Some(last) if last.machine == machine && !last.gone => {
                last.gone = gone;
                last.outputs = outputs;
            }
            _ => noted.push(Change {
                machine,
                gone,
                outputs,
                is_turn: false,
            }),
        }
    }

    /// Moves what was noted over.
    pub fn take(&mut self, into: &mut Vec<Change>) {
        if let Some(noted) = &mut self.noted {
            into.append(noted);
        }
    }
}

/// A node that lets its machines be stored one by one: what
/// [`Persistent`](crate::persistence::Persistent) asks of it.
pub trait Persist: Node<Role: WithheldRole> {
    /// What the blob of one machine is.
    const MACHINE: Kind;
    /// The format in which it is written.
    const FORMAT: u16;

    /// Where tokens come from.
    fn identifiers(&mut self) -> &mut Identifiers;

    /// Machines for which it has taken room beforehand, and keeps it.
    fn reserved(&self) -> usize {
        0
    }

    /// Which machines calls have changed.
    fn changes(&mut self) -> &mut Changes;

    /// Appends the key under which a machine is stored: that of no other machine, and the same as long as it lives.
    fn write_key(&self, machine: u32, into: &mut Vec<u8>);

    /// Appends what a machine is. An instant stands as time from `now`.
    fn write_machine(&self, machine: u32, now: Millis, into: &mut Vec<u8>);

    /// Takes a machine in, and gives its place. What was outstanding is offered again by ticks.
    ///
    /// # Errors
    /// [`RestoreError`], and nothing is taken in.
    fn read_machine(&mut self, now: Millis, bytes: &[u8]) -> Result<u32, RestoreError>;

    /// Lets a machine go without a word to anybody but the host, who gets an event: another node has it.
    fn let_go(&mut self, machine: u32, out: &mut Outbox<Self::Role>);

    /// What a machine had put out in its turn has left ([`Pacer::left`](crate::fleet::pacer::Pacer::left)).
    fn turn_left(&mut self, _now: Millis, _machine: u32) {}

    /// Appends the same event for a machine that has gone here already: all that is left of it is its key.
    fn report_taken_over(key: &[u8], out: &mut Outbox<Self::Role>);

    /// Whether an event is of the node itself, and of no machine: as how far a shutdown has come. None is, unless the
    /// node says so.
    fn is_of_node(_event: &<Self::Role as Role>::Event) -> bool {
        false
    }

    /// An event of `out` that must not be lost, for [`read_outcome`](Self::read_outcome): how a procedure ended.
    /// `None` for any other.
    fn write_outcome(
        event: &<Self::Role as Role>::Event,
        out: &Outbox<Self::Role>,
    ) -> Option<Vec<u8>>;

    /// Appends to `out` an event that was written so.
    ///
    /// # Errors
    /// [`RestoreError`].
    fn read_outcome(bytes: &[u8], out: &mut Outbox<Self::Role>) -> Result<(), RestoreError>;
}
