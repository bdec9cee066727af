//! The static library and the programs that use it, built as their users would.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// By what a program is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The address and undefined-behaviour sanitizers.
    Sanitized,
    /// valgrind.
    Valgrind,
}

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// What Rust's standard library needs of the system.
const LIBRARIES: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// Whether a tool is there. Where it is not, only the value `required` of the variable makes that a failure.
pub fn has(tool: &str, variable: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    let required = env::var(variable).is_ok_and(|value| value == "required");
    assert!(found || !required, "{tool} is required, and not there");
    if !found {
        println!("passed over: {tool} is not there");
    }
    found
}

/// Compiles a program of this folder, runs it, and gives what it printed.
pub fn program(source: &str, checked: Checked) -> String {
    let built = compile(source, checked);
    let mut run = match checked {
        Checked::Sanitized => Command::new(&built),
        Checked::Valgrind => {
            let mut run = Command::new("valgrind");
            run.args(["-q", "--error-exitcode=99", "--leak-check=full"]);
            run.arg(&built);
            run
        }
    };
    let ran = output(&mut run, source);
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{source}");
    String::from_utf8(ran.stdout).unwrap()
}

fn compile(source: &str, checked: Checked) -> PathBuf {
    let is_cpp = source.ends_with(".cpp");
    let (compiler, standard, suffix) = match (is_cpp, checked) {
        (true, _) => ("g++", "-std=c++11", "cpp"),
        (false, Checked::Sanitized) => ("gcc", "-std=c99", "sanitized"),
        (false, Checked::Valgrind) => ("gcc", "-std=c99", "plain"),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = folder_of_builds().join(format!("{source}.{suffix}"));
    let mut compile = Command::new(compiler);
    compile.args([standard, "-g", "-O1"]).args(WARNINGS);
    if checked == Checked::Sanitized {
        compile.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    }
    compile
        .arg("-I")
        .arg(folder.join("src/capi"))
        .arg(folder.join("tests/capi").join(source))
        .arg(library())
        .args(LIBRARIES)
        .arg("-o")
        .arg(&built);
    output(&mut compile, compiler);
    built
}

/// The static library with the C interface, built once in a folder of its own: the run of cargo that this test is part
/// of builds the library with other features.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = folder_of_builds();
        let mut build = Command::new(env!("CARGO"));
        build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("CARGO_BUILD_TARGET")
            .args(["rustc", "-q", "--frozen", "--lib", "--features", "capi"])
            .args(["--crate-type", "staticlib", "--target-dir"])
            .arg(&folder);
        output(&mut build, "cargo");
        folder.join("debug/libims_procedures.a")
    })
}

fn folder_of_builds() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("capi");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a command printed; it must come, and go well.
fn output(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap_or_else(|fault| {
        panic!("{what} cannot be run ({fault}): the tests of the C interface need gcc")
    });
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{complaints}",
        output.status
    );
    output
}
