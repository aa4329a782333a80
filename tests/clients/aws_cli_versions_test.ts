/** Runs `aws s3api` of aws-cli 1 on versions, locks and lifecycles. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ensurePython } from "../../scripts/client_tools.ts";
import { startAwsCli1 } from "../conformance/aws_cli.ts";
import { CREDENTIALS, REGION, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

type Json = Readonly<Record<string, unknown>>;

/** Runs `aws s3api`. */
type S3api = {
  /** Returns its output, which is empty for some commands; the command must succeed. */
  readonly api: (command: string, options?: Json) => Promise<Json>;
  /** Returns the error message; the command must fail. */
  readonly fails: (command: string, options?: Json) => Promise<string>;
};

/** Returns the words of a command: `versionId` becomes `--version-id`, an object JSON, and true a flag alone. */
function wordsOf(command: string, options: Json): readonly string[] {
  const words = Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return [flag];
    return [flag, typeof value === "object" ? JSON.stringify(value) : String(value)];
  });
  return ["s3api", command, ...words];
}

async function keepVersions({ api, fails }: S3api, folder: string): Promise<void> {
  const bucket = "versions";
  const object = { bucket, key: "a key +ä" };
  await api("create-bucket", { bucket });
  deepStrictEqual(await api("get-bucket-versioning", { bucket }), {});
  await api("put-bucket-versioning", { bucket, versioningConfiguration: { Status: "Enabled" } });
  deepStrictEqual(await api("get-bucket-versioning", { bucket }), { Status: "Enabled" });
  const ids: unknown[] = [];
  for (const text of ["one", "two", "three"]) {
    await Deno.writeTextFile(`${folder}/body`, text);
    ids.unshift((await api("put-object", { ...object, body: "body" }))["VersionId"]);
  }
  const [, two, one] = ids;

  // Pages of aws-cli by its own token, and pages of the gateway beneath them.
  const found: unknown[] = [];
  let token: unknown;
  for (let page = 1; page <= 3; page++) {
    const startingToken = token === undefined ? {} : { startingToken: token };
    const listed = await api("list-object-versions", {
      ...{ bucket, maxItems: 1, pageSize: 1 },
      ...startingToken,
    });
    found.push(...(listed["Versions"] as readonly Json[]).map((version) => version["VersionId"]));
    token = listed["NextToken"];
    strictEqual(token === undefined, page === 3);
  }
  deepStrictEqual(found, ids);

  const got = await api("get-object", { ...object, versionId: one, "": "out" });
  strictEqual(got["VersionId"], one);
  strictEqual(await Deno.readTextFile(`${folder}/out`), "one");
  const parts = "ObjectSize ETag".split(" ");
  const attributes = await api("get-object-attributes", {
    ...object,
    versionId: two,
    objectAttributes: parts,
  });
  deepStrictEqual([attributes["VersionId"], attributes["ObjectSize"]], [two, 3]);
  const copied = await api("copy-object", {
    bucket,
    key: "copy",
    copySource: `${bucket}/${object.key}?versionId=${one}`,
  });
  strictEqual(copied["CopySourceVersionId"], one);

  const marked = await api("delete-object", object);
  strictEqual(marked["DeleteMarker"], true);
  match(await fails("head-object", object), /\(404\)/);
  const marker = { ...object, versionId: marked["VersionId"] };
  match(await fails("head-object", marker), /\(405\)/);
  match(await fails("get-object", { ...marker, "": "out" }), /MethodNotAllowed/);
  deepStrictEqual(await api("delete-object", marker), {
    DeleteMarker: true,
    VersionId: marker.versionId,
  });
  deepStrictEqual(await api("delete-object", { ...object, versionId: ids[0] }), {
    VersionId: ids[0],
  });
  strictEqual((await api("head-object", object))["VersionId"], two);
  match(await fails("head-object", { ...object, versionId: ids[0] }), /\(404\)/);
  const mfa = { bucket, versioningConfiguration: { Status: "Enabled", MFADelete: "Enabled" } };
  match(await fails("put-bucket-versioning", { ...mfa, mfa: "a 123456" }), /NotImplemented/);
}

