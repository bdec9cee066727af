//! [RFC 3261 20] Reading typed values allocates nothing. In a file of its own, for the allocator counts for the
//! whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ims_procedures::{
    drive::Limits,
    wire::{HeaderName, Message, Value},
};

struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MESSAGE: &[u8] = b"REGISTER sip:home1.example.net SIP/2.0\r\n\
    Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1\r\n\
    From: <sip:a@home1.example.net>;tag=1\r\n\
    To: \"A \\\"B\\\"\" <sip:a@home1.example.net>\r\n\
    Call-ID: c1\r\n\
    CSeq: 1 REGISTER\r\n\
    Contact: <sip:[2001:db8::1]>;expires=600;+sip.instance=\"<urn:x>\", <sip:b>\r\n\
    Authorization: Digest username=\"a\",realm=\"b\",nonce=\"c\",uri=\"d\",response=\"\",auts=\"e\"\r\n\
    WWW-Authenticate: Digest realm=\"b\",nonce=\"c\",qop=\"auth,auth-int\",ik=\"1\",ck=\"2\"\r\n\
    Security-Client: ipsec-3gpp;alg=a;spi-c=1;spi-s=2;port-c=3;port-s=4, tls;q=0.1\r\n\
    P-Charging-Vector: icid-value=\"1;\\\"2\";orig-ioi=a\r\n\
    P-Access-Network-Info: A;utran-cell-id-3gpp=1;\"x\";network-provided, B\r\n\
    P-Visited-Network-ID: \"a, b\"\r\n\
    Reason: SIP;cause=200;text=\"a\\\"b\r\n c\"\r\n\
    Retry-After: 5 (a (b));duration=3\r\n\
    Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n\
    Warning: 399 a \"b\"\r\n\
    Content-Type: multipart/mixed;boundary=\"a b\"\r\n\
    Message-UID: 4711\r\n\
    Content-Length: 0\r\n\r\n";

/// [RFC 3261 20] Every field, every element of a list, every byte of a text.
#[test]
fn reading_values() {
    let limits = Limits::default();
    let message = Message::parse(MESSAGE, &limits).unwrap();
    let before = CALLS.get();
    let mut elements = 0;
    for field in message.fields() {
        elements += match field.read().unwrap() {
            Value::Vias(list) => list.count(),
            Value::Contacts(list) => list.count(),
            Value::Security(list) => list.count(),
            Value::AccessNetworks(list) => list.map(|one| one.unwrap().info.iter().count()).sum(),
            Value::Reasons(list) => list
                .filter_map(|one| one.unwrap().text)
                .map(|text| text.bytes().count())
                .sum(),
            Value::Credentials(credentials) => usize::from(credentials.digest().is_some()),
            Value::Challenge(challenge) => challenge.digest().unwrap().qops().count(),
            _ => 1,
        };
    }
    elements += message.security(HeaderName::SecurityClient).count();
    let calls = CALLS.get() - before;
    assert_eq!(elements, 1 + 2 + 2 + 3 + 5 + 1 + 2 + 12 + 2);
    assert_eq!(calls, 0);
}
