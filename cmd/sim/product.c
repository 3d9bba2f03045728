#include "sim/product.h"

#include <stdlib.h>

const struct product products[PRODUCT_COUNT] = {
    {
        .name = "Milan",
        .vcek_product = "Milan-B0",
        .serial_base = 0x010000,
        .ark_not_before = 1603387385,  /* 2020-10-22T17:23:05Z */
        .ask_not_before = 1603391060,  /* 2020-10-22T18:24:20Z */
        .asvk_not_before = 1668638724, /* 2022-11-16T22:45:24Z */
        .hwid_size = 64,
        .family = 0x19,
        .model = 0x01,
        .stepping = 1,
        .qemu_cpu_signature = 0xa00f11,
        .report_version = 3,
        .usual_tcb = { 0, 4, 0, 24, 219 },
        .firmware = { 1, 55, 40 },
    },
    {
        .name = "Genoa",
        .vcek_product = "Genoa",
        .serial_base = 0x020000,
        .ark_not_before = 1643211277,  /* 2022-01-26T15:34:37Z */
        .ask_not_before = 1667223228,  /* 2022-10-31T13:33:48Z */
        .asvk_not_before = 1668804514, /* 2022-11-18T20:48:34Z */
        .hwid_size = 64,
        .family = 0x19,
        .model = 0x11,
        .stepping = 1,
        .qemu_cpu_signature = 0xa10f10,
        .report_version = 3,
        .usual_tcb = { 0, 10, 0, 23, 84 },
        .firmware = { 1, 55, 40 },
    },
    {
        .name = "Turin",
        .vcek_product = "Turin",
        .serial_base = 0x030000,
        .ark_not_before = 1684180992,  /* 2023-05-15T20:03:12Z */
        .ask_not_before = 1684182321,  /* 2023-05-15T20:25:21Z */
        .asvk_not_before = 1684184981, /* 2023-05-15T21:09:41Z */
        .hwid_size = 8,
        .family = 0x1a,
        .model = 0x02,
        .stepping = 1,
        .qemu_cpu_signature = 0xb00f00,
        .report_version = 5,
        .has_fmc = true,
        .usual_tcb = { 1, 1, 1, 4, 81 },
        .firmware = { 1, 55, 61 },
    },
};

const struct product *
product_find(struct span name)
{
    for (size_t i = 0; i < PRODUCT_COUNT; i++)
        if (span_equal_str(name, products[i].name))
            return &products[i];
    return NULL;
}

uint64_t
tcb_encode(const struct product *p, const struct tcb *tcb)
{
    uint64_t microcode = (uint64_t)tcb->microcode << 56;

    if (p->has_fmc)
        return microcode | (uint64_t)tcb->snp << 24 | (uint64_t)tcb->tee << 16 |
               (uint64_t)tcb->boot_loader << 8 | tcb->fmc;
    return microcode | (uint64_t)tcb->snp << 48 | (uint64_t)tcb->tee << 8 |
           tcb->boot_loader;
}

/* One decimal number up to 255 and the separator behind it. */
static bool
parse_part(const char **text, char separator, uint8_t *out)
{
    char *end;
    unsigned long value;

    if (**text < '0' || **text > '9')
        return false;
    value = strtoul(*text, &end, 10);
    if (value > 255 || *end != separator)
        return false;
    *out = (uint8_t)value;
    *text = end + (separator != '\0');
    return true;
}

enum assay_status
tcb_parse(const struct product *p, const char *text, struct tcb *out,
          struct assay_error *err)
{
    struct tcb t = { 0 };
    const char *at = text;

    if ((!p->has_fmc || parse_part(&at, ',', &t.fmc)) &&
        parse_part(&at, ',', &t.boot_loader) && parse_part(&at, ',', &t.tee) &&
        parse_part(&at, ',', &t.snp) && parse_part(&at, '\0', &t.microcode)) {
        *out = t;
        return ASSAY_OK;
    }
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "TCB \"%s\" of %s: want %sbl,tee,snp,ucode, "
                      "each a decimal 0 to 255",
                      text, p->name, p->has_fmc ? "fmc," : "");
}
