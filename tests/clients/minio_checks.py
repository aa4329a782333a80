"""Asks a gateway what MinIO's Python client asks of buckets and objects, and prints "ok" at the end."""

import io
import os

from minio import Minio
from minio.commonconfig import CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

url = os.environ["AWS_ENDPOINT_URL"]
client = Minio(
    endpoint=url.split("://")[1],
    access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    secure=url.startswith("https"),
)
BUCKET = "minio-client"


def refused(code, call, *args, **more):
    try:
        call(*args, **more)
    except S3Error as error:
        assert error.code == code, error
        return
    raise AssertionError(f"{call} succeeded")


def tags(**pairs):
    made = Tags(for_object=True)
    made.update(pairs)
    return made


assert not client.bucket_exists(bucket_name=BUCKET)
client.make_bucket(bucket_name=BUCKET)
assert client.bucket_exists(bucket_name=BUCKET)
assert BUCKET in [bucket.name for bucket in client.list_buckets()]

# What tools ask of a bucket before they use it.
assert not client.get_bucket_versioning(bucket_name=BUCKET).status
assert client.get_bucket_tags(bucket_name=BUCKET) is None
assert client.get_bucket_encryption(bucket_name=BUCKET) is None
assert client.get_bucket_lifecycle(bucket_name=BUCKET) is None
assert client.get_bucket_replication(bucket_name=BUCKET) is None
refused("NoSuchBucketPolicy", client.get_bucket_policy, bucket_name=BUCKET)
assert not client.get_bucket_notification(bucket_name=BUCKET).queue_config_list

bucket_tags = Tags.new_bucket_tags()
bucket_tags["team"] = "a b"
client.set_bucket_tags(bucket_name=BUCKET, tags=bucket_tags)
assert client.get_bucket_tags(bucket_name=BUCKET) == {"team": "a b"}
client.delete_bucket_tags(bucket_name=BUCKET)
assert client.get_bucket_tags(bucket_name=BUCKET) is None

# Objects with tags, in one piece and in parts.
client.put_object(
    bucket_name=BUCKET, object_name="one", data=io.BytesIO(b"bytes"), length=5, tags=tags(a="1")
)
large = os.urandom(6 * 1024 * 1024)
client.put_object(
    bucket_name=BUCKET,
    object_name="parts",
    data=io.BytesIO(large),
    length=-1,
    part_size=5 * 1024 * 1024,
    tags=tags(b="2"),
)
for key, expected in [("one", {"a": "1"}), ("parts", {"b": "2"})]:
    assert client.get_object_tags(bucket_name=BUCKET, object_name=key) == expected, key
response = client.get_object(bucket_name=BUCKET, object_name="parts")
assert response.read() == large
response.close()
response.release_conn()
client.copy_object(bucket_name=BUCKET, object_name="copy", source=CopySource(BUCKET, "one"))
assert client.get_object_tags(bucket_name=BUCKET, object_name="copy") == {"a": "1"}
client.set_object_tags(bucket_name=BUCKET, object_name="one", tags=tags(c="3", d=""))
assert client.get_object_tags(bucket_name=BUCKET, object_name="one") == {"c": "3", "d": ""}
client.delete_object_tags(bucket_name=BUCKET, object_name="one")
assert client.get_object_tags(bucket_name=BUCKET, object_name="one") is None

# Versions, as `mc ls --versions` and `mc rm --versions` list them.
versions = list(client.list_objects(bucket_name=BUCKET, include_version=True, recursive=True))
assert [(one.object_name, one.version_id, one.is_latest) for one in versions] == [
    (key, "null", "true") for key in ["copy", "one", "parts"]
], [(one.object_name, one.version_id, one.is_latest) for one in versions]
errors = client.remove_objects(
    bucket_name=BUCKET,
    delete_object_list=[DeleteObject(one.object_name, one.version_id) for one in versions],
)
assert list(errors) == []
assert list(client.list_objects(bucket_name=BUCKET)) == []
client.remove_bucket(bucket_name=BUCKET)
assert not client.bucket_exists(bucket_name=BUCKET)
print("ok")
