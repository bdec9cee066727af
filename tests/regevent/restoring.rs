//! A node restored from its blob at any moment, in another epoch, goes on as if nothing had been.

use super::bed::{
    ANEW, Asked, Bed, CONTACT, EXPIRY, NOTIFIER, Out, PRIVATE, PROFILES, REFRESH, Subscribe,
    TIMER_N, TO_BE_ASKED, TO_BE_SENT, active, config, ended, identifiers, is_registered,
    registration,
};
use ims_procedures::{
    drive::{Limits, Millis, RestoreError},
    regevent::{
        node::{Config, SubscriberNode},
        notification::Termination,
        subscriber::{End, Profile, Routing},
    },
};

/// What happens, one after the other.
#[derive(Clone, Copy, Debug)]
enum Act {
    Register,
    Deregistering,
    Deregistered,
    /// The routing question is answered.
    Route,
    /// The SUBSCRIBE that is out is answered, with more headers.
    Answer(u16, &'static str),
    /// A NOTIFY, with its Subscription-State, and the version of its document.
    Notify(&'static str, Option<u32>),
    /// Time passes until the next deadline.
    Fire(&'static str),
}
use Act::{Answer, Deregistered, Deregistering, Fire, Notify, Register, Route};

const BY_S2: [Act; 18] = [
    Register,
    Route,
    Answer(
        200,
        "Record-Route: <sip:r.example.net;lr>\r\nExpires: 3000\r\n",
    ),
    Notify("active;expires=3660", Some(0)),
    Fire(REFRESH),
    Answer(200, "Expires: 2000\r\n"),
    Notify("pending", Some(1)),
    Notify("active", Some(7)),
    Fire(REFRESH),
    Notify("active;expires=1201", Some(8)),
    Answer(200, "Expires: 3000\r\n"),
    Register,
    Fire(REFRESH),
    Deregistering,
    Answer(200, "Expires: 1000\r\n"),
    Answer(200, "Expires: 0\r\n"),
    Notify("terminated;reason=timeout", None),
    Deregistered,
];

const BY_RFC: [Act; 29] = [
    Register,
    Route,
    Notify("active", Some(5)),
    Answer(200, "Expires: 1000\r\n"),
    Fire(REFRESH),
    Answer(423, "Min-Expires: 20000\r\n"),
    Answer(200, "Expires: 9000\r\n"),
    Notify("active;expires=8000", Some(6)),
    Fire(REFRESH),
    Answer(500, "Retry-After: 100\r\n"),
    Fire(REFRESH),
    Answer(200, "Expires: 8000\r\n"),
    Notify("terminated;reason=giveup;retry-after=30", None),
    Fire(ANEW),
    Route,
    Answer(202, "Expires: 8000\r\n"),
    Notify("active;expires=40", Some(0)),
    Fire(REFRESH),
    Fire(EXPIRY),
    Answer(200, "Expires: 100\r\n"),
    Notify("active", Some(1)),
    Fire(REFRESH),
    Answer(481, ""),
    Fire(ANEW),
    Route,
    Answer(200, "Expires: 5\r\n"),
    Notify("active", Some(0)),
    Fire(EXPIRY),
    Deregistered,
];

/// The scenario, and what it has put out so far.
struct Scenario {
    bed: Bed,
    /// The time that has passed, whatever the epoch.
    passed: u64,
    /// Texts as they were sent; those put out again after a restore stand once.
    sent: Vec<String>,
    /// When, and what: identifiers by the order of their first appearance.
    story: Vec<(u64, String)>,
    names: Vec<String>,
    asked: Option<Asked>,
    subscribe: Option<Subscribe>,
    notifies: u32,
    again: usize,
}

impl Scenario {
    fn new(config: Config) -> Self {
        Self {
            bed: Bed::new(config),
            passed: 0,
            sent: vec![],
            story: vec![],
            names: vec![],
            asked: None,
            subscribe: None,
            notifies: 0,
            again: 0,
        }
    }

    /// The text with its identifiers named in their order.
    fn named(&mut self, text: &str) -> String {
        const LENGTH: usize = 34;
        let mut named = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("s0003-") {
            let (before, own) = rest.split_at(at);
            let (own, after) = own.split_at(LENGTH);
            let known = self.names.iter().position(|name| name == own);
            let number = known.unwrap_or_else(|| {
                self.names.push(own.to_owned());
                self.names.len() - 1
            });
            named += &format!("{before}#{number}");
            rest = after;
        }
        named + rest
    }

    fn take(&mut self, outs: Vec<Out>) {
        for out in outs {
            let text = match &out {
                Out::Request(own) => format!("{:?} {}", own.hops, own.text),
                Out::Ask(own) => format!("{} {} {}", own.key, own.resource, own.route_uri),
                Out::Respond(status, text) => format!("{status} {text}"),
                Out::Event(event) => format!("{event:?}"),
            };
            let repeats = matches!(out, Out::Request(_) | Out::Ask(_)) && self.sent.contains(&text);
            match out {
                Out::Request(own) => self.subscribe = Some(own),
                Out::Ask(own) => self.asked = Some(own),
                _ => {}
            }
            if repeats {
                self.again += 1;
                continue;
            }
            let named = self.named(&text);
            self.story.push((self.passed, named));
            self.sent.push(text);
        }
    }

    fn act(&mut self, act: Act) {
        let before = self.bed.now;
        let out = match act {
            Register => self.bed.learn(registration(10_000)),
            Deregistering => self.bed.deregistering(CONTACT),
            Deregistered => self.bed.deregistered(CONTACT),
            Route => {
                let asked = self.asked.take().unwrap();
                self.bed
                    .route(&asked, "<sip:h.example.net>", "<sip:r.example.net;lr>")
            }
            Answer(status, extra) => {
                let extra = if status < 300 {
                    format!("{NOTIFIER}{extra}")
                } else {
                    extra.to_owned()
                };
                let subscribe = self.subscribe.clone().unwrap();
                self.bed.respond(&subscribe, status, &extra)
            }
            Notify(state, version) => {
                self.notifies += 1;
                let body = version.map_or(String::new(), is_registered);
                let subscribe = self.subscribe.clone().unwrap();
                self.bed
                    .notified(&subscribe.notify(self.notifies, state, &body))
            }
            Fire(timer) => {
                let out = self.bed.fire(timer);
                self.passed += self.bed.now.since(before);
                out
            }
        };
        self.take(out);
    }

    /// Goes on elsewhere, in another epoch; what was outstanding is offered again.
    fn restore(&mut self, config: Config, now: Millis) {
        let blob = self.bed.blob();
        self.bed.node = SubscriberNode::restore(config, identifiers(2), now, &blob).unwrap();
        self.bed.now = now;
        while let Some((0, TO_BE_SENT | TO_BE_ASKED)) = self.bed.next() {
            let out = self.bed.tick();
            assert_eq!(out.len(), 1, "one for each tick");
            let known = self.story.len();
            self.take(out);
            assert_eq!(self.story.len(), known, "the very same");
        }
    }
}

fn asking(profile: Profile) -> Config {
    let mut config = config(profile);
    config.subscription.routing = Routing::Question;
    config
}

fn acts(profile: Profile) -> &'static [Act] {
    match profile {
        Profile::Sbc => &BY_S2,
        _ => &BY_RFC,
    }
}

/// [DR-7] Restored before any act of a long life, in an epoch that is earlier or later: the same bytes, at the same
/// times, and what was outstanding is offered again as it was.
#[test]
fn before_every_act() {
    for profile in PROFILES {
        let mut whole = Scenario::new(asking(profile));
        acts(profile).iter().for_each(|act| whole.act(*act));
        assert!(whole.story.len() > 10);
        assert_eq!(whole.again, 0);
        assert_eq!(whole.bed.node.counters().stale_answers, 0);
        let mut again = 0;
        for place in 0..=acts(profile).len() {
            for now in [Millis(0), Millis(77_000_000_000)] {
                let mut scenario = Scenario::new(asking(profile));
                for (number, act) in acts(profile).iter().enumerate() {
                    if number == place {
                        scenario.restore(asking(profile), now);
                    }
                    scenario.act(*act);
                }
                again += scenario.again;
                assert_eq!(scenario.story, whole.story, "{profile:?} before {place}");
            }
        }
        assert!(again > 10, "{again}");
    }
}

/// [DR-7] The blob of what was restored is the blob that it was restored from.
#[test]
fn the_blob_is_the_same() {
    for profile in PROFILES {
        let mut scenario = Scenario::new(asking(profile));
        for (act, incarnation) in acts(profile).iter().zip(2..) {
            scenario.act(*act);
            let blob = scenario.bed.blob();
            let now = scenario.bed.now;
            let other =
                SubscriberNode::restore(asking(profile), identifiers(incarnation), now, &blob);
            scenario.bed.node = other.unwrap();
            assert_eq!(scenario.bed.blob(), blob, "{act:?}");
            while let Some((0, TO_BE_SENT | TO_BE_ASKED)) = scenario.bed.next() {
                let out = scenario.bed.tick();
                scenario.take(out);
            }
        }
    }
}

/// [DR-7] The table of a user comes back as it was, and versions go on.
#[test]
fn the_table() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        bed.notified(&first.notify(2, "active", &is_registered(4)));
        let table = format!("{:?}", bed.node.table(PRIVATE.as_bytes()).unwrap());
        bed.node =
            SubscriberNode::restore(config(profile), identifiers(2), bed.now, &bed.blob()).unwrap();
        assert_eq!(
            format!("{:?}", bed.node.table(PRIVATE.as_bytes()).unwrap()),
            table
        );
        assert_eq!(
            bed.notified(&first.notify(3, "active", &is_registered(3))),
            []
        );
        assert_eq!(bed.node.counters().documents_discarded, 1);
        assert_eq!(
            bed.notified(&first.notify(4, "active", &is_registered(5)))
                .len(),
            1
        );
        assert_eq!(bed.node.counters().gaps, 0);
    }
}

