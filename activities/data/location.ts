import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Artifacts } from '../../stores/artifacts.js';

/** A file of a location. `name` is relative to the location, with `/`; `mark` changes when the content may have changed. */
export interface LocatedFile { readonly name: string; readonly bytes: number; readonly mark: string; readonly changedAt: number }

/** The folder or S3 prefix that an operator bound a location's name to. */
export interface OpenLocation {
  /** Every file below a folder of the location, by name; null when the folder is not there. Hidden files are left out. */
  list(path: string): Promise<LocatedFile[] | null>;
  read(name: string): Promise<Uint8Array>;
  /** A path on this machine to read the file from; `into` is where it may be put. */
  local(name: string, into: string): Promise<string>;
}

/** `file:///folder`, `/folder` or `s3://bucket/prefix`. */
export function openLocation(uri: string, artifacts: Artifacts): OpenLocation {
  if (uri.startsWith('s3://')) return openPrefix(uri.replace(/\/+$/, ''), artifacts);
  return openFolder(uri.startsWith('file://') ? fileURLToPath(uri) : resolve(uri));
}

/** Whether a path stays below its location: a definition reaches only what operators have bound. */
export function staysInside(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}

const STATS_AT_ONCE = 64;

function openFolder(root: string): OpenLocation {
  return {
    async list(path) {
      const folder = join(root, path);
      try {
        const entries = await readdir(folder, { recursive: true, withFileTypes: true });
        const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/')).filter(isVisible).sort();
        const files: LocatedFile[] = [];
        for (let from = 0; from < names.length; from += STATS_AT_ONCE) {
          files.push(...await Promise.all(names.slice(from, from + STATS_AT_ONCE).map(async (name) => {
            const { size, mtimeMs, ctimeMs, ino } = await stat(join(root, name));
            return { name, bytes: size, mark: `${size}:${mtimeMs}:${ctimeMs}:${ino}`, changedAt: Math.max(mtimeMs, ctimeMs) };
          })));
        }
        return files;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    read: (name) => readFile(join(root, name)),
    local: (name) => Promise.resolve(join(root, name)),
  };
}

function openPrefix(root: string, artifacts: Artifacts): OpenLocation {
  const at = (name: string) => `${root}/${name}`;
  return {
    async list(path) {
      const folder = path === '' ? root : at(path.replace(/\/+$/, ''));
      const files: LocatedFile[] = [];
      for await (const object of artifacts.listObjects(`${folder}/`)) {
        const name = object.uri.slice(root.length + 1);
        if (isVisible(name)) files.push({ name, bytes: object.bytes, mark: `${object.bytes}:${object.etag}`, changedAt: 0 });
      }
      return files.length === 0 ? null : files.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    read: (name) => artifacts.readObject(at(name)),
    async local(name, into) {
      const file = join(into, createHash('sha256').update(at(name)).digest('hex'));
      await artifacts.readObjectToFile(at(name), file);
      return file;
    },
  };
}

function isVisible(name: string): boolean {
  return !name.split('/').some((part) => part.startsWith('.'));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Whether a name matches a pattern with `*` and `?` (not `/`) and `**` (any folders). */
export function globToRegExp(pattern: string): RegExp {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*\*\/|\*\*|\*|\?/g, (token) => {
    switch (token) {
      case '**/': return '(?:[^/]+/)*';
      case '**': return '.*';
      case '*': return '[^/]*';
      default: return '[^/]';
    }
  });
  return new RegExp(`^${source}$`);
}

/** The folders of a pattern that come before its first wildcard. */
export function fixedFolder(pattern: string): string {
  const parts = pattern.split('/');
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  return parts.slice(0, wild === -1 ? parts.length - 1 : wild).join('/');
}
