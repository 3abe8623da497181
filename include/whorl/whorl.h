/* whorl for C, and for every language that calls C: keys, traces, proofs, prover, verifier.
 *
 *   - Every object is behind a handle, made by a function that names it and freed by its ..._free, which takes NULL too. Objects
 *     are independent of each other once a call has returned, except where a comment says "must stay".
 *   - A call that can fail returns a whorl_code. Where it is not WHORL_OK and `error` is not NULL, *error becomes a handle with the
 *     reason, or NULL where there is no memory for one. Outputs are only written on WHORL_OK.
 *   - No C++ exception leaves a call, and none ends the program for what it is given: NULL for a handle, a number out of range and
 *     bytes of any kind are errors. Only a freed or made-up handle is undefined.
 *   - Handles of which no call takes a non-const pointer may be used by several threads at once; any other by one at a time.
 *   - Field elements are words: canonical (WHORL_CANONICAL), or as arithmetic has them (WHORL_MONTGOMERY: x * 2^32 mod p, which is
 *     what Plonky3 keeps). Sizes that depend on the proof system are asked for, e.g. whorl_key_digest_words().
 *   - Structs begin with struct_size, which the caller sets to sizeof the struct: members that a caller was not compiled with are
 *     taken as 0.
 *
 * The first part is in both libraries (whorl::verifier, whorl-verifier.pc), the second in whorl::whorl (whorl.pc) alone.
 */
/* C has no `using`, and its names have the style of C: */
/* NOLINTBEGIN(modernize-use-using, readability-identifier-naming) */
#ifndef WHORL_WHORL_H
#define WHORL_WHORL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* This header. whorl_abi_version() is that of the library: they work together where the library's is no less. */
#define WHORL_ABI_VERSION 1
uint32_t whorl_abi_version(void);
/* "0.1.0" */
const char* whorl_version(void);

/* ---- errors and bytes ---- */

typedef enum whorl_code {
    WHORL_OK = 0,
    WHORL_INVALID_ARGUMENT = 1, /* a call, parameter or trace that does not fit the key */
    WHORL_BAD_FORMAT = 2,       /* bytes that are not a key, a proof or a task */
    WHORL_IO = 3,               /* a file that cannot be read or written */
    WHORL_UNSATISFIED = 4,      /* traces that violate a constraint or leave a bus unbalanced */
    WHORL_MACHINE = 5,          /* memory, threads or a device that this machine does not have */
    WHORL_INTERNAL = 6,         /* a bug in whorl */
    WHORL_CANCELLED = 7,        /* the caller asked the call to stop */
    WHORL_REJECTED = 8          /* whorl_verify: the proof, key or statement is not accepted */
} whorl_code;

typedef struct whorl_error whorl_error;
whorl_code whorl_error_code(const whorl_error* error);
/* The operation, e.g. "prove"; of WHORL_REJECTED the rule that is broken, e.g. "gkr_layer_claim". Stays as long as the error. */
const char* whorl_error_stage(const whorl_error* error);
/* A sentence for a person. Stays as long as the error. */
const char* whorl_error_message(const whorl_error* error);
void whorl_error_free(whorl_error* error);

typedef struct whorl_bytes whorl_bytes;
const uint8_t* whorl_bytes_data(const whorl_bytes* bytes);
size_t whorl_bytes_size(const whorl_bytes* bytes);
void whorl_bytes_free(whorl_bytes* bytes);

typedef enum whorl_form { WHORL_CANONICAL = 0, WHORL_MONTGOMERY = 1 } whorl_form;

/* ---- parameters ---- */

/* Parameters of the proof system (docs/parameters.md): what a key is made with, and a statement may ask for. */
typedef struct whorl_params whorl_params;
typedef enum whorl_proximity {
    WHORL_UNIQUE_DECODING = 0,
    WHORL_SPLIT_UNIQUE_LIST = 1, /* with proximity_m, list_start_round */
    WHORL_LIST_DECODING = 2      /* with proximity_m */
} whorl_proximity;
typedef struct whorl_params_info {
    size_t struct_size;
    uint64_t w_stack;
    uint64_t proximity_m;
    uint64_t list_start_round;
    uint32_t proximity; /* a whorl_proximity */
    uint32_t l_skip;
    uint32_t n_stack;
    uint32_t log_blowup;
    uint32_t whir_k;
    uint32_t num_whir_rounds;
    uint32_t mu_pow_bits;
    uint32_t query_phase_pow_bits;
    uint32_t folding_pow_bits;
    uint32_t logup_pow_bits;
    uint32_t max_interaction_count;
    uint32_t log_max_message_length;
    uint32_t max_constraint_degree;
} whorl_params_info;
/* The published presets of 100 bits: "app", of the given stacked height (log2; 11 to 24), "leaf", "internal", "root" and "hook", whose
 * stacked heights are fixed: for them log_stacked_height is 0. */
