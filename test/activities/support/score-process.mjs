// A compute process that scores partitions one after another until it is killed. Runs the built code, as workers do.
import { MockActivityEnvironment } from '@temporalio/testing';
import { createScoreActivities } from '../../../dist/activities/score/index.js';
import { createArtifacts } from '../../../dist/stores/artifacts.js';
import { createDatabase } from '../../../dist/stores/database.js';
import { createStores } from '../../../dist/stores/index.js';

const { databaseUrl, s3, scratch, tfjsNode, request } = JSON.parse(process.env.SCORE);
const activities = createScoreActivities({ stores: createStores(createDatabase(databaseUrl)), artifacts: createArtifacts(s3), scratch, tfjsNode });
const run = (work) => new MockActivityEnvironment().run(work);
const { partitions } = await run(() => activities.planScore(request));
for (let partition = 0; partition < partitions; partition += 1) {
  await run(() => activities.scorePartition({ job: request.job, partition }));
  process.stdout.write(`done ${partition}\n`);
}
