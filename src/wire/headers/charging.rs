//! Charging: P-Charging-Vector, P-Charging-Function-Addresses.

use super::{
    Text,
    cursor::{Cursor, Param, Read},
    text::{WriteValue, put_param, put_params, put_string_param, put_whole_param},
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{Params, defect, scan},
};

/// The value of P-Charging-Vector (RFC 7315 4.6, TS 24.229 7.2A.5).
#[derive(Clone, Copy, Debug, Default)]
pub struct ChargingVector<'a> {
    /// `icid-value`: the charging identity, never empty.
    pub icid: Text<'a>,
    /// `icid-generated-at`: the host that made it.
    pub generated_at: Option<Text<'a>>,
    /// `orig-ioi`: the operator of the originating side.
    pub orig_ioi: Option<Text<'a>>,
    /// `term-ioi`: the operator of the terminating side.
    pub term_ioi: Option<Text<'a>>,
    /// `transit-ioi`: the operators between; see [`transit_iois`](Self::transit_iois).
    pub transit_ioi: Option<Text<'a>>,
    /// `related-icid`: the charging identity of a related session.
    pub related_icid: Option<Text<'a>>,
    /// `related-icid-generated-at`
    pub related_generated_at: Option<Text<'a>>,
    /// All parameters as they stood, charging information of access networks among them. When written, of
    /// these only what no other field stands for.
    pub params: Params<'a>,
}

const OWN: [&[u8]; 7] = [
    b"icid-value",
    b"icid-generated-at",
    b"orig-ioi",
    b"term-ioi",
    b"transit-ioi",
    b"related-icid",
    b"related-icid-generated-at",
];

impl<'a> Read<'a> for ChargingVector<'a> {
    const DEFECT: &'static Defect = &defect::CHARGING_VECTOR;

    /// `icid-value` stands first in the grammar; elsewhere it means the same.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let start = cursor.at();
        let mut vector = Self::default();
        let mut icid = None;
        vector.params = joined_params(cursor, Self::DEFECT, |p| {
            if p.is(b"icid-value") {
                p.once(&mut icid, p.text(), Self::DEFECT)
            } else {
                vector.take(p)
            }
        })?;
        match icid {
            Some(icid) if !icid.is_empty() => Ok(Self { icid, ..vector }),
            _ => Err(Reject::new(Self::DEFECT, start)),
        }
    }
}

/// Parameters of which the first has no semicolon before it.
fn joined_params<'a>(
    cursor: &mut Cursor<'a>,
    defect: &'static Defect,
    mut each: impl FnMut(&Param<'a>) -> Result<(), Reject>,
) -> Result<Params<'a>, Reject> {
    let start = cursor.rest();
    each(&cursor.param(defect)?)?;
    cursor.params(defect, each)?;
    let length = start.len().wrapping_sub(cursor.rest().len());
    Ok(Params::new(scan::trim(scan::before(start, length))))
}

impl<'a> ChargingVector<'a> {
    fn take(&mut self, p: &Param<'a>) -> Result<(), Reject> {
        let defect = &defect::CHARGING_VECTOR;
        if p.is(b"icid-generated-at") {
            p.once(&mut self.generated_at, p.text(), defect)
        } else if p.is(b"orig-ioi") {
            p.once(&mut self.orig_ioi, p.text(), defect)
        } else if p.is(b"term-ioi") {
            p.once(&mut self.term_ioi, p.text(), defect)
        } else if p.is(b"transit-ioi") {
            p.once(&mut self.transit_ioi, p.text(), defect)
        } else if p.is(b"related-icid") {
            p.once(&mut self.related_icid, p.text(), defect)
        } else if p.is(b"related-icid-generated-at") {
            p.once(&mut self.related_generated_at, p.text(), defect)
        } else {
            Ok(())
        }
    }

    /// [RFC 7315 4.6] The operators of `transit-ioi` in order, white space apart: each a name with its index
    /// (`operator.1`), or `void`.
    pub fn transit_iois(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.transit_ioi
            .unwrap_or_default()
            .raw()
            .split(|b| *b == b',')
            .map(scan::trim)
            .filter(|ioi| !ioi.is_empty())
    }
}

/// An empty `icid-value` is unsafe: others would take the next parameter for it.
impl WriteValue for ChargingVector<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        if self.icid.is_empty() {
            buffer.fail(Unwritable::UnsafeValue);
        }
        buffer.put(b"icid-value=");
        self.icid.write_value(buffer);
        put_param(buffer, b"icid-generated-at", self.generated_at);
        put_param(buffer, b"orig-ioi", self.orig_ioi);
        put_param(buffer, b"term-ioi", self.term_ioi);
        put_string_param(buffer, b"transit-ioi", self.transit_ioi);
        put_param(buffer, b"related-icid", self.related_icid);
        put_param(
            buffer,
            b"related-icid-generated-at",
            self.related_generated_at,
        );
        put_params(buffer, self.params, &OWN);
    }
}

/// The value of P-Charging-Function-Addresses (RFC 7315 4.5): charging data functions (`ccf`) and event
/// charging functions (`ecf`), each kind in the order to try them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChargingAddresses<'a> {
    /// The parameters as they stood.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for ChargingAddresses<'a> {
    const DEFECT: &'static Defect = &defect::CHARGING_ADDRESSES;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let params = joined_params(cursor, Self::DEFECT, |p| {
            if p.value.is_none() && (p.is(b"ccf") || p.is(b"ecf")) {
                return Err(Reject::new(Self::DEFECT, p.at));
            }
            Ok(())
        })?;
        Ok(Self { params })
    }
}

impl<'a> ChargingAddresses<'a> {
    /// The charging data functions.
    pub fn ccf(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        self.of(b"ccf")
    }

    /// The event charging functions.
    pub fn ecf(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        self.of(b"ecf")
    }

    fn of(&self, name: &'static [u8]) -> impl Iterator<Item = Text<'a>> + use<'a> {
        self.params
            .iter()
            .filter(move |(n, _)| scan::same_text(n, name))
            .filter_map(|(_, value)| value.map(Text::as_stood))
    }
}

/// Without any parameter it is unsafe.
impl WriteValue for ChargingAddresses<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let from = buffer.len();
        for (name, value) in self.params {
            if buffer.len() > from {
                buffer.put(b";");
            }
            put_whole_param(buffer, name, value);
        }
        if buffer.len() == from {
            buffer.fail(Unwritable::UnsafeValue);
        }
    }
}
