//! [SD-1] The recognition table: source × P-Asserted-Identity × Path × Via × `integrity-protected`, every combination.
//!
//! `tests/fixtures/recognition.txt` has a row for each, with the verdict and its reasons. The rule that SD-1 gives is
//! written down here once more, in terms of the columns, and the file must be what it says: so a row is read by people,
//! the rule by reviewers, and both are held against [`recognise`] and against a node that has the binding.

use std::fmt::Write as _;

use super::support::*;
use ims_procedures::{
    drive::{Limits, Source},
    scscf::{Answer, Border, Elements, Reasons, Recognition, recognise},
    wire::Message,
};

const TABLE: &str = include_str!("../fixtures/recognition.txt");

/// The columns: a name for the table, and what it stands for.
const SOURCES: [(&str, Source); 3] = [
    ("core", Source::TrustedCore),
    ("ue", Source::Ue),
    ("unknown", Source::Unknown),
];
const ASSERTED: [(&str, &[&str]); 7] = [
    ("none", &[]),
    ("owner", &["sip:pcscf1.visited1.example.net:5070"]),
    (
        "owner-user",
        &["sip:any@PCSCF1.visited1.example.net:5070;lr"],
    ),
    ("border", &["sip:hidden.visited1.example.net"]),
    ("foreign", &["sip:pcscf2.visited1.example.net:5070"]),
    ("user", &[PUBLIC]),
    (
        "owner+user",
        &["sip:pcscf1.visited1.example.net:5070", PUBLIC],
    ),
];
const PATHS: [(&str, Option<&str>); 6] = [
    ("owner", Some(PATH)),
    (
        "foreign",
        Some("<sip:term@pcscf7.visited1.example.net:5070;lr>"),
    ),
    ("msc", Some("<sip:term@msc1.visited1.example.net:5060;lr>")),
    ("none", Some("")),
    ("unbound", None),
    (FORGED_PATH, None),
];
const VIAS: [(&str, &[&str]); 7] = [
    ("owner", &[OWNER]),
    ("icscf,owner", &["icscf.home1.example.net", OWNER]),
    ("owner,ue", &[OWNER, "192.0.2.7:5060"]),
    ("icscf,ue", &["icscf.home1.example.net", "192.0.2.7:5060"]),
    (FORGED_VIA, &["192.0.2.33:5070", OWNER]),
    ("msc", &["msc1.visited1.example.net:5060"]),
    ("other-port", &["pcscf1.visited1.example.net:5071"]),
];
const PROTECTED: [(&str, Option<&str>); 5] = [
    ("no-header", None),
    ("absent", Some("")),
    ("no", Some(",integrity-protected=\"no\"")),
    ("yes", Some(",integrity-protected=\"yes\"")),
    ("auth-done", Some(",integrity-protected=\"auth-done\"")),
];
/// Path forged by the UE: nothing is bound, and the REGISTER has a Path in the name of the MSC server.
const FORGED_PATH: &str = "forged";
/// Via forged in the owner's name: a UE has written it below that of its P-CSCF, which stands there by its address.
const FORGED_VIA: &str = "ip,owner";
const OWNER: &str = "pcscf1.visited1.example.net:5070";

/// How the reasons are called in the table.
const NAMES: [(&str, Reasons); 8] = [
    ("untrusted-source", Reasons::UNTRUSTED_SOURCE),
    ("no-asserted-identity", Reasons::NO_ASSERTED_IDENTITY),
    ("path-mismatch", Reasons::PATH_MISMATCH),
    ("foreign-via", Reasons::FOREIGN_VIA),
    ("not-protected", Reasons::NOT_PROTECTED),
    ("unknown-binding", Reasons::UNKNOWN_BINDING),
    ("no-path", Reasons::NO_PATH),
    ("wildcard", Reasons::WILDCARD),
];

/// What a REGISTER is recognised as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Pcscf,
    User,
    Authenticated,
    NotBoundHere,
    /// With the bits of the reasons.
    Suspicious(u8),
}

/// A combination: the places in the columns.
#[derive(Clone, Copy)]
struct Row {
    source: usize,
    asserted: usize,
    path: usize,
    via: usize,
    protected: usize,
}

fn rows() -> impl Iterator<Item = Row> {
    let sizes = [
        SOURCES.len(),
        ASSERTED.len(),
        PATHS.len(),
        VIAS.len(),
        PROTECTED.len(),
    ];
    (0..sizes.iter().product::<usize>()).map(move |number| {
        let mut rest = number;
        let mut places = [0; 5];
        for (place, size) in places.iter_mut().zip(sizes).rev() {
            (*place, rest) = (rest % size, rest / size);
        }
        let [source, asserted, path, via, protected] = places;
        Row {
            source,
            asserted,
            path,
            via,
            protected,
        }
    })
}

impl Row {
    /// The five columns as the table has them.
    fn names(self) -> [&'static str; 5] {
        [
            SOURCES[self.source].0,
            ASSERTED[self.asserted].0,
            PATHS[self.path].0,
            VIAS[self.via].0,
            PROTECTED[self.protected].0,
        ]
    }

