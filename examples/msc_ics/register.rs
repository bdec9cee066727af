//! The REGISTER of an MSC server on behalf of a subscriber (TS 24.292 6.3.2): what a host of the library writes itself.

use ims_procedures::{
    drive::{Buffer, Identifier},
    wire::{Element, HeaderName, Method, Writer},
};

pub struct Register<'a> {
    /// The SIP URI of the home network's domain.
    pub home_domain: &'a str,
    pub public_identity: &'a str,
    pub private_identity: &'a str,
    /// The instance ID of the mobile equipment.
    pub instance: &'a str,
    pub call_id: &'a [u8],
    pub tag: &'a [u8],
    pub cseq: u32,
    /// Seconds that are asked for.
    pub expires: u64,
    pub visited_network: &'a str,
}

impl Register<'_> {
    /// `None` if something of it cannot stand in a message.
    pub fn write(&self, element: &Element, branch: Identifier) -> Option<Vec<u8>> {
        let identity = self.public_identity.as_bytes();
        let home = self.home_domain.as_bytes();
        let realm = home.strip_prefix(b"sip:")?;
        let mut buffer = Buffer::new(4_096);
        let mut message = Writer::request(&mut buffer, b"REGISTER", home);
        element
            .write_via(&mut message, branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(HeaderName::From, &[b"<", identity, b">;tag=", self.tag])
            .parts(HeaderName::To, &[b"<", identity, b">"])
            .header(HeaderName::CallId, self.call_id)
            .cseq(self.cseq, Method::Register.as_bytes())
            .parts(
                HeaderName::Contact,
                &[
                    b"<",
                    element.uri(),
                    b">;+sip.instance=\"<",
                    self.instance.as_bytes(),
                    b">\";+g.3gpp.ics=\"server\";+g.3gpp.accesstype=\"cellular1\"",
                ],
            )
            .number(HeaderName::Expires, self.expires)
            .parts(
                HeaderName::Authorization,
                &[
                    b"Digest username=\"",
                    self.private_identity.as_bytes(),
                    b"\",realm=\"",
                    realm,
                    b"\",nonce=\"\",uri=\"",
                    home,
                    b"\",response=\"\",integrity-protected=\"auth-done\"",
                ],
            )
            .parts(HeaderName::Path, &[b"<", element.uri(), b";lr>"])
            .header(HeaderName::Supported, b"path")
            .header(
                HeaderName::PVisitedNetworkId,
                self.visited_network.as_bytes(),
            )
            .header(
                HeaderName::PAccessNetworkInfo,
                b"3GPP-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11;network-provided",
            );
        element.write_charging_vector(&mut message, branch);
        message.finish();
        let fault = buffer.take_fault();
        fault.is_none().then(|| buffer.as_slice().to_vec())
    }
}
