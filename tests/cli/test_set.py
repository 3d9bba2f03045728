"""assay set: what it sends, what it writes, and what it refuses to send."""
import base64
import gzip
import hashlib
import json
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from conftest import free_port, run
from deployment import MEASUREMENT, POLICY, WEB_POLICY

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: %s
  annotations:
    io.katacontainers.config.hypervisor.cc_init_data: "%s"
"""


def sha256(data):
    return hashlib.sha256(data).digest()


def pod(name, policy):
    return POD % (name, base64.b64encode(gzip.compress(policy)).decode())


class Workspace:
    """A folder as `assay set` expects it, with pods/ that hold both policies.
    The owner's keys are not in it: see owner()."""

    def __init__(self, deployment, folder):
        self.d = deployment
        self.dir = folder
        self.manifest()
        (folder / "pods").mkdir()
        (folder / "pods" / "all.yml").write_text(
            pod("coordinator", POLICY) + "---\n" + pod("web", WEB_POLICY))

    def manifest(self, *args, **changes):
        self.bytes = self.d.manifest(*args, **changes)
        (self.dir / "manifest.json").write_bytes(self.bytes)
        return self.bytes

    def owner(self):
        shutil.copy(self.d.dir / "owner.pem",
                    self.dir / "workload-owner.pem")

    def set(self, *options, paths=("pods",), port=None):
        return run("assay", "set", "-c", "127.0.0.1:%d" % (
            port or self.d.user), *self.d.trust_args(), *options, *paths,
            cwd=self.dir)

    def file(self, name):
        return (self.dir / name).read_bytes()

    def history(self):
        return self.d.history()

    def hashes(self, *manifests):
        return [sha256(m).hex() for m in manifests]


@pytest.fixture
def ws(fresh, tmp_path):
    return Workspace(fresh, tmp_path)


def assert_set(done):
    assert done.returncode == 0, done.stderr


# --- the first manifest ---

def test_first_set_writes_what_the_owner_keeps(ws):
    done = ws.set()
    assert_set(done)
    assert "manifest %s is set, with 2 policies" % sha256(ws.bytes).hex() \
        in done.stdout
    assert "keep seed-shares.json (1 shares)" in done.stdout
    assert "INSECURE" in done.stdout  # the simulator's root
    assert "no workload-owner.pem: sending without" in done.stderr
    assert ws.history() == ws.hashes(ws.bytes)

    root = x509.load_pem_x509_certificate(ws.file("coordinator-root-ca.pem"))
    mesh = x509.load_pem_x509_certificate(ws.file("mesh-ca.pem"))
    names = [c.subject.rfc4514_string() for c in (root, mesh)]
    assert names == ["CN=system:coordinator:root",
                     "CN=system:coordinator:intermediate"]
    for name in ("coordinator-root-ca.pem", "mesh-ca.pem",
                 "seed-shares.json"):
        assert (ws.dir / name).stat().st_mode & 0o777 == 0o644

    shares = json.loads(ws.file("seed-shares.json"))
    assert set(shares) == {"SeedShares", "salt"}
    assert len(base64.b64decode(shares["salt"])) == 32
    [share] = shares["SeedShares"]
    assert share["PublicKey"] == ws.d.share_key
    key = serialization.load_pem_private_key(
        (ws.d.dir / "share.pem").read_bytes(), None)
    seed = key.decrypt(base64.b64decode(share["EncryptedSeed"]), padding.OAEP(
        padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"seedshare"))
    assert len(seed) == 64


def test_json_says_the_same(ws):
    ws.owner()
    done = ws.set("--output", "json")
    assert_set(done)
    said = json.loads(done.stdout)
    assert "accepted" in said.pop("coordinator")
    assert said == {"manifest": sha256(ws.bytes).hex(), "policies": 2,
                    "first": True, "seed_shares": 1, "insecure": True}
    ws.manifest("2")
    said = json.loads(ws.set("--output", "json").stdout)
    assert (said["first"], said["seed_shares"]) == (False, 0)


