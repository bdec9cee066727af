//! Registration information documents spelled otherwise: white space where XML lets it stand, either quote, any order
//! of attributes; and what is looked for many bytes at a time, at every place within those bytes.

use ims_procedures::{
    drive::{Defect, Limits, Reject},
    reginfo::{Document, defect},
};
use proptest::prelude::*;

fn read(document: &str) -> Result<Document, Reject> {
    Document::read(document.as_bytes(), &Limits::default())
}

#[track_caller]
fn refused(document: &str, defect: &'static Defect, at: usize) {
    assert_eq!(
        read(document).unwrap_err(),
        Reject::new(defect, at),
        "{document:?}"
    );
}

/// One element after the other, with the attributes that each can have; what is not a start tag stands as it is.
const PARTS: &[(&str, &[(&str, &str)])] = &[
    (
        "<reginfo",
        &[
            ("xmlns", "urn:ietf:params:xml:ns:reginfo"),
            ("xmlns:gr", "urn:ietf:params:xml:ns:gruuinfo"),
            ("xmlns:e", "urn:3gpp:ns:extRegInfo:1.0"),
            ("version", "7"),
            ("state", "partial"),
        ],
    ),
    (
        "<registration",
        &[("aor", "sip:a@b"), ("id", "r"), ("state", "terminated")],
    ),
    (
        "<contact",
        &[
            ("id", "c"),
            ("state", "terminated"),
            ("event", "probation"),
            ("expires", "1"),
            ("retry-after", "2"),
            ("duration-registered", "3"),
            ("q", "0.4"),
            ("callid", "d"),
            ("cseq", "5"),
            ("retry-later", "x"),
            ("duration-registered2", "x"),
        ],
    ),
    ("<uri>sip:c@d</uri>", &[]),
    ("<display-name", &[("xml:lang", "en")]),
    ("name</display-name>", &[]),
    ("<unknown-param", &[("name", "ob")]),
    ("value</unknown-param>", &[]),
    ("<gr:pub-gruu", &[("uri", "sip:p")]),
    ("</gr:pub-gruu>", &[]),
    ("<gr:temp-gruu", &[("uri", "sip:t"), ("first-cseq", "6")]),
    ("</gr:temp-gruu></contact>", &[]),
    ("<e:actions", &[]),
    ("<e:rph", &[("ns", "wps"), ("val", "1")]),
    ("</e:rph>", &[]),
    ("<e:pni", &[("insert", "ins"), ("domain", "f")]),
    ("</e:pni>", &[]),
    ("</e:actions></registration></reginfo>", &[]),
];

/// How the attributes of a document are spelled.
#[derive(Clone, Copy, Debug)]
struct Spelling {
    before: &'static str,
    around: &'static str,
    quote: char,
    reversed: bool,
}

const PLAIN: Spelling = Spelling {
    before: " ",
    around: "",
    quote: '"',
    reversed: false,
};

fn spelled(spelling: Spelling) -> String {
    let Spelling {
        before,
        around,
        quote,
        reversed,
    } = spelling;
    let mut text = String::new();
    for (part, attributes) in PARTS {
        text.push_str(part);
        let mut attributes: Vec<String> = attributes
            .iter()
            .map(|(name, value)| format!("{before}{name}{around}={around}{quote}{value}{quote}"))
            .collect();
        if reversed {
            attributes.reverse();
        }
        text.extend(attributes);
        if part.starts_with('<') && !part.contains('>') {
            text.push('>');
        }
    }
    text
}

/// [RI-1] Every attribute is known in every spelling, and all that it says is read.
#[test]
fn attributes_are_known_in_every_spelling() {
    let expected = read(&spelled(PLAIN)).unwrap();
    let contact = &expected.registrations[0].contacts[0];
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!(
        [
            text(&contact.q),
            text(&contact.callid),
            text(&contact.display_name_lang),
            text(&contact.pub_gruu)
        ],
        ["0.4", "d", "en", "sip:p"]
    );
    let gruu = contact.temp_gruu.as_ref().unwrap();
    assert_eq!((gruu.uri.as_str(), gruu.first_cseq), ("sip:t", Some(6)));
    assert_eq!(contact.retry_after, Some(2));
    assert_eq!(contact.duration_registered, Some(3));
    assert_eq!(contact.params, [("ob".to_owned(), "value".to_owned())]);
    let policy = expected.registrations[0].policy.as_ref().unwrap();
    assert_eq!(policy.len(), 2);
    for before in [" ", "\n\t", "\r\n        "] {
        for around in ["", " ", "\n", "\t \r\n"] {
            for quote in ['"', '\''] {
                for reversed in [false, true] {
                    let spelling = Spelling {
                        before,
                        around,
                        quote,
                        reversed,
                    };
                    let read = read(&spelled(spelling)).unwrap();
                    assert!(read == expected, "{spelling:?}");
                }
            }
        }
    }
}

/// [RI-2] An attribute that stands twice is refused in whatever spelling the second stands.
#[test]
fn a_second_attribute_is_refused_in_every_spelling() {
    let names = PARTS.iter().flat_map(|(_, attributes)| *attributes);
    for (name, _) in names {
        for (first, second) in [("=", "="), ("=", " ="), (" =", "="), (" =", " =")] {
            let begun = format!("<reginfo {name}{first}'' version2='' ");
            let document = format!("{begun}{name}{second}\"\"/>");
            refused(&document, &defect::DUPLICATE_ATTRIBUTE, begun.len());
        }
    }
}

