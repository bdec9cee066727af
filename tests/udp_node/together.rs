//! P-CSCF and S-CSCF together, and a UE.

use std::path::Path;

use serde_json::json;

use crate::{
    peer::{Peer, Register, status, values},
    process::{Process, folder, text},
};

/// Both, where the UE's address is not trusted.
struct Network {
    scscf: Process,
    pcscf: Process,
    options: [Vec<String>; 2],
}

fn start(role: &str, options: &[String]) -> Process {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    Process::start(role, &options)
}

impl Network {
    fn new(store: Option<&Path>) -> Self {
        let options = |more: [&str; 4], role: &str| {
            let mut options: Vec<String> = more.map(str::to_owned).into();
            if let Some(store) = store {
                let folder = store.join(role);
                options.extend(["--persist".to_owned(), folder.to_str().unwrap().to_owned()]);
            }
            options
        };
        let scscf = options(["--domain", "ims.test", "--trust", "127.0.0.1"], "scscf");
        let pcscf = options(["--domain", "visited.test", "--retry-ms", "500"], "pcscf");
        let mut network = Self::at(["127.0.0.1:0", "127.0.0.1:0"], [scscf, pcscf]);
        network.scscf.command(&json!({"command": "list"}));
        network.scscf.event("list");
        network
    }

    fn at(listen: [&str; 2], options: [Vec<String>; 2]) -> Self {
        let with = |own: &[String], more: &[&str]| {
            let more = more.iter().map(|&one| one.to_owned());
            own.iter().cloned().chain(more).collect::<Vec<_>>()
        };
        let scscf = start("scscf", &with(&options[0], &["--listen", listen[0]]));
        let next = ["--listen", listen[1], "--next-hop", &scscf.listen];
        let pcscf = start("pcscf", &with(&options[1], &next));
        Self {
            scscf,
            pcscf,
            options,
        }
    }

    /// Kills both, and starts them again where they were.
    fn crash(self) -> Self {
        let Self {
            scscf,
            pcscf,
            options,
        } = self;
        let listen = [scscf.listen.clone(), pcscf.listen.clone()];
        scscf.kill();
        pcscf.kill();
        Self::at([&listen[0], &listen[1]], options)
    }

    /// Registers a user, and waits until the P-CSCF has subscribed.
    fn register(&mut self, user: &str, ue: &Peer) -> String {
        let register = Register::new(user, ue);
        let response = ue.ask(&self.pcscf.listen, &register.write(ue));
        assert_eq!(status(&response), "200", "{response}");
        self.scscf.event("registered");
        self.scscf.event("subscribed");
        self.pcscf.event("registered");
        self.pcscf.event("subscribed");
        format!("sip:{user}@{}", ue.address)
    }
}

/// [PD-3, SD-3, RN-4] A UE registers, is lost, and is gone at both; the events of both say so.
#[test]
fn a_lost_ue_is_gone_at_both() {
    let mut network = Network::new(None);
    let ue = Peer::ue();
    let contact = network.register("alice", &ue);
    assert_eq!(network.pcscf.contacts(), [contact.as_str()]);
    assert_eq!(network.scscf.contacts(), [contact.as_str()]);

    let lost = json!({"command": "access_lost", "contact": contact, "evidence": "bearer_lost"});
    network.pcscf.command(&lost);
    let gone = network.pcscf.event("deregistered");
    assert_eq!(gone["contact"], contact);
    assert_eq!(gone["public_identity"], "sip:alice@ims.test");
    assert_eq!(
        (&gone["cause"], &gone["outcome"]),
        (&json!("access_lost"), &json!("notified"))
    );
    let gone = network.scscf.event("deregistered");
    assert_eq!(gone["cause"], "pcscf");
    assert_eq!(gone["private_identity"], "alice@ims.test");
    assert_eq!(
        network.scscf.event("subscription_ended")["why"],
        "no_resource"
    );
    assert!(network.pcscf.contacts().is_empty());
    assert!(network.scscf.contacts().is_empty());
    assert!(network.pcscf.quit() && network.scscf.quit());
}

