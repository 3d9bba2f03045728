/* Every ceiling on what a peer, host or file may make us hold, in one place.
 * Each says why it is what it is; a new decoder adds its own here. */
#ifndef ASSAY_BASE_LIMITS_H
#define ASSAY_BASE_LIMITS_H

enum assay_limits {
    /* A manifest with 1,000 pods, 20 reference values and 10 keys is under
     * 600 KiB; upstream's HTTP API takes 16 MiB for manifest and policies. */
    LIMIT_MANIFEST_BYTES = 4 * 1024 * 1024,
    /* A generated policy document is 50 to 200 KiB. */
    LIMIT_POLICY_BYTES = 2 * 1024 * 1024,
    LIMIT_POLICIES = 4096,
    /* Kubernetes files of a deployment, with a policy in each pod. */
    LIMIT_YAML_BYTES = 64 * 1024 * 1024,
    LIMIT_YAML_DEPTH = 64,
    LIMIT_FOLDER_DEPTH = 16,
    /* Lists of a manifest. A fleet lists its chips; the others are written by
     * hand. Each reference value costs 220 hashes when a manifest is set. */
    LIMIT_CHIP_IDS = 16384,
    LIMIT_ADVISORY_IDS = 1024,
    LIMIT_SANS = 256,
    LIMIT_OWNERS = 256,
    LIMIT_REFERENCE_VALUES = 256,
    LIMIT_MANIFEST_FINDINGS = 1000, /* nobody reads more */
    /* Deepest JSON we produce or accept: manifests nest 5, patches 4. */
    LIMIT_JSON_DEPTH = 64,
    /* Default ceilings of the JSON reader: four times the largest manifest,
     * and one value per 16 bytes of it. */
    LIMIT_JSON_BYTES = 16 * 1024 * 1024,
    LIMIT_JSON_VALUES = 1024 * 1024,
    /* Evidence with chain and CRL is 8 to 12 KiB; TDX quotes with collateral
     * reach 60 KiB. */
    LIMIT_EVIDENCE_BYTES = 256 * 1024,
    /* A vendor's certificate is 2 KiB; one of aTLS carries evidence. */
    LIMIT_CERT_BYTES = LIMIT_EVIDENCE_BYTES + 16 * 1024,
    /* A mesh leaf copies 47 claims; more could only slow the search down. */
    LIMIT_CERT_EXTENSIONS = 128,
    /* One piece of evidence, its claims and the verdicts of each of 20
     * reference values take under 200 KiB. */
    LIMIT_APPRAISAL_BYTES = 4 * 1024 * 1024,
    /* What a client takes from a coordinator: three CA certificates, a leaf
     * with its claims and a secret; and a history of manifests with all their
     * policies. */
    LIMIT_MESH_RESPONSE_BYTES = 256 * 1024,
    LIMIT_USER_RESPONSE_BYTES = 64 * 1024 * 1024,
    LIMIT_CERTS_PER_FILE = 64,
    LIMIT_CRL_BYTES = 1024 * 1024, /* genuine: under 1 KiB */
    /* Intel's documents: the longest TCB info is 20 KiB, with 20 levels of 32
     * components, 20 advisories and 3 modules. */
    LIMIT_SGX_DOCUMENT_BYTES = 256 * 1024,
    LIMIT_SGX_DOCUMENT_VALUES = 64 * 1024,
    LIMIT_SGX_TCB_LEVELS = 256,
    LIMIT_SGX_ADVISORIES = 256,
    LIMIT_TDX_MODULE_IDENTITIES = 256, /* one per major version */
    /* One set of collateral while it is read: JSON takes ten times its text. */
    LIMIT_SGX_COLLATERAL_ARENA = 16 * 1024 * 1024,
    LIMIT_CERT_TABLE_BYTES = 64 * 1024, /* the ioctl's own limit is 16 KiB */
    /* Linux serves report blobs up to 32 KiB, newer ones up to 16 MiB; reports
     * are 1 KiB, quotes 8 KiB, a certificate table 8 KiB. */
    LIMIT_TSM_BLOB_BYTES = 256 * 1024,
    /* Chains and lists of three products, and a chip's certificate at 2 TCBs
     * for each of 2,000 machines, at 2.4 KiB of text each. */
    LIMIT_BUNDLE_ITEMS = 4096,
    LIMIT_BUNDLE_BYTES = 16 * 1024 * 1024,
    LIMIT_CACHE_FILES = 4096,        /* one item each, as in a bundle */
    LIMIT_CPUINFO_BYTES = 64 * 1024, /* only the first processor is read */
    LIMIT_KEY_FILE_BYTES = 64 * 1024,
    /* The largest object is a manifest; etcd and ConfigMaps hold less. */
    LIMIT_STORE_VALUE_BYTES = 4 * 1024 * 1024,
    /* One SetManifest an hour for seven years. */
    LIMIT_HISTORY_LENGTH = 65536,
    LIMIT_HISTORY_POLICIES = 16384, /* different ones, over all manifests */
    /* A history of 200 manifests of 100 KiB with 100 policies of 200 KiB. */
    LIMIT_HISTORY_RESPONSE_BYTES = 64 * 1024 * 1024,
    /* SetManifest: as much as upstream's HTTP API takes. Decoded it needs as
     * much again, and 16 bytes for each policy. */
    LIMIT_SET_REQUEST_BYTES = 16 * 1024 * 1024,
    LIMIT_REQUEST_ARENA_BYTES = 40 * 1024 * 1024,
    LIMIT_SMALL_REQUEST_BYTES = 4096, /* NewMeshCert, GetManifests, Recover */
    /* A peer's certificate inside a handshake, which OpenSSL makes room for as
     * soon as its length is announced: evidence with its collateral, or only
     * an owner's key where evidence is not looked at. */
    LIMIT_ATLS_CERT_BYTES = 96 * 1024,
    LIMIT_ATLS_PLAIN_CERT_BYTES = 32 * 1024,
    /* What one daemon holds at once. A connection costs 30 to 60 KiB while it
     * talks; 2048 of them stay under 128 MiB, or 192 MiB if each announces the
     * largest certificate and stops. Half of that for one address, because
     * pods behind one node or proxy share it. */
    LIMIT_GRPC_CONNECTIONS = 2048,
    LIMIT_GRPC_CONNECTIONS_PER_PEER = 1024,
    LIMIT_GRPC_STREAMS = 16,             /* our own clients open one */
    LIMIT_GRPC_HEADER_BYTES = 16 * 1024, /* gRPC's own default is 8 KiB */
    LIMIT_GRPC_MESSAGE_BYTES = 16 * 1024 * 1024, /* a manifest, all policies */
    LIMIT_GRPC_BODIES_BYTES = 64 * 1024 * 1024,  /* four of the largest */
    /* Answers that wait for slow readers: two of the longest. */
    LIMIT_GRPC_ANSWERS_BYTES = 128 * 1024 * 1024,
    LIMIT_GRPC_OUTPUT_BYTES = 1024 * 1024, /* answers wait outside the queue */
    /* Calls that wait for a thread: a second's worth; half for one address. */
    LIMIT_CALLS_WAITING = 512,
    /* Files a daemon keeps free for its store, cache and log, beside what
     * connections take. */
    LIMIT_FILES_RESERVED = 128,
    /* Control frames: a busy client of Node or Go sends under ten a call. */
    LIMIT_GRPC_FLOOD_BURST = 1000,
    LIMIT_GRPC_FLOOD_PER_SECOND = 200,
    /* Milliseconds. The handshake includes producing and fetching evidence, on
     * both sides; CI section 0 gives it 25 s. */
    LIMIT_HANDSHAKE_MS = 25000,
    LIMIT_GRPC_REQUEST_MS = 60000,  /* 16 MiB over 2.3 Mbit/s */
    LIMIT_GRPC_RESPONSE_MS = 60000, /* the same the other way */
    LIMIT_GRPC_IDLE_MS = 300000,    /* a client that says nothing may redial */
    LIMIT_GRPC_PING_MS = 15000,     /* CI section 0 */
    LIMIT_GRPC_PING_ACK_MS = 20000, /* gRPC's own default */
    /* Metrics scrapers and probes: a handful. The simulator's vendor service
     * sees every pod of a laptop at once. */
    LIMIT_HTTP1_CONNECTIONS = 256,
    LIMIT_HTTP1_HEAD_BYTES = 8 * 1024,
    LIMIT_HTTP1_BODY_BYTES = 64 * 1024,
    LIMIT_HTTP1_OUTPUT_BYTES = 8 * 1024 * 1024, /* the longest answer */
    LIMIT_HTTP1_REQUEST_MS = 10000,
    LIMIT_HTTP1_IDLE_MS = 75000, /* scrapers come every 15 to 60 s */
    LIMIT_HTTP1_RESPONSE_MS = 30000,
    /* Rego values nest no deeper than JSON input can, and a few rules more. */
    LIMIT_REGO_VALUE_DEPTH = 256,
    /* Bytes of one string, elements of one collection: what fits 32 bits; the
     * budget of an evaluation is spent long before. */
    LIMIT_REGO_COUNT = 0x3fffffff,
    /* Decimal digits of an integer that is computed with: 2^100000, the
     * largest literal of the language, has 30,103. */
    LIMIT_REGO_NUMBER_DIGITS = 32768,
    /* Elements that numbers.range and net.cidr_expand may make. */
    LIMIT_REGO_RANGE = 1024 * 1024,
    /* A pattern compiled; each character of a text costs as many steps. */
    LIMIT_REGEX_INSTRUCTIONS = 64 * 1024,
    LIMIT_REGEX_DEPTH = 200,
    LIMIT_REGEX_BYTES = 64 * 1024, /* of a pattern's text */
    /* A class of letters without regard to case takes 40 KiB. */
    LIMIT_REGEX_ARENA_BYTES = 32 * 1024 * 1024,
    LIMIT_REGEX_CACHE = 1024, /* patterns an evaluator keeps compiled */
};

#endif
