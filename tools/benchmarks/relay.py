"""A TCP relay in front of an API server that counts what the server sends, connection by connection."""

import selectors
import socket
import threading


class Relay:
    """Listens on 127.0.0.1; `received` is the number of bytes from the server for each connection so far."""

    def __init__(self, host, port):
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.received = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._running = True
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self):
        while self._running:
            for key, _ in self._selector.select(0.2):
                if key.data is None:
                    self._accept()
                else:
                    self._forward(key.fileobj, *key.data)

    def _accept(self):
        client, address = self._listener.accept()
        server = socket.create_connection(self._target)
        self.received[address] = 0
        self._selector.register(client, selectors.EVENT_READ, (server, None))
        self._selector.register(server, selectors.EVENT_READ, (client, address))

    def _forward(self, source, target, address):
        try:
            data = source.recv(65536)
            if data:
                target.sendall(data)
        except OSError:
            data = b""
        if address is not None:
            self.received[address] += len(data)
        if not data:
            for side in (source, target):
                try:
                    self._selector.unregister(side)
                except (KeyError, ValueError):
                    pass
                side.close()

    def close(self):
        self._running = False
        self._thread.join()
        self._listener.close()
