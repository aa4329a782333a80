"""What boto3 does with the gateway at AWS_ENDPOINT_URL.

Prints one line of JSON per check: {"name": ..., "error": null or a traceback}.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import socket
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.compat import HAS_CRT
from botocore.config import Config
from botocore.exceptions import ClientError, FlexibleChecksumError

MIB = 1024 * 1024
BUCKET = "boto.checks"

ONCE = Config(retries={"total_max_attempts": 1})

s3 = boto3.client("s3", config=ONCE)
# The gateway behind proxies that change what is uploaded, or downloaded, unless it is ASCII.
spoilt_uploads = boto3.client("s3", config=ONCE, endpoint_url=os.environ["SPOILT_UPLOADS"])
spoilt_downloads = boto3.client("s3", config=ONCE, endpoint_url=os.environ["SPOILT_DOWNLOADS"])
checks = []


def check(function):
    checks.append(function)
    return function


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), f"{got} in place of {(code, status)}"
        return error.response
    raise AssertionError(f"{call.__name__} was not refused")


def put(key, body=b"text", **arguments):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **arguments)


def read(key, **arguments):
    return s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


def fetch(url, method="GET", data=None, headers=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@check
def buckets():
    s3.create_bucket(Bucket=BUCKET)
    assert BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=BUCKET)
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None
    refused("404", 404, s3.head_bucket, Bucket="no-such-bucket")
    refused("NoSuchBucket", 404, s3.delete_bucket, Bucket="no-such-bucket")


@check
def put_head_get_delete():
    body = os.urandom(3 * MIB + 1)
    etag = put("a key", body)["ETag"]
    assert etag == f'"{hashlib.md5(body).hexdigest()}"', etag
    head = s3.head_object(Bucket=BUCKET, Key="a key")
    assert (head["ContentLength"], head["ETag"]) == (len(body), etag), head
    assert read("a key") == body
    s3.delete_object(Bucket=BUCKET, Key="a key")
    s3.delete_object(Bucket=BUCKET, Key="a key")
    refused("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key="a key")
    refused("404", 404, s3.head_object, Bucket=BUCKET, Key="a key")


@check
def body_of_unknown_length():
    class Unmeasured(io.RawIOBase):
        """A pipe: it neither seeks nor tells."""

        def __init__(self, data):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.data.readinto(buffer)

    body = os.urandom(9 * MIB)
    s3.upload_fileobj(Unmeasured(body), BUCKET, "stream")
    assert read("stream") == body


@check
def properties_and_metadata():
    put(
        "properties",
        ContentType="text/x-odd",
        CacheControl="max-age=5",
        ContentDisposition='attachment; filename="a b"',
        ContentEncoding="identity",
        ContentLanguage="de",
        Expires="Wed, 21 Oct 2037 07:28:00 GMT",
        StorageClass="STANDARD",
        Metadata={"one": "1", "two-three": " inner  blanks"[1:], "upper": "KEPT"},
    )
    head = s3.head_object(Bucket=BUCKET, Key="properties")
    assert head["ContentType"] == "text/x-odd"
    assert head["CacheControl"] == "max-age=5"
    assert head["ContentDisposition"] == 'attachment; filename="a b"'
    assert head["ContentEncoding"] == "identity"
    assert head["ContentLanguage"] == "de"
    assert head["Expires"].year == 2037
    assert head["Metadata"] == {"one": "1", "two-three": "inner  blanks", "upper": "KEPT"}, head["Metadata"]
    got = s3.get_object(
        Bucket=BUCKET,
        Key="properties",
        ResponseContentType="text/other",
        ResponseCacheControl="no-store",
    )
    assert (got["ContentType"], got["CacheControl"]) == ("text/other", "no-store")


@check
def ranges():
    body = bytes(range(256)) * 4000
    put("ranges", body)
    for text, expected in {
        "bytes=0-0": body[:1],
        "bytes=1000-300000": body[1000:300001],
        "bytes=1000000-": body[1000000:],
        "bytes=-5": body[-5:],
        "bytes=1023999-9999999": body[1023999:],
    }.items():
        got = s3.get_object(Bucket=BUCKET, Key="ranges", Range=text)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206, text
        assert got["Body"].read() == expected, text
    refused("InvalidRange", 416, s3.get_object, Bucket=BUCKET, Key="ranges", Range="bytes=2000000-")


@check
def listings():
    keys = [f"list/{folder}/{number:02}" for folder in "abc" for number in range(10)]
    keys += ["list/top 1", "list/top+2", "list/é", "list/\U0001f600", "list/&<>\"'", "list/\x01\n"]
    for key in keys:
        put(key, b"")
    keys.sort(key=lambda key: key.encode())

    for operation in ["list_objects_v2", "list_objects"]:
        pages = s3.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 4}
        )
        found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        assert found == keys, (operation, found)
        pages = s3.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2}
        )
        prefixes, found = [], []
        for page in pages:
            prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
            found += [item["Key"] for item in page.get("Contents", [])]
        assert prefixes == ["list/a/", "list/b/", "list/c/"], (operation, prefixes)
        assert found == [key for key in keys if key.count("/") == 1], (operation, found)

    after = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", StartAfter="list/b/05")
    assert after["Contents"][0]["Key"] == "list/b/06"
    assert after["KeyCount"] == len(after["Contents"]) and not after["IsTruncated"]
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)["KeyCount"] == 0
    # boto3 cannot name it in DeleteObjects: it is no character of XML.
    s3.delete_object(Bucket=BUCKET, Key="list/\x01\n")


@check
def delete_many():
    keys = [f"many/{number}" for number in range(20)] + ["many/ a&b<c>", "many/é\r\n"]
    for key in keys:
        put(key, b"")
    answer = s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in [*keys, "many/never-there"]]}
    )
    assert sorted(item["Key"] for item in answer["Deleted"]) == sorted([*keys, "many/never-there"])
    assert "Errors" not in answer
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")["KeyCount"] == 0
    put("many/1", b"")
    quiet = s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": "many/1"}], "Quiet": True}
    )
    assert "Deleted" not in quiet


@check
def copies():
    put("copy/from +é", b"copied", ContentType="text/x-from", Metadata={"one": "1"})
    source = {"Bucket": BUCKET, "Key": "copy/from +é"}
    answer = s3.copy_object(Bucket=BUCKET, Key="copy/to", CopySource=source)
    assert answer["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"copied").hexdigest()}"'
    head = s3.head_object(Bucket=BUCKET, Key="copy/to")
    assert (head["ContentType"], head["Metadata"]) == ("text/x-from", {"one": "1"}), head
    s3.copy_object(
        Bucket=BUCKET,
        Key="copy/to",
        CopySource=source,
        MetadataDirective="REPLACE",
        ContentType="text/x-to",
        Metadata={"two": "2"},
    )
    head = s3.head_object(Bucket=BUCKET, Key="copy/to")
    assert (head["ContentType"], head["Metadata"]) == ("text/x-to", {"two": "2"}), head
    assert read("copy/to") == b"copied"
    refused(
        "InvalidRequest", 400, s3.copy_object, Bucket=BUCKET, Key="copy/to",
        CopySource={"Bucket": BUCKET, "Key": "copy/to"},
    )
    refused(
        "NoSuchKey", 404, s3.copy_object, Bucket=BUCKET, Key="copy/to",
        CopySource={"Bucket": BUCKET, "Key": "copy/none"},
    )
    refused(
        "PreconditionFailed", 412, s3.copy_object, Bucket=BUCKET, Key="copy/to", CopySource=source,
        CopySourceIfMatch='"00000000000000000000000000000000"',
    )


@check
def transfers_in_parts():
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    body = os.urandom(23 * MIB + 5)
    s3.upload_fileobj(
        io.BytesIO(body), BUCKET, "parts/up", Config=config,
        ExtraArgs={"Metadata": {"one": "1"}, "ContentType": "text/x-parts"},
    )
    head = s3.head_object(Bucket=BUCKET, Key="parts/up")
    digests = [hashlib.md5(body[at : at + 5 * MIB]).digest() for at in range(0, len(body), 5 * MIB)]
    assert head["ETag"] == f'"{hashlib.md5(b"".join(digests)).hexdigest()}-{len(digests)}"', head
    assert (head["ContentType"], head["Metadata"]) == ("text/x-parts", {"one": "1"}), head
    down = io.BytesIO()
    s3.download_fileobj(BUCKET, "parts/up", down, Config=config)
    assert down.getvalue() == body
    s3.copy({"Bucket": BUCKET, "Key": "parts/up"}, BUCKET, "parts/copy", Config=config)
    assert read("parts/copy") == body
    assert read("parts/copy", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 2}") == body[5 * MIB - 2 : 5 * MIB + 3]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


@check
def parts_by_hand():
    target = {"Bucket": BUCKET, "Key": "by hand"}
    upload = s3.create_multipart_upload(**target)["UploadId"]
    bodies = {1: b"1" * 5 * MIB, 2: b"2" * 5 * MIB, 9: b"9"}
    etags = {}
    for number in [9, 1, 2]:
        answer = s3.upload_part(**target, UploadId=upload, PartNumber=number, Body=bodies[number])
        etags[number] = answer["ETag"]
    listed = s3.list_parts(**target, UploadId=upload)
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed["Parts"]] == [
        (number, len(bodies[number]), etags[number]) for number in [1, 2, 9]
    ], listed
    uploads = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [(u["Key"], u["UploadId"]) for u in uploads] == [("by hand", upload)]

    def complete(numbers, etag=None):
        parts = [{"PartNumber": number, "ETag": etag or etags[number]} for number in numbers]
        return s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})

    refused("InvalidPartOrder", 400, complete, numbers=[2, 1])
    refused("InvalidPart", 400, complete, numbers=[1, 9], etag='"' + "0" * 32 + '"')
    etags[10] = s3.upload_part(**target, UploadId=upload, PartNumber=10, Body=b"10")["ETag"]
    refused("EntityTooSmall", 400, complete, numbers=[1, 9, 10])
    complete([1, 2, 9])
    assert read("by hand") == bodies[1] + bodies[2] + bodies[9]
    refused("NoSuchUpload", 404, s3.list_parts, **target, UploadId=upload)

    aborted = s3.create_multipart_upload(**target)["UploadId"]
    s3.upload_part(**target, UploadId=aborted, PartNumber=1, Body=b"gone")
    s3.abort_multipart_upload(**target, UploadId=aborted)
    refused("NoSuchUpload", 404, s3.upload_part, **target, UploadId=aborted, PartNumber=1, Body=b"")
    assert read("by hand", Range="bytes=0-2") == b"111"


@check
def presigned_urls():
    body = "presigned é".encode()
    for version in [None, "s3v4", "s3"]:
        client = boto3.client("s3", config=Config(signature_version=version)) if version else s3
        target = {"Bucket": BUCKET, "Key": f"presigned/{version} +&é"}
        url = client.generate_presigned_url("put_object", Params=target, ExpiresIn=60)
        assert ("X-Amz-Signature=" in url) == (version == "s3v4"), url
        assert fetch(url, "PUT", body, {"Content-Type": ""})[0] == 200, (version, url)
        url = client.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
        assert fetch(url) == (200, body), version
        status, text = fetch(url.replace("presigned/", "presigned//"))
        assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in text, text
        overridden = client.generate_presigned_url(
            "get_object", Params={**target, "ResponseContentType": "text/x-odd"}, ExpiresIn=60
        )
        assert fetch(overridden)[0] == 200
        expired = client.generate_presigned_url("get_object", Params=target, ExpiresIn=1)
        time.sleep(2.1)
        status, text = fetch(expired)
        assert status == 403 and b"<Code>AccessDenied</Code>" in text, (version, status, text)
        url = client.generate_presigned_url("delete_object", Params=target, ExpiresIn=60)
        assert fetch(url, "DELETE")[0] == 204, version
        refused("404", 404, s3.head_object, **target)


@check
def conditional_writes():
    first = put("conditional", b"1", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="conditional", Body=b"2", IfNoneMatch="*")
    second = put("conditional", b"2", IfMatch=first)["ETag"]
    refused("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="conditional", Body=b"3", IfMatch=first)
    assert read("conditional") == b"2"
    refused("NoSuchKey", 404, s3.put_object, Bucket=BUCKET, Key="none", Body=b"", IfMatch=first)
    assert read("conditional", IfMatch=second) == b"2"
    refused("PreconditionFailed", 412, s3.get_object, Bucket=BUCKET, Key="conditional", IfMatch=first)
    refused("304", 304, s3.get_object, Bucket=BUCKET, Key="conditional", IfNoneMatch=second)


def crc(polynomial, bits):
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    ones = (1 << bits) - 1

    def compute(data):
        value = ones
        for byte in data:
            value = table[(value ^ byte) & 255] ^ (value >> 8)
        return (value ^ ones).to_bytes(bits // 8, "big")

    return compute


# What boto3 computes with awscrt alone; without it, the caller sends the value.
NEED_CRT = ["CRC32C", "CRC64NVME"]
DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": crc(0x82F63B78, 32),
    "CRC64NVME": crc(0x9A6C9329AC4BC9B5, 64),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}


def checksum_check(algorithm):
    field = f"Checksum{algorithm}"

    def run():
        body = os.urandom(100_000)
        expected = base64.b64encode(DIGESTS[algorithm](body)).decode()
        wrong = base64.b64encode(DIGESTS[algorithm](b"other")).decode()
        key = f"checksum/{algorithm}"
        if HAS_CRT or algorithm not in NEED_CRT:
            assert put(key, body, ChecksumAlgorithm=algorithm)[field] == expected
        put(key, body, **{field: expected})
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        assert head[field] == expected, head
        assert head["ChecksumType"] == "FULL_OBJECT", head
        # boto3 verifies what it can compute, and raises when it differs.
        assert read(key, ChecksumMode="ENABLED") == body
        refused("BadDigest", 400, s3.put_object, Bucket=BUCKET, Key="spoilt", Body=body, **{field: wrong})
        refused("404", 404, s3.head_object, Bucket=BUCKET, Key="spoilt")

    run.__name__ = f"checksum {algorithm}"
    checks.append(run)


for name in DIGESTS:
    checksum_check(name)


def beyond_ascii(size):
    return os.urandom(size).translate(bytes(value | 0x80 for value in range(256)))


def crc32_of(body):
    return base64.b64encode(DIGESTS["CRC32"](body)).decode()


def raises(expected, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except expected as error:
        return error
    raise AssertionError(f"{call} did not raise {expected}")


@check
def default_checksum():
    body = beyond_ascii(300_000)
    expected = (crc32_of(body), "FULL_OBJECT")
    answer = put("default", body)
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == expected, answer
    head = s3.head_object(Bucket=BUCKET, Key="default", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC32"], head["ChecksumType"]) == expected, head
    assert "ChecksumCRC32" not in s3.head_object(Bucket=BUCKET, Key="default")

    got = s3.get_object(Bucket=BUCKET, Key="default")
    assert got["ChecksumCRC32"] == expected[0], got
    assert got["Body"].read() == body
    spoilt = spoilt_downloads.get_object(Bucket=BUCKET, Key="default")["Body"]
    raises(FlexibleChecksumError, spoilt.read)

    error = raises(ClientError, spoilt_uploads.put_object, Bucket=BUCKET, Key="spoilt", Body=body)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
    refused("404", 404, s3.head_object, Bucket=BUCKET, Key="spoilt")


@check
def checksums_of_transfers_in_parts():
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    body = beyond_ascii(11 * MIB)
    pieces = [body[at : at + 5 * MIB] for at in range(0, len(body), 5 * MIB)]
    composite = f'{crc32_of(b"".join(DIGESTS["CRC32"](piece) for piece in pieces))}-3'
    whole = {"ChecksumCRC32": crc32_of(body), "ChecksumType": "FULL_OBJECT"}
    rows = [
        ({}, {"ChecksumCRC32": composite, "ChecksumType": "COMPOSITE"}),
        ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}, whole),
        ({"ChecksumCRC32": crc32_of(body)}, whole),
        ({"ChecksumAlgorithm": "SHA256"}, {"ChecksumType": "COMPOSITE"}),
    ]
    if HAS_CRT:
        rows.append(({"ChecksumAlgorithm": "CRC64NVME"}, {"ChecksumType": "FULL_OBJECT"}))
    for extra, expected in rows:
        s3.upload_fileobj(io.BytesIO(body), BUCKET, "parts", Config=config, ExtraArgs=extra)
        head = s3.head_object(Bucket=BUCKET, Key="parts", ChecksumMode="ENABLED")
        assert {name: head.get(name) for name in expected} == expected, (extra, head)
        down = io.BytesIO()
        s3.download_fileobj(BUCKET, "parts", down, Config=config)
        assert down.getvalue() == body, extra
        if expected["ChecksumType"] == "COMPOSITE":
            # Ranges that are parts come with the parts' checksums.
            raises(
                FlexibleChecksumError, spoilt_downloads.download_fileobj,
                BUCKET, "parts", io.BytesIO(), Config=config,
            )
        else:
            spoilt = spoilt_downloads.get_object(Bucket=BUCKET, Key="parts")["Body"]
            raises(FlexibleChecksumError, spoilt.read)

    wrong = {"ChecksumCRC32": crc32_of(b"other")}
    for client, extra in [(s3, wrong), (spoilt_uploads, {})]:
        error = raises(
            ClientError, client.upload_fileobj,
            io.BytesIO(body), BUCKET, "spoilt", Config=config, ExtraArgs=extra,
        )
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
        refused("404", 404, s3.head_object, Bucket=BUCKET, Key="spoilt")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


@check
def object_attributes():
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    body = os.urandom(11 * MIB)
    pieces = [body[at : at + 5 * MIB] for at in range(0, len(body), 5 * MIB)]
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "attributes", Config=config)
    head = s3.head_object(Bucket=BUCKET, Key="attributes", ChecksumMode="ENABLED")
    target = {"Bucket": BUCKET, "Key": "attributes"}
    everything = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    found = s3.get_object_attributes(**target, ObjectAttributes=everything)
    assert f'"{found["ETag"]}"' == head["ETag"], found
    assert (found["ObjectSize"], found["StorageClass"]) == (len(body), "STANDARD"), found
    assert found["LastModified"] == head["LastModified"], found
    assert found["Checksum"] == {
        "ChecksumCRC32": head["ChecksumCRC32"].removesuffix("-3"),
        "ChecksumType": "COMPOSITE",
    }, found
    parts = [
        {"PartNumber": number, "Size": len(piece), "ChecksumCRC32": crc32_of(piece)}
        for number, piece in enumerate(pieces, 1)
    ]
    assert found["ObjectParts"]["Parts"] == parts, found

    pages = []
    marker = 0
    while True:
        page = s3.get_object_attributes(
            **target, ObjectAttributes=["ObjectParts"], MaxParts=2, PartNumberMarker=marker
        )["ObjectParts"]
        assert (page["TotalPartsCount"], page["MaxParts"]) == (3, 2), page
        pages.append(page["Parts"])
        if not page["IsTruncated"]:
            break
        marker = page["NextPartNumberMarker"]
    assert pages == [parts[:2], parts[2:]], pages

    put("attributes")
    found = s3.get_object_attributes(**target, ObjectAttributes=everything)
    assert "ObjectParts" not in found, found
    assert found["Checksum"]["ChecksumCRC32"] == crc32_of(b"text"), found
    refused(
        "NoSuchKey", 404, s3.get_object_attributes,
        Bucket=BUCKET, Key="none", ObjectAttributes=everything,
    )


@check
def content_md5():
    md5 = base64.b64encode(hashlib.md5(b"text").digest()).decode()
    put("md5", ContentMD5=md5)
    refused("BadDigest", 400, s3.put_object, Bucket=BUCKET, Key="md5", Body=b"other", ContentMD5=md5)
    refused("InvalidDigest", 400, s3.put_object, Bucket=BUCKET, Key="md5", Body=b"other", ContentMD5="x")


@check
def tags():
    def sent(pairs):
        return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}

    def of(key):
        return [(tag["Key"], tag["Value"]) for tag in s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]]

    put("tags/a", b"tagged", Tagging="team=a+b&x=%2B")
    assert of("tags/a") == [("team", "a b"), ("x", "+")], of("tags/a")
    before = s3.head_object(Bucket=BUCKET, Key="tags/a")
    assert before["TagCount"] == 2, before
    pairs = [("Team", ""), ("team", "\u00e9"), ("z:/@", "=+-._")]
    s3.put_object_tagging(Bucket=BUCKET, Key="tags/a", Tagging=sent(pairs))
    assert of("tags/a") == pairs, of("tags/a")
    after = s3.get_object(Bucket=BUCKET, Key="tags/a")
    assert after["TagCount"] == 3, after
    assert all(after[name] == before[name] for name in ["ETag", "LastModified"]), (before, after)
    s3.copy_object(Bucket=BUCKET, Key="tags/b", CopySource={"Bucket": BUCKET, "Key": "tags/a"})
    assert of("tags/b") == pairs, of("tags/b")
    eleven = sent([(f"k{number}", "") for number in range(11)])
    refused("BadRequest", 400, s3.put_object_tagging, Bucket=BUCKET, Key="tags/a", Tagging=eleven)
    refused(
        "InvalidTag", 400, s3.put_object_tagging, Bucket=BUCKET, Key="tags/a",
        Tagging=sent([("a", "1"), ("a", "2")]),
    )
    s3.delete_object_tagging(Bucket=BUCKET, Key="tags/a")
    assert of("tags/a") == []

    refused("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=BUCKET)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging=sent(pairs))
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == sent(pairs)["TagSet"]
    s3.delete_bucket_tagging(Bucket=BUCKET)
    refused("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=BUCKET)
    new = f"{BUCKET}-tagged"
    s3.create_bucket(Bucket=new, CreateBucketConfiguration={"Tags": sent(pairs)["TagSet"]})
    assert s3.get_bucket_tagging(Bucket=new)["TagSet"] == sent(pairs)["TagSet"]
    s3.delete_bucket(Bucket=new)
    s3.create_bucket(Bucket=new)
    refused("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=new)
    s3.delete_bucket(Bucket=new)


@check
def odd_keys():
    keys = [
        "a//b", "a/../b", "./x", "..", ".", "foo%2Fbar", "+", "%", " ", "é", "e\u0301", "\U0001f600",
        "quotes'\"", "&<>", "\x01\x7f", "\r\n", "trailing/", "/leading", "*", "$O.x.M.>", "k" * 1024,
        "?a=b#c", "\\", "\u2028", "~!@^()[]{}|;:,`",
    ]
    for number, key in enumerate(keys):
        put(key, f"odd {number}".encode())
    for number, key in enumerate(keys):
        assert read(key) == f"odd {number}".encode(), key
    listed = {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert listed.issuperset(keys), set(keys) - listed
    for key in keys:
        s3.copy_object(Bucket=BUCKET, Key="odd copy", CopySource={"Bucket": BUCKET, "Key": key})
        s3.delete_object(Bucket=BUCKET, Key=key)
    listed = {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
    assert listed.isdisjoint(keys), listed.intersection(keys)


@contextlib.contextmanager
def names_below_localhost():
    """Resolves them as RFC 6761 demands, which few systems do: SDKs put the account before the endpoint's host."""
    resolve = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **more: resolve(
        "127.0.0.1" if host.endswith("localhost") else host, *rest, **more
    )
    try:
        yield
    finally:
        socket.getaddrinfo = resolve


