//! What passes through an IBCF or IPX proxy (IB-1), on bytes.

#[path = "relay/support.rs"]
mod support;

#[path = "relay/oracle.rs"]
mod oracle;

#[path = "relay/messages.rs"]
mod messages;

#[path = "relay/documents.rs"]
mod documents;

#[path = "relay/mapping.rs"]
mod mapping;

#[path = "relay/corpus.rs"]
mod corpus;
