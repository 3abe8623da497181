//! Drawn AIRs: a random constraint system together with a way to fill traces that satisfy it.

use std::sync::Arc;

use openvm_stark_backend::{
    PartitionedBaseAir,
    air_builders::PartitionedAirBuilder,
    interaction::InteractionBuilder,
    p3_air::{Air, AirBuilderWithPublicValues, BaseAir, BaseAirWithPublicValues, PairBuilder},
    p3_field::PrimeCharacteristicRing,
    p3_matrix::{Matrix, dense::RowMajorMatrix},
};
use openvm_stark_sdk::config::baby_bear_poseidon2::F;
use rand::{Rng, rngs::StdRng, seq::SliceRandom};

use crate::expr::{self, Expr, Leaves, Rows, add, draw, draw_constant, local, mul, neg, next, sub};

/// How a column gets its values.
#[derive(Clone, Debug)]
enum Filling {
    Random,
    Small,
    Bit,
    /// Given from outside: the columns of a table that others look up.
    Given(usize),
    /// `init` in the first row, then `step` of the row before.
    State {
        init: Expr,
        step: Expr,
    },
    /// `value` of the same row; where `condition` is given and 0 there, anything.
    Derived {
        value: Expr,
        condition: Option<usize>,
    },
}

#[derive(Clone, Debug)]
pub struct Interaction {
    pub bus: u16,
    pub message: Vec<Expr>,
    pub count: Expr,
    pub count_weight: u32,
}

/// Where a column lies: cached parts first, the common main last, as in the constraint DAG.
#[derive(Clone, Copy, Debug)]
struct Place {
    part: usize,
    column: usize,
}

/// The structure of an AIR: everything but the numbers in its trace.
#[derive(Debug)]
pub struct Spec {
    fillings: Vec<Filling>,
    places: Vec<Place>,
    pub cached_widths: Vec<usize>,
    pub common_width: usize,
    pub prep_width: usize,
    pub num_public_values: usize,
    constraints: Vec<Expr>,
    pub interactions: Vec<Interaction>,
}

/// What the AIRs of one case have in common.
pub struct Limits {
    pub degree: usize,
    pub max_message_length: usize,
    /// More parts, columns, public values and fields of messages than usual, and fewer.
    pub is_at_edges: bool,
}

/// A message over a bus that another AIR is to receive.
pub struct Wanted {
    pub bus: u16,
    pub length: usize,
}

fn draw_weight(rng: &mut StdRng) -> u32 {
    rng.random_range(0..3)
}

/// `-x` in one of the ways people write it.
fn negated(rng: &mut StdRng, x: Expr) -> Expr {
    const NEG_ONE: u32 = 0x7800_0000;
    match rng.random_range(0..3) {
        0 => neg(x),
        1 => mul(Expr::Const(NEG_ONE), x),
        _ => sub(Expr::Const(0), x),
    }
}

/// Lists columns by the part they lie in; every part gets at least one.
fn draw_places(rng: &mut StdRng, num_columns: usize, is_at_edges: bool) -> (Vec<Place>, Vec<usize>) {
    let wanted_parts =
        1 + if is_at_edges { rng.random_range(0..5) } else { [0, 0, 0, 1, 1, 2, 3][rng.random_range(0..7)] };
    let num_parts = wanted_parts.min(num_columns);
    let mut parts: Vec<usize> = (0..num_columns)
        .map(|column| if column < num_parts { column } else { rng.random_range(0..num_parts) })
        .collect();
    parts.shuffle(rng);
    let mut widths = vec![0; num_parts];
    let places = parts
        .into_iter()
        .map(|part| {
            widths[part] += 1;
            Place { part, column: widths[part] - 1 }
        })
        .collect();
    (places, widths)
}

struct Drawing<'a> {
    rng: &'a mut StdRng,
    limits: &'a Limits,
    fillings: Vec<Filling>,
    constraints: Vec<Expr>,
    interactions: Vec<Interaction>,
    leaves: Leaves,
}

