//! The messages of a notifier.

use std::fmt::Write;

use crate::operations::{Answering, Documented, Notifying};

pub const ELEMENT: &str = "sip:pcscf1.visited1.example.net:5070";

/// What a SUBSCRIBE said, as a notifier keeps it.
pub struct Subscribed {
    call_id: String,
    tag: String,
    contact: String,
    resource: String,
}

/// The value of a header field of ours.
pub fn value<'t>(text: &'t str, name: &str) -> &'t str {
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(": "))
        .map_or("", |(_, value)| value)
}

impl Subscribed {
    pub fn of(subscribe: &str) -> Self {
        let uri = |value: &str| {
            let inside = value.split(['<', '>']).nth(1);
            inside.unwrap_or_default().to_owned()
        };
        let from = value(subscribe, "From");
        Self {
            call_id: value(subscribe, "Call-ID").to_owned(),
            tag: from.split(";tag=").nth(1).unwrap_or_default().to_owned(),
            contact: uri(value(subscribe, "Contact")),
            resource: uri(value(subscribe, "To")),
        }
    }

    pub fn notify(&self, of: &Notifying) -> Vec<u8> {
        let state = match of.state % 4 {
            0 => "active",
            1 => "pending",
            2 => "terminated",
            _ => "novel",
        };
        let reasons = [
            "deactivated",
            "probation",
            "rejected",
            "timeout",
            "giveup",
            "noresource",
            "invariant",
            "badfilter",
            "novel",
        ];
        let mut state = state.to_owned();
        if let Some(expires) = of.expires {
            write!(state, ";expires={expires}").unwrap();
        }
        if let Some(reason) = reasons.get(usize::from(of.reason % 16)) {
            write!(state, ";reason={reason}").unwrap();
        }
        if let Some(seconds) = of.retry_after {
            write!(state, ";retry-after={seconds}").unwrap();
        }
        let target = if of.moved { "moved" } else { "n" };
        let body = of.document.as_ref().map(document).unwrap_or_default();
        let mut message = format!(
            "NOTIFY {} SIP/2.0\r\nVia: SIP/2.0/UDP scscf1.home1.example.net;branch=z9hG4bKn{}\r\n\
             Max-Forwards: 70\r\nFrom: <{}>;tag=n{}\r\nTo: <{ELEMENT}>;tag={}\r\nCall-ID: {}\r\n\
             CSeq: {} NOTIFY\r\nContact: <sip:{target}@scscf1.home1.example.net>\r\nEvent: reg\r\n\
             Subscription-State: {state}\r\n",
            self.contact,
            of.cseq,
            self.resource,
            of.tag % 3,
            self.tag,
            self.call_id,
            of.cseq % (1 << 31),
        );
        if !body.is_empty() {
            message += "Content-Type: application/reginfo+xml\r\n";
        }
        write!(message, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        message.into_bytes()
    }
}

fn document(of: &Documented) -> String {
    let state = if of.partial { "partial" } else { "full" };
    let mut text = format!(
        "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"{}\" state=\"{state}\">",
        of.version
    );
    for registration in of.registrations.iter().take(40) {
        let id = registration.identity;
        let state = ["active", "terminated", "init"][usize::from(registration.state % 3)];
        write!(
            text,
            "<registration aor=\"sip:user{id}@home1.example.net\" id=\"r{id}\" state=\"{state}\">"
        )
        .unwrap();
        for (contact, event) in &registration.contacts {
            let events = [
                ("active", "registered"),
                ("active", "created"),
                ("active", "refreshed"),
                ("active", "shortened"),
                ("terminated", "expired"),
                ("terminated", "deactivated"),
                ("terminated", "probation"),
                ("terminated", "unregistered"),
                ("terminated", "rejected"),
            ];
            let (state, event) = events[usize::from(*event) % events.len()];
            write!(
                text,
                "<contact id=\"c{contact}\" state=\"{state}\" event=\"{event}\">\
                 <uri>sip:ue{contact}@192.0.2.{contact}</uri></contact>"
            )
            .unwrap();
        }
        text += "</registration>";
    }
    text += "</reginfo>";
    if let Some(cut) = of.cut {
        text.truncate(usize::from(cut) % (text.len() + 1));
    }
    text
}

/// The response to a SUBSCRIBE.
pub fn response(subscribe: &str, answer: &Answering) -> Option<Vec<u8>> {
    let Answering::Status {
        status,
        expires,
        min_expires,
        retry_after,
        tag,
    } = answer
    else {
        return None;
    };
    let status = 100 + status % 600;
    let to = value(subscribe, "To");
    let mut message = format!(
        "SIP/2.0 {status} x\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n",
        value(subscribe, "Via"),
        value(subscribe, "From"),
        if to.contains(";tag=") {
            to.to_owned()
        } else {
            format!("{to};tag=n{}", tag % 3)
        },
        value(subscribe, "Call-ID"),
        value(subscribe, "CSeq"),
    );
    message += "Contact: <sip:n@scscf1.home1.example.net>\r\n";
    for (name, seconds) in [
        ("Expires", expires),
        ("Min-Expires", min_expires),
        ("Retry-After", retry_after),
    ] {
        if let Some(seconds) = seconds {
            write!(message, "{name}: {seconds}\r\n").unwrap();
        }
    }
    message += "Content-Length: 0\r\n\r\n";
    Some(message.into_bytes())
}
