//! Task folders (docs/formats.md): a key and traces as files, which the program `whorl` proves, checks and plans.

use std::path::Path;

use crate::{
    Error, ffi,
    handle::{Handle, c_path, c_text, call},
    key::Key,
    traces::Traces,
};

/// A key and the traces of one proof.
pub struct Task {
    /// The key.
    pub key: Key,
    /// The traces.
    pub traces: Traces,
}

impl Task {
    /// Reads a task folder.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let folder = c_path("task.load", folder)?;
        let mut traces = std::ptr::null_mut();
        // SAFETY: the path stays during the call, which writes both places or none; each handle is owned at once.
        unsafe {
            let key = Handle::made(ffi::whorl_key_free, |key, error| {
                ffi::whorl_task_load(folder.as_ptr(), key, &mut traces, error)
            })?;
            let traces = Handle::made(ffi::whorl_traces_free, |place, _| {
                *place = traces;
                ffi::WHORL_OK
            })?;
            Ok(Self { key: Key(key), traces: Traces::from_handle(traces) })
        }
    }

    /// Writes the task as such a folder. Fails where the traces are none that a prover takes: nothing is written then.
    pub fn save(&self, folder: &Path, name: &str) -> Result<(), Error> {
        save(folder, name, &self.key, &self.traces)
    }
}

pub(crate) fn save(folder: &Path, name: &str, key: &Key, traces: &Traces) -> Result<(), Error> {
    let folder = c_path("task.save", folder)?;
    let name = c_text("task.save", "the name", name)?;
    // SAFETY: texts and handles stay during the call.
    unsafe {
        call(|error| {
            ffi::whorl_task_save(folder.as_ptr(), name.as_ptr(), key.0.as_ptr(), traces.handle.as_ptr(), error)
        })
    }
}
