/**
 * GetObjectAttributes: returns facts about an object and its parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
 *
 * The response shows the parts of every multipart object, with their checksums if it has one. AWS omits the parts of an
 * object without an additional checksum and, in fact, those of one with a FULL_OBJECT checksum also. A maximum of parts
 * that is not a number counts as missing, as it does for AWS.
 * @module
 */

import { checksumElement } from "../s3/checksum_headers.ts";
import { checkRead, parseReadPrecondition, type ReadPrecondition } from "../s3/conditions.ts";
import { S3Error } from "../s3/errors.ts";
import { refuseCustomerKeys } from "../s3/metadata.ts";
import { versionIdParam } from "../s3/params.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import type { VersionId } from "../s3/version_id.ts";
import { xmlResponse, type XmlValue } from "../s3/xml.ts";
import type { ObjectInfo } from "../store/objects.ts";
import { versionHeader } from "./answers/version.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

/** The attributes by name, each with a function that returns its value; undefined omits it. */
const ATTRIBUTES = {
  ETag: ({ etag }) => etag, // bare, unlike in other responses
  Checksum: ({ checksum }) =>
    checksum && {
      // Without the count of parts, unlike in other responses.
      [checksumElement(checksum.algorithm)]: checksum.value.replace(/-\d+$/, ""),
      ChecksumType: checksum.type,
    },
  ObjectParts: partsElement,
  StorageClass: ({ properties }) => properties.system.storageClass ?? "STANDARD",
  ObjectSize: ({ size }) => size,
} as const satisfies Record<string, (info: ObjectInfo, page: PartsPage) => XmlValue>;

type Attribute = keyof typeof ATTRIBUTES;

/** A page of parts: at most `limit`, whose numbers are greater than `after`. */
type PartsPage = { readonly after: number; readonly limit: number };

type Input = {
  readonly attributes: readonly Attribute[];
  readonly parts: PartsPage;
  readonly precondition: ReadPrecondition;
  readonly versionId: VersionId | undefined;
};

export const getObjectAttributes: Operation<"object"> = definePublicOperation<"object", Input>({
  name: "GetObjectAttributes",
  on: "object",
  method: "GET",
  query: ["attributes"],
  optionalQuery: ["versionId"],
  action: "s3:GetObjectAttributes",
  seesObject: true,

  parse(request) {
    const { headers } = request;
    refuseCustomerKeys(headers);
    return {
      versionId: versionIdParam(request),
      attributes: parseAttributes(headers),
      parts: { after: parseMarker(headers), limit: parseLimit(headers) },
      precondition: parseReadPrecondition(headers),
    };
  },

  async handle({ target: { bucket, key }, input, access, store }) {
    const { attributes, parts, precondition, versionId } = input;
    const partChecksums = attributes.includes("ObjectParts");
    const info = await store.readObject(bucket, key, { versionId, partChecksums });
    access.seen(info);
    checkRead(precondition, info);

    return xmlResponse(
      "GetObjectAttributesResponse",
      Object.fromEntries(attributes.map((name) => [name, ATTRIBUTES[name](info, parts)])),
      { headers: { "last-modified": info.modified.toUTCString(), ...versionHeader(info) } },
    );
  },
});

/** Returns the attributes in the order of AWS's response, each once. */
function parseAttributes(headers: RequestHeaders): readonly Attribute[] {
  const header = "x-amz-object-attributes";
  const names = (headers.get(header) ?? "").split(",").map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) {
    throw new S3Error("InvalidRequest", {}, {
      message:
        `The ${header} header specifying the attributes to be retrieved is either missing or empty`,
    });
  }
  const unknown = names.find((name) => !Object.hasOwn(ATTRIBUTES, name));
  if (unknown !== undefined) {
    throw new S3Error("InvalidArgument", { ArgumentName: header, ArgumentValue: unknown }, {
      message: "Invalid attribute name specified.",
    });
  }
  return (Object.keys(ATTRIBUTES) as Attribute[]).filter((name) => names.includes(name));
}

function parseMarker(headers: RequestHeaders): number {
  const header = "x-amz-part-number-marker";
  const text = headers.get(header) ?? "0";
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new S3Error("InvalidArgument", { ArgumentName: header, ArgumentValue: text }, {
    message: `Provided ${header} not an integer or within integer range`,
  });
}

function parseLimit(headers: RequestHeaders): number {
  const text = headers.get("x-amz-max-parts") ?? "";
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_PARTS) : MAX_PARTS;
}

/** Maximum number of parts in one response. */
const MAX_PARTS = 1000;

/** Returns the content of `<ObjectParts>`; undefined for an object that was put in one piece. */
function partsElement(
  { partSizes, partChecksums, checksum }: ObjectInfo,
  { after, limit }: PartsPage,
): XmlValue {
  if (partSizes === undefined) return undefined;
  const parts = partSizes.slice(after, after + limit).map((size, i) => ({
    ...(checksum && { [checksumElement(checksum.algorithm)]: partChecksums?.[after + i] }),
    PartNumber: after + i + 1,
    Size: size,
  }));
  const last = after + parts.length;
  return {
    IsTruncated: parts.length > 0 && last < partSizes.length,
    MaxParts: limit,
    NextPartNumberMarker: parts.length === 0 ? 0 : last,
    PartNumberMarker: after,
    Part: parts,
    PartsCount: partSizes.length, // SDKs name it TotalPartsCount
  };
}
