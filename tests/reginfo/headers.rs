//! What a document says, put into SIP header fields: no line is ever broken, whatever the document does (RI-2, T69).

use ims_procedures::{
    drive::{Buffer, Limits, Unwritable},
    reginfo::{
        ContactView, DocumentState, PolicyAction, RegistrationEnd, RegistrationView, Visitor,
        defect, read,
    },
    wire::{Header, HeaderName, Message, Writer, put_quoted},
};
use proptest::prelude::*;

/// Every string that the views hand out.
#[derive(Default)]
struct Strings(Vec<String>);

impl Strings {
    fn take(&mut self, texts: impl IntoIterator<Item = Option<impl Into<String>>>) {
        self.0.extend(texts.into_iter().flatten().map(Into::into));
    }
}

impl Visitor for Strings {
    fn document(&mut self, _: u32, state: DocumentState) {
        self.take([Some(state.as_str())]);
    }

    fn registration(&mut self, registration: &RegistrationView<'_>) {
        self.take([registration.aor, registration.id].map(Some));
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        self.take([contact.id, contact.uri].map(Some));
        self.take([contact.display_name, contact.display_name_lang]);
        self.take([contact.q, contact.callid, contact.pub_gruu]);
        self.take([contact.temp_gruu.map(|gruu| gruu.uri)]);
        for (name, value) in contact.params() {
            self.take([Some(name), Some(value), contact.param(name)]);
        }
    }

    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        self.take([end.wildcarded_identity]);
        for action in end.actions() {
            match action {
                PolicyAction::ResourcePriority { namespace, value } => {
                    self.take([Some(namespace), Some(value)]);
                }
                PolicyAction::PrivateNetworkIndication { domain, .. } => self.take([domain]),
                _ => {}
            }
        }
    }
}

/// A message with every string in a header field as it is, in brackets and in quotes.
fn message(strings: &[String]) -> Result<Vec<u8>, Unwritable> {
    let mut buffer = Buffer::new(1 << 20);
    let mut writer = Writer::request(&mut buffer, b"OPTIONS", b"sip:a@example.org");
    for text in strings.iter().map(String::as_bytes) {
        writer
            .header(HeaderName::Subject, text)
            .parts(HeaderName::Contact, &[b"<", text, b">;x=", text])
            .value(HeaderName::Reason, |buffer| put_quoted(buffer, text));
    }
    writer.finish();
    match buffer.fault() {
        Some(fault) => Err(fault),
        None => Ok(buffer.as_slice().to_vec()),
    }
}

/// The writer took every string, no line was broken, and each reads back as it was handed out.
fn assert_no_line_is_broken(strings: &[String]) {
    let bytes = message(strings).expect("nothing unsafe");
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 3 * strings.len() + 3, "{text:?}");
    assert!(
        !lines.iter().any(|line| line.contains(['\r', '\n', '\0'])),
        "{text:?}"
    );
    let mut limits = Limits::default();
    limits.message_bytes = 1 << 20;
    limits.headers = 1 << 12;
    let Ok(message) = Message::parse(text.as_bytes(), &limits) else {
        panic!("{text:?}");
    };
    let read: Vec<_> = message
        .headers(HeaderName::Subject)
        .map(Header::raw)
        .collect();
    let meant: Vec<_> = strings
        .iter()
        .map(|text| text.trim_matches([' ', '\t']).as_bytes())
        .collect();
    assert_eq!(read, meant);
}

/// A document with these texts in all places that are URIs and in all that are not.
fn document(uris: [&str; 6], text: &str) -> String {
    let [aor, uri, public, temporary, wildcard, domain] = uris;
    format!(
        r#"<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:g="urn:ietf:params:xml:ns:gruuinfo"
        xmlns:e="urn:3gpp:ns:extRegInfo:1.0" version="0" state="full"><registration aor="{aor}" id="{text}"
        state="active"><contact id="{text}" state="active" event="created" q="{text}" callid="{text}"><uri>{uri}</uri
        ><display-name xml:lang="{text}">{text}</display-name><unknown-param name="{text}">{text}</unknown-param
        ><g:pub-gruu uri="{public}"/><g:temp-gruu uri="{temporary}"/></contact><w:wildcardedIdentity
        xmlns:w="urn:3gpp:ns:extRegExp:1.0">{wildcard}</w:wildcardedIdentity><e:actions><e:rph ns="{text}"
        val="{text}"/><e:pni domain="{domain}"/></e:actions></registration></reginfo>"#
    )
}

