/* What a dishonest pod can try with evidence that is genuine but not its own.
 *
 *   attacker replay|other-key COORDINATOR TSM
 *
 * It speaks to the coordinator's mesh API twice. The first connection is an
 * honest pod's, and the evidence it shows is kept. The second shows the same
 * evidence again, to another nonce of the coordinator: with the same key
 * ("replay"), or with a key of the attacker's own ("other-key").
 *
 * For `make demo` and the tests. Exit code: 0 when the coordinator gives out a
 * certificate, 1 when it refuses, 2 usage, 3 when the honest part fails. */
#include <stdio.h>
#include <string.h>

#include "atls/issuer.h"
#include "base/limits.h"
#include "crypto/random.h"
#include "service/client.h"

enum {
    ARENA_BYTES = 4 * 1024 * 1024,
    DEADLINE_MS = 30000,
};

/* An issuer that records, and one that plays back. */
struct tape {
    const struct atls_issuer *honest;
    enum evidence_oid oid;
    struct buffer evidence;
};

static enum assay_status
record(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
       enum evidence_oid *oid, struct buffer *evidence, struct assay_error *err)
{
    struct tape *tape = ctx;
    enum assay_status st = tape->honest->issue(
        tape->honest->ctx, report_data, &tape->oid, &tape->evidence, err);

    *oid = tape->oid;
    if (st == ASSAY_OK)
        buffer_add(evidence, buffer_span(&tape->evidence));
    return st;
}

static enum assay_status
play(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
     enum evidence_oid *oid, struct buffer *evidence, struct assay_error *err)
{
    const struct tape *tape = ctx;

    (void)report_data; /* the nonce we should have answered */
    (void)err;
    *oid = tape->oid;
    buffer_add(evidence, buffer_span(&tape->evidence));
    return ASSAY_OK;
}

static enum assay_status
ask_for_certificate(const char *target, const struct atls_issuer *issuer,
                    const struct key *key, struct assay_error *err)
{
    const struct atls_params params = { .issuer = issuer,
                                        .key = key,
                                        .clock = &clock_system,
                                        .random = &random_system };
    const struct coordinator coordinator = { .target = target,
                                             .params = &params,
                                             .deadline_ms = DEADLINE_MS };
    struct mesh_cert cert = { 0 };
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, ARENA_BYTES, NULL);
    st = coordinator_new_mesh_cert(&coordinator, &arena, &cert, err);
    if (st == ASSAY_OK)
        mesh_cert_wipe(&cert);
    arena_drop(&arena);
    return st;
}

static int
attack(bool other_key, const char *target, const char *tsm)
{
    struct issue_config config = { .collect = { .tsm_path = tsm,
                                                .random = &random_system },
                                   .vmpl = COLLECT_VMPL_DEFAULT };
    struct atls_issuer honest, recorder, player;
    struct tape tape = { .honest = &honest };
    struct key *own = NULL, *victim = NULL;
    struct assay_error err = { 0 };
    int code = 3;

    atls_vm_issuer_init(&honest, &config);
    recorder = (struct atls_issuer){ record, &tape };
    player = (struct atls_issuer){ play, &tape };
    buffer_init(&tape.evidence, LIMIT_EVIDENCE_BYTES, NULL);
    if (key_generate(KEY_P256, &victim, &err) != ASSAY_OK ||
        key_generate(KEY_P256, &own, &err) != ASSAY_OK ||
        ask_for_certificate(target, &recorder, victim, &err) != ASSAY_OK) {
        fprintf(stderr, "attacker: the honest part failed: %s\n", err.text);
        goto out;
    }
    fprintf(stderr,
            "attacker: an honest pod was admitted; its evidence, %zu "
            "bytes, is kept\n",
            tape.evidence.len);
    code = ask_for_certificate(target, &player, other_key ? own : victim,
                               &err) == ASSAY_OK
               ? 0
               : 1;
    fprintf(stderr, "attacker: %s\n", code == 0 ? "admitted" : err.text);
out:
    buffer_free(&tape.evidence);
    key_free(own);
    key_free(victim);
    return code;
}

int
main(int argc, char **argv)
{
    bool replay = argc == 4 && strcmp(argv[1], "replay") == 0;
    bool other_key = argc == 4 && strcmp(argv[1], "other-key") == 0;

    if (!replay && !other_key) {
        fprintf(stderr, "usage: attacker replay|other-key COORDINATOR TSM\n");
        return 2;
    }
    return attack(other_key, argv[2], argv[3]);
}
