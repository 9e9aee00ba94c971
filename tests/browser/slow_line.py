"""A line between a browser and a server on which answers arrive in pieces."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

PIECE, PAUSE = 3000, 0.05  # bytes, seconds


@contextmanager
def slow_line(to: str) -> Iterator[str]:
    """The address of a relay on loopback; each piece of an answer waits a moment before it goes on."""
    target = urlsplit(to)

    def pass_on(source: socket.socket, sink: socket.socket, pause: float) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                sink.sendall(piece)
                time.sleep(pause)
            sink.shutdown(socket.SHUT_WR)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((target.hostname, target.port)) as server:
                threading.Thread(target=pass_on, args=(self.request, server, 0), daemon=True).start()
                pass_on(server, self.request, PAUSE)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Relay) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
