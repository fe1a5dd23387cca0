"""An HTTP/1.1 server on loopback that counts what it is asked and sends, with faults to switch on."""

import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass
class Answer:
    status: int = 200
    body: bytes | memoryview = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes = b""
    status: int = 0
    sent: int = 0  # bytes of body that left


@dataclass
class Fault:
    """What goes wrong with answers whose "METHOD /path" matches `on`, after the first `skip`, `times` times.

    kind
        reset     the connection is reset after `at` bytes of body
        truncate  the body ends after `at` bytes, although Content-Length says more
        stall     nothing comes for half a minute, and then the answer
        short     Content-Length (and body) `at` bytes less than the content
        status    `status` with `headers` and `body` in place of the answer
        html      a page that says sorry, with status 200
        corrupt   the body's byte `at` is another
        replace   the body is `body`, with `headers`
        headers   `headers` replace those of the answer
        cut       the connection is reset when `at` bytes of the request's body have arrived
        lost      the request is carried out, and the connection reset in place of an answer
        clipped   the last byte of the request's body goes missing on the way
    """

    kind: str
    on: str = ".*"
    times: int = 1
    skip: int = 0
    at: int = 0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def applies(self, request: Request) -> bool:
        if not re.fullmatch(self.on, f"{request.method} {request.path}"):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0

    def change(self, answer: Answer) -> Answer:
        headers = dict(answer.headers)
        match self.kind:
            case "status":
                return Answer(self.status, self.body, {"Content-Type": "text/plain", **self.headers})
            case "html":
                page = b"<!DOCTYPE html><html><body>Sorry, back in a minute.</body></html>"
                return Answer(200, page, {"Content-Type": "text/html"})
            case "short":
                return Answer(answer.status, answer.body[: len(answer.body) - self.at], headers)
            case "corrupt":
                body = bytearray(answer.body)
                body[self.at] ^= 0xFF
                return Answer(answer.status, bytes(body), headers)
            case "replace":
                return Answer(answer.status, self.body, headers | self.headers)
            case "headers":
                return Answer(answer.status, answer.body, {**headers, **self.headers})
        return answer


class Service:
    """Start with `with`; `respond` turns a Request into an Answer and is what a subclass writes."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.latency = 0.0  # seconds before each answer
        self.lock = threading.Lock()
        self._server = _Server((self.host, 0), _Handler)
        self._server.service = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def respond(self, request: Request) -> Answer:
        raise NotImplementedError

    def interrupted(self, request: Request) -> None:
        """A request whose body did not arrive whole."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self._server.server_address[1]}"

    @property
    def sent(self) -> int:
        """Bytes of all bodies sent."""
        return sum(request.sent for request in self.requests)

    def count(self, on: str = ".*") -> int:
        """How many requests "METHOD /path" matched."""
        return sum(bool(re.fullmatch(on, f"{each.method} {each.path}")) for each in self.requests)

    def forget(self) -> None:
        """Empty the log and switch every fault off."""
        with self.lock:
            self.requests.clear()
            self.faults.clear()

    def __enter__(self) -> "Service":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    service: Service

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed in the middle is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        service = self.server.service
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers)
        with service.lock:
            service.requests.append(request)
            fault = next((fault for fault in service.faults if fault.applies(request)), None)
        time.sleep(service.latency)
        kind = fault.kind if fault else None
        length = int(request.headers.get("content-length", 0))
        request.body = self.rfile.read(min(fault.at, length) if kind == "cut" else length)
        if len(request.body) < length:
            service.interrupted(request)
            self._reset()
            return
        if kind == "status" and request.method not in ("GET", "HEAD"):
            service.interrupted(request)  # refused before anything was done
            answer = Answer()
        else:
            if kind == "clipped":
                request.body = request.body[:-1]
            answer = service.respond(request)
        if kind == "lost":
            self._reset()
            return
        answer = fault.change(answer) if fault else answer
        if kind == "stall":
            # Not time.sleep, which tests replace.
            threading.Event().wait(30)
        request.status = answer.status
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            body = answer.body[: fault.at] if kind in ("reset", "truncate") else answer.body
            request.sent = len(body)
            self.wfile.write(body)
        self.close_connection |= kind == "truncate"
        if kind == "reset":
            self._reset()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _reset(self) -> None:
        """Closing with zero linger sends RST."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Silent: `Service.requests` is the log."""


def json_answer(content: object, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON; underscores in the headers' names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"} | named)


def hub_error(status: int, code: str, message: str, **more: str) -> Answer:
    """A refusal as the Hugging Face Hub words it."""
    return json_answer({"error": message, **more}, status, X_Error_Code=code, X_Error_Message=message)
