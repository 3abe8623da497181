//! Columns of field elements in whorl's order, made from the published crates' rows.

use std::{any::Any, mem::MaybeUninit, sync::Arc};

use openvm_stark_backend::{
    p3_field::PrimeCharacteristicRing, p3_matrix::dense::RowMajorMatrix, p3_maybe_rayon::prelude::*,
};
use openvm_stark_sdk::config::baby_bear_poseidon2::F;

use crate::{Error, ffi, handle::Handle};

// BabyBear is a transparent wrapper of its Montgomery word, the form that whorl_matrix_borrow takes.
const _: () = assert!(size_of::<F>() == size_of::<u32>() && align_of::<F>() == align_of::<u32>());

/// What holds the elements that a matrix is made of, for as long as whorl may look at them.
pub(crate) type Words = Arc<dyn Any + Send + Sync>;

/// A matrix in whorl's order, column after column. It keeps the elements that it was made of.
pub struct Matrix {
    pub(crate) handle: Handle<ffi::whorl_matrix>,
    pub(crate) words: Words,
}

// SAFETY: no call takes a matrix by a pointer to non-const; such handles may be used by several threads at once (whorl.h).
unsafe impl Send for Matrix {}
// SAFETY: as above.
unsafe impl Sync for Matrix {}

/// Why the values are not whole rows.
pub(crate) fn row_problem(matrix: &RowMajorMatrix<F>) -> Option<String> {
    let (width, count) = (matrix.width, matrix.values.len());
    let is_whole = if width == 0 { count == 0 } else { count.is_multiple_of(width) };
    (!is_whole).then(|| format!("expected rows of {width} elements, found {count} elements"))
}

impl Matrix {
    /// Of `width` columns of `height` elements each, column after column. Nothing is copied.
    /// Fails where the elements are not `width * height`.
    pub fn from_columns(values: Vec<F>, width: usize, height: usize) -> Result<Self, Error> {
        if width.checked_mul(height) != Some(values.len()) {
            let message = format!("expected {width} columns of {height} elements, found {} elements", values.len());
            return Err(Error::invalid("matrix", message));
        }
        let values = Arc::new(values);
        // SAFETY: the words are in Montgomery form and below the modulus, as every F is. They stay where they are, unchanged, as
        // long as this matrix and all that it is put into, which keep `words` too.
        let handle = unsafe {
            Handle::made(ffi::whorl_matrix_free, |matrix, error| {
                ffi::whorl_matrix_borrow(values.as_ptr().cast(), width, height, matrix, error)
            })
        };
        Ok(Self { handle: handle?, words: values })
    }

    /// Of the rows of `matrix`, which are transposed. Fails where the rows are not of one length.
    pub fn from_rows(matrix: &RowMajorMatrix<F>) -> Result<Self, Error> {
        let (width, values) = (matrix.width, &matrix.values);
        if let Some(problem) = row_problem(matrix) {
            return Err(Error::invalid("matrix", problem));
        }
        let height = values.len().checked_div(width).unwrap_or(0);
        let columns = if width <= 1 || height <= 1 { values.clone() } else { transposed(values, width) };
        Self::from_columns(columns, width, height)
    }

    /// Of columns in the memory of the GPU that provers work on, column after column. Nothing is copied; `owner` keeps the memory.
    ///
    /// # Safety
    /// `words` are `width * height` elements in memory of that GPU, written by work that `stream` has been given, and nothing changes them
    /// before `owner` goes. `stream` is a stream of that GPU.
    #[cfg(feature = "cuda")]
    pub(crate) unsafe fn on_device(
        words: *const F,
        width: usize,
        height: usize,
        stream: *mut std::ffi::c_void,
        owner: Words,
    ) -> Result<Self, Error> {
        // SAFETY: the caller's promise; the words are in Montgomery form, as every F is, and stay as long as this matrix and all that it is
        // put into, which keep `owner` too.
        let handle = unsafe {
            Handle::made(ffi::whorl_matrix_free, |matrix, error| {
                ffi::whorl_matrix_on_device(words.cast(), width, height, stream, matrix, error)
            })
        };
        Ok(Self { handle: handle?, words: owner })
    }

    /// Rows without elements, for an AIR whose columns are all cached.
    pub fn without_columns(height: usize) -> Result<Self, Error> {
        Self::from_columns(Vec::new(), 0, height)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        // SAFETY: the handle is valid.
        unsafe { ffi::whorl_matrix_width(self.handle.as_ptr()) }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        // SAFETY: the handle is valid.
        unsafe { ffi::whorl_matrix_height(self.handle.as_ptr()) }
    }
}

/// Columns of a tile: one cache line of a row.
const TILE_COLUMNS: usize = 16;
/// Rows of a tile, which lies in the first-level cache before its columns are written, 1 KiB at a time: columns of 2^k rows share a cache
/// set, so that elements written to their columns at once push each other out. One thread of a Xeon with AVX-512, small pages, CPU
/// time (2026-11-29): 1213 ms in place of 1545 for 2633 x 2^15, 359 in place of 505 for 50 x 2^20, but 523 in place of 344 for 8 x 2^23.
const TILE_ROWS: usize = 256;
/// Columns of a task, so that short and wide matrices have several.
const TASK_COLUMNS: usize = 16 * TILE_COLUMNS;

