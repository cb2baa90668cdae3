"""Prints what NumPy reads from an .npz or .npy file."""
import sys

import numpy as np

loaded = np.load(sys.argv[1], allow_pickle=False)
for name, array in {"npy": loaded}.items() if isinstance(loaded, np.ndarray) else loaded.items():
    print(name, array.dtype.name, list(array.shape), array.tobytes().hex())