impl Drawing<'_> {
    fn size(&mut self) -> usize {
        self.rng.random_range(1..8)
    }

    fn draw_expr(&mut self, degree: usize) -> Expr {
        let size = self.size();
        draw(self.rng, &self.leaves, degree, size)
    }

    fn push_column(&mut self, filling: Filling) -> usize {
        self.fillings.push(filling);
        self.fillings.len() - 1
    }

    /// `x = y` as a constraint, written this way or that.
    fn equation(&mut self, x: Expr, y: Expr) -> Expr {
        match self.rng.random_range(0..4) {
            0 => sub(y, x),
            1 => add(x, neg(y)),
            _ => sub(x, y),
        }
    }

    fn free_columns(&mut self) {
        let count = match (self.limits.is_at_edges, self.rng.random_range(0..6)) {
            (true, 0) => 1,
            (true, 1) => self.rng.random_range(20..60),
            _ => self.rng.random_range(1..5),
        };
        for _ in 0..count {
            let filling = match self.rng.random_range(0..4) {
                0 => Filling::Small,
                1 if self.limits.degree > 1 => Filling::Bit,
                _ => Filling::Random,
            };
            let is_bit = matches!(filling, Filling::Bit);
            let column = self.push_column(filling);
            if is_bit {
                let x = local(column);
                self.constraints.push(mul(x.clone(), sub(x, Expr::Const(1))));
            }
        }
        for column in 0..self.fillings.len() {
            self.leaves.variables.push(local(column));
            if self.rng.random_bool(0.4) {
                self.leaves.variables.push(next(column));
            }
        }
    }

    fn prep_leaves(&mut self, prep_width: usize) {
        for column in 0..prep_width {
            self.leaves.variables.push(Expr::Prep { column, next: false });
            if self.rng.random_bool(0.4) {
                self.leaves.variables.push(Expr::Prep { column, next: true });
            }
        }
    }

    fn selector_leaves(&mut self) {
        for selector in [Expr::IsFirst, Expr::IsLast, Expr::IsTransition] {
            if self.rng.random_bool(0.3) {
                self.leaves.variables.push(selector);
            }
        }
    }

    fn state_columns(&mut self) {
        if self.limits.degree == 1 {
            return; // a selector times a column is of degree 2
        }
        for _ in 0..[0, 0, 1, 1, 2][self.rng.random_range(0..5)] {
            let init = if self.leaves.num_public_values > 0 {
                Expr::Public(self.rng.random_range(0..self.leaves.num_public_values))
            } else {
                draw_constant(self.rng)
            };
            let column = self.fillings.len();
            let step = match self.rng.random_bool(0.5) {
                true => add(local(column), self.draw_expr(self.limits.degree - 1)),
                false => self.draw_expr(self.limits.degree - 1),
            };
            let start = self.equation(local(column), init.clone());
            self.constraints.push(mul(Expr::IsFirst, start));
            let transition = self.equation(next(column), step.clone());
            self.constraints.push(mul(Expr::IsTransition, transition));
            self.push_column(Filling::State { init, step });
            self.leaves.variables.push(local(column));
        }
    }

    fn derived_columns(&mut self) {
        for _ in 0..self.rng.random_range(0..4) {
            let bits: Vec<usize> =
                (0..self.fillings.len()).filter(|&c| matches!(self.fillings[c], Filling::Bit)).collect();
            let column = self.fillings.len();
            let kind = if self.limits.degree == 1 { 3 } else { self.rng.random_range(0..4) };
            let (value, condition, constraint) = if kind == 0 && !bits.is_empty() {
                let bit = bits[self.rng.random_range(0..bits.len())];
                let value = self.draw_expr(self.limits.degree - 1);
                let equation = self.equation(local(column), value.clone());
                (value, Some(bit), mul(local(bit), equation))
            } else if kind == 1 {
                let value = self.draw_expr(self.limits.degree - 1);
                let equation = self.equation(local(column), value.clone());
                let factor = self.draw_expr(1);
                (value, None, mul(factor, equation))
            } else {
                let value = self.draw_expr(self.limits.degree);
                let equation = self.equation(local(column), value.clone());
                (value, None, equation)
            };
            self.constraints.push(constraint);
            self.push_column(Filling::Derived { value, condition });
            self.leaves.variables.push(local(column));
        }
    }

    /// Constraints that hold whatever the trace: commuted products, repetitions, the constant zero.
    fn tautologies(&mut self) {
        if self.rng.random_bool(0.4) {
            let degree = self.rng.random_range(0..=self.limits.degree);
            let (x, y) = (self.draw_expr(degree), self.draw_expr(self.limits.degree - degree));
            self.constraints.push(sub(mul(x.clone(), y.clone()), mul(y, x)));
        }
        if self.limits.is_at_edges && self.rng.random_bool(0.5) {
            let factors: Vec<Expr> = (0..self.limits.degree)
                .map(|_| self.leaves.variables[self.rng.random_range(0..self.leaves.variables.len())].clone())
                .collect();
            let product = |x: Vec<Expr>| x.into_iter().reduce(mul).expect("a degree is at least 1");
            self.constraints.push(sub(product(factors.clone()), product(factors.into_iter().rev().collect())));
        }
        if !self.constraints.is_empty() && self.rng.random_bool(0.2) {
            let again = self.constraints[self.rng.random_range(0..self.constraints.len())].clone();
            self.constraints.push(again);
        }
        if self.rng.random_bool(0.05) {
            self.constraints.push(Expr::Const(0));
        }
    }

    fn draw_message(&mut self, length: usize) -> Vec<Expr> {
        (0..length)
            .map(|_| {
                let degree = self.rng.random_range(0..=self.limits.degree);
                self.draw_expr(degree)
            })
            .collect()
    }

    /// Sends and receives within the AIR that cancel.
    fn own_interactions(&mut self, bus: u16) {
        let length = match (self.limits.is_at_edges, self.rng.random_range(0..4)) {
            (true, 0) => self.limits.max_message_length,
            (true, 1) => 1,
            _ => self.rng.random_range(1..=self.limits.max_message_length.min(6)),
        };
        let has_columns = !self.fillings.is_empty();
        if has_columns && self.rng.random_bool(0.3) {
            // Every row's values, and every next row's: the same multiset, as rows wrap around.
            let columns: Vec<usize> = (0..length).map(|_| self.rng.random_range(0..self.fillings.len())).collect();
            let count = draw_constant(self.rng);
            self.push_interaction(bus, columns.iter().map(|&c| local(c)).collect(), count.clone());
            self.push_interaction(bus, columns.iter().map(|&c| next(c)).collect(), neg(count));
        } else {
            let message = self.draw_message(length);
            let degree = self.rng.random_range(0..=self.limits.degree);
            let count = self.draw_expr(degree);
            // −1 · x as a product of a constant and x has the degree of x.
            let opposite = negated(self.rng, count.clone());
            self.push_interaction(bus, message.clone(), count);
            self.push_interaction(bus, message, opposite);
        }
    }

    fn push_interaction(&mut self, bus: u16, message: Vec<Expr>, count: Expr) {
        let count_weight = draw_weight(self.rng);
        self.interactions.push(Interaction { bus, message, count, count_weight });
    }

    fn degree(&self) -> usize {
        let in_interactions = self.interactions.iter().flat_map(|i| i.message.iter().chain([&i.count]));
        self.constraints.iter().chain(in_interactions).map(Expr::degree).max().unwrap_or(0)
    }

    fn finish(mut self, prep_width: usize) -> Spec {
        let is_empty = self.constraints.is_empty() && self.interactions.is_empty();
        // The published provers fail on interactions of an AIR of degree 0: `Spec::constant_interactions`.
        if is_empty || (!self.interactions.is_empty() && self.degree() == 0) {
            self.constraints.push(sub(local(0), local(0)));
        }
        if self.rng.random_bool(0.5) {
            self.interactions.shuffle(self.rng);
        }
        let (places, mut widths) = draw_places(self.rng, self.fillings.len(), self.limits.is_at_edges);
        let common_width = widths.pop().expect("there is at least one column");
        Spec {
            fillings: self.fillings,
            places,
            cached_widths: widths,
            common_width,
            prep_width,
            num_public_values: self.leaves.num_public_values,
            constraints: self.constraints,
            interactions: self.interactions,
        }
    }
}

