"""Runs a notebook from its first cell to the last, and compares its outputs with those that it is kept with, or keeps the new ones.

`run_notebook.py NOTEBOOK [--write]`
"""

import difflib
import json
import pathlib
import re
import sys

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor

SECONDS = 1_800


def plain(output):
    """An output without what is another one each time: counts, and where things lie in memory."""
    output = dict(output)
    output.pop("execution_count", None)
    data = output.get("data", {})
    if re.search(r" at 0x[0-9a-f]+>", data.get("text/plain", "")):
        output["data"] = {kind: content for kind, content in data.items() if kind != "text/plain"}
    return output


def comparable(output):
    """Of pictures it counts that there is one: their bytes are of the fonts that a machine has."""
    data = {kind: "…" if kind.startswith("image/") else content for kind, content in output.get("data", {}).items()}
    return json.dumps({**output, "data": data}, indent=1, ensure_ascii=False, sort_keys=True).replace("\\n", "\n")


def main(notebook, *options):
    path = pathlib.Path(notebook)
    kept = nbformat.read(path, as_version=4)
    run = nbformat.from_dict(kept)
    settings = dict(run.metadata)
    executed = ExecutePreprocessor(timeout=SECONDS, record_timing=False)
    executed.preprocess(run, {"metadata": {"path": path.parent}})
    # The version of the language is the machine's.
    run.metadata = settings
    count = 0
    for cell in run.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [nbformat.from_dict(plain(output)) for output in cell.outputs]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    if "--write" in options:
        path.write_text(nbformat.writes(run) + "\n", encoding="utf-8")
        return
    differences = []
    for before, now in zip(kept.cells, run.cells, strict=True):
        one, other = ("\n".join(map(comparable, cell.get("outputs", []))).splitlines() for cell in (before, now))
        lines = list(difflib.unified_diff(one, other, "kept", "now", lineterm="", n=1))
        if lines:
            differences += [f"{before.source.splitlines()[0]} …", *(line[:200] for line in lines[:40])]
    if differences:
        sys.exit("\n".join(differences))
    print(f"{count} cells are as they are kept")


main(*sys.argv[1:])
