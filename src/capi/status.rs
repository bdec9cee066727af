//! What a call returns, and what more there is to say when it went wrong.

use core::ffi::{CStr, c_char};

use super::memory::{Place, Struct, fixed};
use crate::{
    drive::{ConfigError, Misuse, Reject, RestoreError},
    pcscf::StripError,
};

/// What a call returns. A number keeps its meaning for ever; one that goes is not given to another. Later releases
/// may add numbers: one that is not known is to be taken for a failure.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_status {
    /// Done.
    Ok = 0,
    /// There is nothing to give: no output is left, or no deadline is set.
    Nothing = 1,
    /// A pointer that must lead somewhere is NULL.
    NullPointer = 2,
    /// The `struct_size` of a struct is smaller than in any release, or larger than 4,096.
    StructSize = 3,
    /// The buffer is too small. Nothing was consumed; the length needed was written.
    BufferTooSmall = 4,
    /// A number that names a value, an option or the like is none of those there are.
    UnknownValue = 5,
    /// A number or length is outside what is allowed for it.
    OutOfRange = 6,
    /// The option is of another type: a number where texts are wanted, or the reverse.
    WrongType = 7,
    /// The configuration cannot work. The fault names the field.
    Config = 8,
    /// The library has failed within itself. The handle can only be freed.
    Panicked = 9,
    /// A call with this handle has panicked before. It can only be freed.
    Poisoned = 10,
    /// Outputs must be taken by poll before the node can do more. The call changed nothing.
    OutboxFull = 20,
    /// The token was never given out by this node in this incarnation.
    UnknownToken = 21,
    /// The answer is of another kind than what was asked.
    WrongAnswer = 22,
    /// Bytes that the caller vouches for could not be read, or lack what is needed. The fault says what, and where.
    BadCommand = 23,
    /// The command names something that this node does not have.
    NoSuchThing = 24,
    /// What the command brings exceeds a limit, which the fault names.
    TooLarge = 25,
    /// The node holds as many users as its limits allow.
    NodeFull = 26,
    /// The bytes are no SIP message: they are not to be passed on. The fault says what, and where.
    NotSip = 27,
    /// Credentials that can be read in two ways: the request is to be refused with 400.
    BadCredentials = 28,
    /// A value holds a control character, which would break out of its header field.
    UnsafeValue = 29,
    /// The blob is not a snapshot.
    NotASnapshot = 40,
    /// The blob is a snapshot of something else.
    WrongKind = 41,
    /// The blob is of a format that this release does not read.
    UnsupportedFormat = 42,
    /// The blob was cut short or altered.
    Damaged = 43,
    /// The blob holds more than the limits allow.
    SnapshotTooLarge = 44,
    /// What the blob holds is here already.
    AlreadyHere = 45,
}

impl imsp_status {
    /// Every status: the one table of their numbers.
    pub(super) const ALL: [Self; 27] = [
        Self::Ok,
        Self::Nothing,
        Self::NullPointer,
        Self::StructSize,
        Self::BufferTooSmall,
        Self::UnknownValue,
        Self::OutOfRange,
        Self::WrongType,
        Self::Config,
        Self::Panicked,
        Self::Poisoned,
        Self::OutboxFull,
        Self::UnknownToken,
        Self::WrongAnswer,
        Self::BadCommand,
        Self::NoSuchThing,
        Self::TooLarge,
        Self::NodeFull,
        Self::NotSip,
        Self::BadCredentials,
        Self::UnsafeValue,
        Self::NotASnapshot,
        Self::WrongKind,
        Self::UnsupportedFormat,
        Self::Damaged,
        Self::SnapshotTooLarge,
        Self::AlreadyHere,
    ];

    const fn text(self) -> &'static CStr {
        match self {
            Self::Ok => c"done",
            Self::Nothing => c"there is nothing to give",
            Self::NullPointer => c"a pointer that must lead somewhere is NULL",
            Self::StructSize => c"no struct has this struct_size",
            Self::BufferTooSmall => c"the buffer is too small",
            Self::UnknownValue => c"no value has this number",
            Self::OutOfRange => c"a number or length outside its range",
            Self::WrongType => c"the option is of another type",
            Self::Config => c"the configuration cannot work",
            Self::Panicked => c"the library has failed within itself",
            Self::Poisoned => c"the library has failed within itself before, with this handle",
            Self::OutboxFull => c"the outbox has no room for one step",
            Self::UnknownToken => c"the token was never given out",
            Self::WrongAnswer => c"the answer is of another kind than what was asked",
            Self::BadCommand => c"the bytes of the command are not usable",
            Self::NoSuchThing => c"the command names something this node does not have",
            Self::TooLarge => c"longer than a limit allows",
            Self::NodeFull => c"the node is full",
            Self::NotSip => c"not a SIP message",
            Self::BadCredentials => c"credentials that cannot be read",
            Self::UnsafeValue => c"a value holds a control character",
            Self::NotASnapshot => c"not a snapshot",
            Self::WrongKind => c"a snapshot of another kind",
            Self::UnsupportedFormat => c"a snapshot of a format that is not read",
            Self::Damaged => c"the snapshot is damaged",
            Self::SnapshotTooLarge => c"the snapshot exceeds the limits",
            Self::AlreadyHere => c"what the snapshot holds is here already",
        }
    }
}

/// The text of a status, in English: a string that is always there. For a number that is no status, a text that says
/// so.
#[unsafe(no_mangle)]
pub extern "C" fn imsp_strerror(status: u32) -> *const c_char {
    let known = imsp_status::ALL.into_iter().find(|s| *s as u32 == status);
    known
        .map_or(c"no status of this release", imsp_status::text)
        .as_ptr()
}

