//! `measure reginfo`: a registration information document is read, and every field that it has.

use std::hint::black_box;

use ims_procedures::{
    drive::{Limits, Reject},
    reginfo::{
        Contact, ContactEvent, ContactView, Document, DocumentState, IndicationHandling,
        PolicyAction, Registration, RegistrationEnd, RegistrationView, TempGruu, Visitor, read,
    },
};
use quick_xml::{Reader, events::Event};

use crate::{
    options::Options,
    sink::{Digest, Dump, Sink, seen},
    timing::measure,
};

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let limits = Limits::default();
    let bytes = options.input()?;
    let refused = |reject: Reject| format!("refused: {reject}");
    let mut dump = Shown::<Dump>::default();
    if options.owned {
        let document = Document::read(&bytes, &limits).map_err(refused)?;
        show_document(&document, &mut dump);
    } else {
        read(&bytes, &limits, &mut dump).map_err(refused)?;
    }
    if options.dump {
        println!("{}", dump.sink.0);
        return Ok(());
    }
    let (peer, figures) = if options.bare {
        let figures = measure(options.n, options.repetitions, || bare(black_box(&bytes)));
        ("quick-xml-bare-events", figures)
    } else if options.owned {
        let figures = measure(options.n, options.repetitions, || {
            owned(black_box(&bytes), &limits)
        });
        ("ims-procedures-owned", figures)
    } else {
        let figures = measure(options.n, options.repetitions, || {
            visited(black_box(&bytes), &limits)
        });
        ("ims-procedures-visitor", figures)
    };
    figures.print_each(
        peer,
        &options.input_name(),
        bytes.len(),
        options.n,
        ("registration", dump.registrations),
    );
    Ok(())
}

/// Every field as the visitor is shown it.
fn visited(bytes: &[u8], limits: &Limits) -> u64 {
    let mut digest = Shown::<Digest>::default();
    let _ = read(bytes, limits, &mut digest);
    seen(digest.sink)
}

/// The document kept, and every field of it.
fn owned(bytes: &[u8], limits: &Limits) -> u64 {
    let mut digest = Shown::<Digest>::default();
    if let Ok(document) = Document::read(bytes, limits) {
        show_document(&document, &mut digest);
    }
    seen(digest.sink)
}

/// What no reader on top of quick-xml can be faster than: its events, none of them looked at.
fn bare(bytes: &[u8]) -> u64 {
    let mut reader = Reader::from_reader(bytes);
    let mut events = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return events,
            Ok(_) => events += 1,
        }
    }
}

/// Hands every field to a sink.
#[derive(Default)]
struct Shown<S> {
    sink: S,
    registrations: u64,
}

impl<S: Sink> Shown<S> {
    #[inline(always)]
    fn text(&mut self, text: Option<&str>) {
        self.sink.bytes(text.map(str::as_bytes));
    }

    #[inline(always)]
    fn gruu(&mut self, gruu: Option<TempGruu<&str>>) {
        self.text(gruu.map(|gruu| gruu.uri));
        self.sink.number(gruu.and_then(|gruu| gruu.first_cseq));
    }

    fn action(&mut self, action: PolicyAction<&str>) {
        match action {
            PolicyAction::ResourcePriority { namespace, value } => {
                self.text(Some(namespace));
                self.text(Some(value));
            }
            PolicyAction::PrivateNetworkIndication { handling, domain } => {
                self.text(handling.map(IndicationHandling::as_str));
                self.text(domain);
            }
            PolicyAction::PrivilegedSender => self.sink.number(Some(1)),
            PolicyAction::PrivilegedSenderForPrivateTraffic => self.sink.number(Some(2)),
        }
    }
}

impl<S: Sink> Visitor for Shown<S> {
    fn document(&mut self, version: u32, state: DocumentState) {
        self.sink.number(Some(version.into()));
        self.text(Some(state.as_str()));
    }

    fn registration(&mut self, registration: &RegistrationView<'_>) {
        self.registrations += 1;
        self.text(Some(registration.aor));
        self.text(Some(registration.id));
        self.text(Some(registration.state.as_str()));
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        self.text(Some(contact.id));
        self.text(Some(contact.state.as_str()));
        self.text(contact.event.map(ContactEvent::as_str));
        self.text(Some(contact.uri));
        self.text(contact.display_name);
        self.text(contact.display_name_lang);
        self.sink.number(contact.expires);
        self.sink.number(contact.retry_after);
        self.sink.number(contact.duration_registered);
        self.text(contact.q);
        self.text(contact.callid);
        self.sink.number(contact.cseq);
        for (name, value) in contact.params() {
            self.text(Some(name));
            self.text(Some(value));
        }
        self.text(contact.pub_gruu);
        self.gruu(contact.temp_gruu);
    }

    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        self.text(end.wildcarded_identity);
        self.sink.number(Some(end.has_policy.into()));
        end.actions().for_each(|action| self.action(action));
    }
}

/// The same fields in the same order, of the owned document.
fn show_document<S: Sink>(document: &Document, shown: &mut Shown<S>) {
    Visitor::document(shown, document.version, document.state);
    for registration in &document.registrations {
        show_registration(registration, shown);
    }
}

fn show_registration<S: Sink>(registration: &Registration, shown: &mut Shown<S>) {
    shown.registrations += 1;
    shown.text(Some(&registration.aor));
    shown.text(Some(&registration.id));
    shown.text(Some(registration.state.as_str()));
    for contact in &registration.contacts {
        show_contact(contact, shown);
    }
    shown.text(registration.wildcarded_identity.as_deref());
    shown
        .sink
        .number(Some(registration.policy.is_some().into()));
    for action in registration.policy.iter().flatten() {
        shown.action(borrowed(action));
    }
}

fn show_contact<S: Sink>(contact: &Contact, shown: &mut Shown<S>) {
    shown.text(Some(&contact.id));
    shown.text(Some(contact.state.as_str()));
    shown.text(contact.event.map(ContactEvent::as_str));
    shown.text(Some(&contact.uri));
    shown.text(contact.display_name.as_deref());
    shown.text(contact.display_name_lang.as_deref());
    shown.sink.number(contact.expires);
    shown.sink.number(contact.retry_after);
    shown.sink.number(contact.duration_registered);
    shown.text(contact.q.as_deref());
    shown.text(contact.callid.as_deref());
    shown.sink.number(contact.cseq);
    for (name, value) in &contact.params {
        shown.text(Some(name));
        shown.text(Some(value));
    }
    shown.text(contact.pub_gruu.as_deref());
    shown.gruu(contact.temp_gruu.as_ref().map(|gruu| TempGruu {
        uri: gruu.uri.as_str(),
        first_cseq: gruu.first_cseq,
    }));
}

fn borrowed(action: &PolicyAction<String>) -> PolicyAction<&str> {
    match action {
        PolicyAction::ResourcePriority { namespace, value } => {
            PolicyAction::ResourcePriority { namespace, value }
        }
        PolicyAction::PrivilegedSender => PolicyAction::PrivilegedSender,
        PolicyAction::PrivateNetworkIndication { handling, domain } => {
            PolicyAction::PrivateNetworkIndication {
                handling: *handling,
                domain: domain.as_deref(),
            }
        }
        PolicyAction::PrivilegedSenderForPrivateTraffic => {
            PolicyAction::PrivilegedSenderForPrivateTraffic
        }
    }
}
