"""assay verify: what it says, what it writes, and its exit codes. What it
tells of a history is in tests/e2e/test_verify_history.py."""
import base64
import hashlib
import json
import re
import socket
import threading

import pytest

from conftest import free_port, run
from deployment import MEASUREMENT, POLICY, WEB_POLICY, http_get


def sha256(data):
    return hashlib.sha256(data).digest()


@pytest.fixture
def verify(fresh, tmp_path):
    """verify(manifest, ...) in a folder of its own; None: no such file."""
    def ask(manifest, *options, port=None, trust=None):
        if manifest is not None:
            (tmp_path / "manifest.json").write_bytes(manifest)
        return run("assay", "verify", "-c", "127.0.0.1:%d" % (
            port or fresh.user), *(trust or fresh.trust_args()), *options,
            cwd=tmp_path)
    return ask


def set_all(d, *manifests):
    for manifest in manifests:
        done = d.set(manifest)
        assert done.returncode == 0, done.stderr


# --- yes ---

def test_files_are_what_the_coordinator_has(fresh, verify, tmp_path):
    first, second = fresh.manifest(), fresh.manifest("2")
    set_all(fresh, first, second)
    done = verify(second)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "accepted" in done.stdout and "INSECURE" in done.stdout

    folder = tmp_path / "verify"
    got = {path.name: path.read_bytes() for path in folder.iterdir()}
    want = {"manifest.0.json": first, "manifest.1.json": second}
    for policy in (POLICY, WEB_POLICY):
        want["initdata.%s.toml" % sha256(policy).hex()] = policy
    transitions = [sha256(first) + bytes(32)]
    transitions.append(sha256(second) + sha256(transitions[0]))
    latest = sha256(transitions[1])
    want["latest-transition"] = latest.hex().encode()
    assert {name: got[name] for name in want} == want
    assert set(got) - set(want) == {"coordinator-root-ca.pem", "mesh-ca.pem",
                                    "history.yml", "seen.json"}
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o644, path

    # The store, as ConfigMaps it can be restored from.
    kept = {}
    for document in got["history.yml"].decode().split("---\n")[1:]:
        name, key, value = re.search(
            r'  name: contrast-store-(\S+)\n(?:.*\n)*binaryData:\n'
            r'  "(\S+)": "(\S+)"\n$', document).groups()
        assert name.endswith("-" + key)
        kept[name] = base64.b64decode(value, validate=True)
    want = {"manifests-" + sha256(m).hex(): m for m in (first, second)}
    want.update({"policies-" + sha256(p).hex(): p
                 for p in (POLICY, WEB_POLICY)})
    want.update({"transitions-" + sha256(t).hex(): t for t in transitions})
    head = kept.pop("transitions-latest")
    assert kept == want
    assert head[:32] == latest and len(head) > 32


def test_certificates_are_those_pods_get(fresh, verify, tmp_path):
    set_all(fresh, fresh.manifest())
    assert verify(fresh.manifest()).returncode == 0
    done = fresh.pod("web", fresh.guest("web", WEB_POLICY))
    assert done.returncode == 0, done.stderr
    for name in ("coordinator-root-ca.pem", "mesh-ca.pem"):
        assert (tmp_path / "verify" / name).read_bytes() == \
            (fresh.dir / "web" / "tls-config" / name).read_bytes()


def test_json_holds_both_verdicts(fresh, verify):
    set_all(fresh, fresh.manifest())
    done = verify(fresh.manifest(), "--output", "json")
    assert done.returncode == 0, done.stdout
    said = json.loads(done.stdout)
    assert (said["verdict"], said["insecure"]) == ("accepted", True)
    assert said["files"] == "verify"
    coordinator = said["coordinator"]
    assert coordinator["claims"]["measurement"] == MEASUREMENT
    assert coordinator["claims"]["host_data"] == sha256(POLICY).hex()
    outcomes = {c["name"]: c["outcome"] for c in coordinator["checks"]}
    assert outcomes["measurement"] == outcomes["report_data"] == "pass"
    assert {c["name"]: c["outcome"] for c in said["deployment"]["checks"]} == {
        "manifest_history": "pass", "transition_signature": "skipped",
        "policy_documents": "pass", "manifest_match": "pass"}


