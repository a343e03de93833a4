import type { Route } from '../http/route.js';
import * as audit from './audit.js';
import { compareSubjects } from './compare.js';
import * as decisions from './decisions.js';
import * as erasures from './erasures.js';
import * as environments from './environments.js';
import * as experiments from './experiments.js';
import * as features from './features.js';
import * as frozen from './frozen.js';
import { health } from './health.js';
import { gitHook, localHook } from './hooks.js';
import { importModel, uploadFile } from './imports.js';
import * as keys from './keys.js';
import * as lineage from './lineage.js';
import { logged } from './logged.js';
import * as models from './models.js';
import * as monitor from './monitor.js';
import * as operations from './operations.js';
import * as packages from './packages.js';
import * as principals from './principals.js';
import * as profiles from './profiles.js';
import * as repositories from './repositories.js';
import * as reproductions from './reproductions.js';
import * as runs from './runs.js';
import * as scores from './scores.js';

/** Routes whose body is taken as bytes: a signature is over them, or they are a file. */
export const RAW_ROUTES: readonly Route[] = [gitHook, uploadFile];

export const ROUTES: readonly Route[] = [health, localHook, audit, compareSubjects, decisions, environments, erasures, experiments, features, frozen, importModel, keys, lineage, logged, models, monitor, operations, packages, principals, profiles, repositories, reproductions, runs, scores]
  .flatMap((module) => ('handle' in module ? [module] : Object.values(module as Readonly<Record<string, Route>>)));
