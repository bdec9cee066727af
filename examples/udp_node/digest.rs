//! Authentication by SIP Digest (RFC 7616 with MD5, as TS 24.229 5.4.1.2.1 has it for SIP Digest).

use std::hash::{DefaultHasher, Hash, Hasher};

use ims_procedures::{
    drive::{Identifiers, Millis},
    wire::{Authorization, Message},
};
use md5::{Digest as _, Md5};

/// Milliseconds for which a nonce may be used. In that time it can be replayed by whoever has seen it: a registrar of a
/// real network keeps count of `nc`.
const LIFETIME: u64 = 60_000;

/// What the credentials of a request prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password is known.
    Given,
    /// Nothing: users are not challenged here.
    NotAsked,
    /// Nothing yet: there are none, or those of a nonce that is out of date.
    Missing {
        stale: bool,
    },
    Wrong,
}

pub struct Digest {
    realm: String,
    secret: String,
}

impl Digest {
    pub fn new(realm: &str, mut identifiers: Identifiers) -> Self {
        Self {
            realm: realm.to_owned(),
            secret: identifiers.next().to_string(),
        }
    }

    /// The value of WWW-Authenticate. Nothing is kept for it: a nonce says when it was given, and that it was given here.
    pub fn challenge(&self, now: Millis, stale: bool) -> String {
        let nonce = self.nonce(now);
        let stale = if stale { ", stale=true" } else { "" };
        let realm = &self.realm;
        format!(r#"Digest realm="{realm}", nonce="{nonce}", algorithm=MD5, qop="auth"{stale}"#)
    }

    pub fn verify(&self, now: Millis, request: &Message<'_>, password: &str) -> Proof {
        let credentials = request.authorization().ok().flatten();
        // An empty response is that of a UE that registers first (TS 24.229 5.1.1.2).
        let answered = |given: &Authorization<'_>| given.response().is_some_and(|r| !r.is_empty());
        let Some(credentials) = credentials.filter(answered) else {
            return Proof::Missing { stale: false };
        };
        let method = request
            .method()
            .map_or(&b""[..], |method| method.as_bytes());
        let Some(expected) = expected(&credentials, method, password) else {
            return Proof::Wrong;
        };
        let proved = credentials.response() == Some(expected.as_bytes())
            && credentials.realm() == Some(self.realm.as_bytes());
        match (proved, self.is_good(now, credentials.nonce())) {
            (false, _) => Proof::Wrong,
            (true, false) => Proof::Missing { stale: true },
            (true, true) => Proof::Given,
        }
    }

    fn nonce(&self, at: Millis) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.secret, at).hash(&mut hasher);
        format!("{:x}-{:016x}", at.0, hasher.finish())
    }

    fn is_good(&self, now: Millis, nonce: Option<&[u8]>) -> bool {
        let nonce = nonce.and_then(|nonce| std::str::from_utf8(nonce).ok());
        let given = nonce.and_then(|nonce| {
            let at = u64::from_str_radix(nonce.split_once('-')?.0, 16).ok()?;
            (self.nonce(Millis(at)) == nonce).then_some(Millis(at))
        });
        given.is_some_and(|at| now.since(at) <= LIFETIME)
    }
}

/// RFC 7616 3.4.1. `None` if something that it takes is missing.
fn expected(given: &Authorization<'_>, method: &[u8], password: &str) -> Option<String> {
    let (user, realm) = (given.username()?, given.realm()?);
    let secret = hash(&[user, b":", realm, b":", password.as_bytes()]);
    let asked = hash(&[method, b":", given.uri()?]);
    let nonce = given.nonce()?;
    let (secret, asked) = (secret.as_bytes(), asked.as_bytes());
    let Some(qop) = given.param(b"qop") else {
        return Some(hash(&[secret, b":", nonce, b":", asked]));
    };
    let (count, own) = (given.param(b"nc")?, given.param(b"cnonce")?);
    let between: &[u8] = b":";
    let parts = [secret, nonce, count, own, qop, asked];
    Some(hash(&[&parts.join(between)]))
}

fn hash(parts: &[&[u8]]) -> String {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    let hex = md5.finalize();
    hex.iter().map(|byte| format!("{byte:02x}")).collect()
}
