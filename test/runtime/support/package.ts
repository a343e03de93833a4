import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { GoldenPredictions } from '../../../contract/package.js';
import { digestOf } from '../../../domain/digest.js';

/** Makes a package folder of a model directory, with a right manifest. */
export function writePackage(directory: string, modelDirectory: string, golden: GoldenPredictions): void {
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(modelDirectory)) copyFileSync(join(modelDirectory, name), join(directory, name));
  writeFileSync(join(directory, 'golden.json'), JSON.stringify(golden));
  sealPackage(directory);
}

/** Writes the manifest of what is in the folder now, and golden predictions where they are given. */
export function sealPackage(directory: string, golden?: GoldenPredictions): void {
  if (golden) writeFileSync(join(directory, 'golden.json'), JSON.stringify(golden));
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(directory, join(entry.parentPath, entry.name)));
  const files = paths.filter((name) => name !== 'manifest.json').sort().map((path) => {
    const bytes = readFileSync(join(directory, path));
    return { path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  });
  const content = { model: 'car-truck', commit: '0'.repeat(40), trainingDigest: '0'.repeat(64), snapshot: '0'.repeat(64), hyperparameters: {}, files };
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ v: 1, digest: digestOf(content), content }));
}
