//! The way of each message through a proxy between elements of the core, such as an IBCF or a CPM Participating Function.

use std::net::SocketAddrV4;

use ims_procedures::{
    drive::{Limits, Millis, Source, Towards},
    wire::Message,
};

use crate::{
    outside::Outside,
    passage::{Came, Going},
    passing::{Answered, Passing, whose},
    proxy::Proxy,
    site::Trust,
    way_back::Stamped,
};

/// Which way requests go between elements of the core.
pub struct Way<'t> {
    /// To whom, if they do not say it.
    pub far: SocketAddrV4,
    /// To whom else alone; `None` for anybody.
    pub within: Option<&'t Trust>,
}

impl Way<'_> {
    /// Passes a message on: a response back, a request where its Route leads, if it has one; within a dialog to the other
    /// end; else to the far side, as does what may not go where it wants to. The request, if this answers it.
    pub fn pass_on(
        &self,
        now: Millis,
        message: &Stamped,
        (proxy, passing): (&Proxy, &mut Passing),
        outside: &mut Outside,
    ) -> Option<Answered> {
        let limits = Limits::default();
        let read = Message::parse(&message.bytes, &limits).ok()?;
        let Some(method) = read.method() else {
            let back = proxy.back_through(&message.bytes);
            let from = (message.back, Source::Unknown);
            let returned = passing.response(now, from, &read, back, outside)?;
            returned.to.send(now, &returned.bytes, outside);
            return returned.answered;
        };
        let came = Came {
            message,
            request: &read,
            method,
            back: Towards::Core,
            whose: whose(&read),
        };
        let branch = proxy.branch(&read)?;
        if !passing.takes(now, &branch, &came, outside) {
            let route = |outside: &Outside| self.route(proxy, &came, outside);
            passing.request(now, branch, &came, route, outside);
        }
        None
    }

    fn route(&self, proxy: &Proxy, came: &Came<'_>, outside: &Outside) -> Result<Going, u16> {
        let went = proxy.through(&came.message.bytes)?;
        let is_in_dialog = came.request.to().is_ok_and(|to| to.tag().is_some());
        let target = came.request.request_uri().filter(|_| is_in_dialog);
        let wanted = went.route.as_deref().or(target);
        let address = match wanted.map(|uri| outside.resolve(uri)) {
            Some(Some(address)) if self.is_open(address) => address,
            // What its sender may choose freely cannot be reached.
            Some(None) if self.within.is_none() => return Err(503),
            Some(_) | None => self.far,
        };
        Ok(went.towards(address))
    }

    fn is_open(&self, to: SocketAddrV4) -> bool {
        let is_within = |trust: &Trust| to == self.far || trust.holds(*to.ip());
        self.within.is_none_or(is_within)
    }
}