whorl_code whorl_params_preset(const char* name, uint32_t log_stacked_height, whorl_params** params,
                               whorl_error** error);
/* All of them; num_queries has a count for each of the info's num_whir_rounds. */
whorl_code whorl_params_new(const whorl_params_info* info, const uint32_t* num_queries, whorl_params** params,
                            whorl_error** error);
void whorl_params_free(whorl_params* params);
/* `info`: NULL where it is not wanted. Up to `capacity` counts are written; the info says how many there are. */
whorl_code whorl_params_read(const whorl_params* params, whorl_params_info* info, uint32_t* num_queries,
                             size_t capacity, whorl_error** error);
/* 1: the same, all of them. 0: not, or one is NULL. */
uint8_t whorl_params_equal(const whorl_params* a, const whorl_params* b);

/* ---- keys ---- */

typedef struct whorl_key whorl_key;
/* A verifying key (vk.postcard), checked. */
whorl_code whorl_key_decode(const uint8_t* bytes, size_t size, whorl_key** key, whorl_error** error);
/* The same, with a name for each AIR of the key ("" where there is none), for messages and task folders. They are copied. */
whorl_code whorl_key_decode_named(const uint8_t* bytes, size_t size, const char* const* air_names, size_t num_names,
                                  whorl_key** key, whorl_error** error);
whorl_code whorl_key_encode(const whorl_key* key, whorl_bytes** bytes, whorl_error** error);
void whorl_key_free(whorl_key* key);
/* The modulus of the field that words are elements of. */
uint32_t whorl_key_modulus(const whorl_key* key);
/* Words of a digest: pre-hash and commitments. */
size_t whorl_key_digest_words(const whorl_key* key);
/* The hash that names the key; `words` has whorl_key_digest_words() canonical words. */
whorl_code whorl_key_pre_hash(const whorl_key* key, uint32_t* words, size_t num_words, whorl_error** error);
/* The parameters that the key was made with. */
whorl_code whorl_key_params(const whorl_key* key, whorl_params** params, whorl_error** error);
/* Bits of security by the published calculator; negative where the parameters are unworkable. */
double whorl_key_security_bits(const whorl_key* key);
/* The bytes of the largest proof that the key admits. */
uint64_t whorl_key_max_proof_bytes(const whorl_key* key);

size_t whorl_key_num_airs(const whorl_key* key);
typedef struct whorl_air_info {
    size_t struct_size;
    uint32_t common_main_width;
    uint32_t num_cached_mains;
    uint32_t preprocessed_width; /* 0: no such part */
    uint32_t num_public_values;
    uint32_t num_constraints;
    uint32_t num_interactions;
    uint8_t is_required;
} whorl_air_info;
whorl_code whorl_key_air(const whorl_key* key, size_t air_id, whorl_air_info* info, whorl_error** error);
/* The columns of cached part `part`. */
whorl_code whorl_key_cached_main_width(const whorl_key* key, size_t air_id, size_t part, uint32_t* width,
                                       whorl_error** error);

/* ---- proofs ---- */

typedef struct whorl_proof whorl_proof;
/* Anything may be in `bytes`; refuse more than whorl_key_max_proof_bytes() of them before reading them. */
whorl_code whorl_proof_decode(const uint8_t* bytes, size_t size, whorl_proof** proof, whorl_error** error);
whorl_code whorl_proof_encode(const whorl_proof* proof, whorl_bytes** bytes, whorl_error** error);
void whorl_proof_free(whorl_proof* proof);
/* What a proof says of an AIR. Not judged: see whorl_verify. */
size_t whorl_proof_num_airs(const whorl_proof* proof);
whorl_code whorl_proof_has_trace(const whorl_proof* proof, size_t air_id, uint8_t* has_trace, whorl_error** error);
whorl_code whorl_proof_height(const whorl_proof* proof, size_t air_id, uint64_t* height, whorl_error** error);
/* Up to `capacity` canonical words are written; *num_words is how many there are. `words` may be NULL where capacity is 0. */
whorl_code whorl_proof_public_values(const whorl_proof* proof, size_t air_id, uint32_t* words, size_t capacity,
                                     size_t* num_words, whorl_error** error);
whorl_code whorl_proof_cached_commitments(const whorl_proof* proof, size_t air_id, uint32_t* words, size_t capacity,
                                          size_t* num_words, whorl_error** error);

/* ---- verifying ---- */

