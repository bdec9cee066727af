//! [RFC 3261 19.1.4] [RFC 3966 4] [SD-1] URIs: read to the last byte, and compared by what they name.

use ims_procedures::wire::{Affinity, Host, Scheme, Uri, affinity};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    choices::Choices,
    shown,
    spelling::{Model, Place},
};

/// [RFC 3261 19.1.4] Two spellings of one URI are equivalent, one with something changed is not; and whatever
/// is taken for a URI, in these very bytes too, is put together of the parts that are reported.
pub fn uris(bytes: &[u8]) {
    let pieces: Vec<&[u8]> = bytes
        .split(|b| matches!(b, b' ' | b'<' | b'>' | b'\r' | b'\n' | 0))
        .filter(|piece| !piece.is_empty())
        .take(24)
        .collect();
    for piece in &pieces {
        is_put_together_of_its_parts(piece);
        for other in &pieces {
            compares_both_ways(piece, other);
        }
    }
    related(&mut Choices::new(bytes));
}

/// Two spellings of one model, and one of a changed model.
fn related(choices: &mut Choices<'_>) {
    let model = Model::any(choices);
    let (one, other) = (model.spelled(choices), model.spelled(choices));
    is_put_together_of_its_parts(&one);
    let (a, b) = (read(&one), read(&other));
    let both = || format!("{} and {}", shown(&one), shown(&other));
    assert!(a.equivalent(&b) && b.equivalent(&a), "{}", both());
    assert_eq!(
        a.same_host_port(&b),
        model.host.is_some(),
        "a host is the same: {}",
        both()
    );

    assert_eq!(shard(&one), shard(&other), "[DR-8] {}", both());

    let changed = model.changed(choices);
    let third = changed.model.spelled(choices);
    let c = read(&third);
    let both = || format!("{} and {}", shown(&one), shown(&third));
    assert!(!a.equivalent(&c) && !c.equivalent(&a), "{}", both());
    match changed.place {
        Place::Scheme | Place::Host => {
            assert!(!a.same_host_port(&c) && !c.same_host_port(&a), "{}", both());
        }
        Place::Port => assert_eq!(
            a.same_host_port(&c),
            a.effective_port() == c.effective_port(),
            "{}",
            both()
        ),
        Place::Rest => assert_eq!(a.same_host_port(&c), model.host.is_some(), "{}", both()),
    }

    if changed.place == Place::Host {
        assert_ne!(shard(&one), shard(&third), "{}", both());
    }

    let widened = model.with_what_is_ignored(choices);
    let fourth = widened.spelled(choices);
    let d = read(&fourth);
    let both = || format!("{} and {}", shown(&one), shown(&fourth));
    assert!(a.equivalent(&d) && d.equivalent(&a), "{}", both());
    compares_both_ways(&third, &fourth);
}

/// [DR-8] Where a registration of that identity belongs.
fn shard(identity: &[u8]) -> Affinity {
    let register = [
        b"REGISTER sip:h SIP/2.0\r\nTo: <",
        identity,
        b">\r\nCall-ID: c\r\n\r\n",
    ];
    affinity(&register.concat()).expect("it has a To")
}

fn read(bytes: &[u8]) -> Uri<'_> {
    Uri::parse(bytes).unwrap_or_else(|reject| panic!("{}: {reject}", shown(bytes)))
}

/// [RFC 3261 19.1.4] Comparison is reflexive and symmetric, and never finds the same in two URIs of another
/// scheme or host.
fn compares_both_ways(a: &[u8], b: &[u8]) {
    let (Ok(one), Ok(other)) = (Uri::parse(a), Uri::parse(b)) else {
        return;
    };
    let both = || format!("{} and {}", shown(a), shown(b));
    assert!(one.equivalent(&one) && other.equivalent(&other));
    assert_eq!(one.equivalent(&other), other.equivalent(&one), "{}", both());
    assert_eq!(
        one.same_host_port(&other),
        other.same_host_port(&one),
        "{}",
        both()
    );
    if one.equivalent(&other) {
        assert_eq!(one.scheme(), other.scheme(), "{}", both());
        assert_eq!(one.user().is_some(), other.user().is_some(), "{}", both());
        assert_eq!(
            one.same_host_port(&other),
            one.host().is_some(),
            "{}",
            both()
        );
    }
}

