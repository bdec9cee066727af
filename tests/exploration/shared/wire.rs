//! What the model reads of the messages in flight. It wrote none of them, so it takes them at their word.

/// The value of the first header of that name.
pub fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let mut lines = message
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    let of = |line: &'m str| line.strip_prefix(name)?.strip_prefix(": ");
    let found = lines.find_map(|line| match line {
        "" => Some(""),
        line => of(line),
    });
    found.unwrap_or_default()
}

/// The branch of the topmost Via.
pub fn branch(message: &str) -> &str {
    parameter(header(message, "Via"), "branch")
}

/// The status of a response; 0 for a request.
pub fn status(message: &str) -> u16 {
    let rest = message.strip_prefix("SIP/2.0 ").unwrap_or_default();
    rest.get(..3).and_then(|s| s.parse().ok()).unwrap_or(0)
}

/// The method of a request, or of what a response answers.
pub fn method(message: &str) -> &str {
    header(message, "CSeq")
        .split(' ')
        .nth(1)
        .unwrap_or_default()
}

/// The seconds that Expires says.
pub fn expires(message: &str) -> Option<u32> {
    header(message, "Expires").parse().ok()
}

/// Call-ID and the tag of whoever sent the SUBSCRIBE.
pub fn dialog(message: &str) -> (String, String) {
    let side = match (method(message), status(message)) {
        ("NOTIFY", _) => "To",
        _ => "From",
    };
    let tag = parameter(header(message, side), "tag");
    (header(message, "Call-ID").to_owned(), tag.to_owned())
}

/// A response of that status, with what it copies of the request.
pub fn response(status: u16, request: &str) -> String {
    let copied = |name: &str| {
        let lines = request.split("\r\n");
        let own = lines.filter(|line| line.strip_prefix(name).is_some_and(|l| l.starts_with(':')));
        own.map(|line| format!("{line}\r\n")).collect::<String>()
    };
    let headers: String = ["Via", "From", "To", "Call-ID", "CSeq"]
        .map(copied)
        .concat();
    format!("SIP/2.0 {status} Whatever\r\n{headers}Content-Length: 0\r\n\r\n")
}

fn parameter<'m>(value: &'m str, name: &str) -> &'m str {
    let mut parameters = value.split(';').skip(1);
    let of = |parameter: &'m str| parameter.strip_prefix(name)?.strip_prefix('=');
    parameters.find_map(of).unwrap_or_default()
}
