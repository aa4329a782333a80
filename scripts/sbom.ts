/**
 * Formats the bill of materials of the gateway as CycloneDX: the packages that `main.ts` imports, and their dependencies,
 * with the digests from `deno.lock`. Scanners can read neither the bundled file nor `deno.lock`.
 *
 * `deno run -A scripts/sbom.ts` prints it.
 * @module
 */

import manifest from "../deno.json" with { type: "json" };

const MAIN = new URL("../main.ts", import.meta.url).pathname;
const LOCK = new URL("../deno.lock", import.meta.url);

type Info = {
  readonly modules: readonly { readonly kind?: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<
    Record<string, {
      readonly name: string;
      readonly version: string;
      readonly dependencies: readonly string[];
    }>
  >;
};

type Lock = { readonly npm: Readonly<Record<string, { readonly integrity: string }>> };

/** Returns the bill of materials, which is the same for the same sources. */
export async function formatSbom(): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", MAIN],
  }).output();
  if (!success) throw new Error("deno info cannot read main.ts");
  const { modules, npmPackages }: Info = JSON.parse(new TextDecoder().decode(stdout));

  const used = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  // A loop over a set also visits the items that it adds.
  for (const id of used) for (const of of npmPackages[id]?.dependencies ?? []) used.add(of);
  const lock: Lock = JSON.parse(await Deno.readTextFile(LOCK));
  const components = [...used].sort().map((id) => {
    const found = npmPackages[id];
    const digest = lock.npm[id]?.integrity.replace(/^sha512-/, "");
    if (found === undefined || digest === undefined) throw new Error(`deno.lock has no ${id}`);
    return {
      type: "library",
      "bom-ref": purl(found.name, found.version),
      name: found.name,
      version: found.version,
      hashes: [{ alg: "SHA-512", content: Uint8Array.fromBase64(digest).toHex() }],
      purl: purl(found.name, found.version),
    };
  });
  return JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
      metadata: {
        component: {
          type: "application",
          "bom-ref": "nats-s3",
          name: manifest.name,
          version: manifest.version,
          licenses: [{ license: { id: manifest.license } }],
        },
      },
      components: [
        ...components,
        { type: "platform", "bom-ref": "deno", name: "deno", version: Deno.version.deno },
      ],
    },
    null,
    2,
  ) + "\n";
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

// deno-lint-ignore no-console
if (import.meta.main) console.log(await formatSbom());
