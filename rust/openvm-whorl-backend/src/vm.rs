//! Programs of OpenVM's VM: run, cut into segments, proved and aggregated, every proof by whorl.
//!
//! openvm-sdk takes any engine for the proofs of segments ([`Sdk`]), but its aggregation prover has the engine of a cargo feature.
//! [`Aggregator`] drives the generic provers of openvm-continuations instead, and what it makes is what
//! `openvm_verify_stark_host::verify_vm_stark_proof_decoded` and [`Sdk`]`::verify_proof` accept.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use openvm_circuit::{
    arch::{
        ContinuationVmProof, PreflightExecutionOutput, PreflightExecutor, Streams, VirtualMachine, VmBuilder,
        VmExecutionConfig, VmInstance, execution_mode::Segment, hasher::poseidon2::vm_poseidon2_hasher,
        instructions::exe::VmExe,
    },
    system::{
        memory::{
            merkle::public_values::{UserPublicValuesProof, extract_public_values},
            online::GuestMemory,
        },
        program::trace::compute_exe_commit_from_mem_config,
    },
};
use openvm_continuations::{
    circuit::inner::{InnerTraceGen, InnerTraceGenImpl, ProofsType},
    prover::{ChildVkKind, InnerAggregationProver},
};
use openvm_recursion_circuit::system::{VerifierSubCircuit, VerifierTraceGen};
use openvm_sdk::{
    GenericSdk, StdIn,
    config::{
        AggregationSystemParams, AggregationTreeConfig, AppConfig, MAX_NUM_CHILDREN_INTERNAL, MAX_NUM_CHILDREN_LEAF,
    },
    keygen::{AppProvingKey, AppVerifyingKey},
    prover::verify_app_proof,
};
use openvm_sdk_config::{SdkVmConfig, SdkVmCpuBuilder, TranspilerConfig};
use openvm_stark_backend::{
    EngineDeviceCtx, StarkEngine, SystemParams,
    codec::Decode,
    keygen::types::MultiStarkVerifyingKey,
    p3_field::PrimeField32,
    proof::Proof as PublishedProof,
    prover::{DeviceDataTransporter, DeviceMultiStarkProvingKey, ProverBackend, ProverDevice, ProvingContext},
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{
    BabyBearPoseidon2Config, BabyBearPoseidon2CpuEngine, CpuTranscript, DIGEST_SIZE, Digest, DuplexSponge, EF, F,
};
use openvm_transpiler::{FromElf, elf::Elf, openvm_platform::memory::MEM_SIZE};
use openvm_verify_stark_host::{
    VmStarkProof, verify_vm_stark_proof_decoded,
    vk::{VerificationBaseline, VmStarkVerifyingKey},
};

use crate::{BabyBearPoseidon2WhorlEngine, Code, Error, context::export_task};

type SC = BabyBearPoseidon2Config;
type PublishedEngine = BabyBearPoseidon2CpuEngine<DuplexSponge>;

/// The engine that proves segments and aggregates.
pub type Engine = BabyBearPoseidon2WhorlEngine<CpuTranscript>;
/// OpenVM's SDK with whorl's engine for the proofs of segments. The engines that it makes are those of WHORL_DEVICE and WHORL_THREADS.
pub type Sdk = GenericSdk<Engine, SdkVmCpuBuilder>;
/// Makes the engines of a prover: where the device, the threads and the stop of all its proofs are chosen.
pub type MakeEngine<E = Engine> = Arc<dyn Fn(SystemParams) -> E + Send + Sync>;

/// An engine that programs are proved with: whorl's, and the published ones beside them, for comparison.
pub trait ProgramEngine: StarkEngine<SC = SC> + Sized {
    /// Makes the chips of the VM, with traces for this engine.
    type Builder: VmBuilder<Self, VmConfig = SdkVmConfig> + Default;

    /// [`StarkEngine::prove`], with whorl's error where whorl proves.
    fn prove_context(
        &self,
        pk: &DeviceMultiStarkProvingKey<Self::PB>,
        ctx: ProvingContext<Self::PB>,
    ) -> Result<PublishedProof<SC>, Error> {
        self.prove(pk, ctx).map_err(|error| Error::new(Code::Internal, "prove", format!("{error:?}")))
    }
}

impl ProgramEngine for Engine {
    type Builder = SdkVmCpuBuilder;

    fn prove_context(
        &self,
        pk: &DeviceMultiStarkProvingKey<Self::PB>,
        ctx: ProvingContext<Self::PB>,
    ) -> Result<PublishedProof<SC>, Error> {
        self.try_prove(pk, ctx)
    }
}

impl ProgramEngine for BabyBearPoseidon2CpuEngine<CpuTranscript> {
    type Builder = SdkVmCpuBuilder;
}

#[cfg(feature = "cuda")]
mod gpu {
    use openvm_circuit::arch::{AirInventory, ChipInventoryError, DenseRecordArena, VmBuilder, VmChipComplex};
    use openvm_circuit::system::cuda::SystemChipInventoryGPU;
    use openvm_cuda_backend::{BabyBearPoseidon2GpuEngine, GpuBackend};
    use openvm_cuda_common::stream::GpuDeviceCtx;
    use openvm_sdk_config::{SdkVmConfig, SdkVmGpuBuilder};
    use openvm_stark_backend::{
        proof::Proof,
        prover::{DeviceMultiStarkProvingKey, ProvingContext},
    };

    use super::{ProgramEngine, SC};
    use crate::{BabyBearPoseidon2WhorlGpuEngine, Error};

    /// [`SdkVmGpuBuilder`] for whorl's engine, which has the same types as the one that it is for.
    #[derive(Clone, Copy, Default)]
    pub struct WhorlVmGpuBuilder;

    impl VmBuilder<BabyBearPoseidon2WhorlGpuEngine> for WhorlVmGpuBuilder {
        type VmConfig = SdkVmConfig;
        type SystemChipInventory = SystemChipInventoryGPU;
        type RecordArena = DenseRecordArena;

        fn create_chip_complex(
            &self,
            config: &SdkVmConfig,
            circuit: AirInventory<SC>,
            device_ctx: &GpuDeviceCtx,
        ) -> Result<VmChipComplex<SC, DenseRecordArena, GpuBackend, SystemChipInventoryGPU>, ChipInventoryError>
        {
            VmBuilder::<BabyBearPoseidon2GpuEngine>::create_chip_complex(&SdkVmGpuBuilder, config, circuit, device_ctx)
        }
    }

    impl ProgramEngine for BabyBearPoseidon2WhorlGpuEngine {
        type Builder = WhorlVmGpuBuilder;

        fn prove_context(
            &self,
            pk: &DeviceMultiStarkProvingKey<GpuBackend>,
            ctx: ProvingContext<GpuBackend>,
        ) -> Result<Proof<SC>, Error> {
            self.try_prove(pk, ctx)
        }
    }

    impl ProgramEngine for BabyBearPoseidon2GpuEngine {
        type Builder = SdkVmGpuBuilder;
    }
}
#[cfg(feature = "cuda")]
pub use gpu::WhorlVmGpuBuilder;

/// What a proof is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A segment of the program.
    Segment,
    /// Proofs of segments.
    Leaf,
    /// Proofs of leaves.
    InternalForLeaf,
    /// Proofs of internal nodes; layers count from 0.
    InternalRecursive(u32),
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment => f.write_str("segment"),
            Self::Leaf => f.write_str("leaf"),
            Self::InternalForLeaf => f.write_str("internal for leaf"),
            Self::InternalRecursive(layer) => write!(f, "internal, layer {layer}"),
        }
    }
}

