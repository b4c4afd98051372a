# SPDX-License-Identifier: LGPL-2.1-only
"""Checks what --json printed.

schema.py NAME FILE...     each file is what output.schema.json says of NAME; else exits with 1
schema.py --names          the names there are
"""
import json
import os
import sys

import jsonschema

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "output.schema.json")


def main(name, *files):
    with open(PATH, encoding="utf-8") as file:
        schema = json.load(file)
    if name == "--names":
        print(*schema["$defs"], sep="\n")
        return 0
    validator = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/" + name})
    failed = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            for error in validator.iter_errors(json.load(file)):
                print(f"{os.path.basename(path)}: {error.json_path}: {error.message[:300]}")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
