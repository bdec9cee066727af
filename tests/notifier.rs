//! The notifier's end of one subscription, as a machine that a host can hold itself.

use ims_procedures::{
    drive::{
        Buffer, Context, Identifiers, Limits, Millis, Misuse, Outbox, Output, Role, Token,
        TransactionRef,
    },
    regevent::notifier::{
        Config, Document, End, Event, Input, Reason, Resource, Subscribe, Subscription,
        ends_subscription,
    },
    wire::{Element, Message},
};

/// A role of nothing but a notifier.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Only;

impl Role for Only {
    type Command<'a> = ();
    type Question = ();
    type Answer<'a> = ();
    type Event = Event;
    const STEP_OUTPUTS: usize = 3;
    const STEP_BYTES: usize = 64 * 1024;
}

/// Registration state of which only the version and what is new show.
#[derive(Default)]
struct State {
    changes: u64,
    terminations: u64,
    forgotten: u64,
    terminated: bool,
    too_large: bool,
}

impl State {
    /// A change that ends something.
    fn terminate(&mut self) {
        self.changes += 1;
        self.terminations = self.changes;
    }

    /// The end of everything.
    fn end() -> Self {
        Self {
            changes: 1,
            terminations: 1,
            terminated: true,
            ..Self::default()
        }
    }
}

impl Resource for State {
    fn changes(&self) -> u64 {
        self.changes
    }

    fn terminations(&self) -> u64 {
        self.terminations
    }

    fn is_terminated(&self) -> bool {
        self.terminated
    }

    fn remembers(&self, since: u64) -> bool {
        self.forgotten <= since
    }

    fn write_document(&self, buffer: &mut Buffer, document: &Document) {
        assert!(!document.to_user);
        buffer.put(document.state.as_str().as_bytes());
        buffer.put(b" version ");
        buffer.put_number(document.version.into());
        buffer.put(b" since ");
        buffer.put_number(document.since);
        if self.too_large {
            buffer.put(&[b'x'; 64 * 1024]);
        }
    }
}

/// What a step did.
#[derive(Debug, PartialEq)]
enum Done {
    Respond(u16, String),
    Notify(Token, String),
    Subscribed(u32),
    Ended(End),
}

struct Host {
    config: Config,
    identifiers: Identifiers,
    state: State,
    subscription: Option<Subscription>,
    now: Millis,
    out: Outbox<Only>,
}

