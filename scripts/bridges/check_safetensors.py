"""Checks that the real safetensors takes the files that gradstep's codec takes, and reads the same from them.

    npx tsx packages/checkpoint/test/safetensors/write-files.ts 100000 1 | python scripts/bridges/check_safetensors.py

Needs safetensors 0.8: `pip install safetensors numpy`. Prints how many files were compared. A file that only safetensors
takes must be one of those that the codec refuses by its documentation.
"""

import base64
import collections
import json
import pathlib
import re
import sys
import tempfile

from safetensors import SafetensorError, deserialize, safe_open

STRICTER = {
    "a field of another name": r"has the field ",
    "an integer above 2^53 - 1": r"expected an integer up to 2\^53 − 1|up to 2\^53 − 1 bits",
    "a tensor or dtype that is not written as the format says": r'has "(\[\\"|\{\\").*expected ("\{"|a string)',
}


def compare_verdicts(file, refusal):
    try:
        deserialize(file)
    except SafetensorError as error:
        return "both refuse" if refusal is not None else f"ONLY SAFETENSORS REFUSES: {error}"
    if refusal is None:
        return "both accept"
    if has_name_twice(file):
        return "only the codec refuses: a name twice"
    for reason, pattern in STRICTER.items():
        if re.search(pattern, refusal):
            return f"only the codec refuses: {reason}"
    return f"ONLY THE CODEC REFUSES: {refusal}"


def has_name_twice(file):
    """Of several equal names, safetensors takes the last and ignores the others, whatever they have."""
    found = []

    def check(pairs):
        names = [name for name, _ in pairs]
        found.append(len(set(names)) < len(names))
        return dict(pairs)

    json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")], object_pairs_hook=check)
    return any(found)


def compare_content(file, content, metadata):
    tensors = {name: (t["dtype"], t["shape"], bytes(t["data"])) for name, t in deserialize(file)}
    expected = {t["name"]: (t["dtype"], t["shape"], base64.b64decode(t["data"])) for t in content}
    with tempfile.NamedTemporaryFile() as saved:
        pathlib.Path(saved.name).write_bytes(file)
        with safe_open(saved.name, "numpy") as opened:
            texts = opened.metadata() or {}
    return "same content" if tensors == expected and texts == dict(metadata) else "OTHER CONTENT"


def main():
    results = collections.Counter()
    for line in sys.stdin:
        case = json.loads(line)
        file = base64.b64decode(case["file"])
        if "content" in case:
            result = compare_content(file, case["content"], case["metadata"])
        else:
            result = compare_verdicts(file, case.get("refusal"))
        results[result] += 1
        if result.split(":")[0].isupper() and results[result] == 1:
            print(result, case["file"])
    for result, count in results.most_common():
        print(f"{count:8} {result}")
    if any(result.split(":")[0].isupper() for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
