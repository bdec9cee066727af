//! Byte classes and the few scans that every grammar rule of SIP is made of (RFC 3261 25.1).
//!
//! Offsets here and in the readers above never leave the slice they come from, so adding them cannot
//! overflow; `wrapping_add` says so without the cost of a check, and every access is bounded by `get`.

/// A byte of a `token`.
pub(super) const TOKEN: u8 = 1;
/// A byte of a host name. The underscore is not in the grammar, but in use.
pub(super) const HOST: u8 = 2;
/// A byte that cannot stand in a URI: controls, space, `"`, `<`, `>`.
pub(super) const NOT_URI: u8 = 4;
/// A byte of linear white space, folding included.
pub(super) const LWS: u8 = 8;
/// A byte of a scheme name.
pub(super) const SCHEME: u8 = 16;
/// A decimal digit.
pub(super) const DIGIT: u8 = 32;
/// A byte that ends the display name or the bare URI of an address: `;` `,` `"` `<`.
pub(super) const DELIMITER: u8 = 64;
/// A byte that ends a part of a URI or parameter: `:` `;` `=` `?` `@`.
pub(super) const PART_END: u8 = 128;

const fn classes_of(byte: u8) -> u8 {
    let token = match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => TOKEN,
        b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~' => TOKEN,
        _ => 0,
    };
    let host = match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => HOST,
        _ => 0,
    };
    let not_uri = match byte {
        0..=0x20 | 0x7f | b'"' | b'<' | b'>' => NOT_URI,
        _ => 0,
    };
    let lws = match byte {
        b' ' | b'\t' | b'\r' | b'\n' => LWS,
        _ => 0,
    };
    let scheme = match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'+' | b'-' | b'.' => SCHEME,
        _ => 0,
    };
    let digit = if byte.is_ascii_digit() { DIGIT } else { 0 };
    let delimiter = match byte {
        b';' | b',' | b'"' | b'<' => DELIMITER,
        _ => 0,
    };
    let part_end = match byte {
        b':' | b';' | b'=' | b'?' | b'@' => PART_END,
        _ => 0,
    };
    token | host | not_uri | lws | scheme | digit | delimiter | part_end
}

const fn table() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let Some((first, tail)) = rest.split_first_mut() {
        *first = classes_of(byte);
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
}

static CLASSES: [u8; 256] = table();

#[inline]
fn classes(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Whether `byte` is of one of the classes.
#[inline]
pub(super) fn is(byte: u8, of: u8) -> bool {
    classes(byte) & of != 0
}

/// How many bytes at the start are of the class (one alone).
#[inline]
pub(super) fn run(bytes: &[u8], class: u8) -> usize {
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        if chunk.iter().fold(class, |all, b| all & classes(*b)) == 0 {
            break;
        }
        rest = tail;
    }
    while let Some((first, tail)) = rest.split_first() {
        if classes(*first) & class == 0 {
            break;
        }
        rest = tail;
    }
    bytes.len().wrapping_sub(rest.len())
}

/// Whether all bytes are of the class (one alone).
#[inline]
pub(super) fn all(bytes: &[u8], class: u8) -> bool {
    run(bytes, class) == bytes.len()
}

/// The first byte that is of one of the classes.
#[inline]
pub(super) fn find(bytes: &[u8], of: u8) -> Option<usize> {
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        if chunk.iter().fold(0, |any, b| any | classes(*b)) & of != 0 {
            break;
        }
        rest = tail;
    }
    while let Some((first, tail)) = rest.split_first() {
        if classes(*first) & of != 0 {
            return Some(bytes.len().wrapping_sub(rest.len()));
        }
        rest = tail;
    }
    None
}

const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
/// In each byte the one that follows CR.
const PAST_CR: u64 = 0x0e0e_0e0e_0e0e_0e0e;

/// The place of the first CR, LF or NUL. Whole blocks are passed over by one comparison each, which the
/// compiler makes a vector one; header lines are too short for a call to a vector search to pay.
#[inline]
pub(super) fn line_break(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    loop {
        while let Some((block, tail)) = rest.split_first_chunk::<32>() {
            if block.iter().fold(false, |any, b| any | (*b <= b'\r')) {
                break;
            }
            rest = tail;
        }
        while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
            if low_controls(*chunk) != 0 {
                break;
            }
            rest = tail;
        }
        let low = match rest.split_first_chunk::<8>() {
            Some((chunk, _)) => (low_controls(*chunk).trailing_zeros() >> 3) as usize,
            None => rest.iter().position(|b| *b <= b'\r')?,
        };
        rest = after(rest, low);
        match rest.first() {
            Some(b'\r' | b'\n' | 0) => return Some(bytes.len().wrapping_sub(rest.len())),
            _ => rest = after(rest, 1),
        }
    }
}

/// Marks the bytes up to CR; exact for the lowest one.
#[inline]
fn low_controls(chunk: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(chunk);
    word.wrapping_sub(PAST_CR) & !word & (EACH_BYTE << 7)
}

