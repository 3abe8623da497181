//! A task folder in the types of the published crates.

use std::{fs, path::Path, sync::Arc};

use openvm_cpu_backend::{CpuBackend, CpuDevice};
use openvm_stark_backend::{
    keygen::types::MultiStarkVerifyingKey,
    p3_field::PrimeCharacteristicRing,
    p3_matrix::dense::RowMajorMatrix,
    p3_maybe_rayon::prelude::*,
    prover::{
        AirProvingContext, CommittedTraceData, DeviceMultiStarkProvingKey, DeviceStarkProvingKey, ProvingContext,
        TraceCommitter,
    },
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config, F};
use serde_json::Value;

use crate::{Error, error::Code, task::Task};

type SC = BabyBearPoseidon2Config;
type PB = CpuBackend<SC>;

/// What a task folder holds, for a published prover or an engine of this crate.
pub struct ImportedTask {
    /// The task's name.
    pub name: String,
    /// The key of the verifier.
    pub vk: MultiStarkVerifyingKey<SC>,
    /// The key of the prover. AIRs without a trace have no name, and no preprocessed columns.
    pub pk: DeviceMultiStarkProvingKey<PB>,
    /// The traces.
    pub ctx: ProvingContext<PB>,
}

fn bad(folder: &Path, message: &str) -> Error {
    Error::new(Code::BadFormat, "task.import", format!("{}: {message}", folder.display()))
}

/// Reads a folder that [`export_task`](crate::export_task), `save_task` of the C++ library or `whorl task init` have made, and commits to the parts that have a
/// commitment of their own. Fails where whorl does not take the task.
pub fn import_task(folder: &Path) -> Result<ImportedTask, Error> {
    // whorl's own reader checks all that a folder can have wrong; what follows may take it for granted, unless files change meanwhile.
    let task = Task::load(folder)?;
    let vk: MultiStarkVerifyingKey<SC> =
        postcard::from_bytes(&task.key.encode()?).map_err(|error| bad(folder, &format!("the key: {error}")))?;
    drop(task);
    let text = fs::read(folder.join("task.json")).map_err(|error| bad(folder, &error.to_string()))?;
    let json: Value = serde_json::from_slice(&text).map_err(|error| bad(folder, &error.to_string()))?;

    let device = CpuDevice::new(SC::default_from_params(vk.inner.params.clone()));
    let rows = |part: &Value, height: usize| matrix(folder, part, height);
    let committed = |part: &Value, height: usize| -> Result<CommittedTraceData<PB>, Error> {
        let trace = rows(part, height)?;
        let (commitment, data) = TraceCommitter::<PB>::commit(&device, &[&trace])
            .map_err(|error| bad(folder, &format!("a part is not committed: {error}")))?;
        Ok(CommittedTraceData { commitment, trace, data: Arc::new(data) })
    };

    let mut per_air: Vec<_> = vk
        .inner
        .per_air
        .iter()
        .map(|air| DeviceStarkProvingKey {
            air_name: String::new(),
            vk: air.clone(),
            preprocessed_data: None,
            other_data: (),
        })
        .collect();
    let mut per_trace = Vec::new();
    for air in list(&json["airs"]) {
        let air_id = number(folder, &air["air_id"])?;
        let height = number(folder, &air["height"])?;
        let air_pk = per_air.get_mut(air_id).ok_or_else(|| bad(folder, "an AIR that the key has not"))?;
        air_pk.air_name = air["name"].as_str().unwrap_or_default().into();
        if !air["preprocessed"].is_null() {
            air_pk.preprocessed_data = Some(committed(&air["preprocessed"], height)?);
        }
        let common_main = match &air["common_main"] {
            Value::Null => RowMajorMatrix::new(Vec::new(), 0),
            part => rows(part, height)?,
        };
        let cached_mains =
            list(&air["cached_mains"]).iter().map(|part| committed(part, height)).collect::<Result<_, _>>()?;
        let public_values = list(&air["public_values"])
            .iter()
            .map(|value| number(folder, value).map(F::from_usize))
            .collect::<Result<_, _>>()?;
        per_trace.push((air_id, AirProvingContext { cached_mains, common_main, public_values }));
    }
    let pk = DeviceMultiStarkProvingKey::new(
        per_air,
        vk.inner.trace_height_constraints.clone(),
        vk.inner.params.max_constraint_degree,
        vk.inner.params.clone(),
        vk.pre_hash,
    );
    let name = json["name"].as_str().unwrap_or_default().into();
    Ok(ImportedTask { name, vk, pk, ctx: ProvingContext::new(per_trace) })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(folder: &Path, value: &Value) -> Result<usize, Error> {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| bad(folder, &format!("task.json: expected a whole number, found {value}")))
}

/// The rows of a part, which the file has column after column in canonical little-endian words.
fn matrix(folder: &Path, part: &Value, height: usize) -> Result<RowMajorMatrix<F>, Error> {
    let file = folder.join(part["file"].as_str().ok_or_else(|| bad(folder, "task.json: a part without a file"))?);
    let width = number(folder, &part["width"])?;
    let bytes = fs::read(&file).map_err(|error| bad(&file, &error.to_string()))?;
    if height == 0 || width.checked_mul(4 * height) != Some(bytes.len()) {
        return Err(bad(&file, &format!("expected {width} columns of {height} words, found {} bytes", bytes.len())));
    }
    let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
    let mut values = F::zero_vec(width * height);
    values.par_chunks_mut(width.max(1)).enumerate().for_each(|(row, elements)| {
        for (column, element) in elements.iter_mut().enumerate() {
            *element = F::from_u32(word(4 * (column * height + row)));
        }
    });
    Ok(RowMajorMatrix::new(values, width))
}
