//! What is wrong is an error with a reason, and the engine proves afterwards.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use common::{Circuit, Engine, PB, SC, bytes, circuit, context, small_engine};
use openvm_cpu_backend::CpuDevice;
use openvm_stark_backend::{
    StarkEngine,
    p3_field::PrimeCharacteristicRing,
    p3_matrix::dense::RowMajorMatrix,
    prover::{AirProvingContext, ProvingContext},
    test_utils::{
        CachedFixture11, FibFixture, InteractionsFixture11, MixtureFixture, PreprocessedFibFixture,
        default_test_params_small, test_system_params_small,
    },
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config, F};
use openvm_whorl_backend::{Code, Error, Stop, clear_cache, last_error};

const DEVICES: [&str; 2] = ["cpu", "sim"];

fn fibonacci() -> FibFixture {
    FibFixture::new(0, 1, 32)
}

fn small_circuit() -> Circuit {
    circuit(&fibonacci(), default_test_params_small())
}

fn small_context() -> ProvingContext<PB> {
    context(&fibonacci(), default_test_params_small())
}

fn cached_fixture() -> CachedFixture11<SC> {
    CachedFixture11::new(BabyBearPoseidon2Config::default_from_params(default_test_params_small()))
}

/// The error of the inherent call, which must be that of the trait's too.
fn error_of(engine: &Engine, circuit: &Circuit, make: impl Fn() -> ProvingContext<PB>) -> Error {
    let error = engine.try_prove(&circuit.pk, make()).expect_err("the proof fails");
    engine.prove(&circuit.pk, make()).expect_err("the proof fails again");
    assert_eq!(last_error(), Some(error.clone()));
    error
}

#[test]
fn parameters_of_another_engine() {
    let engine = Engine::new(test_system_params_small(3, 8, 3)).with_device("cpu");
    let error = error_of(&engine, &small_circuit(), small_context);
    assert_eq!(error.code, Code::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "invalid argument: prove: the parameters of the proving key are not those of the engine"
    );
}

#[test]
fn a_matrix_of_another_key() {
    for device in DEVICES {
        let error = error_of(&small_engine(device), &small_circuit(), || {
            let mut ctx = small_context();
            ctx.per_trace[0].1.common_main = RowMajorMatrix::new(F::zero_vec(3 * 32), 3);
            ctx
        });
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.contains("FibonacciAir"), "{error}");
        assert!(error.message.contains('3') && error.message.contains('2'), "{error}");
    }
}

#[test]
fn traces_of_another_circuit() {
    let params = default_test_params_small();
    let error = error_of(&small_engine("cpu"), &small_circuit(), || context(&InteractionsFixture11, params.clone()));
    assert_eq!(error.code, Code::InvalidArgument);
    assert_eq!(error.message, "expected an AIR below 1, found AIR 1");
}

#[test]
fn traces_that_are_no_traces() {
    let circuit = small_circuit();
    let engine = small_engine("cpu");
    let with = |main: RowMajorMatrix<F>| {
        move || ProvingContext::new(vec![(0, AirProvingContext::simple(main.clone(), vec![F::ONE; 3]))])
    };
    let three_rows = error_of(&engine, &circuit, with(RowMajorMatrix::new(F::zero_vec(6), 2)));
    assert_eq!(three_rows.code, Code::InvalidArgument);
    assert!(three_rows.message.contains("power of two"), "{three_rows}");
    let mut ragged = RowMajorMatrix::new(F::zero_vec(6), 2);
    ragged.values.push(F::ONE);
    let ragged = error_of(&engine, &circuit, with(ragged));
    assert_eq!(ragged.message, "AIR 0 (FibonacciAir): common main: expected rows of 2 elements, found 7 elements");
    let none = error_of(&engine, &circuit, || ProvingContext::new(vec![]));
    assert_eq!(none.code, Code::InvalidArgument);
    let twice = error_of(&engine, &circuit, || {
        let (mut ctx, again) = (small_context(), small_context());
        ctx.per_trace.extend(again.per_trace);
        ctx
    });
    assert_eq!(twice.code, Code::InvalidArgument);
    let values = error_of(&engine, &circuit, || {
        let mut ctx = small_context();
        ctx.per_trace[0].1.public_values.pop();
        ctx
    });
    assert_eq!(values.code, Code::InvalidArgument);
    assert!(values.message.contains("public"), "{values}");
}

#[test]
fn matrices_that_are_not_whole_rows() {
    // Each would have no row, and its AIR no trace.
    for (width, count) in [(3, 1), (0, 5)] {
        let error = error_of(&small_engine("cpu"), &small_circuit(), || {
            let mut context = small_context();
            context.per_trace[0].1.common_main.values = vec![F::ONE; count];
            context.per_trace[0].1.common_main.width = width;
            context.per_trace[0].1.public_values.clear();
            context
        });
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.contains(&format!("expected rows of {width} elements, found {count}")), "{error}");
    }
}

