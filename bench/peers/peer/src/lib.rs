//! What the two peers share: the benchmarks of whorl in the types of the published crates, and how results are told.

pub mod report;
pub mod spans;
pub mod task;
pub mod workloads;

use std::{error::Error, path::Path};

pub type Failure = Box<dyn Error>;

/// The value after `name`.
pub fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).map(String::as_str)
}

/// The path after `name`.
pub fn file<'a>(args: &'a [String], name: &str) -> Result<&'a Path, Failure> {
    option(args, name).map(Path::new).ok_or_else(|| format!("{name} is missing").into())
}
