//! Handles of whorl's C header that free what they hold.

use std::{ffi::CString, path::Path, ptr, ptr::NonNull};

use crate::{
    Error,
    error::{Code, result_of},
    ffi,
};

/// Owns what a call of whorl made.
pub(crate) struct Handle<T> {
    pointer: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Handle<T> {
    /// The handle that `make(place, error)` puts into place.
    ///
    /// # Safety
    /// `make` calls whorl with both pointers, and `free` frees what it makes.
    pub(crate) unsafe fn made(
        free: unsafe extern "C" fn(*mut T),
        make: impl FnOnce(*mut *mut T, *mut *mut ffi::whorl_error) -> ffi::whorl_code,
    ) -> Result<Self, Error> {
        let mut pointer = ptr::null_mut();
        // SAFETY: the caller's promise.
        unsafe { call(|error| make(&mut pointer, error)) }?;
        NonNull::new(pointer)
            .map(|pointer| Self { pointer, free })
            .ok_or_else(|| Error::new(Code::Internal, "whorl", "a call succeeded without a result"))
    }

    pub(crate) fn as_ptr(&self) -> *const T {
        self.pointer.as_ptr()
    }

    pub(crate) fn as_mut(&mut self) -> *mut T {
        self.pointer.as_ptr()
    }

    /// For calls that may run at once with others and still take a pointer to non-const.
    pub(crate) fn as_shared_mut(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: made() put a valid handle here and nothing else frees it.
        unsafe { (self.free)(self.pointer.as_ptr()) }
    }
}

/// The result of a call that takes a place for its error.
///
/// # Safety
/// `work` calls whorl with the pointer.
pub(crate) unsafe fn call(work: impl FnOnce(*mut *mut ffi::whorl_error) -> ffi::whorl_code) -> Result<(), Error> {
    let mut error = ptr::null_mut();
    let code = work(&mut error);
    // SAFETY: whorl has put NULL or a handle of ours there.
    unsafe { result_of(code, error) }
}

/// The bytes that `make` makes.
///
/// # Safety
/// As of [`Handle::made`].
pub(crate) unsafe fn bytes_of(
    make: impl FnOnce(*mut *mut ffi::whorl_bytes, *mut *mut ffi::whorl_error) -> ffi::whorl_code,
) -> Result<Vec<u8>, Error> {
    // SAFETY: the caller's promise; the data stay as long as the handle.
    unsafe {
        let bytes = Handle::made(ffi::whorl_bytes_free, make)?;
        let size = ffi::whorl_bytes_size(bytes.as_ptr());
        Ok(match size {
            0 => Vec::new(),
            _ => std::slice::from_raw_parts(ffi::whorl_bytes_data(bytes.as_ptr()), size).to_vec(),
        })
    }
}

pub(crate) fn c_text(stage: &str, what: &str, text: impl Into<Vec<u8>>) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::invalid(stage, format!("{what} has a NUL character")))
}

#[cfg(unix)]
pub(crate) fn c_path(stage: &str, path: &Path) -> Result<CString, Error> {
    use std::os::unix::ffi::OsStrExt;
    c_text(stage, "the path", path.as_os_str().as_bytes())
}