    /// [SD-1, SD-2] The rule.
    fn verdict(self) -> Verdict {
        let [source, asserted, path, via, protected] = self.names();
        // Whose Path the binding has, which is whose Via the REGISTER must begin with. The foreign P-CSCF put none
        // of the Vias.
        let has_owner = matches!(path, "owner" | "foreign" | "msc");
        let has_pcscf1_below = matches!(via, "owner" | "icscf,owner" | FORGED_VIA);
        let began_at_owner =
            (path == "owner" && has_pcscf1_below) || (path == "msc" && via == "msc");
        // "No UE address in Via" alone is never enough, but it makes it look like a P-CSCF's.
        let speaks_for_another = !matches!(asserted, "none" | "user");
        // [SD-2] The one element that is configured for it has authenticated the user by other means, and speaks for nobody
        // else.
        let is_authenticated = source == "core" && protected == "auth-done";
        if is_authenticated && path == "msc" && began_at_owner && !speaks_for_another {
            return Verdict::Authenticated;
        }
        if !speaks_for_another && !began_at_owner {
            return Verdict::User;
        }
        let is_pcscf1 = matches!(asserted, "owner" | "owner-user" | "border");
        let against = [
            (source != "core", Reasons::UNTRUSTED_SOURCE),
            (asserted == "none", Reasons::NO_ASSERTED_IDENTITY),
            (
                has_owner && asserted != "none" && !(path == "owner" && is_pcscf1),
                Reasons::PATH_MISMATCH,
            ),
            (has_owner && !began_at_owner, Reasons::FOREIGN_VIA),
            (protected == "no", Reasons::NOT_PROTECTED),
            (
                matches!(path, "unbound" | FORGED_PATH),
                Reasons::UNKNOWN_BINDING,
            ),
            (path == "none", Reasons::NO_PATH),
        ];
        let against = against.iter().filter(|(is, _)| *is);
        let against = against.fold(0, |bits, (_, reason)| bits | reason.bits());
        // [SD-3] Nothing is bound: the Path of the REGISTER itself, which is pcscf1's, stands in.
        let proves_itself = path == "unbound" && is_pcscf1 && has_pcscf1_below;
        match against {
            0 => Verdict::Pcscf,
            alone if alone == Reasons::UNKNOWN_BINDING.bits() && proves_itself => {
                Verdict::NotBoundHere
            }
            reasons => Verdict::Suspicious(reasons),
        }
    }

    /// The line of the table.
    fn line(self) -> String {
        let mut line = String::new();
        for (name, width) in self.names().into_iter().zip([8, 11, 8, 12, 10]) {
            write!(line, "{name:width$}").unwrap();
        }
        let verdict = match self.verdict() {
            Verdict::Pcscf => "pcscf-initiated".to_string(),
            Verdict::User => "user-initiated".to_string(),
            Verdict::Authenticated => "user-authenticated".to_string(),
            Verdict::NotBoundHere => "not-bound-here".to_string(),
            Verdict::Suspicious(bits) => {
                let named = NAMES.iter().filter(|(_, reason)| reason.bits() & bits != 0);
                let named: Vec<_> = named.map(|(name, _)| *name).collect();
                format!("suspicious: {}", named.join(" "))
            }
        };
        line + &verdict
    }

    /// The REGISTER.
    fn request(self) -> String {
        let asserted = ASSERTED[self.asserted].1.iter();
        let asserted: String = asserted
            .map(|uri| format!("P-Asserted-Identity: <{uri}>\r\n"))
            .collect();
        let vias: String = (VIAS[self.via].1.iter().enumerate())
            .map(|(number, by)| format!("Via: SIP/2.0/UDP {by};branch=z9hG4bKv{number}\r\n"))
            .collect();
        let mut request = register();
        request = replaced(&request, "Via: ", &vias);
        if self.names()[2] == FORGED_PATH {
            let path = "Path: <sip:term@msc1.visited1.example.net:5060;lr>\r\n";
            request = replaced(&request, "Path: ", path);
        }
        request = replaced(&request, "P-Asserted-Identity: ", &asserted);
        match PROTECTED[self.protected].1 {
            None => replaced(&request, "Authorization: ", ""),
            Some(parameter) => {
                let fixture = ",integrity-protected=\"auth-done\"";
                assert!(request.contains(fixture));
                request.replace(fixture, parameter)
            }
        }
    }

    fn host(self) -> Host {
        let mut config = config();
        config.borders = borders();
        config.authenticating = authenticating();
        let mut host = Host::new(config);
        let contact = match PATHS[self.path].1 {
            Some(_) => Registration::default(),
            None => Registration::of("sip:[2001:db8::ccc]:1357", ""),
        };
        host.learn(&Registration {
            path: PATHS[self.path].1.unwrap_or(PATH),
            ..contact
        });
        host
    }
}

