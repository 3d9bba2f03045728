#include "sim/tsm_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/writer.h"

enum {
    MAGIC = 0x314d5354,
    REPORT_DATA_SIZE = 64,
    REQUEST_SIZE = 8 + REPORT_DATA_SIZE,
    HEADER_SIZE = 16,
};

#define VMPL_FLOOR UINT32_MAX /* as configfs-tsm's privlevel_floor */

static void
send_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes = span_sub(bytes, (size_t)n, bytes.len);
    }
}

static void
reply(int fd, int status, const struct tsm_provider *provider,
      const struct buffer *outblob, const struct buffer *auxblob)
{
    uint8_t header[HEADER_SIZE];
    struct writer wr = writer_over(header, sizeof(header));

    wr_u32le(&wr, (uint32_t)status);
    wr_u32le(&wr, (uint32_t)outblob->len);
    wr_u32le(&wr, (uint32_t)auxblob->len);
    wr_u32le(&wr, (uint32_t)strlen(provider->name));
    send_all(fd, wr_written(&wr));
    send_all(fd, buffer_span(outblob));
    send_all(fd, buffer_span(auxblob));
    send_all(fd, span_str(provider->name));
}

static void
serve(void *ctx, int fd)
{
    const struct tsm_provider *provider = ctx;
    uint8_t request[REQUEST_SIZE] = { 0 };
    struct reader rd = reader_over(span_of(request, sizeof(request)));
    struct buffer outblob, auxblob;
    uint32_t magic, vmpl;
    int rc;

    if (recv(fd, request, sizeof(request), MSG_WAITALL) != sizeof(request))
        return;
    magic = rd_u32le(&rd);
    vmpl = rd_u32le(&rd);
    if (magic != MAGIC)
        return;
    if (vmpl == VMPL_FLOOR)
        vmpl = provider->privlevel_floor;
    buffer_init(&outblob, TSM_OUTBLOB_MAX, NULL);
    buffer_init(&auxblob, TSM_OUTBLOB_MAX, NULL);
    rc = provider->report_new(provider->ctx, rd.rest.ptr, REPORT_DATA_SIZE,
                              vmpl, &outblob, &auxblob);
    if (rc != 0) {
        buffer_clear(&outblob);
        buffer_clear(&auxblob);
    }
    reply(fd, -rc, provider, &outblob, &auxblob);
    buffer_free(&outblob);
    buffer_free(&auxblob);
}

/* Bound aside and renamed once it listens: whoever sees the path can connect,
 * and a socket left there is replaced. Anything else at path stays. */
static int
listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat st;
    int fd, n = snprintf(address.sun_path, sizeof(address.sun_path), "%s.new",
                         path);

    if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    unlink(address.sun_path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, SERVER_CONNECTIONS_MAX) == 0 &&
        rename(address.sun_path, path) == 0)
        return fd;
    close(fd);
    return -1;
}

enum assay_status
tsm_socket_new(const char *path, const struct tsm_provider *provider,
               struct server **out, struct assay_error *err)
{
    union {
        const struct tsm_provider *borrowed;
        void *ctx; /* what serve gets; it only reads */
    } u = { .borrowed = provider };
    int fd = listen_at(path);

    if (fd < 0)
        return assay_fail(err, ASSAY_ERR_IO, "socket %s: %s", path,
                          strerror(errno));
    return server_new(fd, serve, u.ctx, out, err);
}