/* What a proof must be about (docs/statement.md). A new one asks for 100 bits of security and nothing else. */
typedef struct whorl_statement whorl_statement;
whorl_code whorl_statement_new(whorl_statement** statement, whorl_error** error);
void whorl_statement_free(whorl_statement* statement);
whorl_code whorl_statement_set_min_security_bits(whorl_statement* statement, double bits, whorl_error** error);
/* The pre-hash of the key that is meant, canonical words. */
whorl_code whorl_statement_set_pre_hash(whorl_statement* statement, const uint32_t* words, size_t num_words,
                                        whorl_error** error);
/* The parameters of the key that is meant. */
whorl_code whorl_statement_set_params(whorl_statement* statement, const whorl_params* params, whorl_error** error);
/* 0: no AIR may have a trace but those that the statement names. A new statement allows others. */
whorl_code whorl_statement_allow_other_airs(whorl_statement* statement, uint8_t is_allowed, whorl_error** error);
/* The AIR must have a trace. */
whorl_code whorl_statement_require_air(whorl_statement* statement, size_t air_id, whorl_error** error);
/* It must have a trace with these public values, canonical words. */
whorl_code whorl_statement_set_public_values(whorl_statement* statement, size_t air_id, const uint32_t* words,
                                             size_t num_words, whorl_error** error);
/* It must have a trace with these cached commitments, one digest after another, canonical words. */
whorl_code whorl_statement_set_cached_commitments(whorl_statement* statement, size_t air_id, const uint32_t* words,
                                                  size_t num_words, whorl_error** error);

/* WHORL_OK: accepted. WHORL_REJECTED: not. WHORL_MACHINE, WHORL_INTERNAL: not judged. `statement` may be NULL: then the proof is
 * judged alone, whatever it is about and however weak the key is. */
whorl_code whorl_verify(const whorl_key* key, const whorl_proof* proof, const whorl_statement* statement,
                        whorl_error** error);

/* ---- transcripts ---- */

/* The Fiat-Shamir transcript of a proof that is part of a larger protocol: it observes what comes before the proof, prover and verifier
 * go on from it, and leave it for what comes after. */
typedef struct whorl_transcript whorl_transcript;
/* In the state that a proof alone begins with. */
whorl_code whorl_transcript_new(const whorl_key* key, whorl_transcript** transcript, whorl_error** error);
void whorl_transcript_free(whorl_transcript* transcript);
/* Canonical words. */
whorl_code whorl_transcript_observe(whorl_transcript* transcript, const uint32_t* words, size_t num_words,
                                    whorl_error** error);
whorl_code whorl_transcript_sample(whorl_transcript* transcript, uint32_t* words, size_t num_words,
                                   whorl_error** error);
/* Its whole state, e.g. for another library's transcript: whorl_transcript_state_words() words, which are the sponge in canonical
 * words, where the next observed word goes, and how many samples are left before the next permutation. */
size_t whorl_transcript_state_words(const whorl_transcript* transcript);
whorl_code whorl_transcript_state(const whorl_transcript* transcript, uint32_t* words, size_t num_words,
                                  whorl_error** error);
whorl_code whorl_transcript_set_state(whorl_transcript* transcript, const uint32_t* words, size_t num_words,
                                      whorl_error** error);
/* whorl_verify of a proof that went on from `transcript` (whorl_control), which is left as the prover's is; where the proof is
 * not accepted, as it was. */
whorl_code whorl_verify_from(const whorl_key* key, const whorl_proof* proof, const whorl_statement* statement,
                             whorl_transcript* transcript, whorl_error** error);

/* ==== whorl::whorl alone ==== */

/* ---- matrices ---- */

/* Columns of field elements; copies of it share what it was made with. */
typedef struct whorl_matrix whorl_matrix;
/* A copy of width * height words, column after column. */
whorl_code whorl_matrix_copy(const uint32_t* words, size_t width, size_t height, whorl_form form, whorl_matrix** matrix,
                             whorl_error** error);
/* No copy: `words` (WHORL_MONTGOMERY) must stay, unchanged, until the matrix, and all that it was put into, are freed. */
whorl_code whorl_matrix_borrow(const uint32_t* words, size_t width, size_t height, whorl_matrix** matrix,
                               whorl_error** error);
/* No copy: `words` (WHORL_MONTGOMERY) is memory of the GPU that a prover works on, e.g. from cudaMalloc. A proof waits on the device
 * for the work that `stream` (a cudaStream_t; NULL: the default stream; NULL where there is no CUDA) has been given by the time of the
 * call, and has read the words when the call returns. They must stay, unchanged, meanwhile. Only provers on that GPU take it. */
whorl_code whorl_matrix_on_device(const void* words, size_t width, size_t height, void* stream, whorl_matrix** matrix,
                                  whorl_error** error);
void whorl_matrix_free(whorl_matrix* matrix);
size_t whorl_matrix_width(const whorl_matrix* matrix);
size_t whorl_matrix_height(const whorl_matrix* matrix);

