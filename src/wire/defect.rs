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
/// NUL in the start line or a header field.
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
/// The Request-URI is empty, or holds a byte that no URI can.
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
    "Call-ID is empty or holds white space",
    "RFC 3261 20.8",
);
/// CSeq is not a number and a method.
pub const CSEQ: Defect = defect(126, "CSeq is not a number and a method", "RFC 3261 20.16");
/// The number of CSeq is 2^31 or more.
pub const CSEQ_NUMBER: Defect = defect(127, "CSeq number is not below 2^31", "RFC 3261 8.1.1.5");
/// The method of CSeq is not that of the request.
pub const CSEQ_METHOD: Defect = defect(
    128,
    "CSeq method is not that of the request",
    "RFC 3261 8.1.1.5",
);

/// A quoted string is never closed.
pub const UNCLOSED_QUOTE: Defect = defect(130, "quoted string is not closed", "RFC 3261 25.1");
/// `<` without `>`.
pub const UNCLOSED_ANGLE: Defect = defect(131, "'<' without '>'", "RFC 3261 20.10");
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
pub const BARE_URI: Defect = defect(135, "URI with '?' outside '<' and '>'", "RFC 3261 20.10");
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
