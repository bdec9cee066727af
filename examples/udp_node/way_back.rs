//! Where the answer to a request goes (RFC 3261 18.2.1 and 18.2.2, RFC 3581).

use std::net::SocketAddrV4;

use ims_procedures::{
    drive::{Buffer, Limits},
    wire::{Edit, HeaderName, Host, Message, Via, rewrite},
};

use crate::peer::{Peer, Transport};

/// A message as it is handed in, and whom it is to be answered to.
#[derive(Clone)]
pub struct Stamped {
    pub bytes: Vec<u8>,
    pub back: Peer,
}

/// Writes into the topmost Via of a request where it came from. What cannot be read stays as it is, and is answered to
/// where it came from. An error is a request whose Via names another transport than that over which it came: the answer
/// would be sent on somebody else's connection.
pub fn stamp(from: Peer, bytes: Vec<u8>) -> Result<Stamped, Stamped> {
    let limits = Limits::default();
    let request = Message::parse(&bytes, &limits)
        .ok()
        .filter(Message::is_request);
    let via = request.as_ref().and_then(|request| request.via().ok());
    let is_true = via.is_none_or(|via| is_named(from.transport, &via));
    let stamped = request.and_then(|request| stamp_request(from, &request));
    match is_true {
        true => Ok(stamped.unwrap_or(Stamped { bytes, back: from })),
        false => Err(Stamped { bytes, back: from }),
    }
}

fn is_named(transport: Transport, via: &Via<'_>) -> bool {
    via.transport().eq_ignore_ascii_case(match transport {
        Transport::Udp => b"UDP",
        Transport::Tcp => b"TCP",
    })
}

fn stamp_request(from: Peer, request: &Message<'_>) -> Option<Stamped> {
    let via = request.via().ok()?;
    let stamp = marks(from, &via);
    let back = back(from, &via);
    if stamp.is_empty() && via.received().is_none() {
        let bytes = request.bytes().to_vec();
        return Some(Stamped { bytes, back });
    }
    let field = request.header(HeaderName::Via)?.raw();
    let others = field.get(via.raw().len()..)?;
    let params = unmarked(&via);
    let value = [params.as_slice(), stamp.as_bytes(), others].concat();
    let mut buffer = Buffer::new(request.bytes().len() + value.len() + 64);
    let mut is_top = true;
    rewrite(request, &mut buffer, |field| match field.name {
        HeaderName::Via if std::mem::take(&mut is_top) => Edit::Replace(&value),
        _ => Edit::Keep,
    });
    let bytes = buffer.as_slice().to_vec();
    buffer
        .take_fault()
        .is_none()
        .then_some(Stamped { bytes, back })
}

/// What is to be added. Over TCP it has the port although nobody asked: it names the connection.
fn marks(from: Peer, via: &Via<'_>) -> String {
    let (ip, port) = (from.address.ip(), from.address.port());
    let is_named = matches!(via.host(), Host::V4(host) if host == ip.octets());
    let wants_port = via.rport().is_some() || from.transport == Transport::Tcp;
    match (is_named, wants_port) {
        (true, false) => String::new(),
        (false, false) => format!(";received={ip}"),
        (_, true) => format!(";received={ip};rport={port}"),
    }
}

/// The Via without what only we may say.
fn unmarked(via: &Via<'_>) -> Vec<u8> {
    let raw = via.raw();
    let params = via.params();
    let mut kept = raw
        .get(..raw.len() - params.raw().len())
        .unwrap_or(raw)
        .to_vec();
    for (name, value) in params.iter() {
        if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
            continue;
        }
        kept.extend([b";", name].concat());
        if let Some(value) = value {
            kept.extend([b"=", value].concat());
        }
    }
    kept
}

/// Where whoever sent a request can be connected, once its connection is closed (RFC 3261 18.2.2).
pub fn anew(back: Peer, via: &Via<'_>) -> Option<Peer> {
    let port = via.port().unwrap_or(5060);
    let address = SocketAddrV4::new(*back.address.ip(), port);
    (back.transport == Transport::Tcp).then(|| Peer::tcp(address))
}

fn back(from: Peer, via: &Via<'_>) -> Peer {
    if from.transport == Transport::Tcp || via.rport().is_some() {
        return from;
    }
    let port = via.port().unwrap_or(5060);
    Peer::udp(SocketAddrV4::new(*from.address.ip(), port))
}
