//! [RE-5, RE-6, RE-10] The dialog of a subscription: how it is found, which NOTIFY is of it, and where it leads.

use super::{
    Admission, Config, Dialog, FIRST_ROUTE, MOST_STRINGS, NEXT_HOPS, Notified, REMOTE_TAG, ROUTES,
    State, Strings, Subscription, TARGET,
    config::{MOST_HOPS, is_next_hop},
};
use crate::{
    drive::{Misuse, Reject},
    regevent::{defect, notification::Notification},
    wire::{NameAddr, SubState, register::same_uri},
};

/// Bytes of the routes that a host may name.
const MOST_ROUTE_BYTES: usize = 16_384;

impl Subscription {
    /// [RE-10] Whether a NOTIFY is the next of this dialog, by Call-ID, tags and CSeq, with
    /// [`Config::strict_dialog_uris`] by URIs too. Until the dialog is known, any notifier's tag will do; with
    /// [`Profile::Rfc6665`](super::Profile::Rfc6665) until the first NOTIFY, whoever sent the 2xx. Afterwards another is refused (RE-6).
    #[must_use]
    pub fn admit(&self, config: &Config, notification: &Notification<'_>) -> Admission {
        let known = self.strings.get(REMOTE_TAG);
        let is_open = known.is_empty() || (config.is_rfc6665() && self.remote_cseq.is_none());
        if matches!(
            self.state.get(),
            State::Idle | State::Routing { .. } | State::Waiting { .. } | State::Ended
        ) || notification.call_id() != self.call_id.text()
            || notification.local_tag != self.local_tag.text()
            || !(is_open || known == notification.remote_tag)
            || (config.strict_dialog_uris && !self.has_parties(config, notification))
        {
            return Admission::Refuse(481);
        }
        Admission::after(self.remote_cseq, notification.cseq)
    }

    pub(super) fn has_parties(&self, config: &Config, notification: &Notification<'_>) -> bool {
        same_uri(notification.notifier(), self.resource())
            && same_uri(notification.subscriber(), self.local_uri(config))
    }

    /// [RE-4] Keeps the routes that the host names, if they can be used.
    pub(super) fn take_routes(&mut self, next_hops: &[u8], route: &[u8]) -> Result<(), Misuse> {
        let bad = |at| Misuse::BadCommand(Reject::new(&defect::BAD_ROUTE, at));
        if next_hops.len().saturating_add(route.len()) > MOST_ROUTE_BYTES {
            return Err(bad(0));
        }
        let mut hops = 0usize;
        for hop in NameAddr::parse_list(next_hops) {
            let hop = hop.map_err(Misuse::BadCommand)?;
            hops = hops.saturating_add(1);
            if hops > MOST_HOPS || !is_next_hop(hop.uri_bytes()) {
                return Err(bad(0));
            }
        }
        for entry in NameAddr::parse_list(route) {
            entry.map_err(Misuse::BadCommand)?;
        }
        let mut parts = self.strings.parts();
        parts[NEXT_HOPS] = next_hops;
        parts[FIRST_ROUTE] = route;
        self.strings = Strings::new(parts, MOST_STRINGS).ok_or_else(|| bad(0))?;
        Ok(())
    }

    /// [RE-5] Takes over what a NOTIFY says of the dialog. The first one makes it where nothing came before,
    /// and with [`Profile::Rfc6665`](super::Profile::Rfc6665) in any case (RFC 6665 4.4.1).
    pub(super) fn follow(&mut self, config: &Config, notify: Notified<'_>, first: bool) {
        let dialog = notify.dialog;
        if self.strings.get(REMOTE_TAG).is_empty() || (first && config.is_rfc6665()) {
            self.adopt(dialog);
        }
        self.retarget(dialog.target);
        self.remote_cseq = Some(notify.cseq);
        self.approved = notify.state != SubState::Pending;
        self.stated |= notify.expires.is_some();
    }

    /// [RE-5] The dialog is this one.
    pub(super) fn adopt(&mut self, dialog: Dialog<'_>) {
        let known = self.strings.get(TARGET);
        let fallback = if known.is_empty() {
            self.resource()
        } else {
            known
        };
        let mut parts = self.strings.parts();
        parts[REMOTE_TAG] = dialog.remote_tag;
        parts[TARGET] = dialog.target.unwrap_or(fallback);
        parts[ROUTES] = dialog.routes;
        if let Some(strings) = Strings::new(parts, MOST_STRINGS) {
            self.strings = strings;
        }
    }

    /// [RE-5] A later Contact of the notifier is the new target (RFC 6665 3.1).
    pub(super) fn retarget(&mut self, target: Option<&[u8]>) {
        let Some(target) = target.filter(|target| *target != self.strings.get(TARGET)) else {
            return;
        };
        let mut parts = self.strings.parts();
        parts[TARGET] = target;
        if let Some(strings) = Strings::new(parts, MOST_STRINGS) {
            self.strings = strings;
        }
    }
}
