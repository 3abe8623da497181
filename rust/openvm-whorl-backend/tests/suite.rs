//! The published suite of all backends, whole. WHORL_DEVICE says on which device: `make openvm-suite` runs it on cpu and on sim.
//!
//! The suite proves in two ways. Where it calls `StarkEngine::prove` the proof is whorl's; where it takes a prover from a transcript, or
//! the stages of a device, it is the published CPU device's, whose types the engine has. `bytes.rs` proves all of the suite's circuits by
//! `StarkEngine::prove`.

use openvm_stark_sdk::config::baby_bear_poseidon2::CpuTranscript;
use openvm_whorl_backend::BabyBearPoseidon2WhorlEngine;

type Engine = BabyBearPoseidon2WhorlEngine<CpuTranscript>;

openvm_backend_tests::backend_test_suite!(Engine);
