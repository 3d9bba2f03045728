"""Genuine SEV-SNP evidence through `assay evidence verify` and `show`.

The expectations are those of the vectors' own PROVENANCE.md, index.json and
mutations.tsv, established without this verifier. Where the folder is absent
every test here is skipped, and the number says so.
"""
import csv
import datetime
import json
import os
import pathlib

import pytest

from conftest import VECTORS, run

SNP = VECTORS / "snp"
HAVE = SNP.is_dir()
INDEX = json.loads((SNP / "index.json").read_text()) if HAVE else []
BY_FILE = {row["file"]: row for row in INDEX}
MUTATIONS = (list(csv.DictReader((SNP / "mutations.tsv").open(),
                                 delimiter="\t")) if HAVE else [])

# So that absence is counted, not silent: 18 reports and 22 mutations.
if not HAVE:
    pytestmark = pytest.mark.skip(
        reason="no vectors at %s: 18 reports, 22 mutations and the special "
               "files are not tested" % SNP)


def chain_of(row):
    line = row["chain"].split()[0].lower()
    return SNP / ("%s-%s-ark.pem" % (
        line, "asvk" if "ASVK" in row["chain"] else "ask"))


def inside(validity):
    """A moment a day after the certificate was issued."""
    day = datetime.date.fromisoformat(validity[0])
    return "%sT00:00:00Z" % (day + datetime.timedelta(days=1))


def verify(report, certs, at, *more):
    args = ["evidence", "verify", "--tee", "snp", "--offline",
            "--output", "json"]
    for cert in certs:
        args += ["--cert", cert]
    if at:
        args += ["--at", at]
    done = run("assay", *args, *more, report)
    verdict = json.loads(done.stdout)
    code = {"accepted": 0, "refused": 1, "unknown": 3}[verdict["verdict"]]
    assert done.returncode == code, done.stderr
    assert verdict["tee"] == "snp" and verdict["insecure"] is False
    for check in verdict["checks"]:
        assert set(check) == {"name", "ref", "outcome", "expected", "actual",
                              "reason"}
        assert check["outcome"] in ("pass", "fail", "skipped", "warn")
        assert check["ref"] and check["name"]
        if check["outcome"] in ("skipped", "fail"):
            assert check["reason"], check
    return verdict


def check(verdict, name):
    (found,) = [c for c in verdict["checks"] if c["name"] == name]
    return found


def failed(verdict):
    return [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]


def each_cert():
    for row in INDEX:
        for cert, validity in zip(row["certs"], row["cert_validity"]):
            yield pytest.param(row, cert, validity, id=cert)


def verify_row(row, cert, validity, *more):
    return verify(SNP / row["file"], [SNP / cert, chain_of(row)],
                  inside(validity), *more)


# --- index.json --------------------------------------------------------------

