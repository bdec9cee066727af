//! What came of a case, and the table at the end.

use ims_procedures::cpm::{End, Ends, Recording, Scope};

use crate::{aligned::aligned, cases::Case, function::Function, peer::Peer, store::Store};

/// How a BYE was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// `None` if it was not, in 64·T1.
    pub status: Option<u16>,
    pub has_uid: bool,
    /// Milliseconds.
    pub after: u64,
}

/// A request that somebody was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub method: String,
    pub has_uid: bool,
}

/// What came of a case, or must; in words, so that the one stands beside the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whose BYE was answered how, after how many milliseconds.
    pub answers: String,
    /// Who was sent what.
    pub sent: String,
    /// In which of that Message-UID stands.
    pub uid: String,
    /// How each leg ended.
    pub ends: String,
    /// Whose media plane resources were released.
    pub media: String,
    /// What became of the session's record.
    pub record: String,
    /// What must not be, whatever the case.
    pub faults: Vec<String>,
}

impl Outcome {
    pub fn of(function: &Function, peers: &[Peer], store: &Store) -> Self {
        let journal = &function.journal;
        let answered = peers
            .iter()
            .filter_map(|peer| Some((peer.name(), peer.answered?)));
        let got = || {
            let peers = peers.iter();
            peers.flat_map(|peer| peer.got.iter().map(|got| (peer.name(), got)))
        };
        let answers = answered.clone().map(|(name, answered)| {
            let Answered { status, after, .. } = answered;
            match status {
                Some(status) => format!("{name} {status} {after}"),
                None => format!("{name} none {after}"),
            }
        });
        let in_answers = answered
            .filter(|(_, answered)| answered.has_uid)
            .map(|(name, answered)| format!("{name} {}", answered.status.unwrap_or_default()));
        let in_requests = got()
            .filter(|(_, got)| got.has_uid)
            .map(|(name, got)| format!("{name} {}", got.method));
        Self {
            answers: listed(answers),
            sent: listed(got().map(|(name, got)| format!("{name} {}", got.method))),
            uid: listed(in_answers.chain(in_requests)),
            ends: listed(ends(&journal.ends)),
            media: listed(journal.released.iter().map(|scope| match scope {
                Scope::Session => "session".to_owned(),
                Scope::Iwf(iwf) => format!("iwf{}", iwf + 1),
            })),
            record: match (journal.closed, journal.recording) {
                (0, _) => "goes on",
                (_, Recording::NotAllowed) => "not stored",
                (_, Recording::Stored) => "stored",
                (_, Recording::StoredWithoutUid) => "stored without UID",
                (_, Recording::StoredLate) => "stored late",
                (_, Recording::Failed) => "failed",
                (_, _) => "no answer",
            }
            .to_owned(),
            faults: faults(function, store),
        }
    }

    /// Where it is not as the case wants it.
    pub fn complaints(&self, case: &Case) -> Vec<String> {
        let pairs = [
            ("answers", &self.answers, &case.expected.answers),
            ("sent", &self.sent, &case.expected.sent),
            ("Message-UID", &self.uid, &case.expected.uid),
            ("ends", &self.ends, &case.expected.ends),
            ("media", &self.media, &case.expected.media),
            ("record", &self.record, &case.expected.record),
        ];
        let name = &case.name;
        let differ = pairs.into_iter().filter(|(_, is, must)| is != must);
        let differ = differ.map(|(what, is, must)| format!("{name}: {what}: {is}, not {must}"));
        let faults = self.faults.iter().map(|fault| format!("{name}: {fault}"));
        differ.chain(faults).collect()
    }
}

/// What must not be, whatever the case.
fn faults(function: &Function, store: &Store) -> Vec<String> {
    let journal = &function.journal;
    let late = !journal.released.is_empty() && !journal.released_first;
    let all = [
        (late, "media plane resources were not released first"),
        (store.keys.len() > 1, "the store was asked with two keys"),
        (journal.closed > 1, "the session was closed twice"),
        (function.sessions() != 0, "the node still has a session"),
    ];
    let all = all.into_iter().filter(|(is_so, _)| *is_so);
    all.map(|(_, what)| what.to_owned()).collect()
}

/// How each leg ended, of those that there are.
fn ends(ends: &Ends) -> impl Iterator<Item = String> {
    let [iwf1, iwf2, ..] = ends.iwfs;
    let all = [
        ("client", ends.client),
        ("other", ends.other),
        ("iwf1", iwf1),
        ("iwf2", iwf2),
    ];
    let all = all.into_iter().filter_map(|(who, end)| Some((who, end?)));
    all.map(|(who, end)| match end {
        End::ByItself => format!("{who} itself"),
        End::Crossed => format!("{who} crossing"),
        End::Answered(status) => format!("{who} {status}"),
        End::NoResponse => format!("{who} silent"),
        _ => format!("{who} {end:?}"),
    })
}

/// Things in a row, or a dash.
fn listed(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    match all.is_empty() {
        true => "-".to_owned(),
        false => all.join(", "),
    }
}

/// A row for each case.
pub fn table(outcomes: &[(&Case, Outcome)]) -> String {
    let headings = [
        "case",
        "whose BYE got which answer, after ms",
        "Message-UID",
        "media released",
        "record",
        "as it must",
    ];
    let mut rows = vec![headings.map(str::to_owned)];
    for (case, outcome) in outcomes {
        let as_it_must = match outcome.complaints(case).is_empty() {
            true => "yes",
            false => "NO",
        };
        let uid = match outcome.uid.as_str() {
            "-" => "no".to_owned(),
            uid => format!("yes: {uid}"),
        };
        rows.push([
            case.name.clone(),
            outcome.answers.clone(),
            uid,
            outcome.media.clone(),
            outcome.record.clone(),
            as_it_must.to_owned(),
        ]);
    }
    aligned(&rows, |_| false)
}
