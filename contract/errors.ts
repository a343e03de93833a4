/** The one error registry: code, whether trying again can help, what the reader should do. A retired code is never reused. */
interface ErrorKind { readonly retryable: boolean; readonly status: number; readonly next: string }

export const ERRORS = {
  'definition/invalid': { retryable: false, status: 422, next: 'Correct the named fields and commit again.' },
  'definition/threw': { retryable: false, status: 422, next: 'Run `perennial try` in the repository: it shows the same error.' },
  'definition/timeout': { retryable: false, status: 422, next: 'A definition has to be plain description: remove what loops or waits while it loads.' },
  'definition/missing': { retryable: false, status: 422, next: 'Put a `*.model.ts` file, or `perennial.ts`, that exports `defineModel(…)` into the repository, or a `*.view.ts` that exports `defineFeatureView(…)`.' },
  'definition/weakens-policy': { retryable: false, status: 422, next: 'An environment\'s policy can only be tightened: ask an operator to change it.' },
  'repository/unknown': { retryable: false, status: 404, next: 'Register it: `perennial repository add NAME URL`.' },
  'repository/commit-missing': { retryable: false, status: 422, next: 'Push the commit to the registered address, then send the hook again with the branch that holds it.' },
  'repository/unreachable': { retryable: true, status: 503, next: 'Check the registered address and its network.' },
  'repository/tests-failed': { retryable: false, status: 422, next: 'Make the repository\'s own tests pass, then commit again.' },
  'data/missing': { retryable: false, status: 422, next: 'Check the location with `perennial location list` and that the files are there.' },
  'data/blocked': { retryable: false, status: 422, next: 'Correct the rows that the data report names, or relax the check in the definition.' },
  'data/changed': { retryable: true, status: 409, next: 'It is tried again; write files under another name and rename them when they are whole.' },
  'data/pseudonym-key': { retryable: false, status: 409, next: 'Give this machine the key that the model was trained with: PERENNIAL_PSEUDONYM_KEY, or `secrets/pseudonym-key` of the state folder; or train again.' },
  'data/erased': { retryable: false, status: 409, next: 'Start a new run: its snapshot is built without the erased rows.' },
  'source/unavailable': { retryable: true, status: 503, next: 'Check the database that the definition reads from; it is tried again by itself.' },
  'features/unknown': { retryable: false, status: 404, next: 'See `perennial features`; a view is described with `defineFeatureView(…)` in a registered repository.' },
  'features/in-use': { retryable: false, status: 422, next: 'Put the view back; or take its columns out of those models first and have that commit accepted, then remove the view.' },
  'features/blocked': { retryable: false, status: 422, next: 'Correct the view or the named rows of its source, then `perennial features materialise VIEW`.' },
  'features/not-ready': { retryable: true, status: 409, next: 'It is waited for; see `perennial features VIEW`.' },
  'features/stale': { retryable: true, status: 503, next: 'See `perennial features VIEW`: its materialisation is late or fails.' },
  'features/unavailable': { retryable: true, status: 503, next: 'Check PostgreSQL; ask again.' },
  'training/not-finite': { retryable: false, status: 422, next: 'Lower the learning rate, or check the inputs for extreme values.' },
  'training/memory': { retryable: false, status: 422, next: 'Make the network or the batch smaller, or raise `training.limits.memoryMb`.' },
  'training/time': { retryable: false, status: 422, next: 'Train fewer epochs, or raise `training.limits.minutes`.' },
  'training/network': { retryable: false, status: 422, next: 'Correct the network: its output must be one probability per class.' },
  'training/crashed': { retryable: true, status: 500, next: 'It is tried again from the last checkpoint; see the log of the training worker if it repeats.' },
  'gates/failed': { retryable: false, status: 409, next: 'See the gate table with `perennial show RUN`; better data or another network is needed.' },
  'experiment/impossible': { retryable: false, status: 422, next: 'Correct what is named, and start the experiment again.' },
  'experiment/ended': { retryable: false, status: 409, next: 'Start the experiment again where its result is wanted.' },
  'package/corrupt': { retryable: false, status: 500, next: 'The stored package does not match its digest: restore S3 from a backup, or retrain.' },
  'package/golden-mismatch': { retryable: false, status: 409, next: 'This machine computes other predictions than the one that trained: compare `perennial doctor` on both.' },
  'export/unsupported': { retryable: false, status: 422, next: 'Ask a server for the predictions of this version, or score files with it: `perennial predict`, `perennial score`.' },
  'import/unreadable': { retryable: false, status: 422, next: 'Save or convert the network again with the layers and operations that are known, and import that.' },
  'import/signature': { retryable: false, status: 422, next: 'Change the definition\'s data and features, or the network, so that both say the same, and import again.' },
  'storage/unavailable': { retryable: true, status: 503, next: 'Check the S3 server and its disk; it goes on by itself when it is back.' },
  'storage/full': { retryable: true, status: 507, next: 'Make room on the disk that is named; work that waits for it goes on by itself.' },
  'storage/missing': { retryable: false, status: 500, next: 'The object is gone from S3: restore the bucket from a backup, or make it again.' },
  'storage/digest-mismatch': { retryable: true, status: 500, next: 'Bytes arrived damaged; it is tried again.' },
  'database/unavailable': { retryable: true, status: 503, next: 'Check PostgreSQL; it goes on by itself when it is back.' },
  'temporal/unavailable': { retryable: true, status: 503, next: 'Check the Temporal server (`perennial status`).' },
  'test-environment/failed': { retryable: false, status: 409, next: 'See the checks with `perennial show RUN`.' },
  'test-environment/busy': { retryable: true, status: 503, next: 'Another run is being tested; this one waits its turn.' },
  'test-environment/unavailable': { retryable: true, status: 503, next: 'Check that a server of the environment `test` runs: `perennial status`.' },
  'decision/malformed': { retryable: false, status: 400, next: 'Use `perennial approve RUN --print-signal` to see a right payload.' },
  'decision/unsigned': { retryable: false, status: 403, next: 'Sign with the approver\'s own key: `perennial approve RUN` does.' },
  'decision/unknown-approver': { retryable: false, status: 403, next: 'Ask an admin to add the principal.' },
  'decision/not-allowed': { retryable: false, status: 403, next: 'Ask an approver of this environment.' },
  'decision/stale-evidence': { retryable: false, status: 409, next: 'Read the present evidence: `perennial approve RUN`.' },
  'decision/repeated': { retryable: false, status: 409, next: 'The decision was already recorded; nothing more is needed.' },
  'decision/late': { retryable: false, status: 409, next: 'The run is over; start a new one with `perennial retrain MODEL`.' },
  'release/not-approved': { retryable: false, status: 409, next: 'The version needs an approved decision for this environment.' },
  'release/quarantined': { retryable: false, status: 409, next: 'Lift it with `perennial resume MODEL`, when it is safe.' },
  'release/older-than-live': { retryable: false, status: 409, next: 'Use `perennial release MODEL@VERSION --force`, or roll back.' },
  'release/stale-evidence': { retryable: false, status: 409, next: 'A run judges its candidate again by itself. To release an earlier version all the same: `perennial release MODEL@VERSION --force`.' },
  'release/frozen': { retryable: false, status: 409, next: 'Wait until the freeze window ends.' },
  'release/paused': { retryable: false, status: 409, next: '`perennial resume MODEL` lets releases go on.' },
  'release/load-failed': { retryable: false, status: 409, next: 'The version could not be loaded; the one before goes on serving.' },
  'route/conflict': { retryable: false, status: 409, next: 'Somebody else wrote the route first: look at `perennial status` and decide again.' },
  'rollback/nothing-before': { retryable: false, status: 409, next: 'There is no earlier version to go back to.' },
  'version/unknown': { retryable: false, status: 404, next: 'See the registered versions with `perennial show MODEL`.' },
  'version/imported': { retryable: false, status: 409, next: 'Import the same files again to compare: `perennial import PATH --as MODEL`.' },
  'experiment/unknown': { retryable: false, status: 404, next: 'See the model\'s experiments with `perennial experiment list MODEL`.' },
  'snapshot/unknown': { retryable: false, status: 404, next: 'See a version\'s snapshot with `perennial audit MODEL@VERSION`.' },
  'prediction/unknown': { retryable: false, status: 404, next: 'Look at the id and the model; what was answered a moment ago may not be in PostgreSQL yet, and days that were removed from it are in S3.' },
  'test-set/unknown': { retryable: false, status: 404, next: 'See the frozen test sets with `perennial frozen MODEL`; freeze one with `perennial freeze`.' },
  'test-set/taken': { retryable: false, status: 409, next: 'Choose another name: what was frozen under a name stays what it is.' },
  'test-set/misfit': { retryable: false, status: 422, next: 'Freeze test rows of the present definition under another name, and refer to that.' },
  'model/unknown': { retryable: false, status: 404, next: 'See the models with `perennial status`.' },
  'run/unknown': { retryable: false, status: 404, next: 'See the runs with `perennial runs`.' },
  'auth/missing': { retryable: false, status: 401, next: 'Send `Authorization: Bearer TOKEN`.' },
  'auth/forbidden': { retryable: false, status: 403, next: 'Ask an admin for the role that this needs.' },
  'key/unknown': { retryable: false, status: 404, next: 'See the keys with `perennial key list`.' },
  'key/taken': { retryable: false, status: 409, next: 'Choose another name, or give the key a new secret: `perennial key rotate NAME`.' },
  'key/revoked': { retryable: false, status: 409, next: 'Make another key: `perennial key create NAME --model MODEL`.' },
  'key/rate': { retryable: true, status: 429, next: 'Ask more slowly, after the seconds of `Retry-After`; or ask an admin for a key with a higher rate.' },
  'key/budget': { retryable: true, status: 429, next: 'Wait for the next day (UTC), or ask an admin for a key with a larger budget.' },
  'hook/forged': { retryable: false, status: 401, next: 'Check that the hook\'s secret is the one `perennial repository add` printed.' },
  'tls/unusable': { retryable: false, status: 500, next: 'Give PERENNIAL_SERVER_TLS_CERT and PERENNIAL_SERVER_TLS_KEY as files in PEM that belong together and that the server may read.' },
  'request/invalid': { retryable: false, status: 400, next: 'Correct the named fields.' },
  'score/input': { retryable: false, status: 422, next: 'Check the input file\'s columns against the model\'s signature.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** An error of the registry. `message` says what was wrong and where; `next` what to do. Holds no secret. */
export class PerennialError extends Error {
  override readonly name = 'PerennialError';
  constructor(readonly code: ErrorCode, message: string, readonly details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
  }
  get retryable(): boolean { return ERRORS[this.code].retryable; }
  get status(): number { return ERRORS[this.code].status; }
  get next(): string { return ERRORS[this.code].next; }
  toJSON() { return { code: this.code, message: this.message, next: this.next, details: this.details }; }
}
