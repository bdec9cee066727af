//! Every bound in one value.

/// [DR-5] Every bound that a peer could otherwise push against. A message or document past one is
/// refused with a typed reason; the value itself is still allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a SIP message, start line to end of body. Default 65,535 (a UDP datagram).
    pub message_bytes: usize,
    /// Header fields of a SIP message. Default 256.
    pub headers: usize,
    /// Bytes of one header field value. Default 16,384.
    pub header_bytes: usize,
    /// Contacts (bindings, flows) that one user, or one implicit registration set, may have. Default 16.
    pub contacts: usize,
    /// Public identities of one implicit registration set. Default 32.
    pub identities: usize,
    /// Dialogs of one subscriber of an MSC server. Default 8; the most is 16.
    pub dialogs: usize,
    /// Bytes of all strings kept for one registration, or for one dialog of a CPM session or a subscriber of an MSC
    /// server. Default 8,192.
    pub registration_bytes: usize,
    /// Subscribers to one implicit registration set. A quarter of them, at least one, are for its P-CSCF and
    /// for trusted servers alone. Fetches whose NOTIFY is not answered yet stand beside them: half as many,
    /// of which the user may have half. Default 16.
    pub subscribers: usize,
    /// Contacts of all the registrations that the watcher of one subscription keeps. Default 512.
    pub watched_contacts: usize,
    /// IWFs that one CPM session may have. Default 8.
    pub iwfs: usize,
    /// Users (private identities at a P-CSCF, implicit registration sets at an S-CSCF, CPM sessions) of one node.
    /// Default 1,048,576; the most is 16,777,215.
    pub users: usize,
    /// Users for whom a node takes room when it is made, at most [`users`](Self::users): no call then pays for a
    /// table that grows. Reckoned with two keys a user of a P-CSCF, five a set of an S-CSCF, three a CPM session.
    /// Default 0: tables grow when it is needed, and what they took is given back when the last user has gone.
    pub reserved_users: usize,
    /// Bytes of an XML document. Default 65,535.
    pub xml_bytes: usize,
    /// Depth of elements in an XML document. Default 16.
    pub xml_depth: usize,
    /// Attributes (namespace declarations included) of one XML element. Default 32.
    pub xml_attributes: usize,
    /// Elements of an XML document. Default 4,096.
    pub xml_elements: usize,
    /// Lines of a session description. Default 1,024.
    pub sdp_lines: usize,
    /// m-lines of a session description. Default 64, which is the most.
    pub sdp_streams: usize,
    /// Transactions held at once by the transaction layer; three quarters of them at most, but at least one,
    /// for requests of peers. Default 1,048,576.
    pub transactions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 65_535,
            headers: 256,
            header_bytes: 16_384,
            contacts: 16,
            identities: 32,
            dialogs: 8,
            registration_bytes: 8_192,
            subscribers: 16,
            watched_contacts: 512,
            iwfs: 8,
            users: 1 << 20,
            reserved_users: 0,
            xml_bytes: 65_535,
            xml_depth: 16,
            xml_attributes: 32,
            xml_elements: 4_096,
            sdp_lines: 1_024,
            sdp_streams: 64,
            transactions: 1 << 20,
        }
    }
}