def test_explain_names_every_check(fresh, verify):
    set_all(fresh, fresh.manifest())
    short, long = verify(fresh.manifest()), verify(fresh.manifest(),
                                                   "--explain")
    checks = json.loads(verify(fresh.manifest(), "--output", "json").stdout)
    for part in ("coordinator", "deployment"):
        for check in checks[part]["checks"]:
            assert check["name"] in long.stdout
    assert len(short.stdout.splitlines()) < len(long.stdout.splitlines())


def test_workspace_holds_manifest_and_files(fresh, verify, tmp_path):
    set_all(fresh, fresh.manifest())
    work = tmp_path / "work"
    work.mkdir()
    (work / "manifest.json").write_bytes(fresh.manifest())
    done = verify(None, "--workspace-dir", "work")
    assert done.returncode == 0, done.stderr
    assert "files are in work/verify" in done.stdout
    assert (work / "verify" / "latest-transition").exists()
    assert not (tmp_path / "verify").exists()


# --- no ---

def test_another_manifest_is_a_no_and_can_be_looked_at(fresh, verify,
                                                       tmp_path):
    active = fresh.manifest()
    set_all(fresh, active)
    done = verify(active + b"\n")  # byte for byte
    assert done.returncode == 1
    assert "refused" in done.stdout
    said = "".join(done.stdout.split())  # long values are wrapped
    assert "want%sgot%s" % (sha256(active + b"\n").hex(),
                            sha256(active).hex()) in said
    # The files are written before the last check: to see what it enforces.
    assert (tmp_path / "verify" / "manifest.0.json").read_bytes() == active
    said = json.loads(verify(active + b"\n", "--output", "json").stdout)
    assert said["verdict"] == "refused"
    assert [c["name"] for c in said["deployment"]["checks"]
            if c["outcome"] == "fail"] == ["manifest_match"]


def test_a_former_manifest_is_a_no(fresh, verify):
    set_all(fresh, fresh.manifest(), fresh.manifest("2"))
    assert verify(fresh.manifest()).returncode == 1
    assert verify(fresh.manifest("2")).returncode == 0


REFERENCES = {
    "measurement": {"TrustedMeasurement": "22" * 48},
    "minimum_tcb": {"MinimumTCB": {
        "BootloaderVersion": 255, "TEEVersion": 255, "SNPVersion": 255,
        "MicrocodeVersion": 255}},
    "chip_id": {"AllowedChipIDs": ["33" * 64]},
}