def test_files_can_be_named_and_lie_elsewhere(ws, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    key = other / "key.pem"
    shutil.copy(ws.d.dir / "owner.pem", key)
    (ws.dir / "coordinator.toml").write_bytes(POLICY)
    (ws.dir / "web.toml").write_bytes(WEB_POLICY)
    shutil.move(ws.dir / "manifest.json", other / "m.json")
    done = ws.set("-m", other / "m.json", "--workspace-dir", other,
                  "--workload-owner-key", key,
                  paths=("coordinator.toml", "web.toml"))
    assert_set(done)
    for line in done.stderr.splitlines():  # of the manifest
        assert line.startswith("assay set: warning: ReferenceValues."), line
    assert (other / "seed-shares.json").exists()
    assert not (ws.dir / "seed-shares.json").exists()


def test_former_seed_shares_are_kept(ws):
    (ws.dir / "seed-shares.json").write_text("the only way to recover")
    done = ws.set()
    assert_set(done)
    [aside] = ws.dir.glob("seed-shares.json.*")
    assert aside.read_text() == "the only way to recover"
    assert aside.name in done.stderr
    assert json.loads(ws.file("seed-shares.json"))["SeedShares"]


# --- updates ---

def test_an_update_needs_the_owners_key(ws):
    assert_set(ws.set())
    shares, first = ws.file("seed-shares.json"), ws.bytes
    mesh = ws.file("mesh-ca.pem")
    second = ws.manifest("2")
    done = ws.set()
    assert done.returncode == 1
    assert "PERMISSION_DENIED" in done.stderr and done.stdout == ""

    stranger = ec.generate_private_key(ec.SECP384R1())
    (ws.dir / "stranger.pem").write_bytes(stranger.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    done = ws.set("--workload-owner-key", "stranger.pem")
    assert done.returncode == 1
    assert "is not an owner in this manifest" in done.stderr
    assert "PERMISSION_DENIED" in done.stderr
    assert ws.history() == ws.hashes(first)
    assert ws.file("mesh-ca.pem") == mesh

    ws.owner()
    assert_set(ws.set())
    assert ws.history() == ws.hashes(first, second)
    assert ws.file("seed-shares.json") == shares
    assert ws.file("mesh-ca.pem") != mesh


@pytest.mark.parametrize("text, says", [
    (None, "No such file"), (b"", "workload-owner-key"),
    (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
     "workload-owner-key"), (b"x" * 100000, "workload-owner-key")])
def test_a_named_key_has_to_be_one(ws, text, says):
    if text is not None:
        (ws.dir / "key.pem").write_bytes(text)
    done = ws.set("--workload-owner-key", "key.pem")
    assert done.returncode == 2
    assert says in done.stderr
    assert not (ws.dir / "seed-shares.json").exists()


def transition(manifest, previous=bytes(32)):
    return sha256(sha256(manifest) + previous)


def test_a_detached_signature_authorises_one_update(ws):
    first = ws.bytes
    assert_set(ws.set())
    second = ws.manifest("2")
    key = serialization.load_pem_private_key(
        (ws.d.dir / "owner.pem").read_bytes(), None)
    text = transition(second, transition(first)).hex().encode()
    (ws.dir / "sig").write_bytes(key.sign(text, ec.ECDSA(hashes.SHA256())))
    assert_set(ws.set("-s", "sig"))
    assert ws.history() == ws.hashes(first, second)
    # It was for that transition and no other.
    done = ws.set("--signature", "sig")
    assert done.returncode == 1 and "PERMISSION_DENIED" in done.stderr
    (ws.dir / "sig").write_bytes(b"0")
    assert ws.set("-s", "sig").returncode == 1
    assert ws.set("-s", "no-such-file").returncode == 2
    assert ws.history() == ws.hashes(first, second)


def test_atomic_notices_a_change_in_between(ws):
    ws.owner()
    first = ws.bytes
    assert_set(ws.set("--atomic"))  # no file: nothing was set before
    done = ws.set("--atomic")
    assert done.returncode == 1
    assert "FAILED_PRECONDITION" in done.stderr
    second = ws.manifest("2")
    done = ws.set("--atomic", "--latest-transition", transition(second).hex())
    assert done.returncode == 1
    assert_set(ws.set("--atomic", "--latest-transition",
                      transition(first).hex()))
    latest = transition(second, transition(first)).hex()
    (ws.dir / "verify").mkdir()
    for note, end in (("3", ""), ("4", "\n")):
        (ws.dir / "verify" / "latest-transition").write_text(latest + end)
        ws.manifest(note)
        assert_set(ws.set("--atomic"))
        latest = transition(ws.bytes, bytes.fromhex(latest)).hex()
    assert len(ws.history()) == 4


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 32 + "00",
                                  "00" * 32 + " and more", None])
def test_atomic_wants_a_whole_transition(ws, text):
    (ws.dir / "verify").mkdir()
    path = ws.dir / "verify" / "latest-transition"
    path.mkdir() if text is None else path.write_text(text)
    done = ws.set("--atomic")
    assert done.returncode == 2, done.stderr
    assert "latest-transition" in done.stderr
    if text:
        assert ws.set("--atomic", "--latest-transition",
                      text).returncode == 2
    assert not (ws.dir / "seed-shares.json").exists()


def test_latest_transition_is_for_atomic(ws):
    done = ws.set("--latest-transition", "00" * 32)
    assert done.returncode == 2
    assert "--latest-transition needs --atomic" in done.stderr


