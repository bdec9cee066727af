//! What a P-CSCF does with a REGISTER beside the procedures of the library: pass it on, and its answer back.

use std::collections::HashMap;

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    pcscf::strip_trust_marks,
    wire::{Edit, HeaderName, MAGIC_COOKIE, Message, rewrite},
};

use crate::provisioning::{Actor, PCSCF_URI, VISITED_DOMAIN, VISITED_NETWORK};

/// A REGISTER that was passed on.
struct Passed {
    /// The UE, and the branch of its request.
    ue: Actor,
    branch: Vec<u8>,
    /// As it went to the core.
    request: Vec<u8>,
    /// Its final answer, as it went to the UE.
    answer: Option<Vec<u8>>,
}

/// The proxy. It sends nothing again on its own: the UE does, until it is answered.
pub struct Proxy {
    identifiers: Identifiers,
    limits: Limits,
    passed: Vec<Passed>,
    /// The place of what was passed on, by our own branch.
    by_branch: HashMap<Vec<u8>, usize>,
}

/// What to send for a REGISTER of a UE.
pub enum Onward {
    ToCore(Vec<u8>),
    BackToUe(Vec<u8>),
}

/// What to send for an answer from the core, and what to learn from it.
pub struct Back {
    pub ue: Actor,
    pub bytes: Vec<u8>,
    /// The REGISTER as it went to the core and the answer as it came from there, for the first final answer.
    pub learn: Option<(Vec<u8>, Vec<u8>)>,
}

impl Proxy {
    pub fn new(identifiers: Identifiers) -> Self {
        Self {
            identifiers,
            limits: Limits::default(),
            passed: Vec::new(),
            by_branch: HashMap::new(),
        }
    }

    /// A REGISTER of a UE. `None` if it cannot be passed on.
    pub fn request(&mut self, ue: Actor, bytes: &[u8]) -> Option<Onward> {
        let request = Message::parse(bytes, &self.limits).ok()?;
        let branch = request.via().ok()?.branch()?;
        let known = self
            .passed
            .iter()
            .find(|passed| passed.ue == ue && passed.branch == branch);
        match known {
            Some(Passed {
                answer: Some(answer),
                ..
            }) => Some(Onward::BackToUe(answer.clone())),
            Some(Passed { request, .. }) => Some(Onward::ToCore(request.clone())),
            None => self.pass_on(ue, branch, bytes).map(Onward::ToCore),
        }
    }

    /// TS 24.229 5.2.2: what a UE may not say is removed, what the P-CSCF vouches for is added.
    fn pass_on(&mut self, ue: Actor, branch: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let mut clean = Buffer::new(self.limits.message_bytes);
        strip_trust_marks(bytes, &self.limits, &mut clean).ok()?;

        let sent_by = PCSCF_URI.strip_prefix("sip:")?;
        let (host, _) = sent_by.split_once(':')?;
        let ours = format!(
            "{}{}",
            String::from_utf8_lossy(MAGIC_COOKIE),
            self.identifiers.next()
        );
        let icid = self.identifiers.next();
        let added = [
            (
                HeaderName::PChargingVector,
                format!("icid-value={icid};icid-generated-at={host};orig-ioi={VISITED_DOMAIN}"),
            ),
            (HeaderName::PVisitedNetworkId, VISITED_NETWORK.to_owned()),
            (HeaderName::Require, "path".to_owned()),
            (HeaderName::Path, format!("<sip:term@{sent_by};lr>")),
            (
                HeaderName::Via,
                format!("SIP/2.0/UDP {sent_by};branch={ours}"),
            ),
        ];
        let mut request = clean.as_slice().to_vec();
        for (name, value) in added {
            request = self.with_header(&request, name, value.as_bytes())?;
        }
        request = self.with_one_hop_less(&request)?;

        self.by_branch.insert(ours.into_bytes(), self.passed.len());
        self.passed.push(Passed {
            ue,
            branch: branch.to_vec(),
            request: request.clone(),
            answer: None,
        });
        Some(request)
    }

    /// An answer from the core. `None` if it answers nothing that was passed on.
    pub fn response(&mut self, bytes: &[u8]) -> Option<Back> {
        let response = Message::parse(bytes, &self.limits).ok()?;
        let status = response.status()?;
        let place = *self.by_branch.get(response.via().ok()?.branch()?)?;
        let mut own_via = true;
        let back = self.edited(&response, |name| match name {
            HeaderName::Via if std::mem::take(&mut own_via) => Edit::Drop,
            _ => Edit::Keep,
        })?;
        let passed = self.passed.get_mut(place)?;
        let first = status >= 200 && passed.answer.is_none();
        if first {
            passed.answer = Some(back.clone());
        }
        Some(Back {
            ue: passed.ue,
            bytes: back,
            learn: first.then(|| (passed.request.clone(), bytes.to_vec())),
        })
    }

    /// The message with a header field on top.
    fn with_header(&self, message: &[u8], name: HeaderName, value: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(message, &self.limits).ok()?;
        let mut top = true;
        self.edited(&message, |_| match std::mem::take(&mut top) {
            true => Edit::Before(name, value),
            false => Edit::Keep,
        })
    }

    /// RFC 3261 16.6 step 3.
    fn with_one_hop_less(&self, message: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(message, &self.limits).ok()?;
        let left = message
            .max_forwards()
            .ok()?
            .unwrap_or(70)
            .checked_sub(1)?
            .to_string();
        self.edited(&message, |name| match name {
            HeaderName::MaxForwards => Edit::Replace(left.as_bytes()),
            _ => Edit::Keep,
        })
    }

    fn edited<'e>(
        &self,
        message: &Message<'_>,
        mut edit: impl FnMut(HeaderName) -> Edit<'e>,
    ) -> Option<Vec<u8>> {
        let mut buffer = Buffer::new(self.limits.message_bytes);
        rewrite(message, &mut buffer, |field| edit(field.name));
        buffer
            .take_fault()
            .is_none()
            .then(|| buffer.as_slice().to_vec())
    }
}
