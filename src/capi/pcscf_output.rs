//! The outputs of a P-CSCF, flat.

use alloc::vec::Vec;

use super::{
    memory::Struct,
    subscription::{imsp_subscription_event, imsp_subscription_question},
    values::{
        Ended, imsp_evidence, imsp_initiator, imsp_pcscf_cause, imsp_pcscf_not_asked,
        imsp_pcscf_outcome, imsp_towards,
    },
};
use crate::{
    drive::{Identifier, Outbox, Output, Text},
    pcscf::{Affected, Audit, Conclusion, Event, Outcome, Pcscf, Question},
    regevent::subscriber,
};

/// What kind an output is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_output_kind {
    /// Send `bytes`, a request, in a client transaction, to the first of `next_hops` that can be reached. Says
    /// `token`, to be given back with the final response or its absence, `towards`, `congestion_controlled`.
    Request = 1,
    /// Answer the request that came with `transaction`: with `bytes`, which say `sip_status`.
    Respond = 2,
    /// Answer the question `what`, or do what it says and report it done, with `token`.
    Ask = 3,
    /// Keep `bytes`, a blob, under `key`, with `version`, if `expected` is the version that stands there (0 for none).
    /// The answer, with `token`, is IMSP_ANSWER_STORED, IMSP_ANSWER_CONFLICT or IMSP_ANSWER_NOT_STORED.
    Store = 4,
    /// `what` has happened.
    Event = 5,
    /// Forget what is kept under `key`, if `expected` is the version that stands there; nothing there is as good. The
    /// answer, with `token`, is IMSP_ANSWER_STORED, IMSP_ANSWER_CONFLICT or IMSP_ANSWER_NOT_STORED.
    Erase = 6,
    /// Send `bytes`, the ACK of a 2xx, in no transaction, to the first of `next_hops` that can be reached, and again
    /// whenever that 2xx comes again. Says `token`, that of the INVITE, to which nothing is to be given back, and
    /// `congestion_controlled`. A P-CSCF sends none.
    Acknowledge = 7,
}

/// What a P-CSCF has its caller do, one after the other, each to be answered with IMSP_ANSWER_DONE or
/// IMSP_ANSWER_NOT_DONE: values of `what` in an output of IMSP_OUTPUT_KIND_ASK. Each says `key`, the same when it is
/// asked again after a restore, and `private_identity`, `public_identity`, `contact`. Beside them stand those of
/// imsp_subscription_question.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_pcscf_question {
    /// Deliver what is still owed to the UE over its contact: responses, a NOTIFY of its own.
    OwedDelivery = 1,
    /// Release the security associations or TLS sessions of the contact.
    SecurityAssociationRelease = 2,
    /// Release the signalling bearer: end the Rx session, with `termination_cause`.
    BearerRelease = 3,
    /// Shorten the lifetime of the security associations or TLS sessions of the contact to `wait`, if it is longer.
    SecurityAssociationShortening = 4,
}