def test_seedshare_owners_cannot_change(ws):
    ws.owner()
    assert_set(ws.set())
    first = ws.bytes
    ws.manifest("2", SeedshareOwnerPubKeys=[])
    done = ws.set()
    assert done.returncode == 1
    assert "PERMISSION_DENIED" in done.stderr
    assert ws.history() == ws.hashes(first)


def test_without_owners_a_deployment_is_final(ws):
    ws.owner()
    ws.manifest(WorkloadOwnerPubKeys=[])
    first = ws.bytes
    assert_set(ws.set())
    ws.manifest("2")
    assert ws.set().returncode == 1
    assert ws.history() == ws.hashes(first)


# --- what is not sent ---

@pytest.mark.parametrize("text, says", [
    (b"", "manifest.json"), (b"{", "manifest.json"),
    (b"[]", "manifest.json"), (b"{}", "manifest.json"),
    (b'{"Policies": {}, "Policies": {}}', "manifest.json"),
    (None, "No such file")])
def test_an_unusable_manifest_stays_here(ws, text, says):
    if text is None:
        (ws.dir / "manifest.json").unlink()
    else:
        (ws.dir / "manifest.json").write_bytes(text)
    done = ws.set(port=free_port())  # nobody is asked
    assert done.returncode == 2
    assert says in done.stderr and done.stdout == ""
    if text is not None:
        assert "assay manifest lint manifest.json" in done.stderr


def test_a_meaningless_value_stays_here(ws):
    ws.manifest(reference={"TrustedMeasurement": "00"})
    done = ws.set(port=free_port())
    assert done.returncode == 2
    assert "ReferenceValues.snp[0].TrustedMeasurement" in done.stderr


def test_warnings_are_told_before_it_counts(ws):
    ws.manifest(reference={"AllowMilanWithoutChipIDs": False})
    done = ws.set()
    assert done.returncode == 0, done.stderr
    assert "warning: ReferenceValues.snp[0]" in done.stderr
    assert "Milan" in done.stderr


def test_documents_and_manifest_belong_together(ws):
    (ws.dir / "one.yml").write_text(pod("web", WEB_POLICY))
    done = ws.set(paths=("one.yml",))
    assert done.returncode == 2
    assert "policy %s: in the manifest, but in none of the files" % sha256(
        POLICY).hex() in done.stderr
    other = POLICY + b"# other\n"
    (ws.dir / "pods" / "zz.yaml").write_text(pod("other", other))
    done = ws.set()
    assert done.returncode == 2
    assert "policy %s of pods/zz.yaml: not in the manifest" % sha256(
        other).hex() in done.stderr
    assert "no manifest configured" in ws.d.owner(
        "get", "127.0.0.1:%d" % ws.d.user).stderr


@pytest.mark.parametrize("text", [
    POD % ("x", "AAAA"), POD % ("x", "not base64!"), "a: [", "\0\1\2"],
    ids=["no-gzip", "no-base64", "no-yaml", "binary"])
def test_broken_files_are_named(ws, text):
    (ws.dir / "pods" / "broken.yml").write_text(text)
    done = ws.set()
    assert done.returncode == 2
    assert "pods/broken.yml" in done.stderr


# --- who is there ---

def test_nobody_there_is_not_a_no(ws):
    port = free_port()
    done = ws.set("--timeout", "1", port=port)
    assert done.returncode == 3
    assert "127.0.0.1:%d" % port in done.stderr
    assert "setting the manifest" in done.stderr  # a sign of life


def test_a_coordinator_of_other_software_gets_nothing(ws):
    ws.manifest(reference={"TrustedMeasurement": "22" * 48})
    done = ws.set()
    assert done.returncode == 1
    assert "measurement" in done.stderr
    assert MEASUREMENT in done.stdout + done.stderr
    assert not (ws.dir / "mesh-ca.pem").exists()
    assert "no manifest configured" in ws.d.owner(
        "get", "127.0.0.1:%d" % ws.d.user).stderr


@pytest.mark.parametrize("args, says", [
    (["set"], "--coordinator HOST:PORT is required"),
    (["set", "-c", "127.0.0.1:1"], "missing operand, want: PATHS..."),
    (["set", "-c", "127.0.0.1:1", "--timeout", "0", "x"], "--timeout"),
    (["set", "-c", "127.0.0.1:1", "--output", "yaml", "x"],
     "want text|json"),
    (["set", "-c", "nowhere", "x"], '--coordinator: address "nowhere"'),
    (["set", "-c", "host:99999", "x"], "--coordinator"),
])
def test_usage_errors_are_2(ws, assay, args, says):
    done = assay(*args, cwd=ws.dir)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr and done.stdout == ""
