//! Task folders (docs/formats.md) in the types of the published crates.

use std::{fs, path::Path, sync::Arc};

use openvm_stark_backend::{
    StarkProtocolConfig,
    keygen::types::{MultiStarkProvingKey, MultiStarkVerifyingKey, StarkProvingKey},
    p3_field::PrimeCharacteristicRing,
    prover::{
        AirProvingContext, ColMajorMatrix, CommittedTraceData, CpuColMajorBackend, ProvingContext,
        stacked_pcs::stacked_commit,
    },
};
use openvm_stark_sdk::config::baby_bear_poseidon2::{BabyBearPoseidon2Config as Config, F};
use serde_json::Value;

use crate::Failure;

pub struct Task {
    pub name: String,
    pub pk: MultiStarkProvingKey<Config>,
    pub vk: MultiStarkVerifyingKey<Config>,
    pub context: ProvingContext<CpuColMajorBackend<Config>>,
}

/// Column after column of little-endian u32, canonical.
fn matrix(folder: &Path, part: &Value, height: usize) -> Result<ColMajorMatrix<F>, Failure> {
    let file = folder.join(part["file"].as_str().ok_or("a part has no file")?);
    let width = part["width"].as_u64().ok_or("a part has no width")? as usize;
    let bytes = fs::read(&file)?;
    if bytes.len() != 4 * width * height {
        return Err(format!("{}: {} bytes, expected {width} columns of {height}", file.display(), bytes.len()).into());
    }
    let values = bytes.chunks_exact(4).map(|word| F::from_u32(u32::from_le_bytes(word.try_into().unwrap()))).collect();
    Ok(ColMajorMatrix::new(values, width))
}

/// The key's AIRs with what a prover needs beside the verifying key. Preprocessed columns are not supported.
fn proving_key(vk: &MultiStarkVerifyingKey<Config>, names: &[String]) -> Result<MultiStarkProvingKey<Config>, Failure> {
    let mut per_air = Vec::new();
    for (air_id, air) in vk.inner.per_air.iter().enumerate() {
        if air.preprocessed_data.is_some() {
            return Err(format!("AIR {air_id} has preprocessed columns").into());
        }
        per_air.push(StarkProvingKey { air_name: names[air_id].clone(), vk: air.clone(), preprocessed_data: None });
    }
    Ok(MultiStarkProvingKey {
        per_air,
        trace_height_constraints: vk.inner.trace_height_constraints.clone(),
        max_constraint_degree: vk.inner.params.max_constraint_degree,
        params: vk.inner.params.clone(),
        vk_pre_hash: vk.pre_hash,
    })
}

pub fn load(folder: &Path) -> Result<Task, Failure> {
    let json: Value = serde_json::from_slice(&fs::read(folder.join("task.json"))?)?;
    let key_file = json["vk"].as_str().ok_or("task.json names no key")?;
    let vk: MultiStarkVerifyingKey<Config> = postcard::from_bytes(&fs::read(folder.join(key_file))?)?;
    let config = Config::default_from_params(vk.inner.params.clone());
    let p = config.params();
    let mut names = vec![String::from("absent"); vk.inner.per_air.len()];
    let mut per_trace = Vec::new();
    for air in json["airs"].as_array().ok_or("task.json has no airs")? {
        let air_id = air["air_id"].as_u64().ok_or("an AIR has no air_id")? as usize;
        let height = air["height"].as_u64().ok_or("an AIR has no height")? as usize;
        names[air_id] = air["name"].as_str().unwrap_or_default().into();
        let mut cached_mains = Vec::new();
        for part in air["cached_mains"].as_array().into_iter().flatten() {
            let trace = matrix(folder, part, height)?;
            let (commitment, data) =
                stacked_commit(config.hasher(), p.l_skip, p.n_stack, p.log_blowup, p.k_whir(), &[&trace])
                    .map_err(|error| format!("commit: {error:?}"))?;
            cached_mains.push(CommittedTraceData { commitment, trace, data: Arc::new(data) });
        }
        let common_main = matrix(folder, &air["common_main"], height)?;
        let public_values = air["public_values"].as_array().into_iter().flatten();
        let public_values = public_values.map(|x| F::from_u32(x.as_u64().unwrap_or_default() as u32)).collect();
        per_trace.push((air_id, AirProvingContext { cached_mains, common_main, public_values }));
    }
    let pk = proving_key(&vk, &names)?;
    let name = json["name"].as_str().unwrap_or_default().into();
    Ok(Task { name, pk, vk, context: ProvingContext::new(per_trace) })
}
