//! Messages made to be slow to read: one thing, over and over. What reads them must take time and room in
//! proportion to their length.

/// One way to fill a message: something that stands before, a unit as often as there is room, something that
/// stands after.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What is repeated, for a report.
    pub name: &'static str,
    /// Whether all of it is the inside of one header line.
    in_a_line: bool,
    before: &'static str,
    /// What fills the first half of the room, if anything does.
    lead: &'static str,
    unit: &'static str,
    after: &'static str,
}

const START: &str = "BYE sip:a SIP/2.0\r\n";

/// A message of about `bytes` bytes, and not one more, that is filled in this way.
pub fn pathological(kind: &Kind, bytes: usize) -> Vec<u8> {
    let (before, after) = if kind.in_a_line {
        (
            [START, kind.before].concat(),
            [kind.after, "\r\n\r\n"].concat(),
        )
    } else {
        (kind.before.to_owned(), kind.after.to_owned())
    };
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
        in_a_line: false,
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
        in_a_line: true,
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

const DOCUMENT: &str =
    "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">";
const REGISTRATION: &str = "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">\
    <registration aor=\"sip:a@b\" id=\"r\" state=\"active\">";
const CONTACT: &str = "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">\
    <registration aor=\"sip:a@b\" id=\"r\" state=\"active\">\
    <contact id=\"c\" state=\"active\" event=\"created\"><uri>sip:a@b</uri>";
const URI: &str = "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">\
    <registration aor=\"sip:a@b\" id=\"r\" state=\"active\">\
    <contact id=\"c\" state=\"active\" event=\"created\"><uri>sip:";
const END: &str = "</reginfo>";
const REGISTRATION_END: &str = "</registration></reginfo>";
const CONTACT_END: &str = "</contact></registration></reginfo>";
const URI_END: &str = "</uri></contact></registration></reginfo>";

/// [RI-2] Registration information documents, all of them well-formed as far as they go.
pub const DOCUMENTS: &[Kind] = &[
    whole("document: comments", DOCUMENT, "<!-- - -->", END),
    whole("document: instructions", DOCUMENT, "<?a b?>", END),
    whole("document: white space", DOCUMENT, " \n\t", END),
    whole("document: text", DOCUMENT, "text", END),
    whole("document: brackets", DOCUMENT, "]] ", END),
    whole("document: unknown elements", DOCUMENT, "<a/>", END),
    whole(
        "document: unknown elements with ends",
        DOCUMENT,
        "<a><b></b></a>",
        END,
    ),
    whole(
        "document: declarations",
        DOCUMENT,
        "<a xmlns:b=\"urn:ietf:params:xml:ns:reginfo\"/>",
        END,
    ),
    whole(
        "document: registrations",
        DOCUMENT,
        "<registration aor=\"\" id=\"\" state=\"init\"/>",
        END,
    ),
    whole(
        "document: attributes",
        REGISTRATION,
        "<contact a=\"\" b=\"\" c=\"\" d=\"\" e=\"\" f=\"\" g=\"\" h=\"\" i=\"\" j=\"\" k=\"\" l=\"\" m=\"\" n=\"\"/>",
        REGISTRATION_END,
    ),
    whole(
        "document: contacts",
        REGISTRATION,
        "<contact/>",
        REGISTRATION_END,
    ),
    whole(
        "document: parameters",
        CONTACT,
        "<unknown-param/>",
        CONTACT_END,
    ),
    whole(
        "document: second URIs",
        CONTACT,
        "<uri>sip:a</uri>",
        CONTACT_END,
    ),
    whole("document: a long URI", URI, "a", URI_END),
    whole("document: references", URI, "&#97;", URI_END),
    whole("document: entities", URI, "&amp;", URI_END),
    whole("document: sections", URI, "<![CDATA[]]>", URI_END),
    whole("document: comments in a URI", URI, "a<!---->", URI_END),
    whole("document: open sections", URI, "<![CDATA[", ""),
    whole("document: open comments", URI, "<!--", ""),
    whole("document: angles", URI, "<", ""),
    whole("document: ends", URI, "</a", ""),
];
