"""A TLS client that speaks aTLS to the user API and then whatever it likes."""
import os
import socket
import ssl


def context(cert=None):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE  # an attacker does not ask who it is
    tls.set_alpn_protocols(["atls:v1:nonce:" + os.urandom(32).hex(), "h2"])
    if cert:
        tls.load_cert_chain(cert)
    return tls


def connect(port, source="127.0.0.1", cert=None, seconds=30):
    plain = socket.create_connection(("127.0.0.1", port), seconds,
                                     (source, 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context(cert).wrap_socket(plain)


def hung_up(sock, seconds):
    """Reads what comes; True when the other side ends within the time."""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
