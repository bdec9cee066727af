//! What there is of each user: identities, contact, REGISTER and its 200.

pub const PCSCF: &str = "sip:pcscf1.visited1.example.net:5070";
pub const VISITED: &str = "visited1.example.net";

/// The public identities of a user's implicit set, the default one first.
pub fn identities(user: u32) -> [String; 2] {
    [
        format!("sip:user{user}@home1.example.net"),
        format!("tel:+1212555{user:07}"),
    ]
}

pub fn contact(user: u32) -> String {
    format!(
        "sip:user{user}@[2001:db8::{:x}:{:x}]:1357",
        user >> 16,
        user & 0xffff
    )
}

/// The number of the user in a SIP URI or address of the above.
pub fn number_in(uri: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(uri);
    let user = text
        .split("sip:user")
        .nth(1)
        .and_then(|rest| rest.split('@').next());
    user.and_then(|digits| digits.parse().ok())
        .unwrap_or(u32::MAX)
}

/// As much of a REGISTER as says whose it is.
pub fn to_of_register(identity: &str) -> String {
    format!("REGISTER sip:home1.example.net SIP/2.0\r\nTo: <{identity}>\r\n\r\n")
}

/// A REGISTER for one of the user's identities, as the P-CSCF sent it to the core.
pub fn register(user: u32, identity: &str, cseq: u32) -> String {
    format!(
        "REGISTER sip:home1.example.net SIP/2.0\r\n{}\
         Max-Forwards: 69\r\n\
         Authorization: Digest username=\"user{user}_private@home1.example.net\",\
         realm=\"home1.example.net\",nonce=\"x\",uri=\"sip:home1.example.net\",response=\"6629fae4\"\r\n\
         Contact: <{}>;expires=600000\r\n\
         Content-Length: 0\r\n\r\n",
        common(user, identity, "", cseq),
        contact(user)
    )
}

/// Its 200.
pub fn register_200(user: u32, identity: &str, cseq: u32) -> String {
    let [public, number] = identities(user);
    format!(
        "SIP/2.0 200 OK\r\n{}\
         Contact: <{}>;expires=600000\r\n\
         P-Associated-URI: <{public}>, <{number}>\r\n\
         Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n\
         Content-Length: 0\r\n\r\n",
        common(user, identity, ";tag=409sp3", cseq),
        contact(user)
    )
}

fn common(user: u32, identity: &str, tag: &str, cseq: u32) -> String {
    format!(
        "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp{user}x{cseq}\r\n\
         From: <{identity}>;tag=4fa3\r\n\
         To: <{identity}>{tag}\r\n\
         Call-ID: apb03a0s09dkjdfglkj{user}\r\n\
         CSeq: {cseq} REGISTER\r\n\
         Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n"
    )
}
