import { deepStrictEqual } from "node:assert/strict";
import { TrustedProxies } from "../s3/forwarded.ts";
import { createEntry } from "./entry.ts";

Deno.test("createEntry() passes requests to the hosts of web sites on to theirs", async () => {
  const doors: string[] = [];
  const door = (name: string) => () => {
    doors.push(name);
    return Promise.resolve(new Response());
  };
  const entry = createEntry({
    s3: door("s3"),
    sites: door("sites"),
    siteDomains: ["web.test"],
    proxies: new TrustedProxies(["10.0.0.0/8"]),
  });
  const ask = async (
    host: string,
    headers: Readonly<Record<string, string>> = {},
    hostname = "192.0.2.1",
  ): Promise<string | undefined> => {
    const request = new Request("http://localhost/", { headers });
    Object.defineProperty(request, "url", { value: `http://${host}/a?b=http://x.web.test/` });
    await entry(request, { completed: Promise.resolve(), remoteAddr: { hostname } });
    return doors.pop();
  };
  const forwarded = { "x-forwarded-host": "photos.web.test" };
  deepStrictEqual(
    [
      await ask("photos.web.test"),
      await ask("PHOTOS.WEB.TEST:443"),
      await ask("web.test"),
      await ask("photosweb.test"),
      await ask("localhost"),
      await ask(""),
      await ask("localhost", forwarded),
      await ask("localhost", forwarded, "10.1.2.3"),
      await ask("photos.web.test", { "x-forwarded-host": "s3.test" }, "10.1.2.3"),
    ],
    ["sites", "sites", "s3", "s3", "s3", "s3", "s3", "sites", "s3"],
  );
});
