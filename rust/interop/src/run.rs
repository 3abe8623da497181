//! Drawn cases: whorl and the published crates must say the same of each.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    altered::{Judge, Verdict},
    case::{Case, Published},
    hostile_key,
    layout::walk,
    whorl::Whorl,
};

pub struct Options<'a> {
    /// None: only the published crates run, to try the drawing itself.
    pub whorl: Option<&'a Path>,
    pub cases: usize,
    /// Instead of a number of cases.
    pub minutes: Option<u64>,
    pub threads: usize,
    /// Each how many-th case is proved on the simulated GPU too; 0: none.
    pub sim_every: usize,
    pub first: usize,
    pub seed: u64,
    pub work: &'a Path,
    pub is_keeping_folders: bool,
}

#[derive(Default)]
struct Tally {
    cases: usize,
    /// The published prover panics, and so does the published verifier on whorl's proof, which whorl accepts.
    unjudged: usize,
    identical: usize,
    accepted_by_published: usize,
    accepted_by_whorl: usize,
    identical_on_sim: usize,
    hostile: usize,
    hostile_accepted: usize,
    hostile_keys: hostile_key::Tally,
    /// Cases by l_skip and log2 of the tallest height.
    by_shape: BTreeMap<(usize, usize), usize>,
}

impl Tally {
    /// Rows are l_skip, columns the log of the tallest height.
    fn shape_table(&self) -> String {
        let most = |f: fn(&(usize, usize)) -> usize| self.by_shape.keys().map(f).max().unwrap_or(0);
        let (last_skip, last_height) = (most(|k| k.0), most(|k| k.1));
        let mut text = String::from("cases by l_skip (rows) and log2 of the tallest height (columns)\n      ");
        for height in 0..=last_height {
            text += &format!("{height:6}");
        }
        for skip in 0..=last_skip {
            text += &format!("\n{skip:6}");
            for height in 0..=last_height {
                text += &format!("{:6}", self.by_shape.get(&(skip, height)).unwrap_or(&0));
            }
        }
        text
    }
}

/// Elements altered per case, besides the proof of the case before.
const ALTERED_PER_CASE: usize = 2;

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
    is_for_sim: bool,
    rng: &mut StdRng,
    tally: &mut Tally,
) -> Result<(), String> {
    let key = dir.join("vk.postcard");
    let bytes = whorl.prove(dir, &dir.join("whorl.bin"), "cpu")?;
    // Where l_skip is 0 and all traces have one row, the published verifier indexes an empty list, like the provers.
    let verdict = judge.verdict(&bytes);
    if published.proof.is_empty() && verdict == Verdict::Panic {
        if !whorl.verify(&key, &dir.join("whorl.bin"))? {
            return Err("whorl rejects its own proof".into());
        }
        tally.unjudged += 1;
        return Ok(());
    }
    if verdict != Verdict::Accept {
        return Err("the published verifier rejects whorl's proof".into());
    }
    tally.accepted_by_published += 1;
    if !published.proof.is_empty() {
        if !whorl.verify(&key, &dir.join("proof.bin"))? {
            return Err("whorl rejects the published proof".into());
        }
        tally.accepted_by_whorl += 1;
        if bytes != published.proof {
            return Err(format!("the proofs differ: {}", first_difference(&bytes, &published.proof)));
        }
        tally.identical += 1;
    }
    if is_for_sim {
        let on_sim = whorl.prove(dir, &dir.join("whorl_sim.bin"), "sim")?;
        if on_sim != bytes {
            return Err(format!("the proofs of cpu and sim differ: {}", first_difference(&bytes, &on_sim)));
        }
        tally.identical_on_sim += 1;
    }

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
    hostile_key::compare(whorl, dir, &published.key, rng, &mut tally.hostile_keys)
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
    let program = options.whorl.ok_or("--whorl is missing")?;
    let whorl = Whorl { program, threads: options.threads };
    let proof = whorl.prove(&dir, &dir.join("whorl.bin"), "cpu")?;
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
    match options.minutes {
        Some(minutes) => println!("interop: seed {}, {minutes} minutes", options.seed),
        None => println!("interop: seed {}, {} cases", options.seed, options.cases),
    }
    let started = Instant::now();
    let is_over = |index: usize| match options.minutes {
        Some(minutes) => started.elapsed() >= Duration::from_secs(60 * minutes),
        None => index >= options.first + options.cases,
    };
    let mut tally = Tally::default();
    let mut failures: Vec<PathBuf> = Vec::new();
    let mut foreign_proof: Option<Vec<u8>> = None;
    for index in (options.first..).take_while(|&index| !is_over(index)) {
        let case = Case::draw(options.seed, index)?;
        let published = case.prove(index % 2 == 1).map_err(|error| format!("{}: {error}", case.name))?;
        let dir = options.work.join(&case.name);
        case.write(&dir, &published)?;
        let judge = Judge::new(published.key.clone());
        if !published.proof.is_empty() && judge.verdict(&published.proof) != Verdict::Accept {
            return Err(format!("{}: the published verifier rejects the published proof", case.name).into());
        }
        tally.cases += 1;
        *tally.by_shape.entry((case.l_skip(), case.log_height())).or_default() += 1;
        let is_for_sim = options.sim_every > 0 && index % options.sim_every == 0;
        let mut rng = StdRng::seed_from_u64(options.seed ^ index as u64);
        let outcome = options.whorl.map_or(Ok(()), |program| {
            let whorl = Whorl { program, threads: options.threads };
            let foreign = foreign_proof.as_deref();
            compare(&whorl, &dir, &published, &judge, foreign, is_for_sim, &mut rng, &mut tally)
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
        foreign_proof = Some(published.proof).filter(|proof| !proof.is_empty());
    }
    println!("{}", tally.shape_table());
    println!(
        "interop: seed {}: {} cases drawn; {} proofs byte-identical ({} of all also on sim), {} of whorl's accepted by \
         the published verifier, {} where it and the published prover panic, {} published accepted by whorl; {} hostile proofs judged alike ({} of them accepted by \
         both); {} hostile keys ({} undecodable, {} where whorl alone refuses the proof, {} proved for and accepted); \
         {} failures; {} s",
        options.seed,
        tally.cases,
        tally.identical,
        tally.identical_on_sim,
        tally.accepted_by_published,
        tally.unjudged,
        tally.accepted_by_whorl,
        tally.hostile,
        tally.hostile_accepted,
        tally.hostile_keys.keys,
        tally.hostile_keys.undecodable,
        tally.hostile_keys.stricter,
        tally.hostile_keys.proved,
        failures.len(),
        started.elapsed().as_secs(),
    );
    if failures.is_empty() {
        Ok(())
    } else {
        let names: Vec<String> = failures.iter().map(|dir| dir.display().to_string()).collect();
        Err(format!("interop: differences in {}", names.join(", ")).into())
    }
}
