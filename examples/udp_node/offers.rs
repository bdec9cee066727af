//! The streams of a session among several interworking functions: an offer that is dealt out to them, and their answers
//! joined to one (RFC 3264 5, 6).

use ims_procedures::{
    drive::{Buffer, Limits},
    wire::sdp::{Description, StreamSet},
};

use crate::hop::whole;

/// Which streams of an offer are whose. Stream number n is that of IWF n, the last has the rest; and an IWF for which there
/// is none has a part in all of them, and none of its own.
pub fn deal(offer: &Description<'_>, iwfs: usize) -> Vec<StreamSet> {
    let mut dealt = vec![StreamSet::EMPTY; iwfs];
    for stream in offer.streams() {
        let owner = stream.number.min(iwfs.saturating_sub(1));
        if let Some(own) = dealt.get_mut(owner) {
            *own = own.with(stream.number);
        }
    }
    dealt
}

/// The offer to whoever has these streams of it: the others are refused before they are asked for.
pub fn part(offer: &Description<'_>, own: StreamSet) -> Option<Vec<u8>> {
    let others = offer.live().without(own);
    if own.is_empty() || others.is_empty() {
        return Some(offer.bytes().to_vec());
    }
    let mut buffer = Buffer::new(Limits::default().message_bytes);
    offer.put_without(others, &mut buffer);
    whole(buffer)
}

/// One answer of several, each with the streams that are its own: what it says of them, and of the session what the first
/// says.
pub fn join(answers: &[(StreamSet, &[u8])]) -> Option<Vec<u8>> {
    let sections = |answer| Sections::of(answer);
    let (_, first) = answers.first()?;
    let base = sections(first);
    let mut joined = base.session.to_vec();
    for (number, own) in base.streams.iter().enumerate() {
        let owner = answers.iter().skip(1).find(|(set, _)| set.contains(number));
        match owner {
            None => joined.extend_from_slice(own),
            Some((_, answer)) => {
                let theirs = sections(answer);
                let stream = theirs.streams.get(number)?;
                joined.extend(with_address(stream, theirs.session));
            }
        }
    }
    Some(joined)
}

/// A description, cut where its streams begin.
struct Sections<'a> {
    session: &'a [u8],
    streams: Vec<&'a [u8]>,
}

impl<'a> Sections<'a> {
    fn of(description: &'a [u8]) -> Self {
        let mut starts = Vec::new();
        let mut at = 0;
        for line in description.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b"m=") {
                starts.push(at);
            }
            at += line.len();
        }
        let ends = starts.iter().skip(1).copied().chain([description.len()]);
        let cut = |start: usize, end: usize| description.get(start..end).unwrap_or_default();
        Self {
            session: cut(0, starts.first().copied().unwrap_or(description.len())),
            streams: starts
                .iter()
                .zip(ends)
                .map(|(&start, end)| cut(start, end))
                .collect(),
        }
    }
}

/// A stream with the address that its session gave it, if it has none of its own (RFC 8866 5.7).
fn with_address(stream: &[u8], session: &[u8]) -> Vec<u8> {
    let lines = |section| <[u8]>::split_inclusive(section, |byte| *byte == b'\n');
    let is_address = |line: &&[u8]| line.starts_with(b"c=");
    let address = lines(session).find(is_address).unwrap_or_default();
    if lines(stream).any(|line| line.starts_with(b"c=")) {
        return stream.to_vec();
    }
    // Before it there may stand a title.
    let is_before = |line: &&[u8]| line.starts_with(b"m=") || line.starts_with(b"i=");
    let head: usize = lines(stream).take_while(is_before).map(<[u8]>::len).sum();
    let (head, rest) = stream.split_at(head);
    [head, address, rest].concat()
}
