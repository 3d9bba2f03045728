"""Attacks on a running coordinator. Of each: it stays up, answers others
meanwhile, and its memory stays bounded.

Memory is asserted of a release build only (a sanitizer's own is larger than
what is measured): ASSAY_RELEASE_BUILD names one beside ASSAY_BUILD."""
import concurrent.futures
import contextlib
import hashlib
import http.server
import os
import pathlib
import resource
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

import h2frames as h2
import tls
from conftest import BUILD
from deployment import (POLICY, WEB_POLICY, Deployment, http_get, wait_for)

RELEASE = pathlib.Path(os.environ.get("ASSAY_RELEASE_BUILD", BUILD)).resolve()
GET = "/userapi.UserAPI/GetManifests"
SET = "/userapi.UserAPI/SetManifest"
SETTING_INITIAL_WINDOW = 4


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """One for all: a coordinator in service is attacked more than once."""
    folder = tmp_path_factory.mktemp("hostile")
    with Deployment(folder, coordinator_build=RELEASE) as d:
        d.make_keys()
        yield d


@pytest.fixture
def active(deployment):
    d = deployment
    if not d.state.joinpath("transitions/latest").exists():
        done = d.set(d.manifest())
        assert done.returncode == 0, done.stderr
    yield d
    assert d.coordinator.poll() is None, d.log()[-2000:]


