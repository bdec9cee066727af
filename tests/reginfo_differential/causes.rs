//! What in the bytes makes readers disagree. Each cause is looked for by other means than our reader's: the code of
//! a refusal alone explains nothing.

use super::{Disagreement, Reader, Value, readers::Refusal};
use roxmltree::{Document, Error, Node};

pub type Found<'a> = Disagreement<'a>;

/// We refuse the document, for one of these reasons, and the other does not.
fn refused_by_us(found: &Found<'_>, codes: &[u16]) -> bool {
    found.theirs != Value::Refused
        && found
            .reject
            .is_some_and(|reject| codes.contains(&reject.defect.code))
}

/// roxmltree refuses the document for that reason, we do not.
fn refused_by_roxmltree(found: &Found<'_>, reason: impl FnOnce(&Error) -> bool) -> bool {
    found.ours != Value::Refused
        && matches!(found.refusal, Some(Refusal::Xml(error)) if reason(error))
}

/// What begins where we refuse.
fn refused_text<'a>(found: &Found<'a>) -> &'a [u8] {
    let at = found.reject.map_or(usize::MAX, |reject| reject.at as usize);
    found.bytes.get(at..).unwrap_or_default()
}

/// What precedes the place where we refuse.
fn before_refused<'a>(found: &Found<'a>) -> &'a [u8] {
    let at = found.reject.map_or(0, |reject| reject.at as usize);
    found.bytes.get(..at).unwrap_or_default()
}

/// The document without its byte order mark.
fn unmarked<'a>(found: &Found<'a>) -> &'a [u8] {
    found
        .bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(found.bytes)
}

/// The XML declaration, `<?xml` and `?>` apart.
fn declaration<'a>(found: &Found<'a>) -> Option<&'a [u8]> {
    let rest = unmarked(found).strip_prefix(b"<?xml")?;
    let end = rest.windows(2).position(|pair| pair == b"?>")?;
    rest.get(..end)
}

fn elements<'a, 'i>(tree: &'a Document<'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    tree.descendants().filter(Node::is_element)
}

/// See the class of that name.
pub fn document_type(d: &Found<'_>) -> bool {
    refused_by_us(d, &[208]) && d.bytes.windows(9).any(|text| text == b"<!DOCTYPE")
}

/// See the class of that name.
pub fn encoding(d: &Found<'_>) -> bool {
    let says = |name: &[u8]| {
        declaration(d).is_some_and(|text| text.windows(name.len()).any(|part| part == name))
    };
    let utf8 = says(b" encoding=\"UTF-8\"") || says(b" encoding='utf-8'");
    // Two bytes a character, which libxml2 knows by the first.
    let wide = d.bytes.contains(&0);
    refused_by_us(d, &[205, 206]) && (says(b"encoding") && !utf8 || wide)
}

/// See the class of that name.
pub fn declaration_form(d: &Found<'_>) -> bool {
    let plain: [&[u8]; 3] = [
        b" version=\"1.0\"",
        b" version='1.0'",
        b" version=\"1.0\" encoding=\"UTF-8\"",
    ];
    let start = d.bytes.len() - unmarked(d).len();
    let at = before_refused(d).len();
    let misplaced = at > start && refused_text(d).starts_with(b"<?xml");
    let odd = declaration(d).is_some_and(|text| {
        let end = start + b"<?xml?>".len() + text.len();
        !plain.contains(&text) && (start..end).contains(&at)
    });
    refused_by_us(d, &[202, 209, 210, 211, 213, 214, 220]) && (misplaced || odd)
}

/// See the class of that name.
pub fn instruction_name(d: &Found<'_>) -> bool {
    let text = refused_text(d);
    let end = text
        .windows(2)
        .position(|pair| pair == b"?>")
        .unwrap_or(text.len());
    let name = text[..end]
        .split(u8::is_ascii_whitespace)
        .next()
        .unwrap_or_default();
    let plain = !name.is_empty() && name.iter().all(u8::is_ascii_lowercase) && name != b"xml";
    refused_by_us(d, &[213]) && before_refused(d).ends_with(b"<?") && !plain
}

