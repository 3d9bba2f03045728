#include "collect/tsm_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"

enum {
    TIMEOUT_S = 30,
    REPLY_MAX = TSM_SOCKET_REPLY_HEADER_SIZE + 2 * LIMIT_TSM_BLOB_BYTES +
                COLLECT_PROVIDER_SIZE,
};

bool
tsm_socket_present(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISSOCK(sb.st_mode);
}

static enum assay_status
fail_errno(struct assay_error *err, const char *what, const char *path)
{
    return assay_fail(err, ASSAY_ERR_IO, "tsm socket %s: %s: %s", path, what,
                      strerror(errno));
}

static enum assay_status
open_socket(const char *path, int *out, struct assay_error *err)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = TIMEOUT_S };
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path))
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "tsm socket: path has %zu bytes, at most %zu fit",
                          strlen(path), sizeof(addr.sun_path) - 1);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail_errno(err, "socket", path);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        enum assay_status st = fail_errno(err, "connect", path);

        (void)close(fd);
        return st;
    }
    *out = fd;
    return ASSAY_OK;
}

static bool
send_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t put = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes = span_sub(bytes, (size_t)put, bytes.len);
    }
    return true;
}

/* Until the other side closes: one request per connection. */
static enum assay_status
receive_all(int fd, const char *path, struct buffer *out,
            struct assay_error *err)
{
    uint8_t chunk[4096];
    ssize_t got;

    do {
        got = recv(fd, chunk, sizeof(chunk), 0);
        if (got > 0)
            buffer_add(out, span_of(chunk, (size_t)got));
    } while ((got > 0 && !out->failed) || (got < 0 && errno == EINTR));
    if (got < 0)
        return fail_errno(err, "receive", path);
    return buffer_check(out, "tsm socket", err);
}

static enum assay_status
check_lengths(const struct reader *rd, const uint32_t lengths[3],
              struct assay_error *err)
{
    if (rd->failed)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tsm socket: reply ends within its header");
    if (lengths[0] > LIMIT_TSM_BLOB_BYTES || lengths[1] > LIMIT_TSM_BLOB_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "tsm socket: blobs of %u and %u bytes, at most %d",
                          lengths[0], lengths[1], LIMIT_TSM_BLOB_BYTES);
    if (lengths[2] == 0 || lengths[2] >= COLLECT_PROVIDER_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tsm socket: provider has %u bytes, want 1 to %d",
                          lengths[2], COLLECT_PROVIDER_SIZE - 1);
    return ASSAY_OK;
}

enum assay_status
tsm_socket_reply_decode(struct span reply, struct arena *arena,
                        struct collected *out, struct assay_error *err)
{
    struct reader rd = reader_over(reply);
    struct collected got = { 0 };
    struct span outblob, auxblob, provider;
    uint32_t lengths[3];
    uint32_t status = rd_u32le(&rd);
    enum assay_status st;

    for (size_t i = 0; i < 3; i++)
        lengths[i] = rd_u32le(&rd);
    if (rd_ok(&rd) && status != 0)
        return assay_fail(
            err, status == EBUSY ? ASSAY_ERR_IO : ASSAY_ERR_UNSUPPORTED,
            "tsm socket: %s",
            status < 4096 ? strerror((int)status) : "status out of range");
    st = check_lengths(&rd, lengths, err);
    if (st != ASSAY_OK)
        return st;
    outblob = rd_span(&rd, lengths[0]);
    auxblob = rd_span(&rd, lengths[1]);
    provider = rd_span(&rd, lengths[2]);
    if (!rd_done(&rd))
        return assay_fail(
            err, ASSAY_ERR_MALFORMED,
            "tsm socket: reply has %zu bytes, its header says %llu", reply.len,
            16ull + lengths[0] + lengths[1] + lengths[2]);
    memcpy(got.provider, provider.ptr, provider.len);
    if (!arena_dup(arena, outblob, &got.outblob) ||
        !arena_dup(arena, auxblob, &got.auxblob))
        return assay_nomem(err, "tsm socket reply");
    *out = got;
    return ASSAY_OK;
}

enum assay_status
tsm_socket_report(const char *path,
                  const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                  uint32_t vmpl, struct arena *arena, struct collected *out,
                  struct assay_error *err)
{
    uint8_t request[TSM_SOCKET_REQUEST_SIZE];
    struct writer wr = writer_over(request, sizeof(request));
    struct buffer reply;
    int fd = -1;
    enum assay_status st = open_socket(path, &fd, err);

    if (st != ASSAY_OK)
        return st;
    buffer_init(&reply, REPLY_MAX, NULL);
    wr_u32le(&wr, TSM_SOCKET_MAGIC);
    wr_u32le(&wr, vmpl);
    wr_span(&wr, span_of(report_data, COLLECT_REPORT_DATA_SIZE));
    if (!send_all(fd, wr_written(&wr)))
        st = fail_errno(err, "send", path);
    if (st == ASSAY_OK)
        st = receive_all(fd, path, &reply, err);
    if (st == ASSAY_OK)
        st = tsm_socket_reply_decode(buffer_span(&reply), arena, out, err);
    buffer_free(&reply);
    (void)close(fd);
    return st;
}
