//! [DR-7] A node restored from a blob at any moment goes on as if nothing had been.

use std::collections::BTreeMap;

use super::support::*;
use ims_procedures::{
    drive::{Identifiers, Node, RestoreError, Token},
    scscf::{Answer, ScscfNode},
};

/// What happens in the scenario, one after the other.
#[derive(Clone, Copy, Debug)]
enum Act {
    Learn,
    Subscribe,
    /// A UE's own REGISTER for its second contact.
    Own,
    /// The P-CSCF's REGISTER.
    Pcscf,
    /// The oldest question or request that is out is answered.
    Answer,
    Tick,
    Wait(u64),
}

const ACTS: [Act; 25] = [
    Act::Learn,
    Act::Subscribe,
    Act::Wait(500),
    Act::Answer,
    Act::Own,
    Act::Answer,
    Act::Wait(700),
    Act::Answer,
    Act::Tick,
    Act::Wait(300),
    Act::Answer,
    Act::Pcscf,
    Act::Wait(1_000),
    Act::Answer,
    Act::Wait(1_000),
    Act::Answer,
    Act::Tick,
    Act::Tick,
    Act::Wait(200),
    Act::Answer,
    Act::Answer,
    Act::Wait(10_000),
    Act::Wait(60_000),
    Act::Tick,
    Act::Tick,
];

const SECOND: &str = "sip:192.0.2.20";

/// Runs the scenario; before act `cut` the node is replaced by one restored from its blob, on a host whose
/// clock shows another time. Gives all outputs without repetitions, identifiers replaced by their order.
fn run(cut: Option<usize>) -> (Vec<String>, usize) {
    let mut host = Host::new(config());
    let mut seen = Vec::new();
    let mut raw = Vec::new();
    let mut out: Vec<(String, Out)> = Vec::new();
    let mut names = BTreeMap::new();
    let mut repeated = 0;
    for (place, act) in ACTS.into_iter().enumerate() {
        let mut outs = Vec::new();
        if cut == Some(place) {
            let mut blob = Vec::new();
            host.node.snapshot(host.now, &mut blob);
            let overdue = host.node.deadline().is_some_and(|(at, _)| at <= host.now);
            host.now = host.now.after(77_777_777);
            let identifiers = Identifiers::new(SEED, 2 + place as u64, 3);
            host.node = ScscfNode::restore(config(), identifiers, host.now, &blob).unwrap();
            let again = out.len();
            let mut same = Vec::new();
            host.node.snapshot(host.now, &mut same);
            // A restored node forgets at once what was overdue to be forgotten.
            if !overdue {
                assert_eq!(blob, same, "times are what remains of them");
            }
            // One machine a tick, at the same now.
            for _ in 0..again {
                let offered = host.tick();
                assert_eq!(offered.len(), 1, "{offered:?}");
                outs.extend(offered);
            }
        }
        take(&mut outs, &mut out, &mut raw, &mut repeated);
        let mut outs = match act {
            Act::Learn => {
                host.learn(&Registration::default());
                host.learn(&Registration {
                    call_id: "ue-call-2",
                    ..Registration::of(SECOND, "")
                });
                vec![]
            }
            Act::Subscribe => host.receive(subscribe()),
            Act::Own => host.receive(Registration::of(SECOND, "").removal("ue-call-2", 11)),
            Act::Pcscf => host.receive(register()),
            Act::Tick => host.tick(),
            Act::Wait(milliseconds) => {
                host.now = host.now.after(milliseconds);
                vec![]
            }
            Act::Answer => {
                let (_, asked) = out.remove(0);
                match &asked {
                    Out::Request { .. } => host.respond(&asked, 200),
                    Out::Ask {
                        ask: Ask::Authentication { .. },
                        ..
                    } => host.answer(&asked, Answer::Authenticated),
                    Out::Ask {
                        ask: Ask::DialogRelease { .. },
                        ..
                    } => host.answer(&asked, Answer::Released),
                    Out::Ask { .. } => host.answer(
                        &asked,
                        Answer::Assigned {
                            application_servers: SERVER,
                        },
                    ),
                    other => panic!("{other:?}"),
                }
            }
        };
        take(&mut outs, &mut out, &mut raw, &mut repeated);
    }
    assert!(out.is_empty(), "{out:?}");
    assert_eq!(host.node.sets(), 0);
    for text in raw {
        seen.push(numbered(&text, &mut names));
    }
    (seen, repeated)
}

