"""Intel's certification service, played with a genuine platform's collateral:
fetched, cached, bundled, and what a verdict says of it."""
import http.server
import json
import os
import pathlib
import subprocess
import threading
import urllib.parse

import pytest

from conftest import ROOT, program

CASE = "v4-gcp-2026-eval19-uptodate"
FOLDER = pathlib.Path(os.environ.get(
    "ASSAY_VECTORS", ROOT.parent / "shared" / "vectors")) / "tdx" / "cases" / CASE
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(),
                                reason="no vectors at %s" % FOLDER)


class Service(http.server.BaseHTTPRequestHandler):
    """The paths of PCS API v4 and of a PCCS."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        path = urllib.parse.urlparse(self.path)
        query = urllib.parse.parse_qs(path.query)
        kind = {"/tdx/certification/v4/tcb": "tcb",
                "/tdx/certification/v4/qe/identity": "qe",
                "/sgx/certification/v4/pckcrl": "crl",
                "/sgx/certification/v4/rootcacrl": "root"}.get(path.path)
        if kind in server.broken:
            self.send_error(503)
            return
        if kind == "tcb" and query["fmspc"] != [server.fmspc]:
            self.send_error(404)
            return
        body, header, chain = {
            "tcb": ("tcb_info.json", "TCB-Info-Issuer-Chain",
                    "tcb_info_issuer_chain.pem"),
            "qe": ("qe_identity.json", "SGX-Enclave-Identity-Issuer-Chain",
                   "qe_identity_issuer_chain.pem"),
            "crl": ("pck.crl", "SGX-PCK-CRL-Issuer-Chain",
                    "pck_crl_issuer_chain.pem"),
            "root": ("root_ca.crl", None, None),
        }[kind]
        data = (FOLDER / body).read_bytes()
        if kind == "root":
            data = data.hex().encode()  # as PCCS does
        self.send_response(200)
        if header:
            text = (FOLDER / chain).read_text()
            self.send_header(header, urllib.parse.quote(text))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.asked, server.broken = [], set()
    expected = json.loads((FOLDER / "expected.json").read_text())
    server.fmspc, server.at = expected["fmspc"], expected["at"]
    server.url = "http://127.0.0.1:%d" % server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def assay(*args):
    return subprocess.run([program("assay"), *map(str, args)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False)


def verify(service, cache, *more):
    return assay("evidence", "verify", "--tee", "tdx", "--at", service.at,
                 "--pcs-url", service.url, "--cache-dir", cache, "--output",
                 "json", "--timeout", "2", *more, FOLDER / "quote.bin")


def expect_everything():
    """What a relying party states so that only the quote's origin counts."""
    expected = json.loads((FOLDER / "expected.json").read_text())
    args = ["--measurement", expected["mrtd"], "--report-data",
            expected["report_data"]]
    for i, value in enumerate(expected["rtmr"]):
        args += ["--rtmr", "%d=%s" % (i, value)]
    return args


def test_fetched_collateral_gives_the_verdict_and_is_cached(service, tmp_path):
    done = verify(service, tmp_path / "c", *expect_everything())
    got = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert got["verdict"] == "accepted" and not got["insecure"]
    assert got["tcb"]["status"] == "UpToDate"
    assert len(service.asked) == 4


@pytest.mark.parametrize("missing", ["tcb", "qe", "crl", "root"])
def test_without_one_piece_the_verdict_is_unknown(service, tmp_path, missing):
    service.broken.add(missing)
    done = verify(service, tmp_path / "c", *expect_everything())
    assert done.returncode == 3, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"] == "unknown"


def test_a_bundle_stands_in_for_the_service(service, tmp_path):
    bundle = tmp_path / "bundle.json"
    done = assay("collateral", "bundle", "--report", FOLDER / "quote.bin",
                 "--pcs-url", service.url, "--cache-dir", tmp_path / "c",
                 "--timeout", "2", "--output-file", bundle)
    assert done.returncode == 0, done.stderr
    kinds = {item["kind"] for item in json.loads(bundle.read_text())["items"]}
    assert kinds == {"tdx-tcb-info", "tdx-qe-identity", "pck-crl",
                     "sgx-root-crl"}
    service.broken |= {"tcb", "qe", "crl", "root"}
    done = verify(service, tmp_path / "d", "--offline", "--bundle", bundle,
                  *expect_everything())
    assert done.returncode == 0, done.stdout + done.stderr
    shown = assay("collateral", "show", bundle)
    assert shown.returncode == 0, shown.stderr
    assert "pck-crl" in shown.stdout and "Intel" in shown.stdout


def test_answers_for_another_platform_are_not_taken(service, tmp_path):
    service.fmspc = "b0c06f000000"  # so that the quote's own is unknown: 404
    done = verify(service, tmp_path / "c", *expect_everything())
    assert done.returncode == 3, done.stdout + done.stderr
