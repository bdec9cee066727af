//! The calls of a subscriber: two IMS dialogs with the SCC AS, as the MSC server has them.

use ims_procedures::{
    dialog::Established,
    drive::{Limits, Reject},
    wire::Message,
};

use crate::{
    provisioning::AS_URI,
    subscriber::{MSC_URI, Subscriber},
};

/// The call that the node ends itself, by a BYE: an INVITE of the MSC server, and its 200.
pub struct Call {
    invite: String,
    answer: String,
}

impl Call {
    pub fn new(subscriber: &Subscriber) -> Self {
        let number = subscriber.number;
        let [identity, _] = &subscriber.public_identities;
        let common = format!(
            "Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKcall{number}\r\n\
             From: <{identity}>;tag=call{number}\r\n\
             Call-ID: call{number}@msc1.visited1.example.net\r\n\
             CSeq: 1 INVITE\r\n"
        );
        let (own, far) = (format!("<{MSC_URI}>"), format!("<{AS_URI}>"));
        Self {
            invite: format!(
                "INVITE tel:+441632960000 SIP/2.0\r\nMax-Forwards: 70\r\n{common}\
                 To: <tel:+441632960000>\r\nContact: {own}\r\nContent-Length: 0\r\n\r\n"
            ),
            answer: format!(
                "SIP/2.0 200 OK\r\n{common}To: <tel:+441632960000>;tag=far{number}\r\n\
                 Contact: {far}\r\nContent-Length: 0\r\n\r\n"
            ),
        }
    }

    /// Hands on the dialog that INVITE and 200 have made.
    pub fn dialog<T>(&self, take: impl FnOnce(&Established<'_>) -> T) -> Result<T, Reject> {
        let limits = Limits::default();
        let invite = Message::parse(self.invite.as_bytes(), &limits)?;
        let answer = Message::parse(self.answer.as_bytes(), &limits)?;
        Ok(take(&Established::of_uac(&invite, &answer)?))
    }
}
