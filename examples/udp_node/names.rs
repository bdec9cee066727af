//! Where a URI leads: what the DNS would say (RFC 3263), said on the command line.

use std::net::SocketAddrV4;

use ims_procedures::wire::{Host, Uri};

#[derive(Clone, Debug, Default)]
pub struct Names {
    known: Vec<(String, SocketAddrV4)>,
    /// Where every other name leads.
    otherwise: Option<SocketAddrV4>,
}

impl Names {
    /// Takes an entry such as `pcscf.ims.test=192.0.2.1:5070`.
    pub fn add(&mut self, entry: &str) -> Result<(), String> {
        let wrong = || format!("--resolve: {entry} is not NAME=IP:PORT");
        let (name, address) = entry.split_once('=').ok_or_else(wrong)?;
        let address = address.parse().map_err(|_| wrong())?;
        self.known.push((name.to_owned(), address));
        Ok(())
    }

    pub const fn lead_elsewhere(&mut self, otherwise: SocketAddrV4) {
        self.otherwise = Some(otherwise);
    }

    /// The address of the host of a SIP URI. A port in the URI goes before that of the entry.
    pub fn resolve(&self, uri: &[u8]) -> Option<SocketAddrV4> {
        let uri = Uri::parse(uri).ok()?;
        match uri.host() {
            Some(Host::V4(ip)) => Some(SocketAddrV4::new(ip.into(), uri.effective_port())),
            Some(Host::Name(name)) => self.find(name, uri.port()).or(self.otherwise),
            Some(Host::V6(_)) => None,
            // A telephone number is for the next element to route.
            None => self.otherwise,
        }
    }

    fn find(&self, name: &[u8], port: Option<u16>) -> Option<SocketAddrV4> {
        let is_it =
            |(known, _): &&(String, SocketAddrV4)| known.as_bytes().eq_ignore_ascii_case(name);
        let (_, address) = self.known.iter().find(is_it)?;
        Some(SocketAddrV4::new(
            *address.ip(),
            port.unwrap_or(address.port()),
        ))
    }
}
