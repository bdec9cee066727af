//! Where messages end in a stream, however it is cut.

use ims_procedures::{
    drive::{Defect, Limits, Reject},
    wire::{Frame, Framer, HeaderName, Message, defect},
};
use proptest::prelude::*;

use crate::support::{fixture_files, parse, request_with};

/// What a host gets of a stream that comes in these reads: its frames, and the fault that ended it.
fn frames_of<'a>(
    reads: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> (Vec<(Frame, Vec<u8>)>, Option<Reject>) {
    let mut framer = Framer::new(limits);
    let mut received = Vec::new();
    let mut frames = Vec::new();
    for read in reads {
        received.extend_from_slice(read);
        loop {
            match framer.next(&received) {
                Err(reject) => {
                    assert_eq!(framer.next(b"OPTIONS"), Err(reject), "not refused again");
                    return (frames, Some(reject));
                }
                Ok(Frame::Incomplete { needed }) => {
                    assert!(needed > 0);
                    assert!(received.len() < limits.message_bytes.max(1));
                    break;
                }
                Ok(frame) => {
                    assert!(frame.consumed() > 0);
                    let rest = received.split_off(frame.consumed());
                    frames.push((frame, std::mem::replace(&mut received, rest)));
                }
            }
        }
    }
    (frames, None)
}

fn byte_by_byte(bytes: &[u8]) -> (Vec<(Frame, Vec<u8>)>, Option<Reject>) {
    frames_of(bytes.chunks(1), &Limits::default())
}

fn at_once(bytes: &[u8]) -> (Vec<(Frame, Vec<u8>)>, Option<Reject>) {
    frames_of([bytes], &Limits::default())
}

fn messages_of(frames: &[(Frame, Vec<u8>)]) -> Vec<&[u8]> {
    let is_message = |frame: &Frame| matches!(frame, Frame::Message { .. });
    let messages = frames.iter().filter(|(frame, _)| is_message(frame));
    messages.map(|(_, bytes)| &bytes[..]).collect()
}

/// Messages of the field that say where they end.
fn corpus() -> Vec<Vec<u8>> {
    ["sip", "captures/A_basic", "captures/O_presreg"]
        .into_iter()
        .flat_map(fixture_files)
        .filter_map(|path| {
            let bytes = std::fs::read(path).unwrap();
            let message = parse(&bytes).unwrap();
            message.header(HeaderName::ContentLength)?;
            Some(bytes[..message.end()].to_vec())
        })
        .collect()
}

const OPTIONS: &[u8] =
    b"OPTIONS sip:a@home1.example.net SIP/2.0\r\nContent-Length: 4\r\n\r\n\r\n\r\n";

/// [RFC 3261 18.3] A message is complete with its last byte and not before; what follows it is not touched.
#[test]
fn a_message_in_a_stream() {
    let limits = Limits::default();
    let mut bytes = request_with("Content-Length: 3\r\n");
    let head = bytes.len();
    bytes.extend_from_slice(b"abc");
    let length = bytes.len();
    bytes.extend_from_slice(b"NOTIFY");
    let mut framer = Framer::new(&limits);
    for end in 0..length {
        let needed = if end < head { 1 } else { length - end };
        assert_eq!(
            framer.next(&bytes[..end]),
            Ok(Frame::Incomplete { needed }),
            "{end}"
        );
    }
    let frame = framer.next(&bytes).unwrap();
    assert_eq!(frame, Frame::Message { length });
    assert_eq!(frame.consumed(), length);
    let message = parse(&bytes[..length]).unwrap();
    assert_eq!((message.body(), message.end()), (&b"abc"[..], length));
}

/// [RFC 3261 18.3] Several messages of one read; bodies that look like keep-alives or like messages are
/// bodies.
#[test]
fn several_messages_in_one_read() {
    let mut inner = request_with("l: 0\r\n");
    let mut outer = request_with(&format!("Content-Length: {}\r\n", inner.len()));
    outer.append(&mut inner);
    let stream = [OPTIONS, &outer, OPTIONS].concat();
    for (frames, fault) in [at_once(&stream), byte_by_byte(&stream)] {
        assert_eq!(fault, None);
        assert_eq!(messages_of(&frames), [OPTIONS, &outer, OPTIONS]);
        assert_eq!(frames.len(), 3);
    }
}

