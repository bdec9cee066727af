//! Documents on their way: what is translated in them, and what their message says of their length.

use std::fs;

use ims_procedures::{
    drive::{Buffer, Limits},
    regevent::relay::{
        Body, Config, Direction, Expiry, Mapped, NewUri, Pair, Relayed, Translation, Unread,
        Untranslated,
    },
    reginfo::{self, Document, defect, translate},
};

use crate::support::{files, fixture, passed, relayed, request, with_documents};

/// Everything is mapped to what stands in quotes here.
struct All(&'static str);

impl Translation for All {
    fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
        new.put(self.0.as_bytes());
        true
    }

    fn gruu(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
        new.put(b"sip:gruu");
        true
    }

    fn aor(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
        new.put(b"sip:aor");
        true
    }

    fn expires(&self, seconds: u64) -> u64 {
        seconds.min(60)
    }
}

fn translated(
    document: &str,
    translation: &dyn Translation,
) -> Result<(usize, String), Untranslated> {
    let mut buffer = Buffer::new(200_000);
    let count = translate(
        document.as_bytes(),
        &Limits::default(),
        translation,
        &mut buffer,
    )?;
    Ok((
        count,
        String::from_utf8(buffer.as_slice().to_vec()).unwrap(),
    ))
}

/// A document around what is given, as a child of a `contact` with these attributes.
fn contact(attributes: &str, inside: &str) -> String {
    format!(
        r#"<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" version="0" state="full"><registration id="r" state="active"><contact{attributes}>{inside}</contact></registration></reginfo>"#
    )
}

#[track_caller]
fn becomes(inside: &str, expected: &str, count: usize) {
    let outcome = translated(&contact("", inside), &All("sip:new")).unwrap();
    assert_eq!(outcome, (count, contact("", expected)));
}

/// [IB-1] Every value of a document, and no other byte of it: prefixes, quotes, white space, comments, what is
/// unknown or only looks alike, what stands where it does not belong.
#[test]
fn the_values_and_nothing_else() {
    let document = |aor: &str, seconds: [&str; 2], uri: [&str; 2], gruu: [&str; 2]| {
        let ([s, t], [u, v], [p, q]) = (seconds, uri, gruu);
        format!(
            r#"<?xml version="1.0" encoding='UTF-8'?>
<!-- <registration aor="sip:comment"/> --><r:reginfo xmlns:r = "urn:ietf:params:xml:ns:reginfo"
   xmlns="urn:other" version="1" state="full" aor="sip:not"	>
 <registration aor="sip:other-namespace"><contact expires="900"><uri>sip:other</uri></contact></registration>
 <r:registration  x="&amp;" r:aor="sip:prefixed" aor = ' {aor}
 ' id="a" state='active'>
  <r:contact id="1" state="active" event="registered"
     expires="{s}" r:expires="900" q='1'><r:uri> {u} </r:uri ><r:display-name>sip:name</r:display-name>
   <r:unknown-param name="received">sip:received</r:unknown-param><uri>sip:other</uri>
   <x:pub-gruu xmlns:x="urn:ietf:params:xml:ns:gruuinfo" uri="{p}" x:uri="sip:not"/>
   <x:pub-gruu uri="sip:undeclared"/>
   <t xmlns:r="urn:hidden"><r:uri>sip:hidden</r:uri></t><temp-gruu xmlns="urn:ietf:params:xml:ns:gruuinfo"
      first-cseq="1" uri='{q}'><r:uri>sip:inside</r:uri></temp-gruu>
  </r:contact ><?pi <r:uri>sip:pi</r:uri>?>
  <r:contact expires='{t}'><![CDATA[<r:uri>sip:text</r:uri>]]><r:uri>{v}</r:uri></r:contact>
  <r:uri>sip:misplaced</r:uri>
 </r:registration>
</r:reginfo>
<!-- end -->
"#
        )
    };
    let came = document(
        "sip:alice@home1.example.net",
        ["3600", "0"],
        ["sip:a@h", "tel:+1"],
        ["sip:p", "sip:t&#x26;t"],
    );
    let goes = document(
        "sip:aor",
        ["60", "0"],
        ["sip:new", "sip:new"],
        ["sip:gruu", "sip:gruu"],
    );
    assert_eq!(translated(&came, &All("sip:new")), Ok((6, goes)));
}