def few_files():
    """100 connections for each server: what a small limit leaves."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (328, 328))


def resident_mib(d):
    for line in open("/proc/%d/status" % d.coordinator.pid):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def assert_memory(d, most_mib):
    now = resident_mib(d)
    print("resident: %.1f MiB, at most %d" % (now, most_mib))
    sanitized = b"__asan_init" in (
        RELEASE / "cmd/coordinator/assay-coordinator").read_bytes()
    assert sanitized or now <= most_mib


def assert_serves(d, seconds=10):
    begun = time.monotonic()
    assert d.history()
    assert http_get(d.probes, "/probe/liveness")[0] == 200
    took = time.monotonic() - begun
    print("served others in %.2f s" % took)
    assert took < seconds


# -- HTTP/2 ----------------------------------------------------------------

def settings(**values):
    return h2.frame(h2.SETTINGS, 0, 0, b"".join(
        struct.pack(">HI", int(k[1:]), v) for k, v in values.items()))


def streams(count, *frames):
    """For each stream of its own number the frames that functions make."""
    return b"".join(f(i) for i in range(1, 2 * count, 2) for f in frames)


def reset(stream):
    return h2.frame(h2.RST_STREAM, 0, stream, b"\0\0\0\x08")


def call(stream):
    return h2.unary(stream, GET, b"")


# A literal with incremental indexing, then the entry again and again: 4 KiB
# of header for each byte (RFC 7541 section 6.1).
HPACK_BOMB = (b"\x40\x01x" + h2.length("y" * 3000) + b"y" * 3000 +
              b"\xbe" * 13000)

FLOODS = {
    "pings": h2.frame(h2.PING, 0, 0, b"\0" * 8) * 20000,
    "settings": h2.frame(h2.SETTINGS) * 20000,
    "large-settings": settings(**{"_%d" % i: i for i in range(100, 131)}) *
    2000,
    "priorities": h2.frame(h2.PRIORITY, 0, 1, b"\0\0\0\0\0") * 20000,
    "windows": h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\1") * 20000,
    "rapid-reset": streams(10000, call, reset),
    "rapid-reset-of-nothing": streams(
        20000, lambda i: h2.headers(i, "/no.Such/Method"), reset),
    "unread-calls": streams(10000, call),
    "empty-data": h2.headers(1, GET) + h2.frame(h2.DATA, 0, 1) * 20000,
    "continuations": h2.headers(1, GET, flags=0) +
    h2.frame(h2.CONTINUATION, 0, 1) * 20000,
    "large-continuations": h2.headers(1, GET, flags=0) +
    h2.frame(h2.CONTINUATION, 0, 1, h2.literal("x", "y" * 8000) * 2) * 500,
    "hpack-bomb": b"".join(
        h2.headers(i, GET, flags=0) +
        h2.frame(h2.CONTINUATION, h2.END_HEADERS, i, HPACK_BOMB)
        for i in range(1, 1000, 2)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_floods_of_frames_are_ended(active, flood):
    data = h2.hello() + FLOODS[flood]

    def attack(_):
        ended = 0
        end = time.monotonic() + 2
        while time.monotonic() < end:
            with tls.connect(active.user) as sock:
                try:
                    sock.sendall(data)
                except OSError:
                    pass
                ended += tls.hung_up(sock, 10)
        return ended

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        attacks = [pool.submit(attack, i) for i in range(4)]
        time.sleep(0.3)
        assert_serves(active)
        assert all(a.result() > 0 for a in attacks)
    assert_serves(active)
    assert_memory(active, 48)


def set_large(d, note):
    """SetManifest with 2 MB of policies."""
    large = WEB_POLICY + b"# " + note + b"x" * 1900000 + b"\n"
    (d.dir / "web.toml").write_bytes(large)
    manifest = d.manifest(Policies={
        hashlib.sha256(POLICY).hexdigest():
            {"SANs": ["coordinator"], "Role": "coordinator"},
        hashlib.sha256(large).hexdigest(): {"SANs": ["web"]},
    })
    done = d.set(manifest)
    (d.dir / "web.toml").write_bytes(WEB_POLICY)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def long_history(active):
    """An answer of GetManifests is 2 MB."""
    set_large(active, b"")
    return active


def test_answers_that_nobody_reads_are_bounded(long_history):
    d = long_history
    asks = (h2.PREFACE + settings(**{"_%d" % SETTING_INITIAL_WINDOW: 0}) +
            streams(15, call))
    with contextlib.ExitStack() as stack:
        for _ in range(32):  # would be 900 MB
            sock = stack.enter_context(tls.connect(d.user))
            sock.sendall(asks)
        time.sleep(3)
        assert_serves(d)
        assert_memory(d, 220)
        assert_serves(d)
    time.sleep(1)
    assert_serves(d)
    assert_memory(d, 48)


def test_readers_do_not_delay_the_owner(long_history):
    d = long_history
    end = time.monotonic() + 4

    def read():
        while time.monotonic() < end:
            with tls.connect(d.user) as sock, contextlib.suppress(OSError):
                sock.sendall(h2.PREFACE + settings(
                    **{"_%d" % SETTING_INITIAL_WINDOW: 1 << 30}) +
                    h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\x3f\0\0\0") +
                    streams(15, call))
                got = 0
                while got < 28000000 and time.monotonic() < end:
                    got += len(sock.recv(1 << 20)) or 1 << 30

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        time.sleep(1)
        begun = time.monotonic()
        done = d.set(d.manifest("-read"))
        took = time.monotonic() - begun
        assert done.returncode == 0, done.stderr
        print("set in %.2f s" % took)
        assert took < 5
        for r in readers:
            r.result()
    assert_serves(d)


def test_windows_of_a_byte_cost_little(long_history):
    ask = (h2.PREFACE + settings(**{"_%d" % SETTING_INITIAL_WINDOW: 1}) +
           call(1))
    more = h2.frame(h2.WINDOW_UPDATE, 0, 1, b"\0\0\0\1") * 3000
    with tls.connect(long_history.user) as sock:
        sock.sendall(ask)
        with contextlib.suppress(OSError):
            sock.sendall(more)
        assert tls.hung_up(sock, 10)
    assert_serves(long_history)


def test_slow_bodies_do_not_keep_the_owner_out(long_history):
    d = long_history
    size = 16 * 1024 * 1024
    part = (h2.headers(1, SET) +
            h2.frame(h2.DATA, 0, 1, struct.pack(">BI", 0, size)))
    body = h2.frame(h2.DATA, 0, 1, b"x" * 16384)
    socks = [tls.connect(d.user) for _ in range(5)]
    for sock in socks:
        threading.Thread(target=drain, args=(sock,), daemon=True).start()
        sock.sendall(h2.hello() + part)
        for _ in range(size // 16384 - 8):  # and never the rest
            sock.sendall(body)
    assert_memory(d, 64 + 48)
    set_large(d, b"slow")  # more than the senders leave of 64 MiB
    assert_serves(d)
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    time.sleep(1)
    assert_memory(d, 48)


def drain(sock):
    with contextlib.suppress(OSError, ValueError):
        while sock.recv(65536):
            pass


# -- connections ------------------------------------------------------------

@pytest.mark.parametrize("kind", ["silent", "half-hello", "idle"])
def test_connections_that_wait_give_way(active, kind):
    d = active
    d.stop()
    d.start(preexec_fn=few_files)
    assert d.recover().returncode == 0
    assert d.set(d.manifest()).returncode == 0
    tsm = d.vm("web-" + kind, WEB_POLICY)
    with contextlib.ExitStack() as stack:
        for i in range(250):  # of 100
            source = "127.0.0.%d" % (i % 5 + 1)
            for port in (d.user, d.mesh):
                if kind == "idle" and port == d.user:
                    stack.enter_context(tls.connect(port, source))
                    continue
                sock = stack.enter_context(socket.create_connection(
                    ("127.0.0.1", port), 10, (source, 0)))
                if kind == "half-hello":
                    sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        assert_serves(d)
        done = d.pod("web", tsm)
        assert done.returncode == 0, done.stderr
        done = d.set(d.manifest(kind))  # files are left for the store
        assert done.returncode == 0, done.stderr
    d.stop()
    d.start()
    assert d.recover().returncode == 0


def test_dripping_handshakes_do_not_slow_others(active):
    stop = threading.Event()

    def drip():
        with socket.create_connection(("127.0.0.1", active.user), 10) as s:
            s.sendall(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03")
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    s.sendall(b"\0")
                    time.sleep(0.002)

    threads = [threading.Thread(target=drip) for _ in range(50)]
    for t in threads:
        t.start()
    try:
        time.sleep(1)
        assert_serves(active)
        assert_memory(active, 48)
    finally:
        stop.set()
        for t in threads:
            t.join()


def test_large_certificates_are_refused(active, tmp_path):
    """TLS libraries make room for a message once its length is announced."""
    pem = tmp_path / "large.pem"
    config = tmp_path / "large.cnf"
    config.write_text("[req]\ndistinguished_name=n\nprompt=no\n"
                      "x509_extensions=x\n[n]\nCN=x\n[x]\n"
                      "1.2.3.4=DER:04:82:c3:50" + ":00" * 50000 + "\n")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-config", config, "-keyout",
         tmp_path / "key", "-out", tmp_path / "cert"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if made.returncode:
        pytest.skip("openssl cannot make it: %s" % made.stderr[-200:])
    pem.write_bytes((tmp_path / "key").read_bytes() +
                    (tmp_path / "cert").read_bytes())

    def is_refused():  # until a line gets past the limit of the log
        with contextlib.suppress(OSError):
            with tls.connect(active.user, cert=pem) as sock:
                sock.sendall(h2.hello() + call(1))
                assert tls.hung_up(sock, 5)
        return "excessive message size" in active.log()

    wait_for(is_refused, "the refusal in the log")
    assert_serves(active)


def test_probes_answer_behind_idle_connections(active):
    with contextlib.ExitStack() as stack:
        for _ in range(400):  # of 256
            stack.enter_context(socket.create_connection(
                ("127.0.0.1", active.probes), 10))
        for path in ("/probe/liveness", "/probe/readiness", "/metrics"):
            assert http_get(active.probes, path)[0] == 200


def test_metrics_that_nobody_reads_are_bounded(active):
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(40):  # each would hold 16 MB
            sock = stack.enter_context(socket.create_connection(
                ("127.0.0.1", active.probes), 10))
            sock.settimeout(0.2)
            with contextlib.suppress(OSError):
                for _ in range(5):
                    sock.sendall(request * 1000)
        assert_serves(active)
        assert_memory(active, 64)


# -- the vendor's service ----------------------------------------------------

class SlowKds(http.server.BaseHTTPRequestHandler):
    """Passes everything on, but chips' certificates only while told so."""

    def do_GET(self):
        if self.path.count("/") > 3 and len(self.path) > 100 and \
                self.server.stuck.is_set():
            time.sleep(30)
            return
        try:
            with urllib.request.urlopen(self.server.behind + self.path) as got:
                status, body = got.status, got.read()
        except urllib.error.HTTPError as e:
            status, body = e.code, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def slow_kds(behind):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowKds)
    server.daemon_threads = True
    server.behind = "http://127.0.0.1:%d" % behind
    server.stuck = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_a_slow_vendor_does_not_hold_all_threads(tmp_path):
    with Deployment(tmp_path, coordinator_build=RELEASE) as d, \
            slow_kds(d.kds) as kds:
        d.stop()
        d.kds_of_coordinator = kds.server_address[1]
        d.start()
        d.make_keys()
        assert d.set(d.manifest()).returncode == 0
        web = d.vm("web", WEB_POLICY)
        assert d.pod("web", web).returncode == 0
        # Chips that the coordinator has to ask for, as the pods do not.
        chips = [d.vm("chip%d" % i, WEB_POLICY, "--auxblob", "none")
                 for i in range(24)]
        kds.stuck.set()
        with concurrent.futures.ThreadPoolExecutor(len(chips)) as pool:
            pods = [pool.submit(d.pod, "pod%d" % i, chip, "--offline")
                    for i, chip in enumerate(chips)]
            time.sleep(2)
            assert sum(not p.done() for p in pods) >= 2  # held, as is meant
            assert_serves(d, 6)
            begun = time.monotonic()
            done = d.pod("web", web)
            assert done.returncode == 0, done.stderr
            assert time.monotonic() - begun < 7
            assert all(p.result().returncode != 0 for p in pods)
        kds.stuck.clear()
        assert "others wait for the service" in d.log()
        locks = [f for f in (d.dir / "cache").iterdir()
                 if f.suffix == ".lock"]
        assert not locks
        assert_memory(d, 48)


