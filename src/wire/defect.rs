//! Everything that can be wrong with a SIP message or a value in it. Codes 100 to 199; none is ever reused.

use crate::drive::Defect;

const fn defect(code: u16, what: &'static str, clause: &'static str) -> Defect {
    Defect { code, what, clause }
}

/// No message: nothing, or nothing but line ends (a keep-alive).
pub const EMPTY: Defect = defect(100, "no message", "RFC 3261 7.5");
/// More bytes than [`Limits::message_bytes`](crate::drive::Limits::message_bytes).
pub const MESSAGE_TOO_LARGE: Defect =
    defect(101, "message larger than the limit", "RFC 3261 21.5.7");
/// More header fields than [`Limits::headers`](crate::drive::Limits::headers).
pub const TOO_MANY_HEADERS: Defect =
    defect(102, "more header fields than the limit", "RFC 3261 21.5.7");
/// A header field value longer than [`Limits::header_bytes`](crate::drive::Limits::header_bytes).
pub const HEADER_TOO_LARGE: Defect = defect(
    103,
    "header field value longer than the limit",
    "RFC 3261 21.5.7",
);
/// The bytes end before the empty line that ends the header fields.
pub const UNTERMINATED: Defect = defect(
    104,
    "the empty line after the header fields is missing",
    "RFC 3261 7",
);
/// CR without LF or LF without CR in the start line or a header field.
pub const BARE_LINE_END: Defect = defect(
    105,
    "CR or LF alone in the start line or a header field",
    "RFC 3261 7",
);
/// NUL in the start line or a header field, but for one that a backslash escapes in a display name of From or To.
pub const NUL: Defect = defect(
    106,
    "NUL in the start line or a header field",
    "RFC 3261 25.1",
);
/// The start line is neither a request line nor a status line.
pub const START_LINE: Defect = defect(
    107,
    "neither a request line nor a status line",
    "RFC 3261 7.1",
);
/// The version is not `SIP/2.0`.
pub const VERSION: Defect = defect(108, "SIP version is not 2.0", "RFC 3261 7.1");
/// The method is not a token.
pub const METHOD: Defect = defect(109, "method is not a token", "RFC 3261 7.1");
/// The Request-URI is empty, or holds a byte that no URI can: white space, above all.
pub const REQUEST_URI: Defect = defect(
    110,
    "Request-URI is empty or holds a byte that no URI can",
    "RFC 3261 7.1",
);
/// The status is not three digits from 100 to 699.
pub const STATUS: Defect = defect(111, "status code is not from 100 to 699", "RFC 3261 7.2");
/// A header field without a name, without a colon, or whose name is not a token.
pub const HEADER_NAME: Defect = defect(
    112,
    "header field name is not a token before a colon",
    "RFC 3261 7.3.1",
);
/// A continuation line that continues nothing.
pub const FOLDED_START: Defect = defect(
    113,
    "the first header field begins with white space",
    "RFC 3261 7.3.1",
);
/// A header field that must stand once stands several times with different values.
pub const CONFLICT: Defect = defect(
    114,
    "header field repeated with another value",
    "RFC 3261 7.3.1",
);
/// Content-Length is not a number.
pub const CONTENT_LENGTH: Defect = defect(115, "Content-Length is not a number", "RFC 3261 20.14");
/// The body is shorter than Content-Length says.
pub const BODY_TOO_SHORT: Defect =
    defect(116, "body is shorter than Content-Length", "RFC 3261 18.3");
/// No Content-Length where the transport is a stream.
pub const NO_CONTENT_LENGTH: Defect = defect(117, "no Content-Length on a stream", "RFC 3261 18.3");

