import { loadClientConnectConfig } from '@temporalio/envconfig';
import { ConfigError } from './error.js';

/** Client certificates and server trust, in the form that Temporal's `Connection` and `NativeConnection` take as `tls`. */
export interface TemporalTls {
  serverNameOverride?: string;
  serverRootCACertificate?: Uint8Array;
  clientCertPair?: { crt: Uint8Array; key: Uint8Array };
}

/** How to reach Temporal; `{ address, tls, apiKey }` are connection options as they are. */
export interface TemporalConfig {
  address: string;
  namespace: string;
  tls?: TemporalTls | boolean;
  apiKey?: string;
}

/**
 * Temporal's own environment configuration: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_*`, and a
 * profile of a `temporal.toml` where `TEMPORAL_CONFIG_FILE` or `TEMPORAL_PROFILE` asks for one.
 * @returns undefined where no address is given
 * @throws ConfigError where a file is missing or the variables contradict each other
 */
export function loadTemporalConfig(variables: Readonly<Record<string, string>>): TemporalConfig | undefined {
  const usesFile = variables['TEMPORAL_CONFIG_FILE'] !== undefined || variables['TEMPORAL_PROFILE'] !== undefined;
  let loaded;
  try {
    loaded = loadClientConnectConfig({ overrideEnvVars: { ...variables }, disableFile: !usesFile });
  } catch (error) {
    throw new ConfigError([`TEMPORAL_*: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const { connectionOptions, namespace } = loaded;
  if (connectionOptions.address === undefined) return undefined;
  const { tls, apiKey } = connectionOptions;
  if (typeof apiKey === 'function') throw new ConfigError(['TEMPORAL_API_KEY: expected a key, found a function']);
  return {
    address: connectionOptions.address,
    namespace: namespace ?? 'default',
    ...(tls === undefined || tls === null ? {} : { tls: narrowTls(tls) }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

function narrowTls(tls: boolean | TemporalTls): boolean | TemporalTls {
  if (typeof tls === 'boolean') return tls;
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls;
  return {
    ...(serverNameOverride === undefined ? {} : { serverNameOverride }),
    ...(serverRootCACertificate === undefined ? {} : { serverRootCACertificate }),
    ...(clientCertPair === undefined ? {} : { clientCertPair }),
  };
}