fn text(cseq: u32, expires: &str, to_tag: &str) -> String {
    format!(
        "SUBSCRIBE sip:alice@home.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf.example;branch=z9hG4bK{cseq}\r\n\
         Record-Route: <sip:proxy1.example;lr>, <sip:proxy2.example;lr>\r\n\
         Record-Route: <sip:proxy3.example;lr>\r\n\
         From: \"P\" <sip:pcscf.example>;tag=theirs\r\n\
         To: <sip:alice@home.example>{to_tag}\r\n\
         Call-ID: call\r\n\
         CSeq: {cseq} SUBSCRIBE\r\n\
         Contact: <sip:one@pcscf.example>\r\n\
         {expires}Event: reg\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn expires(seconds: u32) -> String {
    format!("Expires: {seconds}\r\n")
}

impl Host {
    fn new() -> Self {
        let element = Element::new(b"sip:scscf.home.example", b"home.example").unwrap();
        Self {
            config: Config::new(element),
            identifiers: Identifiers::new([9; 32], 1, 0),
            state: State::default(),
            subscription: None,
            now: Millis(5_000),
            out: Outbox::for_steps(1),
        }
    }

    /// A host with a subscription whose first NOTIFY is answered.
    fn active(seconds: u32) -> Self {
        let mut host = Self::new();
        let outs = host.subscribe(&text(1, &expires(seconds), ""));
        let token = notify(&outs);
        assert!(host.step(answer(token, 200)).is_empty());
        host
    }

    fn subscribe(&mut self, text: &str) -> Vec<Done> {
        let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
        let request = Subscribe::read(&message).unwrap().unwrap();
        if self.subscription.is_none() {
            let mut cx = Context {
                now: self.now,
                config: &self.config,
                identifiers: &mut self.identifiers,
                id: 4,
            };
            let fresh = Subscription::new(&mut cx, &request, &Limits::default()).unwrap();
            assert_eq!(fresh.deadline(), None, "idle");
            self.subscription = Some(fresh);
        }
        self.step(Input::Subscribe {
            to: TransactionRef(8),
            request: &request,
        })
    }

    fn step(&mut self, input: Input<'_>) -> Vec<Done> {
        let mut cx = Context {
            now: self.now,
            config: &self.config,
            identifiers: &mut self.identifiers,
            id: 4,
        };
        let subscription = self.subscription.as_mut().unwrap();
        subscription
            .step(&mut cx, &self.state, input, &mut self.out)
            .unwrap();
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let done = self.out.iter().map(|output| match output {
            Output::Respond { to, status, bytes } => {
                assert_eq!(to, TransactionRef(8));
                Done::Respond(status, string(bytes))
            }
            Output::Request {
                token,
                bytes,
                mut next_hops,
                ..
            } => {
                assert_eq!(token.machine(), 4);
                assert_eq!(next_hops.next(), Some(&b"sip:proxy1.example;lr"[..]));
                Done::Notify(token, string(bytes))
            }
            Output::Event(Event::Subscribed {
                expires,
                resource,
                subscriber,
            }) => {
                assert_eq!(self.out.text(*resource), b"sip:alice@home.example");
                assert_eq!(self.out.text(*subscriber), b"sip:pcscf.example");
                Done::Subscribed(*expires)
            }
            Output::Event(Event::SubscriptionEnded { why, .. }) => Done::Ended(*why),
            other => panic!("{other:?}"),
        });
        let done = done.collect();
        self.out.clear();
        done
    }

    fn tick(&mut self) -> Vec<Done> {
        self.step(Input::Tick)
    }

    fn deadline(&self) -> Option<u64> {
        let (at, _) = self.subscription.as_ref().unwrap().deadline()?;
        Some(at.since(self.now))
    }

    fn is_over(&self) -> bool {
        self.subscription.as_ref().unwrap().is_over()
    }

    /// The tag that the notifier gave.
    fn tag(&self, notify: &str) -> String {
        let from = header(notify, "From");
        from[from.find(";tag=").unwrap()..].to_string()
    }
}

fn answer(token: Token, status: u16) -> Input<'static> {
    Input::Response {
        token,
        status,
        retry_after: None,
    }
}

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let line = message
        .split("\r\n")
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn notify(outs: &[Done]) -> Token {
    match outs.last() {
        Some(Done::Notify(token, _)) => *token,
        _ => panic!("no NOTIFY: {outs:?}"),
    }
}

fn bytes(outs: &[Done]) -> &str {
    match outs.last() {
        Some(Done::Notify(_, bytes)) => bytes,
        _ => panic!("no NOTIFY: {outs:?}"),
    }
}

fn state(outs: &[Done]) -> &str {
    header(bytes(outs), "Subscription-State")
}

/// [RN-1, RN-2] SUBSCRIBE: 200, event, and NOTIFY at once; its dialog is the SUBSCRIBE's.
#[test]
fn accepted() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(3_600), ""));
    let [
        Done::Respond(200, ok),
        Done::Subscribed(3_600),
        Done::Notify(_, notify),
    ] = &outs[..]
    else {
        panic!("{outs:?}");
    };
    assert!(ok.contains("\r\nExpires: 3600\r\n"));
    assert_eq!(
        ok.matches("Record-Route: ").count(),
        2,
        "copied (RFC 3261 12.1.1)"
    );
    assert!(notify.starts_with("NOTIFY sip:one@pcscf.example SIP/2.0\r\n"));
    let routes = "<sip:proxy1.example;lr>, <sip:proxy2.example;lr>, <sip:proxy3.example;lr>";
    assert_eq!(
        header(notify, "Route"),
        routes,
        "in order (RFC 3261 12.1.1)"
    );
    assert_eq!(header(notify, "To"), "<sip:pcscf.example>;tag=theirs");
    assert_eq!(header(notify, "Call-ID"), "call");
    assert_eq!(header(notify, "CSeq"), "1 NOTIFY");
    assert_eq!(header(notify, "Contact"), header(ok, "Contact"));
    assert!(header(ok, "To").ends_with(&host.tag(notify)));
    assert_eq!(state(&outs), "active;expires=3600");
    assert!(header(notify, "P-Charging-Vector").contains(";orig-ioi=home.example"));
    assert!(notify.ends_with("\r\n\r\nfull version 0 since 0"));
}

