//! What each reader makes of the same document, in one form. What a document says is taken out of roxmltree's
//! tree after RFC 3680, RFC 5628 and TS 24.229 7.10, with nothing of the library's in between.

use ims_procedures::{
    drive::{Limits, Reject},
    reginfo::{Contact, Document, PolicyAction, Registration},
};
use roxmltree::Node;
use std::collections::BTreeMap;

const REGINFO: &str = "urn:ietf:params:xml:ns:reginfo";
const GRUUINFO: &str = "urn:ietf:params:xml:ns:gruuinfo";
const EXT_REG_EXP: &str = "urn:3gpp:ns:extRegExp:1.0";
const EXT_REG_INFO: &str = "urn:3gpp:ns:extRegInfo:1.0";
const COMMON_POLICY: &str = "urn:ietf:params:xml:ns:common-policy";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What a document says: a name for each place in it, and the value there.
pub type Values = BTreeMap<String, String>;

/// Why roxmltree refuses a document, or what is taken out of its tree.
#[derive(Debug)]
pub enum Refusal {
    NotUtf8,
    Xml(roxmltree::Error),
    /// Not a registration information document: its root, or a version or state that it must have.
    Vocabulary,
}

pub fn ours(bytes: &[u8]) -> Result<Values, Reject> {
    Document::read(bytes, &Limits::default()).map(|document| shown(&document))
}

/// The owned document in the form that is compared.
pub fn shown(document: &Document) -> Values {
    let mut values = Values::new();
    put(&mut values, "version", document.version);
    put(&mut values, "state", document.state.as_str());
    for (number, registration) in document.registrations.iter().enumerate() {
        show_registration(&mut values, &format!("registration {number}"), registration);
    }
    values
}

fn show_registration(values: &mut Values, at: &str, registration: &Registration) {
    put(values, &format!("{at} aor"), &registration.aor);
    put(values, &format!("{at} id"), &registration.id);
    put(values, &format!("{at} state"), registration.state.as_str());
    let identity = registration.wildcarded_identity.as_ref();
    put_some(values, &format!("{at} wildcard"), identity);
    if let Some(policy) = &registration.policy {
        let actions: Vec<String> = policy.iter().map(show_action).collect();
        put(values, &format!("{at} policy"), actions.join("; "));
    }
    for (number, contact) in registration.contacts.iter().enumerate() {
        show_contact(values, &format!("{at} contact {number}"), contact);
    }
}

fn show_contact(values: &mut Values, at: &str, contact: &Contact) {
    let mut some = |name: &str, value: Option<String>| {
        put_some(values, &format!("{at} {name}"), value);
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    some("id", Some(contact.id.clone()));
    some("state", Some(contact.state.as_str().to_owned()));
    some(
        "event",
        contact.event.map(|event| event.as_str().to_owned()),
    );
    some("uri", Some(contact.uri.clone()));
    some("display-name", contact.display_name.clone());
    some("xml:lang", contact.display_name_lang.clone());
    some("expires", number(contact.expires));
    some("retry-after", number(contact.retry_after));
    some("duration-registered", number(contact.duration_registered));
    some("q", contact.q.clone());
    some("callid", contact.callid.clone());
    some("cseq", number(contact.cseq));
    some("pub-gruu", contact.pub_gruu.clone());
    let temporary = contact.temp_gruu.as_ref();
    some("temp-gruu", temporary.map(|gruu| gruu.uri.clone()));
    some(
        "first-cseq",
        temporary.and_then(|gruu| number(gruu.first_cseq)),
    );
    for (index, (name, value)) in contact.params.iter().enumerate() {
        some(&format!("param {index}"), Some(format!("{name} = {value}")));
    }
}

fn show_action(action: &PolicyAction<String>) -> String {
    match action {
        PolicyAction::ResourcePriority { namespace, value } => {
            format!("rph {namespace:?} {value:?}")
        }
        PolicyAction::PrivilegedSender => "privSender".to_owned(),
        PolicyAction::PrivateNetworkIndication { handling, domain } => {
            let handling = handling.map(ims_procedures::reginfo::IndicationHandling::as_str);
            format!("pni {handling:?} {domain:?}")
        }
        PolicyAction::PrivilegedSenderForPrivateTraffic => "privSenderPNI".to_owned(),
    }
}

fn put(values: &mut Values, at: &str, value: impl ToString) {
    values.insert(at.to_owned(), value.to_string());
}

fn put_some(values: &mut Values, at: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        put(values, at, value);
    }
}