/// [DR-7] [RE-8] A SUBSCRIBE that was out when its subscription was lost is not offered again; the new one waits
/// for its Timer N.
#[test]
fn waiting_for_the_old_one() {
    let (mut bed, _) = active(Profile::Rfc6665);
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    bed.notified(&refresh.notify(2, "terminated;reason=timeout", ""));
    assert_eq!(bed.next(), Some((32_000, TIMER_N)));
    bed.now = bed.now.after(2_000);
    let blob = bed.blob();
    bed.node =
        SubscriberNode::restore(config(Profile::Rfc6665), identifiers(2), bed.now, &blob).unwrap();
    assert_eq!(bed.next(), Some((30_000, ANEW)));
    assert_eq!(Subscribe::only(&bed.fire(ANEW)).cseq(), 1);
}

/// [DR-7] A NOTIFY that comes before what is outstanding could be offered again is taken.
#[test]
fn notified_before_the_first_tick() {
    for profile in PROFILES {
        let (mut bed, first) = super::bed::registered(config(profile), 3_600);
        bed.node =
            SubscriberNode::restore(config(profile), identifiers(2), bed.now, &bed.blob()).unwrap();
        bed.notified(&first.notify(1, "active;expires=3000", ""));
        let again = Subscribe::only(&bed.fire(TO_BE_SENT));
        assert_eq!(again.text, first.text);
        let out = bed.respond(&again, 200, "Expires: 3660\r\n");
        assert_eq!(out.len(), 1);
        assert_eq!(bed.next(), Some((2_400_000, REFRESH)));

        let (mut bed, first) = super::bed::registered(config(profile), 3_600);
        bed.node =
            SubscriberNode::restore(config(profile), identifiers(2), bed.now, &bed.blob()).unwrap();
        let out = bed.notified(&first.notify(1, "terminated;reason=rejected", ""));
        assert_eq!(out, ended(End::Terminated(Termination::Rejected)));
        assert_eq!(bed.next(), None);
    }
}

