import { createAlertsStore } from './alerts.js';
import { createApiKeyUseStore } from './api-key-use.js';
import { createApiKeysStore } from './api-keys.js';
import { createChecksStore } from './checks.js';
import type { Database } from './database.js';
import { createDecisionsStore } from './decisions.js';
import { createEnvironmentsStore } from './environments.js';
import { createErasedPredictionsStore } from './erased-predictions.js';
import { createErasuresStore } from './erasures.js';
import { createEvaluationsStore } from './evaluations.js';
import { createEvidenceStore } from './evidence.js';
import { createExperimentsStore } from './experiments.js';
import { createFeatureRowsStore } from './feature-rows.js';
import { createFeatureStoresStore } from './feature-stores.js';
import { createFeatureViewsStore } from './feature-views.js';
import { createFingerprintsStore } from './fingerprints.js';
import { createFrozenStore } from './frozen.js';
import { createHooksStore } from './hooks.js';
import { createLabelsStore } from './labels.js';
import { createLearningCurvesStore } from './learning-curves.js';
import { createLedgerStore } from './ledger.js';
import { createLocationsStore } from './locations.js';
import { createModelsStore } from './models.js';
import { createOutboxStore } from './outbox.js';
import { createPredictionArchivesStore } from './prediction-archives.js';
import { createPredictionEventsStore } from './prediction-events.js';
import { createPredictionsStore } from './predictions.js';
import { createPrincipalsStore } from './principals.js';
import { createRefusalsStore } from './refusals.js';
import { createReplicaFailuresStore } from './replica-failures.js';
import { createReplicasStore } from './replicas.js';
import { createRepositoriesStore } from './repositories.js';
import { createReproductionsStore } from './reproductions.js';
import { createRoutesStore } from './routes.js';
import { createRunsStore } from './runs.js';
import { createScoresStore } from './scores.js';
import { createSlotsStore } from './slots.js';
import { createSnapshotsStore } from './snapshots.js';
import { createSplitBoundariesStore } from './split-boundaries.js';
import { createVersionsStore } from './versions.js';

/** Every store over one database; on a transaction's `tx`, what they write is one step. */
export function createStores(db: Database) {
  return {
    alerts: createAlertsStore(db),
    apiKeys: createApiKeysStore(db),
    apiKeyUse: createApiKeyUseStore(db),
    checks: createChecksStore(db),
    decisions: createDecisionsStore(db),
    environments: createEnvironmentsStore(db),
    erasedPredictions: createErasedPredictionsStore(db),
    erasures: createErasuresStore(db),
    evaluations: createEvaluationsStore(db),
    evidence: createEvidenceStore(db),
    experiments: createExperimentsStore(db),
    featureRows: createFeatureRowsStore(db),
    featureStores: createFeatureStoresStore(db),
    featureViews: createFeatureViewsStore(db),
    fingerprints: createFingerprintsStore(db),
    frozen: createFrozenStore(db),
    hooks: createHooksStore(db),
    labels: createLabelsStore(db),
    learningCurves: createLearningCurvesStore(db),
    ledger: createLedgerStore(db),
    locations: createLocationsStore(db),
    models: createModelsStore(db),
    outbox: createOutboxStore(db),
    predictionArchives: createPredictionArchivesStore(db),
    predictionEvents: createPredictionEventsStore(db),
    predictions: createPredictionsStore(db),
    principals: createPrincipalsStore(db),
    refusals: createRefusalsStore(db),
    replicaFailures: createReplicaFailuresStore(db),
    replicas: createReplicasStore(db),
    repositories: createRepositoriesStore(db),
    reproductions: createReproductionsStore(db),
    routes: createRoutesStore(db),
    runs: createRunsStore(db),
    scores: createScoresStore(db),
    slots: createSlotsStore(db),
    snapshots: createSnapshotsStore(db),
    splitBoundaries: createSplitBoundariesStore(db),
    versions: createVersionsStore(db),
  };
}
export type Stores = ReturnType<typeof createStores>;
