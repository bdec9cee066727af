//! Several contacts of one user: which registration a REGISTER is about, and how many there may be.

use crate::common::pcscf::{
    Bed, Out, PRIVATE, PUBLIC, config, identifiers, register, register_200, request, response,
};
use ims_procedures::{
    drive::{Millis, Misuse, Node, Source, Verdict},
    pcscf::{Command, Config, Event, Evidence, PcscfNode, Ue},
    regevent::trunk_group::{Network, SignallingProfile, TrunkGroup},
};
use proptest::prelude::*;

/// A contact at this host, of this UE and flow.
#[derive(Clone, Copy, Debug)]
struct Named {
    host: u8,
    instance: Option<u8>,
    reg_id: Option<u8>,
    sos: bool,
    expires: u32,
}

const fn at(host: u8) -> Named {
    Named {
        host,
        instance: None,
        reg_id: None,
        sos: false,
        expires: 3_600,
    }
}

impl Named {
    const fn of(self, instance: u8) -> Self {
        let instance = Some(instance);
        Self { instance, ..self }
    }

    const fn by(self, reg_id: u8) -> Self {
        let reg_id = Some(reg_id);
        Self { reg_id, ..self }
    }

    const fn gone(self) -> Self {
        Self { expires: 0, ..self }
    }

    fn uri(self) -> String {
        let sos = if self.sos { ";sos" } else { "" };
        format!("sip:192.0.2.{}:5060{sos}", self.host)
    }

    fn text(self) -> String {
        let instance = self.instance.map_or(String::new(), |number| {
            format!(";+sip.instance=\"<urn:uuid:{number}>\"")
        });
        let reg_id = self
            .reg_id
            .map_or(String::new(), |number| format!(";reg-id={number}"));
        format!(
            "<{}>{instance}{reg_id};expires={}",
            self.uri(),
            self.expires
        )
    }
}

fn texts(all: &[Named]) -> String {
    let texts: Vec<String> = all.iter().map(|named| named.text()).collect();
    texts.join(", ")
}

fn node_with(contacts: usize) -> Bed {
    let mut config = unwatched();
    config.limits.contacts = contacts;
    Bed::new(config)
}

fn unwatched() -> Config {
    let mut config = config();
    config.subscription.support_reg_event = false;
    config
}

/// The 2xx lists these, and they alone.
fn try_learn(bed: &mut Bed, asked: &[Named], listed: &[Named]) -> Result<Verdict, Misuse> {
    let (request, response) = (register(&texts(asked), 2), register_200(&texts(listed), 2));
    let response = response.replace("Contact: \r\n", "");
    let command = Command::Learn {
        request: request.as_bytes(),
        response: response.as_bytes(),
        trunk_group: b"",
    };
    bed.node.command(bed.now, command, &mut bed.out)
}

fn learn(bed: &mut Bed, asked: &[Named], listed: &[Named]) {
    assert_eq!(try_learn(bed, asked, listed), Ok(Verdict::Handled));
    bed.take();
}

fn blob(bed: &Bed) -> Vec<u8> {
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    blob
}

fn is_registered(bed: &Bed, named: Named) -> bool {
    bed.node.is_registered(named.uri().as_bytes())
}

/// [PD-1, DR-4, DR-5] Two contacts of one UE take the place of one that it has left: one does, the other is one more, for
/// which there is room or not; and if there is not, nothing has changed.
#[test]
fn one_left_for_two() {
    let (left, first, second) = (at(1).of(1), at(2).of(1), at(3).of(1));
    for (most, has_room) in [(4, false), (5, true)] {
        let mut bed = node_with(most);
        for other in 11..14 {
            learn(&mut bed, &[at(other).of(other)], &[at(other).of(other)]);
        }
        learn(&mut bed, &[left], &[left]);
        let before = blob(&bed);
        let learnt = try_learn(&mut bed, &[first, second], &[first, second]);
        bed.take();
        if has_room {
            assert_eq!(learnt, Ok(Verdict::Handled));
            assert_eq!(bed.node.registrations(), 5);
            assert!(is_registered(&bed, first) && is_registered(&bed, second));
            assert!(!is_registered(&bed, left));
        } else {
            assert_eq!(learnt, Err(Misuse::TooLarge { limit: "contacts" }));
            assert_eq!(blob(&bed), before);
        }
    }
}

