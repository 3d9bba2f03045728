#include "cli/commands.h"

#include "base/limits.h"
#include "codec/json.h"
#include "common/output.h"
#include "crypto/digest.h"

struct values {
    unsigned output;
};

static const struct option options[] = {
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

static void
render(const struct values *v, const uint8_t hash[SHA256_SIZE],
       struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    if (v->output == OUTPUT_JSON) {
        jw_object(&w);
        jw_put_hex(&w, "sha256", span_of(hash, SHA256_SIZE));
        jw_end(&w);
    } else {
        buffer_add_hex(out, span_of(hash, SHA256_SIZE));
    }
    buffer_add_str(out, "\n");
}

static int
run(struct invocation *inv)
{
    uint8_t hash[SHA256_SIZE];
    struct assay_error err = { 0 };
    struct buffer out;
    struct span file;
    int code =
        read_input(inv, inv->operands.items[0], LIMIT_MANIFEST_BYTES, &file);

    if (code != EXIT_YES)
        return code;
    if (digest_sha256(file, hash, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    buffer_init(&out, 4096, NULL);
    render(inv->values, hash, &out);
    return print_buffer(inv, &out, EXIT_YES);
}

const struct command manifest_hash_command = {
    .name = "manifest hash",
    .summary = "print the SHA-256 of a manifest's bytes",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .values_size = sizeof(struct values),
    .details = "The file is authoritative byte for byte: this is the hash that "
               "the coordinator's history holds. \"-\" reads standard input.",
    .example = "assay manifest hash manifest.json",
    .run = run,
};