/// [RFC 5626 3.5.1] [RFC 5626 4.4.1] [RFC 3261 7.5] Every CR LF outside a message is told of at once; the
/// second of a pair is a ping, and a message ends a pair.
#[test]
fn keep_alives() {
    const PONG: Frame = Frame::Pong { length: 2 };
    const PING: Frame = Frame::Ping { length: 2 };
    const MESSAGE: Frame = Frame::Message {
        length: OPTIONS.len(),
    };
    let line_end = &b"\r\n"[..];
    for (parts, expected) in [
        (vec![line_end], vec![PONG]),
        (vec![line_end; 2], vec![PONG, PING]),
        (vec![line_end; 5], vec![PONG, PING, PONG, PING, PONG]),
        (vec![line_end, OPTIONS], vec![PONG, MESSAGE]),
        (
            vec![OPTIONS, line_end, OPTIONS, line_end],
            vec![MESSAGE, PONG, MESSAGE, PONG],
        ),
        (
            vec![line_end, OPTIONS, line_end, line_end, OPTIONS],
            vec![PONG, MESSAGE, PONG, PING, MESSAGE],
        ),
    ] {
        let stream = parts.concat();
        for (frames, fault) in [at_once(&stream), byte_by_byte(&stream)] {
            assert_eq!(fault, None);
            let frames: Vec<Frame> = frames.into_iter().map(|(frame, _)| frame).collect();
            assert_eq!(frames, expected);
        }
    }
}

/// [RFC 3261 7] A CR at the end of a read may be half a line end, outside a message and in its head; when
/// something else follows, it is a fault where it stood.
#[test]
fn a_lone_cr_at_the_end_of_a_read() {
    let limits = Limits::default();
    let waits = Ok(Frame::Incomplete { needed: 1 });
    for (before, after) in [
        ("\r", "\n"),
        ("BYE sip:a SIP/2.0\r", "\nl: 0\r\n\r\n"),
        ("BYE sip:a SIP/2.0\r\nl: 0\r", "\n\r\n"),
        ("BYE sip:a SIP/2.0\r\nl: 0\r\n\r", "\n"),
    ] {
        let mut framer = Framer::new(&limits);
        assert_eq!(framer.next(before.as_bytes()), waits);
        let whole = [before, after].concat();
        let frame = framer.next(whole.as_bytes()).unwrap();
        assert_eq!(frame.consumed(), whole.len(), "{before:?}");
        for other in ["x", "\r"] {
            let mut framer = Framer::new(&limits);
            assert_eq!(framer.next(before.as_bytes()), waits);
            let reject = framer.next([before, other].concat().as_bytes());
            let expected = Reject::new(&defect::BARE_LINE_END, before.len() - 1);
            assert_eq!(reject, Err(expected), "{before:?}");
        }
    }
}

/// [RFC 3261 7.3.3] [RFC 3261 7.3.1] [RFC 3261 20.14] Content-Length in every form it may have; the same
/// number twice is no conflict of lengths.
#[test]
fn forms_of_content_length() {
    for lines in [
        "Content-Length: 4\r\n",
        "l:4\r\n",
        "L \t:\t4 \r\n",
        "CONTENT-LENGTH: 0004\r\n",
        "content-length:\r\n 4\r\n",
        "Content-Length:\r\n\t\r\n 4\r\n \r\n",
        "X: y\r\nl: 4\r\nl: 4\r\nContent-Length: 04\r\n",
        "X: y\r\n l: 5\r\nl: 4\r\n",
        "Content-Lengths: 5\r\nContent-Lengt: 5\r\nContent-Length-X: 5\r\nlength: 5\r\nl: 4\r\n",
    ] {
        let message = [&request_with(lines)[..], b"body"].concat();
        let stream = [&message[..], OPTIONS].concat();
        for (frames, fault) in [at_once(&stream), byte_by_byte(&stream)] {
            assert_eq!(fault, None, "{lines:?}");
            assert_eq!(messages_of(&frames), [&message, OPTIONS], "{lines:?}");
        }
    }
}

/// The place past `needle` in `bytes`.
fn past(bytes: &[u8], needle: &str) -> usize {
    let found = bytes
        .windows(needle.len())
        .position(|w| w == needle.as_bytes());
    found.unwrap() + needle.len()
}

