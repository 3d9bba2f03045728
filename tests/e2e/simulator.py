"""The simulator's programs for tests: start, wait, stop."""
import os
import signal
import subprocess
import time
import urllib.request

from conftest import free_port, program


class Process:
    """A program that runs until it is stopped. Ready once it has said so."""

    def __init__(self, log, *args, ready="ready", wait=60):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                [program("assay-sim"), *map(str, args)], stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + wait
        while ready not in log.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(log.read_text(errors="replace"))
            time.sleep(0.02)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Vendor:
    """AMD, simulated: keys in a directory, its service on the loopback."""

    def __init__(self, directory, product="Milan"):
        self.state = directory / "amd"
        subprocess.run([program("assay-sim"), "init", "--state", self.state,
                        "--product", product], check=True,
                       stderr=subprocess.DEVNULL)
        self.anchor = self.state / ("ark-%s.pem" % product)
        port, admin = free_port(), free_port()
        self.url = "http://127.0.0.1:%d" % port
        self.admin = "http://127.0.0.1:%d" % admin
        self.process = Process(
            directory / "vendor.log", "vendor", "--state", self.state,
            "--listen", "127.0.0.1:%d" % port,
            "--admin", "127.0.0.1:%d" % admin, ready="vendor at")
        self.requests()

    def ask(self, path, method="GET", data=None):
        request = urllib.request.Request(self.admin + path, method=method,
                                         data=data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def fail(self, *rules):
        """The next requests fail: "/vcek/v1/Milan=429:2"."""
        self.ask("/faults", "POST", "\n".join(rules).encode())

    def requests(self):
        """What was asked since the last call: ["200 /vcek/v1/...", ...]."""
        log = self.ask("/requests")
        self.ask("/requests", "DELETE")
        return log.split("\n")[:-1]

    def reset(self):
        self.ask("/faults", "DELETE")
        self.requests()

    def report(self, out, *args, certs=None):
        """One report of a chip, without a guest."""
        more = ["--certs", certs] if certs else []
        subprocess.run([program("assay-sim"), "report", "--state", self.state,
                        "--out", out, *more, *map(str, args)], check=True,
                       stderr=subprocess.DEVNULL)
        return out


def fuse_missing():
    """A sentence when file systems cannot be mounted here, else None."""
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse on this machine"
    if os.geteuid() != 0 and not os.access("/dev/fuse", os.W_OK):
        return "/dev/fuse is not ours to use"
    return None