@pytest.mark.parametrize("what", REFERENCES)
def test_other_software_or_hardware_is_a_no(fresh, verify, tmp_path, what):
    manifest = fresh.manifest(reference=REFERENCES[what])
    set_all(fresh, manifest)
    done = verify(manifest, "--output", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["verdict"] == "refused" and said["reason"]
    failed = [c["name"] for c in said["coordinator"]["checks"]
              if c["outcome"] == "fail"]
    assert any(what in name for name in failed), failed
    assert not (tmp_path / "verify").exists()  # nothing of it is worth keeping
    text = verify(manifest)
    assert text.returncode == 1 and failed[0] in text.stdout


def test_a_pod_in_the_coordinators_place_is_a_no(fresh, verify):
    """The evidence is fine, the policy in it is not a coordinator's."""
    manifest = fresh.manifest()
    changed = json.loads(manifest)
    own, web = (sha256(p).hex() for p in (POLICY, WEB_POLICY))
    changed["Policies"][own], changed["Policies"][web] = \
        changed["Policies"][web], changed["Policies"][own]
    set_all(fresh, manifest)
    done = verify(json.dumps(changed).encode())
    assert done.returncode == 1
    assert own in done.stdout + done.stderr


def test_without_a_trusted_root_it_is_a_no(fresh, verify):
    set_all(fresh, fresh.manifest())
    trust = fresh.trust_args()
    at = trust.index("--trust-anchor")
    done = verify(fresh.manifest(), trust=trust[:at] + trust[at + 2:])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "INSECURE" not in done.stdout


def test_no_manifest_is_a_no(fresh, verify):
    done = verify(fresh.manifest(), "--output", "json")
    assert done.returncode == 1
    assert "no manifest configured" in done.stderr
    said = json.loads(done.stdout)
    assert said["verdict"] == "refused"
    assert "no manifest configured" in said["reason"]
    assert said["coordinator"]["verdict"] == "accepted"


def test_a_restarted_coordinator_is_a_no(fresh, verify):
    set_all(fresh, fresh.manifest())
    assert fresh.stop() == 0
    fresh.start()
    done = verify(fresh.manifest())
    assert done.returncode == 1
    assert "recovery" in done.stderr


# --- could not find out ---

def test_nobody_there_is_unknown(fresh, verify):
    port = free_port()
    done = verify(fresh.manifest(), "--timeout", "1", "--output", "json",
                  port=port)
    assert done.returncode == 3
    assert "127.0.0.1:%d" % port in done.stderr
    said = json.loads(done.stdout)
    assert said["verdict"] == "unknown" and said["coordinator"] is None


def test_something_else_there_is_unknown(fresh, verify):
    """What answers is not TLS; it proves nothing, in either direction."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            try:
                while True:
                    with server.accept()[0] as s:
                        s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            except OSError:
                pass  # closed: the test is over
        thread = threading.Thread(target=answer)
        thread.start()
        done = verify(fresh.manifest(), "--timeout", "1",
                      port=server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert done.returncode == 3
    assert "TLS" in done.stderr


@pytest.fixture
def without_list(fresh):
    """A coordinator that sends no revocation list along."""
    fresh.stop()
    fresh.options["args"] = ["--offline"]
    fresh.start()
    yield fresh
    del fresh.options["args"]


def revocation(done):
    said = json.loads(done.stdout)
    [check] = [c for c in said["coordinator"]["checks"]
               if c["name"] == "revocation"]
    return done.returncode, said["verdict"], check["outcome"]


def test_missing_collateral_is_unknown(without_list, verify, tmp_path):
    d = without_list
    set_all(d, d.manifest())
    anchor = ["--trust-anchor", d.anchor]
    nobody = anchor + ["--kds-url", "http://127.0.0.1:%d" % free_port(),
                       "--cache-dir", tmp_path / "cache"]
    said = "--output", "json", "--timeout", "1"
    done = verify(d.manifest(), *said, trust=nobody)
    assert revocation(done) == (3, "unknown", "skipped")
    assert "could be had" in done.stderr
    done = verify(d.manifest(), *said, trust=nobody + ["--strict"])
    assert revocation(done) == (1, "refused", "fail")
    # Asked to do without, it does.
    done = verify(d.manifest(), *said, trust=anchor + ["--offline"])
    assert revocation(done) == (0, "accepted", "skipped")


def test_a_list_in_the_evidence_will_do(fresh, verify, tmp_path):
    set_all(fresh, fresh.manifest())
    done = verify(fresh.manifest(), "--output", "json", "--timeout", "1",
                  trust=["--trust-anchor", fresh.anchor, "--cache-dir",
                         tmp_path / "cache", "--kds-url",
                         "http://127.0.0.1:%d" % free_port()])
    assert revocation(done) == (0, "accepted", "pass")


# --- usage ---

@pytest.mark.parametrize("text, says", [
    (None, "No such file"), (b"", "manifest.json"), (b"{}", "manifest.json"),
    (b"[" * 100000, "manifest.json")])
def test_an_unusable_manifest_is_2(fresh, verify, text, says):
    done = verify(text, port=free_port())
    assert done.returncode == 2
    assert says in done.stderr and done.stdout == ""


@pytest.mark.parametrize("args, says", [
    (["verify"], "--coordinator HOST:PORT is required"),
    (["verify", "-c", "nowhere"], '--coordinator: address "nowhere"'),
    (["verify", "-c", "127.0.0.1:1", "operand"], "unexpected operand"),
    (["verify", "-c", "127.0.0.1:1", "--trust-anchor", "/no/such"],
     "/no/such"),
    (["verify", "-c", "127.0.0.1:1", "--bundle", "/no/such"], "/no/such"),
    (["verify", "-c", "127.0.0.1:1", "--timeout", "soon"], "--timeout"),
])
def test_usage_errors_are_2(assay, tmp_path, args, says):
    done = assay(*args, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr and done.stdout == ""


def test_a_folder_that_cannot_be_written_is_told(fresh, verify, tmp_path):
    set_all(fresh, fresh.manifest())
    (tmp_path / "verify").write_text("in the way")
    done = verify(fresh.manifest(), "--output", "json")
    assert done.returncode == 3, done.stderr
    assert "verify" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "unknown"
