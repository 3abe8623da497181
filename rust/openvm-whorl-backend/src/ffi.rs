//! The calls of whorl's C header, `include/whorl/whorl.h`, written out by hand. The header says what each does; `tests/ffi.rs` holds
//! names and argument counts against it.
#![allow(non_camel_case_types, missing_docs)]

use std::{
    ffi::{c_char, c_int, c_void},
    marker::{PhantomData, PhantomPinned},
};

macro_rules! handles {
    ($($name:ident),+ $(,)?) => {
        $(
            #[repr(C)]
            pub struct $name {
                _private: [u8; 0],
                // Neither Send nor Sync nor Unpin: the wrapper of each handle says which it is.
                _marker: PhantomData<(*mut u8, PhantomPinned)>,
            }
        )+
    };
}

handles!(
    whorl_error,
    whorl_bytes,
    whorl_params,
    whorl_key,
    whorl_proof,
    whorl_statement,
    whorl_transcript,
    whorl_matrix,
    whorl_committed,
    whorl_traces,
    whorl_stop,
    whorl_prover,
);

pub const WHORL_ABI_VERSION: u32 = 1;

pub type whorl_code = c_int;
pub const WHORL_OK: whorl_code = 0;
pub const WHORL_INVALID_ARGUMENT: whorl_code = 1;
pub const WHORL_BAD_FORMAT: whorl_code = 2;
pub const WHORL_IO: whorl_code = 3;
pub const WHORL_UNSATISFIED: whorl_code = 4;
pub const WHORL_MACHINE: whorl_code = 5;
pub const WHORL_INTERNAL: whorl_code = 6;
pub const WHORL_CANCELLED: whorl_code = 7;
pub const WHORL_REJECTED: whorl_code = 8;

pub type whorl_form = c_int;
pub const WHORL_CANONICAL: whorl_form = 0;
pub const WHORL_MONTGOMERY: whorl_form = 1;

