/* assay-sim: AMD SEV-SNP for machines that have none. Options in, files,
 * mounts and sockets out; the thinking is in the other files here. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/pem_key.h"
#include "sim/guest.h"
#include "sim/kds.h"
#include "sim/pki.h"
#include "sim/tsm_fuse.h"
#include "sim/tsm_socket.h"

enum { EXIT_DONE = 0, EXIT_USAGE = 2, EXIT_COULD_NOT = 3 };

static void
print_banner(void)
{
    struct stat st;

    fputs("assay-sim: INSECURE. Simulated processor and vendor keys: evidence "
          "made here proves nothing.\n",
          stderr);
    if (stat("/sys/kernel/config/tsm/report", &st) == 0)
        fputs("assay-sim: this machine has a real report provider at "
              "/sys/kernel/config/tsm/report; it is not used.\n",
              stderr);
}

/* A line on stdout for whoever waits for the service to be there. */
static void
print_ready(const char *what, const char *where)
{
    printf("assay-sim: %s at %s ready\n", what, where);
    fflush(stdout);
}

static enum assay_status
require(const struct options *o, enum option option, const char *name,
        struct assay_error *err)
{
    if (o->value[option])
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_MALFORMED, "%s is missing", name);
}

static enum assay_status
no_operands(const struct options *o, struct assay_error *err)
{
    if (o->operand_count == 0)
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_MALFORMED, "\"%s\": want options only",
                      o->operand[0]);
}

/* Signals that end us; blocked first, so that no other thread gets them. */
static void
block_end_signals(sigset_t *set, sigset_t *before)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, before);
}

/* --- init and revoke --- */

/* Every --product, or all of them. */
static enum assay_status
create_products(const struct options *o, struct assay_error *err)
{
    int64_t now = 0;
    enum assay_status st = guest_now(o, &now, err);

    for (size_t i = 0; st == ASSAY_OK && i < o->product_count; i++)
        if (!product_find(span_str(o->product[i])))
            st = assay_fail(err, ASSAY_ERR_MALFORMED,
                            "--product %s: want Milan, Genoa or Turin",
                            o->product[i]);
    for (size_t i = 0; st == ASSAY_OK && i < o->product_count; i++)
        st = pki_create(o->value[OPT_STATE],
                        product_find(span_str(o->product[i])), now, err);
    for (size_t i = 0;
         st == ASSAY_OK && o->product_count == 0 && i < PRODUCT_COUNT; i++)
        st = pki_create(o->value[OPT_STATE], &products[i], now, err);
    return st;
}

static enum assay_status
run_revoke(const struct options *o, struct assay_error *err)
{
    const struct product *p;
    int64_t now = 0;
    bool ask = o->operand_count == 1 && strcmp(o->operand[0], "ask") == 0;
    bool asvk = o->operand_count == 1 && strcmp(o->operand[0], "asvk") == 0;
    enum assay_status st = guest_product(o, &p, err);

    if (st == ASSAY_OK && !ask && !asvk)
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "revoke what: want \"ask\" or \"asvk\"");
    if (st == ASSAY_OK)
        st = guest_now(o, &now, err);
    if (st == ASSAY_OK)
        st = pki_create(o->value[OPT_STATE], p, now, err);
    if (st == ASSAY_OK)
        st = pki_revoke(o->value[OPT_STATE], p, ask ? CA_ASK : CA_ASVK, now,
                        err);
    return st;
}

/* --- vendor --- */

static enum assay_status
set_up_kds(struct kds *kds, const struct options *o, struct assay_error *err)
{
    unsigned long seconds = 0;
    enum assay_status st =
        guest_number(o, OPT_RATE_LIMIT, 86400, 0, &seconds, err);

    kds->state_dir = o->value[OPT_STATE];
    kds->vlek_csp_id = o->value[OPT_VLEK_CSP];
    kds->rate_limit_ms = (uint64_t)seconds * 1000;
    for (size_t i = 0; st == ASSAY_OK && i < o->fail_count; i++)
        st = fault_add(&kds->faults, span_str(o->fail[i]), err);
    if (st == ASSAY_OK && o->value[OPT_NOW])
        st = guest_now(o, &kds->now, err);
    return st;
}

static enum assay_status
serve_kds(struct kds *kds, const struct options *o, struct assay_error *err)
{
    struct httpd *public = NULL, *admin = NULL;
    char where[64];
    sigset_t end;
    int caught;
    enum assay_status st;

    block_end_signals(&end, NULL);
    st = httpd_new(o->value[OPT_LISTEN], kds_handle, kds, &public, err);
    if (st == ASSAY_OK && o->value[OPT_ADMIN])
        st = httpd_new(o->value[OPT_ADMIN], kds_handle_admin, kds, &admin, err);
    if (st == ASSAY_OK && admin) {
        snprintf(where, sizeof(where), "port %u", httpd_port(admin));
        print_ready("admin", where);
    }
    if (st == ASSAY_OK) {
        snprintf(where, sizeof(where), "port %u", httpd_port(public));
        print_ready("vendor", where);
        sigwait(&end, &caught);
    }
    httpd_free(admin);
    httpd_free(public);
    return st;
}