/// [IB-1] A URI of several pieces: the new one stands where the first stood, what is between them stays.
#[test]
fn a_uri_in_pieces() {
    becomes("<uri>sip:a?b=c&amp;d</uri>", "<uri>sip:new</uri>", 1);
    becomes(
        "<uri> \n<!-- a -->\t<![CDATA[ ]]>&#32; sip:<!-- \n b -->a&#x40;<?p i?><x>y</x><![CDATA[h]]> <![CDATA[]]> <!-- c --></uri>",
        "<uri> \n<!-- a -->\t<![CDATA[ ]]>&#32; sip:new<!-- \n b --><?p i?><x>y</x> <![CDATA[]]> <!-- c --></uri>",
        1,
    );
    becomes(
        "<uri>\n<![CDATA[ sip:a ]]>\n</uri>",
        "<uri>\nsip:new\n</uri>",
        1,
    );
    becomes(
        r#"<gr:pub-gruu uri=" sip:a&#x3b;gr "/>"#,
        r#"<gr:pub-gruu uri=" sip:gruu "/>"#,
        1,
    );
}

/// [IB-1] A byte order mark stays, and moves nothing.
#[test]
fn a_byte_order_mark() {
    let came = contact(" expires='900'", "<uri>sip:a</uri>");
    let goes = contact(" expires='60'", "<uri>sip:new</uri>");
    let outcome = translated(&format!("\u{feff}{came}"), &All("sip:new"));
    assert_eq!(outcome, Ok((2, format!("\u{feff}{goes}"))));
}

/// [IB-1] The first of each counts, as for the reader; nothing is made of what is empty or missing.
#[test]
fn what_the_reader_passes_over() {
    becomes(
        "<uri>sip:a</uri><uri>sip:second</uri>",
        "<uri>sip:new</uri><uri>sip:second</uri>",
        1,
    );
    becomes(
        "<uri/><uri>sip:second</uri>",
        "<uri/><uri>sip:second</uri>",
        0,
    );
    becomes(
        "<uri> <![CDATA[]]>&#9;</uri>",
        "<uri> <![CDATA[]]>&#9;</uri>",
        0,
    );
    becomes(
        r#"<gr:pub-gruu/><gr:pub-gruu uri="a"/><gr:pub-gruu uri="b"/><gr:temp-gruu uri=" "/>"#,
        r#"<gr:pub-gruu/><gr:pub-gruu uri="sip:gruu"/><gr:pub-gruu uri="b"/><gr:temp-gruu uri=" "/>"#,
        1,
    );
    becomes("", "", 0);
}

