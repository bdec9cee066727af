//! What holds of every dialog.

use ims_procedures::{
    dialog::{Admission, Dialog, Established, Incoming, reason, remote_target},
    drive::{Buffer, Limits},
    wire::{HeaderName, Message, NameAddr},
};
use proptest::prelude::*;

use crate::support::{
    RECORDED, branch, bye, element, invite, ok, parse, plain, recorded, text, uac, uas,
};

/// One proxy of the path: what it records, and whether in a field of its own.
fn proxy() -> impl Strategy<Value = (String, bool)> {
    let display = prop::sample::select(vec!["", "\"a, <b>; \\\"c\" ", "Proxy "]);
    let params = prop::sample::select(vec!["", ";lr", ";lr=on;x=y", ";transport=tcp;LR", ";lrx"]);
    let after = prop::sample::select(vec!["", ";x=\"a,b\"", " ;y"]);
    (display, "[a-z]{1,8}", params, after, any::<bool>()).prop_map(
        |(display, host, params, after, own)| {
            (format!("{display}<sip:{host}.example{params}>{after}"), own)
        },
    )
}

/// The Record-Routes of some proxies, some of them in one field.
fn record_routes(proxies: &[(String, bool)]) -> String {
    let mut fields = String::new();
    for (route, own) in proxies {
        if *own || fields.is_empty() {
            fields.push_str(&format!("Record-Route: {route}\r\n"));
        } else {
            fields.truncate(fields.len() - 2);
            fields.push_str(&format!(" ,{route}\r\n"));
        }
    }
    fields
}

fn compacted(message: String, is_compact: bool) -> String {
    if !is_compact {
        return message;
    }
    let names = [
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "I"),
        ("Contact", "m"),
    ];
    names.iter().fold(message, |message, (long, short)| {
        message.replace(&format!("\r\n{long}: "), &format!("\r\n{short}:"))
    })
}

