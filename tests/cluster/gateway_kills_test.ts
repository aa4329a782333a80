/** Kills a gateway in every phase of a write: readers see a whole object, and the sweep leaves nothing else behind. */

import { ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { spawnGateway } from "../clients/gateway_process.ts";
import { ask, demand } from "../clients/signed_request.ts";
import { compareWithLive } from "../nats/live_bytes.ts";
import { input, read, sameBytes, someBytes } from "../nats/store_on_server.ts";
import { type Frame, TcpProxy } from "../nats/tcp_proxy.ts";
import { type Cluster, cluster } from "./store_on_cluster.ts";

const bucket = "phases" as BucketName;
const key = "k" as ObjectKey;
const PATH = "/phases/k";
const OLD = someBytes(600_000, 1);
const NEW = someBytes(900_000, 2);

/** The object that readers see after the kill. */
type Shown = "old" | "new" | "either";

/** The gateway is killed when it sends the nth matching message; `passes` says whether the server receives it. */
type Phase = {
  readonly at: RegExp;
  readonly nth?: number;
  readonly passes: boolean;
  readonly shows: Shown;
};

const INFO = /^\$O\.phases\.M\./;
const CHUNK = /^\$O\.phases\.C\./;
const TRASH = /^\$O\.phases\.S3\.trash\./;

const PUT: Readonly<Record<string, Phase>> = {
  "before the chunks": { at: CHUNK, passes: false, shows: "old" },
  "between the chunks": { at: CHUNK, nth: 2, passes: true, shows: "old" },
  "after the chunks, before the metadata": { at: INFO, passes: false, shows: "old" },
  "with the metadata on its way": { at: INFO, passes: true, shows: "either" },
  "after the metadata, before the trash": { at: TRASH, passes: false, shows: "new" },
  "with the trash on its way": { at: TRASH, passes: true, shows: "new" },
};

const DELETE: Readonly<Record<string, Phase>> = {
  "before the tombstone": { at: INFO, passes: false, shows: "old" },
  "with the tombstone on its way": { at: INFO, passes: true, shows: "either" },
  "after the tombstone, before the trash": { at: TRASH, passes: false, shows: "new" },
};

const PART: Readonly<Record<string, Phase>> = {
  "between the chunks": { at: CHUNK, nth: 2, passes: true, shows: "old" },
  "before the part's record": { at: /\.S3\.part\./, passes: false, shows: "old" },
  "with the part's record on its way": { at: /\.S3\.part\./, passes: true, shows: "old" },
};

/** Layout, object info, end of the upload, trash of the upload and of the replaced object: five messages. */
const COMPLETE: Readonly<Record<string, Phase>> = {
  "before the batch": { at: /\.S3\.layout\./, passes: false, shows: "old" },
  "with a fifth of the batch sent": { at: /\.S3\.layout\./, passes: true, shows: "old" },
  "with two fifths of the batch sent": { at: INFO, passes: true, shows: "old" },
  "with three fifths of the batch sent": { at: /\.S3\.upload\./, passes: true, shows: "old" },
  "with four fifths of the batch sent": { at: TRASH, passes: true, shows: "old" },
  "with the batch on its way": { at: TRASH, nth: 2, passes: true, shows: "either" },
};

/** Sends a request through a gateway that dies in the given phase, and checks the remaining data. */
async function dieIn(
  given: Cluster,
  phase: Phase,
  expected: Uint8Array | undefined,
  request: (gateway: Parameters<typeof ask>[0], die: () => void) => Promise<unknown>,
): Promise<void> {
  await using beside = await given.open();
  await beside.store.putObject(bucket, key, input(OLD));
  const [server] = given.nats.servers;
  ok(server !== undefined);
  await using proxy = new TcpProxy(server.port);
  const gateway = spawnGateway({
    natsUrl: proxy.url,
    mayLogErrors: true,
    flags: ["--replicas", "3"],
  });
  try {
    await gateway.listening();
    let count = 0;
    let died: Promise<unknown> | undefined;
    const die = (): void => {
      proxy.judge = ({ direction, verb, subject }: Frame) => {
        if (died !== undefined) return direction === "to server" ? "drop" : "pass";
        if (!verb.endsWith("PUB") || !phase.at.test(subject)) return "pass";
        if (++count < (phase.nth ?? 1)) return "pass";
        died = gateway.stop("SIGKILL");
        return phase.passes ? "pass" : "drop";
      };
    };
    await request(gateway, die).catch(() => {});
    ok(died !== undefined, "the phase was never reached");
    await died;
  } finally {
    await gateway.stop("SIGKILL");
  }

  await delay(300); // the server may not have stored the last message yet
  const shown = await read(beside.store, bucket, key).then(({ bytes }) => bytes, () => undefined);
  const isOld = shown !== undefined && sameBytes(shown, OLD);
  const isNew = expected === undefined
    ? shown === undefined
    : shown !== undefined && sameBytes(shown, expected);
  ok(phase.shows === "old" ? isOld : phase.shows === "new" ? isNew : isOld || isNew, phase.shows);

  await using sweeper = await given.open(undefined, { grace: 0 });
  const { store } = sweeper;
  const query = { prefix: "", delimiter: "", keyMarker: "", uploadIdMarker: "", limit: 100 };
  for (const upload of (await store.listUploads(bucket, query)).uploads) {
    await store.abortUpload(bucket, upload.key, upload.id);
  }
  await store.sweep(bucket, { minAge: 0, dryRun: false });
  const { unnamed, missing } = await compareWithLive(given.connection, "phases");
  strictEqual([...unnamed, ...missing].join(), "");
  const after = await read(beside.store, bucket, key).then(({ bytes }) => bytes, () => undefined);
  ok(shown === undefined ? after === undefined : after !== undefined && sameBytes(after, shown));
}

Deno.test("a gateway that dies in a write leaves the object whole", async (t) => {
  await using given = await cluster();
  {
    await using first = await given.open();
    await first.store.createBucket(bucket, "alice");
  }
  const step = async (
    what: string,
    phases: Readonly<Record<string, Phase>>,
    run: (phase: Phase) => Promise<void>,
  ): Promise<void> => {
    for (const [when, phase] of Object.entries(phases)) {
      await t.step(`${what}, ${when}`, () => run(phase));
    }
  };
  const begin = async (gateway: Parameters<typeof ask>[0]): Promise<string> => {
    const asked = { method: "POST", path: PATH, query: "uploads=" };
    return /<UploadId>([^<]+)</.exec(await demand(gateway, 200, asked))?.[1] ?? "";
  };
  const part = (id: string): Parameters<typeof ask>[1] => {
    return { method: "PUT", path: PATH, query: `partNumber=1&uploadId=${id}`, body: NEW };
  };

  await step("PutObject", PUT, (phase) =>
    dieIn(given, phase, NEW, (gateway, die) => {
      die();
      return ask(gateway, { method: "PUT", path: PATH, body: NEW });
    }));
  await step("DeleteObject", DELETE, (phase) =>
    dieIn(given, phase, undefined, (gateway, die) => {
      die();
      return ask(gateway, { method: "DELETE", path: PATH });
    }));
  await step("UploadPart", PART, (phase) =>
    dieIn(given, phase, NEW, async (gateway, die) => {
      const id = await begin(gateway);
      die();
      return await ask(gateway, part(id));
    }));
  await step(
    "CompleteMultipartUpload",
    COMPLETE,
    (phase) =>
      dieIn(given, phase, NEW, async (gateway, die) => {
        const id = await begin(gateway);
        await demand(gateway, 200, part(id));
        die();
        const etag = createHash("md5").update(NEW).digest("hex");
        const body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
          `<ETag>"${etag}"</ETag></Part></CompleteMultipartUpload>`;
        const response = await ask(gateway, {
          method: "POST",
          path: PATH,
          query: `uploadId=${id}`,
          body,
        });
        return await response.text();
      }),
  );
});
