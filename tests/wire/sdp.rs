//! Session descriptions, and the offers that delete streams of them.

use ims_procedures::{
    drive::{Buffer, Limits, Unwritable},
    wire::sdp::{Description, StreamSet, defect, next_version},
};
use proptest::prelude::*;

use crate::support::{fixture, place, text, written};

const CHAT: &str = "v=0\r\no=- 1 41 IN IP4 192.0.2.40\r\ns=-\r\nt=0 0\r\n\
     m=message 20340 TCP/MSRP *\r\na=path:msrp://192.0.2.40:20340/kd7a9q2;tcp\r\n";

#[track_caller]
fn read(bytes: &[u8]) -> Description<'_> {
    Description::parse(bytes, &Limits::default()).unwrap()
}

fn of(numbers: &[usize]) -> StreamSet {
    numbers.iter().copied().collect()
}

/// What is written without these streams.
#[track_caller]
fn without(bytes: &[u8], numbers: &[usize]) -> Vec<u8> {
    written(|buffer| read(bytes).put_without(of(numbers), buffer)).unwrap()
}

/// The lines of the second that are not those of the first, in pairs.
fn changes(before: &[u8], after: &[u8]) -> Vec<(String, String)> {
    let lines = |bytes| {
        text(bytes)
            .split_inclusive('\n')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (before, after) = (lines(before), lines(after));
    assert_eq!(before.len(), after.len());
    let pairs = before.into_iter().zip(after);
    pairs.filter(|(before, after)| before != after).collect()
}

fn pair(before: &str, after: &str) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

/// [RFC 8866 5.14] [RFC 4975 8.1] m-lines are numbered from 0; those at port 0 are no streams any more.
#[test]
fn streams_of_msrp() {
    let bytes = fixture("sdp/msrp_three_iwfs.sdp");
    let description = read(&bytes);
    let streams: Vec<_> = description
        .streams()
        .map(|s| (s.number, text(s.media), s.port, s.ports, text(s.protocol)))
        .collect();
    let line = |number, media: &str, port, ports, protocol: &str| {
        (number, media.to_owned(), port, ports, protocol.to_owned())
    };
    assert_eq!(
        streams,
        [
            line(0, "message", 20_400, 1, "TCP/MSRP"),
            line(1, "message", 20_402, 1, "TCP/TLS/MSRP"),
            line(2, "message", 20_404, 1, "TCP/MSRP"),
            line(3, "message", 0, 1, "TCP/MSRP"),
            line(4, "audio", 20_408, 2, "RTP/AVP"),
        ]
    );
    assert_eq!(description.count(), 5);
    assert_eq!(description.live(), of(&[0, 1, 2, 4]));
    assert_eq!(description.session_version(), 8_100_217);
    for stream in description.streams() {
        assert_eq!(text(&bytes[stream.port_at]), stream.port.to_string());
    }
}

/// [RFC 3264 8.2] The streams of one IWF are deleted: their ports are 0, the version is the next, and no other byte
/// is another; `/2` after a port stays.
#[test]
fn deleting_streams_of_one_iwf() {
    let bytes = fixture("sdp/msrp_three_iwfs.sdp");
    let after = without(&bytes, &[1, 2]);
    let origin = pair(
        "o=pf1 8100210 8100217 IN IP4 192.0.2.40\r\n",
        "o=pf1 8100210 8100218 IN IP4 192.0.2.40\r\n",
    );
    assert_eq!(
        changes(&bytes, &after),
        [
            origin.clone(),
            pair(
                "m=message 20402 TCP/TLS/MSRP *\r\n",
                "m=message 0 TCP/TLS/MSRP *\r\n"
            ),
            pair(
                "m=message 20404 TCP/MSRP *\r\n",
                "m=message 0 TCP/MSRP *\r\n"
            ),
        ]
    );
    assert_eq!(read(&after).live(), of(&[0, 4]));
    assert_eq!(
        changes(&bytes, &without(&bytes, &[3, 4])),
        [
            origin,
            pair(
                "m=audio 20408/2 RTP/AVP 96 97\r\n",
                "m=audio 0/2 RTP/AVP 96 97\r\n"
            ),
        ]
    );
}

/// [RFC 3264 8.2] What is at port 0 already stays as it is written, whether it is deleted again or not.
#[test]
fn a_port_of_0_stays() {
    for port in ["0", "00", "00000", "0/3"] {
        let bytes = CHAT.replace(" 20340 ", &format!(" {port} "));
        let expected = bytes.replace(" 41 ", " 42 ");
        assert!(read(bytes.as_bytes()).live().is_empty());
        assert_eq!(text(&without(bytes.as_bytes(), &[0])), expected);
        assert_eq!(text(&without(bytes.as_bytes(), &[])), expected);
    }
}

/// [RFC 3264 8] Deleting all leaves nothing live; which are left is known before anything is written.
#[test]
fn deleting_all() {
    for name in [
        "msrp_chat",
        "msrp_three_iwfs",
        "line_feeds",
        "groups",
        "no_streams",
    ] {
        let bytes = fixture(&format!("sdp/{name}.sdp"));
        let all = StreamSet::from_bits(u64::MAX);
        assert!(read(&bytes).live().without(all).is_empty());
        let after = written(|buffer| read(&bytes).put_without(all, buffer)).unwrap();
        assert!(read(&after).live().is_empty(), "{name}");
        assert_eq!(read(&after).count(), read(&bytes).count(), "{name}");
    }
}

/// [RFC 8866 9] Lines that end with LF alone keep it, and so does a last line without an end, and empty lines after
/// it.
#[test]
fn line_ends_stay() {
    let bytes = fixture("sdp/line_feeds.sdp");
    let after = text(&without(&bytes, &[1]));
    let expected = text(&bytes)
        .replace("- 12 9 IN", "- 12 10 IN")
        .replace("message 7655 ", "message 0 ");
    assert_eq!(after, expected);
    for ends in ["", "\n", "\r\n", "\r\n\r\n", "\n\r\n"] {
        let bytes = format!("{}{ends}", CHAT.trim_end());
        let expected = bytes.replace(" 41 ", " 42 ").replace(" 20340 ", " 0 ");
        assert_eq!(text(&without(bytes.as_bytes(), &[0])), expected, "{ends:?}");
    }
}

/// [RFC 3264 8] [RFC 3264 5] The version goes up by one, over each length; after the last of 63 bits, and of 64, it
/// is 0. Zeros before it are left out.
#[test]
fn next_versions() {
    for (version, next) in [
        ("0", "1"),
        ("9", "10"),
        ("0099", "100"),
        ("4294967295", "4294967296"),
        ("4611686018427387903", "4611686018427387904"),
        ("9223372036854775806", "9223372036854775807"),
        ("9223372036854775807", "0"),
        ("9223372036854775808", "9223372036854775809"),
        ("18446744073709551615", "0"),
    ] {
        let bytes = CHAT.replace(" 41 ", &format!(" {version} "));
        let expected = CHAT.replace(" 41 ", &format!(" {next} "));
        assert_eq!(text(&without(bytes.as_bytes(), &[])), expected);
        assert_eq!(
            next_version(version.parse().unwrap()),
            next.parse().unwrap()
        );
    }
}

/// [RFC 5888 9.2] [RFC 8843 7.5.3] A deleted stream is taken out of each group of the session, which may become
/// empty; `a=group` of a stream and `a=mid` stay.
#[test]
fn deleted_streams_are_in_no_group() {
    let bytes = fixture("sdp/groups.sdp");
    let groups = |numbers: &[usize]| {
        let after = text(&without(&bytes, numbers));
        let groups = after.lines().filter(|line| line.starts_with("a=group:"));
        groups.collect::<Vec<_>>().join("|")
    };
    assert_eq!(
        groups(&[]),
        "a=group:BUNDLE chat voice view|a=group:LS voice view"
    );
    assert_eq!(
        groups(&[0]),
        "a=group:BUNDLE voice view|a=group:LS voice view"
    );
    assert_eq!(groups(&[1]), "a=group:BUNDLE chat view|a=group:LS view");
    assert_eq!(groups(&[2]), "a=group:BUNDLE chat voice|a=group:LS voice");
    assert_eq!(groups(&[1, 2]), "a=group:BUNDLE chat|a=group:LS");
    assert_eq!(groups(&[0, 1, 2]), "a=group:BUNDLE|a=group:LS");
    let bytes = format!("{CHAT}a=group:BUNDLE x\r\na=mid:x\r\n");
    let after = text(&without(bytes.as_bytes(), &[0]));
    assert!(
        after.ends_with("a=group:BUNDLE x\r\na=mid:x\r\n"),
        "{after}"
    );
}

/// [RFC 8866 5] What is no session description is refused, with the byte and the clause.
#[test]
fn what_is_none_is_refused() {
    let changed = |from: &str, to: &str| {
        assert!(CHAT.contains(from), "{from}");
        CHAT.replacen(from, to, 1)
    };
    let media = |line: &str| changed("m=message 20340 TCP/MSRP *", line);
    let cases = [
        (String::new(), &defect::START, 0),
        ("\r\n".to_owned(), &defect::START, 0),
        ("hello".to_owned(), &defect::LINE, 0),
        ("{\"v\":0}".to_owned(), &defect::LINE, 0),
        ("v=0".to_owned(), &defect::START, 3),
        (changed("v=0", "V=0"), &defect::START, 0),
        (changed("v=0\r\n", ""), &defect::START, 0),
        (changed("v=0", "v=1"), &defect::VERSION, 2),
        (changed("v=0", "v=00"), &defect::VERSION, 2),
        (changed("v=0", "v= 0"), &defect::VERSION, 2),
        (changed("o=-", "o= -"), &defect::ORIGIN, 7),
        (changed(" 192.0.2.40\r\ns", "\r\ns"), &defect::ORIGIN, 7),
        (
            changed("192.0.2.40\r\ns", "192.0.2.40 x\r\ns"),
            &defect::ORIGIN,
            7,
        ),
        (changed(" 41 ", " 41  "), &defect::ORIGIN, 7),
        (changed(" 41 ", " 4.1 "), &defect::SESSION_VERSION, 11),
        (changed(" 41 ", " -41 "), &defect::SESSION_VERSION, 11),
        (
            changed(" 41 ", " 18446744073709551616 "),
            &defect::SESSION_VERSION,
            11,
        ),
        (
            changed("s=-\r\n", ""),
            &defect::START,
            place(CHAT.as_bytes(), "s="),
        ),
        (
            changed("t=0 0\r\n", ""),
            &defect::NO_TIME,
            place(CHAT.as_bytes(), "t="),
        ),
        (
            "v=0\no=- 1 1 IN IP4 a\ns=-\n".to_owned(),
            &defect::NO_TIME,
            25,
        ),
        (
            changed("t=0 0", "t=0 0\r\ns=x"),
            &defect::MISPLACED,
            place(CHAT.as_bytes(), "m="),
        ),
        (
            format!("{CHAT}o=- 1 9 IN IP4 a\r\n"),
            &defect::MISPLACED,
            CHAT.len(),
        ),
        (format!("{CHAT}v=0"), &defect::MISPLACED, CHAT.len()),
        (format!("{CHAT}t=0 0"), &defect::MISPLACED, CHAT.len()),
        (format!("{CHAT}q=1"), &defect::TYPE, CHAT.len()),
        (format!("{CHAT}A=x"), &defect::TYPE, CHAT.len()),
        (format!("{CHAT}a"), &defect::LINE, CHAT.len()),
        (format!("{CHAT}a =x"), &defect::LINE, CHAT.len()),
        (format!("{CHAT}=x"), &defect::LINE, CHAT.len()),
        (format!("{CHAT} a=x"), &defect::LINE, CHAT.len()),
        (format!("{CHAT}\r\na=x"), &defect::LINE, CHAT.len()),
        (format!("{CHAT}a=x\ry"), &defect::BYTE, CHAT.len() + 3),
        (format!("{CHAT}a=x\r"), &defect::BYTE, CHAT.len() + 3),
        (format!("{CHAT}a=x\r\r\n"), &defect::BYTE, CHAT.len() + 3),
        (format!("{CHAT}a=\0"), &defect::BYTE, CHAT.len() + 2),
        (
            format!("{CHAT}a=bundle-only"),
            &defect::BUNDLE_ONLY,
            CHAT.len(),
        ),
        (media("m=message"), &defect::MEDIA, 47),
        (media("m=message 9"), &defect::MEDIA, 47),
        (media("m=message 9 TCP/MSRP"), &defect::MEDIA, 47),
        (media("m=message 9 TCP/MSRP "), &defect::MEDIA, 47),
        (media("m=message  9 TCP/MSRP *"), &defect::MEDIA, 47),
        (media("m= 9 TCP/MSRP *"), &defect::MEDIA, 47),
        (media("m=message x TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message -1 TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message 65536 TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message /1 TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message 9/ TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message 9/0 TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message 9/x TCP/MSRP *"), &defect::PORT, 55),
        (media("m=message 9;1 TCP/MSRP *"), &defect::PORT, 55),
    ];
    for (bytes, expected, at) in cases {
        let reject = Description::parse(bytes.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(
            (reject.defect, reject.at as usize),
            (expected, at),
            "{bytes:?}"
        );
        assert!(reject.to_string().contains(expected.clause));
    }
}

/// [DR-5] Bytes, lines and m-lines, at the limit and one past it. More than 64 m-lines are past any limit.
#[test]
fn bounds() {
    let refused = |bytes: &str, set: fn(&mut Limits, usize), limit: usize| {
        let mut limits = Limits::default();
        set(&mut limits, limit);
        let read = Description::parse(bytes.as_bytes(), &limits);
        read.err()
            .map(|reject| (reject.defect.code, reject.at as usize))
    };
    let bytes: fn(&mut Limits, usize) = |limits, bytes| limits.message_bytes = bytes;
    assert_eq!(refused(CHAT, bytes, CHAT.len()), None);
    let code = defect::TOO_LARGE.code;
    assert_eq!(
        refused(CHAT, bytes, CHAT.len() - 1),
        Some((code, CHAT.len() - 1))
    );
    let lines: fn(&mut Limits, usize) = |limits, lines| limits.sdp_lines = lines;
    assert_eq!(refused(CHAT, lines, 6), None);
    let code = defect::TOO_MANY_LINES.code;
    assert_eq!(
        refused(CHAT, lines, 5),
        Some((code, place(CHAT.as_bytes(), "a=")))
    );
    let streams: fn(&mut Limits, usize) = |limits, streams| limits.sdp_streams = streams;
    assert_eq!(refused(CHAT, streams, 1), None);
    let code = defect::TOO_MANY_STREAMS.code;
    assert_eq!(refused(CHAT, streams, 0), Some((code, 45)));
    let line = "m=message 9 TCP/MSRP *\r\n";
    let many = format!("{CHAT}{}", line.repeat(63));
    assert_eq!(refused(&many, streams, 64), None);
    assert_eq!(read(many.as_bytes()).live(), StreamSet::from_bits(u64::MAX));
    let more = format!("{many}{line}");
    assert_eq!(refused(&more, streams, 64), Some((code, many.len())));
    assert_eq!(refused(&more, streams, 1_000), Some((code, many.len())));
}

/// [DR-4] Where there is no room, the buffer says so.
#[test]
fn no_room() {
    let mut buffer = Buffer::new(CHAT.len() - 5);
    let written = buffer.attempt(|b| read(CHAT.as_bytes()).put_without(of(&[0]), b));
    assert_eq!(written, Err(Unwritable::TooLarge));
    assert!(buffer.is_empty());
}

/// [RFC 3264 8.2] Sets of streams.
#[test]
fn sets() {
    let set = of(&[0, 5, 63, 64, usize::MAX]);
    assert_eq!(set.bits(), 1 | 1 << 5 | 1 << 63);
    assert_eq!(set.len(), 3);
    assert!(set.contains(63) && !set.contains(64) && !set.contains(1));
    assert_eq!(set.without(of(&[5, 6])), of(&[0, 63]));
    assert_eq!(set.union(of(&[1])), of(&[0, 1, 5, 63]));
    assert!(StreamSet::EMPTY.is_empty() && !set.is_empty());
}

/// [DR-9] Nothing shows who has a session with whom.
#[test]
fn nothing_personal_is_shown() {
    let bytes = CHAT.replace("o=-", "o=alice");
    let description = read(bytes.as_bytes());
    let stream = description.streams().next();
    let refused = Description::parse(b"v=0\r\no=alice 1\r\n", &Limits::default());
    let shown = format!("{description:?} {stream:?} {refused:?}");
    assert!(
        !shown.contains("alice") && !shown.contains("192"),
        "{shown}"
    );
}

/// A description and how many streams it has: any lines of the right kind at the right place.
fn descriptions() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let end = || prop::sample::select(vec!["\r\n", "\n"]);
    let other = || "[icbka]=[ -~]{0,12}";
    let stream = (
        "[a-z]{1,8}",
        prop_oneof![Just(0u16), any::<u16>()],
        "(/[1-9][0-9]?)?",
        "( [!-~]{1,8}){2,4}",
        prop::collection::vec((other(), end()), 0..4),
        end(),
    )
        .prop_map(|(media, port, ports, rest, lines, end)| {
            let lines: String = lines.into_iter().map(|(l, e)| l + e).collect();
            format!("m={media} {port}{ports}{rest}{end}{lines}")
        });
    let session =
        prop::collection::vec((prop_oneof![other(), "[tuepzr]=[ -~]{0,12}"], end()), 0..5);
    let streams = prop::collection::vec(stream, 0..8);
    (any::<u64>(), session, streams, end()).prop_map(|(version, session, streams, end)| {
        let session: String = session.into_iter().map(|(l, e)| l + e).collect();
        let head =
            format!("v=0{end}o=- 7 {version} IN IP4 192.0.2.40{end}s= {end}t=0 0{end}{session}");
        let count = streams.len();
        ((head + &streams.concat()).into_bytes(), count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [RFC 3264 8] [RFC 8866 9] Whatever is deleted: every byte is kept but ports and version, deleting again changes
    /// the version alone, and what is live is what was and was not deleted.
    #[test]
    fn every_other_byte_is_kept((bytes, count) in descriptions(), deleted in any::<u64>()) {
        let before = read(&bytes);
        prop_assert_eq!(before.count(), count);
        let deleted = StreamSet::from_bits(deleted);
        let once = written(|b| before.put_without(deleted, b)).unwrap();
        let after = read(&once);
        prop_assert_eq!(after.live(), before.live().without(deleted));
        let next = next_version(before.session_version());
        let mut expected = text(&bytes).replacen(
            &format!("o=- 7 {} ", before.session_version()),
            &format!("o=- 7 {next} "),
            1,
        );
        let at = expected.len();
        for stream in before.streams().collect::<Vec<_>>().into_iter().rev() {
            if stream.port != 0 && deleted.contains(stream.number) {
                let from_end = |place: usize| at - (bytes.len() - place);
                expected.replace_range(from_end(stream.port_at.start)..from_end(stream.port_at.end), "0");
            }
        }
        prop_assert_eq!(text(&once), expected);
        let twice = text(&written(|b| after.put_without(deleted, b)).unwrap());
        let restored = twice.replacen(&format!("o=- 7 {} ", next_version(next)), &format!("o=- 7 {next} "), 1);
        prop_assert_eq!(text(&once), restored);
    }

    /// [DR-4] Any bytes are refused at one of them, or read.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..200, byte in any::<u8>()) {
        let mut chat = CHAT.as_bytes().to_vec();
        let place = at % chat.len();
        chat[place] = byte;
        for bytes in [bytes, chat] {
            match Description::parse(&bytes, &Limits::default()) {
                Err(reject) => prop_assert!(reject.at as usize <= bytes.len()),
                Ok(description) => prop_assert!(description.live().len() <= description.count()),
            }
        }
    }
}
