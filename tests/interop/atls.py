"""aTLS v1 as somebody else would write it: Python's own ssl, and what the
protocol's description says. Nothing here is shared with the project's code."""
import base64
import datetime
import hashlib
import os
import select
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding, PublicFormat, load_pem_private_key)

SNP_EVIDENCE = x509.ObjectIdentifier("1.3.9901.2.1")
REPORT, REPORT_DATA = 1, 11  # fields of sevsnp.Attestation and its Report


# --- protobuf, as much as is needed ---

def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """{number: [value, ...]}: bytes, or the integer of a varint."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        assert key & 7 in (0, 1, 2), "wire type %d" % (key & 7)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if key & 7 == 2 else (8, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, "field %d is cut short" % (key >> 3)
        found.setdefault(key >> 3, []).append(value)
    return found


def field(number, value):
    size, length = len(value), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + value


# --- the handshake ---

class Connection:
    """One aTLS connection to a port of the loopback.

    by     "alpn" or "sni": how the nonce travels
    nonce  32 bytes, or None: fresh ones
    cert   PEM files (certificate, key) of the client, or None"""

    def __init__(self, port, by, nonce=None, cert=None):
        self.nonce = nonce or os.urandom(32)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the evidence decides
        offer, name = ["h2"], None
        if by == "alpn":
            offer.insert(0, "atls:v1:nonce:" + self.nonce.hex())
        else:  # as bytes: it is no host name, and must not become one
            name = base64.b64encode(self.nonce)
        context.set_alpn_protocols(offer)
        if cert:
            context.load_cert_chain(*cert)
        plain = socket.create_connection(("127.0.0.1", port), 20)
        try:
            self.tls = context.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise
        self.der = self.tls.getpeercert(binary_form=True)

    def close(self):
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cert(self):
        return x509.load_der_x509_certificate(self.der)

    def evidence(self):
        return self.cert().extensions.get_extension_for_oid(
            SNP_EVIDENCE).value.value

    def report_data(self, nonce=None):
        """What the report has to say, were it for this nonce."""
        spki = self.cert().public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha512(spki + (nonce or self.nonce)).digest()


def self_signed(key_file, path):
    """A client's certificate without evidence; gives the files of it and its
    key."""
    key = load_pem_private_key(key_file.read_bytes(), None)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME,
                                         "Contrast")])
    now = datetime.datetime.utcnow()
    cert = x509.CertificateBuilder().subject_name(name).issuer_name(name) \
        .public_key(key.public_key()).serial_number(1) \
        .not_valid_before(now - datetime.timedelta(hours=2)) \
        .not_valid_after(now + datetime.timedelta(hours=2)) \
        .sign(key, hashes.SHA384())
    path.write_bytes(cert.public_bytes(Encoding.PEM))
    return path, key_file


def report_of(evidence):
    """The fields of the report in an evidence extension."""
    return fields(fields(evidence)[REPORT][0])


# --- gRPC over it ---

class Relay:
    """A plain port of the loopback whose one client ends up in a Connection:
    gRPC's own TLS would not let a nonce into ALPN. Use as a context manager;
    gives the address."""

    def __init__(self, connection):
        self.tls = connection.tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.stopping, self.stopped = socket.socketpair()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __exit__(self, *_):
        self.stopping.close()
        self.thread.join()
        self.listener.close()
        self.stopped.close()

    def _run(self):
        if self.stopped in select.select([self.listener, self.stopped], [],
                                         [])[0]:
            return
        client, _ = self.listener.accept()
        with client:
            try:
                while self._step(client):
                    pass
            except OSError:
                pass  # either side hung up; gRPC tells the test

    def _step(self, client):
        ready = [self.tls] if self.tls.pending() else select.select(
            [self.tls, client, self.stopped], [], [])[0]
        if client in ready:
            data = client.recv(65536)
            self.tls.sendall(data)
            if not data:
                return False
        if self.tls in ready:
            data = self._receive()
            if data == b"":
                return False
            client.sendall(data or b"")
        return self.stopped not in ready

    def _receive(self):
        """None for a record without application data."""
        self.tls.setblocking(False)
        try:
            return self.tls.recv(65536)
        except ssl.SSLWantReadError:
            return None
        finally:
            self.tls.settimeout(20)
