/**
 * Presigned URLs of the AWS SDK for JavaScript. See `client_s3.ts` for why it is imported here.
 * @module
 */

export * from "npm:@aws-sdk/s3-request-presigner@3.1163.0";
