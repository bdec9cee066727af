//! Every requirement of the conformance tables has a function and a test.
//!
//! The tables stand in the documentation of the modules: `| id | what | where | test |`. An id, in brackets,
//! opens the documentation of each function that fulfils it and of each test that proves it; several are
//! separated by commas. `cargo test --test conformance -- --nocapture` prints
//! id | what | functions | tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

/// A source file: its path from the root of the project, and its text.
struct Source {
    path: String,
    text: String,
}

/// Where a requirement stands in a table.
#[derive(Debug, Default, PartialEq)]
struct Row {
    what: String,
    /// The files that the table names for tests.
    tests: BTreeSet<String>,
}

/// What the sources say of requirements.
#[derive(Debug, Default)]
struct Found {
    rows: BTreeMap<Id, Row>,
    functions: BTreeMap<Id, BTreeSet<String>>,
    tests: BTreeMap<Id, BTreeSet<String>>,
}

/// A requirement: the letters of its family and its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id(String, u32);

impl Id {
    /// `PD-5`, and `S0 PD-5` with its source before it.
    fn parse(text: &str) -> Option<Self> {
        let id = match text.trim().split_once(' ') {
            Some((source, id)) if is_source(source) => id,
            Some(_) => return None,
            None => text.trim(),
        };
        let (family, number) = id.split_once('-')?;
        let is_family =
            (2..=3).contains(&family.len()) && family.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_family && is_number).then(|| Some(Self(family.to_owned(), number.parse().ok()?)))?
    }

    /// The ids of one place: `RE-1, RE-2`, and `RN-2 to RN-4` for all from the first to the last.
    fn parse_all(text: &str) -> Vec<Self> {
        text.split(',')
            .flat_map(|part| match part.split_once(" to ") {
                None => Vec::from_iter(Self::parse(part)),
                Some((first, last)) => match (Self::parse(first), Self::parse(last)) {
                    (Some(Self(family, first)), Some(Self(same, last))) if family == same => {
                        (first..=last).map(|n| Self(family.clone(), n)).collect()
                    }
                    _ => Vec::new(),
                },
            })
            .collect()
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

fn is_source(text: &str) -> bool {
    let digits = text.strip_prefix('S').unwrap_or_default();
    digits.len() == 1 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ids in brackets of a comment.
fn bracketed(comment: &str) -> Vec<Id> {
    comment
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .flat_map(|(inside, _)| Id::parse_all(inside))
        .collect()
}

impl Found {
    fn scan(sources: &[Source]) -> Self {
        let mut found = Self::default();
        for source in sources {
            found.scan_file(source);
        }
        found
    }

    /// One file, line by line. A comment before an item belongs to it, one inside a function to the function,
    /// one at the head of a module to the module. What follows `#[cfg(test)]` is tests.
    fn scan_file(&mut self, source: &Source) {
        let mut in_tests = source.path.starts_with("tests/");
        let mut pending: Vec<Id> = Vec::new();
        let mut is_test = false;
        let mut within = source.path.clone();
        for line in source.text.lines().map(str::trim) {
            if let Some(doc) = line.strip_prefix("//!") {
                if doc.trim_start().starts_with('|') {
                    self.take_row(doc);
                } else if !in_tests {
                    self.take_functions(bracketed(doc), &source.path);
                }
            } else if let Some(doc) = line.strip_prefix("///") {
                pending.extend(bracketed(doc));
            } else if let Some(comment) = line.strip_prefix("//") {
                if !in_tests {
                    self.take_functions(bracketed(comment), &within);
                }
            } else if line.starts_with("#[") || line.starts_with("#![") {
                in_tests |= line.starts_with("#[cfg(test)]");
                is_test |= line == "#[test]";
            } else if !line.is_empty() {
                let place = item_name(line).map(|name| format!("{}::{name}", source.path));
                if let (Some(place), true) = (&place, is_function(line)) {
                    within.clone_from(place);
                }
                let ids = std::mem::take(&mut pending);
                let place = place.unwrap_or_else(|| within.clone());
                if !in_tests {
                    self.take_functions(ids, &place);
                } else if std::mem::take(&mut is_test) {
                    for id in ids {
                        self.tests.entry(id).or_default().insert(place.clone());
                    }
                }
                is_test = false;
            }
        }
    }

    fn take_row(&mut self, row: &str) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, ids, what, _, tests, _] = cells[..] else {
            return;
        };
        for id in Id::parse_all(ids) {
            let row = self.rows.entry(id).or_default();
            if !row.what.is_empty() {
                row.what.push_str("; ");
            }
            row.what.push_str(what);
            let files = tests.split('`').filter(|text| text.starts_with("tests/"));
            row.tests.extend(files.map(str::to_owned));
        }
    }

    fn take_functions(&mut self, ids: Vec<Id>, place: &str) {
        for id in ids {
            self.functions
                .entry(id)
                .or_default()
                .insert(place.to_owned());
        }
    }

    /// What is missing, a line each.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (id, row) in &self.rows {
            if !self.functions.contains_key(id) {
                missing.push(format!("{id} ({}): no function", row.what));
            }
            let Some(tests) = self.tests.get(id) else {
                missing.push(format!("{id} ({}): no test", row.what));
                continue;
            };
            for file in &row.tests {
                let folder = format!("{}/", file.trim_end_matches(".rs"));
                let is_there = |test: &String| {
                    test.starts_with(&format!("{file}::")) || test.starts_with(&folder)
                };
                if !tests.iter().any(is_there) {
                    missing.push(format!("{id} ({}): no test of it in {file}", row.what));
                }
            }
        }
        missing
    }

    /// Ids that functions or tests carry and no table has.
    fn untabled(&self) -> Vec<String> {
        let used: BTreeSet<_> = self.functions.keys().chain(self.tests.keys()).collect();
        let untabled = used.into_iter().filter(|id| !self.rows.contains_key(id));
        untabled.map(Id::to_string).collect()
    }

    fn table(&self) -> String {
        let mut table = "| id | what | functions | tests |\n|---|---|---|---|\n".to_owned();
        let list = |places: Option<&BTreeSet<String>>| match places {
            None => "–".to_owned(),
            Some(places) => places.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        for (id, row) in &self.rows {
            let (functions, tests) = (list(self.functions.get(id)), list(self.tests.get(id)));
            writeln!(table, "| {id} | {} | {functions} | {tests} |", row.what).unwrap();
        }
        table
    }
}