async function lock({ api, fails }: S3api, folder: string): Promise<void> {
  const bucket = "locks";
  await api("create-bucket", { bucket, objectLockEnabledForBucket: true });
  const rule = { DefaultRetention: { Mode: "GOVERNANCE", Years: 1 } };
  const objectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule: rule };
  await api("put-object-lock-configuration", { bucket, objectLockConfiguration });
  deepStrictEqual(await api("get-object-lock-configuration", { bucket }), {
    ObjectLockConfiguration: objectLockConfiguration,
  });
  await Deno.writeTextFile(`${folder}/body`, "kept");
  const { VersionId: versionId } = await api("put-object", { bucket, key: "key", body: "body" });
  const version = { bucket, key: "key", versionId };
  const retained = await api("get-object-retention", version);
  strictEqual((retained["Retention"] as Json)["Mode"], "GOVERNANCE");
  match(await fails("get-object-legal-hold", version), /NoSuchObjectLockConfiguration/);
  await api("put-object-legal-hold", { ...version, legalHold: { Status: "ON" } });
  deepStrictEqual(await api("get-object-legal-hold", version), { LegalHold: { Status: "ON" } });
  const bypass = { bypassGovernanceRetention: true };
  match(await fails("delete-object", { ...version, ...bypass }), /AccessDenied/);
  await api("put-object-legal-hold", { ...version, legalHold: { Status: "OFF" } });
  deepStrictEqual(await api("get-object-legal-hold", version), { LegalHold: { Status: "OFF" } });
  const retention = { Mode: "GOVERNANCE", RetainUntilDate: inAnHour() };
  match(await fails("put-object-retention", { ...version, retention }), /AccessDenied/);
  await api("put-object-retention", { ...version, retention, ...bypass });
  match(await fails("delete-object", version), /AccessDenied/);
  const suspended = { bucket, versioningConfiguration: { Status: "Suspended" } };
  match(await fails("put-bucket-versioning", suspended), /InvalidBucketState/);
  await api("delete-object", { ...version, ...bypass });
  await api("delete-bucket", { bucket });
}

async function letExpire({ api, fails }: S3api): Promise<void> {
  const bucket = "lifecycles";
  await api("create-bucket", { bucket });
  match(
    await fails("get-bucket-lifecycle-configuration", { bucket }),
    /NoSuchLifecycleConfiguration/,
  );
  const Rules = [{
    Expiration: { Days: 30 },
    ID: "logs",
    Filter: { And: { Prefix: "logs/", Tags: [{ Key: "a", Value: "b" }] } },
    Status: "Enabled",
    NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
  }];
  // A filter by tag does not go with uploads that are given up.
  const lifecycleConfiguration = { Rules };
  match(
    await fails("put-bucket-lifecycle-configuration", { bucket, lifecycleConfiguration }),
    /InvalidRequest/,
  );
  const [{ AbortIncompleteMultipartUpload: _, ...rule }] = Rules as [typeof Rules[0]];
  await api("put-bucket-lifecycle-configuration", {
    bucket,
    lifecycleConfiguration: { Rules: [rule] },
  });
  deepStrictEqual(await api("get-bucket-lifecycle-configuration", { bucket }), {
    TransitionDefaultMinimumObjectSize: "all_storage_classes_128K",
    Rules: [rule],
  });
  await api("delete-bucket-lifecycle", { bucket });
  match(
    await fails("get-bucket-lifecycle-configuration", { bucket }),
    /NoSuchLifecycleConfiguration/,
  );
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

Deno.test("aws s3api keeps versions, locks them and lets them expire", async (t) => {
  const python = await ensurePython();
  await using gateway = await startGateway();
  await using folder = await temporaryFolder();
  await using cli = startAwsCli1(python);
  const env = {
    HOME: folder.path,
    AWS_ENDPOINT_URL: gateway.url,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_DEFAULT_REGION: REGION,
    AWS_MAX_ATTEMPTS: "1",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    NO_PROXY: "127.0.0.1",
  };
  const call = async (command: string, options: Json = {}) => {
    const args = wordsOf(command, options).filter((word) => word !== "--");
    return { args, ...await cli.run({ args, cwd: folder.path, env }) };
  };
  const client: S3api = {
    async api(command, options) {
      const { args, code, stdout, stderr } = await call(command, options);
      strictEqual(code, 0, `aws ${args.join(" ")}: ${stderr}`);
      strictEqual(stderr, "", `aws ${args.join(" ")} complained`);
      return stdout.trim() === "" ? {} : JSON.parse(stdout);
    },
    async fails(command, options) {
      const { args, code, stderr } = await call(command, options);
      strictEqual(code !== 0, true, `aws ${args.join(" ")} did not fail`);
      return stderr;
    },
  };
  await t.step("versions", () => keepVersions(client, folder.path));
  await t.step("locks", () => lock(client, folder.path));
  await t.step("lifecycles", () => letExpire(client));
});
