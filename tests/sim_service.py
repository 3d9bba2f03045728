"""Runs the simulator's services for the length of a test."""
import contextlib
import subprocess

from conftest import program


@contextlib.contextmanager
def service(ready, *args):
    """assay-sim ARGS until the block ends; waits for as many lines as there
    are words in ready, each holding its word, and yields the lines."""
    process = subprocess.Popen([program("assay-sim"), *map(str, args)],
                               text=True, stdout=subprocess.PIPE)
    try:
        lines = []
        for word in ready:
            line = process.stdout.readline()
            assert word in line and "ready" in line, line
            lines.append(line)
        yield lines
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(timeout=20) == 0


def port_of(line):
    return int(line.split("port ")[1].split()[0])
