//! One drawn case: parameters, AIRs, traces; its keys and the published proof.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use openvm_stark_backend::{
    FiatShamirTranscript, StarkEngine, StarkProtocolConfig, SystemParams,
    codec::Encode,
    keygen::{MultiStarkKeygenBuilder, types::MultiStarkProvingKey},
    p3_field::{PrimeCharacteristicRing, PrimeField32},
    proof::Proof,
    prover::{
        AirProvingContext, ColMajorMatrix, CommittedTraceData, CpuColMajorBackend, DeviceDataTransporter,
        ProvingContext, stacked_pcs::stacked_commit,
    },
};
use openvm_stark_sdk::{
    config::baby_bear_poseidon2::{BabyBearPoseidon2CpuEngine, BabyBearPoseidon2RefEngine, Digest, DuplexSponge, F},
    p3_baby_bear::Poseidon2BabyBear,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};

use crate::{
    air::{DrawnAir, Limits, Spec, Wanted, first_violation},
    altered::{Config, Key},
    expr::Rows,
    plan::Plan,
};

/// The published transcript, but for the search of a proof-of-work witness: upward from 0. The published one takes the
/// first that any thread finds, so its bytes may differ from run to run.
#[derive(Clone)]
pub struct SmallestWitness(DuplexSponge);

impl From<Poseidon2BabyBear<16>> for SmallestWitness {
    fn from(permutation: Poseidon2BabyBear<16>) -> Self {
        Self(permutation.into())
    }
}

impl FiatShamirTranscript<Config> for SmallestWitness {
    fn observe(&mut self, value: F) {
        FiatShamirTranscript::<Config>::observe(&mut self.0, value);
    }

    fn sample(&mut self) -> F {
        FiatShamirTranscript::<Config>::sample(&mut self.0)
    }

    fn observe_commit(&mut self, digest: Digest) {
        FiatShamirTranscript::<Config>::observe_commit(&mut self.0, digest);
    }

    fn grind(&mut self, bits: usize) -> F {
        if bits == 0 {
            return F::ZERO;
        }
        let is_witness = |w: &F| FiatShamirTranscript::<Config>::check_witness(&mut self.0.clone(), bits, *w);
        let witness = (0..F::ORDER_U32).map(F::from_u32).find(is_witness).expect("some witness passes");
        assert!(FiatShamirTranscript::<Config>::check_witness(&mut self.0, bits, witness));
        witness
    }
}

struct DrawnTrace {
    spec: Arc<Spec>,
    rows: Rows,
    is_present: bool,
    is_required: bool,
}

/// A task drawn from a seed.
pub struct Case {
    pub name: String,
    params: SystemParams,
    airs: Vec<DrawnTrace>,
    is_at_edges: bool,
}

/// The published crates' view of a case.
pub struct Published {
    pub key: Key,
    /// Empty where the published prover panics.
    pub proof: Vec<u8>,
    pub engine: &'static str,
}

/// How often each message was sent on a bus.
type Balance = BTreeMap<Vec<u32>, F>;

fn tally(traces: &[DrawnTrace], wanted: &Wanted) -> Balance {
    let mut balance = Balance::new();
    for trace in traces {
        for interaction in trace.spec.interactions.iter().filter(|i| i.bus == wanted.bus) {
            for row in 0..trace.rows.height {
                let message = interaction.message.iter().map(|m| m.eval(&trace.rows, row).as_canonical_u32());
                *balance.entry(message.collect()).or_insert(F::ZERO) += interaction.count.eval(&trace.rows, row);
            }
        }
    }
    balance.retain(|_, count| *count != F::ZERO);
    balance
}

/// Columns of a table that receives all of `balance`: message columns, then the count. Some messages take two rows.
fn table_columns(rng: &mut StdRng, balance: Balance, length: usize) -> (usize, Vec<Vec<F>>) {
    let mut table: Vec<(Vec<F>, F)> = Vec::new();
    for (message, count) in balance {
        let message: Vec<F> = message.into_iter().map(F::from_u32).collect();
        if rng.random_bool(0.1) {
            let some = F::from_u32(rng.random_range(0..F::ORDER_U32));
            table.push((message.clone(), some));
            table.push((message, count - some));
        } else {
            table.push((message, count));
        }
    }
    let log_height = table.len().max(1).next_power_of_two().ilog2() as usize;
    table.resize_with(1 << log_height, || {
        ((0..length).map(|_| F::from_u32(rng.random_range(0..F::ORDER_U32))).collect(), F::ZERO)
    });
    table.shuffle(rng);
    let mut columns: Vec<Vec<F>> = (0..length).map(|i| table.iter().map(|(m, _)| m[i]).collect()).collect();
    columns.push(table.iter().map(|(_, count)| *count).collect());
    (log_height, columns)
}

