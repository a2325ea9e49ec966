"""A client of an object store (S3) that stands on its own on a server: for whoever looks after it, and for its tests.

Nothing but Python: requests are signed as AWS describes it (*Signature Version 4*). PLACES are HOST,PORT, separated by
plus signs; where one gives no answer, the next one is asked. Usage:

s3.py PLACES SECRETS make BUCKET
s3.py PLACES SECRETS list BUCKET [PREFIX]
s3.py PLACES SECRETS put BUCKET/KEY         from standard input
s3.py PLACES SECRETS get BUCKET/KEY         to standard output
s3.py PLACES SECRETS delete BUCKET/KEY
"""

import datetime
import hashlib
import hmac
import http.client
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from .notes import secret_in

REGION = "us-east-1"
"""What servers that have no regions take."""
GIVEN_UP_AFTER_S = 2.0
NOT_DONE = (OSError, http.client.HTTPException)
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Refused(OSError):
    """The store answered, and not with yes."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


def signed(
    method: str, target: str, body: bytes, *, host: str, keys: tuple[str, str], at: datetime.datetime
) -> Mapping[str, str]:
    """The headers of a request that is made now by whoever has these keys, an access and a secret one.

    ``target`` is its path and query, quoted, the query in the order of its names.
    """
    access, secret = keys
    stamp, day, digest = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d"), hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(headers)
    path, _, query = target.partition("?")
    lines = [method, path, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, digest]
    scope = f"{day}/{REGION}/s3/aws4_request"
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for word in (day, REGION, "s3", "aws4_request", f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    said = f"Credential={access}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return {**headers, "Authorization": f"AWS4-HMAC-SHA256 {said}"}


def target_of(name: str, **query: str) -> str:
    """Path and query about a bucket, or an object BUCKET/KEY."""
    asked = "&".join(f"{key.replace('_', '-')}={quote(value, safe='')}" for key, value in sorted(query.items()))
    return f"/{quote(name)}" + (f"?{asked}" if asked else "")


def keys_in(listing: bytes) -> tuple[list[str], str]:
    """The keys of one page of a bucket, and by what the next page is asked for (nothing: it was the last one)."""
    root = ElementTree.fromstring(listing)
    keys = [one.text or "" for one in root.iterfind(f"{_NAMESPACE}Contents/{_NAMESPACE}Key")]
    return keys, root.findtext(f"{_NAMESPACE}NextContinuationToken") or ""


class Client:
    """Of one place, as whoever has the keys of a file of credentials."""

    def __init__(self, place: str, secrets: str) -> None:
        text = Path(secrets).read_text(encoding="ascii")
        self._keys = secret_in(text, "OBJECTS_ACCESS_KEY"), secret_in(text, "OBJECTS_SECRET_KEY")
        self.place = place
        host, _, port = place.rpartition(",")
        self._host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._connection = http.client.HTTPConnection(host, int(port), timeout=GIVEN_UP_AFTER_S)

    def asked(self, method: str, target: str, body: bytes = b"", *, by_name: bool = True) -> bytes:
        """What is answered. Raises one of NOT_DONE; the next one connects again. Not ``by_name``: as nobody at all."""
        now = datetime.datetime.now(datetime.UTC)
        headers = signed(method, target, body, host=self._host, keys=self._keys, at=now) if by_name else {}
        try:
            self._connection.request(method, target, body, headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except NOT_DONE:
            self.close()
            raise
        if answer.status // 100 != 2:
            why = said[:200].decode(errors="replace")
            raise Refused(answer.status, f"{self.place}: {method} {target}: {answer.status} {why}")
        return said

    def make(self, bucket: str) -> None:
        """There is such a bucket. Raises one of NOT_DONE."""
        try:
            self.asked("HEAD", target_of(bucket))
        except Refused:
            self.asked("PUT", target_of(bucket))

    def listed(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """All keys. Raises one of NOT_DONE."""
        query = {"list_type": "2", "prefix": prefix}
        while True:
            keys, token = keys_in(self.asked("GET", target_of(bucket, **query)))
            yield from keys
            if not token:
                return
            query["continuation_token"] = token

    def close(self) -> None:
        """Idempotent."""
        self._connection.close()


def clients_of(places: str, secrets: str) -> Sequence[Client]:
    """One of each place."""
    return [Client(place, secrets) for place in places.split("+")]


def done(client: Client, words: Sequence[str]) -> bool:
    """Carry a command out; whether it is one. Raises one of NOT_DONE."""
    match words:
        case ["make", bucket]:
            client.make(bucket)
        case ["list", bucket, *prefix] if len(prefix) <= 1:
            sys.stdout.write("".join([f"{key}\n" for key in client.listed(bucket, *prefix)]))
        case ["put", name]:
            client.asked("PUT", target_of(name), sys.stdin.buffer.read())
        case ["get", name]:
            sys.stdout.buffer.write(client.asked("GET", target_of(name)))
        case ["delete", name]:
            client.asked("DELETE", target_of(name))
        case _:
            return False
    return True


def main(words: Sequence[str]) -> int:
    """The exit code."""
    if len(words) < 3:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    places, secrets, *command = words
    for client in clients_of(places, secrets):
        try:
            if done(client, command):
                return 0
        except NOT_DONE as error:
            sys.stderr.write(f"{client.place}: {error}\n")
            if isinstance(error, Refused) or command[0] == "put":
                return 1  # what was to be put has been read, and may be there
        else:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
