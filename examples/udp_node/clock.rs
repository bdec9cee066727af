//! The time: milliseconds since 1970, so that it goes on where it was when the program starts again.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ims_procedures::drive::Millis;

/// A clock that is set once, and then runs steadily: nobody who sets the system's clock expires a registration.
pub struct Clock {
    epoch: Millis,
    start: Instant,
}

impl Clock {
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let milliseconds = since.map_or(0, |since| since.as_millis());
        Self {
            epoch: Millis(u64::try_from(milliseconds).unwrap_or(0)),
            start: Instant::now(),
        }
    }

    pub fn now(&self) -> Millis {
        let elapsed = self.start.elapsed().as_millis();
        self.epoch.after(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }
}
