"""The client of object stores: signatures as AWS publishes them, and pages of a listing."""

import datetime

import pytest

from harness.stack.dataservices.rehearsal.s3 import keys_in, signed, target_of

KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
AT = datetime.datetime(2013, 5, 24, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("target", "signature"),
    [
        ("/?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_a_request_is_signed_as_in_the_examples_of_aws(target: str, signature: str) -> None:
    """Amazon S3, API Reference: *Authenticating Requests: Using the Authorization Header*, examples 3 and 4."""
    told = signed("GET", target, b"", host="examplebucket.s3.amazonaws.com", keys=KEYS, at=AT)
    assert told["Authorization"].endswith(f"Signature={signature}")
    assert "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request" in told["Authorization"]


def test_what_is_asked_for_is_quoted_and_in_the_order_of_its_names() -> None:
    assert target_of("app/a b+c/d") == "/app/a%20b%2Bc/d"
    asked = target_of("app", prefix="a/b", list_type="2", continuation_token="x=")
    assert asked == "/app?continuation-token=x%3D&list-type=2&prefix=a%2Fb"


def test_a_page_of_a_bucket_and_by_what_the_next_one_is_asked_for() -> None:
    head = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    page = f"{head}<Contents><Key>a&amp;b</Key></Contents><Contents><Key>c</Key></Contents>"
    assert keys_in(f"{page}</ListBucketResult>".encode()) == (["a&b", "c"], "")
    more = f"{page}<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
    assert keys_in(more.encode()) == (["a&b", "c"], "t")
