//! What a subscriber of an MSC server is, in the lengths of the field: identities made from the IMSI, three public
//! identities of the implicit set, the MSC server's own contact with the instance ID of the equipment.

use super::profile::{PUBLIC, SCSCF, SERVICE_ROUTE};

pub const MSC: &str = "sip:msc1.visited1.example.net:5060";
pub const REALM: &str = "ics.mnc001.mcc001.3gppnetwork.org";
pub const HOME: &str = "sip:ics.mnc001.mcc001.3gppnetwork.org";
pub const PRIVATE: &str = "001010#########@ics.mnc001.mcc001.3gppnetwork.org";
/// The public identity that is registered.
pub const TEMPORARY: &str = "sip:001010#########@ics.mnc001.mcc001.3gppnetwork.org";
pub const PARAMS: &str = ";+sip.instance=\"<urn:gsma:imei:90420156-######-0>\";+g.3gpp.ics=\"server\"\
    ;+g.3gpp.accesstype=\"cellular1\"";
const PATH: &str = "<sip:term@msc1.visited1.example.net:5060;lr>";
const CALL_ID: &str = "apb03a0s09dkjdf#########";

/// What is kept of an access network.
const ACCESS: &str = "3GPP-UTRAN-FDD;utran-cell-id-3gpp=00101######FCE11;network-provided";
const VISITED: &str = "\"Visited Network Number 1\"";

/// Bytes of the strings of one registration that are its own: identities, parameters of the contact, access network,
/// Call-ID.
pub const OWN_STRINGS: usize = PRIVATE.len()
    + TEMPORARY.len()
    + PUBLIC[0].len()
    + PUBLIC[1].len()
    + PUBLIC[2].len()
    + PARAMS.len()
    + ACCESS.len()
    + CALL_ID.len();
/// With those that many have alike: the contact, Path, Service-Route, visited network.
pub const STRINGS: usize =
    OWN_STRINGS + MSC.len() + PATH.len() + SERVICE_ROUTE.len() + VISITED.len();

/// Seconds of a registration, and of a subscription.
const EXPIRES: u32 = 600_000;

/// The REGISTER of a subscriber, as the MSC server sent it.
pub fn register() -> String {
    format!(
        "REGISTER {HOME} SIP/2.0\r\n\
         Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKp$$$$$$$$$$\r\n\
         Max-Forwards: 70\r\n\
         From: <{TEMPORARY}>;tag=4fa3\r\n\
         To: <{TEMPORARY}>\r\n\
         Call-ID: {CALL_ID}\r\n\
         CSeq: $$$$$$$$$$ REGISTER\r\n\
         Contact: <{MSC}>{PARAMS}\r\n\
         Expires: {EXPIRES}\r\n\
         Authorization: Digest username=\"{PRIVATE}\",realm=\"{REALM}\",nonce=\"\",uri=\"{HOME}\",response=\"\",\
         integrity-protected=\"auth-done\"\r\n\
         Path: {PATH}\r\n\
         Supported: path\r\n\
         P-Visited-Network-ID: {VISITED}\r\n\
         P-Access-Network-Info: {ACCESS}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Its 200.
pub fn registered() -> String {
    let [first, second, third] = PUBLIC;
    accepted(
        "REGISTER",
        &format!(
            "Contact: <{MSC}>{PARAMS};expires={EXPIRES}\r\n\
             P-Associated-URI: <{first}>, <{second}>, <{third}>\r\n\
             Service-Route: {SERVICE_ROUTE}\r\n"
        ),
    )
}

/// The 200 to the REGISTER that deregisters, or to a BYE.
pub fn deregistered() -> String {
    accepted("REGISTER", "")
}

/// The 200 to a SUBSCRIBE.
pub fn subscribed() -> String {
    let lines = format!("Contact: <{SCSCF}>\r\nExpires: {EXPIRES}\r\n");
    accepted("SUBSCRIBE", &lines)
}

fn accepted(method: &str, lines: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKp$$$$$$$$$$\r\n\
         From: <{TEMPORARY}>;tag=4fa3\r\n\
         To: <{TEMPORARY}>;tag=n31415926535\r\n\
         Call-ID: {CALL_ID}\r\n\
         CSeq: $$$$$$$$$$ {method}\r\n\
         {lines}\
         Content-Length: 0\r\n\r\n"
    )
}

/// A NOTIFY in the dialog of the subscription: all of the subscriber's registrations are active.
pub fn notify() -> String {
    let mut body = String::from(
        "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" \
         version=\"$$$$$$$$$$\" state=\"full\">",
    );
    for (place, identity) in PUBLIC.iter().enumerate() {
        body += &format!(
            "<registration aor=\"{identity}\" id=\"a{place}\" state=\"active\">\
             <contact id=\"c{place}\" state=\"active\" event=\"registered\" callid=\"{CALL_ID}\" cseq=\"$$$$$$$$$$\">\
             <uri>{MSC}</uri>\
             <unknown-param name=\"+sip.instance\">\"&lt;urn:gsma:imei:90420156-######-0&gt;\"</unknown-param>\
             <unknown-param name=\"+g.3gpp.ics\">\"server\"</unknown-param></contact></registration>"
        );
    }
    body += "</reginfo>";
    format!(
        "NOTIFY sip:~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~@msc1.visited1.example.net:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP scscf1.ims.mnc001.mcc001.3gppnetwork.org:5060;branch=z9hG4bKn$$$$$$$$$$\r\n\
         Max-Forwards: 70\r\n\
         From: <{identity}>;tag=n31415926535\r\n\
         To: <{identity}>;tag=^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\r\n\
         Call-ID: ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\r\n\
         CSeq: $$$$$$$$$$ NOTIFY\r\n\
         Contact: <{SCSCF}>\r\n\
         Event: reg\r\n\
         Subscription-State: active;expires={EXPIRES}\r\n\
         Content-Type: application/reginfo+xml\r\n\
         Content-Length: {length}\r\n\r\n{body}",
        identity = PUBLIC[0],
        length = body.len(),
    )
}
