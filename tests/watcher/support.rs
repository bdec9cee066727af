//! Documents, and a table as text.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use ims_procedures::{
    drive::{Limits, Millis},
    regevent::watcher::{
        Applied, Change, ContactRow, Discarded, Quirks, RegistrationRow, Taking, Watcher,
    },
    reginfo::{ContactEvent, ContactState, IndicationHandling, PolicyAction, RegistrationState},
};

pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The files of a folder of fixtures that end so.
pub fn fixtures(name: &str, ending: &str) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.ends_with(ending))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder("reginfo").join(name)).unwrap()
}

/// A document: `full 3`, and what stands in it.
pub fn document(head: &str, inside: &str) -> Vec<u8> {
    let (state, version) = head.split_once(' ').unwrap();
    format!(
        r#"<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="{version}" state="{state}">{inside}</reginfo>"#
    )
    .into_bytes()
}

pub fn registration(aor: &str, id: &str, state: &str, inside: &str) -> String {
    format!(r#"<registration aor="{aor}" id="{id}" state="{state}">{inside}</registration>"#)
}

/// A contact: `active registered`, and what stands in it beside its URI.
pub fn contact(id: &str, head: &str, uri: &str, inside: &str) -> String {
    let (state, event) = head.split_once(' ').unwrap();
    format!(
        r#"<contact id="{id}" state="{state}" event="{event}"><uri>{uri}</uri>{inside}</contact>"#
    )
}

/// A watcher that is given documents ten seconds and one CSeq apart.
#[derive(Debug, Default)]
pub struct Bed {
    pub watcher: Watcher,
    pub limits: Limits,
    pub quirks: Quirks,
    pub now: Millis,
    pub cseq: u32,
}

impl Bed {
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies a document that is not refused.
    #[track_caller]
    pub fn apply(&mut self, document: impl AsRef<[u8]>) -> Applied {
        self.cseq += 1;
        let applied = self.watcher.apply(
            self.now,
            document.as_ref(),
            self.cseq,
            &self.limits,
            self.quirks,
        );
        self.now = self.now.after(10_000);
        applied.unwrap()
    }

    /// Applies a document and shows the table.
    #[track_caller]
    pub fn table(&mut self, document: impl AsRef<[u8]>) -> String {
        self.apply(document);
        shown(&self.watcher)
    }

    #[track_caller]
    pub fn check(&mut self, document: impl AsRef<[u8]>, table: &[&str]) {
        let shown = self.table(document);
        assert_eq!(shown.lines().collect::<Vec<_>>(), table);
    }
}

/// What became of a document, in a line.
pub fn outcome(applied: &Applied) -> String {
    let taking = match applied.taking {
        Taking::Process { gap: false } => "processed",
        Taking::Process { gap: true } => "processed after a gap",
        Taking::Discard(Discarded::Repeated) => "discarded as repeated",
        Taking::Discard(Discarded::Older) => "discarded as older",
    };
    let all_terminated = match applied.all_terminated {
        true => ", all terminated",
        false => "",
    };
    format!(
        "{} {} {taking}, {} changed{all_terminated}",
        applied.state.as_str(),
        applied.version,
        applied.changed
    )
}

/// One line for each row: its change (`+` added, `~` updated, `x` terminated, `-` omitted, `=` none), and all that
/// it holds.
pub fn shown(watcher: &Watcher) -> String {
    let mut text = String::new();
    for row in watcher.registrations() {
        show_registration(row, &mut text);
        for contact in row.contacts() {
            show_contact(contact, &mut text);
        }
    }
    text
}

fn mark(change: Option<Change>) -> char {
    match change {
        None => '=',
        Some(Change::Added) => '+',
        Some(Change::Updated) => '~',
        Some(Change::Terminated) => 'x',
        Some(Change::Omitted) => '-',
    }
}

fn show_registration(row: &RegistrationRow, text: &mut String) {
    let is_active = row.state == RegistrationState::Active && row.change != Some(Change::Omitted);
    assert_eq!(row.is_active(), is_active);
    let RegistrationRow { aor, id, state, .. } = row;
    write!(text, "{} {aor} {id} {}", mark(row.change), state.as_str()).unwrap();
    if let Some(identity) = &row.wildcarded_identity {
        write!(text, " wildcard={identity}").unwrap();
    }
    for action in row.policy.iter().flatten() {
        match action {
            PolicyAction::ResourcePriority { namespace, value } => {
                write!(text, " rph={namespace}.{value}").unwrap();
            }
            PolicyAction::PrivilegedSender => text.push_str(" privSender"),
            PolicyAction::PrivateNetworkIndication { handling, domain } => {
                let handling = handling.map_or("?", IndicationHandling::as_str);
                write!(text, " pni={handling}:{}", domain.as_deref().unwrap_or("?")).unwrap();
            }
            PolicyAction::PrivilegedSenderForPrivateTraffic => text.push_str(" privSenderPNI"),
        }
    }
    text.push('\n');
}

fn show_contact(row: &ContactRow, text: &mut String) {
    let contact = &row.contact;
    let is_active = contact.state == ContactState::Active && row.change != Some(Change::Omitted);
    assert_eq!(row.is_active(), is_active);
    let event = contact.event.map_or("?", ContactEvent::as_str);
    let (mark, state) = (mark(row.change), contact.state.as_str());
    write!(
        text,
        "  {mark} {} {state} {event} {}",
        contact.id, contact.uri
    )
    .unwrap();
    let temp_gruu = contact.temp_gruu.as_ref();
    let until = row.expires_at.map(|at| match at.0 % 1_000 {
        0 => at.0 / 1_000,
        _ => u64::MAX,
    });
    for (name, number) in [
        ("expires", contact.expires),
        ("until", until),
        ("retry-after", contact.retry_after),
        ("duration", contact.duration_registered),
        ("cseq", contact.cseq),
        ("first-cseq", temp_gruu.and_then(|gruu| gruu.first_cseq)),
    ] {
        if let Some(number) = number {
            write!(text, " {name}={number}").unwrap();
        }
    }
    for (name, value) in [
        ("q", &contact.q),
        ("callid", &contact.callid),
        ("name", &contact.display_name),
        ("lang", &contact.display_name_lang),
        ("pub-gruu", &contact.pub_gruu),
        ("temp-gruu", &temp_gruu.map(|gruu| gruu.uri.clone())),
    ] {
        if let Some(value) = value {
            write!(text, " {name}={value}").unwrap();
        }
    }
    for (name, value) in &contact.params {
        write!(text, " {name}:{value}").unwrap();
    }
    text.push('\n');
}