/// What more there is to say of a call that went wrong. Every call that takes one, and finds its `struct_size` usable,
/// fills it; after a call that went well all of it is 0. Nothing in it says what a message or an identity was.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct imsp_fault {
    /// `sizeof(imsp_fault)`, to be set by the caller.
    pub struct_size: u32,
    /// What the call returned: an `imsp_status`.
    pub status: u32,
    /// The number of what is wrong with bytes, never given to another defect; 0 where no bytes were at fault.
    pub defect: u32,
    /// The byte at which it was found, counted from the start of the message.
    pub at: u32,
    /// The format of a snapshot that is not read.
    pub snapshot_format: u32,
    /// What is wrong.
    pub what: [c_char; 128],
    /// The clause of the specification that says so.
    pub clause: [c_char; 64],
    /// The field of the configuration, or the limit, that is at fault.
    pub field: [c_char; 64],
}

// SAFETY: `repr(C)`, integers alone: 5·4 + 128 + 64 + 64 bytes, each in its place without padding.
unsafe impl Struct for imsp_fault {
    const FIRST_SIZE: usize = 276;
}

/// A call that went wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) status: imsp_status,
    pub(super) reject: Option<Reject>,
    pub(super) field: &'static str,
    pub(super) what: &'static str,
    pub(super) snapshot_format: u16,
}

impl From<imsp_status> for Fault {
    fn from(status: imsp_status) -> Self {
        Self {
            status,
            reject: None,
            field: "",
            what: "",
            snapshot_format: 0,
        }
    }
}

impl Fault {
    const fn rejected(self, reject: Reject) -> Self {
        Self {
            reject: Some(reject),
            ..self
        }
    }

    const fn of_field(self, field: &'static str, what: &'static str) -> Self {
        Self {
            field,
            what,
            ..self
        }
    }
}

impl From<ConfigError> for Fault {
    fn from(ConfigError { field, what }: ConfigError) -> Self {
        Self::from(imsp_status::Config).of_field(field, what)
    }
}

impl From<Misuse> for Fault {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::OutboxFull { .. } => imsp_status::OutboxFull.into(),
            Misuse::UnknownToken => imsp_status::UnknownToken.into(),
            Misuse::WrongAnswer => imsp_status::WrongAnswer.into(),
            Misuse::BadCommand(reject) => Self::from(imsp_status::BadCommand).rejected(reject),
            Misuse::NoSuchThing => imsp_status::NoSuchThing.into(),
            Misuse::TooLarge { limit } => Self::from(imsp_status::TooLarge).of_field(limit, ""),
            Misuse::NodeFull => imsp_status::NodeFull.into(),
        }
    }
}

impl From<RestoreError> for Fault {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::NotASnapshot => imsp_status::NotASnapshot.into(),
            RestoreError::WrongKind => imsp_status::WrongKind.into(),
            RestoreError::UnsupportedFormat { found } => Self {
                snapshot_format: found,
                ..imsp_status::UnsupportedFormat.into()
            },
            RestoreError::Damaged => imsp_status::Damaged.into(),
            RestoreError::TooLarge => imsp_status::SnapshotTooLarge.into(),
            RestoreError::AlreadyHere => imsp_status::AlreadyHere.into(),
            RestoreError::Config(error) => error.into(),
        }
    }
}

impl From<StripError> for Fault {
    fn from(error: StripError) -> Self {
        use crate::drive::Unwritable;
        match error {
            StripError::NotSip(reject) => Self::from(imsp_status::NotSip).rejected(reject),
            StripError::Credentials(reject) => {
                Self::from(imsp_status::BadCredentials).rejected(reject)
            }
            StripError::Unwritable(Unwritable::TooLarge) => imsp_status::BufferTooSmall.into(),
            StripError::Unwritable(Unwritable::UnsafeValue) => imsp_status::UnsafeValue.into(),
        }
    }
}

impl From<Result<(), Fault>> for imsp_fault {
    fn from(result: Result<(), Fault>) -> Self {
        let nothing = Self {
            struct_size: 0,
            status: imsp_status::Ok as u32,
            defect: 0,
            at: 0,
            snapshot_format: 0,
            what: [0; 128],
            clause: [0; 64],
            field: [0; 64],
        };
        let Err(fault) = result else {
            return nothing;
        };
        let said = Self {
            status: fault.status as u32,
            snapshot_format: fault.snapshot_format.into(),
            field: fixed(fault.field),
            ..nothing
        };
        match fault.reject {
            Some(Reject { defect, at }) => Self {
                defect: defect.code.into(),
                at,
                what: fixed(defect.what),
                clause: fixed(defect.clause),
                ..said
            },
            None if fault.what.is_empty() => Self {
                what: fixed(fault.status.text().to_str().unwrap_or_default()),
                ..said
            },
            None => Self {
                what: fixed(fault.what),
                ..said
            },
        }
    }
}

/// Where a caller wants to be told what went wrong, if anywhere.
pub(super) struct Report(Result<Option<Place<imsp_fault>>, Fault>);

impl Report {
    /// # Safety
    /// As [`Place::at`].
    pub(super) unsafe fn at(fault: *mut imsp_fault) -> Self {
        if fault.is_null() {
            return Self(Ok(None));
        }
        // SAFETY: the caller of this function vouches for it.
        Self(unsafe { Place::at(fault) }.map(Some))
    }

    /// Tells how `call` went; it is not made if that cannot be told.
    pub(super) fn of(self, call: impl FnOnce() -> Result<(), Fault>) -> imsp_status {
        let place = match self.0 {
            Ok(place) => place,
            Err(fault) => return fault.status,
        };
        let result = call();
        if let Some(place) = place {
            place.put(&result.into());
        }
        result.map_or_else(|fault| fault.status, |()| imsp_status::Ok)
    }
}
