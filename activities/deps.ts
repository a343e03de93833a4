import type { Client } from '@temporalio/client';
import type { Artifacts } from '../stores/artifacts.js';
import type { Stores } from '../stores/index.js';

/** What activities work with; the worker's entry point wires it. */
export interface ActivityDeps {
  readonly stores: Stores;
  readonly artifacts: Artifacts;
  /** For signalling other workflows (`signalWithStart`) and schedules. */
  readonly temporal: Client;
  /** Absolute path of the module that the runtime's children load TensorFlow from. */
  readonly tfjsNode: string;
  /** A folder for what can be made again: snapshots' shards, checkouts, attempts. */
  readonly scratch: string;
  /** Address people and mails use for the gateway. */
  readonly publicUrl: string;
  readonly mailFrom: string;
  /** Bearer token with which activities call prediction servers. */
  readonly serverToken: () => Promise<string>;
  /** The address, with its password, of a database that definitions name; null where no such connection was set. */
  readonly sqlConnection: (name: string) => string | null;
  /** The secret that pseudonyms are made with: in no payload, log or manifest. */
  readonly pseudonymKey: () => Promise<string>;
}
