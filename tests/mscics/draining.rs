//! An MSC server goes down with all its subscribers.

use ims_procedures::{
    drive::{Answer, Millis, Node, Output, Verdict},
    mscics::{Cause, Command, Event, Outcome, Shutdown, Tally},
};

use crate::bed::{
    Bed, Out, PARAMS, PRIVATE, briefs, outcome, plain, register, register_200, request, response,
};

fn imsi(number: usize) -> String {
    format!("2341509{number:08}")
}

/// A node with so many subscribers, every fourth in a dialog.
fn with(subscribers: usize) -> Bed {
    let mut bed = Bed::new(plain());
    for number in 0..subscribers {
        let change = |text: String| text.replace("234150999999999", &imsi(number));
        let (request, response) = (register(PARAMS, 1), register_200(PARAMS, 1));
        bed.learn(&change(request), &change(response));
        if number % 4 == 0 {
            let command = Command::DialogAdded {
                private_identity: &PRIVATE
                    .replace("234150999999999", &imsi(number))
                    .into_bytes(),
                public_identity: b"tel:+12125551111",
                dialog: ims_procedures::mscics::NewDialog {
                    dialog: ims_procedures::mscics::DialogRef(1),
                    held: None,
                },
            };
            assert_eq!(bed.command(command), Verdict::Handled);
        }
    }
    bed
}

/// Runs it, everything answered at once, or nothing: what was sent when, and what was reported.
fn run(bed: &mut Bed, until: Millis, answered: bool) -> (Vec<Millis>, Option<Tally>, u32) {
    let (mut sent, mut ended, mut outcomes) = (Vec::new(), None, 0);
    while let Some((at, _)) = bed.node.deadline().filter(|&(at, _)| at <= until) {
        bed.now = bed.now.max(at);
        bed.node.tick(bed.now, &mut bed.out).unwrap();
        let mut answers = Vec::new();
        while !bed.out.is_empty() {
            for output in bed.out.iter() {
                match output {
                    Output::Request { token, .. } => {
                        sent.push(bed.now);
                        answers.push((token, true));
                    }
                    Output::Ask { token, .. } => answers.push((token, false)),
                    Output::Event(Event::Deregistered { .. }) => outcomes += 1,
                    Output::Event(Event::ShutdownEnded { tally }) => ended = Some(*tally),
                    _ => {}
                }
            }
            bed.out.clear();
            if !answered {
                break;
            }
            if let Some((token, is_request)) = answers.pop() {
                let answer = match is_request {
                    true => Answer::Response(
                        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nContent-Length: 0\r\n\r\n",
                    ),
                    false => ims_procedures::mscics::Answer::Done.into(),
                };
                bed.node
                    .answer(bed.now, token, answer, &mut bed.out)
                    .unwrap();
            }
        }
        for (token, is_request) in answers.into_iter().filter(|_| answered) {
            let answer = match is_request {
                true => Answer::Response(
                    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nContent-Length: 0\r\n\r\n",
                ),
                false => ims_procedures::mscics::Answer::Done.into(),
            };
            bed.node
                .answer(bed.now, token, answer, &mut bed.out)
                .unwrap();
        }
    }
    (sent, ended, outcomes)
}

/// [MS-1] [PD-12] Everybody goes, once, no faster than ordered; then it is reported, and nothing is left.
#[test]
fn everybody() {
    let mut bed = with(300);
    let mut order = Shutdown::until(bed.now.after(600_000));
    order.rate = Some(50);
    let (started, deadline) = (bed.now, order.deadline);
    bed.command(Command::Shutdown(order));
    assert_eq!(bed.take(), []);
    let (sent, ended, _) = run(&mut bed, deadline, true);
    assert_eq!(sent.len(), 300);
    let tally = ended.expect("an end");
    assert_eq!((tally.confirmed, tally.total()), (300, 300));
    assert_eq!(bed.node.registrations(), 0);
    assert_eq!(bed.node.deadline(), None);
    for (place, at) in sent.iter().enumerate().skip(10) {
        let allowed = at.since(started) * 50 / 1_000 + 11;
        assert!(place as u64 <= allowed, "{place} at {at}");
    }
}

