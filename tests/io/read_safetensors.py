"""A second reader of safetensors, from the format's description alone; prints what it found."""
import json
import struct
import sys

import numpy as np

TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "BOOL": "?"}

with open(sys.argv[1], "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length).decode("utf-8"))
    data = file.read()
for key, value in sorted(header.pop("__metadata__", {}).items()):
    print(f"{key}={value}")
covered = 0
for name, entry in header.items():
    begin, end = entry["data_offsets"]
    covered += end - begin
    array = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    assert (8 + length + begin) % array.itemsize == 0, "not aligned"
    print(name, array.dtype.name, list(array.shape), array.tobytes().hex())
assert covered == len(data), "bytes of no array"
