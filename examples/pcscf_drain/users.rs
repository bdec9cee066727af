//! What there is of each user: identities, contact, REGISTER and its 200.

pub const PCSCF: &str = "sip:pcscf1.visited1.example.net:5070";
pub const VISITED: &str = "visited1.example.net";

fn contact(user: u32) -> String {
    format!(
        "sip:user{user}@[2001:db8::{:x}:{:x}]:1357",
        user >> 16,
        user & 0xffff
    )
}

/// The number of the user that a text names first.
pub fn number_in(text: &str) -> u32 {
    let digits = text.split("sip:user").nth(1).unwrap_or_default();
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let digits = digits.get(..end.unwrap_or(digits.len()));
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(u32::MAX)
}

/// How manieth attempt a REGISTER is.
pub fn attempt_in(request: &str) -> u32 {
    let attempt = request.split("CSeq: ").nth(1).unwrap_or_default();
    let attempt = attempt.split(' ').next().unwrap_or_default();
    attempt.parse().unwrap_or(0)
}

/// A REGISTER, as the P-CSCF sent it to the core, and its 200.
pub fn registered(user: u32) -> (String, String) {
    let identity = format!("sip:user{user}@home1.example.net");
    let common = format!(
        "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp{user}\r\n\
         From: <{identity}>;tag=4fa3\r\n\
         To: <{identity}>\r\n\
         Call-ID: apb03a0s09dkjdfglkj{user}\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: <{}>;expires=600000\r\n\
         Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n",
        contact(user)
    );
    let request = format!(
        "REGISTER sip:home1.example.net SIP/2.0\r\n{common}\
         Authorization: Digest username=\"user{user}_private@home1.example.net\",\
         realm=\"home1.example.net\",nonce=\"x\",uri=\"sip:home1.example.net\",response=\"6629fae4\"\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let response = format!(
        "SIP/2.0 200 OK\r\n{common}\
         P-Associated-URI: <{identity}>\r\n\
         Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    (request, response)
}