fn addresses(list: &[u8]) -> Vec<&str> {
    let addresses = NameAddr::parse_list(list);
    addresses.map(|read| text(read.unwrap().raw())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [RFC 3261 12.1, 12.2] The two ends of one dialog mirror each other; a BYE that one end writes is of the
    /// other's dialog and no other, the next there once, and out of order with a lower number.
    #[test]
    fn mirror(
        proxies in prop::collection::vec(proxy(), 0..6),
        cseq in 1u32..0x7fff_fff0,
        [from_tag, to_tag] in prop::array::uniform2("[a-z0-9.!%*_+`'~-]{1,20}"),
        call_id in "[a-zA-Z0-9<>:/?{}@]{1,30}",
        is_compact in any::<bool>(),
        by_caller in any::<bool>(),
    ) {
        prop_assume!(from_tag != to_tag);
        let fields = record_routes(&proxies);
        let spelled = |message: String| {
            let message = message
                .replace("9fxced76sl", &from_tag)
                .replace("314159", &to_tag)
                .replace("3848276298220188511@u1.example.com", &call_id)
                .replace("CSeq: 2", &format!("CSeq: {cseq}"));
            compacted(message, is_compact)
        };
        let (invite, ok) = (spelled(recorded(&invite(), &fields)), spelled(ok(&fields)));
        let (caller, callee) = (uac(&invite, &ok).unwrap(), uas(&invite, &ok).unwrap());
        let mut numbers = [caller.sequence(), callee.sequence()];
        let (one, other) = (caller.dialog(), callee.dialog());
        prop_assert_eq!(text(one.call_id), text(other.call_id));
        prop_assert_eq!(text(one.call_id), call_id);
        for (one, other) in [(one, other), (other, one)] {
            prop_assert_eq!(text(one.local_uri), text(other.remote_uri));
            prop_assert_eq!(text(one.local_tag), text(other.remote_tag));
            let contact = NameAddr::parse(one.local_contact).unwrap();
            prop_assert_eq!(text(contact.uri_bytes()), text(other.remote_target));
            let mut routes = addresses(other.route_set);
            routes.reverse();
            prop_assert_eq!(addresses(one.route_set), routes);
            let kept = one.parts().map(<[u8]>::to_vec);
            let kept = Dialog::of_parts(kept.each_ref().map(Vec::as_slice), one.is_secure);
            prop_assert!(kept == one);
        }
        prop_assert_eq!(numbers[0].local, cseq);
        prop_assert_eq!(numbers[1].remote, Some(cseq));

        let (sender, receiver) = if by_caller { (0, 1) } else { (1, 0) };
        let ends = [one, other];
        let number = numbers[sender].take_next();
        let request = bye(&ends[sender], number);
        let message = parse(&request);
        let read = Incoming::read(&message).unwrap();
        prop_assert!(ends[receiver].has(&read));
        prop_assert!(!ends[sender].has(&read));
        prop_assert_eq!(numbers[receiver].admit(read.cseq), Admission::New);
        prop_assert_eq!(numbers[receiver].admit(read.cseq), Admission::Repeated);
        prop_assert_eq!(numbers[receiver].admit(read.cseq - 1), Admission::Refuse(500));

        // Loose or strict, the request visits all of the route set and the target, in order.
        let mut visited = addresses(ends[sender].route_set)
            .iter()
            .map(|route| text(NameAddr::parse(route.as_bytes()).unwrap().uri_bytes()).to_owned())
            .collect::<Vec<_>>();
        let is_loose = visited.first().is_none_or(|first| {
            first.split(';').skip(1).any(|param| param.split('=').next().unwrap().eq_ignore_ascii_case("lr"))
        });
        visited.push(text(ends[sender].remote_target).to_owned());
        prop_assert_eq!(&visited[0], text(ends[sender].next_hop()));
        let mut written = message
            .name_addrs(HeaderName::Route)
            .map(|route| text(route.unwrap().uri_bytes()).to_owned())
            .collect::<Vec<_>>();
        let place = if is_loose { written.len() } else { 0 };
        written.insert(place, text(read.request_uri).to_owned());
        prop_assert_eq!(written, visited);
    }

    /// [DR-4] Whatever bytes the messages have, and whatever a dialog is kept as: nothing panics, and what is written
    /// can be read and has no field that was not meant.
    #[test]
    fn any_bytes(
        at in any::<prop::sample::Index>(),
        removed in 0usize..40,
        inserted in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\r\n <>\";,?:*".to_vec())], 0..12),
        of_request in any::<bool>(),
        changes in prop::collection::vec((0usize..8, any::<prop::sample::Index>(), any::<u8>()), 0..3),
        route in "(<sip:[a-z]{1,3}(;lr|;method=x|\\?a=b)?>|[ ,;<>\"a]){0,8}",
    ) {
        let mut messages = [recorded(&invite(), RECORDED), ok(RECORDED)].map(String::into_bytes);
        let damaged = &mut messages[usize::from(!of_request)];
        let at = at.index(damaged.len());
        let end = (at + removed).min(damaged.len());
        damaged.splice(at..end, inserted);
        let limits = Limits::default();
        let read = messages.each_ref().map(|bytes| Message::parse(bytes, &limits));
        if let [Ok(request), Ok(response)] = &read {
            let _ = (Incoming::read(request), remote_target(request, false), reason(response, 10));
            for made in [Established::of_uac(request, response), Established::of_uas(request, response)].into_iter().flatten() {
                check_written(&made.dialog(), true)?;
            }
        }
        let mut parts = plain().parts().map(<[u8]>::to_vec);
        parts[6] = route.into_bytes();
        for (number, at, byte) in changes {
            let part = &mut parts[number];
            part.insert(at.index(part.len() + 1), byte);
        }
        let parts = parts.each_ref().map(Vec::as_slice);
        check_written(&Dialog::of_parts(parts, false), false)?;
    }
}

/// A dialog that was read can be written; any other at least breaks nothing.
fn check_written(dialog: &Dialog<'_>, was_read: bool) -> Result<(), TestCaseError> {
    let mut buffer = Buffer::new(100_000);
    let result = buffer.attempt(|buffer| {
        dialog.bye(buffer, &element(), 1, branch(), b"").finish();
    });
    prop_assert!(!was_read || dialog.check().is_ok());
    prop_assert!(result.is_ok() || dialog.check().is_err(), "{result:?}");
    if result.is_ok() {
        let message = Message::parse(buffer.as_slice(), &Limits::default()).unwrap();
        prop_assert!((7..=8).contains(&message.header_count()));
        if was_read || dialog.check().is_ok() {
            let read = Incoming::read(&message).unwrap();
            prop_assert_eq!(read.local_tag, Some(dialog.remote_tag));
            prop_assert_eq!(read.remote_tag, dialog.local_tag);
            prop_assert_eq!(read.call_id, dialog.call_id);
        }
    }
    let _ = dialog.next_hop();
    Ok(())
}