/// Told to a listener while a program is proved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The program has run, and was cut into segments.
    Ran {
        /// Segments.
        num_segments: usize,
        /// Instructions of all segments.
        num_instructions: u64,
        /// How long that took.
        time: Duration,
    },
    /// A proof is made.
    Proved {
        /// What it is of.
        layer: Layer,
        /// Its place in the layer, from 0.
        index: usize,
        /// Proofs of the layer.
        count: usize,
        /// Instructions of the segment; 0 of other layers.
        num_instructions: u64,
        /// Running the segment, and making the traces.
        trace_time: Duration,
        /// From the traces to the proof.
        prove_time: Duration,
    },
    /// A segment is a task folder.
    Exported {
        /// Its place, from 0.
        index: usize,
        /// Segments.
        count: usize,
        /// Instructions of the segment.
        num_instructions: u64,
        /// Running the segment, and making the traces.
        trace_time: Duration,
    },
}

/// Reads an ELF file of a program: RISC-V, 32 bits, statically linked, for the instructions of `config`.
pub fn read_program(elf: &[u8], config: &SdkVmConfig) -> Result<Arc<VmExe<F>>, Error> {
    let memory = u32::try_from(MEM_SIZE).expect("OpenVM's memory has 32-bit addresses");
    let elf = Elf::decode(elf, memory).map_err(|error| Error::new(Code::BadFormat, "elf", error.to_string()))?;
    // OpenVM's code panics on some operands.
    let exe = catch_unwind(AssertUnwindSafe(|| VmExe::from_elf(elf, config.transpiler())));
    let exe = exe.map_err(|panic| Error::new(Code::BadFormat, "elf", panic_text(&*panic)))?;
    let exe = exe.map_err(|error| Error::new(Code::BadFormat, "elf", error.to_string()))?;
    // OpenVM's interpreter ends the process where there is none.
    if exe.program.num_defined_instructions() == 0 {
        return Err(Error::new(
            Code::BadFormat,
            "elf",
            "expected a program, found no instruction in executable segments",
        ));
    }
    Ok(Arc::new(exe))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").into()
}

