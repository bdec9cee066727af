//! The driving shape carries two unlike roles: the P-CSCF with its subscription, and the closing of a session
//! with three legs, which stands here and only here.

#[path = "second_role/closing.rs"]
mod closing;

#[path = "second_role/host.rs"]
mod host;

#[path = "second_role/session.rs"]
mod session;

#[path = "second_role/two_roles.rs"]
mod two_roles;

mod common;
