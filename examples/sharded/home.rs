//! The home network: answers every request, and notifies of what a user's registration is then.

use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

use ims_procedures::{
    drive::{Buffer, Limits},
    reginfo::{
        CONTENT_TYPE, ContactEvent, ContactOut, DocumentState, DocumentWriter, Id,
        RegistrationState,
    },
    wire::{Header, HeaderName, Message, Method, Writer},
};

use crate::users;

const UNANSWERED: Duration = Duration::from_millis(500);

/// One user there.
struct Resource {
    subscribe: Vec<u8>,
    notifies: u32,
    is_registered: bool,
}

/// A NOTIFY, whom to, and when it was sent last.
struct Sent {
    bytes: Vec<u8>,
    to: SocketAddr,
    at: Instant,
}

struct Home<'s> {
    socket: &'s UdpSocket,
    limits: Limits,
    resources: HashMap<u32, Resource>,
    /// NOTIFYs without a 200, by Call-ID and CSeq.
    unanswered: HashMap<(Vec<u8>, Vec<u8>), Sent>,
}

/// Serves until it is over.
pub fn run(socket: &UdpSocket, is_over: &AtomicBool) {
    let mut home = Home {
        socket,
        limits: Limits::default(),
        resources: HashMap::new(),
        unanswered: HashMap::new(),
    };
    let mut buffer = vec![0; 65_535];
    let mut looked = Instant::now();
    while !is_over.load(Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            home.take(&buffer[..length], from);
        }
        if looked.elapsed() >= UNANSWERED {
            looked = Instant::now();
            home.send_again();
        }
    }
}

impl Home<'_> {
    fn take(&mut self, bytes: &[u8], from: SocketAddr) {
        let Ok(message) = Message::parse(bytes, &self.limits) else {
            return;
        };
        let raw = |name| message.header(name).map(Header::raw).unwrap_or_default();
        if message.status().is_some() {
            let key = (
                raw(HeaderName::CallId).to_vec(),
                raw(HeaderName::CSeq).to_vec(),
            );
            self.unanswered.remove(&key);
            return;
        }
        self.accept(&message, from);
        let user = users::number_in(raw(HeaderName::To));
        let is_news = match message.method() {
            Some(Method::Subscribe) => {
                let new = Resource {
                    subscribe: bytes.to_vec(),
                    notifies: 0,
                    is_registered: true,
                };
                let is_new = !self.resources.contains_key(&user);
                self.resources.entry(user).or_insert(new);
                is_new
            }
            Some(Method::Register) => {
                let found = self.resources.get_mut(&user);
                found.is_some_and(|resource| std::mem::take(&mut resource.is_registered))
            }
            _ => false,
        };
        if is_news {
            self.notify(user, from);
        }
    }
    /// 200, the same for a request that comes again.
    fn accept(&self, request: &Message<'_>, to: SocketAddr) {
        let mut response = Buffer::new(8_192);
        let mut writer = Writer::response(&mut response, 200);
        for name in [HeaderName::Via, HeaderName::From] {
            writer.copy(request, name);
        }
        let raw = request.header(HeaderName::To).map(Header::raw);
        writer.parts(HeaderName::To, &[raw.unwrap_or_default(), b";tag=home1"]);
        for name in [HeaderName::CallId, HeaderName::CSeq] {
            writer.copy(request, name);
        }
        if request.method() == Some(Method::Subscribe) {
            writer
                .header(HeaderName::Contact, b"<sip:scscf1.home1.example.net:5080>")
                .number(HeaderName::Expires, 600_000);
        }
        writer.finish();
        let _ = self.socket.send_to(response.as_slice(), to);
    }

    /// The state of a user's registration, to the subscriber.
    fn notify(&mut self, user: u32, to: SocketAddr) {
        let Some(resource) = self.resources.get_mut(&user) else {
            return;
        };
        let Ok(subscribe) = Message::parse(&resource.subscribe, &self.limits) else {
            return;
        };
        let (subscription, state, event) = match resource.is_registered {
            true => (
                &b"active;expires=600000"[..],
                RegistrationState::Active,
                ContactEvent::Registered,
            ),
            false => (
                &b"terminated;reason=noresource"[..],
                RegistrationState::Terminated,
                ContactEvent::Unregistered,
            ),
        };
        let raw = |name| subscribe.header(name).map(Header::raw).unwrap_or_default();
        let target = subscribe.name_addrs(HeaderName::Contact).next();
        let Some(Ok(target)) = target else {
            return;
        };
        resource.notifies += 1;
        let version = resource.notifies - 1;
        let branch =
            format!("SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKn{user}x{version}");
        let mut notify = Buffer::new(8_192);
        let mut writer = Writer::request(&mut notify, b"NOTIFY", target.uri_bytes());
        writer
            .header(HeaderName::Via, branch.as_bytes())
            .number(HeaderName::MaxForwards, 70)
            .parts(HeaderName::From, &[raw(HeaderName::To), b";tag=home1"])
            .header(HeaderName::To, raw(HeaderName::From))
            .header(HeaderName::CallId, raw(HeaderName::CallId))
            .cseq(resource.notifies, b"NOTIFY")
            .header(HeaderName::Contact, b"<sip:scscf1.home1.example.net:5080>")
            .header(HeaderName::Event, b"reg")
            .header(HeaderName::SubscriptionState, subscription);
        let [public, _] = users::identities(user);
        let contact = users::contact(user);
        writer.body(CONTENT_TYPE, |body| {
            let mut document = DocumentWriter::new(body, version, DocumentState::Full);
            document.registration(public.as_bytes(), Id::Numbered('r', 0), state);
            let id = Id::Numbered('c', 0);
            document.contact(&ContactOut::new(
                id,
                event.state(),
                event,
                contact.as_bytes(),
            ));
            document.finish();
        });
        let cseq = format!("{} NOTIFY", resource.notifies);
        let key = (raw(HeaderName::CallId).to_vec(), cseq.into_bytes());
        let bytes = notify.as_slice().to_vec();
        let _ = self.socket.send_to(&bytes, to);
        let at = Instant::now();
        self.unanswered.insert(key, Sent { bytes, to, at });
    }

    fn send_again(&mut self) {
        for Sent { bytes, to, at } in self.unanswered.values_mut() {
            if at.elapsed() >= UNANSWERED {
                *at = Instant::now();
                let _ = self.socket.send_to(bytes, *to);
            }
        }
    }
}
