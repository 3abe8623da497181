//! 1,024 permutations of keccak-f, proved by whorl, and by openvm-cpu-backend if asked: `cargo run --release --example keccakf [both]`.
//!
//! WHORL_DEVICE and WHORL_THREADS choose where. The AIR is Plonky3's; all that names whorl is the engine.

#[path = "common/keccak.rs"]
mod keccak;

use std::{env, error::Error, sync::Arc, time::Instant};

use keccak::{Keccak, LOG_STACKED_HEIGHT};
use openvm_stark_backend::{
    StarkEngine,
    codec::Encode,
    p3_matrix::dense::RowMajorMatrix,
    prover::{AirProvingContext, DeviceDataTransporter, ProvingContext},
};
use openvm_stark_sdk::{
    config::{
        app_params_with_100_bits_security,
        baby_bear_poseidon2::{BabyBearPoseidon2Config, BabyBearPoseidon2CpuEngine, F},
    },
    openvm_cpu_backend::{CpuBackend, CpuDevice},
};
use openvm_whorl_backend::{BabyBearPoseidon2WhorlEngine, last_error};
use p3_keccak_air::KeccakAir;

type SC = BabyBearPoseidon2Config;

/// Any engine with the types of openvm-cpu-backend.
fn prove<E>(name: &str, trace: RowMajorMatrix<F>) -> Result<(), Box<dyn Error>>
where
    E: StarkEngine<SC = SC, PB = CpuBackend<SC>, PD = CpuDevice<SC>>,
{
    let engine = E::new(app_params_with_100_bits_security(LOG_STACKED_HEIGHT));
    let (pk, vk) = engine.keygen(&[Arc::new(Keccak(KeccakAir {}))]);
    let pk = engine.device().transport_pk_to_device(&pk);
    let context = ProvingContext::new(vec![(0, AirProvingContext::simple_no_pis(trace))]);

    let start = Instant::now();
    let proof = engine.prove(&pk, context).map_err(|error| match last_error() {
        Some(reason) => reason.to_string(),
        None => format!("{error:?}"),
    })?;
    let prove_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    engine.verify(&vk, &proof).map_err(|error| error.to_string())?;
    let verify_ms = start.elapsed().as_secs_f64() * 1e3;
    let num_bytes = proof.encode_to_vec()?.len();
    println!("{name}: proved in {prove_seconds:.2} s, verified in {verify_ms:.1} ms, {num_bytes} bytes");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let trace = keccak::trace();
    if env::args().nth(1).as_deref() == Some("both") {
        prove::<BabyBearPoseidon2CpuEngine>("openvm-cpu-backend", trace.clone())?;
    }
    prove::<BabyBearPoseidon2WhorlEngine>("whorl", trace)
}
