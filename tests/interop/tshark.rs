//! What tshark says of a capture.

use std::{path::Path, process::Command};

/// What must not be: something that is no SIP nor a part of it, that is malformed, or that is worth a warning.
const UNWANTED: &str = "(udp or tcp.len > 0) and not sip and not tcp.reassembled_in or _ws.malformed \
                        or _ws.expert.severity >= \"Warning\"";

pub fn version() -> Option<String> {
    let output = Command::new("tshark").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_numeric()));
    version.map(|version| format!("tshark {version}"))
}

/// Reads a capture. How many messages there are; an error says what is wrong with one.
pub fn read(capture: &Path) -> Result<usize, String> {
    let unwanted = shows(capture, UNWANTED)?;
    if !unwanted.is_empty() {
        return Err(unwanted.lines().take(3).collect::<Vec<_>>().join(" "));
    }
    Ok(shows(capture, "sip")?.lines().count())
}

fn shows(capture: &Path, filter: &str) -> Result<String, String> {
    let mut tshark = Command::new("tshark");
    for protocol in ["udp", "tcp"] {
        tshark.args(["-o", &format!("{protocol}.try_heuristic_first:TRUE")]);
    }
    // What is put together later is known in a second pass.
    let output = tshark
        .args(["-2", "-n", "-Y", filter, "-r"])
        .arg(capture)
        .output();
    let output = output.map_err(|fault| fault.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
