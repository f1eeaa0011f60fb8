"""The HTTP of WHIP and WHEP (RFC 9725 and its companion draft): an endpoint makes a session of an offer.

A status has no meaning beyond HTTP's own (RFC 9725 section 4.1): an unknown one is read as the first of its hundred.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from conformance.iut.remote import TOKEN, fragment
from conformance.iut.stacks.contract import INTERNAL, NO_PARAMS, REJECTED, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

SDP = "application/sdp"
_WITHIN = 10.0  # seconds for a response
_MOST_REDIRECTS = 5
_LARGEST = 1 << 20  # octets of a response
_SHOWN = 200  # characters of its text in a message
_BAD_REQUEST, _SERVER_ERROR = 400, 500
_KEEPING_METHOD = (307, 308)
_OTHER_REDIRECTS = (301, 302, 303)
_WORDS = {  # what a status means, for whoever runs the suite
    401: f"it wants a bearer token; put it into the environment variable {TOKEN}",
    403: f"it refuses the bearer token (environment variable {TOKEN})",
    404: "nothing is there; is the URL right?",
    405: "it does not take this method; is the URL that of an endpoint?",
    409: "it is busy with another session; end that, or give it more room",
    410: "it has gone",
    412: "the ETag is not that of the present ICE session: the server has begun another one",
    428: "it asks for If-Match, but its 201 had no ETag",
    429: "it has had too many requests",
    503: "it takes no session now",
}
_NOT_ABOUT_THE_BODY = (401, 402, 403, 404, 405, 407, 408, 409, 410, 412, 421, 423, 425, 426, 428, 429, 431, 451)


@dataclass(frozen=True, slots=True)
class Response:
    """A response, and where it came from after redirects."""

    status: int
    headers: Mapping[str, str]
    text: str
    url: str

    @property
    def is_success(self) -> bool:
        """Whether the server did what it was asked for."""
        return http.client.OK <= self.status < http.client.MULTIPLE_CHOICES

    @property
    def is_refusal(self) -> bool:
        """Whether the server refuses the description or the fragment itself."""
        return _BAD_REQUEST <= self.status < _SERVER_ERROR and self.status not in _NOT_ABOUT_THE_BODY

    def words(self, method: str) -> str:
        """Return in one line what it says."""
        meaning = _WORDS.get(self.status, "")
        if after := self.headers.get("retry-after"):
            meaning = f"{meaning or 'not now'}; it asks to wait: {after}"
        body = " ".join(self.text.split())[:_SHOWN]
        parts = [f"{method} {self.url} was answered {self.status}", *([meaning] if meaning else [])]
        return ": ".join(parts) + (f" (it says: {body})" if body else "")


def request(method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """Send a request, follow redirects that keep its method, and return the response. Raises `Refused`."""
    for _ in range(_MOST_REDIRECTS + 1):
        response = _exchange(method, url, body, headers or {})
        if response.status not in _KEEPING_METHOD:
            if response.status in _OTHER_REDIRECTS:
                raise Refused(
                    INTERNAL,
                    f"{method} {url} was redirected by {response.status}, which makes a GET of it; RFC 9725 has 307",
                )
            return response
        if not response.headers.get("location"):
            raise Refused(INTERNAL, f"{method} {url} was redirected by {response.status} without a Location")
        url = _next(url, response.headers["location"])
    raise Refused(INTERNAL, f"{method} was redirected more than {_MOST_REDIRECTS} times, at last to {url}")


def _next(url: str, location: str) -> str:
    """Return where a response points to. A token that was meant for TLS does not go on without it."""
    there = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(there).scheme == "http":
        raise Refused(INTERNAL, f"{url} points to {there}, which is not protected by TLS any more")
    return there


def _exchange(method: str, url: str, body: str, headers: Mapping[str, str]) -> Response:
    parts = urlsplit(url)
    token = os.environ.get(TOKEN)
    all_headers = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        connection = _connection(parts)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body.encode() if body else None, all_headers)
            answer = connection.getresponse()
            text = answer.read(_LARGEST).decode("utf-8", "replace")
            said = {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Refused(INTERNAL, f"{method} {url} failed: {why}") from None
    sys.stderr.write(f"{method} {url}: {answer.status}\n")
    return Response(answer.status, said, text, url)


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=_WITHIN, context=ssl.create_default_context())
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_WITHIN)
    raise ValueError(f"{parts.scheme or 'no'} is not a scheme of WHIP")


class Resource:
    """A session at the server. ``answer`` is its present answer; ``url`` and ``etag`` are for what comes later."""

    takes_candidates = False  # whether a PATCH with candidates has ever succeeded in this process

    def __init__(self, endpoint: str, offer: str) -> None:
        """Give the endpoint an offer. Raises `Refused`: with `REJECTED` where the server rejects the offer."""
        response = request("POST", endpoint, offer, {"Content-Type": SDP, "Accept": SDP})
        if response.is_refusal:
            raise Refused(REJECTED, response.words("POST"))
        if response.status != http.client.CREATED:
            raise Refused(INTERNAL, response.words("POST"))
        if not response.headers.get("location"):
            raise Refused(
                INTERNAL,
                f"POST {response.url} was answered 201 without a Location: the session cannot be changed or ended",
            )
        self.url = _next(response.url, response.headers["location"])
        self.etag = response.headers.get("etag", "")
        self.answer = response.text
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != SDP:
            self.delete()
            raise Refused(INTERNAL, f"POST {response.url} was answered 201 with {kind or 'no Content-Type'}, not {SDP}")

    def add(self, text: str) -> None:
        """Add candidates by a fragment. Raises `Refused`."""
        response = self._patch(text, {"If-Match": self.etag} if self.etag else {})
        if not response.is_success:
            if not Resource.takes_candidates:
                _require_support(response, "takes no later candidates")
            raise _failed(response)
        Resource.takes_candidates = True

    def restart(self, text: str) -> None:
        """Restart ICE by a fragment; the answer is renewed. Raises `Refused`."""
        response = self._patch(text, {"If-Match": "*"})
        _require_support(response, "does not restart ICE")
        if not response.is_success:
            raise _failed(response)
        if not fragment.has_credentials(response.text):
            raise Refused(
                INTERNAL,
                f"PATCH {self.url} was answered {response.status} without new ICE credentials: it restarted nothing",
            )
        self.etag = response.headers.get("etag", self.etag)
        self.answer = fragment.restarted(self.answer, response.text)

    def _patch(self, text: str, headers: Mapping[str, str]) -> Response:
        response = request("PATCH", self.url, text, {"Content-Type": fragment.MEDIA_TYPE, **headers})
        if response.status in (http.client.METHOD_NOT_ALLOWED, http.client.NOT_IMPLEMENTED):
            raise Refused(
                NO_PARAMS, f"the server takes no PATCH: neither later candidates nor restarts ({response.status})"
            )
        return response

    def delete(self) -> None:
        """End it. That the server has ended it already is not an error. Raises `Refused`."""
        response = request("DELETE", self.url)
        if not response.is_success and response.status not in (http.client.NOT_FOUND, http.client.GONE):
            raise Refused(INTERNAL, response.words("DELETE"))


def _require_support(response: Response, otherwise: str) -> None:
    """Refuse as not supported a PATCH of the kind that the server does not take (RFC 9725 section 4.3.1)."""
    if response.status == http.client.UNPROCESSABLE_ENTITY:
        raise Refused(NO_PARAMS, f"the server {otherwise}: {response.words('PATCH')}")


def _failed(response: Response) -> Refused:
    return Refused(REJECTED if response.is_refusal else INTERNAL, response.words("PATCH"))