/// [IB-1] The expiry of a contact: any number that the reader reads, and no other.
#[test]
fn expiry() {
    for (came, goes) in [
        ("3600", Some("60")),
        (" 3600\n", Some("60")),
        ("+3600", Some("60")),
        ("&#51;600", Some("60")),
        ("99999999999999999999999999", Some("60")),
        ("60", None),
        ("007", None),
        ("0", None),
        ("-5", None),
        ("", None),
        ("1h", None),
    ] {
        let (count, written) =
            translated(&contact(&format!(r#" expires="{came}""#), ""), &All("")).unwrap();
        let value = came.trim();
        let expected = came.replace(value, goes.unwrap_or(value));
        let expected = if value.is_empty() { came } else { &expected };
        assert_eq!(written, contact(&format!(r#" expires="{expected}""#), ""));
        assert_eq!(count, usize::from(goes.is_some()));
    }
    let table = |expiry| Mapped {
        expiry,
        ..Mapped::default()
    };
    for (rule, seconds, expected) in [
        (Expiry::Same, 3_600, 3_600),
        (Expiry::AtMost(3_600), 3_600, 3_600),
        (Expiry::AtMost(3_600), 3_601, 3_600),
        (Expiry::LessBy(60), 3_600, 3_540),
        (Expiry::LessBy(60), 61, 1),
        (Expiry::LessBy(60), 59, 0),
        (Expiry::AtMost(60), u64::MAX, 60),
        (Expiry::LessBy(1), u64::MAX, u64::MAX - 1),
    ] {
        assert_eq!(table(rule).expires(seconds), expected);
    }
}

/// [IB-1] [RI-4] Whatever a translation puts reads as it was given, and nothing breaks out; what no document could
/// hold, or no SIP header, refuses the whole.
#[test]
fn hostile_mappings() {
    let document = contact(
        "",
        "<uri>sip:a</uri><gr:temp-gruu uri='sip:b' first-cseq='1'/>",
    );
    for uri in [
        "sip:a?b=c&d=e",
        "</uri><uri>",
        "\"'\"/>",
        "]]>",
        "<![CDATA[",
        "&amp;&#13;&lt;",
        "<!--",
        "é\u{10ffff}",
        "a b",
        "\u{7f}",
        "",
    ] {
        struct Puts<'u>(&'u str);
        impl Translation for Puts<'_> {
            fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
                for byte in self.0.as_bytes() {
                    new.put(&[*byte]);
                }
                true
            }
        }
        let outcome = translated(&document, &Puts(uri));
        if uri.is_empty() {
            assert_eq!(outcome, Err(Untranslated::NotAUri));
            continue;
        }
        let (count, written) = outcome.unwrap();
        assert_eq!(count, 2);
        let read = Document::read(written.as_bytes(), &Limits::default()).unwrap();
        let contact = &read.registrations[0].contacts[0];
        assert_eq!(contact.uri, uri);
        assert_eq!(contact.temp_gruu.as_ref().unwrap().uri, uri);
    }
    struct Raw(&'static [u8]);
    impl Translation for Raw {
        fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
            new.put(self.0);
            true
        }
    }
    for uri in [
        &b"sip:a\r\nRoute: <sip:evil>"[..],
        b"sip:\0",
        b"sip:\n",
        b"sip:\t",
        b"sip:\x1b",
        b"sip:\xff",
        b"sip:\xc3",
        b"sip:\xef\xbf\xbf",
        b" sip:a",
        b"sip:a ",
        b" ",
    ] {
        let outcome = translated(&document, &Raw(uri));
        assert_eq!(
            outcome,
            Err(Untranslated::NotAUri),
            "{}",
            uri.escape_ascii()
        );
    }
}

/// A NOTIFY with this head and body.
fn notify(lines: &str, body: &str) -> String {
    let lines = format!("Content-Type: application/reginfo+xml\r\n{lines}");
    request("NOTIFY", "sip:q@h", &lines) + body
}

/// Maps one URI, and all seconds to one.
struct One(&'static str);

impl Translation for One {
    fn contact(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        new.put(self.0.as_bytes());
        uri == b"sip:a@b"
    }

    fn expires(&self, _: u64) -> u64 {
        1
    }
}

/// [IB-1] [RFC 3261 20.14] Content-Length is that of the new body, wherever and however it stands.
#[test]
fn content_length() {
    let came = contact(" expires='100000'", "<uri>sip:a@b</uri>");
    for (front, back) in [
        ("Content-Length: ", "\r\n"),
        ("l:", "\r\n"),
        ("L \t:  \r\n\t  ", "  \r\n"),
        (
            "content-length: ",
            "\r\nContact: <sip:z@h>, sip:y@h\r\nZ: y\r\n",
        ),
        ("Contact: <sip:z@h>\r\nl: ", "\r\nm: sip:y@h\r\n"),
    ] {
        for uri in ["sip:a@b", "sip:b", "sip:a-longer-one@home1.example.net"] {
            let goes = contact(" expires='1'", &format!("<uri>{uri}</uri>"));
            let head = |length: usize| format!("{front}{length}{back}");
            let bytes = notify(&head(came.len()), &came);
            let (changes, written) = passed(bytes.as_bytes(), &with_documents(), &One(uri));
            assert_eq!(written, notify(&head(goes.len()), &goes));
            let values = if uri == "sip:a@b" { 1 } else { 2 };
            assert_eq!(changes.body, Body::Translated(values));
        }
    }
}

/// [IB-1] [RFC 3261 18.3] Twice the same; with zeros before it; followed by more than the body. Where there is
/// none, the datagram ends where the body does, and there is still none.
#[test]
fn content_length_in_odd_places() {
    let came = contact("", "<uri>sip:a@b</uri>");
    let goes = contact("", "<uri>sip:new@b.example</uri>");
    let translation = All("sip:new@b.example");
    let twice = |n: usize| format!("l: {n}\r\nContent-Length:{n}\r\n");
    for (head, made) in [
        (twice(came.len()), twice(goes.len())),
        (
            format!("l: 000{}\r\n", came.len()),
            format!("l: {}\r\n", goes.len()),
        ),
        (String::new(), String::new()),
    ] {
        let bytes = notify(&head, &came);
        let (_, written) = passed(bytes.as_bytes(), &with_documents(), &translation);
        assert_eq!(written, notify(&made, &goes));
    }
    let zeros = notify(&format!("l: 000{}\r\n", came.len()), &came);
    let (_, written) = passed(zeros.as_bytes(), &with_documents(), &All("sip:x@y"));
    assert_eq!(
        written,
        zeros.replace("sip:a@b", "sip:x@y"),
        "as long as it was"
    );
    let followed = notify(&format!("l: {}\r\n", came.len()), &came) + "more";
    let (_, written) = passed(followed.as_bytes(), &with_documents(), &translation);
    assert_eq!(written, notify(&format!("l: {}\r\n", goes.len()), &goes));
}

/// [IB-1] A body is looked at only in a NOTIFY of the package, of the type, and if the host says so.
#[test]
fn bodies_that_pass() {
    let body = contact("", "<uri>sip:a@b</uri>");
    let length = format!("l: {}\r\n", body.len());
    let all = All("sip:new@b.example");
    let config = with_documents();
    let ours = notify(&length, &body);
    let untouched = passed(ours.as_bytes(), &Config::default(), &Mapped::default());
    assert_eq!(
        (untouched.0.body, untouched.1),
        (Body::Untouched, ours.clone())
    );
    for bytes in [
        ours.replace("NOTIFY", "SUBSCRIBE"),
        ours.replace("reginfo+xml", "xml"),
        ours.replace("Content-Type: application/reginfo+xml\r\n", ""),
        ours.replace(
            "Content-Type: application/reginfo+xml",
            "Content-Type: multipart/mixed;boundary=b",
        ),
        notify("l: 0\r\n", ""),
        notify("", ""),
    ] {
        let (changes, written) = passed(bytes.as_bytes(), &config, &all);
        assert_eq!(changes.body, Body::Untouched, "{bytes}");
        assert_eq!(written, bytes);
    }
    let parameters = ours.replace("reginfo+xml", "REGINFO+XML;charset=UTF-8");
    let (changes, _) = passed(parameters.as_bytes(), &config, &all);
    assert_eq!(changes.body, Body::Translated(1));
}

/// [IB-1] What the reader refuses passes as it came, and is told; or nothing leaves, if the host says so. The byte
/// is that of the message.
#[test]
fn documents_that_cannot_be_read() {
    let mut refused = with_documents();
    refused.unread = Unread::Refused;
    let mut seen = 0;
    for path in files("malformed").into_iter().chain(files("reginfo")) {
        let body = fs::read(&path).unwrap();
        let head = notify(&format!("l: {}\r\nContact: <sip:x@h>\r\n", body.len()), "");
        let bytes = [head.as_bytes(), &body].concat();
        let Err(reject) = Document::read(&body, &Limits::default()) else {
            continue;
        };
        if body.is_empty() || bytes.len() > Limits::default().message_bytes {
            continue;
        }
        seen += 1;
        let (relayed_as, written) =
            relayed(&bytes, &with_documents(), &All("sip:new@b.example")).unwrap();
        let Relayed::Written(changes) = relayed_as else {
            panic!("{}", path.display());
        };
        let at = reject.shifted(head.len());
        assert_eq!((changes.body, changes.contacts), (Body::Unread(at), 1));
        let mapped = head.replace("sip:x@h", "sip:new@b.example");
        assert_eq!(written, [mapped.as_bytes(), &body].concat());
        let outcome = relayed(&bytes, &refused, &All("sip:new@b.example"));
        assert_eq!(outcome, Err(Untranslated::Rejected(at)));
    }
    assert!(seen >= 15, "{seen}");
    let ours = notify("", &contact("", "<uri>sip:a@b</uri>"));
    assert!(relayed(ours.as_bytes(), &refused, &All("sip:new")).is_ok());
}

/// [IB-1] [DR-5] A document as long as may be, and one byte longer; one that becomes too long.
#[test]
fn sizes() {
    let document = contact("", "<uri>sip:a@b</uri>");
    let mut limits = Limits::default();
    let all = All("sip:longer");
    limits.xml_bytes = document.len();
    let mut buffer = Buffer::new(9_999);
    let outcome = translate(document.as_bytes(), &limits, &all, &mut buffer);
    assert_eq!(outcome, Ok(1));
    let size = buffer.len();
    assert_eq!(size, document.len() + 3);
    let mut tight = Buffer::new(size - 1);
    let outcome = translate(document.as_bytes(), &limits, &all, &mut tight);
    assert_eq!(outcome, Err(Untranslated::TooLarge));
    assert!(tight.is_empty() && tight.fault().is_none());
    limits.xml_bytes -= 1;
    let Err(Untranslated::Rejected(reject)) =
        translate(document.as_bytes(), &limits, &all, &mut buffer)
    else {
        panic!("read");
    };
    assert_eq!(reject.defect, &defect::TOO_LARGE);
    assert_eq!(buffer.len(), size, "as it was");
}

/// [IB-1] There and back by a table, over every document: the same bytes, where no reference had to go.
#[test]
fn there_and_back() {
    let mut there = 0;
    for path in files("reginfo") {
        let bytes = fs::read(&path).unwrap();
        let Ok(read) = Document::read(&bytes, &Limits::default()) else {
            continue;
        };
        let text = String::from_utf8(bytes).unwrap();
        if text.contains('&') || text.contains("CDATA") {
            continue;
        }
        let contacts = read.registrations.iter().flat_map(|r| &r.contacts);
        let gruus = |c: &reginfo::Contact| {
            let temporary = c.temp_gruu.as_ref().map(|gruu| gruu.uri.clone());
            [Some(c.uri.clone()), c.pub_gruu.clone(), temporary]
        };
        let uris: Vec<String> = contacts.flat_map(gruus).flatten().collect();
        let aors: Vec<String> = read.registrations.iter().map(|r| r.aor.clone()).collect();
        let outside = |own: &[String], kind| -> Vec<String> {
            let number = |uri| own.iter().position(|other| other == uri).unwrap();
            own.iter()
                .map(|uri| format!("sip:{kind}{}&'@b", number(uri)))
                .collect()
        };
        let (shown, shown_aors) = (outside(&uris, 'c'), outside(&aors, 'a'));
        let [contacts, aors] = [(&uris, &shown), (&aors, &shown_aors)].map(|(inside, outside)| {
            let pairs = inside
                .iter()
                .zip(outside)
                .filter(|(inside, _)| !inside.is_empty());
            let pair =
                |(inside, outside): (&'_ String, &'_ String)| (inside.clone(), outside.clone());
            pairs.map(pair).collect::<Vec<_>>()
        });
        let pairs = |table: &'static [(String, String)]| -> Vec<Pair<'static>> {
            let pair = |(inside, outside): &'static (String, String)| Pair {
                inside: inside.as_bytes(),
                outside: outside.as_bytes(),
            };
            table.iter().map(pair).collect()
        };
        let (contacts, aors) = (pairs(contacts.leak()), pairs(aors.leak()));
        let mut mapped = Mapped {
            contacts: &contacts,
            aors: &aors,
            ..Mapped::default()
        };
        let (count, written) = translated(&text, &mapped).unwrap();
        assert_eq!(count, contacts.len() + aors.len(), "{}", path.display());
        mapped.direction = Direction::Inbound;
        let (again, back) = translated(&written, &mapped).unwrap();
        assert_eq!((again, back), (count, text), "{}", path.display());
        there += count;
    }
    assert!(there > 250, "{there}");
}

/// [IB-1] A NOTIFY of a real shape, whole: only what is in the tables differs.
#[test]
fn a_notify() {
    let bytes = fixture("sip/notify_network_dereg_sub_active.sip");
    let text = String::from_utf8(bytes.clone()).unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let read = Document::read(body.as_bytes(), &Limits::default()).unwrap();
    let aor = read.registrations[0].aor.clone();
    let uri = read.registrations[0].contacts[0].uri.clone();
    let mapped = Mapped {
        contacts: &[Pair {
            inside: uri.as_bytes(),
            outside: b"sip:hidden@ibcf.example",
        }],
        aors: &[Pair {
            inside: aor.as_bytes(),
            outside: b"sip:user@b.example",
        }],
        ..Mapped::default()
    };
    let (changes, written) = passed(&bytes, &with_documents(), &mapped);
    let Body::Translated(count) = changes.body else {
        panic!("{changes:?}");
    };
    assert!(count >= 2);
    let (_, new_body) = written.split_once("\r\n\r\n").unwrap();
    let expected = body
        .replace(&format!(">{uri}<"), ">sip:hidden@ibcf.example<")
        .replace(&format!("aor=\"{aor}\""), "aor=\"sip:user@b.example\"");
    assert_eq!(new_body, expected);
    let length = |body: &str| format!("Content-Length: {}", body.len());
    let head = text.split_once("\r\n\r\n").unwrap().0;
    assert!(head.contains(&length(body)));
    let new_head = head.replace(&length(body), &length(&expected));
    assert!(written.starts_with(&format!("{new_head}\r\n\r\n")));
}
