/**
 * Limits by which JetStream itself removes messages. A bucket of such a stream cannot keep versions.
 * @module
 */

/** Tells whether JetStream itself removes messages of a stream. */
export function forgets(
  { max_age, max_msgs, max_msgs_per_subject, discard }: Readonly<Record<string, unknown>>,
): boolean {
  const isLimit = (value: unknown): boolean => typeof value === "number" && value > 0;
  return isLimit(max_age) || isLimit(max_msgs) || isLimit(max_msgs_per_subject) ||
    (discard !== undefined && discard !== "new");
}
