/**
 * Whether requests can be served: looked at again and again, and when somebody asks.
 * @module
 */

/** Milliseconds between two looks. */
const INTERVAL = 5000;

/** Looks until it is disposed. */
export class Readiness implements Disposable {
  readonly #problem: () => Promise<string | undefined>;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<string | undefined> | undefined;
  #isReady = true;

  /** @param problem Says why requests cannot be served; undefined where they can. */
  constructor(problem: () => Promise<string | undefined>) {
    this.#problem = problem;
    this.#timer = setInterval(() => void this.check(), INTERVAL);
  }

  /** What the last look said. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why requests cannot be served now; undefined where they can. Whoever asks meanwhile shares the answer. */
  check(): Promise<string | undefined> {
    return this.#running ??= this.#look();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<string | undefined> {
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
