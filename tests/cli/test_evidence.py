"""`assay evidence verify|show` on evidence of the tests' own vendor: forms that
the genuine vectors do not have, trust anchors, and what a person reads."""
import base64
import json
import re
import subprocess

import pytest

from conftest import ROOT, run

SEEDS = ROOT / "fuzz" / "seeds"
AT = ("--at", "2026-06-01T00:00:00Z")  # FIXTURE_NOW of the seeds
GOOD = ["ok-milan-v2", "ok-genoa-v4", "ok-turin-v5"]


@pytest.fixture
def anchor(tmp_path):
    """The root of a seed's vendor, in a file: the third certificate."""
    def extract(name):
        der = (SEEDS / "snp_chain" / name).read_bytes()
        for _ in range(2):
            length = int.from_bytes(der[2:4], "big") + 4
            der = der[length:]
        path = tmp_path / (name + ".ark.der")
        path.write_bytes(der)
        return path
    return extract


def verify(path, *args):
    done = run("assay", "evidence", "verify", "--offline", "--output", "json",
               *AT, *args, path)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("name", GOOD)
def test_protobuf_evidence_under_an_added_anchor(name, anchor):
    code, verdict = verify(SEEDS / "snp_evidence" / name, "--trust-anchor",
                           anchor(name))
    assert code == 0 and verdict["verdict"] == "accepted"
    assert verdict["insecure"] is True
    outcomes = {c["name"]: c["outcome"] for c in verdict["checks"]}
    assert outcomes["revocation"] == "pass"  # its CRL came along


@pytest.mark.parametrize("name", GOOD)
def test_without_the_anchor_it_is_refused(name):
    code, verdict = verify(SEEDS / "snp_evidence" / name)
    assert code == 1
    failed = [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]
    assert failed == ["root_trusted"]
    assert verdict["insecure"] is False


def test_insecure_is_said_in_text(anchor):
    done = run("assay", "evidence", "verify", "--offline", *AT,
               "--trust-anchor", anchor("ok-genoa-v4"),
               SEEDS / "snp_evidence" / "ok-genoa-v4")
    assert done.stdout.startswith("accepted INSECURE")
    assert "\033" not in done.stdout


def test_a_leaf_is_no_anchor(tmp_path):
    leaf = tmp_path / "leaf.der"
    der = (SEEDS / "snp_chain" / "ok-genoa-v4").read_bytes()
    der = der[int.from_bytes(der[2:4], "big") + 4:]
    leaf.write_bytes(der[:int.from_bytes(der[2:4], "big") + 4])
    done = run("assay", "evidence", "verify", "--offline", *AT,
               "--trust-anchor", leaf, SEEDS / "snp_evidence" / "ok-genoa-v4")
    assert done.returncode == 2 and "SEV-VCEK" in done.stderr


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_evidence_inside_a_certificate(form, anchor, tmp_path):
    evidence = (SEEDS / "snp_evidence" / "ok-genoa-v4").read_bytes()
    config = tmp_path / "openssl.cnf"
    config.write_text("[req]\ndistinguished_name = dn\n[dn]\n[x]\n"
                      "1.3.9901.2.1 = DER:%s\n" % evidence.hex())
    cert = tmp_path / "cert"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=Contrast", "-keyout", str(tmp_path / "key"),
                    "-config", str(config), "-extensions", "x", "-outform",
                    form, "-out", str(cert)], check=True,
                   stderr=subprocess.DEVNULL)
    code, verdict = verify(cert, "--trust-anchor", anchor("ok-genoa-v4"))
    assert code == 0
    (binding,) = [c for c in verdict["checks"]
                  if c["name"] == "certificate_binding"]
    assert binding["outcome"] == "warn"
    shown = run("assay", "evidence", "show", "--output", "json", cert)
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["claims"]["version"] == 4
    # A nonce makes it a statement about this certificate.
    code, verdict = verify(cert, "--trust-anchor", anchor("ok-genoa-v4"),
                           "--report-data", "00" * 64)
    assert code == 0
    assert all(c["name"] != "certificate_binding" for c in verdict["checks"])


def test_certificates_without_evidence_are_refused(anchor):
    code, verdict = verify(anchor("ok-genoa-v4"))
    assert code == 1 and verdict["checks"][0]["name"] == "evidence_form"


def test_base64_evidence_is_read(anchor, tmp_path):
    raw = (SEEDS / "snp_report" / "ok-milan-v3-vlek").read_bytes()
    path = tmp_path / "report.b64"
    path.write_bytes(base64.b64encode(raw) + b"\n")
    code, verdict = verify(path)
    assert code == 3 and verdict["claims"]["version"] == 3


def test_unknown_says_what_to_try_next():
    done = run("assay", "evidence", "verify", "--offline",
               SEEDS / "snp_report" / "ok-genoa-v4")
    assert done.returncode == 3
    assert done.stdout.startswith("unknown:")
    assert "no VCEK was given" in done.stdout
    assert "--cert" in done.stdout and "--offline" in done.stdout


def test_refusal_shows_want_and_got(anchor):
    done = run("assay", "evidence", "verify", "--offline", *AT,
               "--trust-anchor", anchor("ok-genoa-v4"), "--vmpl", "2",
               SEEDS / "snp_evidence" / "ok-genoa-v4")
    assert done.returncode == 1
    assert re.search(r"FAIL +vmpl +.*\n +want 2\n +got  0\n", done.stdout)
    assert "--explain" in done.stdout


def test_explain_shows_every_check(anchor):
    args = ("--trust-anchor", anchor("ok-genoa-v4"))
    path = SEEDS / "snp_evidence" / "ok-genoa-v4"
    _, verdict = verify(path, *args)
    done = run("assay", "evidence", "verify", "--offline", "--explain", *AT,
               *args, path)
    for check in verdict["checks"]:
        assert re.search(r"^  \S+ +%s( |$)" % check["name"], done.stdout,
                         re.M), check["name"]
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_service_that_is_down_is_unknown():
    done = run("assay", "evidence", "verify", *AT, "--timeout", "1",
               "--kds-url", "http://127.0.0.1:9", "--cache-dir",
               "/nonexistent/cache", SEEDS / "snp_report" / "ok-genoa-v4")
    assert done.returncode == 3
    assert done.stdout.startswith("unknown:")
