//! SIPp, which plays a scenario.

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::process::folder;

/// Where it plays.
pub const UE: &str = "127.0.0.9";
pub const PCSCF: &str = "127.0.0.2";
pub const SCSCF: &str = "127.0.0.3";

/// Seconds after which a scenario has not gone well.
const BOUND: &str = "60";

pub fn version() -> Option<String> {
    let output = Command::new("sipp").arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text
        .split_whitespace()
        .find(|word| word.starts_with("v3"))?;
    let (version, _) = version.split_once('-').unwrap_or((version, ""));
    Some(format!("SIPp {}", version.trim_start_matches('v')))
}

/// A SIPp that runs.
pub struct Sipp {
    child: Child,
    scenario: String,
    folder: PathBuf,
    /// `IP:PORT`.
    pub address: String,
}

impl Sipp {
    /// Begins calls against an element.
    pub fn call(scenario: &str, ip: &str, element: &str, calls: u32, options: &[&str]) -> Self {
        Self::start(scenario, ip, &[&[element], options].concat(), calls)
    }

    /// Waits for calls. `ue` is the address of the UEs that they are about.
    pub fn wait(scenario: &str, ip: &str, ue: &str, calls: u32) -> Self {
        // A Call-ID may come again: it is that of one registration.
        let options = ["-deadcall_wait", "0", "-key", "ue", ue];
        Self::start(scenario, ip, &options, calls)
    }

    /// Waits for calls, with more options.
    pub fn wait_with(scenario: &str, ip: &str, calls: u32, options: &[&str]) -> Self {
        Self::start(scenario, ip, options, calls)
    }

    /// An address that is free.
    pub fn free_port(ip: &str) -> String {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.local_addr().unwrap().to_string()
    }

    fn start(scenario: &str, ip: &str, options: &[&str], calls: u32) -> Self {
        let mut address = Self::free_port(ip);
        if let Some(place) = options.iter().position(|option| *option == "-at") {
            options[place + 1].clone_into(&mut address);
        }
        let options: Vec<&str> = without_address(options);
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/interop/sipp")
            .join(format!("{scenario}.xml"));
        let folder = folder(&format!("interop_{scenario}_{address}").replace(':', "_"));
        let (ip, port) = address.split_once(':').unwrap();
        let child = Command::new("sipp")
            .arg("-sf")
            .arg(file)
            .args(["-i", ip, "-p", port, "-m", &calls.to_string()])
            .args(["-nostdin", "-timeout", BOUND, "-timeout_error"])
            .args(options)
            .args(["-trace_err", "-error_file", "errors.log"])
            .args(["-trace_stat", "-stf", "statistics.csv", "-fd", "1"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            scenario: scenario.to_owned(),
            folder,
            address,
        }
    }

    /// Waits until all calls are over: each has gone as the scenario says.
    pub fn finish(mut self) {
        let status = self.child.wait().unwrap();
        let errors = fs::read_to_string(self.folder.join("errors.log")).unwrap_or_default();
        let errors: String = errors.chars().take(600).collect();
        assert!(status.success(), "{}: {status}: {errors}", self.scenario);
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The last value of a column of its statistics.
    pub fn statistic(&self, column: &str) -> u64 {
        let text = fs::read_to_string(self.folder.join("statistics.csv")).unwrap_or_default();
        let mut lines = text.lines();
        let place = lines
            .next()
            .and_then(|names| names.split(';').position(|name| name == column));
        let last = lines.last().unwrap_or_default();
        let value = place.and_then(|place| last.split(';').nth(place));
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn without_address<'o>(options: &[&'o str]) -> Vec<&'o str> {
    let mut kept = options.to_vec();
    if let Some(place) = kept.iter().position(|option| *option == "-at") {
        kept.drain(place..place + 2);
    }
    kept
}
