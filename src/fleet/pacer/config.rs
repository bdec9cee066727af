//! What an operator decides about a pace.

use core::ops::RangeInclusive;

use crate::drive::ConfigError;

/// What becomes of a next hop whose canaries came back bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadCanaries {
    /// Nothing more goes there: its queue is given back ([`NotAsked::Canaries`](super::NotAsked::Canaries)).
    Stop,
    /// Other canaries go after [`Config::canary_pause`], as often as it takes, or [`Config::bad_rounds`] allows.
    Slowly,
}

/// The outcomes that slow a next hop down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowedBy {
    /// [`Outcome::Overloaded`](super::Outcome::Overloaded). Default true: the neighbour says so.
    pub overloaded: bool,
    /// [`Outcome::Timeout`](super::Outcome::Timeout). Default true: who drowns in requests no longer answers.
    pub timeout: bool,
    /// [`Outcome::Unreachable`](super::Outcome::Unreachable). Default true: RFC 3261 8.1.3.1 takes it for a 503.
    pub unreachable: bool,
}

impl Default for SlowedBy {
    fn default() -> Self {
        Self {
            overloaded: true,
            timeout: true,
            unreachable: true,
        }
    }
}

/// The configuration of a pacer. It may be replaced while it runs.
///
/// Rates are in requests per second, retransmissions apart. Each next hop has a rate of its own between
/// [`hop_min_rate`](Self::hop_min_rate) and [`hop_max_rate`](Self::hop_max_rate): it grows by addition while all
/// goes well and shrinks by multiplication when it does not, so that several senders who share a neighbour come
/// to equal shares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Requests per second to all next hops together: 1 to 1,000,000. Default 1,000: a million users in
    /// 17 minutes, and a core that has hardly noticed.
    pub rate: u32,
    /// Requests that may go at once after a pause, overall and per next hop: 1 to 10,000. Default 10: at the
    /// default rate, what comes due while a host sleeps for 10 ms, or a store takes that long: so many turns are
    /// withheld at most. With 1, requests are evenly spaced.
    pub burst: u32,
    /// Requests out at once, overall: 1 to 1,048,576. Default 2,048: two seconds of the default rate.
    pub in_flight: u32,
    /// Requests out at once per next hop: 1 to `in_flight`. Default 256, an eighth of all: one that has died
    /// holds no more until its requests have timed out.
    pub hop_in_flight: u32,
    /// The rate at which a next hop begins: `hop_min_rate` to `hop_max_rate`. Default 100:
    /// an S-CSCF asks its HSS for each of them, beside what its users want.
    pub hop_start_rate: u32,
    /// The rate below which a next hop is not slowed: 1 to `hop_max_rate`. Default 1: enough to
    /// find out that it is well again.
    pub hop_min_rate: u32,
    /// The rate above which a next hop is not driven: 1 to 1,000,000. Default 1,000: one alone may use
    /// the rate of all.
    pub hop_max_rate: u32,
    /// What is added to the rate after an interval in which all went well: 0 (never) to 1,000,000.
    /// Default 20: from start to a thousand in 45 s.
    pub increase: u32,
    /// Milliseconds of an interval: 10 to 3,600,000. It counts if at least half of what the rate allows was
    /// answered in it: what is not used is not known to be borne. Default 1,000.
    pub increase_interval: u64,
    /// What the rate shrinks to, in hundredths of what it was: 1 to 99. Default 70: gentler than the 50 of TCP,
    /// as a neighbour refuses before it breaks down.
    pub decrease_to: u32,
    /// Milliseconds after a decrease in which there is no other: 0 to 3,600,000. Default 1,000: the requests
    /// that were out say what is known already.
    pub decrease_interval: u64,
    /// Which outcomes slow a next hop down. Default all three.
    pub slowed_by: SlowedBy,
    /// The longest Retry-After that holds a next hop off, in seconds; a longer one counts as so long:
    /// 0 (none does) to 86,400. Default 120, as that of a
    /// [P-CSCF](crate::pcscf::Config::retry_after_limit).
    pub retry_after_limit: u32,
    /// Requests that go to a next hop first, before all others: 0 (no such caution) to 64. Default 3: one user
    /// may be a special case.
    pub canaries: u16,
    /// How many canaries must be answered well before the others go: 1 to `canaries`, or anything if that is 0.
    /// Default 1. All of them bad but fewer than that: [`bad_canaries`](Self::bad_canaries).
    pub good_canaries: u16,
    /// What follows bad canaries. Default [`BadCanaries::Slowly`].
    pub bad_canaries: BadCanaries,
    /// So many rounds of bad canaries one after the other are enough, if they go slowly: then nothing more goes there,
    /// as with [`BadCanaries::Stop`]. 0 to 65,535. Default 0: they never are.
    pub bad_rounds: u16,
    /// Milliseconds until other canaries go: 1 to 3,600,000. Default 10,000: time enough for a neighbour's
    /// standby to take over.
    pub canary_pause: u64,
    /// So many refusals, timeouts and unreachables one after the other make a next hop begin again with
    /// canaries, at least one, after `canary_pause`: 0 (never) to 65,535. Default 16: so many
    /// users are no special case.
    pub bad_streak: u16,
    /// Milliseconds with nothing queued or out after which what was learnt of a next hop no longer holds, its
    /// bucket and hold-off apart: 0 to 86,400,000. Default 60,000: a minute later, its load is another.
    pub forget_after: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rate: 1_000,
            burst: 10,
            in_flight: 2_048,
            hop_in_flight: 256,
            hop_start_rate: 100,
            hop_min_rate: 1,
            hop_max_rate: 1_000,
            increase: 20,
            increase_interval: 1_000,
            decrease_to: 70,
            decrease_interval: 1_000,
            slowed_by: SlowedBy::default(),
            retry_after_limit: 120,
            canaries: 3,
            good_canaries: 1,
            bad_canaries: BadCanaries::Slowly,
            bad_rounds: 0,
            canary_pause: 10_000,
            bad_streak: 16,
            forget_after: 60_000,
        }
    }
}

