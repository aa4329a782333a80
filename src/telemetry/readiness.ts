/**
 * Checks whether requests can be served, at intervals and on demand.
 * @module
 */

/** Milliseconds between two checks. */
const INTERVAL = 5000;

/** Checks at intervals until it is disposed. */
export class Readiness implements Disposable {
  readonly #problem: () => Promise<string | undefined>;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<string | undefined> | undefined;
  #isReady = true;

  /** @param problem Returns why requests cannot be served, or undefined if they can. */
  constructor(problem: () => Promise<string | undefined>) {
    this.#problem = problem;
    this.#timer = setInterval(() => void this.check(), INTERVAL);
  }

  /** Whether the last check found that requests can be served. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Returns why requests cannot be served now, or undefined if they can. Concurrent calls share one check. */
  check(): Promise<string | undefined> {
    return this.#running ??= this.#run();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #run(): Promise<string | undefined> {
    let problem: string | undefined;
    try {
      problem = await this.#problem();
    } catch (cause) {
      problem = String(cause);
    }
    this.#running = undefined;
    this.#isReady = problem === undefined;
    return problem;
  }
}
