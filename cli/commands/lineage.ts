import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SnapshotParams, ViewParams } from '../../contract/api/requests.js';
import { Lineage } from '../../contract/lineage.js';
import { parseVersionName, VersionName } from '../../contract/ref.js';
import { UsageError } from '../errors.js';
import { lineagePicture } from '../lineage/picture.js';
import { lineageTree } from '../lineage/tree.js';
import type { Register } from '../register.js';

export const addLineageCommand: Register = (add, program) => {
  add<[string], { depth: string; picture?: string }>(program, 'lineage <of>', 'what a version (car-truck@3), a snapshot (its digest) or a feature view (its name) came from, and what came of it',
    (command) => command.option('--depth <versions>', 'how many versions away it goes', '1').option('--picture <file>', 'also write it as a picture (SVG)'),
    async (context, { depth, picture }, name) => {
      if (!/^[1-9]\d{0,1}$/.test(depth)) throw new UsageError(`--depth: a whole number from 1 to 99, found "${depth}"`);
      const lineage = await context.api.get(Lineage, pathOf(name), { depth });
      if (picture !== undefined) {
        const file = resolve(context.io.cwd, picture);
        await writeFile(file, lineagePicture(lineage));
        context.note(`written: ${file}`);
      }
      context.answer(lineage, () => lineageTree(lineage, context.paint));
      return 0;
    });
};

function pathOf(name: string): string {
  if (SnapshotParams.safeParse({ snapshot: name }).success) return `/snapshots/${name}/lineage`;
  if (ViewParams.safeParse({ view: name }).success) return `/features/${name}/lineage`;
  if (!VersionName.safeParse(name).success) throw new UsageError(`"${name}" is no version (model@number, for example car-truck@3), nor the first 8 or more digits of a snapshot's digest, nor the name of a feature view`);
  const { model, version } = parseVersionName(name);
  return `/models/${model}/versions/${version}/lineage`;
}
