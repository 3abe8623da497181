//! Proofs of traces that lie on a GPU have the bytes of those of traces in the host's memory. Needs a GPU.

mod common;

use common::{SC, bytes, circuit, context, engine};
use openvm_stark_backend::{
    StarkEngine, SystemParams,
    p3_field::PrimeCharacteristicRing,
    prover::DeviceDataTransporter,
    test_utils::{
        CachedFixture11, FibFixture, InteractionsFixture11, MixtureFixture, PreprocessedFibFixture,
        SelfInteractionFixture, TestFixture, default_test_params_small, test_system_params_small,
    },
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config, F};
use openvm_whorl_backend::{BabyBearPoseidon2WhorlGpuEngine, Code, Stop};

type GpuEngine = BabyBearPoseidon2WhorlGpuEngine;

fn same_bytes(name: &str, fixture: &impl TestFixture<SC>, params: &SystemParams) {
    let on_host = circuit(fixture, params.clone());
    let expected = engine(params.clone(), "cpu").try_prove(&on_host.pk, context(fixture, params.clone())).unwrap();
    let engine = GpuEngine::new(params.clone());
    let (pk, _) = fixture.keygen(&engine);
    let pk = engine.device().transport_pk_to_device(&pk);
    for round in ["first", "second"] {
        let ctx = engine.device().transport_proving_ctx_to_device(&fixture.generate_proving_ctx());
        let proof = engine.try_prove(&pk, ctx).unwrap_or_else(|error| panic!("{name}, {round} proof: {error}"));
        engine.verify(&on_host.vk, &proof).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(bytes(&proof) == bytes(&expected), "{name}, {round} proof: other bytes");
    }
}

#[test]
fn traces_on_the_gpu_give_the_same_bytes() {
    let small = default_test_params_small();
    let config = |params: &SystemParams| BabyBearPoseidon2Config::default_from_params(params.clone());
    for log_height in [0, 1, 2, 3, 10] {
        same_bytes("fibonacci", &FibFixture::new(0, 1, 1 << log_height), &small);
        let selectors = (0..1 << log_height).map(|i| i % 2 == 0).collect();
        same_bytes("preprocessed", &PreprocessedFibFixture::new(0, 1, selectors), &small);
        let buses = SelfInteractionFixture { widths: vec![4, 7, 8, 8, 10, 100], log_height, bus_index: 4 };
        same_bytes("self interaction", &buses, &small);
    }
    same_bytes("interactions", &InteractionsFixture11, &test_system_params_small(5, 5, 4));
    same_bytes("cached", &CachedFixture11::new(config(&small)), &small);
    same_bytes("mixture", &MixtureFixture::standard(10, config(&small)), &small);
    let absent = FibFixture::new_with_num_airs(0, 1, 16, 5).with_empty_air_indices([0, 3]);
    same_bytes("absent", &absent, &small);
}

#[test]
fn what_goes_wrong_is_an_error() {
    let params = default_test_params_small();
    let fixture = FibFixture::new(0, 1, 32);
    let engine = GpuEngine::new(params.clone());
    let (pk, vk) = fixture.keygen(&engine);
    let pk = engine.device().transport_pk_to_device(&pk);
    let ctx = || engine.device().transport_proving_ctx_to_device(&fixture.generate_proving_ctx());

    let elsewhere = GpuEngine::new(params.clone()).with_device("cpu");
    assert_eq!(elsewhere.try_prove(&pk, ctx()).unwrap_err().code, Code::InvalidArgument);
    let stop = std::sync::Arc::new(Stop::new().unwrap());
    stop.request();
    let stopped = GpuEngine::new(params.clone()).with_stop(stop);
    assert_eq!(stopped.try_prove(&pk, ctx()).unwrap_err().code, Code::Cancelled);
    let mut unsatisfied = FibFixture::new(0, 1, 32).generate_proving_ctx();
    unsatisfied.per_trace[0].1.public_values[2] += F::ONE;
    let unsatisfied = engine.device().transport_proving_ctx_to_device(&unsatisfied);
    assert_eq!(engine.try_prove(&pk, unsatisfied).unwrap_err().code, Code::Unsatisfied);

    // The engine goes on.
    let proof = engine.prove(&pk, ctx()).unwrap();
    engine.verify(&vk, &proof).unwrap();
}
