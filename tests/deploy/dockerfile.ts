/**
 * The instructions of the Dockerfile, as far as they can run without Docker.
 * @module
 */

const PATH = new URL("../../Dockerfile", import.meta.url);

/** The instructions of `Dockerfile`. */
export type Dockerfile = {
  readonly text: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly health: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The shell command that bundles the gateway into one file. */
  readonly build: string;
  /** The paths that the first stage copies from the build context. */
  readonly copied: readonly string[];
};

/** Reads the Dockerfile. */
export async function readDockerfile(): Promise<Dockerfile> {
  const text = await Deno.readTextFile(PATH);
  const lines = text.replaceAll(/\\\n\s*/g, "").split("\n");
  const one = (start: RegExp): string => {
    const [line, ...others] = lines.filter((line) => start.test(line));
    if (line === undefined || others.length > 0) {
      throw new Error(`Expected exactly one line ${start}`);
    }
    return line.replace(start, "");
  };
  return {
    text,
    entrypoint: JSON.parse(one(/^ENTRYPOINT /)),
    command: JSON.parse(one(/^CMD /)),
    health: JSON.parse(one(/^HEALTHCHECK .*?CMD /)),
    env: Object.fromEntries(one(/^ENV /).split(" ").map((pair) => pair.split("=") as [string])),
    build: one(/^RUN /),
    copied: lines.filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(" ").slice(1, -1)),
  };
}

/** An empty folder, removed when this process ends. */
const EMPTY = Deno.makeTempDirSync({ prefix: "image-" });
globalThis.addEventListener("unload", () => Deno.removeSync(EMPTY, { recursive: true }));

/** Returns the command that the image would run: Deno and the bundle, without home, cache or other environment. */
export function inImage(
  words: readonly string[],
  file: string,
  env: Readonly<Record<string, string>>,
): Deno.Command {
  const [deno, ...args] = words;
  if (deno !== "/bin/deno") throw new Error(`The image runs ${deno}, not /bin/deno`);
  return new Deno.Command(Deno.execPath(), {
    args: args.map((word) => word === "/app/nats-s3.js" ? file : word),
    clearEnv: true,
    env: { ...env, DENO_DIR: EMPTY, HOME: EMPTY },
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}
