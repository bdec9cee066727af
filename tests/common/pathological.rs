//! Messages and documents made to be slow to read: one thing, over and over. What reads them must take time and
//! room in proportion to their length.

/// One way to fill a message or document: something that stands before, a unit as often as there is room, something
/// that stands after.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What is repeated, for a report.
    pub name: &'static str,
    /// What all of it is the inside of.
    within: Within,
    before: &'static str,
    /// What fills the first half of the room, if anything does.
    lead: &'static str,
    unit: &'static str,
    after: &'static str,
}

/// What surrounds a filling.
#[derive(Clone, Copy, Debug)]
enum Within {
    Nothing,
    HeaderLine,
    Document,
    Registration,
    Contact,
    Uri,
}

const START: &str = "BYE sip:a SIP/2.0\r\n";
/// What opens a document around a contact URI, one element an entry, and what closes it.
const OPEN: [&str; 4] = [
    r#"<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">"#,
    r#"<registration aor="sip:a@b" id="r" state="active">"#,
    r#"<contact id="c" state="active" event="created">"#,
    "<uri>sip:",
];
const CLOSE: [&str; 4] = ["</uri>", "</contact>", "</registration>", "</reginfo>"];

impl Within {
    fn ends(self) -> (String, String) {
        let document = |depth: usize| (OPEN[..depth].concat(), CLOSE[4 - depth..].concat());
        match self {
            Self::Nothing => document(0),
            Self::HeaderLine => (START.to_owned(), "\r\n\r\n".to_owned()),
            Self::Document => document(1),
            Self::Registration => document(2),
            Self::Contact => document(3),
            Self::Uri => document(4),
        }
    }
}

/// A message or document of about `bytes` bytes, and not one more, that is filled in this way.
pub fn pathological(kind: &Kind, bytes: usize) -> Vec<u8> {
    let (start, end) = kind.within.ends();
    let (before, after) = ([&start, kind.before].concat(), [kind.after, &end].concat());
    let room = bytes.saturating_sub(before.len() + after.len());
    let lead = kind.lead.repeat(room / 2 / kind.lead.len().max(1));
    let units = (room - lead.len()) / kind.unit.len();
    [before, lead, kind.unit.repeat(units), after]
        .concat()
        .into_bytes()
}

/// What is repeated stands wherever it pleases.
const fn whole(
    name: &'static str,
    before: &'static str,
    unit: &'static str,
    after: &'static str,
) -> Kind {
    Kind {
        name,
        within: Within::Nothing,
        before,
        lead: "",
        unit,
        after,
    }
}

/// What is repeated is header lines.
const fn lines(name: &'static str, unit: &'static str) -> Kind {
    whole(name, START, unit, "\r\n")
}

/// What is repeated is header lines, after as many bytes of other ones.
const fn late_lines(name: &'static str, lead: &'static str, unit: &'static str) -> Kind {
    Kind {
        lead,
        ..lines(name, unit)
    }
}

/// What is repeated stands in one header line.
const fn value(
    name: &'static str,
    before: &'static str,
    unit: &'static str,
    after: &'static str,
) -> Kind {
    Kind {
        name,
        within: Within::HeaderLine,
        before,
        lead: "",
        unit,
        after,
    }
}

