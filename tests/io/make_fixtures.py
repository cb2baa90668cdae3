"""Writes data/: small files by NumPy, and a safetensors file by hand. Run where python3-numpy is."""
import io
import json
import struct
from pathlib import Path

import numpy as np

data = Path(__file__).parent / "data"
data.mkdir(exist_ok=True)
ramp = np.arange(6).reshape(2, 3)

plain = {
    "f4": (ramp * 0.5).astype("<f4"),
    "f8_fortran": np.asfortranarray(ramp * 0.5),
    "f8_big": (ramp * 0.5).astype(">f8"),
    "f2": np.array([0, -0.0, 1, -2.5, 65504, 2.0**-24, -1023 * 2.0**-24, np.inf, np.nan], "<f2"),
    "f2_big_fortran": np.asfortranarray(ramp.astype(">f2")),
    "i1": np.array([-128, 0, 127], "i1"),
    "i2_big": np.array([-32768, 1, 32767], ">i2"),
    "i4": np.array([-(2**31), 1, 2**31 - 1], "<i4"),
    "i8": np.array([-(2**63), 1, 2**63 - 1], "<i8"),
    "u1": np.array([0, 128, 255], "u1"),
    "u2": np.array([0, 65535], "<u2"),
    "u4_big": np.array([0, 2**32 - 1], ">u4"),
    "u8": np.array([0, 2**63 - 1], "<u8"),
    "u8_large": np.array([0, 2**63], "<u8"),
    "b1": np.array([[True, False], [False, True]]),
    "scalar": np.array(1.5),
    "empty": np.zeros((0, 3), "<f4"),
    "cube_fortran": np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
    "refused_complex": np.zeros(1, "<c8"),
    "refused_text": np.array(["ab"]),
    "refused_records": np.zeros(1, [("a", "<f4"), ("b", "<i4")]),
}
for name, array in plain.items():
    np.save(data / f"{name}.npy", array)
np.save(data / "refused_object.npy", np.array([None]), allow_pickle=True)
for version in (2, 3):
    with open(data / f"version{version}.npy", "wb") as file:
        np.lib.format.write_array(file, plain["f4"], version=(version, 0))

arrays = {"b": plain["f8_fortran"], "a/kernel": plain["i4"], "c": np.array(True)}
np.savez(data / "stored.npz", **arrays)
np.savez_compressed(data / "deflated.npz", zeros=np.zeros(500, "<f4"), **arrays)
np.savez(data / "nothing.npz")


class Pipe(io.BytesIO):
    """Cannot go back, so that the sizes are written behind the data."""

    def seekable(self):
        return False

    def tell(self):
        raise OSError

    def seek(self, *_):
        raise OSError


pipe = Pipe()
np.savez_compressed(pipe, **arrays)
(data / "streamed.npz").write_bytes(pipe.getvalue())

types = {"f32": "F32", "f64": "F64", "f16": "F16", "i64": "I64", "i32": "I32", "i16": "I16",
         "i8": "I8", "u64": "U64", "u32": "U32", "u16": "U16", "u8": "U8", "bool": "BOOL"}
numpy_names = {"f32": "<f4", "f64": "<f8", "f16": "<f2", "i64": "<i8", "i32": "<i4", "i16": "<i2",
               "i8": "i1", "u64": "<u8", "u32": "<u4", "u16": "<u2", "u8": "u1", "bool": "?"}
header, body = {"__metadata__": {"made by": "make_fixtures.py", "empty": ""}}, b""
for name, code in types.items():
    part = np.array([0, 1, 100]).astype(numpy_names[name]).tobytes()
    header[name] = {"dtype": code, "shape": [3], "data_offsets": [len(body), len(body) + len(part)]}
    body += part
header["bf16"] = {"dtype": "BF16", "shape": [2, 1], "data_offsets": [len(body), len(body) + 4]}
body += struct.pack("<HH", 0x3F80, 0xC2C8)  # 1, -100
header["none"] = {"dtype": "F32", "shape": [0, 4], "data_offsets": [len(body), len(body)]}
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
(data / "all.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
