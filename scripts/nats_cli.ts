/**
 * Finds the `nats` command, or builds it into the project's `.tools/` folder.
 *
 * It tries, in order: `NATS_BIN`, the PATH, one that was built earlier, and `go install` of a pinned version.
 * @module
 */

import { findGoCommand, type GoCommand } from "./go_command.ts";

const COMMAND: GoCommand = {
  name: "nats",
  module: "github.com/nats-io/natscli/nats@v0.5.1",
  variable: "NATS_BIN",
};

/**
 * Finds the command, or builds it.
 *
 * @returns its path, or undefined after telling `note` the reason
 * @throws Error if `NATS_BIN` names a file that does not run
 */
export async function findNatsCli(
  note: (text: string) => void = () => {},
): Promise<string | undefined> {
  return await findGoCommand(COMMAND, note);
}