static enum assay_status
run_vendor(const struct options *o, struct assay_error *err)
{
    struct kds kds;
    enum assay_status st = require(o, OPT_LISTEN, "--listen", err);

    kds_init(&kds);
    if (st == ASSAY_OK)
        st = set_up_kds(&kds, o, err);
    if (st == ASSAY_OK)
        st = create_products(o, err);
    if (st == ASSAY_OK)
        st = serve_kds(&kds, o, err);
    kds_free(&kds);
    return st;
}

/* --- vm --- */

/* Until the mount has its handlers a signal would leave it behind. */
static enum assay_status
serve_mount(const struct tsm_provider *provider, const char *dir,
            const sigset_t *unblocked, struct assay_error *err)
{
    struct tsm *tsm = tsm_new(provider);
    struct tsm_mount *mount = NULL;
    enum assay_status st;

    if (!tsm)
        return assay_nomem(err, "report tree");
    st = tsm_mount_new(tsm, dir, &mount, err);
    if (st == ASSAY_OK) {
        pthread_sigmask(SIG_SETMASK, unblocked, NULL);
        print_ready(provider->name, dir);
        st = tsm_mount_run(mount, err);
    }
    tsm_mount_free(mount);
    tsm_free(tsm);
    return st;
}

static enum assay_status
serve_vm(const struct tsm_provider *provider, const struct options *o,
         struct assay_error *err)
{
    const char *path = o->value[OPT_SOCKET];
    struct server *server = NULL;
    sigset_t end, before;
    int caught;
    enum assay_status st = ASSAY_OK;

    block_end_signals(&end, &before);
    if (path)
        st = tsm_socket_new(path, provider, &server, err);
    if (st == ASSAY_OK && server)
        print_ready(provider->name, path);
    if (st == ASSAY_OK && o->value[OPT_MOUNT]) {
        st = serve_mount(provider, o->value[OPT_MOUNT], &before, err);
    } else if (st == ASSAY_OK) {
        sigwait(&end, &caught);
    }
    if (server) {
        server_free(server);
        unlink(path);
    }
    return st;
}

static enum assay_status
run_vm(const struct options *o, struct assay_error *err)
{
    struct processor_settings settings;
    struct processor *processor = NULL;
    enum assay_status st = guest_settings(o, &settings, err);

    if (st == ASSAY_OK && !o->value[OPT_MOUNT] && !o->value[OPT_SOCKET])
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "--mount or --socket is missing");
    if (st == ASSAY_OK)
        st = pki_create(o->value[OPT_STATE], settings.facts.product,
                        settings.now, err);
    if (st == ASSAY_OK)
        st = processor_new(&settings, &processor, err);
    if (st == ASSAY_OK) {
        struct tsm_provider provider = processor_tsm_provider(processor);

        st = serve_vm(&provider, o, err);
    }
    processor_free(processor);
    return st;
}

/* --- report --- */

static enum assay_status
write_output(const struct options *o, enum option option,
             const struct buffer *bytes, struct assay_error *err)
{
    if (!o->value[option])
        return ASSAY_OK;
    return file_write_atomic(o->value[option], buffer_span(bytes), 0644, err);
}

/* The certificates a verifier may be given, each in its own form. */
struct certificates {
    struct buffer leaf;  /* DER */
    struct buffer chain; /* PEM: intermediate, ARK */
    struct buffer certs; /* PEM: leaf, intermediate, ARK */
    struct buffer crl;   /* DER */
};

static enum assay_status
make_certificates(const struct processor_settings *s, struct certificates *c,
                  struct assay_error *err)
{
    const struct product *p = s->facts.product;
    enum ca_role role = s->csp_id ? CA_ASVK : CA_ASK;
    struct pki_leaf leaf = {
        p, s->facts.reported_tcb, { 0 }, s->csp_id, s->ask_generation
    };
    enum assay_status st;

    memcpy(leaf.chip_id, s->facts.chip_id, sizeof(leaf.chip_id));
    st = pki_leaf_cert(s->state_dir, &leaf, s->now, &c->leaf, err);
    if (st == ASSAY_OK)
        st = pki_ca_pem(s->state_dir, p, role, s->ask_generation, &c->chain,
                        err);
    if (st == ASSAY_OK)
        st = pki_ca_pem(s->state_dir, p, CA_ARK, PKI_NEWEST, &c->chain, err);
    if (st == ASSAY_OK)
        st = pem_cert_encode(buffer_span(&c->leaf), &c->certs, err);
    buffer_add(&c->certs, buffer_span(&c->chain));
    if (st == ASSAY_OK)
        st = buffer_check(&c->certs, "certificates", err);
    if (st == ASSAY_OK)
        st = pki_crl(s->state_dir, p, s->now, &c->crl, err);
    return st;
}