/// [RFC 3261 18.3] What leaves the end of a message uncertain ends the stream, with the first byte that
/// makes it certain. Of each: the lines, where in them it is certain, and where the fault is said to be.
#[test]
fn faults_that_end_the_stream() {
    let too_large = "99999999999999999999999";
    let too_large = format!("l: {too_large}\r\nX");
    let cases: [(&str, &str, &Defect, &str); 16] = [
        (
            "X: y\r\n",
            "X: y\r\n\r\n",
            &defect::NO_CONTENT_LENGTH,
            "y\r\n",
        ),
        (
            "l: 4x\r\nX: y\r\n",
            "l: 4x\r\nX",
            &defect::CONTENT_LENGTH,
            "l: ",
        ),
        ("l:\r\nX: y\r\n", "l:\r\nX", &defect::CONTENT_LENGTH, "l:"),
        ("l: -4\r\n", "l: -4\r\n\r", &defect::CONTENT_LENGTH, "l: "),
        (
            "l: 4, 4\r\n",
            "l: 4, 4\r\n\r",
            &defect::CONTENT_LENGTH,
            "l: ",
        ),
        (
            "l: 4\r\n 4\r\n",
            "l: 4\r\n 4\r\n\r",
            &defect::CONTENT_LENGTH,
            "l: ",
        ),
        (
            "l: 4\r\nl: 5\r\nX: y\r\n",
            "l: 5\r\nX",
            &defect::CONFLICT,
            "\r\nl: 4\r\nl: ",
        ),
        (&too_large, &too_large, &defect::MESSAGE_TOO_LARGE, ""),
        (
            "Content-Length 4\r\nl: 4\r\n",
            "h 4\r\nl",
            &defect::HEADER_NAME,
            "Content-Length",
        ),
        (
            "l\r\nl: 4\r\n",
            "l\r\nl",
            &defect::HEADER_NAME,
            "REGISTER\r\nl",
        ),
        (
            "Content-Length\x0b: 4\r\nl: 5\r\n",
            "4\r\nl",
            &defect::HEADER_NAME,
            "Content-Length",
        ),
        (
            "Content-Length\r\n : 4\r\nl: 4\r\n",
            "4\r\nl",
            &defect::HEADER_NAME,
            "Content-Length",
        ),
        ("X: y\nl: 4\r\n", "y\n", &defect::BARE_LINE_END, "X: y"),
        ("X: y\rl: 4\r\n", "y\rl", &defect::BARE_LINE_END, "X: y"),
        ("X: y\r\r\n", "y\r\r", &defect::BARE_LINE_END, "X: y"),
        (
            "l: 4\r\n\n",
            "l: 4\r\n\n",
            &defect::BARE_LINE_END,
            "l: 4\r\n",
        ),
    ];
    for (lines, certain, what, place) in cases {
        let message = [&request_with(lines)[..], b"body"].concat();
        let at = match what {
            what if what == &defect::MESSAGE_TOO_LARGE => Limits::default().message_bytes,
            what if what == &defect::HEADER_NAME => line_start(&message, past(&message, place)),
            _ => past(&message, place),
        };
        check_fault(&message, past(&message, certain), Reject::new(what, at));
    }
    let first_lines: [(&str, &str, &Defect, usize); 6] = [
        ("\nBYE", "\n", &defect::BARE_LINE_END, 0),
        ("\0BYE", "\0", &defect::NUL, 0),
        ("\u{16}\u{3}\u{1}\0", "\u{1}\0", &defect::NUL, 3),
        (
            "POST / HTTP/1.1\r\nl: 4\r\n\r\nbody",
            "1.1\r\n",
            &defect::START_LINE,
            0,
        ),
        ("body\r\n", "body\r\n", &defect::START_LINE, 0),
        (
            "BYE sip:a SIP/2.0\r\n l: 4\r\n\r\nbody",
            "4\r\n\r",
            &defect::HEADER_NAME,
            19,
        ),
    ];
    for (bytes, certain, what, at) in first_lines {
        let bytes = bytes.as_bytes();
        let certain = std::str::from_utf8(certain.as_bytes()).unwrap();
        check_fault(bytes, past(bytes, certain), Reject::new(what, at));
    }
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    let line_end = bytes[..at].iter().rposition(|b| *b == b'\n');
    line_end.map_or(0, |end| end + 1)
}

