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
/// A byte that ends the display name or the bare URI of an address: `;` `,` `"` `<`.
pub(super) const ADDRESS_END: u8 = 32;
/// A byte that ends the name of a parameter, or cannot stand in it: as [`VALUE_END`], and `=`.
pub(super) const NAME_END: u8 = 64;
/// A byte that ends the value of a parameter, or cannot stand in it: `;` `,` `"` `<` `>` and white space.
pub(super) const VALUE_END: u8 = 128;

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
    let end = match byte {
        b';' | b',' | b'"' => ADDRESS_END | NAME_END | VALUE_END,
        b'<' => ADDRESS_END | NAME_END | VALUE_END,
        b'>' | b' ' | b'\t' | b'\r' | b'\n' => NAME_END | VALUE_END,
        b'=' => NAME_END,
        _ => 0,
    };
    token | host | not_uri | lws | scheme | end
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

/// How long the line at the start of `bytes` is, without its CR LF; NULs may stand in it. `None` where CR or LF
/// stands alone, or nothing ends it.
pub(super) fn line_over_nuls(bytes: &[u8]) -> Option<usize> {
    let end = line_break_over_nul(bytes);
    after(bytes, end).starts_with(b"\r\n").then_some(end)
}

/// How many bytes come before the first CR, LF or NUL, or the end. Whole blocks are passed over by one
/// comparison each, which the compiler makes a vector one; header lines are too short for a call to a vector
/// search to pay.
#[inline(always)]
pub(super) fn line_break(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    loop {
        while let Some((block, tail)) = rest.split_first_chunk::<32>() {
            if block.iter().fold(false, |any, b| any | (*b <= b'\r')) {
                break;
            }
            rest = tail;
        }
        let mut low = 0;
        while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
            low = low_controls(u64::from_le_bytes(*chunk));
            if low != 0 {
                break;
            }
            rest = tail;
        }
        if low == 0 {
            low = low_controls(short_word(rest));
        }
        match rest.split_at_checked(lowest(low)) {
            Some((_, [b'\r' | b'\n' | 0, tail @ ..])) => {
                return bytes.len().wrapping_sub(tail.len()).wrapping_sub(1);
            }
            Some((_, [_, tail @ ..])) => rest = tail,
            _ => return bytes.len(),
        }
    }
}

/// As [`line_break`], over NUL: where it is for others to say whether that may stand there.
pub(super) fn line_break_over_nul(bytes: &[u8]) -> usize {
    let mut at = 0usize;
    loop {
        at = at.wrapping_add(line_break(after(bytes, at)));
        match bytes.get(at) {
            Some(0) => at = at.wrapping_add(1),
            _ => return at,
        }
    }
}

/// Marks the bytes up to CR; exact for the lowest one.
#[inline(always)]
const fn low_controls(word: u64) -> u64 {
    word.wrapping_sub(PAST_CR) & !word & (EACH_BYTE << 7)
}

/// The place of the first byte that is `A`. As [`first_of`].
#[inline(always)]
pub(super) fn first<const A: u8>(bytes: &[u8]) -> Option<usize> {
    first_of::<A, A>(bytes)
}

/// The place of the first byte that is `A` or `B`, which are ASCII and not 0: zeros stand for what lies past the
/// end. For short texts, where a call to a vector search costs more than it saves. Never made part of its
/// callers: the readers of values stay small enough for the processor to keep.
#[inline(never)]
pub(super) fn first_of<const A: u8, const B: u8>(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    for chunk in bytes.chunks_exact(8) {
        let found = marks::<A, B>(u64::from_le_bytes(*chunk.first_chunk()?));
        if found != 0 {
            return Some(at.wrapping_add(lowest(found)));
        }
        at = at.wrapping_add(8);
    }
    let rest = (bytes.len() & 7) as u32;
    if rest == 0 {
        return None;
    }
    let word = match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (8u32.wrapping_sub(rest).wrapping_mul(8) & 63),
        None => short_word(bytes),
    };
    match marks::<A, B>(word) {
        0 => None,
        found => Some(at.wrapping_add(lowest(found))),
    }
}

/// Marks the bytes that are `A` or `B`; exact for the lowest one.
#[inline(always)]
const fn marks<const A: u8, const B: u8>(word: u64) -> u64 {
    let a = (word ^ EACH_BYTE.wrapping_mul(A as u64)).wrapping_sub(EACH_BYTE);
    let b = (word ^ EACH_BYTE.wrapping_mul(B as u64)).wrapping_sub(EACH_BYTE);
    (a | b) & !word & (EACH_BYTE << 7)
}

