"""curl at the coordinator's plain HTTP port."""
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="no curl")


def curl(d, path, *options):
    """(status, content type, body)"""
    done = subprocess.run(
        ["curl", "-s", "-m", "20", "-w", "\n%{http_code} %{content_type}",
         *options, "http://127.0.0.1:%d%s" % (d.probes, path)],
        text=True, stdout=subprocess.PIPE, check=True)
    body, last = done.stdout.rsplit("\n", 1)
    status, kind = last.split(" ", 1)
    return int(status), kind, body


def test_probes_follow_the_state(fresh):
    plain = "text/plain; charset=utf-8"
    for probe in ("startup", "liveness"):
        assert curl(fresh, "/probe/" + probe) == (200, plain, "ok\n")
    assert curl(fresh, "/probe/readiness") == (503, plain, "empty")
    done = fresh.set(fresh.manifest())
    assert done.returncode == 0, done.stderr
    assert curl(fresh, "/probe/readiness") == (200, plain, "active")
    assert fresh.stop() == 0
    fresh.start()
    assert curl(fresh, "/probe/readiness") == (503, plain, "needs_recovery")
    assert curl(fresh, "/probe/liveness")[0] == 200


def test_other_requests_are_told_so(fresh):
    assert curl(fresh, "/nothing")[0] == 404
    assert curl(fresh, "/probe/startup", "-X", "POST", "-d", "x")[0] == 405
    status, _, body = curl(fresh, "/probe/startup", "--head")
    assert status == 200 and not body.strip().endswith("ok")
    assert curl(fresh, "/probe/startup", "--http1.0")[0] == 200
    assert curl(fresh, "/probe/startup", "-H", "x: " + "y" * 100000)[0] in (
        400, 431)


SAMPLE = re.compile(r'[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? '
                    r'[0-9.e+-]+(Inf)?')


def test_metrics_are_prometheus_text(fresh):
    status, kind, body = curl(fresh, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "contrast_coordinator_manifest_generation 0\n" in body
    done = fresh.set(fresh.manifest())
    assert done.returncode == 0, done.stderr
    body = curl(fresh, "/metrics")[2]
    assert "contrast_coordinator_manifest_generation 1\n" in body
    assert "contrast_meshapi_attestation_failures_total 0\n" in body
    typed = set(re.findall(r"^# TYPE ([a-z_]+) (?:counter|gauge|histogram)$",
                           body, re.M))
    samples = [line for line in body.splitlines() if line[:1] not in ("#", "")]
    assert len(samples) > 20
    for line in samples:
        assert SAMPLE.fullmatch(line), line
        name = re.match("[a-z_]+", line).group()
        assert name in typed or re.sub("_(bucket|sum|count)$", "",
                                       name) in typed, line
