//! Drawn cases: whorl and the published crates must say the same of each.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    altered::{Judge, Verdict},
    case::{Case, Published},
    layout::walk,
};

pub struct Options<'a> {
    /// None: only the published crates run, to try the drawing itself.
    pub whorl: Option<&'a Path>,
    pub cases: usize,
    pub first: usize,
    pub seed: u64,
    pub work: &'a Path,
    pub is_keeping_folders: bool,
}

#[derive(Default)]
struct Tally {
    cases: usize,
    identical: usize,
    accepted_by_published: usize,
    accepted_by_whorl: usize,
    hostile: usize,
    hostile_accepted: usize,
}

/// Elements altered per case, besides the proof of the case before.
const ALTERED_PER_CASE: usize = 2;

struct Whorl<'a>(&'a Path);

impl Whorl<'_> {
    fn prove(&self, task: &Path, out: &Path) -> Result<Vec<u8>, String> {
        let output = Command::new(self.0)
            .arg("prove")
            .args([Path::new("--task"), task, Path::new("--out"), out])
            .arg("--quiet")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("whorl does not start: {error}"))?;
        if !output.status.success() {
            return Err(format!("whorl prove: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
        }
        fs::read(out).map_err(|error| format!("whorl prove wrote no proof: {error}"))
    }

    /// Whether whorl accepts; every exit other than accepted, rejected and malformed input is an error.
    fn verify(&self, key: &Path, proof: &Path) -> Result<bool, String> {
        let output = Command::new(self.0)
            .arg("verify")
            .args([Path::new("--vk"), key, Path::new("--proof"), proof])
            .arg("--quiet")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("whorl does not start: {error}"))?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1 | 2) => Ok(false),
            _ => Err(format!("whorl verify: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())),
        }
    }
}

fn first_difference(a: &[u8], b: &[u8]) -> String {
    match a.iter().zip(b).position(|(x, y)| x != y) {
        Some(at) => format!("first differing byte {at} of {} and {}", a.len(), b.len()),
        None => format!("lengths {} and {}", a.len(), b.len()),
    }
}

/// Compares whorl with the published crates on one case whose folder is written.
fn compare(
    whorl: &Whorl,
    dir: &Path,
    published: &Published,
    judge: &Judge,
    foreign_proof: Option<&[u8]>,
    rng: &mut StdRng,
    tally: &mut Tally,
) -> Result<(), String> {
    let key = dir.join("vk.postcard");
    let bytes = whorl.prove(dir, &dir.join("whorl.bin"))?;
    if judge.verdict(&bytes) != Verdict::Accept {
        return Err("the published verifier rejects whorl's proof".into());
    }
    tally.accepted_by_published += 1;
    if !whorl.verify(&key, &dir.join("proof.bin"))? {
        return Err("whorl rejects the published proof".into());
    }
    tally.accepted_by_whorl += 1;
    if bytes != published.proof {
        return Err(format!("the proofs differ: {}", first_difference(&bytes, &published.proof)));
    }
    tally.identical += 1;

    // Proofs that ought to be refused, and now and then are rightly not: only the agreement counts.
    let mut hostile: Vec<(String, Vec<u8>)> = Vec::new();
    let elements = walk(&bytes).elements;
    for _ in 0..ALTERED_PER_CASE {
        let offset = elements[rng.random_range(0..elements.len())];
        let value = u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap());
        let mut altered = bytes.clone();
        altered[offset..offset + 4].copy_from_slice(&((value + 1) % 0x7800_0001).to_le_bytes());
        hostile.push((format!("element at byte {offset} altered"), altered));
    }
    hostile.extend(foreign_proof.map(|proof| ("the proof of the case before".into(), proof.to_vec())));
    for (what, proof) in hostile {
        let file = dir.join("hostile.bin");
        fs::write(&file, &proof).map_err(|error| error.to_string())?;
        let is_accepted = judge.verdict(&proof) == Verdict::Accept;
        if whorl.verify(&key, &file)? != is_accepted {
            let verb = if is_accepted { "accept" } else { "reject" };
            return Err(format!("{what}: the published crates {verb} it, whorl does not"));
        }
        tally.hostile += 1;
        tally.hostile_accepted += usize::from(is_accepted);
    }
    Ok(())
}

/// An AIR whose interactions are constant: the published provers fail on it, so only the published verifier is asked
/// about whorl's proof.
pub fn constant_interactions(options: &Options) -> Result<(), Box<dyn Error>> {
    let case = Case::constant_interactions(options.seed);
    let published = case.prove(false)?;
    let judge = Judge::new(published.key.clone());
    let dir = options.work.join(&case.name);
    case.write(&dir, &published)?;
    let by_published = judge.verdict(&published.proof).name();
    let whorl = Whorl(options.whorl.ok_or("--whorl is missing")?);
    let proof = whorl.prove(&dir, &dir.join("whorl.bin"))?;
    let verdict = judge.verdict(&proof);
    let by_whorl = verdict.name();
    println!(
        "interop: constant interactions, seed {}: the published verifier says {by_published} of the published proof and \
         {by_whorl} of whorl's",
        options.seed,
    );
    if verdict != Verdict::Accept || !whorl.verify(&dir.join("vk.postcard"), &dir.join("whorl.bin"))? {
        return Err(format!("interop: whorl fails on {}", dir.display()).into());
    }
    Ok(fs::remove_dir_all(&dir)?)
}

pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    println!("interop: seed {}, {} cases", options.seed, options.cases);
    let mut tally = Tally::default();
    let mut failures: Vec<PathBuf> = Vec::new();
    let mut foreign_proof: Option<Vec<u8>> = None;
    for index in options.first..options.first + options.cases {
        let case = Case::draw(options.seed, index)?;
        let published = case.prove(index % 2 == 1).map_err(|error| format!("{}: {error}", case.name))?;
        let dir = options.work.join(&case.name);
        case.write(&dir, &published)?;
        let judge = Judge::new(published.key.clone());
        if judge.verdict(&published.proof) != Verdict::Accept {
            return Err(format!("{}: the published verifier rejects the published proof", case.name).into());
        }
        tally.cases += 1;
        let mut rng = StdRng::seed_from_u64(options.seed ^ index as u64);
        let outcome = options.whorl.map_or(Ok(()), |path| {
            compare(&Whorl(path), &dir, &published, &judge, foreign_proof.as_deref(), &mut rng, &mut tally)
        });
        let word = if outcome.is_ok() { "ok  " } else { "FAIL" };
        println!("{word} {} ({}) {}", case.name, published.engine, case.summary());
        match outcome {
            Err(error) => {
                println!("     {error}\n     kept: {}", dir.display());
                failures.push(dir);
            }
            Ok(()) if !options.is_keeping_folders => fs::remove_dir_all(&dir)?,
            Ok(()) => {}
        }
        foreign_proof = Some(published.proof);
    }
    println!(
        "interop: seed {}: {} cases drawn; {} proofs byte-identical, {} of whorl's accepted by the published verifier, \
         {} published accepted by whorl; {} hostile proofs judged alike ({} of them accepted by both); {} failures",
        options.seed,
        tally.cases,
        tally.identical,
        tally.accepted_by_published,
        tally.accepted_by_whorl,
        tally.hostile,
        tally.hostile_accepted,
        failures.len(),
    );
    if failures.is_empty() {
        Ok(())
    } else {
        let names: Vec<String> = failures.iter().map(|dir| dir.display().to_string()).collect();
        Err(format!("interop: differences in {}", names.join(", ")).into())
    }
}
