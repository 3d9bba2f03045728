/* The test is the kernel: it reads the bytes of each ioctl by the offsets of
 * sev-snp.md section 5.1 and answers as the driver does. */
#include "unit.h"

#include <errno.h>

#include "base/reader.h"
#include "collect/sev_guest.h"

enum { ARENA_BUDGET = 1 << 20, MOST_CALLS = 4 };

struct fake_kernel {
    uint32_t table_len;  /* what the host has; 0: no certificates */
    uint32_t takes_most; /* EINVAL above this certs_len */
    int error;           /* errno of every call, with exitinfo below */
    uint64_t exitinfo2;
    uint32_t status; /* in the response */
    uint32_t report_size;
    unsigned calls;
    unsigned long numbers[MOST_CALLS];
    uint32_t lengths[MOST_CALLS];
    uint32_t vmpl;
};

static uint64_t
u64_at(const uint8_t *at)
{
    struct reader rd = reader_over(span_of(at, 8));

    return rd_u64le(&rd);
}

static uint32_t
u32_at(const uint8_t *at)
{
    struct reader rd = reader_over(span_of(at, 4));

    return rd_u32le(&rd);
}

static void
put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static int
extended(struct fake_kernel *k, uint8_t *arg, uint8_t *request)
{
    uint64_t address = u64_at(request + 0x60);
    uint32_t len = u32_at(request + 0x68);

    k->lengths[k->calls - 1] = len;
    assert_int_equal(u32_at(request + 0x6c), 0);
    if (len % 4096 != 0 || len > k->takes_most)
        return EINVAL;
    if (len < k->table_len) {
        put_u32(arg + 0x1c, 1);
        put_u32(request + 0x68, k->table_len);
        return EIO;
    }
    if (k->table_len > 0) {
        uint8_t *certs;

        memcpy(&certs, &address, sizeof(certs));
        memset(certs, 0xC7, k->table_len - 1); /* ends in a zero byte */
    }
    return 0;
}

static int
fake_ioctl(void *ctx, unsigned long number, void *argument)
{
    struct fake_kernel *k = ctx;
    uint8_t *arg = argument, *request, *response;
    uint64_t address = u64_at(arg + 8);
    int e;

    assert_true(k->calls < MOST_CALLS);
    k->numbers[k->calls++] = number;
    assert_int_equal(arg[0], 1); /* msg_version */
    memcpy(&request, &address, sizeof(request));
    address = u64_at(arg + 0x10);
    memcpy(&response, &address, sizeof(response));
    k->vmpl = u32_at(request + 0x40);
    assert_true(span_is_zero(span_of(request + 0x44, 28)));
    if (k->error) {
        put_u32(arg + 0x18, (uint32_t)k->exitinfo2);
        put_u32(arg + 0x1c, (uint32_t)(k->exitinfo2 >> 32));
        return k->error;
    }
    if (number == SEV_GUEST_IOCTL_EXT_REPORT) {
        e = extended(k, arg, request);
        if (e)
            return e;
    }
    put_u32(response, k->status);
    put_u32(response + 4, k->report_size);
    memset(response + 0x20, 0xAB, 1184);
    memcpy(response + 0x20 + 0x50, request, 64);
    return 0;
}

static struct fake_kernel
kernel_with_table(uint32_t table_len)
{
    return (struct fake_kernel){ .table_len = table_len,
                                 .takes_most = 0x4000,
                                 .report_size = 1184 };
}

static enum assay_status
ask(struct fake_kernel *k, uint32_t vmpl, struct arena *arena,
    struct collected *out, struct assay_error *err)
{
    struct sev_guest_kernel kernel = { fake_ioctl, k };
    uint8_t report_data[64];

    memset(report_data, 0x5A, sizeof(report_data));
    arena_init(arena, ARENA_BUDGET, NULL);
    return sev_guest_exchange(&kernel, report_data, vmpl, arena, out, err);
}

static void
report_and_table_come_back_whole(void **state)
{
    struct fake_kernel k = kernel_with_table(0x1234);
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    assert_ok(ask(&k, 2, &arena, &got, &err), &err);
    assert_int_equal(k.calls, 1);
    assert_true(k.numbers[0] == SEV_GUEST_IOCTL_EXT_REPORT);
    assert_int_equal(k.vmpl, 2);
    assert_string_equal(got.provider, "sev_guest");
    assert_int_equal(got.outblob.len, 1184);
    assert_int_equal(got.outblob.ptr[0x50], 0x5A);
    assert_int_equal(got.outblob.ptr[1183], 0xAB);
    /* A certificate that ends in a zero byte keeps it. */
    assert_true(got.auxblob.len >= 0x1234);
    assert_int_equal(got.auxblob.ptr[0x1232], 0xC7);
    arena_drop(&arena);
}

static void
host_without_certificates_gives_an_empty_table(void **state)
{
    struct fake_kernel k = kernel_with_table(0);
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    assert_ok(ask(&k, COLLECT_VMPL_DEFAULT, &arena, &got, &err), &err);
    assert_int_equal(k.vmpl, 0);
    assert_int_equal(got.auxblob.len, 0);
    arena_drop(&arena);
}