@pytest.mark.parametrize("row,cert,validity", each_cert())
def test_genuine_report(row, cert, validity):
    verdict = verify_row(row, cert, validity)
    if row["expect"] == "valid":
        assert verdict["verdict"] == "accepted", failed(verdict)
    else:
        assert "DEBUG" in row["expect"]
        assert failed(verdict) == ["debug"]
        again = verify_row(row, cert, validity, "--allow-debug")
        assert again["verdict"] == "accepted", failed(again)
    revocation = check(verdict, "revocation")
    assert revocation["outcome"] == "skipped" and revocation["reason"]


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"])
def test_claims_are_what_the_index_says(row):
    verdict = verify_row(row, row["certs"][0], row["cert_validity"][0])
    claims = verdict["claims"]
    assert claims["version"] == row["version"]
    assert claims["guest_svn"] == row["svn"]
    assert claims["policy"] == int(row["policy"], 16)
    assert claims["vmpl"] == row["vmpl"]
    assert claims["platform_info"] == int(row["pinfo"], 16)
    assert claims["flags"] == int(row["flags"], 16)
    assert claims["chip_id"].startswith(row["chip"])
    assert claims["reported_tcb"] == row["rtcb"]
    assert claims["measurement"] == row["meas"]
    assert claims["report_data"] == row["rd"]
    assert claims["product"] == row["chain"].split()[0]
    assert claims["signing_key"] == {"VCEK": 0, "VLEK": 1}[row["signer"]]
    if row["version"] >= 3:
        fms = bytes.fromhex(row["fms"])
        assert claims["cpuid_fam_id"] == fms[0]
        assert claims["cpuid_mod_id"] == fms[1]
        assert claims["cpuid_step"] == fms[2]


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"])
def test_before_and_after_validity_is_refused(row):
    for at in ("2019-01-01T00:00:00Z", "2050-01-01T00:00:00Z"):
        verdict = verify(SNP / row["file"],
                         [SNP / row["certs"][0], chain_of(row)], at)
        assert "leaf_validity" in failed(verdict)


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"])
def test_leaf_of_another_machine_is_refused(row):
    """hwID is compared: also where the TCBs are equal (Turin's 8 bytes too)."""
    for other in INDEX:
        if other["chip"] == row["chip"] or other["chain"] != row["chain"]:
            continue
        verdict = verify(SNP / row["file"],
                         [SNP / other["certs"][0], chain_of(other)],
                         inside(other["cert_validity"][0]))
        assert verdict["verdict"] == "refused"
        assert "leaf_chip" in failed(verdict)
        assert "report_signature" in failed(verdict)


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"])
def test_without_collateral_there_is_no_verdict(row):
    if "DEBUG" in row["expect"]:
        return
    verdict = verify(SNP / row["file"], [], None)
    assert verdict["verdict"] == "unknown"
    verdict = verify(SNP / row["file"], [chain_of(row)], None)
    assert verdict["verdict"] == "unknown"
    verdict = verify(SNP / row["file"], [SNP / row["certs"][0]],
                     inside(row["cert_validity"][0]))
    assert verdict["verdict"] == "unknown"


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"])
def test_certificates_in_any_order_and_doubled(row, tmp_path):
    certs = [SNP / c for c in row["certs"]]
    chain = chain_of(row)
    blocks = chain.read_text().split("-----END CERTIFICATE-----\n")
    backwards = tmp_path / "backwards.pem"
    backwards.write_text("".join(
        b + "-----END CERTIFICATE-----\n" for b in blocks[:2][::-1]))
    noise = [SNP / "turin-asvk-ark.pem", SNP / "genoa-ask-ark.pem",
             SNP / "milan-v2-report-7.vcek.der"]
    for order in ([backwards, *certs], [*certs, chain, backwards, *certs],
                  [*noise, *certs, chain], [chain, *certs, *noise]):
        verdict = verify(SNP / row["file"], order,
                         inside(row["cert_validity"][-1]), "--allow-debug")
        assert verdict["verdict"] == "accepted", failed(verdict)


@pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"])
def test_chain_of_another_product_is_refused_or_missing(row):
    for name in ("milan-ask-ark.pem", "genoa-ask-ark.pem",
                 "turin-ask-ark.pem", "milan-asvk-ark.pem",
                 "genoa-asvk-ark.pem", "turin-asvk-ark.pem"):
        if SNP / name == chain_of(row):
            continue
        verdict = verify(SNP / row["file"], [SNP / row["certs"][0],
                                             SNP / name],
                         inside(row["cert_validity"][0]))
        assert verdict["verdict"] != "accepted"


