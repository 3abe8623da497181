//! Proves OpenVM programs with whorl, from a shell.

use std::{
    fs,
    io::{ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use openvm_circuit::arch::{PreflightExecutor, VmBuilder, VmExecutionConfig};
use openvm_continuations::circuit::inner::{InnerTraceGen, InnerTraceGenImpl};
#[cfg(feature = "cuda")]
use openvm_cuda_backend::BabyBearPoseidon2GpuEngine;
use openvm_recursion_circuit::system::{VerifierSubCircuit, VerifierTraceGen};
use openvm_sdk::{
    F, SC, StdIn,
    config::{
        AggregationSystemParams, AggregationTreeConfig, AppConfig, MAX_NUM_CHILDREN_INTERNAL, MAX_NUM_CHILDREN_LEAF,
    },
};
use openvm_sdk_config::SdkVmConfig;
use openvm_stark_backend::{
    EngineDeviceCtx, StarkEngine,
    codec::{Decode, Encode},
    prover::ProverBackend,
};
use openvm_stark_sdk::config::{
    MAX_APP_LOG_STACKED_HEIGHT, app_params_with_100_bits_security,
    baby_bear_poseidon2::{BabyBearPoseidon2CpuEngine, CpuTranscript, Digest, EF},
};
use openvm_verify_stark_host::{
    VmStarkProof,
    vk::{read_vk_from_file, write_vk_to_file},
};
#[cfg(feature = "cuda")]
use openvm_whorl_backend::BabyBearPoseidon2WhorlGpuEngine;
use openvm_whorl_backend::{
    Code, Error, Key,
    vm::{
        Aggregator, Engine, Event, MakeEngine, ProgramEngine, SegmentProver, public_values, read_program, segment_name,
        verify,
    },
};
use tracing_subscriber::EnvFilter;

/// No program and no input is larger: OpenVM's memory has 512 MiB.
const MAX_FILE_BYTES: u64 = 1 << 29;

#[derive(Parser)]
#[command(name = "whorl-openvm", version, about = "Proves OpenVM programs with whorl.")]
#[command(
    after_help = "Exit codes: 0 done, 1 a proof is rejected, 2 usage or input, 3 the machine. RUST_LOG=info shows more."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a program without proving: its segments and its public values
    Run {
        #[command(flatten)]
        program: Program,
    },
    /// Runs a program and writes each segment as a task folder, without proving: for whorl, other machines, or a cluster
    Tasks {
        #[command(flatten)]
        program: Program,
        /// Where the folders go: DIR/segment-0000 and so on
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Proves the run of a program: each segment, and one proof of them all
    Prove {
        #[command(flatten)]
        program: Program,
        /// cpu, sim, cuda, cuda:1, metal: as --device of whorl
        #[arg(long, default_value = "cpu", value_name = "DEVICE", value_parser = parse_device)]
        device: String,
        /// Threads of whorl; 0: one per core
        #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1024))]
        threads: u32,
        /// Who makes the proofs: whorl, or for comparison the published prover for the same traces
        #[arg(long, value_enum, default_value_t = By::Whorl)]
        by: By,
        /// Verifies each proof as it is made, not the last one alone: what is wrong with traces is then told by constraint and row
        #[arg(long)]
        verify_each: bool,
        /// Proves and verifies the segments alone, without aggregation
        #[arg(long, conflicts_with_all = ["out", "vk"])]
        segments_only: bool,
        /// Takes the proofs of segments from here, DIR/segment-0000.proof and so on, made of the folders that tasks writes
        #[arg(long, value_name = "DIR", conflicts_with = "verify_each")]
        segment_proofs: Option<PathBuf>,
        /// Where the proof goes: zstd of the published encoding
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Where the key goes that verifies proofs of this program
        #[arg(long, value_name = "FILE")]
        vk: Option<PathBuf>,
    },
    /// Verifies a proof
    Verify {
        /// The proof, as prove --out writes it
        #[arg(long, value_name = "FILE")]
        proof: PathBuf,
        /// The key, as prove --vk writes it. It says which program was run: take it from one whom you trust, or make it yourself
        #[arg(long, value_name = "FILE")]
        vk: PathBuf,
    },
}

/// A name that some device has, whether or not this machine has the device.
fn parse_device(text: &str) -> Result<String, String> {
    let (family, index) = text.split_once(':').map_or((text, None), |(family, index)| (family, Some(index)));
    let is_index = index.is_none_or(|index| index.parse::<u16>().is_ok());
    match family {
        "cpu" | "sim" | "gpu" if index.is_none() => Ok(text.into()),
        "cuda" | "metal" if is_index => Ok(text.into()),
        _ => Err("expected cpu, sim, gpu, cuda, cuda:1 or metal".into()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Whorl,
    Openvm,
}

/// Where the proofs go.
struct Outputs {
    segments_only: bool,
    segment_proofs: Option<PathBuf>,
    proof: Option<PathBuf>,
    vk: Option<PathBuf>,
}

#[derive(Args)]
struct Program {
    /// The program: a RISC-V ELF file for OpenVM
    #[arg(long, value_name = "FILE")]
    elf: PathBuf,
    /// Bytes that the program reads; several are read in this order
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// openvm.toml with the VM's extensions; without it: RV32IM with input and output
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How much memory the published CUDA prover would need for a segment, in GiB: less gives more, smaller segments [OpenVM's default: 15]
    #[arg(long, value_name = "GIB")]
    segment_memory: Option<f64>,
    /// log2 of the rows that traces are stacked to, at most
    #[arg(long, default_value_t = MAX_APP_LOG_STACKED_HEIGHT, value_name = "N")]
    log_stacked_height: usize,
}

fn io_error(path: &Path, error: impl std::fmt::Display) -> Error {
    Error { code: Code::Io, stage: "file".into(), message: format!("{}: {error}", path.display()) }
}

fn check_file(path: &Path) -> Result<(), Error> {
    if path == Path::new("-") {
        return Err(usage("-: expected the name of a file; standard input and output are not taken for one".into()));
    }
    let metadata = fs::metadata(path).map_err(|error| io_error(path, error))?;
    if !metadata.is_file() {
        return Err(io_error(path, "expected a file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        let message = format!("expected at most {MAX_FILE_BYTES} bytes, found {}", metadata.len());
        return Err(io_error(path, message));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    check_file(path)?;
    fs::read(path).map_err(|error| io_error(path, error))
}

/// Writes the file at a path.
type WriteFile<'a> = Box<dyn Fn(&Path) -> Result<(), Error> + 'a>;

/// The place beside a file where it is written first.
fn part_of(path: &Path) -> Result<PathBuf, Error> {
    let mut name = path.file_name().ok_or_else(|| io_error(path, "expected a file's name"))?.to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(name))
}

/// Writes files that belong together: all are written beside their places, then take them, so that what fails leaves the old ones.
/// Their paths are those that `resolve_output` gives.
fn write_together(outputs: &[(&Path, WriteFile)]) -> Result<(), Error> {
    let parts: Vec<_> = outputs.iter().map(|(path, _)| part_of(path)).collect::<Result<_, _>>()?;
    let written = outputs.iter().zip(&parts).try_for_each(|((_, write), part)| write(part));
    let placed = written.and_then(|()| {
        outputs
            .iter()
            .zip(&parts)
            .try_for_each(|((path, _), part)| fs::rename(part, path).map_err(|error| io_error(path, error)))
    });
    placed.inspect_err(|_| {
        // What is not there need not go.
        parts.iter().for_each(|part| {
            let _ = fs::remove_file(part);
        });
    })
}

/// The file that an output's path names, behind all links; it need not be there. Fails where it is no regular file, or none can be written
/// beside it.
fn resolve_output(path: &Path) -> Result<PathBuf, Error> {
    if path == Path::new("-") {
        return Err(usage("-: expected the name of a file; standard output has the public values".into()));
    }
    let resolved = match path.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if path.is_symlink() {
                return Err(io_error(path, "expected a file, found a link to one that is not there"));
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let folder = folder.canonicalize().map_err(|error| io_error(folder, error))?;
            folder.join(path.file_name().ok_or_else(|| io_error(path, "expected a file's name"))?)
        }
        Err(error) => return Err(io_error(path, error)),
    };
    if fs::metadata(&resolved).is_ok_and(|found| !found.is_file()) {
        return Err(io_error(path, "expected a regular file, or none"));
    }
    // What cannot be written is said now, not after minutes of proving.
    let part = part_of(&resolved)?;
    fs::write(&part, []).and_then(|()| fs::remove_file(&part)).map_err(|error| io_error(path, error))?;
    Ok(resolved)
}

/// Whether both paths lead to one file that is there, by whatever names.
fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        #[cfg(unix)]
        (Ok(a), Ok(b)) => {
            use std::os::unix::fs::MetadataExt;
            (a.dev(), a.ino()) == (b.dev(), b.ino())
        }
        _ => a == b,
    }
}

impl Program {
    fn vm_config(&self) -> Result<SdkVmConfig, Error> {
        let mut config = match &self.config {
            None => SdkVmConfig::riscv32(),
            Some(path) => {
                let text = String::from_utf8(read(path)?).map_err(|error| io_error(path, error))?;
                SdkVmConfig::from_toml(&text).map_err(|error| io_error(path, error))?
            }
        };
        if let Some(gib) = self.segment_memory {
            if !(gib > 0.0 && gib <= 1024.0) {
                return Err(usage(format!("--segment-memory: expected GiB above 0 and up to 1024, found {gib}")));
            }
            config.system.config.segmentation_max_memory = (gib * f64::from(1 << 30)) as usize;
        }
        Ok(config)
    }

    fn app_config(&self) -> Result<AppConfig<SdkVmConfig>, Error> {
        let max = MAX_APP_LOG_STACKED_HEIGHT;
        if !(20..=max).contains(&self.log_stacked_height) {
            let found = self.log_stacked_height;
            return Err(usage(format!("--log-stacked-height: expected 20 to {max}, found {found}")));
        }
        Ok(AppConfig::new(self.vm_config()?, app_params_with_100_bits_security(self.log_stacked_height)))
    }

    fn prover<E: ProgramEngine>(&self, make_engine: &MakeEngine<E>) -> Result<SegmentProver<E>, Error>
    where
        <SdkVmConfig as VmExecutionConfig<F>>::Executor:
            PreflightExecutor<F, <E::Builder as VmBuilder<E>>::RecordArena>,
    {
        let config = self.app_config()?;
        let exe = read_program(&read(&self.elf)?, &config.app_vm_config)?;
        SegmentProver::new(&config, exe, make_engine)
    }

    fn stdin(&self) -> Result<StdIn<F>, Error> {
        let mut stdin = StdIn::default();
        for path in &self.input {
            stdin.write_bytes(&read(path)?);
        }
        Ok(stdin)
    }

    /// Fails where a file that is written would replace one that is read.
    fn check_outputs(&self, outputs: &[&PathBuf]) -> Result<(), Error> {
        for path in outputs {
            if self.input.iter().chain([&self.elf]).chain(&self.config).any(|input| is_same_file(input, path)) {
                return Err(usage(format!("{}: expected another file than one that is read", path.display())));
            }
        }
        match outputs {
            [a, b] if a == b || is_same_file(a, b) => Err(usage(format!("{}: expected two files", a.display()))),
            _ => Ok(()),
        }
    }
}

fn usage(message: String) -> Error {
    Error { code: Code::InvalidArgument, stage: "usage".into(), message }
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

fn print_event(event: Event) {
    match event {
        Event::Ran { num_segments, num_instructions, time } => {
            let seconds = time.as_secs_f64();
            eprintln!(
                "ran: {num_instructions} instructions in {num_segments} {}, {seconds:.2} s",
                if num_segments == 1 { "segment" } else { "segments" }
            );
        }
        Event::Proved { layer, index, count, num_instructions, trace_time, prove_time } => {
            let (traces, proof) = (trace_time.as_secs_f64(), prove_time.as_secs_f64());
            let instructions = match num_instructions {
                0 => String::new(),
                n => format!("{n} instructions, "),
            };
            eprintln!("{layer}, {} of {count}: {instructions}traces {traces:.2} s, proof {proof:.2} s", index + 1);
        }
        Event::Exported { index, count, num_instructions, trace_time } => {
            let traces = trace_time.as_secs_f64();
            eprintln!("segment, {} of {count}: {num_instructions} instructions, traces {traces:.2} s", index + 1);
        }
        _ => (),
    }
}

/// Writes a line to standard output.
fn print(line: std::fmt::Arguments) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| io_error(Path::new("standard output"), error))
}

fn print_values(values: impl IntoIterator<Item = u8>) -> Result<(), Error> {
    print(format_args!("public values: {}", hex(values)))
}

fn run(program: &Program) -> Result<(), Error> {
    let make_engine: MakeEngine = Arc::new(Engine::new);
    eprintln!("reading the program, making the VM's keys");
    let (segments, values) = program.prover(&make_engine)?.run(program.stdin()?)?;
    for (i, segment) in segments.iter().enumerate() {
        let rows: u64 = segment.trace_heights.iter().map(|&height| u64::from(height)).sum();
        print(format_args!("segment {}: {} instructions, {rows} rows", i + 1, segment.num_insns))?;
    }
    print_values(values)
}

fn write_tasks(program: &Program, out: &Path) -> Result<(), Error> {
    let make_engine: MakeEngine = Arc::new(Engine::new);
    eprintln!("reading the program, making the VM's keys");
    for folder in program.prover(&make_engine)?.export_segments(program.stdin()?, out, &mut print_event)? {
        print(format_args!("{}", folder.display()))?;
    }
    Ok(())
}

fn prove<E: ProgramEngine>(program: &Program, make_engine: &MakeEngine<E>, outputs: &Outputs) -> Result<(), Error>
where
    <SdkVmConfig as VmExecutionConfig<F>>::Executor: PreflightExecutor<F, <E::Builder as VmBuilder<E>>::RecordArena>,
    E::PB: ProverBackend<Val = F, Challenge = EF, Commitment = Digest>,
    <E::PB as ProverBackend>::Matrix: Clone,
    VerifierSubCircuit<MAX_NUM_CHILDREN_LEAF>: VerifierTraceGen<E::PB, SC, EngineDeviceCtx<E>>,
    VerifierSubCircuit<MAX_NUM_CHILDREN_INTERNAL>: VerifierTraceGen<E::PB, SC, EngineDeviceCtx<E>>,
    InnerTraceGenImpl: InnerTraceGen<E::PB, EngineDeviceCtx<E>>,
{
    program.check_outputs(&outputs.proof.iter().chain(&outputs.vk).collect::<Vec<_>>())?;
    let start = Instant::now();
    let stdin = program.stdin()?;
    let keys_start = Instant::now();
    let mut segments = program.prover(make_engine)?;
    eprintln!("keys of the VM: {:.2} s", keys_start.elapsed().as_secs_f64());
    let proof = match &outputs.segment_proofs {
        None => segments.prove(stdin, &mut print_event)?,
        Some(folder) => {
            let read_proof = |index| read(&folder.join(segment_name(index) + ".proof"));
            segments.collect(stdin, read_proof, &mut print_event)?
        }
    };
    if outputs.segments_only || outputs.segment_proofs.is_some() {
        segments.verify(&proof)?;
    }
    let values = public_values(&proof.user_public_values)?;
    if outputs.segments_only {
        eprintln!("verified: {} segments, {:.2} s in all", proof.per_segment.len(), start.elapsed().as_secs_f64());
        return print_values(values);
    }

    let keys_start = Instant::now();
    let tree = AggregationTreeConfig::default();
    let aggregator = Aggregator::new(segments.verifying_key(), &AggregationSystemParams::default(), tree, make_engine)?;
    eprintln!("keys of the aggregation: {:.2} s", keys_start.elapsed().as_secs_f64());
    let proof = aggregator.prove(proof, &mut print_event)?;
    let vk = aggregator.verifying_key(&segments);
    verify(&vk, &proof)?;
    let bytes = proof.encode_to_vec().map_err(|error| internal(format!("the proof is not encoded: {error}")))?;
    let packed = zstd::encode_all(bytes.as_slice(), 0).map_err(|error| internal(format!("zstd: {error}")))?;
    let mut files: Vec<(&Path, WriteFile)> = Vec::new();
    if let Some(path) = &outputs.proof {
        files.push((path, Box::new(|part| fs::write(part, &packed).map_err(|error| io_error(part, error)))));
    }
    if let Some(path) = &outputs.vk {
        files.push((path, Box::new(|part| write_vk_to_file(part, &vk).map_err(|error| io_error(part, error)))));
    }
    write_together(&files)?;
    eprintln!("verified: one proof of {} bytes, {:.2} s in all", packed.len(), start.elapsed().as_secs_f64());
    print_values(values)
}

fn internal(message: String) -> Error {
    Error { code: Code::Internal, stage: "whorl-openvm".into(), message }
}

fn verify_files(proof: &Path, vk: &Path) -> Result<(), Error> {
    check_file(vk)?;
    let key = read_vk_from_file(vk).map_err(|error| Error { code: Code::BadFormat, ..io_error(vk, error) })?;
    let not_a_proof = |error: std::io::Error| Error { code: Code::BadFormat, ..io_error(proof, error) };
    // The published verifier takes any key, also one whose contents are not those that its hash names.
    let names = vec![String::new(); key.mvk.inner.per_air.len()];
    Key::from_published(&key.mvk, &names).map_err(|error| Error { code: Code::BadFormat, ..io_error(vk, error) })?;
    let bytes = zstd::decode_all(read(proof)?.as_slice()).map_err(not_a_proof)?;
    let decoded = VmStarkProof::decode_from_bytes(&bytes).map_err(not_a_proof)?;
    verify(&key, &decoded)?;
    print(format_args!("accepted"))?;
    print_values(public_values(&decoded.user_pvs_proof)?)
}

fn run_command(command: Command) -> Result<(), Error> {
    match command {
        Command::Run { program } => run(&program),
        Command::Tasks { program, out } => write_tasks(&program, &out),
        Command::Prove { program, device, threads, by, verify_each, segments_only, segment_proofs, out, vk } => {
            let resolve = |path: Option<PathBuf>| path.map(|path| resolve_output(&path)).transpose();
            let outputs = Outputs { segments_only, segment_proofs, proof: resolve(out)?, vk: resolve(vk)? };
            // A GPU of CUDA makes the traces too, where the program was built for that.
            #[cfg(feature = "cuda")]
            if device.starts_with("cuda") || device == "gpu" {
                return match by {
                    By::Whorl => {
                        let make_engine: MakeEngine<BabyBearPoseidon2WhorlGpuEngine> = Arc::new(move |params| {
                            BabyBearPoseidon2WhorlGpuEngine::new(params)
                                .with_device(device.clone())
                                .with_threads(threads)
                                .with_verification(verify_each)
                        });
                        prove(&program, &make_engine, &outputs)
                    }
                    By::Openvm => prove(
                        &program,
                        &(Arc::new(<BabyBearPoseidon2GpuEngine as StarkEngine>::new) as MakeEngine<_>),
                        &outputs,
                    ),
                };
            }
            match by {
                By::Whorl => {
                    let make_engine: MakeEngine = Arc::new(move |params| {
                        Engine::new(params)
                            .with_device(device.clone())
                            .with_threads(threads)
                            .with_verification(verify_each)
                    });
                    prove(&program, &make_engine, &outputs)
                }
                By::Openvm if device != "cpu" => {
                    Err(usage(format!("--by openvm: expected --device cpu, found {device}")))
                }
                By::Openvm => {
                    let make_engine: MakeEngine<BabyBearPoseidon2CpuEngine<CpuTranscript>> =
                        Arc::new(BabyBearPoseidon2CpuEngine::new);
                    prove(&program, &make_engine, &outputs)
                }
            }
        }
        Command::Verify { proof, vk } => verify_files(&proof, &vk),
    }
}

fn exit_code(code: Code) -> u8 {
    match code {
        Code::Rejected | Code::Unsatisfied => 1,
        Code::InvalidArgument | Code::BadFormat | Code::Io => 2,
        _ => 3,
    }
}

/// OpenVM's code asks for the guest's memory at once, and ends the process where it does not get it.
const MIN_ADDRESS_SPACE: u64 = 6 << 30;

/// What the process is to do where a pipe is closed or a file is too large, and whether it may have as much memory as OpenVM asks for.
fn prepare_process() -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: no thread has been started, and the handlers are the system's own.
        unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        }
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structure is there to be written.
        let is_known = unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) } == 0;
        if is_known && limit.rlim_cur < MIN_ADDRESS_SPACE {
            let message = format!(
                "expected at least {MIN_ADDRESS_SPACE} bytes of address space, found a limit of {} (ulimit -v)",
                limit.rlim_cur
            );
            return Err(Error { code: Code::Machine, stage: "memory".into(), message });
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let machine = prepare_process();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // OpenVM's own code panics on some inputs.
    let result = machine.and_then(|()| {
        catch_unwind(AssertUnwindSafe(|| run_command(cli.command)))
            .unwrap_or_else(|_| Err(internal("OpenVM's code panicked, for the reason above".into())))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody left to tell where standard error is closed.
            let _ = writeln!(std::io::stderr(), "whorl-openvm: {error}");
            ExitCode::from(exit_code(error.code))
        }
    }
}
