"""What the tests that run programs share.

ASSAY_BUILD    build directory whose programs are tested; default: build/
ASSAY_VECTORS  genuine evidence, kept outside the project; where the folder is
               absent, the tests that need it are skipped and counted
"""
import os
import pathlib
import socket
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("ASSAY_BUILD", ROOT / "build")).resolve()
VECTORS = pathlib.Path(
    os.environ.get("ASSAY_VECTORS", ROOT / ".." / "shared" / "vectors"))


def program(name, build=BUILD):
    """Path of a built program: "assay", "assay-sim", ..."""
    found = sorted(build.glob("cmd/*/" + name))
    if not found:
        pytest.fail("%s is not built in %s" % (name, build))
    return str(found[0])


def run(name, *args, **kwargs):
    """Runs a program to its end; text output, no stdin, never raises for an
    exit code."""
    kwargs.setdefault("timeout", 120)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([program(name), *map(str, args)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, **kwargs)
    # 99 is a sanitizer's finding (scripts/check.sh), negative a signal.
    assert 0 <= done.returncode < 99, done.stderr
    return done


def free_port():
    """A TCP port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def assay():
    """Runs the command line: assay("evidence", "show", path)."""
    return lambda *args, **kwargs: run("assay", *args, **kwargs)


@pytest.fixture(scope="session")
def vectors():
    """The folder of genuine SNP evidence, or a skipped test."""
    folder = VECTORS / "snp"
    if not folder.is_dir():
        pytest.skip("no vectors at %s (set ASSAY_VECTORS)" % folder)
    return folder


@pytest.fixture(scope="session")
def sim_state(tmp_path_factory):
    """State of a simulated vendor, keys of all products made once. Tests that
    revoke something work on a copy."""
    state = tmp_path_factory.mktemp("vendor") / "state"
    done = run("assay-sim", "init", "--state", state)
    assert done.returncode == 0, done.stderr
    return state


@pytest.fixture(scope="session")
def shared_deployment(tmp_path_factory):
    """A vendor, the owner's keys and a coordinator, made once; see fresh."""
    from deployment import Deployment  # it imports us
    with Deployment(tmp_path_factory.mktemp("deployment")) as d:
        d.make_keys()
        yield d


@pytest.fixture
def fresh(shared_deployment):
    """That deployment, with a coordinator that has no manifest yet."""
    shared_deployment.afresh()
    return shared_deployment
