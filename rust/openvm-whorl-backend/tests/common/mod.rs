//! What the tests share: circuits of the published crates, and the published proofs of them.
#![allow(dead_code)]

use openvm_stark_backend::{
    FiatShamirTranscript, StarkEngine, SystemParams,
    codec::Encode,
    keygen::types::MultiStarkVerifyingKey,
    p3_field::{PrimeCharacteristicRing, PrimeField32},
    proof::Proof,
    prover::{DeviceDataTransporter, DeviceMultiStarkProvingKey, ProvingContext},
    test_utils::{TestFixture, default_test_params_small},
};
use openvm_stark_sdk::{
    config::baby_bear_poseidon2::{
        BabyBearPoseidon2Config, BabyBearPoseidon2CpuEngine, CpuTranscript, Digest, DuplexSponge, F,
    },
    openvm_cpu_backend::CpuBackend,
    p3_baby_bear::Poseidon2BabyBear,
};
use openvm_whorl_backend::BabyBearPoseidon2WhorlEngine;

pub type SC = BabyBearPoseidon2Config;
pub type PB = CpuBackend<SC>;
pub type Engine = BabyBearPoseidon2WhorlEngine<CpuTranscript>;
pub type PublishedEngine = BabyBearPoseidon2CpuEngine<SmallestWitness>;

/// The published transcript, but for the search of a proof-of-work witness, which goes upward from 0. The published one takes the first
/// that any thread finds.
#[derive(Clone)]
pub struct SmallestWitness(DuplexSponge);

impl From<Poseidon2BabyBear<16>> for SmallestWitness {
    fn from(permutation: Poseidon2BabyBear<16>) -> Self {
        Self(permutation.into())
    }
}

impl FiatShamirTranscript<SC> for SmallestWitness {
    fn observe(&mut self, value: F) {
        FiatShamirTranscript::<SC>::observe(&mut self.0, value);
    }

    fn sample(&mut self) -> F {
        FiatShamirTranscript::<SC>::sample(&mut self.0)
    }

    fn observe_commit(&mut self, digest: Digest) {
        FiatShamirTranscript::<SC>::observe_commit(&mut self.0, digest);
    }

    fn grind(&mut self, bits: usize) -> F {
        if bits == 0 {
            return F::ZERO;
        }
        let passes = |w: &F| FiatShamirTranscript::<SC>::check_witness(&mut self.0.clone(), bits, *w);
        let witness = (0..F::ORDER_U32).map(F::from_u32).find(passes).expect("some witness passes");
        assert!(FiatShamirTranscript::<SC>::check_witness(&mut self.0, bits, witness));
        witness
    }
}

pub fn engine(params: SystemParams, device: &str) -> Engine {
    Engine::new(params).with_device(device).with_threads(2)
}

pub fn small_engine(device: &str) -> Engine {
    engine(default_test_params_small(), device)
}

/// A circuit with its key on the device.
pub struct Circuit {
    pub pk: DeviceMultiStarkProvingKey<PB>,
    pub vk: MultiStarkVerifyingKey<SC>,
}

pub fn circuit(fixture: &impl TestFixture<SC>, params: SystemParams) -> Circuit {
    let engine = PublishedEngine::new(params);
    let (pk, vk) = fixture.keygen(&engine);
    Circuit { pk: engine.device().transport_pk_to_device(&pk), vk }
}

/// Traces of the circuit on the device.
pub fn context(fixture: &impl TestFixture<SC>, params: SystemParams) -> ProvingContext<PB> {
    let engine = PublishedEngine::new(params);
    engine.device().transport_proving_ctx_to_device(&fixture.generate_proving_ctx())
}

pub fn published_proof(pk: &DeviceMultiStarkProvingKey<PB>, ctx: ProvingContext<PB>) -> Proof<SC> {
    PublishedEngine::new(pk.params.clone()).prove(pk, ctx).expect("the published engine proves")
}

pub fn bytes(proof: &Proof<SC>) -> Vec<u8> {
    proof.encode_to_vec().expect("a proof is encoded")
}
