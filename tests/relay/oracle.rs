//! What must hold when any bytes are relayed. Each check compares the library with something plainer, and panics
//! where they differ.

use ims_procedures::{
    drive::{Buffer, Limits},
    regevent::relay::{
        Body, Config, Documents, NewUri, Relayed, RequestUris, Translation, Untranslated, relay,
    },
    reginfo::{Document, translate},
    wire::{Contact, HeaderName, Message, Method},
};

/// What a mapped URI is made of, so that it can be found again in what was written. In a document, and in a Contact
/// without angle brackets, it cannot stand as it is.
const MARK: &str = "sip:m'@b.example;a=1?b=2&c=3";
const MARK_IN_XML: &str = "sip:m&apos;@b.example;a=1?b=2&amp;c=3";

/// Everything that must hold of bytes as a message and as a document.
pub fn relay_anything(bytes: &[u8]) {
    message(bytes);
    document(bytes);
    let mut notify =
        b"NOTIFY sip:s@a.example SIP/2.0\r\nf: <sip:a@h>;tag=1\r\nt: <sip:a@h>;tag=2\r\n\
        i: c\r\nCSeq: 1 NOTIFY\r\no: reg\r\nm: sip:n@h;x=1\r\nc: application/reginfo+xml\r\n"
            .to_vec();
    notify.extend_from_slice(format!("l : \r\n {}\r\n\r\n", bytes.len()).as_bytes());
    notify.extend_from_slice(bytes);
    message(&notify);
}

/// Wide enough for what a mapping makes longer.
fn wide() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes *= 16;
    limits.header_bytes = usize::MAX;
    limits.xml_bytes *= 16;
    limits
}

/// What cannot be mapped to another is mapped to itself.
struct Same;

impl Translation for Same {
    fn contact(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        for byte in uri {
            new.put(&[*byte]);
        }
        true
    }

    fn request_uri(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.contact(uri, new)
    }

    fn aor(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        new.put(uri);
        false
    }
}

/// Everything is mapped, each thing to one of its own.
struct Other<'m>(&'m [u8]);

impl Translation for Other<'_> {
    fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
        let (front, back) = self.0.split_at(self.0.len() / 2);
        new.put(front);
        new.put(back);
        true
    }

    fn request_uri(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.contact(uri, new)
    }

    fn aor(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.contact(uri, new)
    }

    fn expires(&self, seconds: u64) -> u64 {
        expiry(seconds)
    }
}

fn expiry(seconds: u64) -> u64 {
    seconds / 2
}

fn config(documents: Documents) -> Config {
    let mut config = Config::default();
    config.documents = documents;
    config
}

fn relayed(
    bytes: &[u8],
    config: &Config,
    translation: &dyn Translation,
) -> Result<(Relayed, Vec<u8>), Untranslated> {
    let mut buffer = Buffer::new(1 << 20);
    buffer.put(b"kept");
    let limits = wide();
    let outcome = relay(bytes, &limits, config, translation, &mut buffer);
    assert_eq!(buffer.fault(), None);
    let written = buffer.as_slice().strip_prefix(b"kept").expect("kept");
    if !matches!(outcome, Ok(Relayed::Written(_))) {
        assert!(written.is_empty());
    }
    outcome.map(|relayed| (relayed, written.to_vec()))
}

fn message(bytes: &[u8]) {
    let limits = wide();
    let untouched = config(Documents::Untouched);
    let translated = config(Documents::Translated);
    let Ok(came) = Message::parse(bytes, &limits) else {
        let outcome = relayed(bytes, &translated, &Same);
        assert!(matches!(outcome, Err(Untranslated::Rejected(_))));
        return;
    };
    for config in [untouched, translated] {
        match relayed(bytes, &config, &Same) {
            Ok((Relayed::Written(changes), written)) => {
                assert_eq!(written, bytes[..came.end()]);
                assert_eq!((changes.request_uri, changes.contacts), (false, 0));
                let is_same = matches!(
                    changes.body,
                    Body::Untouched | Body::Translated(0) | Body::Unread(_)
                );
                assert!(is_same);
            }
            Ok((Relayed::NotOurs, _)) => assert!(!is_ours(&came)),
            Err(fault) => {
                assert!(matches!(fault, Untranslated::Rejected(_)));
                return;
            }
        }
    }
    if !is_ours(&came) {
        return;
    }
    mapped(&came, &untouched);
    mapped(&came, &translated);
    let mut all = translated;
    all.request_uris = RequestUris::All;
    mapped(&came, &all);
    hostile(&came, &all);
}

