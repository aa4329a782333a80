/**
 * The seam through which metrics and traces observe calls of JetStream.
 * @module
 */

/** A call of JetStream. */
export type JetStreamCall = {
  /** `publish`, `publish_batch`, `direct_get`, `direct_batch`, or a method of the API such as `STREAM.INFO`. */
  readonly method: string;
  readonly subject: string;
  /** Bytes that the call sends. */
  readonly size: number;
};

/**
 * Observes a call. It returns at once and does not throw; neither does the function that it returns, which receives the
 * error that the call threw, if any, and the number of bytes of messages that it read.
 */
export type CallObserver = (call: JetStreamCall) => (error: unknown, received: number) => void;

/**
 * Does the work of a call and reports it to an observer, if there is one.
 *
 * @param sizeOf Returns the bytes of messages in a result; none by default.
 */
export async function observed<T>(
  observe: CallObserver | undefined,
  method: string,
  subject: string,
  size: number,
  work: () => Promise<T>,
  sizeOf: (result: T) => number = () => 0,
): Promise<T> {
  if (observe === undefined) return await work();
  const end = observe({ method, subject, size });
  try {
    const result = await work();
    end(undefined, sizeOf(result));
    return result;
  } catch (cause) {
    end(cause, 0);
    throw cause;
  }
}

/**
 * Returns a method of the API without the stream and the names that follow it: two words, or three that begin with
 * `STREAM.MSG` or `CONSUMER.MSG`.
 *
 * @example Usage
 * ```ts
 * import { methodOf } from "./call_observer.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(methodOf("CONSUMER.CREATE.EVENTS.name"), "CONSUMER.CREATE");
 * strictEqual(methodOf("STREAM.MSG.GET.EVENTS"), "STREAM.MSG.GET");
 * strictEqual(methodOf("INFO"), "INFO");
 * ```
 */
export function methodOf(method: string): string {
  const second = method.indexOf(".") + 1;
  const last = method.startsWith("MSG.", second) ? second + 4 : second;
  const end = second === 0 ? -1 : method.indexOf(".", last);
  return end < 0 ? method : method.slice(0, end);
}
