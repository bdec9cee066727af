//! What the first procedure costs: messages in, the P-CSCF's own turns, messages out.

use std::{fs, hint::black_box, path::Path};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ims_procedures::{
    drive::{
        Answer, Identifiers, Limits, Millis, Node, Outbox, Output, Source, Token, TransactionRef,
    },
    pcscf::{Command, Config, Evidence, Pcscf, PcscfNode, Question, Ue},
    reginfo::{self, ContactState, ContactView, Visitor},
    wire::{Element, HeaderName, Message},
};

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

#[derive(Default)]
struct Count {
    contacts: usize,
    terminated: usize,
}

impl Visitor for Count {
    fn contact(&mut self, contact: &ContactView<'_>) {
        self.contacts += 1;
        self.terminated += usize::from(contact.state == ContactState::Terminated);
    }
}

fn documents(c: &mut Criterion) {
    let limits = Limits::default();
    let document = fixture("reginfo/large_200_contacts.xml");
    let mut group = c.benchmark_group("reginfo");
    group.throughput(Throughput::Elements(200));
    group.bench_function("read 200 contacts", |b| {
        b.iter(|| {
            let mut count = Count::default();
            reginfo::read(black_box(&document), &limits, &mut count).unwrap();
            assert_eq!(count.contacts, 200);
            count.terminated
        });
    });
    group.finish();
}

const CONTACT: &[u8] = b"sip:[2001:db8::aaa:bbb]:1357;comp=sigcomp";
const NOW: Millis = Millis(1_000);

/// A message of the first-light fixtures, its placeholders replaced.
fn message(name: &str, values: &[(&str, &str)]) -> Vec<u8> {
    let text = String::from_utf8(fixture(&format!("first_light/{name}.fixture"))).unwrap();
    let (mut head, mut body) = (String::new(), String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match (line.split_once(" | "), line.split_once(" + ")) {
            (Some((_, line)), _) => head += &format!("{line}\r\n"),
            (_, Some((_, piece))) => body += piece,
            _ => panic!("{name}: {line}"),
        }
    }
    let length = body.len().to_string();
    let mut message = head + &body;
    for (placeholder, value) in values.iter().chain([&("body-length", length.as_str())]) {
        message = message.replace(&format!("{{{placeholder}}}"), value);
    }
    message.into_bytes()
}

/// A P-CSCF with one user, subscribed to.
struct Subscribed {
    node: PcscfNode,
    out: Outbox<Pcscf>,
    /// The NOTIFY that says the user is gone.
    notify: Vec<u8>,
}

impl Subscribed {
    fn new() -> Self {
        let uri = b"sip:pcscf1.visited1.example.net:5070";
        let element = Element::new(uri, b"visited1.example.net").unwrap();
        let mut config = Config::new(element, b"\"Visited Network Number 1\"");
        config.subscription.support_reg_event = true;
        let mut node = PcscfNode::new(config, Identifiers::new([7; 32], 1, 3)).unwrap();
        let mut out = Outbox::for_steps(1);
        let (request, response) = (registering("REGISTER"), registering("200"));
        let learn = Command::Learn {
            request: &request,
            response: &response,
            trunk_group: b"",
        };
        node.command(NOW, learn, &mut out).unwrap();
        let (token, subscribe) = sent(&out);
        let read = Message::parse(&subscribe, &Limits::default()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let contact = read
            .name_addrs(HeaderName::Contact)
            .next()
            .unwrap()
            .unwrap();
        let values = [
            (
                "subscribe-branch",
                text(&read.via().unwrap().branch().unwrap()[7..]),
            ),
            ("subscribe-tag", text(read.from().unwrap().tag().unwrap())),
            ("subscribe-call-id", text(read.call_id().unwrap())),
            ("subscriber-user", text(contact.uri().user().unwrap())),
        ];
        let mut values: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        values.extend([
            ("notifier-tag", "n1"),
            ("notifier-user", "n1"),
            ("notify-icid", "i1"),
        ]);
        values.push(("notify-branch", "n1"));
        out.clear();
        let accepted = message("subscribe_200", &values);
        node.answer(NOW, token, Answer::Response(&accepted), &mut out)
            .unwrap();
        out.clear();
        Self {
            node,
            out,
            notify: message("notify", &values),
        }
    }

    /// The trigger: the REGISTER is written.
    fn lose(&mut self) {
        let evidence = Evidence::BearerLost;
        let lost = Command::AccessLost {
            ue: Ue::at(CONTACT),
            evidence,
        };
        self.node.command(NOW, lost, &mut self.out).unwrap();
        let is_request = |output| matches!(output, Output::Request { .. });
        assert!(self.out.iter().any(is_request));
    }

    /// The NOTIFY: it is answered, and the first step of the cleanup asked for.
    fn notify(&mut self) {
        let txn = TransactionRef(1);
        self.node
            .receive(NOW, Source::TrustedCore, txn, &self.notify, &mut self.out)
            .unwrap();
        let asked = |output| {
            matches!(
                output,
                Output::Ask {
                    question: Question::OwedDelivery { .. },
                    ..
                }
            )
        };
        assert!(self.out.iter().any(asked));
        let answered = |output| matches!(output, Output::Respond { status: 200, .. });
        assert!(self.out.iter().any(answered));
    }
}

fn sent(out: &Outbox<Pcscf>) -> (Token, Vec<u8>) {
    match out.iter().next() {
        Some(Output::Request { token, bytes, .. }) => (token, bytes.to_vec()),
        other => panic!("{other:?}"),
    }
}

/// The REGISTER of the fixtures' user, or its 200.
fn registering(which: &str) -> Vec<u8> {
    let (start, expires, rest) = match which {
        "200" => (
            "SIP/2.0 200 OK",
            ";expires=3600",
            "P-Associated-URI: <sip:user1_public1@home1.example.net>, <tel:+12125551111>\r\n\
             Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n",
        ),
        _ => (
            "REGISTER sip:home1.example.net SIP/2.0",
            "",
            "Authorization: Digest username=\"user1_private@home1.example.net\",\
             realm=\"home1.example.net\",nonce=\"x\",uri=\"sip:home1.example.net\",response=\"\"\r\n",
        ),
    };
    let contact = String::from_utf8_lossy(CONTACT);
    format!(
        "{start}\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bKp1\r\n\
         From: <sip:user1_public1@home1.example.net>;tag=4fa3\r\n\
         To: <sip:user1_public1@home1.example.net>;tag=409sp3\r\n\
         Call-ID: apb03a0s09dkjdfglkj49111\r\nCSeq: 1 REGISTER\r\n\
         Contact: <{contact}>;+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\";reg-id=1{expires}\r\n\
         Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n\
         {rest}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn procedure(c: &mut Criterion) {
    let mut group = c.benchmark_group("pcscf");
    group.bench_function("access lost to REGISTER", |b| {
        b.iter_batched_ref(Subscribed::new, Subscribed::lose, BatchSize::SmallInput);
    });
    group.bench_function("NOTIFY to 200 and cleanup", |b| {
        let lost = || {
            let mut subscribed = Subscribed::new();
            subscribed.lose();
            subscribed.out.clear();
            subscribed
        };
        b.iter_batched_ref(lost, Subscribed::notify, BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, documents, procedure);
criterion_main!(benches);
