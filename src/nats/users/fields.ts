/**
 * The fields of a record's JSON, read with the types that they should have.
 * @module
 */

import { isRecord } from "../layout/json.ts";

/** A record that cannot be read. The message says why, to follow a colon. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** Most elements of a list, and most characters of a text. */
const MAX_ELEMENTS = 1000;
const MAX_TEXT = 512 * 1024;

/** The fields of an object. Every method throws {@linkcode Unreadable} for a field of another type. */
export class Fields {
  readonly #json: Readonly<Record<string, unknown>>;

  constructor(json: Readonly<Record<string, unknown>>) {
    this.#json = json;
  }

  /** Returns a text that is not empty. */
  text(name: string): string {
    const value = this.#get(name);
    if (!isText(value)) throw wrong(name, "a text");
    return value;
  }

  /** Returns a text, which may be empty; undefined if the field is absent. */
  optionalText(name: string): string | undefined {
    const value = this.#get(name);
    return value === undefined || value === "" ? value : this.text(name);
  }

  /** Returns a text that matches an expression. */
  match(name: string, expression: RegExp): string {
    const text = this.text(name);
    if (!expression.test(text)) throw wrong(name, "what it should be");
    return text;
  }

  /** Returns a whole number above 0. */
  count(name: string): number {
    const value = this.#get(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw wrong(name, "a number above 0");
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== "boolean") throw wrong(name, "true or false");
    return value;
  }

  /** Returns a time, which is written as RFC 3339 demands. */
  time(name: string): Date {
    const time = new Date(this.match(name, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/));
    if (Number.isNaN(time.getTime())) throw wrong(name, "a time");
    return time;
  }

  object(name: string): Fields {
    const value = this.#get(name);
    if (!isRecord(value)) throw wrong(name, "an object");
    return new Fields(value);
  }

  /** Returns a list of objects. */
  list(name: string): readonly Fields[] {
    return this.#list(name).map((element) => {
      if (!isRecord(element)) throw wrong(name, "a list of objects");
      return new Fields(element);
    });
  }

  /** Returns a list of texts. */
  texts(name: string): readonly string[] {
    const list = this.#list(name);
    if (!list.every(isText)) throw wrong(name, "a list of texts");
    return list;
  }

  /** Returns a list of pairs of texts, of which the second may be empty. */
  pairs(name: string): ReadonlyMap<string, string> {
    return new Map(
      this.#list(name).map((pair) => {
        const [key, value, more] = Array.isArray(pair) ? pair : [];
        const isPair = isText(key) && (value === "" || isText(value)) && more === undefined;
        if (!isPair) throw wrong(name, "a list of pairs");
        return [key, value];
      }),
    );
  }

  #list(name: string): readonly unknown[] {
    const value = this.#get(name);
    if (!Array.isArray(value) || value.length > MAX_ELEMENTS) throw wrong(name, "a list");
    return value;
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT;
}

function wrong(name: string, is: string): Unreadable {
  return new Unreadable(`"${name}" is not ${is}`);
}