@check
def the_account_and_tags_of_buckets():
    endpoint = f"http://localhost:{urllib.parse.urlsplit(os.environ['AWS_ENDPOINT_URL']).port}"
    sts = boto3.client("sts", config=ONCE)
    caller = sts.get_caller_identity()
    account, user = caller["Account"], os.environ["AWS_ACCESS_KEY_ID"]
    assert account == "000000000000", caller
    assert (caller["Arn"], caller["UserId"]) == (f"arn:aws:iam::{account}:user/{user}", user), caller
    assert caller["ResponseMetadata"]["RequestId"], caller
    status, body = fetch(sts.generate_presigned_url("get_caller_identity", HttpMethod="GET"))
    assert status == 200 and account.encode() in body, body
    refused("InvalidAction", 400, sts.get_session_token)
    nobody = boto3.client("sts", aws_access_key_id="nobody", aws_secret_access_key="wrong", config=ONCE)
    refused("InvalidClientTokenId", 403, nobody.get_caller_identity)
    wrong = boto3.client("sts", aws_access_key_id=user, aws_secret_access_key="wrong", config=ONCE)
    refused("SignatureDoesNotMatch", 403, wrong.get_caller_identity)

    s3.head_bucket(Bucket=BUCKET, ExpectedBucketOwner=account)
    refused("403", 403, s3.head_bucket, Bucket=BUCKET, ExpectedBucketOwner="111122223333")

    control = boto3.client("s3control", endpoint_url=endpoint, config=ONCE)
    bucket = {"AccountId": account, "ResourceArn": f"arn:aws:s3:::{BUCKET}"}
    tags = [{"Key": "env:é", "Value": ""}, {"Key": "team", "Value": "a b"}]
    with names_below_localhost():
        assert control.list_tags_for_resource(**bucket)["Tags"] == []
        control.tag_resource(**bucket, Tags=tags)
        control.tag_resource(**bucket, Tags=tags[:1])
        assert control.list_tags_for_resource(**bucket)["Tags"] == tags
        assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == tags
        control.untag_resource(**bucket, TagKeys=["team", "no such"])
        assert control.list_tags_for_resource(**bucket)["Tags"] == tags[:1]
        control.untag_resource(**bucket, TagKeys=["env:é"])
        assert control.list_tags_for_resource(**bucket)["Tags"] == []

        reserved = [{"Key": "aws:a", "Value": "1"}]
        error = refused("InvalidTag", 400, control.tag_resource, **bucket, Tags=reserved)
        assert error["ResponseMetadata"]["RequestId"] and error["HostId"], error
        missing = {**bucket, "ResourceArn": "arn:aws:s3:::no-such-bucket"}
        refused("NoSuchResource", 404, control.list_tags_for_resource, **missing)
        point = {**bucket, "ResourceArn": f"arn:aws:s3:us-east-1:{account}:accesspoint/a"}
        refused("NoSuchResource", 404, control.list_tags_for_resource, **point)
        other = {**bucket, "AccountId": "111122223333"}
        refused("AccessDenied", 403, control.list_tags_for_resource, **other)
        refused(
            "NoSuchPublicAccessBlockConfiguration",
            404,
            control.get_public_access_block,
            AccountId=account,
        )
    refused("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=BUCKET)


@check
def versions_and_acls_of_what_has_none():
    bucket = "only-null-versions"
    s3.create_bucket(Bucket=bucket)
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"a {number}", Body=b"")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    versions = [version for page in pages for version in page.get("Versions", [])]
    assert [(v["Key"], v["VersionId"], v["IsLatest"]) for v in versions] == [
        (f"a {number}", "null", True) for number in range(5)
    ], versions
    for acl in s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="a 0"):
        [grant] = acl["Grants"]
        assert grant["Permission"] == "FULL_CONTROL" and grant["Grantee"]["Type"] == "CanonicalUser", grant
        assert grant["Grantee"]["ID"] == acl["Owner"]["ID"], acl
        policy = {"Owner": acl["Owner"], "Grants": acl["Grants"]}
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    # Tools empty a bucket so.
    boto3.resource("s3").Bucket(bucket).object_versions.delete()
    s3.delete_bucket(Bucket=bucket)


