//! Expressions over one row and the next of a drawn AIR.

use std::sync::Arc;

use openvm_stark_backend::p3_field::PrimeCharacteristicRing;
use openvm_stark_sdk::config::baby_bear_poseidon2::F;
use rand::{Rng, rngs::StdRng};

#[derive(Clone, Debug)]
pub enum Expr {
    Const(u32),
    /// A column by its number within the AIR, whatever part it lies in.
    Main {
        column: usize,
        next: bool,
    },
    Prep {
        column: usize,
        next: bool,
    },
    Public(usize),
    IsFirst,
    IsLast,
    IsTransition,
    Neg(Arc<Expr>),
    Add(Arc<Expr>, Arc<Expr>),
    Sub(Arc<Expr>, Arc<Expr>),
    Mul(Arc<Expr>, Arc<Expr>),
}

pub fn add(x: Expr, y: Expr) -> Expr {
    Expr::Add(Arc::new(x), Arc::new(y))
}

pub fn sub(x: Expr, y: Expr) -> Expr {
    Expr::Sub(Arc::new(x), Arc::new(y))
}

pub fn mul(x: Expr, y: Expr) -> Expr {
    Expr::Mul(Arc::new(x), Arc::new(y))
}

pub fn neg(x: Expr) -> Expr {
    Expr::Neg(Arc::new(x))
}

pub fn local(column: usize) -> Expr {
    Expr::Main { column, next: false }
}

pub fn next(column: usize) -> Expr {
    Expr::Main { column, next: true }
}

/// The columns of one AIR's trace; all have the same height.
#[derive(Clone, Debug)]
pub struct Rows {
    pub height: usize,
    pub main: Vec<Vec<F>>,
    pub prep: Vec<Vec<F>>,
    pub public_values: Vec<F>,
}

impl Expr {
    /// The degree as key generation counts it: on the expression as written.
    pub fn degree(&self) -> usize {
        match self {
            Expr::Const(_) | Expr::Public(_) => 0,
            Expr::Main { .. } | Expr::Prep { .. } | Expr::IsFirst | Expr::IsLast | Expr::IsTransition => 1,
            Expr::Neg(x) => x.degree(),
            Expr::Add(x, y) | Expr::Sub(x, y) => x.degree().max(y.degree()),
            Expr::Mul(x, y) => x.degree() + y.degree(),
        }
    }

    pub fn eval(&self, rows: &Rows, row: usize) -> F {
        let at = |next: bool| if next { (row + 1) % rows.height } else { row };
        let is_last = row + 1 == rows.height;
        match self {
            Expr::Const(value) => F::from_u32(*value),
            Expr::Main { column, next } => rows.main[*column][at(*next)],
            Expr::Prep { column, next } => rows.prep[*column][at(*next)],
            Expr::Public(index) => rows.public_values[*index],
            Expr::IsFirst => F::from_bool(row == 0),
            Expr::IsLast => F::from_bool(is_last),
            Expr::IsTransition => F::from_bool(!is_last),
            Expr::Neg(x) => -x.eval(rows, row),
            Expr::Add(x, y) => x.eval(rows, row) + y.eval(rows, row),
            Expr::Sub(x, y) => x.eval(rows, row) - y.eval(rows, row),
            Expr::Mul(x, y) => x.eval(rows, row) * y.eval(rows, row),
        }
    }
}

/// What a random expression may mention.
#[derive(Clone, Default)]
pub struct Leaves {
    /// Of degree 1.
    pub variables: Vec<Expr>,
    pub num_public_values: usize,
}

pub fn draw_constant(rng: &mut StdRng) -> Expr {
    const P: u32 = 0x7800_0001;
    Expr::Const(match rng.random_range(0..6) {
        0 => 0,
        1 => 1,
        2 => P - 1,
        3 => 2,
        _ => rng.random_range(0..P),
    })
}

fn draw_leaf(rng: &mut StdRng, leaves: &Leaves, degree: usize) -> Expr {
    if degree > 0 && !leaves.variables.is_empty() && rng.random_bool(0.85) {
        leaves.variables[rng.random_range(0..leaves.variables.len())].clone()
    } else if leaves.num_public_values > 0 && rng.random_bool(0.5) {
        Expr::Public(rng.random_range(0..leaves.num_public_values))
    } else {
        draw_constant(rng)
    }
}

/// A random expression of at most `degree`, with about `size` leaves.
pub fn draw(rng: &mut StdRng, leaves: &Leaves, degree: usize, size: usize) -> Expr {
    if size <= 1 {
        return draw_leaf(rng, leaves, degree);
    }
    let left_size = rng.random_range(1..size);
    let right_size = size - left_size;
    match rng.random_range(0..7) {
        0 | 1 => add(draw(rng, leaves, degree, left_size), draw(rng, leaves, degree, right_size)),
        2 | 3 => sub(draw(rng, leaves, degree, left_size), draw(rng, leaves, degree, right_size)),
        4 => neg(draw(rng, leaves, degree, size - 1)),
        _ => {
            let left_degree = rng.random_range(0..=degree);
            mul(draw(rng, leaves, left_degree, left_size), draw(rng, leaves, degree - left_degree, right_size))
        }
    }
}
