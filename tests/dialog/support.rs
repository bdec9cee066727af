//! Messages that make a dialog, and what is written of it.

use ims_procedures::{
    dialog::{Dialog, Established},
    drive::{Buffer, Identifier, Limits, Reject, Unwritable},
    wire::{Element, Message},
};

/// The branch of what is written here.
pub(crate) const BRANCH: &str = "s0003-70fe5a46b72b43f7a9b6d1d3bc24";

/// Three proxies, the caller's first at the bottom: as each puts itself on top.
pub(crate) const RECORDED: &str = "Record-Route: <sip:p3.example.org;lr>,\"Two, really\" <sip:p2.example.net;lr=on>;x=\"a,b\"\r\n\
     Record-Route: <sip:p1.example.com;lr>\r\n";

/// What the caller makes of them.
pub(crate) const ROUTES: &str = "<sip:p1.example.com;lr>, \"Two, really\" <sip:p2.example.net;lr=on>;x=\"a,b\", <sip:p3.example.org;lr>";

pub(crate) fn invite() -> String {
    "INVITE sip:callee@example.org SIP/2.0\r\n\
     Via: SIP/2.0/UDP u1.example.com;branch=z9hG4bK74b43\r\n\
     Max-Forwards: 70\r\n\
     From: \"Caller\" <sip:caller@example.com>;tag=9fxced76sl\r\n\
     To: Callee <sip:callee@example.org>\r\n\
     Call-ID: 3848276298220188511@u1.example.com\r\n\
     CSeq: 2 INVITE\r\n\
     Contact: \"Caller, at home\" <sip:caller@u1.example.com>;+g.oma.sip-im\r\n\
     Content-Length: 0\r\n\r\n"
        .to_owned()
}

/// The 2xx, with these fields.
pub(crate) fn ok(recorded: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP u1.example.com;branch=z9hG4bK74b43;received=192.0.2.101\r\n\
         {recorded}\
         From: \"Caller\" <sip:caller@example.com>;tag=9fxced76sl\r\n\
         To: Callee <sip:callee@example.org>;tag=314159\r\n\
         Call-ID: 3848276298220188511@u1.example.com\r\n\
         CSeq: 2 INVITE\r\n\
         Contact: <sip:callee@u2.example.org>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A request with these fields before its Max-Forwards.
pub(crate) fn recorded(request: &str, fields: &str) -> String {
    request.replace("Max-Forwards", &format!("{fields}Max-Forwards"))
}

pub(crate) fn parse(message: &str) -> Message<'_> {
    Message::parse(message.as_bytes(), &Limits::default()).unwrap()
}

pub(crate) fn uac<'m>(invite: &'m str, ok: &'m str) -> Result<Established<'m>, Reject> {
    Established::of_uac(&parse(invite), &parse(ok))
}

pub(crate) fn uas<'m>(invite: &'m str, ok: &'m str) -> Result<Established<'m>, Reject> {
    Established::of_uas(&parse(invite), &parse(ok))
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A dialog of few bytes.
pub(crate) fn plain() -> Dialog<'static> {
    Dialog::of_parts(
        [
            b"c1@a",
            b"sip:a@c.example",
            b"l1",
            b"sip:b@c.example",
            b"r1",
            b"sip:b@d.example",
            b"",
            b"<sip:a@e.example>",
        ],
        false,
    )
}

/// The dialog as the other end has it, but for where it leads.
pub(crate) fn mirrored<'a>(dialog: &Dialog<'a>) -> Dialog<'a> {
    Dialog {
        local_uri: dialog.remote_uri,
        local_tag: dialog.remote_tag,
        remote_uri: dialog.local_uri,
        remote_tag: dialog.local_tag,
        ..*dialog
    }
}

pub(crate) fn element() -> Element {
    Element::new(b"sip:us.example.net:5070", b"example.net").unwrap()
}

pub(crate) fn branch() -> Identifier {
    Identifier::parse(BRANCH.as_bytes()).unwrap()
}

/// What is written, or the first fault.
pub(crate) fn written(write: impl FnOnce(&mut Buffer)) -> Result<String, Unwritable> {
    let mut buffer = Buffer::new(200_000);
    buffer.attempt(write)?;
    Ok(text(buffer.as_slice()).to_owned())
}

pub(crate) fn request(dialog: &Dialog<'_>, method: &[u8], cseq: u32) -> String {
    written(|buffer| {
        let message = dialog.request(buffer, &element(), method, cseq, branch());
        message.finish();
    })
    .unwrap()
}

pub(crate) fn bye(dialog: &Dialog<'_>, cseq: u32) -> String {
    written(|buffer| dialog.bye(buffer, &element(), cseq, branch(), b"").finish()).unwrap()
}

/// The value of a header field; empty without it.
pub(crate) fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let start = format!("{name}: ");
    let mut lines = message.lines();
    lines
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or("")
}

/// The name of the field in which, or at whose value, something was refused.
pub(crate) fn place(message: &str, reject: Reject) -> &str {
    let at = reject.at as usize;
    let (before, after) = message.split_at(at);
    if before.is_empty() || after.starts_with("\r\n") || after.is_empty() {
        return if before.is_empty() { "" } else { "\r\n" };
    }
    let line = before.rsplit("\r\n").next().unwrap();
    let end = line.find(": ").map_or(line.len(), |colon| colon + 2);
    &line[..end]
}
