//! What the command line says of the sessions of a Participating Function: on what terms, and between whom.

use std::{error::Error, net::SocketAddrV4};

use ims_procedures::cpm::{Function, IwfPolicy, LegId, Mode};

use crate::arguments::{Arguments, address};

/// What holds for every session of a Participating Function.
#[derive(Clone, Copy)]
pub struct Terms {
    pub function: Function,
    pub mode: Mode,
    pub policy: IwfPolicy,
    pub allow_offline_storage: bool,
}

impl Terms {
    pub fn read(arguments: &mut Arguments) -> Result<Self, Box<dyn Error>> {
        let is_originating = arguments.either("role", ["originating", "terminating"])?;
        let is_b2bua = arguments.either("mode", ["b2bua", "proxy"])?;
        let is_whole = arguments.either("iwf-policy", ["session", "streams"])?;
        Ok(Self {
            function: match is_originating {
                true => Function::Originating,
                false => Function::Terminating,
            },
            mode: match is_b2bua {
                true => Mode::B2bua,
                false => Mode::Proxy,
            },
            policy: match is_whole {
                true => IwfPolicy::WholeSession,
                false => IwfPolicy::StreamsOnly,
            },
            allow_offline_storage: !arguments.either("offline-storage", ["off", "on"])?,
        })
    }
}

/// Who calls, if that is said, and who is called.
pub struct Parties {
    pub caller: Option<SocketAddrV4>,
    pub called: Vec<(LegId, SocketAddrV4)>,
}

impl Parties {
    /// IWFs stand in the place of whoever is at the far end, if there are any.
    pub fn read(arguments: &mut Arguments, terms: &Terms) -> Result<Self, Box<dyn Error>> {
        let mut party = |name: &str| {
            let given = arguments.text(name)?;
            given.map(|given| address(name, &given)).transpose()
        };
        let (client, peer) = (party("client")?, party("peer")?);
        let iwfs = arguments.all("iwf")?;
        let iwfs: Vec<SocketAddrV4> = iwfs
            .iter()
            .map(|iwf| address("iwf", iwf))
            .collect::<Result<_, _>>()?;
        let (caller, far, id, name) = match terms.function {
            Function::Originating => (client, peer, LegId::Other, "peer"),
            Function::Terminating => (peer, client, LegId::Client, "client"),
        };
        if !iwfs.is_empty() {
            let called = (0..).map(LegId::Iwf).zip(iwfs).collect();
            return Ok(Self { caller, called });
        }
        let far = far.ok_or_else(|| format!("--{name} is missing: whom does it call?"))?;
        let called = vec![(id, far)];
        Ok(Self { caller, called })
    }
}
