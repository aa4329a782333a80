/**
 * Finds MinIO's client `mc`, or builds it into the project's `.tools/` folder.
 *
 * It tries, in order: `MC_BIN`, the PATH, one that was built earlier, and `go install` of a pinned version.
 * @module
 */

import { findGoCommand, type GoCommand } from "./go_command.ts";

const COMMAND: GoCommand = {
  name: "mc",
  module: "github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9",
  variable: "MC_BIN",
  // Midnight Commander has the same name.
  says: "mc version",
};

/**
 * Finds the client, or builds it.
 *
 * @returns its path, or undefined after telling `note` the reason
 * @throws Error if `MC_BIN` names a file that does not run
 */
export async function findMc(note: (text: string) => void = () => {}): Promise<string | undefined> {
  return await findGoCommand(COMMAND, note);
}
