//! keccakf and the LogUp benchmark, as AIRs and traces of the published crates.

use std::{fs, path::Path, sync::Arc};

use openvm_stark_backend::{
    AirRef, PartitionedBaseAir,
    p3_air::{Air, AirBuilder, BaseAir, BaseAirWithPublicValues},
    p3_matrix::dense::RowMajorMatrix,
    test_utils::SelfInteractionFixture,
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config as Config, F};
use p3_keccak_air::KeccakAir;

use crate::Failure;

pub const LOG_STACKED_HEIGHT: usize = 21;
pub const LOGUP_LOG_HEIGHT: usize = 17;
const LOGUP_WIDTHS: [usize; 6] = [4, 7, 8, 8, 10, 100];
const LOGUP_BUS: u16 = 4;

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

pub fn keccak_airs() -> Vec<AirRef<Config>> {
    vec![Arc::new(Keccak(KeccakAir {}))]
}

/// The trace of the permutations in `inputs`: 25 u64 each, little endian.
pub fn keccak_trace(inputs: &Path) -> Result<RowMajorMatrix<F>, Failure> {
    let bytes = fs::read(inputs)?;
    let words: Vec<u64> = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    let states: Vec<[u64; 25]> = words.chunks_exact(25).map(|state| state.try_into().unwrap()).collect();
    Ok(p3_keccak_air::generate_trace_rows::<F>(states, 0))
}

/// Six self-interaction AIRs of 2^log_height rows on one bus.
pub fn logup_fixture(log_height: usize) -> SelfInteractionFixture {
    SelfInteractionFixture { widths: LOGUP_WIDTHS.to_vec(), log_height, bus_index: LOGUP_BUS }
}