@check
def error_codes():
    refused("NoSuchBucket", 404, s3.list_objects_v2, Bucket="no-such-bucket")
    refused("NoSuchBucket", 404, s3.put_object, Bucket="no-such-bucket", Key="k", Body=b"")
    refused("KeyTooLongError", 400, s3.put_object, Bucket=BUCKET, Key="k" * 1025, Body=b"")
    refused("MetadataTooLarge", 400, s3.put_object, Bucket=BUCKET, Key="k", Body=b"", Metadata={"a": "b" * 3000})
    refused("NotImplemented", 501, s3.get_object_torrent, Bucket=BUCKET, Key="k")
    s3.delete_public_access_block(Bucket=BUCKET)  # there is none, and the bucket stays
    s3.create_bucket(Bucket=BUCKET)  # one's own, in us-east-1
    wrong = {
        "InvalidAccessKeyId": boto3.client("s3", aws_access_key_id="nobody", aws_secret_access_key="wrong"),
        "SignatureDoesNotMatch": boto3.client(
            "s3",
            aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key="wrong",
        ),
    }
    for code, client in wrong.items():
        error = refused(code, 403, client.list_objects_v2, Bucket=BUCKET)
        assert error["ResponseMetadata"]["RequestId"], error
    refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket=BUCKET)


@check
def resources_and_the_end():
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.put_object(Key="by resource", Body=b"1")
    assert bucket.Object("by resource").get()["Body"].read() == b"1"
    bucket.objects.all().delete()
    bucket.delete()
    assert BUCKET not in [item["Name"] for item in s3.list_buckets()["Buckets"]]


for function in checks:
    error = None
    try:
        function()
    except Exception:  # a check's failure is its report
        error = traceback.format_exc()
    print(json.dumps({"name": function.__name__.replace("_", " "), "error": error}))
    sys.stdout.flush()