/// [RN-1] Never more than was asked, never more than the most; without Expires the package's default.
#[test]
fn granted() {
    for (asked, granted) in [
        (expires(1), 1),
        (expires(600_000), 600_000),
        (expires(600_001), 600_000),
        (String::new(), 3_761),
    ] {
        let mut host = Host::new();
        let outs = host.subscribe(&text(1, &asked, ""));
        assert_eq!(outs[1], Done::Subscribed(granted));
    }
}

/// [RN-1] 423 only from one second to below an hour, and below the minimum.
#[test]
fn too_brief() {
    for (least, asked, refused) in [
        (0, 1, false),
        (60, 59, true),
        (60, 60, false),
        (60, 0, false),
        (3_600, 3_599, true),
        (3_600, 3_600, false),
    ] {
        let mut host = Host::new();
        host.config.min_expires = least;
        let outs = host.subscribe(&text(1, &expires(asked), ""));
        match &outs[..] {
            [Done::Respond(423, bytes)] => {
                assert_eq!(header(bytes, "Min-Expires"), least.to_string());
                assert!(refused && host.is_over(), "{least} {asked}");
            }
            _ => assert!(!refused, "{least} {asked}: {outs:?}"),
        }
    }
}

/// [RN-1] A fetch: 200 with Expires 0 and one NOTIFY, without an event.
#[test]
fn fetch() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(0), ""));
    assert_eq!(outs.len(), 2);
    assert_eq!(state(&outs), "terminated;reason=timeout");
    let token = notify(&outs);
    assert!(host.step(answer(token, 200)).is_empty());
    assert!(host.is_over());
}

/// [RN-2, RN-3] A change is told once, the version goes up by one, CSeq too.
#[test]
fn change() {
    let mut host = Host::active(3_600);
    assert!(host.tick().is_empty(), "nothing is due");
    assert!(host.step(Input::Changed).is_empty());
    assert!(host.step(Input::Changed).is_empty());
    assert_eq!(host.deadline(), Some(0));
    host.now = host.now.after(1_500);
    let outs = host.tick();
    assert_eq!(header(bytes(&outs), "CSeq"), "2 NOTIFY");
    assert_eq!(state(&outs), "active;expires=3598");
    assert!(bytes(&outs).ends_with("version 1 since 0"));
    assert!(host.tick().is_empty(), "at most one outstanding");
}

/// [RN-3] A change while one is outstanding is told when that one is answered, whatever came together.
#[test]
fn change_while_outstanding() {
    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(3_600), "")));
    for _ in 0..3 {
        host.state.terminate();
        assert!(host.step(Input::Changed).is_empty());
        assert!(host.tick().is_empty());
    }
    assert!(host.step(answer(token, 180)).is_empty(), "provisional");
    let outs = host.step(answer(token, 200));
    assert!(bytes(&outs).ends_with("version 1 since 0"));
    let token = notify(&outs);
    assert!(host.step(answer(token, 200)).is_empty());
    host.state.terminate();
    host.step(Input::Changed);
    assert!(
        bytes(&host.tick()).ends_with("version 2 since 3"),
        "told before"
    );
}

/// [RN-2, RN-3] With `partial_state`: only changes, if the subscriber is known to know the rest; everything in
/// the answer to a SUBSCRIBE, after a refusal, where changes were forgotten, and at the end.
#[test]
fn partial_state() {
    let document = |outs: &[Done]| bytes(outs).split("\r\n\r\n").nth(1).unwrap().to_string();
    let mut host = Host::new();
    host.config.partial_state = true;
    let outs = host.subscribe(&text(1, &expires(3_600), ""));
    let tag = host.tag(bytes(&outs));
    assert_eq!(document(&outs), "full version 0 since 0");
    host.step(answer(notify(&outs), 200));
    let change = |host: &mut Host| {
        host.state.changes += 1;
        host.step(Input::Changed);
        host.tick()
    };
    let outs = change(&mut host);
    assert_eq!(document(&outs), "partial version 1 since 0");
    host.step(answer(notify(&outs), 200));
    let outs = change(&mut host);
    assert_eq!(document(&outs), "partial version 2 since 1");
    host.step(answer(notify(&outs), 503));
    host.now = host.now.after(4_000);
    let outs = host.tick();
    assert_eq!(document(&outs), "full version 3 since 1");
    host.step(answer(notify(&outs), 200));
    let outs = change(&mut host);
    assert_eq!(document(&outs), "partial version 4 since 2");
    host.step(answer(notify(&outs), 200));

    host.state.forgotten = 4;
    let outs = change(&mut host);
    assert_eq!(document(&outs), "full version 5 since 3");
    host.step(answer(notify(&outs), 200));
    let outs = change(&mut host);
    assert_eq!(
        document(&outs),
        "partial version 6 since 4",
        "forgotten is known"
    );

    // A refresh while it is out.
    host.subscribe(&text(2, &expires(3_600), &tag));
    let outs = host.step(answer(notify(&outs), 200));
    assert_eq!(document(&outs), "full version 7 since 5");
    host.step(answer(notify(&outs), 200));
    host.now = host.now.after(3_600_000);
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=timeout");
    assert_eq!(document(&outs), "full version 8 since 5");

    let mut host = Host::new();
    host.config.partial_state = true;
    let outs = host.subscribe(&text(1, &expires(0), ""));
    assert_eq!(document(&outs), "full version 0 since 0", "a fetch");
}

