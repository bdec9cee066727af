//! The MSC server enhanced for ICS by requirement, on bytes.

#[path = "mscics/identities.rs"]
mod identities;
