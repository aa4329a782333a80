/**
 * One of two sides that are asked the same over S3. What it answers can be compared: version ids and upload ids have labels, in
 * the order in which they appeared, and times that clocks gave are left out.
 * @module
 */

import { ok } from "node:assert/strict";
import { createHash } from "node:crypto";

/** What stands for a version id: `null`, or `v1` for the first that appeared. */
export type Label = string;

/** A version of a key; the current one without a label. */
export type Named = { readonly key: string; readonly version?: Label | undefined };

/** A request, before a side puts its own ids into it. */
export type AskedOfSide = {
  readonly method: string;
  readonly bucket: string;
  /** The key and the version; the bucket itself without them. */
  readonly on?: Named;
  /** The query without version id and upload id. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The source of a copy. */
  readonly source?: Named;
  /** The multipart upload. */
  readonly upload?: Label;
  /** The versions that a multi-delete names. */
  readonly deletes?: readonly Named[];
};

/** Sends a signed request with a target as it goes over the wire. */
export type SendTo = (
  method: string,
  target: string,
  send: { readonly headers: Readonly<Record<string, string>>; readonly body?: Uint8Array },
) => Promise<Response>;

/** A response that was read to its end. */
export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
};

/** A version in a listing. */
export type ShownVersion = {
  readonly label: Label;
  readonly isMarker: boolean;
  readonly etag: string;
  readonly isLatest: boolean;
};

const DAY = 24 * 60 * 60 * 1000;
/** Elements that differ between sides, with their content. A marker of null may say more than its id. */
const OWN =
  /<(RequestId|HostId|LastModified|Owner|Initiator|Initiated|Location|Message|VersionIdMarker|NextVersionIdMarker)>.*?<\/\1>/g;
const ID = /<(VersionId|DeleteMarkerVersionId|UploadId)>([^<]*)<\/\1>/g;
const UNTIL = /<RetainUntilDate>([^<]*)<\/RetainUntilDate>/g;
/** Headers that are compared as they are. */
const SHOWN = [
  ...["etag", "content-length", "x-amz-delete-marker", "x-amz-object-lock-mode"],
  ...["x-amz-object-lock-legal-hold", "x-amz-meta-number", "x-amz-tagging-count"],
];
const IDS = ["x-amz-version-id", "x-amz-copy-source-version-id"];

/** A gateway, or several of one bucket, and the labels of its ids. */
export class Side {
  readonly #send: SendTo;
  readonly #labels = new Map<string, Label>([["null", "null"], ["", ""]]);
  readonly #ids = new Map<Label, string>([["null", "null"]]);

  constructor(send: SendTo) {
    this.#send = send;
  }

  /** Sends a request, and reads the response. */
  async ask(asked: AskedOfSide): Promise<Answered> {
    const { method, bucket, on, query = "", source, upload, deletes } = asked;
    const pairs = query === "" ? [] : [query];
    if (upload !== undefined) pairs.push(`uploadId=${this.#id(upload)}`);
    if (on?.version !== undefined) pairs.push(`versionId=${this.#id(on.version)}`);
    const path = on === undefined ? `/${bucket}` : `/${bucket}/${on.key}`;
    const headers: Record<string, string> = { ...asked.headers };
    if (source !== undefined) {
      const version = source.version === undefined ? "" : `?versionId=${this.#id(source.version)}`;
      headers["x-amz-copy-source"] = `/${bucket}/${source.key}${version}`;
    }
    const text = deletes === undefined ? asked.body : this.#deleteOf(deletes);
    const body = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (body !== undefined) {
      headers["content-md5"] = createHash("md5").update(body).digest("base64");
    }
    const target = pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
    const response = await this.#send(method, target, { headers, ...(body && { body }) });
    const bytes = await response.bytes();
    return { status: response.status, headers: response.headers, bytes };
  }

  /** Returns a response so that it can be compared; new ids get labels. */
  show({ status, headers, bytes }: Answered): unknown {
    const shown: Record<string, string> = {};
    const isXml = headers.get("content-type")?.endsWith("xml") === true;
    for (const name of SHOWN) {
      const value = headers.get(name);
      // The runtime adds a length of 0.
      const isOwn = name === "content-length" && (isXml || value === "0");
      if (value !== null && !isOwn) shown[name] = value;
    }
    for (const name of IDS) {
      const value = headers.get(name);
      if (value !== null) shown[name] = this.#label(value);
    }
    const until = headers.get("x-amz-object-lock-retain-until-date");
    if (until !== null) shown["until"] = shownTime(until);
    const md5 = (): string => createHash("md5").update(bytes).digest("hex");
    return { status, ...shown, body: isXml ? this.#text(bytes) : md5() };
  }

  /** Returns the versions that a listing shows of a key, the newest first. Checks that their times run backwards. */
  versionsIn({ bytes }: Answered, key: string): readonly ShownVersion[] {
    const shown: ShownVersion[] = [];
    let last = Infinity;
    const entries = new TextDecoder().decode(bytes)
      .matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/g);
    for (const [, kind, text = ""] of entries) {
      if (within(text, "Key") !== key) continue;
      const time = Date.parse(within(text, "LastModified"));
      ok(time <= last, `times of modification of ${key} run backwards`);
      last = time;
      shown.push({
        label: this.#label(within(text, "VersionId")),
        isMarker: kind === "DeleteMarker",
        etag: within(text, "ETag"),
        isLatest: within(text, "IsLatest") === "true",
      });
    }
    return shown;
  }

  /** Returns the query that asks for the page after a listing; undefined if it was the last. */
  nextPage({ bytes }: Answered): string | undefined {
    const text = new TextDecoder().decode(bytes);
    if (within(text, "IsTruncated") !== "true") return undefined;
    const [key, version] = ["NextKeyMarker", "NextVersionIdMarker"].map((name) =>
      encodeURIComponent(within(text, name))
    );
    return `key-marker=${key}${version === "" ? "" : `&version-id-marker=${version}`}`;
  }

  /** Returns the label of the upload that a response names. */
  uploadIn({ bytes }: Answered): Label {
    return this.#label(within(new TextDecoder().decode(bytes), "UploadId"));
  }

  #text(bytes: Uint8Array): string {
    return new TextDecoder().decode(bytes).replaceAll(OWN, "")
      .replaceAll(ID, (_, name: string, id: string) => `<${name}>${this.#label(id)}</${name}>`)
      .replaceAll(UNTIL, (_, until: string) => `<Until>${shownTime(until)}</Until>`);
  }

  #deleteOf(deletes: readonly Named[]): string {
    const objects = deletes.map(({ key, version }) => {
      const id = version === undefined ? "" : `<VersionId>${this.#id(version)}</VersionId>`;
      return `<Object><Key>${key}</Key>${id}</Object>`;
    });
    return `<Delete>${objects.join("")}</Delete>`;
  }

  #id(label: Label): string {
    const id = this.#ids.get(label);
    ok(id !== undefined, `this side gave nothing that is "${label}"`);
    return id;
  }

  #label(id: string): Label {
    const known = this.#labels.get(id);
    if (known !== undefined) return known;
    const label = `v${this.#labels.size}`;
    this.#labels.set(id, label);
    this.#ids.set(label, id);
    return label;
  }
}

/** A date that a test stated is a whole day. The others were counted from the time of modification. */
function shownTime(text: string): string {
  return Date.parse(text) % DAY === 0 ? text : "counted";
}

function within(text: string, name: string): string {
  const from = text.indexOf(`<${name}>`);
  const to = text.indexOf(`</${name}>`);
  return from < 0 || to < 0 ? "" : text.slice(from + name.length + 2, to);
}
