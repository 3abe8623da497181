//! What can go wrong, as whorl says it.

use std::{ffi::CStr, fmt};

use crate::ffi;

/// The kind of an [`Error`]: the codes of whorl's C header (docs/errors.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// A call, parameter or trace that does not fit the key.
    InvalidArgument,
    /// Bytes that are not a key, a proof or a task.
    BadFormat,
    /// A file that cannot be read or written.
    Io,
    /// Traces that violate a constraint or leave a bus unbalanced.
    Unsatisfied,
    /// Memory, threads or a device that this machine does not have.
    Machine,
    /// A bug in whorl or in this crate.
    Internal,
    /// The caller asked the call to stop.
    Cancelled,
    /// A proof that the verifier does not accept.
    Rejected,
}

impl Code {
    pub(crate) fn of(code: ffi::whorl_code) -> Self {
        match code {
            ffi::WHORL_INVALID_ARGUMENT => Self::InvalidArgument,
            ffi::WHORL_BAD_FORMAT => Self::BadFormat,
            ffi::WHORL_IO => Self::Io,
            ffi::WHORL_UNSATISFIED => Self::Unsatisfied,
            ffi::WHORL_MACHINE => Self::Machine,
            ffi::WHORL_CANCELLED => Self::Cancelled,
            ffi::WHORL_REJECTED => Self::Rejected,
            // WHORL_INTERNAL, and what no header names.
            _ => Self::Internal,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid argument",
            Self::BadFormat => "bad format",
            Self::Io => "file error",
            Self::Unsatisfied => "unsatisfied",
            Self::Machine => "machine",
            Self::Internal => "internal error",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub code: Code,
    /// The operation, for example `prove`; of [`Code::Rejected`] the rule that is broken.
    pub stage: String,
    /// A sentence for a person.
    pub message: String,
}

impl Error {
    pub(crate) fn new(code: Code, stage: &str, message: impl Into<String>) -> Self {
        Self { code, stage: stage.into(), message: message.into() }
    }

    pub(crate) fn invalid(stage: &str, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, stage, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.code.name(), self.stage, self.message)
    }
}

impl std::error::Error for Error {}

/// The result of a call that returned `code`; takes `error` over.
///
/// # Safety
/// `error` is NULL or a handle that nobody else frees.
pub(crate) unsafe fn result_of(code: ffi::whorl_code, error: *mut ffi::whorl_error) -> Result<(), Error> {
    if code == ffi::WHORL_OK {
        return Ok(());
    }
    if error.is_null() {
        // whorl had no memory for the reason.
        return Err(Error::new(Code::of(code), "whorl", "there is no memory for the reason"));
    }
    // SAFETY: the handle is valid, its texts end in NUL and stay until it is freed.
    let text = |text| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let made = unsafe {
        Error {
            code: Code::of(code),
            stage: text(ffi::whorl_error_stage(error)),
            message: text(ffi::whorl_error_message(error)),
        }
    };
    // SAFETY: as above, and it is not used again.
    unsafe { ffi::whorl_error_free(error) };
    Err(made)
}
