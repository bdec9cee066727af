//! The watcher's table: merging of documents, versions, bounds, blobs (RI-3). Expected tables stand in
//! `tests/fixtures/watcher`.
#![allow(unreachable_pub)]

#[path = "watcher/bounds.rs"]
mod bounds;
#[path = "watcher/field_cases.rs"]
mod field_cases;
#[path = "watcher/listed.rs"]
mod listed;
#[path = "watcher/model.rs"]
mod model;
#[path = "watcher/properties.rs"]
mod properties;
#[path = "watcher/restoring.rs"]
mod restoring;
#[path = "watcher/support.rs"]
mod support;
#[path = "watcher/tables.rs"]
mod tables;
#[path = "watcher/versions.rs"]
mod versions;