pub fn theirs(bytes: &[u8]) -> Result<Values, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::NotUtf8)?;
    let tree = roxmltree::Document::parse(text).map_err(Refusal::Xml)?;
    taken_out(tree.root_element()).ok_or(Refusal::Vocabulary)
}

/// [RFC 3680 5.1] `reginfo`.
fn taken_out(root: Node<'_, '_>) -> Option<Values> {
    if !root.has_tag_name((REGINFO, "reginfo")) {
        return None;
    }
    let mut values = Values::new();
    put(&mut values, "version", version(root)?);
    put(
        &mut values,
        "state",
        one_of(root, "state", &["full", "partial"])?,
    );
    for (number, registration) in children(root, REGINFO, "registration").enumerate() {
        take_registration(&mut values, &format!("registration {number}"), registration)?;
    }
    Some(values)
}

/// [RFC 3680 5.1.1] `registration`.
fn take_registration(values: &mut Values, at: &str, node: Node<'_, '_>) -> Option<()> {
    let state = one_of(node, "state", &["init", "active", "terminated"])?;
    put(
        values,
        &format!("{at} aor"),
        uri(node, "aor").unwrap_or_default(),
    );
    put(
        values,
        &format!("{at} id"),
        plain(node, "id").unwrap_or_default(),
    );
    put(values, &format!("{at} state"), state);
    let identity = children(node, EXT_REG_EXP, "wildcardedIdentity").next();
    put_some(values, &format!("{at} wildcard"), identity.map(text));
    take_policy(values, at, node);
    for (number, contact) in children(node, REGINFO, "contact").enumerate() {
        take_contact(values, &format!("{at} contact {number}"), contact, state);
    }
    Some(())
}

/// [TS 24.229 7.10.3] Every `actions`, of either namespace, one after the other.
fn take_policy(values: &mut Values, at: &str, node: Node<'_, '_>) {
    let is_policy = |child: &Node<'_, '_>| {
        child.has_tag_name((COMMON_POLICY, "actions"))
            || child.has_tag_name((EXT_REG_INFO, "actions"))
    };
    let policies: Vec<Node<'_, '_>> = node.children().filter(is_policy).collect();
    if policies.is_empty() {
        return;
    }
    let entries = policies.iter().flat_map(Node::children);
    let known = entries.filter(|entry| entry.tag_name().namespace() == Some(EXT_REG_INFO));
    let actions: Vec<String> = known.filter_map(action).collect();
    put(values, &format!("{at} policy"), actions.join("; "));
}

fn action(node: Node<'_, '_>) -> Option<String> {
    let name = node.tag_name().name();
    match name {
        "rph" => {
            let [namespace, value] =
                ["ns", "val"].map(|name| plain(node, name).unwrap_or_default());
            Some(format!("rph {namespace:?} {value:?}"))
        }
        "pni" => {
            let handling = one_of(node, "insert", &["fwd", "ins"]);
            Some(format!("pni {handling:?} {:?}", uri(node, "domain")))
        }
        "privSender" | "privSenderPNI" => Some(name.to_owned()),
        _ => None,
    }
}