/// Every kind there is.
pub const ALL: &[Kind] = &[
    // Lines.
    whole("empty lines", "", "\r\n", "BYE sip:a SIP/2.0\r\n\r\n"),
    whole("nothing but empty lines", "", "\r\n", ""),
    whole("start line without end", "BYE sip:", "a", ""),
    lines("one-byte headers", "a:\r\n"),
    lines("one-byte unknown headers", "q:\r\n"),
    lines("one From after the other", "f:a\r\n"),
    late_lines("late From, repeated", "q:\r\n", "f:a\r\n"),
    lines("one Contact after the other", "m:*\r\n"),
    lines("one Via after the other", "v:SIP/2.0/UDP a\r\n"),
    lines("one Expires after the other", "Expires:1\r\n"),
    lines("headers without colon", "a\r\n"),
    value("folded lines", "s:", "\r\n a", ""),
    value("folded empty lines", "s:", "\r\n\t", ""),
    value("folded Contact", "m:", "\r\n <sip:a>\r\n ,", ""),
    value("folded Via", "v:", "\r\n SIP\r\n /2.0/UDP\r\n a\r\n ,", ""),
    // Lists.
    value("commas in Contact", "m:", ",", ""),
    value("stars in Contact", "m:", "*,", ""),
    value("addresses in Contact", "m:", "<sip:a>,", ""),
    value("bare addresses in Contact", "m:", "sip:a,", ""),
    value("commas in Route", "Route:", ",", ""),
    value("commas in From", "f:", ",", ""),
    value("commas in Via", "v:", ",", ""),
    value("values in Via", "v:", "SIP/2.0/UDP a,", ""),
    value("commas in Supported", "k:", ",", ""),
    value("tokens in Supported", "k:", "a,", ""),
    value("commas in Authorization", "Authorization: Digest ", ",", ""),
    value(
        "parameters in Authorization",
        "Authorization: Digest ",
        "a=b,",
        "",
    ),
    value(
        "user names in Authorization",
        "Authorization: Digest ",
        "username=a,",
        "",
    ),
    value("commas in Security-Client", "Security-Client:", "a,", ""),
    // Quotes, escapes, brackets.
    value("quotes in Contact", "m:", "\"", ""),
    value("display names in Contact", "m:", "\"\"<sip:a>,", ""),
    value("escapes in a display name", "m: \"", "\\", ""),
    value("quoted values in Contact", "m: <sip:a>;x=", "\"\";x=", ""),
    value("quotes past white space", "m: <sip:a>;x=", "  \"\" ;x=", ""),
    value("quotes in Supported", "k:", "\"", ""),
    value(
        "quotes in Authorization",
        "Authorization: Digest a=",
        "\"",
        "",
    ),
    value(
        "escapes in Authorization",
        "Authorization: Digest a=\"",
        "\\\"",
        "",
    ),
    value("open brackets in Contact", "m:", "<", ""),
    value("closed brackets in Contact", "m:", "<>", ""),
    value("brackets in Supported", "k:", "<", ""),
    value("open IPv6 brackets", "v: SIP/2.0/UDP ", "[", ""),
    // Parameters.
    value("semicolons in Contact", "m: <sip:a>", ";", ""),
    value("parameters in Contact", "m: <sip:a>", ";a", ""),
    value("expires in Contact", "m: <sip:a>", ";expires=1", ""),
    value("parameters in Via", "v: SIP/2.0/UDP a", ";a", ""),
    value("tags in From", "f: <sip:a>", ";tag=a", ""),
    value("equals signs in Via", "v: SIP/2.0/UDP a;x", "=", ""),
    value("semicolons in Event", "o: reg", ";", ""),
    value(
        "semicolons in Subscription-State",
        "Subscription-State: active",
        ";a=b",
        "",
    ),
    value("white space before a colon", "s", " ", ":a"),
    // URIs.
    value("at signs in a URI", "m: <sip:", "@", "a>"),
    value("colons in a URI", "m: <sip:", ":", "a>"),
    value("colons in an IPv6 address", "m: <sip:[", ":", "]>"),
    value("groups in an IPv6 address", "m: <sip:[", "1:", "]>"),
    value("dots in a host", "m: <sip:", "a.", ">"),
    value("digits in a port", "m: <sip:a:", "0", ">"),
    value("parameters in a URI", "m: <sip:a", ";a=b", ">"),
    value("headers in a URI", "m: <sip:a?", "a=b&", ">"),
    value("question marks in a URI", "m: <sip:a", "?", ">"),
    value("escapes in a URI", "m: <sip:", "%61", "@a>"),
    value("digits of a telephone number", "m: <tel:+", "1-", ">"),
    whole(
        "at signs in the Request-URI",
        "BYE sip:",
        "@",
        " SIP/2.0\r\n\r\n",
    ),
    whole(
        "parameters in the Request-URI",
        "BYE sip:a",
        ";a=b",
        " SIP/2.0\r\n\r\n",
    ),
    whole(
        "headers in the Request-URI",
        "BYE sip:a?",
        "a=b&",
        " SIP/2.0\r\n\r\n",
    ),
    // Numbers.
    value("digits in Content-Length", "l:", "0", ""),
    value("digits in CSeq", "CSeq:", "0", " BYE"),
    value("digits in Expires", "Expires:", "9", ""),
];

/// What is repeated stands in a document.
const fn inside(
    name: &'static str,
    within: Within,
    before: &'static str,
    unit: &'static str,
    after: &'static str,
) -> Kind {
    Kind {
        within,
        ..whole(name, before, unit, after)
    }
}

