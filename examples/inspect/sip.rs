//! A SIP message.

use ims_procedures::{
    drive::{Limits, Reject},
    reginfo::CONTENT_TYPE,
    wire::{
        Accepts, Field, Frame, Framer, HeaderName, Message, NameAddr, Owed, Reply, Required,
        Salvage, StartLine, Uri, Via,
    },
};

use super::{
    document,
    item::{Fault, Item, Kind, or_null},
    node::{Node, Object},
    options::Framing,
    refused, values,
};

/// The message of one datagram.
pub fn datagram(bytes: &[u8], limits: &Limits) -> Item {
    match Message::parse(bytes, limits) {
        Ok(message) => item(&message, limits),
        Err(reject) => refused(bytes, reject, Framing::Datagram, limits),
    }
}

/// A message that the reader refuses.
fn refused(bytes: &[u8], reject: Reject, framing: Framing, limits: &Limits) -> Item {
    Item {
        kind: Kind::Sip,
        at: 0,
        left_over: 0,
        status_owed: Salvage::read(bytes, limits, reject).map(|salvage| salvage.status()),
        error: Some(reject.into()),
        fields: refused::fields(bytes, reject, framing, limits),
    }
}

/// The messages of a stream, up to where it cannot be read on.
pub fn stream(bytes: &[u8], limits: &Limits) -> Vec<Item> {
    let mut framer = Framer::new(limits);
    let mut items = Vec::new();
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let frame = framer.next(rest);
        match frame {
            Ok(Frame::Message { length }) => {
                let message = datagram(&rest[..length], limits);
                items.push(Item { at, ..message });
            }
            Ok(Frame::Incomplete { .. }) => {
                if !rest.is_empty() || items.is_empty() {
                    items.push(broken_off(rest, at, limits));
                }
                return items;
            }
            Ok(_) => {}
            Err(reject) => {
                let message = refused(rest, reject, Framing::Stream, limits);
                items.push(Item { at, ..message });
                return items;
            }
        }
        at += frame.map_or(0, Frame::consumed);
    }
}

/// What is left where a stream ends: no message, or not all of one. Nobody waits for an answer to it.
fn broken_off(rest: &[u8], at: usize, limits: &Limits) -> Item {
    let message = match Message::parse(rest, limits) {
        Err(reject) => refused(rest, reject, Framing::Stream, limits),
        Ok(message) => Item {
            error: Some(Fault {
                at: message.end(),
                what: "the stream ends within a message",
                clause: "RFC 3261 18.3",
            }),
            ..item(&message, limits)
        },
    };
    Item {
        at,
        status_owed: None,
        ..message
    }
}

/// A message that could be read: what each of its parts says, and the first fault of any of them.
fn item(message: &Message<'_>, limits: &Limits) -> Item {
    let mut faults = Vec::new();
    let start = start_line(message, &mut faults);
    let mut headers = Object::new();
    for field in message.fields() {
        add_header(&mut headers, &field, Origin::default(), &mut faults);
    }
    let errors: Vec<Reject> = faults_of_the_whole(message)
        .into_iter()
        .filter(|reject| faults.iter().all(|other| other.at != reject.at))
        .collect();
    faults.extend(&errors);
    let first = faults.into_iter().min_by_key(|reject| reject.at);
    let owed = first.map(|reject| Owed::new(message, reject, &Accepts::server()));
    let body_at = message.end() - message.body().len();
    let is_document = message.content_type_is(CONTENT_TYPE);
    let (body, body_fault) = body(message.body(), body_at, is_document, limits);
    let mut fields = start.with("headers", headers);
    if !errors.is_empty() {
        let errors: Vec<Node> = errors.into_iter().map(|r| Fault::from(r).into()).collect();
        fields = fields.with("errors", errors);
    }
    Item {
        kind: Kind::Sip,
        at: 0,
        left_over: message.bytes().len() - message.end(),
        status_owed: owed.and_then(|owed| owed.status()),
        // Where the method is not known at all, that is the fault.
        error: owed
            .map(|owed| owed.reject())
            .or(body_fault)
            .map(Into::into),
        fields: fields.with("body", body),
    }
}