const MOST_RATE: u64 = 1_000_000;
const HOUR: u64 = 3_600_000;

impl Config {
    /// A next hop's rate, brought within the bounds.
    pub(super) fn bounded_rate(&self, rate: u32) -> u32 {
        rate.max(self.hop_min_rate).min(self.hop_max_rate)
    }

    /// [DR-5] Checks that every value is within its bounds, and that they can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let bounds: [(&'static str, u64, RangeInclusive<u64>, &'static str); 15] = [
            (
                "rate",
                self.rate.into(),
                1..=MOST_RATE,
                "not between 1 and 1,000,000",
            ),
            (
                "burst",
                self.burst.into(),
                1..=10_000,
                "not between 1 and 10,000",
            ),
            (
                "in_flight",
                self.in_flight.into(),
                1..=1 << 20,
                "not between 1 and 1,048,576",
            ),
            (
                "hop_in_flight",
                self.hop_in_flight.into(),
                1..=self.in_flight.into(),
                "not between 1 and in_flight",
            ),
            (
                "hop_max_rate",
                self.hop_max_rate.into(),
                1..=MOST_RATE,
                "not between 1 and 1,000,000",
            ),
            (
                "hop_min_rate",
                self.hop_min_rate.into(),
                1..=self.hop_max_rate.into(),
                "not between 1 and hop_max_rate",
            ),
            (
                "hop_start_rate",
                self.hop_start_rate.into(),
                self.hop_min_rate.into()..=self.hop_max_rate.into(),
                "not between hop_min_rate and hop_max_rate",
            ),
            (
                "increase",
                self.increase.into(),
                0..=MOST_RATE,
                "more than 1,000,000",
            ),
            (
                "increase_interval",
                self.increase_interval,
                10..=HOUR,
                "not between 10 and 3,600,000",
            ),
            (
                "decrease_to",
                self.decrease_to.into(),
                1..=99,
                "not between 1 and 99",
            ),
            (
                "decrease_interval",
                self.decrease_interval,
                0..=HOUR,
                "more than 3,600,000",
            ),
            (
                "retry_after_limit",
                self.retry_after_limit.into(),
                0..=86_400,
                "more than 86,400",
            ),
            ("canaries", self.canaries.into(), 0..=64, "more than 64"),
            (
                "canary_pause",
                self.canary_pause,
                1..=HOUR,
                "not between 1 and 3,600,000",
            ),
            (
                "forget_after",
                self.forget_after,
                0..=86_400_000,
                "more than 86,400,000",
            ),
        ];
        let outside = bounds
            .into_iter()
            .find(|(_, value, bound, _)| !bound.contains(value));
        if let Some((field, _, _, what)) = outside {
            return Err(ConfigError { field, what });
        }
        if self.canaries > 0 && !(1..=self.canaries).contains(&self.good_canaries) {
            return Err(ConfigError {
                field: "good_canaries",
                what: "not between 1 and canaries",
            });
        }
        Ok(())
    }
}
