/**
 * What a client says about an object when it writes it, and gets back when it reads it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 * @module
 */

/** System headers that are kept and returned as they came, by the name of their field in {@linkcode ObjectProperties}. */
export const SYSTEM_HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
  websiteRedirect: "x-amz-website-redirect-location",
  storageClass: "x-amz-storage-class",
  encryption: "x-amz-server-side-encryption",
} as const;

/** Field names of {@linkcode SYSTEM_HEADERS}. */
export type SystemField = keyof typeof SYSTEM_HEADERS;

/** What a client says about an object. Texts are Unicode, already decoded from the header's bytes. */
export type ObjectProperties = {
  readonly system: Readonly<Partial<Record<SystemField, string>>>;
  /** User metadata: lower-case names without `x-amz-meta-`. */
  readonly user: Readonly<Record<string, string>>;
  /** Tags by their key. */
  readonly tags: Readonly<Record<string, string>>;
};
