//! What a peer says of a proof.

use std::{process::ExitCode, time::Instant};

use openvm_stark_backend::{
    codec::Encode, keygen::types::MultiStarkVerifyingKey, p3_field::PrimeField32, proof::Proof,
};
use openvm_stark_sdk::config::baby_bear_poseidon2::BabyBearPoseidon2Config as Config;
use serde_json::{Value, json};
use tracing_subscriber::{Layer, layer::SubscriberExt};

use crate::{
    Failure,
    spans::{Spans, Stages},
};

pub fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// 64 bits of FNV-1a: enough to tell proofs apart.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

/// What identifies a proof and its workload.
pub fn describe(vk: &MultiStarkVerifyingKey<Config>, proof: &Proof<Config>) -> Result<Value, Failure> {
    let bytes = proof.encode_to_vec()?;
    Ok(json!({
        "proof_bytes": bytes.len(),
        "proof_hash": fingerprint(&bytes),
        "vk_pre_hash": vk.pre_hash.map(|x| x.as_canonical_u32()),
        "common_main_commit": proof.common_main_commit.map(|x| x.as_canonical_u32()),
    }))
}

/// `first` with the members of `second`; both are objects.
pub fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut first, second) {
        members.extend(more);
    }
    first
}

/// Runs `dispatch` on the arguments with the spans of the prover collected.
pub fn run_program(
    name: &str,
    usage: &str,
    dispatch: impl FnOnce(&[String], &Spans) -> Result<(), Failure>,
) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone().with_filter(Stages));
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is set");
    match dispatch(&args, &spans) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}\n{usage}");
            ExitCode::FAILURE
        }
    }
}