impl Case {
    pub fn draw(seed: u64, index: usize) -> Result<Case, Box<dyn Error>> {
        let name = format!("case_{seed}_{index}");
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index as u64));
        let rng = &mut rng;
        let plan = Plan::draw(rng);
        let limits = Limits {
            degree: plan.degree,
            max_message_length: plan.max_message_length(),
            is_at_edges: plan.is_at_edges,
        };
        let mut buses = plan.buses.clone();
        buses.shuffle(rng);
        let (own, cross) = buses.split_at(3);
        let wanted: Vec<Wanted> = cross[..rng.random_range(0..3)]
            .iter()
            .map(|&bus| Wanted { bus, length: rng.random_range(1..=limits.max_message_length.min(5)) })
            .collect();

        let mut airs: Vec<DrawnTrace> = Vec::new();
        let common_height = plan.draw_log_height(rng);
        for _ in 0..plan.num_airs {
            let own_buses: Vec<u16> = own.iter().copied().filter(|_| rng.random_bool(0.3)).collect();
            let sends: Vec<Wanted> = wanted
                .iter()
                .filter(|_| rng.random_bool(0.6))
                .map(|w| Wanted { bus: w.bus, length: w.length })
                .collect();
            let mut air_limits = Limits { ..limits };
            air_limits.degree = rng.random_range(limits.degree.min(2)..=limits.degree);
            let spec = Arc::new(Spec::draw(rng, &air_limits, &own_buses, &sends));
            // The same AIR twice, and equal heights, are cases of their own.
            for _ in 0..if rng.random_bool(0.15) { 2 } else { 1 } {
                let log_height = if rng.random_bool(0.4) { common_height } else { plan.draw_log_height(rng) };
                let rows = spec.fill(rng, log_height, &[]);
                let is_required = rng.random_bool(0.3);
                airs.push(DrawnTrace { spec: spec.clone(), rows, is_present: true, is_required });
            }
        }
        for wanted in &wanted {
            let spec = Arc::new(Spec::draw_table(rng, &limits, wanted));
            let (log_height, columns) = table_columns(rng, tally(&airs, wanted), wanted.length);
            let rows = spec.fill(rng, log_height, &columns);
            airs.push(DrawnTrace { spec, rows, is_present: true, is_required: false });
        }
        for _ in 0..[0, 0, 0, 1, 2][rng.random_range(0..5)] {
            let spec = Arc::new(Spec::draw(rng, &limits, &own[..1], &wanted));
            // Its preprocessed columns must fit the stacked height, which is at least the skip domain and two.
            let rows = spec.fill(rng, plan.l_skip.clamp(1, 2), &[]);
            airs.push(DrawnTrace { spec, rows, is_present: false, is_required: false });
        }
        airs.shuffle(rng);

        for (air_id, air) in airs.iter().enumerate() {
            if let Some((constraint, row)) = first_violation(&air.spec, &air.rows) {
                return Err(format!("{name}: AIR {air_id} breaks its constraint {constraint} in row {row}").into());
            }
        }
        let present = airs.iter().filter(|air| air.is_present);
        let max_log_height = present.map(|air| air.rows.height.ilog2() as usize).max().unwrap_or(0);
        let params = plan.draw_params(rng, max_log_height);
        let mut case = Case { name, params, airs, is_at_edges: plan.is_at_edges };
        if plan.is_at_edges && rng.random_bool(0.5) {
            case.tighten_limits();
        }
        Ok(case)
    }

    /// Sets the limits of the key to what the traces need, and no more.
    fn tighten_limits(&mut self) {
        let (l_skip, n_stack) = (self.params.l_skip, self.params.n_stack);
        let lifted = |air: &DrawnTrace| air.rows.height.max(1 << l_skip);
        let stacked = |cells: usize| cells.div_ceil(1 << (l_skip + n_stack));
        let mut common_cells = 0;
        let mut width = 0;
        let mut interactions = 0;
        for (_, air) in self.present() {
            common_cells += air.spec.common_width * lifted(air);
            width += air.spec.cached_widths.iter().map(|w| stacked(w * lifted(air))).sum::<usize>();
            width += stacked(air.spec.prep_width * lifted(air));
            interactions += air.spec.interactions.len() * lifted(air);
        }
        // The height constraint asks for less than the limit.
        self.params.logup.max_interaction_count = interactions as u32 + 1;
        self.params.w_stack = width + stacked(common_cells);
    }

    /// A drawn AIR beside one of degree 0 that has interactions.
    pub fn constant_interactions(seed: u64) -> Case {
        let rng = &mut StdRng::seed_from_u64(seed);
        let plan = Plan { degree: 3, log_max_message_length: 3, ..Plan::in_the_middle(rng) };
        let limits = Limits { degree: plan.degree, max_message_length: plan.max_message_length(), is_at_edges: false };
        let specs = [Spec::draw(rng, &limits, &[1], &[]), Spec::constant_interactions()];
        let airs: Vec<DrawnTrace> = specs
            .into_iter()
            .map(|spec| {
                let rows = spec.fill(rng, 3, &[]);
                DrawnTrace { spec: Arc::new(spec), rows, is_present: true, is_required: false }
            })
            .collect();
        let params = plan.draw_params(rng, 3);
        Case { name: format!("constant_interactions_{seed}"), params, airs, is_at_edges: false }
    }

    fn present(&self) -> impl Iterator<Item = (usize, &DrawnTrace)> {
        self.airs.iter().enumerate().filter(|(_, air)| air.is_present)
    }

    pub fn l_skip(&self) -> usize {
        self.params.l_skip
    }

    /// log2 of the tallest trace's height.
    pub fn log_height(&self) -> usize {
        self.present().map(|(_, air)| air.rows.height.ilog2() as usize).max().unwrap_or(0)
    }

    /// A line on what was drawn.
    pub fn summary(&self) -> String {
        let p = &self.params;
        let heights: Vec<String> =
            self.airs.iter().map(|air| if air.is_present { air.rows.height.to_string() } else { "-".into() }).collect();
        let count = |f: fn(&Spec) -> usize| self.airs.iter().map(|air| f(&air.spec)).sum::<usize>();
        format!(
            "{} l_skip {} n_stack {} blowup {} k {} rounds {} degree {} heights [{}] cached {} preprocessed {} \
             interactions {}",
            if self.is_at_edges { "edges" } else { "middle" },
            p.l_skip,
            p.n_stack,
            p.log_blowup,
            p.whir.k,
            p.whir.rounds.len(),
            p.max_constraint_degree,
            heights.join(" "),
            count(|spec| spec.cached_widths.len()),
            count(|spec| usize::from(spec.prep_width > 0)),
            count(|spec| spec.interactions.len()),
        )
    }

    fn proving_key(&self, config: &Config) -> Result<MultiStarkProvingKey<Config>, Box<dyn Error>> {
        let mut keygen = MultiStarkKeygenBuilder::new(config.clone());
        for air in &self.airs {
            let drawn = Arc::new(DrawnAir { spec: air.spec.clone(), prep: air.rows.prep.clone() });
            if air.is_required {
                keygen.add_required_air(drawn);
            } else {
                keygen.add_air(drawn);
            }
        }
        Ok(keygen.generate_pk()?)
    }

    fn proving_context(&self, config: &Config) -> Result<ProvingContext<CpuColMajorBackend<Config>>, Box<dyn Error>> {
        let mut per_trace = Vec::new();
        for (air_id, air) in self.present() {
            let mut parts: Vec<ColMajorMatrix<F>> =
                air.spec.parts(&air.rows).into_iter().map(|c| ColMajorMatrix::new(c.concat(), c.len())).collect();
            let common_main = parts.pop().expect("the common main is the last part");
            let mut cached_mains = Vec::new();
            for trace in parts {
                let p = &self.params;
                let (commitment, data) =
                    stacked_commit(config.hasher(), p.l_skip, p.n_stack, p.log_blowup, p.k_whir(), &[&trace])?;
                cached_mains.push(CommittedTraceData { commitment, trace, data: Arc::new(data) });
            }
            per_trace.push((air_id, AirProvingContext::new(cached_mains, common_main, air.rows.public_values.clone())));
        }
        Ok(ProvingContext::new(per_trace))
    }

    fn prove_with<E>(&self) -> Result<(Key, Proof<Config>), Box<dyn Error>>
    where
        E: StarkEngine<SC = Config>,
    {
        let engine = E::new(self.params.clone());
        let pk = self.proving_key(engine.config())?;
        let context = self.proving_context(engine.config())?;
        let device = engine.device();
        let device_pk = device.transport_pk_to_device(&pk);
        let device_context = device.transport_proving_ctx_to_device(&context);
        let proof = engine.prove(&device_pk, device_context).map_err(|error| format!("published prover: {error:?}"))?;
        Ok((pk.get_vk(), proof))
    }

    /// Proves with one of the two published CPU engines. Both panic on some traces (l_skip 0 and one row in each): then there is a
    /// key and no proof.
    pub fn prove(&self, with_row_major_engine: bool) -> Result<Published, Box<dyn Error>> {
        let (proved, engine) = if with_row_major_engine {
            let prove = || self.prove_with::<BabyBearPoseidon2CpuEngine<SmallestWitness>>();
            (catch_unwind(AssertUnwindSafe(prove)), "cpu-backend")
        } else {
            let prove = || self.prove_with::<BabyBearPoseidon2RefEngine<SmallestWitness>>();
            (catch_unwind(AssertUnwindSafe(prove)), "reference")
        };
        match proved {
            Ok(proved) => {
                let (key, proof) = proved?;
                Ok(Published { key, proof: proof.encode_to_vec()?, engine })
            }
            Err(_) => {
                let engine = BabyBearPoseidon2RefEngine::<SmallestWitness>::new(self.params.clone());
                let key = self.proving_key(engine.config())?.get_vk();
                Ok(Published { key, proof: Vec::new(), engine: "the published prover panics" })
            }
        }
    }

    /// Writes the task folder (tests/vectors/README.md), the published proof in it as `proof.bin`.
    pub fn write(&self, dir: &Path, published: &Published) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(dir)?;
        let mut airs = Vec::new();
        for (air_id, air) in self.present() {
            let part = |suffix: &str, columns: &[Vec<F>]| -> Result<Value, Box<dyn Error>> {
                let file = format!("air{air_id}_{suffix}.bin");
                let words = columns.iter().flatten();
                let bytes: Vec<u8> = words.flat_map(|x| x.as_canonical_u32().to_le_bytes()).collect();
                fs::write(dir.join(&file), bytes)?;
                Ok(json!({"file": file, "width": columns.len()}))
            };
            let mut parts = air.spec.parts(&air.rows);
            let common = parts.pop().expect("the common main is the last part");
            let cached: Result<Vec<Value>, _> =
                parts.iter().enumerate().map(|(k, columns)| part(&format!("cached{k}"), columns)).collect();
            let preprocessed =
                if air.rows.prep.is_empty() { Value::Null } else { part("preprocessed", &air.rows.prep)? };
            let public_values: Vec<u32> = air.rows.public_values.iter().map(F::as_canonical_u32).collect();
            airs.push(json!({
                "air_id": air_id,
                "cached_mains": cached?,
                "common_main": part("main", &common)?,
                "height": air.rows.height,
                "name": format!("DrawnAir{air_id}"),
                "preprocessed": preprocessed,
                "public_values": public_values,
            }));
        }
        let task = json!({
            "airs": airs,
            "format": 1,
            "name": self.name,
            "num_airs": self.airs.len(),
            "params": serde_json::to_value(&self.params)?,
            "proof": "proof.bin",
            "vk": "vk.postcard",
            "vk_pre_hash": published.key.pre_hash.map(|x| x.as_canonical_u32()),
        });
        fs::write(dir.join("task.json"), serde_json::to_string_pretty(&task)?)?;
        fs::write(dir.join("vk.postcard"), postcard::to_allocvec(&published.key)?)?;
        fs::write(dir.join("proof.bin"), &published.proof)?;
        Ok(())
    }
}
