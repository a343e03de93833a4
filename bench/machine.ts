import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { loadNativeParts, NativePartsMissing } from '../infra/native.js';

/** The machine in words: figures mean nothing without it. The load tells whether anything else was running. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim().replaceAll(/\s+/g, ' ') ?? 'unknown processor';
  return [
    `${availableParallelism()} cores (${model})`, `${Math.round(totalmem() / 2 ** 30)} GB memory`, `${process.platform}-${process.arch}`, `Node ${process.version}`, tensorflow(),
    `load ${(loadavg()[0] ?? 0).toFixed(1)}`,
  ].join(', ');
}

function tensorflow(): string {
  try {
    const { versions } = loadNativeParts();
    return `TensorFlow ${versions['tensorflow'] ?? 'unknown'} through tfjs-node ${versions['tfjsNode'] ?? 'unknown'}`;
  } catch (error) {
    if (error instanceof NativePartsMissing) return 'TensorFlow not set up';
    throw error;
  }
}
