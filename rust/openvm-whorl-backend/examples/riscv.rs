//! A program for OpenVM's VM, written in C: run, cut into segments, every segment proved by whorl and verified by the published verifier.
//!
//! `cargo run --release --features vm --example riscv [LIMIT]` counts the primes below LIMIT (20,000). Needs the compiler of Debian's
//! package gcc-riscv64-unknown-elf.

#[path = "common/guest.rs"]
mod guest;

use std::{env, error::Error, sync::Arc};

use openvm_sdk::{StdIn, config::AppConfig};
use openvm_sdk_config::SdkVmConfig;
use openvm_stark_backend::StarkEngine;
use openvm_stark_sdk::config::{MAX_APP_LOG_STACKED_HEIGHT, app_params_with_100_bits_security};
use openvm_whorl_backend::vm::{Engine, Event, MakeEngine, SegmentProver, public_values, read_program};

/// Small, so that a short program has several segments.
const SEGMENT_MEMORY_BYTES: usize = 3 << 28;

fn main() -> Result<(), Box<dyn Error>> {
    let limit: u32 = env::args().nth(1).map_or(Ok(20_000), |text| text.parse())?;
    let program = guest::compile("primes")?;

    let mut vm = SdkVmConfig::riscv32();
    vm.system.config.segmentation_max_memory = SEGMENT_MEMORY_BYTES;
    let exe = read_program(&program, &vm)?;
    let config = AppConfig::new(vm, app_params_with_100_bits_security(MAX_APP_LOG_STACKED_HEIGHT));
    let make_engine: MakeEngine = Arc::new(Engine::new);
    let mut prover = SegmentProver::new(&config, exe, &make_engine)?;

    let proof = prover.prove(StdIn::from_bytes(&limit.to_le_bytes()), &mut |event| match event {
        Event::Ran { num_segments, num_instructions, .. } => {
            println!("{num_instructions} instructions in {num_segments} segments");
        }
        Event::Proved { index, count, num_instructions, trace_time, prove_time, .. } => println!(
            "segment {} of {count}: {num_instructions} instructions, traces {:.2} s, proof {:.2} s",
            index + 1,
            trace_time.as_secs_f64(),
            prove_time.as_secs_f64()
        ),
        _ => (),
    })?;
    prover.verify(&proof)?;

    let bytes = public_values(&proof.user_public_values)?;
    let word = |i: usize| u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]]);
    println!("verified: {} primes below {limit}, the largest is {}", word(0), word(1));
    Ok(())
}