/// Line ends by every road that XML has. Markup stands in elements alone.
const BREAKS: [&str; 20] = [
    "&#13;&#10;",
    "&#xD;",
    "&#x0000A;",
    "&#10;",
    "&#013;&#010;",
    "&#9;",
    "\r\n",
    "\r",
    "\n",
    "\t",
    "\n&#13;",
    "&#13;\n",
    "\r&#10;",
    "&#x85;",
    "\u{85}",
    "\u{2028}",
    "&#x2029;",
    "\u{7f}",
    "&#127;",
    "&amp;#13;&amp;#10;",
];
const MARKUP: [&str; 8] = [
    "<![CDATA[\r\n]]>",
    "<![CDATA[\r]]>\n",
    "\r<!---->\n",
    "&#13;<?x?>&#10;",
    "\r<![CDATA[\n]]>",
    "<![CDATA[]]>\n",
    "\r<x/>\n",
    "\n<x>\r\n</x>",
];

/// [RI-2] A line end in every place by every road: in a URI the document is refused there, elsewhere it is a
/// space, and what is handed out breaks no line (T69).
#[test]
fn no_line_is_broken() {
    // The writer alone would notice.
    assert_eq!(
        message(&["a\r\nVia: b".to_owned()]),
        Err(Unwritable::UnsafeValue)
    );
    let mut refused = 0;
    for (number, hostile) in BREAKS.iter().chain(&MARKUP).enumerate() {
        let text = format!("a{hostile}Via: SIP/2.0/UDP evil{hostile}{hostile}b");
        let markup = number >= BREAKS.len();
        if !markup {
            let document = document(["a"; 6], &text);
            let mut strings = Strings::default();
            read(document.as_bytes(), &Limits::default(), &mut strings).unwrap();
            assert_eq!(
                strings.0.iter().filter(|text| text.ends_with("b")).count(),
                11
            );
            assert_no_line_is_broken(&strings.0);
        }
        for place in 0..6 {
            // The second and fifth are elements.
            if markup && ![1, 4].contains(&place) {
                continue;
            }
            let mut uris = ["a"; 6];
            uris[place] = &text;
            let document = document(uris, "a");
            let mut strings = Strings::default();
            match read(document.as_bytes(), &Limits::default(), &mut strings) {
                Ok(()) => assert_no_line_is_broken(&strings.0),
                Err(reject) => {
                    assert_eq!(reject.defect, &defect::CONTROL_IN_URI);
                    let at = document.find(&text).unwrap();
                    assert!(
                        (at..at + text.len()).contains(&(reject.at as usize)),
                        "{document}"
                    );
                    refused += 1;
                }
            }
        }
    }
    // By reference anywhere, and as they stand in an element.
    let (by_reference, as_it_stands) = (9, 4 + 8);
    assert_eq!(refused, 6 * by_reference + 2 * as_it_stands);
}

/// [RI-2] NUL comes by no road at all.
#[test]
fn nul_is_refused() {
    for nul in ["&#0;", "&#x0;", "&#x00000000;", "\0", "<![CDATA[\0]]>"] {
        for document in [
            document(["a", nul, "a", "a", "a", "a"], "a"),
            document(["a"; 6], nul),
        ] {
            let reject = read(
                document.as_bytes(),
                &Limits::default(),
                &mut Strings::default(),
            )
            .unwrap_err();
            let expected = [
                &defect::CHARACTER_REFERENCE,
                &defect::CHARACTER,
                &defect::MALFORMED,
            ];
            assert!(expected.contains(&reject.defect), "{reject}");
        }
    }
}

/// Texts of words, line ends, references and what may look like a header field.
fn hostile_text(markup: bool) -> impl Strategy<Value = String> {
    let breaks = proptest::sample::select(&BREAKS[..]);
    let words = proptest::sample::select(vec![
        "a", " ", "sip:a@h", "Via: x", "\\", "&quot;", ";", ">", "&lt;", "&#x20;", "é", "%0d%0a",
    ]);
    let markup = if markup {
        proptest::sample::select(&MARKUP[..])
    } else {
        proptest::sample::select(&["a"][..])
    };
    let piece = prop_oneof![2 => words.prop_map(str::to_owned), 1 => breaks.prop_map(str::to_owned), 1 => markup.prop_map(str::to_owned)];
    proptest::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// [RI-2] Whatever any document says, nothing of it breaks a header line (T69).
    #[test]
    fn nothing_breaks_a_line(
        attributes in proptest::array::uniform4(hostile_text(false)),
        elements in proptest::array::uniform2(hostile_text(true)),
        text in hostile_text(false),
        kept in any::<[bool; 6]>(),
    ) {
        let [aor, public, temporary, domain] = &attributes;
        let [uri, wildcard] = &elements;
        let mut uris = [aor.as_str(), uri, public, temporary, wildcard, domain];
        for (place, kept) in kept.iter().enumerate() {
            if !kept {
                uris[place] = "sip:a@h";
            }
        }
        let mut strings = Strings::default();
        if read(document(uris, &text).as_bytes(), &Limits::default(), &mut strings).is_ok() {
            assert_no_line_is_broken(&strings.0);
        }
    }
}
