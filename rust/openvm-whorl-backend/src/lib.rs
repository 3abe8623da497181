#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod error;
pub mod ffi;
mod handle;
mod key;
mod matrix;
mod prover;
mod task;
mod traces;

pub use error::{Code, Error};
pub use key::{Key, Proof};
pub use matrix::Matrix;
pub use prover::{Control, Progress, Prover, ProverOptions, Stop};
pub use task::Task;
pub use traces::{Committed, Part, Traces};
