import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, as measured; one that began last would be waited for while the other processes idle. */
const LONGEST = [
  'runtime/train', 'serving/guardrails', 'serving/memory', 'activities/score', 'serving/clients', 'activities/features-parity', 'serving/killed', 'activities/experiment', 'serving/server', 'runtime/regression',
  'runtime/import', 'serving/connections', 'activities/data-tables', 'activities/data-files',
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
  return place < 0 ? LONGEST.length : place;
};

/** Without the record of an earlier run, which a fresh clone has none of, vitest itself goes by the size of the files. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
