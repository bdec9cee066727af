//! The P-CSCF node.

use alloc::{boxed::Box, vec::Vec};
use core::ffi::c_void;

use super::{
    counts::{imsp_pcscf_counts, imsp_subscription_counts},
    guard::{Handle, Poison, change, free, read},
    memory::{Place, Room, Variable, bytes},
    options::{counted, flag},
    pcscf_config::imsp_pcscf_config,
    pcscf_output::{Flat, imsp_pcscf_output},
    status::{Fault, Report, imsp_fault, imsp_status},
    values::{Number, imsp_evidence, imsp_source},
    verdict::{imsp_deadline, imsp_verdict},
};
use crate::{
    drive::{self, Buffer, Identifiers, Millis, Node, Outbox, Token, TransactionRef},
    pcscf::{Answer, Command, Pcscf, PcscfNode, Shutdown, Ue, strip_trust_marks},
    regevent::subscriber,
};

/// The most calls whose outputs an outbox has room for.
const MOST_STEPS: u32 = 1_024;

/// A P-CSCF: every user it serves, behind one set of doors, with the outbox that its outputs are taken from.
pub struct imsp_pcscf {
    node: PcscfNode,
    out: Outbox<Pcscf>,
    /// Outputs that were taken.
    taken: usize,
    /// The texts of the output that is being taken; the room stays allocated.
    texts: Vec<u8>,
    poison: Poison,
}

impl Handle for imsp_pcscf {
    fn poison(&self) -> &Poison {
        &self.poison
    }
}

/// A handle is `Send`: it may go from thread to thread, but be used by one at a time.
const _: fn() = || {
    const fn is_send<T: Send>() {}
    is_send::<imsp_pcscf>();
    is_send::<imsp_pcscf_config>();
};

/// How a request, question or store is answered without more to say.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_answer {
    /// No response to the request came in time (RFC 3261 timer F, or B).
    Timeout = 1,
    /// No next hop of the request could be reached.
    Unreachable = 2,
    /// The blob is safe.
    Stored = 3,
    /// Another node has written this key since: it has taken over.
    Conflict = 4,
    /// The blob could not be stored.
    NotStored = 5,
    /// It is done.
    Done = 6,
    /// It could not be done; the cleanup goes on.
    NotDone = 7,
    /// There is no route: the subscription ends.
    NoRoute = 8,
}

impl Number for imsp_answer {
    const ALL: &'static [Self] = &[
        Self::Timeout,
        Self::Unreachable,
        Self::Stored,
        Self::Conflict,
        Self::NotStored,
        Self::Done,
        Self::NotDone,
        Self::NoRoute,
    ];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_answer> for drive::Answer<'_, Pcscf> {
    fn from(answer: imsp_answer) -> Self {
        match answer {
            imsp_answer::Timeout => Self::Timeout,
            imsp_answer::Unreachable => Self::Unreachable,
            imsp_answer::Stored => Self::Stored,
            imsp_answer::Conflict => Self::Conflict,
            imsp_answer::NotStored => Self::Failed,
            imsp_answer::Done => Answer::Done.into(),
            imsp_answer::NotDone => Answer::Failed.into(),
            imsp_answer::NoRoute => Answer::Subscription(subscriber::Answer::NoRoute).into(),
        }
    }
}

impl imsp_pcscf {
    fn new(node: PcscfNode, steps: usize) -> *mut Self {
        Box::into_raw(Box::new(Self {
            node,
            out: Outbox::for_steps(steps),
            taken: 0,
            texts: Vec::new(),
            poison: Poison::default(),
        }))
    }

