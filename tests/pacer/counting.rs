//! What responses say, and what is counted.

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Outcome, Progress},
};

use crate::support::{all_asked, enqueue, pacer, unpaced};

/// [PD-6] What each response says of the neighbour.
#[test]
fn responses() {
    use Outcome::{Answered, Overloaded, Refused, Timeout};
    let busy = |retry_after| Overloaded { retry_after };
    for (status, retry_after, expected) in [
        (200, None, Answered),
        (202, Some(5), Answered),
        (299, None, Answered),
        (404, None, Answered),
        (481, None, Answered),
        (503, None, busy(None)),
        (503, Some(7), busy(Some(7))),
        (500, Some(0), busy(Some(0))),
        (500, None, Refused),
        (408, None, Timeout),
        (504, Some(9), Timeout),
        (401, None, Refused),
        (403, None, Refused),
        (423, None, Refused),
        (480, Some(30), Refused),
        (302, None, Refused),
        (603, None, Refused),
        (100, None, Refused),
    ] {
        assert_eq!(
            Outcome::of_response(status, retry_after),
            expected,
            "{status}"
        );
    }
}

/// [PD-2] [DR-10] Everything that happens is counted once, under its own name.
#[test]
fn tally() {
    let mut config = unpaced();
    config.decrease_interval = 0;
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..24, 0);
    pacer.cancel(23);
    let out = all_asked(&mut pacer, 0);
    let outcomes = [
        (Outcome::Answered, 6),
        (Outcome::Refused, 5),
        (Outcome::Overloaded { retry_after: None }, 4),
        (Outcome::Timeout, 3),
        (Outcome::Unreachable, 2),
        (Outcome::Abandoned, 1),
    ];
    let each = outcomes
        .into_iter()
        .flat_map(|(outcome, count)| std::iter::repeat_n(outcome, count));
    for (machine, outcome) in out.iter().zip(each) {
        assert!(pacer.outcome(Millis(0), *machine, outcome));
    }
    pacer.outcome(Millis(0), 0, Outcome::Answered);
    let Progress {
        queued,
        out,
        asked,
        answered,
        refused,
        overloaded,
        timeouts,
        unreachable,
        abandoned,
        cancelled,
        decreases,
        stale_outcomes,
        ..
    } = pacer.progress();
    assert_eq!((queued, out, asked), (0, 2, 23));
    assert_eq!((answered, refused, overloaded), (6, 5, 4));
    assert_eq!((timeouts, unreachable, abandoned), (3, 2, 1));
    assert_eq!((cancelled, decreases, stale_outcomes), (1, 9, 1));
}

/// [PD-2] A dry run tells how long it takes at least: as long as the rate of all, or as the longest queue at its
/// own; and so long it takes.
#[test]
fn least_time() {
    for (rate, queues, least) in [
        (30, [0, 0], 0),
        (30, [50, 50], 3_334),
        (40, [90, 10], 4_500),
        (30, [1, 0], 50),
    ] {
        let mut config = unpaced();
        (config.rate, config.burst) = (rate, 1);
        (config.hop_start_rate, config.hop_max_rate) = (20, 20);
        let mut pacer = pacer(config, 2);
        enqueue(&mut pacer, 0, 0..queues[0], 0);
        enqueue(&mut pacer, 0, 1_000..1_000 + queues[1], 1);
        assert_eq!(pacer.least_time(), least, "{queues:?}");
        let mut last = 0;
        while let Some(at) = pacer.deadline() {
            last = at.0;
            all_asked(&mut pacer, last);
        }
        assert!(last <= least && least <= last + 50, "{queues:?}: {last}");
    }
}
