//! What the header promises for ever.

use std::{collections::BTreeMap, fs, path::Path};

use ims_procedures::capi::version::imsp_abi;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn header() -> String {
    file("src/capi/ims_procedures.h")
}

/// The lines `IMSP_NAME = number,` of a text.
fn numbers(text: &str) -> BTreeMap<String, u32> {
    text.lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .filter(|(name, _)| name.starts_with("IMSP_"))
        .map(|(name, number)| (name.to_owned(), number.parse().unwrap()))
        .collect()
}

/// [CA-1] Every number that was ever given still means what it meant, and none means two things. What is new in the
/// header is added to the list; nothing on the list is ever changed, and a name that goes stays on it behind a hash.
#[test]
fn numbers_are_never_given_again() {
    let listed = file("tests/capi/numbers.txt");
    let (known, found) = (numbers(&listed), numbers(&header()));
    assert!(known.len() > 150, "the list was not read");
    assert_eq!(known, found);
    let gone = listed
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .collect::<Vec<_>>()
        .join("\n");
    let mut meanings = BTreeMap::new();
    for (name, number) in numbers(&listed).into_iter().chain(numbers(&gone)) {
        let before = meanings.insert((family(&name).to_owned(), number), name.clone());
        assert_eq!(before, None, "{name}");
    }
}

/// What a name stands among: options of every kind are one family, as are questions and events.
fn family(name: &str) -> &str {
    let families = [
        ("IMSP_LIMIT_", "option"),
        ("IMSP_PCSCF_OPTION_", "option"),
        ("IMSP_SUBSCRIPTION_OPTION_", "option"),
        ("IMSP_PCSCF_QUESTION_", "question"),
        ("IMSP_SUBSCRIPTION_QUESTION_", "question"),
        ("IMSP_PCSCF_EVENT_", "event"),
        ("IMSP_SUBSCRIPTION_EVENT_", "event"),
        ("IMSP_PCSCF_CAUSE_", "cause"),
        ("IMSP_PCSCF_OUTCOME_", "outcome"),
        ("IMSP_SUBSCRIPTION_END_", "end"),
        ("IMSP_OUTPUT_KIND_", "output"),
        ("IMSP_VERDICT_KIND_", "verdict"),
        ("IMSP_NEXT_HOP_", "next hop"),
    ];
    let found = families.iter().find(|(prefix, _)| name.starts_with(prefix));
    found.map_or_else(|| name.split('_').nth(1).unwrap(), |(_, family)| family)
}

/// [CA-1] 0 means that there is nothing to say, so no value has it but that of going well.
#[test]
fn zero_is_nothing() {
    let zeros: Vec<_> = numbers(&header())
        .into_iter()
        .filter(|(_, number)| *number == 0)
        .collect();
    assert_eq!(zeros, [("IMSP_STATUS_OK".to_owned(), 0)]);
}

/// [CA-1] The number of the interface is the same in the header, in the library and in the changelog.
#[test]
fn one_number_of_the_interface() {
    let line = format!("#define IMSP_ABI {}\n", imsp_abi());
    assert!(header().contains(&line));
    let line = format!("- C ABI: {}", imsp_abi());
    assert!(file("CHANGELOG.md").contains(&line));
}

/// [CA-1] Nothing of the library but the C interface is in the header.
#[test]
fn names_of_the_interface_alone() {
    let header = header();
    let types = header.lines().filter_map(|line| {
        let rest = line
            .strip_prefix("typedef struct ")
            .or_else(|| line.strip_prefix("typedef uint32_t "))
            .or_else(|| line.strip_prefix("enum "))?;
        rest.split([' ', ';']).next()
    });
    let functions = header.lines().filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        (!line.starts_with([' ', '#', '/'])).then(|| before.rsplit([' ', '*']).next())?
    });
    let names: Vec<_> = types.chain(functions).collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        assert!(name.starts_with("imsp_"), "{name}");
    }
}

/// [CA-1] Every name that the comments mention is there.
#[test]
fn comments_name_what_is_there() {
    let header = header();
    let known = numbers(&header);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<_> = header.split(|c| !is_word(c)).collect();
    let named = words.iter().filter(|word| word.starts_with("IMSP_"));
    for name in named.filter(|name| **name != "IMSP_ABI") {
        assert!(known.contains_key(*name), "{name}");
    }
    for name in words.iter().filter(|word| word.starts_with("imsp_")) {
        let declared = [
            format!(" {name}("),
            format!("*{name}("),
            format!(" {name};"),
        ];
        assert!(declared.iter().any(|text| header.contains(text)), "{name}");
    }
}
