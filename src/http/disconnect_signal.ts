/**
 * Notices that the client of a request has disconnected.
 * @module
 */

/** Returns a signal that aborts when the client has disconnected, even if it did so before this call. */
export function disconnectSignal(
  { signal }: Pick<Request, "signal">,
  info: { readonly completed: Promise<unknown> } | undefined,
): AbortSignal {
  const disconnected = new AbortController();
  const abort = (): void => disconnected.abort();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  info?.completed.catch(abort);
  return disconnected.signal;
}
