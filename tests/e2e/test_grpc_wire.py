"""Our gRPC server against other people's clients, and against bytes that no
client sends; after each of them it still answers."""
import shutil
import signal
import socket
import subprocess
import time

import pytest

import h2frames as h2
from conftest import BUILD

grpc = pytest.importorskip("grpc")


@pytest.fixture
def server():
    tool = str(BUILD / "tests" / "tools" / "echo-server")
    with subprocess.Popen([tool], stdout=subprocess.PIPE, text=True) as proc:
        try:
            target = proc.stdout.readline().strip()
            assert echo(target, b"before") == b"before"
            yield target
            assert echo(target, b"after") == b"after"
        finally:
            proc.send_signal(signal.SIGTERM)
            assert proc.wait(20) == 0


def echo(target, body, path="/test.T/Echo", **options):
    with grpc.insecure_channel(target) as channel:
        return channel.unary_unary(path)(body, timeout=20, **options)


def code_of(target, *args, **options):
    with pytest.raises(grpc.RpcError) as caught:
        echo(target, *args, **options)
    return caught.value.code(), caught.value.details()


def raw(target, data, seconds=10):
    """Sends bytes; what came back until the server hung up, and when."""
    host, port = target.split(":")
    begun, got = time.monotonic(), b""
    with socket.create_connection((host, int(port)), timeout=seconds) as sock:
        try:
            sock.sendall(data)
            while chunk := sock.recv(65536):
                got += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return got, time.monotonic() - begun


def test_python_client(server):
    assert echo(server, b"") == b""
    assert echo(server, b"x" * 60000) == b"x" * 60000
    assert code_of(server, b"", "/test.T/Fail") == (
        grpc.StatusCode.FAILED_PRECONDITION, "100% no\n")
    assert code_of(server, b"", "/no.Such/Method")[0] == \
        grpc.StatusCode.UNIMPLEMENTED
    assert code_of(server, b"x" * 70000)[0] == \
        grpc.StatusCode.RESOURCE_EXHAUSTED
    assert code_of(server, b"x" * 5000,
                   compression=grpc.Compression.Gzip)[0] == \
        grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize("headers, status", [
    (["content-type: application/grpc", "te: trailers"], "200"),
    (["content-type: application/json", "te: trailers"], "415"),
    (["content-type: application/grpc"], "400"),
])
def test_curl(server, headers, status):
    # Without a body where we refuse at the headers: curl 7.88 loses an answer
    # that is followed by a reset with NO_ERROR (RFC 9113 section 8.1).
    body = ["--data-binary", "@-"] if status == "200" else ["-X", "POST"]
    options = [o for h in headers for o in ("-H", h)]
    done = subprocess.run(
        ["curl", "-s", "-m", "20", "--http2-prior-knowledge", *options,
         "-w", "%{http_code}", "-o", "/dev/null", *body,
         "http://%s/test.T/Echo" % server],
        input=h2.message(b"hi"), stdout=subprocess.PIPE, check=False)
    assert done.stdout.decode() == status


@pytest.mark.parametrize("data", [
    b"",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    h2.PREFACE[:10],
    h2.hello() + h2.frame(h2.HEADERS, 0, 1, h2.request_block("/test.T/Echo")),
    h2.hello() + h2.frame(h2.PING, 0, 0, b"\0" * 8) * 5000,
    h2.hello() + h2.frame(h2.SETTINGS) * 5000,
    h2.hello() + b"".join(
        h2.headers(i, "/test.T/Echo") +
        h2.frame(h2.RST_STREAM, 0, i, b"\0\0\0\x08")
        for i in range(1, 4001, 2)),
    h2.hello() + h2.frame(
        h2.HEADERS, 0, 1, h2.request_block("/test.T/Echo")) +
    h2.frame(h2.CONTINUATION, 0, 1) * 5000,
    h2.hello() + b"\xff" * 100,
], ids=["silence", "http1", "half-preface", "half-headers", "pings",
        "settings", "rapid-reset", "continuations", "garbage"])
def test_hostile_connections_are_ended(server, data):
    _, seconds = raw(server, data)
    assert seconds < 8


def test_hundred_half_open_connections(server):
    host, port = server.split(":")
    socks = [socket.create_connection((host, int(port)))
             for _ in range(100)]
    assert echo(server, b"meanwhile") == b"meanwhile"
    for sock in socks:
        sock.close()
