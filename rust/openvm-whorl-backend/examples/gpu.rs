//! keccakf and the LogUp benchmark with traces on the GPU, by whorl and by openvm-cuda-backend by turns:
//! `cargo run --release --features cuda --example gpu [RUNS]`. Medians of warm proofs.

#[path = "common/keccak.rs"]
mod keccak;

use std::{env, error::Error, sync::Arc, time::Instant};

use keccak::{Keccak, LOG_STACKED_HEIGHT};
use openvm_cuda_backend::{BabyBearPoseidon2GpuEngine, GpuBackend, GpuDevice, sponge::DuplexSpongeGpu};
use openvm_stark_backend::{
    AirRef, StarkEngine,
    prover::{
        AirProvingContext, ColMajorMatrix, CpuColMajorBackend, DeviceDataTransporter, DeviceMultiStarkProvingKey,
        ProvingContext,
    },
    test_utils::{SelfInteractionFixture, TestFixture},
};
use openvm_stark_sdk::config::{app_params_with_100_bits_security, baby_bear_poseidon2::BabyBearPoseidon2Config};
use openvm_whorl_backend::BabyBearPoseidon2WhorlGpuEngine;
use p3_keccak_air::KeccakAir;

type SC = BabyBearPoseidon2Config;

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Milliseconds from traces on the device to the proof.
fn time<E>(
    engine: &E,
    pk: &DeviceMultiStarkProvingKey<GpuBackend>,
    host: &ProvingContext<CpuColMajorBackend<SC>>,
) -> Result<f64, Box<dyn Error>>
where
    E: StarkEngine<SC = SC, PB = GpuBackend, PD = GpuDevice, TS = DuplexSpongeGpu>,
{
    let ctx = engine.device().transport_proving_ctx_to_device(host);
    let start = Instant::now();
    engine.prove(pk, ctx).map_err(|error| format!("{error:?}"))?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// `saves_memory`: what is asked of the published engine; its own example of keccakf asks for false, which is faster.
fn compare(
    name: &str,
    airs: &[AirRef<SC>],
    host: &ProvingContext<CpuColMajorBackend<SC>>,
    saves_memory: Option<bool>,
    runs: usize,
) -> Result<(), Box<dyn Error>> {
    let params = app_params_with_100_bits_security(LOG_STACKED_HEIGHT);
    let whorl = BabyBearPoseidon2WhorlGpuEngine::new(params.clone());
    let mut published = BabyBearPoseidon2GpuEngine::new(params);
    if let Some(saves_memory) = saves_memory {
        published.device_mut().prover_config_mut().zerocheck_save_memory = saves_memory;
    }
    let (pk, _) = whorl.keygen(airs);
    let pk = whorl.device().transport_pk_to_device(&pk);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..runs + 2 {
        let a = time(&whorl, &pk, host)?;
        eprintln!("{name}: run {run}: whorl {a:.1} ms");
        let b = time(&published, &pk, host)?;
        eprintln!("{name}: run {run}: openvm-cuda-backend {b:.1} ms");
        // The first proofs compile, load and allocate.
        if run >= 2 {
            ours.push(a);
            theirs.push(b);
        }
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!("{name}: whorl {ours:.1} ms, openvm-cuda-backend {theirs:.1} ms, ratio {:.2}", ours / theirs);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let runs = env::args().nth(1).map_or(Ok(10), |text| text.parse())?;
    let trace = AirProvingContext::simple_no_pis(ColMajorMatrix::from_row_major(&keccak::trace()));
    compare("keccakf", &[Arc::new(Keccak(KeccakAir {}))], &ProvingContext::new(vec![(0, trace)]), Some(false), runs)?;
    let logup = SelfInteractionFixture { widths: vec![4, 7, 8, 8, 10, 100], log_height: 17, bus_index: 4 };
    compare(
        "LogUp 2^17",
        &TestFixture::<SC>::airs(&logup),
        &TestFixture::<SC>::generate_proving_ctx(&logup),
        None,
        runs,
    )
}
