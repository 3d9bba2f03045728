#include "collect/sev_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"

enum {
    ARG_SIZE = 32,
    ARG_EXITINFO_AT = 0x18,
    REQUEST_SIZE = 96,
    EXT_REQUEST_SIZE = 112,
    EXT_CERTS_LEN_AT = 0x68,
    RESPONSE_SIZE = 4000,
    RESPONSE_REPORT_AT = 0x20,
    REPORT_SIZE = 1184,
    PAGE = 4096,
    CERTS_FIRST = 0x4000, /* the most the driver of Linux 6 takes */
    VMM_ERROR_INVALID_LEN = 1,
    VMM_ERROR_BUSY = 2,
};

/* One call: its buffers as the kernel sees them, and what came of it. */
struct exchange {
    alignas(8) uint8_t arg[ARG_SIZE];
    alignas(8) uint8_t request[EXT_REQUEST_SIZE];
    alignas(8) uint8_t response[RESPONSE_SIZE];
    int error; /* errno, 0 when the call went through */
    uint32_t fw_error;
    uint32_t vmm_error;
};

const char *
sev_guest_fw_error_name(uint32_t fw_error)
{
    static const char *const names[] = {
        [0x00] = "success",
        [0x01] = "invalid platform state",
        [0x02] = "invalid guest state",
        [0x03] = "invalid configuration",
        [0x04] = "invalid length",
        [0x05] = "already owned",
        [0x06] = "invalid certificate",
        [0x07] = "policy failure",
        [0x08] = "inactive",
        [0x09] = "invalid address",
        [0x0A] = "bad signature",
        [0x0B] = "bad measurement",
        [0x0C] = "ASID already owned",
        [0x0D] = "invalid ASID",
        [0x0E] = "WBINVD required",
        [0x0F] = "DF_FLUSH required",
        [0x10] = "invalid guest",
        [0x11] = "invalid command",
        [0x12] = "active",
        [0x13] = "hardware error, platform state intact",
        [0x14] = "hardware error, platform unsafe",
        [0x15] = "unsupported feature",
        [0x16] = "invalid parameter",
        [0x17] = "resource limit reached",
        [0x18] = "secure data invalid",
        [0x19] = "invalid page size",
        [0x1A] = "invalid page state",
        [0x1B] = "invalid metadata entry",
        [0x1C] = "invalid page owner",
        [0x1D] = "AEAD counter overflow",
        [0x1F] = "ring buffer mode left",
        [0x20] = "RMP initialisation required",
        [0x21] = "bad security version",
        [0x22] = "bad version",
        [0x23] = "shutdown required",
        [0x24] = "update failed",
        [0x25] = "restore required",
        [0x26] = "RMP initialisation failed",
        [0x27] = "invalid key",
    };

    if (fw_error == UINT32_MAX)
        return "no firmware call was made";
    if (fw_error >= sizeof(names) / sizeof(names[0]) || !names[fw_error])
        return "unknown firmware status";
    return names[fw_error];
}

bool
sev_guest_present(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISCHR(sb.st_mode);
}

static void
encode_request(struct writer *wr, const uint8_t *report_data, uint32_t vmpl)
{
    wr_span(wr, span_of(report_data, COLLECT_REPORT_DATA_SIZE));
    wr_u32le(wr, vmpl == COLLECT_VMPL_DEFAULT ? 0 : vmpl);
    wr_zeros_to(wr, REQUEST_SIZE); /* KEY_SEL 0: VLEK if loaded, else VCEK */
}

static void
call(const struct sev_guest_kernel *kernel, unsigned long number,
     struct exchange *x)
{
    struct writer wr = writer_over(x->arg, sizeof(x->arg));
    struct reader rd;

    memset(x->response, 0, sizeof(x->response));
    wr_u8(&wr, 1); /* msg_version */
    wr_zeros_to(&wr, 8);
    wr_u64le(&wr, (uint64_t)(uintptr_t)x->request);
    wr_u64le(&wr, (uint64_t)(uintptr_t)x->response);
    wr_u64le(&wr, 0);
    x->error = kernel->ioctl(kernel->ctx, number, x->arg);
    x->fw_error = x->vmm_error = 0;
    /* Older kernels leave stack bytes here for every errno but EIO. */
    if (x->error != EIO)
        return;
    rd = reader_over(span_of(x->arg, sizeof(x->arg)));
    rd_skip_to(&rd, ARG_EXITINFO_AT);
    x->fw_error = rd_u32le(&rd);
    x->vmm_error = rd_u32le(&rd);
}

static enum assay_status
fail_call(const struct exchange *x, struct assay_error *err)
{
    switch (x->error) {
    case ENOTTY:
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "sev-guest: the guest's message key is disabled "
                          "after an earlier failure; reboot the guest");
    case EBADMSG:
        return assay_fail(err, ASSAY_ERR_IO,
                          "sev-guest: the answer failed authentication; "
                          "somebody on the host tampers with it");
    case ETIMEDOUT:
        return assay_fail(err, ASSAY_ERR_IO,
                          "sev-guest: the host throttled us for a minute; "
                          "ask again later");
    case EINVAL:
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "sev-guest: the driver refused the request");
    case EIO:
        if (x->vmm_error != 0)
            return assay_fail(err, ASSAY_ERR_IO,
                              "sev-guest: hypervisor error %u%s", x->vmm_error,
                              x->vmm_error == VMM_ERROR_BUSY
                                  ? " (busy; ask again later)"
                                  : "");
        return assay_fail(err, ASSAY_ERR_IO,
                          "sev-guest: firmware status 0x%x (%s)", x->fw_error,
                          sev_guest_fw_error_name(x->fw_error));
    default:
        return assay_fail(err, ASSAY_ERR_IO, "sev-guest: %s",
                          strerror(x->error));
    }
}

