"""The guestbook's memory. Speaks mutual TLS, to the pod named "web" only.

Each entry is kept with an HMAC under the pod's workload secret, so that a
storage the host controls cannot slip one in.
"""
import hashlib
import hmac
import http.server
import json

import mesh

ENTRIES = []
KEY = mesh.workload_secret()


def seal(text):
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refused(self):
        names = mesh.peer_names(self.connection)
        if "web" in names:
            return False
        self.answer(403, {"error": "this is for web, you are %s" % names})
        return True

    def do_GET(self):
        if not self.refused():
            good = [text for text, tag in ENTRIES
                    if hmac.compare_digest(tag, seal(text))]
            self.answer(200, {"entries": good})

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), 1000)
        text = self.rfile.read(length).decode("utf-8", "replace")
        if not self.refused():
            ENTRIES.append((text, seal(text)))
            self.answer(200, {"count": len(ENTRIES)})


server = http.server.ThreadingHTTPServer(mesh.address("LISTEN"), Handler)
server.socket = mesh.server_context(require_client=True).wrap_socket(
    server.socket, server_side=True)
print("store: listening, mutual TLS", flush=True)
server.serve_forever()
