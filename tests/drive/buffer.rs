//! Bytes that are being written.

use ims_procedures::drive::{Buffer, Unwritable};
use proptest::prelude::*;

fn holding(limit: usize, bytes: &[u8]) -> Buffer {
    let mut buffer = Buffer::new(limit);
    buffer.put(bytes);
    assert_eq!(buffer.as_slice(), bytes);
    buffer
}

/// [DR-5] What fits exactly is written; one byte past the limit is dropped whole and remembered.
#[test]
fn put_at_the_limit_and_one_past() {
    let mut buffer = holding(8, b"12345");
    assert_eq!(buffer.room(), 3);
    buffer.put(b"678");
    assert_eq!((buffer.len(), buffer.room(), buffer.fault()), (8, 0, None));
    buffer.put(b"");
    assert_eq!(buffer.fault(), None);
    buffer.put(b"9");
    assert_eq!(buffer.as_slice(), b"12345678");
    assert_eq!(buffer.fault(), Some(Unwritable::TooLarge));

    let mut buffer = holding(8, b"12345");
    buffer.put(b"6789");
    assert_eq!(buffer.as_slice(), b"12345");
    assert_eq!(buffer.take_fault(), Some(Unwritable::TooLarge));
    assert_eq!(buffer.take_fault(), None);
}

/// [DR-4] A value of a peer cannot break out of its header: CR, LF and NUL make it unsafe.
#[test]
fn values_with_control_characters() {
    for unsafe_value in [&b"a\rb"[..], b"a\nb", b"a\0b", b"\r\nVia: x", b"\0"] {
        let mut buffer = holding(99, b"To: ");
        buffer.put_value(unsafe_value);
        assert_eq!(buffer.as_slice(), b"To: ");
        assert_eq!(buffer.fault(), Some(Unwritable::UnsafeValue));
    }
    let mut buffer = Buffer::new(99);
    buffer.put_value(b"tab\tand \xff latin");
    assert_eq!(buffer.as_slice(), b"tab\tand \xff latin");
    assert_eq!(buffer.fault(), None);
    let mut full = Buffer::new(2);
    full.put_value(b"abc");
    assert_eq!(full.fault(), Some(Unwritable::TooLarge));
}

/// [DR-4] The first fault stands, whatever comes after it; clearing forgets it and keeps the room.
#[test]
fn the_first_fault_stands() {
    let mut buffer = Buffer::new(2);
    buffer.put_value(b"\n");
    buffer.put(b"abc");
    buffer.fail(Unwritable::TooLarge);
    assert_eq!(buffer.fault(), Some(Unwritable::UnsafeValue));
    buffer.clear();
    assert_eq!(
        (buffer.fault(), buffer.room(), buffer.is_empty()),
        (None, 2, true)
    );
}

/// [DR-2] Numbers are written in decimal, the smallest and the largest too.
#[test]
fn numbers() {
    for number in [0, 7, 10, 1_999_999_999, u64::MAX] {
        let mut buffer = Buffer::new(20);
        buffer.put_number(number);
        assert_eq!(buffer.as_slice(), number.to_string().as_bytes());
    }
    let mut buffer = Buffer::new(2);
    buffer.put_number(100);
    assert_eq!(buffer.fault(), Some(Unwritable::TooLarge));
    assert!(buffer.is_empty());
}

/// [DR-4] Bytes go in between what stands already; without room, and past the end, nothing breaks.
#[test]
fn insert() {
    let mut buffer = holding(9, b"Length: ");
    buffer.insert(3, b"X");
    assert_eq!(buffer.as_slice(), b"LenXgth: ");
    buffer.insert(0, b"Y");
    assert_eq!(buffer.as_slice(), b"LenXgth: ");
    assert_eq!(buffer.fault(), Some(Unwritable::TooLarge));

    let mut buffer = holding(9, b"ab");
    buffer.insert(2, b"cd");
    buffer.insert(0, b"");
    assert_eq!(buffer.as_slice(), b"abcd");
    buffer.insert(5, b"ef");
    assert_eq!(buffer.as_slice(), b"abcdef", "past the end is at the end");
    buffer.insert(usize::MAX, b"g");
    assert_eq!(buffer.as_slice(), b"abcdefg");
    assert_eq!(buffer.fault(), None);
}

/// [DR-4] Bytes are written over what stands already, all of them or none.
#[test]
fn overwrite() {
    let mut buffer = holding(9, b"abcdef");
    buffer.overwrite(4, b"XY");
    assert_eq!(buffer.as_slice(), b"abcdXY");
    buffer.overwrite(0, b"12");
    assert_eq!(buffer.as_slice(), b"12cdXY");
    buffer.overwrite(5, b"!!");
    buffer.overwrite(usize::MAX, b"!");
    assert_eq!(buffer.as_slice(), b"12cdXY");
    assert_eq!(buffer.fault(), None);
}

