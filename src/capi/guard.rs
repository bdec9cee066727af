//! Panics end here: reported as a status, and never again met through the same handle.

use core::{cell::Cell, panic::AssertUnwindSafe};

use super::status::{Fault, Report, imsp_status};

extern crate std;

/// Whether a call with a handle has panicked. A cell, so that no handle can be shared between threads.
#[derive(Default)]
pub(super) struct Poison(Cell<bool>);

impl Poison {
    /// # Errors
    /// After a panic.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.0.get() {
            return Err(imsp_status::Poisoned.into());
        }
        Ok(())
    }

    fn note(&self, result: Result<(), Fault>) -> Result<(), Fault> {
        if result.is_err_and(|fault| fault.status == imsp_status::Panicked) {
            self.0.set(true);
        }
        result
    }
}

/// What a caller holds a pointer to.
pub(super) trait Handle {
    fn poison(&self) -> &Poison;
}

/// [CA-1] A call that may change what is behind the handle.
pub(super) fn change<H: Handle>(
    handle: Option<&mut H>,
    report: Report,
    call: impl FnOnce(&mut H) -> Result<(), Fault>,
) -> imsp_status {
    report.of(|| {
        let handle = handle.ok_or(imsp_status::NullPointer)?;
        handle.poison().check()?;
        let result = caught(|| call(handle));
        handle.poison().note(result)
    })
}

/// [CA-1] A call that leaves what is behind the handle as it is.
pub(super) fn read<H: Handle>(
    handle: Option<&H>,
    report: Report,
    call: impl FnOnce(&H) -> Result<(), Fault>,
) -> imsp_status {
    report.of(|| {
        let handle = handle.ok_or(imsp_status::NullPointer)?;
        handle.poison().check()?;
        let result = caught(|| call(handle));
        handle.poison().note(result)
    })
}

/// A call that has no handle yet.
pub(super) fn make(report: Report, call: impl FnOnce() -> Result<(), Fault>) -> imsp_status {
    report.of(|| caught(call))
}

/// Frees what is behind a handle, if it is there; what it panics with is kept from the caller.
///
/// # Safety
/// `handle` is NULL, or came from [`Box::into_raw`](alloc::boxed::Box::into_raw) and is not used again.
pub(super) unsafe fn free<H>(handle: *mut H) {
    if !handle.is_null() {
        // SAFETY: it came from a box, to which nothing else leads any more.
        let boxed = unsafe { alloc::boxed::Box::from_raw(handle) };
        let _ = caught(|| {
            drop(boxed);
            Ok(())
        });
    }
}

/// What was half changed when a call panicked is not looked at again: a handle is poisoned then, and outputs have not
/// been written yet.
fn caught(call: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
    std::panic::catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(imsp_status::Panicked.into()))
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use core::ptr;
    use std::{panic, sync::Mutex};

    use super::{Handle, Poison, change, free, make, read, std};
    use crate::capi::status::{Fault, Report, imsp_fault, imsp_status};

    #[derive(Default)]
    struct Counter {
        count: u32,
        poison: Poison,
    }

    impl Handle for Counter {
        fn poison(&self) -> &Poison {
            &self.poison
        }
    }

    impl Drop for Counter {
        fn drop(&mut self) {
            assert!(self.count < 100, "dropped with {}", self.count);
        }
    }

    fn unreported() -> Report {
        // SAFETY: NULL is allowed.
        unsafe { Report::at(ptr::null_mut()) }
    }

    fn count(counter: &mut Counter, by: u32) -> imsp_status {
        change(Some(counter), unreported(), |counter| {
            assert!(by > 0, "nothing to count");
            counter.count = counter.count.saturating_add(by);
            Ok(())
        })
    }

    fn peek(counter: &Counter) -> imsp_status {
        read(Some(counter), unreported(), |_| Ok(()))
    }

    /// Panics are expected here, and need not be shown. One test at a time: the hook is the process's.
    fn quietly(test: impl FnOnce()) {
        static ONE: Mutex<()> = Mutex::new(());
        let one = ONE.lock();
        let shown = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let result = panic::catch_unwind(panic::AssertUnwindSafe(test));
        panic::set_hook(shown);
        drop(one);
        if let Err(failure) = result {
            panic::resume_unwind(failure);
        }
    }

    /// [CA-1] A panic is reported, and poisons the handle that it was met through and no other.
    #[test]
    fn a_panic_poisons_its_handle_only() {
        quietly(|| {
            let (mut one, mut other) = (Counter::default(), Counter::default());
            assert_eq!(count(&mut one, 1), imsp_status::Ok);
            assert_eq!(count(&mut one, 0), imsp_status::Panicked);
            assert_eq!(count(&mut one, 1), imsp_status::Poisoned);
            assert_eq!(peek(&one), imsp_status::Poisoned);
            assert_eq!(one.count, 1);
            assert_eq!(count(&mut other, 1), imsp_status::Ok);
            assert_eq!(peek(&other), imsp_status::Ok);
        });
    }

    /// [CA-1] A call that only reads poisons too; one that fails without a panic does not.
    #[test]
    fn reading_poisons_too() {
        quietly(|| {
            let counter = Counter::default();
            let fail = |_: &Counter| Err(Fault::from(imsp_status::Nothing));
            assert_eq!(
                read(Some(&counter), unreported(), fail),
                imsp_status::Nothing
            );
            assert_eq!(peek(&counter), imsp_status::Ok);
            let status = read(Some(&counter), unreported(), |_| panic!("on purpose"));
            assert_eq!(status, imsp_status::Panicked);
            assert_eq!(peek(&counter), imsp_status::Poisoned);
        });
    }

    /// [CA-1] What can be told of a panic is told where the caller wants it.
    #[test]
    fn a_panic_fills_the_fault() {
        quietly(|| {
            let mut fault = imsp_fault::from(Ok(()));
            fault.struct_size = 276;
            // SAFETY: the fault is there, with its size.
            let report = unsafe { Report::at(&raw mut fault) };
            let status = make(report, || panic!("on purpose"));
            assert_eq!(status, imsp_status::Panicked);
            assert_eq!(fault.status, imsp_status::Panicked as u32);
            assert_eq!(fault.struct_size, 276);
        });
    }

    /// [CA-1] A poisoned handle is freed, and a panic in that is kept from the caller.
    #[test]
    fn a_poisoned_handle_is_freed() {
        quietly(|| {
            for (first, last) in [(1, 0), (100, 0)] {
                let mut counter = Box::new(Counter::default());
                assert_eq!(count(&mut counter, first), imsp_status::Ok);
                assert_eq!(count(&mut counter, last), imsp_status::Panicked);
                // SAFETY: it comes from a box and is not used again.
                unsafe { free(Box::into_raw(counter)) }
            }
            // SAFETY: NULL is allowed.
            unsafe { free(ptr::null_mut::<Counter>()) }
        });
    }

    /// [CA-1] Without a handle nothing is called.
    #[test]
    fn no_handle() {
        let call = |_: &mut Counter| panic!("called");
        assert_eq!(change(None, unreported(), call), imsp_status::NullPointer);
        let call = |_: &Counter| panic!("called");
        assert_eq!(read(None, unreported(), call), imsp_status::NullPointer);
    }
}