# -- one folder, two coordinators --------------------------------------------

def test_two_coordinators_on_one_folder_never_fork(active):
    a = active
    assert a.set(a.manifest()).returncode == 0
    first = a.history()
    b = Deployment.__new__(Deployment)
    b.__dict__.update(a.__dict__)
    b.processes = []
    b.user, b.mesh, b.probes = a.spare_ports()
    try:
        b.start()
        assert http_get(b.probes, "/probe/readiness") == (503,
                                                          "needs_recovery")
        done = b.set(b.manifest("b"))
        assert done.returncode == 1 and "recovery mode" in done.stderr
        assert b.recover().returncode == 0
        assert b.history() == first
        done = b.set(b.manifest("b"))
        assert done.returncode == 0, done.stderr
        # Whether a has noticed yet or not: it does not go on by itself.
        done = a.set(a.manifest("a"))
        assert done.returncode == 1, done.stderr
        wait_for(lambda: http_get(a.probes, "/probe/readiness") ==
                 (503, "stale"), "a to notice")
        assert len(b.history()) == len(first) + 1
        assert a.recover().returncode == 0
        assert a.history() == b.history()
        # Both at once, many times: one history, and what was told is in it.
        results = race(a, b)
        time.sleep(6)  # each has looked at the store again
        for x in (a, b):
            if http_get(x.probes, "/probe/readiness")[0] != 200:
                assert x.recover().returncode == 0
        assert a.history() == b.history()
        assert results <= set(a.history())
    finally:
        for process in b.processes:
            process.kill()
            process.wait()


def race(a, b):
    """Updates on both; the hashes of those that were acknowledged."""
    def work(d, name):
        done = set()
        mine = Deployment.__new__(Deployment)
        mine.__dict__.update(d.__dict__)
        mine.manifest_file = "manifest-%s.json" % name
        for i in range(15):
            m = mine.manifest("-%s-%d" % (name, i))
            if mine.set(m).returncode == 0:
                done.add(hashlib.sha256(m).hexdigest())
            else:
                mine.recover()
        return done

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        parts = [pool.submit(work, a, "a"), pool.submit(work, b, "b")]
        return set().union(*(p.result() for p in parts))