/// [PD-1, PD-4] A refresh is of its own binding, though the UE has another that the registrar lists no more: what is live
/// is not deregistered when the time of what it was before is up.
#[test]
fn its_own_binding_first() {
    let (old, live) = (at(1).of(1), at(2).of(1));
    let mut bed = node_with(16);
    learn(&mut bed, &[old], &[old]);
    learn(&mut bed, &[live], &[old, live]);
    assert_eq!(bed.node.registrations(), 2);
    bed.now = bed.now.after_seconds(3_000);
    learn(&mut bed, &[live], &[live]);
    let (_, register) = request(&bed.fire("registration lifetime"));
    let register = String::from_utf8(register).unwrap();
    let contact = format!("Contact: <{}>", old.uri());
    assert!(register.contains(&contact), "{register}");
    assert!(is_registered(&bed, live));
    assert_eq!(bed.now, Millis(1_000).after_seconds(3_600));
}

/// [PD-3, PD-4, PD-5, T48] Two users behind translators of addresses have equal contacts, and one of them two flows: a
/// report that names user or flow concerns these alone, one that does not all of them.
#[test]
fn whose_access_is_lost() {
    const OTHER: &str = "user2_private@home1.example.net";
    let (one, two) = (at(1).of(1).by(1), at(1).of(1).by(2));
    let contact = one.uri();
    let ue = Ue::at(contact.as_bytes());
    for (ue, lost) in [
        (ue, 3),
        (ue.of(OTHER.as_bytes()), 1),
        (ue.of(PRIVATE.as_bytes()), 2),
        (ue.of(PRIVATE.as_bytes()).by(2), 1),
        (ue.by(2), 1),
        (ue.by(3), 0),
        (ue.of(b"nobody"), 0),
    ] {
        let mut bed = node_with(16);
        learn(&mut bed, &[one], &[one]);
        learn(&mut bed, &[two], &[one, two]);
        let theirs = at(1);
        let (request, response) = (register(&theirs.text(), 2), register_200(&theirs.text(), 2));
        bed.learn(&request.replace(PRIVATE, OTHER), &response);
        assert_eq!(bed.node.registrations(), 3);
        let evidence = Evidence::BearerLost;
        let verdict = bed.command(Command::AccessLost { ue, evidence });
        let is_anybody = verdict == Verdict::Handled;
        assert_eq!(is_anybody, lost > 0);
        let is_lost = |out: &Out| matches!(out, Out::Event(_, Event::AccessLost { .. }));
        let out = bed.take();
        assert_eq!(out.iter().filter(|out| is_lost(out)).count(), lost);
    }
}

/// By S2 a UE's own request ends the subscription at once if nothing stays: whether it did.
fn unsubscribes(registered: &[Named], asked: &str) -> bool {
    let mut bed = Bed::new(config());
    for named in registered {
        let out = bed.learn(
            &register(&named.text(), 2),
            &register_200(&texts(registered), 2),
        );
        if let [Out::Request { .. }] = out[..] {
            let (token, subscribe) = request(&out);
            bed.respond(token, &response(200, &subscribe, "Expires: 3660\r\n"));
        }
    }
    let (verdict, out) = bed.receive(Source::Ue, asked.as_bytes());
    assert_eq!(verdict, Verdict::Forward);
    out.iter().any(|out| {
        matches!(out, Out::Request { bytes, .. }
            if String::from_utf8_lossy(bytes).contains("\r\nExpires: 0\r\n"))
    })
}

/// [RE-9, PD-1] A registration stays if it is another flow, of another set, or an ordinary one beside an emergency's,
/// though its contact is the same: then the subscription goes on. If nothing stays, it ends.
#[test]
fn what_a_request_leaves() {
    let asks = |named: Named| register(&named.gone().text(), 3);
    let (one, other) = (at(1).of(1).by(1), at(1).of(1).by(2));
    assert!(unsubscribes(&[one], &asks(one)));
    assert!(unsubscribes(&[one], &asks(at(1))), "its URI alone names it");
    assert!(!unsubscribes(&[one, other], &asks(one)), "the other flow");
    assert!(!unsubscribes(&[one], &asks(other)), "a flow it has not");
    let emergency = Named { sos: true, ..at(1) };
    assert!(!unsubscribes(&[at(1)], &asks(emergency)));
    let another_set = asks(at(1)).replace(
        "To: <sip:user1_public1@home1.example.net>",
        "To: <sip:user1_public9@home1.example.net>",
    );
    assert!(!unsubscribes(&[at(1)], &another_set));
    let all = register("*", 3).replace("Contact: *\r\n", "Contact: *\r\nExpires: 0\r\n");
    assert!(unsubscribes(&[one, other], &all));
}

