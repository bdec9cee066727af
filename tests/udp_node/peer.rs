//! Whom the test plays: a socket, and messages written by hand.

use std::{net::UdpSocket, time::Duration};

use crate::process::BOUND;

/// Loopback is a whole network: who is at which address says who is trusted.
const UE_ADDRESS: &str = "127.0.0.9:0";
const CORE_ADDRESS: &str = "127.0.0.3:0";

pub struct Peer {
    socket: UdpSocket,
    /// `IP:PORT`.
    pub address: String,
}

impl Peer {
    pub fn ue() -> Self {
        Self::at(UE_ADDRESS)
    }

    /// A UE at another address.
    #[allow(dead_code)]
    pub fn another_ue() -> Self {
        Self::at("127.0.0.10:0")
    }

    /// Somebody at an address that the elements trust.
    pub fn of_core() -> Self {
        Self::at(CORE_ADDRESS)
    }

    #[allow(dead_code)] // For the roles that have a test over TCP.
    pub fn of_element() -> Self {
        Self::at("127.0.0.1:0")
    }

    fn at(address: &str) -> Self {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_read_timeout(Some(BOUND)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        Self { socket, address }
    }

    pub fn send(&self, to: &str, message: &str) {
        self.socket.send_to(message.as_bytes(), to).unwrap();
    }

    pub fn receive(&self) -> String {
        let mut buffer = [0; 65_536];
        let length = self.socket.recv(&mut buffer).expect("a message");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// Whether nothing comes for so many milliseconds.
    pub fn is_quiet_for(&self, milliseconds: u64) -> bool {
        let time = Duration::from_millis(milliseconds);
        self.socket.set_read_timeout(Some(time)).unwrap();
        let is_quiet = self.socket.recv(&mut [0; 65_536]).is_err();
        self.socket.set_read_timeout(Some(BOUND)).unwrap();
        is_quiet
    }

    /// Passes over a message that has come again meanwhile, however often.
    pub fn pass_over(&self, message: &str) {
        let mut bytes = [0; 65_536];
        self.socket
            .set_read_timeout(Some(Duration::from_millis(1)))
            .unwrap();
        while let Ok(length) = self.socket.peek(&mut bytes) {
            if &bytes[..length] != message.as_bytes() {
                break;
            }
            self.socket.recv(&mut bytes).unwrap();
        }
        self.socket.set_read_timeout(Some(BOUND)).unwrap();
    }

    /// Sends a request, and receives what comes next.
    pub fn ask(&self, to: &str, message: &str) -> String {
        self.send(to, message);
        self.receive()
    }
}

/// A REGISTER of a user of ims.test.
pub struct Register<'a> {
    pub user: &'a str,
    pub cseq: u32,
    /// The whole value of Contact; empty for none.
    pub contact: String,
    pub expires: u32,
    /// Whole lines besides.
    pub lines: &'a str,
}

impl Register<'_> {
    pub fn new<'a>(user: &'a str, ue: &Peer) -> Register<'a> {
        Register {
            user,
            cseq: 1,
            contact: format!("<sip:{user}@{}>", ue.address),
            expires: 600,
            lines: "",
        }
    }

    pub fn write(&self, from: &Peer) -> String {
        self.write_over("UDP", &from.address)
    }

    pub fn write_over(&self, transport: &str, address: &str) -> String {
        let Self {
            user,
            cseq,
            contact,
            expires,
            lines,
        } = self;
        let contact = match contact.as_str() {
            "" => String::new(),
            contact => format!("Contact: {contact}\r\n"),
        };
        format!(
            "REGISTER sip:ims.test SIP/2.0\r\n\
             Via: SIP/2.0/{transport} {address};branch=z9hG4bK-{user}-{cseq};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@ims.test>;tag=f{cseq}\r\n\
             To: <sip:{user}@ims.test>\r\n\
             Call-ID: call-of-{user}\r\n\
             CSeq: {cseq} REGISTER\r\n\
             Supported: path\r\n\
             {contact}Expires: {expires}\r\n\
             {lines}Content-Length: 0\r\n\r\n"
        )
    }
}

/// A response that nobody has asked for, with these values of Via.
pub fn unasked(vias: [&str; 2]) -> String {
    let [own, other] = vias;
    format!(
        "SIP/2.0 200 OK\r\nVia: {own}\r\nVia: {other}\r\n\
         From: <sip:alice@ims.test>;tag=1\r\nTo: <sip:bob@ims.test>;tag=2\r\n\
         Call-ID: unasked\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Whether a response goes nowhere whose branch this element has not made, or not for the Via that stands below it.
/// `passed` is a request that it has passed on.
pub fn refuses_what_is_forged(element: &str, from: &Peer, passed: &str) -> bool {
    let stranger = Peer::ue();
    let elsewhere = format!("SIP/2.0/UDP {};branch=z9hG4bK-elsewhere", stranger.address);
    let invented = format!("SIP/2.0/UDP {element};branch=z9hG4bK0123456789abcdef");
    for own in [invented.as_str(), values(passed, "Via")[0]] {
        from.send(element, &unasked([own, &elsewhere]));
    }
    stranger.is_quiet_for(200)
}

/// The values of a header field, in order.
pub fn values<'m>(message: &'m str, name: &str) -> Vec<&'m str> {
    let lines = message.lines().take_while(|line| !line.is_empty());
    let fields = lines.filter_map(|line| line.split_once(": "));
    let found = fields.filter(|(found, _)| *found == name);
    found.map(|(_, value)| value).collect()
}

pub fn status(message: &str) -> &str {
    let line = message.strip_prefix("SIP/2.0 ");
    line.and_then(|rest| rest.get(..3))
        .unwrap_or_else(|| panic!("no response: {message}"))
}