/// [RN-3] Pacing brings changes together and never delays a termination.
#[test]
fn pacing() {
    let mut host = Host::active(3_600);
    host.config.pace = 5_000;
    host.now = host.now.after(2_000);
    host.step(Input::Changed);
    assert_eq!(host.deadline(), Some(3_000));
    host.now = host.now.after(2_999);
    host.step(Input::Changed);
    assert!(host.tick().is_empty());
    host.now = host.now.after(1);
    let token = notify(&host.tick());
    // Again while it is out; the answer comes before the pace allows.
    host.step(Input::Changed);
    assert!(host.step(answer(token, 200)).is_empty());
    assert_eq!(host.deadline(), Some(5_000));
    host.state.terminate();
    host.step(Input::Changed);
    assert_eq!(host.deadline(), Some(0));
    let token = notify(&host.tick());
    // What comes while a termination is being told is no termination.
    host.step(Input::Changed);
    assert!(host.step(answer(token, 200)).is_empty());
    assert_eq!(host.deadline(), Some(5_000));
}

/// [RN-1] A refresh in the dialog: 200, NOTIFY, new time, new target; its order is that of CSeq.
#[test]
fn refresh() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(5, &expires(100), ""));
    let tag = host.tag(bytes(&outs));
    let token = notify(&outs);
    host.step(answer(token, 200));
    for (cseq, expected) in [(4, 500), (5, 200)] {
        let outs = host.subscribe(&text(cseq, &expires(100), &tag));
        assert!(
            matches!(&outs[..], [Done::Respond(status, _)] if *status == expected),
            "{outs:?}"
        );
    }
    host.now = host.now.after(90_000);
    let moved = text(6, &expires(100), &tag).replace("sip:one@", "sip:two@");
    let outs = host.subscribe(&moved);
    assert!(matches!(outs[0], Done::Respond(200, _)));
    assert!(bytes(&outs).starts_with("NOTIFY sip:two@pcscf.example SIP/2.0\r\n"));
    assert_eq!(state(&outs), "active;expires=100");
    // While that NOTIFY is out: answered at once, the NOTIFY for it after the answer.
    let again = host.subscribe(&text(7, &expires(200), &tag));
    assert!(matches!(&again[..], [Done::Respond(200, _)]));
    let token = notify(&outs);
    let next = host.step(answer(token, 200));
    assert_eq!(state(&next), "active;expires=200");
    host.config.min_expires = 60;
    let brief = host.subscribe(&text(8, &expires(59), &tag));
    assert!(matches!(&brief[..], [Done::Respond(423, _)]));
    assert!(!host.is_over());
}

/// [RN-1, RFC 3261 12.2.2] A SUBSCRIBE of the dialog that comes again (its transaction was lost with a restart)
/// is answered as before, and nothing else happens: refresh, one too brief, and the end.
#[test]
fn repeated_in_dialog() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(100), ""));
    let tag = host.tag(bytes(&outs));
    host.step(answer(notify(&outs), 200));
    host.config.min_expires = 60;
    for (cseq, seconds, status) in [(2, 200, 200), (3, 59, 423), (4, 0, 200)] {
        let request = text(cseq, &expires(seconds), &tag);
        let first = host.subscribe(&request);
        let again = host.subscribe(&request);
        let (Done::Respond(one, first_bytes), [Done::Respond(two, bytes)]) =
            (&first[0], &again[..])
        else {
            panic!("{first:?} {again:?}");
        };
        assert_eq!((*one, *two), (status, status));
        if status == 200 {
            assert_eq!(first_bytes, bytes);
            if let Some(Done::Notify(token, _)) = first.last() {
                let token = *token;
                host.step(answer(token, 200));
            }
        }
    }
    assert!(host.is_over());
}