    /// The next output is put where the caller wants it, and with the last one the outbox is empty again.
    fn poll(&mut self, output: Place<imsp_pcscf_output>, room: Room) -> Result<(), Fault> {
        let next = self.out.since(self.taken).next();
        let next = next.ok_or(imsp_status::Nothing)?;
        let flat = Flat::of(&next, &self.out, &mut self.texts);
        room.put(&self.texts)?;
        output.put(&flat);
        self.taken = self.taken.saturating_add(1);
        if self.taken >= self.out.len() {
            self.out.clear();
            self.taken = 0;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        now: u64,
        token: u64,
        answer: drive::Answer<'_, Pcscf>,
    ) -> Result<(), Fault> {
        let token = Token::from_u64(token);
        Ok(self
            .node
            .answer(Millis(now), token, answer, &mut self.out)?)
    }

    pub(super) const fn node(&self) -> &PcscfNode {
        &self.node
    }

    pub(super) fn command(
        &mut self,
        now: u64,
        command: Command<'_>,
        verdict: Place<imsp_verdict>,
    ) -> Result<(), Fault> {
        let given = self.node.command(Millis(now), command, &mut self.out)?;
        verdict.put(&given.into());
        Ok(())
    }
}

/// [DR-8] What every node is made with, beside its configuration.
fn identifiers(
    seed: Result<&[u8], Fault>,
    incarnation: u64,
    shard: u16,
) -> Result<Identifiers, Fault> {
    let seed = seed?.try_into().map_err(|_| imsp_status::OutOfRange)?;
    Ok(Identifiers::new(seed, incarnation, shard))
}

fn steps(outbox_steps: u32) -> Result<usize, Fault> {
    match (usize::try_from(outbox_steps), outbox_steps) {
        (Ok(steps), 1..=MOST_STEPS) => Ok(steps),
        _ => Err(imsp_status::OutOfRange.into()),
    }
}

/// A node without users. To be freed with imsp_pcscf_free.
///
/// `config` is copied. `seed`: 32 secret bytes, which may stay the same for ever. `incarnation`: another one at every
/// start and restore, so that no identifier comes twice. `shard`: can be read back from each identifier.
/// `outbox_steps`: for the outputs of how many calls there is room between two polls, 1 to 1,024; each takes 256 KiB.
/// `node`: where the handle is written.
///
/// IMSP_STATUS_CONFIG: the fault names the field. IMSP_STATUS_OUT_OF_RANGE: the seed or `outbox_steps`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_new(
    config: *const imsp_pcscf_config,
    seed: *const c_void,
    seed_length: usize,
    incarnation: u64,
    shard: u16,
    outbox_steps: u32,
    node: *mut *mut imsp_pcscf,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, seed, node, report) = unsafe {
        (
            config.as_ref(),
            bytes(seed, seed_length),
            Variable::at(node),
            Report::at(fault),
        )
    };
    read(config, report, |config| {
        let node = node.required()?;
        let identifiers = identifiers(seed, incarnation, shard)?;
        let steps = steps(outbox_steps)?;
        let made = PcscfNode::new(config.config.clone(), identifiers)?;
        node.put(imsp_pcscf::new(made, steps));
        Ok(())
    })
}

/// A node from the snapshot of another. What was outstanding is offered again by ticks at the same `now`.
///
/// All else as imsp_pcscf_new, and of `snapshot` what is wrong with it: IMSP_STATUS_NOT_A_SNAPSHOT and those after it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_restore(
    config: *const imsp_pcscf_config,
    seed: *const c_void,
    seed_length: usize,
    incarnation: u64,
    shard: u16,
    outbox_steps: u32,
    now: u64,
    snapshot: *const c_void,
    snapshot_length: usize,
    node: *mut *mut imsp_pcscf,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, seed, snapshot, node, report) = unsafe {
        (
            config.as_ref(),
            bytes(seed, seed_length),
            bytes(snapshot, snapshot_length),
            Variable::at(node),
            Report::at(fault),
        )
    };
    read(config, report, |config| {
        let node = node.required()?;
        let identifiers = identifiers(seed, incarnation, shard)?;
        let steps = steps(outbox_steps)?;
        let config = config.config.clone();
        let made = PcscfNode::restore(config, identifiers, Millis(now), snapshot?)?;
        node.put(imsp_pcscf::new(made, steps));
        Ok(())
    })
}

/// Frees a node, poisoned or not; NULL is allowed. Outputs that were not taken are lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_free(node: *mut imsp_pcscf) {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    unsafe { free(node) }
}