pub fn start_line(message: &Message<'_>, faults: &mut Vec<Reject>) -> Object {
    match message.start() {
        StartLine::Request { method, uri } => {
            let fields = Object::new().with("method", method.as_bytes());
            match Uri::parse(uri) {
                Ok(read) => fields.with("request_uri", values::uri(&read)),
                Err(reject) => {
                    let start = offset_of(uri, message.bytes());
                    let reject = reject.shifted(start);
                    faults.push(reject);
                    let malformed = Object::new()
                        .with("raw", uri)
                        .with("error", Fault::from(reject));
                    fields.with("request_uri", malformed)
                }
            }
        }
        StartLine::Response { status, reason } => {
            Object::new().with("status", status).with("reason", reason)
        }
    }
}

/// Where a part begins in the whole that it is borrowed from.
fn offset_of(part: &[u8], whole: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

/// Where what was read in a message of its own stands in the message that it is of.
#[derive(Clone, Copy, Default)]
pub struct Origin {
    pub read_at: usize,
    pub stands_at: usize,
}

impl Origin {
    fn place(self, at: usize) -> usize {
        at.saturating_sub(self.read_at) + self.stands_at
    }
}

/// Adds a header field to those of its name.
pub fn add_header(
    headers: &mut Object,
    field: &Field<'_>,
    origin: Origin,
    faults: &mut Vec<Reject>,
) {
    let key = match field.name {
        HeaderName::Other => super::node::escaped(field.raw_name),
        known => super::node::escaped(known.canonical_name()),
    };
    if let Node::List(fields) = headers.entry(&key, Node::List(Vec::new())) {
        fields.push(header(field, origin, faults));
    }
}

fn header(field: &Field<'_>, origin: Origin, faults: &mut Vec<Reject>) -> Node {
    let node = Object::new()
        .with("name", field.raw_name)
        .with("at", origin.place(field.value.at()));
    match field.read() {
        Ok(read) => node.with("value", values::value(read)).into(),
        Err(reject) => {
            let reject = Reject::new(reject.defect, origin.place(reject.at as usize));
            faults.push(reject);
            node.with_some("value", before_the_fault(field))
                .with("raw", field.value.raw())
                .with("error", Fault::from(reject))
                .into()
        }
    }
}

/// Of a list of addresses or Vias, those that stand before the malformed one.
fn before_the_fault(field: &Field<'_>) -> Option<Node> {
    let raw = field.value.raw();
    let read: Vec<Node> = match field.name {
        HeaderName::Via => Via::parse_list(raw)
            .map_while(Result::ok)
            .map(|via| values::via(&via))
            .collect(),
        HeaderName::Contact => refused::contacts_before_the_fault(raw),
        HeaderName::Route
        | HeaderName::RecordRoute
        | HeaderName::Path
        | HeaderName::ServiceRoute
        | HeaderName::PAssertedIdentity
        | HeaderName::PPreferredIdentity
        | HeaderName::PAssociatedUri
        | HeaderName::HistoryInfo => NameAddr::parse_list(raw)
            .map_while(Result::ok)
            .map(|address| values::address(&address).into())
            .collect(),
        _ => return None,
    };
    (!read.is_empty()).then_some(Node::List(read))
}

/// What no single field shows: something missing, repeated, or contradictory.
fn faults_of_the_whole(message: &Message<'_>) -> Vec<Reject> {
    let required = if message.is_request() {
        Required::read(message).err()
    } else {
        Reply::read(message).err()
    };
    let mut found: Vec<Reject> = required.into_iter().collect();
    found.extend(message.via().err());
    found.extend(message.from().err());
    found.extend(message.to().err());
    found.extend(message.call_id().err());
    found.extend(message.cseq().err());
    found.extend(message.contacts().filter_map(Result::err));
    found.extend(message.expires().err());
    found.extend(message.event().err());
    found.extend(message.subscription_state().err());
    found.extend(message.authorization().err());
    found.extend(message.content_type().err());
    found.sort_by_key(|reject| reject.at);
    found.dedup();
    found
}

/// The body, which begins at `at`, and what is wrong with it where it is a document.
pub fn body(bytes: &[u8], at: usize, is_document: bool, limits: &Limits) -> (Node, Option<Reject>) {
    if bytes.is_empty() {
        return (Node::Null, None);
    }
    let node = Object::new().with("at", at).with("length", bytes.len());
    if !is_document {
        return (node.with("text", Node::Body(bytes.to_vec())).into(), None);
    }
    let (fields, outcome) = document::fields(bytes, limits);
    let fault = outcome.err().map(|reject| reject.shifted(at));
    let node = node
        .with("kind", Kind::Reginfo.name())
        .with("ok", fault.is_none())
        .with("error", or_null(fault.map(Fault::from)))
        .with("fields", fields);
    (node.into(), fault)
}