/// Via is missing.
pub const NO_VIA: Defect = defect(120, "Via is missing", "RFC 3261 8.1.1");
/// From is missing.
pub const NO_FROM: Defect = defect(121, "From is missing", "RFC 3261 8.1.1");
/// To is missing.
pub const NO_TO: Defect = defect(122, "To is missing", "RFC 3261 8.1.1");
/// Call-ID is missing.
pub const NO_CALL_ID: Defect = defect(123, "Call-ID is missing", "RFC 3261 8.1.1");
/// CSeq is missing.
pub const NO_CSEQ: Defect = defect(124, "CSeq is missing", "RFC 3261 8.1.1");
/// Call-ID is not `word [ "@" word ]`.
pub const CALL_ID: Defect = defect(
    125,
    "Call-ID is empty or holds white space or a control",
    "RFC 3261 20.8",
);
/// CSeq is not a number and a method.
pub const CSEQ: Defect = defect(126, "CSeq is not a number and a method", "RFC 3261 20.16");
/// The number of CSeq is 2^31 or more.
pub const CSEQ_NUMBER: Defect = defect(
    127,
    "CSeq number is not below 2147483648",
    "RFC 3261 8.1.1.5",
);
/// The method of CSeq is not that of the request.
pub const CSEQ_METHOD: Defect = defect(
    128,
    "CSeq method is not that of the request",
    "RFC 3261 8.1.1.5",
);

/// A quoted string is never closed.
pub const UNCLOSED_QUOTE: Defect = defect(130, "quoted string is not closed", "RFC 3261 25.1");
/// `<` without `>`.
pub const UNCLOSED_ANGLE: Defect = defect(131, "angle bracket is not closed", "RFC 3261 20.10");
/// A display name that is neither tokens nor a quoted string followed by `<`.
pub const DISPLAY_NAME: Defect = defect(
    132,
    "display name is neither tokens nor a quoted string",
    "RFC 3261 20.10",
);
/// Something other than parameters or a comma follows an address.
pub const AFTER_ADDRESS: Defect = defect(
    133,
    "something other than parameters after an address",
    "RFC 3261 20.10",
);
/// Several addresses where there must be one.
pub const ONE_ADDRESS: Defect = defect(
    134,
    "several addresses where there must be one",
    "RFC 3261 7.3.1",
);
/// A URI with `?` outside `<` and `>`.
pub const BARE_URI: Defect = defect(135, "URI with ? outside angle brackets", "RFC 3261 20.10");
/// A parameter that decides something stands several times.
pub const PARAMETER_TWICE: Defect = defect(136, "parameter stands several times", "RFC 3261 7.3.1");
/// A tag that is not a token.
pub const TAG: Defect = defect(137, "tag is not a token", "RFC 3261 19.3");
/// `Contact: *` beside other contacts.
pub const STAR: Defect = defect(138, "'*' beside other contacts", "RFC 3261 10.3");
/// A quoted string that is not the whole value of a parameter.
pub const MISPLACED_QUOTE: Defect = defect(
    139,
    "quoted string is not the whole value of a parameter",
    "RFC 3261 25.1",
);

/// A URI without a scheme.
pub const SCHEME: Defect = defect(140, "URI without a scheme", "RFC 3261 19.1.1");
/// A byte that cannot stand in a URI.
pub const URI_BYTE: Defect = defect(141, "a byte that cannot stand in a URI", "RFC 3261 19.1.1");
/// An empty user part, or a second `@`.
pub const USER: Defect = defect(142, "empty user part or a second '@'", "RFC 3261 19.1.1");
/// The host is no host name and no address.
pub const HOST: Defect = defect(143, "neither a host name nor an address", "RFC 3261 25.1");
/// The port is no number from 0 to 65,535.
pub const PORT: Defect = defect(144, "port is not a number from 0 to 65535", "RFC 3261 25.1");
/// A `tel` URI without a number.
pub const TEL: Defect = defect(145, "tel URI without a telephone number", "RFC 3966 3");
/// Something other than parameters and headers follows the host.
pub const AFTER_HOST: Defect = defect(
    146,
    "something other than parameters after the host",
    "RFC 3261 19.1.1",
);

/// A URI, address or Via of more than 65,535 bytes.
pub const VALUE_TOO_LONG: Defect = defect(148, "value of more than 65535 bytes", "RFC 3261 21.5.7");