/// What a P-CSCF reports: values of `what` in an output of IMSP_OUTPUT_KIND_EVENT. Each but those of a shutdown and
/// IMSP_PCSCF_EVENT_HELD_REGISTER_RELEASED says `private_identity`, and all those `public_identity` and `contact` but
/// IMSP_PCSCF_EVENT_TAKEN_OVER; the first two say `cause` and `registers` as well. Beside them stand those of
/// imsp_subscription_event.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_pcscf_event {
    /// A registration is gone from here. There is exactly one for each that was started; it says `key`, the same if it
    /// comes again after a crash, `outcome` and, for some, `sip_status`.
    Deregistered = 1,
    /// The deregistration was given up, because the UE has registered anew. It says `key`, the same if it comes again
    /// after a crash.
    Cancelled = 2,
    /// Another node has the user: nothing of it is done here any more, and nothing was said to anybody.
    TakenOver = 3,
    /// What a dry run of a shutdown has found: `registrations` that are here, `in_dialog` and `emergency` among them,
    /// and in `wait` the milliseconds until all would have been asked, at least.
    ShutdownPlanned = 4,
    /// How far a shutdown has come: `registrations` that it is to end and that are here still, users `queued` for their
    /// turns, REGISTERs `in_flight`, and the `tally` since it was ordered.
    ShutdownProgressed = 5,
    /// A shutdown has ended: none of the registrations that it was to end is left. Says the `tally`.
    ShutdownEnded = 6,
    /// The access of a UE is lost. Its dialogs are to be released towards the remote side only (TS 24.229 5.2.8.1), with
    /// `Reason: SIP;cause=503`. Until it is heard again, or gone, terminating requests that the node is shown are
    /// refused with 500. The deregistration has begun. It says `key`, the same if it comes again after a crash.
    AccessLost = 10,
    /// A report of loss has been kept, which is not enough by itself. It says `evidence`.
    AccessDoubted = 11,
    /// The REGISTER of a UE that came with `transaction`, and is held with `token`, is not to be held any more. It is to be
    /// passed on if `forward` is 1; if not, a later one for the same contact has come: unless that is this one again,
    /// this one is to be answered with 500. Our own, if it is still out, is not to be retransmitted from here on.
    HeldRegisterReleased = 12,
    /// The record of a deregistration, if IMSP_PCSCF_OPTION_AUDIT is 1. It comes after the event that reports the outcome,
    /// and says what that does. Besides `initiator`, `began` if `began_known` is 1, `resumed` and `ended`; if `given_up` is 1,
    /// `outcome` is what it had come to in the network by then, 0 if that is nothing that is known.
    Audited = 13,
}

/// A text in the buffer that was filled: so many bytes from so many on, without a NUL behind them. Its size never
/// changes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct imsp_text {
    /// Where it begins.
    pub offset: u32,
    /// How many bytes it has; 0 where there is nothing to say.
    pub length: u32,
}

/// One thing that a P-CSCF wants done, or reports. Which fields say something is told by its kind, and by what is
/// asked or reported; the others are 0.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct imsp_pcscf_output {
    /// `sizeof(imsp_pcscf_output)`, to be set by the caller.
    pub struct_size: u32,
    /// An imsp_output_kind. Later releases may add some.
    pub kind: u32,
    /// A question: an imsp_pcscf_question or imsp_subscription_question. An event: an imsp_pcscf_event or
    /// imsp_subscription_event.
    pub what: u32,
    /// An imsp_towards: which SIP timers apply.
    pub towards: u32,
    /// To be given back with the answer.
    pub token: u64,
    /// The caller's own handle of a server transaction.
    pub transaction: u64,
    /// The version that must stand in the store now; 0 for none.
    pub expected: u64,
    /// The version to put there.
    pub version: u64,
    /// Milliseconds.
    pub wait: u64,
    /// 1 if the request is larger than UDP may carry (RFC 3261 18.1.1); its Via says TCP.
    pub congestion_controlled: u32,
    /// A SIP status code.
    pub sip_status: u32,
    /// An imsp_pcscf_cause.
    pub cause: u32,
    /// An imsp_pcscf_outcome; in a record 0 if nothing was reached.
    pub outcome: u32,
    /// How many REGISTERs were sent, retransmissions apart.
    pub registers: u32,
    /// Seconds.
    pub expires: u32,
    /// An imsp_subscription_end.
    pub end: u32,
    /// An imsp_termination.
    pub termination: u32,
    /// 1 if pattern matching is skipped.
    pub skip_pattern_matching: u32,
    /// The Termination-Cause of a session termination request (RFC 6733 8.15).
    pub termination_cause: u32,
    /// The message, or the blob.
    pub bytes: imsp_text,
    /// SIP URIs to resolve (RFC 3263), the best first, each but the last followed by a line feed. The next one is for
    /// when the one before is unreachable.
    pub next_hops: imsp_text,
    /// What the output is known by: a question or event, and under what a blob is stored.
    pub key: imsp_text,
    /// The private identity.
    pub private_identity: imsp_text,
    /// The default public identity.
    pub public_identity: imsp_text,
    /// The URI of the contact.
    pub contact: imsp_text,
    /// The public identity subscribed to.
    pub resource: imsp_text,
    /// The destination trunk group.
    pub destination: imsp_text,
    /// The Service-Route as addresses separated by commas.
    pub route_uri: imsp_text,
    /// Registrations.
    pub registrations: u32,
    /// Registrations whose UEs are in dialogs.
    pub in_dialog: u32,
    /// Registrations of emergencies.
    pub emergency: u32,
    /// Users that wait for their turns.
    pub queued: u32,
    /// REGISTERs that are out.
    pub in_flight: u32,
    /// Registrations that ended, by imsp_pcscf_outcome: the first element counts the outcome 1.
    pub tally: [u32; 11],
    /// An imsp_evidence.
    pub evidence: u32,
    /// 1 if a request is to be passed on.
    pub forward: u32,
    /// An imsp_pcscf_not_asked.
    pub not_asked: u32,
    /// An imsp_initiator.
    pub initiator: u32,
    /// When a deregistration began, waits for a turn included, in the time that the caller tells.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
    /// 1 if `began` says something.
    pub began_known: u32,
    /// 1 if a deregistration has gone on from a blob since it began: `began` is reckoned back from when that was read.
    pub resumed: u32,
    /// 1 if a deregistration was given up.
    pub given_up: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, integers alone: 4·4 + 5·8 + 10·4 + 9·8 + 20·4 + 2·8 + 4·4 bytes, each in its place without padding.
