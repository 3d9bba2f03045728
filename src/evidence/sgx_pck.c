#include "evidence/sgx_pck.h"

#include <string.h>

#include "crypto/der.h"

/* The arcs below OID_SGX. */
enum {
    ARC_PPID = 1,
    ARC_TCB,
    ARC_PCE_ID,
    ARC_FMSPC,
    ARC_SGX_TYPE,
    ARC_PLATFORM_INSTANCE_ID,
    ARC_CONFIGURATION,
    ARCS, /* one more than the last */
};

enum {
    TCB_PCE_SVN = SGX_COMPONENTS + 1,
    TCB_CPU_SVN,
    TCB_ARCS,
    CONFIGURATION_ARCS = 4,
    DER_ENUMERATED = 0x0a,
};

/* 1.2.840.113741.1.13.1 in DER. */
static const uint8_t sgx_oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8,
                                   0x4d, 0x01, 0x0d, 0x01 };

/* --- reading ------------------------------------------------------------- */

/* The last arc of an OID one level below parent (sgx_oid and tail); 0 when it
 * is not there. */
static unsigned
arc_below(struct span oid, struct span tail)
{
    const size_t head = sizeof(sgx_oid) + tail.len;

    if (oid.len != head + 1 || oid.ptr[head] >= 0x80 ||
        memcmp(oid.ptr, sgx_oid, sizeof(sgx_oid)) != 0 ||
        !span_equal(span_sub(oid, sizeof(sgx_oid), tail.len), tail))
        return 0;
    return oid.ptr[head];
}

/* The next { OID, value } of a list: its arc below tail, and *seen (a bit per
 * arc) remembers it, since no member may come twice. The value is left in
 * *value. */
static unsigned
next_member(struct reader *list, struct span tail, unsigned count,
            uint32_t *seen, struct reader *value)
{
    struct reader pair = reader_over(rd_der(list, DER_SEQUENCE));
    unsigned arc = arc_below(rd_der(&pair, DER_OID), tail);

    if (!rd_ok(list) || !rd_ok(&pair) || arc == 0 || arc >= count ||
        *seen >> arc & 1) {
        list->failed = true;
        list->rest = span_of(NULL, 0);
        return 0;
    }
    *seen |= UINT32_C(1) << arc;
    *value = pair;
    return arc;
}

static bool
read_octets(struct reader *value, uint8_t *out, size_t size)
{
    struct span s = rd_der(value, DER_OCTET_STRING);

    if (!rd_done(value) || s.len != size)
        return false;
    memcpy(out, s.ptr, size);
    return true;
}

static bool
read_uint(struct reader *value, uint64_t max, uint64_t *out)
{
    *out = rd_der_uint(value);
    return rd_done(value) && *out <= max;
}

static bool
read_tcb_member(unsigned arc, struct reader *value, struct sgx_pck *out)
{
    uint64_t svn;

    if (arc == TCB_CPU_SVN)
        return read_octets(value, out->cpu_svn, sizeof(out->cpu_svn));
    if (!read_uint(value, arc == TCB_PCE_SVN ? UINT16_MAX : UINT8_MAX, &svn))
        return false;
    if (arc == TCB_PCE_SVN)
        out->pce_svn = (uint16_t)svn;
    else
        out->comp_svn[arc - 1] = (uint8_t)svn;
    return true;
}

static bool
read_tcb(struct reader *value, struct sgx_pck *out)
{
    static const uint8_t tail = ARC_TCB;
    struct reader list = reader_over(rd_der(value, DER_SEQUENCE));
    uint32_t seen = 0;

    while (list.rest.len > 0) {
        struct reader member;
        unsigned arc =
            next_member(&list, span_of(&tail, 1), TCB_ARCS, &seen, &member);

        if (arc == 0 || !read_tcb_member(arc, &member, out))
            return false;
    }
    return rd_done(value) && rd_ok(&list) &&
           seen == (UINT32_C(1) << TCB_ARCS) - 2;
}

static bool
read_configuration(struct reader *value, struct sgx_pck *out)
{
    static const uint8_t tail = ARC_CONFIGURATION;
    struct reader list = reader_over(rd_der(value, DER_SEQUENCE));
    bool *flags[CONFIGURATION_ARCS] = { NULL, &out->dynamic_platform,
                                        &out->cached_keys, &out->smt_enabled };
    uint32_t seen = 0;

    while (list.rest.len > 0) {
        struct reader member;
        unsigned arc = next_member(&list, span_of(&tail, 1), CONFIGURATION_ARCS,
                                   &seen, &member);

        if (arc == 0)
            return false;
        *flags[arc] = rd_der_bool(&member);
        if (!rd_done(&member))
            return false;
    }
    out->has_configuration = true;
    return rd_done(value) && rd_ok(&list) &&
           seen == (UINT32_C(1) << CONFIGURATION_ARCS) - 2;
}

static bool
read_sgx_type(struct reader *value, struct sgx_pck *out)
{
    struct span s = rd_der(value, DER_ENUMERATED);

    if (!rd_done(value) || s.len != 1 || s.ptr[0] > SGX_SCALABLE_WITH_INTEGRITY)
        return false;
    out->sgx_type = (enum sgx_type)s.ptr[0];
    return true;
}

