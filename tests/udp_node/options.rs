//! The command line.

use std::{fs, path::Path, process::Command};

use crate::process::{Process, folder, program};

fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(program()).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let said = (text(&output.stdout), text(&output.stderr));
    (output.status.success(), said.0, said.1)
}

/// What stands in the source between each of these marks and the next of those.
fn between<'s>(source: &'s str, mark: &str, end: &str) -> Vec<&'s str> {
    let after = source.split(mark).skip(1);
    after
        .filter_map(|rest| rest.split_once(end))
        .map(|(found, _)| found)
        .collect()
}

/// Whatever option and whatever command the source takes, `--help` names.
#[test]
fn help_is_complete() {
    let (success, help, _) = run(&["--help"]);
    assert!(success);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/udp_node");
    let (mut options, mut commands) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        // However its lines are broken. Two are given their names by who calls them.
        let unbroken: String = source.split_whitespace().collect();
        let takes = ["text", "number", "flag", "either", "all", "needed"];
        let takes = takes.map(|take| format!("arguments.{take}(\""));
        for take in takes
            .into_iter()
            .chain(["side(\"", "party(\""].map(str::to_owned))
        {
            for option in between(&unbroken, &take, "\"") {
                options += 1;
                let is_there = option == "help" || help.contains(&format!("--{option} "));
                assert!(is_there, "--{option}");
            }
        }
        for arms in between(&source, "match command.name() {", "other =>") {
            for arm in arms
                .lines()
                .filter_map(|line| line.trim().split_once("\" =>"))
            {
                let command = arm.0.trim_start_matches('"');
                commands += 1;
                assert!(
                    help.contains(&format!("{{\"command\":\"{command}\"")),
                    "{command}"
                );
            }
        }
    }
    assert!(options > 20 && commands > 8, "{options} {commands}");
}

/// The options in a part of `--help`: each with its value, several on a line with a comma between.
fn options_in(part: &str) -> Vec<&str> {
    let mut options = Vec::new();
    for line in part.lines() {
        let mut words = line.split_whitespace();
        while let Some(option) = words.next().and_then(|word| word.strip_prefix("--")) {
            options.push(option);
            if !words.next().is_some_and(|value| value.ends_with(',')) {
                break;
            }
        }
    }
    options
}

/// Whatever option `--help` names for a role, the role takes: without its value it is refused for that alone.
#[test]
fn help_is_true() {
    const ROLES: [(&str, &[[&str; 2]]); 5] = [
        ("scscf", &[]),
        ("pcscf", &[["--next-hop", "127.0.0.1:9"]]),
        ("cpm", &[["--peer", "127.0.0.1:9"]]),
        ("msc", &[["--registrar", "127.0.0.1:9"]]),
        (
            "relay",
            &[["--inside", "127.0.0.1:9"], ["--outside", "127.0.0.1:9"]],
        ),
    ];
    let (_, help, _) = run(&["--help"]);
    let part = |mark: &str| {
        let (_, rest) = help.split_once(mark).unwrap();
        rest.split_once("\n\n").unwrap().0
    };
    let common = options_in(part("\nOptions of every role\n"));
    let mut tried = 0;
    for (role, needed) in ROLES {
        let own = options_in(part(&format!("\n{role}: ")));
        for option in common.iter().chain(&own) {
            let fixed = [["--listen", "127.0.0.1:0"], ["--domain", "ims.test"]];
            let option = format!("--{option}");
            let others = fixed
                .iter()
                .chain(needed)
                .filter(|[name, _]| *name != option);
            let mut arguments = vec![role];
            arguments.extend(others.flatten());
            let (given, expected) = match option.as_str() {
                "--quiet" => ("--quiet=x", format!("{option} takes no value")),
                given => (given, format!("{option} needs a value")),
            };
            arguments.push(given);
            let (success, _, said) = run(&arguments);
            assert!(
                !success && said.contains(&expected),
                "{role} {option}: {said}"
            );
            tried += 1;
        }
    }
    assert!(tried > 90, "{tried}");
}

/// A seed or a number of starts that is damaged is not taken for none: with another one identifiers could come twice.
#[test]
fn what_is_damaged() {
    let store = folder("udp_node_damaged");
    let path = store.to_str().unwrap();
    let start = || {
        let listen = ["--listen", "127.0.0.1:0", "--domain", "ims.test"];
        let persist = ["--persist", path];
        run(&[&["scscf"], &listen[..], &persist].concat())
    };
    let persist = [
        "--listen",
        "127.0.0.1:0",
        "--domain",
        "ims.test",
        "--persist",
        path,
    ];
    assert!(Process::start("scscf", &persist).quit());
    assert_eq!(fs::read_to_string(store.join("starts")).unwrap(), "1");
    assert!(Process::start("scscf", &persist).quit());
    for (file, content) in [("starts", ""), ("starts", "2x"), ("seed", "short")] {
        let kept = fs::read(store.join(file)).unwrap();
        fs::write(store.join(file), content).unwrap();
        let (success, _, said) = start();
        assert!(
            !success && said.contains(&format!("{file}: it is damaged")),
            "{said}"
        );
        fs::write(store.join(file), kept).unwrap();
    }
    fs::remove_file(store.join("starts")).unwrap();
    assert!(!start().0);
}

/// What is not understood is said, and nothing is begun.
#[test]
fn what_is_not_understood() {
    for (arguments, expected) in [
        (
            &["scscf", "--domain", "ims.test"][..],
            "--listen is missing",
        ),
        (
            &["hss", "--listen", "127.0.0.1:0", "--domain", "ims.test"],
            "no role hss",
        ),
        (
            &["scscf", "--listen", "here", "--domain", "ims.test"],
            "here is not IP:PORT",
        ),
        (
            &[
                "scscf",
                "--listen",
                "127.0.0.1:0",
                "--domain",
                "ims.test",
                "--next-hop",
                "x",
            ],
            "--next-hop is no option of this role",
        ),
        (
            &[
                "scscf",
                "--listen",
                "127.0.0.1:0",
                "--domain",
                "ims.test",
                "--min-expires",
                "soon",
            ],
            "soon is not what it can take",
        ),
        (
            &[
                "scscf",
                "--listen",
                "127.0.0.1:0",
                "--domain",
                "ims.test",
                "--authentication",
                "digest",
            ],
            "needs --identities",
        ),
        (
            &[
                "scscf",
                "--listen",
                "127.0.0.1:0",
                "--domain",
                "ims.test",
                "--identities",
                "/nowhere",
            ],
            "/nowhere: ",
        ),
        (
            &[
                "pcscf",
                "--listen",
                "127.0.0.1:0",
                "--domain",
                "ims.test",
                "--next-hop",
                "127.0.0.1:9",
                "--t1-ms",
                "0",
            ],
            "--t1-ms: 0 is not within 1..=60000",
        ),
    ] {
        let (success, _, said) = run(arguments);
        assert!(!success && said.contains(expected), "{arguments:?}: {said}");
    }
}
