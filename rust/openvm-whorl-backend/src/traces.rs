//! The traces of one proof.

use std::sync::Arc;

use openvm_stark_backend::p3_field::PrimeField32;
use openvm_stark_sdk::config::baby_bear_poseidon2::{Digest, F};

use crate::{
    Error, ffi,
    handle::{Handle, call},
    key::digest_of,
    matrix::{Matrix, Words},
};

/// A matrix with its commitment, for many proofs ([`Prover::commit`](crate::Prover::commit)).
pub struct Committed {
    pub(crate) handle: Handle<ffi::whorl_committed>,
    pub(crate) words: Words,
    pub(crate) shape: (usize, usize),
}

// SAFETY: no call takes one by a pointer to non-const; such handles may be used by several threads at once (whorl.h).
unsafe impl Send for Committed {}
// SAFETY: as above.
unsafe impl Sync for Committed {}

impl Committed {
    /// The commitment.
    pub fn digest(&self) -> Result<Digest, Error> {
        // SAFETY: the handle is valid, and whorl writes as many words as it is told there are.
        digest_of(|words, num_words, error| unsafe {
            ffi::whorl_committed_digest(self.handle.as_ptr(), words, num_words, error)
        })
    }

    /// Width and height of the matrix.
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }
}

/// A part of a trace with a commitment of its own.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// Columns that each proof commits to.
    Columns(&'a Matrix),
    /// Columns that are committed.
    Committed(&'a Committed),
}

/// The traces of one proof, by AIR.
pub struct Traces {
    pub(crate) handle: Handle<ffi::whorl_traces>,
    // What whorl's matrices are made of.
    words: Vec<Words>,
}

// SAFETY: a handle may be used by any thread, by one at a time; const calls by several at once (whorl.h).
unsafe impl Send for Traces {}
// SAFETY: what changes the traces takes them by &mut.
unsafe impl Sync for Traces {}

impl Traces {
    /// None.
    pub fn new() -> Result<Self, Error> {
        // SAFETY: the call has no other arguments.
        let handle =
            unsafe { Handle::made(ffi::whorl_traces_free, |traces, error| ffi::whorl_traces_new(traces, error)) };
        Ok(Self { handle: handle?, words: Vec::new() })
    }

    pub(crate) fn from_handle(handle: Handle<ffi::whorl_traces>) -> Self {
        Self { handle, words: Vec::new() }
    }

    /// Adds the trace of an AIR. Where all of its columns are cached, `common_main` has width 0 and the trace's height.
    pub fn add(&mut self, air_id: u32, common_main: &Matrix) -> Result<(), Error> {
        self.keep(&common_main.words);
        let traces = self.handle.as_mut();
        // SAFETY: the handles are valid; `words` stay with the traces.
        unsafe { call(|error| ffi::whorl_traces_add(traces, air_id, common_main.handle.as_ptr(), error)) }
    }

    /// Public values of the trace that was added last.
    pub fn set_public_values(&mut self, values: &[F]) -> Result<(), Error> {
        let words: Vec<u32> = values.iter().map(F::as_canonical_u32).collect();
        let traces = self.handle.as_mut();
        // SAFETY: the words stay during the call.
        unsafe { call(|error| ffi::whorl_traces_set_public_values(traces, words.as_ptr(), words.len(), error)) }
    }

    /// Adds a cached part to the trace that was added last; parts in order.
    pub fn add_cached(&mut self, part: Part<'_>) -> Result<(), Error> {
        let traces = self.keep_part(part);
        // SAFETY: the handles are valid; `words` stay with the traces.
        unsafe {
            call(|error| match part {
                Part::Columns(matrix) => ffi::whorl_traces_add_cached(traces, matrix.handle.as_ptr(), error),
                Part::Committed(part) => ffi::whorl_traces_add_committed(traces, part.handle.as_ptr(), error),
            })
        }
    }

    /// The preprocessed columns of the trace that was added last.
    pub fn set_preprocessed(&mut self, part: Part<'_>) -> Result<(), Error> {
        let traces = self.keep_part(part);
        // SAFETY: the handles are valid; `words` stay with the traces.
        unsafe {
            call(|error| match part {
                Part::Columns(matrix) => ffi::whorl_traces_set_preprocessed(traces, matrix.handle.as_ptr(), error),
                Part::Committed(part) => {
                    ffi::whorl_traces_set_preprocessed_committed(traces, part.handle.as_ptr(), error)
                }
            })
        }
    }

    fn keep(&mut self, words: &Words) {
        self.words.push(Arc::clone(words));
    }

    fn keep_part(&mut self, part: Part<'_>) -> *mut ffi::whorl_traces {
        self.keep(match part {
            Part::Columns(matrix) => &matrix.words,
            Part::Committed(committed) => &committed.words,
        });
        self.handle.as_mut()
    }
}
