//! `measure close`: the BYE of a client comes to a node that has many CPM sessions: it is read, its session found, the
//! release of its media asked for, and the BYE to the other CPM entity written. Each BYE is of another session.

use crate::{many::Sessions, options::Options, timing::measure};

/// Sessions are closed in an order that no cache foresees.
const STRIDE: u64 = 7_919;

pub(crate) fn run(options: &Options) {
    if options.dump {
        print!("{}", String::from_utf8_lossy(&Sessions::bye(0)));
        return;
    }
    let sessions = u64::from(options.users);
    let rounds = options.repetitions as u64 + 1;
    let n = options.n.min(sessions / (rounds + 1)).max(1);
    let mut many = Sessions::new(options.users, None);
    (0..options.users).for_each(|session| many.establish(session));
    let byes: Vec<_> = (0..options.users).map(Sessions::bye).collect();
    let mut next = 0u64;
    let figures = measure(n, options.repetitions, || {
        next = (next + STRIDE) % sessions;
        many.receive(&byes[next as usize]) as u64
    });
    figures.print("bye-cpm", byes[0].len(), n);
}
