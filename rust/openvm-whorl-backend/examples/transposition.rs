//! How long it takes to make whorl's columns of the published rows: `cargo run --release --example transposition`.
//!
//! Prints a line per shape: the best of some runs, by turns with the published conversion, and the rate.

use std::time::{Duration, Instant};

use openvm_stark_backend::{
    p3_field::PrimeCharacteristicRing, p3_matrix::dense::RowMajorMatrix, prover::ColMajorMatrix,
};
use openvm_stark_sdk::config::baby_bear_poseidon2::F;
use openvm_whorl_backend::Matrix;

/// Width and log2 of the height: keccak-f's trace, and others of its size.
const SHAPES: [(usize, usize); 4] = [(2633, 15), (300, 18), (50, 20), (8, 23)];
const RUNS: usize = 5;

fn timed<T>(best: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = work();
    *best = (*best).min(start.elapsed());
    made
}

fn main() -> Result<(), openvm_whorl_backend::Error> {
    for (width, log_height) in SHAPES {
        let len = width << log_height;
        let rows = RowMajorMatrix::new((0..len).map(F::from_usize).collect(), width);
        let (mut ours, mut published) = (Duration::MAX, Duration::MAX);
        for _ in 0..RUNS {
            let matrix = timed(&mut ours, || Matrix::from_rows(&rows))?;
            assert_eq!(matrix.width(), width);
            drop(matrix);
            let columns = timed(&mut published, || ColMajorMatrix::from_row_major(&rows));
            assert_eq!(columns.values.len(), len);
        }
        let gigabytes = (4 * len) as f64 / 1e9;
        println!(
            "{width} x 2^{log_height}: {:.1} ms ({:.2} GB/s); the published conversion {:.1} ms ({:.2} GB/s)",
            ours.as_secs_f64() * 1e3,
            gigabytes / ours.as_secs_f64(),
            published.as_secs_f64() * 1e3,
            gigabytes / published.as_secs_f64()
        );
    }
    Ok(())
}
