//! The subscriber of the registration event package, through the node that holds many, on bytes: one file for
//! each topic, and `seed` for each sentence of the source (S2).

#[path = "regevent/bed.rs"]
mod bed;
#[path = "regevent/refresh.rs"]
mod refresh;
#[path = "regevent/refusals.rs"]
mod refusals;
#[path = "regevent/seed.rs"]
mod seed;
#[path = "regevent/terminations.rs"]
mod terminations;
