"""What `compare` runs beside ours in PyTorch. Reads a case as a line of JSON:
  name (of our benchmark), lengths (null: all valid), packed, threads, steps
and answers with the median ms of so many steps, or `none` where PyTorch has nothing like it."""

import json
import statistics
import sys
import time

import torch
import torch_cases

for line in sys.stdin:
    case = json.loads(line)
    if not torch_cases.has(case["name"]):
        print("none", flush=True)
        continue
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    step = torch_cases.step_of(case["name"], case["lengths"], case["packed"])
    step()
    times = []
    for _ in range(case["steps"]):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    print(statistics.median(times), flush=True)
