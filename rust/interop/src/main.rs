//! whorl against the published SWIRL crates.

mod air;
mod altered;
mod case;
mod expr;
mod hostile_key;
mod layout;
mod plan;
mod run;
mod security;
mod whorl;

use std::{
    error::Error,
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

const USAGE: &str = "\
whorl against the published SWIRL crates

  interop run --whorl PROGRAM --work DIR [--cases N | --minutes M] [--seed S] [--first I] [--keep]
              [--threads T] [--sim-every E]
      draws N cases (50), or cases for M minutes, each a set of AIRs, traces and parameters, and compares
      whorl's proofs and verdicts with those of the published crates; folders of cases that differ stay in
      DIR. --first I --cases 1 repeats case I of a seed. whorl uses T threads (as it likes), and proves each
      E-th case (4; 0: none) on the simulated GPU too. Without --whorl only the published crates run.
      Ends in a table of the cases by l_skip and height.
  interop constant --whorl PROGRAM --work DIR [--seed S]
      an AIR whose interactions are constant, which only whorl is asked to prove
  interop altered --vector DIR --out FILE
      alters every field element and every length of DIR/proof.bin, one at a time, and writes what the
      published verifier says of each
  interop judge --key FILE --proof FILE
      the published verifier's verdict as an exit code: 0 accepted, 3 rejected, 4 undecodable, 5 panic
  interop recheck --vector DIR --list FILE
      does the same and compares with a stored list
  interop security --vectors DIR --out FILE
      what the published security calculator says of all presets, of drawn parameters and of the keys in DIR
  interop recheck-security --vectors DIR --list FILE
      does the same and compares with a stored file

exit code: 0, or 1 on any difference or error
";

/// The value after `name`, if it is there.
fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).map(String::as_str)
}

fn required<'a>(args: &'a [String], name: &str) -> Result<&'a Path, Box<dyn Error>> {
    option(args, name).map(Path::new).ok_or_else(|| format!("{name} is missing\n\n{USAGE}").into())
}

fn number(args: &[String], name: &str, otherwise: u64) -> Result<u64, Box<dyn Error>> {
    match option(args, name) {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| format!("{name} {text}: not a number").into()),
    }
}

fn fresh_seed() -> u64 {
    // Short enough to be typed again.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_micros() as u64 % 1_000_000_000)
}

fn run_options(args: &[String]) -> Result<run::Options<'_>, Box<dyn Error>> {
    Ok(run::Options {
        whorl: option(args, "--whorl").map(Path::new),
        cases: number(args, "--cases", 50)? as usize,
        minutes: option(args, "--minutes").map(|_| number(args, "--minutes", 0)).transpose()?,
        threads: number(args, "--threads", 0)? as usize,
        sim_every: number(args, "--sim-every", 4)? as usize,
        first: number(args, "--first", 0)? as usize,
        seed: number(args, "--seed", fresh_seed())?,
        work: required(args, "--work")?,
        is_keeping_folders: args.iter().any(|arg| arg == "--keep"),
    })
}

fn dispatch(args: &[String]) -> Result<(), Box<dyn Error>> {
    match args.first().map(String::as_str) {
        Some("run") => run::run(&run_options(args)?),
        Some("constant") => run::constant_interactions(&run_options(args)?),
        Some("altered") => altered::write_survey(required(args, "--vector")?, required(args, "--out")?),
        Some("recheck") => altered::recheck(required(args, "--vector")?, required(args, "--list")?),
        Some("security") => security::write(required(args, "--vectors")?, required(args, "--out")?),
        Some("recheck-security") => security::recheck(required(args, "--vectors")?, required(args, "--list")?),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|command| command == "judge") {
        let (key, proof) = (option(&args, "--key").unwrap_or(""), option(&args, "--proof").unwrap_or(""));
        return ExitCode::from(hostile_key::exit_code(hostile_key::judge(Path::new(key), Path::new(proof))));
    }
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