static enum assay_status
write_certificates(const struct options *o, const struct processor_settings *s,
                   struct assay_error *err)
{
    struct certificates c;
    enum assay_status st;

    buffer_init(&c.leaf, LIMIT_CERT_BYTES, NULL);
    buffer_init(&c.chain, 4 * LIMIT_CERT_BYTES, NULL);
    buffer_init(&c.certs, 8 * LIMIT_CERT_BYTES, NULL);
    buffer_init(&c.crl, LIMIT_CRL_BYTES, NULL);
    st = make_certificates(s, &c, err);
    if (st == ASSAY_OK)
        st = write_output(o, OPT_LEAF, &c.leaf, err);
    if (st == ASSAY_OK)
        st = write_output(o, OPT_CHAIN, &c.chain, err);
    if (st == ASSAY_OK)
        st = write_output(o, OPT_CERTS, &c.certs, err);
    if (st == ASSAY_OK)
        st = write_output(o, OPT_CRL, &c.crl, err);
    buffer_free(&c.leaf);
    buffer_free(&c.chain);
    buffer_free(&c.certs);
    buffer_free(&c.crl);
    return st;
}

static enum assay_status
write_report(const struct options *o, struct processor *processor,
             unsigned vmpl, struct assay_error *err)
{
    uint8_t report_data[REPORT_DATA_SIZE];
    struct buffer report, table;
    enum assay_status st =
        guest_hex_padded("--report-data", o->value[OPT_REPORT_DATA],
                         report_data, sizeof(report_data), err);

    buffer_init(&report, TSM_OUTBLOB_MAX, NULL);
    buffer_init(&table, TSM_OUTBLOB_MAX, NULL);
    if (st == ASSAY_OK)
        st = processor_report(processor, report_data, vmpl, &report, &table,
                              err);
    if (st == ASSAY_OK)
        st = write_output(o, OPT_OUT, &report, err);
    if (st == ASSAY_OK)
        st = write_output(o, OPT_TABLE, &table, err);
    buffer_free(&report);
    buffer_free(&table);
    return st;
}

static enum assay_status
run_report(const struct options *o, struct assay_error *err)
{
    struct processor_settings settings;
    struct processor *processor = NULL;
    unsigned long vmpl = 0;
    enum assay_status st = guest_settings(o, &settings, err);

    if (st == ASSAY_OK)
        st = guest_number(o, OPT_VMPL, TSM_PRIVLEVEL_MAX,
                          settings.privlevel_floor, &vmpl, err);
    if (st == ASSAY_OK)
        st = require(o, OPT_OUT, "--out", err);
    if (st == ASSAY_OK)
        st = pki_create(o->value[OPT_STATE], settings.facts.product,
                        settings.now, err);
    if (st == ASSAY_OK)
        st = processor_new(&settings, &processor, err);
    if (st == ASSAY_OK)
        st = write_report(o, processor, (unsigned)vmpl, err);
    if (st == ASSAY_OK)
        st = write_certificates(o, &settings, err);
    processor_free(processor);
    return st;
}

/* --- dispatch --- */

static enum assay_status
run(const struct options *o, struct assay_error *err)
{
    enum assay_status st = require(o, OPT_STATE, "--state", err);

    if (st == ASSAY_OK && o->verb != VERB_REVOKE)
        st = no_operands(o, err);
    if (st != ASSAY_OK)
        return st;
    switch (o->verb) {
    case VERB_INIT:
        return create_products(o, err);
    case VERB_VENDOR:
        return run_vendor(o, err);
    case VERB_VM:
        return run_vm(o, err);
    case VERB_REPORT:
        return run_report(o, err);
    case VERB_REVOKE:
        break;
    }
    return run_revoke(o, err);
}

int
main(int argc, char **argv)
{
    struct options options;
    struct assay_error err = { 0 };
    enum assay_status st = options_parse(argc, argv, &options, &err);

    if (st == ASSAY_OK && (options.value[OPT_HELP] || argv[1][0] == '-')) {
        if (argv[1][0] == '-')
            options_help(stdout);
        else
            options_verb_help(options.verb, stdout);
        return EXIT_DONE;
    }
    if (st == ASSAY_OK) {
        print_banner();
        st = run(&options, &err);
    }
    if (st == ASSAY_OK)
        return EXIT_DONE;
    fprintf(stderr, "assay-sim: %s\n", err.text);
    return st == ASSAY_ERR_MALFORMED ? EXIT_USAGE : EXIT_COULD_NOT;
}
