//! [RI-5] What the reader and the writer of registration information documents allocate. In a file of its own,
//! for the allocator counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fmt::Write as _,
};

use ims_procedures::{
    drive::{Buffer, Limits},
    reginfo::{
        ContactEvent, ContactOut, ContactState, ContactView, DocumentState, DocumentWriter, Id,
        RegistrationEnd, RegistrationState, RegistrationView, Visitor, read,
    },
};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let result = work();
    (COUNT.get() - before, result)
}

#[derive(Default)]
struct Totals {
    contacts: usize,
    bytes: usize,
}

impl Visitor for Totals {
    fn registration(&mut self, registration: &RegistrationView<'_>) {
        self.bytes += registration.aor.len();
    }
    fn contact(&mut self, contact: &ContactView<'_>) {
        self.contacts += 1;
        self.bytes += contact.uri.len() + contact.display_name.map_or(0, str::len);
        self.bytes += contact.param("+sip.instance").map_or(0, str::len);
    }
    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        self.bytes += end.wildcarded_identity.map_or(0, str::len) + end.actions().count();
    }
}

/// Contacts that need everything put together: references, CDATA, white space, declarations, policies.
fn document(registrations: usize, contacts: usize) -> String {
    let mut text = format!(
        r#"<?xml version="1.0"?><reginfo xmlns="{}" version="0" state="full">"#,
        ims_procedures::reginfo::NAMESPACE
    );
    for number in 0..registrations {
        write!(
            text,
            r#"
            <registration aor="sip:a&amp;{number:03}@h" id="r{number}" state="active">
              <w:wildcardedIdentity xmlns:w="urn:3gpp:ns:extRegExp:1.0">sip:!&lt;.*!@h</w:wildcardedIdentity>"#
        )
        .unwrap();
        for number in 0..contacts {
            write!(
                text,
                r#"
              <contact id="c&#x41;{number:03}" state=" active " event="registered" expires="&#51;600" callid="a&lt;b">
                <uri> sip:u{number:03}@h?a=1&amp;b=<![CDATA[2]]> </uri>
                <display-name xml:lang="e&#110;">A
                  B</display-name>
                <unknown-param name="+sip.instance">"&lt;urn:gsma:imei:{number:03}&gt;"</unknown-param>
                <unknown-param name="reg-id">1</unknown-param>
                <g:temp-gruu xmlns:g="urn:ietf:params:xml:ns:gruuinfo" uri="sip:t&amp;@h" first-cseq="1"/>
                <x xmlns="urn:x" a="&amp;"><y/>&amp;</x>
              </contact>"#
            )
            .unwrap();
        }
        text.push_str(
            r#"
              <e:actions xmlns:e="urn:3gpp:ns:extRegInfo:1.0"><e:rph ns="w&amp;" val="1"/></e:actions>
            </registration>"#,
        );
    }
    text + "</reginfo>"
}

/// [RI-5] Twenty times the contacts, the same few allocations.
#[test]
fn the_reader_allocates_nothing_per_contact() {
    let mut limits = Limits::default();
    limits.xml_bytes = 1 << 20;
    let [few, many, spread] = [(1, 10), (1, 200), (200, 1)].map(|(r, c)| document(r, c));
    let measured = [&few, &many, &spread].map(|document| {
        let mut totals = Totals::default();
        let (count, read) = allocations(|| read(document.as_bytes(), &limits, &mut totals));
        assert_eq!(read, Ok(()));
        (totals.contacts, count)
    });
    let count = measured[0].1;
    assert_eq!(measured, [(10, count), (200, count), (200, count)]);
    assert!(count > 0 && count <= 16, "{count}");
}

/// [RI-4] The writer allocates nothing at all.
#[test]
fn the_writer_allocates_nothing() {
    let mut buffer = Buffer::new(1 << 20);
    let (count, ()) = allocations(|| {
        let mut writer = DocumentWriter::new(&mut buffer, 1, DocumentState::Full);
        for number in 0..200 {
            writer.registration(
                b"sip:a<\xff>@h",
                Id::Numbered('r', number),
                RegistrationState::Active,
            );
            writer.contact(&ContactOut {
                display_name: Some("é\u{ffff}\0".as_bytes()),
                params_raw: b";a=\"<b>\";c",
                ..ContactOut::new(
                    Id::Numbered('c', number),
                    ContactState::Active,
                    ContactEvent::Created,
                    b"sip:a@h?&",
                )
            });
        }
        writer.finish();
    });
    assert_eq!((count, buffer.fault()), (0, None));
}