/// Which byte the lowest mark is on.
#[inline(always)]
const fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() >> 3) as usize
}

/// Where in a word the first byte that is `A`, which is ASCII, stands.
#[inline(always)]
pub(super) const fn place_of<const A: u8>(word: u64) -> Option<usize> {
    match marks::<A, A>(word) {
        0 => None,
        found => Some(lowest(found)),
    }
}

/// The first `count` bytes of a word, at most seven, zeros above.
#[inline(always)]
pub(super) const fn low_bytes(word: u64, count: usize) -> u64 {
    let bits = (count as u32).wrapping_mul(8) & 63;
    word & (1u64 << bits).wrapping_sub(1)
}

/// Up to seven bytes as a word, the first lowest, zeros above.
#[inline(always)]
pub(super) fn short_word(bytes: &[u8]) -> u64 {
    if let (Some(low), Some(high)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let shift = (bytes.len() as u32).wrapping_sub(4).wrapping_mul(8) & 31;
        let high = u64::from(u32::from_le_bytes(*high)) << shift;
        return u64::from(u32::from_le_bytes(*low)) | high;
    }
    match bytes {
        [a] => u64::from(*a),
        [a, b] => u64::from(u16::from_le_bytes([*a, *b])),
        [a, b, c] => u64::from(u32::from_le_bytes([*a, *b, *c, 0])),
        _ => 0,
    }
}

/// Whether no byte is a control, a space or one of `"` `<` `>`: what no URI can hold. Whole blocks take a few
/// vector comparisons; the last one overlaps the one before. Where a block holds `!`, each byte is looked at.
#[inline(never)]
pub(super) fn is_uri_text(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return is_short_uri_text(bytes);
    };
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        if !is_plain(block) {
            return find(rest, NOT_URI).is_none();
        }
        rest = tail;
    }
    is_plain(last) || find(last, NOT_URI).is_none()
}

/// As [`is_uri_text`], for what is shorter than a block.
#[inline(always)]
fn is_short_uri_text(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let unusual = unusual(u64::from_le_bytes(*first)) | unusual(u64::from_le_bytes(*last));
        if unusual == 0 {
            return true;
        }
    }
    bytes.iter().all(|b| !is(*b, NOT_URI))
}

/// Marks, perhaps among others, the bytes up to `"`, DEL, `<` and `>`.
#[inline(always)]
const fn unusual(word: u64) -> u64 {
    let angle = (word & (EACH_BYTE.wrapping_mul(0xfd))) ^ (EACH_BYTE.wrapping_mul(b'<' as u64));
    let delete = word ^ (EACH_BYTE.wrapping_mul(0x7f));
    let low = word.wrapping_sub(EACH_BYTE.wrapping_mul(0x23));
    (low | angle.wrapping_sub(EACH_BYTE) | delete.wrapping_sub(EACH_BYTE)) & (EACH_BYTE << 7)
}

/// Whether no byte of a block is up to `"`, or DEL, or one of `<` `>`. Each comparison has a loop of its own:
/// the compiler makes three vector instructions of it.
#[inline(always)]
fn is_plain(block: &[u8; 16]) -> bool {
    let low = block.iter().fold(false, |any, b| any | (*b <= b'"'));
    let delete = block.iter().fold(false, |any, b| any | (*b == 0x7f));
    let angle = block.iter().fold(false, |any, b| any | (*b & 0xfd == b'<'));
    !(low | delete | angle)
}

/// The place of the first control or space.
#[inline]
pub(super) fn control(bytes: &[u8]) -> Option<usize> {
    let is_control = |byte: u8| (byte <= b' ') | (byte == 0x7f);
    if bytes.iter().fold(false, |any, b| any | is_control(*b)) {
        return bytes.iter().position(|b| is_control(*b));
    }
    None
}

/// How many bytes of a host name are at the start.
#[inline(never)]
pub(super) fn host_run(bytes: &[u8]) -> usize {
    let mut at = 0usize;
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        if !block.iter().fold(true, |all, b| all & is_host_byte(*b)) {
            break;
        }
        at = at.wrapping_add(16);
        rest = tail;
    }
    at.wrapping_add(run(rest, HOST))
}

#[inline(always)]
const fn is_host_byte(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26)
        | (byte.wrapping_sub(b'-') < 2)
        | (byte.wrapping_sub(b'0') < 10)
        | (byte == b'_')
}

