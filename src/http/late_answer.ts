/**
 * Answers that may be late: Copy and Complete of large objects.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 *
 * Within a moment the answer is as any other. After that its headers go out with 200, white space keeps the connection
 * alive, and what follows is the answer's XML or an error's, as AWS does.
 * @module
 */

import { XML_DECLARATION } from "../s3/xml.ts";

/** How long to wait, in milliseconds. */
export type Patience = {
  /** Before the answer begins without its end being known. */
  readonly first: number;
  /** Between white spaces. */
  readonly between: number;
};

/** Proxies cut connections after a minute or less; clients wait as long for headers. */
export const PATIENCE: Patience = { first: 5_000, between: 5_000 };

/**
 * The answer of slow work.
 *
 * @param work Answers in XML; what it rejects with is thrown, or given to `renderError` when the answer has begun.
 * @param renderError XML of an error, as text.
 */
export async function answerLate(
  work: Promise<Response>,
  renderError: (cause: unknown) => Promise<string>,
  { first, between }: Patience = PATIENCE,
): Promise<Response> {
  const early = await within(first, work);
  if (early !== undefined) return early;

  const text = work.then((response) => response.text()).catch(renderError);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(XML_DECLARATION)),
    async pull(controller): Promise<void> {
      const rest = await within(between, text);
      if (rest === undefined) return controller.enqueue(encoder.encode(" "));
      controller.enqueue(encoder.encode(rest.replace(XML_DECLARATION, "")));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "application/xml" } });
}

/** What a promise resolves to, or undefined when it takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
