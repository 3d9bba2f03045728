"""Simulated evidence before our own verifier: accepted when honest, refused
for the right reason when not, and INSECURE in every case."""
import json
import shutil

import pytest

from conftest import run

KINDS = {
    "milan v2": ["--product", "Milan", "--report-version", "2"],
    "milan v3": ["--product", "Milan"],
    "milan v5": ["--product", "Milan", "--report-version", "5"],
    "genoa v3": ["--product", "Genoa"],
    "bergamo v5": ["--product", "Genoa", "--report-version", "5", "--cpuid",
                   "19a002", "--tcb", "10,0,27,27"],
    "turin v5": ["--product", "Turin"],
    "milan vlek": ["--product", "Milan", "--vlek", "CN=csp.example"],
    "turin vlek": ["--product", "Turin", "--vlek", "CN=csp.example"],
    "provisional": ["--product", "Milan", "--tcb", "4,0,24,220",
                    "--committed-tcb", "4,0,24,219", "--reported-tcb",
                    "4,0,24,217", "--firmware", "1.55.20",
                    "--committed-firmware", "1.55.18"],
    "no id block": ["--product", "Genoa", "--id-block", "none"],
}


def make(state, folder, *options):
    files = {"--out": folder / "report", "--certs": folder / "certs",
             "--crl": folder / "crl", "--table": folder / "table"}
    done = run("assay-sim", "report", "--state", state, "--report-data",
               "2a2b", *options, *[w for kv in files.items() for w in kv])
    assert done.returncode == 0, done.stderr
    assert "INSECURE" in done.stderr
    return files


def verify(state, files, *options, product="Milan"):
    done = run("assay", "evidence", "verify", "--tee", "snp", "--cert",
               files["--certs"], "--crl", files["--crl"], "--trust-anchor",
               state / ("ark-%s.pem" % product), "--offline", "--output",
               "json", *options, files["--out"])
    verdict = json.loads(done.stdout)
    failed = [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]
    return done.returncode, verdict, failed


@pytest.mark.parametrize("kind", KINDS)
def test_honest_evidence_is_accepted_as_insecure(sim_state, tmp_path, kind):
    product = KINDS[kind][1]
    files = make(sim_state, tmp_path, *KINDS[kind])
    code, verdict, failed = verify(sim_state, files, "--product", product,
                                   "--report-data", "2a2b", product=product)
    assert (code, verdict["verdict"], failed) == (0, "accepted", [])
    assert verdict["insecure"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_amds_root_does_not_vouch_for_it(sim_state, tmp_path, kind):
    files = make(sim_state, tmp_path, *KINDS[kind])
    done = run("assay", "evidence", "verify", "--tee", "snp", "--cert",
               files["--certs"], "--crl", files["--crl"], "--offline",
               "--output", "json", files["--out"])
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "refused"


# What is wrong, and the check that must say so.
WRONG = {
    "debug": (["--policy", "b0000"], [], "debug"),
    "tampered": (["--fault", "tampered"], [], "report_signature"),
    "other key": (["--fault", "other-key"], [], "report_signature"),
    "reported above committed": (["--committed-tcb", "4,0,23,219"], [],
                                 "tcb_reported"),
    "nonce": ([], ["--report-data", "00"], "report_data"),
    "measurement": ([], ["--measurement", "11" * 48], "measurement"),
    "host data": ([], ["--host-data", "11" * 32], "host_data"),
    "not yet valid": (["--now", "2049-01-01T00:00:00Z"], [],
                      "leaf_validity"),
    "expired": (["--now", "2010-01-01T00:00:00Z"], [],
                "leaf_validity"),
    "list expired": ([], ["--at", "2029-01-01T00:00:00Z"], "crl_validity"),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_wrong_is_refused(sim_state, tmp_path, what):
    made_with, judged_with, check = WRONG[what]
    files = make(sim_state, tmp_path, *made_with)
    code, verdict, failed = verify(sim_state, files, *judged_with)
    assert (code, verdict["verdict"]) == (1, "refused"), verdict
    assert check in failed


def test_another_chips_certificate_is_refused(sim_state, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    files = make(sim_state, tmp_path, "--chip", "one")
    files["--certs"] = make(sim_state, other, "--chip", "two")["--certs"]
    code, _, failed = verify(sim_state, files)
    assert code == 1 and failed


def test_a_revoked_issuer_is_refused_and_its_successor_is_not(sim_state,
                                                              tmp_path):
    state = tmp_path / "state"
    shutil.copytree(sim_state, state)
    old = make(state, tmp_path)
    assert verify(state, old)[0] == 0
    done = run("assay-sim", "revoke", "--state", state, "--product", "Milan",
               "ask")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "new"
    folder.mkdir()
    new = make(state, folder)
    assert verify(state, new)[0] == 0
    old["--crl"] = new["--crl"]  # the host keeps its table, the list is fresh
    code, _, failed = verify(state, old)
    assert code == 1 and "revocation" in failed
    aged = make(state, folder, "--ask-generation", "1")
    assert verify(state, aged)[0] == 1


def test_usage_errors_name_the_option(sim_state, tmp_path):
    wrong = [
        ["report", "--state", sim_state],
        ["report", "--state", sim_state, "--out"],
        ["report", "--out", tmp_path / "x"],
        ["report", "--state", sim_state, "--out", "x", "--tcb", "1,2,3"],
        ["report", "--state", sim_state, "--out", "x", "--chip-id", "12"],
        ["report", "--state", sim_state, "--out", "x", "--measurement", "zz"],
        ["report", "--state", sim_state, "--out", "x", "--policy", "q"],
        ["report", "--state", sim_state, "--out", "x", "--report-version",
         "4"],
        ["report", "--state", sim_state, "--out", "x", "--report-data",
         "00" * 65],
        ["report", "--state", sim_state, "--out", "x", "--vcpus", "2"],
        ["report", "--state", sim_state, "--out", "x", "--id-block", "a,b,c"],
        ["report", "--state", sim_state, "--out", "x", "--mount", "y"],
        ["report", "--state", sim_state, "--out", "x", "stray"],
        ["vm", "--state", sim_state],
        ["vendor", "--state", sim_state],
        ["vendor", "--state", sim_state, "--listen", "nowhere"],
        ["vendor", "--state", sim_state, "--listen", "127.0.0.1:0", "--fail",
         "x"],
        ["init", "--state", sim_state, "--product", "Rome"],
        ["revoke", "--state", sim_state, "--product", "Milan"],
        ["dance"], [],
    ]
    for words in wrong:
        done = run("assay-sim", *words, cwd=tmp_path)
        assert done.returncode == 2, (words, done.stderr)
        assert "assay-sim: " in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["init", "vendor", "vm", "report", "revoke"])
def test_help_fits_a_screen_and_ends_with_an_example(verb):
    done = run("assay-sim", verb, "--help")
    lines = done.stdout.rstrip("\n").split("\n")
    assert done.returncode == 0 and done.stderr == ""
    assert len(lines) <= 50 and max(map(len, lines)) <= 80
    assert lines[-2] == "Example:" and "assay-sim " + verb in lines[-1]