/// [RN-4] Expires 0 in the dialog; then no SUBSCRIBE has a dialog any more.
#[test]
fn unsubscribe() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(100), ""));
    let (tag, first) = (host.tag(bytes(&outs)), notify(&outs));
    // While the first NOTIFY is out.
    let outs = host.subscribe(&text(2, &expires(0), &tag));
    assert!(matches!(&outs[..], [Done::Respond(200, ok)] if ok.contains("\r\nExpires: 0\r\n")));
    let outs = host.subscribe(&text(3, &expires(100), &tag));
    assert!(matches!(&outs[..], [Done::Respond(481, _)]));
    let outs = host.step(answer(first, 200));
    assert_eq!(state(&outs), "terminated;reason=timeout");
    let outs_while_closing = host.subscribe(&text(4, &expires(100), &tag));
    assert!(matches!(&outs_while_closing[..], [Done::Respond(481, _)]));
    host.state.terminate();
    assert!(
        host.step(Input::Changed).is_empty(),
        "nothing after the last"
    );
    let token = notify(&outs);
    assert_eq!(
        host.step(answer(token, 481)),
        [Done::Ended(End::Unsubscribed)]
    );
    let outs = host.subscribe(&text(5, &expires(100), &tag));
    assert!(matches!(&outs[..], [Done::Respond(481, _)]));
    assert_eq!(host.deadline(), None);
}

/// [RN-4] An unsubscription that crosses the last NOTIFY is granted, whatever that NOTIFY waits for: it is on its
/// way or due already, it says what it said, and none follows. Refused with 481, it would end the dialog at the
/// subscriber before the last NOTIFY comes, which then would be refused in turn.
#[test]
fn unsubscribed_across_the_end() {
    for is_out in [true, false] {
        let mut host = Host::new();
        let outs = host.subscribe(&text(1, &expires(100), ""));
        let (tag, first) = (host.tag(bytes(&outs)), notify(&outs));
        if is_out {
            host.step(answer(first, 200));
        }
        host.state.terminate();
        let outs = host.step(Input::Terminate(Reason::Deactivated));
        assert!(outs.is_empty());
        let mut last = host.tick();
        let unsubscribe = text(2, &expires(0), &tag);
        let granted = host.subscribe(&unsubscribe);
        assert!(
            matches!(&granted[..], [Done::Respond(200, ok)] if ok.contains("\r\nExpires: 0\r\n"))
        );
        host.now = host.now.after(10);
        assert_eq!(host.subscribe(&unsubscribe), granted);
        if !is_out {
            assert!(last.is_empty());
            last = host.step(answer(first, 200));
        }
        assert_eq!(state(&last), "terminated;reason=deactivated");
        let token = notify(&last);
        let ended = host.step(answer(token, 200));
        assert_eq!(ended, [Done::Ended(End::Terminated(Reason::Deactivated))]);
    }
}

/// [RN-4] Its time runs out: at the millisecond, also while a NOTIFY is out.
#[test]
fn expiry() {
    let mut host = Host::active(100);
    assert_eq!(host.deadline(), Some(100_000));
    host.now = host.now.after(99_999);
    assert!(host.tick().is_empty());
    host.now = host.now.after(1);
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=timeout");
    let token = notify(&outs);
    assert_eq!(
        host.step(Input::NoResponse { token }),
        [Done::Ended(End::Expired)]
    );

    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(10), ""));
    assert_eq!(
        host.deadline(),
        Some(10_000),
        "before the answer is overdue"
    );
    host.now = host.now.after(10_000);
    assert!(host.tick().is_empty());
    assert_eq!(host.deadline(), Some(30_000));
    let token = notify(&outs);
    let last = host.step(answer(token, 500));
    assert_eq!(state(&last), "terminated;reason=timeout");
}

