//! Task folders from Rust and back, and by the program where WHORL_PROGRAM names it.

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    process::Command,
};

use common::{PB, SC, bytes, circuit, context, engine, published_proof, small_engine};
use openvm_stark_backend::{
    StarkEngine,
    prover::ProvingContext,
    test_utils::{FibFixture, MixtureFixture, default_test_params_small},
};
use openvm_stark_sdk::config::baby_bear_poseidon2::BabyBearPoseidon2Config;
use openvm_whorl_backend::{Code, Control, Prover, ProverOptions, Task, export_task, import_task};

/// A folder that does not exist yet, and is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("whorl-tasks-{}-{name}", process::id()));
        assert!(!folder.exists(), "{} is in the way", folder.display());
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn mixture() -> MixtureFixture<SC> {
    MixtureFixture::standard(3, BabyBearPoseidon2Config::default_from_params(default_test_params_small()))
}

fn mixture_context() -> ProvingContext<PB> {
    context(&mixture(), default_test_params_small())
}

#[test]
fn what_is_exported_is_proved_alike() {
    let circuit = circuit(&mixture(), default_test_params_small());
    let expected = bytes(&published_proof(&circuit.pk, mixture_context()));
    let folder = Folder::new("export");
    export_task(&folder.0, "a mixture", &circuit.pk, &mixture_context()).unwrap();
    let text = fs::read_to_string(folder.0.join("task.json")).unwrap();
    assert!(text.contains("\"a mixture\"") && text.contains("FibonacciSelectorAir"), "{text}");

    let task = Task::load(&folder.0).unwrap();
    assert_eq!(task.key.pre_hash().unwrap(), circuit.pk.vk_pre_hash);
    for device in ["cpu", "sim"] {
        let options = ProverOptions { device: device.into(), num_threads: 2, ..ProverOptions::default() };
        let proof = Prover::new(&task.key, &options).unwrap().prove(&task.traces, &mut Control::default()).unwrap();
        assert_eq!(proof.encode().unwrap(), expected);
        assert_eq!(bytes(&proof.to_published().unwrap()), expected);
        task.key.verify(&proof).unwrap();
    }
    let again = Folder::new("again");
    task.save(&again.0, "a mixture").unwrap();
    for file in fs::read_dir(&folder.0).unwrap() {
        let name = file.unwrap().file_name();
        assert_eq!(fs::read(folder.0.join(&name)).unwrap(), fs::read(again.0.join(&name)).unwrap(), "{name:?}");
    }

    if let Some(program) = env::var_os("WHORL_PROGRAM") {
        let out = folder.0.join("proof.bin");
        let mut prove = Command::new(program);
        prove.args(["prove", "--quiet", "--threads", "2", "--task"]).arg(&folder.0).arg("--out").arg(&out);
        assert!(prove.status().unwrap().success());
        assert_eq!(fs::read(out).unwrap(), expected);
    }
}

#[test]
fn what_no_prover_takes_is_not_exported() {
    let params = default_test_params_small();
    let circuit = circuit(&FibFixture::new(0, 1, 8), params.clone());
    let folder = Folder::new("refused");
    let error = export_task(&folder.0, "another", &circuit.pk, &mixture_context()).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    let mut ctx = context(&FibFixture::new(0, 1, 8), params);
    ctx.per_trace[0].1.public_values.clear();
    let error = export_task(&folder.0, "no values", &circuit.pk, &ctx).unwrap_err();
    assert_eq!((error.code, error.stage.as_str()), (Code::InvalidArgument, "task.save"));
    assert!(!folder.0.exists());
    assert_eq!(Task::load(&folder.0).err().unwrap().code, Code::Io);
}

/// WHORL_DUMP_TASKS: set while no other thread of the process looks at the environment, in a process of its own.
#[test]
fn engines_write_the_tasks_that_they_prove() {
    const CHILD: &str = "WHORL_TASKS_CHILD";
    let circuit = circuit(&mixture(), default_test_params_small());
    if env::var_os(CHILD).is_some() {
        for _ in 0..2 {
            small_engine("cpu").try_prove(&circuit.pk, mixture_context()).unwrap();
        }
        return;
    }
    let folder = Folder::new("dump");
    let child = |folder: &std::path::Path| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "engines_write_the_tasks_that_they_prove"])
            .env(CHILD, "1")
            .env("WHORL_DUMP_TASKS", folder)
            .output()
            .unwrap()
    };
    assert!(child(&folder.0).status.success());
    let mut tasks: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
    tasks.sort();
    assert_eq!(tasks.len(), 2);
    let expected = bytes(&published_proof(&circuit.pk, mixture_context()));
    for path in &tasks {
        let task = Task::load(path).unwrap();
        let mut prover = Prover::new(&task.key, &ProverOptions::default()).unwrap();
        assert_eq!(prover.prove(&task.traces, &mut Control::default()).unwrap().encode().unwrap(), expected);
    }
    // Where a task cannot be written, there is no proof either.
    let file = tasks[0].join("task.json");
    let failed = child(&file);
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stdout).contains("task.save"), "{failed:?}");
}

#[test]
fn what_is_imported_is_proved_alike_by_the_published_prover() {
    // All that a task can hold: preprocessed columns, cached parts, an AIR without columns of its own, public values, an absent AIR.
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    for name in ["preprocessed_and_cached", "fib_three_airs_one_absent", "interactions", "cached", "mixture_l_skip_5"] {
        let folder = vectors.join(name);
        let expected = fs::read(folder.join("proof.bin")).unwrap();
        let task = import_task(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(task.name, name);
        assert!(bytes(&published_proof(&task.pk, task.ctx)) == expected, "{name}: other bytes");
        let task = import_task(&folder).unwrap();
        let engine = engine(task.vk.inner.params.clone(), "cpu");
        assert!(bytes(&engine.prove(&task.pk, task.ctx).unwrap()) == expected, "{name}: other bytes by the engine");
    }
    // And back: what was imported is exported as it was.
    let task = import_task(&vectors.join("mixture_l_skip_5")).unwrap();
    let folder = Folder::new("back");
    export_task(&folder.0, &task.name, &task.pk, &task.ctx).unwrap();
    for file in fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        if file.file_name() != "task.json" {
            let before = vectors.join("mixture_l_skip_5").join(file.file_name());
            assert!(fs::read(file.path()).unwrap() == fs::read(&before).unwrap(), "{}", before.display());
        }
    }
}

#[test]
fn folders_that_are_no_tasks_are_not_imported() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    assert_eq!(import_task(&vectors.join("nothing")).err().unwrap().code, Code::Io);
    // A task of inputs, without traces.
    assert!(import_task(&vectors.join("keccakf_1024")).is_err());
    let folder = Folder::new("short");
    fs::create_dir(&folder.0).unwrap();
    for file in fs::read_dir(vectors.join("fib_2e5")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.0.join(file.file_name())).unwrap();
    }
    import_task(&folder.0).unwrap();
    let columns = folder.0.join("air0_main.bin");
    let bytes = fs::read(&columns).unwrap();
    fs::write(&columns, &bytes[4..]).unwrap();
    let error = import_task(&folder.0).err().unwrap();
    assert_eq!(error.code, Code::BadFormat, "{error}");
}