/// [MS-1] [MS-5] Nobody answers: at the deadline all is over, everybody with an outcome.
#[test]
fn deadline() {
    let mut bed = with(100);
    let order = Shutdown::until(bed.now.after(30_000));
    let deadline = order.deadline;
    bed.command(Command::Shutdown(order));
    let (_, ended, outcomes) = run(&mut bed, deadline, false);
    let tally = ended.expect("an end");
    assert_eq!((outcomes, tally.total()), (100, 100));
    assert!(tally.not_asked > 0 && tally.no_response > 0, "{tally:?}");
    assert_eq!(bed.now, deadline);
    assert_eq!(bed.node.registrations(), 0);
}

/// [MS-1] It is called off: who waits for a turn stays registered, and whoever is under way ends.
#[test]
fn called_off() {
    let mut bed = with(100);
    assert_eq!(bed.command(Command::Resume), Verdict::NotMine);
    let mut order = Shutdown::until(bed.now.after(600_000));
    (order.rate, order.in_flight) = (Some(1), Some(1));
    bed.command(Command::Shutdown(order));
    let now = bed.now.after(3_000);
    let (sent, _, _) = run(&mut bed, now, false);
    assert!(!sent.is_empty());
    assert_eq!(bed.command(Command::Resume), Verdict::Handled);
    bed.now = bed.now.after(10_000);
    let now = bed.now;
    let (_, ended, outcomes) = run(&mut bed, now, true);
    assert_eq!((ended, outcomes), (None, 0));
    let is_registered = |number: &usize| {
        let private = PRIVATE.replace("234150999999999", &imsi(*number));
        bed.node.is_registered(private.as_bytes())
    };
    let registered = (0..100).filter(is_registered).count();
    assert_eq!(registered, 100 - sent.len());
}

/// [MS-1] A subscriber who waits for a turn of the shutdown, and has left by then, goes although the shutdown is called off.
#[test]
fn called_off_for_others() {
    let mut bed = with(10);
    let mut order = Shutdown::until(bed.now.after(600_000));
    (order.rate, order.in_flight) = (Some(1), Some(1));
    bed.command(Command::Shutdown(order));
    let now = bed.now;
    run(&mut bed, now, false);
    let private = PRIVATE.replace("234150999999999", &imsi(7)).into_bytes();
    assert!(!bed.node.is_registered(&private));
    for (cause, triggered) in [(Cause::Purge, 1), (Cause::CancelLocation, 1)] {
        bed.command(Command::Inactive {
            private_identity: &private,
            cause,
        });
        assert_eq!(bed.take(), []);
        assert_eq!(bed.node.counters().triggered, triggered);
    }
    assert_eq!(bed.command(Command::Resume), Verdict::Handled);
    let mut ended = Vec::new();
    while let Some((at, _)) = bed.node.deadline().filter(|&(at, _)| at < Millis(600_000)) {
        bed.now = bed.now.max(at);
        for out in bed.tick() {
            match out {
                Out::Event(whom, Event::Deregistered { cause, .. }) => ended.push((whom, cause)),
                Out::Request { token, bytes, .. } => {
                    let answer = bed.respond(token, &response(404, &bytes, ""));
                    let [Out::Event(whom, Event::Deregistered { cause, .. })] = &answer[..] else {
                        panic!("{answer:?}");
                    };
                    ended.push((whom.clone(), *cause));
                }
                _ => {}
            }
        }
    }
    let of_7 = |(whom, _): &&(String, Cause)| whom.starts_with(&imsi(7));
    assert_eq!(ended.iter().find(of_7).unwrap().1, Cause::Purge);
    let registered = (0..10).filter(|number| {
        let private = PRIVATE.replace("234150999999999", &imsi(*number));
        bed.node.is_registered(private.as_bytes())
    });
    assert_eq!(registered.count(), 8);
}

