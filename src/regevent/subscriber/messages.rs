//! [RE-13] The SUBSCRIBE.

use alloc::vec::Vec;

use super::{
    Config, FIRST_ROUTE, NEXT_HOPS, Party, Pending, REMOTE_TAG, ROUTES, State, Subscription, TARGET,
};
use crate::{
    dialog::Dialog,
    drive::{Buffer, Context, Millis, Outbox, Request, Role},
    regevent::trunk_group::Network,
    reginfo,
    wire::{HeaderName, NameAddr, register::first_uri},
};

impl Subscription {
    /// [DR-7] Hands out the SUBSCRIBE that is pending: at first, or the same again after a restore. That is another
    /// transaction, so that Timer N begins anew: else it could end while that runs, and the next SUBSCRIBE
    /// overtake this one.
    pub(super) fn offer<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let token = cx.token();
        let Some(
            State::Subscribing {
                pending: Some(pending),
                ..
            }
            | State::Refreshing {
                pending: Some(pending),
                ..
            }
            | State::Unsubscribing {
                pending: Some(pending),
                ..
            },
        ) = self.state.get_mut()
        else {
            return;
        };
        pending.token = Some(token);
        let pending = *pending;
        let config = cx.config;
        let hops = self.next_hops(config, pending);
        let request = Request {
            token,
            towards: config.party.towards(),
            next_hops: &hops,
            udp_limit: config.element.udp_limit(),
        };
        // All that is written was read from messages within the limits, so that it fits a step. What does
        // not would end as a request that is never answered: Timer N ends it.
        let _ = out.request(request, |buffer| {
            self.write(config, pending, buffer);
        });
        let hops = u64::try_from(hops.len()).unwrap_or(1);
        self.start_timer_n(cx.now.after(config.timer_n.saturating_mul(hops)));
    }

    /// [DR-3, RE-4] Timer N, as long as the SUBSCRIBE's own transaction may last at each of its next hops: until a
    /// next hop answers, that transaction decides.
    fn start_timer_n(&mut self, until: Millis) {
        if let Some(
            State::Subscribing { timer_n, .. }
            | State::Refreshing { timer_n, .. }
            | State::Unsubscribing { timer_n, .. },
        ) = self.state.get_mut()
        {
            *timer_n = until;
        }
    }

    /// [RE-4, RE-5] Where it goes, in order.
    fn next_hops<'a>(&'a self, config: &'a Config, pending: Pending) -> Vec<&'a [u8]> {
        let routed = first_uri(self.route(pending));
        if !pending.initial {
            return Vec::from([routed.unwrap_or(self.request_target())]);
        }
        let answered = NameAddr::parse_list(self.strings.get(NEXT_HOPS));
        let mut hops: Vec<&[u8]> = answered
            .filter_map(|hop| hop.ok().map(|hop| hop.uri_bytes()))
            .collect();
        if hops.is_empty() {
            hops.extend(routed);
        }
        if hops.is_empty() {
            hops.extend(config.entry_points.iter().map(Vec::as_slice));
        }
        if hops.is_empty() {
            hops.push(self.resource());
        }
        hops
    }

    fn route(&self, pending: Pending) -> &[u8] {
        self.strings
            .get(if pending.initial { FIRST_ROUTE } else { ROUTES })
    }

    /// The target in the dialog.
    fn request_target(&self) -> &[u8] {
        match self.strings.get(TARGET) {
            [] => self.resource(),
            target => target,
        }
    }

    /// [RE-13] The URI of From.
    pub(super) fn local_uri<'a>(&'a self, config: &'a Config) -> &'a [u8] {
        match config.party {
            Party::Element => config.element.uri(),
            Party::ServedUser | Party::Ue => self.resource(),
        }
    }

    fn write(&self, config: &Config, pending: Pending, buffer: &mut Buffer) {
        let element = &config.element;
        let (call_id, local_tag) = (self.call_id.text(), self.local_tag.text());
        let from = self.local_uri(config);
        let with_iotl;
        let (target, remote_tag) = match pending.initial {
            false => (self.request_target(), self.strings.get(REMOTE_TAG)),
            true if config.iotl && self.network == Network::Visited => {
                with_iotl = marked(self.resource());
                (with_iotl.as_slice(), b"".as_slice())
            }
            true => (self.resource(), b"".as_slice()),
        };
        let dialog = Dialog {
            call_id: &call_id,
            local_uri: from,
            local_tag: &local_tag,
            remote_uri: self.resource(),
            remote_tag,
            remote_target: target,
            route_set: self.route(pending),
            ..Dialog::default()
        };
        let (cseq, branch) = (self.local_cseq, pending.branch);
        let mut message = dialog.request(buffer, element, b"SUBSCRIBE", cseq, branch);
        message
            .parts(
                HeaderName::Contact,
                &[b"<sip:", &call_id, b"@", element.sent_by(), b">"],
            )
            .number(HeaderName::Expires, pending.expires.into())
            .header(HeaderName::Event, b"reg")
            .header(HeaderName::Accept, reginfo::CONTENT_TYPE);
        match config.party {
            Party::Element | Party::ServedUser => {
                message.parts(HeaderName::PAssertedIdentity, &[b"<", from, b">"]);
                element.write_charging_vector(&mut message, pending.branch);
            }
            Party::Ue => {
                message.parts(HeaderName::PPreferredIdentity, &[b"<", from, b">"]);
            }
        }
        message.finish();
    }
}

/// [RFC 7549 5.1] A SIP URI that says between which networks the request goes; another one as it is.
fn marked(uri: &[u8]) -> Vec<u8> {
    let is_sip = uri.get(..4).is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case(b"sip:") || scheme.eq_ignore_ascii_case(b"sips")
    });
    if !is_sip {
        return uri.to_vec();
    }
    let headers = memchr::memchr(b'?', uri).unwrap_or(uri.len());
    let (before, after) = uri.split_at_checked(headers).unwrap_or((uri, b""));
    [before, b";iotl=visitedA-homeA", after].concat()
}