fn vm_error(stage: &str, error: impl fmt::Display) -> Error {
    Error::invalid(stage, error.to_string())
}

/// The bytes that a program made public. Fails where one is none, which no run of the VM gives.
pub fn public_values(values: &UserPublicValuesProof<DIGEST_SIZE, F>) -> Result<Vec<u8>, Error> {
    let values = values.public_values.iter().map(|value| u8::try_from(value.as_canonical_u32()));
    values.collect::<Result<_, _>>().map_err(|error| Error::new(Code::Internal, "public values", error.to_string()))
}

/// Proves the segments of a program.
pub struct SegmentProver<E: ProgramEngine = Engine> {
    instance: VmInstance<E, E::Builder>,
    vk: AppVerifyingKey,
}

impl<E: ProgramEngine> SegmentProver<E>
where
    <SdkVmConfig as VmExecutionConfig<F>>::Executor: PreflightExecutor<F, <E::Builder as VmBuilder<E>>::RecordArena>,
{
    /// Makes the VM's key and commits to the program.
    pub fn new(
        config: &AppConfig<SdkVmConfig>,
        exe: Arc<VmExe<F>>,
        make_engine: &MakeEngine<E>,
    ) -> Result<Self, Error> {
        let pk = AppProvingKey::keygen(config.clone()).map_err(|error| vm_error("keygen", error))?;
        Self::with_key(&pk, exe, make_engine)
    }

    /// With a key that is there.
    pub fn with_key(
        pk: &AppProvingKey<SdkVmConfig>,
        exe: Arc<VmExe<F>>,
        make_engine: &MakeEngine<E>,
    ) -> Result<Self, Error> {
        let vm_pk = &pk.app_vm_pk;
        let engine = make_engine(vm_pk.get_params());
        let device_pk = engine.device().transport_pk_to_device(&vm_pk.vm_pk);
        let vm = VirtualMachine::new(engine, E::Builder::default(), vm_pk.vm_config.clone(), device_pk)
            .map_err(|error| vm_error("vm", error))?;
        let program = vm.commit_program_on_device(&exe.program);
        let instance = VmInstance::new(vm, exe, program).map_err(|error| vm_error("vm", error))?;
        Ok(Self { instance, vk: pk.get_app_vk() })
    }

    /// The key that proofs of segments are verified with.
    pub fn verifying_key(&self) -> &AppVerifyingKey {
        &self.vk
    }

    /// Runs the program and cuts it into segments, without a proof: the segments, and the public values.
    pub fn run(&self, input: StdIn<F>) -> Result<(Vec<Segment>, Vec<u8>), Error> {
        let vm = &self.instance.vm;
        let exe = self.instance.exe();
        let interpreter = vm.metered_interpreter(exe).map_err(|error| vm_error("run", error))?;
        let context = vm.build_metered_ctx(exe);
        // OpenVM's code panics where a program does what the VM cannot do.
        let run = catch_unwind(AssertUnwindSafe(|| interpreter.execute_metered(input, context)));
        let run =
            run.map_err(|panic| vm_error("run", format!("the program cannot be run: {}", panic_text(&*panic))))?;
        let (segments, state) = run.map_err(|error| match error.to_string() {
            text if text.contains("EndOfInputStream") => {
                vm_error("run", format!("{text}: it reads more inputs than it is given"))
            }
            text => vm_error("run", text),
        })?;
        let values = extract_public_values(self.vk.num_user_pvs, &state.memory.memory);
        Ok((segments, values))
    }

    /// Proves the run of the program with this input, segment by segment. Fails where the program does: an exit code that is not 0,
    /// an address outside of memory, an instruction that the VM does not have.
    pub fn prove(&mut self, input: StdIn<F>, listen: &mut dyn FnMut(Event)) -> Result<ContinuationVmProof<SC>, Error> {
        self.prove_by(input, listen, |engine, pk, context, _| engine.prove_context(pk, context))
    }

    /// The same with proofs that were made elsewhere, of the tasks that [`SegmentProver::export_segments`] writes: `proof_of` has the published
    /// encoding of the proof of a segment, by its number. That they are right is for [`SegmentProver::verify`] to say.
    pub fn collect(
        &mut self,
        input: StdIn<F>,
        mut proof_of: impl FnMut(usize) -> Result<Vec<u8>, Error>,
        listen: &mut dyn FnMut(Event),
    ) -> Result<ContinuationVmProof<SC>, Error> {
        self.prove_by(input, listen, |_, _, _, index| {
            PublishedProof::decode_from_bytes(&proof_of(index)?)
                .map_err(|error| Error::new(Code::BadFormat, "segment proof", format!("segment {index}: {error}")))
        })
    }

    fn prove_by(
        &mut self,
        input: StdIn<F>,
        listen: &mut dyn FnMut(Event),
        mut prove: impl FnMut(
            &E,
            &DeviceMultiStarkProvingKey<E::PB>,
            ProvingContext<E::PB>,
            usize,
        ) -> Result<PublishedProof<SC>, Error>,
    ) -> Result<ContinuationVmProof<SC>, Error> {
        let mut proofs = Vec::new();
        let state = self.for_each_segment(input, listen, |engine, pk, context, segment, listen| {
            let start = Instant::now();
            proofs.push(prove(engine, pk, context, segment.index)?);
            listen(Event::Proved {
                layer: Layer::Segment,
                index: segment.index,
                count: segment.count,
                num_instructions: segment.num_instructions,
                trace_time: segment.trace_time,
                prove_time: start.elapsed(),
            });
            Ok(())
        })?;
        let top_tree = self
            .instance
            .vm
            .memory_top_tree()
            .ok_or_else(|| Error::new(Code::Internal, "prove", "the VM has no tree of its memory after a proof"))?;
        let user_public_values = UserPublicValuesProof::compute(
            self.vk.memory_dimensions,
            self.vk.num_user_pvs,
            &vm_poseidon2_hasher(),
            &state.memory,
            top_tree,
        );
        Ok(ContinuationVmProof { per_segment: proofs, user_public_values })
    }

    /// Runs the program in its segments and calls `work` with the traces of each. Returns the memory in the end.
    fn for_each_segment(
        &mut self,
        input: StdIn<F>,
        listen: &mut dyn FnMut(Event),
        mut work: impl FnMut(
            &E,
            &DeviceMultiStarkProvingKey<E::PB>,
            ProvingContext<E::PB>,
            &RunSegment,
            &mut dyn FnMut(Event),
        ) -> Result<(), Error>,
    ) -> Result<GuestMemory, Error> {
        let start = Instant::now();
        let (segments, _) = self.run(input.clone())?;
        listen(Event::Ran {
            num_segments: segments.len(),
            num_instructions: segments.iter().map(|segment| segment.num_insns).sum(),
            time: start.elapsed(),
        });

        let exe = Arc::clone(self.instance.exe());
        let VmInstance { vm, interpreter, .. } = &mut self.instance;
        let mut state = vm.create_initial_state(&exe, Streams::from(input));
        let count = segments.len();
        for (index, segment) in segments.into_iter().enumerate() {
            let start = Instant::now();
            vm.transport_init_memory_to_device(&state.memory);
            let PreflightExecutionOutput { system_records, record_arenas, to_state } = vm
                .execute_preflight(interpreter, state, Some(segment.num_insns), &segment.trace_heights)
                .map_err(|error| vm_error("run", error))?;
            state = to_state;
            let context =
                vm.generate_proving_ctx(system_records, record_arenas).map_err(|error| vm_error("traces", error))?;
            let segment = RunSegment { index, count, num_instructions: segment.num_insns, trace_time: start.elapsed() };
            work(&vm.engine, vm.pk(), context, &segment, listen)?;
        }
        Ok(state.memory)
    }

    /// Verifies the proofs of all segments, and that they follow one another, with the published verifier.
    pub fn verify(&self, proof: &ContinuationVmProof<SC>) -> Result<(), Error> {
        verify_app_proof::<PublishedEngine>(&self.vk, proof)
            .map(|_| ())
            .map_err(|error| Error::new(Code::Rejected, "verify", error.to_string()))
    }
}

