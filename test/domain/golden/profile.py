"""Writes profile.json: what pandas and scipy say of some columns and of pairs of samples.

    pip install pandas scipy && python profile.py
"""
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import jensenshannon

random = np.random.default_rng(11)
ROWS = 900
frame = pd.DataFrame({
    'age': np.round(random.normal(40, 12, ROWS), 3),
    'fare': np.round(random.lognormal(3, 1, ROWS), 3),
    'rooms': random.integers(0, 6, ROWS).astype(float),
})
frame['fare'] = frame['fare'].where(random.random(ROWS) > 0.1)
frame['rooms2'] = frame['rooms'] * 2 + np.round(random.normal(0, 1, ROWS), 3)
frame['city'] = random.choice(['Graz', 'Wien', 'Linz'], ROWS, p=[0.5, 0.3, 0.2])
frame['label'] = np.where(frame['age'] + random.normal(0, 6, ROWS) + (frame['city'] == 'Wien') * 8 > 42, 'yes', 'no')
NUMBERS = ['age', 'fare', 'rooms', 'rooms2']
SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]


def ratio(name: str) -> float:
    """Correlation ratio, from scipy's F of a one-way analysis of variance."""
    groups = [values[name].dropna() for _, values in frame.groupby('label')]
    f = stats.f_oneway(*groups).statistic
    between, within = len(groups) - 1, sum(map(len, groups)) - len(groups)
    return float(np.sqrt(f * between / (f * between + within)))


def described(name: str) -> dict:
    values = frame[name]
    low, high = values.quantile(0.25), values.quantile(0.75)
    fence = [low - 1.5 * (high - low), high + 1.5 * (high - low)]
    return {
        'missing': int(values.isna().sum()), 'distinct': int(values.nunique()), 'minimum': values.min(), 'maximum': values.max(), 'mean': values.mean(), 'deviation': values.std(),
        'quantiles': values.quantile(SHARES).tolist(), 'fence': fence, 'outliers': float(((values < fence[0]) | (values > fence[1])).sum() / values.count()), 'ratio': ratio(name),
    }


def listed(values) -> list:
    return [None if pd.isna(value) else value for value in values]


left, right = np.round(random.normal(0, 1, 400), 4), np.round(random.normal(0.25, 1.1, 300), 4)
counts = [[120, 60, 15, 5], [90, 80, 25, 12]]
shares = [np.array(row) / sum(row) for row in counts]
chi = stats.chi2_contingency(counts)
psi = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
golden = {
    'rows': {name: listed(frame[name]) for name in frame},
    'numbers': {name: described(name) for name in NUMBERS},
    'correlations': frame[NUMBERS].corr().values.tolist(),
    'city': {'counts': frame['city'].value_counts().to_dict(), 'v': float(stats.contingency.association(pd.crosstab(frame['city'], frame['label']).values, method='cramer'))},
    'ks': {'left': left.tolist(), 'right': right.tolist(), 'statistic': float(stats.ks_2samp(left, right).statistic), 'critical': {str(alpha): float(stats.kstwobign.isf(alpha)) for alpha in [0.05, 0.001, 1e-6]}},
    'counts': counts,
    'jensenShannon': float(jensenshannon(*shares)),
    'chiSquare': {'statistic': float(chi.statistic), 'quantiles': {f'{alpha} {df}': float(stats.chi2.isf(alpha, df)) for alpha in [0.05, 0.001, 1e-6] for df in [1, 3, 9, 49]}},
    'psi': psi,
}
(Path(__file__).parent / 'profile.json').write_text(json.dumps(golden) + '\n')
