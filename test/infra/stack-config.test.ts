import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../infra/config.js';
import { findHome } from '../../infra/stack/home.js';

const root = mkdtempSync(join(tmpdir(), 'perennial-config-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const noted = {
  TEMPORAL_ADDRESS: '127.0.0.1:7001', TEMPORAL_NAMESPACE: 'perennial', DATABASE_URL: 'postgres://perennial:pw@127.0.0.1:7002/perennial',
  S3_ENDPOINT: 'http://127.0.0.1:7003', S3_BUCKET: 'perennial', AWS_ACCESS_KEY_ID: 'embedded', AWS_SECRET_ACCESS_KEY: 'embedded-secret', SMTP_URL: 'smtp://127.0.0.1:7004',
};

function homeWith(env: Record<string, string>): string {
  const home = mkdtempSync(join(root, 'home-'));
  writeFileSync(join(home, 'stack.json'), JSON.stringify({ v: 1, env, ports: {} }));
  return home;
}

function problemsOf(env: Record<string, string>): string {
  try {
    loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), ...env } });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
  return '';
}

describe('the state folder', () => {
  test('is the nearest .perennial above, then the one in the home folder, unless PERENNIAL_HOME says otherwise', () => {
    const user = join(root, 'user');
    const project = join(user, 'project');
    mkdirSync(join(project, 'deep', 'er'), { recursive: true });
    const env = { HOME: user };
    const elsewhere = mkdtempSync(join(root, 'elsewhere-'));
    expect(findHome(env, join(project, 'deep'))).toBe(join(project, 'deep', '.perennial'));
    mkdirSync(join(user, '.perennial'));
    expect(findHome(env, elsewhere)).toBe(join(user, '.perennial'));
    mkdirSync(join(project, '.perennial'));
    expect(findHome(env, join(project, 'deep', 'er'))).toBe(join(project, '.perennial'));
    expect(findHome({ ...env, PERENNIAL_HOME: '../state' }, project)).toBe(join(user, 'state'));
  });
});

