//! How long many calls took, in little room: buckets that are a sixty-fourth of what they count.

const STEPS: u64 = 64;
const BUCKETS: usize = 64 * 48;

pub(super) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u64,
    max: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            sum: 0,
            max: 0,
        }
    }

    pub(super) fn add(&mut self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds).min(BUCKETS - 1)] += 1;
        self.count += 1;
        self.sum += nanoseconds;
        self.max = self.max.max(nanoseconds);
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (own, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *own += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    pub(super) const fn max(&self) -> u64 {
        self.max
    }

    /// What so many of a thousand, or less, took no longer than.
    pub(super) fn quantile(&self, of_ten_thousand: u64) -> u64 {
        let wanted = (self.count * of_ten_thousand).div_ceil(10_000);
        let mut seen = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return lowest(place).min(self.max);
            }
        }
        self.max
    }
}

/// Numbers below 64 each have a bucket; above, 64 to each doubling.
const fn bucket(number: u64) -> usize {
    if number < STEPS {
        return number as usize;
    }
    let doublings = number.ilog2() as u64 - 6;
    ((doublings + 1) * STEPS + (number >> doublings) - STEPS) as usize
}

const fn lowest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let doublings = bucket / STEPS - 1;
    (bucket % STEPS + STEPS) << doublings
}
