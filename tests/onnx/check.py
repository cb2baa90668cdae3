#!/usr/bin/python3
"""check.py FOLDER: every model of onnx_cases by the checker of the package onnx, with its shapes."""

import pathlib
import sys

import onnx

failed = 0
files = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
for file in files:
    model = onnx.load(str(file))
    title = {entry.key: entry.value for entry in model.metadata_props}["title"]
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # each kind says what is wrong in its text
        failed += 1
        print(f"FAILED {file.name} {title}: {str(error).splitlines()[0]}")
print(f"{len(files) - failed} models are valid, {failed} are not")
sys.exit(1 if failed or not files else 0)
