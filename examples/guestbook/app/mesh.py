"""TLS with the files that the initializer left in /contrast.

Nothing here knows about attestation: who has a certificate of the mesh CA has
been attested, and its name was given by the manifest.
"""
import os
import pathlib
import ssl

CONTRAST = pathlib.Path(os.environ.get("CONTRAST_DIR", "/contrast"))
TLS = CONTRAST / "tls-config"


def server_context(require_client):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(TLS / "certChain.pem", TLS / "key.pem")
    if require_client:
        context.load_verify_locations(TLS / "mesh-ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context():
    """Trusts the mesh CA only, and checks the peer's name."""
    context = ssl.create_default_context(cafile=TLS / "mesh-ca.pem")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(TLS / "certChain.pem", TLS / "key.pem")
    return context


def peer_names(connection):
    """DNS names in the certificate of a verified peer."""
    names = (connection.getpeercert() or {}).get("subjectAltName", ())
    return [value for kind, value in names if kind == "DNS"]


def workload_secret():
    """The pod's secret, the same after every restart; 64 bytes."""
    return bytes.fromhex((CONTRAST / "secrets/workload-secret-seed").read_text())


def address(variable):
    """("127.0.0.1", 8443) of an environment variable."""
    host, port = os.environ[variable].rsplit(":", 1)
    return host, int(port)
