//! The vocabulary: enumerations, namespaces, element names.

/// How much a document says (RFC 3680 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentState {
    /// Everything there is: what it leaves out is gone.
    Full,
    /// Only what has changed.
    Partial,
}

impl DocumentState {
    /// As it stands in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
        }
    }

    /// Reads it; upper and lower case differ.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "partial" => Some(Self::Partial),
            _ => None,
        }
    }
}

/// The state of an address of record (RFC 3680 4.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistrationState {
    /// No contact, and none before.
    Init,
    /// At least one contact.
    Active,
    /// The last contact has gone.
    Terminated,
}

impl RegistrationState {
    /// As it stands in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Active => "active",
            Self::Terminated => "terminated",
        }
    }

    /// Reads it; upper and lower case differ.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "init" => Some(Self::Init),
            "active" => Some(Self::Active),
            "terminated" => Some(Self::Terminated),
            _ => None,
        }
    }
}

/// The state of a contact (RFC 3680 4.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContactState {
    /// Bound to the address of record.
    Active,
    /// Bound no more.
    Terminated,
}

impl ContactState {
    /// As it stands in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Terminated => "terminated",
        }
    }

    /// Reads it; upper and lower case differ.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "terminated" => Some(Self::Terminated),
            _ => None,
        }
    }
}

/// What brought a contact into its state (RFC 3680 5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContactEvent {
    /// By a REGISTER.
    Registered,
    /// By other means: in the IM core network subsystem, by an implicit registration.
    Created,
    /// By a REGISTER that came again.
    Refreshed,
    /// Its lifetime was cut, so that it is registered or authenticated anew.
    Shortened,
    /// It was not refreshed.
    Expired,
    /// Removed by the network, which wants a new registration at once.
    Deactivated,
    /// Removed by the network, which wants a new registration after a while.
    Probation,
    /// By a REGISTER with an expiry of zero.
    Unregistered,
    /// Removed by the network, which wants no new registration.
    Rejected,
}

impl ContactEvent {
    /// All of them, in the order of the schema.
    pub const ALL: [Self; 9] = [
        Self::Registered,
        Self::Created,
        Self::Refreshed,
        Self::Shortened,
        Self::Expired,
        Self::Deactivated,
        Self::Probation,
        Self::Unregistered,
        Self::Rejected,
    ];

    /// As it stands in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Created => "created",
            Self::Refreshed => "refreshed",
            Self::Shortened => "shortened",
            Self::Expired => "expired",
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Unregistered => "unregistered",
            Self::Rejected => "rejected",
        }
    }

    /// Reads it; upper and lower case differ.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "registered" => Some(Self::Registered),
            "created" => Some(Self::Created),
            "refreshed" => Some(Self::Refreshed),
            "shortened" => Some(Self::Shortened),
            "expired" => Some(Self::Expired),
            "deactivated" => Some(Self::Deactivated),
            "probation" => Some(Self::Probation),
            "unregistered" => Some(Self::Unregistered),
            "rejected" => Some(Self::Rejected),
            _ => None,
        }
    }

    /// [RFC 3680 4.7.1] Whether the contact is gone after it.
    #[must_use]
    pub const fn is_terminating(self) -> bool {
        matches!(self.state(), ContactState::Terminated)
    }

    /// [RFC 3680 4.7.1] The state of the contact after it.
    #[must_use]
    pub const fn state(self) -> ContactState {
        match self {
            Self::Registered | Self::Created | Self::Refreshed | Self::Shortened => {
                ContactState::Active
            }
            Self::Expired
            | Self::Deactivated
            | Self::Probation
            | Self::Unregistered
            | Self::Rejected => ContactState::Terminated,
        }
    }
}

/// What a P-CSCF does about P-Private-Network-Indication (TS 24.229 7.10.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndicationHandling {
    /// `fwd`: passes one on that it receives.
    Forward,
    /// `ins`: inserts one in every request.
    Insert,
}

impl IndicationHandling {
    /// As it stands in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "fwd",
            Self::Insert => "ins",
        }
    }

    /// Reads it; upper and lower case differ.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "fwd" => Some(Self::Forward),
            "ins" => Some(Self::Insert),
            _ => None,
        }
    }
}

/// One entry of the policy of a registration (TS 24.229 7.10.3). `T` is the string it is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PolicyAction<T> {
    /// `rph`: a resource priority the user may ask for (RFC 4412).
    ResourcePriority {
        /// The namespace, such as `wps`.
        namespace: T,
        /// The priority value allowed in it.
        value: T,
    },
    /// `privSender`: the user is a privileged sender.
    PrivilegedSender,
    /// `pni`: handling of P-Private-Network-Indication.
    PrivateNetworkIndication {
        /// Passed on or inserted; `None` for what is neither.
        handling: Option<IndicationHandling>,
        /// The domain of the private network.
        domain: Option<T>,
    },
    /// `privSenderPNI`: a privileged sender for private network traffic only.
    PrivilegedSenderForPrivateTraffic,
}

