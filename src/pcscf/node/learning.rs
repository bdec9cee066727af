//! Registrations that the host shows a P-CSCF.

use alloc::vec::Vec;

use super::{PRIVATE_IDENTITY, PcscfNode};
use crate::{
    drive::{Context, Millis, Misuse, Outbox, Reject, Verdict, increment},
    fleet::{Few, Id},
    pcscf::{
        Pcscf, Registration,
        defect::NOT_A_REGISTER,
        registration::{Field, Learned, LearnedContact, Strings},
        user::User,
    },
    regevent::{subscriber::Purpose, subscriptions::Order, trunk_group::TrunkGroup},
    wire::{Message, Method},
};

impl PcscfNode {
    /// [PD-1] Learns a registration, or its end.
    pub(super) fn learn(
        &mut self,
        now: Millis,
        (request, response): (&[u8], &[u8]),
        trunk_group: &[u8],
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        if !trunk_group.is_empty() && self.trunk_group(trunk_group).is_none() {
            return Err(Misuse::NoSuchThing);
        }
        let limits = self.config.limits;
        let request = Message::parse(request, &limits).map_err(Misuse::BadCommand)?;
        let response = Message::parse(response, &limits).map_err(Misuse::BadCommand)?;
        if request.method() != Some(Method::Register) {
            let not_register = Reject::new(&NOT_A_REGISTER, 0);
            return Err(Misuse::BadCommand(not_register));
        }
        if !response.status().is_some_and(|s| (200..300).contains(&s)) {
            return Ok(Verdict::NotMine);
        }
        let learned = Learned::read(&request, &response, &limits)?;
        let packed = self.pack(&learned)?;
        let id = match self.find_user(&learned.private_identity) {
            Some(id) => id,
            None if !packed.iter().any(|(contact, _)| contact.expires > 0) => {
                return Ok(Verdict::Handled);
            }
            None => self.admit(&learned.private_identity)?,
        };
        increment(&mut self.counters.learned);
        let unsubscribed = self.apply(now, id, &learned, packed, out)?;
        self.queue_user(now, id, None, out)?;
        if let Some(registration_expires) = unsubscribed {
            self.subscribe(now, id, trunk_group, registration_expires, out)?;
        }
        self.settle(id, out);
        Ok(Verdict::Handled)
    }

    fn trunk_group(&self, name: &[u8]) -> Option<&TrunkGroup> {
        self.config.subscription.trunk_groups.find(name)
    }

    /// [RE-1, RE-2] The subscription of a user who has none that goes on, if the trunk group wants one.
    fn subscribe(
        &mut self,
        now: Millis,
        id: Id,
        trunk_group: &[u8],
        registration_expires: u32,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        let config = &self.config.subscription;
        let group = config.trunk_groups.find(trunk_group);
        let is_supported = group.map_or(config.support_reg_event, |group| {
            config.trunk_groups.supports_reg_event(group)
        });
        let Some(user) = self.users.get_mut(id).filter(|_| is_supported) else {
            return Ok(());
        };
        let is_served = |r: &&Registration| !r.is_cleaning() && !r.is_emergency();
        let Some(registration) = user.registrations.iter().rev().find(is_served) else {
            return Ok(());
        };
        let order = Order {
            owner: id,
            purpose: Purpose {
                resource: registration.public_identity(),
                destination: group.map_or(b"", |group| &group.destination),
                service_route: registration.strings.field(Field::ServiceRoute),
                network: group.map_or(config.network, |group| group.network),
            },
            address_context: group.map_or(b"", |group| &group.address_context),
            registration_expires,
            keeps_table: false,
        };
        if let Some(ending) = user.subscription.take() {
            self.subscriptions.replace(ending, out);
        }
        let mut cx = Context {
            now,
            config,
            identifiers: &mut self.identifiers,
            id: id.place(),
        };
        let limits = &self.config.limits;
        let made = self.subscriptions.subscribe(&mut cx, &order, limits, out)?;
        user.subscription = Some(made);
        user.left = false;
        Ok(())
    }

    /// The strings of every contact, before anything is changed: all fit, or none is taken.
    fn pack<'l, 'm>(
        &mut self,
        learned: &'l Learned<'m>,
    ) -> Result<Vec<(&'l LearnedContact<'m>, Strings)>, Misuse> {
        let (limits, shared) = (&self.config.limits, &mut self.shared);
        learned
            .contacts
            .iter()
            .map(|contact| {
                let mut strings = learned.strings(&contact.contact, limits)?;
                strings.share(shared);
                Ok((contact, strings))
            })
            .collect()
    }

    /// A new user.
    fn admit(&mut self, private_identity: &[u8]) -> Result<Id, Misuse> {
        if self.users.len() >= self.config.limits.users {
            return Err(Misuse::NodeFull);
        }
        let id = self.users.insert(User {
            private_identity: private_identity.into(),
            registrations: Few::new(),
            subscription: None,
            left: false,
            notify_owed_until: Millis(0),
        });
        self.users.file(id, PRIVATE_IDENTITY, private_identity);
        Ok(id)
    }
}
