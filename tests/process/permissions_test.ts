import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { PERMISSIONS, signedFetch, startCommand, startGateway } from "./running_command.ts";

const PAIR = { accessKeyId: "ann", secretAccessKey: "secret" };
const LOGIN = ["--natsUser", "ann", "--natsPassword", "secret"];

Deno.test("the gateway serves with --allow-net and --allow-env and uses nothing else", async () => {
  await using server = await startNatsServer({
    config: "authorization { user: ann, password: secret }",
  });
  const audit = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    {
      await using gateway = await startGateway(["--natsServers", server.url, ...LOGIN], {
        env: { DENO_AUDIT_PERMISSIONS: audit },
      });
      const request = async (method: string, path: string, body?: string): Promise<string> => {
        const response = await signedFetch(gateway.url + path, PAIR, {
          method,
          ...(body !== undefined && { body }),
        });
        const text = await response.text();
        ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
        return text;
      };
      await request("PUT", "/photos");
      await request("PUT", "/photos/a.txt", "hello");
      strictEqual(await request("GET", "/photos/a.txt"), "hello");
      match(await request("GET", "/photos?list-type=2"), /<Key>a\.txt<\/Key>/);
      await request("POST", "/photos/b.txt?uploads");
      await request("DELETE", "/photos/a.txt");
      const { code } = await gateway.stop();
      strictEqual(code, 0, gateway.output);
    }
    const used = (await Deno.readTextFile(audit)).trim().split("\n")
      .map((line) => JSON.parse(line).permission as string);
    deepStrictEqual([...new Set(used)].sort(), ["env", "net"]);
  } finally {
    await Deno.remove(audit);
  }
});

Deno.test("the gateway says what permission a file needs", async () => {
  const args = ["main.ts", "--s3.credentials", "/etc/credentials.json"];
  await using command = startCommand(["run", ...PERMISSIONS, ...args]);
  const { code } = await command.ended();
  strictEqual(code, 2);
  match(command.output, /--allow-read=\/etc\/credentials\.json/);
});
