"""assay-initializer as a pod runs it: what it writes, whom it believes."""
import hashlib
import os
import re
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from conftest import free_port, program
from deployment import POLICY, WEB_POLICY, wait_for

WORKLOAD_SECRET_ID = x509.ObjectIdentifier("1.3.9901.3.1")
MODES = {
    "tls-config/mesh-ca.pem": 0o444, "tls-config/certChain.pem": 0o444,
    "tls-config/coordinator-root-ca.pem": 0o444,
    "tls-config/key.pem": 0o400, "secrets/workload-secret-seed": 0o400,
}


class Pod:
    def __init__(self, d, folder):
        self.d, self.dir = d, folder / "contrast"
        self.done_file = folder / "done"
        self.dir.mkdir()

    def command(self, *options, policy=WEB_POLICY, target=None):
        tsm = self.d.guest(hashlib.sha256(policy).hexdigest()[:8], policy)
        more = ["-c", target or "127.0.0.1:%d" % self.d.mesh] \
            if target != "" else []
        return [program("assay-initializer"), "--dir", self.dir,
                "--done-file", self.done_file, "--tsm", tsm,
                *self.d.trust_args(), *more, *options]

    def run(self, *options, attempts="1", env=None, **kwargs):
        if attempts:
            options += ("--attempts", attempts)
        return subprocess.run(
            list(map(str, self.command(*options, **kwargs))), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=60, check=False,
            env=dict(os.environ, **(env or {})))

    def files(self):
        return {str(path.relative_to(self.dir)): path.stat().st_mode & 0o7777
                for path in self.dir.rglob("*") if path.is_file()}

    def read(self, name):
        return (self.dir / name).read_bytes()

    def chain(self):
        blocks = re.findall(b"-----BEGIN.*?-----END CERTIFICATE-----\n",
                            self.read("tls-config/certChain.pem"), re.S)
        return [x509.load_pem_x509_certificate(block) for block in blocks]


@pytest.fixture
def pod(fresh, tmp_path):
    done = fresh.set(fresh.manifest())
    assert done.returncode == 0, done.stderr
    return Pod(fresh, tmp_path)


def assert_refused(pod, done, *says):
    assert done.returncode == 1, done.stderr
    for words in says:
        assert words in done.stderr, done.stderr
    assert pod.files() == {} and not pod.done_file.exists()


# --- files ---

def test_files_modes_and_contents(pod):
    old = os.umask(0o077)  # a mode is a promise, not a default
    try:
        done = pod.run()
    finally:
        os.umask(old)
    assert done.returncode == 0, done.stderr
    assert pod.files() == MODES
    assert pod.done_file.read_bytes() == b""
    assert pod.done_file.stat().st_mode & 0o7777 == 0o644
    for folder in ("tls-config", "secrets"):
        assert (pod.dir / folder).stat().st_mode & 0o7777 == 0o755

    leaf, intermediate = pod.chain()
    key = serialization.load_pem_private_key(pod.read("tls-config/key.pem"),
                                             None)
    assert pod.read("tls-config/key.pem").startswith(
        b"-----BEGIN PRIVATE KEY-----\n")
    assert key.public_key().public_numbers() == \
        leaf.public_key().public_numbers()
    names = leaf.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web", "*"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == [
        "127.0.0.1"]
    secret_id = leaf.extensions.get_extension_for_oid(WORKLOAD_SECRET_ID)
    text = b"apps/v1/Deployment/default/web"
    assert secret_id.value.value == bytes([4, len(text)]) + text
    assert intermediate.subject == leaf.issuer
    assert re.fullmatch(b"[0-9a-f]{128}",
                        pod.read("secrets/workload-secret-seed"))


def test_a_second_run_replaces_everything_but_the_secret(pod):
    assert pod.run().returncode == 0
    before = {name: pod.read(name) for name in MODES}
    assert pod.run().returncode == 0
    assert pod.files() == MODES
    changed = {name for name in MODES if pod.read(name) != before[name]}
    assert changed == {"tls-config/certChain.pem", "tls-config/key.pem"}


def test_a_pod_without_a_secret_gets_no_file(pod):
    done = pod.run(policy=POLICY)  # the coordinator's own policy has none
    assert done.returncode == 0, done.stderr
    want = dict(MODES)
    del want["secrets/workload-secret-seed"]
    assert pod.files() == want


def test_no_done_file_where_none_is_wanted(pod):
    assert pod.run("--attempts", "1", attempts=None).returncode == 0
    pod.done_file.unlink()
    command = pod.command("--attempts", "1")
    command[command.index("--done-file") + 1] = ""
    subprocess.run(list(map(str, command)), check=True,
                   stderr=subprocess.DEVNULL)
    assert not pod.done_file.exists()


def test_a_folder_that_cannot_be_written(pod):
    (pod.dir / "tls-config").write_text("in the way")
    done = pod.run()
    assert done.returncode == 3
    assert "tls-config" in done.stderr
    assert not pod.done_file.exists()


