//! Who may register: what an HSS would know, from a file.

use std::{collections::HashMap, error::Error, fs, path::Path};

use ims_procedures::wire::{Host, Message, Uri};
use serde::Deserialize;

/// A private identity, and its implicit registration set.
#[derive(Clone, Debug, Deserialize)]
pub struct Subscriber {
    pub private_identity: String,
    /// The default one first.
    pub public_identities: Vec<String>,
    /// Those of them that may register and are shown to nobody.
    #[serde(default)]
    pub barred: Vec<String>,
    #[serde(default)]
    pub password: String,
}

/// Those of a file, or everybody of the domain.
pub enum Subscribers {
    Known(HashMap<String, Subscriber>),
    OfDomain(String),
}

impl Subscribers {
    /// Reads a JSON array of subscribers.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let at = |fault: &dyn Error| format!("{}: {fault}", path.display());
        let json = fs::read_to_string(path).map_err(|fault| at(&fault))?;
        let listed: Vec<Subscriber> = serde_json::from_str(&json).map_err(|fault| at(&fault))?;
        let mut known = HashMap::new();
        for subscriber in listed {
            let name = subscriber.private_identity.clone();
            if subscriber.default_identity().is_empty() {
                return Err(format!("{}: {name} has nothing to show", path.display()).into());
            }
            known.insert(name, subscriber);
        }
        Ok(Self::Known(known))
    }

    /// Whether each of them has a password: an empty one lets everybody in.
    pub fn have_passwords(&self) -> bool {
        match self {
            Self::Known(known) => known.values().all(|one| !one.password.is_empty()),
            Self::OfDomain(_) => false,
        }
    }

    /// Whose REGISTER it is. `None` for nobody's who may register.
    pub fn find(&self, register: &Message<'_>) -> Option<Subscriber> {
        let to = register.to().ok()?;
        let public_identity = std::str::from_utf8(to.uri_bytes()).ok()?;
        let bare = bare(public_identity)?;
        let private_identity = private_identity(register)?.unwrap_or(bare.clone());
        match self {
            Self::Known(known) => {
                let subscriber = known.get(&private_identity)?;
                let is_its_own = subscriber.has(public_identity);
                is_its_own.then(|| subscriber.clone())
            }
            Self::OfDomain(domain) => is_of_domain(&to.uri(), domain).then(|| Subscriber {
                private_identity,
                public_identities: vec![format!("sip:{bare}")],
                barred: Vec::new(),
                password: String::new(),
            }),
        }
    }
}

impl Subscriber {
    fn has(&self, public_identity: &str) -> bool {
        let mut all = self.public_identities.iter().chain(&self.barred);
        let given = bare(public_identity);
        all.any(|own| bare(own) == given)
    }

    /// Those that are not barred.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        let all = self.public_identities.iter().map(String::as_str);
        all.filter(|own| !self.barred.iter().any(|barred| barred == own))
    }

    /// The name of the set: it is one with those of others who have the same default identity.
    pub fn default_identity(&self) -> &str {
        self.shown().next().unwrap_or_default()
    }
}

/// The private identity in Authorization, where there is one. `None` for what cannot be read.
fn private_identity(register: &Message<'_>) -> Option<Option<String>> {
    let authorization = register.authorization().ok()?;
    let Some(name) = authorization.and_then(|authorization| authorization.username()) else {
        return Some(None);
    };
    Some(Some(std::str::from_utf8(name).ok()?.to_owned()))
}

/// What a public identity gives as a private one (TS 23.003 13.3): user and domain.
fn bare(public_identity: &str) -> Option<String> {
    let uri = Uri::parse(public_identity.as_bytes()).ok()?;
    let (_, rest) = public_identity.split_once(':')?;
    let (Some(user), Some(Host::Name(host))) = (uri.user(), uri.host()) else {
        return Some(rest.to_owned());
    };
    let (user, host) = (
        std::str::from_utf8(user).ok()?,
        std::str::from_utf8(host).ok()?,
    );
    Some(format!("{user}@{}", host.to_lowercase()))
}

fn is_of_domain(uri: &Uri<'_>, domain: &str) -> bool {
    matches!(uri.host(), Some(Host::Name(name)) if name.eq_ignore_ascii_case(domain.as_bytes()))
}
