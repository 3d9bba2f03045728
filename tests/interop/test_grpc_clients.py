"""Other people's gRPC clients at the coordinator's user API, over aTLS: they
send a nonce, take the server's certificate apart, see by themselves that its
evidence is for this nonce and this key, and call."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import atls
from conftest import BUILD, run
from deployment import MEASUREMENT, POLICY, WEB_POLICY

grpc = pytest.importorskip("grpc", reason="python3-grpcio is not installed")

PACKAGES = ["edgelesssys.contrast.userapi", "userapi"]
TRANSPORTS = ["alpn", "sni"]
POLICIES = (POLICY, WEB_POLICY)


def sha256(data):
    return hashlib.sha256(data).digest()


# --- evidence ---

def judge(d, folder, evidence, report_data, code):
    """What assay says of the evidence; asserts its exit code."""
    path = folder / "evidence"
    path.write_bytes(evidence)
    done = run("assay", "evidence", "verify", "--tee", "snp", "--report-data",
               report_data.hex(), "--measurement", MEASUREMENT, "--host-data",
               sha256(POLICY).hex(), *d.trust_args(), "--output", "json", path)
    assert done.returncode == code, done.stdout + done.stderr
    verdict = json.loads(done.stdout)
    failed = [c["name"] for c in verdict["checks"] if c["outcome"] == "fail"]
    return verdict["verdict"], failed


@pytest.mark.parametrize("by", TRANSPORTS)
def test_evidence_is_for_our_nonce_and_its_key(fresh, tmp_path, by):
    with atls.Connection(fresh.user, by) as c:
        assert c.tls.selected_alpn_protocol() == "h2"
        assert c.tls.version() == "TLSv1.3"
        report = atls.report_of(c.evidence())
        assert report[atls.REPORT_DATA] == [c.report_data()]
        assert judge(fresh, tmp_path, c.evidence(), c.report_data(), 0) == (
            "accepted", [])


@pytest.mark.parametrize("by", TRANSPORTS)
def test_evidence_for_another_nonce_is_noticed(fresh, tmp_path, by):
    with atls.Connection(fresh.user, by) as c:
        wrong = c.report_data(os.urandom(32))
        assert atls.report_of(c.evidence())[atls.REPORT_DATA] != [wrong]
        assert judge(fresh, tmp_path, c.evidence(), wrong, 1) == (
            "refused", ["report_data"])


def test_evidence_is_made_for_each_nonce(fresh):
    with atls.Connection(fresh.user, "alpn") as a, \
            atls.Connection(fresh.user, "alpn") as b:
        said = [atls.report_of(c.evidence())[atls.REPORT_DATA][0]
                for c in (a, b)]
        assert said == [a.report_data(), b.report_data()]
        assert said[0] != said[1]
        # Replaying one in the other's place fits neither nonce nor key.
        assert a.report_data(b.nonce) not in said


def test_certificate_is_the_template(fresh):
    with atls.Connection(fresh.user, "alpn") as c:
        cert = c.cert()
    assert cert.subject == cert.issuer == x509.Name(
        [x509.NameAttribute(x509.NameOID.COMMON_NAME, "Contrast")])
    key = cert.public_key()
    assert isinstance(key.curve, ec.SECP256R1)
    key.verify(cert.signature, cert.tbs_certificate_bytes,
               ec.ECDSA(hashes.SHA256()))
    [extension] = cert.extensions
    assert extension.oid == atls.SNP_EVIDENCE and not extension.critical
    assert cert.not_valid_after - cert.not_valid_before == \
        datetime.timedelta(hours=4)


# --- the user API, from Python ---

def call(connection, package, method, request=b""):
    """The answer's fields."""
    path = "/%s.UserAPI/%s" % (package, method)
    with atls.Relay(connection) as target, \
            grpc.insecure_channel(target) as channel:
        return atls.fields(channel.unary_unary(path)(request, timeout=20))


def set_request(manifest, policies=POLICIES):
    return atls.field(1, manifest) + b"".join(
        atls.field(2, policy) for policy in policies)


def owner_cert(d, folder):
    return atls.self_signed(d.dir / "owner.pem", folder / "owner-cert.pem")


def transition(manifests):
    """Hash of the last link of the chain over all manifests."""
    last = bytes(32)
    for manifest in manifests:
        last = sha256(sha256(manifest) + last)
    return last


def refusal(caught):
    return caught.value.code().name, caught.value.details()


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("by", TRANSPORTS)
def test_python_sets_and_gets(fresh, tmp_path, package, by):
    d = fresh
    first, second = d.manifest(), d.manifest("2")
    with atls.Connection(d.user, by) as c, \
            pytest.raises(grpc.RpcError) as caught:
        call(c, package, "GetManifests")
    assert refusal(caught) == ("FAILED_PRECONDITION", "no manifest configured")

    with atls.Connection(d.user, by) as c:
        made = call(c, package, "SetManifest", set_request(first))
    assert set(made) == {1, 2, 3}  # root CA, mesh CA, seed shares
    with atls.Connection(d.user, by) as c, \
            pytest.raises(grpc.RpcError) as caught:
        call(c, package, "SetManifest", set_request(second))
    assert refusal(caught)[0] == "PERMISSION_DENIED"
    with atls.Connection(d.user, by, cert=owner_cert(d, tmp_path)) as c:
        made = call(c, package, "SetManifest", set_request(second))
    assert set(made) == {1, 2}

    with atls.Connection(d.user, by) as c:
        got = call(c, package, "GetManifests")
    assert got[1] == [first, second]
    assert sorted(got[2]) == sorted(POLICIES)
    assert (got[3], got[4]) == (made[1], made[2])
    assert atls.fields(got[5][0])[1] == [transition([first, second])]


