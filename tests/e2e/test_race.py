"""Everything at once: pods, owner, verifiers, scrapers, and then the end.

Under `make tsan` the programs are built with the thread sanitizer, whose
finding makes the coordinator's exit code 66."""
import concurrent.futures
import os
import subprocess
import threading
import time

from deployment import WEB_POLICY, Deployment, http_get, tool

SECONDS = float(os.environ.get("ASSAY_RACE_SECONDS", "4"))


def test_calls_of_all_kinds_at_once(tmp_path):
    with Deployment(tmp_path) as d:
        d.make_keys()
        assert d.set(d.manifest()).returncode == 0
        web = d.vm("web", WEB_POLICY)
        end = time.monotonic() + SECONDS
        counts = {"set": 0, "get": 0, "pods": 0, "scrapes": 0}
        lock = threading.Lock()

        def repeat(name, work):
            while time.monotonic() < end:
                done = work()
                with lock:
                    counts[name] += done

        def update():
            done = d.set(d.manifest("-%d" % counts["set"]))
            assert done.returncode == 0, done.stderr
            return 1

        def pods():
            done = subprocess.run(
                [tool("bench-mesh"), "127.0.0.1:%d" % d.mesh, web, "3", "20"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                timeout=120, check=False)
            # A connection that an update overtakes has to be made again.
            for line in done.stderr.splitlines():
                assert "manifest changed" in line, line
            return 20 - int(done.stdout.split()[1])

        def scrape():
            for path in ("/metrics", "/probe/readiness"):
                assert http_get(d.probes, path)[0] == 200
            return 1

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(repeat, "set", update),
                    pool.submit(repeat, "get", lambda: bool(d.history())),
                    pool.submit(repeat, "get", lambda: bool(d.history())),
                    pool.submit(repeat, "pods", pods),
                    pool.submit(repeat, "pods", pods),
                    pool.submit(repeat, "scrapes", scrape)]
            for job in jobs:
                job.result()
        print(counts)
        assert all(counts.values())
        assert len(d.history()) == counts["set"] + 1
        assert end_under_load(d, web) == 0, d.log()[-4000:]


def end_under_load(d, web):
    load = subprocess.Popen(
        [tool("bench-mesh"), "127.0.0.1:%d" % d.mesh, web, "4", "200"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    code = d.stop()
    load.kill()
    load.wait()
    return code
