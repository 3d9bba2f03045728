"""A coordinator with a simulated vendor and processor, for the tests here."""
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from conftest import BUILD, free_port, program

PRODUCT = "Milan"
MEASUREMENT = "11" * 48
POLICY = b'version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n'
WEB_POLICY = POLICY + b'web = "yes"\n'


def tool(name):
    return str(BUILD / "tests" / "tools" / name)


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited %d s in vain for %s" % (seconds, what))


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Deployment:
    """Everything in one folder. Use as a context manager."""

    def __init__(self, folder, coordinator_build=BUILD, **options):
        self.coordinator_build = coordinator_build
        self.kds_of_coordinator = None  # a port; None: the vendor's own
        self.manifest_file = "manifest.json"
        self.dir = pathlib.Path(folder)
        self.state = self.dir / "state"
        self.options = options  # more arguments of the coordinator
        self.processes = []
        self.coordinator = None
        self.user = free_port()
        self.mesh = free_port()
        self.probes = free_port()
        self.kds = free_port()

    def __enter__(self):
        try:
            self._start_simulator()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def spawn(self, name, *args, **kwargs):
        log = open(self.dir / (name + ".log"), "ab")
        build = self.coordinator_build if "coordinator" in name else BUILD
        process = subprocess.Popen([program(name, build), *map(str, args)],
                                   stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, **kwargs)
        log.close()
        self.processes.append(process)
        return process

    def vm(self, name, policy=POLICY, *more):
        """Starts a guest; returns the socket its processor listens on."""
        path = self.dir / (name + ".sock")
        self.spawn("assay-sim", "vm", "--state", self.dir / "amd",
                   "--product", PRODUCT, "--socket", path, "--chip", name,
                   "--measurement", MEASUREMENT, "--host-data",
                   hashlib.sha256(policy).hexdigest(), *more)
        wait_for(path.exists, "the processor of " + name)
        return path

    def guest(self, name, policy):
        """The same, for tests that share the deployment: started once."""
        path = self.dir / (name + ".sock")
        return path if path.exists() else self.vm(name, policy)

    def _start_simulator(self):
        self.spawn("assay-sim", "vendor", "--state", self.dir / "amd",
                   "--product", PRODUCT, "--listen",
                   "127.0.0.1:%d" % self.kds)
        wait_for(lambda: listens(self.kds), "the vendor", 60)
        self.anchor = self.dir / "amd" / ("ark-%s.pem" % PRODUCT)
        self.tsm = self.vm("coordinator")

    def trust_args(self, kds=None):
        return ["--kds-url", "http://127.0.0.1:%d" % (kds or self.kds),
                "--trust-anchor", self.anchor,
                "--cache-dir", self.dir / "cache"]

    def start(self, preexec_fn=None, expect_up=True, env=None):
        self.coordinator = self.spawn(
            "assay-coordinator", "--state", self.state,
            "--listen-user", "127.0.0.1:%d" % self.user,
            "--listen-mesh", "127.0.0.1:%d" % self.mesh,
            "--listen-metrics", "127.0.0.1:%d" % self.probes,
            "--tsm", self.tsm, "--metrics",
            *self.trust_args(self.kds_of_coordinator),
            *self.options.get("args", []), preexec_fn=preexec_fn, env=env)
        if expect_up:
            wait_for(lambda: listens(self.probes), "the coordinator")

    @staticmethod
    def spare_ports():
        return free_port(), free_port(), free_port()

    def stop(self, how=signal.SIGTERM):
        self.coordinator.send_signal(how)
        return self.coordinator.wait(30)

    def afresh(self):
        """Another coordinator, which has never seen a manifest."""
        self.stop()
        self.state = self.dir / ("state%d" % len(self.processes))
        self.start()

    def log(self):
        return (self.dir / "assay-coordinator.log").read_text()

    # -- the owner --

    def owner(self, verb, *args):
        return subprocess.run([tool("owner"), verb, *map(str, args)],
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, check=False)

    def make_keys(self):
        lines = self.owner("keys", self.dir).stdout.split()
        self.owner_key, self.share_key = lines
        (self.dir / "policy.toml").write_bytes(POLICY)
        (self.dir / "web.toml").write_bytes(WEB_POLICY)

    def manifest(self, note="", **changes):
        """Bytes of a manifest; note makes it differ from others."""
        reference = {
            "ProductName": PRODUCT, "TrustedMeasurement": MEASUREMENT,
            "MinimumTCB": {"BootloaderVersion": 0, "TEEVersion": 0,
                           "SNPVersion": 0, "MicrocodeVersion": 0},
            "GuestPolicy": {"ABIMajor": 0, "ABIMinor": 0, "SMT": True},
            "PlatformInfo": {"SMTEnabled": True, "TSMEEnabled": True,
                             "ECCEnabled": False, "RAPLDisabled": False,
                             "CiphertextHidingDRAMEnabled": False,
                             "AliasCheckComplete": False},
            "AllowMilanWithoutChipIDs": True,
        }
        reference.update(changes.pop("reference", {}))
        manifest = {
            "Policies": {
                hashlib.sha256(POLICY).hexdigest():
                    {"SANs": ["coordinator", "*"], "Role": "coordinator"},
                hashlib.sha256(WEB_POLICY).hexdigest():
                    {"SANs": ["web" + note, "*"],
                     "WorkloadSecretID": "apps/v1/Deployment/default/web"},
            },
            "ReferenceValues": {"snp": [reference]},
            "WorkloadOwnerPubKeys": [self.owner_key],
            "SeedshareOwnerPubKeys": [self.share_key],
        }
        manifest.update(changes)
        return json.dumps(manifest, indent=2).encode() + b"\n"

    def set(self, manifest):
        path = self.dir / self.manifest_file
        path.write_bytes(manifest)
        return self.owner("set", "127.0.0.1:%d" % self.user, self.dir, path,
                          self.dir / "policy.toml", self.dir / "web.toml")

    def recover(self):
        return self.owner("recover", "127.0.0.1:%d" % self.user, self.dir)

    def history(self):
        """SHA-256 of each manifest, oldest first."""
        done = self.owner("get", "127.0.0.1:%d" % self.user)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    # -- a pod --

    def pod(self, name, tsm, *more):
        folder = self.dir / name
        return subprocess.run(
            [program("assay-initializer"), "-c", "127.0.0.1:%d" % self.mesh,
             "--dir", str(folder), "--done-file", "", "--tsm", str(tsm),
             "--attempts", "1", *map(str, self.trust_args()), *more],
            stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=60, check=False)


def http_get(port, path):
    """Status and body of a plain HTTP request."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                  % path.encode())
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    head, body = data.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), body.decode()
