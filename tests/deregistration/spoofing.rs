//! Who else would like to speak for a P-CSCF.

use ims_procedures::{drive::Source, scscf::Answer};

use crate::{
    chain::{Chain, contact, ue, ue_side},
    common::pcscf as edge,
    scscf::{self as home, header},
};

const ASSERTED: &str = "P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>\r\n";

/// The REGISTER of the P-CSCF, as it would send it now.
fn genuine() -> String {
    let mut chain = Chain::registered();
    chain.hold("P-CSCF1 sends REGISTER");
    chain.access_lost(0, &ue());
    chain.last("P-CSCF1 sends REGISTER").to_owned()
}

/// The de-REGISTER of the fixture's UE, with more headers.
fn forged(headers: &str) -> String {
    let request = ue_side(&ue().removal("forged-call-1", 1));
    request.replace("Content-Length", &format!("{headers}Content-Length"))
}

/// [SD-1, SD-2, PD-11, T53] Who is not the P-CSCF of the binding's Path deregisters nobody, whatever he claims: a UE
/// that asserts the P-CSCF's identity, hosts that contain its name, a foreign P-CSCF, a REGISTER without asserted
/// identity and without a UE in Via, unless it is said to be an authenticated user's. The user is asked for, and neither end changes. The P-CSCF itself is recognised.
#[test]
fn not_the_pcscf() {
    let credentials = header(&forged(""), "Authorization").unwrap().to_owned();
    let through_the_pcscf = [
        forged(ASSERTED),
        forged(&ASSERTED.replace("net:5070", "net:5070;lr")),
        forged(&format!(
            "{ASSERTED}Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\n"
        )),
        forged(ASSERTED).replace(
            &credentials,
            &format!("{credentials},integrity-protected=\"auth-done\""),
        ),
        forged(ASSERTED).replace(
            "[2001:db8::aaa:bbb]:1357;branch",
            "pcscf1.visited1.example.net:5070;branch",
        ),
    ];
    for request in through_the_pcscf {
        let mut chain = Chain::registered();
        chain.verdict = Answer::Denied;
        chain.ue_sends(0, &request);
        assert_eq!(chain.count("S-CSCF asks authentication"), 1, "{request}");
        chain.saw(&["UE gets 403 to REGISTER"]);
        nothing_changed(chain);
    }

    let genuine = genuine();
    let another = |host: &str| genuine.replace("pcscf1.visited1.example.net", host);
    let asserting = |host: &str| {
        genuine.replace(
            ASSERTED,
            &ASSERTED.replace("pcscf1.visited1.example.net", host),
        )
    };
    let past_the_pcscf = [
        (Source::Ue, genuine.clone(), "source is not trusted core"),
        (
            Source::Unknown,
            genuine.clone(),
            "source is not trusted core",
        ),
        (
            Source::TrustedCore,
            asserting("pcscf1.visited1.example.net.evil.example"),
            "not the owner",
        ),
        (
            Source::TrustedCore,
            asserting("xpcscf1.visited1.example.net"),
            "not the owner",
        ),
        (
            Source::TrustedCore,
            another("pcscf9.visited9.example.net"),
            "not the owner",
        ),
        (
            Source::TrustedCore,
            genuine.replace(ASSERTED, "").replace("auth-done", "yes"),
            "no P-Asserted-Identity",
        ),
        (
            Source::TrustedCore,
            genuine.replace("auth-done", "no"),
            "integrity-protected",
        ),
        (
            Source::TrustedCore,
            genuine.replace(
                "Max-Forwards",
                "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nMax-Forwards",
            ),
            "Vias do not begin",
        ),
    ];
    for (from, request, reason) in past_the_pcscf {
        let mut chain = Chain::registered();
        chain.verdict = Answer::Denied;
        chain.intrudes(from, &request);
        let asked = chain
            .log
            .iter()
            .find(|line| line.starts_with("S-CSCF asks authentication"));
        assert!(
            asked.unwrap().contains(reason),
            "{reason}: {:#?}",
            chain.log
        );
        assert_eq!(chain.count("S-CSCF tells suspicious"), 1);
        nothing_changed(chain);
    }

    let mut chain = Chain::registered();
    chain.verdict = Answer::Denied;
    chain.access_lost(0, &ue());
    assert_eq!(chain.count("S-CSCF asks authentication"), 0);
    assert_eq!(chain.last("P-CSCF1 sends REGISTER"), genuine);
    chain.nothing_is_left();
}

/// Nobody is deregistered, nobody is told.
fn nothing_changed(mut chain: Chain) {
    chain.wait(100_000);
    assert_eq!(
        chain.is_registered(0, &ue()),
        [true, true],
        "{}",
        contact(&ue())
    );
    for line in [
        "S-CSCF asks dialogs",
        "S-CSCF asks assignment",
        "P-CSCF1 asks",
        "P-CSCF1 tells",
    ] {
        assert_eq!(chain.count(line), 0, "{line}");
    }
    assert_eq!(chain.count("S-CSCF sends REGISTER to the server"), 0);
}

/// [SD-1, SD-2, T53] A UE behind a NAT whose Via was rewritten, so that its own deregistration has no address of a UE
/// in any Via: that alone does not make it the P-CSCF's. The user is asked for, is who he says, and is deregistered.
#[test]
fn no_address_of_the_ue_in_via() {
    let mut chain = Chain::registered();
    let via = "[2001:db8::aaa:bbb]:1357;branch";
    let request = forged("");
    assert!(request.contains(via));
    let rewritten = request.replace(via, "pcscf1.visited1.example.net:5070;branch");
    chain.ue_sends(0, &rewritten);
    chain.saw(&[
        "S-CSCF asks authentication: [\"no P-Asserted-Identity\"",
        "S-CSCF tells User",
    ]);
    chain.saw(&["UE gets 200 to REGISTER", "P-CSCF1 tells User ByUser 0"]);
    chain.nothing_is_left();

    let mut observed = home::config();
    observed.observe_only = true;
    let mut chain = Chain::registered_with(edge::config(), observed);
    chain.access_lost(0, &ue());
    assert_eq!(
        chain.count("S-CSCF asks authentication: []"),
        1,
        "recognised, and asked all the same"
    );
}