def test_expectations_are_compared():
    row = BY_FILE["milan-v3-report-5.bin"]
    args = (row, row["certs"][0], row["cert_validity"][0])
    raw = (SNP / row["file"]).read_bytes()
    host_data = raw[0xC0:0xE0].hex()
    good = verify_row(*args, "--measurement", row["meas"], "--report-data",
                      row["rd"], "--host-data", host_data, "--product",
                      "Milan", "--vmpl", "0")
    assert good["verdict"] == "accepted", failed(good)
    for name in ("measurement", "report_data", "host_data", "vmpl"):
        assert check(good, name)["outcome"] == "pass"
    for option, value, name in (
            ("--measurement", "00" * 48, "measurement"),
            ("--report-data", "00" * 64, "report_data"),
            ("--host-data", "ff" * 32, "host_data"),
            ("--vmpl", "1", "vmpl"),
            ("--chip-id", "ab" * 64, "chip_id"),
            ("--product", "Genoa", "expected_product")):
        bad = verify_row(*args, option, value)
        assert name in failed(bad), option
    # Shorter report data is continued with zeros (by convention).
    short = BY_FILE["bergamo-v5-report-1.bin"]
    verdict = verify_row(short, short["certs"][0], short["cert_validity"][0],
                         "--report-data", b"hello-attestation".hex())
    assert check(verdict, "report_data")["outcome"] == "pass"


def test_vmpl_1_is_accepted_when_expected():
    row = BY_FILE["milan-v3-report-1-vlek.bin"]
    args = (row, row["certs"][0], row["cert_validity"][0])
    assert check(verify_row(*args), "vmpl")["outcome"] == "warn"
    assert verify_row(*args, "--vmpl", "1")["verdict"] == "accepted"
    assert "vmpl" in failed(verify_row(*args, "--vmpl", "0"))


def test_milan_without_a_chip_list_warns_and_strictly_fails():
    row = BY_FILE["milan-v2-report-2.bin"]
    at = "2023-04-20T00:00:00Z"
    certs = [SNP / row["certs"][0], chain_of(row)]
    crl = ("--crl", SNP / "milan-crl-1.der")
    chip = (SNP / row["file"]).read_bytes()[0x1A0:0x1E0].hex()
    assert check(verify(SNP / row["file"], certs, at, *crl),
                 "milan_root_seed")["outcome"] == "warn"
    strict = verify(SNP / row["file"], certs, at, *crl, "--strict")
    assert failed(strict) == ["milan_root_seed"]
    listed = verify(SNP / row["file"], certs, at, *crl, "--strict",
                    "--chip-id", chip)
    assert listed["verdict"] == "accepted"
    genoa = BY_FILE["genoa-v3-report-2.bin"]
    verdict = verify_row(genoa, genoa["certs"][0], genoa["cert_validity"][0])
    assert check(verdict, "milan_root_seed")["outcome"] == "skipped"


# --- revocation --------------------------------------------------------------

def test_revocation_list_that_is_current_is_used():
    verdict = verify(SNP / "milan-v2-report-2.bin",
                     [SNP / "milan-v2-report-2.vcek.der",
                      SNP / "milan-ask-ark.pem"], "2023-04-20T00:00:00Z",
                     "--crl", SNP / "milan-crl-1.der")
    assert verdict["verdict"] == "accepted", failed(verdict)
    for name in ("crl", "crl_validity", "revocation"):
        assert check(verdict, name)["outcome"] == "pass"


def test_without_revocation_list_strict_refuses():
    verdict = verify(SNP / "genoa-v3-report-2.bin",
                     [SNP / "genoa-v3-report-2.vcek.der",
                      SNP / "genoa-ask-ark.pem"], "2025-05-01T00:00:00Z",
                     "--strict")
    assert failed(verdict) == ["revocation"]


def test_expired_revocation_lists_are_refused():
    for report, chain, crl in (
            ("milan-v2-report-2", "milan", "milan-crl-1.der"),
            ("genoa-v3-report-2", "genoa", "genoa-crl-1.der")):
        row = BY_FILE[report + ".bin"]
        verdict = verify(SNP / row["file"],
                         [SNP / row["certs"][0],
                          SNP / ("%s-ask-ark.pem" % chain)],
                         "2026-01-01T00:00:00Z", "--crl", SNP / crl)
        assert failed(verdict) == ["crl_validity"]


