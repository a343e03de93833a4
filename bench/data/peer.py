"""Validates a Parquet file with Great Expectations: python peer.py FILE EXPECTATIONS.json. Prints one line of JSON."""
import json
import os
import resource
import sys

os.environ['GX_ANALYTICS_ENABLED'] = 'false'

import great_expectations as gx  # noqa: E402
import pandas as pd  # noqa: E402

file, listed = sys.argv[1:]
with open(listed, encoding='utf8') as source:
    expectations = [getattr(gx.expectations, one['type'])(**one['arguments']) for one in json.load(source)]
context = gx.get_context(mode='ephemeral')
context.variables.progress_bars = {'globally': False}
definition = context.data_sources.add_pandas('rows').add_dataframe_asset('table').add_batch_definition_whole_dataframe('whole')
result = definition.get_batch(batch_parameters={'dataframe': pd.read_parquet(file)}).validate(gx.ExpectationSuite(name='suite', expectations=expectations))
print(json.dumps({'passed': sum(one.success for one in result.results), 'judged': len(result.results), 'peakBytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
