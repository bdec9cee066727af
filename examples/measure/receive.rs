//! `measure receive`: a NOTIFY with three registrations comes to a node that is subscribed: it is read, its dialog
//! found, the table of the user updated, and the 200 written.

use ims_procedures::drive::Node;

use crate::{
    notified::{self, Notified},
    options::Options,
    timing::measure,
};

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let node = options.kind.as_deref();
    match node.unwrap_or("watcher") {
        "watcher" => receive(notified::watcher(), "notify-watcher", options),
        "pcscf" => receive(notified::pcscf(), "notify-pcscf", options),
        other => return Err(format!("no kind {other}: watcher or pcscf")),
    }
    Ok(())
}

fn receive<N: Node>(mut notified: Notified<N>, input: &str, options: &Options) {
    if options.dump {
        print!("{}", String::from_utf8_lossy(&notified.notify));
        return;
    }
    let bytes = notified.notify.len();
    let figures = measure(options.n, options.repetitions, || {
        notified.advance();
        notified.receive() as u64
    });
    figures.print(input, bytes, options.n);
}