impl SegmentProver {
    /// Runs the program and writes each segment as a task folder (docs/formats.md) in `folder`, segment-0000 and so on, without a proof:
    /// for the command line, other machines, or a cluster. Returns the folders.
    pub fn export_segments(
        &mut self,
        input: StdIn<F>,
        folder: &Path,
        listen: &mut dyn FnMut(Event),
    ) -> Result<Vec<PathBuf>, Error> {
        let mut folders = Vec::new();
        self.for_each_segment(input, listen, |_, pk, context, segment, listen| {
            let name = segment_name(segment.index);
            let place = folder.join(&name);
            export_task(&place, &name, pk, &context)?;
            listen(Event::Exported {
                index: segment.index,
                count: segment.count,
                num_instructions: segment.num_instructions,
                trace_time: segment.trace_time,
            });
            folders.push(place);
            Ok(())
        })?;
        Ok(folders)
    }
}

/// The name of a segment's task folder: "segment-0000".
pub fn segment_name(index: usize) -> String {
    format!("segment-{index:04}")
}

/// A segment whose traces are there.
struct RunSegment {
    index: usize,
    count: usize,
    num_instructions: u64,
    trace_time: Duration,
}

/// A prover of one layer of the tree, with its key on the device.
struct LayerProver<E: ProgramEngine, const MAX_CHILDREN: usize>
where
    E::PB: ProverBackend<Val = F, Challenge = EF, Commitment = Digest>,
{
    prover: InnerAggregationProver<E::PB, VerifierSubCircuit<MAX_CHILDREN>, InnerTraceGenImpl>,
    pk: DeviceMultiStarkProvingKey<E::PB>,
    engine: E,
}

