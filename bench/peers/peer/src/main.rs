//! openvm-cpu-backend's own prover on the benchmarks of whorl, one proof a process.

use std::{fs, path::Path, process::ExitCode, time::Instant};

use openvm_stark_backend::{
    AirRef, StarkEngine,
    codec::Decode,
    keygen::types::{MultiStarkProvingKey, MultiStarkVerifyingKey},
    proof::Proof,
    prover::{AirProvingContext, CpuColMajorBackend, DeviceDataTransporter, ProvingContext},
    test_utils::TestFixture,
};
use openvm_stark_sdk::config::{
    app_params_with_100_bits_security,
    baby_bear_poseidon2::{BabyBearPoseidon2Config as Config, BabyBearPoseidon2CpuEngine as Engine},
};
use peer::{
    Failure, file, option,
    report::{describe, elapsed_ms, merged, run_program},
    spans::Spans,
    task::load,
    workloads::{LOG_STACKED_HEIGHT, LOGUP_LOG_HEIGHT, keccak_airs, keccak_trace, logup_fixture},
};
use serde_json::{Value, json};

const USAGE: &str = "\
peer keccakf --inputs FILE          FILE: 25 u64 a permutation, little endian
peer logup [--log-height H]         six self-interaction AIRs; H is 17
peer task --task DIR [--proofs N]   a task folder; its cached parts are committed before the clock starts. With N: so
                                    many proofs one after another, and the sum of their times
peer verify --vk FILE --proof FILE
Prints one line of JSON. Proves and verifies once unless told otherwise: every measurement is a fresh process.";

fn peak_rss_bytes() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: getrusage fills the struct when it returns 0.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return 0;
        }
        usage.assume_init()
    };
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    usage.ru_maxrss as u64 * unit
}

/// Proves once, verifies once. `to_context` sees the engine's device and yields the traces on it.
fn measure(
    workload: &str,
    airs: &[AirRef<Config>],
    to_context: impl FnOnce(&Engine) -> ProvingContext<<Engine as StarkEngine>::PB>,
    spans: &Spans,
) -> Result<Value, Failure> {
    let engine: Engine = StarkEngine::new(app_params_with_100_bits_security(LOG_STACKED_HEIGHT));
    let (pk, vk) = engine.keygen(airs);
    let context = to_context(&engine);
    prove_once(workload, &engine, &pk, &vk, context, spans)
}

fn prove_once(
    workload: &str,
    engine: &Engine,
    pk: &MultiStarkProvingKey<Config>,
    vk: &MultiStarkVerifyingKey<Config>,
    context: ProvingContext<<Engine as StarkEngine>::PB>,
    spans: &Spans,
) -> Result<Value, Failure> {
    let device_pk = engine.device().transport_pk_to_device(pk);

    let start = Instant::now();
    let proof = engine.prove(&device_pk, context).map_err(|error| format!("prove: {error:?}"))?;
    let prove_ms = elapsed_ms(start);

    let start = Instant::now();
    engine.verify(vk, &proof).map_err(|error| format!("verify: {error}"))?;
    let verify_ms = elapsed_ms(start);

    let times = json!({
        "workload": workload,
        "prove_ms": prove_ms,
        "verify_ms": verify_ms,
        "peak_rss_bytes": peak_rss_bytes(),
        "spans": spans.take_json(),
    });
    Ok(merged(times, describe(vk, &proof)?))
}

fn keccakf(inputs: &Path, spans: &Spans) -> Result<Value, Failure> {
    let trace = keccak_trace(inputs)?;
    let context = |_: &Engine| ProvingContext::new(vec![(0, AirProvingContext::simple_no_pis(trace))]);
    measure("keccakf", &keccak_airs(), context, spans)
}

fn logup(log_height: usize, spans: &Spans) -> Result<Value, Failure> {
    let fixture = logup_fixture(log_height);
    let airs = TestFixture::<Config>::airs(&fixture);
    let context = |engine: &Engine| {
        let host: ProvingContext<CpuColMajorBackend<Config>> = fixture.generate_proving_ctx();
        engine.device().transport_proving_ctx_to_device(&host)
    };
    measure("logup", &airs, context, spans)
}

fn task(folder: &Path, spans: &Spans) -> Result<Value, Failure> {
    let task = load(folder)?;
    let engine: Engine = StarkEngine::new(task.vk.inner.params.clone());
    let context = engine.device().transport_proving_ctx_to_device(&task.context);
    let (name, pk, vk) = (task.name, task.pk, task.vk);
    drop(task.context);
    prove_once(&name, &engine, &pk, &vk, context, spans)
}

/// Proofs one after another, as a service makes them; none is verified but the last.
fn many(folder: &Path, num_proofs: usize, spans: &Spans) -> Result<Value, Failure> {
    let task = load(folder)?;
    let engine: Engine = StarkEngine::new(task.vk.inner.params.clone());
    let device_pk = engine.device().transport_pk_to_device(&task.pk);
    let mut total_ms = 0.0;
    let mut last = None;
    for _ in 0..num_proofs {
        let context = engine.device().transport_proving_ctx_to_device(&task.context);
        let start = Instant::now();
        last = Some(engine.prove(&device_pk, context).map_err(|error| format!("prove: {error:?}"))?);
        total_ms += elapsed_ms(start);
        spans.take_json();
    }
    engine.verify(&task.vk, &last.ok_or("no proofs")?).map_err(|error| format!("verify: {error}"))?;
    Ok(json!({
        "workload": task.name,
        "num_proofs": num_proofs,
        "prove_ms": total_ms,
        "peak_rss_bytes": peak_rss_bytes(),
    }))
}

fn verify(key: &Path, proof: &Path) -> Result<Value, Failure> {
    let vk: MultiStarkVerifyingKey<Config> = postcard::from_bytes(&fs::read(key)?)?;
    let engine: Engine = StarkEngine::new(vk.inner.params.clone());
    let bytes = fs::read(proof)?;
    let start = Instant::now();
    let proof = Proof::<Config>::decode_from_bytes(&bytes)?;
    let decode_ms = elapsed_ms(start);
    let start = Instant::now();
    engine.verify(&vk, &proof).map_err(|error| format!("verify: {error}"))?;
    let verify_ms = elapsed_ms(start);
    Ok(json!({
        "workload": "verify",
        "decode_ms": decode_ms,
        "verify_ms": verify_ms,
        "peak_rss_bytes": peak_rss_bytes(),
    }))
}

fn dispatch(args: &[String], spans: &Spans) -> Result<(), Failure> {
    let line = match args.first().map(String::as_str) {
        Some("keccakf") => keccakf(file(args, "--inputs")?, spans)?,
        Some("logup") => logup(option(args, "--log-height").map_or(Ok(LOGUP_LOG_HEIGHT), str::parse)?, spans)?,
        Some("task") => match option(args, "--proofs") {
            None => task(file(args, "--task")?, spans)?,
            Some(count) => many(file(args, "--task")?, count.parse()?, spans)?,
        },
        Some("verify") => verify(file(args, "--vk")?, file(args, "--proof")?)?,
        _ => return Err("which workload?".into()),
    };
    println!("{line}");
    Ok(())
}

fn main() -> ExitCode {
    run_program("peer", USAGE, dispatch)
}
