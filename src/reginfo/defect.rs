//! Everything for which a document is refused, and the prose rules that a contact can break.
//! Codes 200 to 299 belong to this layer.

use crate::drive::Defect;

/// More bytes than [`Limits::xml_bytes`](crate::drive::Limits::xml_bytes).
pub const TOO_LARGE: Defect = Defect {
    code: 200,
    what: "the document is too large",
    clause: "DR-5",
};

/// Elements nested deeper than [`Limits::xml_depth`](crate::drive::Limits::xml_depth).
pub const TOO_DEEP: Defect = Defect {
    code: 201,
    what: "the elements are nested too deeply",
    clause: "DR-5",
};

/// An element with more attributes than [`Limits::xml_attributes`](crate::drive::Limits::xml_attributes).
pub const TOO_MANY_ATTRIBUTES: Defect = Defect {
    code: 202,
    what: "an element has too many attributes",
    clause: "DR-5",
};

/// More elements than [`Limits::xml_elements`](crate::drive::Limits::xml_elements).
pub const TOO_MANY_ELEMENTS: Defect = Defect {
    code: 203,
    what: "the document has too many elements",
    clause: "DR-5",
};

/// More namespace declarations of concern in scope than [`Limits::xml_attributes`](crate::drive::Limits::xml_attributes).
pub const TOO_MANY_NAMESPACES: Defect = Defect {
    code: 204,
    what: "too many namespace declarations are in scope",
    clause: "DR-5",
};

/// Declared to be, or visibly, in another encoding than UTF-8.
pub const ENCODING: Defect = Defect {
    code: 205,
    what: "the encoding is not UTF-8",
    clause: "RFC 3680 5.1",
};

/// Bytes that are not UTF-8.
pub const NOT_UTF8: Defect = Defect {
    code: 206,
    what: "the bytes are not UTF-8",
    clause: "RFC 3680 5.1; RFC 3629 3",
};

/// A character that XML does not allow: NUL and other controls, U+FFFE, U+FFFF.
pub const CHARACTER: Defect = Defect {
    code: 207,
    what: "a character that XML does not allow",
    clause: "XML 1.0 2.2",
};

/// A document type declaration, and with it every entity declaration.
pub const DOCTYPE: Defect = Defect {
    code: 208,
    what: "a document type declaration",
    clause: "RI-2; RFC 3680 5.1",
};

/// A reference to an entity other than the five predefined ones.
pub const UNDECLARED_ENTITY: Defect = Defect {
    code: 209,
    what: "a reference to an undeclared entity",
    clause: "XML 1.0 4.1",
};

/// A character reference to something that is no XML character.
pub const CHARACTER_REFERENCE: Defect = Defect {
    code: 210,
    what: "a reference to something that is no XML character",
    clause: "XML 1.0 4.1",
};

/// An ampersand that begins no reference.
pub const BARE_AMPERSAND: Defect = Defect {
    code: 211,
    what: "an ampersand that begins no reference",
    clause: "XML 1.0 2.4",
};

/// The document ends before its root element does.
pub const TRUNCATED: Defect = Defect {
    code: 212,
    what: "the document is cut short",
    clause: "XML 1.0 2.1",
};

/// Markup that is not XML.
pub const MALFORMED: Defect = Defect {
    code: 213,
    what: "the markup is not well-formed",
    clause: "XML 1.0 2.1",
};

/// The same attribute twice on one element.
pub const DUPLICATE_ATTRIBUTE: Defect = Defect {
    code: 214,
    what: "an attribute stands twice",
    clause: "XML 1.0 3.1",
};

/// An end tag that does not match its start tag.
pub const MISMATCHED_TAG: Defect = Defect {
    code: 215,
    what: "an end tag does not match its start tag",
    clause: "XML 1.0 3",
};

/// No element at all.
pub const NO_ROOT: Defect = Defect {
    code: 216,
    what: "there is no root element",
    clause: "XML 1.0 2.1",
};

/// A root element other than `reginfo` in its namespace.
pub const WRONG_ROOT: Defect = Defect {
    code: 217,
    what: "the root element is not reginfo in its namespace",
    clause: "RFC 3680 5.1",
};

/// An element after the root element.
pub const SECOND_ROOT: Defect = Defect {
    code: 218,
    what: "a second root element",
    clause: "XML 1.0 2.1",
};

/// Text before or after the root element.
pub const TEXT_OUTSIDE_ROOT: Defect = Defect {
    code: 219,
    what: "text outside the root element",
    clause: "XML 1.0 2.1",
};

/// An XML declaration that is misplaced, or of another form or version than XML 1.x.
pub const DECLARATION: Defect = Defect {
    code: 220,
    what: "a bad XML declaration",
    clause: "XML 1.0 2.8",
};

/// A `version` that is missing or no non-negative whole number.
pub const VERSION: Defect = Defect {
    code: 221,
    what: "the document's version is missing or not a number",
    clause: "RFC 3680 5.1",
};

/// A document `state` that is missing or neither `full` nor `partial`.
pub const DOCUMENT_STATE: Defect = Defect {
    code: 222,
    what: "the document's state is missing or unknown",
    clause: "RFC 3680 5.1",
};

/// A registration `state` that is missing or none of the three. To ignore the element would be to take its contacts for gone, so the document is refused.
pub const REGISTRATION_STATE: Defect = Defect {
    code: 223,
    what: "a registration's state is missing or unknown",
    clause: "RFC 3680 5.1.1",
};

/// A control character inside a URI, most often CR LF by character references: it would break out of a SIP header.
pub const CONTROL_IN_URI: Defect = Defect {
    code: 224,
    what: "a control character in a URI",
    clause: "RI-2; RFC 3986 2",
};

/// A contact `shortened` without `expires`. Not a reason to refuse the document: see [`ContactView::breach`](super::ContactView::breach).
pub const SHORTENED_WITHOUT_EXPIRES: Defect = Defect {
    code: 225,
    what: "a shortened contact without expires",
    clause: "RFC 3680 5.1.2",
};

/// A contact in `probation` without `retry-after`. Not a reason to refuse the document: see [`ContactView::breach`](super::ContactView::breach).
pub const PROBATION_WITHOUT_RETRY_AFTER: Defect = Defect {
    code: 226,
    what: "a contact in probation without retry-after",
    clause: "RFC 3680 5.1.2",
};
