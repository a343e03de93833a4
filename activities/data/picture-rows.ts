import { setImmediate } from 'node:timers/promises';
import type { Split } from '../../contract/snapshot.js';
import type { ImageData } from '../../definition/data.js';
import { splitOf } from '../../domain/stable-split.js';
import type { z } from 'zod';
import type { ActivityDeps } from '../deps.js';
import type { Findings } from './findings.js';
import type { ListedSource } from './listing.js';
import { mapInOrder } from './ordered.js';
import type { PictureFigures } from './profile/picture-figures.js';
import { checkPicture, packPicture } from './check-picture.js';
import type { CheckedPicture } from './check-picture.js';
import type { Spill, Spilled } from './spill.js';

export type Images = z.infer<typeof ImageData>;
type FilesOf = Extract<ListedSource, { kind: 'files' }>;
type LabelledOf = Extract<ListedSource, { kind: 'labelled' }>;

/** A readable picture of a known class. `digest` is of its pixels, `looks` of what it looks like; `place` where its PNG lies in the attempt's spill file. */
export interface PictureRow {
  readonly key: string; readonly split: Split; readonly label: string; readonly attributes: Readonly<Record<string, string>>;
  readonly digest: string; readonly looks: bigint; readonly place: Spilled; readonly source: number; readonly figures: PictureFigures;
}

const READS_AT_ONCE = 16;

export interface ReadContext {
  readonly deps: ActivityDeps; readonly model: string; readonly data: Images; readonly findings: Findings; readonly spill: Spill;
  readonly signal: AbortSignal; readonly onRows: (rows: number) => void;
}

/** The pictures of `<path>/<class>/<file>`; key: the file's name in its location, behind the location's. */
export async function* readFolder(context: ReadContext, { source, files, location }: FilesOf, index: number): AsyncGenerator<PictureRow> {
  const { data, findings, spill, signal } = context;
  if (source.kind !== 'image-folder') throw new TypeError(`a model of pictures has a source of kind ${source.kind}`);
  const classes = new Set(data.target.classes);
  const prefix = source.path === '' ? '' : `${source.path.replace(/\/+$/, '')}/`;
  const wanted = files.flatMap(({ name }) => {
    const [label, file, ...deeper] = name.slice(prefix.length).split('/');
    if (label === undefined || file === undefined || deeper.length > 0) {
      findings.add('unknown-class', 'drop', `files must lie in <class>/<file> below ${source.location}/${source.path}`, name);
      return [];
    }
    if (!classes.has(label)) {
      findings.add('unknown-class', 'drop', `the folder ${label} is no class of the definition (${data.target.classes.join(', ')})`, name);
      return [];
    }
    return [{ name, label }];
  });
  const contents = mapInOrder(wanted, READS_AT_ONCE, async (file) => ({ ...file, bytes: await location.read(file.name) }));
  for await (const { name, label, bytes } of contents) {
    signal.throwIfAborted();
    context.onRows(1);
    // One at a time: a file of kilobytes may unpack to a hundred megabytes.
    const picture = await checkPicture(bytes, data.image);
    const key = `${source.location}/${name}`;
    if (!accept(context, picture, key)) continue;
    yield { key, split: splitFor(source.split, key), label, attributes: source.attributes, digest: picture.digest, looks: picture.looks, place: await spill.append(picture.png), source: index, figures: picture.figures };
  }
}

/**
 * Predictions whose label has arrived, oldest first; key: the sha256 of the pixels, so that a picture that was asked twice is one
 * row whatever the ids. Answered rows of other shapes, or several pictures in one prediction, are left out and reported.
 */
export async function* readLabelled(context: ReadContext, { source, description }: LabelledOf, index: number): AsyncGenerator<PictureRow> {
  const { deps, model, data, findings, spill, signal } = context;
  const classes = new Set(data.target.classes);
  const predictions = deps.stores.predictions.labelled({ model, environment: source.environment, attributes: source.attributes });
  let read = 0;
  for await (const { id, input, label, attributes } of predictions) {
    signal.throwIfAborted();
    context.onRows(1);
    // Encoding is work on the main thread: heartbeats get their turn.
    if (++read % 64 === 0) await setImmediate();
    if (!classes.has(label)) {
      findings.add('unknown-class', 'drop', `the label ${label} is no class of the definition (${data.target.classes.join(', ')})`, `prediction ${id}`);
      continue;
    }
    const picture = packPicture(input, data.image);
    if (!accept(context, picture, `prediction ${id}`)) continue;
    const { digest, looks, png, figures } = picture;
    yield { key: digest, split: splitFor(source.split, digest), label, attributes: { ...attributes, ...source.attributes }, digest, looks, place: await spill.append(png), source: index, figures };
  }
  if (read === 0) findings.add('missing-source', 'warn', `no rows yet: ${description}`);
}

function accept({ data, findings }: ReadContext, picture: CheckedPicture, row: string): picture is Extract<CheckedPicture, { ok: true }> {
  if (!picture.ok) {
    findings.add(picture.check, data.checks.unreadable, picture.message, row);
    return false;
  }
  const { blank = 'warn', brightness } = data.checks;
  const { figures } = picture;
  if (figures.contrast === 0) {
    findings.add('blank', blank, 'pictures of one colour', row);
    if (blank === 'drop') return false;
  }
  if (brightness && (figures.brightness < brightness.from || figures.brightness > brightness.to)) {
    findings.add('brightness', brightness.severity, `pictures whose mean value is not from ${brightness.from} to ${brightness.to}`, `${row} (${figures.brightness.toFixed(1)})`);
    if (brightness.severity === 'drop') return false;
  }
  return true;
}

export function splitFor(rule: Images['sources'][number]['split'], key: string): Split {
  if (typeof rule === 'string') return rule;
  if ('byKey' in rule) return splitOf(key, rule.byKey);
  throw new TypeError('pictures are divided by name or by key only'); // the definition's own check says so first
}
