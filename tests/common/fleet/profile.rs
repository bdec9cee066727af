//! What a user of the fleet is: the strings that an element keeps of one, in the lengths they have in the field.
//!
//! Three public identities of 53 bytes, a private one of 49; an IPv6 contact with instance, reg-id and feature
//! tags; Path and Service-Route: 603 bytes, what is derived from them (realm, home domain) not counted.

pub const REALM: &str = "ims.mnc001.mcc001.3gppnetwork.org";
pub const HOME: &str = "sip:ims.mnc001.mcc001.3gppnetwork.org";
pub const PRIVATE: &str = "001010#########@ims.mnc001.mcc001.3gppnetwork.org";
/// The default identity first.
pub const PUBLIC: [&str; 3] = [
    "sip:001010#########@ims.mnc001.mcc001.3gppnetwork.org",
    "sip:+15550#########@ims.mnc001.mcc001.3gppnetwork.org",
    "sip:+15551#########@ims.mnc001.mcc001.3gppnetwork.org",
];
pub const CONTACT: &str = "sip:001010#########@[2001:db8:1a2b:3c4d:####:5e6f:7a8b:9c0d]:5060";
/// The parameters of the contact that stay with it.
pub const PARAMS: &str = ";+sip.instance=\"<urn:gsma:imei:90420156-######-0>\";reg-id=1\
    ;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\";+g.3gpp.smsip;+g.3gpp.mid-call\
    ;+g.3gpp.iari-ref=\"urn%3Aurn-7%3A3gpp-application.ims.iari.rcs.standalone\"";
pub const PCSCF: &str = "sip:pcscf1.visited1.example.net:5070";
pub const PATH: &str = "<sip:term@pcscf1.visited1.example.net:5070;lr>";
pub const SCSCF: &str = "sip:scscf1.ims.mnc001.mcc001.3gppnetwork.org:5060";
pub const SERVICE_ROUTE: &str = "<sip:orig@scscf1.ims.mnc001.mcc001.3gppnetwork.org:5060;lr>";

/// Bytes of the strings of one registration: identities, contact with its parameters, Path, Service-Route.
pub const STRINGS: usize = PRIVATE.len()
    + PUBLIC[0].len()
    + PUBLIC[1].len()
    + PUBLIC[2].len()
    + CONTACT.len()
    + PARAMS.len()
    + PATH.len()
    + SERVICE_ROUTE.len();

/// Seconds of a registration, and of a subscription.
const EXPIRES: u32 = 600_000;

/// The REGISTER of a user, as the P-CSCF sent it to the core, that registers.
pub fn register() -> String {
    registering(EXPIRES)
}

/// The REGISTER of a user that deregisters.
pub fn deregister() -> String {
    registering(0)
}

fn registering(expires: u32) -> String {
    format!(
        "REGISTER {HOME} SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp$$$$$$$$$$\r\n\
         Via: SIP/2.0/UDP [2001:db8:1a2b:3c4d:####:5e6f:7a8b:9c0d]:5060;branch=z9hG4bKu$$$$$$$$$$\r\n\
         Max-Forwards: 69\r\n\
         From: <{identity}>;tag=4fa3\r\n\
         To: <{identity}>\r\n\
         Call-ID: apb03a0s09dkjdf#########\r\n\
         CSeq: $$$$$$$$$$ REGISTER\r\n\
         Contact: <{CONTACT}>{PARAMS};expires={expires}\r\n\
         Authorization: Digest username=\"{PRIVATE}\",realm=\"{REALM}\",nonce=\"x\",uri=\"{HOME}\",\
         response=\"6629fae49393a05397450978507c4ef1\",integrity-protected=\"yes\"\r\n\
         Path: {PATH}\r\n\
         Require: path\r\n\
         Supported: path\r\n\
         Content-Length: 0\r\n\r\n",
        identity = PUBLIC[0],
    )
}

/// The 200 to the REGISTER that registers.
pub fn registered() -> String {
    let [first, second, third] = PUBLIC;
    accepted(
        "REGISTER",
        &format!(
            "Contact: <{CONTACT}>{PARAMS};expires={EXPIRES}\r\n\
             P-Associated-URI: <{first}>, <{second}>, <{third}>\r\n\
             Path: {PATH}\r\n\
             Service-Route: {SERVICE_ROUTE}\r\n"
        ),
    )
}

/// The 200 to the REGISTER that deregisters, or to one of the P-CSCF's own.
pub fn deregistered() -> String {
    accepted("REGISTER", "")
}

/// The 200 to a SUBSCRIBE.
pub fn subscribed() -> String {
    let lines = format!("Contact: <{SCSCF}>\r\nExpires: {EXPIRES}\r\n");
    accepted("SUBSCRIBE", &lines)
}

