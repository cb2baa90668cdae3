"""Writes data/recorded.safetensors: what NumPy, and PyTorch where NumPy has no such thing, give for
the operations of autograd/ops. Each entry is an operation, its variant and a case; the calls that
test_recorded.cpp holds against them stand in recorded/calls_*.cpp. The tests need neither library.
Run with Debian's python3-numpy and python3-torch; inputs are seeded by the entry's name."""

import pathlib

from recorded import attention, elementwise, reductions, sequences, shapes, store

for family in [elementwise, reductions, shapes, sequences, attention]:
    family.all_of_them()
folder = pathlib.Path(__file__).parent / "data"
folder.mkdir(exist_ok=True)
store.write(folder / "recorded.safetensors")