/// [RN-4, T14] The last registration is gone, and so is the subscription: `noresource`, or what the operator says.
#[test]
fn last_registration() {
    for (reason, expected) in [
        (Reason::NoResource, "terminated;reason=noresource"),
        (Reason::Deactivated, "terminated;reason=deactivated"),
        (Reason::Rejected, "terminated;reason=rejected"),
    ] {
        let mut host = Host::active(100);
        host.config.last_registration_gone = reason;
        host.state = State::end();
        host.step(Input::Changed);
        let outs = host.tick();
        assert_eq!(state(&outs), expected);
        let token = notify(&outs);
        assert_eq!(
            host.step(answer(token, 200)),
            [Done::Ended(End::NoResource)]
        );
    }
}

/// [RN-4] A user who is back before the last NOTIFY went out keeps the subscription.
#[test]
fn back_in_time() {
    let mut host = Host::active(100);
    host.state = State::end();
    host.step(Input::Changed);
    host.state.terminated = false;
    host.step(Input::Changed);
    let outs = host.tick();
    assert!(state(&outs).starts_with("active;"));
    assert!(bytes(&outs).ends_with("version 1 since 0"));
}

/// [RN-4] The owner ends it, with or without a NOTIFY out.
#[test]
fn terminate() {
    let mut host = Host::active(100);
    assert!(host.step(Input::Terminate(Reason::Rejected)).is_empty());
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=rejected");
    let token = notify(&outs);
    assert!(
        host.step(Input::Terminate(Reason::Timeout)).is_empty(),
        "too late"
    );
    let ended = host.step(answer(token, 200));
    assert_eq!(ended, [Done::Ended(End::Terminated(Reason::Rejected))]);

    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(100), "")));
    assert!(host.step(Input::Terminate(Reason::Deactivated)).is_empty());
    let outs = host.step(answer(token, 200));
    assert_eq!(state(&outs), "terminated;reason=deactivated");
}

/// [RN-4] Which answers end a subscription: exactly those of RFC 6665 4.2.2.
#[test]
fn killing_codes() {
    for status in 100..=699 {
        let kills = matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604);
        assert_eq!(ends_subscription(status), kills, "{status}");
        let mut host = Host::new();
        let token = notify(&host.subscribe(&text(1, &expires(100), "")));
        let outs = host.step(answer(token, status));
        assert_eq!(host.is_over(), kills, "{status}");
        if kills {
            assert_eq!(outs, [Done::Ended(End::Refused { status })]);
        } else {
            assert!(outs.is_empty());
        }
    }
}

/// [RN-3] A termination counts as told with the 2xx to its NOTIFY; refused otherwise, it is told again, with
/// what has come since.
#[test]
fn told_with_the_answer() {
    for (status, since) in [(200, 1), (202, 1), (299, 1), (300, 0), (500, 0), (603, 0)] {
        let mut host = Host::active(3_600);
        host.state.terminate();
        host.step(Input::Changed);
        let token = notify(&host.tick());
        assert_eq!(host.subscription.as_ref().unwrap().told(), 0, "not yet");
        assert!(host.step(answer(token, status)).is_empty());
        assert_eq!(host.subscription.as_ref().unwrap().told(), since);
        host.state.terminate();
        host.step(Input::Changed);
        host.now = host.now.after(4_000);
        let outs = host.tick();
        let document = format!("version 2 since {since}");
        assert!(bytes(&outs).ends_with(&document), "{status}");
        assert_eq!(header(bytes(&outs), "CSeq"), "3 NOTIFY");
    }
}

/// [RN-3] Refused, a NOTIFY goes out again after 4, 8 and 16 s; the fourth refusal ends the subscription. A 2xx
/// begins anew.
#[test]
fn refused_again_and_again() {
    let mut host = Host::active(3_600);
    host.state.terminate();
    host.step(Input::Changed);
    for ended in [false, true] {
        let mut token = notify(&host.tick());
        for wait in [4_000, 8_000, 16_000] {
            assert!(host.step(answer(token, 503)).is_empty());
            assert_eq!(host.deadline(), Some(wait));
            host.now = host.now.after(wait - 1);
            assert!(host.tick().is_empty());
            // A change does not make it come earlier.
            host.step(Input::Changed);
            assert_eq!(host.deadline(), Some(1));
            host.now = host.now.after(1);
            token = notify(&host.tick());
        }
        if ended {
            let outs = host.step(answer(token, 503));
            assert_eq!(outs, [Done::Ended(End::NoResponse)]);
            assert!(host.is_over());
        } else {
            host.step(answer(token, 200));
            assert_eq!(host.deadline().map(|left| left > 3_000_000), Some(true));
            host.step(Input::Changed);
        }
    }
}

