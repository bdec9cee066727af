//! `measure notify`: one change of a user with three subscribers, in an S-CSCF node that serves others too. A
//! change is a re-REGISTER that the node learns, three NOTIFYs that it writes, and their answers. What it costs
//! must not depend on how many others there are.

use std::hint::black_box;

use ims_procedures::{
    drive::{
        Answer, Identifiers, Millis, Misuse, Node, Outbox, Output, Source, Token, TransactionRef,
    },
    scscf::{Command, Config, Scscf, ScscfNode},
    wire::Element,
};

use crate::{options::Options, timing::measure};

/// Users who change, each with that many subscribers.
const USERS: u64 = 64;
const SUBSCRIBERS: usize = 3;

const ACCEPTED: &[u8] = b"SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP scscf1.home1.example.net;branch=z9hG4bKn\r\n\
    From: <sip:user@home1.example.net>;tag=n\r\n\
    To: <sip:pcscf1.visited1.example.net>;tag=s\r\n\
    Call-ID: s\r\n\
    CSeq: 1 NOTIFY\r\n\
    Content-Length: 0\r\n\r\n";

/// A node, its host, and what the users who change send.
struct Bed {
    node: ScscfNode,
    out: Outbox<Scscf>,
    now: Millis,
    notifies: Vec<Token>,
    written: u64,
    users: Vec<Registration>,
}

/// A REGISTER and the 200 to it, as the node sees them again and again.
struct Registration {
    request: Vec<u8>,
    response: Vec<u8>,
    cseq_at: usize,
    cseq: u32,
}

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut bed = Bed::new().map_err(|fault| format!("{fault}"))?;
    let fault = |misuse: Misuse| format!("the node refuses: {misuse}");
    // The users who change stand among the others, not before them all.
    let apart = (options.others / USERS).max(1);
    for number in 0..options.others.max(USERS) {
        if number % apart == 0 && bed.users.len() < USERS as usize {
            let user = bed.admit(number * 2 + 1, SUBSCRIBERS).map_err(fault)?;
            bed.users.push(user);
        }
        if number < options.others {
            bed.admit(number * 2, 1).map_err(fault)?;
        }
    }
    let mut turn = 0;
    let mut failed = None;
    let (before, changes) = (bed.written, options.n);
    bed.change(0).map_err(fault)?;
    let bytes = bed.written - before;
    let figures = measure(changes, options.repetitions, || {
        turn = (turn + 1) % bed.users.len();
        match bed.change(turn) {
            Ok(SUBSCRIBERS) => {}
            Ok(other) => failed = Some(format!("{other} NOTIFYs for a change")),
            Err(misuse) => failed = Some(fault(misuse)),
        }
        black_box(bed.written)
    });
    if let Some(failed) = failed {
        return Err(failed);
    }
    let name = format!("notify-others-{}", options.others);
    figures.print(&name, bytes as usize, changes);
    Ok(())
}

impl Bed {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let element = Element::new(b"sip:scscf1.home1.example.net", b"home1.example.net")?;
        let mut config = Config::new(element);
        config.limits.users = 4 << 20;
        Ok(Self {
            node: ScscfNode::new(config, Identifiers::new([7; 32], 1, 0))?,
            out: Outbox::for_steps(1),
            now: Millis(1_000_000),
            notifies: Vec::new(),
            written: 0,
            users: Vec::new(),
        })
    }

    /// Registers a user and has it subscribed to.
    fn admit(&mut self, number: u64, subscribers: usize) -> Result<Registration, Misuse> {
        let user = Registration::new(number);
        self.learn(&user)?;
        for place in 0..subscribers {
            let subscribe = subscribe(number, place);
            let txn = TransactionRef(number);
            let from = Source::TrustedCore;
            self.node
                .receive(self.now, from, txn, &subscribe, &mut self.out)?;
            self.collect();
            self.accept()?;
        }
        Ok(user)
    }

    fn learn(&mut self, user: &Registration) -> Result<(), Misuse> {
        let command = Command::Learn {
            request: &user.request,
            response: &user.response,
            private_identity: None,
        };
        self.node.command(self.now, command, &mut self.out)?;
        Ok(())
    }

    /// One change of one user; gives the number of NOTIFYs.
    fn change(&mut self, user: usize) -> Result<usize, Misuse> {
        self.now = Millis(self.now.0 + 1);
        let mut changed = std::mem::take(&mut self.users);
        changed[user].come_again();
        let learned = self.learn(&changed[user]);
        self.users = changed;
        learned?;
        while self.node.deadline().is_some_and(|(at, _)| at <= self.now) {
            self.node.tick(self.now, &mut self.out)?;
            self.collect();
        }
        self.accept()
    }

    fn collect(&mut self) {
        for output in self.out.iter() {
            if let Output::Request { token, bytes, .. } = output {
                self.notifies.push(token);
                self.written += bytes.len() as u64;
            }
        }
        self.out.clear();
    }

    /// Answers the NOTIFYs that are out; gives their number.
    fn accept(&mut self) -> Result<usize, Misuse> {
        let notifies = std::mem::take(&mut self.notifies);
        for token in &notifies {
            let answer = Answer::Response(ACCEPTED);
            self.node.answer(self.now, *token, answer, &mut self.out)?;
            self.out.clear();
        }
        let count = notifies.len();
        self.notifies = notifies;
        self.notifies.clear();
        Ok(count)
    }
}

impl Registration {
    fn new(number: u64) -> Self {
        let identity = format!("sip:user{number}@home1.example.net");
        let contact = format!(
            "<sip:user{number}@[2001:db8::{:x}:{:x}]:5060>;+sip.instance=\"<urn:gsma:imei:90420156-{:06}-0>\";reg-id=1",
            number >> 16 & 0xffff,
            number & 0xffff,
            number % 1_000_000,
        );
        let parties = format!(
            "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKr\r\n\
             From: <{identity}>;tag=r\r\n\
             To: <{identity}>\r\n\
             Call-ID: r-{number}\r\n\
             CSeq: 0000000001 REGISTER\r\n"
        );
        let request = format!(
            "REGISTER sip:home1.example.net SIP/2.0\r\n{parties}\
             Max-Forwards: 69\r\n\
             Contact: {contact}\r\n\
             Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let response = format!(
            "SIP/2.0 200 OK\r\n{parties}\
             Contact: {contact};expires=600000\r\n\
             P-Associated-URI: <{identity}>, <tel:+1{number:010}>\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let cseq_at = request.find("CSeq: ").map_or(0, |at| at + 6);
        Self {
            request: request.into_bytes(),
            response: response.into_bytes(),
            cseq_at,
            cseq: 1,
        }
    }

    /// The next REGISTER of the same user.
    fn come_again(&mut self) {
        self.cseq += 1;
        let mut rest = self.cseq;
        for digit in self.request[self.cseq_at..self.cseq_at + 10]
            .iter_mut()
            .rev()
        {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
}

fn subscribe(number: u64, place: usize) -> Vec<u8> {
    format!(
        "SUBSCRIBE sip:user{number}@home1.example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKs\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:pcscf1.visited1.example.net:5070>;tag=s\r\n\
         To: <sip:user{number}@home1.example.net>\r\n\
         Call-ID: s-{number}-{place}\r\n\
         CSeq: 1 SUBSCRIBE\r\n\
         Contact: <sip:s{place}-{number}@pcscf1.visited1.example.net:5070>\r\n\
         P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>\r\n\
         Event: reg\r\n\
         Expires: 600000\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
