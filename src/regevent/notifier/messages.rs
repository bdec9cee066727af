//! What a notifier sends: the answers to a SUBSCRIBE, and the NOTIFY.

use super::{
    Config, EVENT_ID, End, LOCAL_URI, REMOTE_TAG, REMOTE_URI, ROUTES, Reason, Subscribe,
    Subscription,
};
use crate::{
    dialog::Dialog,
    drive::{Buffer, Context, Identifier, Outbox, Request, Role, Token, Towards, TransactionRef},
    reginfo,
    wire::{HeaderName, Writer},
};

impl Subscription {
    /// The 200, whose Contact is unique to the subscription (TS 24.229 5.4.2.1.1).
    pub(super) fn accept<R: Role>(
        &self,
        cx: &Context<'_, Config>,
        to: TransactionRef,
        request: &Subscribe<'_>,
        out: &mut Outbox<R>,
    ) {
        let expires = self.seconds_left(cx.now);
        // It copies parts of a message within the limits, so that it fits a step.
        let _ = out.respond(to, 200, |buffer| {
            let mut message =
                Writer::respond_to(buffer, request.message, 200, Some(self.local_tag));
            message.copy(request.message, HeaderName::RecordRoute);
            self.write_contact(cx.config, &mut message);
            message.number(HeaderName::Expires, expires.into());
            message.finish();
        });
    }

    pub(super) fn refuse<R: Role>(
        &self,
        cx: &mut Context<'_, Config>,
        to: TransactionRef,
        request: &Subscribe<'_>,
        status: u16,
        out: &mut Outbox<R>,
    ) {
        let tag = cx.identifier();
        let _ = out.respond(to, status, |buffer| {
            let mut message = Writer::respond_to(buffer, request.message, status, Some(tag));
            if status == 423 {
                message.number(HeaderName::MinExpires, cx.config.min_expires.into());
            }
            message.finish();
        });
    }

    pub(super) fn request<R: Role>(
        &self,
        config: &Config,
        token: Token,
        out: &mut Outbox<R>,
        write: impl FnOnce(&mut Buffer),
    ) -> bool {
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &[self.dialog(b"").next_hop()],
            udp_limit: config.element.udp_limit(),
        };
        out.request(request, write).is_ok()
    }

    /// The dialog; `local_tag` is the text of ours.
    fn dialog<'a>(&'a self, local_tag: &'a [u8]) -> Dialog<'a> {
        let string = |number| self.strings.get(number);
        Dialog {
            call_id: self.call_id(),
            local_uri: string(LOCAL_URI),
            local_tag,
            remote_uri: string(REMOTE_URI),
            remote_tag: string(REMOTE_TAG),
            remote_target: self.target(),
            route_set: string(ROUTES),
            ..Dialog::default()
        }
    }

    /// [RN-2, RN-4] The NOTIFY, around its document.
    pub(super) fn write(
        &self,
        cx: &Context<'_, Config>,
        branch: Identifier,
        document: impl FnOnce(&mut Buffer),
        buffer: &mut Buffer,
    ) {
        let element = &cx.config.element;
        let local_tag = self.local_tag.text();
        let dialog = self.dialog(&local_tag);
        let mut message = dialog.request(buffer, element, b"NOTIFY", self.local_cseq, branch);
        self.write_contact(cx.config, &mut message);
        match self.strings.get(EVENT_ID) {
            [] => message.header(HeaderName::Event, b"reg"),
            id => message.parts(HeaderName::Event, &[b"reg;id=", id]),
        };
        message.value(HeaderName::SubscriptionState, |buffer| match self.ending {
            Some(why) => {
                buffer.put(b"terminated;reason=");
                buffer.put(reason(cx.config, why).as_str().as_bytes());
            }
            None => {
                buffer.put(b"active;expires=");
                buffer.put_number(self.seconds_left(cx.now).into());
            }
        });
        element.write_charging_vector(&mut message, branch);
        message.body(reginfo::CONTENT_TYPE, document);
    }

    fn write_contact(&self, config: &Config, message: &mut Writer<'_>) {
        message.parts(
            HeaderName::Contact,
            &[
                b"<sip:",
                &self.local_tag.text(),
                b"@",
                config.element.sent_by(),
                b">",
            ],
        );
    }
}

const fn reason(config: &Config, why: End) -> Reason {
    match why {
        End::NoResource => config.last_registration_gone,
        End::Terminated(reason) => reason,
        End::Unsubscribed
        | End::Expired
        | End::Refused { .. }
        | End::NoResponse
        | End::TooLarge
        | End::Replaced
        | End::Moved => Reason::Timeout,
    }
}