/// [RN-3] Retry-After is waited for, as long as is allowed; it never shortens the wait.
#[test]
fn retry_after() {
    for (says, waits) in [
        (1, 4),
        (4, 4),
        (5, 5),
        (120, 120),
        (121, 120),
        (u32::MAX, 120),
    ] {
        let mut host = Host::new();
        let token = notify(&host.subscribe(&text(1, &expires(3_600), "")));
        host.step(Input::Response {
            token,
            status: 503,
            retry_after: Some(says),
        });
        assert_eq!(host.deadline(), Some(waits * 1_000), "{says}");
    }
    let mut host = Host::new();
    (host.config.attempts, host.config.retry) = (u8::MAX, u64::MAX);
    let mut token = notify(&host.subscribe(&text(1, &expires(600_000), "")));
    for _ in 1..255 {
        host.step(answer(token, 500));
        assert_eq!(host.deadline(), Some(120_000));
        host.now = host.now.after(120_000);
        token = notify(&host.tick());
    }
    assert_eq!(
        host.step(answer(token, 500)),
        [Done::Ended(End::NoResponse)]
    );
}

/// [RN-4] The last NOTIFY is repeated likewise; not to one who has unsubscribed, and not after a status that
/// ends the subscription. While it waits, expiry, refresh and the owner change nothing that it says of its end.
#[test]
fn last_refused() {
    let mut host = Host::active(100);
    host.state = State::end();
    host.step(Input::Changed);
    for wait in [4_000, 8_000, 16_000] {
        let outs = host.tick();
        assert_eq!(state(&outs), "terminated;reason=noresource");
        assert!(bytes(&outs).ends_with("since 0"));
        assert!(host.step(answer(notify(&outs), 500)).is_empty());
        assert_eq!(host.deadline(), Some(wait));
        host.now = host.now.after(wait);
    }
    let token = notify(&host.tick());
    assert_eq!(
        host.step(answer(token, 500)),
        [Done::Ended(End::NoResource)]
    );

    let mut host = Host::active(10);
    host.now = host.now.after(10_000);
    let token = notify(&host.tick());
    host.step(answer(token, 500));
    host.now = host.now.after(4_000);
    let outs = host.tick();
    assert_eq!(state(&outs), "terminated;reason=timeout");
    assert_eq!(
        host.step(answer(notify(&outs), 481)),
        [Done::Ended(End::Expired)]
    );

    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(0), "")));
    assert!(host.step(answer(token, 500)).is_empty());
    assert!(host.is_over(), "a fetch");
}

/// [RN-3] A refresh while a refused NOTIFY waits is answered with a NOTIFY at once (RFC 6665 4.2.1.2).
#[test]
fn refreshed_while_refused() {
    let mut host = Host::new();
    let outs = host.subscribe(&text(1, &expires(100), ""));
    let tag = host.tag(bytes(&outs));
    host.step(answer(notify(&outs), 503));
    let outs = host.subscribe(&text(2, &expires(100), &tag));
    assert_eq!(state(&outs), "active;expires=100");
}

/// [RN-4] No answer: told by the host, or by the bound.
#[test]
fn unanswered() {
    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(100), "")));
    assert_eq!(
        host.step(Input::NoResponse { token }),
        [Done::Ended(End::NoResponse)]
    );

    let mut host = Host::new();
    host.subscribe(&text(1, &expires(100), ""));
    assert_eq!(host.deadline(), Some(40_000));
    host.now = host.now.after(39_999);
    assert!(host.tick().is_empty());
    host.now = host.now.after(1);
    assert_eq!(host.tick(), [Done::Ended(End::NoResponse)]);

    let mut host = Host::new();
    host.subscribe(&text(1, &expires(0), ""));
    host.now = host.now.after(40_000);
    assert!(host.tick().is_empty(), "the end of a fetch is no event");
    assert!(host.is_over());
}

/// [DR-6] Answers of other NOTIFYs, twice, or after the end, do nothing.
#[test]
fn stale() {
    let mut host = Host::new();
    let token = notify(&host.subscribe(&text(1, &expires(100), "")));
    let other = Token::from_u64(token.to_u64() + 1);
    for input in [answer(other, 481), Input::NoResponse { token: other }] {
        assert!(host.step(input).is_empty());
        assert!(host.subscription.as_ref().unwrap().awaits(token));
    }
    host.step(answer(token, 200));
    assert!(host.step(answer(token, 481)).is_empty());
    assert!(host.step(Input::NoResponse { token }).is_empty());
    assert!(!host.is_over());
}

