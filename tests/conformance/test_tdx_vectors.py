"""Genuine and synthetic Intel quotes through `assay evidence verify`.

The expectations are those of the vectors' own expected.json and index.json,
established without this verifier. Where the folder is absent every test here
is skipped, and the number says so.
"""
import base64
import datetime
import hashlib
import json
import os
import shutil

import pytest

from conftest import VECTORS, run

TDX = VECTORS / "tdx"
HAVE = TDX.is_dir()
CASES = sorted((TDX / "cases").iterdir()) if HAVE else []
NEGATIVE = json.loads((TDX / "negative/index.json").read_text()) if HAVE else []
SYNTHETIC = (json.loads((TDX / "synthetic/index.json").read_text())
             if HAVE else [])

# So that absence is counted, not silent.
if not HAVE:
    pytestmark = pytest.mark.skip(
        reason="no vectors at %s: 28 cases, 230 negative and 214 synthetic "
               "rows are not tested" % TDX)

# Rows where careful verifiers differ, and what we chose (doc/tdx.md).
POLICY = {
    "inner-type-1-with-chain": "refused",  # no chain was given beside it
    "trailing-garbage": "refused",         # nothing authenticates it
    "cert-len-minus-1": "refused",         # version 3, as in 4 and 5
    "chain-no-root": "accepted",           # the collateral brings the root
    "chain-reversed": "accepted",          # roles are told by name and form
    "chain-dup-leaf": "refused",           # one checked, another believed?
    "coll-tcb-case-variant-key": "refused",
    "coll-tcb-chain-leaf-only": "accepted",  # the quote brings the root
    "coll-crl-hex": "accepted",
    "coll-time-before-issue": "refused",
    "coll-time-zero": "refused",
    "pck-crl-future": "refused",
}


# Upstream appended a text to this quote on purpose. Its TCB is judged all the
# same, and the text refused.
TRAILING_TEXT = "v4-tcb-not-supported-old-pck"


def id_of(row):
    """Without vectors there is no row."""
    return row["id"] if isinstance(row, dict) else "absent"


def name_of(path):
    return getattr(path, "name", "absent")


