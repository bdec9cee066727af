//! The limits of a registration information document, as they are by default: at each a document is read, one past it
//! refused where it goes past (DR-5, RI-2, T69).

use ims_procedures::{
    drive::{Defect, Limits, Reject},
    reginfo::{NAMESPACE, check, defect},
};

const BYTES: usize = 65_535;
const DEPTH: usize = 16;
const ATTRIBUTES: usize = 32;
const ELEMENTS: usize = 4_096;

#[track_caller]
fn read(document: &str) {
    assert_eq!(check(document.as_bytes(), &Limits::default()), Ok(()));
}

/// Refused where the pattern stands for the last time.
#[track_caller]
fn refused(document: &str, defect: &'static Defect, last: &str) {
    let at = document.rfind(last).expect("the pattern");
    assert_eq!(
        check(document.as_bytes(), &Limits::default()),
        Err(Reject::new(defect, at))
    );
}

/// A document with `inside` in its one contact. It has four elements, four deep.
fn contact(attributes: &str, inside: &str) -> String {
    format!(
        r#"<reginfo xmlns="{NAMESPACE}" version="0" state="full"><registration aor="sip:a@h" id="r" state="active"
        ><contact id="c" state="active" event="created"{attributes}><uri>sip:a@h</uri>{inside}</contact></registration
        ></reginfo>"#
    )
}

/// [DR-5] The defaults are those of the documentation.
#[test]
fn defaults() {
    let Limits {
        xml_bytes,
        xml_depth,
        xml_attributes,
        xml_elements,
        ..
    } = Limits::default();
    assert_eq!(
        (xml_bytes, xml_depth, xml_attributes, xml_elements),
        (BYTES, DEPTH, ATTRIBUTES, ELEMENTS)
    );
}

/// [RI-2] Bytes, wherever they are: in a URI, in a text, in a comment, after the root; a byte order mark counts.
#[test]
fn bytes() {
    let places: [fn(&str) -> String; 6] = [
        |fill| {
            contact(
                "",
                &format!("<unknown-param name='a'>{fill}</unknown-param>"),
            )
        },
        |fill| contact(&format!(" callid='{fill}'"), ""),
        |fill| contact("", &format!("<!--{fill}-->")),
        |fill| contact("", fill),
        |fill| contact("", "") + &fill.replace('a', "\n"),
        |fill| format!("\u{feff}{}", contact("", &format!("<x a='{fill}'/>"))),
    ];
    for place in places {
        let room = BYTES - place("").len();
        read(&place(&"a".repeat(room)));
        let past = place(&"a".repeat(room + 1));
        let met = check(past.as_bytes(), &Limits::default());
        assert_eq!(met, Err(Reject::new(&defect::TOO_LARGE, BYTES)));
    }
    // Whatever it is that is too large, and without a look at it.
    for byte in [0, b'<', 0xff] {
        let met = check(&[byte; BYTES + 1], &Limits::default());
        assert_eq!(met, Err(Reject::new(&defect::TOO_LARGE, BYTES)));
    }
}

/// [RI-2] Depth, of elements that are known and of those that are passed over; an empty element is one deeper.
#[test]
fn depth() {
    let nested = |name: &str, levels: usize, innermost: &str| {
        format!(
            "{}{innermost}{}",
            format!("<{name}>").repeat(levels),
            format!("</{name}>").repeat(levels)
        )
    };
    for name in ["x", "uri", "contact"] {
        // Inside `contact`, which is the third.
        read(&contact("", &nested(name, DEPTH - 3, "text")));
        read(&contact("", &nested(name, DEPTH - 4, "<y/>")));
        refused(
            &contact("", &nested(name, DEPTH - 2, "")),
            &defect::TOO_DEEP,
            &format!("<{name}>"),
        );
        refused(
            &contact("", &nested(name, DEPTH - 3, "<y/>")),
            &defect::TOO_DEEP,
            "<y/>",
        );
    }
    // Beside one another they are not deeper.
    read(&contact("", &nested("x", DEPTH - 3, "").repeat(20)));
}

/// [RI-2] Attributes of one element: of any kind, known or passed over; those of two elements do not add up.
#[test]
fn attributes() {
    let many = |count: usize, item: fn(usize) -> String| (0..count).map(item).collect::<String>();
    let kinds: [fn(usize) -> String; 3] = [
        |number| format!(" a{number}=''"),
        |number| format!(" xmlns:a{number}='urn:a'"),
        |number| format!(" b:a{number}='&amp;'"),
    ];
    for kind in kinds {
        let last = kind(ATTRIBUTES);
        let last = last.trim_start();
        // The contact has three of its own.
        let past = |count: usize| contact(&format!("{} {last}", many(count, kind)), "");
        read(&contact(&many(ATTRIBUTES - 3, kind), ""));
        read(&past(ATTRIBUTES - 4));
        refused(&past(ATTRIBUTES - 3), &defect::TOO_MANY_ATTRIBUTES, last);
        for name in ["x", "display-name", "uri"] {
            let element = |count: usize| format!("<{name}{} {last}></{name}>", many(count, kind));
            read(&contact("", &element(ATTRIBUTES - 1).repeat(3)));
            refused(
                &contact("", &element(ATTRIBUTES)),
                &defect::TOO_MANY_ATTRIBUTES,
                last,
            );
        }
    }
}

/// [RI-2] Declarations in scope of a namespace that we know: those of elements inside one another add up, those of
/// elements beside one another do not.
#[test]
fn declarations() {
    let declared = |from: usize, count: usize| {
        (from..from + count)
            .map(|number| format!(" xmlns:p{number}='{NAMESPACE}'"))
            .collect::<String>()
    };
    // The root declares one.
    let half = (ATTRIBUTES - 1) / 2;
    let rest = ATTRIBUTES - 1 - half;
    let with = |inner: &str| contact(&declared(0, half), &format!("<display-name{inner}/>"));
    read(&with(&declared(half, rest)));
    let past = with(&declared(half, rest + 1));
    let place = past.rfind(NAMESPACE).unwrap();
    let met = check(past.as_bytes(), &Limits::default());
    assert_eq!(met, Err(Reject::new(&defect::TOO_MANY_NAMESPACES, place)));
    read(&contact(
        &declared(0, half),
        &format!("<unknown-param{}/>", declared(half, rest)).repeat(20),
    ));
}

/// [RI-2] Elements of the whole document: known ones, ones passed over, empty ones and others.
#[test]
fn elements() {
    for element in ["<x/>", "<uri/>", "<y></y>", "<z xmlns=''/>"] {
        let full = element.repeat(ELEMENTS - 4);
        // The four of the document itself.
        read(&contact("", &full));
        refused(
            &contact("", &(full + element)),
            &defect::TOO_MANY_ELEMENTS,
            element,
        );
    }
    let contacts = "<contact/>".repeat(ELEMENTS - 4);
    let beside = |more: &str| {
        contact("", "").replace("</registration", &format!("{contacts}{more}</registration"))
    };
    read(&beside(""));
    refused(
        &beside("<contact/>"),
        &defect::TOO_MANY_ELEMENTS,
        "<contact/>",
    );
}
