//! A registration information document.

use ims_procedures::{
    drive::{Limits, Reject},
    reginfo::{
        ContactEvent, ContactView, DocumentState, IndicationHandling, PolicyAction,
        RegistrationEnd, RegistrationView, Visitor, read,
    },
};

use super::{
    item::{Item, Kind, or_null},
    node::{Node, Object},
};

const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

/// Whether the bytes begin as XML does and SIP cannot.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    let is_marked = BYTE_ORDER_MARKS.iter().any(|mark| bytes.starts_with(mark));
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    is_marked || first == Some(&b'<')
}

pub fn item(bytes: &[u8], limits: &Limits) -> Item {
    let (fields, outcome) = fields(bytes, limits);
    Item {
        kind: Kind::Reginfo,
        at: 0,
        left_over: 0,
        status_owed: None,
        error: outcome.err().map(Into::into),
        fields,
    }
}

/// All that could be read, and the fault that ended it.
pub fn fields(bytes: &[u8], limits: &Limits) -> (Object, Result<(), Reject>) {
    let mut gathered = Gathered::default();
    let outcome = read(bytes, limits, &mut gathered);
    gathered.end_registration(Object::new());
    let fields = match gathered.start {
        None => Object::new(),
        Some((version, state)) => Object::new()
            .with("version", version)
            .with("state", state.as_str())
            .with("registrations", gathered.registrations),
    };
    (fields, outcome)
}

#[derive(Default)]
struct Gathered {
    start: Option<(u32, DocumentState)>,
    registrations: Vec<Node>,
    /// What is known of the registration that is open, and its contacts.
    open: Option<(Object, Vec<Node>)>,
}

impl Gathered {
    fn end_registration(&mut self, end: Object) {
        if let Some((registration, contacts)) = self.open.take() {
            let mut whole = registration.with("contacts", contacts);
            whole.entries.extend(end.entries);
            self.registrations.push(whole.into());
        }
    }
}

impl Visitor for Gathered {
    fn document(&mut self, version: u32, state: DocumentState) {
        self.start = Some((version, state));
    }

    fn registration(&mut self, registration: &RegistrationView<'_>) {
        let fields = Object::new()
            .with("aor", registration.aor)
            .with("id", registration.id)
            .with("state", registration.state.as_str());
        self.open = Some((fields, Vec::new()));
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        if let Some((_, contacts)) = &mut self.open {
            contacts.push(contact_node(contact));
        }
    }

    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        let policy: Vec<Node> = end.actions().map(action).collect();
        self.end_registration(
            Object::new()
                .with_some("wildcarded_identity", end.wildcarded_identity)
                .with_some("policy", end.has_policy.then_some(policy)),
        );
    }
}

fn contact_node(contact: &ContactView<'_>) -> Node {
    let temp_gruu = contact.temp_gruu.map(|gruu| {
        Object::new()
            .with("uri", gruu.uri)
            .with_some("first_cseq", gruu.first_cseq)
    });
    let mut params = Object::new();
    for (name, value) in contact.params() {
        super::values::add_param(&mut params, name.as_bytes(), Node::from(value));
    }
    Object::new()
        .with("id", contact.id)
        .with("state", contact.state.as_str())
        .with_some("event", contact.event.map(ContactEvent::as_str))
        .with("uri", contact.uri)
        .with_some("display_name", contact.display_name)
        .with_some("display_name_lang", contact.display_name_lang)
        .with_some("expires", contact.expires)
        .with_some("retry_after", contact.retry_after)
        .with_some("duration_registered", contact.duration_registered)
        .with_some("q", contact.q)
        .with_some("callid", contact.callid)
        .with_some("cseq", contact.cseq)
        .with_some("pub_gruu", contact.pub_gruu)
        .with_some("temp_gruu", temp_gruu)
        .with_some("params", (!params.entries.is_empty()).then_some(params))
        .into()
}

fn action(action: PolicyAction<&str>) -> Node {
    match action {
        PolicyAction::ResourcePriority { namespace, value } => Object::new()
            .with("rph", namespace)
            .with("value", value)
            .into(),
        PolicyAction::PrivilegedSender => Node::from("privSender"),
        PolicyAction::PrivateNetworkIndication { handling, domain } => Object::new()
            .with("pni", or_null(handling.map(IndicationHandling::as_str)))
            .with_some("domain", domain)
            .into(),
        PolicyAction::PrivilegedSenderForPrivateTraffic => Node::from("privSenderPNI"),
    }
}