def rfc3339(unix):
    moment = datetime.datetime.fromtimestamp(unix, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def verify(quote, collateral, at, *more, tee="tdx"):
    args = ["evidence", "verify", "--tee", tee, "--offline", "--output", "json",
            "--at", at]
    for path in collateral if isinstance(collateral, list) else [collateral]:
        args += ["--collateral", path]
    done = run("assay", *args, *more, quote)
    assert done.stdout, done.stderr
    verdict = json.loads(done.stdout)
    code = {"accepted": 0, "refused": 1, "unknown": 3}[verdict["verdict"]]
    assert done.returncode == code, done.stderr
    assert verdict["tee"] == tee
    for check in verdict["checks"]:
        assert check["ref"] and check["name"]
        if check["outcome"] in ("skipped", "fail"):
            assert check["reason"], check
    return verdict


def failed(verdict):
    return [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]


def accept(verdict):
    return ["--accept-status", verdict] if verdict != "UpToDate" else []


def expected_of(case):
    return json.loads((case / "expected.json").read_text())


def anchor_of(case):
    root = case / "trusted_root.pem"
    return ["--trust-anchor", root] if root.exists() else []


# --- cases -------------------------------------------------------------------

@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_case(case):
    want = expected_of(case)
    tee = want["tee"].lower()
    more = anchor_of(case)
    verdict = verify(case / "quote.bin", case, want["at"], *more, tee=tee)
    tcb, claims = verdict["tcb"], verdict["claims"]
    detail = want["detail"]
    assert tcb["status"] == want["verdict"]
    if detail:
        assert tcb["platform"] == detail.get("tdx_level", detail["sgx_level"])
        assert tcb["module"] == detail.get("tdx_module")
        assert tcb["qe"] == detail["qe"]
    assert tcb["advisory_ids"] == want["advisory_ids"]
    assert tcb["evaluation_number"] == want["tcb_evaluation_data_number"]
    assert tcb["fmspc"] == want["fmspc"]
    assert tcb["collateral_valid_from"] == want["valid_from"]
    assert tcb["collateral_valid_until"] == want["valid_until"]
    assert claims["version"] == want["quote_version"]
    assert claims["qe_isvsvn"] == want["qe_isvsvn"]
    for name in ("tee_tcb_svn", "td_attributes", "mrtd", "mrseam",
                 "report_data", "mrenclave", "mrsigner", "debug"):
        if name in want:
            assert claims[name] == want[name], name
    for i, rtmr in enumerate(want.get("rtmr", [])):
        assert claims["rtmr%d" % i] == rtmr
    assert verdict["insecure"] is bool(more)
    # What fails is the status, and debugging; exactly these allow it.
    trailing = ["quote_padding"] if case.name == TRAILING_TEXT else []
    bad = trailing + (
        ["tcb_status"] if want["verdict"] != "UpToDate" else []) + (
            ["debug"] if want["debug"] else [])
    assert failed(verdict) == bad
    allowed = accept(want["verdict"]) + (
        ["--allow-debug"] if want["debug"] else [])
    again = verify(case / "quote.bin", case, want["at"], *more, *allowed,
                   tee=tee)
    assert failed(again) == trailing


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_window_of_a_case_ends_to_the_second(case):
    want = expected_of(case)
    more = anchor_of(case) + accept(want["verdict"]) + ["--allow-debug"]

    def at(text, seconds):
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        verdict = verify(case / "quote.bin", case,
                         rfc3339(moment.timestamp() + seconds), *more,
                         tee=want["tee"].lower())
        return verdict["verdict"], failed(verdict)

    if case.name == TRAILING_TEXT:
        return
    assert at(want["valid_from"], 0) == ("accepted", [])
    assert at(want["valid_until"], 0) == ("accepted", [])
    for text, seconds in ((want["valid_from"], -1), (want["valid_until"], 1)):
        result, names = at(text, seconds)
        assert result == "refused"
        assert names and all(n.endswith("_validity") for n in names)


def test_preproduction_root_is_not_intels():
    case = TDX / "cases/v5-preproduction-root"
    verdict = verify(case / "quote.bin", case, expected_of(case)["at"])
    assert "root_trusted" in failed(verdict)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_other_technology_is_refused(case):
    want = expected_of(case)
    other = {"TDX": "sgx", "SGX": "tdx"}[want["tee"]]
    verdict = verify(case / "quote.bin", case, want["at"], *anchor_of(case),
                     tee=other)
    assert "tee" in failed(verdict)


# --- policy ------------------------------------------------------------------

def of_case(name, *more):
    case = TDX / "cases" / name
    return verify(case / "quote.bin", case, expected_of(case)["at"], *more)


def test_accepting_one_status_accepts_no_other():
    for status in ("SWHardeningNeeded", "ConfigurationNeeded", "Revoked"):
        verdict = of_case("v4-gcp-platform-ood-module-ok",
                          "--accept-status", status)
        assert failed(verdict) == ["tcb_status"]


def test_minimum_date_and_number():
    name = "v4-gcp-2026-eval19-uptodate"
    for more, want in (
            (["--min-tcb-date", "2025-05-14"], []),
            (["--min-tcb-date", "2025-05-15"], ["tcb_date"]),
            (["--min-eval-number", "19"], []),
            (["--min-eval-number", "20"], ["evaluation_number"])):
        assert failed(of_case(name, *more)) == want, more


def test_the_numbers_of_the_two_documents_may_differ():
    """TCB info 20 and QE identity 19 on the same day, as Intel served them."""
    name = "v4-mpc-2026-eval20-uptodate"
    assert failed(of_case(name, "--min-eval-number", "20")) == []
    assert failed(of_case(name, "--min-eval-number", "21")) == [
        "evaluation_number"]
    assert failed(of_case(name, "--min-eval-number", "20", "--strict")) == [
        "evaluation_number"]
    assert of_case(name)["tcb"]["evaluation_number"] == 20


def test_advisories_outside_the_list_are_refused():
    name = "v4-gcp-2026-eval21-platform-ood"
    ids = expected_of(TDX / "cases" / name)["advisory_ids"]
    status = ["--accept-status", "OutOfDate"]
    every = [x for i in ids for x in ("--accept-advisory", i)]
    assert failed(of_case(name, *status, *every)) == []
    verdict = of_case(name, *status, *every[2:])
    assert failed(verdict) == ["advisories"]
    (found,) = [c for c in verdict["checks"] if c["name"] == "advisories"]
    assert found["actual"] == ids[0]


def test_grace_counts_from_the_day_the_level_went_out_of_date():
    """Newest level 2026-02-11, judged on 2026-06-27: 136 days behind."""
    name = "v4-gcp-2026-eval21-platform-ood"
    verdict = of_case(name)
    (status,) = [c for c in verdict["checks"] if c["name"] == "tcb_status"]
    assert "136 days behind" in status["actual"]
    assert "allow the status OutOfDate" in status["reason"]
    assert failed(of_case(name, "--grace-days", "136")) == ["tcb_status"]
    assert failed(of_case(name, "--grace-days", "137")) == []


def test_platform_flags_and_instance():
    name = "v4-gcp-2026-eval19-uptodate"
    piid = of_case(name)["claims"]["piid"]
    assert failed(of_case(name, "--chip-id", "00" * 16)) == ["piid"]
    assert failed(of_case(name, "--chip-id", "00" * 16, "--chip-id",
                          piid)) == []
    verdict = of_case(name, "--require", "no-smt", "--require", "static")
    assert failed(verdict) == ["smt_disabled", "static_platform"]


def test_measurements():
    name = "v4-gcp-2026-eval19-uptodate"
    want = expected_of(TDX / "cases" / name)
    assert failed(of_case(name, "--measurement", want["mrtd"],
                          "--report-data", want["report_data"],
                          *(x for i, r in enumerate(want["rtmr"])
                            for x in ("--rtmr", "%d=%s" % (i, r))))) == []
    assert failed(of_case(name, "--measurement", "11" * 48)) == ["mrtd"]
    assert failed(of_case(name, "--rtmr", "2=" + "11" * 48)) == ["rtmr2"]
    assert failed(of_case(name, "--host-data", "11" * 32)) == ["mrconfigid"]


def test_missing_collateral_is_no_verdict(tmp_path):
    name = "v4-gcp-2026-eval19-uptodate"
    case = TDX / "cases" / name
    at = expected_of(case)["at"]
    for file in ("tcb_info.json", "qe_identity.json", "root_ca.crl", "pck.crl",
                 "tcb_info_issuer_chain.pem", "qe_identity_issuer_chain.pem"):
        folder = tmp_path / file
        folder.mkdir()
        for other in case.iterdir():
            if other.name not in (file, "quote.bin", "expected.json"):
                os.symlink(other.resolve(), folder / other.name)
        verdict = verify(case / "quote.bin", folder, at)
        assert verdict["verdict"] == "unknown", file


# --- negative/index.json ------------------------------------------------------

def folder_of(tmp_path, base, replaced):
    """A case's files with some of them replaced."""
    files = {f.name: f for f in base.iterdir()}
    files.update({f.name: f for f in replaced.iterdir()}
                 if replaced.is_dir() else {})
    for name, path in files.items():
        os.symlink(path.resolve(), tmp_path / name)
    return tmp_path


def choice(row_id):
    for suffix, want in POLICY.items():
        if row_id == suffix or row_id.split("-", 1)[1] == suffix:
            return want
    raise KeyError("no choice documented for %s" % row_id)


@pytest.mark.parametrize("row", NEGATIVE, ids=id_of)
def test_negative(row, tmp_path):
    base = TDX / "cases" / row["base"]
    want = expected_of(base)
    folder = folder_of(tmp_path, base, TDX / "negative" / row["id"])
    verdict = verify(folder / "quote.bin", folder, rfc3339(row["at_unix"]),
                     *accept(want["verdict"]), tee=want["tee"].lower())
    if row["expect"] == "Policy":
        result = choice(row["id"])
    else:
        result = {"Reject": "refused", "Accept": "accepted"}[row["expect"]]
    assert verdict["verdict"] == result, failed(verdict)
    if result == "accepted":
        assert verdict["tcb"]["status"] == want["verdict"]


# --- synthetic/index.json -----------------------------------------------------

# Attributes that no verdict of ours accepts without being told.
REFUSED_ATTRIBUTES = {"attr-debug": ["debug"],
                      "attr-reserved-bit1": ["debug", "td_attributes_reserved"],
                      "attr-reserved-bit40": ["td_attributes_reserved"]}


@pytest.mark.parametrize("row", SYNTHETIC, ids=id_of)
def test_synthetic(row, tmp_path):
    for name, file in row["files"].items():
        os.symlink((TDX / "synthetic" / file).resolve(), tmp_path / name)
    common = ["--trust-anchor", TDX / "synthetic" / row["trusted_root"]]
    at = rfc3339(row["at_unix"])
    verdict = verify(tmp_path / "quote.bin", tmp_path, at, *common)
    if row["expect"] in ("Reject", "Policy"):
        assert verdict["verdict"] == "refused"
        again = verify(tmp_path / "quote.bin", tmp_path, at, *common,
                       "--accept-status", "OutOfDate,Revoked,TcbNotSupported")
        assert again["verdict"] == "refused"
        return
    assert verdict["insecure"] is True
    assert verdict["tcb"]["status"] == row["expect"]
    bad = [] if row["expect"] == "UpToDate" else ["tcb_status"]
    bad += REFUSED_ATTRIBUTES.get(row["id"], [])
    assert failed(verdict) == bad
    if row["expect"] != "UpToDate":
        again = verify(tmp_path / "quote.bin", tmp_path, at, *common,
                       "--accept-status", row["expect"])
        assert again["verdict"] == "accepted", failed(again)


# --- formats/, quotes/, upstream-negative/ ------------------------------------

def test_collateral_of_dcap_qvl():
    formats = TDX / "formats/dcap-qvl"
    for quote in ("tdx_quote", "tdx-quote.hex"):
        verdict = verify(formats / quote, formats / "tdx_quote_collateral.json",
                         "2025-07-01T00:00:00Z")
        if quote == "tdx_quote":
            assert verdict["verdict"] == "accepted", failed(verdict)
            assert verdict["tcb"]["status"] == "UpToDate"
            assert verdict["tcb"]["advisory_ids"] == []
            last = verdict["tcb"]["collateral_valid_until"]
    moment = datetime.datetime.fromisoformat(last.replace("Z", "+00:00"))
    verdict = verify(formats / "tdx_quote",
                     formats / "tdx_quote_collateral.json",
                     rfc3339(moment.timestamp() - 1))
    assert verdict["verdict"] == "accepted", failed(verdict)


def test_sgx_collateral_of_dcap_qvl():
    verdict = verify(TDX / "cases/v3-sgx-client-conf-swh/quote.bin",
                     TDX / "formats/dcap-qvl/sgx_quote_collateral.json",
                     "2025-07-04T10:00:00Z", "--accept-status",
                     "ConfigurationAndSWHardeningNeeded", tee="sgx")
    assert verdict["verdict"] == "accepted", failed(verdict)
    assert verdict["tcb"]["advisory_ids"] == ["INTEL-SA-00289",
                                              "INTEL-SA-00615"]


def test_collateral_of_open_enclave():
    case = TDX / "cases/v5-td15-sprA-eval21"
    file = TDX / "formats/openenclave/tdx_quote_v5_endorsement_eval21.bin"
    verdict = verify(case / "quote.bin", file, expected_of(case)["at"])
    assert failed(verdict) == ["tcb_status"]
    assert verdict["tcb"]["advisory_ids"] == expected_of(case)["advisory_ids"]


def test_collateral_of_migtd_is_chosen_by_fmspc():
    file = TDX / "formats/migtd/collateral_production_fmspc.json"
    for name in ("v4-azure-sprA-outofdate", "v4-flashtestations-outofdate",
                 "v4-debug-td"):
        case = TDX / "cases" / name
        verdict = verify(case / "quote.bin", file, "2025-12-02T05:00:00Z")
        assert set(failed(verdict)) <= {"tcb_status", "debug"}
        assert verdict["tcb"]["fmspc"] == expected_of(case)["fmspc"]


def test_bodies_as_intel_sends_them():
    """Single documents, each found out by what it is."""
    bodies = TDX / "formats/pcs-bodies"
    case = TDX / "cases/v4-debug-td"
    verdict = verify(case / "quote.bin",
                     [bodies / n for n in (
                         "sample_tcbInfo_response", "sample_qeIdentity_response",
                         "pckcrl", "rootcrl.der")] +
                     [case / "tcb_info_issuer_chain.pem"],
                     expected_of(case)["at"], "--allow-debug")
    assert verdict["verdict"] == "accepted", failed(verdict)


def test_captured_answers():
    captures = TDX / "formats/pcs-captures"
    case = TDX / "cases/v4-gcp-teepot-uptodate"
    verdict = verify(case / "quote.bin",
                     [captures / "tdx_tcb_info.json",
                      captures / "tdx_qe_identity.json",
                      captures / "pck_crl_platform.json",
                      case / "root_ca.crl"], "2025-06-01T00:00:00Z")
    names = {c["name"]: c["outcome"] for c in verdict["checks"]}
    assert names["tcb_info_signature"] == "pass"
    assert names["qe_identity_signature"] == "pass"
    assert names["pck_crl"] == "pass"


@pytest.mark.parametrize(
    "path", sorted((TDX / "quotes").glob("*.bin")) if HAVE else [],
    ids=name_of)
def test_genuine_quote_without_collateral(path):
    """Signatures and chain hold; nothing can be said about the TCB."""
    verdict = verify(path, [], "2026-08-20T00:00:00Z")
    assert verdict["verdict"] == "unknown", failed(verdict)
    names = {c["name"]: c["outcome"] for c in verdict["checks"]}
    for name in ("root_trusted", "pck_leaf_signature", "qe_report_signature",
                 "attestation_key_binding", "quote_signature"):
        assert names[name] == "pass", name


def test_upstream_negatives_are_refused():
    folder = TDX / "upstream-negative"
    for name in ("fortanix-v3-corrupted.bin", "fortanix-v3-test-chain.bin",
                 "cmc-v3-report-tampered.bin", "oasis-v3-cert-type-3.bin",
                 "intel-qvl-sample-v3-cert-type-1.bin"):
        verdict = verify(folder / name, [], "2024-01-15T00:00:00Z", tee="sgx")
        assert verdict["verdict"] == "refused", name
    for name in ("near-v4-no-pem.bin", "intel-qvl-tdx-sample/quote.dat"):
        verdict = verify(folder / name, [], "2024-01-15T00:00:00Z")
        assert verdict["verdict"] == "refused", name


def test_quote_in_a_certificate():
    verdict = verify(TDX / "formats/ra-tls/dstack_app.cert", [],
                     "2025-01-15T00:00:00Z")
    names = {c["name"]: c["outcome"] for c in verdict["checks"]}
    assert names["quote_signature"] == "pass"


def test_azure_report_data_is_the_digest_of_the_runtime_data():
    """The paravisor's blob, and the quote that vouches for it."""
    blob = (TDX / "azure/hcl-report.bin").read_bytes()
    size = int.from_bytes(blob[0x4D0:0x4D4], "little")
    digest = hashlib.sha256(blob[0x4D4:0x4D4 + size]).hexdigest()
    case = TDX / "cases/v4-azure-sprA-uptodate"
    verdict = verify(TDX / "azure/td-quote.bin", case, expected_of(case)["at"],
                     "--report-data", digest)
    assert verdict["verdict"] == "accepted", failed(verdict)


# --- evidence show ------------------------------------------------------------

def show(path):
    done = run("assay", "evidence", "show", "--output", "json", path)
    assert done.returncode == 0, done.stderr
    text = run("assay", "evidence", "show", path)
    assert text.returncode == 0 and text.stdout, text.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_show_says_what_a_quote_holds(case):
    want, shown = expected_of(case), show(case / "quote.bin")
    for name in ("tee_tcb_svn", "td_attributes", "mrtd", "mrseam", "fmspc",
                 "report_data", "mrenclave", "mrsigner", "debug"):
        if name in want:
            assert shown["claims"][name] == want[name], name
    subjects = [c["subject"] for c in shown["certificates"]]
    assert "Intel SGX PCK Certificate" in subjects


def test_show_reads_the_bits_by_name():
    claims = show(TDX / "cases/v4-debug-td/quote.bin")["claims"]
    assert claims["td_attributes_names"] == "DEBUG SEPT_VE_DISABLE"
    assert claims["xfam_names"].startswith("X87 SSE AVX")


def test_show_checks_the_digests_of_a_tdreport():
    """Of a plain file, and of the report inside a paravisor's blob."""
    for path in (TDX / "tdreport/tdreport_v0.bin", TDX / "azure/hcl-report.bin"):
        claims = show(path)["claims"]
        assert claims["tee_tcb_info_holds"] and claims["tee_info_holds"]


def test_show_reads_hex_and_certificates():
    hex_file = show(TDX / "formats/dcap-qvl/tdx-quote.hex")
    assert hex_file["claims"]["version"] in (4, 5)
    assert show(TDX / "formats/ra-tls/dstack_app.cert")["claims"]["version"] == 4


# --- bundles of our own -------------------------------------------------------

def bundle_of(case, path):
    """A genuine set in the format of doc/collateral-bundle.md."""
    text = lambda name: (case / name).read_text()
    crl = lambda name: (case / name).read_bytes().hex()
    want = expected_of(case)
    tee, base = want["tee"].lower(), "/sgx/certification/v4/"
    items = [
        (tee + "-tcb-info", "/%s/certification/v4/tcb?fmspc=%s" % (
            tee, want["fmspc"]),
         {"tcb_info_json": text("tcb_info.json"),
          "issuer_chain": text("tcb_info_issuer_chain.pem")}),
        (tee + "-qe-identity", "/%s/certification/v4/qe/identity" % tee,
         {"enclave_identity_json": text("qe_identity.json"),
          "issuer_chain": text("qe_identity_issuer_chain.pem")}),
        ("pck-crl", base + "pckcrl?ca=%s&encoding=der" % want["pck_ca"],
         {"crl_data": crl("pck.crl"),
          "issuer_chain": text("pck_crl_issuer_chain.pem")}),
        ("sgx-root-crl", base + "rootcacrl",
         {"crl_data": crl("root_ca.crl"),
          "issuer_chain": text("pck_crl_issuer_chain.pem")}),
    ]
    path.write_text(json.dumps({
        "format": "assay-collateral-bundle", "version": 1,
        "items": [{
            "kind": kind, "product": "Intel", "path": name, "source": "file",
            "fetched_at": want["at"],
            "sha256": hashlib.sha256(json.dumps(value).encode()).hexdigest(),
            "bytes": base64.b64encode(json.dumps(value).encode()).decode(),
        } for kind, name, value in items]}))


@pytest.mark.parametrize("name", [
    "v4-gcp-2026-eval19-uptodate", "v3-sgx-client-conf-swh",
    "v5-td15-emr-uptodate"])
def test_a_bundle_serves_as_collateral(name, tmp_path):
    case = TDX / "cases" / name
    want = expected_of(case)
    bundle = tmp_path / "bundle.json"
    bundle_of(case, bundle)
    verdict = verify(case / "quote.bin", bundle, want["at"],
                     *accept(want["verdict"]), tee=want["tee"].lower())
    assert verdict["verdict"] == "accepted", (failed(verdict), verdict)
    verdict = verify(case / "quote.bin", [], want["at"], "--bundle", bundle,
                     *accept(want["verdict"]), tee=want["tee"].lower())
    assert verdict["verdict"] == "accepted", failed(verdict)