def derived_root_key(seed, salt):
    """The root CA's public key, which follows from seed and salt."""
    secret = HKDF(hashes.SHA256(), len(seed), salt, b"ROOT CA SEED").derive(
        seed)
    text = secret + b"det ECDSA key gen P-384"
    k, v = bytes(32), b"\1" * 32
    for byte in b"\0\1":
        k = hmac.digest(k, v + bytes([byte]) + text, "sha256")
        v = hmac.digest(k, v, "sha256")
    more = hmac.digest(k, v, "sha256")
    candidate = (more + hmac.digest(k, more, "sha256"))[:48]
    return ec.derive_private_key(int.from_bytes(candidate, "big"),
                                 ec.SECP384R1()).public_key()


def test_python_opens_its_seed_share(fresh):
    """And the seed in it is the one that the root CA's key comes from."""
    d = fresh
    with atls.Connection(d.user, "alpn") as c:
        made = call(c, PACKAGES[0], "SetManifest", set_request(d.manifest()))
    document = atls.fields(made[3][0])
    [share], [salt] = document[1], document[2]
    share = atls.fields(share)
    assert share[1] == [d.share_key.encode()]
    key = serialization.load_pem_private_key(
        (d.dir / "share.pem").read_bytes(), None)
    seed = key.decrypt(share[2][0], padding.OAEP(
        padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"seedshare"))
    assert (len(seed), len(salt)) == (64, 32)
    root = x509.load_pem_x509_certificate(made[1][0])
    assert root.public_key().public_numbers() == \
        derived_root_key(seed, salt).public_numbers()


def test_bad_requests_get_their_codes(fresh):
    d = fresh
    package = PACKAGES[0]
    for request, code in [
            (b"", "INVALID_ARGUMENT"),
            (b"\xff", "INVALID_ARGUMENT"),
            (set_request(b"{"), "INVALID_ARGUMENT"),
            (set_request(d.manifest(), [POLICY]), "INTERNAL")]:
        with atls.Connection(d.user, "alpn") as c, \
                pytest.raises(grpc.RpcError) as caught:
            call(c, package, "SetManifest", request)
        assert refusal(caught)[0] == code, caught.value.details()
        assert refusal(caught)[1]
    with atls.Connection(d.user, "alpn") as c, \
            pytest.raises(grpc.RpcError) as caught:
        call(c, package, "NoSuchMethod")
    assert refusal(caught)[0] == "UNIMPLEMENTED"


# --- the same, from Node ---

SOURCE = pathlib.Path(__file__).parent / "grpc-js"


@pytest.fixture(scope="session")
def node():
    """node(job) gives what grpc-js/client.js prints for it."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no node or no npm here: @grpc/grpc-js NOT tried")
    home = BUILD / "grpc-js"
    home.mkdir(exist_ok=True)
    lock = (SOURCE / "package-lock.json").read_text()
    mark = home / "installed"
    if not mark.exists() or mark.read_text() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, home)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=home, text=True, check=False, timeout=300,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if done.returncode != 0:
            pytest.skip("@grpc/grpc-js cannot be had, NOT tried: " +
                        done.stdout[-200:])
        mark.write_text(lock)

    def ask(**job):
        done = subprocess.run(
            ["node", SOURCE / "client.js"], text=True, check=False, timeout=60,
            input=json.dumps(job, default=str), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, NODE_PATH=str(home / "node_modules")))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return ask


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("by", TRANSPORTS)
def test_node_sets_and_gets(fresh, node, tmp_path, package, by):
    d = fresh
    first, second = d.manifest(), d.manifest("2")

    def request(method, body=b"", **more):
        said = node(port=d.user, by=by, path="/%s.UserAPI/%s" % (
            package, method), request=base64.b64encode(body).decode(), **more)
        # Whatever the answer is: first it was found to be for us.
        assert said["reportData"] == said["expected"]
        assert said["reportData"] != said["unexpected"]
        return said

    said = request("GetManifests")
    assert (said["code"], said["details"]) == (9, "no manifest configured")
    evidence = base64.b64decode(said["evidence"])
    for want, code in (("expected", 0), ("unexpected", 1)):
        judge(d, tmp_path, evidence, bytes.fromhex(said[want]), code)

    assert request("SetManifest", set_request(first))["code"] == 0
    assert request("SetManifest", set_request(second))["code"] == 7
    cert, key = owner_cert(d, tmp_path)
    assert request("SetManifest", set_request(second), cert=cert,
                   key=key)["code"] == 0
    said = request("GetManifests")
    got = atls.fields(base64.b64decode(said["response"]))
    assert said["code"] == 0 and got[1] == [first, second]
    assert atls.fields(got[5][0])[1] == [transition([first, second])]
