//! A published proving context as whorl's traces, for proofs and for task folders.

use std::{
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use openvm_cpu_backend::CpuBackend;
use openvm_stark_backend::prover::{AirProvingContext, CommittedTraceData, DeviceMultiStarkProvingKey, ProvingContext};
use openvm_stark_sdk::config::baby_bear_poseidon2::BabyBearPoseidon2Config;

use crate::{
    Error,
    backend::PublishedBackend,
    key::Key,
    matrix::Matrix,
    prover::{Control, Prover},
    session::Session,
    task,
    traces::{Committed, Part, Traces},
};

type SC = BabyBearPoseidon2Config;

/// Writes the task into a folder of its own below `folder`: proofs of one process, and of several, do not meet.
pub(crate) fn dump<PB: PublishedBackend>(
    folder: &Path,
    key: &Key,
    pk: &DeviceMultiStarkProvingKey<PB>,
    ctx: &ProvingContext<PB>,
    place: PB::Place<'_>,
) -> Result<(), Error> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("openvm-{}-{:05}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder: PathBuf = folder.join(&name);
    task::save(&folder, &name, key, &host_traces(pk, ctx, place)?)?;
    tracing::info!(folder = %folder.display(), "wrote the task");
    Ok(())
}

/// Writes key and traces as a task folder (docs/formats.md), which `whorl prove`, `whorl check` and `whorl plan` take.
/// Fails where no prover takes the traces: nothing is written then.
pub fn export_task(
    folder: &Path,
    name: &str,
    pk: &DeviceMultiStarkProvingKey<CpuBackend<SC>>,
    ctx: &ProvingContext<CpuBackend<SC>>,
) -> Result<(), Error> {
    task::save(folder, name, &whorl_key(pk)?, &host_traces(pk, ctx, ())?)
}

/// The verifying key as whorl has it.
pub(crate) fn whorl_key<PB: PublishedBackend>(pk: &DeviceMultiStarkProvingKey<PB>) -> Result<Key, Error> {
    let names: Vec<_> = pk.per_air.iter().map(|air| air.air_name.replace('\0', " ")).collect();
    Key::from_published(&pk.get_vk::<SC>(), &names)
}

/// The traces as columns in the host's memory, none of them committed.
fn host_traces<PB: PublishedBackend>(
    pk: &DeviceMultiStarkProvingKey<PB>,
    ctx: &ProvingContext<PB>,
    place: PB::Place<'_>,
) -> Result<Traces, Error> {
    let mut traces = Traces::new()?;
    for (air_id, air) in &ctx.per_trace {
        let columns = |matrix: &PB::Matrix| PB::host_columns(matrix, place);
        add_trace(&mut traces, pk, *air_id, air, columns, |_, part, _| columns(&part.trace).map(Source::Columns))?;
    }
    Ok(traces)
}

/// A part of a trace as whorl takes it.
enum Source {
    Columns(Matrix),
    Committed(Arc<Committed>),
}

impl Source {
    fn part(&self) -> Part<'_> {
        match self {
            Self::Columns(matrix) => Part::Columns(matrix),
            Self::Committed(committed) => Part::Committed(committed),
        }
    }
}

/// Which part of a trace has a commitment of its own.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Of the key.
    Preprocessed,
    /// Of the trace.
    Cached,
}

/// The traces of a proof. Each matrix is given up once whorl has its columns.
pub(crate) fn session_traces<PB: PublishedBackend>(
    session: &Session,
    prover: &mut Prover,
    pk: &DeviceMultiStarkProvingKey<PB>,
    ctx: ProvingContext<PB>,
    place: PB::Place<'_>,
    control: &mut Control<'_>,
) -> Result<Traces, Error> {
    let mut traces = Traces::new()?;
    for (air_id, air) in ctx.per_trace {
        let columns = |matrix: &PB::Matrix| PB::columns(matrix, place);
        add_trace(&mut traces, pk, air_id, &air, columns, |kind, part, what| {
            session.committed(kind, prover, part, place, what, control).map(Source::Committed)
        })?;
    }
    Ok(traces)
}

/// Adds the trace of an AIR, unless it has no rows. `columns(matrix)` is the common main trace as whorl takes it, `source(kind, part, what)` a part
/// with a commitment; `what` names it.
fn add_trace<PB: PublishedBackend>(
    traces: &mut Traces,
    pk: &DeviceMultiStarkProvingKey<PB>,
    air_id: usize,
    air: &AirProvingContext<PB>,
    columns: impl Fn(&PB::Matrix) -> Result<Matrix, Error>,
    mut source: impl FnMut(Kind, &CommittedTraceData<PB>, &str) -> Result<Source, Error>,
) -> Result<(), Error> {
    let air_pk = pk.per_air.get(air_id).ok_or_else(|| {
        Error::invalid("prove", format!("expected an AIR below {}, found AIR {air_id}", pk.per_air.len()))
    })?;
    let name = format!("AIR {air_id} ({})", air_pk.air_name);
    if let Some(problem) = PB::shape_problem(&air.common_main) {
        return Err(Error::invalid("prove", format!("{name}: common main: {problem}")));
    }
    let (width, mut height) = PB::shape(&air.common_main);
    let heights = air.cached_mains.iter().map(|part| PB::shape(&part.trace).1);
    if width == 0 {
        height = heights.clone().next().unwrap_or(0);
    }
    if height == 0 {
        // An absent AIR has nothing that a proof could be about.
        if !air.public_values.is_empty() || heights.max().unwrap_or(0) != 0 {
            let message = format!("{name}: expected no public value and no cached row beside a trace without rows");
            return Err(Error::invalid("prove", message));
        }
        return Ok(());
    }
    let common_main = if width == 0 { Matrix::without_columns(height) } else { columns(&air.common_main) }
        .map_err(|error| Error { message: format!("{name}: common main: {}", error.message), ..error })?;
    let id = u32::try_from(air_id).map_err(|_| Error::invalid("prove", format!("{name}: no such AIR")))?;
    traces.add(id, &common_main)?;
    traces.set_public_values(&air.public_values)?;
    for (i, part) in air.cached_mains.iter().enumerate() {
        let source = source(Kind::Cached, part, &format!("{name}: cached part {i}"))?;
        traces.add_cached(source.part())?;
    }
    if let Some(part) = &air_pk.preprocessed_data {
        let source = source(Kind::Preprocessed, part, &format!("{name}: preprocessed columns"))?;
        traces.set_preprocessed(source.part())?;
    }
    Ok(())
}
