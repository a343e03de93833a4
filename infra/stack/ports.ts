import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { isErrno } from './files.js';
import { claimPort } from './port-claims.js';

export const loopback = '127.0.0.1';

/** Below the range from which the kernel takes ports for outgoing connections, so that a port stays ours while its part is down. */
const range = { first: 20_000, end: 32_000 } as const;
const attempts = 400;

/** True where a server could listen on this port of the loopback interface now. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.once('error', (error) => {
      if (isErrno(error, 'EADDRINUSE') || isErrno(error, 'EACCES')) settle(false);
      else fail(error);
    });
    server.listen({ port, host: loopback, exclusive: true }, () => server.close(() => settle(true)));
  });
}

export interface PortWishes {
  /** whose ports they are: other stacks that start at the same time keep off them */
  home: string;
  /** taken where they are free and nothing is remembered */
  preferred?: Readonly<Record<string, number>>;
  /** the remembered ports are in use by the very part they belong to: take them unasked */
  keep?: boolean;
  /** for a name, the distance of a second port that its part opens unasked and that must be free as well */
  companions?: Readonly<Record<string, number>>;
  /** promised to others that do not listen yet */
  taken?: readonly number[];
}

/** A port for every name: the remembered one while it is free, then the preferred one, then any. */
export async function choosePorts<Name extends string>(
  names: readonly Name[],
  remembered: Readonly<Record<string, number>> | undefined,
  { home, preferred = {}, keep = false, companions = {}, taken = [] }: PortWishes,
): Promise<Record<Name, number>> {
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const known = remembered?.[name];
    const companion = companions[name];
    const isOurs = async (port: number): Promise<boolean> => (await isPortFree(port)) && (await claimPort(port, home));
    const isPromised = (port: number): boolean => taken.includes(port) || Object.values(chosen).includes(port);
    const isFree = async (port: number): Promise<boolean> => {
      const both = companion === undefined ? [port] : [port, port + companion];
      if (both.some(isPromised)) return false;
      for (const one of both) if (!(await isOurs(one))) return false;
      return true;
    };
    chosen[name] = keep && known !== undefined ? known : await choosePort([known, preferred[name]], isFree);
  }
  return chosen;
}

/** The ports of a stack's other parts, which do not listen on them yet: a part must not be given the port of one that starts beside it. */
export function portsOfOthers({ ports: all }: { readonly ports: Readonly<Record<string, Readonly<Record<string, number>>>> }, part: string): number[] {
  return Object.entries(all).filter(([name]) => name !== part).flatMap(([, ports]) => Object.values(ports));
}

/** Chooses the ports of a part of a stack, and notes them there. */
export async function assignPorts<Name extends string>(stack: { ports: Record<string, Record<string, number>> }, part: string, names: readonly Name[], wishes: Omit<PortWishes, 'taken'>): Promise<Record<Name, number>> {
  return stack.ports[part] = await choosePorts(names, stack.ports[part], { ...wishes, taken: portsOfOthers(stack, part) });
}

async function choosePort(wishes: readonly (number | undefined)[], isFree: (port: number) => Promise<boolean>): Promise<number> {
  for (const wish of wishes) if (wish !== undefined && (await isFree(wish))) return wish;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(range.first, range.end);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port found on ${loopback} between ${range.first} and ${range.end} in ${attempts} tries: stop something that listens there`);
}
