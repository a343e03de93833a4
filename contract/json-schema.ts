import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/** A schema as OpenAPI 3.1 embeds it: JSON Schema without a dialect of its own. `input`: as it is sent; `output`: as it is answered. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