/// A SIP request from a peer. (A response to a request of the node enters by imsp_pcscf_answer_response.)
///
/// `now`: milliseconds since an epoch of the caller's choosing. `source`: an imsp_source. `transaction`: the caller's own
/// handle of the server transaction, given back with its response, at once or much later. `verdict`: what is to
/// become of the message; whatever is wrong with the bytes stands there and is no failure of the call.
///
/// IMSP_STATUS_OUTBOX_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_receive(
    node: *mut imsp_pcscf,
    now: u64,
    source: u32,
    transaction: u64,
    message: *const c_void,
    message_length: usize,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, message, verdict, report) = unsafe {
        (
            node.as_mut(),
            bytes(message, message_length),
            Place::at(verdict),
            Report::at(fault),
        )
    };
    change(node, report, |handle| {
        let (verdict, message) = (verdict?, message?);
        let from = imsp_source::read(source)?.into();
        let to = TransactionRef(transaction);
        let out = &mut handle.out;
        let given = handle.node.receive(Millis(now), from, to, message, out)?;
        verdict.put(&given.into());
        Ok(())
    })
}

/// How something with a token came out, without more to say. `answer`: an imsp_answer. One that comes too late
/// is ignored and counted.
///
/// IMSP_STATUS_UNKNOWN_TOKEN, IMSP_STATUS_WRONG_ANSWER, IMSP_STATUS_OUTBOX_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_answer(
    node: *mut imsp_pcscf,
    now: u64,
    token: u64,
    answer: u32,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, report) = unsafe { (node.as_mut(), Report::at(fault)) };
    change(node, report, |handle| {
        handle.answer(now, token, imsp_answer::read(answer)?.into())
    })
}

/// The response to a request of the node, as it came. Provisional ones may be given or kept back. Else as
/// imsp_pcscf_answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_answer_response(
    node: *mut imsp_pcscf,
    now: u64,
    token: u64,
    response: *const c_void,
    response_length: usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, response, report) = unsafe {
        (
            node.as_mut(),
            bytes(response, response_length),
            Report::at(fault),
        )
    };
    change(node, report, |handle| {
        handle.answer(now, token, drive::Answer::Response(response?))
    })
}

/// The answer to IMSP_SUBSCRIPTION_QUESTION_ROUTING: the routes to honour.
///
/// `next_hops`: SIP URIs in order, as addresses separated by commas, at most 8 of 1,024 bytes each; empty: the first of
/// `route`, or what the public identity resolves to. `route`: the value of Route in the SUBSCRIBE; empty for none. Together
/// 16,384 bytes at most. Else as imsp_pcscf_answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_answer_routes(
    node: *mut imsp_pcscf,
    now: u64,
    token: u64,
    next_hops: *const c_void,
    next_hops_length: usize,
    route: *const c_void,
    route_length: usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, next_hops, route, report) = unsafe {
        (
            node.as_mut(),
            bytes(next_hops, next_hops_length),
            bytes(route, route_length),
            Report::at(fault),
        )
    };
    change(node, report, |handle| {
        let routes = subscriber::Answer::Routes {
            next_hops: next_hops?,
            route: route?,
        };
        handle.answer(now, token, Answer::Subscription(routes).into())
    })
}

/// A REGISTER of a UE, with the P-CSCF's Path, and its final response, as sent and received on the core side. One
/// that is not a 2xx changes nothing. `trunk_group`: the one that it came over; empty for none.
///
/// IMSP_STATUS_BAD_COMMAND: the fault says what is wrong, and where. IMSP_STATUS_NO_SUCH_THING: the trunk group.
/// IMSP_STATUS_TOO_LARGE, IMSP_STATUS_NODE_FULL, IMSP_STATUS_OUTBOX_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_learn(
    node: *mut imsp_pcscf,
    now: u64,
    request: *const c_void,
    request_length: usize,
    response: *const c_void,
    response_length: usize,
    trunk_group: *const c_void,
    trunk_group_length: usize,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, request, response, trunk_group, verdict, report) = unsafe {
        (
            node.as_mut(),
            bytes(request, request_length),
            bytes(response, response_length),
            bytes(trunk_group, trunk_group_length),
            Place::at(verdict),
            Report::at(fault),
        )
    };
    change(node, report, |handle| {
        let command = Command::Learn {
            request: request?,
            response: response?,
            trunk_group: trunk_group?,
        };
        handle.command(now, command, verdict?)
    })
}