/// [RFC 3680 5.1.2] `contact`.
fn take_contact(values: &mut Values, at: &str, node: Node<'_, '_>, registration: &str) {
    let mut some = |name: &str, value: Option<String>| {
        put_some(values, &format!("{at} {name}"), value);
    };
    let first = |namespace, name| children(node, namespace, name).next();
    let event = event(node);
    let implied = match (event, registration) {
        (Some((_, state)), _) => state,
        (None, "terminated") => "terminated",
        (None, _) => "active",
    };
    let state = one_of(node, "state", &["active", "terminated"]).unwrap_or(implied);
    some("id", Some(plain(node, "id").unwrap_or_default()));
    some("state", Some(state.to_owned()));
    some("event", event.map(|(name, _)| name.to_owned()));
    some(
        "uri",
        Some(first(REGINFO, "uri").map(text).unwrap_or_default()),
    );
    let display = first(REGINFO, "display-name");
    some(
        "display-name",
        display.map(|display| spaced(&text(display))),
    );
    let language = display.and_then(|display| display.attribute((XML, "lang")));
    some(
        "xml:lang",
        language.map(|language| spaced(language).trim_matches(' ').to_owned()),
    );
    for name in ["expires", "retry-after", "duration-registered", "cseq"] {
        some(name, number(node, name));
    }
    some("q", plain(node, "q"));
    some("callid", plain(node, "callid"));
    some(
        "pub-gruu",
        children(node, GRUUINFO, "pub-gruu").find_map(|gruu| uri(gruu, "uri")),
    );
    let mut temporary = children(node, GRUUINFO, "temp-gruu");
    if let Some(gruu) = temporary.find(|gruu| attribute(*gruu, "uri").is_some()) {
        some("temp-gruu", uri(gruu, "uri"));
        some("first-cseq", number(gruu, "first-cseq"));
    }
    for (index, param) in children(node, REGINFO, "unknown-param").enumerate() {
        let name = plain(param, "name").unwrap_or_default();
        let name = name.trim_matches(' ');
        some(
            &format!("param {index}"),
            Some(format!("{name} = {}", spaced(&text(param)))),
        );
    }
}

fn children<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name((namespace, name)))
}

/// The event, and the state that comes of it ([RFC 3680 4.7.1]).
fn event(node: Node<'_, '_>) -> Option<(&'static str, &'static str)> {
    let active = ["registered", "created", "refreshed", "shortened"];
    let terminated = [
        "expired",
        "deactivated",
        "probation",
        "unregistered",
        "rejected",
    ];
    let known = one_of(node, "event", &active).map(|event| (event, "active"));
    known.or_else(|| one_of(node, "event", &terminated).map(|event| (event, "terminated")))
}

/// An attribute that is one of these words.
fn one_of(node: Node<'_, '_>, name: &str, words: &[&'static str]) -> Option<&'static str> {
    let value = plain(node, name)?;
    let value = value.trim_matches(' ');
    words.iter().copied().find(|word| *word == value)
}

/// An attribute of no namespace. (Asked for a name alone, roxmltree takes any namespace's.)
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let own = |attribute: &roxmltree::Attribute<'_, '_>| {
        attribute.namespace().is_none() && attribute.name() == name
    };
    node.attributes()
        .find(own)
        .map(|attribute| attribute.value())
}

/// An attribute as text: control characters are spaces.
fn plain(node: Node<'_, '_>, name: &str) -> Option<String> {
    attribute(node, name).map(spaced)
}

/// An attribute as a URI. XML has made spaces of all white space but what came by reference, which stays.
fn uri(node: Node<'_, '_>, name: &str) -> Option<String> {
    attribute(node, name).map(|value| value.trim_matches(' ').to_owned())
}

/// What stands in an element itself, not in its children.
fn text(node: Node<'_, '_>) -> String {
    let pieces = node
        .children()
        .filter(Node::is_text)
        .filter_map(|piece| piece.text());
    let whole: String = pieces.collect();
    whole.trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

fn spaced(text: &str) -> String {
    text.replace(|character: char| character < ' ', " ")
}

/// [RFC 3680 5.1] A nonNegativeInteger of the schema, clamped to 32 bits; `-0` is none to us.
fn version(root: Node<'_, '_>) -> Option<u32> {
    let text = plain(root, "version")?;
    let clamped = clamped(text.trim_matches(' '))?;
    (!text.contains('-')).then(|| u32::try_from(clamped).unwrap_or(u32::MAX))
}

/// [RI-1] An unsignedLong of the schema, clamped.
fn number(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text = plain(node, name)?;
    clamped(text.trim_matches(' ')).map(|value| value.to_string())
}

fn clamped(text: &str) -> Option<u64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    match text.strip_prefix('-') {
        Some(_) => Some(0),
        None => Some(digits.parse().unwrap_or(u64::MAX)),
    }
}
