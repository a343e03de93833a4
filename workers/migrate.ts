import { PerennialError } from '../contract/errors.js';
import { ConfigError, loadConfig } from '../infra/config.js';
import { createDatabase } from '../stores/database.js';
import { migrate } from '../stores/migrate.js';
import { seed } from './seed.js';

const WAIT_MS = 30_000;

/** Brings the database up to this release, then ends: exit code 0 when it is, 1 when it cannot be. A PostgreSQL that is still starting is waited for. */
async function main(): Promise<void> {
  const config = loadConfig({ need: ['postgres'] });
  const database = createDatabase(config.databaseUrl, { max: 2, applicationName: 'perennial migrate' });
  try {
    for (const giveUpAt = Date.now() + WAIT_MS; ;) {
      try {
        const applied = await migrate(database);
        await seed(database, config.secretsDir);
        process.stdout.write(applied.length === 0 ? 'The database is up to date\n' : `Applied ${applied.join(', ')}\n`);
        return;
      } catch (error) {
        if (!(error instanceof PerennialError && error.retryable) || Date.now() > giveUpAt) throw error;
        await new Promise((settle) => setTimeout(settle, 500));
      }
    }
  } finally {
    await database.close();
  }
}

main().catch((error: unknown) => {
  const known = error instanceof PerennialError ? `${error.message}\n${error.next}` : error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${known}\n`);
  process.exitCode = 1;
});
