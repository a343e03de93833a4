// A process that builds one snapshot and tells the most memory it had. Runs the built code, as workers do.
import { readFileSync } from 'node:fs';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createDataActivities } from '../../../dist/activities/data/index.js';
import { createArtifacts } from '../../../dist/stores/artifacts.js';
import { createDatabase } from '../../../dist/stores/database.js';
import { createStores } from '../../../dist/stores/index.js';

const { databaseUrl, s3, scratch, request } = JSON.parse(process.env.BUILD);
const database = createDatabase(databaseUrl);
const artifacts = createArtifacts(s3);
const activities = createDataActivities({ stores: createStores(database), artifacts, scratch });
const { digest, rows, blocked } = await new MockActivityEnvironment().run(() => activities.buildSnapshot(request));
const peakMb = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
await database.close();
artifacts.close();
process.stdout.write(JSON.stringify({ digest, rows, blocked, peakMb }));