/// [DR-4] A document that does not fit ends the subscription instead of being lost.
#[test]
fn too_large() {
    let mut host = Host::active(100);
    host.state.too_large = true;
    host.step(Input::Changed);
    assert_eq!(host.tick(), [Done::Ended(End::TooLarge)]);
}

/// [DR-4] Without room for a step nothing happens.
#[test]
fn no_room() {
    let mut host = Host::active(100);
    let before = host.subscription.clone();
    let mut small = Outbox::<Only>::with_room(2, 64 * 1024);
    let mut cx = Context {
        now: host.now,
        config: &host.config,
        identifiers: &mut host.identifiers,
        id: 4,
    };
    let subscription = host.subscription.as_mut().unwrap();
    let refused = subscription.step(&mut cx, &host.state, Input::Changed, &mut small);
    assert!(matches!(refused, Err(Misuse::OutboxFull { .. })));
    assert_eq!(host.subscription, before);
}

/// [DR-5] The strings of a dialog, at the limit and one past it.
#[test]
fn dialog_bytes() {
    let text = text(1, "", "");
    let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
    let request = Subscribe::read(&message).unwrap().unwrap();
    let routes = "<sip:proxy1.example;lr>, <sip:proxy2.example;lr>, <sip:proxy3.example;lr>".len();
    let exact = "call".len()
        + "sip:alice@home.example".len()
        + "sip:pcscf.example".len()
        + "theirs".len()
        + "sip:one@pcscf.example".len()
        + routes;
    let mut host = Host::new();
    for (limit, fits) in [(exact, true), (exact - 1, false)] {
        let mut limits = Limits::default();
        limits.registration_bytes = limit;
        let mut cx = Context {
            now: host.now,
            config: &host.config,
            identifiers: &mut host.identifiers,
            id: 4,
        };
        let too_large = Misuse::TooLarge {
            limit: "registration_bytes",
        };
        let made = Subscription::new(&mut cx, &request, &limits);
        assert_eq!(made.err(), (!fits).then_some(too_large));
    }
}

/// [RN-1] A folded Record-Route is kept on one line; a SUBSCRIBE without Contact makes no dialog.
#[test]
fn folded_and_missing() {
    let folded = text(1, &expires(60), "")
        .replace(";lr>, <sip:proxy2", ";lr>;x=\"a\r\n b\",\r\n <sip:proxy2");
    let mut host = Host::new();
    let outs = host.subscribe(&folded);
    assert!(
        header(bytes(&outs), "Route").starts_with("<sip:proxy1.example;lr>;x=\"a b\", <sip:proxy2")
    );
    let without = text(1, "", "").replace("Contact", "X-Contact");
    let message = Message::parse(without.as_bytes(), &Limits::default()).unwrap();
    assert!(Subscribe::read(&message).is_err());
    for other in ["Event: presence", "Event: REG", "X: reg"] {
        let text = text(1, "", "").replace("Event: reg", other);
        let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert!(Subscribe::read(&message).unwrap().is_none(), "{other}");
    }
}

/// [DR-10] What cannot work is said.
#[test]
fn config() {
    let good = Host::new().config;
    assert_eq!(good.check(), Ok(()));
    let refused = |field: &str, spoil: &dyn Fn(&mut Config)| {
        let mut config = good.clone();
        spoil(&mut config);
        assert_eq!(config.check().unwrap_err().field, field);
    };
    refused("max_expires", &|config| config.max_expires = 0);
    refused("min_expires", &|config| config.min_expires = 3_601);
    refused("min_expires", &|config| {
        config.min_expires = 600;
        config.max_expires = 599;
    });
    refused("default_expires", &|config| config.default_expires = 0);
    refused("answer_bound", &|config| config.answer_bound = 0);
    refused("attempts", &|config| config.attempts = 0);
    refused("retry", &|config| config.retry = 0);
}

/// [DR-9] Nobody can be told from what a machine or message shows of itself.
#[test]
fn debug_shows_nobody() {
    let text = text(1, &expires(60), "");
    let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
    let request = Subscribe::read(&message).unwrap().unwrap();
    let host = Host::active(100);
    let shown = format!("{request:?} {:?}", host.subscription);
    for part in ["alice", "97, 108, 105, 99, 101"] {
        assert!(!shown.contains(part), "{shown}");
    }
}
