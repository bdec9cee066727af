//! Whole messages.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use ::rsip::{
    Header, Headers, Request, Response, SipMessage, StatusCode, Version, headers as h,
    headers::UntypedHeader, message::HasHeaders,
};

use super::{
    super::{Field, HeaderName, Message, Method, StartLine, Uri, reason, scan},
    Inconvertible,
    values::{attempt, unfolded, utf8, write_uri, written},
};
use crate::drive::{Buffer, Limits};

impl TryFrom<&Message<'_>> for SipMessage {
    type Error = Inconvertible;

    /// [RFC 3261 7] The whole message; what followed its body is left out.
    fn try_from(message: &Message<'_>) -> Result<Self, Inconvertible> {
        let headers = message.fields().map(|field| header(&field));
        let headers = Headers::from(headers.collect::<Result<Vec<_>, _>>()?);
        if utf8(message.body()).is_err() {
            return Err(Inconvertible::Body);
        }
        let body = message.body().to_vec();
        Ok(match message.start() {
            StartLine::Request { method, uri } => Self::Request(Request {
                method: method.try_into()?,
                uri: Uri::parse(uri)?.try_into()?,
                version: Version::V2,
                headers,
                body,
            }),
            StartLine::Response { status, reason } => Self::Response(Response {
                status_code: status_code(status, reason)?,
                version: Version::V2,
                headers,
                body,
            }),
        })
    }
}

/// rsip's variant only where it comes back with the phrase that stood there.
fn status_code(status: u16, phrase: &[u8]) -> Result<StatusCode, Inconvertible> {
    match StatusCode::from(status) {
        StatusCode::Other(..) | StatusCode::Accepted => {}
        named if phrase == reason(status) => return Ok(named),
        _ => {}
    }
    Ok(StatusCode::Other(status, utf8(phrase)?.to_owned()))
}

fn header(field: &Field<'_>) -> Result<Header, Inconvertible> {
    let name = match field.name {
        HeaderName::Other => field.raw_name,
        known => known.canonical_name(),
    };
    Ok(named(utf8(name)?, unfolded(field.value.raw())?))
}

/// The variant that rsip has for the name, else its `Other`.
fn named(name: &str, value: String) -> Header {
    match name.to_ascii_lowercase().as_str() {
        "accept" => h::Accept::new(value).into(),
        "accept-encoding" => h::AcceptEncoding::new(value).into(),
        "accept-language" => h::AcceptLanguage::new(value).into(),
        "alert-info" => h::AlertInfo::new(value).into(),
        "allow" => h::Allow::new(value).into(),
        "authentication-info" => h::AuthenticationInfo::new(value).into(),
        "authorization" => h::Authorization::new(value).into(),
        "cseq" => h::CSeq::new(value).into(),
        "call-id" => h::CallId::new(value).into(),
        "call-info" => h::CallInfo::new(value).into(),
        "contact" => h::Contact::new(value).into(),
        "content-disposition" => h::ContentDisposition::new(value).into(),
        "content-encoding" => h::ContentEncoding::new(value).into(),
        "content-language" => h::ContentLanguage::new(value).into(),
        "content-length" => h::ContentLength::new(value).into(),
        "content-type" => h::ContentType::new(value).into(),
        "date" => h::Date::new(value).into(),
        "error-info" => h::ErrorInfo::new(value).into(),
        "event" => h::Event::new(value).into(),
        "expires" => h::Expires::new(value).into(),
        "from" => h::From::new(value).into(),
        "in-reply-to" => h::InReplyTo::new(value).into(),
        "max-forwards" => h::MaxForwards::new(value).into(),
        "mime-version" => h::MimeVersion::new(value).into(),
        "min-expires" => h::MinExpires::new(value).into(),
        "organization" => h::Organization::new(value).into(),
        "priority" => h::Priority::new(value).into(),
        "proxy-authenticate" => h::ProxyAuthenticate::new(value).into(),
        "proxy-authorization" => h::ProxyAuthorization::new(value).into(),
        "proxy-require" => h::ProxyRequire::new(value).into(),
        "record-route" => h::RecordRoute::new(value).into(),
        "reply-to" => h::ReplyTo::new(value).into(),
        "require" => h::Require::new(value).into(),
        "retry-after" => h::RetryAfter::new(value).into(),
        "route" => h::Route::new(value).into(),
        "server" => h::Server::new(value).into(),
        "subject" => h::Subject::new(value).into(),
        "subscription-state" => h::SubscriptionState::new(value).into(),
        "supported" => h::Supported::new(value).into(),
        "timestamp" => h::Timestamp::new(value).into(),
        "to" => h::To::new(value).into(),
        "unsupported" => h::Unsupported::new(value).into(),
        "user-agent" => h::UserAgent::new(value).into(),
        "via" => h::Via::new(value).into(),
        "warning" => h::Warning::new(value).into(),
        "www-authenticate" => h::WwwAuthenticate::new(value).into(),
        _ => Header::Other(name.to_owned(), value),
    }
}

