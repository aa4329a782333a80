/**
 * Lists the subjects of a stream that match a filter, page by page, as the leader knows them.
 *
 * nats-server has the subjects in memory, so a list reads no stored bytes. But it collects and sorts all of them again for
 * each page, so lists of many pages cost the square of their length.
 * @module
 */

import { LIST_BYTES } from "../jetstream/reply_budget.ts";
import type { Requests } from "../jetstream/requests.ts";

/** The number of messages of each subject. */
export type SubjectCounts = Readonly<Record<string, number>>;

type Page = {
  readonly total?: number;
  readonly limit?: number;
  readonly state: { readonly subjects?: SubjectCounts | null };
};

/** Number of subjects in a page of nats-server, if it does not say so. */
const PAGE = 100_000;
/** Share of a page that the next one repeats. */
const OVERLAP = 0.1;

/**
 * Lists the subjects of a stream that match a filter. The number of pages is known from the beginning, so the list ends
 * even while writers add subjects.
 *
 * Subjects that writers add or remove shift the pages. The last page comes first, so that a caller may remove what it was
 * given, and pages overlap by a tenth: the list misses nothing unless writers add 10,000 subjects between two pages. It may
 * contain a subject twice.
 */
export async function* subjectPages(
  requests: Pick<Requests, "call">,
  stream: string,
  filter: string,
): AsyncGenerator<SubjectCounts> {
  const { total = 0, limit = PAGE, state } = await readPage(requests, stream, filter, 0);
  if (total <= limit) {
    yield state.subjects ?? {};
    return;
  }
  const step = Math.floor(limit * (1 - OVERLAP));
  for (let offset = Math.ceil((total - limit) / step) * step; offset >= 0; offset -= step) {
    yield (await readPage(requests, stream, filter, offset)).state.subjects ?? {};
  }
}

function readPage(
  requests: Pick<Requests, "call">,
  stream: string,
  filter: string,
  offset: number,
): Promise<Page> {
  const query = { subjects_filter: filter, offset };
  return requests.call<Page>(`STREAM.INFO.${stream}`, query, {
    listBytes: LIST_BYTES.subjects,
    isLong: true,
  });
}