/// Whether `name` is `lower` in any case. `lower` is of small letters, digits, `-`, `.` and `+`.
#[inline(always)]
pub(super) fn is_name(lower: &[u8], name: &[u8]) -> bool {
    if lower.len() != name.len() {
        return false;
    }
    let (mut a, mut b) = (lower, name);
    while let (Some((x, rest_a)), Some((y, rest_b))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        if !same_letters(u64::from_le_bytes(*x), u64::from_le_bytes(*y)) {
            return false;
        }
        (a, b) = (rest_a, rest_b);
    }
    same_letters(short_word(a), short_word(b))
}

/// Whether `word` is `lower` in any case: of small letters only, the bit of the case is passed over.
#[inline(always)]
pub(super) const fn same_letters(lower: u64, word: u64) -> bool {
    lower == word | ((lower >> 1) & (EACH_BYTE << 5))
}

/// How many bytes come before the first that is of one of the classes, or the end: few, mostly.
#[inline(always)]
pub(super) fn until(bytes: &[u8], of: u8) -> usize {
    bytes.iter().position(|b| is(*b, of)).unwrap_or(bytes.len())
}

/// Whether the bytes are a token.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// `bytes` in two at `at`; the second is empty past the end.
#[inline(always)]
pub(super) fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
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
#[inline(always)]
pub(super) fn lws(bytes: &[u8]) -> usize {
    bytes.len().wrapping_sub(trim_start(bytes).len())
}

/// Without spaces and tabs at the start: there is one, mostly.
#[inline(always)]
pub(super) fn skip_blanks(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b' ', tail @ ..] if !begins_with_space(tail) => tail,
        _ => skip_many_blanks(bytes),
    }
}

/// Whether white space, or another control, comes first.
#[inline(always)]
const fn begins_with_space(bytes: &[u8]) -> bool {
    matches!(bytes, [first, ..] if *first <= b' ')
}

#[inline(never)]
fn skip_many_blanks(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ' | b'\t', tail @ ..] = rest {
        rest = tail;
    }
    rest
}

/// How many digits are at the start: few, mostly.
#[inline]
pub(super) fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len())
}

/// Without white space at the start: there is none, mostly.
#[inline(always)]
pub(super) fn trim_start(bytes: &[u8]) -> &[u8] {
    if begins_with_space(bytes) {
        trim_start_space(bytes)
    } else {
        bytes
    }
}

#[inline(never)]
fn trim_start_space(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ' | b'\t' | b'\r' | b'\n', tail @ ..] = rest {
        rest = tail;
    }
    rest
}

/// Without white space at the end: there is none, mostly.
#[inline(always)]
pub(super) fn trim_end(bytes: &[u8]) -> &[u8] {
    match bytes {
        [.., last] if *last <= b' ' => trim_end_space(bytes),
        _ => bytes,
    }
}

#[inline(never)]
fn trim_end_space(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [head @ .., b' ' | b'\t' | b'\r' | b'\n'] = rest {
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
#[inline]
pub(super) fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut at = 1usize;
    loop {
        at = at.wrapping_add(first_of::<b'"', b'\\'>(bytes.get(at..)?)?);
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

const SIP: &[u8] = b"SIP/";

/// A version of SIP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// SIP/2.0, which is spoken here.
    Own,
    /// Another one.
    Other,
}

/// [RFC 3261 7.1] Which version of SIP `word` names, in any case; `None` where it names none.
pub(super) fn sip_version(word: &[u8]) -> Option<Version> {
    if same_text(word, b"SIP/2.0") {
        return Some(Version::Own);
    }
    let number = after(word, SIP.len());
    let (major, rest) = split(number, digits(number));
    let minor = rest.strip_prefix(b".")?;
    let is_number = |part: &[u8]| !part.is_empty() && digits(part) == part.len();
    (names_sip(word) && is_number(major) && is_number(minor)).then_some(Version::Other)
}

/// Whether `text` begins as a version of SIP does.
pub(super) fn names_sip(text: &[u8]) -> bool {
    same_text(before(text, SIP.len()), SIP)
}

/// What follows the last space of a line, white space after it apart; all of it where there is no space.
pub(super) fn last_word(line: &[u8]) -> &[u8] {
    let line = trim_end(line);
    memchr::memrchr(b' ', line).map_or(line, |space| after(line, space.wrapping_add(1)))
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
#[inline]
pub(super) fn port(bytes: &[u8]) -> Option<u16> {
    if bytes.len() > 5 {
        return None;
    }
    number(bytes).and_then(|n| u16::try_from(n).ok())
}
