//! Purity of the library's own source, proved as far as it can be without another target: `#![no_std]` stands
//! in the library without condition, so that the compiler gives it no standard library by itself; and no
//! source asks for one, but for the one of the C face that catches panics, so that nothing brings it back. There is then no clock, file,
//! socket, thread or environment for the library's own source to reach.
//!
//! The crate as a whole does need a target with the standard library, because a dependency does: quick-xml
//! links it, whatever its features. So nothing here says that the crate builds for a target without one, and
//! `Cargo.toml` does not claim it. Dependencies are taken without their default features, no more.

use std::{fs, path::Path};

/// The source with comments and the insides of literals blanked out; line ends stay.
fn code_of(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = literal_or_comment(rest, code.chars().next_back());
        match length {
            0 => {
                code.push(first);
                rest = &rest[first.len_utf8()..];
            }
            _ => {
                let (skipped, after) = rest.split_at(length);
                code.push(' ');
                code.extend(skipped.chars().filter(|c| *c == '\n'));
                rest = after;
            }
        }
    }
    code
}

/// How many bytes of comment, string or character literal begin here; 0 if it is code.
fn literal_or_comment(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if !before.is_some_and(is_word) {
        let raw = rest
            .strip_prefix("br")
            .or_else(|| rest.strip_prefix("cr"))
            .or_else(|| rest.strip_prefix('r'));
        if let Some(raw) = raw {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw[hashes..].starts_with('"') {
                let end = format!("\"{}", "#".repeat(hashes));
                let from = rest.len() - raw.len() + hashes + 1;
                return rest[from..]
                    .find(&end)
                    .map_or(rest.len(), |at| from + at + end.len());
            }
        }
    }
    0
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; a lifetime is code.
fn character(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(rest, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The lines of a source that name the standard library, or a macro or attribute that brings it.
fn uses_of_std(source: &str) -> Vec<usize> {
    let code = code_of(source);
    let mut lines = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut words = line.split(|c| !is_word(c));
        if words.any(|word| word == "std") {
            lines.push(number + 1);
        }
    }
    lines
}

/// Every source of the library, by its path below `src`.
fn sources(folder: &Path, under: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{under}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(sources(&entry.path(), &format!("{path}/")));
        } else if path.ends_with(".rs") {
            found.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// [DR-1] The library is built without the standard library, always.
#[test]
fn the_attribute_stands_in_the_library() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(says_no_std(&library));
}

fn says_no_std(library: &str) -> bool {
    code_of(library)
        .lines()
        .any(|line| line.trim() == "#![no_std]")
}

/// [DR-1] No source names the standard library, but for the one of the C face that catches panics. It brings it in for
/// itself alone: in `lib.rs` it would be there for all.
#[test]
fn no_source_names_std() {
    let sources = sources(&root().join("src"), "");
    assert!(sources.len() > 30, "the sources were not found");
    let mut named = Vec::new();
    for (path, source) in sources {
        let lines = match path.as_str() {
            "capi/guard.rs" => uses_of_std(&without_catching(&source)),
            _ => uses_of_std(&source),
        };
        named.extend(lines.iter().map(|line| format!("src/{path}:{line}")));
    }
    assert!(named.is_empty(), "{named:?}");
}

/// What catches panics, without the two lines that it may have for that, and without its tests.
fn without_catching(guard: &str) -> String {
    let (code, _) = guard.split_once("#[cfg(test)]").unwrap();
    code.replacen("\nextern crate std;\n", "\n\n", 1)
        .replacen("std::panic::catch_unwind(", "(", 1)
}

/// [DR-1] Dependencies are taken without their default features, among which `std` often is, and none is asked
/// for `std` by name.
#[test]
fn dependencies_without_default_features() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let from = manifest.find("[dependencies]").unwrap();
    let table = manifest[from..]
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let mut count = 0;
    for line in table.filter(|line| line.contains('=') && !line.contains("optional = true")) {
        assert!(line.contains("default-features = false"), "{line}");
        assert!(!line.contains("\"std\""), "{line}");
        count += 1;
    }
    assert!(count > 5, "the dependencies were not found");
}

/// [DR-1] The search finds what it is for, and nothing else.
#[test]
fn the_search_finds_std() {
    for guilty in [
        "use std::time::Instant;",
        "extern crate std;",
        "extern crate std as core2;",
        "use ::std::io;",
        "use {core::fmt, std::fs};",
        "fn f() -> std::io::Result<()> {",
        "let a = 'x'; std::process::exit(1); // no",
        "let s = \"a \\\" b\"; std::thread::yield_now();",
        "let c = '\"'; std::env::args();",
        "let c = '\\''; std::env::args();",
        "let r = r#\"a\" b\"#; std::env::args();",
        "/* a /* b */ c */ use std::fs;",
        "fn f<'a>(x: &'a str) { std::env::args(); }",
        "use r#std::fs;",
    ] {
        assert_eq!(uses_of_std(guilty), [1], "{guilty}");
    }
    for innocent in [
        "use core::time::Duration; use alloc::vec::Vec;",
        "// use std::fs;",
        "/// Like `std::fs`.",
        "//! [`std::io`]",
        "let s = \"std::fs\";",
        "let s = \"a \\\" std::fs\";",
        "let s = br##\"std::fs \"# std\"##;",
        "/* a /* b */ std::fs */",
        "#![no_std]",
        "use my_std::fs; use std_of::x; mystd::y();",
        "let c = 's'; let l: &'static str = \"std\";",
    ] {
        assert_eq!(uses_of_std(innocent), [0; 0], "{innocent}");
    }
    assert_eq!(
        uses_of_std("/* one\ntwo */\nlet s = \"a\nb\";\nuse std::fs;"),
        [5]
    );
    let guard = "\nextern crate std;\nstd::panic::catch_unwind(f);\nstd::env::args();\n#[cfg(test)]\nuse std::fs;";
    assert_eq!(uses_of_std(&without_catching(guard)), [4]);
    assert!(says_no_std("//! Doc.\n#![no_std]\n"));
    assert!(!says_no_std(
        "//! #![no_std]\n// #![no_std]\n#![cfg_attr(not(test), no_std)]\n"
    ));
}
