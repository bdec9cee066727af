//! Everything for which a session description is refused. Codes 700 to 749; none is ever reused.

use crate::drive::Defect;

const fn defect(code: u16, what: &'static str, clause: &'static str) -> Defect {
    Defect { code, what, clause }
}

/// More bytes than [`Limits::message_bytes`](crate::drive::Limits::message_bytes).
pub const TOO_LARGE: Defect = defect(700, "description larger than the limit", "DR-5");
/// More lines than [`Limits::sdp_lines`](crate::drive::Limits::sdp_lines).
pub const TOO_MANY_LINES: Defect = defect(701, "more lines than the limit", "DR-5");
/// More m-lines than [`Limits::sdp_streams`](crate::drive::Limits::sdp_streams).
pub const TOO_MANY_STREAMS: Defect = defect(702, "more m-lines than the limit", "DR-5");
/// A line that is not a letter, `=` and a value.
pub const LINE: Defect = defect(703, "line is not a type, '=' and a value", "RFC 8866 5");
/// CR without LF, or NUL.
pub const BYTE: Defect = defect(704, "CR alone or NUL in a line", "RFC 8866 9");
/// A type letter that no specification gives.
pub const TYPE: Defect = defect(705, "line of an unknown type", "RFC 8866 5");
/// The first three lines are not `v=`, `o=` and `s=`.
pub const START: Defect = defect(706, "v=, o= and s= are not the first lines", "RFC 8866 5");
/// The version of the protocol is not 0.
pub const VERSION: Defect = defect(707, "version is not 0", "RFC 8866 5.1");
/// The o-line has not six fields.
pub const ORIGIN: Defect = defect(708, "o-line has not six fields", "RFC 8866 5.2");
/// The session version of the o-line is not a number of 64 bits.
pub const SESSION_VERSION: Defect = defect(
    709,
    "session version is not a number of 64 bits",
    "RFC 3264 5",
);
/// A line where none of its type may stand: `v=`, `o=` or `s=` a second time, one of the session after an m-line.
pub const MISPLACED: Defect = defect(710, "line stands where none of its type may", "RFC 8866 5");
/// No t-line before the first m-line, or at all.
pub const NO_TIME: Defect = defect(711, "t-line is missing", "RFC 8866 5.9");
/// An m-line is not media, port, protocol and formats.
pub const MEDIA: Defect = defect(
    712,
    "m-line is not media, port, protocol and formats",
    "RFC 8866 5.14",
);
/// The port of an m-line is no number from 0 to 65,535, or the number of ports after it is none.
pub const PORT: Defect = defect(
    713,
    "port of an m-line is not a number from 0 to 65535",
    "RFC 8866 5.14",
);
/// A stream that has its transport from another one: that one cannot be deleted without writing this one anew.
pub const BUNDLE_ONLY: Defect = defect(
    714,
    "stream has its transport from another one",
    "RFC 8843 7.5",
);
