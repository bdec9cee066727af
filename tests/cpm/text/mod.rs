//! Each numbered item of 8.2.2.3 and 8.3.2.3 has a test of its own, on bytes: named by its number, citing its line of
//! the text (S3). Whole flows are in `tests/cpm/originating.rs` and `tests/cpm/terminating.rs`.

mod originating;
mod terminating;

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    messages::Session,
    support::{Host, Out, Terms},
};

/// The items of 8.2.2.3: the line in S3, and the number; what a proxy does has none. The list begins at 3 there.
const ORIGINATING: [(u32, &str); 31] = [
    (43, "proxy"),
    (46, "3"),
    (48, "4"),
    (49, "4.a"),
    (51, "4.a.i"),
    (53, "4.a.ii"),
    (54, "4.b"),
    (56, "4.b.i"),
    (57, "4.b.ii"),
    (58, "4.c"),
    (60, "4.c.i"),
    (62, "4.c.ii"),
    (63, "4.c.ii.1"),
    (64, "4.c.ii.2"),
    (65, "4.c.iii"),
    (67, "5"),
    (69, "5.a"),
    (70, "5.b"),
    (71, "5.b.i"),
    (72, "5.b.ii"),
    (73, "5.c"),
    (74, "5.d"),
    (76, "6"),
    (77, "6.a"),
    (79, "6.b"),
    (81, "6.b.i"),
    (82, "6.b.ii"),
    (83, "6.b.ii.1"),
    (84, "6.b.ii.2"),
    (85, "6.b.iii"),
    (86, "6.b.iv"),
];

/// The items of 8.3.2.3.
const TERMINATING: [(u32, &str); 28] = [
    (95, "proxy"),
    (98, "1"),
    (100, "2"),
    (101, "2.a"),
    (102, "2.b"),
    (103, "2.c"),
    (105, "2.c.i"),
    (107, "2.c.ii"),
    (108, "2.c.ii.1"),
    (109, "2.c.ii.2"),
    (110, "2.c.iii"),
    (112, "3"),
    (114, "3.a"),
    (115, "3.b"),
    (117, "3.b.i"),
    (119, "3.b.ii"),
    (121, "3.c"),
    (123, "3.c.i"),
    (124, "3.c.ii"),
    (125, "3.c.iii"),
    (126, "3.d"),
    (128, "4"),
    (130, "4.a"),
    (132, "4.b"),
    (134, "4.b.i"),
    (135, "4.b.ii"),
    (136, "4.b.iii"),
    (137, "4.b.iv"),
];

const REASON: &str = "SIP ;cause=200 ;text=\"Call completed elsewhere\"";
const UID: &str = "4711";

/// Where requests through the core go first, whichever leg they are for.
const CORE: &str = "sip:scscf1.home1.example.net:6060;lr";

/// Where those for each IWF go first: the first has no route set, the last a strict router.
const IWFS: [&str; 3] = [
    "sip:sms-7f@iwf-sms.home1.example.net:5080",
    "sip:iwf-edge.home1.example.net:5090;lr",
    "sip:im-edge.home1.example.net:5090",
];

/// A session that is being closed, and what was put out last.
struct Flow {
    host: Host,
    outs: Vec<Out>,
}

impl Flow {
    /// A BYE comes, the first.
    #[track_caller]
    fn begin(session: Session, terms: Terms, bye: &str) -> Self {
        let uid = if terms.stores { UID } else { "" };
        let mut host = Host::with(session.with(REASON, uid), terms);
        let outs = host.receive(bye);
        Self { host, outs }
    }

    /// The only output that matters of those that were put out last: all but the release of resources.
    #[track_caller]
    fn only(&self) -> Out {
        let outs: Vec<_> = self.rest().collect();
        let [out] = outs[..] else {
            panic!("{outs:?}");
        };
        out.clone()
    }

