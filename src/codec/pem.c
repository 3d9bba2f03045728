#include "codec/pem.h"

#include <string.h>

#include "base/hex.h"

enum { LABEL_MAX = 64, LINE_CHARS = 64, LINE_BYTES = 48 };

#define DASHES "-----"

/* --- reading ------------------------------------------------------------- */

/* Takes the next line off *rest, without its end. False at the end of it. */
static bool
next_line(struct span *rest, struct span *line)
{
    const uint8_t *end;
    size_t len;

    if (rest->len == 0)
        return false;
    end = memchr(rest->ptr, '\n', rest->len);
    len = end ? (size_t)(end - rest->ptr) : rest->len;
    *line = span_sub(*rest, 0, len);
    *rest = span_sub(*rest, end ? len + 1 : len, rest->len);
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool
starts_with(struct span line, const char *text)
{
    return span_equal_str(span_sub(line, 0, strlen(text)), text);
}

/* The label of a line "-----BEGIN label-----". */
static bool
read_boundary(struct span line, const char *word, struct span *label)
{
    const size_t head = strlen(word), tail = strlen(DASHES);

    if (line.len < head + tail || line.len > head + tail + LABEL_MAX ||
        !starts_with(line, word) ||
        !span_equal_str(span_sub(line, line.len - tail, tail), DASHES))
        return false;
    *label = span_sub(line, head, line.len - head - tail);
    return true;
}

static bool
is_base64(struct span line)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t c = line.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '/' &&
            c != '=')
            return false;
    }
    return line.len > 0;
}

/* Everything up to the END line; *rest moves behind it. */
static enum assay_status
read_body(struct span *rest, struct span label, struct span *body,
          struct assay_error *err)
{
    const struct span start = *rest;
    const char *name = (const char *)label.ptr;
    struct span line, end;

    for (size_t n = 1; next_line(rest, &line); n++) {
        if (!starts_with(line, DASHES)) {
            if (is_base64(line))
                continue;
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "PEM %.*s: line %zu is not base64",
                              (int)label.len, name, n);
        }
        if (!read_boundary(line, "-----END ", &end) || !span_equal(label, end))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "PEM %.*s: line %zu is not its END line",
                              (int)label.len, name, n);
        *body = span_sub(start, 0, (size_t)(line.ptr - start.ptr));
        return ASSAY_OK;
    }
    return assay_fail(err, ASSAY_ERR_MALFORMED, "PEM %.*s: no END line follows",
                      (int)label.len, name);
}

enum assay_status
pem_next(struct span *rest, struct pem_block *out, struct assay_error *err)
{
    struct span tail = *rest, line;
    struct pem_block block;
    enum assay_status st;

    do {
        if (!next_line(&tail, &line))
            return assay_fail(err, ASSAY_ERR_NOT_FOUND, "PEM: no block begins");
    } while (!starts_with(line, DASHES));
    /* Almost a boundary is a damaged one, not prose. */
    if (!read_boundary(line, "-----BEGIN ", &block.label))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "PEM: dashes that are no BEGIN line");
    st = read_body(&tail, block.label, &block.base64, err);
    if (st != ASSAY_OK)
        return st;
    *out = block;
    *rest = tail;
    return ASSAY_OK;
}

bool
pem_is(const struct pem_block *block, const char *label)
{
    return span_equal_str(block->label, label);
}

/* The characters without the ends of lines, then the bytes. */
size_t
pem_scratch_size(const struct pem_block *block)
{
    return block->base64.len + base64_decoded_max(block->base64.len) + 1;
}

enum assay_status
pem_decode_into(const struct pem_block *block, uint8_t *scratch,
                struct span *bytes, struct assay_error *err)
{
    struct span lines = block->base64, line;
    uint8_t *decoded = scratch + block->base64.len;
    size_t chars = 0;
    size_t len = base64_decoded_max(block->base64.len);

    while (next_line(&lines, &line)) {
        memcpy(scratch + chars, line.ptr, line.len);
        chars += line.len;
    }
    if (!base64_decode(span_of(scratch, chars), decoded, &len) || len == 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "PEM %.*s: %zu characters that are no base64",
                          (int)block->label.len, (const char *)block->label.ptr,
                          chars);
    *bytes = span_of(decoded, len);
    return ASSAY_OK;
}

enum assay_status
pem_decode(const struct pem_block *block, struct buffer *out,
           struct assay_error *err)
{
    uint8_t *scratch = mem_alloc(out->alloc, pem_scratch_size(block));
    struct span bytes;
    enum assay_status st;

    if (!scratch)
        return assay_nomem(err, "PEM");
    st = pem_decode_into(block, scratch, &bytes, err);
    if (st == ASSAY_OK) {
        buffer_add(out, bytes);
        st = buffer_check(out, "PEM", err);
    }
    mem_free(out->alloc, scratch);
    return st;
}

/* --- writing ------------------------------------------------------------- */

size_t
pem_encoded_size(const char *label, size_t n)
{
    size_t chars = base64_encoded_len(n);

    return 2 * strlen(label) + strlen("-----BEGIN -----\n-----END -----\n") +
           chars + (chars + LINE_CHARS - 1) / LINE_CHARS;
}

static void
wr_str(struct writer *wr, const char *text)
{
    wr_span(wr, span_str(text));
}

void
pem_write(struct writer *wr, const char *label, struct span bytes)
{
    wr_str(wr, "-----BEGIN ");
    wr_str(wr, label);
    wr_str(wr, "-----\n");
    for (size_t at = 0; at < bytes.len; at += LINE_BYTES) {
        struct span part = span_sub(bytes, at, LINE_BYTES);
        size_t chars = base64_encoded_len(part.len);

        /* The encoder ends with a NUL, where the line end then goes. */
        if (!wr_ok(wr) || wr->cap - wr->len <= chars) {
            wr->failed = true;
            return;
        }
        base64_encode(part, (char *)wr->ptr + wr->len);
        wr->len += chars;
        wr_u8(wr, '\n');
    }
    wr_str(wr, "-----END ");
    wr_str(wr, label);
    wr_str(wr, "-----\n");
}

enum assay_status
pem_encode(const char *label, struct span bytes, struct buffer *out,
           struct assay_error *err)
{
    size_t size = pem_encoded_size(label, bytes.len);
    uint8_t *text = mem_alloc(out->alloc, size);
    struct writer wr = writer_over(text, text ? size : 0);

    if (!text)
        return assay_nomem(err, "PEM");
    pem_write(&wr, label, bytes);
    buffer_add(out, wr_written(&wr));
    mem_free(out->alloc, text);
    return buffer_check(out, "PEM", err);
}
