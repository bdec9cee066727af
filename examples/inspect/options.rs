//! The command line.

use std::{ffi::OsString, path::PathBuf};

use super::node::escaped;

/// What `--help` prints.
pub const HELP: &str = "\
inspect: reads SIP messages and registration information documents (application/reginfo+xml)
and prints what they say.

usage: inspect [OPTIONS] [FILE...]

Without FILE, or where FILE is -, standard input is read. What begins with `<` after white space
or a byte order mark is a registration information document; all else is SIP.

  --json       one line of JSON for each message or document, instead of a tree
  --offsets    in the tree, the byte at which each header field's value begins
  --datagram   each input is one datagram, and what follows its message is left over
               (so it is with a FILE, unless --stream is given)
  --stream     each input is a stream: message after message, each with Content-Length
               (so it is with standard input, unless --datagram is given)
  --help       this

Exit status: 0 if everything was readable, 1 if something was not as it must be, 2 if a file
could not be read or the arguments were not understood.

Text: bytes that are no UTF-8, and control characters, stand as \\xNN (two hexadecimal digits
each), and a backslash stands as two. So nothing is lost, and nothing reaches the terminal that
could change it. In the tree, a body that is text stands line by line, and of one that is not
the first 256 bytes.

JSON: every line has these keys, in this order.
  file         the name given, or - for standard input
  kind         sip or reginfo
  at           the byte of the input at which the message begins
  left_over    bytes of the datagram that follow the message
  ok           whether everything in it was readable
  status_owed  the status code that a request which is not ok is to be answered with;
               null where nothing is owed: ok, a response, an ACK, no way back, a document
  error        null, or the first fault: {at, what, clause}; at counts from the start of the
               message or document
  fields       all that was read

fields of a SIP message:
  method, request_uri     of a request; the URI as below, or {raw, error} where it is malformed
  status, reason          of a response
  start_line              {raw, error} instead of these, where it is malformed
  headers                 {canonical name: [field, ...], ...}, in the order in which they came
  errors                  faults of no single field (something missing, repeated, contradictory)
  body                    null, or {at, length, text}; a registration information document has
                          {at, length, kind, ok, error, fields} instead
of a message that is refused as a whole: what stands before the first line that cannot be read;
  where fields contradict each other, each of them; of a body cut short, what there is of it; no
  body where it is not clear whether there is one and how far it goes; nothing at all where the
  start line has no end
a header field:
  name, at                its name as it stood; the byte at which its value begins
  value                   what it says; of a list what was read before a fault, if there is one
  raw                     its value as it stood, where it is malformed
  error                   where it is malformed: {at, what, clause}
values of header fields:
  a URI                   {raw, scheme, user, password, host, port, params, headers}, keys
                          without value left out; an IPv6 host without brackets
  an address              {display, uri, params}
  Contact                 the text *, or an address with what its parameters say besides; left out
                          where they say nothing or are malformed: expires (seconds), q (0 to 1),
                          instance, reg_id, pub_gruu, temp_gruu, features {name: text}
  params                  {name in small letters: text}; null for one without value, a list for
                          one that is repeated; quotes removed, escapes resolved
  Via                     [{transport, host, port, params}, ...]
  CSeq                    {number, method}
  Event                   {package, id}
  numbers                 as numbers; those beyond 4294967295 as that
  credentials, challenges {scheme, params}, or {scheme, text} of a scheme other than Digest
  token lists             [text, ...]
  other structured ones   {what stands first, params}, lists of these where lists may stand
  text and unknown names  text

fields of a document:
  version, state, registrations [{aor, id, state, contacts, wildcarded_identity, policy}], each
  contact {id, state, event, uri, display_name, display_name_lang, expires, retry_after,
  duration_registered, q, callid, cseq, pub_gruu, temp_gruu, params}; keys without value left
  out. Of a malformed document, what stood before the fault.
";

/// How the messages of an input are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Datagram,
    Stream,
}

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    File(PathBuf),
    Stdin,
}

impl Input {
    /// Its name for a person. One with control characters is escaped as all text is.
    pub fn name(&self) -> String {
        let name = match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
        };
        if name.contains(char::is_control) {
            escaped(name.as_bytes())
        } else {
            name
        }
    }
}

/// The command line, read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub json: bool,
    pub offsets: bool,
    /// As asked for; each kind of input has its own default.
    pub framing: Option<Framing>,
    pub inputs: Vec<Input>,
}

impl Options {
    /// `None` where help is asked for.
    pub fn read(args: impl Iterator<Item = OsString>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut only_files = false;
        for arg in args {
            let text = arg.to_str().unwrap_or_default();
            if only_files || !text.starts_with('-') {
                options.inputs.push(Input::File(arg.into()));
                continue;
            }
            match text {
                "-" => options.inputs.push(Input::Stdin),
                "--" => only_files = true,
                "--json" => options.json = true,
                "--offsets" => options.offsets = true,
                "--datagram" => options.frame(Framing::Datagram)?,
                "--stream" => options.frame(Framing::Stream)?,
                "--help" | "-h" => return Ok(None),
                unknown => return Err(format!("unknown option {unknown}")),
            }
        }
        if options.inputs.is_empty() {
            options.inputs.push(Input::Stdin);
        }
        Ok(Some(options))
    }

    fn frame(&mut self, framing: Framing) -> Result<(), String> {
        if self.framing.is_some_and(|other| other != framing) {
            return Err("--datagram and --stream exclude each other".to_owned());
        }
        self.framing = Some(framing);
        Ok(())
    }
}
