import { once } from 'node:events';
import { connect } from 'node:net';
import { ChildFrame } from '../../contract/frames.js';
import type { ChildFrameOf, HostFrame } from '../../contract/frames.js';
import type { ChildEnd } from '../child/start.js';
import { residentBytes, residentMemory } from '../child/usage.js';
import { Channel } from '../frames/channel.js';
import { Runner } from './start.js';

/** A runner that another process started, as that process tells of it. */
export interface RunnerAddress extends Pick<ChildFrameOf<'ready'>, 'digest' | 'model' | 'signature' | 'uncompiled'> { readonly pid: number; /** Path of its socket. */ readonly path: string }

export interface AttachOptions {
  /** It is needed here no more. */
  readonly onClosed: () => void;
  /** It is to be ended for everybody: it is in an endless loop. */
  readonly onKill: () => void;
}

/** Talks straight with a runner that another process started. Rejects where it is gone. */
export async function attachRunner({ pid, path, ...ready }: RunnerAddress, { onClosed, onKill }: AttachOptions): Promise<Runner> {
  const socket = connect(path);
  await once(socket, 'connect');
  let ended: (end: ChildEnd) => void = () => undefined;
  const end = new Promise<ChildEnd>((resolve) => { ended = resolve; });
  const channel = new Channel<ChildFrame, HostFrame>(socket, ChildFrame, {
    onFrame: (frame, body) => { runner.receive(frame, body); },
    onClose: () => { ended({ kind: 'exited', code: null, signal: null }); },
  });
  const runner: Runner = new Runner({
    pid, end,
    send: (frame, body) => channel.send(frame, body),
    output: () => '',
    residentBytes: () => residentBytes(pid),
    residentMemory: () => residentMemory(pid),
    kill: () => {
      onKill();
      channel.close();
    },
    close: () => {
      onClosed();
      channel.close();
    },
  }, { v: 1, kind: 'ready', ...ready });
  return runner;
}
