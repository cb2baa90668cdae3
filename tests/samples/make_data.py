"""make_data.py FOLDER: tiny files of what the samples read, as their --help describes them."""
import sys

import numpy as np

folder = sys.argv[1]
random = np.random.RandomState(0)


def write(name, values, lengths, parts, **more):
    """Sequences of these lengths, a third of them (or half) in each part."""
    split = np.arange(len(lengths), dtype=np.int8) % len(parts)
    np.savez(f"{folder}/{name}.npz", values=values.astype(np.float32), lengths=lengths,
             split=split, split_names=np.array(parts), **more)


lengths = random.randint(3, 9, 12).astype(np.int64)
steps = lengths.sum()
labels = np.arange(12, dtype=np.int64) // 2
write("music", random.randint(0, 2, (steps, 5)), lengths, ["train", "valid", "test"])
write("speakers", random.normal(size=(steps, 3)), lengths, ["train", "test"], labels=labels)
write("many", random.normal(size=(steps, 3)), lengths, ["train", "test"],
      labels=np.arange(12, dtype=np.int64))
write("surnames", random.randint(1, 57, (steps, 1)), lengths, ["train", "test"], labels=labels)
write("unlabeled", random.normal(size=(steps, 3)), lengths, ["train", "test"])
write("unsplit", random.randint(1, 3, (steps, 1)), lengths, ["all"], labels=labels)
