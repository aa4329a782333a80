/** Runs a playbook of Ansible: its modules ask a dozen questions of a bucket before they change one. */

import { strictEqual } from "node:assert/strict";
import { findAnsible } from "../../scripts/ansible.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";
import { compareFiles, temporaryFolder, writeRandomFile } from "./real_files.ts";

const PLAYBOOK = `${import.meta.dirname}/ansible_playbook.yml`;

const ansible = await findAnsible();

Deno.test({
  name: "Ansible's s3_bucket and s3_object manage a bucket as on Amazon",
  ignore: ansible === undefined,
  async fn() {
    if (ansible === undefined) return;
    // Without it, s3_object needs `encrypt: false`, as the playbook's file in parts has it.
    await using gateway = await startGateway({ flags: ["--encryption.at-rest"] });
    await using folder = await temporaryFolder();
    await writeRandomFile(`${folder.path}/large`, 9 * 1024 * 1024);
    const { code, stdout, stderr } = await run(ansible, [
      ...["--inventory", "localhost,", "--extra-vars", `folder=${folder.path}`],
      PLAYBOOK,
    ], {
      gateway,
      cwd: folder.path,
      env: { ANSIBLE_HOME: folder.path, ANSIBLE_NOCOLOR: "1", LC_ALL: "C.UTF-8" },
    });
    strictEqual(code, 0, stdout + stderr);
    await compareFiles(`${folder.path}/large`, `${folder.path}/large.back`);
  },
});
