/** Versions of objects, and their locks. */

import { deepStrictEqual, notStrictEqual } from "node:assert/strict";
import { type Checks, type Given, shows, textOf } from "../check.ts";

async function enable({ aws }: Pick<Given, "aws">): Promise<void> {
  await aws`s3api put-bucket-versioning --bucket BUCKET
    --versioning-configuration Status=Enabled`;
}

/** A date far away, and one that is not. */
const LATE = "2999-01-01T00:00:00Z";
const EARLY = "2998-01-01T00:00:00Z";

export const VERSIONS: Checks = {
  "put-bucket-versioning enables and suspends versioning": async ({ aws, refused }) => {
    const stateIs = async (expected: unknown): Promise<void> => {
      const { text, json } = await aws`s3api get-bucket-versioning --bucket BUCKET`;
      deepStrictEqual(text.trim() === "" ? undefined : json, expected);
    };
    await stateIs(undefined);
    await enable({ aws });
    await stateIs({ Status: "Enabled" });
    await aws`s3api put-bucket-versioning --bucket BUCKET
      --versioning-configuration Status=Suspended`;
    await stateIs({ Status: "Suspended" });
    await refused("NotImplemented", 501)`s3api put-bucket-versioning --bucket BUCKET
      --versioning-configuration Status=Enabled,MFADelete=Enabled --mfa ${"serial 123456"}`;
    await stateIs({ Status: "Suspended" });
  },
  "a version is read, copied, tagged and removed by its id": async (
    { bucket, aws, put, read, refused },
  ) => {
    await enable({ aws });
    const first = textOf(await put("a"), "VersionId");
    const second = textOf(await put("a", "digits"), "VersionId");
    notStrictEqual(first, second);
    const named = ["--bucket", bucket, "--key", "a", "--version-id", first];
    shows((await aws`s3api get-object ${named} out`).json, { VersionId: first, ContentLength: 5 });
    deepStrictEqual(await read("out"), "hello");
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, { VersionId: second });
    const tags = ["--tagging", "TagSet=[{Key=k,Value=v}]"];
    shows((await aws`s3api put-object-tagging ${[...named, ...tags]}`).json, { VersionId: first });
    shows((await aws`s3api get-object-tagging ${named}`).json, {
      VersionId: first,
      TagSet: [{ Key: "k", Value: "v" }],
    });
    shows((await aws`s3api get-object-attributes ${named} --object-attributes ObjectSize`).json, {
      VersionId: first,
      ObjectSize: 5,
    });
    shows(
      (await aws`s3api copy-object --bucket BUCKET --key b
        --copy-source ${`${bucket}/a?versionId=${first}`}`).json,
      { CopySourceVersionId: first, VersionId: /^[0-9A-Za-z]{32}$/ },
    );
    shows((await aws`s3api delete-object ${named}`).json, {
      VersionId: first,
      DeleteMarker: undefined,
    });
    await refused("NoSuchVersion", 404)`s3api get-object ${named} out`;
  },
  "a delete marker hides the object until it is removed": async ({ aws, put, refused }) => {
    await enable({ aws });
    await put("a");
    const deleted = await aws`s3api delete-object --bucket BUCKET --key a`;
    shows(deleted.json, { DeleteMarker: true });
    const marker = textOf(deleted, "VersionId");
    await refused("NoSuchKey", 404)`s3api get-object --bucket BUCKET --key a out`;
    await refused("MethodNotAllowed", 405)`s3api get-object --bucket BUCKET --key a
      --version-id ${marker} out`;
    const objects = { Objects: [{ Key: "a", VersionId: marker }, { Key: "b" }] };
    const { json } = await aws`s3api delete-objects --bucket BUCKET
      --delete ${JSON.stringify(objects)}`;
    const list = (json as { Deleted: readonly { readonly Key: string }[] }).Deleted;
    shows(list.toSorted((a, b) => a.Key < b.Key ? -1 : 1), [
      { Key: "a", VersionId: marker, DeleteMarker: true, DeleteMarkerVersionId: marker },
      { Key: "b", VersionId: undefined, DeleteMarker: true },
    ]);
    await aws`s3api get-object --bucket BUCKET --key a out`;
  },
  "object lock needs versioning": async ({ aws, put, refused }) => {
    const lock = ["--object-lock-configuration", "ObjectLockEnabled=Enabled"];
    await refused("InvalidBucketState", 409)`s3api put-object-lock-configuration
      --bucket BUCKET ${lock}`;
    await refused("InvalidRequest", 400)`s3api put-object --bucket BUCKET --key a --body hello
      --object-lock-mode GOVERNANCE --object-lock-retain-until-date ${LATE}`;
    await put("a");
    await refused("InvalidRequest", 400)`s3api put-object-legal-hold --bucket BUCKET --key a
      --legal-hold Status=ON`;
    await enable({ aws });
    await aws`s3api put-object-lock-configuration --bucket BUCKET ${lock}`;
    await refused("InvalidBucketState", 409)`s3api put-bucket-versioning --bucket BUCKET
      --versioning-configuration Status=Suspended`;
  },
  "create-bucket enables object lock, and versioning with it": async ({ aws }) => {
    await aws`s3api create-bucket --bucket BUCKET-locked --object-lock-enabled-for-bucket`;
    deepStrictEqual(
      (await aws`s3api get-object-lock-configuration --bucket BUCKET-locked`).json,
      { ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } },
    );
    deepStrictEqual(
      (await aws`s3api get-bucket-versioning --bucket BUCKET-locked`).json,
      { Status: "Enabled" },
    );
  },
  "a locked version stays": async ({ bucket, aws, refused }) => {
    await enable({ aws });
    const rule = { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } };
    const configuration = { ObjectLockEnabled: "Enabled", Rule: rule };
    await aws`s3api put-object-lock-configuration --bucket BUCKET
      --object-lock-configuration ${JSON.stringify(configuration)}`;
    deepStrictEqual(
      (await aws`s3api get-object-lock-configuration --bucket BUCKET`).json,
      { ObjectLockConfiguration: configuration },
    );
    const version = textOf(
      await aws`s3api put-object --bucket BUCKET --key a --body hello
        --object-lock-mode COMPLIANCE --object-lock-retain-until-date ${EARLY}
        --object-lock-legal-hold-status ON`,
      "VersionId",
    );
    const named = ["--bucket", bucket, "--key", "a", "--version-id", version];
    const no = refused("AccessDenied", 403);
    await no`s3api delete-object ${named}`;
    await no`s3api delete-object ${named} --bypass-governance-retention`;
    await no`s3api put-object-retention ${named} --retention
      ${"Mode=COMPLIANCE,RetainUntilDate=2997-01-01T00:00:00Z"}`;
    await refused("InvalidArgument", 400)`s3api put-object-retention ${named} --retention
      ${"Mode=COMPLIANCE,RetainUntilDate=2001-01-01T00:00:00Z"}`;
    await aws`s3api put-object-retention ${named} --retention
      ${`Mode=COMPLIANCE,RetainUntilDate=${LATE}`}`;
    shows((await aws`s3api get-object-retention ${named}`).json, {
      Retention: { Mode: "COMPLIANCE", RetainUntilDate: /^2999-01-01T00:00:00/ },
    });
    await aws`s3api put-object-legal-hold ${named} --legal-hold Status=OFF`;
    shows((await aws`s3api get-object-legal-hold ${named}`).json, { LegalHold: { Status: "OFF" } });
    const other = textOf(
      await aws`s3api put-object --bucket BUCKET --key b --body hello`,
      "VersionId",
    );
    const governed = ["--bucket", bucket, "--key", "b", "--version-id", other];
    shows((await aws`s3api head-object ${governed}`).json, { ObjectLockMode: "GOVERNANCE" });
    await no`s3api delete-object ${governed}`;
    await aws`s3api delete-object ${governed} --bypass-governance-retention`;
  },
};
