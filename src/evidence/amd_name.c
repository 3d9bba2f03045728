#include "evidence/amd_name.h"

#include <string.h>

#include "crypto/der.h"

/* X.520 attribute types, DER without tag and length: 2.5.4.N. */
static const struct {
    uint8_t type;
    const char *value;
} fixed[] = {
    { 11, "Engineering" },
    { 6, "US" },
    { 7, "Santa Clara" },
    { 8, "CA" },
    { 10, "Advanced Micro Devices" },
};

enum { FIXED = sizeof(fixed) / sizeof(fixed[0]), TYPE_COMMON_NAME = 3 };

/* The value of the next RDN, which must be a single attribute 2.5.4.type. */
static struct span
rd_attribute(struct reader *rd, uint8_t type)
{
    const uint8_t oid[3] = { 0x55, 0x04, type };
    struct reader set = reader_over(rd_der(rd, DER_SET));
    struct reader pair = reader_over(rd_der(&set, DER_SEQUENCE));
    struct span got = rd_der(&pair, DER_OID);
    uint8_t tag = rd_der_peek(&pair);
    struct span value = rd_der_any(&pair, &tag, NULL);

    if (!rd_done(&set) || !rd_done(&pair) ||
        !span_equal(got, span_of(oid, sizeof(oid))) ||
        (tag != DER_UTF8_STRING && tag != DER_PRINTABLE_STRING))
        rd->failed = true;
    return value;
}

bool
amd_name_cn(struct span name_der, char cn[AMD_CN_MAX])
{
    struct reader outer = reader_over(name_der);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct span value;

    for (size_t i = 0; i < FIXED; i++) {
        if (!span_equal_str(rd_attribute(&rd, fixed[i].type), fixed[i].value))
            return false;
    }
    value = rd_attribute(&rd, TYPE_COMMON_NAME);
    if (!rd_done(&outer) || !rd_done(&rd) || value.len == 0 ||
        value.len >= AMD_CN_MAX || memchr(value.ptr, 0, value.len))
        return false;
    memcpy(cn, value.ptr, value.len);
    cn[value.len] = '\0';
    return true;
}
