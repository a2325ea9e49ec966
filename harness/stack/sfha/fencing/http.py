"""One HTTP request to a provider: its certificate is checked, redirects are not followed, answers have a size limit."""

import http.client
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .provider import ProviderError

MAX_ANSWER_BYTES = 1 << 20
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Server:
    """How to talk to a provider: certificates and patience."""

    verify_tls: bool = True
    ca_file: str = ""
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


def ask(server: Server, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
    """Send one request. Raises ProviderError, in words that hold no header and no query."""
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc}{parts.path}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection: http.client.HTTPConnection | None = None
    try:
        connection = _connection(server, parts.scheme, parts.hostname or "", parts.port)
        connection.request(method, path, body=body, headers={"Connection": "close", **headers})
        response = connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES + 1)
    except TimeoutError as error:
        raise ProviderError(f"{method} {where}: no answer within {server.timeout_s:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise ProviderError(
            f"{where}: the certificate is not trusted ({error.verify_message}); set ca_file, or verify_tls: false"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        raise ProviderError(f"{method} {where}: {reason}") from error
    finally:
        if connection is not None:
            connection.close()
    if len(content) > MAX_ANSWER_BYTES:
        raise ProviderError(f"{method} {where}: the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return Answer(response.status, response.reason[:LONGEST_REASON], content)


def _connection(server: Server, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=server.timeout_s)
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if not server.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=server.timeout_s, context=context)
