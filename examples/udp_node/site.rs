//! What every role is told on the command line, and starts with.

use std::{error::Error, net::Ipv4Addr, net::SocketAddrV4, path::PathBuf, time::Duration};

use ims_procedures::{drive::Source, wire::Element};

use crate::{
    arguments::{Arguments, address},
    birth::Birth,
    names::Names,
    peer::Peer,
    sockets::Sockets,
    store::{Opened, Store},
};

pub struct Site {
    pub role: String,
    pub sockets: Sockets,
    /// Where they are.
    pub listen: SocketAddrV4,
    pub domain: String,
    /// The URI under which the element is known.
    pub uri: String,
    pub names: Names,
    pub trust: Trust,
    udp_limit: usize,
    pub capture: Option<PathBuf>,
    pub ladder: Option<PathBuf>,
    /// Where records for an audit are kept, if there are to be any.
    pub audit: Option<PathBuf>,
    pub is_quiet: bool,
    persist: Option<PathBuf>,
    pub birth: Birth,
}

impl Site {
    pub fn take(role: String, arguments: &mut Arguments) -> Result<Self, Box<dyn Error>> {
        let idle = Duration::from_secs(arguments.number("idle-timeout", 900)?);
        let listen = address("listen", &arguments.needed("listen")?)?;
        let sockets = Sockets::open(listen, idle)?;
        let listen = sockets.address()?;
        let uri = arguments.text("uri")?;
        let mut names = Names::default();
        for entry in arguments.all("resolve")? {
            names.add(&entry)?;
        }
        let trusted = arguments.all("trust")?;
        let trusted = trusted.iter().map(|ip| {
            let wrong = |_| format!("--trust: {ip} is no IPv4 address");
            ip.parse().map_err(wrong)
        });
        let persist: Option<PathBuf> = arguments.text("persist")?.map(Into::into);
        Ok(Self {
            role,
            sockets,
            listen,
            domain: arguments.needed("domain")?,
            uri: uri.unwrap_or_else(|| format!("sip:{listen}")),
            names,
            trust: Trust(trusted.collect::<Result<_, String>>()?),
            udp_limit: arguments.number("udp-limit", ims_procedures::drive::UDP_LIMIT)?,
            capture: arguments.text("pcap")?.map(Into::into),
            ladder: arguments.text("ladder")?.map(Into::into),
            audit: arguments.text("audit")?.map(Into::into),
            is_quiet: arguments.flag("quiet")?,
            birth: Birth::new(persist.as_deref())?,
            persist,
        })
    }

    /// The element, as its messages name it.
    pub fn element(&self) -> Result<Element, Box<dyn Error>> {
        let element = Element::new(self.uri.as_bytes(), self.domain.as_bytes())?;
        Ok(element.with_udp_limit(self.udp_limit))
    }

    /// Opens one part of the store, if there is one.
    pub fn open_store(&self, part: &str) -> Result<Option<Opened>, Box<dyn Error>> {
        let Some(folder) = &self.persist else {
            return Ok(None);
        };
        let opened = Store::open(&folder.join(part))?;
        Ok(Some(opened))
    }
}

/// Whose word counts.
#[derive(Clone)]
pub struct Trust(Vec<Ipv4Addr>);

impl Trust {
    pub fn add(&mut self, ip: Ipv4Addr) {
        self.0.push(ip);
    }

    pub fn holds(&self, ip: Ipv4Addr) -> bool {
        self.0.contains(&ip)
    }

    /// How far a peer is to be believed: by its address, which the operator's network vouches for, and never by anything
    /// that a message says.
    pub fn source(&self, peer: Peer, anybody_else: Source) -> Source {
        match self.holds(*peer.address.ip()) {
            true => Source::TrustedCore,
            false => anybody_else,
        }
    }
}
