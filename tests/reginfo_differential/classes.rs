//! Why readers disagree: each class with who is right, by which clause, and an example.

use super::{Reader, causes::*};

/// Who reads as the clause says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    We,
    They,
    /// The clause leaves it open.
    Either,
}

/// A cause of disagreement.
pub struct Class {
    pub name: &'static str,
    /// Who disagrees with us over the example.
    pub readers: &'static [Reader],
    pub right: Right,
    pub clause: &'static str,
    pub what: &'static str,
    /// What to put where in [`BASE`] to see it.
    pub example: (&'static str, &'static str),
    explains: fn(&Found<'_>) -> bool,
}

impl Class {
    pub fn explains(&self, found: &Found<'_>) -> bool {
        self.readers.contains(&found.reader) && (self.explains)(found)
    }

    pub fn example(&self) -> Vec<u8> {
        let (what, by) = self.example;
        assert!(BASE.contains(what), "{what} is no part of the base");
        BASE.replacen(what, by, 1).into_bytes()
    }
}

/// What all read alike.
pub const BASE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">\
    <registration aor=\"sip:a@example.org\" id=\"r1\" state=\"active\">\
    <contact id=\"c1\" state=\"active\" event=\"registered\" expires=\"60\">\
    <uri>sip:a@192.0.2.1</uri>\
    <display-name>Ann</display-name>\
    </contact></registration></reginfo>";

const ROXMLTREE: &[Reader] = &[Reader::Roxmltree];
const LIBXML2: &[Reader] = &[Reader::Libxml2];
const BOTH: &[Reader] = &[Reader::Roxmltree, Reader::Libxml2];

pub const CLASSES: &[Class] = &[
    // What we refuse, and another reads.
    Class {
        name: "document type",
        readers: LIBXML2,
        right: Right::We,
        clause: "RI-2",
        what: "a document type declaration, with whatever is in it; roxmltree refuses it too",
        example: ("<reginfo", "<!DOCTYPE reginfo><reginfo"),
        explains: document_type,
    },
    Class {
        name: "limits",
        readers: BOTH,
        right: Right::Either,
        clause: "DR-5",
        what: "more bytes, depth, elements, attributes or declarations than our limits allow",
        example: (
            "Ann",
            "<x><x><x><x><x><x><x><x><x><x><x><x><x/></x></x></x></x></x></x></x></x></x></x></x></x>",
        ),
        explains: limits,
    },
    Class {
        name: "encoding",
        readers: BOTH,
        right: Right::We,
        clause: "RFC 3680 5.1",
        what: "another encoding than UTF-8 is declared; roxmltree takes no notice, libxml2 reads it",
        example: ("UTF-8", "ISO-8859-1"),
        explains: encoding,
    },
    Class {
        name: "declaration",
        readers: ROXMLTREE,
        right: Right::We,
        clause: "XML 1.0 2.8",
        what: "an XML declaration of another form or place, or version 2: taken as it comes, or for an instruction",
        example: ("version=\"1.0\"", "version=\"2.0\""),
        explains: declaration_form,
    },
    Class {
        name: "instruction",
        readers: ROXMLTREE,
        right: Right::We,
        clause: "XML 1.0 2.6",
        what: "an instruction named xml in capitals, or with something other than white space after its name",
        example: ("Ann", "<?XML x?>"),
        explains: instruction_name,
    },
    Class {
        name: "colons",
        readers: BOTH,
        right: Right::We,
        clause: "Namespaces in XML 1.0, 3, 4",
        what: "a name with nothing before its colon, or with a second colon; the former passes for the same name without",
        example: ("Ann", "<:x/>"),
        explains: colons,
    },
    Class {
        name: "number of no character",
        readers: ROXMLTREE,
        right: Right::We,
        clause: "XML 1.0 4.1",
        what: "a reference to a surrogate, or past U+10FFFF: a replacement character elsewhere",
        example: ("Ann", "&#xD800;"),
        explains: number_of_no_character,
    },
    Class {
        name: "default namespace twice",
        readers: ROXMLTREE,
        right: Right::We,
        clause: "XML 1.0 3.1",
        what: "xmlns twice on one element, like any attribute: of no concern to roxmltree",
        example: ("Ann", "<x xmlns=\"\" xmlns=\"u\"/>"),
        explains: default_namespace_twice,
    },
    Class {
        name: "control in a URI",
        readers: BOTH,
        right: Right::We,
        clause: "RI-2, RFC 3986 2",
        what: "a control character inside a URI, most often by reference: XML allows tab, CR and LF",
        example: ("192.0.2.1<", "192.0.2.1&#13;&#10;Via: x<"),
        explains: control_in_uri,
    },
    Class {
        name: "another vocabulary",
        readers: LIBXML2,
        right: Right::We,
        clause: "RFC 3680 5.1",
        what: "well-formed, but with another root, or without a version or state that can be understood",
        example: ("state=\"active\"", "state=\"gone\""),
        explains: another_vocabulary,
    },
    // What another refuses, and we read.
    Class {
        name: "undeclared prefix",
        readers: ROXMLTREE,
        right: Right::They,
        clause: "Namespaces in XML 1.0, 5",
        what: "a prefix that is not declared: an unknown namespace to us, whose elements are passed over",
        example: ("Ann", "<x:y/>"),
        explains: undeclared_prefix,
    },
    Class {
        name: "twice by namespace",
        readers: ROXMLTREE,
        right: Right::They,
        clause: "Namespaces in XML 1.0, 6.3",
        what: "the same attribute by two prefixes of one namespace; none that we look at has one",
        example: ("Ann", "<x xmlns:a=\"u\" xmlns:b=\"u\" a:y=\"\" b:y=\"\"/>"),
        explains: twice_by_namespace,
    },
    Class {
        name: "reserved names",
        readers: ROXMLTREE,
        right: Right::They,
        clause: "Namespaces in XML 1.0, 3",
        what: "the prefixes xml and xmlns, or their namespaces, declared or used as they may not be",
        example: ("Ann", "<x xmlns:xml=\"u\"/>"),
        explains: reserved_names,
    },
    // What another takes for something else.
    Class {
        name: "prefixed xmlns",
        readers: ROXMLTREE,
        right: Right::We,
        clause: "Namespaces in XML 1.0, 3",
        what: "an attribute xmlns with a prefix is taken for the declaration of a default namespace",
        example: ("<contact", "<contact xmlns:p=\"u\" p:xmlns=\"v\""),
        explains: prefixed_xmlns,
    },
];