# --- whom it believes ---

def test_without_a_pin_it_warns(pod):
    assert "WARNING: the coordinator is not checked" in pod.run().stderr


def manifest_file(pod, **changes):
    path = pod.dir.parent / "manifest.json"
    path.write_bytes(pod.d.manifest(**changes))
    return path


def test_pinned_reference_values(pod):
    done = pod.run("-m", manifest_file(pod))
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert pod.files() == MODES


def test_a_coordinator_of_other_software_is_refused(pod):
    manifest = manifest_file(pod, reference={"TrustedMeasurement": "22" * 48})
    assert_refused(pod, pod.run("--manifest", manifest), "measurement",
                   "22" * 8)


def test_another_pod_is_no_coordinator(pod):
    web, own = (hashlib.sha256(p).hexdigest() for p in (WEB_POLICY, POLICY))
    manifest = manifest_file(pod, Policies={
        web: {"SANs": ["x"], "Role": "coordinator"}, own: {"SANs": ["y"]}})
    assert_refused(pod, pod.run("-m", manifest), "manifest_policy", own)


def root_key(pod):
    root = x509.load_pem_x509_certificate(
        pod.read("tls-config/coordinator-root-ca.pem"))
    return hashlib.sha256(root.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def test_pinned_root_key(pod):
    assert pod.run().returncode == 0
    pin = root_key(pod)
    done = pod.run("--root-key", pin)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    # The root's key outlives its certificate.
    assert pod.d.set(pod.d.manifest("2")).returncode == 0
    assert pod.run("--root-key", pin.upper()).returncode == 0
    assert pod.run("--root-key", pin, "-m", manifest_file(
        pod)).returncode == 0


def test_another_root_key_is_refused(pod):
    assert_refused(pod, pod.run("--root-key", "00" * 32), "root CA key: got ",
                   "want 0000")


def test_the_root_of_another_deployment_is_refused(pod, tmp_path):
    assert pod.run().returncode == 0
    pin = root_key(pod)
    pod.d.afresh()
    assert pod.d.set(pod.d.manifest()).returncode == 0
    (tmp_path / "again").mkdir()
    again = Pod(pod.d, tmp_path / "again")
    assert_refused(again, again.run("--root-key", pin), "root CA key", pin)


def test_a_stranger_is_refused(pod):
    assert_refused(pod, pod.run(policy=b"nobody's\n"),
                   'peer refused with alert "bad certificate"')


def test_a_pod_that_could_not_be_judged_may_come_again(pod):
    """The coordinator cannot get a revocation list: that is no verdict."""
    d = pod.d
    kept = d.kds
    d.kds = free_port()
    try:
        d.afresh()
        assert d.set(d.manifest()).returncode == 0
        done = pod.run()
    finally:
        d.kds = kept
    assert done.returncode == 3, done.stderr
    assert 'alert "internal error"' in done.stderr
    assert pod.files() == {}


# --- patience ---

def test_attempts_are_counted(pod):
    port = free_port()
    began = time.monotonic()
    done = pod.run("--retry", "1", attempts="2", target="127.0.0.1:%d" % port)
    assert done.returncode == 3, done.stderr
    assert time.monotonic() - began > 1
    assert done.stderr.count("127.0.0.1:%d" % port) == 2
    assert done.stderr.count("; next attempt in 1 s") == 1


def test_it_waits_for_the_manifest(fresh, tmp_path):
    pod = Pod(fresh, tmp_path)
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            list(map(str, pod.command("--retry", "1"))), stderr=out,
            stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: "next attempt in 1 s" in log.read_text(),
                 "a first attempt")
        assert fresh.set(fresh.manifest()).returncode == 0
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert pod.files() == MODES and pod.done_file.exists()


def test_the_host_can_come_from_the_environment(pod):
    done = pod.run(target="", env={"COORDINATOR_HOST": "127.0.0.77"})
    assert done.returncode == 3, done.stderr
    assert "127.0.0.77:7777" in done.stderr


@pytest.mark.parametrize("options, says", [
    (["--root-key", "00"], "--root-key: got 2 characters, want 64"),
    (["--root-key", "zz" * 32], "--root-key"),
    (["-m", "/no/such"], "/no/such"),
    (["-m", "/dev/null"], "--manifest /dev/null"),
    (["--retry", "0"], "--retry"), (["--attempts", "-1"], "--attempts"),
    (["-c", "127.0.0.1"], '--coordinator: address "127.0.0.1"'),
    (["-c", "h" * 300 + ":1"], "--coordinator"),
    ([], "set COORDINATOR_HOST")], ids=lambda v: None)
def test_usage_errors_are_2(tmp_path, options, says):
    if options and options[0] != "-c":
        options = ["-c", "127.0.0.1:1", *options]
    done = subprocess.run(
        [program("assay-initializer"), "--dir", tmp_path, "--offline",
         *options], text=True, check=False, timeout=60,
        env={k: v for k, v in os.environ.items() if k != "COORDINATOR_HOST"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