/// Start line and header fields of more than 65,535 bytes.
pub const HEAD_TOO_LARGE: Defect = defect(
    149,
    "start line and header fields of more than 65535 bytes",
    "RFC 3261 21.5.7",
);

/// Via does not begin with protocol, version and transport.
pub const VIA_PROTOCOL: Defect = defect(
    150,
    "Via without protocol, version and transport",
    "RFC 3261 20.42",
);
/// The sent-by of a Via is malformed.
pub const SENT_BY: Defect = defect(151, "sent-by of a Via is malformed", "RFC 3261 20.42");
/// Something other than parameters follows the sent-by.
pub const AFTER_SENT_BY: Defect = defect(
    152,
    "something other than parameters after sent-by",
    "RFC 3261 20.42",
);

/// A parameter that holds what only a quoted string can.
pub const PARAMETER: Defect = defect(
    153,
    "parameter holds white space or an angle bracket outside quotes",
    "RFC 3261 25.1",
);

/// Expires is not a number of seconds.
pub const EXPIRES: Defect = defect(160, "Expires is not a number of seconds", "RFC 3261 20.19");
/// Subscription-State does not begin with a state.
pub const SUBSCRIPTION_STATE: Defect =
    defect(161, "Subscription-State without a state", "RFC 6665 8.2.3");
/// Event does not begin with a package.
pub const EVENT: Defect = defect(162, "Event without a package", "RFC 6665 8.2.1");
/// Authorization is not a scheme and parameters.
pub const AUTHORIZATION: Defect = defect(
    163,
    "Authorization is not a scheme and parameters",
    "RFC 3261 25.1",
);
/// A header field that must stand once stands several times.
pub const REPEATED: Defect = defect(
    164,
    "header field that must stand once is repeated",
    "RFC 3261 7.3.1",
);

/// A challenge is not a scheme and parameters.
pub const CHALLENGE: Defect = defect(
    165,
    "challenge is not a scheme and parameters",
    "RFC 3261 25.1",
);
/// Authentication-Info is no list of parameters.
pub const AUTHENTICATION_INFO: Defect = defect(
    166,
    "Authentication-Info is no list of parameters",
    "RFC 3261 20.6",
);
/// A security mechanism is malformed.
pub const SECURITY: Defect = defect(167, "security mechanism is malformed", "RFC 3329 2.2");
/// P-Charging-Vector is malformed, or has no `icid-value`.
pub const CHARGING_VECTOR: Defect = defect(
    168,
    "P-Charging-Vector is malformed or without icid-value",
    "RFC 7315 5.6",
);
/// P-Charging-Function-Addresses is no list of addresses.
pub const CHARGING_ADDRESSES: Defect = defect(
    169,
    "P-Charging-Function-Addresses is no list of addresses",
    "RFC 7315 5.5",
);
/// P-Access-Network-Info is not an access type or class and what belongs to it.
pub const ACCESS_NETWORK: Defect = defect(
    170,
    "P-Access-Network-Info is not an access type and its parameters",
    "RFC 7315 5.4",
);
/// P-Visited-Network-ID is neither a token nor a quoted string with parameters.
pub const VISITED_NETWORK: Defect = defect(
    171,
    "P-Visited-Network-ID is neither a token nor a quoted string",
    "RFC 7315 5.3",
);
/// A parameter of P-Served-User is malformed.
pub const SERVED_USER: Defect =
    defect(172, "parameter of P-Served-User is malformed", "RFC 5502 6");
