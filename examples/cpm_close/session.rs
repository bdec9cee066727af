//! A session: the dialogs that were made when it was set up, and how the node is shown them.
//!
//! A host that has the INVITE and its 2xx of each leg may hand in those instead ([`Leg::Learnt`]).
//!
//! [`Leg::Learnt`]: cpm::Leg::Learnt

use ims_procedures::{
    cpm::{Description, Establish, Function, Iwf, Leg, Mode, SessionRef, Side},
    dialog::{self, Sequence},
    wire::sdp::StreamSet,
};

use crate::{
    cases::Case,
    provisioning::{ALICE, Actor, BOB, FUNCTION_URI},
};

/// What was agreed towards the leg that hears of deleted streams: the first is that of IWF 1, the others of IWF 2.
pub const AGREED: &str = "v=0\r
o=- 8100210 8100217 IN IP4 192.0.2.40\r
s=-\r
c=IN IP4 192.0.2.40\r
t=0 0\r
m=message 20400 TCP/MSRP *\r
a=accept-types:message/cpim text/plain\r
a=path:msrp://192.0.2.40:20400/s0;tcp\r
m=message 20402 TCP/MSRP *\r
a=accept-types:message/cpim\r
a=path:msrp://192.0.2.40:20402/s1;tcp\r
m=message 20404 TCP/TLS/MSRP *\r
a=accept-types:image/jpeg image/png\r
a=path:msrps://192.0.2.40:20404/s2;tcp\r
";

/// One end of a dialog.
#[derive(Clone, Debug)]
pub struct End {
    uri: &'static str,
    tag: String,
    /// The URI of its contact.
    target: &'static str,
}

/// A dialog, as one end has it.
#[derive(Clone, Debug)]
pub struct Dialog {
    call_id: String,
    local: End,
    remote: End,
    route_set: String,
}

impl Dialog {
    /// The view that the library works with.
    pub fn view(&self) -> dialog::Dialog<'_> {
        dialog::Dialog {
            call_id: self.call_id.as_bytes(),
            local_uri: self.local.uri.as_bytes(),
            local_tag: self.local.tag.as_bytes(),
            remote_uri: self.remote.uri.as_bytes(),
            remote_tag: self.remote.tag.as_bytes(),
            remote_target: self.remote.target.as_bytes(),
            route_set: self.route_set.as_bytes(),
            ..dialog::Dialog::default()
        }
    }

    /// The same dialog, as the other end has it.
    fn turned(&self, route_set: String) -> Self {
        Self {
            call_id: self.call_id.clone(),
            local: self.remote.clone(),
            remote: self.local.clone(),
            route_set,
        }
    }
}

/// A session.
pub struct Session<'c> {
    case: &'c Case,
    pub handle: SessionRef,
    /// The dialogs of its legs, as the Participating Function has them. Of a proxied one, which passes through, as the
    /// other CPM entity has it.
    legs: Vec<(Actor, Dialog)>,
}

impl<'c> Session<'c> {
    pub fn new(case: &'c Case, handle: SessionRef) -> Self {
        let legs = case.legs().map(|leg| (leg, dialog(case, leg, handle)));
        Self {
            case,
            handle,
            legs: legs.collect(),
        }
    }

    /// The dialog that somebody is in, as he has it. `None` if he has no part in the session.
    pub fn dialog_of(&self, peer: Actor) -> Option<Dialog> {
        match (self.case.mode, peer) {
            // One dialog passes through: the Participating Function is in the route of both its ends.
            (Mode::Proxy, Actor::Client) => {
                let beyond = Actor::Other.route();
                let (_, ours) = self.legs.first()?;
                Some(ours.turned(format!("<{FUNCTION_URI};lr>, {beyond}")))
            }
            (Mode::Proxy, Actor::Other) => {
                let (_, ours) = self.legs.first()?;
                Some(ours.clone())
            }
            _ => {
                let (_, ours) = self.legs.iter().find(|(leg, _)| *leg == peer)?;
                Some(ours.turned(String::new()))
            }
        }
    }

    /// Shows the session as a node is to be shown it.
    pub fn shown<T>(&self, give: impl FnOnce(Establish<'_>) -> T) -> T {
        let case = self.case;
        let iwfs: Vec<Iwf<'_>> = [(Actor::Iwf1, &[0][..]), (Actor::Iwf2, &[1, 2])]
            .into_iter()
            .filter_map(|(iwf, streams)| {
                Some(Iwf {
                    leg: self.leg(iwf)?,
                    streams: streams.iter().copied().collect::<StreamSet>(),
                })
            })
            .collect();
        give(Establish {
            session: self.handle,
            function: case.function,
            mode: case.mode,
            allow_offline_storage: case.storage.is_allowed(),
            policy: case.policy,
            client: self.leg(Actor::Client),
            other: self.leg(Actor::Other),
            iwfs: &iwfs,
            // A kilobyte for each session, or a question whenever it is needed: both are shown here.
            description: match case.function {
                Function::Originating => Description::Kept(AGREED.as_bytes()),
                Function::Terminating => Description::AtHost,
            },
        })
    }

    fn leg(&self, id: Actor) -> Option<Leg<'_>> {
        let (_, dialog) = self.legs.iter().find(|(leg, _)| *leg == id)?;
        // Who has begun the session has sent an INVITE here; the others were sent one from here.
        let begins = match self.case.function {
            Function::Originating => Actor::Client,
            Function::Terminating => Actor::Other,
        };
        let side = match id == begins {
            true => Side::Uas,
            false => Side::Uac,
        };
        Some(Leg::Given {
            dialog: dialog.view(),
            // The INVITE of either end was its first request.
            sequence: match side {
                Side::Uas => Sequence {
                    local: 0,
                    remote: Some(1),
                },
                Side::Uac => Sequence {
                    local: 1,
                    remote: None,
                },
            },
            side,
        })
    }
}

/// The dialog of a leg, as it was made when the session was set up.
fn dialog(case: &Case, leg: Actor, SessionRef(number): SessionRef) -> Dialog {
    let (name, is_proxied) = (leg.name(), case.mode == Mode::Proxy);
    // An IWF stands for whoever it is at that end.
    let is_alice = match case.function {
        Function::Originating => leg == Actor::Client,
        Function::Terminating => leg != Actor::Other,
    };
    let (local, remote) = match is_alice {
        true => (BOB, ALICE),
        false => (ALICE, BOB),
    };
    let target = match is_proxied {
        true => Actor::Other.uri(),
        false => FUNCTION_URI,
    };
    let route = leg.route();
    Dialog {
        call_id: format!("{number}-{name}@{HOST}"),
        local: End {
            uri: local,
            tag: format!("near-{number}-{name}"),
            target,
        },
        remote: End {
            uri: remote,
            tag: format!("far-{number}-{name}"),
            target: leg.uri(),
        },
        route_set: match is_proxied {
            true => format!("<{FUNCTION_URI};lr>, {route}"),
            false => route.to_owned(),
        },
    }
}

/// Who has made the Call-IDs.
const HOST: &str = "cpm-pf1.home1.example.net";
