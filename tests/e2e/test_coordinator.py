"""The coordinator as a process: life, death, and what it says meanwhile."""
import hashlib
import re
import resource
import signal
import socket
import time

import pytest

from deployment import (POLICY, WEB_POLICY, Deployment, http_get, listens,
                        wait_for)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def deployment(tmp_path):
    with Deployment(tmp_path) as d:
        d.make_keys()
        yield d


def assert_done(done):
    assert done.returncode == 0, done.stderr


def test_a_pod_gets_its_certificate_and_secret(deployment):
    d = deployment
    tsm = d.vm("web", WEB_POLICY)
    assert http_get(d.probes, "/probe/readiness") == (503, "empty")
    assert d.pod("early", tsm).returncode != 0  # no manifest yet
    assert_done(d.set(d.manifest()))
    assert http_get(d.probes, "/probe/readiness") == (200, "active")
    assert_done(d.pod("web", tsm))
    secret = (d.dir / "web/secrets/workload-secret-seed").read_text()
    assert re.fullmatch("[0-9a-f]{128}", secret)
    first = (d.dir / "web/tls-config/mesh-ca.pem").read_bytes()

    # An update gives a new mesh CA and the same secret.
    assert_done(d.set(d.manifest("2")))
    assert_done(d.pod("web", tsm))
    assert (d.dir / "web/secrets/workload-secret-seed").read_text() == secret
    assert (d.dir / "web/tls-config/mesh-ca.pem").read_bytes() != first
    assert "trust=INSECURE" in d.log()

    body = http_get(d.probes, "/metrics")[1]
    assert "contrast_coordinator_manifest_generation 2\n" in body
    assert re.search('contrast_grpc_server_handled_total{grpc_type="unary",'
                     'grpc_service="meshapi.MeshAPI",'
                     'grpc_method="NewMeshCert",grpc_code="OK"} 2\n', body)


def test_a_stranger_is_refused_and_counted(deployment):
    d = deployment
    assert_done(d.set(d.manifest()))
    stranger = d.vm("stranger", b"a policy of nobody")
    done = d.pod("stranger", stranger)
    assert done.returncode != 0
    assert not (d.dir / "stranger/tls-config/key.pem").exists()
    body = http_get(d.probes, "/metrics")[1]
    assert "contrast_meshapi_attestation_failures_total 1\n" in body
    assert "evidence judged" in d.log()


def test_updates_need_the_owner(deployment, tmp_path_factory):
    d = deployment
    assert_done(d.set(d.manifest()))
    manifest = d.manifest("2")
    owner = (d.dir / "owner.pem").read_bytes()
    d.owner("keys", d.dir)  # a stranger's
    done = d.set(manifest)
    assert done.returncode == 1
    assert "PERMISSION_DENIED" in done.stderr
    (d.dir / "owner.pem").write_bytes(owner)
    assert_done(d.set(manifest))
    assert len(d.history()) == 2


def test_a_bad_manifest_changes_nothing(deployment):
    d = deployment
    good = d.manifest()
    assert_done(d.set(good))
    for bad in [b"", b"{", b"[]", d.manifest(Policies={}),
                d.manifest(reference={"TrustedMeasurement": "00"})]:
        done = d.set(bad)
        assert done.returncode == 1
        assert "INVALID_ARGUMENT" in done.stderr
    assert d.history() == [sha256(good)]


def test_a_restart_needs_recovery(deployment):
    d = deployment
    good = d.manifest()
    assert_done(d.set(good))
    assert d.stop() == 0
    d.start()
    assert http_get(d.probes, "/probe/readiness") == (503, "needs_recovery")
    for done in [d.set(d.manifest("2")),
                 d.owner("get", "127.0.0.1:%d" % d.user)]:
        assert done.returncode == 1
        assert "coordinator is in recovery mode" in done.stderr
        assert "FAILED_PRECONDITION" in done.stderr
    assert_done(d.recover())
    assert d.history() == [sha256(good)]
    done = d.recover()
    assert "already recovered" in done.stderr
    assert_done(d.set(d.manifest("2")))


