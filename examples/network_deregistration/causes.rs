//! What ends a registration in the home network.

use ims_procedures::scscf::{Command, DeregistrationReason, TerminationReason};

use crate::provisioning::APPLICATION_SERVERS;

/// Seconds that are left to authenticate anew in.
const CUT_TO: u32 = 60;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub enum Cause {
    Operator(DeregistrationReason),
    Hss(TerminationReason),
    Reauthentication,
}

/// All of them: the name on the command line, what it is, and the cause.
pub const CAUSES: [(&str, &str, Cause); 11] = [
    (
        "maintenance",
        "The S-CSCF stops",
        Cause::Operator(DeregistrationReason::Maintenance),
    ),
    (
        "refused",
        "The user has run out of funds",
        Cause::Operator(DeregistrationReason::Refused),
    ),
    (
        "wait",
        "The user is to come again in a while",
        Cause::Operator(DeregistrationReason::WaitAndRetry { retry_after: 90 }),
    ),
    (
        "authentication-failed",
        "The user gave wrong credentials",
        Cause::Operator(DeregistrationReason::AuthenticationFailed),
    ),
    (
        "authentication-timeout",
        "The user did not answer the challenge",
        Cause::Operator(DeregistrationReason::AuthenticationTimeout),
    ),
    (
        "too-much-data",
        "The profile is too large",
        Cause::Operator(DeregistrationReason::TooMuchData),
    ),
    (
        "permanent-termination",
        "The HSS ends the subscription",
        Cause::Hss(TerminationReason::PermanentTermination),
    ),
    (
        "new-server-assigned",
        "Another S-CSCF serves the user",
        Cause::Hss(TerminationReason::NewServerAssigned),
    ),
    (
        "server-change",
        "Another S-CSCF is to serve the user",
        Cause::Hss(TerminationReason::ServerChange),
    ),
    (
        "remove-scscf",
        "The S-CSCF is not to serve the unregistered user any more",
        Cause::Hss(TerminationReason::RemoveScscf),
    ),
    (
        "reauthentication",
        "The user is to authenticate anew, and does not",
        Cause::Reauthentication,
    ),
];

impl Cause {
    /// The command that the S-CSCF is given.
    pub const fn command(self, public_identity: &[u8]) -> Command<'_> {
        match self {
            Self::Operator(reason) => Command::Deregister {
                public_identity,
                private_identity: None,
                reason,
            },
            Self::Hss(reason) => Command::RegistrationTermination {
                public_identity,
                private_identities: &[],
                reason,
                application_servers: APPLICATION_SERVERS.as_bytes(),
            },
            Self::Reauthentication => Command::Reauthenticate {
                public_identity,
                private_identity: None,
                expires: CUT_TO,
            },
        }
    }

    /// Whether S-CSCF and P-CSCF have the user no more when all is done.
    pub const fn ends(self) -> (bool, bool) {
        match self {
            Self::Hss(TerminationReason::RemoveScscf) => (false, false),
            // The P-CSCF is told by the other S-CSCF.
            Self::Hss(TerminationReason::NewServerAssigned) => (true, false),
            _ => (true, true),
        }
    }
}