/// [RE-2, DR-4, DR-5] A registration whose subscription would be larger than itself, and too large, is not learnt, and
/// nothing of it stays: at the limit it is, and one past it is not.
#[test]
fn no_room_for_its_subscription() {
    const DESTINATION: [u8; 64] = [b'd'; 64];
    let short = |text: String| {
        text.replace("home1.example.net", "h")
            .replace("user1_private@", "p@")
            .replace(", <tel:+12125551111>", "")
            .replace(
                "Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n",
                "",
            )
            .replace("Require: path\r\n", "")
    };
    let (asked, answered) = (
        register("<sip:u@h>", 2),
        register_200("<sip:u@h>;expires=60", 2),
    );
    let (asked, answered) = (short(asked), short(answered));
    let mut profile = SignallingProfile::new(b"profile");
    profile.support_reg_event = true;
    let group = TrunkGroup {
        name: b"group".to_vec(),
        profile: b"profile".to_vec(),
        address_context: Vec::new(),
        destination: DESTINATION.to_vec(),
        network: Network::Home,
    };
    let learn = |most, trunk_group| {
        let mut config = config();
        config.limits.registration_bytes = most;
        config.subscription.support_reg_event = false;
        let groups = &mut config.subscription.trunk_groups;
        groups.profiles = vec![profile.clone()];
        groups.groups = vec![group.clone()];
        let mut bed = Bed::new(config);
        let command = Command::Learn {
            request: asked.as_bytes(),
            response: answered.as_bytes(),
            trunk_group,
        };
        let learnt = bed.node.command(bed.now, command, &mut bed.out);
        let left = (
            bed.node.registrations(),
            bed.node.deadline(),
            bed.take().len(),
        );
        assert_eq!(learnt.is_err(), left == (0, None, 0), "{learnt:?} {left:?}");
        learnt.is_ok()
    };
    let needed =
        DESTINATION.len() + short(PUBLIC.to_owned()).len() + "<sip:orig@scscf1.h:5080;lr>".len();
    assert!(learn(needed, b"group"));
    assert!(!learn(needed - 1, b"group"));
    assert!(learn(needed - 1, b""), "there is room for the registration");
}

fn named() -> impl Strategy<Value = Named> {
    let flow = (prop::option::of(0..2u8), prop::option::of(1..3u8));
    (1..5u8, flow, any::<bool>(), any::<bool>()).prop_map(|(host, flow, sos, stays)| Named {
        host,
        instance: flow.0,
        reg_id: flow.1.filter(|_| flow.0.is_some()),
        sos,
        expires: if stays { 3_600 } else { 0 },
    })
}

proptest! {
    /// [PD-1, DR-4, DR-5, DR-7] Whatever a UE registers, and whatever the registrar lists: no more registrations than the
    /// limit, a node that can be read back, and where a REGISTER is refused nothing has changed.
    #[test]
    fn never_more_than_the_limit(
        steps in prop::collection::vec(
            (prop::collection::vec(named(), 1..4), prop::collection::vec(named(), 0..4)),
            1..12,
        )
    ) {
        let mut bed = node_with(4);
        let mut limited = unwatched();
        limited.limits.contacts = 4;
        for (asked, also) in &steps {
            let granted: Vec<Named> = asked.iter().filter(|n| n.expires > 0).copied().collect();
            let listed = [&granted[..], &also[..]].concat();
            let before = blob(&bed);
            match try_learn(&mut bed, asked, &listed) {
                Ok(_) => {}
                Err(_) => prop_assert_eq!(&blob(&bed), &before),
            }
            bed.take();
            prop_assert!(bed.node.registrations() <= 4);
            let restored = PcscfNode::restore(limited.clone(), identifiers(2), bed.now, &blob(&bed));
            prop_assert!(restored.is_ok());
        }
    }
}