/// [MS-1] Who is registered, or returns, while the node is shut down goes as well.
#[test]
fn meanwhile() {
    let mut bed = Bed::new(plain());
    bed.command(Command::Shutdown(Shutdown::until(bed.now.after(600_000))));
    while bed.node.deadline().is_some_and(|(at, _)| at <= bed.now) {
        bed.tick();
    }
    bed.register();
    let out = bed.fire("turn of a subscriber");
    assert_eq!(briefs(&out), ["REGISTER"]);
    let (token, _) = request(&out);
    let out = bed.answer(token, Answer::Timeout);
    assert_eq!(out, []);
    let out = bed.returned();
    assert_eq!(
        outcome(&out),
        (Cause::Shutdown, Outcome::NoResponse, 1, 0, true)
    );
}

/// Orders a dry run, and gives what it finds: subscribers, those with dialogs, the least time.
fn planned(bed: &mut Bed, rate: Option<u32>) -> (u32, u32, u64) {
    let mut order = Shutdown::until(bed.now);
    (order.rate, order.dry_run) = (rate, true);
    assert_eq!(bed.command(Command::Shutdown(order)), Verdict::Handled);
    let mut reported = Vec::new();
    while bed.node.deadline().is_some_and(|(at, _)| at <= bed.now) {
        reported.extend(bed.tick());
    }
    match &reported[..] {
        [
            Out::Event(
                _,
                Event::ShutdownPlanned {
                    registrations,
                    in_dialog,
                    least_time,
                },
            ),
        ] => (*registrations, *in_dialog, *least_time),
        other => panic!("{other:?}"),
    }
}

/// [MS-1] [PD-12] The dry run tells how many there are and how long it takes at least, and does nothing; the shutdown takes
/// as long, where everything is answered at once.
#[test]
fn dry_run() {
    let mut bed = with(200);
    let turns_of_100_a_second = (150 + 2 * 50) * 10;
    assert_eq!(planned(&mut bed, None), (200, 50, turns_of_100_a_second));
    let (_, _, slow) = planned(&mut bed, Some(1));
    let (_, _, least_time) = planned(&mut bed, Some(10));
    assert!(slow > 9 * least_time, "{slow} and {least_time}");
    assert_eq!(bed.node.registrations(), 200);
    assert!(
        bed.node
            .is_registered(PRIVATE.replace("234150999999999", &imsi(0)).as_bytes())
    );
    assert_eq!(bed.node.deadline().unwrap().1.0, "registration lifetime");

    let mut order = Shutdown::until(bed.now.after(600_000));
    order.rate = Some(10);
    let (started, deadline) = (bed.now, order.deadline);
    bed.command(Command::Shutdown(order));
    let (sent, ended, _) = run(&mut bed, deadline, true);
    assert_eq!(ended.expect("an end").total(), 200);
    let took = sent.last().unwrap().since(started);
    let at_once = u64::from(plain().pacing.burst) * 100;
    assert_eq!(
        took + at_once,
        least_time,
        "but for those that may go at once"
    );
}

/// [MS-1] While a shutdown runs, a dry run says what is left of it; nobody is left, and so is no time.
#[test]
fn dry_run_beside_a_shutdown() {
    let mut bed = with(100);
    let mut order = Shutdown::until(bed.now.after(600_000));
    order.rate = Some(10);
    bed.command(Command::Shutdown(order));
    let (now, deadline) = (bed.now.after(2_000), order.deadline);
    run(&mut bed, now, true);
    let left = bed.node.registrations() as u32;
    assert!(left < 100);
    let (registrations, _, least_time) = planned(&mut bed, Some(10));
    assert_eq!(registrations, left);
    assert!(least_time > 0);
    run(&mut bed, deadline, true);
    assert_eq!(planned(&mut bed, Some(10)), (0, 0, 0));
    let mut nobody = Bed::new(plain());
    assert_eq!(planned(&mut nobody, None), (0, 0, 0));
    assert_eq!(nobody.node.deadline(), None);
}
