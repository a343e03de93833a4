import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ModelName } from '../../contract/api/requests.js';
import { UsageError } from '../errors.js';
import { readLocalModel } from '../import/read-model.js';
import type { Register } from '../register.js';

const Uploaded = z.object({ sha256: z.string(), bytes: z.int() });
const Requested = z.object({ model: z.string(), requested: z.string(), cause: z.string(), format: z.string(), digest: z.string(), impossibleVariants: z.array(z.object({ name: z.string(), why: z.string() })).default([]) });

export const addImportCommand: Register = (add, program) => {
  add<[string], { as: string; reason?: string }>(program, 'import <path>', 'make a network that was trained elsewhere a candidate: evaluated, approved and registered as a trained one',
    (command) => command.requiredOption('--as <model>', 'a model of a registered repository, whose definition tells data, features, metrics and gates').option('--reason <text>', 'why'),
    async (context, { as: model, reason }, path) => {
      if (!ModelName.safeParse(model).success) throw new UsageError(`--as: "${model}" is no name of a model`);
      const { format, files } = await readLocalModel(resolve(context.io.cwd, path));
      const sent = [];
      for (const { path: name, file, bytes } of files) {
        context.note(`sending ${name} (${bytes} bytes)`);
        sent.push({ path: name, ...await context.api.upload(Uploaded, '/imports/files', await readFile(file)) });
      }
      const asked = await context.api.post(Requested, `/models/${model}/import`, { format, files: sent, reason: reason ?? `imported from ${path}`.slice(0, 2000), id: randomUUID() });
      for (const { name: variant, why } of asked.impossibleVariants) context.note(`the definition asks for the variant ${variant}, which will not be made: ${why}`);
      context.answer({ ...asked, files: sent }, () => `asked: ${asked.format} ${asked.digest.slice(0, 12)} as a candidate of ${model} · follow: perennial show ${model} --follow`);
      return 0;
    });
};
