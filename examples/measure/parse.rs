//! `measure parse`: a message is read, and the twelve fields a registrar needs of it.

use ims_procedures::{
    drive::{Limits, Reject},
    wire::{Contact, HeaderName, Message, Reply, Required, StartLine, Uri, Via},
};

use crate::{
    options::Options,
    sink::{Digest, Dump, Sink, seen},
    timing::measure,
};

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let limits = Limits::default();
    let bytes = options.input()?;
    let mut dump = Dump::default();
    read_fields(&bytes, &limits, options.validate, &mut dump)
        .map_err(|reject| format!("refused: {reject}"))?;
    if options.dump {
        println!("{}", dump.0);
        return Ok(());
    }
    let figures = measure(options.n, options.repetitions, || {
        let mut digest = Digest::default();
        let _ = read_fields(
            std::hint::black_box(&bytes),
            &limits,
            options.validate,
            &mut digest,
        );
        seen(digest)
    });
    figures.print(&options.input_name(), bytes.len(), options.n);
    Ok(())
}

fn read_fields(
    bytes: &[u8],
    limits: &Limits,
    validate: bool,
    sink: &mut impl Sink,
) -> Result<(), Reject> {
    let mut message = Message::unread(bytes);
    message.read(limits)?;
    let is_request = if validate {
        read_validated(&message, sink)?
    } else {
        read_mandatory(&message, sink)?
    };
    read_contact(&message, sink)?;
    sink.number(message.expires()?.map(Into::into));
    let (identity, route) = if is_request {
        (HeaderName::PAssertedIdentity, HeaderName::Route)
    } else {
        (HeaderName::PAssociatedUri, HeaderName::ServiceRoute)
    };
    match message.name_addrs(identity).next() {
        Some(address) => user_and_host(&address?.uri(), sink),
        None => {
            sink.bytes(None);
            sink.host(None);
        }
    }
    for address in message.name_addrs(route) {
        let uri = address?.uri();
        sink.host(uri.host());
        sink.number(uri.port().map(Into::into));
    }
    sink.number(Some(message.body().len() as u64));
    Ok(())
}

/// The fields that every message has, each read when it is asked for. Says whether it is a request.
#[inline(always)]
fn read_mandatory(message: &Message<'_>, sink: &mut impl Sink) -> Result<bool, Reject> {
    let is_request = read_start(message, sink)?;
    user_and_host(&message.to()?.uri(), sink);
    sink.bytes(message.from()?.tag());
    sink.bytes(Some(message.call_id()?));
    let cseq = message.cseq()?;
    sink.number(Some(cseq.number.into()));
    sink.bytes(Some(cseq.method.as_bytes()));
    let via = message.via()?;
    read_via(&via, sink);
    Ok(is_request)
}

/// The same fields, as the validator reads them.
fn read_validated(message: &Message<'_>, sink: &mut impl Sink) -> Result<bool, Reject> {
    match message.start() {
        StartLine::Request { .. } => read_required(&Required::read(message)?, sink),
        StartLine::Response { .. } => read_reply(&Reply::read(message)?, sink),
    }
    Ok(message.is_request())
}

#[inline(always)]
fn read_required(request: &Required<'_>, sink: &mut impl Sink) {
    sink.bytes(Some(request.method.as_bytes()));
    user_and_host(&request.uri, sink);
    sink.number(request.uri.port().map(Into::into));
    user_and_host(&request.to.uri(), sink);
    sink.bytes(request.from.tag());
    sink.bytes(Some(request.call_id));
    sink.number(Some(request.cseq.into()));
    sink.bytes(Some(request.method.as_bytes()));
    read_via(&request.via, sink);
}

#[inline(always)]
fn read_reply(response: &Reply<'_>, sink: &mut impl Sink) {
    sink.number(Some(response.status.into()));
    sink.bytes(None);
    sink.host(None);
    sink.number(None);
    user_and_host(&response.to.uri(), sink);
    sink.bytes(response.from.tag());
    sink.bytes(Some(response.call_id));
    sink.number(Some(response.cseq.number.into()));
    sink.bytes(Some(response.cseq.method.as_bytes()));
    read_via(&response.via, sink);
}

#[inline(always)]
fn read_via(via: &Via<'_>, sink: &mut impl Sink) {
    sink.bytes(via.branch());
    sink.host(Some(via.host()));
    sink.number(via.port().map(Into::into));
}

fn read_start(message: &Message<'_>, sink: &mut impl Sink) -> Result<bool, Reject> {
    match message.start() {
        StartLine::Request { method, uri } => {
            let uri = Uri::parse(uri)?;
            sink.bytes(Some(method.as_bytes()));
            user_and_host(&uri, sink);
            sink.number(uri.port().map(Into::into));
            Ok(true)
        }
        StartLine::Response { status, .. } => {
            sink.number(Some(status.into()));
            sink.bytes(None);
            sink.host(None);
            sink.number(None);
            Ok(false)
        }
    }
}

#[inline(always)]
fn read_contact(message: &Message<'_>, sink: &mut impl Sink) -> Result<(), Reject> {
    match message.contacts().next().transpose()? {
        Some(Contact::Addr(contact)) => {
            user_and_host(&contact.uri(), sink);
            sink.number(contact.uri().port().map(Into::into));
            sink.bytes(contact.instance());
            sink.number(contact.expires().map(Into::into));
        }
        Some(Contact::Star) | None => sink.bytes(None),
    }
    Ok(())
}

#[inline(always)]
fn user_and_host(uri: &Uri<'_>, sink: &mut impl Sink) {
    sink.bytes(uri.user());
    sink.host(uri.host());
}