/// The fault comes with `certain` bytes and not before, and the same when more have come at once.
fn check_fault(bytes: &[u8], certain: usize, expected: Reject) {
    let limits = Limits::default();
    let shown = String::from_utf8_lossy(bytes);
    let mut framer = Framer::new(&limits);
    for end in 0..certain {
        let frame = framer.next(&bytes[..end]);
        assert!(
            matches!(frame, Ok(Frame::Incomplete { .. })),
            "{shown:?} {end} {frame:?}"
        );
    }
    assert_eq!(framer.next(&bytes[..certain]), Err(expected), "{shown:?}");
    assert_eq!(framer.next(&bytes[..certain]), Err(expected), "{shown:?}");
    assert_eq!(framer.next(OPTIONS), Err(expected), "{shown:?}");
    let keep_alives_before = [b"\r\n\r\n", bytes].concat();
    assert_eq!(at_once(&keep_alives_before).1, Some(expected), "{shown:?}");
}

/// [RFC 3261 18.3] A message that is refused for another reason than its length ends where it says, and the
/// next one is framed.
#[test]
fn faults_that_do_not_end_the_stream() {
    let with = |lines: &str| [&request_with(lines)[..], b"body"].concat();
    let starting = |line: &str| format!("{line}\r\nl: 4\r\n\r\nbody").into_bytes();
    let many = "X: y\r\n".repeat(300);
    let long = "y".repeat(20_000);
    let cases: [(Vec<u8>, &Defect); 17] = [
        (starting("BYE sip:a SIP/7.0"), &defect::VERSION),
        (starting("SIP/7.0 200 OK"), &defect::VERSION),
        (starting("BYE sip:a SIP/2.0 "), &defect::REQUEST_URI),
        (starting("BYE sip:a; lr SIP/2.0"), &defect::REQUEST_URI),
        (starting("B(YE sip:a SIP/2.0"), &defect::METHOD),
        (starting("BYE <sip:a> SIP/2.0"), &defect::REQUEST_URI),
        (starting("BYE  sip:a  SIP/2.0"), &defect::REQUEST_URI),
        (starting("BYE SIP/2.0"), &defect::START_LINE),
        (starting("SIP/2.0 42 what"), &defect::STATUS),
        (
            starting("BYE sip:a SIP/2.0\r\n folded: start"),
            &defect::FOLDED_START,
        ),
        (with("no colon here\r\nl: 4\r\n"), &defect::HEADER_NAME),
        (with(": nameless\r\nl: 4\r\n"), &defect::HEADER_NAME),
        (with("Two words: x\r\nl: 4\r\n"), &defect::HEADER_NAME),
        (with("Call-ID: c2\r\nl: 4\r\n"), &defect::CONFLICT),
        (with("l: 4\r\nl: 04\r\n"), &defect::CONFLICT),
        (with(&format!("{many}l: 4\r\n")), &defect::TOO_MANY_HEADERS),
        (
            with(&format!("X: {long}\r\nl: 4\r\n")),
            &defect::HEADER_TOO_LARGE,
        ),
    ];
    for (message, what) in cases {
        let shown = String::from_utf8_lossy(&message[..60.min(message.len())]).into_owned();
        let reject = parse(&message).unwrap_err();
        assert_eq!(reject.defect, what, "{shown:?}");
        let stream = [&message[..], OPTIONS].concat();
        for (frames, fault) in [at_once(&stream), byte_by_byte(&stream)] {
            assert_eq!(fault, None, "{shown:?}");
            assert_eq!(messages_of(&frames), [&message, OPTIONS], "{shown:?}");
        }
    }
}

