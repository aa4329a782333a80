/**
 * Makes the server's lists of subjects shorter than its 100,000, so that few subjects already need several pages.
 * @module
 */

import { documentOf, jsonMessage, type WireMessage } from "./jetstream/wire.ts";

/** A response about a stream, as far as it lists subjects. */
type Listing = {
  readonly type?: string;
  readonly total?: number;
  readonly state?: { readonly subjects?: Readonly<Record<string, number>> };
};

/** Returns a message of the server with at most so many subjects, if it lists subjects. */
export function withPage(message: WireMessage, most: number): WireMessage {
  if (message.text === undefined) return message;
  const listing = documentOf(message) as Listing;
  const subjects = listing.state?.subjects;
  if (listing.type?.endsWith("stream_info_response") !== true || subjects === undefined) {
    return message;
  }
  const page = Object.fromEntries(Object.entries(subjects).slice(0, most));
  const shortened = { ...listing, limit: most, state: { ...listing.state, subjects: page } };
  return jsonMessage(message.subject, shortened);
}
