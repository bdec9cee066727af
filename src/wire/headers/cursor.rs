//! A place in a value, and the few rules of RFC 3261 25.1 that every header field is made of.

use core::{fmt, marker::PhantomData};

use super::Text;
use crate::{
    drive::{Defect, Reject},
    wire::{
        Host, Params, defect,
        scan::{self, after, before},
    },
};

/// What remains of a value, and where that stands.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    total: usize,
    base: usize,
}

impl<'a> Cursor<'a> {
    /// The start of a value that stands `base` bytes into what offsets are counted from.
    pub(super) const fn new(value: &'a [u8], base: usize) -> Self {
        Self {
            rest: value,
            total: value.len(),
            base,
        }
    }

    /// Where it stands.
    pub(super) const fn at(&self) -> usize {
        self.base
            .wrapping_add(self.total.wrapping_sub(self.rest.len()))
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn reject(&self, defect: &'static Defect) -> Reject {
        Reject::new(defect, self.at())
    }

    /// Passes over so many bytes and gives them.
    pub(super) fn advance(&mut self, length: usize) -> &'a [u8] {
        let passed = before(self.rest, length);
        self.rest = after(self.rest, length);
        passed
    }

    /// Passes over white space; false if there is none.
    pub(super) fn white_space(&mut self) -> bool {
        !self.advance(scan::lws(self.rest)).is_empty()
    }

    /// Passes over a separator and the white space around it; false if another byte is next.
    pub(super) fn separator(&mut self, byte: u8) -> bool {
        self.white_space();
        if self.rest.first() != Some(&byte) {
            return false;
        }
        self.advance(1);
        self.white_space();
        true
    }

    /// Passes over exactly these bytes, in any case.
    pub(super) fn literal(&mut self, text: &[u8]) -> bool {
        let found = scan::same_text(before(self.rest, text.len()), text);
        if found {
            self.advance(text.len());
        }
        found
    }