fn draw_prep_width(rng: &mut StdRng) -> usize {
    if rng.random_bool(0.3) { rng.random_range(1..4) } else { 0 }
}

impl Spec {
    /// An AIR that keeps its own balance, but for the messages of `wanted`, which it sends with any count.
    pub fn draw(rng: &mut StdRng, limits: &Limits, own_buses: &[u16], wanted: &[Wanted]) -> Spec {
        let prep_width = draw_prep_width(rng);
        let num_public_values = match (limits.is_at_edges, rng.random_range(0..10)) {
            (true, 0) => rng.random_range(4..20),
            (_, 1..5) => rng.random_range(1..4),
            _ => 0,
        };
        let mut drawing = Drawing {
            rng,
            limits,
            fillings: vec![],
            constraints: vec![],
            interactions: vec![],
            leaves: Leaves { variables: vec![], num_public_values },
        };
        drawing.prep_leaves(prep_width);
        drawing.free_columns();
        drawing.selector_leaves();
        drawing.state_columns();
        drawing.derived_columns();
        drawing.tautologies();
        for &bus in own_buses {
            drawing.own_interactions(bus);
        }
        for &Wanted { bus, length } in wanted {
            let message = drawing.draw_message(length);
            let degree = drawing.rng.random_range(0..=limits.degree);
            let count = drawing.draw_expr(degree);
            drawing.push_interaction(bus, message, count);
        }
        drawing.finish(prep_width)
    }

