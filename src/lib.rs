//! Embeddable, I/O-free state machines for IMS deregistration.
#![no_std]
#![deny(missing_docs)]
