//! Programs of OpenVM's VM, proved and aggregated, and what goes wrong with them. Needs riscv64-unknown-elf-gcc.

#[path = "../examples/common/guest.rs"]
mod guest;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use openvm_circuit::arch::ContinuationVmProof;
use openvm_sdk::{
    SC, StdIn,
    config::{AggregationSystemParams, AggregationTreeConfig, AppConfig},
    keygen::AppProvingKey,
};
use openvm_sdk_config::SdkVmConfig;
use openvm_stark_backend::{StarkEngine, p3_field::PrimeCharacteristicRing};
use openvm_stark_sdk::config::app_params_with_100_bits_security;
use openvm_whorl_backend::{
    Code, Control, Error, Prover, ProverOptions, Stop, Task,
    vm::{
        Aggregator, Engine, Event, Layer, MakeEngine, Sdk, SegmentProver, public_values, read_program, segment_name,
        verify,
    },
};

const LOG_STACKED_HEIGHT: usize = 22;

fn elf() -> &'static [u8] {
    static ELF: OnceLock<Vec<u8>> = OnceLock::new();
    ELF.get_or_init(|| guest::compile("primes").unwrap())
}

fn config() -> AppConfig<SdkVmConfig> {
    let mut vm = SdkVmConfig::riscv32();
    // A few segments of a short program; with less, memory that is touched anew ends a segment every thousand instructions.
    vm.system.config.segmentation_max_memory = 3 << 28;
    AppConfig::new(vm, app_params_with_100_bits_security(LOG_STACKED_HEIGHT))
}

fn key() -> &'static AppProvingKey<SdkVmConfig> {
    static KEY: OnceLock<AppProvingKey<SdkVmConfig>> = OnceLock::new();
    KEY.get_or_init(|| AppProvingKey::keygen(config()).unwrap())
}

fn prover(make_engine: &MakeEngine) -> SegmentProver {
    let exe = read_program(elf(), &config().app_vm_config).unwrap();
    SegmentProver::with_key(key(), exe, make_engine).unwrap()
}

fn on_cpu() -> MakeEngine {
    Arc::new(|params| Engine::new(params).with_device("cpu"))
}

fn below(limit: u32) -> StdIn {
    StdIn::from_bytes(&limit.to_le_bytes())
}

