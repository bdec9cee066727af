//! Many CPM sessions of two legs, and the BYEs that end them.

use ims_procedures::{
    cpm::{
        Command, Config, Cpm, CpmNode, Description, Establish, Function, Iwf, IwfPolicy, Leg, Mode,
        SessionRef, Side,
    },
    dialog::{Dialog, Sequence},
    drive::{Identifiers, Millis, Node, Outbox, Source, TransactionRef, Verdict},
    wire::{Element, sdp::StreamSet},
};

pub const NOW: Millis = Millis(1_000_000);

/// Sessions of the originating function: the CPM client, and the other CPM entity or one IWF.
pub struct Sessions {
    pub node: CpmNode,
    pub out: Outbox<Cpm>,
    /// Of a leg to an IWF: what is kept of the session description.
    description: Option<Vec<u8>>,
}

fn call_id(leg: &str, session: u32) -> String {
    format!("{leg}-{session:08x}-5f0e@192.0.2.20")
}

fn tag(leg: &str, session: u32) -> String {
    format!("s0003-{leg}{session:08x}5f0e1c2d3b4a59687786")
}

/// A session description of so many bytes, with two streams.
fn description(bytes: usize) -> Vec<u8> {
    let mut text =
        "v=0\r\no=- 8100210 8100217 IN IP4 192.0.2.40\r\ns=-\r\nc=IN IP4 192.0.2.40\r\nt=0 0\r\n\
                    m=message 20400 TCP/MSRP *\r\na=path:msrp://192.0.2.40:20400/s0;tcp\r\n\
                    m=message 20402 TCP/MSRP *\r\na=path:msrp://192.0.2.40:20402/s1;tcp\r\n"
            .to_owned();
    let left = bytes.saturating_sub(text.len() + "a=accept-types:\r\n".len());
    text += &format!("a=accept-types:{}\r\n", "x".repeat(left));
    text.into_bytes()
}

impl Sessions {
    /// A node with room for so many, and none yet. With bytes of a description the second leg is one to an IWF.
    pub fn new(room: u32, description_bytes: Option<usize>) -> Self {
        let element = Element::new(b"sip:cpm-pf1.home1.example.net:5062", b"home1.example.net");
        let mut config = Config::new(element.unwrap());
        config.limits.reserved_users = room as usize;
        Self {
            node: CpmNode::new(config, Identifiers::new([7; 32], 1, 3)).unwrap(),
            out: Outbox::for_steps(1),
            description: description_bytes.map(|bytes| match bytes {
                0 => Vec::new(),
                bytes => description(bytes),
            }),
        }
    }

    pub fn establish(&mut self, session: u32) {
        let ids = [call_id("client", session), call_id("far", session)];
        let tags = [tag("a", session), tag("b", session)];
        let client = Leg::Given {
            dialog: Dialog {
                call_id: ids[0].as_bytes(),
                local_uri: b"sip:bob@home2.example.net",
                local_tag: tags[0].as_bytes(),
                remote_uri: b"sip:alice@home1.example.net",
                remote_tag: b"171828",
                remote_target: b"sip:alice@192.0.2.20:5070",
                route_set: b"<sip:scscf1.home1.example.net:6060;lr>, <sip:pcscf1.home1.example.net:5068;lr>",
                local_contact: b"<sip:cpm-pf1.home1.example.net:5062>;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"",
                is_secure: false,
            },
            sequence: Sequence {
                local: 0,
                remote: Some(101),
            },
            side: Side::Uas,
        };
        let far = Leg::Given {
            dialog: Dialog {
                call_id: ids[1].as_bytes(),
                local_uri: b"sip:alice@home1.example.net",
                local_tag: tags[1].as_bytes(),
                remote_uri: b"sip:bob@home2.example.net",
                remote_tag: b"a6c85cf",
                remote_target: b"sip:cpm-pf2.home2.example.net:5062",
                route_set: b"<sip:scscf1.home1.example.net:6060;lr>, <sip:ibcf2.home2.example.net:5070;lr>",
                local_contact: b"<sip:cpm-pf1.home1.example.net:5062>;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"",
                is_secure: false,
            },
            sequence: Sequence {
                local: 1,
                remote: None,
            },
            side: Side::Uac,
        };
        let iwfs = [Iwf {
            leg: far,
            streams: [0, 1].into_iter().collect::<StreamSet>(),
        }];
        let kept = self.description.clone();
        let verdict = self.node.command(
            NOW,
            Command::Establish(Establish {
                session: SessionRef(session.into()),
                function: Function::Originating,
                mode: Mode::B2bua,
                allow_offline_storage: true,
                policy: IwfPolicy::StreamsOnly,
                client: Some(client),
                other: kept.is_none().then_some(far),
                iwfs: if kept.is_some() { &iwfs } else { &[] },
                description: match kept.as_deref() {
                    None | Some([]) => Description::AtHost,
                    Some(bytes) => Description::Kept(bytes),
                },
            }),
            &mut self.out,
        );
        assert_eq!(verdict, Ok(Verdict::Handled));
    }

    /// The BYE of a session's client.
    pub fn bye(session: u32) -> Vec<u8> {
        let (id, tag) = (call_id("client", session), tag("a", session));
        format!(
            "BYE sip:cpm-pf1.home1.example.net:5062 SIP/2.0\r\n\
             Via: SIP/2.0/UDP scscf1.home1.example.net:6060;branch=z9hG4bKs1c{session:08x}\r\n\
             Via: SIP/2.0/UDP pcscf1.home1.example.net:5068;branch=z9hG4bKp1c{session:08x}\r\n\
             Via: SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bKa1c{session:08x}\r\n\
             Max-Forwards: 68\r\n\
             From: <sip:alice@home1.example.net>;tag=171828\r\n\
             To: <sip:bob@home2.example.net>;tag={tag}\r\n\
             Call-ID: {id}\r\n\
             CSeq: 102 BYE\r\n\
             Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n\
             P-Asserted-Identity: <sip:alice@home1.example.net>\r\n\
             P-Charging-Vector: icid-value=scscf1-0c41;icid-generated-at=pcscf1.home1.example.net;orig-ioi=home1.example.net\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    /// Takes a BYE, until the BYE to the far side is in the outbox. Gives how many outputs there are.
    pub fn receive(&mut self, bye: &[u8]) -> usize {
        self.out.clear();
        let txn = TransactionRef(1);
        let from = Source::TrustedCore;
        let verdict = self.node.receive(NOW, from, txn, bye, &mut self.out);
        assert_eq!(verdict, Ok(Verdict::Handled));
        self.out.len()
    }

    /// Forgets a session.
    #[allow(dead_code)]
    pub fn forget(&mut self, session: u32) {
        let session = SessionRef(session.into());
        let forget = Command::Forget { session };
        self.out.clear();
        self.node.command(NOW, forget, &mut self.out).unwrap();
    }
}