    pub(super) fn token(&mut self, defect: &'static Defect) -> Result<&'a [u8], Reject> {
        match scan::run(self.rest, scan::TOKEN) {
            0 => Err(self.reject(defect)),
            length => Ok(self.advance(length)),
        }
    }

    /// One digit or more.
    pub(super) fn digits(&mut self, defect: &'static Defect) -> Result<&'a [u8], Reject> {
        match scan::digits(self.rest) {
            0 => Err(self.reject(defect)),
            length => Ok(self.advance(length)),
        }
    }

    /// A number; one too large stands as `u32::MAX`.
    pub(super) fn number(&mut self, defect: &'static Defect) -> Result<u32, Reject> {
        let digits = self.digits(defect)?;
        Ok(scan::number(digits).unwrap_or(u32::MAX))
    }

    /// A quoted string, with its quotes.
    pub(super) fn quoted(&mut self, defect: &'static Defect) -> Result<&'a [u8], Reject> {
        if self.rest.first() != Some(&b'"') {
            return Err(self.reject(defect));
        }
        let length = scan::quoted(self.rest).ok_or(self.reject(&defect::UNCLOSED_QUOTE))?;
        if let Some(at) = unescaped_control(before(self.rest, length)) {
            return Err(Reject::new(&defect::QUOTED_CONTROL, at).shifted(self.at()));
        }
        Ok(self.advance(length))
    }

    /// A host, a token or a quoted string, as it stands.
    pub(super) fn value(&mut self, defect: &'static Defect) -> Result<&'a [u8], Reject> {
        match self.rest.first() {
            Some(b'"') => self.quoted(defect),
            Some(b'[') => match Host::leading(self.rest) {
                Ok((_, length)) => Ok(self.advance(length)),
                Err(_) => Err(self.reject(defect)),
            },
            _ => self.token(defect),
        }
    }

    /// A comment, without its outer parentheses. Comments within it are counted, not entered.
    pub(super) fn comment(&mut self, defect: &'static Defect) -> Result<&'a [u8], Reject> {
        let mut depth = 0usize;
        let mut escaped = false;
        for (at, byte) in self.rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                if at == 0 {
                    break;
                }
                let comment = scan::between(self.rest, 1, at);
                self.advance(at.wrapping_add(1));
                return Ok(comment);
            }
        }
        Err(self.reject(defect))
    }

    /// `name [ "=" value ]`
    pub(super) fn param(&mut self, defect: &'static Defect) -> Result<Param<'a>, Reject> {
        let at = self.at();
        let name = self.token(defect)?;
        if !self.separator(b'=') {
            return Ok(Param::alone(name, at));
        }
        let value_at = self.at();
        Ok(Param {
            name,
            value: Some(self.value(defect)?),
            at,
            value_at,
        })
    }

    /// `*( ";" name [ "=" value ] )`: each is shown to `each`, and all are given as they stood.
    pub(super) fn params(
        &mut self,
        defect: &'static Defect,
        mut each: impl FnMut(&Param<'a>) -> Result<(), Reject>,
    ) -> Result<Params<'a>, Reject> {
        self.white_space();
        let start = self.rest;
        while self.separator(b';') {
            each(&self.param(defect)?)?;
        }
        let length = start.len().wrapping_sub(self.rest.len());
        Ok(Params::new(scan::trim_end(before(start, length))))
    }

    /// `name "=" value` of credentials: an unquoted value may hold any bytes but separators, since Base64
    /// and its like stand unquoted in the field.
    pub(super) fn auth_param(&mut self, defect: &'static Defect) -> Result<Param<'a>, Reject> {
        let at = self.at();
        let name = self.token(defect)?;
        if !self.separator(b'=') {
            return Err(self.reject(defect));
        }
        let value_at = self.at();
        let value = match self.rest.first() {
            Some(b'"') => self
                .quoted(defect)
                .map_err(|reject| Reject { defect, ..reject })?,
            _ => {
                let ends = |b: &u8| matches!(b, b',' | b'"') || scan::is(*b, scan::LWS);
                let length = self.rest.iter().position(ends);
                self.advance(length.unwrap_or(self.rest.len()))
            }
        };
        Ok(Param {
            name,
            value: Some(value),
            at,
            value_at,
        })
    }

    /// `name "=" value` and the comma or end after it, to the end. A comma may end them.
    pub(super) fn auth_params(
        &mut self,
        defect: &'static Defect,
        mut each: impl FnMut(&Param<'a>) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        self.white_space();
        while !self.is_end() {
            each(&self.auth_param(defect)?)?;
            if !self.separator(b',') && !self.is_end() {
                return Err(self.reject(defect));
            }
        }
        Ok(())
    }
}

/// The place of a control character in a quoted string that is neither escaped nor part of a folding.
fn unescaped_control(quoted: &[u8]) -> Option<usize> {
    // As a rule there is neither, which vectors show.
    let stops = |b: u8| (b < b' ') | (b == b'\\') | (b == 0x7f);
    if !quoted.iter().fold(false, |any, b| any | stops(*b)) {
        return None;
    }
    let mut rest = quoted;
    loop {
        let clean = rest
            .iter()
            .position(|b| matches!(b, 0..=0x1f | b'\\' | 0x7f) && *b != b'\t')?;
        rest = after(rest, clean);
        rest = match rest {
            [b'\\', b'\r' | b'\n', ..] => {
                return Some(quoted.len().wrapping_sub(rest.len()).wrapping_add(1));
            }
            [b'\\', _, tail @ ..] | [b'\r', b'\n', b' ' | b'\t', tail @ ..] => tail,
            _ => return Some(quoted.len().wrapping_sub(rest.len())),
        };
    }
}

/// One parameter, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Param<'a> {
    pub(super) name: &'a [u8],
    /// As it stood, with its quotes.
    pub(super) value: Option<&'a [u8]>,
    pub(super) at: usize,
    value_at: usize,
}

impl<'a> Param<'a> {
    /// A parameter without value.
    pub(super) const fn alone(name: &'a [u8], at: usize) -> Self {
        Self {
            name,
            value: None,
            at,
            value_at: at,
        }
    }

    /// Whether it has that name, in any case.
    pub(super) fn is(&self, name: &[u8]) -> bool {
        scan::same_text(self.name, name)
    }

    pub(super) fn text(&self) -> Option<Text<'a>> {
        self.value.map(Text::as_stood)
    }

    /// A value that is a token, quotes around it apart.
    pub(super) fn token(&self) -> Option<&'a [u8]> {
        self.value
            .map(scan::unquote)
            .filter(|text| scan::is_token(text))
    }

    /// A number; one too large stands as `u32::MAX`.
    pub(super) fn number(&self) -> Option<u32> {
        scan::number(scan::unquote(self.value?))
    }

    /// Remembers what the parameter says.
    ///
    /// # Errors
    /// `defect` if it says nothing that can be read, [`defect::PARAMETER_TWICE`] if it was said before.
    pub(super) fn once<T>(
        &self,
        place: &mut Option<T>,
        value: Option<T>,
        defect: &'static Defect,
    ) -> Result<(), Reject> {
        if place.is_some() {
            return Err(Reject::new(&defect::PARAMETER_TWICE, self.at));
        }
        match value {
            Some(value) => *place = Some(value),
            None => return Err(Reject::new(defect, self.value_at)),
        }
        Ok(())
    }

    /// Remembers that the parameter stands there.
    pub(super) fn flag(&self, place: &mut bool) -> Result<(), Reject> {
        if *place {
            return Err(Reject::new(&defect::PARAMETER_TWICE, self.at));
        }
        *place = true;
        Ok(())
    }
}

/// How a value is read. Outside of this crate, see [`ReadValue`].
pub trait Read<'a>: Sized {
    /// What is wrong where it is not such a value.
    const DEFECT: &'static Defect;

    /// Reads a value up to what follows it.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject>;
}

/// A value of a header field that can be read from bytes, without allocating.
pub trait ReadValue<'a>: Read<'a> {
    /// Reads a value that takes all of `value`, white space around it apart.
    ///
    /// # Errors
    /// What is wrong with it, at the byte within `value`.
    fn parse(value: &'a [u8]) -> Result<Self, Reject> {
        whole(value, 0)
    }

    /// [RFC 3261 7.3.1] Reads the elements of a comma list, one after the other. Empty elements are passed
    /// over. After an error there is nothing more: where the next would begin is not certain.
    fn parse_list(value: &'a [u8]) -> List<'a, Self> {
        List::new(value, 0)
    }
}

impl<'a, T: Read<'a>> ReadValue<'a> for T {}

/// Reads a value that takes all of `value`, which begins at `base`.
pub(super) fn whole<'a, T: Read<'a>>(value: &'a [u8], base: usize) -> Result<T, Reject> {
    let mut cursor = Cursor::new(value, base);
    cursor.white_space();
    let read = T::read(&mut cursor)?;
    cursor.white_space();
    if cursor.is_end() {
        Ok(read)
    } else {
        Err(cursor.reject(T::DEFECT))
    }
}

/// The elements of a list; see [`ReadValue::parse_list`].
pub struct List<'a, T> {
    cursor: Cursor<'a>,
    separator: u8,
    element: PhantomData<T>,
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<T> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({} bytes)", self.cursor.rest.len())
    }
}

impl<'a, T> List<'a, T> {
    pub(super) const fn new(value: &'a [u8], base: usize) -> Self {
        Self::separated(b',', value, base)
    }

    pub(super) const fn separated(separator: u8, value: &'a [u8], base: usize) -> Self {
        Self {
            cursor: Cursor::new(value, base),
            separator,
            element: PhantomData,
        }
    }

    pub(super) const fn separator(&self) -> u8 {
        self.separator
    }
}

impl<'a, T: Read<'a>> List<'a, T> {
    fn element(&mut self) -> Result<T, Reject> {
        let read = T::read(&mut self.cursor)?;
        if self.cursor.separator(self.separator) || self.cursor.is_end() {
            Ok(read)
        } else {
            Err(self.cursor.reject(T::DEFECT))
        }
    }
}

impl<'a, T: Read<'a>> Iterator for List<'a, T> {
    type Item = Result<T, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.cursor.separator(self.separator) {}
        if self.cursor.is_end() {
            return None;
        }
        let element = self.element();
        if element.is_err() {
            self.cursor.advance(usize::MAX);
        }
        Some(element)
    }
}
