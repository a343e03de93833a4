import { PerennialError } from '../../contract/errors.js';
import type { Role } from '../../contract/policy.js';

export interface GrantedRole { readonly role: Role; readonly environment: string | null }

/** Who sent a request. */
export interface Caller {
  readonly principal: string;
  readonly roles: readonly GrantedRole[];
}

/** True when the caller holds one of the roles, everywhere or in some environment. */
export function holdsAny(caller: Caller, roles: readonly Role[]): boolean {
  return caller.roles.some((granted) => roles.includes(granted.role));
}

/** @throws auth/forbidden unless the caller holds the role in this environment (or in all of them) */
export function requireIn(caller: Caller, role: Role, environment: string): void {
  if (caller.roles.some((granted) => granted.role === role && (granted.environment === null || granted.environment === environment))) return;
  throw new PerennialError('auth/forbidden', `${caller.principal} does not hold the role ${role} in ${environment}`, { role, environment });
}