    /// An AIR that receives the rows of a table, each as often as its last given column says.
    pub fn draw_table(rng: &mut StdRng, limits: &Limits, wanted: &Wanted) -> Spec {
        let prep_width = draw_prep_width(rng);
        let mut drawing = Drawing {
            rng,
            limits,
            fillings: (0..=wanted.length).map(Filling::Given).collect(),
            constraints: vec![],
            interactions: vec![],
            leaves: Leaves::default(),
        };
        drawing.prep_leaves(prep_width);
        drawing.leaves.variables.extend((0..=wanted.length).map(local));
        drawing.derived_columns();
        drawing.tautologies();
        let count = negated(drawing.rng, local(wanted.length));
        drawing.push_interaction(wanted.bus, (0..wanted.length).map(local).collect(), count);
        drawing.finish(prep_width)
    }

    /// An AIR whose messages and counts are all constant, without constraints: of degree 0. Key generation takes it, but
    /// the published provers make a proof of it that the published verifier rejects.
    pub fn constant_interactions() -> Spec {
        let interaction =
            |count: Expr| Interaction { bus: 3, message: vec![Expr::Const(7), Expr::Const(0)], count, count_weight: 1 };
        Spec {
            fillings: vec![Filling::Random],
            places: vec![Place { part: 0, column: 0 }],
            cached_widths: vec![],
            common_width: 1,
            prep_width: 0,
            num_public_values: 0,
            constraints: vec![],
            interactions: vec![interaction(Expr::Const(5)), interaction(neg(Expr::Const(5)))],
        }
    }

    /// Draws a trace that satisfies all constraints. `given` are the values of the given columns.
    pub fn fill(&self, rng: &mut StdRng, log_height: usize, given: &[Vec<F>]) -> Rows {
        let height = 1 << log_height;
        let mut rows = Rows {
            height,
            main: vec![vec![F::ZERO; height]; self.fillings.len()],
            prep: (0..self.prep_width).map(|_| random_column(rng, height)).collect(),
            public_values: (0..self.num_public_values).map(|_| random_value(rng)).collect(),
        };
        for (column, filling) in self.fillings.iter().enumerate() {
            match filling {
                Filling::Random => rows.main[column] = random_column(rng, height),
                Filling::Small => rows.main[column].fill_with(|| F::from_u32(rng.random_range(0..4))),
                Filling::Bit => rows.main[column].fill_with(|| F::from_bool(rng.random())),
                Filling::Given(index) => rows.main[column].clone_from(&given[*index]),
                Filling::State { .. } | Filling::Derived { .. } => {}
            }
        }
        for row in 0..height {
            for (column, filling) in self.fillings.iter().enumerate() {
                if let Filling::State { init, step } = filling {
                    rows.main[column][row] = if row == 0 { init.eval(&rows, 0) } else { step.eval(&rows, row - 1) };
                }
            }
        }
        for (column, filling) in self.fillings.iter().enumerate() {
            if let Filling::Derived { value, condition } = filling {
                for row in 0..height {
                    let is_free = condition.is_some_and(|bit| rows.main[bit][row] == F::ZERO);
                    rows.main[column][row] = if is_free { random_value(rng) } else { value.eval(&rows, row) };
                }
            }
        }
        rows
    }

    /// The columns of each part of `rows`: cached parts, then the common main.
    pub fn parts(&self, rows: &Rows) -> Vec<Vec<Vec<F>>> {
        let mut parts = vec![vec![]; self.cached_widths.len() + 1];
        for (place, column) in self.places.iter().zip(&rows.main) {
            debug_assert_eq!(parts[place.part].len(), place.column);
            parts[place.part].push(column.clone());
        }
        parts
    }
}

