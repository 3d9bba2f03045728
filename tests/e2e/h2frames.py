"""HTTP/2 frames by hand, for what no client library would send."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags=0, stream=0, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) +
            struct.pack(">I", stream) + payload)


def literal(name, value):
    """A field without indexing and Huffman coding, RFC 7541 section 6.2.2."""
    name, value = name.encode(), value.encode()
    return b"\0" + length(name) + name + length(value) + value


def length(text):
    if len(text) < 127:
        return bytes([len(text)])
    n, out = len(text) - 127, b"\x7f"
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def request_block(path, extra=(), method="POST", te=True,
                  content_type="application/grpc"):
    fields = [(":method", method), (":scheme", "http"), (":path", path),
              (":authority", "x")]
    if content_type:
        fields.append(("content-type", content_type))
    if te:
        fields.append(("te", "trailers"))
    return b"".join(literal(*f) for f in fields + list(extra))


def headers(stream, path, flags=END_HEADERS, **kwargs):
    return frame(HEADERS, flags, stream, request_block(path, **kwargs))


def message(body, compressed=0):
    return struct.pack(">BI", compressed, len(body)) + body


def hello():
    return PREFACE + frame(SETTINGS)


def unary(stream, path, body, **kwargs):
    return (headers(stream, path, **kwargs) +
            frame(DATA, END_STREAM, stream, message(body)))