/* A matrix with its commitment, for many proofs (whorl_prover_commit). */
typedef struct whorl_committed whorl_committed;
void whorl_committed_free(whorl_committed* committed);
/* Canonical words, as many as whorl_key_digest_words(). */
whorl_code whorl_committed_digest(const whorl_committed* committed, uint32_t* words, size_t num_words,
                                  whorl_error** error);

/* ---- traces ---- */

/* The traces of one proof. */
typedef struct whorl_traces whorl_traces;
whorl_code whorl_traces_new(whorl_traces** traces, whorl_error** error);
void whorl_traces_free(whorl_traces* traces);
/* Adds the trace of an AIR. Where all of its columns are cached, `common_main` has width 0 and the trace's height. */
whorl_code whorl_traces_add(whorl_traces* traces, uint32_t air_id, const whorl_matrix* common_main,
                            whorl_error** error);
/* Of the trace that was added last; parts in order. Canonical words. */
whorl_code whorl_traces_set_public_values(whorl_traces* traces, const uint32_t* words, size_t num_words,
                                          whorl_error** error);
whorl_code whorl_traces_add_cached(whorl_traces* traces, const whorl_matrix* part, whorl_error** error);
whorl_code whorl_traces_add_committed(whorl_traces* traces, const whorl_committed* part, whorl_error** error);
whorl_code whorl_traces_set_preprocessed(whorl_traces* traces, const whorl_matrix* part, whorl_error** error);
whorl_code whorl_traces_set_preprocessed_committed(whorl_traces* traces, const whorl_committed* part,
                                                   whorl_error** error);

/* ---- tasks ---- */

/* A task folder (docs/formats.md). The key's and the traces' handles are the caller's. */
whorl_code whorl_task_load(const char* folder, whorl_key** key, whorl_traces** traces, whorl_error** error);
/* Writes such a folder, making it if need be; task.json comes last. `name` is the task's, for messages. Refuses what whorl_task_load
 * refuses, and columns in a GPU's memory. Takes the memory of the columns again that are not borrowed. */
whorl_code whorl_task_save(const char* folder, const char* name, const whorl_key* key, const whorl_traces* traces,
                           whorl_error** error);

/* ---- proving ---- */

typedef struct whorl_prover_options {
    size_t struct_size;
    const char* device;   /* NULL: "cpu"; as --device of the program */
    uint32_t num_threads; /* 0: one per core */
    uint8_t verify_after; /* not 0: each proof is verified before it is returned */
} whorl_prover_options;

/* Called on the thread of the call, and may not call the prover. Not 0: stop. */
typedef int (*whorl_progress)(void* user, double fraction, const char* stage);

/* A flag that ends calls, from any thread or signal handler. */
typedef struct whorl_stop whorl_stop;
whorl_code whorl_stop_new(whorl_stop** stop, whorl_error** error);
void whorl_stop_free(whorl_stop* stop);
void whorl_stop_request(whorl_stop* stop);
/* So that it may be used again. */
void whorl_stop_reset(whorl_stop* stop);

typedef struct whorl_control {
    size_t struct_size;
    whorl_progress progress;     /* NULL: none */
    void* user;                  /* for it */
    const whorl_stop* stop;      /* NULL: none; must stay during the call */
    uint64_t memory_limit_bytes; /* 0: what there is; not for whorl_prover_commit */
    /* The proof goes on from it and leaves its end there; where there is none, it stays as it was. NULL: a new one. No other call may use
     * it meanwhile. Not for whorl_prover_commit. */
    whorl_transcript* transcript;
} whorl_control;

typedef struct whorl_prover whorl_prover;
/* `options` may be NULL. */
whorl_code whorl_prover_new(const whorl_key* key, const whorl_prover_options* options, whorl_prover** prover,
                            whorl_error** error);
void whorl_prover_free(whorl_prover* prover);
/* `control` may be NULL. */
whorl_code whorl_prover_prove(whorl_prover* prover, const whorl_traces* traces, const whorl_control* control,
                              whorl_proof** proof, whorl_error** error);
whorl_code whorl_prover_commit(whorl_prover* prover, const whorl_matrix* matrix, const whorl_control* control,
                               whorl_committed** committed, whorl_error** error);
/* The bytes of device memory that a proof of these traces takes. */
whorl_code whorl_prover_memory_bytes(whorl_prover* prover, const whorl_traces* traces, uint64_t* bytes,
                                     whorl_error** error);
/* Every constraint and bus on every row, without a proof: WHORL_UNSATISFIED with a report where one does not hold. */
whorl_code whorl_check(const whorl_key* key, const whorl_traces* traces, whorl_error** error);

#ifdef __cplusplus
}
#endif

#endif
/* NOLINTEND(modernize-use-using, readability-identifier-naming) */
