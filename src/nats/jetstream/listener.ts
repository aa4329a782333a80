/**
 * A separate inbox, for messages that arrive one by one.
 * @module
 */

import type { Msg } from "@nats-io/nats-core";

/** Callbacks of a {@linkcode Listener}. */
export type Listening = {
  readonly message: (message: Msg) => void;
  /** No more responses come: the connection was lost, or a call is not permitted. */
  readonly lost: (cause: Error) => void;
};

/** A separate inbox, for messages that arrive one by one until it is disposed. */
export type Listener = Disposable & {
  readonly inbox: string;
  /** Accepts messages from now on. */
  readonly open: () => void;
  /**
   * Publishes; responses go to the callbacks.
   *
   * @throws NotConnected
   */
  readonly publish: (subject: string, body?: unknown) => void;
};
