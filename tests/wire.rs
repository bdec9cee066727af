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

#[path = "wire/headers.rs"]
mod headers;

#[path = "wire/headers_anywhere.rs"]
mod headers_anywhere;

#[path = "wire/headers_writing.rs"]
mod headers_writing;

#[path = "wire/writing.rs"]
mod writing;

#[path = "wire/properties.rs"]
mod properties;

#[path = "wire/torture.rs"]
mod torture;

#[path = "wire/torture_values.rs"]
mod torture_values;

#[path = "wire/rfc5118.rs"]
mod rfc5118;

#[path = "wire/known_crashes.rs"]
mod known_crashes;

#[path = "wire/comparison.rs"]
mod comparison;

#[path = "wire/bodies.rs"]
mod bodies;

#[path = "wire/owed.rs"]
mod owed;
#[path = "wire/stream.rs"]
mod stream;

#[path = "wire/sdp.rs"]
mod sdp;

#[path = "wire/affinity.rs"]
mod affinity;

#[path = "wire/boundaries.rs"]
mod boundaries;