fn is_ours(message: &Message<'_>) -> bool {
    let method = message
        .method()
        .or_else(|| Some(message.cseq().ok()?.method));
    let event = message.event().ok().flatten();
    matches!(method, Some(Method::Subscribe | Method::Notify))
        && event.map_or(!message.is_request(), |event| event.package == b"reg")
}

/// Where a part stands in the bytes it was read from.
fn place(part: &[u8], whole: &[u8]) -> std::ops::Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

/// The contacts' URIs as they stand.
fn contacts<'a>(message: &Message<'a>) -> Vec<&'a [u8]> {
    let contacts = message
        .contacts()
        .map(|contact| contact.expect("read before"));
    let uri = |contact| match contact {
        Contact::Star => None,
        Contact::Addr(address) => Some(address.uri_bytes()),
    };
    contacts.filter_map(uri).collect()
}

/// Everything but the body, of which nothing is known here, is what a plain replacement from the back makes of it.
fn mapped(came: &Message<'_>, config: &Config) {
    let bytes = came.bytes();
    let (relayed, written) =
        relayed(bytes, config, &Other(MARK.as_bytes())).expect("nothing in the way");
    let Relayed::Written(changes) = relayed else {
        panic!("it is ours");
    };
    let goes = Message::parse(&written, &wide()).expect("what was written is a message");
    let mut head = bytes[..came.head_end()].to_vec();
    let mut edits = Vec::new();
    for uri in contacts(came) {
        let place = place(uri, bytes);
        let is_bare = bytes[place.start - 1] != b'<';
        let mark = if is_bare {
            format!("<{MARK}>")
        } else {
            MARK.to_owned()
        };
        edits.push((place, mark));
    }
    assert_eq!(changes.contacts, edits.len());
    let is_asked =
        config.request_uris == RequestUris::All || came.to().is_ok_and(|to| to.tag().is_some());
    if let (Some(uri), true) = (came.request_uri(), is_asked) {
        assert!(changes.request_uri);
        edits.push((place(uri, bytes), MARK.to_owned()));
    }
    for length in came.headers(HeaderName::ContentLength) {
        if came.body().len() != goes.body().len() {
            edits.push((place(length.raw(), bytes), goes.body().len().to_string()));
        }
    }
    edits.sort_by_key(|(place, _)| place.start);
    for (place, other) in edits.into_iter().rev() {
        head.splice(place, other.into_bytes());
    }
    assert_eq!(&written[..goes.head_end()], head);
    let is_document = config.documents == Documents::Translated
        && came.method() == Some(Method::Notify)
        && came.content_type_is(b"application/reginfo+xml")
        && !came.body().is_empty();
    match (changes.body, is_document) {
        (Body::Translated(_), true) => {
            assert_eq!(
                goes.body(),
                translated(came.body(), MARK).expect("read before")
            );
        }
        (Body::Unread(reject), true) => {
            let shown = Document::read(came.body(), &wide()).expect_err("unread");
            assert_eq!(reject, shown.shifted(came.head_end() + 2));
            assert_eq!(goes.body(), came.body());
        }
        (Body::Untouched, false) => assert_eq!(goes.body(), came.body()),
        (body, _) => panic!("{body:?}"),
    }
}

/// Whatever a translation puts, nothing breaks out: the message has as many fields and contacts, or none leaves.
fn hostile(came: &Message<'_>, config: &Config) {
    let bytes = came.bytes();
    for put in [
        &bytes[bytes.len() - bytes.len().min(12)..],
        came.body(),
        b"",
        b"sip:a@h\r\nRoute: <sip:evil>",
        b"sip:a@h>;x=\"",
        b"sip:a@h, <sip:b@h>",
        b"sip:\0@h",
        b"\xff",
        b" sip:a@h",
    ] {
        match relayed(bytes, config, &Other(put)) {
            Ok((_, written)) => {
                let goes = Message::parse(&written, &wide()).expect("a message");
                assert_eq!(goes.header_count(), came.header_count());
                assert_eq!(contacts(&goes).len(), contacts(came).len());
            }
            Err(fault) => {
                let is_known = matches!(fault, Untranslated::NotAUri | Untranslated::TooLarge);
                assert!(is_known, "{fault}");
            }
        }
    }
}

