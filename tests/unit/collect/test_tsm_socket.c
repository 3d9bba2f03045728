#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/writer.h"
#include "collect/platform.h"
#include "collect/tsm_socket.h"

enum { ARENA_BUDGET = 1 << 20, REPORT_SIZE = 1184 };

/* A reply written by the format's own table. */
static struct span
reply_of(uint8_t *buf, size_t cap, uint32_t status, uint32_t out_len,
         uint32_t aux_len, const char *provider)
{
    struct writer wr = writer_over(buf, cap);

    wr_u32le(&wr, status);
    wr_u32le(&wr, out_len);
    wr_u32le(&wr, aux_len);
    wr_u32le(&wr, (uint32_t)strlen(provider));
    for (uint32_t i = 0; i < out_len; i++)
        wr_u8(&wr, (uint8_t)i);
    for (uint32_t i = 0; i < aux_len; i++)
        wr_u8(&wr, 0xEE);
    wr_span(&wr, span_str(provider));
    return wr_written(&wr);
}

static void
reply_decodes_into_three_strings(void **state)
{
    uint8_t buf[256];
    struct span reply = reply_of(buf, sizeof(buf), 0, 5, 3, "sev_guest");
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BUDGET, NULL);
    assert_ok(tsm_socket_reply_decode(reply, &arena, &got, &err), &err);
    assert_hex(got.outblob, "0001020304");
    assert_hex(got.auxblob, "eeeeee");
    assert_string_equal(got.provider, "sev_guest");
    arena_drop(&arena);
}

static void
every_truncation_and_a_trailing_byte_are_refused(void **state)
{
    uint8_t buf[256];
    struct span reply = reply_of(buf, sizeof(buf), 0, 5, 3, "sev_guest");
    struct collected got;
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BUDGET, NULL);
    for (size_t n = 0; n < reply.len; n++)
        assert_status(
            tsm_socket_reply_decode(span_of(reply.ptr, n), &arena, &got, NULL),
            ASSAY_ERR_MALFORMED);
    buf[reply.len] = 0;
    assert_status(tsm_socket_reply_decode(span_of(buf, reply.len + 1), &arena,
                                          &got, NULL),
                  ASSAY_ERR_MALFORMED);
    arena_drop(&arena);
}

static void
broken_headers_are_refused(void **state)
{
    static const struct {
        uint32_t status, out_len, aux_len, provider_len;
        enum assay_status want;
    } rows[] = {
        { EINVAL, 0, 0, 0, ASSAY_ERR_UNSUPPORTED },
        { EBUSY, 0, 0, 0, ASSAY_ERR_IO },
        { 0xffffffff, 0, 0, 0, ASSAY_ERR_UNSUPPORTED },
        { 0, 0xffffffff, 0, 9, ASSAY_ERR_LIMIT },
        { 0, LIMIT_TSM_BLOB_BYTES + 1, 0, 9, ASSAY_ERR_LIMIT },
        { 0, 0, 0xffffffff, 9, ASSAY_ERR_LIMIT },
        { 0, 0, 0, 0, ASSAY_ERR_MALFORMED },
        { 0, 0, 0, COLLECT_PROVIDER_SIZE, ASSAY_ERR_MALFORMED },
        { 0, 0, 0, 0xfffffff0, ASSAY_ERR_MALFORMED },
        { 0, 4, 4, 9, ASSAY_ERR_MALFORMED },
    };
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BUDGET, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t buf[16];
        struct writer wr = writer_over(buf, sizeof(buf));
        struct collected got;

        wr_u32le(&wr, rows[i].status);
        wr_u32le(&wr, rows[i].out_len);
        wr_u32le(&wr, rows[i].aux_len);
        wr_u32le(&wr, rows[i].provider_len);
        if (tsm_socket_reply_decode(wr_written(&wr), &arena, &got, NULL) !=
            rows[i].want)
            fail_msg("row %zu", i);
    }
    arena_drop(&arena);
}

/* One provider on a socket of its own: answers `count` requests. */
struct provider {
    char dir[32];
    char path[64];
    int fd;
    int count;
    bool wrong_data; /* answers another question */
    pthread_t thread;
    uint32_t vmpl_seen;
};

