//! [RFC 3264 8] Session descriptions: refused at one of their bytes, or written anew with nothing else changed than
//! what deleting streams changes.

use ims_procedures::{
    drive::{Buffer, Limits},
    wire::sdp::{Description, StreamSet, next_version},
};

use super::shown;

/// [RFC 3264 8] [RFC 8866 9] Any bytes as a session description, and several sets of streams deleted from it.
pub fn sdp(bytes: &[u8]) {
    let limits = Limits::default();
    let description = match Description::parse(bytes, &limits) {
        Ok(description) => description,
        Err(reject) => return assert!(reject.at as usize <= bytes.len(), "{}", shown(bytes)),
    };
    assert_eq!(description.streams().count(), description.count());
    assert_eq!(description.bytes(), bytes);
    let alternate = 0xaaaa_aaaa_aaaa_aaaa;
    let one = |number: usize| StreamSet::EMPTY.with(number);
    let sets = [0, u64::MAX, alternate, !alternate].map(StreamSet::from_bits);
    for set in sets.into_iter().chain((0..description.count()).map(one)) {
        deleted(&description, set);
    }
}

fn deleted(before: &Description<'_>, set: StreamSet) {
    let written = written(before, set);
    let shown = shown(&written);
    assert!(written.len() <= before.bytes().len() + 1, "{shown}");
    let after = Description::parse(&written, &Limits::default()).expect(&shown);
    assert_eq!(after.live(), before.live().without(set), "{shown}");
    let version = next_version(before.session_version());
    assert_eq!(after.session_version(), version, "{shown}");
    assert_eq!(written, expected(before, set), "{shown}");
    let again = self::written(&after, set);
    assert_eq!(again, expected(&after, StreamSet::EMPTY), "{shown}");
}

fn written(description: &Description<'_>, set: StreamSet) -> Vec<u8> {
    let mut buffer = Buffer::new(70_000);
    let written = buffer.attempt(|buffer| description.put_without(set, buffer));
    assert_eq!(written, Ok(()));
    buffer.as_slice().to_vec()
}

/// The same in a slower and plainer way: line by line, word by word.
fn expected(description: &Description<'_>, set: StreamSet) -> Vec<u8> {
    let lines: Vec<&[u8]> = description
        .bytes()
        .split_inclusive(|b| *b == b'\n')
        .collect();
    let tags = tags(&lines, set);
    let mut number = 0;
    let mut expected = Vec::new();
    for line in lines {
        let text = text(line);
        let words: Vec<&[u8]> = text.split(|b| *b == b' ').collect();
        let mut words: Vec<Vec<u8>> = words.into_iter().map(<[u8]>::to_vec).collect();
        if text.starts_with(b"o=") {
            words[2] = next_version(description.session_version())
                .to_string()
                .into_bytes();
        } else if text.starts_with(b"m=") {
            close(&mut words[1], set.contains(number));
            number += 1;
        } else if text.starts_with(b"a=group:") && number == 0 {
            let semantics = words.remove(0);
            words.retain(|tag| tag.is_empty() || !tags.contains(tag));
            words.insert(0, semantics);
        }
        expected.extend(words.join(&b' '));
        expected.extend(&line[text.len()..]);
    }
    expected
}

fn close(port: &mut Vec<u8>, is_deleted: bool) {
    let digits = port.iter().take_while(|b| b.is_ascii_digit()).count();
    if is_deleted && port[..digits].iter().any(|digit| *digit != b'0') {
        port.splice(..digits, *b"0");
    }
}

/// The identification tags of these streams, the last of each.
fn tags(lines: &[&[u8]], set: StreamSet) -> Vec<Vec<u8>> {
    let mut tags = Vec::new();
    for (number, section) in lines
        .split(|line| line.starts_with(b"m="))
        .skip(1)
        .enumerate()
    {
        let mut own = section
            .iter()
            .filter_map(|line| text(line).strip_prefix(b"a=mid:"));
        if let (Some(tag), true) = (own.next_back(), set.contains(number)) {
            tags.push(tag.to_vec());
        }
    }
    tags
}

/// A line without its LF or CR LF.
fn text(line: &[u8]) -> &[u8] {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    text.strip_suffix(b"\r").unwrap_or(text)
}
