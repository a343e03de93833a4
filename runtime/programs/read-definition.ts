import { pathToFileURL } from 'node:url';
import { PerennialError } from '../../contract/errors.js';
import { DEFINITION_MARK, VIEW_MARK } from '../../definition/define.js';
import { childMain } from '../child/main.js';
import { toPlain } from '../definition/plain.js';

/** Loads a bundled definition and sends back, as plain data, what it exports with the mark of `defineModel` or `defineFeatureView`. */
childMain({
  program: 'read-definition', failure: 'definition/threw', teamCode: true,
  run: async ({ task, send }) => {
    const exported = await import(pathToFileURL(task.module).href) as Record<string, unknown>;
    const definitions = Object.entries(exported).filter(([, value]) => isMarked(value)).map(([name, value]) => ({ export: name, ...toPlain(value) }));
    const problems = definitions.flatMap((definition) => definition.problems);
    if (problems.length > 0) {
      const issues = problems.map(({ path, found }) => `${path}: expected plain data, found ${found}`);
      throw new PerennialError('definition/invalid', issues.join('\n'), { issues });
    }
    await send({ v: 1, kind: 'definitions', definitions: definitions.map(({ export: name, value }) => ({ export: name, value })) });
  },
});

function isMarked(value: unknown): boolean {
  const mark = typeof value === 'object' && value !== null ? (value as { $type?: unknown }).$type : undefined;
  return mark === DEFINITION_MARK || mark === VIEW_MARK;
}