describe('the configuration', () => {
  test('takes from the environment what is given there and the rest from what the supervisor noted', () => {
    const config = loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), DATABASE_URL: 'postgres://me@db.example/models', PERENNIAL_SERVER_TEST_PORT: '9001', PUBLIC_URL: 'https://models.example' } });
    expect(config).toMatchObject({
      databaseUrl: 'postgres://me@db.example/models',
      temporal: { address: '127.0.0.1:7001', namespace: 'perennial' },
      s3: { endpoint: 'http://127.0.0.1:7003', forcePathStyle: true },
      servers: { test: { port: 9001, url: 'http://127.0.0.1:9001' }, production: { host: '127.0.0.1' } },
      publicUrl: 'https://models.example',
    });
  });

  test('a certificate and its key make the addresses of servers, or of the gateway, https; one without the other is refused', () => {
    const tls = { PERENNIAL_SERVER_TLS_CERT: '/etc/tls/cert.pem', PERENNIAL_SERVER_TLS_KEY: '/etc/tls/key.pem' };
    expect(loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), ...tls } })).toMatchObject({ serverTls: { certificate: '/etc/tls/cert.pem', key: '/etc/tls/key.pem' }, servers: { production: { url: 'https://127.0.0.1:7421' } } });
    expect(problemsOf({ PERENNIAL_SERVER_TLS_CERT: '/etc/tls/cert.pem' })).toContain('PERENNIAL_SERVER_TLS_KEY: expected a file beside PERENNIAL_SERVER_TLS_CERT');
    const ofGateway = { PERENNIAL_GATEWAY_TLS_CERT: '/etc/tls/own.pem', PERENNIAL_GATEWAY_TLS_KEY: '/etc/tls/own-key.pem' };
    expect(loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), ...ofGateway } })).toMatchObject({ gatewayTls: { certificate: '/etc/tls/own.pem', key: '/etc/tls/own-key.pem' }, gateway: { url: 'https://127.0.0.1:7420' }, publicUrl: 'https://127.0.0.1:7420', serverTls: null });
    expect(problemsOf({ PERENNIAL_GATEWAY_TLS_KEY: '/etc/tls/own-key.pem' })).toContain('PERENNIAL_GATEWAY_TLS_CERT: expected a file beside PERENNIAL_GATEWAY_TLS_KEY');
    expect(problemsOf({ ...tls, PERENNIAL_SERVER_TLS_KEY: 'key.pem' })).toContain('PERENNIAL_SERVER_TLS_KEY: expected an absolute path');
  });

  test('the memory of a server is a size, or a share of what this machine lets it have', () => {
    const memoryOf = (PERENNIAL_SERVER_MEMORY?: string) => loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), ...(PERENNIAL_SERVER_MEMORY === undefined ? {} : { PERENNIAL_SERVER_MEMORY }) } }).serverMemoryBytes;
    expect([memoryOf('1.5GiB'), memoryOf('700MiB'), memoryOf('1000000')]).toEqual([1.5 * 1024 ** 3, 700 * 1024 ** 2, 1_000_000]);
    expect(memoryOf()).toBe(memoryOf('70%'));
    expect(memoryOf('100%')).toBeGreaterThan(memoryOf('70%'));
    expect(memoryOf('100%')).toBeLessThanOrEqual(totalmem());
    for (const wrong of ['much', '0', '101%', '4GB', '-1GiB']) expect(problemsOf({ PERENNIAL_SERVER_MEMORY: wrong })).toBe(`PERENNIAL_SERVER_MEMORY: expected a size such as 6GiB or 1500MiB, a number of bytes, or a share of the machine's memory such as 70%, found "${wrong}"`);
  });

  test('never mixes the keys of one object store with the address of another', () => {
    const own = loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), AWS_ACCESS_KEY_ID: 'mine', AWS_SECRET_ACCESS_KEY: 'mine' } });
    expect(own.s3.accessKeyId).toBe('embedded');
    expect(problemsOf({ S3_BUCKET: 'models' })).toContain('AWS_ACCESS_KEY_ID: expected a value beside S3_ENDPOINT or S3_BUCKET, found nothing');
    const given = loadConfig({ env: { PERENNIAL_HOME: homeWith(noted), S3_BUCKET: 'models', AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'mine', AWS_SECRET_ACCESS_KEY: 'mine' } });
    expect(given.s3).toMatchObject({ endpoint: 'https://s3.eu-west-1.amazonaws.com', bucket: 'models', accessKeyId: 'mine', forcePathStyle: false });
  });

  test("reads Temporal's own settings", () => {
    const key = join(root, 'key.pem');
    writeFileSync(key, 'KEY');
    const env = { PERENNIAL_HOME: homeWith(noted), TEMPORAL_ADDRESS: 'ns.example:7233', TEMPORAL_NAMESPACE: 'ns', TEMPORAL_API_KEY: 'k', TEMPORAL_TLS_CLIENT_CERT_DATA: 'CERT', TEMPORAL_TLS_CLIENT_KEY_PATH: key, TEMPORAL_TLS_SERVER_NAME: 'ns' };
    const { temporal } = loadConfig({ env });
    expect(temporal).toMatchObject({ address: 'ns.example:7233', namespace: 'ns', apiKey: 'k', tls: { serverNameOverride: 'ns' } });
    const tls = temporal.tls as { clientCertPair: { crt: Uint8Array; key: Uint8Array } };
    expect([tls.clientCertPair.crt, tls.clientCertPair.key].map((bytes) => Buffer.from(bytes).toString())).toEqual(['CERT', 'KEY']);
  });

  test('names every wrong variable, what was expected and what was found, but no secret', () => {
    const problems = problemsOf({ TEMPORAL_ADDRESS: 'localhost', DATABASE_URL: 'mysql://root:hunter2@db/x', PERENNIAL_GATEWAY_PORT: '99999', PERENNIAL_MAIL_FROM: 'nobody' });
    expect(problems).toContain('TEMPORAL_ADDRESS: expected host:port, such as 127.0.0.1:7233, found "localhost"');
    expect(problems).toContain('DATABASE_URL: expected postgres://user:password@host:port/database, found a value of 25 characters (not shown)');
    expect(problems).toContain('PERENNIAL_GATEWAY_PORT: expected a port from 1 to 65535, found "99999"');
    expect(problems).toContain('PERENNIAL_MAIL_FROM: expected a mail address, found "nobody"');
    expect(problems).not.toContain('hunter2');
    expect(problemsOf({ PERENNIAL_SERVER_TEST_PORT: 'x' })).toContain('PERENNIAL_SERVER_TEST_PORT');
  });

  test('asks only for the parts that are needed', () => {
    const env = { PERENNIAL_HOME: homeWith({}) };
    expect(() => loadConfig({ env })).toThrow(/DATABASE_URL: expected an address, found nothing.*run `perennial up`/);
    const config = loadConfig({ env, need: [] });
    expect(config.gateway.url).toBe('http://127.0.0.1:7420');
    expect(() => config.databaseUrl).toThrow(ConfigError);
  });
});
