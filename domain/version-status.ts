/** Statuses of a registered version. */
export const VERSION_STATUSES = ['registered', 'tested', 'approved', 'live', 'retired', 'rejected', 'quarantined'] as const;
export type VersionStatus = (typeof VERSION_STATUSES)[number];

/** Where a version may go from each status; staying where it is is always allowed. `quarantined -> approved` is a lifted quarantine. */
export const VERSION_TRANSITIONS = {
  registered: ['tested', 'rejected', 'quarantined'],
  tested: ['approved', 'rejected', 'quarantined'],
  approved: ['live', 'retired', 'rejected', 'quarantined'],
  live: ['retired', 'quarantined'],
  retired: ['live', 'quarantined'],
  quarantined: ['approved', 'retired'],
  rejected: [],
} as const satisfies Record<VersionStatus, readonly VersionStatus[]>;

/** True where a version of status `from` may become `to`; a repeated move (`from` equals `to`) is allowed and changes nothing. */
export function mayTransition(from: VersionStatus, to: VersionStatus): boolean {
  const allowed: readonly VersionStatus[] = VERSION_TRANSITIONS[from];
  return from === to || allowed.includes(to);
}