/// The 200 to a NOTIFY.
pub fn notified() -> String {
    accepted("NOTIFY", "")
}

fn accepted(method: &str, lines: &str) -> String {
    let identity = PUBLIC[0];
    format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp$$$$$$$$$$\r\n\
         From: <{identity}>;tag=4fa3\r\n\
         To: <{identity}>;tag=n31415926535\r\n\
         Call-ID: apb03a0s09dkjdf#########\r\n\
         CSeq: $$$$$$$$$$ {method}\r\n\
         {lines}\
         Content-Length: 0\r\n\r\n"
    )
}

/// A NOTIFY in the dialog of a P-CSCF's subscription: all of the user's registrations are active, or terminated.
pub fn notify(active: bool) -> String {
    let (state, event, standing) = match active {
        true => ("active", "registered", "active;expires=600000"),
        false => ("terminated", "deactivated", "terminated;reason=noresource"),
    };
    let mut body = String::from(
        "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" \
         version=\"$$$$$$$$$$\" state=\"full\">",
    );
    for (place, identity) in PUBLIC.iter().enumerate() {
        body += &format!(
            "<registration aor=\"{identity}\" id=\"a{place}\" state=\"{state}\">\
             <contact id=\"c{place}\" state=\"{state}\" event=\"{event}\"><uri>{CONTACT}</uri>\
             <unknown-param name=\"+sip.instance\">\"&lt;urn:gsma:imei:90420156-######-0&gt;\"</unknown-param>\
             <unknown-param name=\"reg-id\">1</unknown-param>\
             <unknown-param name=\"+g.3gpp.smsip\"/></contact></registration>"
        );
    }
    body += "</reginfo>";
    format!(
        "NOTIFY sip:~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~@pcscf1.visited1.example.net:5070 SIP/2.0\r\n\
         Via: SIP/2.0/UDP scscf1.ims.mnc001.mcc001.3gppnetwork.org:5060;branch=z9hG4bKn$$$$$$$$$$\r\n\
         Max-Forwards: 70\r\n\
         From: <{identity}>;tag=n31415926535\r\n\
         To: <{PCSCF}>;tag=^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\r\n\
         Call-ID: ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\r\n\
         CSeq: $$$$$$$$$$ NOTIFY\r\n\
         Contact: <{SCSCF}>\r\n\
         Event: reg\r\n\
         Subscription-State: {standing}\r\n\
         Content-Type: application/reginfo+xml\r\n\
         Content-Length: {length}\r\n\r\n{body}",
        identity = PUBLIC[0],
        length = body.len(),
    )
}

/// A SUBSCRIBE of a P-CSCF: the first, or one in its dialog.
pub fn subscribe(in_dialog: bool) -> String {
    let (target, tag) = match in_dialog {
        true => (SCSCF, ";tag=^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"),
        false => (PUBLIC[0], ""),
    };
    format!(
        "SUBSCRIBE {target} SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKs$$$$$$$$$$\r\n\
         Max-Forwards: 70\r\n\
         From: <{PCSCF}>;tag=s0007-5e1f8a2b9c3d4e5f607#########\r\n\
         To: <{identity}>{tag}\r\n\
         Call-ID: s0007-f7a1c2d3e4b59687786#########\r\n\
         CSeq: $$$$$$$$$$ SUBSCRIBE\r\n\
         Contact: <sip:s0007-f7a1c2d3e4b59687786#########@pcscf1.visited1.example.net:5070>\r\n\
         P-Asserted-Identity: <{PCSCF}>\r\n\
         Event: reg\r\n\
         Expires: {EXPIRES}\r\n\
         Content-Length: 0\r\n\r\n",
        identity = PUBLIC[0],
    )
}

/// A REGISTER with which a P-CSCF deregisters a user in its own name.
pub fn deregister_by_pcscf() -> String {
    format!(
        "REGISTER {HOME} SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKd$$$$$$$$$$\r\n\
         Max-Forwards: 70\r\n\
         From: <{identity}>;tag=d$$$$$$$$$$\r\n\
         To: <{identity}>\r\n\
         Call-ID: d#########-$$$$$$$$$$\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: <{CONTACT}>{PARAMS};expires=0\r\n\
         P-Asserted-Identity: <{PCSCF}>\r\n\
         Authorization: Digest username=\"{PRIVATE}\",realm=\"{REALM}\",nonce=\"\",uri=\"{HOME}\",response=\"\"\r\n\
         Content-Length: 0\r\n\r\n",
        identity = PUBLIC[0],
    )
}
