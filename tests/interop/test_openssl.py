"""openssl as a stranger to attested TLS: the chain that a running coordinator
issues has to verify, and its ports have to behave as TLS 1.2 and 1.3 do."""
import base64
import re
import subprocess

import pytest

import atls
from deployment import WEB_POLICY, wait_for


def openssl(*args, stdin=subprocess.DEVNULL):
    return subprocess.run(["openssl", *map(str, args)], stdin=stdin, text=True,
                          check=False, timeout=30, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


# --- the issued chain ---

@pytest.fixture
def issued(fresh):
    """The folder with what the initializer of a pod got."""
    done = fresh.set(fresh.manifest())
    assert done.returncode == 0, done.stderr
    done = fresh.pod("web", fresh.guest("web", WEB_POLICY))
    assert done.returncode == 0, done.stderr
    return fresh.dir / "web" / "tls-config"


def verify(root, leaf, *more):
    return openssl("verify", "-no-CApath", "-no-CAstore", "-CAfile", root,
                   *more, leaf)


def test_chain_verifies_to_the_root_and_to_the_mesh_ca(issued):
    chain = issued / "certChain.pem"  # the leaf is its first certificate
    root = issued / "coordinator-root-ca.pem"
    for purpose in ("sslserver", "sslclient"):
        done = verify(root, chain, "-untrusted", chain, "-purpose", purpose)
        assert (done.returncode, done.stdout) == (0, "%s: OK\n" % chain)
        done = verify(issued / "mesh-ca.pem", chain, "-purpose", purpose)
        assert done.returncode == 0, done.stdout
    done = verify(root, chain, "-untrusted", chain, "-verify_hostname", "web")
    assert done.returncode == 0, done.stdout
    # Neither is enough by itself, and the leaf is no CA.
    assert verify(root, chain).returncode != 0
    assert "unable to get local issuer" in verify(root, chain).stdout
    done = verify(root, chain, "-untrusted", chain, "-purpose", "smimesign")
    assert "unsuitable certificate purpose" in done.stdout


def test_an_update_ends_the_old_mesh_ca_but_not_the_root(fresh, issued):
    chain, old_mesh = issued / "certChain.pem", issued / "mesh-ca.pem"
    kept = {p.name: p.read_bytes() for p in issued.iterdir()}
    done = fresh.set(fresh.manifest("2"))
    assert done.returncode == 0, done.stderr
    done = fresh.pod("web", fresh.guest("web", WEB_POLICY))
    (fresh.dir / "old.pem").write_bytes(kept["coordinator-root-ca.pem"])
    (fresh.dir / "oldmesh.pem").write_bytes(kept["mesh-ca.pem"])
    assert old_mesh.read_bytes() != kept["mesh-ca.pem"]
    assert verify(fresh.dir / "oldmesh.pem", chain).returncode != 0
    done = verify(fresh.dir / "old.pem", chain, "-untrusted", chain)
    assert done.returncode == 0, done.stdout  # the root's key has stayed


# --- the ports ---

def s_client(port, *args):
    return openssl("s_client", "-connect", "127.0.0.1:%d" % port, *args)


def alpn(nonce):
    return ["-alpn", "atls:v1:nonce:%s,h2" % nonce.hex()]


def sni(nonce):
    return ["-servername", base64.b64encode(nonce).decode()]


NONCE = bytes(range(32))
H2 = ["-alpn", "h2"]


@pytest.mark.parametrize("port", ["user", "mesh"])
@pytest.mark.parametrize("offer", [
    alpn(NONCE), alpn(NONCE) + sni(NONCE), H2 + sni(NONCE),
    alpn(NONCE) + ["-tls1_2"]], ids=["alpn", "both", "sni", "tls12"])
def test_a_nonce_is_answered(fresh, port, offer):
    done = fresh.set(fresh.manifest())
    assert done.returncode == 0, done.stderr
    said = s_client(getattr(fresh, port), *offer).stdout
    assert "\nALPN protocol: h2\n" in said
    assert "New, TLSv1.%d, Cipher is " % (2 if "-tls1_2" in offer else 3) \
        in said
    assert "subject=CN = Contrast\n" in said
    [name] = re.findall(r"Acceptable client certificate CA names\n(.*)\n",
                        said)
    name = name.removeprefix("CN = ").strip('"')  # quoted if it has a "+"
    assert len(base64.b64decode(name, validate=True)) == 32
    # Nothing that a later connection could resume without evidence.
    assert "TLS session ticket" not in said
    assert not re.search(r"Session-ID: [0-9A-F]", said)


def test_each_hello_gets_a_nonce_of_its_own(fresh):
    names = [re.search("CA names\n(.*)\n", s_client(
        fresh.user, *alpn(NONCE)).stdout).group(1) for _ in range(2)]
    assert names[0] != names[1]


@pytest.mark.parametrize("offer, alert", [
    ([], "handshake failure"),
    (["-noservername"], "handshake failure"),
    (H2, "handshake failure"),
    (["-servername", "coordinator.example"], "handshake failure"),
    (alpn(NONCE[:31]), "handshake failure"),
    (alpn(NONCE + b"x"), "handshake failure"),
    (alpn(NONCE) + sni(NONCE[::-1]), "handshake failure"),
    (["-alpn", "atls:v2:nonce:%s,h2" % NONCE.hex()], "handshake failure"),
    (["-alpn", "atls:v1:nonce:%s,h2" % ("zz" * 32)], "handshake failure"),
    (["-alpn", "atls:v1:nonce:%s" % NONCE.hex()], "no application protocol"),
    (sni(NONCE[:16]), "handshake failure"),
], ids=["plain", "no-sni", "h2-only", "host-name", "short", "long",
        "two-nonces", "version-2", "no-hex", "no-h2", "short-sni"])
def test_without_a_good_nonce_there_is_no_handshake(fresh, offer, alert):
    done = s_client(fresh.user, *offer)
    assert done.returncode != 0
    assert alert in done.stdout, done.stdout
    assert "no peer certificate available" in done.stdout
    with atls.Connection(fresh.user, "alpn") as c:  # others are not bothered
        assert c.evidence()


def test_the_mesh_port_wants_evidence(fresh):
    """Without a certificate, and with one that holds none."""
    done = fresh.set(fresh.manifest())
    assert done.returncode == 0, done.stderr
    cert, key = atls.self_signed(fresh.dir / "owner.pem",
                                 fresh.dir / "stranger.pem")
    # TLS 1.2: the server's refusal is still part of the handshake.
    for identity, alert, reason in (
            ([], "alert handshake failure", "did not return a certificate"),
            (["-cert", cert, "-key", key], "alert bad certificate",
             "no evidence")):
        done = s_client(fresh.mesh, *alpn(NONCE), *identity, "-tls1_2")
        assert done.returncode != 0
        assert alert in done.stdout, done.stdout
        wait_for(lambda r=reason: r in fresh.log().splitlines()[-1], reason)


def test_the_mesh_port_is_closed_without_a_manifest(fresh):
    done = s_client(fresh.mesh, *alpn(NONCE))
    assert done.returncode != 0
    assert "no peer certificate available" in done.stdout
    assert "alert" not in done.stdout  # closed before the handshake


def test_tls_1_1_is_refused(fresh):
    done = s_client(fresh.user, *alpn(NONCE), "-tls1_1", "-cipher",
                    "ALL:@SECLEVEL=0")
    assert done.returncode != 0
    assert "alert protocol version" in done.stdout
