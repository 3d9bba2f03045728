#include "unit.h"

#include <stdio.h>

#include "service/metrics.h"

#define PATH "/meshapi.MeshAPI/NewMeshCert"
#define LABELS                                                                 \
    "{grpc_type=\"unary\",grpc_service=\"meshapi.MeshAPI\","                   \
    "grpc_method=\"NewMeshCert\""

static void
assert_line(const struct metrics *m, const char *line)
{
    struct buffer text;

    buffer_init(&text, 1 << 20, NULL);
    metrics_render(m, &text);
    if (!strstr(buffer_str(&text), line))
        fail_msg("no line %s in\n%s", line, buffer_str(&text));
    buffer_free(&text);
}

static void
calls_are_counted_by_method_and_code(void **state)
{
    struct metrics m = { 0 };

    (void)state;
    metrics_add_method(&m, PATH);
    metrics_started(&m, PATH);
    metrics_started(&m, PATH);
    metrics_received(&m, PATH);
    metrics_handled(&m, PATH, GRPC_OK, 450);
    metrics_handled(&m, PATH, GRPC_PERMISSION_DENIED, 2000000);
    assert_line(&m, "contrast_grpc_server_started_total" LABELS "} 2\n");
    assert_line(&m, "contrast_grpc_server_msg_received_total" LABELS "} 1\n");
    assert_line(&m, "contrast_grpc_server_msg_sent_total" LABELS "} 1\n");
    assert_line(&m, "contrast_grpc_server_handled_total" LABELS
                    ",grpc_code=\"OK\"} 1\n");
    assert_line(&m, "contrast_grpc_server_handled_total" LABELS
                    ",grpc_code=\"PermissionDenied\"} 1\n");
}

static void
buckets_are_cumulative(void **state)
{
    static const char *const lines[] = {
        "_bucket" LABELS ",le=\"0.0001\"} 1\n",
        "_bucket" LABELS ",le=\"0.0005\"} 2\n",
        "_bucket" LABELS ",le=\"1\"} 2\n",
        "_bucket" LABELS ",le=\"5\"} 2\n",
        "_bucket" LABELS ",le=\"+Inf\"} 3\n",
        "_sum" LABELS "} 7.000200\n",
        "_count" LABELS "} 3\n",
    };
    struct metrics m = { 0 };

    (void)state;
    metrics_add_method(&m, PATH);
    metrics_handled(&m, PATH, GRPC_OK, 99);
    metrics_handled(&m, PATH, GRPC_OK, 101);
    metrics_handled(&m, PATH, GRPC_OK, 7000000);
    for (size_t i = 0; i < COUNT(lines); i++) {
        char line[256];

        (void)snprintf(line, sizeof(line),
                       "contrast_grpc_server_handling_seconds%s", lines[i]);
        assert_line(&m, line);
    }
}

static void
unknown_paths_add_nothing(void **state)
{
    struct metrics m = { 0 };

    (void)state;
    metrics_add_method(&m, PATH);
    metrics_started(&m, "");
    metrics_handled(&m, "/nobody.Knows/This", GRPC_UNIMPLEMENTED, 1);
    assert_int_equal(m.method_count, 1);
    assert_int_equal(m.methods[0].started, 0);
    m.generation = 3;
    m.attestation_failures = 4;
    assert_line(&m, "\ncontrast_coordinator_manifest_generation 3\n");
    assert_line(&m, "\ncontrast_meshapi_attestation_failures_total 4\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_by_method_and_code),
        cmocka_unit_test(buckets_are_cumulative),
        cmocka_unit_test(unknown_paths_add_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
