"""What boto3 does with versions, locks and lifecycles at AWS_ENDPOINT_URL. Prints "ok" at the end."""

import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ONCE = Config(retries={"total_max_attempts": 1})

s3 = boto3.client("s3", config=ONCE)
resource = boto3.resource("s3", config=ONCE)


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), f"{got} in place of {(code, status)}"
        return error.response
    raise AssertionError(f"{call.__name__} was not refused")


def versions():
    bucket = resource.create_bucket(Bucket="versions")
    versioning = resource.BucketVersioning("versions")
    assert versioning.status is None and versioning.mfa_delete is None
    versioning.enable()
    versioning.reload()
    assert versioning.status == "Enabled", versioning.status
    ids = [bucket.put_object(Key="key +ä", Body=body).version_id for body in (b"one", b"second")]
    assert len(set(ids)) == 2 and None not in ids, ids
    for page_size in (1, 2, 100):
        found = list(bucket.object_versions.page_size(page_size))
        assert [item.id for item in found] == ids[::-1], found
    old = resource.ObjectVersion("versions", "key +ä", ids[0])
    assert old.get()["Body"].read() == b"one"
    assert old.head()["ContentLength"] == 3
    attributes = s3.get_object_attributes(
        Bucket="versions",
        Key="key +ä",
        VersionId=ids[0],
        ObjectAttributes=["ObjectSize", "ETag"],
    )
    assert (attributes["ObjectSize"], attributes["VersionId"]) == (3, ids[0]), attributes

    copied = s3.copy_object(
        Bucket="versions",
        Key="copy",
        CopySource={"Bucket": "versions", "Key": "key +ä", "VersionId": ids[0]},
    )
    assert copied["CopySourceVersionId"] == ids[0] and copied["VersionId"] not in ids, copied
    s3.get_waiter("object_exists").wait(Bucket="versions", Key="copy", VersionId=copied["VersionId"])
    s3.put_object_tagging(
        Bucket="versions", Key="key +ä", VersionId=ids[0], Tagging={"TagSet": [{"Key": "a", "Value": "1"}]}
    )
    assert s3.get_object_tagging(Bucket="versions", Key="key +ä")["TagSet"] == []
    assert s3.get_object_tagging(Bucket="versions", Key="key +ä", VersionId=ids[0])["VersionId"] == ids[0]

    marked = bucket.Object("copy").delete()
    assert marked["DeleteMarker"] and marked["VersionId"] != copied["VersionId"], marked
    s3.get_waiter("object_not_exists").wait(Bucket="versions", Key="copy")
    refused("404", 404, s3.head_object, Bucket="versions", Key="copy")
    marker = {"Bucket": "versions", "Key": "copy", "VersionId": marked["VersionId"]}
    answer = refused("MethodNotAllowed", 405, s3.get_object, **marker)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true" and "last-modified" in headers, headers
    assert headers["allow"] == "DELETE", headers
    refused("405", 405, s3.head_object, **marker)
    listed = s3.list_object_versions(Bucket="versions", Prefix="copy")
    assert [item["IsLatest"] for item in listed["DeleteMarkers"]] == [True], listed
    assert s3.delete_object(**marker)["DeleteMarker"] is True
    assert bucket.Object("copy").get()["Body"].read() == b"one"

    removed = bucket.delete_objects(Delete={"Objects": [{"Key": "copy"}, {"Key": "key +ä", "VersionId": ids[1]}]})
    assert removed["Deleted"][0]["DeleteMarker"] and removed["Deleted"][0]["DeleteMarkerVersionId"], removed
    assert removed["Deleted"][1] == {"Key": "key +ä", "VersionId": ids[1]}, removed
    assert bucket.Object("key +ä").get()["VersionId"] == ids[0]
    refused("NoSuchVersion", 404, s3.get_object, Bucket="versions", Key="key +ä", VersionId=ids[1])
    refused("InvalidArgument", 400, s3.get_object, Bucket="versions", Key="key +ä", VersionId="x y")

    versioning.suspend()
    assert bucket.put_object(Key="key +ä", Body=b"null").version_id == "null"
    refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket="versions")
    bucket.object_versions.delete()
    assert list(bucket.object_versions.all()) == []
    bucket.delete()
    bucket.wait_until_not_exists()


