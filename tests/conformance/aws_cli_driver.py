"""Runs commands of aws-cli 1, each in a fork of this process, which has loaded what all of them need.

Reads a line of JSON for each command, {"args": [...], "cwd": ..., "env": {...}, "stdin": path or null}, and answers
with one: {"code": ..., "stdout": base64, "stderr": base64, "calls": [[operation, status], ...]}.
"""

import base64
import json
import os
import sys
import tempfile
import traceback

import awscli.clidriver
from botocore.loaders import JSONFileLoader


def keep_loaded():
    """Models are read once, here; a fork has memory of its own to change them in."""
    loaded = {}
    load = JSONFileLoader.load_file

    def load_once(self, path):
        if path not in loaded:
            loaded[path] = load(self, path)
        return loaded[path]

    JSONFileLoader.load_file = load_once
    driver = awscli.clidriver.create_clidriver()
    driver.session.create_client("s3", "us-east-1", endpoint_url="http://127.0.0.1:9")
    driver.create_help_command()


def run(command, stdout, stderr, calls):
    """What a fork does; does not return."""
    code = 255
    try:
        stdin = os.open(command["stdin"] or os.devnull, os.O_RDONLY)
        for target, source in enumerate([stdin, stdout.fileno(), stderr.fileno()]):
            os.dup2(source, target)
        os.chdir(command["cwd"])
        os.environ.update(command["env"])
        driver = awscli.clidriver.create_clidriver()

        def note(model, http_response, **_):
            # One write of few bytes: those of several threads do not mix.
            os.write(calls.fileno(), f"{model.name} {http_response.status_code}\n".encode())

        driver.session.register("after-call.s3", note)
        code = driver.main(command["args"])
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 255)


def read_back(file):
    file.seek(0)
    return file.read()


def main():
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    keep_loaded()
    for line in commands:
        with (
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
            tempfile.TemporaryFile() as calls,
        ):
            child = os.fork()
            if child == 0:
                run(json.loads(line), stdout, stderr, calls)
            _, status = os.waitpid(child, 0)
            answer = {
                "code": os.waitstatus_to_exitcode(status),
                "stdout": base64.b64encode(read_back(stdout)).decode(),
                "stderr": base64.b64encode(read_back(stderr)).decode(),
                "calls": [
                    [name, int(status)]
                    for name, status in (
                        call.split() for call in read_back(calls).decode().splitlines()
                    )
                ],
            }
        print(json.dumps(answer), file=answers, flush=True)


main()