fn random_value(rng: &mut StdRng) -> F {
    F::from_u32(rng.random_range(0..0x7800_0001))
}

fn random_column(rng: &mut StdRng, height: usize) -> Vec<F> {
    (0..height).map(|_| random_value(rng)).collect()
}

/// A spec as the published crates want to see it.
pub struct DrawnAir {
    pub spec: Arc<Spec>,
    /// Column by column; empty without preprocessed columns.
    pub prep: Vec<Vec<F>>,
}

impl BaseAir<F> for DrawnAir {
    fn width(&self) -> usize {
        self.spec.fillings.len()
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        let height = self.prep.first()?.len();
        let values = (0..height).flat_map(|row| self.prep.iter().map(move |column| column[row])).collect();
        Some(RowMajorMatrix::new(values, self.prep.len()))
    }
}

impl BaseAirWithPublicValues<F> for DrawnAir {
    fn num_public_values(&self) -> usize {
        self.spec.num_public_values
    }
}

impl PartitionedBaseAir<F> for DrawnAir {
    fn cached_main_widths(&self) -> Vec<usize> {
        self.spec.cached_widths.clone()
    }

    fn common_main_width(&self) -> usize {
        self.spec.common_width
    }
}

/// The window a builder shows: per part the current row and the next.
struct Window<AB: AirBuilderWithPublicValues> {
    main: Vec<[Vec<AB::Var>; 2]>,
    prep: [Vec<AB::Var>; 2],
    public_values: Vec<AB::PublicVar>,
}

fn two_rows<T: Clone + Send + Sync>(matrix: &impl Matrix<T>) -> [Vec<T>; 2] {
    [0, 1].map(|row| matrix.row_slice(row).expect("a window has two rows").to_vec())
}

fn build<AB: AirBuilderWithPublicValues>(spec: &Spec, window: &Window<AB>, builder: &AB, expr: &Expr) -> AB::Expr {
    let go = |x: &Expr| build(spec, window, builder, x);
    match expr {
        Expr::Const(value) => AB::Expr::from_u32(*value),
        Expr::Main { column, next } => {
            let place = spec.places[*column];
            window.main[place.part][usize::from(*next)][place.column].clone().into()
        }
        Expr::Prep { column, next } => window.prep[usize::from(*next)][*column].clone().into(),
        Expr::Public(index) => window.public_values[*index].into(),
        Expr::IsFirst => builder.is_first_row(),
        Expr::IsLast => builder.is_last_row(),
        Expr::IsTransition => builder.is_transition(),
        Expr::Neg(x) => -go(x),
        Expr::Add(x, y) => go(x) + go(y),
        Expr::Sub(x, y) => go(x) - go(y),
        Expr::Mul(x, y) => go(x) * go(y),
    }
}

impl<AB> Air<AB> for DrawnAir
where
    AB: InteractionBuilder<F = F> + PartitionedAirBuilder + PairBuilder + AirBuilderWithPublicValues,
{
    fn eval(&self, builder: &mut AB) {
        let spec = &*self.spec;
        let mut main: Vec<_> = builder.cached_mains().iter().map(two_rows).collect();
        main.push(two_rows(builder.common_main()));
        let prep = if spec.prep_width > 0 { two_rows(&builder.preprocessed()) } else { [vec![], vec![]] };
        let window = Window::<AB> { main, prep, public_values: builder.public_values().to_vec() };
        for constraint in &spec.constraints {
            let constraint = build(spec, &window, builder, constraint);
            builder.assert_zero(constraint);
        }
        for Interaction { bus, message, count, count_weight } in &spec.interactions {
            let message: Vec<AB::Expr> = message.iter().map(|m| build(spec, &window, builder, m)).collect();
            let count = build(spec, &window, builder, count);
            builder.push_interaction(*bus, message, count, *count_weight);
        }
    }
}

/// The first constraint and row at which `rows` do not satisfy `spec`: the drawing would be at fault.
pub fn first_violation(spec: &Spec, rows: &Rows) -> Option<(usize, usize)> {
    let constraints = spec.constraints.iter().enumerate();
    constraints
        .flat_map(|(index, constraint)| (0..rows.height).map(move |row| (index, constraint, row)))
        .find(|(_, constraint, row)| expr::Expr::eval(constraint, rows, *row) != F::ZERO)
        .map(|(index, _, row)| (index, row))
}
