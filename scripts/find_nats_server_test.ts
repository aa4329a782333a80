import { createHash } from "node:crypto";
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { findNatsServer, GO_SUM, RELEASE_VERSION, releaseName } from "./find_nats_server.ts";

/** Runs a test with a folder of shell scripts that stand in for programs. The folder is also `.nats/`. */
async function withPrograms(
  programs: Readonly<Record<string, string>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/bin`);
    for (const [name, script] of Object.entries(programs)) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

const prints = (version: string): string => `echo nats-server: v${version}`;

Deno.test("findNatsServer() uses NATS_SERVER_BIN, or says why it cannot", async () => {
  await withPrograms(
    { good: prints("2.12.0"), old: prints("2.11.9"), broken: "exit 1" },
    async (folder) => {
      const find = (name: string): ReturnType<typeof findNatsServer> =>
        findNatsServer({ folder, env: { NATS_SERVER_BIN: `${folder}/${name}` } });
      deepStrictEqual(await find("good"), {
        path: `${folder}/good`,
        version: "2.12.0",
        from: "NATS_SERVER_BIN",
      });
      await rejects(find("old"), /it is 2\.11\.9, but 2\.12\.0 is the oldest/);
      await rejects(find("broken"), /does not print a version/);
      await rejects(find("missing"), /does not print a version/);
    },
  );
});

Deno.test("findNatsServer() prefers the PATH, and skips a version that is too old", async () => {
  const kept = { "bin/nats-server": prints("2.15.1") };
  await withPrograms({ ...kept, "nats-server": prints("2.14.0") }, async (folder) => {
    const found = await findNatsServer({ folder, env: { PATH: `/nowhere:${folder}` } });
    deepStrictEqual([found.version, found.from], ["2.14.0", "PATH"]);
  });
  await withPrograms({ ...kept, "nats-server": prints("2.9.10") }, async (folder) => {
    const notes: string[] = [];
    const note = (text: string): void => void notes.push(text);
    const found = await findNatsServer({ folder, env: { PATH: folder }, note });
    deepStrictEqual([found.version, found.from], ["2.15.1", ".nats"]);
    match(notes.join("\n"), /Skipping .*nats-server: it is 2\.9\.10/);
  });
});

Deno.test("findNatsServer() installs from PyPI with pinned hashes, once", async () => {
  // Stands in for `python3 -m pip install … --target T --requirement R`.
  const python3 = `
    for last; do :; done
    while [ "$1" != --target ]; do [ "$1" = --require-hashes ] && hashes=yes; shift; done
    [ "$hashes" = yes ] && grep -q -- --hash=sha256: "$last" || exit 1
    mkdir -p "$2/bin" && printf '#!/bin/sh\\n${prints("2.15.1")}\\n' > "$2/bin/nats-server"
    chmod +x "$2/bin/nats-server"`;
  await withPrograms({ python3 }, async (folder) => {
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    const found = await findNatsServer({ folder, env });
    strictEqual(found.path, `${folder}/bin/nats-server`);
    match(found.from, /^PyPI/);
    await Deno.remove(`${folder}/python3`);
    strictEqual((await findNatsServer({ folder, env: { PATH: folder } })).from, ".nats");
    deepStrictEqual(await namesIn(folder), ["bin"]);
  });
});

/** A `go` that knows a module's hash, and installs a shell script. */
const goWith = (sum: string): string => `
    if [ "$1 $2 $3" = "mod download -json" ]; then printf '{"Sum":"${sum}"}'; exit 0; fi
    [ "$1" = install ] && [ "$2" = github.com/nats-io/nats-server/v2@v${RELEASE_VERSION} ] || exit 1
    printf '#!/bin/sh\\n${prints(RELEASE_VERSION)}\\n' > "$GOBIN/nats-server"
    chmod +x "$GOBIN/nats-server"`;
const python3 = "echo No module named pip >&2; exit 1";

Deno.test("findNatsServer() uses Go if PyPI fails", async () => {
  await withPrograms({ python3, go: goWith(GO_SUM) }, async (folder) => {
    const notes: string[] = [];
    const found = await findNatsServer({
      folder,
      env: { PATH: `${folder}:/usr/bin:/bin` },
      note: (text) => void notes.push(text),
    });
    match(found.from, /^go install/);
    ok(notes.some((note) => note.includes("No module named pip")), notes.join("\n"));
  });
});

Deno.test("findNatsServer() installs no module with another hash", async () => {
  await withPrograms({ python3, go: goWith("h1:other=") }, async (folder) => {
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    await rejects(
      findNatsServer({ folder, env }),
      /the hash of .* is h1:other=, but should be h1:/,
    );
  });
});

/** Runs a test with a server of a release whose nats-server is a shell script. */
async function withRelease(
  test: (base: string, sha256: string) => Promise<void>,
): Promise<void> {
  await withPrograms({}, async (folder) => {
    const name = releaseName();
    await Deno.mkdir(`${folder}/${name}`);
    await Deno.writeTextFile(
      `${folder}/${name}/nats-server`,
      `#!/bin/sh\n${prints(RELEASE_VERSION)}\n`,
      { mode: 0o755 },
    );
    const { success } = await new Deno.Command("tar", {
      args: ["-czf", "a.tar.gz", name],
      cwd: folder,
    }).output();
    ok(success);
    const archive = await Deno.readFile(`${folder}/a.tar.gz`);
    const answers: Record<string, BodyInit> = {
      [`/v${RELEASE_VERSION}/${name}.tar.gz`]: archive,
    };
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => {
        const answer = answers[new URL(request.url).pathname];
        return answer === undefined ? new Response(null, { status: 404 }) : new Response(answer);
      },
    );
    const hash = createHash("sha256").update(archive).digest("hex");
    await test(`http://127.0.0.1:${server.addr.port}`, hash);
  });
}

Deno.test("findNatsServer() accepts a release archive with the expected hash", async () => {
  await withRelease(async (base, sha256) => {
    await withPrograms({}, async (folder) => {
      const env = { NATS_SERVER_RELEASES: base, NATS_SERVER_SHA256: sha256.toUpperCase() };
      const found = await findNatsServer({ folder, env });
      strictEqual(found.version, RELEASE_VERSION);
      match(found.from, /^release archive/);
    });
  });
});

Deno.test("findNatsServer() rejects a release archive with another hash, and fetches none without a hash", async () => {
  for (
    const [env, reason] of [
      [{ NATS_SERVER_SHA256: "1".repeat(64) }, /SHA-256 of .* but NATS_SERVER_SHA256 is 1111/],
      [{}, /set NATS_SERVER_SHA256 to the SHA-256 of nats-server-v/],
    ] as const
  ) {
    await withRelease(async (base) => {
      await withPrograms({}, async (folder) => {
        await rejects(
          findNatsServer({ folder, env: { NATS_SERVER_RELEASES: base, ...env } }),
          (cause: Error) => {
            match(cause.message, reason);
            match(cause.message, /Install nats-server 2\.12\.0 or newer .* or install Python 3/);
            return true;
          },
        );
        deepStrictEqual(await namesIn(`${folder}/bin`), []);
      });
    });
  }
});