/// One at a time: a proof takes a gigabyte.
fn alone() -> impl Drop {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error_of<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

#[test]
fn files_that_are_no_programs() {
    let vm = SdkVmConfig::riscv32();
    let whole = elf();
    for length in [0, 1, 51, 52, 200] {
        assert_eq!(error_of(read_program(&whole[..length], &vm)).code, Code::BadFormat, "{length} bytes");
    }
    let mut other_machine = whole.to_vec();
    other_machine[18] = 62;
    assert_eq!(error_of(read_program(&other_machine, &vm)).code, Code::BadFormat);

    // No segment may be executed: OpenVM's interpreter would end the process.
    let mut without_code = whole.to_vec();
    let word = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
    let (table, entry) = (word(28), usize::from(whole[42]));
    for i in 0..usize::from(whole[44]) {
        without_code[table + i * entry + 24] &= !1;
    }
    let error = error_of(read_program(&without_code, &vm));
    assert_eq!(error.code, Code::BadFormat);
    assert!(error.message.contains("found no instruction"), "{error}");
}

#[test]
fn programs_that_do_what_the_vm_cannot() {
    let vm = SdkVmConfig::riscv32();
    // The first instruction becomes `lw x5, -1(x0)`: an address behind the end of memory.
    let mut wild = elf().to_vec();
    let word = |at: usize| u32::from_le_bytes(elf()[at..at + 4].try_into().unwrap()) as usize;
    let (entry, table) = (word(24), word(28));
    let header = (0..usize::from(wild[44])).map(|i| table + i * usize::from(elf()[42]));
    let place = header
        .filter(|&at| word(at) == 1 && (word(at + 8)..word(at + 8) + word(at + 16)).contains(&entry))
        .map(|at| word(at + 4) + entry - word(at + 8))
        .next()
        .unwrap();
    wild[place..place + 4].copy_from_slice(&0xfff0_2283_u32.to_le_bytes());
    let exe = read_program(&wild, &vm).unwrap();
    let prover = SegmentProver::with_key(key(), exe, &on_cpu()).unwrap();
    let error = error_of(prover.run(below(10)));
    assert_eq!(error.code, Code::InvalidArgument);
    assert!(error.message.contains("out of bounds"), "{error}");

    // It reads more than it is given.
    let prover = self::prover(&on_cpu());
    let error = error_of(prover.run(StdIn::default()));
    assert_eq!(error.code, Code::InvalidArgument);
    assert!(error.message.contains("it reads more inputs than it is given"), "{error}");
}

#[test]
fn segments_follow_one_another() {
    let _alone = alone();
    let mut prover = prover(&on_cpu());
    let mut events = Vec::new();
    let proof = prover.prove(below(50_000), &mut |event| events.push(event)).unwrap();
    prover.verify(&proof).unwrap();
    assert!(proof.per_segment.len() > 1, "one segment alone");
    // 5,133 primes below 50,000, the last of them 49,999.
    assert_eq!(
        public_values(&proof.user_public_values).unwrap()[..8],
        [5133u32.to_le_bytes(), 49_999u32.to_le_bytes()].concat()
    );
    assert!(matches!(&events[0], Event::Ran { num_segments, .. } if *num_segments == proof.per_segment.len()));
    assert_eq!(events.len(), 1 + proof.per_segment.len());

    // What is not the run's proof is not accepted.
    let rejected = |change: fn(&mut ContinuationVmProof<SC>)| {
        let mut other = proof.clone();
        change(&mut other);
        assert_eq!(error_of(prover.verify(&other)).code, Code::Rejected);
    };
    rejected(|proof| proof.user_public_values.public_values[0] += openvm_sdk::F::ONE);
    rejected(|proof| proof.per_segment.swap(0, 1));
    rejected(|proof| drop(proof.per_segment.pop()));
}

#[test]
fn segments_are_proved_elsewhere() {
    let _alone = alone();
    let folder = std::env::temp_dir().join(format!("whorl-segments-{}", std::process::id()));
    let mut prover = prover(&on_cpu());
    let mut events = Vec::new();
    let folders = prover.export_segments(below(50_000), &folder, &mut |event| events.push(event)).unwrap();
    assert!(folders.len() > 1, "one segment alone");
    assert_eq!(folders[1], folder.join(segment_name(1)));
    assert_eq!(events.len(), 1 + folders.len());
    let proofs: Vec<_> = folders
        .iter()
        .map(|folder| {
            let task = Task::load(folder).unwrap();
            let mut prover = Prover::new(&task.key, &ProverOptions::default()).unwrap();
            prover.prove(&task.traces, &mut Control::default()).unwrap().encode().unwrap()
        })
        .collect();
    std::fs::remove_dir_all(&folder).unwrap();

    let proof = prover.collect(below(50_000), |index| Ok(proofs[index].clone()), &mut |_| ()).unwrap();
    prover.verify(&proof).unwrap();
    assert_eq!(public_values(&proof.user_public_values).unwrap()[..4], 5133u32.to_le_bytes());
    // The proof of another segment is for the verifier to refuse, what is no proof is refused at once.
    let proof = prover.collect(below(50_000), |_| Ok(proofs[1].clone()), &mut |_| ()).unwrap();
    assert_eq!(error_of(prover.verify(&proof)).code, Code::Rejected);
    let error = error_of(prover.collect(below(50_000), |_| Ok(vec![1, 2, 3]), &mut |_| ()));
    assert_eq!(error.code, Code::BadFormat);
    let error = error_of(prover.collect(below(50_000), |_| Err(error.clone()), &mut |_| ()));
    assert_eq!(error.code, Code::BadFormat);
}

#[test]
fn a_prover_goes_on_after_a_failure() {
    let _alone = alone();
    let stop = Arc::new(Stop::new().unwrap());
    let make_engine: MakeEngine = {
        let stop = Arc::clone(&stop);
        Arc::new(move |params| Engine::new(params).with_device("cpu").with_stop(Arc::clone(&stop)))
    };
    let mut prover = prover(&make_engine);
    // The program ends with code 1 where it is asked for too much, and needs an input.
    for input in [below(u32::MAX), StdIn::default(), StdIn::from_bytes(&[1])] {
        assert_eq!(error_of(prover.prove(input, &mut |_| ())).code, Code::InvalidArgument);
    }
    stop.request();
    assert_eq!(error_of(prover.prove(below(1000), &mut |_| ())).code, Code::Cancelled);
    stop.reset();
    let proof = prover.prove(below(1000), &mut |_| ()).unwrap();
    prover.verify(&proof).unwrap();
}

#[test]
fn a_device_that_is_not_there() {
    let _alone = alone();
    let make_engine: MakeEngine = Arc::new(|params| Engine::new(params).with_device("abacus"));
    let mut prover = prover(&make_engine);
    assert_eq!(error_of(prover.prove(below(1000), &mut |_| ())).code, Code::InvalidArgument);
}

#[test]
fn one_proof_of_all_segments() {
    let _alone = alone();
    let make_engine = on_cpu();
    let mut prover = prover(&make_engine);
    let params = AggregationSystemParams::default();
    let too_many = AggregationTreeConfig { num_children_leaf: 5, num_children_internal: 3 };
    let error = error_of(Aggregator::new(prover.verifying_key(), &params, too_many, &make_engine));
    assert_eq!(error.message, "children of a leaf: expected 1 to 4, found 5");

    // A leaf for each segment, so that internal nodes have more than one child.
    let tree = AggregationTreeConfig { num_children_leaf: 1, num_children_internal: 2 };
    let aggregator = Aggregator::new(prover.verifying_key(), &params, tree, &make_engine).unwrap();
    let proof = prover.prove(below(20_000), &mut |_| ()).unwrap();
    let num_segments = proof.per_segment.len();
    assert!(num_segments > 1);
    let mut layers = Vec::new();
    let proof = aggregator
        .prove(proof, &mut |event| {
            if let Event::Proved { layer, index, count, .. } = event {
                layers.push((layer, index, count));
            }
        })
        .unwrap();
    assert_eq!(layers[0], (Layer::Leaf, 0, num_segments));
    assert_eq!(layers.last().map(|(_, index, count)| (*index, *count)), Some((0, 1)));

    let vk = aggregator.verifying_key(&prover);
    verify(&vk, &proof).unwrap();
    // The SDK's own check.
    Sdk::verify_proof(vk.mvk.clone(), vk.baseline.clone(), &proof).unwrap();

    let mut other = proof.clone();
    other.user_pvs_proof.public_values[0] += openvm_sdk::F::ONE;
    assert_eq!(error_of(verify(&vk, &other)).code, Code::Rejected);
    let mut other = proof.clone();
    other.inner.public_values[0][0] += openvm_sdk::F::ONE;
    assert_eq!(error_of(verify(&vk, &other)).code, Code::Rejected);
    let mut other_vk = vk;
    other_vk.baseline.app_exe_commit[0] += openvm_sdk::F::ONE;
    assert_eq!(error_of(verify(&other_vk, &proof)).code, Code::Rejected);
}
