//! Keys that were altered: whorl may be stricter than the published crates, never more lenient.

use std::{env, fs, path::Path, process::Command};

use openvm_stark_backend::{StarkEngine, StarkProtocolConfig, hasher::MerkleHasher, p3_field::PrimeCharacteristicRing};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2RefEngine, DuplexSponge, F};
use rand::{Rng, rngs::StdRng};
use serde_json::Value;

use crate::{
    altered::{Config, Judge, Key, Verdict, read_key},
    whorl::{Whorl, run_to_end},
};

/// Of keys and proofs; the published constant is private.
const CODEC_VERSION: u32 = 3;
const ALTERED_BYTES_PER_CASE: usize = 1;
const ALTERED_FIELDS_PER_CASE: usize = 2;
/// Of the child that runs the published verifier: altered parameters may ask for any amount.
const JUDGE_MEMORY_KIB: usize = 4 << 20;

#[derive(Default)]
pub struct Tally {
    pub keys: usize,
    /// The published crates read the key and accept the proof, whorl refuses.
    pub stricter: usize,
    pub undecodable: usize,
    /// whorl made a proof for the altered key, which the published verifier accepts.
    pub proved: usize,
}

/// The hash that a key carries of its other fields, as key generation computes it.
fn pre_hash(key: &Key) -> Result<<Config as StarkProtocolConfig>::Digest, postcard::Error> {
    let engine: BabyBearPoseidon2RefEngine<DuplexSponge> = StarkEngine::new(key.inner.params.clone());
    let body = postcard::to_allocvec(&key.inner)?;
    let length = (body.len() as u64).to_le_bytes();
    let bytes = CODEC_VERSION.to_le_bytes().into_iter().chain(length).chain(body);
    Ok(engine.config().hasher().hash_slice(&bytes.map(F::from_u8).collect::<Vec<F>>()))
}

fn alter_number(rng: &mut StdRng, value: &Value) -> Value {
    let x = value.as_i64().unwrap_or(0);
    let choices = [x + 1, x.saturating_sub(1).max(0), 0, 1, 2, 31, 255];
    choices[rng.random_range(0..choices.len())].into()
}

/// Walks down to a field, each child of a level equally likely, and alters it. Returns its path, or None where the key
/// happens to end in nothing.
fn alter_field(rng: &mut StdRng, value: &mut Value, path: &str) -> Option<String> {
    match value {
        Value::Number(_) => {
            let altered = alter_number(rng, value);
            let text = format!("{path}: {value} became {altered}");
            *value = altered;
            Some(text)
        }
        Value::Bool(flag) => {
            *flag = !*flag;
            Some(format!("{path}: became {flag}"))
        }
        Value::Array(items) if !items.is_empty() => {
            let at = rng.random_range(0..items.len());
            match rng.random_range(0..12) {
                0 => {
                    items.remove(at);
                    Some(format!("{path}[{at}]: removed"))
                }
                1 => {
                    items.insert(at, items[at].clone());
                    Some(format!("{path}[{at}]: doubled"))
                }
                _ => alter_field(rng, &mut items[at], &format!("{path}[{at}]")),
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let at = rng.random_range(0..fields.len());
            let (name, field) = fields.iter_mut().nth(at)?;
            alter_field(rng, field, &format!("{path}.{name}"))
        }
        _ => None,
    }
}

/// A key with one altered field and the hash that belongs to it; None where the published type has no such key.
fn with_altered_field(rng: &mut StdRng, key: &Key) -> Option<(String, Vec<u8>)> {
    let mut inner = serde_json::to_value(&key.inner).ok()?;
    let what = alter_field(rng, &mut inner, "key")?;
    let mut altered = key.clone();
    altered.inner = serde_json::from_value(inner).ok()?;
    altered.pre_hash = pre_hash(&altered).ok()?;
    Some((what, postcard::to_allocvec(&altered).ok()?))
}

/// `interop judge`: what the published crates say of a key and a proof. They index, assert and allocate by what a key
/// says, so this is a process of its own.
pub fn judge(key: &Path, proof: &Path) -> Verdict {
    match (read_key(key), fs::read(proof)) {
        (Ok(key), Ok(proof)) => Judge::new(key).verdict(&proof),
        _ => Verdict::DecodeError,
    }
}

fn judge_in_child(key: &Path, proof: &Path) -> Result<Verdict, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {JUDGE_MEMORY_KIB} && exec \"$@\""), "sh"]);
    command.arg(program).arg("judge").arg("--key").arg(key).arg("--proof").arg(proof);
    let Ok(outcome) = run_to_end(&mut command) else { return Ok(Verdict::Panic) };
    Ok(match outcome.code {
        Some(0) => Verdict::Accept,
        Some(3) => Verdict::Reject,
        Some(4) => Verdict::DecodeError,
        _ => Verdict::Panic,
    })
}

/// The exit code by which `judge_in_child` knows a verdict.
pub fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Accept => 0,
        Verdict::Reject => 3,
        Verdict::DecodeError => 4,
        Verdict::Panic => 5,
    }
}

/// Holds one altered key against the rules; the case's folder has its own key again on return.
fn compare_one(whorl: &Whorl, dir: &Path, bytes: &[u8], tally: &mut Tally) -> Result<(), String> {
    let write = |name: &str, data: &[u8]| fs::write(dir.join(name), data).map_err(|error| error.to_string());
    write("hostile.postcard", bytes)?;
    let key = dir.join("hostile.postcard");
    let proof = dir.join("proof.bin");
    let published = judge_in_child(&key, &proof)?;
    let is_accepted = whorl.verify(&key, &proof)?;
    if is_accepted && published != Verdict::Accept {
        return Err(format!("whorl accepts the proof, the published crates: {}", published.name()));
    }
    tally.keys += 1;
    tally.stricter += usize::from(published == Verdict::Accept && !is_accepted);
    tally.undecodable += usize::from(published == Verdict::DecodeError);

    let own_key = fs::read(dir.join("vk.postcard")).map_err(|error| error.to_string())?;
    write("vk.postcard", bytes)?;
    let out = dir.join("hostile_key_proof.bin");
    let outcome = whorl.try_prove(dir, &out, "cpu")?;
    match outcome.code {
        Some(0) => {
            let verdict = judge_in_child(&key, &out)?;
            if verdict != Verdict::Accept {
                return Err(format!("whorl proves for it, the published crates say of the proof: {}", verdict.name()));
            }
            tally.proved += 1;
        }
        Some(1 | 2) => {}
        code => return Err(format!("whorl prove: exit {code:?}: {}", outcome.text)),
    }
    write("vk.postcard", &own_key)
}

/// Alters the key of a written case, whose proof and traces stay as they are.
pub fn compare(whorl: &Whorl, dir: &Path, key: &Key, rng: &mut StdRng, tally: &mut Tally) -> Result<(), String> {
    let mut keys: Vec<(String, Vec<u8>)> = Vec::new();
    let bytes = postcard::to_allocvec(key).map_err(|error| error.to_string())?;
    for _ in 0..ALTERED_BYTES_PER_CASE {
        let mut altered = bytes.clone();
        let at = rng.random_range(0..altered.len());
        altered[at] ^= rng.random_range(1..=255u8);
        keys.push((format!("byte {at} of the key became {}", altered[at]), altered));
    }
    keys.extend((0..ALTERED_FIELDS_PER_CASE).filter_map(|_| with_altered_field(rng, key)));
    for (what, altered) in keys {
        compare_one(whorl, dir, &altered, tally).map_err(|error| format!("{what}: {error}"))?;
    }
    Ok(())
}
