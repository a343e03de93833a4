/** Ids by which the workflows are found. */
export const workflowId = {
  intake: (repository: string, commit: string) => `intake/${repository}/${commit}`,
  governor: (model: string) => `governor/${model}`,
  lifecycle: (model: string, run: string) => `lifecycle/${model}/${run}`,
  environment: (model: string, environment: string) => `environment/${model}/${environment}`,
  monitor: (model: string, environment: string) => `monitor/${model}/${environment}`,
  reproduction: (model: string, version: number, id: string) => `reproduction/${model}/${version}/${id}`,
  erasure: (model: string, id: string) => `erasure/${model}/${id}`,
  experiment: (model: string, id: string) => `experiment/${model}/${id}`,
  materialise: (view: string) => `materialise/${view}`,
  archivePredictions: () => 'archive/predictions',
  score: (model: string, job: string) => `score/${model}/${job}`,
} as const;

export const QUEUES = { lifecycle: 'lifecycle', compute: 'compute', training: 'training' } as const;

/** Names of signals and updates on the wire. */
export const SIGNALS = { decide: 'decide', train: 'train', runEnded: 'runEnded', release: 'release', released: 'released', rollback: 'rollback', resume: 'resume', pause: 'pause', routeChanged: 'routeChanged', cancel: 'cancel' } as const;
/** Update twin of the `decide` signal; answers `{ticket}` at once. */
export const UPDATES = { decide: 'decideUpdate' } as const;

/** The environment variable that holds the address of a connection that definitions name. Its first part keeps definitions away from other variables. */
export function sqlVariable(connection: string): string {
  return `PERENNIAL_SQL_${connection.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}