static bool
read_member(unsigned arc, struct reader *value, struct sgx_pck *out)
{
    switch (arc) {
    case ARC_PPID:
        return read_octets(value, out->ppid, sizeof(out->ppid));
    case ARC_TCB:
        return read_tcb(value, out);
    case ARC_PCE_ID:
        return read_octets(value, out->pce_id, sizeof(out->pce_id));
    case ARC_FMSPC:
        return read_octets(value, out->fmspc, sizeof(out->fmspc));
    case ARC_SGX_TYPE:
        return read_sgx_type(value, out);
    case ARC_PLATFORM_INSTANCE_ID:
        out->has_platform_instance_id = true;
        return read_octets(value, out->platform_instance_id,
                           sizeof(out->platform_instance_id));
    case ARC_CONFIGURATION:
        return read_configuration(value, out);
    default:
        return false;
    }
}

enum assay_status
sgx_pck_decode(struct span value, struct sgx_pck *out, struct assay_error *err)
{
    static const uint32_t required = 1u << ARC_PPID | 1u << ARC_TCB |
                                     1u << ARC_PCE_ID | 1u << ARC_FMSPC |
                                     1u << ARC_SGX_TYPE;
    struct reader outer = reader_over(value);
    struct reader list = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct sgx_pck pck = { 0 };
    uint32_t seen = 0;

    if (!rd_done(&outer) || !der_is_strict(value))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "SGX extension: not one SEQUENCE in DER");
    while (list.rest.len > 0) {
        struct reader member;
        unsigned arc =
            next_member(&list, span_of(NULL, 0), ARCS, &seen, &member);

        if (arc == 0)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "SGX extension: a member at byte %zu is unknown "
                              "or there twice",
                              list.offset);
        if (!read_member(arc, &member, &pck))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "SGX extension: value of %s.%u", OID_SGX, arc);
    }
    if ((seen & required) != required)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "SGX extension: a member of 1 to 5 is missing");
    *out = pck;
    return ASSAY_OK;
}

const char *
sgx_type_name(enum sgx_type type)
{
    static const char *const names[] = {
        [SGX_STANDARD] = "standard",
        [SGX_SCALABLE] = "scalable",
        [SGX_SCALABLE_WITH_INTEGRITY] = "scalable with integrity",
    };

    return names[type];
}

/* --- writing ------------------------------------------------------------- */

/* { sgx_oid.tail.arc, what is added until end_member } */
static size_t
begin_member(struct buffer *out, unsigned tail, unsigned arc)
{
    uint8_t oid[sizeof(sgx_oid) + 2];
    size_t len = sizeof(sgx_oid), mark = der_begin(out);

    memcpy(oid, sgx_oid, sizeof(sgx_oid));
    if (tail != 0)
        oid[len++] = (uint8_t)tail;
    oid[len++] = (uint8_t)arc;
    der_add(out, DER_OID, span_of(oid, len));
    return mark;
}

static void
end_member(struct buffer *out, size_t mark)
{
    der_end(out, DER_SEQUENCE, mark);
}

static void
add_octets(struct buffer *out, unsigned tail, unsigned arc,
           const uint8_t *bytes, size_t len)
{
    size_t mark = begin_member(out, tail, arc);

    der_add(out, DER_OCTET_STRING, span_of(bytes, len));
    end_member(out, mark);
}

static void
add_number(struct buffer *out, unsigned tail, unsigned arc, uint64_t value)
{
    size_t mark = begin_member(out, tail, arc);

    der_add_uint(out, value);
    end_member(out, mark);
}

static void
add_flag(struct buffer *out, unsigned arc, bool value)
{
    size_t mark = begin_member(out, ARC_CONFIGURATION, arc);

    der_add_bool(out, value);
    end_member(out, mark);
}

static void
add_tcb(struct buffer *out, const struct sgx_pck *pck)
{
    size_t mark = begin_member(out, 0, ARC_TCB), list = der_begin(out);

    for (unsigned i = 0; i < SGX_COMPONENTS; i++)
        add_number(out, ARC_TCB, i + 1, pck->comp_svn[i]);
    add_number(out, ARC_TCB, TCB_PCE_SVN, pck->pce_svn);
    add_octets(out, ARC_TCB, TCB_CPU_SVN, pck->cpu_svn, sizeof(pck->cpu_svn));
    der_end(out, DER_SEQUENCE, list);
    end_member(out, mark);
}

void
sgx_pck_encode(const struct sgx_pck *pck, struct buffer *out)
{
    const uint8_t type = (uint8_t)pck->sgx_type;
    size_t whole = der_begin(out), mark, list;

    add_octets(out, 0, ARC_PPID, pck->ppid, sizeof(pck->ppid));
    add_tcb(out, pck);
    add_octets(out, 0, ARC_PCE_ID, pck->pce_id, sizeof(pck->pce_id));
    add_octets(out, 0, ARC_FMSPC, pck->fmspc, sizeof(pck->fmspc));
    mark = begin_member(out, 0, ARC_SGX_TYPE);
    der_add(out, DER_ENUMERATED, span_of(&type, 1));
    end_member(out, mark);
    if (pck->has_platform_instance_id)
        add_octets(out, 0, ARC_PLATFORM_INSTANCE_ID, pck->platform_instance_id,
                   sizeof(pck->platform_instance_id));
    if (pck->has_configuration) {
        mark = begin_member(out, 0, ARC_CONFIGURATION);
        list = der_begin(out);
        add_flag(out, 1, pck->dynamic_platform);
        add_flag(out, 2, pck->cached_keys);
        add_flag(out, 3, pck->smt_enabled);
        der_end(out, DER_SEQUENCE, list);
        end_member(out, mark);
    }
    der_end(out, DER_SEQUENCE, whole);
}
