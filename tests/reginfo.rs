//! Registration information documents: what is read (RI-1), what is refused (RI-2), what is written (RI-4)
//! and the owned model (RI-5). Allocations have a file of their own.

#[path = "reginfo/headers.rs"]
mod headers;
#[path = "reginfo/limits.rs"]
mod limits;
#[path = "reginfo/spelling.rs"]
mod spelling;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use ims_procedures::{
    drive::{Buffer, Defect, Limits, Reject, Unwritable},
    reginfo::{defect::*, *},
};
use proptest::prelude::*;

fn fixtures(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

fn read_owned(document: impl AsRef<[u8]>) -> Result<Document, Reject> {
    let document = document.as_ref();
    let read = Document::read(document, &Limits::default());
    assert_eq!(check(document, &Limits::default()), read.clone().map(drop));
    read
}

/// A document around what is given, as a child of `reginfo`.
fn reginfo(inside: &str) -> String {
    format!(
        r#"<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">{inside}</reginfo>"#
    )
}

/// A document around what is given, as a child of an active `registration`.
fn registration(inside: &str) -> String {
    reginfo(&format!(
        r#"<registration aor="sip:a@h.example" id="r" state="active">{inside}</registration>"#
    ))
}

/// A document with one contact: its attributes beside the id, and its children.
fn contact(attributes: &str, inside: &str) -> String {
    registration(&format!(
        r#"<contact id="c" {attributes}>{inside}</contact>"#
    ))
}

fn the_contact(document: &str) -> Contact {
    let document = read_owned(document).unwrap();
    assert_eq!(document.registrations.len(), 1);
    assert_eq!(document.registrations[0].contacts.len(), 1);
    document.registrations[0].contacts[0].clone()
}

#[track_caller]
fn refused(document: impl AsRef<[u8]>, defect: &Defect, at: usize) {
    assert_eq!(read_owned(document), Err(Reject::new_at(defect, at)));
}

trait NewAt {
    fn new_at(defect: &Defect, at: usize) -> Reject;
}

impl NewAt for Reject {
    fn new_at(defect: &Defect, at: usize) -> Reject {
        Reject::new(Box::leak(Box::new(*defect)), at)
    }
}

/// One line for each registration and contact.
fn shown(document: &Document) -> String {
    let mut text = format!("{} {}", document.version, document.state.as_str());
    for registration in &document.registrations {
        write!(
            text,
            "\n  {} {} {}",
            registration.aor,
            registration.id,
            registration.state.as_str()
        )
        .unwrap();
        if let Some(identity) = &registration.wildcarded_identity {
            write!(text, " *{identity}").unwrap();
        }
        for action in registration.policy.iter().flatten() {
            match action {
                PolicyAction::ResourcePriority { namespace, value } => {
                    write!(text, " rph({namespace}.{value})").unwrap();
                }
                PolicyAction::PrivateNetworkIndication { handling, domain } => {
                    let handling = handling.map(IndicationHandling::as_str);
                    write!(text, " pni({handling:?} {domain:?})").unwrap();
                }
                other => write!(text, " {other:?}").unwrap(),
            }
        }
        for contact in &registration.contacts {
            let event = contact.event.map_or("?", ContactEvent::as_str);
            write!(
                text,
                "\n    {} {} {event} {}",
                contact.id,
                contact.state.as_str(),
                contact.uri
            )
            .unwrap();
            if let Some(expires) = contact.expires {
                write!(text, " expires={expires}").unwrap();
            }
            if let Some(seconds) = contact.retry_after {
                write!(text, " retry-after={seconds}").unwrap();
            }
            if let Some(q) = &contact.q {
                write!(text, " q={q}").unwrap();
            }
            for (name, value) in &contact.params {
                write!(text, " {name}={value}").unwrap();
            }
        }
    }
    text
}

// ---------------------------------------------------------------------------------------------- RI-1

/// [RI-1] Every document of the collection reads as an independent XML parser reads it (`read.txt` was made
/// with one, clamping and unknown events apart, which follow RI-1).
#[test]
fn the_collection_reads_as_it_says() {
    let mut files = fixtures("reginfo");
    let expected = String::from_utf8(files.remove("read.txt").unwrap()).unwrap();
    files.append(&mut fixtures("malformed"));
    let mut sections = 0;
    for section in expected.split("== ").skip(1) {
        let (name, lines) = section.split_once('\n').unwrap();
        let document = read_owned(&files[name]).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(shown(&document), lines.trim_end(), "{name}");
        sections += 1;
    }
    assert_eq!(sections, 38 + 6);
}

/// [RI-1] Every attribute and element of RFC 3680 and RFC 5628 arrives (T11, T35).
#[test]
fn every_field_of_a_contact_is_read() {
    let contact = the_contact(&contact(
        r#"state="terminated" event="probation" expires="1" retry-after="2" duration-registered="3"
           q="0.25" callid="a84b@x" cseq="5""#,
        r#" <uri>
              sip:a@192.0.2.1;transport=tcp
            </uri>
            <display-name xml:lang="en">Ann &amp; Bob</display-name>
            <unknown-param name="+sip.instance">"&lt;urn:uuid:1&gt;"</unknown-param>
            <unknown-param name="reg-id"> 1 </unknown-param>
            <unknown-param name="ob"/>
            <g:pub-gruu xmlns:g="urn:ietf:params:xml:ns:gruuinfo" uri="sip:a@h;gr=1"/>
            <temp-gruu xmlns="urn:ietf:params:xml:ns:gruuinfo" uri="sip:t@h;gr" first-cseq="54301"><x/></temp-gruu>"#,
    ));
    let text = |text: &str| text.to_owned();
    let expected = Contact {
        id: text("c"),
        state: ContactState::Terminated,
        event: Some(ContactEvent::Probation),
        uri: text("sip:a@192.0.2.1;transport=tcp"),
        display_name: Some(text("Ann & Bob")),
        display_name_lang: Some(text("en")),
        expires: Some(1),
        retry_after: Some(2),
        duration_registered: Some(3),
        q: Some(text("0.25")),
        callid: Some(text("a84b@x")),
        cseq: Some(5),
        params: vec![
            (text("+sip.instance"), text("\"<urn:uuid:1>\"")),
            (text("reg-id"), text("1")),
            (text("ob"), text("")),
        ],
        pub_gruu: Some(text("sip:a@h;gr=1")),
        temp_gruu: Some(TempGruu {
            uri: text("sip:t@h;gr"),
            first_cseq: Some(54301),
        }),
    };
    assert!(contact == expected);
}

/// [RI-1] Policy actions in the namespace of RFC 4745, as TS 24.229 7.10.3 has them, and in that of 3GPP.
#[test]
fn policy_actions_are_read_in_either_namespace() {
    for (prefix, namespace) in [
        ("cp", "urn:ietf:params:xml:ns:common-policy"),
        ("eri", "urn:3gpp:ns:extRegInfo:1.0"),
    ] {
        let document = read_owned(registration(&format!(
            r#"<{prefix}:actions xmlns:{prefix}="{namespace}" xmlns:e="urn:3gpp:ns:extRegInfo:1.0"><e:rph
               ns="wps" val="1"/><e:other/><e:privSender/><e:pni insert="fwd"/><e:pni domain="d.example"
               insert="xxx"/><e:privSenderPNI/></{prefix}:actions>"#
        )))
        .unwrap();
        let text = |text: &str| text.to_owned();
        let expected = vec![
            PolicyAction::ResourcePriority {
                namespace: text("wps"),
                value: text("1"),
            },
            PolicyAction::PrivilegedSender,
            PolicyAction::PrivateNetworkIndication {
                handling: Some(IndicationHandling::Forward),
                domain: None,
            },
            PolicyAction::PrivateNetworkIndication {
                handling: None,
                domain: Some(text("d.example")),
            },
            PolicyAction::PrivilegedSenderForPrivateTraffic,
        ];
        assert!(document.registrations[0].policy == Some(expected));
    }
    let empty = registration(r#"<actions xmlns="urn:3gpp:ns:extRegInfo:1.0"/>"#);
    assert!(read_owned(empty).unwrap().registrations[0].policy == Some(vec![]));
    assert!(
        read_owned(registration("")).unwrap().registrations[0]
            .policy
            .is_none()
    );
}

/// [RI-1] Elements are known by namespace: any prefix, one declared late, one redeclared, one by a reference;
/// outside its scope a prefix is forgotten.
#[test]
fn elements_are_known_by_namespace() {
    let ns = "urn:ietf:params:xml:ns:reginfo";
    let inner = |p: &str| {
        format!(
            r#"<{p}registration aor="sip:a@h" id="r" state="active"><{p}contact id="c" state="active"
               event="created"><{p}uri>sip:u@h</{p}uri></{p}contact></{p}registration>"#
        )
    };
    let head = r#"version="1" state="full""#;
    let same = [
        format!(r#"<reginfo {head} xmlns="{ns}">{}</reginfo>"#, inner("")),
        format!(
            r#"<r:reginfo {head} xmlns:r='{ns}'>{}</r:reginfo>"#,
            inner("r:")
        ),
        format!(
            r#"<reginfo {head} xmlns="{ns}" xmlns:x="{ns}">{}</reginfo>"#,
            inner("x:")
        ),
        format!(
            r#"<reginfo {head} xmlns="urn:ietf:params:xml:ns:reg&#105;nf&#x6F;">{}</reginfo>"#,
            inner("")
        ),
        format!(
            r#"<é:reginfo {head} xmlns:é="{ns}"><é:y xmlns:é="urn:y">{}</é:y>{}</é:reginfo>"#,
            inner("é:"),
            inner("é:")
        ),
    ];
    for document in &same {
        let read = read_owned(document).unwrap();
        assert_eq!(
            shown(&read),
            "1 full\n  sip:a@h r active\n    c active created sip:u@h"
        );
    }
    let hidden = [
        format!(
            r#"<reginfo {head} xmlns="{ns}"><a xmlns="urn:a"/>{}</reginfo>"#,
            inner("p:")
        ),
        format!(
            r#"<reginfo {head} xmlns="{ns}" xmlns:p="{ns}"><a xmlns:p="urn:a">{}</a></reginfo>"#,
            inner("p:")
        ),
        format!(
            r#"<reginfo {head} xmlns="{ns}" xmlns:p="{ns}"><registration aor="" id="" state="active"
               xmlns:p="urn:a"><p:contact id="e"/></registration></reginfo>"#
        ),
        format!(
            r#"<p:reginfo {head} xmlns:p="{ns}"><x xmlns="{ns}"/>{}</p:reginfo>"#,
            inner("")
        ),
        format!(
            r#"<p:reginfo {head} xmlns:p="{ns}"><p:registration aor="" id="" state="init" xmlns="{ns}"
               />{}</p:reginfo>"#,
            inner("")
        ),
    ];
    for document in &hidden {
        let read = read_owned(document).unwrap();
        assert!(
            read.registrations.iter().all(|r| r.contacts.is_empty()),
            "{document}"
        );
    }
    refused(format!("<reginfo {head}/>"), &WRONG_ROOT, 0);
    refused(
        format!(r#"<reginfo xmlns="urn:x" {head}/>"#),
        &WRONG_ROOT,
        0,
    );
    refused(format!(r#"<Reginfo xmlns="{ns}" {head}/>"#), &WRONG_ROOT, 0);
    refused(
        format!(r#"<p:reginfo xmlns="{ns}" {head}/>"#),
        &WRONG_ROOT,
        0,
    );
}

/// [RI-1] What is unknown, or stands where it does not belong, is passed over with all that is in it, wherever
/// it is; so are attributes of another namespace, the reginfo namespace spelt out among them.
#[test]
fn the_unknown_is_passed_over_anywhere() {
    let evil = r#"<registration aor="evil" id="e" state="terminated"><contact id="e" state="terminated"
        event="rejected"><uri>evil</uri></contact></registration>"#;
    let x = format!(r#"<x:x xmlns:x="urn:x" a="1">text &amp; <![CDATA[<]]>{evil}<!-- c --></x:x>"#);
    let ns = "urn:ietf:params:xml:ns:reginfo";
    let document = format!(
        r#"<?xml version="1.0"?><!-- c --><?pi?><reginfo xmlns="{ns}" xmlns:r="{ns}" xmlns:y="urn:y" version="4"
        r:version="5" y:version="6" state="partial" y:state="full">text{x}<unknown>{evil}</unknown><contact
        id="q" state="active" event="created"/>&lt;<registration aor="sip:a@h" y:aor="evil" id="r" r:id="e"
        state="active">{x}text<uri>evil</uri>{evil}<contact id="c" state="active" y:state="terminated"
        event="created" other="1">{x}<contact id="e" state="active" event="created"/><uri>sip:{x}u<uri>evil</uri
        >@h</uri><uri>sip:second@h</uri>{x}</contact>{x}</registration>{x}</reginfo><!-- c --><?pi x?>
"#
    );
    assert_eq!(
        shown(&read_owned(document).unwrap()),
        "4 partial\n  sip:a@h r active\n    c active created sip:u@h"
    );
}

/// [RI-1] What is missing or odd on a contact never loses it (T09, T13, T21).
#[test]
fn what_is_missing_or_odd_never_loses_a_contact() {
    use ContactEvent::{Expired, Registered};
    use ContactState::{Active, Terminated};
    let cases = [
        (
            r#"state="active" event="registered""#,
            Active,
            Some(Registered),
        ),
        (
            r#"state=" terminated&#10;" event="un-registered""#,
            Terminated,
            None,
        ),
        (r#"state="terminated""#, Terminated, None),
        (r#"event="expired""#, Terminated, Some(Expired)),
        (
            r#"event="registered" state="gone""#,
            Active,
            Some(Registered),
        ),
        (r#"state="active" event="expired""#, Active, Some(Expired)),
        (r#"state="Terminated" event="Expired""#, Active, None),
        ("", Active, None),
    ];
    for (attributes, state, event) in cases {
        let contact = the_contact(&contact(attributes, "<uri>sip:u@h</uri>"));
        assert_eq!(
            (contact.state, contact.event),
            (state, event),
            "{attributes}"
        );
        assert_eq!(contact.expires, None);
    }
    let none = r#"<registration state="terminated"><contact/></registration>"#;
    let read = the_contact(&reginfo(none));
    assert_eq!(read.state, Terminated);
    assert!(read.id.is_empty() && read.uri.is_empty());
    assert!(
        read_owned(reginfo(none)).unwrap().registrations[0]
            .aor
            .is_empty()
    );
}

/// [RI-1] Numbers beyond their range are clamped; what is no number counts as absent.
#[test]
fn numbers_are_clamped() {
    let cases = [
        ("0", Some(0)),
        ("00060", Some(60)),
        (" +7\t", Some(7)),
        ("-1", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", Some(u64::MAX)),
        ("99999999999999999999999999", Some(u64::MAX)),
        ("&#x33;", Some(3)),
        ("", None),
        ("+", None),
        ("0x10", None),
        ("1 2", None),
        ("1.5", None),
        ("٣", None),
    ];
    for (text, number) in cases {
        let contact = the_contact(&contact(
            &format!(
                r#"expires="{text}" retry-after="{text}" duration-registered="{text}" cseq="{text}""#
            ),
            "",
        ));
        let all = [
            contact.expires,
            contact.retry_after,
            contact.duration_registered,
            contact.cseq,
        ];
        assert_eq!(all, [number; 4], "{text:?}");
    }
}

/// [RI-1] The version is digits, with white space and a plus sign at most, and is clamped to 32 bits; anything
/// else, and any unknown state, refuses the document.
#[test]
fn version_and_states() {
    let document = |version: &str, state: &str| {
        format!(r#"<reginfo xmlns="{NAMESPACE}" version="{version}" state="{state}"/>"#)
    };
    for (text, version) in [
        ("0", 0),
        ("+1 ", 1),
        ("007", 7),
        ("4294967295", u32::MAX),
        ("4294967296", u32::MAX),
    ] {
        assert_eq!(read_owned(document(text, "full")).unwrap().version, version);
    }
    let at = document("", "").find("version=\"").unwrap() + 9;
    for text in ["", " ", "-1", "-0", "+", "0x1", "1.0", "one", "1 1"] {
        refused(document(text, "full"), &VERSION, at);
    }
    for text in ["", "Full", "FULL", "complete", "fullpartial"] {
        refused(document("1", text), &DOCUMENT_STATE, at + 10);
    }
    refused(
        format!(r#"<reginfo xmlns="{NAMESPACE}" state="full"/>"#),
        &VERSION,
        0,
    );
    refused(
        format!(r#"<reginfo xmlns="{NAMESPACE}" version="1"/>"#),
        &DOCUMENT_STATE,
        0,
    );
    let at = reginfo("").find("</").unwrap();
    refused(
        reginfo(r#"<registration state="Active"/>"#),
        &REGISTRATION_STATE,
        at + 21,
    );
    refused(
        reginfo(r#"<registration aor="sip:a@h" id="1"/>"#),
        &REGISTRATION_STATE,
        at,
    );
}

/// [RI-1] Text by references, in CDATA, around comments and instructions is one text; white space around it is
/// not part of it.
#[test]
fn text_is_put_together() {
    for uri in [
        "sip:a@h?x=1&amp;y=2",
        "\r\n\t sip:a@h?x=1&#38;y=2 \n",
        "<![CDATA[sip:a@h?x=1&y=2]]>",
        " sip:<!-- c -->a@<?pi?>h?x=<![CDATA[]]>1<![CDATA[&y]]>=2 ",
        "&#x73;&#x69;p:a@h?x=1&amp;&#121;=2&#32;&#10;",
    ] {
        let document = contact("", &format!("<uri>{uri}</uri>"));
        assert_eq!(the_contact(&document).uri, "sip:a@h?x=1&y=2", "{uri}");
    }
    let param = "<unknown-param name=' a&quot;b&apos; '>  &quot;\r\n x&#13;&#10;y\tz&#0009;é&#x20AC;  </unknown-param>";
    assert_eq!(
        the_contact(&contact("", param)).params,
        [("a\"b'".to_owned(), "\"  x  y z é€".to_owned())]
    );
    let name = "<display-name>\r\n  Ann\nMiller\r\n</display-name>";
    assert_eq!(
        the_contact(&contact("", name)).display_name.as_deref(),
        Some("Ann Miller")
    );
}

/// [RI-1] The views answer what their documentation says: parameters in whatever case, a preference in
/// thousandths, the prose rules of RFC 3680 5.1.2.
#[test]
fn what_a_contact_view_answers() {
    struct Seen(Vec<(Option<String>, Option<u16>, Option<u16>)>);
    impl Visitor for Seen {
        fn contact(&mut self, contact: &ContactView<'_>) {
            self.0.push((
                contact.param("+SIP.instance").map(str::to_owned),
                contact.q_thousandths(),
                contact.breach().map(|defect| defect.code),
            ));
        }
    }
    let document = registration(
        r#"<contact id="1" q="0.5" event="shortened"><unknown-param name="x">1</unknown-param><unknown-param
        name="+sip.Instance">"&lt;i&gt;"</unknown-param></contact><contact q="-1.000" event="probation"
        expires="1"/><contact q="1.5" event="shortened" expires="3"/><contact q="." event="probation"
        retry-after="3"/><contact q=".0019" event="expired"/><contact q="1e-1"/><contact q="0"/><contact/>"#,
    );
    let mut seen = Seen(Vec::new());
    read(document.as_bytes(), &Limits::default(), &mut seen).unwrap();
    let expected = [
        (
            Some("\"<i>\"".to_owned()),
            Some(500),
            Some(SHORTENED_WITHOUT_EXPIRES.code),
        ),
        (None, Some(0), Some(PROBATION_WITHOUT_RETRY_AFTER.code)),
        (None, Some(1000), None),
        (None, None, None),
        (None, Some(1), None),
        (None, None, None),
        (None, Some(0), None),
        (None, None, None),
    ];
    assert_eq!(seen.0, expected);
}

/// [RFC 3680 4.7.1] Each event and the state that comes of it.
#[test]
fn events_and_their_states() {
    let mut terminating = Vec::new();
    for event in ContactEvent::ALL {
        assert_eq!(ContactEvent::parse(event.as_str()), Some(event));
        assert_eq!(
            event.is_terminating(),
            event.state() == ContactState::Terminated
        );
        if event.is_terminating() {
            terminating.push(event.as_str());
        }
    }
    let expected = [
        "expired",
        "deactivated",
        "probation",
        "unregistered",
        "rejected",
    ];
    assert_eq!(terminating, expected);
}

/// [RI-5] The visitor is called in the order of the document.
#[test]
fn the_order_of_a_visit() {
    #[derive(Default)]
    struct Calls(Vec<String>);
    impl Visitor for Calls {
        fn document(&mut self, version: u32, state: DocumentState) {
            self.0
                .push(format!("document {version} {}", state.as_str()));
        }
        fn registration(&mut self, registration: &RegistrationView<'_>) {
            self.0.push(format!("registration {}", registration.id));
        }
        fn contact(&mut self, contact: &ContactView<'_>) {
            self.0.push(format!("contact {}", contact.id));
        }
        fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
            self.0.push(format!("end {:?}", end.wildcarded_identity));
        }
    }
    let document = reginfo(
        r#"<registration id="1" state="active"><contact id="a"/><w:wildcardedIdentity
        xmlns:w="urn:3gpp:ns:extRegExp:1.0"> sip:!a&amp;.*!@h </w:wildcardedIdentity><contact
        id="b&amp;"><uri>a&amp;b</uri></contact></registration><registration id="2" state="init"/>"#,
    );
    let mut calls = Calls::default();
    read(
        document.as_bytes(),
        &Limits::default(),
        &mut calls as &mut dyn Visitor,
    )
    .unwrap();
    let expected = [
        "document 0 full",
        "registration 1",
        "contact a",
        "contact b&",
        r#"end Some("sip:!a&.*!@h")"#,
        "registration 2",
        "end None",
    ];
    assert_eq!(calls.0, expected);
}

// ---------------------------------------------------------------------------------------------- RI-2

/// [RI-2] The malformed collection: the defect of each document and its byte (T60, T64, T69).
#[test]
fn the_malformed_collection() {
    let files = fixtures("malformed");
    let expected: &[(&str, &Defect, usize)] = &[
        ("charref_nul.xml", &CHARACTER_REFERENCE, 247),
        ("contact_uri_crlf_injection.xml", &CONTROL_IN_URI, 242),
        ("dup_attr_5000.xml", &TOO_MANY_ATTRIBUTES, 295),
        ("dup_attr_same.xml", &DUPLICATE_ATTRIBUTE, 60),
        ("empty.xml", &NO_ROOT, 0),
        ("json_instead.xml", &TEXT_OUTSIDE_ROOT, 0),
        ("ns_decl_5000.xml", &TOO_LARGE, 65_535),
        ("nul_bytes.xml", &CHARACTER, 247),
        ("parameter_entity.xml", &DOCTYPE, 21),
        ("quadratic_blowup.xml", &DOCTYPE, 0),
        ("truncated_mid_utf8.xml", &NOT_UTF8, 200),
        ("two_roots.xml", &SECOND_ROOT, 308),
        ("utf16le_bom.xml", &ENCODING, 0),
        ("version_hex.xml", &VERSION, 79),
        ("version_negative.xml", &VERSION, 79),
        ("wrong_case_state.xml", &REGISTRATION_STATE, 151),
    ];
    for (name, defect, at) in expected {
        let met = read_owned(&files[*name]).unwrap_err();
        assert_eq!((met.defect, met.at as usize), (*defect, *at), "{name}");
    }
    // The others are in the table of what is read.
    assert_eq!(files.len(), expected.len() + 6);
}

/// [RI-1, RI-2] The documents that may not be copied, where they are at hand: the examples of RFC 3680 and RFC 5628
/// are read, and of the malformed ones the one too large to copy is refused as such, or read where it may be large.
#[test]
fn documents_that_are_no_fixtures() {
    let Ok(folder) = std::env::var("IMS_CORPUS_DIR") else {
        println!("IMS_CORPUS_DIR is not set: the examples of the RFCs are not read");
        return;
    };
    let bytes = |name: &str| fs::read(format!("{folder}/{name}")).unwrap();
    // Version, state, and for each registration its contacts: event, and whether there are GRUUs.
    let examples = [
        (
            "rfc3680_5.3_full_active_and_expired",
            "0 full [registered expired]",
        ),
        ("rfc3680_6_init", "0 full []"),
        ("rfc3680_6_partial_registered", "1 partial [registered]"),
        ("rfc5628_7_gruu", "0 full [registered+]"),
        (
            "rfc5628_8.2_ims_implicit_set",
            "1 full [registered+] [created+] [created+]",
        ),
    ];
    for (name, expected) in examples {
        let document = read_owned(bytes(&format!("external/rfc/{name}.xml"))).unwrap();
        let mut told = format!("{} {}", document.version, document.state.as_str());
        for registration in &document.registrations {
            let contacts = registration.contacts.iter().map(|contact| {
                assert!(
                    contact.uri.starts_with("sip:") && !contact.uri.contains(' '),
                    "{name}"
                );
                let gruus = contact.pub_gruu.is_some() && contact.temp_gruu.is_some();
                contact.event.unwrap().as_str().to_owned() + if gruus { "+" } else { "" }
            });
            write!(told, " [{}]", contacts.collect::<Vec<_>>().join(" ")).unwrap();
        }
        assert_eq!(told, expected, "{name}");
    }
    let large = bytes("malformed/aor_1mib.xml");
    refused(&large, &TOO_LARGE, 65_535);
    let mut generous = Limits::default();
    generous.xml_bytes = large.len();
    let document = Document::read(&large, &generous).unwrap();
    assert!(document.registrations[0].aor.len() > 1 << 20);
    let own = fixtures("malformed");
    for entry in fs::read_dir(format!("{folder}/malformed")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_own = own.get(&name) == Some(&bytes(&format!("malformed/{name}")));
        assert!(is_own || name == "aor_1mib.xml", "{name}");
    }
}

/// [RI-2] Encodings: UTF-8 with or without mark and declaration; no other.
#[test]
fn only_utf8() {
    let body = registration("");
    for head in [
        "",
        "\u{feff}",
        "<?xml version='1.0'?>",
        "\u{feff}<?xml version=\"1.1\" encoding='utf-8' standalone=\"yes\" ?>\r\n",
        "<?xml version = \"1.0\"\n encoding=\"UTF-8\"?>",
    ] {
        assert!(read_owned(format!("{head}{body}")).is_ok(), "{head:?}");
    }
    let at = r#"<?xml version="1.0" encoding=""#.len();
    for name in ["UTF-16", "ISO-8859-1", "US-ASCII", "utf8", ""] {
        let head = format!(r#"<?xml version="1.0" encoding="{name}"?>"#);
        refused(format!("{head}{body}"), &ENCODING, at);
        refused(format!("\u{feff}{head}{body}"), &ENCODING, at + 3);
    }
    for swap in [false, true] {
        for mark in ["", "\u{feff}"] {
            let wide: Vec<u8> = format!("{mark}{body}")
                .encode_utf16()
                .flat_map(|unit| {
                    if swap {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            refused(wide, &ENCODING, 0);
        }
    }
    refused([&b"<a"[..], &[0xe9]].concat(), &NOT_UTF8, 2);
    refused("\u{feff}\u{feff}<a/>", &TEXT_OUTSIDE_ROOT, 3);
}

/// [RI-2] A declaration that is misplaced or odd.
#[test]
fn declarations() {
    for head in [
        "<?xml?>",
        "<?xml encoding='UTF-8'?>",
        "<?xml version='2.0'?>",
        "<?xml version='1.'?>",
        "<?xml version='1.0' standalone='maybe'?>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?>",
        "<?xml version='1.0' more='1'?>",
    ] {
        refused(format!("{head}{}", reginfo("")), &DECLARATION, 0);
    }
    let late = format!(" <?xml version='1.0'?>{}", reginfo(""));
    refused(late, &DECLARATION, 1);
    let inside = reginfo("<?xml version='1.0'?>");
    refused(&inside, &DECLARATION, inside.find("<?").unwrap());
    let named = reginfo("<?XML x?>");
    refused(&named, &MALFORMED, named.find("XML").unwrap());
}

/// [RI-2] A document type declaration in whatever form and place, closed or not (T60).
#[test]
fn document_types() {
    let root = reginfo("");
    for doctype in [
        "<!DOCTYPE reginfo>",
        "<!doctype reginfo>",
        "<!DOCTYPE>",
        "<!DOCTYPE reginfo SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE r [<!ENTITY a \"AA\"><!ENTITY b \"&a;&a;\">]>",
        "<!DOCTYPE r [<!ENTITY a '",
    ] {
        let document = format!("\n{doctype}{root}");
        let at = if doctype == "<!DOCTYPE>" { 10 } else { 1 };
        refused(document, &DOCTYPE, at);
    }
    let inside = reginfo("<!DOCTYPE r>");
    refused(&inside, &DOCTYPE, inside.find("<!").unwrap());
    let entity = reginfo("<!ENTITY a 'b'>");
    refused(&entity, &MALFORMED, entity.find("<!").unwrap());
}

/// [RI-2] References: the five predefined entities and characters that XML allows, wherever they stand.
#[test]
fn references() {
    let bad = [
        ("&nbsp;", &UNDECLARED_ENTITY),
        ("&AMP;", &UNDECLARED_ENTITY),
        ("&a:b;", &UNDECLARED_ENTITY),
        ("&#0;", &CHARACTER_REFERENCE),
        ("&#x0;", &CHARACTER_REFERENCE),
        ("&#1;", &CHARACTER_REFERENCE),
        ("&#x1F;", &CHARACTER_REFERENCE),
        ("&#xD800;", &CHARACTER_REFERENCE),
        ("&#xFFFE;", &CHARACTER_REFERENCE),
        ("&#x110000;", &CHARACTER_REFERENCE),
        ("&#99999999999999999999;", &CHARACTER_REFERENCE),
        ("&#;", &CHARACTER_REFERENCE),
        ("&#x;", &CHARACTER_REFERENCE),
        ("&#X41;", &CHARACTER_REFERENCE),
        ("&#4a;", &CHARACTER_REFERENCE),
        ("&;", &BARE_AMPERSAND),
        ("&1;", &BARE_AMPERSAND),
    ];
    let element = |text: &str| contact("", &format!("<uri>{text}</uri>"));
    let attribute = |text: &str| contact(&format!("callid=\"{text}\""), "");
    let ignored = |text: &str| reginfo(&format!("<x a='{text}'/>"));
    let between = |text: &str| reginfo(&format!("<x>{text}</x>"));
    for (text, defect) in bad {
        for document in [element(text), attribute(text), ignored(text), between(text)] {
            refused(&document, defect, document.find('&').unwrap());
        }
    }
    for text in ["&", "&&amp;", "a&b=1", "& amp;", "&#+65;", "&#-1;"] {
        for document in [element(text), attribute(text), ignored(text), between(text)] {
            let met = read_owned(&document).unwrap_err();
            let known = [&BARE_AMPERSAND, &CHARACTER_REFERENCE].contains(&met.defect);
            assert!(
                known && met.at as usize == document.find('&').unwrap(),
                "{met}"
            );
        }
    }
    refused(format!("&amp;{}", reginfo("")), &TEXT_OUTSIDE_ROOT, 0);
    assert_eq!(
        the_contact(&element("&#x1F600;&lt;&gt;&quot;&apos;&#65;")).uri,
        "😀<>\"'A"
    );
}

/// [RI-2] Control characters never leave in a URI, however they came; elsewhere they are spaces (T69).
#[test]
fn control_characters_do_not_leave() {
    struct Watch;
    impl Visitor for Watch {
        fn registration(&mut self, registration: &RegistrationView<'_>) {
            clean(registration.aor);
            clean(registration.id);
        }
        fn contact(&mut self, contact: &ContactView<'_>) {
            clean(contact.id);
            clean(contact.uri);
            for text in [
                contact.display_name,
                contact.display_name_lang,
                contact.q,
                contact.callid,
                contact.pub_gruu,
                contact.temp_gruu.map(|gruu| gruu.uri),
            ] {
                clean(text.unwrap());
            }
            for (name, value) in contact.params() {
                clean(name);
                clean(value);
            }
        }
        fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
            clean(end.wildcarded_identity.unwrap());
            for action in end.actions() {
                action.map(clean);
            }
        }
    }
    fn clean(text: &str) {
        assert!(text.starts_with('a') && text.ends_with('b'), "{text:?}");
        assert!(!text.bytes().any(|b| b < 0x20), "{text:?}");
    }
    let places = |uris: &[&str; 6], text: &str| {
        let [aor, uri, public, temporary, wildcard, domain] = uris;
        reginfo(&format!(
            r#"<registration aor="{aor}" id="{text}" state="active"><contact id="{text}" q="{text}" callid="{text}"
            ><uri>{uri}</uri><display-name xml:lang="{text}">{text}</display-name><unknown-param name="{text}"
            >{text}</unknown-param><g:pub-gruu xmlns:g="urn:ietf:params:xml:ns:gruuinfo" uri="{public}"/><g:temp-gruu
            xmlns:g="urn:ietf:params:xml:ns:gruuinfo" uri="{temporary}"/></contact><w:wildcardedIdentity
            xmlns:w="urn:3gpp:ns:extRegExp:1.0">{wildcard}</w:wildcardedIdentity><e:actions
            xmlns:e="urn:3gpp:ns:extRegInfo:1.0"><e:rph ns="{text}" val="{text}"/><e:pni domain="{domain}"/></e:actions
            ></registration>"#
        ))
    };
    let plain = ["ab"; 6];
    for control in [
        "&#13;",
        "&#10;",
        "&#9;",
        "&#13;&#10;",
        "\r\n",
        "\n",
        "\t",
        "\r",
    ] {
        let text = format!("a{control}b");
        let document = places(&plain, &text);
        read(document.as_bytes(), &Limits::default(), &mut Watch).unwrap();
        for place in 0..6 {
            let mut uris = plain;
            uris[place] = &text;
            let document = places(&uris, "ab");
            let is_attribute = [0, 2, 3, 5].contains(&place);
            let met = read(document.as_bytes(), &Limits::default(), &mut Watch);
            // XML itself makes a space of white space that stands in an attribute.
            if is_attribute && !control.starts_with('&') {
                assert_eq!(met, Ok(()), "{document}");
            } else {
                let reject = met.unwrap_err();
                let wanted = if is_attribute { control } else { &text };
                assert_eq!(reject.defect, &CONTROL_IN_URI);
                assert!(document[reject.at as usize..].starts_with(wanted));
            }
        }
    }
}

/// [RI-2] Well-formedness, to the byte. `^` marks where; it is not part of the document.
#[test]
fn well_formedness() {
    let cases: &[(&str, &Defect)] = &[
        ("^<x></y>", &MISMATCHED_TAG),
        ("<x>^</x y='1'>", &MISMATCHED_TAG),
        ("<x>^</ x>", &MISMATCHED_TAG),
        ("<p:x>^</q:x>", &MISMATCHED_TAG),
        ("^<>", &MALFORMED),
        ("^< x/>", &MALFORMED),
        ("^<1x/>", &MALFORMED),
        ("^<:x/>", &MALFORMED),
        ("^<x:/>", &MALFORMED),
        ("<x^:y:z/>", &MALFORMED),
        ("^<x×/>", &MALFORMED),
        ("<x ^a/>", &MALFORMED),
        ("<x ^a=/>", &MALFORMED),
        ("<x ^a=b/>", &MALFORMED),
        ("<x ^a b='1'/>", &MALFORMED),
        ("<x a='1'^b='2'/>", &MALFORMED),
        ("<x ^1a='1'/>", &MALFORMED),
        ("<x a='1' ^a='2'/>", &DUPLICATE_ATTRIBUTE),
        ("<x p:a='1' b='' ^p:a='2'/>", &DUPLICATE_ATTRIBUTE),
        ("<x xmlns:p='1' ^xmlns:p='1'/>", &DUPLICATE_ATTRIBUTE),
        ("<x a='^<'/>", &MALFORMED),
        ("<x ^=''/>", &MALFORMED),
        ("<x a='1' ^/ />", &MALFORMED),
        ("a^]]>b", &MALFORMED),
        ("<x>]]&gt;^]]></x>", &MALFORMED),
        ("<!--a^--b-->", &MALFORMED),
        ("<![CDATA[]]><!--a^--->", &MALFORMED),
        ("^<![cdata[x]]>", &MALFORMED),
        ("^<!x>", &MALFORMED),
        ("<?^?>", &MALFORMED),
        ("<?^1?>", &MALFORMED),
        ("^\u{1}", &CHARACTER),
        ("<x a='^\u{b}'/>", &CHARACTER),
        ("<!-- ^\u{c} -->", &CHARACTER),
        ("^\u{ffff}\u{fffe}", &CHARACTER),
        ("^\u{fffe}\u{ffff}", &CHARACTER),
        ("é<![CDATA[^\u{fffe}]]>", &CHARACTER),
    ];
    let head = reginfo("").find("</").unwrap();
    for (inside, defect) in cases {
        let at = head + inside.find('^').unwrap();
        let document = reginfo(&inside.replacen('^', "", 1));
        let met = read_owned(&document).expect_err(inside);
        // The event reader tells the start of some constructs only.
        let near = document[..at].rfind('<').unwrap_or(0)..=at + 3;
        assert_eq!(met.defect, *defect, "{inside}");
        assert!(near.contains(&(met.at as usize)), "{inside}: {}", met.at);
    }
}

/// [RI-2] What stands after, or instead of, the one root element.
#[test]
fn one_root() {
    let root = reginfo("");
    refused("", &NO_ROOT, 0);
    refused(" \n<!-- c -->", &NO_ROOT, 12);
    refused(format!("{root} x"), &TEXT_OUTSIDE_ROOT, root.len() + 1);
    refused(format!("{root}&#32;"), &TEXT_OUTSIDE_ROOT, root.len());
    refused(
        format!("{root}<![CDATA[ ]]>"),
        &TEXT_OUTSIDE_ROOT,
        root.len() + 9,
    );
    refused(format!("{root}<x/>"), &SECOND_ROOT, root.len());
    refused(format!("{root}</x>"), &MISMATCHED_TAG, root.len());
    refused("</x>", &MISMATCHED_TAG, 0);
    refused([root.as_bytes(), b"\0"].concat(), &CHARACTER, root.len());
}

/// [RI-2] A document cut short anywhere is refused, and the place lies inside it.
#[test]
fn every_truncation_is_refused() {
    let files = fixtures("reginfo");
    for name in [
        "ts24229_policy_actions.xml",
        "clearwater_wildcard_identity.xml",
    ] {
        let whole = files[name].trim_ascii_end();
        for length in 0..whole.len() {
            let met = read_owned(&whole[..length]).unwrap_err();
            assert!(met.at as usize <= length);
            let expected = [&TRUNCATED, &NO_ROOT, &BARE_AMPERSAND, &ENCODING];
            assert!(expected.contains(&met.defect), "{length}: {met}");
        }
        assert!(read_owned(whole).is_ok());
    }
}

/// [RI-2, DR-5] Each limit, at it and one past it.
#[test]
fn limits() {
    let document = registration("<x><y><z/></y></x><x a='1' b='2' c='3' d='4'/>");
    let mut limits = Limits::default();
    limits.xml_bytes = document.len();
    limits.xml_depth = 5;
    limits.xml_attributes = 4;
    limits.xml_elements = 6;
    let with = |change: fn(&mut Limits)| {
        let mut changed = limits;
        change(&mut changed);
        Document::read(document.as_bytes(), &changed).unwrap_err()
    };
    assert!(Document::read(document.as_bytes(), &limits).is_ok());
    let at = |text: &str| document.find(text).unwrap() as u32;
    let met = with(|limits| limits.xml_bytes -= 1);
    assert_eq!(
        (met.defect, met.at as usize),
        (&TOO_LARGE, document.len() - 1)
    );
    let met = with(|limits| limits.xml_depth -= 1);
    assert_eq!((met.defect, met.at), (&TOO_DEEP, at("<z")));
    let met = with(|limits| limits.xml_attributes -= 1);
    assert_eq!((met.defect, met.at), (&TOO_MANY_ATTRIBUTES, at("d='4'")));
    let met = with(|limits| limits.xml_elements -= 1);
    assert_eq!((met.defect, met.at), (&TOO_MANY_ELEMENTS, at("<x a")));

    let nested = |levels: usize| {
        let mut text = String::new();
        for level in 0..levels {
            write!(text, r#"<x xmlns:p{level}="{NAMESPACE}">"#).unwrap();
        }
        registration(&(text + &"</x>".repeat(levels)))
    };
    // The root declares one.
    assert!(Document::read(nested(3).as_bytes(), &with_depth(limits)).is_ok());
    let met = Document::read(nested(4).as_bytes(), &with_depth(limits));
    // Passed over: what an unknown element declares inside is of no concern.
    assert!(met.is_ok());
    let known = format!(
        r#"<reginfo xmlns="{NAMESPACE}" version="0" state="full" xmlns:a="{NAMESPACE}"><registration
        state="init" xmlns:b="{NAMESPACE}"><contact xmlns:c="{NAMESPACE}"><uri xmlns:d="{NAMESPACE}"
        /></contact></registration></reginfo>"#
    );
    let met = Document::read(known.as_bytes(), &with_depth(limits)).unwrap_err();
    let place = known.find("xmlns:d").unwrap() + 9;
    assert_eq!((met.defect, met.at as usize), (&TOO_MANY_NAMESPACES, place));
    let fewer = known.replace("xmlns:d", "other");
    assert!(Document::read(fewer.as_bytes(), &with_depth(limits)).is_ok());
}

fn with_depth(limits: Limits) -> Limits {
    let mut limits = limits;
    limits.xml_bytes = 65_535;
    limits.xml_depth = 16;
    limits.xml_elements = 64;
    limits
}

/// [RI-2] Documents made to be slow are read or refused like any other, also where the host allows them
/// (T61, T69; RUSTSEC-2026-0194 and -0195).
#[test]
fn documents_made_to_be_slow() {
    let mut generous = Limits::default();
    generous.xml_bytes = 2 << 20;
    generous.xml_depth = 1 << 20;
    generous.xml_elements = 1 << 20;
    generous.xml_attributes = 64;
    let many =
        |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<String>();
    let cases = [
        (
            "distinct attributes",
            reginfo(&format!("<x {}/>", many(5_000, &|n| format!("a{n}='' ")))),
            Err(&TOO_MANY_ATTRIBUTES),
        ),
        (
            "attributes up to the limit",
            reginfo(&format!("<x {}/>", many(64, &|n| format!("a{n}=''  "))).repeat(150)),
            Ok(()),
        ),
        (
            "declarations",
            reginfo(&format!(
                "<x {}/>",
                many(5_000, &|n| format!("xmlns:a{n}='u' "))
            )),
            Err(&TOO_MANY_ATTRIBUTES),
        ),
        (
            "nesting",
            reginfo(&("<x>".repeat(9_000) + &"</x>".repeat(9_000))),
            Ok(()),
        ),
        (
            "nesting, open",
            reginfo(&"<x>".repeat(20_000)),
            Err(&MISMATCHED_TAG),
        ),
        (
            "long names",
            reginfo(&format!("<{0}></{0}>", "x".repeat(30_000))),
            Ok(()),
        ),
        (
            "long text",
            contact("", &format!("<uri>{}</uri>", "a".repeat(60_000))),
            Ok(()),
        ),
        (
            "references",
            contact("", &format!("<uri>{}</uri>", "&amp;".repeat(12_000))),
            Ok(()),
        ),
        (
            "references in a value",
            contact(&format!("callid='{}'", "&amp;".repeat(12_000)), ""),
            Ok(()),
        ),
        (
            "ampersands in a value",
            contact(&format!("callid='{}'", "&".repeat(60_000)), ""),
            Err(&BARE_AMPERSAND),
        ),
        (
            "a reference without end",
            contact(&format!("callid='&{}'", "a".repeat(60_000)), ""),
            Err(&BARE_AMPERSAND),
        ),
        (
            "half references",
            contact(&format!("callid='{}'", "&#".repeat(30_000)), ""),
            Err(&BARE_AMPERSAND),
        ),
        (
            "comments",
            contact("", &format!("<uri>{}</uri>", "a<!---->".repeat(8_000))),
            Ok(()),
        ),
        (
            "a comment of hyphens",
            reginfo(&format!("<!--{} -->", " -".repeat(30_000))),
            Ok(()),
        ),
        (
            "sections",
            contact("", &format!("<uri>{}</uri>", "<![CDATA[a]]>".repeat(5_000))),
            Ok(()),
        ),
        (
            "brackets",
            reginfo(&format!(
                "<![CDATA[{}]]>{}",
                "]".repeat(30_000),
                "] ]&gt;>".repeat(4_000)
            )),
            Ok(()),
        ),
        (
            "contacts",
            registration(&"<contact/>".repeat(6_000)),
            Ok(()),
        ),
        (
            "parameters",
            contact("", &"<unknown-param name='a'/>".repeat(2_600)),
            Ok(()),
        ),
        (
            "policies",
            registration(&format!(
                "<a:actions xmlns:a='urn:3gpp:ns:extRegInfo:1.0'>{}</a:actions>",
                "<a:rph/>".repeat(8_000)
            )),
            Ok(()),
        ),
        (
            "white space",
            format!(
                "{}{}{}",
                " ".repeat(30_000),
                reginfo(""),
                "\n".repeat(30_000)
            ),
            Ok(()),
        ),
        (
            "an entity declaration",
            format!("<!DOCTYPE r [{}]>", "<!ENTITY a '&b;&b;'>".repeat(3_000)),
            Err(&DOCTYPE),
        ),
        (
            "an open declaration",
            format!("<!DOCTYPE r [{}", "<!--".repeat(15_000)),
            Err(&DOCTYPE),
        ),
        (
            "a long address",
            reginfo(&format!(
                "<registration aor='sip:{}' id='1' state='init'/>",
                "a".repeat(1 << 20)
            )),
            Ok(()),
        ),
    ];
    for (what, document, expected) in cases {
        let met = check(document.as_bytes(), &generous).map_err(|reject| reject.defect);
        assert_eq!(met, expected, "{what}");
        let strict = check(document.as_bytes(), &Limits::default());
        if document.len() > 65_535 {
            assert_eq!(strict.unwrap_err().defect, &TOO_LARGE, "{what}");
        }
    }
}

/// [DR-9] Faults and values print nothing of what a document says.
#[test]
fn nothing_personal_is_printed() {
    let document = contact(
        "callid='secret' state='active'",
        "<uri>sip:secret@h</uri><display-name>secret</display-name><unknown-param name='secret'>secret</unknown-param>",
    )
    .replace("sip:a@h", "sip:secret@h");
    struct Printed(String);
    impl Visitor for Printed {
        fn registration(&mut self, registration: &RegistrationView<'_>) {
            write!(self.0, "{registration:?}").unwrap();
        }
        fn contact(&mut self, contact: &ContactView<'_>) {
            write!(self.0, "{contact:?}{:?}", contact.temp_gruu).unwrap();
        }
        fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
            write!(self.0, "{end:?}").unwrap();
        }
    }
    let mut printed = Printed(String::new());
    read(document.as_bytes(), &Limits::default(), &mut printed).unwrap();
    let owned = read_owned(&document).unwrap();
    write!(printed.0, "{owned:?}{:?}", Id::Text(b"secret")).unwrap();
    let out = ContactOut::new(
        Id::Text(b"secret"),
        ContactState::Active,
        ContactEvent::Created,
        b"secret",
    );
    write!(printed.0, "{out:?}").unwrap();
    assert!(
        !printed.0.contains("secret") && printed.0.contains("Active"),
        "{}",
        printed.0
    );
}

// ---------------------------------------------------------------------------------------------- RI-4

fn written(write: impl FnOnce(&mut DocumentWriter<'_>)) -> String {
    let mut buffer = Buffer::new(65_535);
    let mut writer = DocumentWriter::new(&mut buffer, 1, DocumentState::Full);
    write(&mut writer);
    writer.finish();
    assert_eq!(buffer.fault(), None);
    assert_eq!(check(buffer.as_slice(), &Limits::default()), Ok(()));
    String::from_utf8(buffer.as_slice().to_vec()).unwrap()
}

/// The body of a first-light fixture: its lines marked `+`.
fn fixture_body(name: &str) -> String {
    let files = fixtures("first_light");
    let text = String::from_utf8(files[name].clone()).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" + "))
        .filter(|(head, _)| !head.contains(" | "))
        .map(|(_, body)| body)
        .collect()
}

/// [RI-4] The body of the NOTIFY fixture, byte for byte.
#[test]
fn the_first_light_document() {
    let body = written(|writer| {
        for (aor, id, contact) in [
            ("sip:user1_public1@home1.example.net", 0, "r0c0"),
            ("tel:+12125551111", 1, "r1c0"),
        ] {
            let id = Id::Numbered('r', id);
            writer.registration(aor.as_bytes(), id, RegistrationState::Terminated);
            writer.contact(&ContactOut {
                expires: Some(0),
                callid: Some(b"{register-call-id}"),
                cseq: Some(1),
                params_raw:
                    b";+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\";reg-id=1;expires=0",
                ..ContactOut::new(
                    Id::Text(contact.as_bytes()),
                    ContactState::Terminated,
                    ContactEvent::Unregistered,
                    b"sip:[2001:db8::aaa:bbb]:1357;comp=sigcomp",
                )
            });
            writer.end_registration();
        }
    });
    assert_eq!(body, fixture_body("notify.fixture"));
}

/// [RI-4] Everything that can be written, in the order of the schema.
#[test]
fn a_document_with_everything() {
    let body = written(|writer| {
        writer.registration(b"sip:a@h", Id::Text(b"x\"1"), RegistrationState::Active);
        writer.contact(&ContactOut {
            expires: Some(60),
            retry_after: Some(2),
            duration_registered: Some(u64::MAX),
            q: Some(b"0.5"),
            callid: Some(b"a<b>@c"),
            cseq: Some(7),
            display_name: Some(b"A & B"),
            params_raw: b" ; Q=0.5;EXPIRES = 5; a = \"x;\\\"q=1\" ;;ob;b=<&>;c=",
            pub_gruu: Some(b"sip:a@h;gr=1"),
            temp_gruu: Some(TempGruu {
                uri: b"sip:t@h;gr",
                first_cseq: Some(4),
            }),
            ..ContactOut::new(
                Id::Numbered('c', 12),
                ContactState::Active,
                ContactEvent::Shortened,
                b"sip:a@h?x=\"1\"&y=2",
            )
        });
        writer.wildcarded_identity(b"sip:!.*!@h");
        writer.policy([
            PolicyAction::ResourcePriority {
                namespace: &b"wps"[..],
                value: b"1",
            },
            PolicyAction::PrivilegedSender,
            PolicyAction::PrivateNetworkIndication {
                handling: Some(IndicationHandling::Insert),
                domain: Some(b"d"),
            },
            PolicyAction::PrivilegedSenderForPrivateTraffic,
        ]);
        writer.registration(b"tel:+1", Id::Numbered('r', 2), RegistrationState::Init);
    });
    let expected = [
        r#"<?xml version="1.0" encoding="UTF-8"?><reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1" state="full">"#,
        r#"<registration aor="sip:a@h" id="x&quot;1" state="active">"#,
        r#"<contact id="c12" state="active" event="shortened" expires="60" retry-after="2""#,
        r#" duration-registered="18446744073709551615" q="0.5" callid="a&lt;b&gt;@c" cseq="7">"#,
        r#"<uri>sip:a@h?x="1"&amp;y=2</uri><display-name>A &amp; B</display-name>"#,
        r#"<unknown-param name="a">"x;\"q=1"</unknown-param><unknown-param name="ob"></unknown-param>"#,
        r#"<unknown-param name="b">&lt;&amp;&gt;</unknown-param><unknown-param name="c"></unknown-param>"#,
        r#"<gr:pub-gruu xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" uri="sip:a@h;gr=1"/>"#,
        r#"<gr:temp-gruu xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" uri="sip:t@h;gr" first-cseq="4"/></contact>"#,
        r#"<ere:wildcardedIdentity xmlns:ere="urn:3gpp:ns:extRegExp:1.0">sip:!.*!@h</ere:wildcardedIdentity>"#,
        r#"<cp:actions xmlns:cp="urn:ietf:params:xml:ns:common-policy" xmlns:eri="urn:3gpp:ns:extRegInfo:1.0">"#,
        r#"<eri:rph ns="wps" val="1"/><eri:privSender/><eri:pni insert="ins" domain="d"/><eri:privSenderPNI/></cp:actions>"#,
        r#"</registration><registration aor="tel:+1" id="r2" state="init"></registration></reginfo>"#,
    ];
    assert_eq!(body, expected.concat());
}

/// [RI-4] Whatever a user put into a Contact, the document stays well-formed and no control character is in it.
#[test]
fn what_xml_cannot_carry() {
    let body = written(|writer| {
        writer.registration(
            b"sip:a\r\n@h\xff\xc3\xa9",
            Id::Text(b"\0\xffi"),
            RegistrationState::Active,
        );
        writer.contact(&ContactOut {
            display_name: Some("é\u{ffff}\u{7f}\u{1}\r\n\t!".as_bytes()),
            params_raw: b";a=\"x\r\n y\\\x01\xe2\x82\xac\xe2\x82\";b=\"open;c=1",
            ..ContactOut::new(
                Id::Text(b""),
                ContactState::Active,
                ContactEvent::Created,
                "sip:\u{fffe}\x01]]>".as_bytes(),
            )
        });
    });
    let inside = body.split_once("<registration ").unwrap().1;
    assert_eq!(
        inside,
        concat!(
            r#"aor="sip:a%0D%0A@h%FFé" id=" �i" state="active"><contact id="" state="active" event="created">"#,
            "<uri>sip:%EF%BF%BE%01]]&gt;</uri><display-name>é�\u{7f}    !</display-name>",
            r#"<unknown-param name="a">"x   y\ €��"</unknown-param>"#,
            r#"<unknown-param name="b">"open;c=1</unknown-param></contact></registration></reginfo>"#,
        )
    );
}

/// [RI-4] A part told outside of its element is left out; a buffer too small is the one fault, and leaves nothing.
#[test]
fn misplaced_parts_and_small_buffers() {
    let contact = ContactOut::new(
        Id::Numbered('c', 0),
        ContactState::Active,
        ContactEvent::Created,
        b"sip:a@h",
    );
    let body = written(|writer| {
        writer.contact(&contact);
        writer.wildcarded_identity(b"w");
        writer.policy([PolicyAction::PrivilegedSender]);
        writer.end_registration();
        writer.registration(b"sip:a@h", Id::Numbered('r', 0), RegistrationState::Init);
        writer.end_registration();
        writer.contact(&contact);
    });
    assert!(body.ends_with(
        r#"state="full"><registration aor="sip:a@h" id="r0" state="init"></registration></reginfo>"#
    ));

    let document = read_owned(&fixtures("reginfo")["ts24229_policy_actions.xml"]).unwrap();
    let mut large = Buffer::new(65_535);
    document.write(&mut large).unwrap();
    let length = large.len();
    let mut exact = Buffer::new(length);
    assert_eq!(document.write(&mut exact), Ok(()));
    assert_eq!(exact.as_slice(), large.as_slice());
    let mut small = Buffer::new(length - 1);
    assert_eq!(document.write(&mut small), Err(Unwritable::TooLarge));
    assert!(small.is_empty() && small.fault().is_none());
}

/// [RI-4, RI-5] Every document that can be read is written so that it reads the same.
#[test]
fn the_collection_is_written_as_it_was_read() {
    let mut files = fixtures("reginfo");
    files.append(&mut fixtures("malformed"));
    let mut read = 0;
    for (name, bytes) in files {
        let Ok(document) = read_owned(&bytes) else {
            continue;
        };
        let mut buffer = Buffer::new(65_535);
        document.write(&mut buffer).unwrap();
        assert!(read_owned(buffer.as_slice()).unwrap() == document, "{name}");
        read += 1;
    }
    assert_eq!(read, 38 + 6);
}

// ---------------------------------------------------------------------------------------------- properties

/// Text as it can be read: no control characters, nothing XML does not allow, no white space at its ends.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,12}", "[<>&\"';=\\]é€😀 a]{0,12}",].prop_map(|text| {
        let allowed = |c: &char| *c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}');
        let text: String = text.chars().filter(allowed).collect();
        text.trim_matches(' ').to_owned()
    })
}

fn maybe<T: std::fmt::Debug + Clone>(
    some: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(some)
}

prop_compose! {
    fn any_contact()(
        (id, uri, display_name, lang) in (text(), text(), maybe(text()), maybe(text())),
        event in maybe(0usize..9),
        terminated in any::<bool>(),
        numbers in proptest::array::uniform4(maybe(any::<u64>())),
        (q, callid) in (maybe(text()), maybe(text())),
        params in proptest::collection::vec((text(), text()), 0..4),
        (pub_gruu, temp_gruu, first_cseq) in (maybe(text()), maybe(text()), maybe(any::<u64>())),
    ) -> Contact {
        let [expires, retry_after, duration_registered, cseq] = numbers;
        Contact {
            id,
            state: if terminated { ContactState::Terminated } else { ContactState::Active },
            event: event.map(|event| ContactEvent::ALL[event]),
            uri,
            display_name_lang: display_name.as_ref().and(lang),
            display_name,
            expires,
            retry_after,
            duration_registered,
            q,
            callid,
            cseq,
            params,
            pub_gruu,
            temp_gruu: temp_gruu.map(|uri| TempGruu { uri, first_cseq }),
        }
    }
}

fn any_action() -> impl Strategy<Value = PolicyAction<String>> {
    prop_oneof![
        (text(), text())
            .prop_map(|(namespace, value)| PolicyAction::ResourcePriority { namespace, value }),
        Just(PolicyAction::PrivilegedSender),
        (any::<Option<bool>>(), maybe(text())).prop_map(|(insert, domain)| {
            let handling = insert.map(|insert| match insert {
                true => IndicationHandling::Insert,
                false => IndicationHandling::Forward,
            });
            PolicyAction::PrivateNetworkIndication { handling, domain }
        }),
        Just(PolicyAction::PrivilegedSenderForPrivateTraffic),
    ]
}

prop_compose! {
    fn any_registration()(
        (aor, id) in (text(), text()),
        state in 0usize..3,
        contacts in proptest::collection::vec(any_contact(), 0..4),
        wildcarded_identity in maybe(text()),
        policy in maybe(proptest::collection::vec(any_action(), 0..4)),
    ) -> Registration {
        let states = [RegistrationState::Init, RegistrationState::Active, RegistrationState::Terminated];
        Registration { aor, id, state: states[state], contacts, wildcarded_identity, policy }
    }
}

prop_compose! {
    fn any_document()(
        version in any::<u32>(),
        full in any::<bool>(),
        registrations in proptest::collection::vec(any_registration(), 0..4),
    ) -> Document {
        let state = if full { DocumentState::Full } else { DocumentState::Partial };
        Document { version, state, registrations }
    }
}

fn bytes_of(document: &Document) -> Vec<u8> {
    let mut buffer = Buffer::new(1 << 20);
    document.write(&mut buffer).unwrap();
    buffer.as_slice().to_vec()
}

/// What is put into a document to break it.
const SHARDS: [&str; 24] = [
    "<",
    ">",
    "&",
    ";",
    "\"",
    "'",
    "/",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!DOCTYPE",
    "&#0;",
    "&#10;",
    "&x;",
    " xmlns=''",
    " xmlns:a='urn:ietf:params:xml:ns:reginfo'",
    "<a:b>",
    "</",
    "\u{feff}",
    "=",
    "\0",
];

proptest! {
    /// [RI-4, RI-5] Every document is written so that it reads the same.
    #[test]
    fn written_documents_read_the_same(document in any_document()) {
        let bytes = bytes_of(&document);
        prop_assert!(Document::read(&bytes, &Limits::default()).unwrap() == document);
    }

    /// [RI-2] No mutation of a document makes the reader panic, and what it refuses it refuses inside of it.
    /// What it reads, it reads again after writing.
    #[test]
    fn mutated_documents_are_read_or_refused(
        document in any_document(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..3, any::<u8>(), 0..SHARDS.len()), 1..6),
    ) {
        let mut bytes = bytes_of(&document);
        for (place, edit, byte, shard) in edits {
            let at = place.index(bytes.len() + 1);
            match edit {
                0 => { bytes.splice(at..at, SHARDS[shard].bytes()); }
                1 if at < bytes.len() => bytes[at] = byte,
                _ => { bytes.drain(at..bytes.len().min(at + usize::from(byte) % 32)); }
            }
        }
        match read_owned(&bytes) {
            Err(reject) => prop_assert!(reject.at as usize <= bytes.len()),
            Ok(read) => prop_assert!(read_owned(bytes_of(&read)).unwrap() == read),
        }
    }

    /// [RI-2] Nor do bytes of any kind.
    #[test]
    fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(reject) = read_owned(&bytes) {
            prop_assert!(reject.at as usize <= bytes.len());
        }
    }

    /// [RI-2] Nor do pieces of XML in any order.
    #[test]
    fn any_shards_are_refused_or_read(shards in proptest::collection::vec(0..SHARDS.len(), 0..40)) {
        let text: String = shards.into_iter().map(|shard| SHARDS[shard]).collect();
        if let Err(reject) = read_owned(&text) {
            prop_assert!(reject.at as usize <= text.len());
        }
        let inside = registration(&text);
        if let Err(reject) = read_owned(&inside) {
            prop_assert!(reject.at as usize <= inside.len());
        }
    }

    /// [RI-4] Whatever bytes are written, the document is read, and holds no control character.
    #[test]
    fn any_bytes_can_be_written(
        values in proptest::array::uniform6(proptest::collection::vec(any::<u8>(), 0..24)),
    ) {
        let [aor, id, uri, name, params, gruu] = &values;
        let body = written(|writer| {
            writer.registration(aor, Id::Text(id), RegistrationState::Active);
            writer.contact(&ContactOut {
                display_name: Some(name),
                params_raw: params,
                pub_gruu: Some(gruu),
                callid: Some(name),
                ..ContactOut::new(Id::Text(id), ContactState::Active, ContactEvent::Created, uri)
            });
            writer.wildcarded_identity(uri);
        });
        prop_assert!(!body.bytes().any(|b| b < 0x20));
        let read = read_owned(&body).unwrap();
        prop_assert_eq!(read.registrations[0].contacts.len(), 1);
    }
}