/// [RFC 3261 7] Appends the message: header fields in their order, each as often as it stands there.
///
/// # Errors
/// What the [module](super) names, and [`Malformed`](Inconvertible::Malformed) where this library would not
/// read what was written. The buffer is then as before.
pub fn put_message(buffer: &mut Buffer, message: &SipMessage) -> Result<(), Inconvertible> {
    attempt(buffer, |buffer| {
        let start = buffer.len();
        write_start_line(buffer, message)?;
        for header in message.headers().iter() {
            write_header(buffer, header)?;
        }
        buffer.put(b"\r\n");
        buffer.put(message.body());
        check_written(scan::after(written(buffer)?, start), message.body())
    })
}

fn write_start_line(buffer: &mut Buffer, message: &SipMessage) -> Result<(), Inconvertible> {
    if *message.version() != Version::V2 {
        return Err(Inconvertible::Version);
    }
    match message {
        SipMessage::Request(request) => {
            buffer.put(Method::from(request.method).as_bytes());
            buffer.put(b" ");
            write_uri(buffer, &request.uri)?;
            buffer.put(b" SIP/2.0\r\n");
        }
        SipMessage::Response(response) => {
            let status = response.status_code.code();
            let phrase = match &response.status_code {
                StatusCode::Accepted => return Err(Inconvertible::Status),
                StatusCode::Other(_, phrase) => phrase.as_bytes(),
                _ => reason(status),
            };
            if !(100..700).contains(&status) {
                return Err(Inconvertible::Status);
            }
            buffer.put(b"SIP/2.0 ");
            buffer.put_number(u64::from(status));
            buffer.put(b" ");
            buffer.put_value(phrase);
            buffer.put(b"\r\n");
        }
    }
    Ok(())
}

fn write_header(buffer: &mut Buffer, header: &Header) -> Result<(), Inconvertible> {
    let text = header.to_string();
    let (name, value) = match header {
        Header::Other(name, value) => (name.as_str(), value.as_str()),
        _ => text.split_once(": ").ok_or(Inconvertible::Part)?,
    };
    if !scan::is_token(name.as_bytes()) {
        return Err(Inconvertible::Part);
    }
    buffer.put(match HeaderName::lookup(name.as_bytes()) {
        HeaderName::Other => name.as_bytes(),
        known => known.canonical_name(),
    });
    buffer.put(b": ");
    buffer.put_value(value.as_bytes());
    buffer.put(b"\r\n");
    Ok(())
}

/// What was written is a message to us, with that body.
fn check_written(bytes: &[u8], body: &[u8]) -> Result<(), Inconvertible> {
    let limits = Limits {
        message_bytes: usize::MAX,
        headers: usize::MAX,
        header_bytes: usize::MAX,
        ..Limits::default()
    };
    if Message::parse(bytes, &limits)?.body().len() == body.len() {
        Ok(())
    } else {
        Err(Inconvertible::ContentLength)
    }
}