static void
answer(struct provider *p, int fd)
{
    uint8_t request[TSM_SOCKET_REQUEST_SIZE], reply[2048];
    uint8_t report[REPORT_SIZE] = { 2 };
    struct writer wr = writer_over(reply, sizeof(reply));
    size_t have = 0;

    while (have < sizeof(request)) {
        ssize_t got = recv(fd, request + have, sizeof(request) - have, 0);

        if (got <= 0)
            return;
        have += (size_t)got;
    }
    memcpy(&p->vmpl_seen, request + 4, 4);
    if (!p->wrong_data)
        memcpy(report + 0x50, request + 8, 64);
    wr_u32le(&wr, memcmp(request, "TSM1", 4) == 0 ? 0 : EINVAL);
    wr_u32le(&wr, REPORT_SIZE);
    wr_u32le(&wr, 0);
    wr_u32le(&wr, 9);
    wr_span(&wr, span_of(report, sizeof(report)));
    wr_span(&wr, span_str("sev_guest"));
    /* In two parts, as a stream socket may. */
    (void)!send(fd, reply, 7, MSG_NOSIGNAL);
    (void)!send(fd, reply + 7, wr.len - 7, MSG_NOSIGNAL);
}

static void *
provider_run(void *arg)
{
    struct provider *p = arg;

    for (int i = 0; i < p->count; i++) {
        int fd = accept(p->fd, NULL, NULL);

        if (fd < 0)
            break;
        answer(p, fd);
        (void)close(fd);
    }
    return NULL;
}

static void
provider_start(struct provider *p)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/assay-tsm-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->path, sizeof(p->path), "%s/s", p->dir);
    memcpy(addr.sun_path, p->path, strlen(p->path) + 1);
    p->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(p->fd >= 0);
    assert_int_equal(bind(p->fd, (const struct sockaddr *)&addr, sizeof(addr)),
                     0);
    assert_int_equal(listen(p->fd, 8), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, provider_run, p), 0);
}

static void
provider_stop(struct provider *p)
{
    (void)pthread_join(p->thread, NULL);
    (void)close(p->fd);
    (void)unlink(p->path);
    (void)rmdir(p->dir);
}

static void
report_comes_through_a_socket(void **state)
{
    struct provider p = { .count = 2 };
    struct collect_config cfg = { 0 };
    uint8_t report_data[64];
    struct collected got;
    struct platform platform;
    struct assay_error err;
    struct arena arena;

    (void)state;
    memset(report_data, 0x77, sizeof(report_data));
    provider_start(&p);
    cfg.tsm_path = p.path;
    arena_init(&arena, ARENA_BUDGET, NULL);
    assert_ok(collect_report(&cfg, report_data, 3, &arena, &got, &err), &err);
    assert_int_equal(p.vmpl_seen, 3);
    assert_int_equal(got.outblob.len, REPORT_SIZE);
    assert_int_equal(got.outblob.ptr[0x50], 0x77);
    platform_detect(&cfg, NULL, &platform);
    assert_int_equal(platform.tee, PLATFORM_SNP);
    provider_stop(&p);
    arena_drop(&arena);
}

static void
answer_to_another_question_is_refused(void **state)
{
    struct provider p = { .count = 1, .wrong_data = true };
    struct collect_config cfg = { 0 };
    uint8_t report_data[64];
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    memset(report_data, 0x77, sizeof(report_data));
    provider_start(&p);
    cfg.tsm_path = p.path;
    arena_init(&arena, ARENA_BUDGET, NULL);
    assert_status(collect_report(&cfg, report_data, 0, &arena, &got, &err),
                  ASSAY_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "REPORT_DATA"));
    provider_stop(&p);
    arena_drop(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_decodes_into_three_strings),
        cmocka_unit_test(every_truncation_and_a_trailing_byte_are_refused),
        cmocka_unit_test(broken_headers_are_refused),
        cmocka_unit_test(report_comes_through_a_socket),
        cmocka_unit_test(answer_to_another_question_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
