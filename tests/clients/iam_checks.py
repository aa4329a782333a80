"""What boto3 does with IAM on the gateway at AWS_ENDPOINT_URL.

Prints one line of JSON per check: {"name": ..., "error": null or a traceback}.
"""

import json
import sys
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ONCE = Config(retries={"total_max_attempts": 1})

iam = boto3.client("iam", config=ONCE)
checks = []

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"}],
}
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def check(function):
    checks.append(function)
    return function


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        got = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), f"{got} in place of {(code, status)}"
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call.__name__} was not refused")


@check
def users_and_their_keys():
    user = iam.create_user(UserName="ann", Path="/staff/", Tags=[{"Key": "team", "Value": "a b"}])["User"]
    assert user["Arn"].endswith(":user/staff/ann"), user
    iam.get_waiter("user_exists").wait(UserName="ann")
    assert iam.get_user(UserName="ann")["User"] == user
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    assert key["Status"] == "Active" and len(key["SecretAccessKey"]) == 40, key
    listed = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert [item["AccessKeyId"] for item in listed] == [key["AccessKeyId"]], listed
    assert "LastUsedDate" not in iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    refused("DeleteConflict", 409, iam.delete_user, UserName="ann")
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert iam.list_user_tags(UserName="ann")["Tags"] == [{"Key": "team", "Value": "a b"}]
    try:
        iam.get_login_profile(UserName="ann")
        raise AssertionError("there is a login profile")
    except iam.exceptions.NoSuchEntityException:
        pass
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    iam.delete_user(UserName="ann")


@check
def the_keys_of_a_user_who_may_do_little():
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    pair = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    own = boto3.client("iam", config=ONCE, **pair)
    arn = boto3.client("sts", config=ONCE, **pair).get_caller_identity()["Arn"]
    assert arn.endswith(":user/bob"), arn
    assert own.get_user()["User"]["UserName"] == "bob"
    message = refused("AccessDenied", 403, own.create_user, UserName="eve")
    assert message == (
        f"User: {arn} is not authorized to perform: iam:CreateUser on resource: {arn.replace('bob', 'eve')}"
    ), message
    allow = {**POLICY, "Statement": [{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}]}
    iam.put_user_policy(UserName="bob", PolicyName="make", PolicyDocument=json.dumps(allow))
    own.create_user(UserName="eve")
    iam.delete_user(UserName="eve")
    second = own.create_access_key()["AccessKey"]
    own.delete_access_key(AccessKeyId=key["AccessKeyId"])
    refused("InvalidClientTokenId", 403, own.get_user)
    iam.delete_access_key(UserName="bob", AccessKeyId=second["AccessKeyId"])
    iam.delete_user_policy(UserName="bob", PolicyName="make")
    iam.delete_user(UserName="bob")


@check
def pages():
    names = [f"user-{i:02}" for i in range(12)]
    for name in names:
        iam.create_user(UserName=name)
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Users"]) for page in pages] == [5, 5, 2], pages
    assert [user["UserName"] for page in pages for user in page["Users"]] == names
    details = iam.get_paginator("get_account_authorization_details")
    found = details.paginate(Filter=["User"], PaginationConfig={"PageSize": 7}).build_full_result()
    assert [user["UserName"] for user in found["UserDetailList"]] == names
    for name in names:
        iam.delete_user(UserName=name)


@check
def policies_and_groups():
    arn = iam.create_policy(PolicyName="photos", PolicyDocument=json.dumps(POLICY, indent=2))["Policy"]["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=arn)
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == POLICY, version
    iam.create_group(GroupName="readers")
    iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    iam.attach_group_policy(GroupName="readers", PolicyArn=arn)
    iam.attach_user_policy(UserName="ann", PolicyArn=READ_ONLY)
    iam.put_user_policy(UserName="ann", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    assert iam.get_user_policy(UserName="ann", PolicyName="inline")["PolicyDocument"] == POLICY
    details = iam.get_account_authorization_details()
    (user,) = details["UserDetailList"]
    assert user["UserPolicyList"] == [{"PolicyName": "inline", "PolicyDocument": POLICY}], user
    assert user["GroupList"] == ["readers"], user
    assert iam.get_account_summary()["SummaryMap"]["Users"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [group["GroupName"] for group in entities["PolicyGroups"]] == ["readers"], entities
    refused("MalformedPolicyDocument", 400, iam.create_policy, PolicyName="bad", PolicyDocument="{")
    refused("EntityAlreadyExists", 409, iam.create_group, GroupName="Readers")
    refused("DeleteConflict", 409, iam.delete_policy, PolicyArn=arn)


@check
def resources_and_the_end():
    resource = boto3.resource("iam")
    user = resource.User("ann")
    assert [group.name for group in user.groups.all()] == ["readers"]
    assert [policy.arn for policy in user.attached_policies.all()] == [READ_ONLY]
    for policy in user.attached_policies.all():
        user.detach_policy(PolicyArn=policy.arn)
    for policy in user.policies.all():
        policy.delete()
    for group in user.groups.all():
        user.remove_group(GroupName=group.name)
    user.delete()
    group = resource.Group("readers")
    for policy in group.attached_policies.all():
        group.detach_policy(PolicyArn=policy.arn)
        policy.delete()
    group.delete()
    assert iam.list_users()["Users"] == [] and iam.list_groups()["Groups"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert refused("NoSuchEntity", 404, iam.get_user, UserName="ann") == "The user with name ann cannot be found."


for function in checks:
    error = None
    try:
        function()
    except Exception:  # a check's failure is its report
        error = traceback.format_exc()
    print(json.dumps({"name": function.__name__.replace("_", " "), "error": error}))
    sys.stdout.flush()
