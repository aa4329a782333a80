/**
 * Waits for several pieces of work at a time.
 * @module
 */

/** Waits for all, and then returns their results in order, or throws the first error. */
export async function settled<T>(works: readonly Promise<T>[]): Promise<readonly T[]> {
  const results = await Promise.allSettled(works);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}
