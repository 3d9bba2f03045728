"""kill -9 at random points of 200 SetManifest calls (CI sections 11 and 12).

Whatever was acknowledged must be in the history afterwards, in order, and
there must be one history. Between kills the seedshare owner recovers, so the
same history goes on."""
import hashlib
import os
import random
import threading
import time

from deployment import Deployment

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
