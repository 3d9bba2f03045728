"""Reports and collateral, from the simulated processor and vendor to a
verdict, through the command line."""
import base64
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from conftest import program, run

sys.path.insert(0, os.path.dirname(__file__))
from simulator import Process, Vendor, fuse_missing  # noqa: E402

CHIP = hashlib.sha512(b"a").hexdigest()
REPORT_ARGS = ("--chip", "a", "--tcb", "4,0,24,219", "--report-data", "2a")
VCEK = "/vcek/v1/Milan/%s?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219" % CHIP
CHAIN = "/vcek/v1/Milan/cert_chain"
CRL = "/vcek/v1/Milan/crl"


@pytest.fixture(scope="module")
def amd(tmp_path_factory):
    vendor = Vendor(tmp_path_factory.mktemp("vendor"))
    yield vendor
    vendor.process.stop()


@pytest.fixture
def vendor(amd):
    amd.reset()
    return amd


@pytest.fixture
def report(vendor, tmp_path):
    return vendor.report(tmp_path / "report.bin", *REPORT_ARGS)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def fetch(vendor, cache):
    def fetch(*args, url=None, **kwargs):
        return run("assay", "collateral", "fetch", "--kds-url",
                   url or vendor.url, "--cache-dir", cache, *args, **kwargs)
    return fetch


def verify(vendor, report, *args):
    return run("assay", "evidence", "verify", "--tee", "snp", "--trust-anchor",
               vendor.anchor, "--report-data", "2a", *args, report)


# --- evidence collect ------------------------------------------------------


@pytest.fixture(params=["mount", "socket"])
def guest(request, vendor, tmp_path):
    """A guest's interface: the mounted file system, or the socket."""
    path = tmp_path / "tsm"
    if request.param == "mount":
        reason = fuse_missing()
        if reason:
            pytest.skip(reason)
        path.mkdir()
    vm = Process(tmp_path / "vm.log", "vm", "--state", vendor.state,
                 "--" + request.param, path, *REPORT_ARGS[:4])
    yield path
    vm.stop()


def collect(guest, *args):
    return run("assay", "evidence", "collect", "--tsm", guest, *args)