#[test]
fn a_key_that_was_changed() {
    let mut circuit = small_circuit();
    circuit.pk.params.w_stack += 1;
    let engine = Engine::new(circuit.pk.params.clone());
    let error = error_of(&engine, &circuit, small_context);
    assert_eq!(error.code, Code::BadFormat);
    assert!(error.message.contains("hash"), "{error}");
}

#[test]
fn unsatisfied_traces() {
    for device in DEVICES {
        let wrong_value = error_of(&small_engine(device), &small_circuit(), || {
            let mut ctx = small_context();
            ctx.per_trace[0].1.public_values[2] += F::ONE;
            ctx
        });
        assert_eq!(wrong_value.code, Code::Unsatisfied);
        assert!(wrong_value.message.contains("FibonacciAir"), "{wrong_value}");
        let params = default_test_params_small();
        let unbalanced = error_of(&small_engine(device), &circuit(&InteractionsFixture11, params.clone()), || {
            let mut ctx = context(&InteractionsFixture11, params.clone());
            ctx.per_trace.pop();
            ctx
        });
        assert_eq!(unbalanced.code, Code::Unsatisfied);
        assert!(unbalanced.message.contains("bus"), "{unbalanced}");
    }
}

/// Unverified, such traces give a proof, which no verifier accepts.
#[test]
fn unsatisfied_traces_without_verification() {
    let circuit = small_circuit();
    let engine = small_engine("cpu").with_verification(false);
    let mut ctx = small_context();
    ctx.per_trace[0].1.public_values[2] += F::ONE;
    let proof = engine.try_prove(&circuit.pk, ctx).expect("a proof");
    engine.verify(&circuit.vk, &proof).expect_err("the proof is wrong");
}

#[test]
fn devices_that_are_not_there() {
    let abacus = error_of(&small_engine("abacus"), &small_circuit(), small_context);
    assert_eq!(abacus.code, Code::InvalidArgument);
    assert!(abacus.message.contains("abacus"), "{abacus}");
    let nul = error_of(&small_engine("c\0pu"), &small_circuit(), small_context);
    assert_eq!(nul.code, Code::InvalidArgument);
    let threads = error_of(&small_engine("cpu").with_threads(1 << 20), &small_circuit(), small_context);
    assert_eq!(threads.code, Code::InvalidArgument);
}

#[test]
fn too_little_memory() {
    let error = error_of(&small_engine("sim").with_memory_limit(1000), &small_circuit(), small_context);
    assert_eq!(error.code, Code::Machine);
    small_engine("sim").try_prove(&small_circuit().pk, small_context()).expect("a proof with all the memory");
}

/// Before and in the middle of a proof; the prover that was stopped proves again.
#[test]
fn stopped_proofs() {
    let circuit = small_circuit();
    for device in DEVICES {
        let expected = small_engine(device).try_prove(&circuit.pk, small_context()).expect("a proof");
        let stop = Arc::new(Stop::new().unwrap());
        let engine = small_engine(device).with_stop(stop.clone());
        stop.request();
        assert_eq!(error_of(&engine, &circuit, small_context).code, Code::Cancelled);
        stop.reset();
        assert_eq!(bytes(&engine.try_prove(&circuit.pk, small_context()).unwrap()), bytes(&expected));

        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let half = small_engine(device).with_progress(move |fraction, stage| {
            assert!(!stage.is_empty());
            counted.fetch_add(1, Ordering::Relaxed);
            fraction < 0.5
        });
        assert_eq!(error_of(&half, &circuit, small_context).code, Code::Cancelled);
        assert!(calls.load(Ordering::Relaxed) > 2);
        // By a flag that the progress function sets.
        let flag = stop.clone();
        let by_flag = small_engine(device).with_stop(stop.clone()).with_progress(move |fraction, _| {
            if fraction > 0.3 {
                flag.request();
            }
            true
        });
        assert_eq!(error_of(&by_flag, &circuit, small_context).code, Code::Cancelled);
        let again = small_engine(device).try_prove(&circuit.pk, small_context()).unwrap();
        assert_eq!(bytes(&again), bytes(&expected));
    }
}

#[test]
fn a_progress_function_that_panics() {
    let circuit = small_circuit();
    let engine = small_engine("cpu").with_progress(|_, _| panic!("out of patience"));
    let error = error_of(&engine, &circuit, small_context);
    assert_eq!(error.code, Code::Cancelled);
    assert_eq!(error.message, "the progress function panicked: out of patience");
    small_engine("cpu").try_prove(&circuit.pk, small_context()).expect("a proof");
}

