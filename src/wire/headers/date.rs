//! Times: Date, Timestamp.

use super::{
    cursor::{Cursor, Read},
    text::WriteValue,
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{defect, scan},
};

/// The value of Date: a moment in GMT, to the second (RFC 3261 20.17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year, 0 to 9,999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// The second, 0 to 60: a leap second may be named.
    pub second: u8,
}

const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAY_SECONDS: i64 = 86_400;
/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH: i64 = 719_468;
/// Days of 400 years.
const ERA: i64 = 146_097;

impl<'a> Read<'a> for Date {
    const DEFECT: &'static Defect = &defect::DATE;

    /// Each part is checked where it stands; the day of the week must be that of the date.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let start = *cursor;
        let weekday = one_of(cursor, &WEEKDAYS)?;
        expect(cursor, b",")?;
        space(cursor)?;
        let at_day = *cursor;
        let day = two_digits(cursor, 31)?;
        space(cursor)?;
        let month = one_of(cursor, &MONTHS)?.wrapping_add(1);
        space(cursor)?;
        let year = two_digits(cursor, 99)?;
        let of_century = two_digits(cursor, 99)?;
        space(cursor)?;
        let hour = two_digits(cursor, 23)?;
        expect(cursor, b":")?;
        let minute = two_digits(cursor, 59)?;
        expect(cursor, b":")?;
        let second = two_digits(cursor, 60)?;
        space(cursor)?;
        expect(cursor, b"GMT")?;
        let date = Self {
            year: u16::from(year)
                .wrapping_mul(100)
                .wrapping_add(u16::from(of_century)),
            month,
            day,
            hour,
            minute,
            second,
        };
        if !date.is_valid() {
            return Err(at_day.reject(Self::DEFECT));
        }
        if date.weekday() != usize::from(weekday) {
            return Err(start.reject(Self::DEFECT));
        }
        Ok(date)
    }
}

fn expect(cursor: &mut Cursor<'_>, text: &[u8]) -> Result<(), Reject> {
    match cursor.literal(text) {
        true => Ok(()),
        false => Err(cursor.reject(&defect::DATE)),
    }
}

/// A space, or the folding that stands for one.
fn space(cursor: &mut Cursor<'_>) -> Result<(), Reject> {
    match cursor.white_space() {
        true => Ok(()),
        false => Err(cursor.reject(&defect::DATE)),
    }
}

/// Which of these names is next.
fn one_of(cursor: &mut Cursor<'_>, names: &[&[u8]]) -> Result<u8, Reject> {
    let found = names.iter().position(|name| cursor.literal(name));
    found
        .map(|place| place as u8)
        .ok_or(cursor.reject(&defect::DATE))
}

fn two_digits(cursor: &mut Cursor<'_>, most: u8) -> Result<u8, Reject> {
    let digits = scan::before(cursor.rest(), 2);
    let number = scan::number(digits).filter(|number| *number <= u32::from(most));
    match number {
        Some(number) if digits.len() == 2 => {
            cursor.advance(2);
            Ok(number as u8)
        }
        _ => Err(cursor.reject(&defect::DATE)),
    }
}

impl Date {
    /// The moment so many seconds after the start of 1970; `None` before year 0 or after year 9,999.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let days = seconds.div_euclid(DAY_SECONDS);
        let second = seconds.rem_euclid(DAY_SECONDS);
        let days = days.checked_add(EPOCH)?;
        let era = days.div_euclid(ERA);
        let of_era = days.rem_euclid(ERA);
        // Years of an era begin in March, so that the leap day is the last one.
        let year_of_era = of_era
            .wrapping_sub(of_era / 1_460)
            .wrapping_add(of_era / 36_524)
            .wrapping_sub(of_era / 146_096)
            / 365;
        let of_year = of_era
            .wrapping_sub(year_of_era.wrapping_mul(365))
            .wrapping_sub(year_of_era / 4)
            .wrapping_add(year_of_era / 100);
        let shifted = of_year.wrapping_mul(5).wrapping_add(2) / 153;
        let day = of_year
            .wrapping_sub(shifted.wrapping_mul(153).wrapping_add(2) / 5)
            .wrapping_add(1);
        let month = shifted.wrapping_add(2) % 12;
        let january = i64::from(month < 2);
        let year = era
            .checked_mul(400)?
            .checked_add(year_of_era)?
            .checked_add(january)?;
        let date = Self {
            year: u16::try_from(year).ok()?,
            month: month.wrapping_add(1) as u8,
            day: day as u8,
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        };
        date.is_valid().then_some(date)
    }

    /// Seconds since the start of 1970. A leap second counts as the one after it.
    #[must_use]
    pub fn unix(&self) -> i64 {
        let time = i64::from(self.hour)
            .wrapping_mul(3_600)
            .wrapping_add(i64::from(self.minute).wrapping_mul(60))
            .wrapping_add(i64::from(self.second));
        self.unix_day().wrapping_mul(DAY_SECONDS).wrapping_add(time)
    }

    /// Days since the start of 1970. Years are counted from March, so that the leap day is the last one.
    fn unix_day(&self) -> i64 {
        let month = i64::from(self.month);
        let year = i64::from(self.year).wrapping_sub(i64::from(month <= 2));
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let months = month.wrapping_add(9) % 12;
        let of_year = months
            .wrapping_mul(153)
            .wrapping_add(2)
            .wrapping_div(5)
            .wrapping_add(i64::from(self.day))
            .wrapping_sub(1);
        era.wrapping_mul(ERA)
            .wrapping_add(of_era.wrapping_mul(365))
            .wrapping_add(of_era / 4)
            .wrapping_sub(of_era / 100)
            .wrapping_add(of_year)
            .wrapping_sub(EPOCH)
    }

    /// The day of the week, 0 for Monday.
    fn weekday(&self) -> usize {
        // 1 January 1970 was a Thursday.
        self.unix_day().wrapping_add(3).rem_euclid(7) as usize
    }

    fn is_valid(&self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        self.year <= 9_999
            && (1..=days).contains(&self.day)
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 60
    }
}