/// Registration information documents, to be read without a limit to their elements and depth. Some are refused, but
/// most not before all of it was seen.
pub const DOCUMENTS: &[Kind] = {
    use Within::{Contact, Document, Registration, Uri};
    &[
        // Between elements.
        inside("document: comments", Document, "", "<!-- - -->", ""),
        inside("document: hyphens", Document, "<!--", " -", " -->"),
        inside("document: instructions", Document, "", "<?a b?>", ""),
        inside("document: question marks", Document, "<?a ", "?", "?>"),
        inside("document: white space", Document, "", " \n\t", ""),
        inside("document: text", Document, "", "text", ""),
        inside("document: brackets", Document, "", "]] ", ""),
        // Elements.
        inside("document: unknown elements", Document, "", "<a/>", ""),
        inside(
            "document: elements with ends",
            Document,
            "",
            "<a><b></b></a>",
            "",
        ),
        inside("document: nested elements", Document, "", "<a>", ""),
        inside("document: a long name", Document, "<", "a", "/>"),
        inside("document: a wide name", Document, "<", "é", "/>"),
        inside("document: colons in a name", Document, "<a", ":a", "/>"),
        inside("document: white space in a tag", Document, "<a", " ", "/>"),
        inside(
            "document: white space in an end",
            Document,
            "<a></a",
            " ",
            ">",
        ),
        inside(
            "document: registrations",
            Document,
            "",
            r#"<registration state="init"/>"#,
            "",
        ),
        inside("document: contacts", Registration, "", "<contact/>", ""),
        inside("document: parameters", Contact, "", "<unknown-param/>", ""),
        inside("document: second URIs", Contact, "", "<uri>sip:a</uri>", ""),
        inside("document: GRUUs", Contact, "", GRUU, ""),
        inside(
            "document: policy",
            Registration,
            POLICY,
            r#"<rph ns="a" val="1"/>"#,
            "</actions>",
        ),
        // Namespaces.
        inside("document: declarations", Document, "", DECLARATION, ""),
        inside(
            "document: nested declarations",
            Document,
            "",
            r#"<a xmlns="">"#,
            "",
        ),
        inside("document: prefixes", Document, PREFIXES, "<z:uri/>", "</a>"),
        // Attributes.
        inside(
            "document: attributes at the limit",
            Registration,
            "",
            ATTRIBUTES,
            "",
        ),
        inside(
            "document: a long attribute name",
            Document,
            "<a ",
            "b",
            r#"=""/>"#,
        ),
        inside(
            "document: a long attribute",
            Registration,
            CALLID,
            "a",
            r#""/>"#,
        ),
        inside(
            "document: lines of an attribute",
            Registration,
            CALLID,
            "\r\n",
            r#""/>"#,
        ),
        inside(
            "document: references of an attribute",
            Registration,
            CALLID,
            "&#97;",
            r#""/>"#,
        ),
        inside(
            "document: digits",
            Registration,
            r#"<contact expires=""#,
            "9",
            r#""/>"#,
        ),
        inside("document: quotes in a tag", Document, "<a ", "\"'", "/>"),
        // Text that counts.
        inside("document: a long URI", Uri, "", "a", ""),
        inside("document: a wide URI", Uri, "", "é", ""),
        inside("document: white space in a URI", Uri, "", " ", "a"),
        inside("document: references", Uri, "", "&#97;", ""),
        inside("document: entities", Uri, "", "&amp;", ""),
        inside("document: sections", Uri, "", "<![CDATA[]]>", ""),
        inside(
            "document: brackets in a section",
            Uri,
            "<![CDATA[",
            "]",
            "]]>",
        ),
        inside("document: comments in a URI", Uri, "", "a<!---->", ""),
        inside("document: elements in a URI", Uri, "", "a<b/>", ""),
        inside(
            "document: lines of a name",
            Contact,
            "<display-name>a",
            "\r\n",
            "b</display-name>",
        ),
        // What ends nowhere.
        inside("document: open sections", Uri, "", "<![CDATA[", ""),
        inside("document: open comments", Uri, "", "<!--", ""),
        inside("document: angles", Uri, "", "<", ""),
        inside("document: ends", Uri, "", "</a", ""),
        inside("document: open references", Uri, "&", "a", ""),
        whole(
            "document: an open declaration",
            "<?xml version=\"",
            "1",
            "?>",
        ),
        whole(
            "document: a document type",
            "<!DOCTYPE a [",
            r#"<!ENTITY b "c">"#,
            "]>",
        ),
    ]
};

const CALLID: &str = r#"<contact callid=""#;
const GRUU: &str = r#"<pub-gruu xmlns="urn:ietf:params:xml:ns:gruuinfo" uri="sip:a"/>"#;
const POLICY: &str = r#"<actions xmlns="urn:3gpp:ns:extRegInfo:1.0">"#;
const DECLARATION: &str = r#"<a xmlns:b="urn:ietf:params:xml:ns:reginfo"/>"#;
/// Of one length, with the same byte first and last.
const ATTRIBUTES: &str = r#"<contact aaa="" aba="" aca="" ada="" aea="" afa="" aga="" aha="" aia="" aja="" aka=""
ala="" ama="" ana="" aoa="" apa="" aqa="" ara="" asa="" ata="" aua="" ava="" awa="" axa="" aya="" aza="" a0a=""
a1a="" a2a="" a3a="" a4a="" a5a=""/>"#;
/// Prefixes of one of our namespaces, so that each is kept.
const PREFIXES: &str = r#"<a xmlns:a="urn:3gpp:ns:extRegExp:1.0" xmlns:b="urn:3gpp:ns:extRegExp:1.0"
xmlns:c="urn:3gpp:ns:extRegExp:1.0" xmlns:d="urn:3gpp:ns:extRegExp:1.0" xmlns:e="urn:3gpp:ns:extRegExp:1.0"
xmlns:f="urn:3gpp:ns:extRegExp:1.0" xmlns:g="urn:3gpp:ns:extRegExp:1.0" xmlns:h="urn:3gpp:ns:extRegExp:1.0"
xmlns:i="urn:3gpp:ns:extRegExp:1.0" xmlns:j="urn:3gpp:ns:extRegExp:1.0" xmlns:k="urn:3gpp:ns:extRegExp:1.0">"#;
