//! Every circuit and shape of the published suite, proved by StarkEngine::prove on the CPU and on the simulated GPU: the published
//! engine's bytes.

mod common;

use common::{PB, SC, bytes, circuit, context, engine, published_proof};
use openvm_stark_backend::{
    StarkEngine, SystemParams,
    prover::DeviceMultiStarkProvingKey,
    test_utils::{
        CachedFixture11, FibFixture, InteractionsFixture11, MixtureFixture, PreprocessedAndCachedFixture,
        PreprocessedFibFixture, SelfInteractionFixture, TestFixture, default_test_params_small,
        test_system_params_small,
    },
};
use openvm_stark_sdk::config::baby_bear_poseidon2::BabyBearPoseidon2Config;

fn same_bytes(name: &str, fixture: &impl TestFixture<SC>, params: &SystemParams) {
    let circuit = circuit(fixture, params.clone());
    let expected = bytes(&published_proof(&circuit.pk, context(fixture, params.clone())));
    for device in ["cpu", "sim"] {
        let engine = engine(params.clone(), device);
        let pk: &DeviceMultiStarkProvingKey<PB> = &circuit.pk;
        let proof = engine.prove(pk, context(fixture, params.clone()));
        let proof = proof
            .unwrap_or_else(|error| panic!("{name} on {device}: {error}: {:?}", openvm_whorl_backend::last_error()));
        engine.verify(&circuit.vk, &proof).unwrap_or_else(|error| panic!("{name} on {device}: {error}"));
        let found = bytes(&proof);
        let at = found.iter().zip(&expected).position(|(a, b)| a != b);
        assert!(
            found == expected,
            "{name} on {device}: {} and {} bytes, different from {at:?} on",
            found.len(),
            expected.len()
        );
    }
}

fn config(params: &SystemParams) -> SC {
    BabyBearPoseidon2Config::default_from_params(params.clone())
}

fn alternating(log_height: usize) -> Vec<bool> {
    (0..1 << log_height).map(|i| i % 2 == 0).collect()
}

const HEIGHTS: [usize; 5] = [10, 3, 2, 1, 0];

#[test]
fn fibonacci() {
    for (l_skip, log_height) in [(2, 10), (2, 4), (2, 2), (2, 1), (2, 0), (3, 2), (6, 10)] {
        let params = test_system_params_small(l_skip, 8, 3);
        same_bytes(&format!("fibonacci {l_skip} {log_height}"), &FibFixture::new(0, 1, 1 << log_height), &params);
    }
}

#[test]
fn absent_airs() {
    let fixture = FibFixture::new_with_num_airs(0, 1, 16, 5).with_empty_air_indices([0, 3]);
    same_bytes("absent", &fixture, &default_test_params_small());
}

#[test]
fn interactions() {
    for (l_skip, n_stack, k) in [(2, 8, 3), (5, 5, 4)] {
        let params = test_system_params_small(l_skip, n_stack, k);
        same_bytes(&format!("interactions {l_skip}"), &InteractionsFixture11, &params);
    }
}

#[test]
fn cached() {
    for (l_skip, n_stack, k) in [(2, 8, 3), (5, 5, 4), (5, 8, 3), (6, 7, 3)] {
        let params = test_system_params_small(l_skip, n_stack, k);
        same_bytes(&format!("cached {l_skip} {n_stack}"), &CachedFixture11::new(config(&params)), &params);
    }
}

#[test]
fn preprocessed() {
    for (l_skip, n_stack, k) in [(2, 8, 3), (5, 5, 4)] {
        let params = test_system_params_small(l_skip, n_stack, k);
        same_bytes(&format!("preprocessed {l_skip}"), &PreprocessedFibFixture::new(0, 1, alternating(8)), &params);
    }
    for log_height in HEIGHTS {
        let fixture = PreprocessedFibFixture::new(0, 1, alternating(log_height));
        same_bytes(&format!("preprocessed of 2^{log_height} rows"), &fixture, &default_test_params_small());
    }
}

#[test]
fn preprocessed_and_cached() {
    for (l_skip, n_stack, k) in [(2, 8, 3), (5, 5, 4)] {
        for num_parts in 1..=3 {
            let params = test_system_params_small(l_skip, n_stack, k);
            let fixture = PreprocessedAndCachedFixture::new(alternating(8), config(&params), num_parts);
            same_bytes(&format!("preprocessed and {num_parts} cached, {l_skip}"), &fixture, &params);
        }
    }
}

#[test]
fn buses_within_an_air() {
    for log_height in HEIGHTS {
        let fixture = SelfInteractionFixture { widths: vec![4, 7, 8, 8, 10, 100], log_height, bus_index: 4 };
        same_bytes(&format!("self interaction of 2^{log_height} rows"), &fixture, &default_test_params_small());
    }
    let fixture = SelfInteractionFixture { widths: vec![4, 7, 8, 8, 10], log_height: 1, bus_index: 4 };
    same_bytes("overflow of the stacked matrix", &fixture, &test_system_params_small(3, 5, 3));
}

#[test]
fn mixture() {
    for log_height in HEIGHTS {
        let params = default_test_params_small();
        let fixture = MixtureFixture::standard(log_height, config(&params));
        same_bytes(&format!("mixture of 2^{log_height} rows"), &fixture, &params);
    }
}
