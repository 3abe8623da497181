//! The engine.

use std::{cell::RefCell, env, marker::PhantomData, path::Path, sync::Arc};

use openvm_cpu_backend::{CpuBackend, CpuDevice, CpuProverError};
use openvm_stark_backend::{
    FiatShamirTranscript, StarkEngine, SystemParams,
    codec::Decode,
    proof::Proof as PublishedProof,
    prover::{
        Coordinator, DeviceMultiStarkProvingKey, ProvingContext,
        error::{LogupZerocheckError, WhirProverError},
    },
};
use openvm_stark_sdk::{
    config::baby_bear_poseidon2::{BabyBearPoseidon2Config, CpuTranscript},
    p3_baby_bear::{Poseidon2BabyBear, default_babybear_poseidon2_16},
};
use tracing::{info_span, span::EnteredSpan};

use crate::{
    Error,
    backend::PublishedBackend,
    context::{dump, session_traces},
    error::Code,
    key::Proof,
    prover::{Control, ProverOptions, Stop},
    session::Session,
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
pub type BabyBearPoseidon2WhorlEngine<TS = CpuTranscript> = WhorlEngine<CpuDevice<SC>, TS>;

/// An engine with the types of a published device, that proves with whorl: [`BabyBearPoseidon2WhorlEngine`].
pub struct WhorlEngine<PD, TS> {
    pub(crate) device: PD,
    options: ProverOptions,
    /// What the environment has wrong.
    environment: Option<Error>,
    stop: Option<Arc<Stop>>,
    progress: Option<EngineProgress>,
    memory_limit_bytes: u64,
    _transcript: PhantomData<TS>,
}

/// `options`, but for what WHORL_DEVICE and WHORL_THREADS ask for, as `read` reads them. An empty value is none.
fn options_of(
    mut options: ProverOptions,
    read: impl Fn(&str) -> Result<String, env::VarError>,
) -> Result<ProverOptions, Error> {
    let read = |name: &str| match read(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Error::invalid("engine", format!("{name} is not text"))),
    };
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

impl<PD, TS> WhorlEngine<PD, TS> {
    /// As the environment asks, or else with `options`.
    pub(crate) fn with_options(device: PD, options: ProverOptions) -> Self {
        let options = options_of(options, |name| env::var(name));
        Self {
            device,
            environment: options.as_ref().err().cloned(),
            options: options.unwrap_or_default(),
            stop: None,
            progress: None,
            memory_limit_bytes: 0,
            _transcript: PhantomData,
        }
    }

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

    pub(crate) fn prove_in<PB: PublishedBackend>(
        &self,
        params: &SystemParams,
        pk: &DeviceMultiStarkProvingKey<PB>,
        ctx: ProvingContext<PB>,
        place: PB::Place<'_>,
    ) -> Result<PublishedProof<SC>, Error> {
        if let Some(error) = &self.environment {
            return Err(error.clone());
        }
        if pk.params != *params {
            return Err(Error::invalid("prove", "the parameters of the proving key are not those of the engine"));
        }
        let session = Session::of(pk, &self.options)?;
        let mut spans = StageSpans::default();
        let mut listen = |fraction: f64, stage: &str| {
            spans.reach(fraction, stage);
            self.progress.as_deref().is_none_or(|progress| progress(fraction, stage))
        };
        let mut control = Control {
            stop: self.stop.as_deref(),
            progress: Some(&mut listen),
            memory_limit_bytes: self.memory_limit_bytes,
        };
        let proof = session.with_prover(|prover| {
            if let Some(folder) = env::var_os("WHORL_DUMP_TASKS").filter(|folder| !folder.is_empty()) {
                dump(Path::new(&folder), &session.key, pk, &ctx, place)?;
            }
            let traces = session_traces(&session, prover, pk, ctx, place, &mut control)?;
            prover.prove(&traces, &mut control)
        })?;
        proof.to_published()
    }
}

impl<TS> BabyBearPoseidon2WhorlEngine<TS> {
    /// [`StarkEngine::prove`] with whorl's error.
    ///
    /// An AIR whose trace has no rows is absent, as one that `ctx` does not list.
    pub fn try_prove(
        &self,
        pk: &DeviceMultiStarkProvingKey<PB>,
        ctx: ProvingContext<PB>,
    ) -> Result<PublishedProof<SC>, Error> {
        self.prove_in(self.device.params(), pk, ctx, ())
    }
}

/// What [`StarkEngine::prove`] answers; what it has no words for is kept for [`last_error`].
pub(crate) fn published<PB: PublishedBackend, E>(
    _pk: &DeviceMultiStarkProvingKey<PB>,
    result: Result<PublishedProof<SC>, Error>,
    published_error: impl FnOnce(&Error) -> E,
) -> Result<PublishedProof<SC>, E> {
    LAST_ERROR.set(result.as_ref().err().cloned());
    match result {
        Ok(proof) => {
            #[cfg(feature = "metrics")]
            openvm_stark_backend::prover::metrics::trace_metrics::<SC, _>(_pk, &proof.trace_vdata).emit();
            Ok(proof)
        }
        Err(error) => {
            tracing::error!(%error, "whorl made no proof");
            Err(published_error(&error))
        }
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
    fn reach(&mut self, fraction: f64, stage: &str) {
        // Verification follows, which is no part of the last stage.
        if fraction >= 1.0 {
            self.open = None;
            return;
        }
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
        let device = CpuDevice::new(BabyBearPoseidon2Config::default_from_params(params));
        Self::with_options(device, ProverOptions::default())
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
        published(pk, self.try_prove(pk, ctx), published_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses_device_and_threads() {
        let with = |device: Option<&str>, threads: Option<&str>| {
            options_of(ProverOptions::default(), |name| {
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
        let error = options_of(ProverOptions::default(), |_| Err(env::VarError::NotUnicode("x".into()))).unwrap_err();
        assert_eq!(error.message, "WHORL_DEVICE is not text");
    }
}
