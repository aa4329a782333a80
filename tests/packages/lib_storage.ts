/**
 * Multipart uploads of the AWS SDK for JavaScript. See `client_s3.ts` for why it is imported here.
 * @module
 */

export * from "npm:@aws-sdk/lib-storage@3.1163.0";
