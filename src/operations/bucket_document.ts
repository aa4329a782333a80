/**
 * The operations that get, put and delete a document about a bucket, such as GetBucketCors, PutBucketCors and
 * DeleteBucketCors. A document is returned as it was put, unless its kind says otherwise.
 * @module
 */

import { type ErrorCode, S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import type { Action } from "../s3/permission.ts";
import type { RoutingQuery } from "../s3/subresources.ts";
import type { DocumentKind } from "../store/documents.ts";
import { readDocument } from "./bodies/document.ts";
import { type Call, defineOperation, type Operation } from "./operation.ts";

/** One kind of document, and the operations on it. */
export type DocumentDefinition = {
  readonly kind: DocumentKind;
  /** The sub-resource in the query. */
  readonly query: RoutingQuery;
  readonly get: {
    readonly name: string;
    readonly action: Action;
    /** What AWS returns for a bucket on which the document was never set: an error, or this document. */
    readonly missing: { readonly error: ErrorCode } | { readonly document: string };
    /** `application/xml` by default. */
    readonly contentType?: string;
    /** Returns the text to show for the one that is kept: the same by default. */
    readonly show?: (text: string, call: Pick<Call<"bucket", void>, "users">) => Promise<string>;
  };
  readonly put: {
    readonly name: string;
    readonly action: Action;
    /** Maximum size of the document, in bytes. */
    readonly maxBytes: number;
    /** Status of success; 200 by default. */
    readonly status?: 200 | 204;
    /** Throws what AWS answers to an invalid document, or returns the text to keep: undefined keeps none. */
    readonly validate: (
      text: string,
      call: Call<"bucket", Integrity>,
    ) => string | undefined | Promise<string | undefined>;
  };
  /** A change takes rights away: it succeeds when it is in force on every gateway. */
  readonly everywhere?: boolean;
  /** Only some kinds can be deleted. */
  readonly delete?: { readonly name: string; readonly action: Action };
};

/** Creates the operations on a kind of document. */
export function documentOperations(
  { kind, query: name, get, put, everywhere = false, delete: deletion }: DocumentDefinition,
): readonly Operation<"bucket">[] {
  const on = "bucket";
  const query = [name];
  const operations = [
    defineOperation<"bucket", void>({
      name: get.name,
      action: get.action,
      on,
      method: "GET",
      query,
      parse: () => {},
      async handle(call) {
        const { target: { bucket }, store } = call;
        const kept = await store.readDocument(bucket, kind);
        const text = kept === undefined ? undefined : await get.show?.(kept, call) ?? kept;
        if (text === undefined && "error" in get.missing) {
          throw new S3Error(get.missing.error, { BucketName: bucket });
        }
        const missing = "document" in get.missing ? get.missing.document : "";
        return new Response(text ?? missing, {
          headers: { "content-type": get.contentType ?? "application/xml" },
        });
      },
    }),
    defineOperation<"bucket", Integrity>({
      name: put.name,
      action: put.action,
      on,
      method: "PUT",
      query,
      parse: ({ headers }) => parseIntegrity(headers),
      async handle(call) {
        const { input, store, target: { bucket } } = call;
        const text = await put.validate(await readDocument(call, input, put.maxBytes), call);
        if (text === undefined) await store.deleteDocument(bucket, kind, { everywhere });
        else await store.putDocument(bucket, kind, text, { everywhere });
        return new Response(null, { status: put.status ?? 200 });
      },
    }),
  ];
  if (deletion === undefined) return operations;
  return [
    ...operations,
    defineOperation<"bucket", void>({
      name: deletion.name,
      action: deletion.action,
      on,
      method: "DELETE",
      query,
      parse: () => {},
      async handle({ target: { bucket }, store }) {
        await store.deleteDocument(bucket, kind, { everywhere });
        return new Response(null, { status: 204 });
      },
    }),
  ];
}