/// [DR-7] Both are killed and started again: the user is still there, with its subscription, and is lost only then.
#[test]
fn who_is_stored_is_there_after_a_crash() {
    let store = folder("udp_node_crash");
    let mut network = Network::new(Some(&store));
    let (ue, other) = (Peer::ue(), Peer::ue());
    let contact = network.register("alice", &ue);
    let stays = network.register("bob", &other);
    let mut network = network.crash();
    let mut both = [contact.clone(), stays.clone()];
    both.sort();
    let mut contacts = network.pcscf.contacts();
    contacts.sort();
    assert_eq!(contacts, both);
    let mut contacts = network.scscf.contacts();
    contacts.sort();
    assert_eq!(contacts, both);

    let lost = json!({"command": "access_lost", "contact": contact});
    network.pcscf.command(&lost);
    assert_eq!(
        text(&network.pcscf.event("deregistered"), "outcome"),
        "notified"
    );
    network.scscf.event("deregistered");
    let mut network = network.crash();
    assert_eq!(network.pcscf.contacts(), [stays.as_str()]);
    assert_eq!(network.scscf.contacts(), [stays.as_str()]);
}

/// [PD-10, SD-5] What the home network ends is gone at the P-CSCF too.
#[test]
fn the_home_network_ends_it() {
    let mut network = Network::new(None);
    let ue = Peer::ue();
    network.register("alice", &ue);
    network.scscf.command(&json!({
        "command": "network_deregister",
        "public_identity": "sip:alice@ims.test",
        "reason": "permanent_termination",
    }));
    network.scscf.event("accepted");
    assert_eq!(
        network.scscf.event("deregistered")["cause"],
        "hss:permanent_termination"
    );
    assert_eq!(network.pcscf.event("deregistered")["cause"], "network");
    assert!(network.pcscf.contacts().is_empty());
}

/// [PD-1] The UE leaves by itself: nothing is left at either, and the REGISTER has gone through both.
#[test]
fn a_ue_leaves() {
    let mut network = Network::new(None);
    let ue = Peer::ue();
    network.register("alice", &ue);
    let mut register = Register::new("alice", &ue);
    (register.cseq, register.expires) = (2, 0);
    register.contact = "*".to_owned();
    let response = ue.ask(&network.pcscf.listen, &register.write(&ue));
    assert_eq!(status(&response), "200");
    assert!(values(&response, "Contact")[0].ends_with(";expires=0"));
    assert_eq!(network.scscf.event("deregistered")["cause"], "user");
    assert_eq!(network.pcscf.event("deregistered")["cause"], "user");
}

/// [PD-2] Everybody is ended when the P-CSCF is shut down, and whoever comes then is refused.
#[test]
fn a_shutdown() {
    let mut network = Network::new(None);
    let ues: Vec<Peer> = (0..5).map(|_| Peer::ue()).collect();
    for (number, ue) in ues.iter().enumerate() {
        network.register(&format!("user{number}"), ue);
    }
    let order = json!({"command": "shutdown", "rate": 1000, "in_flight": 10, "deadline_ms": 60000});
    network.pcscf.command(&order);
    let ended = network.pcscf.event("shutdown_ended");
    assert_eq!(ended["tally"]["notified"], 5, "{ended}");
    assert!(network.scscf.contacts().is_empty());
    let late = Register::new("late", &ues[0]);
    let response = ues[0].ask(&network.pcscf.listen, &late.write(&ues[0]));
    assert_eq!(status(&response), "503");
}

/// Requests larger than 1,300 bytes go over TCP between the two, and are found in the stream.
#[test]
fn large_requests_go_over_tcp() {
    let mut network = Network::new(None);
    let ue = Peer::ue();
    let long = format!("X-Long: {}\r\n", "y".repeat(1_200));
    let mut register = Register::new("alice", &ue);
    register.lines = &long;
    let response = ue.ask(&network.pcscf.listen, &register.write(&ue));
    assert_eq!(status(&response), "200");
    network.pcscf.event("subscribed");
    assert_eq!(network.scscf.contacts().len(), 1);
}
