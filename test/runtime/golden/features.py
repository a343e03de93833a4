"""Writes features.json: what each kind of feature gives for some rows, by scikit-learn and pandas.

    pip install scikit-learn==1.9.1 pandas && python features.py

Hashes have no counterpart there (scikit-learn's are signed, over bytes): they are written down once more below, from their definition.
"""
import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

random = np.random.default_rng(7)
TRAIN, TEST = 40, 12
CITIES = ['Graz'] * 5 + ['Wien'] * 4 + ['Linz'] * 3 + ['Žďár'] * 2 + ['Ulm']
NOTES = ['', 'late again', 'Straße 5, Straße 6', 'ﬁne', '👍🏽 good 👍🏽', '10 × 20', 'late', 'GOOD good']


def rows(count: int, unseen: bool) -> list[list]:
    made = []
    for row in range(count):
        instant = pd.Timestamp('2023-12-30T00:00:00Z') + pd.Timedelta(milliseconds=int(random.integers(0, 3 * 365 * 86_400_000)))
        city = 'Atlantis' if unseen and row % 4 == 0 else CITIES[int(random.integers(len(CITIES)))]
        made.append([
            None if row % 7 == 3 else float(np.round(random.normal(40, 15), 3)),
            float(np.round(random.lognormal(3, 1), 2)),
            12.5,
            float(random.integers(0, 4)),
            None if row % 9 == 5 else city,
            NOTES[int(random.integers(len(NOTES)))],
            bool(random.integers(0, 2)),
            None if row % 8 == 6 else instant.strftime('%Y-%m-%dT%H:%M:%S.') + f'{instant.microsecond // 1000:03d}Z',
        ])
    return made


COLUMNS = ['age', 'fare', 'same', 'class', 'city', 'note', 'alone', 'booked']
train, test = rows(TRAIN, False), rows(TEST, True)
place = COLUMNS.index


def column(data: list[list], name: str) -> np.ndarray:
    return np.array([[np.nan if row[place(name)] is None else float(row[place(name)])] for row in data])


def texts(data: list[list], name: str) -> np.ndarray:
    return np.array([[row[place(name)]] for row in data], dtype=object)


def number(name, scaler, strategy=None, value=None, indicator=True):
    """Scales by the values that are there, then fills in."""
    fitted = scaler.fit(column(train, name)) if scaler else None
    imputer = SimpleImputer(strategy=strategy, fill_value=value).fit(column(train, name)) if strategy else None
    raw = column(test, name)
    filled = imputer.transform(raw) if imputer else raw
    scaled = fitted.transform(filled) if fitted else filled
    return np.hstack([scaled, np.isnan(raw).astype(float)]) if imputer and indicator else scaled


def category(name, encoder, fill=None, missing=False):
    known = np.array([[value] for [value] in texts(train, name) if value is not None], dtype=object)
    fitted = encoder.fit(known)
    given = texts(test, name)
    rows_ = []
    for [value] in given:
        own = fill if value is None else value
        hot = fitted.transform(np.array([['no such thing' if own is None else own]], dtype=object))[0]
        hot = np.zeros_like(hot) if own is None else hot
        rows_.append([*hot, *([1.0 if value is None else 0.0] if missing else [])])
    return np.array(rows_)


def hash32(text: str) -> int:
    units = np.frombuffer(text.encode('utf-16-le', 'surrogatepass'), dtype='<u2')
    value = 0x811C9DC5
    for unit in units:
        value = ((value ^ int(unit)) * 0x01000193) & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return value ^ (value >> 16)


def words(name, buckets):
    out = np.zeros((len(test), buckets))
    for row, [text] in enumerate(texts(test, name)):
        folded = unicodedata.normalize('NFKC', text).lower()
        for word in re.findall(r'[^\W_]+', folded):
            out[row, hash32(word) % buckets] += 1
    return out


def cross(names, edges, buckets):
    out = np.zeros((len(test), buckets))
    for row, cells in enumerate(test):
        values = []
        for name in names:
            cell = cells[place(name)]
            if cell is not None and name in edges:
                cell = int(np.searchsorted(edges[name], cell, side='right'))
            values.append(None if cell is None else ('true' if cell is True else 'false' if cell is False else str(cell)))
        out[row, hash32(json.dumps(values, ensure_ascii=False, separators=(',', ':'))) % buckets] = 1
    return out


def time(name, parts, cyclic):
    periods = {'month': 12, 'day': 31, 'weekday': 7, 'hour': 24, 'minute': 60}

    def read(data, part):
        times = pd.to_datetime(pd.Series([row[place(name)] for row in data]), utc=True)
        return {
            'instant': times.astype('int64').where(times.notna()) / {'ns': 1e9, 'us': 1e6, 'ms': 1e3}[times.dt.unit], 'year': times.dt.year, 'month': times.dt.month - 1, 'day': times.dt.day - 1, 'weekday': times.dt.day_of_week,
            'hour': times.dt.hour + times.dt.minute / 60, 'minute': times.dt.minute + times.dt.second / 60,
        }[part].to_numpy(dtype=float).reshape(-1, 1)

    columns = []
    for part in parts:
        if part in periods:
            values = read(test, part)
            columns += [np.sin(2 * np.pi * values / periods[part]), np.cos(2 * np.pi * values / periods[part])] if cyclic else [values / periods[part]]
        else:
            columns.append(StandardScaler().fit(read(train, part)).transform(read(test, part)))
    missing = np.array([[1.0 if row[place(name)] is None else 0.0] for row in test])
    return np.hstack([np.nan_to_num(np.hstack(columns)), missing])