impl<E: ProgramEngine, const MAX_CHILDREN: usize> LayerProver<E, MAX_CHILDREN>
where
    E::PB: ProverBackend<Val = F, Challenge = EF, Commitment = Digest>,
    <E::PB as ProverBackend>::Matrix: Clone,
    VerifierSubCircuit<MAX_CHILDREN>: VerifierTraceGen<E::PB, SC, EngineDeviceCtx<E>>,
    InnerTraceGenImpl: InnerTraceGen<E::PB, EngineDeviceCtx<E>>,
{
    fn new(
        child_vk: Arc<MultiStarkVerifyingKey<SC>>,
        params: &SystemParams,
        is_self_recursive: bool,
        make_engine: &MakeEngine<E>,
    ) -> Self {
        let prover = InnerAggregationProver::new::<E>(child_vk, params.clone(), is_self_recursive, None);
        let engine = make_engine(params.clone());
        let pk = engine.device().transport_pk_to_device(&prover.get_pk());
        Self { prover, pk, engine }
    }

    /// One proof for each `num_children` proofs.
    fn prove_layer(
        &self,
        proofs: &[PublishedProof<SC>],
        num_children: usize,
        kind: ChildVkKind,
        layer: Layer,
        listen: &mut dyn FnMut(Event),
    ) -> Result<Vec<PublishedProof<SC>>, Error> {
        let chunks = proofs.chunks(num_children);
        let count = chunks.len();
        let mut made = Vec::with_capacity(count);
        for (index, children) in chunks.enumerate() {
            let start = Instant::now();
            let device_ctx = ProverDevice::<E::PB, E::TS>::device_ctx(self.engine.device());
            let context = self.prover.generate_proving_ctx(children, kind, ProofsType::Vm, None, device_ctx);
            let trace_time = start.elapsed();
            let start = Instant::now();
            made.push(self.engine.prove_context(&self.pk, context)?);
            let prove_time = start.elapsed();
            listen(Event::Proved { layer, index, count, num_instructions: 0, trace_time, prove_time });
        }
        Ok(made)
    }
}