/// Bytes of a caller.
type Given = (*const c_void, usize);

/// [CA-1] A command that is about the access of UEs.
///
/// # Safety
/// The pointers are what every caller vouches for (`capi`, "Pointers").
pub(super) unsafe fn about_ue(
    node: *mut imsp_pcscf,
    now: u64,
    (private_identity, contact, reg_id): (Given, Given, u32),
    (verdict, fault): (*mut imsp_verdict, *mut imsp_fault),
    command: impl for<'c> FnOnce(Ue<'c>) -> Result<Command<'c>, Fault>,
) -> imsp_status {
    // SAFETY: what the caller vouches for.
    let (node, private_identity, contact, verdict, report) = unsafe {
        (
            node.as_mut(),
            bytes(private_identity.0, private_identity.1),
            bytes(contact.0, contact.1),
            Place::at(verdict),
            Report::at(fault),
        )
    };
    change(node, report, |handle| {
        let private_identity = private_identity?;
        let command = command(Ue {
            contact: contact?,
            private_identity: (!private_identity.is_empty()).then_some(private_identity),
            reg_id: (reg_id > 0).then_some(reg_id),
        })?;
        handle.command(now, command, verdict?)
    })
}

/// A report that the access of a UE is lost. Whether it counts is for the rules of the configuration to say
/// (imsp_pcscf_config_add_loss_rule). `evidence`: an imsp_evidence.
///
/// Whom this and the three calls like it concern: `contact`, the URI of a registered contact; of those who have it the one
/// with this `private_identity`, or with none all of them; and the flow with this `reg_id`, or with 0 all of them.
///
/// IMSP_STATUS_OUTBOX_FULL. The verdict is IMSP_VERDICT_KIND_NOT_MINE if nobody such is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_access_lost(
    node: *mut imsp_pcscf,
    now: u64,
    private_identity: *const c_void,
    private_identity_length: usize,
    contact: *const c_void,
    contact_length: usize,
    reg_id: u32,
    evidence: u32,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    let private_identity = (private_identity, private_identity_length);
    let (ue, results) = (
        (private_identity, (contact, contact_length), reg_id),
        (verdict, fault),
    );
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    unsafe {
        about_ue(node, now, ue, results, |ue| {
            Ok(Command::AccessLost {
                ue,
                evidence: imsp_evidence::read(evidence)?.into(),
            })
        })
    }
}

/// A UE, named as in imsp_pcscf_command_access_lost, has dialogs from now on, or has none any more. `present`: 1 if it has
/// any.
///
/// IMSP_STATUS_OUT_OF_RANGE: `present`. IMSP_STATUS_OUTBOX_FULL. The verdict is IMSP_VERDICT_KIND_NOT_MINE if nobody such is
/// registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_dialogs_changed(
    node: *mut imsp_pcscf,
    now: u64,
    private_identity: *const c_void,
    private_identity_length: usize,
    contact: *const c_void,
    contact_length: usize,
    reg_id: u32,
    present: u32,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    let private_identity = (private_identity, private_identity_length);
    let (ue, results) = (
        (private_identity, (contact, contact_length), reg_id),
        (verdict, fault),
    );
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    unsafe {
        about_ue(node, now, ue, results, |ue| {
            Ok(Command::DialogsChanged {
                ue,
                present: flag(present)?,
            })
        })
    }
}

