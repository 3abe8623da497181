//! Reference values of the published security calculator, for whorl's `security_bits` (tests/unit/security_test.cpp).

use std::{error::Error, fs, path::Path};

use openvm_stark_backend::{
    SystemParams, WhirConfig, WhirProximityStrategy, WhirRoundConfig,
    interaction::LogUpSecurityParameters,
    p3_field::PrimeField32,
    soundness::{SoundnessCalculator, WhirSoundnessCalculator},
    test_utils::test_system_params_small,
};
use openvm_stark_sdk::config::{
    MAX_APP_LOG_STACKED_HEIGHT, app_params_with_100_bits_security, baby_bear_poseidon2::F, base_field_order,
    challenge_field_bits, hook_params_with_100_bits_security, internal_params_with_100_bits_security,
    leaf_params_with_100_bits_security, root_params_with_100_bits_security,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::altered::Key;

const MIN_APP_LOG_STACKED_HEIGHT: usize = 11;
const NUM_DRAWN: usize = 300;
const SEED: u64 = 20;

/// What the calculator takes besides the parameters.
struct Bounds {
    max_constraints_per_air: usize,
    num_airs: usize,
    max_constraint_degree: usize,
    max_log_height: usize,
    num_columns: usize,
    num_stacked_columns: usize,
    n_logup: usize,
}

fn calculate(params: &SystemParams, b: &Bounds) -> SoundnessCalculator {
    SoundnessCalculator::calculate(
        params,
        base_field_order(),
        challenge_field_bits(),
        b.max_constraints_per_air,
        b.num_airs,
        b.max_constraint_degree,
        b.max_log_height,
        b.num_columns,
        b.num_stacked_columns,
        b.n_logup,
    )
}

/// JSON has no infinities.
fn bits(x: f64) -> Value {
    if x == f64::INFINITY {
        json!("inf")
    } else if x == f64::NEG_INFINITY {
        json!("-inf")
    } else {
        assert!(!x.is_nan(), "the calculator gives NaN");
        json!(x)
    }
}

fn whole(s: &SoundnessCalculator) -> Value {
    json!({
        "logup": bits(s.logup_bits),
        "gkr_sumcheck": bits(s.gkr_sumcheck_bits),
        "gkr_batching": bits(s.gkr_batching_bits),
        "zerocheck_sumcheck": bits(s.zerocheck_sumcheck_bits),
        "constraint_batching": bits(s.constraint_batching_bits),
        "stacked_reduction": bits(s.stacked_reduction_bits),
        "mu_batching": bits(s.whir_details.mu_batching_bits),
        "whir": bits(s.whir_bits),
        "total": bits(s.total_bits),
    })
}

fn shifted(proximity: WhirProximityStrategy, rounds: usize) -> WhirProximityStrategy {
    match proximity {
        WhirProximityStrategy::SplitUniqueList { m, list_start_round } => {
            WhirProximityStrategy::SplitUniqueList { m, list_start_round: list_start_round.saturating_sub(rounds) }
        }
        same => same,
    }
}

/// The calculator tells the least of all WHIR rounds. What it says of one round alone follows from parameters whose WHIR
/// begins there and has `num_rounds` rounds.
fn from_round(params: &SystemParams, bounds: &Bounds, first: usize, num_rounds: usize) -> WhirSoundnessCalculator {
    let whir = &params.whir;
    let rounds = &whir.rounds[first..first + num_rounds];
    let params = SystemParams {
        l_skip: 0,
        n_stack: params.log_stacked_height() - first * whir.k,
        log_blowup: params.log_blowup + first * (whir.k - 1),
        whir: WhirConfig { rounds: rounds.to_vec(), proximity: shifted(whir.proximity, first), ..whir.clone() },
        ..params.clone()
    };
    calculate(&params, &Bounds { n_logup: bounds.n_logup.max(1), ..*bounds }).whir_details
}

fn rounds(params: &SystemParams, bounds: &Bounds) -> Vec<Value> {
    let count = params.whir.rounds.len();
    (0..count)
        .map(|round| {
            let alone = from_round(params, bounds, round, 1);
            // The last round of a WHIR has no out-of-domain sample.
            let out_of_domain =
                if round + 1 < count { from_round(params, bounds, round, 2).ood_rbr_bits } else { alone.ood_rbr_bits };
            json!({
                "fold": bits(alone.fold_rbr_bits),
                "proximity_gap": bits(alone.proximity_gaps_bits),
                "sumcheck": bits(alone.sumcheck_bits),
                "shift": bits(alone.shift_rbr_bits),
                "query": bits(alone.query_bits),
                "gamma_batching": bits(alone.gamma_batching_bits),
                "out_of_domain": bits(out_of_domain),
            })
        })
        .collect()
}

fn case(name: &str, params: &SystemParams, bounds: &Bounds) -> Result<Value, Box<dyn Error>> {
    Ok(json!({
        "name": name,
        "params": serde_json::to_value(params)?,
        "bounds": {
            "max_constraints_per_air": bounds.max_constraints_per_air,
            "num_airs": bounds.num_airs,
            "max_constraint_degree": bounds.max_constraint_degree,
            "max_log_height": bounds.max_log_height,
            "num_columns": bounds.num_columns,
            "num_stacked_columns": bounds.num_stacked_columns,
            "n_logup": bounds.n_logup,
        },
        "bits": whole(&calculate(params, bounds)),
        "whir_rounds": rounds(params, bounds),
    }))
}

/// The circuits that the published tests of the presets assume (an application's, a recursion's).
fn preset_bounds(params: &SystemParams, is_app: bool) -> Bounds {
    let log_height = params.log_stacked_height();
    let (constraints, airs, columns, log_interactions) =
        if is_app { (5000, 100, 30000, 10) } else { (1000, 50, 2000, 7) };
    let log_airs = usize::ilog2(airs) as usize + 1;
    Bounds {
        max_constraints_per_air: constraints,
        num_airs: airs,
        max_constraint_degree: params.max_constraint_degree,
        max_log_height: log_height,
        num_columns: columns,
        num_stacked_columns: params.w_stack,
        n_logup: (31 - params.l_skip).min(log_airs + log_interactions + log_height - params.l_skip),
    }
}

fn presets() -> Vec<(String, SystemParams, bool)> {
    let mut presets: Vec<_> = (MIN_APP_LOG_STACKED_HEIGHT..=MAX_APP_LOG_STACKED_HEIGHT)
        .map(|height| (format!("app {height}"), app_params_with_100_bits_security(height), true))
        .collect();
    presets.push(("leaf".into(), leaf_params_with_100_bits_security(), false));
    presets.push(("internal".into(), internal_params_with_100_bits_security(), false));
    presets.push(("root".into(), root_params_with_100_bits_security(), false));
    presets.push(("hook".into(), hook_params_with_100_bits_security(), false));
    presets.push(("test 2 8 3".into(), test_system_params_small(2, 8, 3), false));
    presets
}

/// As often small as large.
fn log_uniform(rng: &mut StdRng, log_max: u32) -> usize {
    let bound = 1usize << rng.random_range(0..=log_max);
    rng.random_range(bound / 2 + 1..=bound)
}

/// Anything that whorl's check_params takes.
fn draw_params(rng: &mut StdRng) -> SystemParams {
    let log_blowup = rng.random_range(0..=8);
    let log_height = rng.random_range(1..=27 - log_blowup);
    let l_skip = rng.random_range(0..=log_height.min(10));
    let max_k = if rng.random_bool(0.2) { 10 } else { 5 };
    let k = rng.random_range(1..=log_height.min(max_k));
    let num_rounds = rng.random_range(1..=(log_height / k).min(6));
    let pow_bits = |rng: &mut StdRng| if rng.random_bool(0.2) { 0 } else { rng.random_range(0..=26) };
    let m = |rng: &mut StdRng| if rng.random_bool(0.1) { log_uniform(rng, 40) } else { rng.random_range(0..9) };
    let proximity = match rng.random_range(0..3) {
        0 => WhirProximityStrategy::UniqueDecoding,
        1 => WhirProximityStrategy::SplitUniqueList { m: m(rng), list_start_round: rng.random_range(0..4) },
        _ => WhirProximityStrategy::ListDecoding { m: m(rng) },
    };
    SystemParams {
        l_skip,
        n_stack: log_height - l_skip,
        w_stack: log_uniform(rng, 16),
        log_blowup,
        whir: WhirConfig {
            k,
            rounds: (0..num_rounds).map(|_| WhirRoundConfig { num_queries: log_uniform(rng, 10) }).collect(),
            mu_pow_bits: pow_bits(rng),
            query_phase_pow_bits: pow_bits(rng),
            folding_pow_bits: pow_bits(rng),
            proximity,
        },
        logup: LogUpSecurityParameters {
            max_interaction_count: (log_uniform(rng, 31) as u32).min(F::ORDER_U32),
            log_max_message_length: rng.random_range(0..=31),
            pow_bits: pow_bits(rng),
        },
        max_constraint_degree: if rng.random_bool(0.1) { 255 } else { rng.random_range(1..10) },
    }
}

fn draw_bounds(rng: &mut StdRng, params: &SystemParams) -> Bounds {
    Bounds {
        max_constraints_per_air: log_uniform(rng, 17),
        num_airs: log_uniform(rng, 10),
        max_constraint_degree: rng.random_range(1..=params.max_constraint_degree),
        max_log_height: rng.random_range(0..=params.log_stacked_height()),
        num_columns: if rng.random_bool(0.1) { 0 } else { log_uniform(rng, 20) },
        // The calculator stops at fewer.
        num_stacked_columns: log_uniform(rng, 16).max(2),
        n_logup: rng.random_range(usize::from(params.l_skip == 0)..=31),
    }
}

/// What the calculator says of a stored key, with the bounds that it takes from the key.
fn key_value(vectors: &Path, vector: &str) -> Result<Value, Box<dyn Error>> {
    let key: Key = postcard::from_bytes(&fs::read(vectors.join(vector).join("vk.postcard"))?)?;
    // The calculator stops at a key without a constraint, whose AIRs have interactions alone.
    if key.inner.per_air.iter().all(|air| air.symbolic_constraints.constraints.constraint_idx.is_empty()) {
        return Ok(json!({"vector": vector, "bits": null}));
    }
    Ok(json!({"vector": vector, "bits": whole(&SoundnessCalculator::calculate_from_vk(&key))}))
}

fn text(vectors: &Path) -> Result<String, Box<dyn Error>> {
    let mut cases = Vec::new();
    for (name, params, is_app) in presets() {
        cases.push(case(&name, &params, &preset_bounds(&params, is_app))?);
    }
    let mut rng = StdRng::seed_from_u64(SEED);
    for i in 0..NUM_DRAWN {
        let params = draw_params(&mut rng);
        let bounds = draw_bounds(&mut rng, &params);
        cases.push(case(&format!("drawn {i}"), &params, &bounds)?);
    }
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(vectors)? {
        let entry = entry?;
        if entry.path().join("vk.postcard").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let keys = names.iter().map(|name| key_value(vectors, name)).collect::<Result<Vec<_>, _>>()?;
    let lines = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(",\n");
    Ok(format!(
        "{{\"crate\": \"openvm-stark-backend 2.0.1\", \"made_by\": \"interop security --vectors DIR --out FILE\",\n\
         \"cases\": [\n{}\n],\n\"keys\": [\n{}\n]}}\n",
        lines(&cases),
        lines(&keys)
    ))
}

pub fn write(vectors: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    fs::write(out, text(vectors)?)?;
    Ok(())
}

/// Whether the stored values are those of the published calculator.
pub fn recheck(vectors: &Path, list: &Path) -> Result<(), Box<dyn Error>> {
    let stored = fs::read_to_string(list)?;
    let fresh = text(vectors)?;
    if let Some((i, _)) = stored.lines().zip(fresh.lines()).enumerate().find(|(_, (a, b))| a != b) {
        return Err(format!("{}:{}: not what the published calculator says", list.display(), i + 1).into());
    }
    if stored.len() != fresh.len() {
        return Err(format!("{}: {} bytes, expected {}", list.display(), stored.len(), fresh.len()).into());
    }
    println!("{}: {} lines are what the published calculator says", list.display(), fresh.lines().count());
    Ok(())
}