/// [DR-5] The bound on bytes of a message, at it and one past it: of the body, refused before it comes; and
/// of the head, refused when no room is left for its end.
#[test]
fn bound_of_message_bytes() {
    let mut limits = Limits::default();
    limits.message_bytes = 1_000;
    let refused = Reject::new(&defect::MESSAGE_TOO_LARGE, 1_000);
    let head = request_with("l: 700\r\nX: y\r\n").len();
    let body = 1_000 - head;
    let fits = request_with(&format!("l: {body}\r\nX: y\r\n"));
    let whole = [&fits[..], &vec![b'b'; body]].concat();
    assert_eq!(whole.len(), 1_000);
    let (frames, fault) = frames_of(whole.chunks(1), &limits);
    assert_eq!((messages_of(&frames), fault), (vec![&whole[..]], None));

    let past_it = request_with(&format!("l: {}\r\nX: y\r\n", body + 1));
    let empty_line = head - 1;
    for end in 0..empty_line {
        let frame = Framer::new(&limits).next(&past_it[..end]);
        assert_eq!(frame, Ok(Frame::Incomplete { needed: 1 }), "{end}");
    }
    let mut framer = Framer::new(&limits);
    assert_eq!(framer.next(&past_it[..empty_line]), Err(refused));
    let hopeless = request_with("l: 1000\r\nX: y\r\n");
    let at = past(&hopeless, "l: 1000\r\n");
    assert!(Framer::new(&limits).next(&hopeless[..at]).is_ok());
    assert_eq!(Framer::new(&limits).next(&hopeless[..=at]), Err(refused));

    let filler = |count: usize| request_with(&format!("l: 0\r\nX: {}\r\n", "x".repeat(count)));
    let most = 1_000 - filler(0).len();
    let (frames, fault) = frames_of(filler(most).chunks(1), &limits);
    assert_eq!(
        (messages_of(&frames), fault),
        (vec![&filler(most)[..]], None)
    );
    let (frames, fault) = frames_of([&filler(most)[..]], &limits);
    assert_eq!((frames.len(), fault), (1, None));
    for reads in [1, 7, 5_000] {
        let (frames, fault) = frames_of(filler(most + 1).chunks(reads), &limits);
        assert_eq!((frames, fault), (vec![], Some(refused)));
    }
    let endless = vec![b'a'; 1_000];
    let mut framer = Framer::new(&limits);
    assert!(framer.next(&endless[..999]).is_ok());
    assert_eq!(framer.next(&endless), Err(refused));
}

/// [DR-5] With a bound of nothing at all, nothing is a message, and nothing waits for ever.
#[test]
fn bounds_too_small_for_any_message() {
    let mut limits = Limits::default();
    for bound in 0..3 {
        limits.message_bytes = bound;
        let refused = Reject::new(&defect::MESSAGE_TOO_LARGE, bound);
        assert_eq!(
            Framer::new(&limits).next(b""),
            Ok(Frame::Incomplete { needed: 1 })
        );
        assert_eq!(Framer::new(&limits).next(b"BYE"), Err(refused));
    }
}

/// [DR-4] The cost of a stream is linear however it is cut. A head of 60 kB comes byte by byte, and what a
/// linear reader has no need to look at again is destroyed behind it: every byte two calls after it came; the
/// start line and the first 16 bytes of each field, its name, when the next field has begun. An LF that the
/// framer saw there would end the stream. So none of the others is looked at in more than three calls,
/// and of what lies further back no more than these few are looked at in any.
#[test]
fn no_byte_is_looked_at_again_and_again() {
    let long = |fill: &str| format!("X-{fill}: {}\r\n", fill.repeat(14_000));
    let folded = format!("X-folded: {}\r\n", "ab\r\n\tcd ".repeat(1_000));
    let short = "Path: <sip:p.example.net;lr>\r\n".repeat(400);
    let lines = [
        &long("x"),
        &folded,
        "l: 20\r\n",
        &short,
        &long("y"),
        &long("z"),
    ]
    .concat();
    let head = request_with(&lines);
    assert!(head.len() > 60_000);
    let length = head.len() + 20;
    let mut fields = Vec::new();
    for at in 0..head.len() {
        if at == 0 || (head[at - 1] == b'\n' && !matches!(head[at], b' ' | b'\t')) {
            fields.push(at);
        }
    }
    let mut bytes = [&head[..], &[0; 20]].concat();
    let mut framer = Framer::new(&Limits::default());
    let mut field = 0;
    for end in 3..length {
        let frame = framer.next(&bytes[..end]);
        assert!(
            matches!(frame, Ok(Frame::Incomplete { .. })),
            "{end}: {frame:?}"
        );
        let old = end - 3;
        if fields.get(field + 1) == Some(&old) {
            bytes[fields[field]..old].fill(b'\n');
            field += 1;
        }
        if field > 0 && old >= fields[field] + 16 {
            bytes[old] = b'\n';
        }
    }
    assert_eq!(field, fields.len() - 1, "every field has gone");
    assert_eq!(framer.next(&bytes), Ok(Frame::Message { length }));
}

/// Fewer bytes than before are another stream: the framer reads them as a new one would.
#[test]
fn fewer_bytes_than_before_start_over() {
    let limits = Limits::default();
    let message = [&request_with("Content-Length: 9\r\n")[..], b"body"].concat();
    for first in 1..message.len() {
        for then in [
            &OPTIONS[..first.min(OPTIONS.len()) - 1],
            &message[..first - 1],
        ] {
            let mut framer = Framer::new(&limits);
            framer.next(&message[..first]).unwrap();
            assert_eq!(
                framer.next(then),
                Framer::new(&limits).next(then),
                "{first}"
            );
        }
    }
    let mut framer = Framer::new(&limits);
    framer.next(&message).unwrap();
    let frame = framer.next(OPTIONS).unwrap();
    assert_eq!(frame.consumed(), OPTIONS.len());
    assert_eq!(
        framer.next(OPTIONS).unwrap(),
        frame,
        "not consumed, so again"
    );
}

