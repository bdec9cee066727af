//! `measure pathological`: a message filled with one thing over and over is framed, read and validated, and each
//! of its values read; a document is read. What it takes must grow with its length, and no faster.

use std::hint::black_box;

use ims_procedures::{
    drive::Limits,
    reginfo,
    wire::{Accepts, Framer, Message, Salvage, affinity, validate},
};

use crate::{
    generated::{ALL, DOCUMENTS, Kind, pathological},
    options::Options,
    timing::measure,
};

/// Bytes that come at once on a stream.
const PIECE: usize = 512;

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let Some(wanted) = &options.kind else {
        let all = ALL.iter().chain(DOCUMENTS);
        all.for_each(|kind| println!("{}", kind.name));
        return Ok(());
    };
    let mut all = ALL.iter().chain(DOCUMENTS);
    let found = all.find(|kind| kind.name == wanted);
    let kind: &Kind = found.ok_or(format!("no kind {wanted}; without --kind they are listed"))?;
    let bytes = pathological(kind, options.bytes);
    let mut limits = Limits::default();
    (limits.headers, limits.header_bytes) = (usize::MAX, usize::MAX);
    (limits.xml_elements, limits.xml_depth) = (usize::MAX, usize::MAX);
    let is_document = DOCUMENTS.iter().any(|document| document.name == kind.name);
    let figures = measure(options.n, options.repetitions, || match is_document {
        true => u64::from(reginfo::check(black_box(&bytes), &limits).is_ok()),
        false => work(black_box(&bytes), &limits),
    });
    figures.print(&kind.name.replace(' ', "-"), bytes.len(), options.n);
    Ok(())
}

fn work(bytes: &[u8], limits: &Limits) -> u64 {
    let mut framer = Framer::new(limits);
    let pieces = bytes.chunks(PIECE).scan(0, |end, piece| {
        *end += piece.len();
        Some(*end)
    });
    let mut seen = 0;
    for end in pieces {
        match framer.next(&bytes[..end]) {
            Ok(frame) => seen += frame.consumed() as u64,
            Err(_) => break,
        }
    }
    seen += u64::from(affinity(bytes).is_some());
    match Message::parse(bytes, limits) {
        Ok(message) => {
            seen += u64::from(validate(&message, &Accepts::server()).is_ok());
            seen + message
                .fields()
                .filter(|field| field.read().is_ok())
                .count() as u64
        }
        Err(reject) => seen + u64::from(Salvage::read(bytes, limits, reject).is_some()),
    }
}