def bins(name, count):
    return KBinsDiscretizer(count, encode='onehot-dense', strategy='quantile', quantile_method='linear', subsample=None).fit(column(train, name)).transform(column(test, name))


def edges_of(name, edges):
    at = np.searchsorted(edges, column(test, name)[:, 0], side='right')
    raw = column(test, name)[:, 0]
    return np.array([[*(float(bucket == index and not np.isnan(value)) for index in range(len(edges) + 1)), float(np.isnan(value))] for bucket, value in zip(at, raw)])


def length(name):
    read = lambda data: np.array([[float(len(text))] for [text] in texts(data, name)])
    return StandardScaler().fit(read(train)).transform(read(test))


onehot = lambda **options: OneHotEncoder(sparse_output=False, **options)
mode = pd.Series([value for [value] in texts(train, 'city') if value is not None]).mode()[0]
cases = [
    ({'kind': 'number', 'column': 'age'}, number('age', StandardScaler(), 'mean')),
    ({'kind': 'number', 'column': 'age', 'scale': 'robust', 'impute': {'with': 'median'}}, number('age', RobustScaler(), 'median')),
    ({'kind': 'number', 'column': 'age', 'scale': 'min-max', 'impute': {'with': 'most-frequent', 'indicator': False}}, number('age', MinMaxScaler(), 'most_frequent', indicator=False)),
    ({'kind': 'number', 'column': 'age', 'scale': 'none', 'impute': {'with': 'constant', 'value': -1}}, number('age', None, 'constant', -1)),
    ({'kind': 'number', 'column': 'fare'}, number('fare', StandardScaler())),
    ({'kind': 'number', 'column': 'same'}, number('same', StandardScaler())),
    ({'kind': 'number', 'column': 'alone', 'scale': 'none'}, number('alone', None)),
    ({'kind': 'category', 'column': 'city', 'unknown': 'zeros'}, category('city', onehot(handle_unknown='ignore'), missing=True)),
    ({'kind': 'category', 'column': 'city', 'minimumFrequency': 6}, category('city', onehot(handle_unknown='infrequent_if_exist', min_frequency=6), missing=True)),
    ({'kind': 'category', 'column': 'city', 'maximum': 2, 'impute': {'with': 'most-frequent'}}, category('city', onehot(handle_unknown='infrequent_if_exist', max_categories=3), mode, True)),
    ({'kind': 'category', 'column': 'alone', 'unknown': 'zeros'}, onehot().fit(texts(train, 'alone')).transform(texts(test, 'alone'))),
    ({'kind': 'category', 'column': 'class', 'unknown': 'zeros'}, onehot(handle_unknown='ignore').fit(column(train, 'class')).transform(column(test, 'class'))),
    ({'kind': 'bucket', 'column': 'fare', 'quantiles': 5}, bins('fare', 5)),
    ({'kind': 'bucket', 'column': 'age', 'edges': [18, 40, 65]}, edges_of('age', [18, 40, 65])),
    ({'kind': 'length', 'column': 'note'}, length('note')),
    ({'kind': 'words', 'column': 'note', 'buckets': 16}, words('note', 16)),
    ({'kind': 'time', 'column': 'booked', 'parts': ['instant', 'year', 'month', 'day', 'weekday', 'hour', 'minute']}, time('booked', ['instant', 'year', 'month', 'day', 'weekday', 'hour', 'minute'], True)),
    ({'kind': 'time', 'column': 'booked', 'parts': ['month', 'minute'], 'cyclic': False}, time('booked', ['month', 'minute'], False)),
    ({'kind': 'cross', 'of': [{'column': 'city'}, {'column': 'age', 'edges': [30, 50]}, {'column': 'alone'}], 'buckets': 32}, cross(['city', 'age', 'alone'], {'age': [30, 50]}, 32)),
]

hashes = {text: hash32(text) for text in ['', 'a', 'late', 'straße', '👍🏽']}
assert all(abs(np.asarray(matrix)).max() < 100 for _, matrix in cases)
lines = [json.dumps({'feature': feature, 'rows': [[float(value) for value in row] for row in matrix]}, ensure_ascii=False) for feature, matrix in cases]
dump = lambda value: json.dumps(value, ensure_ascii=False)
body = '{"columns": ' + dump(COLUMNS) + ',\n"train": [\n' + ',\n'.join(map(dump, train)) + '\n],\n"test": [\n' + ',\n'.join(map(dump, test)) + '\n],\n"hashes": ' + dump(hashes) + ',\n"cases": [\n' + ',\n'.join(lines) + '\n]}\n'
Path(__file__).with_name('features.json').write_text(body, encoding='utf-8')
