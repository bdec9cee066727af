//! The subscribers: what the MSC server knows of them, IMSI and IMEI, and what follows from these.

use ims_procedures::{
    drive::Reject,
    mscics::identities::{Imsi, MncLength, instance_id},
};

use crate::provisioning::{HOME_DOMAIN, User};

/// The MSC server that they are at.
pub const MSC_URI: &str = "sip:msc1.visited1.example.net:5060";

/// Country and network code of every IMSI here, of a network whose code has two digits.
const NETWORK: &str = "23415";

/// A subscriber, by number.
#[derive(Clone, Debug)]
pub struct Subscriber {
    pub number: u32,
    pub private_identity: String,
    /// The temporary public identity: the one that the MSC server registers.
    pub temporary_identity: String,
    /// The SIP URI of the home network's domain, which REGISTERs go to.
    pub home_domain: String,
    /// The identities that are registered with it, the default one first. The temporary one is barred, and not among
    /// them.
    pub public_identities: [String; 2],
    /// The instance ID of the mobile equipment.
    pub instance: String,
}

impl Subscriber {
    pub fn new(number: u32) -> Result<Self, Reject> {
        let imsi = format!("{NETWORK}{number:010}");
        let imsi = Imsi::new(imsi.as_bytes(), MncLength::Two)?;
        // The equipment's type allocation code, and its serial number.
        let imei = format!("49015420{:06}", number % 1_000_000);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            number,
            private_identity: text(&imsi.private_identity()),
            temporary_identity: text(&imsi.temporary_public_identity()),
            home_domain: format!("sip:{}", text(&imsi.home_domain())),
            public_identities: [
                format!("sip:+4479{number:08}@{HOME_DOMAIN};user=phone"),
                format!("tel:+4479{number:08}"),
            ],
            instance: text(&instance_id(imei.as_bytes())?),
        })
    }

    /// The one with that private identity.
    pub fn with(private_identity: &[u8]) -> Option<Self> {
        let identity = std::str::from_utf8(private_identity).ok()?;
        let (imsi, _) = identity.split_once('@')?;
        let number = imsi.strip_prefix(NETWORK)?.parse().ok()?;
        Self::new(number).ok()
    }

    /// As the HSS has it.
    pub fn user(&self) -> User {
        User {
            private_identity: self.private_identity.clone(),
            public_identities: self.public_identities.to_vec(),
            ..User::new(1)
        }
    }
}