/// [RFC 3261 19.1.1] No byte of a URI is lost between its parts, and none is in two of them.
fn is_put_together_of_its_parts(bytes: &[u8]) {
    let uri = match Uri::parse(bytes) {
        Ok(uri) => uri,
        Err(reject) => {
            assert!(reject.at as usize <= bytes.len(), "{reject}");
            return;
        }
    };
    assert_eq!(uri.raw(), bytes);
    let colon = bytes.iter().position(|b| *b == b':').expect("a scheme");
    let scheme = match bytes[..colon].to_ascii_lowercase().as_slice() {
        b"sip" => Scheme::Sip,
        b"sips" => Scheme::Sips,
        b"tel" => Scheme::Tel,
        b"urn" => Scheme::Urn,
        _ => Scheme::Other,
    };
    assert_eq!(uri.scheme(), scheme, "{}", shown(bytes));
    let mut rest = &bytes[colon + 1..];
    let mut take = |part: &[u8]| {
        rest = rest
            .strip_prefix(part)
            .unwrap_or_else(|| panic!("{} is not next in {}", shown(part), shown(bytes)));
    };
    match scheme {
        Scheme::Sip | Scheme::Sips => {
            if let Some(user) = uri.user() {
                take(user);
                if let Some(password) = uri.password() {
                    take(b":");
                    take(password);
                }
                take(b"@");
            }
            ends_as_reported(&uri, rest);
        }
        Scheme::Tel => {
            take(uri.user().expect("a number"));
            take(uri.params().raw());
            assert!(rest.is_empty(), "{}", shown(bytes));
        }
        _ => assert!(uri.user().is_none() && uri.host().is_none()),
    }
}

/// Host, port, parameters and headers, from the host on.
fn ends_as_reported(uri: &Uri<'_>, rest: &[u8]) {
    let host_end = match rest {
        [b'[', ..] => rest.iter().position(|b| *b == b']').map(|at| at + 1),
        _ => rest.iter().position(|b| matches!(b, b':' | b';' | b'?')),
    };
    let (host, rest) = rest.split_at(host_end.unwrap_or(rest.len()));
    let text = std::str::from_utf8(host).expect("a host is ASCII");
    match uri.host().expect("a host") {
        Host::Name(name) => {
            assert_eq!(name, host);
            assert!(text.parse::<Ipv4Addr>().is_err());
        }
        Host::V4(octets) => assert_eq!(text.parse(), Ok(Ipv4Addr::from(octets))),
        Host::V6(octets) => {
            // Three colons stand for two (RFC 5118 4.10).
            let inside = text.trim_start_matches('[').trim_end_matches(']');
            let inside = inside.replacen(":::", "::", 1);
            assert_eq!(inside.parse(), Ok(Ipv6Addr::from(octets)));
        }
    }
    let tail = rest.iter().position(|b| matches!(b, b';' | b'?'));
    let (port, tail) = rest.split_at(tail.unwrap_or(rest.len()));
    let port = port.strip_prefix(b":").map(|digits| {
        let text = std::str::from_utf8(digits).expect("digits");
        text.parse().expect("a port")
    });
    assert_eq!(uri.port(), port);
    let question = tail.iter().position(|b| *b == b'?');
    let (params, headers) = tail.split_at(question.unwrap_or(tail.len()));
    assert_eq!(uri.params().raw(), params);
    assert_eq!(uri.headers(), headers.strip_prefix(b"?").unwrap_or(headers));
}