/// Takes note of outputs: what was seen before is only a new token for it.
fn take(
    outs: &mut Vec<Out>,
    waiting: &mut Vec<(String, Out)>,
    raw: &mut Vec<String>,
    repeated: &mut usize,
) {
    for output in outs.drain(..) {
        let text = without_token(&output);
        let is_new = !raw.contains(&text);
        if is_new {
            raw.push(text.clone());
        } else {
            *repeated += 1;
        }
        if matches!(output, Out::Request { .. } | Out::Ask { .. }) {
            match waiting.iter_mut().find(|(key, _)| *key == text) {
                Some((_, old)) => *old = output,
                None => {
                    assert!(is_new, "offered again after its answer: {text}");
                    waiting.push((text, output));
                }
            }
        }
    }
}

fn without_token(output: &Out) -> String {
    let mut output = output.clone();
    match &mut output {
        Out::Request { token, .. } | Out::Ask { token, .. } => *token = Token::from_u64(0),
        Out::Respond { .. } | Out::Event(_) => {}
    }
    format!("{output:?}")
}

/// Replaces every identifier of ours by the order in which it first came.
fn numbered(text: &str, names: &mut BTreeMap<String, usize>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("s0003-") {
        let (before, tail) = rest.split_at(at);
        let (name, after) = tail.split_at(34);
        let next = names.len();
        let number = *names.entry(name.to_string()).or_insert(next);
        result.push_str(before);
        result.push_str(&format!("#{number}"));
        rest = after;
    }
    result + rest
}

/// [DR-7] Restored at every step, the outputs are the same bytes; what was outstanding comes again with the
/// same branch, CSeq, Call-ID and key, and nothing else does.
#[test]
fn at_every_step() {
    let (straight, repeated) = run(None);
    assert_eq!(repeated, 0);
    assert_eq!(straight.len(), 15, "{straight:#?}");
    let whole = straight.concat();
    for part in [
        "terminated;reason=noresource",
        "REGISTER sip:as1",
        "Deregistered",
        "SIP/2.0 200",
    ] {
        assert!(whole.contains(part), "{part}");
    }
    let mut offered_again = 0;
    for (cut, act) in ACTS.into_iter().enumerate() {
        let (restored, repeated) = run(Some(cut));
        assert_eq!(restored, straight, "cut before act {cut}: {act:?}");
        offered_again += repeated;
    }
    assert!(offered_again > 10, "{offered_again}");
}

/// [DR-7] The blob of the same state is the same blob, and a restored node's is it too.
#[test]
fn same_blob() {
    let mut host = Host::registered();
    host.subscribe();
    host.receive(register());
    let mut blob = Vec::new();
    host.node.snapshot(host.now, &mut blob);
    let restored =
        ScscfNode::restore(config(), Identifiers::new(SEED, 2, 3), host.now, &blob).unwrap();
    let mut again = Vec::new();
    restored.snapshot(host.now, &mut again);
    assert_eq!(blob, again);
}

/// [DR-7] A blob that is cut, altered, of another kind, or larger than the limits is refused.
#[test]
fn damaged() {
    let mut host = Host::registered();
    host.subscribe();
    let mut blob = Vec::new();
    host.node.snapshot(host.now, &mut blob);
    let open = |blob: &[u8], config| {
        ScscfNode::restore(config, Identifiers::new(SEED, 2, 3), host.now, blob).err()
    };
    assert_eq!(open(&blob, config()), None);
    for place in 0..blob.len() {
        let mut altered = blob.clone();
        altered[place] ^= 1;
        assert!(open(&altered, config()).is_some(), "byte {place}");
        assert!(open(&blob[..place], config()).is_some());
    }
    let mut other = blob.clone();
    other[4] = 1;
    assert_eq!(open(&other, config()), Some(RestoreError::WrongKind));
    let mut none = config();
    none.limits.users = 0;
    assert_eq!(open(&blob, none), Some(RestoreError::TooLarge));
    let mut none = config();
    none.limits.subscribers = 0;
    assert_eq!(open(&blob, none), Some(RestoreError::TooLarge));
}