def test_collected_report_verifies_with_the_hosts_certificates(
        vendor, guest, tmp_path):
    out, certs = tmp_path / "r.bin", tmp_path / "c.pem"
    done = collect(guest, "--report-data", "2a", "--out", out, "--certs",
                   certs)
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size == 1184
    done = verify(vendor, out, "--offline", "--cert", certs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "INSECURE" in done.stdout


def test_wire_form_carries_the_chain(vendor, guest, tmp_path):
    out = tmp_path / "evidence.pb"
    done = collect(guest, "--report-data", "2a", "--format", "protobuf",
                   "--out", out, "--offline")
    assert done.returncode == 0, done.stderr
    assert not vendor.requests()
    done = verify(vendor, out, "--offline")
    assert done.returncode == 0, done.stdout + done.stderr


def test_wire_form_asks_for_what_the_host_did_not_give(vendor, guest, cache,
                                                       tmp_path):
    out = tmp_path / "evidence.pb"
    done = collect(guest, "--report-data", "2a", "--format", "protobuf",
                   "--out", out, "--kds-url", vendor.url, "--cache-dir", cache)
    assert done.returncode == 0, done.stderr
    assert vendor.requests() == ["200 " + CRL]
    done = verify(vendor, out, "--offline", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = {c["name"]: c["outcome"]
                for c in json.loads(done.stdout)["checks"]}
    assert outcomes["revocation"] == "pass"


def test_wire_form_does_without_the_vendor(vendor, guest, cache, tmp_path):
    out = tmp_path / "evidence.pb"
    done = collect(guest, "--report-data", "2a", "--format", "protobuf",
                   "--out", out, "--kds-url", "http://127.0.0.1:1",
                   "--cache-dir", cache)
    assert done.returncode == 0, done.stderr
    done = verify(vendor, out, "--offline")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("how", ["mount", "socket"])
def test_own_level_is_the_lowest_the_kernel_may_ask_for(vendor, tmp_path, how):
    path = tmp_path / "tsm"
    if how == "mount":
        reason = fuse_missing()
        if reason:
            pytest.skip(reason)
        path.mkdir()
    vm = Process(tmp_path / "vm.log", "vm", "--state", vendor.state,
                 "--" + how, path, "--vmpl-floor", "2", *REPORT_ARGS[:4])
    try:
        out = tmp_path / "r.bin"
        done = collect(path, "--report-data", "2a", "--out", out)
        assert done.returncode == 0, done.stderr
        assert out.read_bytes()[0x30:0x34] == b"\x02\0\0\0"
        done = collect(path, "--vmpl", "1", "--out", out)
        assert done.returncode == 3, done.stderr
    finally:
        vm.stop()


def test_report_data_is_the_nonces_digest_or_padded_or_random(guest):
    def data(*args):
        done = collect(guest, "--output", "json", *args)
        assert done.returncode == 0, done.stderr
        got = json.loads(done.stdout)
        report = base64.b64decode(got["evidence"])
        assert report[0x50:0x90].hex() == got["report_data"]
        return got["report_data"]
    assert data("--report-data", "00ff") == "00ff" + 62 * "00"
    assert data("--nonce", "616263") == hashlib.sha512(b"abc").hexdigest()
    assert data() != data()


def test_level_is_in_the_report(guest, tmp_path):
    out = tmp_path / "r.bin"
    for level in (0, 1, 3):
        done = collect(guest, "--vmpl", level, "--out", out)
        assert done.returncode == 0, done.stderr
        assert out.read_bytes()[0x30:0x34] == bytes([level, 0, 0, 0])


def test_no_entry_is_left_behind(guest):
    if not guest.is_dir():
        pytest.skip("entries exist in the file system only")
    for _ in range(3):
        assert collect(guest, "--output", "json").returncode == 0
    assert list(guest.iterdir()) == []


def test_many_at_once_do_not_meet(guest):
    runs = [subprocess.Popen(
        [program("assay"), "evidence", "collect", "--tsm", guest,
         "--report-data", "%02x" % i, "--output", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE) for i in range(8)]
    for i, process in enumerate(runs):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        report = base64.b64decode(json.loads(out)["evidence"])
        assert report[0x50:0x90] == bytes([i]) + bytes(63)
    if guest.is_dir():
        assert list(guest.iterdir()) == []


def test_kernel_level_above_zero_is_found_and_kept_to(vendor, tmp_path):
    reason = fuse_missing()
    if reason:
        pytest.skip(reason)
    mount, out = tmp_path / "tsm", tmp_path / "r.bin"
    mount.mkdir()
    vm = Process(tmp_path / "vm.log", "vm", "--state", vendor.state, "--mount",
                 mount, "--vmpl-floor", 2, *REPORT_ARGS[:4])
    try:
        assert collect(mount, "--out", out).returncode == 0
        assert out.read_bytes()[0x30] == 2
        done = collect(mount, "--vmpl", "1", "--out", out)
        assert done.returncode == 3
        assert "VMPL 1" in done.stderr and "2 to 3" in done.stderr
        assert list(mount.iterdir()) == []
    finally:
        vm.stop()


@pytest.mark.parametrize("args", [
    ("--report-data", "0"), ("--report-data", "zz"), ("--report-data", ""),
    ("--report-data", 65 * "00"), ("--nonce", "x"),
    ("--nonce", "00", "--report-data", "00"), ("--vmpl", "4"),
])
def test_bad_options_are_usage_errors(tmp_path, args):
    done = run("assay", "evidence", "collect", "--tsm", tmp_path, *args)
    assert done.returncode == 2, done.stderr


def test_machine_without_an_interface_could_not_find_out(tmp_path):
    done = run("assay", "evidence", "collect", "--tsm", tmp_path / "no")
    assert done.returncode == 3
    assert "no report interface" in done.stderr


# --- collateral: the service -----------------------------------------------


def test_fetched_collateral_verifies_and_is_cached(vendor, report, fetch,
                                                   cache):
    done = fetch("--report", report, "--output", "json")
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    assert {item["path"] for item in items} == {VCEK, CHAIN, CRL}
    assert all(item["outcome"] == "fetched" and item["state"] == "valid"
               and item["source"] == vendor.url for item in items)
    assert sorted(vendor.requests()) == sorted(
        "200 " + path for path in (VCEK, CHAIN, CRL))
    done = verify(vendor, report, "--kds-url", vendor.url, "--cache-dir",
                  cache)
    assert done.returncode == 0, done.stdout + done.stderr
    # Within its minute not even the list is asked for again.
    assert vendor.requests() == []
    assert (cache.stat().st_mode & 0o777) == 0o700


@pytest.mark.parametrize("rule", ["500:2", "truncate:1", "garbage:1",
                                  "wrong-chip:1"])
def test_passing_failures_are_survived(vendor, report, fetch, rule):
    vendor.fail("/vcek/v1/Milan/%s=%s" % (CHIP[:8], rule))
    done = fetch("--report", report)
    assert done.returncode == 0, done.stderr
    failures = int(rule.split(":")[1])
    assert len(vendor.requests()) == 3 + failures
    assert "next attempt in" in done.stderr


def test_rate_limit_is_waited_for(vendor, report, fetch):
    vendor.fail("/vcek/v1/Milan/crl=429:1")
    start = time.monotonic()
    done = fetch("--report", report)
    assert done.returncode == 0, done.stderr
    assert "429 (too many requests)" in done.stderr
    assert time.monotonic() - start >= 1  # Retry-After


def test_rate_limit_beyond_our_time_is_not(vendor, report, fetch):
    vendor.fail("/vcek/v1/Milan/crl=429")
    done = fetch("--report", report, "--timeout", "1")
    assert done.returncode == 3
    assert "no vcek-crl for Milan" in done.stderr
    assert "429" in done.stderr
    # What could be had is told, and in the cache.
    assert "cert_chain" in done.stdout


def test_absence_is_said_at_once(vendor, report, fetch):
    vendor.fail("/vcek/v1/Milan/%s=404" % CHIP[:8])
    done = fetch("--report", report)
    assert done.returncode == 3
    assert "HTTP status 404" in done.stderr
    assert len([r for r in vendor.requests() if CHIP in r]) == 1


def test_service_that_hangs_is_left(vendor, report, fetch):
    vendor.fail("/vcek=hang")
    start = time.monotonic()
    done = fetch("--report", report, "--timeout", "1")
    assert done.returncode == 3
    assert time.monotonic() - start < 15


def test_service_that_is_not_there(report, fetch):
    done = fetch("--report", report, "--timeout", "1",
                 url="http://127.0.0.1:1")
    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr


def test_failed_fetch_is_no_verdict(vendor, report, cache):
    """Neither accepted nor refused: could not find out."""
    vendor.fail("/vcek/v1/Milan/%s=404" % CHIP[:8])
    done = verify(vendor, report, "--kds-url", vendor.url, "--cache-dir",
                  cache, "--output", "json")
    assert done.returncode == 3, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"] == "unknown"


def test_old_list_stands_in_and_is_mentioned(vendor, report, fetch, cache):
    assert fetch("--report", report).returncode == 0
    # An hour passes.
    for path in cache.glob("*.json"):
        bundle = json.loads(path.read_text())
        bundle["items"][0]["fetched_at"] = "2026-01-01T00:00:00Z"
        path.write_text(json.dumps(bundle))
    vendor.fail("/vcek/v1/Milan/crl=404")
    done = verify(vendor, report, "--kds-url", vendor.url, "--cache-dir",
                  cache)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "older copy" in done.stderr


def test_proxy_is_asked_first(vendor, report, fetch):
    done = fetch("--report", report, "--collateral-proxy", vendor.url,
                 "--output", "json", url="http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    assert len(vendor.requests()) == 3
    done = fetch("--report", report, "--collateral-proxy",
                 "http://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    assert len(vendor.requests()) == 3


def test_processes_share_one_request(vendor, report, cache):
    command = [program("assay"), "evidence", "verify", "--tee", "snp",
               "--trust-anchor", vendor.anchor, "--report-data", "2a",
               "--kds-url", vendor.url, "--cache-dir", cache, report]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE) for _ in range(6)]
    for process in runs:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    asked = vendor.requests()
    assert len(asked) == len(set(asked)) == 3, asked


class Odd(http.server.BaseHTTPRequestHandler):
    """What a service under somebody's control may send."""

    def do_GET(self):
        kind = self.server.kind
        self.send_response(200)
        if kind == "oversize":
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            for _ in range(1 << 14):
                self.wfile.write(bytes(1 << 16))
        elif kind == "oversize chunks":
            self.send_header("Connection", "close")
            self.end_headers()
            for _ in range(1 << 14):
                self.wfile.write(bytes(1 << 16))
        elif kind == "slow":
            self.end_headers()
            for _ in range(600):
                self.wfile.write(b"0")
                self.wfile.flush()
                time.sleep(0.1)
        elif kind == "empty":
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *args):
        pass


class OddServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the client hangs up: that is the point


@pytest.mark.parametrize("kind", ["oversize", "oversize chunks", "slow",
                                  "empty"])
def test_odd_answers_end_in_time_and_are_not_kept(report, fetch, cache, kind):
    server = OddServer(("127.0.0.1", 0), Odd)
    server.kind = kind
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        start = time.monotonic()
        done = fetch("--report", report, "--timeout", "1",
                     url="http://127.0.0.1:%d" % server.server_port)
        assert done.returncode == 3, done.stdout
        assert time.monotonic() - start < 20
        assert list(cache.glob("*.json")) == []
    finally:
        server.shutdown()
        server.server_close()


# --- collateral: bundles ------------------------------------------------------


@pytest.fixture
def bundle(vendor, report, cache, tmp_path):
    out = tmp_path / "bundle.json"
    done = run("assay", "collateral", "bundle", "--output-file", out,
               "--report", report, "--kds-url", vendor.url, "--cache-dir",
               cache)
    assert done.returncode == 0, done.stderr
    return out


def test_bundle_verifies_without_a_network(vendor, report, bundle):
    vendor.requests()
    done = verify(vendor, report, "--offline", "--bundle", bundle, "--output",
                  "json")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {c["name"]: c["outcome"] for c in json.loads(done.stdout)["checks"]}
    assert checks["revocation"] == "pass"
    assert vendor.requests() == []


def test_bundle_is_deterministic_and_readable(bundle, report, vendor, cache,
                                              tmp_path):
    content = json.loads(bundle.read_text())
    assert content["format"] == "assay-collateral-bundle"
    for item in content["items"]:
        data = base64.b64decode(item["bytes"])
        assert hashlib.sha256(data).hexdigest() == item["sha256"]
    again = tmp_path / "again.json"
    done = run("assay", "collateral", "bundle", "--output-file", again,
               bundle)
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == bundle.read_bytes()
    cached = tmp_path / "cached.json"
    done = run("assay", "collateral", "bundle", "--output-file", cached,
               "--cached", "--kds-url", vendor.url, "--cache-dir", cache)
    assert done.returncode == 0, done.stderr
    assert cached.read_bytes() == bundle.read_bytes()


def test_bundle_from_files(vendor, tmp_path):
    report, certs = tmp_path / "r.bin", tmp_path / "certs.pem"
    vendor.report(report, *REPORT_ARGS, "--auxblob", "certs+crl", certs=certs)
    out = tmp_path / "b.json"
    done = run("assay", "collateral", "bundle", "--output-file", out, certs)
    assert done.returncode == 0, done.stderr
    done = verify(vendor, report, "--offline", "--bundle", out)
    assert done.returncode == 0, done.stdout + done.stderr


def test_bundle_is_all_or_nothing(vendor, report, cache, tmp_path):
    vendor.fail("/vcek/v1/Milan/crl=404")
    out = tmp_path / "b.json"
    done = run("assay", "collateral", "bundle", "--output-file", out,
               "--report", report, "--kds-url", vendor.url, "--cache-dir",
               cache)
    assert done.returncode == 3
    assert not out.exists()
    done = run("assay", "collateral", "bundle", "--output-file", out,
               "--report", report, "--cache-dir", tmp_path / "none",
               "--offline")
    assert done.returncode == 3
    assert "--offline" in done.stderr
    assert not out.exists()


def test_show_says_what_is_wrong(bundle, tmp_path):
    content = json.loads(bundle.read_text())
    for item in content["items"]:
        if item["kind"] == "vcek-crl":
            data = b"not a list"
            item["bytes"] = base64.b64encode(data).decode()
            item["sha256"] = hashlib.sha256(data).hexdigest()
    bundle.write_text(json.dumps(content))
    done = run("assay", "collateral", "show", "--output", "json", bundle)
    assert done.returncode == 0, done.stderr
    states = {i["kind"]: i["state"] for i in json.loads(done.stdout)["items"]}
    assert states == {"vcek": "valid", "vcek-chain": "valid",
                      "vcek-crl": "broken"}
    done = run("assay", "collateral", "show", bundle)
    assert "broken" in done.stdout
    bundle.write_text(bundle.read_text()[:-9])
    assert run("assay", "collateral", "show", bundle).returncode == 1
    assert run("assay", "collateral", "show",
               tmp_path / "none").returncode == 2


def test_show_cache(report, fetch, cache):
    done = run("assay", "collateral", "show", "cache", "--cache-dir", cache)
    assert done.returncode == 0
    assert "nothing" in done.stderr
    assert fetch("--report", report).returncode == 0
    (cache / "notes.txt").write_text("mine")
    done = run("assay", "collateral", "show", "cache", "--cache-dir", cache)
    assert done.returncode == 0
    assert done.stdout.count("valid") == 3


@pytest.mark.parametrize("args", [
    (), ("--product", "Rome"), ("--chip-id", "00", "--product", "Milan"),
    ("--product", "Milan", "--chip-id", CHIP),
    ("--product", "Milan", "--chip-id", CHIP, "--tcb", "1,2,3"),
    ("--product", "Milan", "--chip-id", CHIP, "--tcb", "1,2,3,256"),
    ("--product", "Milan", "--tcb", "1,2,3,4"),
    ("--product", "Turin", "--chip-id", CHIP, "--tcb", "1,1,2,3,4"),
    ("--report", "/nonexistent"),
])
def test_what_is_not_meant_is_a_usage_error(fetch, args):
    done = fetch(*args)
    assert done.returncode == 2, done.stdout + done.stderr


def test_chip_and_levels_by_hand(vendor, report, fetch):
    done = fetch("--product", "Milan", "--chip-id", CHIP, "--tcb",
                 "4,0,24,219", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert VCEK in {i["path"] for i in json.loads(done.stdout)["items"]}