unsafe impl Struct for imsp_pcscf_output {
    const FIRST_SIZE: usize = 168;
}

/// An output while it is made flat, with the texts that it points at.
pub(super) struct Flat<'a> {
    output: imsp_pcscf_output,
    texts: &'a mut Vec<u8>,
    outbox: &'a Outbox<Pcscf>,
}

impl<'a> Flat<'a> {
    /// [CA-1] The output, and its texts in `texts`.
    pub(super) fn of(
        output: &Output<'_, Pcscf>,
        outbox: &'a Outbox<Pcscf>,
        texts: &'a mut Vec<u8>,
    ) -> imsp_pcscf_output {
        texts.clear();
        let output_of_nothing = imsp_pcscf_output::default();
        let mut flat = Self {
            output: output_of_nothing,
            texts,
            outbox,
        };
        flat.fill(output);
        flat.output
    }

    fn fill(&mut self, output: &Output<'_, Pcscf>) {
        match *output {
            Output::Request {
                token,
                towards,
                next_hops,
                congestion_controlled,
                bytes,
            } => {
                self.output.kind = imsp_output_kind::Request as u32;
                self.output.token = token.to_u64();
                self.output.towards = imsp_towards::from(towards) as u32;
                self.output.congestion_controlled = congestion_controlled.into();
                self.output.bytes = self.copy(bytes);
                self.output.next_hops = self.lines(next_hops);
            }
            Output::Acknowledge {
                token,
                next_hops,
                congestion_controlled,
                bytes,
            } => {
                self.output.kind = imsp_output_kind::Acknowledge as u32;
                self.output.token = token.to_u64();
                self.output.congestion_controlled = congestion_controlled.into();
                self.output.bytes = self.copy(bytes);
                self.output.next_hops = self.lines(next_hops);
            }
            Output::Respond { to, status, bytes } => {
                self.output.kind = imsp_output_kind::Respond as u32;
                self.output.transaction = to.0;
                self.output.sip_status = status.into();
                self.output.bytes = self.copy(bytes);
            }
            Output::Ask { token, question } => {
                self.output.kind = imsp_output_kind::Ask as u32;
                self.output.token = token.to_u64();
                self.ask(question);
            }
            Output::Store {
                token,
                key,
                expected,
                version,
                bytes,
            } => {
                self.output.kind = imsp_output_kind::Store as u32;
                self.output.token = token.to_u64();
                self.output.expected = expected;
                self.output.version = version;
                self.output.bytes = self.copy(bytes);
                self.output.key = self.copy(key);
            }
            Output::Erase {
                token,
                key,
                expected,
            } => {
                self.output.kind = imsp_output_kind::Erase as u32;
                self.output.token = token.to_u64();
                self.output.expected = expected;
                self.output.key = self.copy(key);
            }
            Output::Event(event) => {
                self.output.kind = imsp_output_kind::Event as u32;
                self.event(event);
            }
        }
    }

