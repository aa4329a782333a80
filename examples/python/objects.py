"""boto3: puts and gets an object, uploads a large one in parts, and creates presigned URLs.

Run it while `deno task dev` is running:

    . examples/dev.sh
    pip install -r examples/python/requirements.txt
    python3 examples/python/objects.py
"""

import io
import os
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

MIB = 1024 * 1024
BUCKET = "example-python"

# AWS_ENDPOINT_URL, the credentials and AWS_REGION come from the environment. Without s3v4, boto3 presigns URLs with the
# old version 2, which also fixes the content type.
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
s3.create_bucket(Bucket=BUCKET)

# An object with metadata. The conditional write makes sure that it replaces no existing object.
s3.put_object(
    Bucket=BUCKET,
    Key="reports/2025.txt",
    Body="Grüße".encode(),
    ContentType="text/plain; charset=utf-8",
    Metadata={"author": "ann"},
    IfNoneMatch="*",
)
got = s3.get_object(Bucket=BUCKET, Key="reports/2025.txt")
assert got["Body"].read().decode() == "Grüße"
print("got", got["ContentType"], got["Metadata"])

# Files of 8 MiB or more are uploaded in parts, several at a time.
large = os.urandom(20 * MIB + 1)
s3.upload_fileobj(
    io.BytesIO(large),
    BUCKET,
    "large.bin",
    Config=TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB),
)
head = s3.head_object(Bucket=BUCKET, Key="large.bin")
assert head["ETag"].endswith('-3"'), "it was not uploaded in three parts"
back = io.BytesIO()
s3.download_fileobj(BUCKET, "large.bin", back)
assert back.getvalue() == large
print("uploaded", head["ContentLength"], "bytes in parts, and got the same back")

# Presigned URLs: anyone with the URL can put or get this object for ten minutes, without credentials.
url = s3.generate_presigned_url(
    "put_object", Params={"Bucket": BUCKET, "Key": "from-a-friend"}, ExpiresIn=600
)
urllib.request.urlopen(urllib.request.Request(url, data=b"no credentials here", method="PUT"))
url = s3.generate_presigned_url(
    "get_object", Params={"Bucket": BUCKET, "Key": "from-a-friend"}, ExpiresIn=600
)
with urllib.request.urlopen(url) as response:
    print("by presigned URL:", response.read().decode())

# Pages of listings, and many deletes in one request.
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
    keys = [entry["Key"] for entry in page["Contents"]]
    print("deleting", keys)
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
s3.delete_bucket(Bucket=BUCKET)
