//! [SD-5, SD-6, RN-3, RN-4] What a watcher knows, whatever the network does.

use super::support::*;
use ims_procedures::{
    regevent::{
        notifier::End,
        watcher::{Quirks, Watcher},
    },
    scscf::{Command, Config, DeregistrationReason, TerminationReason},
};
use proptest::prelude::*;

const OTHER: &str = "user1_other@home1.example.net";

#[derive(Clone, Debug)]
enum Act {
    Register { contact: usize, expires: u64 },
    Remove(usize),
    End { reason: usize, other: bool },
    Terminate(usize),
    Cut(u32),
    Wait(u64),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3usize, 1..200u64).prop_map(|(contact, expires)| Act::Register { contact, expires }),
        1 => (0..3usize).prop_map(Act::Remove),
        2 => (0..3usize, any::<bool>()).prop_map(|(reason, other)| Act::End { reason, other }),
        1 => (0..3usize).prop_map(Act::Terminate),
        1 => (1..90u32).prop_map(Act::Cut),
        2 => (1..90u64).prop_map(Act::Wait),
        1 => Just(Act::Restart),
    ]
}

/// A contact of the user of the fixtures, another one, and one of another private identity.
fn contact(number: usize) -> Registration {
    let contact = ["sip:192.0.2.1", "sip:192.0.2.2", "sip:192.0.2.3"][number];
    Registration {
        private: [PRIVATE, PRIVATE, OTHER][number],
        call_id: ["call-0", "call-1", "call-2"][number],
        ..Registration::of(contact, "")
    }
}

struct Run {
    host: Host,
    config: Config,
    cseq: u32,
    lives: u64,
    dialogs: u32,
    watcher: Option<Watcher>,
    /// Of the NOTIFYs to come, each so manieth is refused once.
    refused: u32,
    notifies: u32,
}

impl Run {
    fn act(&mut self, act: &Act) {
        self.cseq += 1;
        let outs = match *act {
            Act::Register {
                contact: number,
                expires,
            } => {
                let mut registration = contact(number);
                registration.cseq = self.cseq;
                for granted in &mut registration.granted {
                    *granted = granted.replace("=3600", &format!("={expires}"));
                }
                self.host.learn(&registration);
                Vec::new()
            }
            Act::Remove(number) => {
                let registration = contact(number);
                self.host
                    .receive(registration.removal(registration.call_id, self.cseq))
            }
            Act::End { reason, other } => {
                let reasons = [
                    DeregistrationReason::Maintenance,
                    DeregistrationReason::Refused,
                    DeregistrationReason::WaitAndRetry { retry_after: 5 },
                ];
                let command = Command::Deregister {
                    public_identity: TEL.as_bytes(),
                    private_identity: other.then_some(OTHER.as_bytes()),
                    reason: reasons[reason],
                };
                self.host.command(command).1
            }
            Act::Terminate(reason) => {
                let reasons = [
                    TerminationReason::PermanentTermination,
                    TerminationReason::ServerChange,
                    TerminationReason::NewServerAssigned,
                ];
                self.host.terminate(reasons[reason]).1
            }
            Act::Cut(seconds) => {
                super::network::reauthenticate(&mut self.host, seconds);
                Vec::new()
            }
            Act::Wait(seconds) => {
                for _ in 0..seconds {
                    let outs = self.host.run(1_000);
                    self.quiet(outs);
                }
                Vec::new()
            }
            Act::Restart => {
                self.lives += 1;
                self.host.restart_with(self.config.clone(), self.lives);
                Vec::new()
            }
        };
        self.quiet(outs);
        self.compare(act);
    }

    /// Until nothing is due or out; the watcher takes every document.
    fn quiet(&mut self, mut outs: Vec<Out>) {
        loop {
            outs.extend(self.host.ticks());
            if outs.is_empty() {
                return;
            }
            let mut next = Vec::new();
            for out in outs {
                match &out {
                    Out::Ask { .. } => next.extend(self.host.run_procedure_once(vec![out])),
                    Out::Request { .. } if out.is_notify() => next.extend(self.notified(&out)),
                    Out::Request { .. } => next.extend(self.host.respond(&out, 200)),
                    Out::Event(Ev::Ended(why)) => {
                        assert!(matches!(why, End::NoResource | End::Moved), "{why:?}");
                        self.watcher = None;
                    }
                    _ => {}
                }
            }
            outs = next;
        }
    }

