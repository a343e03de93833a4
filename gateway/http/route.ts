import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Role } from '../../contract/policy.js';
import type { Services } from '../services.js';
import type { Caller } from './caller.js';

/** Every role may read what has no narrower rule. */
export const READERS = ['viewer', 'scientist', 'approver', 'operator', 'auditor', 'admin'] as const satisfies readonly Role[];

type Schema = z.ZodType;
type Parsed<S extends Schema | undefined> = S extends Schema ? z.output<S> : undefined;

export interface RouteContext<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  readonly services: Services;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface RouteSpec<P extends Schema | undefined, Q extends Schema | undefined, B extends Schema | undefined> {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/api/v1`, parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  /** Who may call: nobody checked (`open`), or holders of one of the roles. An environment's own roles are checked by the handler. */
  readonly access: 'open' | readonly Role[];
  /** Basic authentication is accepted as well, for browsers. */
  readonly basic?: boolean;
  /** Bytes that the body may have, where it is more than others'. */
  readonly bodyLimit?: number;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Status of a plain answer; 200 where it is not given. */
  readonly status?: number;
  readonly response?: Schema;
  /** The body of the answer, an {@link Answer} with its own status, or `undefined` where the handler answered by itself. */
  readonly handle: (context: RouteContext<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<unknown>;
}

/** A route whose types were checked when it was defined. */
export interface Route extends Omit<RouteSpec<undefined, undefined, undefined>, 'handle' | 'params' | 'query' | 'body'> {
  readonly params?: Schema;
  readonly query?: Schema;
  readonly body?: Schema;
  readonly handle: (context: RouteContext<unknown, unknown, unknown>) => Promise<unknown>;
}

/** An answer with a status, or a media type, of its own. */
export class Answer {
  constructor(readonly status: number, readonly body: unknown, readonly headers: Readonly<Record<string, string>> = {}) {}
}

/** Describes one route; its handler's input types are those of its schemas. */
export function defineRoute<P extends Schema | undefined = undefined, Q extends Schema | undefined = undefined, B extends Schema | undefined = undefined>(spec: RouteSpec<P, Q, B>): Route {
  return spec as unknown as Route;
}
