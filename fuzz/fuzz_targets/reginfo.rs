//! [DR-4] [RI-4] Any bytes as a registration information document: what is read is written so that it reads
//! the same again.

#![no_main]

use ims_procedures::{
    drive::{Buffer, Limits},
    reginfo::{
        ContactView, Document, DocumentState, RegistrationEnd, RegistrationView, Visitor, check,
        read,
    },
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let mut order = Order::default();
    let shown = read(bytes, &limits, &mut order);
    assert_eq!(shown, check(bytes, &limits));
    let document = match Document::read(bytes, &limits) {
        Ok(document) => document,
        Err(reject) => {
            assert_eq!(shown, Err(reject));
            assert!(reject.at as usize <= bytes.len(), "{reject}");
            return;
        }
    };
    assert_eq!(shown, Ok(()));
    assert_eq!(order.registrations, document.registrations.len());
    assert!(!order.open);

    // An escape is at most eight times what it stands for.
    let mut written = Buffer::new(bytes.len() * 8 + 4_096);
    document.write(&mut written).expect("room");
    // Escapes and namespaces of its own may take it past the limits that the original just kept.
    let mut wide = limits;
    wide.xml_bytes *= 10;
    wide.xml_elements *= 2;
    let again = Document::read(written.as_slice(), &wide).expect("our own document");
    assert_eq!(document, again);
});

/// The order in which a document is shown.
#[derive(Default)]
struct Order {
    begun: bool,
    open: bool,
    registrations: usize,
}

impl Visitor for Order {
    fn document(&mut self, _: u32, _: DocumentState) {
        assert!(!self.begun);
        self.begun = true;
    }

    fn registration(&mut self, _: &RegistrationView<'_>) {
        assert!(self.begun && !self.open);
        self.open = true;
        self.registrations += 1;
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        assert!(self.open);
        // [RI-2] Nothing that would break out of a SIP header.
        let unsafe_in_sip = |c: char| matches!(c, '\r' | '\n' | '\0');
        assert!(!contact.uri.contains(unsafe_in_sip));
        for (name, value) in contact.params() {
            assert!(!name.contains(unsafe_in_sip) && !value.contains(unsafe_in_sip));
            assert!(contact.param(name).is_some());
        }
    }

    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        assert!(self.open);
        self.open = false;
        assert!(end.has_policy || end.actions().next().is_none());
    }
}