/// [DR-4] What was written after a place can be taken back.
#[test]
fn truncate() {
    let mut buffer = holding(9, b"abcdef");
    buffer.truncate(9);
    assert_eq!(buffer.len(), 6);
    buffer.truncate(2);
    assert_eq!((buffer.as_slice(), buffer.room()), (&b"ab"[..], 7));
}

/// [DR-4] All of a message is written or nothing, also when one attempt stands in another.
#[test]
fn attempts() {
    let mut buffer = holding(8, b"ab");
    assert_eq!(buffer.attempt(|b| b.put(b"cd")), Ok(()));
    let too_much = buffer.attempt(|b| {
        b.put(b"ef");
        b.put(b"ghi");
        b.put(b"g");
    });
    assert_eq!(too_much, Err(Unwritable::TooLarge));
    assert_eq!((buffer.as_slice(), buffer.fault()), (&b"abcd"[..], None));

    let mut inner = Ok(());
    let outer = buffer.attempt(|b| {
        b.put(b"1");
        inner = b.attempt(|b| {
            b.put(b"2");
            b.put_value(b"\r");
        });
        b.put(b"3");
    });
    assert_eq!((inner, outer), (Err(Unwritable::UnsafeValue), Ok(())));
    assert_eq!(buffer.as_slice(), b"abcd13");

    let mut inner = Err(Unwritable::TooLarge);
    let outer = buffer.attempt(|b| {
        b.put_value(b"\n");
        inner = b.attempt(|b| b.put(b"4"));
    });
    assert_eq!((inner, outer), (Ok(()), Err(Unwritable::UnsafeValue)));
    assert_eq!(buffer.as_slice(), b"abcd13");

    buffer.fail(Unwritable::TooLarge);
    assert_eq!(buffer.attempt(|b| b.put(b"5")), Ok(()));
    assert_eq!(
        buffer.fault(),
        Some(Unwritable::TooLarge),
        "an earlier fault stays"
    );
}

#[derive(Clone, Debug)]
enum Act {
    Put(Vec<u8>),
    Value(Vec<u8>),
    Number(u64),
    Insert(usize, Vec<u8>),
    Overwrite(usize, Vec<u8>),
    Truncate(usize),
    Attempt(Vec<u8>, Vec<u8>),
}

fn act() -> impl Strategy<Value = Act> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..12);
    prop_oneof![
        bytes().prop_map(Act::Put),
        bytes().prop_map(Act::Value),
        any::<u64>().prop_map(Act::Number),
        (0..40_usize, bytes()).prop_map(|(at, b)| Act::Insert(at, b)),
        (0..40_usize, bytes()).prop_map(|(at, b)| Act::Overwrite(at, b)),
        (0..40_usize).prop_map(Act::Truncate),
        (bytes(), bytes()).prop_map(|(a, b)| Act::Attempt(a, b)),
    ]
}

proptest! {
    /// [DR-4] [DR-5] Whatever is done to a buffer, it does what a plain vector with a limit would, and never
    /// grows past its limit.
    #[test]
    fn like_a_vector_with_a_limit(limit in 0..40_usize, acts in proptest::collection::vec(act(), 0..40)) {
        let mut buffer = Buffer::new(limit);
        let mut model: Vec<u8> = Vec::new();
        for act in acts {
            let fits = |model: &Vec<u8>, more: usize| model.len() + more <= limit;
            match act {
                Act::Put(bytes) => {
                    buffer.put(&bytes);
                    if fits(&model, bytes.len()) { model.extend(bytes) }
                }
                Act::Value(bytes) => {
                    buffer.put_value(&bytes);
                    let is_safe = !bytes.iter().any(|b| [b'\r', b'\n', 0].contains(b));
                    if is_safe && fits(&model, bytes.len()) { model.extend(bytes) }
                }
                Act::Number(number) => {
                    buffer.put_number(number);
                    let text = number.to_string();
                    if fits(&model, text.len()) { model.extend(text.bytes()) }
                }
                Act::Insert(at, bytes) => {
                    buffer.insert(at, &bytes);
                    if fits(&model, bytes.len()) {
                        let at = at.min(model.len());
                        model.splice(at..at, bytes);
                    }
                }
                Act::Overwrite(at, bytes) => {
                    buffer.overwrite(at, &bytes);
                    if let Some(place) = model.get_mut(at..at + bytes.len()) {
                        place.copy_from_slice(&bytes);
                    }
                }
                Act::Truncate(length) => {
                    buffer.truncate(length);
                    model.truncate(length);
                }
                Act::Attempt(first, second) => {
                    let done = buffer.attempt(|b| { b.put(&first); b.put(&second); });
                    let all_fit = fits(&model, first.len() + second.len());
                    prop_assert_eq!(done.is_ok(), all_fit);
                    if all_fit { model.extend(first); model.extend(second) }
                }
            }
            prop_assert_eq!(buffer.as_slice(), model.as_slice());
            prop_assert_eq!(buffer.room(), limit - model.len());
        }
    }
}
