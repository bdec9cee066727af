//! Messages of the field.

use ims_procedures::wire::{Contact, Edit, HeaderName, rewrite};

use crate::support::{fixture_files, parse, written};

/// [RFC 3261 7] Every message of the collections is read, with all that identifies it.
#[test]
fn messages_of_the_collections_are_read() {
    let mut read = 0;
    for folder in [
        "sip",
        "captures/A_basic",
        "captures/D_rtr",
        "captures/O_presreg",
    ] {
        for path in fixture_files(folder) {
            let bytes = std::fs::read(&path).unwrap();
            let message = parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            message.via().unwrap();
            message.from().unwrap().tag().unwrap();
            message.to().unwrap();
            message.call_id().unwrap();
            message.cseq().unwrap();
            for via in message.vias() {
                via.unwrap();
            }
            for contact in message.contacts() {
                let (Contact::Star | Contact::Addr(_)) = contact.unwrap();
            }
            for name in [
                HeaderName::Path,
                HeaderName::Route,
                HeaderName::RecordRoute,
                HeaderName::ServiceRoute,
                HeaderName::PAssertedIdentity,
                HeaderName::PAssociatedUri,
            ] {
                for address in message.name_addrs(name) {
                    address.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                }
            }
            message.authorization().unwrap();
            message.event().unwrap();
            message.subscription_state().unwrap();
            let copy = written(|b| rewrite(&message, b, |_| Edit::Keep)).unwrap();
            assert_eq!(copy, bytes[..message.end()]);
            read += 1;
        }
    }
    assert!(read > 120, "{read}");
}
