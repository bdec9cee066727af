//! Typed values of whole messages, and of any bytes.

use ims_procedures::wire::Date;
use proptest::prelude::*;

use crate::support::{fixture_files, parse, text};

fn read_fields(bytes: &[u8]) -> Result<usize, String> {
    let message = parse(bytes).map_err(|reject| reject.to_string())?;
    for field in message.fields() {
        field
            .read()
            .map_err(|reject| format!("{}: {reject}", text(field.raw_name)))?;
    }
    Ok(message.header_count())
}

/// [RFC 3261 20] Every header field of the messages of the collections.
#[test]
fn messages_of_the_collections() {
    let mut read = 0;
    for folder in [
        "sip",
        "captures/A_basic",
        "captures/D_rtr",
        "captures/O_presreg",
    ] {
        for path in fixture_files(folder) {
            let fields = read_fields(&std::fs::read(&path).unwrap());
            read += fields.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
    assert!(read > 1_500, "{read}");
}

const NAMES: [&str; 64] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Contact",
    "Expires",
    "Route",
    "Path",
    "P-Asserted-Identity",
    "P-Called-Party-ID",
    "P-Visited-Network-ID",
    "P-Access-Network-Info",
    "P-Charging-Function-Addresses",
    "P-Charging-Vector",
    "P-Served-User",
    "P-Profile-Key",
    "P-User-Database",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Supported",
    "Require",
    "Proxy-Require",
    "Unsupported",
    "Event",
    "Subscription-State",
    "Allow-Events",
    "Accept",
    "Accept-Contact",
    "Reject-Contact",
    "Request-Disposition",
    "Content-Type",
    "Content-Encoding",
    "Content-Disposition",
    "MIME-Version",
    "Min-Expires",
    "Retry-After",
    "Reason",
    "Allow",
    "User-Agent",
    "Date",
    "Timestamp",
    "Warning",
    "Subject",
    "Priority",
    "Security-Client",
    "Security-Verify",
    "Message-UID",
    "Contribution-ID",
    "Privacy",
    "History-Info",
    "Refer-To",
    "Session-Expires",
    "Min-SE",
    "SIP-ETag",
    "Identity",
    "Feature-Caps",
    "Restoration-Info",
    "Relayed-Charge",
    "X-Unknown",
];

/// Reads everything typed of a message; every offset of a refusal lies within it, and within its field.
fn read_typed(bytes: &[u8]) {
    let Ok(message) = parse(bytes) else {
        return;
    };
    for field in message.fields() {
        if let Err(reject) = field.read() {
            let place = field.value.at()..=field.value.at() + field.value.raw().len();
            assert!(place.contains(&(reject.at as usize)), "{reject}");
        } else {
            let _ = format!("{:?}", field.read());
        }
        let rejects = [
            message.tokens(field.name).find_map(Result::err),
            message.security(field.name).find_map(Result::err),
            message.features(field.name).find_map(Result::err),
            message.challenges(field.name).find_map(Result::err),
            message.warnings().find_map(Result::err),
            message.access_network_info().find_map(Result::err),
        ];
        for reject in rejects.into_iter().flatten() {
            assert!(reject.at as usize <= bytes.len());
        }
    }
    if let Ok(Some(credentials)) = message.authorization() {
        let _ = (credentials.digest(), credentials.bearer());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [DR-4] Any bytes in any header field, and bytes of the grammars in any order.
    #[test]
    fn any_value_is_refused_or_read(
        name in prop::sample::select(NAMES.to_vec()),
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "[a0\"\\\\<>;,:=*/(). \t@%\\[\\]-]{0,60}".prop_map(String::into_bytes),
            "([a-z]{1,3}(;(q|spi-c|cause|text|ccf)=(0\\.5|[0-9]{1,3}|\"[a\\\\,; ]{0,4}\"))?,? ?){0,4}".prop_map(String::into_bytes),
            "Digest ((realm|nonce|nc|qop)=(a|\"[a\\\\,= ]{0,4}\"),? ?){0,4}".prop_map(String::into_bytes),
            "(icid-value|ccf|nextnonce)=(a|\"[a\\\\,; ]{0,4}\")(;[a-z]{1,3}(=[a-z\\[]{1,3})?){0,3}".prop_map(String::into_bytes),
        ],
    ) {
        let mut message = format!("BYE sip:a SIP/2.0\r\n{name}: ").into_bytes();
        message.extend(&bytes);
        message.extend_from_slice(b"\r\n\r\n");
        read_typed(&message);
    }

    /// [RFC 3261 20.17] Every moment is written and read as itself.
    #[test]
    fn moments(seconds in -62_167_219_200i64..253_402_300_800) {
        let date = Date::from_unix(seconds).unwrap();
        prop_assert_eq!(date.unix(), seconds);
    }
}

/// [DR-4] Long lists are read in one pass.
#[test]
fn long_values_end() {
    for (name, unit) in [
        ("Reason", "SIP;cause=1,"),
        ("Security-Client", "a;b=\"c\\\"\","),
        ("P-Access-Network-Info", "A;\"x\","),
        ("Supported", ","),
        ("P-Charging-Vector", "icid-value=a;"),
        ("Retry-After", "1("),
        ("Warning", "399 a \"b\","),
        ("Authorization", "Digest a=\"b\","),
    ] {
        let value = unit.repeat(16_000 / unit.len());
        read_typed(format!("BYE sip:a SIP/2.0\r\n{name}: {value}\r\n\r\n").as_bytes());
    }
}
