//! An MSC server goes on from a blob.

use ims_procedures::{
    drive::{Millis, Node, RestoreError, Source},
    mscics::{Cause, Config, Event, MscNode, Outcome},
};

use crate::bed::{
    Bed, OTHER, Out, asked, briefs, config, document, identifiers, outcome, plain, request,
    response, subscribed,
};

/// The same node on another host, with another epoch.
fn restarted(bed: &Bed, config: Config) -> Bed {
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    let mut other = Bed::new(config.clone());
    other.now = Millis(77_000_000);
    other.node = MscNode::restore(config, identifiers(2), other.now, &blob).unwrap();
    other
}

/// [DR-7] The REGISTER that was out goes out again, byte for byte, and its answer ends it.
#[test]
fn register_out() {
    let mut bed = Bed::registered(plain());
    let (_, before) = request(&bed.inactive(Cause::Purge));
    let mut bed = restarted(&bed, plain());
    let (token, again) = request(&bed.fire("REGISTER to be sent"));
    assert_eq!(before, again);
    let out = bed.respond(token, &response(200, &again, ""));
    assert_eq!(
        outcome(&out),
        (Cause::Purge, Outcome::Confirmed, 1, 0, false)
    );
    assert_eq!(bed.node.deadline(), None);
}

/// [DR-7] [MS-2] The releases that were out are asked for again: the same BYE, the same key; the bound goes on.
#[test]
fn releases_out() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    let dialog = ims_procedures::dialog::Dialog {
        call_id: b"1",
        local_uri: OTHER.as_bytes(),
        local_tag: b"1",
        remote_tag: b"2",
        remote_uri: b"sip:bob@biloxi.example",
        remote_target: b"sip:bob@192.0.2.4",
        ..Default::default()
    };
    bed.add(OTHER, 2, Some((dialog, Default::default())));
    let before = bed.inactive(Cause::Purge);
    bed.now = bed.now.after(30_000);
    let mut bed = restarted(&bed, plain());
    let restarted_at = bed.now;
    let again = bed.fire("release of dialogs to be asked for");
    let parts = |out: &[Out]| match out {
        [Out::Ask { key, dialog, .. }, Out::Request { bytes, .. }] => {
            (*key, *dialog, bytes.clone())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(parts(&before), parts(&again));
    assert_eq!(bed.done(asked(&again)[0].0), []);
    assert_eq!(bed.node.deadline().unwrap().0, restarted_at.after(10_000));
    let out = bed.fire("release of dialogs");
    assert_eq!(briefs(&out), ["REGISTER"]);
}

/// [DR-7] [MS-6] The subscription that was considered cancelled is so after the restart too.
#[test]
fn subscription_considered_cancelled() {
    let (mut bed, subscription) = subscribed(config());
    bed.inactive(Cause::Purge);
    let mut bed = restarted(&bed, config());
    let (token, register) = request(&bed.fire("REGISTER to be sent"));
    let notify = |cseq| subscription.notify(cseq, "terminated", "");
    assert_eq!(
        briefs(&bed.receive(Source::TrustedCore, &notify(2)).1),
        ["200"]
    );
    let out = bed.respond(token, &response(200, &register, ""));
    assert_eq!(briefs(&out), ["Deregistered"]);
    assert_eq!(
        briefs(&bed.receive(Source::TrustedCore, &notify(3)).1),
        ["481"]
    );
}

/// [DR-7] A subscriber at rest is as before: registered, subscribed, with dialogs.
#[test]
fn at_rest() {
    let (mut bed, _) = subscribed(config());
    bed.add_dialogs(&[1, 2]);
    let mut bed = restarted(&bed, config());
    let out = bed.inactive(Cause::Purge);
    assert_eq!(briefs(&out), ["release 1", "release 2"]);
}

/// [DR-4] [DR-7] A blob that is cut short or altered anywhere, is of another kind, or holds more than the limits allow, is
/// refused.
#[test]
fn refused_blobs() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1, 2]);
    bed.inactive(Cause::Purge);
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    let restore = |config, blob: &[u8]| {
        let restored = MscNode::restore(config, identifiers(2), Millis(0), blob);
        restored.map(|_| ()).unwrap_err()
    };
    for cut in 0..blob.len() {
        restore(plain(), &blob[..cut]);
    }
    for place in 0..blob.len() {
        let mut altered = blob.clone();
        altered[place] ^= 1;
        restore(plain(), &altered);
    }
    let mut few = plain();
    few.limits.dialogs = 1;
    assert_eq!(restore(few, &blob), RestoreError::TooLarge);
    let mut none = plain();
    none.limits.users = 0;
    assert_eq!(restore(none, &blob), RestoreError::TooLarge);
    let mut short = plain();
    short.limits.registration_bytes = 100;
    assert_eq!(restore(short, &blob), RestoreError::TooLarge);
}

/// [DR-7] An outcome that comes when the dialogs have ended, and without a REGISTER, is the same one after a restart.
#[test]
fn outcome_without_a_register() {
    let (mut bed, subscription) = subscribed(config());
    bed.add_dialogs(&[1]);
    let body = document(1, "terminated", "terminated", "deactivated");
    let notify = subscription.notify(2, "terminated;reason=noresource", &body);
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(asked(&out).len(), 1);
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    let ids = [2, 3].map(|incarnation| {
        let mut bed = Bed::new(config());
        bed.node = MscNode::restore(config(), identifiers(incarnation), bed.now, &blob).unwrap();
        let out = bed.fire("release of dialogs to be asked for");
        let out = bed.done(asked(&out)[0].0);
        assert_eq!(outcome(&out).1, Outcome::Notified);
        let ids = out.iter().filter_map(|out| match out {
            Out::Event(_, Event::Deregistered { id, .. }) => Some(*id),
            _ => None,
        });
        ids.collect::<Vec<_>>()
    });
    assert_eq!(ids[0], ids[1]);
}
