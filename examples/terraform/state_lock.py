"""Shows what Terraform does with `use_lockfile = true`: the lock is an object that only one client can create.

Run it while `deno task dev` is running:

    . examples/dev.sh
    pip install -r examples/python/requirements.txt
    python3 examples/terraform/state_lock.py
"""

import json
import threading

import boto3
from botocore.exceptions import ClientError

BUCKET = "example-terraform"
STATE = "lock-demo/terraform.tfstate"
LOCK = f"{STATE}.tflock"

s3 = boto3.client("s3")
try:
    s3.create_bucket(Bucket=BUCKET)
except s3.exceptions.BucketAlreadyOwnedByYou:
    pass


def lock(who):
    """Tries to take the lock; returns whether this client has it now."""
    body = json.dumps({"ID": who, "Operation": "OperationTypeApply", "Who": who})
    try:
        s3.put_object(
            Bucket=BUCKET,
            Key=LOCK,
            Body=body.encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
        return True
    except ClientError as error:
        assert error.response["Error"]["Code"] == "PreconditionFailed", error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 412, error
        return False


def holder():
    return json.loads(s3.get_object(Bucket=BUCKET, Key=LOCK)["Body"].read())["Who"]


# The first client gets the lock. The second gets a 412 and reads who holds it.
assert lock("ann")
assert not lock("bob")
print("locked by", holder(), "so bob waits")

# The holder writes the state, then frees the lock.
s3.put_object(Bucket=BUCKET, Key=STATE, Body=b'{"version": 4, "serial": 1}')
s3.delete_object(Bucket=BUCKET, Key=LOCK)
assert lock("bob")
print("locked by", holder(), "after ann freed it")
s3.delete_object(Bucket=BUCKET, Key=LOCK)

# If many clients try at the same moment, exactly one gets the lock.
winners = []
threads = [
    threading.Thread(target=lambda who=f"racer {i}": winners.append(who) if lock(who) else None)
    for i in range(8)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert winners == [holder()], winners
print("of", len(threads), "at once,", len(winners), "got it")

for key in (LOCK, STATE):
    s3.delete_object(Bucket=BUCKET, Key=key)
