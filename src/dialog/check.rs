//! Dialogs that an owner is told of, not read from messages.

use super::{Dialog, established::check_scheme};
use crate::{
    drive::{Reject, holds_break},
    wire::{NameAddr, ReadValue, Token, Uri, check_call_id, defect},
};

impl Dialog<'_> {
    /// [RFC 3261 12] Whether each string is what it must be, so that requests within the dialog say what they should: a
    /// Call-ID; tags, both of them; URIs; a remote target that is a SIP URI, or a SIPS URI in a secure dialog; addresses
    /// of a route set, or none; one address for a Contact, or none.
    ///
    /// # Errors
    /// [`Reject`], at the byte of the string at fault.
    pub fn check(&self) -> Result<(), Reject> {
        check_call_id(self.call_id)?;
        check_tag(self.local_tag)?;
        check_tag(self.remote_tag)?;
        Uri::parse(self.local_uri)?;
        Uri::parse(self.remote_uri)?;
        check_scheme(&Uri::parse(self.remote_target)?, self.is_secure)?;
        check_line(self.route_set)?;
        for route in NameAddr::parse_list(self.route_set) {
            route?;
        }
        if self.local_contact.is_empty() {
            return Ok(());
        }
        check_line(self.local_contact)?;
        let contact = NameAddr::parse(self.local_contact)?;
        check_scheme(&contact.uri(), self.is_secure)
    }
}

fn check_tag(tag: &[u8]) -> Result<(), Reject> {
    match Token::parse(tag) {
        Ok(token) if token.0 == tag => Ok(()),
        _ => Err(Reject::new(&defect::TAG, 0)),
    }
}

/// Folding, too, cannot be written as it is.
fn check_line(value: &[u8]) -> Result<(), Reject> {
    if holds_break(value) {
        return Err(Reject::new(&defect::BARE_LINE_END, 0));
    }
    Ok(())
}
