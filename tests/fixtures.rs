//! The byte fixtures: every line of every message cites the clause it was written from.

use std::{fs, path::Path};

#[test]
fn every_fixture_line_cites_a_clause() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folders = ["first_light", "mscics"].map(|folder| fs::read_dir(fixtures.join(folder)));
    let mut files = 0;
    for entry in folders.into_iter().flat_map(Result::unwrap) {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "fixture")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        files += 1;
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, l)| !l.starts_with('#'))
        {
            let at = line
                .find([' '])
                .map(|_| line.find(" | ").or_else(|| line.find(" + ")));
            let Some(Some(at)) = at else {
                panic!("{}:{}: no clause", path.display(), number + 1);
            };
            let clause = line[..at].trim();
            let cites = [
                "RFC ", "TS ", "S0 ", "S1 ", "PD-", "SD-", "RE-", "RN-", "MS-",
            ];
            assert!(
                cites.iter().any(|c| clause.starts_with(c)),
                "{}:{}: {clause:?} names no clause",
                path.display(),
                number + 1
            );
        }
    }
    assert_eq!(files, 8);
}
