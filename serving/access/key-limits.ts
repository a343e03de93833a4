import type { KeyLimits as Limits, ServedKey } from '../../contract/api-key.js';
import type { KeyUse } from '../../stores/api-key-use.js';
import { ServingError } from '../errors.js';

/** Predictions that were let through, until it is known whether they were given. `more`: rows that their explanations cost besides. */
export interface Taken { given(more?: number): void; giveBack(): void }

interface State {
  day: string; used: number; underWay: number; elsewhere: number;
  tokens: number; filledAt: number;
  /** This process's part of the key's rate. */
  share: number;
  /** Asked since it was last told, and a second as it was told. */
  askedNow: number; asked: number;
  touchedAt: number;
}

export type LimitReason = 'rate' | 'budget';
export interface KeyLimitsOptions { readonly now?: () => number; readonly onRefused: (key: string, reason: LimitReason) => void }

const DAY_MS = 86_400_000;
const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);
/** A key that nobody used for this long has nothing to tell. */
const QUIET_MS = 10_000;
/** Of what is asked elsewhere, as if it were asked here: so that a process which is asked again has something to begin with. */
const FLOOR = 0.1;

/**
 * The limits of keys, in this process's memory. What an explanation costs is known once it is made, so it may overdraw both limits; what comes next waits for it. The rate is a bucket (token bucket) of one second's predictions that may be overdrawn by one request: what it
 * took beyond is waited for, so the average holds whatever requests are made of. The budget counts what was given.
 */
export function createKeyLimits({ now = Date.now, onRefused }: KeyLimitsOptions) {
  const states = new Map<string, State>();
  let ended: KeyUse[] = [];
  let before: readonly KeyUse[] = [];

  const rateHere = ({ ratePerSecond }: Limits, { share }: State): number => (ratePerSecond ?? Infinity) * share;

  function stateOf(key: ServedKey): State {
    const at = now();
    const day = dayOf(at);
    let state = states.get(key.name);
    if (!state) states.set(key.name, (state = { day, used: 0, underWay: 0, elsewhere: before.find((one) => one.name === key.name && one.day === day)?.used ?? 0, tokens: Math.max(1, key.ratePerSecond ?? 1), filledAt: at, share: 1, askedNow: 0, asked: 0, touchedAt: at }));
    if (state.day !== day) {
      ended.push({ name: key.name, day: state.day, used: state.used, asked: 0 });
      Object.assign(state, { day, used: 0, elsewhere: 0 });
    }
    if (key.ratePerSecond !== null) {
      const rate = rateHere(key, state);
      state.tokens = Math.min(Math.max(1, rate), state.tokens + rate * (at - state.filledAt) / 1_000);
    }
    state.filledAt = at;
    state.touchedAt = at;
    return state;
  }

  function refuse(key: ServedKey, reason: LimitReason, message: string, waitSeconds: number): never {
    onRefused(key.name, reason);
    throw new ServingError(429, `key/${reason}: ${message}`, { retryAfter: Math.max(1, Math.ceil(waitSeconds)) });
  }

  function require(key: ServedKey, state: State, rows: number): void {
    if (key.daily !== null && state.used + state.underWay + state.elsewhere + rows > key.daily) {
      const left = Math.max(0, key.daily - state.used - state.elsewhere);
      const tomorrow = DAY_MS - (now() % DAY_MS);
      refuse(key, 'budget', `the key ${key.name} may ask for ${key.daily} predictions a day (UTC) and has ${left} left.`, tomorrow / 1_000);
    }
    if (key.ratePerSecond !== null && state.tokens < 1) refuse(key, 'rate', `the key ${key.name} may ask for ${Number(key.ratePerSecond.toPrecision(3))} predictions a second.`, (1 - state.tokens) / rateHere(key, state));
  }

  return {
    /** What was used today before this process began. */
    begin(used: readonly KeyUse[]): void { before = used; },

    /** 429 where nothing would be let through; asked before a body is read. */
    check(key: ServedKey): void {
      const state = stateOf(key);
      try {
        require(key, state, 1);
      } catch (error) {
        state.askedNow += 1;
        throw error;
      }
    },

    /** Lets rows through, all or none: 429. */
    take(key: ServedKey, rows: number): Taken {
      const state = stateOf(key);
      state.askedNow += rows;
      require(key, state, rows);
      const { day } = state;
      if (key.ratePerSecond !== null) state.tokens -= rows;
      state.underWay += rows;
      return {
        given: (more = 0) => {
          state.underWay -= rows;
          state.askedNow += more;
          if (key.ratePerSecond !== null) state.tokens -= more;
          if (state.day === day) state.used += rows + more;
        },
        giveBack: () => { state.underWay -= rows; },
      };
    },

    /** What is to be told of the time since it was told last. What a day that is over came to is told again until it was heard. */
    toTell(elapsedMs: number): KeyUse[] {
      const at = now();
      for (const [name, state] of states) if (at - state.touchedAt > DAY_MS) states.delete(name);
      const own = [...states].filter(([, state]) => at - state.touchedAt <= QUIET_MS).map(([name, state]) => {
        state.asked = (state.asked + state.askedNow * 1_000 / Math.max(1, elapsedMs)) / 2;
        state.askedNow = 0;
        return { name, day: state.day, used: state.used, asked: state.asked };
      });
      return [...ended, ...own];
    },

    /** The others' use, as answered to {@link toTell}. */
    heard(told: readonly KeyUse[], elsewhere: readonly KeyUse[]): void {
      ended = ended.filter((one) => !told.includes(one));
      for (const { name, day } of told) {
        const state = states.get(name);
        if (state?.day !== day) continue;
        const others = elsewhere.find((one) => one.name === name && one.day === day);
        state.elsewhere = others?.used ?? 0;
        const askedElsewhere = others?.asked ?? 0;
        const askedHere = Math.max(state.asked, askedElsewhere * FLOOR);
        state.share = askedElsewhere > 0 ? askedHere / (askedHere + askedElsewhere) : 1;
      }
    },
  };
}
export type KeyLimits = ReturnType<typeof createKeyLimits>;
