/**
 * Responses that begin before the work behind them has ended: Copy and Complete of large objects.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 *
 * Work that ends within a moment gets a response like any other. After that the gateway sends headers with status 200,
 * keeps the connection alive with white space, and ends with the XML of the result or of an error, as AWS does.
 * @module
 */

import { XML_DECLARATION } from "../s3/xml.ts";

/** How long a slow operation waits, in milliseconds. */
export type LateTiming = {
  /** Before the response begins although the work has not ended. */
  readonly first: number;
  /** Between two pieces of white space. */
  readonly between: number;
};

/** Well below the minute after which proxies cut connections and clients stop waiting for headers. */
export const LATE_TIMING: LateTiming = { first: 5_000, between: 5_000 };

/**
 * Responds to a request whose work may be slow.
 *
 * @param work Resolves to a response in XML. Its error is thrown, or rendered once the response has begun.
 * @param renderError Returns the XML of an error.
 */
export async function answerLate(
  work: Promise<Response>,
  renderError: (cause: unknown) => string,
  { first, between }: LateTiming = LATE_TIMING,
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

/** Resolves to the value of a promise, or to undefined if it takes longer. */
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
