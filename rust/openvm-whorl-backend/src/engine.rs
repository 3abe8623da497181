//! The engine, and the tasks that it writes.

use std::{
    cell::RefCell,
    env,
    marker::PhantomData,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use openvm_cpu_backend::{CpuBackend, CpuDevice, CpuProverError};
use openvm_stark_backend::{
    FiatShamirTranscript, StarkEngine, SystemParams,
    codec::Decode,
    proof::Proof as PublishedProof,
    prover::{
        AirProvingContext, CommittedTraceData, Coordinator, DeviceMultiStarkProvingKey, ProvingContext,
        error::{LogupZerocheckError, WhirProverError},
    },
};
use openvm_stark_sdk::{
    config::baby_bear_poseidon2::{BabyBearPoseidon2Config, CpuTranscript, F},
    p3_baby_bear::{Poseidon2BabyBear, default_babybear_poseidon2_16},
};
use tracing::{info_span, span::EnteredSpan};

use crate::{
    Error,
    error::Code,
    key::{Key, Proof},
    matrix::Matrix,
    prover::{Control, Prover, ProverOptions, Stop},
    session::Session,
    task,
    traces::{Committed, Part, Traces},
};

type SC = BabyBearPoseidon2Config;
type PB = CpuBackend<SC>;

/// Told how far a proof is (0 to 1) and the stage; false ends the proof.
pub type EngineProgress = Arc<dyn Fn(f64, &str) -> bool + Send + Sync>;

thread_local! {
    static LAST_ERROR: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Why the last [`StarkEngine::prove`] of [`BabyBearPoseidon2WhorlEngine`] on this thread failed; none where it did not.
///
/// The trait's error is that of the published CPU device, whose variants have fixed texts. `prove` answers with
/// `LogupZerocheck(NonZeroRootSum)` where the traces break a constraint or leave a bus unbalanced and with `Whir(FinalPolyNone)` for
/// all else; the reason is here, in the log (`tracing`, level error), and in [`BabyBearPoseidon2WhorlEngine::try_prove`]'s result.
pub fn last_error() -> Option<Error> {
    LAST_ERROR.with_borrow(Clone::clone)
}

/// Proves with whorl, in place of `BabyBearPoseidon2CpuEngine`: the same types, so that chips, builders and keys stay as they are, and
/// the same proofs. A proof is one call into whorl ([`StarkEngine::prove`]); work by stages, through
/// [`StarkEngine::prover`] and [`StarkEngine::device`], is the published CPU device's.
///
/// Making an engine is cheap: keys, provers and committed parts belong to the process ([`clear_cache`](crate::clear_cache)). Engines
/// and threads may prove at once.
pub struct BabyBearPoseidon2WhorlEngine<TS = CpuTranscript> {
    device: CpuDevice<SC>,
    options: ProverOptions,
    /// What the environment has wrong.
    environment: Option<Error>,
    stop: Option<Arc<Stop>>,
    progress: Option<EngineProgress>,
    memory_limit_bytes: u64,
    _transcript: PhantomData<TS>,
}

/// The options that WHORL_DEVICE and WHORL_THREADS ask for, as `read` reads them. An empty value is none.
fn options_of(read: impl Fn(&str) -> Result<String, env::VarError>) -> Result<ProverOptions, Error> {
    let read = |name: &str| match read(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::invalid("engine", format!("{name} is not text"))),
    };
    let mut options = ProverOptions::default();
    if let Some(device) = read("WHORL_DEVICE")? {
        options.device = device;
    }
    if let Some(threads) = read("WHORL_THREADS")? {
        options.num_threads = threads
            .parse()
            .map_err(|_| Error::invalid("engine", format!("WHORL_THREADS: expected a number, found {threads}")))?;
    }
    Ok(options)
}

impl<TS> BabyBearPoseidon2WhorlEngine<TS> {
    /// On this device: `cpu`, `sim` (the simulated GPU), `cuda`, `metal`, as `--device` of the program. Before it counts WHORL_DEVICE.
    pub fn with_device(mut self, device: impl Into<String>) -> Self {
        self.options.device = device.into();
        self
    }

    /// With so many threads; 0: one per core. Before it counts WHORL_THREADS.
    pub fn with_threads(mut self, num_threads: u32) -> Self {
        self.options.num_threads = num_threads;
        self
    }

    /// Whether each proof is verified before it is returned, which takes milliseconds; it is, unless this says otherwise. Without it, traces
    /// that break a constraint or leave a bus unbalanced give a proof that is rejected.
    pub fn with_verification(mut self, is_verifying: bool) -> Self {
        self.options.is_verifying = is_verifying;
        self
    }

    /// Proofs end with [`Code::Cancelled`] once it is requested.
    pub fn with_stop(mut self, stop: Arc<Stop>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Called on the proving thread, some dozen times in a proof.
    pub fn with_progress(mut self, progress: impl Fn(f64, &str) -> bool + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// The most that a proof may take of the device's memory; 0: what there is.
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit_bytes = bytes;
        self
    }

    /// The options that proofs are made with.
    pub fn options(&self) -> &ProverOptions {
        &self.options
    }

    /// [`StarkEngine::prove`] with whorl's error.
    ///
    /// An AIR whose trace has no rows is absent, as one that `ctx` does not list.
    pub fn try_prove(
        &self,
        pk: &DeviceMultiStarkProvingKey<PB>,
        ctx: ProvingContext<PB>,
    ) -> Result<PublishedProof<SC>, Error> {
        if let Some(error) = &self.environment {
            return Err(error.clone());
        }
        if pk.params != *self.device.params() {
            return Err(Error::invalid("prove", "the parameters of the proving key are not those of the engine"));
        }
        let session = Session::of(pk, &self.options)?;
        let mut spans = StageSpans::default();
        let mut listen = |fraction: f64, stage: &str| {
            spans.reach(stage);
            self.progress.as_deref().is_none_or(|progress| progress(fraction, stage))
        };
        let mut control = Control {
            stop: self.stop.as_deref(),
            progress: Some(&mut listen),
            memory_limit_bytes: self.memory_limit_bytes,
        };
        let proof = session.with_prover(|prover| {
            let traces = session_traces(&session, prover, pk, ctx, &mut control)?;
            if let Some(folder) = env::var_os("WHORL_DUMP_TASKS").filter(|folder| !folder.is_empty()) {
                dump(Path::new(&folder), &session.key, &traces)?;
            }
            prover.prove(&traces, &mut control)
        })?;
        proof.to_published()
    }
}

/// What the coordinator has spans of: each is one or two of whorl's stages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Commitment,
    Constraints,
    Openings,
}

/// The spans of a proof's stages under their published names, opened as whorl comes to them. Dropping it closes the last one.
#[derive(Default)]
struct StageSpans {
    open: Option<(Stage, EnteredSpan)>,
}

impl StageSpans {
    fn reach(&mut self, stage: &str) {
        let stage = match stage {
            "prover.main_trace_commit" => Stage::Commitment,
            "logup_gkr" | "batch_constraints" => Stage::Constraints,
            "stacked_reduction" | "whir" => Stage::Openings,
            _ => return,
        };
        if self.open.as_ref().is_some_and(|(open, _)| *open == stage) {
            return;
        }
        // One ends before the next begins.
        self.open = None;
        let span = match stage {
            Stage::Commitment => info_span!("prover.main_trace_commit", phase = "prover"),
            Stage::Constraints => info_span!("prover.rap_constraints", phase = "prover"),
            Stage::Openings => info_span!("prover.openings", phase = "prover"),
        };
        self.open = Some((stage, span.entered()));
    }
}

impl Proof {
    /// The proof in the published type.
    pub fn to_published(&self) -> Result<PublishedProof<SC>, Error> {
        let bytes = self.encode()?;
        PublishedProof::decode_from_bytes(&bytes).map_err(|error| {
            Error::new(Code::Internal, "prove", format!("the published codec does not read whorl's proof: {error}"))
        })
    }
}

/// Writes the task into a folder of its own below `folder`: proofs of one process, and of several, do not meet.
fn dump(folder: &Path, key: &Key, traces: &Traces) -> Result<(), Error> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("openvm-{}-{:05}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder: PathBuf = folder.join(&name);
    task::save(&folder, &name, key, traces)?;
    tracing::info!(folder = %folder.display(), "wrote the task");
    Ok(())
}

/// Writes key and traces as a task folder (docs/formats.md), which `whorl prove`, `whorl check` and `whorl plan` take.
/// Fails where no prover takes the traces: nothing is written then.
pub fn export_task(
    folder: &Path,
    name: &str,
    pk: &DeviceMultiStarkProvingKey<PB>,
    ctx: &ProvingContext<PB>,
) -> Result<(), Error> {
    let names: Vec<_> = pk.per_air.iter().map(|air| air.air_name.replace('\0', " ")).collect();
    let key = Key::from_published(&pk.get_vk(), &names)?;
    let mut traces = Traces::new()?;
    for (air_id, air) in &ctx.per_trace {
        add_trace(&mut traces, pk, *air_id, air, |_, part, _| Matrix::from_rows(&part.trace).map(Source::Columns))?;
    }
    task::save(folder, name, &key, &traces)
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

#[derive(Clone, Copy)]
enum Kind {
    Preprocessed,
    Cached,
}

/// The traces of a proof. Each matrix of rows is freed once it is transposed.
fn session_traces(
    session: &Session,
    prover: &mut Prover,
    pk: &DeviceMultiStarkProvingKey<PB>,
    ctx: ProvingContext<PB>,
    control: &mut Control<'_>,
) -> Result<Traces, Error> {
    let mut traces = Traces::new()?;
    for (air_id, air) in ctx.per_trace {
        add_trace(&mut traces, pk, air_id, &air, |kind, part, what| {
            let committed = match kind {
                Kind::Preprocessed => session.preprocessed(prover, part, what, control),
                Kind::Cached => session.cached(prover, part, what, control),
            };
            committed.map(Source::Committed)
        })?;
    }
    Ok(traces)
}

/// Rows of a matrix; one without columns has none.
fn num_rows(width: usize, values: &[F]) -> usize {
    values.len().checked_div(width).unwrap_or(0)
}

/// Adds the trace of an AIR, unless it has no rows. `source(kind, part, what)` is a part as whorl takes it; `what` names it.
fn add_trace(
    traces: &mut Traces,
    pk: &DeviceMultiStarkProvingKey<PB>,
    air_id: usize,
    air: &AirProvingContext<PB>,
    mut source: impl FnMut(Kind, &CommittedTraceData<PB>, &str) -> Result<Source, Error>,
) -> Result<(), Error> {
    let air_pk = pk.per_air.get(air_id).ok_or_else(|| {
        Error::invalid("prove", format!("expected an AIR below {}, found AIR {air_id}", pk.per_air.len()))
    })?;
    let name = format!("AIR {air_id} ({})", air_pk.air_name);
    let main = &air.common_main;
    let heights = air.cached_mains.iter().map(|part| num_rows(part.trace.width, &part.trace.values));
    let mut height = num_rows(main.width, &main.values);
    if main.width == 0 {
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
    let common_main = if main.width == 0 { Matrix::without_columns(height) } else { Matrix::from_rows(main) }
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

/// The published error that is nearest; [`last_error`] says why it is no nearer.
fn published_error(error: &Error) -> CpuProverError {
    match error.code {
        Code::Unsatisfied => LogupZerocheckError::NonZeroRootSum.into(),
        _ => WhirProverError::FinalPolyNone.into(),
    }
}

impl<TS> StarkEngine for BabyBearPoseidon2WhorlEngine<TS>
where
    TS: FiatShamirTranscript<SC> + From<Poseidon2BabyBear<16>>,
{
    type SC = SC;
    type PB = PB;
    type PD = CpuDevice<SC>;
    type TS = TS;

    /// Device and threads are those of WHORL_DEVICE and WHORL_THREADS, or else the CPU with one thread per core. What is wrong with them is
    /// an error of `prove`.
    fn new(params: SystemParams) -> Self {
        let options = options_of(|name| env::var(name));
        Self {
            device: CpuDevice::new(BabyBearPoseidon2Config::default_from_params(params)),
            environment: options.as_ref().err().cloned(),
            options: options.unwrap_or_default(),
            stop: None,
            progress: None,
            memory_limit_bytes: 0,
            _transcript: PhantomData,
        }
    }

    fn config(&self) -> &SC {
        self.device.config()
    }

    fn device(&self) -> &Self::PD {
        &self.device
    }

    fn initial_transcript(&self) -> TS {
        TS::from(default_babybear_poseidon2_16())
    }

    /// The published CPU prover, which goes on from `transcript` stage by stage.
    fn prover_from_transcript(&self, transcript: TS) -> Coordinator<SC, PB, CpuDevice<SC>, TS> {
        Coordinator::new(CpuBackend::new(), self.device.clone(), transcript)
    }

    /// As [`BabyBearPoseidon2WhorlEngine::try_prove`]; [`last_error`] has the reason of an error.
    #[tracing::instrument(name = "stark_prove_excluding_trace", level = "info", skip_all, fields(phase = "prover"))]
    fn prove(
        &self,
        pk: &DeviceMultiStarkProvingKey<PB>,
        ctx: ProvingContext<PB>,
    ) -> Result<PublishedProof<SC>, CpuProverError> {
        let result = self.try_prove(pk, ctx);
        LAST_ERROR.set(result.as_ref().err().cloned());
        match result {
            Ok(proof) => {
                #[cfg(feature = "metrics")]
                openvm_stark_backend::prover::metrics::trace_metrics::<SC, _>(pk, &proof.trace_vdata).emit();
                Ok(proof)
            }
            Err(error) => {
                tracing::error!(%error, "whorl made no proof");
                Err(published_error(&error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses_device_and_threads() {
        let with = |device: Option<&str>, threads: Option<&str>| {
            options_of(|name| {
                let value = if name == "WHORL_DEVICE" { device } else { threads };
                value.map(String::from).ok_or(env::VarError::NotPresent)
            })
        };
        assert_eq!(with(None, None).unwrap(), ProverOptions::default());
        assert_eq!(with(Some(""), Some("")).unwrap(), ProverOptions::default());
        let chosen = with(Some("cuda:1"), Some("12")).unwrap();
        assert_eq!((chosen.device.as_str(), chosen.num_threads), ("cuda:1", 12));
        let error = with(None, Some("many")).unwrap_err();
        assert_eq!(error.to_string(), "invalid argument: engine: WHORL_THREADS: expected a number, found many");
        let error = options_of(|_| Err(env::VarError::NotUnicode("x".into()))).unwrap_err();
        assert_eq!(error.message, "WHORL_DEVICE is not text");
    }
}