/// Makes one proof of the proofs of a program's segments: leaves over segments, internal nodes over leaves, and internal nodes over internal
/// nodes until one is left, which is wrapped once more, as openvm-sdk's `StarkProver` does.
pub struct Aggregator<E: ProgramEngine = Engine>
where
    E::PB: ProverBackend<Val = F, Challenge = EF, Commitment = Digest>,
{
    leaf: LayerProver<E, MAX_NUM_CHILDREN_LEAF>,
    internal_for_leaf: LayerProver<E, MAX_NUM_CHILDREN_INTERNAL>,
    internal_recursive: LayerProver<E, MAX_NUM_CHILDREN_INTERNAL>,
    tree: AggregationTreeConfig,
}

impl<E: ProgramEngine> Aggregator<E>
where
    E::PB: ProverBackend<Val = F, Challenge = EF, Commitment = Digest>,
    <E::PB as ProverBackend>::Matrix: Clone,
    VerifierSubCircuit<MAX_NUM_CHILDREN_LEAF>: VerifierTraceGen<E::PB, SC, EngineDeviceCtx<E>>,
    VerifierSubCircuit<MAX_NUM_CHILDREN_INTERNAL>: VerifierTraceGen<E::PB, SC, EngineDeviceCtx<E>>,
    InnerTraceGenImpl: InnerTraceGen<E::PB, EngineDeviceCtx<E>>,
{
    /// For programs of a VM with this key. Makes three keys, which takes a while. Fails where the tree asks for more children than OpenVM's circuits have.
    pub fn new(
        app_vk: &AppVerifyingKey,
        params: &AggregationSystemParams,
        tree: AggregationTreeConfig,
        make_engine: &MakeEngine<E>,
    ) -> Result<Self, Error> {
        let within = |what: &str, found: usize, max: usize| match found {
            n if (1..=max).contains(&n) => Ok(()),
            n => Err(Error::invalid("aggregate", format!("children of {what}: expected 1 to {max}, found {n}"))),
        };
        within("a leaf", tree.num_children_leaf, MAX_NUM_CHILDREN_LEAF)?;
        within("an internal node", tree.num_children_internal, MAX_NUM_CHILDREN_INTERNAL)?;
        let leaf = LayerProver::new(Arc::new(app_vk.vk.clone()), &params.leaf, false, make_engine);
        let internal_for_leaf = LayerProver::new(leaf.prover.get_vk(), &params.internal, false, make_engine);
        let internal_recursive =
            LayerProver::new(internal_for_leaf.prover.get_vk(), &params.internal, true, make_engine);
        Ok(Self { leaf, internal_for_leaf, internal_recursive, tree })
    }

    /// One proof of the run that `proof` proves segment by segment. Each child must be a proof of the VM that the aggregator was made for, and accepted.
    pub fn prove(&self, proof: ContinuationVmProof<SC>, listen: &mut dyn FnMut(Event)) -> Result<VmStarkProof, Error> {
        let fan = self.tree.num_children_internal;
        if proof.per_segment.is_empty() {
            return Err(Error::invalid("aggregate", "expected the proof of at least one segment"));
        }
        let leaves = self.leaf.prove_layer(
            &proof.per_segment,
            self.tree.num_children_leaf,
            ChildVkKind::App,
            Layer::Leaf,
            listen,
        )?;
        let mut proofs =
            self.internal_for_leaf.prove_layer(&leaves, fan, ChildVkKind::Standard, Layer::InternalForLeaf, listen)?;
        // Layer 0 is over proofs of another circuit; the last one is over a single proof and makes it smaller.
        let (mut layer, mut kind) = (0, ChildVkKind::Standard);
        loop {
            let is_last = layer > 0 && proofs.len() == 1;
            proofs =
                self.internal_recursive.prove_layer(&proofs, fan, kind, Layer::InternalRecursive(layer), listen)?;
            (layer, kind) = (layer + 1, ChildVkKind::RecursiveSelf);
            if is_last {
                break;
            }
        }
        let inner = proofs.pop().ok_or_else(|| Error::new(Code::Internal, "aggregate", "a layer without a proof"))?;
        Ok(VmStarkProof { inner, user_pvs_proof: proof.user_public_values, deferral_merkle_proofs: None })
    }

    /// What proofs of the program of `segments` are verified with.
    pub fn verifying_key(&self, segments: &SegmentProver<E>) -> VmStarkVerifyingKey {
        let instance = &segments.instance;
        let memory_config = &instance.vm.config().as_ref().memory_config;
        VmStarkVerifyingKey {
            mvk: self.internal_recursive.prover.get_vk().as_ref().clone(),
            baseline: VerificationBaseline {
                app_exe_commit: compute_exe_commit_from_mem_config(
                    instance.program_commitment(),
                    instance.exe(),
                    memory_config,
                ),
                memory_dimensions: segments.vk.memory_dimensions,
                num_user_pvs: segments.vk.num_user_pvs,
                app_vk_commit: self.leaf.prover.get_vk_commit(false),
                leaf_vk_commit: self.internal_for_leaf.prover.get_vk_commit(false),
                internal_for_leaf_vk_commit: self.internal_recursive.prover.get_vk_commit(false),
                internal_recursive_vk_commit: self.internal_recursive.prover.get_vk_commit(true),
                expected_def_hook_commit: None,
            },
        }
    }
}

/// Verifies an aggregate with the published verifier, as [`Sdk`]`::verify_proof` does.
pub fn verify(vk: &VmStarkVerifyingKey, proof: &VmStarkProof) -> Result<(), Error> {
    verify_vm_stark_proof_decoded(vk, proof).map_err(|error| Error::new(Code::Rejected, "verify", error.to_string()))
}
