/** The NATS permissions that docs/configuration.md denies to native clients: no request of theirs reaches the KV bucket. */

import { match, ok, strictEqual } from "node:assert/strict";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { USERS_STREAM } from "../../src/nats/layout/user_subjects.ts";

const DOCUMENT = `${import.meta.dirname}/../../docs/configuration.md`;
/** Requests of JetStream's API that read or change a stream, or would. */
const REQUESTS = [
  "STREAM.INFO.KV_s3-users",
  "STREAM.UPDATE.KV_s3-users",
  "STREAM.DELETE.KV_s3-users",
  "STREAM.PURGE.KV_s3-users",
  "STREAM.SNAPSHOT.KV_s3-users",
  "STREAM.RESTORE.KV_s3-users",
  "STREAM.MSG.GET.KV_s3-users",
  "STREAM.MSG.DELETE.KV_s3-users",
  "DIRECT.GET.KV_s3-users",
  "DIRECT.GET.KV_s3-users.$KV.s3-users.a",
  "CONSUMER.CREATE.KV_s3-users",
  "CONSUMER.CREATE.KV_s3-users.c",
  "CONSUMER.CREATE.KV_s3-users.c.$KV.>",
  "CONSUMER.DURABLE.CREATE.KV_s3-users.c",
  "CONSUMER.MSG.NEXT.KV_s3-users.c",
];

Deno.test("the permissions that native clients are denied keep them from the KV bucket of users", async () => {
  const [, list = ""] = /publish \{[^}]*deny: \[([^\]]*)\]/.exec(
    await Deno.readTextFile(DOCUMENT),
  ) ?? [];
  match(list, /"\$KV\.s3-users\.>"/);
  await using server = await startNatsServer({
    config: `authorization { users = [
      { user: gateway, password: gateway },
      { user: native, password: native, permissions: { publish: { allow: [">"], deny: [${list}] } } }
    ] }`,
  });
  const gateway = await connect({ servers: server.url, user: "gateway", pass: "gateway" });
  const native = await connect({ servers: server.url, user: "native", pass: "native" });
  try {
    const config = { name: USERS_STREAM, subjects: ["$KV.s3-users.>"] };
    await gateway.request(`$JS.API.STREAM.CREATE.${USERS_STREAM}`, JSON.stringify(config));
    const subjects = [...REQUESTS.map((request) => `$JS.API.${request}`), "$KV.s3-users.a"];
    for (const subject of [...subjects, "$O.photos.S3.bucket.policy"]) {
      strictEqual(await isDenied(native, subject), true, subject);
    }
    strictEqual(await isDenied(native, "$JS.API.STREAM.INFO.OBJ_photos"), false);
    ok(!await isDenied(gateway, "$KV.s3-users.a"));
  } finally {
    await Promise.all([gateway.close(), native.close()]);
  }
});

/** Returns whether NATS does not permit a request; any other outcome counts as permitted. */
async function isDenied(connection: NatsConnection, subject: string): Promise<boolean> {
  return await connection.request(subject, "{}", { timeout: 1000 }).then(
    () => false,
    (cause) => /permissions violation/i.test(String(cause)),
  );
}
