//! [DR-5] Requests within a dialog are written and read without allocating. In a file of its own, for the allocator
//! counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ims_procedures::{
    dialog::{Dialog, Incoming, reason},
    drive::{Buffer, Identifiers, Limits},
    wire::{Element, HeaderName, Message, Writer},
};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// [DR-5] A BYE into a warm buffer, towards a loose and a strict router; the same read, with its Reason; what its
/// response copies, kept and written later.
#[test]
fn nothing_is_allocated() {
    let element = Element::new(b"sip:us.example.net", b"example.net").unwrap();
    let branch = Identifiers::new([7; 32], 1, 3).constant();
    let limits = Limits::default();
    let loose = Dialog {
        call_id: b"c1@a",
        local_uri: b"sip:a@c.example",
        local_tag: b"l1",
        remote_uri: b"sip:b@c.example",
        remote_tag: b"r1",
        remote_target: b"sip:b@d.example",
        route_set: b"<sip:p1;lr>, \"a, b\" <sip:p2>",
        ..Dialog::default()
    };
    let strict = Dialog {
        route_set: b"<sip:p1?a=b>, \"a, b\" <sip:p2>",
        ..loose
    };
    let mut buffer = Buffer::new(4_096);
    let mut kept = Buffer::new(1_024);
    let before = COUNT.get();

    for dialog in [loose, strict] {
        buffer.clear();
        kept.clear();
        let mut message = dialog.bye(&mut buffer, &element, 2, branch, b"SIP;cause=480");
        message.header(HeaderName::Allow, b"BYE");
        message.finish();
        assert_eq!(dialog.next_hop().get(..6), Some(b"sip:p1".as_slice()));
        let message = Message::parse(buffer.as_slice(), &limits).unwrap();
        let read = Incoming::read(&message).unwrap();
        assert!(!dialog.has(&read) && read.cseq == 2);
        assert_eq!(
            reason(&message, 20).as_deref(),
            Some(b"SIP;cause=480".as_slice())
        );
        Writer::keep(&mut kept, &message);
        buffer.clear();
        Writer::respond_later(&mut buffer, 200, kept.as_slice()).finish();
        assert!(buffer.as_slice().starts_with(b"SIP/2.0 200 OK\r\nVia: "));
        assert_eq!((buffer.fault(), kept.fault()), (None, None));
    }

    assert_eq!(COUNT.get(), before);
    assert_ne!(String::from("counted"), "");
    assert!(COUNT.get() > before, "and it does count");
}