def test_a_store_cut_short_is_told_at_start(deployment):
    d = deployment
    assert_done(d.set(d.manifest()))
    assert d.stop() == 0
    latest = d.state / "transitions" / "latest"
    whole = latest.read_bytes()
    for cut in [b"", whole[:31], whole[:32]]:
        latest.write_bytes(cut)
        d.start(expect_up=False)
        assert d.coordinator.wait(20) == 3
        assert "cannot start" in d.log().splitlines()[-1]
        assert "restore it from a backup" in d.log().splitlines()[-1]
    latest.unlink()
    d.start(expect_up=False)
    assert d.coordinator.wait(20) == 3
    assert "holds transitions but no" in d.log().splitlines()[-1]
    # The head itself may be whole and what it names damaged.
    latest.write_bytes(whole)
    for part in (d.state / "manifests").iterdir():
        part.write_bytes(part.read_bytes()[:-1])
    d.start()
    done = d.recover()
    assert done.returncode == 1
    assert "damaged" in done.stderr


def test_a_full_disk_loses_nothing(deployment):
    d = deployment
    good = d.manifest()
    assert_done(d.set(good))
    assert d.stop() == 0

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    log = d.dir / "assay-coordinator.log"
    log.write_text("")
    log.chmod(0o600)
    d.start(preexec_fn=small_files)
    log.write_text("")
    assert_done(d.recover())
    done = d.set(d.manifest("2"))  # more than 1000 bytes
    assert done.returncode == 3  # INTERNAL
    assert "free some space" in done.stderr
    assert d.history() == [sha256(good)]
    assert d.stop() == 0
    d.start()
    assert_done(d.recover())
    assert_done(d.set(d.manifest("2")))
    assert len(d.history()) == 2


def test_half_open_connections_do_not_keep_others_out(deployment):
    d = deployment
    assert_done(d.set(d.manifest()))
    tsm = d.vm("web", WEB_POLICY)
    idle = []
    try:
        for i in range(200):
            s = socket.create_connection(("127.0.0.1", d.mesh), 5)
            s.sendall(b"\x16\x03\x01" if i % 2 else b"GET / HTTP/1.1\r\n")
            idle.append(s)
        assert_done(d.pod("web", tsm))
        assert len(d.history()) == 1
    finally:
        for s in idle:
            s.close()
    assert d.coordinator.poll() is None


def test_garbage_does_not_flood_the_log(deployment):
    d = deployment
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", d.user), 5) as s:
            s.sendall(b"\x00\n level=error msg=forged \x1b[2J" * 20)
    time.sleep(0.5)
    lines = d.log().splitlines()
    assert len(lines) < 120
    assert not any(line.startswith(" level=error") for line in lines)
    assert "\x1b" not in d.log()
    assert_done(d.set(d.manifest()))


def in_memory(pid, needle):
    """How often needle is in a process's writable memory."""
    found = 0
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            place, mode = line.split()[:2]
            low, high = (int(x, 16) for x in place.split("-"))
            # A sanitizer's shadow is terabytes of nothing.
            if not mode.startswith("rw") or high - low > 1 << 28:
                continue
            try:
                memory.seek(low)
                found += memory.read(high - low).count(needle)
            except (OSError, ValueError, OverflowError):
                pass
    return found


def test_secrets_leave_no_copies(deployment):
    d = deployment
    assert_done(d.set(d.manifest()))
    seed = (d.dir / "seed").read_bytes()[:64]
    assert d.stop() == 0
    d.start()
    assert_done(d.recover())
    try:
        copies = in_memory(d.coordinator.pid, seed[:24])
    except PermissionError:
        pytest.skip("only root may read a daemon's memory")
    assert copies == 1  # the seed engine's own
    tsm = d.vm("web", WEB_POLICY)
    for i in range(5):
        assert_done(d.pod("web%d" % i, tsm))
    secret = bytes.fromhex(
        (d.dir / "web0/secrets/workload-secret-seed").read_text())
    assert in_memory(d.coordinator.pid, secret[:24]) == 0


def test_sigterm_ends_gracefully(deployment):
    d = deployment
    began = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - began < 20
    assert "msg=stopped" in d.log()
