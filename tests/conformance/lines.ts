/**
 * Splits a text that arrives in pieces into lines.
 * @module
 */

/** Turns pieces of text into lines without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  /** Creates one. */
  constructor() {
    let rest = "";
    super({
      transform(piece, controller) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
