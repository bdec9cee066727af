//! The bounds of a node: options 1001 to 1999 of every configuration.

use super::{options::Place, values::Number};
use crate::drive::Limits;

/// Every bound that a peer could otherwise push against: options of every configuration. A message or document
/// past one is refused; the value itself is still allowed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_limit {
    /// Bytes of a SIP message, start line to end of body. Default 65,535.
    MessageBytes = 1001,
    /// Header fields of a SIP message. Default 256.
    Headers = 1002,
    /// Bytes of one header field value. Default 16,384.
    HeaderBytes = 1003,
    /// Contacts (bindings, flows) that one user may have. Default 16.
    Contacts = 1004,
    /// Public identities of one implicit registration set. Default 32.
    Identities = 1005,
    /// Bytes of all strings kept for one registration. Default 8,192.
    RegistrationBytes = 1006,
    /// Subscribers to one implicit registration set. Default 16.
    Subscribers = 1007,
    /// Contacts of all the registrations that the watcher of one subscription keeps. Default 512.
    WatchedContacts = 1008,
    /// Users of one node. Default 1,048,576; the most is 16,777,215.
    Users = 1009,
    /// Bytes of an XML document. Default 65,535.
    XmlBytes = 1010,
    /// Depth of elements in an XML document. Default 16.
    XmlDepth = 1011,
    /// Attributes (namespace declarations included) of one XML element. Default 32.
    XmlAttributes = 1012,
    /// Elements of an XML document. Default 4,096.
    XmlElements = 1013,
    /// Transactions held at once by the transaction layer. Default 1,048,576.
    Transactions = 1014,
    /// Users for whom room is taken when a node is made. Default 0.
    ReservedUsers = 1015,
    /// Lines of a session description. Default 1,024.
    SdpLines = 1016,
    /// m-lines of a session description. Default 64, which is the most.
    SdpStreams = 1017,
    /// IWFs that one CPM session may have. Default 8.
    Iwfs = 1018,
    /// Dialogs of one subscriber of an MSC server. Default 8; the most is 16.
    Dialogs = 1019,
}

impl Number for imsp_limit {
    const ALL: &'static [Self] = &[
        Self::MessageBytes,
        Self::Headers,
        Self::HeaderBytes,
        Self::Contacts,
        Self::Identities,
        Self::RegistrationBytes,
        Self::Subscribers,
        Self::WatchedContacts,
        Self::Users,
        Self::XmlBytes,
        Self::XmlDepth,
        Self::XmlAttributes,
        Self::XmlElements,
        Self::Transactions,
        Self::ReservedUsers,
        Self::SdpLines,
        Self::SdpStreams,
        Self::Iwfs,
        Self::Dialogs,
    ];

    fn number(self) -> u32 {
        self as u32
    }
}

impl imsp_limit {
    /// Where it stands.
    pub(super) const fn place(self, limits: &mut Limits) -> Place<'_> {
        let Limits {
            message_bytes,
            headers,
            header_bytes,
            contacts,
            identities,
            registration_bytes,
            subscribers,
            watched_contacts,
            users,
            xml_bytes,
            xml_depth,
            xml_attributes,
            xml_elements,
            sdp_lines,
            sdp_streams,
            iwfs,
            transactions,
            reserved_users,
            dialogs,
        } = limits;
        Place::Count(match self {
            Self::MessageBytes => message_bytes,
            Self::Headers => headers,
            Self::HeaderBytes => header_bytes,
            Self::Contacts => contacts,
            Self::Identities => identities,
            Self::RegistrationBytes => registration_bytes,
            Self::Subscribers => subscribers,
            Self::WatchedContacts => watched_contacts,
            Self::Users => users,
            Self::XmlBytes => xml_bytes,
            Self::XmlDepth => xml_depth,
            Self::XmlAttributes => xml_attributes,
            Self::XmlElements => xml_elements,
            Self::Transactions => transactions,
            Self::ReservedUsers => reserved_users,
            Self::SdpLines => sdp_lines,
            Self::SdpStreams => sdp_streams,
            Self::Iwfs => iwfs,
            Self::Dialogs => dialogs,
        })
    }
}
