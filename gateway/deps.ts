import type { SecureContextOptions } from 'node:tls';
import type { Client } from '@temporalio/client';
import type { Artifacts } from '../stores/artifacts.js';
import type { Database } from '../stores/database.js';
import type { Stores } from '../stores/index.js';

export interface GatewayConfig {
  readonly host: string;
  /** 0 takes a free port; the real one is in `createGateway`'s `url`. */
  readonly port: number;
  /** Address by which people reach the gateway; its host is accepted in the Host header besides loopback. */
  readonly publicUrl: string | null;
  /** Folder of `hook-<repository>` files, mode 0600. */
  readonly secretsDir: string;
}

/** What the gateway works with; `workers/gateway.ts` wires it. */
export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly stores: Stores;
  readonly artifacts: Artifacts;
  readonly temporal: Client;
  /** Only to hear of new run events at once; without it they are seen by polling. */
  readonly listen: Database['listen'];
  /** With it the gateway speaks HTTPS; `follow` is handed the server, to give it renewed certificates. */
  readonly tls?: { readonly options: SecureContextOptions; follow(server: { setSecureContext(options: SecureContextOptions): void }): void } | null;
  /** How often routes that were written past their workflow are told to it; 10,000 unless given. */
  readonly reconcileMs?: number;
  /** One line per noteworthy event; never given a secret. */
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}
