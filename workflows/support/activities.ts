import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { QUEUES } from '../../contract/names.js';
import type { AdmissionActivities } from '../../activities/admission/index.js';
import type { ApproveActivities } from '../../activities/approve/index.js';
import type { CompressActivities } from '../../activities/compress/index.js';
import type { VariantTrainingActivities } from '../../activities/compress/training.js';
import type { DataActivities } from '../../activities/data/index.js';
import type { DeployActivities } from '../../activities/deploy/index.js';
import type { EvaluateActivities } from '../../activities/evaluate/index.js';
import type { ExperimentReadActivities, ExperimentRecordActivities, TrialActivities } from '../../activities/experiment/index.js';
import type { FeatureActivities } from '../../activities/features/index.js';
import type { ArchiveActivities } from '../../activities/archive/index.js';
import type { MonitorActivities } from '../../activities/monitor/index.js';
import type { NotifyActivities } from '../../activities/notify/index.js';
import type { PackageActivities } from '../../activities/package/index.js';
import type { RecordActivities } from '../../activities/record/index.js';
import type { RegisterActivities } from '../../activities/register/index.js';
import type { ReleaseActivities } from '../../activities/release/index.js';
import type { JudgeReproductionActivities, RebuildActivities, ReproduceRecordActivities } from '../../activities/reproduce/index.js';
import type { SourceActivities } from '../../activities/source/index.js';
import type { DiscardActivities } from '../../activities/train/discard.js';
import type { TrainActivities } from '../../activities/train/index.js';

/** A worker that says nothing for this long is taken for dead, and the work begins again elsewhere. */
const SILENCE = '10s';
/** Short writes to PostgreSQL: tried for as long as it takes, because the record may be late but never lost. */
const patient = { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;
/** Work on data: an outage is waited out (for about 100 minutes, see activities/retry.ts), a bug is not repeated for ever. */
const steady = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 30 } as const;

export const record = proxyLocalActivities<RecordActivities>({ startToCloseTimeout: '10s', localRetryThreshold: '20s', retry: patient });
export const admission = proxyLocalActivities<AdmissionActivities>({ startToCloseTimeout: '10s', localRetryThreshold: '20s', retry: patient });
export const reproduceRecord = proxyActivities<ReproduceRecordActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '30s', heartbeatTimeout: SILENCE, retry: patient });
export const register = proxyActivities<RegisterActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '30s', heartbeatTimeout: SILENCE, retry: patient });
export const notify = proxyActivities<NotifyActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '30s', heartbeatTimeout: SILENCE, retry: patient });
export const approve = proxyActivities<ApproveActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '60s', heartbeatTimeout: SILENCE, retry: patient });
export const experimentRecord = proxyActivities<ExperimentRecordActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '5m', heartbeatTimeout: SILENCE, retry: patient });
export const discard = proxyActivities<DiscardActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '5m', heartbeatTimeout: SILENCE, retry: patient });
export const release = proxyActivities<ReleaseActivities>({ taskQueue: QUEUES.lifecycle, startToCloseTimeout: '5m', heartbeatTimeout: SILENCE, retry: patient });

export const source = proxyActivities<SourceActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '10m', heartbeatTimeout: '20s', retry: steady });
export const readExperiment = proxyActivities<ExperimentReadActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '10m', heartbeatTimeout: '20s', retry: steady });
export const data = proxyActivities<DataActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '4h', heartbeatTimeout: '30s', retry: steady });
export const features = proxyActivities<FeatureActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '4h', heartbeatTimeout: '30s', retry: steady });
export const evaluate = proxyActivities<EvaluateActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '2h', heartbeatTimeout: '15s', retry: steady });
export const judgeReproduction = proxyActivities<JudgeReproductionActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '2h', heartbeatTimeout: '15s', retry: steady });
export const compress = proxyActivities<CompressActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '2h', heartbeatTimeout: '15s', retry: steady });
export const packaging = proxyActivities<PackageActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '30m', heartbeatTimeout: '15s', retry: steady });
export const deploy = proxyActivities<DeployActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '30m', heartbeatTimeout: '15s', retry: steady });
export const archive = proxyActivities<ArchiveActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '12h', heartbeatTimeout: '30s', retry: steady });
export const monitor = proxyActivities<MonitorActivities>({ taskQueue: QUEUES.compute, startToCloseTimeout: '30m', heartbeatTimeout: '30s', retry: steady });

/** The training of a worker that died goes on elsewhere from its newest checkpoint; one that crashes is given up earlier (activities/retry.ts). */
const trainings = {
  taskQueue: QUEUES.training,
  startToCloseTimeout: '7d',
  heartbeatTimeout: SILENCE,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 30 },
} as const;
export const train = proxyActivities<TrainActivities>(trainings);
export const trainVariants = proxyActivities<VariantTrainingActivities>(trainings);
export const rebuild = proxyActivities<RebuildActivities>(trainings);
export const trials = proxyActivities<TrialActivities>(trainings);