/// A date that is none is unsafe. The day of the week follows from it.
impl WriteValue for Date {
    fn write_value(&self, buffer: &mut Buffer) {
        let month = usize::from(self.month).wrapping_sub(1);
        let (Some(month), Some(weekday), true) = (
            MONTHS.get(month),
            WEEKDAYS.get(self.weekday()),
            self.is_valid(),
        ) else {
            buffer.fail(Unwritable::UnsafeValue);
            return;
        };
        buffer.put(weekday);
        buffer.put(b", ");
        put_two(buffer, u16::from(self.day), b" ");
        buffer.put(month);
        buffer.put(b" ");
        put_two(buffer, self.year / 100, b"");
        put_two(buffer, self.year % 100, b" ");
        put_two(buffer, u16::from(self.hour), b":");
        put_two(buffer, u16::from(self.minute), b":");
        put_two(buffer, u16::from(self.second), b" GMT");
    }
}

/// Two digits, and what follows them.
fn put_two(buffer: &mut Buffer, number: u16, then: &[u8]) {
    let digit = |n: u16| b'0'.wrapping_add((n % 10) as u8);
    buffer.put(&[digit(number / 10), digit(number)]);
    buffer.put(then);
}

/// The value of Timestamp (RFC 3261 20.38): seconds with or without decimals, as they stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp<'a> {
    /// When the request was sent, on the sender's own clock.
    pub sent: &'a [u8],
    /// How long the response was held.
    pub delay: Option<&'a [u8]>,
}

impl<'a> Read<'a> for Timestamp<'a> {
    const DEFECT: &'static Defect = &defect::TIMESTAMP;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        if !matches!(cursor.rest().first(), Some(b'0'..=b'9')) {
            return Err(cursor.reject(Self::DEFECT));
        }
        let sent = decimal(cursor)?;
        let spaced = cursor.white_space();
        let delay = match spaced && !cursor.is_end() {
            true => Some(decimal(cursor)?),
            false => None,
        };
        Ok(Self { sent, delay })
    }
}

/// `*DIGIT [ "." *DIGIT ]`, not empty; the time itself begins with a digit.
fn decimal<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Reject> {
    let start = cursor.rest();
    if !matches!(start.first(), Some(b'0'..=b'9' | b'.')) {
        return Err(cursor.reject(&defect::TIMESTAMP));
    }
    cursor.advance(scan::digits(start));
    if cursor.literal(b".") {
        cursor.advance(scan::digits(cursor.rest()));
    }
    let length = start.len().wrapping_sub(cursor.rest().len());
    Ok(scan::before(start, length))
}

/// What is no such number is unsafe.
impl WriteValue for Timestamp<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let value = |decimal| {
            let mut cursor = Cursor::new(decimal, 0);
            self::decimal(&mut cursor).is_ok() && cursor.is_end()
        };
        let starts = self.sent.first().is_some_and(u8::is_ascii_digit);
        if !starts || !value(self.sent) || !self.delay.is_none_or(value) {
            buffer.fail(Unwritable::UnsafeValue);
        }
        buffer.put_value(self.sent);
        if let Some(delay) = self.delay {
            buffer.put(b" ");
            buffer.put_value(delay);
        }
    }
}
