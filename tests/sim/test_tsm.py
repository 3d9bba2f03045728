"""The simulated /sys/kernel/config/tsm/report through a real file system, and
the unix socket that stands in for it."""
import concurrent.futures
import errno
import os
import pathlib
import signal
import socket
import struct
import subprocess

import pytest

from conftest import program, run
from sim_service import service


@pytest.fixture
def mount(tmp_path, sim_state):
    """A factory of mounted report directories."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no /dev/fuse here: FUSE front end NOT tested")
    folder = tmp_path / "report"
    folder.mkdir()

    def start(*options):
        return service(["sev_guest"], "vm", "--state", sim_state, "--mount",
                       folder, *options), folder
    return start


def refused(number):
    """Expects OSError with this errno."""
    class Check:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            assert isinstance(error, OSError), "got no error, want %s" % \
                errno.errorcode[number]
            assert error.errno == number, error
            return True
    return Check()


def test_a_report_is_had_by_the_kernels_protocol(mount):
    running, root = mount("--host-data", "ab" * 32, "--auxblob", "certs+crl")
    with running:
        entry = root / "mine"
        entry.mkdir()
        assert (entry / "provider").read_text() == "sev_guest\n"
        before = int((entry / "generation").read_text())
        (entry / "privlevel").write_text("1")
        (entry / "inblob").write_bytes(bytes(range(64)))
        table = (entry / "auxblob").read_bytes()
        report = (entry / "outblob").read_bytes()
        assert int((entry / "generation").read_text()) == before + 2
        entry.rmdir()
        assert len(report) == 1184
        assert report[0x50:0x90] == bytes(range(64))
        assert report[0xc0:0xe0] == b"\xab" * 32
        assert struct.unpack_from("<I", report, 0x30) == (1,)
        assert table[:16].hex() == "63da758de6644564adc5f4b93be8accd"
        assert table[72:88].hex() == "92f81bc358114d3d97ffd19f88dc67ea"


def test_attributes_have_the_kernels_modes(mount):
    running, root = mount()
    with running:
        entry = root / "e"
        entry.mkdir()
        modes = {p.name: p.stat().st_mode & 0o777 for p in entry.iterdir()}
        assert modes == {"inblob": 0o200, "privlevel": 0o200,
                         "outblob": 0o444, "auxblob": 0o444,
                         "generation": 0o444, "provider": 0o444,
                         "privlevel_floor": 0o444}
        assert [p.name for p in root.iterdir()] == ["e"]


def test_what_configfs_refuses_is_refused(mount):
    running, root = mount("--vmpl-floor", "1")
    with running:
        entry = root / "e"
        entry.mkdir()
        with refused(errno.EEXIST):
            entry.mkdir()
        with refused(errno.EPERM):
            (entry / "sub").mkdir()
        with refused(errno.EACCES):
            (entry / "new").touch()
        with refused(errno.EPERM):
            (entry / "inblob").unlink()
        with refused(errno.EPERM):
            entry.rename(root / "f")
        with refused(errno.EACCES):
            (entry / "inblob").read_bytes()
        with refused(errno.EACCES):
            (entry / "outblob").write_bytes(b"x")
        with refused(errno.EINVAL):
            (entry / "outblob").read_bytes()
        with refused(errno.EFBIG):
            (entry / "inblob").write_bytes(bytes(65))
        for level in "0", "4", "x":
            with refused(errno.EINVAL):
                (entry / "privlevel").write_text(level)
        assert (entry / "generation").read_text() == "0\n"


def test_an_inblob_of_another_size_is_accepted_and_useless(mount):
    running, root = mount()
    with running:
        entry = root / "e"
        entry.mkdir()
        (entry / "inblob").write_bytes(bytes(63))
        assert (entry / "generation").read_text() == "1\n"
        with refused(errno.EINVAL):
            (entry / "outblob").read_bytes()
        (entry / "inblob").write_bytes(bytes(64))
        assert len((entry / "outblob").read_bytes()) == 1184


def test_below_the_floor_there_is_no_report(mount):
    running, root = mount("--vmpl-floor", "2")
    with running:
        entry = root / "e"
        entry.mkdir()
        (entry / "inblob").write_bytes(bytes(64))
        with refused(errno.EINVAL):  # privlevel is still 0
            (entry / "outblob").read_bytes()
        (entry / "privlevel").write_text("2\n")
        assert (entry / "outblob").read_bytes()[0x30] == 2


def test_the_close_is_what_counts(mount):
    running, root = mount()
    with running:
        entry = root / "e"
        entry.mkdir()
        with open(entry / "inblob", "wb", buffering=0) as inblob:
            inblob.write(bytes(32))
            inblob.write(bytes(32))
            assert (entry / "generation").read_text() == "0\n"
        for _ in range(200):  # and it has counted when close returns
            before = int((entry / "generation").read_text())
            (entry / "inblob").write_bytes(bytes(64))
            assert int((entry / "generation").read_text()) == before + 1


def test_a_report_changes_only_with_its_request(mount):
    running, root = mount()
    with running:
        entry = root / "e"
        entry.mkdir()
        (entry / "inblob").write_bytes(bytes(64))
        first = (entry / "outblob").read_bytes()
        assert (entry / "outblob").read_bytes() == first
        (entry / "inblob").write_bytes(bytes(64))
        second = (entry / "outblob").read_bytes()
        assert second[:0x2a0] == first[:0x2a0]
        assert second[0x2a0:] != first[0x2a0:]  # ECDSA takes a fresh number


def test_many_guests_processes_at_once(mount):
    running, root = mount()

    def one(i):
        entry = root / ("w%d" % i)
        for k in range(5):
            nonce = struct.pack("<QQ", i, k).ljust(64, b"\1")
            entry.mkdir()
            (entry / "inblob").write_bytes(nonce)
            report = (entry / "outblob").read_bytes()
            entry.rmdir()
            if report[0x50:0x90] != nonce:
                return "report of another"
        return "ok"

    with running, concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(16))) == {"ok"}
        assert list(root.iterdir()) == []


def test_a_dead_mount_is_replaced(mount, sim_state):
    if os.getuid() != 0:
        pytest.skip("only root can take a dead mount away")
    running, root = mount()
    dead = subprocess.Popen(
        [program("assay-sim"), "vm", "--state", str(sim_state), "--mount",
         str(root)], stdout=subprocess.PIPE)
    dead.stdout.readline()
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    dead.stdout.close()
    with refused(errno.ENOTCONN):
        os.stat(root)
    with running:
        (root / "e").mkdir()


# --- the socket ---

def ask(path, magic=0x314d5354, vmpl=0, nonce=bytes(64)):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(path))
        s.sendall(struct.pack("<II", magic, vmpl) + nonce)
        answer = b""
        while part := s.recv(65536):
            answer += part
    return answer


def parse(answer):
    status, out, aux, name = struct.unpack_from("<IIII", answer)
    assert len(answer) == 16 + out + aux + name
    return (status, answer[16:16 + out], answer[16 + out:16 + out + aux],
            answer[16 + out + aux:])


def test_the_socket_gives_the_same(tmp_path, sim_state):
    path = tmp_path / "tsm"
    with service(["sev_guest"], "vm", "--state", sim_state, "--socket", path):
        status, report, table, provider = parse(ask(path, 0x314d5354, 3,
                                                    b"\7" * 64))
        assert (status, provider) == (0, b"sev_guest")
        assert len(report) == 1184 and report[0x50:0x90] == b"\7" * 64
        assert report[0x30] == 3
        assert table[:16].hex() == "63da758de6644564adc5f4b93be8accd"
        assert parse(ask(path, vmpl=4))[0] == errno.EINVAL
        assert ask(path, magic=0) == b""
    assert not path.exists()


def test_half_a_request_disturbs_nobody(tmp_path, sim_state):
    path = tmp_path / "tsm"
    with service(["sev_guest"], "vm", "--state", sim_state, "--socket", path):
        stuck = socket.socket(socket.AF_UNIX)
        stuck.connect(str(path))
        stuck.sendall(b"TSM1")
        assert parse(ask(path))[0] == 0
        stuck.close()


def test_a_file_in_the_sockets_place_stays(tmp_path, sim_state):
    path = tmp_path / "precious"
    path.write_text("keep me")
    done = run("assay-sim", "vm", "--state", sim_state, "--socket", path)
    assert done.returncode == 3 and str(path) in done.stderr
    assert pathlib.Path(path).read_text() == "keep me"
