"""Google's go-sev-guest beside us: it has to accept the simulator's evidence
under the simulator's root, and to agree with us on genuine reports, but for
the differences that are listed here, each with its reason."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import run
from sim_service import service

SOURCE = pathlib.Path(__file__).parent / "go-sev-guest"
GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


@pytest.fixture(scope="session")
def go_sev_guest(tmp_path_factory):
    """judge([job, ...]) gives [(ok, error), ...]; see go-sev-guest/main.go."""
    if not GO:
        pytest.skip("no Go here: go-sev-guest NOT compared with")
    judge = tmp_path_factory.mktemp("go") / "judge"
    built = subprocess.run([GO, "build", "-o", judge, "."], cwd=SOURCE,
                           text=True, check=False, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    if built.returncode != 0:
        # Without the module there is nothing to compare with; a program that
        # does not compile is our fault.
        if "main.go:" in built.stdout and "no required module" not in \
                built.stdout and "dial" not in built.stdout:
            pytest.fail(built.stdout)
        pytest.skip("go-sev-guest cannot be had, NOT compared with: " +
                    built.stdout[-200:])

    def ask(jobs):
        done = subprocess.run([judge], input=json.dumps(jobs), text=True,
                              check=True, stdout=subprocess.PIPE)
        return [(v["ok"], v["error"]) for v in json.loads(done.stdout)]
    return ask


# --- the simulator's evidence ---

# go-sev-guest 0.15.0 knows neither of these, so it cannot accept the genuine
# ones either (see below); the simulated ones have to fail the same way. For a
# product it does not know it finds no root, ours or AMD's.
NO_FMC = "not an AMD KDS OID: 1.3.6.1.4.1.3704.1.3.9"
NO_ZEN4C = 'no embedded roots available for product line: "Unknown"'
NO_ZEN4C_OF_OURS = "could not be verified by any trusted roots"

KINDS = {
    "milan v2": (["--product", "Milan", "--report-version", "2"], None),
    "milan v3": (["--product", "Milan"], None),
    "milan v5": (["--product", "Milan", "--report-version", "5"], None),
    "genoa v3": (["--product", "Genoa"], None),
    "genoa v5": (["--product", "Genoa", "--report-version", "5"], None),
    "milan vlek": (["--product", "Milan", "--vlek", "CN=csp.example"], None),
    "genoa vlek": (["--product", "Genoa", "--vlek", "CN=csp.example"], None),
    "bergamo v5": (["--product", "Genoa", "--report-version", "5", "--cpuid",
                    "19a002"], NO_ZEN4C_OF_OURS),
    "turin v5": (["--product", "Turin"], NO_FMC),
}


def simulate(state, folder, *options):
    """A job that judges one simulated report under the simulated root."""
    folder.mkdir()
    product = options[options.index("--product") + 1]
    job = {"Report": folder / "report", "Certs": [folder / "certs"],
           "Crl": folder / "crl", "Chain": [folder / "chain"],
           "Anchor": state / ("ark-%s.pem" % product), "Line": product}
    table = folder / "table"
    done = run("assay-sim", "report", "--state", state, *options, "--out",
               job["Report"], "--certs", job["Certs"][0], "--crl", job["Crl"],
               "--chain", job["Chain"][0], "--table", table)
    assert done.returncode == 0, done.stderr
    job = json.loads(json.dumps(job, default=str))
    return job, dict(job, Certs=None, Table=str(table))


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_evidence_is_accepted(go_sev_guest, sim_state, tmp_path,
                                        kind):
    options, known_gap = KINDS[kind]
    by_files, by_table = simulate(sim_state, tmp_path / "e", *options)
    jobs = [by_files, by_table]
    if "vlek" in kind:  # its CRL check looks at the ASK alone, and needs one
        jobs = [dict(j, Crl="") for j in jobs]
    for ok, error in go_sev_guest(jobs):
        if known_gap:
            assert not ok and known_gap in error
        else:
            assert ok, error


def test_simulated_evidence_fails_under_amds_root(go_sev_guest, sim_state,
                                                  tmp_path):
    job, _ = simulate(sim_state, tmp_path / "e", "--product", "Milan")
    [(ok, error)] = go_sev_guest([dict(job, Anchor="", Chain=None, Crl="")])
    assert not ok and "could not be verified by any trusted roots" in error


@pytest.mark.parametrize("fault", ["tampered", "other-key"])
def test_faulty_evidence_is_refused(go_sev_guest, sim_state, tmp_path, fault):
    job, _ = simulate(sim_state, tmp_path / "e", "--product", "Milan",
                      "--fault", fault)
    [(ok, error)] = go_sev_guest([job])
    assert not ok and "signature" in error


def test_a_revoked_issuer_is_refused(go_sev_guest, sim_state, tmp_path):
    state = tmp_path / "state"
    shutil.copytree(sim_state, state)
    old, _ = simulate(state, tmp_path / "old", "--product", "Milan")
    done = run("assay-sim", "revoke", "--state", state, "--product", "Milan",
               "ask")
    assert done.returncode == 0, done.stderr
    new, _ = simulate(state, tmp_path / "new", "--product", "Milan")
    verdicts = go_sev_guest([new, dict(old, Crl=new["Crl"])])
    assert verdicts[0] == (True, "")
    assert not verdicts[1][0] and "ASK was revoked" in verdicts[1][1]


def test_googles_configfs_client_is_served(go_sev_guest, sim_state, tmp_path):
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no /dev/fuse here: go-configfs-tsm NOT tried")
    root = tmp_path / "tsm"
    root.mkdir()
    job, _ = simulate(sim_state, tmp_path / "e", "--product", "Genoa")
    job.update(Report="", Certs=None, Tsm=str(root))
    with service(["sev_guest"], "vm", "--state", sim_state, "--mount", root,
                 "--product", "Genoa"):
        assert go_sev_guest([job, job]) == [(True, "")] * 2


# --- genuine evidence ---

# What go-sev-guest 0.15.0 refuses and we accept. Its model table ends before
# Zen 4c (0xA0), and it has no name for Turin's FMC part, so that it takes the
# genuine certificate for a foreign one. Both are its gaps: the evidence is
# AMD's, and the sheet (sections 1.8 and 2.3) says how to read it.
DIFFERENCES = {
    "bergamo-v5-report-1.bin": NO_ZEN4C,
    "turin-v5-report-1-aci.bin": NO_FMC,
}


def genuine(vectors):
    """(name, job for go-sev-guest, arguments for us) of every report that
    comes with certificates."""
    for row in json.loads((vectors / "index.json").read_text()):
        if not row.get("certs") or not row["file"].endswith(".bin") or \
                "hcl" in row["file"]:
            continue
        line = row["chain"].split()[0].rstrip(",")
        vlek = row["signer"] == "VLEK"
        chain = vectors / ("%s-%s-ark.pem" % (line.lower(),
                                              "asvk" if vlek else "ask"))
        for name, (first, last) in zip(row["certs"], row["cert_validity"]):
            # Inside the window; VLEKs live for a year, the others for seven.
            at = "%s-12-20T00:00:00Z" % first[:4] if vlek else \
                "%d-06-01T00:00:00Z" % (int(first[:4]) + 2)
            assert first < at[:10] < last
            yield row["file"], {
                "Report": str(vectors / row["file"]),
                "Certs": [str(vectors / name), str(chain)],
                "Line": line, "At": at,
                # AMD's own root, but named: it comes without ASVKs.
                "Anchor": str(chain) if vlek else "",
            }


def our_verdict(job):
    certs = [word for path in job["Certs"] for word in ("--cert", path)]
    done = run("assay", "evidence", "verify", "--tee", "snp", *certs, "--at",
               job["At"], "--product", job["Line"], "--allow-debug",
               "--offline", "--output", "json", job["Report"])
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def test_genuine_reports_get_the_same_verdict(go_sev_guest, vectors):
    cases = list(genuine(vectors))
    assert len(cases) >= 20
    theirs = go_sev_guest([job for _, job in cases])
    for (name, job), (ok, error) in zip(cases, theirs):
        assert our_verdict(job), name
        if name in DIFFERENCES:
            assert not ok and DIFFERENCES[name] in error, (name, error)
        else:
            assert ok, (name, error)


def flip(path, offset, bits, folder):
    data = bytearray(path.read_bytes())
    data[offset] ^= bits
    changed = folder / ("%03x" % offset)
    changed.write_bytes(data)
    return str(changed)


# In every part of the report, signed or not.
ALTERED = [
    (0x000, 0x01), (0x004, 0x01), (0x00a, 0x02), (0x034, 0x02), (0x048, 0x20),
    (0x04c, 0x01), (0x050, 0x80), (0x090, 0x01), (0x0c0, 0x01), (0x180, 0x01),
    (0x188, 0x01), (0x1a0, 0x01), (0x1eb, 0x01), (0x208, 0x01), (0x29f, 0x80),
    (0x2a0, 0x01), (0x2d0, 0x01), (0x2e8, 0x01), (0x330, 0x01), (0x49f, 0x80),
]


def test_altered_reports_are_refused_by_both(go_sev_guest, vectors, tmp_path):
    name, base = next(c for c in genuine(vectors)
                      if c[0] == "milan-v3-report-5.bin")
    jobs = [dict(base, Report=flip(vectors / name, offset, bits, tmp_path))
            for offset, bits in ALTERED]
    theirs = go_sev_guest(jobs)
    for job, (offset, _), (ok, _) in zip(jobs, ALTERED, theirs):
        assert not our_verdict(job), "0x%03x" % offset
        assert not ok, "0x%03x" % offset