/// Deregisters everybody, or says what that would be. A second one starts nothing anew; it replaces what was ordered.
/// Until imsp_pcscf_command_resume, imsp_pcscf_receive has REGISTERs refused with 503, except those of emergencies and
/// those by which a UE goes.
///
/// `deadline`: when it is over, on the clock of `now`. `rate`: REGISTERs per second; 0 for what is configured.
/// `in_flight`: REGISTERs out at once; 0 for what is configured. `emergency`: 1 if emergency registrations are
/// deregistered too, last. `dry_run`: 1 if nothing is to be done but to report IMSP_PCSCF_EVENT_SHUTDOWN_PLANNED.
///
/// IMSP_STATUS_OUT_OF_RANGE: `emergency` or `dry_run`. IMSP_STATUS_OUTBOX_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_shutdown(
    node: *mut imsp_pcscf,
    now: u64,
    deadline: u64,
    rate: u32,
    in_flight: u32,
    emergency: u32,
    dry_run: u32,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, verdict, report) = unsafe { (node.as_mut(), Place::at(verdict), Report::at(fault)) };
    change(node, report, |handle| {
        let mut order = Shutdown::until(Millis(deadline));
        order.rate = Some(rate).filter(|&rate| rate > 0);
        order.in_flight = Some(in_flight).filter(|&in_flight| in_flight > 0);
        order.emergency = flag(emergency)?;
        order.dry_run = flag(dry_run)?;
        handle.command(now, Command::Shutdown(order), verdict?)
    })
}

/// Calls a shutdown off: who waits for a turn of it stays registered, what is under way goes on.
///
/// IMSP_STATUS_OUTBOX_FULL. The verdict is IMSP_VERDICT_KIND_NOT_MINE if the node is not shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_command_resume(
    node: *mut imsp_pcscf,
    now: u64,
    verdict: *mut imsp_verdict,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, verdict, report) = unsafe { (node.as_mut(), Place::at(verdict), Report::at(fault)) };
    change(node, report, |handle| {
        handle.command(now, Command::Resume, verdict?)
    })
}

/// Lets the most overdue machine act. Before the deadline it changes nothing. When several are due, the deadline
/// stays in the past until as many ticks have been given.
///
/// IMSP_STATUS_OUTBOX_FULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_tick(
    node: *mut imsp_pcscf,
    now: u64,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, report) = unsafe { (node.as_mut(), Report::at(fault)) };
    change(node, report, |handle| {
        Ok(handle.node.tick(Millis(now), &mut handle.out)?)
    })
}

/// When the next tick is due, and the timer that will fire.
///
/// IMSP_STATUS_NOTHING: never, as things are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_deadline(
    node: *const imsp_pcscf,
    deadline: *mut imsp_deadline,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, deadline, report) =
        unsafe { (node.as_ref(), Place::at(deadline), Report::at(fault)) };
    read(node, report, |handle| {
        let deadline = deadline?;
        let due = handle.node.deadline().ok_or(imsp_status::Nothing)?;
        deadline.put(&due.into());
        Ok(())
    })
}

/// Takes the next output: its texts are copied into `buffer`, and `output` says where each is. Outputs are to be
/// taken in order, until there is none, before the node is told anything else.
///
/// `length`: where the number of bytes copied, or needed, is written; may be NULL.
///
/// IMSP_STATUS_NOTHING: there is none. IMSP_STATUS_BUFFER_TOO_SMALL: nothing was taken; 256 KiB are always enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_poll(
    node: *mut imsp_pcscf,
    output: *mut imsp_pcscf_output,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, output, room, report) = unsafe {
        (
            node.as_mut(),
            Place::at(output),
            Room::at(buffer, capacity, length),
            Report::at(fault),
        )
    };
    change(node, report, |handle| handle.poll(output?, room?))
}

/// Copies the whole state as a versioned blob, timers as remaining time, for imsp_pcscf_restore. Outputs that were
/// not taken are no part of it.
///
/// `length`: where the number of bytes copied, or needed, is written; may be NULL. What is needed stays the same until
/// the node is told something.
///
/// IMSP_STATUS_BUFFER_TOO_SMALL: nothing was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_snapshot(
    node: *const imsp_pcscf,
    now: u64,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, room, report) = unsafe {
        (
            node.as_ref(),
            Room::at(buffer, capacity, length),
            Report::at(fault),
        )
    };
    read(node, report, |handle| {
        let room = room?;
        let mut blob = Vec::new();
        handle.node.snapshot(Millis(now), &mut blob);
        room.put(&blob)
    })
}

