"""The server: loopback only, a secret in every address, and no other origin.

The standard library serves a page to a few people on one machine well enough, and is one package
less to trust. A tunnel (``ssh -L``) keeps all of it: the host is then a loopback name as well.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deepcryopicker import __version__
from deepcryopicker.errors import DeepCryoPickerError
from deepcryopicker.viewing.crops import Crops
from deepcryopicker.viewing.jobs import Jobs
from deepcryopicker.viewing.saved_corrections import ConflictError, SavedCorrections

HOST = "127.0.0.1"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LARGEST = 2**26  # bytes of a request
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the secret is part of the address
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageServer(ThreadingHTTPServer):
    """Serves one run.

    Parameters
    ----------
    port : int
        0 takes any that is free.
    render : callable
        Makes the page.
    version : callable
        A number that changes when there are new picks.
    crops : Crops
    corrections : SavedCorrections
    jobs : Jobs
    """

    daemon_threads = True

    def __init__(
        self,
        port: int,
        render: Callable[[], str],
        version: Callable[[], int],
        crops: Crops,
        corrections: SavedCorrections,
        jobs: Jobs,
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.token = secrets.token_urlsafe(24)
        self.render, self.version, self.crops = render, version, crops
        self.corrections, self.jobs = corrections, jobs

    @property
    def address(self) -> str:
        """Return the address of the page, with the secret."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version = f"DeepCryoPicker/{__version__}"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """Answer with the page, a picture, or the state of something."""
        place = self._place()
        if place is None:
            return
        name, query = place
        if name == "":
            self._send(HTTPStatus.OK, self.server.render().encode(), "text/html; charset=utf-8")
        elif name == "picture":
            self._send_picture(query)
        elif name == "corrections":
            self._json(self.server.corrections.read())
        elif name == "state":
            self._json({"version": self.server.version(), "job": self.server.jobs.state()})
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_PUT(self) -> None:
        """Save corrections."""
        place = self._place(changing=True)
        if place is None:
            return
        if place[0] != "corrections":
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        body = self._body()
        if body is None:
            return
        try:
            saved = self.server.corrections.save(
                _count(body.get("saved")), body.get("corrections"), body.get("page")
            )
        except ConflictError:
            self._json(self.server.corrections.read(), HTTPStatus.CONFLICT)
            return
        self._json({"saved": saved})

    def do_POST(self) -> None:
        """Start a job."""
        place = self._place(changing=True)
        if place is None:
            return
        body = self._body()
        if body is None:
            return
        if place[0] != "job" or not self.server.jobs.start(str(body.get("name"))):
            self._refuse(HTTPStatus.CONFLICT if place[0] == "job" else HTTPStatus.NOT_FOUND)
            return
        self._json(self.server.jobs.state(), HTTPStatus.ACCEPTED)

    def handle_one_request(self) -> None:
        """Answer a request; errors of our own are a line for the page."""
        try:
            super().handle_one_request()
        except DeepCryoPickerError as error:
            self._json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _place(self, changing: bool = False) -> tuple[str, dict[str, list[str]]] | None:
        """Return the name after the secret and the query; None if the request is refused."""
        parts = urlsplit(self.path)
        token, _, name = parts.path.lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
            return None
        if not self._from_here(changing):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return name, parse_qs(parts.query)

    def _from_here(self, changing: bool) -> bool:
        """Whether a request comes from our own page, by its host and origin."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if _hostname(f"http://{host}") not in _LOOPBACK:
            return False  # another name for this machine, as in DNS rebinding
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return False
        if origin is None:
            return not changing
        return origin == f"http://{host}"

    def _body(self) -> dict[str, Any] | None:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 < length <= _LARGEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        try:
            body = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return None
        return body

    def _send_picture(self, query: dict[str, list[str]]) -> None:
        try:
            left, top, right, bottom, width = (
                int(query[key][0]) for key in ("left", "top", "right", "bottom", "width")
            )
            name = query["name"][0]
        except (KeyError, ValueError):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        picture = self.server.crops.draw(name, (left, top, right, bottom), width)
        if picture is None:
            self._refuse(HTTPStatus.NOT_FOUND)
        else:
            self._send(HTTPStatus.OK, picture, "image/webp")

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(status, status.phrase.encode(), "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: addresses hold the secret."""


def _count(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
