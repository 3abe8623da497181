//! openvm-cuda-backend's own prover on the benchmarks of whorl: a few proofs to warm up, then timed ones.

mod device_memory;

use std::{process::ExitCode, time::Instant};

use openvm_cuda_backend::BabyBearPoseidon2GpuEngine as Engine;
use openvm_cuda_common::memory_manager::device_memory_used;
use openvm_stark_backend::{
    AirRef, StarkEngine,
    keygen::types::{MultiStarkProvingKey, MultiStarkVerifyingKey},
    prover::{AirProvingContext, ColMajorMatrix, CpuColMajorBackend, DeviceDataTransporter, ProvingContext},
    test_utils::TestFixture,
};
use openvm_stark_sdk::config::{
    app_params_with_100_bits_security, baby_bear_poseidon2::BabyBearPoseidon2Config as Config,
};
use peer::{
    Failure, file, option,
    report::{describe, elapsed_ms, merged, run_program},
    spans::Spans,
    task::load,
    workloads::{LOG_STACKED_HEIGHT, LOGUP_LOG_HEIGHT, keccak_airs, keccak_trace, logup_fixture},
};
use serde_json::json;

const USAGE: &str = "\
cuda-peer keccakf --inputs FILE     FILE: 25 u64 a permutation, little endian
cuda-peer logup [--log-height H]    six self-interaction AIRs; H is 17
cuda-peer task --task DIR           a task folder; its cached parts are committed before the clock starts
  --runs N                          timed proofs: 10
  --warm-ups N                      proofs before them: 2
  --save-memory true|false          the backend's zerocheck heuristic; keccakf: false, logup: the backend's default
Prints a line of JSON a timed proof and one for all.";

struct Workload {
    name: String,
    pk: MultiStarkProvingKey<Config>,
    vk: MultiStarkVerifyingKey<Config>,
    traces: ProvingContext<CpuColMajorBackend<Config>>,
    /// None: as the backend chooses.
    save_memory: Option<bool>,
}

struct Plan {
    num_warm_ups: usize,
    num_runs: usize,
}

/// The middle of sorted `times`, or the mean of the middle two.
fn median(times: &[f64]) -> f64 {
    let middle = times.len() / 2;
    if times.len() % 2 == 1 { times[middle] } else { (times[middle - 1] + times[middle]) / 2.0 }
}

/// The clock runs from traces on the device to a proof in memory; every proof is verified.
fn measure(workload: &Workload, plan: &Plan, spans: &Spans) -> Result<(), Failure> {
    let mut engine = Engine::new(workload.vk.inner.params.clone());
    if let Some(save_memory) = workload.save_memory {
        engine.device_mut().prover_config_mut().zerocheck_save_memory = save_memory;
    }
    let vk = &workload.vk;
    let device_pk = engine.device().transport_pk_to_device(&workload.pk);

    let mut times = Vec::new();
    let mut peak_device_bytes = 0;
    for proof_index in 0..plan.num_warm_ups + plan.num_runs {
        // Proving consumes the traces. Each transfer ends before it returns.
        let traces = engine.device().transport_proving_ctx_to_device(&workload.traces);
        device_memory::take_peak_bytes();
        spans.take_json();

        let start = Instant::now();
        let proof = engine.prove(&device_pk, traces).map_err(|error| format!("prove: {error:?}"))?;
        let prove_ms = elapsed_ms(start);

        let spans = spans.take_json();
        let start = Instant::now();
        engine.verify(vk, &proof).map_err(|error| format!("verify: {error}"))?;
        let verify_ms = elapsed_ms(start);

        let Some(run) = proof_index.checked_sub(plan.num_warm_ups) else { continue };
        times.push(prove_ms);
        let run_peak_bytes = device_memory::take_peak_bytes();
        peak_device_bytes = peak_device_bytes.max(run_peak_bytes);
        let line = json!({
            "kind": "run",
            "workload": workload.name,
            "run": run,
            "prove_ms": prove_ms,
            "verify_ms": verify_ms,
            "peak_device_bytes": run_peak_bytes,
            "spans": spans,
        });
        println!("{}", merged(line, describe(vk, &proof)?));
    }

    times.sort_by(f64::total_cmp);
    let summary = json!({
        "kind": "summary",
        "workload": workload.name,
        "runs": plan.num_runs,
        "warm_ups": plan.num_warm_ups,
        "save_memory": engine.device().prover_config().zerocheck_save_memory,
        "prove_median_ms": median(&times),
        "prove_min_ms": times[0],
        "prove_max_ms": times[times.len() - 1],
        "peak_device_bytes": peak_device_bytes,
        // All that is taken on the device: CUDA's own, and the backend's pool, which never shrinks.
        "used_device_bytes": device_memory_used(),
    });
    println!("{summary}");
    Ok(())
}

fn benchmark(
    name: &str,
    airs: &[AirRef<Config>],
    traces: ProvingContext<CpuColMajorBackend<Config>>,
    save_memory: Option<bool>,
) -> Workload {
    let engine = Engine::new(app_params_with_100_bits_security(LOG_STACKED_HEIGHT));
    let (pk, vk) = engine.keygen(airs);
    Workload { name: name.into(), pk, vk, traces, save_memory }
}

fn workload(args: &[String]) -> Result<Workload, Failure> {
    let save_memory = option(args, "--save-memory").map(str::parse).transpose()?;
    match args.first().map(String::as_str) {
        Some("keccakf") => {
            let trace = ColMajorMatrix::from_row_major(&keccak_trace(file(args, "--inputs")?)?);
            let traces = ProvingContext::new(vec![(0, AirProvingContext::simple_no_pis(trace))]);
            // Without interactions the heuristic only costs time; the backend's own keccakf example turns it off.
            Ok(benchmark("keccakf", &keccak_airs(), traces, save_memory.or(Some(false))))
        }
        Some("logup") => {
            let fixture = logup_fixture(option(args, "--log-height").map_or(Ok(LOGUP_LOG_HEIGHT), str::parse)?);
            let airs = TestFixture::<Config>::airs(&fixture);
            Ok(benchmark("logup", &airs, fixture.generate_proving_ctx(), save_memory))
        }
        Some("task") => {
            let task = load(file(args, "--task")?)?;
            Ok(Workload { name: task.name, pk: task.pk, vk: task.vk, traces: task.context, save_memory })
        }
        _ => Err("which workload?".into()),
    }
}

fn dispatch(args: &[String], spans: &Spans) -> Result<(), Failure> {
    let plan = Plan {
        num_warm_ups: option(args, "--warm-ups").map_or(Ok(2), str::parse)?,
        num_runs: option(args, "--runs").map_or(Ok(10), str::parse)?,
    };
    if plan.num_runs == 0 {
        return Err("--runs must be at least 1".into());
    }
    device_memory::record();
    measure(&workload(args)?, &plan, spans)
}

fn main() -> ExitCode {
    run_program("cuda-peer", USAGE, dispatch)
}
