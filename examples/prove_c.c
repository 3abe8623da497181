/* From a task folder to a verified proof, in C: `example_prove_c TASK_FOLDER`.
 * Shows progress, and what a proof says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <whorl/whorl.h>

static void end_on_error(whorl_code code, whorl_error* error) {
    if (code == WHORL_OK) return;
    fprintf(stderr, "%s: %s\n", whorl_error_stage(error), whorl_error_message(error));
    whorl_error_free(error);
    exit(code == WHORL_REJECTED ? 1 : code == WHORL_MACHINE ? 3 : 2);
}

static int show_progress(void* user, double fraction, const char* stage) {
    int* calls = user;
    ++*calls;
    printf("%3.0f %% %s\n", 100 * fraction, stage);
    return 0; /* not 0: stop */
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s TASK_FOLDER\n", argv[0]);
        return 2;
    }
    whorl_error* error = NULL;
    whorl_key* key = NULL;
    whorl_traces* traces = NULL;
    end_on_error(whorl_task_load(argv[1], &key, &traces, &error), error);

    const whorl_prover_options options = {.struct_size = sizeof options, .device = "cpu", .verify_after = 0};
    whorl_prover* prover = NULL;
    end_on_error(whorl_prover_new(key, &options, &prover, &error), error);

    int calls = 0;
    const whorl_control control = {.struct_size = sizeof control, .progress = show_progress, .user = &calls};
    whorl_proof* proof = NULL;
    end_on_error(whorl_prover_prove(prover, traces, &control, &proof, &error), error);

    /* A real verifier names what it expects: here that the first AIR has a trace, under any key. */
    whorl_statement* statement = NULL;
    end_on_error(whorl_statement_new(&statement, &error), error);
    end_on_error(whorl_statement_set_min_security_bits(statement, 0, &error), error);
    end_on_error(whorl_statement_require_air(statement, 0, &error), error);
    end_on_error(whorl_verify(key, proof, statement, &error), error);

    whorl_bytes* bytes = NULL;
    end_on_error(whorl_proof_encode(proof, &bytes, &error), error);
    uint64_t height = 0;
    end_on_error(whorl_proof_height(proof, 0, &height, &error), error);
    printf("accepted: %zu bytes, AIR 0 has %llu rows\n", whorl_bytes_size(bytes), (unsigned long long)height);

    whorl_bytes_free(bytes);
    whorl_statement_free(statement);
    whorl_proof_free(proof);
    whorl_prover_free(prover);
    whorl_traces_free(traces);
    whorl_key_free(key);
    return calls > 0 ? 0 : 3;
}