/// A stream cut at these places (of a thousandth each).
fn cut<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|c| c * stream.len() / 1_000).collect();
    places.sort_unstable();
    let mut from = 0;
    let mut reads: Vec<&[u8]> = Vec::new();
    for place in places {
        reads.push(&stream[from..place]);
        from = place;
    }
    reads.push(&stream[from..]);
    reads
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [RFC 3261 18.3] Messages of the field one after the other, keep-alives between them, cut anywhere:
    /// the messages come out as they went in, and as many line ends as there were.
    #[test]
    fn any_cut_gives_the_same_messages(
        parts in prop::collection::vec((0usize..1_000, 0usize..4), 1..6),
        cuts in prop::collection::vec(0usize..=1_000, 0..40),
        size in 1usize..50,
    ) {
        let corpus = corpus();
        prop_assert!(corpus.len() > 50);
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        let mut line_ends = 0;
        for (which, keep_alives) in parts {
            let message = &corpus[which % corpus.len()][..];
            stream.extend(b"\r\n".repeat(keep_alives));
            stream.extend_from_slice(message);
            line_ends += keep_alives;
            expected.push(message);
        }
        let limits = Limits::default();
        let whole = frames_of([&stream[..]], &limits);
        prop_assert_eq!(&whole, &frames_of(cut(&stream, &cuts), &limits));
        prop_assert_eq!(&whole, &frames_of(stream.chunks(size), &limits));
        let (frames, fault) = whole;
        prop_assert_eq!(messages_of(&frames), &expected[..]);
        prop_assert_eq!(frames.len(), expected.len() + line_ends);
        prop_assert_eq!(fault, None);
    }

    /// [DR-4] [RFC 3261 18.3] Altered streams: every cut gives the same frames and the same fault, and what
    /// is framed is what a datagram of it would be, or is refused for something else than its length.
    #[test]
    fn altered_streams(
        which in prop::collection::vec(0usize..1_000, 1..4),
        edits in prop::collection::vec((0usize..6_000, any::<u8>(), 0u8..4), 0..5),
        cuts in prop::collection::vec(0usize..=1_000, 0..20),
        bound in 200usize..4_000,
    ) {
        let corpus = corpus();
        let mut stream: Vec<u8> = which.iter().flat_map(|w| corpus[w % corpus.len()].clone()).collect();
        for (place, byte, kind) in edits {
            let place = place % stream.len();
            match kind {
                0 => stream[place] = byte,
                1 => stream.insert(place, byte),
                2 => { stream.remove(place); }
                _ => stream[place] = b" \t\r\n\0:lL0159"[usize::from(byte) % 12],
            }
        }
        let mut limits = Limits::default();
        limits.message_bytes = bound;
        let whole = frames_of([&stream[..]], &limits);
        prop_assert_eq!(&whole, &frames_of(cut(&stream, &cuts), &limits));
        prop_assert_eq!(&whole, &frames_of(stream.chunks(1), &limits));
        for message in messages_of(&whole.0) {
            match Message::parse(message, &limits) {
                Ok(read) => prop_assert_eq!(read.end(), message.len()),
                Err(reject) => prop_assert!(leaves_the_length_certain(reject.defect), "{}", reject),
            }
        }
        if let Ok(message) = Message::parse(&stream[..stream.len().min(bound)], &limits) {
            if message.header(HeaderName::ContentLength).is_some() && !stream.starts_with(b"\r\n") {
                prop_assert_eq!(messages_of(&whole.0)[0].len(), message.end());
            }
        }
    }
}

fn leaves_the_length_certain(what: &Defect) -> bool {
    ![
        &defect::EMPTY,
        &defect::MESSAGE_TOO_LARGE,
        &defect::UNTERMINATED,
        &defect::BARE_LINE_END,
        &defect::CONTENT_LENGTH,
        &defect::BODY_TOO_SHORT,
        &defect::NO_CONTENT_LENGTH,
    ]
    .contains(&what)
}
