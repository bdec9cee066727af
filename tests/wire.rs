//! The wire layer, on bytes, through its public interface.

#[path = "wire/support.rs"]
mod support;

#[path = "wire/corpus.rs"]
mod corpus;

#[path = "wire/framing.rs"]
mod framing;

#[path = "wire/addresses.rs"]
mod addresses;

#[path = "wire/values.rs"]
mod values;

#[path = "wire/writing.rs"]
mod writing;

#[path = "wire/properties.rs"]
mod properties;
