/**
 * Notices a gateway that asks for the same page of a list again and again: such a list never ends.
 * @module
 */

import { API } from "./jetstream/api_calls.ts";
import { documentOf, type WireMessage } from "./jetstream/wire.ts";

/** The request for a page, as far as it matters. */
type Query = { readonly subjects_filter?: string; readonly offset?: number };

/** How often a gateway may ask for a page in a row. Each list asks once, and begins at another page than it ends. */
const MOST = 20;

/** Counts how often each gateway asks for the same page. */
export class SamePages {
  readonly #object: (text: string) => void;
  readonly #asked = new Map<string, { readonly offset: number; times: number }>();

  /** @param object Called for a list that does not end. */
  constructor(object: (text: string) => void) {
    this.#object = object;
  }

  /** Notes what a client sends, if it asks for a page behind the first one. */
  note(message: WireMessage): void {
    const { subject, reply } = message;
    if (!subject.startsWith(`${API}STREAM.INFO.`)) return;
    const { subjects_filter = "", offset = 0 } = (documentOf(message) ?? {}) as Query;
    const inbox = reply.slice(0, reply.lastIndexOf("."));
    const list = `${inbox} ${subjects_filter}`;
    const before = this.#asked.get(list);
    if (before === undefined || before.offset !== offset || offset === 0) {
      this.#asked.set(list, { offset, times: 1 });
    } else if (++before.times === MOST) {
      this.#object(
        `The list of "${subjects_filter}" asks for its page at ${offset} again and again`,
      );
    }
  }
}
