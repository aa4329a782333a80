/**
 * The S3 client of the AWS SDK for JavaScript.
 *
 * Packages that only tests and examples use are imported here and locked in `tests/deno.lock`. Deno downloads all that
 * `deno.json` and `deno.lock` name before it runs a task; without this detour, `deno task dev` would download them too.
 * @module
 */

export * from "npm:@aws-sdk/client-s3@3.1163.0";
