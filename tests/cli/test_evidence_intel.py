"""`assay evidence verify --tee tdx` on a quote of the tests' own vendor: what
a person types and reads. Genuine quotes are tests/conformance's."""
import json
import subprocess

import pytest

from conftest import BUILD, run

AT = ("--at", "2026-06-01T00:00:00Z")  # INTEL_NOW of the fixture
NAMES = ("tcb_info.json", "tcb_info_issuer_chain.pem", "qe_identity.json",
         "qe_identity_issuer_chain.pem", "root_ca.crl", "pck.crl",
         "pck_crl_issuer_chain.pem")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A folder with quote.bin, root.der and the collateral."""
    folder = tmp_path_factory.mktemp("intel")
    subprocess.run([BUILD / "tests/unit/evidence/make-intel-evidence", folder],
                   check=True)
    return folder


def verify(machine, *args, quote=None, collateral=None):
    return run("assay", "evidence", "verify", "--tee", "tdx", "--offline", *AT,
               "--trust-anchor", machine / "root.der", "--collateral",
               collateral or machine, *args, quote or machine / "quote.bin")


def failed(done):
    verdict = json.loads(done.stdout)
    return [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]


def test_a_good_quote_is_accepted_and_marked(machine):
    done = verify(machine)
    assert done.returncode == 0
    assert done.stdout.startswith("accepted INSECURE")
    assert "TCB status" in done.stdout and "UpToDate" in done.stdout


def test_bad_options_are_usage_errors(machine, tmp_path):
    for args in (["--accept-status", "Fine"], ["--accept-status", "uptodate"],
                 ["--min-tcb-date", "yesterday"], ["--min-eval-number", "x"],
                 ["--rtmr", "4=" + "00" * 48], ["--rtmr", "00" * 48],
                 ["--rtmr", "0=00"], ["--require", "luck"],
                 ["--measurement", "00"], ["--chip-id", "00" * 15],
                 ["--cert", machine / "root.der"], ["--vmpl", "0"],
                 ["--crl", machine / "pck.crl"], ["--product", "Genoa"],
                 ["--collateral", tmp_path / "absent"]):
        done = verify(machine, *args)
        assert done.returncode == 2, args
        assert done.stdout == "" and done.stderr


def test_several_statuses_in_one_option(machine):
    done = verify(machine, "--accept-status", "OutOfDate,SWHardeningNeeded",
                  "--accept-status", "ConfigurationNeeded", "--output", "json")
    assert done.returncode == 0
    (status,) = [c for c in json.loads(done.stdout)["checks"]
                 if c["name"] == "tcb_status"]
    assert status["expected"] == (
        "UpToDate or SWHardeningNeeded or ConfigurationNeeded or OutOfDate")


def test_strict_turns_warnings_into_refusals(machine):
    done = verify(machine, "--strict", "--output", "json")
    assert done.returncode == 0, failed(done)


def test_text_forms_of_a_quote(machine, tmp_path):
    raw = (machine / "quote.bin").read_bytes()
    path = tmp_path / "quote"
    for text in (raw.hex(), raw.hex().upper() + "\n", "0x" + raw.hex() + "\r\n"):
        path.write_text(text)
        assert verify(machine, quote=path).returncode == 0
    path.write_text(raw.hex()[:-2])
    assert verify(machine, quote=path).returncode == 1


def test_collateral_from_single_files(machine):
    """Each is told by what it is; in this order every one is needed."""
    files = [machine / name for name in NAMES]
    more = [x for f in files[1:] for x in ("--collateral", f)]
    assert verify(machine, *more, collateral=files[0]).returncode == 0


def test_junk_as_collateral_is_refused(machine, tmp_path):
    junk = tmp_path / "junk"
    for content in (b"", b"junk", b"{", b"{}", b"[]", b"\x30\x03", b"30ff",
                    b"-----BEGIN CERTIFICATE-----\n!\n", bytes(200),
                    b'{"tcb_info": "x"}', b'{"platforms": [1, {}]}'):
        junk.write_bytes(content)
        done = verify(machine, "--output", "json", collateral=junk)
        assert done.returncode == 1, content
        assert "collateral" in failed(done), content


def test_what_is_missing_is_named(machine, tmp_path):
    done = verify(machine, collateral=tmp_path)
    assert done.returncode == 3
    assert "the revocation list is missing" in done.stdout
    assert "--collateral" in done.stdout


def test_another_tee_is_refused(machine):
    done = run("assay", "evidence", "verify", "--offline", *AT,
               machine / "quote.bin")
    assert done.returncode == 1 and "--tee tdx" in done.stdout
