mod altered;
mod layout;

use std::{error::Error, path::Path, process::ExitCode};

const USAGE: &str = "\
whorl against the published SWIRL crates

  interop altered --vector DIR --out FILE
      alters every field element and every length of DIR/proof.bin, one at a time, and writes what the
      published verifier says of each
  interop recheck --vector DIR --list FILE
      does the same and compares with a stored list
";

/// The value after `name`, if it is there.
fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).map(String::as_str)
}

fn required<'a>(args: &'a [String], name: &str) -> Result<&'a Path, Box<dyn Error>> {
    option(args, name).map(Path::new).ok_or_else(|| format!("{name} is missing").into())
}

fn dispatch(args: &[String]) -> Result<(), Box<dyn Error>> {
    match args.first().map(String::as_str) {
        Some("altered") => altered::write_survey(required(args, "--vector")?, required(args, "--out")?),
        Some("recheck") => altered::recheck(required(args, "--vector")?, required(args, "--list")?),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