/// Where tasks write disjoint elements of one vector.
#[derive(Clone, Copy)]
struct Target(*mut F);
// SAFETY: each task writes elements of its own, and the vector outlives them all.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    /// # Safety
    /// The elements from `index` on are within the vector's capacity and no other task writes them.
    unsafe fn write(self, index: usize, values: &[F]) {
        // SAFETY: the caller's promise; the vector is not where `values` are.
        unsafe { values.as_ptr().copy_to_nonoverlapping(self.0.add(index), values.len()) }
    }
}

/// Asks for huge pages where the memory is to be written for the first time: faults of small ones take longer than the transposition
/// (measured as above: 336 ms in place of 1213 for 2633 x 2^15, 167 in place of 359 for 50 x 2^20, 406 in place of 523 for 8 x 2^23).
#[cfg(target_os = "linux")]
fn use_huge_pages(memory: &mut [MaybeUninit<F>]) {
    const PAGE_BYTES: usize = 4096;
    let range = memory.as_mut_ptr_range();
    let start = range.start.addr().next_multiple_of(PAGE_BYTES);
    let end = range.end.addr() & !(PAGE_BYTES - 1);
    if start < end {
        let first = range.start.cast::<u8>().wrapping_add(start - range.start.addr());
        // SAFETY: whole pages within memory of ours; the advice does not change what is in them.
        unsafe { libc::madvise(first.cast(), end - start, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn use_huge_pages(_: &mut [MaybeUninit<F>]) {}

/// The columns of a matrix of rows: out[c * height + r] = values[r * width + c]. Tasks are carried out in parallel.
fn transposed(values: &[F], width: usize) -> Vec<F> {
    let height = values.len() / width;
    let mut columns: Vec<F> = Vec::with_capacity(values.len());
    let spare = columns.spare_capacity_mut();
    use_huge_pages(spare);
    let target = Target(spare.as_mut_ptr().cast());
    let (tasks_down, tasks_across) = (height.div_ceil(TILE_ROWS), width.div_ceil(TASK_COLUMNS));
    (0..tasks_down * tasks_across).into_par_iter().for_each(|task| {
        let (first_row, first_column) = (task / tasks_across * TILE_ROWS, task % tasks_across * TASK_COLUMNS);
        let num_rows = TILE_ROWS.min(height - first_row);
        let end_column = width.min(first_column + TASK_COLUMNS);
        let mut tile = [F::ZERO; TILE_COLUMNS * TILE_ROWS];
        for tile_column in (first_column..end_column).step_by(TILE_COLUMNS) {
            let num_columns = TILE_COLUMNS.min(end_column - tile_column);
            for row in 0..num_rows {
                let start = (first_row + row) * width + tile_column;
                for (i, &value) in values[start..start + num_columns].iter().enumerate() {
                    tile[i * TILE_ROWS + row] = value;
                }
            }
            for (i, column) in tile.chunks_exact(TILE_ROWS).take(num_columns).enumerate() {
                // SAFETY: (tile_column + i) < width and first_row + num_rows <= height; tasks do not overlap.
                unsafe { target.write((tile_column + i) * height + first_row, &column[..num_rows]) };
            }
        }
    });
    // SAFETY: the tasks cover every element.
    unsafe { columns.set_len(values.len()) };
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_finds_its_place() {
        for (width, height) in [
            (1, 1),
            (2, 2),
            (3, 5),
            (15, 511),
            (16, 512),
            (17, 513),
            (33, 2048),
            (255, 255),
            (257, 300),
            (300, 4),
            (2, 4096),
        ] {
            let values: Vec<F> = (0..width * height).map(F::from_usize).collect();
            let columns = transposed(&values, width);
            assert_eq!(columns.len(), values.len());
            for row in 0..height {
                for column in 0..width {
                    assert_eq!(columns[column * height + row], values[row * width + column], "{width} x {height}");
                }
            }
        }
    }

    #[test]
    fn elements_are_montgomery_words() {
        let one = [F::ONE];
        // SAFETY: F is a transparent wrapper of a u32.
        let word = unsafe { *one.as_ptr().cast::<u32>() };
        assert_eq!(u64::from(word), (1u64 << 32) % 2_013_265_921);
    }

    #[test]
    fn shapes_are_kept() {
        let matrix = Matrix::from_rows(&RowMajorMatrix::new(F::zero_vec(24), 3)).unwrap();
        assert_eq!((matrix.width(), matrix.height()), (3, 8));
        let without = Matrix::without_columns(8).unwrap();
        assert_eq!((without.width(), without.height()), (0, 8));
        let error = Matrix::from_columns(F::zero_vec(7), 3, 2).err().unwrap();
        assert_eq!(error.message, "expected 3 columns of 2 elements, found 7 elements");
        let mut ragged = RowMajorMatrix::new(F::zero_vec(6), 3);
        ragged.values.push(F::ONE);
        assert!(Matrix::from_rows(&ragged).is_err());
    }
}
