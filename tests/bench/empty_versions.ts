/**
 * The part of `bench:versions` that empties keys of all their versions.
 * @module
 */

// deno-lint-ignore-file no-console

import { createHash } from "node:crypto";
import { freePort, type NatsServer } from "../../scripts/nats_server.ts";
import { formatTombstone } from "../../src/nats/layout/format_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import { formatVersion } from "../../src/nats/layout/version_record.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { newVersionId } from "../../src/s3/version_id.ts";
import { CREDENTIALS, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { describeObject } from "./described_object.ts";
import { fillStream } from "./filler.ts";

/** The columns of what {@linkcode measureEmptying} returns. */
export const EMPTIED_COLUMNS = [
  "Emptied by",
  "keys",
  "versions of each",
  "versions per second",
  "JetStream calls per version, first tenth",
  "last tenth",
] as const;

/** Short, so that all versions are due at once. */
const DAY = "24s";
const RANDOM = new Uint8Array(22);
const RULES = `<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/>
<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>
<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>
</Rule></LifecycleConfiguration>`;

type Shape = { readonly bucket: string; readonly keys: number; readonly perKey: number };
/** When so many versions were gone, and how many calls of JetStream the gateway had made. */
type Reading = { readonly at: number; readonly gone: number; readonly calls: number };

async function fill(natsUrl: string, { bucket, keys, perKey }: Shape, hasMarkers: boolean) {
  const store = bucket as StoreName;
  const owner = CREDENTIALS.accessKeyId;
  await fillStream(natsUrl, store, async ({ publish }) => {
    for (let n = 0; n < keys * perKey; n++) {
      const key = `k${n % keys}` as ObjectKey;
      const ordinal = Math.floor(n / keys) + 1;
      const version = { id: newVersionId(ordinal, RANDOM), ordinal };
      const info = hasMarkers && ordinal === perKey
        ? formatTombstone(store, key, newNuid(key), new Date(), { version, owner })
        // Without the place of its chunk, which would have to be one of this stream.
        : describeObject(store, key, n, version).replace(/"s3.seek":"[^"]*",/, "");
      if (ordinal === perKey) {
        await publish(infoSubject(store, key), info, { rollup: true });
      } else {
        const record = formatVersion({ from: 1, time: new Date(), ordinal, info });
        await publish(records.version(store, key, version.id), record, { expect: 0 });
      }
    }
  });
}

async function send(url: string, method: string, body: string): Promise<string> {
  const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
  const response = await signedFetch(url, CREDENTIALS, { method, body, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Returns a function that sums up the samples of a counter. */
function counterOf(admin: string): (name: string) => Promise<number> {
  return async (name) => {
    const text = await (await fetch(`${admin}/metrics`)).text();
    return text.split("\n").filter((line) => line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  };
}

/** Lists pages and deletes what they list, until nothing is left. What failed is in a later page again. */
async function deletePages(url: string, read: (gone: number) => Promise<void>): Promise<void> {
  for (let gone = 0;;) {
    const page = await (await signedFetch(`${url}?versions`, CREDENTIALS)).text();
    const found = [...page.matchAll(/<Key>([^<]*)<\/Key><VersionId>([^<]*)</g)];
    if (found.length === 0) return;
    const objects = found.map(([, key, id]) =>
      `<Object><Key>${key}</Key><VersionId>${id}</VersionId></Object>`
    );
    const body = `<Delete><Quiet>true</Quiet>${objects.join("")}</Delete>`;
    const result = await send(`${url}?delete`, "POST", body);
    const failed = [...result.matchAll(/<Error>.*?<Code>([^<]*)</g)].map(([, code]) => code);
    if (failed.length > 0) console.error(`${failed.length} failed: ${[...new Set(failed)]}`);
    await read(gone += found.length - failed.length);
  }
}

function rowOf(
  name: string,
  { keys, perKey }: Shape,
  readings: readonly Reading[],
): readonly string[] {
  const total = keys * perKey;
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) throw new Error("Nothing was measured");
  const between = (a: Reading, b: Reading): string =>
    ((b.calls - a.calls) / (b.gone - a.gone)).toFixed(1);
  const early = readings.find(({ gone }) => gone >= total / 10) ?? last;
  const late = readings.findLast(({ gone }) => gone <= total * 0.9) ?? first;
  return [
    name,
    keys.toLocaleString("en"),
    perKey.toLocaleString("en"),
    (last.gone / (last.at - first.at) * 1000).toFixed(0),
    between(first, early),
    between(late, last),
  ];
}

/** Returns a row for each shape of a bucket and each way to empty it. */
export async function measureEmptying(
  server: NatsServer,
  count: number,
): Promise<readonly (readonly string[])[]> {
  const port = freePort();
  const countOf = counterOf(`http://127.0.0.1:${port}`);
  await using gateway = await startGateway({
    server,
    flags: ["--admin.listen", `127.0.0.1:${port}`, "--lifecycle.day", DAY],
    mayLogErrors: true,
  });
  const rows: (readonly string[])[] = [];
  const measure = async (
    name: string,
    shape: Shape,
    hasMarkers: boolean,
    empty: (url: string, read: (gone: number) => Promise<void>) => Promise<void>,
  ): Promise<void> => {
    const url = `${gateway.url}/${shape.bucket}`;
    await send(url, "PUT", "");
    await send(
      `${url}?versioning`,
      "PUT",
      "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    );
    await fill(server.url, shape, hasMarkers);
    await (await signedFetch(`${url}?versions`, CREDENTIALS)).body?.cancel(); // builds the index
    const readings: Reading[] = [];
    const read = async (gone: number): Promise<void> => {
      const calls = await countOf("nats_s3_jetstream_call_duration_seconds_count");
      readings.push({ at: performance.now(), gone, calls });
    };
    await read(0);
    await empty(url, read);
    const warned = gateway.log.filter(({ level }) => level === "error" || level === "warn");
    for (const line of warned.slice(-5)) console.error(JSON.stringify(line).slice(0, 500));
    rows.push(rowOf(name, shape, readings));
    console.error(rows.at(-1)?.join(" | "));
  };
  const few = { keys: 10, perKey: count / 10 };
  await measure("DeleteObjects", { bucket: "few-keys", ...few }, false, deletePages);
  const one = { bucket: "many-keys", keys: count, perKey: 1 };
  await measure("DeleteObjects", one, false, deletePages);
  const byRules = async (
    total: number,
    url: string,
    read: (gone: number) => Promise<void>,
  ): Promise<void> => {
    const before = await countOf("nats_s3_lifecycle_removed_total");
    await send(`${url}?lifecycle`, "PUT", RULES);
    for (let gone = 0; gone < total;) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const now = await countOf("nats_s3_lifecycle_removed_total") - before;
      if (now > gone) await read(gone = now);
    }
  };
  for (
    const shape of [
      { bucket: "few-expire", ...few },
      { bucket: "many-expire", keys: count / 2, perKey: 2 },
    ]
  ) await measure("lifecycle rules", shape, true, (url, read) => byRules(count, url, read));
  return rows;
}
