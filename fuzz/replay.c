/* Runs every seed of one fuzz target through it, once, without libFuzzer.
 *
 *   replay_<module> SEED-DIRECTORY
 *
 * Each seed is copied to a heap block of exactly its size, so that the address
 * sanitizer sees a read one byte past its end. What a seed's name promises is
 * described in fuzz.h; a broken promise is a failure, and so is a target
 * without a seed that succeeds. */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_MAX_BYTES = 4 * 1024 * 1024 };

static bool reached;

void
fuzz_success(void)
{
    reached = true;
}

struct tally {
    unsigned run;
    unsigned ok;
    unsigned failed;
};

static uint8_t *
read_whole(FILE *f, size_t *size)
{
    uint8_t *bytes = NULL;
    long end;

    if (fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0 ||
        end > SEED_MAX_BYTES || fseek(f, 0, SEEK_SET) != 0)
        return NULL;
    *size = (size_t)end;
    bytes = malloc(*size ? *size : 1);
    if (bytes && fread(bytes, 1, *size, f) != *size) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static uint8_t *
read_seed(const char *dir, const char *name, size_t *size)
{
    char path[4096];
    uint8_t *bytes;
    FILE *f;
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (n < 0 || (size_t)n >= sizeof(path) || !(f = fopen(path, "rb")))
        return NULL;
    bytes = read_whole(f, size);
    fclose(f);
    return bytes;
}

static void
judge(const char *name, struct tally *tally)
{
    bool want_ok = strncmp(name, "ok-", 3) == 0;
    bool want_bad = strncmp(name, "bad-", 4) == 0;

    tally->run++;
    if (want_ok && reached) {
        tally->ok++;
    } else if (want_ok || (want_bad && reached)) {
        tally->failed++;
        printf("FAIL %s: %s\n", name,
               want_ok ? "does not reach fuzz_success()"
                       : "reaches fuzz_success(), must be refused");
    }
}

static void
replay_one(const char *dir, const char *name, struct tally *tally)
{
    size_t size = 0;
    uint8_t *bytes = read_seed(dir, name, &size);

    if (!bytes) {
        tally->failed++;
        printf("FAIL %s: cannot be read, or is over %d bytes\n", name,
               SEED_MAX_BYTES);
        return;
    }
    reached = false;
    /* Whoever debugs an abort wants to know which seed it was. */
    fprintf(stderr, "seed %s, %zu bytes\n", name, size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    judge(name, tally);
}

int
main(int argc, char **argv)
{
    struct tally tally = { 0 };
    struct dirent *entry;
    DIR *dir;

    if (argc != 2 || !(dir = opendir(argv[1]))) {
        printf("FAIL no seeds: %s\n", argc == 2 ? argv[1] : "usage: DIR");
        return 1;
    }
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            replay_one(argv[1], entry->d_name, &tally);
    closedir(dir);
    if (tally.ok == 0) {
        tally.failed++;
        printf("FAIL %s: no seed ok-* that reaches fuzz_success()\n", argv[1]);
    }
    printf("%u seeds replayed, %u succeed, %u broken promises\n", tally.run,
           tally.ok, tally.failed);
    return tally.failed != 0;
}
