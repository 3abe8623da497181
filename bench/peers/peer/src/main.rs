//! openvm-cpu-backend's own prover on the benchmarks of whorl, one proof a process.

mod spans;

use std::{error::Error, fs, path::Path, process::ExitCode, sync::Arc, time::Instant};

use openvm_stark_backend::{
    AirRef, PartitionedBaseAir, StarkEngine,
    codec::{Decode, Encode},
    keygen::types::MultiStarkVerifyingKey,
    p3_air::{Air, AirBuilder, BaseAir, BaseAirWithPublicValues},
    p3_field::PrimeField32,
    proof::Proof,
    prover::{AirProvingContext, CpuColMajorBackend, DeviceDataTransporter, ProvingContext},
    test_utils::{SelfInteractionFixture, TestFixture},
};
use openvm_stark_sdk::{
    config::{
        app_params_with_100_bits_security,
        baby_bear_poseidon2::{BabyBearPoseidon2Config as Config, BabyBearPoseidon2CpuEngine as Engine, F},
    },
    openvm_stark_backend,
};
use p3_keccak_air::KeccakAir;
use serde_json::{Value, json};
use tracing_subscriber::{Layer, layer::SubscriberExt};

use crate::spans::{Spans, Stages};

const USAGE: &str = "\
peer keccakf --inputs FILE          FILE: 25 u64 a permutation, little endian
peer logup [--log-height H]         six self-interaction AIRs; H is 17
peer verify --vk FILE --proof FILE
Prints one line of JSON. Proves and verifies once: every measurement is a fresh process.
";

const LOG_STACKED_HEIGHT: usize = 21;
const LOGUP_WIDTHS: [usize; 6] = [4, 7, 8, 8, 10, 100];
const LOGUP_BUS: u16 = 4;

type Failure = Box<dyn Error>;

/// The traits of the backend around the AIR of Plonky3.
struct Keccak(KeccakAir);

impl<T> BaseAir<T> for Keccak {
    fn width(&self) -> usize {
        BaseAir::<T>::width(&self.0)
    }
}

impl<T> BaseAirWithPublicValues<T> for Keccak {}
impl<T> PartitionedBaseAir<T> for Keccak {}

impl<AB: AirBuilder> Air<AB> for Keccak {
    fn eval(&self, builder: &mut AB) {
        self.0.eval(builder);
    }
}

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

/// 64 bits of FNV-1a: enough to tell proofs apart.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
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
    let device_pk = engine.device().transport_pk_to_device(&pk);

    let start = Instant::now();
    let proof = engine.prove(&device_pk, context).map_err(|error| format!("prove: {error:?}"))?;
    let prove_ms = elapsed_ms(start);

    let start = Instant::now();
    engine.verify(&vk, &proof).map_err(|error| format!("verify: {error}"))?;
    let verify_ms = elapsed_ms(start);

    let bytes = proof.encode_to_vec()?;
    Ok(json!({
        "workload": workload,
        "prove_ms": prove_ms,
        "verify_ms": verify_ms,
        "peak_rss_bytes": peak_rss_bytes(),
        "proof_bytes": bytes.len(),
        "proof_hash": fingerprint(&bytes),
        "vk_pre_hash": vk.pre_hash.map(|x| x.as_canonical_u32()),
        "common_main_commit": proof.common_main_commit.map(|x| x.as_canonical_u32()),
        "spans": spans.to_json(),
    }))
}

fn keccakf(inputs: &Path, spans: &Spans) -> Result<Value, Failure> {
    let bytes = fs::read(inputs)?;
    let words: Vec<u64> = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    let states: Vec<[u64; 25]> = words.chunks_exact(25).map(|state| state.try_into().unwrap()).collect();
    let trace = p3_keccak_air::generate_trace_rows::<F>(states, 0);
    let context = |_: &Engine| ProvingContext::new(vec![(0, AirProvingContext::simple_no_pis(trace))]);
    measure("keccakf", &[Arc::new(Keccak(KeccakAir {}))], context, spans)
}

fn logup(log_height: usize, spans: &Spans) -> Result<Value, Failure> {
    let fixture = SelfInteractionFixture { widths: LOGUP_WIDTHS.to_vec(), log_height, bus_index: LOGUP_BUS };
    let airs = TestFixture::<Config>::airs(&fixture);
    let context = |engine: &Engine| {
        let host: ProvingContext<CpuColMajorBackend<Config>> = fixture.generate_proving_ctx();
        engine.device().transport_proving_ctx_to_device(&host)
    };
    measure("logup", &airs, context, spans)
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

fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).map(String::as_str)
}

fn file<'a>(args: &'a [String], name: &str) -> Result<&'a Path, Failure> {
    option(args, name).map(Path::new).ok_or_else(|| format!("{name} is missing\n{USAGE}").into())
}

fn dispatch(args: &[String], spans: &Spans) -> Result<Value, Failure> {
    match args.first().map(String::as_str) {
        Some("keccakf") => keccakf(file(args, "--inputs")?, spans),
        Some("logup") => logup(option(args, "--log-height").map_or(Ok(17), str::parse)?, spans),
        Some("verify") => verify(file(args, "--vk")?, file(args, "--proof")?),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let spans = Spans::new();
    let subscriber = tracing_subscriber::registry().with(spans.clone().with_filter(Stages));
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is set");
    match dispatch(&args, &spans) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("peer: {error}");
            ExitCode::FAILURE
        }
    }
}
