/* A key and a proof from files to an exit code, in C, with whorl::verifier alone: `example_verify_c KEY PROOF`. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <whorl/whorl.h>

/* The file's bytes; NULL where it cannot be read or has more than `limit`. */
static uint8_t* read_file(const char* path, size_t limit, size_t* size) {
    FILE* file = fopen(path, "rb");
    if (file == NULL) return NULL;
    size_t capacity = 1 << 16;
    uint8_t* bytes = malloc(capacity);
    *size = 0;
    while (bytes != NULL) {
        *size += fread(bytes + *size, 1, capacity - *size, file);
        if (*size < capacity) break;
        capacity *= 2;
        uint8_t* larger = *size > limit ? NULL : realloc(bytes, capacity);
        if (larger == NULL) free(bytes);
        bytes = larger;
    }
    const int failed = ferror(file) || *size > limit;
    fclose(file);
    if (!failed) return bytes;
    free(bytes);
    return NULL;
}

static int report(whorl_code code, whorl_error* error) {
    if (code == WHORL_REJECTED) {
        printf("rejected: %s\n", whorl_error_message(error));
    } else {
        fprintf(stderr, "%s: %s\n", whorl_error_stage(error), whorl_error_message(error));
    }
    whorl_error_free(error);
    return code == WHORL_REJECTED ? 1 : code == WHORL_MACHINE || code == WHORL_INTERNAL ? 3 : 2;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s KEY PROOF\n", argv[0]);
        return 2;
    }
    whorl_error* error = NULL;
    whorl_key* key = NULL;
    whorl_proof* proof = NULL;
    size_t size = 0;
    uint8_t* bytes = read_file(argv[1], (size_t)1 << 28, &size);
    if (bytes == NULL) return fprintf(stderr, "%s cannot be read\n", argv[1]), 2;
    whorl_code code = whorl_key_decode(bytes, size, &key, &error);
    free(bytes);
    if (code != WHORL_OK) return report(code, error);

    bytes = read_file(argv[2], whorl_key_max_proof_bytes(key), &size);
    if (bytes == NULL) {
        whorl_key_free(key);
        return fprintf(stderr, "%s cannot be read, or is longer than any proof of the key\n", argv[2]), 2;
    }
    code = whorl_proof_decode(bytes, size, &proof, &error);
    free(bytes);
    /* NULL: the proof alone is judged. A service passes a statement of what it expects. */
    if (code == WHORL_OK) code = whorl_verify(key, proof, NULL, &error);
    if (code == WHORL_OK) printf("accepted; the key has %.0f bits of security\n", whorl_key_security_bits(key));
    whorl_proof_free(proof);
    whorl_key_free(key);
    return code == WHORL_OK ? 0 : report(code, error);
}
