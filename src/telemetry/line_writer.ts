/**
 * Lines on their way to an output: written in the background, in order, many at a time.
 *
 * Whoever reads the output may be slow, or stop: lines then wait in a bounded number of bytes, and those beyond it are
 * dropped and counted. Nothing waits for them.
 * @module
 */

/** Where bytes go; as many as it says were taken. */
export type Output = { readonly write: (bytes: Uint8Array) => Promise<number> };

/** Options of {@linkcode LineWriter}. */
export type LineWriterOptions = {
  /** Characters that may wait; 4 Mi by default. */
  readonly limit?: number;
  /** Milliseconds that a line waits for others that may; 50 by default. */
  readonly patience?: number;
  /** Makes the line that says how many were dropped. */
  readonly sayDropped?: (lines: number) => string;
};

const LIMIT = 4 * 1024 * 1024;
const PATIENCE = 50;
/** Characters that are written at a time. */
const BATCH = 65_536;

/** Writes lines to an output, which nobody else writes to meanwhile. */
export class LineWriter {
  readonly #output: Output;
  readonly #limit: number;
  readonly #patience: number;
  readonly #sayDropped: ((lines: number) => string) | undefined;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #length = 0;
  /** Characters that were given to the output and not taken. */
  #writingLength = 0;
  /** What waits must not wait for more. */
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #unsaid = 0;

  constructor(output: Output, options: LineWriterOptions = {}) {
    this.#output = output;
    this.#limit = options.limit ?? LIMIT;
    this.#patience = options.patience ?? PATIENCE;
    this.#sayDropped = options.sayDropped;
  }

  /** Lines that were dropped, because those before them were not taken. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes a line soon; with others, if it may wait. */
  add(line: string, mayWait = false): void {
    const length = line.length + 1;
    if (this.#length + this.#writingLength + length > this.#limit) {
      this.#dropped++;
      this.#unsaid++;
      return;
    }
    this.#lines.push(line);
    this.#length += length;
    if (!mayWait || this.#length >= BATCH) this.begin();
    else this.#timer ??= setTimeout(() => this.begin(), this.#patience);
  }

  /** Writes what waits. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    this.#isDue = true;
    this.#writing ??= this.#write();
  }

  /** Resolves when all lines so far were taken, or after so many milliseconds. */
  async flush(patience: number): Promise<void> {
    this.begin();
    if (this.#writing === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, patience));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  async #write(): Promise<void> {
    while (this.#isDue && this.#lines.length > 0) {
      this.#isDue = false;
      if (this.#unsaid > 0 && this.#sayDropped !== undefined) {
        this.#lines.push(this.#sayDropped(this.#unsaid));
        this.#unsaid = 0;
      }
      const lines = this.#lines;
      this.#writingLength = this.#length;
      this.#lines = [];
      this.#length = 0;
      try {
        await this.#writeAll(this.#encoder.encode(`${lines.join("\n")}\n`));
      } catch {
        // Nobody reads the output any more.
        this.#dropped += lines.length;
      }
      this.#writingLength = 0;
    }
    this.#writing = undefined;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      taken += await this.#output.write(bytes.subarray(taken));
    }
  }
}
