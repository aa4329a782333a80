/**
 * A YAML parser, for charts, compose files and workflows. See `client_s3.ts` for why it is imported here.
 * @module
 */

export * from "npm:yaml@2.9.1";