static void
longer_table_is_asked_for_once_more(void **state)
{
    struct fake_kernel k = kernel_with_table(0x5001);
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    k.takes_most = 0x10000;
    assert_ok(ask(&k, 0, &arena, &got, &err), &err);
    assert_int_equal(k.calls, 2);
    assert_int_equal(k.lengths[1], 0x6000);
    assert_true(got.auxblob.len >= 0x5001);
    arena_drop(&arena);
}

/* The host decides certs_len, so it must not decide how often we ask. */
static void
table_beyond_the_driver_or_our_ceiling_costs_only_itself(void **state)
{
    static const uint32_t lengths[] = { 0x5001, 0x10001, 0xffffffff };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct fake_kernel k = kernel_with_table(lengths[i]);
        struct collected got;
        struct assay_error err;
        struct arena arena;

        assert_ok(ask(&k, 0, &arena, &got, &err), &err);
        assert_true(k.calls <= 3);
        assert_true(k.numbers[k.calls - 1] == SEV_GUEST_IOCTL_REPORT);
        assert_int_equal(got.outblob.len, 1184);
        assert_int_equal(got.auxblob.len, 0);
        arena_drop(&arena);
    }
}

static void
failures_name_their_reason(void **state)
{
    static const struct {
        int error;
        uint64_t exitinfo2;
        uint32_t status, size;
        enum assay_status want;
        const char *text;
    } rows[] = {
        { ENOTTY, 0, 0, 0, ASSAY_ERR_UNSUPPORTED, "reboot" },
        { EBADMSG, 0, 0, 0, ASSAY_ERR_IO, "authentication" },
        { ETIMEDOUT, 0, 0, 0, ASSAY_ERR_IO, "throttled" },
        { EIO, 0x16, 0, 0, ASSAY_ERR_IO, "0x16 (invalid parameter)" },
        { EIO, 0x26, 0, 0, ASSAY_ERR_IO, "RMP initialisation failed" },
        { EIO, 0x1e, 0, 0, ASSAY_ERR_IO, "unknown firmware status" },
        { EIO, 0x4711, 0, 0, ASSAY_ERR_IO, "unknown firmware status" },
        { EIO, 0xffffffff, 0, 0, ASSAY_ERR_IO, "no firmware call" },
        { EIO, 2ull << 32, 0, 0, ASSAY_ERR_IO, "error 2 (busy" },
        { EPERM, 0x16, 0, 0, ASSAY_ERR_IO, "not permitted" },
        { 0, 0, 0x16, 1184, ASSAY_ERR_UNSUPPORTED, "VMPL" },
        { 0, 0, 0x27, 1184, ASSAY_ERR_UNSUPPORTED, "invalid key" },
        { 0, 0, 0, 1183, ASSAY_ERR_MALFORMED, "1183 bytes, want 1184" },
        { 0, 0, 0, 0xffffffff, ASSAY_ERR_MALFORMED, "want 1184" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fake_kernel k = kernel_with_table(0);
        struct collected got;
        struct assay_error err;
        struct arena arena;

        k.error = rows[i].error;
        k.exitinfo2 = rows[i].exitinfo2;
        k.status = rows[i].status;
        k.report_size = rows[i].size;
        assert_status(ask(&k, 0, &arena, &got, &err), rows[i].want);
        if (!strstr(err.text, rows[i].text))
            fail_msg("got \"%s\", want \"%s\"", err.text, rows[i].text);
        arena_drop(&arena);
    }
}

static void
level_above_three_is_refused_before_asking(void **state)
{
    struct fake_kernel k = kernel_with_table(0);
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    assert_status(ask(&k, 4, &arena, &got, &err), ASSAY_ERR_UNSUPPORTED);
    assert_int_equal(k.calls, 0);
    arena_drop(&arena);
}

static void
spent_budget_is_no_memory(void **state)
{
    struct failing_alloc f;
    struct fake_kernel k = kernel_with_table(64);
    struct sev_guest_kernel kernel = { fake_ioctl, &k };
    uint8_t report_data[64] = { 0 };
    enum assay_status st = ASSAY_ERR_NOMEM;

    (void)state;
    for (size_t n = 0; st != ASSAY_OK; n++) {
        struct collected got;
        struct assay_error err;
        struct arena arena;

        assert_true(n < 16);
        failing_alloc_init(&f, n);
        arena_init(&arena, ARENA_BUDGET, &f.alloc);
        k.calls = 0;
        st = sev_guest_exchange(&kernel, report_data, 0, &arena, &got, &err);
        if (st != ASSAY_OK)
            assert_status(st, ASSAY_ERR_NOMEM);
        arena_drop(&arena);
        assert_int_equal(f.live, 0);
    }
}

static void
missing_device_is_said_so(void **state)
{
    uint8_t report_data[64] = { 0 };
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BUDGET, NULL);
    assert_status(sev_guest_report("/nonexistent/sev-guest", report_data, 0,
                                   &arena, &got, &err),
                  ASSAY_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "/nonexistent/sev-guest"));
    arena_drop(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_and_table_come_back_whole),
        cmocka_unit_test(host_without_certificates_gives_an_empty_table),
        cmocka_unit_test(longer_table_is_asked_for_once_more),
        cmocka_unit_test(
            table_beyond_the_driver_or_our_ceiling_costs_only_itself),
        cmocka_unit_test(failures_name_their_reason),
        cmocka_unit_test(level_above_three_is_refused_before_asking),
        cmocka_unit_test(spent_budget_is_no_memory),
        cmocka_unit_test(missing_device_is_said_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