fn translated(document: &[u8], mark: &str) -> Result<Vec<u8>, Untranslated> {
    let mut buffer = Buffer::new(1 << 20);
    translate(document, &wide(), &Other(mark.as_bytes()), &mut buffer)?;
    Ok(buffer.as_slice().to_vec())
}

fn document(bytes: &[u8]) {
    let limits = wide();
    let mut buffer = Buffer::new(1 << 20);
    let came = match Document::read(bytes, &limits) {
        Ok(document) => document,
        Err(reject) => {
            let outcome = translate(bytes, &limits, &Same, &mut buffer);
            assert_eq!(outcome, Err(Untranslated::Rejected(reject)));
            assert!(buffer.is_empty());
            return;
        }
    };
    assert_eq!(translate(bytes, &limits, &Same, &mut buffer), Ok(0));
    assert_eq!(buffer.as_slice(), bytes);
    buffer.clear();
    let count = translate(bytes, &limits, &Other(MARK.as_bytes()), &mut buffer);
    let goes = Document::read(buffer.as_slice(), &limits).expect("what was written is a document");
    let mut model = came.clone();
    assert_eq!(count, Ok(map(&mut model, MARK)));
    assert_eq!(goes, model);
    outside_is_kept(bytes, &came);
    // What a translation puts reads as it was given, or nothing is written.
    let put = bytes.get(bytes.len() / 2..bytes.len() / 2 + 9);
    for put in [put.unwrap_or(b"]]>"), b"<!--&#10;\"'>]]>&lt;"] {
        if let (Ok(written), Ok(put)) = (
            translated(bytes, &String::from_utf8_lossy(put)),
            std::str::from_utf8(put),
        ) {
            let goes = Document::read(&written, &limits).expect("a document");
            let mut model = came.clone();
            map(&mut model, put);
            assert_eq!(goes, model);
        }
    }
}

/// The same on the owned document; how much of it changed.
fn map(document: &mut Document, mark: &str) -> usize {
    let mut count = 0;
    let mut put = |text: &mut String| {
        if !text.is_empty() {
            count += usize::from(text != mark);
            *text = mark.to_owned();
        }
    };
    let mut seconds = 0;
    for registration in &mut document.registrations {
        put(&mut registration.aor);
        for contact in &mut registration.contacts {
            put(&mut contact.uri);
            contact.pub_gruu.iter_mut().for_each(&mut put);
            let gruu = contact.temp_gruu.as_mut().map(|gruu| &mut gruu.uri);
            gruu.into_iter().for_each(&mut put);
            if let Some(expires) = &mut contact.expires {
                seconds += usize::from(*expires != expiry(*expires));
                *expires = expiry(*expires);
            }
        }
    }
    count + seconds
}

/// Only URIs, without times: what stands between the marks stands in the original, in that order, from its first
/// byte to its last; in one piece, unless a URI there is of several.
fn outside_is_kept(bytes: &[u8], came: &Document) {
    struct Uris;
    impl Translation for Uris {
        fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
            new.put(MARK.as_bytes());
            true
        }
        fn aor(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
            self.contact(uri, new)
        }
    }
    let mut buffer = Buffer::new(1 << 20);
    let count = translate(bytes, &wide(), &Uris, &mut buffer).expect("read before");
    let original = String::from_utf8(bytes.to_vec()).expect("read before");
    let written = String::from_utf8(buffer.as_slice().to_vec()).expect("UTF-8");
    if original.contains(MARK_IN_XML) {
        return;
    }
    let pieces: Vec<&str> = written.split(MARK_IN_XML).collect();
    assert_eq!(pieces.len(), count + 1, "{came:?}");
    let mut left = original.chars();
    let mut kept = pieces.iter().flat_map(|piece| piece.chars());
    assert!(kept.all(|c| left.any(|other| other == c)), "something new");
    let (last, fronts) = pieces.split_last().expect("one at least");
    // Of a URI in several pieces, what followed the last of them does not follow the first.
    let is_whole = |piece: &&str| {
        piece.trim_start().starts_with(['"', '\'']) || piece.trim_start().starts_with("</")
    };
    if !pieces.iter().skip(1).all(is_whole) {
        return;
    }
    let mut rest = original.as_str();
    for (number, piece) in fronts.iter().enumerate() {
        let at = rest.find(piece).expect("in order");
        assert!(number > 0 || at == 0);
        rest = &rest[at + piece.len()..];
    }
    assert!(rest.ends_with(last) && (count > 0 || rest == *last));
}