/// Replaces the configuration, which is copied; nothing that runs is lost.
///
/// IMSP_STATUS_CONFIG: the fault names the field; the old one stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_reconfigure(
    node: *mut imsp_pcscf,
    config: *const imsp_pcscf_config,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, config, report) = unsafe { (node.as_mut(), config.as_ref(), Report::at(fault)) };
    change(node, report, |handle| {
        let config = usable(config)?;
        Ok(handle.node.reconfigure(config.config.clone())?)
    })
}

/// A second handle of a call.
fn usable(config: Option<&imsp_pcscf_config>) -> Result<&imsp_pcscf_config, Fault> {
    let config = config.ok_or(imsp_status::NullPointer)?;
    config.poison().check()?;
    Ok(config)
}

/// What the node has counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_counters(
    node: *const imsp_pcscf,
    counts: *mut imsp_pcscf_counts,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, counts, report) = unsafe { (node.as_ref(), Place::at(counts), Report::at(fault)) };
    read(node, report, |handle| {
        let node = &handle.node;
        counts?.put(&imsp_pcscf_counts::of(
            node.counters(),
            node.time_backwards(),
        ));
        Ok(())
    })
}

/// The subscriptions of an address context, counted; those of registrations over no named trunk group have the empty
/// name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_subscription_counters(
    node: *const imsp_pcscf,
    address_context: *const c_void,
    address_context_length: usize,
    counts: *mut imsp_subscription_counts,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, address_context, counts, report) = unsafe {
        (
            node.as_ref(),
            bytes(address_context, address_context_length),
            Place::at(counts),
            Report::at(fault),
        )
    };
    read(node, report, |handle| {
        let statistics = handle
            .node
            .sip_subscription_count_statistics(address_context?);
        counts?.put(&statistics.into());
        Ok(())
    })
}

/// The number of registrations, those being cleaned up among them. It takes time in proportion to the users.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_registrations(
    node: *const imsp_pcscf,
    registrations: *mut u64,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, registrations, report) = unsafe {
        (
            node.as_ref(),
            Variable::at(registrations),
            Report::at(fault),
        )
    };
    read(node, report, |handle| {
        let registrations = registrations.required()?;
        registrations.put(counted(handle.node.registrations()));
        Ok(())
    })
}

/// Whether this contact is registered and nothing has been started to end it: 1 or 0 is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_is_registered(
    node: *const imsp_pcscf,
    contact: *const c_void,
    contact_length: usize,
    is_registered: *mut u32,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (node, contact, is_registered, report) = unsafe {
        (
            node.as_ref(),
            bytes(contact, contact_length),
            Variable::at(is_registered),
            Report::at(fault),
        )
    };
    read(node, report, |handle| {
        let is_registered = is_registered.required()?;
        is_registered.put(handle.node.is_registered(contact?).into());
        Ok(())
    })
}

