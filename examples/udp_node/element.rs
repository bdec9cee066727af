//! An element of the network, as the event loop drives it: one file implements this for each role.

use std::error::Error;

use ims_procedures::drive::{Millis, Misuse};

use crate::{console::Command, outside::Outside, peer::Peer, way_back::Stamped};

/// Why a command was not carried out.
pub type Refused = Box<dyn Error>;

pub trait NetworkElement {
    /// A message has arrived. An error is a mistake of the host's, and ends it.
    fn receive(
        &mut self,
        now: Millis,
        from: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse>;

    /// A command has been given. What it refuses is told to whoever gave it.
    fn command(
        &mut self,
        now: Millis,
        command: &Command,
        outside: &mut Outside,
    ) -> Result<(), Refused>;

    /// When it has to be given a tick.
    fn deadline(&self) -> Option<Millis>;

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse>;

    /// A stream was closed, or could not be made.
    fn closed(&mut self, _: Millis, _: Peer, _: &mut Outside) -> Result<(), Misuse> {
        Ok(())
    }
}
