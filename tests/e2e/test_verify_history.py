"""assay verify: what it says of a history, and that it is all true."""
import json
import subprocess

import pytest

from conftest import program
from deployment import Deployment


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """Three generations: the first, one spelled otherwise, one that differs."""
    with Deployment(tmp_path_factory.mktemp("history")) as d:
        d.make_keys()
        first = d.manifest()
        for manifest in (first, first + b"\n", d.manifest(note="2")):
            done = d.set(manifest)
            assert done.returncode == 0, done.stderr
        yield d


def verify(d, *more):
    return subprocess.run(
        [program("assay"), "verify", "-m", str(d.dir / "manifest.json"), "-c",
         "127.0.0.1:%d" % d.user, "--workspace-dir", str(d.dir),
         *map(str, d.trust_args()), *more],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def test_json_names_what_changed_in_each_generation(deployment):
    done = verify(deployment, "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    history = json.loads(done.stdout)["history"]
    assert [step["generation"] for step in history] == [1, 2, 3]
    assert [step["manifest"] for step in history] == deployment.history()
    assert history[0]["changes"] is None
    assert history[1]["changes"] == []
    assert [(c["kind"], c["subject"], c["field"], c["old"], c["new"])
            for c in history[2]["changes"]] == [
                ("changed", "policy", "SANs", "web *", "web2 *")]


def test_table_sums_up_and_explain_lists(deployment):
    done = verify(deployment)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout[done.stdout.index("what changed"):].splitlines()
    assert table[1].endswith("the first manifest")
    assert table[2].endswith("spelling, not meaning")
    assert table[3].endswith("1 policy changed")
    assert "web2" not in done.stdout
    assert "web2" in verify(deployment, "--explain").stdout
