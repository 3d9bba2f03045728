"""The simulated key distribution service, and its failures on request."""
import http.client
import re
import shutil
import socket
import subprocess
import time

import pytest

from conftest import run
from sim_service import port_of, service

LEVELS = "blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"


def get(port, path, method="GET", body=None, timeout=20):
    """(status, body, headers); raises what a broken answer raises."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *args], input=data, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.fixture
def vendor(sim_state):
    """A factory: vendor(OPTIONS...) as a block that gives the ports."""
    import contextlib

    @contextlib.contextmanager
    def start(*options, state=sim_state):
        with service(["admin", "vendor"], "vendor", "--state", state,
                     "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                     *options) as lines:
            yield port_of(lines[1]), port_of(lines[0])
    return start


@pytest.fixture
def chip(sim_state, tmp_path):
    """Switches a chip on; its id and its VCEK (DER) as the host has it."""
    def switch_on(product="Milan", *options):
        leaf, report = tmp_path / "leaf", tmp_path / "report"
        done = run("assay-sim", "report", "--state", sim_state, "--product",
                   product, "--chip", tmp_path.name, "--out", report,
                   "--leaf", leaf, *options)
        assert done.returncode == 0, done.stderr
        size = 8 if product == "Turin" else 64
        return report.read_bytes()[0x1a0:0x1a0 + size].hex(), leaf.read_bytes()
    return switch_on


def public_key(der):
    return openssl("x509", "-inform", "DER", "-noout", "-pubkey", data=der)


def test_every_resource_of_the_sheet(vendor, chip, sim_state, tmp_path):
    hwid, _ = chip()
    with vendor() as (port, _):
        for product in "Milan", "Genoa", "Turin":
            anchor = sim_state / ("ark-%s.pem" % product)
            for line in "vcek", "vlek":
                status, chain, _ = get(port, "/%s/v1/%s/cert_chain" %
                                       (line, product))
                assert status == 200
                pems = re.findall(b"-----BEGIN.*?END CERTIFICATE-----\n",
                                  chain, re.S)
                assert len(pems) == 2 and pems[1] == anchor.read_bytes()
                middle = tmp_path / "middle.pem"
                middle.write_bytes(pems[0])
                openssl("verify", "-CAfile", str(anchor), str(middle))
                name = openssl("x509", "-in", str(middle), "-noout",
                               "-subject", "-nameopt", "multiline")
                want = ("SEV-VLEK-" if line == "vlek" else "SEV-") + product
                assert re.search(r"commonName *= %s\n" % want, name), name
                status, crl, _ = get(port, "/%s/v1/%s/crl" % (line, product))
                assert status == 200
                openssl("crl", "-inform", "DER", "-noout", "-CAfile",
                        str(anchor), data=crl)
        status, leaf, _ = get(port, "/vcek/v1/Milan/%s?%s" % (hwid, LEVELS))
        assert status == 200
        fine = tmp_path / "leaf.pem"
        fine.write_text(openssl("x509", "-inform", "DER", data=leaf))
        chain = tmp_path / "chain.pem"
        chain.write_bytes(get(port, "/vcek/v1/Milan/cert_chain")[1])
        openssl("verify", "-CAfile", str(sim_state / "ark-Milan.pem"),
                "-untrusted", str(chain), str(fine))


@pytest.mark.parametrize("product,levels", [
    ("Milan", LEVELS),
    ("Genoa", "ucodeSPL=84&snpSPL=23&teeSPL=0&blSPL=10"),
    ("Turin", "fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81"),
])
def test_vendor_and_chip_agree_without_talking(vendor, chip, product, levels):
    hwid, of_host = chip(product)
    with vendor() as (port, _):
        status, of_vendor, _ = get(port, "/vcek/v1/%s/%s?%s" %
                                   (product, hwid, levels))
    assert status == 200
    assert public_key(of_vendor) == public_key(of_host)


def test_another_tcb_is_another_key(vendor, chip):
    hwid, leaf = chip()
    with vendor() as (port, _):
        status, other, _ = get(port, "/vcek/v1/Milan/%s?%s" % (
            hwid, LEVELS.replace("219", "218")))
    assert status == 200 and public_key(other) != public_key(leaf)


def test_what_does_not_exist_is_404(vendor, chip):
    hwid, _ = chip()
    missing = [
        "/", "/vcek", "/vcek/v1/Milan", "/vcek/v2/Milan/crl",
        "/vcek/v1/Bergamo/crl", "/vcek/v1/milan/crl", "/vcek/v1/Milan/",
        "/vcek/v1/Milan/%s" % hwid,
        "/vcek/v1/Milan/%s?blSPL=04" % hwid,
        "/vcek/v1/Milan/%s?%s&blSPL=04" % (hwid, LEVELS),
        "/vcek/v1/Milan/%s?%s&fmcSPL=01" % (hwid, LEVELS),
        "/vcek/v1/Milan/%s?%s" % (hwid, LEVELS.replace("219", "256")),
        "/vcek/v1/Milan/%s?%s" % (hwid, LEVELS.replace("219", "-1")),
        "/vcek/v1/Milan/%s?%s" % (hwid[:16], LEVELS),
        "/vcek/v1/Milan/%s?%s" % ("0" * 128, LEVELS),
        "/vcek/v1/Turin/%s?fmcSPL=01&%s" % (hwid[:16], LEVELS),
        "/vcek/v1/Genoa/%s?%s" % (hwid, LEVELS), "//vcek/v1/Milan/crl",
    ]
    with vendor() as (port, _):
        got = {path: get(port, path)[0] for path in missing}
        assert got == dict.fromkeys(missing, 404)
        assert get(port, "/vcek/v1/Milan/crl", "POST")[0] == 405
        assert get(port, "/vlek/v1/Milan/cert?" + LEVELS)[0] == 401


def test_vleks_are_for_their_provider(vendor, chip):
    csp = "CN=cc-us-east-2.amazonaws.com"
    _, of_host = chip("Milan", "--vlek", csp)
    with vendor("--vlek-csp", csp) as (port, _):
        status, of_vendor, _ = get(port, "/vlek/v1/Milan/cert?" + LEVELS)
    assert status == 200
    assert public_key(of_vendor) == public_key(of_host)


def test_failures_from_the_command_line(vendor):
    with vendor("--fail", "/vcek/v1/Milan/crl=429:1",
                "--fail", "/vcek/v1/Milan/crl=500:1") as (port, _):
        status, _, headers = get(port, "/vcek/v1/Milan/crl")
        assert status == 429 and headers["Retry-After"] == "10"
        assert get(port, "/vcek/v1/Milan/crl")[0] == 500
        assert get(port, "/vcek/v1/Milan/crl")[0] == 200


def test_failures_while_it_runs(vendor, chip):
    hwid, of_host = chip()
    leaf = "/vcek/v1/Milan/%s?%s" % (hwid, LEVELS)
    with vendor() as (port, admin):
        def fail(rule):
            status, rules, _ = get(admin, "/faults", "POST", rule)
            assert status == 200, rules
            return rules.decode()

        assert fail("/vcek=truncate:1\n") == "/vcek=truncate:1\n"
        with pytest.raises(http.client.IncompleteRead):
            get(port, leaf)
        fail("/vcek=wrong-chip:1")
        status, other, _ = get(port, leaf)
        assert status == 200 and public_key(other) != public_key(of_host)
        fail("/vcek=garbage:1")
        status, page, _ = get(port, leaf)
        assert status == 200 and page.startswith(b"<html>")
        fail("/vcek=hang:1")
        began = time.monotonic()
        with pytest.raises(socket.timeout):
            get(port, leaf, timeout=0.5)
        assert time.monotonic() - began >= 0.5
        fail("/vcek=404")
        assert [get(port, leaf)[0] for _ in range(3)] == [404] * 3
        assert get(admin, "/faults", "DELETE")[1] == b""
        assert get(port, leaf)[0] == 200
        assert get(admin, "/faults", "POST", "/vcek=nonsense")[0] == 400
        log = get(admin, "/requests")[1].decode().split("\n")
        assert log.count("404 " + leaf) == 3 and log.count("0 " + leaf) == 1


def test_a_hanging_client_does_not_keep_it_alive(vendor):
    with vendor("--fail", "/=hang") as (port, _):
        stuck = [socket.create_connection(("127.0.0.1", port))
                 for _ in range(5)]
        for s in stuck:
            s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        time.sleep(0.2)
    # The end of the block stops the service within its time-out.
    for s in stuck:
        s.close()


def test_certificates_are_rationed_like_amds(vendor, chip):
    hwid, _ = chip()
    with vendor("--rate-limit", "3600") as (port, _):
        leaf = "/vcek/v1/Milan/%s?%s" % (hwid, LEVELS)
        assert get(port, leaf)[0] == 200
        assert get(port, leaf)[0] == 429
        assert get(port, "/vcek/v1/Milan/crl")[0] == 200


def test_rubbish_is_answered_or_dropped(vendor):
    rubbish = [b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"x" * 20000,
               b"GET / HTTP/2.0\r\n\r\n", b"\0" * 100 + b"\r\n\r\n",
               b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"]
    with vendor() as (port, _):
        for bytes_ in rubbish:
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.settimeout(20)
                s.sendall(bytes_)
                s.shutdown(socket.SHUT_WR)
                try:
                    got = s.recv(100)
                except ConnectionResetError:
                    got = b""
                assert got == b"" or got.split()[1] in (b"400", b"404"), got
        assert get(port, "/vcek/v1/Milan/crl")[0] == 200


def serials(crl):
    text = openssl("crl", "-inform", "DER", "-noout", "-text", data=crl)
    return re.findall(r"Serial Number: (\w+)", text)


def test_revocation_lists_the_old_and_makes_a_new(vendor, sim_state, tmp_path):
    state = tmp_path / "state"
    shutil.copytree(sim_state, state)
    with vendor(state=state) as (port, admin):
        assert serials(get(port, "/vcek/v1/Milan/crl")[1]) == []
        before = get(port, "/vcek/v1/Milan/cert_chain")[1]
        assert get(admin, "/revoke/Milan/ask", "POST")[0] == 200
        done = run("assay-sim", "revoke", "--state", state, "--product",
                   "Milan", "asvk")
        assert done.returncode == 0, done.stderr
        crl = get(port, "/vcek/v1/Milan/crl")[1]
        assert serials(crl) == ["010001", "010101"]
        assert openssl("crl", "-inform", "DER", "-noout", "-crlnumber",
                       data=crl) == "crlNumber=0x03\n"
        after = get(port, "/vcek/v1/Milan/cert_chain")[1]
        assert before != after
        assert openssl("x509", "-noout", "-serial", data=after) == \
            "serial=010002\n"
        assert serials(get(port, "/vcek/v1/Genoa/crl")[1]) == []
        assert get(admin, "/revoke/Bergamo/ask", "POST")[0] == 404
        assert get(admin, "/revoke/Milan/ark", "POST")[0] == 404


def test_keys_are_the_owners_alone(sim_state):
    secrets = [*sim_state.rglob("*.key"), sim_state / "secret"]
    assert len(secrets) == 10
    assert {s.stat().st_mode & 0o777 for s in secrets} == {0o600}
