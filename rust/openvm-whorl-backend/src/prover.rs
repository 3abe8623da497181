//! Provers: a key on a device.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use crate::{
    Error,
    error::Code,
    ffi,
    handle::{Handle, c_text},
    key::{Key, Proof},
    matrix::Matrix,
    traces::{Committed, Traces},
};

/// What a prover is made with. None of it changes a byte of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProverOptions {
    /// As `--device` of the program: `cpu`, `sim`, `cuda`, `cuda:1`, `metal`, `gpu`.
    pub device: String,
    /// 0: one per core.
    pub num_threads: u32,
    /// Verifies each proof before it is returned: traces that break a constraint or leave a bus unbalanced are then
    /// [`Code::Unsatisfied`], with a report of where; otherwise they give a proof that is rejected.
    pub is_verifying: bool,
}

impl Default for ProverOptions {
    fn default() -> Self {
        Self { device: "cpu".into(), num_threads: 0, is_verifying: true }
    }
}

/// A flag that ends calls, from any thread.
pub struct Stop(Handle<ffi::whorl_stop>);

// SAFETY: the flag is made for being set by one thread while another's call looks at it (whorl.h).
unsafe impl Send for Stop {}
// SAFETY: as above.
unsafe impl Sync for Stop {}

impl Stop {
    /// Not requested.
    pub fn new() -> Result<Self, Error> {
        // SAFETY: the call has no other arguments.
        unsafe { Handle::made(ffi::whorl_stop_free, |stop, error| ffi::whorl_stop_new(stop, error)) }.map(Self)
    }

    /// Calls that were given the flag end soon with [`Code::Cancelled`], and so do later ones.
    pub fn request(&self) {
        // SAFETY: the handle is valid.
        unsafe { ffi::whorl_stop_request(self.0.as_shared_mut()) }
    }

    /// The flag may be used again.
    pub fn reset(&self) {
        // SAFETY: the handle is valid.
        unsafe { ffi::whorl_stop_reset(self.0.as_shared_mut()) }
    }
}

/// Called some dozen times in a proof with how far it is (0 to 1) and the stage; false ends the proof.
pub type Progress<'a> = &'a mut dyn FnMut(f64, &str) -> bool;

/// What belongs to one call.
#[derive(Default)]
pub struct Control<'a> {
    /// Ends the call when it is requested.
    pub stop: Option<&'a Stop>,
    /// Is told how far the call is.
    pub progress: Option<Progress<'a>>,
    /// The most that the proof may take of the device's memory; 0: what there is.
    pub memory_limit_bytes: u64,
}

/// A progress function while whorl may call it, and what it panicked with.
struct Listener<'a> {
    progress: Progress<'a>,
    panic: Option<String>,
}

/// Passes whorl's call on. A panic ends the proof instead of crossing into C++.
unsafe extern "C" fn listen(user: *mut c_void, fraction: f64, stage: *const c_char) -> c_int {
    // SAFETY: `user` is the Listener of the call under way, which nobody else uses meanwhile; the text ends in NUL.
    let (listener, stage) = unsafe { (&mut *user.cast::<Listener<'_>>(), CStr::from_ptr(stage).to_string_lossy()) };
    match catch_unwind(AssertUnwindSafe(|| (listener.progress)(fraction, &stage))) {
        Ok(goes_on) => c_int::from(!goes_on),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
            listener.panic = Some(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default());
            1
        }
    }
}

impl Control<'_> {
    /// Calls `work` with whorl's form of this.
    fn with<T>(&mut self, work: impl FnOnce(*const ffi::whorl_control) -> Result<T, Error>) -> Result<T, Error> {
        let mut control = ffi::whorl_control {
            struct_size: size_of::<ffi::whorl_control>(),
            progress: None,
            user: ptr::null_mut(),
            stop: self.stop.map_or(ptr::null(), |stop| stop.0.as_ptr()),
            memory_limit_bytes: self.memory_limit_bytes,
            transcript: ptr::null_mut(),
        };
        let Some(progress) = self.progress.as_deref_mut() else {
            return work(&control);
        };
        let mut listener = Listener { progress, panic: None };
        control.progress = Some(listen);
        control.user = (&raw mut listener).cast();
        let result = work(&control);
        match listener.panic {
            Some(panic) => {
                Err(Error::new(Code::Cancelled, "prove", format!("the progress function panicked: {panic}")))
            }
            None => result,
        }
    }
}

/// Proves many times with one key on one device, one proof at a time.
pub struct Prover(Handle<ffi::whorl_prover>);

// SAFETY: a handle may be used by any thread, by one at a time (whorl.h); calls take the prover by &mut.
unsafe impl Send for Prover {}

impl Prover {
    /// Fails where the device is not there or cannot be used.
    pub fn new(key: &Key, options: &ProverOptions) -> Result<Self, Error> {
        let device = c_text("prove", "the device", options.device.as_str())?;
        let given = ffi::whorl_prover_options {
            struct_size: size_of::<ffi::whorl_prover_options>(),
            device: device.as_ptr(),
            num_threads: options.num_threads,
            verify_after: u8::from(options.is_verifying),
        };
        // SAFETY: key and options stay during the call, which copies what it keeps.
        let handle = unsafe {
            Handle::made(ffi::whorl_prover_free, |prover, error| {
                ffi::whorl_prover_new(key.0.as_ptr(), &given, prover, error)
            })
        };
        handle.map(Self)
    }

    /// Proves that the traces satisfy the key's constraints.
    pub fn prove(&mut self, traces: &Traces, control: &mut Control<'_>) -> Result<Proof, Error> {
        let prover = self.0.as_mut();
        control.with(|control| {
            // SAFETY: all handles stay during the call.
            unsafe {
                Handle::made(ffi::whorl_proof_free, |proof, error| {
                    ffi::whorl_prover_prove(prover, traces.handle.as_ptr(), control, proof, error)
                })
            }
            .map(Proof)
        })
    }

    /// Commits to a cached or preprocessed part once for many proofs, of this prover and of others with the same parameters.
    pub fn commit(&mut self, matrix: &Matrix, control: &mut Control<'_>) -> Result<Committed, Error> {
        let prover = self.0.as_mut();
        let handle = control.with(|control| {
            // SAFETY: all handles stay during the call, and the words as long as what is made of them.
            unsafe {
                Handle::made(ffi::whorl_committed_free, |committed, error| {
                    ffi::whorl_prover_commit(prover, matrix.handle.as_ptr(), control, committed, error)
                })
            }
        })?;
        Ok(Committed { handle, words: matrix.words.clone(), shape: (matrix.width(), matrix.height()) })
    }
}
