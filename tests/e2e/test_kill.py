"""kill -9 at random points of 200 SetManifest calls (CI sections 11 and 12).

Whatever was acknowledged must be in the history afterwards, in order, and
there must be one history. Between kills the seedshare owner recovers, so the
same history goes on."""
import hashlib
import os
import pathlib
import random
import shutil
import signal
import threading
import time

import pytest

from conftest import BUILD
from deployment import Deployment, http_get, listens, tool

UPDATES = int(os.environ.get("ASSAY_KILL_UPDATES", "200"))


def kill_after(coordinator, seconds):
    def kill():
        time.sleep(seconds)
        coordinator.kill()
    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def check_history(got, sent, acknowledged):
    """got is a subsequence of what was sent, and holds all that was
    acknowledged. A call that was cut off may have succeeded or not."""
    order = [sent.index(h) for h in got]
    assert order == sorted(set(order)), "the history repeats or reorders"
    missing = [h for h in acknowledged if h not in got]
    assert not missing, "lost %d acknowledged updates" % len(missing)


def test_no_acknowledged_update_is_lost(tmp_path):
    seed = random.randrange(1 << 32)
    print("random seed", seed)
    rng = random.Random(seed)
    sent, acknowledged, kills, in_flight = [], [], 0, 0
    with Deployment(tmp_path) as d:
        d.make_keys()
        first = d.manifest("-first")
        assert d.set(first).returncode == 0
        sent.append(hashlib.sha256(first).hexdigest())
        acknowledged.append(sent[0])
        killer = kill_after(d.coordinator, rng.uniform(0, 0.15))
        while len(sent) <= UPDATES:
            manifest = d.manifest("-%d" % len(sent))
            sent.append(hashlib.sha256(manifest).hexdigest())
            if d.set(manifest).returncode == 0:
                acknowledged.append(sent[-1])
                continue
            killer.join()
            d.coordinator.wait()
            d.start()
            done = d.recover()
            assert done.returncode == 0, done.stderr
            got = d.history()
            check_history(got, sent, acknowledged)
            in_flight += sent[-1] in got
            kills += 1
            killer = kill_after(d.coordinator, rng.uniform(0, 0.15))
        killer.join()
        d.coordinator.wait()
        d.start()
        assert d.recover().returncode == 0
        check_history(d.history(), sent, acknowledged)
        assert not list((d.state / ".aside").iterdir())
    print("%d updates, %d acknowledged, %d kills, %d of them after the update "
          "was durable" % (len(sent), len(acknowledged), kills, in_flight))
    assert kills >= UPDATES // 20


# -- at each change of the disk in turn ---------------------------------------

# A preloaded library and a sanitizer's do not mix.
RELEASE = pathlib.Path(os.environ.get("ASSAY_RELEASE_BUILD", BUILD)).resolve()
POINTS_MAX = 200


@pytest.fixture
def deployment(tmp_path):
    crash = pathlib.Path(tool("libcrash-at.so"))
    if b"__asan_init" in (
            RELEASE / "cmd/coordinator/assay-coordinator").read_bytes():
        pytest.skip("no release build to preload into")
    with Deployment(tmp_path, coordinator_build=RELEASE) as d:
        d.make_keys()
        d.preload = {**os.environ, "LD_PRELOAD": str(crash)}
        assert d.set(d.manifest()).returncode == 0  # warms the cache
        d.coordinator.kill()
        d.coordinator.wait()
        yield d


def start_and_set(d, point, manifest, recover=False):
    """True when the coordinator was killed on the way."""
    d.start(env={**d.preload, "ASSAY_CRASH_AT": str(point)}, expect_up=False)
    while d.coordinator.poll() is None and not listens(d.probes):
        time.sleep(0.01)
    acknowledged = False
    if d.coordinator.poll() is None:
        assert not recover or d.recover().returncode == 0
        done = d.set(manifest)
        acknowledged = done.returncode == 0
        if not acknowledged:  # then only because it dies, which takes a moment
            assert d.coordinator.wait(20) == -signal.SIGKILL, done.stderr
    dead = d.coordinator.poll() is not None
    d.coordinator.kill()
    d.coordinator.wait()
    return dead, acknowledged


def test_a_first_set_cut_short_leaves_all_or_nothing(deployment):
    d = deployment
    seen = {"empty": 0, "needs_recovery": 0}
    for point in range(1, POINTS_MAX):
        shutil.rmtree(d.state)
        manifest = d.manifest("-%d" % point)
        dead, acknowledged = start_and_set(d, point, manifest)
        if not dead:
            break
        d.start()
        state = http_get(d.probes, "/probe/readiness")[1]
        seen[state] += 1
        if state == "empty":
            assert not acknowledged
            again = d.manifest("-%d-again" % point)
            done = d.set(again)
            assert done.returncode == 0, done.stderr
            assert d.history() == [hashlib.sha256(again).hexdigest()]
        elif acknowledged:
            assert d.recover().returncode == 0
        assert d.stop() == 0
    print("killed at %d points: %s" % (point - 1, seen))
    assert not dead and seen["empty"] > 10 and seen["needs_recovery"] > 0
    # A head that is lost later is no first set cut short.
    (d.state / "transitions" / "latest").unlink()
    d.start(expect_up=False)
    assert d.coordinator.wait(20) == 3
    assert "holds transitions but no" in d.log().splitlines()[-1]


def test_an_update_cut_short_leaves_the_old_or_the_new(deployment):
    d = deployment
    d.start()
    assert d.recover().returncode == 0
    history = d.history()
    assert d.stop() == 0
    old = new = 0
    for point in range(1, POINTS_MAX):
        manifest = d.manifest("-%d" % point)
        longer = history + [hashlib.sha256(manifest).hexdigest()]
        dead, acknowledged = start_and_set(d, point, manifest, recover=True)
        d.start()
        assert d.recover().returncode == 0
        got = d.history()
        assert got == longer or (got == history and not acknowledged)
        old, new = old + (got == history), new + (got == longer)
        history = got
        assert d.stop() == 0
        if not dead:
            break
    print("killed at %d points: %d old, %d new" % (point - 1, old, new))
    assert not dead and old > 10 and new > 1
