import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Part of the build: one workflow bundle, so that every worker of a version runs the same code. */
const { code } = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)) });
const target = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
await writeFile(`${target}.${process.pid}.tmp`, code);
await rename(`${target}.${process.pid}.tmp`, target);
