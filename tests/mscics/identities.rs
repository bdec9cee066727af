//! Identities of a subscriber, by vectors.

use ims_procedures::{
    drive::Reject,
    mscics::{
        defect,
        identities::{Imsi, MncLength, instance_id},
    },
};
use proptest::prelude::*;

/// [MS-7] Two and three digits of the network code, the example of TS 23.003 among them: domain, private identity,
/// temporary public identity, conference factory.
#[test]
fn from_the_imsi() {
    let vectors = [
        (
            "234150999999999",
            MncLength::Two,
            "ics.mnc015.mcc234.3gppnetwork.org",
        ),
        (
            "234150999999999",
            MncLength::Three,
            "ics.mnc150.mcc234.3gppnetwork.org",
        ),
        (
            "310410123456789",
            MncLength::Three,
            "ics.mnc410.mcc310.3gppnetwork.org",
        ),
        (
            "001011",
            MncLength::Two,
            "ics.mnc001.mcc001.3gppnetwork.org",
        ),
        (
            "0010011",
            MncLength::Three,
            "ics.mnc001.mcc001.3gppnetwork.org",
        ),
        (
            "262000",
            MncLength::Two,
            "ics.mnc000.mcc262.3gppnetwork.org",
        ),
    ];
    for (digits, mnc, domain) in vectors {
        let imsi = Imsi::new(digits.as_bytes(), mnc).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert_eq!(text(imsi.home_domain()), domain);
        assert_eq!(text(imsi.private_identity()), format!("{digits}@{domain}"));
        let temporary = format!("sip:{digits}@{domain}");
        assert_eq!(text(imsi.temporary_public_identity()), temporary);
        let factory = format!("sip:conf-factory.{domain}");
        assert_eq!(text(imsi.conference_factory()), factory);
    }
}

/// [MS-7] [DR-5] What is no IMSI: at its limits, one past them, and where.
#[test]
fn no_imsi() {
    let refused = |digits: &[u8], mnc| Imsi::new(digits, mnc).unwrap_err();
    let length = |at| Reject::new(&defect::IMSI_LENGTH, at);
    assert_eq!(refused(b"", MncLength::Two), length(0));
    assert_eq!(refused(b"23415", MncLength::Two), length(5));
    assert!(Imsi::new(b"234150", MncLength::Two).is_ok());
    assert_eq!(refused(b"234150", MncLength::Three), length(6));
    assert!(Imsi::new(b"2341501", MncLength::Three).is_ok());
    assert!(Imsi::new(b"234150123456789", MncLength::Two).is_ok());
    assert_eq!(refused(b"2341501234567890", MncLength::Two), length(15));
    let digit = Reject::new(&defect::NOT_A_DIGIT, 4);
    assert_eq!(refused(b"2341a0", MncLength::Two), digit);
    assert_eq!(refused(b"2341", MncLength::Two), length(4));
    assert_eq!(refused("2341\u{661}".as_bytes(), MncLength::Two), digit);
}

/// [MS-7] [DR-9] No digit shows.
#[test]
fn debug_of_an_imsi() {
    let imsi = Imsi::new(b"234150999999999", MncLength::Two).unwrap();
    assert_eq!(format!("{imsi:?}"), "Imsi(15 digits)");
}

/// [MS-7] An IMEI without its last digit, with the check digit, with the spare digit and with the software version:
/// one instance ID. The vectors are those of RFC 7254 and TS 23.003, and equipment with published IMEIs.
#[test]
fn from_the_imei() {
    let vectors: [(&[&str], &str); 4] = [
        (
            &["90420156025763", "904201560257630", "9042015602576342"],
            "urn:gsma:imei:90420156-025763-0",
        ),
        (
            &[
                "49015420323751",
                "490154203237518",
                "490154203237510",
                "4901542032375101",
            ],
            "urn:gsma:imei:49015420-323751-0",
        ),
        (
            &["35209900176148", "352099001761481"],
            "urn:gsma:imei:35209900-176148-0",
        ),
        (
            &["00000000000000", "000000000000000", "0000000000000099"],
            "urn:gsma:imei:00000000-000000-0",
        ),
    ];
    for (imeis, urn) in vectors {
        for imei in imeis {
            assert_eq!(
                instance_id(imei.as_bytes()).unwrap(),
                urn.as_bytes(),
                "{imei}"
            );
        }
    }
}

/// [MS-7] What is no IMEI, and where: a length, a digit, the check digit of another one.
#[test]
fn no_imei() {
    let refused = |digits: &[u8]| instance_id(digits).unwrap_err();
    let length = |at| Reject::new(&defect::IMEI_LENGTH, at);
    assert_eq!(refused(b""), length(0));
    assert_eq!(refused(b"4901542032375"), length(13));
    assert_eq!(refused(b"49015420323751801"), length(16));
    assert_eq!(
        refused(b"49015420-323751-8"),
        Reject::new(&defect::NOT_A_DIGIT, 8)
    );
    for wrong in b"12345679" {
        let mut imei = b"490154203237510".to_vec();
        imei[14] = *wrong;
        assert_eq!(refused(&imei), Reject::new(&defect::CHECK_DIGIT, 14));
    }
}

proptest! {
    /// [MS-7] Each of fourteen digits counts: with one of them changed, the check digit is another's. Whatever is
    /// given, one way or the other, nothing panics.
    #[test]
    fn check_digits(known in "[0-9]{14}", place in 0usize..14, other in 1u8..10) {
        let with = |known: &[u8], check: u8| instance_id(&[known, &[check]].concat());
        let right: Vec<u8> = (b'1'..=b'9').filter(|check| with(known.as_bytes(), *check).is_ok()).collect();
        prop_assert!(right.len() <= 1, "beside the spare digit there is one");
        if let [check] = right[..] {
            let mut changed = known.clone().into_bytes();
            changed[place] = b'0' + (changed[place] - b'0' + other) % 10;
            prop_assert!(with(&changed, check).is_err());
        }
    }

    /// [MS-7] Any bytes are an instance ID of one length, or a refusal within them.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        match instance_id(&bytes) {
            Ok(urn) => prop_assert!(urn.starts_with(b"urn:gsma:imei:") && urn.ends_with(b"-0")),
            Err(reject) => prop_assert!(reject.at as usize <= bytes.len()),
        }
        for mnc in [MncLength::Two, MncLength::Three] {
            if let Err(reject) = Imsi::new(&bytes, mnc) {
                prop_assert!(reject.at as usize <= bytes.len());
            }
        }
    }
}