#[test]
fn commitments_that_are_not_of_their_columns() {
    let params = default_test_params_small();
    let circuit = circuit(&cached_fixture(), params.clone());
    for device in DEVICES {
        let wrong = error_of(&small_engine(device), &circuit, || {
            let mut ctx = context(&cached_fixture(), params.clone());
            ctx.per_trace[1].1.cached_mains[0].commitment[3] += F::ONE;
            ctx
        });
        assert_eq!(wrong.code, Code::InvalidArgument);
        assert_eq!(
            wrong.message,
            "AIR 1 (DummyInteractionAir): cached part 0: its commitment is not that of its columns"
        );
        // The part is known by its commitment from here on.
        small_engine(device).try_prove(&circuit.pk, context(&cached_fixture(), params.clone())).expect("a proof");
        let longer = error_of(&small_engine(device), &circuit, || {
            let mut ctx = context(&cached_fixture(), params.clone());
            let trace = &mut ctx.per_trace[1].1.cached_mains[0].trace;
            trace.values.extend(trace.values.clone());
            ctx
        });
        assert_eq!(longer.code, Code::InvalidArgument);
        assert!(longer.message.contains("expected the 1 x 8 columns of its commitment, found 1 x 16"), "{longer}");
    }
    let sels: Vec<bool> = (0..8).map(|i| i % 2 == 0).collect();
    let fixture = PreprocessedFibFixture::new(0, 1, sels);
    let mut circuit = common::circuit(&fixture, params.clone());
    circuit.pk.per_air[0].preprocessed_data.as_mut().unwrap().trace.values[2] += F::ONE;
    clear_cache();
    let error = error_of(&small_engine("cpu"), &circuit, || context(&fixture, params.clone()));
    assert!(error.message.ends_with("preprocessed columns: its commitment is not that of its columns"), "{error}");
}

/// A trace without rows is that of an absent AIR.
#[test]
fn matrices_without_rows() {
    let params = default_test_params_small();
    let fixture = FibFixture::new_with_num_airs(0, 1, 16, 3).with_empty_air_indices([1]);
    let circuit = circuit(&fixture, params.clone());
    let with_empty = |public_values: Vec<F>| {
        let mut ctx = context(&fixture, params.clone());
        let empty = AirProvingContext::simple(RowMajorMatrix::new(vec![], 2), public_values);
        ctx.per_trace.insert(1, (1, empty));
        ctx
    };
    for device in DEVICES {
        let expected = common::published_proof(&circuit.pk, context(&fixture, params.clone()));
        let proof = small_engine(device).try_prove(&circuit.pk, with_empty(vec![])).expect("a proof");
        assert_eq!(bytes(&proof), bytes(&expected));
    }
    let error = error_of(&small_engine("cpu"), &circuit, || with_empty(vec![F::ONE; 3]));
    assert!(error.message.starts_with("AIR 1 (FibonacciAir): expected no public value"), "{error}");
}

/// Threads share keys and parts; with more keys than are kept, too.
#[test]
fn proofs_at_once() {
    let params = default_test_params_small();
    let config = BabyBearPoseidon2Config::default_from_params(params.clone());
    let mixtures: Vec<_> = (0..3).map(|log| MixtureFixture::standard(log, config.clone())).collect();
    thread::scope(|scope| {
        for fixture in &mixtures {
            let params = &params;
            scope.spawn(move || {
                let circuit = circuit(fixture, params.clone());
                let expected = bytes(&common::published_proof(&circuit.pk, context(fixture, params.clone())));
                thread::scope(|scope| {
                    for device in ["cpu", "cpu", "sim"] {
                        let (circuit, expected) = (&circuit, &expected);
                        scope.spawn(move || {
                            let proof = small_engine(device).try_prove(&circuit.pk, context(fixture, params.clone()));
                            assert_eq!(bytes(&proof.expect("a proof")), *expected);
                        });
                    }
                });
            });
        }
    });
    for height in 0..10 {
        let fixture = FibFixture::new_with_num_airs(0, 1, 1 << (height % 4), 1 + height);
        let circuit = circuit(&fixture, params.clone());
        let proof = small_engine("cpu").try_prove(&circuit.pk, context(&fixture, params.clone())).expect("a proof");
        small_engine("cpu").verify(&circuit.vk, &proof).expect("the proof is right");
    }
}

/// What OpenVM's chip builders for the CPU ask of an engine.
#[test]
fn the_types_are_the_cpu_engines() {
    fn proves<E: StarkEngine<SC = SC, PB = PB, PD = CpuDevice<SC>>>() -> usize {
        let params = default_test_params_small();
        let engine = E::new(params.clone());
        let circuit = small_circuit();
        let proof = engine.prove(&circuit.pk, small_context()).expect("a proof");
        engine.verify(&circuit.vk, &proof).expect("the proof is right");
        bytes(&proof).len()
    }
    assert_eq!(proves::<Engine>(), proves::<common::PublishedEngine>());
}
