import { z } from 'zod';
import { PackagedFile } from './package.js';
import { Ref } from './ref.js';

/** Forms in which a network that was trained elsewhere is taken. */
export const MODEL_FORMATS = ['tfjs-layers', 'tfjs-graph', 'saved-model'] as const;
export const ModelFormat = z.enum(MODEL_FORMATS);
export type ModelFormat = z.infer<typeof ModelFormat>;

/** What may be imported: files are held in memory one at a time, and every server holds the whole. */
export const IMPORT_LIMITS = { files: 200, fileBytes: 256 * 1024 * 1024, bytes: 1024 * 1024 * 1024 } as const;

/** The files of a network, below one folder. */
export const ImportedFiles = z.strictObject({ v: z.literal(1), files: z.array(z.strictObject({ path: PackagedFile.shape.path, ref: Ref })).min(1).max(IMPORT_LIMITS.files) });
export type ImportedFiles = z.infer<typeof ImportedFiles>;