    /// What was put out last, but for the release of resources.
    fn rest(&self) -> impl Iterator<Item = &Out> {
        let is_release = |out: &&Out| matches!(out, Out::Ask { .. }) && !out.is_storage();
        self.outs.iter().filter(move |out| !is_release(out))
    }

    /// Checks that requests were put out last, those of these fixtures and no others.
    #[track_caller]
    fn expect_requests(&mut self, names: &[&str]) {
        let requests: Vec<Out> = self.rest().cloned().collect();
        assert_eq!(requests.len(), names.len(), "{requests:?}");
        for (name, request) in names.iter().zip(&requests) {
            self.host.expect(name, request);
        }
    }

    /// Where each request that was put out last goes first.
    fn hops(&self) -> Vec<String> {
        let requests = self.rest().filter_map(|out| match out {
            Out::Request { hops, .. } => Some(hops[0].clone()),
            _ => None,
        });
        requests.collect()
    }

    /// The store gives the UID.
    #[track_caller]
    fn store(mut self) -> Self {
        let question = self.only();
        assert!(question.is_storage());
        self.outs = self.host.stored(&question);
        self
    }

    /// Each request is answered 200; nothing comes of it before the last one is.
    #[track_caller]
    fn answer_all(mut self, names: &[&str]) -> Self {
        self.expect_requests(names);
        let requests: Vec<Out> = self.rest().cloned().collect();
        self.outs = Vec::new();
        for (name, request) in names.iter().zip(&requests) {
            assert_eq!(self.outs, [], "before {name} is answered");
            let answer = format!("{name}_answer");
            self.outs = self.host.respond(request, &answer, "200 OK");
        }
        self
    }

    /// The 200 to the BYE that began it, which is among what was put out last.
    #[track_caller]
    fn answer(&self) -> Out {
        let out = self.outs.first().expect("an output");
        assert!(out.is_response(1, 200), "{out:?}");
        out.clone()
    }
}

/// The fixtures of the BYEs to so many IWFs.
fn byes_to_iwfs(count: usize) -> Vec<&'static str> {
    let all = ["bye_to_iwf1", "bye_to_iwf2", "bye_to_iwf3"];
    all[..count].to_vec()
}

/// The name of the test of an item.
fn test_of(item: &str) -> String {
    match item {
        "proxy" => item.to_owned(),
        numbered => format!("item_{}", numbered.replace('.', "_")),
    }
}

/// What the tests of a file beside this folder are called, and what is said of each.
pub fn tests_in(file: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cpm")
        .join(file);
    let text = fs::read_to_string(&path).expect("a file of tests");
    let mut tests = Vec::new();
    let (mut doc, mut is_test) = (String::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            doc += more;
        } else if line == "#[test]" {
            is_test = true;
        } else {
            let name = line
                .strip_prefix("fn ")
                .and_then(|rest| rest.split('(').next());
            if let (true, Some(name)) = (is_test, name) {
                tests.push((name.to_owned(), doc.clone()));
            }
            (doc, is_test) = (String::new(), false);
        }
    }
    tests
}

/// [CP-7] Each item of the text has its test, which cites its line and a requirement; and there is no other test.
#[test]
fn every_item() {
    for (file, items) in [
        ("text/originating.rs", &ORIGINATING[..]),
        ("text/terminating.rs", &TERMINATING[..]),
    ] {
        let tests = tests_in(file);
        for (line, item) in items {
            let name = test_of(item);
            let doc = tests
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, doc)| doc);
            let doc = doc.unwrap_or_else(|| panic!("{file}: no test of {item}, S3 L{line}"));
            assert!(
                doc.contains(&format!("(S3 L{line})")),
                "{file}: {item}: {doc}"
            );
            assert!(doc.trim_start().starts_with("[C"), "{file}: {item}: {doc}");
        }
        let known: BTreeSet<String> = items.iter().map(|(_, item)| test_of(item)).collect();
        let found: BTreeSet<String> = tests.into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, known, "{file}");
    }
}