/// The message with the one header that begins so replaced.
fn replaced(message: &str, begin: &str, by: &str) -> String {
    let at = message.find(&format!("\r\n{begin}")).unwrap() + 2;
    let end = at + message[at..].find("\r\n").unwrap() + 2;
    format!("{}{by}{}", &message[..at], &message[end..])
}

fn borders() -> Vec<Border> {
    vec![Border {
        path_owner: b"sip:pcscf1.visited1.example.net:5070".to_vec(),
        asserted: b"sip:hidden.visited1.example.net".to_vec(),
    }]
}

fn authenticating() -> Vec<Vec<u8>> {
    vec![b"sip:msc1.visited1.example.net:5060".to_vec()]
}

/// [SD-1] The file has every combination, and says what the rule says.
#[test]
fn the_table_is_whole() {
    let (head, table): (Vec<&str>, Vec<&str>) =
        TABLE.lines().partition(|line| line.starts_with('#'));
    assert!(!head.is_empty());
    let expected: Vec<String> = rows().map(Row::line).collect();
    assert_eq!(expected.len(), 3 * 7 * 6 * 7 * 5);
    for (line, expected) in table.iter().zip(&expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(table.len(), expected.len());
}

/// [SD-1, T53] The function says so of every combination.
#[test]
fn by_the_function() {
    let (borders, authenticating) = (borders(), authenticating());
    let elements = Elements {
        borders: &borders,
        authenticating: &authenticating,
    };
    for row in rows() {
        let request = row.request();
        let message = Message::parse(request.as_bytes(), &Limits::default()).unwrap();
        let path = PATHS[row.path].1.map(str::as_bytes);
        let identities = [PUBLIC.as_bytes(), TEL.as_bytes()];
        let found = recognise(
            SOURCES[row.source].1,
            &message,
            [path].into_iter(),
            identities.into_iter(),
            elements,
        );
        let found = match found.unwrap() {
            Recognition::PcscfInitiated => Verdict::Pcscf,
            Recognition::UserInitiated => Verdict::User,
            Recognition::UserAuthenticated => Verdict::Authenticated,
            Recognition::NotBoundHere => Verdict::NotBoundHere,
            Recognition::Suspicious(reasons) => Verdict::Suspicious(reasons.bits()),
        };
        assert_eq!(found, row.verdict(), "{}", row.line());
    }
}

/// [SD-1, SD-2, SD-3] The node does so with every combination: no security function for the P-CSCF beyond doubt, nor for
/// a user who is authenticated, a report and the user's way for the suspicious, and no change until the user is authenticated.
#[test]
fn by_a_node() {
    for row in rows() {
        let line = row.line();
        let mut host = row.host();
        let (_, outs) = host.receive_from(SOURCES[row.source].1, row.request().as_bytes());
        match (row.verdict(), &outs[..]) {
            (
                Verdict::Pcscf | Verdict::Authenticated,
                [
                    Out::Ask {
                        ask: Ask::DialogRelease { .. },
                        ..
                    },
                ],
            ) => assert!(!host.node.is_registered(PUBLIC.as_bytes()), "{line}"),
            // A private identity that has other bindings here is not asked about.
            (Verdict::NotBoundHere, [Out::Event(Ev::Suspicious { reasons, .. }), end]) => {
                assert_eq!(*reasons, Reasons::UNKNOWN_BINDING, "{line}");
                let outs = match end {
                    Out::Ask {
                        ask: Ask::ServerAssignment { private, .. },
                        ..
                    } => {
                        assert_ne!(private, PRIVATE, "{line}");
                        host.answer(end, Answer::Failed)
                    }
                    _ => vec![end.clone()],
                };
                assert_eq!(outs[0].status(), 481, "{line}");
                assert!(host.node.is_registered(PUBLIC.as_bytes()), "{line}");
            }
            (Verdict::User, [ask]) => stays(&mut host, ask, 0, &line),
            (Verdict::Suspicious(bits), [Out::Event(Ev::Suspicious { reasons, .. }), ask]) => {
                assert_eq!(reasons.bits(), bits, "{line}");
                stays(&mut host, ask, bits, &line);
            }
            _ => panic!("{line}: {outs:?}"),
        }
    }
}

/// The verdict on the user is asked, with these reasons; as long as it is not there nothing changes, nor when it is
/// refused.
fn stays(host: &mut Host, ask: &Out, bits: u8, line: &str) {
    let Out::Ask {
        ask: Ask::Authentication { reasons, .. },
        ..
    } = ask
    else {
        panic!("{line}: {ask:?}");
    };
    assert_eq!(reasons.bits(), bits, "{line}");
    assert!(host.node.is_registered(PUBLIC.as_bytes()), "{line}");
    let [refusal] = host.answer(ask, Answer::Denied).try_into().unwrap();
    assert_eq!(refusal.status(), 403, "{line}");
    assert!(host.node.is_registered(PUBLIC.as_bytes()), "{line}");
    assert!(host.ticks().is_empty(), "{line}");
}
