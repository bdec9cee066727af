//! The INVITE client transaction: every state and every input.

use ims_procedures::{
    drive::{Answer, Token, Verdict},
    txn::Config,
};

use crate::{
    bed::{Event, Host, Out},
    invite::{of_another_dialog, refusal, sent, status, success, text},
};

const STATES: [&str; 7] = [
    "calling",
    "calling to the end",
    "proceeding",
    "abandoned",
    "completed",
    "accepted",
    "accepted, not acknowledged",
];

fn in_state(state: &str, hops: usize) -> (Host, Token) {
    let (mut host, first) = sent(Config::default(), hops);
    let token = first.token();
    match state {
        "calling" => {}
        "calling to the end" => _ = host.run(31_500),
        "proceeding" => _ = host.receive(&status(100)),
        "abandoned" => {
            host.receive(&status(100));
            host.answer(token, Answer::Timeout);
        }
        "completed" => _ = host.receive(&refusal()),
        "accepted" => _ = host.receive(&success()),
        "accepted, not acknowledged" => {
            host.txn.node_mut().ack = None;
            host.receive(&success());
        }
        other => panic!("{other}"),
    }
    (host, token)
}

/// What an input brings: the outputs in short, and the timer that runs after it.
fn effect(state: &str, hops: usize, input: &str) -> String {
    let (mut host, token) = in_state(state, hops);
    let (due, _) = host.deadline().unwrap();
    let (verdict, outs) = match input {
        "unreachable" => (Verdict::Handled, host.answer(token, Answer::Unreachable)),
        "unanswered" => (Verdict::Handled, host.answer(token, Answer::Timeout)),
        "early tick" => {
            host.now = due - 1;
            (Verdict::Handled, host.tick())
        }
        "tick" => {
            host.now = due;
            (Verdict::Handled, host.tick())
        }
        "200 of another" => host.receive(&of_another_dialog()),
        code => host.receive(&status(code.parse().unwrap())),
    };
    let mut effect: Vec<String> = outs
        .iter()
        .map(|out| match out {
            Out::Request { .. } => "INVITE".to_owned(),
            Out::Acknowledge { bytes, .. } if *bytes == text("success_ack") => "ack".to_owned(),
            Out::Acknowledge { .. } => "ACK".to_owned(),
            Out::Event(Event::Answered(what)) => what.split(' ').nth(1).unwrap_or(what).to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    if verdict == Verdict::NotMine {
        effect.push("not mine".to_owned());
    }
    let timer = host.deadline().map_or("-", |(_, timer)| {
        timer
            .trim_start_matches("transaction timer ")
            .trim_start_matches("INVITE ")
    });
    format!("{} > {timer}", effect.join(" "))
}

/// What follows is written from RFC 3261 17.1.1.2 with figure 5, RFC 6026 8.4 and RFC 3263 4.3: of each state, the
/// effect of each input with one next hop, and where it is another with two, that. `ACK` is one that is written here,
/// `ack` that of the node; then comes what the node is told; behind `>` stands the timer that runs.
const TRANSITIONS: &[(&str, &str, &str, &str)] = &[
    ("calling", "100", " > without final response", ""),
    ("calling", "199", " > without final response", ""),
    ("calling", "200", "ack 200 > M", ""),
    ("calling", "299", "ack 299 > M", ""),
    ("calling", "200 of another", "not mine > A", ""),
    ("calling", "300", "ACK 300 > D", ""),
    ("calling", "491", "ACK 491 > D", ""),
    ("calling", "503", "ACK 503 > D", "ACK INVITE > A"),
    ("calling", "699", "ACK 699 > D", ""),
    ("calling", "unreachable", "unreachable > -", "INVITE > A"),
    ("calling", "unanswered", "timeout > -", "INVITE > A"),
    ("calling", "early tick", " > A", ""),
    ("calling", "tick", "INVITE > A", ""),
    ("calling to the end", "100", " > without final response", ""),
    ("calling to the end", "199", " > without final response", ""),
    ("calling to the end", "200", "ack 200 > M", ""),
    ("calling to the end", "299", "ack 299 > M", ""),
    ("calling to the end", "200 of another", "not mine > B", ""),
    ("calling to the end", "300", "ACK 300 > D", ""),
    ("calling to the end", "491", "ACK 491 > D", ""),
    ("calling to the end", "503", "ACK 503 > D", "ACK INVITE > A"),
    ("calling to the end", "699", "ACK 699 > D", ""),
    (
        "calling to the end",
        "unreachable",
        "unreachable > -",
        "INVITE > A",
    ),
    (
        "calling to the end",
        "unanswered",
        "timeout > -",
        "INVITE > A",
    ),
    ("calling to the end", "early tick", " > B", ""),
    ("calling to the end", "tick", "timeout > -", "INVITE > A"),
    ("proceeding", "100", " > without final response", ""),
    ("proceeding", "199", " > without final response", ""),
    ("proceeding", "200", "ack 200 > M", ""),
    ("proceeding", "299", "ack 299 > M", ""),
    (
        "proceeding",
        "200 of another",
        "not mine > without final response",
        "",
    ),
    ("proceeding", "300", "ACK 300 > D", ""),
    ("proceeding", "491", "ACK 491 > D", ""),
    ("proceeding", "503", "ACK 503 > D", "ACK INVITE > A"),
    ("proceeding", "699", "ACK 699 > D", ""),
    ("proceeding", "unreachable", "unreachable > -", "INVITE > A"),
    ("proceeding", "unanswered", "timeout > abandoned", ""),
    ("proceeding", "early tick", " > without final response", ""),
    ("proceeding", "tick", "timeout > abandoned", ""),
    ("abandoned", "100", " > abandoned", ""),
    ("abandoned", "199", " > abandoned", ""),
    // Shown to the node, which says so.
    ("abandoned", "200", "not mine > abandoned", ""),
    ("abandoned", "299", "not mine > abandoned", ""),
    ("abandoned", "200 of another", "not mine > abandoned", ""),
    ("abandoned", "300", "ACK > D", ""),
    ("abandoned", "491", "ACK > D", ""),
    ("abandoned", "503", "ACK > D", ""),
    ("abandoned", "699", "ACK > D", ""),
    ("abandoned", "unreachable", " > abandoned", ""),
    ("abandoned", "unanswered", " > abandoned", ""),
    ("abandoned", "early tick", " > abandoned", ""),
    ("abandoned", "tick", " > -", ""),
    ("completed", "100", " > D", ""),
    ("completed", "199", " > D", ""),
    ("completed", "200", " > D", ""),
    ("completed", "299", " > D", ""),
    ("completed", "200 of another", "not mine > D", ""),
    ("completed", "300", "ACK > D", ""),
    ("completed", "491", "ACK > D", ""),
    ("completed", "503", "ACK > D", ""),
    ("completed", "699", "ACK > D", ""),
    ("completed", "unreachable", " > D", ""),
    ("completed", "unanswered", " > D", ""),
    ("completed", "early tick", " > D", ""),
    ("completed", "tick", " > -", ""),
    ("accepted", "100", " > M", ""),
    ("accepted", "199", " > M", ""),
    ("accepted", "200", "ack > M", ""),
    ("accepted", "299", "ack > M", ""),
    ("accepted", "200 of another", "not mine > M", ""),
    ("accepted", "300", " > M", ""),
    ("accepted", "491", " > M", ""),
    ("accepted", "503", " > M", ""),
    ("accepted", "699", " > M", ""),
    ("accepted", "unreachable", " > M", ""),
    ("accepted", "unanswered", " > M", ""),
    ("accepted", "early tick", " > M", ""),
    ("accepted", "tick", " > -", ""),
    ("accepted, not acknowledged", "100", " > M", ""),
    ("accepted, not acknowledged", "199", " > M", ""),
    ("accepted, not acknowledged", "200", " > M", ""),
    ("accepted, not acknowledged", "299", " > M", ""),
    (
        "accepted, not acknowledged",
        "200 of another",
        "not mine > M",
        "",
    ),
    ("accepted, not acknowledged", "300", " > M", ""),
    ("accepted, not acknowledged", "491", " > M", ""),
    ("accepted, not acknowledged", "503", " > M", ""),
    ("accepted, not acknowledged", "699", " > M", ""),
    ("accepted, not acknowledged", "unreachable", " > M", ""),
    ("accepted, not acknowledged", "unanswered", " > M", ""),
    ("accepted, not acknowledged", "early tick", " > M", ""),
    ("accepted, not acknowledged", "tick", " > -", ""),
];

/// [RFC 3261 17.1.1.2] [RFC 6026 8.4] Every state and every input, with one next hop and with two.
#[test]
fn transitions() {
    for state in STATES {
        let inputs = TRANSITIONS.iter().filter(|(of, ..)| *of == state);
        assert_eq!(inputs.count(), 13, "{state}");
    }
    for (state, input, one, two) in TRANSITIONS {
        let two = if two.is_empty() { one } else { two };
        assert_eq!(effect(state, 1, input), *one, "{state}: {input}");
        assert_eq!(effect(state, 2, input), *two, "{state}: {input}, two hops");
    }
}
