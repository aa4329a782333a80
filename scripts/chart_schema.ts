/**
 * Writes the variables that the Helm chart accepts into its `values.schema.json`, from the settings table:
 * `deno run -A scripts/chart_schema.ts`. A test fails if they are out of date.
 * @module
 */

import { VARIABLES } from "./setting_names.ts";

const SCHEMA = new URL("../deploy/helm/nats-s3/values.schema.json", import.meta.url);

/** Variables that templates of the chart set. */
const MADE_BY_CHART = [
  "NATS_S3_LISTEN",
  "NATS_S3_ADMIN_LISTEN",
  "NATS_S3_NATS_SERVERS",
  "NATS_S3_DRAIN_DELAY",
  "NATS_S3_DRAIN_TIMEOUT",
  // A pod runs one gateway, and never a sweep by hand.
  "NATS_S3_LISTEN_SHARED",
  "NATS_S3_DRY_RUN",
];

/** The variables of `config` and of `secret.values`. */
export type ChartVariables = { readonly config: string[]; readonly secret: string[] };

/** Returns the variables that the chart accepts in each place. Files are passed as text, because the image may not read files. */
export function chartVariables(): ChartVariables {
  const config: string[] = [];
  const secret: string[] = [];
  for (const [name, { file, secret: isSecret, flag }] of VARIABLES) {
    if (MADE_BY_CHART.includes(name) || (file !== undefined && name !== file.text)) continue;
    // The user belongs to its password.
    const belongsToSecrets = isSecret || file !== undefined || flag === "natsUser";
    (belongsToSecrets ? secret : config).push(name);
  }
  return { config, secret };
}

/** Returns the text of the schema with the variables of the settings table. */
export function withVariables(schema: string): string {
  const { config, secret } = chartVariables();
  const parsed = JSON.parse(schema);
  parsed.properties.config.propertyNames = { enum: config };
  parsed.properties.secret.properties.values.propertyNames = { enum: secret };
  return JSON.stringify(parsed, null, 2) + "\n";
}

if (import.meta.main) {
  await Deno.writeTextFile(SCHEMA, withVariables(await Deno.readTextFile(SCHEMA)));
}