def test_revocation_list_of_another_product_is_refused():
    row = BY_FILE["genoa-v3-report-2.bin"]
    verdict = verify_row(row, row["certs"][0], row["cert_validity"][0],
                         "--crl", SNP / "milan-crl-1.der")
    assert "crl" in failed(verdict)
    # Beside the right one it does no harm.
    verdict = verify(SNP / "milan-v2-report-2.bin",
                     [SNP / "milan-v2-report-2.vcek.der",
                      SNP / "milan-ask-ark.pem"], "2023-04-20T00:00:00Z",
                     "--crl", SNP / "genoa-crl-1.der",
                     "--crl", SNP / "milan-crl-1.der")
    assert verdict["verdict"] == "accepted", failed(verdict)


def test_revoked_intermediate_is_refused(tmp_path):
    """The first Genoa ASK: a good signature of the ARK, the right name, and on
    the list. Both with the new ASK absent and with it present."""
    row = BY_FILE["bergamo-v5-report-1.bin"]
    ark = tmp_path / "ark.pem"
    ark.write_text(chain_of(row).read_text().split(
        "-----END CERTIFICATE-----\n")[1] + "-----END CERTIFICATE-----\n")
    certs = [SNP / row["certs"][0], SNP / "genoa-ask-revoked.der", ark]
    verdict = verify(SNP / row["file"], certs,
                     inside(row["cert_validity"][0]),
                     "--crl", SNP / "genoa-crl-1.der")
    assert check(verdict, "intermediate_signature")["outcome"] == "pass"
    assert "revocation" in failed(verdict)
    verdict = verify(SNP / row["file"], certs + [chain_of(row)],
                     inside(row["cert_validity"][0]))
    assert verdict["verdict"] == "accepted", failed(verdict)


# --- mutations.tsv -----------------------------------------------------------

def mutate(raw, row):
    raw = bytearray(raw)
    offset = int(row["offset"], 0)
    if row["op"] == "xor":
        raw[offset] ^= int(row["value"], 16)
    elif row["op"] == "set":
        value = bytes.fromhex(row["value"])
        raw[offset:offset + len(value)] = value
    elif row["op"] == "zero":
        raw[offset:offset + int(row["value"])] = bytes(int(row["value"]))
    elif row["op"] == "trunc":
        raw = raw[:offset]
    elif row["op"] == "append":
        raw += bytes.fromhex(row["value"])
    else:
        pytest.fail("unknown operation " + row["op"])
    return bytes(raw)


# The words of the expectation column, as names of the checks that say it.
SAID_BY = {
    "bad signature": {"report_signature"},
    "r not < n": {"report_signature", "signature_padding"},
    "malformed": {"signature_padding"},
    "unsupported version": {"report_version"},
    "unsupported algorithm": {"signature_algo"},
    "reserved-must-be-one": {"policy_reserved"},
    "reserved bits": {"policy_reserved", "flags_reserved"},
    "reserved bytes": {"reserved_bytes"},
    "reserved value": {"signing_key"},
    "unsigned report": {"signing_key", "report_signature"},
    "signer kind mismatch": {"leaf_kind"},
    "length": {"report_length"},
}


@pytest.mark.parametrize("row", MUTATIONS, ids=lambda row: row["what"])
def test_mutation(row, tmp_path):
    genuine = BY_FILE[row["file"]]
    report = tmp_path / "report.bin"
    report.write_bytes(mutate((SNP / row["file"]).read_bytes(), row))
    verdict = verify(report, [SNP / genuine["certs"][0], chain_of(genuine)],
                     inside(genuine["cert_validity"][0]))
    assert verdict["verdict"] == "refused"
    expected = row["expected"]
    assert expected.startswith("refuse: ")
    names = set().union(*(names for words, names in SAID_BY.items()
                          if words in expected))
    assert names & set(failed(verdict)), (expected, failed(verdict))


