#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod backend;
mod context;
#[cfg(feature = "cuda")]
mod cuda;
mod engine;
mod error;
pub mod ffi;
mod handle;
mod import;
mod key;
mod matrix;
mod prover;
mod session;
mod task;
mod traces;
#[cfg(feature = "vm")]
pub mod vm;

pub use context::export_task;
#[cfg(feature = "cuda")]
pub use cuda::{BabyBearPoseidon2WhorlGpuEngine, GpuPlace};
pub use engine::{BabyBearPoseidon2WhorlEngine, EngineProgress, WhorlEngine, last_error};
pub use error::{Code, Error};
pub use import::{ImportedTask, import_task};
pub use key::{Key, Proof};
pub use matrix::Matrix;
pub use prover::{Control, Progress, Prover, ProverOptions, Stop};
pub use session::clear_cache;
pub use task::Task;
pub use traces::{Committed, Part, Traces};
