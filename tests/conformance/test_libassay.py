"""libassay from outside: what it exports, and a program built with the flags
that pkg-config gives."""
import os
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT, VECTORS

LIBRARY = BUILD / "lib" / "libassay.so"

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <assay/evidence.h>

static struct assay_evidence_bytes
load(const char *path)
{
    char *bytes = malloc(1 << 16);
    FILE *f = fopen(path, "rb");
    size_t len = f ? fread(bytes, 1, 1 << 16, f) : 0;

    if (f)
        fclose(f);
    return (struct assay_evidence_bytes){ bytes, len };
}

int
main(int argc, char **argv)
{
    struct assay_evidence_bytes files[8];
    struct assay_evidence_request r = { .size = sizeof(r) };
    struct assay_evidence_verdict *verdict;
    struct assay_evidence_verifier *v = assay_evidence_verifier_new();

    r.now = strtoll(argv[1], NULL, 10);
    r.evidence = load(argv[2]);
    r.waive = ASSAY_EVIDENCE_ANY_REPORT_DATA | ASSAY_EVIDENCE_ANY_MEASUREMENT |
              ASSAY_EVIDENCE_ANY_HOST_DATA;
    r.allow = ASSAY_EVIDENCE_ALLOW_NO_CRL;
    for (int i = 3; i < argc; i++)
        files[r.collateral_count++] = load(argv[i]);
    r.collateral = files;
    if (assay_evidence_verify_snp(v, &r, &verdict) != ASSAY_EVIDENCE_OK)
        return 9;
    puts(assay_evidence_verdict_line(verdict));
    return (int)assay_evidence_verdict_result(verdict);
}
"""


def test_only_the_public_functions_are_exported():
    if not shutil.which("nm"):
        pytest.skip("no nm to look with")
    out = subprocess.run(["nm", "-D", "--defined-only", str(LIBRARY)],
                         check=True, text=True, stdout=subprocess.PIPE).stdout
    names = {line.split()[2].split("@")[0] for line in out.splitlines()}
    header = (ROOT / "include" / "assay" / "evidence.h").read_text()
    for name in names - {"LIBASSAY_0"}:
        assert name.startswith("assay_evidence_"), name
        assert name + "(" in header, name


@pytest.mark.parametrize("compiler,language", [("cc", "c"), ("c++", "c++")])
def test_the_header_is_complete_in_itself(compiler, language):
    if not shutil.which(compiler):
        pytest.skip("no " + compiler)
    subprocess.run([compiler, "-fsyntax-only", "-Wall", "-Werror", "-x",
                    language, "-I", str(ROOT / "include"),
                    str(ROOT / "include" / "assay" / "evidence.h")],
                   check=True)


def test_a_program_built_with_pkg_config(tmp_path):
    flags = "lib" if not shutil.which("pkg-config") else None
    if flags:
        pytest.skip("no pkg-config")
    env = dict(os.environ, PKG_CONFIG_PATH=str(BUILD / "meson-uninstalled"))
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libassay"],
                           env=env, text=True, stdout=subprocess.PIPE,
                           check=True).stdout.split()
    if subprocess.run(["nm", "-D", str(LIBRARY)], text=True, check=True,
                      stdout=subprocess.PIPE).stdout.find("__asan_init") >= 0:
        flags.append("-fsanitize=address,undefined")
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    program = tmp_path / "program"
    subprocess.run(["cc", "-o", str(program), str(source), *flags,
                    "-Wl,-rpath," + str(LIBRARY.parent)], check=True)
    snp = VECTORS / "snp"
    if not snp.is_dir():
        pytest.skip("no vectors at %s" % snp)
    env["ASAN_OPTIONS"] = "detect_leaks=0"
    for report, cert, chain, at, line in (
            ("turin-v5-report-1-aci", "vcek", "turin-ask-ark.pem", 1780272000,
             "accepted\n"),
            ("milan-v2-report-1-debug", "vcek", "milan-ask-ark.pem",
             1704067200, "refused: debug: got 1, want 0"),
            ("milan-v3-report-1-vlek", "vlek", "milan-asvk-ark.pem",
             1740787200, "refused: vmpl: got 1, want 0")):
        done = subprocess.run(
            [str(program), str(at), str(snp / (report + ".bin")),
             str(snp / ("%s.%s.der" % (report, cert))), str(snp / chain)],
            env=env, text=True, stdout=subprocess.PIPE, check=False)
        assert done.stdout.startswith(line)
        assert done.returncode == (1 if line.startswith("accepted") else 0)
