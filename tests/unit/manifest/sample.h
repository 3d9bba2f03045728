/* A manifest of the current generation without a single finding, and a way to
 * change one thing in it. Written by hand; the keys were made with openssl. */
#ifndef ASSAY_TESTS_MANIFEST_SAMPLE_H
#define ASSAY_TESTS_MANIFEST_SAMPLE_H

#include "unit.h"

#include <stdio.h>

#define HEX_16 "00112233445566778899aabbccddeeff"
#define HEX_48 HEX_16 HEX_16 HEX_16
#define HEX_64 HEX_48 HEX_16
#define HASH_C                                                                 \
    "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"
#define HASH_W                                                                 \
    "abababababababababababababababababababababababababababababababab"
#define OWNER_SPKI                                                             \
    "3076301006072a8648ce3d020106052b8104002203620004cf3a03044333103bbc7386"   \
    "5223b8181be6bc156d1ba45c5cb18341fc73fa41db9824f6209367977e785e55da6079"   \
    "543514de76fc6571e454ce122508428d3e958e347c643afd8243499a6274172138ff04"   \
    "1c1d7a59f01f20c489bf8dd9dbd50a"
/* sha256sum of the DER above */
#define OWNER_DIGEST                                                           \
    "3b5be496e1de36ac40239a3851afb2a9a436229c0271509abd7bd76f4545488e"
#define SEEDSHARE_RSA                                                          \
    "3082010a0282010100c417851bb0bd58e1d18fb6527f7e13ee8a4f89921c3980bb0d42"   \
    "a461ecda935f86778e65e73f0a5a128468c1ff5a7358ebfa1098cb71746701814a568d"   \
    "b416bb550c4673ddb0dd71a4d254b4b4cfcb8b92b53dc09b0a3b6a5c8eb5009fd5c6c3"   \
    "3fdc250f45affa16fa3d47026f9e7d8497403d72c9f059968f4224f65e22db340ba696"   \
    "8b014ab84bc89430f85a1de2f11dc138ff75171cbe3fb07525466665bc25ed526d27e0"   \
    "a427f45ee9f9886426fa7df81580f239a8211461226b2c6cc6f3d0294f7a04ebd6f35e"   \
    "6c4bf847ed5d60100a9c310190efb9cfc0cb3810a735e6ce434b9c909786f27b97ffe4"   \
    "8d3217f9177a0e91bd55e8810c2bc848ba8e88790203010001"

/* Too short to encrypt anything with. */
#define RSA_1024                                                               \
    "30818902818100c02539fb645a6140d0bc79adefab24c1fe2716f8d6d7bddc3ec5b87d"   \
    "8780d3622739ec3e21ef5e3d5beb514fc8c40688fdfcfa16c555bbf58734b7735418c2"   \
    "419e03d2b975639713df379a335c357b2ef71cec27c6c7a9fcfd8990368ca19e6113ff"   \
    "f76d5a9cec0af0dae4017b8ddfb8ee67fad79ae384b566e3c9d7ec4071dd0203010001"

#define POLICY_C                                                               \
    "\"" HASH_C "\": {\"SANs\": [\"coordinator\", \"*\"], "                    \
    "\"WorkloadSecretID\": \"apps/v1/StatefulSet/default/coordinator\", "      \
    "\"Role\": \"coordinator\"}"
#define POLICY_W                                                               \
    "\"" HASH_W "\": {\"SANs\": [\"web\", \"10.0.0.1\", \"spiffe://x/web\"]}"
#define TCB                                                                    \
    "\"MinimumTCB\": {\"BootloaderVersion\": 10, \"TEEVersion\": 0, "          \
    "\"SNPVersion\": 23, \"MicrocodeVersion\": 84}"
#define GUEST_POLICY                                                           \
    "\"GuestPolicy\": {\"ABIMinor\": 0, \"ABIMajor\": 0, \"SMT\": true, "      \
    "\"MigrateMA\": false, \"Debug\": false, \"SingleSocket\": false, "        \
    "\"CXLAllowed\": false, \"MemAES256XTS\": false, \"RAPLDis\": false, "     \
    "\"CipherTextHidingDRAM\": false, \"PageSwapDisable\": false}"
#define PLATFORM_INFO                                                          \
    "\"PlatformInfo\": {\"SMTEnabled\": true, \"TSMEEnabled\": false, "        \
    "\"ECCEnabled\": true, \"RAPLDisabled\": false, "                          \
    "\"CiphertextHidingDRAMEnabled\": false, \"AliasCheckComplete\": true, "   \
    "\"TIOEnabled\": false}"
#define SNP                                                                    \
    "{\"Platform\": \"Metal-QEMU-SNP\", \"ProductName\": \"Genoa\", "          \
    "\"TrustedMeasurement\": \"" HEX_48 "\", \"APEIP\": \"00804000\", " TCB    \
    ", " GUEST_POLICY ", " PLATFORM_INFO ", \"MinimumMitigationVector\": 3, "  \
    "\"AllowedChipIDs\": [\"" HEX_64 "\"], \"CPUs\": 2}"
#define TDX_WITH(more)                                                         \
    "{\"Platform\": \"Metal-QEMU-TDX\", \"MinTCBEvaluationDataNumber\": 17, "  \
    "\"MrTd\": \"" HEX_48 "\", \"MrSeam\": \"" HEX_48                          \
    "\", \"Rtmrs\": [\"" HEX_48 "\", \"" HEX_48 "\", \"" HEX_48                \
    "\", \"" HEX_48 "\"], "                                                    \
    "\"Xfam\": \"e718060000000000\", \"AllowedPIIDs\": [\"" HEX_16 "\"], "     \
    "\"MemoryIntegrity\": true, \"SMTDisabled\": false, "                      \
    "\"StaticPlatform\": true, \"CPUs\": 1" more "}"
#define TDX TDX_WITH("")

static const char current_manifest[] =
    "{\n  \"Policies\": {" POLICY_C ", " POLICY_W "},\n"
    "  \"ReferenceValues\": {\"snp\": [" SNP "]},\n"
    "  \"WorkloadOwnerPubKeys\": [\"" OWNER_SPKI "\"],\n"
    "  \"SeedshareOwnerPubKeys\": [\"" SEEDSHARE_RSA "\"]\n}\n";

/* current_manifest with the first `from` replaced by `to`; the caller frees. */
static inline char *
sample_with(const char *from, const char *to)
{
    const char *at = strstr(current_manifest, from);
    size_t size = sizeof(current_manifest) + strlen(to);
    char *text = malloc(size);

    assert_non_null(text);
    if (!at)
        fail_msg("the sample has no: %s", from);
    (void)snprintf(text, size, "%.*s%s%s", (int)(at - current_manifest),
                   current_manifest, to, at + strlen(from));
    return text;
}

#endif