/// A reason is not a protocol with a numeric cause and a quoted text.
pub const REASON: Defect = defect(
    173,
    "reason is not a protocol with its parameters",
    "RFC 3326 2",
);
/// Retry-After is not a number of seconds with comment and parameters.
pub const RETRY_AFTER: Defect = defect(
    174,
    "Retry-After is not a number of seconds",
    "RFC 3261 20.33",
);
/// What must be a decimal number within its range is none.
pub const NUMBER: Defect = defect(
    175,
    "not a decimal number, or out of its range",
    "RFC 3261 25.1",
);
/// What must be a token, or a list of tokens, is none.
pub const NO_TOKEN: Defect = defect(176, "not a token", "RFC 3261 25.1");
/// A media type is not `type/subtype` with parameters.
pub const MEDIA_TYPE: Defect = defect(
    177,
    "media type is not type/subtype with parameters",
    "RFC 3261 20.15",
);
/// Content-Disposition is not a token with parameters.
pub const DISPOSITION: Defect = defect(
    178,
    "Content-Disposition is not a token with parameters",
    "RFC 3261 20.11",
);
/// MIME-Version is not two numbers.
pub const MIME_VERSION: Defect = defect(179, "MIME-Version is not two numbers", "RFC 3261 20.24");
/// Date is not a date of RFC 1123 in GMT.
pub const DATE: Defect = defect(180, "Date is not a date in GMT", "RFC 3261 20.17");
/// Timestamp is not a time and a delay.
pub const TIMESTAMP: Defect = defect(181, "Timestamp is not a time and a delay", "RFC 3261 20.38");
/// A warning is not a code, an agent and a quoted text.
pub const WARNING: Defect = defect(
    182,
    "warning is not a code, an agent and a quoted text",
    "RFC 3261 20.43",
);
/// Session-Expires or Min-SE is not a number of seconds with parameters.
pub const SESSION_EXPIRES: Defect = defect(
    183,
    "Session-Expires or Min-SE is not a number of seconds",
    "RFC 4028 4",
);
/// A feature set is not `*` with parameters.
pub const FEATURES: Defect = defect(
    184,
    "feature set is not '*' with parameters",
    "RFC 3841 9.2",
);
/// An identifier of CPM is empty, too long or not printable.
pub const CPM_ID: Defect = defect(
    185,
    "CPM identifier is empty, too long or not printable",
    "OMA CPM Conversation Functions, Appendix C",
);
/// A quoted string holds a control character that is not escaped.
pub const QUOTED_CONTROL: Defect = defect(
    186,
    "quoted string holds a control character",
    "RFC 3261 25.1",
);
/// Restoration-Info is neither a token nor a quoted string.
pub const RESTORATION_INFO: Defect = defect(
    187,
    "Restoration-Info is neither a token nor a quoted string",
    "TS 24.229 7.2.11",
);

/// A method that nothing here knows.
pub const METHOD_UNKNOWN: Defect = defect(190, "method is not implemented", "RFC 3261 21.5.2");
/// A known method that is not for this element.
pub const METHOD_NOT_ALLOWED: Defect = defect(191, "method is not allowed here", "RFC 3261 8.2.1");
/// Require or Proxy-Require names an option that is not supported.
pub const EXTENSION: Defect = defect(
    192,
    "required extension is not supported",
    "RFC 3261 8.2.2.3",
);
/// The body is of no type that is understood, or of none that is named.
pub const BODY_TYPE: Defect = defect(193, "body is of a type not understood", "RFC 3261 8.2.3");
/// The scheme of the Request-URI is not one that is served.
pub const URI_SCHEME: Defect = defect(
    194,
    "scheme of the Request-URI is not supported",
    "RFC 3261 8.2.2.1",
);
/// Max-Forwards is 0 where the request would have to be forwarded.
pub const TOO_MANY_HOPS: Defect = defect(195, "Max-Forwards is exhausted", "RFC 3261 16.3");
/// Max-Forwards is not a number from 0 to 255.
pub const MAX_FORWARDS: Defect = defect(
    196,
    "Max-Forwards is not a number from 0 to 255",
    "RFC 3261 20.22",
);
/// A response where a request must stand, or a request where a response must.
pub const WRONG_KIND: Defect = defect(
    197,
    "a response instead of a request or the reverse",
    "RFC 3261 7",
);
/// The body is longer than the element takes.
pub const BODY_TOO_LARGE: Defect = defect(198, "body is longer than is taken", "RFC 3261 21.4.11");
/// The Request-URI is longer than the element takes.
pub const URI_TOO_LONG: Defect = defect(
    199,
    "Request-URI is longer than is taken",
    "RFC 3261 21.4.12",
);