/// Marks the bytes that are `wanted`; exact for the lowest one.
#[inline]
fn marks(word: u64, wanted: u8) -> u64 {
    let differs = word ^ EACH_BYTE.wrapping_mul(u64::from(wanted));
    differs.wrapping_sub(EACH_BYTE) & !differs & (EACH_BYTE << 7)
}

/// The place of the first `a` or `b`. For short texts, where a call to a vector search costs more than it
/// saves.
#[inline]
pub(super) fn either(bytes: &[u8], a: u8, b: u8) -> Option<usize> {
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = marks(word, a) | marks(word, b);
        if found != 0 {
            let at = bytes.len().wrapping_sub(rest.len());
            return Some(at.wrapping_add((found.trailing_zeros() >> 3) as usize));
        }
        rest = tail;
    }
    let found = rest.iter().position(|byte| *byte == a || *byte == b)?;
    Some(bytes.len().wrapping_sub(rest.len()).wrapping_add(found))
}

/// The place of the first colon.
#[inline]
pub(super) fn colon(bytes: &[u8]) -> Option<usize> {
    either(bytes, b':', b':')
}

/// Whether no byte is of one of the classes. The last block overlaps the one before.
#[inline]
pub(super) fn none(bytes: &[u8], of: u8) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().all(|b| !is(*b, of));
    };
    let mut any = last.iter().fold(0, |any, b| any | classes(*b));
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        any |= chunk.iter().fold(0, |any, b| any | classes(*b));
        rest = tail;
    }
    any & of == 0
}

/// Whether `name` is `lower` in any case. `lower` is of small letters and hyphens; a CR in `name` would pass
/// for a hyphen, so it must be known to hold none.
#[inline]
pub(super) fn is_name(lower: &[u8], name: &[u8]) -> bool {
    if lower.len() != name.len() {
        return false;
    }
    let (mut a, mut b) = (lower, name);
    while let (Some((x, rest_a)), Some((y, rest_b))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        if u64::from_le_bytes(*x) != u64::from_le_bytes(*y) | (EACH_BYTE << 5) {
            return false;
        }
        (a, b) = (rest_a, rest_b);
    }
    while let (Some((x, rest_a)), Some((y, rest_b))) =
        (a.split_first_chunk::<2>(), b.split_first_chunk::<2>())
    {
        if u16::from_le_bytes(*x) != u16::from_le_bytes(*y) | 0x2020 {
            return false;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.iter().zip(b).all(|(x, y)| *x == *y | 0x20)
}

/// Whether the bytes are a token.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// `bytes` from `at` on; empty past the end.
#[inline]
pub(super) fn after(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

/// `bytes` up to `at`; all of them past the end.
#[inline]
pub(super) fn before(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(..at).unwrap_or(bytes)
}

/// `bytes[from..to]`, empty where there is no such part.
#[inline]
pub(super) fn between(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to).unwrap_or_default()
}

/// How many bytes of white space are at the start: few, mostly.
#[inline]
pub(super) fn lws(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
        .unwrap_or(bytes.len())
}

/// How many digits are at the start: few, mostly.
#[inline]
pub(super) fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len())
}

/// Without white space at the start.
#[inline]
pub(super) fn trim_start(bytes: &[u8]) -> &[u8] {
    after(bytes, lws(bytes))
}

/// Without white space at the end.
#[inline]
pub(super) fn trim_end(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some((last, head)) = rest.split_last() {
        if !matches!(last, b' ' | b'\t' | b'\r' | b'\n') {
            break;
        }
        rest = head;
    }
    rest
}

/// Without white space at either end.
#[inline]
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// Where the quoted string that begins at the start of `bytes` (with its quote) ends: the index past the
/// closing quote. `None` when it is never closed.
pub(super) fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut at = 1usize;
    loop {
        let found = memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        at = at.wrapping_add(found);
        match bytes.get(at) {
            Some(b'"') => return Some(at.wrapping_add(1)),
            _ => at = at.wrapping_add(2),
        }
    }
}

/// The value between the quotes where there are quotes, else as it is; escapes stay.
pub(super) fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        other => other,
    }
}

/// Equality in any case. Lengths first: comparing empty slices is slow elsewhere.
#[inline]
pub(super) fn same_text(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.eq_ignore_ascii_case(b)
}

/// Equality of bytes, lengths first.
#[inline]
pub(super) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

/// A decimal number, clamped to the largest that fits. `None` when empty or not all digits.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    let mut value = 0u32;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(u32::from(digit));
    }
    Some(value)
}

/// A decimal number from 0 to 65,535 of at most five digits.
pub(super) fn port(bytes: &[u8]) -> Option<u16> {
    if bytes.len() > 5 {
        return None;
    }
    number(bytes).and_then(|n| u16::try_from(n).ok())
}