/// See the class of that name.
pub fn colons(d: &Found<'_>) -> bool {
    let text = refused_text(d);
    let text = text.strip_prefix(b"<").unwrap_or(text);
    let stops = |byte: &u8| b" \t\r\n=/>".contains(byte);
    let end = text.iter().position(stops).unwrap_or(text.len());
    let name = &text[..end];
    let count = name.iter().filter(|byte| **byte == b':').count();
    let odd = name.starts_with(b":") || name.ends_with(b":") || count > 1;
    // We stop where the second colon is; and an end tag with nothing before its colon ends nothing.
    refused_by_us(d, &[213]) && odd || refused_by_us(d, &[215]) && text.starts_with(b"/:")
}

/// See the class of that name.
pub fn number_of_no_character(d: &Found<'_>) -> bool {
    let text = refused_text(d);
    let end = text.iter().position(|byte| *byte == b';').unwrap_or(0);
    let text = std::str::from_utf8(&text[..end]).unwrap_or_default();
    let number = match text.strip_prefix("&#x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.strip_prefix("&#").unwrap_or_default().parse(),
    };
    refused_by_us(d, &[210]) && number.is_ok_and(|number| char::from_u32(number).is_none())
}

/// See the class of that name.
pub fn default_namespace_twice(d: &Found<'_>) -> bool {
    let value = refused_text(d)
        .strip_prefix(b"xmlns")
        .map(<[u8]>::trim_ascii_start);
    refused_by_us(d, &[214]) && value.is_some_and(|value| value.starts_with(b"="))
}

/// See the class of that name.
pub fn limits(d: &Found<'_>) -> bool {
    if !refused_by_us(d, &[200, 201, 202, 203, 204]) {
        return false;
    }
    if d.bytes.len() > 65_535 {
        return true;
    }
    let text = std::str::from_utf8(d.bytes).unwrap_or_default();
    let Ok(tree) = Document::parse(text) else {
        return false;
    };
    let depth = |node: Node<'_, '_>| node.ancestors().filter(Node::is_element).count();
    let wide = |node: Node<'_, '_>| node.attributes().len() + node.namespaces().count() > 32;
    elements(&tree).count() > 4_096 || elements(&tree).any(|node| depth(node) > 16 || wide(node))
}

/// See the class of that name.
pub fn control_in_uri(d: &Found<'_>) -> bool {
    let control = |text: &String| text.contains(|character| character < ' ');
    let met = match (d.reader, d.values) {
        (Reader::Roxmltree, Some(values)) => values.values().any(control),
        (Reader::Roxmltree, None) => false,
        (Reader::Libxml2, _) => {
            super::readers::theirs(d.bytes).is_ok_and(|values| values.values().any(control))
        }
    };
    refused_by_us(d, &[224]) && met
}

/// See the class of that name.
pub fn another_vocabulary(d: &Found<'_>) -> bool {
    refused_by_us(d, &[217, 221, 222, 223]) && super::readers::theirs(d.bytes).is_err()
}

/// See the class of that name.
pub fn undeclared_prefix(d: &Found<'_>) -> bool {
    refused_by_roxmltree(d, |error| matches!(error, Error::UnknownNamespace(..)))
}

/// See the class of that name.
pub fn twice_by_namespace(d: &Found<'_>) -> bool {
    refused_by_roxmltree(d, |error| matches!(error, Error::DuplicatedAttribute(..)))
}

/// See the class of that name.
pub fn reserved_names(d: &Found<'_>) -> bool {
    refused_by_roxmltree(d, |error| {
        matches!(
            error,
            Error::InvalidXmlPrefixUri(_)
                | Error::UnexpectedXmlUri(_)
                | Error::UnexpectedXmlnsUri(_)
                | Error::InvalidElementNamePrefix(_)
        )
    })
}

/// See the class of that name.
pub fn prefixed_xmlns(d: &Found<'_>) -> bool {
    let parts = d.bytes.windows(6);
    let mut names = parts.filter(|text| *text == b":xmlns");
    d.reader == Reader::Roxmltree && names.next().is_some()
}
