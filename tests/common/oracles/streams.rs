//! [RFC 3261 18.3] Messages on a stream: however the bytes come in, the messages are the same.

use ims_procedures::{
    drive::{Limits, Reject},
    wire::{Frame, Framer, Message, defect},
};

use super::shown;

/// What stands on a stream, frame by frame; what is left of it or what makes it unreadable; and how many bytes
/// more its last message would take.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    frames: Vec<(Frame, Vec<u8>)>,
    end: Result<usize, Reject>,
    needed: usize,
}

/// [RFC 3261 18.3] The frames of a stream do not depend on how its bytes come in; no byte is lost between them;
/// each message, as a datagram, reads to its last byte, and as a stream it takes all of its bytes.
pub fn streams(bytes: &[u8]) {
    for limits in [Limits::default(), tight()] {
        let whole = read_in_pieces(bytes, &[], &limits);
        let joined: Vec<u8> = whole.frames.iter().flat_map(|(_, b)| b.clone()).collect();
        assert!(bytes.starts_with(&joined), "frames follow one another");
        for (frame, bytes) in &whole.frames {
            looks_as_it_is_called(*frame, bytes, &limits);
        }
        for split in splits(bytes) {
            let came = read_in_pieces(bytes, &split, &limits);
            assert_eq!(came, whole, "{split:?} of {}", shown(bytes));
        }
    }
}

/// Bounds that short inputs reach.
fn tight() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes = 300;
    limits.headers = 6;
    limits.header_bytes = 48;
    limits
}

/// The frames of a stream that comes in pieces; `split` tells where they end.
fn read_in_pieces(bytes: &[u8], split: &[usize], limits: &Limits) -> Read {
    let mut framer = Framer::new(limits);
    let mut read = Read {
        frames: Vec::new(),
        end: Ok(0),
        needed: 0,
    };
    let mut at = 0;
    let mut least = 0;
    for end in split.iter().copied().chain([bytes.len()]) {
        loop {
            let held = &bytes[at..end];
            let frame = match framer.next(held) {
                Ok(frame) => frame,
                Err(reject) => {
                    // The first byte too many need not have come.
                    let most = if reject.defect == &defect::MESSAGE_TOO_LARGE {
                        limits.message_bytes
                    } else {
                        held.len()
                    };
                    assert!(reject.at as usize <= most, "{reject}");
                    assert_eq!(framer.next(held), Err(reject), "not refused again");
                    read.end = Err(reject);
                    read.needed = 0;
                    return read;
                }
            };
            if let Frame::Incomplete { needed } = frame {
                assert!(needed > 0);
                assert!(held.len() < limits.message_bytes, "more can be held");
                assert!(at + held.len() + needed >= least, "it was promised less");
                (read.end, read.needed) = (Ok(held.len()), needed);
                least = at + held.len() + needed;
                break;
            }
            let length = frame.consumed();
            assert!((1..=held.len()).contains(&length));
            assert!(at + length >= least, "it came before it was promised");
            read.frames.push((frame, held[..length].to_vec()));
            at += length;
            least = 0;
        }
    }
    read
}

/// Some ways in which the bytes may come: one by one where they are few, with every line end cut in two, cut
/// after it, and in the line that follows; and in pieces of a size that the bytes themselves decide.
fn splits(bytes: &[u8]) -> Vec<Vec<usize>> {
    let mut splits = Vec::new();
    if bytes.len() <= 700 {
        splits.push((1..bytes.len()).collect());
    }
    for past in 1..=3 {
        let line_ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\r');
        let places = line_ends.map(|(at, _)| at + past);
        splits.push(places.filter(|at| *at < bytes.len()).collect());
    }
    let sum = bytes
        .iter()
        .fold(7usize, |sum, b| sum.wrapping_mul(31) + usize::from(*b));
    let step = bytes.len() / 40 + 1 + sum % 97;
    splits.push((1..bytes.len()).step_by(step).collect());
    splits
}

fn looks_as_it_is_called(frame: Frame, bytes: &[u8], limits: &Limits) {
    match frame {
        Frame::Ping { .. } | Frame::Pong { .. } => assert_eq!(bytes, b"\r\n"),
        Frame::Message { .. } => is_one_message(bytes, limits),
        other => panic!("no frame: {other:?}"),
    }
}

/// A frame is a message to the last byte, and nothing that is shorter is.
fn is_one_message(bytes: &[u8], limits: &Limits) {
    let length = bytes.len();
    assert!(length <= limits.message_bytes);
    assert_eq!(
        Framer::new(limits).next(bytes),
        Ok(Frame::Message { length })
    );
    let shorter = Framer::new(limits).next(&bytes[..length - 1]);
    assert_eq!(
        shorter,
        Ok(Frame::Incomplete { needed: 1 }),
        "{}",
        shown(bytes)
    );
    if let Ok(message) = Message::parse(bytes, limits) {
        assert_eq!(message.end(), length, "stream and datagram disagree");
        let followed = [bytes, b"BYE sip:a SIP/2.0\r\n"].concat();
        if followed.len() <= limits.message_bytes {
            let message = Message::parse(&followed, limits).expect("whatever follows");
            assert_eq!(message.end(), length);
        }
    }
}
