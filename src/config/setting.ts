/**
 * The shape of a setting.
 * @module
 */

/** One setting. */
export type Setting<T> = {
  readonly flag: string;
  /** Placeholder of the value in `--help`. A flag without one turns its setting on. */
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
  /** Returns the value of a text, or throws an error whose message says what is wrong with it. */
  readonly parse: (text: string) => T;
  /** Set if the flag names a file: `env` is the variable for its path, `text` the variable for its content. */
  readonly file?: { readonly env: string; readonly text: string };
  /** Keeps the value out of all messages. */
  readonly secret?: true;
};

/** Creates a setting, so that its type follows from its parser. */
export function setting<T>(setting: Setting<T>): Setting<T> {
  return setting;
}