/// The name of the function, type, variant or field that a line of code begins.
fn item_name(line: &str) -> Option<&str> {
    let mut rest = without_visibility(line);
    let is_public = rest.len() < line.len();
    let mut is_item = false;
    while let Some((word, after)) = rest.split_once(' ') {
        let is_modifier = ["const", "async", "unsafe", "extern", "default"].contains(&word);
        let is_kind = [
            "fn", "struct", "enum", "trait", "type", "static", "mod", "impl", "const",
        ]
        .contains(&word);
        if !(is_modifier || is_kind) {
            break;
        }
        is_item |= is_kind;
        rest = after;
    }
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let name = &rest[..end];
    // A variant or a field stands alone on its line.
    let is_variant = || {
        let tail = &rest[end..];
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && (tail.is_empty() || tail.starts_with([',', '{', '(', ' ']))
            || is_public && tail.starts_with(':')
    };
    (!name.is_empty() && (is_item || is_variant())).then_some(name)
}

/// The line behind `pub`, `pub(crate)`, `pub(super)` or `pub(in path)`.
fn without_visibility(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else {
        return line;
    };
    let scope = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let rest = scope.map_or(rest, |(_, rest)| rest);
    rest.strip_prefix(' ').unwrap_or(line)
}

fn is_function(line: &str) -> bool {
    let line = without_visibility(line);
    let head = line.split(['(', '<', '"']).next().unwrap_or_default();
    head.split(' ').rev().nth(1) == Some("fn")
}

