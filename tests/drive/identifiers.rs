//! Identifiers and tokens.

use ims_procedures::drive::{Buffer, Identifier, Identifiers, Token};
use proptest::prelude::*;
use std::collections::HashSet;

fn drawn(seed: u8, incarnation: u64, shard: u16, count: usize) -> Vec<Identifier> {
    let mut identifiers = Identifiers::new([seed; 32], incarnation, shard);
    (0..count).map(|_| identifiers.next()).collect()
}

/// [DR-8] The text is a SIP token that shows the shard, and is read back.
#[test]
fn text_form() {
    for (shard, prefix) in [
        (0, "s0000-"),
        (3, "s0003-"),
        (0xabcd, "sabcd-"),
        (u16::MAX, "sffff-"),
    ] {
        let mut identifiers = Identifiers::new([9; 32], 1, shard);
        assert_eq!(identifiers.shard(), shard);
        let identifier = identifiers.next();
        let text = String::from_utf8(identifier.text().to_vec()).unwrap();
        assert_eq!(text.len(), Identifier::TEXT_LEN);
        assert!(text.starts_with(prefix), "{text}");
        assert!(
            text[6..]
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
        assert_eq!(Identifier::parse(text.as_bytes()), Some(identifier));
        assert_eq!(identifier.shard(), shard);
        assert_eq!(identifier.to_string(), text);
        let mut buffer = Buffer::new(Identifier::TEXT_LEN);
        identifier.write(&mut buffer);
        assert_eq!(buffer.as_slice(), text.as_bytes());
    }
}

/// [DR-8] The constant one stays the same while others are drawn, is none of them, and is another one in
/// another incarnation, of another seed, in another shard.
#[test]
fn the_constant_one() {
    let mut identifiers = Identifiers::new([9; 32], 1, 3);
    let constant = identifiers.constant();
    assert!((0..1_000).all(|_| identifiers.next() != constant));
    assert_eq!(identifiers.constant(), constant);
    assert_eq!(
        (constant.shard(), Identifiers::new([9; 32], 1, 3).constant()),
        (3, constant)
    );
    for other in [
        Identifiers::new([9; 32], 2, 3),
        Identifiers::new([8; 32], 1, 3),
        Identifiers::new([9; 32], 1, 4),
    ] {
        assert_ne!(other.constant(), constant);
    }
}

/// [DR-8] Bytes that are not a text of ours are nothing of ours.
#[test]
fn garbage_is_refused() {
    let text = drawn(1, 1, 3, 1)[0].text();
    assert!(Identifier::parse(&text).is_some());
    assert_eq!(Identifier::parse(b""), None);
    assert_eq!(Identifier::parse(&text[..33]), None);
    assert_eq!(Identifier::parse(&[&text[..], b"0"].concat()), None);
    for (place, byte) in [
        (0, b'S'),
        (0, b'0'),
        (5, b'0'),
        (5, b'_'),
        (1, b'-'),
        (1, b's'),
        (33, b'g'),
    ] {
        let mut altered = text;
        altered[place] = byte;
        assert_eq!(
            Identifier::parse(&altered),
            None,
            "{}",
            altered.escape_ascii()
        );
    }
    for byte in [
        b'/', b':', b'@', b'A', b'F', b'G', b'`', b'g', b' ', 0, 0xff,
    ] {
        let mut altered = text;
        altered[20] = byte;
        assert_eq!(
            Identifier::parse(&altered),
            None,
            "{}",
            altered.escape_ascii()
        );
    }
}

proptest! {
    /// [DR-8] What was written is read back, whatever seed, incarnation and shard it came from.
    #[test]
    fn parse_reads_every_text(seed: [u8; 32], incarnation: u64, shard: u16) {
        let identifier = Identifiers::new(seed, incarnation, shard).next();
        prop_assert_eq!(Identifier::parse(&identifier.text()), Some(identifier));
        prop_assert_eq!(identifier.shard(), shard);
    }

    /// [DR-8] Any text of that form is an identifier, and comes out as it went in.
    #[test]
    fn every_text_of_the_form_round_trips(text in "s[0-9a-f]{4}-[0-9a-f]{28}") {
        let identifier = Identifier::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(identifier.shard(), u16::from_str_radix(&text[1..5], 16).unwrap());
        prop_assert_eq!(identifier.to_string(), text);
    }

    /// [DR-8] [DR-4] Any other bytes are refused, or come out as they went in.
    #[test]
    fn other_bytes_are_refused_or_round_trip(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        text in "s[0-9a-f]{4}-[0-9a-f]{28}",
        place in 0..34_usize,
        byte: u8,
    ) {
        let mut altered = text.into_bytes();
        altered[place] = byte;
        for bytes in [bytes, altered] {
            if let Some(identifier) = Identifier::parse(&bytes) {
                prop_assert_eq!(identifier.text().to_vec(), bytes);
            }
        }
    }
}

/// [DR-1] [DR-8] The same seed, incarnation and shard give the same identifiers and tokens in the same order.
#[test]
fn the_same_source_gives_the_same_sequence() {
    assert_eq!(drawn(7, 5, 3, 100), drawn(7, 5, 3, 100));
    let tokens = |count: usize| {
        let mut identifiers = Identifiers::new([7; 32], 5, 3);
        (0..count as u32)
            .map(|machine| identifiers.token(machine))
            .collect::<Vec<_>>()
    };
    assert_eq!(tokens(100), tokens(100));
    let mut interleaved = Identifiers::new([7; 32], 5, 3);
    let identifiers: Vec<_> = (0..100)
        .map(|machine| {
            interleaved.token(machine);
            interleaved.next()
        })
        .collect();
    assert_eq!(
        identifiers,
        drawn(7, 5, 3, 100),
        "tokens take no identifiers"
    );
}

/// [DR-8] Another incarnation, seed (in either half) or shard gives none of the same, in their random part too.
#[test]
fn other_sources_are_disjoint() {
    const COUNT: usize = 10_000;
    let random = |identifier: Identifier| identifier.text()[6..].to_vec();
    let mut seen: HashSet<Vec<u8>> = drawn(7, 5, 3, COUNT).into_iter().map(random).collect();
    let first_half_other = std::array::from_fn(|place| if place == 0 { 8 } else { 7 });
    let second_half_other = std::array::from_fn(|place| if place == 31 { 8 } else { 7 });
    let sources = [
        Identifiers::new([7; 32], 4, 3),
        Identifiers::new([7; 32], 6, 3),
        Identifiers::new([7; 32], 5 + (1 << 32), 3),
        Identifiers::new([7; 32], 5, 4),
        Identifiers::new([7; 32], 5, 3 + (1 << 8)),
        Identifiers::new(first_half_other, 5, 3),
        Identifiers::new(second_half_other, 5, 3),
    ];
    for (number, mut source) in sources.into_iter().enumerate() {
        for _ in 0..COUNT {
            assert!(seen.insert(random(source.next())), "source {number}");
        }
    }
    assert_eq!(seen.len(), 8 * COUNT);
}

/// [DR-8] One source never gives the same twice.
#[test]
fn no_repeats() {
    let drawn = drawn(7, 5, 3, 100_000);
    assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
}

/// [DR-8] The key for tables depends on seed and incarnation, and is no identifier.
#[test]
fn table_keys() {
    let key = |seed, incarnation| Identifiers::new([seed; 32], incarnation, 3).table_key();
    assert_eq!(key(7, 5), key(7, 5));
    assert_ne!(key(7, 5), key(8, 5));
    assert_ne!(key(7, 5), key(7, 6));
    let mut source = Identifiers::new([7; 32], 5, 3);
    let before = source.table_key();
    source.next();
    assert_eq!(source.table_key(), before, "drawing does not change it");
}

/// [DR-8] [DR-9] The secret does not show.
#[test]
fn debug_hides_the_seed() {
    let mut identifiers = Identifiers::new([0xa5; 32], 5, 3);
    identifiers.next();
    let shown = format!("{identifiers:?}");
    assert_eq!(shown, "Identifiers { shard: 3, drawn: 1, .. }");
}

/// [DR-6] A token is a number to a host, and knows its machine.
#[test]
fn tokens_are_numbers() {
    let mut identifiers = Identifiers::new([7; 32], 5, 3);
    for machine in [0, 1, 77, 0xff_ffff] {
        let token = identifiers.token(machine);
        assert_eq!(Token::from_u64(token.to_u64()), token);
        assert_eq!(token.machine(), machine);
        assert_ne!(token.to_u64(), 0);
    }
    assert_eq!(
        identifiers.token(0x0100_0002).machine(),
        2,
        "24 bits of the number"
    );
    let shown = format!("{:?}", identifiers.token(9));
    assert!(shown.starts_with("Token(9:"), "{shown}");
}

/// [DR-6] Tokens are told apart by whether they can have been given out: what was is stale at worst.
#[test]
fn tokens_never_given() {
    let mut identifiers = Identifiers::new([7; 32], 5, 3);
    let mut ahead = identifiers.clone();
    let first = ahead.token(0);
    assert!(!identifiers.has_given(first), "not yet");
    let given: Vec<_> = (0..3).map(|machine| identifiers.token(machine)).collect();
    for token in &given {
        assert!(identifiers.has_given(*token));
    }
    assert_eq!(given[0], first);
    let serial = |token: Token| token.to_u64() & ((1 << 40) - 1);
    let before = Token::from_u64(serial(first).wrapping_sub(1) & ((1 << 40) - 1));
    assert!(!identifiers.has_given(before), "one before the first");
    let future = (0..3).map(|_| ahead.token(0)).last().unwrap();
    assert!(!identifiers.has_given(future));
    assert!(!identifiers.has_given(Token::from_u64(0)));
    identifiers.token(0);
    assert!(identifiers.has_given(future));
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), 3);
}

/// [DR-6, DR-7] A token of an earlier incarnation, or of another seed, was not given out by this one: an
/// answer to it is never taken for an answer to something asked since.
#[test]
fn tokens_of_another_life() {
    let tokens = |seed: u8, incarnation| {
        let mut identifiers = Identifiers::new([seed; 32], incarnation, 3);
        let given: Vec<_> = (0..1_000).map(|_| identifiers.token(7)).collect();
        (identifiers, given)
    };
    let (_, old) = tokens(7, 5);
    for (seed, incarnation) in [(7, 6), (7, 1_000_000), (8, 5)] {
        let (identifiers, given) = tokens(seed, incarnation);
        for token in &old {
            assert!(!identifiers.has_given(*token));
            assert!(!given.contains(token));
        }
    }
}
