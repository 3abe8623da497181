//! What whorl proves the traces of: the published backends, and their matrices.

use openvm_cpu_backend::CpuBackend;
use openvm_stark_backend::prover::ProverBackend;
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config, Digest, EF, F};

use crate::{
    Error,
    matrix::{Matrix, row_problem},
};

/// A published backend whose matrices whorl takes.
pub trait PublishedBackend: ProverBackend<Val = F, Challenge = EF, Commitment = Digest> {
    /// What a matrix is read with.
    type Place<'a>: Copy;

    /// Width and height; a matrix without columns has height 0.
    fn shape(matrix: &Self::Matrix) -> (usize, usize);

    /// What is wrong with a matrix that has not as many values as its shape says.
    fn shape_problem(_matrix: &Self::Matrix) -> Option<String> {
        None
    }

    /// The matrix as whorl's prover takes it.
    fn columns(matrix: &Self::Matrix, place: Self::Place<'_>) -> Result<Matrix, Error>;

    /// The matrix in the host's memory.
    fn host_columns(matrix: &Self::Matrix, place: Self::Place<'_>) -> Result<Matrix, Error>;
}

impl PublishedBackend for CpuBackend<BabyBearPoseidon2Config> {
    type Place<'a> = ();

    fn shape(matrix: &Self::Matrix) -> (usize, usize) {
        (matrix.width, matrix.values.len().checked_div(matrix.width).unwrap_or(0))
    }

    fn shape_problem(matrix: &Self::Matrix) -> Option<String> {
        row_problem(matrix)
    }

    fn columns(matrix: &Self::Matrix, (): ()) -> Result<Matrix, Error> {
        Matrix::from_rows(matrix)
    }

    fn host_columns(matrix: &Self::Matrix, (): ()) -> Result<Matrix, Error> {
        Matrix::from_rows(matrix)
    }
}
