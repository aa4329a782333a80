/**
 * The response to a read of an object: its bytes, under the headers of {@linkcode objectAnswer}.
 * @module
 */

import type { ObjectContent } from "../../store/objects.ts";
import { MAX_FIXED } from "../../streams/in_pieces.ts";
import { release } from "../../streams/release.ts";
import type { Deliver } from "../operation.ts";
import { objectAnswer, type ObjectRead } from "./object.ts";

/** Returns the status and the headers of a response. */
export type AnswerOf = typeof objectAnswer;

/**
 * Returns the response with the content, whose body it owns.
 *
 * @throws TypeError for a header that cannot be sent
 */
export function contentResponse(
  read: ObjectRead,
  content: ObjectContent,
  deliver: Deliver,
  answerOf: AnswerOf = objectAnswer,
): Response | Promise<Response> {
  const { info, range, body } = content;
  if (body instanceof ReadableStream) {
    return streamResponse(body, deliver, () => answerOf(read, info, range));
  }
  if (body !== null && body.length > MAX_FIXED) {
    const stream = ReadableStream.from([body]);
    return streamResponse(stream, deliver, () => answerOf(read, info, range));
  }
  const response = new Response(body, answerOf(read, info, range)); // it copies the bytes
  if (body !== null) release(body);
  return response;
}

/**
 * The stream is not delivered before its headers are known to be valid; if they are not, it is cancelled, because nobody
 * else would.
 */
async function streamResponse(
  body: ReadableStream<Uint8Array>,
  deliver: Deliver,
  answerOf: () => ReturnType<AnswerOf>,
): Promise<Response> {
  let answer: { readonly status: number; readonly headers: Headers };
  try {
    const { status, headers } = answerOf();
    answer = { status, headers: new Headers(headers) };
  } catch (cause) {
    await body.cancel(cause).catch(() => {});
    throw cause;
  }
  return new Response(deliver(body), answer);
}