/// Copies a request of a UE into `buffer`, without what only the network may say of it (TS 24.229 4.4, 5.2.2);
/// everything else stays byte for byte. To be done before a request is passed on. The limits are those of `config`.
///
/// `length`: where the number of bytes copied, or needed, is written; may be NULL. It is never more than `request_length`.
///
/// IMSP_STATUS_NOT_SIP: not to be passed on. IMSP_STATUS_BAD_CREDENTIALS: to be refused with 400.
/// IMSP_STATUS_BUFFER_TOO_SMALL: nothing was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imsp_pcscf_strip_trust_marks(
    config: *const imsp_pcscf_config,
    request: *const c_void,
    request_length: usize,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
    fault: *mut imsp_fault,
) -> imsp_status {
    // SAFETY: what every caller vouches for (`capi`, "Pointers").
    let (config, request, room, report) = unsafe {
        (
            config.as_ref(),
            bytes(request, request_length),
            Room::at(buffer, capacity, length),
            Report::at(fault),
        )
    };
    read(config, report, |handle| {
        let (request, room) = (request?, room?);
        let limits = &handle.config.limits;
        let most = request.len().min(limits.message_bytes);
        let mut stripped = Buffer::new(most);
        strip_trust_marks(request, limits, &mut stripped)?;
        room.put(stripped.as_slice())
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const HEADER: &str = include_str!("ims_procedures.h");

    /// How a caller says each thing that a P-CSCF can be told. Whatever is added to it stops the build here.
    const fn of_command(command: &Command<'_>) -> &'static str {
        match command {
            Command::Learn { .. } => "imsp_pcscf_command_learn(",
            Command::AccessLost { .. } => "imsp_pcscf_command_access_lost(",
            Command::DialogsChanged { .. } => "imsp_pcscf_command_dialogs_changed(",
            Command::Shutdown(_) => "imsp_pcscf_command_shutdown(",
            Command::Resume => "imsp_pcscf_command_resume(",
            Command::Heard { .. } => "imsp_pcscf_command_heard(",
            Command::Protected { .. } => "imsp_pcscf_command_protected(",
        }
    }

    const fn of_answer(answer: &drive::Answer<'_, Pcscf>) -> &'static str {
        match answer {
            drive::Answer::Response(_) => "imsp_pcscf_answer_response(",
            drive::Answer::Timeout => "IMSP_ANSWER_TIMEOUT = 1,",
            drive::Answer::Unreachable => "IMSP_ANSWER_UNREACHABLE = 2,",
            drive::Answer::Stored => "IMSP_ANSWER_STORED = 3,",
            drive::Answer::Conflict => "IMSP_ANSWER_CONFLICT = 4,",
            drive::Answer::Failed => "IMSP_ANSWER_NOT_STORED = 5,",
            drive::Answer::Role(Answer::Done) => "IMSP_ANSWER_DONE = 6,",
            drive::Answer::Role(Answer::Failed) => "IMSP_ANSWER_NOT_DONE = 7,",
            drive::Answer::Role(Answer::Subscription(subscriber::Answer::NoRoute)) => {
                "IMSP_ANSWER_NO_ROUTE = 8,"
            }
            drive::Answer::Role(Answer::Subscription(subscriber::Answer::Routes { .. })) => {
                "imsp_pcscf_answer_routes("
            }
        }
    }

    /// [CA-1] Every answer without more to say is the one that its name promises.
    #[test]
    fn answers_and_commands_are_in_the_header() {
        for (number, answer) in (1..).zip(imsp_answer::ALL) {
            assert_eq!(answer.number(), number);
            let door = of_answer(&(*answer).into());
            assert!(door.ends_with(&format!("= {number},")), "{answer:?}");
            assert!(HEADER.contains(door), "{answer:?}");
        }
        let response = drive::Answer::Response(b"");
        let routes = subscriber::Answer::Routes {
            next_hops: b"",
            route: b"",
        };
        let routes = Answer::Subscription(routes).into();
        let learn = Command::Learn {
            request: b"",
            response: b"",
            trunk_group: b"",
        };
        let lost = Command::AccessLost {
            ue: Ue::at(b""),
            evidence: crate::pcscf::Evidence::BearerLost,
        };
        let dialogs = Command::DialogsChanged {
            ue: Ue::at(b""),
            present: true,
        };
        let shutdown = Command::Shutdown(Shutdown::until(Millis(0)));
        let heard = Command::Heard { ue: Ue::at(b"") };
        let protected = Command::Protected {
            ue: Ue::at(b""),
            lifetime: None,
        };
        for door in [
            of_answer(&response),
            of_answer(&routes),
            of_command(&learn),
            of_command(&lost),
            of_command(&dialogs),
            of_command(&shutdown),
            of_command(&Command::Resume),
            of_command(&heard),
            of_command(&protected),
        ] {
            assert!(HEADER.contains(door), "{door}");
        }
    }
}
