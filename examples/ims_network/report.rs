//! What came of it: who is registered where, and the table at the end.

use std::{collections::BTreeSet, fmt::Write};

use ims_procedures::pcscf::{Cause, Outcome};

use crate::{
    aligned::aligned,
    ladder_html::escaped,
    options::Options,
    provisioning::{User, set_of},
    world::{Effort, World},
};

/// Everything that is not as it must be: a lost user left registered anywhere, or another one that is not.
pub fn complaints(world: &World, options: &Options) -> Vec<String> {
    let mut complaints = Vec::new();
    for ue in &world.ues {
        let user = &ue.user;
        if ue.registered().is_none() {
            complaints.push(format!("user {} could not register", user.number));
        }
        let expected = !options.lost.contains(&user.number);
        for (place, registered) in own_registrations(world, user) {
            complaints.extend(complaint(user, place, registered, expected));
        }
        let others = world.ues.iter().map(|ue| ue.user.number);
        let expected = others
            .filter(|&other| set_of(other) == set_of(user.number))
            .any(|other| !options.lost.contains(&other));
        for (place, registered) in registrations_of_set(world, user) {
            complaints.extend(complaint(user, place, registered, expected));
        }
    }
    // Two users of one set may have the same complaint.
    let unique: BTreeSet<String> = complaints.into_iter().collect();
    unique.into_iter().collect()
}

/// Where this very user is registered.
fn own_registrations(world: &World, user: &User) -> [(&'static str, bool); 3] {
    let journal = &world.scscf.journal;
    [
        ("the P-CSCF", world.pcscf.is_registered(&user.contact)),
        ("the S-CSCF", journal.is_bound(&user.private_identity)),
        (
            "the HSS",
            journal.hss.is_assigned(user.private_identity.as_bytes()),
        ),
    ]
}

/// Where anybody is registered with the public identities of this user.
fn registrations_of_set(world: &World, user: &User) -> Vec<(&'static str, bool)> {
    let mut places = Vec::new();
    for identity in &user.public_identities {
        places.push((
            "the S-CSCF under a public identity",
            world.scscf.is_registered(identity),
        ));
    }
    if let Some(default) = user.public_identities.first() {
        places.push((
            "the application server",
            world.application_server.is_registered(default),
        ));
    }
    places
}

fn complaint(user: &User, place: &str, registered: bool, expected: bool) -> Option<String> {
    let number = user.number;
    match (registered, expected) {
        (true, false) => Some(format!("user {number} is still registered at {place}")),
        (false, true) => Some(format!("user {number} is no longer registered at {place}")),
        _ => None,
    }
}

const HEADINGS: [&str; 6] = [
    "user",
    "cause",
    "outcome",
    "messages",
    "virtual ms",
    "real ms",
];

/// A row for each user: the numbers of a lost one are those of the deregistration. Of many users, only the lost
/// ones and those who share their identities have a row of their own.
fn rows(world: &World, options: &Options) -> Vec<[String; 6]> {
    let is_shown = |user: &User| {
        let concerned = |&lost: &usize| set_of(lost) == set_of(user.number);
        options.shows_everything() || options.lost.iter().any(concerned)
    };
    let (shown, others): (Vec<_>, Vec<_>) = world
        .ues
        .iter()
        .map(|ue| &ue.user)
        .partition(|user| is_shown(user));
    let mut rows: Vec<_> = shown.into_iter().map(|user| row(world, user)).collect();
    if !others.is_empty() {
        let registered = others
            .iter()
            .filter(|user| world.pcscf.is_registered(&user.contact));
        let mut row = ["-"; 6].map(str::to_owned);
        row[0] = format!("{} others", others.len());
        row[2] = format!("{} still registered", registered.count());
        rows.push(row);
    }
    rows
}

fn row(world: &World, user: &User) -> [String; 6] {
    let shared = world
        .ues
        .iter()
        .any(|ue| ue.user.number != user.number && set_of(ue.user.number) == set_of(user.number));
    let name = format!(
        "user {}{}",
        user.number,
        if shared { " (shared)" } else { "" }
    );
    let endings = &world.pcscf.journal.endings;
    let ending = endings.iter().find(|ending| ending.user == user.number);
    let (cause, outcome) = match ending {
        Some(ending) => (cause(ending.cause).to_owned(), outcome(ending.outcome)),
        None if world.pcscf.is_registered(&user.contact) => {
            ("-".to_owned(), "still registered".to_owned())
        }
        None => ("-".to_owned(), "not registered".to_owned()),
    };
    let numbers = match world.efforts.get(&user.number) {
        Some(Effort {
            messages,
            virtual_ms,
            real_ms,
        }) => [
            messages.to_string(),
            virtual_ms.to_string(),
            format!("{real_ms:.2}"),
        ],
        None => ["-".to_owned(), "-".to_owned(), "-".to_owned()],
    };
    let [messages, virtual_ms, real_ms] = numbers;
    [name, cause, outcome, messages, virtual_ms, real_ms]
}

const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::AccessLost => "access lost",
        Cause::RegistrationTimer => "registration timer",
        Cause::Network => "network",
        Cause::User => "user",
        _ => "other",
    }
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Notified => "deregistered, NOTIFY seen".to_owned(),
        Outcome::Unconfirmed => "deregistered, no NOTIFY".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The table as text.
pub fn table(world: &World, options: &Options) -> String {
    let mut rows = rows(world, options);
    rows.insert(0, HEADINGS.map(str::to_owned));
    aligned(&rows, |column| column > 2)
}

/// The table, and what is not as it must be, as HTML.
pub fn html(world: &World, options: &Options, complaints: &[String]) -> String {
    let mut text = String::from("<table><tr>");
    let class = |column: usize| if column > 2 { " class=\"n\"" } else { "" };
    for (column, heading) in HEADINGS.iter().enumerate() {
        let _ = write!(text, "<th{}>{heading}</th>", class(column));
    }
    for row in rows(world, options) {
        text.push_str("</tr>\n<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(text, "<td{}>{}</td>", class(column), escaped(cell));
        }
    }
    text.push_str("</tr></table>\n");
    for complaint in complaints {
        let _ = writeln!(text, "<p><b>{}</b></p>", escaped(complaint));
    }
    text
}