# --- special files -----------------------------------------------------------

def test_tampered_reports():
    for name in ("neg-milan-v2-idkey-tampered.bin",
                 "neg-milan-v2-sig-r-tampered.bin"):
        verdict = verify(SNP / name, [SNP / "milan-v2-report-7.vcek.der",
                                      SNP / "milan-ask-ark.pem"],
                         "2023-01-01T00:00:00Z")
        assert "report_signature" in failed(verdict), name


def test_version_1_is_unsupported():
    verdict = verify(SNP / "neg-v1-report.bin", [], None)
    assert failed(verdict)[0] == "report_version"
    shown = run("assay", "evidence", "show", SNP / "neg-v1-report.bin")
    assert shown.returncode == 0 and "MALFORMED" in shown.stdout


@pytest.mark.parametrize("name", ["neg-vcek-hwid-raw.der",
                                  "neg-vcek-hwid-octetstring.der"])
def test_forged_vcek(name):
    """Both encodings of hwID are read; the chain is refused."""
    verdict = verify(SNP / "milan-v2-report-2.bin",
                     [SNP / name, SNP / "milan-ask-ark.pem"],
                     "2024-01-01T00:00:00Z")
    assert "leaf_signature" in failed(verdict)
    assert check(verdict, "leaf_extensions")["outcome"] == "pass"
    assert check(verdict, "leaf_chip")["expected"] == bytes(range(64)).hex()


def test_parse_only_report_has_no_verdict():
    report = SNP / "parse-genoa-v2-nocert.bin"
    for certs in ([], [SNP / "genoa-ask-ark.pem"]):
        assert verify(report, certs, None)["verdict"] == "unknown"
    shown = run("assay", "evidence", "show", "--output", "json", report)
    claims = json.loads(shown.stdout)["claims"]
    assert claims["measurement"].startswith("ad8bc5f84984c754")
    assert "product" not in claims


def test_azure_hcl_blob(tmp_path):
    blob = SNP / "milan-v2-hcl-1.bin"
    certs = [SNP / "milan-v2-hcl-1.vcek.der", SNP / "milan-ask-ark.pem"]
    verdict = verify(blob, certs, "2024-01-01T00:00:00Z")
    assert verdict["verdict"] == "accepted", failed(verdict)
    assert check(verdict, "hcl_runtime_data")["outcome"] == "pass"
    raw = bytearray(blob.read_bytes())
    raw[0x4E0] ^= 1
    changed = tmp_path / "hcl.bin"
    changed.write_bytes(raw)
    assert failed(verify(changed, certs, "2024-01-01T00:00:00Z")) == [
        "hcl_runtime_data"]


def test_certificate_tables():
    for report, table, at in (
            ("genoa-v3-report-2.bin", "genoa-v3-auxblob-1.bin",
             "2025-05-01T00:00:00Z"),
            ("milan-v3-report-2-aci.bin", "certtable-vcek-der.bin",
             "2026-03-01T00:00:00Z"),
            ("milan-v3-report-1-vlek.bin", "certtable-vlek-der-16k.bin",
             "2025-03-01T00:00:00Z")):
        verdict = verify(SNP / report, [SNP / table], at)
        assert verdict["verdict"] == "accepted", (table, failed(verdict))
    empty = verify(SNP / "genoa-v3-report-2.bin",
                   [SNP / "certtable-empty.bin"], "2025-05-01T00:00:00Z")
    assert empty["verdict"] == "unknown"


def test_certificate_table_that_overflows_is_refused():
    table = SNP / "neg-certtable-overflow.bin"
    verdict = verify(SNP / "milan-v3-report-2-aci.bin", [table],
                     "2026-03-01T00:00:00Z")
    assert "collateral" in failed(verdict)
    shown = run("assay", "evidence", "show", table)
    assert shown.returncode == 1 and "certificate table" in shown.stderr


