import { startSupervisor, type SupervisorOptions } from './supervisor.js';

/**
 * Runs a supervisor in this process until SIGTERM, SIGINT or SIGHUP, then ends its programs in order. A second signal changes
 * nothing: every program has its grace time, after which it is killed.
 * @param onReady called once everything is ready
 */
export async function runForeground({ onReady = () => undefined, ...options }: SupervisorOptions & { onReady?: () => void }): Promise<void> {
  const asked = new Promise<string>((settle) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => settle(signal));
  });
  const supervisor = await startSupervisor(options);
  let ending = false;
  supervisor.ready.then(() => (ending ? undefined : onReady()), () => undefined); // a failure is among the events
  const alive = setInterval(() => undefined, 2 ** 30); // children do not keep this process alive
  const signal = await asked;
  ending = true;
  options.onEvent?.(`${signal}: ending all programs`);
  await supervisor.close();
  clearInterval(alive);
  options.onEvent?.('all programs have ended');
}