/// A document whose only contact has this Call-ID, and where that begins.
fn with_callid(value: &str, quote: char) -> (String, usize) {
    let before = format!(
        "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='full'><registration aor='' id='' \
         state='active'><contact callid={quote}"
    );
    let at = before.len();
    let after = "/></registration></reginfo>";
    (format!("{before}{value}{quote}{after}"), at)
}

fn callid(document: &str) -> String {
    let document = read(document).unwrap();
    document.registrations[0].contacts[0]
        .callid
        .clone()
        .unwrap()
}

/// [RI-1] [RI-2] What ends a value, or makes it mean something else, is found at every place of it, and nothing else
/// is taken for it.
#[test]
fn values_are_read_at_every_length() {
    for (quote, other) in [('"', '\''), ('\'', '"')] {
        for length in 0..40 {
            let lead = "x".repeat(length);
            for same in [other, '>', '%', '!', ';', '=', '\u{7f}', 'é', '\u{fffd}'] {
                let value = format!("{lead}{same}{lead}");
                assert_eq!(callid(&with_callid(&value, quote).0), value);
            }
            for (spelled, read) in [
                ("&amp;", "&"),
                ("&#60;", "<"),
                ("\n", " "),
                ("\t", " "),
                ("\r\n", " "),
            ] {
                let document = with_callid(&format!("{lead}{spelled}{lead}"), quote).0;
                assert_eq!(callid(&document), format!("{lead}{read}{lead}"));
            }
            for (wrong, defect) in [
                ("<", &defect::MALFORMED),
                ("& ", &defect::BARE_AMPERSAND),
                ("&x;", &defect::UNDECLARED_ENTITY),
            ] {
                let (document, at) = with_callid(&format!("{lead}{wrong}{lead}"), quote);
                refused(&document, defect, at + length);
            }
        }
    }
}

/// [RI-2] A character that XML does not allow is found at every place of a document, whatever else is rare in it.
#[test]
fn illegal_characters_are_found_at_every_place() {
    let document = "<!-- -->".repeat(80);
    for at in 0..document.len() {
        for lead in ["", "\t\r\n", "é"] {
            for illegal in ["\u{1}", "\u{1f}", "\u{b}", "\u{fffe}", "\u{ffff}"] {
                let (front, back) = document.split_at(at);
                let whole = format!("{lead}{front}{illegal}{back}");
                refused(&whole, &defect::CHARACTER, lead.len() + at);
            }
        }
    }
}

/// [RI-2] White space before what is refused is not taken for its beginning.
#[test]
fn white_space_is_no_part_of_what_is_refused() {
    let begun = "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='full'>";
    for white in ["", " ", "\r\n\t  "] {
        let outside = |text: &str| format!("{white}{text}");
        refused(&outside("<!DOCTYPE a>"), &defect::DOCTYPE, white.len());
        refused(&outside("<a/>"), &defect::WRONG_ROOT, white.len());
        refused(&outside("a"), &defect::TEXT_OUTSIDE_ROOT, white.len());
        refused(&outside("&lt;"), &defect::TEXT_OUTSIDE_ROOT, white.len());
        refused(&outside(""), &defect::NO_ROOT, white.len());
        let inside = |text: &str| format!("{begun}{white}{text}");
        let at = begun.len() + white.len();
        refused(&inside("<!DOCTYPE a>"), &defect::DOCTYPE, at);
        refused(&inside("<?xml version='1.0'?>"), &defect::DECLARATION, at);
        refused(&inside("<?1?>"), &defect::MALFORMED, at + 2);
        refused(&inside("]]>"), &defect::MALFORMED, at);
        refused(&inside("a ]]>"), &defect::MALFORMED, at + 2);
        refused(&inside("&x;"), &defect::UNDECLARED_ENTITY, at);
        refused(&inside("</a>"), &defect::MISMATCHED_TAG, at);
        refused(&inside("<registration/>"), &defect::REGISTRATION_STATE, at);
        refused(&inside("</reginfo> <a/>"), &defect::SECOND_ROOT, at + 11);
        refused(
            &inside("</reginfo>\n a"),
            &defect::TEXT_OUTSIDE_ROOT,
            at + 12,
        );
        refused(
            &inside("</reginfo>\n<![CDATA[]]>"),
            &defect::TEXT_OUTSIDE_ROOT,
            at + 20,
        );
    }
}

proptest! {
    /// [RI-1] White space between elements means nothing; the white space of a text is taken off at its ends alone.
    #[test]
    fn white_space_between_elements_means_nothing(
        white in proptest::collection::vec("[ \t\r\n]{0,9}", 12),
        text in "[a-z]( {0,3}[a-z]){0,9}",
    ) {
        let w = |at: usize| white[at].as_str();
        let document = |w: &dyn Fn(usize) -> String| format!(
            "{}<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='full'>{}<registration aor='' id='' \
             state='active'>{}<contact>{}<uri>{}sip:a@b{}</uri>{}<display-name>{}{text}<!-- -->{}&amp;<x>{}</x>\
             </display-name>{}</contact>{}</registration></reginfo>",
            w(0), w(1), w(2), w(3), w(4), w(5), w(6), w(7), w(8), w(9), w(10), w(11),
        );
        // Inside the text, each line end is one space.
        let inner = white[8].replace("\r\n", " ").replace(['\t', '\r', '\n'], " ");
        let close = document(&|at| if at == 8 { inner.clone() } else { String::new() });
        let wide = document(&|at| w(at).to_owned());
        prop_assert!(read(&wide).unwrap() == read(&close).unwrap());
        let name = read(&wide).unwrap().registrations[0].contacts[0].display_name.clone();
        prop_assert_eq!(name, Some(format!("{text}{inner}&")));
    }
}
