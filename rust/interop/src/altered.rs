//! What the published verifier says of a proof in which one number is altered.

use std::{
    error::Error,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use openvm_stark_backend::{StarkEngine, codec::Decode, keygen::types::MultiStarkVerifyingKey, proof::Proof};
use openvm_stark_sdk::config::baby_bear_poseidon2::{
    BabyBearPoseidon2Config, BabyBearPoseidon2RefEngine, DuplexSponge,
};
use serde_json::{Value, json};

use crate::layout::walk;

pub type Config = BabyBearPoseidon2Config;
pub type Key = MultiStarkVerifyingKey<Config>;
const P: u32 = 0x7800_0001;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Reject,
    DecodeError,
    Panic,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Accept => "accept",
            Verdict::Reject => "reject",
            Verdict::DecodeError => "decode-error",
            Verdict::Panic => "panic",
        }
    }
}

/// Decodes and verifies with the published crates.
pub struct Judge {
    engine: BabyBearPoseidon2RefEngine<DuplexSponge>,
    key: Key,
}

impl Judge {
    pub fn new(key: Key) -> Self {
        Self { engine: StarkEngine::new(key.inner.params.clone()), key }
    }

    pub fn verdict(&self, bytes: &[u8]) -> Verdict {
        // The published code indexes and asserts on some malformed proofs: a panic counts as a rejection of its own kind.
        catch_unwind(AssertUnwindSafe(|| match Proof::<Config>::decode_from_bytes(bytes) {
            Err(_) => Verdict::DecodeError,
            Ok(proof) => match self.engine.verify(&self.key, &proof) {
                Ok(()) => Verdict::Accept,
                Err(_) => Verdict::Reject,
            },
        }))
        .unwrap_or(Verdict::Panic)
    }
}

pub fn read_key(path: &Path) -> Result<Key, Box<dyn Error>> {
    Ok(postcard::from_bytes(&fs::read(path)?)?)
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

/// The verdict on `proof` with the little-endian number at `offset` replaced; `proof` is as before on return.
fn with_number(judge: &Judge, proof: &mut [u8], offset: usize, size: usize, value: u32) -> Verdict {
    let range = offset..offset + size;
    let before = proof[range.clone()].to_vec();
    proof[range.clone()].copy_from_slice(&value.to_le_bytes()[..size]);
    let verdict = judge.verdict(proof);
    proof[range].copy_from_slice(&before);
    verdict
}

/// The values a header of `size` bytes is changed to: one more, zero, all ones; the value itself left out.
fn header_values(value: u32, size: usize) -> Vec<u32> {
    let ones = if size == 1 { 0xff } else { u32::MAX };
    let mut values = vec![value.wrapping_add(1) & ones, 0, ones];
    values.sort_unstable();
    values.dedup();
    values.retain(|&other| other != value);
    values
}

fn load(vector: &Path) -> Result<(Judge, Vec<u8>), Box<dyn Error>> {
    let judge = Judge::new(read_key(&vector.join("vk.postcard"))?);
    let proof = fs::read(vector.join("proof.bin"))?;
    if judge.verdict(&proof) != Verdict::Accept {
        return Err(format!("{}: the unaltered proof is not accepted", vector.display()).into());
    }
    Ok((judge, proof))
}

fn vector_name(vector: &Path) -> String {
    vector.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Alters every element and every header of the vector's proof, one at a time.
pub fn survey(vector: &Path) -> Result<Value, Box<dyn Error>> {
    let (judge, mut proof) = load(vector)?;
    let layout = walk(&proof);
    let mut accepted = Vec::new();
    for &offset in &layout.elements {
        let altered = (word(&proof, offset) + 1) % P;
        if with_number(&judge, &mut proof, offset, 4, altered) == Verdict::Accept {
            accepted.push(offset);
        }
    }
    let mut lengths = Vec::new();
    for header in &layout.headers {
        let value = if header.size == 1 { u32::from(proof[header.offset]) } else { word(&proof, header.offset) };
        for altered in header_values(value, header.size) {
            let verdict = with_number(&judge, &mut proof, header.offset, header.size, altered);
            lengths.push(json!({
                "offset": header.offset, "size": header.size, "field": header.field,
                "value": altered, "verdict": verdict.name(),
            }));
        }
    }
    Ok(json!({
        "vector": vector_name(vector),
        "proof_bytes": proof.len(),
        "elements": layout.elements,
        "accepted": accepted,
        "lengths": lengths,
    }))
}

/// One array element a line would bury the numbers in line breaks; these lists stay on one line each.
fn write_compact(survey: &Value) -> String {
    let list = |name: &str, separator: &str| {
        let items: Vec<String> = survey[name].as_array().unwrap().iter().map(Value::to_string).collect();
        items.join(separator)
    };
    format!(
        "{{\n\"vector\": {},\n\"proof_bytes\": {},\n\"elements\": [{}],\n\"accepted\": [{}],\n\"lengths\": [\n{}\n]\n}}\n",
        survey["vector"],
        survey["proof_bytes"],
        list("elements", ","),
        list("accepted", ","),
        list("lengths", ",\n"),
    )
}

/// `interop altered`: writes the survey of a vector.
pub fn write_survey(vector: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let survey = survey(vector)?;
    fs::write(out, write_compact(&survey))?;
    println!("{}", summary(&survey));
    Ok(())
}

/// `interop recheck`: whether a stored survey still holds.
pub fn recheck(vector: &Path, stored: &Path) -> Result<(), Box<dyn Error>> {
    let fresh = survey(vector)?;
    println!("{}", summary(&fresh));
    let stored_survey: Value = serde_json::from_slice(&fs::read(stored)?)?;
    if stored_survey != fresh {
        return Err(format!("{} differs from a fresh survey", stored.display()).into());
    }
    Ok(())
}

fn summary(survey: &Value) -> String {
    let count = |name: &str| survey[name].as_array().map_or(0, Vec::len);
    let mut text = format!(
        "{}: {} elements altered, {} accepted; {} lengths altered:",
        survey["vector"].as_str().unwrap_or("?"),
        count("elements"),
        count("accepted"),
        count("lengths"),
    );
    for verdict in [Verdict::Accept, Verdict::Reject, Verdict::DecodeError, Verdict::Panic] {
        let lengths = survey["lengths"].as_array().unwrap();
        let n = lengths.iter().filter(|entry| entry["verdict"] == verdict.name()).count();
        text += &format!(" {n} {}", verdict.name());
    }
    text
}