    fn notified(&mut self, notify: &Out) -> Vec<Out> {
        self.notifies += 1;
        let refuse = self.refused > 0 && self.notifies % self.refused == 0;
        if refuse {
            let outs = self.host.respond(notify, 500);
            assert!(outs.is_empty(), "{outs:?}");
            return self.host.run(4_000);
        }
        let (head, body) = notify.bytes().split_once("\r\n\r\n").unwrap();
        let cseq = header(head, "CSeq").unwrap().split(' ').next().unwrap();
        let watcher = self.watcher.as_mut().unwrap();
        let (now, cseq) = (self.host.now, cseq.parse().unwrap());
        watcher
            .apply(
                now,
                body.as_bytes(),
                cseq,
                &self.config.limits,
                Quirks::default(),
            )
            .unwrap();
        if head.contains("Subscription-State: terminated") {
            assert!(
                watcher.registrations().all(|row| !row.is_active()),
                "the end of all is what the last document says"
            );
        }
        self.host.respond(notify, 200)
    }

    /// Watched again as soon as there is something to watch; then both know the same.
    fn compare(&mut self, act: &Act) {
        let registered = self.host.node.is_registered(PUBLIC.as_bytes());
        assert_eq!(
            self.host.node.subscribers(PUBLIC.as_bytes()),
            usize::from(self.watcher.is_some())
        );
        if !registered {
            assert!(self.watcher.is_none(), "nobody watches nothing: {act:?}");
            return;
        }
        if self.watcher.is_none() {
            self.dialogs += 1;
            self.watcher = Some(Watcher::new());
            let text = subscribe()
                .replace("s-call-1", &format!("s-call-{}", self.dialogs))
                .replace("s-tag", &format!("s-tag-{}", self.dialogs))
                .replace("Expires: 3660", "Expires: 600000");
            let server = "P-Asserted-Identity: <sip:as1.home1.example.net>";
            let asserted = text
                .lines()
                .find(|line| line.starts_with("P-Asserted"))
                .unwrap();
            let text = text.replace(asserted, server);
            let outs = self.host.receive(text);
            assert_eq!(outs[0].status(), 200, "{outs:?}");
            self.quiet(outs);
        }
        // It may be over again: a refused NOTIFY takes its time.
        let Some(watcher) = &self.watcher else {
            return;
        };
        let row = watcher
            .registrations()
            .find(|row| row.aor == PUBLIC)
            .unwrap();
        let mut known: Vec<String> = row
            .contacts()
            .filter(|contact| contact.is_active())
            .map(|contact| contact.contact.uri.clone())
            .collect();
        let mut bound: Vec<String> = self
            .host
            .node
            .contacts(PUBLIC.as_bytes())
            .map(|uri| String::from_utf8(uri.to_vec()).unwrap())
            .collect();
        known.sort_unstable();
        bound.sort_unstable();
        assert_eq!(known, bound, "after {act:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// [SD-5, SD-6, RN-3, RN-4] Whatever ends or cuts registrations, restarts and refused NOTIFYs among it: a watcher
    /// knows what is bound, and of the end of all by its last document, unless another S-CSCF has the user.
    #[test]
    fn whatever_the_network_does(
        is_partial in any::<bool>(),
        refused in 0..4u32,
        acts in proptest::collection::vec(act(), 1..20),
    ) {
        let mut config = config();
        config.notifier.partial_state = is_partial;
        config.trusted_servers.push(b"sip:as1.home1.example.net".to_vec());
        let mut run = Run {
            host: Host::new(config.clone()),
            config,
            cseq: 10,
            lives: 1,
            dialogs: 0,
            watcher: None,
            refused: if refused == 1 { 0 } else { refused },
            notifies: 0,
        };
        for act in &acts {
            run.act(act);
        }
    }
}