/// [DR-7] A restart later than a deadline finds it fired once (T31: there is no second subscription).
#[test]
fn restored_late() {
    for profile in PROFILES {
        let (bed, first) = active(profile);
        let now = Millis(5_000);
        let node = SubscriberNode::restore(config(profile), identifiers(2), now, &bed.blob());
        let mut bed = Bed {
            node: node.unwrap(),
            now: now.after(3_100_000),
            ..bed
        };
        let refresh = Subscribe::only(&bed.tick());
        assert_eq!(refresh.call_id(), first.call_id());
        assert_eq!(bed.tick(), []);
        assert_eq!(bed.learn(registration(3_600)), [], "no duplicate");
    }
}

/// [DR-7] A blob that was altered anywhere, cut short, of another kind or format, or that holds more than the limits
/// allow is refused, whatever it says.
#[test]
fn blobs_that_cannot_be_used() {
    let (mut bed, _) = active(Profile::Rfc6665);
    let mut second = registration(3_600);
    second.flow = b"second";
    bed.learn(second);
    second.private_identity = b"private2";
    bed.learn(second);
    let blob = bed.blob();
    let open = |config: Config, blob: &[u8]| {
        SubscriberNode::restore(config, identifiers(2), Millis(0), blob).map(|node| node.users())
    };
    assert_eq!(
        open(config(Profile::Sbc), &blob),
        Ok(2),
        "the profile may change"
    );
    for at in 0..blob.len() {
        for bit in [0x01, 0x80] {
            let mut altered = blob.clone();
            altered[at] ^= bit;
            assert!(open(config(Profile::Sbc), &altered).is_err(), "{at}");
        }
        assert!(open(config(Profile::Sbc), &blob[..at]).is_err());
    }
    let longer = [blob.as_slice(), b"\0"].concat();
    assert!(open(config(Profile::Sbc), &longer).is_err());
    let limited = |set: fn(&mut Limits)| {
        let mut config = config(Profile::Sbc);
        set(&mut config.limits);
        config
    };
    let too_large = Err(RestoreError::TooLarge);
    assert_eq!(open(limited(|l| l.users = 2), &blob), Ok(2));
    assert_eq!(open(limited(|l| l.users = 1), &blob), too_large);
    assert_eq!(open(limited(|l| l.contacts = 2), &blob), Ok(2));
    assert_eq!(open(limited(|l| l.contacts = 1), &blob), too_large);
    let broken = limited(|l| l.users = 1 << 24);
    assert!(matches!(open(broken, &blob), Err(RestoreError::Config(_))));
}