pub const WHORL_UNIQUE_DECODING: u32 = 0;
pub const WHORL_SPLIT_UNIQUE_LIST: u32 = 1;
pub const WHORL_LIST_DECODING: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct whorl_params_info {
    pub struct_size: usize,
    pub w_stack: u64,
    pub proximity_m: u64,
    pub list_start_round: u64,
    pub proximity: u32,
    pub l_skip: u32,
    pub n_stack: u32,
    pub log_blowup: u32,
    pub whir_k: u32,
    pub num_whir_rounds: u32,
    pub mu_pow_bits: u32,
    pub query_phase_pow_bits: u32,
    pub folding_pow_bits: u32,
    pub logup_pow_bits: u32,
    pub max_interaction_count: u32,
    pub log_max_message_length: u32,
    pub max_constraint_degree: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct whorl_air_info {
    pub struct_size: usize,
    pub common_main_width: u32,
    pub num_cached_mains: u32,
    pub preprocessed_width: u32,
    pub num_public_values: u32,
    pub num_constraints: u32,
    pub num_interactions: u32,
    pub is_required: u8,
}

#[repr(C)]
pub struct whorl_prover_options {
    pub struct_size: usize,
    pub device: *const c_char,
    pub num_threads: u32,
    pub verify_after: u8,
}

pub type whorl_progress = unsafe extern "C" fn(user: *mut c_void, fraction: f64, stage: *const c_char) -> c_int;

#[repr(C)]
pub struct whorl_control {
    pub struct_size: usize,
    pub progress: Option<whorl_progress>,
    pub user: *mut c_void,
    pub stop: *const whorl_stop,
    pub memory_limit_bytes: u64,
    pub transcript: *mut whorl_transcript,
}

unsafe extern "C" {
    pub fn whorl_abi_version() -> u32;
    pub fn whorl_version() -> *const c_char;

    // Errors and bytes.
    pub fn whorl_error_code(error: *const whorl_error) -> whorl_code;
    pub fn whorl_error_stage(error: *const whorl_error) -> *const c_char;
    pub fn whorl_error_message(error: *const whorl_error) -> *const c_char;
    pub fn whorl_error_free(error: *mut whorl_error);
    pub fn whorl_bytes_data(bytes: *const whorl_bytes) -> *const u8;
    pub fn whorl_bytes_size(bytes: *const whorl_bytes) -> usize;
    pub fn whorl_bytes_free(bytes: *mut whorl_bytes);

    // Parameters.
    pub fn whorl_params_preset(
        name: *const c_char,
        log_stacked_height: u32,
        params: *mut *mut whorl_params,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_params_new(
        info: *const whorl_params_info,
        num_queries: *const u32,
        params: *mut *mut whorl_params,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_params_free(params: *mut whorl_params);
    pub fn whorl_params_read(
        params: *const whorl_params,
        info: *mut whorl_params_info,
        num_queries: *mut u32,
        capacity: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_params_equal(a: *const whorl_params, b: *const whorl_params) -> u8;

    // Keys.
    pub fn whorl_key_decode(
        bytes: *const u8,
        size: usize,
        key: *mut *mut whorl_key,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_key_decode_named(
        bytes: *const u8,
        size: usize,
        air_names: *const *const c_char,
        num_names: usize,
        key: *mut *mut whorl_key,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_key_encode(
        key: *const whorl_key,
        bytes: *mut *mut whorl_bytes,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_key_free(key: *mut whorl_key);
    pub fn whorl_key_modulus(key: *const whorl_key) -> u32;
    pub fn whorl_key_digest_words(key: *const whorl_key) -> usize;
    pub fn whorl_key_pre_hash(
        key: *const whorl_key,
        words: *mut u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_key_params(
        key: *const whorl_key,
        params: *mut *mut whorl_params,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_key_security_bits(key: *const whorl_key) -> f64;
    pub fn whorl_key_max_proof_bytes(key: *const whorl_key) -> u64;
    pub fn whorl_key_num_airs(key: *const whorl_key) -> usize;
    pub fn whorl_key_air(
        key: *const whorl_key,
        air_id: usize,
        info: *mut whorl_air_info,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_key_cached_main_width(
        key: *const whorl_key,
        air_id: usize,
        part: usize,
        width: *mut u32,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Proofs.
    pub fn whorl_proof_decode(
        bytes: *const u8,
        size: usize,
        proof: *mut *mut whorl_proof,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_proof_encode(
        proof: *const whorl_proof,
        bytes: *mut *mut whorl_bytes,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_proof_free(proof: *mut whorl_proof);
    pub fn whorl_proof_num_airs(proof: *const whorl_proof) -> usize;
    pub fn whorl_proof_has_trace(
        proof: *const whorl_proof,
        air_id: usize,
        has_trace: *mut u8,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_proof_height(
        proof: *const whorl_proof,
        air_id: usize,
        height: *mut u64,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_proof_public_values(
        proof: *const whorl_proof,
        air_id: usize,
        words: *mut u32,
        capacity: usize,
        num_words: *mut usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_proof_cached_commitments(
        proof: *const whorl_proof,
        air_id: usize,
        words: *mut u32,
        capacity: usize,
        num_words: *mut usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Verifying.
    pub fn whorl_statement_new(statement: *mut *mut whorl_statement, error: *mut *mut whorl_error) -> whorl_code;
    pub fn whorl_statement_free(statement: *mut whorl_statement);
    pub fn whorl_statement_set_min_security_bits(
        statement: *mut whorl_statement,
        bits: f64,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_statement_set_pre_hash(
        statement: *mut whorl_statement,
        words: *const u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_statement_set_params(
        statement: *mut whorl_statement,
        params: *const whorl_params,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_statement_allow_other_airs(
        statement: *mut whorl_statement,
        is_allowed: u8,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_statement_require_air(
        statement: *mut whorl_statement,
        air_id: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_statement_set_public_values(
        statement: *mut whorl_statement,
        air_id: usize,
        words: *const u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_statement_set_cached_commitments(
        statement: *mut whorl_statement,
        air_id: usize,
        words: *const u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_verify(
        key: *const whorl_key,
        proof: *const whorl_proof,
        statement: *const whorl_statement,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Transcripts.
    pub fn whorl_transcript_new(
        key: *const whorl_key,
        transcript: *mut *mut whorl_transcript,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_transcript_free(transcript: *mut whorl_transcript);
    pub fn whorl_transcript_observe(
        transcript: *mut whorl_transcript,
        words: *const u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_transcript_sample(
        transcript: *mut whorl_transcript,
        words: *mut u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_transcript_state_words(transcript: *const whorl_transcript) -> usize;
    pub fn whorl_transcript_state(
        transcript: *const whorl_transcript,
        words: *mut u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_transcript_set_state(
        transcript: *mut whorl_transcript,
        words: *const u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_verify_from(
        key: *const whorl_key,
        proof: *const whorl_proof,
        statement: *const whorl_statement,
        transcript: *mut whorl_transcript,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Matrices.
    pub fn whorl_matrix_copy(
        words: *const u32,
        width: usize,
        height: usize,
        form: whorl_form,
        matrix: *mut *mut whorl_matrix,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_matrix_borrow(
        words: *const u32,
        width: usize,
        height: usize,
        matrix: *mut *mut whorl_matrix,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_matrix_on_device(
        words: *const c_void,
        width: usize,
        height: usize,
        stream: *mut c_void,
        matrix: *mut *mut whorl_matrix,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_matrix_free(matrix: *mut whorl_matrix);
    pub fn whorl_matrix_width(matrix: *const whorl_matrix) -> usize;
    pub fn whorl_matrix_height(matrix: *const whorl_matrix) -> usize;
    pub fn whorl_committed_free(committed: *mut whorl_committed);
    pub fn whorl_committed_digest(
        committed: *const whorl_committed,
        words: *mut u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Traces.
    pub fn whorl_traces_new(traces: *mut *mut whorl_traces, error: *mut *mut whorl_error) -> whorl_code;
    pub fn whorl_traces_free(traces: *mut whorl_traces);
    pub fn whorl_traces_add(
        traces: *mut whorl_traces,
        air_id: u32,
        common_main: *const whorl_matrix,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_traces_set_public_values(
        traces: *mut whorl_traces,
        words: *const u32,
        num_words: usize,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_traces_add_cached(
        traces: *mut whorl_traces,
        part: *const whorl_matrix,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_traces_add_committed(
        traces: *mut whorl_traces,
        part: *const whorl_committed,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_traces_set_preprocessed(
        traces: *mut whorl_traces,
        part: *const whorl_matrix,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_traces_set_preprocessed_committed(
        traces: *mut whorl_traces,
        part: *const whorl_committed,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Tasks.
    pub fn whorl_task_load(
        folder: *const c_char,
        key: *mut *mut whorl_key,
        traces: *mut *mut whorl_traces,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_task_save(
        folder: *const c_char,
        name: *const c_char,
        key: *const whorl_key,
        traces: *const whorl_traces,
        error: *mut *mut whorl_error,
    ) -> whorl_code;

    // Proving.
    pub fn whorl_stop_new(stop: *mut *mut whorl_stop, error: *mut *mut whorl_error) -> whorl_code;
    pub fn whorl_stop_free(stop: *mut whorl_stop);
    pub fn whorl_stop_request(stop: *mut whorl_stop);
    pub fn whorl_stop_reset(stop: *mut whorl_stop);
    pub fn whorl_prover_new(
        key: *const whorl_key,
        options: *const whorl_prover_options,
        prover: *mut *mut whorl_prover,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_prover_free(prover: *mut whorl_prover);
    pub fn whorl_prover_prove(
        prover: *mut whorl_prover,
        traces: *const whorl_traces,
        control: *const whorl_control,
        proof: *mut *mut whorl_proof,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_prover_commit(
        prover: *mut whorl_prover,
        matrix: *const whorl_matrix,
        control: *const whorl_control,
        committed: *mut *mut whorl_committed,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_prover_memory_bytes(
        prover: *mut whorl_prover,
        traces: *const whorl_traces,
        bytes: *mut u64,
        error: *mut *mut whorl_error,
    ) -> whorl_code;
    pub fn whorl_check(key: *const whorl_key, traces: *const whorl_traces, error: *mut *mut whorl_error) -> whorl_code;
}
