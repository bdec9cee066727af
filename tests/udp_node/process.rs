//! A process of the example: commands in, events out.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// How long the machine may take for anything. Nothing depends on it but when a failure shows.
pub const BOUND: Duration = Duration::from_secs(20);

/// The program: that of UDP_NODE, or else built as the tests are.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = env::var_os("UDP_NODE") {
            return program.into();
        }
        let test = env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap();
        let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
            "debug" => "dev",
            other => other,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--locked", "--example", "udp_node"]);
        build.args(["--profile", profile]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success());
        folder.join("examples/udp_node")
    })
}

/// An element that runs; with the test it ends.
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Value>,
    /// What has come and was not waited for.
    seen: Vec<Value>,
    /// `IP:PORT` at which it listens.
    pub listen: String,
}

impl Process {
    pub fn start(role: &str, options: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg(role)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut process = Self {
            child,
            stdin,
            lines,
            seen: Vec::new(),
            listen: String::new(),
        };
        process.listen = text(&process.event("ready"), "listen");
        process
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives a command, a line of JSON.
    pub fn command(&mut self, line: &Value) {
        self.raw(format!("{line}\n").as_bytes());
    }

    /// Gives it bytes, whatever they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.stdin.write_all(bytes).unwrap();
    }

    /// The first event of that name that was not waited for yet.
    pub fn event(&mut self, name: &str) -> Value {
        let is_it = |event: &Value| event["event"] == name;
        if let Some(place) = self.seen.iter().position(is_it) {
            return self.seen.remove(place);
        }
        loop {
            let next = self.lines.recv_timeout(BOUND);
            let event = next.unwrap_or_else(|_| panic!("no {name} after {:#?}", self.seen));
            if is_it(&event) {
                return event;
            }
            self.seen.push(event);
        }
    }

    /// What is listed now, by contact.
    pub fn contacts(&mut self) -> Vec<String> {
        self.command(&serde_json::json!({"command": "list"}));
        let list = self.event("list");
        let listed = list["registrations"].as_array().unwrap();
        listed.iter().map(|one| text(one, "contact")).collect()
    }

    /// Ends it as the system would that has no memory left.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as it is to be ended. Whether it says that all was well.
    pub fn quit(mut self) -> bool {
        self.command(&serde_json::json!({"command": "quit"}));
        self.event("ended");
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field that must be a text.
pub fn text(event: &Value, field: &str) -> String {
    let found = event[field].as_str();
    found
        .unwrap_or_else(|| panic!("{field} of {event}"))
        .to_owned()
}

/// The records for an audit in a file: each has fields alone that `--help` names, and its cause and outcome too.
pub fn records(file: &Path) -> Vec<Value> {
    let help = Command::new(program()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, told) = help.split_once("\nRecords of --audit").unwrap();
    let written = fs::read_to_string(file).unwrap();
    let read = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        for (field, value) in record.as_object().unwrap() {
            assert!(told.contains(&format!("\"{field}\"")), "{field}: {record}");
            let word = value
                .as_str()
                .filter(|_| ["cause", "outcome"].contains(&field.as_str()));
            let word = word.and_then(|word| word.split(':').next());
            assert!(word.is_none_or(|word| told.contains(word)), "{record}");
        }
        assert_eq!(record["event"], "audited");
        let (began, ended) = (record["began_ms"].as_u64(), record["ended_ms"].as_u64());
        assert!(began.is_some() && began <= ended, "{record}");
        record
    };
    written.lines().map(read).collect()
}

/// A folder of a test's own, empty.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