def locks():
    bucket = resource.create_bucket(Bucket="locks", ObjectLockEnabledForBucket=True)
    configuration = s3.get_object_lock_configuration(Bucket="locks")["ObjectLockConfiguration"]
    assert configuration == {"ObjectLockEnabled": "Enabled"}, configuration
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket="locks", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    assert s3.get_object_lock_configuration(Bucket="locks")["ObjectLockConfiguration"]["Rule"] == rule
    until = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=2)
    stated = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ObjectLockLegalHoldStatus": "ON"}
    first = bucket.put_object(Key="key", Body=b"1", **stated)
    version = {"Bucket": "locks", "Key": "key", "VersionId": first.version_id}
    head = s3.head_object(**version)
    assert {name: head[name] for name in stated} == stated, head
    assert s3.get_object_retention(**version)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    # In parts, the default of the bucket counts.
    upload = bucket.Object("parts").initiate_multipart_upload()
    part = upload.Part(1).upload(Body=b"x")
    upload.complete(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert bucket.Object("parts").object_lock_mode == "GOVERNANCE"

    refused("AccessDenied", 403, s3.delete_object, **version, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    refused("AccessDenied", 403, s3.delete_object, **version)
    sooner = {"Mode": "GOVERNANCE", "RetainUntilDate": until - datetime.timedelta(days=1)}
    refused("AccessDenied", 403, s3.put_object_retention, **version, Retention=sooner)
    s3.put_object_retention(**version, Retention=sooner, BypassGovernanceRetention=True)
    later = {"Mode": "COMPLIANCE", "RetainUntilDate": until + datetime.timedelta(days=1)}
    s3.put_object_retention(**version, Retention=later, BypassGovernanceRetention=True)
    refused("AccessDenied", 403, s3.delete_object, **version, BypassGovernanceRetention=True)
    answer = bucket.object_versions.filter(Prefix="key").delete(BypassGovernanceRetention=True)
    assert [error["Code"] for error in answer[0]["Errors"]] == ["AccessDenied"], answer
    answer = bucket.object_versions.filter(Prefix="parts").delete(BypassGovernanceRetention=True)
    assert len(answer[0]["Deleted"]) == 1, answer
    refused("InvalidBucketState", 409, resource.BucketVersioning("locks").suspend)
    assert s3.get_object(**version)["Body"].read() == b"1"


def lifecycles():
    s3.create_bucket(Bucket="lifecycles")
    refused("NoSuchLifecycleConfiguration", 404, s3.get_bucket_lifecycle_configuration, Bucket="lifecycles")
    rules = [
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 2}},
        {
            "ID": "b",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "", "Tags": [{"Key": "a", "Value": "ä"}], "ObjectSizeGreaterThan": 1}},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 3},
        },
        {
            "ID": "c",
            "Status": "Enabled",
            "Filter": {},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "d",
            "Status": "Enabled",
            "Filter": {"Prefix": "tmp/"},
            "Expiration": {"Date": datetime.datetime(2031, 1, 1, tzinfo=datetime.timezone.utc)},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="lifecycles", LifecycleConfiguration={"Rules": rules})
    got = s3.get_bucket_lifecycle_configuration(Bucket="lifecycles")
    assert got["Rules"] == rules, got["Rules"]
    assert got["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K", got
    s3.put_object(Bucket="lifecycles", Key="logs/a", Body=b"1")
    assert 'rule-id="a"' in s3.head_object(Bucket="lifecycles", Key="logs/a")["Expiration"]
    upload = s3.create_multipart_upload(Bucket="lifecycles", Key="parts")
    assert upload["AbortRuleId"] == "c" and upload["AbortDate"] > datetime.datetime.now(datetime.timezone.utc), upload
    s3.delete_bucket_lifecycle(Bucket="lifecycles")
    refused("NoSuchLifecycleConfiguration", 404, resource.BucketLifecycleConfiguration("lifecycles").load)


versions()
locks()
lifecycles()
print("ok")
