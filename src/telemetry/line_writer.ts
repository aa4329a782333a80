/**
 * Writes lines to an output in the background, in order, many at a time.
 *
 * The reader of the output may be slow, or stop reading. Lines then wait in a buffer of limited size; further lines are
 * dropped and counted. The code that logs never waits.
 * @module
 */

/** A destination of bytes. `write` resolves with the number of bytes that it accepted. */
export type Output = { readonly write: (bytes: Uint8Array) => Promise<number> };

/** Options of {@linkcode LineWriter}. */
export type LineWriterOptions = {
  /** Maximum number of waiting characters; 4 Mi by default. */
  readonly limit?: number;
  /** Milliseconds for which a line that may wait is held back for others; 50 by default. */
  readonly delay?: number;
  /** Returns the line that reports the number of dropped lines. */
  readonly formatDropped?: (lines: number) => string;
};

const LIMIT = 4 * 1024 * 1024;
const DELAY = 50;
/** Characters in a batch. */
const BATCH = 65_536;

/** Writes lines to an output that it owns. */
export class LineWriter {
  readonly #output: Output;
  readonly #limit: number;
  readonly #delay: number;
  readonly #formatDropped: ((lines: number) => string) | undefined;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #length = 0;
  /** Characters that the output has received and not accepted yet. */
  #writingLength = 0;
  /** The waiting lines must be written now. */
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #unreported = 0;

  constructor(output: Output, options: LineWriterOptions = {}) {
    this.#output = output;
    this.#limit = options.limit ?? LIMIT;
    this.#delay = options.delay ?? DELAY;
    this.#formatDropped = options.formatDropped;
  }

  /** Number of lines that were dropped because the output did not accept the lines before them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes a line soon, or together with others if it may wait. */
  add(line: string, mayWait = false): void {
    const length = line.length + 1;
    if (this.#length + this.#writingLength + length > this.#limit) {
      this.#dropped++;
      this.#unreported++;
      return;
    }
    this.#lines.push(line);
    this.#length += length;
    if (!mayWait || this.#length >= BATCH) this.begin();
    else this.#timer ??= setTimeout(() => this.begin(), this.#delay);
  }

  /** Writes the waiting lines. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    this.#isDue = true;
    this.#writing ??= this.#write();
  }

  /** Resolves when the output has accepted all lines so far, or after a timeout in milliseconds. */
  async flush(timeout: number): Promise<void> {
    this.begin();
    if (this.#writing === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, timeout));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  async #write(): Promise<void> {
    while (this.#isDue && this.#lines.length > 0) {
      this.#isDue = false;
      if (this.#unreported > 0 && this.#formatDropped !== undefined) {
        this.#lines.push(this.#formatDropped(this.#unreported));
        this.#unreported = 0;
      }
      const lines = this.#lines;
      this.#writingLength = this.#length;
      this.#lines = [];
      this.#length = 0;
      try {
        await this.#writeAll(this.#encoder.encode(`${lines.join("\n")}\n`));
      } catch {
        // The output is closed.
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
