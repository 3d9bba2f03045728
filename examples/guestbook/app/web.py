"""The guestbook's front: HTTPS for anybody, mutual TLS to the pod "store"."""
import http.client
import http.server
import json

import mesh


class StoreConnection(http.client.HTTPSConnection):
    """Connects to the store's address, but demands the store's name."""

    def __init__(self):
        self.where = mesh.address("STORE_ADDRESS")
        super().__init__("store", context=mesh.client_context(), timeout=10)
        self._create_connection = lambda _, *rest: (
            http.client.socket.create_connection(self.where, *rest))


def ask_store(method, body=None):
    connection = StoreConnection()
    try:
        connection.request(method, "/", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Handler(http.server.BaseHTTPRequestHandler):
    def relay(self, method, body=None):
        try:
            status, answer = ask_store(method, body)
        except OSError as problem:
            status = 502
            answer = json.dumps({"error": str(problem)}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer + b"\n")

    def do_GET(self):
        self.relay("GET")

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), 1000)
        self.relay("POST", self.rfile.read(length))


server = http.server.ThreadingHTTPServer(mesh.address("LISTEN"), Handler)
server.socket = mesh.server_context(require_client=False).wrap_socket(
    server.socket, server_side=True)
print("web: listening, HTTPS", flush=True)
server.serve_forever()
