import type { GatewayConfig } from '../deps.js';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Whether a Host header names this gateway. A page of another site whose name was made to resolve to loopback (DNS rebinding)
 * sends its own name, and is refused.
 */
export function isOwnHost(header: string | undefined, config: Pick<GatewayConfig, 'publicUrl' | 'host'>): boolean {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/.exec(header ?? '');
  const name = match?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (LOOPBACK.has(name)) return true;
  if (name === config.host.toLowerCase()) return true;
  return config.publicUrl !== null && new URL(config.publicUrl).hostname.toLowerCase() === name;
}
