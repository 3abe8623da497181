//! Plonky3's keccak-f AIR with the backend's traits, and a trace of it.

use openvm_stark_backend::{
    PartitionedBaseAir,
    p3_air::{Air, AirBuilder, BaseAir, BaseAirWithPublicValues},
    p3_matrix::dense::RowMajorMatrix,
};
use openvm_stark_sdk::config::baby_bear_poseidon2::F;
use p3_keccak_air::KeccakAir;

pub const LOG_STACKED_HEIGHT: usize = 21;
const NUM_PERMUTATIONS: u64 = 1024;

pub struct Keccak(pub KeccakAir);

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

/// 1,024 permutations of states that are made up.
pub fn trace() -> RowMajorMatrix<F> {
    let word = |i: u64, j: usize| (25 * i + j as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let states = (0..NUM_PERMUTATIONS).map(|i| std::array::from_fn(|j| word(i, j))).collect();
    p3_keccak_air::generate_trace_rows::<F>(states, 0)
}