impl<T> PolicyAction<T> {
    /// The same entry made of other strings.
    pub fn map<U>(self, mut to: impl FnMut(T) -> U) -> PolicyAction<U> {
        match self {
            Self::ResourcePriority { namespace, value } => PolicyAction::ResourcePriority {
                namespace: to(namespace),
                value: to(value),
            },
            Self::PrivilegedSender => PolicyAction::PrivilegedSender,
            Self::PrivateNetworkIndication { handling, domain } => {
                PolicyAction::PrivateNetworkIndication {
                    handling,
                    domain: domain.map(to),
                }
            }
            Self::PrivilegedSenderForPrivateTraffic => {
                PolicyAction::PrivilegedSenderForPrivateTraffic
            }
        }
    }
}

impl<T> core::fmt::Debug for PolicyAction<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::ResourcePriority { .. } => "ResourcePriority",
            Self::PrivilegedSender => "PrivilegedSender",
            Self::PrivateNetworkIndication { .. } => "PrivateNetworkIndication",
            Self::PrivilegedSenderForPrivateTraffic => "PrivilegedSenderForPrivateTraffic",
        })
    }
}

pub(super) const REGINFO: &str = "urn:ietf:params:xml:ns:reginfo";
pub(super) const GRUUINFO: &str = "urn:ietf:params:xml:ns:gruuinfo";
pub(super) const EXT_REG_EXP: &str = "urn:3gpp:ns:extRegExp:1.0";
pub(super) const EXT_REG_INFO: &str = "urn:3gpp:ns:extRegInfo:1.0";
pub(super) const COMMON_POLICY: &str = "urn:ietf:params:xml:ns:common-policy";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    Reginfo,
    Gruuinfo,
    ExtRegExp,
    ExtRegInfo,
    CommonPolicy,
    Unknown,
}

impl Namespace {
    pub(super) fn of(uri: &str) -> Self {
        match uri {
            REGINFO => Self::Reginfo,
            GRUUINFO => Self::Gruuinfo,
            EXT_REG_EXP => Self::ExtRegExp,
            EXT_REG_INFO => Self::ExtRegInfo,
            COMMON_POLICY => Self::CommonPolicy,
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Reginfo,
    Registration,
    Contact,
    Uri,
    DisplayName,
    UnknownParam,
    PubGruu,
    TempGruu,
    WildcardedIdentity,
    Actions,
    Rph,
    PrivSender,
    Pni,
    PrivSenderPni,
    Unknown,
}

impl Element {
    /// [RI-1] The element of this local name, if it is of that namespace. The `actions` of TS 24.229 7.10.3 are
    /// those of RFC 4745; documents that put the element into the 3GPP namespace are seen too.
    #[inline]
    pub(super) fn within(self, namespace: Namespace) -> Self {
        let fits = match self {
            Self::Reginfo
            | Self::Registration
            | Self::Contact
            | Self::Uri
            | Self::DisplayName
            | Self::UnknownParam => namespace == Namespace::Reginfo,
            Self::PubGruu | Self::TempGruu => namespace == Namespace::Gruuinfo,
            Self::WildcardedIdentity => namespace == Namespace::ExtRegExp,
            Self::Actions => matches!(namespace, Namespace::CommonPolicy | Namespace::ExtRegInfo),
            Self::Rph | Self::PrivSender | Self::Pni | Self::PrivSenderPni => {
                namespace == Namespace::ExtRegInfo
            }
            Self::Unknown => false,
        };
        if fits { self } else { Self::Unknown }
    }

    /// The one element that has this local name.
    #[inline]
    pub(super) fn named(local: &[u8]) -> Self {
        match local {
            b"uri" => Self::Uri,
            b"unknown-param" => Self::UnknownParam,
            b"contact" => Self::Contact,
            b"registration" => Self::Registration,
            b"display-name" => Self::DisplayName,
            b"reginfo" => Self::Reginfo,
            b"pub-gruu" => Self::PubGruu,
            b"temp-gruu" => Self::TempGruu,
            b"wildcardedIdentity" => Self::WildcardedIdentity,
            b"actions" => Self::Actions,
            b"rph" => Self::Rph,
            b"privSender" => Self::PrivSender,
            b"pni" => Self::Pni,
            b"privSenderPNI" => Self::PrivSenderPni,
            _ => Self::Unknown,
        }
    }
}