def test_both_leaves_in_one_table_are_told_apart():
    """SIGNING_KEY decides, not the order."""
    vlek = [SNP / "milan-v3-report-1-vlek.vlek.der", SNP / "milan-asvk-ark.pem"]
    vcek = [SNP / "milan-v3-report-2-aci.vcek-2.der", SNP / "milan-ask-ark.pem"]
    for certs in (vlek + vcek, vcek + vlek):
        for report, at in (("milan-v3-report-1-vlek.bin", "2025-03-01"),
                           ("milan-v3-report-2-aci.bin", "2026-03-01")):
            verdict = verify(SNP / report, certs, at)
            assert verdict["verdict"] == "accepted", failed(verdict)


def test_leaf_of_the_wrong_kind_is_refused():
    verdict = verify(SNP / "milan-v3-report-1-vlek.bin",
                     [SNP / "milan-v3-report-2-aci.vcek-2.der",
                      SNP / "milan-ask-ark.pem"], "2026-03-01")
    assert "leaf_kind" in failed(verdict)


@pytest.mark.parametrize(
    "path", sorted(SNP.glob("*.*")) if HAVE else [], ids=lambda p: p.name)
def test_show_reads_every_file(path):
    if path.suffix not in (".bin", ".der", ".pem"):
        return
    done = run("assay", "evidence", "show", "--output", "json", path)
    if path.name == "neg-certtable-overflow.bin":
        assert done.returncode == 1
        return
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["format"] != "unknown"
    if "report" in path.name and path.suffix == ".bin":
        raw = path.read_bytes()
        assert shown["claims"]["measurement"] == raw[0x90:0xC0].hex()


# --- bad input ---------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 671, 672, 1183, 1185, 2368])
def test_wrong_lengths_are_refused(size, tmp_path):
    raw = (SNP / "genoa-v3-report-2.bin").read_bytes() * 2
    report = tmp_path / "report.bin"
    report.write_bytes(raw[:size])
    verdict = verify(report, [SNP / "genoa-v3-report-2.vcek.der",
                              SNP / "genoa-ask-ark.pem"], "2025-05-01")
    assert failed(verdict), size


def test_garbage_as_certificate_is_refused(tmp_path):
    junk = tmp_path / "junk"
    for content in (b"junk", b"\x30\x82\xff\xff", os.urandom(64),
                    b"-----BEGIN CERTIFICATE-----\n!\n"):
        junk.write_bytes(content)
        verdict = verify(SNP / "genoa-v3-report-2.bin",
                         [SNP / "genoa-v3-report-2.vcek.der",
                          SNP / "genoa-ask-ark.pem", junk], "2025-05-01")
        assert "collateral" in failed(verdict), content


def test_unreadable_files_and_bad_options_are_usage_errors(tmp_path):
    report = SNP / "genoa-v3-report-2.bin"
    absent = tmp_path / "absent"
    for args in (["--cert", absent, report], ["--crl", absent, report],
                 [absent], ["--at", "noon", report],
                 ["--measurement", "12", report],
                 ["--report-data", "xyz", report],
                 ["--product", "Rome", report], ["--vmpl", "4", report],
                 ["--tee", "arm", report], ["--nonsense", report], []):
        done = run("assay", "evidence", "verify", "--offline", *args)
        assert done.returncode == 2, args
        assert done.stdout == "" and done.stderr


def test_tdx_is_recognised():
    quotes = sorted(p for p in (VECTORS / "tdx").rglob("*") if p.is_file())
    quotes = [p for p in quotes if p.read_bytes()[:8] ==
              b"\x04\0\x02\0\x81\0\0\0"]
    if not quotes:
        pytest.skip("no TDX quote at hand")
    for quote in quotes:
        done = run("assay", "evidence", "show", quote)
        assert done.returncode in (0, 1, 3), done.stderr  # bad ones too
        done = run("assay", "evidence", "verify", "--offline", quote)
        assert done.returncode == 1