static enum assay_status
decode_response(const struct exchange *x, struct arena *arena, struct span *out,
                struct assay_error *err)
{
    struct reader rd = reader_over(span_of(x->response, RESPONSE_SIZE));
    uint32_t status = rd_u32le(&rd);
    uint32_t size = rd_u32le(&rd);

    /* A zero result of the ioctl with a status set is still a failure. */
    if (status != 0)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "sev-guest: response status 0x%x (%s)%s", status,
                          sev_guest_fw_error_name(status),
                          status == 0x16 ? "; is the VMPL below our own?" : "");
    if (size != REPORT_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "sev-guest: report of %u bytes, want %d", size,
                          REPORT_SIZE);
    rd_skip_to(&rd, RESPONSE_REPORT_AT);
    if (!arena_dup(arena, rd_span(&rd, size), out))
        return assay_nomem(err, "sev-guest report");
    return ASSAY_OK;
}

static void
call_plain(const struct sev_guest_kernel *kernel, const uint8_t *report_data,
           uint32_t vmpl, struct exchange *x)
{
    struct writer wr = writer_over(x->request, sizeof(x->request));

    encode_request(&wr, report_data, vmpl);
    call(kernel, SEV_GUEST_IOCTL_REPORT, x);
}

/* Returns the length the kernel left in the request: what the host wants. */
static uint32_t
call_extended(const struct sev_guest_kernel *kernel, const uint8_t *report_data,
              uint32_t vmpl, uint8_t *certs, uint32_t certs_len,
              struct exchange *x)
{
    struct writer wr = writer_over(x->request, sizeof(x->request));
    struct reader rd;

    memset(certs, 0, certs_len);
    encode_request(&wr, report_data, vmpl);
    wr_u64le(&wr, (uint64_t)(uintptr_t)certs);
    wr_u32le(&wr, certs_len);
    wr_zeros_to(&wr, EXT_REQUEST_SIZE);
    call(kernel, SEV_GUEST_IOCTL_EXT_REPORT, x);
    rd = reader_over(span_of(x->request, sizeof(x->request)));
    rd_skip_to(&rd, EXT_CERTS_LEN_AT);
    return rd_u32le(&rd);
}

static bool
is_table_too_long(const struct exchange *x)
{
    return x->error == EIO && x->vmm_error == VMM_ERROR_INVALID_LEN;
}

/* Certificates are a convenience of the host, so their absence never costs
 * the report: after a second refusal the plain request is made. */
static enum assay_status
exchange_with(const struct sev_guest_kernel *kernel, struct exchange *x,
              uint8_t *certs, const uint8_t *report_data, uint32_t vmpl,
              struct arena *arena, struct collected *out,
              struct assay_error *err)
{
    struct collected got = { .provider = "sev_guest" };
    uint32_t len = CERTS_FIRST;
    uint32_t want = call_extended(kernel, report_data, vmpl, certs, len, x);
    enum assay_status st;

    if (is_table_too_long(x) && want > len && want <= LIMIT_CERT_TABLE_BYTES) {
        len = (want + PAGE - 1) / PAGE * PAGE;
        (void)call_extended(kernel, report_data, vmpl, certs, len, x);
    }
    if (is_table_too_long(x) || x->error == EINVAL) {
        len = 0;
        call_plain(kernel, report_data, vmpl, x);
    }
    if (x->error != 0)
        return fail_call(x, err);
    st = decode_response(x, arena, &got.outblob, err);
    if (st != ASSAY_OK)
        return st;
    /* The padding stays: a certificate may well end in a zero byte. */
    if (!span_is_zero(span_of(certs, len)) &&
        !arena_dup(arena, span_of(certs, len), &got.auxblob))
        return assay_nomem(err, "sev-guest certificates");
    *out = got;
    return ASSAY_OK;
}

enum assay_status
sev_guest_exchange(const struct sev_guest_kernel *kernel,
                   const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                   uint32_t vmpl, struct arena *arena, struct collected *out,
                   struct assay_error *err)
{
    struct exchange *x;
    uint8_t *certs;

    if (vmpl != COLLECT_VMPL_DEFAULT && vmpl > 3)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "sev-guest: VMPL %u, want 0 to 3", vmpl);
    x = arena_alloc(arena, sizeof(*x));
    certs = arena_alloc(arena, LIMIT_CERT_TABLE_BYTES + PAGE);
    if (!x || !certs)
        return assay_nomem(err, "sev-guest request");
    /* The driver wants whole pages; it does not say that they be aligned,
     * but hosts have been seen to. */
    certs += PAGE - (uintptr_t)certs % PAGE;
    return exchange_with(kernel, x, certs, report_data, vmpl, arena, out, err);
}

static int
device_ioctl(void *ctx, unsigned long request, void *arg)
{
    const int *fd = ctx;

    return ioctl(*fd, request, arg) == 0 ? 0 : errno;
}

enum assay_status
sev_guest_report(const char *path,
                 const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                 uint32_t vmpl, struct arena *arena, struct collected *out,
                 struct assay_error *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct sev_guest_kernel kernel = { device_ioctl, &fd };
    enum assay_status st;

    if (fd < 0)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED, "open %s: %s%s", path,
                          strerror(errno),
                          errno == EACCES ? " (needs root)" : "");
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            st = assay_fail(err, ASSAY_ERR_IO, "lock %s: %s", path,
                            strerror(errno));
            goto out;
        }
    }
    st = sev_guest_exchange(&kernel, report_data, vmpl, arena, out, err);
out:
    (void)close(fd); /* drops the lock */
    return st;
}
