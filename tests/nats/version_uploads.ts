/**
 * Random steps of multipart uploads, of which a key has one at a time.
 * @module
 */

import type { Random } from "../simulation/random.ts";
import { md5Of, newBytes, newCondition, newLock } from "./version_headers.ts";
import type { AskedOfSide, Label } from "./version_side.ts";

/** What a request leads to. */
export type Ended = {
  /** What sending it twice does: the same with the same answer, the same with another answer, or something else. */
  readonly twice: "same" | "other answer" | "other effect";
  /** Hears that the request had an effect. */
  readonly done?: (upload: Label) => void;
  /** Hears that nobody knows whether it had an effect. */
  readonly lost?: () => void;
};

/** A step of an upload. */
export type UploadStep = Ended & {
  readonly what: string;
  readonly input: Omit<AskedOfSide, "bucket" | "on">;
};

type Upload = { readonly label: Label; part?: string };

/** Returns the steps. */
export class RandomUploads {
  /** The open upload of each key, by bucket and key. */
  readonly #open = new Map<string, Upload>();

  /** Takes the next step of a key's upload, or begins one. */
  next(random: Random, bucket: string, key: string): UploadStep {
    const place = `${bucket}/${key}`;
    const open = this.#open.get(place);
    if (open === undefined) {
      const headers = newLock(random, bucket);
      return {
        what: "begin upload",
        input: { method: "POST", query: "uploads=", headers },
        twice: "other effect",
        done: (label) => void this.#open.set(place, { label }),
      };
    }
    const { label, part } = open;
    if (part === undefined) {
      const body = newBytes(random);
      return {
        what: `put part of ${body.length}`,
        input: { method: "PUT", query: "partNumber=1", upload: label, body },
        twice: "same",
        done: () => void (open.part = md5Of(body)),
      };
    }
    const done = (): void => void this.#open.delete(place);
    if (random.chance(0.2)) {
      const input = { method: "DELETE", upload: label };
      return { what: "abort upload", input, twice: "other answer", done };
    }
    const body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
      `<ETag>"${part}"</ETag></Part></CompleteMultipartUpload>`;
    const input = { method: "POST", upload: label, body, headers: newCondition(random) };
    return { what: "complete upload", input, twice: "other effect", done, lost: done };
  }
}
