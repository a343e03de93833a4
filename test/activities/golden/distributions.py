"""Writes distributions.json: distances of distributions as scipy and numpy compute them.

    pip install scipy && python distributions.py

The values are made by the same formulas in expectation-distribution.test.ts.
"""
import json
import numpy as np
import scipy
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

rows = np.arange(2000)
plain = (rows * 37 % 1013) / 7.0
whole = np.floor(plain / 20.0)
reference = (np.arange(900) * 53 % 977) / 6.0
whole_reference = np.floor(reference / 23.0)
large = ((np.arange(20000) * 7919 % 20011) / 20011.0) ** 2 * 150.0
edges = [10.0, 20.0, 50.0, 51.0, 120.0]
shares = [0.25, 0.25, 0.01, 0.49]
counts, _ = np.histogram(plain, edges)
beyond = [int((plain < edges[0]).sum()), int((plain > edges[-1]).sum())]
texts = np.array(["a", "b", "c", "d", ""])[rows * 31 % 97 % 5]
wanted = {"a": 0.5, "b": 0.2, "e": 0.3}
names = ["a", "b", "e", "c", "d", ""]
golden = {
    "source": f"scipy {scipy.__version__}, numpy {np.__version__}",
    "plain": float(ks_2samp(plain, reference).statistic),
    "whole": float(ks_2samp(whole, whole_reference).statistic),
    "large": float(ks_2samp(plain, large).statistic),
    "bins": float(jensenshannon([beyond[0], *counts, beyond[1]], [0, *shares, 0])),
    "texts": float(jensenshannon([int((texts == name).sum()) for name in names], [wanted.get(name, 0) for name in names])),
}
with open("distributions.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