    fn ask(&mut self, question: &Question) {
        let (what, key, affected) = match question {
            Question::OwedDelivery { key, affected } => {
                (imsp_pcscf_question::OwedDelivery, key, affected)
            }
            Question::SecurityAssociationRelease { key, affected } => (
                imsp_pcscf_question::SecurityAssociationRelease,
                key,
                affected,
            ),
            Question::BearerRelease {
                key,
                affected,
                termination_cause,
            } => {
                self.output.termination_cause = *termination_cause;
                (imsp_pcscf_question::BearerRelease, key, affected)
            }
            Question::SecurityAssociationShortening {
                key,
                affected,
                milliseconds,
            } => {
                self.output.wait = *milliseconds;
                (
                    imsp_pcscf_question::SecurityAssociationShortening,
                    key,
                    affected,
                )
            }
            Question::Subscription(question) => return self.ask_for_subscription(question),
        };
        self.output.what = what as u32;
        self.output.key = self.identifier(*key);
        self.affected(affected);
    }

    fn ask_for_subscription(&mut self, question: &subscriber::Question) {
        self.output.what = imsp_subscription_question::from(question) as u32;
        match *question {
            subscriber::Question::Routing {
                key,
                resource,
                destination,
                route_uri,
                skip_pattern_matching,
            } => {
                self.output.key = self.identifier(key);
                self.output.resource = self.text(resource);
                self.output.destination = self.text(destination);
                self.output.route_uri = self.text(route_uri);
                self.output.skip_pattern_matching = skip_pattern_matching.into();
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Deregistered {
                id,
                affected,
                cause,
                outcome,
                registers,
            } => {
                self.output.what = imsp_pcscf_event::Deregistered as u32;
                self.output.key = self.identifier(*id);
                self.output.cause = imsp_pcscf_cause::from(*cause) as u32;
                self.outcome(*outcome);
                self.output.registers = (*registers).into();
                self.affected(affected);
            }
            Event::Cancelled {
                id,
                affected,
                cause,
                registers,
            } => {
                self.output.what = imsp_pcscf_event::Cancelled as u32;
                self.output.key = self.identifier(*id);
                self.output.cause = imsp_pcscf_cause::from(*cause) as u32;
                self.output.registers = (*registers).into();
                self.affected(affected);
            }
            Event::AccessLost { id, affected } => {
                self.output.what = imsp_pcscf_event::AccessLost as u32;
                self.output.key = self.identifier(*id);
                self.affected(affected);
            }
            Event::AccessDoubted { affected, evidence } => {
                self.output.what = imsp_pcscf_event::AccessDoubted as u32;
                self.output.evidence = imsp_evidence::from(*evidence) as u32;
                self.affected(affected);
            }
            Event::HeldRegisterReleased {
                token,
                transaction,
                forward,
            } => {
                self.output.token = token.to_u64();
                self.output.what = imsp_pcscf_event::HeldRegisterReleased as u32;
                self.output.transaction = transaction.0;
                self.output.forward = (*forward).into();
            }
            Event::Audited(audit) => self.audit(audit),
            Event::Subscription(event) => self.event_of_subscription(event),
            Event::TakenOver { private_identity } => {
                self.output.what = imsp_pcscf_event::TakenOver as u32;
                self.output.private_identity = self.text(*private_identity);
            }
            Event::ShutdownPlanned {
                registrations,
                in_dialog,
                emergency,
                least_time,
            } => {
                self.output.what = imsp_pcscf_event::ShutdownPlanned as u32;
                self.output.registrations = *registrations;
                self.output.in_dialog = *in_dialog;
                self.output.emergency = *emergency;
                self.output.wait = *least_time;
            }
            Event::ShutdownProgressed {
                left,
                queued,
                in_flight,
                tally,
            } => {
                self.output.what = imsp_pcscf_event::ShutdownProgressed as u32;
                self.output.registrations = *left;
                self.output.queued = *queued;
                self.output.in_flight = *in_flight;
                self.output.tally = tally.parts();
            }
            Event::ShutdownEnded { tally } => {
                self.output.what = imsp_pcscf_event::ShutdownEnded as u32;
                self.output.tally = tally.parts();
            }
        }
    }

    fn audit(&mut self, audit: &Audit) {
        self.output.what = imsp_pcscf_event::Audited as u32;
        self.output.key = self.identifier(audit.id);
        self.output.cause = imsp_pcscf_cause::from(audit.cause) as u32;
        self.output.initiator = imsp_initiator::from(audit.initiator) as u32;
        let (outcome, registers) = match audit.outcome {
            Conclusion::Ended { outcome, registers } => (Some(outcome), registers),
            Conclusion::GivenUp { reached, registers } => {
                self.output.given_up = 1;
                (reached, registers)
            }
        };
        if let Some(outcome) = outcome {
            self.outcome(outcome);
        }
        self.output.registers = registers.into();
        self.output.resumed = audit.resumed.into();
        if let Some(began) = audit.began {
            self.output.began = began.0;
            self.output.began_known = 1;
        }
        self.output.ended = audit.ended.0;
        self.affected(&audit.affected);
    }

    fn outcome(&mut self, outcome: Outcome) {
        self.output.not_asked = imsp_pcscf_not_asked::of(outcome);
        let (outcome, sip_status) = imsp_pcscf_outcome::of(outcome);
        self.output.outcome = outcome as u32;
        self.output.sip_status = sip_status.into();
    }

    fn event_of_subscription(&mut self, event: &subscriber::Event) {
        self.output.what = imsp_subscription_event::from(event) as u32;
        let (resource, why) = match *event {
            subscriber::Event::Subscribed { resource, expires }
            | subscriber::Event::GrantedTooLittle { resource, expires } => {
                self.output.expires = expires;
                (resource, None)
            }
            subscriber::Event::SubscriptionLost {
                resource,
                why,
                wait,
            } => {
                self.output.wait = wait;
                (resource, Some(why))
            }
            subscriber::Event::SubscriptionEnded { resource, why } => (resource, Some(why)),
        };
        let Ended {
            end,
            sip_status,
            termination,
        } = why.map_or_else(Ended::default, Ended::from);
        self.output.end = end;
        self.output.sip_status = sip_status;
        self.output.termination = termination;
        self.output.resource = self.text(resource);
    }

    fn affected(&mut self, affected: &Affected) {
        let Affected {
            private_identity,
            public_identity,
            contact,
        } = *affected;
        self.output.private_identity = self.text(private_identity);
        self.output.public_identity = self.text(public_identity);
        self.output.contact = self.text(contact);
    }

    fn identifier(&mut self, identifier: Identifier) -> imsp_text {
        self.copy(&identifier.text())
    }

    fn text(&mut self, text: Text) -> imsp_text {
        self.copy(self.outbox.text(text))
    }

    fn lines<'l>(&mut self, lines: impl Iterator<Item = &'l [u8]>) -> imsp_text {
        let from = self.texts.len();
        for (number, line) in lines.enumerate() {
            if number > 0 {
                self.texts.push(b'\n');
            }
            self.texts.extend_from_slice(line);
        }
        self.since(from)
    }

    fn copy(&mut self, bytes: &[u8]) -> imsp_text {
        let from = self.texts.len();
        self.texts.extend_from_slice(bytes);
        self.since(from)
    }

    /// What was put into the texts from there on. An outbox holds far less than 4 GiB.
    fn since(&self, from: usize) -> imsp_text {
        let length = self.texts.len().saturating_sub(from);
        imsp_text {
            offset: u32::try_from(from).unwrap_or(u32::MAX),
            length: u32::try_from(length).unwrap_or(0),
        }
    }
}