fn sources(root: &Path, folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(sources(root, &path));
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            found.push(Source { path, text });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

#[test]
fn every_requirement_has_a_function_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = sources(root, "src");
    all.extend(sources(root, "tests"));
    let found = Found::scan(&all);
    println!("{}", found.table());
    let untabled = found.untabled();
    if !untabled.is_empty() {
        println!("In no table: {}", untabled.join(", "));
    }
    assert!(found.rows.len() > 20, "the tables were not found");
    let missing = found.missing();
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

mod checker {
    use super::{Found, Id, Source, bracketed, is_function, item_name};

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    fn scan(files: &[(&str, &[&str])]) -> Found {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, lines)| Source {
                path: (*path).to_owned(),
                text: lines.join("\n"),
            })
            .collect();
        Found::scan(&sources)
    }

    const TABLE: (&str, &[&str]) = (
        "src/x/mod.rs",
        &[
            "//! | id | what | where | test |",
            "//! |---|---|---|---|",
            "//! | XX-1 | one | [`f`] | `tests/x.rs` |",
        ],
    );
    const FUNCTION: (&str, &[&str]) = (
        "src/x/f.rs",
        &["/// [XX-1] Does it.", "#[must_use]", "pub fn f() {}"],
    );
    const TEST: (&str, &[&str]) = (
        "tests/x.rs",
        &["/// [XX-1] It does.", "#[test]", "fn t() {}"],
    );

    #[test]
    fn complete() {
        let found = scan(&[TABLE, FUNCTION, TEST]);
        assert_eq!(found.missing(), [""; 0]);
        assert_eq!(found.untabled(), [""; 0]);
        assert!(
            found
                .table()
                .ends_with("| XX-1 | one | src/x/f.rs::f | tests/x.rs::t |\n"),
            "{}",
            found.table()
        );
    }

    #[test]
    fn without_function_or_test() {
        assert_eq!(scan(&[TABLE, TEST]).missing(), ["XX-1 (one): no function"]);
        assert_eq!(scan(&[TABLE, FUNCTION]).missing(), ["XX-1 (one): no test"]);
        assert_eq!(
            scan(&[TABLE]).missing().len(),
            2,
            "the table itself is neither"
        );
    }

    #[test]
    fn what_is_no_function() {
        let in_string: (&str, &[&str]) = ("src/x/f.rs", &["fn f() { g(\"/// [XX-1]\"); }"]);
        let bare: (&str, &[&str]) = (
            "src/x/f.rs",
            &["/// XX-1 without brackets, and [XX-11].", "fn f() {}"],
        );
        let unit_test: (&str, &[&str]) = (
            "src/x/f.rs",
            &[
                "#[cfg(test)]",
                "mod tests {",
                "/// [XX-1] It does.",
                "#[test]",
                "fn t() {}",
                "// [XX-1]",
                "}",
            ],
        );
        for file in [in_string, bare, unit_test] {
            assert_eq!(
                scan(&[TABLE, file, TEST]).missing(),
                ["XX-1 (one): no function"],
                "{file:?}"
            );
        }
    }

    #[test]
    fn what_is_no_test() {
        let helper: (&str, &[&str]) = (
            "tests/x.rs",
            &["/// [XX-1] Helps.", "fn t() {}", "#[test]", "fn u() {}"],
        );
        let inside: (&str, &[&str]) = ("tests/x.rs", &["#[test]", "fn t() {", "// [XX-1]", "}"]);
        let module: (&str, &[&str]) = ("tests/x.rs", &["//! [XX-1]", "#[test]", "fn t() {}"]);
        for file in [helper, inside, module] {
            assert_eq!(
                scan(&[TABLE, FUNCTION, file]).missing(),
                ["XX-1 (one): no test"],
                "{file:?}"
            );
        }
    }

    #[test]
    fn functions_of_every_kind() {
        let files: [(&[&str], &str); 6] = [
            (&["//! [XX-1] All of this."], "src/x/f.rs"),
            (
                &["fn g() {", "None if y => {}", "// [XX-1] Here.", "}"],
                "src/x/f.rs::g",
            ),
            (
                &["enum E {", "/// [S0 XX-1] Such.", "Such {"],
                "src/x/f.rs::Such",
            ),
            (
                &[
                    "struct S {",
                    "/// [RFC 3261 7] [XX-2, XX-1] It.",
                    "pub field: u8,",
                ],
                "src/x/f.rs::field",
            ),
            (
                &[
                    "impl S {",
                    "/// [XX-1] It.",
                    "pub(super) const fn h(self) {}",
                ],
                "src/x/f.rs::h",
            ),
            (
                &[
                    "/// [XX-1] It, told in",
                    "/// two lines.",
                    "pub struct Node;",
                ],
                "src/x/f.rs::Node",
            ),
        ];
        for (lines, place) in files {
            let found = scan(&[TABLE, ("src/x/f.rs", lines), TEST]);
            assert_eq!(found.missing(), [""; 0], "{lines:?}");
            assert_eq!(Vec::from_iter(&found.functions[&id("XX-1")]), [place]);
        }
    }

    #[test]
    fn tests_of_every_kind() {
        let property: (&str, &[&str]) = (
            "tests/x/more.rs",
            &[
                "proptest! {",
                "/// [XX-1] Always.",
                "#[test]",
                "fn p(x: u8) {}",
                "}",
            ],
        );
        let attributes: (&str, &[&str]) = (
            "tests/x.rs",
            &[
                "#[test]",
                "#[should_panic]",
                "/// [XX-2, XX-1] It does.",
                "fn t() {}",
            ],
        );
        for file in [property, attributes] {
            assert_eq!(
                scan(&[TABLE, FUNCTION, file]).missing(),
                [""; 0],
                "{file:?}"
            );
        }
        let elsewhere = ("tests/y.rs", TEST.1);
        assert_eq!(
            scan(&[TABLE, FUNCTION, elsewhere]).missing(),
            ["XX-1 (one): no test of it in tests/x.rs"]
        );
        let unit: (&str, &[&str]) = (
            "src/x/g.rs",
            &[
                "#[cfg(test)]",
                "mod tests {",
                "/// [XX-1] It does.",
                "#[test]",
                "fn t() {}",
            ],
        );
        assert_eq!(
            scan(&[TABLE, FUNCTION, unit, TEST]).tests[&id("XX-1")].len(),
            2
        );
    }

    #[test]
    fn rows_of_several_ids() {
        let table: (&str, &[&str]) = (
            "src/x/mod.rs",
            &[
                "//! | XX-1, XX-3 | some | [`f`] | `tests/x.rs` |",
                "//! | YY-2 to YY-4 | range | [`f`] | `tests/x.rs`, `tests/y.rs` |",
                "//! | RFC 3261 7 | a clause | [`f`] | `tests/x.rs` |",
                "//! | XX-1 | twice | [`f`] | `tests/y.rs` |",
            ],
        );
        let found = scan(&[table]);
        let ids: Vec<_> = found.rows.keys().map(Id::to_string).collect();
        assert_eq!(ids, ["XX-1", "XX-3", "YY-2", "YY-3", "YY-4"]);
        assert_eq!(found.rows[&id("XX-1")].what, "some; twice");
        assert_eq!(found.rows[&id("YY-3")].tests.len(), 2);
        assert_eq!(found.rows[&id("XX-1")].tests.len(), 2);
    }

    #[test]
    fn ids() {
        for not_an_id in [
            "X-1", "XXXX-1", "xx-1", "XX-", "XX-a", "XX1", "`Token`", "RFC 3261", "S XX-1", "-1",
        ] {
            assert_eq!(Id::parse(not_an_id), None, "{not_an_id}");
        }
        assert_eq!(
            bracketed(" [DR-4] and [PD-1,PD-2], [Misuse::NodeFull], [RE-7").len(),
            3
        );
        assert!(id("XX-2") < id("XX-10"), "in the order of numbers");
    }

    #[test]
    fn item_names() {
        for (line, name) in [
            ("pub fn f<'a>(x: &'a u8) {", Some("f")),
            ("pub(crate) const fn g() {", Some("g")),
            ("const LIMIT: usize = 3;", Some("LIMIT")),
            ("Such,", Some("Such")),
            ("Other(u8),", Some("Other")),
            ("pub field: u8,", Some("field")),
            ("pub(crate) field: u8,", Some("field")),
            ("pub(in crate::x) fn h() {", Some("h")),
            ("publish(x);", None),
            ("let x = f();", None),
            ("}", None),
        ] {
            assert_eq!(item_name(line), name, "{line}");
        }
    }

    #[test]
    fn functions_whatever_their_visibility() {
        for line in [
            "fn f() {",
            "pub fn f<'a>(x: &'a u8) {",
            "pub(crate) fn f() {",
            "pub(super) const fn f(self) {}",
            "pub(in crate::x) fn f(",
        ] {
            assert!(is_function(line), "{line}");
        }
        for line in ["pub(crate) struct S(u8);", "f(x);", "let f = fn_of(x);"] {
            assert!(!is_function(line), "{line}");
        }
        let lines: &[&str] = &[
            "pub fn f() {",
            "}",
            "pub(crate) fn g() {",
            "// [XX-1] Here.",
            "}",
        ];
        let found = scan(&[TABLE, ("src/x/f.rs", lines), TEST]);
        let places = Vec::from_iter(&found.functions[&id("XX-1")]);
        assert_eq!(places, ["src/x/f.rs::g"]);
    }
}
